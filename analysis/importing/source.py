"""One file in one form: every cell as text, every column with what it means beside the others.

Row numbers are those that a user sees on opening the file: the header is row 1.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from .meaning import Cells, Column, Variable, event_in_words
from .words import OUTCOMES, STEMS, WORDS, about, stem


@dataclass(frozen=True)
class Source:
    """One file. `text` has its cells as text, blank where missing; the index is the file's rows.

    `options` says how it was read, with the keys that `source` of a mapping may have. `blanked`
    has the codes for missing that were left blank, by column and row; `notes` are lines on what
    was left out or is not as it seems. `loose` is a file whose cells have no types. `places` has
    the rows of the cells of a column that was folded.
    """

    text: pd.DataFrame
    variables: dict[str, Variable]
    options: dict[str, Any]
    loose: bool = False
    blanked: dict[str, pd.Series] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    places: dict[str, list[int | None]] = field(default_factory=dict)
    file: str = ""
    form: str = ""
    sha256: str = ""
    _columns: dict[str, Column] = field(default_factory=dict, init=False, repr=False)

    def __getitem__(self, name: str) -> Column:
        """A column, and what it means."""
        if name not in self._columns:
            variable = self.variables[name]
            self._columns[name] = Column(variable, self.text[name], self.form)
        return self._columns[name]

    def __iter__(self) -> Iterator[Column]:
        return (self[name] for name in self.text)

    def cells(self, column: str) -> Cells:
        """The cells of a column with their places."""
        texts = self.text[column]
        rows = self.places.get(column, texts.index.tolist())
        return Cells(self.file, column, rows, texts.tolist())

    def candidates(self, stems: Iterable[str]) -> list[str]:
        """Columns with one of these meanings by name, else by label; in their order."""
        order = {said: rank for rank, said in reversed([*enumerate(stems)])}
        by_name = {column.name: column.names for column in self}
        by_label = {column.name: {stem(column.label)} for column in self}
        for meanings in (by_name, by_label):
            ranks = {
                column: [order[said] for said in words if said in order]
                for column, words in meanings.items()
            }
            if found := [column for column in ranks if ranks[column]]:
                return sorted(found, key=lambda column: min(ranks[column]))
        return []

    def ids(self) -> list[str]:
        """Columns that may name the patient: first the one that is unique, but for R's rows."""
        found = self.candidates(STEMS["patient_id"])
        if not found or self[found[0]].filled.is_unique:
            return found
        unique = [c for c in found[1:] if self[c].filled.is_unique and c != "row_names"]
        return [*unique[:1], *(c for c in found if c not in unique[:1])]

    def clocks(self, columns: Iterable[str], zero: str = "") -> str:
        """The clocks of some durations where they are not one, as in `a from diagnosis, b from x`.

        `zero` is day 0 in words, from which the dates count. Blank where there is one clock.
        """
        said = {column: words for column in columns if (words := self[column].clock)}
        if zero:
            said["the dates"] = event_in_words(zero)
        parts = [set(words.split()) for words in said.values()]
        one = all(a <= b or b <= a for a in parts for b in parts)
        return "" if one else ", ".join(f"{column} from {words}" for column, words in said.items())

    def about_death(self) -> list[str]:
        """Columns that may say whether a patient died."""
        return self.candidates((*WORDS["asks_death"], *WORDS["status"]))

    def disputes(self, column: str, died: list[str]) -> dict[str, tuple[int, int]]:
        """Other columns that say the contrary of who died: of how many, of how many both say.

        `died` is yes, no or blank for each patient.
        """
        found = {}
        for other in self.about_death():
            pairs = zip(died, self[other].deaths, strict=False)
            apart = [a != b for a, b in pairs if a and b]
            if other != column and any(apart):
                found[other] = sum(apart), len(apart)
        return found

    def undecided(self, column: str, died: list[str]) -> dict[str, list[str]]:
        """Codes of other columns about death, not known, that stand beside dead and living."""
        found = {}
        for other in self.about_death():
            if other != column and self[other].may_be_status and not self[other].deaths:
                pairs = dict.fromkeys(zip(self.text[other], died, strict=True))
                both = [a for a, word in pairs if a and word == "no" and (a, "yes") in pairs]
                found |= {other: both} if both else {}
        return found

    def partners(self, stems: Iterable[str], columns: list[str], taken: Iterable[str]) -> list[str]:
        """Columns that may say whether the event of a day happened: `relapse` of `relapse_days`.

        They are about the same by name or label, or stand right after it and are called `status`.
        """
        # Whatever the day is called, and what its label says.
        said = {column.name: column.about | about(column.label) for column in self}
        same = {*stems}.union(*(said[column] for column in columns))
        after = {column for day, column in itertools.pairwise(self.text) if day in columns}
        bare = {column.name for column in self if column.normal in WORDS["bare_status"]}
        rest = [c for c in self if c.may_be_status and c.name not in {*taken, *columns}]
        return [c.name for c in rest if said[c.name] & same or c.name in after & bare]

    def pairs(self, taken: Iterable[str]) -> dict[str, list[str]]:
        """Times to an event with the columns that may be their status, as `pfs_months`, `pfs`.

        Their names are about the same, or a letter apart, as `ptime` and `pstat`, `t1` and `d1`.
        What a bare `time` is about nobody knows, and of a bare `status` the time beside it.
        """
        names, found, taken = [*self.text], {}, {*taken}
        for column in (self[name] for name in names if name not in taken):
            known = column.about & {*OUTCOMES}
            earlier = {*column.normal.split("_")} & {*WORDS["earlier"]}
            if not (column.is_time or known) or not column.is_day or column.is_bare or earlier:
                continue
            flags = self.partners((), [column.name], taken)
            flags = [flag for flag in flags if known or not self[flag].is_bare]
            rest = {c.short: c.name for c in self if c.may_be_status and c.name not in taken}
            beside = names[names.index(column.name) + 1 :][:1]
            if not flags and column.short:
                flags = [rest[column.short]] if column.short in rest else []
            if not flags and column.short and beside and self[beside[0]].may_be_status:
                flags = beside if beside[0].lower().startswith(column.short) else []
            flags = [flag for flag in flags if flag not in taken]
            found |= {column.name: flags} if flags else {}
        return found


def mostly(count: int, of: int) -> bool:
    """True where so many of the rows that can be compared disagree that one reading is wrong."""
    return count > 0 and 2 * count >= of
