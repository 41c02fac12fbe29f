"""A table of patients in parts: a folder of Parquet files, read by batches and folded.

Patients who are alike in all that the analysis asks for become one row, with their number. Days are
whole and levels few, so that a hundred million patients may be a hundred thousand rows. Columns
that nothing asks for are checked and left out. Neither a part nor the whole has to fit into memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import starmap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .columns import RESERVED
from .parquet import header_of, texts_of, unreadable
from .patients import asked_for
from .problems import LISTED_AT_MOST, Problem, one_line
from .table import cell_problems, column_names, serial_problems

if TYPE_CHECKING:
    import pyarrow as pa

NUMBER_FIELD = {
    "name": "number_of_patients",
    "title": "Number of patients",
    "description": "How many patients are alike in all that the analysis asks for.",
    "type": "integer",
    "constraints": {"required": True, "minimum": 1},
}
NUMBER = NUMBER_FIELD["name"]
ROW, MANY = ":row", ":many"  # columns of Arrow beside those of a file, which have no such names
BATCH = 100_000  # rows that are read at once
BUFFER = 1 << 20  # bytes of a column that are read at once
MOST_ROWS = 5_000_000  # that differ: more would not be read by the pages
IDS = 25_000_000  # patients' identifiers that are compared at once


# Does a task with each of the given arguments, here or on workers; what comes of them, in order.
Each = Callable[[Callable[..., Any], Iterable[tuple]], Iterator[Any]]


def in_turn(task: Callable[..., Any], given: Iterable[tuple]) -> Iterator[Any]:
    """The tasks in this process."""
    return starmap(task, given)


@dataclass(frozen=True)
class Fold:
    """Rows that differ, by their texts, and how many patients each stands for (rows,)."""

    cells: pd.DataFrame
    number: np.ndarray
    problems: tuple[Problem, ...] = ()


def read_parts(
    folder: Path,
    path: str,
    fields: tuple[dict, ...],
    analysis: Mapping[str, Any],
    each: Each | None = None,
) -> tuple[pd.DataFrame | None, list[Problem]]:
    """The folded table, with the column NUMBER, and what is wrong with it; None where too much is.

    Identifiers are not folded: whether each is there once is found exactly, where they are given.
    """
    parts = _parts(folder, path)
    if isinstance(parts, Problem):
        return None, [parts]
    if any(field["name"] == NUMBER for field in fields):
        expected = "another name: patients alike are counted in a column of this name"
        return None, [Problem(path, column=NUMBER, expected=expected)]
    kept = kept_columns(analysis, fields)
    tasks = ((file, name, fields, kept) for name, file in parts.items())
    problems: list[Problem] = []
    total, each = None, each or in_turn
    for total in _merging(each(fold_file, tasks)):
        problems += total.problems
        if len(total.cells) > MOST_ROWS:
            expected = f"more than {MOST_ROWS:,} rows that differ in what the analysis asks for"
            hint = "name fewer columns in it, or years for days of age"
            return None, [Problem(path, expected=expected, hint=hint)]
    if not problems and not total.number.sum():
        problems.append(Problem(path, expected="no patients; expected a row each"))
    if not problems:
        problems += serial_problems(total.cells, fields, path)
        problems += _repeated(parts, fields, int(total.number.sum()), each)
    if problems:
        return None, _first(problems, path)
    return _in_order(total), []


def kept_columns(analysis: Mapping[str, Any], fields: tuple[dict, ...]) -> tuple[str, ...]:
    """The columns that are folded: those that the analysis asks for, in the order of the fields.

    Without a list of characteristics Table 1 asks for every column.
    """
    asked = {*asked_for(analysis), *RESERVED}
    if analysis.get("characteristics") is None:
        asked |= {field["name"] for field in fields}
    names = (field["name"] for field in fields)
    return tuple(name for name in names if name in asked and name != "patient_id")


def folded(package: dict, fields: tuple[dict, ...]) -> tuple[dict, tuple[dict, ...]]:
    """The package and the fields of the folded table."""
    analysis, (resource, *others) = package["analysis"], package["resources"]
    kept = {*kept_columns(analysis, fields)}
    schema = resource["schema"]
    own = [field for field in schema["fields"] if field["name"] in kept]
    schema = {key: value for key, value in schema.items() if key != "primaryKey"}
    resource = {**resource, "schema": {**schema, "fields": [*own, NUMBER_FIELD]}}
    made = {**package, "resources": [resource, *others]}
    made["analysis"] = {**analysis, "number": NUMBER}
    return made, (*(field for field in fields if field["name"] in kept), NUMBER_FIELD)


# --- the files -----------------------------------------------------------------------------------


def _parts(folder: Path, path: str) -> dict[str, Path] | Problem:
    """The files of the folder by their names in problems; others are passed over."""
    found: dict[str, Path] = {}
    for file in sorted((folder / path).rglob("*.parquet")):
        name = file.relative_to(folder).as_posix()
        if "=" in file.parent.relative_to(folder).as_posix():
            expected = "a folder that names no value: write its column into the files"
            return Problem(one_line(name), expected=expected)
        if not file.resolve().is_relative_to(folder.resolve()):
            return Problem(one_line(name), expected="a file within the folder, no link out of it")
        if file.is_file() and not file.name.startswith((".", "_")):
            found[one_line(name)] = file
    return found or Problem(path, expected="no file that ends in .parquet")


def fold_file(path: Path, name: str, fields: tuple[dict, ...], kept: tuple[str, ...]) -> Fold:
    """One file, folded, with what is wrong with it; it is the task of a worker.

    A problem is named by the first row of those alike.
    """
    import pyarrow as pa
    import pyarrow.parquet  # slow to import, and seldom needed

    none = pd.DataFrame({column: pd.Categorical([]) for column in kept}), np.zeros(0, dtype=int)
    try:
        with pa.parquet.ParquetFile(path, buffer_size=BUFFER) as file:
            header, problems = header_of(file.schema_arrow, name)
            problems += [] if problems else column_names(name, None, header, fields)
            if problems:
                return Fold(*none, tuple(problems))
            found = _Alike(name, fields, kept)
            for batch in file.iter_batches(BATCH, use_threads=False):
                found.add(pa.Table.from_batches([batch]).rename_columns(header))
    except (OSError, pa.ArrowException) as error:
        return Fold(*none, (unreadable(error, path, name),))
    return found.fold()


class _Alike:
    """The rows of a file so far, those alike together, and the problems of columns left out."""

    def __init__(self, name: str, fields: tuple[dict, ...], kept: tuple[str, ...]) -> None:
        self.name, self.kept, self.rows = name, list(kept), 0
        self.own = tuple(field for field in fields if field["name"] in kept)
        self.others = tuple(field for field in fields if field["name"] not in kept)
        self.waiting: list[pa.Table] = []
        self.differ, self.problems = 0, []

    def add(self, table: pa.Table) -> None:
        """The next batch of rows."""
        import pyarrow as pa

        rows = pa.array(np.arange(self.rows + 1, self.rows + 1 + len(table)))
        self.rows += len(table)
        counted = {ROW: rows, MANY: pa.array(np.ones(len(table), dtype=np.int64))}
        for field in self.others:
            one = pa.table({field["name"]: _values(table[field["name"]]), **counted})
            cells, _ = self._texts(_together([one], [field["name"]]), [field["name"]])
            self.problems += cell_problems(cells, (field,), self.name, True)
        columns = {column: _values(table[column]) for column in self.kept}
        self.waiting.append(_together([pa.table({**columns, **counted})], self.kept))
        if sum(map(len, self.waiting)) > max(BATCH, 2 * self.differ):
            self._join()

    def _join(self) -> None:
        self.waiting = [_together(self.waiting, self.kept)]
        self.differ = len(self.waiting[0])

    def _texts(self, table: pa.Table, columns: list[str]) -> tuple[pd.DataFrame, np.ndarray]:
        cells = texts_of(table.select(columns), columns, table[ROW].to_numpy())
        return cells, table[MANY].to_numpy()

    def fold(self) -> Fold:
        """All of them, checked."""
        if not self.waiting:
            empty = pd.DataFrame({column: pd.Categorical([]) for column in self.kept})
            return Fold(empty, np.zeros(0, dtype=int))
        self._join()
        cells, number = self._texts(self.waiting[0].sort_by(ROW), self.kept)
        problems = [*self.problems, *cell_problems(cells, self.own, self.name, True)]
        return Fold(cells, number, tuple(_first(problems, self.name)))


def _values(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column without a dictionary, which batches need not share."""
    return column.cast(column.type.value_type) if hasattr(column.type, "value_type") else column


def _together(tables: list[pa.Table], keys: list[str]) -> pa.Table:
    """Rows that are alike in the keys as one: its first row, and how many."""
    import pyarrow as pa

    rows = pa.concat_tables(tables)
    made = rows.group_by(keys, use_threads=False).aggregate([(ROW, "min"), (MANY, "sum")])
    return made.rename_columns(
        [{f"{ROW}_min": ROW, f"{MANY}_sum": MANY}.get(name, name) for name in made.column_names]
    )


# --- all of them together ------------------------------------------------------------------------


def _merging(folds: Iterable[Fold]) -> Iterator[Fold]:
    """The folds so far as one, with the problems of those that have come since the last time."""
    total, waiting = None, []
    for fold in folds:
        waiting.append(fold)
        rows = sum(len(one.cells) for one in waiting)
        if fold.problems or total is None or rows > max(BATCH, len(total.cells)):
            total, waiting = merged([*([total] if total else []), *waiting]), []
            yield total
    if waiting:
        yield merged([total, *waiting])


def merged(folds: list[Fold]) -> Fold:
    """Several folds as one, with the problems of all but the first, which has told its own."""
    columns = {
        name: pd.api.types.union_categoricals([fold.cells[name].array for fold in folds])
        for name in folds[0].cells
    }
    place = np.zeros(sum(len(fold.cells) for fold in folds), dtype=np.int64)
    for column in columns.values():
        place = pd.factorize(place * (len(column.categories) + 1) + column.codes)[0]
    number = np.bincount(place, np.concatenate([fold.number for fold in folds])).astype(int)
    first = ~pd.Series(place).duplicated().to_numpy()
    cells = pd.DataFrame({name: column[first] for name, column in columns.items()})
    later = folds[1:] if len(folds) > 1 else folds
    return Fold(cells, number, tuple(problem for fold in later for problem in fold.problems))


def _in_order(fold: Fold) -> pd.DataFrame:
    """The folded table in an order of its own, however its patients lay in parts."""
    cells = fold.cells.apply(
        lambda column: column.cat.set_categories(sorted(column.cat.categories))
    )
    cells = cells.assign(**{NUMBER: pd.Categorical(fold.number.astype(str))})
    cells = cells.sort_values(list(fold.cells), ignore_index=True)
    return cells.set_axis(range(1, len(cells) + 1))


def _first(problems: Iterable[Problem], whole: str) -> list[Problem]:
    """The first rows of each kind of problem in each column; that there are more, without a number.

    For rows alike were looked at once.
    """
    kinds: dict[tuple[str, str], list[Problem]] = {}
    more: set[tuple[str, str]] = set()
    for problem in dict.fromkeys(problems):
        alike = problem.hidden.removeprefix("expected ") or problem.expected
        said, several, rest = alike.partition("more rows, expected ")
        kind = (problem.column, rest if several else alike)
        listed = kinds.setdefault(kind, [])
        if several or (problem.row and len(listed) == LISTED_AT_MOST):
            more.add(kind)
        elif problem.row or not listed:
            listed.append(problem)
    found = [problem for listed in kinds.values() for problem in listed]
    return found + [
        Problem(whole, column=column, expected=f"more rows, expected {expected}")
        for column, expected in kinds
        if (column, expected) in more
    ]


# --- identifiers ---------------------------------------------------------------------------------


def _repeated(
    parts: Mapping[str, Path], fields: tuple[dict, ...], patients: int, each: Each
) -> Iterator[Problem]:
    """Values that stand twice in a column in which none may."""
    buckets = -(-patients // IDS)
    for field in fields:
        column = field["name"]
        if column == "patient_id" or field.get("constraints", {}).get("unique"):
            tasks = ((dict(parts), column, place, buckets) for place in range(buckets))
            for found in each(repeated, tasks):
                yield from found


def repeated(parts: Mapping[str, Path], column: str, bucket: int, buckets: int) -> list[Problem]:
    """Those whose hash falls into one bucket of several; it is the task of a worker.

    Equal hashes are only suspects: their texts are compared. So what is found is exact.
    """
    hashes = [one[one % buckets == bucket] for _, _, one in _hashes(parts, column)]
    ordered = np.sort(np.concatenate(hashes)) if hashes else np.zeros(0, np.uint64)
    del hashes
    suspects = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    del ordered
    seen: set[str] = set()
    found: list[Problem] = []
    for (name, first), texts, one in _hashes(parts, column) if len(suspects) else ():
        for place in np.flatnonzero(np.isin(one, suspects)):
            if (text := texts[place]) in seen:
                expected = "a value that no other row has"
                found.append(Problem(name, first + int(place), column, _quoted(text), expected))
            seen.add(text)
            if len(found) > LISTED_AT_MOST:
                return found
    return found


def _quoted(text: str) -> str:
    return f'"{one_line(text)}"'


def _hashes(
    parts: Mapping[str, Path], column: str
) -> Iterator[tuple[tuple[str, int], np.ndarray, np.ndarray]]:
    """The name of each file and a first row, with the texts from there on and their hashes."""
    import pyarrow as pa
    import pyarrow.parquet

    for name, path in parts.items():
        with pa.parquet.ParquetFile(path, buffer_size=BUFFER) as file:
            own = next(c for c in file.schema_arrow.names if c.strip() == column)
            first = 1
            for batch in file.iter_batches(BATCH, columns=[own], use_threads=False):
                table = pa.Table.from_batches([batch]).rename_columns([column])
                cells = texts_of(table, [column], np.arange(first, first + len(table)))
                texts = np.asarray(cells[column].astype(object))
                yield (name, first), texts, pd.util.hash_array(texts, categorize=False)
                first += len(table)
