"""When two times are one: R's rule for times that differ by rounding alone."""

from __future__ import annotations

import numpy as np

ROUNDING = np.sqrt(np.finfo(float).eps)  # times that differ by less are one: R's tolerance


def tolerance(times: np.ndarray) -> float:
    """How far apart two of some times may be by rounding alone: R's `timefix` (Therneau 2023).

    1.5e-8 of their mean, each time once and without its sign, but at least of 1.
    """
    known = np.unique(times)
    known = np.abs(known[np.isfinite(known)])
    return ROUNDING * max(1.0, known.mean() if len(known) else 0.0)


def one_time(*times: np.ndarray) -> list[np.ndarray]:
    """Times that differ by rounding alone as one time, the first of them: R's `aeqSurv`.

    So 7.1 - 2.3 is 4.8. Neighbours within the `tolerance` of all are one, also in a chain. Takes
    arrays of times on one clock and returns them in the same shapes; what is not finite stays.
    """
    arrays = [np.asarray(array, dtype=float) for array in times]
    known = np.unique(np.concatenate([array.ravel() for array in arrays]))
    known = known[np.isfinite(known)]
    if not len(known):
        return arrays
    firsts = known[np.append(True, np.diff(known) > tolerance(known))]
    return [
        np.where(
            np.isfinite(array), firsts[np.searchsorted(firsts, array, side="right") - 1], array
        )
        for array in arrays
    ]


def met(time: np.ndarray | float, times: np.ndarray) -> np.ndarray:
    """`time`, moved onto the nearest of `times` where only rounding keeps it from that.

    So a landmark of 12 months of 30.4 days, 364.79999999999995, is the day 364.8 of a patient.
    """
    time, known = np.asarray(time, dtype=float), np.unique(times)
    known = known[np.isfinite(known)]
    if not len(known):
        return time
    above = np.searchsorted(known, time).clip(max=len(known) - 1)
    below = (above - 1).clip(min=0)
    nearest = known[np.where(time - known[below] < known[above] - time, below, above)]
    with np.errstate(invalid="ignore"):  # the distance from an infinite time
        return np.where(np.abs(nearest - time) <= tolerance(known), nearest, time)


def beyond(times: np.ndarray, time: float) -> np.ndarray:
    """Which of `times` are later than `time`, by more than rounding."""
    return np.asarray(times, dtype=float) > float(met(time, times))
