"""The notebooks of the repository, run in place: what they store is what they show."""

from __future__ import annotations

import tempfile
from pathlib import Path

import nbformat

from ..course.launch import FOLDER
from ..course.learner import learner, lessons, patients_of
from ..dataset.model import ROOT, load
from ..page.contents import Place, places, title
from .build import PAPER, notebooks, reads_others, shipped
from .notebooks import NotebookError, execute, serialise
from .pages import BuildError
from .running import kernels_of_one, threads


def refresh_notebooks() -> list[str]:
    """Run the notebooks in place on their defaults, and make the learner's ones of the lessons.

    A notebook of curves runs for each endpoint, and stores what it shows of its default; one that
    the paper's book has not runs on the dataset that it names itself. Returns the notebooks that
    changed. Raises BuildError.
    """

    def run(page: Place) -> str:
        given = {} if page.name == page.path.stem else {"endpoint": page.endpoint}
        with tempfile.TemporaryDirectory() as folder:
            try:
                return serialise(execute(page.path, Path(folder) / page.path.name, given, manager))
            except NotebookError as error:
                raise BuildError(f"{page.name}: {error}") from None

    changed = []
    every = [page for page in places(load(PAPER)) if page.path.suffix == ".ipynb"]
    others = {*notebooks()} - {page.path for page in every}
    every += [Place(path.stem, path, title(path)) for path in sorted(others)]
    with kernels_of_one([PAPER]) as kernels, threads() as pool:
        manager = kernels(len(every))(PAPER)
        for reading in (False, True):  # the one after the other: they read what these have found
            now = [page for page in every if reads_others(page.path) is reading]
            for page, text in zip(now, pool.map(run, now), strict=True):
                if page.name == page.path.stem:
                    changed += _rewritten(page.path, text)
    for dataset in shipped():
        patients = patients_of(dataset, dataset.relative_to(ROOT).as_posix(), True)
        for path in lessons():
            text = serialise(learner(nbformat.read(path, as_version=4), patients))
            changed += _rewritten(ROOT / FOLDER / dataset.name / path.name, text)
    return changed


def _rewritten(path: Path, text: str) -> list[str]:
    """Write a notebook that differs from the file; returns its place in the repository, if so."""
    if path.exists() and text == path.read_text("utf-8"):
        return []
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(text, "utf-8")
    new.replace(path)
    return [path.relative_to(ROOT).as_posix()]
