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
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import nbformat
import pandas as pd
from jupyter_client import KernelManager
from jupyter_client.kernelspec import KernelSpec

from ..dataset.problems import DataError
from .answers import sealed
from .exercises import PREFIX

NAME = re.compile(rf"{PREFIX}\d\d")
# As text, whatever the notebook has made of this function meanwhile: it gives data and no mark.
ASKED = '__import__("runpy").run_path("answers.py")["plain"](answer_{number})'
LAST = 10  # seconds for a kernel to say its answers
LATE = "it ran for longer than {seconds} s"
UNREADABLE = "it is no notebook"
MISSING = "no notebook"
SEVERAL = "several notebooks, and {name} was marked"


class Kernel(KernelManager):
    """A kernel of this interpreter, whatever else is installed. It keeps no history."""

    @property
    def kernel_spec(self) -> KernelSpec:
        options = ["-f", "{connection_file}", "--log-level=50", "--HistoryManager.enabled=False"]
        argv = [sys.executable, "-m", "ipykernel_launcher", *options]
        return KernelSpec(argv=argv, display_name="Python 3", language="python")


def marks(folder: Path, assignment: Path, seconds: float) -> pd.DataFrame:
    """A row for each student and a column for each exercise: 1 where its answer is right, else 0.

    In `folder` each student has a folder, or notebooks that have the student's name before or after
    the lesson's. `assignment` is a folder in nbgrader/source. A notebook may run for so many
    `seconds`. `points`, `of` and `notes` are for each student. Raises DataError where there is
    nothing to mark.
    """
    keys = sorted(assignment.glob(f"{PREFIX}*.json"))
    if not keys:
        raise DataError([f"{assignment}: no folder that `assignment` has made"])
    asked = {key.stem: list(map(int, json.loads(key.read_text("utf-8")))) for key in keys}
    rows = []
    for student, found in sorted(_returned(folder, assignment, asked).items()):
        row, notes = {"student": student}, []
        for name, numbers in asked.items():
            said = _note_of(found.get(name, []))
            values: Mapping[int, Any] = {}
            if name in found:
                values, late = answers_of(found[name][-1], assignment, numbers, seconds)
                said = late or said
            notes += [f"{name}: {said}"] if said else []
            for number in numbers:
                exercise = sealed(str(assignment / f"{name}.json"), number)
                right = False
                with suppress(ArithmeticError, RecursionError, TypeError, ValueError):
                    right = number in values and exercise.check(values[number]).right
                row[f"{name}_exercise_{number}"] = int(right)
        points = [value for key, value in row.items() if key != "student"]
        rows.append(row | {"points": sum(points), "of": len(points), "notes": "; ".join(notes)})
    if not rows:
        raise DataError([f"{folder}: no notebook of {', '.join(asked)} in it"])
    return pd.DataFrame(rows)


def _note_of(found: list[Path]) -> str:
    if not found:
        return MISSING
    return SEVERAL.format(name=found[-1].name) if len(found) > 1 else ""


def _returned(
    folder: Path, assignment: Path, lessons: Collection[str]
) -> dict[str, dict[str, list[Path]]]:
    """For each student the notebooks of each lesson; those of other assignments are passed over."""
    made: dict[str, dict[str, list[Path]]] = {}
    others = {path.name for path in assignment.parent.iterdir()} - {assignment.name}
    for path in sorted(folder.rglob("*.ipynb")):
        parts, lesson = path.relative_to(folder).parts, NAME.search(path.stem)
        if ".ipynb_checkpoints" in parts or not lesson:
            continue
        name = re.sub(r"^[-_ ]+|[-_ ]+$", "", NAME.sub("", path.stem))
        of_student = made.setdefault(parts[0] if len(parts) > 1 else name, {})
        if lesson[0] in lessons and not others & set(parts[1:-1]):
            of_student.setdefault(lesson[0], []).append(path)
    return made


def answers_of(
    notebook: Path, assignment: Path, numbers: Collection[int], seconds: float
) -> tuple[dict[int, Any], str]:
    """The values of `answer_k` after all cells, as JSON holds them, and what else is to be said.

    A cell that fails does not end it. One that has no such value is not in it.
    """
    try:
        cells = nbformat.read(notebook, as_version=4).cells
    except Exception:  # whatever is in a file that a student returns
        return {}, UNREADABLE
    with TemporaryDirectory() as folder:
        for file in assignment.iterdir():
            if file.suffix != ".ipynb":
                shutil.copy(file, folder)
        codes = [cell.source for cell in cells if cell.cell_type == "code"]
        found, in_time = _ran(codes, folder, assignment / "answers.py", numbers, seconds)
    return found, "" if in_time else LATE.format(seconds=f"{seconds:g}")


def _ran(
    codes: list[str], folder: str, answers: Path, numbers: Collection[int], seconds: float
) -> tuple[dict[int, Any], bool]:
    """The answers after some cells of code, and whether these ended in time."""
    # Neither this project nor what else the teacher's surroundings tell is to be found there.
    hidden = ("PYTHONPATH", "PYTHONSTARTUP", "VIRTUAL_ENV", "PWD", "OLDPWD")
    env = {name: value for name, value in os.environ.items() if name not in hidden}
    manager, in_time = Kernel(), True
    manager.start_kernel(cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = manager.blocking_client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        end = monotonic() + seconds  # its start is not its own
        quiet = {"allow_stdin": False, "stop_on_error": False, "output_hook": lambda _: None}
        try:
            for code in codes:
                client.execute_interactive(code, timeout=max(end - monotonic(), 0.01), **quiet)
        except TimeoutError:
            in_time = False
            manager.interrupt_kernel()
        with suppress(OSError):
            shutil.copy(answers, folder)  # it may have been written over
        asked = {str(number): ASKED.format(number=number) for number in numbers}
        options = {"silent": True, "user_expressions": asked, **quiet}
        with suppress(TimeoutError):
            reply = client.execute_interactive("", timeout=LAST, **options)
            said = reply["content"].get("user_expressions", {})
            return {n: _value(said[str(n)]) for n in numbers if _has(said, n)}, in_time
        return {}, False
    except RuntimeError:  # a kernel that has died
        return {}, False
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _has(said: Mapping[str, Any], number: int) -> bool:
    with suppress(Exception):  # whatever a notebook has made its kernel say
        _value(said[str(number)])
        return True
    return False


def _value(told: Mapping[str, Any]) -> Any:
    """A value from the text of its JSON, as the kernel shows it."""
    return json.loads(ast.literal_eval(told["data"]["text/plain"]))
