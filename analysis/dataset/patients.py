"""The table of patients that a package names, and what a row of it stands for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import pandas as pd

from .cells import read_table
from .columns import RESERVED
from .declared import in_package
from .definitions import definition
from .parquet import read_parquet
from .problems import Problem, nearest, one_line, quoted
from .table import table_problems


def read_patients(
    folder: Path, path: str, fields: tuple[dict, ...], whole: bool
) -> tuple[pd.DataFrame | None, list[Problem]]:
    """The cells of one file, as far as they can be had; `whole`: whether all fields are known."""
    if problems := list(path_problems(folder, path)):
        return None, problems
    file = folder / path
    if not file.is_file():
        expected = "not found beside datapackage.json, which names it"
        return None, [Problem(one_line(file.name), expected=expected)]
    table = read_parquet(file) if file.suffix == ".parquet" else read_table(file)
    if isinstance(table, list):
        return None, table
    return table.cells, [*table.problems, *table_problems(table, fields, whole)]


def in_parts(folder: Path, path: str) -> bool:
    """Whether the table is a folder of files."""
    return not list(path_problems(folder, path)) and (folder / path).is_dir()


def path_problems(folder: Path, path: str, resource: str = "resources 1") -> Iterator[Problem]:
    """A package may come from anywhere, so what it names stays in its own folder."""
    absolute = PurePosixPath(path).is_absolute() or PureWindowsPath(path).drive or "\\" in path
    inside, which = False, "such as patients.csv"
    if not (absolute or ":" in path or ".." in PurePosixPath(path).parts or "\0" in path):
        which = "not a link that leads out of it"
        try:
            inside = (folder / path).resolve().is_relative_to(folder.resolve())
        except (OSError, RuntimeError, ValueError):
            inside = False
    if not inside:
        yield in_package(f"{resource}, path", f"a file within the folder, {which}", quoted(path))


def counting(fields: tuple[dict, ...], number: str) -> tuple[dict, ...]:
    """The fields, that of the column `number` as one of patients: whole, and at least one a row."""
    limits = {"constraints": {"required": True, "minimum": 1}, "type": "integer"}
    return tuple(field | limits if field["name"] == number else field for field in fields)


def number_problems(
    number: str, several: bool, names: Collection[str] | None, used: Collection[str]
) -> Iterator[Problem]:
    """What is wrong with `analysis.number`.

    `names` are those of the fields, None where not all are known; `used` are the columns that the
    analysis asks for.
    """
    place = "analysis.number"
    if number and several:
        yield in_package(place, "none: the rows of a table in parts are counted", quoted(number))
    elif number and names is not None and number not in names:
        expected = "a column that fields describes"
        yield in_package(place, expected, quoted(number), nearest(number, names))
    elif number in {*used, *RESERVED}:
        yield in_package(place, "a column that is asked for nothing else", quoted(number))


def asked_for(analysis: Mapping[str, Any]) -> set[str]:
    """The columns that the valid entries of an `analysis` name."""
    plans = map(definition, analysis.get("endpoints") or ())
    found = {column for plan in plans for column in (*plan.needed, *plan.not_before, plan.until)}
    compare = [analysis["compare"]] if analysis.get("compare") else []
    for part in ("factors", "characteristics"):
        for entry in analysis.get(part) or ():
            found |= {entry[key] for key in ("column", "among", "before") if key in entry}
    for entry in [*compare, *(analysis.get("models") or ())]:
        found |= {*entry.get("strata", ()), *entry.get("factors", ())}
        found |= {entry["column"]} if "column" in entry else set()
    return found
