"""Notebooks run, each into its place in the cache, by a crew: threads of this process, or workers.

A place is complete or absent. What several have begun, since one of them seemed dead, the first
that ends makes.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from ..dataset.model import ROOT
from ..page.contents import Place
from ..page.prose import Prose
from .pages import BuildError

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from .notebooks import ThisInterpreter


@dataclass(frozen=True)
class Run:
    """One page on one dataset; `place` is the folder of the cache that holds its outcome."""

    page: Place
    folder: Path
    shown: str
    parameters: dict[str, Any]
    place: Path
    others: tuple[Path, ...] = ()  # the results of the notebooks that it reads

    @property
    def executed(self) -> Path:
        """The notebook that has been run."""
        return self.place / f"{self.page.name}.ipynb"

    @property
    def filled(self) -> bool:
        """Whether the page shows anything of the dataset or, as a lesson, without it.

        The first page is always there.
        """
        if self.page.name == "index" or any((self.place / "results").iterdir()):
            return True
        from .notebooks import NOT_RECORDED

        cells = json.loads(self.executed.read_text("utf-8"))["cells"]
        return cells[-1]["id"] != NOT_RECORDED


@contextmanager
def threads() -> Iterator[ThreadPoolExecutor]:
    """As many threads as there are cores; those that wait do not start after an error."""
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


# For so many notebooks: what gives the manager of a kernel, for a notebook on a dataset's folder.
Managers = Callable[[Path], "type[ThisInterpreter]"]
Kernels = Callable[[int], Managers]


@dataclass(frozen=True)
class Crew:
    """Who does the work of a build: an executor, and how kernels start where it has them run.

    What it is handed is known by its module and name, and holds no table of patients: it may go to
    another machine.
    """

    pool: Executor
    kernels: Kernels
    bar: bool = True  # whether it shows how far it is


@contextmanager
def kernels_of_one(datasets: Sequence[Path] = ()) -> Iterator[Kernels]:
    """Once a build runs more than one notebook, its kernels are copies of one process.

    It takes as long to start as a single kernel does, and has read the folders of its `datasets`.
    """
    with ExitStack() as opened:
        copied: list[type[ThisInterpreter]] = []

        def managers(many: int) -> Managers:
            from .notebooks import ThisInterpreter, copies_of  # slow, and seldom needed

            # No copies on other systems, where a copy of a process is not always sound.
            if not copied and many > 1 and sys.platform == "linux":
                from .kernels import Server

                server = opened.enter_context(Server())
                server.keep(*datasets)
                copied.append(copies_of(server))
            return lambda folder: copied[0] if copied else ThisInterpreter

        yield managers


def run_all(runs: list[Run], crew: Crew) -> int:
    """Run what is not in the cache, as many at once as the crew can; returns how many.

    Raises BuildError with a line for each that failed.
    """
    missing = [run for run in runs if not run.place.exists()]
    if not missing:
        return 0
    from tqdm import tqdm

    managers = crew.kernels(len(missing))
    done = as_completed([crew.pool.submit(run_one, run, managers) for run in missing])
    hidden = not (crew.bar and sys.stderr.isatty())
    bar = tqdm(done, "Running", len(missing), unit="notebook", disable=hidden)
    errors = [error for future in bar if (error := future.result())]
    if errors:
        raise BuildError("\n".join(sorted(errors)))
    return len(missing)


def run_one(run: Run, managers: Managers) -> str | None:
    """Run one notebook into its place in the cache; returns what went wrong, if anything did."""
    from .notebooks import NotebookError, execute, parameters_of, serialise

    known = parameters_of(run.page.path)
    inside = ROOT / run.shown == run.folder
    dataset = run.shown if inside else str(run.folder)

    def write(folder: Path) -> None:
        results, raw = folder / "results", folder / "raw.ipynb"
        results.mkdir()
        for path in run.others:
            shutil.copy(path, results)
        given = {"dataset": dataset, "results_folder": str(results), **run.parameters}
        given = {name: value for name, value in given.items() if name in known}
        text = serialise(_named(execute(run.page.path, raw, given, managers(run.folder)), run.page))
        raw.unlink()
        for path in run.others:
            (results / path.name).unlink()
        for path, name in {results: "_build/results", run.folder: run.shown, ROOT: "."}.items():
            text = _without_path(text, path, name)
        (folder / run.executed.name).write_text(text, "utf-8")

    try:
        once(run.place, write)
    except NotebookError as error:
        return f"{run.executed.name} on {run.shown}: {error}"
    return None


def _named(notebook: NotebookNode, page: Place) -> NotebookNode:
    """The notebook of an endpoint with the endpoint's own heading and file of numbers."""
    if page.endpoint:
        notebook.cells[0].source = Prose("# {title}", title=page.title).markdown  # text, no markup
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = cell.source.replace(f"{page.path.stem}.csv", f"{page.name}.csv")
    return notebook


def _without_path(text: str, path: Path, name: str) -> str:
    """JSON text with a path of this machine replaced, where it stands as a whole path."""
    for written_as in (str, _in_code):
        written, shown = (
            json.dumps(written_as(each), ensure_ascii=False)[1:-1] for each in (str(path), name)
        )
        whole = rf"(?<![\w.:/-]){re.escape(written)}(?![\w.-])"
        text = re.sub(whole, lambda _, shown=shown: shown, text)
    return text


def _in_code(text: str) -> str:
    """Text as papermill writes it into the cell of parameters."""
    return text.encode("unicode_escape").decode().replace('"', r"\"")


def once(place: Path, write: Callable[[Path], None]) -> Path:
    """The folder `place`, filled by `write` unless it is there: complete or absent.

    It is filled under a name of its own, in the way of no other who does the same.
    """
    if not place.exists():
        new = place.with_name(f"{place.name}.{uuid4().hex}.new")
        new.mkdir(parents=True)
        try:
            write(new)
            new.rename(place)
        except Exception as error:
            shutil.rmtree(new, ignore_errors=True)
            if not (isinstance(error, OSError) and place.exists()):  # another was first
                raise
    return place
