"""The first mapping of a file: what its names, labels and values say safely, and questions.

A guess that could be wrong without anybody's notice is none: it becomes a question, `?`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pandas as pd
import yaml

from ..dataset.columns import EVENT_DAYS, RESERVED
from ..dataset.privacy import EMAIL, is_phone
from . import adam
from .dates import EPOCHS, UNITS, looks_like_date, needs_century, needs_order, proven_order
from .files import Source, Variable, is_date, is_number
from .meaning import (
    candidates,
    clocks,
    counted_as,
    death_codes,
    deaths,
    disputes,
    doubt,
    event_codes,
    found_codes,
    is_day,
    is_point_in_time,
    paired,
    partners,
)
from .words import (
    ALL_SURVIVAL,
    ASKS_DEATH,
    BARE_STATUS,
    BARE_TIMES,
    CODES,
    CODES_TO,
    COUNTS,
    FREE_TEXT,
    ID,
    IDENTIFYING,
    LABELS,
    NAMES,
    ORIGINS,
    OUTCOMES,
    STATA_SURVIVAL,
    STATUS,
    STEMS,
    VITAL,
    about,
    normal,
    outlived,
    stem,
)

LEVELS_AT_MOST = 20  # more different texts are free text, which may identify a patient
OPEN = "?"
REDCAP_ROWS = ("redcap_event_name", "redcap_repeat_instrument")
DAYS = ("last_contact_day", *EVENT_DAYS, "last_assessment_day")


@dataclass
class Draft:
    """The lines of import.yaml, and the columns that have found their use."""

    lines: list[str] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def add(self, line: str, comment: str = "", depth: int = 0) -> None:
        """One line under its comment, which may hold any label: it stays one line."""
        indent = "  " * depth
        if comment:
            self.lines.append(f"{indent}# {' '.join(comment.split())}")
        self.lines.append(indent + line)


def slug(name: str) -> str:
    """A dataset's name in the letters that it may have."""
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-") or "patients"


def quoted(value: object) -> str:
    """A value as YAML on one line."""
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{quoted(key)}: {quoted(item)}" for key, item in value.items()) + "}"
        )
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(quoted, value)) + "]"
    text = str(value)
    if re.fullmatch(r"[A-Za-z_]([A-Za-z0-9_. -]*[A-Za-z0-9_])?", text) and not re.fullmatch(
        r"y|n|yes|no|on|off|true|false|null|nan", text.lower()
    ):
        return text
    return yaml.safe_dump(text, default_style='"', allow_unicode=True, width=10**9).strip()


HEAD = """\
# How `python -m analysis import` makes patients.csv and datapackage.json of this folder.
# Change it and run the import again. "?" is an open question: the line above it asks.
"""


def draft(source: Source, adtte: Source | None, name: str, new_ids: bool) -> str:
    """The text of a first import.yaml, without the blocks `source` and `made`."""
    draft = Draft()
    draft.add(f"name: {quoted(slug(name))}")
    draft.add(f"title: {quoted(name)}", "What readers see on the pages.")
    draft.add("")
    reserved = Draft(used=draft.used)
    _patient_id(source, reserved, new_ids)
    _rows(source, draft)
    if adtte is None:
        kinds, durations = _days(source, reserved)
        _died(source, reserved)
        words = _dates(source, draft, reserved.used, kinds, durations)
    else:
        _parameters(adtte, reserved)
        unit, why = adam.guessed_unit(adtte)
        draft.add("adtte:")
        draft.add(f"unit: {quoted(unit)}", why, depth=1)
        if rule := adam.counts_from_one(adtte, unit):
            draft.add("aval: as_is", f"{rule}; one_fewer makes the start day 0", depth=1)
        if against := adam.contradictions(adtte):
            draft.add(f"event: {quoted(OPEN)}", f"which CNSR is the event, 0 or 1? {against}", 1)
        draft.add("")
        words = _adam_origin(source, adtte)
    if draft.lines[-1]:
        draft.add("")
    draft.add(
        "analysis:",
        "The object `analysis` of datapackage.json: add months, factors and so on here.",
    )
    why = "what happens on day 0, in words, such as start of treatment?" if words == OPEN else ""
    draft.add(f"time_origin: {quoted(words)}", why, depth=1)
    draft.lines += ["", "reserved:", *reserved.lines, ""]
    _own(source, draft)
    return HEAD + "\n" + "\n".join(draft.lines) + "\n"


def _patient_id(source: Source, draft: Draft, new_ids: bool) -> None:
    found = candidates(source, STEMS["patient_id"])
    column = found[0] if found else "" if new_ids else OPEN
    draft.add("patient_id:", depth=1)
    ask = f'which column names the patient? "" is none: the rows are numbered; {_list(source.text)}'
    comment = _says(source, found[:1]) if found else ask if column else "none: rows are numbered"
    draft.add(f"column: {quoted(column)}", comment, depth=2)
    new = str(new_ids or column == "").lower()
    draft.add(f"new_ids: {new}", "true: P001, P002 and so on instead", depth=2)
    draft.used.update(found[:1])


def _rows(source: Source, draft: Draft) -> None:
    """The question which rows to import, where a patient has several. It comes before all else."""
    found = candidates(source, STEMS["patient_id"])
    if not found or not row_pickers(source, found[0]):
        return
    draft.add("rows:")
    draft.add(f"column: {quoted(OPEN)}", several_rows(source, found[0]), depth=1)
    draft.add(f'values: ["{OPEN}"]', "the values of that column in the rows to import", depth=1)
    draft.add("")


def several_rows(source: Source, ids: str) -> str:
    """What to do where a file has several rows a patient."""
    cells = source.filled(ids)
    picks = "; ".join(
        f"{column}: {', '.join(values)}" for column, values in row_pickers(source, ids).items()
    )
    which = f"which row of each? a column and its values, as {picks}"
    if not picks:
        which = "no column picks one row of each, so make a file of one row a patient"
    rows = f"{ids} of {source.file} has {cells.nunique()} patients in {len(cells)} rows"
    return f"{rows}, and rows are not merged; {which}"


def row_pickers(source: Source, ids: str) -> dict[str, list[str]]:
    """Columns whose values pick one row a patient, as `etype: 1, 2`; none where few ids repeat.

    REDCap says itself which row is what; a box of one of its questions never does.
    """
    patients = source.filled(ids)
    again = patients[patients.duplicated()].nunique()
    found: dict[str, list[str]] = {}
    if again < 2 or again < 0.5 * patients.nunique():
        return found
    for column in source.text:
        if column == ids or "___" in column or source.text[column].nunique() > LEVELS_AT_MOST:
            continue
        pairs = source.text.groupby([column, ids]).size().groupby(level=0)
        once = pairs.max().eq(1) & pairs.size().gt(0.5 * patients.nunique())
        if values := [value for value in once.index[once] if value]:
            found[column] = values
    return {column: found[column] for column in REDCAP_ROWS if column in found} or found


def _days(source: Source, draft: Draft) -> tuple[list[str], list[str]]:
    """The columns that are days; returns those that are dates, and those that are durations."""
    dates: list[str] = []
    durations: list[str] = []
    for role in DAYS:
        columns, comment = _day_columns(source, role)
        if not columns and role != "last_contact_day":
            continue
        draft.add(f"{role}:", depth=1)
        if not columns or OPEN in columns:
            draft.add(f"column: {quoted(OPEN)}", comment, depth=2)
            if _unit_unknown(source, role):
                ask = f"what are its numbers? {', '.join(UNITS)}, or date, or {', '.join(EPOCHS)}"
                draft.add(f"as: {quoted(OPEN)}", ask, depth=2)
            continue
        draft.used.update(columns)
        both = clocks(source, [*durations, *columns])
        told = ", ".join(f"{column} from {words}" for column, words in both.items())
        ask = f"two clocks: {told}; which of these count from day 0? {_list(columns)}"
        column = OPEN if both else columns if len(columns) > 1 else columns[0]
        draft.add(f"column: {quoted(column)}", ask if both else comment, depth=2)
        how = counted_as(source, columns[0])
        durations += columns if how in UNITS and not both else []
        draft.add(f"as: {quoted(how or OPEN)}", _why(how) or doubt(source, columns[0]), depth=2)
        if role in EVENT_DAYS:
            _happened(source, draft, role, columns)
        dates += columns if how == "date" or how in EPOCHS else []
    return dates, durations


def _unit_unknown(source: Source, role: str) -> bool:
    """True where no column that may be chosen says its unit, or one is called time alone."""
    pool = candidates(source, STEMS[role]) or source.text
    known = {c: counted_as(source, c) is not None for c in pool if is_day(source, c)}
    return not any(known.values()) or any(
        stem(column) in BARE_TIMES and not said for column, said in known.items()
    )


def _blanks(source: Source, column: str) -> int:
    return len(source.text) - len(source.filled(column))


def _same_days(source: Source, columns: list[str]) -> bool:
    """True where durations in several units say the same, to the month."""
    lengths = [UNITS[counted_as(source, column)] for column in columns]
    days = [
        pd.to_numeric(source.text[column], errors="coerce") * length
        for column, length in zip(columns, lengths, strict=True)
    ]
    return all((one - days[0]).abs().max() <= max(UNITS["months"], *lengths) for one in days[1:])


def _happened(source: Source, draft: Draft, role: str, columns: list[str]) -> None:
    """The column that says whether the event of a day happened, where the file has one."""
    found = partners(source, role, columns, draft.used)
    if not found:
        return
    status = found[0] if len(found) == 1 else OPEN
    if status == OPEN:
        ask = f"which column says whether it happened? none, or one of {_list(found)}"
        draft.add(f"status: {quoted(OPEN)}", ask, depth=2)
        draft.add(f'happened: ["{OPEN}"]', "its codes that mean yes", depth=2)
        draft.add(f'not_happened: ["{OPEN}"]', "its codes that mean no", depth=2)
        return
    draft.used.add(status)
    codes = event_codes(source, status)
    values = found_codes(source, status)
    note = f"it says whether it happened: else the day is blank; its values: {values}"
    draft.add(f"status: {quoted(status)}", note, depth=2)
    ask = f"which codes of {status} mean that it happened, such as [1]? found {values}"
    draft.add(f"happened: {quoted(codes[0] if codes else OPEN)}", "" if codes else ask, depth=2)
    ask = f'which codes of {status} mean that it did not? "" is blank; found {values}'
    if codes and "" in source.text[status].tolist() and _blank_together(source, columns, status):
        codes = codes[0], [*codes[1], ""]
    draft.add(f"not_happened: {quoted(codes[1] if codes else OPEN)}", "" if codes else ask, depth=2)


def _blank_together(source: Source, columns: list[str], status: str) -> bool:
    """True where a blank status never stands beside a day."""
    days = source.text[columns].ne("").any(axis=1)
    return not (days & source.text[status].eq("")).any()


def _day_columns(source: Source, role: str) -> tuple[list[str], str]:
    """The column of a reserved day, or two: the first that is not blank counts."""
    found = [column for column in candidates(source, STEMS[role]) if is_day(source, column)]
    known = [column for column in found if counted_as(source, column)] or found
    wanted = "date" if _has_dates(source) else "days"
    days = [column for column in known if counted_as(source, column) == wanted] or known
    if len(days) > 1:
        return [OPEN], f"which of these is {role}? {_list(days)}"
    counted = [column for column in known if counted_as(source, column) in UNITS]
    if days and days[0] in counted:  # the most complete one, then the finest unit
        if not _same_days(source, counted):
            return [OPEN], f"which of these is {role}? they disagree: {_list(counted)}"
        days = sorted(counted, key=lambda c: (_blanks(source, c), UNITS[counted_as(source, c)]))[:1]
    if role != "last_contact_day":
        return days, _says(source, days)
    if not days:
        return [], (
            "which column is the day of death or of the last contact? a list takes the first that "
            f"is not blank, as in [death_date, last_visit]; {_list(source.text)}"
        )
    if {normal(days[0]), stem(days[0])} & set(ALL_SURVIVAL):
        return days, _says(source, days)
    deaths = [column for column in candidates(source, STEMS["death"]) if is_day(source, column)]
    same = [
        column for column in deaths if counted_as(source, column) == counted_as(source, days[0])
    ]
    if len(same) == 1:
        return [*same, *days], "the day of death, and else that of the last contact"
    return days, _says(source, days)


def _has_dates(source: Source) -> bool:
    """True where the events are dates: then the last contact is best taken from a date too."""
    events = [column for role in EVENT_DAYS for column in candidates(source, STEMS[role])]
    return any(is_date(source, column) for column in events) and not any(
        is_day(source, column) and counted_as(source, column) == "days" for column in events
    )


def _died(source: Source, draft: Draft) -> None:
    draft.add("died:", depth=1)
    asked = candidates(source, (*ASKS_DEATH, *STATUS))
    dated = candidates(source, STEMS["death"])
    flags = [column for column in asked if not is_day(source, column)]
    dates = [column for column in dated if is_point_in_time(source, column)]
    counts = [
        column
        for column in asked
        if column not in flags
        and not is_date(source, column)
        and counted_as(source, column) is None
    ]
    column = next(iter([*flags, *counts, *dates]), None)
    if column is None:
        comment = f"which column says whether the patient died? {_list(source.text)}"
        draft.add(f"column: {quoted(OPEN)}", comment, depth=2)
        if not any(deaths(source, column) for column in source.text):
            ask = 'which of its codes mean dead, such as [1], or ["*"] for any date?'
            draft.add(f"dead: {quoted(OPEN)}", ask, depth=2)
            ask = 'which of its codes mean alive, such as [0]? "" is blank'
            draft.add(f"alive: {quoted(OPEN)}", ask, depth=2)
        return
    if others := disputes(source, column, deaths(source, column)):
        told = ", ".join(f"{other} (in {count} rows)" for other, (count, _) in others.items())
        ask = f"which column says whether the patient died? {column} disagrees with {told}"
        draft.add(f"column: {quoted(OPEN)}", ask, depth=2)
        return
    draft.used.add(column)
    draft.add(f"column: {quoted(column)}", _says(source, [column]), depth=2)
    codes = death_codes(source, column)
    found = found_codes(source, column)
    ask = f"which codes of {column} mean dead, such as [1]? found {found}"
    note = (
        "* is any value: a date of death is a death"
        if codes and codes[0] == ["*"]
        else f"its values: {found}"
    )
    draft.add(f"dead: {quoted(codes[0] if codes else OPEN)}", note if codes else ask, depth=2)
    ask = f'which codes of {column} mean alive, such as [0]? "" is blank; found {found}'
    draft.add(f"alive: {quoted(codes[1] if codes else OPEN)}", "" if codes else ask, depth=2)


def _dates(
    source: Source, draft: Draft, used: set[str], dates: list[str], durations: list[str]
) -> str:
    """The block `dates`; returns the words for day 0."""
    if not dates:
        return OPEN
    draft.add("dates:")
    found = [
        c
        for c in candidates(source, ORIGINS)
        if is_date(source, c) or counted_as(source, c) in EPOCHS
    ]
    origin = found[0] if len(found) == 1 else OPEN
    every = [c for c in source.text if c not in dates and (is_date(source, c) or c in found)]
    ask = f"which date is day 0? {_list(found or every or source.text)}"
    if both := clocks(source, durations, _in_words(source, origin)):
        told = ", ".join(f"{column} from {words}" for column, words in both.items())
        origin, ask = OPEN, f"{ask}; two clocks: {told}"
    draft.add(f"origin: {quoted(origin)}", ask if origin == OPEN else _says(source, found), depth=1)
    if origin != OPEN:
        used.add(origin)
        draft.add(f"as: {quoted(counted_as(source, origin))}", depth=1)
    _order(source, draft, [*dates, *found])
    if origin == OPEN:
        return OPEN
    return _in_words(source, origin) or OPEN


def _in_words(source: Source, origin: str) -> str:
    """What happens on the day of a date, by its name or label; blank where neither says it."""
    if origin == OPEN:
        return ""
    words = (normal(origin), stem(origin), stem(source.variables[origin].label))
    return next((ORIGINS[word] for word in words if word in ORIGINS), "")


def _order(source: Source, draft: Draft, dates: list[str]) -> None:
    """Which comes first, day or month, and the century, where the dates alone do not say."""
    cells = (cell for column in dates for cell in source.filled(column))
    if short := next(filter(needs_century, cells), None):
        ask = f"the years of two digits, as in {short}: within the hundred years from which one?"
        draft.add(f"first_year: {quoted(OPEN)}", f"{ask} such as 1950", depth=1)
    doubtful = {
        cell: f"row {row} of {column}"
        for column in dates
        for row, cell in source.filled(column).items()
        if needs_order(cell) and looks_like_date(cell)
    }
    if not doubtful:
        return
    order, proof = proven_order(doubtful)
    ask = f"which comes first in {next(iter(doubtful.values()))}? day-first or month-first"
    why = f"{doubtful[proof]} can be read in no other way" if order else ask
    draft.add(f"order: {quoted(order or OPEN)}", why, depth=1)


_PARAMETERS = {
    "response_day": (("TTR", "TTCR", "TTRESP"), r"^time to .*\b(response|remission)\b"),
    "mrd_response_day": (("TTMRD",), r"^time to .*\b(mrd|minimal residual)\b"),
    "hsct_day": (("TTHSCT", "TTSCT"), r"^time to .*(transplant|hsct|\bsct)"),
    "relapse_day": (("TTREL", "TTRELAPS"), r"^time to (first )?relapse\b"),
}
_OTHER_TIMES = re.compile(r"\bor\b|loss|duration|free|without|progression")


def _parameters(adtte: Source, draft: Draft) -> None:
    """Reserved days from the parameters whose words leave no doubt."""
    words = {code: text.lower() for code, text in adam.described(adtte).items()}
    overall = [
        code for code, text in words.items() if code == "OS" or text.startswith("overall surv")
    ]
    code = overall[0] if len(overall) == 1 else OPEN
    every = "; ".join(f"{code}: {text}" for code, text in adam.described(adtte).items())
    draft.add("last_contact_day:", depth=1)
    ask = f"which PARAMCD is overall survival? {every}; where none is, column: and as: of ADSL"
    draft.add(f"paramcd: {quoted(code)}", ask if code == OPEN else f"of {every}", depth=2)
    if code != OPEN:
        draft.add(
            "died:", "Its event is the death. Without this block: the same parameter.", depth=1
        )
        draft.add(f"paramcd: {quoted(code)}", depth=2)
    for role, (codes, pattern) in _PARAMETERS.items():
        mrd = role == "mrd_response_day"
        found = [
            code
            for code, text in words.items()
            if (code in codes or re.search(pattern, text))
            and not _OTHER_TIMES.search(text)
            and mrd == bool(re.search(r"\bmrd\b|minimal res", text))
        ]
        if len(found) == 1:
            draft.add(f"{role}:", depth=1)
            draft.add(
                f"paramcd: {quoted(found[0])}",
                words[found[0]],
                depth=2,
            )


def _adam_origin(source: Source, adtte: Source) -> str:
    """The words for day 0: the date of ADSL from which overall survival counts."""
    codes = adam.described(adtte)
    starts = adam.starts(adtte, "OS" if "OS" in codes else next(iter(codes)))
    ids = candidates(source, STEMS["patient_id"])
    for column in candidates(source, ORIGINS) if ids and starts else []:
        days = dict(zip(source.text[ids[0]], source.text[column], strict=True))
        if all(days.get(patient) == str(day) for patient, day in starts.items()):
            return ORIGINS[normal(column) if normal(column) in ORIGINS else stem(column)]
    return OPEN


# --- the columns that stay the dataset's own -------------------------------------------------


def identifies(source: Source, column: str) -> str:
    """Why a column may say who a patient is; blank where nothing says so."""
    variable, name = source.variables[column], normal(column)
    if variable.kind == "identifier":
        return "the dictionary marks it as identifying"
    if IDENTIFYING.search(name) or name in NAMES or LABELS.search(variable.label):
        return "may say who the patient is"
    cells = source.filled(column)
    if cells.str.fullmatch(EMAIL).any():
        return "holds e-mail addresses"
    if len(cells) and cells.map(is_phone).mean() >= 0.5:
        return "holds what may be phone numbers"
    return ""


def _reason(source: Source, column: str) -> str:
    """Why a column is left out; blank where it is kept."""
    variable, cells = source.variables[column], source.filled(column)
    if why := identifies(source, column):
        return why
    if variable.kind == "administrative":
        return variable.note or "of the program, not of the patient"
    if variable.kind == "free text" or FREE_TEXT.search(normal(column)):
        return "free text may identify patients"
    if cells.empty:
        return "blank in every row"
    outcome = _of_outcome(source, column)
    if is_date(source, column) or (variable.kind == "date" and not cells.empty):
        return f"a date; under columns, type date makes it days{outcome and f' ({outcome})'}"
    if outcome:
        return outcome
    if len(cells) > 5 and _counts_rows(cells.tolist()):
        return "counts the rows"
    if cells.is_unique and len(cells) > 5 and ID.search(normal(column)):
        return "another identifier"
    if cells.nunique() == 1 and len(cells) == len(source.text):
        return "the same in every row"
    return _too_many(variable, cells)


def _counts_rows(cells: list[str]) -> bool:
    return any(cells == [str(first + n) for n in range(len(cells))] for first in (0, 1))


def _of_outcome(source: Source, column: str) -> str:
    """What came after day 0 is no characteristic of the patient on day 0."""
    if column in STATA_SURVIVAL:
        return "made by stset of Stata: follow-up or its end, no characteristic"
    if {normal(column), stem(column)} & {*STEMS["patient_id"]}:
        return "another identifier"
    words = about(column)
    for role in ("last_contact_day", "death", *EVENT_DAYS, "last_assessment_day"):
        if words & {*STEMS[role]}:
            return f"about {RESERVED.get(role, 'Death').lower()}, as a reserved column is"
    said = f"{normal(column)}_{normal(source.variables[column].label)}"
    if words & {*ASKS_DEATH, *STATUS} or VITAL.search(said):
        return "about death, as a reserved column is"
    for word in sorted(words & {*OUTCOMES}):
        return f"an outcome, {OUTCOMES[word]}"
    if outlived(column):
        return "an outcome by its name, no characteristic"
    if words & {*BARE_STATUS} or (stem(column) in BARE_TIMES and is_day(source, column)):
        return "a time or a status by its name, no characteristic"
    return ""


def _too_many(variable: Variable, cells: pd.Series) -> str:
    if _is_labelled(variable, cells) and len(variable.levels) > LEVELS_AT_MOST:
        return f"{len(variable.levels)} levels, more than {LEVELS_AT_MOST}"
    if _is_labelled(variable, cells) or _is_numeric(variable, cells):
        return ""
    many = cells.nunique()
    if many > LEVELS_AT_MOST:
        return f"{many} different texts; free text may identify patients"
    return "a text of its own in every row" if cells.is_unique and many > 5 else ""


def _is_numeric(variable: Variable, cells: pd.Series) -> bool:
    """Numbers, with at most a few slips among many values, which the import then names."""
    if variable.kind == "text" or cells.str.fullmatch(r"0\d+").any():  # 007 is a code
        return False
    slips = variable.kind == "number" or cells.nunique() > LEVELS_AT_MOST
    return is_number(cells, share=0.9 if slips else 1)


def _is_labelled(variable: Variable, cells: pd.Series) -> bool:
    """True where the file's labels cover every value."""
    return bool(variable.levels) and set(cells) <= {*variable.levels, *variable.levels.values()}


def _is_coded(variable: Variable, cells: pd.Series) -> bool:
    """True for numbers that name groups: a mean of them would say nothing.

    One digit each and some of them repeated, or by their name; no counts and no measurements.
    """
    words = {*normal(variable.name).split("_"), *normal(variable.label).split("_")}
    if variable.kind == "number" or variable.minimum or variable.maximum:
        return False
    if not cells.str.fullmatch(r"-?\d+").all() or cells.nunique() > LEVELS_AT_MOST:
        return False
    named = {*normal(variable.name).split("_")} & CODES
    small = cells.str.fullmatch(r"\d").all() and pd.to_numeric(cells).max() <= CODES_TO
    return bool(named) or bool(small and not words & COUNTS and not cells.is_unique)


def own_type(variable: Variable, cells: pd.Series) -> tuple[str, object]:
    """The type of an own column, and its levels: a list, or labels by their codes."""
    if _is_labelled(variable, cells):
        same = all(code == label for code, label in variable.levels.items())
        return "string", list(variable.levels) if same else variable.levels
    if _is_coded(variable, cells):
        return "string", sorted(set(cells), key=int)
    if _is_numeric(variable, cells):
        whole = pd.to_numeric(cells, errors="coerce").mod(1).fillna(0).eq(0).all()
        return ("integer" if whole else "number"), None
    values = sorted(set(cells))
    if {value.lower() for value in values} in ({"y", "n"}, {"yes", "no"}):
        words = {value: "yes" if value.lower()[0] == "y" else "no" for value in values[::-1]}
        return "string", list(words) if list(words) == ["yes", "no"] else words
    return "string", values


def _own(source: Source, draft: Draft) -> None:
    rest = [column for column in source.text if column not in draft.used]
    pairs = paired(source)
    reasons = {column: _reason(source, column) for column in rest}
    reasons |= {
        column: f"a time and its status, with {pairs[column]}: an outcome"
        for column in rest
        if not reasons[column] and column in pairs
    }
    kept = [column for column in rest if not reasons[column]]
    names = {column: column.lower() if column.isupper() else column for column in kept}
    taken = {column: names[column] for column in kept if names[column] in RESERVED}
    draft.add(
        "columns:" if kept else "columns: {}", "Kept, for the tables of patients and for factors."
    )
    for column in kept:
        _own_column(source, draft, column, names[column] + ("_" if column in taken else ""))
    dropped = {column: why for column, why in reasons.items() if why}
    draft.lines.append("")
    draft.add(
        "dropped:" if dropped else "dropped: {}", "Left out. To keep one, move it to columns."
    )
    for column, why in dropped.items():
        draft.add(f"{quoted(column)}: {quoted(why)}", depth=1)


def _own_column(source: Source, draft: Draft, column: str, name: str) -> None:
    variable, cells = source.variables[column], source.filled(column)
    kind, levels = own_type(variable, cells)
    draft.add(f"{quoted(column)}:", depth=1)
    if name != column:
        draft.add(f"name: {quoted(name)}", depth=2)
    draft.add(f"title: {quoted(variable.label or column)}", depth=2)
    draft.add(f"type: {kind}", _why_type(variable, kind, cells), depth=2)
    for key, value in _details(variable, kind, levels):
        draft.add(f"{key}: {quoted(value)}", depth=2)


def _why_type(variable: Variable, kind: str, cells: pd.Series) -> str:
    """What the type of an own column rests on."""
    if kind == "string" and _is_coded(variable, cells):
        return 'numbers without labels, taken for codes; levels {"1": male} names them'
    if kind == "string":
        return "labels of the file" if variable.levels else f"{cells.nunique()} different texts"
    return "whole numbers" if kind == "integer" else "numbers"


def _details(variable: Variable, kind: str, levels: object) -> Iterator[tuple[str, object]]:
    if levels:
        yield "levels", levels
    if kind != "string":
        yield from (
            (key, getattr(variable, key))
            for key in ("minimum", "maximum")
            if getattr(variable, key)
        )
    if variable.note:
        yield "description", variable.note


def _says(source: Source, columns: list[str]) -> str:
    """What a choice rests on."""
    labels = [source.variables[column].label for column in columns]
    return "its label: " + "; ".join(labels) if any(labels) else "by its name"


def _why(how: str | None) -> str:
    """Why days are read in this way; blank where it is not known."""
    if how is None:
        return ""
    if how == "date":
        return "its cells are dates"
    return "its name or label says a date" if how in EPOCHS else "its name or label says the unit"


def _list(names: Iterable[str], most: int = 40) -> str:
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
