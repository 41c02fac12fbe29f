"""Keys to the exercises of Lesson 8: what is right on a dataset, and what mistakes would give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pandas as pd

from .. import survival
from ..dataset.covariates import covariate_rows
from ..dataset.endpoints import in_sentence, long_term
from ..dataset.model import Dataset, Factor, NotRecorded
from .events import (
    DEATH_COLUMNS,
    ENOUGH,
    event_day,
    later_event,
    later_events,
    outcome_of,
    stride,
)
from .exercises import MADE_UP, Exercise, Task, alive, invented, posed, times
from .worked import Value

SEED, INVENTED = 3, 80
FEWEST = 15  # patients on a side of an exercise

SPLITS = tuple(range(6, 49, 3))  # strides of the lessons, to which the reader may move
LANDMARKS = (3, 6, 9, 12, 24)  # of these the first that has patients on both sides


def patients(dataset: Dataset, event: Factor | None = None) -> pd.DataFrame:
    """Each patient's `days` to the end, whether they `died`, and the `event_day` of the event.

    It is blank for whoever had none. Without an `event`, it is the lesson's own.
    """
    os, day = outcome_of(dataset, deaths=True), event_day(dataset, event or later_event(dataset))
    made = times(os)
    return made.assign(event_day=day.where(day <= made["days"])).reset_index(drop=True)


def splits(dataset: Dataset) -> list[float]:
    """The months of the SPLITS after which some patients are known alive, and not all.

    Raises NotRecorded where there is none.
    """
    days, few = outcome_of(dataset, deaths=True).time, max(dataset.mask_below, 1)
    months = [split * stride(dataset) for split in SPLITS]
    alive = {month: survival.beyond(days, dataset.days(month)).sum() for month in months}
    found = [month for month, number in alive.items() if few <= number <= len(days) - few]
    if not found:
        raise NotRecorded(
            "Survivors cannot be set apart: no month of this lesson has patients of this dataset "
            "known alive after it and others who are not."
        )
    return found


def late_month(dataset: Dataset) -> float:
    """The month of the long-term survivors; where there is none, the last of `splits`."""
    return dataset.settings.long_term_months if long_term(dataset).any() else max(splits(dataset))


def landmarks(dataset: Dataset) -> list[int]:
    """The months of the LANDMARKS."""
    return [landmark * stride(dataset) for landmark in LANDMARKS]


def landmark(dataset: Dataset) -> float:
    """The first of `landmarks` at which ENOUGH patients with the event and without are followed.

    Or else the first at which any are. Raises NotRecorded where there is none.
    """
    ours, few, smaller = patients(dataset), max(dataset.mask_below, 1), {}
    for month in landmarks(dataset):
        day = dataset.days(month)
        came = ours["event_day"].notna() & ~survival.beyond(ours["event_day"], day)
        sides = came[survival.beyond(ours["days"], day)]
        smaller[month] = min(sides.sum(), (~sides).sum())
    for least in (max(few, ENOUGH), few):
        found = [month for month, number in smaller.items() if number >= least]
        if found:
            return found[0]
    raise NotRecorded(
        "A landmark cannot be set: at no month of this lesson are patients of this dataset both "
        f"with and without “{later_event(dataset).label}” followed."
    )


def names(dataset: Dataset) -> dict[str, Value] | None:
    """What the worked piece calls things."""
    if dataset.number is not None:
        return None
    with suppress(NotRecorded):
        begin, column = landmark(dataset), later_event(dataset).column
        late = dataset.days(max(late_month(dataset), begin))
        own = {"event_day": column, "landmark": dataset.days(begin), "late": late}
        return DEATH_COLUMNS | own
    return None


def event_name(dataset: Dataset) -> str:
    """What the quiz calls the event: its cases are of one after which patients may die later.

    So the dataset's own where its ratio of death, from its day on, is below 1.
    """
    with suppress(NotRecorded):
        event = later_event(dataset)
        rows = covariate_rows(dataset, outcome_of(dataset, deaths=True), [event])
        if survival.cox(rows, [event.column]).summary()["hazard_ratio"].iloc[0] < 1:
            return in_sentence(event.label)
    return "a second treatment"


def exercise_1(dataset: Dataset) -> Exercise:
    """The percentage of a column turned round."""
    return Exercise(
        32 / (32 + 88),
        "The share is now of all with the event, in either column.",
        [
            (32 / 50, "That is the column itself: of those who lived."),
            (32 / 200, "You divided by all patients."),
            (18 / (18 + 62), "Those are the patients without the event."),
            (88 / 120, "Those are the others: the rest of what is asked."),
            (120 / 200, "That is how many had the event, whether they lived or not."),
        ],
        share=True,
    )


def exercise_2(dataset: Dataset) -> Exercise:
    """Who of the others left alive, and who of them died too early for the event."""
    return Exercise(
        (2, 3),
        "C and G left: nobody saw them die. D, E and K died before half of the events had come.",
        [
            ((4, 3), "Two of them were seen alive after the split: that is the other column."),
            ((9, 3), "That is the whole column. Most of it died."),
            ((7, 3), "Those died. The first number is of those whom nobody saw die."),
            ((2, 4), "One of those had the event before death. It came in time."),
            ((2, 5), "Some of those lived on beyond day 50 and had time for the event."),
        ],
        decimals=0,
    )


def exercise_3(dataset: Dataset) -> Exercise:
    """The two columns of a drug that does nothing: of 200 patients 90 are gone before it."""
    return Exercise(
        (25 / 50, 30 / 150),
        "Time alone made the difference: patients who died before day 100 could not be given the "
        "drug, and all of them are among the others.",
        [
            ((25 / 50, 30 / 60), "Who died before day 100 is among the others, too."),
            ((25 / 200, 30 / 200), "You divided by all patients, and not by those of a column."),
            ((25 / 55, 30 / 55), "That is turned round: where those are who were given the drug."),
            ((25 / 50, 30 / 90), "The others are all who died, early or later."),
        ],
        share=True,
    )


def _landmarks(dataset: Dataset) -> Iterator[Task]:
    """The dataset's patients from landmarks that the page does not have; then invented ones.

    By the lesson's own event, from a later landmark, or by another. The later day comes with it.
    """
    with suppress(NotRecorded):
        shown, late, every = landmark(dataset), late_month(dataset), landmarks(dataset)
        for place, event in enumerate(later_events(dataset)):
            whose = f"of this dataset, and the event is {in_sentence(event.label)}"
            ours = patients(dataset, event)
            for month in every if place else every[every.index(shown) + 1 :]:
                day = round(dataset.days(month))
                came = ours.loc[survival.beyond(ours["days"], day), "event_day"] <= day
                if month < late and FEWEST <= came.sum() <= len(came) - FEWEST:
                    yield Task(ours, whose, (day, round(dataset.days(late))))
    random = np.random.default_rng(SEED)
    death, left = random.exponential(500, INVENTED), random.uniform(400, 1500, INVENTED)
    made, came = invented(death, left), np.ceil(random.uniform(10, 600, INVENTED))
    made["event_day"] = pd.Series(came).where(came <= made["days"])
    yield Task(made, MADE_UP, (180, 730))


def _from_landmark(task: Task) -> Exercise:
    """Survival from a landmark on, of those with the event by then and of those without."""
    ours, (day, late) = task.patients, task.days
    followed = survival.beyond(ours["days"], day)
    by_then, ever = ours["event_day"] <= day, ours["event_day"].notna()

    def both(had: pd.Series, of: pd.Series = followed) -> list[float]:
        sides = (ours[of & side] for side in (had, ~had))
        return [np.nan if side.empty else alive(side, late).item() for side in sides]

    everybody = pd.Series(True, ours.index)
    counted = tuple((ours["days"] > late)[followed & side].mean() for side in (by_then, ~by_then))
    right = both(by_then)
    return Exercise(
        right,
        "The patients are grouped by what had happened by the landmark, and followed from there.",
        [
            (both(ever), "Some of those had the event only after the landmark."),
            (both(by_then, everybody), "Some of those were gone before the landmark."),
            (both(ever, everybody), "That looks back, from the first day: some of those were gone "
             "before the landmark, or had the event after it."),
            (counted, "That counts those who left alive as dead. Use Kaplan–Meier."),
            (tuple(1 - share for share in right), "Those are the shares of the dead."),
        ],
        share=True,
    )  # fmt: skip


task_4, exercise_4 = posed(_from_landmark, _landmarks)
