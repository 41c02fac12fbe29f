"""Keys to the exercises of Lesson 5: what is right on a dataset, and what mistakes would give."""

from __future__ import annotations

import pandas as pd

from .. import survival
from ..dataset.model import Dataset
from ..study.curves import told_months
from .events import competing_outcome
from .exercises import Exercise

# Eight invented patients: whole months, and 1 the event, 2 what competes, 0 neither.
EIGHT = pd.DataFrame({"days": [1, 2, 4, 5, 7, 9, 11, 12], "event": [2, 1, 1, 0, 2, 1, 0, 0]})
YEAR = 12


def patients(dataset: Dataset) -> pd.DataFrame:
    """The patients' `days` and `event`: 0 neither, 1 the event, 2 the one that competes."""
    question = competing_outcome(dataset)
    return pd.DataFrame({"days": question.time, "event": question.observed})


def first_landmark(dataset: Dataset) -> float:
    """The day of the first landmark that can be told."""
    return dataset.days(told_months(dataset, competing_outcome(dataset))[0])


def exercise_1(dataset: Dataset) -> Exercise:
    """The incidence of the event in the eight at one year, by hand."""
    right, wrong, free = _shares(EIGHT, YEAR)
    return Exercise(
        right,
        "Event-free before each event are 7/8, 6/8 and 15/32, at risk 7, 6 and 3: "
        "1/8 + 1/8 + 5/32.",
        [
            (wrong, "That is 1 − Kaplan–Meier: after what competes the event cannot come."),
            (3 / 8, "You counted those who left with neither as if they never had the event."),
            (3 / 6, "You left some out: who had the other event, and who left, are asked too."),
            (1 - free, "That is the share with either event."),
            (1 - free - right, "That is the incidence of the competing event."),
        ],
    )


def exercise_2(dataset: Dataset) -> Exercise:
    """1 - Kaplan-Meier of the eight at one year, to see how far off it is."""
    right, wrong, free = _shares(EIGHT, YEAR)
    return Exercise(
        wrong,
        "1 − 6/7 × 5/6 × 2/3. It is above the incidence: the two with the competing event are "
        "counted as if they might have yours later.",
        [
            (1 - wrong, "That is the Kaplan–Meier estimate itself. Subtract it from 1."),
            (right, "That is the incidence. Here what competes is to count as censored."),
            (1 - free, "You let the curve fall at competing events, too."),
        ],
    )


def exercise_3(dataset: Dataset) -> Exercise:
    """Which of the questions a cause-specific hazard ratio answers."""
    return Exercise(
        {"a", "d"},
        "Both ask for a rate among those in whom the event can still come. The others ask how many "
        "have it in the end. That also depends on what competes: the incidence and its ratio.",
        [
            ({"b", "c"}, "It is the other way round: how many have the event is the incidence."),
            ({"a", "b", "d"}, "How likely the event is depends on what competes, too."),
            ({"a"}, "The competing event has a rate, too, and so a cause-specific ratio."),
            ({"a", "b", "c", "d"}, "Two of them ask how many, not how fast."),
        ],
    )


def exercise_4(dataset: Dataset) -> Exercise:
    """The incidence of the event in the dataset at the first landmark, as a sum of products."""
    ours = patients(dataset)
    day = float(survival.met(first_landmark(dataset), ours["days"]))
    right, wrong, free = _shares(ours, day)
    crude = ((ours["days"] <= day) & (ours["event"] == 1)).mean()
    return Exercise(
        right,
        "The sum over the days of the event is the estimate of the endpoint’s own page.",
        [
            (wrong, "That is 1 − Kaplan–Meier: let `free` fall at competing events, too."),
            (crude, "You counted those who left with neither as if they never had the event."),
            (1 - free, "That is the share with either event."),
            (free, "That is the share with neither event."),
        ],
    )


def _shares(patients: pd.DataFrame, day: float) -> tuple[float, float, float]:
    """Incidence of event 1, 1 - Kaplan-Meier of it, and the share with no event, on a day."""
    days, event = patients["days"], patients["event"].to_numpy()
    incidence = survival.cumulative_incidence(days, event, 1)
    naive, free = (survival.survival_curve(days, which) for which in (event == 1, event > 0))
    return (
        survival.at(incidence, [day])["incidence"].iloc[0],
        1 - survival.at(naive, [day])["survival"].iloc[0],
        survival.at(free, [day])["survival"].iloc[0],
    )
