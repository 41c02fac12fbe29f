"""Time as the study tells it: results are in months, a reader sees the unit of the dataset.

A notebook tells the time of one dataset. `open_page` sets its unit for all that the page shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import floor, log10

from ..dataset.model import Settings

DAYS = {"days": 1, "weeks": 7}


@dataclass(frozen=True)
class Unit:
    """A unit of time: its `name`, its length in `months`, and the `decimals` of a duration.

    `grid` is the step, in months, of curves that hold no patient's own day.
    """

    name: str = "months"
    months: float = 1
    decimals: int = 1

    @property
    def one(self) -> str:
        return self.name.removesuffix("s")

    @property
    def grid(self) -> float:
        return min(self.months, 1)


def unit_of(settings: Settings) -> Unit:
    """The unit in which a dataset tells time. A year has twelve of its months.

    Months have one decimal, as they are printed; another unit three digits of the last landmark.
    """
    name, days = settings.unit, settings.days_per_month
    if name == "months":
        return Unit()
    length = 12 if name == "years" else DAYS[name] / days
    return Unit(name, length, max(0, 2 - floor(log10(settings.months[-1] / length))))


_told = Unit()


def tell_time_of(settings: Settings) -> None:
    """From here on time is told in the unit of this dataset."""
    global _told
    _told = unit_of(settings)


def told() -> Unit:
    """The unit in which time is told."""
    return _told
