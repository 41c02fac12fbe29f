"""What the columns of a file mean: their unit, their clock, whether an event happened.

Name, label, format and values of a column each say something. Where two disagree, nothing is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date

import pandas as pd

from ..dataset.cells import NUMBER
from .dates import EPOCHS, UNITS, day_counted
from .files import Source, is_date, is_number
from .words import (
    ALIVE,
    ASKING,
    ASKS_DEATH,
    BARE_STATUS,
    CENSORED,
    DEAD,
    ENGLISH,
    HAPPENED,
    NO,
    NOT_HAPPENED,
    PAST,
    STATUS,
    STEMS,
    YES,
    about,
    counted,
    normal,
    plain_words,
    stem,
)

# Follow-up longer than this, in each unit, is of no cohort: sixty years.
LONGEST = {unit: 60 * 365.25 / length for unit, length in UNITS.items()}
SHORTEST = 3652  # whose shortest follow-up is ten years, has dates and no days
_CALENDAR = date(1960, 1, 1), date(2040, 1, 1)  # in which a study's dates lie
FLAG_AT_MOST = 10  # different values of a status

_UNIT = {
    word: unit
    for unit, words in {
        "days": ("day", "days"),
        "weeks": ("week", "weeks", "wk", "wks"),
        "months": ("month", "months", "mths", "mo", "mos"),
        "years": ("year", "years", "yr", "yrs"),
    }.items()
    for word in words
}
_SAS_DATE = re.compile(r"(MONYY|YYMM|MMYY|YYMON|YYQ|DATE|DDMMYY|MMDDYY|WORDDATE|WEEKDA|E8601DA)")
_SHORT, _TIME = {"days", "weeks", "months"}, re.compile(r"(?i)[a-z0-9_. ]time$")
_SHORT_UNIT = {"d": "days", "w": "weeks", "y": "years"}  # beside a number only; m may be minutes
_WITH_UNIT = re.compile(rf"(?P<number>{NUMBER.pattern}) ?(?P<unit>[A-Za-z]+)\.?")
_ORIGIN = r"\b(?:from|since|after)\b"
_POINT = re.compile(  # "from day of randomisation", "to month 3": a point in time, no unit
    r"\b(from|since|after|to|until|till|between|and|at|on|before)\s+(the\s+)?((first|last)\s+)?"
    r"(day|date|week|month|year)\b"
)
_CLOCK = re.compile(_ORIGIN + r"\s+(.+?)(?=\s+(?:to|until|till|and)\b|[,;(.\[]|$)")


# --- by name -----------------------------------------------------------------------------------


def candidates(source: Source, stems: Iterable[str]) -> list[str]:
    """Columns with one of these meanings by name, else by label; in the order of the meanings."""
    order = {said: rank for rank, said in reversed([*enumerate(stems)])}
    by_name = {column: {normal(column), stem(column)} for column in source.text}
    by_label = {column: {stem(variable.label)} for column, variable in source.variables.items()}
    for meanings in (by_name, by_label):
        found = {
            column: min(order[said] for said in words & {*order})
            for column, words in meanings.items()
            if words & {*order}
        }
        if found:
            return sorted(found, key=found.__getitem__)
    return []


# --- units and clocks --------------------------------------------------------------------------


def _units(text: str) -> set[str]:
    words = (ENGLISH.get(word, word) for word in re.findall(r"[a-z]+", text.lower()))
    return {_UNIT[word] for word in words if word in _UNIT}


def _unit_of_label(label: str) -> set[str]:
    """The unit before "from", "since" or "to", else the only one of the whole label."""
    head = re.split(rf"{_ORIGIN}|\b(?:to|until|till)\b", label.lower())[0]
    return _units(head) or _units(_POINT.sub(" ", label.lower()))


def with_unit(text: str) -> tuple[str, str] | None:
    """The number and the unit of a cell that says both, such as 12 mo."""
    match = _WITH_UNIT.fullmatch(text)
    unit = {**_UNIT, **_SHORT_UNIT}.get(match["unit"].lower()) if match else None
    return (match["number"], unit) if match and unit else None


def _units_of_cells(source: Source, column: str) -> set[str]:
    """The units of a column in which every cell says one."""
    found = [with_unit(cell) for cell in source.filled(column).unique()]
    return {each[1] for each in found if each} if all(found) else set()


def said_units(source: Source, column: str) -> dict[str, set[str]]:
    """The units that name, label and text of a column say."""
    variable = source.variables[column]
    said = {
        "name": _units(normal(column).replace("_", " ")),
        "label": _unit_of_label(variable.label),
        "text": _units_of_cells(source, column),
    }
    if re.match(r"%-?t[wmqhy]", variable.format):  # Stata's dates by the month and so on
        said["format"] = {f"dates counted by {variable.format}, which import does not read"}
    if source.form == "sas" and _SAS_DATE.match(variable.format):
        said["format"] = {"sas-date"}
    return {where: units for where, units in said.items() if units}


def counted_as(source: Source, column: str) -> str | None:
    """How a column says its days: `date`, a program's count, or a unit. None: it is not known."""
    if is_date(source, column):
        return "date"
    units = set().union(*said_units(source, column).values())
    if units:
        one = units.pop() if len(units) == 1 else ""
        doubtful = one in UNITS and dates_of_programs(source, column)
        return one if one in (*UNITS, *EPOCHS) and not doubtful else None
    words = f"{normal(column)}_{normal(source.variables[column].label)}".split("_")
    if {"date", "dt", "dat", "datum"} & set(words) or normal(column).endswith("dt"):
        return {"excel": "excel-date", "sas": "sas-date", "stata": "stata-date"}.get(source.form)
    return None


def doubt(source: Source, column: str) -> str:
    """The question for a column whose numbers may be more than one thing."""
    said = said_units(source, column)
    *units, last = UNITS
    ask = f"what are the numbers of {column}? {', '.join(units)} or {last}, or dates counted by a "
    ask += f"program: {', '.join(EPOCHS)}"
    if len(set().union(*said.values())) > 1 or "format" in said:
        ask += "; " + ", ".join(
            f"its {where} says {' and '.join(sorted(units))}" for where, units in said.items()
        )
    if spans := dates_of_programs(source, column):
        low, high = _range(source, column)
        ask += f"; {low:.0f} to {high:.0f} would be " + ", ".join(
            f"{first} to {last} as {kind}" for kind, (first, last) in spans.items()
        )
    return ask


def _range(source: Source, column: str) -> tuple[float, float]:
    numbers = pd.to_numeric(source.filled(column), errors="coerce").dropna()
    return (numbers.min(), numbers.max()) if len(numbers) else (0, 0)


def dates_of_programs(source: Source, column: str) -> dict[str, tuple[date, date]]:
    """The first and last date that numbers would be, by program; empty where they are small.

    Of no cohort the shortest follow-up is ten years: such whole numbers are dates.
    """
    cells = source.filled(column)
    if not is_number(cells) or not cells.str.fullmatch(r"\d+").all():
        return {}
    low, high = _range(source, column)
    if low < SHORTEST:
        return {}
    spans = {kind: (day_counted(low, kind), day_counted(high, kind)) for kind in EPOCHS}
    first, last = _CALENDAR
    return {k: (a, b) for k, (a, b) in spans.items() if a and b and first <= a and b <= last}


def implausible(source: Source, column: str, unit: str) -> str:
    """What speaks against this unit in the values of a column; blank where nothing does."""
    if unit not in UNITS:
        return ""
    cells = source.filled(column)
    numbers = pd.to_numeric(cells, errors="coerce").dropna()
    if numbers.empty:
        return ""
    most = numbers.max()
    others = numbers[numbers < most]
    if re.fullmatch(r"9{3,}", f"{most:.10g}") and (others.empty or most >= 2 * others.max()):
        rows = counted((numbers == most).sum(), "row")
        return f"{most:.10g} {unit} in {rows} may be a code for unknown"
    if spans := dates_of_programs(source, column):
        return f"the smallest is {numbers.min():.0f}; these may be dates, as {' or '.join(spans)}"
    if most > LONGEST[unit]:
        rather = {"years": "calendar years", "days": "dates"}.get(unit, "days")
        years = f"{most * UNITS[unit] / 365.25:.0f} years"
        return f"{most:.10g} {unit} are {years}; are these {rather}?"
    parts = cells.str.contains(r"\.\d*[1-9]").sum()
    if unit == "days" and parts and most <= 400:
        rows = counted(parts, "row")
        return f"{rows} with decimals, and the largest is {most:.10g}; are these months?"
    return ""


def clock(source: Source, column: str) -> str:
    """From when a duration counts, as its label or name says it; blank where none does."""
    for text in (source.variables[column].label, normal(column).replace("_", " ")):
        if match := _CLOCK.search(text.lower()):
            return _event(match[1])
    return ""


def _event(text: str) -> str:
    """An event in one form, be it `day of randomization` or `randomisation`."""
    words = re.sub(r"\b(the|date|day|time|of|first|initial)\b", " ", text)
    return " ".join(re.sub("randomiz", "randomis", words).split())


def clocks(source: Source, columns: Iterable[str], zero: str = "") -> dict[str, str]:
    """The clocks of some durations, where they are not one: `diagnosis` and `index`.

    `zero` is day 0 in words, from which the dates count.
    """
    said = {column: words for column in columns if (words := clock(source, column))}
    if zero:
        said["the dates"] = _event(zero)
    parts = [set(words.split()) for words in said.values()]
    return {} if all(a <= b or b <= a for a in parts for b in parts) else said


# --- days and what happened --------------------------------------------------------------------


def is_day(source: Source, column: str) -> bool:
    """True for dates, and for numbers that are no mere codes of yes and no."""
    cells = source.filled(column)
    if is_date(source, column):
        return True
    return bool(_units_of_cells(source, column)) or (
        is_number(cells, share=0.5)
        and not source.variables[column].levels
        and (not set(cells) <= {"0", "1"} or counted_as(source, column) in ("days", "weeks"))
    )


def is_point_in_time(source: Source, column: str) -> bool:
    """True for a date, be it written or counted by a program."""
    if is_date(source, column):
        return True
    return is_day(source, column) and counted_as(source, column) in EPOCHS


def may_be_date(source: Source, column: str) -> bool:
    """True for a date, and for numbers of no known unit that would be dates of a program."""
    if counted_as(source, column) is None:
        return bool(dates_of_programs(source, column))
    return is_point_in_time(source, column)


def _words(source: Source, column: str) -> dict[str, str]:
    """Every code of a column, also those that only its labels have, with its words."""
    labels = source.variables[column].levels
    every = dict.fromkeys([*labels, *source.filled(column)])
    return {cell: plain_words(labels.get(cell, cell)) for cell in every}


def found_codes(source: Source, column: str, most: int = 10) -> str:
    """The values of a column for a question, with their labels: `1 (Alive), 2 (Dead), blank`."""
    labels = source.variables[column].levels
    shown = [
        (cell or "blank") + (f" ({labels[cell]})" if labels.get(cell, cell) != cell else "")
        for cell in dict.fromkeys(source.text[column])
    ]
    return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")


def death_codes(source: Source, column: str) -> tuple[list[str], list[str]] | None:
    """The codes of death and of life in a column, None where they are not beyond doubt."""
    if is_point_in_time(source, column):
        return ["*"], [""]
    asks = bool({normal(column), stem(column)} & set(ASKS_DEATH))
    dead, alive = (DEAD | YES, ALIVE | NO) if asks else (DEAD, ALIVE)
    codes = _codes(source, column, dead, alive, asks)
    return (codes[0], [*codes[1], ""]) if codes and normal(column) == "dthfl" else codes


def deaths(source: Source, column: str) -> list[str]:
    """Yes, no or blank by the codes of death that are beyond doubt; empty where there are none."""
    codes = None if is_point_in_time(source, column) else death_codes(source, column)
    if codes is None:
        return []
    words = {**dict.fromkeys(codes[1], "no"), **dict.fromkeys(codes[0], "yes")}
    return [words.get(text, "") for text in source.text[column]]


def disputes(source: Source, column: str, died: list[str]) -> dict[str, tuple[int, int]]:
    """Other columns that say the contrary of who died: of how many patients, of how many both say.

    `died` is yes, no or blank for each patient.
    """
    found = {}
    for other in candidates(source, (*ASKS_DEATH, *STATUS)):
        pairs = zip(died, deaths(source, other), strict=False)
        apart = [a != b for a, b in pairs if a and b]
        if other != column and any(apart):
            found[other] = sum(apart), len(apart)
    return found


def undecided(source: Source, column: str, died: list[str]) -> dict[str, list[str]]:
    """Codes of other columns about death that are not known, and stand beside dead and living."""
    found = {}
    for other in candidates(source, (*ASKS_DEATH, *STATUS)):
        if other != column and _may_be_status(source, other) and not deaths(source, other):
            pairs = [*zip(source.text[other], died, strict=True)]
            codes = dict.fromkeys(code for code, word in pairs if code and (code, "no") in pairs)
            if both := [code for code in codes if (code, "yes") in pairs]:
                found[other] = both
    return found


def mostly(count: int, of: int) -> bool:
    """True where so many of the rows that can be compared disagree that one reading is wrong."""
    return count > 0 and 2 * count >= of


def event_codes(source: Source, column: str) -> tuple[list[str], list[str]] | None:
    """The codes that say that an event happened, and that it did not; None where in doubt.

    1 means yes only where the name asks for the event itself, as `relapse` does: of a
    `relapse_status` or a `relapse_censor` nobody knows.
    """
    names = {normal(column), stem(column), ASKING.sub("", normal(column))}
    names |= {PAST[name] for name in names if name in PAST}
    asks = any(names & {*stems} for stems in STEMS.values()) and not CENSORED.search(normal(column))
    yes, no = (HAPPENED | YES, NOT_HAPPENED | NO) if asks else (HAPPENED, NOT_HAPPENED)
    words = {"yes", "y", "no", "n"}  # these need no guess
    return _codes(source, column, yes | (words & YES), no | (words & NO), asks)


def _codes(
    source: Source, column: str, yes: set[str], no: set[str], asks: bool
) -> tuple[list[str], list[str]] | None:
    cells, words = set(source.filled(column)), _words(source, column)
    happened = [cell for cell, word in words.items() if word in yes]
    did_not = [cell for cell, word in words.items() if word in no]
    if not cells or not cells <= {*happened, *did_not}:
        return None
    if cells <= {"0", "1"} and not source.variables[column].levels:
        return ["1"], ["0"]
    if asks and not (happened and did_not):  # all, or none
        happened, did_not = happened or _contrary(did_not), did_not or _contrary(happened)
    return (happened, did_not) if happened and did_not else None


def _contrary(cells: list[str]) -> list[str]:
    """The word that says the contrary, written like the one that is there."""
    words = {"yes": "no", "y": "n", "true": "false"}
    words |= {no: yes for yes, no in words.items()}
    return [
        words[cell.lower()].upper()
        if cell.isupper()
        else words[cell.lower()].title()
        if cell.istitle()
        else words[cell.lower()]
        for cell in cells
        if cell.lower() in words
    ]


def partners(source: Source, role: str, columns: list[str], taken: Iterable[str]) -> list[str]:
    """Columns that may say whether the event of a day happened: `relapse` of `relapse_months`.

    They are about the same by name or label, or stand right after the day and are called `status`.
    """
    names = list(source.text)
    # Whatever the day is called, and what its label says.
    called = [*columns, *(source.variables[column].label for column in columns)]
    same = set().union({*STEMS[role]}, *map(about, called))
    after = {names[names.index(column) + 1] for column in columns if column != names[-1]}

    def belongs(column: str) -> bool:
        words = about(column) | about(source.variables[column].label)
        return bool(words & same) or (column in after and normal(column) in BARE_STATUS)

    rest = [column for column in names if column not in {*taken, *columns}]
    return [column for column in rest if _may_be_status(source, column) and belongs(column)]


def _may_be_status(source: Source, column: str) -> bool:
    """Few values, and neither dates, times nor numbers with decimals."""
    cells = source.filled(column)
    few = 1 <= cells.nunique() <= FLAG_AT_MOST
    return (
        few
        and not is_date(source, column)
        and not cells.str.contains(r"^\d*\.\d").any()
        and (not is_number(cells) or cells.str.fullmatch(r"-?\d{1,2}").all())
        and not said_units(source, column)
        and not _TIME.search(column)
    )


def paired(source: Source) -> dict[str, str]:
    """Times with their status and statuses with their time, as `agvhd_days` and `agvhd`."""
    flags = {column: about(column) for column in source.text if _may_be_status(source, column)}
    found = {}
    for column in source.text:
        if not is_number(source.filled(column)):
            continue
        if not (said_units(source, column).get("name", set()) & _SHORT or _TIME.search(column)):
            continue
        for flag, words in flags.items():
            if words & about(column):
                found |= {column: flag, flag: column}
    return found


def agree(days: list[str], statuses: list[str]) -> bool:
    """True where a day stands exactly beside the values of a status that say it happened.

    Where every patient has a day, blank days say nothing, and there is nothing to agree with.
    """
    beside = {status for day, status in zip(days, statuses, strict=True) if day}
    without = {status for day, status in zip(days, statuses, strict=True) if not day}
    return bool(beside and without) and not beside & without
