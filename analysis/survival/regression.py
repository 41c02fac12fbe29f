"""Cox models: partial likelihood, tests of terms, stepwise selection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special, stats

from .curves import Z
from .groups import Comparison
from .likelihood import PartialLikelihood
from .sums import shortest
from .times import NUMBER

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
    own baseline hazard, and patients are compared within it. With `NUMBER` a row is of so many
    patients alike. So for all that takes such rows. The fit is estimable only where its maximum is
    proved to exist, see `PartialLikelihood.has_maximum`.
    """
    return CoxModels(rows, columns, ties).model(columns)


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
        self._columns, self._fits = columns, dict[tuple[str, ...], Coefficients | None]()
        self._rows = rows
        x -= x.sum(axis=0) / max(len(x), 1)
        self._scale = np.sqrt(np.einsum("ij,ij->j", x, x) / max(len(x), 1))
        self._likelihood, self._last = None, np.zeros(len(columns))
        if rows["event"].any():
            x /= np.where(self._scale > 0, self._scale, 1.0)
            self._likelihood = PartialLikelihood(rows, x, ties)

    def fit(self, terms: Sequence[str]) -> Coefficients | None:
        """The model of `terms`; None where it has no estimate, as in `cox`."""
        key = tuple(terms)
        if key not in self._fits:
            self._fits[key] = self._fitted(self._inside(key))
        return self._fits[key]

    def model(self, terms: Sequence[str]) -> CoxFit:
        """The model of `terms` by the names of its columns, as `cox` gives it."""
        columns, found = [self._columns[place] for place in self._inside(terms)], self.fit(terms)
        seen = counted(self._rows)
        if found is None:
            return no_fit(columns, *seen)
        estimates = pd.DataFrame({"beta": found.beta, "se": found.se}, index=columns)
        return CoxFit(estimates, found.covariance, found.log_likelihood, *seen, estimable=True)

    def _inside(self, terms: Sequence[str]) -> list[int]:
        return [place for term in terms for place in self._places[term]]

    def _fitted(self, places: list[int]) -> Coefficients | None:
        scale = self._scale[places]
        if self._likelihood is None or (scale == 0).any():
            return None
        likelihood = self._likelihood.of_columns(places).folded()
        # The model asked for before this one is often but one term away.
        beta, (value, gradient, information) = likelihood.climb(start=self._last[places])
        if not likelihood.has_maximum(beta, gradient, information):
            return None
        self._last = np.zeros(len(self._last))
        self._last[places] = beta
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
