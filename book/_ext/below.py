"""What stands at the foot of a page, folded: definitions, the print, the code, every number.

A page of the analysis shows what was found. The code of its cells stands together under it, in the
order in which it ran. A lesson keeps its code where each step is taken: the cells that lead to one
table, chart or sentence stand behind one toggle, over what they lead to.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

NUMBERS = "The numbers of this page"
CODE = "The code of this page"
PRINT = "Against the print"
FOLDED = ("What is estimated", "What is shown", PRINT, CODE, NUMBERS)
LESSON = "lesson_"


def gather(app: Sphinx, page: nodes.document) -> None:
    """Put the code of all cells into one section, before that of the numbers."""
    for section in [*page.findall(nodes.section)]:
        tables = ("<table" in part.astext() for part in section.findall(nodes.raw))
        if _title(section) == PRINT and not any(tables):  # nothing was printed of it
            section.parent.remove(section)
    lesson = app.env.docname.startswith(LESSON)
    code = [] if lesson else [*_code(page)]
    if lesson:
        join(page)
    for cell, source in code:
        cell.remove(source)
        cell.attributes.pop("hide_mode", None)
    for cell in [*_cells(page)]:
        if not cell.children:  # nothing is left of it that would be seen
            cell.parent.remove(cell)
    if not code:
        return
    section = nodes.section("", nodes.title(CODE, CODE), ids=["the-code-of-this-page"])
    section["names"] = [CODE.lower()]
    for _, source in code:
        section += nodes.container("", source, classes=["cell"], nb_element="cell_code")
    last = next((part for part in page.findall(nodes.section) if _title(part) == NUMBERS), None)
    if last is None:
        next(page.findall(nodes.section)).append(section)
    else:
        last.parent.insert(last.parent.index(last), section)


def join(page: nodes.document) -> None:
    """Put the code of a folded cell that shows nothing into the folded cell right after it."""
    for cell in [*_cells(page)]:
        place = cell.parent.index(cell)
        before = cell.parent.children[place - 1] if place else None
        if _is_step(before) and len(before.children) == 1 and _is_step(cell):
            earlier, source = before.children[0], cell.children[0]
            codes = [earlier] if "cell_input" in earlier["classes"] else earlier.children
            steps = nodes.container("", *codes, source, nb_element="cell_code_source")
            cell.replace(source, steps)
            cell.parent.remove(before)


def _is_step(cell: nodes.Node | None) -> bool:
    """Whether it is a cell whose code is folded, and no parameters, solution or check."""
    return (
        isinstance(cell, nodes.container)
        and cell.get("nb_element") == "cell_code"
        and cell.get("hide_mode") == "input"
        and not {"tag_parameters", "tag_solution"} & {*cell["classes"]}
    )


def _cells(page: nodes.document) -> Iterator[nodes.container]:
    return (c for c in page.findall(nodes.container) if c.get("nb_element") == "cell_code")


def _code(page: nodes.document) -> Iterator[tuple[nodes.container, nodes.Node]]:
    """Each cell that shows its code, with it."""
    for cell in _cells(page):
        if cell.children and cell.children[0].get("nb_element") == "cell_code_source":
            yield cell, cell.children[0]


def fold(app: Sphinx, page: nodes.document, name: str) -> None:
    """Close each section that is read by few; its heading opens it."""
    for section in [*page.findall(nodes.section)]:
        if _title(section) in FOLDED:
            opened = '<details class="folded"><summary>'
            section.insert(0, nodes.raw("", opened, format="html"))
            section.insert(2, nodes.raw("", "</summary>", format="html"))
            section.append(nodes.raw("", "</details>", format="html"))
            for table in [*section.findall(nodes.raw)]:  # it is there once its section is open
                if '<details class="numbers">' in table.astext():
                    shown = table.astext().replace('class="numbers"', 'class="numbers" open', 1)
                    table.replace_self(nodes.raw("", shown, format="html"))


def _title(section: nodes.section) -> str:
    return section.children[0].astext() if section.children else ""


def setup(app: Sphinx) -> dict[str, Any]:
    """Hook the above into Sphinx: the section before its contents are noted, the folds after."""
    app.connect("doctree-read", gather, priority=100)
    app.connect("doctree-resolved", fold)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
