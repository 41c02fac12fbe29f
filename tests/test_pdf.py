"""The book as one PDF: every page in order, every link inside, every chart whole and with words.

Each day a book of some of its pages is printed, the whole one where all tests are run.
"""

from __future__ import annotations

import io
import os
import re
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from unittest import mock
from urllib.parse import urlsplit

import pytest
from bs4 import BeautifulSoup, Tag
from conftest import ROOT, command, often
from pypdf import PdfReader
from pypdf.generic import ArrayObject, DictionaryObject

from analysis import __main__ as program
from analysis.course.learner import lessons
from analysis.dataset.model import load
from analysis.page.contents import places
from analysis.site import pdf
from analysis.site.pages import BuildError

NOTE = "Synthetic cohort: no patient data."


# Words, charts, wide tables, links of each kind; `index` is always there.
SOME = ("figure_1a", "table_3", "scorecard", "lesson_06_immortal_time", "methods", "bibliography")


@pytest.fixture(scope="module", params=often(("the whole book", "some pages"), "some pages"))
def book(request, site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The html folder of the paper's book, or one with some of its pages."""
    some = request.param == "some pages"
    return with_pages(site, tmp_path_factory.mktemp("pages"), *SOME) if some else site


@pytest.fixture(scope="module")
def printed(book: Path, site: Path, browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book as the command prints it; `browser` skips where there is none."""
    target = tmp_path_factory.mktemp("print") / "plateau.pdf"
    if book == site:
        target = ROOT / "_build" / "plateau.pdf"
        said = obeyed("pdf", browser)
        assert said == f"The PDF is at _build/plateau.pdf ({len(PdfReader(target).pages)} pages)\n"
    else:
        with mock.patch.object(pdf, "chromium", lambda _: nullcontext(browser)):
            assert pdf.write_pdf(book, target) == len(PdfReader(target).pages)
    return target


def obeyed(command: str, browser) -> str:
    """What a command says that starts a browser: here it is there."""
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(io.StringIO()) as said:
        patch.chdir(ROOT)
        patch.setattr(pdf, "chromium", lambda _: nullcontext(browser))
        assert program.main([command]) == 0
    return said.getvalue()


@pytest.fixture(scope="module")
def reader(printed: Path) -> PdfReader:
    return PdfReader(printed)


@pytest.fixture(scope="module")
def texts(reader: PdfReader) -> list[str]:
    """The words of each page."""
    return [plain(page.extract_text()) for page in reader.pages]


@pytest.fixture(scope="module")
def volume(book: Path) -> pdf.Volume:
    """The book as the command reads it, which takes seconds."""
    return pdf.read(book)


@pytest.fixture(scope="module")
def joined(volume: pdf.Volume) -> str:
    """What the browser is given to print."""
    return pdf.document(volume, {})


@pytest.fixture(scope="module")
def articles(book: Path) -> dict[str, BeautifulSoup]:
    """The pages of the table of contents by name, in its order, as the site has them."""
    names = [page.name for page in places(load(ROOT / "data" / "blinatumomab"))]
    return {
        name: BeautifulSoup((book / f"{name}.html").read_bytes(), "html.parser").article
        for name in names
        if (book / f"{name}.html").exists()
    }


@pytest.fixture(scope="module")
def titles(articles: dict[str, BeautifulSoup]) -> list[str]:
    return [plain(article.h1.find(string=True)) for article in articles.values()]


@pytest.fixture(scope="module")
def starts(reader: PdfReader, articles: dict[str, BeautifulSoup]) -> dict[str, int]:
    """The page of the PDF, counted from 0, on which each page of the site begins."""
    places = reader.named_destinations
    return {name: reader.get_destination_page_number(places[f"/{name}"]) for name in articles}


def plain(text: str) -> str:
    """Text as it was before a font joined its letters, with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def without_spaces(text: str) -> str:
    return "".join(plain(text).split())


def links(reader: PdfReader) -> Iterator[DictionaryObject]:
    for page in reader.pages:
        for annotation in page.get("/Annots", ()):
            if annotation.get_object()["/Subtype"] == "/Link":
                yield annotation.get_object()


def tagged(node: DictionaryObject) -> Iterator[DictionaryObject]:
    """All elements of the tree that tells a screen reader what is what."""
    yield node
    below = node.get("/K", ArrayObject()).get_object()
    for child in below if isinstance(below, list) else [below]:
        child = child.get_object()
        if isinstance(child, DictionaryObject):
            yield from tagged(child)


def fonts(reader: PdfReader) -> dict[str, DictionaryObject]:
    """Every font of every page by its name; those of pictures too."""
    found = {}

    def look(resources: DictionaryObject) -> None:
        for font in (resources.get("/Font") or {}).values():
            found[font.get_object().get("/BaseFont", "/Type3")] = font.get_object()
        for thing in (resources.get("/XObject") or {}).values():
            if "/Resources" in thing.get_object():
                look(thing.get_object()["/Resources"].get_object())

    for page in reader.pages:
        look(page["/Resources"].get_object())
    return found


# What is of no use on paper.
TAKEN = "#the-books, #the-code-of-this-page, #the-numbers-of-this-page"


# --- what is in it -------------------------------------------------------------------------------


def test_every_page_is_there_in_reading_order(
    reader: PdfReader, texts: list[str], titles: list[str], starts: dict[str, int]
) -> None:
    chapters = [entry for entry in reader.outline if not isinstance(entry, list)]
    assert [plain(entry.title) for entry in chapters] == ["Contents", *titles]
    pages = [reader.get_destination_page_number(entry) for entry in chapters]
    assert pages[1:] == list(starts.values()) == sorted(set(starts.values()))
    assert pages[0] == 1
    for title, page in zip(titles, pages[1:], strict=True):
        assert without_spaces(title) in without_spaces(texts[page])


def test_the_contents_give_the_page_that_a_chapter_has(
    texts: list[str], titles: list[str], starts: dict[str, int]
) -> None:
    for title, page in zip(titles, starts.values(), strict=True):
        assert f"{title} {page + 1} " in f"{texts[1]} ", title
        assert re.search(rf"{re.escape(title)} {page + 1}(?!\d)", texts[page]), "its foot"


def test_the_sections_of_a_page_are_in_the_outline(
    reader: PdfReader, articles: dict[str, BeautifulSoup]
) -> None:
    below = [entry for entry in reader.outline if isinstance(entry, list)]
    shown = [[plain(e.title) for e in entries if not isinstance(e, list)] for entries in below]
    sections = [
        [plain(h.find(string=True)) for h in page.select(f"h2:not(:is({TAKEN}) h2)")]
        for page in articles.values()
    ]
    assert shown == [names for names in sections if names]


def test_every_link_leads_to_a_page_of_it_or_to_another_host(
    reader: PdfReader, articles: dict[str, BeautifulSoup], starts: dict[str, int]
) -> None:
    inside, outside = [], []
    for link in links(reader):
        if "/Dest" in link:
            inside.append(str(link["/Dest"]))
        else:
            outside.append(str(link["/A"]["/URI"]))
    assert {urlsplit(address).scheme for address in outside} <= {"http", "https", "mailto"}
    assert not [address for address in outside if re.search(r"localhost|127\.0\.0\.1", address)]
    places = reader.named_destinations
    assert set(inside) <= set(places)
    ends = dict(zip(starts, [*list(starts.values())[1:], len(reader.pages)], strict=True))
    for place in set(inside):
        name = place[1:].split("--")[0]
        page = reader.get_destination_page_number(places[place])
        assert starts[name] <= page < ends[name], place
    # A link over two lines is two in a PDF, so there may be more than on the pages.
    wanted = [a for article in articles.values() for a in article.select("a.internal[href]")]
    wanted = [a for a in wanted if "download" not in a.attrs and leads_to(a) in {"", *articles}]
    assert len(inside) >= len(wanted) + len(articles) > 50
    assert len(outside) >= len(articles["bibliography"].select("a.external"))


def leads_to(link: Tag) -> str:
    """The name of the page of a link, none of its own."""
    return urlsplit(link["href"]).path.removesuffix(".html")


def test_every_chart_is_there_whole_and_with_words(
    reader: PdfReader, texts: list[str], articles: dict[str, BeautifulSoup], starts: dict[str, int]
) -> None:
    charts = [(name, c) for name, a in articles.items() for c in a.select(".chart")]
    assert len(charts) >= 5
    tree = tagged(reader.trailer["/Root"]["/StructTreeRoot"])
    figures = [node for node in tree if node.get("/S") == "/Figure" and "/Alt" in node]
    assert [figure["/Alt"] for figure in figures] == [chart["aria-label"] for _, chart in charts]
    pages = [without_spaces(text) for text in texts]
    for name, chart in charts:
        seen = chart.select("svg text:not([opacity='0'])")
        said = {without_spaces(text.get_text()) for text in seen}
        assert any(all(word in page for word in said) for page in pages[starts[name] :]), name


def test_every_page_says_that_the_cohort_is_synthetic(
    site: Path, tmp_path: Path, texts: list[str], joined: str
) -> None:
    """And none of patients does: tests/test_site.py looks for it on all pages of their books."""
    assert [number for number, text in enumerate(texts, 1) if NOTE not in text] == []
    assert NOTE in joined
    assert NOTE not in pdf.document(pdf.read(with_pages(site / "bmt", tmp_path, "table_1")), {})


def with_pages(site: Path, folder: Path, *names: str) -> Path:
    """A site of the first page and a few others, in a folder."""
    (folder / "_static").symlink_to(site / "_static")
    front = BeautifulSoup((site / "index.html").read_bytes(), "html.parser")
    for entry in front.select(".bd-docs-nav .toctree-l1"):
        if entry.a["href"].removesuffix(".html") not in (*names, "#"):
            entry.decompose()
    (folder / "index.html").write_text(str(front), "utf-8")
    for name in names:
        text = (site / f"{name}.html").read_text("utf-8")
        (folder / f"{name}.html").write_text(text, "utf-8")
    return folder


def test_the_cover_says_what_made_it(texts: list[str], site: Path) -> None:
    front = BeautifulSoup((site / "index.html").read_bytes(), "html.parser")
    told = front.select(".logo__title, .plateau-dataset, .plateau-provenance dd, .component-author")
    assert len(told) == 7
    for words in told:
        assert without_spaces(words.get_text()) in without_spaces(texts[0])
    assert "it is no evidence" in texts[0]


# --- how it looks --------------------------------------------------------------------------------


def test_no_page_is_empty(texts: list[str]) -> None:
    assert [number for number, text in enumerate(texts, 1) if len(text) < 150] == []


def test_everything_fits_the_paper(site: Path, browser) -> None:
    """Nothing of the whole book is wider than a page, or higher if its end must not cut it."""
    joined = pdf.document(pdf.read(site), {})
    page = browser.new_page(viewport={"width": 642, "height": 971})  # A4 without its margins
    page.emulate_media(media="print")
    page.set_content(joined)
    page.evaluate("() => Promise.all([...document.images].map(image => image.decode()))")
    assert page.evaluate(WIDE) == []
    assert page.evaluate(CUT) == []
    page.close()


WIDE = """() => [...document.querySelectorAll("main *")]
  .filter(tag => !tag.closest("math") && tag.getBoundingClientRect().right > innerWidth + 1)
  .map(tag => tag.outerHTML.slice(0, 100))"""
CUT = """() => [...document.querySelectorAll("figure, tr, li, .formula, .citation")]
  .filter(tag => tag.getBoundingClientRect().height > innerHeight
    || getComputedStyle(tag).breakInside !== "avoid")
  .map(tag => tag.outerHTML.slice(0, 100))"""


def test_all_fonts_are_in_it(reader: PdfReader) -> None:
    found = fonts(reader)
    assert found
    for name, font in found.items():
        for part in font.get("/DescendantFonts", [font]):
            descriptor = part.get_object().get("/FontDescriptor", {})
            assert font["/Subtype"] == "/Type3" or {"/FontFile2", "/FontFile3"} & set(descriptor), (
                name
            )


def test_it_has_the_letters_of_the_site(reader: PdfReader) -> None:
    fonts = {str(font.get_object()["/BaseFont"]) for page in reader.pages[:12]
             for font in page["/Resources"].get("/Font", {}).values()}  # fmt: skip
    assert any("Literata" in name for name in fonts) and any("Inter" in name for name in fonts)


def test_what_is_folded_is_open_and_code_stays_hidden(
    texts: list[str], articles: dict[str, BeautifulSoup]
) -> None:
    whole = without_spaces(" ".join(texts))
    folded = [row for a in articles.values() for row in a.select("details.every-number tbody tr")]
    # A page's part of the print is there in the list of the scorecard, which has it all.
    folded = [row for row in folded if not row.find_parent("table")["id"].endswith("-print")]
    listed = articles["scorecard"].select("table.ledger-rows tbody tr")
    names = [row.th.get_text() for row in [*folded, *listed] if row.th]
    assert len(names) > 100
    assert [name for name in names if without_spaces(name) not in whole] == []
    for hidden in ("Code: ", "open_page(", "Numbers (CSV)", "Showing"):
        assert without_spaces(hidden) not in whole


def test_lists_for_machines_are_left_out_and_links_stay_true(site: Path, tmp_path: Path) -> None:
    """A page with such a list, a link into it and one to a file, made of a page of the site."""
    page = with_pages(site, tmp_path, "data", "methods") / "data.html"
    more = (
        '<h2>More</h2><details class="numbers"><summary>All</summary><p id="x">1.234</p>'
        '</details><p><a href="#x">All</a> are in <a href="results/a.csv">a.csv</a>, '
        '<a href="methods.html#rounding">rounded</a>.</p>'
    )
    text = page.read_text("utf-8").replace("</article>", f"{more}</article>")
    page.write_text(text, "utf-8")
    document = BeautifulSoup(pdf.document(pdf.read(tmp_path), {}), "html.parser")
    last = document.select_one("#data").find("h2", string="More").find_next_sibling()
    assert last.decode_contents() == ('All are in a.csv, <a href="#methods--rounding">rounded</a>.')
    assert "1.234" not in document.get_text()


def test_every_id_names_its_page_and_nothing_is_for_a_screen_only(joined: str) -> None:
    document = BeautifulSoup(joined, "html.parser")
    for article in document.select("article"):
        below = [tag["id"] for tag in article.select("[id]")]
        assert [place for place in below if not place.startswith(f"{article['id']}--")] == []
    assert not document.select("script, button, details, a[href$='.html']")


def test_it_can_be_read_aloud(reader: PdfReader) -> None:
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert reader.metadata.title.startswith("Plateau: ")


# --- where it cannot be made ---------------------------------------------------------------------


def test_without_a_browser_an_older_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "plateau.pdf"
    old.write_bytes(b"the last good one")
    monkeypatch.setenv("PATH", str(tmp_path))
    result = command(ROOT, "pdf", "--out", tmp_path)
    assert result.returncode == 1
    assert result.stdout == ""
    assert re.fullmatch(r"Chromium is not installed: .*\n", result.stderr)
    assert {path.name for path in tmp_path.iterdir()} == {"plateau.pdf"}
    assert old.read_bytes() == b"the last good one"


def test_where_the_browser_fails_an_older_one_stays(
    volume: pdf.Volume, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That the command says so in one line, the test above holds."""
    old = tmp_path / "plateau.pdf"
    old.write_bytes(b"the last good one")
    broken = tmp_path / "bin" / "chromium"
    broken.parent.mkdir()
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{broken.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(pdf, "read", lambda _: volume)
    # In a thread of its own: the tests' browser runs in this one.
    with ThreadPoolExecutor(1) as pool, pytest.raises(BuildError) as failed:
        pool.submit(pdf.write_pdf, tmp_path, old).result()
    assert re.fullmatch(r"\S*/bin/chromium cannot print the book: .*", str(failed.value))
    assert old.read_bytes() == b"the last good one"
    assert {path.name for path in tmp_path.iterdir()} == {"bin", "plateau.pdf"}


# --- print-outs of the lessons -----------------------------------------------------------------


@pytest.fixture(scope="module")
def handouts(site: Path, browser) -> dict[str, str]:
    """The words of each print-out, without spaces, by the name of its lesson."""
    said = obeyed("handouts", browser)
    assert said == f"{len(lessons())} lessons are in _build/handouts\n"
    made = (ROOT / "_build" / "handouts").glob("*.pdf")
    pages = {path.stem: PdfReader(path).pages for path in made}
    return {name: without_spaces("".join(p.extract_text() for p in pages[name])) for name in pages}


@pytest.mark.wide
def test_each_lesson_prints_with_its_tasks_and_without_solutions(
    handouts: dict[str, str], site: Path
) -> None:
    assert sorted(handouts) == [path.stem for path in lessons()]
    for name, words in handouts.items():
        page = BeautifulSoup((site / f"{name}.html").read_bytes(), "html.parser")
        tasks = [section.get_text() for section in page.select("section[id^='exercise-'] > h3")]
        options = [option.get_text() for option in page.select("details.option summary")]
        whys = [why.get_text() for why in page.select("details.option .why")]
        verdicts = [verdict.get_text() for verdict in page.select("p.verdict")]
        assert len(tasks) >= 2 and len(options) >= 9 and len(verdicts) == len(tasks)
        assert all(without_spaces(text).rstrip("#") in words for text in [*tasks, *options])
        assert not [text for text in [*whys, *verdicts] if without_spaces(text) in words]
        assert "Showthesolution" not in words and not re.search(r"answer_\d=", words)
        assert without_spaces(NOTE) in words
