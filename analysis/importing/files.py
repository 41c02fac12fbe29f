"""Files of statisticians, read into one form by the ending of their names."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..dataset.cells import NUMBER, codec_of, delimiter_of, nul_problems, records
from ..dataset.problems import DataError, Problem, raise_any
from .headers import table_of
from .meaning import Variable
from .missing import blank
from .source import Source
from .words import WORDS, sentence
from .workbooks import layout_of

MOST_MEGABYTES = 500  # read, or unpacked: no table of patients is larger
_COMMA_NUMBER = re.compile(r"[-+]?\d+,\d+")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}")
_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}(\.\d{3})+,\d+")  # 1.234,5
_GROUPED_BY_COMMAS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")
_UP_TO_999 = re.compile(r"[-+]?\d{1,3}")
_POINTED_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(\.\d{3})+")

Options = dict[str, Any]


def read(path: Path, options: Options | None = None) -> Source:
    """Read a file by the ending of its name. `options`: sheet, encoding, delimiter and so on.

    Raises DataError where the file cannot be read, or its header or a row is not in order.
    """
    if not path.is_file():
        raise DataError([f"{path}: not found"])
    form, reader = READERS.get(path.suffix.lower(), ("", None))
    if reader is None:
        endings = "one of " + ", ".join(READERS)
        raise DataError([f"{path.name}: found {path.suffix or 'no ending'}, expected {endings}"])
    raise_any(_too_large(path))
    content, options = path.read_bytes(), options or {}
    try:
        source = reader(path, content, options)
    except ImportError as error:
        needed = f"needs the package {error.name}; install requirements.txt"
        raise DataError([Problem(path.name, expected=needed)]) from error
    names, digest = source.text.columns, hashlib.sha256(content).hexdigest()
    raise_any(
        Problem(path.name, 1, name, "twice", "a name that no other column has")
        for name in sorted({*names[names.duplicated()]})
    )
    if source.text.empty:
        expected = "a header and a row a patient"
        raise DataError([Problem(path.name, found="no rows", expected=expected)])
    variables = {name: source.variables.get(name, Variable(name)) for name in names}
    source = replace(source, file=path.name, form=form, sha256=digest, variables=variables)
    return _without_codes(source, options)


def _without_codes(source: Source, options: Options) -> Source:
    """The file with its codes for missing left blank, and with a point for decimals."""
    text, used = source.text, source.options
    if source.loose or "missing" in options:
        found = [word for word in WORDS["missing"] if (text == word).to_numpy().any()]
        used["missing"] = options.get("missing", found)
    if "missing_in" in options:
        used["missing_in"] = options["missing_in"]
    text, blanked = blank(text, used.get("missing", []), options.get("missing_in", {}))
    if source.loose:
        used["decimal"] = options.get("decimal") or _decimal(text, used.get("delimiter"))
        told = options.get("decimal") == ","
        text = text.apply(lambda column: _as_numbers(column, used["decimal"] == ".", told))
    return replace(source, text=text, blanked=source.blanked | blanked)


def _too_large(path: Path) -> Iterator[Problem]:
    """A file that would fill the memory, also one that only does so when it is unpacked."""
    size = path.stat().st_size
    if zipfile.is_zipfile(path):
        with contextlib.suppress(zipfile.BadZipFile):  # its reader says what is wrong
            size = max(size, sum(part.file_size for part in zipfile.ZipFile(path).infolist()))
    if size > MOST_MEGABYTES * 1_000_000:
        most = f"at most {MOST_MEGABYTES} MB"
        yield Problem(path.name, found=f"{size / 1e6:,.0f} MB", expected=most)


@contextlib.contextmanager
def readable(path: Path, what: str) -> Iterator[None]:
    """Raise DataError for whatever the reader of a format makes of a broken file."""
    try:
        yield
    except (DataError, ImportError):
        raise
    except Exception as error:  # what a broken archive raises is anybody's guess
        reason = " ".join(str(error).split()).replace(str(path), path.name)
        raise DataError([f"{path.name}: cannot be read as {what}: {reason}"]) from error


# --- text ------------------------------------------------------------------------------------


def _read_text(path: Path, content: bytes, options: Options) -> Source:
    encoding = options.get("encoding") or codec_of(content)[0]
    try:
        text = content.decode(encoding).lstrip("\ufeff")
    except (UnicodeDecodeError, LookupError) as error:
        row = content[: getattr(error, "start", 0)].count(b"\n") + 1
        expected = sentence("not_encoded", encoding=encoding)
        raise DataError([Problem(path.name, row, expected=expected)]) from error
    raise_any(nul_problems(path.name, text))
    told = re.match(r'"?sep=(.)"?\r?\n', text, flags=re.IGNORECASE)  # for Excel, which hides it
    text = text[told.end() :] if told else text
    delimiter = options.get("delimiter") or (told and told[1]) or delimiter_of(text, spaces=True)
    try:
        rows, swallowing = records(text, delimiter, strict=False)
    except (TypeError, ValueError) as error:  # a delimiter that is none
        raise DataError([Problem(path.name, expected=f"not a table of text: {error}")]) from error
    if swallowing:
        expected = 'a quote (") is not closed; close it or double it'
        raise DataError([Problem(path.name, swallowing, expected=expected)])
    table = table_of(path.name, rows, options)
    used = {"encoding": encoding, "delimiter": delimiter, **table.options}
    return Source(table.text, {}, used, loose=True, notes=table.notes)


def _decimal(table: pd.DataFrame, delimiter: str | None) -> str:
    """What parts the decimals; `?` where 1,234 or 1.234 may be a number or a thousand.

    Without a delimiter the cells come from a workbook, whose numbers have a point for decimals.
    """
    found, pointed, mixed, proven = set(), False, False, False
    for name in table:
        cells = table[name][table[name] != ""]
        numbers = cells.str.fullmatch(NUMBER)
        commas = cells[cells.str.fullmatch(_COMMA_NUMBER) | cells.str.fullmatch(_GROUPED)]
        if len(commas) and (numbers | cells.isin(commas)).all():
            found.add("?" if commas.str.fullmatch(_THOUSANDS).all() else ",")
        if _pointed(cells):
            pointed = True
            mixed |= bool(cells.str.fullmatch(_UP_TO_999).any())
        elif len(cells) and numbers.all():  # 12.5 in one column says what 1.250 is in another
            proven |= bool(cells.str.contains(".", regex=False).any())
    thousands = not proven or (mixed and delimiter != ",")
    if pointed and ("," in found or (delimiter and thousands)):
        return "?"
    return "," if "," in found else "?" if found else "."


def _pointed(column: pd.Series) -> bool:
    """True where points may part thousands: 1.044 beside 912, or 1.250 and 12.000 alone."""
    cells = column[column != ""]
    thousands = cells.str.fullmatch(_POINTED_THOUSANDS)
    small = cells.str.fullmatch(_UP_TO_999)
    several = small.any() or thousands.sum() > 1
    return bool(thousands.any() and several and (thousands | small).all())


def _as_numbers(column: pd.Series, points: bool, told: bool) -> pd.Series:
    """A column of 1.234,5 or, where `points` part the decimals, of 1,234.5 as 1234.5; 12.0 as 12.

    `told` says that the mapping knows of the commas: until then 1.234 is a number at least.
    """
    if told and _pointed(column):
        column = column.str.replace(".", "")
    grouped = column.str.fullmatch(_GROUPED_BY_COMMAS if points else _GROUPED)
    numbers = grouped | column.str.fullmatch(NUMBER) | (column == "")
    if points and numbers.all():
        column = column.str.replace(",", "")
    elif not points and (numbers | column.str.fullmatch(_COMMA_NUMBER)).all():
        column = column.str.replace(".", "") if grouped.any() else column
        column = column.str.replace(",", ".")
    # A program gave whole numbers their `.0` because some were blank.
    if (column.str.fullmatch(r"-?\d+\.0+") | column.str.fullmatch(r"-?\d*")).all():
        column = column.str.replace(r"\.0+$", "", regex=True)
    return column


# --- tables with types -----------------------------------------------------------------------


def cell_text(value: Any) -> str:
    """A typed value as text: whole days for times, no `.0` for whole numbers."""
    if isinstance(value, str):
        return value.strip()
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, date):  # as is a Timestamp
        return value.isoformat()[:10]
    if isinstance(value, (float, np.floating)):
        whole = abs(value) < 2**53 and value == int(value)  # beyond it digits are lost
        return str(int(value)) if whole else str(value)
    return str(value).strip()


def _variables(names: Iterable[str], columns: Iterable[list[Any]]) -> dict[str, Variable]:
    """Which columns hold dates, by their cells."""
    variables = {}
    for name, cells in zip(names, columns, strict=True):
        dates = {isinstance(cell, date) for cell in cells if cell_text(cell)} == {True}
        variables[name] = Variable(name, kind="date" if dates else "")
    return variables


def _typed(frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Variable]]:
    """A frame as text, and which of its columns hold dates."""
    frame = frame.set_axis([" ".join(str(name).split()) for name in frame.columns], axis=1)
    columns = [list(frame.iloc[:, place]) for place in range(frame.shape[1])]
    cells = {place: list(map(cell_text, column)) for place, column in enumerate(columns)}
    text = pd.DataFrame(cells, index=range(2, len(frame) + 2), dtype=object)
    return text.set_axis(frame.columns, axis=1), _variables(frame.columns, columns)


def _read_excel(path: Path, content: bytes, options: Options) -> Source:
    """One sheet; dates come as dates, whichever day the workbook counts them from."""
    import openpyxl

    with readable(path, "an Excel workbook (.xlsx)"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on styles and validations, which are not read
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheets = [sheet.title for sheet in book.worksheets]
        sheet = _sheet(path.name, sheets, options.get("sheet"))
        book[sheet].reset_dimensions()  # some programs write a size that is wrong
        rows = [list(row) for row in book[sheet].iter_rows(values_only=True)]
        layout = layout_of(content, book[sheet]._worksheet_path)
    raise_any(layout.problems(path.name))
    width = max((len(row) for row in rows), default=0)
    cells = [[*row, *[None] * (width - len(row))] for row in rows]
    table = table_of(path.name, [[cell_text(cell) for cell in row] for row in cells], options)
    raise_any(layout.merged_problems(path.name, table.header_row))
    columns = [[cells[row - 1][place] for row in table.text.index] for place in table.places]
    variables, used = _variables(table.text, columns), {"sheet": sheet, **table.options}
    notes = [*table.notes, *layout.notes(table)]
    return Source(table.text, variables, used, loose=True, notes=notes)


def _sheet(file: str, sheets: list[str], wanted: str | None) -> str:
    """The sheet to read: the one that is asked for, or the only one."""
    names = ", ".join(sheets)
    if wanted in sheets:
        return wanted
    if wanted:
        raise DataError([f'{file}: found no sheet "{wanted}", expected one of {names}'])
    if len(sheets) != 1:
        raise DataError([f"{file}: found the sheets {names}; say which one: --sheet NAME"])
    return sheets[0]


def _read_parquet(path: Path, content: bytes, options: Options) -> Source:
    with readable(path, "a Parquet file"):
        # Whole numbers beside blanks would else lose their last digits as decimals.
        frame = pd.read_parquet(io.BytesIO(content), dtype_backend="numpy_nullable")
    frame = frame if frame.index.name is None else frame.reset_index()
    text, variables = _typed(frame)
    for name, kind in zip(text.columns, frame.dtypes, strict=True):
        if isinstance(kind, pd.CategoricalDtype):
            levels = map(cell_text, kind.categories)
            variables[name].levels = {level: level for level in levels}
    return Source(text, variables, {})


def _statistical(function: str, what: str) -> Callable[[Path, bytes, Options], Source]:
    """A reader of a SAS, Stata or SPSS file, with its labels of columns and of values."""

    def reader(path: Path, content: bytes, options: Options) -> Source:
        import pyreadstat

        encoding = {"encoding": options["encoding"]} if options.get("encoding") else {}
        spss = {"user_missing": True} if function == "read_sav" else {}
        with readable(path, what):
            frame, about = getattr(pyreadstat, function)(path, **encoding, **spss)
        # Stata's short numbers as they were typed: 12.3, not 12.300000190734863.
        kinds = about.readstat_variable_types.items()
        short = [name for name, kind in kinds if kind == "float" and name in frame]
        text, variables = _typed(frame.astype(dict.fromkeys(short, np.float32)))
        for name, variable in variables.items():
            variable.label = (about.column_names_to_labels.get(name) or "").strip()
            variable.levels = value_labels(about.variable_value_labels.get(name, {}))
            variable.labels = about.variable_to_label.get(name) or ""
            variable.format = about.original_variable_types.get(name) or ""
        blanked = {}
        for name, ranges in about.missing_ranges.items() if spss else ():
            if (missing := _within(frame[name], ranges).to_numpy()).any():
                blanked[name] = text.loc[missing, name].copy()
                text.loc[missing, name] = ""
        return Source(text, variables, encoding, blanked=blanked)

    return reader


def _within(values: pd.Series, ranges: list[dict[str, Any]]) -> pd.Series:
    """Where values lie in one of the ranges that an SPSS file declares as missing."""
    found = pd.Series(False, index=values.index)
    for limits in ranges:
        if isinstance(limits["lo"], str):
            found |= values == limits["lo"]
        else:
            found |= pd.to_numeric(values, errors="coerce").between(limits["lo"], limits["hi"])
    return found


def value_labels(labels: dict[Any, Any]) -> dict[str, str]:
    """The labels of codes as a file of SAS, Stata or SPSS has them, by the codes as text."""
    return {cell_text(code): str(label).strip() for code, label in labels.items()}


READERS: dict[str, tuple[str, Callable[[Path, bytes, Options], Source]]] = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), ("text", _read_text)),
    **dict.fromkeys((".xlsx", ".xlsm"), ("excel", _read_excel)),
    **dict.fromkeys((".parquet", ".pq"), ("parquet", _read_parquet)),
    ".xpt": ("sas", _statistical("read_xport", "a SAS transport file")),
    ".sas7bdat": ("sas", _statistical("read_sas7bdat", "a SAS data file")),
    ".dta": ("stata", _statistical("read_dta", "a Stata file")),
    **dict.fromkeys((".sav", ".zsav"), ("spss", _statistical("read_sav", "an SPSS file"))),
}
