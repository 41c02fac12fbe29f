"""The rows of a file that are imported: those that meet every condition of `rows`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pandas as pd

from ..dataset.cells import numbers
from ..dataset.problems import DataError, Problem, listed, raise_any
from .adam import Times
from .dates import looks_like_date
from .folding import folded, patients, several
from .mapping import OPEN, Mapping, absent, at, broken, columns_of, in_line, reads_dates
from .repeated import often_repeated, several_rows
from .source import Source
from .words import counted, sentence

AsDate = Callable[[str], date | None]


def chosen(source: Source, mapping: Mapping) -> tuple[Source, list[str]]:
    """The file with the rows that are asked for, and a line on those that each leaves out.

    Raises DataError where a cell cannot be compared, or where no row is left.
    """
    conditions, text, notes = mapping.told.get("rows", []), source.text, []
    raise_any(broken(conditions, "rows"))
    for condition in conditions:
        raise_any(absent(source, columns_of(condition), "rows"))
        cells = first_filled(text, columns_of(condition))
        kept, words = pd.Series(True, index=text.index), []
        for key in condition.keys() - {"column"}:
            read = reads_dates(mapping.told)
            met, said = _met(source.file, text, cells, key, condition[key], read)
            kept &= met
            words.append(f"{cells.name} is {said}")
        if count := int((~kept).sum()):
            notes.append(f"left out {counted(count, 'row')}, in which {' or '.join(sorted(words))}")
        text = text[kept]
    if text.empty:
        raise DataError([at("rows", f"no row of {source.file} meets the conditions")])
    source = dataclasses.replace(source, text=text)
    if fold := mapping.told.get("fold"):
        raise_any(broken(fold, "fold"))
        source, more = folded(source, fold, patients(source, mapping.told))
        notes += more
    return source, notes


def first_filled(text: pd.DataFrame, columns: list[str]) -> pd.Series:
    """The cells of a column, or of the first of several that is not blank."""
    cells = text[columns[0]]
    for column in columns[1:]:
        cells = cells.where(cells != "", text[column])
    return cells.rename(", ".join(columns))


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
        return (cells == "") == wanted, f"{'not ' * wanted}blank"
    limits = text[value] if value in text else pd.Series(value, index=text.index)
    dates = limits.map(looks_like_date).any()
    what = "a date" if dates else "a number, with a point for decimals"
    found, limit = (one.map(as_date) if dates else numbers(one) for one in (cells, limits))
    raise_any(listed(cells, (cells != "") & found.isna(), what, file))
    known, met = ~(found.isna() | limit.isna()), pd.Series(False, index=text.index)
    pairs = zip(found[known], limit[known], strict=True)
    met[known] = [a >= b if key == "at_least" else a <= b for a, b in pairs]
    words = ("before", "after") if dates else ("below", "above")
    blank = "" if known.all() else ", or blank"
    return met, f"{words[key == 'at_most']} {value}{blank}"


def questions(source: Source, times: Times | None, mapping: Mapping) -> list[Problem | str]:
    """The open questions of a mapping, and with them which rows may be wrong."""
    asked, conditions = list(mapping.questions()), mapping.told.get("rows")
    conditions = conditions if isinstance(conditions, list) else []
    fold = mapping.told.get("fold")
    if isinstance(fold, dict) and OPEN in fold.values():
        return [several(source, fold, patients(source, mapping.told)), *asked]
    if any(isinstance(one, dict) and OPEN in one.values() for one in conditions):
        return asked  # which rows are meant comes before all else
    source, _ = chosen(source, mapping)
    mended = [*without_follow_up(source, mapping), *_unpaired(source, times, mapping)]
    return [*_repeated(source, mapping), *asked, *(mended if asked else ())]


def _unpaired(source: Source, times: Times | None, mapping: Mapping) -> list[Problem]:
    """Patients without a record of their survival in ADTTE, or with several."""
    code = mapping.reserved("last_contact_day").get("paramcd", OPEN)
    ids = [c for c in columns_of(mapping.reserved("patient_id"))[:1] if c in source.text]
    known = times is not None and code != OPEN and ids
    return times.unpaired(code, source.text[ids[0]]) if known else []


def _repeated(source: Source, mapping: Mapping) -> Iterator[Problem | str]:
    """Patients with several rows, which are not merged: a slip, or a file of another shape."""
    for column in columns_of(mapping.reserved("patient_id"))[:1]:
        if column in source.text:
            cells = source[column].filled
            if often_repeated(source, column):
                yield several_rows(source, column)
            else:
                unique = "a value that no other row has"
                yield from listed(cells, cells.duplicated(), unique, source.file)


def without_follow_up(source: Source, mapping: Mapping) -> Iterator[Problem]:
    """The way out where the last contact is blank or negative."""
    columns = columns_of(mapping.reserved("last_contact_day"))
    if not columns or not set(columns) <= set(source.text):
        return
    cells = first_filled(source.text, columns)
    negative = int((numbers(cells) < 0).sum())
    counts = {"blank": int((cells == "").sum()), "negative": negative}
    found = [f"{word} in {counted(count, 'row')}" for word, count in counts.items() if count]
    if found:
        where = in_line(columns[0] if len(columns) == 1 else columns)
        out = f"column: {where}, {'at_least: 0' if negative else 'blank: no'}"
        expected = sentence("no_follow_up", found=" and ".join(found), out=out)
        yield Problem(source.file, column=str(cells.name), expected=expected)
