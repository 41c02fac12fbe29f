"""What a checked dataset says that is hardly so: codes as numbers, outcomes as baseline, times.

Each is a warning, for a rare cohort may be like this. `hidden` lines show no patient's value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import pandas as pd

from ..dataset.columns import EVENT_DAYS, RESERVED
from ..dataset.endpoints import dead
from ..dataset.model import Dataset
from ..dataset.problems import Problem, one_line, quoted
from ..importing.meaning import time_in_words
from ..importing.missing import suspects
from ..importing.words import CODES, COUNTS, OUTCOMES, WORDS, about, normal, units_in

FEW, BY_CHANCE = 5, 0.001  # fewer patients than that, or a likelier pattern, prove nothing
TIME = re.compile(r"(time|days?|weeks?|months?)$")
FEW_CODES = 12  # more different whole numbers are a count or a measurement, unless a name says so
YEAR = 365.25
DAYS = ("last_contact_day", *EVENT_DAYS)
MONTHS = 240  # so short a follow-up would be a usual one in months
LONG, WAIT, ALL_LATE = 50 * YEAR, 10 * YEAR, 20 * YEAR


def implausible(text: pd.DataFrame, dataset: Dataset, file: str) -> Iterator[Problem]:
    """Warnings for a dataset in which nothing is wrong; `text` is its table as it stands."""
    numeric = {c.column for c in dataset.characteristics if c.statistics} - {*RESERVED}
    for column in dataset.patients:
        if column in numeric:
            yield from _codes(dataset, column, file)
        if column in numeric or column in DAYS:
            alike = [name for name in DAYS if column in DAYS and name in text and name != column]
            yield from _missing(text[column], file, text[alike].stack())
    for entry in dataset.characteristics:
        if entry.kind == "baseline" and entry.column not in RESERVED:
            yield from _outcomes(dataset, entry.column, file)
        if not entry.statistics:
            yield from _times_in_words(dataset, text[entry.column], file)
    yield from _entered(dataset)
    yield from _times(dataset, file)
    yield from _far(dataset.patients["last_contact_day"], text, file)
    yield from _events(dataset, file)


def _codes(dataset: Dataset, column: str, file: str) -> Iterator[Problem]:
    """Whole numbers that name a group have no median."""
    values = dataset.patients[column].dropna()
    words = set(normal(f"{column} {dataset.label(column)}").split("_"))
    if values.nunique() < 2 or (values % 1 != 0).any():
        return
    levels = sorted(values.unique())
    named = bool(words & CODES)
    two = len(levels) == 2 and not words & COUNTS
    if two or (named and (len(levels) <= FEW_CODES or not words & COUNTS)):
        shown = ", ".join(f"{level:g}" for level in levels[:6]) + ", …" * (len(levels) > 6)
        said = "look like codes, of which a table would print the median; "
        said += "if they are, make it type string with an enum"
        count = f"{len(levels)} different whole numbers"
        yield Problem(
            file, column=column, expected=f"{count} ({shown}) {said}", hidden=f"{count} {said}"
        )


def _times_in_words(dataset: Dataset, cells: pd.Series, file: str) -> Iterator[Problem]:
    """A time of which some cells are no plain numbers is no category."""
    column = str(cells.name)
    named = units_in(f"{normal(column)} {dataset.label(column)}".replace("_", " "))
    if time_in_words(cells[cells != ""], bool(named)):
        said = "is a category, and its levels look like times that are written in several ways; "
        said += "if they are, write plain numbers and make it type number"
        yield Problem(file, column=column, expected=said)


def _missing(cells: pd.Series, file: str, alike: Iterable[str]) -> Iterator[Problem]:
    """What the import would have asked about; a day may be as late as the `alike` ones."""
    filled = cells[cells != ""]
    for code in suspects(filled, alike):
        rows = filled.index[filled == code]
        more = f" (so do {len(rows) - 1} more rows)" if len(rows) > 1 else ""
        said = f"looks like a code for missing{more}; if it is, leave the cell blank"
        yield Problem(
            file,
            int(rows[0]),
            str(cells.name),
            expected=f"{quoted(code)} {said}",
            hidden=f"the cell {said}",
        )


def _outcomes(dataset: Dataset, column: str, file: str) -> Iterator[Problem]:
    words = about(column) | about(dataset.label(column))
    found = next((OUTCOMES[word] for word in sorted(words) if word in OUTCOMES), None)
    said = f"says something of {found}" if found else _told_by(dataset, column)
    if said:
        expected = f"{said}, and stands among the baseline characteristics"
        yield Problem(file, column=column, expected=expected)


def _told_by(dataset: Dataset, column: str) -> str:
    """What the cells of a column follow from, where that came after day 0; blank where nothing.

    It is filled only for patients with an event; or it says one thing of all without it and others
    of all with it; or it is, or goes with, a time within follow-up that many have not.
    """
    patients = dataset.patients
    values, filled = patients[column], patients[column].notna()
    for event, happened in _happened(dataset).items():
        with_it, without = values[happened], values[~happened]
        if min(len(with_it), len(without)) < FEW or filled.sum() < FEW:
            continue
        by_chance = happened.mean() ** filled.sum()
        if not without.notna().any() and by_chance < BY_CHANCE:
            return f"is filled only for patients with {event}"
        alone = without.nunique(dropna=False) == 1 and not with_it.isin(without).any()
        if alone and with_it.nunique() > 1:
            return f"tells patients with {event} from all others"
    for time in patients:
        if _within_follow_up(dataset, time) and patients[time].notna().equals(filled):
            return "is a time within follow-up" if time == column else f"is filled where {time} is"
    return ""


def _happened(dataset: Dataset) -> dict[str, pd.Series]:
    """Of each event in words, in whom it happened."""
    patients = dataset.patients
    columns = [name for plan in dataset.endpoints.values() for name in plan.events + plan.competing]
    days = [name for name in dict.fromkeys(columns) if name in patients and name != "died"]
    found = {f"a day of {one_line(dataset.label(name))}": patients[name].notna() for name in days}
    return {"a death": dead(patients), **found}


def _within_follow_up(dataset: Dataset, column: str) -> bool:
    """Whether a number is called a time, and of those who have it none is after the last contact.

    A fifth have none, as of an event that has not come.
    """
    values, named = dataset.patients[column], normal(column)
    earlier = {*named.split("_")} & {*WORDS["earlier"]}
    if not dataset.is_day(column) or column in RESERVED or earlier or not TIME.search(named):
        return False
    known = values.dropna()
    inside = (known >= 0) & (known <= dataset.patients["last_contact_day"][known.index])
    return FEW <= len(known) <= 0.8 * len(values) and bool(inside.all())


def _entered(dataset: Dataset) -> Iterator[Problem]:
    """A number among which patients are asked is taken for the day of entry."""
    days = {*RESERVED, *(day for plan in dataset.endpoints.values() for day in plan.days)}
    plans = (*dataset.endpoints.values(), *dataset.factors)
    for column in dict.fromkeys(plan.among for plan in plans if plan.among):
        if dataset.is_day(column) and column not in days and not column.endswith("_day"):
            said = "is a number that `among` takes for a day: nobody is at risk before it"
            yield Problem("datapackage.json", column=column, expected=said)


# --- times -----------------------------------------------------------------------------------


def _times(dataset: Dataset, file: str) -> Iterator[Problem]:
    """Follow-up in another unit than days, or counted from another day 0."""
    days = dataset.patients["last_contact_day"]
    first = min(dataset.settings.months, default=0)
    if len(days) < 2:
        return
    longest, decimals = days.max(), int((days % 1 != 0).sum())
    said = ""
    if dataset.months(longest) < first and (decimals > len(days) / 2 or longest < MONTHS):
        parts = f", and {decimals} of {len(days)} days have decimals" if decimals else ""
        said = f"nobody is followed to {first:g} months{parts}; are these months or years, to be "
        said += "imported `as` such?"
    elif days.min() >= ALL_LATE:
        said = "every follow-up is longer than 20 years; are these dates, counted from a day 0 of "
        said += "a program, or days from birth?"
    elif days.median() > LONG:
        said = "half of the patients are followed for more than 50 years; are these days?"
    if said:
        yield Problem(file, column="last_contact_day", expected=said)


def _far(days: pd.Series, text: pd.DataFrame, file: str) -> Iterator[Problem]:
    """One follow-up far beyond all others is a slip; what `_missing` calls a code it says once."""
    known = days.sort_values()
    if len(known) > 3 and known.iloc[-1] > max(WAIT, 4 * known.iloc[-2]):
        row = int(text.index[known.index[-1]])
        cells = text["last_contact_day"]
        if cells[row] in suspects(cells[cells != ""]):
            return
        years = known.iloc[-1] / YEAR
        said = "far beyond all other follow-up; a slip, a date or a code for missing?"
        yield Problem(
            file, row, "last_contact_day", expected=f"{years:.0f} years, {said}", hidden=said
        )


def _events(dataset: Dataset, file: str) -> Iterator[Problem]:
    """Events of everybody on their last day, and deaths that are the living."""
    patients = dataset.patients
    last, died = patients["last_contact_day"], dead(patients)
    for column in EVENT_DAYS:
        happened = patients[column].notna() if column in patients else pd.Series(dtype=bool)
        if happened.sum() >= 5 and patients[column][happened].eq(last[happened]).all():
            name = one_line(dataset.label(column))
            said = f"all {happened.sum()} who have it have it on their last contact; "
            said += f"is it the end of follow-up rather than “{name}”?"
            yield Problem(file, column=column, expected=said)
    if min(died.sum(), (~died).sum()) >= 5 and last[died].min() > last[~died].max():
        said = "every death comes later than every last contact of the living; are the codes "
        said += "of died the wrong way round?"
        yield Problem(file, column="died", expected=said)
