"""From the finished site to one PDF: its pages in reading order, joined and printed by Chromium;
and a print-out of each lesson.

The joined document holds all that it needs and no script, so the browser needs no network and no
file. Links between pages become links inside the document.
"""

from __future__ import annotations

import io
import json
import re
from base64 import b64encode
from collections.abc import Callable, Collection, Iterator
from contextlib import closing, contextmanager
from copy import copy
from dataclasses import dataclass
from functools import partial
from html import escape
from mimetypes import guess_type
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Error as BrowserError
from pypdf import PdfReader

from ..course.exercises import PREFIX
from ..study.marks import flat
from .browser import chromium, require_browser
from .pages import BuildError

STYLE = Path(__file__).with_name("pdf.css")
# What only a screen can use, what only a machine reads, and code that the page folds away.
LEFT_OUT = (
    "script, button, form, .headerlink, .chart-curves, .chart-files, .table-files, .ledger-count, "
    ".toctree-wrapper, details.hide, .invitation, .chart-choice, .why, "
    "details:has(.chart-answers), "
    # Code and files are there to be taken along, and the scorecard lists each printed number.
    "#the-code-of-this-page, .to-paste, details.plain-code, #the-numbers-of-this-page, "
    "details.numbers, .table-wrap:has(> table[id$='-print']), "
    "#the-books"  # of the site, of which this is one
)
# A drawing of its own; that of a card has its colours from the page, and stays in it.
DRAWING = r"<svg\b(?=[^>]*\bxmlns=).*?</svg>"
SANS = r"@font-face \{[^}]*\bInter;[^}]*\}"  # what a drawing needs of a style for its letters
# From where on a paragraph is of use at a screen only; of a caption it is what MOVE finds.
AT_A_SCREEN = re.compile(r"\b(Move (the|from)|Watch|Censor the competing|To see another)\b")
MOVE = re.compile(r"Move the [^.;]*[.;] ?(.?)")
REFERRING = ("aria-labelledby", "aria-describedby", "aria-controls", "headers", "for")
NOTE = ".bd-header-announcement strong"  # what every page says of a synthetic cohort
OUTSIDE = ("http", "https", "mailto")


@dataclass(frozen=True)
class Chapter:
    """One page of the site as a part of the document. `part` is the heading it stands under."""

    name: str
    title: str
    part: str
    article: Tag


@dataclass(frozen=True)
class Volume:
    """The pages of one book, ready to be joined; `front` is its first page as the site has it."""

    front: Tag
    chapters: list[Chapter]
    style: str


def write_pdf(html: Path, target: Path) -> int:
    """Print the book of the folder `html` to `target`; returns how many pages it has.

    Raises BuildError, and an older file at `target` then stays as it was.
    """
    volume = read(html)
    with printer("the book") as printed_of:
        # No browser can write the page of a link's target, so the first print finds them.
        pages = _first_pages(printed_of(document(volume, {})), volume)
        printed = printed_of(document(volume, pages))
    if _first_pages(printed, volume) != pages:
        raise BuildError("Chromium breaks the pages of the book differently each time")
    new = target.with_name(f"{target.name}.new")
    new.write_bytes(printed)
    new.replace(target)
    return len(PdfReader(io.BytesIO(printed)).pages)


def write_handouts(html: Path, folder: Path, numbers: Collection[int] = ()) -> list[Path]:
    """Print lessons of the book in `html`, for a class, each by itself; returns the files.

    They have the tasks with room to write, and no solution. They are those of some `numbers`, or
    all. Raises BuildError.
    """
    return write_lessons(html, folder, handout, numbers)


def write_lessons(
    html: Path,
    folder: Path,
    made_of: Callable[[Volume, Chapter], str],
    numbers: Collection[int] = (),
    fit: str = "",
) -> list[Path]:
    """Print what is made of each lesson, see `printer`, or of some; returns the files."""
    volume = read(html, flat)
    chosen = lessons(volume, numbers)
    folder.mkdir(parents=True, exist_ok=True)
    with printer("the lessons", fit) as printed_of:
        for lesson in chosen:
            (folder / f"{lesson.name}.pdf").write_bytes(printed_of(made_of(volume, lesson)))
    return [folder / f"{lesson.name}.pdf" for lesson in chosen]


def lessons(volume: Volume, numbers: Collection[int] = ()) -> list[Chapter]:
    """The lessons of a book, all or those of some numbers. Raises BuildError where one is not."""
    all_of_them = [chapter for chapter in volume.chapters if chapter.name.startswith(PREFIX)]
    by_number = {int(c.name.removeprefix(PREFIX)[:2]): c for c in all_of_them}
    if unknown := sorted(set(numbers) - set(by_number)):
        raise BuildError(f"the book has no lesson {', '.join(map(str, unknown))}")
    return [chapter for k, chapter in by_number.items() if not numbers or k in numbers]


# --- reading the site --------------------------------------------------------------------------


def read(html: Path, redrawn: Callable[[dict], str] | None = None) -> Volume:
    """The pages of the book in the folder `html`, in the order of its contents.

    `redrawn` draws the charts anew from their Vega specification, as SVG.
    """
    styles = (html / "_static" / "plateau.css", STYLE)
    style = "".join(path.read_text("utf-8") for path in styles)
    for font in set(re.findall(r'url\("(fonts/[\w-]+\.woff2)"\)', style)):
        letters = _data("font/woff2", (html / "_static" / font).read_bytes())
        style = style.replace(f'url("{font}")', f"url({letters})")
    picture = partial(as_picture, letters="".join(re.findall(SANS, style)))
    front = _soup(html / "index.html", picture)
    listed = list(_listed(front))
    known = {name for name, _ in listed}
    chapters = []
    for name, part in listed:
        article = _soup(html / f"{name}.html", picture).select_one("article.bd-article")
        for chart in article.select(".chart:has(.chart-spec)") if redrawn else ():
            drawn = picture(redrawn(json.loads(chart.select_one(".chart-spec").string)))
            chart.img.replace_with(BeautifulSoup(drawn, "html.parser"))
        _strip(article)
        _embed_pictures(article, html)
        _point_inside(article, name, known)
        chapters.append(Chapter(name, text_at(article, "h1"), part, article))
    _drop_dead_links(chapters)
    return Volume(front, chapters, style)


def _soup(page: Path, picture: Callable[[str], str]) -> BeautifulSoup:
    """A page of the site. A parser of HTML would spoil its drawings, which are XML."""
    drawn = partial(re.sub, f"(?s){DRAWING}", lambda found: picture(found[0]))
    return BeautifulSoup(drawn(page.read_text("utf-8")), "html.parser")


def _listed(front: Tag) -> Iterator[tuple[str, str]]:
    """Name of each page with the heading that it stands under in the sidebar."""
    yield "index", ""
    part = ""
    for tag in front.select(".bd-docs-nav p.caption, .bd-docs-nav .toctree-l1 > a"):
        if tag.name == "p":
            part = tag.get_text(" ", strip=True)
        elif not tag["href"].startswith("#"):
            yield unquote(urlsplit(tag["href"]).path).removesuffix(".html"), part


def _strip(article: Tag) -> None:
    """Leave what paper can show, and open what a reader could open."""
    for tag in article.select(LEFT_OUT):
        tag.decompose()
    for cell in article.select("div.cell"):
        if not cell.get_text(strip=True) and not cell.find("img"):
            cell.decompose()
    for folded in article.select("details"):
        _unfold(folded)


def _unfold(folded: Tag) -> None:
    """Stand open, under what it is called; a table in it often says that itself."""
    name, caption = folded.summary, folded.select_one(".table-caption")
    if {"option", "folded"} & set(folded.get("class", [])):
        name.unwrap()
    elif caption and caption.get_text() == name.get_text():
        name.decompose()
    else:
        name.name, name["class"] = "p", "table-caption"
    folded.unwrap()


def as_picture(drawing: str, letters: str) -> str:
    """A drawing as a picture, whose words a PDF can have; in another font they would not fit."""
    whole = re.sub(r"(<svg\b[^>]*>)", rf"\1<style>{letters}</style>", drawing, count=1)
    return f'<img src="{_data("image/svg+xml", whole.encode())}">'


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{b64encode(content).decode()}"


def _embed_pictures(article: Tag, folder: Path) -> None:
    """Each chart as its drawing with its words, and other pictures as part of the document."""
    for chart in article.select(".chart"):
        chart.img["alt"] = chart["aria-label"]
        chart.replace_with(chart.img)
    for picture in article.select("img[src]"):
        url = urlsplit(picture["src"])
        if not url.scheme:
            path = folder / unquote(url.path)
            picture["src"] = _data(guess_type(path.name)[0] or "", path.read_bytes())


def _point_inside(article: Tag, name: str, known: set[str]) -> None:
    """Give ids the page's name, so that no two pages share one, and follow them where used."""
    for tag in article.find_all(True):
        if tag.get("id"):
            tag["id"] = _place(name, tag["id"])
        for key in REFERRING:
            if key in tag.attrs:
                words = tag[key].split() if isinstance(tag[key], str) else tag[key]
                tag[key] = " ".join(_place(name, word) for word in words)
        tag.attrs.pop("tabindex", None)
    article["id"] = name
    for link in article.select("a[href]"):
        _lead(link, name, known)


def _place(name: str, identifier: str) -> str:
    """The id that something of a page has in the document; the page itself has its name."""
    return f"{name}--{identifier}"


def _lead(link: Tag, name: str, known: set[str]) -> None:
    """Lead to a page of the document or to another host; else be plain text, as a file is."""
    url = urlsplit(link["href"])
    if url.scheme in OUTSIDE:
        return
    # Both are relative to the book's folder, where all its pages are.
    page = PurePosixPath(unquote(url.path)).as_posix().removesuffix(".html") if url.path else name
    if url.scheme or page not in known or "download" in link.attrs:
        link.unwrap()
    else:
        link["href"] = f"#{_place(page, unquote(url.fragment))}" if url.fragment else f"#{page}"


def _drop_dead_links(chapters: list[Chapter]) -> None:
    """What was left out is no target any more."""
    there = {tag["id"] for chapter in chapters for tag in chapter.article.select("[id]")}
    there |= {chapter.name for chapter in chapters}
    for chapter in chapters:
        for link in chapter.article.select("a[href^='#']"):
            if link["href"][1:] not in there:
                link.unwrap()


# --- the document ------------------------------------------------------------------------------


def document(volume: Volume, pages: dict[str, int]) -> str:
    """The book as one page of HTML; `pages` has the number of the page where a chapter begins."""
    front, chapters = volume.front, volume.chapters
    name, dataset = (text_at(front, place) for place in (".logo__title", ".plateau-dataset"))
    bodies = [
        f'<div class="chapter" style="page: chapter-{number}">{chapter.article}</div>'
        for number, chapter in enumerate(chapters)
    ]
    before = _cover(front) + _contents(chapters, pages)
    main = f'{before}<main class="bd-main">{"".join(bodies)}</main>'
    return whole(volume, f"{name}: {dataset}", chapters, main)


def handout(volume: Volume, chapter: Chapter) -> str:
    """One chapter as a page of HTML of its own."""
    inside = f'<div style="page: chapter-0">{alone(chapter)}</div>'
    main = f'<main class="bd-main handout">{inside}</main>'
    return whole(volume, chapter.title, [chapter], main)


def alone(chapter: Chapter) -> Tag:
    """A chapter in which what leads to others is plain text, and nothing is said to move."""
    article = copy(chapter.article)
    for link in article.select("a[href^='#']"):
        link.unwrap()
    for heading in article.find_all("h2", string="Move it yourself"):
        heading.string = "The chart at its start"
    for words in article.find_all(string=AT_A_SCREEN):
        if words.parent.name != "p":
            words.replace_with(MOVE.sub(lambda found: found[1].upper(), words))
            continue
        for after in list(words.next_siblings):
            after.extract()
        before = words[: AT_A_SCREEN.search(words).start()].rstrip()
        words.replace_with(before) if before or words.previous_sibling else words.parent.decompose()
    return article


def whole(volume: Volume, title: str, chapters: list[Chapter], body: str, style: str = "") -> str:
    """A page of HTML with its style, and what stands at the foot of each page of paper.

    A `style` of its own comes last.
    """
    feet = [
        f"@page {{ @bottom-left {{ content: {_css(text_at(volume.front, NOTE))} }} }}",
        *(_page_rule(number, chapter.title) for number, chapter in enumerate(chapters)),
    ]
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title><style>{volume.style}{''.join(feet)}{style}</style></head>"
        f'<body class="bd-content bd-article-container">{body}</body></html>'
    )


def _page_rule(number: int, title: str) -> str:
    """What stands at the foot of each page of a chapter: its title and the page's number."""
    said = f'{_css(title)} "\\2003" counter(page)'
    return f"@page chapter-{number} {{ @bottom-right {{ content: {said} }} }}\n"


def _css(text: str) -> str:
    """Text as a string of CSS, in which neither quotes nor the end of a style can hide."""
    return '"' + re.sub(r"[^\w .,:;-]", lambda sign: f"\\{ord(sign[0]):x} ", text) + '"'


def text_at(soup: Tag, place: str) -> str:
    """The words at a place of the page, none where it has no such place."""
    tag = soup.select_one(place)
    return tag.get_text(" ", strip=True) if tag else ""


def _cover(front: Tag) -> str:
    """What the site says around each page: whose book this is, of which data, made by what."""
    said = ""
    if warning := front.select_one(".bd-header-announcement__content"):
        for link in warning.select("a"):
            link.extract()
        said = f'<p class="warning">{warning.decode_contents().strip()}</p>'
    provenance = front.select_one(".plateau-provenance")
    return (
        '<section class="cover" style="page: cover">'
        f'<p class="book">{escape(text_at(front, ".logo__title"))}</p>'
        f'<p class="dataset">{escape(text_at(front, ".plateau-dataset"))}</p>{said}'
        f'<div class="made">{provenance or ""}'
        f"<p>{escape(text_at(front, '.component-author'))}</p>"
        f"<p>{escape(text_at(front, '.copyright'))}</p></div></section>"
    )


def _contents(chapters: list[Chapter], pages: dict[str, int]) -> str:
    """The list of chapters under their parts, with the page on which each begins."""
    rows, part = [], ""
    for chapter in chapters:
        if chapter.part != part:
            part = chapter.part
            rows.append(f'<p class="part">{escape(part)}</p>')
        number = pages.get(chapter.name, "")
        rows.append(
            f'<p class="entry"><a href="#{escape(chapter.name)}">{escape(chapter.title)}</a>'
            f'<span class="dots"></span><span class="number">{number}</span></p>'
        )
    rows.append(
        '<p class="files">A file named on a page, such as <code>index.csv</code>, lies beside the '
        "site from which this PDF was made, in its folder <code>results</code>.</p>"
    )
    return f'<nav class="contents"><h1>Contents</h1>{"".join(rows)}</nav>'


# --- printing it -------------------------------------------------------------------------------


@contextmanager
def printer(what: str, fit: str = "") -> Iterator[Callable[[str], bytes]]:
    """What makes a PDF of a document. Nothing is loaded: what the document shows is in it.

    No script runs but `fit`, which the browser calls once the document is laid out.
    Raises BuildError where there is no browser, or where it cannot print.
    """
    program = require_browser()
    settings = {"offline": True, "java_script_enabled": bool(fit)}
    options = ("outline", "tagged", "prefer_css_page_size", "print_background")

    def printed(document: str) -> bytes:
        with closing(browser.new_context(**settings)) as context:
            page = context.new_page()
            page.set_content(document)
            if fit:
                page.evaluate(fit)
            return page.pdf(**dict.fromkeys(options, True))

    try:
        with chromium(program) as browser:
            yield printed
    except BrowserError as error:
        said = error.message.splitlines()[0]
        raise BuildError(f"{program} cannot print {what}: {said}") from None


def _first_pages(printed: bytes, volume: Volume) -> dict[str, int]:
    """On which page of a PDF, counted from 1, each chapter begins."""
    reader = PdfReader(io.BytesIO(printed))
    places = reader.named_destinations
    begins = {c.name: places[f"/{c.name}"] for c in volume.chapters if f"/{c.name}" in places}
    return {name: reader.get_destination_page_number(begins[name]) + 1 for name in begins}
