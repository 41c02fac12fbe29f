"""A share of cured patients: the Weibull mixture cure model, and whether follow-up reaches it.

Both take arrays, know nothing of datasets or pages, and are checked against R's values. Times are
in any unit; results come back in the same. That a curve can be fitted with a cured share is no
proof that anybody is cured: see `sufficient_follow_up`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize

from .curves import Z

Derivatives = tuple[float, np.ndarray, np.ndarray]  # value, first (k,), second (k, k)
# Limits that leave out neither 1% nor 99% say nothing about a share.
FLAT = np.log(99)


@dataclass(frozen=True)
class CureFit:
    """S(t) = cured + (1 - cured) exp(-(t / scale)^shape).

    `lower` and `upper` are 95% Wald limits of the share `cured`, symmetric on the logit scale.
    `estimable` is true where the likelihood has a maximum at a share between 0 and 1 that it tells
    from others. Where it is so flat that limits would hold both 1% and 99%, they are missing. Where
    it is highest without any cured patient, `cured` is 0, without limits, and the rest is the plain
    Weibull model. Where no model can be fitted, every number but `n` and `events` is missing.
    """

    cured: float
    lower: float
    upper: float
    shape: float
    scale: float  # in the unit of the times
    log_likelihood: float
    n: int
    events: int
    estimable: bool

    def uncured_survival(self, times: Sequence[float]) -> np.ndarray:
        """Survival of those who are not cured at each of `times` (k,); missing without a model."""
        return np.exp(-((np.asarray(times, dtype=float) / self.scale) ** self.shape))

    def survival(self, times: Sequence[float]) -> np.ndarray:
        """Survival of all patients at each of `times` (k,); missing without a model."""
        return self.cured + (1 - self.cured) * self.uncured_survival(times)


def mixture_cure(time: np.ndarray, observed: np.ndarray) -> CureFit:
    """Weibull mixture cure model by maximum likelihood (Boag 1949; Farewell 1982).

    `time` (n,) is 0 or more, `observed` (n,) is true for an event. The maximum is sought from
    several starts, by a trust region on logit share, log shape and log scale with exact second
    derivatives, and kept where the information there is positive. lifelines' fitter is not used: it
    stops up to 1e-4 short in small samples, its limits leave 0 to 1, and it gives a share with
    limits where the data have no plateau or no event.

    An event at time 0 has no density in a Weibull model, or an infinite one. It counts at half of
    the smallest time above 0: half a day, where that is day 1. Who leaves at 0 says nothing. There
    is no estimate without an event, nor where all fall on one time: there the likelihood has no
    bound.
    Raises ValueError for a time below 0 or one that is not a number.
    """
    time, observed = _checked(time, observed)
    n, events = len(time), int(observed.sum())
    time = _off_zero(time, observed)
    if len(np.unique(time[observed])) < 2:
        return CureFit(*[np.nan] * 6, n, events, estimable=False)
    unit = float(np.exp(np.log(time[observed]).mean()))  # so that no start depends on the unit
    likelihood = _Likelihood(time[time > 0] / unit, observed[time > 0])
    moved = events * float(np.log(unit))
    (log_shape, log_scale), plain = _climb(likelihood.of_weibull, np.zeros(2))
    found = [_climb(likelihood.at, start) for start in likelihood.starts(log_shape, log_scale)]
    best, value = max(found, key=lambda end: end[1])
    information = -likelihood.at(best)[2]
    # Without a plateau the share slides towards 0, where the mixture is no better than one Weibull.
    if not (value > plain + 1e-9 * abs(plain) and _is_peak(information)):
        shape, scale = float(np.exp(log_shape)), float(unit * np.exp(log_scale))
        return CureFit(0.0, np.nan, np.nan, shape, scale, plain - moved, n, events, False)
    half_width = Z * np.sqrt(np.linalg.inv(information)[0, 0])
    flat = best[0] - half_width < -FLAT and best[0] + half_width > FLAT
    half_width = np.nan if flat else half_width
    shares = (_share(best[0] + step) for step in (0, -half_width, half_width))
    shape, scale = float(np.exp(best[1])), float(unit * np.exp(best[2]))
    return CureFit(*shares, shape, scale, value - moved, n, events, not flat)


@dataclass(frozen=True)
class FollowUp:
    """What is said of whether follow-up is long enough to speak of cure.

    `events_late` of `n` patients had their event in the window (2 `last_event` - `last`,
    `last_event`], where `last` is the largest time of all and `last_event` that of an event. It is
    as long as the plateau behind the last event. `share` is `events_late` / `n`. Both are missing
    without an event, and where the last time is an event.
    `uncured_ratio` is the uncured patients' survival over that of all, both at `last`, in the
    mixture cure model; missing where that has no estimable share.
    """

    n: int
    events: int
    last: float
    last_event: float
    events_late: float
    share: float
    uncured_ratio: float


def sufficient_follow_up(
    time: np.ndarray, observed: np.ndarray, fit: CureFit | None = None
) -> FollowUp:
    """Three numbers on whether the plateau is longer than the waits for a late event.

    By Maller & Zhou (1992) follow-up suffices where (1 - `share`)^`n` is below .05. That is nearly
    exp(-`events_late`), so no more than a count of 3 or more. `share` is their q_n (1994; both in
    Maller & Zhou 1996), for which the larger the better; its critical values are tabulated for
    given shares and laws, so none is given here.
    `uncured_ratio` is the ratio of RECeUS (Selukar & Othus 2023) with a Weibull law: the nearer to
    0, the fewer of those alive at the end still wait for their event.

    `time` (n,) is 0 or more, `observed` (n,) is true for an event; `fit` is their `mixture_cure`,
    if it is there already. Raises ValueError for a time below 0 or one that is not a number.
    """
    time, observed = _checked(time, observed)
    fit = fit or mixture_cure(time, observed)
    n, events = len(time), int(observed.sum())
    last = float(time.max()) if n else np.nan
    last_event = float(time[observed].max()) if events else np.nan
    late, share = np.nan, np.nan
    if events and last_event < last:
        late = int((observed & (time > 2 * last_event - last)).sum())
        share = late / n
    ratio = np.nan
    if fit.estimable:
        ratio = float(fit.uncured_survival([last])[0] / fit.survival([last])[0])
    return FollowUp(n, events, last, last_event, late, share, ratio)


def _checked(time: np.ndarray, observed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    time = np.asarray(time, dtype=float)
    if not (np.isfinite(time) & (time >= 0)).all():
        raise ValueError("times must be numbers, 0 or more")
    return time, np.asarray(observed) > 0


def _off_zero(time: np.ndarray, observed: np.ndarray) -> np.ndarray:
    """Times with an event's 0 moved to half of the smallest time above it."""
    later = time[time > 0]
    return np.where(observed & (time == 0), later.min() / 2, time) if len(later) else time


def _share(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


def _is_peak(information: np.ndarray) -> bool:
    """Positive in each direction, by more than rounding could have made."""
    values = np.linalg.eigvalsh(information)
    return bool(values[0] > 1e-8 * values[-1])


def _climb(at, start: np.ndarray) -> tuple[np.ndarray, float]:
    """The maximum that a trust region finds from `start`, and the log likelihood there."""
    known: dict[bytes, Derivatives] = {}  # value, slope and bend of a place are asked one by one

    def of(place: np.ndarray, part: int) -> np.ndarray:
        if (key := place.tobytes()) not in known:
            known[key] = at(place)
        return -known[key][part]

    found = optimize.minimize(
        lambda place: of(place, 0),
        start,
        jac=lambda place: of(place, 1),
        hess=lambda place: of(place, 2),
        method="trust-exact",
        options={"gtol": 1e-5, "maxiter": 200},
    )
    place = found.x
    _, gradient, second = at(place)
    if _is_peak(-second):  # one step of Newton's method takes the rest away
        place = place - np.linalg.solve(second, gradient)
    return place, float(at(place)[0])


class _Likelihood:
    """Log likelihood of the mixture at (logit share, log shape, log scale), with its derivatives.

    `time` (n,) is above 0. A patient's exponent is z = shape (log t - log scale) and the uncured
    cumulative hazard H = exp(z), of which all derivatives are simple. Patients of one day and one
    end count together, as `weight`: many patients share few days.
    """

    def __init__(self, time: np.ndarray, event: np.ndarray) -> None:
        (late, many), (censored, others) = (
            np.unique(time[which], return_counts=True) for which in (event, ~event)
        )
        self.log_time, self.weight = np.log([*late, *censored]), np.append(many, others)
        self.event = np.arange(len(self.weight)) < len(many)
        self.events = self.weight[self.event].sum()

    def starts(self, log_shape: float, log_scale: float) -> Iterator[np.ndarray]:
        """Shares around that of the censored; the shape of one Weibull, of hazards down and up."""
        censored = np.clip(1 - self.events / self.weight.sum(), 0.02, 0.98)
        for part, shape, scale in (
            (0.25, log_shape, log_scale),
            (0.9, log_shape, 0.0),
            (0.5, np.log(0.6), 0.0),
            (0.9, np.log(1.6), 0.0),
        ):
            share = part * censored
            yield np.array([np.log(share / (1 - share)), shape, scale])

    def of_weibull(self, place: np.ndarray) -> Derivatives:
        """Without cured patients, at (log shape, log scale)."""
        with np.errstate(over="ignore", invalid="ignore"):
            hazard, first, second, log_hazard = self._weibull(place)
            left = self.weight * (self.event - hazard)
            value = (self.weight * (np.where(self.event, log_hazard, 0) - hazard)).sum()
            slope = left @ first
            slope[0] += self.events
            bend = np.tensordot(left, second, 1) - (first.T * (self.weight * hazard)) @ first
            return _finite(value, slope, bend)

    def at(self, place: np.ndarray) -> Derivatives:
        """With a cured share."""
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            hazard, first, second, log_hazard = self._weibull(place[1:])
            events = self._of_events(place[0], hazard, first, second, log_hazard)
            censored = self._of_censored(place[0], hazard, first, second)
            return _finite(*(one + other for one, other in zip(events, censored, strict=True)))

    def _weibull(self, place: np.ndarray) -> tuple[np.ndarray, ...]:
        """H, the derivatives of z (n, 2) and (n, 2, 2), and the log hazard."""
        shape, zero = np.exp(place[0]), np.zeros(len(self.log_time))
        z = shape * (self.log_time - place[1])
        first = np.column_stack([z, zero - shape])
        second = np.stack([first, np.column_stack([zero - shape, zero])], axis=1)
        return np.exp(z), first, second, place[0] + z - self.log_time

    def _of_events(self, logit, hazard, first, second, log_hazard) -> Derivatives:
        """Of log((1 - share) h exp(-H))."""
        share, number, weight = _share(logit), self.events, self.weight[self.event]
        hazard, first, second = hazard[self.event], first[self.event], second[self.event]
        value = weight @ (log_hazard[self.event] - hazard) - number * np.logaddexp(0, logit)
        left = weight * (1 - hazard)
        slope = np.append(-number * share, left @ first)
        slope[1] += number
        bend = np.zeros((3, 3))
        bend[0, 0] = -number * share * (1 - share)
        bend[1:, 1:] = np.tensordot(left, second, 1) - (first.T * (weight * hazard)) @ first
        return value, slope, bend

    def _of_censored(self, logit, hazard, first, second) -> Derivatives:
        """Of log(share + (1 - share) exp(-H))."""
        share, weight = _share(logit), self.weight[~self.event]
        hazard, first, second = hazard[~self.event], first[~self.event], second[~self.event]
        alive = np.exp(-hazard)
        survival = share + (1 - share) * alive
        steep = (1 - share) * alive * np.where(alive > 0, hazard, 0) / survival
        by_share = share * (1 - share) * (1 - alive) / survival
        slopes = np.column_stack([by_share, -steep[:, None] * first])
        bend = np.empty((3, 3))
        bend[0, 0] = weight @ (by_share * (1 - 2 * share))
        bend[0, 1:] = bend[1:, 0] = (weight * share * steep) @ first
        inner = weight * np.where(alive > 0, steep * (hazard - 1), 0)
        bend[1:, 1:] = (first.T * inner) @ first - np.tensordot(weight * steep, second, 1)
        bend -= (slopes.T * weight) @ slopes
        return weight @ np.log(survival), weight @ slopes, bend


def _finite(value: float, slope: np.ndarray, bend: np.ndarray) -> Derivatives:
    """Too far out, where a hazard is beyond all numbers, the search meets a wall."""
    if np.isfinite(value) and np.isfinite(slope).all() and np.isfinite(bend).all():
        return value, slope, bend
    return -1e300, np.zeros_like(slope), -np.eye(len(slope))
