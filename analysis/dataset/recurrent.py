"""Tables of events that may come to a patient again: a row an event, beside the patients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from .cells import TextTable, numbers, read_table
from .declared import PAGES, Entries, in_package
from .patients import path_problems
from .problems import LISTED_AT_MOST, Problem, listed, nearest, one_line, quoted
from .table import cell_problems, column_names


def read_events(
    folder: Path,
    package: Any,
    entries: Entries,
    endpoints: Sequence[str] | None,
    patients: pd.DataFrame | None,
) -> tuple[dict[str, pd.DataFrame], list[Problem]]:
    """The cells of the tables that `analysis.repeated_events` names, and what is wrong with them.

    `entries` are those that the schema allows, with their numbers; `endpoints` the names of the
    endpoints, whose pages are called so; `patients` the cells of their table, None if unknown.
    """
    found: dict[str, pd.DataFrame] = {}
    problems: list[Problem] = []
    names = [entry["table"] for _, entry in entries]
    for number, entry in entries:
        place, name = f"analysis.repeated_events {number}", entry["table"]
        if name in PAGES or name in (endpoints or ()):
            expected = "another name: the book has a page of this name"
            problems.append(in_package(f"{place}, table", expected, quoted(name)))
        if names.count(name) > 1:
            expected = "a table that no other entry has"
            problems.append(in_package(f"{place}, table", expected, quoted(name)))
        if patients is not None and "patient_id" not in patients:
            expected = "none: events find their patients by patient_id, and this table has none"
            problems.append(in_package(place, expected, quoted(name)))
        table, wrong = _read(folder, package, place, entry)
        problems += wrong
        if table is not None:
            problems += _event_problems(table, entry.get("day", "day"), patients)
            found[name] = table.cells
    return found, problems


def _read(
    folder: Path, package: dict, place: str, entry: dict
) -> tuple[TextTable | None, list[Problem]]:
    """One table, and what is wrong with it by itself; None where it cannot be read."""
    resources = package.get("resources")
    resources = resources if isinstance(resources, list) else []
    others = [resource for resource in resources[1:] if isinstance(resource, dict)]
    resource = next((r for r in others if r.get("name") == entry["table"]), None)
    if resource is None:
        known = [r["name"] for r in others if isinstance(r.get("name"), str)]
        expected = "the name of a resource after the first, as of a table of events"
        hint = nearest(entry["table"], known)
        return None, [in_package(f"{place}, table", expected, quoted(entry["table"]), hint)]
    try:
        path, given = resource["path"], resource["schema"]["fields"]
        fields = {field["name"]: field for field in given}
    except (KeyError, TypeError):
        return None, []  # the schema says what is wrong
    day, where = entry.get("day", "day"), f"resources {resources.index(resource) + 1}"
    problems = list(path_problems(folder, path, where))
    for column in ("patient_id", day):
        if column not in fields:
            expected = f"the column {one_line(column)} is not described; each event has it"
            problems.append(in_package(f"{where}, fields", expected, hint=nearest(column, fields)))
    if problems:
        return None, problems
    if not (folder / path).is_file():
        expected = "not found beside datapackage.json, which names it"
        return None, [Problem(one_line(Path(path).name), expected=expected)]
    table = read_table(folder / path)
    if isinstance(table, list):
        return None, table
    limits = {"constraints": {**fields[day].get("constraints", {}), "required": True}}
    described = tuple({**fields, day: {**fields[day], **limits, "day": "study"}}.values())
    columns, file = list(table.cells.columns), table.name
    problems = [*table.problems, *column_names(file, table.header_row, columns, described)]
    problems += cell_problems(table.cells, described, file, part=True)
    return (table if {"patient_id", day} <= {*columns} else None), problems


def _event_problems(table: TextTable, day: str, patients: pd.DataFrame | None) -> Iterator[Problem]:
    """Events of nobody, after the end of their patient, or twice on one day."""
    cells, file = table.cells, table.name
    who, days = cells["patient_id"].astype(object), numbers(cells[day])
    first = days.notna() & (days == 0)
    yield from listed(cells[day], first, "a day after day 0, on which nobody is at risk yet", file)
    twice = (who != "") & days.notna() & pd.DataFrame({"who": who, "day": days}).duplicated()
    yield from listed(cells[day], twice, "one row for all that comes to a patient on a day", file)
    if patients is None or not {"patient_id", "last_contact_day"} <= {*patients}:
        return
    known = patients["patient_id"].astype(object)
    nobody = (who != "") & ~who.isin(known)
    hints = {row: nearest(name, known) for row, name in who[nobody].head(LISTED_AT_MOST).items()}
    yield from listed(cells["patient_id"], nobody, "a patient of the first table", file, hints)
    ends = numbers(patients["last_contact_day"]).set_axis(known)
    late = days > who.map(ends[~ends.index.duplicated()])
    yield from listed(cells[day], late, "a day not after last_contact_day of the patient", file)
