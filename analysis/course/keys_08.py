"""Keys to the exercises of Lesson 8: what is right on a dataset, and what mistakes would give."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .. import survival
from ..dataset.endpoints import long_term
from ..dataset.model import Dataset, NotRecorded
from .events import event_day, later_event, outcome_of
from .exercises import Exercise

SPLITS = tuple(range(6, 49, 3))  # months that the reader may move to
LANDMARKS = (3, 6, 9, 12, 24)  # months, of which the first that has patients on both sides


def patients(dataset: Dataset) -> pd.DataFrame:
    """Each patient's `days` to the end, whether they `died`, and the `event_day` of the event.

    It is blank for whoever had none.
    """
    os, day = outcome_of(dataset, deaths=True), event_day(dataset, later_event(dataset))
    made = pd.DataFrame({"days": os.time, "died": os.observed > 0}, index=os.data.index)
    return made.assign(event_day=day.where(day <= made["days"])).reset_index(drop=True)


def splits(dataset: Dataset) -> list[float]:
    """The months of SPLITS after which some patients are known alive, and not all.

    Raises NotRecorded where there is none.
    """
    days, few = outcome_of(dataset, deaths=True).time, max(dataset.mask_below, 1)
    alive = {month: survival.beyond(days, dataset.days(month)).sum() for month in SPLITS}
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


def landmark(dataset: Dataset) -> float:
    """The first of LANDMARKS at which patients with the event and without it are followed.

    Raises NotRecorded where there is none.
    """
    ours, few = patients(dataset), max(dataset.mask_below, 1)
    for month in LANDMARKS:
        day = dataset.days(month)
        came = ours["event_day"].notna() & ~survival.beyond(ours["event_day"], day)
        sides = came[survival.beyond(ours["days"], day)].value_counts()
        if len(sides) == 2 and sides.min() >= few:
            return month
    raise NotRecorded(
        "A landmark cannot be set: at no month of this lesson are patients of this dataset both "
        f"with and without “{later_event(dataset).label}” followed."
    )


def split_day(dataset: Dataset) -> float:
    """The day of the month of the long-term survivors."""
    return dataset.days(late_month(dataset))


def landmark_day(dataset: Dataset) -> float:
    """The day of the landmark."""
    return dataset.days(landmark(dataset))


def event_name(dataset: Dataset) -> str:
    """What the exercises call the event."""
    return later_event(dataset).label


def exercise_1(dataset: Dataset) -> Exercise:
    """The percentage of the column turned round."""
    ours = patients(dataset)
    had, lived = ours["event_day"].notna(), ours["days"] > split_day(dataset)
    return Exercise(
        lived[had].mean(),
        "The share is now of everybody with the event, in either column.",
        [
            (had[lived].mean(), "That is the column itself: of those who lived."),
            ((had & lived).mean(), "You divided by all patients."),
            (lived[~had].mean(), "Those are the patients without the event."),
            (
                1 - lived[had].mean(),
                "Those with the event who are not known to have lived that long: the rest of what "
                "is asked.",
            ),
        ],
    )


def exercise_2(dataset: Dataset) -> Exercise:
    """How many left alive before the split."""
    ours = patients(dataset)
    others, died = ours["days"] <= split_day(dataset), ours["died"]
    return Exercise(
        int((others & ~died).sum()),
        "They did not live beyond the split as far as is known, and did not die either.",
        [
            (others.sum(), "That is the whole column of the others. Most of them may be dead."),
            ((~died).sum(), "Some of those were seen alive after the split."),
            ((others & died).sum(), "Those died. They are not lost."),
            ((~others & ~died).sum(), "Those were seen alive after the split."),
        ],
        decimals=0,
    )


def exercise_3(dataset: Dataset) -> Exercise:
    """Landmark survival of those with the event, by Kaplan and Meier."""
    ours, begin, late = patients(dataset), landmark_day(dataset), split_day(dataset)
    by_then, followed = ours["event_day"] <= begin, ours["days"] > begin
    ever, kept = ours["event_day"].notna(), ours[by_then & followed]
    return Exercise(
        _alive(kept, late),
        "The patients are grouped by what had happened by the landmark, and followed from there.",
        [
            (
                _alive(ours[ever], late),
                "Some of those were gone before the landmark, or had the event after it.",
            ),
            (_alive(ours[followed & ~by_then], late), "Those are without the event by then."),
            (
                _alive(ours[ever & followed], late),
                "Some of those had the event only after the landmark.",
            ),
            (
                (kept["days"] > late).mean(),
                "That counts those who left alive as dead. Use Kaplan–Meier.",
            ),
        ],
    )


def _alive(patients: pd.DataFrame, day: float) -> float:
    if patients.empty:
        return np.nan
    curve = survival.survival_curve(patients["days"], patients["died"])
    return float(survival.at(curve, [day])["survival"].iloc[0])
