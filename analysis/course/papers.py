"""What a paper printed of a dataset, or would print of it: percentages and hazard ratios.

Where nothing is printed they are the dataset's own, rounded as in most papers; where it describes
nothing either, they are invented.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import pandas as pd

from .. import survival
from ..dataset.covariates import covariate_rows
from ..dataset.model import Dataset, NotRecorded
from ..page.formats import rounded
from ..page.masking import masked
from ..page.rows import frame
from ..printed.bounds import NotPrinted, Print, Printed
from ..printed.consistency import percentages
from ..printed.ratios import printed_ratio, ratio_of
from ..study.characteristics import characteristics_results
from ..study.models import factor_labels, factors_of, ratio_labels
from .events import outcome_of

PRINTED, OWN, INVENTED = "printed", "own", "invented"
MADE_UP = (
    ("Got better", "34.2", 41, 120),
    ("Women", "48.3", 58, 120),
    ("Second line or later", "19.2", 23, 120),
)
MADE_UP_RATIO = ("Women against men", ("0.75", "0.58", "0.97"))


def lines(dataset: Dataset) -> pd.DataFrame:
    """Percentages with their counts, `146 of 259 (56.2)`, in the order of the print.

    A row for each: `label`, `group`, `percent` (text), `count`, `n`, the `source` of all of them,
    and whether it is `told`: its count is not masked.
    """
    columns = ("label", "group", "percent", "count", "n")
    sources = {PRINTED: _printed_lines, OWN: _own_lines, INVENTED: lambda _: made_up()}
    found = ((name, list(find(dataset))) for name, find in sources.items())
    source, rows = next((name, rows) for name, rows in found if rows)
    made = pd.DataFrame(rows, columns=columns).assign(source=source)
    counts = made.rename(columns={"count": "estimate"}).assign(quantity="count")
    rows = counts[["quantity", "group", "estimate", "n"]].to_dict("records")
    known = masked(dataset, frame(rows))
    return made.assign(told=known["estimate"].notna())


def made_up() -> list[tuple]:
    """Invented lines, which hold."""
    return [(label, f"invented: {label.lower()}", *rest) for label, *rest in MADE_UP]


def _printed_lines(dataset: Dataset) -> Iterator[tuple]:
    for found in percentages(Print(dataset)):
        yield found["label"], found["group"], found["printed"], found["count"], found["n"]


def _own_lines(dataset: Dataset) -> Iterator[tuple]:
    """The baseline characteristics as a paper would print them, to one decimal."""
    everybody = pd.Series(True, index=dataset.patients.index)
    try:
        table = characteristics_results(dataset, ["baseline"], {"": everybody})
    except NotRecorded:
        return
    labels = {entry.column: entry.label for entry in dataset.characteristics}
    counts = table[table["quantity"].eq("count")].set_index("group")["estimate"]
    for row in table[table["quantity"].eq("percent")].dropna(subset="estimate").itertuples():
        column, _, level = row.group.partition("=")
        label = f"{labels[column]}, {level or 'not recorded'}"
        yield label, row.group, rounded(row.estimate, 1), int(counts[row.group]), int(row.n)


def ratios(dataset: Dataset) -> pd.DataFrame:
    """Hazard ratios for death, each with its 95% limits.

    A row for each: `label`, `ratio` (`printed.ratios.Ratio`), and `n` and `events` of its model,
    where that is known; and the `source` of all of them, as of `lines`.
    """
    sources = {PRINTED: _printed_ratios, OWN: _own_ratios, INVENTED: _made_up_ratio}
    found = ((name, list(find(dataset))) for name, find in sources.items())
    source, rows = next((name, rows) for name, rows in found if rows)
    return pd.DataFrame(rows, columns=("label", "ratio", "n", "events")).assign(source=source)


def _made_up_ratio(_: Dataset) -> Iterator[tuple]:
    label, texts = MADE_UP_RATIO
    yield label, ratio_of("invented", "univariate", list(map(Printed, texts))), np.nan, np.nan


def _printed_ratios(dataset: Dataset) -> Iterator[tuple]:
    printed = Print(dataset)
    for group, label in factor_labels(dataset, outcome_of(dataset)).items():
        with contextlib.suppress(NotPrinted):
            yield label, printed_ratio(printed, group, "univariate"), np.nan, np.nan


def _own_ratios(dataset: Dataset) -> Iterator[tuple]:
    """Each baseline factor alone, rounded as a paper would, to two decimals."""
    question = outcome_of(dataset)
    labels = ratio_labels(dataset, question)
    for factor in factors_of(dataset, question):
        if factor.kind != "baseline":
            continue
        fit = survival.cox(covariate_rows(dataset, question, [factor]), factor.columns)
        for column, line in fit.summary().dropna()[["hazard_ratio", "lower", "upper"]].iterrows():
            with contextlib.suppress(NotPrinted):
                texts = [Printed(rounded(value, 2)) for value in line]
                key = f"{question.name}:{column}"
                yield labels[key], ratio_of(key, "univariate", texts), fit.n, fit.events
