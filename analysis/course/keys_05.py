"""Keys to the exercises of Lesson 5: what is right on a dataset, and what mistakes would give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pandas as pd

from .. import survival
from ..dataset.model import Dataset, NotRecorded
from ..study.curves import told_months
from .events import competing_outcome
from .exercises import MADE_UP, Exercise, Task, of_letters, posed
from .worked import Value

SEED, INVENTED = 5, 80
# Eight invented patients: whole months, and 1 the event, 2 what competes, 0 neither.
EIGHT = pd.DataFrame({"days": [1, 2, 4, 5, 7, 9, 11, 12], "event": [2, 1, 0, 1, 2, 1, 0, 0]})
YEAR = 12


def names(dataset: Dataset) -> dict[str, Value] | None:
    """What the worked piece calls things: none where its three columns do not make the endpoint."""
    with suppress(NotRecorded):
        question = competing_outcome(dataset)
        plan = dataset.endpoints[question.name]
        if plan.competing == ("died",) and len(plan.events) == 1 and not (plan.among or plan.after):
            own = plan.until if plan.until in dataset.patients else "last_contact_day"
            day = dataset.days(last_reached(dataset))
            return {"event": plan.events[0], "start": plan.start, "seen": own, "day": day}
    return None


def last_reached(dataset: Dataset) -> float:
    """The last landmark month that anybody reaches, or the first of all."""
    question = competing_outcome(dataset)
    months, end = told_months(dataset, question, carried=True), dataset.months(question.time.max())
    return max((month for month in months if month <= end), default=months[0])


def exercise_1(dataset: Dataset) -> Exercise:
    """The incidence of the event in the eight at one year, by hand."""
    right, wrong, other, free = _shares(EIGHT, YEAR)
    return Exercise(
        right,
        "Event-free before each event are 7/8, 6/8 and 9/20, at risk 7, 5 and 3: "
        "1/8 + 3/20 + 3/20.",
        [
            (wrong, "That is 1 − Kaplan–Meier: after what competes the event cannot come."),
            (3 / 8, "You counted those who left with neither as if they never had the event."),
            (3 / 6, "You left out the two who were last seen with neither before 12 months."),
            (1 - free, "That is the share with either event."),
            (other, "That is the incidence of the competing event."),
        ],
        share=True,
    )


def exercise_2(dataset: Dataset) -> Exercise:
    """1 - Kaplan-Meier of the eight at one year, of each event: more than all of them."""
    right, wrong, other, free = _shares(EIGHT, YEAR)
    naive = _shares(EIGHT.assign(event=EIGHT["event"].map({0: 0, 1: 2, 2: 1})), YEAR)[1]
    return Exercise(
        (wrong, naive),
        "1 − 6/7 × 4/5 × 2/3 and 1 − 7/8 × 3/4. With the 0.3 who had neither they add up to more "
        "than 1: each counts patients in whom the other event has come.",
        [
            ((1 - wrong, 1 - naive), "Those are Kaplan–Meier estimates. Subtract each from 1."),
            ((right, other), "Those are the incidences. Here the other event is to be censored."),
            ((1 - free, 1 - free), "You let the curve fall at both events."),
            ((3 / 8, 2 / 8), "You counted those who left with neither as if they never had one."),
        ],
        share=True,
    )


def exercise_3(dataset: Dataset) -> Exercise:
    """Which of the questions a cause-specific hazard ratio answers."""
    reasons = {
        "a": "The event has a rate among those in whom it can still come, too.",
        "b": "How many have the event depends on what competes, too: not b.",
        "c": "The risk of a patient depends on what competes, too: not c.",
        "d": "The competing event has a rate, too, and so a cause-specific ratio.",
    }
    right = {"a", "d"}
    return Exercise(
        right,
        "Both ask for a rate among those in whom the event can still come. The others ask how many "
        "have it in the end. That also depends on what competes: the incidence and its ratio.",
        of_letters(right, reasons),
    )


def _tasks(dataset: Dataset) -> Iterator[Task]:
    """The dataset's patients at months between those of the page; then invented ones.

    Their `event` is 1 for it, 2 for the one that competes, 0 for neither.
    """
    with suppress(NotRecorded):
        question = competing_outcome(dataset)
        patients = pd.DataFrame({"days": question.time, "event": question.observed})
        whose = f"of this dataset: the event is {question.event}, the other {question.competing}"
        told = told_months(dataset, question, carried=True)
        known = [_shares(patients, dataset.days(month))[0] for month in told]
        for month in reversed(range(6, int(last_reached(dataset)), 3)):
            day = float(survival.met(round(dataset.days(month)), question.time))
            right = _shares(patients, day)[0]
            if month not in told and not np.isclose(right, known, rtol=0, atol=0.002).any():
                yield Task(patients, whose, (day,))
    random = np.random.default_rng(SEED)
    times = random.exponential([[700], [900], [1100]], (3, INVENTED))  # the event, the other, left
    event = np.array([1, 2, 0])[times.argmin(axis=0)]
    days = np.ceil(times.min(axis=0)).astype(int)
    yield Task(pd.DataFrame({"days": days, "event": event}), MADE_UP, (540,))


def _incidence(task: Task) -> Exercise:
    """The incidence of the event on a day that the page does not have, as a sum of products."""
    right, wrong, other, free = _shares(task.patients, task.day)
    days, event = task.patients["days"], task.patients["event"]
    had, known = (days <= task.day) & (event == 1), (event > 0) | (days >= task.day)
    return Exercise(
        right,
        "On each day of the event it grows by the share with neither before, times the part of "
        "those at risk who have it.",
        [
            (wrong, "That is 1 − Kaplan–Meier: the share with neither falls at what competes, "
             "too."),
            (had.mean(), "You counted those who left with neither as if they never had the event."),
            (had.sum() / known.sum(), "You left out those who were last seen before."),
            (other, "That is the incidence of the event that competes."),
            (1 - free, "That is the share with either event."),
            (free, "That is the share with neither event."),
        ],
        share=True,
    )  # fmt: skip


def _shares(patients: pd.DataFrame, day: float) -> tuple[float, float, float, float]:
    """On a day the incidence of 1, 1 - Kaplan-Meier of it, the incidence of 2, and neither."""
    days, event = patients["days"], patients["event"].to_numpy()
    incidences = [survival.cumulative_incidence(days, event, number) for number in (1, 2)]
    right, other = (survival.at(curve, [day])["incidence"].iloc[0] for curve in incidences)
    naive = survival.at(survival.survival_curve(days, event == 1), [day])["survival"].iloc[0]
    return right, 1 - naive, other, 1 - right - other


task_4, exercise_4 = posed(_incidence, _tasks)
