"""Keys to the exercises of Lesson 10, and the factor that the lesson is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pandas as pd

from .. import survival
from ..dataset.model import Dataset, NotRecorded
from .events import DEATH_COLUMNS, deaths_of_all, outcome_of
from .exercises import MADE_UP, Exercise, Task, invented, posed
from .sides import MOST, Question, horizons, landmarks, of_sides, side_columns, two_sided
from .worked import Value

__all__ = ["MOST", "horizons", "landmarks"]  # the lesson takes them from here

EVENTS = 20  # on a side: with fewer, a change of the ratio would show little but chance
PAIR = 600  # invented patients
LEAST = 0.2  # months that the two sides of an exercise differ by
# The pencil's deaths: at risk on side A and on B, and whether it fell on A.
DEATHS = (
    *((12, 12, True), (10, 10, True), (8, 8, True)),
    *((4, 8, False), (3, 6, False), (2, 4, True), (1, 2, False)),
)
EARLY, RATIO = 3, 2.0  # of these deaths, the first half; the ratio of the Cox model


def question(dataset: Dataset, column: str = "") -> Question:
    """The baseline factor of a column, or the one whose hazards look least proportional.

    Of all patients, and with two sides, neither too small to be shown. Of those with EVENTS events
    a side it is the one with the least P, or else the one with most events on its smaller side.
    `tested` has the P of all among which was chosen. Raises NotRecorded where there is none, and
    where none can be tested.
    """
    sided = two_sided(dataset, outcome_of(dataset), column)
    tests = {
        name: survival.proportional_hazards_test(rows, [name])["p"].iloc[0]
        for name, (_, rows) in sided.items()
    }
    p = pd.Series(tests, dtype=float).dropna()
    if p.empty:
        which = f"“{column}” is no factor" if column else "this dataset has no baseline factor"
        raise NotRecorded(
            f"Whether hazards stay proportional cannot be shown: {which} whose two sides can be "
            "compared."
        )
    fewest = pd.Series(
        {name: sided[name][1].groupby(name)["event"].sum().min() for name in p.index}
    )
    enough = p[fewest >= EVENTS] if (fewest >= EVENTS).any() else p[[fewest.idxmax()]]
    return Question(*sided[enough.idxmin()], enough)


def pair(dataset: Dataset, groups: pd.DataFrame) -> pd.DataFrame:
    """Start-stop rows of invented patients, half of them in A (`a` is 1), followed for five years.

    `groups` has the deaths and the patient-years of A and B, early (in the first year) and late.
    """
    first = np.arange(PAIR) % 2 == 0
    early, late = (
        np.where(first, *(groups.loc[when, side] / groups.loc[when, f"{side}_years"]
                          for side in ("a", "b")))
        for when in ("early", "late")
    )  # fmt: skip
    lots = np.random.default_rng(1).exponential(size=PAIR)  # the cumulative hazard at death
    years = np.where(lots < early, lots / early, 1 + (lots - early) / late)
    days = np.ceil(np.minimum(years, 5) * dataset.days(12))
    made = {"patient": range(PAIR), "start": -np.inf, "stop": days, "event": 1 * (years < 5)}
    return pd.DataFrame(made | {"a": 1.0 * first, "side": np.where(first, "A", "B")})


def names(dataset: Dataset, column: str = "") -> dict[str, Value] | None:
    """What the worked piece calls things: none where the lesson does not ask for all deaths.

    Nor where there are no two sides.
    """
    with suppress(NotRecorded):
        deaths_of_all(dataset)
        return DEATH_COLUMNS | side_columns(dataset, question(dataset, column).factor)
    return None


def exercise_1(dataset: Dataset) -> Exercise:
    """The Schoenfeld residuals of seven invented deaths, summed early and late."""
    a, b, died = (np.array(part, dtype=float) for part in zip(*DEATHS, strict=True))

    def sums(each: np.ndarray) -> tuple[float, float]:
        return each[:EARLY].sum(), each[EARLY:].sum()

    share = RATIO * a / (RATIO * a + b)
    return Exercise(
        sums(died - share),
        "Early there is one death more on side A than one ratio expects, late there is one less: "
        "the ratio falls.",
        [
            (sums(died - a / (a + b)), "You expected deaths as if the ratio were 1. It is 2, so "
             "that a patient of side A counts twice."),
            (sums(died - a / (a + RATIO * b)), "You let the patients of side B count twice."),
            (sums(share - died), "You took what is seen from what is expected."),
            (sums(share), "That is what is expected. Take it from what is seen."),
            (sums(died), "Those are the deaths seen on side A. Take off what is expected."),
            ((0.0, 0.0), "Over all deaths they add up to 0, as they must. Add up each part."),
        ],
        decimals=2,
    )  # fmt: skip


def exercise_2(dataset: Dataset) -> Exercise:
    """Ratios of risks in two years, of a treatment that protects in the first one alone."""
    frail, robust, n = 0.8, 0.2, 50
    treated, usual = ((n * (1 - part * frail), n * (1 - part * robust)) for part in (0.5, 1))

    def risk(left: tuple[float, float], part: float = 1) -> float:
        return part * (left[0] * frail + left[1] * robust) / sum(left)

    early, late = 0.5, risk(treated) / risk(usual)
    deaths = [left[0] * frail + left[1] * robust for left in (treated, usual)]
    both = (2 * n - sum(treated) + deaths[0]) / (2 * n - sum(usual) + deaths[1])
    return Exercise(
        (early, late),
        "More of the frail are left on the treated side, because it kept them alive. The ratio "
        "rises above 1 without any harm to anybody.",
        [
            ((early, 1.0), "In each patient the treatment does nothing then. But are the two sides "
             "still alike in who is left?"),
            ((early, deaths[0] / deaths[1]), "Divide the deaths of the second year by those who "
             "were alive at its start."),
            ((early, late / 2), "In the second year the treatment no longer halves any risk."),
            ((1 / early, 1 / late), "You divided the usual side by the treated one."),
            ((early, both), "The second ratio is that of both years together."),
        ],
    )  # fmt: skip


def exercise_3(dataset: Dataset) -> Exercise:
    """The difference of the restricted means of two invented curves, as rectangles."""
    one, two = np.array([1.0, 0.8, 0.5]), np.array([1.0, 0.6, 0.4])
    wide, broad = np.array([4, 3, 5]), np.array([2, 6, 4])
    right = float(one @ wide - two @ broad)
    after = float(np.append(one[1:], one[-1]) @ wide - np.append(two[1:], two[-1]) @ broad)
    return Exercise(
        right,
        "The areas are 4 × 1 + 3 × 0.8 + 5 × 0.5 = 8.9 and 2 × 1 + 6 × 0.6 + 4 × 0.4 = 7.2.",
        [
            (-right, "You took A from B, or the months lost for the months lived."),
            (after, "Each level holds from its own step up to the next one, and the first is 1."),
            (7 - 8, "That is the difference of the medians. The mean is the area under the curve."),
            (float(one[:2] @ wide[:2] - two[:2] @ broad[:2]), "You stopped at the last steps. The "
             "curves go on at their levels to month 12."),
            (one[-1] - two[-1], "That is the difference of the shares alive at month 12."),
        ],
        decimals=1,
        units={"days": 30.4375, "years": 1 / 12},
    )  # fmt: skip


def _tasks(dataset: Dataset, column: str = "") -> Iterator[Task]:
    """The dataset's patients at months between those of the page; then invented ones."""
    month = dataset.settings.days_per_month
    with suppress(NotRecorded):
        asked = question(dataset, column)
        every, whose = horizons(dataset, asked), of_sides(asked.factor)
        told = {*every, *landmarks(dataset, asked)}
        for number in np.arange(every[-1] // 2, every[-1], every[0] / 4):
            task = Task(asked.patients, whose, (round(dataset.days(number)),), month)
            if number not in told and abs(_months_lived(task).answer) >= LEAST:
                yield task
    random = np.random.default_rng(4)
    first = np.arange(60) % 2 == 0
    death, left = random.exponential(np.where(first, 900, 500)), random.uniform(100, 1500, 60)
    patients = invented(death, left).assign(first=first)
    yield Task(patients, MADE_UP, (round(dataset.days(30)),), month)


def _months_lived(task: Task) -> Exercise:
    """The difference of the restricted means at a horizon that the page does not have."""
    days, died, first = (task.patients[name].to_numpy() for name in ("days", "died", "first"))
    found = survival.restricted_mean_difference(days, died, first, task.day).estimate
    short, dead = np.minimum(days, task.day), died & (days <= task.day)
    right, month = found / task.month, task.month
    whole = survival.restricted_mean_difference(days, died, first, days.max()).estimate
    return Exercise(
        right,
        "It is the area under the curve of the first side less that of the other, up to the day.",
        [
            (-right, "You took the first side from the other."),
            ((short[first].mean() - short[~first].mean()) / month, "You counted who left before "
             "the day as if they had died then. The area under the curve does not."),
            ((days[first & dead].mean() - days[~first & dead].mean()) / month, "Those are means "
             "of the dead alone."),
            (whole / month, "That is the area up to the last day of all. The task names a day."),
        ],
        decimals=2,
        units={"days": month, "years": 1 / 12},
    )  # fmt: skip


task_4, exercise_4 = posed(_months_lived, _tasks)
