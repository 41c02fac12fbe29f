"""What each quantity of the results is: its unit, its decimals, and what masking does to it.

This is the one place that knows. A quantity that is not named here is named by how it begins, as
the lessons' variants are: `survival_dropped` is a share like `survival`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from .units import told

MISSING = "–"
NOT_REACHED = "not reached"
NOT_ESTIMABLE = "not estimable"  # a hazard ratio that the events do not give
MASKED = "masked"  # a number of patients that is too small to be shown


@dataclass(frozen=True)
class Quantity:
    """How a number of this kind is read and hidden.

    A reader sees `scale` times the number, to its `decimals`, with its `unit`; and `blank` where
    there is none. Where small counts are masked, a `count` is blank if it is small itself, a
    `ratio` of counts if one of its counts is, and a value `of one` patient always. A `point` is of
    a curve at a month, and has a mark where it is carried forward. A `time` is in months, and seen
    in the unit of the dataset.
    """

    unit: str = ""
    decimals: int = 1
    scale: float = 1
    blank: str = MISSING
    masked: Literal["", "count", "ratio", "of one"] = ""
    kind: Literal["number", "time", "hazard ratio", "p"] = "number"
    point: bool = False


SHARE = Quantity("%", scale=100)
POINT = replace(SHARE, point=True)
SHARE_OF_COUNTS = replace(SHARE, masked="ratio")
POINT_OF_COUNTS = replace(SHARE_OF_COUNTS, point=True)
TIME = Quantity(kind="time")
MEDIAN = replace(TIME, blank=NOT_REACHED)
COUNT = Quantity(decimals=0, blank=MASKED, masked="count")
END = replace(TIME, blank=MASKED, masked="of one")
OF_ONE = Quantity(masked="of one")
RATIO = Quantity(decimals=2, kind="hazard ratio")
CHI_SQUARED = Quantity(decimals=2)
P = Quantity(kind="p")

NAMED = {
    "survival": POINT,
    "survival_difference": replace(SHARE, unit=" percentage points"),
    "state_occupation": POINT_OF_COUNTS,
    "survival_by_state": POINT_OF_COUNTS,
    "survival_ever": POINT_OF_COUNTS,
    "survival_from_event": POINT_OF_COUNTS,
    "survival_from_start": POINT_OF_COUNTS,
    "survival_landmark": POINT_OF_COUNTS,
    "median": MEDIAN,
    "median_followup": MEDIAN,
    "rmst": TIME,
    "followup_median": TIME,
    "followup_min": END,
    "followup_max": END,
    "followup_end": END,
    "percent": Quantity("%"),
    "event_rate": Quantity(" per 100 patient-years", scale=100, masked="ratio"),
    "person_years": Quantity(masked="ratio"),
    "count": COUNT,
    "standardised_difference": Quantity(decimals=2),
    "at_risk": COUNT,
    "censored": COUNT,
    "never_at_risk": COUNT,
    "number_of_ratios": Quantity(decimals=0),
    "min": OF_ONE,
    "max": OF_ONE,
    "split": replace(TIME, masked="of one"),
}
BEGINNING = {
    "survival_": SHARE_OF_COUNTS,
    "share": SHARE_OF_COUNTS,
    "conditional_survival": POINT,
    "cumulative_incidence": POINT,
    "one_minus_survival": POINT,
    "rmst_": TIME,
    "time_": TIME,
    "hazard_ratio": RATIO,
    "subdistribution_ratio": RATIO,
    "logrank": CHI_SQUARED,
    "gray": CHI_SQUARED,
    "interaction_p": P,
    "p_": P,
    "printed_": Quantity(decimals=0),
    "matched_": Quantity(decimals=0),
}


def nature(quantity: str) -> Quantity:
    """What a quantity is; a plain number to one decimal where nothing is known of it."""
    what, unit = _nature(quantity), told()
    if what.kind != "time":
        return what
    return replace(what, unit=f" {unit.name}", scale=1 / unit.months, decimals=unit.decimals)


@cache
def _nature(quantity: str) -> Quantity:
    if quantity in NAMED:
        return NAMED[quantity]
    return next(
        (what for start, what in BEGINNING.items() if quantity.startswith(start)), Quantity()
    )
