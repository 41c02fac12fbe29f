"""From a lesson's page to slides for the room: what a teacher shows, 16:9, printed by Chromium.

A slide has one thing to look at: a chart, a table, a step of code, a task, a question of the quiz.
They are cut from the page that the site has, so page and slides say the same; what a reader would
read beside it stays on the page. No slide has a solution or a key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from html import escape
from math import ceil
from pathlib import Path

from bs4 import Tag

from .pdf import NOTE, Chapter, Volume, alone, text_at, whole, write_lessons

STYLE = Path(__file__).with_name("slides.css")
SHOWS = {"table-wrap", "worked", "quiz", "math"}  # classes of what a slide is about, or a figure
NOT_FOR_THE_ROOM = ("Read on", "The numbers of this page")
LINES, LETTERS = 14, 88  # of text that a slide has room for, and of a line
# Lines of a slide of nothing but text, what FIT makes fit and still be read, what is mostly blank.
PROSE, SHRUNK, SHORT = 11, 1.4 * LINES, LINES / 3
# The scale at which what is too large for its slide fits on it; nothing else runs in the browser.
FIT = """() => document.querySelectorAll(".slide > .body").forEach(body => {
  const room = Math.min(body.clientHeight / body.scrollHeight, body.clientWidth / body.scrollWidth);
  if (room < 1) body.firstElementChild.style.zoom = Math.max(0.4, room * 0.98);
})"""


@dataclass(frozen=True)
class Slide:
    """What it is called, and what it shows, as HTML, which takes about so many lines."""

    title: str
    body: str
    kind: str = ""
    lines: float = LINES


def write_slides(html: Path, folder: Path, numbers: Collection[int] = ()) -> list[Path]:
    """Print the slides of all lessons of the book in `html`, or of some; returns the files.

    Raises BuildError where there is no browser or no such lesson, or where it cannot print.
    """
    return write_lessons(html, folder, deck, numbers, FIT)


def deck(volume: Volume, chapter: Chapter) -> str:
    """The slides of a lesson as a page of HTML; what leads elsewhere is plain text."""
    article = alone(chapter)
    for link in article.select("a"):
        link.unwrap()
    slides = [_first(volume, chapter, article), *slides_of(article)]
    body = "".join(
        f'<section class="slide {slide.kind}"><h2>{escape(slide.title)}</h2>'
        f'<div class="body"><div>{slide.body}</div></div></section>'
        for slide in slides
    )
    main = f'<main class="bd-main slides">{body}</main>'
    return whole(volume, chapter.title, [chapter], main, STYLE.read_text("utf-8"))


def _first(volume: Volume, chapter: Chapter, article: Tag) -> Slide:
    """The lesson's name, its question, and whose patients they are."""
    question = article.h1.find_next_sibling("p")
    told = (text_at(volume.front, place) for place in (".plateau-dataset", NOTE))
    below = "".join(f'<p class="whose">{escape(words)}</p>' for words in told if words)
    return Slide(chapter.title, f"{question}{below}", "first")


def slides_of(article: Tag) -> Iterator[Slide]:
    """The slides of each section of a lesson's page, in its order."""
    for section in article.select("section:has(> h2)"):
        title = section.h2.get_text(" ", strip=True)
        if title in NOT_FOR_THE_ROOM:
            continue
        made = list(_of_blocks(title, list(_blocks(section))))
        for below in section.find_all("section", recursive=False):
            name, blocks = below.find(["h3", "h4"]).get_text(" ", strip=True), list(_blocks(below))
            task = "exercise-" in below.get("id", "")  # nothing without its options and table
            made += _parted(name, blocks, SHRUNK) if task else _of_blocks(name, blocks)
        yield from _joined(made)


def _joined(parts: list[Slide]) -> list[Slide]:
    """Those of a section: a short one on one slide with the next, and two questions of a quiz."""
    made = parts[:1]
    for part in parts[1:]:
        here, new = made[-1], part.title != made[-1].title
        lines = here.lines + part.lines + new
        short = part.kind == "asked" or min(here.lines, part.lines) < SHORT
        if here.kind == part.kind != "code" and short and lines <= LINES:
            name = f"<h3>{escape(part.title)}</h3>" if new else ""
            made[-1] = replace(here, body=f"{here.body}{name}{part.body}", lines=lines)
        else:
            made.append(part)
    return made


def _blocks(section: Tag) -> Iterator[Tag]:
    """The paragraphs, lists and shows of a section, out of the cells that made them."""
    for part in section.find_all(True, recursive=False):
        if part.name in ("h2", "h3", "h4", "section"):
            continue
        if part.name == "div":
            yield from [part] if _is_show(part) else _blocks(part)
        else:
            yield part


def _of_blocks(title: str, blocks: list[Tag]) -> Iterator[Slide]:
    """A slide for each show, with the caption that stands over it; the text alone where none is."""
    text: list[Tag] = []
    before = None
    shows = [block for block in blocks if _is_show(block)]
    for block in blocks:
        if not _is_show(block):
            if not shows:
                text.append(block)
            before = block
            continue
        classes = set(block.get("class", []))
        if "worked" in classes:
            yield from _steps(block)
        elif "quiz" in classes:
            yield from _questions(title, block)
        else:
            named = before is not None and "table-caption" in before.get("class", [])
            yield Slide(title, f"{before if named else ''}{block}", lines=_lines(block) + named)
    yield from _parted(title, text, PROSE)


def _is_show(block: Tag) -> bool:
    return block.name == "figure" or bool(SHOWS & set(block.get("class", [])))


def _parted(title: str, blocks: list[Tag], most: float) -> Iterator[Slide]:
    """Blocks on as many slides as they need, without a break within a paragraph or a table."""
    here: list[Tag] = []
    for block in [*blocks, None]:
        lines = sum(map(_lines, here))
        if here and (block is None or lines + _lines(block) > most):
            yield Slide(title, "".join(map(str, here)), lines=lines)
            here = []
        here.append(block)


def _lines(block: Tag) -> float:
    """About how many lines of text a block takes: a chart has a slide of its own."""
    if block.name == "figure" or block.find("img"):
        return LINES
    if rows := block.find_all("tr"):
        return len(rows)
    words = (part.get_text(" ", strip=True) for part in block.find_all("li") or [block])
    return sum(ceil(len(each) / LETTERS) + 0.4 for each in words)


def _steps(worked: Tag) -> Iterator[Slide]:
    """A slide for each step in Python with what it shows, and the question after it."""
    for step in worked.select(".worked-steps > li"):
        python, question = step.select_one(".worked-python"), step.select_one(".worked-question")
        yield Slide(text_at(step, ".worked-title"), f"{python}{question or ''}", "code")


def _questions(title: str, quiz: Tag) -> Iterator[Slide]:
    """Each question with its choices, lettered, without what is said of them."""
    for question in quiz.find_all("li", recursive=False):
        choices = question.select(".quiz-options > li")
        listed = "".join(f"<li>{choice.get_text(' ', strip=True)}</li>" for choice in choices)
        asked = question.select_one(".quiz-question")
        body = f'{asked}<ol class="choices" type="A">{listed}</ol>'
        yield Slide(title, body, "asked", 1.05 * sum(map(_lines, [asked, *choices])))
