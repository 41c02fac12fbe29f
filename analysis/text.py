"""Numbers as a reader sees them, and prose whose numbers come from the run."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd

from .dataset import Dataset
from .endpoints import Endpoint
from .results import factor_labels, pick

MISSING = "–"
NOT_REACHED = "not reached"
# Proportions that a reader sees as per cent, and rates per patient-year, seen per 100 of them.
PERCENTAGES = {"survival", "conditional_survival", "cumulative_incidence", "one_minus_survival"}
RATES = {"event_rate"}
# Times in months; of these a median may not be reached.
TIMES = {"median", "rmst", "median_followup", "followup_median", "followup_min", "followup_max"}
MEDIANS = {"median", "median_followup"}


def rounded(value: float, decimals: int) -> str:
    """Round half away from zero, as publications do; a missing value is a dash.

    Twelve significant digits come first, so that 0.285 * 100 counts as 28.5.
    """
    if pd.isna(value):
        return MISSING
    step = Decimal(1).scaleb(-decimals)
    shown = str(Decimal(f"{value:.12g}").quantize(step, ROUND_HALF_UP))
    return shown.removeprefix("-") if float(shown) == 0 else shown.replace("-", "−")


def scaled(value: float, quantity: str) -> float:
    """A result in the unit that a reader sees: per cent, or per 100 patient-years."""
    return 100 * value if quantity in PERCENTAGES | RATES else value


def decimals_of(quantity: str) -> int:
    """The decimals that the book shows: those that the paper prints."""
    if quantity.startswith("hazard_ratio"):
        return 2
    return 0 if quantity == "count" else 1


def shown(value: float, quantity: str) -> str:
    """One result as text without its unit; a missing median was not reached."""
    if quantity.startswith("p_"):
        return p_value(value)
    if pd.isna(value) and quantity in MEDIANS:
        return NOT_REACHED
    return rounded(scaled(value, quantity), decimals_of(quantity))


def p_value(p: float) -> str:
    """P as publications print it: no leading zero, never 0."""
    if pd.isna(p):
        return MISSING
    if p < 0.001:
        return "<.001"
    text = rounded(p, 3 if p < 0.1 else 2)
    return text.removeprefix("0") if p < 0.995 else ">.99"


def interval(row: pd.Series) -> str:
    """The limits of a result, `5.5–8.5`."""
    return "–".join(shown(row[part], row["quantity"]) for part in ("lower", "upper"))


def estimate(results: pd.DataFrame, quantity: str, group: str, months: float | None = None) -> str:
    """An estimate with its unit, for prose: `7.5 months`."""
    value = pick(results, quantity, group, months)["estimate"]
    return shown(value, quantity) + ("" if pd.isna(value) else _unit(quantity))


def _unit(quantity: str) -> str:
    if quantity in PERCENTAGES:
        return "%"
    if quantity in RATES:
        return " per 100 patient-years"
    return " months" if quantity in TIMES else ""


def with_interval(
    results: pd.DataFrame, quantity: str, group: str, months: float | None = None
) -> str:
    """The same with its 95 % interval: `7.5 months (95% CI, 5.5–8.5)`."""
    row = pick(results, quantity, group, months)
    limits = "" if row[["lower", "upper"]].isna().all() else f" (95% CI, {interval(row)})"
    return estimate(results, quantity, group, months) + limits


def month(value: float) -> str:
    """A number of months without needless decimals."""
    return f"{value:g}"


def in_months(value: float) -> str:
    """`1 month`, `24 months`."""
    return f"{month(value)} month{'' if value == 1 else 's'}"


def listed(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    words = list(words)
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def at_landmarks(dataset: Dataset, results: pd.DataFrame, quantity: str, group: str) -> str:
    """`23.4% at 24 months and 17.7% at 36 months`, over the dataset's landmark months."""
    return listed(
        f"{shown(pick(results, quantity, group, number)['estimate'], quantity)}% "
        f"at {in_months(number)}"
        for number in dataset.settings.months
    )


def beyond(dataset: Dataset, results: pd.DataFrame, group: str, month: float) -> str:
    """How long patients were followed beyond a landmark, and at which rate events came."""
    rate = pick(results, "event_rate", group, month)
    if not rate["n"]:
        return f"Nobody was followed beyond {in_months(month)}"
    years = rounded(pick(results, "person_years", group, month)["estimate"], 1)
    return (
        f"{rate['n']} patient{' was' if rate['n'] == 1 else 's were'} followed beyond "
        f"{in_months(month)}, for {years} patient-years in all. Events in that time: "
        f"{rate['events']}, or {with_interval(results, 'event_rate', group, month)}"
    )


def within_a_year(rate: float) -> str:
    """The share in per cent that has the event within a year at a rate per patient-year."""
    return MISSING if pd.isna(rate) else rounded(-100 * np.expm1(-rate), 0) + "%"


def selected(dataset: Dataset, question: Endpoint, results: pd.DataFrame) -> dict[str, str]:
    """The labels of the factors that are candidates `alone`, and of those `kept` stepwise."""
    true = results[results["estimate"] == 1]
    return {
        name: factors_named(dataset, question, true[true["quantity"] == quantity])
        for name, quantity in (("alone", "associated"), ("kept", "kept"))
    }


def below(
    dataset: Dataset, question: Endpoint, results: pd.DataFrame, quantity: str, level: float
) -> str:
    """The labels of an endpoint's factors whose P of this kind is below a level."""
    small = results[(results["quantity"] == quantity) & (results["estimate"] < level)]
    return factors_named(dataset, question, small)


def factors_named(dataset: Dataset, question: Endpoint, rows: pd.DataFrame) -> str:
    """The labels of an endpoint's factors that some results are about, or `none`."""
    found = set(rows["group"])
    labels = factor_labels(dataset, question)
    return listed(label for key, label in labels.items() if key in found) or "none"


class Prose:
    """A paragraph of Markdown for the page, with numbers and labels put into its braces.

    Every value that is put in is text: markup in a label shows as it was written.
    """

    def __init__(self, *sentences: str, **values: object) -> None:
        safe = {name: _literal(str(value)) for name, value in values.items()}
        self.markdown = "\n\n".join(sentence.format(**safe) for sentence in sentences)

    def _repr_markdown_(self) -> str:
        return self.markdown

    def __repr__(self) -> str:
        return re.sub(r"\\(?=[^\w\s])", "", html.unescape(self.markdown))


def _literal(text: str) -> str:
    """Text that neither Markdown nor HTML will read as markup."""
    escaped = html.escape(text.replace("\n", " "), quote=False)
    return re.sub(r"([\\`*_{}\[\]()#+!|$~^:@])", r"\\\1", escaped)
