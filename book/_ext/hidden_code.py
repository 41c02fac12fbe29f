"""What code it is that a page shows when it is asked: the name of each folded cell.

A cell begins with a comment that names it, and that name stands on its toggle: `Code: The figure`.
Where a toggle has several cells, it is the name of the last, which shows what comes of them.
What would answer an exercise says so, so that nobody opens it by accident. No two toggles of a page
have one name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator


def name_of(source: str, classes: Sequence[str], above: str) -> str:
    """The name of a cell of some `classes` under a heading: of what its toggle shows the code."""
    first = source.strip().partition("\n")[0]
    if "tag_parameters" in classes:
        return "Code: Parameters"
    if "tag_solution" in classes:
        return f"Solution: {above}"
    if "tag_hide-cell" in classes:
        return f"Is it right? {above}"
    return "Code: " + (first.lstrip("# ") if first.startswith("#") else above)


def heading(node: nodes.Node | None) -> str:
    """The heading under which a node stands, or none."""
    while node is not None and not isinstance(node, nodes.section):
        node = node.parent
    title = node and node.next_node(nodes.title)
    return title.astext() if title else ""


def visit(self: HTML5Translator, node: HideCodeCellNode) -> None:
    """Open the folded cell, in place of myst-nb's own label."""
    sources = [source.astext() for source in node.children[0].findall(nodes.literal_block)]
    cells = self.document.findall(nodes.container)  # a cell folded whole is not told its parent
    cell = next(cell for cell in cells if any(part is node for part in cell.children))
    name = name_of(sources[-1], cell["classes"], heading(cell))
    name += f", in {len(sources)} steps" if len(sources) > 1 else ""
    seen = self.__dict__.setdefault("names_of_code", Counter())
    seen[name] += 1
    heard = f"{name}, {seen[name]}" if seen[name] > 1 else name
    self.body.append(
        f'<details class="admonition hide {" ".join(node["classes"])}">\n'
        f'<summary><p class="admonition-title">{escape(heard)}</p></summary>\n'
    )


def depart(self: HTML5Translator, node: HideCodeCellNode) -> None:
    """Close the folded cell."""
    self.body.append("</details>\n")


def setup(app: Sphinx) -> dict[str, Any]:
    """Take the place of myst-nb's way to write a folded cell."""
    app.add_node(HideCodeCellNode, override=True, html=(visit, depart))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
