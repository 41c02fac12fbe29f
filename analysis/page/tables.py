"""Tables of a page: text rows in, accessible HTML out."""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import quote

import pandas as pd

from .alignment import aligned, is_numeric
from .formats import DAGGER, full, row_id, row_number
from .prose import Prose
from .quantities import MASKED, MISSING, NOT_ESTIMABLE

# A note that begins with one of these belongs to the cells that end with it.
MARKS = (DAGGER, "‡", "§", "¶")
# What a part of a note explains, with which it begins: a mark, a dash, letters of ours.
EXPLAINED = re.compile(
    rf"(?P<mark>[{''.join(MARKS)}*])(?= )|(?:{MISSING}|(?P<short>CI|HR|P|SD|SMD))(?=, )"
)
FOLDER, ALL_TABLES = "tables", "all-tables"  # of a book: the files that analysis/site writes
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # with which a spreadsheet lets a formula begin
BOM = "\ufeff"  # without it Excel takes UTF-8 for the signs of a Western machine
ABBREVIATIONS = {
    "AIC": "Akaike information criterion",
    "CI": "confidence interval",
    "HR": "hazard ratio",
    MASKED: "a small number of patients, or one that would give it back",
    "mo": "months",
    NOT_ESTIMABLE: "without an event, with all events on one side of the factor, or with a factor "
    "that does not vary",
    "OS": "overall survival",
    "RFS": "relapse-free survival",
    "SD": "standard deviation",
}


@dataclass(frozen=True)
class Row:
    """One line: its heading, its cells, how deep it is indented; without cells a subheading.

    `rows` are the numbers of the rows of the results that it speaks of, where a script asks.
    """

    heading: str
    cells: Sequence[str | Prose] = ()
    level: int = 0
    rows: Sequence[int] = ()


@dataclass(frozen=True)
class Table:
    """A table for the page. Everything in it is text; markup in a label shows as it was written.

    Only a cell that is Prose keeps its links. `words` tells a table of words from one of numbers:
    its lines may wrap. With `cards` a narrow screen shows a card for each row. `abbreviations` are
    those of the dataset; the notes explain those that the table uses. What a note explains of signs
    that the table does not have is left out.
    """

    name: str
    caption: str
    columns: Sequence[str]
    rows: Sequence[Row]
    notes: Sequence[str] = field(default=())
    words: bool = False
    cards: bool = False
    abbreviations: Mapping[str, str] = field(default_factory=dict)

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/html": self._html(), "text/plain": self._plain()}

    def _html(self) -> str:
        head = "".join(
            f'<th{self._role("columnheader")} scope="col">{html.escape(name)}</th>'
            for name in self.columns
        )
        body = "\n".join(map(self._row, self.rows, self._inside()))
        kind = "data" + " words" * self.words + " cards" * self.cards
        group, row = self._role("rowgroup"), self._role("row")
        name = html.escape(self.name)
        # The caption stands outside, so that it does not scroll away with a wide table.
        return (
            f'<p class="table-caption" id="{name}-caption">{html.escape(self.caption)}</p>\n'
            f'<div class="table-wrap" tabindex="0" role="region" '
            f'aria-labelledby="{name}-caption">\n'
            f'<table class="{kind}" id="{name}"{self._role("table")} '
            f'aria-labelledby="{name}-caption">\n'
            f"<thead{group}><tr{row}>{head}</tr></thead>\n"
            f"<tbody{group}>\n{body}\n</tbody>\n</table>\n</div>\n"
            + self._notes()
            + self._download()
        )

    def _inside(self) -> list[list[str]]:
        """The HTML within the heading and the cells of each row, numbers under each other."""
        full = [(row.heading, *map(self._unmarked, row.cells)) for row in self.rows if row.cells]
        columns = [
            self._column(number, cells) for number, cells in enumerate(zip(*full, strict=True))
        ]
        made = map(list, zip(*columns, strict=True))
        return [next(made) if row.cells else [html.escape(row.heading)] for row in self.rows]

    def _column(self, number: int, cells: Sequence[str | Prose]) -> list[str]:
        """Among words, as in headings, a cell may begin with a number and be none."""
        linked = any(isinstance(cell, Prose) for cell in cells)
        if linked or ((self.words or number == 0) and not all(map(is_numeric, cells))):
            return [_shown(cell) for cell in cells]
        return aligned(cells)

    def _role(self, name: str) -> str:
        """A row that is laid out as a card would lose its place in the table without its role."""
        return f' role="{name}"' if self.cards else ""

    def _row(self, row: Row, inside: Sequence[str]) -> str:
        heading, *cells = inside
        role, head = self._role("row"), self._role("rowheader")
        if not cells:
            span = len(self.columns)
            return (
                f'<tr class="group"{role}><th{head} scope="rowgroup" colspan="{span}">'
                f"<span>{heading}</span></th></tr>"
            )
        inner = "".join(
            f"<td{self._role('cell')}{self._kind(cell)}>{shown}{self._link(cell)}</td>"
            for cell, shown in zip(row.cells, cells, strict=True)
        )
        of = f' data-rows="{" ".join(map(str, row.rows))}"' if row.rows else ""
        kind = f'class="level-{row.level}"{of}{role}'
        return f'<tr {kind}><th{head} scope="row">{heading}</th>{inner}</tr>'

    def _kind(self, cell: str | Prose) -> str:
        """Among words a cell of numbers is told apart, so that it does not wrap."""
        return ' class="number"' if self.words and not any(map(str.isalpha, str(cell))) else ""

    def _marks(self) -> dict[str, str]:
        """The marks that a note explains, with the id of the note."""
        return {
            note[0]: f"{self.name}-note-{number}"
            for number, note in enumerate(self._own_notes, start=1)
            if note.startswith(MARKS)
        }

    @cached_property
    def _own_notes(self) -> list[str]:
        """The notes without their parts that explain what neither table nor notes have."""
        shown = " ".join([self.caption, *self.columns, *self._lines()])
        every = [part for note in self.notes for part in re.split(r"(?<=\.) |; ", note)]

        def kept(part: str) -> bool:
            sign = EXPLAINED.match(part)
            if sign is None or sign["mark"]:
                return sign is None or sign[0] in shown
            others = [one for one in every if part not in one] if sign["short"] else []
            return _has_word(" ".join([shown, *others]), sign[0])

        def told(sentence: str) -> str:
            end = "." * sentence.endswith(".")
            parts = "; ".join(filter(kept, sentence.removesuffix(".").split("; ")))
            return parts and parts + end

        notes = [filter(None, map(told, re.split(r"(?<=\.) ", note))) for note in self.notes]
        return [*filter(None, map(" ".join, notes))]

    def _lines(self) -> list[str]:
        """The text of each row."""
        return [" ".join((row.heading, *map(str, row.cells))) for row in self.rows]

    def _unmarked(self, cell: str | Prose) -> str | Prose:
        """A cell without its mark. Prose has links of its own, and no mark."""
        marked = isinstance(cell, str) and cell and cell[-1] in self._marks()
        return cell[:-1] if marked else cell

    def _link(self, cell: str | Prose) -> str:
        """From the mark of a cell to its note; nothing where the cell has none."""
        if cell is self._unmarked(cell):
            return ""
        mark = cell[-1]
        address = html.escape(self._marks()[mark])
        return f'<a class="note-mark" href="#{address}" aria-label="note {mark}">{mark}</a>'

    def _notes(self) -> str:
        marks = self._marks()
        notes = "".join(self._note(note, marks.get(note[:1], "")) for note in self._every_note())
        return f'<div class="table-notes">{notes}</div>\n' if notes else ""

    def _note(self, note: str, place: str) -> str:
        """A note; one of a mark has its place on the page, and a way back."""
        text = html.escape(note)
        if not place:
            return f"<p>{text}</p>"
        back = f'<a href="#{html.escape(self.name)}" aria-label="back to the table">↑</a>'
        return f'<p id="{html.escape(place)}" tabindex="-1">{text} {back}</p>'

    def _every_note(self) -> list[str]:
        """The notes, and what the abbreviations mean that they do not explain."""
        noted = " ".join(self._own_notes)
        text = " ".join([self.caption, *self.columns, *self._lines(), noted])
        missing = [
            f"{short}, {words}"
            for short, words in sorted({**ABBREVIATIONS, **self.abbreviations}.items())
            if _has_word(text, short) and f"{short}, " not in noted
        ]
        return [*self._own_notes, *([f"{'; '.join(missing)}."] if missing else [])]

    def _download(self) -> str:
        """The menu of the table's files: of the CSV in the link itself, of the others beside it."""
        name, caption = html.escape(self.name), html.escape(self.caption)
        alone, every = f"{FOLDER}/{name}", f"{FOLDER}/{ALL_TABLES}"
        csv_file = f"data:text/csv;charset=utf-8,{quote(BOM + self._csv())}"
        whole = "all tables of this book"
        files = {
            "For a manuscript": [
                ("Word", f"{alone}.docx", f"Word: {caption}"),
                ("Word, all tables", f"{every}.docx", f"Word, {whole}"),
            ],
            "To compute with": [
                ("Excel", f"{alone}.xlsx", f"Excel: {caption}"),
                ("Excel, all tables", f"{every}.xlsx", f"Excel, {whole}"),
                ("CSV", csv_file, f"CSV: {caption}"),
            ],
        }
        menu = "".join(
            f"<dt>{use}</dt><dd>"
            + "".join(
                f'<a download="{name + ".csv" if words == "CSV" else ""}" '
                f'aria-label="{label}" href="{address}">{words}</a>'
                for words, address, label in links
            )
            + "</dd>"
            for use, links in files.items()
        )
        return (
            f'<div class="table-files"><details><summary aria-label="Download: {caption}">'
            f"Download</summary><dl>{menu}</dl></details></div>\n"
        )

    def _csv(self) -> str:
        """The table as it stands, its caption and notes in rows of their own under it.

        Each of them is in the first cell after "# ", and the row has as many cells as the head, so
        that a program can leave these out.
        """
        text = io.StringIO()
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(self.columns)
        lines.writerows(
            [_inert(str(cell)) for cell in (row.heading, *row.cells)] for row in self.rows
        )
        lines.writerows(
            [f"# {said}", *[""] * (len(self.columns) - 1)]
            for said in (self.caption, *self._every_note())
        )
        return text.getvalue()

    def _plain(self) -> str:
        lines = [" | ".join(self.columns)]
        lines += [
            " | ".join(["  " * row.level + row.heading, *map(str, row.cells)]) for row in self.rows
        ]
        return "\n".join([self.caption, *lines, *self._every_note()])


def _has_word(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def _shown(cell: str | Prose) -> str:
    return cell.html if isinstance(cell, Prose) else html.escape(cell)


def _inert(cell: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


@dataclass(frozen=True)
class Numbers:
    """The rows of a page's results behind a click. Links in the text lead to them by `row_id`."""

    page: str
    results: pd.DataFrame

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/html": self._html(), "text/plain": f"{self._many()}."}

    def _many(self) -> str:
        return f"{len(self.results)} row{'' if len(self.results) == 1 else 's'}"

    def _html(self) -> str:
        head = "".join(f'<th scope="col">{name}</th>' for name in ("Row", *self.results.columns))
        body = "\n".join(self._row(row) for _, row in self.results.iterrows())
        page = html.escape(self.page)
        summary = f"{self._many()}, as in {page}.csv, made by {page}.ipynb"
        return (
            f'<details class="numbers"><summary>{summary}</summary>\n'
            f'<div class="table-wrap" tabindex="0" role="region" aria-label="{summary}">\n'
            f'<table class="data"><thead><tr>{head}</tr></thead>\n'
            f"<tbody>\n{body}\n</tbody></table></div></details>\n"
        )

    def _row(self, row: pd.Series) -> str:
        values = (full(row[name]) for name in self.results.columns[2:])
        cells = "".join(
            f"<td>{html.escape(text)}</td>" for text in (row["quantity"], row["group"], *values)
        )
        return f'<tr id="{row_id(row)}"><th scope="row">{row_number(row)}</th>{cells}</tr>'
