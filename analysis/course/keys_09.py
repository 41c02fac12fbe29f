"""Keys to the exercises of Lesson 9, and the factors among which the lesson selects."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from ..dataset.covariates import covariate_rows
from ..dataset.model import Dataset, Factor, NotRecorded
from ..study.models import SELECTION_LEVEL, factors_of
from ..survival import resampling
from .events import outcome_of
from .exercises import Exercise

LEAST_EVENTS = 10  # below, a resample has hardly a death for each factor
RESAMPLES, SEED = 20, 1  # of the exercises
P_OF_EXERCISE = 0.01


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


def known(dataset: Dataset, kinds: Collection[str] = ("baseline", "postbaseline")) -> Question:
    """The factors of death that vary in those known in every one, of these kinds.

    Factors that only some patients can have (`among`) would leave too few. Those of levels are left
    out: what is kept or dropped here is one ratio.
    """
    os = outcome_of(dataset, deaths=True)
    factors = [f for f in factors_of(dataset, os) if f.kind in kinds and not (f.among or f.levels)]
    rows = covariate_rows(dataset, os, factors)
    return Question(tuple(f for f in factors if rows[f.column].nunique() > 1), rows)


def question(dataset: Dataset) -> Question:
    """All of them. Raises NotRecorded where these are fewer than two, or too few patients died."""
    asked, least = known(dataset), max(LEAST_EVENTS, dataset.mask_below)
    if len(asked.factors) < 2:
        raise NotRecorded(
            "A choice among factors cannot be shown: this dataset has fewer than two factors of "
            "overall survival that all its patients can have."
        )
    if asked.size["events"] < least:
        raise NotRecorded(
            f"A choice among factors cannot be judged: fewer than {least} patients of this dataset "
            "who are known in every factor died."
        )
    return asked


def kept_table(dataset: Dataset) -> pd.DataFrame:
    """A row for each of a few resamples, a column for each factor, true where it is kept."""
    asked = question(dataset)
    boot = resampling.bootstrap(asked.rows, asked.columns, RESAMPLES, SEED, SELECTION_LEVEL)
    kept = {f.label: [f.column in r.kept for r in boot.resamples] for f in asked.factors}
    return pd.DataFrame(kept, index=pd.RangeIndex(1, RESAMPLES + 1, name="resample"))


def coin(table: pd.DataFrame) -> str:
    """The factor whose share of resamples is nearest to one half; of equals the first."""
    return (table.mean() - 0.5).abs().round(9).idxmin()


def exercise_1(dataset: Dataset) -> Exercise:
    """The chance that at least one of k factors without meaning has P below .05."""
    k, level = len(question(dataset).factors), SELECTION_LEVEL
    return Exercise(
        1 - (1 - level) ** k,
        "The chance that none of them has it is .95 to the power of k. Subtract that from 1.",
        [
            (
                k * level,
                "That is the expected number of them. It can exceed 1, so it is not a chance.",
            ),
            ((1 - level) ** k, "That is the chance that none of them has it."),
            (level**k, "That is the chance that all of them have it."),
            (level, "That is the chance of each, alone."),
        ],
    )


def exercise_2(dataset: Dataset) -> Exercise:
    """The inclusion frequency of the factor nearest to a coin's toss."""
    table = kept_table(dataset)
    mine = table[coin(table)]
    number, all_kept, some = mine.sum(), table.to_numpy().sum(), table.any(axis=1).sum()
    return Exercise(
        mine.mean(),
        "It is the mean of its column: the resamples that keep it, of all.",
        [
            (1 - mine.mean(), "That is the share that leaves it out."),
            (number, "That is a number of resamples. A share is asked for."),
            (_part(number, all_kept), "You divided by everything that is kept."),
            (_part(number, some), "A resample that keeps nothing counts, too."),
        ],
    )


def exercise_3(dataset: Dataset) -> Exercise:
    """The factor of which the resamples are least sure."""
    table = kept_table(dataset)
    shares = table.mean()
    mistakes = [
        (shares.idxmin(), "The resamples agree about it: they leave it out."),
        (shares.idxmax(), "The resamples agree about it: they keep it."),
    ]
    if (shares > 0.5).any():
        weakest = shares[shares > 0.5].idxmin()
        mistakes.append((weakest, "Another is nearer to one half, on the other side of it."))
    return Exercise(
        coin(table),
        "Whether it is in the model is nearly a coin's toss. Yet it is printed or left out as a "
        "finding.",
        mistakes,
    )


def exercise_4(dataset: Dataset) -> Exercise:
    """How often resamples keep a factor whose P is .01."""
    cut, z = (float(stats.norm.isf(p / 2)) for p in (SELECTION_LEVEL, P_OF_EXERCISE))
    return Exercise(
        float(stats.norm.sf(cut - z) + stats.norm.cdf(-cut - z)),
        "So P of .01 and “kept in about three of four resamples” say the same thing.",
        [
            (1 - P_OF_EXERCISE, "Neither P nor 1 minus P is the chance that the factor is kept."),
            (1 - SELECTION_LEVEL, "That would be so if z of the resamples did not vary."),
            (0.5, "That is so where P is exactly .05: half of the resamples fall below."),
            (float(stats.norm.sf(cut - z, scale=2**0.5)), "The standard deviation is 1."),
            (float(stats.norm.cdf(cut - z)), "That is the share of the resamples below 1.96."),
        ],
    )


def _part(part: float, whole: float) -> float:
    return part / whole if whole else np.nan
