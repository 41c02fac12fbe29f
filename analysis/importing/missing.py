"""Codes for missing: cells that are left blank, and values that only look like such a code.

What a code is in one file is a value in another: NA is North America, 9 a number of nodes. So
only the words below are left blank unasked, and they are counted; all others are questions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

import pandas as pd

from ..dataset.cells import NUMBER
from .dates import UNITS, looks_like_date
from .source import Source
from .words import PATTERNS, WORDS

_SINGLE, _DOUBLE = (9, 8, 7), (99, 98, 97, 88, 77)
_LARGE = (999, 998, 997, 888, 777, 9999, 9998, 8888, 7777, 99999, 999999, 99.9, 999.9)
_NEGATIVE = {-float(code) for code in (1, *_SINGLE, *_DOUBLE, *_LARGE)}
LEAST_OTHERS = 3  # with fewer cells beside it, nothing can be said of a value but of nines
MANY_OTHERS = 10  # with fewer, a number that is hardly larger than all others may be a value


def blank(
    text: pd.DataFrame, everywhere: Iterable[str], own: Mapping[str, Iterable[str]]
) -> tuple[pd.DataFrame, dict[str, pd.Series]]:
    """The table without its codes, and what was left blank: by column, the codes by their rows.

    `everywhere` holds for all columns but those with codes of their `own`.
    """
    everywhere, columns, blanked = list(everywhere), {}, {}
    for place, name in enumerate(text.columns):
        column = text.iloc[:, place]
        codes = list(own.get(name, everywhere))
        found = column.isin(codes)
        if values := {_value(code) for code in codes} - {None}:
            found |= column.map(_value).isin(values)
        found &= column != ""
        if found.any():
            blanked[name] = column[found]
        columns[place] = column.mask(found, "")
    table = pd.DataFrame(columns, index=text.index, dtype=object)
    return table.set_axis(text.columns, axis=1), blanked


def says_missing(text: str) -> bool:
    """True for a word that stands for no value among numbers."""
    word = text in WORDS["missing"] or text in WORDS["errors"]
    return word or bool(PATTERNS["no_values"].fullmatch(text))


def _value(text: str) -> float | None:
    pointed = text.replace(",", ".")
    return float(pointed) if NUMBER.fullmatch(pointed) else None


def suspects(cells: pd.Series, alike: Iterable[str] = ()) -> list[str]:
    """Values of the filled `cells` that look like codes for missing, the most frequent first.

    `alike` are cells of other columns that count in the same unit, to which these may reach.
    """
    counts = cells.value_counts()
    values = {text: float(text) for text in counts.index if NUMBER.fullmatch(text)}
    rest = [text for text in counts.index if text not in values]
    errors = [text for text in rest if text in WORDS["errors"]]
    words = [text for text in rest if PATTERNS["no_values"].fullmatch(text) or text in errors]
    dates = [text for text in rest if text not in words and looks_like_date(text)]
    if len(words) + len(dates) < len(rest) or not (values or dates):
        return errors
    if dates:
        codes = [text for text in dates if PATTERNS["no_dates"].fullmatch(text)]
        return [*words, *codes] if len(codes) < len(dates) else words
    return [*words, *_codes(values, counts, {*map(_value, alike)} - {None})]


def _codes(values: dict[str, float], counts: pd.Series, alike: set[float]) -> list[str]:
    """Numbers that stand apart from all the others of a column, as codes do."""
    codes = {*_NEGATIVE, *_SINGLE, *_DOUBLE, *_LARGE}
    others = [text for text, value in values.items() if value not in codes]
    reached = {*(values[text] for text in others), *alike} - codes
    top = max(reached, default=99)
    low = min((values[text] for text in others), default=0)
    usual, whole = counts[others].max(), all(values[text] % 1 == 0 for text in others)
    beside = counts[others].sum()

    def far(text: str) -> bool:
        if beside >= MANY_OTHERS:
            return values[text] > 1.3 * top
        return values[text] > 2 * top and bool(re.fullmatch(r"99+(\.[09]*)?", text))

    def apart(text: str) -> bool:
        value, often = values[text], counts[text]
        if value > max(_SINGLE) and far(text):
            return True
        if beside < LEAST_OTHERS:
            return False
        if value < 0:
            return low >= 0
        if value in _SINGLE:
            return whole and low >= 0 and top <= 5 and (value == 9 or 9 in values.values())
        if value in _DOUBLE:
            return value == 99 and often > 1 and value > 1.1 * top
        return often >= 3 and often >= 3 * usual

    return [text for text, value in values.items() if value in codes and apart(text)]


def doubts(source: Source, columns: Iterable[str]) -> dict[str, list[str]]:
    """What may be a code for missing, and what was taken for one and may be a level, by column."""
    found, units = {}, {column: source[column].unit for column in source.text}
    for column in columns:
        cells, labels = source[column].filled, source[column].levels
        blanked = list(source.blanked.get(column, pd.Series(dtype=object)).unique())
        alike = [c for c in source.text if c != column and units[c] == units[column] in UNITS]
        codes = [] if labels else suspects(cells, source.text[alike].stack())
        if codes or _may_be_levels(source, column):
            found[column] = blanked + codes
    return found


def _may_be_levels(source: Source, column: str) -> bool:
    """Whether what was left blank may be levels: with a label, or as NA among AS and EU.

    Where other columns have NA too it is the file's word for missing.
    """
    found, cells = {*source.blanked.get(column, ())}, source[column].filled
    alone = not any("NA" in {*codes} for name, codes in source.blanked.items() if name != column)
    alike = len(cells) > 0 and bool(cells.str.fullmatch(r"[A-Z]{2}").all())
    return bool(found & {*source[column].levels}) or ("NA" in found and alone and alike)


def as_guessed(source: Source, doubts: Mapping[str, list[str]]) -> Source:
    """The file as a first mapping reads it: a code for missing is blank, a level is there."""
    text = source.text.copy()
    for column, codes in doubts.items():
        found = text[column].isin(codes)
        text[column] = text[column].mask(found, "")
        if not found.any():
            text.loc[source.blanked[column].index, column] = source.blanked[column]
    return replace(source, text=text)
