"""What the book's notebooks share: datasets, endpoints, estimators, results, charts, tables."""

from .charts import incidence_figure, survival_figure
from .dataset import DataError, Dataset, NotRecorded, load
from .endpoints import endpoint
from .estimators import at, cumulative_incidence, median, survival_curve
from .published import against_print
from .results import (
    baseline_results,
    characteristics_results,
    factor_endpoints,
    factor_results,
    incidence_results,
    outcome_columns,
    outcome_results,
    pick,
    relapse_free_columns,
    survival_columns,
    survival_results,
    write,
)
from .tables import (
    characteristics_table,
    factor_table,
    landmark_table,
    outcome_table,
    postbaseline_table,
)
from .text import Prose, listed, month, rounded, shown, with_interval

__all__ = [
    "DataError",
    "Dataset",
    "NotRecorded",
    "Prose",
    "against_print",
    "at",
    "baseline_results",
    "characteristics_results",
    "characteristics_table",
    "cumulative_incidence",
    "endpoint",
    "factor_endpoints",
    "factor_results",
    "factor_table",
    "incidence_figure",
    "incidence_results",
    "landmark_table",
    "listed",
    "load",
    "median",
    "month",
    "outcome_columns",
    "outcome_results",
    "outcome_table",
    "pick",
    "postbaseline_table",
    "relapse_free_columns",
    "rounded",
    "shown",
    "survival_columns",
    "survival_curve",
    "survival_figure",
    "survival_results",
    "with_interval",
    "write",
]
