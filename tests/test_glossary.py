"""The glossary, and the links to it from the first use of each word."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from docutils import nodes

from analysis.dataset.model import ROOT

sys.path.insert(0, str(ROOT / "book" / "_ext"))

import first_use  # noqa: E402 (the path comes first)

LINK = re.compile(r'<a class="term[^"]*" href="([^"]+)" title="([^"]+)">([^<]+)</a>')


def terms(*words: str) -> dict[str, first_use.Definition]:
    return {word: first_use.Definition(f"term-{word}", word) for word in words}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The hazard ratio and the hazard.", ["hazard ratio", "hazard"]),
        ("Censored at last contact", ["Censored"]),
        ("uncensored, at-risk and t(4;11)", ["t(4;11)"]),
        ("CENSORED", []),
        (
            "Hazard ratios, Kaplan–Meier and Kaplan-Meier",
            ["Hazard ratios", "Kaplan–Meier", "Kaplan-Meier"],
        ),
        ("a hazardous thing", []),
    ],
)
def test_whole_words_are_found_the_longest_first(text, found):
    words = first_use.pattern(
        terms("hazard", "hazard ratio", "censored", "t(4;11)", "risk", "Kaplan-Meier")
    )
    assert words.findall(text) == found


@pytest.mark.parametrize("word", ["hazard ratio", "Hazard ratios", "hazard ratios"])
def test_a_found_word_has_its_meaning(word):
    known = terms("hazard", "hazard ratio")
    assert first_use.meaning(word, known) is known["hazard ratio"]


def test_links_code_and_headings_are_no_prose():
    document = nodes.section(
        "",
        nodes.title("", "hazard"),
        nodes.paragraph(
            "",
            "",
            nodes.Text("one "),
            nodes.literal("", "hazard"),
            nodes.reference("", "hazard"),
            nodes.strong("", "two"),
        ),
        nodes.literal_block("", "hazard"),
        nodes.rubric("", "hazard"),
    )
    assert [text.astext() for text in first_use.prose(document)] == ["one ", "two"]


def test_terms_of_one_definition_share_their_place():
    item = nodes.definition_list_item(
        "",
        nodes.term("", "at risk", ids=["a"]),
        nodes.term("", "number at risk", ids=["b"]),
        nodes.definition("", nodes.paragraph("", "Still\nfollowed.")),
    )
    found = first_use.definitions(nodes.definition_list("", item))
    assert found == dict.fromkeys(
        ("at risk", "number at risk"), first_use.Definition("a", "Still followed.")
    )


@pytest.mark.parametrize("slug", ["", "bmt", "myeloid"])
def test_each_word_is_linked_once_on_a_page_and_shows_its_meaning(site: Path, slug: str):
    linked = set()
    for page in sorted((site / slug).glob("*.html")):
        links = LINK.findall(page.read_text("utf-8"))
        places = [target for target, _, _ in links]
        assert len(places) == len(set(places)), page.name
        linked |= {target.removeprefix("glossary.html#") for target in places}
    assert len(linked) > 20
    assert not LINK.search((site / slug / "glossary.html").read_text("utf-8"))


def test_the_books_own_name_is_no_term(site: Path):
    links = LINK.findall((site / "index.html").read_text("utf-8"))
    assert links and "Plateau" not in {word for _, _, word in links}


def test_every_definition_is_used_in_the_papers_book(site: Path):
    """A word that no page uses, nor another definition, needs none."""
    glossary = (site / "glossary.html").read_text("utf-8")
    pages = [path.read_text("utf-8") for path in site.glob("*.html")]
    used = {target.split("#")[1] for page in pages for target, _, _ in LINK.findall(page)}
    used |= {*re.findall(r'class="reference internal" href="#(term-[^"]+)"', glossary)}
    groups = re.findall(r"((?:<dt .*?</dt>)+)<dd>", glossary, re.DOTALL)
    assert len(groups) > 30
    firsts = {re.search(r'<dt id="(term-[^"]+)"', group).group(1) for group in groups}
    assert firsts == used
