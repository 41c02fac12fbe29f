"""What selection does to a model: the stepwise rule in resamples and on noise, ridge instead.

All take start-stop rows as `covariate_rows` gives them: `patient`, `start`, `stop`,
`event` and a column of floats for each factor. A patient's rows stay together, in a resample as in
a fold. The same seed gives the same numbers, whatever else has run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import optimize

from .curves import CONFIDENCE
from .likelihood import PartialLikelihood
from .pieces import in_pieces
from .regression import CoxModels

FOLDS = 10
PIECE = 5  # resamples of one piece of the work: a second or two


# --- bootstrap -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Resample:
    """The stepwise model of one resample: its columns in the order of entry, (k,) log hazard ratios
    there, and the slope of its linear predictor in the original patients."""

    kept: tuple[str, ...]
    beta: np.ndarray
    slope: float


@dataclass(frozen=True)
class Bootstrap:
    """The stepwise models of all resamples of the same patients."""

    candidates: tuple[str, ...]
    whole: tuple[str, ...]  # what the rule keeps of the patients themselves
    together: pd.Series  # log hazard ratio of each that varies in the model of those, or missing
    resamples: tuple[Resample, ...]

    def inclusion(self) -> pd.DataFrame:
        """How often the rule keeps each candidate (Sauerbrei & Schumacher 1992).

        Indexed by candidate: `share` of the resamples that keep it; `beta_kept`, its mean log
        hazard ratio in those, missing where none does; `beta_all`, that in the model of all
        candidates that vary, which nothing was selected for; `whole`, whether the patients
        themselves keep it. A `beta_kept` further from 0 than `beta_all` is the optimism of having
        been kept.
        """
        betas = pd.DataFrame(
            [dict(zip(r.kept, r.beta, strict=True)) for r in self.resamples],
            columns=list(self.candidates),
            dtype=float,
        )
        return pd.DataFrame(
            {
                "share": betas.notna().mean(),
                "beta_kept": betas.mean(),
                "beta_all": self.together,
                "whole": [column in self.whole for column in self.candidates],
            },
            index=pd.Index(self.candidates, name="candidate"),
        )

    def models(self) -> pd.DataFrame:
        """Each model that some resample ended in, the most frequent first.

        `model` is a tuple in the order of the candidates, `share` that of the resamples, `whole`
        whether the patients themselves end in it. Of two equally frequent, the first drawn leads.
        """
        names = [tuple(c for c in self.candidates if c in r.kept) for r in self.resamples]
        counts = Counter(names).most_common()
        own = tuple(c for c in self.candidates if c in self.whole)
        return pd.DataFrame(
            {
                "model": [name for name, _ in counts],
                "share": [count / len(names) for _, count in counts],
                "whole": [name == own for name, _ in counts],
            }
        )

    def optimism(self) -> Optimism:
        """Mean calibration slope of the resamples' models (Harrell, Lee & Mark 1996)."""
        slopes = np.array([r.slope for r in self.resamples if np.isfinite(r.slope)])
        empty = sum(not r.kept for r in self.resamples)
        if not len(slopes):
            return Optimism(np.nan, np.nan, np.nan, len(self.resamples), 0, empty)
        tail = (1 - CONFIDENCE) / 2
        lower, upper = np.quantile(slopes, [tail, 1 - tail])
        return Optimism(
            float(slopes.mean()),
            float(lower),
            float(upper),
            len(self.resamples),
            len(slopes),
            empty,
        )


@dataclass(frozen=True)
class Optimism:
    """How much of a selected model's log hazard ratios is left in patients it was not fitted to.

    `slope` is 1 in the resample that made a model, so 1 - `slope` is the optimism, and `slope` the
    factor by which to shrink the log hazard ratios. `lower` and `upper` hold the middle 95% of the
    resamples' slopes: they show how it varies, and are no limits of the mean. A resample whose
    model is `empty` predicts nothing and has no slope; `used` counts those that have one.
    """

    slope: float
    lower: float
    upper: float
    resamples: int
    used: int
    empty: int


def bootstrap(
    rows: pd.DataFrame,
    candidates: Sequence[str],
    resamples: int,
    seed: int,
    level: float = 0.05,
) -> Bootstrap:
    """Stepwise selection in resamples of the patients (Efron 1979; Sauerbrei & Schumacher 1992).

    Each resample draws as many patients as there are, with replacement; each drawn one comes with
    all rows, as a patient of its own. `survival.stepwise` selects among `candidates` at `level`.
    The slope of a resample's model is the coefficient of one Cox model in the original rows whose
    only covariate is the linear predictor: it follows a factor that changes over time from row to
    row. Inclusion, models and optimism all come from this one pass. Resamples are drawn apart: the
    first 50 of 200 are those of 50, and free workers may take some, see `in_pieces`. Raises
    ValueError without resamples or without candidates.
    """
    candidates = tuple(candidates)
    if resamples < 1 or not candidates:
        raise ValueError("a bootstrap needs at least one resample and one candidate")
    models = CoxModels(rows, candidates)
    varying = [column for column in candidates if rows[column].nunique() > 1]
    everything = models.fit(varying) if varying else None
    together = pd.Series(np.nan if everything is None else everything.beta, varying, dtype=float)
    given = [(rows, candidates, level, seed, *some) for some in _parted(resamples)]
    found = tuple(one for some in in_pieces(_selected, given) for one in some)
    return Bootstrap(candidates, tuple(models.stepwise(level)), together, found)


def _parted(runs: int) -> list[tuple[int, int]]:
    """Numbers of runs in pieces: the first of each, and of the next."""
    return [(first, min(first + PIECE, runs)) for first in range(0, runs, PIECE)]


def _selected(
    rows: pd.DataFrame,
    candidates: tuple[str, ...],
    level: float,
    seed: int,
    first: int,
    following: int,
) -> list[Resample]:
    """Some of the resamples of a bootstrap, by their numbers."""
    original = _Calibration(rows, candidates)
    drawn = draws(rows, following, seed, first)
    return [_select(sample, candidates, level, original) for sample in drawn]


def draws(rows: pd.DataFrame, resamples: int, seed: int, passed: int = 0) -> Iterator[pd.DataFrame]:
    """Bootstrap samples of the patients of `rows`, whose `patient` is the number of the draw.

    The first `passed` are left out.
    """
    number, patients = pd.factorize(rows["patient"])
    order = np.argsort(number, kind="stable")
    size = np.bincount(number, minlength=len(patients))
    first = np.cumsum(size) - size
    for child in np.random.SeedSequence(seed).spawn(resamples)[passed:]:
        chosen = np.random.default_rng(child).integers(0, len(patients), len(patients))
        many = size[chosen]
        draw = np.repeat(np.arange(len(patients)), many)
        within = np.arange(len(draw)) - np.repeat(np.cumsum(many) - many, many)
        places = order[first[chosen][draw] + within]
        yield rows.iloc[places].assign(patient=draw).reset_index(drop=True)


def shuffled(
    rows: pd.DataFrame, columns: Sequence[str], runs: int, seed: int, level: float = 0.05
) -> Iterator[list[str]]:
    """What stepwise selection keeps when each patient gets all columns of another, drawn by lot.

    So the columns stay as they are among themselves, and have nothing to do with survival: a
    permutation (Pitman 1937), `runs` times. Raises ValueError unless `rows` has one row a patient.
    """
    if rows["patient"].duplicated().any():
        raise ValueError("columns that change over time cannot be given to another patient")
    given = [(rows, list(columns), level, seed, *some) for some in _parted(runs)]
    for some in in_pieces(_kept_by_chance, given):
        yield from some


def _kept_by_chance(
    rows: pd.DataFrame, columns: list[str], level: float, seed: int, first: int, following: int
) -> list[list[str]]:
    """What selection keeps in some of the permutations, by their numbers."""
    values, random, kept = rows[columns].to_numpy(dtype=float), np.random.default_rng(seed), []
    for number in range(following):
        dealt = random.permutation(values)
        if number >= first:
            moved = pd.DataFrame(dealt, columns=columns, index=rows.index)
            kept.append(CoxModels(rows.assign(**moved), columns).stepwise(level))
    return kept


def _select(
    sample: pd.DataFrame, candidates: Sequence[str], level: float, original: _Calibration
) -> Resample:
    models = CoxModels(sample, candidates)
    kept = tuple(models.stepwise(level))
    fit = models.fit(kept) if kept else None
    if fit is None:
        return Resample(kept, np.empty(0), np.nan)
    return Resample(kept, fit.beta, original.slope(kept, fit.beta))


class _Calibration:
    """The slope of any linear predictor in the same rows, which are sorted once."""

    def __init__(self, rows: pd.DataFrame, columns: Sequence[str]) -> None:
        self.x = rows[list(columns)].to_numpy(dtype=float)
        self.places = {column: place for place, column in enumerate(columns)}
        self.likelihood = PartialLikelihood(rows, self.x)

    def slope(self, columns: Sequence[str], beta: np.ndarray) -> float:
        """Of columns that vary, as all selected do; missing where they separate the events."""
        predictor = self.x[:, [self.places[column] for column in columns]] @ beta
        scale = predictor.std()
        standard = ((predictor - predictor.mean()) / scale)[:, None]
        likelihood = self.likelihood.of(standard)
        slope, (_, gradient, information) = likelihood.climb()
        if not likelihood.has_maximum(slope, gradient, information):
            return np.nan
        return float(slope[0] / scale)


# --- ridge ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RidgeFit:
    """A Cox model with all its columns kept and shrunk.

    `estimates` is indexed by column with `beta`, the log hazard ratio in the column's own unit, and
    `se`, which says how far data and penalty pin it down: no limits of an unbiased estimate, so no
    P is given. `log_likelihood` is the partial one without the penalty. `degrees_of_freedom` is the
    number of free coefficients that the shrunk ones amount to (Gray 1992). `at_the_edge` is true
    where a chosen `penalty` is the largest that was tried: predictions are best with next to no
    difference between patients.
    """

    estimates: pd.DataFrame
    penalty: float
    log_likelihood: float
    degrees_of_freedom: float
    n: int
    events: int
    at_the_edge: bool = False


def ridge(rows: pd.DataFrame, columns: Sequence[str], penalty: float) -> RidgeFit:
    """Cox regression with a quadratic penalty (Verweij & van Houwelingen 1994), ties after Efron.

    The log partial likelihood is maximised less `penalty` / 2 times the sum over columns of
    variance x beta^2, with the variance over rows and n - 1 in its denominator: R's
    `ridge(..., theta = penalty, scale = TRUE)`. A column that does not vary has no estimate and is
    missing; so are all without an event. Raises ValueError for a penalty that is not above 0.
    """
    _above_0(penalty)
    columns = list(columns)
    model = _Ridge(rows, columns)
    beta, (value, _, curvature) = model.fit(penalty)
    table = pd.DataFrame(np.nan, index=columns, columns=["beta", "se"])
    n, events = rows["patient"].nunique(), int(rows["event"].sum())
    if events == 0:
        return RidgeFit(table, penalty, np.nan, np.nan, n, events)
    inverse = np.linalg.inv(curvature)
    table.loc[model.varying, "beta"] = beta / model.scale
    table.loc[model.varying, "se"] = np.sqrt(np.diag(inverse)) / model.scale
    freedom = len(beta) - penalty * np.trace(inverse)
    value = value + penalty / 2 * beta @ beta
    return RidgeFit(table, penalty, float(value), float(freedom), n, events)


def ridge_chosen(
    rows: pd.DataFrame, columns: Sequence[str], folds: int = FOLDS, seed: int = 0
) -> RidgeFit:
    """`ridge` with the penalty of the largest cross-validated partial likelihood.

    Patients go to `folds` at random (by `seed`), as evenly as can be. The penalty is sought on a
    grid from 1/1000 of the number of events to 100 times that, and then between the neighbours of
    the best. In few patients another seed may choose quite another penalty; as many folds as
    patients need none, and take longer. Raises ValueError for fewer than 2 folds, or more than
    patients.
    """
    columns = list(columns)
    n, events = rows["patient"].nunique(), int(rows["event"].sum())
    if not 2 <= folds <= n:
        raise ValueError(f"{folds} folds cannot be made of {n} patients")
    if events == 0:
        return ridge(rows, columns, 1.0)
    number, _ = pd.factorize(rows["patient"])
    fold = np.random.default_rng(seed).permutation(np.arange(n) % folds)[number]
    validation = _Validation(rows, columns, fold)
    grid = np.log(np.geomspace(1e-3, 1e2, 21) * events)
    values = [validation.value(float(np.exp(penalty))) for penalty in grid]
    best = int(np.argmax(values))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    found = optimize.minimize_scalar(
        lambda penalty: -validation.value(float(np.exp(penalty))),
        bounds=(low, high),
        method="bounded",
        options={"xatol": 1e-3},
    )
    better = -found.fun > values[best]
    fit = ridge(rows, columns, float(np.exp(found.x if better else grid[best])))
    return RidgeFit(**{**vars(fit), "at_the_edge": best == len(grid) - 1})


def cross_validated(
    rows: pd.DataFrame, columns: Sequence[str], penalty: float, fold: np.ndarray
) -> float:
    """Cross-validated log partial likelihood of a ridge model (Verweij & van Houwelingen 1993).

    `fold` (rows,) is the fold of each row, the same for all rows of a patient. For each fold the
    model of the others is judged by what the fold adds: the log partial likelihood of everybody
    less that of the others, both at the coefficients of the others; the sum is returned. Columns
    are standardised anew without each fold. Raises ValueError for a penalty that is not above 0.
    """
    _above_0(penalty)
    return _Validation(rows, list(columns), np.asarray(fold)).value(penalty)


def _above_0(penalty: float) -> None:
    if not penalty > 0:
        raise ValueError("the penalty of a ridge must be above 0")


class _Ridge:
    """Ridge fits of the same rows, on columns with mean 0 and variance 1."""

    def __init__(self, rows: pd.DataFrame, columns: list[str]) -> None:
        x = rows[columns].to_numpy(dtype=float)
        scale = x.std(axis=0, ddof=1) if len(x) > 1 else np.zeros(len(columns))
        self.keep = scale > 0
        self.varying = [column for column, kept in zip(columns, self.keep, strict=True) if kept]
        self.scale = scale[self.keep]
        x = x[:, self.keep]
        self.likelihood = PartialLikelihood(rows, (x - x.mean(axis=0)) / self.scale)
        self.last: np.ndarray | None = None

    def fit(self, penalty: float) -> tuple[np.ndarray, tuple[float, np.ndarray, np.ndarray]]:
        """Standardised beta, and the penalised likelihood there; from where the last one ended."""
        if not len(self.likelihood.times) or not len(self.scale):
            p = len(self.scale)
            return np.zeros(p), (0.0, np.zeros(p), penalty * np.eye(p))
        beta, end = self.likelihood.climb(penalty=penalty, start=self.last)
        self.last = beta
        return beta, end


class _Validation:
    """The cross-validated likelihood at any penalty; the rows of each fold are sorted once."""

    def __init__(self, rows: pd.DataFrame, columns: list[str], fold: np.ndarray) -> None:
        x = rows[columns].to_numpy(dtype=float)
        self.whole = PartialLikelihood(rows, x - x.mean(axis=0))
        self.others = [_Ridge(rows[fold != out], columns) for out in np.unique(fold)]

    def value(self, penalty: float) -> float:
        """The sum over folds."""
        return sum(self._of(model, penalty) for model in self.others)

    def _of(self, model: _Ridge, penalty: float) -> float:
        standard, (value, _, _) = model.fit(penalty)
        value = value + penalty / 2 * standard @ standard
        beta = np.zeros(len(model.keep))
        beta[model.keep] = standard / model.scale
        return self.whole.value(beta) - value
