"""Every number of a page as rows of one table: what was estimated, of whom, with which interval.

Columns: `quantity, group, months, estimate, lower, upper, n, events`. Survival and incidence are
proportions (0-1), times months, percentages 0-100. Pages show these rows and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from ..dataset.model import ROOT

COMPETING = ":competing"  # in the group of what competes in an endpoint
COLUMNS = ["quantity", "group", "months", "estimate", "lower", "upper", "n", "events"]


def write(results: pd.DataFrame, folder: str | Path, page: str) -> None:
    """Write `folder/page.csv` at full precision; a relative folder counts from the repository."""
    folder = ROOT / folder
    folder.mkdir(parents=True, exist_ok=True)
    results.to_csv(folder / f"{page}.csv", index=False, lineterminator="\n")


def read(folder: str | Path) -> dict[str, pd.DataFrame]:
    """The results of every page in a folder, by the page's name, as `write` had them."""
    made = {path.stem: pd.read_csv(path, float_precision="round_trip", keep_default_na=False,
                                   na_values={name: "" for name in COLUMNS[2:]})
            for path in sorted((ROOT / folder).glob("*.csv"))}  # fmt: skip
    return {name: typed(rows) for name, rows in made.items() if list(rows) == COLUMNS}


def pick(
    results: pd.DataFrame, quantity: str, group: str, months: float | None = None
) -> pd.Series:
    """The one row of these keys. Raises KeyError where there is none."""
    # Plain arrays: a page asks for hundreds of rows, and comparing columns as pandas does takes
    # a sixth of its time.
    same = (results["quantity"].to_numpy() == quantity) & (results["group"].to_numpy() == group)
    at = results["months"].to_numpy(dtype=float)
    (found,) = np.nonzero(same & (np.isnan(at) if months is None else at == months))
    if len(found) != 1:
        raise KeyError(f"{len(found)} rows of {quantity}, {group}, {months}; expected one")
    return results.iloc[found[0]]


def at_risk(results: pd.DataFrame, group: str, month: float) -> float:
    """How many are followed to a month: of a cause, those of its endpoint.

    Blank where that is masked, and on a page without numbers at risk.
    """
    here = results[results["months"].eq(month) & results["quantity"].eq("at_risk")]
    return own_or_only(here, "at_risk", group)["estimate"] if len(here) else np.nan


def own_or_only(results: pd.DataFrame, quantity: str, group: str) -> pd.Series:
    """The first row of a quantity of a group; of a cause, that of the endpoint on its page."""
    rows = results[results["quantity"].eq(quantity)]
    own = rows[rows["group"].isin([group, group.replace(COMPETING, "")])]
    return (own if len(own) else rows).iloc[0]


def is_carried(results: pd.DataFrame, row: pd.Series) -> bool:
    """Whether a value at a month is that of an earlier one, since nobody is followed so long.

    Where nobody is left without an event nothing is carried: the value is known. On a page without
    numbers at risk, `n` of a survival curve's own rows are they.
    """
    if pd.isna(row["estimate"]):
        return False
    here = results["months"].to_numpy() == row["months"]
    if not (here & (results["quantity"].to_numpy() == "at_risk")).any():
        return bool(not anybody(row) and row["estimate"] > 0)
    if at_risk(results, row["group"], row["months"]) != 0 or nobody_left(results, row["group"]):
        return False
    # Where those at risk are counted on the day itself, the last of them may have left on it.
    return not row["months"] <= own_or_only(results, "followup_end", row["group"])["estimate"]


def nobody_left(results: pd.DataFrame, group: str) -> bool:
    """Whether a curve comes to 0, or incidences to 1: the last ones followed had an event."""
    rows = results[results["quantity"].eq("survival") & results["group"].eq(group)]
    if len(rows):
        return bool(rows["estimate"].eq(0).any())
    causes = results[results["quantity"].eq("cumulative_incidence")]
    return bool(np.isclose(causes.groupby("months")["estimate"].sum(), 1).any())


def anybody(row: pd.Series) -> bool:
    """Whether a result is about any patient, also where there are too few to be shown."""
    return bool(pd.isna(row["n"]) or row["n"] > 0)


def count_rows(
    name: str, which: pd.Series, mask: pd.Series, suffix: str, number: pd.Series | None = None
) -> Iterator[dict]:
    """How many of a column's patients are of a row, and their percentage.

    `number` is of how many patients each is, where of more than one.
    """
    inside = which & mask
    if number is None:
        count, n = int(inside.sum()), int(mask.sum())
    else:
        count, n = (int(number[some[some].index].sum()) for some in (inside, mask))
    yield {"quantity": "count", "group": name + suffix, "estimate": count, "n": n}
    percent = 100 * count / n if n else np.nan
    yield {"quantity": "percent", "group": name + suffix, "estimate": percent, "n": n}


def frame(rows: Iterable[dict] | pd.DataFrame) -> pd.DataFrame:
    """Rows of results as a table with COLUMNS and no others, blank where a row has none."""
    if isinstance(rows, pd.DataFrame):
        return typed(rows.reindex(columns=COLUMNS))
    return typed(pd.DataFrame(list(rows), columns=COLUMNS))


def typed(rows: pd.DataFrame) -> pd.DataFrame:
    """The same rows, their numbers as floats, those of patients and events as whole ones.

    What is too large for a number is blank: no result is infinite.
    """
    numbers = {name: rows[name].to_numpy(dtype=float, na_value=np.nan) for name in COLUMNS[2:]}
    known = {name: np.where(np.isfinite(of), of, np.nan) for name, of in numbers.items()}
    whole = {name: pd.array(known[name], dtype="Int64") for name in ("n", "events")}
    # Column by column: pandas' own conversions of a whole table take ten times as long.
    return pd.DataFrame({**rows[COLUMNS[:2]], **known, **whole}, index=rows.index)
