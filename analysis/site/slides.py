"""From a lesson's page to slides for the room: what a teacher shows, 16:9, printed by Chromium.

A slide has one thing to look at: a chart, a table, a step of code, a task, a question of the quiz.
They are cut from the page that the site has, so page and slides say the same; what a reader would
read beside it stays on the page. No slide has a solution or a key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from copy import copy
from dataclasses import dataclass
from html import escape
from pathlib import Path

from bs4 import Tag

from .pdf import NOTE, Chapter, Volume, lessons, printer, read, text_at, whole

STYLE = Path(__file__).with_name("slides.css")
SHOWS = {"table-wrap", "worked", "quiz", "math"}  # classes of what a slide is about, or a figure
NOT_FOR_THE_ROOM = ("Read on", "The numbers of this page")
MOST = 420  # letters of text on a slide that has nothing else
# The scale at which what is too large for its slide fits on it; nothing else runs in the browser.
FIT = """() => document.querySelectorAll(".slide > .body").forEach(body => {
  const room = Math.min(body.clientHeight / body.scrollHeight, body.clientWidth / body.scrollWidth);
  if (room < 1) body.firstElementChild.style.zoom = Math.max(0.4, room * 0.98);
})"""


@dataclass(frozen=True)
class Slide:
    """What it is called, and what it shows, as HTML."""

    title: str
    body: str
    kind: str = ""


def write_slides(html: Path, folder: Path, numbers: Collection[int] = ()) -> list[Path]:
    """Print the slides of all lessons of the book in `html`, or of some; returns the files.

    Raises BuildError where there is no browser or no such lesson, or where it cannot print.
    """
    volume = read(html)
    chosen = lessons(volume, numbers)
    folder.mkdir(parents=True, exist_ok=True)
    made = []
    with printer("the slides", FIT) as printed_of:
        for chapter in chosen:
            made.append(folder / f"{chapter.name}.pdf")
            made[-1].write_bytes(printed_of(deck(volume, chapter)))
    return made


def deck(volume: Volume, chapter: Chapter) -> str:
    """The slides of a lesson as a page of HTML; what leads elsewhere is plain text."""
    article = copy(chapter.article)
    for link in article.select("a"):
        link.unwrap()
    slides = [_first(volume, chapter, article), *slides_of(article)]
    body = "".join(
        f'<section class="slide {slide.kind}"><h2>{escape(slide.title)}</h2>'
        f'<div class="body"><div>{slide.body}</div></div></section>'
        for slide in slides
    )
    main = f'<main class="bd-main slides">{body}</main>'
    style = STYLE.read_text("utf-8")
    return whole(volume, chapter.title, [chapter], main, style)


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
        tasks = section.find_all("section", recursive=False)
        yield from _of_blocks(title, list(_blocks(section)))
        for task in tasks:
            name = task.find(["h3", "h4"]).get_text(" ", strip=True)
            yield from _of_blocks(name, list(_blocks(task)))


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
            yield Slide(title, f"{before if named else ''}{block}")
    yield from (Slide(title, part) for part in _parted(text))


def _is_show(block: Tag) -> bool:
    return block.name == "figure" or bool(SHOWS & set(block.get("class", [])))


def _parted(blocks: list[Tag]) -> Iterator[str]:
    """Text on as many slides as it needs, without a break within a paragraph or a list."""
    here: list[Tag] = []
    for block in blocks:
        if here and sum(len(part.get_text()) for part in (*here, block)) > MOST:
            yield "".join(map(str, here))
            here = []
        here.append(block)
    if here:
        yield "".join(map(str, here))


def _steps(worked: Tag) -> Iterator[Slide]:
    """A slide for each step in Python with what it shows, and one for the question after it."""
    for step in worked.select(".worked-steps > li"):
        title = text_at(step, ".worked-title")
        yield Slide(title, str(step.select_one(".worked-python")), "code")
        if question := step.select_one(".worked-question"):
            yield Slide("Before you go on", str(question), "asked")


def _questions(title: str, quiz: Tag) -> Iterator[Slide]:
    """A slide for each question with its choices, lettered, without what is said of them."""
    for question in quiz.find_all("li", recursive=False):
        choices = question.select(".quiz-options > li")
        listed = "".join(f"<li>{choice.get_text(' ', strip=True)}</li>" for choice in choices)
        asked = question.select_one(".quiz-question")
        yield Slide(title, f'{asked}<ol class="choices" type="A">{listed}</ol>', "asked")
