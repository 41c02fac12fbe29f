"""Hazard ratios from the print alone: what their digits allow of standard error and P."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from ..survival.curves import Z
from .bounds import NotPrinted, Print, Printed

PARTS = ("estimate", "lower", "upper")


@dataclass(frozen=True)
class Ratio:
    """A printed hazard ratio with limits, and what its digits allow (on the log scale).

    `corners` are those of all pairs (log lower limit, log upper limit) whose middle is a possible
    estimate; none where the estimate cannot be the geometric middle of the limits.
    """

    group: str
    model: str
    texts: tuple[str, str, str]
    corners: tuple[tuple[float, float], ...]

    @property
    def symmetric(self) -> bool:
        """Whether the estimate can be the geometric middle of its limits."""
        return bool(self.corners)

    @property
    def error(self) -> tuple[float, float]:
        """Least and largest standard error of the log hazard ratio."""
        widths = [(upper - lower) / (2 * Z) for lower, upper in self.corners]
        return min(widths), max(widths)

    @property
    def beta(self) -> tuple[float, float]:
        """Least and largest log hazard ratio."""
        middles = [(lower + upper) / 2 for lower, upper in self.corners]
        return min(middles), max(middles)

    @property
    def p(self) -> tuple[float, float]:
        """Least and largest two-sided Wald P. Its extremes lie at corners, or at a ratio of 1."""
        scores = [
            (lower + upper) / (upper - lower) if upper > lower else math.copysign(np.inf, lower)
            for lower, upper in self.corners
        ]
        sizes = [Z * abs(score) for score in scores]
        least = 0.0 if min(scores) <= 0 <= max(scores) else min(sizes)
        return float(2 * stats.norm.sf(max(sizes))), float(2 * stats.norm.sf(least))


def printed_ratio(printed: Print, group: str, model: str) -> Ratio:
    """That of a factor in a model, from the print. Raises NotPrinted as `ratio_of` does."""
    quantity = f"hazard_ratio_{model}"
    return ratio_of(group, model, [printed(quantity, group, None, part) for part in PARTS])


def ratio_of(group: str, model: str, parts: Sequence[Printed]) -> Ratio:
    """A ratio from its printed estimate, lower and upper limit.

    Raises NotPrinted where one of them may be 0, which has no logarithm.
    """
    if min(part.range.low for part in parts) <= 0:
        raise NotPrinted("A limit that is printed as 0 has no logarithm.")
    logs = [(math.log(part.range.low), math.log(part.range.high)) for part in parts]
    return Ratio(group, model, tuple(part.text for part in parts), _corners(*logs))


def _corners(
    middle: tuple[float, float], lower: tuple[float, float], upper: tuple[float, float]
) -> tuple[tuple[float, float], ...]:
    """Corners of the rectangle lower x upper, cut to the strip where the mean is in `middle`."""
    found = list(itertools.product(lower, upper))
    for total in (2 * middle[0], 2 * middle[1]):
        found += [(x, total - x) for x in lower] + [(total - y, y) for y in upper]
    slack = 1e-12  # a corner that lies on an edge must not be lost to rounding

    def inside(x: float, y: float) -> bool:
        limits = ((x, lower), (y, upper), ((x + y) / 2, middle))
        return all(low - slack <= value <= high + slack for value, (low, high) in limits)

    return tuple((x, y) for x, y in found if inside(x, y) and y >= x - slack)
