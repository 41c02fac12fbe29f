"""Every number of the prose says where it comes from: its row of the results, and the notebook."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup, Tag
from conftest import often

from analysis.dataset.model import ROOT, load
from analysis.page.alignment import aligned
from analysis.page.contents import Place, places
from analysis.page.formats import full, of_unrounded, rounded, scaled
from analysis.page.page import Number
from analysis.page.prose import Prose, declared, sourced
from analysis.page.quantities import nature
from analysis.page.rows import COLUMNS, frame, pick
from analysis.study.tables import decimals_of

NASTY = '<script>alert("x")</script> {b} [c](d) *e*'
SLUGS = ("", "bmt", "myeloid")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


@pytest.fixture
def results() -> pd.DataFrame:
    rows = [
        ("median", "os", np.nan, 7.25, 5.5, np.nan, 20, 9),
        ("survival", "os", 24.0, 0.3, 0.2, 0.4, 5, 9),
        ("count", f"race={NASTY}", np.nan, 3, np.nan, np.nan, 20, np.nan),
    ]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"n": "Int64", "events": "Int64"})


def link(prose: Prose) -> Tag:
    return BeautifulSoup(prose.markdown, "html.parser").a


# --- a number keeps its row -------------------------------------------------------------------


def test_an_estimate_leads_to_its_row_and_shows_it(results):
    found = link(Number(pick(results, "survival", "os", 24)).ci)
    assert found["href"] == "#row-2"
    assert found["title"] == (
        "Row 2: survival, os, 24 months. estimate 0.3, lower 0.2, upper 0.4, n 5, events 9"
    )


def test_a_missing_limit_is_not_shown_as_a_number(results):
    assert "upper" not in link(Number(pick(results, "median", "os")))["title"]


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ((0.64, 0.38, 1.06), "0.64 (0.38–1.06)"),
        ((1.0, 0.996, 1.004), "1.0000 (0.9960–1.0040)"),
        ((1.0012, 0.994, 1.009), "1.00 (0.99–1.01)"),
        ((0.9999951, 0.9999932, 0.999997), "0.9999951 (0.9999932–0.9999970)"),
        ((1.00002, 1.00001, 1.00003), "1.000020 (1.000010–1.000030)"),
        ((6.3e-63, 0.0, 8.1e222), "6e-63 (0 to 8e222)"),
        ((0.14, 0.0, 24081446.55), "0.14 (0 to 2e7)"),
        ((0.14, 0.004, 3.2), "0.14 (0.00–3.20)"),
        ((7e-207, 0.0, np.inf), "7e-207 (0 to ∞)"),
        ((0.0021, 0.0009, 0.0031), "0.0021 (0.0009–0.0031)"),
    ],
)
def test_a_ratio_has_the_digits_that_say_something(numbers, text):
    row = {"quantity": "hazard_ratio_univariate", "group": "os:x", "n": 9, "events": 9}
    row |= dict(zip(("estimate", "lower", "upper"), numbers, strict=True))
    number = Number(frame([row]).iloc[0])
    assert number.cell == text
    assert str(number.ci) == text.replace("(", "(95% CI, ")
    assert aligned([text, "0.64 (0.38–1.06)"])[0]


@pytest.mark.parametrize("power", range(-8, 9))
def test_a_column_of_any_scale_has_digits_in_table_1(power):
    values = pd.Series([1.5, 2.25, 3.0, 7.5]) * 10.0**power
    decimals = decimals_of(values)
    shown = [rounded(value, decimals) for value in values]
    assert len(set(shown)) == 4
    assert all(float(text) > 0 for text in shown)


def test_no_number_is_too_large_to_be_written():
    large = [1e30, -1e30, np.inf, -np.inf, 123456789.25]
    assert [rounded(value, 1) for value in large] == [
        "1e30", "−1e30", "∞", "−∞", "123456789.3",
    ]  # fmt: skip


def test_no_result_is_infinite():
    row = {"quantity": "hazard_ratio_model", "group": "os|M:x", "estimate": 1.5, "lower": 0.1}
    found = frame([row | {"upper": np.inf}, row | {"estimate": -np.inf}])
    assert not np.isinf(found.select_dtypes(float)).any(axis=None)


def test_the_count_of_halves_reads_over_what_no_number_of_decimals_shows():
    cells = nbformat.read(ROOT / "book" / "methods.ipynb", 4).cells
    (source,) = (cell.source for cell in cells if "ROUND_HALF_EVEN))" in cell.source)
    values = [np.nan, np.inf, 8e222, 1e30, 0.125]
    given = pd.DataFrame({"quantity": "hazard_ratio", "estimate": values})
    known = {
        **{"figures_and_tables": [given], "nature": nature, "scaled": scaled, "rounded": rounded},
        **{"Decimal": Decimal, "ROUND_HALF_EVEN": ROUND_HALF_EVEN},
    }
    exec(source.partition("number =")[0], known)
    assert (known["total"], known["moved"]) == (1, 1)


def test_prose_keeps_the_links_of_prose_and_of_nothing_else(results):
    number = Number(pick(results, "median", "os"))
    prose = Prose("Median {number}, {label}.", number=number, label="<a href='#x'>no</a>")
    assert number.markdown in prose.markdown
    assert len(BeautifulSoup(prose.markdown, "html.parser").find_all("a")) == 1
    assert str(prose) == f"{prose}" == "Median 7.3 months, <a href='#x'>no</a>."


def test_a_label_in_a_link_is_text(results):
    prose = sourced(NASTY, results.iloc[2])
    tree = BeautifulSoup(prose.markdown, "html.parser")
    assert tree.script is None
    assert NASTY in tree.a["title"]
    assert str(prose) == NASTY


def test_a_number_of_several_rows_names_them(results):
    assert link(sourced("1", results.iloc[0], results.iloc[1]))["title"] == (
        "From rows 1 and 2 of the page’s numbers"
    )
    many = pd.concat([results] * 2, ignore_index=True)
    assert link(sourced("1", many))["title"] == "From 6 rows of the page’s numbers, 1 to 6"


def test_a_row_of_another_page_and_what_is_declared_lead_there(results):
    assert link(sourced("1", results.iloc[0], page="scorecard"))["href"] == "scorecard.html#row-1"
    assert link(declared("24 months", "months"))["href"] == "data.html#settings"


# --- on the pages -----------------------------------------------------------------------------


def executed(site: Path, slug: str) -> Iterator[tuple[str, nbformat.NotebookNode]]:
    for page in pages_of(slug):
        yield (
            page.name,
            nbformat.read(site / slug / "_sources" / f"{page.name}.ipynb", as_version=4),
        )


def pages_of(slug: str) -> list[Place]:
    """The notebooks of a book: of the paper's all, of another what its dataset can fill."""
    found = places(load(ROOT / "data" / (slug or "blinatumomab")))
    notebooks = [page for page in found if page.path.suffix == ".ipynb"]
    lacking = {"study", "scorecard", "consistency", "cohort"} if slug else set()
    if slug == "bmt":  # it has no day of response
        lacking |= {"in_the_text", "table_s1"}
    return [page for page in notebooks if page.name not in lacking]


def unlinked(markdown: str) -> set[str]:
    """The numbers of a cell's Markdown that are in no link, citation or formula."""
    text = re.sub(r'<a class="number".*?</a>', "", markdown)
    text = re.sub(r"\b95% (?:CI|interval)", "", text)  # the level of every interval
    text = re.sub(r"\{cite\}`[^`]*`|\[[^\]]*\]\([^)]*\)|\$[^$]*\$", "", text)
    return set(NUMBER.findall(text))


def own_words(folder: Path) -> set[str]:
    """The numbers in what a dataset says of itself: titles, labels, levels."""
    return set(NUMBER.findall((folder / "datapackage.json").read_text("utf-8")))


@pytest.mark.parametrize("slug", often(SLUGS, "", "bmt"))
def test_every_number_of_the_prose_is_linked_or_was_no_result(site: Path, slug: str):
    """What is not linked was typed as a sentence's own (95% CI, P below .05) or is a label's."""
    words = own_words(Path("data") / (slug or "blinatumomab"))
    seen = 0
    for page, notebook in executed(site, slug):
        for cell in notebook.cells:
            for output in cell.get("outputs", []):
                markdown = output.get("data", {}).get("text/markdown", "")
                seen += markdown.count('<a class="number"')
                loose = unlinked(markdown) - words - set(NUMBER.findall(cell.source))
                assert not loose, f"{page}, {cell.id}: {loose}"
    assert seen > 100


def test_an_unlinked_number_is_found():
    assert unlinked('Of 259 patients {cite}`topp2021` <a class="number" href="#">7</a>.') == {"259"}


@functools.cache
def page_of(site: Path, slug: str, page: Place) -> BeautifulSoup:
    return BeautifulSoup((site / slug / f"{page.name}.html").read_bytes(), "html.parser")


def table_of_numbers(page: BeautifulSoup) -> dict[str, list[str]]:
    rows = page.select("details.numbers tbody tr")
    return {row["id"]: [cell.get_text() for cell in row.find_all(["th", "td"])] for row in rows}


@pytest.mark.parametrize("slug", often(SLUGS, "", "bmt"))
def test_the_rows_on_a_page_are_those_of_its_file(site: Path, slug: str):
    pages = 0
    for source in pages_of(slug):
        page = page_of(site, slug, source)
        shown = table_of_numbers(page)
        assert shown or not page.select("a.number[href^='#row']"), source.name
        if not shown:
            continue
        pages += 1
        path = site.parent / "results" / slug / f"{source.name}.csv"
        file = pd.read_csv(path, float_precision="round_trip")
        assert len(shown) == len(file)
        for number, row in enumerate(file.itertuples(index=False), start=1):
            cells = [str(number), row[0], row[1], *(full(value) for value in row[2:])]
            assert shown[f"row-{number}"] == cells
    assert pages >= 13


@pytest.mark.parametrize("slug", often(SLUGS, "", "bmt"))
def test_a_number_leads_to_a_row_that_says_the_same(site: Path, slug: str):
    """What shows on hover is what stands in the row."""
    compared = 0
    for source in pages_of(slug):
        page = page_of(site, slug, source)
        shown = table_of_numbers(page)
        for number in page.select("a.number[href^='#row']"):
            row = shown[number["href"].removeprefix("#")]
            if said := re.match(r"Row (\d+): (.*)\. estimate (\S+), ", number["title"]):
                assert said[1] == row[0] and said[3] == row[4]
                assert said[2].startswith(f"{row[1]}, {row[2]}")
                compared += 1
    assert compared > 50


def test_a_pressed_number_says_where_it_comes_from(site: Path, browser):
    page = browser.new_page()
    page.goto((site / "figure_1a.html").as_uri())
    number, panel = page.locator("a.number[href='#row-1']").first, page.locator(".number-panel")
    row, back = page.locator("#row-1"), page.get_by_role("button", name="Back to the text")
    cells = row.locator("td").all_text_contents()
    for press in (number.click, lambda: (number.focus(), page.keyboard.press("Enter"))):
        press()
        told = panel.inner_text()
        assert panel.get_attribute("aria-label") == f"Where {number.inner_text()} comes from"
        assert all(cell in told for cell in cells if cell != "–")
        assert "7.5 (5.5–8.5) (Abstract; Results, paragraph 1)" in told  # as it is printed
        page.keyboard.press("Escape")
        assert not panel.is_visible()
        assert number.evaluate("number => number === document.activeElement")
        assert not row.is_visible()
    number.click()
    panel.get_by_role("link", name="See its row").click()
    row.wait_for(state="visible")
    page.wait_for_function(
        "row => { const {top, bottom} = row.getBoundingClientRect();"
        " return top > 0 && bottom < innerHeight }",
        arg=row.element_handle(),
    )
    back.click()
    assert number.evaluate("number => number === document.activeElement")
    assert back.count() == 0
    page.close()


def test_what_a_dataset_declares_says_where(site: Path, browser):
    page = browser.new_page()
    page.goto((site / "figure_1a.html").as_uri())
    page.locator("a.number[href='data.html#settings']").first.click()
    panel = page.locator(".number-panel")
    assert "Declared by the dataset: months in datapackage.json" in panel.inner_text()
    panel.get_by_role("link").click()
    page.wait_for_url("**/data.html#settings")
    page.close()


def test_pages_name_the_notebook_that_made_the_rows(site: Path):
    page = BeautifulSoup((site / "figure_1a.html").read_bytes(), "html.parser")
    assert "made by figure_1a.ipynb" in page.select_one("details.numbers summary").get_text()
    assert json.loads((site / "_sources" / "figure_1a.ipynb").read_text("utf-8"))["cells"]


def test_no_line_ends_within_a_p():
    row = pd.Series({"quantity": "p_logrank", "group": "os", "estimate": 0.02}, COLUMNS, name=4)
    for text in ("= .02", "<.001"):
        said = Prose("log-rank P {p}; P {again}.", p=sourced(text, row), again=text).markdown
        assert not re.search(r"\bP |= \.", said) and said.count("P\u00a0") == 2


@pytest.mark.parametrize(
    ("apart", "one", "other", "said"),
    [
        ("24.2", "32.9", "8.6", True),
        ("24.3", "32.9", "8.6", False),
        ("−1.9", "8.1", "10.0", False),
        ("−1.8", "8.1", "10.0", True),
        ("masked", "32.9", "8.6", False),
    ],
)
def test_a_difference_that_rounding_hides_is_explained(apart, one, other, said):
    assert ("unrounded" in of_unrounded(apart, one, other)) == said


def test_no_sentence_of_a_lesson_has_a_difference_that_its_numbers_do_not_give(site: Path):
    """Two numbers and how far they are apart: where rounding hides it, the sentence says so."""
    asked = (
        (
            "lesson_05_*",
            r"in ([\d.]+)% \(95% CI.*? gives ([\d.]+)%, ([\d.]+) points more\.(.{55})",
            -1,
        ),
        (
            "lesson_08_*",
            r"then, ([\d.]+)%.*?without, ([\d.]+)%.*?difference, (−?[\d.]+) (.{90})",
            1,
        ),
    )
    for name, pattern, sign in asked:
        pages = [*site.glob(f"{name}.html"), *site.glob(f"*/{name}.html")]
        assert len(pages) == 3
        for page in pages:
            text = BeautifulSoup(page.read_bytes(), "lxml").get_text()
            one, other, apart, after = re.search(pattern, " ".join(text.split())).groups()
            told = sign * (Decimal(one) - Decimal(other)) == Decimal(apart.replace("−", "-"))
            assert told or "unrounded" in after, page
