"""A dataset folder from a statistician's file: patients.csv, datapackage.json and import.yaml.

import.yaml says what every column of the file becomes. The first import writes what the file says
safely and asks the rest; from then on the mapping that is there is used as it is.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import PlainScalarString

from ..dataset.checks import PACKAGE, TABLE, read_folder
from ..dataset.problems import DataError, Problem, at_most, quoted, raise_any
from . import folding, missing, rows
from .adam import Times, times_of
from .dictionaries import described, labelled
from .endpoints import with_days
from .files import read
from .guesses import draft, slug
from .mapping import MAPPING, OPEN, Mapping, at, in_line, parsed, put, unmapped, written
from .patients import Maker
from .report import report, times
from .source import Source
from .words import sentence

MADE = (TABLE, PACKAGE)


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
    begun = None
    if old and set(old.told) <= {"source", "rows", "fold"}:  # how to read the file, no more yet
        old, begun = None, old
    source, records, digests = _read(file, beside, options | ({"sheet": sheet} if sheet else {}))
    answered = options.get("missing_in", {})
    asked = [c for c in source.text if (c in unanswered if old else c not in answered)]
    doubts, name = missing.doubts(source, asked), folder.resolve().name
    mapping = old or _drafted(missing.as_guessed(source, doubts), records, begun, name, new_ids)
    dropped = mapping.told.get("dropped") or {}
    doubts = {column: codes for column, codes in doubts.items() if column not in dropped}
    mapping = mapping.with_block("source", _source_block(source, digests, doubts))
    mapping = mapping.with_new_ids() if new_ids else mapping
    try:
        raise_any(rows.questions(source, records, mapping))
        chosen, left_out = rows.chosen(source, mapping)
        maker, content = _made(chosen, records, mapping, name)
    except DataError as error:
        if old:
            raise
        # What was guessed can be mended.
        _write(folder, {MAPPING: mapping.text.encode()})
        left = sentence("left", mapping=folder / MAPPING)
        raise DataError([*error.found, left]) from error
    _write(folder, content | {MAPPING: _with_digests(mapping, content).text.encode()})
    return report(source, maker, left_out, folder)


def _drafted(
    source: Source, records: Times | None, begun: Mapping | None, name: str, new_ids: bool
) -> Mapping:
    """The first mapping. Where its rows are to be folded, that is asked before all else."""
    ids = folding.patients(source, {})
    tree = CommentedMap(begun.tree if begun else {})
    tree.pop("source", None)
    several = ids and source[ids].filled.duplicated().any()
    if begun is None and several and (fold := folding.proposed(source, ids)):
        tree["fold"] = fold
    if not tree:
        return draft(source, records, name, new_ids)
    first = written(tree)
    if list(first.questions()):
        return first
    return draft(rows.chosen(source, first)[0], records, name, new_ids, first.tree)


def _old_mapping(folder: Path) -> Mapping | None:
    path = folder / MAPPING
    if folder.exists() and not folder.is_dir():
        raise DataError([Problem(str(folder), found="a file", expected="a folder or nothing")])
    try:
        return parsed(path.read_text("utf-8-sig")) if path.is_file() else None
    except UnicodeDecodeError as error:
        raise DataError([at("", "not UTF-8 text; save it as UTF-8")]) from error


def _overwriting(
    folder: Path, old: Mapping | None, sources: list[Path | None], force: bool
) -> Iterator[Problem]:
    """Files that an import must not replace."""
    for path in filter(None, sources):
        if path.resolve() in {(folder / name).resolve() for name in (*MADE, MAPPING)}:
            yield Problem(str(path), expected="would be overwritten; import it into another folder")
    made = old.told.get("made") if old else {}
    made = made if isinstance(made, dict) else {}
    for path in (folder / name for name in MADE):
        if path.exists() and not force and made.get(path.name) != _digest(path.read_bytes()):
            told = "changed" if path.name in made else "not_ours"
            yield Problem(str(path), expected=sentence(told))


def _read(
    file: Path, beside: dict[str, Path | None], options: dict[str, Any]
) -> tuple[Source, Times | None, dict[str, tuple[str, str]]]:
    """The patients, for ADaM their times to events, and names and SHA-256 of the files beside."""
    for key, given in beside.items():
        if key in options and given is None:
            name = (options[key] or {}).get("file", "FILE")
            raise DataError([at(f"source.{key}", f"names {name}; give it: --{key} {name}")])
    source, digests = read(file, options), {}
    for key, describe in (("catalog", labelled), ("dictionary", described)):
        if path := beside[key]:
            digests[key] = (path.name, describe(source, path))
    if not beside["adtte"]:
        return source, None, digests
    records = times_of(read(beside["adtte"]))
    return source, records, digests | {"adtte": (records.source.file, records.source.sha256)}


def _source_block(
    source: Source, beside: dict[str, tuple[str, str]], doubts: dict[str, list[str]]
) -> CommentedMap:
    """Names and digests of the files as they are now, and how the text was read.

    `doubts` are values by column of which it is asked whether they mean missing.
    """
    tree = CommentedMap()
    put(tree, ["source", "file"], source.file, sentence("source"))
    put(tree, ["source", "sha256"], PlainScalarString(source.sha256))
    for key, value in source.options.items():
        if key != "missing_in":
            told = {("encoding", "cp1252"): "western", ("decimal", OPEN): "decimal"}
            why = told.get((key, str(value)))
            put(tree, ["source", key], value, sentence(why) if why else "")
    for column, codes in source.options.get("missing_in", {}).items():
        put(tree, ["source", "missing_in", column], codes)
    for column, codes in doubts.items():
        counts = pd.concat([source.text[column], source.blanked.get(column)]).value_counts()
        found = ", ".join(f"{code} ({times(counts[code])})" for code in codes)
        ask = sentence("missing", column=column, codes=in_line(codes), found=found)
        put(tree, ["source", "missing_in", column], OPEN, ask)
    for key, (name, digest) in beside.items():
        put(tree, ["source", key, "file"], name)
        put(tree, ["source", key, "sha256"], PlainScalarString(digest))
    return tree["source"]


def _made(
    source: Source, records: Times | None, mapping: Mapping, name: str
) -> tuple[Maker, dict[str, bytes]]:
    """What is made of a file, and the content of patients.csv and datapackage.json."""
    told = with_days(mapping.checked())
    raise_any(unmapped(source, told))
    made = Maker(source, records, told)
    made.make()
    analysis = told["analysis"]
    if made.endpoints and "endpoints" not in analysis:
        analysis = {**analysis, "endpoints": made.endpoints}
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
        "analysis": analysis,
    }
    table = pd.DataFrame({name: column.values for name, column in made.columns.items()})
    text = table.to_csv(index=False, lineterminator="\n")
    written = json.dumps(package, ensure_ascii=False, indent=2) + "\n"
    content = {TABLE: text.encode(), PACKAGE: written.encode()}
    if problems := list(at_most(made.problems)) or _problems(made, content):
        raise DataError([*problems, *made.doubts, *rows.without_follow_up(source, mapping)])
    return made, content


def _problems(made: Maker, content: dict[str, bytes]) -> list[Problem]:
    """What the book would say of what is made, in words of the source."""
    with tempfile.TemporaryDirectory() as place:
        for name, part in content.items():
            (Path(place) / name).write_bytes(part)
        return [_in_source(problem, made) for problem in read_folder(Path(place)).problems]


def _in_source(problem: Problem, made: Maker) -> Problem:
    """A problem of what was made as one of the file, or the mapping, that it was made from."""
    if problem.file == PACKAGE and problem.place.startswith("analysis"):
        return replace(problem, file=MAPPING)
    if problem.file != TABLE or problem.column not in made.columns:
        return problem
    cells, hint = made.columns[problem.column].cells, problem.hint
    if problem.row is None:
        return replace(problem, file=cells.file, column=cells.column)
    found = quoted(cells.texts[problem.row - 2])
    if problem.found not in (found, found.strip('"')):
        # What the number would be in a spreadsheet says nothing of the cell.
        found, hint = f"{found} ({problem.column} {problem.found})", ""
    row = cells.rows[problem.row - 2]
    return Problem(cells.file, row, cells.column, found, problem.expected, hint=hint)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _with_digests(mapping: Mapping, content: dict[str, bytes]) -> Mapping:
    tree = CommentedMap()
    for name, part in content.items():
        note = sentence("made") if name == TABLE else ""
        put(tree, ["made", name], PlainScalarString(_digest(part)), note)
    return mapping.with_block("made", tree["made"])


def _write(folder: Path, new: dict[str, bytes]) -> None:
    """All of these files, or none: a failure leaves the folder as it was."""
    created = not folder.exists()
    before = {name: (folder / name).read_bytes() for name in new if (folder / name).exists()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, part in new.items():
            _replace(folder / name, part)
    except BaseException:
        with contextlib.suppress(OSError):
            if created:
                shutil.rmtree(folder)
            for name in () if created else new:
                if name not in before:
                    (folder / name).unlink(missing_ok=True)
                elif (folder / name).read_bytes() != before[name]:
                    _replace(folder / name, before[name])
        raise


def _replace(path: Path, content: bytes) -> None:
    """Write beside the file, then take its place at once."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_bytes(content)
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
