"""What an import did: what each column is made of, what was left out, what may be wrong."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..dataset.columns import EVENT_DAYS
from .dates import UNITS
from .mapping import MAPPING, columns_of
from .patients import Maker
from .source import Source
from .words import STEMS, counted, sentence

LEAST_ALIKE = 5  # with fewer patients two columns may be alike by chance


def times(count: int) -> str:
    """A count in words."""
    return "once" if count == 1 else f"{count} times"


def report(whole: Source, made: Maker, left_out: list[str], folder: Path) -> list[str]:
    """The lines after an import of the rows of `whole` that `left_out` does not name."""
    (rows, columns), patients = whole.text.shape, counted(len(made.ids), "patient")
    lines = [f"{whole.file}: {counted(rows, 'row')}, {counted(columns, 'column')}"]
    lines += [f"  {line}" for line in [*whole.notes, *left_out, *_blanked(made)]]
    if made.times:
        adtte = made.times.source
        codes = ", ".join(made.times.described)
        lines.append(f"{adtte.file}: {counted(len(adtte.text), 'row')}, parameters {codes}")
    reserved = {name: one for name, one in made.columns.items() if one.said}
    own = [name for name in made.columns if name not in reserved]
    lines += [f"  {name}: {one.said}{_count(name, one.values)}" for name, one in reserved.items()]
    lines += [f"  endpoint {plan['name']}: {told(plan)}" for plan in made.endpoints]
    lines += [*made.notes, *_codes_without_labels(made, own), *_at_the_end(made)]
    lines += [*_other_follow_up(made), *_follow_up_again(made, own)]
    kept = f"{counted(len(own), 'column')}: {', '.join(own)}" if own else "no other columns"
    dropped = counted(len(made.dropped), "column") + (":" if made.dropped else "")
    lines += [f"kept {kept}", f"dropped {dropped}"]
    lines += [f"  {name}: {why}" for name, why in made.dropped.items()]
    lines.append(f"{folder}: {patients} in patients.csv, with datapackage.json and {MAPPING}")
    lines.append(f"go on with: {_python()} -m analysis check {folder}")
    return lines


def _python() -> str:
    """What runs this program, as a user in this folder would write it."""
    program, here = Path(sys.executable), Path.cwd()
    return str(program.relative_to(here)) if here in program.parents else "python"


def told(plan: dict[str, Any]) -> str:
    """An endpoint in one line: its title, and the columns that make it."""
    keys = ("events", "competing", "until", "among", "entry")
    parts = {key: plan[key] for key in keys if key in plan}
    words = {k: ", ".join(v) if isinstance(v, list) else v for k, v in parts.items()}
    return f"{plan['title']} ({'; '.join(f'{k} {v}' for k, v in words.items())})"


def _count(name: str, values: list[str]) -> str:
    if name == "died":
        return f": {values.count('yes')} died, {values.count('no')} did not"
    if name in ("patient_id", "last_contact_day"):
        return ""
    return f": {counted(sum(value != '' for value in values), 'patient')}"


def _blanked(made: Maker) -> Iterator[str]:
    """How many cells of each column that is used were left blank, code by code."""
    for column, codes in made.source.blanked.items():
        counts = codes[codes.index.isin(made.source.text.index)].value_counts()
        found = ", ".join(f"{code} ({times(count)})" for code, count in counts.items())
        if found and column not in made.dropped:
            yield f"{column}: left blank, as codes for missing: {found}"


def _codes_without_labels(made: Maker, own: list[str]) -> Iterator[str]:
    """Categories whose levels are bare numbers, which tables would print as they are."""
    levels = {name: made.columns[name].field.get("constraints", {}).get("enum") for name in own}
    code = re.compile(r"-?\d+")
    bare = [name for name, every in levels.items() if every and all(map(code.fullmatch, every))]
    if bare:
        yield sentence("bare_codes", columns=", ".join(bare))


def _at_the_end(made: Maker) -> Iterator[str]:
    """Events on the last contact of the living, which may be no events but censorings."""
    if "died" not in made.columns:
        return
    last, died = made.columns["last_contact_day"].values, made.columns["died"].values
    for name in (name for name in EVENT_DAYS if name in made.columns):
        days, entry = made.columns[name].values, made.reserved[name]
        rows = zip(days, last, died, strict=True)
        at_end = sum(day != "" and (day, word) == (end, "no") for day, end, word in rows)
        said = entry.get("status") or entry.get("paramcd")
        if name in ("relapse_day", "hsct_day") and all(days) and len(days) > 1 and not said:
            yield f"  {name}: {sentence('all_have_it')}"
        if at_end > 1:
            yield f"  {name}: {sentence('at_the_end', count=at_end)}"


def _follow_up_again(made: Maker, own: list[str]) -> Iterator[str]:
    """Characteristics that are the follow-up once more, as its months beside its days."""
    last = pd.to_numeric(pd.Series(made.columns["last_contact_day"].values))
    for name in (n for n in own if made.columns[n].field["type"] in ("number", "integer")):
        numbers = pd.to_numeric(pd.Series(made.columns[name].values))
        with np.errstate(invalid="ignore", divide="ignore"):  # where all are the same
            alike = numbers.corr(last, min_periods=LEAST_ALIKE)
        if alike > 0.999:
            yield f"  {name}: says the same as last_contact_day; is it a characteristic?"


def _other_follow_up(made: Maker) -> Iterator[str]:
    """Columns of death or follow-up that say something else than what was taken.

    Two durations may be a month apart. A visit may be before what was taken, and not after it.
    """
    if "died" not in made.columns or "" in columns_of(made.reserved["last_contact_day"]):
        return
    source, entry = made.source, made.reserved["last_contact_day"]
    last = pd.to_numeric(pd.Series(made.columns["last_contact_day"].values))
    alive = pd.Series(made.columns["died"].values) == "no"
    taken, used = columns_of(entry), entry.get("as", "")
    deaths, others = (source.candidates(STEMS[stem]) for stem in ("death", "last_contact_day"))
    for column in dict.fromkeys([*taken, *deaths, *others]):
        how = used if column in taken else source[column].unit
        later, whole = made.days_said(column, how) - last, column in others and how in UNITS
        room = max(made.lengths.get(unit, 1) for unit in (how, used))
        apart = later > room
        if column in deaths:
            apart = (later.abs() > room) | (alive & later.notna() & (how not in UNITS))
        elif whole and column not in taken:
            apart = later.abs() > max(31, room)
        if count := int(apart.sum()):
            yield f"  last_contact_day: {column} says otherwise of {counted(count, 'patient')}"
