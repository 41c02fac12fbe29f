"""Tables as an Excel workbook, a sheet each: caption, head, rows as they are shown, notes."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from openpyxl import Workbook
from openpyxl.cell import Cell
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.writer.excel import ExcelWriter

from ..page.tables import FORMULA, Table
from .parts import LONG_AGO, archive

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from .tables import Chapter

NUMBER = re.compile(r"(−?)(0|[1-9]\d*|[1-9]\d{0,2}(?:,\d{3})+)((?:\.\d+)?)(%?)")
EXACT = 15  # digits that a number of a workbook keeps
NAME = 31  # signs that the name of a sheet may have
NARROWEST, WIDEST = 8, 60  # signs
BOLD = Font(name="Calibri", size=11, bold=True)
THIN = Side(style="thin")
WRAPPED = Alignment(wrap_text=True, vertical="top")


def workbook(chapters: Sequence[Chapter]) -> bytes:
    """The tables of the chapters; where there are several, the first sheet lists them."""
    made = Workbook()
    sheet = made.active
    tables = [(chapter.title, table) for chapter in chapters for table in chapter.tables]
    if len(tables) == 1:
        sheet.title = tables[0][1].name[:NAME]
        _fill(sheet, tables[0][1])
    else:
        sheet.title = "Contents"
        sheets = [
            made.create_sheet(f"{number} {table.name}"[:NAME])
            for number, (_, table) in enumerate(tables, start=1)
        ]
        for line, (other, (title, table)) in enumerate(zip(sheets, tables, strict=True), start=1):
            _fill(other, table)
            for place, text in enumerate((other.title, title, table.caption), start=1):
                _put(sheet.cell(line, place), text)
            sheet.cell(line, 1).hyperlink = f"#'{other.title}'!A1"
        for letter, width in zip("ABC", (NAME, 40, 80), strict=True):
            sheet.column_dimensions[letter].width = width
    made.properties.created = made.properties.modified = LONG_AGO
    file = io.BytesIO()
    ExcelWriter(made, archive(file, "w")).save()
    return file.getvalue()


def _fill(sheet: Worksheet, table: Table) -> None:
    columns = len(table.columns)
    _put(sheet.cell(1, 1), table.caption, BOLD)
    for place, name in enumerate(table.columns, start=1):
        head = _put(sheet.cell(2, place), name, BOLD)
        head.alignment, head.border = WRAPPED, Border(top=THIN, bottom=THIN)
    for line, row in enumerate(table.rows, start=3):
        first = _put(sheet.cell(line, 1), row.heading, None if row.cells else BOLD)
        first.alignment = Alignment(wrap_text=bool(row.cells), vertical="top", indent=row.level)
        for place, text in enumerate(map(str, row.cells), start=2):
            _put(sheet.cell(line, place), text).alignment = WRAPPED
        if not row.cells and columns > 1:
            sheet.merge_cells(start_row=line, end_row=line, start_column=1, end_column=columns)
    under = 3 + len(table.rows)
    for place in range(1, columns + 1):
        sheet.cell(under, place).border = Border(top=THIN)
    for line, note in enumerate(table.notes, start=under):
        _put(sheet.cell(line, 1), note)
    sheet.freeze_panes = "B3"
    full = [(row.heading, *map(str, row.cells)) for row in table.rows if row.cells]
    for place, texts in enumerate(zip(table.columns, *full, strict=True), start=1):
        width = min(WIDEST, max(NARROWEST, *map(len, texts)) + 2)
        sheet.column_dimensions[get_column_letter(place)].width = width


def _put(cell: Cell, text: str, font: Font | None = None) -> Cell:
    """A number that is shown as it stands in the table; all else is text, and never a formula."""
    number = NUMBER.fullmatch(text)
    if number and sum(map(str.isdigit, text)) <= EXACT:
        minus, whole, fraction, percent = number.groups()
        value = float((minus and "-") + whole.replace(",", "") + fraction)
        cell.value = value / 100 if percent else value if fraction else int(value)
        shape = f"{'#,##0' if ',' in whole else '0'}{re.sub(r'[0-9]', '0', fraction)}{percent}"
        cell.number_format = f"{shape};−{shape}"
    else:
        cell.value = text
        cell.data_type = "s"
        cell.quotePrefix = text.startswith(FORMULA)
    if font:
        cell.font = font
    return cell
