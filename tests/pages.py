"""What each page computes, without its notebook: one place for the tests that need results."""

from __future__ import annotations

import pandas as pd

from analysis import results
from analysis.dataset import Dataset
from analysis.endpoints import endpoint
from analysis.estimators import cumulative_incidence, survival_curve


def survival(dataset: Dataset, name: str) -> pd.DataFrame:
    """The results of a survival figure."""
    question = endpoint(dataset, name)
    curve = survival_curve(question.time, question.observed)
    return results.survival_results(dataset, question, curve)


def incidence(dataset: Dataset) -> pd.DataFrame:
    """The results of Figure 1D."""
    question = endpoint(dataset, "relapse")
    curves = {
        cause: cumulative_incidence(question.time, question.observed, number)
        for number, cause in enumerate(("relapse", "death"), start=1)
    }
    return results.incidence_results(dataset, question, curves)


def factors(dataset: Dataset) -> pd.DataFrame:
    """The results of Table 3."""
    made = [results.factor_results(dataset, q) for q in results.factor_endpoints(dataset)]
    return pd.concat(made, ignore_index=True)


PAGES = {
    "figure_1a": lambda dataset: survival(dataset, "os"),
    "figure_1b": lambda dataset: survival(dataset, "rfs"),
    "figure_1c": lambda dataset: survival(dataset, "os_after_hsct"),
    "figure_1d": incidence,
    "table_1": results.baseline_results,
    "table_2": results.outcome_results,
    "table_3": factors,
}
