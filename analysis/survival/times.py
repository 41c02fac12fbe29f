"""When two times are one: R's rule for times that differ by rounding alone."""

from __future__ import annotations

import numpy as np

NUMBER = ":number"  # the column of rows that are of several patients alike; no dataset has it
ROUNDING = np.sqrt(np.finfo(float).eps)  # times that differ by less are one: R's tolerance


def tolerance(times: np.ndarray) -> float:
    """How far apart two of some times may be by rounding alone: R's `timefix` (Therneau 2023).

    1.5e-8 of their mean, each time once and without its sign, but at least of 1.
    """
    known = np.unique(times)
    return _tolerance(known[np.isfinite(known)])


def _tolerance(known: np.ndarray) -> float:
    return ROUNDING * max(1.0, np.abs(known).mean() if len(known) else 0.0)


def places(*times: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
    """The distinct ones of some times on one clock, in order, and the place of each among them.

    Times that differ by rounding alone are one, the first of them: R's `aeqSurv`. Neighbours within
    the `tolerance` of all are one, also in a chain. Takes arrays and returns places in the same
    shapes: -1 for what is before all times, that is -inf, and their number for what else is not
    finite.
    """
    arrays = [np.asarray(array, dtype=float) for array in times]
    values = np.concatenate([array.ravel() for array in arrays])
    finite = np.isfinite(values)
    if finite.all():
        distinct, place = _ranked(values)
    else:
        distinct, own = _ranked(values[finite])
        place = np.where(values == -np.inf, -1, len(distinct))
        place[finite] = own
    parts = np.split(place, np.cumsum([array.size for array in arrays])[:-1])
    shapes = (array.shape for array in arrays)
    return distinct, [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]


def _ranked(known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`places` of finite times (n,); whole days are counted, and only others are sorted."""
    low, high = (known.min(), known.max()) if len(known) else (0.0, 0.0)
    whole = high - low <= 4 * len(known) and max(-low, high) < 1 / ROUNDING
    if whole and (np.floor(known) == known).all():
        day = (known - low).astype(int)
        there = np.bincount(day) > 0
        return np.flatnonzero(there) + low, (np.cumsum(there) - 1)[day]
    order = np.argsort(known)
    ranked = known[order]
    gaps = np.append(np.inf, np.diff(ranked))
    new = gaps > _tolerance(ranked[gaps > 0])
    place = np.empty(len(known), dtype=int)
    place[order] = np.cumsum(new) - 1
    return ranked[new], place


def one_time(*times: np.ndarray) -> list[np.ndarray]:
    """Times that differ by rounding alone as one time, the first of them, as `places` has it.

    So 7.1 - 2.3 is 4.8. Takes arrays of times on one clock and returns them in the same shapes;
    what is not finite stays.
    """
    firsts, found = places(*times)
    firsts = np.append(firsts, np.nan)  # for what is not finite
    arrays = [np.asarray(array, dtype=float) for array in times]
    return [
        np.where(np.isfinite(array), firsts[place], array)
        for array, place in zip(arrays, found, strict=True)
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
