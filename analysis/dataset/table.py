"""The cells of patients.csv and published.csv: what no table may hold, and no life can be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from .cells import DATE, DECIMAL_COMMA, MISSING, TextTable, each, numbers, read_table
from .columns import EVENT_DAYS, KINDS, LISTED, PUBLISHED, REQUIRED, RESERVED, is_day, is_number
from .problems import Problem, listed, nearest, one_line, squashed, unprintable

PRINT = "published.csv"
MOST_DAYS = 36_525  # 100 years: longer than any follow-up
OLDEST = 45_656  # 125 years: longer than any life, where days count from birth
# Spreadsheets count days from 1899-12-30. No cohort waits 55 years for its first event.
SERIAL_ORIGIN, LEAST_SERIAL, LAST_SERIAL = date(1899, 12, 30), 20_000, 73_050
LARGEST = 10**15  # beyond it a computer's numbers are no longer exact to the unit
PRINTED = re.compile(r"[<>]?(\d+(\.\d{1,15})?|\.\d{1,15})|yes|no", re.ASCII)


def table_problems(table: TextTable, fields: tuple[dict, ...], whole: bool) -> Iterator[Problem]:
    """What is wrong with the columns and cells; `whole` says whether all fields are known."""
    file, cells = table.name, table.cells
    if whole:
        columns = list(table.cells.columns)
        yield from column_names(file, table.header_row, columns, fields)
    else:  # the reserved columns are known without a package
        described = {entry["name"] for entry in fields}
        fields += tuple({"name": name} for name in RESERVED if name not in described)
    if cells.empty and not any(problem.row for problem in table.problems):
        yield Problem(file, expected="no patients; expected a row each")
    yield from cell_problems(cells, fields, file)


def cell_problems(
    cells: pd.DataFrame, fields: tuple[dict, ...], file: str, part: bool = False
) -> Iterator[Problem]:
    """What is wrong with the cells; of a `part` what is, whatever the others are."""
    for entry in fields:
        if entry["name"] in cells:
            yield from _column_problems(cells[entry["name"]], entry, file, part)
    yield from _order_problems(cells, fields, file)


def serial_problems(cells: pd.DataFrame, fields: tuple[dict, ...], file: str) -> Iterator[Problem]:
    """Columns of days that are a spreadsheet's dates."""
    for entry in fields:
        if is_day(entry) and entry.get("day") != "age" and entry["name"] in cells:
            yield from _serial_problems(numbers(cells[entry["name"]]), file)


def column_names(
    file: str, row: int | None, columns: list[str], fields: tuple[dict, ...]
) -> Iterator[Problem]:
    """Columns that are in one of the two files only; a near name is likely the other's."""
    names = [entry["name"] for entry in fields]
    if not set(columns) & set(names):
        expected = "not a header; none of its cells is a column that datapackage.json describes"
        yield Problem(file, row, expected=expected)
        return
    extra = [name for name in columns if name not in names]
    for name in names:
        if name not in columns:
            expected = f"column {one_line(name)} is missing; datapackage.json describes it"
            hint = nearest(name, extra)
            yield Problem(file, row, expected=expected, hint=hint, hidden=expected)
    for name in extra:
        number = columns.index(name) + 1
        expected = f"column {one_line(name)} is not described in datapackage.json"
        hidden = f"column {number} is not described in datapackage.json"
        yield Problem(file, row, expected=expected, hidden=hidden)


def _column_problems(values: pd.Series, entry: dict, file: str, part: bool) -> Iterator[Problem]:
    limits, name = entry.get("constraints", {}), entry["name"]
    blank = values == ""
    if limits.get("required") or name in (*REQUIRED, "died"):
        yield from listed(values, blank, "a value", file)
    if not part and (limits.get("unique") or name == "patient_id"):
        yield from listed(
            values, ~blank & values.duplicated(), "a value that no other row has", file
        )
    yield from _control_problems(values, file)
    if name == "died":
        yield from _one_of(values, ["yes", "no"], "yes or no", file)
    elif "enum" in limits:
        levels = [str(level) for level in limits["enum"]]
        yield from _one_of(values, levels, "one of " + ", ".join(map(one_line, levels)), file)
    if is_number(entry):
        yield from _number_problems(values, entry, file, part)


def _control_problems(values: pd.Series, file: str) -> Iterator[Problem]:
    if not "".join(values.unique()).isprintable():  # so that clean columns take no time
        wrong = each(values, lambda cell: any(map(unprintable, cell)), bool)
        yield from listed(values, wrong, "text without control characters", file)


def _one_of(values: pd.Series, levels: list[str], expected: str, file: str) -> Iterator[Problem]:
    """A level that differs only by what the eye overlooks is guessed."""
    wrong = (values != "") & ~values.isin(levels)
    seen = {squashed(level): level for level in levels}
    meant = {row: seen.get(squashed(cell)) for row, cell in values[wrong].items()}
    hints = {row: f'did you mean "{one_line(level)}"?' for row, level in meant.items() if level}
    yield from listed(values, wrong, expected, file, hints)


def _number_problems(values: pd.Series, entry: dict, file: str, part: bool) -> Iterator[Problem]:
    limits = entry.get("constraints", {})
    parsed = numbers(values)
    found = parsed.notna()
    wrong = (values != "") & ~found
    if is_day(entry):
        dates = wrong & each(values, DATE.fullmatch, bool)
        expected = "a number of days from the one origin, not a date; "
        expected += "`python -m analysis import` turns dates into days"
        yield from listed(values, dates, expected, file)
        wrong &= ~dates
        by_age = entry.get("day") == "age"  # who enters late may have days that count from birth
        serial = [] if by_age or part else list(_serial_problems(parsed, file))
        yield from serial
    hints = {row: _number_hint(cell) for row, cell in values[wrong].items()}
    yield from listed(values, wrong, "a number, with a point for decimals", file, hints)
    if entry.get("type") == "integer":
        yield from listed(values, found & (parsed % 1 != 0), "a whole number", file)
    least = 0 if is_day(entry) else limits.get("minimum")
    if least is not None:
        yield from listed(values, found & (parsed < least), f"{least} or more", file)
    if "maximum" in limits:
        most = limits["maximum"]
        yield from listed(values, found & (parsed > most), f"{most} or less", file)
    if is_day(entry):
        most = OLDEST if by_age else MOST_DAYS
        far = found & (parsed > most) & (not serial)
        dates = {row: _serial_date(day) for row, day in parsed[far].items() if day <= LAST_SERIAL}
        hints = {row: f"{parsed[row]:g} is {day} in a spreadsheet" for row, day in dates.items()}
        expected = f"{most} or less: {most} days are {most / 365.25:.0f} years"
        yield from listed(values, far, expected, file, hints)
    else:
        expected = "a number below 10^15, in a unit that makes it smaller"
        yield from listed(values, found & (parsed.abs() >= LARGEST), expected, file)


def _number_hint(cell: str) -> str:
    if DECIMAL_COMMA.fullmatch(cell):
        return f"did you mean {cell.replace(',', '.')}?"
    return "leave a missing value blank" if cell.casefold() in MISSING else ""


def _serial_date(days: float) -> date:
    return SERIAL_ORIGIN + timedelta(days=float(days))


def _serial_problems(days: pd.Series, file: str) -> Iterator[Problem]:
    """A date that a spreadsheet keeps as a number, such as 44259 for 2021-03-04."""
    known = days.dropna()
    if len(known) and known.min() >= LEAST_SERIAL and known.max() <= LAST_SERIAL:
        first = _serial_date(known.min())
        hidden = (
            f"expected days from the one origin; all are {LEAST_SERIAL} or more, as the dates of "
            "a spreadsheet are; `python -m analysis import` turns dates into days"
        )
        expected = hidden.replace("are;", f"are ({known.min():g} is {first});")
        yield Problem(file, column=str(days.name), expected=expected, hidden=hidden)


def _order_problems(cells: pd.DataFrame, fields: tuple[dict, ...], file: str) -> Iterator[Problem]:
    """Events in an order that no life can have, in the rows whose days are numbers."""
    own = [entry["name"] for entry in fields if "event" in entry]
    names = dict.fromkeys([*EVENT_DAYS, *own, "last_assessment_day", "last_contact_day"])
    days = {name: numbers(cells[name]) for name in names if name in cells}
    if "last_contact_day" in days:
        last = days.pop("last_contact_day")
        for values in days.values():
            yield from listed(values, values > last, "a day not after last_contact_day", file)
    if "response_day" in days:
        for name in ("relapse_day", "last_assessment_day"):
            if name in days:
                early = days[name] < days["response_day"]
                yield from listed(days[name], early, "a day not before response_day", file)


# --- what is printed elsewhere ---------------------------------------------------------------


def read_published(path: Path) -> tuple[pd.DataFrame | None, list[Problem]]:
    """The printed numbers; a file without the column `kind` has a blank one."""
    if not path.is_file():
        return None, []
    table = read_table(path)
    if isinstance(table, list):
        return None, table
    cells, names = table.cells.astype(object), list(table.cells.columns)
    if names == list(PUBLISHED):
        cells = cells.assign(kind="")
    elif names != [*PUBLISHED, "kind"]:
        expected = f"found {', '.join(map(one_line, names))}, expected {', '.join(PUBLISHED)}"
        problem = Problem(PRINT, table.header_row, expected=f"{expected}, and kind if you like")
        return None, [*table.problems, problem]
    return cells, [*table.problems, *_published_problems(cells)]


def _published_problems(published: pd.DataFrame) -> Iterator[Problem]:
    """What `printed` may be: a plain number, which says its own precision, a bound, yes or no."""
    kind, part, printed = published["kind"], published["part"], published["printed"]
    given, parts = kind.isin(LISTED), ["estimate", "lower", "upper"]
    # One row for each place: the same row twice would count one number twice.
    twice = published.duplicated(["page", "quantity", "group", "months", "part", "place"])
    off = (published["months"] != "") & ~(numbers(published["months"]).abs() < LARGEST)
    bare, named = published["quantity"] == "given", kind.isin(["", *KINDS])
    either = " or ".join(LISTED)
    for name, wrong, expected in (
        ("months", off, "a number of months, or blank"),
        (
            "printed",
            ~each(printed, PRINTED.fullmatch, bool),
            "a plain number, one after < or >, or yes or no",
        ),
        ("part", ~part.isin(parts), "one of " + ", ".join(parts)),
        ("kind", ~named, f"one of {', '.join(KINDS)}, or blank"),
        ("kind", bare & named & ~given, f"{either}, as the quantity is given"),
        ("quantity", given & ~bare, f"given, as the kind is {either}"),
        ("group", bare & (published["group"] == ""), "what the number is"),
        ("page", (published["page"] == "") & ~bare, "a page, such as figure_1a"),
        ("place", twice, "a place where no other row has this number"),
    ):
        yield from listed(published[name], wrong, expected, PRINT)
    for name in published:
        yield from _control_problems(published[name], PRINT)
