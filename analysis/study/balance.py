"""How far groups lie apart in what was known before they began: standardised differences."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ..dataset.definitions import Compare
from ..dataset.model import Characteristic, Dataset
from ..page.groups import in_column


def standardised_difference(one: pd.Series, other: pd.Series) -> float:
    """How many standard deviations two groups lie apart in a characteristic, without a sign.

    Of numbers the difference of the means over the root of the mean variance (Cohen 1988); of
    categories the same for all of their shares together (Yang & Dalton 2012). Who is not known is
    left out. Missing where a group is empty, and where two differ that do not vary: no spread is
    there to measure it by.
    """
    one, other = one.dropna(), other.dropna()
    if one.empty or other.empty:
        return np.nan
    if pd.api.types.is_numeric_dtype(one):
        apart = one.mean() - other.mean()
        spread = np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / 2)
        if spread > 0:
            return float(abs(apart) / spread)
        return 0.0 if apart == 0 else np.nan
    levels = sorted({*one, *other})[1:]  # one share follows from the others
    shares = [np.array([(group == level).mean() for level in levels]) for group in (one, other)]
    apart = shares[0] - shares[1]
    spread = sum(np.diag(share) - np.outer(share, share) for share in shares) / 2
    if not len(levels) or not apart.any():
        return 0.0
    solved = np.linalg.pinv(spread, hermitian=True) @ apart
    inside = np.allclose(spread @ solved, apart)
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
                        values[level == other], values[level == compare.reference]
                    )
                    group = in_column(entry.column, f"{compare.column}={other}")
                    n = int((level.isin([other, compare.reference]) & values.notna()).sum())
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
