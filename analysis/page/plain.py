"""Cells that need nothing of ours: `%%plain`, code that a reader can take away.

Such a cell runs by itself, beside a `patients.csv` of the page's dataset, and knows none of the
notebook's names.
Those that differ from study to study stand on its first line, `%%plain median os day={column}`,
and come first in the code that is shown. Before them stands the row of the page's results which
the first number that it prints repeats: quantity, group and, where it has one, month.
"""

from __future__ import annotations

import html
import re
import shlex
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from tempfile import TemporaryDirectory

from IPython import get_ipython
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from ..dataset.model import Dataset

FOLDED = "folded"


@dataclass(frozen=True)
class Plain:
    """Code, what it printed, and the row of the results which that repeats.

    Folded, it waits behind one click that says what it is.
    """

    code: str
    printed: str
    row: str
    folded: bool = False

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        code = highlight(self.code, PythonLexer(), HtmlFormatter(cssclass="highlight"))
        shown = (
            f'<div class="highlight-python notranslate">{code}</div>'
            f'<pre class="plain-output" data-row="{html.escape(self.row)}">'
            f"{html.escape(self.printed)}</pre>"
        )
        if self.folded:
            lines = len([line for line in self.code.splitlines() if line.strip()])
            summary = f"<summary>The same in pandas and lifelines, {lines} lines</summary>"
            shown = f'<details class="plain-code">{summary}{shown}</details>'
        return {"text/html": shown, "text/plain": f"{self.code}\n{self.printed}"}


def plain(line: str, cell: str) -> Plain:
    """The cell magic, for the page that is open."""
    words = shlex.split(line)
    names = dict(word.split("=", 1) for word in words if "=" in word)
    row = [word for word in words if "=" not in word and word != FOLDED]
    given = [f"{name} = {_literal(value)}" for name, value in names.items()]
    code = "\n".join([*given, cell.strip()]) + "\n"
    printed = _printed(code, get_ipython().user_ns["page"].data)
    return Plain(code, printed, " ".join(row), FOLDED in words)


def _printed(code: str, data: Dataset) -> str:
    """What code prints beside the patients of a dataset, or why the libraries cannot."""
    said = StringIO()
    with TemporaryDirectory() as folder, chdir(folder), redirect_stdout(said):
        data.patients.to_csv("patients.csv", index=False)
        try:
            exec(compile(code, "<plain>", "exec"), {"__name__": "__plain__"})
        except Exception as error:  # a page has its numbers without this cell
            said.write(f"Not here. {type(error).__name__}: {str(error).splitlines()[0]}")
    printed = said.getvalue().rstrip()
    nothing = re.search(r"\b(nan|inf)\b", printed, re.IGNORECASE)
    return "Not here. There is nothing to estimate." if nothing else printed


def _literal(value: str) -> str:
    """A number as it is, and everything else as text."""
    try:
        float(value)
    except ValueError:
        return repr(value)
    return value
