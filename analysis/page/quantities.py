"""What each quantity of the results is: its name, its unit, its decimals, how masking treats it.

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
    "hazard_reduction_group": Quantity("%"),
    "event_rate": Quantity(" per 100 patient-years", scale=100, masked="ratio"),
    "person_years": Quantity(masked="ratio"),
    "count": COUNT,
    "standardised_difference": Quantity(decimals=2),
    "mean_count": Quantity(decimals=2, point=True),
    "rate_ratio": RATIO,
    "p_count": replace(P, masked="ratio"),
    "p_count_stratified": replace(P, masked="ratio"),
    "at_risk": COUNT,
    "censored": COUNT,
    "never_at_risk": COUNT,
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
    "number_of_": Quantity(decimals=0),
    "observed_": COUNT,
    "expected_": Quantity(decimals=2, masked="ratio"),
    "variance_": Quantity(decimals=2),
    "matched_": Quantity(decimals=0),
}

# What a reader calls a quantity, with what its numbers are in.
NAMES = {
    "median": "Median, {unit}",
    "survival": "Survival, %",
    "cumulative_incidence": "Incidence, %",
    "one_minus_survival": "1 − Kaplan–Meier (what competes censored), %",
    "conditional_survival": "Conditional survival, %",
    "state_occupation": "Share in this state, %",
    "rmst": "Restricted mean, {unit}",
    "median_followup": "Median follow-up by reverse Kaplan–Meier, {unit}",
    "followup_median": "Median follow-up, {unit}",
    "followup_min": "Shortest follow-up, {unit}",
    "followup_max": "Longest follow-up, {unit}",
    "followup_end": "End of follow-up, {unit}",
    "event_rate": "Events per 100 patient-years",
    "person_years": "Person-years",
    "mean_count": "Mean number of events",
    "rate_ratio": "Ratio of rates",
    "p_rate_ratio_poisson": "P of the ratio of rates, Poisson",
    "hazard_ratio_recurrent": "HR of each event",
    "p_recurrent": "P of the HR of each event",
    "p_count": "P of the counts, χ² test",
    "at_risk": "At risk",
    "count": "No.",
    "percent": "%",
    "median_value": "Median",
    "min": "Least",
    "max": "Greatest",
    "mean": "Mean",
    "sd": "SD",
    "standardised_difference": "Standardised difference",
    "survival_difference": "Difference of survival, percentage points",
    "rmst_difference": "Difference of restricted means, {unit}",
    "logrank": "Log-rank χ²",
    "gray": "Gray’s χ²",
    "p_logrank": "Log-rank P",
    "p_gray": "P of Gray’s test",
    "interaction_p": "P of interaction",
    "hazard_ratio_group": "HR",
    "hazard_ratio_model": "HR",
    "hazard_ratio_subgroup": "HR",
    "subdistribution_ratio_group": "Subdistribution HR",
    "hazard_reduction_group": "Reduction of the hazard, %",
    "hazard_ratio_univariate": "HR alone",
    "hazard_ratio_multivariate": "HR, stepwise model",
    "p_group": "P of the HR",
    "p_model": "P of the HR",
    "p_univariate": "P of the HR alone",
    "p_multivariate": "P of the HR, stepwise model",
    "associated": "Associated",
    "kept": "In the stepwise model",
}
NAMED_BEGINNINGS = {
    "hazard_ratio_": "HR",
    "subdistribution_ratio_": "Subdistribution HR",
    "logrank_": NAMES["logrank"],
    "gray_": NAMES["gray"],
    "p_proportional_": "P of proportional hazards",
    "p_subdistribution_": "P of the subdistribution HR",
    "p_": "P",
}


def name_of(quantity: str) -> str:
    """A quantity in a reader's words; `{unit}` stands for the unit of time.

    A variant has the name of what it varies: `p_logrank_stratified` is a log-rank P, stratified.
    """
    if quantity in NAMES:
        return NAMES[quantity]
    first, _, variant = quantity.rpartition("_")
    if first in NAMES:
        return f"{NAMES[first]}, {variant}"
    tested = NAMES.get(quantity.removeprefix("p_"))
    if tested:
        return f"P of the {tested[:1].lower()}{tested[1:].partition(',')[0]}"
    for start, words in NAMED_BEGINNINGS.items():
        if quantity.startswith(start):
            return f"{words}, {quantity.removeprefix(start).replace('_', ' ')}"
    return quantity.replace("_", " ").capitalize()


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
