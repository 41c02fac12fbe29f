"""What is wrong with a dataset folder: one line for each thing to mend."""

from __future__ import annotations

import difflib
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
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

    def __reduce__(self) -> tuple:
        return DataError, (self.found,)  # from another process too, it comes with its problems

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
    hints: Mapping[int, str] | None = None,
) -> Iterator[Problem]:
    """A problem for each row that is `wrong`, of a column whose index is the row of the file."""
    column, found = str(values.name), values[wrong.to_numpy(bool)]
    return at_most(
        Problem(file, int(row), column, quoted(value), expected, hint=(hints or {}).get(row, ""))
        for row, value in found.items()
    )


def at_most(problems: Iterable[Problem]) -> Iterator[Problem]:
    """The problems, each once, and no more rows of one kind than are read: the rest are counted."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for problem in dict.fromkeys(problems):
        alike = problem.hidden.removeprefix("expected ") or problem.expected
        kind = (problem.file, problem.column, alike)
        counts[kind] += problem.row is not None
        if problem.row is None or counts[kind] <= LISTED_AT_MOST:
            yield problem
    for (file, column, expected), count in counts.items():
        if count > LISTED_AT_MOST:
            more = f"{count - LISTED_AT_MOST} more rows, expected {expected}"
            yield Problem(file, column=column, expected=more)


def quoted(value: object) -> str:
    """A value as a line shows it: a number as it is, text in quotes."""
    return f"{value:.15g}" if isinstance(value, float) else f'"{one_line(str(value))}"'


def one_line(text: str, longest: int = LONGEST) -> str:
    """Text that cannot break a line or a terminal: short, and what cannot be seen is spelt out."""
    short = text if len(text) <= longest else text[: longest - 1] + "…"
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in short)


def squashed(text: str) -> str:
    """Text without what the eye overlooks: case, spaces, invisible signs, look-alikes."""
    seen = unicodedata.normalize("NFKC", text).casefold()
    return "".join(c for c in seen if c.isprintable() and not c.isspace())


def nearest(word: str, known: Iterable[str]) -> str:
    """A guess at what was meant, or nothing."""
    by_key = {squashed(name): name for name in known}
    near = difflib.get_close_matches(squashed(word)[:100], by_key, 1, 0.7)
    return f"did you mean {one_line(by_key[near[0]])}?" if near else ""


def unprintable(c: str) -> bool:
    """Control characters, halves of pairs, and what Unicode says is no character."""
    return unicodedata.category(c) in ("Cc", "Cs") or ord(c) & 0xFFFE == 0xFFFE
