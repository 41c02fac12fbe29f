"""Links the first use of each glossary term on a page to its definition, which shows on hover.

Prose stays free of markup for it, and prose that a run writes is linked like any other. Terms of
one definition count as one. Headings, code, formulas and links are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

GLOSSARY = "glossary"
ALONE = (nodes.title, nodes.reference, nodes.literal, nodes.literal_block, nodes.raw, nodes.term,
         nodes.math, nodes.math_block, nodes.citation, nodes.comment)  # fmt: skip


@dataclass(frozen=True)
class Definition:
    """Where a term is defined, and its definition as text."""

    place: str
    text: str


def definitions(glossary: nodes.document) -> dict[str, Definition]:
    """Each term of the glossary in its plain form; those of one definition share its place."""
    found = {}
    for item in glossary.findall(nodes.definition_list_item):
        terms = list(item.findall(nodes.term))
        text = " ".join(part.astext() for part in item.findall(nodes.paragraph))
        for term in terms:
            found[_plain(term.astext())] = Definition(terms[0]["ids"][0], " ".join(text.split()))
    return found


def _plain(word: str) -> str:
    """All dashes are one."""
    return word.replace("–", "-")


def pattern(terms: dict[str, Definition]) -> re.Pattern[str]:
    """Whole words, the longest term first, also with a capital, a plural's s or another dash."""
    either = "|".join(
        (f"[{word[0].upper()}{word[0]}]" if word[0].islower() else re.escape(word[0]))
        + re.escape(word[1:]).replace(r"\-", "[–-]")
        for word in sorted(terms, key=len, reverse=True)
    )
    return re.compile(rf"(?<![\w–-])(?:{either})s?(?![\w–-])")


def meaning(word: str, terms: dict[str, Definition]) -> Definition:
    """The definition of a word that `pattern` found."""
    word = _plain(word)
    forms = (word, word[0].lower() + word[1:])
    return next(terms[f] for form in forms for f in (form, form.removesuffix("s")) if f in terms)


def prose(document: nodes.document) -> Iterator[nodes.Text]:
    """The text of paragraphs and list items, in reading order."""
    for text in list(document.findall(nodes.Text)):
        if _in_a_link_as_written(text):
            continue
        above = text.parent
        inside = False
        while above is not None and not isinstance(above, ALONE):
            inside = inside or isinstance(above, nodes.paragraph)
            above = above.parent
        if above is None and inside:
            yield text


def _in_a_link_as_written(text: nodes.Text) -> bool:
    """Whether it follows the start of a link that is HTML in the Markdown, as a number's is."""
    place = text.parent.index(text)
    before = text.parent[place - 1] if place else None
    return isinstance(before, nodes.raw) and before.astext().startswith("<a ")


def link_first_uses(app: Sphinx, document: nodes.document, page: str) -> None:
    """Put the links into one page."""
    if GLOSSARY not in app.env.all_docs or page == GLOSSARY or app.builder.format != "html":
        return
    terms = definitions(app.env.get_doctree(GLOSSARY))
    words, seen = pattern(terms), set()
    own_name = app.config.html_theme_options["logo"]["text"]
    address = app.builder.get_relative_uri(page, GLOSSARY)
    for text in prose(document):
        parts, end = [], 0
        for match in words.finditer(text):
            word = match.group()
            meant = meaning(word, terms)
            if meant.place in seen or word == own_name:
                continue
            seen.add(meant.place)
            target = f"{address}#{meant.place}"
            link = nodes.reference("", word, internal=True, refuri=target, reftitle=meant.text)
            link["classes"] = ["term"]
            parts += [nodes.Text(text[end : match.start()]), link]
            end = match.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(text[end:])])


def setup(app: Sphinx) -> dict[str, Any]:
    """Run when the cross-references of a page are resolved."""
    app.connect("doctree-resolved", link_first_uses)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
