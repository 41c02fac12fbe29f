"""A lesson without the answers to its exercises: for the learner, and in a masked book."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from ..dataset.model import ROOT, load
from .exercises import PREFIX
from .launch import finding, in_project
from .worked import literals_of, steps

SOLUTION, PARAMETERS, WORKED = "solution", "parameters", "worked"
BEGIN, END = "## Exercises", "## Check yourself"
DO, TAKE_AWAY = "## Do it yourself", "## Take away"
MISSING = "answer_{number} = ...  # leave this line: yours come below it"
BEFORE = (
    "{title}. Exercises\n\n"
    "These are the exercises of the lesson, without its solutions. The first cell finds the "
    "project that they are of, or fetches it, so they run anywhere. To use other patients, name "
    "their folder under `dataset`."
)
TABLE = 'project / dataset / "patients.csv"'  # as the first cell of the notebook names it
TRAVELS = 'dataset = str(Path("{dataset}").resolve())  # a folder beside this notebook'
STAYS = 'dataset = "where/the/patients/are"  # their folder; they do not come with the notebook'
NOT_PRINTED = (
    "This book masks small counts, so the answers to the exercises are not printed; they are in "
    "the books of the shipped, public data."
)


@dataclass(frozen=True)
class Patients:
    """On whom a learner's notebook is: their `folder`, and the `line` that names it there.

    Without a folder it is on the lesson's own. `beside` is the folder in which their data lie
    beside the notebook, if they travel with it, and `revision` what it fetches of the project.
    `shared` tells whether all may have their table.
    """

    folder: Path | None = None
    line: str = ""
    beside: str = ""
    revision: str = ""
    shared: bool = False


def patients_of(folder: Path, name: str, shared: bool, revision: str = "") -> Patients:
    """Those of a book, whose data travel with its notebooks where all may have them.

    `name` is the folder as a page names it: of a shipped dataset the project has it.
    """
    if in_project(name):
        return Patients(folder, f'dataset = "{name}"', "", revision, shared)
    beside = f"data/{name}" if shared else ""
    line = TRAVELS.format(dataset=beside) if shared else STAYS
    return Patients(folder, line, beside, revision, shared)


def learner(lesson: NotebookNode, patients: Patients = Patients()) -> NotebookNode:
    """The exercises of an executed or a bare lesson, nothing of it run.

    A solution keeps its first lines of comments and gives place to a line with three dots.
    """
    title = lesson.cells[0].source.splitlines()[0]
    cells = [new_markdown_cell(BEFORE.format(title=title), id="begin"), *_kept(lesson, patients)]
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


def _kept(lesson: NotebookNode, patients: Patients) -> Iterator[NotebookNode]:
    part, number = "", "1"
    for cell in lesson.cells:
        tags, source = cell.metadata.get("tags", []), cell.source
        part = next((h for h in (DO, TAKE_AWAY, BEGIN, END) if source.startswith(h)), part)
        number = "".join(re.findall(r"^### Exercise (\d)", source, re.MULTILINE)) or number
        if PARAMETERS in tags:
            yield _bare(cell, _with_dataset(source, patients))
        elif part not in (DO, BEGIN) or "course" in tags or source.startswith(BEGIN):
            continue
        elif WORKED in tags:
            yield from _worked(lesson, patients)
        else:
            kept = _without_solution(source, number) if SOLUTION in tags else source
            yield _bare(cell, kept)


def _worked(lesson: NotebookNode, patients: Patients) -> Iterator[NotebookNode]:
    """The worked piece in cells of code and of questions, with the dataset's own names."""
    number = int(re.match(r"# Lesson (\d+)", lesson.cells[0].source)[1])
    python = {"table": TABLE}
    if patients.folder:
        data = load(patients.folder)
        names = import_module(f"{__package__}.keys_{number:02}").names(data) or {}
        python = literals_of(data, names)[0] | python
    for place, step in enumerate(steps(number, (python, {})), start=1):
        yield new_code_cell(f"# {step.title}\n{step.python}", id=f"step-{place}")
        if step.question:
            yield new_markdown_cell(step.question, id=f"question-{place}")
    yield new_markdown_cell(BEGIN, id="exercises")


def _bare(cell: NotebookNode, source: str) -> NotebookNode:
    """A cell of the same kind with another source, and neither outputs nor tags."""
    kept = {"id": cell.id, "cell_type": cell.cell_type, "metadata": {}, "source": source}
    if cell.cell_type == "code":
        kept |= {"outputs": [], "execution_count": None}
    return nbformat.from_dict(kept)


def _with_dataset(source: str, patients: Patients) -> str:
    """The parameters, and before them where the project is."""
    lines = [line for line in source.splitlines() if not line.startswith("results_folder")]
    if patients.line:
        lines = [patients.line if line.startswith("dataset = ") else line for line in lines]
    return "\n".join([finding(patients.revision), "", *lines])


def _without_solution(source: str, number: str) -> str:
    """The comments that a solution begins with, which say what its answer is to be.

    Then the answer is emptied, so that none is left of another run.
    """
    lines = source.splitlines()
    end = next(place for place, line in enumerate(lines) if not line.startswith("#"))
    return "\n".join([*lines[:end], MISSING.format(number=number)])


def lessons() -> list[Path]:
    """The notebooks of the lessons, in their order."""
    return sorted((ROOT / "book").glob(f"{PREFIX}*.ipynb"))
