"""Printed numbers as what they are: intervals. A printed 23.4 is any value from 23.35 to 23.45."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import pandas as pd

from ..dataset.model import Dataset, NotRecorded
from ..page.formats import rounded

NUMBER = re.compile(r"\d*\.?\d+")


class NotPrinted(NotRecorded):
    """A finding needs a number that the print does not have."""


@dataclass(frozen=True)
class Range:
    """All values from `low` to `high`, as exact fractions.

    Of a printed number `high` itself is left out, since it would be rounded up. Arithmetic keeps
    the ends exact but forgets which of them belong to the range.
    """

    low: Fraction
    high: Fraction

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)

    def __sub__(self, other: Range) -> Range:
        return Range(self.low - other.high, self.high - other.low)

    def __and__(self, other: Range) -> Range:
        return Range(max(self.low, other.low), min(self.high, other.high))

    def __contains__(self, value: Fraction) -> bool:
        return self.low <= value < self.high

    def times(self, factor: Fraction | int) -> Range:
        """Every value multiplied by a factor of 0 or more."""
        return Range(self.low * factor, self.high * factor)

    def shown(self, decimals: int) -> str:
        """`16.3–16.5`, rounded outwards; one number where every value would be printed so."""
        ends = {rounded(float(end), decimals) for end in (self.low, self.high)}
        return ends.pop() if len(ends) == 1 else outwards(self.low, self.high, decimals)


ONE = Range(Fraction(1), Fraction(1))


def outwards(low: Fraction | float, high: Fraction | float, decimals: int) -> str:
    """Two ends as text, the lower rounded down and the upper up; one number where they agree."""
    scale = 10**decimals
    ends = (math.floor(low * scale) / scale, math.ceil(high * scale) / scale)
    texts = [rounded(end, decimals) for end in ends]
    return "–".join(dict.fromkeys(texts))


def between(low: Fraction, high: Fraction) -> range:
    """The whole numbers strictly between two limits."""
    return range(math.floor(low) + 1, math.ceil(high))


@dataclass(frozen=True)
class Printed:
    """One printed number: its text, and the values that would be printed so."""

    text: str

    @property
    def decimals(self) -> int:
        """How many decimals it shows."""
        return max(0, -Decimal(self.text).as_tuple().exponent)

    @property
    def range(self) -> Range:
        """Half a unit of the last place to both sides."""
        half = Fraction(1, 2 * 10**self.decimals)
        return Range(Fraction(self.text) - half, Fraction(self.text) + half)

    @property
    def share(self) -> Range:
        """Of a number printed in per cent, the proportions that would be printed so."""
        return self.range.times(Fraction(1, 100))

    def of(self, n: int) -> Range:
        """Of a percentage of `n` patients, how many; as if they could be parts of one."""
        return self.range.times(Fraction(n, 100))

    def counts(self, n: int) -> range:
        """The whole numbers of `n` patients that are printed so; halves are rounded up."""
        share = self.of(n)
        return range(max(0, math.ceil(share.low)), min(n + 1, math.ceil(share.high)))

    @property
    def percent(self) -> str:
        return f"{self.text}%"


class Print:
    """The printed numbers of a dataset, by `(quantity, group, months, part)`.

    Patients are never read: `dataset` only says which levels a characteristic has and which sides
    a factor. Where the print gives a number more than once, the text with most decimals counts.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.texts: dict[tuple, list[str]] = {}
        for row in dataset.published.itertuples():
            months = None if pd.isna(row.months) else float(row.months)
            key = (row.quantity, row.group, months, row.part)
            self.texts.setdefault(key, []).append(row.printed)

    def __call__(
        self, quantity: str, group: str, months: float | None = None, part: str = "estimate"
    ) -> Printed:
        """The number of this key. Raises NotPrinted where there is none."""
        texts = self.texts.get((quantity, group, months, part), [])
        numbers = [text for text in texts if NUMBER.fullmatch(text)]
        if not numbers:
            raise NotPrinted(f"The print has no {quantity} of {group}.")
        return max((Printed(text) for text in numbers), key=lambda number: number.decimals)

    def count(self, group: str) -> int:
        """A printed count. Raises NotPrinted where there is none."""
        return self.whole("count", group)

    def whole(self, quantity: str, group: str) -> int:
        """A number that is printed without decimals."""
        number = self(quantity, group)
        if number.decimals:
            raise NotPrinted(f"The print has no whole number for {quantity} of {group}.")
        return int(number.text)

    def has(self, quantity: str, group: str, months: float | None = None) -> bool:
        """Whether the print gives this number."""
        return (quantity, group, months, "estimate") in self.texts

    def repeated(self) -> dict[tuple, list[str]]:
        """The numbers that are printed in several places, with each text."""
        several = {key: texts for key, texts in self.texts.items() if len(texts) > 1}
        return {key: texts for key, texts in several.items()
                if key[0] != "given" and all(map(NUMBER.fullmatch, texts))}  # fmt: skip

    def groups(self, quantity: str) -> list[str]:
        """The groups of which the print gives this quantity, in the order of the print."""
        keys = (key for key in self.texts if key[0] == quantity)
        return list(dict.fromkeys(group for _, group, _, _ in keys))


def result(quantity: str, group: str, months: float | None = None, **values: object) -> dict:
    """A row of the results."""
    return {"quantity": quantity, "group": group, "months": months, **values}


def limits(values: Range) -> dict[str, float]:
    """The ends of a range for a row of the results."""
    return {"lower": float(values.low), "upper": float(values.high)}


def spread(numbers: Iterable[int]) -> str:
    """`3`, `18 or 19`, `27 to 29`."""
    found = sorted(numbers)
    if len(found) < 2:
        return "".join(map(str, found)) or "none"
    return f"{found[0]} {'or' if len(found) == 2 else 'to'} {found[-1]}"
