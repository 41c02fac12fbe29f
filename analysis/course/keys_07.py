"""Keys to the exercises of Lesson 7: what is right on a dataset, and what mistakes would give."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from .. import survival
from ..dataset.covariates import covariate_rows, rows_as_if_known
from ..dataset.model import Dataset, Factor
from .events import factors_of_all, later_factors, outcome_of
from .exercises import Exercise


def main_factor(dataset: Dataset) -> Factor:
    """The factor whose ratio from its switch on and as if known from the start lie farthest apart.

    Of those of all patients, where there is one; the first where no ratio can be estimated.
    """
    os = outcome_of(dataset, deaths=True)

    def apart(factor: Factor) -> float:
        right, fixed = covariate_rows(dataset, os, [factor]), rows_as_if_known(dataset, os, factor)
        moved = _ratio(right, factor.column) / _ratio(fixed, factor.column)
        return -1.0 if np.isnan(moved) else abs(np.log(moved))

    return max(factors_of_all(dataset) or later_factors(dataset), key=apart)


def enters(dataset: Dataset, factor: Factor) -> bool:
    """Whether the patients of a factor's model come to be at risk on a day of their own."""
    return factor.among is not None and dataset.is_day(factor.among)


def from_the_start(dataset: Dataset, factor: Factor) -> Factor:
    """A factor in all patients, where its own enter on a day: each one's rows begin on day 0."""
    return replace(factor, among=None) if enters(dataset, factor) else factor


def rows(dataset: Dataset) -> pd.DataFrame:
    """Start-stop rows of the main factor, from the start; it is called `switched`."""
    factor = from_the_start(dataset, main_factor(dataset))
    made = covariate_rows(dataset, outcome_of(dataset, deaths=True), [factor])
    return made.rename(columns={factor.column: "switched"})


def patients(dataset: Dataset) -> pd.DataFrame:
    """A row for each `patient`: the `days` followed, whether they `died`, the day of the `switch`.

    It is blank for those without one.
    """
    made = rows(dataset)
    ends = made.groupby("patient").agg(days=("stop", "max"), died=("event", "max"))
    switch = made[made["switched"] > 0].groupby("patient")["start"].min()
    return ends.assign(died=ends["died"] > 0, switch=switch).reset_index()


def day(dataset: Dataset) -> float:
    """The day of a quarter of a year, on which many a dataset is in the midst of its switches."""
    return dataset.days(3)


def exercise_1(dataset: Dataset) -> Exercise:
    """The rows of an invented patient with two switches."""
    return Exercise(
        [[0, 40, 0, 0], [40, 130, 1, 0], [130, 300, 1, 1]],
        "Each row stops where the next one starts, and has the values of the days within it.",
        [
            (
                [[0, 40, 1, 0], [40, 130, 1, 1], [130, 300, 1, 1]],
                "You gave each row the values that hold after it: an interval too early.",
            ),
            (
                [[0, 40, 0, 0], [0, 130, 1, 0], [0, 300, 1, 1]],
                "Your rows overlap: on day 20 the patient would count three times.",
            ),
            (
                [[0, 40, 0, 0], [41, 130, 1, 0], [131, 300, 1, 1]],
                "A row begins after its start. Yours leave out days 41 and 131.",
            ),
            (
                [[0, 39, 0, 0], [39, 129, 1, 0], [129, 300, 1, 1]],
                "An event on the very day of the switch counts before it: stop at that day.",
            ),
            (
                [[0, 40, 0, 0], [40, 130, 1, 0], [130, 300, 0, 1]],
                "The first event has come, and stays on after the second.",
            ),
        ],
        decimals=0,
    )


def exercise_2(dataset: Dataset) -> Exercise:
    """How many at risk on a day have switched."""
    ours, known = rows(dataset), _as_if_known(dataset).set_index("patient")["switched"] > 0
    on = float(survival.met(day(dataset), ours[["start", "stop"]]))
    there = ours[(ours["start"] < on) & (on <= ours["stop"])]
    switched = int((there["switched"] > 0).sum())
    return Exercise(
        switched,
        "A row is at risk from just after its start up to and with its stop.",
        [
            (len(there), "That is how many are at risk, switched or not."),
            (
                int(there["patient"].map(known).sum()),
                "You counted those who switch only later, as if it were known.",
            ),
            (
                int((patients(dataset)["switch"] <= on).sum()),
                "Some of them had died or left before that day.",
            ),
            (len(there) - switched, "Those are the ones who have not switched yet."),
        ],
        decimals=0,
    )


def exercise_3(dataset: Dataset) -> Exercise:
    """The ratio from rows that the learner makes."""
    right = rows(dataset)
    last = ~right["patient"].duplicated(keep="last")
    wrong = {
        "You counted the switch as known, also on the days before it.": _as_if_known(dataset),
        "Your rows overlap: the second one begins at the switch.": right.assign(start=-np.inf),
        "You left out the days before the switch: those who switch were at risk then, too.": (
            right[last]
        ),
    }
    ratio = _ratio(right)
    return Exercise(
        ratio,
        "It is the ratio of the table above: each row counts on the side on which it is.",
        [
            *((_ratio(made), meaning) for meaning, made in wrong.items()),
            (1 / ratio, "You turned the sides round."),
        ],
        decimals=2,
    )


def _as_if_known(dataset: Dataset) -> pd.DataFrame:
    """A row for each patient, `switched` from the start for whoever switches at any time: wrong."""
    factor = from_the_start(dataset, main_factor(dataset))
    made = rows_as_if_known(dataset, outcome_of(dataset, deaths=True), factor)
    return made.rename(columns={factor.column: "switched"})


def _ratio(rows: pd.DataFrame, column: str = "switched") -> float:
    return survival.cox(rows, [column]).summary()["hazard_ratio"].iloc[0]
