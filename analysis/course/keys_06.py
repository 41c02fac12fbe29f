"""Keys to the exercises of Lesson 6: what is right on a dataset, and what mistakes would give."""

from __future__ import annotations

import pandas as pd

from .. import survival
from ..dataset.model import Dataset
from .events import later_event, outcome_of
from .exercises import Exercise


def followed(dataset: Dataset) -> pd.DataFrame:
    """Each patient's `came` (day of what comes on the way, or blank), `days` and `died`."""
    factor, os = (
        later_event(dataset, ("hsct_day", "response_day")),
        outcome_of(dataset, deaths=True),
    )
    came = dataset.patients.loc[os.data.index, factor.column]
    return pd.DataFrame({"came": came, "days": os.time, "died": os.observed > 0})


def exercise_1(dataset: Dataset) -> Exercise:
    """The share of the follow-up of those who ever have it that lies before it."""
    patients = followed(dataset).dropna()
    before, all_days = patients["came"].sum(), patients["days"].sum()
    everybody = followed(dataset)["days"].sum()
    return Exercise(
        before / all_days,
        "This part of their time is immortal: none of them could die in it.",
        [
            (
                1 - before / all_days,
                "That is the time after it. The task asks for the time before.",
            ),
            (before / everybody, "Divide by the follow-up of those who had it, not of everybody."),
            (
                (patients["came"] / patients["days"]).mean(),
                "That is the mean of each patient's share. Add up the days first.",
            ),
        ],
    )


def exercise_2(dataset: Dataset) -> Exercise:
    """Who is compared at a landmark of six months: how many, and how many of them had it."""
    patients = followed(dataset)
    day = float(survival.met(dataset.days(6), patients[["days", "came"]]))
    there = patients["days"] > day
    had = patients["came"] < day
    ever = patients["came"].notna()
    return Exercise(
        [there.sum(), (there & had).sum()],
        "Each is grouped by what is known on that day, and by nothing later.",
        [
            ([there.sum(), (there & ever).sum()], "You counted those in whom it came later, too."),
            (
                [len(patients), had.sum()],
                "Patients who died or left before the landmark are not compared.",
            ),
            ([there.sum(), had.sum()], "Of those who had it, some were gone by the landmark."),
        ],
        decimals=0,
    )


def exercise_3(dataset: Dataset) -> Exercise:
    """Deaths per 100 patient-years after it, with the time before it left to the others."""
    patients = followed(dataset)
    had = patients["came"].notna()
    deaths = (patients["died"] & had).sum()
    after = (patients["days"] - patients["came"])[had].sum()
    all_days = patients.loc[had, "days"].sum()
    years = 100 * 365.25
    return Exercise(
        years * deaths / after,
        "The deaths are the same; the wrong rate divides them by time in which none could come.",
        [
            (years * deaths / all_days, "You counted the time before it, in which nobody dies."),
            (deaths / after * 365.25, "That is for each patient-year, not for 100."),
        ],
        decimals=1,
    )
