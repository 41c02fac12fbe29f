"""From a book as it is laid out to its pages, by Sphinx; what has not changed is not made again.

Sphinx knows which of its sources changed, if it finds what it made of the others. So that is kept
in a workshop, a folder of the cache that belongs to all that a page may take from others: all
files but the notebooks, and of these their headings, labels and citations. Where any of it is
another, so is the workshop, and all pages are made.
"""

from __future__ import annotations

import filecmp
import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

from .processes import held, python

# In the text of a notebook: what other pages lead to, list or count.
SHARED = re.compile(r"^#+ .*$|^\([\w-]+\)=$|\{cite[^}]*\}`[^`]*`", re.MULTILINE)
STAGE, LOCK, WHOLE = "book", "workshop.lock", "whole"  # in a workshop; the last where it is sound


class BuildError(RuntimeError):
    """The book cannot be built; the text says why, a line for each reason."""


def render(stage: Path, cache: Path, name: str, html: Path) -> Path:
    """Write the pages of a staged book into the new folder `html`; returns the workshop.

    `stage` has all that Sphinx reads, `name` is what messages call the book. Raises BuildError with
    each warning of Sphinx.
    """
    workshop = cache / _digest(stage)
    workshop.mkdir(exist_ok=True)
    try:
        with held(workshop / LOCK):
            _bring_up_to_date(stage, workshop)
            (workshop / WHOLE).unlink(missing_ok=True)
            _sphinx(workshop, name)
            (workshop / WHOLE).touch()
            shutil.copytree(workshop / "_build" / "html", html)
    except sqlite3.OperationalError:  # another builds the same book there
        _sphinx(stage.parent, name)
        (stage.parent / "_build" / "html").rename(html)
    return workshop


def _digest(stage: Path) -> str:
    """What all pages of a book may depend on, as one hash."""
    total = hashlib.sha256()
    for path in sorted(path for path in stage.rglob("*") if path.is_file()):
        inside = path.relative_to(stage)
        if inside.parts[0] != "results":
            told = "\n".join(_shared(path)).encode() if path.suffix == ".ipynb" else None
            content = path.read_bytes() if told is None else told
            for part in (inside.as_posix().encode(), content):
                total.update(hashlib.sha256(part).digest())
    return total.hexdigest()[:32]


def _shared(notebook: Path) -> Iterator[str]:
    """What of a notebook other pages lead to, list or count, in its own texts and in made ones."""
    for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
        texts = [cell["source"]] if cell["cell_type"] == "markdown" else []
        outputs = cell.get("outputs", [])
        texts += [output.get("data", {}).get("text/markdown", "") for output in outputs]
        for text in texts:
            yield from SHARED.findall("".join(text))


def _bring_up_to_date(stage: Path, workshop: Path) -> None:
    """Make the workshop's sources those of `stage`; one that is the same keeps its time.

    What an interrupted run has left goes: of its pages one may be half written.
    """
    kept = workshop / STAGE
    if not (workshop / WHOLE).exists():
        for folder in (kept, workshop / "_build"):
            shutil.rmtree(folder, ignore_errors=True)
    there = {path.relative_to(stage) for path in stage.rglob("*") if path.is_file()}
    for old in [path for path in kept.rglob("*") if path.is_file()]:
        if old.relative_to(kept) not in there:
            old.unlink()
    for inside in there:
        new, old = stage / inside, kept / inside
        if not old.exists() or not filecmp.cmp(new, old, shallow=False):
            old.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(new, old)
    # A page would name it by another address where it is there already.
    for style in (workshop / "_build" / "html" / "_static").glob("mystnb.*.css"):
        style.unlink()


def _sphinx(folder: Path, name: str) -> None:
    """Build folder/book; a warning is an error, and only then is Sphinx's own output shown."""
    stage = folder / STAGE
    program = python("from jupyter_book.cli.main import main; main()")
    options = ["--config", stage / "_config.yml", "-W", "-n", "--keep-going"]
    command = [*program, "build", stage, "--path-output", folder, *options]
    settings = {"DONTWRITEBYTECODE": "1", "UTF8": "1", "IOENCODING": "utf-8"}
    environment = os.environ | {f"PYTHON{name}": value for name, value in settings.items()}
    result = subprocess.run(command, capture_output=True, encoding="utf-8", env=environment)
    if result.returncode or not (folder / "_build" / "html" / "index.html").exists():
        said = (result.stdout + result.stderr).replace(f"{stage}{os.sep}", "book/")
        said = re.sub(r"\x1b\[[0-9;]*m", "", said)  # Sphinx's colours
        lines = [line for line in said.splitlines() if "WARNING" in line or "ERROR" in line]
        raised = re.findall(r"^[\w.]+(?:Error|Exception): .+", said, re.MULTILINE)
        reasons = "\n".join(lines or raised[:1] or [said])
        raise BuildError(f"{reasons}\nSphinx cannot build the book of {name}; see the lines above")
