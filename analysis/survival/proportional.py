"""Do hazard ratios stay the same over time? Tests, residuals, and ratios of stretches of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from .likelihood import STRATUM, PartialLikelihood
from .regression import CoxFit, cox
from .times import NUMBER, beyond, met


def proportional_hazards_test(
    rows: pd.DataFrame,
    columns: Sequence[str],
    terms: Mapping[str, Sequence[str]] | None = None,
    fit: CoxFit | None = None,
) -> pd.DataFrame:
    """Test that hazard ratios stay the same over time (Grambsch & Therneau 1994).

    Returns `chi2` and `p` for each column, for each of `terms`, which names some of the columns,
    as those of one factor with several levels, together, and under `global` for all together: the
    score test of the columns' products with time, added to the Cox model of the columns. It is the
    exact form of the test on scaled Schoenfeld residuals. Time counts as 1 minus the Kaplan-Meier
    estimate of all rows just before it, so that late events have no more weight than early ones.
    Missing where the model has no estimate, or all events fall on one time. A `fit` of the same
    rows and columns that is there already need not be made again.
    """
    columns = list(columns)
    tested = {column: [column] for column in columns} | {**(terms or {}), "global": columns}
    missing = pd.DataFrame(np.nan, index=list(tested), columns=["chi2", "p"])
    fit = cox(rows, columns) if fit is None else fit
    if not fit.estimable:
        return missing
    likelihood, beta, _ = _at_maximum(rows, fit)
    clock = likelihood.clock()
    if STRATUM in rows:
        whole = PartialLikelihood(rows.drop(columns=STRATUM), likelihood.x)
        clock[likelihood.dies] = whole.clock()[whole.dies]
    likelihood = likelihood.folded()
    clock = clock - clock @ likelihood.ties / likelihood.ties.sum()
    (_, score, cross), (*_, squared) = (likelihood.at(beta, clock**power) for power in (1, 2))
    # What the products with time say beyond the factors themselves, which are at their maximum.
    added = squared - cross @ np.linalg.solve(likelihood.at(beta)[2], cross)
    if np.linalg.eigvalsh(added)[0] < 1e-12 * likelihood.ties.sum():
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
    x, expected = likelihood.x[likelihood.dying], likelihood.expected(beta)[likelihood.dies]
    scaled = (x - expected) @ np.linalg.inv(likelihood.at(beta)[2] / len(x))
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


def early_and_late(rows: pd.DataFrame, *columns: str) -> tuple[float, dict[str, CoxFit]]:
    """Hazard ratios of a factor's columns before and after half of the events had happened.

    Returns the time of the event that completes the half, which itself is early, and the fits
    `early` and `late`, each of its own stretch with the patients at risk and the events in it. So
    where the factor separates the events of one, the other keeps its estimate. Without an event
    the time is NaN, and everything early.
    """
    died = rows[rows["event"] > 0].sort_values("stop")
    passed = (died[NUMBER] if NUMBER in died else died["event"]).cumsum().to_numpy()
    half = np.searchsorted(passed, (passed[-1] + 1) // 2) if len(died) else 0
    split = float(died["stop"].iloc[half]) if len(died) else np.nan
    parts = zip(("early", "late"), stretches(rows, split), strict=True)
    return split, {name: cox(part, columns) for name, part in parts}
