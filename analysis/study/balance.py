"""How far groups lie apart in what was known before they began: standardised differences."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ..dataset.definitions import Compare
from ..dataset.model import Characteristic, Dataset
from ..page.groups import in_column
from ..survival.sums import spread


def standardised_difference(
    one: pd.Series, other: pd.Series, number: pd.Series | None = None
) -> float:
    """How many standard deviations two groups lie apart in a characteristic, without a sign.

    Of numbers the difference of the means over the root of the mean variance (Cohen 1988); of
    categories the same for all of their shares together (Yang & Dalton 2012). Who is not known is
    left out, and each counts once, or as the `number` of patients of its row. Missing where a group
    is empty, and where two differ that do not vary: no spread is there to measure it by.
    """
    one, other = one.dropna(), other.dropna()
    if one.empty or other.empty:
        return np.nan
    many = [None if number is None else number[group.index].to_numpy() for group in (one, other)]
    if pd.api.types.is_numeric_dtype(one):
        (mean, sd), (other_mean, other_sd) = map(spread, (one, other), many)
        within = np.sqrt((sd**2 + other_sd**2) / 2)
        if within > 0:
            return float(abs(mean - other_mean) / within)
        return 0.0 if mean == other_mean else np.nan
    levels = sorted({*one, *other})[1:]  # one share follows from the others
    shares = [
        np.array([np.average(group == level, weights=own) for level in levels])
        for group, own in zip((one, other), many, strict=True)
    ]
    apart = shares[0] - shares[1]
    within = sum(np.diag(share) - np.outer(share, share) for share in shares) / 2
    if not len(levels) or not apart.any():
        return 0.0
    solved = np.linalg.pinv(within, hermitian=True) @ apart
    inside = np.allclose(within @ solved, apart)
    return float(np.sqrt(apart @ solved)) if inside else np.nan


def balance_rows(dataset: Dataset, kinds: tuple[str, ...], compare: Compare) -> Iterator[dict]:
    """`standardised_difference` of each characteristic between each group and the reference."""
    level = dataset.groups(compare.column)
    for entry in dataset.characteristics:
        if entry.kind in kinds and entry.column != compare.column:
            values = _values(dataset, entry)
            for other in dataset.levels(compare.column):
                if other != compare.reference:
                    found = standardised_difference(
                        values[level == other],
                        values[level == compare.reference],
                        dataset.number,
                    )
                    group = in_column(entry.column, f"{compare.column}={other}")
                    both = level.isin([other, compare.reference]) & values.notna()
                    n = dataset.many(both)
                    yield {
                        "quantity": "standardised_difference",
                        "group": group,
                        "estimate": found,
                        "n": n,
                    }


def _values(dataset: Dataset, entry: Characteristic) -> pd.Series:
    """What a characteristic says of each patient it is asked of."""
    values = dataset.patients[entry.column]
    if not entry.statistics:
        values = dataset.groups(entry.column)
    return values.where(dataset.happened(entry.among)) if entry.among else values
