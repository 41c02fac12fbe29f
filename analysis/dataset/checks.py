"""A dataset folder, checked in one pass: the package, the table and the order of the days.

A part that cannot be read does not hide what is wrong with the others, as far as it can be known.
"""

from __future__ import annotations

import difflib
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

import jsonschema
import pandas as pd

from .cells import TextTable, read_table, read_text
from .columns import EVENT_DAYS, KINDS, PUBLISHED, REQUIRED, RESERVED, is_day, is_number
from .problems import Problem, listed, one_line, quoted

PACKAGE, TABLE, PRINT = "datapackage.json", "patients.csv", "published.csv"
SCHEMA = json.loads(Path(__file__).with_name("datapackage.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

MOST_DAYS = 36_525  # 100 years: longer than any follow-up
# Spreadsheets count days from 1899-12-30. No cohort waits 55 years for its first event.
SERIAL_ORIGIN, LEAST_SERIAL, LAST_SERIAL = date(1899, 12, 30), 20_000, 73_050
LARGEST = 10**15  # beyond it a computer's numbers are no longer exact to the unit
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
PRINTED = re.compile(r"\d+(\.\d{1,15})?|\.\d{1,15}|yes|no", re.ASCII)
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mai|okt|dez"
DATE = re.compile(
    rf"\d{{4}}[-/.]\d\d?[-/.]\d\d?([T ].*)?|\d\d?[-/.]\d\d?[-/.](\d\d|\d{{4}})([T ].*)?"
    rf"|\d\d?[-. ]+({MONTHS})[a-z]*\.?[-, ]+(\d{{4}}|\d\d)|({MONTHS})[a-z]*\.? \d\d?, ?\d{{4}}",
    re.ASCII | re.IGNORECASE,
)
MISSING = {"na", "n/a", "nan", "null", "none", "-", "–", "?", ".", "missing", "unknown", "#n/a"}
# What each of these says is the outcome itself, or whose it is.
NO_FACTOR = ("patient_id", "died", "last_contact_day", "last_assessment_day")
# Names that the rows of a model have themselves.
MODEL_COLUMNS = ("patient", "start", "stop", "event")
# Rows of Table 2 that follow from the reserved columns, under their names.
DERIVED = ("mrd_response_day", "hsct_day")
# Groups that the results count beside the dataset's columns, and the signs that their names use.
RESULT_GROUPS = (
    *("patients", "long_term", "lost", "known_in_every_factor", "wait", "hsct_in_remission"),
    *("hsct_after_relapse", "hsct_without_response", "relapse_free"),
    *("relapse_free_without_hsct", "relapse_free_after_hsct"),
)
RESULT_SIGNS = "|=:"


@dataclass(frozen=True)
class Contents:
    """What a folder holds. `text` and `published` are text, indexed by the rows of their files."""

    folder: Path
    package: dict
    fields: tuple[dict, ...]
    text: pd.DataFrame | None
    published: pd.DataFrame | None
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class _Parts:
    """Those parts of a package that can be used although others are wrong.

    `whole` says whether every field could be read, so that a missing one is really missing;
    `twice` names the columns with more than one field.
    """

    fields: tuple[dict, ...]
    whole: bool
    twice: list[str]
    factors: list[tuple[int, dict]]
    characteristics: list[tuple[int, dict]]
    path: str


def read_folder(folder: Path) -> Contents:
    """Read a dataset folder and find everything that is wrong with it. Raises nothing."""
    package, problems = _read_package(folder)
    if package is not None:
        problems += _schema_problems(package)
        problems += _text_problems(package)
    parts = _usable(package)
    problems += _package_problems(parts)
    text: pd.DataFrame | None = None
    if (folder / PACKAGE).is_file():
        text, found = _read_patients(folder, parts)
        problems += found
    published, found = _read_published(folder / PRINT)
    problems += found
    known = package if isinstance(package, dict) else {}
    return Contents(folder, known, parts.fields, text, published, problems)


def numbers(text: pd.Series) -> pd.Series:
    """Text as numbers, NaN where it is blank, or none, or more than a computer's numbers reach."""
    parsed = [float(cell) if NUMBER.fullmatch(cell) else float("nan") for cell in text]
    parsed = [number if abs(number) < float("inf") else float("nan") for number in parsed]
    return pd.Series(parsed, index=text.index, name=text.name, dtype=float)


# --- the package -----------------------------------------------------------------------------


def _read_package(folder: Path) -> tuple[Any, list[Problem]]:
    """The package, or None where it is no JSON."""
    path = folder / PACKAGE
    if not path.is_file():
        expected = "not found; a dataset is a folder with a datapackage.json"
        return None, [Problem(str(path), expected=expected)]
    text, problems = read_text(path)
    if text is None:
        return None, problems
    twice: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict:
        keys = [key for key, _ in pairs]
        twice.extend(sorted({key for key in keys if keys.count(key) > 1 and key != "$comment"}))
        return dict(pairs)

    try:
        package = json.loads(text, object_pairs_hook=once, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        place = f"column {error.colno}"
        expected = f"not valid JSON: {error.msg}"
        return None, [*problems, Problem(PACKAGE, error.lineno, place=place, expected=expected)]
    except (ValueError, RecursionError) as error:
        said = str(error) if isinstance(error, _NoNumber) else "a number or a nesting is too large"
        return None, [*problems, Problem(PACKAGE, expected=f"not valid JSON: {said}")]
    for key in twice:
        expected = f"the key {quoted(key)} stands twice in one object; keep one"
        problems.append(Problem(PACKAGE, expected=expected))
    return package, problems


class _NoNumber(ValueError):
    pass


def _no_number(text: str) -> None:
    raise _NoNumber(f"{text} is no number of JSON")


def _schema_problems(package: object) -> Iterator[Problem]:
    for error in sorted(VALIDATOR.iter_errors(package), key=lambda error: error.json_path):
        if error.validator == "additionalProperties":
            yield from _unknown_keys(error)
            continue
        message = error.message
        if len(message) > 200:  # it repeats the whole part
            message = f"found {_kind(error.instance)} that is not {_expected(error)}"
        yield Problem(PACKAGE, place=one_place(error.json_path), expected=_plain(message))


def one_place(path: str) -> str:
    """A path in the package that fits into a line."""
    return one_line(path[-60:])


def _plain(message: str) -> str:
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in message)


def _kind(instance: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return next((name for kind, name in kinds.items() if isinstance(instance, kind)), "a number")


def _expected(error: jsonschema.ValidationError) -> str:
    return _plain(f"as the rule {error.validator} asks: {json.dumps(error.validator_value)}"[:120])


def _unknown_keys(error: jsonschema.ValidationError) -> Iterator[Problem]:
    known = [key for key in error.schema["properties"] if key != "$comment"]
    for key in error.instance:
        if key not in known and key != "$comment":
            place, expected = one_place(error.json_path), "one of " + ", ".join(known)
            yield Problem(
                PACKAGE,
                found=f"the key {quoted(key)}",
                expected=expected,
                place=place,
                hint=_nearest(key, known),
            )


def _nearest(word: str, known: Iterable[str]) -> str:
    """A guess at what was meant, or nothing."""
    by_key = {squashed(name): name for name in known}
    near = difflib.get_close_matches(squashed(word)[:100], by_key, 1, 0.7)
    return f"did you mean {one_line(by_key[near[0]])}?" if near else ""


def squashed(text: str) -> str:
    """Text without what the eye overlooks: case, spaces, invisible signs, look-alikes."""
    seen = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in seen if c.isprintable() and not c.isspace())


def _text_problems(package: object) -> Iterator[Problem]:
    """Text that no page can hold. A description may have lines."""
    for place, text in _texts(package, "$"):
        allowed = "\n\t\r" if place.endswith(".description") else ""
        if any(_unprintable(c) and c not in allowed for c in text):
            expected = "text without control characters"
            yield Problem(PACKAGE, found=quoted(text), expected=expected, place=one_place(place))


def _texts(part: object, place: str) -> Iterator[tuple[str, str]]:
    """Every text of a package with its place; comments are nobody's business."""
    if isinstance(part, str):
        yield place, part
    elif isinstance(part, dict):
        for key, value in part.items():
            if key != "$comment":
                yield f"{place}.{key}", key
                yield from _texts(value, f"{place}.{key}")
    elif isinstance(part, list):
        for number, value in enumerate(part):
            yield from _texts(value, f"{place}[{number}]")


def _unprintable(c: str) -> bool:
    """Control characters, halves of pairs, and what Unicode says is no character."""
    return unicodedata.category(c) in ("Cc", "Cs") or ord(c) & 0xFFFE == 0xFFFE


def _usable(package: object) -> _Parts:
    """The fields and entries that are as the schema says, whatever is wrong beside them."""

    def at(part: object, *keys: str | int) -> object:
        for key in keys:
            try:
                part = part[key]
            except (KeyError, IndexError, TypeError):
                return None
        return part

    resource = at(package, "resources", 0)
    path = at(resource, "path")
    given = at(resource, "schema", "fields")
    fields = [entry for _, entry in _valid(given, "field")]
    names = [entry["name"] for entry in fields]
    analysis = at(package, "analysis")
    return _Parts(
        fields=tuple({entry["name"]: entry for entry in reversed(fields)}.values())[::-1],
        whole=isinstance(given, list) and len(fields) == len(given) > 0,
        twice=sorted({name for name in names if names.count(name) > 1}),
        factors=_valid(at(analysis, "factors"), "factor"),
        characteristics=_valid(at(analysis, "characteristics"), "characteristic"),
        path=path if isinstance(path, str) and path else TABLE,
    )


def _valid(entries: object, definition: str) -> list[tuple[int, dict]]:
    """Those entries of a list that keep to a definition of the schema, with their numbers."""
    one = VALIDATOR.evolve(schema={"$ref": f"#/$defs/{definition}", "$defs": SCHEMA["$defs"]})
    numbered = enumerate(entries if isinstance(entries, list) else [], start=1)
    return [(number, entry) for number, entry in numbered if one.is_valid(entry)]


def _package_problems(parts: _Parts) -> Iterator[Problem]:
    names = [entry["name"] for entry in parts.fields]
    for name in parts.twice:
        yield _package("fields", f"{one_line(name)} is described twice")
    if parts.whole:
        for column in REQUIRED:
            if column not in names:
                yield _package(
                    "fields",
                    f"the required column {column} is not described",
                    _nearest(column, names),
                )
    for entry in parts.fields:
        yield from _field_problems(entry)
    by_name = {entry["name"]: entry for entry in parts.fields}
    lists = {"factors": parts.factors, "characteristics": parts.characteristics}
    for part, entries in lists.items():
        for number, entry in entries:
            place = f"analysis.{part} {number}"
            if parts.whole:
                yield from _unknown_columns(place, entry, names)
            yield from _level_problems(place, entry, by_name)
        yield from _twice(part, [entry for _, entry in entries])
    for number, entry in parts.factors:
        yield from _factor_problems(f"analysis.factors {number}", entry, by_name)
    for number, entry in parts.characteristics:
        place = f"analysis.characteristics {number}, column"
        if entry["column"] == "patient_id":
            yield _package(place, "found patient_id, expected a column that describes patients")
        if entry["column"] in DERIVED and entry["kind"] == "outcome":
            yield _package(place, f"found {entry['column']}, of which Table 2 has a row already")


def _package(place: str, expected: str, hint: str = "") -> Problem:
    return Problem(PACKAGE, place=place, expected=expected, hint=hint)


def _field_problems(entry: dict) -> Iterator[Problem]:
    name, limits = entry["name"], entry.get("constraints", {})
    place = f"fields, {one_line(name)}"
    if name != name.strip():
        yield _package(place, "found a name with a space at an end, expected none")
    if any(sign in name for sign in RESULT_SIGNS):
        yield _package(place, f"found a name with one of {' '.join(RESULT_SIGNS)}, expected none")
    if name in RESULT_GROUPS:
        yield _package(place, "expected another name: the results have a row of this name")
    yield from _repeated(f"{place}, enum", limits.get("enum", []))
    least, most = limits.get("minimum"), limits.get("maximum")
    if least is not None and most is not None and least > most:
        yield _package(place, f"found minimum {least}, expected at most the maximum {most}")


def _repeated(place: str, levels: list) -> Iterator[Problem]:
    """Levels are compared as text, without spaces at their ends, and blank means missing."""
    seen: set[str] = set()
    for level in map(str, levels):
        if level in seen:
            yield _package(place, f"found {quoted(level)} twice, expected it once")
        elif not level.strip():
            yield _package(
                place, "found a blank level; a blank cell is missing, and needs no level"
            )
        elif level != level.strip():
            yield _package(place, f"found {quoted(level)}, expected no space at its ends")
        seen.add(level)


def _unknown_columns(place: str, entry: dict, names: list[str]) -> Iterator[Problem]:
    for key in ("column", "among", "before"):
        if key in entry and entry[key] not in names:
            yield Problem(
                PACKAGE,
                found=quoted(entry[key]),
                expected="a column that fields describes",
                place=f"{place}, {key}",
                hint=_nearest(entry[key], names),
            )


def _level_problems(place: str, entry: dict, by_name: dict[str, dict]) -> Iterator[Problem]:
    """A level that the column's own list does not hold is a slip of the pen."""
    column = by_name.get(entry["column"], {})
    known = [str(level) for level in column.get("constraints", {}).get("enum") or []]
    for key in ("numerator", "denominator", "levels"):
        levels = entry.get(key, [])
        yield from _repeated(f"{place}, {key}", levels)
        for level in levels:
            if known and str(level) not in known:
                expected = f"one of {', '.join(map(one_line, known))}"
                yield Problem(
                    PACKAGE,
                    found=quoted(str(level)),
                    expected=expected,
                    place=f"{place}, {key}",
                    hint=_nearest(str(level), known),
                )
            elif column and is_number(column) and not NUMBER.fullmatch(str(level)):
                expected = "a number, as the column has"
                yield Problem(
                    PACKAGE, found=quoted(str(level)), expected=expected, place=f"{place}, {key}"
                )


def _twice(part: str, entries: list[dict]) -> Iterator[Problem]:
    """Results are named by their column, so a column can stand in a list once."""
    columns = [entry["column"] for entry in entries]
    for column in sorted({column for column in columns if columns.count(column) > 1}):
        yield _package(
            f"analysis.{part}",
            f"found {one_line(column)} twice, expected it once; "
            "a second contrast needs a column of its own",
        )


def _factor_problems(place: str, entry: dict, by_name: dict[str, dict]) -> Iterator[Problem]:
    """Days, and baseline factors without sides, are read as numbers."""
    column, later = entry["column"], entry["kind"] == "postbaseline"
    found = by_name.get(column)
    where = f"{place}, column {one_line(column)}"
    if found and not is_number(found) and (later or "numerator" not in entry):
        what = "a column of days" if later else "numerator and denominator"
        yield _package(where, f"found a column of text, expected {what}, or type integer or number")
    if column in NO_FACTOR:
        yield _package(where, "expected another column: this one holds the outcome, or who it is")
    if column in MODEL_COLUMNS:
        yield _package(where, "expected another name: the models have a column of this name")
    if later and "numerator" in entry:
        yield _package(where, "found numerator, expected none where kind is postbaseline")
    sides = [set(map(str, entry.get(key, []))) for key in ("numerator", "denominator")]
    for level in sorted(sides[0] & sides[1]):
        yield _package(
            where, f"found {quoted(level)} on both sides, expected it in numerator or denominator"
        )
    before = by_name.get(entry.get("before", ""))
    if before and not is_number(before):
        yield _package(f"{place}, before", "found a column of text, expected a column of days")
    if "before" in entry and not later:
        yield _package(f"{place}, before", "found it, expected it only where kind is postbaseline")


# --- the table -------------------------------------------------------------------------------


def _read_patients(folder: Path, parts: _Parts) -> tuple[pd.DataFrame | None, list[Problem]]:
    problems = list(_path_problems(folder, parts.path))
    if problems:
        return None, problems
    path = folder / parts.path
    if not path.is_file():
        expected = "not found beside datapackage.json, which names it"
        return None, [Problem(one_line(path.name), expected=expected)]
    known = {*RESERVED, *(entry["name"] for entry in parts.fields)}
    table = read_table(path, known)
    if isinstance(table, list):
        return None, table
    return table.cells, [*table.problems, *_table_problems(table, parts)]


def _path_problems(folder: Path, path: str) -> Iterator[Problem]:
    """A package may come from anywhere, so what it names stays in its own folder."""
    place, found = "resources 1, path", quoted(path)
    expected = "a file within the folder, such as patients.csv"
    absolute = PurePosixPath(path).is_absolute() or PureWindowsPath(path).drive or "\\" in path
    if absolute or ":" in path or ".." in PurePosixPath(path).parts or "\0" in path:
        yield Problem(PACKAGE, found=found, expected=expected, place=place)
        return
    try:
        inside = (folder / path).resolve().is_relative_to(folder.resolve())
    except (OSError, RuntimeError, ValueError):
        inside = False
    if not inside:
        expected = "a file within the folder, not a link that leads out of it"
        yield Problem(PACKAGE, found=found, expected=expected, place=place)


def _table_problems(table: TextTable, parts: _Parts) -> Iterator[Problem]:
    file, cells = table.name, table.cells
    fields = parts.fields
    if parts.whole:
        yield from _column_names(table, [entry["name"] for entry in fields])
    else:  # the reserved columns are known without a package
        described = {entry["name"] for entry in fields}
        fields += tuple({"name": name} for name in RESERVED if name not in described)
    if cells.empty and not any(problem.row for problem in table.problems):
        yield Problem(file, expected="no patients; expected a row each")
    for entry in fields:
        if entry["name"] in cells:
            yield from _column_problems(cells[entry["name"]], entry, file)
    yield from _order_problems(cells, file)


def _column_names(table: TextTable, names: list[str]) -> Iterator[Problem]:
    """Columns that are in one of the two files only; a near name is likely the other's."""
    file, row, columns = table.name, table.header_row, list(table.cells.columns)
    if not set(columns) & set(names):
        expected = "not a header; none of its cells is a column that datapackage.json describes"
        yield Problem(file, row, expected=expected)
        return
    extra = [name for name in columns if name not in names]
    for name in names:
        if name not in columns:
            expected = f"column {one_line(name)} is missing; datapackage.json describes it"
            hint = _nearest(name, extra)
            yield Problem(file, row, expected=expected, hint=hint, hidden=expected)
    for name in extra:
        number = columns.index(name) + 1
        expected = f"column {one_line(name)} is not described in datapackage.json"
        hidden = f"column {number} is not described in datapackage.json"
        yield Problem(file, row, expected=expected, hidden=hidden)


def _column_problems(values: pd.Series, entry: dict, file: str) -> Iterator[Problem]:
    limits, name = entry.get("constraints", {}), entry["name"]
    blank = values == ""
    if limits.get("required") or name in REQUIRED:
        yield from listed(values, blank, "a value", file)
    if limits.get("unique") or name == "patient_id":
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
        yield from _number_problems(values, entry, file)


def _each(values: pd.Series, test: Callable[[str], object]) -> pd.Series:
    """Of each cell whether a test holds."""
    return pd.Series([bool(test(cell)) for cell in values], index=values.index, dtype=bool)


def _control_problems(values: pd.Series, file: str) -> Iterator[Problem]:
    if not "".join(values).isprintable():  # so that clean columns, most of them, take no time
        wrong = _each(values, lambda cell: any(map(_unprintable, cell)))
        yield from listed(values, wrong, "text without control characters", file)


def _one_of(values: pd.Series, levels: list[str], expected: str, file: str) -> Iterator[Problem]:
    """A level that differs only by what the eye overlooks is guessed."""
    wrong = (values != "") & ~values.isin(levels)
    seen = {squashed(level): level for level in levels}
    meant = {row: seen.get(squashed(cell)) for row, cell in values[wrong].items()}
    hints = {row: f'did you mean "{one_line(level)}"?' for row, level in meant.items() if level}
    yield from listed(values, wrong, expected, file, hints)


def _number_problems(values: pd.Series, entry: dict, file: str) -> Iterator[Problem]:
    limits = entry.get("constraints", {})
    parsed = numbers(values)
    found = parsed.notna()
    wrong = (values != "") & ~found
    if is_day(entry):
        dates = wrong & _each(values, DATE.fullmatch)
        expected = "a number of days from the one origin, not a date; "
        expected += "`python -m analysis import` turns dates into days"
        yield from listed(values, dates, expected, file)
        wrong &= ~dates
        serial = list(_serial_problems(parsed, file))
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
        far = found & (parsed > MOST_DAYS) & (not serial)
        dates = {row: _serial_date(day) for row, day in parsed[far].items() if day <= LAST_SERIAL}
        hints = {row: f"{parsed[row]:g} is {day} in a spreadsheet" for row, day in dates.items()}
        expected = f"{MOST_DAYS} or less: {MOST_DAYS} days are 100 years"
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


def _order_problems(cells: pd.DataFrame, file: str) -> Iterator[Problem]:
    """Events in an order that no life can have, in the rows whose days are numbers."""
    names = [*EVENT_DAYS, "last_assessment_day", "last_contact_day"]
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


def _read_published(path: Path) -> tuple[pd.DataFrame | None, list[Problem]]:
    """The printed numbers; a file without the column `kind` has a blank one."""
    if not path.is_file():
        return None, []
    table = read_table(path, PUBLISHED)
    if isinstance(table, list):
        return None, table
    cells, names = table.cells, list(table.cells.columns)
    if names == list(PUBLISHED):
        cells = cells.assign(kind="")
    elif names != [*PUBLISHED, "kind"]:
        expected = f"found {', '.join(map(one_line, names))}, expected {', '.join(PUBLISHED)}"
        problem = Problem(PRINT, table.header_row, expected=f"{expected}, and kind if you like")
        return None, [*table.problems, problem]
    return cells, [*table.problems, *_published_problems(cells)]


def _published_problems(published: pd.DataFrame) -> Iterator[Problem]:
    """The text of `printed` says its own precision, so it must be a plain number, or yes or no."""
    months, printed, part = (published[name] for name in ("months", "printed", "part"))
    wrong = (months != "") & ~(numbers(months).abs() < LARGEST)
    yield from listed(months, wrong, "a number of months, or blank", PRINT)
    yield from listed(
        printed, ~_each(printed, PRINTED.fullmatch), "a plain number, or yes or no", PRINT
    )
    parts = ["estimate", "lower", "upper"]
    yield from listed(part, ~part.isin(parts), "one of " + ", ".join(parts), PRINT)
    kind = published["kind"]
    wrong = ~kind.isin(["", *KINDS])
    yield from listed(kind, wrong, f"one of {', '.join(KINDS)}, or blank", PRINT)
    page, quantity = published["page"], published["quantity"]
    yield from listed(page, (page == "") & (kind != "given"), "a page, such as figure_1a", PRINT)
    wrong = (quantity == "given") != (kind == "given")
    yield from listed(kind, wrong, "given where the quantity is given, and nowhere else", PRINT)
    # One row for each place: the same row twice would count one number twice.
    keys = ["page", "quantity", "group", "months", "part", "place"]
    twice = published.duplicated(keys)
    expected = "a place where no other row has this number"
    yield from listed(published["place"], twice, expected, PRINT)
    for name in published:
        yield from _control_problems(published[name], PRINT)
