"""A dataset folder from a statistician's file: patients.csv, datapackage.json and import.yaml.

import.yaml says what every column of the file becomes. The first import writes what the file says
safely and asks the rest; from then on the mapping that is there is used as it is.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import hashlib
import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import yaml

from ..dataset.columns import EVENT_DAYS, RESERVED
from ..dataset.model import load
from ..dataset.problems import LISTED_AT_MOST, DataError, raise_any
from . import adam, missing, redcap, rows
from .dates import (
    EPOCHS,
    KINDS,
    UNITS,
    as_date,
    day_counted,
    looks_like_date,
    needs_century,
    needs_order,
)
from .files import Cells, Source, labelled, plain, read
from .guesses import DAYS, OPEN, draft, identifies, quoted, several_rows, slug
from .headers import ROW_NAMES
from .meaning import (
    agree,
    candidates,
    clocks,
    counted_as,
    death_codes,
    disputes,
    event_codes,
    found_codes,
    implausible,
    mostly,
    partners,
    with_unit,
)
from .missing import NUMBER
from .words import STEMS, SUMS, stem

MAPPING = "import.yaml"
NO_STATUS = "none"  # as `status`: no column says whether an event happened
MADE = ("patients.csv", "datapackage.json")
SCHEMA = json.loads(Path(__file__).with_name("import.schema.json").read_text("utf-8"))


@dataclass(frozen=True)
class Files:
    """The files of one import: the patients, and for ADaM their times to events."""

    patients: Source
    times: Source | None = None
    beside: dict[str, tuple[str, str]] = field(default_factory=dict)  # their names and SHA-256


@dataclass
class Column:
    """One column of patients.csv: its values as text, where they are from, its field."""

    values: list[str]
    cells: Cells
    field: dict[str, Any]
    said: str  # how it was made, for the report


@dataclass
class Made:
    """What an import makes before it is written, with every problem found on the way."""

    columns: dict[str, Column] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    dropped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  # rows and cells of the file
    doubts: list[str] = field(default_factory=list)  # what may be the cause of problems
    way_out: list[str] = field(default_factory=list)  # where problems can be left out


def import_folder(
    file: Path,
    folder: Path,
    *,
    dictionary: Path | None = None,
    catalog: Path | None = None,
    adtte: Path | None = None,
    sheet: str | None = None,
    new_ids: bool = False,
    force: bool = False,
) -> list[str]:
    """Make or renew a dataset folder; returns the lines that say what was done.

    Raises DataError with every problem; patients.csv and datapackage.json are then as they were.
    Open questions are problems too, and stand in import.yaml.
    """
    old = _old_mapping(folder)
    beside = {"dictionary": dictionary, "catalog": catalog, "adtte": adtte}
    raise_any(_overwriting(folder, old, [file, *beside.values()], force))
    told = _scalars(old) if old else {}
    options, unanswered = _options(told)
    if set(told) == {"source"}:  # how to read the file, and no more yet
        old = None
    files = _read(file, beside, options | ({"sheet": sheet} if sheet else {}))
    answered = options.get("missing_in", {})
    asked = [c for c in files.patients.text if (c in unanswered if old else c not in answered)]
    doubts = _doubts(files.patients, asked)
    guessed = _as_guessed(files.patients, doubts)
    text = old or draft(guessed, files.times, folder.resolve().name, new_ids)
    dropped = _scalars(text).get("dropped") or {}
    doubts = {column: codes for column, codes in doubts.items() if column not in dropped}
    text = _with_block(text, "source", _source_block(files, doubts), first=True)
    if new_ids:
        text = re.sub(r"^( +new_ids: *)false\b", r"\1true", text, flags=re.MULTILINE)
        text = re.sub(
            r'^(  patient_id:\n(?: +#.*\n)? +column: )"\?"', r'\1""', text, flags=re.MULTILINE
        )
    try:
        raise_any(_first_questions(files.patients, text))
        made, package = _made(files, text, folder.resolve().name)
        content = _patients_csv(made), _json(package)
        _check(made, *content)
    except DataError as error:
        raise DataError([*error.problems, *_leave_mapping(folder, old, text)]) from error
    _write(folder, text, content)
    return _report(files, made, folder)


# --- the mapping -----------------------------------------------------------------------------


class _Words(yaml.SafeLoader):
    """YAML in which yes and no stay the words that they are."""


_Words.yaml_implicit_resolvers = {
    letter: [
        (tag, re.compile(r"true|false") if tag.endswith(":bool") else pattern)
        for tag, pattern in resolvers
        if not tag.endswith(":timestamp")
    ]
    for letter, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _old_mapping(folder: Path) -> str | None:
    path = folder / MAPPING
    if folder.exists() and not folder.is_dir():
        raise DataError([f"{folder}: found a file, expected a folder or nothing"])
    try:
        return path.read_text("utf-8-sig") if path.is_file() else None
    except UnicodeDecodeError as error:
        raise DataError([f"{MAPPING}: not UTF-8 text; save it as UTF-8"]) from error


def _scalars(text: str, loader: type = yaml.BaseLoader) -> dict[str, Any]:
    """The mapping, every scalar as text. Raises DataError where it is no YAML."""
    try:
        content = yaml.load(text, Loader=loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", row {mark.line + 1}, column {mark.column + 1}" if mark else ""
        reason = getattr(error, "problem", None) or error
        raise DataError([f"{MAPPING}{where}: not valid YAML: {reason}"]) from error
    if not isinstance(content, dict):
        raise DataError([f"{MAPPING}: found no keys, expected reserved, columns and analysis"])
    if isinstance(content.get("rows"), dict):  # one condition is a list of one
        content["rows"] = [content["rows"]]
    return content


def _options(told: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """How the file is to be read, and the columns whose codes for missing are still a question.

    Raises DataError.
    """
    source, unanswered = told.get("source") or {}, []
    if isinstance(source, dict):
        source = {key: value for key, value in source.items() if value != OPEN}
        if isinstance(own := source.get("missing_in"), dict):
            unanswered = [column for column, codes in own.items() if codes in (OPEN, [OPEN])]
            answered = {key: codes for key, codes in own.items() if key not in unanswered}
            source = source | {"missing_in": answered}
    part = {"$defs": SCHEMA["$defs"], **SCHEMA["properties"]["source"]}
    errors = jsonschema.Draft202012Validator(part).iter_errors(source)
    raise_any(f"{MAPPING}, source{error.json_path[1:]}: {error.message}" for error in errors)
    return source, unanswered


def _mapping(text: str) -> dict[str, Any]:
    """The mapping in order. Raises DataError with every key that is not."""
    mapping = _with_lists(_scalars(text))
    errors = jsonschema.Draft202012Validator(SCHEMA).iter_errors(mapping)
    raise_any(
        f"{MAPPING}, {error.json_path.removeprefix('$.')}: {error.message}"
        for error in sorted(errors, key=lambda error: error.json_path)
    )
    return mapping | {"analysis": _scalars(text, _Words)["analysis"]}


def _with_lists(mapping: dict[str, Any]) -> dict[str, Any]:
    """The mapping with `dead: ja` as `dead: [ja]`, and so on: one code is a list of one."""
    reserved = mapping.get("reserved")
    for entry in reserved.values() if isinstance(reserved, dict) else []:
        for key in {"dead", "alive", "although", "happened", "not_happened"} & {*(entry or ())}:
            entry[key] = [entry[key]] if isinstance(entry[key], str) else entry[key]
    return mapping


def open_questions(text: str) -> Iterator[str]:
    """One line for each `?` of a mapping, with the comment above it, which asks."""
    lines, block = text.splitlines(), ""
    for number, line in enumerate(lines):
        block = top[1] if (top := re.match(r"(\w+):", line)) else block
        if block in ("columns", "dropped", "title"):  # there a question mark is of the source
            continue
        match = re.match(
            r"""\s*("(?:[^"\\]|\\.)+"|[\w .'-]+): *\[? *["']?\?["']? *\]? *(#.*)?$""", line
        )
        if match:
            above = lines[number - 1].strip() if number else ""
            asked = above.lstrip("# ") if above.startswith("#") else "an answer in place of ?"
            yield f"{MAPPING}, row {number + 1}, {match[1]}: {asked}"


def _first_questions(source: Source, text: str) -> list[str]:
    """The open questions, and with them what an answer may mend at once."""
    mapping, asked = _scalars(text), list(open_questions(text))
    if _asks(mapping.get("rows")):
        return asked
    source, _ = _chosen(source, mapping)
    mended = _without_follow_up(source, mapping) if asked else ()
    return [*_repeated(source, mapping), *asked, *mended]


def _asks(conditions: Any) -> bool:
    """Whether one of the conditions on rows is still a question."""
    return isinstance(conditions, list) and any(
        isinstance(condition, dict) and OPEN in condition.values() for condition in conditions
    )


def _without_follow_up(source: Source, mapping: dict[str, Any]) -> Iterator[str]:
    """The way out where the last contact is blank or negative."""
    reserved = mapping.get("reserved")
    entry = reserved.get("last_contact_day") if isinstance(reserved, dict) else {}
    columns = _columns_of(entry) if isinstance(entry, dict) else []
    if not columns or not set(columns) <= set(source.text):
        return
    cells = rows.first_filled(source.text, columns)
    blank = int((cells == "").sum())
    negative = sum(bool(NUMBER.fullmatch(text)) and float(text) < 0 for text in cells)
    if blank or negative:
        where = columns[0] if len(columns) == 1 else columns
        how = "at_least: 0" if negative else "blank: no"
        counts = {"blank": blank, "negative": negative}
        found = " and ".join(
            f"{word} in {count} row{'s' * (count > 1)}" for word, count in counts.items() if count
        )
        yield (
            f"{source.file}, column {cells.name}: {found}; mend these rows, or leave them out: "
            f"rows: {{column: {quoted(where)}, {how}}} in {MAPPING}"
        )


def _leave_mapping(folder: Path, old: str | None, text: str) -> list[str]:
    """Where there was no mapping, leave the one that was guessed: it is what can be mended."""
    if old is not None:
        return []
    created = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace(folder / MAPPING, text.encode())
    except OSError:
        if created:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return [f"{folder / MAPPING} has what was guessed: change it, then run the import again"]


def _with_block(text: str, key: str, block: list[str], first: bool = False) -> str:
    """The mapping with one block of it written anew; all other lines stay as they are."""
    lines = text.splitlines()
    start = next((place for place, line in enumerate(lines) if re.match(rf"{key}:", line)), None)
    if start is None:
        head = next((n for n, line in enumerate(lines) if line and line[0] != "#"), len(lines))
        start = end = head if first else len(lines)
        block = [*block, ""] if first else ["", *block]
    else:
        inner = (n for n in range(start + 1, len(lines)) if lines[n] and lines[n][0] not in " #")
        end = next(inner, len(lines))
        while end > start + 1 and not lines[end - 1].startswith(" "):
            end -= 1  # comments and blank lines before the next block are its own
    return "\n".join([*lines[:start], *block, *lines[end:]]) + "\n"


def _source_block(files: Files, doubts: dict[str, list[str]]) -> list[str]:
    """Names and digests of the files as they are now, and how the text was read.

    `doubts` are values by column of which it is asked whether they mean missing.
    """
    source = files.patients
    note = "# The file as it was last imported, and how it was read."
    lines = ["source:", f"  {note}", f"  file: {quoted(source.file)}", f"  sha256: {source.sha256}"]
    for key, value in source.options.items():
        if key == "missing_in":
            continue
        if key == "encoding" and value == "cp1252":
            lines.append("  # It is not UTF-8, so probably Western European, as Windows writes it.")
        if value == OPEN:
            lines.append('  # what parts the decimals in 1,234 or 1.234? write "," or "."')
        lines.append(f"  {key}: {quoted(value)}")
    own = source.options.get("missing_in", {})
    lines += ["  missing_in:"] if own or doubts else []
    lines += [f"    {quoted(column)}: {quoted(codes)}" for column, codes in own.items()]
    for column, codes in doubts.items():
        lines.append(f"    # {_asked(source, column, codes)}")
        lines.append(f"    {quoted(column)}: {quoted(OPEN)}")
    for key, (name, digest) in files.beside.items():
        lines += [f"  {key}:", f"    file: {quoted(name)}", f"    sha256: {digest}"]
    return lines


def _asked(source: Source, column: str, codes: list[str]) -> str:
    counts = pd.concat([source.text[column], source.blanked.get(column)]).value_counts()
    found = ", ".join(f"{code} ({_times(counts[code])})" for code in codes)
    such = f"such as {quoted(codes)}, or [] for none"
    return f"which values of {column} mean that it is not known, {such}? found {found}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


# --- reading ---------------------------------------------------------------------------------


def _doubts(source: Source, columns: Iterable[str]) -> dict[str, list[str]]:
    """What may be a code for missing, and what was taken for one and may be a level, by column."""
    doubts = {}
    for column in columns:
        cells, labels = source.filled(column), source.variables[column].levels
        blanked = list(source.blanked.get(column, pd.Series(dtype=object)).unique())
        codes = [] if labels else missing.suspects(cells)
        if codes:
            doubts[column] = blanked + codes
        elif blanked and missing.may_be_levels(source.blanked, column, cells, labels):
            doubts[column] = blanked
    return doubts


def _as_guessed(source: Source, doubts: dict[str, list[str]]) -> Source:
    """The file as a first mapping reads it: a code for missing is blank, a level is there."""
    text = source.text.copy()
    for column, codes in doubts.items():
        found = text[column].isin(codes)
        text[column] = text[column].mask(found, "")
        if not found.any():
            text.loc[source.blanked[column].index, column] = source.blanked[column]
    return dataclasses.replace(source, text=text, dates={})


def _read(file: Path, beside: dict[str, Path | None], options: dict[str, Any]) -> Files:
    """The file, and those beside it by the names of their options: dictionary, catalog, adtte."""
    for key, given in beside.items():
        if key in options and given is None:
            name = (options[key] or {}).get("file", "FILE")
            raise DataError([f"{MAPPING}, source.{key}: names {name}; give it: --{key} {name}"])
    patients = read(file, options)
    digests = {}
    for key, describe in (("catalog", labelled), ("dictionary", redcap.described)):
        if path := beside.get(key):
            digests[key] = (path.name, describe(patients, path))
    times = read(beside["adtte"]) if beside.get("adtte") else None
    if times:
        digests["adtte"] = (times.file, times.sha256)
    return Files(patients, times, digests)


def _chosen(source: Source, mapping: dict[str, Any]) -> tuple[Source, list[str]]:
    """The file with only the rows that the mapping asks for, and lines on the others."""
    conditions = mapping.get("rows", [])
    part = {"$defs": SCHEMA["$defs"], **SCHEMA["properties"]["rows"]}
    errors = jsonschema.Draft202012Validator(part).iter_errors(conditions)
    raise_any(f"{MAPPING}, rows{error.json_path[1:]}: {error.message}" for error in errors)
    for condition in conditions:
        raise_any(_absent(source, _columns_of(condition), "rows"))
    return rows.chosen(source, conditions, _reads_dates(mapping))


def _repeated(source: Source, mapping: dict[str, Any]) -> Iterator[str]:
    """Patients with several rows, which are not merged: a slip, or a file of another shape."""
    entry = mapping.get("reserved")
    entry = entry.get("patient_id") if isinstance(entry, dict) else {}
    column = entry.get("column") if isinstance(entry, dict) else ""
    if not isinstance(column, str) or column not in source.text:
        return
    cells = source.cells(column)
    again = pd.Series(cells.texts).duplicated() & (pd.Series(cells.texts) != "")
    many = pd.Series(cells.texts)[again].nunique()
    if many > 1 and many >= 0.5 * len({*cells.texts}):
        yield several_rows(source, column)
        return
    for place in again.index[again]:
        yield cells.problem(place, "a value that no other row has")


def _sums(source: Source, ids: str) -> Iterator[str]:
    """Rows that name no patient but what was made of all rows, as a sheet has them at its end."""
    cells = source.cells(ids)
    for place, text in enumerate(cells.texts):
        if SUMS.fullmatch(text.strip()):
            out = f"rows: {{column: {quoted(ids)}, not: [{quoted(text)}]}}"
            yield cells.problem(place, f"a patient; {out} in {MAPPING} leaves the row out")


def _absent(source: Source, columns: list[str], place: str) -> Iterator[str]:
    for column in columns:
        if column not in source.text:
            yield (
                f'{MAPPING}, {place}: found "{column}", expected a column of {source.file}: '
                f"{', '.join(source.text)}"
            )


# --- making the columns ----------------------------------------------------------------------


def _made(files: Files, text: str, name: str) -> tuple[Made, dict[str, Any]]:
    """The columns of patients.csv in order, and the content of datapackage.json."""
    mapping = _mapping(text)
    source, left_out = _chosen(files.patients, mapping)
    raise_any(_unmapped(source, mapping))
    maker = _Maker(source, files.times, mapping)
    made = maker.make()
    made.left_out = [*source.notes, *left_out, *_blanked(source, made)]
    made.way_out = list(_without_follow_up(source, mapping))
    fields = [column.field for column in made.columns.values()]
    resource = {
        "name": "patients",
        "path": "patients.csv",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {"fields": fields, "missingValues": [""], "primaryKey": "patient_id"},
    }
    package = {
        "name": mapping.get("name") or slug(name),
        "title": mapping.get("title") or name,
        "public": False,
        "resources": [resource],
        "analysis": mapping["analysis"],
    }
    return made, package


def _reads_dates(mapping: dict[str, Any]) -> Callable[[str], date | None]:
    """How the mapping reads a date that is text."""
    dates = mapping.get("dates") or {}
    told = dates.get("first_year", OPEN)
    first = int(told) if told != OPEN else None
    return lambda text: as_date(text, dates.get("order"), first)


def _blanked(source: Source, made: Made) -> Iterator[str]:
    """How many cells of each column that is used were left blank, code by code."""
    for column, codes in source.blanked.items():
        counts = codes[codes.index.isin(source.text.index)].value_counts()
        found = ", ".join(f"{code} ({_times(count)})" for code, count in counts.items())
        if found and column not in made.dropped:
            yield f"{column}: left blank, as codes for missing: {found}"


def _columns_of(entry: dict[str, Any]) -> list[str]:
    column = entry.get("column", [])
    return [column] if isinstance(column, str) else column


def _reserved(mapping: dict[str, Any]) -> dict[str, str]:
    """The columns that reserved ones are made of, with their places in the mapping."""
    return {
        column: f"reserved.{name}"
        for name, entry in mapping["reserved"].items()
        for column in [*_columns_of(entry), entry.get("status", NO_STATUS)]
        if column not in ("", NO_STATUS)
    }


def _unmapped(source: Source, mapping: dict[str, Any]) -> Iterator[str]:
    """Columns that one of the two does not know: a slip of the pen, or a newer file."""
    own = mapping["columns"] or {}
    origin = (mapping.get("dates") or {}).get("origin")
    reserved = _reserved(mapping)
    for column, place in {**dict.fromkeys(own, "columns"), **reserved}.items():
        yield from _absent(source, [column], place)
    yield from _absent(source, [origin] if origin else [], "dates.origin")
    known = {*own, *(mapping.get("dropped") or {}), *reserved, origin}
    for column in source.text:
        if column not in known | {ROW_NAMES}:
            yield (
                f"{source.file}, row 1, column {column}: not in {MAPPING}; "
                "list it under columns, or under dropped"
            )
    for name, entry in mapping["reserved"].items():
        if name != "patient_id" and not entry.get("column") and not entry.get("paramcd"):
            yield f"{MAPPING}, reserved.{name}: found neither column nor paramcd, expected one"


class _Maker:
    """One import on its way: the files, their mapping, and what is made of them."""

    def __init__(self, source: Source, times: Source | None, mapping: dict[str, Any]) -> None:
        self.source = source
        self.mapping = mapping
        self.reserved = mapping["reserved"]
        self.dates = mapping.get("dates") or {}
        self.read_date = _reads_dates(mapping)
        self.made = Made()
        month = mapping["analysis"].get("days_per_month")
        self.lengths = UNITS | ({"months": month} if isinstance(month, (int, float)) else {})
        self.times = self._times(times)
        self.ids = self._ids()
        self.origins = self._origins()

    def make(self) -> Made:
        """Every column, in the order of patients.csv."""
        self._patient_id()
        consumed = self._consumed()
        for column, entry in (self.mapping["columns"] or {}).items():
            if column not in consumed:
                self._own(column, entry)
        for name in RESERVED:
            if name in DAYS and name in self.reserved:
                self._day(name, self.reserved[name])
        self._died()
        self._codes_without_labels()
        self._events_at_the_end()
        self._other_follow_up()
        left_out = {**(self.mapping.get("dropped") or {}), **consumed}
        own = {*(self.mapping["columns"] or {})}
        reserved = {*_reserved(self.mapping), self.dates.get("origin")}
        self.made.dropped |= {
            column: why
            for column, why in left_out.items()
            if column in own or column not in reserved
        }
        return self.made

    def _consumed(self) -> dict[str, str]:
        """Columns that a reserved one is made of: no characteristics, unless `analysis` says so."""
        used = {column: f"it is {place}" for column, place in _reserved(self.mapping).items()}
        for condition in self.mapping.get("rows", []):
            if len(condition.get("values", [])) == 1:
                used |= dict.fromkeys(_columns_of(condition), "it picks the rows")
        analysis, own = self.mapping["analysis"], self.mapping["columns"] or {}
        named = {
            entry.get("column")
            for part in ("characteristics", "factors")
            for entry in analysis.get(part) or []
            if isinstance(entry, dict)
        }
        return {
            column: why
            for column, why in used.items()
            if column in own and (own[column].get("name") or column) not in named
        }

    def _codes_without_labels(self) -> None:
        """Categories whose levels are bare numbers, which tables would print as they are."""
        bare = [
            name
            for name, column in self.made.columns.items()
            if name not in RESERVED
            and (levels := _levels_of(column.field))
            and all(re.fullmatch(r"-?\d+", level) for level in levels)
        ]
        if bare:
            self.made.notes.append(
                f"codes without labels, as categories: {', '.join(bare)}; levels in {MAPPING} can "
                "name them"
            )

    def _other_follow_up(self) -> None:
        """Other columns of follow-up that say something else, by more than a month."""
        taken = _columns_of(self.reserved["last_contact_day"])
        days = pd.to_numeric(pd.Series(self.made.columns["last_contact_day"].values))
        for column in candidates(self.source, STEMS["last_contact_day"]):
            unit = counted_as(self.source, column)
            if column in taken or unit not in UNITS:
                continue
            cells = pd.Series(self.source.text[column].tolist())
            others = pd.to_numeric(cells, errors="coerce") * self.lengths[unit]
            count = int(((days - others).abs() > max(31, self.lengths[unit])).sum())
            if count:
                told = f"{column} says otherwise of {count} patients"
                self.made.notes.append(f"  last_contact_day: {told}")

    def _events_at_the_end(self) -> None:
        """Events on the last contact of the living, which may be no events but censorings."""
        columns = self.made.columns
        for name in EVENT_DAYS:
            if name not in columns or not {"last_contact_day", "died"} <= {*columns}:
                continue
            days, last, died = (columns[k].values for k in (name, "last_contact_day", "died"))
            rows = zip(days, last, died, strict=True)
            at_end = sum(day != "" and (day, word) == (end, "no") for day, end, word in rows)
            many = sum(day != "" for day in days)
            if name in ("relapse_day", "hsct_day") and many == len(days) > 1:
                self._ask_of_all(name)
            if at_end > 1:
                self.made.notes.append(
                    f"  {name}: in {at_end} of the living it is the day of the last contact; "
                    "is it the end of follow-up without the event?"
                )

    def _ask_of_all(self, name: str) -> None:
        """Where all patients have an event, its day may be the end of follow-up of some."""
        entry = self.reserved[name]
        if not entry.get("status") and not entry.get("paramcd"):
            ask = "does a column say whether it happened? name it as `status`"
            self.made.notes.append(f"  {name}: all patients have it; {ask}")

    def _times(self, times: Source | None) -> adam.Times | None:
        if times is None:
            return None
        told = self.mapping.get("adtte") or {}
        unit = told.get("unit") or adam.guessed_unit(times)[0]
        aval, event = told.get("aval") or adam.AS_IS, told.get("event")
        if event is None and (against := adam.contradictions(times)):
            ask = "expected the CNSR of an event, 0 or 1"
            raise DataError([f"{MAPPING}, adtte: found no event, {ask}; {against}"])
        found = adam.Times(times, unit, self.lengths["months"], aval, event or "0")
        if "aval" not in told:
            self.made.problems += found.problems()
        self.made.notes.append(f"  days of {times.file}: {found.rule()}")
        return found

    def _add(self, name: str, values: list[str], cells: Cells, said: str, **field: Any) -> None:
        if name in self.made.columns:
            self.made.problems.append(
                f"{MAPPING}, columns: {name} would be made twice; give a name"
            )
        entry = self.reserved.get(name, {})
        title = entry.get("title") or RESERVED.get(name)
        described = {"name": name, "title": field.pop("title", title), **field}
        self.made.columns[name] = Column(values, cells, described, said)

    def _problem(self, cells: Cells, place: int, expected: str) -> None:
        self.made.problems.append(cells.problem(place, expected))

    # -- the reserved columns

    def _ids(self) -> list[str]:
        """The patients as the file names them, blank where no column does."""
        column = self.reserved["patient_id"].get("column")
        if not column and self.times is not None:
            raise DataError(
                [f"{MAPPING}, reserved.patient_id: found no column, expected that of USUBJID"]
            )
        if column:
            raise_any(_sums(self.source, column))
        return self.source.text[column].tolist() if column else [""] * len(self.source.text)

    def _patient_id(self) -> None:
        entry = self.reserved["patient_id"]
        column = entry.get("column")
        rows = self.source.text.index.tolist()
        cells = Cells(self.source.file, column or "patient_id", rows, self.ids)
        renewed = entry.get("new_ids") == "true" or not column
        width = max(3, len(str(len(self.ids))))
        fresh = [f"P{number:0{width}d}" for number in range(1, len(self.ids) + 1)]
        for place, text in enumerate(self.ids if column and renewed else []):
            if text == "":
                self._problem(cells, place, "a value")
        said = f"from {column}, " if column else "of no column, "
        said += "numbered anew" if renewed else "as it is"
        values = fresh if renewed else self.ids
        limits = {"required": True, "unique": True}
        self._add("patient_id", values, cells, said, type="string", constraints=limits)

    def _day(self, name: str, entry: dict[str, Any]) -> None:
        if "paramcd" in entry:
            values, cells, said = self._recorded(name, entry["paramcd"])
        else:
            values, cells, said = self._counted(name, entry)
            if name in EVENT_DAYS:
                values, said = self._happened(name, entry, values, said)
        whole = all(re.fullmatch(r"-?\d*", value) for value in values)
        limits = {"minimum": 0} | ({"required": True} if name == "last_contact_day" else {})
        kind = "integer" if whole else "number"
        self._add(name, values, cells, said, type=kind, constraints=limits)

    def _recorded(self, name: str, code: str) -> tuple[list[str], Cells, str]:
        """Days of a parameter of ADTTE: all for the last contact, else those of events."""
        parameter = self._parameter(code, required=name == "last_contact_day")
        self.made.problems += parameter.problems
        last = name == "last_contact_day"
        deaths = [died and not last for died in parameter.deaths]
        patients = zip(parameter.days, parameter.events, deaths, strict=True)
        values = [day if last or (event and not died) else "" for day, event, died in patients]
        count = sum(event and died for event, died in zip(parameter.events, deaths, strict=True))
        if count:
            what = f"{count} events of {code} are deaths by EVNTDESC: left blank"
            self.made.notes.append(f"  {name}: {what}")
        rule = "" if last else f", where CNSR is {self.times.event}"
        return values, parameter.cells, f"from {code} of {parameter.cells.file}{rule}"

    def _parameter(self, code: str, required: bool) -> adam.Parameter:
        if self.times is None:
            raise DataError([f"{MAPPING}, reserved: names the parameter {code}; give --adtte FILE"])
        start = self.reserved["last_contact_day"].get("paramcd", code)
        return self.times.parameter(code, self.ids, start, required)

    def _counted(self, name: str, entry: dict[str, Any]) -> tuple[list[str], Cells, str]:
        """Days of one column, or of the first of several that is not blank."""
        columns = _columns_of(entry)
        how = entry.get("as") or counted_as(self.source, columns[0])
        if how is None:
            kinds = ", ".join(KINDS)
            raise DataError([f"{MAPPING}, reserved.{name}: found no as, expected one of {kinds}"])
        values, cells = [""] * len(self.ids), self.source.cells(columns[-1])
        for column in columns:
            one = self.source.cells(column)
            days = self._days(one, how)
            values = [old or new for old, new in zip(values, days, strict=True)]
            if len(columns) > 1:
                cells = Cells(one.file, ", ".join(columns), one.rows, values)
            if doubt := implausible(self.source, column, how):
                self.made.notes.append(f"  {name}: {column} as {how}: {doubt}")
                if how != "days":  # else the problems say it
                    self.made.doubts.append(f"{one.file}, column {column} as {how}: {doubt}")
        if told := clocks(self.source, columns):
            starts = ", ".join(f"{column} from {words}" for column, words in told.items())
            self.made.notes.append(f"  {name}: two clocks are taken for one: {starts}")
        origin = f"; day 0 is {self.dates.get('origin')}" if how not in UNITS else ""
        return values, cells, f"from {', else '.join(columns)} ({how}{origin})"

    def _happened(
        self, name: str, entry: dict[str, Any], days: list[str], said: str
    ) -> tuple[list[str], str]:
        """The days of an event only where its status says that it happened."""
        column, place = entry.get("status"), f"{MAPPING}, reserved.{name}"
        if column == NO_STATUS:
            return days, said
        if column is None:
            self._ask_status(name, entry, days)
            return days, said
        raise_any(_absent(self.source, [column], f"reserved.{name}.status"))
        guess = event_codes(self.source, column)
        yes = entry.get("happened") or (guess[0] if guess else None)
        no = entry.get("not_happened") or (guess[1] if guess else None)
        if yes is None or no is None:
            found = f"{column} has {found_codes(self.source, column)}"
            expected = "expected happened and not_happened with the codes of its status"
            raise DataError([f"{place}: found no codes, {expected}; {found}"])
        words = self._worded(self.source.cells(column), yes, no)
        left_out = sum(bool(day) and word == "no" for day, word in zip(days, words, strict=True))
        undated = sum(not day and word == "yes" for day, word in zip(days, words, strict=True))
        if left_out and undated > (dated := words.count("yes") - undated):
            self.made.problems.append(
                f"{place}: where {column} says yes, {undated} of {undated + dated} patients have "
                f"no day, and {left_out} have one where it says no; are happened and not_happened "
                f"the wrong way round? status: {NO_STATUS} takes the days as they are"
            )
        for count, what in (
            (left_out, f"have a day although {column} says no: left blank"),
            (undated, f"have no day although {column} says yes: they count as without it"),
        ):
            if count:
                self.made.notes.append(f"  {name}: {count} patients {what}")
        kept = [day if word == "yes" else "" for day, word in zip(days, words, strict=True)]
        return kept, f"{said}, where {column} is {', '.join(yes)}"

    def _ask_status(self, name: str, entry: dict[str, Any], days: list[str]) -> None:
        """Where another column may contradict the days of an event, the mapping has to say it."""
        used = {c for part in self.reserved.values() for c in _columns_of(part)}
        found = partners(self.source, name, _columns_of(entry), used)
        found = [c for c in found if not agree(days, self.source.text[c].tolist())]
        if found:
            values = "; ".join(f"{c} has {found_codes(self.source, c)}" for c in found)
            self.made.problems.append(
                f"{MAPPING}, reserved.{name}: found no status, expected the column that says "
                f"whether it happened, with happened and not_happened, or status: {NO_STATUS}; "
                f"{values}"
            )

    def _worded(self, cells: Cells, yes: list[str], no: list[str]) -> list[str]:
        """Codes as yes and no; `*` stands for any other value that is not blank."""
        words = {**{code: "no" for code in no}, **{code: "yes" for code in yes}}
        values = []
        for place, text in enumerate(cells.texts):
            word = words.get(text) or (words.get("*") if text else None)
            if word is None:
                self._problem(cells, place, f"one of {', '.join([*yes, *no])}")
            values.append(word or "")
        return values

    def _days(self, cells: Cells, how: str, before: bool = False) -> list[str]:
        """Cells as days from day 0. `before`: whether a day before it is allowed."""
        if how in UNITS:
            return [self._number_of(cells, place, how) for place in range(len(cells.texts))]
        if self.origins is None:
            expected = "expected the column of the date that is day 0"
            raise DataError([f"{MAPPING}, dates: found no origin, {expected}"])
        return [self._from_origin(cells, place, how, before) for place in range(len(cells.texts))]

    def _number_of(self, cells: Cells, place: int, unit: str) -> str:
        text = cells.texts[place]
        if text == "":
            return ""
        found = with_unit(text)
        text = found[0] if found and found[1] == unit else text  # 12 mo, where months are asked for
        if not NUMBER.fullmatch(text):
            self._problem(cells, place, f"a number of {unit}, with a point for decimals")
            return ""
        if unit == "days" and re.fullmatch(r"\d+", text):
            return str(int(text))
        return plain(float(text) * self.lengths[unit]) if unit != "days" else _number(text)

    def _from_origin(self, cells: Cells, place: int, how: str, before: bool) -> str:
        found, zero = self._date(cells, place, how), self.origins[place]
        if found is None or zero is None:
            return ""
        if found < zero and not before:
            self._problem(cells, place, f"a date not before {self.dates['origin']}, {zero}")
            return ""
        return str((found - zero).days)

    def _origins(self) -> list[date | None] | None:
        """Day 0 of every patient."""
        column = self.dates.get("origin")
        if not column:
            return None
        cells = self.source.cells(column)
        how = self.dates.get("as") or counted_as(self.source, column) or "date"
        for place, text in enumerate(cells.texts):
            if text == "":
                self._problem(cells, place, "a date, which is day 0 of the patient")
        return [self._date(cells, place, how) for place in range(len(cells.texts))]

    def _date(self, cells: Cells, place: int, how: str) -> date | None:
        text = cells.texts[place]
        if text == "":
            return None
        order = self.dates.get("order")
        if how in EPOCHS and NUMBER.fullmatch(text):
            found = day_counted(float(text), how)
        else:
            found = self.read_date(text)
        if found is None:
            expected = (
                f"a date ({order}), such as 2021-03-04" if order else "a date such as 2021-03-04"
            )
            if order is None and needs_order(text) and looks_like_date(text):
                expected = f"dates.order in {MAPPING} to say which comes first, day or month"
            elif "first_year" not in self.dates and needs_century(text):
                expected = f"a year of four digits, or dates.first_year in {MAPPING}"
            self._problem(cells, place, expected)
        return found

    def _died(self) -> None:
        entry = self.reserved.get("died", {})
        if "column" in entry:
            values, cells, said = self._coded(entry)
        else:
            code = entry.get("paramcd") or self.reserved["last_contact_day"].get("paramcd")
            if code is None:
                raise DataError([f"{MAPPING}, reserved: found no died, expected its column"])
            values, cells, said = self._recorded_deaths(code, entry)
        limits = {"required": True, "enum": ["yes", "no"]}
        self._add("died", values, cells, said, type="string", constraints=limits)

    def _recorded_deaths(self, code: str, entry: dict[str, Any]) -> tuple[list[str], Cells, str]:
        """The events of a parameter as deaths, where it says so and the flag of death agrees.

        `dead` and `alive` of the mapping are codes of CNSR, and say it against all doubts.
        """
        parameter = self._parameter(code, required=True)
        values = ["yes" if event else "no" for event in parameter.events]
        told, flags = "dead" in entry, self._death_flags()
        event = self.times.event
        if told and entry["dead"] != [event]:
            found = f"{MAPPING}, reserved.died.dead: found {quoted(entry['dead'])}"
            expected = f'expected ["{event}"]: with paramcd it is the CNSR of an event'
            raise DataError([f"{found}, {expected}"])
        wrong = [
            place
            for place, (value, flag) in enumerate(zip(values, flags, strict=False))
            if value == "yes" and flag != "Y"
        ]
        later = sum(
            value == "no" and flag == "Y" for value, flag in zip(values, flags, strict=False)
        )
        agrees = bool(flags) and not wrong and not later
        if not (told or agrees or self.times.is_of_death(code)):
            words = adam.described(self.times.source)[code]
            raise DataError(
                [
                    f'{MAPPING}, reserved.died: nothing says that the events of {code} ("{words}") '
                    "are deaths; expected the column of death, as in column: DTHFL, or, where they "
                    f'are, paramcd with dead: ["{event}"]'
                ]
            )
        for place in [] if told else wrong:
            row, patient = parameter.cells.rows[place], self.ids[place]
            self.made.problems.append(
                f"{parameter.cells.file}, row {row}, column CNSR: found an event of {code}, "
                f'expected none, as DTHFL of {self.source.file} says no death of "{patient}"'
            )
        for count, what in (
            (len(wrong), f"are events of {code} although DTHFL says no death"),
            (later, f"have a death by DTHFL, and no event of {code}: they count as alive"),
        ):
            if count:
                self.made.notes.append(f"  died: {count} patients {what}")
        return (
            values,
            parameter.cells,
            f"from {code} of {parameter.cells.file}: yes where CNSR is {event}",
        )

    def _death_flags(self) -> list[str]:
        """DTHFL of the patients' file, whose Y is a death; empty where it has none."""
        column = next((name for name in self.source.text if name.upper() == "DTHFL"), None)
        return [text.upper()[:1] for text in self.source.text[column]] if column else []

    def _coded(self, entry: dict[str, Any]) -> tuple[list[str], Cells, str]:
        """Yes and no by the codes of the mapping; `*` stands for any other value."""
        cells = self.source.cells(entry["column"])
        guess = death_codes(self.source, entry["column"])
        dead = entry.get("dead") or (guess[0] if guess else None)
        alive = entry.get("alive") or (guess[1] if guess else None)
        if dead is None or alive is None:
            has = f"{cells.column} has {found_codes(self.source, cells.column)}"
            raise DataError(
                [f"{MAPPING}, reserved.died: found no codes, expected dead and alive; {has}"]
            )
        values = self._worded(cells, dead, alive)
        self._dates_of_death(cells, values)
        for other, (count, of) in disputes(self.source, cells.column, values).items():
            if mostly(count, of) and other not in entry.get("although", []):
                self.made.problems.append(
                    f"{MAPPING}, reserved.died: {other} says otherwise of {count} of {of} "
                    "patients; are dead and alive the wrong way round? although: "
                    f"{quoted([other])} says that they are right"
                )
            self.made.notes.append(f"  died: {other} says otherwise of {count} patients")
        codes = "; ".join(
            f"{word} is {', '.join(c or 'blank' for c in part)}"
            for word, part in (("yes", dead), ("no", alive))
        )
        return values, cells, f"from {cells.column} ({codes})"

    def _dates_of_death(self, cells: Cells, values: list[str]) -> None:
        """A date of death makes a death; a death without one is counted at the last contact."""
        first, *others = _columns_of(self.reserved["last_contact_day"])
        if not others or stem(first) not in STEMS["death"]:
            return
        days = self.source.text[first].tolist()
        for place, (day, died) in enumerate(zip(days, values, strict=True)):
            if day and died == "no":
                self._problem(cells, place, f"a death, as {first} has {day}")
        undated = sum(died == "yes" and not day for day, died in zip(days, values, strict=True))
        if undated:
            taken = "the last contact is taken for it"
            self.made.notes.append(f"  died: {undated} of them without {first}; {taken}")

    # -- the dataset's own columns

    def _own(self, column: str, entry: dict[str, Any]) -> None:
        why = identifies(self.source, column)
        if why:
            self.made.dropped[column] = why
            return
        name, cells, kind = entry.get("name") or column, self.source.cells(column), entry["type"]
        if name in RESERVED:
            problem = f"{MAPPING}, columns, {column}: {name} is a reserved name; give another name"
            self.made.problems.append(problem)
            return
        more: dict[str, Any] = {"title": entry.get("title") or column}
        if entry.get("description"):
            more["description"] = entry["description"]
        if kind == "string":
            values, levels = self._levels(cells, entry)
            more |= {"type": "string", "constraints": {"enum": levels}}
        elif kind in ("number", "integer"):
            values = [self._plain(cells, place) for place in range(len(cells.texts))]
            more |= {"type": kind, "constraints": self._limits(column, entry)}
        else:
            values = self._days(cells, kind, before=True)
            more |= {"type": "integer"}
        if not more.get("constraints", True):
            del more["constraints"]
        self._add(name, values, cells, "", **more)

    def _levels(self, cells: Cells, entry: dict[str, Any]) -> tuple[list[str], list[str]]:
        """Codes as their labels. A label stands for itself, as in an export of labels."""
        levels = entry.get("levels") or sorted(set(filter(None, cells.texts)))
        if isinstance(levels, list):
            levels = dict(zip(levels, levels, strict=True))
        words = {**{label: label for label in levels.values()}, **levels, "": levels.get("", "")}
        for place, text in enumerate(cells.texts):
            if text not in words:
                self._problem(cells, place, f"one of {', '.join(levels)}")
        enum = list(dict.fromkeys(label for label in levels.values() if label))
        return [words.get(text, "") for text in cells.texts], enum

    def _plain(self, cells: Cells, place: int) -> str:
        text = cells.texts[place]
        if text and not NUMBER.fullmatch(text):
            self._problem(cells, place, "a number, with a point for decimals")
            return ""
        return _number(text)

    def _limits(self, column: str, entry: dict[str, Any]) -> dict[str, float]:
        limits = {}
        for key in ("minimum", "maximum"):
            if key in entry and not NUMBER.fullmatch(entry[key]):
                place = f"{MAPPING}, columns, {column}, {key}"
                self.made.problems.append(f'{place}: found "{entry[key]}", expected a number')
            elif key in entry:
                limits[key] = json.loads(_number(entry[key]))
        return limits


def _levels_of(field: dict[str, Any]) -> list[str]:
    return field.get("constraints", {}).get("enum", [])


def _number(text: str) -> str:
    """A number at the precision of the file, without a useless `.0`, `+` or leading zeros."""
    if text == "" or re.fullmatch(r"-?(0|[1-9]\d*)", text):
        return text
    value = float(text)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else str(value)


# --- checking and writing --------------------------------------------------------------------


def _patients_csv(made: Made) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(made.columns)
    writer.writerows(zip(*(column.values for column in made.columns.values()), strict=True))
    return text.getvalue().encode()


def _json(package: dict[str, Any]) -> bytes:
    return (json.dumps(package, ensure_ascii=False, indent=2) + "\n").encode()


def _check(made: Made, table: bytes, package: bytes) -> None:
    """Read what would be written as the book will. Raises DataError in words of the source."""
    problems = list(_at_most(made.problems))
    if not problems:
        with tempfile.TemporaryDirectory() as place:
            for name, content in zip(MADE, (table, package), strict=True):
                (Path(place) / name).write_bytes(content)
            try:
                load(place)
            except DataError as error:
                problems = [_in_source(line, made) for line in error.problems]
    raise_any([*problems, *([*made.doubts, *made.way_out] if problems else [])])


def _at_most(problems: list[str]) -> Iterator[str]:
    """No more lines of one kind than `check` gives."""
    counts: dict[str, int] = {}
    for line in dict.fromkeys(problems):
        kind = re.sub(r'row \d+, |found ".*?"( \(.*?\))?, |(?<!such as )\d{4}-\d\d-\d\d', "", line)
        counts[kind] = counts.get(kind, 0) + 1
        if counts[kind] <= LISTED_AT_MOST:
            yield line
    for kind, count in counts.items():
        if count > LISTED_AT_MOST:
            yield kind.replace(": ", f": {count - LISTED_AT_MOST} more rows, ", 1)


def _in_source(line: str, made: Made) -> str:
    """A problem of patients.csv as one of the file that it was made from."""
    match = re.match(r"patients\.csv, row (\d+), column ([^:]+): found (.*?), expected ", line)
    if more := re.match(r"patients\.csv, column ([^:]+): (\d+ more rows)", line):
        cells = made.columns[more[1]].cells
        return f"{cells.file}, column {cells.column}: {line[more.start(2) :]}"
    if not match:
        return re.sub(r"^datapackage\.json, (\$\.)?(?=analysis)", f"{MAPPING}, ", line)
    cells, place = made.columns[match[2]].cells, int(match[1]) - 2
    found = f'"{cells.texts[place]}"'
    day = "" if match[3] in (found, found.strip('"')) else f" ({match[2]} {match[3]})"
    expected = line[match.end() :]
    if day:  # what the number would be in a spreadsheet says nothing of the cell
        expected = expected.partition("; ")[0]
    return (
        f"{cells.file}, row {cells.rows[place]}, column {cells.column}: found {found}{day}, "
        f"expected {expected}"
    )


def _overwriting(
    folder: Path, old: str | None, sources: list[Path | None], force: bool
) -> Iterator[str]:
    """Files that an import must not replace."""
    for path in filter(None, sources):
        if path.resolve() in {(folder / name).resolve() for name in (*MADE, MAPPING)}:
            yield f"{path}: would be overwritten; import it into another folder"
    made = _scalars(old).get("made") if old else {}
    made = made if isinstance(made, dict) else {}
    for name in MADE:
        path = folder / name
        if path.exists() and not force and made.get(name) != _digest(path.read_bytes()):
            what = "was changed since" if name in made else "is not one that"
            yield f"{path}: {what} import made it; it stays as it is without --force"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(folder: Path, text: str, content: tuple[bytes, bytes]) -> None:
    """All three files, or none: a failure leaves the folder as it was."""
    digests = [f"  {name}: {_digest(part)}" for name, part in zip(MADE, content, strict=True)]
    note = "  # SHA-256 of what was made: a file that was changed since is not overwritten."
    text = _with_block(text, "made", ["made:", note, *digests])
    new = dict(zip((*MADE, MAPPING), (*content, text.encode()), strict=True))
    created = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    before = {name: (folder / name).read_bytes() for name in new if (folder / name).exists()}
    try:
        for name, part in new.items():
            _replace(folder / name, part)
    except BaseException:
        with contextlib.suppress(OSError):
            _restore(folder, before, list(new), created)
        raise


def _restore(folder: Path, before: dict[str, bytes], names: list[str], created: bool) -> None:
    if created:
        shutil.rmtree(folder)
        return
    for name in names:
        if name not in before:
            (folder / name).unlink(missing_ok=True)
        elif (folder / name).read_bytes() != before[name]:
            _replace(folder / name, before[name])


def _replace(path: Path, content: bytes) -> None:
    """Write beside the file, then take its place at once."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


# --- what was done ---------------------------------------------------------------------------


def _report(files: Files, made: Made, folder: Path) -> list[str]:
    source = files.patients
    patients = len(next(iter(made.columns.values())).values)
    lines = [f"{source.file}: {len(source.text)} rows, {len(source.text.columns)} columns"]
    lines += [f"  {line}" for line in made.left_out]
    if files.times:
        codes = ", ".join(adam.described(files.times))
        lines.append(f"{files.times.file}: {len(files.times.text)} rows, parameters {codes}")
    for name, column in made.columns.items():
        if name in RESERVED:
            lines.append(f"  {name}: {column.said}{_count(name, column.values)}")
    lines += made.notes
    own = [name for name in made.columns if name not in RESERVED]
    lines.append(f"kept {len(own)} columns: {', '.join(own)}" if own else "kept no other columns")
    lines.append(f"dropped {len(made.dropped)} columns" + (":" if made.dropped else ""))
    lines += [f"  {name}: {why}" for name, why in made.dropped.items()]
    lines.append(
        f"{folder}: {patients} patients in patients.csv, with datapackage.json and {MAPPING}"
    )
    lines.append(f"go on with: python -m analysis check {folder}")
    return lines


def _count(name: str, values: list[str]) -> str:
    if name == "died":
        return f": {values.count('yes')} died, {values.count('no')} did not"
    if name in ("patient_id", "last_contact_day"):
        return ""
    return f": {sum(value != '' for value in values)} patients"
