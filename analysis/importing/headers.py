"""Where a table begins: its header, what stands above it, and rows that are comments."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import pandas as pd

from ..dataset.cells import NUMBER
from ..dataset.problems import DataError, Problem, raise_any
from .dates import looks_like_date
from .missing import says_missing
from .words import sentence

ROW_NAMES = "row_names"  # what the first column is called where it has no name, as R writes it
Rows = dict[int, list[str]]


@dataclass
class Table:
    """The cells under their names; the index is the rows of the file, `places` its columns.

    `options` says how it was found, with the keys that `source` of a mapping may have; `notes`
    are lines for the report: what was left out.
    """

    text: pd.DataFrame
    places: list[int]
    header_row: int
    options: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def table_of(file: str, records: list[list[str]], options: dict[str, Any]) -> Table:
    """The header and the rows below it. Raises DataError where it is not known which it is."""
    cells = {n: [cell.strip() for cell in row] for n, row in enumerate(records, start=1)}
    rows = {number: row for number, row in cells.items() if any(row)}
    if not rows:
        raise DataError([Problem(file, 1, "", "nothing", "the names of the columns")])
    used, notes = {}, []
    if comments := _comments(file, rows, options):
        used["comment"] = "#"
        notes.append(sentence("comments", rows=listed_rows(comments)))
        rows = {number: row for number, row in rows.items() if number not in comments}
    header = _header(file, rows, options)
    above = [number for number in rows if number < header]
    if above or "header_row" in options:
        used["header_row"] = str(header)
        notes += [sentence("above_header", rows=listed_rows(above))] if above else []
    if second := _of_labels(rows, header):
        if "header_row" not in options:
            raise _ask(file, second, "words_over_numbers", header)
        notes.append(sentence("labels_left_out", row=second))
        del rows[second]
    body = {n: row for n, row in rows.items() if n > header}
    return _named(file, Table(pd.DataFrame(), [], header, used, notes), rows[header], body)


def listed_rows(rows: list[int]) -> str:
    """Row numbers in words, the first of them where they are many."""
    shown = ", ".join(map(str, rows[:10]))
    more = f" and {len(rows) - 10} more" if len(rows) > 10 else ""
    return f"{'rows' if len(rows) > 1 else 'row'} {shown}{more}"


def _ask(file: str, row: int, why: str, header: int = 0) -> DataError:
    hint = sentence("leaves_out", header=header, row=row) if header else ""
    hint = hint or sentence("say_header", header=row + 1)
    expected = f"{sentence(why)}; which row has the names of the columns? {hint}"
    return DataError([Problem(file, row, expected=expected)])


def _comments(file: str, rows: Rows, options: dict[str, Any]) -> list[int]:
    """Rows that begin with #, unless that is how the header or the patients' ids begin."""
    mark, header = options.get("comment", "#"), int(options.get("header_row", 0))
    marked = {n for n, row in rows.items() if row[0].startswith(mark) and len(row[0]) > len(mark)}
    first = next((place for place, n in enumerate(rows) if n not in marked), None)
    if not mark or first is None:
        return []
    leading, body = list(rows)[:first], list(rows)[first:]
    if leading and not header and "comment" not in options:
        alike = _reach(rows[leading[-1]]) == _reach(rows[body[0]])
        if alike and not _are_names(rows[body[0]]):
            leading = leading[:-1]
        elif alike and len(leading) == 1:
            raise _ask(file, leading[-1], "begins_with_mark")
    within = [n for n in body if n in marked]
    found = leading + (within if 2 * len(within) < len(body) else [])
    return [n for n in found if n != header and rows[n][0] not in ("#N/A", "#REF!")]


def _header(file: str, rows: Rows, options: dict[str, Any]) -> int:
    """The row of the header: the first, or the first below titles that has all the names."""
    if "header_row" in options:
        told = int(options["header_row"])
        if told not in rows:
            raise DataError([Problem(file, told, "", "nothing", "the names")])
        return told
    first = next(iter(rows))
    if len(rows) > 1 and all(NUMBER.fullmatch(cell) for cell in rows[first]):
        raise _ask(file, first, "numbers_only")
    if _covers(rows, first):
        return first
    found = next((n for n in list(rows)[1:30] if _are_names(rows[n]) and _covers(rows, n)), None)
    if found is not None and _is_above(rows, found):
        return found
    if _filled(rows[first]) <= 1 and max(map(_filled, rows.values())) > 2:
        raise _ask(file, first, "one_cell")
    return first


def _is_above(rows: Rows, header: int) -> bool:
    """Whether what stands above is a title, or what is below shows that this row is the header."""
    most = max(_filled(row) for n, row in rows.items() if n < header)
    below = [cell for n, row in rows.items() if n > header for cell in row]
    return most <= 1 or (_filled(rows[header]) > most and any(map(NUMBER.fullmatch, below)))


def _filled(row: list[str]) -> int:
    return sum(cell != "" for cell in row)


def _reach(row: list[str]) -> int:
    return max((place for place, cell in enumerate(row, start=1) if cell), default=0)


def _are_names(row: list[str]) -> bool:
    named = [cell for cell in row if cell]
    values = any(NUMBER.fullmatch(cell) or looks_like_date(cell) for cell in named)
    return not values and len(set(named)) == len(named)


def _covers(rows: Rows, header: int) -> bool:
    """Whether a row has a name for every column that is filled below it, but for row names."""
    names = rows[header]
    below = {p for n, row in rows.items() if n > header for p, cell in enumerate(row) if cell}
    nameless = below - {place for place, cell in enumerate(names) if cell} - {0}
    return not nameless or (nameless == {len(names)} and names[0] != "")  # R's: one name fewer


def _of_labels(rows: Rows, header: int) -> int | None:
    """The row below the names where it has labels or units, above at least two times numbers."""
    number, *below = [n for n in rows if n > header] or [header]
    if len(below) < 2 or any(NUMBER.fullmatch(c) or looks_like_date(c) for c in rows[number]):
        return None
    columns = zip_longest(*(rows[n] for n in below), fillvalue="")
    filled = [[c for c in column if c and not says_missing(c)] for column in columns]
    words = [_is_word(cell) for cell in rows[number]]
    numbers = [bool(cells) and not any(map(_is_word, cells)) for cells in filled]
    return number if sum(map(min, words, numbers)) > 1 else None


def _is_word(cell: str) -> bool:
    letters = any(map(str.isalpha, cell)) and not says_missing(cell)
    return letters and not NUMBER.fullmatch(cell)


def _named(file: str, table: Table, names: list[str], body: Rows) -> Table:
    """The table with its cells under their names."""
    names = [" ".join(name.split()) for name in names]
    if body and all(len(row) == len(names) + 1 and row[-1] for row in body.values()):
        names = ["", *names]  # R gives the names of its rows none
    reach = max((_reach(row) for row in body.values()), default=0)
    width = max(_reach(names), min(len(names), reach))
    raise_any(
        Problem(file, number, "", f"{len(row)} cells", f"{width} as in the header")
        for number, row in body.items()
        if len(row) < width or any(row[width:])
    )
    rows, places = [row[:width] for row in body.values()], range(width)
    text = pd.DataFrame(rows, index=list(body), columns=places, dtype=object)
    table.places = [place for place in places if names[place] or (text[place] != "").any()]
    called = []
    for place in table.places:
        name = names[place] or (f"column_{place + 1}" if place else ROW_NAMES)
        while not names[place] and name in names:
            name += "_"
        called.append(name)
        if not names[place] and place:
            table.notes.append(f"column {place + 1} has no name and is called {name}")
    table.text = text[table.places].set_axis(called, axis=1)
    return table
