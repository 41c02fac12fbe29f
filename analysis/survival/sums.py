"""Sums of rows by place and by weight, and what is solved with them; no statistics."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.sparse import csc_array

BLOCK = 8192  # rows whose products are summed at once, so that they stay in the processor's cache


def middle(values: pd.Series, number: np.ndarray | None = None) -> float:
    """The median of values, each there once or its `number` (n,) of times; missing ones are not."""
    if number is None:
        return values.median()
    known = values.notna().to_numpy()
    value, many = values[known].to_numpy(dtype=float), np.asarray(number)[known]
    if not len(value):
        return np.nan
    order = np.argsort(value, kind="stable")
    passed = many[order].cumsum()
    both = np.searchsorted(passed, [(passed[-1] - 1) // 2, passed[-1] // 2], side="right")
    return float(value[order][both].mean())


def quantiles(
    values: np.ndarray, shares: Sequence[float], number: np.ndarray | None = None
) -> np.ndarray:
    """Quantiles as `numpy.quantile` has them, of values each its `number` (n,) of times."""
    values = np.asarray(values, dtype=float)
    if number is None:
        return np.quantile(values, shares)
    order = np.argsort(values, kind="stable")
    passed = np.asarray(number)[order].cumsum()
    place = (passed[-1] - 1) * np.asarray(shares, dtype=float)
    ends = [np.searchsorted(passed, end(place), side="right") for end in (np.floor, np.ceil)]
    low, high = (values[order][end] for end in ends)
    return low + (high - low) * (place - np.floor(place))


def spread(values: pd.Series, number: np.ndarray | None = None) -> tuple[float, float]:
    """Mean and standard deviation of values without a missing one, each its `number` of times."""
    if number is None:
        return values.mean(), values.std()
    value, n = values.to_numpy(dtype=float), number.sum()
    if not n:
        return np.nan, np.nan
    mean = value @ number / n
    return mean, np.sqrt((value - mean) ** 2 @ number / (n - 1)) if n > 1 else np.nan


def bins(place: np.ndarray, number: int) -> csc_array:
    """An empty table in which each row has its place (rows,), one of a `number`."""
    one_each = np.arange(len(place) + 1)
    return csc_array((np.zeros(len(place)), place, one_each), shape=(number, len(place)))


def summed(table: csc_array, weight: np.ndarray, x: np.ndarray | None = None) -> np.ndarray:
    """Sums of weights by place (number,), or of the rows of x (rows, p) by weight (number, p)."""
    if x is None:
        return np.bincount(table.indices, weight, table.shape[0])
    table.data = weight  # no other table is made, which would cost more than few rows do
    return table @ x


def crossed(x: np.ndarray, weight: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Sums of the products of the columns of x (n, p) with those of another, by weight (p, p)."""
    found = (x[:BLOCK].T * weight[:BLOCK]) @ other[:BLOCK]
    for first in range(BLOCK, len(x), BLOCK):
        block = slice(first, first + BLOCK)
        found += (x[block].T * weight[block]) @ other[block]
    return found


def shortest(information: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """The shortest step that solves the equations of Newton (..., p), also where columns depend."""
    values, directions = np.linalg.eigh(information)
    size = np.abs(values)
    known = size > 1e-15 * size.max(axis=-1, keepdims=True)
    along = np.einsum("...ij,...i->...j", directions, gradient)
    along = np.divide(along, values, out=np.zeros(along.shape), where=known)
    return np.einsum("...ij,...j->...i", directions, along)


def sums_before(values: np.ndarray) -> np.ndarray:
    """Sums of the rows before each place, from none of them to all."""
    return np.vstack([np.zeros((1, values.shape[1])), values.cumsum(axis=0)])


def sums_after(values: np.ndarray) -> np.ndarray:
    """Sums of the rows from each place on, from all of them to none."""
    return sums_before(values[::-1])[::-1]
