"""Keys to the exercises of Lesson 2: what is right on a dataset, and what mistakes would give."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ..dataset.model import Dataset
from ..page.formats import counted, rounded
from ..page.tables import Row, Table
from ..survival import follow_up, median, survival_curve
from .cuts import cut_at, cuts
from .events import outcome_of
from .exercises import Exercise

# Invented, for reading a median off a table: whole months, a death (1) or the end of follow-up.
TWENTY = pd.DataFrame(
    {
        "months": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 21, 24, 27, 30, 33, 36],
        "died": [1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 0],
    }
)


def twenty_table(name: str) -> Table:
    """The curve of twenty invented patients at each month of a death."""
    curve = survival_curve(TWENTY["months"], TWENTY["died"])
    steps = curve[curve["events"] > 0]
    parts = ("survival", "lower", "upper")
    rows = [
        Row(f"{month:.0f}", [counted(step["at_risk"]), *(rounded(step[part], 3) for part in parts)])
        for month, step in steps.iterrows()
    ]
    columns = ["Month", "At risk", "Alive", "Lower limit", "Upper limit"]
    return Table(name, "Twenty invented patients, Kaplan–Meier at each death", columns, rows)


def exercise_1(dataset: Dataset) -> Exercise:
    """Median and limits off a table."""
    middle, lower, upper = median(survival_curve(TWENTY["months"], TWENTY["died"]))
    return Exercise(
        (middle, lower, upper),
        "Each is the first month at which its column is at or below one half: the curve for the "
        "median, the lower edge for the lower limit, the upper edge for the upper one.",
        [
            ((middle, upper, lower), "The lower edge comes down first: it gives the lower limit."),
            (
                (10, 4, 21),
                "You took the last month above one half. The curve comes down at the next one.",
            ),
            (
                (np.median(TWENTY["months"]), lower, upper),
                "That is the median of all the times, with those of the living among them.",
            ),
        ],
        decimals=0,
    )


def exercise_2(dataset: Dataset) -> Exercise:
    """Reverse Kaplan-Meier median follow-up, in months."""
    main = outcome_of(dataset)
    died = main.observed > 0
    right = dataset.months(follow_up(main.time, died)[0])
    middle = dataset.months(median(survival_curve(main.time, died))[0])
    of_the_censored = pd.Series(main.time[~died]).median()  # of nobody: none
    return Exercise(
        right,
        "With the censored as events and the dead as censored, the median is the time at which "
        "half would still be followed if nobody had died.",
        [
            (dataset.months(np.median(main.time)), "That is the median time of everybody."),
            (dataset.months(of_the_censored), "That is the median among the censored."),
            (middle, "That is median survival: the deaths are still the events."),
            (dataset.days(right), "That is in days."),
        ],
        decimals=1,
    )


def exercise_3(dataset: Dataset) -> Exercise:
    """The first of the cuts at which there is a median."""
    main = outcome_of(dataset)
    seen = {month: cut_at(main, dataset.days(month)) for month in cuts(dataset, main)}
    medians = {month: median(survival_curve(cut.time, cut.observed)) for month, cut in seen.items()}
    right = _first(month for month, found in medians.items() if found[0] == found[0])
    likely = {
        "There half of all patients have died. But the curve counts those censored earlier only "
        "while they were seen.": _first(
            month for month, cut in seen.items() if (cut.observed > 0).mean() >= 0.5
        ),
        "There the lower edge of the band comes down to one half, and not yet the curve.": _first(
            month for month, found in medians.items() if found[1] == found[1]
        ),
        "There the upper limit is reached. The median was there before.": _first(
            month for month, found in medians.items() if found[2] == found[2]
        ),
    }
    return Exercise(
        0 if np.isnan(right) else right,
        "It is the first cut after the curve has come down to one half. Before it, all that is "
        "known about the median is that it comes later.",
        # What is never reached is nobody's mistake.
        [(month, meaning) for meaning, month in likely.items() if month == month],
        decimals=0,
    )


def _first(months: Iterator[float]) -> float:
    return next(months, np.nan)
