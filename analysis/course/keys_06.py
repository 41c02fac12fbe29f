"""Keys to the exercises of Lesson 6: what is right on a dataset, and what mistakes would give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pandas as pd

from .. import survival
from ..dataset.model import Dataset, NotRecorded
from .events import moved_event, outcome_of, stride
from .exercises import MADE_UP, Exercise, Task, of_letters, posed, times
from .worked import Value

SEED, INVENTED = 6, 120
# Six invented patients of the pencil: the month of treatment or none, of the end, and whether they
# died then.
SIX = pd.DataFrame(
    {
        "came": [3, 6, np.nan, np.nan, np.nan, 4],
        "months": [9, 24, 2, 5, 20, 16],
        "died": [True, False, True, True, False, True],
    }
)
RATE = 1200  # patient-months in 100 patient-years


def names(dataset: Dataset, column: str = "") -> dict[str, Value] | None:
    """What the worked piece calls things: none where the dataset has no event on the way."""
    with suppress(NotRecorded):
        outcome_of(dataset, deaths=True)
        return {"switch": moved_event(dataset, column).column}
    return None


def followed(dataset: Dataset, column: str = "") -> pd.DataFrame:
    """Each patient's `came` (day of what comes on the way, or blank), `days` and `died`."""
    factor, os = moved_event(dataset, column), outcome_of(dataset, deaths=True)
    came = dataset.patients.loc[os.data.index, factor.column]
    return times(os).assign(came=came)[["came", "days", "died"]]


def exercise_1(dataset: Dataset) -> Exercise:
    """The share of the follow-up of the treated that is immortal, with a pencil."""
    treated = SIX.dropna()
    before, every = treated["came"].sum(), treated["months"].sum()
    return Exercise(
        before / every,
        "13 of 49 months: whoever was treated could not die in them.",
        [
            (1 - before / every, "That is the time after treatment. None of it is immortal."),
            (before / SIX["months"].sum(), "Divide by the follow-up of the treated alone."),
            (before / (every - before), "Divide by all of their follow-up, before and after."),
            ((treated["came"] / treated["months"]).mean(), "That is the mean of the patients’ "
             "shares. Add up the months first."),
        ],
        share=True,
    )  # fmt: skip


def exercise_2(dataset: Dataset) -> Exercise:
    """Deaths per 100 patient-years after treatment and without it, with a pencil."""
    treated = SIX["came"].notna()
    dead = [(SIX["died"] & side).sum() for side in (treated, ~treated)]
    every = [SIX.loc[side, "months"].sum() for side in (treated, ~treated)]
    before = SIX["came"].sum()

    def rates(after: float, without: float) -> list[float]:
        return [RATE * dead[0] / after, RATE * dead[1] / without]

    right = rates(every[0] - before, every[1] + before)
    return Exercise(
        right,
        "2 deaths in 36 months, and 2 in 40. By who was ever treated, they are 2 in 49 and 2 in "
        "27: the months before treatment make all the difference.",
        [
            (rates(*every), "You counted the months before treatment as treated."),
            (rates(every[0] - before, every[1]), "The months before treatment are missing. Who "
             "lived them was not yet treated."),
            ([x / 100 for x in right], "That is for each patient-year, not for 100."),
            ([x / 12 for x in right], "That is for 100 patient-months, not 100 patient-years."),
        ],
        decimals=1,
    )  # fmt: skip


def exercise_3(dataset: Dataset) -> Exercise:
    """Which questions a landmark answers, of which others are for a time-dependent covariate."""
    return Exercise(
        {"a", "c"},
        "Both ask of patients on one day, by what is known then. The rate from the day of "
        "treatment on, whenever it is, is that of a time-dependent covariate.",
        of_letters({"a", "c"},
            {"b": "In one of yours patients change sides, each on their own day. A landmark fixes "
             "them.",
             "d": "No clock says what treatment does to a patient: those who got it were chosen.",
             "a": "One more asks of patients on one day: those who are alive and wait.",
             "c": "One more asks of patients on one day, by what they have had by then."},
        ),
    )  # fmt: skip


def _tasks(dataset: Dataset, column: str = "") -> Iterator[Task]:
    """The dataset's patients between the landmarks of the page; then invented ones."""
    with suppress(NotRecorded):
        patients, label = followed(dataset, column), moved_event(dataset, column).label
        for step in (4.5, 2.5, 6.5, 8.5, 10.5):
            month = step * stride(dataset)
            day = float(survival.met(round(dataset.days(month)), patients[["days", "came"]]))
            yield Task(patients, f"of this dataset, and the event is “{label}”", (day,))
    random = np.random.default_rng(SEED)
    days = np.ceil(random.exponential(500, INVENTED))
    came = np.ceil(random.exponential(400, INVENTED))
    patients = pd.DataFrame({"came": np.where(came < days, came, np.nan), "days": days})
    yield Task(patients.assign(died=random.random(INVENTED) < 0.7), MADE_UP, (180.0,))


def _at_landmark(task: Task) -> Exercise:
    """Who is compared at a landmark that the page does not have, of patients as `followed`."""
    there, had = task.patients["days"] > task.day, task.patients["came"] <= task.day
    ever, n = task.patients["came"].notna(), int(there.sum())
    return Exercise(
        [n, (there & had).sum()],
        "Each is grouped by what is known on that day, and by nothing later.",
        [
            ([n, (there & ever).sum()], "You counted those in whom it came later, too."),
            ([len(there), had.sum()], "Who died or left before the landmark is not compared."),
            ([n, had.sum()], "Of those who had it, some were gone by the landmark."),
            ([n, (there & ~had).sum()], "The second number is of those who had not had it yet."),
        ],
        decimals=0,
    )


task_4, exercise_4 = posed(_at_landmark, _tasks)
