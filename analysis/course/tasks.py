"""The exercises of a lesson on a dataset, in plain code that needs nothing of this project.

The cells are run here. What they make of the dataset is handed out as values and tables, so that a
student's notebook needs pandas and the other libraries that the lesson imports.
"""

from __future__ import annotations

import ast
import builtins
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import chdir, redirect_stdout, suppress
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
from nbformat import NotebookNode

from ..dataset.model import ROOT, NotRecorded, load
from ..dataset.problems import DataError
from ..page.prose import Prose
from .exercises import MADE_UP, PREFIX, Exercise, seal
from .learner import BEGIN, END, PARAMETERS, SOLUTION
from .worked import SCRIPTS, value_of

PROJECT = "analysis"  # what a student does not have
LINK = re.compile(r"\[([^\[\]]+)\]\((?!https?:)[^()]+\)")
OTHER_FORM = "lesson {number}: its exercises are not in the form that an assignment needs"
STUDY = "Where the patients of a table are of this dataset, they are those of: {title}. {text}"
NONE_LEFT = "lesson {number}: none of its exercises can be handed out"
TEST = """\
# Exercise {number}. The error of this cell says what may have gone wrong
from answers import sealed

sealed("{lesson}.json", {number}).grade(answer_{number})
"""


@dataclass(frozen=True)
class Part:
    """A cell of the assignment: "text" or "code" that is given, a "solution", or a "test"."""

    kind: str
    source: str
    number: int  # of its exercise, 0 before the first


@dataclass
class Lesson:
    """The exercises of a lesson on a dataset, as they can be handed out.

    `files` has the text of each table by its name, `own` names those that may hold patients of the
    dataset, `left_out` has of each exercise without which the lesson goes on why it is, and
    `invented` those whose table is of invented patients.
    """

    name: str
    title: str
    parts: list[Part] = field(default_factory=list)
    exercises: dict[int, Exercise] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    own: set[str] = field(default_factory=set)
    left_out: dict[int, str] = field(default_factory=dict)
    invented: list[int] = field(default_factory=list)
    known: set[str] = field(default_factory=lambda: set(dir(builtins)))

    def sealed(self) -> str:
        """What is right, as the JSON that goes with the assignment: the same each time.

        For an assignment that is made again must not undo one that was handed out.
        """
        salts = (f"{self.name} {k} {self.parts[0].source}" for k in self.exercises)
        salted = zip(self.exercises.items(), salts, strict=True)
        made = {k: asdict(seal(e, sha256(s.encode()).hexdigest()[:16])) for (k, e), s in salted}
        return json.dumps(made, ensure_ascii=False, indent=1)

    def kept(self) -> Iterator[Part]:
        """The parts without those of exercises that are left out, but for what these give others.

        That is code, where an exercise follows.
        """
        last = max(self.exercises, default=0)
        code = (p for p in self.parts if p.number <= last)
        return (p for p in code if p.kind == "code" or p.number not in self.left_out)

    def asked(self, number: int) -> str:
        """In which form and unit an exercise asks for its answer, as its solution begins."""
        cells = (p.source for p in self.parts if p.kind == "solution" and p.number == number)
        return next(cells).splitlines()[0].partition(": ")[2]


def lesson(number: int, folder: Path) -> Lesson:
    """The exercises of a lesson on the dataset of a folder.

    Raises DataError where the lesson has another form, or none of its exercises can be handed out.
    """
    found = sorted((ROOT / "book").glob(f"{PREFIX}{number:02}_*.ipynb"))
    if not found or not (SCRIPTS / f"{PREFIX}{number:02}.py").exists():
        raise DataError([OTHER_FORM.format(number=number)])
    cells = nbformat.read(found[0], as_version=4).cells
    data = load(folder)
    study = Prose(STUDY, title=data.title, text=data.description).markdown.strip()
    title = cells[0].source.splitlines()[0]
    made = Lesson(f"{PREFIX}{number:02}", title, [Part("text", study, 0)])
    names: dict[str, Any] = {"__name__": "__exercises__"}
    current = 0
    for cell in _of_exercises(cells):
        source, tags = cell.source, cell.metadata.get("tags", [])
        if PARAMETERS in tags:
            exec(source, names)
            names["dataset"] = str(folder)
        elif cell.cell_type == "markdown":
            heading = re.match(r"### Exercise (\d+)", source)
            current = int(heading[1]) if heading else current
            text = LINK.sub(r"\1", source)  # the book's pages are not beside it
            made.parts.append(Part("text", text, current))
        elif current not in made.left_out:
            try:
                _read(made, current, cell, names)
            except NotRecorded as error:
                made.left_out[current] = str(error)
    if not set(made.exercises) - set(made.left_out):
        why = [f"exercise {k}: {words}" for k, words in made.left_out.items()]
        raise DataError(["; ".join([NONE_LEFT.format(number=number), *why])])
    for k in made.left_out:
        made.exercises.pop(k, None)
    read = "\n".join(part.source for part in made.kept())
    made.files = {name: text for name, text in made.files.items() if name in read}
    made.own &= set(made.files)
    return made


def _of_exercises(cells: Sequence[NotebookNode]) -> Iterator[NotebookNode]:
    """The parameters, and the cells of the exercises but for the invitation."""
    inside = False
    for cell in cells:
        tags = cell.metadata.get("tags", [])
        inside = (inside or cell.source.startswith(BEGIN)) and not cell.source.startswith(END)
        if PARAMETERS in tags or inside and "course" not in tags and cell.source != BEGIN:
            yield cell


def _read(made: Lesson, current: int, cell: NotebookNode, names: dict[str, Any]) -> None:
    """Run a cell of code, and add what it becomes. Raises NotRecorded."""
    source = cell.source
    with chdir(ROOT), redirect_stdout(StringIO()):
        value = value_of(source, names)
    tree = ast.parse(source)
    if SOLUTION in cell.metadata.get("tags", []):
        made.parts.append(Part("solution", source, current))
        if lacking := _lacking(tree.body, made.known):
            made.left_out[current] = f"its solution needs {', '.join(lacking)} of this project"
        return
    calls = (n for n in ast.walk(tree) if isinstance(n, ast.Call))
    asked = [n for n in calls if isinstance(n.func, ast.Name) and n.func.id == "check"]
    if not asked:
        given = _given(made, tree, source, names, value)
        made.parts += [Part(kind, text, current) for kind, text in given if text]
        if "task" in _set(tree.body) and getattr(names["task"], "whose", "") == MADE_UP:
            made.invented.append(current)
        return
    answer, exercise = asked[0].args
    made.exercises[current] = eval(compile(ast.Expression(exercise), "<key>", "eval"), names)
    if not (isinstance(answer, ast.Name) and answer.id == f"answer_{current}" and value.right):
        raise DataError([f"{made.name}, exercise {current}: its solution does not pass its check"])
    made.parts.append(Part("test", TEST.format(lesson=made.name, number=current), current))


def _given(
    made: Lesson, tree: ast.Module, source: str, names: dict[str, Any], value: object
) -> Iterator[tuple[str, str]]:
    """What a cell gives to its exercise: as it stands where it needs nothing of this project.

    Else the values of the names that it sets, and as text what it shows.
    """
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    body = [node for node in tree.body if node not in imports]
    imports = [node for node in imports if not _of_project(node)]
    theirs = [ast.unparse(node) for node in imports]
    made.known |= {(n.asname or n.name).split(".")[0] for node in imports for n in node.names}
    comment = [line for line in source.splitlines()[:1] if line.startswith("#") and body]
    if not _lacking(body, made.known):
        lines = [*theirs, *comment, *(ast.get_source_segment(source, node) for node in body)]
        made.known |= _set(body)
        yield "code", "\n".join(lines)
        return
    before = set(made.files)
    literals = {name: _literal(made, name, names[name]) for name in sorted(_set(body))}
    if not ("task" in literals and getattr(names["task"], "whose", "") == MADE_UP):
        made.own |= set(made.files) - before
    found = {name: text for name, text in literals.items() if text}
    made.known |= set(found)
    made.known -= set(literals) - set(found)
    lines = [f"{name} = {text}" for name, text in found.items()]
    for short, whole in (("pd", "pandas"), ("np", "numpy")):
        if short not in made.known and any(f" = {short}." in line for line in lines):
            theirs.append(f"import {whole} as {short}")
            made.known.add(short)
    yield "code", "\n".join([*theirs, *(comment if found else ()), *lines])
    if isinstance(value, Prose):
        yield "text", LINK.sub(r"\1", value.markdown)  # its labels are no markup
    elif hasattr(value, "_repr_mimebundle_"):
        yield "text", f"```text\n{value._repr_mimebundle_()['text/plain']}\n```"
    elif value is not None:
        text = value.to_string() if isinstance(value, pd.DataFrame | pd.Series) else str(value)
        yield "text", f"```text\n{text}\n```"


def _of_project(node: ast.stmt) -> bool:
    modules = [node.module] if isinstance(node, ast.ImportFrom) else [n.name for n in node.names]
    return any(str(module).split(".")[0] == PROJECT for module in modules)


def _set(body: Iterable[ast.stmt]) -> set[str]:
    """Names that statements set, those of functions among them."""
    nodes = [node for statement in body for node in ast.walk(statement)]
    names = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    names |= {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.ClassDef)}
    return names


def _lacking(body: Sequence[ast.stmt], known: set[str]) -> list[str]:
    """Names that statements use, and that are neither theirs nor known."""
    nodes = [node for statement in body for node in ast.walk(statement)]
    used = {n.id for n in nodes if isinstance(n, ast.Name)}
    own = _set(body) | {n.arg for n in nodes if isinstance(n, ast.arg)}
    return sorted(used - own - known)


def _literal(made: Lesson, name: str, value: object) -> str:
    """A value as code: a table is read from a file that comes along. None of other things."""
    if isinstance(value, pd.DataFrame):
        options = "" if isinstance(value.index, pd.RangeIndex) else ", index_col=0"
        text = value.to_csv(index=bool(options))
        if (value.select_dtypes("float") % 1).any(axis=None):
            options += ', float_precision="round_trip"'
        taken = [file for file in made.files if file.startswith(f"{made.name}_{name}")]
        file = next((f for f in taken if made.files[f] == text), "")
        file = file or f"{made.name}_{name}{f'_{len(taken) + 1}' if taken else ''}.csv"
        made.files[file] = text
        return f'pd.read_csv("{file}"{options})'
    if isinstance(value, np.ndarray):
        return f"np.array({value.tolist()!r})"
    if isinstance(value, np.generic):
        value = value.item()
    with suppress(ValueError, SyntaxError):
        if value is not None and ast.literal_eval(repr(value)) == value:
            return repr(value)
    return ""
