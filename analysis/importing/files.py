"""Files of statisticians, read into one form: every cell as text, every column with its labels.

Row numbers are those that a user sees on opening the file: the header is row 1.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
import warnings
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..dataset.cells import NUMBER, codec_of, delimiter_of, nul_problems, records
from ..dataset.problems import DataError, Problem, quoted, raise_any
from .dates import looks_like_date
from .headers import table_of
from .missing import WORDS, blank
from .workbooks import layout_of

MOST_MEGABYTES = 500  # read, or unpacked: no table of patients is larger
_COMMA_NUMBER = re.compile(r"[-+]?\d+,\d+")
_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2},\d{3}")
_GROUPED = re.compile(r"[-+]?[1-9]\d{0,2}(\.\d{3})+,\d+")  # 1.234,5
_GROUPED_BY_COMMAS = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")
_UP_TO_999 = re.compile(r"[-+]?\d{1,3}")
_POINTED_THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(\.\d{3})+")


@dataclass
class Variable:
    """What a file says of one of its columns.

    `levels` are the labels of codes, in order. `kind` is number, date, text or identifier, or
    blank where the file does not say. `note` is one sentence for the description.
    """

    name: str
    label: str = ""
    levels: dict[str, str] = field(default_factory=dict)
    kind: str = ""
    minimum: str = ""
    maximum: str = ""
    note: str = ""
    labels: str = ""  # the name of its set of labels, which a SAS catalog holds
    format: str = ""  # how its program shows it, as %tm or MONYY7


@dataclass(frozen=True)
class Cells:
    """The cells of a file that a column of patients.csv is made from, one a patient.

    A row is None where the file has none for the patient.
    """

    file: str
    column: str
    rows: list[int | None]
    texts: list[str]

    def problem(self, place: int, expected: str, hidden: str = "") -> Problem:
        """What is wrong with the cell of this patient."""
        found = quoted(self.texts[place])
        return Problem(self.file, self.rows[place], self.column, found, expected, hidden=hidden)


@dataclass(frozen=True)
class Source:
    """One file. `text` has its cells as text, blank where missing; the index is the file's rows.

    `options` says how it was read, with the keys that `source` of a mapping may have. `blanked`
    has the codes for missing that were left blank, by column and row; `notes` are lines on what
    was left out or is not as it seems.
    """

    file: str
    form: str
    sha256: str
    text: pd.DataFrame
    variables: dict[str, Variable]
    options: dict[str, Any]
    blanked: dict[str, pd.Series] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    dates: dict[str, bool] = field(default_factory=dict)  # what `is_date` has found

    def cells(self, column: str) -> Cells:
        """The cells of a column with their places."""
        texts = self.text[column]
        return Cells(self.file, column, texts.index.tolist(), texts.tolist())

    def filled(self, column: str) -> pd.Series:
        """The cells of a column that are not blank."""
        return self.text[column][self.text[column] != ""]


def read(path: Path, options: dict[str, Any] | None = None) -> Source:
    """Read a file by the ending of its name. `options`: sheet, encoding, delimiter and so on.

    Raises DataError where the file cannot be read, or its header or a row is not in order.
    """
    if not path.is_file():
        raise DataError([f"{path}: not found"])
    form, reader = READERS.get(path.suffix.lower(), ("", None))
    if reader is None:
        raise DataError([f"{path.name}: found {path.suffix or 'no ending'}, expected {_ENDINGS}"])
    raise_any(_too_large(path))
    content, options = path.read_bytes(), options or {}
    try:
        raw = reader(path, content, options)
    except ImportError as error:
        needed = f"needs the package {error.name}; install requirements.txt"
        raise DataError([Problem(path.name, expected=needed)]) from error
    raise_any(_names_twice(path.name, raw.text.columns))
    if raw.text.empty:
        raise DataError(
            [Problem(path.name, found="no rows", expected="a header and a row a patient")]
        )
    used, text = raw.options, raw.text
    if raw.loose or "missing" in options:
        used["missing"] = options.get("missing", [w for w in WORDS if (text == w).to_numpy().any()])
    if "missing_in" in options:
        used["missing_in"] = options["missing_in"]
    text, blanked = blank(text, used.get("missing", []), options.get("missing_in", {}))
    if raw.loose:
        used["decimal"] = options.get("decimal") or _decimal(text, used.get("delimiter"))
        told = options.get("decimal") == ","
        text = text.apply(lambda column: _as_numbers(column, used["decimal"] == ".", told))
    named = {name: raw.variables.get(name, Variable(name)) for name in text}
    digest = hashlib.sha256(content).hexdigest()
    blanked = raw.blanked | blanked
    return Source(path.name, form, digest, text, named, used, blanked, raw.notes)


def _too_large(path: Path) -> Iterator[Problem]:
    """A file that would fill the memory, also one that only does so when it is unpacked."""
    size = path.stat().st_size
    if zipfile.is_zipfile(path):
        with contextlib.suppress(zipfile.BadZipFile):  # its reader says what is wrong
            size = max(size, sum(part.file_size for part in zipfile.ZipFile(path).infolist()))
    if size > MOST_MEGABYTES * 1_000_000:
        most = f"at most {MOST_MEGABYTES} MB"
        yield Problem(path.name, found=f"{size / 1e6:,.0f} MB", expected=most)


def _names_twice(file: str, names: pd.Index) -> Iterator[Problem]:
    for name in sorted(set(names[names.duplicated()])):
        yield Problem(file, 1, name, "twice", "a name that no other column has")


@dataclass
class Read:
    """What a reader of one format makes of a file; `loose` where its cells have no types."""

    text: pd.DataFrame
    variables: dict[str, Variable]
    options: dict[str, Any]
    loose: bool = False
    blanked: dict[str, pd.Series] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


# --- text ------------------------------------------------------------------------------------


def _read_text(path: Path, content: bytes, options: dict[str, Any]) -> Read:
    encoding = options.get("encoding") or codec_of(content)[0]
    try:
        text = content.decode(encoding).lstrip("\ufeff")
    except (UnicodeDecodeError, LookupError) as error:
        row = content[: getattr(error, "start", 0)].count(b"\n") + 1
        hint = "say which it is in import.yaml, as in source: {encoding: cp1250}"
        raise DataError(
            [Problem(path.name, row, expected=f"not {encoding} text; {hint}")]
        ) from error
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
    return Read(table.text, {}, used, loose=True, notes=table.notes)


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


def _cell(value: Any) -> str:
    """A typed value as text: whole days for times, no `.0` for whole numbers."""
    if isinstance(value, str):
        return value.strip()
    if value is None or value is pd.NaT or value is pd.NA:
        return ""
    if isinstance(value, (bool, np.bool_)):
        return "yes" if value else "no"
    if isinstance(value, (datetime, date)):  # a Timestamp is a datetime
        return value.isoformat()[:10]
    if isinstance(value, (float, np.floating)):
        if np.isnan(value):
            return ""
        whole = abs(value) < 2**53 and value == int(value)  # beyond it digits are lost
        return str(int(value)) if whole else str(value)
    return str(value).strip()


def _variables(names: Iterable[str], columns: Iterable[list[Any]]) -> dict[str, Variable]:
    """Which columns hold dates, by their cells."""
    variables = {}
    for name, cells in zip(names, columns, strict=True):
        filled = [cell for cell in cells if _cell(cell)]
        dates = bool(filled) and all(isinstance(cell, date) for cell in filled)
        variables[name] = Variable(name, kind="date" if dates else "")
    return variables


def _typed(frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Variable]]:
    """A frame as text, and which of its columns hold dates."""
    frame = frame.set_axis([" ".join(str(name).split()) for name in frame.columns], axis=1)
    columns = [list(frame.iloc[:, place]) for place in range(frame.shape[1])]
    cells = {place: list(map(_cell, column)) for place, column in enumerate(columns)}
    text = pd.DataFrame(cells, index=range(2, len(frame) + 2), dtype=object)
    return text.set_axis(frame.columns, axis=1), _variables(frame.columns, columns)


def _read_excel(path: Path, content: bytes, options: dict[str, Any]) -> Read:
    """One sheet; dates come as dates, whichever day the workbook counts them from."""
    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on styles and validations, which are not read
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            sheets = [sheet.title for sheet in book.worksheets]
            sheet = _sheet(path.name, sheets, options.get("sheet"))
            book[sheet].reset_dimensions()  # some programs write a size that is wrong
            rows = [list(row) for row in book[sheet].iter_rows(values_only=True)]
        layout = layout_of(content, book[sheet]._worksheet_path)
    except DataError:
        raise
    except Exception as error:  # what a broken archive raises is anybody's guess
        raise _unreadable(path, "an Excel workbook (.xlsx)", error) from error
    raise_any(layout.problems(path.name))
    width = max((len(row) for row in rows), default=0)
    cells = [[*row, *[None] * (width - len(row))] for row in rows]
    table = table_of(path.name, [[_cell(cell) for cell in row] for row in cells], options)
    raise_any(layout.merged_problems(path.name, table.header_row))
    columns = [[cells[row - 1][place] for row in table.text.index] for place in table.places]
    variables = _variables(table.text, columns)
    used = {"sheet": sheet, **table.options}
    notes = [*table.notes, *layout.notes(table)]
    return Read(table.text, variables, used, loose=True, notes=notes)


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


def _read_parquet(path: Path, content: bytes, options: dict[str, Any]) -> Read:
    try:
        # Whole numbers beside blanks would else lose their last digits as decimals.
        frame = pd.read_parquet(io.BytesIO(content), dtype_backend="numpy_nullable")
    except ImportError:
        raise
    except Exception as error:
        raise _unreadable(path, "a Parquet file", error) from error
    if frame.index.name is not None:
        frame = frame.reset_index()
    text, variables = _typed(frame)
    for name, kind in zip(text.columns, frame.dtypes, strict=True):
        if isinstance(kind, pd.CategoricalDtype):
            variables[name].levels = {_cell(level): _cell(level) for level in kind.categories}
    return Read(text, variables, {})


def _statistical(function: str, what: str) -> Callable[[Path, bytes, dict[str, Any]], Read]:
    """A reader of a SAS, Stata or SPSS file, with its labels of columns and of values."""

    def reader(path: Path, content: bytes, options: dict[str, Any]) -> Read:
        import pyreadstat

        encoding = {"encoding": options["encoding"]} if options.get("encoding") else {}
        spss = {"user_missing": True} if function == "read_sav" else {}
        try:
            frame, about = getattr(pyreadstat, function)(path, **encoding, **spss)
        except Exception as error:
            raise _unreadable(path, what, error) from error
        text, variables = _typed(_single_precision(frame, about.readstat_variable_types))
        for name, variable in variables.items():
            variable.label = (about.column_names_to_labels.get(name) or "").strip()
            labels = about.variable_value_labels.get(name, {})
            variable.levels = _labels(labels)
            variable.labels = about.variable_to_label.get(name) or ""
            variable.format = about.original_variable_types.get(name) or ""
        blanked = {}
        for name, ranges in about.missing_ranges.items() if spss else ():
            if (missing := _within(frame[name], ranges).to_numpy()).any():
                blanked[name] = text.loc[missing, name].copy()
                text.loc[missing, name] = ""
        return Read(text, variables, encoding, blanked=blanked)

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


def _labels(labels: dict[Any, Any]) -> dict[str, str]:
    return {_cell(code): str(label).strip() for code, label in labels.items()}


def labelled(source: Source, catalog: Path) -> str:
    """Give a SAS file the labels of its values, which a catalog holds; returns its SHA-256.

    Raises DataError where it is no catalog, or has no labels of this file.
    """
    import pyreadstat

    if not catalog.is_file():
        raise DataError([f"{catalog}: not found"])
    try:
        _, about = pyreadstat.read_sas7bcat(catalog)
    except Exception as error:
        raise _unreadable(catalog, "a SAS catalog (.sas7bcat)", error) from error
    named = {name: v for name, v in source.variables.items() if v.labels in about.value_labels}
    if not named:
        raise DataError([f"{catalog.name}: has no labels of a column of {source.file}"])
    for variable in named.values():
        variable.levels = _labels(about.value_labels[variable.labels])
    return hashlib.sha256(catalog.read_bytes()).hexdigest()


def _single_precision(frame: pd.DataFrame, kinds: dict[str, str]) -> pd.DataFrame:
    """Stata's short numbers as they were typed: 12.3, not 12.300000190734863."""
    short = {name: np.float32 for name, kind in kinds.items() if kind == "float"}
    return frame.astype({name: kind for name, kind in short.items() if name in frame})


def _unreadable(path: Path, what: str, error: Exception) -> DataError:
    reason = " ".join(str(error).split()).replace(str(path), path.name)
    return DataError([f"{path.name}: cannot be read as {what}: {reason}"])


READERS: dict[str, tuple[str, Callable[[Path, bytes, dict[str, Any]], Read]]] = {
    **dict.fromkeys((".csv", ".tsv", ".txt"), ("text", _read_text)),
    **dict.fromkeys((".xlsx", ".xlsm"), ("excel", _read_excel)),
    **dict.fromkeys((".parquet", ".pq"), ("parquet", _read_parquet)),
    ".xpt": ("sas", _statistical("read_xport", "a SAS transport file")),
    ".sas7bdat": ("sas", _statistical("read_sas7bdat", "a SAS data file")),
    ".dta": ("stata", _statistical("read_dta", "a Stata file")),
    **dict.fromkeys((".sav", ".zsav"), ("spss", _statistical("read_sav", "an SPSS file"))),
}
_ENDINGS = "one of " + ", ".join(READERS)


def plain(value: float) -> str:
    """A number as it stands in patients.csv: its twelve leading digits, without an exponent.

    So 4.8 months of 30.4375 days are 146.1 days, and two days that are one stay one.
    """
    digits = format(Decimal(f"{value + 0.0:.12g}"), "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


# --- what a column holds ---------------------------------------------------------------------


def is_number(cells: pd.Series, share: float = 1.0) -> bool:
    """True where this share of the cells is a number, with a point for decimals."""
    return len(cells) > 0 and bool(cells.str.fullmatch(NUMBER).mean() >= share)


def is_date(source: Source, column: str) -> bool:
    """True where the file has dates in it, or text of which half and more says dates.

    The other half are slips, which are named as such: a typing error makes a date no category.
    """
    if column not in source.dates:
        cells = source.filled(column)
        shaped = cells.map({cell: looks_like_date(cell) for cell in cells.unique()})
        dates = source.variables[column].kind == "date" or (len(cells) > 0 and shaped.mean() >= 0.5)
        source.dates[column] = bool(dates)
    return source.dates[column]
