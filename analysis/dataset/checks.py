"""A dataset folder, checked in one pass: the package, the table and the order of the days.

A part that cannot be read does not hide what is wrong with the others, as far as it can be known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd

from .cells import NUMBER, numbers
from .columns import EVENT_DAYS, REQUIRED, is_number
from .declared import (
    NO_GROUP,
    PACKAGE,
    RESULT_SIGNS,
    among_problems,
    endpoint_names,
    endpoint_problems,
    group_problems,
    in_package,
    many_problems,
    model_problems,
    needs_died,
    reference_problems,
    study_problems,
    with_days,
)
from .definitions import definition
from .package import read_package
from .patients import asked_for, counting, in_parts, number_problems, read_patients
from .problems import Problem, nearest, one_line, quoted, unprintable
from .recurrent import read_events
from .table import PRINT, read_published

TABLE = "patients.csv"
SCHEMA = json.loads(Path(__file__).with_name("datapackage.schema.json").read_text("utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

# Names that the rows of a model have themselves.
MODEL_COLUMNS = ("patient", "start", "stop", "event", "stratum")
# Rows of Table 2 that follow from the reserved columns, under their names.
DERIVED = ("mrd_response_day", "hsct_day")
# Groups that the results count beside the dataset's columns, and the signs that their names use.
RESULT_GROUPS = (
    *("patients", "long_term", "lost", "known_in_every_factor", "wait", "hsct_in_remission"),
    *("hsct_after_relapse", "hsct_without_response", "relapse_free"),
    *("relapse_free_without_hsct", "relapse_free_after_hsct"),
)


@dataclass(frozen=True)
class Contents:
    """What a folder holds. `text` and `published` are text, indexed by the rows of their files.

    Of a table in parts they are those of the folded one: `analysis.number` then names the column
    that says how many patients each row stands for. `events` are the tables of events that come
    again, by name.
    """

    folder: Path
    package: dict
    fields: tuple[dict, ...]
    text: pd.DataFrame | None
    published: pd.DataFrame | None
    events: dict[str, pd.DataFrame] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class _Parts:
    """Those parts of a package that can be used although others are wrong.

    `whole` says whether every field could be read, so that a missing one is really missing;
    `twice` names the columns with more than one field, `names` the endpoints, None where that is
    not known, and `own` whether the package declares endpoints, or has the paper's.
    """

    fields: tuple[dict, ...]
    whole: bool
    twice: list[str]
    factors: list[tuple[int, dict]]
    characteristics: list[tuple[int, dict]]
    endpoints: list[tuple[int, dict]]
    models: list[tuple[int, dict]]
    compare: dict | None
    own: bool
    names: list[str] | None
    path: str
    number: str
    recurrent: list[tuple[int, dict]]


def read_folder(folder: Path, each: Callable | None = None) -> Contents:
    """Read a dataset folder and find everything that is wrong with it. Raises nothing.

    `each` does what is to be done with each part of a table in parts, see `parts.Each`.
    """
    package, problems = read_package(folder)
    if package is not None:
        problems += [*_schema_problems(package), *_text_problems(package)]
    parts = _usable(package)
    several = in_parts(folder, parts.path)
    problems += _package_problems(parts, several)
    text, fields = None, parts.fields
    if (folder / PACKAGE).is_file():
        if several and problems:
            found = []  # what is in no order is not folded: it takes long
        elif several:
            from .parts import folded, read_parts  # of use to few

            text, found = read_parts(folder, parts.path, fields, package["analysis"], each)
            package, fields = folded(package, fields)
        else:
            text, found = read_patients(folder, parts.path, fields, parts.whole)
        problems += [*found, *_value_problems(parts, pd.DataFrame() if text is None else text)]
    published, found = read_published(folder / PRINT)
    problems += found
    events, found = read_events(folder, package, parts.recurrent, parts.names, text)
    problems += found
    known = package if isinstance(package, dict) else {}
    for _, study in _valid([known.get("study")], "study"):
        problems += study_problems(study, published)
    return Contents(folder, known, fields, text, published, events, problems)


# --- the package -----------------------------------------------------------------------------


def _at(path: Sequence[str | int], expected: str, found: str = "", hint: str = "") -> Problem:
    """A problem at a place in the package, such as `analysis.endpoints 5, from`."""
    place = ""
    for part in path:
        between = "." if place == "analysis" else ", " if place else ""
        place += f" {part + 1}" if isinstance(part, int) else between + part
    place = one_line(place.removeprefix("resources 1, schema, ")[-60:])
    return Problem(PACKAGE, place=place, found=found, expected=expected, hint=hint)


def _schema_problems(package: object) -> Iterator[Problem]:
    def order(error: jsonschema.ValidationError) -> list[tuple[bool, str | int]]:
        return [(isinstance(part, str), part) for part in error.absolute_path]

    for error in sorted(VALIDATOR.iter_errors(package), key=order):
        if error.validator == "additionalProperties":
            known = [key for key in error.schema["properties"] if key != "$comment"]
            for key in (key for key in error.instance if key not in (*known, "$comment")):
                expected, found = "one of " + ", ".join(known), f"the key {quoted(key)}"
                yield _at(error.absolute_path, expected, found, nearest(key, known))
        elif error.validator in ("required", "dependentRequired"):
            key, *other = error.message.split("'")[1::2]
            beside = f", as there is {quoted(other[0])}" if other else ""
            yield _at(error.absolute_path, f"the key {quoted(key)} is missing{beside}")
        else:
            yield _at(error.absolute_path, _asked(error), _value(error.instance))


# What a rule of the schema asks of a value. A pattern says it itself.
RULES: dict[str, Callable[[Any], str]] = {
    "type": lambda kinds: " or ".join(map(KINDS.get, [kinds] if isinstance(kinds, str) else kinds)),
    "enum": lambda values: "one of " + ", ".join(map(str, values)),
    "minLength": lambda _: "a text that is not blank",
    "minItems": lambda least: f"a list of {least} or more",
    "maxItems": lambda most: f"a list of at most {most}",
    "uniqueItems": lambda _: "each entry once",
    "minimum": lambda least: f"{least} or more",
    "maximum": lambda most: f"{most} or less",
    "exclusiveMinimum": lambda limit: f"more than {limit}",
}
KINDS = {
    **{"object": "an object", "array": "a list", "string": "a text", "number": "a number"},
    **{"boolean": "true or false"},
}


def _asked(error: jsonschema.ValidationError) -> str:
    if error.validator == "pattern":
        return error.schema["description"]
    return RULES[error.validator](error.validator_value)


def _value(value: object) -> str:
    """A value of the package in short."""
    if isinstance(value, dict | list):
        kind = "an object" if isinstance(value, dict) else "a list"
        return kind if value else kind.replace(" ", " empty ").replace("a e", "an e")
    return quoted(value) if isinstance(value, str) else one_line(json.dumps(value))


def _text_problems(part: object, path: tuple[str | int, ...] = ()) -> Iterator[Problem]:
    """Text that no page can hold. A description may have lines; comments are nobody's business."""
    if isinstance(part, str):
        allowed = "\n\t\r" if path[-1:] == ("description",) else ""
        if any(unprintable(c) and c not in allowed for c in part):
            yield _at(path, "text without control characters", quoted(part))
    elif isinstance(part, dict):
        for key, value in part.items():
            if key != "$comment":
                yield from _text_problems(key, (*path, key))
                yield from _text_problems(value, (*path, key))
    elif isinstance(part, list):
        for number, value in enumerate(part):
            yield from _text_problems(value, (*path, number))


def _usable(package: object) -> _Parts:
    """The fields and entries that are as the schema says, whatever is wrong beside them."""

    def at(part: object, *keys: str | int) -> object:
        for key in keys:
            try:
                part = part[key]
            except (KeyError, IndexError, TypeError):
                return None
        return part

    path, number = at(package, "resources", 0, "path"), at(package, "analysis", "number")
    number = number if isinstance(number, str) else ""
    given = at(package, "resources", 0, "schema", "fields")
    fields = [entry for _, entry in _valid(given, "field")]
    names = [entry["name"] for entry in fields]
    once = tuple({entry["name"]: entry for entry in reversed(fields)}.values())[::-1]
    declared = at(package, "analysis", "endpoints")
    endpoints = _valid(declared, "endpoint")
    groups = _valid([at(package, "analysis", "compare")], "compare")
    return _Parts(
        fields=counting(with_days(once, _as_far_as_valid(declared)), number),
        whole=isinstance(given, list) and len(fields) == len(given) > 0,
        twice=sorted({name for name in names if names.count(name) > 1}),
        factors=_valid(at(package, "analysis", "factors"), "factor"),
        characteristics=_valid(at(package, "analysis", "characteristics"), "characteristic"),
        endpoints=endpoints,
        models=_valid(at(package, "analysis", "models"), "model"),
        compare=groups[0][1] if groups else None,
        own=declared is not None,
        names=endpoint_names(declared),
        path=path if isinstance(path, str) and path else TABLE,
        number=number,
        recurrent=_valid(at(package, "analysis", "repeated_events"), "repeated"),
    )


def _valid(entries: object, definition: str) -> list[tuple[int, dict]]:
    """Those entries of a list that keep to a definition of the schema, with their numbers."""
    one = VALIDATOR.evolve(schema={"$ref": f"#/$defs/{definition}", "$defs": SCHEMA["$defs"]})
    numbered = enumerate(entries if isinstance(entries, list) else [], start=1)
    return [(number, entry) for number, entry in numbered if one.is_valid(entry)]


def _as_far_as_valid(entries: object) -> list[dict]:
    """The endpoints of a list, each with those keys that are as the schema says."""
    keys = SCHEMA["$defs"]["endpoint"]["properties"]
    parts = {
        key: VALIDATOR.evolve(schema={**rule, "$defs": SCHEMA["$defs"]})
        for key, rule in keys.items()
    }
    return [
        {"name": "", "title": "", "events": []}
        | {
            key: entry[key]
            for key, rule in parts.items()
            if key in entry and rule.is_valid(entry[key])
        }
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict)
    ]


def _package_problems(parts: _Parts, several: bool) -> Iterator[Problem]:
    by_name = {entry["name"]: entry for entry in parts.fields}
    used = asked_for(
        {
            "endpoints": [entry for _, entry in parts.endpoints],
            "factors": [entry for _, entry in parts.factors],
            "characteristics": [entry for _, entry in parts.characteristics],
            "models": [entry for _, entry in parts.models],
            "compare": parts.compare,
        }
    )
    yield from number_problems(parts.number, several, by_name if parts.whole else None, used)
    for name in parts.twice:
        yield in_package("fields", f"{one_line(name)} is described twice")
    died = ["died"] if needs_died(parts.endpoints, parts.own) else []
    # Who stands for several patients has no name; nor has, in parts, who is not named anyway.
    named = {"patient_id"} if parts.number or several else set()
    for column in [*REQUIRED, *died] if parts.whole else ():
        if column not in {*by_name, *named}:
            expected = f"the required column {column} is not described"
            yield in_package("fields", expected, hint=nearest(column, by_name))
    for entry in parts.fields:
        yield from _field_problems(entry)
    lists = {"factors": parts.factors, "characteristics": parts.characteristics}
    for part, entries in lists.items():
        for number, entry in entries:
            place = f"analysis.{part} {number}"
            if parts.whole:
                yield from _unknown_columns(place, entry, list(by_name))
            yield from _level_problems(place, entry, by_name)
        yield from _twice(part, [entry["column"] for _, entry in entries])
    for number, entry in parts.factors:
        yield from _factor_problems(f"analysis.factors {number}", entry, by_name)
    known = by_name if parts.whole else {}
    names = parts.names
    yield from endpoint_problems(parts.endpoints, known)
    declared = [entry["column"] for _, entry in parts.factors]
    yield from model_problems(parts.models, names, known, declared)
    if parts.compare:
        yield from group_problems("analysis.compare", parts.compare, known)
    for number, entry in parts.factors:
        for name in entry.get("endpoints", ()):
            if names is not None and name not in names:
                place, expected = f"analysis.factors {number}, endpoints", ", ".join(names)
                found, hint = quoted(name), nearest(name, names)
                yield in_package(place, f"one of the endpoints: {expected}", found, hint)
    for number, entry in parts.characteristics:
        place = f"analysis.characteristics {number}, column"
        column = entry["column"]
        if column == "patient_id" or (column in NO_GROUP and entry["kind"] == "baseline"):
            yield in_package(place, "a column that describes patients", column)
        if entry["column"] in DERIVED and entry["kind"] == "outcome":
            yield in_package(place, f"found {entry['column']}, of which Table 2 has a row already")


def _field_problems(entry: dict) -> Iterator[Problem]:
    name, limits = entry["name"], entry.get("constraints", {})
    place = f"fields, {one_line(name)}"
    if name != name.strip():
        yield in_package(place, "none", "a name with a space at an end")
    if any(sign in name for sign in RESULT_SIGNS):
        yield in_package(place, "none", f"a name with one of {' '.join(RESULT_SIGNS)}")
    if name in RESULT_GROUPS:
        yield in_package(place, "expected another name: the results have a row of this name")
    yield from _repeated(f"{place}, enum", limits.get("enum", []))
    least, most = limits.get("minimum"), limits.get("maximum")
    if least is not None and most is not None and least > most:
        yield in_package(place, f"at most the maximum {most}", f"minimum {least}")


def _repeated(place: str, levels: list) -> Iterator[Problem]:
    """Levels are compared as text, without spaces at their ends, and blank means missing."""
    seen: set[str] = set()
    for level in map(str, levels):
        if level in seen:
            yield in_package(place, "it once", f"{quoted(level)} twice")
        elif not level.strip():
            blank = "found a blank level; a blank cell is missing, and needs no level"
            yield in_package(place, blank)
        elif level != level.strip():
            yield in_package(place, "no space at its ends", quoted(level))
        seen.add(level)


def _unknown_columns(place: str, entry: dict, names: list[str]) -> Iterator[Problem]:
    for key in ("column", "among", "before"):
        if key in entry and entry[key] not in names:
            expected, found = "a column that fields describes", quoted(entry[key])
            yield in_package(f"{place}, {key}", expected, found, nearest(entry[key], names))


def _level_problems(place: str, entry: dict, by_name: dict[str, dict]) -> Iterator[Problem]:
    """A level that the column's own list does not hold is a slip of the pen."""
    column = by_name.get(entry["column"], {})
    known = [str(level) for level in column.get("constraints", {}).get("enum") or []]
    for key in ("numerator", "denominator", "levels"):
        yield from _repeated(f"{place}, {key}", entry.get(key, []))
        for level in map(str, entry.get(key, [])):
            if known and level not in known:
                expected, hint = f"one of {', '.join(map(one_line, known))}", nearest(level, known)
                yield in_package(f"{place}, {key}", expected, quoted(level), hint)
            elif column and is_number(column) and not NUMBER.fullmatch(level):
                yield in_package(f"{place}, {key}", "a number, as the column has", quoted(level))


def _twice(part: str, columns: list[str]) -> Iterator[Problem]:
    """Results are named by their column, so a column can stand in a list once."""
    for column in sorted({column for column in columns if columns.count(column) > 1}):
        hint = "a second contrast needs a column of its own"
        yield in_package(f"analysis.{part}", "it once", f"{one_line(column)} twice", hint)


def _factor_problems(place: str, entry: dict, by_name: dict[str, dict]) -> Iterator[Problem]:
    """Days, and baseline factors without sides, are read as numbers."""
    column, later = entry["column"], entry["kind"] == "postbaseline"
    found, before = by_name.get(column), by_name.get(entry.get("before", ""))
    where = f"{place}, column {one_line(column)}"
    sided = "numerator" in entry or "reference" in entry
    if found and not is_number(found) and (later or not sided):
        what = "a column of days" if later else "reference, or numerator and denominator"
        yield in_package(where, f"{what}, or type integer or number", "a column of text")
    event = column in EVENT_DAYS or "event" in (found or {})
    if column in NO_GROUP or (event and not later):
        yield in_package(where, "expected another column: this one holds the outcome, or who it is")
    if column in MODEL_COLUMNS:
        yield in_package(where, "expected another name: the models have a column of this name")
    for key in ("numerator", "reference", "form") if later else ():
        if key in entry:
            yield in_package(where, "none where kind is postbaseline", key)
    if "reference" in entry and "numerator" in entry:
        yield in_package(where, "a reference, or sides", "reference and numerator")
    if entry.get("form") == "spline" and sided:
        yield in_package(where, "it only where the factor is a number", "form spline")
    if "reference" in entry:
        yield from group_problems(place, entry, by_name)
    sides = [set(map(str, entry.get(key, []))) for key in ("numerator", "denominator")]
    for level in sorted(sides[0] & sides[1]):
        yield in_package(where, "it in numerator or denominator", f"{quoted(level)} on both sides")
    if before and not is_number(before):
        yield in_package(f"{place}, before", "a column of days", "a column of text")
    if "before" in entry and not later:
        yield in_package(
            f"{place}, before", "found it, expected it only where kind is postbaseline"
        )


def _value_problems(parts: _Parts, cells: pd.DataFrame) -> Iterator[Problem]:
    """Declarations that the values of their columns do not bear out."""
    by_name = {entry["name"]: entry for entry in parts.fields if entry["name"] in cells}
    levels = {
        name: {*map(str, entry.get("constraints", {}).get("enum", ())), *cells[name].unique()}
        - {""}
        for name, entry in by_name.items()
    }
    described = {"factors": parts.factors, "characteristics": parts.characteristics}
    lists = {"endpoints": parts.endpoints, **described}
    measured = {
        entry["column"]
        for entries in described.values()
        for _, entry in entries
        if entry["kind"] == "baseline"
    }
    measured -= {day for _, entry in parts.endpoints for day in definition(entry).days}
    for part, entries in lists.items():
        for number, entry in entries:
            if (column := entry.get("among")) in by_name:
                place, field = f"analysis.{part} {number}", by_name[column]
                yield from among_problems(place, column, field, levels[column], measured)
    groups = parts.compare or {}
    if (column := groups.get("column")) in by_name:
        yield from many_problems("analysis.compare, column", column, levels[column])
    referring = {f"analysis.factors {number}": entry for number, entry in parts.factors}
    for place, entry in {"analysis.compare": groups, **referring}.items():
        if (column := entry.get("column")) in by_name:
            found = _found(cells[column], by_name[column])
            yield from reference_problems(place, entry, by_name[column], found)
    strata = {"analysis.compare": groups}
    strata |= {f"analysis.models {number}": entry for number, entry in parts.models}
    for place, entry in strata.items():
        for column in entry.get("strata", ()):
            if column in by_name and is_number(by_name[column]):
                yield from many_problems(f"{place}, strata", column, levels[column])
    for number, entry in parts.factors:
        column = entry["column"]
        if "reference" in entry and column in by_name and is_number(by_name[column]):
            yield from many_problems(
                f"analysis.factors {number}, reference", column, levels[column]
            )


def _found(cells: pd.Series, field: dict) -> set[str]:
    """The levels that the patients have, as the dataset calls them."""
    if is_number(field):
        return {f"{number:g}" for number in numbers(cells).dropna().unique()}
    return {*cells.unique()} - {""}
