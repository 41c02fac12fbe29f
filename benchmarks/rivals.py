"""How each package runs each estimator on the rows of estimators.py, and what is read from it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress

import lifelines
import numpy as np
import pandas as pd
from lifelines.statistics import multivariate_logrank_test

from analysis import survival as est
from analysis.survival import resampling

with suppress(ImportError):
    from statsmodels.duration import survfunc
    from statsmodels.duration.hazard_regression import PHReg
with suppress(ImportError):
    from sksurv import compare, nonparametric
    from sksurv.util import Surv

warnings.simplefilter("ignore")
RESAMPLES, SEED = 1_000, 1
FACTORS = ["later", *(f"x{place}" for place in range(1, 10))]
START_STOP = ["patient", "start", "stop", "event"]
# A table as it is run, and what is read from what that returns: numbers (k,), or a curve as its
# times and a column for each estimate.
Run = tuple[Callable[[pd.DataFrame], object], Callable[[object], np.ndarray]]


def curve(times: np.ndarray, *columns: np.ndarray) -> np.ndarray:
    """A curve as columns."""
    return np.column_stack([times, *columns])


def died(data: pd.DataFrame) -> np.ndarray:
    """Who had the first of two events."""
    return data["event"].to_numpy() == 1


def gray(data: pd.DataFrame) -> list[float]:
    """Tests of both causes, and the curves that R's `cuminc` draws with them."""
    time, event, group = (data[name].to_numpy() for name in ("time", "event", "group"))
    for side in (group == label for label in np.unique(group)):
        for cause in (1, 2):
            est.cumulative_incidence(time[side], event[side], cause)
    return [est.gray(time, event, cause, group).chi2 for cause in (1, 2)]


def selection(rows: pd.DataFrame) -> resampling.Bootstrap:
    """Stepwise selection in resamples of the patients."""
    columns = [name for name in rows if name not in START_STOP]
    return resampling.bootstrap(rows, columns, RESAMPLES, SEED)


def cox(columns: list[str]) -> Mapping[str, Run]:
    """A Cox model of start-stop rows."""
    times = {"id_col": "patient", "event_col": "event", "start_col": "start", "stop_col": "stop"}
    return {
        "ours": (
            lambda rows: est.cox(rows, columns),
            lambda fit: fit.estimates.to_numpy().T.ravel(),
        ),
        "lifelines": (
            lambda rows: lifelines.CoxTimeVaryingFitter().fit(rows[START_STOP + columns], **times),
            lambda fit: np.append(fit.params_[columns], fit.standard_errors_[columns]),
        ),
        "statsmodels": (
            lambda rows: PHReg(
                *(rows["stop"], rows[columns], rows["event"]), entry=rows["start"], ties="efron"
            ).fit(),
            lambda fit: np.append(fit.params, fit.bse),
        ),
    }


KAPLAN_MEIER: Mapping[str, Run] = {
    "ours": (
        lambda data: est.survival_curve(data["time"], died(data)),
        lambda found: curve(found.index, found[["survival", "lower", "upper"]]),
    ),
    "lifelines": (
        lambda data: lifelines.KaplanMeierFitter().fit(data["time"], died(data)),
        lambda fit: curve(fit.timeline, fit.survival_function_, fit.confidence_interval_),
    ),
    "scikit-survival": (
        lambda data: nonparametric.kaplan_meier_estimator(
            died(data), data["time"].to_numpy(), conf_type="log-log"
        ),
        lambda found: curve(*found[:2], *found[2]),
    ),
    "statsmodels": (
        lambda data: survfunc.SurvfuncRight(data["time"], died(data)),
        lambda fit: curve(fit.surv_times, fit.surv_prob),
    ),
}
LOGRANK: Mapping[str, Run] = {
    "ours": (
        lambda data: est.logrank(data["time"], died(data), data["group"]),
        lambda test: np.array([test.chi2]),
    ),
    "lifelines": (
        lambda data: multivariate_logrank_test(data["time"], data["group"], died(data)),
        lambda test: np.array([test.test_statistic]),
    ),
    "scikit-survival": (
        lambda data: compare.compare_survival(
            Surv.from_arrays(died(data), data["time"]), data["group"].to_numpy()
        ),
        lambda test: np.array(test[:1]),
    ),
    "statsmodels": (
        lambda data: survfunc.survdiff(data["time"], died(data), data["group"]),
        lambda test: np.array(test[:1]),
    ),
}
INCIDENCE: Mapping[str, Run] = {
    "ours": (
        lambda data: [est.cumulative_incidence(data["time"], data["event"], k) for k in (1, 2)],
        lambda found: curve(
            found[0].index, *(one[name] for name in ("incidence", "se") for one in found)
        ),
    ),
    "lifelines": (
        lambda data: [
            lifelines.AalenJohansenFitter(seed=SEED).fit(data["time"], data["event"], k)
            for k in (1, 2)
        ],
        lambda fits: curve(fits[0].timeline, *(fit.cumulative_density_ for fit in fits)),
    ),
    "scikit-survival": (
        lambda data: nonparametric.cumulative_incidence_competing_risks(
            data["event"].to_numpy(), data["time"].to_numpy(), conf_type="log-log"
        ),
        lambda found: curve(found[0], *found[1][1:]),
    ),
    "statsmodels": (
        lambda data: survfunc.CumIncidenceRight(data["time"].to_numpy(), data["event"].to_numpy()),
        lambda fit: curve(fit.times, *fit.cinc),
    ),
}
FINE_GRAY: Mapping[str, Run] = {
    "ours": (
        lambda data: est.fine_gray(data["time"], data["event"], 1, data[FACTORS[1:4]]),
        lambda fit: fit.estimates.to_numpy().T.ravel(),
    ),
}
SELECTION: Mapping[str, Run] = {
    "ours": (
        selection,
        lambda boot: np.append(boot.inclusion()["share"], boot.optimism().slope),
    ),
}
GRAY: Mapping[str, Run] = {"ours": (gray, np.array)}
