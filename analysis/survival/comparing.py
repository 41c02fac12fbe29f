"""Two groups beside each other: differences, and curves by a state that changes on the way."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from .curves import RiskSets, Z, product_limit, restricted_mean, since_entry, survival_curve
from .times import met


@dataclass(frozen=True)
class Difference:
    """A difference of two estimates, in their unit, with its normal limits and P."""

    estimate: float
    se: float
    lower: float
    upper: float
    p: float


def difference(one: tuple[float, float], other: tuple[float, float]) -> Difference:
    """The first of two independent estimates less the second, each `(estimate, standard error)`.

    Their variances add up. The limits and P are missing where an error is missing, or both are 0.
    """
    found, se = one[0] - other[0], float(np.hypot(one[1], other[1]))
    if not se > 0:
        return Difference(found, se, np.nan, np.nan, np.nan)
    p = float(2 * stats.norm.sf(abs(found) / se))
    return Difference(found, se, found - Z * se, found + Z * se, p)


def restricted_mean_difference(
    time: np.ndarray,
    observed: np.ndarray,
    group: np.ndarray,
    horizon: float,
    entry: np.ndarray | None = None,
) -> Difference:
    """Restricted mean of group 1 less that of group 0 (Royston & Parmar 2013).

    `time`, `observed`, `group` (0 or 1) and `entry` are (n,). The variances of the two
    `restricted_mean` add up. It asks nothing of the hazards. Missing where a group is empty or its
    follow-up ends before the horizon, the limits and P also where a group has no event by then, and
    so no standard error. Raises ValueError for a group other than 0 and 1.
    """
    time, observed, group = np.asarray(time), np.asarray(observed), np.asarray(group)
    entry, time = since_entry(time, entry)
    if not np.isin(group, (0, 1)).all():
        raise ValueError("a group other than 0 and 1")
    sides = [group == side for side in (0, 1)]
    if not all(side.any() for side in sides):
        return Difference(*[np.nan] * 5)
    without, with_it = (
        restricted_mean(survival_curve(time[side], observed[side], entry[side]), horizon)
        for side in sides
    )
    return difference(with_it, without)


def switching_curves(
    rows: pd.DataFrame, column: str, landmark: float = -np.inf
) -> dict[int, pd.DataFrame]:
    """Survival by the present state of a factor that switches (Simon & Makuch 1984).

    `rows` are start-stop, as `covariate_rows` gives them, and `column` is 0 or 1: a
    patient is at risk in the curve of their state, so that 0 loses them by a switch and 1 gains
    them. Kaplan-Meier with delayed entry; at risk at t are the rows with start < t <= stop.

    From a `landmark` on, only what comes after it counts: an event on its very day does not, and
    who switches on it is in the new state. The times stay those of `rows`.

    Without a landmark the first risk sets of state 1 hold a few patients each. One event among one
    patient takes the curve to 0, where it stays however many enter later; so it does in R. A
    landmark by which enough have switched avoids it. The curve belongs to no group of patients: it
    is what would be seen if the risk of each day were that of those in the state on that day.

    Returns a frame for each state that anybody is in, by 0 and 1. It is indexed by the distinct
    times of entry and exit, and the landmark or 0, with `at_risk` (just before the time; at the
    landmark just after it), `events`, `censored` (followed no longer), `entered` and `left` (by a
    switch or a late start; from the next time on), `survival`, `lower`, `upper` (log-log; missing
    where survival is 0 or 1). Raises ValueError for a value other than 0 and 1.
    """
    if not rows[column].isin((0, 1)).all():
        raise ValueError(f"{column}: a value other than 0 and 1")
    rows = rows.sort_values(["patient", "start"])
    near = rows[["patient", column]]
    rows = rows.assign(
        observed=rows["event"] > 0,
        begins=near.ne(near.shift()).any(axis=1),
        follows=rows["patient"].eq(rows["patient"].shift(-1)),
        ends=near.ne(near.shift(-1)).any(axis=1),
    )
    landmark = float(met(landmark, rows[["start", "stop"]]))
    rows["start"] = rows["start"].where(rows["start"] > landmark, -np.inf)
    rows = rows[rows["stop"] > landmark]
    origin = max(landmark, 0.0)
    groups = ((state, rows[rows[column] == state]) for state in (0, 1))
    return {state: _delayed_curve(group, origin) for state, group in groups if len(group)}


def _delayed_curve(rows: pd.DataFrame, origin: float) -> pd.DataFrame:
    """Kaplan-Meier of start-stop rows, at risk in start < t <= stop; from `origin` on."""
    sets = RiskSets(rows["stop"], rows["start"], origin)
    counts = {
        "at_risk": sets.at_risk,
        "events": sets.count(rows["observed"]),
        "censored": sets.count(~rows["observed"] & ~rows["follows"]),
        "entered": sets.coming(rows["begins"]),
        "left": sets.count(rows["follows"] & rows["ends"]),
    }
    steps = product_limit(sets.at_risk, counts["events"])
    return pd.DataFrame({**counts, **steps}, index=sets.index)
