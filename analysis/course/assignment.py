"""An assignment from lessons: notebooks that nbgrader and Otter hand out and mark, and their key.

What is right goes along as hashes (`Sealed`), which `answers.py` beside the notebook reads.
"""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import chdir, redirect_stdout, suppress
from copy import deepcopy
from hashlib import sha256
from io import StringIO
from numbers import Integral
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
from markdown_it import MarkdownIt
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from ..dataset.model import load
from ..dataset.problems import DataError
from . import answers
from .exercises import Exercise
from .learner import MISSING
from .tasks import Lesson, Part, lesson
from .worked import value_of

PRIVATE = (
    "Warning: {files} may hold values of patients of {name}, which is not declared public. Whoever "
    "gets the assignment gets them. Else take other lessons, or a public dataset such as data/bmt."
)
INVENTED = "{lesson}, exercise {number}: on invented patients, for those of {name} do not serve it"
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")  # a label is no markup
KEY_STYLE = Path(__file__).with_name("key.css")
CONFIG = Path(__file__).with_name("nbgrader.txt")
# Its point is of all tests together: the one that students see can be deceived.
QUESTION = "# BEGIN QUESTION\nname: exercise_{number}\npoints: 1\nall_or_nothing: true"
OTTER = (
    "# ASSIGNMENT CONFIG\nname: {name}\nsolutions_pdf: false\n"
    "requirements: [numpy, pandas, lifelines]\nfiles:\n{files}"
)
BEFORE = (
    "{title}. Assignment\n\nPut each answer below the line with the three dots, which empties it. "
    "The cell after it says whether it is right, and if not, what may have gone wrong. "
    "`answers.py` and the other files of this assignment have to be beside this notebook."
)
# What a source of nbgrader's has and students do not get.
THEIRS = re.compile(r"### BEGIN (SOLUTION|HIDDEN TESTS)\n.*?### END \1\n?", re.DOTALL)
# In a process of its own, with the files as they were made: what the notebook has done to Python or
# to the files is not there.
HIDDEN = """\
import subprocess, sys
from answers import plain

asked = [sys.executable, "-E", "-c", {code!r}, plain(answer_{number})]
assert subprocess.run(asked, capture_output=True).returncode == 0, "Not right."
"""
ALONE = """\
import sys
sys.path.pop(0)
import hashlib, runpy, numpy
for name, known in {known!r}.items():
    with open(name, "rb") as file:
        assert hashlib.sha256(file.read()).hexdigest() == known
names = runpy.run_path("answers.py")
names["sealed"]("{lesson}.json", {number}).grade(names["given"](sys.argv[1]))
"""


def assignment(lessons: Sequence[int], folder: Path, out: Path) -> tuple[str, list[str]]:
    """Write the assignment of some lessons on a dataset; its name, and what a teacher has to know.

    `out` gets nbgrader/, a course to which others may be added, otter/, key/, and handout/ for
    students. Raises DataError where a lesson cannot be used.
    """
    dataset = load(folder)
    made = [lesson(number, folder.resolve()) for number in lessons]
    name = "-".join([dataset.name, *map(str, lessons)])
    files = {"answers.py": Path(answers.__file__).read_text("utf-8")}
    for one in made:
        files |= one.files | {f"{one.name}.json": one.sealed()}
    course, sources = out / "nbgrader", {m.name: _for_nbgrader(m, files) for m in made}
    _write(course / "source" / name, files, sources)
    _write(out / "handout" / name, files, {k: _handed_out(v) for k, v in sources.items()})
    (course / "nbgrader_config.py").write_bytes(CONFIG.read_bytes())
    _write(out / "otter" / name, files, {m.name: _for_otter(m, files) for m in made})
    (out / "key").mkdir(exist_ok=True)
    (out / "key" / f"{name}.html").write_text(_key(name, dataset.title, made), "utf-8")
    said = [f"{m.name}: without exercise {k}: {why}" for m in made for k, why in m.left_out.items()]
    tables = sorted(file for one in made for file in one.own)
    if tables and not dataset.public:
        said.append(PRIVATE.format(files=", ".join(tables), name=dataset.name))
    for one in made:
        kept = set(one.invented) - set(one.left_out)
        said += [
            INVENTED.format(lesson=one.name, number=k, name=dataset.name) for k in sorted(kept)
        ]
    for one in made:
        _prove(one, course / "source" / name)
    return name, said


def _write(folder: Path, files: dict[str, str], notebooks: dict[str, NotebookNode]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_bytes(text.encode())  # the same bytes everywhere, for their hashes
    for name, notebook in notebooks.items():
        nbformat.write(notebook, folder / f"{name}.ipynb")


def _prove(made: Lesson, folder: Path) -> None:
    """Raise DataError unless the solutions are right with what students get, and with no more."""
    names: dict[str, Any] = {"__name__": "__assignment__"}
    with chdir(folder), redirect_stdout(StringIO()):
        for part in made.kept():
            if part.kind in ("code", "solution"):
                value_of(part.source, names)
        for k in made.exercises:
            said = answers.sealed(f"{made.name}.json", k).check(names[f"answer_{k}"])
            if not said.right:
                raise DataError([f"{made.name}, exercise {k}: its solution is told “{said.words}”"])


def _hidden(made: Lesson, number: int, files: dict[str, str]) -> str:
    """A test that students do not get."""
    names = ("answers.py", f"{made.name}.json")
    known = {name: sha256(files[name].encode()).hexdigest() for name in names}
    code = ALONE.format(known=known, lesson=made.name, number=number)
    return HIDDEN.format(code=code, number=number)


def _solution(part: Part, begin: str, end: str, before: str = "", after: str = "") -> str:
    """A solution between marks, and before it what the student finds in its place."""
    lines = part.source.splitlines()
    head = next(place for place, line in enumerate(lines) if not line.startswith("#"))
    empty = [before, MISSING.format(number=part.number), after]
    return "\n".join(filter(None, [*lines[:head], *empty, begin, *lines[head:], end]))


def _notebook(cells: Iterable[NotebookNode]) -> NotebookNode:
    python = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made = new_notebook(cells=list(cells), metadata={"kernelspec": python})
    for place, cell in enumerate(made.cells):
        cell.id = f"cell-{place}"
    return made


def _for_nbgrader(made: Lesson, files: dict[str, str]) -> NotebookNode:
    """The source of a notebook, with nbgrader's metadata. Points are of tests, each has one."""

    def told(make: Callable[..., NotebookNode], source: str, name: str, **has: Any) -> NotebookNode:
        kinds = {"grade": False, "locked": True, "solution": False, "task": False}
        metadata = {"schema_version": 3, "grade_id": name} | kinds | has
        return make(source, metadata={"nbgrader": metadata})

    cells = [new_markdown_cell(BEFORE.format(title=made.title))]
    for place, part in enumerate(made.kept()):
        if part.kind == "solution":
            source = _solution(part, "### BEGIN SOLUTION", "### END SOLUTION")
            name = f"answer-{part.number}"
            cells.append(told(new_code_cell, source, name, locked=False, solution=True))
        elif part.kind == "test":
            hidden = _hidden(made, part.number, files)
            source = f"{part.source}### BEGIN HIDDEN TESTS\n{hidden}### END HIDDEN TESTS"
            name = f"exercise-{part.number}"
            cells.append(told(new_code_cell, source, name, grade=True, points=1))
        else:
            make = new_code_cell if part.kind == "code" else new_markdown_cell
            cells.append(told(make, part.source, f"given-{place}"))
    return _notebook(cells)


def _handed_out(source: NotebookNode) -> NotebookNode:
    """A source of nbgrader's as students get it, for a class without nbgrader."""
    made = deepcopy(source)
    for cell in made.cells:
        cell.source = THEIRS.sub("", cell.source).rstrip()
        cell.metadata.clear()
    return made


def _for_otter(made: Lesson, files: dict[str, str]) -> NotebookNode:
    """The master of a notebook, as `otter assign` takes it."""
    listed = ["answers.py", f"{made.name}.json", *made.files]
    config = OTTER.format(name=made.name, files="".join(f"  - {file}\n" for file in listed))
    cells = [new_raw_cell(config), new_markdown_cell(BEFORE.format(title=made.title))]
    for part in made.kept():
        if part.kind == "solution":
            begin, end = '""" # BEGIN PROMPT', '""" # END PROMPT'
            source = _solution(part, "# BEGIN SOLUTION", "# END SOLUTION", begin, end)
            opened = [QUESTION.format(number=part.number), "# BEGIN SOLUTION"]
            cells += map(new_raw_cell, opened)
            cells += [new_code_cell(source), new_raw_cell("# END SOLUTION")]
        elif part.kind == "test":
            hidden = f"# HIDDEN\n{_hidden(made, part.number, files)}"
            cells += [new_raw_cell("# BEGIN TESTS"), new_code_cell(part.source)]
            cells += [new_code_cell(hidden), new_raw_cell("# END TESTS")]
            cells.append(new_raw_cell("# END QUESTION"))
        else:
            make = new_code_cell if part.kind == "code" else new_markdown_cell
            cells.append(make(part.source))
    return _notebook(cells)


def _key(name: str, dataset: str, made: Sequence[Lesson]) -> str:
    """The tasks with their solutions, what is right and why, and what mistakes give, to print."""
    parts = [f"<h1>Answer key: {html.escape(name)}</h1><p>{html.escape(dataset)}</p>"]
    for one in made:
        parts.append(f"<h2>{html.escape(one.title.removeprefix('# '))}</h2>")
        for k, why in one.left_out.items():
            parts.append(f"<p>Without exercise {k}: {html.escape(why)}.</p>")
        for part in one.kept():
            if part.kind == "text" and part.number:
                parts.append(MARKDOWN.render(part.source))
            elif part.kind != "test" and part.number:
                parts.append(f"<pre>{html.escape(part.source)}</pre>")
            elif part.kind == "test":
                parts.append(_answers(one.exercises[part.number], one.asked(part.number)))
    style = KEY_STYLE.read_text("utf-8")
    return (
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Answer key: '
        f"{html.escape(name)}</title><style>{style}</style>{''.join(parts)}</html>\n"
    )


def _answers(exercise: Exercise, asked: str) -> str:
    """What was asked for, with its unit, what is right, and what other answers show.

    Those that show the same share a row.
    """
    rows = {f"Right. {exercise.because}": [_shown(exercise.answer, exercise)]}
    for given, words in exercise.mistakes:
        rows.setdefault(words, []).append(_shown(given, exercise))
    between = "&ensp; " if exercise.kind in ("word", "words") else "<br>"
    cells = (
        f"<tr><td>{between.join(map(html.escape, given))}<td>{html.escape(words)}"
        for words, given in rows.items()
    )
    head = f"<caption>Asked for: {html.escape(asked)}</caption><tr><th>Answer<th>What it shows"
    return f'<table class="answers {exercise.kind}">{head}{"".join(cells)}</table>'


def _shown(given: object, exercise: Exercise) -> str:
    """An answer as the task asks for it; a whole number that is counted has no decimals."""
    if isinstance(given, set | frozenset):
        return "{" + ",\xa0".join(sorted(map(str, given))) + "}" if given else "none"

    def told(part: Any) -> str:
        if isinstance(part, Integral):
            return str(part)
        text = f"{round(float(part), exercise.decimals) + 0.0:.{exercise.decimals}f}"
        return text.replace("-", "−")

    with suppress(TypeError, ValueError):
        rows = given if np.ndim(given) == 2 else [np.atleast_1d(np.asarray(given, dtype=object))]
        return "\n".join(", ".join(map(told, row)) for row in rows)
    return str(given)
