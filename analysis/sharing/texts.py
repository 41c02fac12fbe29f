"""Texts of the book with what a run found put into them.

The texts are Jinja templates in book/. A value that a template names leads to its row, as in all
Prose, and a sentence written for several agrees with one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template, pass_context
from jinja2.runtime import Context, LoopContext

from ..page.contents import BOOK, title
from ..page.prose import Prose, paged

PLACES = "_places"  # the values of a text, in the order in which it names them


@pass_context
def _placed(context: Context, value: object) -> str:
    """A value's place within braces, where Prose will put it."""
    context[PLACES].append(value)
    return f"{{place_{len(context[PLACES])}}}"


@cache
def link(page: str) -> Prose:
    """The short name of a page, `Figure 1A`, leading to it."""
    return paged(title(BOOK / f"{page}.ipynb").partition(". ")[0], page)


def joint(loop: LoopContext) -> str:
    """What stands before an item of a list in a sentence: `a, b and c`."""
    if loop.first:
        return ""
    return " and " if loop.last else ", "


TEXTS = Environment(
    loader=FileSystemLoader(BOOK),
    undefined=StrictUndefined,
    finalize=_placed,
    trim_blocks=True,
    lstrip_blocks=True,
)
TEXTS.globals |= {"link": link, "joint": joint}


def said(text: str | Template, values: Mapping[str, Any], block: str = "") -> Prose:
    """A template, or one block of it, as Prose: paragraphs, however their lines are broken."""
    template = TEXTS.from_string(text) if isinstance(text, str) else text
    places: list[object] = []
    context = template.new_context({**values, PLACES: places})
    render = template.blocks[block] if block else template.root_render_func
    filled = "".join(render(context))
    named = {f"place_{number}": value for number, value in enumerate(places, start=1)}
    return Prose(*_paragraphs(filled), **named)


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        yield " ".join(paragraph.split())


@cache
def read(name: str) -> dict[str, Any]:
    """A list of book/ in YAML."""
    return yaml.safe_load((BOOK / f"{name}.yaml").read_text("utf-8"))


def template(name: str) -> Template:
    """A template of book/."""
    return TEXTS.get_template(f"{name}.jinja")
