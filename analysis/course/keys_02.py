"""Keys to the exercises of Lesson 2: what is right on a dataset, and what mistakes would give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter

from ..dataset.model import Dataset, NotRecorded
from ..page.formats import counted, rounded
from ..page.tables import Row, Table
from ..survival import median, survival_curve
from .events import DEATH_COLUMNS, deaths_of_all, outcome_of
from .exercises import MADE_UP, Exercise, Task, invented, of_letters, posed, times
from .worked import Value

SEED, INVENTED = 2, 80

# Invented, for reading a median off a table: whole months, a death (1) or the end of follow-up.
TWENTY = pd.DataFrame(
    {
        "months": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 21, 24, 27, 30, 33, 36],
        "died": [1, 1, 1, 1, 0, 1, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 0],
    }
)


def names(dataset: Dataset) -> dict[str, Value] | None:
    """What the worked piece calls things: none where the lesson's curve is not of all deaths."""
    with suppress(NotRecorded):
        deaths_of_all(dataset)
        return DEATH_COLUMNS | {"days_per_month": dataset.days(1)}
    return None


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
    """Median and limits off a table; the upper one is not reached, which is 0."""
    middle, lower, _ = median(survival_curve(TWENTY["months"], TWENTY["died"]))
    last = "The upper edge is still above one half there: where it crosses, nobody has seen."
    return Exercise(
        (middle, lower, 0),
        "The median and the lower limit are the first months at which the curve, and the lower "
        "edge of its band, are at or below one half. The upper edge never is: no upper limit.",
        [
            ((middle, 0, lower), "The lower edge comes down first: it gives the lower limit."),
            ((14, 4, 0), "You took the last month above one half. The curve comes down at the next "
             "one."),
            ((TWENTY["months"].median(), lower, 0), "That is the median of all the times, with "
             "those of the living among them."),
            *(((middle, lower, month), last) for month in (30, 36)),
        ],
        decimals=0,
    )  # fmt: skip


def exercise_2(dataset: Dataset) -> Exercise:
    """What two equal medians leave open."""
    reasons = {
        "a": "After its median a curve may go anywhere below one half, and also stay there.",
        "b": "Before its median a curve is above one half: not b.",
        "c": "A few who live for very long move a mean, and no median.",
        "d": "After its median a curve never rises above one half again: not d.",
    }
    right = {"a", "c"}
    return Exercise(right, "A median fixes one point of a curve: more than half are alive "
        "before it, at most half after it. It fixes neither the end nor a mean.",
        of_letters(right, reasons),
    )  # fmt: skip


def exercise_3(dataset: Dataset) -> Exercise:
    """Three counts of the follow-up of nine invented patients, with a pencil."""
    return Exercise(
        (10, 11, 18),
        "Of all nine times the fifth, of the five censored the third. The reverse curve is at 6/7 "
        "after month 6, times 4/5 at 10, times 3/4 at 11 (.51), and times 1/2 at 18 (.26).",
        [
            ((10, 11, 13), "The third is median survival: the deaths are still the events."),
            ((10, 11, 11), "In the third, those who died are at risk until they do. With them the "
             "reverse curve is still above one half at 11 months."),
            ((7, 11, 18), "The first is of everybody, not of those who died."),
            ((10, 10, 18), "The second is of the censored, and they are five."),
        ],
        decimals=0,
    )  # fmt: skip


WAITS = {6: "half a year", 9: "nine months", 12: "one year", 3: "three months"}


def _tasks(dataset: Dataset) -> Iterator[Task]:
    """Those whom the dataset has followed for a while, as if they began then; then others."""
    one = dataset.days(1)
    with suppress(NotRecorded):
        patients = times(outcome_of(dataset))
        for month, told in WAITS.items():
            start = round(dataset.days(month))
            later = patients[patients["days"] > start]
            later = later.assign(days=later["days"] - start)
            whose = f"those of this dataset whom it follows beyond {told}, counted from there"
            if not later["died"].all() and _as_libraries(later["days"], ~later["died"]):
                yield Task(later, whose, month=one)
    random = np.random.default_rng(SEED)
    death, left = random.exponential(500, INVENTED), random.uniform(300, 1500, INVENTED)
    yield Task(invented(death, left), MADE_UP, month=one)


def _as_libraries(days: pd.Series, event: pd.Series) -> bool:
    """Not where a curve stays at one half: there some take the middle, others the first day."""
    library = KaplanMeierFitter().fit(days, event).median_survival_time_
    return bool(np.isclose(library, median(survival_curve(days, event))[0]))


def _reverse(task: Task) -> Exercise:
    """Reverse Kaplan-Meier median follow-up of some of the patients, in months."""
    days, died, month = task.patients["days"], task.patients["died"], task.month
    right, survival = (median(survival_curve(days, e))[0] / month for e in (~died, died))
    return Exercise(
        right,
        "With the censored as events and the dead as censored, the median is the time at which "
        "half would still be followed if nobody had died.",
        [
            (days.median() / month, "That is the median time of everybody."),
            (days[~died].median() / month, "That is the median among the censored."),
            (survival, "That is median survival: the deaths are still the events."),
        ],
        decimals=1,
        units={"days": month, "years": 1 / 12},
    )


task_4, exercise_4 = posed(_reverse, _tasks)
