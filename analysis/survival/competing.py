"""Cumulative incidence of competing events (Aalen and Johansen 1978)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .curves import RiskSets, log_log_limits


def cumulative_incidence(
    time: np.ndarray,
    event: np.ndarray,
    cause: int,
    entry: np.ndarray | None = None,
    number: np.ndarray | None = None,
) -> pd.DataFrame:
    """Aalen-Johansen incidence of `cause` among competing events (Aalen & Johansen 1978).

    `event` (n,) is 0 for censored, else the number of the cause; `entry` and `number` as in
    `survival_curve`.
    Ties are exact: at each time all causes share one risk set. The variance is the infinitesimal
    jackknife, which R's `survfit` uses. The limits are log-log on the incidence.

    Returns a frame indexed by the distinct times, 0 and the entries after it: `at_risk`, `events`
    (of the cause), `censored`, `other_events`, with an entry also `entered`, then `incidence`,
    `se`, `lower`, `upper`. Raises ValueError where a time is not after its entry.
    """
    event, sets = np.asarray(event), RiskSets(time, entry, number=number)
    kind = np.where(event == cause, 0, np.where(event > 0, 1, 2))
    events, others, censored = leaving = sets.leaving(kind, 3)
    all_events = events + others
    counts = {
        "at_risk": sets.at_risk,
        "events": events,
        "censored": censored,
        "other_events": others,
    }
    if entry is not None:
        counts["entered"] = sets.coming()
    # Where nobody is at risk nothing happens.
    present = np.maximum(sets.at_risk, 1)
    after = np.cumprod(1 - all_events / present)
    before = np.append(1.0, after[:-1])
    incidence = np.cumsum(before * events / present)
    # An event of the cause adds `gain`; leaving at all forgoes `scale` times what is still to come,
    # and that is nothing once no share is left without an event.
    survivors = sets.at_risk - all_events
    scale = np.divide(
        1.0, survivors, out=np.zeros(len(present)), where=(survivors > 0) & (after > 0)
    )
    forgone, gain = np.stack([incidence * scale, scale]), np.stack([before / present, 0 * scale])
    toll = np.cumsum((forgone * all_events + gain * events) / present, axis=1)
    own = [forgone + gain, forgone, np.zeros((2, 1))]
    se = np.sqrt(_jackknife_variance(sets, kind, leaving, own, toll, incidence))
    lower, upper = log_log_limits(incidence, se)
    steps = {"incidence": incidence, "se": se, "lower": lower, "upper": upper}
    return pd.DataFrame({**counts, **steps}, index=sets.index)


def _jackknife_variance(
    sets: RiskSets,
    kind: np.ndarray,
    leaving: np.ndarray,
    own: list[np.ndarray],
    toll: np.ndarray,
    incidence: np.ndarray,
) -> np.ndarray:
    """The sum over patients of their squared influences on the incidence F at each time t.

    A patient's influence on F(t) is the sum over the u <= t at risk of a(u) dM_cause(u) -
    (F(t) - F(u)) b(u) dM_all(u), with a = S(u-) / Y, b = 1 / (Y (1 - dA)) and dM the events less
    what is expected of one at risk. So it is A - F(t) B, where A and B are what their own event
    adds (`own`, (2, times) by kind) less the `toll` (2, times) of each time at risk. Both depend on
    entry, exit and kind alone: all of one kind (n,) who leave on a day, `leaving` (kinds, times),
    count once, and only those who came late, each with what was not `paid`, one by one. Squares
    and products of those who have left, and of those at risk, are cumulative sums.
    """
    whole, still = [added - toll for added in own], np.append(sets.at_risk[1:], 0)
    entered = np.empty(0, int) if sets.entered is None else sets.entered
    late = np.flatnonzero(entered >= 0)
    entered, left = entered[late], sets.left[late]
    paid = toll[:, entered]  # before they came
    theirs = np.choose(kind[late], [kept[:, left] for kept in whole])
    added, many = theirs + paid, 1 if sets.number is None else sets.number[late]

    def summed(values: np.ndarray, places: np.ndarray) -> np.ndarray:
        return np.bincount(places, values * many, len(sets.times)).cumsum()

    def present(values: np.ndarray) -> np.ndarray:
        return summed(values, entered) - summed(values, left)

    def product(i: int, k: int) -> np.ndarray:
        gone = sum(n * kept[i] * kept[k] for n, kept in zip(leaving, whole, strict=True)).cumsum()
        gone += summed(added[i] * added[k] - theirs[i] * theirs[k], left)
        crossed = toll[i] * present(paid[k]) + toll[k] * present(paid[i])
        return gone + still * toll[i] * toll[k] - crossed + present(paid[i] * paid[k])

    variance = product(0, 0) - 2 * incidence * product(0, 1) + incidence**2 * product(1, 1)
    return np.maximum(variance, 0.0)  # rounding may leave -1e-20
