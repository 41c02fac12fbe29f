"""What the book's notebooks share: datasets, endpoints, estimators, results, charts, tables."""

from .charts import incidence_figure, survival_figure
from .dataset import DataError, Dataset, NotRecorded, load
from .endpoints import endpoint
from .estimators import cumulative_incidence, survival_curve
from .published import against_print
from .results import (
    baseline_results,
    characteristics_results,
    factor_endpoints,
    factor_results,
    headline_results,
    incidence_results,
    outcome_results,
    pick,
    relapse_free_columns,
    survival_columns,
    survival_results,
    write,
)
from .tables import (
    characteristics_table,
    dictionary_table,
    factor_table,
    factors_table,
    headline_table,
    landmark_table,
    outcome_table,
    postbaseline_table,
    sources_table,
)
from .text import Prose, at_landmarks, estimate, month, rounded, selected, shown, with_interval

__all__ = [
    "DataError",
    "Dataset",
    "NotRecorded",
    "Prose",
    "against_print",
    "at_landmarks",
    "baseline_results",
    "characteristics_results",
    "characteristics_table",
    "cumulative_incidence",
    "dictionary_table",
    "endpoint",
    "estimate",
    "factor_endpoints",
    "factor_results",
    "factor_table",
    "factors_table",
    "headline_results",
    "headline_table",
    "incidence_figure",
    "incidence_results",
    "landmark_table",
    "load",
    "month",
    "outcome_results",
    "outcome_table",
    "pick",
    "postbaseline_table",
    "relapse_free_columns",
    "rounded",
    "selected",
    "shown",
    "sources_table",
    "survival_columns",
    "survival_curve",
    "survival_figure",
    "survival_results",
    "with_interval",
    "write",
]
