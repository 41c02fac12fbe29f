"""Counts of a few patients taken out of the results, with what would give them back.

It is what registries ask for before a table leaves the house. It works within one table. Whoever
holds several tables of the same patients, or the curve itself, may still work out a count.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..dataset.model import Dataset
from .quantities import nature


def masked(dataset: Dataset, results: pd.DataFrame) -> pd.DataFrame:
    """The results of one page without counts from 1 to `dataset.mask_below` less one.

    Blank become those counts, as estimates and in `n` and `events`; the counts of all but so few;
    what gives a blank count back (its percentage, its row in the other columns, a second level of
    a characteristic or branch of a whole, a second of at risk, censored and events at a month,
    the rate after a landmark); and what is the value of one patient, such as a maximum.
    The same results come back where `mask_below` is 0.
    """
    if not dataset.mask_below:
        return results
    few = range(1, dataset.mask_below)
    made = results.copy()
    hidden = _hidden_counts(made, few)
    made.loc[hidden, "estimate"] = np.nan
    percents = made["quantity"].eq("percent") & made["group"].isin(made.loc[hidden, "group"])
    made.loc[percents, "estimate"] = np.nan
    for column in ("n", "events"):
        made.loc[made[column].isin(few), column] = pd.NA
    _hide_a_second(made)
    _hide_the_other_stretch(made, few)
    unknown = _masked_as(made, "ratio") & (made["n"].isna() | made["events"].isna())
    hidden = unknown | _masked_as(made, "of one")
    made.loc[hidden, ["estimate", "lower", "upper"]] = np.nan
    return made


def _masked_as(results: pd.DataFrame, kind: str) -> pd.Series:
    """Which rows are of a quantity that is masked in this way."""
    return results["quantity"].map(lambda quantity: nature(quantity).masked).eq(kind)


def _hidden_counts(results: pd.DataFrame, few: range) -> pd.Series:
    """Which rows hold a count that must not be shown."""
    hidden = _masked_as(results, "count") & results["estimate"].isin(few)
    rows = results[results["quantity"].eq("count")]
    if rows.empty:
        return hidden
    hidden[rows.index] |= (rows["n"] - rows["estimate"]).isin(few)
    parts = rows["group"].str.partition("|")
    name, column = parts[0], parts[2]
    # The columns of a table add up, so a row is hidden in all of them or in none.
    hidden[rows.index] |= name.isin(name[hidden[rows.index]])
    # Levels of a characteristic add up, and so do the branches of a column's patients.
    whole = name.str.partition("=")[0].where(name.str.contains("="), "")
    for _, part in rows[rows["estimate"].gt(0)].groupby([whole, column]):
        if len(part) > 1 and hidden[part.index].sum() == 1:
            least = part.loc[~hidden[part.index], "estimate"].idxmin()
            hidden[rows.index] |= name.eq(name[least])
    return hidden


def _hide_the_other_stretch(results: pd.DataFrame, few: range) -> None:
    """The events of two stretches make all, and who is not in one left before it or came after."""
    stretches = results["quantity"].isin(["hazard_ratio_early", "hazard_ratio_late"])
    whole = results[results["quantity"].eq("hazard_ratio_univariate")].set_index("group")["n"]
    away = results.loc[stretches, "group"].map(whole) - results.loc[stretches, "n"]
    results.loc[away.index[away.isin(few)], "n"] = pd.NA
    hidden = results.loc[stretches & results["events"].isna(), "group"]
    results.loc[stretches & results["group"].isin(hidden), "events"] = pd.NA


def _hide_a_second(results: pd.DataFrame) -> None:
    """At a month at risk, censored and events make all: where one is blank, another must be."""
    followed = results["quantity"].isin(["at_risk", "censored"])
    curves = results["quantity"].isin(["survival", "cumulative_incidence"])
    competing = results["quantity"].eq("cumulative_incidence").any()  # causes share an endpoint
    keys = ["months"] if competing else ["group", "months"]
    for _, rows in results[followed | curves].groupby(keys):
        parts = [(row, "estimate" if followed[row] else "events") for row in rows.index]
        known = [part for part in parts if not pd.isna(results.at[part])]
        large = [part for part in known if results.at[part] > 0]
        if len(parts) - len(known) == 1 and large:
            row, column = min(large, key=lambda part: results.at[part])
            results.loc[row, column] = np.nan if column == "estimate" else pd.NA
