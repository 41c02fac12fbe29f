"""The first mapping of a file: what its names, labels and values say safely, and questions.

A guess that could be wrong without anybody's notice is none: it becomes a question, `?`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pandas as pd
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import PlainScalarString

from ..dataset.columns import EVENT_DAYS
from . import adam, meaning, own
from .dates import EPOCHS, UNITS, looks_like_date, needs_century, needs_order, proven_order
from .files import Source, is_date
from .mapping import OPEN, Mapping, node, put, written
from .meaning import candidates, clocks, counted_as, deaths, is_day
from .words import ALL_SURVIVAL, ASKS_DEATH, ORIGINS, STATUS, STEMS, counted, normal, stem

REDCAP_ROWS = ("redcap_event_name", "redcap_repeat_instrument")
DAYS = ("last_contact_day", *EVENT_DAYS, "last_assessment_day")
HEAD = """\
How `python -m analysis import` makes patients.csv and datapackage.json of this folder.
Change it and run the import again. "?" is an open question: the line above it asks.

"""
# The blocks in order, with what stands above them.
BLOCKS = {
    "name": "",
    "title": "What readers see on the pages.",
    "rows": "\n",
    "dates": "\n",
    "adtte": "\n",
    "analysis": "\nThe object `analysis` of datapackage.json: add months, factors and so on here.",
    "reserved": "\n",
    "columns": "\nKept, for the tables of patients and for factors.",
    "dropped": "\nLeft out. To keep one, move it to columns.",
}
Say = Callable[..., None]


@dataclass
class Draft:
    """A mapping on its way, and the columns that have found their use."""

    tree: CommentedMap = field(default_factory=CommentedMap)
    used: set[str] = field(default_factory=set)

    def block(self, *path: str) -> Say:
        """What sets a key of one block to a value, below a comment."""
        return lambda key, value, comment="": put(self.tree, (*path, key), value, comment)


def slug(name: str) -> str:
    """A dataset's name in the letters that it may have."""
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-") or "patients"


def draft(source: Source, adtte: Source | None, name: str, new_ids: bool) -> Mapping:
    """A first import.yaml, without the blocks `source` and `made`."""
    draft = Draft()
    put(draft.tree, ["name"], slug(name))
    put(draft.tree, ["title"], name)
    _patient_id(source, draft, new_ids)
    if adtte is None:
        days = _days(source, draft)
        _died(source, draft)
        words = _dates(source, draft, *days)
    else:
        words = _adam(source, adtte, draft)
    why = "what happens on day 0, in words, such as start of treatment?" if words == OPEN else ""
    put(draft.tree, ["analysis", "time_origin"], words, why)
    own.guess(source, draft.tree, draft.used)
    tree = CommentedMap((key, draft.tree[key]) for key in BLOCKS if key in draft.tree)
    tree.yaml_set_start_comment(HEAD)
    for key in tree:
        if BLOCKS[key]:
            tree.yaml_set_comment_before_after_key(key, before=BLOCKS[key])
    return written(tree)


def _patient_id(source: Source, draft: Draft, new_ids: bool) -> None:
    """Who the patients are, and which rows to import where a patient has several."""
    say, found = draft.block("reserved", "patient_id"), candidates(source, STEMS["patient_id"])
    column = found[0] if found else "" if new_ids else OPEN
    ask = f'which column names the patient? "" is none: the rows are numbered; {_list(source.text)}'
    comment = _says(source, found[:1]) if found else ask if column else "none: rows are numbered"
    say("column", column, comment)
    new = PlainScalarString(str(new_ids or column == "").lower())
    say("new_ids", new, "true: P001, P002 and so on instead")
    draft.used.update(found[:1])
    if found and row_pickers(source, column):
        say = draft.block("rows")
        say("column", OPEN, several_rows(source, column))
        say("values", [OPEN], "the values of that column in the rows to import")


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
        if column == ids or "___" in column or source.text[column].nunique() > own.LEVELS_AT_MOST:
            continue
        pairs = source.text.groupby([column, ids]).size().groupby(level=0)
        once = pairs.max().eq(1) & pairs.size().gt(0.5 * patients.nunique())
        if values := [value for value in once.index[once] if value]:
            found[column] = values
    return {column: found[column] for column in REDCAP_ROWS if column in found} or found


# --- days --------------------------------------------------------------------------------------


def _days(source: Source, draft: Draft) -> tuple[list[str], list[str], list[str]]:
    """The columns that are days; returns dates, durations, and dates that an answer may name."""
    dates: list[str] = []
    durations: list[str] = []
    asked: list[str] = []
    for role in DAYS:
        columns, comment = _day_columns(source, role)
        say = draft.block("reserved", role)
        if not columns and role != "last_contact_day":
            continue
        if not columns or OPEN in columns:
            say("column", OPEN, comment)
            pool = candidates(source, STEMS[role]) or source.text
            pool = [column for column in pool if column not in draft.used]
            if _unit_unknown(source, pool):
                ask = f"what are its numbers? {', '.join(UNITS)}, or date, or {', '.join(EPOCHS)}"
                say("as", OPEN, ask)
            asked += [column for column in pool if meaning.may_be_date(source, column)]
            continue
        draft.used.update(columns)
        both, how = clocks(source, [*durations, *columns]), counted_as(source, columns[0])
        if both:
            say("column", OPEN, f"{_told(both)}; which of these count from day 0? {_list(columns)}")
        else:
            say("column", columns if len(columns) > 1 else columns[0], comment)
            durations += columns if how in UNITS else []
        say("as", how or OPEN, _why(how) or meaning.doubt(source, columns[0]))
        if role in EVENT_DAYS:
            _happened(source, draft, role, columns)
        dates += columns if how == "date" or how in EPOCHS else []
        asked += [c for c in columns if how is None and meaning.may_be_date(source, c)]
    return dates, durations, asked


def _told(clocks: dict[str, str]) -> str:
    return "two clocks: " + ", ".join(f"{column} from {words}" for column, words in clocks.items())


def _unit_unknown(source: Source, pool: list[str]) -> bool:
    """True where a column that may be chosen does not say its unit, or none is there."""
    known = [counted_as(source, column) for column in pool if is_day(source, column)]
    return None in known or not known


def _same_days(source: Source, columns: list[str]) -> bool:
    """True where durations in several units say the same, to the month."""
    lengths = [UNITS[counted_as(source, column)] for column in columns]
    cells = [pd.to_numeric(source.text[column], errors="coerce") for column in columns]
    days = [column * length for column, length in zip(cells, lengths, strict=True)]
    return all((one - days[0]).abs().max() <= max(UNITS["months"], *lengths) for one in days[1:])


def _happened(source: Source, draft: Draft, role: str, columns: list[str]) -> None:
    """The column that says whether the event of a day happened, where the file has one."""
    found, say = meaning.partners(source, role, columns, draft.used), draft.block("reserved", role)
    if len(found) > 1:
        say(
            "status", OPEN, f"which column says whether it happened? none, or one of {_list(found)}"
        )
        say("happened", [OPEN], "its codes that mean yes")
        say("not_happened", [OPEN], "its codes that mean no")
    for status in found if len(found) == 1 else ():
        draft.used.add(status)
        codes, values = meaning.event_codes(source, status), meaning.found_codes(source, status)
        note = f"it says whether it happened: else the day is blank; its values: {values}"
        say("status", status, note)
        ask = f"which codes of {status} mean that it happened, such as [1]? found {values}"
        say("happened", codes[0] if codes else OPEN, "" if codes else ask)
        if codes and "" in source.text[status].tolist():
            # A blank status means no where it never stands beside a day.
            days = source.text[columns].ne("").any(axis=1)
            together = (days & source.text[status].eq("")).any()
            codes = codes[0], codes[1] if together else [*codes[1], ""]
        ask = f'which codes of {status} mean that it did not? "" is blank; found {values}'
        say("not_happened", codes[1] if codes else OPEN, "" if codes else ask)


def _day_columns(source: Source, role: str) -> tuple[list[str], str]:
    """The column of a reserved day, or two: the first that is not blank counts."""
    units = {
        column: counted_as(source, column)
        for column in candidates(source, STEMS[role])
        if is_day(source, column)
    }
    known = [column for column, unit in units.items() if unit] or list(units)
    wanted = "date" if _has_dates(source) else "days"
    days = [column for column in known if units[column] == wanted] or known
    if len(days) > 1:
        return [OPEN], f"which of these is {role}? {_list(days)}"
    counted = [column for column in known if units[column] in UNITS]
    if days and days[0] in counted:  # the most complete one, then the finest unit
        if not _same_days(source, counted):
            return [OPEN], f"which of these is {role}? they disagree: {_list(counted)}"
        days = [min(counted, key=lambda c: (-len(source.filled(c)), UNITS[units[c]]))]
    if role != "last_contact_day":
        return days, _says(source, days)
    if not days:
        return [], (
            "which column is the day of death or of the last contact? a list takes the first that "
            f"is not blank, as in [death_date, last_visit]; {_list(source.text)}"
        )
    deaths = [c for c in candidates(source, STEMS["death"]) if is_day(source, c)]
    same = [c for c in deaths if counted_as(source, c) == counted_as(source, days[0])]
    if len(same) == 1 and not {normal(days[0]), stem(days[0])} & set(ALL_SURVIVAL):
        return [*same, *days], "the day of death, and else that of the last contact"
    return days, _says(source, days)


def _has_dates(source: Source) -> bool:
    """True where the events are dates: then the last contact is best taken from a date too."""
    events = [column for role in EVENT_DAYS for column in candidates(source, STEMS[role])]
    return any(is_date(source, column) for column in events) and not any(
        is_day(source, column) and counted_as(source, column) == "days" for column in events
    )


# --- death and day 0 ---------------------------------------------------------------------------


def _died(source: Source, draft: Draft) -> None:
    say, column = draft.block("reserved", "died"), _column_of_death(source)
    if column is None:
        say("column", OPEN, f"which column says whether the patient died? {_list(source.text)}")
        if not any(deaths(source, column) for column in source.text):
            ask = 'which of its codes mean dead, such as [1], or ["*"] for any date?'
            say("dead", OPEN, ask)
            say("alive", OPEN, 'which of its codes mean alive, such as [0]? "" is blank')
        return
    if others := meaning.disputes(source, column, deaths(source, column)):
        told = ", ".join(
            f"{other} (in {counted(count, 'row')})" for other, (count, _) in others.items()
        )
        ask = f"which column says whether the patient died? {column} disagrees with {told}"
        say("column", OPEN, ask)
        return
    draft.used.add(column)
    say("column", column, _says(source, [column]))
    codes, found = meaning.death_codes(source, column), meaning.found_codes(source, column)
    if codes is None:
        ask = f"which codes of {column} mean"
        say("dead", OPEN, f"{ask} dead, such as [1]? found {found}")
        say("alive", OPEN, f'{ask} alive, such as [0]? "" is blank; found {found}')
        return
    any_date = "* is any value: a date of death is a death"
    say("dead", codes[0], any_date if codes[0] == ["*"] else f"its values: {found}")
    say("alive", codes[1])


def _column_of_death(source: Source) -> str | None:
    """The column that says who died: a flag, else numbers of no known unit, else a date."""
    asked = candidates(source, (*ASKS_DEATH, *STATUS))
    flags = [column for column in asked if not is_day(source, column)]
    counts = [c for c in asked if not is_date(source, c) and counted_as(source, c) is None]
    dates = [c for c in candidates(source, STEMS["death"]) if meaning.is_point_in_time(source, c)]
    return next(iter([*flags, *counts, *dates]), None)


def _dates(
    source: Source, draft: Draft, dates: list[str], durations: list[str], asked: list[str]
) -> str:
    """The block `dates`, also where only an answer may be a date; returns the words for day 0."""
    if not dates and not asked:
        return OPEN
    say, named = draft.block("dates"), candidates(source, ORIGINS)
    found = [c for c in named if meaning.is_point_in_time(source, c)]
    origin = found[0] if dates and len(found) == 1 else OPEN
    every = [c for c in source.text if c not in dates and meaning.may_be_date(source, c)]
    ask = f"which date is day 0? {_list(found or every or source.text)}"
    ask += "" if dates else '; "" is none: the days are counted already'
    if both := clocks(source, durations, _in_words(source, origin)):
        origin, ask = OPEN, f"{ask}; {_told(both)}"
    say("origin", origin, ask if origin == OPEN else _says(source, found))
    if origin != OPEN:
        draft.used.add(origin)
        say("as", counted_as(source, origin))
    elif not all(counted_as(source, column) for column in found or every):
        say("as", OPEN, f"what is it? date, or a count of {', '.join(EPOCHS)}")
    _order(source, say, dict.fromkeys([*dates, *(found or every), *asked]))
    return _in_words(source, origin) or OPEN


def _in_words(source: Source, origin: str) -> str:
    """What happens on the day of a date, by its name or label; blank where neither says it."""
    if origin == OPEN:
        return ""
    words = (normal(origin), stem(origin), stem(source.variables[origin].label))
    return next((ORIGINS[word] for word in words if word in ORIGINS), "")


def _order(source: Source, say: Say, dates: Iterable[str]) -> None:
    """Which comes first, day or month, and the century, where the dates alone do not say."""
    cells = (cell for column in dates for cell in source.filled(column))
    if short := next(filter(needs_century, cells), None):
        ask = f"the years of two digits, as in {short}: within the hundred years from which one?"
        say("first_year", OPEN, f"{ask} such as 1950")
    doubtful = {
        cell: f"row {row} of {column}"
        for column in dates
        for row, cell in source.filled(column).items()
        if needs_order(cell) and looks_like_date(cell)
    }
    if doubtful:
        order, proof = proven_order(doubtful)
        ask = f"which comes first in {next(iter(doubtful.values()))}? day-first or month-first"
        why = f"{doubtful[proof]} can be read in no other way" if order else ask
        say("order", order or OPEN, why)


# --- ADaM --------------------------------------------------------------------------------------

_PARAMETERS = {
    "response_day": (("TTR", "TTCR", "TTRESP"), r"^time to .*\b(response|remission)\b"),
    "mrd_response_day": (("TTMRD",), r"^time to .*\b(mrd|minimal residual)\b"),
    "hsct_day": (("TTHSCT", "TTSCT"), r"^time to .*(transplant|hsct|\bsct)"),
    "relapse_day": (("TTREL", "TTRELAPS"), r"^time to (first )?relapse\b"),
}
_OTHER_TIMES = re.compile(r"\bor\b|loss|duration|free|without|progression")


def _adam(source: Source, adtte: Source, draft: Draft) -> str:
    """What ADTTE holds, and reserved days from it; returns the words for day 0."""
    _parameters(adtte, draft)
    say = draft.block("adtte")
    unit, why = adam.guessed_unit(adtte)
    say("unit", unit, why)
    if rule := adam.counts_from_one(adtte, unit):
        say("aval", "as_is", f"{rule}; one_fewer makes the start day 0")
    if against := adam.contradictions(adtte):
        say("event", OPEN, f"which CNSR is the event, 0 or 1? {against}")
    codes = adam.described(adtte)
    starts = adam.starts(adtte, "OS" if "OS" in codes else next(iter(codes)))
    ids = candidates(source, STEMS["patient_id"])
    # Day 0 is the date of ADSL from which overall survival counts.
    for column in candidates(source, ORIGINS) if ids and starts else []:
        days = dict(zip(source.text[ids[0]], source.text[column], strict=True))
        if all(days.get(patient) == str(day) for patient, day in starts.items()):
            return ORIGINS[normal(column) if normal(column) in ORIGINS else stem(column)]
    return OPEN


def _parameters(adtte: Source, draft: Draft) -> None:
    """Reserved days from the parameters whose words leave no doubt."""
    words = {code: text.lower() for code, text in adam.described(adtte).items()}
    overall = [c for c, text in words.items() if c == "OS" or text.startswith("overall surv")]
    code = overall[0] if len(overall) == 1 else OPEN
    every = "; ".join(f"{code}: {text}" for code, text in adam.described(adtte).items())
    ask = f"which PARAMCD is overall survival? {every}; where none is, column: and as: of ADSL"
    say = draft.block("reserved")
    draft.block("reserved", "last_contact_day")(
        "paramcd", code, ask if code == OPEN else f"of {every}"
    )
    if code != OPEN:
        why = "Its event is the death. Without this block: the same parameter."
        say("died", CommentedMap(paramcd=node(code)), why)
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
            draft.block("reserved", role)("paramcd", found[0], words[found[0]])


# --- words for the comments --------------------------------------------------------------------


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
