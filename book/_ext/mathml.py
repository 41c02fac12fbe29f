"""Formulas as MathML, made at build time: no script, no font and no network on the reader's side.

docutils brings the converter (`docutils.utils.math.latex2mathml`); here it becomes a math renderer
of Sphinx. A formula that it cannot read is a warning, which fails the build.
"""

from __future__ import annotations

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

logger = logging.getLogger(__name__)

# Commands of amsmath that docutils knows under another name only.
ALIASES = {r"\dots": r"\ldots", r"\dotsc": r"\ldots", r"\dotsb": r"\cdots"}


def _mathml(node: nodes.Node, block: bool) -> str:
    formula = node.astext().strip()
    for alias, known in ALIASES.items():
        formula = re.sub(rf"{re.escape(alias)}(?![A-Za-z])", lambda _, known=known: known, formula)
    try:
        return tex2mathml(formula, as_block=block)
    except MathError as error:
        logger.warning("formula not understood: %s: %s", formula, error, location=node)
        return ""


def visit_inline(self: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a line."""
    self.body.append(_mathml(node, block=False))
    raise nodes.SkipNode


def visit_block(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write a displayed formula, with its number where it has one."""
    # A long formula scrolls on a narrow screen, and the keyboard must be able to.
    self.body.append(self.starttag(node, "div", CLASS="formula", tabindex="0"))
    if node.get("number"):
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, _("Link to this equation"))
        self.body.append("</span>")
    self.body.append(_mathml(node, block=True) + "</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, Any]:
    """Make `mathml` a value of html_math_renderer."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
