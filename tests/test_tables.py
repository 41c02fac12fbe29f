"""A table on the page: numbers under each other, marks that lead to notes, words explained."""

from __future__ import annotations

import csv
import io
import re
from urllib.parse import unquote

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from analysis.dataset.model import ROOT
from analysis.page.alignment import aligned
from analysis.page.formats import DAGGER
from analysis.page.tables import Row, Table
from analysis.study.landmarks import CARRIED

STYLE = (ROOT / "book" / "_static" / "plateau.css").read_text("utf-8")
# Columns of cells whose first points belong under each other; words and dashes stand among them.
COLUMNS = {
    "shares": ["62.8 (27)", "9.0 (7)", "–", "100.0 (137)", "0.0 (0)"],
    "ratios": ["0.64 (0.38–1.06)", "12.30 (0.91–127.90)", "not estimable", "1.00 (10.00–21.00)"],
    "p": ["<.001", ".03", "", ".005", ">.99"],
    "spans": ["0.25–0.31 (<.001)", "12.55–13.60 (.10)", "not reached", "1.10–1.20 (.04)"],
    "per cent": ["7.5% (0.9–27.9%)", "19.5% †", "100.0%", "0.0% (0.0–5,443.9%)"],
    "signs": ["−0.5", "1,234.5", "22.5", "–"],
    "decimals": ["12.5 (0.91)", "7.25 (10.30)", "3.125 (1.1)"],
}
# The middle of every point in the cells of a column, by which point of its cell it is.
POINTS = """column => [...document.querySelectorAll(`td:nth-child(${column})`)].flatMap(cell => {
    const walk = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), found = [];
    for (let node; (node = walk.nextNode());) {
        for (const point of node.data.matchAll(/[.]/g)) {
            const range = document.createRange();
            range.setStart(node, point.index);
            range.setEnd(node, point.index + 1);
            const box = range.getBoundingClientRect();
            found.push([found.length, (box.left + box.right) / 2]);
        }
    }
    return found;
})"""


def table(cells: list[str], **more: object) -> Table:
    return Table("t", "T", ("A", "B"), [Row(f"row {n}", (c,)) for n, c in enumerate(cells)], **more)


def html_of(made: Table) -> BeautifulSoup:
    return BeautifulSoup(made._repr_mimebundle_()["text/html"], "html.parser")


def csv_of(made: Table) -> str:
    """The file in the table's link, without the mark by which Excel knows its signs."""
    [link] = html_of(made).select('a[href^="data:text/csv"]')
    mark, *text = unquote(link["href"].partition(",")[2])
    assert mark == "\ufeff"
    return "".join(text)


def spread(page, cells: list[str], style: str = STYLE) -> float:
    """How far apart the first points of the cells of a column stand, in px."""
    page.set_content(f"<style>{style}</style>{table(cells)._html()}")
    places: dict[int, list[float]] = {}
    for number, x in page.evaluate(POINTS, 2):
        places.setdefault(number, []).append(x)
    assert len(places[0]) > 2
    return max(places[0]) - min(places[0])


@pytest.fixture
def page(browser):
    made = browser.new_page()
    yield made
    made.close()


@pytest.mark.parametrize("cells", COLUMNS.values(), ids=COLUMNS)
def test_points_stand_under_each_other(page, cells: list[str]) -> None:
    assert spread(page, cells) < 0.5
    assert spread(page, cells, STYLE.replace("data-lack", "data-none")) > 3  # so it can fail


WILD_CELLS = ["0.14 (0.00–24081446.55)", "0.14 (0.00–2e7)", "123456789.5 (1.0–2.0)"]


@pytest.mark.parametrize("wild", WILD_CELLS)
@pytest.mark.parametrize("cells", [COLUMNS["ratios"], COLUMNS["shares"]])
def test_one_wild_number_opens_no_gap_in_the_others(cells: list[str], wild: str) -> None:
    assert aligned([*cells, wild])[:-1] == aligned(cells)


def test_a_table_that_is_saved_carries_caption_and_notes() -> None:
    """Under the rows, each with as many cells as the head, so that the whole can be read."""
    made = table(["7, or so", f"8{DAGGER}"], notes=["95% confidence interval.", CARRIED])
    file = csv_of(made)
    read = pd.read_csv(io.StringIO(file), dtype=str, keep_default_na=False)
    notes = read["A"].str.startswith("# ")
    assert list(read[~notes]["B"]) == ["7, or so", f"8{DAGGER}"]
    assert list(read[notes]["A"]) == ["# T", "# 95% confidence interval.", f"# {CARRIED}"]
    assert {len(line) for line in csv.reader(file.splitlines())} == {2}


def test_a_number_without_decimals_ends_where_those_with_them_have_their_point(page) -> None:
    page.set_content(f"<style>{STYLE}</style>{table(['27 (62.8)', '7', '37.5 (18–80)'])._html()}")
    ends = page.evaluate("""[...document.querySelectorAll("td")].map(cell => {
        const range = document.createRange();
        const text = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT).nextNode();
        range.setStart(text, 0);
        range.setEnd(text, text.data.match(/^\\d+/)[0].length);
        return range.getBoundingClientRect().right;
    })""")
    assert max(ends) - min(ends) < 0.5


@pytest.mark.parametrize("cells", COLUMNS.values(), ids=COLUMNS)
def test_the_text_of_a_table_has_no_room_in_it(page, cells: list[str]) -> None:
    made = table(cells, notes=[CARRIED])
    soup = html_of(made)
    assert [cell.get_text() for cell in soup.select("td")] == cells
    page.set_content(f"<style>{STYLE}</style>{made._html()}")
    assert page.evaluate("[...document.querySelectorAll('td')].map(c => c.innerText)") == cells
    file = csv_of(made)
    lines = [line for line in csv.reader(file.splitlines()) if not line[0].startswith("# ")]
    assert [line[1] for line in lines][1:] == cells
    assert made._plain().splitlines()[2 : 2 + len(cells)] == [
        f"row {n} | {cell}" for n, cell in enumerate(cells)
    ]


def test_what_follows_the_first_number_has_no_hole() -> None:
    assert aligned(["42–58", "101–217"])[0].endswith("42</span>–58")
    assert aligned([".086–.095", "<.001–>.99"])[0].endswith(".086–.095")
    assert aligned(["7.5 (5.5–8.5)", "18.1 (10.3–30.0)"])[0].endswith("7</span>.5 (5.5–8.5)")


def test_cells_of_words_stay_as_they_are() -> None:
    words = ["no", "a (7 of 12)", "Table 2", "<b>1</b>"]
    assert aligned([*words, "1", "22"])[:4] == [*words[:3], "&lt;b&gt;1&lt;/b&gt;"]
    text = table(["0 up to its day, 1 after", "as a number", "22"], words=True)
    assert not html_of(text).select("[data-lack]")
    assert html_of(table(["9", "22"], words=True)).select_one("td [data-lack='0']")


def test_a_mark_leads_to_its_note_and_back() -> None:
    made = table(["7.1%", f"19.5% {DAGGER}"], notes=["First.", CARRIED])
    soup = html_of(made)
    marks = soup.select("td a")
    assert [mark["aria-label"] for mark in marks] == ["note †"]
    note = soup.select_one(marks[0]["href"])
    assert note.name == "p" and note.get_text().startswith(CARRIED)
    back = note.select_one("a")
    assert back["aria-label"] == "back to the table"
    assert soup.select_one(back["href"]).name == "table"
    places = [tag["id"] for tag in soup.select("[id]")]
    assert len(places) == len(set(places))


def test_a_mark_without_a_note_is_text() -> None:
    assert not html_of(table([f"19.5% {DAGGER}"])).select("td a")


def test_abbreviations_are_explained_once_and_only_where_used() -> None:
    own = {"MRD": "minimal <b>", "HSCT": "transplant", "CI": "another"}
    made = table(["MRD 5", "95% CI", "P"], notes=["P, test."], abbreviations=own)
    assert made._plain().splitlines()[-2:] == ["P, test.", "CI, another; MRD, minimal <b>."]
    assert "minimal &lt;b&gt;" in made._html()
    said = table(["95% CI"], notes=["CI, confidence interval (log-log)."])
    assert len(html_of(said).select(".table-notes p")) == 1
    assert not html_of(table(["MRDs", "OSB"], abbreviations=own)).select(".table-notes")


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["7.1", "–"], ["HR, ratio. –, nobody."]),
        (["7.1–8", f"7{DAGGER}"], ["HR, ratio.", CARRIED]),
        (["P .04"], ["HR, ratio; P, Wald."]),
    ],
)
def test_a_sign_that_a_table_does_not_have_is_not_explained(cells, told) -> None:
    notes = ["HR, ratio; P, Wald. –, nobody.", CARRIED]
    made = Table("t", "The HR", ("A", "B"), [Row("a", (cell,)) for cell in cells], notes)
    assert made._plain().splitlines()[-len(told) :] == told
    assert len(html_of(made).select(".table-notes p")) == len(told)


def test_every_line_has_its_cells() -> None:
    rows = [Row("Group"), Row("a", ("1", "2"), 1), Row("Other"), Row("b", ("33", "4.5"), 2)]
    soup = html_of(Table("t", "T", ("A", "B", "C"), rows))
    lines = [[cell.get_text() for cell in row.select("th, td")] for row in soup.select("tr")]
    assert lines == [
        ["A", "B", "C"], ["Group"], ["a", "1", "2"], ["Other"], ["b", "33", "4.5"]
    ]  # fmt: skip
    assert [re.sub("level-", "", row["class"][0]) for row in soup.select("tbody tr")] == [
        "group", "1", "group", "2"
    ]  # fmt: skip
