"""What the book's notebooks share: datasets, endpoints, estimators, results, charts, tables."""

from .site import processes  # noqa: F401, I001  the first of all, for what it sees to

# isort: split
from . import survival
from .dataset.endpoints import endpoint
from .dataset.model import Dataset, NotRecorded, load
from .dataset.problems import DataError
from .page.formats import counted, in_months, in_patients, month, rounded, shown
from .page.masking import masked
from .page.page import open_page
from .page.prose import Prose, declared, estimate, share, sourced, with_interval
from .page.rows import anybody, pick, write
from .page.tables import numbers_table
from .printed.published import against_print
from .study.characteristics import (
    baseline_results,
    characteristics_results,
    filled_results,
    outcome_columns,
    outcome_results,
    relapse_free_columns,
    survival_columns,
    text_results,
)
from .study.curves import (
    headline_results,
    incidence_results,
    last_known,
    plateau_month,
    survival_results,
    told_months,
)
from .study.diagrams import flow_figure, forest_figure
from .study.figures import incidence_figure, survival_figure
from .study.flow import flow_results
from .study.models import factor_endpoints, factor_results, forward_results
from .study.sentences import (
    at_landmarks,
    below,
    beyond,
    carried_estimate,
    chance_in_smallest,
    follow_up_told,
    forward_told,
    median_told,
    nobody_long_term,
    plateau_bounds,
    recorded,
    restricted_mean,
    selected,
    smallest_column,
    within_a_year,
)
from .study.tables import (
    characteristics_table,
    dictionary_table,
    factor_table,
    factors_table,
    forward_table,
    headline_table,
    landmark_table,
    outcome_table,
    over_time_table,
    plateau_table,
    postbaseline_table,
    settings_table,
    sources_table,
    text_table,
    unselected_table,
)
from .survival.competing import cumulative_incidence
from .survival.curves import survival_curve

__all__ = [
    "DataError",
    "Dataset",
    "NotRecorded",
    "open_page",
    "survival",
    "Prose",
    "against_print",
    "anybody",
    "at_landmarks",
    "baseline_results",
    "below",
    "beyond",
    "carried_estimate",
    "chance_in_smallest",
    "characteristics_results",
    "characteristics_table",
    "counted",
    "cumulative_incidence",
    "declared",
    "dictionary_table",
    "endpoint",
    "estimate",
    "factor_endpoints",
    "factor_results",
    "factor_table",
    "factors_table",
    "filled_results",
    "flow_figure",
    "flow_results",
    "follow_up_told",
    "forest_figure",
    "forward_results",
    "forward_table",
    "forward_told",
    "headline_results",
    "headline_table",
    "in_months",
    "in_patients",
    "incidence_figure",
    "incidence_results",
    "landmark_table",
    "last_known",
    "load",
    "masked",
    "month",
    "nobody_long_term",
    "numbers_table",
    "outcome_columns",
    "outcome_results",
    "outcome_table",
    "over_time_table",
    "pick",
    "median_told",
    "plateau_bounds",
    "recorded",
    "plateau_month",
    "plateau_table",
    "postbaseline_table",
    "relapse_free_columns",
    "restricted_mean",
    "rounded",
    "selected",
    "settings_table",
    "share",
    "shown",
    "smallest_column",
    "sourced",
    "sources_table",
    "survival_columns",
    "survival_curve",
    "survival_figure",
    "survival_results",
    "text_results",
    "text_table",
    "told_months",
    "unselected_table",
    "with_interval",
    "within_a_year",
    "write",
]
