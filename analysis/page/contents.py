"""The pages of the book, as its table of contents lists them, and what they are called."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ..dataset.definitions import Definition
from ..dataset.model import ROOT, Dataset

BOOK = ROOT / "book"
TOC = "_toc.yml"


@dataclass(frozen=True)
class Place:
    """A page in the book of a dataset: its name there, its file in `book/`, and its heading.

    `endpoint` is the one that it asks, of a notebook that asks any.
    """

    name: str
    path: Path
    title: str
    endpoint: str = ""


def places(dataset: Dataset) -> list[Place]:
    """The pages of a dataset's book: those of the table of contents, and a curve each endpoint's.

    A notebook of curves says in its metadata `asks` whether it asks for survival or for incidence.
    Where the first of them stands, the pages of all endpoints come, in the order of the dataset.
    """
    asking = {asks(path): path for path in pages() if asks(path)}
    curves = [_curve(plan, asking) for plan in dataset.endpoints.values()]
    found: list[Place] = []
    for path in pages():
        if not asks(path):
            found.append(Place(path.stem, path, title(path)))
        elif curves[0] not in found:
            found += curves
    return found


def _curve(plan: Definition, asking: dict[str, Path]) -> Place:
    path = asking["incidence" if plan.competing else "survival"]
    return Place(plan.page, path, plan.heading, plan.name)


def asks(page: Path) -> str:
    """What a notebook of curves asks an endpoint for, `survival` or `incidence`, or nothing."""
    if page.suffix != ".ipynb":
        return ""
    return json.loads(page.read_text("utf-8"))["metadata"].get("asks", "")


def pages() -> list[Path]:
    """The files of the table of contents, in its order; one that is not there is passed over."""
    names = _names(yaml.safe_load((BOOK / TOC).read_text("utf-8")))
    stems = [name.removesuffix(".ipynb") for name in names]
    paths = (BOOK / f"{stem}{end}" for stem in stems for end in (".ipynb", ".md"))
    return [path for path in paths if path.exists()]


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
