"""From notebooks to a site: run them, build the pages, swap the finished site in.

Whatever takes time is made once, in OUT/cache/KEY/, where the key is a hash of all it depends on:
an executed notebook with its results, or the pages of one book. Such a folder appears there only
when it is complete, so a build that is killed leaves nothing half made.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import shutil
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ..course.exercises import PREFIX
from ..course.launch import of_repository
from ..course.quizzes import QUIZZES
from ..course.worked import FROZEN, SCRIPTS
from ..dataset.model import ROOT, keep, load, require_factor
from ..page import contents
from ..page.contents import BOOK, TOC, Place
from ..page.provenance import authors, provenance, revision, source, studied
from ..page.rows import read
from ..printed.badge import FILE as BADGE
from ..printed.badge import badge
from . import front
from . import pages as site
from .folds import folded, is_in_parts
from .pages import BuildError
from .preview import preview, preview_alt
from .running import Crew, Run, kernels_of_one, once, run_all, threads

PAPER = ROOT / "data" / "blinatumomab"
# The datasets whose books stand together. Of those that are not taught the lessons, which take
# longer than all else of a book, are made when they are asked for.
SHELF = (PAPER.name, "bmt", "myeloid", "mgus", "mgus2", "colon", "cgd")
TAUGHT = SHELF[:3]
REFERENCE = ROOT / "tests" / "reference"
# Folders of the repository, in which nothing is built: what is there is read, or kept.
OURS = ("analysis", "binder", "book", "data", "docs", "exercises", "tests", ".git", ".venv")
WHOLE_FROM = {"seed": 0, "draws": 1, "resamples": 1}  # parameters that are whole numbers
WORKSHOP = "workshop"  # beside pages: the name of the folder in which Sphinx made them
KEY = re.compile(r"[0-9a-f]{32}(\.([0-9a-f]+\.)?new)?")  # the names of what lies in the cache


@dataclass(frozen=True)
class Book:
    """The book of one dataset. `slug` is its folder within the site, "" for the site's root.

    It knows of the dataset what planning asks, and holds none of its patients.
    """

    slug: str
    folder: Path
    title: str = ""
    patients: int = 0
    places: tuple[Place, ...] = ()

    @property
    def shown(self) -> str:
        """The dataset's folder as a page may name it: never where it lies on this machine.

        What was folded into the cache has its own name.
        """
        if self.folder.is_relative_to(ROOT) and not KEY.fullmatch(self.folder.parent.name):
            return self.folder.relative_to(ROOT).as_posix()
        return self.folder.name


def build(
    folder: Path | None, out: Path, parameters: dict[str, Any], every_lesson: bool = False
) -> tuple[int, int, int]:
    """Make OUT/html and OUT/results; returns how many notebooks ran and did not, and of books.

    `folder` is a dataset's, or None for the paper's book with the books of the other shipped
    datasets under it, some without lessons unless `every_lesson` is made. Raises DataError or
    BuildError; html and results then stay as they were.
    """
    if folder and is_in_parts(folder):
        require_place(out)
        with threads() as pool:
            folder = folded(folder, out / "cache", code_digest(), pool)
    folders = [folder] if folder else shipped()
    taught = folders if folder or every_lesson else shipped(TAUGHT)
    books = [
        opened(at.name if place else "", at, parameters, at in taught)
        for place, at in enumerate(folders)
    ]
    chosen = parameters_by_notebook(parameters)
    require_factor([load(book.folder) for book in books], parameters.get("factor"))
    require_place(out)
    with locked(out), threads() as pool, kernels_of_one(folders) as kernels:
        crew = Crew(pool, kernels)
        made = build_books(books, chosen, parameters, out / "cache", code_digest(), crew)
        site.publish(made.pages, made.results, out, made.front)
        prune(out / "cache", {*made.used, *(book.folder.parent for book in books)})
    return made.ran, made.of - made.ran, len(books)


@dataclass(frozen=True)
class Made:
    """What came of books: by their slugs their pages and folders of results, in the cache.

    `used` is all that they need there; of so many notebooks so many `ran`, that were not there.
    `front` are files of the site's root, by their names.
    """

    pages: dict[str, Path]
    results: dict[str, list[Path]]
    used: set[Path]
    of: int
    ran: int
    front: dict[str, str] = field(default_factory=dict)


def build_books(
    books: list[Book],
    chosen: dict[Path, dict[str, Any]],
    parameters: dict[str, Any],
    cache: Path,
    code: str,
    crew: Crew,
) -> Made:
    """Fill the cache with what these books need, which lead to each other.

    `chosen` are the parameters of each notebook, `code` is `code_digest()`. Raises DataError or
    BuildError.
    """
    runs, ran = _run_rounds(books, chosen, cache, code, crew)
    results = {slug: [run.place / "results" for run in of] for slug, of in runs.items()}
    told = [front.entry(b.slug, b.title, b.patients, results[b.slug]) for b in books]
    told = told if len(told) > 1 else []  # one book is no shelf
    cards = front.shown(told, alone=False) if told else ""
    pages = _build_pages(books, runs, cards, parameters, cache, code, crew)
    places = {run.place for of in runs.values() for run in of}
    html = {slug: place / "html" for slug, place in pages.items()}
    shops = (cache / (place / WORKSHOP).read_text() for place in pages.values())
    listed = {front.LIST: front.as_json(told)} if told else {}
    return Made(html, results, {*pages.values(), *shops, *places}, len(places), ran, listed)


def shipped(names: Iterable[str] = SHELF) -> list[Path]:
    """Folders of the datasets whose books stand together, the paper's first."""
    folders = (PAPER.with_name(name) for name in names)
    return [folder for folder in folders if folder.is_dir()]


def opened(slug: str, folder: Path, parameters: dict[str, Any], taught: bool = True) -> Book:
    """The book of a dataset that can be built, with its lessons where it is `taught`.

    Raises DataError or BuildError.

    This process then knows the dataset, and reads it only once.
    """
    mask_below = parameters.get("mask_below", 0)
    keep(folder)
    dataset = load(folder, mask_below, folded=True)
    places = (place for place in contents.places(dataset) if taught or not _teaches(place.name))
    book = Book(slug, folder, dataset.title, dataset.size, tuple(places))
    if book.patients < mask_below:
        few = f"fewer patients than mask_below = {mask_below}; no page could show a number"
        raise BuildError(f"{book.shown}: {few}")
    dataset.compared(parameters.get("by"))
    return book


def _teaches(name: str) -> bool:
    """Whether a page is a lesson or leads to them."""
    return name in ("lessons", "teaching") or name.startswith(PREFIX)


# --- what to run -------------------------------------------------------------------------------


def notebooks() -> list[Path]:
    """The notebooks of the table of contents, in its order."""
    return [path for path in contents.pages() if path.suffix == ".ipynb"]


def parameters_by_notebook(parameters: dict[str, Any]) -> dict[Path, dict[str, Any]]:
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
    return [folder for folder in shipped() if f"data/{folder.name}" in code]


def _read_by(code: str) -> Iterator[str]:
    """Digests of what such code reads besides data: R's values, and the texts of the book."""
    if REFERENCE.relative_to(ROOT).as_posix() in code:
        yield _files_digest(REFERENCE, REFERENCE.rglob("*.csv"))
    if "analysis.sharing" in code:  # it fills them in, and names pages by their titles
        texts = (path for path in BOOK.iterdir() if path.suffix in (".yaml", ".jinja"))
        yield _digest(_files_digest(BOOK, texts), *map(contents.title, contents.pages()))
    if "course.quiz(" in code:
        yield _files_digest(BOOK, [QUIZZES])
    for lesson in re.findall(r"course\.worked\(page, (\d+),", code):
        scripts = SCRIPTS.glob(f"lesson_{int(lesson):02}.*")
        yield _files_digest(ROOT, [*scripts, FROZEN])


def _code_of(notebook: Path) -> str:
    """The code of all cells but the parameters."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    own = (cell for cell in cells if "parameters" not in cell["metadata"].get("tags", []))
    return "".join(line for cell in own if cell["cell_type"] == "code" for line in cell["source"])


def code_digest() -> str:
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
    stats = ((path, path.stat()) for path in sorted(paths))
    named = (
        (path.relative_to(base).as_posix(), _file_digest(path, stat.st_mtime_ns, stat.st_size))
        for path, stat in stats
    )
    return _digest(*(part for pair in named for part in pair))


@functools.cache
def _file_digest(path: Path, *_: int) -> str:
    """Of a file in one state: a million patients are not read again for each page."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(*parts: str | bytes) -> str:
    """One hash of all parts, each hashed by itself first, so that their borders count."""
    total = hashlib.sha256()
    for part in parts:
        total.update(hashlib.sha256(part.encode() if isinstance(part, str) else part).digest())
    return total.hexdigest()[:32]


def _run_rounds(
    books: list[Book],
    chosen: dict[Path, dict[str, Any]],
    cache: Path,
    code: str,
    crew: Crew,
) -> tuple[dict[str, list[Run]], int]:
    """Each book's runs by its slug, in the order of its pages, and how many were not in the cache.

    First the notebooks that know no other; then those that read what these have found.
    """
    runs: dict[str, list[Run]] = {book.slug: [] for book in books}
    ran = 0
    for reading in (False, True):
        plans = [
            crew.pool.submit(_planned, book, reading, chosen, cache, code, runs[book.slug])
            for book in books
        ]
        planned = [plan.result() for plan in plans]
        every = [run for of in planned for run in of]
        # The longest first, or one of them would be the last, alone.
        every.sort(key=lambda run: len(_code_of(run.page.path)), reverse=True)
        ran += run_all(every, crew)
        for book, of in zip(books, planned, strict=True):
            runs[book.slug] += of
    for book in books:
        runs[book.slug].sort(key=lambda run, book=book: book.places.index(run.page))
    return runs, ran


def _planned(
    book: Book,
    reading: bool,
    chosen: dict[Path, dict[str, Any]],
    cache: Path,
    code: str,
    found: list[Run],
) -> list[Run]:
    """Of a book the notebooks that read what others have `found`, or those that do not."""
    asked = [page for page in book.places if page.path.suffix == ".ipynb"]
    folders = [run.place / "results" for run in found]
    others = tuple(path for folder in folders for path in sorted(folder.glob("*.csv")))
    now = [page for page in asked if reads_others(page.path) is reading]
    return [_plan(book, page, chosen, cache, code, others) for page in now]


# --- the pages ---------------------------------------------------------------------------------


def _build_pages(
    books: list[Book],
    runs: dict[str, list[Run]],
    cards: str,
    parameters: dict[str, Any],
    cache: Path,
    code: str,
    crew: Crew,
) -> dict[str, Path]:
    """Each book's folder of the cache, by slug; its pages are in html/.

    The first page of the root's book has the `cards` of all.
    """
    filled = {slug: [run for run in of if run.filled] for slug, of in runs.items()}
    kept = {
        book.slug: [
            *(run.page for run in filled[book.slug]),
            *(page for page in book.places if page.path.suffix == ".md"),
        ]
        for book in books
    }
    shelf = {book.slug: (book.title, [page.name for page in kept[book.slug]]) for book in books}
    pages = [
        crew.pool.submit(
            _pages_of,
            book,
            filled[book.slug],
            kept[book.slug],
            shelf,
            "" if book.slug else cards,
            parameters,
            cache,
            code,
        )
        for book in books
    ]
    return {book.slug: made.result() for book, made in zip(books, pages, strict=True)}


def _pages_of(
    book: Book,
    filled: list[Run],
    kept: list[Place],
    shelf: dict[str, tuple[str, list[str]]],
    cards: str,
    parameters: dict[str, Any],
    cache: Path,
    code: str,
) -> Path:
    """The folder of the cache with the pages of one book, of what its notebooks have `filled`."""
    config = configured(book, shelf, parameters)
    executed = [run.executed for run in filled]
    sources = _files_digest(BOOK, site.sources())
    key = _digest(config, sources, code, cards, *(path.parent.name for path in executed))
    of_root = shelf.get("", ("", []))[1]
    elsewhere = {name for name in of_root if _teaches(name)} - {page.name for page in kept}

    def write(folder: Path) -> None:
        from ..course.learner import patients_of  # slow to import, and not needed again

        dataset = load(book.folder, parameters.get("mask_below", 0), folded=True)
        picture = preview(dataset, executed)
        shared = dataset.public and not dataset.mask_below
        patients = patients_of(book.folder, book.shown, shared, revision(ROOT))
        made = site.write_pages(
            folder, config, kept, executed, picture, patients, book.shown, cache, cards, elsewhere
        )
        (folder / WORKSHOP).write_text(made.name)
        for run in (run for run in filled if run.page.name == "scorecard"):
            if drawn := badge(dataset, read(run.place / "results")["scorecard"]):
                (folder / "html" / BADGE).write_text(drawn, "utf-8")

    return once(cache / key, write)


def configured(
    book: Book, shelf: dict[str, tuple[str, list[str]]], parameters: dict[str, Any]
) -> str:
    """The configuration of a book beside the others of a `shelf`, see `site.configuration`."""
    dataset = load(book.folder, parameters.get("mask_below", 0), folded=True)
    context = {
        **studied(dataset),
        "printed": not dataset.published.empty,
        "provenance": provenance(dataset, book.folder, parameters),
        "book": dataset.name,
        "source": source(dataset, book.folder),
        "preview_alt": preview_alt(dataset),
        "abbreviations": dict(dataset.settings.abbreviations),
        "exercises": of_repository(book.shown),
        "paper": book.folder == PAPER,
        "made_by": {p.name: p.path.name for p in book.places if p.endpoint},
    }
    whose = authors(dataset, book.folder)
    return site.configuration(dataset.title, whose, book.slug, shelf, context)


# --- files -------------------------------------------------------------------------------------


def require_place(out: Path) -> None:
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
def locked(out: Path) -> Iterator[None]:
    """Keep a second build out of the same folder, whose last good site is put back if need be.

    The lock ends with its process, even killed.
    """
    out.mkdir(parents=True, exist_ok=True)
    try:
        lock = sqlite3.connect(out / site.LOCK, timeout=0, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise BuildError(f"{out}: another build is writing there; wait until it ends") from None
        raise BuildError(f"{out}: cannot be written to ({error})") from None
    with closing(lock):
        site.require_ours(out)
        site.recover(out)
        yield


def prune(cache: Path, used: set[Path]) -> None:
    """Drop what the finished build did not need."""
    for place in set(cache.iterdir()) - used:
        if KEY.fullmatch(place.name):
            shutil.rmtree(place, ignore_errors=True)
