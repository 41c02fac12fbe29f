"""Runs the book's notebooks in this process: the real cells, without a kernel's second each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any
from unittest import mock

import altair as alt
import nbformat
import pandas as pd
import papermill
from conftest import built
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_output
from traitlets.config import Config

from analysis.dataset.model import ROOT, Dataset, NotRecorded
from analysis.page import charts
from analysis.page import page as opening
from analysis.page.contents import Place, places
from analysis.page.rows import frame, read, write
from analysis.site import build
from analysis.site.build import reads_others
from analysis.site.notebooks import NOT_RECORDED

# It compares R's values with those of the shipped datasets: nothing of the one dataset is in it
# that the other pages do not have, and it takes as long as all of them.
SLOW = "methods"
# Fewer repetitions of what the lessons repeat, where it does not matter what comes of it.
QUICK = {"resamples": 5, "draws": 20}

# Where the results of a shipped dataset are in those of the site.
SHELF = ("bmt", "myeloid", "mgus", "mgus2", "colon", "cgd")
SHIPPED = {"data/blinatumomab": ""} | {f"data/{name}": name for name in SHELF}
# Of the others these read the pages that have printed numbers, and some more.
OF_THE_PRINT = {"scorecard": [], "cohort": ["consistency", "table_3"]}

NOTHING = frame([])
OBJECTS = count()  # each dataset that no folder holds has a name of its own


@dataclass(frozen=True)
class Page:
    """What a notebook showed, by MIME type, the numbers that it recorded, and how it ended early.

    `missing` is the sentence with which it did, if it did.
    """

    shown: list[dict[str, str]]
    numbers: pd.DataFrame
    missing: str = ""

    @property
    def text(self) -> str:
        """All of its outputs."""
        return "\n".join(str(value) for output in self.shown for value in output.values())

    def table(self, caption: str) -> list[list[str]]:
        """The lines of the table with this caption, cell by cell, its notes among them."""
        texts = [output.get("text/plain", "") for output in self.shown]
        (found,) = (text for text in texts if text.startswith(caption))
        return [[cell.strip() for cell in line.split("|")] for line in found.splitlines()[1:]]


def pages(
    folder: Path, results: Path, left_out: Collection[str] = (), **parameters: Any
) -> dict[str, Page]:
    """Every page but the slow one, run on the dataset of a folder; errors are raised."""
    given = {"dataset": str(folder), "results_folder": str(results), **parameters}
    # Read and checked once: every page begins with it, and no page changes it.
    with mock.patch.object(opening, "load", cache(opening.load)):
        dataset = opening.load(str(folder), parameters.get("mask_below", 0))
        chosen = [place for place in in_rounds(dataset) if place.name not in (SLOW, *left_out)]
        return {place.name: page(place.path, {**given, **asking(place)}) for place in chosen}


def in_rounds(dataset: Dataset) -> list[Place]:
    """The pages of a dataset that are notebooks, in the order in which a build runs them."""
    found = [place for place in places(dataset) if place.path.suffix == ".ipynb"]
    return sorted(found, key=lambda place: reads_others(place.path))


def asking(place: Place) -> dict[str, str]:
    """The parameter of a page that asks an endpoint."""
    return {"endpoint": place.endpoint} if place.endpoint else {}


def run(
    name: str,
    dataset: Path | str,
    results: Path,
    change: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
    until: str = "",
    specs: bool = False,
    **parameters: Any,
) -> Page:
    """The page of a name, without drawings: its charts are there as data.

    With `change` it speaks of other numbers than those that it found; `until` is the cell before
    which it ends. A page that reads the numbers of others is run after these, whose results come
    to the same folder. Where the site was built just before, its page is taken and not made again,
    but for tests that ask its charts for their `specs`, which the site has compiled.
    """
    if "BUILT" in os.environ and not (change or until or specs or parameters):
        with suppress(FileNotFoundError):  # of another dataset, or not in its book
            return _of_the_site(name, slug_of(dataset), results)
    given = {"dataset": str(dataset), "results_folder": str(results), **parameters}
    known = opening.load(str(dataset), parameters.get("mask_below", 0))
    place = next(place for place in places(known) if place.name == name)
    notebook, given = place.path, asking(place) | given
    if reads_others(notebook) and not list(Path(results).glob("figure_*.csv")):
        read = [*known.published["page"], *OF_THE_PRINT[name]] if name in OF_THE_PRINT else []
        asked = str(dataset), parameters.get("mask_below", 0), frozenset(read)
        for other, rows in results_of(*asked).items():
            write(rows, results, other)
    found = opening.masked
    said = found if change is None else lambda *given: change(found(*given))
    undrawn = mock.patch.object(charts, "_drawn", as_data)
    with mock.patch.object(opening, "masked", said), undrawn:
        return page(notebook, given, until)


def slug_of(dataset: Path | str) -> str | None:
    """The folder within the site of a shipped dataset, however its own folder is given."""
    folder = ROOT / dataset
    return SHIPPED.get(folder.relative_to(ROOT).as_posix()) if folder.is_relative_to(ROOT) else None


def _of_the_site(name: str, slug: str | None, results: Path) -> Page:
    """The page as the build ran it. Raises FileNotFoundError where the site has none."""
    if slug is None:
        raise FileNotFoundError(name)
    found = executed(built() / "html" / slug / "_sources" / f"{name}.ipynb")
    rows = built() / "results" / slug / f"{name}.csv"
    if not rows.exists():
        return found
    results.mkdir(parents=True, exist_ok=True)
    shutil.copy(rows, results)
    return replace(found, numbers=read(results)[name])


def executed(notebook: Path) -> Page:
    """What an executed notebook shows, and the sentence with which it ended early, or none."""
    found = nbformat.read(notebook, as_version=4).cells
    shown = [out.data for cell in found for out in cell.get("outputs", []) if "data" in out]
    ended = "".join(cell.source for cell in found if cell.id == NOT_RECORDED)
    missing = ended.removeprefix(":::{note}\n").removesuffix("\n:::")
    return Page(shown, NOTHING, missing)


def as_data(chart: alt.LayerChart, name: str) -> tuple[dict, str]:
    """What takes the place of `charts._drawn`: the Vega-Lite of a chart, in half of the time."""
    return chart.to_dict(validate=False), ""


@cache
def results_of(
    dataset: Path | str, mask_below: int = 0, some: frozenset[str] = frozenset()
) -> dict[str, pd.DataFrame]:
    """The results of the pages of a dataset but the lessons' and those that read others.

    Of `some` pages where they are named.
    """
    return opened(dataset, mask_below, some).others()


@cache
def opened(
    dataset: Path | str, mask_below: int = 0, some: frozenset[str] = frozenset()
) -> opening.Page:
    """A page of a dataset that finds the results of the others: of a shipped one the site's."""
    folder, slug = TemporaryDirectory(), slug_of(dataset)
    for place in in_rounds(opening.load(str(dataset))):
        if reads_others(place.path) or place.name.startswith((SLOW, "lesson")):
            continue
        if slug is not None and not mask_below:
            rows = built() / "results" / slug / f"{place.name}.csv"
            if rows.exists():  # or the page says why not
                shutil.copy(rows, folder.name)
        elif not some or place.name in some:
            run(place.name, dataset, Path(folder.name), mask_below=mask_below)
    made = opening.open_page("reader", str(dataset), folder.name, mask_below)
    made.kept = folder  # it goes with the page
    return made


def showing(
    data: Dataset, *parts: pd.DataFrame | Iterable[dict], name: str = "page"
) -> opening.Page:
    """A page that shows some rows, without a file of them."""
    made = opening.Page(name, data, "")
    made.numbers = pd.concat(
        [part if isinstance(part, pd.DataFrame) else frame(part) for part in parts],
        ignore_index=True,
    )
    return made


def of(name: str, dataset: Dataset, until: str = "") -> tuple[Page, dict[str, Any]]:
    """The page of a dataset that no folder holds, and the names that its cells have made.

    `until` is the cell before which it ends. The names are there until another page is run.
    """
    with mock.patch.object(opening, "load", lambda *_: dataset), TemporaryDirectory() as folder:
        found = run(name, ROOT / "data" / f"object {next(OBJECTS)}", Path(folder), until=until)
    return found, InteractiveShell.instance().user_ns


class Made(dict):
    """What is made of each dataset, once a test asks for it."""

    def __init__(self, make: Callable[[str], Any]) -> None:
        super().__init__()
        self.make = make

    def __missing__(self, name: str) -> Any:
        self[name] = self.make(name)
        return self[name]


def changed(name: str, folder: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Path:
    """A shipped dataset in a new folder, its patients changed; all of their values are text."""
    made = Path(shutil.copytree(ROOT / "data" / name, folder))
    patients = pd.read_csv(made / "patients.csv", dtype=str, keep_default_na=False)
    change(patients).to_csv(made / "patients.csv", index=False)
    return made


def page(notebook: Path, parameters: dict[str, Any], until: str = "") -> Page:
    """Run the code cells of one notebook, with its parameters set where it has them.

    With `until`, as far as the cell of that id.
    """
    shown: list[dict[str, str]] = []
    try:
        for _, _, outputs in ran(notebook, parameters, until):
            shown += outputs
    except NotRecorded as error:
        return Page(shown, NOTHING, str(error))
    opened = InteractiveShell.instance().user_ns.get("page")
    return Page(shown, NOTHING if opened is None else opened.numbers)


@contextmanager
def without_kernels() -> Iterator[None]:
    """Notebooks that a build runs meanwhile are run in this process, one after another."""
    here = mock.patch.object(papermill, "execute_notebook", _executed)
    with here, mock.patch.object(build, "threads", lambda: nullcontext(AtOnce())):
        yield


class AtOnce(Executor):
    """Does what it is given before another thread could."""

    def submit(self, asked: Callable, /, *given: Any, **named: Any) -> Future:
        done: Future = Future()
        done.set_result(asked(*given, **named))
        return done


def _executed(notebook: str, target: str, parameters: dict[str, Any], **_: Any) -> NotebookNode:
    """The notebook with what its cells print and show; one that ends the page is told as papermill
    tells it."""
    made = nbformat.read(notebook, as_version=4)
    made.cells = []
    try:
        for cell, printed, outputs in ran(Path(notebook), parameters):
            if cell.cell_type == "code":
                both = [{"text/plain": printed}] * bool(printed) + outputs
                cell.outputs = [new_output("display_data", data) for data in both]
            made.cells.append(cell)
    except NotRecorded as error:
        told = {"ename": type(error).__name__, "evalue": str(error), "traceback": []}
        made.cells[-1].outputs = [new_output("error", **told)]
        place = {"cell_index": len(made.cells), "exec_count": None, "source": ""}
        raise papermill.PapermillExecutionError(**place, **told) from None
    finally:
        nbformat.write(made, target)
    return made


def ran(
    notebook: Path, parameters: dict[str, Any], until: str = ""
) -> Iterator[tuple[NotebookNode, str, list[dict[str, str]]]]:
    """Each cell, once it has run, with what it printed and what it showed; errors are raised."""
    # Without a cache of outputs: to empty it, IPython would look through all of the memory.
    # In a module of its own: a `__main__` that is emptied can start no other process.
    alone = Config({"HistoryManager": {"enabled": False}})  # no file of what was run
    shell = InteractiveShell.instance(config=alone, cache_size=0, user_module=ModuleType("page"))
    shell.showtraceback = lambda *_, **__: None  # an error is raised below
    shell.displayhook.compute_format_data = lambda _: ({}, {})  # a result is shown below
    shell.reset(new_session=False)
    before = Path.cwd()
    os.chdir(ROOT)
    try:
        for cell in _cells(notebook, parameters, until):
            with capture_output() as captured:
                outcome = shell.run_cell(cell.source if cell.cell_type == "code" else "")
            shown = [output.data for output in captured.outputs]
            error = outcome.error_before_exec or outcome.error_in_exec
            if outcome.result is not None:
                shown.append(shell.display_formatter.format(outcome.result)[0])
            yield cell, captured.stdout, shown
            if error:
                raise error
    finally:
        os.chdir(before)


def _cells(notebook: Path, parameters: dict[str, Any], until: str) -> Iterator[NotebookNode]:
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.id == until:
            return
        yield cell
        if "parameters" in cell.metadata.get("tags", []):
            named = {n: v for n, v in parameters.items() if f"{n} = " in cell.source}
            given = "\n".join(f"{name} = {value!r}" for name, value in named.items())
            yield new_code_cell(given, metadata={"tags": ["injected-parameters"]})
