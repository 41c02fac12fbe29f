"""A table of patients in Parquet, by its texts: what holds for the cells of a CSV holds for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from .cells import TextTable, header_problems, stripped
from .problems import Problem


def read_parquet(path: Path) -> TextTable | list[Problem]:
    """A file of Parquet. Returns the problems alone where it is none.

    Rows count from 1. A number is written as briefly as it can be read again, yes and no for a
    truth, a day of the calendar as its date; what is missing is blank.
    """
    import pyarrow as pa
    import pyarrow.parquet  # slow to import, and seldom needed

    try:
        table = pa.parquet.read_table(path)
    except (OSError, pa.ArrowException) as error:
        first = str(error).partition("\n")[0].replace(str(path), path.name)
        return [Problem(path.name, expected=f"cannot be read as Parquet: {first}")]
    header = [name.strip() for name in table.column_names]
    columns = {place: _texts(column) for place, column in enumerate(table.columns)}
    cells = pd.DataFrame(columns, index=range(1, table.num_rows + 1))
    cells.columns = header
    named = cells.loc[:, [bool(name) for name in header] & ~cells.columns.duplicated()]
    return TextTable(path.name, None, named, list(header_problems(path.name, None, header)))


def _texts(column) -> pd.Categorical:
    """A column of Arrow by its different texts."""
    coded = column.combine_chunks().dictionary_encode()
    texts = [_text(value) for value in coded.dictionary.to_pylist()]
    places = coded.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
    return stripped(np.array([*texts, ""], dtype=object), places)


def _text(value: object) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)
