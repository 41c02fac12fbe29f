"""Cox models: partial likelihood, tests of terms, stepwise selection."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special, stats

from .curves import Z
from .groups import Comparison
from .sums import bins, crossed, shortest, summed
from .times import NUMBER, places

STRATUM = "stratum"  # the column of rows that have strata
ALIASED = 1e-10  # a smaller part of the information is rounding: the columns depend on each other
Terms = Sequence[str] | Mapping[str, Sequence[str]]  # columns, or several by the name of each term


@dataclass(frozen=True)
class CoxFit:
    """A Cox model: `estimates` is indexed by factor with log hazard ratio `beta` and its `se`.

    `covariance` (k, k) is that of the betas. `estimable` is false where a factor separates the
    events, so that its ratio has no finite estimate; every estimate of the model is then missing.
    """

    estimates: pd.DataFrame
    covariance: np.ndarray
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

    def joint(self, columns: Sequence[str]) -> Comparison:
        """Wald test of some columns together, as of one factor with several levels."""
        places = self.estimates.index.get_indexer(list(columns))
        chi2 = wald(self.estimates["beta"].to_numpy(), self.covariance, places)
        return Comparison(chi2, len(places), float(stats.chi2.sf(chi2, len(places))))


def wald(beta: np.ndarray, covariance: np.ndarray, places: Sequence[int]) -> float:
    """Wald's chi-squared of the betas (k,) at some places; NaN where they have no estimate."""
    own = beta[places]
    if not np.isfinite(own).all():
        return np.nan
    return float(own @ np.linalg.solve(covariance[np.ix_(places, places)], own))


def cox(rows: pd.DataFrame, columns: Sequence[str], ties: str = "efron") -> CoxFit:
    """Cox regression on start-stop rows (Cox 1972), ties after Efron (1977) or `breslow` (1974).

    `rows` is as `covariate_rows` gives it. With a column `stratum` of labels each stratum has its
    own baseline hazard, and patients are compared within it, and with `NUMBER` a row is of
    so many patients alike; so for all that takes such rows. The
    fit is estimable only where its maximum is proved to exist, see `PartialLikelihood.has_maximum`.
    """
    columns = list(columns)
    n, events = counted(rows)
    found = CoxModels(rows, columns, ties).fit(columns)
    if found is None:
        return no_fit(columns, n, events)
    estimates = pd.DataFrame({"beta": found.beta, "se": found.se}, index=columns)
    return CoxFit(estimates, found.covariance, found.log_likelihood, n, events, estimable=True)


def counted(rows: pd.DataFrame) -> tuple[int, int]:
    """How many patients such rows are of, and how many events they have."""
    if NUMBER not in rows:
        return rows["patient"].nunique(), int(rows["event"].sum())
    once = ~rows["patient"].duplicated()
    return int(rows.loc[once, NUMBER].sum()), int((rows["event"] * rows[NUMBER]).sum())


def no_fit(columns: Sequence[str], n: int, events: int) -> CoxFit:
    """A model that has no estimate."""
    missing = pd.DataFrame(np.nan, index=columns, columns=["beta", "se"])
    none = np.full((len(columns), len(columns)), np.nan)
    return CoxFit(missing, none, np.nan, n, events, estimable=False)


def null_log_likelihood(rows: pd.DataFrame, ties: str = "efron") -> float:
    """Log partial likelihood of no factor at all."""
    return PartialLikelihood(rows, np.zeros((len(rows), 1)), ties).value(np.zeros(1))


def likelihood_ratio(
    rows: pd.DataFrame, columns: Sequence[str], added: Sequence[str], ties: str = "efron"
) -> Comparison:
    """Likelihood ratio test of columns `added` to the Cox model of `columns`, which may be none.

    So of a term of several columns, or, with products of two factors, of their interaction. Where
    columns separate the events, so that the likelihood climbs for ever, the test takes the height
    that it nears; a column that follows from those before it takes no degree of freedom: so does
    R's `anova`. Chi2 and P are missing without an event, or a degree of freedom.
    """
    whole = CoxModels(rows, [*columns, *added], ties)._likelihood
    free = whole.independent() if whole else []
    before = [place for place in free if place < len(columns)]
    df = len(free) - len(before)
    if not df:
        return Comparison(np.nan, 0, np.nan)
    wide, narrow = (whole.of_columns(places).highest() for places in (free, before))
    chi2 = max(2 * (wide - narrow), 0.0)
    return Comparison(chi2, df, float(stats.chi2.sf(chi2, df)))


def score_p(rows: pd.DataFrame, kept: Sequence[str], candidate: str) -> float:
    """P of the score test that adds `candidate` to the model of `kept`, which is not refitted."""
    return float(CoxModels(rows, [*kept, candidate]).score_p(kept, [candidate])[0])


def stepwise(rows: pd.DataFrame, candidates: Terms, level: float = 0.05) -> list[str]:
    """The candidates that stepwise selection keeps, in the order of their entry.

    Forward by the smallest score P below `level`, then backward by the largest Wald P at or above
    it, until nothing enters or the factor that entered last is the only one removed: the rule of
    SAS's PHREG, which the paper's footnote describes. A model seen before ends it too, so that it
    cannot go round in a circle. A factor that would separate the events beside those kept does not
    enter: the model would have no estimate. A candidate of several columns, as the levels of one
    factor, enters and goes as a whole, by the joint tests of its columns.
    """
    return CoxModels(rows, candidates).stepwise(level)


@dataclass(frozen=True)
class Coefficients:
    """Log hazard ratios of a model's columns (k,), in their units, and their standard errors."""

    beta: np.ndarray
    se: np.ndarray
    covariance: np.ndarray
    log_likelihood: float

    def wald_p(self, term: Sequence[int]) -> float:
        """Two-sided P of the columns at some places, together."""
        if len(term) == 1:
            return float(special.chdtrc(1, (self.beta[term[0]] / self.se[term[0]]) ** 2))
        return float(special.chdtrc(len(term), wald(self.beta, self.covariance, term)))


class CoxModels:
    """Cox models of any of some terms on the same start-stop rows.

    A term is a column, or by its name several that come and go together. Rows are sorted, columns
    standardised and each model fitted once, however often it is asked for: `cox`, `score_p` and
    `stepwise` in one place, for who needs thousands of them.
    """

    def __init__(self, rows: pd.DataFrame, terms: Terms, ties: str = "efron") -> None:
        named = terms.items() if isinstance(terms, Mapping) else ((name, [name]) for name in terms)
        columns: list[str] = []
        self._places: dict[str, list[int]] = {}
        for name, own in named:
            self._places[name] = list(range(len(columns), len(columns) + len(own)))
            columns += own
        x = np.empty((len(rows), len(columns)))
        for place, column in enumerate(columns):
            x[:, place] = rows[column]
        self._fits: dict[tuple[str, ...], Coefficients | None] = {}
        x -= x.sum(axis=0) / max(len(x), 1)
        self._scale = np.sqrt(np.einsum("ij,ij->j", x, x) / max(len(x), 1))
        self._likelihood = None
        if rows["event"].any():
            x /= np.where(self._scale > 0, self._scale, 1.0)
            self._likelihood = PartialLikelihood(rows, x, ties)

    def fit(self, terms: Sequence[str]) -> Coefficients | None:
        """The model of `terms`; None where it has no estimate, as in `cox`."""
        key = tuple(terms)
        if key not in self._fits:
            self._fits[key] = self._fitted(self._inside(key))
        return self._fits[key]

    def _inside(self, terms: Sequence[str]) -> list[int]:
        return [place for term in terms for place in self._places[term]]

    def _fitted(self, places: list[int]) -> Coefficients | None:
        scale = self._scale[places]
        if self._likelihood is None or (scale == 0).any():
            return None
        likelihood = self._likelihood.of_columns(places)
        beta, (value, gradient, information) = likelihood.climb()
        if not likelihood.has_maximum(beta, gradient, information):
            return None
        covariance = np.linalg.inv(information)
        se = np.sqrt(np.diag(covariance))
        in_units = covariance / np.outer(scale, scale)
        return Coefficients(beta / scale, se / scale, in_units, float(value))

    def score_p(self, kept: Sequence[str], candidates: Sequence[str]) -> np.ndarray:
        """P of the score test that adds each candidate alone to the model of `kept` (k,).

        Missing for a candidate that does not vary, and for all where the model of `kept` has no
        estimate.
        """
        beta = np.zeros(len(self._scale))
        p = np.full(len(candidates), np.nan)
        inside = self._inside(kept)
        fit = self.fit(kept) if len(kept) else None
        if self._likelihood is None or (len(kept) and fit is None):
            return p
        if fit is not None:
            beta[inside] = fit.beta * self._scale[inside]
        _, gradient, information = self._likelihood.at(beta)
        outside = [self._places[term] for term in candidates]
        varies = np.array([(self._scale[own] > 0).all() for own in outside], dtype=bool)
        sizes = np.array([len(own) for own in outside], dtype=int)
        for size in set(sizes[varies]):
            chosen = np.flatnonzero(varies & (sizes == size))
            own = np.array([[*inside, *outside[place]] for place in chosen])
            score, inner = gradient[own], information[own[:, :, None], own[:, None, :]]
            p[chosen] = special.chdtrc(size, (score * shortest(inner, score)).sum(axis=1))
        return p

    def stepwise(self, level: float = 0.05) -> list[str]:
        """See the function of that name."""
        kept: list[str] = []
        seen = set()
        while frozenset(kept) not in seen:
            seen.add(frozenset(kept))
            outside = [term for term in self._places if term not in kept]
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
            ends = np.cumsum([len(self._places[term]) for term in kept])
            places = np.split(np.arange(ends[-1]), ends[:-1])
            p = np.array([fit.wald_p(own) for own in places])
            if not p.max() >= level:
                break
            kept = [term for term in kept if term != kept[p.argmax()]]
        return kept


class PartialLikelihood:
    """The log partial likelihood at any beta (p,), its gradient and its information (Cox 1972).

    Rows are summed by the number of times of death that they outlive, and by those before they
    came, so that all risk sets are cumulative sums over times: no sort beyond that of the times,
    and no table of rows beside `x` (rows, p), which is standardised. Times that differ by rounding
    alone are one. Of strata each has risk sets of its own.
    """

    def __init__(self, rows: pd.DataFrame, x: np.ndarray, ties: str = "efron") -> None:
        start, stop = rows["start"].to_numpy(), rows["stop"].to_numpy()
        times, (start, stop) = places(start, stop)
        if STRATUM in rows:
            # Each after the last, so that no risk set holds two. Only the order of times counts.
            first = pd.factorize(rows[STRATUM])[0] * len(times)
            times, (start, stop) = places(start + first, stop + first)
        self.x, self.event = np.ascontiguousarray(x, dtype=float), rows["event"].to_numpy() > 0
        number = rows[NUMBER].to_numpy() if NUMBER in rows else None
        self._follow(times, start, stop, ties, number)

    def _follow(
        self,
        times: np.ndarray,
        start: np.ndarray,
        stop: np.ndarray,
        ties: str,
        number: np.ndarray | None,
    ) -> None:
        """Who is at risk when: of start < t <= stop (rows,), as places among `times`."""
        dies = np.bincount(stop[self.event], minlength=len(times)) > 0
        until = np.append(np.cumsum(dies), 0)  # the last is for -1, before all times
        self.come, self.gone = until[start], until[stop]  # so many times of death had passed
        self.times, self.number = times[dies], number
        # Each death of a row that is of several counts by itself: they share out their ties.
        dying = np.flatnonzero(self.event)
        self.of_death = dying if number is None else np.repeat(dying, number[dying])
        self.death = self.gone[self.of_death] - 1
        self.ties = np.bincount(self.death, minlength=len(self.times))
        self.share = {"efron": self._efron_share, "breslow": self._breslow_share}[ties]()
        self.of_gone, self.of_come = (bins(p, len(self.times) + 1) for p in (self.gone, self.come))
        # The times whose deaths share a risk set, and these deaths, among all and as rows.
        ties = np.bincount(self.death, self.share, len(self.times)) > 0
        self.tied, self.tying = np.flatnonzero(ties), np.flatnonzero(ties[self.death])
        self.tying_rows = dying[ties[self.gone[dying] - 1]]
        place = np.cumsum(ties) - 1
        self.of_tied = bins(place[self.gone[self.tying_rows] - 1], len(self.tied))
        self.tying_at = place[self.death[self.tying]]

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
        other.x = np.ascontiguousarray(x)
        return other

    def of_columns(self, places: Sequence[int]) -> PartialLikelihood:
        """The likelihood of the columns at some places; of all of them, without a copy."""
        return self if list(places) == [*range(self.x.shape[1])] else self.of(self.x[:, places])

    def at(
        self, beta: np.ndarray, count: np.ndarray | float = 1.0
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """Log likelihood, gradient (p,) and information (p, p); no numbers too far out.

        There the weights of a risk set are lost in rounding. Each death may `count` (deaths,) for
        more or less than one. The l-th of d tied deaths has the weights of those that stay, and the
        part 1 - l/d of those that die. So its mean of x, and the product of that with itself, need
        sums of the two at each time, and no table of deaths.
        """
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            score, top, weight = self._weights(beta)
            denominator, died = self._sums(weight), self._died(count)
            part, each, squared = 1 - self.share, count / denominator, count / denominator**2
            staying, dying = self._at_risk(weight, self.x), self._dying(weight, self.x)
            staying[self.tied] -= dying
            gradient = died @ self.x - self._by_time(each) @ staying
            gradient -= self._by_time(part * each)[self.tied] @ dying
            mixed, own = (self._by_time(part**k * squared)[self.tied] for k in (1, 2))
            mixed = crossed(staying[self.tied], mixed, dying)
            information = crossed(self.x, weight * self._part(each), self.x)
            information -= crossed(staying, self._by_time(squared), staying)
            information -= mixed + mixed.T + crossed(dying, own, dying)
            value = died @ score - (count * (np.log(denominator) + top)).sum()
            return value, gradient, information

    def highest(self) -> float:
        """The log likelihood at its maximum, or what it nears where it has none."""
        return float(self.climb()[1][0]) if self.x.shape[1] else self.value(np.zeros(0))

    def independent(self) -> list[int]:
        """The places of the columns that do not follow, among those at risk, from earlier ones."""
        information, found = self.at(np.zeros(self.x.shape[1]))[2], []
        for place in range(len(information)):
            inside = information[np.ix_([*found, place], [*found, place])]
            least = np.linalg.eigvalsh(inside)[0]
            if least > ALIASED * information.trace():
                found.append(place)
        return found

    def value(self, beta: np.ndarray) -> float:
        """Log likelihood alone."""
        score, top, weight = self._weights(beta)
        return float(score[self.of_death].sum() - (np.log(self._sums(weight)) + top).sum())

    def _died(self, count: np.ndarray | float) -> np.ndarray:
        """What the deaths of each row (rows,) count for; `count` is a number, or (deaths,)."""
        died = np.zeros(len(self.x))
        if self.number is None:
            died[self.event] = count
            return died
        each = np.broadcast_to(count, len(self.of_death))
        return np.bincount(self.of_death, each, len(self.x))

    def residuals(self, beta: np.ndarray) -> np.ndarray:
        """What each death's x has beyond its mean at risk (deaths, p): Schoenfeld's (1982)."""
        _, _, weight = self._weights(beta)
        return self.x[self.of_death] - self._sums(weight, self.x) / self._sums(weight)[:, None]

    def _weights(self, beta: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
        """Each row's score, the largest, and each row's weight, of which that has 1.

        So none overflows; it cancels but for the logs.
        """
        score = self.x @ beta
        top = score.max()
        weight = np.exp(score - top)
        return score, top, weight if self.number is None else weight * self.number

    def _part(self, each: np.ndarray) -> np.ndarray:
        """For each row the sum of `each` (deaths,) over the deaths at which it is at risk.

        It counts the products of the columns of a row once, by its part in all risk sets together.
        """
        until_then = np.append(0, np.cumsum(self._by_time(each)))
        part = until_then[self.gone] - until_then[self.come]
        part[self.event] -= self._by_time(self.share * each)[self.gone[self.event] - 1]
        return part

    def _by_time(self, each: np.ndarray) -> np.ndarray:
        """Sums of `each` (deaths,) by time."""
        return np.bincount(self.death, each, len(self.times))

    def _sums(self, weight: np.ndarray, x: np.ndarray | None = None) -> np.ndarray:
        """Sums over each death's risk set, of weights or of x by weight, less its share of ties."""
        sums, place = self._at_risk(weight, x)[self.death], self.tying_at
        sums[self.tying] -= (self.share[self.tying] * self._dying(weight, x)[place].T).T
        return sums

    def _dying(self, weight: np.ndarray, x: np.ndarray | None = None) -> np.ndarray:
        """The same sums over those who die at each time that is tied."""
        rows = self.tying_rows
        return summed(self.of_tied, weight[rows], None if x is None else x[rows])

    def _at_risk(self, weight: np.ndarray, x: np.ndarray | None = None) -> np.ndarray:
        """The same sums over the risk set of each time: who goes later, less who is yet to come."""
        sums = summed(self.of_gone, weight, x)
        if self.come.any():
            sums -= summed(self.of_come, weight, x)
        np.cumsum(sums[::-1], axis=0, out=sums[::-1])
        return sums[1:]

    def deaths_clock(self) -> np.ndarray:
        """For each death 1 minus the Kaplan-Meier estimate just before it."""
        everybody = self._weights(np.zeros(self.x.shape[1]))[2]
        survival = np.cumprod(1 - self.ties / self._at_risk(everybody))
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
            step = np.linalg.solve(curve, slope) if penalty else shortest(curve, slope)
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
        reach = 2 * np.sqrt(np.einsum("ij,ij->i", self.x, self.x).max())
        least = np.linalg.eigvalsh(information)[0]
        if least <= 4 * self._rounding(beta) * reach**2 * len(self.death):
            return False
        decrement = gradient @ np.linalg.solve(information, gradient)
        return 4 * reach**2 * decrement <= least

    def _rounding(self, beta: np.ndarray) -> float:
        """Bound on the relative error of a risk set's sums, as differences of larger sums."""
        _, _, weight = self._weights(beta)
        whole = summed(self.of_gone, weight)[::-1].cumsum()[-2::-1]
        ratio = (whole[self.death] / self._sums(weight)).max()
        return np.finfo(float).eps * len(weight) * ratio
