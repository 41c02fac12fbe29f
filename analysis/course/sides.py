"""The two sides of a factor, for whoever computes without this book."""

from __future__ import annotations

import shlex
from io import StringIO

import pandas as pd

from ..dataset.covariates import covariate_rows
from ..dataset.model import Dataset, Factor
from .events import outcome_of


def queries(dataset: Dataset, factor: Factor) -> list[str]:
    """The patients of the first-named side and of the other, as `DataFrame.query` asks for them.

    The values are those that pandas reads from the patients' file where only a blank is missing:
    the number 0, where a dataset may have the text. Quoted for the first line of plain code.
    """
    text = dataset.patients[[factor.column]].to_csv()
    read = pd.read_csv(StringIO(text), index_col=0, keep_default_na=False, na_values="")
    rows = covariate_rows(dataset, outcome_of(dataset), [factor]).set_index("patient")
    values = read[factor.column].groupby(rows[factor.column]).unique()
    name = factor.column if factor.column.isidentifier() else f"`{factor.column}`"
    return [shlex.quote(f"{name} in {values[side].tolist()}") for side in (1.0, 0.0)]
