"""Keys to the exercises of Lesson 10, and the factor that the lesson is about."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .. import survival
from ..dataset.model import Dataset, NotRecorded
from .events import outcome_of
from .exercises import Exercise
from .sides import MOST, Question, horizons, landmarks, two_sided

__all__ = ["MOST", "horizons", "landmarks"]  # the lesson takes them from here


def question(dataset: Dataset, column: str = "") -> Question:
    """The baseline factor of a column, or the one whose hazards look least proportional.

    Of all patients, and with two sides, neither too small to be shown. Raises NotRecorded where
    there is none, and where none can be tested.
    """
    sided = two_sided(dataset, outcome_of(dataset), column)
    tests = {
        name: survival.proportional_hazards_test(rows, [name])["p"].iloc[0]
        for name, (_, rows) in sided.items()
    }
    p = pd.Series(tests, dtype=float).dropna()
    if p.empty:
        which = f"“{column}” is no factor" if column else "this dataset has no baseline factor"
        raise NotRecorded(
            f"Whether hazards stay proportional cannot be shown: {which} whose two sides can be "
            "compared."
        )
    return Question(*sided[p.idxmin()], p)


def exercise_1(dataset: Dataset) -> Exercise:
    """The restricted mean of an invented curve, as rectangles."""
    alive, widths, until = np.array([1.0, 0.8, 0.5]), np.array([4, 3, 5]), 12
    area = float(alive @ widths)
    return Exercise(
        area,
        "The area is 4 × 1 + 3 × 0.8 + 5 × 0.5.",
        [
            (until - area, "That is the area above the curve: the months lost."),
            (float(np.append(alive[1:], alive[-1]) @ widths), "Each level holds from its own step "
             "up to the next one, and the first is 1."),
            (7, "That is the median. The mean is the area under the curve."),
            (float(alive[:-1] @ widths[:-1]), "You stopped at the last step. The curve goes on at "
             "its level to month 12."),
        ],
        decimals=1,
    )  # fmt: skip


def exercise_2(dataset: Dataset) -> Exercise:
    """Rate ratios of two invented groups: early, late and over both periods."""
    early, late, both = (30 / 60) / (20 / 80), (6 / 60) / (20 / 100), (36 / 120) / (40 / 180)
    return Exercise(
        (early, late, both),
        "A dies twice as fast in the first year and half as fast later. Over both it is neither.",
        [
            ((early, late, (early + late) / 2), "Over both periods, add up deaths and years first. "
             "The mean of two ratios is not the ratio of all."),
            ((1 / early, 1 / late, 1 / both), "You divided B by A."),
            ((30 / 20, 6 / 20, 36 / 40), "Those are ratios of deaths. Divide each by the years in "
             "which they happened."),
        ],
        decimals=2,
    )  # fmt: skip


def exercise_3(dataset: Dataset, asked: Question | None = None) -> Exercise:
    """The difference of the restricted means at the first landmark, in months."""
    asked = asked or question(dataset)
    patients, day = asked.patients, dataset.days(landmarks(dataset, asked)[0])
    days, died, first = (patients[name].to_numpy() for name in ("days", "died", "first"))
    found = survival.restricted_mean_difference(days, died, first, day).estimate
    right, short = dataset.months(found), np.minimum(days, day)
    return Exercise(
        right,
        "The areas under the two curves up to the day, first-named side less the other.",
        [
            (-right, "You took the first-named side from the other."),
            (found, "Those are days. Divide by the days of a month."),
            (dataset.months(short[first].mean() - short[~first].mean()), "You counted who left "
             "before the day as if they had died then. The area under the curve does not."),
        ],
        decimals=2,
    )  # fmt: skip


def exercise_4(dataset: Dataset, asked: Question | None = None) -> Exercise:
    """In which half the ratio of the rates is the larger."""
    asked = asked or question(dataset)
    patients, split = asked.patients, asked.split
    days, early = patients["days"], patients["days"] <= split
    lived = pd.DataFrame({"early": days.clip(upper=split), "late": (days - split).clip(lower=0)})
    deaths = pd.DataFrame({"early": patients["died"] & early, "late": patients["died"] & ~early})
    rates = deaths.groupby(patients["first"]).sum() / lived.groupby(patients["first"]).sum()
    word = (rates.loc[True] / rates.loc[False]).idxmax()
    other = "late" if word == "early" else "early"
    return Exercise(
        word,
        "There the first-named side has the higher rate of death relative to the other side.",
        [(other, "Count for each half only the deaths in it, and only the days lived in it.")],
    )
