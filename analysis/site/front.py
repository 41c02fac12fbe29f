"""The shelf of a site: a card for each book, from what the book's own first page has written.

One list, books.json, and one template show it: as a part of the first page where a book has the
root, and else as a page of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd

from ..page.cards import drawing
from ..page.contents import BOOK
from ..printed.entry import ENTRY

LIST = "books.json"  # at the root of the site: what the cards show, for programs
ABOVE = "index-book"  # the cell of the first page over which the cards stand
SAID = "# A card for each book of the site"


def entry(folder: str, title: str, patients: int, results: Iterable[Path]) -> dict[str, Any]:
    """The book in a `folder` of the site as the list has it; `results` are its folders of them.

    One without a first page that tells of it has its title and its number of patients.
    """
    told = {"folder": folder, "title": title, "patients": patients}
    for path in (place / ENTRY for place in results):
        told |= json.loads(path.read_text("utf-8")) if path.exists() else {}
    return told


def as_json(books: list[dict[str, Any]]) -> str:
    """The list as its file."""
    return json.dumps(books, ensure_ascii=False)


def shown(books: list[dict[str, Any]], alone: bool) -> str:
    """The cards as HTML: `alone` as a whole page, else to stand in the page of the root's book."""
    place = jinja2.FileSystemLoader(BOOK / "_templates")
    page = jinja2.Environment(loader=place, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    style = (BOOK / "_static" / "shelf.css").read_text("utf-8") if alone else ""
    return page.get_template("shelf.html").render(books=books, style=style, picture=_picture)


def _picture(book: dict[str, Any]) -> str:
    """The curves of a book as a drawing, said in its words."""
    curves = [pd.Series(curve["shares"], curve["months"]) for curve in book["curves"]]
    names = [curve["name"] for curve in book["curves"]] if len(curves) > 1 else []
    words = [book["drawing"]["words"], *([f"{', '.join(names)}."] if names else [])]
    return drawing(curves, " ".join(words))


def put_into(notebook: Path, cards: str) -> None:
    """Put the cards into the first page of the root's book, after what the page found."""
    page = json.loads(notebook.read_text("utf-8"))
    place = next((n for n, cell in enumerate(page["cells"]) if cell["id"] == ABOVE), None)
    if place is not None:
        output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": cards}}
        head = {"cell_type": "markdown", "source": "## The books"}
        body = {"cell_type": "code", "source": SAID, "outputs": [output], "execution_count": None}
        cells = [head | {"id": "books-title", "metadata": {}},
                 body | {"id": "books", "metadata": {"tags": ["remove-input"]}}]  # fmt: skip
        page["cells"][place:place] = cells
        notebook.write_text(json.dumps(page, ensure_ascii=False), "utf-8")
