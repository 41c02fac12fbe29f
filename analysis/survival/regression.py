"""Cox models: partial likelihood, tests of proportional hazards, stepwise selection."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special, stats

from .curves import Z
from .groups import Comparison
from .times import beyond, met

STRATUM = "stratum"  # the column of rows that have strata


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
        with np.errstate(over="ignore"):  # a limit may be infinite for a factor of tiny numbers
            return pd.DataFrame(
                {
                    "hazard_ratio": np.exp(beta),
                    "lower": np.exp(beta - Z * se),
                    "upper": np.exp(beta + Z * se),
                    "p": stats.chi2.sf((beta / se) ** 2, 1),
                }
            )


def cox(rows: pd.DataFrame, columns: Sequence[str], ties: str = "efron") -> CoxFit:
    """Cox regression on start-stop rows (Cox 1972), ties after Efron (1977) or `breslow` (1974).

    `rows` is as `covariate_rows` gives it. With a column `stratum` of labels each stratum has its
    own baseline hazard, and patients are compared within it; so for all that takes such rows. The
    fit is estimable only where its maximum is proved to exist, see `PartialLikelihood.has_maximum`.
    """
    columns = list(columns)
    n, events = rows["patient"].nunique(), int(rows["event"].sum())
    found = CoxModels(rows, columns, ties).fit(columns)
    if found is None:
        missing = pd.DataFrame(np.nan, index=columns, columns=["beta", "se"])
        return CoxFit(missing, np.nan, n, events, estimable=False)
    estimates = pd.DataFrame({"beta": found.beta, "se": found.se}, index=columns)
    return CoxFit(estimates, found.log_likelihood, n, events, estimable=True)


def null_log_likelihood(rows: pd.DataFrame, ties: str = "efron") -> float:
    """Log partial likelihood of no factor at all."""
    return PartialLikelihood(rows, np.zeros((len(rows), 1)), ties).value(np.zeros(1))


def likelihood_ratio(
    rows: pd.DataFrame, columns: Sequence[str], added: Sequence[str], ties: str = "efron"
) -> Comparison:
    """Likelihood ratio test of columns `added` to the Cox model of `columns`, which may be none.

    So of a term of several columns, or, with products of two factors, of their interaction. Missing
    where one of the models has no estimate.
    """
    wide = cox(rows, [*columns, *added], ties).log_likelihood
    narrow = cox(rows, columns, ties).log_likelihood if len(columns) else np.nan
    if not len(columns) and np.isfinite(wide):
        narrow = null_log_likelihood(rows, ties)
    chi2, df = 2 * (wide - narrow), len(added)
    return Comparison(chi2, df, float(stats.chi2.sf(chi2, df)))


def proportional_hazards_test(
    rows: pd.DataFrame, columns: Sequence[str], terms: Mapping[str, Sequence[str]] | None = None
) -> pd.DataFrame:
    """Test that hazard ratios stay the same over time (Grambsch & Therneau 1994).

    Returns `chi2` and `p` for each column, for each of `terms`, which names some of the columns,
    as those of one factor with several levels, together, and under `global` for all together: the
    score test of the columns' products with time, added to the Cox model of the columns. It is the
    exact form of the test on scaled Schoenfeld residuals. Time counts as 1 minus the Kaplan-Meier
    estimate of all rows just before it, so that late events have no more weight than early ones.
    Missing where the model has no estimate, or all events fall on one time.
    """
    columns = list(columns)
    tested = {column: [column] for column in columns} | {**(terms or {}), "global": columns}
    missing = pd.DataFrame(np.nan, index=list(tested), columns=["chi2", "p"])
    fit = cox(rows, columns)
    if not fit.estimable:
        return missing
    likelihood, beta, _ = _at_maximum(rows, fit)
    residuals, variances = likelihood.at_deaths(beta)
    whole = rows.drop(columns=STRATUM, errors="ignore")
    clock = PartialLikelihood(whole, likelihood.x).deaths_clock()
    clock = clock - clock.mean()
    score, cross = clock @ residuals, np.tensordot(clock, variances, 1)
    # What the products with time say beyond the factors themselves, which are at their maximum.
    explained = cross @ np.linalg.solve(variances.sum(axis=0), cross)
    added = np.tensordot(clock**2, variances, 1) - explained
    if np.linalg.eigvalsh(added)[0] < 1e-12 * len(clock):
        return missing
    places = [[columns.index(column) for column in term] for term in tested.values()]
    chi2 = [score[own] @ np.linalg.solve(added[np.ix_(own, own)], score[own]) for own in places]
    p = stats.chi2.sf(chi2, [len(own) for own in places])
    return pd.DataFrame({"chi2": chi2, "p": p}, index=missing.index)


def schoenfeld(rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """What each event says of the log hazard ratios at its time (Grambsch & Therneau 1994).

    The scaled Schoenfeld residuals of the Cox model of `columns`, plus its beta: their course over
    time is that of the log ratio, flat where hazards are proportional. Tied events share the mean
    of their risk sets, averaged over Efron's, as in R's `cox.zph`. Returns a column a factor and a
    row an event, indexed by its time, in the order of time and then of `rows`; missing where the
    model has no estimate. A mean of them all is beta again.
    """
    columns = list(columns)
    died = rows.loc[rows["event"] > 0, "stop"]
    order = np.argsort(died.to_numpy(), kind="stable")
    times = pd.Index(died.to_numpy()[order], name="time", dtype=float)
    fit = cox(rows, columns)
    if not fit.estimable:
        return pd.DataFrame(np.nan, index=times, columns=columns)
    likelihood, beta, scale = _at_maximum(rows, fit)
    residuals, variances = likelihood.at_deaths(beta)
    x = likelihood.x[likelihood.event]
    expected = pd.DataFrame(x - residuals).groupby(likelihood.death).transform("mean")
    scaled = (x - expected.to_numpy()) @ np.linalg.inv(variances.mean(axis=0))
    return pd.DataFrame((scaled + beta)[order] / scale, index=times, columns=columns)


def _at_maximum(
    rows: pd.DataFrame, fit: CoxFit
) -> tuple[PartialLikelihood, np.ndarray, np.ndarray]:
    """A fit's likelihood, its beta for standardised factors, and the scale of these."""
    x = rows[list(fit.estimates.index)].to_numpy(dtype=float)
    scale = x.std(axis=0)
    likelihood = PartialLikelihood(rows, (x - x.mean(axis=0)) / scale)
    return likelihood, fit.estimates["beta"].to_numpy() * scale, scale


def cut(rows: pd.DataFrame, time: float) -> pd.DataFrame:
    """Start-stop rows, those that run past `time` cut in two there; every fit stays the same."""
    time = float(met(time, rows[["start", "stop"]]))
    long = (rows["start"] < time) & (time < rows["stop"])
    before, after = rows[long].assign(stop=time, event=0), rows[long].assign(start=time)
    return pd.concat([rows[~long], before, after], ignore_index=True)


def stretches(rows: pd.DataFrame, time: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Start-stop rows up to `time`, with its events, and those after it; all early where it is NaN.

    Each stretch has the patients at risk in it. A model that lets its ratios change at `time` has
    a likelihood that is the product of those of the two stretches.
    """
    pieces = cut(rows, time)
    late = beyond(pieces["stop"], time)
    return pieces[~late], pieces[late]


def early_and_late(rows: pd.DataFrame, column: str) -> tuple[float, dict[str, CoxFit]]:
    """A factor's hazard ratios before and after half of the events had happened.

    Returns the time of the event that completes the half, which itself is early, and the fits
    `early` and `late`, each of its own stretch with the patients at risk and the events in it. So
    where the factor separates the events of one, the other keeps its estimate. Without an event
    the time is NaN, and everything early.
    """
    times = np.sort(rows.loc[rows["event"] > 0, "stop"])
    split = float(times[(len(times) - 1) // 2]) if len(times) else np.nan
    parts = zip(("early", "late"), stretches(rows, split), strict=True)
    return split, {name: cox(part, [column]) for name, part in parts}


def score_p(rows: pd.DataFrame, kept: Sequence[str], candidate: str) -> float:
    """P of the score test that adds `candidate` to the model of `kept`, which is not refitted."""
    return float(CoxModels(rows, [*kept, candidate]).score_p(kept, [candidate])[0])


def stepwise(rows: pd.DataFrame, candidates: Sequence[str], level: float = 0.05) -> list[str]:
    """The candidates that stepwise selection keeps, in the order of their entry.

    Forward by the smallest score P below `level`, then backward by the largest Wald P at or above
    it, until nothing enters or the factor that entered last is the only one removed: the rule of
    SAS's PHREG, which the paper's footnote describes. A model seen before ends it too, so that it
    cannot go round in a circle. A factor that would separate the events beside those kept does not
    enter: the model would have no estimate.
    """
    return CoxModels(rows, candidates).stepwise(level)


@dataclass(frozen=True)
class Coefficients:
    """Log hazard ratios of a model's columns (k,), in their units, and their standard errors."""

    beta: np.ndarray
    se: np.ndarray
    log_likelihood: float

    def wald_p(self) -> np.ndarray:
        """Two-sided P of each column (k,)."""
        return special.chdtrc(1, (self.beta / self.se) ** 2)


class CoxModels:
    """Cox models of any of some columns on the same start-stop rows.

    Rows are sorted, columns standardised and each model fitted once, however often it is asked for:
    `cox`, `score_p` and `stepwise` in one place, for who needs thousands of them.
    """

    def __init__(self, rows: pd.DataFrame, columns: Sequence[str], ties: str = "efron") -> None:
        self.columns = list(columns)
        x = rows[self.columns].to_numpy(dtype=float)
        self._places = {column: place for place, column in enumerate(self.columns)}
        self._fits: dict[tuple[str, ...], Coefficients | None] = {}
        self._scale = x.std(axis=0) if len(x) else np.zeros(len(self.columns))
        self._likelihood = None
        if rows["event"].sum() > 0:
            units = np.where(self._scale > 0, self._scale, 1.0)
            self._likelihood = PartialLikelihood(rows, (x - x.mean(axis=0)) / units, ties)

    def fit(self, columns: Sequence[str]) -> Coefficients | None:
        """The model of `columns`; None where it has no estimate, as in `cox`."""
        key = tuple(columns)
        if key not in self._fits:
            self._fits[key] = self._fitted([self._places[column] for column in key])
        return self._fits[key]

    def _fitted(self, places: list[int]) -> Coefficients | None:
        scale = self._scale[places]
        if self._likelihood is None or (scale == 0).any():
            return None
        likelihood = self._likelihood.of(self._likelihood.x[:, places])
        beta, (value, gradient, information) = likelihood.climb()
        if not likelihood.has_maximum(beta, gradient, information):
            return None
        se = np.sqrt(np.diag(np.linalg.inv(information)))
        return Coefficients(beta / scale, se / scale, float(value))

    def score_p(self, kept: Sequence[str], candidates: Sequence[str]) -> np.ndarray:
        """P of the score test that adds each candidate alone to the model of `kept` (k,).

        Missing for a candidate that does not vary, and for all where the model of `kept` has no
        estimate.
        """
        beta = np.zeros(len(self.columns))
        p = np.full(len(candidates), np.nan)
        inside = [self._places[column] for column in kept]
        outside = np.array([self._places[column] for column in candidates], dtype=int)
        fit = self.fit(kept) if len(kept) else None
        if self._likelihood is None or (len(kept) and fit is None):
            return p
        if fit is not None:
            beta[inside] = fit.beta * self._scale[inside]
        varies = self._scale[outside] > 0
        p[varies] = special.chdtrc(1, self._likelihood.entry(beta, inside, outside[varies]))
        return p

    def stepwise(self, level: float = 0.05) -> list[str]:
        """See the function of that name."""
        kept: list[str] = []
        seen = set()
        while frozenset(kept) not in seen:
            seen.add(frozenset(kept))
            outside = [column for column in self.columns if column not in kept]
            p = self.score_p(kept, outside)
            order = np.argsort(p, kind="stable")  # what has no P comes last, and is not below
            models = ([*kept, outside[place]] for place in order if p[place] < level)
            entered = next((model for model in models if self.fit(model)), None)
            if entered is None:
                break
            kept = self._without_the_weak(entered, level)
        return kept

    def _without_the_weak(self, kept: list[str], level: float) -> list[str]:
        """Backward elimination by the Wald test."""
        while kept and (fit := self.fit(kept)):
            p = fit.wald_p()
            if not p.max() >= level:
                break
            kept = [column for column in kept if column != kept[p.argmax()]]
        return kept


class PartialLikelihood:
    """The log partial likelihood at any beta (p,), its gradient and its information (Cox 1972).

    Risk-set sums are differences of two cumulative sums, over rows by stop and by start, so that
    one evaluation costs a sort's worth of work and no loop over times. `x` is standardised. Of
    strata each has risk sets of its own.
    """

    def __init__(self, rows: pd.DataFrame, x: np.ndarray, ties: str = "efron") -> None:
        start, stop = _one_after_another(rows)
        event = rows["event"].to_numpy() > 0
        self.x = x
        self.times, self.death = np.unique(stop[event], return_inverse=True)
        self.event = event
        # At risk at t are the rows with start < t <= stop.
        self.by_stop, self.from_stop = in_order(stop, self.times)
        self.by_start, self.from_start = in_order(start, self.times)
        self.times_until_stop = np.searchsorted(self.times, stop, side="right")
        self.times_until_start = np.searchsorted(self.times, start, side="right")
        self.deaths_in_order = np.flatnonzero(event)[np.argsort(self.death, kind="stable")]
        self.ties = np.bincount(self.death, minlength=len(self.times))
        self.share = {"efron": self._efron_share, "breslow": self._breslow_share}[ties]()

    def _efron_share(self) -> np.ndarray:
        """The l-th of d tied deaths (l from 0) leaves out l/d of the tied deaths' weight."""
        first = np.cumsum(self.ties) - self.ties
        order = np.argsort(self.death, kind="stable")
        rank = np.empty(len(self.death))
        rank[order] = np.arange(len(self.death)) - first[self.death[order]]
        return rank / self.ties[self.death]

    def _breslow_share(self) -> np.ndarray:
        """Each tied death meets the whole risk set."""
        return np.zeros(len(self.death))

    def of(self, x: np.ndarray) -> PartialLikelihood:
        """The likelihood of other columns (rows, p) on the same rows, which stay sorted."""
        other = copy.copy(self)
        other.x = x
        return other

    def at(self, beta: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
        """Log likelihood, gradient (p,) and information (p, p); no numbers too far out.

        There the weights of a risk set are lost in rounding.
        """
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            score, log_denominator, mean = self._means(beta, self.x)
            value = score[self.event].sum() - log_denominator.sum()
            gradient = self.x[self.event].sum(axis=0) - mean.sum(axis=0)
            return value, gradient, self._squares(score, log_denominator) - mean.T @ mean

    def value(self, beta: np.ndarray) -> float:
        """Log likelihood alone."""
        score, log_denominator, _ = self._means(beta, self.x[:, :0])
        return float(score[self.event].sum() - log_denominator.sum())

    def at_deaths(self, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Schoenfeld residuals (deaths, p) and the variances of x at risk (deaths, p, p)."""
        _, _, mean, second = self._moments(beta)
        variance = second.reshape(*mean.shape, -1) - mean[:, :, None] * mean[:, None, :]
        return self.x[self.event] - mean, variance

    def entry(self, beta: np.ndarray, inside: list[int], outside: np.ndarray) -> np.ndarray:
        """Score statistics of the columns `outside`, each added alone to those `inside`.

        `beta` (p,) is the maximum of those inside, and 0 elsewhere. One evaluation serves all: of
        the products of columns, only those with a column inside and the squares are needed.
        """
        x, k = self.x[:, [*inside, *outside]], len(inside)
        p = x.shape[1]
        products = (x[:, :, None] * x[:, None, :k]).reshape(len(x), p * k)
        _, _, means = self._means(beta, np.column_stack([x, products, x[:, k:] ** 2]))
        mean, totals = means[:, :p], means[:, p:].sum(axis=0)
        gradient = x[self.event].sum(axis=0) - mean.sum(axis=0)
        cross = totals[: p * k].reshape(p, k) - mean.T @ mean[:, :k]
        own = totals[p * k :] - (mean[:, k:] ** 2).sum(axis=0)
        # For each column outside, the model of k + 1 columns that it would make.
        score = np.empty((p - k, k + 1))
        information = np.empty((p - k, k + 1, k + 1))
        score[:, :k], score[:, k] = gradient[:k], gradient[k:]
        information[:, :k, :k], information[:, k, k] = cross[:k], own
        information[:, k, :k] = information[:, :k, k] = cross[k:]
        return np.einsum("ci,cij,cj->c", score, np.linalg.pinv(information), score)

    def _moments(self, beta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Each row's score; for each death the log of its denominator, mean and squares of x."""
        p = self.x.shape[1]
        squares = (self.x[:, :, None] * self.x[:, None, :]).reshape(len(self.x), p * p)
        score, log_denominator, means = self._means(beta, np.column_stack([self.x, squares]))
        return score, log_denominator, means[:, :p], means[:, p:]

    def _squares(self, score: np.ndarray, log_denominator: np.ndarray) -> np.ndarray:
        """The means of the products of columns at risk, summed over all deaths (p, p).

        Each row counts once, by the part that it has in all risk sets together.
        """
        top = score.max()
        part = self._part(np.exp(top - log_denominator))
        return (self.x.T * (np.exp(score - top) * part)) @ self.x

    def _part(self, each: np.ndarray) -> np.ndarray:
        """For each row the sum of `each` (deaths,) over the deaths at which it is at risk."""
        number = len(self.times)
        until_then = np.append(0, np.cumsum(np.bincount(self.death, each, number)))
        part = until_then[self.times_until_stop] - until_then[self.times_until_start]
        part[self.event] -= np.bincount(self.death, self.share * each, number)[self.death]
        return part

    def _means(
        self, beta: np.ndarray, values: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Each row's score; for each death the log of its denominator and the means of `values`."""
        score = self.x @ beta
        top = score.max()
        weight = np.exp(score - top)[:, None]  # against overflow; it cancels but for the log below
        sums = self._sums(np.column_stack([weight, values * weight]))
        denominator = sums[:, :1]
        return score, np.log(denominator[:, 0]) + top, sums[:, 1:] / denominator

    def _sums(self, weighted: np.ndarray) -> np.ndarray:
        """Weighted sums over each death's risk set, less its share of the tied deaths."""
        at_risk = self._at_risk(weighted)
        first = np.cumsum(self.ties) - self.ties
        tied = np.add.reduceat(weighted[self.deaths_in_order], first, axis=0)
        return at_risk[self.death] - self.share[:, None] * tied[self.death]

    def _at_risk(self, weighted: np.ndarray) -> np.ndarray:
        """Sums over the risk set of each time of death."""
        followed = sums_after(weighted[self.by_stop])[self.from_stop]
        return followed - sums_after(weighted[self.by_start])[self.from_start]

    def deaths_clock(self) -> np.ndarray:
        """For each death 1 minus the Kaplan-Meier estimate just before it."""
        at_risk = self._at_risk(np.ones((len(self.x), 1)))[:, 0]
        survival = np.cumprod(1 - self.ties / at_risk)
        return 1 - np.append(1.0, survival)[self.death]

    def climb(
        self, most: int = 60, penalty: float = 0.0, start: np.ndarray | None = None
    ) -> tuple[np.ndarray, tuple[float, np.ndarray, np.ndarray]]:
        """Newton's method, halving a step that does not climb: the last beta and `at` it.

        From 0, or `start` (p,). With a `penalty`, half of it times the sum of beta^2 is taken off.
        """
        beta = np.zeros(self.x.shape[1]) if start is None else start
        here = self._penalised(beta, penalty)
        for _ in range(most):
            # With a penalty the information has an inverse; solving is far faster for many columns.
            curve, slope = here[2], here[1]
            step = (
                np.linalg.solve(curve, slope)
                if penalty
                else np.linalg.pinv(curve, hermitian=True) @ slope
            )
            last = here[1] @ step < 1e-10
            for _ in range(30):
                there = self._penalised(beta + step, penalty)
                rounding = 1e-12 * abs(here[0])
                if np.isfinite(there[2]).all() and there[0] >= here[0] - rounding:
                    break
                step = step / 2
            else:
                break
            beta, here = beta + step, there
            if last:
                break
        return beta, here

    def _penalised(self, beta: np.ndarray, penalty: float) -> tuple[float, np.ndarray, np.ndarray]:
        value, gradient, information = self.at(beta)
        if penalty == 0:
            return value, gradient, information
        own = penalty * np.eye(len(beta))
        return value - penalty / 2 * beta @ beta, gradient - penalty * beta, information + own

    def has_maximum(self, beta: np.ndarray, gradient: np.ndarray, information: np.ndarray) -> bool:
        """Whether a finite maximum is proved by what the likelihood is at `beta`.

        Where factors separate the events, the likelihood climbs for ever and flattens out
        (Heinze & Schemper 2001), so that a small gradient alone proves nothing. But its curvature
        cannot change by more than a factor exp(distance * reach), where `reach` bounds the distance
        between two patients. A Newton step that is short for the curvature then has its maximum
        nearby (Bach 2010, proposition 2). Curvature that rounding could have made proves nothing.
        """
        if not np.isfinite(information).all():
            return False
        reach = 2 * np.sqrt((self.x**2).sum(axis=1).max())
        least = np.linalg.eigvalsh(information)[0]
        if least <= 4 * self._rounding(beta) * reach**2 * len(self.death):
            return False
        decrement = gradient @ np.linalg.solve(information, gradient)
        return 4 * reach**2 * decrement <= least

    def _rounding(self, beta: np.ndarray) -> float:
        """Bound on the relative error of a risk set's sums, as differences of larger sums."""
        score = self.x @ beta
        weight = np.exp(score - score.max())[:, None]
        whole = sums_after(weight[self.by_stop])[self.from_stop]
        ratio = (whole[self.death] / self._sums(weight)).max()
        return np.finfo(float).eps * len(weight) * ratio


def _one_after_another(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Start and stop of rows; of strata each after the last, so that no risk set holds two.

    Only the order of times counts, and so the number of a time among all serves as well.
    """
    start, stop = rows["start"].to_numpy(), rows["stop"].to_numpy()
    if STRATUM not in rows:
        return start, stop
    times, places = np.unique(np.append(start, stop), return_inverse=True)
    first = pd.factorize(rows[STRATUM])[0] * len(times)
    return places[: len(rows)] + first, places[len(rows) :] + first


def in_order(when: np.ndarray, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The order of rows by a time of theirs, and the place in it of the first at each of `times`.

    Who comes before all of these places is in no sum, and left out.
    """
    order = np.argsort(when)
    places = np.searchsorted(when[order], times)
    first = places.min() if len(places) else 0
    return order[first:], places - first


def sums_before(values: np.ndarray) -> np.ndarray:
    """Sums of the rows before each place, from none of them to all."""
    return np.vstack([np.zeros((1, values.shape[1])), values.cumsum(axis=0)])


def sums_after(values: np.ndarray) -> np.ndarray:
    """Sums of the rows from each place on, from all of them to none."""
    return sums_before(values[::-1])[::-1]
