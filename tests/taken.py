"""What the files of a book's tables hold, read again, and what its pages show."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import openpyxl
from lxml import etree
from lxml.html import document_fromstring
from openpyxl.cell import Cell

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
Found = tuple[str, list[list[str]], list[str]]  # caption, lines of cells, notes


@cache
def on_pages(html: Path) -> dict[str, Found]:
    """Every table of the pages of a book by its name."""
    made = {}
    for page in sorted(html.glob("*.html")):
        tree = document_fromstring(page.read_bytes())
        [source] = tree.xpath("//meta[@name='plateau:source']/@content") or [""]
        for table in tree.xpath("//table[@id][contains(@class, 'data')]"):
            lines = [[cell.text_content().strip() for cell in line] for line in table.iter("tr")]
            caption = tree.get_element_by_id(f"{table.get('id')}-caption")
            notes = table.getparent().getnext().xpath("self::*[@class='table-notes']/p")
            said = [note.text_content().removesuffix(" ↑") for note in notes]
            made[table.get("id")] = caption.text_content(), lines, [*said, source]
    return made


def in_word(path: Path) -> Iterator[Found]:
    """The tables of a Word document, each with the caption before and the notes after it."""
    with zipfile.ZipFile(path) as parts:
        body = etree.fromstring(parts.read("word/document.xml"))[0]
    for table in body.findall(f"{W}tbl"):
        lines = [[text_of(cell) for cell in line.iter(f"{W}tc")] for line in table.iter(f"{W}tr")]
        notes = []
        for after in table.itersiblings():
            if style_of(after) != "TableNote":
                break
            notes.append(text_of(after))
        assert style_of(table.getprevious()) == "Caption"
        yield text_of(table.getprevious()), lines, notes


def style_of(paragraph: etree._Element) -> str:
    found = paragraph.find(f"{W}pPr/{W}pStyle")
    return "" if found is None else found.get(f"{W}val")


def text_of(part: etree._Element) -> str:
    return "".join(text.text or "" for text in part.iter(f"{W}t"))


def in_excel(path: Path) -> Iterator[Found]:
    """The tables of a workbook as Excel shows them; a list of its sheets is none."""
    for sheet in openpyxl.load_workbook(path):
        if sheet.title == "Contents":
            continue
        (caption, *_), *rows = [[shown(cell) for cell in row] for row in sheet.iter_rows()]
        width = sheet.max_column
        merged = {cells.min_row for cells in sheet.merged_cells.ranges}
        ruled = [n for n, row in enumerate(sheet.iter_rows(), 1) if row[0].border.top.style]
        head, under = ruled[0], ruled[-1]
        lines = [
            row[:1] if number in merged else row
            for number, row in enumerate(rows[head - 2 : under - 2], start=head)
        ]
        assert all(len(line) in (1, width) for line in lines)
        yield caption, lines, [row[0] for row in rows[under - 2 :]]


def shown(cell: Cell) -> str:
    """What Excel shows of a cell: a number in the shape of `0.00`, with its sign."""
    if cell.value is None:
        return ""
    if isinstance(cell.value, str):
        assert cell.data_type == "s", cell.coordinate
        return cell.value
    shape = cell.number_format.split(";")[0]
    decimals = len(re.sub(r"^[#,0]*0\.?|%$", "", shape))
    value = abs(cell.value) * (100 if shape.endswith("%") else 1)
    text = f"{value:{',' if ',' in shape else ''}.{decimals}f}" + "%" * shape.endswith("%")
    return ("−" if cell.value < 0 else "") + text


def differing(html: Path) -> list[str]:
    """The files of a book that say something else than its pages, or that are missing."""
    pages = on_pages(html)
    folder = html / "tables"
    readers = {"docx": in_word, "xlsx": in_excel}
    wrong = [
        f"{name}.{kind}"
        for name, found in pages.items()
        for kind, read in readers.items()
        if list(read(folder / f"{name}.{kind}")) != [found]
    ]
    every = sorted(pages.values())
    wrong += [k for k, read in readers.items() if sorted(read(folder / f"all-tables.{k}")) != every]
    names = {f"{name}.{kind}" for name in [*pages, "all-tables"] for kind in readers}
    return wrong + sorted(names ^ {path.name for path in folder.iterdir()})
