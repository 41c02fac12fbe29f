"""Tables of counts and statistics, and of models, and what is said of their columns and factors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import floor, log10
from types import MappingProxyType

import pandas as pd
from scipy.stats import binomtest

from ..dataset.endpoints import Endpoint
from ..dataset.model import Characteristic
from ..page.formats import counted, listed, rounded
from ..page.groups import in_column
from ..page.page import Number, Page
from ..page.prose import Prose
from ..page.quantities import MASKED, MISSING
from ..page.rows import anybody
from ..page.tables import Row, Table
from .characteristics import shown_levels
from .models import factor_labels, factors_of, ratio_lines

DAYS = re.compile(r", days?$")  # as a label ends that says so
WALD = "P, Wald test."
APART = (
    "–, a difference that cannot be estimated: the row does not vary in either group, or is known "
    "for nobody in one."
)


# --- counts and statistics, in columns -----------------------------------------------------------


def characteristics_table(
    page: Page,
    kinds: Sequence[str],
    columns: Mapping[str, str],
    caption: str,
    notes: Sequence[str] = (),
    apart: Mapping[str, str] = MappingProxyType({}),
) -> Table:
    """Characteristics by column; `columns` maps a column's key in the numbers to its heading.

    So does `apart` for how far a column lies from the reference. What makes the columns, as
    `arm=B`, is no row besides: it would say 100 % and 0 %.
    """
    filled = {
        key: head
        for key, head in columns.items()
        if anybody(page["count", in_column("patients", key)].row)
    }
    # Where nobody is in any, the table says so by its zeros.
    empty = [head for key, head in columns.items() if filled and key not in filled]
    columns = filled or columns
    apart = {key: head for key, head in apart.items() if key in columns}
    groups = {column for column, equals, _ in (key.partition("=") for key in columns) if equals}
    rows = [
        row
        for entry in page.data.characteristics
        if entry.kind in kinds and entry.column not in groups
        for row in _beside(page, entry, characteristic_rows(page, entry, tuple(columns)), apart)
    ]
    if empty:
        notes = [*notes, f"Without patients, and without a column: {'; '.join(empty)}."]
    differences = page.numbers[page.numbers["quantity"].eq("standardised_difference")]
    ends = tuple(f"|{key}" for key in apart)
    if differences.loc[differences["group"].str.endswith(ends), "estimate"].isna().any():
        notes = [*notes, APART]
    return page.rows_table("", caption, [*headed(page, columns), *apart.values()], rows, notes)


def _beside(
    page: Page, entry: Characteristic, rows: list[Row], apart: Mapping[str, str]
) -> list[Row]:
    """The lines of a characteristic, the first with its standardised differences."""
    keys = [("standardised_difference", in_column(entry.column, column)) for column in apart]
    cells = [page[key].bare if key in page else "" for key in keys]
    if not cells:
        return rows
    first, *others = rows
    width = max(len(row.cells) for row in rows)
    lines = [Row(first.heading, [*(first.cells or [""] * width), *cells], first.level)]
    return [
        *lines,
        *(Row(row.heading, [*row.cells, *[""] * len(cells)], row.level) for row in others),
    ]


def headed(page: Page, columns: Mapping[str, str]) -> list[str]:
    """The headings of a table of characteristics, each with its number of patients."""
    heads = ["Characteristic"]
    for key, label in columns.items():
        heads.append(f"{label} (n\u00a0=\u00a0{page['count', in_column('patients', key)].n})")
    return heads


def characteristic_rows(page: Page, entry: Characteristic, columns: Sequence[str]) -> list[Row]:
    """The lines of one characteristic: its levels, or its statistics."""
    if entry.statistics:
        return _statistics_rows(page, entry, columns)
    levels = shown_levels(page.data, entry)
    if levels == ["yes"]:
        return [count_row(page, f"{entry.column}=yes", f"{entry.label}, No. (%)", columns, 0)]
    rows = [Row(f"{entry.label}, No. (%)")]
    for level in levels:
        label = level.capitalize() if level in ("yes", "no") else level
        rows.append(count_row(page, f"{entry.column}={level}", label, columns, 1))
    if ("count", in_column(f"{entry.column}=", columns[0])) in page:
        rows.append(count_row(page, f"{entry.column}=", "Not recorded", columns, 1))
    return rows


def count_row(page: Page, name: str, label: str, columns: Sequence[str], level: int) -> Row:
    """`27 (62.8)` of each column."""
    cells = []
    for column in columns:
        count, percent = (page[what, in_column(name, column)] for what in ("count", "percent"))
        cells.append(f"{count.bare} ({percent.bare})" if count.known else MASKED)
    return Row(label, cells, level)


def _told(page: Page, entry: Characteristic) -> tuple[str, float]:
    """What a number is called, and what to divide it by: days are told in the dataset's unit.

    But not where its label says that it is in days.
    """
    data = page.data
    days = {day for plan in data.endpoints.values() for day in plan.days}
    days |= {factor.column for factor in data.factors if factor.kind == "postbaseline"}
    if entry.column not in days or DAYS.search(entry.label):
        return entry.label, 1
    return f"{entry.label}, {page.unit.name}", data.settings.days_per_month * page.unit.months


def _statistics_rows(page: Page, entry: Characteristic, columns: Sequence[str]) -> list[Row]:
    """A line for each statistic; with who is known, where somebody is not."""
    values, name = page.data.patients[entry.column], _told(page, entry)[0]
    wanted = list(entry.statistics)
    if values.isna().any() and "n" not in wanted:
        wanted.insert(0, "n")
    cells = {
        statistic: [_statistic(page, entry, statistic, column) for column in columns]
        for statistic in wanted
    }
    labels = {"n": "No.", "median": "Median (range)", "mean": "Mean (SD)"}
    if len(wanted) == 1:
        (only,) = wanted
        label = labels[only]
        return [Row(f"{name}, {label[0].lower()}{label[1:]}", cells[only])]
    return [
        Row(name),
        *(Row(labels[statistic], cells[statistic], 1) for statistic in wanted),
    ]


def _statistic(page: Page, entry: Characteristic, statistic: str, column: str) -> str:
    scale = _told(page, entry)[1]

    def get(quantity: str) -> float:
        return page[quantity, in_column(entry.column, column)].value / scale

    decimals = page.unit.decimals if scale != 1 else _decimals(page, entry)
    count = page["count", in_column(entry.column, column)].value
    if statistic == "n":
        return counted(count)
    if count == 0:
        return MISSING
    if statistic == "mean":
        return " ".join(
            f"{before}{rounded(get(what), max(decimals, 1))}{after}"
            for what, before, after in (("mean", "", ""), ("sd", "(", ")"))
        )
    least, most = map(get, ("min", "max"))
    shown = median_of(page, entry, column) if scale == 1 else rounded(get("median_value"), decimals)
    if pd.isna(least):
        return f"{shown} ({MASKED})"
    return f"{shown} ({rounded(least, decimals)}–{rounded(most, decimals)})"


def median_of(page: Page, entry: Characteristic, column: str = "") -> str:
    """The median of a number as a table has it: one of decimals may be whole.

    But not of a column that needs more of them.
    """
    middle = page["median_value", in_column(entry.column, column)].value
    decimals = _decimals(page, entry)
    return rounded(middle, decimals if decimals > 1 else decimals_of([middle]))


def _decimals(page: Page, entry: Characteristic) -> int:
    return decimals_of(page.data.patients[entry.column].dropna())


def decimals_of(values: Iterable[float]) -> int:
    """None for whole numbers, else one: a median may lie between two whole numbers.

    Where all are below 1, enough for two digits of the largest, and for one of the smallest unless
    that is a hundred times smaller.
    """
    sizes = [abs(value) for value in values if value == value and value != 0]
    if all(size % 1 == 0 for size in sizes):
        return 0
    if max(sizes) >= 1:
        return 1
    least, most = (-int(floor(log10(size))) for size in (min(sizes), max(sizes)))
    return max(most + 1, min(least, most + 2))


def smallest_column(page: Page, columns: Iterable[str]) -> Prose:
    """How much one patient weighs in the smallest column of a table."""
    least = _smallest(page, columns)
    if pd.isna(least.row["n"]):
        return page.say("The smallest column holds too few patients to be counted here.")
    step = rounded(100 / least.row["n"], 1) if least.row["n"] else "any number of"
    return page.say(
        "The smallest column holds {n} patients. There, one patient more or less moves a "
        "percentage by {step} points.",
        n=least.n,
        step=least.saying(step),
    )


def chance_in_smallest(page: Page, columns: Iterable[str]) -> Prose:
    """Why columns that the future defines are not to be compared, least of all small ones."""
    least = _smallest(page, columns)
    future = (
        "**What happened later defines the columns,** so a difference between them is not a "
        "prognosis."
    )
    if not anybody(least.row):
        return page.say(future, "**Columns without patients** say nothing.")
    if pd.isna(least.row["n"]):
        return page.say(
            future,
            "**Small columns can differ by chance alone.** By how much is not shown: the smallest "
            "column holds too few patients.",
        )
    n = int(least.row["n"])
    limits = binomtest(n // 2, n).proportion_ci()
    return page.say(
        future,
        "**Small columns can differ by chance alone.** If {half} of the {n} patients of the "
        "smallest column had a trait, the exact 95% interval of its share would reach from "
        "{limits} {{cite}}`clopper1934`.",
        half=least.saying(n // 2),
        n=least.n,
        limits=least.saying(" to ".join(f"{rounded(100 * end, 0)}%" for end in limits)),
    )


def _smallest(page: Page, columns: Iterable[str]) -> Number:
    """The head of the column with the fewest patients; one that is masked is the smallest.

    A column without any patients is not shown, and does not count.
    """
    heads = [page["count", in_column("patients", column)] for column in columns]
    heads = [head for head in heads if anybody(head.row)] or heads
    return min(heads, key=lambda head: -1 if pd.isna(head.row["n"]) else head.row["n"])


# --- models ----------------------------------------------------------------------------------


def models_table(
    page: Page,
    part: str,
    questions: Sequence[Endpoint],
    columns: Mapping[str, str],
    caption: str,
    notes: Sequence[str] = (WALD,),
) -> Table | None:
    """The lines of each factor that has the first column's quantity, by endpoint; None without.

    `columns` maps each heading to a quantity.
    """
    first, rows = next(iter(columns.values())), []
    for question in questions:
        found = []
        for factor in factors_of(page.data, question):
            lines = [*ratio_lines(question.name, factor)]
            if any((first, key) in page for key, _, _ in lines):
                found += [Row(label, _cells(page, columns, key), at) for key, label, at in lines]
        rows += [Row(question.title), *found] if found else []
    if not rows:
        return None
    return page.rows_table(part, caption, ["Factor", *columns], rows, notes)


def _cells(page: Page, columns: Mapping[str, str], key: str) -> list[str]:
    return [model_cell(page, quantity, key) for quantity in columns.values()]


def model_cell(page: Page, quantity: str, key: str) -> str:
    """A hazard ratio with its limits, or any other number; blank where there is no such row."""
    return page[quantity, key].cell if (quantity, key) in page else ""


def factors_named(page: Page, question: Endpoint, rows: pd.DataFrame) -> str:
    """The labels of an endpoint's factors that some results are about, or `none`."""
    found = set(rows["group"])
    labels = factor_labels(page.data, question)
    return listed(label for key, label in labels.items() if key in found) or "none"
