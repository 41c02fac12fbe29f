"""Keys to the exercises of Lesson 4, and the two groups that the lesson compares."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pandas as pd
from scipy import stats

from .. import survival
from ..dataset.model import Dataset, NotRecorded
from .events import DEATH_COLUMNS, deaths_of_all, outcome_of
from .exercises import MADE_UP, Exercise, Task, invented, of_letters, posed
from .sides import Question, horizons, landmarks, of_sides, side_columns, two_sided
from .worked import Value

__all__ = ["horizons", "landmarks"]  # the lesson takes them from here

SEED, INVENTED = 7, 60
EVENTS = 30  # on a side: with fewer the lesson would show little but chance

# The pencil's patients.
EIGHT = pd.DataFrame(
    {
        "months": [5, 9, 11, 14, 2, 4, 7, 8],
        "died": [True, False, True, False, True, True, True, False],
        "side_a": [True] * 4 + [False] * 4,
    }
)
PRINTED = (0.64, 0.46, 0.89)  # a ratio and its limits, in an invented paper


def question(dataset: Dataset, column: str = "") -> Question:
    """The two groups to compare: a named column's, or the declared ones, or by a rule.

    The declared ones are those of the dataset's comparison, where it is a factor of two sides. The
    rule: of the factors with EVENTS events a side the one with the least P of the log-rank test, or
    else the one with most events on its smaller side. `tested` has the P of all that the rule
    looked at. Raises NotRecorded where there is no such factor.
    """
    found, fewest, p = two_sided(dataset, outcome_of(dataset), column), {}, {}
    for name, (_, rows) in found.items():
        test = survival.logrank(rows["stop"], rows["event"], rows[name])
        events = rows.groupby(name)["event"].sum().min()
        if test.df and events >= max(1, dataset.mask_below):
            fewest[name], p[name] = events, test.p
    if not p:
        which = f"“{column}” is no factor" if column else "this dataset has no baseline factor"
        raise NotRecorded(
            f"Two groups of this dataset cannot be compared: {which} with events on two sides."
        )
    declared = dataset.compare.column if dataset.compare else ""
    enough = {name: p[name] for name in p if fewest[name] >= EVENTS}
    if declared in p:
        enough = {declared: p[declared]}
    chosen = min(enough, key=enough.get) if enough else max(fewest, key=fewest.get)
    return Question(*found[chosen], pd.Series(enough, dtype=float))


def names(dataset: Dataset, column: str = "") -> dict[str, Value] | None:
    """What the worked piece calls things: none where the lesson's curves are not of all deaths.

    Nor where there are no two groups.
    """
    with suppress(NotRecorded):
        deaths_of_all(dataset)
        return DEATH_COLUMNS | side_columns(dataset, question(dataset, column).factor)
    return None


def ended(patients: pd.DataFrame, day: float, first: bool) -> pd.DataFrame:
    """The patients, those of one side as if they had been followed to a day and no longer."""
    late = (patients["first"] == first) & survival.beyond(patients["days"], day)
    return patients.assign(days=patients["days"].mask(late, day), died=patients["died"] & ~late)


def log_rank_sums(days: np.ndarray, died: np.ndarray, first: np.ndarray) -> pd.Series:
    """`observed` and `expected` deaths of the first side and their `variance`, of the test."""
    parts = []
    for day in np.unique(days[died]):
        at_risk, dies = days >= day, died & (days == day)
        n, d = at_risk.sum(), dies.sum()
        share = first[at_risk].mean()
        spread = d * share * (1 - share) * (n - d) / max(n - 1, 1)
        parts.append(((dies & first).sum(), d * share, spread))
    return pd.Series(np.sum(parts, axis=0), ["observed", "expected", "variance"])


def exercise_1(dataset: Dataset) -> Exercise:
    """The log-rank test of eight invented patients."""
    months, died, side = (EIGHT[column].to_numpy() for column in EIGHT)

    def found(days: np.ndarray, died: np.ndarray = died) -> tuple[float, float, float]:
        o, e, v = log_rank_sums(days, died, side)
        return e, v, (o - e) ** 2 / v

    right, deaths, o = found(months), died.sum(), (died & side).sum()
    last = months[died].max()
    half = (deaths / 2, deaths / 4, (o - deaths / 2) ** 2 / (deaths / 4))
    pearson = (o - right[0]) ** 2 * (1 / right[0] + 1 / (deaths - right[0]))
    return Exercise(
        right,
        "On side A 4/8 + 4/7 + 4/6 + 3/5 + 2/2 deaths are expected and 2 are seen.",
        [
            ((deaths - right[0], *right[1:]), "You added up what is expected on side B."),
            (found(months, died & (months != last)), "You left out the last death. All at risk "
             "are on side A then, so that one whole death is expected there; its variance is 0."),
            (found(np.where(died, months, 100)), "You kept those who were last seen alive at risk "
             "to the end. They leave after their last visit."),
            (found(np.where(died, months, -1)), "You left out those last seen alive. They are at "
             "risk until then."),
            (half, "Half of the deaths are expected on side A only while half of those at risk "
             "are there."),
            ((*right[:2], pearson), "You divided by what is expected. Divide by the variance."),
            ((*right[:2], (o - right[0]) / right[1]), "Square the difference before you divide."),
        ],
        decimals=2,
    )  # fmt: skip


def exercise_2(dataset: Dataset) -> Exercise:
    """A printed ratio with its limits, turned round."""
    ratio, lower, upper = PRINTED
    return Exercise(
        (1 / ratio, 1 / upper, 1 / lower),
        "Each is 1 divided by the printed number, and the limits change places.",
        [
            ((1 / ratio, 1 / lower, 1 / upper), "The lower limit is the smaller one: 1 divided by "
             "the printed upper limit."),
            (tuple(2 - np.array([ratio, upper, lower])), "A ratio is turned round by division: as "
             "far below 1 as 0.5 is, 2 is above it."),
            (tuple(1 - np.array([ratio, upper, lower])), "That is 1 less the ratio. Divide 1 by "
             "the ratio."),
            ((ratio, lower, upper), "That is the printed ratio, of new against usual treatment."),
        ],
        decimals=2,
    )  # fmt: skip


STATEMENTS = {
    "A": "A large P does not say that the treatments are equally good. The interval shows what "
    "may still be true.",
    "B": "P is not the probability that there is no difference. It is computed as if there were "
    "none.",
    "C": "The interval holds both ratios, so that the data fit either.",
    "D": "This is what P says.",
    "E": "A ratio of hazards is not one of the shares who have died. How far these part depends "
    "on how many have died.",
}


def exercise_3(dataset: Dataset) -> Exercise:
    """Which of five statements follow from a ratio, its interval and a large P."""
    right, missed = {"C", "D"}, "What you took is right, but one more statement follows."
    said = {s: f"Not {s}. {words}" for s, words in STATEMENTS.items()}
    return Exercise(
        right,
        "The interval says which ratios fit the data, and P how often chance alone would do as "
        "much.",
        of_letters(right, said | dict.fromkeys(right, missed)),
    )


def _tasks(dataset: Dataset, column: str = "") -> Iterator[Task]:
    """The dataset's two groups, either of them first, at each landmark of both; then others."""
    with suppress(NotRecorded):
        asked = question(dataset, column)
        for turned in (False, True):
            ours = asked.patients.reset_index(drop=True)
            ours = ours.assign(first=ours["first"] ^ turned)
            for month in landmarks(dataset, asked):
                yield Task(ours, of_sides(asked.factor, turned), (round(dataset.days(month)),))
    random = np.random.default_rng(SEED)
    first = np.arange(INVENTED) % 2 == 0
    death, left = random.exponential(np.where(first, 900, 450)), random.uniform(300, 1500, INVENTED)
    yield Task(invented(death, left).assign(first=first), MADE_UP, (365,))


def _ended_test(task: Task) -> Exercise:
    """The log-rank test with the other group followed to a day and no longer."""
    patients, day = task.patients, task.day

    def test(of: pd.DataFrame) -> survival.Comparison:
        return survival.logrank(of["days"], of["died"], of["first"])

    cut, late = ended(patients, day, first=False), survival.beyond(patients["days"], day)
    dead = pd.crosstab(cut["first"], cut["died"])
    right = test(cut)
    by_shares = stats.chi2_contingency(dead, correction=False)[0] if dead.size == 4 else np.nan
    return Exercise(
        right.chi2,
        "After that day only one group is followed. Its deaths are all expected there, so that "
        "they add nothing.",
        [
            (test(patients).chi2, "That is the test of all that was seen. End the times of the "
             "other group first."),
            (test(cut.assign(died=patients["died"])).chi2, "Whoever dies after the day was alive "
             "on it: set `died` to False for them, too."),
            (test(patients[~late | patients["first"]]).chi2, "You left out whoever lived beyond "
             "the day. They stay, alive, to the day."),
            (float(by_shares), "That compares the shares of the dead, whatever the follow-up."),
            (right.p, "That is P. The task asks for χ²."),
        ],
        decimals=2,
    )  # fmt: skip


task_4, exercise_4 = posed(_ended_test, _tasks)
