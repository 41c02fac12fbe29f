"""The cards of a site's books: what each says, and where the links of a book without lessons go."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from inprocess import results_of, run

from analysis.dataset.model import load
from analysis.page.provenance import paper, studied
from analysis.page.rows import write
from analysis.site import build, front, pages
from analysis.site.build import SHELF, TAUGHT

SHELF_FOLDERS = [path.name for path in build.shipped(SHELF)]
OTHERS = [name for name in SHELF if name not in TAUGHT]
CURVE = {"name": "All", "months": [0.0, 6.0], "shares": [1.0, 0.5]}
BOOK = {
    "folder": "a b", "title": "<A>", "patients": 1200, "data": "public", "description": "Of <B>.",
    "real": True, "article": "Kyle & Co, Blood 2004",
    "found": "Half & half.", "drawing": {"title": "T", "words": 'As a "step".', "end": "6 months"},
    "curves": [CURVE], "print": {"printed": 8, "matched": 5, "fitted": 0}, "lessons": 11,
}  # fmt: skip


def cards(*books: dict, alone: bool = True) -> BeautifulSoup:
    return BeautifulSoup(front.shown(list(books), alone), "lxml")


def said(card) -> str:
    return " ".join(card.get_text(" ", strip=True).split())


def test_a_card_says_what_the_book_has_written() -> None:
    (card,) = cards(BOOK).select("ul.shelf > li")
    text = said(card)
    assert card.a["href"] == "a%20b/index.html"
    for part in (
        "<A>",
        "Of <B>.",
        "Half & half.",
        "1,200 patients",
        "11 lessons",
        "Public data",
        "Real patients",
        "Kyle & Co, Blood 2004",
    ):
        assert part in text
    assert "5 of 8 printed numbers come out, none of them fitted." in text
    picture = card.svg
    assert (picture["role"], picture["aria-label"]) == ("img", 'As a "step".')
    assert picture.path["d"] == "M0 0H200V32"


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({"data": "synthetic"}, "The cohort was made to give them, so this is no evidence."),
        ({"print": {"printed": 8, "matched": 5, "fitted": 1}}, "; 1 of them was fitted."),
        ({"print": None}, "No printed numbers."),
        ({"data": "private"}, "Patients not public"),
        ({"earlier": True}, "Of an earlier run: the last one failed."),
        ({"failed": True}, "This book could not be made."),
    ],
)
def test_what_weakens_a_book_stands_on_its_card(told: dict, words: str) -> None:
    text = said(cards(BOOK | told).select_one("ul.shelf > li"))
    assert words in text
    assert (
        "none of them fitted" not in text or "print" not in told and told.get("data") != "synthetic"
    )


def test_only_what_is_declared_real_is_called_so() -> None:
    assert "Real patients" not in said(cards(BOOK | {"real": False}).select_one("ul.shelf > li"))
    declared = {name: studied(load(f"data/{name}")) for name in SHELF_FOLDERS}
    # The times of myeloid were changed by its authors: it is neither synthetic nor real.
    assert {name for name, told in declared.items() if not told["real"]} == {
        "blinatumomab", "myeloid",
    }  # fmt: skip
    assert [name for name, told in declared.items() if told["synthetic"]] == ["blinatumomab"]


@pytest.mark.parametrize(
    ("title", "short"),
    [
        ("Kyle RA, Ax T, Le-R JG. From 1960 to 1994. Blood 2004;79:8.", "Kyle et al., Blood 2004"),
        ("Klein JP, de la Cruz M. A book. Springer, 1997.", "Klein and de la Cruz, Springer 1997"),
        ("Our Group. Does it help? J Clin Oncol 2020.", "Our Group, J Clin Oncol 2020"),
        ("A register of our own", "A register of our own"),
    ],
)  # fmt: skip
def test_a_paper_is_named_by_its_first_author_its_journal_and_its_year(title: str, short: str):
    data = load("data/mgus")
    package = {**data.package, "sources": [{"title": title, "path": "https://a.example/1"}]}
    assert paper(replace(data, package=package)) == (short, "https://a.example/1")
    assert paper(replace(data, package={**package, "sources": []})) == ("", "")


def test_a_book_that_failed_leads_nowhere() -> None:
    (card,) = cards({"folder": "x", "title": "x", "failed": True}).select("ul.shelf > li")
    assert not card.select("a, svg")


def test_a_book_without_a_first_page_has_its_title_and_its_patients(tmp_path: Path) -> None:
    told = front.entry("x", "Title", 12, [tmp_path])
    assert told == {"folder": "x", "title": "Title", "patients": 12}
    assert "12 patients" in said(cards(told).select_one("ul.shelf > li"))


def test_a_private_book_has_no_small_count_and_draws_nobody_s_last_months(tmp_path: Path) -> None:
    ends, least = [], 20
    for below in (0, least):
        folder = tmp_path / str(below)
        folder.mkdir()
        for name, rows in results_of("data/bmt").items():  # what the page shows of them is masked
            write(rows, folder, name)
        run("index", "data/bmt", folder, mask_below=below)
        told = (folder / "book.json").read_text("utf-8")
        ends.append([curve["months"][-1] for curve in json.loads(told)["curves"]])
    assert all(int(n) >= least for n in re.findall(r"(?<![\d.])(\d+) patients", told))
    assert all(masked < whole for whole, masked in zip(*ends, strict=True))


def test_links_to_what_the_root_has_lead_there() -> None:
    text = "See [Lesson *1*](lesson_01.ipynb#first) and [Table](table.ipynb)."
    led = pages.led_to_root(text, {"lesson_01"})
    there = '<a href="../lesson_01.html#first">Lesson *1*</a>'
    assert led == f"See {there} and [Table](table.ipynb)."
    assert pages.led_to_root('<a href="lesson_01.html">', {"lesson_01"}).count("../") == 1
    assert pages.led_to_root(text, ()) == text


def test_only_some_books_have_lessons_unless_all_are_asked_for() -> None:
    folder = build.PAPER.with_name("bmt")
    with_them = {place.name for place in build.opened("", folder, {}).places}
    without = {place.name for place in build.opened("", folder, {}, taught=False).places}
    assert {name for name in with_them - without if not name.startswith("lesson_")} == {
        "lessons", "teaching",
    }  # fmt: skip
    assert not any(name.startswith("lesson") for name in without) and without < with_them


# --- the site --------------------------------------------------------------------------------


def test_the_cards_of_the_site_have_the_numbers_of_the_scorecards(site: Path) -> None:
    listed = json.loads((site / front.LIST).read_text("utf-8"))
    assert [book["folder"] for book in listed] == ["", *SHELF[1:]]
    page = BeautifulSoup((site / "index.html").read_bytes(), "lxml")
    shown = page.select("ul.shelf > li")
    assert len(shown) == len(listed)
    for book, card in zip(listed, shown, strict=True):
        path = site.parent / "results" / book["folder"] / "scorecard.csv"
        text = said(card)
        if not path.exists():
            assert "No printed numbers." in text and book["print"] is None
            continue
        rows = pd.read_csv(path).set_index(["quantity", "group"])["estimate"]
        matched, printed = (rows[f"{what}_numbers", "all"] for what in ("matched", "printed"))
        assert f"{matched:,.0f} of {printed:,.0f} printed number" in text
        assert ("none of them fitted" in text) == bool(book["folder"])


def test_the_links_of_the_books_without_lessons_resolve(site: Path) -> None:
    broken, led = [], set()
    for page in (page for name in OTHERS for page in (site / name).glob("*.html")):
        text = page.read_text("utf-8")
        for target in set(re.findall(r'(?:href|src)="([^"]+)"', text)):
            url = urlsplit(target)
            if not (url.scheme or url.netloc) and url.path:
                place = (page.parent / unquote(url.path)).resolve()
                led |= {place.stem} if place.parent == site.resolve() else set()
                if not (place.exists() and place.is_relative_to(site.resolve())):
                    broken.append(f"{page.parent.name}/{page.name}: {target}")
    assert broken == []
    assert {"lessons", "teaching", "lesson_03_plateau"} <= led
