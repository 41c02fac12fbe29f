"""Against the print: each printed number beside the one that the run computed."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd

from .dataset import Dataset
from .tables import Row, Table
from .text import MISSING, Prose, month, rounded, scaled

KEYS = ["quantity", "group", "months"]
MATCH, OFF = "✓", "differs"


def compare(dataset: Dataset, page: str, results: pd.DataFrame) -> pd.DataFrame:
    """The page's printed numbers with `recomputed` and `match` added.

    A number is reproduced when the recomputed one, rounded half away from zero to the printed
    decimals, is the same text. `recomputed` is blank where the run has no such number.
    """
    printed = dataset.published[dataset.published["page"] == page]
    found = printed.merge(results, on=KEYS, how="left")
    found["recomputed"] = [_as_printed(row) for _, row in found.iterrows()]
    found["match"] = found["recomputed"] == found["printed"]
    return found[[*printed.columns, "recomputed", "match"]]


def _as_printed(row: pd.Series) -> str:
    value = row[row["part"]]
    if pd.isna(value):
        return ""
    decimals = max(0, -Decimal(row["printed"]).as_tuple().exponent)
    return rounded(scaled(value, row["quantity"]), decimals)


def against_print(dataset: Dataset, page: str, results: pd.DataFrame) -> Table | Prose:
    """The comparison as a table that lists every number, or a sentence where none was printed."""
    if not (dataset.published["page"] == page).any():
        return Prose("No published numbers come with this page, so there is nothing to compare.")
    found = compare(dataset, page, results)
    rows = [
        Row(
            _words(line),
            (
                line["printed"],
                line["recomputed"] or MISSING,
                MATCH if line["match"] else OFF,
                line["place"],
            ),
        )
        for _, line in found.iterrows()
    ]
    matched = int(found["match"].sum())
    caption = f"Printed and recomputed: {matched} of {len(found)} numbers agree."
    notes = [f"{_words(line)}: {line['note']}" for _, line in found.iterrows() if line["note"]]
    columns = ("Number", "Printed", "Recomputed", "Same", "Place in the paper")
    return Table(f"{page}-print", caption, columns, rows, notes)


def _words(line: pd.Series) -> str:
    quantity = line["quantity"].replace("_", " ")
    when = "" if pd.isna(line["months"]) else f" at {month(line['months'])} months"
    part = {"estimate": "", "lower": ", lower limit", "upper": ", upper limit"}[line["part"]]
    return f"{quantity}, {line['group']}{when}{part}"
