"""From notebooks to a site: run them, build the pages, swap the finished site in.

Whatever takes time is made once, in OUT/cache/KEY/, where the key is a hash of all it depends on:
an executed notebook with its results, or the pages of one book. Such a folder appears there only
when it is complete, so a build that is killed leaves nothing half made.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..dataset.model import ROOT, Dataset, load, require_factor
from ..page import contents
from ..page.contents import BOOK, TOC, Place
from ..page.prose import Prose
from ..page.provenance import authors, provenance, source
from . import pages as site
from .pages import BuildError
from .preview import preview, preview_alt

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from .notebooks import ThisInterpreter

PAPER = ROOT / "data" / "blinatumomab"
REFERENCE = ROOT / "tests" / "reference"
# Folders of the repository, in which nothing is built: what is there is read, or kept.
OURS = ("analysis", "binder", "book", "data", "docs", "exercises", "tests", ".git", ".venv")
WHOLE_FROM = {"seed": 0, "draws": 1, "resamples": 1}  # parameters that are whole numbers
FEW = 4  # notebooks: the process to be copied takes as long to start as so many kernels gain
KEY = re.compile(r"[0-9a-f]{32}(\.new)?")  # the names of what lies in the cache


@dataclass(frozen=True)
class Book:
    """The book of one dataset. `slug` is its folder within the site, "" for the site's root."""

    slug: str
    folder: Path
    dataset: Dataset

    @property
    def shown(self) -> str:
        """The dataset's folder as a page may name it: never where it lies on this machine."""
        if self.folder.is_relative_to(ROOT):
            return self.folder.relative_to(ROOT).as_posix()
        return self.folder.name


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
        """Whether the dataset has what the page shows; the first page is always there."""
        if self.page.name == "index" or any((self.place / "results").iterdir()):
            return True
        from .notebooks import NOT_RECORDED

        return f'"id": "{NOT_RECORDED}"' not in self.executed.read_text("utf-8")


def build(folder: Path | None, out: Path, parameters: dict[str, Any]) -> tuple[int, int, int]:
    """Make OUT/html and OUT/results; returns how many notebooks ran and did not, and of books.

    `folder` is a dataset's, or None for the paper's book with the books of the other shipped
    datasets under it. Raises DataError or BuildError; html and results then stay as they were.
    """
    books = _books([folder] if folder else _shipped(), parameters.get("mask_below", 0))
    chosen = _parameters_by_notebook(parameters)
    require_factor([book.dataset for book in books], parameters.get("factor"))
    for book in books:
        book.dataset.compared(parameters.get("by"))
    _require_place(out)
    with _locked(out):
        site.require_ours(out)
        site.recover(out)
        cache = out / "cache"
        code = _code_digest()
        runs, ran = _run_rounds(books, chosen, cache, code)
        every = [run for group in runs.values() for run in group]
        pages = _build_pages(books, runs, parameters, cache, code)
        results = {slug: [run.place / "results" for run in runs[slug]] for slug in runs}
        site.publish({slug: pages[slug] / "html" for slug in pages}, results, out)
        _prune(cache, {*pages.values(), *(run.place for run in every)})
    return ran, len(every) - ran, len(books)


def _shipped() -> list[Path]:
    """Folders of the shipped datasets, the paper's first."""
    folders = sorted(path.parent for path in PAPER.parent.glob("*/datapackage.json"))
    return [PAPER, *(folder for folder in folders if folder != PAPER)]


def _books(folders: list[Path], mask_below: int) -> list[Book]:
    """The book of each dataset, the first one's at the root. Raises DataError or BuildError."""
    books = [
        Book(path.name if place else "", path, load(path, mask_below))
        for place, path in enumerate(folders)
    ]
    for book in books:
        if len(book.dataset.patients) < mask_below:
            few = f"fewer patients than mask_below = {mask_below}; no page could show a number"
            raise BuildError(f"{book.shown}: {few}")
    return books


# --- what to run -------------------------------------------------------------------------------


def notebooks() -> list[Path]:
    """The notebooks of the table of contents, in its order."""
    return [path for path in contents.pages() if path.suffix == ".ipynb"]


def _parameters_by_notebook(parameters: dict[str, Any]) -> dict[Path, dict[str, Any]]:
    """For each notebook those of the parameters that it has; unknown or wrong ones are an error."""
    if not parameters:
        return {path: {} for path in notebooks()}
    from .notebooks import parameters_of  # slow to import, and seldom needed

    own = {"dataset", "results_folder", "endpoint"}  # which the build gives
    known = {path: parameters_of(path) - own for path in notebooks()}
    every = set().union(*known.values())
    for name in parameters:
        if name not in every:
            there = ", ".join(sorted(every)) or "none"
            raise BuildError(f"--parameter {name}: no notebook has it; there are: {there}")
    for name, least in WHOLE_FROM.items():
        if type(value := parameters.get(name, least)) is not int or value < least:
            expected = f"expected a whole number, {least} or more"
            raise BuildError(f"--parameter {name}: found {value!r}, {expected}")
    return {path: {k: parameters[k] for k in parameters if k in known[path]} for path in known}


def reads_others(notebook: Path) -> bool:
    """Whether a notebook reads the results of the others, and so runs after them."""
    return json.loads(notebook.read_text("utf-8"))["metadata"].get("reads_results", False)


def _plan(
    book: Book,
    page: Place,
    chosen: dict[Path, dict[str, Any]],
    cache: Path,
    code: str,
    others: tuple[Path, ...] = (),
) -> Run:
    parameters = chosen[page.path] | ({"endpoint": page.endpoint} if page.endpoint else {})
    data = [book.folder, *_datasets_named_in(page.path)]
    key = _digest(
        page.path.read_bytes(),
        page.name,
        page.title,
        book.shown,
        json.dumps(parameters, sort_keys=True, default=str),
        code,
        *_read_by(_code_of(page.path)),
        *(_data_digest(folder) for folder in data),
        *(path.read_bytes() for path in others),
    )
    return Run(page, book.folder, book.shown, parameters, cache / key, others)


def _datasets_named_in(notebook: Path) -> list[Path]:
    """Shipped datasets that a notebook reads by name, whichever it is given as its parameter."""
    code = _code_of(notebook)
    return [folder for folder in _shipped() if f"data/{folder.name}" in code]


def _read_by(code: str) -> Iterator[str]:
    """Digests of what such code reads besides data: R's values, and the texts of the book."""
    if REFERENCE.relative_to(ROOT).as_posix() in code:
        yield _files_digest(REFERENCE, REFERENCE.rglob("*.csv"))
    if "analysis.sharing" in code:  # it fills them in, and names pages by their titles
        texts = (path for path in BOOK.iterdir() if path.suffix in (".yaml", ".jinja"))
        yield _digest(_files_digest(BOOK, texts), *map(contents.title, contents.pages()))


def _code_of(notebook: Path) -> str:
    """The code of all cells but the parameters."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    own = (cell for cell in cells if "parameters" not in cell["metadata"].get("tags", []))
    return "".join(line for cell in own if cell["cell_type"] == "code" for line in cell["source"])


def _code_digest() -> str:
    """What every run depends on: the helper module, the lock file, and what is installed."""
    kinds = (".py", ".json", ".toml")
    code = [path for path in (ROOT / "analysis").rglob("*") if path.suffix in kinds]
    files = _files_digest(ROOT, [*code, ROOT / "requirements.txt"])
    direct = re.findall(r"^[\w-]+", (ROOT / "requirements.in").read_text("utf-8"), re.MULTILINE)
    return _digest(files, sys.version, *(f"{name} {_installed(name)}" for name in direct))


def _installed(name: str) -> str:
    """The version of a package that is installed, which may be another than the locked one."""
    try:
        return version(name)
    except PackageNotFoundError:  # of use to the tests only, say
        return ""


def _data_digest(folder: Path) -> str:
    package = json.loads((folder / "datapackage.json").read_text("utf-8-sig"))
    table = package["resources"][0]["path"]
    names = ("datapackage.json", table, "published.csv", "README.md")
    return _files_digest(folder, [folder / name for name in names if (folder / name).exists()])


def _files_digest(base: Path, paths: Iterable[Path]) -> str:
    """Names and contents; where `base` lies does not count, so a copy has the same hash."""
    named = [(path.relative_to(base).as_posix(), path.read_bytes()) for path in sorted(paths)]
    return _digest(*(part for pair in named for part in pair))


def _digest(*parts: str | bytes) -> str:
    """One hash of all parts, each hashed by itself first, so that their borders count."""
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part.encode() if isinstance(part, str) else part).digest())
    return total.hexdigest()[:32]


# --- running them ------------------------------------------------------------------------------


@contextmanager
def threads() -> Iterator[ThreadPoolExecutor]:
    """As many threads as there are cores; those that wait do not start after an error."""
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


Kernels = Callable[[int], "type[ThisInterpreter]"]  # their manager, for so many notebooks


@contextmanager
def kernels_of_one(datasets: Sequence[Path] = ()) -> Iterator[Kernels]:
    """Once a build runs more than a few notebooks, its kernels are copies of one process.

    That has read the folders of its `datasets`.
    """
    with ExitStack() as opened:
        copied: list[type[ThisInterpreter]] = []

        def manager(many: int) -> type[ThisInterpreter]:
            from .notebooks import Copied, Server, ThisInterpreter  # slow, and seldom needed

            # No copies on other systems, where a copy of a process is not always sound.
            if not copied and many > FEW and sys.platform == "linux":
                server = opened.enter_context(Server(datasets))
                copied.append(type("Copied", (Copied,), {"server": server}))
            return copied[0] if copied else ThisInterpreter

        yield manager


def _run_rounds(
    books: list[Book], chosen: dict[Path, dict[str, Any]], cache: Path, code: str
) -> tuple[dict[str, list[Run]], int]:
    """Each book's runs by its slug, in the order of its pages, and how many were not in the cache.

    First the notebooks that know no other; then those that read what these have found.
    """
    pages = {book.slug: _asked(book) for book in books}
    first = {slug: [p for p in of if not reads_others(p.path)] for slug, of in pages.items()}
    runs = {b.slug: [_plan(b, p, chosen, cache, code) for p in first[b.slug]] for b in books}
    with kernels_of_one([book.folder for book in books]) as kernels:
        ran = _run_all([run for made in runs.values() for run in made], kernels)
        reading = []
        for book in books:
            found = [run.place / "results" for run in runs[book.slug]]
            others = tuple(path for folder in found for path in sorted(folder.glob("*.csv")))
            later = [page for page in pages[book.slug] if page not in first[book.slug]]
            made = [_plan(book, page, chosen, cache, code, others) for page in later]
            runs[book.slug] += made
            reading += made
        ran += _run_all(reading, kernels)
    return {
        slug: sorted(made, key=lambda run: pages[slug].index(run.page))
        for slug, made in runs.items()
    }, ran


def _asked(book: Book) -> list[Place]:
    """The pages of a book that are notebooks."""
    return [page for page in contents.places(book.dataset) if page.path.suffix == ".ipynb"]


def _run_all(runs: list[Run], kernels: Kernels) -> int:
    """Run what is not in the cache, as many at once as there are cores; returns how many."""
    missing = [run for run in runs if not run.place.exists()]
    if not missing:
        return 0
    from tqdm import tqdm

    manager = kernels(len(missing))
    with threads() as pool:
        done = as_completed([pool.submit(_run_one, run, manager) for run in missing])
        bar = tqdm(done, "Running", len(missing), unit="notebook", disable=not sys.stderr.isatty())
        errors = [error for future in bar if (error := future.result())]
    if errors:
        raise BuildError("\n".join(sorted(errors)))
    return len(missing)


def _run_one(run: Run, kernels: type[ThisInterpreter]) -> str | None:
    """Run one notebook into its place in the cache; returns what went wrong, if anything did."""
    from .notebooks import NotebookError, execute, parameters_of, serialise

    known = parameters_of(run.page.path)
    inside = run.folder.is_relative_to(ROOT)
    dataset = run.shown if inside else str(run.folder)

    def write(folder: Path) -> None:
        results, raw = folder / "results", folder / "raw.ipynb"
        results.mkdir()
        for path in run.others:
            shutil.copy(path, results)
        given = {"dataset": dataset, "results_folder": str(results), **run.parameters}
        given = {name: value for name, value in given.items() if name in known}
        text = serialise(_named(execute(run.page.path, raw, given, kernels), run.page))
        raw.unlink()
        for path in run.others:
            (results / path.name).unlink()
        for path, name in {results: "_build/results", run.folder: run.shown, ROOT: "."}.items():
            text = _without_path(text, path, name)
        (folder / run.executed.name).write_text(text, "utf-8")

    try:
        _once(run.place, write)
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


# --- the pages ---------------------------------------------------------------------------------


def _build_pages(
    books: list[Book],
    runs: dict[str, list[Run]],
    parameters: dict[str, Any],
    cache: Path,
    code: str,
) -> dict[str, Path]:
    """Each book's folder of the cache, by slug; its pages are in html/."""
    filled = {slug: [run for run in of if run.filled] for slug, of in runs.items()}
    written = {
        b.slug: [p for p in contents.places(b.dataset) if p.path.suffix == ".md"] for b in books
    }
    kept = {slug: [*(run.page for run in filled[slug]), *written[slug]] for slug in filled}
    shelf = {
        book.slug: (book.dataset.title, [page.name for page in kept[book.slug]]) for book in books
    }
    sources = _files_digest(BOOK, site.sources())

    def pages(book: Book) -> Path:
        dataset = book.dataset
        context = {
            "synthetic": dataset.settings.synthetic,
            "printed": not dataset.published.empty,
            "provenance": provenance(dataset, book.folder, parameters),
            "book": dataset.name,
            "source": source(dataset, book.folder),
            "preview_alt": preview_alt(dataset),
            "abbreviations": dict(dataset.settings.abbreviations),
            "made_by": {p.name: p.path.name for p in contents.places(dataset) if p.endpoint},
        }
        whose = authors(dataset, book.folder)
        config = site.configuration(dataset.title, whose, book.slug, shelf, context)
        executed = [run.executed for run in filled[book.slug]]
        key = _digest(config, sources, code, *(path.parent.name for path in executed))

        def write(folder: Path) -> None:
            picture = preview(dataset, executed)
            site.write_pages(folder, config, kept[book.slug], executed, picture, book.shown)

        return _once(cache / key, write)

    with threads() as pool:
        return dict(zip(runs, pool.map(pages, books), strict=True))


# --- files -------------------------------------------------------------------------------------


def _once(place: Path, write: Callable[[Path], None]) -> Path:
    """The folder `place`, filled by `write` unless it is there: complete or absent."""
    if not place.exists():
        new = place.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        write(new)
        new.rename(place)
    return place


def _require_place(out: Path) -> None:
    """Refuse a folder of the repository's own: a build would read what it writes.

    So is one that holds the sources, of this copy of the repository or of another.
    """
    if ROOT.is_relative_to(out) or (out / BOOK.name / TOC).exists():
        raise BuildError(f"{out}: holds the sources of the book; choose another place")
    if (out / "datapackage.json").exists():
        raise BuildError(f"{out}: a dataset stands there; choose another place")
    for name in OURS:  # one of them may be a link, as .venv often is
        if out.is_relative_to((ROOT / name).resolve()):
            raise BuildError(f"{out}: within the folder {name} of the book; choose another place")


@contextmanager
def _locked(out: Path) -> Iterator[None]:
    """Keep a second build out of the same folder. The lock ends with its process, even killed."""
    out.mkdir(parents=True, exist_ok=True)
    try:
        lock = sqlite3.connect(out / site.LOCK, timeout=0, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise BuildError(f"{out}: another build is writing there; wait until it ends") from None
        raise BuildError(f"{out}: cannot be written to ({error})") from None
    with closing(lock):
        yield


def _prune(cache: Path, used: set[Path]) -> None:
    """Drop what the finished build did not need."""
    for place in set(cache.iterdir()) - used:
        if KEY.fullmatch(place.name):
            shutil.rmtree(place, ignore_errors=True)
