"""Charts and tables that leave their page: each says by itself what it is and whence it came."""

from __future__ import annotations

import csv
import io
import re
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import docx
import openpyxl
import pytest
from conftest import often
from pypdf import PdfReader
from taken import differing, in_excel, in_word, on_pages

from analysis.page.tables import Row, Table
from analysis.site.excel import workbook
from analysis.site.tables import Chapter, chapter
from analysis.site.word import document
from benchmarks.pages import DRAWN

SVG = "{http://www.w3.org/2000/svg}"
# Of each format: millimetres of width, pixels of width, dots an inch.
FORMATS = {"column": (89, 1051, 300), "page": (183, 2161, 300), "slide": (338.67, 1920, 144)}
# What a chart that has left its page says, by its page.
SAID = {
    "figure_1a": [
        "Figure 1A. Overall survival from first dose of blinatumomab, 259 patients.",
        "Median: 7.5 months (95% CI, 5.5–8.5).", "Survival was ", " at 24 months",
        "Months since first dose of blinatumomab", "At risk", "259", "94", "57", "Censored", "208",
        "Shaded: 95% confidence band.", "259 adults with relapsed or refractory ALL (synthetic)",
        "blinatumomab 1.0.0", "Synthetic cohort: no patient data.",
    ],
    "bmt/figure_1c": [
        "Relapse by disease.", "Relapse from ", "ALL, 38 patients", "Incidence of relapse",
        "Months since transplant", "— AML low risk", "AML high risk", "38", "54", "45", "17",
        "137 patients with", "bmt 2.0.0",
    ],
    "myeloid/figure_1a": [
        "646 patients", "Overall survival", "Months since", "Arm A", "Arm B", "myeloid 2.0.0",
    ],
    "bmt/table_3": ["Table 3,", "Overall survival in 137 patients.", "Hazard ratio (log scale)"],
    "patients": ["259 patients.", "No HSCT in remission", "Synthetic cohort: no patient data."],
    "lesson_03_plateau": ["Share of patients", "Months since", "Cut at: ", "Synthetic cohort"],
}  # fmt: skip
DAILY = ("figure_1a", "bmt/figure_1c", "bmt/table_3", "lesson_03_plateau")  # one of each kind
# Texts of a drawing that reach over its edge, measured on the page that has its font.
OVER_THE_EDGE = """text => {
    document.body.insertAdjacentHTML('afterbegin', text);
    const svg = document.body.firstElementChild, edge = svg.getBoundingClientRect();
    const found = [...svg.querySelectorAll('text')].filter(one => {
        const box = one.getBoundingClientRect();
        return box.left < edge.left - 1 || box.right > edge.right + 1
            || box.top < edge.top - 1 || box.bottom > edge.bottom + 1;
    }).map(one => one.textContent);
    svg.remove();
    return found;
}"""


@pytest.fixture
def visit(browser) -> Iterator:
    """Opens pages from the disk, in the dark; `visit.errors` has what went wrong."""
    context = browser.new_context(color_scheme="dark", reduced_motion="reduce")
    page = context.new_page()
    page.errors = []
    page.on("console", lambda m: m.type == "error" and page.errors.append(m.text))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    yield page
    context.close()


def opened(visit, site: Path, name: str):
    """The first chart of a page that is in sight, its menu open."""
    visit.goto((site / f"{name}.html").as_uri())
    visit.wait_for_function(DRAWN, timeout=15_000)
    figure = visit.locator(".chart-figure:visible").first
    figure.locator("summary", has_text="Download").click()
    return figure


def saved(visit, figure, kind: str, size: str) -> bytes:
    with visit.expect_download() as download:
        figure.locator(f'[data-save="{kind}"][data-format="{size}"]').click()
    assert download.value.suggested_filename.endswith(f"-{size}.{kind}")
    return Path(download.value.path()).read_bytes()


def without_space(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("name", often(SAID, *DAILY))
def test_a_chart_takes_with_it_what_it_shows(site: Path, visit, name: str) -> None:
    """Words, numbers at risk and source, as drawing and as PDF, in every size."""
    figure = opened(visit, site, name)
    drawing = ElementTree.fromstring(saved(visit, figure, "svg", "column"))
    texts = [text for text in drawing.iter(f"{SVG}text") if "".join(text.itertext())]
    said = " ".join("".join(text.itertext()) for text in texts)
    assert [words for words in SAID[name] if words not in said] == []
    assert ("synthetic" in said.lower()) == ("/" not in name)
    assert "…" not in said
    assert "Source: " in said  # where on its page the chart stays quiet
    assert "Source: " not in figure.locator(".chart").text_content()
    assert visit.evaluate(OVER_THE_EDGE, ElementTree.tostring(drawing, "unicode")) == []
    points = 89 / 25.4 * 72 / float(drawing.get("viewBox").split()[2])
    sizes = [float(text.get("font-size").removesuffix("px")) for text in texts]
    assert min(sizes) * points >= 6
    pdf = PdfReader(io.BytesIO(saved(visit, figure, "pdf", "column"))).pages
    printed = without_space(pdf[0].extract_text())
    assert [words for words in SAID[name] if without_space(words) not in printed] == []
    fonts = pdf[0]["/Resources"]["/Font"].values()
    assert {font.get_object()["/BaseFont"] for font in fonts} == {"/Arimo"}  # and it is within
    assert visit.errors == []


def test_a_drawing_is_saved_to_be_seen_anywhere(site: Path, visit) -> None:
    """Plain colours on white, in the dark too, with the words for who cannot see it."""
    figure = opened(visit, site, "table_3")
    for size in FORMATS:
        text = saved(visit, figure, "svg", size).decode("utf-8")
        drawing = ElementTree.fromstring(text)
        assert "var(" not in text and "currentColor" not in text
        paper = drawing[1].attrib
        assert (paper["width"], paper["height"], paper["fill"]) == ("100%", "100%", "#fff")
        assert "#0072b2" in text and "#d55e00" in text
        assert "Forest plot. Overall survival" in drawing[0].text
        assert visit.evaluate(OVER_THE_EDGE, text) == []
    assert visit.errors == []


def test_a_picture_has_the_size_that_is_asked_for(site: Path, visit) -> None:
    """In pixels, and in dots an inch, so that Word and PowerPoint place it as wide as it should."""
    figure = opened(visit, site, "figure_1a")
    for size, (width, pixels, dots) in FORMATS.items():
        picture = saved(visit, figure, "png", size)
        wide, high = struct.unpack(">II", picture[16:24])
        assert wide == pixels
        assert picture[37:41] == b"pHYs"
        assert struct.unpack(">IIB", picture[41:50]) == (*[round(dots / 0.0254)] * 2, 1)
        assert struct.unpack(">I", picture[50:54])[0] == zlib.crc32(picture[37:50])
        box = PdfReader(io.BytesIO(saved(visit, figure, "pdf", size))).pages[0].mediabox
        assert float(box.width) / 72 * 25.4 == pytest.approx(width, abs=0.1)
        assert float(box.height / box.width) == pytest.approx(high / wide, abs=0.002)
    assert (wide, high) == (1920, 1080)
    assert visit.errors == []


def test_a_label_that_the_font_lacks_makes_the_pdf_a_picture(site: Path, visit) -> None:
    figure = opened(visit, site, "figure_1a")
    figure.evaluate("figure => { figure.dataset.said = '総生存率' }")
    pdf = PdfReader(io.BytesIO(saved(visit, figure, "pdf", "column"))).pages[0]
    assert pdf.extract_text().strip() == ""
    assert [image.image.width for image in pdf.images] == [2102]


def test_a_long_label_wraps_and_a_word_without_an_end_is_cut(site: Path, visit) -> None:
    figure = opened(visit, site, "figure_1a")
    figure.evaluate(
        "figure => { figure.dataset.said = 'Of a long group '.repeat(9) + 'x'.repeat(150) }"
    )
    text = saved(visit, figure, "svg", "column").decode("utf-8")
    assert visit.evaluate(OVER_THE_EDGE, text) == []
    assert text.count("x" * 20) > 1


def test_what_the_reader_has_chosen_is_saved(site: Path, visit) -> None:
    figure = opened(visit, site, "lesson_03_plateau")
    before = saved(visit, figure, "svg", "page").decode("utf-8")
    slider = figure.locator(".chart-choice input")
    slider.press("Home")
    slider.press("ArrowRight")
    after = saved(visit, figure, "svg", "page").decode("utf-8")
    words = f"Cut at: {figure.locator('.chart-choice output').inner_text()}."
    assert words in after and words not in before
    lines = re.compile(r'<path[^>]* d="[^"]*"')
    assert lines.findall(before) != lines.findall(after)


def test_without_vega_the_drawing_of_the_page_is_saved(site: Path, visit) -> None:
    visit.route("**/vendor/vega.min.js", lambda route: route.abort())
    visit.goto((site / "figure_1a.html").as_uri())
    figure = visit.locator(".chart-figure").first
    figure.locator("summary", has_text="Download").click()
    drawing = ElementTree.fromstring(saved(visit, figure, "svg", "page"))
    said = " ".join("".join(text.itertext()) for text in drawing.iter(f"{SVG}text"))
    assert [words for words in SAID["figure_1a"] if words not in said] == []


# --- tables --------------------------------------------------------------------------------------


@pytest.mark.parametrize("slug", often(["", "bmt", "myeloid"], "bmt"))
def test_the_files_of_a_table_say_what_its_page_says(site: Path, slug: str) -> None:
    """Cell for cell, with caption, notes and source."""
    assert len(on_pages(site / slug)) > 50
    assert differing(site / slug) == []


def test_word_opens_the_tables_and_repeats_their_heads(site: Path) -> None:
    made = docx.Document(site / "tables" / "all-tables.docx")
    assert len(made.tables) == len(on_pages(site))
    assert all(table.rows[0]._tr.trPr.xpath("w:tblHeader") for table in made.tables)
    headings = [part.text for part in made.paragraphs if part.style.name == "Heading 1"]
    assert headings.index("Table 1. The patients at baseline") < headings.index("Scorecard")
    group = docx.Document(site / "tables" / "table_3.docx").tables[0].rows[1]
    assert {cell._tc for cell in group.cells} == {group.cells[0]._tc}  # over all columns


HOSTILE = [
    "=1+1",
    "@SUM(A1)",
    "+5",
    "-3",
    "\tx",
    "<b>&amp;",
    "0.10",
    "1,234",
    "−12.5%",
    "007",
    "x\u0001y",
]


@pytest.fixture
def hostile(tmp_path: Path) -> Chapter:
    """A page with one table, whose labels a spreadsheet might take for something else."""
    rows = [Row("=A", [cell, "1"]) for cell in HOSTILE]
    made = Table("t", "=T", ("A", "=B", "C"), [Row("+group"), *rows], ["-note"])
    meta = '<meta name="plateau:source" content="Source: a test.">'
    page = tmp_path / "page.html"
    page.write_text(f"<html><head><meta charset='utf-8'>{meta}</head><body><article><h1>Page</h1>"
                    f"{made._html()}</article></body></html>", "utf-8")  # fmt: skip
    return chapter(page)


def test_a_label_never_becomes_a_formula(hostile: Chapter, tmp_path: Path) -> None:
    wanted = [cell.strip().replace("\u0001", "") for cell in HOSTILE]
    for made, read in ((workbook, in_excel), (document, in_word)):
        file = tmp_path / "made.xlsx"
        file.write_bytes(made([hostile]))
        [(caption, lines, notes)] = read(file)
        assert (caption, lines[0], lines[1]) == ("=T", ["A", "=B", "C"], ["+group"])
        assert [line[:2] for line in lines[2:]] == [["=A", cell] for cell in wanted]
        assert notes == ["-note", "Source: a test."]
    sheet = openpyxl.load_workbook(io.BytesIO(workbook([hostile]))).active
    kinds = {shown.value: (shown.data_type, shown.quotePrefix) for shown in sheet["B"][3:14]}
    assert kinds["=1+1"] == kinds["+5"] == kinds["-3"] == ("s", True)
    assert (kinds[0.1], kinds[1234], kinds[-0.125], kinds["007"]) == (
        ("n", False), ("n", False), ("n", False), ("s", False),
    )  # fmt: skip


def test_equal_tables_give_equal_files(hostile: Chapter) -> None:
    for made in (workbook, document):
        assert made([hostile]) == made([hostile])


def test_the_menu_of_a_table_offers_its_files(site: Path, visit) -> None:
    """Excel reads the CSV as UTF-8; it ends with its source, in a row as long as the others."""
    visit.goto((site / "table_3.html").as_uri())
    menu = visit.locator(".table-files").first
    menu.locator("summary").click()
    links = menu.locator("a:visible")
    assert links.all_inner_texts() == [
        "Word",
        "Word, all tables",
        "Excel",
        "Excel, all tables",
        "CSV",
    ]
    for link in links.all()[:4]:
        assert (site / link.get_attribute("href")).stat().st_size > 5000
    with visit.expect_download() as download:
        links.last.click()
    assert download.value.suggested_filename == "blinatumomab-table_3.csv"
    text = Path(download.value.path()).read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    lines = list(csv.reader(io.StringIO(text.decode("utf-8-sig"))))
    assert lines[-1][0].startswith("# Source: ") and "Synthetic cohort" in lines[-1][0]
    assert len({len(line) for line in lines if len(line) > 1}) == 1
    assert unquote(links.last.get_attribute("aria-label")).startswith("CSV: Table 3")
