"""A lesson without the answers to its exercises: for the learner, and in a masked book."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell, new_notebook

from ..dataset.model import ROOT
from .exercises import PREFIX

SOLUTION, PARAMETERS = "solution", "parameters"
BEGIN, END = "## Exercises", "## Check yourself"
MISSING = "answer = ...  # yours"
BEFORE = (
    "{title}. Exercises\n\n"
    "These are the exercises of the lesson, without its solutions. They run on Binder, or in a "
    "copy of the project, in its folder `exercises`. To use other patients, name their folder "
    "under `dataset`."
)
NOT_PRINTED = (
    "This book masks small counts, so the answers to the exercises are not printed; they are in "
    "the books of the shipped, public data."
)


def learner(lesson: NotebookNode, dataset: str | None = None) -> NotebookNode:
    """The exercises of an executed or a bare lesson, nothing of it run.

    A solution keeps its first lines of comments and gives place to three dots. `dataset` is the
    folder that the notebook begins with; without it, it is the lesson's own.
    """
    title = lesson.cells[0].source.splitlines()[0]
    cells = [new_markdown_cell(BEFORE.format(title=title), id="begin"), *_kept(lesson, dataset)]
    made = new_notebook(cells=cells, metadata=lesson.metadata)
    made.metadata.pop("papermill", None)
    return made


def without_answers(lesson: NotebookNode) -> NotebookNode:
    """An executed lesson whose solutions show their code and nothing that it gives.

    They compute with the patients, and most answers are counts or give one back: none is masked
    by `Page.record`. What a check says holds no number of the dataset.
    """
    for place, cell in reversed(list(enumerate(lesson.cells))):
        if SOLUTION in cell.metadata.get("tags", []):
            cell.outputs = []
        if cell.source.startswith(BEGIN):
            lesson.cells.insert(place + 1, new_markdown_cell(NOT_PRINTED, id="not-printed"))
    return lesson


def _kept(lesson: NotebookNode, dataset: str | None) -> Iterator[NotebookNode]:
    within = False
    for cell in lesson.cells:
        tags = cell.metadata.get("tags", [])
        within = (within or cell.source.startswith(BEGIN)) and not cell.source.startswith(END)
        if PARAMETERS in tags:
            yield _bare(cell, _with_dataset(cell.source, dataset))
        elif within and "course" not in tags and not cell.source.startswith(BEGIN):
            yield _bare(cell, _without_solution(cell.source) if SOLUTION in tags else cell.source)


def _bare(cell: NotebookNode, source: str) -> NotebookNode:
    """A cell of the same kind with another source, and neither outputs nor tags."""
    kept = {"id": cell.id, "cell_type": cell.cell_type, "metadata": {}, "source": source}
    if cell.cell_type == "code":
        kept |= {"outputs": [], "execution_count": None}
    return nbformat.from_dict(kept)


def _with_dataset(source: str, dataset: str | None) -> str:
    """The parameters, and before them where the project lies."""
    lines = [line for line in source.splitlines() if not line.startswith("results_folder")]
    if dataset:
        lines = [
            f'dataset = "{dataset}"' if line.startswith("dataset = ") else line for line in lines
        ]
    found = ["import sys", "", 'sys.path.insert(0, "..")  # the project, of which this is a part']
    return "\n".join([*found, "", *lines])


def _without_solution(source: str) -> str:
    """The comments that a solution begins with, which say what `answer` is to be."""
    lines = source.splitlines()
    end = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    return "\n".join([*lines[:end], MISSING])


def lessons() -> list[Path]:
    """The notebooks of the lessons, in their order."""
    return sorted((ROOT / "book").glob(f"{PREFIX}*.ipynb"))
