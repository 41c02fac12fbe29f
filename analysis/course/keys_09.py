"""Keys to the exercises of Lesson 9, and the factors among which the lesson selects."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .. import survival
from ..dataset.covariates import covariate_rows
from ..dataset.endpoints import Endpoint
from ..dataset.model import Dataset, Factor, NotRecorded
from ..study.models import SELECTION_LEVEL, factors_of
from ..survival import resampling
from .answers import PERCENT
from .events import DEATH_COLUMNS, outcome_of, words_of
from .exercises import MADE_UP, Exercise, of_letters, posed
from .sides import side_values
from .worked import Value

LEAST_EVENTS = 10  # below, a resample has hardly a death for each factor
LEAST_SIDE = 30  # patients: a smaller side may have no death in a resample
RESAMPLES = 20  # of the worked piece
RARE = 0.05  # share of the resamples: a factor that fewer keep, or leave out, is not compared
ODD, STATE = 27, 5  # resamples of an exercise, of which no share is one half, and their seed
FACTOR, LARGEST = 16807, 2**31 - 1  # of a generator of lots that is the same in every language

# The pencil's studies: ratios with their limits, of a factor whose ratio is really 1.40.
REALLY = 1.40
STUDIES = (
    *((1.03, 0.70, 1.52), (1.18, 0.80, 1.75), (1.29, 0.87, 1.91), (1.37, 0.93, 2.03)),
    *((1.44, 0.97, 2.13), (1.55, 1.05, 2.29), (1.76, 1.19, 2.60), (2.16, 1.46, 3.20)),
)


@dataclass(frozen=True)
class Question:
    """The factors among which is selected, and the start-stop rows of who is known in all."""

    factors: tuple[Factor, ...]
    rows: pd.DataFrame

    @property
    def columns(self) -> list[str]:
        """The columns of the factors, in the dataset's order."""
        return [factor.column for factor in self.factors]

    @property
    def size(self) -> dict[str, int]:
        """The numbers of patients and deaths, as a row of results has them."""
        return {"n": self.rows["patient"].nunique(), "events": int(self.rows["event"].sum())}


def outcome(dataset: Dataset) -> Endpoint:
    """The endpoint of the lesson: deaths from the first day, or what the first endpoint asks.

    Raises NotRecorded where the dataset has neither.
    """
    with suppress(NotRecorded):
        return outcome_of(dataset, deaths=True)
    return outcome_of(dataset)


def known(dataset: Dataset, kinds: Collection[str] = ("baseline", "postbaseline")) -> Question:
    """The factors of the event that vary in those known in every one, of these kinds.

    Factors that only some patients can have (`among`) would leave too few. Those of levels are left
    out: what is kept or dropped here is one ratio.
    """
    os = outcome(dataset)
    factors = [f for f in factors_of(dataset, os) if f.kind in kinds and not (f.among or f.levels)]
    rows = covariate_rows(dataset, os, factors)
    return Question(tuple(f for f in factors if rows[f.column].nunique() > 1), rows)


def question(dataset: Dataset) -> Question:
    """All of them. Raises NotRecorded where these are fewer than two, or the events too few."""
    asked, least = known(dataset), max(LEAST_EVENTS, dataset.mask_below)
    died = words_of(outcome(dataset).event)["had"]
    if len(asked.factors) < 2:
        raise NotRecorded(
            "A choice among factors cannot be shown: this dataset has fewer than two factors of "
            "its endpoint that all its patients can have."
        )
    if asked.size["events"] < least:
        raise NotRecorded(
            f"A choice among factors cannot be judged: fewer than {least} patients of this dataset "
            f"who are known in every factor {died}."
        )
    return asked


def simple(dataset: Dataset) -> tuple[Question, dict[str, Value]]:
    """The factors of the worked piece, and what it calls them.

    Those of `question` of the first day whose columns it can read: numbers as they are, and sides
    of which one has a single value, neither of them small. Raises NotRecorded where these are
    fewer than two.
    """
    os, numbers, sides = outcome(dataset), [], {}
    for factor in question(dataset).factors:
        rows = covariate_rows(dataset, os, [factor]).set_index("patient")[factor.column]
        told = dataset.patients[factor.column].dropna()
        if factor.kind != "baseline" or len(rows) != len(told):
            continue
        if not factor.numerator:
            numbers += [factor] * np.array_equal(rows[told.index], told)
        elif rows.value_counts().min() >= max(LEAST_SIDE, dataset.mask_below):
            single = [values[0] for values in side_values(dataset, factor) if len(values) == 1]
            sides |= {factor: single[0]} if single else {}
    factors = (*numbers, *sides)
    if len(factors) < 2:
        raise NotRecorded("The worked piece needs two factors that every language can read.")
    rows = covariate_rows(dataset, os, factors).set_index("patient", drop=False)
    rows = rows.loc[[patient for patient in dataset.patients.index if patient in rows.index]]
    columns = {"numbers": [f.column for f in numbers], "sides": [f.column for f in sides]}
    return Question(factors, rows), DEATH_COLUMNS | columns | {"firsts": list(sides.values())}


def names(dataset: Dataset) -> dict[str, Value] | None:
    """What the worked piece calls things: none where it has too few factors, or no deaths."""
    with suppress(NotRecorded):
        outcome_of(dataset, deaths=True)
        return simple(dataset)[1]
    return None


def all_in_each(asked: Question, resamples: int, seed: int) -> pd.DataFrame:
    """The log ratios of the model of all factors, a row for each resample of the lesson."""
    drawn = resampling.draws(asked.rows, resamples, seed)
    return pd.DataFrame([survival.cox(its, asked.columns).estimates["beta"] for its in drawn],
                        index=range(resamples))  # fmt: skip


def kept_table(asked: Question, resamples: int, state: int = 1) -> pd.DataFrame:
    """A row for each resample, a column for each factor: whether its P is below the level.

    P is that of the model of all factors. `state` is the seed of the lots.
    """
    kept = []
    for drawn in _drawn(len(asked.rows), resamples, state):
        its = asked.rows.iloc[drawn].assign(patient=range(len(drawn)))
        kept.append(survival.cox(its, asked.columns).summary()["p"] < SELECTION_LEVEL)
    made = pd.DataFrame(kept, index=pd.RangeIndex(1, resamples + 1, name="resample"))
    return made.set_axis([factor.label for factor in asked.factors], axis=1)


def _drawn(n: int, resamples: int, state: int) -> Iterator[list[int]]:
    """For each resample the places of its `n` patients, by the generator of Park and Miller."""
    for _ in range(resamples):
        drawn = []
        for _ in range(n):
            state = state * FACTOR % LARGEST
            drawn.append(state * n // LARGEST)
        yield drawn


@dataclass(frozen=True)
class Task:
    """The resamples of an exercise, and `whose` factors they are of."""

    kept: pd.DataFrame
    whose: str


def _tasks(dataset: Dataset) -> Iterator[Task]:
    """Those in which one factor alone is nearest to one half."""
    for task in _tables(dataset):
        if (task.kept.mean() - 0.5).abs().nsmallest(2).diff().iloc[-1] > 1e-9:
            yield task


def _tables(dataset: Dataset) -> Iterator[Task]:
    """Other resamples of the dataset's patients than those of the page; then invented ones."""
    with suppress(NotRecorded):
        asked = simple(dataset)[0]
        yield Task(kept_table(asked, ODD, STATE), "of this dataset")
    random = np.random.default_rng(1)
    shares = {"age": 0.9, "sex": 0.1, "stage": 0.55, "grade": 0.3, "blasts": 0.7}
    while True:
        kept = pd.DataFrame({name: random.random(ODD) < share for name, share in shares.items()})
        yield Task(kept, MADE_UP)


def _models(task: Task) -> Exercise:
    """How many models there are, and how often the least certain factor is kept."""
    kept, share = task.kept, task.kept.mean()
    name = (share - 0.5).abs().idxmin()
    coin = share[name]
    models, sizes = len(kept.drop_duplicates()), kept.sum(axis=1).nunique()
    number, all_kept = coin * len(kept), kept.to_numpy().sum()
    return Exercise(
        (models, coin),
        f"Each row is a model. Whether “{name}” is in it is nearly a coin’s toss, yet it is "
        "printed or left out as a finding.",
        [
            *(((models, round(100 * coin, digits)), PERCENT) for digits in range(4)),
            ((models, 1 - coin), "That is the share of the resamples that leave it out."),
            ((models, number), "That is a number of resamples. A share is asked for."),
            ((models, number / max(all_kept, 1)), "You divided by everything that is kept."),
            *(((models, other), "Of another factor the share is nearer to one half.")
              for other in share[share != coin].unique()),
            ((sizes, coin), "Two models of as many factors may hold different ones."),
            ((len(kept), coin), "Those are resamples. Some of them end in the same model."),
        ],
        share=True,
    )  # fmt: skip


task_1, exercise_1 = posed(_models, _tasks)


def exercise_2(dataset: Dataset) -> Exercise:
    """The means of all and of what a rule keeps, and the intervals that hold the truth."""
    ratios, lower, upper = np.array(STUDIES).T
    kept, holds = lower > 1, (lower <= REALLY) & (upper >= REALLY)
    whole, right = ratios.mean(), ratios[kept].mean()
    of_kept, of_all = (kept & holds).sum(), holds.sum()
    return Exercise(
        (whole, right, of_kept),
        "The rule lets in those that chance has made large. All together are near the truth. And "
        "of the intervals of all, seven of eight hold it, but only two of the three kept.",
        [
            ((whole, ratios[~kept].mean(), of_kept), "Your second mean is of what is left out."),
            ((whole, ratios[kept].sum() / len(ratios), of_kept), "Divide by the number of those "
             "that are kept."),
            ((whole, right, kept.sum()), "One of their intervals lies above 1.40 as a whole."),
            ((whole, right, of_all), "That is the number of all intervals that hold it."),
            ((REALLY, right, of_kept), "That is the truth. The first mean is of what the eight "
             "studies estimate."),
        ],
        decimals=2,
    )  # fmt: skip


def exercise_3(dataset: Dataset) -> Exercise:
    """The chance that at least one of seven factors without any effect passes a screen at .10."""
    k, level = 7, 0.10
    return Exercise(
        1 - (1 - level) ** k,
        "The chance that none of them passes is .9 to the power of 7. Subtract that from 1.",
        [
            (k * level, "That is the number that passes on average. With 20 factors it would be "
             "2, so it is not a chance."),
            ((1 - level) ** k, "That is the chance that none of them passes."),
            (1 - (1 - SELECTION_LEVEL) ** k, "This paper screens at .10, not at .05."),
            (level, "That is the chance of each, alone."),
            (k * level * (1 - level) ** (k - 1), "That is the chance that just one passes. Two "
             "or more are possible, too."),
        ],
        share=True,
    )  # fmt: skip


def exercise_4(dataset: Dataset) -> Exercise:
    """What can be done instead of selecting, or beside it."""
    return Exercise({"a", "c", "e"}, "In a and c nothing is selected by its P. In e it is, and "
        "the reader sees how far to trust it.",
        of_letters({"a", "c", "e"},
            {"b": "A model that is fitted again after the choice does not know that there was one.",
             "d": "To drop factors by their own P is a selection, whatever follows it.",
             "a": "To name the factors beforehand needs no P.",
             "c": "A model may keep all factors and shrink their ratios.",
             "e": "One that selects shows how stable the whole selection is."},
        ),
    )  # fmt: skip
