"""A smooth through points: how what each of many events says goes on over time."""

from __future__ import annotations

import math

import numpy as np


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
