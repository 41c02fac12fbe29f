"""Pure statistics on arrays and small tables. It knows no dataset, no page and no word of prose.

`survival.cox` and the others come from the module that holds them when they are first asked for:
a page of one curve reads no model.
"""

from importlib import import_module

HELD = {
    "comparing": ("Difference", "difference", "restricted_mean_difference", "switching_curves"),
    "competing": ("cumulative_incidence",),
    "likelihood": ("PartialLikelihood", "STRATUM"),
    "regression": (
        *("Coefficients", "CoxFit", "CoxModels", "counted", "cox"),
        *("likelihood_ratio", "null_log_likelihood", "score_p", "stepwise"),
    ),
    "curves": (
        *("CONFIDENCE", "Rate", "Z", "at", "event_rate", "follow_up", "log_log_limits", "median"),
        *("nobody_is_left", "restricted_mean", "survival_at", "survival_curve"),
    ),
    "groups": ("Comparison", "count_test", "gray", "holm", "logrank", "pairwise"),
    "proportional": (
        *("cut", "early_and_late", "proportional_hazards_test", "schoenfeld", "stretches"),
    ),
    "recurrent": ("EventRate", "andersen_gill", "mean_count", "rate_ratio", "recurrent_rate"),
    "smoothing": ("knots", "local_line", "spline", "spline_ratios"),
    "states": ("state_shares",),
    "subdistribution": ("fine_gray",),
    "times": ("ROUNDING", "beyond", "met", "one_time", "tolerance"),
}
PLACES = {name: module for module, names in HELD.items() for name in names}

__all__ = sorted(PLACES)


def __getattr__(name: str) -> object:
    if name not in PLACES:
        raise AttributeError(f"module {__name__} has no {name}")
    found = globals()[name] = getattr(import_module(f".{PLACES[name]}", __name__), name)
    return found
