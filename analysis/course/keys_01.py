"""Keys to the exercises of Lesson 1: what is right on a dataset, and what mistakes would give."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .. import survival
from ..dataset.model import Dataset
from ..study.curves import told_months
from .events import outcome_of
from .exercises import Exercise, times


def exercise_1(dataset: Dataset) -> Exercise:
    """Kaplan-Meier of the ten invented patients at one year, with a pencil."""
    right = 9 / 10 * 8 / 9 * 6 / 7 * 4 / 5
    return Exercise(
        right,
        "Deaths at months 1, 2, 5 and 8 meet 10, 9, 7 and 5 at risk: 9/10 × 8/9 × 6/7 × 4/5.",
        [
            (3 / 7, "You left out those who were last seen before the year was over."),
            (6 / 10, "You counted those who left as alive at one year."),
            (1 - right, "That is the share who died. The task asks for those alive."),
        ],
    )


def exercise_2(dataset: Dataset) -> Exercise:
    """How many are at risk at the first landmark."""
    patients, day = _until_the_first_landmark(dataset)
    deaths = ((patients["days"] <= day) & patients["died"]).sum()
    return Exercise(
        (patients["days"] >= day).sum(),
        "All are at risk who had neither died nor left before that day.",
        [
            (
                len(patients) - deaths,
                "Those who left alive before that day are no longer at risk.",
            ),
            (len(patients), "That is how many there were at the start."),
            (deaths, "That is how many had died by then."),
        ],
        decimals=0,
    )


def exercise_3(dataset: Dataset) -> Exercise:
    """Kaplan-Meier of the dataset at the first landmark, as a product."""
    main, (patients, day) = outcome_of(dataset), _until_the_first_landmark(dataset)
    plan, event = dataset.endpoints[main.name], main.event
    curve = survival.survival_curve(patients["days"], patients["died"])
    right = survival.at(curve, [day])["survival"].iloc[0]
    dead = patients["died"] & (patients["days"] <= day)
    known = patients["died"] | (patients["days"] >= day)
    return Exercise(
        right,
        f"The product over the days of {event} is the estimate of {plan.figure or plan.title}.",
        [
            (
                1 - dead.sum() / known.sum() if known.any() else np.nan,
                "You left out those who were last seen before.",
            ),
            (1 - dead.mean(), "You counted those who left as alive."),
            (1 - right, "That is the share who died."),
        ],
    )


def _until_the_first_landmark(dataset: Dataset) -> tuple[pd.DataFrame, float]:
    """The patients' `times`, and the day of the first landmark among them."""
    main = outcome_of(dataset)
    day = dataset.days(told_months(dataset, main)[0])
    return times(main), float(survival.met(day, main.time))
