"""What the search looks in: the sections of a book's finished pages, without code and numbers.

Sphinx's own index is not made: it has the code, and each number of each table. MiniSearch ranks
ours in the browser (`search.js`), with the words of `search.yaml`.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from finish import in_reading_order
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.search.en import SearchEnglish

WORDS = Path(__file__).with_name("search.yaml")
INDEX = "searchindex.js"
Section = dict[str, Any]

NUMBERS = "the-numbers-of-this-page"  # ends each page and leads to its file
LEFT_OUT = (nodes.title, nodes.literal_block, nodes.math, nodes.math_block, nodes.comment,
            nodes.image, nodes.label, HideCodeCellNode)  # fmt: skip
LINES = (nodes.paragraph, nodes.term, nodes.citation, nodes.line)
# Of a cell's HTML: drawings, code, what is folded, what is pressed or chosen, and links to files.
UNSAID = re.compile(
    r"<(script|style|svg|math|pre|details|button|label|select)\b.*?</\1>"
    r'|<(div|p|span)\b[^>]*class="(?:chart|table)-files".*?</\2>',
    re.DOTALL,
)
TABLE = re.compile(r'<table[^>]*class="data(?P<kind>[^>]*)>.*?</table>', re.DOTALL)
INLINE = re.compile(r"</?(?:a|abbr|b|em|i|span|strong|sub|sup)\b[^>]*>")
TAG = re.compile(r"<[^>]+>")


def sections(page: nodes.document) -> Iterator[Section]:
    """The parts of a page that a link leads to: heading, prose, and the rows of the page's table.

    The entries of a glossary are parts of their own.
    """
    for part in page.findall(nodes.section):
        if NUMBERS not in part["ids"]:
            yield _section(part["ids"][0], part.next_node(nodes.title).astext(), part.children)
    for entries in page.findall(addnodes.glossary):
        for entry in entries.findall(nodes.definition_list_item):
            terms = list(entry.findall(nodes.term))
            heading = ", ".join(term.astext() for term in terms)
            meaning = entry.next_node(nodes.definition)
            yield _section(terms[0]["ids"][0], heading, [meaning])


def _section(place: str, heading: str, parts: list[nodes.Node]) -> Section:
    own = [part for part in parts if not isinstance(part, nodes.section)]
    text = "".join(words for part in own for words in prose(part))
    lines = filter(None, (" ".join(line.split()) for line in text.split("\n")))
    below = " · ".join(part.next_node(nodes.title).astext() for part in parts if part not in own)
    raw = "".join(raw.astext() for part in own for raw in part.findall(nodes.raw))
    caption, rows = table(raw)
    section = {"id": place, "heading": heading, "text": "\n".join(lines) or below}
    return {**section, "caption": caption, "rows": rows}


def prose(part: nodes.Node) -> Iterator[str]:
    """What a part says, a line a paragraph."""
    if isinstance(part, nodes.Text):
        yield part.astext()
    elif isinstance(part, nodes.raw):
        yield written(part.astext())
    elif isinstance(part, nodes.row):
        cells = (" ".join("".join(prose(cell)).split()) for cell in part.children)
        yield " · ".join(filter(None, cells)) + "\n"
    elif not isinstance(part, (*LEFT_OUT, addnodes.glossary)):
        for child in part.children:
            yield from prose(child)
        if isinstance(part, LINES):
            yield "\n"


def written(cell: str) -> str:
    """What the HTML of a cell says in words: captions, notes, and tables of words, a line a row."""
    said = TABLE.sub(_in_words, UNSAID.sub(" ", cell))
    return html.unescape(TAG.sub("\n", INLINE.sub("", said)))


def _in_words(table: re.Match) -> str:
    if "words" not in table["kind"]:
        return ""
    rows = re.findall(r"<tr.*?</tr>", table[0], re.DOTALL)
    cells = (re.findall(r"<t[hd]\b[^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows)
    return "\n".join(" · ".join(filter(None, row)) for row in cells)


def table(cells: str) -> tuple[str, list[str]]:
    """Of a page's own table, which is called as the page is: its caption and the names of its rows.

    A name ends where its unit or its statistic begins: `Age, y, median (range)` is Age.
    """
    own = next((t for t in TABLE.finditer(cells) if re.search(r'id="\w+"', t["kind"])), None)
    if not own:
        return "", []
    captions = re.findall(r'<p class="table-caption"[^>]*>(.*?)</p>', cells[: own.start()])
    names = re.findall(r'<th scope="row[^>]*>(.*?)</th>', own[0], re.DOTALL)
    plain = (html.unescape(TAG.sub("", name)) for name in names)
    rows = (re.split(r", | \(", name, maxsplit=1)[0].strip() for name in plain)
    told = (row for row in rows if re.search(r"[^\W\d_]{3}", row))
    return html.unescape(TAG.sub("", "".join(captions[-1:]))), list(dict.fromkeys(told))


def gather(
    found: dict[str, list[Section]],
    app: Sphinx,
    name: str,
    template: str,
    context: dict[str, Any],
    page: nodes.document | None,
) -> None:
    """Keep the sections of one page."""
    if page:
        found[name] = list(sections(page))


def index(app: Sphinx, found: dict[str, list[Section]]) -> dict[str, Any]:
    """The pages in reading order with their sections, and the words of the search.

    The dataset adds its abbreviations, and to the first page its title.
    """
    found = _found_before(app) | found
    told = app.config.html_context
    words = yaml.safe_load(WORDS.read_text("utf-8"))
    for short, meant in told["abbreviations"].items():
        names = next((names for names in words["same"] if short in names), None)
        if names is None:
            words["same"].append([short, meant])
        elif meant not in names:
            names.append(meant)
    about = words.pop("about")
    pages = []
    for name, title in in_reading_order(app):
        if name == app.config.root_doc:
            title = f"{title}. {told['dataset']}"
        source = told["made_by"].get(name, name).removesuffix(".ipynb")
        known_as = about.get(source, [])
        pages.append({"name": name, "title": title, "about": known_as, "sections": found[name]})
    return {**words, "pages": pages}


def _found_before(app: Sphinx) -> dict[str, list[Section]]:
    """The sections of the pages as the last index has them: Sphinx writes only what changed."""
    before = Path(app.outdir, INDEX)
    if not before.exists():
        return {}
    made = before.read_text("utf-8").partition("const SEARCHED = ")[2].rstrip(";\n")
    return {page["name"]: page["sections"] for page in json.loads(made)["pages"]}


def write(found: dict[str, list[Section]], app: Sphinx, error: Exception | None) -> None:
    """Write the index as a script, which a page that is opened from a disk may load."""
    if error:
        return
    made = json.dumps(index(app, found), ensure_ascii=False, separators=(",", ":"))
    script = f"{SearchEnglish.js_stemmer_code.strip()}\nconst SEARCHED = {made};\n"
    Path(app.outdir, INDEX).write_text(script, "utf-8")
    for unused in ("language_data.js", "searchtools.js"):  # of Sphinx's search
        Path(app.outdir, "_static", unused).unlink(missing_ok=True)


def setup(app: Sphinx) -> dict[str, Any]:
    """Make our index and page of the search in the place of Sphinx's."""
    found: dict[str, list[Section]] = {}

    def begin(app: Sphinx) -> None:
        app.builder.search = False

    app.connect("builder-inited", begin)
    app.connect("html-page-context", partial(gather, found))
    app.connect("html-collect-pages", lambda app: [("search", {"title": "Search"}, "search.html")])
    app.connect("build-finished", partial(write, found))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
