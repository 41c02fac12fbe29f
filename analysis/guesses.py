"""The first mapping of a file: what its names, labels and values say safely, and questions.

A guess that could be wrong without anybody's notice is none: it becomes a question, `?`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pandas as pd
import yaml

from . import adam
from .dataset import EVENT_DAYS, RESERVED
from .dates import EPOCHS, looks_like_date, needs_order, proven_order
from .sources import Source, Variable, is_date, is_number

LEVELS_AT_MOST = 20  # more different texts are free text, which may identify a patient
OPEN = "?"
DAYS = ("last_contact_day", *EVENT_DAYS, "last_assessment_day")

_BEFORE = re.compile(
    r"^(date_of_the|date_of|date|dat|dt|day_of|days_to|time_to|weeks_to|months_to|years_to)_"
)
_AFTER = re.compile(r"_(date|dates|dat|datum|day|days|dt|dtc|time|weeks?|months?|years?|yrs)$")

# What a name means, without its words for date or day. The first that a file has is taken.
STEMS: dict[str, tuple[str, ...]] = {
    "patient_id": (
        *("usubjid", "patient_id", "patientid", "pat_id", "patid", "subject_id", "subjid"),
        *("record_id", "case_id", "study_id", "patient_no", "patient_number", "pat_no", "patno"),
        *("subject", "patient", "pid", "id"),
    ),
    "last_contact_day": (
        *("last_contact", "death_or_last_contact", "last_follow_up", "last_followup", "last_fu"),
        *("lastfu", "last_news", "last_seen", "last_known_alive", "last_alive", "lstalvdt"),
        *("follow_up", "followup", "fu", "futime", "os", "overall_survival", "survival"),
    ),
    "death": ("death", "dthdt", "dth", "died", "deceased", "dod"),
    "response_day": (
        *("response", "first_response", "complete_response", "complete_remission"),
        *("remission", "first_remission", "cr", "cr1"),
    ),
    "mrd_response_day": ("mrd_response", "mrd_negativity", "mrd_remission"),
    "hsct_day": ("hsct", "sct", "allo_sct", "allosct", "transplant", "transplantation", "bmt"),
    "relapse_day": ("relapse", "first_relapse", "rel", "recurrence"),
    "last_assessment_day": ("last_assessment", "last_disease_assessment", "last_evaluation"),
}
_ALL_SURVIVAL = ("os", "overall_survival", "survival", "death_or_last_contact")
# Day 0 by the name of its date, and in words.
ORIGINS = {
    **dict.fromkeys(("randomisation", "randomization", "rand", "randdt"), "randomisation"),
    **dict.fromkeys(("treatment_start", "start_of_treatment", "trtsdt"), "start of treatment"),
    **dict.fromkeys(("therapy_start", "start_of_therapy", "start_treatment"), "start of treatment"),
    **dict.fromkeys(("first_dose", "first_treatment"), "first dose"),
    **dict.fromkeys(("diagnosis", "diag", "dx"), "diagnosis"),
    **dict.fromkeys(("enrolment", "enrollment", "registration", "inclusion"), "enrolment"),
}
# Where 1 can only mean yes, because the column asks whether the patient died.
_ASKS_DEATH = ("died", "dead", "death", "deceased", "dth", "dthfl", "os_event", "death_event")
_STATUS = ("status", "vital_status", "vital", "survival_status", "os_status", "death_status")
_DEAD = {"dead", "died", "death", "deceased"}
_ALIVE = {"alive", "living", "censored", "alive at last contact"}
_YES, _NO = {"yes", "y", "true", "1"}, {"no", "n", "false", "0"}

_IDENTIFYING = re.compile(
    r"(^|_)((first|last|sur|fore|given|family|middle|maiden|full|patient|pat|subject)_?names?"
    r"|surname|initials?|nachname|vorname|prenom|e_?mail|email_address|phone|phone_?(no|number)"
    r"|telephone|tele?fon|mobile|fax|address|street|post_?code|postal_code|zip|zip_?code|ssn"
    r"|passport|mrn|medical_record(_number)?|hospital_(number|no|id)|insurance_(number|no|id)"
    r"|dob|birth_?(date|day|dt|dtc)|date_of_birth|geburts(datum|tag)|brthdtc?)(_\d+)?$"
)
_NAMES = ("name", "names", "nom", "tel", "insurance", "cell_phone")
_LABELS = re.compile(
    r"\b((first|last|family|given|full|maiden) name|patient'?s?'? name|surname|initials"
    r"|e-?mail|(tele|mobile )?phone|date of birth|birth ?date|home address|post ?code)\b",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_PHONE = re.compile(r"(\+|00?)?\(?\d+\)?([ ./()-]+\d+)+\)?|(\+|00)\d{6,}")
_FREE_TEXT = re.compile(r"(^|_)(comments?|remarks?|notes?|free_?text|specify)$")
_ID = re.compile(r"(^|_)(id|no|nr|number|key|uid|guid)$|subjid$")


def normal(name: str) -> str:
    """A name or label in one form: small letters, parts joined by `_`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")


def stem(name: str) -> str:
    """What a name is about, without its words for date, day or time."""
    return _AFTER.sub("", _BEFORE.sub("", normal(name)))


# --- what columns mean -----------------------------------------------------------------------


def candidates(source: Source, stems: Iterable[str]) -> list[str]:
    """Columns with one of these meanings by name, else by label; in the order of the meanings."""
    stems = list(stems)
    by_name = {column: {normal(column), stem(column)} for column in source.text}
    by_label = {column: {stem(variable.label)} for column, variable in source.variables.items()}
    for meanings in (by_name, by_label):
        found = [
            (stems.index(said), column)
            for column, words in meanings.items()
            for said in words
            if said in stems
        ]
        if found:
            return list(
                dict.fromkeys(column for _, column in sorted(found, key=lambda pair: pair[0]))
            )
    return []


def counted_as(source: Source, column: str) -> str | None:
    """How a column says its days: `date`, a program's count, or a unit. None: it is not known."""
    if is_date(source, column):
        return "date"
    words = f"{normal(column)}_{normal(source.variables[column].label)}".split("_")
    for unit in ("days", "weeks", "months", "years"):
        if unit in words or unit[:-1] in words:
            return unit
    if {"date", "dt", "dat", "datum"} & set(words) or normal(column).endswith("dt"):
        return {"excel": "excel-date", "sas": "sas-date", "stata": "stata-date"}.get(source.form)
    return None


def is_day(source: Source, column: str) -> bool:
    """True for dates, and for numbers that are no mere yes and no."""
    cells = source.filled(column)
    if is_date(source, column):
        return True
    return (
        is_number(cells, share=0.5)
        and not source.variables[column].levels
        and (not set(cells) <= {"0", "1"} or counted_as(source, column) in ("days", "weeks"))
    )


def death_codes(source: Source, column: str) -> tuple[list[str], list[str]] | None:
    """The codes of death and of life in a column, None where they are not beyond doubt."""
    cells = set(source.filled(column))
    if _is_point_in_time(source, column):
        return ["*"], [""]
    labels = source.variables[column].levels
    words = {cell: labels.get(cell, cell).lower() for cell in [*labels, *cells]}
    asks = bool({normal(column), stem(column)} & set(_ASKS_DEATH))
    dead_words, alive_words = (_DEAD | _YES, _ALIVE | _NO) if asks else (_DEAD, _ALIVE)
    dead = [cell for cell, word in words.items() if word in dead_words]
    alive = [cell for cell, word in words.items() if word in alive_words]
    if not cells or not cells <= {*dead, *alive} or not (dead or alive):
        return None
    if cells <= {"0", "1"} and not labels:
        return ["1"], ["0"]
    if normal(column) == "dthfl":  # the standard has Y or nothing
        return dead, [*alive, ""]
    if asks and not (dead and alive):  # all died, or none did
        dead, alive = dead or _contrary(alive), alive or _contrary(dead)
    return (dead, alive) if dead and alive else None


def _contrary(cells: list[str]) -> list[str]:
    """The word that says the contrary, written like the one that is there."""
    words = {
        a: b
        for pair in (("yes", "no"), ("y", "n"), ("true", "false"))
        for a, b in (pair, pair[::-1])
    }
    found = [(cell, words[cell.lower()]) for cell in cells if cell.lower() in words]
    return [
        word.upper() if cell.isupper() else word.title() if cell.istitle() else word
        for cell, word in found
    ]


def _is_point_in_time(source: Source, column: str) -> bool:
    """True for a date, be it written or counted by a program."""
    if is_date(source, column):
        return True
    return is_day(source, column) and counted_as(source, column) in EPOCHS


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
    draft.add(f"name: {quoted(normal(name).replace('_', '-') or 'patients')}")
    draft.add(f"title: {quoted(name)}", "What readers see on the pages.")
    draft.add("")
    reserved = Draft(used=draft.used)
    _patient_id(source, reserved, new_ids)
    if adtte is None:
        kinds = _days(source, reserved)
        _died(source, reserved)
        words = _dates(source, draft, reserved.used, kinds)
    else:
        _parameters(adtte, reserved)
        unit, why = adam.guessed_unit(adtte)
        draft.add("adtte:")
        draft.add(f"unit: {quoted(unit)}", why, depth=1)
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
    column = found[0] if found else OPEN
    comment = f"which column names the patient? {_list(source.text)}"
    draft.add("patient_id:", depth=1)
    draft.add(f"column: {quoted(column)}", _says(source, found[:1]) if found else comment, depth=2)
    draft.add(f"new_ids: {str(new_ids).lower()}", "true: P001, P002 and so on instead", depth=2)
    draft.used.update(found[:1])


def _days(source: Source, draft: Draft) -> list[str]:
    """The columns that are days; returns those that are dates."""
    dates: list[str] = []
    for role in DAYS:
        columns, comment = _day_columns(source, role)
        if not columns and role != "last_contact_day":
            continue
        draft.add(f"{role}:", depth=1)
        if not columns or OPEN in columns:
            draft.add(f"column: {quoted(OPEN)}", comment, depth=2)
            continue
        draft.used.update(columns)
        draft.add(
            f"column: {quoted(columns if len(columns) > 1 else columns[0])}", comment, depth=2
        )
        how = counted_as(source, columns[0])
        ask = (
            ""
            if how
            else (
                f"what are the numbers of {columns[0]}? days, weeks, months or years, or dates "
                f"counted by a program: {', '.join(EPOCHS)}"
            )
        )
        draft.add(f"as: {quoted(how or OPEN)}", ask or _why(how), depth=2)
        dates += columns if how == "date" or how in EPOCHS else []
    return dates


def _day_columns(source: Source, role: str) -> tuple[list[str], str]:
    """The column of a reserved day, or two: the first that is not blank counts."""
    found = [column for column in candidates(source, STEMS[role]) if is_day(source, column)]
    known = [column for column in found if counted_as(source, column)] or found
    wanted = "date" if _has_dates(source) else "days"
    days = [column for column in known if counted_as(source, column) == wanted] or known
    if len(days) > 1:
        return [OPEN], f"which of these is {role}? {_list(days)}"
    if role != "last_contact_day":
        return days, _says(source, days)
    if not days:
        return [], (
            "which column is the day of death or of the last contact? a list takes the first that "
            f"is not blank, as in [death_date, last_visit]; {_list(source.text)}"
        )
    if {normal(days[0]), stem(days[0])} & set(_ALL_SURVIVAL):
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
    asked = candidates(source, (*_ASKS_DEATH, *_STATUS))
    deaths = candidates(source, STEMS["death"])
    flags = [column for column in asked if not is_day(source, column)]
    dates = [column for column in deaths if _is_point_in_time(source, column)]
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
        return
    draft.used.add(column)
    draft.add(f"column: {quoted(column)}", _says(source, [column]), depth=2)
    codes = death_codes(source, column)
    found = _list(dict.fromkeys(source.text[column].replace("", "blank")), most=10)
    ask = f"which codes of {column} mean dead, such as [1]? found {found}"
    note = (
        "* is any value: a date of death is a death"
        if codes and codes[0] == ["*"]
        else f"its values: {found}"
    )
    draft.add(f"dead: {quoted(codes[0] if codes else OPEN)}", note if codes else ask, depth=2)
    ask = f'which codes of {column} mean alive, such as [0]? "" is blank; found {found}'
    draft.add(f"alive: {quoted(codes[1] if codes else OPEN)}", "" if codes else ask, depth=2)


def _dates(source: Source, draft: Draft, used: set[str], dates: list[str]) -> str:
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
    draft.add(f"origin: {quoted(origin)}", ask if origin == OPEN else _says(source, found), depth=1)
    if origin != OPEN:
        used.add(origin)
        draft.add(f"as: {quoted(counted_as(source, origin))}", depth=1)
    _order(source, draft, [*dates, *found])
    if origin == OPEN:
        return OPEN
    label = source.variables[origin].label
    words = {normal(origin), stem(origin), stem(label)}
    return next((ORIGINS[word] for word in words if word in ORIGINS), OPEN)


def _order(source: Source, draft: Draft, dates: list[str]) -> None:
    """Which comes first, day or month, where the dates alone do not say."""
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
    ask = f"which PARAMCD is overall survival? {every}"
    draft.add(f"paramcd: {quoted(code)}", ask if code == OPEN else f"of {every}", depth=2)
    if code != OPEN:
        draft.add(
            "died:", "CNSR of 0 is the death. Without this block: the same parameter.", depth=1
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
                f"{words[found[0]]}; CNSR of 0 is the event",
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
    if _IDENTIFYING.search(name) or name in _NAMES or _LABELS.search(variable.label):
        return "may say who the patient is"
    cells = source.filled(column)
    if cells.str.fullmatch(_EMAIL).any():
        return "holds e-mail addresses"
    if len(cells) and not is_number(cells) and not is_date(source, column):
        digits = cells.str.count(r"\d") >= 7
        if (cells.str.fullmatch(_PHONE) & digits).mean() >= 0.5:
            return "holds what may be phone numbers"
    return ""


def _reason(source: Source, column: str) -> str:
    """Why a column is left out; blank where it is kept."""
    variable, cells = source.variables[column], source.filled(column)
    if why := identifies(source, column):
        return why
    if variable.kind == "administrative":
        return "of the program, not of the patient"
    if variable.kind == "free text" or _FREE_TEXT.search(normal(column)):
        return "free text may identify patients"
    if cells.empty:
        return "blank in every row"
    if is_date(source, column) or (variable.kind == "date" and not cells.empty):
        return "a date; under columns, type date makes it days"
    if why := _of_outcome(source, column):
        return why
    if len(cells) > 5 and _counts_rows(cells.tolist()):
        return "counts the rows"
    if cells.is_unique and len(cells) > 5 and _ID.search(normal(column)):
        return "another identifier"
    if cells.nunique() == 1 and len(cells) == len(source.text):
        return "the same in every row"
    return _too_many(variable, cells)


def _counts_rows(cells: list[str]) -> bool:
    return any(cells == [str(first + n) for n in range(len(cells))] for first in (0, 1))


def _of_outcome(source: Source, column: str) -> str:
    """A second column of what a reserved column says is no characteristic of the patient."""
    words = {normal(column), stem(column)}
    if words & {*STEMS["patient_id"]}:
        return "another identifier"
    for role in ("last_contact_day", "death", *EVENT_DAYS, "last_assessment_day"):
        if words & {*STEMS[role]}:
            return f"about {RESERVED.get(role, 'Death').lower()}, as a reserved column is"
    return "about death, as a reserved column is" if words & {*_ASKS_DEATH, *_STATUS} else ""


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
    if variable.kind == "text":
        return False
    slips = variable.kind == "number" or cells.nunique() > LEVELS_AT_MOST
    return is_number(cells, share=0.9 if slips else 1)


def _is_labelled(variable: Variable, cells: pd.Series) -> bool:
    """True where the file's labels cover every value."""
    return bool(variable.levels) and set(cells) <= {*variable.levels, *variable.levels.values()}


def own_type(variable: Variable, cells: pd.Series) -> tuple[str, object]:
    """The type of an own column, and its levels: a list, or labels by their codes."""
    if _is_labelled(variable, cells):
        same = all(code == label for code, label in variable.levels.items())
        return "string", list(variable.levels) if same else variable.levels
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
    reasons = {column: _reason(source, column) for column in rest}
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
    if kind == "string":
        return "labels of the file" if variable.levels else f"{cells.nunique()} different texts"
    if kind == "integer" and cells.nunique() <= 2:
        return 'numbers; if they are codes: type string, levels such as {"1": male, "2": female}'
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
    """Why days are read in this way."""
    if how == "date":
        return "its cells are dates"
    return "its name or label says a date" if how in EPOCHS else "its name or label says the unit"


def _list(names: Iterable[str], most: int = 40) -> str:
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
