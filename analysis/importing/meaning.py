"""One column of a file, and what it means: its unit, its clock, the codes of what happened.

Name, label, format and values of a column each say something. Where two disagree, nothing is known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

import pandas as pd

from ..dataset.cells import NUMBER
from ..dataset.problems import Problem, quoted
from .dates import EPOCHS, UNITS, day_counted, looks_like_date
from .words import (
    OUTCOMES,
    PATTERNS,
    UNIT_WORDS,
    WORDS,
    about,
    asks_event,
    counted,
    normal,
    plain_words,
    sentence,
    stem,
    units_in,
)

# Follow-up longer than this, in each unit, is of no cohort: sixty years.
LONGEST = {unit: 60 * 365.25 / length for unit, length in UNITS.items()}
SHORTEST = 3652  # whose shortest follow-up is ten years, has dates and no days
_CALENDAR = date(1960, 1, 1), date(2040, 1, 1)  # in which a study's dates lie
FLAG_AT_MOST = 10  # different values of a status
_SHORT_UNIT = {"d": "days", "w": "weeks", "y": "years"}  # beside a number only; m may be minutes
_WITH_UNIT = re.compile(rf"(?P<number>{NUMBER.pattern}) ?(?P<unit>[A-Za-z]+)\.?")
Codes = tuple[list[str], list[str]]  # of yes and of no


@dataclass
class Variable:
    """What a file says of one of its columns.

    `levels` are the labels of codes, in order. `kind` is number, date, text or identifier, or
    blank where the file does not say. `note` is one sentence for the description.
    """

    name: str
    label: str = ""
    levels: dict[str, str] = field(default_factory=dict)
    kind: str = ""
    minimum: str = ""
    maximum: str = ""
    note: str = ""
    labels: str = ""  # the name of its set of labels, which a SAS catalog holds
    format: str = ""  # how its program shows it, as %tm or MONYY7


@dataclass(frozen=True)
class Cells:
    """The cells of a file that a column of patients.csv is made from, one a patient.

    A row is None where the file has none for the patient.
    """

    file: str
    column: str
    rows: list[int | None]
    texts: list[str]

    def problem(self, place: int, expected: str, hidden: str = "") -> Problem:
        """What is wrong with the cell of this patient."""
        found = quoted(self.texts[place])
        return Problem(self.file, self.rows[place], self.column, found, expected, hidden=hidden)


def is_number(cells: pd.Series, share: float = 1.0) -> bool:
    """True where this share of the cells is a number, with a point for decimals."""
    return len(cells) > 0 and bool(cells.str.fullmatch(NUMBER).mean() >= share)


def with_unit(text: str) -> tuple[str, str] | None:
    """The number and the unit of a cell that says both, such as 12 mo."""
    match = _WITH_UNIT.fullmatch(text)
    unit = {**UNIT_WORDS, **_SHORT_UNIT}.get(match["unit"].lower()) if match else None
    return (match["number"], unit) if match and unit else None


def time_in_words(cells: pd.Series, named: bool) -> bool:
    """True for times that are written in several ways: `2 mo` beside 3 and 1,5.

    Their column (`named`) or some of them say a unit of time, and most say a number. Where all say
    their unit and the column none, as `2 weeks` does, they may be the levels of a category.
    """
    texts = [cell.replace(",", ".") for cell in cells.unique()]
    bare = [bool(NUMBER.fullmatch(text)) for text in texts]
    timed = [with_unit(text) is not None for text in texts]
    said = sum(bare) + sum(timed) >= max(1, 0.5 * len(texts)) and not is_number(cells)
    return said and (named or (any(bare) and any(timed)))


def event_in_words(text: str) -> str:
    """An event in one form, be it `day of randomization` or `randomisation`."""
    words = re.sub(r"\b(the|date|day|time|of|first|initial)\b", " ", text)
    return " ".join(re.sub("randomiz", "randomis", words).split())


class Column:
    """The cells of a column as text, blank where missing, and what the file says of it.

    `filled` are those that are not blank; `form` is the kind of file, such as sas.
    """

    def __init__(self, variable: Variable, text: pd.Series, form: str) -> None:
        self.variable, self.text, self.form = variable, text, form
        self.name, self.label, self.levels = variable.name, variable.label, variable.levels
        self.filled = text[text != ""]
        self.normal = normal(self.name)
        self.names, self.about = {self.normal, stem(self.name)}, about(self.name)

    @cached_property
    def numbers(self) -> pd.Series:
        """The cells that are numbers."""
        return pd.to_numeric(self.filled, errors="coerce").dropna()

    @cached_property
    def is_date(self) -> bool:
        """True where the file has dates in it, or text of which half and more says dates.

        The other half are slips, which are named as such: a typing error makes a date no category.
        """
        shaped = self.filled.map({cell: looks_like_date(cell) for cell in self.filled.unique()})
        return self.variable.kind == "date" or (len(shaped) > 0 and bool(shaped.mean() >= 0.5))

    @cached_property
    def units(self) -> dict[str, set[str]]:
        """The units that name, label, text and format say."""
        label, format = self.label.lower(), self.variable.format
        # The unit before "from", "since" or "to", else the only one of the whole label.
        of_label = units_in(PATTERNS["until_clock"].match(label)[0])
        of_label = of_label or units_in(PATTERNS["point"].sub(" ", label))
        said = {"name": units_in(self.normal.replace("_", " ")), "label": of_label}
        said["text"] = self.units_of_cells
        if re.match(r"%-?t[wmqhy]", format):  # Stata's dates by the month and so on
            said["format"] = {f"dates counted by {format}, which import does not read"}
        if self.form == "sas" and PATTERNS["sas_date"].match(format):
            said["format"] = {"sas-date"}
        return {where: units for where, units in said.items() if units}

    @cached_property
    def units_of_cells(self) -> set[str]:
        """The units of a column in which every cell says one."""
        found = [with_unit(cell) for cell in self.filled.unique()]
        return {each[1] for each in found if each} if all(found) else set()

    @property
    def is_time_in_words(self) -> bool:
        """True for a time of which some cells are no plain numbers."""
        return time_in_words(self.filled, bool(self.units.keys() & {"name", "label"}))

    @cached_property
    def unit(self) -> str | None:
        """How a column says its days: `date`, a program's count, or a unit. None: not known."""
        if self.is_date:
            return "date"
        if units := set().union(*self.units.values()):
            one = units.pop() if len(units) == 1 else ""
            doubtful = one in UNITS and self.as_dates
            return one if one in (*UNITS, *EPOCHS) and not doubtful else None
        words = f"{self.normal}_{normal(self.label)}".split("_")
        if {"date", "dt", "dat", "datum"} & set(words) or self.normal.endswith("dt"):
            return {"excel": "excel-date", "sas": "sas-date", "stata": "stata-date"}.get(self.form)
        return None

    @cached_property
    def as_dates(self) -> dict[str, tuple[date, date]]:
        """The first and last date that numbers would be, by program; empty where they are small.

        Of no cohort the shortest follow-up is ten years: such whole numbers are dates.
        """
        ends = self.numbers.min(), self.numbers.max()
        whole = len(self.filled) > 0 and self.filled.str.fullmatch(r"\d+").all()
        if not whole or ends[0] < SHORTEST:
            return {}
        spans = {kind: tuple(day_counted(end, kind) for end in ends) for kind in EPOCHS}
        first, last = _CALENDAR
        return {k: (a, b) for k, (a, b) in spans.items() if a and b and first <= a and b <= last}

    @property
    def doubt(self) -> str:
        """The question for a column whose numbers may be more than one thing."""
        *units, last = UNITS
        words = {"units": f"{', '.join(units)} or {last}", "kinds": ", ".join(EPOCHS)}
        ask = [sentence("unit", column=self.name, **words)]
        if len(set().union(*self.units.values())) > 1 or "format" in self.units:
            said = {where: " and ".join(sorted(units)) for where, units in self.units.items()}
            ask.append(", ".join(f"its {where} says {units}" for where, units in said.items()))
        if self.as_dates:
            dates = [f"{one} to {two} as {kind}" for kind, (one, two) in self.as_dates.items()]
            low, high = self.numbers.min(), self.numbers.max()
            ask.append(f"{low:.0f} to {high:.0f} would be {', '.join(dates)}")
        return "; ".join(ask)

    def against(self, unit: str) -> str:
        """What speaks against this unit in the values of a column; blank where nothing does."""
        numbers = self.numbers
        if unit not in UNITS or numbers.empty:
            return ""
        most, parts = numbers.max(), self.filled.str.contains(r"\.\d*[1-9]").sum()
        others = numbers[numbers < most]
        if re.fullmatch(r"9{3,}", f"{most:.10g}") and (others.empty or most >= 2 * others.max()):
            rows = counted((numbers == most).sum(), "row")
            return f"{most:.10g} {unit} in {rows} may be a code for unknown"
        if self.as_dates:
            dates = " or ".join(self.as_dates)
            return f"the smallest is {numbers.min():.0f}; these may be dates, as {dates}"
        if most > LONGEST[unit]:
            rather = {"years": "calendar years", "days": "dates"}.get(unit, "days")
            years = f"{most * UNITS[unit] / 365.25:.0f} years"
            return f"{most:.10g} {unit} are {years}; are these {rather}?"
        if unit == "days" and parts and most <= 400:
            rows = counted(parts, "row")
            return f"{rows} with decimals, and the largest is {most:.10g}; are these months?"
        return ""

    @property
    def clock(self) -> str:
        """From when a duration counts, as its label or name says it; blank where none does."""
        texts = (self.label.lower(), self.normal.replace("_", " "))
        found = [match for text in texts if (match := PATTERNS["clock"].search(text))]
        return event_in_words(found[0][1]) if found else ""

    @cached_property
    def is_day(self) -> bool:
        """True for dates, and for numbers that are no mere codes of yes and no."""
        if self.is_date or self.units_of_cells:
            return True
        if self.levels or not is_number(self.filled, share=0.5):
            return False
        return not set(self.filled) <= {"0", "1"} or self.unit in ("days", "weeks")

    @property
    def is_point_in_time(self) -> bool:
        """True for a date, be it written or counted by a program."""
        return self.is_date or (self.is_day and self.unit in EPOCHS)

    @property
    def may_be_date(self) -> bool:
        """True for a date, and for numbers of no known unit that would be dates of a program."""
        return bool(self.as_dates) if self.unit is None else self.is_point_in_time

    @cached_property
    def may_be_status(self) -> bool:
        """Few values, and neither dates, times nor numbers with decimals."""
        cells = self.filled
        if not 1 <= cells.nunique() <= FLAG_AT_MOST or cells.str.contains(r"^\d*\.\d").any():
            return False
        codes = not is_number(cells) or cells.str.fullmatch(r"-?\d{1,2}").all()
        return bool(codes and not (self.is_date or self.units or self.ends_with_time))

    @property
    def is_time(self) -> bool:
        """True for numbers whose name says a time to something: `pfs_months`, `ptime`, `t1`."""
        named = self.units.get("name", set()) - {"years"} or self.ends_with_time
        told = named or re.fullmatch("t_?[a-z0-9]", self.normal)
        return bool(told and is_number(self.filled) and not self.may_be_status)

    @property
    def is_bare(self) -> bool:
        """True for a time or status that does not say of what: `time`, `months`, `event`."""
        bare = {*WORDS["bare_times"], *WORDS["bare_status"], *WORDS["times"], ""}
        return bool(self.names & bare) and not self.about & {*OUTCOMES}

    @property
    def short(self) -> str:
        """The one letter or digit in which a time and its status agree; blank where none does."""
        match = PATTERNS["short"].fullmatch(self.normal)
        return match[match.lastindex] if match else ""

    @property
    def ends_with_time(self) -> bool:
        """True for `os_time` and `survTime`."""
        return bool(re.search(r"(?i)[a-z0-9_. ]time$", self.name))

    def found(self, most: int = 10) -> str:
        """The values for a question, with their labels: `1 (Alive), 2 (Dead), blank`."""
        shown = [
            (cell or "blank") + (f" ({label})" if label != cell else "")
            for cell in dict.fromkeys(self.text)
            for label in [self.levels.get(cell, cell)]
        ]
        more = f" and {len(shown) - most} more" if len(shown) > most else ""
        return ", ".join(shown[:most]) + more

    @property
    def death_codes(self) -> Codes | None:
        """The codes of death and of life, None where they are not beyond doubt."""
        if self.is_point_in_time:
            return ["*"], [""]
        asks = bool(self.names & {*WORDS["asks_death"]})
        codes = self._codes("dead" + " yes" * asks, "alive" + " no" * asks, asks)
        return (codes[0], [*codes[1], ""]) if codes and self.normal == "dthfl" else codes

    @property
    def deaths(self) -> list[str]:
        """Yes, no or blank by codes of death that are beyond doubt; empty where there are none."""
        codes = None if self.is_point_in_time else self.death_codes
        if codes is None:
            return []
        words = {**dict.fromkeys(codes[1], "no"), **dict.fromkeys(codes[0], "yes")}
        return [words.get(text, "") for text in self.text]

    @property
    def event_codes(self) -> Codes | None:
        """The codes that say that an event happened, and that it did not; None where in doubt."""
        asks = asks_event(self.name)
        sure = ("yes", "no") if asks else ("sure_yes", "sure_no")
        return self._codes(f"happened {sure[0]}", f"not_happened {sure[1]}", asks)

    def _codes(self, yes: str, no: str, asks: bool) -> Codes | None:
        """The codes by lists of words for yes and for no, where these name all of them."""
        cells = dict.fromkeys(self.filled).keys()
        words = {code: plain_words(self.levels.get(code, code)) for code in [*self.levels, *cells]}
        happened, did_not = (
            [cell for cell in words if any(words[cell] in WORDS[name] for name in names.split())]
            for names in (yes, no)
        )
        if not cells or not cells <= {*happened, *did_not}:
            return None
        if cells <= {"0", "1"} and not self.levels:
            return ["1"], ["0"]
        if asks and not (happened and did_not):  # all, or none
            happened, did_not = happened or _contrary(did_not), did_not or _contrary(happened)
        return (happened, did_not) if happened and did_not else None


def _contrary(cells: list[str]) -> list[str]:
    """The word that says the contrary, written like the one that is there."""
    words = {"yes": "no", "y": "n", "true": "false"}
    words |= {no: yes for yes, no in words.items()}
    found = [(cell, words[cell.lower()]) for cell in cells if cell.lower() in words]
    return [
        word.upper() if cell.isupper() else word.title() if cell.istitle() else word
        for cell, word in found
    ]
