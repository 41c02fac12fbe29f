"""Times to events of CDISC ADaM: the records of ADTTE as one column of days a parameter."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from ..dataset.cells import NUMBER
from ..dataset.problems import DataError, Problem, quoted
from .dates import ORDERS, UNITS, as_date, day_counted
from .files import Cells, Source, plain
from .meaning import mostly
from .words import counted

# Where the days of a record come from, as `adtte: unit:` of the mapping says it.
FROM_UNIT_COLUMN = "AVALU"
FROM_DATES = "ADT-STARTDT"
CHOICES = (*UNITS, FROM_UNIT_COLUMN, FROM_DATES)
ONE = "one record a patient"
AS_IS, ONE_FEWER = "as_is", "one_fewer"  # what becomes of AVAL, as `adtte: aval:` says it
_REQUIRED = ("USUBJID", "PARAMCD", "CNSR")
_DEATH = re.compile(r"overall survival|\b(death|dead|died|dies|deceased|mortality|fatal)\b")
# With these words an event may be something else than a death.
_NOT_ONLY_DEATH = re.compile(
    r"\bor\b(?! (last|lost|end|censor))|progress|relaps|recur|\bevent|respon|remission|free|loss"
    r"|dermat|adverse|discontin|duration|transplant"
)
# With these words what is described is a censoring.
_CENSORING = re.compile(
    r"\b(?:alive|living|censor|lost to|no event|cut.?off|last (?:known|contact|follow))"
)


@dataclass(frozen=True)
class Parameter:
    """One parameter of ADTTE, one entry a patient in the order of the patients.

    `days` from day 0 as text, blank where there is no record; `events` where CNSR says so;
    `deaths` where EVNTDESC says that the event is a death; `ends` are the dates of ADT.
    """

    cells: Cells
    days: list[str]
    events: list[bool]
    deaths: list[bool]
    ends: list[date | None]
    problems: list[Problem]


class Unread(ValueError):
    """A cell of a record that cannot be read: its column, its text and what is expected."""


@dataclass
class Times:
    """An ADTTE file. `unit` is one of CHOICES; `months` is the length of a month in days.

    `aval` says whether AVAL stays as it is, or one day is taken off it because the standard counts
    the day of the start as day 1. `event` is the CNSR of an event: 0, as the standard has it, or 1.
    """

    source: Source
    unit: str
    months: float = UNITS["months"]
    aval: str = AS_IS
    event: str = "0"

    def __post_init__(self) -> None:
        self.lengths = UNITS | {"months": self.months}
        names = {name: key for key, name in columns(self.source).items()}
        parts = self.source.text.rename(columns=names).groupby("PARAMCD")
        self.records = {code: part.to_dict("index") for code, part in parts}

    def parameter(self, code: str, ids: list[str], start: str, required: bool) -> Parameter:
        """The days of one parameter, counted from STARTDT of the parameter `start`.

        One CNSR is the event, and any other a censoring, whatever its reason. With `required`
        a patient without a record is a problem.
        """
        for named in (code, start):
            if named not in self.records:
                found = f"no record with PARAMCD {quoted(named)}"
                known = "one of " + ", ".join(described(self.source))
                raise DataError([Problem(self.source.file, found=found, expected=known)])
        found, starts = self._by_patient(code), self._by_patient(start)
        problems = unpaired(self.source, code, ids if required else ())
        rows = [found.get(patient) for patient in ids]
        records = [self.records[code][row] if row else {} for row in rows]
        days = []
        for patient, row, record in zip(ids, rows, records, strict=True):
            days.append("")
            if row:
                zero = self.records[start].get(starts.get(patient), {})
                try:
                    days[-1] = self._days(record, zero)
                except Unread as error:
                    column, text, expected = error.args
                    found = quoted(text)
                    problems.append(Problem(self.source.file, row, column, found, expected))
        events = [_is(self.event, record.get("CNSR", "")) for record in records]
        deaths = [_says_death(record.get("EVNTDESC", "")) for record in records]
        texts = [record.get("AVAL", "") for record in records]
        cells = Cells(self.source.file, f"AVAL of {code}", rows, texts)
        ends = [as_day(record.get("ADT", "")) for record in records]
        return Parameter(cells, days, events, deaths, ends, problems)

    def rule(self) -> str:
        """How the days were made, for the report."""
        if self.unit == FROM_DATES:
            return "days are ADT - STARTDT; AVAL is not used"
        unit = "the unit of AVALU" if self.unit == FROM_UNIT_COLUMN else self.unit
        told = counts_from_one(self.source, self.unit) or f"AVAL is in {unit}"
        told += "; one day is taken off it" if self.aval == ONE_FEWER else "; it stays as it is"
        count, of = self._against_dates()
        against = f"; in {count} of {counted(of, 'record')} ADT - STARTDT says otherwise"
        return told + (against if count else "")

    def problems(self) -> list[Problem]:
        """The line that refuses a unit of AVAL which the dates of most records contradict."""
        count, of = (0, 0) if self.unit == FROM_DATES else self._against_dates()
        if not mostly(count, of):
            return []
        said = "AVALU" if self.unit == FROM_UNIT_COLUMN else self.unit
        expected = (
            f"ADT - STARTDT says otherwise than {said} in {count} of {counted(of, 'record')}; "
            f"change unit of adtte in import.yaml, such as to {FROM_DATES}, or write "
            f"aval: {AS_IS} where AVAL is right"
        )
        return [Problem(self.source.file, column="AVAL", expected=expected)]

    def _against_dates(self) -> tuple[int, int]:
        """How many records have an AVAL that is not the time between their dates; of how many."""
        apart = []
        for record in (r for part in self.records.values() for r in part.values()):
            try:
                dated = (self._date(record, "ADT") - self._date(record, "STARTDT")).days
                unit = _unit(record["AVALU"]) if self.unit == FROM_UNIT_COLUMN else self.unit
                apart.append(abs(self._time(record) - dated) > max(2, self.lengths[unit]))
            except (KeyError, ValueError):  # no dates, or no number: a problem of its own
                continue
        return sum(apart), len(apart)

    def is_of_death(self, code: str) -> bool:
        """True where PARAM, or what the file says of each event, says death and nothing else."""
        records = self.records[code].values()
        events = {
            record.get("EVNTDESC", "").lower()
            for record in records
            if _is(self.event, record.get("CNSR", ""))
        } - {""}
        others = [event for event in events if not _DEATH.search(event)]
        if any(_NOT_ONLY_DEATH.search(event) for event in others):
            return False
        return _of_death(code, described(self.source)[code]) or bool(events and not others)

    def _by_patient(self, code: str) -> dict[str, int]:
        """The row of each patient's first record."""
        return {record["USUBJID"]: row for row, record in reversed(self.records[code].items())}

    def _days(self, record: dict[str, str], zero: dict[str, str]) -> str:
        if not re.fullmatch(r"\d+(\.0+)?", record["CNSR"]):
            raise Unread("CNSR", record["CNSR"], "0 for an event, or 1 or more")
        delay = 0  # from day 0 to the record's own start: a duration starts at the response
        if record.get("STARTDT") and zero.get("STARTDT"):
            delay = (self._date(record, "STARTDT") - self._date(zero, "STARTDT")).days
        return plain(self._time(record) + delay)

    def _time(self, record: dict[str, str]) -> float:
        """Days from the record's own start."""
        if self.unit == FROM_DATES:
            return (self._date(record, "ADT") - self._date(record, "STARTDT")).days
        unit = self.unit
        if unit == FROM_UNIT_COLUMN:
            unit = _unit(record.get("AVALU", ""))
            if unit is None:
                raise Unread("AVALU", record.get("AVALU", ""), f"one of {', '.join(UNITS)}")
        value = record.get("AVAL", "")
        if not NUMBER.fullmatch(value):
            raise Unread("AVAL", value, f"a number of {unit}")
        return float(value) * self.lengths[unit] - (self.aval == ONE_FEWER)

    def _date(self, record: dict[str, str], column: str) -> date:
        text = record.get(column, "")
        found = as_day(text)
        if found is None:
            raise Unread(column, text, "a date such as 2021-03-04")
        return found


def _says_death(words: str) -> bool:
    """True for words that say death and no other event, be it beside it."""
    words = words.lower()
    return bool(_DEATH.search(words)) and not _NOT_ONLY_DEATH.search(words)


def _of_death(code: str, words: str) -> bool:
    return code == "OS" or _says_death(words)


def _is(event: str, text: str) -> bool:
    return bool(re.fullmatch(rf"0*{event}(\.0*)?", text))


def contradictions(source: Source) -> str:
    """What the descriptions of events and censorings say against CNSR of 0 as the event, or blank.

    By the standard EVNTDESC describes either, and CNSDTDSC the date of a censoring alone.
    """
    text = source.text.rename(columns={name: key for key, name in columns(source).items()})
    found = []
    for code, part in text.groupby("PARAMCD"):
        event = part["CNSR"].map(lambda cell: _is("0", cell))
        for column in {"EVNTDESC", "CNSDTDSC"} & {*part}:
            words = part[column].str.lower()
            filled, dies = words != "", words.map(_says_death)
            censored = words.str.contains(_CENSORING)
            if column == "CNSDTDSC":
                wrong = event & filled & ~dies & (not filled.all())
            else:
                of_death = _of_death(code, part.get("PARAM", part["PARAMCD"]).iloc[0])
                alone = event.any() and not filled[event].any()
                wrong = (event & censored & ~dies) | (
                    ~event & filled & ~censored & (alone | (dies & of_death))
                )
            found += [(row, column) for row in part.index[wrong]]
    if not found:
        return ""
    row, column = min(found)
    count = len({row for row, _ in found})
    told = f'row {row} has CNSR {text["CNSR"][row]} beside {column} "{text[column][row]}"'
    return f"{count} of {len(text)} records speak against 0, as the standard has it: {told}"


def _unit(text: str) -> str | None:
    """`DAYS`, `Day` or `MONTHS` as the unit's name here."""
    name = text.strip().lower().rstrip("s") + "s"
    return name if name in UNITS else None


def columns(source: Source) -> dict[str, str]:
    """The file's own names of its columns by those of the standard. Raises DataError."""
    names = {name.upper(): name for name in source.text}
    absent = [name for name in _REQUIRED if name not in names]
    if absent:
        found = "found no column {}; ADTTE has one"
        raise DataError([Problem(source.file, 1, expected=found.format(name)) for name in absent])
    return names


def described(source: Source) -> dict[str, str]:
    """The parameters of an ADTTE file by their codes, with what the file says they are."""
    names = columns(source)
    words = source.text[names.get("PARAM", names["PARAMCD"])]
    return dict(zip(source.text[names["PARAMCD"]], words, strict=True))


def unpaired(source: Source, code: str, ids: Iterable[str]) -> list[Problem]:
    """The records of a parameter that are one too many, and those of `ids` who have none."""
    names, file = columns(source), source.file
    of = source.text.loc[source.text[names["PARAMCD"]] == code, names["USUBJID"]]
    found = [
        Problem(file, row, "USUBJID", f"{quoted(patient)} again with PARAMCD {code}", ONE)
        for row, patient in of[of.duplicated()].items()
    ]
    hint, known = "`rows` in import.yaml says which patients to import", {*of}
    for patient in [one for one in ids if one not in known]:
        none = f"no record of {quoted(patient)} with PARAMCD {code}"
        found.append(Problem(file, found=none, expected="one a patient", hint=hint))
    return found


def guessed_unit(source: Source) -> tuple[str, str]:
    """Where days come from and why; `?` where the file does not say."""
    names = columns(source)
    units = source.filled(names["AVALU"]) if "AVALU" in names else []
    if len(units) and all(map(_unit, units)):
        return FROM_UNIT_COLUMN, "the file's own column AVALU says the unit of AVAL"
    said = {_unit_in(text) for text in described(source).values()}
    if len(said) == 1 and None not in said:
        return said.pop(), "PARAM says the unit of AVAL"
    if told := counts_from_one(source, "days"):
        return "days", told
    if {"ADT", "STARTDT"} <= set(names):
        return FROM_DATES, "the file does not say the unit of AVAL, so days come from its dates"
    return "?", f"in which unit is AVAL? one of {', '.join(UNITS)}"


def counts_from_one(source: Source, unit: str) -> str:
    """What proves that AVAL counts its start as day 1, as the standard has it; else blank."""
    names = columns(source)
    if not {"AVAL", "ADT", "STARTDT"} <= set(names):
        return ""
    units = {unit}
    if unit == FROM_UNIT_COLUMN:
        units = {_unit(text) for text in source.text[names["AVALU"]]}
    cells = [source.text[names[key]] for key in ("AVAL", "ADT", "STARTDT")]
    records = [record for record in zip(*cells, strict=True) if all(record)]
    if units != {"days"} or not records:
        return ""
    for value, end, start in records:
        last, first = as_day(end), as_day(start)
        if not NUMBER.fullmatch(value) or last is None or first is None:
            return ""
        if float(value) != (last - first).days + 1:
            return ""
    return f"AVAL is ADT - STARTDT + 1 in all {len(records)} records: the start is day 1"


def as_day(text: str) -> date | None:
    """A date as ADaM has it, in ISO's form or as SAS counts it; None where it is neither."""
    return day_counted(float(text), "sas-date") if NUMBER.fullmatch(text) else as_date(text, None)


def _unit_in(text: str) -> str | None:
    match = re.search(r"\b(day|week|month|year)s?\b", text.lower())
    return f"{match[1]}s" if match else None


def starts(source: Source, code: str) -> dict[str, date]:
    """STARTDT of one parameter by patient, where it is a date."""
    names = columns(source)
    if "STARTDT" not in names:
        return {}
    part = source.text[source.text[names["PARAMCD"]] == code]
    pairs = zip(part[names["USUBJID"]], part[names["STARTDT"]], strict=True)
    return {patient: day for patient, text in pairs if (day := as_date(text, ORDERS[0]))}


def of_patients(source: Source, wanted: str) -> list[str]:
    """A column of the patients' file, such as DTHFL, whose Y is a death; empty without it."""
    column = next((name for name in source.text if name.upper() == wanted), None)
    return source.text[column].tolist() if column else []
