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
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import PlainScalarString

from ..dataset.checks import PACKAGE, TABLE, read_folder
from ..dataset.problems import DataError, Problem, at_most, quoted, raise_any
from . import missing, redcap, rows
from .dates import UNITS
from .files import Source, labelled, read
from .guesses import draft, slug
from .mapping import MAPPING, OPEN, Mapping, at, in_line, parsed, put, unmapped
from .meaning import counted_as
from .patients import Made, Maker
from .report import report, times

MADE = (TABLE, PACKAGE)


@dataclass(frozen=True)
class Files:
    """The files of one import: the patients, and for ADaM their times to events."""

    patients: Source
    times: Source | None = None
    beside: dict[str, tuple[str, str]] = field(default_factory=dict)  # their names and SHA-256


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
    options, unanswered = old.options() if old else ({}, [])
    if old and set(old.told) == {"source"}:  # how to read the file, and no more yet
        old = None
    files = _read(file, beside, options | ({"sheet": sheet} if sheet else {}))
    answered = options.get("missing_in", {})
    asked = [c for c in files.patients.text if (c in unanswered if old else c not in answered)]
    doubts = _doubts(files.patients, asked)
    guessed = _as_guessed(files.patients, doubts)
    mapping = old or draft(guessed, files.times, folder.resolve().name, new_ids)
    dropped = mapping.told.get("dropped") or {}
    doubts = {column: codes for column, codes in doubts.items() if column not in dropped}
    mapping = mapping.with_block("source", _source_block(files, doubts))
    mapping = mapping.with_new_ids() if new_ids else mapping
    try:
        raise_any(rows.questions(files.patients, files.times, mapping))
        source, left_out = rows.chosen(files.patients, mapping)
        maker, content = _made(source, files.times, mapping, folder.resolve().name)
    except DataError as error:
        raise DataError([*error.found, *_leave_mapping(folder, old, mapping)]) from error
    _write(folder, mapping, content)
    return report(files.patients, maker, left_out, folder)


# --- reading ---------------------------------------------------------------------------------


def _old_mapping(folder: Path) -> Mapping | None:
    path = folder / MAPPING
    if folder.exists() and not folder.is_dir():
        raise DataError([Problem(str(folder), found="a file", expected="a folder or nothing")])
    try:
        return parsed(path.read_text("utf-8-sig")) if path.is_file() else None
    except UnicodeDecodeError as error:
        raise DataError([at("", "not UTF-8 text; save it as UTF-8")]) from error


def _read(file: Path, beside: dict[str, Path | None], options: dict[str, Any]) -> Files:
    """The file, and those beside it by the names of their options: dictionary, catalog, adtte."""
    for key, given in beside.items():
        if key in options and given is None:
            name = (options[key] or {}).get("file", "FILE")
            raise DataError([at(f"source.{key}", f"names {name}; give it: --{key} {name}")])
    patients = read(file, options)
    digests = {}
    for key, describe in (("catalog", labelled), ("dictionary", redcap.described)):
        if path := beside.get(key):
            digests[key] = (path.name, describe(patients, path))
    times = read(beside["adtte"]) if beside.get("adtte") else None
    if times:
        digests["adtte"] = (times.file, times.sha256)
    return Files(patients, times, digests)


def _doubts(source: Source, columns: Iterable[str]) -> dict[str, list[str]]:
    """What may be a code for missing, and what was taken for one and may be a level, by column."""
    doubts, units = {}, {column: counted_as(source, column) for column in source.text}
    for column in columns:
        cells, labels = source.filled(column), source.variables[column].levels
        blanked = list(source.blanked.get(column, pd.Series(dtype=object)).unique())
        alike = [c for c in source.text if c != column and units[c] == units[column] in UNITS]
        codes = [] if labels else missing.suspects(cells, source.text[alike].stack())
        if codes or (blanked and missing.may_be_levels(source.blanked, column, cells, labels)):
            doubts[column] = blanked + codes
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


def _source_block(files: Files, doubts: dict[str, list[str]]) -> CommentedMap:
    """Names and digests of the files as they are now, and how the text was read.

    `doubts` are values by column of which it is asked whether they mean missing.
    """
    source, tree = files.patients, CommentedMap()
    why = {
        (
            "encoding",
            "cp1252",
        ): "It is not UTF-8, so probably Western European, as Windows writes it.",
        ("decimal", OPEN): 'what parts the decimals in 1,234 or 1.234? write "," or "."',
    }
    note = "The file as it was last imported, and how it was read."
    put(tree, ["source", "file"], source.file, note)
    put(tree, ["source", "sha256"], PlainScalarString(source.sha256))
    for key, value in source.options.items():
        if key != "missing_in":
            put(tree, ["source", key], value, why.get((key, str(value)), ""))
    for column, codes in source.options.get("missing_in", {}).items():
        put(tree, ["source", "missing_in", column], codes)
    for column, codes in doubts.items():
        counts = pd.concat([source.text[column], source.blanked.get(column)]).value_counts()
        found = ", ".join(f"{code} ({times(counts[code])})" for code in codes)
        such = f"such as {in_line(codes)}, or [] for none"
        ask = f"which values of {column} mean that it is not known, {such}? found {found}"
        put(tree, ["source", "missing_in", column], OPEN, ask)
    for key, (name, digest) in files.beside.items():
        put(tree, ["source", key, "file"], name)
        put(tree, ["source", key, "sha256"], PlainScalarString(digest))
    return tree["source"]


# --- making and checking ---------------------------------------------------------------------


def _made(
    source: Source, times: Source | None, mapping: Mapping, name: str
) -> tuple[Maker, dict[str, bytes]]:
    """What is made of a file, and the content of patients.csv and datapackage.json."""
    told = mapping.checked()
    raise_any(unmapped(source, told))
    maker = Maker(source, times, told)
    made = maker.make()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(made.columns)
    writer.writerows(zip(*(column.values for column in made.columns.values()), strict=True))
    fields = [column.field for column in made.columns.values()]
    resource = {
        "name": "patients",
        "path": TABLE,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": {"fields": fields, "missingValues": [""], "primaryKey": "patient_id"},
    }
    package = {
        "name": told.get("name") or slug(name),
        "title": told.get("title") or name,
        "public": False,
        "resources": [resource],
        "analysis": told["analysis"],
    }
    written = json.dumps(package, ensure_ascii=False, indent=2) + "\n"
    content = {TABLE: text.getvalue().encode(), PACKAGE: written.encode()}
    if problems := list(at_most(made.problems)) or _problems(made, content):
        raise DataError([*problems, *made.doubts, *rows.without_follow_up(source, mapping)])
    return maker, content


def _problems(made: Made, content: dict[str, bytes]) -> list[Problem]:
    """What the book would say of what is made, in words of the source."""
    with tempfile.TemporaryDirectory() as place:
        for name, part in content.items():
            (Path(place) / name).write_bytes(part)
        return [_in_source(problem, made) for problem in read_folder(Path(place)).problems]


def _in_source(problem: Problem, made: Made) -> Problem:
    """A problem of what was made as one of the file, or the mapping, that it was made from."""
    place = problem.place.removeprefix("$.")
    if problem.file == PACKAGE and place.startswith("analysis"):
        return dataclasses.replace(problem, file=MAPPING, place=place)
    if problem.file != TABLE or problem.column not in made.columns:
        return problem
    cells, hint = made.columns[problem.column].cells, problem.hint
    if problem.row is None:
        return dataclasses.replace(problem, file=cells.file, column=cells.column)
    found = quoted(cells.texts[problem.row - 2])
    if problem.found not in (found, found.strip('"')):
        # What the number would be in a spreadsheet says nothing of the cell.
        found, hint = f"{found} ({problem.column} {problem.found})", ""
    row = cells.rows[problem.row - 2]
    return Problem(cells.file, row, cells.column, found, problem.expected, hint=hint)


# --- writing ---------------------------------------------------------------------------------


def _overwriting(
    folder: Path, old: Mapping | None, sources: list[Path | None], force: bool
) -> Iterator[Problem]:
    """Files that an import must not replace."""
    for path in filter(None, sources):
        if path.resolve() in {(folder / name).resolve() for name in (*MADE, MAPPING)}:
            yield Problem(str(path), expected="would be overwritten; import it into another folder")
    made = old.told.get("made") if old else {}
    made = made if isinstance(made, dict) else {}
    for name in MADE:
        path = folder / name
        if path.exists() and not force and made.get(name) != _digest(path.read_bytes()):
            what = "was changed since" if name in made else "is not one that"
            expected = f"{what} import made it; it stays as it is without --force"
            yield Problem(str(path), expected=expected)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _leave_mapping(folder: Path, old: Mapping | None, mapping: Mapping) -> list[str]:
    """Where there was no mapping, leave the one that was guessed: it is what can be mended."""
    if old is not None:
        return []
    created = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace(folder / MAPPING, mapping.text.encode())
    except OSError:
        if created:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return [f"{folder / MAPPING} has what was guessed: change it, then run the import again"]


def _write(folder: Path, mapping: Mapping, content: dict[str, bytes]) -> None:
    """All three files, or none: a failure leaves the folder as it was."""
    tree = CommentedMap()
    note = "SHA-256 of what was made: a file that was changed since is not overwritten."
    for name, part in content.items():
        put(tree, ["made", name], PlainScalarString(_digest(part)), note if name == TABLE else "")
    new = content | {MAPPING: mapping.with_block("made", tree["made"]).text.encode()}
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
