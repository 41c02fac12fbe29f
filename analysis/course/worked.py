"""The worked piece of a lesson: one script in Python and in R, step by step, and what it shows.

The scripts stand in book/worked/, in cells that begin with `# %% Title`. A cell of text between two
steps, `# %% [markdown]` in the Python script, is a question. The first step names what the dataset
calls things, in lines such as `days = "last_contact_day"`; these get the dataset's own names. Both
scripts set `main`, a number or several: the main number of the lesson.
"""

from __future__ import annotations

import ast
import hashlib
import html
import json
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import PurePosixPath
from tempfile import TemporaryDirectory
from urllib.parse import quote

import altair as alt
import numpy as np
import pandas as pd
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name

from ..dataset.model import ROOT, Dataset, load
from ..page.charts import COLOURS, GROUP_COLOURS, INK, STYLE, drawing
from ..page.contents import BOOK
from ..page.page import Page
from ..page.plain import CARRIED, OTHERWISE
from .launch import FOLDER, NEEDED

SCRIPTS = BOOK / "worked"
FROZEN = ROOT / "tests" / "reference" / "worked.csv"  # what R says of the shipped datasets
CLOSED = "These steps are shown and not run: this book prints no patient’s own values."
QUESTION = "[markdown]"
LANGUAGES = {"python": "Python", "r": "R"}
MOST_ROWS, CHART_HEIGHT = 8, 260
LEGEND = {"labelColor": INK, "titleColor": INK, "labelFontSize": 12, "titleFontWeight": "normal"}
THEME = STYLE | {
    "range": {"category": GROUP_COLOURS},
    "mark": {"color": COLOURS[0]},
    "legend": LEGEND,
}
Value = str | float | Sequence[str]


@dataclass(frozen=True)
class Step:
    """One step in both languages, and the question that follows it, or none."""

    title: str
    python: str
    r: str
    question: str = ""


def steps(lesson: int, literals: tuple[Mapping[str, str], Mapping[str, str]]) -> list[Step]:
    """The steps of a lesson's scripts, with these `literals` of names in Python and in R.

    Raises ValueError where the two have other steps, KeyError where a name is not in the first.
    """
    python = list(_cells((SCRIPTS / f"lesson_{lesson:02}.py").read_text("utf-8")))
    r = list(_cells((SCRIPTS / f"lesson_{lesson:02}.R").read_text("utf-8")))
    titles = [title for title, _ in python if title != QUESTION]
    if titles != [title for title, _ in r]:
        raise ValueError(f"lesson {lesson}: the steps in R are other ones than in Python")
    made: list[Step] = []
    in_r = iter([_filled(r[0][1], "<-", literals[1]), *(code for _, code in r[1:])])
    for place, (title, text) in enumerate(python):
        if title == QUESTION:
            words = " ".join(line.removeprefix("#").strip() for line in text.splitlines())
            made[-1] = Step(made[-1].title, made[-1].python, made[-1].r, words)
        else:
            text = text if place else _filled(text, "=", literals[0])
            made.append(Step(title, text, next(in_r)))
    return made


def literals_of(
    dataset: Dataset, names: Mapping[str, Value]
) -> tuple[dict[str, str], dict[str, str]]:
    """Names that a dataset gives, and that of its table, as Python and R write them."""
    table = PurePosixPath(dataset.package["resources"][0]["path"]).name
    given = {"table": table, **names}
    return (
        {name: _literal(value, "[", "]") for name, value in given.items()},
        {name: _literal(value, "c(", ")") for name, value in given.items()},
    )


def script(steps: Sequence[Step], language: str) -> str:
    """The code of all steps in `python` or `r`, as a file has it."""
    return "\n\n".join(f"# %% {step.title}\n{getattr(step, language)}" for step in steps) + "\n"


def needed(steps: Sequence[Step], language: str) -> str:
    """The command that installs what the steps import in `python` or `r`."""
    text = "\n".join(getattr(step, language) for step in steps)
    if language == "r":
        names = re.findall(r"library\((\w+)\)|(\w+)::", text)
        return f"install.packages({_literal(sorted({a or b for a, b in names}), 'c(', ')')})"
    names = re.findall(r"^(?:from|import) (\w+)", text, re.MULTILINE)
    names += ["pyarrow"] * ("pd.read_parquet" in text)
    packages = [NEEDED.get(name, name) for name in dict.fromkeys(names)]
    return "pip install " + " ".join(f'"{p}"' if "<" in p else p for p in packages)


def digest(text: str) -> str:
    """By which a script is known to be the one that R ran."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _cells(text: str) -> Iterator[tuple[str, str]]:
    for cell in re.split(r"^# %% ", text, flags=re.MULTILINE)[1:]:
        title, _, code = cell.partition("\n")
        yield title.strip(), code.strip()


def _literal(value: Value, begin: str, end: str) -> str:
    if isinstance(value, str | int | float):
        whole = not isinstance(value, str) and float(value).is_integer()
        return json.dumps(int(value) if whole else value, ensure_ascii=False)
    return begin + ", ".join(json.dumps(part, ensure_ascii=False) for part in value) + end


def _filled(code: str, sign: str, literals: Mapping[str, str]) -> str:
    """Code whose assignments have the given literals."""
    for name, literal in literals.items():
        line = re.compile(rf"^({name} {sign} )(?:\"[^\"\n]*\"|[^#\n]+?)(?=  #|$)", re.MULTILINE)
        code, found = line.subn(lambda m, literal=literal: m[1] + literal, code)
        if found != 1:
            raise KeyError(f"{name}: named {found} times in the first step")
    if literals.get("table", "").endswith('.parquet"'):
        code = re.sub(r"pd\.read_csv\(table[^)]*\)", "pd.read_parquet(table).replace"
                      '({True: "yes", False: "no"})', code)  # fmt: skip
        code = re.sub(r"read\.csv\(table[^)]*\)", "arrow::read_parquet(table)", code)
    return code


# --- what it shows -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Shown:
    """What came of a step: what it printed, and the value of its last line."""

    printed: str
    value: object = None


def run(steps: Sequence[Step], dataset: Dataset) -> tuple[list[Shown], list[float]]:
    """What the Python of each step shows beside the patients' table alone, and `main`.

    A step that fails says so, without its words, which may quote a patient; none follows it.
    """
    table = PurePosixPath(dataset.package["resources"][0]["path"]).name
    names: dict[str, object] = {"__name__": "__worked__"}
    shown: list[Shown] = []
    with TemporaryDirectory() as folder, chdir(folder), warnings.catch_warnings(action="ignore"):
        if table.endswith(".parquet"):
            dataset.patients.to_parquet(table)
        else:
            dataset.patients.to_csv(table, index=False, float_format="%.17g")  # 3, not 3.0
        for step in steps:
            said = StringIO()
            try:
                with redirect_stdout(said):
                    value = value_of(step.python, names)
            except Exception as error:
                shown.append(Shown(f"Not here: {type(error).__name__}."))
                return shown, []
            shown.append(Shown(said.getvalue().rstrip(), value))
    return shown, np.atleast_1d(names["main"]).astype(float).tolist()


def value_of(code: str, names: dict[str, object]) -> object:
    """Run code; the value of its last line, where this is an expression."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "<worked>", "exec"), names)
    if last is None:
        return None
    return eval(compile(ast.Expression(last.value), "<worked>", "eval"), names)


def in_r(dataset: Dataset, lesson: int, text: str) -> list[float]:
    """What R has found as `main` with this script on these very patients, or nothing."""
    if not FROZEN.exists() or not (ROOT / "data" / dataset.name).is_dir():
        return []
    rows = pd.read_csv(FROZEN)
    rows = rows[rows["dataset"].eq(dataset.name) & rows["lesson"].eq(lesson)]
    rows = rows[rows["script"].eq(digest(text))]
    if rows.empty or not load(f"data/{dataset.name}").patients.equals(dataset.patients):
        return []
    return rows.sort_values("place")["value"].tolist()


@dataclass(frozen=True)
class Worked:
    """The steps for the page, with what they show where this may be shown."""

    name: str
    steps: Sequence[Step]
    row: str  # of the page's results, which `main` repeats
    shown: Sequence[Shown] = ()
    main: Sequence[float] = ()
    r: Sequence[float] = ()
    note: str = ""
    table: str = ""  # of the patients, beside the learner's notebooks, where all may have it

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        plain = "\n\n".join(
            "\n".join(filter(None, (step.title, step.python, printed, step.question)))
            for step, printed in zip(self.steps, self._printed(), strict=True)
        )
        return {"text/html": self._html(), "text/plain": plain}

    def _printed(self) -> list[str]:
        found = [shown.printed for shown in self.shown]
        return found + [""] * (len(self.steps) - len(found))

    def _html(self) -> str:
        name = html.escape(self.name)
        tabs = "".join(
            f'<input type="radio" name="{name}" id="{name}-{key}" value="{key}"'
            f'{" checked" if key == "python" else ""}><label for="{name}-{key}">{words}</label>'
            for key, words in LANGUAGES.items()
        )
        parts = "".join(self._step(place, step) for place, step in enumerate(self.steps))
        note = f'<p class="worked-note">{html.escape(self.note)}</p>' if self.note else ""
        return (
            f'<div class="worked" id="{name}" data-row="{html.escape(self.row)}" '
            f'data-main="{json.dumps(list(self.main))}">'
            f'<fieldset class="worked-tabs"><legend>The steps in</legend>{tabs}</fieldset>'
            f'{self._needs()}{note}<ol class="worked-steps">{parts}</ol></div>'
        )

    def _needs(self) -> str:
        """What a reader has to have: the patients, where they are public, and the packages."""
        name = html.escape(self.table)
        take = f'<a href="{FOLDER}/{quote(self.table)}" download>{name}</a>, the patients. '
        return "".join(
            f'<p class="worked-{key}">{take if name else ""}To install: '
            f"<code>{html.escape(needed(self.steps, key))}</code></p>"
            for key in LANGUAGES
        )

    def _step(self, place: int, step: Step) -> str:
        asked = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(step.question))
        question = f'<p class="worked-question">{asked}</p>' if asked else ""
        shown = self._of(place) if place < len(self.shown) else ""
        says = f"[1] {' '.join(f'{x:.7g}' for x in self.r)}"
        printed = _pre(says) if self.r and re.search(r"^main$", step.r, re.MULTILINE) else ""
        return (
            f'<li><p class="worked-title">{html.escape(step.title)}</p>'
            f'<div class="worked-python">{_code(step.python, "python")}{shown}</div>'
            f'<div class="worked-r">{_code(step.r, "r")}{printed}</div>{question}</li>'
        )

    def _of(self, place: int) -> str:
        shown, title = self.shown[place], self.steps[place].title
        printed = _pre(shown.printed) if shown.printed else ""
        value = shown.value
        if value is None:
            return printed
        if isinstance(value, alt.TopLevelMixin):
            chart = value.properties(width="container", height=CHART_HEIGHT).configure(**THEME)
            words = value.to_dict(validate=False).get("description", title)
            return printed + drawing(chart, f"{self.name}-{place}", words)
        if isinstance(value, pd.DataFrame | pd.Series):
            return printed + _pre(value.head(MOST_ROWS).to_string(na_rep=""))
        return printed + _pre(str(value))


def _pre(text: str) -> str:
    return f'<pre class="worked-output">{html.escape(text)}</pre>'


def _code(text: str, language: str) -> str:
    made = highlight(text, get_lexer_by_name(language), HtmlFormatter(cssclass="highlight"))
    return f'<div class="highlight-{language} notranslate">{made}</div>'


def worked(
    page: Page, lesson: int, names: Mapping[str, Value] | None, row: Sequence[object] = ()
) -> Worked:
    """The worked piece of a lesson on the dataset of a page.

    `names` are what `keys_NN.names` says of it; none where its columns are not those of the code.
    `row` is the key of the page's number that `main` repeats. It is run where the dataset is public
    and the book masks nothing.
    """
    data = page.data
    made = steps(lesson, literals_of(data, names or {}))
    begun = Worked(page.id("worked"), made, " ".join(map(str, row)))
    if not data.public or data.mask_below:
        return replace(begun, note=OTHERWISE if names is None else CLOSED)
    begun = replace(begun, table=PurePosixPath(data.package["resources"][0]["path"]).name)
    if names is None:
        return replace(begun, note=OTHERWISE)
    shown, main = run(made, data)
    r = in_r(data, lesson, script(made, "r"))
    note = CARRIED if row and page.mark(page[tuple(row)]) else ""  # the code knows no such rule
    return replace(begun, shown=shown, main=main, r=r, note=note)
