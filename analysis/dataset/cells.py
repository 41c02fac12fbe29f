"""Files of text as they come from hospitals: read if they are one, named if they are not."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from .problems import LISTED_AT_MOST, Problem, one_line

# Half a million patients fit. Whatever is larger is no table of patients, or would fill the memory.
MOST_MEGABYTES = 50
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
    b"\xff\xfe\x00\x00": "UTF-32",
    b"\x00\x00\xfe\xff": "UTF-32",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}
SAVE = "save it as UTF-8 (in Excel: “CSV UTF-8”)"


@dataclass(frozen=True)
class TextTable:
    """Every cell as stripped text; the index of `cells` is the row of the file.

    Rows that do not fit the header are left out and are among the `problems`.
    """

    name: str
    header_row: int
    cells: pd.DataFrame
    problems: list[Problem] = field(default_factory=list)


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
    for first, what in NO_TEXT.items():
        if data.startswith(first):
            expected = f"{what}, not text; open it and {SAVE.replace('it ', 'the table ', 1)}"
            return None, [Problem(name, expected=expected)]
    text, problems = _decoded(name, data)
    if "\0" in text:
        row = _row_of(text, text.index("\0"))
        problems.append(Problem(name, row, expected="a NUL byte, which no text has; remove it"))
    return text.replace("\0", ""), problems


def read_table(path: Path, known: Collection[str]) -> TextTable | list[Problem]:
    """A table of text; `known` are names of columns, which tell the header's delimiter.

    Returns the problems alone where there is no table.
    """
    text, problems = read_text(path)
    if text is None:
        return problems
    delimiter = _delimiter(text, known)
    if delimiter != ",":
        expected = f"separated by {DELIMITERS[delimiter]}, expected commas"
        problems.append(Problem(path.name, expected=expected))
    records = _records(path.name, text, delimiter, problems)
    header_row, header = next(records, (1, None))
    if header is None:
        if not problems:
            expected = "empty; expected a header and a row a patient"
            problems.append(Problem(path.name, expected=expected))
        return problems
    header = [name.strip() for name in header]
    rows = list(_fitting(path.name, records, len(header), problems))
    cells = pd.DataFrame(
        [row for _, row in rows], index=[number for number, _ in rows], columns=header, dtype=object
    )
    problems += _header_problems(path.name, header_row, header)
    named = cells.loc[:, [bool(name) for name in header] & ~cells.columns.duplicated()]
    return TextTable(path.name, header_row, named, problems)


# --- encoding --------------------------------------------------------------------------------


def _decoded(name: str, data: bytes) -> tuple[str, list[Problem]]:
    """Text in UTF-8, with or without its mark; else the best guess, and the problem."""
    marked = next((kind for mark, kind in MARKS.items() if data.startswith(mark)), None)
    guess = marked or unmarked_utf_16(data)
    if guess:
        codec = guess.lower() if marked else guess
        expected = f"not UTF-8 text; it seems to be {guess[:6].upper()}; {SAVE}"
        return data.decode(codec, "replace").lstrip("\ufeff"), [Problem(name, expected=expected)]
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        try:
            text, seems = data.decode("cp1252"), "Windows-1252 (Latin-1)"
        except UnicodeDecodeError:
            text, seems = data.decode("latin-1"), "a code page of one language"
        expected = f"not UTF-8 text; it seems to be {seems}; {SAVE}"
        return text, [Problem(name, row, expected=expected)]


def unmarked_utf_16(data: bytes) -> str | None:
    """English in UTF-16 has a zero in every second byte."""
    start = data[:1000]
    for codec, zeros in (("utf-16-le", start[1::2]), ("utf-16-be", start[::2])):
        if len(start) > 3 and zeros.count(0) > 0.8 * len(zeros):
            return codec
    return None


def _row_of(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


# --- rows and cells --------------------------------------------------------------------------


def _delimiter(text: str, known: Collection[str]) -> str:
    """The delimiter that finds most of the known names in the first line; a comma in doubt."""
    first = next((line for line in text.splitlines() if line.strip()), "")

    def names(delimiter: str) -> int:
        return len({cell.strip(' "') for cell in first.split(delimiter)} & set(known))

    return max(DELIMITERS, key=names)


def _records(
    name: str, text: str, delimiter: str, problems: list[Problem]
) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not blank, with its number; a quote that swallows the rest ends them."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 0
    try:
        for number, record in enumerate(reader, start=1):
            if len(record) > 1 or any(cell.strip() for cell in record):
                yield number, record
    except csv.Error:
        expected = 'a quote (") is not closed or stands within a cell; the rows below are not read'
        problems.append(Problem(name, number + 1, expected=expected))


def _fitting(
    name: str, records: Iterator[tuple[int, list[str]]], width: int, problems: list[Problem]
) -> Iterator[tuple[int, list[str]]]:
    """The rows with as many cells as the header."""
    ragged = 0
    for number, record in records:
        cells = [cell.strip() for cell in record]
        if len(cells) == width and any(cells):
            yield number, cells
            continue
        ragged += 1
        if ragged > LISTED_AT_MOST:
            continue
        if any(cells):
            found, expected = f"{len(cells)} cells", f"{width} as in the header"
        else:
            found, expected = "", "every cell is blank; delete the row"
        # The number of cells is no patient's value, so it may always be shown.
        hidden = f"found {found}, expected {expected}" if found else ""
        problems.append(Problem(name, number, found=found, expected=expected, hidden=hidden))
    if ragged > LISTED_AT_MOST:
        expected = f"{ragged - LISTED_AT_MOST} more rows with other than {width} filled cells"
        problems.append(Problem(name, expected=expected))


def _header_problems(name: str, row: int, header: list[str]) -> Iterator[Problem]:
    for number, column in enumerate(header, start=1):
        if not column:
            yield Problem(name, row, expected=f"column {number} has no name")
        elif column in header[: number - 1]:
            hidden = f"column {number} has the name of one before it"
            expected = f"column {one_line(column)} stands twice"
            yield Problem(name, row, expected=expected, hidden=hidden)
