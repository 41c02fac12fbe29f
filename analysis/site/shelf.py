"""A shelf of equal books: each in a folder of its own, with a page that lists them all.

They know nothing of each other, so that each can be built, or fail, by itself.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import dask
from distributed import KilledWorker

from ..dataset.model import keep, load, require_factor
from ..dataset.problems import DataError, of_system
from . import front
from .build import (
    Book,
    Made,
    build_books,
    code_digest,
    locked,
    opened,
    parameters_by_notebook,
    prune,
    require_place,
)
from .cluster import workers
from .folds import folded
from .pages import BuildError, publish

IN_HAND = 64  # books that are begun and not done: work for that many workers, and more to come


def make_books(
    folders: list[Path], out: Path, parameters: dict[str, Any], scheduler: str = ""
) -> tuple[int, int]:
    """Make OUT/html and OUT/results, with a folder a book; returns how many were built, and failed.

    Each of the `folders` is a dataset or holds some. A line tells of each book that is done, on
    stdout, or failed, on stderr; of one that failed the shelf keeps what it had. Raises BuildError
    where none can begin.
    """
    chosen = parameters_by_notebook(parameters)
    datasets = _by_name(folders)
    require_place(out)
    done: dict[str, tuple[Book, Made]] = {}
    with locked(out), workers(scheduler, out / "cache") as crew:
        code = code_digest()

        def one(place: int, name: str) -> tuple[Book, Made]:
            with dask.annotate(priority=-place):  # what is begun is ended before more begins
                folder = folded(datasets[name], out / "cache", code, crew.pool)
                book = crew.pool.submit(_opened, name, folder, parameters).result()
                made = build_books([book], chosen, parameters, out / "cache", code, crew)
            return book, replace(made, used={*made.used, folder.parent})

        for number, (name, future) in enumerate(_each(one, list(datasets)), 1):
            at = f"[{number}/{len(datasets)}] {name}"
            try:
                done[name] = future.result()
            except Exception as error:  # whatever is wrong with one, the others go on
                print(f"{at} failed: {_reason(error)}", file=sys.stderr, flush=True)
            else:
                print(f"{at}: {done[name][0].patients:,} patients", flush=True)
        _shelve(done, datasets, out)
    return len(done), len(datasets) - len(done)


def _each(one: Callable[[int, str], Any], names: list[str]) -> Iterator[tuple[str, Future]]:
    """What came of each name, as it comes.

    Of workers that die again and again Dask blames all that waited there. Each of these is tried
    once more by itself, so that only the one that kills them fails.
    """
    blamed = []
    with ThreadPoolExecutor(IN_HAND) as hands:
        begun = {hands.submit(one, *numbered): numbered[1] for numbered in enumerate(names)}
        for future in as_completed(begun):
            if isinstance(future.exception(), KilledWorker):
                blamed.append(begun[future])
            else:
                yield begun[future], future
        for name in blamed:
            wait([future := hands.submit(one, 0, name)])
            yield name, future


def _by_name(folders: Iterable[Path]) -> dict[str, Path]:
    """The datasets of these folders by the names of their books. Raises BuildError."""
    found: dict[str, Path] = {}
    for folder in dict.fromkeys(folders):
        within = sorted(path.parent for path in folder.glob("*/datapackage.json"))
        # One that is no dataset is found out later, as its own failure.
        for dataset in [folder] if (folder / "datapackage.json").exists() else within or [folder]:
            if found.setdefault(dataset.name, dataset) != dataset:
                both = f"{found[dataset.name]} and {dataset}"
                raise BuildError(f"{both} have the same name, which is that of their book")
    return found


def _opened(name: str, folder: Path, parameters: dict[str, Any]) -> Book:
    """As `opened`, in a worker, which knows one dataset at a time."""
    with suppress(DataError):  # what is wrong with it is said below
        keep(folder, alone=True)
    book = opened(name, folder, parameters)
    require_factor([load(folder)], parameters.get("factor"))
    return book


def _reason(error: Exception) -> str:
    """What went wrong, in one line."""
    if isinstance(error, OSError):
        return of_system(error)
    if isinstance(error, KilledWorker):
        return "the workers that ran one of its notebooks died; they may be short of memory"
    first, *more = str(error).splitlines() or [""]
    ours = isinstance(error, DataError | BuildError)
    said = first if ours else f"{type(error).__name__}: {first}"
    return f"{said} (and {len(more)} more)" if more and ours else said


def _shelve(done: dict[str, tuple[Book, Made]], datasets: Iterable[str], out: Path) -> None:
    """Exchange the shelf for one with the books that are done, and of the failed what was there.

    It says which failed.
    """
    before = {}
    with suppress(OSError, ValueError):  # there may be none
        listed = json.loads((out / "html" / front.LIST).read_text("utf-8"))
        before = {book["folder"]: book for book in listed if not book.get("failed")}
    pages, results, listed = {}, {}, []
    for name in datasets:
        if name in done:
            book, made = done[name]
            pages |= made.pages
            results |= made.results
            listed.append(front.entry(name, book.title, book.patients, made.results[name]))
        elif name in before:
            pages[name], results[name] = out / "html" / name, [out / "results" / name]
            listed.append(before[name] | {"earlier": True})
        else:
            listed.append({"folder": name, "title": name, "failed": True})
    if not done:
        return
    page = {"index.html": front.shown(listed, alone=True), front.LIST: front.as_json(listed)}
    publish(pages, results, out, page)
    if all(name in done for name in datasets):  # else what is there is of use to the failed
        prune(out / "cache", set().union(*(made.used for _, made in done.values())))
