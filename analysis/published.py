"""Against the print: each printed number beside the one that the run computed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import pandas as pd

from .dataset import Dataset
from .tables import Row, Table, outcome_labels
from .text import MISSING, Prose, in_months, rounded, scaled

KEYS = ["quantity", "group", "months"]
MATCH, OFF = "✓", "differs"
LISTED_AT_MOST = 12  # a longer list waits behind a click

# Quantities that a paper prints as one expression, such as 27 (62.8), under their common name.
FAMILIES = {
    "percent": "count",
    "min": "median_value",
    "max": "median_value",
    "sd": "mean",
    "followup_min": "followup_median",
    "followup_max": "followup_median",
}
WORDS = {
    "median": "Median, months",
    "survival": "Survival, %",
    "cumulative_incidence": "Incidence, %",
    "followup_median": "Follow-up, months",
    "count": "No. (%)",
    "median_value": "Median (range)",
    "mean": "Mean (SD)",
    "hazard_ratio_univariate": "HR alone",
    "hazard_ratio_multivariate": "HR, stepwise model",
}
COLUMN_WORDS = {"long_term": "long-term survivors", "shorter": "others", "total": "all"}


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


@dataclass(frozen=True)
class Comparison:
    """What differs from the print, always in sight, then every number."""

    differing: Table | None
    every: Table

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/html": self._html(), "text/plain": self.every._plain()}

    def _html(self) -> str:
        whole = self.every._html()
        if len(self.every.rows) <= LISTED_AT_MOST:
            return whole
        summary = f"<summary>{self.every.caption}</summary>"
        shown = self.differing._html() if self.differing else ""
        return f'{shown}<details class="every-number">{summary}{whole}</details>'


def against_print(dataset: Dataset, page: str, results: pd.DataFrame) -> Comparison | Prose:
    """The comparison for the page, or a sentence where nothing was printed."""
    if not (dataset.published["page"] == page).any():
        return Prose("No published numbers come with this page, so there is nothing to compare.")
    found = compare(dataset, page, results)
    family = found["quantity"].replace(FAMILIES)
    # The comparison's own order is the print's; blanks in months must not drop a line.
    groups = found.groupby([family, "group", found["months"].fillna(-1)], sort=False)
    matched, total = int(found["match"].sum()), len(found)
    columns = ("Number", "Printed", "Recomputed", "Same", "Place in the paper")
    every = Table(
        f"{page}-print",
        f"Printed and recomputed: {matched} of {total} numbers agree.",
        columns,
        [_line(dataset, part) for _, part in groups],
        _notes(dataset, [part for _, part in groups]),
    )
    if matched == total:
        return Comparison(None, every)
    off = [part for _, part in groups if not part["match"].all()]
    differing = Table(
        f"{page}-differs",
        f"Where print and run differ: {total - matched} of {total} numbers.",
        columns,
        [_line(dataset, part) for part in off],
        _notes(dataset, off),
    )
    return Comparison(differing, every)


def _notes(dataset: Dataset, parts: list[pd.DataFrame]) -> list[str]:
    """The notes of the print; one that many numbers share is said once, without naming them."""
    subjects: dict[str, list[str]] = {}
    for part in parts:
        for note in part["note"][part["note"] != ""].unique():
            subjects.setdefault(note, []).append(_heading(dataset, part.iloc[0]))
    return [f"{who[0]}: {note}" if len(who) == 1 else note for note, who in subjects.items()]


def _line(dataset: Dataset, part: pd.DataFrame) -> Row:
    same = MATCH if part["match"].all() else OFF
    expressions = [_expression(part[column]) for column in ("printed", "recomputed")]
    first = part.iloc[0]
    return Row(_heading(dataset, first), (*expressions, same, first["place"]))


def _expression(pieces: pd.Series) -> str:
    """`a`, `a (b)` or `a (b–c)`, as a paper prints them; a number that is not there is a dash."""
    if not pieces.any():
        return MISSING
    first, *others = (piece or MISSING for piece in pieces)
    return f"{first} ({'–'.join(others)})" if others else first


def _heading(dataset: Dataset, line: pd.Series) -> str:
    """The number in a reader's words."""
    quantity = WORDS.get(FAMILIES.get(line["quantity"], line["quantity"]), line["quantity"])
    when = "" if pd.isna(line["months"]) else f" at {in_months(line['months'])}"
    about = _subject(dataset, line["group"])
    return f"{about}: {quantity}{when}" if about else f"{quantity}{when}"


def _subject(dataset: Dataset, group: str) -> str:
    """What a result's group speaks of, in the dataset's own labels."""
    name, _, column = group.partition("|")
    endpoint, colon, factor = name.partition(":")
    labels = {f.column: f.label for f in dataset.factors}
    if colon and factor in labels:
        return f"{endpoint.upper()}, {labels[factor]}"
    if name in {"os", "rfs", "os_after_hsct"}:
        return ""  # the page's own endpoint
    if name in {"relapse", "death"}:
        return {"relapse": dataset.label("relapse_day"), "death": "Death"}[name]
    characteristic, equals, level = name.partition("=")
    derived = {key: label for key, (label, _) in outcome_labels(dataset).items()}
    words = derived.get(name, dataset.label(characteristic)).removesuffix(", No. (%)")
    words = "Patients" if name == "patients" else words + (f", {level}" if equals else "")
    return f"{words}, {COLUMN_WORDS.get(column, column)}" if column else words
