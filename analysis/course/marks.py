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
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import nbformat
import pandas as pd
from jupyter_client import BlockingKernelClient, KernelManager
from jupyter_client.kernelspec import KernelSpec

from ..dataset.problems import DataError, one_line
from .answers import Sealed, Verdict, given, sealed
from .exercises import PREFIX

NAME = re.compile(rf"{PREFIX}\d\d(?!\d)")
# What browsers and course systems put behind the name of a file that is there already.
COPY = re.compile(rf"({NAME.pattern})(?: ?\((\d+)\)|(?<=[-_ ]{PREFIX}\d\d)-(\d)$)")
# As text, whatever the notebook has made of this function meanwhile: it gives data and no mark.
ASKED = '__import__("runpy").run_path({file!r})["plain"](answer_{number})'
LAST = 10  # seconds for a kernel to say its answers
LONGEST = 120  # characters of an error in the notes
LATE = "it ran for longer than {seconds:g} s"
DIED = "its kernel was killed, and no answer could be read"
UNTOLD = "exercise {number}: its answer could not be read: {error}"
UNREADABLE = "it is no notebook"
MISSING = "no notebook"
SEVERAL = "several notebooks, and {name} was marked"
BOOK = "it is the book's own notebook, not the one of this assignment"
UNNAMED = "{path} is passed over: expected NAME_{file}, or {file} in a folder NAME of the student"
WORDS = ["student", "lesson", "exercise", "mark", "said"]  # columns of feedback.csv
QUIET = {"allow_stdin": False, "stop_on_error": False, "output_hook": lambda _: None}
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
) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
    """The marks, a row for each student, and the words of the check, a row for each exercise too.

    Both after each student, with all before. A mark is 1 for a right answer, 0 for a wrong one, and
    missing where there is none. In `folder` each student has a folder, or notebooks with the
    student's name before or after the lesson's. `assignment` is a folder in nbgrader/source or
    handout, and `seconds` what a notebook may run. `points`, `of` and `notes` are for each student.
    `tell` gets a line for each student and each file that is passed over. Raises DataError where
    there is nothing to mark.
    """
    keys = sorted(assignment.glob(f"{PREFIX}*.json"))
    if not keys:
        raise DataError([f"{assignment}: no folder that `assignment` has made"])
    asked = {key.stem: list(map(int, json.loads(key.read_text("utf-8")))) for key in keys}
    returned = _returned(folder, assignment, asked, tell)
    if not returned:
        raise DataError([f"{folder}: no notebook of {', '.join(asked)} in it"])
    rows, words = [], []
    for place, (student, found) in enumerate(sorted(returned.items()), 1):
        row, said = _of_student(_as_text(student), found, assignment, asked, seconds)
        rows.append(row)
        words += said
        tell(f"{place} of {len(returned)}: {one_line(student)}, {row['points']} of {row['of']}")
        tables = pd.DataFrame(rows), pd.DataFrame(words, columns=WORDS)
        yield tuple(table.convert_dtypes(convert_string=False) for table in tables)


def _of_student(
    student: str,
    found: Mapping[str, list[Path]],
    assignment: Path,
    asked: Mapping[str, Collection[int]],
    seconds: float,
) -> tuple[dict[str, Any], list[tuple]]:
    """A student's row of marks, and those of what the check says of each exercise."""
    row, words, notes = {"student": student}, [], []
    for name, numbers in asked.items():
        values, said, paths = {}, [MISSING], found.get(name, [])
        if paths:
            values, said = answers_of(paths[-1], assignment, numbers, seconds)
        if len(paths) > 1:
            said = [SEVERAL.format(name=_as_text(paths[-1].name)), *said]
        notes += [f"{name}: {note}" for note in said]
        for number in numbers:
            answer = values.get(number)
            verdict = _verdict(answer, sealed(str(assignment / f"{name}.json"), number))
            row[f"{name}_exercise_{number}"] = None if answer is None else int(verdict.right)
            mark = row[f"{name}_exercise_{number}"]
            why = verdict.words or "Right."
            why = _why(number, said, why) if answer is None else why
            words.append((student, name, number, mark, why))
    points = [mark for key, mark in row.items() if key != "student"]
    told = {"points": sum(filter(None, points)), "of": len(points), "notes": "; ".join(notes)}
    return row | told, words


def _why(number: int, notes: list[str], otherwise: str) -> str:
    """Why an exercise has no answer: its own note, or one of the whole notebook."""
    own = (note for note in notes if note.startswith(f"exercise {number}: "))
    of_all = (
        note
        for note in notes
        if note.startswith((MISSING, DIED, UNREADABLE, LATE.partition("{")[0]))
    )
    return next(own, next(of_all, otherwise))


def _as_text(name: str) -> str:
    """A student's name, which a spreadsheet is not to take for a formula, and any file can hold."""
    name = name.encode(errors="backslashreplace").decode()
    return f"'{name}" if name.strip().startswith(("=", "+", "-", "@")) else name


def _verdict(answer: object, exercise: Sealed) -> Verdict:
    """What the check says of an answer as JSON holds it, where None is no answer."""
    with suppress(ArithmeticError, RecursionError, TypeError, ValueError):
        return exercise.check(... if answer is None else answer)
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
        name = re.sub(r"^[-_ ]+|[-_ ]+$", "", NAME.sub("", COPY.sub(r"\1", path.stem)))
        student = parts[0] if len(parts) > 1 else name
        if len(parts) > 1:
            made.setdefault(student, {})  # whose marks say that there is no notebook
        if not lesson or not student:
            tell(UNNAMED.format(path=one_line(str(path), LONGEST), file=f"{min(lessons)}.ipynb"))
            continue
        of_student = made.setdefault(student, {})
        if lesson[0] in lessons and not others & set(parts[1:-1]):
            of_student.setdefault(lesson[0], []).append(path)
            of_student[lesson[0]].sort(key=_copied)
    return made


def _copied(path: Path) -> tuple[int, Path]:
    """Sorts the notebooks of one lesson: the copy of the highest number last."""
    numbers = COPY.search(path.stem)
    return int(numbers[2] or numbers[3]) if numbers else 0, path


def answers_of(
    notebook: Path, assignment: Path, numbers: Collection[int], seconds: float
) -> tuple[dict[int, Any], list[str]]:
    """The values of `answer_k` after all cells, as JSON holds them, and what else is to be said.

    A cell that fails does not end it. One that has no such value is not in it.
    """
    try:
        cells = nbformat.read(notebook, as_version=4).cells
        codes = [cell.source for cell in cells if cell.cell_type == "code"]
        text = "\n".join(codes)
    except Exception:  # whatever is in a file that a student returns
        return {}, [UNREADABLE]
    if OF_BOOK in text and OF_ASSIGNMENT not in text:
        return {}, [BOOK]
    with TemporaryDirectory() as folder:
        for file in assignment.iterdir():
            if file.suffix != ".ipynb":
                shutil.copy(file, folder)
        return _ran(codes, folder, assignment / "answers.py", numbers, seconds)


def _ran(
    codes: list[str], folder: str, answers: Path, numbers: Collection[int], seconds: float
) -> tuple[dict[int, Any], list[str]]:
    """The answers after some cells of code, and what else is to be said.

    That is what has ended them, the first error, which is often the cause of others, and why an
    answer cannot be read.
    """
    # Neither this project nor what else the teacher's surroundings tell is to be found there.
    hidden = ("PYTHONPATH", "PYTHONSTARTUP", "VIRTUAL_ENV", "PWD", "OLDPWD")
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    manager = Kernel()
    manager.start_kernel(cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = manager.blocking_client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        in_time, errors = _through(client, codes, seconds)
        if not manager.is_alive():
            return {}, [DIED]
        if not in_time:
            manager.interrupt_kernel()
        with suppress(OSError):
            shutil.copy(answers, folder)  # it may have been written over
        found, unread = {}, []
        for number in numbers:
            # Wherever the notebook has gone, the file is there.
            asked = ASKED.format(file=str(Path(folder).resolve() / answers.name), number=number)
            try:
                found |= _value(client, number, asked)
            except (ValueError, TimeoutError) as error:
                manager.interrupt_kernel()
                why = "it takes too long" if isinstance(error, TimeoutError) else error
                said = UNTOLD.format(number=number, error=why)
                unread.append(one_line(said, LONGEST))
        late = [] if in_time else [LATE.format(seconds=seconds)]
        return found, [*late, *errors[:1], *unread]
    except RuntimeError:  # a kernel that has died
        return {}, [DIED]
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _through(
    client: BlockingKernelClient, codes: list[str], seconds: float
) -> tuple[bool, list[str]]:
    """Run cells of code: whether they ended in time, and their errors."""
    errors, end = [], monotonic() + seconds
    for place, code in enumerate(codes, 1):
        try:
            left = max(end - monotonic(), 0.01)
            content = client.execute_interactive(code, timeout=left, **QUIET)["content"]
        except TimeoutError:
            return False, errors
        if content.get("status") == "error" and content.get("ename") != "AssertionError":
            asked = re.findall(r"\banswer_(\d+)", code)  # a check fails by assertion
            where = f"exercise {asked[-1]}" if asked else f"code cell {place}"
            said = f"{where}: {content.get('ename')}: {content.get('evalue')}"
            errors.append(one_line(said, LONGEST))
    return True, errors


def _value(client: BlockingKernelClient, number: int, asked: str) -> dict[int, Any]:
    """The answer of a number, from the text of its JSON as the kernel shows it.

    None where there is no such name. Raises ValueError where it is no answer, TimeoutError where it
    takes long to say.
    """
    options = {"silent": True, "user_expressions": {"value": asked}, **QUIET}
    reply = client.execute_interactive("", timeout=LAST, **options)
    said = reply["content"].get("user_expressions", {}).get("value", {})
    if said.get("status") == "error":
        if said.get("ename") == "NameError":
            return {}
        raise ValueError(f"{said.get('ename')}: {said.get('evalue')}")
    try:
        return {number: given(ast.literal_eval(said["data"]["text/plain"]))}
    except Exception:  # whatever a notebook has made its kernel say
        raise ValueError("it is no JSON") from None
