"""Cells that need nothing of ours: `%%plain`, code that a reader can take away.

Such a cell runs by itself, beside the table of the page's dataset, and knows none of the
notebook's names. It reads `patients.csv`; where the dataset's table has another name, or is
Parquet, the code that is shown and run reads that. What differs from study to study stands on its
first line, as in `%%plain median os day={column}`, and comes first in the code that is shown.
Before it stands the row of the page's results which the first number that it prints repeats:
quantity, group and, where it has one, month; before the row stands `folded` where the code waits
behind its name. Where the page does not show that number, as where it is masked, the cell prints
none either.
"""

from __future__ import annotations

import html
import re
import shlex
import warnings
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import PurePosixPath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pandas as pd
from IPython import get_ipython
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from . import formats

if TYPE_CHECKING:
    from .page import Page

NOTHING = "Not here. There is nothing to estimate."
NOT_DOWN = "Not here. The curve has not come down to one half, so it has no median yet."
LACKING = "Not here. This dataset has no column to give to the code."
READ = re.compile(r'pd\.read_csv\("patients\.csv"[^)]*\)')
MANY = 100_000
FOLDED = "Not here. A row of this table is of several patients, and the code counts each row once."
TOO_MANY = f"Not here. For more than {MANY:,} patients this takes minutes."
OTHERWISE = "Not here. This code is of other columns than those of this dataset’s endpoint."
CARRIED = formats.CARRIED.removeprefix(f"{formats.DAGGER} ") + "."


@dataclass(frozen=True)
class Plain:
    """Code, what it printed, and the row of the results which that repeats."""

    code: str
    printed: str
    row: str
    folded: str = ""  # the name behind which it waits
    note: str = ""  # what code that knows the patients alone cannot say

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        code = highlight(self.code, PythonLexer(), HtmlFormatter(cssclass="highlight"))
        shown = (
            f'<div class="highlight-python notranslate">{code}</div>'
            f'<pre class="plain-output" data-row="{html.escape(self.row)}">'
            f"{html.escape(self.printed)}</pre>"
        )
        shown += f"<p>{html.escape(self.note)}</p>" if self.note else ""
        if self.folded:
            summary = f"<summary>{html.escape(self.folded)}</summary>"
            shown = f'<details class="plain-code">{summary}{shown}</details>'
        text = "\n".join(filter(None, (self.code, self.printed, self.note)))
        return {"text/html": shown, "text/plain": text}


def plain(line: str, cell: str, page: Page | None = None) -> Plain:
    """The cell magic, for the page that is open, or called with one, for code that is made.

    Raises KeyError where the page has no such row.
    """
    page, words = page or get_ipython().user_ns["page"], shlex.split(line)
    names = dict(word.split("=", 1) for word in words if "=" in word)
    folded, keys = words[:1] == ["folded"], [word for word in words if "=" not in word]
    quantity, group, *month = keys[folded:]
    given = [f"{name} = {_literal(value)}" for name, value in names.items()]
    table = PurePosixPath(page.data.package["resources"][0]["path"]).name
    code = _reading(table, "\n".join([*given, cell.strip()]) + "\n")
    number = page[quantity, group, *map(float, month)]
    lacking = LACKING if "" in names.values() else _asks_otherwise(page, group, cell)
    unknown = NOT_DOWN if quantity == "median" and not page.data.mask_below else NOTHING
    lacking = FOLDED if page.data.number is not None else lacking
    lacking = lacking or (TOO_MANY if len(page.data.patients) > MANY else "")
    printed = lacking or _printed(code, page.data.patients, table) if number.known else unknown
    row, name = " ".join([quantity, group, *month]), _name(cell) if folded else ""
    return Plain(code, printed, row, name, CARRIED if page.mark(number) else "")


def _asks_otherwise(page: Page, group: str, cell: str) -> str:
    """What is said where the code takes columns for the event that the page does not ask for."""
    plan = page.data.endpoints.get(re.split("[:|]", group)[0])
    if plan is None or '["died"] == "yes"\n' not in cell:
        return ""
    whole = plan.events == ("died",) and not (plan.start or plan.entry or plan.among)
    return "" if whole else OTHERWISE


def _name(cell: str) -> str:
    """`The same in lifelines, 12 lines`."""
    library = "lifelines" if "lifelines" in cell else "pandas"
    return f"The same in {library}, {sum(map(bool, map(str.strip, cell.splitlines())))} lines"


def _reading(table: str, code: str) -> str:
    """The code with the dataset's own table; of Parquet yes and no may be a truth."""
    if not table.endswith(".parquet"):
        return code.replace('"patients.csv"', f'"{table}"')
    read = f'pd.read_parquet("{table}").replace({{True: "yes", False: "no"}})'
    return READ.sub(lambda _: read, code)


def _printed(code: str, patients: pd.DataFrame, table: str) -> str:
    """What code prints beside these patients, or that the libraries cannot."""
    said = StringIO()
    with TemporaryDirectory() as folder, chdir(folder), redirect_stdout(said):
        if table.endswith(".parquet"):
            patients.to_parquet(table)
        else:
            patients.to_csv(table, index=False)
        with warnings.catch_warnings(action="ignore"):  # they name what the page has told already
            try:
                exec(compile(code, "<plain>", "exec"), {"__name__": "__plain__"})
            except Exception as error:  # the page has its number without; no words of it are shown,
                return f"Not here: {type(error).__name__}."  # for they may quote a patient's cell
    return said.getvalue().rstrip()


def _literal(value: str) -> str:
    """A number as it is, and everything else as text."""
    try:
        float(value)
    except ValueError:
        return repr(value)
    return value
