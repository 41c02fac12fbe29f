"""The slides of a lesson: one thing on each, nothing cut off, no solution and no key."""

from __future__ import annotations

import io
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

import pytest
from bs4 import BeautifulSoup, Tag
from pypdf import PdfReader

from analysis.course.exercises import PREFIX
from analysis.course.learner import lessons
from analysis.site import pdf, slides

ARTICLE = """<article><h1>Lesson 3. A name</h1><p><b>The question.</b> Why?</p>
<section><h2>What you will be able to do</h2><ol><li>this</li></ol></section>
<section><h2>A thing</h2><p>Long prose.</p><div class="cell"><div class="cell_output">
<figure class="chart-figure"><img alt="A chart"><figcaption>The chart.</figcaption></figure>
<p class="table-caption">The table.</p><div class="table-wrap"><table class="data"></table></div>
</div></div></section>
<section><h2>Only words</h2><p>{}</p><p>{}</p></section>
<section><h2>Do it yourself</h2><p>Steps.</p><div class="worked"><ol class="worked-steps">
<li><p class="worked-title">Read</p><div class="worked-python">read_csv</div>
<div class="worked-r">read.csv</div><p class="worked-question">What is it?</p></li></ol></div>
</section>
<section><h2>Exercises</h2><section><h3>Exercise 1. Count</h3><p>Count them.</p></section></section>
<section><h2>Check yourself</h2><ol class="quiz"><li><p class="quiz-question">Which?</p>
<ul class="quiz-options"><li>One</li><li>Two</li></ul></li></ol></section>
<section><h2>Read on</h2><p>A work.</p></section></article>"""


def cut(article: str) -> list[slides.Slide]:
    return list(slides.slides_of(BeautifulSoup(article, "html.parser").article))


def test_each_slide_has_one_thing_to_look_at() -> None:
    made = cut(ARTICLE.format("x" * 300, "y" * 300))
    assert [slide.title for slide in made] == [
        "What you will be able to do",
        "A thing",
        "A thing",
        "Only words",
        "Only words",
        "Read",
        "Before you go on",
        "Exercise 1. Count",
        "Check yourself",
    ]
    chart, table = made[1].body, made[2].body
    assert "The chart." in chart and "Long prose" not in chart and "The table." not in chart
    assert "The table." in table and "<table" in table
    assert "read_csv" in made[5].body and "read.csv" not in made[5].body
    assert "What is it?" in made[6].body
    assert '<ol class="choices" type="A"><li>One</li><li>Two</li></ol>' in made[8].body
    together = cut(ARTICLE.format("x" * 100, "y" * 100))
    assert [slide.title for slide in together].count("Only words") == 1


@pytest.fixture(scope="module")
def decks(site: Path) -> dict[str, tuple[pdf.Volume, pdf.Chapter]]:
    volume = pdf.read(site)
    chosen = (chapter for chapter in volume.chapters if chapter.name.startswith(PREFIX))
    return {chapter.name: (volume, chapter) for chapter in chosen}


@pytest.mark.parametrize("lesson", [path.stem for path in lessons()])
def test_no_slide_tells_a_solution(decks, lesson: str) -> None:
    soup = BeautifulSoup(slides.deck(*decks[lesson]), "html.parser")
    assert not soup.select(".verdict, .why, [class*=tag_solution] pre, script")
    assert not any("answer_1" in found.get_text() for found in soup.select("pre"))
    shown: list[Tag] = soup.select("section.slide")
    assert len(shown) > 8
    assert sum(1 for slide in shown if slide.find("img")) >= 2


def test_a_deck_has_a_page_for_each_slide_and_all_of_it_is_seen(
    decks, browser, tmp_path: Path, site: Path
) -> None:
    """Whatever is too high for its slide is made smaller."""
    name = lessons()[0].stem
    deck = slides.deck(*decks[name])
    here = mock.patch.object(pdf, "chromium", lambda _: nullcontext(browser))
    with here, pdf.printer("a lesson", slides.FIT) as printed:
        pages = PdfReader(io.BytesIO(printed(deck))).pages
    assert len(pages) == deck.count('<section class="slide')
    assert {(float(page.mediabox.width), float(page.mediabox.height)) for page in pages} == {
        (960.0, 540.0)
    }
    view = browser.new_context(viewport={"width": 1280, "height": 720}).new_page()
    view.set_content(deck)
    view.evaluate(slides.FIT)
    over = view.evaluate(
        "() => [...document.querySelectorAll('.slide > .body')]"
        ".filter(body => body.scrollHeight > body.clientHeight + 2"
        " || body.scrollWidth > body.clientWidth + 2)"
        ".map(body => body.previousElementSibling.innerText)"
    )
    assert over == []
    view.close()
