"""The slides of a lesson: one thing on each, nothing cut off, no solution and no key."""

from __future__ import annotations

import io
from base64 import b64encode
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

import altair as alt
import pandas as pd
import pytest
from bs4 import BeautifulSoup, Tag
from pypdf import PdfReader

from analysis.course.exercises import PREFIX
from analysis.course.learner import lessons
from analysis.dataset.model import ROOT
from analysis.page import drawing
from analysis.page.charts import HEIGHT, STYLE, time_axis
from analysis.site import pdf, slides
from analysis.study import marks

ARTICLE = """<article><h1>Lesson 3. A name</h1><p><b>The question.</b> Why?</p>
<section><h2>What you will be able to do</h2><ol><li>this</li></ol></section>
<section><h2>A thing</h2><p>Long prose.</p><div class="cell"><div class="cell_output">
<figure class="chart-figure"><img alt="A chart"><figcaption>The chart.</figcaption></figure>
<p class="table-caption">The table.</p><div class="table-wrap"><table class="data"></table></div>
</div></div></section>
<section><h2>Only words</h2><p>{words}</p><p>{words}</p></section>
<section><h2>Do it yourself</h2><p>Steps.</p><div class="worked"><ol class="worked-steps">
<li><p class="worked-title">Read</p><div class="worked-python">read_csv</div>
<div class="worked-r">read.csv</div><p class="worked-question">What is it?</p></li></ol></div>
</section>
<section><h2>Exercises</h2>
<section id="x--exercise-1"><h3>Exercise 1. Count</h3><p>Count them.</p>
<div class="table-wrap"><table>{rows}</table></div><p>How many?</p></section>
<section id="x--exercise-2"><h3>Exercise 2. Name</h3><p>Name them.</p><ul><li>A. One</li></ul>
</section>
</section>
<section><h2>Check yourself</h2><ol class="quiz"><li><p class="quiz-question">Which?</p>
<ul class="quiz-options"><li>One</li><li>Two</li></ul></li><li><p class="quiz-question">Who?</p>
<ul class="quiz-options"><li>Three</li></ul></li></ol></section>
<section><h2>Read on</h2><p>A work.</p></section></article>"""


def cut(letters: int, rows: int) -> list[slides.Slide]:
    page = ARTICLE.format(words="x" * letters, rows="<tr><td>1</td></tr>" * rows)
    return list(slides.slides_of(BeautifulSoup(page, "html.parser").article))


def test_each_slide_has_one_thing_to_look_at() -> None:
    made = cut(letters=600, rows=12)
    assert [slide.title for slide in made] == [
        "What you will be able to do",
        "A thing",
        "A thing",
        "Only words",
        "Only words",
        "Read",
        "Exercise 1. Count",
        "Exercise 2. Name",
        "Check yourself",
    ]
    chart, table = made[1].body, made[2].body
    assert "The chart." in chart and "Long prose" not in chart and "The table." not in chart
    assert "The table." in table and "<table" in table
    assert "read_csv" in made[5].body and "read.csv" not in made[5].body
    assert "What is it?" in made[5].body, "the question that follows a step"
    assert '<ol class="choices" type="A"><li>One</li><li>Two</li></ol>' in made[8].body


def test_a_task_stays_whole_and_short_ones_share_a_slide() -> None:
    whole = cut(letters=100, rows=12)
    assert [slide.title for slide in whole].count("Only words") == 1
    first, second = whole[-3:-1]
    assert "Count them." in first.body and "<table" in first.body and "How many?" in first.body
    assert "Name them." in second.body and "A. One" in second.body
    assert "Which?" in whole[-1].body and "Who?" in whole[-1].body
    parted = [slide for slide in cut(letters=100, rows=40) if slide.title == "Exercise 1. Count"]
    assert ["<table" in slide.body for slide in parted] == [False, True, False]
    both = next(slide for slide in cut(100, rows=2) if slide.title == "Exercise 1. Count")
    assert "<h3>Exercise 2. Name</h3>" in both.body


PAPER = """<article><section><h2>Move it yourself</h2><p>It is <em>so</em>. Move the cut, <b>and</b>
watch.</p><figure><figcaption>The <b>step</b>. Move the month; the line shows it.</figcaption>
</figure><p>Move the cut.</p><p>One event. To see another, set <code>factor</code> above.</p>
</section></article>"""


def test_paper_does_not_say_that_anything_moves() -> None:
    article = BeautifulSoup(PAPER, "html.parser").article
    page = pdf.alone(pdf.Chapter("lesson_01", "A lesson", "", article))
    assert [part.get_text() for part in page.select("h2, p, figcaption")] == [
        "The chart at its start",
        "It is so.",
        "The step. The line shows it.",
        "One event.",
    ]


CUT_OFF = """() => [...document.querySelectorAll("text")].filter(text => {
  const box = text.getBoundingClientRect(), page = document.documentElement;
  return box.left < 0 || box.right > page.width.baseVal.value;
}).map(text => text.textContent)"""


@pytest.mark.parametrize("group", ["At risk, standard", "WITHOUT MMR MUTATION", "a" * 45])
def test_a_drawing_on_paper_has_room_for_its_longest_label(
    browser, monkeypatch: pytest.MonkeyPatch, group: str
) -> None:
    monkeypatch.setattr(marks, "_count", lambda *_: "12")
    ticks = [0, 12, 24]
    rows = marks.number_rows(pd.DataFrame(), {group: ("", "", "")}, ticks, time_axis(ticks))
    chart = alt.layer(*rows).properties(width="container", height=HEIGHT).configure(**STYLE)
    spec, drawn = drawing.draw(chart.to_dict())
    font = b64encode((ROOT / "book" / "_static" / "fonts" / "sans.woff2").read_bytes()).decode()
    letters = f"@font-face {{ font-family: Inter; src: url(data:font/woff2;base64,{font}) }}"
    view = browser.new_page()
    for svg in (drawn, marks.flat(spec)):
        picture = BeautifulSoup(pdf.as_picture(svg, letters), "html.parser")
        view.goto(picture.img["src"])
        view.evaluate("() => document.fonts.ready")
        assert view.evaluate(CUT_OFF) == []
    view.close()


@pytest.fixture(scope="module")
def decks(site: Path) -> dict[str, tuple[pdf.Volume, pdf.Chapter]]:
    volume = pdf.read(site, marks.flat)
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
