"""What code it is that a page shows when it is asked: the name of each folded cell.

A reader who only hears the page would hear "Show the code" a dozen times. The words stay as they
are seen, and after them, for the ear, stands what the cell does: the comment that it begins with,
or what it calls last. Of sentences the heading above says on what. No two cells of a page have one
name.
"""

from __future__ import annotations

import ast
import builtins
from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

# Calls that say little of what a cell does, and what they are called instead; others are left out.
SENTENCES = "sentences"
PLAIN = {"Prose": SENTENCES, "told": SENTENCES, "of": SENTENCES, "startswith": SENTENCES,
         "write": "results", "ToPaste": "text to copy", "os": "overall survival",
         "to_string": "table"}  # fmt: skip
LEFT_OUT = {"display", "print", "anybody"} | set(dir(builtins))


def name_of(source: str, classes: Sequence[str]) -> str:
    """What a cell does, in a few words."""
    if "tag_parameters" in classes:
        return "parameters"
    first = source.strip().partition("\n")[0]
    if first.startswith("#"):
        return first.lstrip("# ")
    last = ast.parse(source).body[-1]
    if isinstance(last, ast.Assign):
        return _words(ast.unparse(last.targets[0]))
    calls = [node.func for node in ast.walk(last) if isinstance(node, ast.Call)]
    called = [ast.unparse(call).rpartition(".")[2] for call in calls]
    telling = [name for name in called if name not in LEFT_OUT]
    names = [node.id for node in ast.walk(last) if isinstance(node, ast.Name)]
    telling += [name for name in names if name not in LEFT_OUT]
    return _words((telling or ["cell"])[0])


def _words(name: str) -> str:
    words = PLAIN.get(name, name.replace("_", " "))
    about = [word for word in words.split() if word != "told"]
    return words if "told" not in words.split() else f"{SENTENCES} on {' '.join(about)}"


def heading(node: nodes.Node | None) -> str:
    """The heading under which a node stands, or none."""
    while node is not None and not isinstance(node, nodes.section):
        node = node.parent
    title = node and node.next_node(nodes.title)
    return title.astext() if title else ""


def visit(self: HTML5Translator, node: HideCodeCellNode) -> None:
    """Open the folded cell. myst-nb's own label hides the words that are seen."""
    source = next(node.findall(nodes.literal_block)).astext()
    cell = node.parent or {"classes": []}  # that of a cell folded whole is not told
    name = name_of(source, cell["classes"])
    if name == SENTENCES:
        name = ": ".join(filter(None, (name, heading(node))))
    seen = self.__dict__.setdefault("names_of_code", Counter())
    seen[name] += 1
    heard = f"{name}, {seen[name]}" if seen[name] > 1 else name
    self.body.append(f'<details class="admonition hide {" ".join(node["classes"])}">\n<summary>\n')
    for state, prompt in (("collapsed", "prompt_show"), ("expanded", "prompt_hide")):
        words = f'{escape(node[prompt])}<span class="visually-hidden">: {escape(heard)}</span>'
        self.body.append(f'<p class="{state} admonition-title">{words}</p>\n')
    self.body.append("</summary>\n")


def depart(self: HTML5Translator, node: HideCodeCellNode) -> None:
    """Close the folded cell."""
    self.body.append("</details>\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Take the place of myst-nb's way to write a folded cell."""
    app.add_node(HideCodeCellNode, override=True, html=(visit, depart))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
