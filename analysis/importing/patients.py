"""The columns of patients.csv, made from a file as its mapping says."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

from ..dataset.cells import NUMBER
from ..dataset.columns import RESERVED
from ..dataset.problems import DataError, Problem, raise_any
from . import adam
from .dates import KINDS, UNITS
from .endpoints import ENTRY, declared, longest
from .guesses import DAYS
from .mapping import at, columns_of, consumed, in_line, reserved_columns
from .meaning import Cells
from .outcomes import coded_deaths, happened, recorded_days, recorded_deaths
from .own import identifies
from .reading import Reading, Unfit, number, shortest
from .source import Source
from .words import PATTERNS, sentence


class Maker(Reading):
    """One import on its way: the files, their mapping, and what is made of them."""

    def __init__(self, source: Source, times: adam.Times | None, told: dict[str, Any]) -> None:
        super().__init__(source, told)
        self.times = self._times(times) if times else None
        self.ids = self._ids()
        self.find_origins()

    def make(self) -> None:
        """Every column, in the order of patients.csv."""
        own, used_up = self.told["columns"] or {}, consumed(self.told)
        self._patient_id()
        for column, entry in own.items():
            if column not in used_up:
                self._own(column, entry)
        days = [*DAYS[1:], *(name for name in self.reserved if name not in RESERVED), DAYS[0]]
        for name in (name for name in days if name in self.reserved):
            self._day(name, self.reserved[name])
        self._died()
        self.endpoints = declared(self)
        left_out = {**(self.told.get("dropped") or {}), **used_up}
        used = {*reserved_columns(self.told), self.dates.get("origin")} - {*own}
        self.dropped |= {column: why for column, why in left_out.items() if column not in used}

    def _ids(self) -> list[str]:
        """The patients as the file names them, blank where no column does."""
        column = self.reserved["patient_id"].get("column")
        if not column:
            if self.times is not None:
                raise DataError([at("reserved.patient_id", "that of USUBJID", "no column")])
            return [""] * len(self.source.text)
        cells = self.source.cells(column)
        for place, text in enumerate(cells.texts):
            if PATTERNS["sums"].fullmatch(text.strip()):
                expected = sentence("sum", column=in_line(column), text=in_line(text))
                self.problems.append(cells.problem(place, expected))
        raise_any(self.problems)
        return cells.texts

    def _patient_id(self) -> None:
        entry, ids = self.reserved["patient_id"], self.ids
        column, rows = entry.get("column"), self.source.text.index.tolist()
        cells = Cells(self.source.file, column or "patient_id", rows, ids)
        said = f"from {column}, as it is"
        if entry.get("new_ids") == "true" or not column:
            if column:
                self.each(cells, _filled)
            width = max(3, len(str(len(ids))))
            ids = [f"P{number:0{width}d}" for number in range(1, len(ids) + 1)]
            said = f"{f'from {column}' if column else 'of no column'}, numbered anew"
        limits = {"required": True, "unique": True}
        self.add("patient_id", (ids, cells, said), type="string", constraints=limits)

    def _day(self, name: str, entry: dict[str, Any]) -> None:
        if entry.get("column") == "":
            cells = Cells(self.source.file, name, self.source.text.index.tolist(), longest(self))
            made = cells.texts, cells, sentence("longest")
        elif "paramcd" in entry:
            last = name == "last_contact_day"
            made = recorded_days(self, name, self._parameter(entry["paramcd"], required=last))
        else:
            values, cells, said = self._counted(name, entry)
            if name not in (DAYS[0], DAYS[-1], ENTRY):
                values, said = happened(self, name, values, said)
            made = values, cells, said
        whole = all(re.fullmatch(r"-?\d*", value) for value in made[0])
        limits = {"minimum": 0} | ({"required": True} if name == "last_contact_day" else {})
        self.add(name, made, type="integer" if whole else "number", constraints=limits)

    def _counted(self, name: str, entry: dict[str, Any]) -> tuple[list[str], Cells, str]:
        """Days of one column, or of the first of several that is not blank."""
        columns = columns_of(entry)
        how = entry.get("as") or self.source[columns[0]].unit
        if how is None:
            raise DataError([at(self.place(name), f"one of {', '.join(KINDS)}", "no as")])
        values, cells = [""] * len(self.ids), self.source.cells(columns[-1])
        for column in columns:
            days = self.days(self.source.cells(column), how)
            values = [old or new for old, new in zip(values, days, strict=True)]
            self._doubt(name, column, how)
        if len(columns) > 1:
            cells = Cells(cells.file, ", ".join(columns), cells.rows, values)
        if starts := self.source.clocks(columns):
            self.notes.append("  " + sentence("two_clocks", name=name, starts=starts))
        origin = f"; day 0 is {self.dates.get('origin')}" if how not in UNITS else ""
        return values, cells, f"from {', else '.join(columns)} ({how}{origin})"

    def _doubt(self, name: str, column: str, how: str) -> None:
        """What speaks against the unit of a column: a line, and maybe the cause of problems."""
        if doubt := self.source[column].against(how):
            where = f"{column} as {how}"
            self.notes.append(f"  {name}: {where}: {doubt}")
            if how != "days":  # else the problems say it
                self.doubts.append(Problem(self.source.file, column=where, expected=doubt))

    def _died(self) -> None:
        entry = self.reserved.get("died", {})
        code = entry.get("paramcd") or self.reserved["last_contact_day"].get("paramcd")
        if "column" not in entry and code is None:
            if self.told["endpoints"] and not self._asks_who_died():
                return
            raise DataError([at("reserved", "its column", "no died")])
        if "column" in entry:
            made = coded_deaths(self, entry)
        else:
            parameter = self._parameter(code, required=True)
            made = recorded_deaths(self, self.times, parameter, self.ids)
        limits = {"required": True, "enum": ["yes", "no"]}
        self.add("died", made, type="string", constraints=limits)

    def _asks_who_died(self) -> bool:
        plans = [plan for plan in self.told["endpoints"].values() if plan.get("events") != ["died"]]
        return any("died" in [*p.get("events", []), *p.get("competing", [])] for p in plans)

    def _times(self, times: adam.Times) -> adam.Times:
        """The records as the mapping says that they are read."""
        told = self.told.get("adtte") or {}
        if "event" not in told and (against := times.contradictions()):
            ask = "the CNSR of an event, 0 or 1"
            raise DataError([at("adtte", ask, "no event", against)])
        read = {"unit": times.guessed_unit()[0], "lengths": self.lengths} | told
        found = replace(times, **read)
        self.problems += found.problems() if "aval" not in told else []
        self.notes.append(f"  days of {times.source.file}: {found.rule()}")
        return found

    def _parameter(self, code: str, required: bool) -> adam.Parameter:
        if self.times is None:
            raise DataError([at("reserved", f"names the parameter {code}; give --adtte FILE")])
        start = self.reserved["last_contact_day"].get("paramcd", code)
        return self.times.parameter(code, self.ids, start, required)

    def _own(self, column: str, entry: dict[str, Any]) -> None:
        if why := identifies(self.source[column]):
            self.dropped[column] = why
            return
        name, cells, kind = entry.get("name") or column, self.source.cells(column), entry["type"]
        if name in RESERVED:
            expected = f"{name} is a reserved name; give another name"
            self.problems.append(at(f"columns, {column}", expected))
            return
        field = {"title": entry.get("title") or column, "description": entry.get("description")}
        if kind == "string":
            values, levels = self._levels(cells, entry)
            field |= {"type": "string", "constraints": {"enum": levels}}
        elif kind in ("number", "integer"):
            values = self.each(cells, number)
            field |= {"type": kind, "constraints": self._limits(column, entry)}
        else:
            values = self.days(cells, kind, before=True)
            field |= {"type": "integer"}
        field = {key: value for key, value in field.items() if value}
        self.add(name, (values, cells, ""), **field)

    def _levels(self, cells: Cells, entry: dict[str, Any]) -> tuple[list[str], list[str]]:
        """Codes as their labels. A label stands for itself, as in an export of labels."""
        levels = entry.get("levels") or sorted(set(filter(None, cells.texts)))
        if isinstance(levels, list):
            levels = dict(zip(levels, levels, strict=True))
        words = {**{label: label for label in levels.values()}, **levels, "": levels.get("", "")}

        def labelled(text: str) -> str:
            if text not in words:
                raise Unfit(f"one of {', '.join(levels)}")
            return words[text]

        enum = list(dict.fromkeys(label for label in levels.values() if label))
        return self.each(cells, labelled), enum

    def _limits(self, column: str, entry: dict[str, Any]) -> dict[str, float]:
        limits = {}
        for key in (key for key in ("minimum", "maximum") if key in entry):
            if NUMBER.fullmatch(entry[key]):
                limits[key] = json.loads(shortest(entry[key]))
            else:
                place = f"columns, {column}, {key}"
                self.problems.append(at(place, "a number", f'"{entry[key]}"'))
        return limits


def _filled(text: str) -> str:
    if not text:
        raise Unfit("a value")
    return text
