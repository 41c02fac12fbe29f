"""Tables that several pages show of a study's results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from math import floor, log10
from types import MappingProxyType

import pandas as pd

from ..dataset.endpoints import Endpoint
from ..dataset.model import Characteristic
from ..page.formats import DAGGER, counted, in_months, month, rounded
from ..page.groups import in_column
from ..page.page import Number, Page
from ..page.quantities import MASKED, MISSING
from ..page.rows import anybody, at_risk, nobody_left
from ..page.tables import Row, Table
from .characteristics import shown_levels
from .models import factor_labels
from .sentences import follow_up_end

CARRIED = f"{DAGGER} Nobody was followed to this month: the last value is carried forward"
WALD = "P, Wald test."


def landmark_table(
    page: Page, question: Endpoint, quantity: str, groups: Mapping[str, str], caption: str
) -> Table:
    """Estimates at the landmark months of one or more groups, which map to their labels."""

    def followed(number: Number) -> float:
        return at_risk(page.numbers, question.name, number.row["months"])

    rows = []
    for group, label in groups.items():
        rows += [Row(label)] if len(groups) > 1 else []
        for at in page.data.settings.months:
            number = page[quantity, group, at]
            share = f"{number.bare}% {page.mark(number)}".strip() if number.known else MISSING
            limits = f"{number.limits}%" if number.limits else MISSING
            left = followed(number)
            cells = (share, limits, counted(left), _events(number, left))
            rows.append(Row(in_months(at), cells, int(len(groups) > 1)))
    notes = [
        "CI, confidence interval (log-log). At risk are those followed until just before the "
        "month; events are counted up to and on it, so that one on its very day is in both.",
        *past_follow_up(rows, page.numbers, [question.name]),
    ]
    columns = ("Time", "Estimate", "95% CI", "At risk", "Events")
    return page.rows_table("landmarks", caption, columns, rows, notes)


def past_follow_up(
    rows: Iterable[Row],
    results: pd.DataFrame,
    groups: Sequence[str],
    place: int = 0,
    titles: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """The notes on marks and dashes in the column of estimates at landmarks, or on its end."""
    cells = [row.cells[place] for row in rows if row.cells]
    each = {group: str(follow_up_end(results, group)) for group in groups}
    several = len(titles) > 1 and len(set(each.values())) > 1
    ends = "; ".join(
        dict.fromkeys(titles[g].lower() + ": " + end if several else end for g, end in each.items())
    )
    notes = {
        CARRIED: any(cell.endswith(DAGGER) for cell in cells),
        f"{MISSING}, nobody was followed to this month": MISSING in cells,
    }
    told = [f"{note} ({ends})." for note, needed in notes.items() if needed]
    over = not told and any(nobody_left(results, group) for group in groups)
    return [f"{ends[0].upper()}{ends[1:]}."] if over else told


def _events(number: Number, followed: float) -> str:
    """How many had the event; past follow-up that is not known, which is not the same as masked."""
    nobody = pd.notna(followed) and followed == 0
    return MISSING if nobody and not number.known else str(number.events)


def plateau_table(page: Page, groups: Mapping[str, str], caption: str) -> Table:
    """What comes after each landmark: who is followed, for how long, and the rate of events."""
    months, last = page.data.settings.months, page.data.settings.months[-1]
    conditional = page.numbers["quantity"].eq("conditional_survival")
    survival = page.numbers.loc[conditional, "estimate"].notna().any()
    rows = []
    for group, label in groups.items():
        rows += [Row(label)] if len(groups) > 1 else []
        for at in months:
            rate = page["event_rate", group, at]
            years = page["person_years", group, at].bare
            cells = [str(rate.n), years, _events(rate, rate.row["n"]), with_limits(rate)]
            if survival:
                late = page["conditional_survival", group, at] if at < last else None
                cells.append(with_limits(late, "%") if late else MISSING)
            rows.append(Row(month(at), cells, int(len(groups) > 1)))
    columns = ["Beyond month", "Followed", "Patient-years", "Events",
               "Per 100 patient-years (95% CI)"]  # fmt: skip
    note = "CI, confidence interval: of a rate exact Poisson"
    if survival:
        columns.append(f"Without event to {in_months(last)} (95% CI)")
        note += ", of a share log-log"
    note += f". {MISSING}, no estimate, or an estimate without an interval."
    return page.rows_table("plateau", caption, columns, rows, [note])


def with_limits(number: Number, unit: str = "") -> str:
    """`7.7 (0.9–27.9)`, or a dash where there is no estimate."""
    if not number.known:
        return MISSING
    limits = f"{number.limits}{unit}" if number.limits else MISSING
    return f"{number.bare}{unit} ({limits})"


# --- counts and statistics, in columns -----------------------------------------------------------


def characteristics_table(
    page: Page,
    kinds: Sequence[str],
    columns: Mapping[str, str],
    caption: str,
    notes: Sequence[str] = (),
) -> Table:
    """Characteristics by column; `columns` maps a column's key in the numbers to its heading."""
    filled = {
        key: head
        for key, head in columns.items()
        if anybody(page["count", in_column("patients", key)].row)
    }
    # Where nobody is in any, the table says so by its zeros.
    empty = [head for key, head in columns.items() if filled and key not in filled]
    columns = filled or columns
    rows = [
        row
        for entry in page.data.characteristics
        if entry.kind in kinds
        for row in characteristic_rows(page, entry, tuple(columns))
    ]
    if empty:
        notes = [*notes, f"Without patients, and without a column: {'; '.join(empty)}."]
    return page.rows_table("", caption, headed(page, columns), rows, notes)


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


def _statistics_rows(page: Page, entry: Characteristic, columns: Sequence[str]) -> list[Row]:
    """A line for each statistic; with who is known, where somebody is not."""
    values = page.data.patients[entry.column]
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
        return [Row(f"{entry.label}, {label[0].lower()}{label[1:]}", cells[only])]
    return [
        Row(entry.label),
        *(Row(labels[statistic], cells[statistic], 1) for statistic in wanted),
    ]


def _statistic(page: Page, entry: Characteristic, statistic: str, column: str) -> str:
    def get(quantity: str) -> float:
        return page[quantity, in_column(entry.column, column)].value

    decimals = decimals_of(page.data.patients[entry.column].dropna())
    if statistic == "n":
        return counted(get("count"))
    if statistic == "mean":
        return " ".join(
            f"{before}{rounded(get(what), max(decimals, 1))}{after}"
            for what, before, after in (("mean", "", ""), ("sd", "(", ")"))
        )
    middle, least, most = map(get, ("median_value", "min", "max"))
    # A median of decimals may be whole, but not of a column that needs more of them.
    shown = rounded(middle, decimals if decimals > 1 else decimals_of([middle]))
    if pd.isna(least) and get("count") != 0:
        return f"{shown} ({MASKED})"
    return f"{shown} ({rounded(least, decimals)}–{rounded(most, decimals)})"


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


# --- models ----------------------------------------------------------------------------------


def models_table(
    page: Page,
    part: str,
    questions: Sequence[Endpoint],
    columns: Mapping[str, str],
    caption: str,
    notes: Sequence[str] = (WALD,),
) -> Table | None:
    """A line for each factor that has the first column's quantity, by endpoint; None without one.

    `columns` maps each heading to a quantity.
    """
    first = next(iter(columns.values()))
    lines: list[tuple[str, str | None]] = []
    for question in questions:
        found = [
            (label, key)
            for key, label in factor_labels(page.data, question).items()
            if (first, key) in page
        ]
        lines += [(question.title, None), *found] if found else []
    if not lines:
        return None
    cells = {head: partial(model_cell, page, quantity) for head, quantity in columns.items()}
    return page.table(part, caption, {"Factor": None, **cells}, lines, notes)


def model_cell(page: Page, quantity: str, key: str) -> str:
    """A hazard ratio with its limits, or any other number; blank where there is no such row."""
    return page[quantity, key].cell if (quantity, key) in page else ""
