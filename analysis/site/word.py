"""Tables as a Word document, in the style of journals: three lines, and notes under the table."""

from __future__ import annotations

import html
import io
import zipfile
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING

import docx
from docx.enum.style import WD_STYLE_TYPE
from docx.oxml.ns import nsdecls, qn
from docx.shared import Pt, RGBColor

from ..page.tables import Row, Table
from .parts import archive

if TYPE_CHECKING:
    from .tables import Chapter

BODY = "word/document.xml"
FONT = "Arial"
SIZES = {"Normal": 10, "Caption": 10, "Heading 1": 14}  # points
OURS = {"Table Text": (9, 1), "Table Note": (8, 2)}  # and of what stands around a paragraph
PAPER = 11906, 16838  # A4, in twentieths of a point
MARGIN = 1134
NARROWEST, WIDEST = 5, 40  # signs of a cell before it wraps
UPRIGHT = 120  # signs that a line of an upright sheet has room for


def document(chapters: Sequence[Chapter]) -> bytes:
    """The tables of the chapters, under their titles where there are several of them.

    The text is WordprocessingML (ECMA-376, part 1, section 17), written as it stands: python-docx
    makes the document around it, and would take seconds for the cells of a book.
    """
    texts = "".join(_chapters(chapters))
    file = io.BytesIO(_empty())
    with archive(file, "a") as parts:
        parts.writestr(BODY, f"<w:document {nsdecls('w')}><w:body>{texts}</w:body></w:document>")
    return file.getvalue()


@cache
def _empty() -> bytes:
    """A document with our styles and without a body, as a file."""
    made = docx.Document()
    made.core_properties.author = made.core_properties.comments = ""
    for style in [style for style in made.styles if style.type == WD_STYLE_TYPE.TABLE]:
        style.delete()
    links = made.part.rels
    for name in [name for name in links if links[name].reltype.endswith("stylesWithEffects")]:
        del links[name]  # half of the bytes, for Word 2007
    for name, (size, around) in OURS.items():
        style = made.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
        style.base_style, style.font.size = made.styles["Normal"], Pt(size)
        style.paragraph_format.space_before = style.paragraph_format.space_after = Pt(around)
    for name, size in SIZES.items():
        style = made.styles[name]
        style.font.name, style.font.size, style.font.color.rgb = FONT, Pt(size), RGBColor(0, 0, 0)
        fonts = style.element.rPr.rFonts
        for attribute in [key for key in fonts.attrib if "Theme" in key]:
            del fonts.attrib[attribute]
        fonts.set(qn("w:eastAsia"), FONT)
    made.styles["Caption"].paragraph_format.keep_with_next = True
    whole, file = io.BytesIO(), io.BytesIO()
    made.save(whole)
    with zipfile.ZipFile(whole) as old, archive(file, "w") as new:
        for name in old.namelist():
            if name != BODY:
                new.writestr(name, old.read(name))
    return file.getvalue()


def _chapters(chapters: Sequence[Chapter]) -> Iterator[str]:
    """Each table with what stands around it; where the sheet turns, a section ends."""
    turned: bool | None = None
    for chapter in chapters:
        for place, table in enumerate(chapter.tables):
            wide = sum(_widths(table)) > UPRIGHT
            if turned not in (None, wide):
                yield f"<w:p><w:pPr>{_sheet(turned)}</w:pPr></w:p>"
            turned = wide
            if len(chapters) > 1 and place == 0:
                yield _paragraph("Heading1", chapter.title)
            yield _paragraph("Caption", table.caption)
            yield _table(table, PAPER[wide] - 2 * MARGIN)
            yield from (_paragraph("TableNote", note) for note in table.notes)
            yield _paragraph("Normal", "")
    yield _sheet(turned)


def _sheet(turned: bool | None) -> str:
    """A4, upright or turned."""
    width, height = PAPER[::-1] if turned else PAPER
    margins = " ".join(f'w:{side}="{MARGIN}"' for side in ("top", "right", "bottom", "left"))
    kind = 'w:orient="landscape"' if turned else ""
    return (
        f'<w:sectPr><w:pgSz w:w="{width}" w:h="{height}" {kind}/>'
        f'<w:pgMar {margins} w:header="567" w:footer="567" w:gutter="0"/></w:sectPr>'
    )


def _paragraph(style: str, text: str, more: str = "", letters: str = "") -> str:
    """`more` are properties of the paragraph, `letters` of what is written."""
    return (
        f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{more}</w:pPr><w:r><w:rPr>{letters}</w:rPr>'
        f'<w:t xml:space="preserve">{html.escape(text)}</w:t></w:r></w:p>'
    )


def _table(table: Table, room: int) -> str:
    widths = _widths(table)
    grid = "".join(f'<w:gridCol w:w="{room * width // sum(widths)}"/>' for width in widths)
    under = f"<w:tcBorders>{_rule('bottom', 4)}</w:tcBorders>"
    head = "".join(_cell(name, kind=under, letters="<w:b/>") for name in table.columns)
    lines = "".join(_line(row, len(table.columns)) for row in table.rows)
    return (
        '<w:tbl><w:tblPr><w:tblW w:w="5000" w:type="pct"/>'
        f"<w:tblBorders>{_rule('top', 8)}{_rule('bottom', 8)}</w:tblBorders></w:tblPr>"
        f"<w:tblGrid>{grid}</w:tblGrid>"
        f"<w:tr><w:trPr><w:cantSplit/><w:tblHeader/></w:trPr>{head}</w:tr>{lines}</w:tbl>"
    )


def _widths(table: Table) -> list[int]:
    """How many signs wide each column is."""
    lines = [table.columns, *((row.heading, *row.cells) for row in table.rows if row.cells)]
    return [
        min(WIDEST, max(NARROWEST, *map(len, column)) + 2) for column in zip(*lines, strict=True)
    ]


def _rule(side: str, eighths: int) -> str:
    """A line as thick as so many eighths of a point."""
    return f'<w:{side} w:val="single" w:sz="{eighths}" w:space="0" w:color="000000"/>'


def _line(row: Row, columns: int) -> str:
    if row.cells:
        indent = f'<w:ind w:left="{200 * row.level}"/>'
        cells = _cell(row.heading, indent) + "".join(_cell(str(cell)) for cell in row.cells)
    else:
        merged = f'<w:gridSpan w:val="{columns}"/>'
        cells = _cell(row.heading, "<w:keepNext/>", merged, "<w:b/>")
    return f"<w:tr><w:trPr><w:cantSplit/></w:trPr>{cells}</w:tr>"


def _cell(text: str, more: str = "", kind: str = "", letters: str = "") -> str:
    inside = _paragraph("TableText", text, more, letters)
    return f"<w:tc><w:tcPr>{kind}</w:tcPr>{inside}</w:tc>"
