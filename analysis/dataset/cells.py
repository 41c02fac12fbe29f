"""Tables of text from hospitals: their encoding, their delimiter, their rows, shapes of cells."""

from __future__ import annotations

import contextlib
import csv
import io
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from .problems import LISTED_AT_MOST, Problem, one_line

# Two million patients fit. Whatever is larger is no table of patients, or would fill the memory.
MOST_MEGABYTES = 200
MANY = 1_000_000  # signs of a text from which on a quicker reader pays its import
DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
# The first bytes of what people save under a name that ends in .csv.
NO_TEXT = {
    b"PK\x03\x04": "an Excel file or another zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"\x1f\x8b": "a gzip archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"7z\xbc\xaf": "a 7z archive",
    b"%PDF": "a PDF",
    b"$FL2": "an SPSS file",
    b"PAR1": "a Parquet file",
}
MARKS = {
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
SAVE = "save it as UTF-8 (in Excel: “CSV UTF-8”)"

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
_MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mai|okt|dez"
DATE = re.compile(  # whatever was meant for a date, be it one or not
    rf"\d{{4}}[-/.]\d\d?[-/.]\d\d?([T ].*)?|\d\d?[-/.]\d\d?[-/.](\d\d|\d{{4}})([T ].*)?"
    rf"|\d\d?[-. ]+({_MONTHS})[a-z]*\.?[-, ]+(\d{{4}}|\d\d)|({_MONTHS})[a-z]*\.? \d\d?, ?\d{{4}}",
    re.ASCII | re.IGNORECASE,
)
MISSING = {"na", "n/a", "nan", "null", "none", "-", "–", "?", ".", "missing", "unknown", "#n/a"}


@dataclass(frozen=True)
class TextTable:
    """Every cell as stripped text; the index of `cells` is the row of the file.

    Columns are categorical: of a million patients few have a text of their own. Rows that do not
    fit the header are left out and are among the `problems`. Parquet has no row of a header.
    """

    name: str
    header_row: int | None
    cells: pd.DataFrame
    problems: list[Problem] = field(default_factory=list)


def numbers(text: pd.Series) -> pd.Series:
    """Text as numbers, NaN where it is blank, or none, or more than a computer's numbers reach."""
    return each(text, _number, float)


def _number(cell: str) -> float:
    number = float(cell) if NUMBER.fullmatch(cell) else math.nan
    return number if abs(number) < math.inf else math.nan


def each(text: pd.Series, made: Callable[[str], object], kind: type) -> pd.Series:
    """What a function makes of each cell, asked once for each different text."""
    places, different = pd.factorize(text)
    found = np.array([made(cell) for cell in different], dtype=kind)
    return pd.Series(found[places], index=text.index, name=text.name)


# --- text ------------------------------------------------------------------------------------


def read_text(path: Path) -> tuple[str | None, list[Problem]]:
    """The text of a file, as far as it can be had, and what is wrong with it as a file of text."""
    name = path.name
    try:
        size = path.stat().st_size
        if size > MOST_MEGABYTES * 1_000_000:
            expected = f"at most {MOST_MEGABYTES} MB"
            return None, [Problem(name, found=f"{size / 1e6:,.0f} MB", expected=expected)]
        data = path.read_bytes()
    except OSError as error:
        return None, [Problem(name, expected=f"cannot be read: {error.strerror}")]
    if what := no_text(data):
        expected = f"{what}, not text; open it and {SAVE.replace('it ', 'the table ', 1)}"
        return None, [Problem(name, expected=expected)]
    codec, row = codec_of(data)
    text, problems = data.decode(codec, "replace").lstrip("\ufeff"), []
    if not codec.startswith("utf-8"):
        seems = codec[:6].upper()
        if codec == "cp1252":
            lacking = "\ufffd" in text
            text = data.decode("latin-1") if lacking else text
            seems = "a code page of one language" if lacking else "Windows-1252 (Latin-1)"
        problems.append(
            Problem(name, row, expected=f"not UTF-8 text; it seems to be {seems}; {SAVE}")
        )
    problems += nul_problems(name, text)
    return text.replace("\0", ""), problems


def no_text(data: bytes) -> str:
    """What a file is by its first bytes; blank where it may be text."""
    return next((what for first, what in NO_TEXT.items() if data.startswith(first)), "")


def codec_of(data: bytes) -> tuple[str, int | None]:
    """The encoding of a text, and its first row that is not UTF-8 where no mark says another.

    What is not UTF-8 is taken for what Excel and SAS write on Windows in the west.
    """
    marked = next((codec for mark, codec in MARKS.items() if data.startswith(mark)), None)
    if marked:
        return marked, None
    start = data[:1000]
    for codec, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        if len(start) > 3 and zeros.count(0) > 0.8 * len(zeros):  # English: every second is zero
            return codec, None
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return "cp1252", data[: error.start].count(b"\n") + 1
    return "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8", None


def nul_problems(name: str, text: str) -> Iterator[Problem]:
    """The first NUL byte of a text."""
    if "\0" in text:
        row = text.count("\n", 0, text.index("\0")) + 1
        yield Problem(name, row, expected="a NUL byte, which no text has; remove it")


# --- rows and cells --------------------------------------------------------------------------


def delimiter_of(text: str, spaces: bool = False) -> str:
    """The one that cuts most of the first rows into equally many cells; a space at the last."""

    def cut(delimiter: str) -> tuple[float, int]:
        lines = io.StringIO(text[:100_000], newline="")
        rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=delimiter == " ")
        first = [row for row, _ in zip(rows, range(30), strict=False) if row]
        widths = [len(row) for row in first if not row[0].startswith("#")] or [1]
        usual = max(set(widths), key=lambda width: (widths.count(width), width))
        return (widths.count(usual) / len(widths), usual) if usual > 1 else (0, 1)

    best = max(DELIMITERS, key=cut)
    # R's write.table parts by spaces, and its header has one name fewer.
    return " " if spaces and cut(best)[0] == 0 and cut(" ")[0] > 0.5 else best


def records(text: str, delimiter: str, strict: bool = True) -> tuple[list[list[str]], int | None]:
    """The rows of a text, blank ones too, and the row of a quote that swallows those below it.

    `strict` also refuses a quote within a cell.
    """
    end, found = "\x1e", []  # it stands alone in the last row, or within the quote
    lines = io.StringIO(f"{text}\n{end}", newline="")
    spaced = delimiter == " "
    csv.field_size_limit(max(len(text), 2**17))  # a cell may be as long as all of it
    with contextlib.suppress(csv.Error):
        found += csv.reader(lines, delimiter=delimiter, strict=strict, skipinitialspace=spaced)
    if found[-1:] == [[end]]:
        return found[:-1], None
    swallowing = len(found) + strict
    return found[: swallowing - 1], max(swallowing, 1)


def read_table(path: Path) -> TextTable | list[Problem]:
    """A table of text, separated by commas. Returns the problems alone where there is no table."""
    text, problems = read_text(path)
    if text is None:
        return problems
    delimiter = delimiter_of(text)
    if delimiter != ",":
        expected = f"separated by {DELIMITERS[delimiter]}, expected commas"
        problems.append(Problem(path.name, expected=expected))
    elif len(text) > MANY and (quick := _plain_lines(text)):
        header, cells = quick
        problems += header_problems(path.name, 1, header)
        return TextTable(path.name, 1, named(cells, header), problems)
    found, swallowing = records(text, delimiter)
    if swallowing:
        expected = 'a quote (") is not closed or stands within a cell; the rows below are not read'
        problems.append(Problem(path.name, swallowing, expected=expected))
    rows = {
        number: record
        for number, record in enumerate(found, start=1)
        if len(record) > 1 or any(map(str.strip, record))
    }
    if not rows:
        if not problems:
            expected = "empty; expected a header and a row a patient"
            problems.append(Problem(path.name, expected=expected))
        return problems
    header_row = next(iter(rows))
    header = [cell.strip() for cell in rows.pop(header_row)]
    fitting = {
        number: row
        for number, row in rows.items()
        if len(row) == len(header) and any(map(str.strip, row))
    }
    unfitting = {number: row for number, row in rows.items() if number not in fitting}
    problems += _ragged(path.name, unfitting, len(header))
    columns = zip(*fitting.values(), strict=True) if fitting else [()] * len(header)
    read = (pd.factorize(np.array(column, dtype=object)) for column in columns)
    texts = {place: stripped(different, codes) for place, (codes, different) in enumerate(read)}
    cells = pd.DataFrame(texts, index=list(fitting))
    problems += header_problems(path.name, header_row, header)
    return TextTable(path.name, header_row, named(cells, header), problems)


def named(cells: pd.DataFrame, header: list[str]) -> pd.DataFrame:
    """The columns that have a name, each once."""
    cells.columns = header
    return cells.loc[:, [bool(name) for name in header] & ~cells.columns.duplicated()]


def _plain_lines(text: str) -> tuple[list[str], pd.DataFrame] | None:
    """Header and cells of a large text in which a line is a row, ten times as fast.

    None where it has quotes, blank rows or rows that do not fit, or is too short to be a table.
    """
    import pyarrow as pa
    import pyarrow.csv  # slow to import, and seldom needed

    if '"' in text or "\0" in text or text.count("\r") != text.count("\r\n"):
        return None
    lines = text.replace("\r\n", "\n").strip("\n")
    first, _, rest = lines.partition("\n")
    blank = "\n\n" in lines or text.startswith(("\n", "\r")) or not first.strip()
    if blank or not rest or "\ufeff" in rest:  # Arrow would leave out a mark of bytes
        return None
    header = first.split(",")
    kinds = {str(place): pa.dictionary(pa.int32(), pa.string()) for place in range(len(header))}
    try:
        table = pa.csv.read_csv(
            pa.py_buffer(rest.encode()),
            read_options=pa.csv.ReadOptions(column_names=[*kinds]),
            parse_options=pa.csv.ParseOptions(quote_char=False, ignore_empty_lines=False),
            convert_options=pa.csv.ConvertOptions(column_types=kinds, strings_can_be_null=False),
        ).unify_dictionaries()
    except pa.ArrowInvalid:  # a row that does not fit: it is found one by one
        return None
    columns = {place: of_arrow(column, str) for place, column in enumerate(table.columns)}
    cells = pd.DataFrame(columns, index=range(2, table.num_rows + 2))
    if (cells == "").all(axis=1).any():
        return None
    return [name.strip() for name in header], cells


def of_arrow(column, text: Callable[[object], str]) -> pd.Categorical:
    """A column of Arrow by its different texts; what is missing is blank."""
    coded = column.combine_chunks()
    coded = coded if hasattr(coded, "dictionary") else coded.dictionary_encode()
    texts = [text(value) for value in coded.dictionary.to_pylist()]
    places = coded.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
    return stripped(np.array([*texts, ""], dtype=object), places)


def stripped(different: np.ndarray, places: np.ndarray) -> pd.Categorical:
    """A column of some different texts, without the blanks around them; `places` says where."""
    again, texts = pd.factorize(np.array([text.strip() for text in different], dtype=object))
    return pd.Categorical.from_codes(again[places], texts)


def _ragged(name: str, ragged: dict[int, list[str]], width: int) -> Iterator[Problem]:
    """The rows that have not as many cells as the header, or only blank ones."""
    for number, row in list(ragged.items())[:LISTED_AT_MOST]:
        if any(map(str.strip, row)):
            found, expected = f"{len(row)} cells", f"{width} as in the header"
        else:
            found, expected = "", "every cell is blank; delete the row"
        # The number of cells is no patient's value, so it may always be shown.
        hidden = f"found {found}, expected {expected}" if found else ""
        yield Problem(name, number, found=found, expected=expected, hidden=hidden)
    if (more := len(ragged) - LISTED_AT_MOST) > 0:
        yield Problem(name, expected=f"{more} more rows with other than {width} filled cells")


def header_problems(name: str, row: int | None, header: list[str]) -> Iterator[Problem]:
    for number, column in enumerate(header, start=1):
        if not column:
            yield Problem(name, row, expected=f"column {number} has no name")
        elif column in header[: number - 1]:
            hidden = f"column {number} has the name of one before it"
            expected = f"column {one_line(column)} stands twice"
            yield Problem(name, row, expected=expected, hidden=hidden)
