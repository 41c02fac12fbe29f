"""Times to events of CDISC ADaM: the records of ADTTE as one column of days a parameter."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import pandas as pd

from ..dataset.cells import NUMBER
from ..dataset.problems import DataError, Problem, quoted, raise_any
from .dates import ORDERS, UNITS, as_date, day_counted
from .meaning import Cells
from .reading import plain
from .source import Source, mostly
from .words import PATTERNS, counted, sentence, units_in

# Where the days of a record come from, as `adtte: unit:` of the mapping says it.
FROM_UNIT_COLUMN = "AVALU"
FROM_DATES = "ADT-STARTDT"
ONE = "one record a patient"
MOST_EVENTS = 3  # different descriptions of the events of one parameter
AS_IS, ONE_FEWER = "as_is", "one_fewer"  # what becomes of AVAL, as `adtte: aval:` says it
_REQUIRED = ("USUBJID", "PARAMCD", "CNSR")
_OPTIONAL = ("AVAL", "AVALU", "ADT", "STARTDT", "EVNTDESC", "CNSDTDSC")
_NONE = dict.fromkeys((*_REQUIRED, *_OPTIONAL), "")  # the record of a patient who has none


@dataclass(frozen=True)
class Parameter:
    """One parameter of ADTTE, one entry a patient in the order of the patients.

    `days` from day 0 as text, blank where there is no record; `events` where CNSR is `event`;
    `deaths` where EVNTDESC says that the event is a death; `censored` are the CNSR as they are;
    `ends` are the dates of ADT.
    """

    code: str
    event: str
    cells: Cells
    days: list[str]
    events: list[bool]
    deaths: list[bool]
    censored: list[str]
    ends: list[date | None]
    problems: list[Problem]


class Unread(ValueError):
    """A cell of a record that cannot be read: its column, its text and what is expected."""


@dataclass(frozen=True)
class Times:
    """An ADTTE file under the names of the standard, and how it is read.

    `unit` is a unit, AVALU or ADT-STARTDT; `lengths` are the days of each unit. `aval` says whether
    AVAL stays as it is, or one day is taken off it because the standard counts the day of the start
    as day 1. `event` is the CNSR of an event: 0, as the standard has it, or 1.
    """

    source: Source
    unit: str = "?"
    lengths: dict[str, float] = field(default_factory=lambda: UNITS)
    aval: str = AS_IS
    event: str = "0"

    @cached_property
    def records(self) -> dict[int, dict[str, str]]:
        """The records by their rows."""
        return self.source.text.to_dict("index")

    @cached_property
    def described(self) -> dict[str, str]:
        """The parameters by their codes, with what the file says they are."""
        return dict(zip(self.source.text["PARAMCD"], self.source.text["PARAM"], strict=True))

    def of(self, code: str) -> pd.DataFrame:
        """The records of one parameter."""
        return self.source.text[self.source.text["PARAMCD"] == code]

    def unpaired(self, code: str, ids: Iterable[str]) -> list[Problem]:
        """The records of a parameter that are one too many, and those of `ids` who have none."""
        of, file = self.of(code)["USUBJID"], self.source.file
        found = [
            Problem(file, row, "USUBJID", f"{quoted(patient)} again with PARAMCD {code}", ONE)
            for row, patient in of[of.duplicated()].items()
        ]
        hint, known = "`rows` in import.yaml says which patients to import", {*of}
        for patient in [one for one in ids if one not in known]:
            none = f"no record of {quoted(patient)} with PARAMCD {code}"
            found.append(Problem(file, found=none, expected="one a patient", hint=hint))
        return found

    def starts(self, code: str) -> dict[str, date]:
        """STARTDT of one parameter by patient, where it is a date."""
        pairs = zip(self.of(code)["USUBJID"], self.of(code)["STARTDT"], strict=True)
        return {patient: day for patient, text in pairs if (day := as_date(text, ORDERS[0]))}

    def guessed_unit(self) -> tuple[str, str]:
        """Where days come from and why; `?` where the file does not say."""
        text = self.source.text
        units = [unit for unit in text["AVALU"] if unit]
        if units and all(map(_unit, units)):
            return FROM_UNIT_COLUMN, "the file's own column AVALU says the unit of AVAL"
        said = {*map(_unit, self.described.values())}
        if len(said) == 1 and None not in said:
            return said.pop(), "PARAM says the unit of AVAL"
        if told := self.counts_from_one("days"):
            return "days", told
        if (text[["ADT", "STARTDT"]] != "").any().all():
            return FROM_DATES, sentence("no_unit_but_dates")
        return "?", f"in which unit is AVAL? one of {', '.join(UNITS)}"

    def counts_from_one(self, unit: str) -> str:
        """What proves that AVAL counts its start as day 1, as the standard has it; else blank."""
        units = {*map(_unit, self.source.text["AVALU"])} if unit == FROM_UNIT_COLUMN else {unit}
        dated = [r for r in self.records.values() if r["AVAL"] and r["ADT"] and r["STARTDT"]]
        try:
            one_more = [float(r["AVAL"]) == _between(r, r) + 1 for r in dated]
        except ValueError:  # a cell that is no number or no date
            return ""
        proven = units == {"days"} and one_more and all(one_more)
        return sentence("counts_from_one", count=len(dated)) if proven else ""

    def contradictions(self) -> str:
        """What descriptions of events and censorings say against CNSR of 0 as the event, or blank.

        By the standard EVNTDESC describes either, and CNSDTDSC the date of a censoring alone.
        """
        text, found = self.source.text, []
        for code, part in text.groupby("PARAMCD"):
            event = part["CNSR"].map(lambda cell: _is("0", cell))
            words, why = part["EVNTDESC"].str.lower(), part["CNSDTDSC"].str.lower()
            dies, filled = words.map(_says_death), words != ""
            censored = words.str.contains(PATTERNS["censoring"])
            alone = event.any() and not filled[event].any()
            told = alone | (dies & _of_death(code, part["PARAM"].iloc[0]))
            wrong = (event & censored & ~dies) | (~event & filled & ~censored & told)
            dated = event & (why != "") & ~why.map(_says_death) & (why == "").any()
            found += [(row, "EVNTDESC") for row in part.index[wrong]]
            found += [(row, "CNSDTDSC") for row in part.index[dated]]
        if not found:
            return ""
        (row, column), count = min(found), len({row for row, _ in found})
        record = {"cnsr": text["CNSR"][row], "column": column, "words": text[column][row]}
        return sentence("contradictions", count=count, of=len(text), row=row, **record)

    def parameter(self, code: str, ids: list[str], start: str, required: bool) -> Parameter:
        """The days of one parameter, counted from STARTDT of the parameter `start`.

        One CNSR is the event, and any other a censoring, whatever its reason. With `required`
        a patient without a record is a problem.
        """
        file = self.source.file
        for named in (code, start):
            if named not in self.described:
                found, known = f"no record with PARAMCD {quoted(named)}", ", ".join(self.described)
                raise DataError([Problem(file, found=found, expected=f"one of {known}")])
        rows, zeros = ([*map(self._rows(one).get, ids)] for one in (code, start))
        problems, days = self.unpaired(code, ids if required else ()), []
        for row, zero in zip(rows, zeros, strict=True):
            try:
                days.append(self._days(self.records[row], self.records.get(zero)) if row else "")
            except Unread as error:
                column, text, expected = error.args
                problems.append(Problem(file, row, column, quoted(text), expected))
                days.append("")
        found = [self.records.get(row, _NONE) for row in rows]
        cells = Cells(file, f"AVAL of {code}", rows, [record["AVAL"] for record in found])
        events = [_is(self.event, record["CNSR"]) for record in found]
        deaths = [_says_death(record["EVNTDESC"]) for record in found]
        ends = [as_day(record["ADT"]) for record in found]
        codes = [re.sub(r"\.0+$", "", record["CNSR"]) for record in found]
        return Parameter(code, self.event, cells, days, events, deaths, codes, ends, problems)

    def rule(self) -> str:
        """How the days were made, for the report."""
        if self.unit == FROM_DATES:
            return "days are ADT - STARTDT; AVAL is not used"
        unit = "the unit of AVALU" if self.unit == FROM_UNIT_COLUMN else self.unit
        told = self.counts_from_one(self.unit) or f"AVAL is in {unit}"
        told += "; one day is taken off it" if self.aval == ONE_FEWER else "; it stays as it is"
        count, of = self._against_dates()
        against = f"; in {count} of {counted(of, 'record')} ADT - STARTDT says otherwise"
        return told + (against if count else "")

    def problems(self) -> list[Problem]:
        """The line that refuses a unit of AVAL which the dates of most records contradict."""
        count, of = self._against_dates()
        told = {"unit": self.unit, "count": count, "records": counted(of, "record")}
        expected = sentence("against_dates", **told)
        problem = Problem(self.source.file, column="AVAL", expected=expected)
        return [problem] if mostly(count, of) else []

    def events_in_words(self, code: str) -> str:
        """What the file says of the events of a parameter; blank where it says much or nothing."""
        text = self.of(code)
        happened = text["CNSR"].map(lambda cell: _is(self.event, cell))
        words = dict.fromkeys(text.loc[happened, "EVNTDESC"].str.lower()).keys() - {""}
        return " or ".join(sorted(words)) if len(words) <= MOST_EVENTS else ""

    def rivals(self, code: str) -> str:
        """The codes of CNSR whose descriptions say an event, which may compete; blank if none."""
        text = self.of(code)
        text = text[~text["CNSR"].map(lambda cell: _is(self.event, cell))]
        words = text["EVNTDESC"].where(text["EVNTDESC"] != "", text["CNSDTDSC"])
        told = words[~words.str.lower().str.contains(PATTERNS["censoring"]) & (words != "")]
        told = told[told.str.lower().map(lambda words: bool(PATTERNS["death"].search(words)))]
        pairs = dict.fromkeys(f"{text.loc[row, 'CNSR']} ({word})" for row, word in told.items())
        return ", ".join(pairs)

    def is_of_death(self, code: str) -> bool:
        """True where PARAM, or what the file says of each event, says death and nothing else."""
        text = self.of(code)
        happened = text["CNSR"].map(lambda cell: _is(self.event, cell))
        events = {*text.loc[happened, "EVNTDESC"].str.lower()} - {""}
        others = [event for event in events if not PATTERNS["death"].search(event)]
        if any(PATTERNS["not_only_death"].search(event) for event in others):
            return False
        return _of_death(code, self.described[code]) or bool(events and not others)

    def _against_dates(self) -> tuple[int, int]:
        """How many records have an AVAL that is not the time between their dates; of how many."""
        apart = []
        for record in self.records.values() if self.unit != FROM_DATES else ():
            try:
                room = max(2, self.lengths[self._unit(record)])
                apart.append(abs(self._time(record) - _between(record, record)) > room)
            except Unread:  # no dates, or no number: a problem of its own
                continue
        return sum(apart), len(apart)

    def _rows(self, code: str) -> dict[str, int]:
        """The row of each patient's first record of a parameter."""
        return {patient: row for row, patient in reversed([*self.of(code)["USUBJID"].items()])}

    def _days(self, record: dict[str, str], zero: dict[str, str] | None) -> str:
        if not re.fullmatch(r"\d+(\.0+)?", record["CNSR"]):
            raise Unread("CNSR", record["CNSR"], "0 for an event, or 1 or more")
        # From day 0 to the record's own start: a duration starts at the response.
        dated = zero and zero["STARTDT"] and record["STARTDT"]
        delay = _between(zero, record, "STARTDT") if dated else 0
        return plain(self._time(record) + delay)

    def _time(self, record: dict[str, str]) -> float:
        """Days from the record's own start."""
        if self.unit == FROM_DATES:
            return _between(record, record)
        unit = self._unit(record)
        if not NUMBER.fullmatch(record["AVAL"]):
            raise Unread("AVAL", record["AVAL"], f"a number of {unit}")
        return float(record["AVAL"]) * self.lengths[unit] - (self.aval == ONE_FEWER)

    def _unit(self, record: dict[str, str]) -> str:
        unit = _unit(record["AVALU"]) if self.unit == FROM_UNIT_COLUMN else self.unit
        if unit is None:
            raise Unread("AVALU", record["AVALU"], f"one of {', '.join(UNITS)}")
        return unit


def times_of(source: Source) -> Times:
    """An ADTTE file; columns that it may have and has not are blank."""
    text = source.text.rename(columns=str.upper)
    text = text.loc[:, ~text.columns.duplicated(keep="last")]
    raise_any(
        Problem(source.file, 1, expected=f"found no column {name}; ADTTE has one")
        for name in _REQUIRED
        if name not in text
    )
    blank = {name: "" for name in _OPTIONAL if name not in text}
    text = text.assign(PARAM=text.get("PARAM", text["PARAMCD"]), **blank)
    return Times(dataclasses.replace(source, text=text))


def as_day(text: str) -> date | None:
    """A date as ADaM has it, in ISO's form or as SAS counts it; None where it is neither."""
    return day_counted(float(text), "sas-date") if NUMBER.fullmatch(text) else as_date(text, None)


def _between(first: dict[str, str], last: dict[str, str], end: str = "ADT") -> int:
    """Days from STARTDT of one record to a date of another, or of the same."""
    days = []
    for text, column in ((last[end], end), (first["STARTDT"], "STARTDT")):
        days.append(as_day(text))
        if days[-1] is None:
            raise Unread(column, text, "a date such as 2021-03-04")
    return (days[0] - days[1]).days


def _unit(text: str) -> str | None:
    """The only unit that a text names, as `DAYS` or `Overall Survival (Months)`."""
    units = units_in(text)
    return units.pop() if len(units) == 1 else None


def _is(event: str, text: str) -> bool:
    return bool(re.fullmatch(rf"0*{event}(\.0*)?", text))


def _says_death(words: str) -> bool:
    """True for words that say death and no other event, be it beside it."""
    words = words.lower()
    return bool(PATTERNS["death"].search(words)) and not PATTERNS["not_only_death"].search(words)


def _of_death(code: str, words: str) -> bool:
    return code == "OS" or _says_death(words)
