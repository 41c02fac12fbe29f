"""The pages of the book, as its table of contents lists them, and what they are called."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from ..dataset.model import ROOT

BOOK = ROOT / "book"
TOC = "_toc.yml"


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
