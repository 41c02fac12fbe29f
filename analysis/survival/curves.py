"""Kaplan-Meier curves and what is read from them: medians, restricted means, rates, follow-up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from .times import ROUNDING, beyond, met, one_time

CONFIDENCE = 0.95
Z = stats.norm.ppf(0.5 + CONFIDENCE / 2)


def survival_curve(time: np.ndarray, observed: np.ndarray) -> pd.DataFrame:
    """Kaplan-Meier estimate with log-log limits (Kaplan & Meier 1958; Borgan & Liestoel 1990).

    `time` (n,) is 0 or more, `observed` (n,) is true for an event. Returns a frame indexed by the
    distinct times and 0, with `at_risk` (just before the time), `events`, `censored`, `survival`,
    `lower`, `upper`. The limits are missing where survival is 0 or 1: log(-log S) has no value.
    """
    (time,) = one_time(time)
    observed = np.asarray(observed) > 0
    times, places = np.unique([0.0, *time], return_inverse=True)
    events, censored = (
        np.bincount(places[1:][which], minlength=len(times)) for which in (observed, ~observed)
    )
    ends = events + censored
    at_risk = len(time) - ends.cumsum() + ends
    staying = at_risk - events
    with np.errstate(divide="ignore", invalid="ignore"):  # the last may leave nobody
        survival = np.exp(np.cumsum(np.log(staying) - np.log(at_risk)))
        variance = np.where(staying > 0, events / (at_risk * staying), 0.0).cumsum()
        centre, width = np.log(-np.log(survival)), Z * np.sqrt(variance) / np.log(survival)
        limits = [np.exp(-np.exp(centre + sign * width)) for sign in (-1, 1)]
    inside = (survival > 0) & (survival < 1)
    lower, upper = (np.where(inside, limit, np.nan) for limit in limits)
    return pd.DataFrame(
        {
            "at_risk": at_risk,
            "events": events,
            "censored": censored,
            "survival": survival,
            "lower": lower,
            "upper": upper,
        },
        index=pd.Index(times, name="time"),
    )


def median(curve: pd.DataFrame) -> tuple[float, float, float]:
    """Median survival and its limits (Brookmeyer & Crowley 1982); NaN where it is not reached."""
    limits = (_half(curve[column]) for column in ("survival", "lower", "upper"))
    return tuple(limits)


def _half(survival: pd.Series) -> float:
    """First time at or below one half; where it stays at exactly one half, the stretch's middle."""
    tolerance = 1e-9  # a product of fractions misses 0.5 by rounding only
    reached = survival[survival <= 0.5 + tolerance]
    if reached.empty:
        return np.nan
    below = reached[reached < 0.5 - tolerance]
    if reached.iloc[0] < 0.5 - tolerance or below.empty:
        return float(reached.index[0])
    return float((reached.index[0] + below.index[0]) / 2)


def follow_up(time: np.ndarray, observed: np.ndarray) -> tuple[float, float, float]:
    """Reverse Kaplan-Meier median follow-up and its limits (Schemper & Smith 1996)."""
    return median(survival_curve(time, np.asarray(observed) == 0))


def at(curve: pd.DataFrame, times: Sequence[float], carry: float = 0.0) -> pd.DataFrame:
    """A curve's values at `times`; past the end of its follow-up they are missing.

    Nobody is followed there, so nobody knows. Only where all who were left had an event, so that
    nothing can change any more, and up to `carry` past the end the last values are carried forward.
    `at_risk` counts those still followed just before each time, so 0 past the end; `censored` those
    who left before it, and `events` the events up to and including it. Takes a `survival_curve` or
    a `cumulative_incidence`.
    """
    times = np.asarray(times, dtype=float)
    own = met(times, curve.index)
    passed = np.searchsorted(curve.index, own, side="right")
    first_left = np.searchsorted(curve.index, own, side="left")
    counts = ["at_risk", "events", "censored", "other_events", "entered", "left"]
    values = curve.drop(columns=counts, errors="ignore").iloc[passed - 1].set_axis(times)
    values["at_risk"] = np.append(curve["at_risk"], 0)[first_left]
    values["censored"] = np.append(0.0, curve["censored"].cumsum())[first_left]
    values["events"] = np.append(0.0, curve["events"].cumsum())[passed]
    end = curve.index[-1] + carry
    told = (first_left < len(curve)) | (times <= end * (1 + ROUNDING)) | nobody_is_left(curve)
    unknown = values.columns.drop("at_risk")
    values.loc[~told, unknown] = np.nan
    return values


def nobody_is_left(curve: pd.DataFrame) -> bool:
    """Whether all had an event who were followed to the last time, so that nothing can change."""
    if "survival" in curve:
        return bool(curve["survival"].iloc[-1] == 0)
    last = curve.iloc[-1]
    return bool(last["at_risk"] == last["events"] + last["other_events"])


def restricted_mean(curve: pd.DataFrame, horizon: float) -> tuple[float, float]:
    """Mean survival time up to `horizon` and its standard error (Klein & Moeschberger 4.5).

    Both are missing where follow-up ends before the horizon and anybody is left without an event:
    the area beyond is not known. The error is missing where no event has come by the horizon, or
    all of them at once, where the formula would give 0.
    """
    horizon = float(met(horizon, curve.index))
    if horizon > curve.index[-1] and not nobody_is_left(curve):
        return np.nan, np.nan
    steps = curve[curve.index < horizon]
    width = np.diff(np.append(steps.index, horizon))
    area = steps["survival"].to_numpy() * width
    remaining = area[::-1].cumsum()[::-1]
    events, at_risk = steps["events"].to_numpy(), steps["at_risk"].to_numpy()
    survivors = at_risk - events
    hazard_variance = np.divide(
        events, at_risk * survivors, out=np.zeros(len(steps)), where=survivors > 0
    )
    error = float(np.sqrt((remaining**2 * hazard_variance).sum()))
    return float(area.sum()), error if error > 0 else np.nan


def survival_at(curve: pd.DataFrame, time: float) -> tuple[float, float]:
    """A `survival_curve` at a time and its standard error (Greenwood 1926); missing past its end.

    The error is missing at 0 and 1 too, where the formula would give 0.
    """
    share = float(at(curve, [time])["survival"].iloc[0])
    steps = curve[~beyond(curve.index, time)]
    events, at_risk = steps["events"].to_numpy(), steps["at_risk"].to_numpy()
    survivors = at_risk - events
    parts = np.divide(events, at_risk * survivors, out=np.zeros(len(steps)), where=survivors > 0)
    return share, share * float(np.sqrt(parts.sum())) if 0 < share < 1 else np.nan


@dataclass(frozen=True)
class Rate:
    """Events per unit of the time that was lived through, with exact Poisson limits."""

    estimate: float
    lower: float
    upper: float
    n: int  # still followed after the start
    events: int
    exposure: float  # time lived through after the start, by all of them together


def event_rate(time: np.ndarray, observed: np.ndarray, start: float = 0.0) -> Rate:
    """Events after `start` for the time lived after it; limits after Garwood (1936).

    Who has the event or leaves on `start` itself is no longer followed after it. Without exposure
    the three numbers are missing; without events the lower limit is 0.
    """
    time, observed = np.asarray(time, dtype=float), np.asarray(observed) > 0
    after = beyond(time, start)
    events = int((after & observed).sum())
    exposure = float((time[after] - start).sum())
    if not after.any():
        return Rate(np.nan, np.nan, np.nan, 0, 0, 0.0)
    tail = (1 - CONFIDENCE) / 2
    lower = stats.chi2.ppf(tail, 2 * events) / 2 if events else 0.0
    upper = stats.chi2.isf(tail, 2 * events + 2) / 2
    shares = (events / exposure, lower / exposure, upper / exposure)
    return Rate(*(float(share) for share in shares), int(after.sum()), events, exposure)


def log_log_limits(share: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Limits of a share with its standard error, symmetric on the scale log(-log p).

    Missing where the share is 0 or 1: the scale has no value there.
    """
    inside = np.where((share > 0) & (share < 1 - 1e-12), share, np.nan)
    centre = np.log(-np.log(inside))
    half_width = Z * error / np.abs(inside * np.log(inside))
    return np.exp(-np.exp(centre + half_width)), np.exp(-np.exp(centre - half_width))
