"""An assignment from lessons: notebooks that nbgrader and Otter hand out and mark, and their key.

What is right goes along as hashes (`Sealed`), which `answers.py` beside the notebook reads.
"""

from __future__ import annotations

import html
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import chdir, redirect_stdout, suppress
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
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
    "gets the assignment gets them."
)
CONFIG = """\
c = get_config()
c.CourseDirectory.course_id = "plateau"
c.ClearSolutions.code_stub = {"python": "# Your lines"}
c.Execute.timeout = 60
c.Execute.interrupt_on_timeout = True
"""
# Its point is of all tests together: the one that students see can be deceived.
QUESTION = "# BEGIN QUESTION\nname: exercise_{number}\npoints: 1\nall_or_nothing: true"
OTTER = "# ASSIGNMENT CONFIG\nname: {name}\nsolutions_pdf: false\nfiles:\n{files}"
BEFORE = (
    "{title}. Assignment\n\nPut each answer in the place of the three dots. The cell after it says "
    "whether it is right, and if not, what may have gone wrong. `answers.py` and the other files "
    "of this assignment have to be beside this notebook."
)
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
import hashlib, json, runpy, numpy
for name, known in {known!r}.items():
    with open(name, "rb") as file:
        assert hashlib.sha256(file.read()).hexdigest() == known
sealed = runpy.run_path("answers.py")["sealed"]
sealed("{lesson}.json", {number}).grade(json.loads(sys.argv[1]))
"""


def assignment(lessons: Sequence[int], folder: Path, out: Path) -> tuple[str, list[str]]:
    """Write the assignment of some lessons on a dataset; its name, and what a teacher has to know.

    `out` gets nbgrader/, a course to which others may be added, otter/ and key/. Raises DataError
    where a lesson cannot be used.
    """
    dataset = load(folder)
    made = [lesson(number, folder.resolve()) for number in lessons]
    name = "-".join([dataset.name, *map(str, lessons)])
    files = {"answers.py": Path(answers.__file__).read_text("utf-8")}
    for one in made:
        files |= one.files | {f"{one.name}.json": one.sealed()}
    course = out / "nbgrader"
    _write(course / "source" / name, files, {m.name: _for_nbgrader(m, files) for m in made})
    (course / "nbgrader_config.py").write_text(CONFIG, "utf-8")
    _write(out / "otter" / name, files, {m.name: _for_otter(m, files) for m in made})
    (out / "key").mkdir(exist_ok=True)
    (out / "key" / f"{name}.html").write_text(_key(name, dataset.title, made), "utf-8")
    said = [f"{m.name}: without exercise {k}: {why}" for m in made for k, why in m.left_out.items()]
    tables = sorted(file for one in made for file in one.files)
    if tables and not dataset.public:
        said.append(PRIVATE.format(files=", ".join(tables), name=dataset.name))
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
        for part in one.kept():
            if part.kind == "text" and part.number:
                parts.append(_paragraphs(part.source))
            elif part.kind == "solution":
                parts.append(f"<pre>{html.escape(part.source)}</pre>")
            elif part.kind == "test":
                exercise = one.exercises[part.number]
                rows = [(exercise.answer, f"Right. {exercise.because}"), *exercise.mistakes]
                cells = (
                    f"<tr><td>{html.escape(_shown(given, exercise))}<td>{html.escape(words)}"
                    for given, words in rows
                )
                parts.append(f"<table><tr><th>Answer<th>What it shows{''.join(cells)}</table>")
    style = (
        "body{font:11pt/1.4 serif;max-width:42rem;margin:2rem auto}td,th{text-align:left;"
        "vertical-align:top;padding:.2em .8em .2em 0}tr{break-inside:avoid}h3{break-after:avoid}"
        "pre{white-space:pre-wrap;font-size:9pt}td:first-child{white-space:pre}"
    )
    return (
        f'<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Answer key: '
        f"{html.escape(name)}</title><style>{style}</style>{''.join(parts)}</html>\n"
    )


def _paragraphs(text: str) -> str:
    """A task as HTML: its heading, paragraphs and code."""
    made = re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(text, quote=False))
    made = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", made)
    made = re.sub(r"^### (.*)$", r"</p><h3>\1</h3><p>", made, flags=re.MULTILINE)
    return f"<p>{made.replace(chr(10) * 2, '</p><p>').replace(chr(10), '<br>')}</p>"


def _shown(given: object, exercise: Exercise) -> str:
    """An answer as the task asks for it."""
    if isinstance(given, str):
        return given
    if isinstance(given, set | frozenset):
        return "{" + ", ".join(sorted(map(str, given))) + "}"
    with suppress(TypeError, ValueError):
        rows = np.atleast_2d(np.asarray(given, dtype=float)).round(exercise.decimals)
        return "\n".join(", ".join(f"{x:.{exercise.decimals}f}" for x in row) for row in rows)
    return str(given)
