"""The pages of the book, as its table of contents lists them, and what they are called."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..dataset.model import ROOT, Dataset

BOOK = ROOT / "book"
TOC = "_toc.yml"


@dataclass(frozen=True)
class Place:
    """A page in the book of a dataset: its name there, its file in `book/`, and its heading.

    `endpoint` is the one, or the table of events, that it asks, of a notebook that asks any.
    """

    name: str
    path: Path
    title: str
    endpoint: str = ""


def places(dataset: Dataset) -> list[Place]:
    """The pages of a dataset's book: those of the table of contents, and a curve each endpoint's.

    A notebook of curves says in its metadata `asks` whether it asks for survival, for incidence or
    for events that come again, which is `recurrent`. Where the first of them stands, the pages of
    all endpoints come, in the order of the dataset, and then those of its tables of events.
    """
    asking = {asks(path): path for path in pages() if asks(path)}
    declared = [*dataset.endpoints.values(), *dataset.recurrent.values()]
    plans = [(plan, asking.get(plan.kind)) for plan in declared]
    curves = [Place(plan.page, path, plan.heading, plan.name) for plan, path in plans if path]
    found: list[Place] = []
    for path in pages():
        if not asks(path):
            found.append(Place(path.stem, path, title(path)))
        else:
            found, curves = [*found, *curves], []
    return found


def table_of(kept: list[Place]) -> str:
    """The table of contents of a book that has these pages only, as YAML."""
    names: dict[Path, list[str]] = {}
    for place in kept:
        if not place.endpoint:
            names[place.path] = [place.name]
    curves = [place.name for place in kept if place.endpoint]
    table = yaml.safe_load((BOOK / TOC).read_text("utf-8"))
    for part in table.get("parts", [table]):
        chapters = []
        for path in (_file(chapter["file"]) for chapter in part["chapters"]):
            if asks(path):
                chapters, curves = [*chapters, *curves], []
            chapters += names.get(path, [])
        part["chapters"] = [{"file": name} for name in chapters]
    if "parts" in table:
        table["parts"] = [part for part in table["parts"] if part["chapters"]]
    return yaml.safe_dump(table, allow_unicode=True, sort_keys=False)


def asks(page: Path) -> str:
    """What a notebook of curves asks for, `survival`, `incidence` or `recurrent`, or nothing."""
    if page.suffix != ".ipynb":
        return ""
    return json.loads(page.read_text("utf-8"))["metadata"].get("asks", "")


def pages() -> list[Path]:
    """The files of the table of contents, in its order; one that is not there is passed over."""
    names = _names(yaml.safe_load((BOOK / TOC).read_text("utf-8")))
    return [path for path in map(_file, names) if path.exists()]


def _file(name: str) -> Path:
    """The file of a page, whose name may have its ending or not."""
    path = BOOK / f"{name.removesuffix('.ipynb')}.ipynb"
    return path if path.exists() else path.with_suffix(".md")


def _names(entry: Any) -> Iterator[str]:
    if isinstance(entry, dict):
        yield from (entry[key] for key in ("root", "file") if key in entry)
        entry = list(entry.values())
    for part in entry if isinstance(entry, list) else []:
        yield from _names(part)


def title(page: Path) -> str:
    """The heading of a page, `Figure 1A. Overall survival`."""
    text = page.read_text("utf-8")
    if page.suffix == ".ipynb":
        text = "".join(json.loads(text)["cells"][0]["source"])
    heads = (line.removeprefix("# ") for line in text.splitlines() if line.startswith("# "))
    return next(heads, page.stem)
