"""What the theme leaves to do on a page: roles, a description for previews, a page for lost links,
and the buttons of a lesson.

Roles are mended where they are written, and all else is a template under _templates/.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pybtex.plugin
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

LABEL = r"^(The question|What was asked)\. "  # the words in bold before the question of a page


def visit_citation(self: HTML5Translator, node: nodes.citation) -> None:
    """Write an entry of the bibliography as an item of its list: docutils' role is deprecated."""
    HTML5Translator.visit_citation(self, node)
    self.body[-1] = self.body[-1].replace('role="doc-biblioentry"', 'role="listitem"')


def depart_citation(self: HTML5Translator, node: nodes.citation) -> None:
    """End the entry as docutils does."""
    HTML5Translator.depart_citation(self, node)


def description(page: nodes.document | None) -> str:
    """The first sentence of a page's first paragraph: its question, where it asks one.

    It is plain text: what HTML stands in the paragraph, as around a number, is left out.
    """
    first = next(page.findall(nodes.paragraph), None) if page else None
    parts = first.findall(nodes.Text) if first else ()
    said = "".join(part.astext() for part in parts if not isinstance(part.parent, nodes.raw))
    text = re.sub(LABEL, "", " ".join(said.split()))
    return re.split(r"(?<=[.?!]) ", text, maxsplit=1)[0]


def describe(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], page: nodes.document | None
) -> None:
    """Give layout.html what it says of a page to those who show a link to it."""
    image = Path("_static", "preview.png")
    context["published_at"] = app.config.html_baseurl
    context["description"] = description(page)
    context["preview"] = image.as_posix() if (Path(app.srcdir) / image).exists() else ""


def open_exercises(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], page: nodes.document | None
) -> None:
    """Let the buttons of a page open what the repository has of its book, and no other.

    Of a lesson it is the learner's notebook on the book's dataset, which holds no solution; of the
    paper's book the page's own notebook, and of an endpoint the one that made the page. Where there
    is none nothing is left to open, only to save.
    """
    told, name = app.config.html_context, f"{pagename}.ipynb"
    lesson = pagename.startswith("lesson_")
    if lesson:
        own = told.get("exercises") and f"{told['exercises']}/{name}"
    else:
        own = told.get("paper") and f"book/{told.get('made_by', {}).get(pagename, name)}"
    groups = [group for group in context.get("header_buttons", []) if group.get("buttons")]
    for group in groups:
        for button in [button for button in group["buttons"] if button.get("url")]:
            url = button["url"]
            if f"book/{name}" in url and not own:
                group["buttons"].remove(button)
            elif f"book/{name}" in url:
                button["url"] = url.replace(f"book/{name}", own)
            elif lesson:
                button["url"] = url.replace(f"_sources/{name}", f"exercises/{name}")
        if not group["buttons"]:
            context["header_buttons"].remove(group)


def lost(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """The page for addresses that lead nowhere; a site has one, at its root."""
    if app.config.html_context.get("site_root"):
        yield "404", {"pages": list(in_reading_order(app)), "title": "Page not found"}, "404.html"


def in_reading_order(app: Sphinx, page: str = "") -> Iterator[tuple[str, str]]:
    """Name and title of a page and of those below it, as the table of contents has them."""
    page = page or app.config.root_doc
    yield page, app.env.titles[page].astext()
    for below in app.env.toctree_includes.get(page, ()):
        yield from in_reading_order(app, below)


def setup(app: Sphinx) -> dict[str, Any]:
    """Hook the above into Sphinx."""
    # It looks through all installed packages for each citation anew: an eighth of Sphinx's time.
    pybtex.plugin.entry_points = functools.cache(pybtex.plugin.entry_points)
    app.add_node(nodes.citation, override=True, html=(visit_citation, depart_citation))
    app.connect("html-page-context", describe)
    app.connect("html-page-context", open_exercises, priority=600)  # the theme's come before
    app.connect("html-collect-pages", lost)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
