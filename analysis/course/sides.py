"""The two sides of a factor: how far both are followed, and what they are called."""

from __future__ import annotations

import math
from dataclasses import dataclass
from io import StringIO

import pandas as pd

from .. import survival
from ..dataset.covariates import covariate_rows
from ..dataset.endpoints import Endpoint
from ..dataset.model import Dataset, Factor
from ..page.units import unit_of
from ..study.curves import last_month
from ..study.models import factors_of
from .events import in_two, outcome_of
from .worked import Value

MOST = 20  # horizons that the reader may choose
ROOM = 24  # characters of a curve's name on a phone


@dataclass(frozen=True)
class Question:
    """An outcome by a factor of two sides: its start-stop `rows`, one a patient.

    `tested` has P of the lesson's test for each column that was looked at.
    """

    factor: Factor
    rows: pd.DataFrame
    tested: pd.Series

    @property
    def patients(self) -> pd.DataFrame:
        """Their `days`, whether each `died`, and whether they are on the `first`-named side."""
        days, died, first = self.rows["stop"], self.rows["event"] > 0, self.rows[self.factor.column]
        return pd.DataFrame({"days": days, "died": died, "first": first > 0})

    @property
    def split(self) -> float:
        """The day by which half of the deaths had happened."""
        return survival.early_and_late(self.rows, self.factor.column)[0]


def two_sided(
    dataset: Dataset, main: Endpoint, column: str = ""
) -> dict[str, tuple[Factor, pd.DataFrame]]:
    """The baseline factors of all patients that have two sides, or the one of a `column`.

    Of randomised arms that are more than two, these are two of them, see `randomised_factor`.

    Each with its `covariate_rows`; only those of which neither side is too small to be shown.
    """
    found = {}
    for factor in in_two(dataset, factors_of(dataset, main)):
        sided = factor.kind == "baseline" and factor.numerator and not factor.among
        if sided and column in ("", factor.column):
            rows = covariate_rows(dataset, main, [factor])
            sides = rows[factor.column].value_counts()
            if len(sides) == 2 and sides.min() >= dataset.mask_below:
                found[factor.column] = (factor, rows)
    return found


def horizons(dataset: Dataset, asked: Question) -> list[float]:
    """Even steps of whole months, or of what is shorter, as far as both sides are followed."""
    grid = unit_of(dataset.settings).grid
    longest = max(1, math.floor(_followed(dataset, asked) / grid))
    even = (1, 2, 3, 4, 6, 12, 24)
    step = next((s for s in even if longest / s <= MOST), math.ceil(longest / MOST))
    return [float(number * grid) for number in range(step, longest + 1, step)]


def landmarks(dataset: Dataset, asked: Question) -> list[float]:
    """The landmarks to which both sides are followed, or else the last of the horizons."""
    end = _followed(dataset, asked)
    within = [month for month in dataset.settings.months if month <= end]
    return within or [horizons(dataset, asked)[-1]]


def _followed(dataset: Dataset, asked: Question) -> float:
    sides = asked.patients.groupby("first")["days"]
    return min(last_month(dataset, days) for _, days in sides)


def side_names(factor: Factor) -> list[str]:
    """The names of the curves of both sides: the shortest that tell them apart on a phone."""
    sides = [" or ".join(side) for side in (factor.numerator, factor.denominator)]
    names = [f"{factor.label.partition(' (')[0]}: {side}" for side in sides]
    if max(map(len, names)) <= ROOM:
        return names
    short = zip(sides, ("first side", "others"), strict=True)
    return [side if len(side) <= ROOM else instead for side, instead in short]


def of_sides(factor: Factor, turned: bool = False) -> str:
    """Whose the patients of a task are, and which of them are `first` in its table."""
    sides = [" or ".join(side) for side in (factor.numerator, factor.denominator)]
    first, other = reversed(sides) if turned else sides
    name = factor.label.partition(" (")[0]
    return f"of this dataset; first: {name}, {first}; other: {other}"


def side_values(dataset: Dataset, factor: Factor) -> list[list]:
    """The values of a factor's column on the first-named side and on the other.

    As pandas reads them from the patients' file where only a blank is missing: the number 0, where
    a dataset may have the text.
    """
    text = dataset.patients[[factor.column]].to_csv()
    read = pd.read_csv(StringIO(text), index_col=0, keep_default_na=False, na_values="")
    rows = covariate_rows(dataset, outcome_of(dataset), [factor]).set_index("patient")
    values = read[factor.column].groupby(rows[factor.column]).unique()
    return [values[side].tolist() for side in (1.0, 0.0)]


def side_columns(dataset: Dataset, factor: Factor) -> dict[str, Value]:
    """What a worked piece calls a factor and the values of its two sides."""
    first, second = side_values(dataset, factor)
    return {"factor": factor.column, "first": first, "second": second}
