"""Counts of a few patients taken out of the results, with what would give them back.

It is what registries ask for before a table leaves the house. It works within one page. Whoever
holds several pages of the same patients, or the curve itself, may still work out a count.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..dataset.model import Dataset
from .quantities import nature


@dataclass(frozen=True)
class Whole:
    """Groups of the results whose patients together are those of another group: its parts.

    Declared where the rows are made. `of` is the column that adds up, in every quantity and month
    in which all of the groups have a row: an `estimate` (of a count), `n` or `events`. The whole
    may be the `n` of a row, whose parts are counts. A whole of one part is hidden with it. With a
    `rest`, patients are in none of the parts whom no row counts: they are what is left. What does
    not add up is no whole.
    """

    whole: str
    parts: tuple[str, ...]
    of: str = "estimate"
    whole_of: str = ""
    rest: bool = False


Cell = tuple[int, str]  # a row and a column of the results
REST: Cell = (-1, "")  # patients whom no row counts

# Rows of two groups together: `n` and `events` of both.
CONTRASTS = {
    "standardised_difference", "survival_difference", "p_survival_difference", "rmst_difference",
    "p_rmst_difference", "p_logrank_pair", "p_logrank_holm",
}  # fmt: skip


def masked(dataset: Dataset, results: pd.DataFrame, wholes: Iterable[Whole] = ()) -> pd.DataFrame:
    """The results of one page without counts from 1 to `dataset.mask_below` less one.

    Blank become those counts, as estimates and in `n` and `events`; the counts of all but so few;
    what gives a blank count back (its percentage, its row in the other columns, a second level of
    a characteristic or part of one of the `wholes`, a second of at risk, censored and events at a
    month, the rate after a landmark); and what is the value of one patient, such as a maximum.
    The same results come back where `mask_below` is 0.
    """
    if not dataset.mask_below or results.empty:
        return results
    few = range(1, dataset.mask_below)
    made = results.copy()
    wholes = list(wholes)
    made.loc[_hidden_counts(made, few, declared=bool(wholes)), "estimate"] = np.nan
    for column in ("n", "events"):
        made.loc[made[column].isin(few), column] = pd.NA
    _hide_all_but(made, results, few)
    sums = [*_sums(results, wholes, few), *_at_a_month(results)]
    _hide_the_same(made, results)
    while any([_hide_another(made, cells) for cells in sums]):
        _hide_the_same(made, results)
    _hide_contrasts(made, results)
    percents = made["quantity"].eq("percent") & made["group"].isin(_unknown_shares(made))
    made.loc[percents, "estimate"] = np.nan
    _hide_the_other_stretch(made, few)
    unknown = _masked_as(made, "ratio") & (made["n"].isna() | made["events"].isna())
    hidden = unknown | _masked_as(made, "of one")
    made.loc[hidden, ["estimate", "lower", "upper"]] = np.nan
    return made


def _masked_as(results: pd.DataFrame, kind: str) -> pd.Series:
    """Which rows are of a quantity that is masked in this way."""
    return results["quantity"].map(lambda quantity: nature(quantity).masked).eq(kind)


def _hidden_counts(results: pd.DataFrame, few: range, declared: bool) -> pd.Series:
    """Which rows hold a count that must not be shown.

    Where it is not declared what adds up, all counts of one column may.
    """
    hidden = _masked_as(results, "count") & results["estimate"].isin(few)
    rows = results[results["quantity"].eq("count")]
    if rows.empty:
        return hidden
    hidden[rows.index] |= (rows["n"] - rows["estimate"]).isin(few)
    parts = rows["group"].str.partition("|")
    name, column = parts[0], parts[2]
    # The columns of a table add up, so a row is hidden in all of them or in none.
    hidden[rows.index] |= name.isin(name[hidden[rows.index]])
    # Levels of a characteristic add up.
    levels = name.str.contains("=")
    whole = name.str.partition("=")[0].where(levels, "")
    for _, part in rows[rows["estimate"].gt(0) & (levels | (not declared))].groupby(
        [whole, column]
    ):
        if len(part) > 1 and hidden[part.index].sum() == 1:
            least = part.loc[~hidden[part.index], "estimate"].idxmin()
            hidden[rows.index] |= name.eq(name[least])
    return hidden


def _sums(results: pd.DataFrame, wholes: Iterable[Whole], few: range) -> Iterator[list[Cell]]:
    """The cells of each whole, itself the last, at each quantity and month that has them all."""
    counts = _masked_as(results, "count")
    rows = {
        key: dict(zip(part["group"], part.index, strict=True))
        for key, part in results.groupby(["quantity", "months"], dropna=False)
        if part["group"].is_unique
    }
    for whole in wholes:
        of = whole.whole_of or whole.of
        for at in rows.values():
            if not {whole.whole, *whole.parts} <= set(at):
                continue
            cells = [(at[part], whole.of) for part in whole.parts] + [(at[whole.whole], of)]
            if any(column == "estimate" and not counts[row] for row, column in cells):
                continue
            values = [results.at[cell] for cell in cells]
            if any(pd.isna(value) for value in values):
                continue
            left = values[-1] - sum(values[:-1])
            if left == 0 and not (whole.rest and len(whole.parts) == 1):
                yield cells
            elif whole.rest and left in few:
                yield [*cells, REST]


def _at_a_month(results: pd.DataFrame) -> Iterator[list[Cell]]:
    """At a month at risk, censored and events make all."""
    followed = results["quantity"].isin(["at_risk", "censored"])
    curves = results["quantity"].isin(["survival", "cumulative_incidence"])
    # Causes share the numbers of their endpoint.
    competing = results["quantity"].eq("cumulative_incidence").any()
    group = results["group"].str.partition("|")[2] if competing else results["group"]
    for _, rows in results[followed | curves].groupby([group, "months"]):
        cells = [(row, "estimate" if followed[row] else "events") for row in rows.index]
        yield [cell for cell in cells if pd.notna(results.at[cell]) or followed[cell[0]]]


def _hide_another(made: pd.DataFrame, cells: list[Cell]) -> bool:
    """Where one of some cells that add up is blank alone, another must be: the least part."""
    known = [cell for cell in cells if cell != REST and pd.notna(made.at[cell])]
    if len(cells) == 2 and REST not in cells and pd.notna(made.at[cells[0]]):
        return False
    large = [cell for cell in known if made.at[cell] > 0]
    if len(cells) - len(known) != 1 or not large:
        return False
    row, column = min(large, key=lambda cell: made.at[cell])
    rows = [row]
    if column == "estimate" and made.at[row, "quantity"] == "count":  # in all columns, or in none
        counts = made[made["quantity"].eq("count")]
        name = counts["group"].str.partition("|")[0]
        rows = counts.index[name.eq(name[row])]
    made.loc[rows, column] = np.nan if column == "estimate" else pd.NA
    return True


def _hide_the_same(made: pd.DataFrame, results: pd.DataFrame) -> None:
    """What is the same number in another row of a group: of a share, of a statistic, at a month."""
    shares = results["quantity"].isin(["count", "percent"])
    hidden = made[shares & made["n"].isna()]["group"]
    made.loc[shares & made["group"].isin(hidden), "n"] = pd.NA
    # Statistics are of as many as their column is known of.
    counts = made[made["quantity"].eq("count") & made["estimate"].isna()]["group"]
    numbers = results["group"].isin(results[results["quantity"].eq("median_value")]["group"])
    made.loc[numbers & made["group"].isin(counts), "n"] = pd.NA
    # A survival curve's `n` at a month are those at risk.
    followed = results["quantity"].isin(["at_risk", "survival"]) & results["months"].notna()
    number = results["estimate"].where(results["quantity"].eq("at_risk"), results["n"])
    left = made["estimate"].where(results["quantity"].eq("at_risk"), made["n"])
    for _, rows in results[followed].groupby(["group", "months"]):
        if number[rows.index].nunique(dropna=False) == 1 and left[rows.index].isna().any():
            made.loc[rows.index[rows["quantity"].eq("at_risk")], "estimate"] = np.nan
            made.loc[rows.index[rows["quantity"].eq("survival")], "n"] = pd.NA


def _hide_all_but(made: pd.DataFrame, results: pd.DataFrame, few: range) -> None:
    """Of how many a comparison of groups is, where it leaves out so few of its endpoint."""
    endpoint = results["group"].str.partition("|")
    by = endpoint[2].ne("") & results["months"].isna()
    for column, quantity in (("n", "followup_end"), ("events", "median")):
        whole = results[results["quantity"].eq(quantity)].set_index("group")[column]
        away = endpoint[0].map(whole[~whole.index.duplicated()]) - results[column]
        made.loc[by & away.isin(few), column] = pd.NA


def _hide_contrasts(made: pd.DataFrame, results: pd.DataFrame) -> None:
    """Two groups together less the one that is shown are the other."""
    together = results["quantity"].isin(CONTRASTS)
    by = results["group"].str.partition("|")[2].str.partition("=")[0]
    for column in ("n", "events"):
        gone = made[column].isna() & results[column].notna() & by.ne("") & ~together
        made.loc[together & by.isin(by[gone]), column] = pd.NA


def _unknown_shares(made: pd.DataFrame) -> pd.Series:
    """The groups whose count, or whole, is blank."""
    counts = made[made["quantity"].eq("count")]
    return counts[counts["estimate"].isna() | counts["n"].isna()]["group"]


def _hide_the_other_stretch(results: pd.DataFrame, few: range) -> None:
    """The events of two stretches make all, and who is not in one left before it or came after."""
    stretches = results["quantity"].isin(["hazard_ratio_early", "hazard_ratio_late"])
    whole = results[results["quantity"].eq("hazard_ratio_univariate")].set_index("group")["n"]
    away = results.loc[stretches, "group"].map(whole) - results.loc[stretches, "n"]
    results.loc[away.index[away.isin(few)], "n"] = pd.NA
    hidden = results.loc[stretches & results["events"].isna(), "group"]
    results.loc[stretches & results["group"].isin(hidden), "events"] = pd.NA
