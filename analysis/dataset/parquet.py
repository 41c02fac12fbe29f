"""A table of patients in Parquet, by its texts: what holds for the cells of a CSV holds for it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from .cells import TextTable, header_problems, named, of_arrow
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
    columns = {place: of_arrow(column, _text) for place, column in enumerate(table.columns)}
    cells = named(pd.DataFrame(columns, index=range(1, table.num_rows + 1)), header)
    return TextTable(path.name, None, cells, list(header_problems(path.name, None, header)))


def _text(value: object) -> str:
    if value is None or value != value:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)
