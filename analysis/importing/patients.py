"""The columns of patients.csv, made from a file as its mapping says."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pandas as pd

from ..dataset.cells import NUMBER
from ..dataset.columns import EVENT_DAYS, RESERVED
from ..dataset.problems import DataError, Problem, raise_any
from . import adam, meaning
from .dates import EPOCHS, KINDS, UNITS, day_counted, looks_like_date, needs_century, needs_order
from .files import Cells, Source, plain
from .guesses import DAYS
from .mapping import (
    MAPPING,
    NO_STATUS,
    absent,
    at,
    columns_of,
    consumed,
    in_line,
    reads_dates,
    reserved_columns,
)
from .own import identifies
from .words import STEMS, SUMS, counted, stem


@dataclass
class Column:
    """One column of patients.csv: its values as text, where they are from, its field."""

    values: list[str]
    cells: Cells
    field: dict[str, Any]
    said: str  # how it was made, for the report


@dataclass
class Made:
    """What an import makes before it is written, with every problem found on the way."""

    columns: dict[str, Column] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    dropped: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    doubts: list[Problem] = field(default_factory=list)  # what may be the cause of problems


class Unfit(ValueError):
    """A cell that cannot be read: what is expected of it, and that without a patient's values."""


class Maker:
    """One import on its way: the files, their mapping, and what is made of them."""

    def __init__(self, source: Source, times: Source | None, told: dict[str, Any]) -> None:
        self.source, self.told, self.reserved = source, told, told["reserved"]
        self.dates, self.read_date = told.get("dates") or {}, reads_dates(told)
        self.made = Made()
        month = told["analysis"].get("days_per_month")
        self.lengths = UNITS | ({"months": month} if isinstance(month, (int, float)) else {})
        self.times = self._times(times) if times else None
        self.ids = self._ids()
        self.origins = self._origins() if self.dates.get("origin") else None

    def make(self) -> Made:
        """Every column, in the order of patients.csv."""
        made, own, used_up = self.made, self.told["columns"] or {}, consumed(self.told)
        self._patient_id()
        for column, entry in own.items():
            if column not in used_up:
                self._own(column, entry)
        for name in (name for name in RESERVED if name in DAYS and name in self.reserved):
            self._day(name, self.reserved[name])
        self._died()
        left_out = {**(self.told.get("dropped") or {}), **used_up}
        used = {*reserved_columns(self.told), self.dates.get("origin")} - {*own}
        made.dropped |= {column: why for column, why in left_out.items() if column not in used}
        return made

    def _add(self, name: str, values: list[str], cells: Cells, said: str, **field: Any) -> None:
        if name in self.made.columns:
            self.made.problems.append(at("columns", f"{name} would be made twice; give a name"))
        title = field.pop("title", None)
        title = title or self.reserved.get(name, {}).get("title") or RESERVED.get(name)
        self.made.columns[name] = Column(
            values, cells, {"name": name, "title": title, **field}, said
        )

    def _each(self, cells: Cells, read: Callable[..., Any], *others: list[Any]) -> list[Any]:
        """What every cell says; blank, and a problem, where it cannot be read."""
        found = []
        for place, (text, *more) in enumerate(zip(cells.texts, *others, strict=True)):
            try:
                found.append(read(text, *more))
            except Unfit as error:
                found.append("")
                self.made.problems.append(cells.problem(place, *error.args))
        return found

    # -- the patients

    def _ids(self) -> list[str]:
        """The patients as the file names them, blank where no column does."""
        column = self.reserved["patient_id"].get("column")
        if not column:
            if self.times is not None:
                raise DataError([at("reserved.patient_id", "that of USUBJID", "no column")])
            return [""] * len(self.source.text)
        cells = self.source.cells(column)
        for place, text in enumerate(cells.texts):
            if SUMS.fullmatch(text.strip()):  # of no patient, but of all rows, as at a sheet's end
                out = f"rows: {{column: {in_line(column)}, not: [{in_line(text)}]}}"
                expected = f"a patient; {out} in {MAPPING} leaves the row out"
                self.made.problems.append(cells.problem(place, expected))
        raise_any(self.made.problems)
        return cells.texts

    def _patient_id(self) -> None:
        entry, ids = self.reserved["patient_id"], self.ids
        column = entry.get("column")
        cells = Cells(
            self.source.file, column or "patient_id", self.source.text.index.tolist(), ids
        )
        said = f"from {column}, " if column else "of no column, "
        if entry.get("new_ids") == "true" or not column:
            if column:
                self._each(cells, _filled)
            width = max(3, len(str(len(ids))))
            ids = [f"P{number:0{width}d}" for number in range(1, len(ids) + 1)]
            said += "numbered anew"
        else:
            said += "as it is"
        limits = {"required": True, "unique": True}
        self._add("patient_id", ids, cells, said, type="string", constraints=limits)

    # -- days

    def _day(self, name: str, entry: dict[str, Any]) -> None:
        if "paramcd" in entry:
            values, cells, said = self._recorded(name, entry["paramcd"])
        else:
            values, cells, said = self._counted(name, entry)
            if name in EVENT_DAYS:
                values, said = self._happened(name, entry, values, said)
        whole = all(re.fullmatch(r"-?\d*", value) for value in values)
        limits = {"minimum": 0} | ({"required": True} if name == "last_contact_day" else {})
        kind = "integer" if whole else "number"
        self._add(name, values, cells, said, type=kind, constraints=limits)

    def _counted(self, name: str, entry: dict[str, Any]) -> tuple[list[str], Cells, str]:
        """Days of one column, or of the first of several that is not blank."""
        columns, made = columns_of(entry), self.made
        how = entry.get("as") or meaning.counted_as(self.source, columns[0])
        if how is None:
            raise DataError([at(f"reserved.{name}", f"one of {', '.join(KINDS)}", "no as")])
        values, cells = [""] * len(self.ids), self.source.cells(columns[-1])
        for column in columns:
            one = self.source.cells(column)
            days = self._days(one, how)
            values = [old or new for old, new in zip(values, days, strict=True)]
            if len(columns) > 1:
                cells = Cells(one.file, ", ".join(columns), one.rows, values)
            if doubt := meaning.implausible(self.source, column, how):
                made.notes.append(f"  {name}: {column} as {how}: {doubt}")
                if how != "days":  # else the problems say it
                    where = f"{column} as {how}"
                    made.doubts.append(Problem(one.file, column=where, expected=doubt))
        if told := meaning.clocks(self.source, columns):
            starts = ", ".join(f"{column} from {words}" for column, words in told.items())
            made.notes.append(f"  {name}: two clocks are taken for one: {starts}")
        origin = f"; day 0 is {self.dates.get('origin')}" if how not in UNITS else ""
        return values, cells, f"from {', else '.join(columns)} ({how}{origin})"

    def days_said(self, column: str, how: str | None) -> pd.Series:
        """The days of a column, for a comparison; missing where it does not say them."""
        kept, self.made = self.made, Made()
        days = [""] * len(self.ids)
        if how in UNITS or (how and self.origins):
            days = self._days(self.source.cells(column), how, before=True)
        self.made = kept
        return pd.to_numeric(pd.Series(days), errors="coerce")

    def _days(self, cells: Cells, how: str, before: bool = False) -> list[str]:
        """Cells as days from day 0. `before`: whether a day before it is allowed."""

        def of_number(text: str) -> str:
            found = meaning.with_unit(text)  # 12 mo, where months are asked for
            text = found[0] if found and found[1] == how else text
            if text and not NUMBER.fullmatch(text):
                raise Unfit(f"a number of {how}, with a point for decimals")
            if how == "days" or not text:
                return str(int(text)) if re.fullmatch(r"\d+", text) else shortest(text)
            return plain(float(text) * self.lengths[how])

        def of_date(text: str, zero: date | None) -> str:
            found = self._date(text, how)
            if not found or not zero:
                return ""
            if found < zero and not before:
                expected = f"a date not before {self.dates['origin']}"
                raise Unfit(f"{expected}, {zero}", f"expected {expected}")
            return str((found - zero).days)

        if how in UNITS:
            return self._each(cells, of_number)
        if self.origins is None:
            raise DataError([at("dates", "the column of the date that is day 0", "no origin")])
        return self._each(cells, of_date, self.origins)

    def _origins(self) -> list[date | None]:
        """Day 0 of every patient."""
        column = self.dates["origin"]
        how = self.dates.get("as") or meaning.counted_as(self.source, column) or "date"

        def of_date(text: str) -> date | None:
            if not text:
                raise Unfit("a date, which is day 0 of the patient")
            return self._date(text, how)

        return self._each(self.source.cells(column), of_date)

    def _date(self, text: str, how: str) -> date | None:
        counted = how in EPOCHS and NUMBER.fullmatch(text)
        found = day_counted(float(text), how) if counted else self.read_date(text)
        if found or not text:
            return found
        order = self.dates.get("order")
        if order is None and needs_order(text) and looks_like_date(text):
            raise Unfit(f"dates.order in {MAPPING} to say which comes first, day or month")
        if "first_year" not in self.dates and needs_century(text):
            raise Unfit(f"a year of four digits, or dates.first_year in {MAPPING}")
        raise Unfit(
            f"a date ({order}), such as 2021-03-04" if order else "a date such as 2021-03-04"
        )

    # -- whether it happened

    def _happened(
        self, name: str, entry: dict[str, Any], days: list[str], said: str
    ) -> tuple[list[str], str]:
        """The days of an event only where its status says that it happened."""
        column, place, made = entry.get("status"), f"reserved.{name}", self.made
        if column is None:
            self._ask_status(name, entry, days)
        if column in (None, NO_STATUS):
            return days, said
        raise_any(absent(self.source, [column], f"{place}.status"))
        guess = meaning.event_codes(self.source, column) or (None, None)
        yes, no = entry.get("happened") or guess[0], entry.get("not_happened") or guess[1]
        if yes is None or no is None:
            expected = "happened and not_happened with the codes of its status"
            hint = f"{column} has {meaning.found_codes(self.source, column)}"
            raise DataError([at(place, expected, "no codes", hint)])
        words = self._worded(self.source.cells(column), yes, no)
        left_out = sum(bool(day) and word == "no" for day, word in zip(days, words, strict=True))
        undated = sum(not day and word == "yes" for day, word in zip(days, words, strict=True))
        if left_out and undated > (dated := words.count("yes") - undated):
            expected = (
                f"{undated} of {counted(undated + dated, 'patient')} where {column} says yes have "
                f"no day, and {left_out} where it says no have one; are happened and not_happened "
                f"the wrong way round? status: {NO_STATUS} takes the days as they are"
            )
            made.problems.append(at(place, expected))
        for count, what in (
            (left_out, f"with a day although {column} says no: left blank"),
            (undated, f"without a day although {column} says yes: counted as without the event"),
        ):
            if count:
                made.notes.append(f"  {name}: {counted(count, 'patient')} {what}")
        kept = [day if word == "yes" else "" for day, word in zip(days, words, strict=True)]
        return kept, f"{said}, where {column} is {', '.join(yes)}"

    def _ask_status(self, name: str, entry: dict[str, Any], days: list[str]) -> None:
        """Where another column may contradict the days of an event, the mapping has to say it."""
        used = {c for part in self.reserved.values() for c in columns_of(part)}
        found = meaning.partners(self.source, name, columns_of(entry), used)
        found = [c for c in found if not meaning.agree(days, self.source.text[c].tolist())]
        if found:
            expected = "the column that says whether it happened, with happened and not_happened, "
            values = "; ".join(f"{c} has {meaning.found_codes(self.source, c)}" for c in found)
            problem = at(
                f"reserved.{name}", f"{expected}or status: {NO_STATUS}", "no status", values
            )
            self.made.problems.append(problem)

    def _worded(self, cells: Cells, yes: list[str], no: list[str]) -> list[str]:
        """Codes as yes and no; `*` stands for any other value that is not blank."""
        words = {**dict.fromkeys(no, "no"), **dict.fromkeys(yes, "yes")}

        def worded(text: str) -> str:
            word = words.get(text) or (words.get("*") if text else None)
            if word is None:
                raise Unfit(f"one of {', '.join([*yes, *no])}")
            return word

        return self._each(cells, worded)

    # -- death

    def _died(self) -> None:
        entry = self.reserved.get("died", {})
        code = entry.get("paramcd") or self.reserved["last_contact_day"].get("paramcd")
        if "column" not in entry and code is None:
            raise DataError([at("reserved", "its column", "no died")])
        coded = "column" in entry
        values, cells, said = self._coded(entry) if coded else self._recorded_deaths(code, entry)
        limits = {"required": True, "enum": ["yes", "no"]}
        self._add("died", values, cells, said, type="string", constraints=limits)

    def _coded(self, entry: dict[str, Any]) -> tuple[list[str], Cells, str]:
        """Yes and no by the codes of the mapping; `*` stands for any other value."""
        cells, place, made = self.source.cells(entry["column"]), "reserved.died", self.made
        guess = meaning.death_codes(self.source, cells.column) or (None, None)
        dead, alive = entry.get("dead") or guess[0], entry.get("alive") or guess[1]
        if dead is None or alive is None:
            has = f"{cells.column} has {meaning.found_codes(self.source, cells.column)}"
            raise DataError([at(place, "dead and alive", "no codes", has)])
        values = self._worded(cells, dead, alive)
        self._dates_of_death(cells, values)
        for other, (count, of) in meaning.disputes(self.source, cells.column, values).items():
            if meaning.mostly(count, of) and other not in entry.get("although", []):
                expected = (
                    f"{other} says otherwise of {count} of {counted(of, 'patient')}; are dead and "
                    f"alive the wrong way round? although: {in_line([other])} says that they are "
                    "right"
                )
                made.problems.append(at(place, expected))
            told = f"{other} says otherwise of {counted(count, 'patient')}"
            made.notes.append(f"  died: {told}")
        for other, both in meaning.undecided(self.source, cells.column, values).items():
            told = f"{', '.join(both)} of {other} stands beside dead and living"
            made.notes.append(f"  died: {told}; does it say otherwise?")
        codes = "; ".join(
            f"{word} is {', '.join(c or 'blank' for c in part)}"
            for word, part in (("yes", dead), ("no", alive))
        )
        return values, cells, f"from {cells.column} ({codes})"

    def _dates_of_death(self, cells: Cells, values: list[str]) -> None:
        """A date of death makes a death; a death without one is counted at the last contact."""
        first, *others = columns_of(self.reserved["last_contact_day"])
        if not others or stem(first) not in STEMS["death"]:
            return
        days = self.source.text[first].tolist()
        for place, (day, died) in enumerate(zip(days, values, strict=True)):
            if day and died == "no":
                self.made.problems.append(cells.problem(place, f"a death, as {first} has {day}"))
        undated = sum(died == "yes" and not day for day, died in zip(days, values, strict=True))
        if undated:
            taken = "the last contact is taken for it"
            self.made.notes.append(f"  died: {undated} of them without {first}; {taken}")

    # -- the parameters of ADaM

    def _times(self, times: Source) -> adam.Times:
        told = self.told.get("adtte") or {}
        if "event" not in told and (against := adam.contradictions(times)):
            ask = "the CNSR of an event, 0 or 1"
            raise DataError([at("adtte", ask, "no event", against)])
        unit = told.get("unit") or adam.guessed_unit(times)[0]
        aval, event = told.get("aval", adam.AS_IS), told.get("event", "0")
        found = adam.Times(times, unit, self.lengths["months"], aval, event)
        if "aval" not in told:
            self.made.problems += found.problems()
        self.made.notes.append(f"  days of {times.file}: {found.rule()}")
        return found

    def _parameter(self, code: str, required: bool) -> adam.Parameter:
        if self.times is None:
            raise DataError([at("reserved", f"names the parameter {code}; give --adtte FILE")])
        start = self.reserved["last_contact_day"].get("paramcd", code)
        return self.times.parameter(code, self.ids, start, required)

    def _recorded(self, name: str, code: str) -> tuple[list[str], Cells, str]:
        """Days of a parameter of ADTTE: all for the last contact, else those of events."""
        last = name == "last_contact_day"
        parameter = self._parameter(code, required=last)
        self.made.problems += parameter.problems
        if last:
            return parameter.days, parameter.cells, f"from {code} of {parameter.cells.file}"
        rows = list(zip(parameter.days, parameter.events, parameter.deaths, strict=True))
        if count := sum(event and died for _, event, died in rows):
            what = f"{counted(count, 'event')} of {code} by EVNTDESC a death: left blank"
            self.made.notes.append(f"  {name}: {what}")
        values = [day if event and not died else "" for day, event, died in rows]
        rule = f"where CNSR is {self.times.event}"
        return values, parameter.cells, f"from {code} of {parameter.cells.file}, {rule}"

    def _recorded_deaths(self, code: str, entry: dict[str, Any]) -> tuple[list[str], Cells, str]:
        """The events of a parameter as deaths, where it says so and the flag of death agrees.

        `dead` and `alive` of the mapping are codes of CNSR, and say it against all doubts.
        """
        parameter, event = self._parameter(code, required=True), self.times.event
        values = ["yes" if event else "no" for event in parameter.events]
        flags = [text.upper()[:1] for text in adam.of_patients(self.source, "DTHFL")]
        told, dated = "dead" in entry, adam.of_patients(self.source, "DTHDT")
        if told and entry["dead"] != [event]:
            expected = f'["{event}"]: with paramcd it is the CNSR of an event'
            raise DataError([at("reserved.died.dead", expected, in_line(entry["dead"]))])
        pairs = list(zip(values, flags, strict=False))
        wrong = [n for n, (died, flag) in enumerate(pairs) if died == "yes" and flag != "Y"]
        later = sum(died == "no" and flag == "Y" for died, flag in pairs)
        ends = zip(values, parameter.ends, map(adam.as_day, dated), strict=False)
        apart = sum(died == "yes" and bool(a and b) and a != b for died, a, b in ends)
        if not (told or (pairs and not wrong and not later) or self.times.is_of_death(code)):
            words = adam.described(self.times.source)[code]
            expected = (
                f'nothing says that the events of {code} ("{words}") are deaths; expected the '
                "column of death, as in column: DTHFL, or, where they are, paramcd with dead: "
                f'["{event}"]'
            )
            raise DataError([at("reserved.died", expected)])
        for place in [] if told else wrong:
            patient = self.ids[place]
            flag = f'none, as DTHFL of {self.source.file} says no death of "{patient}"'
            row, file = parameter.cells.rows[place], parameter.cells.file
            problem = Problem(file, row, "CNSR", f"an event of {code}", flag)
            self.made.problems.append(problem)
        for count, what in (
            (len(wrong), f"with an event of {code} although DTHFL says no death"),
            (later, f"with a death by DTHFL, and no event of {code}: counted as alive"),
            (apart, f"with another day of death by DTHDT than by ADT of {code}, which is taken"),
        ):
            if count:
                self.made.notes.append(f"  died: {counted(count, 'patient')} {what}")
        said = f"from {code} of {parameter.cells.file}: yes where CNSR is {event}"
        return values, parameter.cells, said

    # -- the dataset's own columns

    def _own(self, column: str, entry: dict[str, Any]) -> None:
        if why := identifies(self.source, column):
            self.made.dropped[column] = why
            return
        name, cells, kind = entry.get("name") or column, self.source.cells(column), entry["type"]
        if name in RESERVED:
            expected = f"{name} is a reserved name; give another name"
            self.made.problems.append(at(f"columns, {column}", expected))
            return
        more: dict[str, Any] = {"title": entry.get("title") or column}
        if entry.get("description"):
            more["description"] = entry["description"]
        if kind == "string":
            values, levels = self._levels(cells, entry)
            more |= {"type": "string", "constraints": {"enum": levels}}
        elif kind in ("number", "integer"):
            limits = self._limits(column, entry)
            values = self._each(cells, _number)
            more |= {"type": kind} | ({"constraints": limits} if limits else {})
        else:
            values = self._days(cells, kind, before=True)
            more |= {"type": "integer"}
        self._add(name, values, cells, "", **more)

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
        return self._each(cells, labelled), enum

    def _limits(self, column: str, entry: dict[str, Any]) -> dict[str, float]:
        limits = {}
        for key in ("minimum", "maximum"):
            if key in entry and not NUMBER.fullmatch(entry[key]):
                place = f"columns, {column}, {key}"
                self.made.problems.append(at(place, "a number", f'"{entry[key]}"'))
            elif key in entry:
                limits[key] = json.loads(shortest(entry[key]))
        return limits


def _filled(text: str) -> str:
    if not text:
        raise Unfit("a value")
    return text


def _number(text: str) -> str:
    if text and not NUMBER.fullmatch(text):
        raise Unfit("a number, with a point for decimals")
    return shortest(text)


def shortest(text: str) -> str:
    """A number at the precision of the file, without a useless `.0`, `+` or leading zeros."""
    if text == "" or re.fullmatch(r"-?(0|[1-9]\d*)", text):
        return text
    value = float(text)
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else str(value)
