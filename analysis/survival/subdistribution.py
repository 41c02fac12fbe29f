"""Regression of the subdistribution hazard: how factors move a cumulative incidence."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .curves import patients_of, since_entry
from .likelihood import PartialLikelihood
from .regression import CoxFit, no_fit
from .sums import summed, sums_after, sums_before
from .times import places


def fine_gray(
    time: np.ndarray,
    event: np.ndarray,
    cause: int,
    x: pd.DataFrame,
    entry: np.ndarray | None = None,
    number: np.ndarray | None = None,
) -> CoxFit:
    """Subdistribution hazards regression of `cause` among competing events (Fine & Gray 1999).

    `time` (n,) is 0 or more, in any unit; `event` (n,) is 0 for censored, else the number of the
    cause; `x` has a row a patient, or the `number` (n,) of patients alike, and a column of
    numbers a factor. Who has a competing event stays
    at risk, with the share of patients who would not have been censored since: the Kaplan-Meier
    estimate of not being censored just before the event of another, over that just before its own.
    Tied events each meet the whole risk set (Breslow 1974). The standard errors are the robust ones
    of the paper, which know that these shares are estimated.

    With an `entry` as in `survival_curve`, that share is also one of having come before: the same
    estimate in reverse time (Geskus 2011). The errors then take the shares as known, as R does.

    Returns `estimates` (beta and its se, a row a factor), `n` patients, `events` of the cause;
    `summary()` then gives the ratios of subdistribution hazards, and `log_likelihood` is the
    weighted one, which is no likelihood to test with. As for `cox`, there is an estimate only where
    the maximum is proved to exist. There is none either where the robust variance vanishes, as
    where all events of the cause fall on one day and leave nobody: nothing then says how far off
    the ratio may be, or where a share is 0. Raises ValueError where the lengths differ, `x` has a
    missing value or a time is not after its entry.
    """
    time, event = np.asarray(time, dtype=float), np.asarray(event)
    begin = np.full(len(time), -np.inf)
    if entry is not None:
        begin, time = since_entry(time, entry)
    values = x.to_numpy(dtype=float)
    if not len(time) == len(event) == len(values):
        raise ValueError(f"{len(time)} times, {len(event)} events and {len(values)} rows of x")
    if not np.isfinite(values).all():
        raise ValueError("a factor has a missing value")
    events = patients_of(number, event == cause)
    n = len(time) if number is None else int(number.sum())
    none = no_fit(x.columns, n, events)
    if events == 0 or (values == values[0]).all(axis=0).any():
        return none
    scale = values.std(axis=0)
    x = (values - values.mean(axis=0)) / scale
    likelihood = _WeightedLikelihood(time, event, cause, x, begin, number)
    if not np.isfinite(likelihood.kept).all():
        return none
    beta, (value, gradient, information) = likelihood.climb()
    if not likelihood.has_maximum(beta, gradient, information):
        return none
    influence = likelihood.influence(beta)
    if _vanishes(influence, information):
        return none
    influence = influence @ np.linalg.inv(information)
    se = np.sqrt((influence**2).sum(axis=0))
    covariance = influence.T @ influence / np.outer(scale, scale)
    estimates = none.estimates.assign(beta=beta / scale, se=se / scale)
    return CoxFit(estimates, covariance, float(value), n, events, estimable=True)


class _WeightedLikelihood(PartialLikelihood):
    """Fine & Gray's weighted log partial likelihood, its gradient, information and influence.

    A risk set holds who is still followed, with weight 1, and who had a competing event before,
    with weight G(t-) / G(T-), where G is the Kaplan-Meier estimate of not being censored, times
    that of having come. The weights are positive constants, so that the proof of `has_maximum`
    holds as it stands. The second weight is a product of a number of the time and one of the
    patient, so that every sum over a risk set is a cumulative sum: no loop over times, and nothing
    of size n x times.
    """

    def __init__(
        self,
        time: np.ndarray,
        event: np.ndarray,
        cause: int,
        x: np.ndarray,
        begin: np.ndarray,
        number: np.ndarray | None,
    ) -> None:
        order = np.argsort(time, kind="stable")
        time, event, begin = time[order], event[order], begin[order]
        self.number = number if number is None else number[order]
        times, (start, stop) = places(begin, time)
        self.x, self.event = x[order], event == cause
        self._follow(times, start, stop, "breslow")
        self.is_late = np.isfinite(begin).any()
        self._weigh(time, event, begin)

    def _weigh(self, time: np.ndarray, event: np.ndarray, begin: np.ndarray) -> None:
        """The censoring on each day, with the day's events still at risk of it, and the weights."""
        self.censored = event == 0
        self.days, self.day = np.unique(time, return_inverse=True)
        self.day_start = np.searchsorted(time, self.days, side="left")
        many = np.ones(len(time), dtype=int) if self.number is None else self.number
        self.still = _before(begin, self.days, many) - _before(time, self.days, many)
        leaving = np.bincount(self.day[self.censored], many[self.censored], len(self.days))
        self.leaving = leaving / self.still
        before = np.append(1.0, np.cumprod(1 - self.leaving)[:-1])  # G just before each day
        before = before * _come_before(self.days, begin, time, many)
        self.uncensored = before[np.searchsorted(self.days, self.times)]
        ahead = self.gone < len(self.times)  # a risk set in which to be kept
        competing = ~self.event & ~self.censored & ahead
        with np.errstate(divide="ignore"):
            self.kept = np.where(competing, 1 / before[self.day], 0.0)

    def _part(self, each: np.ndarray, part: np.ndarray) -> np.ndarray:
        """For each patient the weighted sum of `each` (times,) over the times at risk."""
        kept = np.append(0, np.cumsum(each * self.uncensored))
        return super()._part(each, part) + self.kept * (kept[-1] - kept[self.gone])

    def _at_risk(self, weight: np.ndarray, x: np.ndarray | None = None) -> np.ndarray:
        """Weighted sums over each time's risk set: who is followed, and who is kept in it."""
        kept = summed(self.of_gone, weight * self.kept, x)[:-1].cumsum(axis=0)
        kept = (kept.T * self.uncensored).T
        return super()._at_risk(weight, x) + kept

    def _rounding(self, beta: np.ndarray) -> float:
        """Bound on the relative error of a risk set's sums, positive ones where nobody is late."""
        return 2 * max(np.finfo(float).eps * len(self.x), super()._rounding(beta))

    def influence(self, beta: np.ndarray) -> np.ndarray:
        """What each patient adds to the gradient (n, p), also by what they say of the censoring.

        Fine & Gray's eta + psi. Their squares add up to the variance of the gradient.
        """
        _, _, weight = self._weights(beta)  # what is taken off cancels in the products
        total = self._at_risk(weight)[:, None]
        mean, hazard = self._at_risk(weight, self.x) / total, self.ties[:, None] / total
        weight = weight[:, None]
        parts = np.column_stack([hazard, hazard * mean])
        # Summed up to each time, and after it with the weights of those who are kept.
        until, after = sums_before(parts), sums_after(parts * self.uncensored[:, None])
        come, gone = self.come, self.gone
        lived = until[gone] - until[come] + after[gone] * self.kept[:, None]
        expected = weight * (self.x * lived[:, :1] - lived[:, 1:])
        own = np.zeros_like(self.x)
        own[self.event] = self.x[self.event] - mean[self.dies]
        if self.number is not None:  # of each patient of a row
            expected = expected / self.number[:, None]
        known = own - expected
        found = known if self.is_late else known + self._of_censoring(weight, after)
        return found if self.number is None else found * np.sqrt(self.number)[:, None]

    def _of_censoring(self, weight: np.ndarray, after: np.ndarray) -> np.ndarray:
        """What each patient adds as one of those of whom the weights are estimated (psi).

        A censoring lowers the later weights of those who had a competing event before it. What
        falls on its own day follows the paper's q(u), the integral over s >= u > T, as R does.
        """
        kept = weight * self.kept[:, None]
        kept = sums_before(np.column_stack([kept, self.x * kept]))[self.day_start]
        after = after[np.searchsorted(self.times, self.days, side="left")]
        lowered = kept[:, 1:] * after[:, :1] - kept[:, :1] * after[:, 1:]
        lowered = lowered / self.still[:, None]
        expected = (lowered * self.leaving[:, None]).cumsum(axis=0)
        return lowered[self.day] * self.censored[:, None] - expected[self.day]


def _before(when: np.ndarray, days: np.ndarray, many: np.ndarray, side: str = "left") -> np.ndarray:
    """How many patients (days,) were before each day, or by it; `many` (n,) are those of a row."""
    order = np.argsort(when, kind="stable")
    passed = np.searchsorted(when[order], days, side=side)
    return np.append(0, np.cumsum(many[order]))[passed]


def _come_before(
    days: np.ndarray, begin: np.ndarray, time: np.ndarray, many: np.ndarray
) -> np.ndarray:
    """The share of patients who have come before each day: Kaplan-Meier in reverse time."""
    late = np.isfinite(begin)
    entries, entry = np.unique(begin[late], return_inverse=True)
    coming = np.bincount(entry, many[late], len(entries))
    come, gone = (_before(when, entries, many, "right") for when in (begin, time))
    shares = np.append(np.cumprod((1 - coming / (come - gone))[::-1])[::-1], 1.0)
    return shares[np.searchsorted(entries, days)]


def _vanishes(influence: np.ndarray, information: np.ndarray) -> bool:
    """Whether only rounding is left of the robust variance in some direction, beside the model's.

    The variance that the model alone would give is that of the information.
    """
    root = np.linalg.cholesky(information)
    relative = np.linalg.svd(np.linalg.solve(root, influence.T), compute_uv=False)
    return len(relative) < len(information) or relative[-1] < 1e-6
