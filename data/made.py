"""How the make.py of the shipped datasets read a published table, and write those made from it."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

Row = dict[str, str]
YES_NO = {"1": "yes", "0": "no"}  # what the sources have as 1 and 0


def published(folder: Path) -> list[Row]:
    """The rows of a dataset's source.csv, every cell a text."""
    with (folder / "source.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def text(rows: Iterable[Row]) -> str:
    """A table as CSV, with the columns of its first row."""
    first, *rest = rows
    made = io.StringIO()
    writer = csv.DictWriter(made, fieldnames=list(first), lineterminator="\n")
    writer.writeheader()
    writer.writerows([first, *rest])
    return made.getvalue()


def write(folder: Path, **tables: str) -> None:
    """Write tables, each in the file of its name: `patients="…"` in patients.csv."""
    for name, table in tables.items():
        (folder / f"{name}.csv").write_text(table, encoding="utf-8", newline="\n")
