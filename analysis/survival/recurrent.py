"""Events that may come again: their mean number, their rates, and ratios, with robust errors.

Nothing here takes the events of one patient for independent of each other: every variance is that
of sums over patients.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from .curves import Z
from .regression import CoxFit, cox
from .times import places


def mean_count(time: np.ndarray, patient: np.ndarray, day: np.ndarray) -> pd.DataFrame:
    """The mean number of events that a patient has had by each time (Nelson 1988).

    `time` (n,) is until when each patient is followed, 0 or more; each event (m,) is on a `day` of
    the `patient` at that place of `time`, not after it. At each time the mean grows by the events
    for each patient at risk. Its variance is the robust one of Lawless & Nadeau (1995), which holds
    whether or not one event makes the next more likely; the limits are symmetric for the logarithm.
    Returns a frame indexed by 0 and the distinct times, with `at_risk` (followed to the time or
    longer), `events`, `censored` (patients whose follow-up ends), `mean_count`, `se`, `lower`,
    `upper`; the limits are missing before the first event. Who dies has no further event, yet is
    censored here: the mean is of patients who stay.
    """
    patient = np.asarray(patient, dtype=int)
    times, (end, at, _) = places(time, day, np.zeros(1))
    left, events = (np.bincount(place, minlength=len(times)) for place in (end, at))
    at_risk = left[::-1].cumsum()[::-1]
    each = 1 / at_risk
    growth, drift = (events * each).cumsum(), (events * each**2).cumsum()
    # The part of a patient in the mean by t: the own events, each by those at risk, less `drift`
    # as far as the patient is followed. Its square is summed over the patients.
    order = np.lexsort((at, patient))
    who, when = patient[order], at[order]
    own = pd.Series(each[when]).groupby(who).cumsum().to_numpy()
    whole = np.bincount(who, each[when], len(end))

    def by_time(place: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return np.bincount(place, weight, len(times)).cumsum()

    def before(place: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return np.append(0.0, by_time(place, weight)[:-1])

    squared = by_time(when, own**2 - (own - each[when]) ** 2)
    staying = by_time(when, each[when]) - before(end, whole)
    crossed = drift * staying + before(end, whole * drift[end])
    drifted = drift**2 * at_risk + before(end, drift[end] ** 2)
    se = np.sqrt(np.clip(squared - 2 * crossed + drifted, 0, None))
    lower, upper = _limits(growth, se)
    made = {"at_risk": at_risk, "events": events, "censored": left, "mean_count": growth}
    index = pd.Index(times, name="time")
    return pd.DataFrame({**made, "se": se, "lower": lower, "upper": upper}, index)


def _limits(value: np.ndarray | float, se: np.ndarray | float) -> list[np.ndarray]:
    """Both limits of a positive number, symmetric for its logarithm; missing where it is 0."""
    known = np.where(np.asarray(value) > 0, value, np.nan)
    return [known * np.exp(sign * Z * se / known) for sign in (-1, 1)]


@dataclass(frozen=True)
class EventRate:
    """Events for the time lived by all patients together, and the variances of its logarithm.

    `robust` is that of sums over patients, `poisson` holds only if all have the same rate and no
    event makes another more likely. Both are missing without an event.
    """

    estimate: float
    events: int
    exposure: float
    robust: float
    poisson: float

    @property
    def limits(self) -> tuple[float, float]:
        """The robust ones."""
        lower, upper = _limits(self.estimate, self.estimate * np.sqrt(self.robust))
        return float(lower), float(upper)


def recurrent_rate(time: np.ndarray, count: np.ndarray) -> EventRate:
    """The rate of events of patients who had `count` (n,) of them in their `time` (n,).

    The variances are those of a Poisson model of the counts: its own, and the robust one of
    White (1982).
    """
    time, count = np.asarray(time, dtype=float), np.asarray(count, dtype=float)
    events, exposure = int(count.sum()), float(time.sum())
    if not events or not exposure:
        return EventRate(0.0 if exposure else np.nan, events, exposure, np.nan, np.nan)
    rate = events / exposure
    robust = float(((count - rate * time) ** 2).sum() / events**2)
    return EventRate(rate, events, exposure, robust, 1 / events)


@dataclass(frozen=True)
class RateRatio:
    """One rate by another: with robust limits and P, and with the P of Poisson counts."""

    estimate: float
    lower: float
    upper: float
    p: float
    p_poisson: float


def rate_ratio(rate: EventRate, reference: EventRate) -> RateRatio:
    """The ratio of the rates of different patients; all missing where one has no event."""
    if not (rate.events and reference.events):
        return RateRatio(*[np.nan] * 5)
    log = np.log(rate.estimate / reference.estimate)
    robust, poisson = (
        np.sqrt(getattr(rate, kind) + getattr(reference, kind)) for kind in ("robust", "poisson")
    )
    limits = (np.exp(log + sign * Z * robust) for sign in (-1, 1))
    both = (2 * stats.norm.sf(abs(log) / error) for error in (robust, poisson))
    return RateRatio(*map(float, (np.exp(log), *limits, *both)))


def andersen_gill(rows: pd.DataFrame, columns: Sequence[str]) -> CoxFit:
    """Cox's model of all events of a patient (Andersen & Gill 1982), ties after Efron.

    `rows` are start-stop rows as for `cox`, a row to each event and one to the end, without strata.
    The errors are the robust ones of Lin & Wei (1989), with the rows of a patient taken together.
    If the mean numbers of events are proportional, the ratio is theirs (Lin, Wei, Yang & Ying
    2000). Not estimable where `cox` is not.
    """
    fit = cox(rows, columns)
    if not fit.estimable:
        return fit
    residuals = _score_residuals(rows, columns, fit.estimates["beta"].to_numpy())
    sums = pd.DataFrame(residuals).groupby(rows["patient"].to_numpy()).sum().to_numpy()
    change = sums @ fit.covariance
    robust = change.T @ change
    estimates = fit.estimates.assign(se=np.sqrt(np.diag(robust)))
    return replace(fit, estimates=estimates, covariance=robust)


def _score_residuals(rows: pd.DataFrame, columns: Sequence[str], beta: np.ndarray) -> np.ndarray:
    """What each row adds to the score at `beta` (k,): (rows, k); ties after Efron.

    Of d tied events the l-th (from 0) has the risk set in which those that are tied weigh 1 - l/d.
    """
    x, event = rows[list(columns)].to_numpy(float), rows["event"].to_numpy() > 0
    times, (start, stop) = places(rows["start"].to_numpy(), rows["stop"].to_numpy())
    weight = np.exp(x @ beta)
    weighed = np.column_stack([weight, weight[:, None] * x])

    def summed(place: np.ndarray, what: np.ndarray) -> np.ndarray:
        sums = np.zeros((len(times), what.shape[1]))
        np.add.at(sums, place, what)
        return sums

    # At risk at t: those with start < t <= stop.
    risk = (summed(stop, weighed) - summed(start, weighed))[::-1].cumsum(axis=0)[::-1]
    tied = summed(stop[event], weighed[event])
    deaths = np.bincount(stop[event], minlength=len(times))
    dies = np.flatnonzero(deaths)
    place = np.repeat(dies, deaths[dies])
    part = np.concatenate([np.arange(number) / number for number in deaths[dies]])
    left = risk[place] - part[:, None] * tied[place]
    inverse, mean = 1 / left[:, :1], left[:, 1:] / left[:, :1]
    terms = np.column_stack([inverse, inverse * mean])
    passed, own = summed(place, terms).cumsum(axis=0), summed(place, part[:, None] * terms)
    seen = passed[stop] - passed[start]
    seen[event] -= own[stop[event]]
    residual = weight[:, None] * (seen[:, 1:] - seen[:, :1] * x)
    means = summed(place, mean) / np.maximum(deaths, 1)[:, None]
    residual[event] += x[event] - means[stop[event]]
    return residual
