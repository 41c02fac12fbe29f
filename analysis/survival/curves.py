"""Kaplan-Meier curves and what is read from them: medians, restricted means, rates, follow-up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from .times import ROUNDING, beyond, met, one_time, places

CONFIDENCE = 0.95
Z = stats.norm.ppf(0.5 + CONFIDENCE / 2)


class RiskSets:
    """The distinct times of entry and exit from `origin` on, and how many are at risk before each.

    At risk at t are those with entry < t <= time: who enters on a day is not yet at risk on it.
    Without an `entry`, or with one of -inf, they are there from the start, so that an event on day
    0 counts. The one counting of all curves: `time` and `entry` are (n,), and rounding is removed.
    `left` and `entered` (n,) are their places among `times`, -1 for who is there from the start;
    `entered` is None where all are. Each counts once, or as the `number` (n,) of patients that a
    row stands for. Raises ValueError where a time is not after its entry: nobody was seen at risk
    then.
    """

    def __init__(
        self,
        time: np.ndarray,
        entry: np.ndarray | None = None,
        origin: float = 0.0,
        number: np.ndarray | None = None,
    ) -> None:
        self.number = number
        entered = None
        if entry is None:
            times, (left,) = places(time)
        else:
            times, (left, entered) = places(time, entry)
            if not (entered < left).all():
                raise ValueError("a time that is not after its entry")
            there = times >= origin  # an earlier entry is from the start
            there[left] = True
            place = np.append(np.cumsum(there) - 1, -1)
            times, left, entered = times[there], place[left], place[entered]
        first = np.searchsorted(times, origin)
        if origin not in times[first : first + 1]:
            times = np.insert(times, first, origin)
            left += left >= first
            entered = entered if entered is None else entered + (entered >= first)
        self.times, self.left, self.entered = times, left, entered
        self.index = pd.Index(times, name="time")
        self.at_risk = self.among()

    def among(self, who: np.ndarray | slice = slice(None)) -> np.ndarray:
        """How many of some patients (n,) are at risk at each time: yet to leave, and come."""
        staying = self.count(who)
        if self.entered is not None:
            staying -= self.coming(who)
        return staying[::-1].cumsum()[::-1]

    def count(self, who: np.ndarray | slice = slice(None)) -> np.ndarray:
        """How many of some patients (n,) leave on each time."""
        return self._counted(self.left, who, len(self.times))

    def coming(self, who: np.ndarray | slice = slice(None)) -> np.ndarray:
        """How many of some patients (n,) enter on each time, without those there from the start."""
        return self._counted(self.entered + 1, who, len(self.times) + 1)[1:]

    def leaving(self, kind: np.ndarray, number: int) -> np.ndarray:
        """How many of each kind leave on each time (number, times); `kind` (n,), -1 for none."""
        return self._table(kind, number, self.left)

    def _counted(self, place: np.ndarray, who: np.ndarray | slice, longest: int) -> np.ndarray:
        number = None if self.number is None else self.number[who]
        return patients_at(place[who], longest, number)

    def staying(self, kind: np.ndarray, number: int) -> np.ndarray:
        """How many of each kind are at risk at each time (number, times); likewise."""
        staying = self.leaving(kind, number)
        if self.entered is not None:
            late = np.where(self.entered < 0, -1, kind)
            staying -= self._table(late, number, self.entered.clip(min=0))
        return staying[:, ::-1].cumsum(axis=1)[:, ::-1]

    def _table(self, kind: np.ndarray, number: int, place: np.ndarray) -> np.ndarray:
        times = len(self.times)
        cells = patients_at((kind + 1) * times + place, (number + 1) * times, self.number)
        return cells.reshape(number + 1, times)[1:]


def patients_at(place: np.ndarray, places: int, number: np.ndarray | None = None) -> np.ndarray:
    """How many patients are at each place (places,): a row each, or the `number` (n,) of a row."""
    if number is None:
        return np.bincount(place, minlength=places)
    return np.bincount(place, number, places).astype(int)  # exact: below 2^53


def patients_of(number: np.ndarray | None, which: np.ndarray) -> int:
    """How many patients `which` (n,) is true for: of a row each, or the `number` (n,) of a row."""
    return int(which.sum() if number is None else number[which].sum())


def since_entry(time: np.ndarray, entry: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Entry and time on one clock, rounding removed; without an entry all are there from the start.

    Raises ValueError where a time is not after its entry: nobody was seen at risk then.
    """
    if entry is None:
        (time,) = one_time(time)
        return np.full(len(time), -np.inf), time
    entry, time = one_time(entry, time)
    if not (time > entry).all():
        raise ValueError("a time that is not after its entry")
    return entry, time


def survival_curve(
    time: np.ndarray,
    observed: np.ndarray,
    entry: np.ndarray | None = None,
    number: np.ndarray | None = None,
) -> pd.DataFrame:
    """Kaplan-Meier estimate with log-log limits (Kaplan & Meier 1958; Borgan & Liestoel 1990).

    `time` (n,) is 0 or more, `observed` (n,) is true for an event, `entry` (n,) is when a patient
    came under observation on the same clock (left truncation; -inf: from the start), and `number`
    (n,) of how many patients alike a row is, where it is of more than one. Returns a
    frame indexed by the distinct times, 0 and the entries after it, with `at_risk` (just before the
    time: entry < t <= time), `events`, `censored`, with an entry also `entered`, then `survival`,
    `lower`, `upper`. The limits are missing where survival is 0 or 1: log(-log S) has no value. A
    curve that one early event among one patient takes to 0 stays there. Raises ValueError where a
    time is not after its entry.
    """
    observed, sets = np.asarray(observed) > 0, RiskSets(time, entry, number=number)
    events, left = sets.count(observed), sets.count()
    counts = {"at_risk": sets.at_risk, "events": events, "censored": left - events}
    if entry is not None:
        counts["entered"] = sets.coming()
    steps = product_limit(sets.at_risk, events)
    return pd.DataFrame({**counts, **steps}, index=sets.index)


def product_limit(at_risk: np.ndarray, events: np.ndarray) -> dict[str, np.ndarray]:
    """`survival` after each time with its log-log limits `lower` and `upper`; see `survival_curve`.

    Where nobody is at risk the curve stays as it is.
    """
    staying = at_risk - events
    with np.errstate(divide="ignore", invalid="ignore"):  # the last may leave nobody
        steps = np.where(events > 0, np.log(staying) - np.log(at_risk), 0.0)
        survival = np.exp(np.cumsum(steps))
        error = np.sqrt(_greenwood(at_risk, events).cumsum())
        centre, width = np.log(-np.log(survival)), Z * error / np.log(survival)
        limits = [np.exp(-np.exp(centre + sign * width)) for sign in (-1, 1)]
    inside = (survival > 0) & (survival < 1)
    lower, upper = (np.where(inside, limit, np.nan) for limit in limits)
    return {"survival": survival, "lower": lower, "upper": upper}


def _greenwood(at_risk: np.ndarray, events: np.ndarray) -> np.ndarray:
    """What each time adds to the variance of log S (Greenwood 1926); 0 where it leaves nobody."""
    staying = at_risk - events
    return np.divide(events, at_risk * staying, out=np.zeros(len(events)), where=staying > 0)


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


def follow_up(
    time: np.ndarray,
    observed: np.ndarray,
    entry: np.ndarray | None = None,
    number: np.ndarray | None = None,
) -> tuple[float, float, float]:
    """Reverse Kaplan-Meier median follow-up and its limits (Schemper & Smith 1996)."""
    return median(survival_curve(time, np.asarray(observed) == 0, entry, number))


def at(curve: pd.DataFrame, times: Sequence[float], carry: float = 0.0) -> pd.DataFrame:
    """A curve's values at `times`; past the end of its follow-up they are missing.

    Nobody is followed there, so nobody knows. Only where all who were left had an event, so that
    nothing can change any more, and up to `carry` past the end the last values are carried forward.
    `at_risk` counts those still followed just before each time, so 0 past the end; `censored` those
    who left before it, and `events` the events up to and including it. Takes a `survival_curve` or
    a `cumulative_incidence`, or a state of `state_shares`.
    """
    times = np.asarray(times, dtype=float)
    own = met(times, curve.index)
    passed = np.searchsorted(curve.index, own, side="right")
    first_left = np.searchsorted(curve.index, own, side="left")
    counts = ["at_risk", "events", "censored", "other_events", "entered", "left"]
    end = curve.index[-1] + carry
    told = (first_left < len(curve)) | (times <= end * (1 + ROUNDING)) | nobody_is_left(curve)
    values = {name: curve[name].to_numpy()[passed - 1] for name in curve if name not in counts}
    values["censored"] = np.append(0.0, curve["censored"].cumsum())[first_left]
    values["events"] = np.append(0.0, curve["events"].cumsum())[passed]
    values = {name: np.where(told, value, np.nan) for name, value in values.items()}
    at_risk = np.append(curve["at_risk"], 0)[first_left]
    return pd.DataFrame(values, index=times).assign(at_risk=at_risk)


def nobody_is_left(curve: pd.DataFrame) -> bool:
    """Whether all had an event who were followed to the last time, so that nothing can change."""
    if "unsettled" in curve:
        return bool(curve["unsettled"].iloc[-1] < 1e-12)
    if "mean_count" in curve:
        return False
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
    parts = _greenwood(steps["at_risk"].to_numpy(), steps["events"].to_numpy())
    error = float(np.sqrt((remaining**2 * parts).sum()))
    return float(area.sum()), error if error > 0 else np.nan


def survival_at(curve: pd.DataFrame, time: float) -> tuple[float, float]:
    """A `survival_curve` at a time and its standard error (Greenwood 1926); missing past its end.

    The error is 0 where no event has come, as the formula and R have it, and missing at 0.
    """
    share = float(at(curve, [time])["survival"].iloc[0])
    steps = curve[~beyond(curve.index, time)]
    parts = _greenwood(steps["at_risk"].to_numpy(), steps["events"].to_numpy())
    return share, share * float(np.sqrt(parts.sum())) if share > 0 else np.nan


@dataclass(frozen=True)
class Rate:
    """Events per unit of the time that was lived through, with exact Poisson limits."""

    estimate: float
    lower: float
    upper: float
    n: int  # followed after the start
    events: int
    exposure: float  # time lived through after the start, by all of them together


def event_rate(
    time: np.ndarray,
    observed: np.ndarray,
    start: float = 0.0,
    entry: np.ndarray | None = None,
    number: np.ndarray | None = None,
) -> Rate:
    """Events after `start` for the time lived after it; limits after Garwood (1936).

    Who has the event or leaves on `start` itself is no longer followed after it. Who comes under
    observation later, on their `entry` (n,), counts from then; `number` as there. Without exposure
    the three numbers are missing; without events the lower limit is 0. Raises ValueError as
    `survival_curve` does.
    """
    observed = np.asarray(observed) > 0
    time, begin = np.asarray(time, dtype=float), np.full(len(time), start)
    if entry is not None:
        entry, time = since_entry(time, entry)
        begin = np.maximum(entry, start)
    after = beyond(time, start)
    events, lived = patients_of(number, after & observed), (time - begin)[after]
    exposure = float(lived.sum() if number is None else lived @ number[after])
    if not after.any():
        return Rate(np.nan, np.nan, np.nan, 0, 0, 0.0)
    tail = (1 - CONFIDENCE) / 2
    lower = stats.chi2.ppf(tail, 2 * events) / 2 if events else 0.0
    upper = stats.chi2.isf(tail, 2 * events + 2) / 2
    shares = (events / exposure, lower / exposure, upper / exposure)
    return Rate(*map(float, shares), patients_of(number, after), events, exposure)


def log_log_limits(share: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Limits of a share with its standard error, symmetric on the scale log(-log p).

    Missing where the share is 0 or 1: the scale has no value there.
    """
    inside = np.where((share > 1e-12) & (share < 1 - 1e-12), share, np.nan)
    centre = np.log(-np.log(inside))
    half_width = Z * error / np.abs(inside * np.log(inside))
    return np.exp(-np.exp(centre + half_width)), np.exp(-np.exp(centre - half_width))
