"""import.yaml, which says what becomes of every column: read, asked, and written with its comments.

Every scalar of it is text but those of `analysis`, so that `01`, `no` and dates stay what they are.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
from ruamel.yaml import YAML, YAMLError
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, PlainScalarString
from ruamel.yaml.tag import Tag

from ..dataset.problems import DataError, Problem, one_line, raise_any
from .dates import as_date
from .headers import ROW_NAMES
from .source import Source
from .words import sentence

MAPPING = "import.yaml"
OPEN = "?"  # an open question
# What a fold that takes the first event keeps of the last row, for whoever asks for it.
KEPT_ENDS = ("last_follow_up_time", "last_follow_up_status")
NO_STATUS = "none"  # as `status`: no column says whether an event happened
SCHEMA = json.loads(Path(__file__).with_name("import.schema.json").read_text("utf-8"))
CODES = ("dead", "alive", "although", "happened", "competed", "not_happened")  # one is a list
WORDS = r"y|n|yes|no|on|off|true|false|null|nan"  # no text to other readers of YAML


class _Text(VersionedResolver):
    """Every scalar is text."""

    def resolve(self, kind: type, value: str, implicit: Any) -> Tag:
        if kind is ScalarNode and value:
            return Tag(suffix="tag:yaml.org,2002:str")
        return super().resolve(kind, value, implicit)


class _Typed(SafeConstructor):
    """Numbers, true and false are no text; dates are."""


_Typed.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


def _round_trip() -> YAML:
    yaml = YAML()
    yaml.Resolver, yaml.preserve_quotes, yaml.width = _Text, True, 10**9
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _loaded(yaml: YAML, text: str) -> Any:
    """The content of a mapping. Raises DataError where it is no YAML, or holds no keys."""
    try:
        content = yaml.load(text)
    except (YAMLError, ValueError, TypeError, RecursionError) as error:
        mark, reason = getattr(error, "problem_mark", None), getattr(error, "problem", None)
        row, place = (mark.line + 1, f"column {mark.column + 1}") if mark else (None, "")
        reason = one_line(str(reason or error).partition(" with value")[0], 200)
        problem = Problem(MAPPING, row, place=place, expected=f"not valid YAML: {reason}")
        raise DataError([problem]) from error
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        expected = "found no keys, expected reserved, columns and analysis"
        raise DataError([Problem(MAPPING, expected=expected)])
    return content


@dataclass(frozen=True)
class Mapping:
    """A mapping as it stands in its file; `told` has what it says as plain lists and texts."""

    text: str
    told: dict[str, Any]
    tree: CommentedMap

    def questions(self) -> Iterator[Problem]:
        """A problem for each `?`, with the comment above it, which asks."""
        lines = self.text.splitlines()
        # There a question mark is no question, but for a type.
        of_the_source = ("title", "columns", "dropped")
        own = {key: value for key, value in self.tree.items() if key not in of_the_source}
        for key in {"reserved", "endpoints"} & {*own}:  # what is not there has no questions
            own[key] = {name: one for name, one in own[key].items() if not _none(one)}
        for key, row in [*_open(own, self.tree), *self._types()]:
            above = lines[row - 1].strip() if row else ""
            asked = above.lstrip("# ") if above.startswith("#") else "an answer in place of ?"
            yield Problem(MAPPING, row + 1, place=in_line(key), expected=asked)

    def _types(self) -> Iterator[tuple[str, int]]:
        """The own columns whose type is asked for, with the lines of the questions."""
        columns = self.tree.get("columns")
        for name, entry in columns.items() if isinstance(columns, dict) else ():
            if isinstance(entry, dict) and entry.get("type") == OPEN:
                yield str(name), entry.lc.data["type"][0]

    def options(self) -> tuple[dict[str, Any], list[str]]:
        """How the file is to be read, and the columns of whose codes for missing it asks.

        Raises DataError.
        """
        source, unanswered = self.told.get("source") or {}, []
        if isinstance(source, dict):
            source, _ = _answered(source)
            if isinstance(source.get("missing_in"), dict):
                answered, unanswered = _answered(source["missing_in"])
                source = source | {"missing_in": answered}
        raise_any(broken(source, "source"))
        return source, unanswered

    def checked(self) -> dict[str, Any]:
        """What the mapping says. Raises DataError with everything that no mapping may say."""
        raise_any(broken(self.told))
        yaml = YAML(typ="safe", pure=True)
        yaml.Constructor = _Typed
        return self.told | {"analysis": _loaded(yaml, self.text)["analysis"]}

    def reserved(self, name: str) -> dict[str, Any]:
        """What is said of a reserved column, as far as it can be read."""
        reserved = self.told.get("reserved")
        entry = reserved.get(name) if isinstance(reserved, dict) else None
        return entry if isinstance(entry, dict) else {}

    def with_new_ids(self) -> Mapping:
        """The same mapping, in which the patients are numbered."""
        if "column" in self.reserved("patient_id"):
            entry = self.tree["reserved"]["patient_id"]
            entry["new_ids"] = PlainScalarString("true")
            if entry.get("column") == OPEN:
                entry["column"] = node("")
        return written(self.tree)

    def with_block(self, key: str, block: CommentedMap) -> Mapping:
        """The same mapping with one block anew. All other lines stay as people wrote them."""
        tree, lines = self.tree, self.text.splitlines()
        if tree.fa.flow_style():  # there are no lines, as in JSON
            tree[key] = block
            return written(tree)
        starts = sorted(row for row, *_ in tree.lc.data.values())
        new = _dumped({key: block}).splitlines()
        if key in tree:
            start = tree.lc.data[key][0]
            end = next((row for row in starts if row > start), len(lines))
            while end > start + 1 and not lines[end - 1].startswith(" "):
                end -= 1  # comments and blank lines above the next block are its own
        elif key == "source":
            start, end, new = starts[0], starts[0], [*new, ""]
        else:
            start, end, new = len(lines), len(lines), ["", *new]
        return parsed("\n".join([*lines[:start], *new, *lines[end:]]) + "\n")


def _answered(block: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """A block without its questions, and the keys that ask."""
    asked = [key for key, value in block.items() if value in (OPEN, [OPEN])]
    return {key: value for key, value in block.items() if key not in asked}, asked


def parsed(text: str) -> Mapping:
    """Raises DataError where the text is no YAML with keys."""
    tree = _loaded(_round_trip(), text)
    told = _plain(tree)
    if isinstance(told.get("rows"), dict):  # one condition is a list of one
        told["rows"] = [told["rows"]]
    mapping = Mapping(text, told, tree)
    for entry in (told.get("reserved") or {}, told.get("endpoints") or {}):
        for one in (one for one in entry.values() if _none(one)) if isinstance(entry, dict) else ():
            for key in [key for key in one if one[key] in (OPEN, [OPEN])]:
                del one[key]
    own = told.get("endpoints")
    own = own.values() if isinstance(own, dict) else ()
    for entry in [*map(mapping.reserved, told.get("reserved") or ()), *own]:
        for key in {*CODES} & {*(entry if isinstance(entry, dict) else ())}:
            entry[key] = [entry[key]] if isinstance(entry[key], str) else entry[key]
    return mapping


def written(tree: CommentedMap) -> Mapping:
    """A mapping from its content."""
    return parsed(_dumped(tree))


def broken(content: Any, key: str = "") -> Iterator[Problem]:
    """What the schema says against the whole mapping, or against one of its blocks."""
    part = {"$defs": SCHEMA["$defs"], **SCHEMA["properties"][key]} if key else SCHEMA
    errors = jsonschema.Draft202012Validator(part).iter_errors(content)
    for error in sorted(errors, key=lambda error: error.json_path):
        place = f"{key}{error.json_path[1:]}".lstrip(".")
        yield Problem(MAPPING, place=place, expected=error.message)


def at(place: str, expected: str, found: str = "", hint: str = "") -> Problem:
    """A problem at a place of the mapping, as in `reserved.died`."""
    return Problem(MAPPING, place=place, found=found, expected=expected, hint=hint)


def _none(entry: Any) -> bool:
    """True where an entry says that there is none: its column or title is blank."""
    return isinstance(entry, dict) and "" in (entry.get("column"), entry.get("title"))


def _open(block: Any, marked: Any) -> Iterator[tuple[str, int]]:
    """The keys of a block whose value is a question, with their lines."""
    for key, value in block.items() if isinstance(block, dict) else enumerate(block):
        if isinstance(block, dict) and value in (OPEN, [OPEN]):
            yield str(key), marked.lc.data[key][0]
        elif isinstance(value, dict | list):
            yield from _open(value, value)


def _plain(content: Any) -> Any:
    if isinstance(content, dict):
        return {str(key): _plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [_plain(value) for value in content]
    return "" if content is None else str(content)


def columns_of(entry: dict[str, Any]) -> list[str]:
    """The column of an entry of the mapping, or its several."""
    column = entry.get("column", [])
    return [column] if isinstance(column, str) else column


def reads_dates(told: dict[str, Any]) -> Callable[[str], date | None]:
    """How a mapping reads a date that is text."""
    dates = told.get("dates") or {}
    year = dates.get("first_year", OPEN)
    first = int(year) if year != OPEN else None
    return lambda text: as_date(text, dates.get("order"), first)


def absent(source: Source, columns: list[str], place: str) -> Iterator[Problem]:
    """Columns that the mapping names and the file has not."""
    for column in columns:
        if column not in source.text:
            expected = f"a column of {source.file}: {', '.join(source.text)}"
            yield at(place, expected, f'"{one_line(column, len(column))}"')


def place_of(name: str, told: dict[str, Any]) -> str:
    """Where a mapping says what a reserved day, or that of an endpoint, is made of."""
    own = name.removesuffix("_day")
    entry = told["endpoints"].get(own, {})
    return f"endpoints.{own}" if {"time", "paramcd"} & {*entry} else f"reserved.{name}"


def reserved_columns(told: dict[str, Any]) -> dict[str, str]:
    """The columns that reserved ones are made of, with their places in the mapping."""
    return {
        column: place_of(name, told)
        for name, entry in told["reserved"].items()
        for column in [*columns_of(entry), entry.get("status", NO_STATUS)]
        if column not in ("", NO_STATUS)
    }


def unmapped(source: Source, told: dict[str, Any]) -> Iterator[Problem]:
    """Columns that one of the two does not know: a slip of the pen, or a newer file."""
    own, reserved = told["columns"] or {}, reserved_columns(told)
    origin = (told.get("dates") or {}).get("origin")
    for column, place in {**dict.fromkeys(own, "columns"), **reserved}.items():
        yield from absent(source, [column], place)
    yield from absent(source, [origin] if origin else [], "dates.origin")
    known = {*own, *(told.get("dropped") or {}), *reserved, origin, ROW_NAMES, *KEPT_ENDS}
    for column in source.text:
        if column not in known:
            yield Problem(source.file, 1, column, expected=sentence("unmapped"))
    for name, entry in told["reserved"].items():
        none = name in ("patient_id", "last_contact_day")  # where "" is an answer
        if not none and not entry.get("column") and not entry.get("paramcd"):
            yield at(f"reserved.{name}", "one", "neither column nor paramcd")


def consumed(told: dict[str, Any]) -> dict[str, str]:
    """Columns that make a reserved one or day 0: no characteristics, unless `analysis` says so."""
    places = reserved_columns(told) | {(told.get("dates") or {}).get("origin"): "dates.origin"}
    used = {column: f"it is {place}" for column, place in places.items()}
    for condition in told.get("rows", []):
        if len(condition.get("values", [])) == 1:
            used |= dict.fromkeys(columns_of(condition), "it picks the rows")
    own, analysis = told["columns"] or {}, told["analysis"]
    entries = [*(analysis.get("characteristics") or []), *(analysis.get("factors") or [])]
    named = {entry.get("column") for entry in entries if isinstance(entry, dict)}
    used = {column: why for column, why in used.items() if column in own}
    return {c: why for c, why in used.items() if (own[c].get("name") or c) not in named}


def put(tree: CommentedMap, path: Sequence[str], value: object, comment: str = "") -> None:
    """Set a value under the keys of its path, below its comment, which stays one line."""
    *parents, key = path
    for parent in parents:
        tree = tree.setdefault(node(parent), CommentedMap())
    tree[node(key)] = node(value)
    if comment:
        line = one_line(" ".join(comment.split()), len(comment))
        tree.yaml_set_comment_before_after_key(key, before=line, indent=2 * len(parents))


def node(value: object) -> Any:
    """A value that takes one line, in quotes where another reader might find no text in it."""
    if isinstance(value, CommentedMap | PlainScalarString):
        return value
    if isinstance(value, dict | list | tuple):
        pairs = value.items() if isinstance(value, dict) else ()
        made = CommentedMap((node(key), node(item)) for key, item in pairs)
        made = made if isinstance(value, dict) else CommentedSeq(map(node, value))
        made.fa.set_flow_style()
        return made
    text = str(value)
    plain = re.fullmatch(rf"(?!(?i:{WORDS})$)[A-Za-z_]([A-Za-z0-9_. -]*[A-Za-z0-9_])?", text)
    return text if plain else DoubleQuotedScalarString(text)


def in_line(value: object) -> str:
    """A value as it would be written in the mapping."""
    return _dumped(node([value])).strip()[1:-1]


def _dumped(content: Any) -> str:
    text = io.StringIO()
    _round_trip().dump(content, text)
    return text.getvalue()
