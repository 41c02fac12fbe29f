"""The tables of a book as files: each for Word and for Excel, and all of them in one of each.

They are read from the finished pages. So a file says cell for cell what its page shows, masked
where the page is masked, and a table is made once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lxml import html

from ..page.tables import ALL_TABLES, FOLDER, Row, Table

UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]")  # signs that no XML may hold


@dataclass(frozen=True)
class Chapter:
    """A page with tables: its title, the tables, whose notes end with their source."""

    title: str
    tables: tuple[Table, ...]


def write_tables(folder: Path, pages: Iterable[str]) -> None:
    """Write the tables of the named pages of the book in `folder` beside them."""
    from .excel import workbook  # slow to import, and of no use to the other commands
    from .word import document

    chapters = [found for page in pages if (found := chapter(folder / f"{page}.html")).tables]
    target = folder / FOLDER
    target.mkdir()
    alone = [
        (table.name, [Chapter(found.title, (table,))])
        for found in chapters
        for table in found.tables
    ]
    for name, found in [*alone, (ALL_TABLES, chapters)]:
        (target / f"{name}.docx").write_bytes(document(found))
        (target / f"{name}.xlsx").write_bytes(workbook(found))


def chapter(page: Path) -> Chapter:
    """A finished page's own title and tables; not the list of its numbers, which is a file."""
    tree = html.document_fromstring(page.read_bytes())
    title = "".join(tree.xpath("//article//h1/text()"))
    source = "".join(tree.xpath('//meta[@name="plateau:source"]/@content'))
    found = tree.xpath('//table[@id and contains(concat(" ", @class, " "), " data ")]')
    return Chapter(_plain(title), tuple(_table(node, tree, source) for node in found))


def _table(node: html.HtmlElement, tree: html.HtmlElement, source: str) -> Table:
    name = node.get("id")
    caption = tree.get_element_by_id(f"{name}-caption")
    after = node.getparent().getnext()
    notes = after.findall("p") if after is not None and after.get("class") == "table-notes" else []
    return Table(
        name,
        _plain(caption.text_content()),
        [_plain(cell.text_content()) for cell in node.iterfind("thead/tr/th")],
        list(map(_row, node.iterfind("tbody/tr"))),
        [*map(_note, notes), *filter(None, [_plain(source)])],
    )


def _row(line: html.HtmlElement) -> Row:
    heading, *cells = (_plain(cell.text_content()) for cell in line)
    level = re.search(r"level-(\d+)", line.get("class", ""))
    return Row(heading, cells, int(level[1]) if level else 0)


def _note(line: html.HtmlElement) -> str:
    """A note without its way back to the table."""
    return _plain(line.text_content()).removesuffix(" ↑")


def _plain(text: str) -> str:
    return UNSEEN.sub("", text).strip()
