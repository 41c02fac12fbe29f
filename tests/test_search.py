"""The search of the site: what a clinician types, and the page that must come first."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from analysis.page.contents import BOOK, pages

BOOKS = ("", "bmt", "myeloid")

PAPER = {
    "overall survival": "figure_1a",
    "OS": "figure_1a",
    "median survival": "figure_1a",
    "relapse free survival": "figure_1b",
    "RFS": "figure_1b",
    "transplant": "figure_1c",
    "HSCT": "figure_1c",
    "cumulative incidence": "figure_1d",
    "treatment-related mortality": "figure_1d",
    "competing risks": "lesson_05_competing_risks",
    "hazard ratio": "lesson_10_proportional_hazards",
    "proportional hazards": "lesson_10_proportional_hazards",
    "what is censoring": "lesson_01_censoring",
    "kaplan meier": "lesson_01_censoring",
    "median follow-up": "lesson_02_follow_up",
    "cure": "lesson_03_plateau",
    "immortal time bias": "lesson_06_immortal_time",
    "landmark analysis": "lesson_06_immortal_time",
    "time-dependent covariate": "lesson_07_start_stop",
    "stepwise selection": "lesson_09_selection",
    "risk factors": "table_3",
    "forest plot": "table_3",
    "baseline characteristics": "table_1",
    "bone marrow blasts": "table_1",
    "MRD": "glossary",
    "at risk": "glossary",
    "p value": "glossary",
    "confidence interval": "glossary",
    "STROBE": "strobe",
    "how do I use my own data": "rerunning",
    "download": "data",
    "synthetic cohort": "cohort",
    "how to cite": "report",
    "blinatumomab": "index",
}
OTHERS = {
    "bmt": {
        "OS": "figure_1a",
        "transplant": "index",
        "leukemia": "index",
        "graft versus host disease": "figure_1d",
        "CMV": "table_1",
        "Gray's test": "figure_1c",
        "own data": "rerunning",
    },
    "myeloid": {
        "randomized trial": "index",
        "median survival": "figure_1a",
        "relapse-free": "figure_1b",
        "log-rank test": "lesson_04_two_curves",
        "immortal time": "lesson_06_immortal_time",
        "STROBE": "strobe",
    },
}
# Two ways to type one thing, which find the same.
EQUAL = [
    ("leukaemia", "leukemia"),
    ("haematopoietic", "hematopoietic"),
    ("tumour", "tumor"),
    ("randomised", "randomized"),
    ("standardised difference", "standardized difference"),
    ("modelling", "modeling"),
    ("oesophagus behaviour centre", "esophagus behavior center"),
    ("hazard ratio", "Hazard RATIOS"),
    ("hazard ratio", "HR"),
    ("confidence interval", "ci"),
    ("transplantation", "transplants"),
    ("follow-up", "followup"),
    ("follow-up", "follow up"),
    ("relapse-free", "relapsefree"),
    ("HSCT", "bone marrow transplantation"),
    ("RMST", "restricted mean"),
    ("Kaplan–Meier", "Káplan-Mèier"),
    ("censoring", "what is censoring?"),
    ("overall survival", "«overall» “survival”"),
]
# Unfinished or mistyped, and the page that it is on the way to.
NEARLY = {
    "censo": "lesson_01_censoring",
    "compet": "lesson_05_competing_risks",
    "immort": "lesson_06_immortal_time",
    "medain survival": "figure_1a",
    "hazzard": "lesson_10_proportional_hazards",
    "kaplan maier": "lesson_01_censoring",
}
FIND = """query => {
    const { all, found } = plateauSearch.find(query);
    const pages = found.map(hit => [hit.page.name, hit.sections.map(part => part.heading)]);
    return { all, pages };
}"""
Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def page(browser) -> Iterator:
    """A page of the browser, which says what went wrong in `errors`."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    page = context.new_page()
    page.errors = []
    page.on("console", lambda m: m.type == "error" and page.errors.append(m.text))
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.on("dialog", lambda dialog: page.errors.append(dialog.message))
    page.on("request", lambda r: r.url.startswith("file:") or page.errors.append(r.url))
    yield page
    assert page.errors == []
    context.close()


@pytest.fixture
def ask(page, site: Path) -> Ask:
    """What the search of a book finds, by its own function: pages with the headings there."""

    def ask(query: str, slug: str = "") -> dict[str, Any]:
        address = (site / slug / "search.html").as_uri()
        if page.url != address:
            page.goto(address)
        return page.evaluate(FIND, query)

    return ask


@pytest.fixture(scope="module")
def indexes(site: Path) -> dict[str, list[dict[str, Any]]]:
    """The pages of each book as its search knows them."""
    scripts = {slug: (site / slug / "searchindex.js").read_text("utf-8") for slug in BOOKS}
    return {
        slug: json.loads(re.search(r"^const SEARCHED = (.*);$", script, re.MULTILINE)[1])["pages"]
        for slug, script in scripts.items()
    }


def first(answer: dict[str, Any]) -> str | None:
    return next((name for name, _ in answer["pages"]), None)


def test_a_clinician_finds_first_what_the_words_are_about(ask: Ask) -> None:
    assert {query: first(ask(query)) for query in PAPER} == PAPER
    assert len(PAPER) >= 30


@pytest.mark.parametrize("slug", OTHERS)
def test_each_book_has_its_own_search(ask: Ask, slug: str) -> None:
    assert {query: first(ask(query, slug)) for query in OTHERS[slug]} == OTHERS[slug]
    assert "scorecard" in dict(ask("scorecard")["pages"])
    assert "scorecard" not in dict(ask("scorecard", slug)["pages"])


def test_either_spelling_finds_the_same(ask: Ask) -> None:
    for one, other in EQUAL:
        assert ask(one) == ask(other), (one, other)
    assert len(ask("leukemia")["pages"]) > 8


def test_an_unfinished_or_mistyped_word_finds_what_is_meant(ask: Ask) -> None:
    assert {query: first(ask(query)) for query in NEARLY} == NEARLY


def test_no_query_is_too_strange(ask: Ask) -> None:
    for query in (" ", "\0", "💊", "Überleben", "выживаемость", "the of", "OS HR " * 500):
        assert isinstance(ask(query)["pages"], list), query
    assert ask("")["pages"] == ask("?")["pages"] == ask("生存")["pages"] == []


def test_what_is_found_leads_to_its_section(page, site: Path, ask: Ask) -> None:
    page.goto((site / "search.html").as_uri() + "?q=median+survival")
    said = page.locator("#search-said").inner_text()
    assert re.fullmatch(r"\d+ pages, the nearest first", said)
    best = page.locator("#search-results ol > li").first
    assert best.locator("h2 a").first.inner_text() == "Figure 1A. Overall survival"
    assert {"median", "survival"} <= {
        mark.lower() for mark in best.locator("mark").all_inner_texts()
    }
    best.locator("a", has_text="How to read it").click()
    page.wait_for_url("**/figure_1a.html#how-to-read-it")
    page.go_back()
    assert page.locator("input[name=q]:visible").input_value() == "median survival"


def test_nothing_asked_and_nothing_found_say_what_to_do(page, site: Path) -> None:
    page.goto((site / "search.html").as_uri())
    said, results = page.locator("#search-said"), page.locator("#search-results")
    assert "Type a word" in said.inner_text()
    page.locator("input[name=q]:visible").fill("zebrafish")
    assert "Nothing in this book matches “zebrafish”" in said.inner_text()
    assert "glossary" in results.inner_text()
    page.locator("input[name=q]:visible").fill("transplant zebrafish")
    assert said.inner_text().startswith("Not all of these words stand together.")
    page.locator("input[name=q]:visible").fill("")
    results.get_by_role("link", name="hazard ratio").click()
    page.wait_for_url("**/search.html?q=hazard+ratio")
    assert results.locator("ol > li").count() > 5


def test_what_is_typed_is_text(page, site: Path) -> None:
    for typed in ("<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "<b>survival</b>"):
        page.goto((site / "search.html").as_uri())
        page.locator("input[name=q]:visible").fill(typed)
        page.keyboard.press("Enter")
        assert page.locator("#search-results").locator("img, script, b").count() == 0
        page.reload()  # the address has it now
        assert page.locator("input[name=q]:visible").input_value() == typed
        assert page.errors == []


def test_results_have_no_barrier(page, site: Path, axe: str) -> None:
    for size, theme in (((390, 844), "dark"), ((1280, 900), "light")):
        page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
        page.goto((site / "search.html").as_uri() + "?q=hazard")
        page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
        page.evaluate(axe)
        found = page.evaluate("axe.run({ preload: false })")["violations"]
        assert [rule["id"] for rule in found] == []
        assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")


def test_the_glass_stands_before_the_words(page, site: Path) -> None:
    page.goto((site / "search.html").as_uri() + "?q=survival")
    form = page.locator(".plateau-search form")
    glass, field = (form.locator(part).bounding_box() for part in ("i", "input"))
    assert glass["x"] + glass["width"] <= field["x"]


def test_the_index_is_of_prose_and_leads_somewhere(site: Path, indexes) -> None:
    for slug, book in indexes.items():
        for entry in book:
            html = (site / slug / f"{entry['name']}.html").read_text("utf-8")
            for section in entry["sections"]:
                assert f'id="{section["id"]}"' in html, (slug, entry["name"])
                assert "<" not in section["heading"]
        said = json.dumps(book)
        assert not re.search(r"\bimport (pandas|altair)|open_page\(|vega|<(span|svg|p)\b", said)
        assert {entry["name"] for entry in book} >= {"index", "methods", "glossary", "rerunning"}
        assert (site / slug / "searchindex.js").stat().st_size < 400_000


def test_the_words_of_the_search_are_of_pages_that_there_are() -> None:
    words = yaml.safe_load((BOOK / "_ext" / "search.yaml").read_text("utf-8"))
    assert set(words["about"]) <= {path.stem for path in pages()}
    assert all(len(names) > 1 for names in words["same"])
