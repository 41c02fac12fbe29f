"""A table of patients in Parquet, by its texts: what holds for the cells of a CSV holds for it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from .cells import TextTable, header_problems, named, of_arrow
from .problems import Problem, one_line

if TYPE_CHECKING:
    import pyarrow as pa

SHORT = {"float": np.float32, "halffloat": np.float16}  # by their names in Arrow


def read_parquet(path: Path) -> TextTable | list[Problem]:
    """A file of Parquet. Returns the problems alone where it is none.

    Rows count from 1. A number is written as briefly as it can be read again, yes and no for a
    truth, a day of the calendar as its date; what is missing is blank.
    """
    import pyarrow as pa
    import pyarrow.parquet  # slow to import, and seldom needed

    try:
        with pa.parquet.ParquetFile(path) as file:
            table = file.read()
    except (OSError, pa.ArrowException) as error:
        return [unreadable(error, path, path.name)]
    header, problems = header_of(table.schema, path.name)
    if not header or any(problem.found for problem in problems):
        return problems
    return TextTable(path.name, None, texts_of(table, header, range(1, len(table) + 1)), problems)


def unreadable(error: Exception, path: Path, name: str) -> Problem:
    """That a file is no Parquet, in the words of its reader."""
    first = str(error).partition("\n")[0].replace(str(path), path.name)
    return Problem(name, expected=f"cannot be read as Parquet: {first}")


def header_of(schema: pa.Schema, name: str) -> tuple[list[str], list[Problem]]:
    """The names of the columns, and what is wrong with them; those of no cells have a `found`."""
    header = [column.strip() for column in schema.names]
    if not header:
        return [], [Problem(name, expected="empty; expected columns and a row a patient")]
    expected = "text, numbers, dates, or yes and no in each cell"
    other = [
        Problem(name, column=one_line(field.name), found=str(field.type), expected=expected)
        for field in schema
        if not _plain(field.type)
    ]
    return header, other or list(header_problems(name, None, header))


def texts_of(table: pa.Table, header: list[str], rows: Iterable[int]) -> pd.DataFrame:
    """The cells of a table as texts, indexed by the rows of its file."""
    columns = {
        place: of_arrow(column, partial(_text, short=SHORT.get(str(column.type))))
        for place, column in enumerate(table.columns)
    }
    return named(pd.DataFrame(columns, index=rows), header)


def _plain(kind) -> bool:
    """Whether a column holds one value a cell, and no bytes."""
    from pyarrow import types

    if types.is_dictionary(kind):
        return _plain(kind.value_type)
    binary = (types.is_binary, types.is_large_binary, types.is_fixed_size_binary)
    return not (types.is_nested(kind) or any(is_kind(kind) for is_kind in binary))


def _text(value: object, short: type | None = None) -> str:
    """A value; a float of few digits, of the type `short`, by those digits alone."""
    if value is None or value != value:
        return ""
    if short:
        value = float(str(short(value)))
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)
