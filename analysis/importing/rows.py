"""The rows of a file that are imported: those that meet every condition of `rows`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import date
from typing import Any

import pandas as pd

from ..dataset.problems import DataError, raise_any
from .dates import looks_like_date
from .files import Source
from .missing import NUMBER

AsDate = Callable[[str], date | None]


def chosen(
    source: Source, conditions: list[dict[str, Any]], as_date: AsDate
) -> tuple[Source, list[str]]:
    """The file with the rows that are asked for, and a line on those that each leaves out.

    Raises DataError where a cell cannot be compared, or where no row is left.
    """
    text, notes = source.text, []
    for condition in conditions:
        cells = first_filled(text, condition["column"])
        kept, words = pd.Series(True, index=text.index), []
        for key in condition.keys() - {"column"}:
            met, said = _met(source.file, text, cells, key, condition[key], as_date)
            kept &= met
            words.append(f"{cells.name} is {said}")
        count = int((~kept).sum())
        if count:
            rows = "1 row" if count == 1 else f"{count} rows"
            notes.append(f"left out {rows}, in which {' or '.join(sorted(words))}")
        text = text[kept]
    if text.empty:
        raise DataError([f"import.yaml, rows: no row of {source.file} meets the conditions"])
    return dataclasses.replace(source, text=text), notes


def first_filled(text: pd.DataFrame, columns: str | list[str]) -> pd.Series:
    """The cells of a column, or of the first of several that is not blank."""
    first, *others = [columns] if isinstance(columns, str) else columns
    cells = text[first]
    for column in others:
        cells = cells.where(cells != "", text[column])
    return cells.rename(", ".join([first, *others]))


def _met(
    file: str, text: pd.DataFrame, cells: pd.Series, key: str, value: Any, as_date: AsDate
) -> tuple[pd.Series, str]:
    """Which rows meet one part of a condition, and in words what the others are."""
    if key == "values":
        return cells.isin(value), f"none of {', '.join(one or 'blank' for one in value)}"
    if key == "not":
        return ~cells.isin(value), " or ".join(one or "blank" for one in value)
    if key == "blank":
        wanted = value in ("yes", "true")
        return (cells == "") == wanted, "not blank" if wanted else "blank"
    limits = text[value] if value in text else pd.Series(value, index=text.index)
    dates = limits.map(looks_like_date).any()
    read, what = (as_date, "a date") if dates else (_number, "a number, with a point for decimals")
    found, limit = cells.map(read), limits.map(read)
    raise_any(
        f'{file}, row {row}, column {cells.name}: found "{cells[row]}", expected {what}'
        for row in cells.index[(cells != "") & found.isna()]
    )
    pairs = zip(found, limit, strict=True)
    sides = [(a - b).days if dates else a - b for a, b in pairs if not (pd.isna(a) or pd.isna(b))]
    met = pd.Series(False, index=text.index)
    known = ~(found.isna() | limit.isna())
    met[known] = [side >= 0 if key == "at_least" else side <= 0 for side in sides]
    words = ("before", "after") if dates else ("below", "above")
    blank = "" if known.all() else ", or blank"
    return met, f"{words[key == 'at_most']} {value}{blank}"


def _number(text: str) -> float | None:
    return float(text) if NUMBER.fullmatch(text) else None
