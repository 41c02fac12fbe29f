"""Cumulative incidence of competing events (Aalen and Johansen 1978)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .curves import RiskSets, log_log_limits, since_entry


def cumulative_incidence(
    time: np.ndarray, event: np.ndarray, cause: int, entry: np.ndarray | None = None
) -> pd.DataFrame:
    """Aalen-Johansen incidence of `cause` among competing events (Aalen & Johansen 1978).

    `event` (n,) is 0 for censored, else the number of the cause; `entry` as in `survival_curve`.
    Ties are exact: at each time all causes share one risk set. The variance is the infinitesimal
    jackknife, which R's `survfit` uses. The limits are log-log on the incidence.

    Returns a frame indexed by the distinct times, 0 and the entries after it: `at_risk`, `events`
    (of the cause), `censored`, `other_events`, with an entry also `entered`, then `incidence`,
    `se`, `lower`, `upper`. Raises ValueError where a time is not after its entry.
    """
    event = np.asarray(event)
    begin, time = since_entry(time, entry)
    sets = RiskSets(begin, time)
    events, all_events = sets.count(time[event == cause]), sets.count(time[event > 0])
    counts = {
        "at_risk": sets.at_risk,
        "events": events,
        "censored": sets.count(time) - all_events,
        "other_events": all_events - events,
    }
    if entry is not None:
        counts["entered"] = sets.count(begin[begin >= 0])
    # Where nobody is at risk nothing happens.
    number = np.maximum(sets.at_risk, 1)
    after = np.cumprod(1 - all_events / number)
    before = np.append(1.0, after[:-1])
    incidence = np.cumsum(before * events / number)
    # An event of the cause adds `gain`; leaving at all forgoes `scale` times what is still to come,
    # and that is nothing once no share is left without an event.
    survivors = sets.at_risk - all_events
    scale = np.divide(
        1.0, survivors, out=np.zeros(len(number)), where=(survivors > 0) & (after > 0)
    )
    forgone, gain = np.stack([incidence * scale, scale]), np.stack([before / number, 0 * scale])
    toll = np.cumsum((forgone * all_events + gain * events) / number, axis=1)
    own = forgone[:, sets.place(time)] * (event > 0) + gain[:, sets.place(time)] * (event == cause)
    se = np.sqrt(_jackknife_variance(sets, begin, time, own, toll, incidence))
    lower, upper = log_log_limits(incidence, se)
    steps = {"incidence": incidence, "se": se, "lower": lower, "upper": upper}
    return pd.DataFrame({**counts, **steps}, index=sets.index)


def _jackknife_variance(
    sets: RiskSets,
    begin: np.ndarray,
    time: np.ndarray,
    own: np.ndarray,
    toll: np.ndarray,
    incidence: np.ndarray,
) -> np.ndarray:
    """The sum over patients of their squared influences on the incidence F at each time t.

    A patient's influence on F(t) is the sum over the u <= t at risk of a(u) dM_cause(u) -
    (F(t) - F(u)) b(u) dM_all(u), with a = S(u-) / Y, b = 1 / (Y (1 - dA)) and dM the events less
    what is expected of one at risk. So it is A - F(t) B, where A and B are what their own event
    adds (`own`, (2, n)) less the `toll` (2, times) of each time at risk. Both depend on entry and
    exit alone: squares and products of those who have left, and of those at risk, are cumulative
    sums, with no table of patients by times.
    """
    entered, left = sets.place(begin), sets.place(time)
    paid = np.where(begin < 0, 0.0, toll[:, entered])  # before they came
    whole = own - toll[:, left] + paid

    def summed(values: np.ndarray, places: np.ndarray) -> np.ndarray:
        return np.bincount(places, values, len(sets.times)).cumsum()

    def present(values: np.ndarray) -> np.ndarray:
        return summed(values, entered) - summed(values, left)

    def product(i: int, k: int) -> np.ndarray:
        gone = summed(whole[i] * whole[k], left)
        crossed = toll[i] * present(paid[k]) + toll[k] * present(paid[i])
        number = present(np.ones(len(time)))
        return gone + number * toll[i] * toll[k] - crossed + present(paid[i] * paid[k])

    variance = product(0, 0) - 2 * incidence * product(0, 1) + incidence**2 * product(1, 1)
    return np.maximum(variance, 0.0)  # rounding may leave -1e-20
