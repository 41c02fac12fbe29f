"""Sums of rows by place and by weight, and what is solved with them; no statistics."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csc_array

BLOCK = 8192  # rows whose products are summed at once, so that they stay in the processor's cache


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
