"""What is wrong with a dataset folder: one line for each thing to mend."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

LISTED_AT_MOST = 20  # problems of one kind in one column: the rest are counted, not listed
LONGEST = 60  # characters of a value in a line


@dataclass(frozen=True)
class Problem:
    """One thing to mend, or to know.

    `row` counts as the file does, with the header as row 1. `place` is a place within
    datapackage.json. Without `found`, `expected` is the whole sentence, and `hidden` is what to
    say instead of it where no value of a table may be shown. `hint` guesses what was meant.
    """

    file: str
    row: int | None = None
    column: str = ""
    found: str = ""
    expected: str = ""
    place: str = ""
    hint: str = ""
    hidden: str = ""

    def __str__(self) -> str:
        return self.line()

    def line(self, private: bool = False) -> str:
        """The problem in one line; with `private` it names the row and no value of the table."""
        row = f"row {self.row}" if self.row else ""
        column = f"column {one_line(self.column)}" if self.column else ""
        where = ", ".join(filter(None, (self.file, row, self.place, column)))
        if private and self.hidden:
            return f"{where}: {self.hidden}"
        if private and self.row:
            return f"{where}: {'expected ' if self.found else ''}{self.expected}"
        found = f"found {self.found}, expected " if self.found else ""
        return f"{where}: {found}{self.expected}{f'; {self.hint}' if self.hint else ''}"


class DataError(ValueError):
    """A dataset folder that cannot be used. `problems` holds one line for each thing to mend.

    `found` holds the same as they were given: Problems, or lines that show no value of a patient.
    """

    def __init__(self, problems: Sequence[Problem | str]) -> None:
        self.found = tuple(problems)
        self.problems = self.lines()
        super().__init__("\n".join(self.problems))

    def lines(self, private: bool = False) -> list[str]:
        """One line for each problem; with `private` without the values of the table."""
        return [p.line(private) if isinstance(p, Problem) else p for p in self.found]


def of_system(error: OSError) -> str:
    """What the system says of a path, in one line and without its number."""
    if error.filename is None or not error.strerror:
        return error.strerror or str(error)
    path = Path(str(error.filename))
    if isinstance(error, FileExistsError | NotADirectoryError):
        file = next((place for place in (path, *path.parents) if place.is_file()), None)
        if file:
            return f"{file}: found a file, expected a folder or nothing"
    return f"{path}: {error.strerror.lower()}"


def raise_any(problems: Iterable[Problem | str]) -> None:
    """Raise DataError where there is a problem."""
    found = list(problems)
    if found:
        raise DataError(found)


def listed(
    values: pd.Series,
    wrong: pd.Series,
    expected: str,
    file: str,
    hints: dict[int, str] | None = None,
) -> Iterator[Problem]:
    """A problem for each row that is `wrong`, of a column whose index is the row of the file."""
    rows = values.index[wrong.to_numpy(bool)]
    for row in rows[:LISTED_AT_MOST]:
        hint = (hints or {}).get(row, "")
        yield Problem(file, int(row), str(values.name), quoted(values[row]), expected, hint=hint)
    if len(rows) > LISTED_AT_MOST:
        more = len(rows) - LISTED_AT_MOST
        yield Problem(
            file, column=str(values.name), expected=f"{more} more rows, expected {expected}"
        )


def quoted(value: object) -> str:
    """A value as a line shows it: a number as it is, text in quotes."""
    return f"{value:.15g}" if isinstance(value, float) else f'"{one_line(str(value))}"'


def one_line(text: str, longest: int = LONGEST) -> str:
    """Text that cannot break a line or a terminal: short, and what cannot be seen is spelt out."""
    short = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in short)
