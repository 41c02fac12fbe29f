"""What a shelf says of a book, as the book's first page writes it: all of it from its own run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ..dataset.model import Dataset
from ..page.formats import at_time
from ..page.prose import Prose
from ..page.provenance import studied
from ..page.units import unit_of
from .scorecard import scorecard, totals

ENTRY = "book.json"  # among the results of a book


def write_entry(
    dataset: Dataset,
    made: Mapping[str, pd.DataFrame],
    found: Prose | None,
    title: str,
    words: str,
    curves: Mapping[str, pd.Series],
    folder: str | Path,
) -> None:
    """Write folder/book.json, the book in a line of books.json.

    `made` are the results of its pages, by name. `found` is what it found in a sentence. The
    `title` is of its `curves`, shares by month by what each is called; `words` say what they show.
    """
    drawn = {name: curve for name, curve in curves.items() if len(curve)}
    end = max((curve.index[-1] for curve in drawn.values()), default=0)
    unit = unit_of(dataset.settings).months
    told = {
        "title": dataset.title,
        "patients": dataset.size,
        **studied(dataset),
        "data": _whose(dataset),
        "description": re.split(r"(?<=[.?!])\s", dataset.description, maxsplit=1)[0],
        "found": found.plain.replace("**", "") if found else "",
        "drawing": {"title": title, "words": words, "end": at_time(round(end / unit) * unit)},
        "curves": [_steps(name, curve) for name, curve in drawn.items()],
        "print": None if dataset.published.empty else _against_print(dataset, made),
        "lessons": sum(name.startswith("lesson_") for name in made),
    }
    Path(folder, ENTRY).write_text(json.dumps(told, ensure_ascii=False), "utf-8")


def _steps(name: str, curve: pd.Series) -> dict[str, Any]:
    """A curve where it steps, and its end; a thousandth is as fine as a small drawing shows."""
    curve = curve.round(3)
    kept = curve[curve.diff().ne(0) | (curve.index == curve.index[-1])]
    return {"name": name, "months": kept.index.tolist(), "shares": kept.tolist()}


def _whose(dataset: Dataset) -> str:
    """Whether the patients are `synthetic`, in data that are `public`, or `private`."""
    if dataset.settings.synthetic:
        return "synthetic"
    return "public" if dataset.public else "private"


def _against_print(dataset: Dataset, made: Mapping[str, pd.DataFrame]) -> dict[str, int]:
    """How many numbers are printed, come out, come out as they were fitted, and lack their data."""
    counts = totals(scorecard(dataset, made)).set_index(["quantity", "group"])["estimate"]
    asked = {"printed": ("printed_numbers", "all"), "matched": ("matched_numbers", "all"),
             "fitted": ("matched_numbers", "calibrated"),
             "unavailable": ("printed_numbers", "unavailable")}  # fmt: skip
    return {name: int(counts.get(key, 0)) for name, key in asked.items()}
