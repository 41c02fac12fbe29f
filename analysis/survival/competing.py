"""Cumulative incidence of competing events (Aalen and Johansen 1978)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .curves import log_log_limits
from .times import one_time


def cumulative_incidence(time: np.ndarray, event: np.ndarray, cause: int) -> pd.DataFrame:
    """Aalen-Johansen incidence of `cause` among competing events (Aalen & Johansen 1978).

    `event` (n,) is 0 for censored, else the number of the cause. Ties are exact: at each time all
    causes share one risk set. The variance is the infinitesimal jackknife, which R's `survfit`
    uses; without delayed entry its cross terms vanish and it becomes the sum over times below.
    The limits are log-log on the incidence.

    Returns a frame indexed by the distinct times and 0: `at_risk`, `events` (of the cause),
    `censored`, `other_events`, `incidence`, `se`, `lower`, `upper`.
    """
    (time,), event = one_time(time), np.asarray(event)
    times, place = np.unique(np.append(0.0, time), return_inverse=True)
    place = place[1:]

    def count(which: np.ndarray) -> np.ndarray:
        return np.bincount(place[which], minlength=len(times))

    leaving = count(np.ones(len(time), dtype=bool))
    at_risk = leaving[::-1].cumsum()[::-1]
    events, all_events = count(event == cause), count(event > 0)
    survival = np.cumprod(1 - all_events / at_risk)
    before = np.append(1.0, survival[:-1])
    incidence = np.cumsum(before * events / at_risk)
    se = np.sqrt(_incidence_variance(at_risk, events, all_events, before, incidence))
    lower, upper = log_log_limits(incidence, se)
    return pd.DataFrame(
        {
            "at_risk": at_risk,
            "events": events,
            "censored": leaving - all_events,
            "other_events": all_events - events,
            "incidence": incidence,
            "se": se,
            "lower": lower,
            "upper": upper,
        },
        index=pd.Index(times, name="time"),
    )


def _incidence_variance(
    at_risk: np.ndarray,
    events: np.ndarray,
    all_events: np.ndarray,
    before: np.ndarray,
    incidence: np.ndarray,
) -> np.ndarray:
    """Variance of the incidence F at each time t, in one pass.

    A patient's influence on F(t) is the sum over u <= t of a(u) dM_cause(u) - b(u, t) dM_all(u),
    with a = S(u-) / Y and b = (F(t) - F(u)) / (Y (1 - dA)). The martingale residuals of different
    times are orthogonal, so the squares add up to a polynomial in F(t) with cumulative sums.
    """
    survivors = at_risk - all_events
    a = before / at_risk
    # Where nobody survives a time, F no longer changes after it and b is 0.
    scale = np.divide(1.0, survivors, out=np.zeros(len(at_risk)), where=survivors > 0)
    own = a**2 * events * (at_risk - events) / at_risk
    cross = a * scale * events * survivors / at_risk
    total = scale**2 * all_events * survivors / at_risk
    return np.maximum(
        np.cumsum(own + 2 * cross * incidence + total * incidence**2)
        - 2 * incidence * np.cumsum(cross + total * incidence)
        + incidence**2 * np.cumsum(total),
        0.0,  # rounding may leave -1e-20
    )
