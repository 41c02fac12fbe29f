"""Lays out a dataset folder: a commented `datapackage.json` and the header of `patients.csv`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

from .checks import PACKAGE, TABLE
from .problems import DataError, Problem

TEMPLATE = Path(__file__).with_name("datapackage.template.json")


def new(folder: Path) -> Iterator[str]:
    """Write both files into `folder`, made if it is not there; yields the lines to print.

    Raises DataError, and writes nothing, where one of the files is there already.
    """
    there = [name for name in (PACKAGE, TABLE) if (folder / name).exists()]
    if there:
        expected = "there already; nothing was written"
        raise DataError([Problem(str(folder / name), expected=expected) for name in there])
    text = TEMPLATE.read_text("utf-8").replace('"my-cohort"', json.dumps(_name_of(folder)), 1)
    fields = json.loads(text)["resources"][0]["schema"]["fields"]
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    if made:
        yield f"{folder} does not exist; it is made"
    (folder / PACKAGE).write_text(text, "utf-8")
    header = ",".join(entry["name"] for entry in fields)
    (folder / TABLE).write_text(header + "\n", "utf-8")
    yield f"1. Put your patients into {folder / TABLE}, a row each."
    yield f"2. Say in {folder / PACKAGE} what the columns mean; delete those that you do not have"
    yield "   from both files. Its $comment lines explain the rest."
    yield f'3. make check DATASET="{folder}"'


def _name_of(folder: Path) -> str:
    """The folder's name in the letters that a package's name may have."""
    name = re.sub(r"[^a-z0-9._-]+", "-", folder.resolve().name.lower()).strip("-.")
    return name or "my-cohort"
