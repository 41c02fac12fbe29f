"""Made-up students of an assignment: what each returns, and what each has earned."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest import mock

import nbformat
import numpy as np
from conftest import ROOT
from nbformat import NotebookNode

from analysis.course import assignment, tasks
from analysis.course.exercises import Exercise

# What a cheat writes for exercise 1, 2, … The first asks the book's key. The others change Python
# or the files so that the test in the notebook is content with any answer, or read the hashes.
CHEATS = (
    "from analysis.course import keys_{lesson} as keys\n"
    'from analysis.dataset.model import load\nanswer_1 = keys.exercise_1(load("{data}")).answer',
    "import answers\nanswers.Sealed.grade = lambda *_: None\ncheck = grade = print\nanswer_2 = 999",
    "import hashlib, importlib\nimportlib.reload(answers)\n"
    'print(open("lesson_{lesson}.json").read())\n'
    'key = type("Key", (str,), {{"__eq__": lambda *_: True, "__hash__": str.__hash__}})()\n'
    'hashlib.pbkdf2_hmac = lambda *_: type("Any", (), {{"hex": lambda _: key}})()\n'
    "answer_3 = {wrong}",
    'for file in ("answers.py", "lesson_{lesson}.json"):\n'
    '    open(file, "w").write("def sealed(*_): return sealed\\nsealed.grade = print\\n")\n'
    "import sys; sys.modules.pop('answers')\nanswer_4 = {wrong}",
)


@cache
def lesson(number: int, dataset: str) -> tasks.Lesson:
    """The exercises of a lesson on a shipped dataset. It takes seconds."""
    return tasks.lesson(number, ROOT / "data" / dataset)


@dataclass(frozen=True)
class Returned:
    """What the students of an assignment return, and the points that each has earned."""

    name: str  # the dataset's and the lesson's number, as of its folder

    @property
    def number(self) -> int:
        return int(self.name.rpartition("-")[2])

    @property
    def dataset(self) -> str:
        return self.name.rpartition("-")[0]

    @property
    def lesson(self) -> tasks.Lesson:
        return lesson(self.number, self.dataset)

    def make(self, out: Path) -> None:
        """The assignment, in a folder for all of them."""
        known = mock.patch.object(assignment, "lesson", lambda k, folder: lesson(k, folder.name))
        with known:
            made, _ = assignment.assignment([self.number], ROOT / "data" / self.dataset, out)
        assert made == self.name

    @property
    def exercises(self) -> dict[int, Exercise]:
        return self.lesson.exercises

    @property
    def file(self) -> str:
        return f"lesson_{self.number:02}.ipynb"

    @property
    def earned(self) -> dict[str, int]:
        """Those who are half right have the exercises of odd numbers."""
        odd = sum(k % 2 for k in self.exercises)
        return {
            **{"right": len(self.exercises), "half": odd, "deleting": odd},
            **{"wrong": 0, "cheating": 0, "empty": 0},
        }

    def mistake(self, k: int) -> tuple[str, str]:
        """A listed mistake as code, and what is said of it."""
        exercise = self.exercises[k]
        given, words = next((g, w) for g, w in exercise.mistakes if _is_finite(g))
        return literal(given), words

    def written(self) -> Mapping[str, Mapping[int, str]]:
        """What each student writes under the task, by exercise."""
        made, data = self.lesson, ROOT / "data" / self.dataset
        right = {p.number: p.source for p in made.parts if p.kind == "solution"}
        right = {k: right[k] for k in self.exercises}
        half = {k: text if k % 2 else f"answer_{k} = 1 / 0" for k, text in right.items()}
        cheats = {k: CHEATS[(k - 1) % 4] for k in right}
        return {
            **{"right": right, "half": half, "deleting": half, "empty": {}},
            "wrong": {k: f"answer_{k} = {self.mistake(k)[0]}" for k in right},
            "cheating": {
                k: text.format(lesson=made.name[-2:], data=data, wrong=self.mistake(k)[0])
                for k, text in cheats.items()
            },
        }

    def write(self, handed: Path, folder: Path) -> None:
        """The folders of the students, each with the notebook that was handed out, filled in.

        Who cheats edits every second test. Who deletes leaves no test, and of the answers only
        those that are right.
        """
        for student, given in self.written().items():
            notebook = nbformat.read(handed / self.file, as_version=4)
            for k, cell in named(notebook, "answer").items():
                text = cell.source.split("### BEGIN")[0]
                cell.source = f"{text}\n{given[k]}" if k in given else text
            if student == "cheating":
                for cell in list(named(notebook, "exercise").values())[::2]:
                    cell.source, cell.metadata.nbgrader.points = "pass", 40
            if student == "deleting":
                gone = [*named(notebook, "exercise").values()]
                gone += [cell for k, cell in named(notebook, "answer").items() if k % 2 == 0]
                notebook.cells = [c for c in notebook.cells if not any(c is one for one in gone)]
            target = folder / student / handed.name
            shutil.copytree(handed, target)
            nbformat.write(notebook, target / self.file)


def named(notebook: NotebookNode, kind: str) -> dict[int, NotebookNode]:
    """The cells of the answers, or of the tests, by exercise."""
    ids = {cell.metadata.get("nbgrader", {}).get("grade_id", ""): cell for cell in notebook.cells}
    return {int(k[-1]): cell for k, cell in ids.items() if re.fullmatch(rf"{kind}-\d", k)}


def literal(given: object) -> str:
    """An answer as code."""
    if isinstance(given, str | set | frozenset):
        return repr(given if isinstance(given, str) else set(given))
    return repr(np.asarray(given).tolist())


def _is_finite(given: object) -> bool:
    if isinstance(given, str | set | frozenset):
        return bool(given)
    return bool(np.isfinite(np.asarray(given, dtype=float)).all())
