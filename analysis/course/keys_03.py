"""Keys to the exercises of Lesson 3: what is right on a dataset, and what mistakes would give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pandas as pd

from .. import survival
from ..dataset.model import Dataset, NotRecorded
from ..study.curves import plateau_month, told_months
from ..survival.cure import mixture_cure
from .cuts import cuts
from .events import DEATH_COLUMNS, deaths_of_all, outcome_of
from .exercises import MADE_UP, Exercise, Task, alive, invented, posed, times
from .worked import Value

SEED, INVENTED = 3, 400


def names(dataset: Dataset) -> dict[str, Value] | None:
    """What the worked piece calls things: none where the lesson's curve is not of all deaths.

    Its first day is that of the first landmark, or 0 where there is no other.
    """
    with suppress(NotRecorded):
        *starts, last = told_months(dataset, deaths_of_all(dataset), carried=True)
        begun = [m for m in starts if m <= plateau_month(dataset)] or [0.0]
        months = {"first": begun[0], "flat": begun[-1], "last": last}
        return DEATH_COLUMNS | {name: dataset.days(month) for name, month in months.items()}
    return None


def exercise_1(dataset: Dataset) -> Exercise:
    """Patient-years beyond three years, and the upper limit of the rate, with a pencil."""
    return Exercise(
        (25, 22.3),
        "Beyond three years they were followed for .5, 1, 2, 2.5, 3, 4, 5 and 7 years. The upper "
        "limit for one death is 5.57, and 5.57/25 years is 22.3 per 100.",
        [
            ((49, 11.4), "Nobody who is followed beyond three years could die before: the years "
             "up to then do not count."),
            ((25, 4.0), "The second is the rate itself: the task asks for its upper limit."),
            ((25, 14.8), "One death was seen. You took the limit for none."),
            ((25, 69.6), "The second counts patients. Divide by the years for which they were "
             "followed."),
            ((25, 0.2), "The second is per patient-year. The task asks for 100 of them."),
        ],
        decimals=1,
    )  # fmt: skip


def exercise_3(dataset: Dataset) -> Exercise:
    """Late deaths by the rule of Maller and Zhou, of all follow-up and of less, with a pencil."""
    return Exercise(
        (4, 1),
        "With all follow-up the plateau lasts 8 months, from 16 to 24: in the 8 months before it, "
        "deaths came at 9, 11, 13 and 16. Closed at month 12 it lasts one month, from 11, and only "
        "the death at 11 came so late. The first is shown to be long enough, the second is not.",
        [
            ((0, 0), "The rule counts deaths before the plateau. In it there are none."),
            ((8, 6), "Those are all deaths. The rule counts the late ones."),
            ((4, 2), "Had the study closed at month 12, the last death would be at 11 and the "
             "plateau be one month long."),
            ((4, 4), "When the study closes at month 12, the later deaths are not seen."),
            ((3, 0), "The last death is one of the late ones."),
        ],
        decimals=0,
    )  # fmt: skip


def _outlooks(dataset: Dataset) -> Iterator[Task]:
    """Two days between the landmarks: to one the patients have lived, the other is later."""
    with suppress(NotRecorded):
        main = outcome_of(dataset)
        last = dataset.days(told_months(dataset, main)[-1])
        for share in (0.25, 0.2, 0.35):
            pair = round(share * last), round(0.75 * last)
            if survival.beyond(main.time, pair[1]).any():
                yield Task(times(main), "of this dataset", pair)
    yield Task(_invented(), MADE_UP, (300, 1100))


def _cut_days(dataset: Dataset) -> Iterator[Task]:
    """Days between the cuts of the page."""
    with suppress(NotRecorded):
        main = outcome_of(dataset)
        known = cuts(dataset, main)
        for place in np.argsort([abs(month - 12) for month in known]):
            day = round(dataset.days(known[place] * 1.25))
            yield Task(times(main), "of this dataset", (day,))
    yield Task(_invented(), MADE_UP, (500,))


def _invented() -> pd.DataFrame:
    """A third is cured; the times of the others follow Weibull's distribution."""
    random = np.random.default_rng(SEED)
    death = np.where(random.random(INVENTED) < 1 / 3, np.inf, 600 * random.weibull(1.4, INVENTED))
    left = random.uniform(700, 2000, INVENTED)
    return invented(death, left)


def _outlook(task: Task) -> Exercise:
    """The share alive on a day, of those alive on an earlier one."""
    early, late = alive(task.patients, *task.days)
    days, died = task.patients["days"], task.patients["died"]
    later = days > task.day
    lost = later & died & (days <= task.days[1])
    return Exercise(
        late / early,
        "All who live to the later day have lived to the earlier. So divide the share alive on the "
        "later by the share alive on the earlier, or begin the curve on the earlier day.",
        [
            (late, "That is the share of all patients. The question is about those still alive."),
            (early - late, "That is the share of all patients who die in between."),
            (1 - late / early, "That is the share of them who die."),
            (1 - lost.sum() / later.sum(), "You counted those who left in between as alive."),
            ((days > task.days[1]).sum() / later.sum(), "You counted those who left as dead."),
        ],
        share=True,
    )


def _early(task: Task) -> Exercise:
    """The cured share of a model and the curve's end, at a cut that the page does not have."""
    days, died, day = task.patients["days"], task.patients["died"], task.day
    seen, known = days.clip(upper=day), died & (days <= day)

    def both(days: pd.Series, died: pd.Series) -> tuple[float, float]:
        end = survival.survival_curve(days, died)["survival"].iloc[-1]
        return mixture_cure(days, died).cured, float(end)

    cured, end = both(seen, known)
    return Exercise(
        (cured, end),
        "The curve has only the deaths by then, and the model the shape that it assumes. Compare "
        "both with the end of the whole curve: neither knew it.",
        [
            (both(days, died), "That is with all follow-up: nothing is cut."),
            ((both(days, died)[0], end), "The model has seen what came after the cut."),
            (both(seen, died), "Deaths after the cut still count: on its day they are censored."),
            (both(days[known | (days > day)], known[known | (days > day)]), "You left out those "
             "who left before the cut: each is censored on their own day."),
            ((end, cured), "The model’s share comes first."),
        ],
        share=True,
    )  # fmt: skip


task_2, exercise_2 = posed(_outlook, _outlooks)
task_4, exercise_4 = posed(_early, _cut_days)
