"""The printed numbers that the calibration may see: the rows of published.csv marked `calibrated`.

Everything else in published.csv is kept from it. So a match of a row marked `emergent` was not
aimed at.
"""

import csv
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from pathlib import Path

PUBLISHED = Path(__file__).resolve().parent.parent / "published.csv"
DAYS_PER_MONTH = Decimal("30.4375")


class Printed:
    """Printed numbers by quantity, group, months and part; texts, so that they keep their digits.

    A number that is not marked `calibrated` is not there: asking for it raises KeyError.
    """

    def __init__(self, path: Path = PUBLISHED) -> None:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["kind"] == "calibrated"]
        self.texts = {
            (row["quantity"], row["group"], row["months"], row["part"]): row["printed"]
            for row in rows
        }

    def text(self, quantity: str, group: str, months: str = "", part: str = "estimate") -> str:
        """One number as printed, `7.5`."""
        return self.texts[quantity, group, months, part]

    def interval(self, quantity: str, group: str) -> tuple[str, str, str]:
        """Estimate, lower and upper limit."""
        lower, upper = (self.text(quantity, group, part=part) for part in ("lower", "upper"))
        return self.text(quantity, group), lower, upper

    def by_month(self, quantity: str, group: str) -> dict[int, str]:
        """The printed landmark values by month."""
        return {
            int(months): text
            for (name, who, months, _), text in self.texts.items()
            if (name, who) == (quantity, group)
        }

    def count(self, group: str) -> int:
        """A printed number of patients."""
        return int(self.text("count", group))

    def levels(self, column: str, among: str = "") -> dict[str, int]:
        """The printed counts of a column's levels, in the order of print."""
        start, end = f"{column}=", f"|{among}" if among else ""
        return {
            group.removeprefix(start).removesuffix(end): int(text)
            for (quantity, group, _, _), text in self.texts.items()
            if quantity == "count" and group.startswith(start) and group.endswith(end)
        }


def as_printed(value: Decimal | Fraction | float | int, decimals: int) -> str:
    """The text of a number rounded half away from zero to so many decimals."""
    if isinstance(value, Fraction):
        value = Decimal(value.numerator) / Decimal(value.denominator)
    exact = value if isinstance(value, Decimal) else Decimal(repr(float(value)))
    return str(exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP))


def shows(proportion: float, percent: str) -> bool:
    """Does a proportion print as this percentage (of one decimal)?"""
    return as_printed(100 * proportion, 1) == percent


def days_of(months: str) -> list[int]:
    """The whole days that print as this number of months, for example 227 to 229 for 7.5."""
    nearest = int(Decimal(months) * DAYS_PER_MONTH)
    around = range(max(nearest - 31, 0), nearest + 32)
    decimals = len(months.partition(".")[2])
    return [day for day in around if as_printed(day / DAYS_PER_MONTH, decimals) == months]


def day_of(months: str) -> int:
    """The middle one of the whole days that print as this number of months."""
    candidates = days_of(months)
    return candidates[len(candidates) // 2]
