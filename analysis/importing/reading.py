"""Cells read as their mapping says: dates as days from day 0, codes as yes and no, numbers."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd

from ..dataset.cells import NUMBER
from ..dataset.columns import RESERVED
from ..dataset.problems import DataError, Problem
from .dates import EPOCHS, UNITS, day_counted, looks_like_date, needs_century, needs_order
from .mapping import at, place_of, reads_dates
from .meaning import Cells, with_unit
from .source import Source
from .words import counted, sentence


@dataclass
class Made:
    """One column of patients.csv: its values as text, where they are from, its field."""

    values: list[str]
    cells: Cells
    field: dict[str, Any]
    said: str  # how it was made, for the report


@dataclass
class Parts:
    """What a status says besides the days of its event, one entry a patient in their order.

    `until` are the days of those without any event, `competing` of those with the competing one;
    `unknown` are the places of those of whom the file does not say it.
    """

    until: list[str]
    competing: list[str]
    unknown: set[int]


class Unfit(ValueError):
    """A cell that cannot be read: what is expected of it, and that without a patient's values."""


class Reading:
    """A file, its mapping, and what is made of the one by the other, with every problem."""

    def __init__(self, source: Source, told: dict[str, Any]) -> None:
        self.source, self.told, self.reserved = source, told, told["reserved"]
        self.columns: dict[str, Made] = {}
        self.problems: list[Problem] = []
        self.doubts: list[Problem] = []  # what may be the cause of problems
        self.notes: list[str] = []
        self.dropped: dict[str, str] = {}
        self.parts: dict[str, Parts] = {}  # by the column of the event's day
        self.follow_up: list[list[str]] = []  # the days of each time with a status
        month = told["analysis"].get("days_per_month")
        self.lengths = UNITS | ({"months": month} if isinstance(month, (int, float)) else {})
        self.dates, self._as_date = told.get("dates") or {}, reads_dates(told)
        self.origins: list[date | None] | None = None

    def add(self, name: str, made: tuple[list[str], Cells, str], **field: Any) -> None:
        """A column by its name; `made` are its values, its cells and how it was made."""
        if name in self.columns:
            self.problems.append(at("columns", f"{name} would be made twice; give a name"))
        values, cells, said = made
        title = self.reserved.get(name, {}).get("title") or RESERVED.get(name)
        self.columns[name] = Made(values, cells, {"name": name, "title": title} | field, said)

    def place(self, name: str) -> str:
        """Where the mapping says what a day is made of."""
        return place_of(name, self.told)

    def count(self, name: str, count: int, what: str) -> None:
        """A line for the report on a number of patients, where there are any."""
        if count:
            self.notes.append(f"  {name}: {counted(count, 'patient')} {what}")

    def each(self, cells: Cells, read: Callable[..., Any], *others: list[Any]) -> list[Any]:
        """What every cell says; blank, and a problem, where it cannot be read."""
        found = []
        for place, (text, *more) in enumerate(zip(cells.texts, *others, strict=True)):
            try:
                found.append(read(text, *more))
            except Unfit as error:
                found.append("")
                self.problems.append(cells.problem(place, *error.args))
        return found

    def words(
        self, cells: Cells, yes: list[str], no: list[str], other: list[str] = ()
    ) -> list[str]:
        """Codes as yes, no and other; `*` stands for any other value that is not blank."""
        codes = {"no": no, "other": other, "yes": yes}
        words = {code: word for word, every in codes.items() for code in every}

        def word(text: str) -> str:
            found = words.get(text) or (words.get("*") if text else None)
            if found is None:
                raise Unfit(f"one of {', '.join([*yes, *other, *no])}")
            return found

        return self.each(cells, word)

    def find_origins(self) -> None:
        """Day 0 of every patient, where the mapping names its date."""
        column = self.dates.get("origin")
        if not column:
            return
        how = self.dates.get("as") or self.source[column].unit or "date"

        def of_date(text: str) -> date | None:
            if not text:
                raise Unfit("a date, which is day 0 of the patient")
            return self._date(text, how)

        self.origins = self.each(self.source.cells(column), of_date)

    def days(self, cells: Cells, how: str, before: bool = False) -> list[str]:
        """Cells as days from day 0. `before`: whether a day before it is allowed."""

        def of_number(text: str) -> str:
            found = with_unit(text)  # 12 mo, where months are asked for
            text = found[0] if found and found[1] == how else text
            if text and not NUMBER.fullmatch(text):
                raise Unfit(sentence("number_of", how=how))
            if how == "days" or not text:
                return str(int(text)) if re.fullmatch(r"\d+", text) else shortest(text)
            return plain(float(text) * self.lengths[how])

        def of_date(text: str, zero: date | None) -> str:
            found = self._date(text, how)
            if not found or not zero:
                return ""
            if found < zero and not before:
                expected = f"a date not before {self.dates['origin']}"
                raise Unfit(f"{expected}, {zero}", f"expected {expected}")
            return str((found - zero).days)

        if how in UNITS:
            return self.each(cells, of_number)
        if self.origins is None:
            raise DataError([at("dates", sentence("no_origin"), "no origin")])
        return self.each(cells, of_date, self.origins)

    def days_said(self, column: str, how: str | None) -> pd.Series:
        """The days of a column, for a comparison; missing where it does not say them."""
        cells, found = self.source.cells(column), len(self.problems)
        known = how in UNITS or (how and self.origins)
        days = self.days(cells, how, before=True) if known else [""] * len(cells.texts)
        del self.problems[found:]
        return pd.to_numeric(pd.Series(days), errors="coerce")

    def _date(self, text: str, how: str) -> date | None:
        counted = how in EPOCHS and NUMBER.fullmatch(text)
        found = day_counted(float(text), how) if counted else self._as_date(text)
        if found or not text:
            return found
        order = self.dates.get("order")
        if order is None and needs_order(text) and looks_like_date(text):
            raise Unfit(sentence("no_order"))
        if "first_year" not in self.dates and needs_century(text):
            raise Unfit(sentence("no_century"))
        raise Unfit(f"a date{f' ({order}),' if order else ''} such as 2021-03-04")


def number(text: str) -> str:
    """A number as patients.csv has it; a blank stays one."""
    if text and not NUMBER.fullmatch(text):
        raise Unfit("a number, with a point for decimals")
    return shortest(text)


def plain(value: float) -> str:
    """A number as it stands in patients.csv: its twelve leading digits, without an exponent.

    So 4.8 months of 30.4375 days are 146.1 days, and two days that are one stay one.
    """
    digits = format(Decimal(f"{value + 0.0:.12g}"), "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def shortest(text: str) -> str:
    """A number at the precision of the file, without a useless `.0`, `+` or leading zeros."""
    if text == "" or re.fullmatch(r"-?(0|[1-9]\d*)", text):
        return text
    value = float(text)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else str(value)
