"""Keys to the exercises of Lesson 1: what is right on a dataset, and what mistakes would give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np

from .. import survival
from ..dataset.model import Dataset, NotRecorded
from ..study.curves import told_months
from .events import DEATH_COLUMNS, deaths_of_all, outcome_of
from .exercises import MADE_UP, Exercise, Task, alive, invented, of_letters, posed, times
from .worked import Value

SEED, INVENTED = 11, 60


def names(dataset: Dataset) -> dict[str, Value] | None:
    """What the worked piece calls things: none where the lesson's curve is not of all deaths."""
    with suppress(NotRecorded):
        month = told_months(dataset, deaths_of_all(dataset), carried=True)[-1]
        return DEATH_COLUMNS | {"day": dataset.days(month)}
    return None


def exercise_1(dataset: Dataset) -> Exercise:
    """Kaplan-Meier of nine invented patients at one year, with a pencil."""
    right = 8 / 9 * 7 / 8 * 5 / 6 * 3 / 4
    return Exercise(
        right,
        "Deaths at months 2, 4, 7 and 11 meet 9, 8, 6 and 4 at risk: 8/9 × 7/8 × 5/6 × 3/4.",
        [
            (8 / 9 * 6 / 7 * 5 / 6 * 3 / 4, "Who leaves in the month of a death is still at risk "
             "for it."),
            (3 / 7, "You left out those who were last seen before the year was over."),
            (5 / 9, "You counted those who left as alive at one year."),
            (8 / 9 * 7 / 8 * 5 / 6, "A death before 12 months is missing from the product."),
            (1 - right, "That is the share who died. The task asks for those alive."),
        ],
        share=True,
    )  # fmt: skip


def exercise_2(dataset: Dataset) -> Exercise:
    """The two shares between which Kaplan-Meier lies: of 60, 21 have died and 15 have left."""
    return Exercise(
        (24 / 45, 39 / 60),
        "Without those who left, 24 of 45. With them as alive, 39 of 60. Kaplan–Meier counts each "
        "of the 15 for as long as they were seen, and so lies between.",
        [
            ((24 / 60, 39 / 60), "The first counts those who left as dead, which nobody does."),
            ((21 / 60, 21 / 45), "Those are the shares who died. The task asks for those alive."),
            ((21 / 45, 21 / 60), "Those are the shares who died. The task asks for those alive."),
        ],
        share=True,
    )


def exercise_3(dataset: Dataset) -> Exercise:
    """Which ways to leave tell something of the death to come."""
    one = "There is another way to leave by which the sicker are lost."
    reasons = {
        "a": "Who came late is followed for less time, however ill they are: not a.",
        "b": one,
        "c": "Who moves because of work is as ill as those who stay: not c.",
        "d": one,
    }
    right = {"b", "d"}
    return Exercise(right, "Those who leave in these ways are nearer to death than those who "
        "stay, and the curve of those who stay is too high.", of_letters(right, reasons),
    )  # fmt: skip


def _tasks(dataset: Dataset) -> Iterator[Task]:
    """The dataset's patients at months between those of the page; then invented ones."""
    with suppress(NotRecorded):
        main = outcome_of(dataset)
        patients, told = times(main), told_months(dataset, main, carried=True)
        known = alive(patients, *map(dataset.days, told)).round(3)
        for month in range(6, int(told[-1]), 3):
            day = float(survival.met(round(dataset.days(month)), main.time))
            if month not in told and alive(patients, day).round(3) not in known:
                yield Task(patients, "of this dataset", (day,))
    random = np.random.default_rng(SEED)
    death, left = random.exponential(700, INVENTED), random.uniform(100, 1500, INVENTED)
    yield Task(invented(death, left), MADE_UP, (540,))


def _share_alive(task: Task) -> Exercise:
    """Kaplan-Meier on a day that the page does not have."""
    patients, day = task.patients, task.day
    (right,) = alive(patients, day)
    dead = patients["died"] & (patients["days"] <= day)
    known = patients["died"] | (patients["days"] >= day)
    return Exercise(
        right,
        "It is the product, over the days of events, of the share that gets past each.",
        [
            (1 - dead.sum() / known.sum() if known.any() else np.nan, "You left out those who were "
             "last seen before."),
            (1 - dead.mean(), "You counted those who left as alive."),
            ((patients["days"] > day).mean(), "You counted those who left as dead."),
            (1 - right, "That is the share who died."),
        ],
        share=True,
    )  # fmt: skip


task_4, exercise_4 = posed(_share_alive, _tasks)
