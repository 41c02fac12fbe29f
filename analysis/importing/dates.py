"""Dates as people and programs write them, and the days between them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta

# Programs that store a date as a count of days, and their day 0. Excel's is off by the 29 February
# 1900 that it believes in, which no date after it notices.
EPOCHS = {
    "excel-date": date(1899, 12, 30),
    "excel-1904-date": date(1904, 1, 1),
    "sas-date": date(1960, 1, 1),
    "stata-date": date(1960, 1, 1),
    "r-date": date(1970, 1, 1),
}
UNITS = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}
KINDS = ("date", *EPOCHS, *UNITS)
ORDERS = ("day-first", "month-first")

_ISO = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ]\d{1,2}:\d{2}.*)?")
_COMPACT = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)")
_NAMED = re.compile(r"(\d{1,2})[- ./]?([A-Za-z]{3})[a-z]*[- ./]?(\d{4}|\d\d)(?:[: ].*)?")
_PARTS = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4}|\d\d)(?: \d{1,2}:\d{2}.*)?")
_SHORT = re.compile(r"\d{1,2}([-/.])\d{1,2}\1\d\d|(19|20)\d\d-\d{1,2}(-[A-Za-z]+)?")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]


def looks_like_date(text: str) -> bool:
    """True for text in one of the shapes that `as_date` reads, whatever its order.

    Also for dates that lack something, as 3/4/21 and 2021-03: they are wrong, and no category.
    """
    return bool(_SHORT.fullmatch(text)) or any(as_date(text, order, 1970) for order in ORDERS)


def as_date(text: str, order: str | None, first_year: int | None = None) -> date | None:
    """The date that a text says, None where it says none.

    `order` tells 03/04/2021 apart: `day-first`, `month-first`, or None where it is not known; then
    such a date is None. Points part day, month and year in this order wherever they are used.
    Years of two digits lie within the hundred years from `first_year`; without it, None.
    """
    parts = _year_month_day(text, order)
    if parts and parts[0] < 100:
        if first_year is None:
            return None
        parts = (first_year + (parts[0] - first_year) % 100, *parts[1:])
    try:
        return date(*parts) if parts else None
    except ValueError:  # 31 February
        return None


def _year_month_day(text: str, order: str | None) -> tuple[int, int, int] | None:
    if match := _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
        year, month, day = (int(part) for part in match.groups())
        return year, month, day
    if match := _NAMED.fullmatch(text):
        month = match[2].lower()
        return (
            (int(match[3]), _MONTHS.index(month) + 1, int(match[1])) if month in _MONTHS else None
        )
    if match := _PARTS.fullmatch(text):
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        if match[2] == "." or order == "day-first" or first == second:
            return year, second, first
        return (year, first, second) if order == "month-first" else None
    return None


def needs_order(text: str) -> bool:
    """True for a date whose day and month cannot be told apart by its shape: 03/04/2021."""
    match = _PARTS.fullmatch(text)
    return bool(match) and match[2] != "." and match[1] != match[3]


def needs_century(text: str) -> bool:
    """True for a date whose year has two digits: 16.04.17."""
    return any(as_date(text, order, 1970) and not as_date(text, order) for order in ORDERS)


def proven_order(texts: Iterable[str]) -> tuple[str | None, str]:
    """The order in which these dates are written and one that proves it; None where none does.

    25/03/2021 can only start with the day. Where others prove the contrary, nothing is proven.
    """
    proofs: dict[str, str] = {}
    for text in filter(needs_order, texts):
        possible = [order for order in ORDERS if as_date(text, order, 1970)]
        if len(possible) == 1:
            proofs.setdefault(possible[0], text)
    if len(proofs) != 1:
        return None, ""
    return next(iter(proofs.items()))


def day_counted(number: float, kind: str) -> date | None:
    """The date that a program stores as a count of days; None for no day of this calendar."""
    try:
        return EPOCHS[kind] + timedelta(days=int(number))
    except (OverflowError, ValueError):
        return None
