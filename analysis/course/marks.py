"""Marks from a folder of returned notebooks.

Each notebook is run in a kernel of its own, beside the files of its assignment. What its answers
are is taken out of it and graded here, where nothing that a notebook has changed can reach.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import nbformat
import pandas as pd
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpec

from ..dataset.problems import DataError, one_line
from .answers import Sealed, Verdict, sealed
from .exercises import PREFIX

NAME = re.compile(rf"{PREFIX}\d\d")
# As text, whatever the notebook has made of this function meanwhile: it gives data and no mark.
ASKED = '__import__("runpy").run_path({file!r})["plain"](answer_{number})'
LAST = 10  # seconds for a kernel to say its answers
LONGEST = 120  # characters of an error in the notes
LATE = "it ran for longer than {seconds} s"
UNREADABLE = "it is no notebook"
MISSING = "no notebook"
SEVERAL = "several notebooks, and {name} was marked"
BOOK = "it is the book's own notebook, not the one of this assignment"
UNNAMED = "{path} is passed over: expected NAME_{file}, or {file} in a folder NAME of the student"
# The cells of the book's own notebook and of those that are handed out begin with these.
OF_BOOK, OF_ASSIGNMENT = "from analysis", "from answers import"


class Kernel(KernelManager):
    """A kernel of this interpreter, whatever else is installed. It keeps no history."""

    @property
    def kernel_spec(self) -> KernelSpec:
        options = ["-f", "{connection_file}", "--log-level=50", "--HistoryManager.enabled=False"]
        argv = [sys.executable, "-m", "ipykernel_launcher", *options]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


def marks(
    folder: Path, assignment: Path, seconds: float, tell: Callable[[str], object] = lambda _: None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The marks, a row for each student, and the words of the check, a row for each exercise too.

    A mark is 1 for a right answer, 0 for a wrong one, and missing where there is none. In `folder`
    each student has a folder, or notebooks with the student's name before or after the lesson's.
    `assignment` is a folder in nbgrader/source or handout, and `seconds` what a notebook may run.
    `points`, `of` and `notes` are for each student. `tell` gets a line for each student and each
    file that is passed over. Raises DataError where there is nothing to mark.
    """
    keys = sorted(assignment.glob(f"{PREFIX}*.json"))
    if not keys:
        raise DataError([f"{assignment}: no folder that `assignment` has made"])
    asked = {key.stem: list(map(int, json.loads(key.read_text("utf-8")))) for key in keys}
    rows, words = [], []
    returned = _returned(folder, assignment, asked, tell)
    for place, (student, found) in enumerate(sorted(returned.items()), 1):
        row, notes = {"student": student}, []
        for name, numbers in asked.items():
            values, said, paths = {}, [MISSING], found.get(name, [])
            if paths:
                values, said = answers_of(paths[-1], assignment, numbers, seconds)
            if len(paths) > 1:
                said = [SEVERAL.format(name=paths[-1].name), *said]
            notes += [f"{name}: {note}" for note in said]
            for number in numbers:
                given = values.get(number)
                verdict = _verdict(given, sealed(str(assignment / f"{name}.json"), number))
                mark = None if given is None else int(verdict.right)
                row[f"{name}_exercise_{number}"] = mark
                words.append((student, name, number, mark, verdict.words or "Right."))
        points = [value for key, value in row.items() if key != "student"]
        got = sum(filter(None, points))
        rows.append(row | {"points": got, "of": len(points), "notes": "; ".join(notes)})
        tell(f"{place} of {len(returned)}: {one_line(student)}, {got} of {len(points)}")
    if not rows:
        raise DataError([f"{folder}: no notebook of {', '.join(asked)} in it"])
    columns = ["student", "lesson", "exercise", "mark", "said"]
    tables = pd.DataFrame(rows), pd.DataFrame(words, columns=columns)
    return tuple(table.convert_dtypes(convert_string=False) for table in tables)


def _verdict(given: object, exercise: Sealed) -> Verdict:
    """What the check says of an answer as JSON holds it, where None is no answer."""
    with suppress(ArithmeticError, RecursionError, TypeError, ValueError):
        return exercise.check(... if given is None else given)
    return Verdict(False, "The answer has a form that cannot be read.")


def _returned(
    folder: Path, assignment: Path, lessons: Collection[str], tell: Callable[[str], object]
) -> dict[str, dict[str, list[Path]]]:
    """For each student the notebooks of each lesson; those of other assignments are passed over."""
    made: dict[str, dict[str, list[Path]]] = {}
    others = {path.name for path in assignment.parent.iterdir()} - {assignment.name}
    for path in sorted(folder.rglob("*.ipynb")):
        parts, lesson = path.relative_to(folder).parts, NAME.search(path.stem)
        if ".ipynb_checkpoints" in parts:
            continue
        name = re.sub(r"^[-_ ]+|[-_ ]+$", "", NAME.sub("", path.stem))
        student = parts[0] if len(parts) > 1 else name
        if not lesson or not student:
            tell(UNNAMED.format(path=one_line(str(path), LONGEST), file=f"{min(lessons)}.ipynb"))
            continue
        of_student = made.setdefault(student, {})
        if lesson[0] in lessons and not others & set(parts[1:-1]):
            of_student.setdefault(lesson[0], []).append(path)
    return made


def answers_of(
    notebook: Path, assignment: Path, numbers: Collection[int], seconds: float
) -> tuple[dict[int, Any], list[str]]:
    """The values of `answer_k` after all cells, as JSON holds them, and what else is to be said.

    A cell that fails does not end it. One that has no such value is not in it.
    """
    try:
        cells = nbformat.read(notebook, as_version=4).cells
    except Exception:  # whatever is in a file that a student returns
        return {}, [UNREADABLE]
    codes = [cell.source for cell in cells if cell.cell_type == "code"]
    text = "\n".join(codes)
    if OF_BOOK in text and OF_ASSIGNMENT not in text:
        return {}, [BOOK]
    with TemporaryDirectory() as folder:
        for file in assignment.iterdir():
            if file.suffix != ".ipynb":
                shutil.copy(file, folder)
        found, in_time, errors = _ran(codes, folder, assignment / "answers.py", numbers, seconds)
    late = [] if in_time else [LATE.format(seconds=f"{seconds:g}")]
    return found, [*late, *errors[:1]]  # the first is often the cause of the others


def _ran(
    codes: list[str], folder: str, answers: Path, numbers: Collection[int], seconds: float
) -> tuple[dict[int, Any], bool, list[str]]:
    """The answers after some cells of code, whether these ended in time, and their errors."""
    # Neither this project nor what else the teacher's surroundings tell is to be found there.
    hidden = ("PYTHONPATH", "PYTHONSTARTUP", "VIRTUAL_ENV", "PWD", "OLDPWD")
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    manager, in_time, errors = Kernel(), True, []
    manager.start_kernel(cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = manager.blocking_client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        end = monotonic() + seconds  # its start is not its own
        quiet = {"allow_stdin": False, "stop_on_error": False, "output_hook": lambda _: None}
        try:
            for place, code in enumerate(codes, 1):
                left = max(end - monotonic(), 0.01)
                content = client.execute_interactive(code, timeout=left, **quiet)["content"]
                if content.get("status") == "error" and content.get("ename") != "AssertionError":
                    asked = re.findall(r"\banswer_(\d+)", code)  # a check fails by assertion
                    where = f"exercise {asked[-1]}" if asked else f"code cell {place}"
                    said = f"{where}: {content.get('ename')}: {content.get('evalue')}"
                    errors.append(one_line(said, LONGEST))
        except TimeoutError:
            in_time = False
            manager.interrupt_kernel()
        with suppress(OSError):
            shutil.copy(answers, folder)  # it may have been written over
        file = str(Path(folder).resolve() / answers.name)  # wherever the notebook has gone
        wanted = {str(number): ASKED.format(file=file, number=number) for number in numbers}
        options = {"silent": True, "user_expressions": wanted, **quiet}
        with suppress(TimeoutError):
            reply = client.execute_interactive("", timeout=LAST, **options)
            said = reply["content"].get("user_expressions", {})
            return _values(said, numbers), in_time, errors
        return {}, False, errors
    except RuntimeError:  # a kernel that has died
        return {}, False, errors
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _values(said: Mapping[str, Any], numbers: Collection[int]) -> dict[int, Any]:
    """The answers from the texts of their JSON, as the kernel shows them."""
    found = {}
    for number in numbers:
        with suppress(Exception):  # whatever a notebook has made its kernel say
            shown = said[str(number)]["data"]["text/plain"]
            found[number] = json.loads(ast.literal_eval(shown))
    return found
