"""Smooth curves: what each of many events says goes on over time, and a factor that bends."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from .curves import Z
from .regression import CoxFit
from .sums import quantiles


def local_line(
    x: np.ndarray, y: np.ndarray, at: np.ndarray, span: float
) -> tuple[np.ndarray, np.ndarray]:
    """At each place the value of a line through the points around it (Cleveland 1979).

    `x` and `y` are (n,). At each of `at` (m,) the nearest `span` times n points count, by tricube
    weights, once: nothing is done again without outliers. Returns the fits (m,), and for each the
    root of the sum of its squared weights (m,): a fit's standard error is that times the standard
    deviation of a point. It is R's `loess` of degree 1, without its interpolation.
    """
    x, y = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    nearest = min(len(x), max(2, math.ceil(span * len(x))))
    fits, norms = [], []
    for place in at:
        distance = np.abs(x - place)
        reach = np.sort(distance)[nearest - 1] or 1.0  # all of them may lie on the place
        weight = np.clip(1 - (distance / (reach * (1 + 1e-9))) ** 3, 0, None) ** 3
        centre = (weight * x).sum() / weight.sum()
        spread = (weight * (x - centre) ** 2).sum()
        slope = (place - centre) * (x - centre) / spread if spread > 0 else 0.0
        row = weight * (1 / weight.sum() + slope)
        fits.append(row @ y)
        norms.append(np.sqrt(row @ row))
    return np.array(fits), np.array(norms)


def knots(x: np.ndarray, number: int = 4, many: np.ndarray | None = None) -> np.ndarray:
    """Where a `spline` of some values bends: 3 or 4 of their quantiles (Harrell 2015, table 2.3).

    `many` (n,) is of how many patients each value is, where of more than one.

    Raises ValueError where two of them are the same value.
    """
    shares = {3: (0.10, 0.50, 0.90), 4: (0.05, 0.35, 0.65, 0.95)}[number]
    found = quantiles(x, shares, many)
    if not (np.diff(found) > 0).all():
        raise ValueError(f"no {number} different knots among these values")
    return found


def spline(x: np.ndarray, knots: np.ndarray) -> np.ndarray:
    """Restricted cubic spline basis (Stone & Koo 1985; Harrell 2015, section 2.4.5).

    Returns (n, k - 1) for k `knots`: `x` itself, then its bends, in the unit of `x`, that is over
    the squared distance of the outer knots. The curve is straight beyond those.
    """
    x, knots = np.asarray(x, dtype=float), np.asarray(knots, dtype=float)
    cubes = (x[:, None] - knots).clip(min=0) ** 3
    *inner, last, end = knots
    share = (end - np.array(inner)) / (end - last)
    bends = cubes[:, :-2] - cubes[:, [-2]] * share + cubes[:, [-1]] * (share - 1)
    return np.column_stack([x, bends / (end - knots[0]) ** 2])


def spline_ratios(
    fit: CoxFit, columns: Sequence[str], knots: np.ndarray, at: np.ndarray, against: float
) -> pd.DataFrame:
    """Hazard ratios of some values of a factor against one other, by the `columns` of its `spline`.

    Returns `hazard_ratio`, `lower`, `upper` (Wald), indexed by `at`: at `against` itself, 1 without
    limits. Missing where the model has no estimate.
    """
    places = fit.estimates.index.get_indexer(list(columns))
    moved = spline(at, knots) - spline(np.array([against]), knots)
    beta = fit.estimates["beta"].to_numpy()[places]
    log_ratio = moved @ beta
    own = fit.covariance[np.ix_(places, places)]
    se = np.sqrt(np.einsum("ij,jk,ik->i", moved, own, moved))
    width = Z * np.where(moved.any(axis=1), se, np.nan)
    ratios = {"hazard_ratio": log_ratio, "lower": log_ratio - width, "upper": log_ratio + width}
    with np.errstate(over="ignore"):
        return np.exp(pd.DataFrame(ratios, index=pd.Index(at, name="value")))
