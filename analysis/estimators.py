"""The estimators: Kaplan-Meier, follow-up, restricted mean, Aalen-Johansen, Cox, stepwise.

Each takes arrays, knows nothing of datasets or pages, and is checked against R's values. Times
are in any unit; results come back in the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from lifelines import KaplanMeierFitter
from scipy import stats

CONFIDENCE = 0.95
Z = stats.norm.ppf(0.5 + CONFIDENCE / 2)


# --- survival --------------------------------------------------------------------------------


def survival_curve(time: np.ndarray, observed: np.ndarray) -> pd.DataFrame:
    """Kaplan-Meier estimate with log-log limits (Kaplan & Meier 1958; Borgan & Liestoel 1990).

    `time` (n,) is 0 or more, `observed` (n,) is true for an event. Returns a frame indexed by the
    distinct times and 0, with `at_risk` (just before the time), `events`, `censored`, `survival`,
    `lower`, `upper`. The limits are missing where survival is 0: log(-log 0) has no value.
    """
    fit = KaplanMeierFitter(alpha=1 - CONFIDENCE).fit(time, np.asarray(observed) > 0)
    table = fit.event_table
    survival = fit.survival_function_.iloc[:, 0]
    limits = fit.confidence_interval_survival_function_
    return pd.DataFrame(
        {
            "at_risk": table["at_risk"].astype(int),
            "events": table["observed"].astype(int),
            "censored": table["censored"].astype(int),
            "survival": survival,
            "lower": limits.iloc[:, 0].where(survival > 0),
            "upper": limits.iloc[:, 1].where(survival > 0),
        }
    ).rename_axis("time")


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


def at(curve: pd.DataFrame, times: Sequence[float]) -> pd.DataFrame:
    """A curve's values at `times`, the last one carried forward past the end of follow-up.

    `at_risk` counts those still followed just before each time, so 0 past the end; `censored` those
    who left before it, and `events` the events up to and including it. Takes a `survival_curve` or
    a `cumulative_incidence`.
    """
    times = np.asarray(times, dtype=float)
    passed = np.searchsorted(curve.index, times, side="right")
    first_left = np.searchsorted(curve.index, times, side="left")
    counts = ["at_risk", "events", "censored", "other_events"]
    values = curve.drop(columns=counts, errors="ignore").iloc[passed - 1].set_axis(times)
    values["at_risk"] = np.append(curve["at_risk"], 0)[first_left]
    values["censored"] = np.append(0, curve["censored"].cumsum())[first_left]
    values["events"] = np.append(0, curve["events"].cumsum())[passed]
    return values


def restricted_mean(curve: pd.DataFrame, horizon: float) -> tuple[float, float]:
    """Mean survival time up to `horizon` and its standard error (Klein & Moeschberger 4.5).

    The curve's last value is carried forward where follow-up ends before the horizon.
    """
    steps = curve[curve.index < horizon]
    width = np.diff(np.append(steps.index, horizon))
    area = steps["survival"].to_numpy() * width
    remaining = area[::-1].cumsum()[::-1]
    events, at_risk = steps["events"].to_numpy(), steps["at_risk"].to_numpy()
    survivors = at_risk - events
    hazard_variance = np.divide(
        events, at_risk * survivors, out=np.zeros(len(steps)), where=survivors > 0
    )
    return float(area.sum()), float(np.sqrt((remaining**2 * hazard_variance).sum()))


# --- competing risks -------------------------------------------------------------------------


def cumulative_incidence(time: np.ndarray, event: np.ndarray, cause: int) -> pd.DataFrame:
    """Aalen-Johansen incidence of `cause` among competing events (Aalen & Johansen 1978).

    `event` (n,) is 0 for censored, else the number of the cause. Ties are exact: at each time all
    causes share one risk set. The variance is the infinitesimal jackknife, which R's `survfit`
    uses; without delayed entry its cross terms vanish and it becomes the sum over times below.
    The limits are log-log on the incidence.

    Returns a frame indexed by the distinct times and 0: `at_risk`, `events` (of the cause),
    `censored`, `other_events`, `incidence`, `lower`, `upper`.
    """
    time, event = np.asarray(time, dtype=float), np.asarray(event)
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
    variance = _incidence_variance(at_risk, events, all_events, before, incidence)
    lower, upper = _log_log_limits(incidence, np.sqrt(variance))
    return pd.DataFrame(
        {
            "at_risk": at_risk,
            "events": events,
            "censored": leaving - all_events,
            "other_events": all_events - events,
            "incidence": incidence,
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


def _log_log_limits(share: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Limits of a share on the scale log(-log p); missing where the share is 0 or 1."""
    inside = np.where((share > 0) & (share < 1 - 1e-12), share, np.nan)
    centre = np.log(-np.log(inside))
    half_width = Z * error / np.abs(inside * np.log(inside))
    return np.exp(-np.exp(centre + half_width)), np.exp(-np.exp(centre - half_width))


# --- Cox -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CoxFit:
    """A Cox model: `estimates` is indexed by factor with log hazard ratio `beta` and its `se`.

    `estimable` is false where a factor separates the events, so that its ratio has no finite
    estimate; every estimate of the model is then missing.
    """

    estimates: pd.DataFrame
    log_likelihood: float
    n: int
    events: int
    estimable: bool

    def summary(self) -> pd.DataFrame:
        """`hazard_ratio`, `lower`, `upper` (Wald) and two-sided Wald `p`, a row a factor."""
        beta, se = self.estimates["beta"], self.estimates["se"]
        return pd.DataFrame(
            {
                "hazard_ratio": np.exp(beta),
                "lower": np.exp(beta - Z * se),
                "upper": np.exp(beta + Z * se),
                "p": stats.chi2.sf((beta / se) ** 2, 1),
            }
        )


def cox(rows: pd.DataFrame, columns: Sequence[str]) -> CoxFit:
    """Cox regression on start-stop rows with Efron's ties (Cox 1972; Efron 1977).

    `rows` is as `endpoints.covariate_rows` gives it. Newton's method with step halving.
    """
    columns = list(columns)
    n, events = rows["patient"].nunique(), int(rows["event"].sum())
    x = rows[columns].to_numpy(dtype=float)
    scale = x.std(axis=0) if len(x) else np.zeros(len(columns))
    missing = pd.DataFrame(np.nan, index=columns, columns=["beta", "se"])
    if events == 0 or (scale == 0).any():
        return CoxFit(missing, np.nan, n, events, estimable=False)
    likelihood = _PartialLikelihood(rows, (x - x.mean(axis=0)) / scale)
    beta, converged = likelihood.maximise()
    value, _, information = likelihood.at(beta)
    if not converged or _is_flat(information):
        return CoxFit(missing, float(value), n, events, estimable=False)
    se = np.sqrt(np.diag(np.linalg.inv(information)))
    estimates = pd.DataFrame({"beta": beta / scale, "se": se / scale}, index=columns)
    return CoxFit(estimates, float(value), n, events, estimable=True)


def _is_flat(information: np.ndarray) -> bool:
    """Whether the likelihood has no peak: some factor separates the events.

    A monotone likelihood flattens out (Heinze & Schemper 2001). With standardised factors one event
    on each side leaves a curvature near 1, and separation leaves nothing, or no number at all.
    """
    return not np.isfinite(information).all() or np.linalg.eigvalsh(information).min() < 1e-6


def score_p(rows: pd.DataFrame, kept: Sequence[str], candidate: str) -> float:
    """P of the score test that adds `candidate` to the model of `kept`, which is not refitted."""
    columns = [*kept, candidate]
    x = rows[columns].to_numpy(dtype=float)
    if rows["event"].sum() == 0 or x[:, -1].std() == 0:
        return np.nan
    beta = np.zeros(len(columns))
    if kept:
        fit = cox(rows, kept)
        if not fit.estimable:
            return np.nan
        beta[:-1] = fit.estimates["beta"]
    _, gradient, information = _PartialLikelihood(rows, x - x.mean(axis=0)).at(beta)
    return float(stats.chi2.sf(gradient @ np.linalg.pinv(information) @ gradient, 1))


def stepwise(rows: pd.DataFrame, candidates: Sequence[str], level: float = 0.05) -> list[str]:
    """The candidates that stepwise selection keeps, in the order of their entry.

    Forward by the smallest score P below `level`, then backward by the largest Wald P at or above
    it, until nothing enters or the factor that entered last is the only one removed: the rule of
    SAS's PHREG, which the paper's footnote describes. A model seen before ends it too, so that it
    cannot go round in a circle. A factor that would separate the events beside those kept does not
    enter: the model would have no estimate.
    """
    kept: list[str] = []
    seen = set()
    while frozenset(kept) not in seen:
        seen.add(frozenset(kept))
        outside = [column for column in candidates if column not in kept]
        entry = pd.Series({column: score_p(rows, kept, column) for column in outside}, dtype=float)
        strong = entry[entry < level].sort_values(kind="stable").index
        models = ([*kept, column] for column in strong)
        entered = next((model for model in models if cox(rows, model).estimable), None)
        if entered is None:
            break
        kept = _without_the_weak(rows, entered, level)
    return kept


def _without_the_weak(rows: pd.DataFrame, kept: list[str], level: float) -> list[str]:
    """Backward elimination by the Wald test."""
    while kept:
        p = cox(rows, kept).summary()["p"]
        if not p.max() >= level:
            break
        kept = [column for column in kept if column != p.idxmax()]
    return kept


class _PartialLikelihood:
    """Efron's log partial likelihood, its gradient and information at any beta.

    Risk-set sums are differences of two cumulative sums, over rows by stop and by start, so that
    one evaluation costs a sort's worth of work and no loop over times.
    """

    def __init__(self, rows: pd.DataFrame, x: np.ndarray) -> None:
        start, stop = rows["start"].to_numpy(), rows["stop"].to_numpy()
        event = rows["event"].to_numpy() > 0
        self.x = x
        self.squares = (x[:, :, None] * x[:, None, :]).reshape(len(x), -1)
        self.times, self.death = np.unique(stop[event], return_inverse=True)
        self.event = event
        self.by_stop, self.by_start = np.argsort(stop), np.argsort(start)
        self.from_stop = np.searchsorted(stop[self.by_stop], self.times, side="left")
        self.from_start = np.searchsorted(start[self.by_start], self.times, side="left")
        ties = np.bincount(self.death, minlength=len(self.times))
        first = np.cumsum(ties) - ties
        order = np.argsort(self.death, kind="stable")
        rank = np.empty(len(self.death))
        rank[order] = np.arange(len(self.death)) - first[self.death[order]]
        # Efron: the l-th of d tied deaths (l from 0) leaves out l/d of the tied deaths' weight.
        self.share = rank / ties[self.death] if len(ties) else rank

    def at(self, beta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Log likelihood, gradient (p,) and information (p, p)."""
        score = self.x @ beta
        top = score.max()
        weight = np.exp(score - top)  # against overflow; it cancels but for the log below
        columns = np.column_stack([np.ones_like(weight), self.x, self.squares])
        sums = self._efron_sums(columns * weight[:, None])
        p = self.x.shape[1]
        denominator = sums[:, 0]
        mean = sums[:, 1 : p + 1] / denominator[:, None]
        value = score[self.event].sum() - (np.log(denominator) + top).sum()
        gradient = self.x[self.event].sum(axis=0) - mean.sum(axis=0)
        second = (sums[:, p + 1 :] / denominator[:, None]).sum(axis=0).reshape(p, p)
        return value, gradient, second - mean.T @ mean

    def _efron_sums(self, weighted: np.ndarray) -> np.ndarray:
        """Weighted sums over each death's risk set, less its share of the tied deaths."""
        at_risk = _sums_from(weighted[self.by_stop], self.from_stop) - _sums_from(
            weighted[self.by_start], self.from_start
        )
        tied = np.zeros_like(at_risk)
        np.add.at(tied, self.death, weighted[self.event])
        return at_risk[self.death] - self.share[:, None] * tied[self.death]

    def maximise(self, most: int = 50, tolerance: float = 1e-10) -> tuple[np.ndarray, bool]:
        """Newton from 0, halving a step that does not climb; beta, and whether it settled."""
        beta = np.zeros(self.x.shape[1])
        value, gradient, information = self.at(beta)
        for _ in range(most):
            step = np.linalg.pinv(information) @ gradient
            if gradient @ step < tolerance:
                return beta + step, True
            for _ in range(20):
                new = self.at(beta + step)
                if np.isfinite(new[0]) and new[0] >= value:
                    break
                step = step / 2
            beta = beta + step
            value, gradient, information = new
        return beta, False


def _sums_from(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Sums of the rows of `values` from each place to the end."""
    sums = np.vstack([values[::-1].cumsum(axis=0)[::-1], np.zeros(values.shape[1])])
    return sums[places]
