"""What an import did: what each column is made of, what was left out, what may be wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from ..dataset.columns import EVENT_DAYS, RESERVED
from . import adam
from .dates import UNITS
from .files import Source
from .mapping import MAPPING, columns_of
from .meaning import candidates, counted_as
from .patients import Made, Maker
from .words import STEMS, counted

LEAST_ALIKE = 5  # with fewer patients two columns may be alike by chance


def times(count: int) -> str:
    """A count in words."""
    return "once" if count == 1 else f"{count} times"


def report(whole: Source, maker: Maker, left_out: list[str], folder: Path) -> list[str]:
    """The lines after an import of the rows of `whole` that `left_out` does not name."""
    made, adtte = maker.made, maker.times
    rows, columns = (
        counted(*pair) for pair in zip(whole.text.shape, ("row", "column"), strict=True)
    )
    lines = [f"{whole.file}: {rows}, {columns}"]
    lines += [f"  {line}" for line in [*whole.notes, *left_out, *_blanked(maker.source, made)]]
    if adtte:
        codes = ", ".join(adam.described(adtte.source))
        lines.append(
            f"{adtte.source.file}: {counted(len(adtte.source.text), 'row')}, parameters {codes}"
        )
    lines += [
        f"  {name}: {column.said}{_count(name, column.values)}"
        for name, column in made.columns.items()
        if name in RESERVED
    ]
    lines += [*made.notes, *_codes_without_labels(made), *_at_the_end(maker)]
    lines += [*_other_follow_up(maker), *_follow_up_again(made)]
    own = [name for name in made.columns if name not in RESERVED]
    lines.append(
        f"kept {counted(len(own), 'column')}: {', '.join(own)}" if own else "kept no other columns"
    )
    lines.append(f"dropped {counted(len(made.dropped), 'column')}" + (":" if made.dropped else ""))
    lines += [f"  {name}: {why}" for name, why in made.dropped.items()]
    patients = f"{counted(len(maker.ids), 'patient')} in patients.csv"
    lines.append(f"{folder}: {patients}, with datapackage.json and {MAPPING}")
    lines.append(f"go on with: python -m analysis check {folder}")
    return lines


def _count(name: str, values: list[str]) -> str:
    if name == "died":
        return f": {values.count('yes')} died, {values.count('no')} did not"
    if name in ("patient_id", "last_contact_day"):
        return ""
    return f": {counted(sum(value != '' for value in values), 'patient')}"


def _blanked(source: Source, made: Made) -> Iterator[str]:
    """How many cells of each column that is used were left blank, code by code."""
    for column, codes in source.blanked.items():
        counts = codes[codes.index.isin(source.text.index)].value_counts()
        found = ", ".join(f"{code} ({times(count)})" for code, count in counts.items())
        if found and column not in made.dropped:
            yield f"{column}: left blank, as codes for missing: {found}"


def _codes_without_labels(made: Made) -> Iterator[str]:
    """Categories whose levels are bare numbers, which tables would print as they are."""
    levels = {
        name: column.field.get("constraints", {}).get("enum", [])
        for name, column in made.columns.items()
        if name not in RESERVED
    }
    code = re.compile(r"-?\d+")
    bare = [name for name, every in levels.items() if every and all(map(code.fullmatch, every))]
    if bare:
        told = f"codes without labels, as categories: {', '.join(bare)}"
        yield f"{told}; levels in {MAPPING} can name them"


def _at_the_end(maker: Maker) -> Iterator[str]:
    """Events on the last contact of the living, which may be no events but censorings."""
    columns = maker.made.columns
    last, died = columns["last_contact_day"].values, columns["died"].values
    for name in (name for name in EVENT_DAYS if name in columns):
        days = columns[name].values
        rows = zip(days, last, died, strict=True)
        at_end = sum(day != "" and (day, word) == (end, "no") for day, end, word in rows)
        said = maker.reserved[name].get("status") or maker.reserved[name].get("paramcd")
        if name in ("relapse_day", "hsct_day") and all(days) and len(days) > 1 and not said:
            ask = "does a column say whether it happened? name it as `status`"
            yield f"  {name}: all patients have it; {ask}"
        if at_end > 1:
            told = f"in {at_end} of the living it is the day of the last contact"
            yield f"  {name}: {told}; is it the end of follow-up without the event?"


def _follow_up_again(made: Made) -> Iterator[str]:
    """Characteristics that are the follow-up once more, as its months beside its days."""
    last = pd.to_numeric(pd.Series(made.columns["last_contact_day"].values))
    for name, column in made.columns.items():
        if name not in RESERVED and column.field["type"] in ("number", "integer"):
            numbers = pd.to_numeric(pd.Series(column.values))
            with np.errstate(invalid="ignore", divide="ignore"):  # where all are the same
                alike = numbers.corr(last, min_periods=LEAST_ALIKE)
            if alike > 0.999:
                yield f"  {name}: says the same as last_contact_day; is it a characteristic?"


def _other_follow_up(maker: Maker) -> Iterator[str]:
    """Columns of death or follow-up that say something else than what was taken.

    Two durations may be a month apart. A visit may be before what was taken, and not after it.
    """
    columns, entry = maker.made.columns, maker.reserved["last_contact_day"]
    last = pd.to_numeric(pd.Series(columns["last_contact_day"].values))
    alive = pd.Series(columns["died"].values) == "no"
    taken, used = columns_of(entry), entry.get("as", "")
    deaths = candidates(maker.source, STEMS["death"])
    others = candidates(maker.source, STEMS["last_contact_day"])
    for column in dict.fromkeys([*taken, *deaths, *others]):
        how = used if column in taken else counted_as(maker.source, column)
        later, whole = maker.days_said(column, how) - last, column in others and how in UNITS
        room = max(maker.lengths.get(unit, 1) for unit in (how, used))
        apart = later > room
        if column in deaths:
            apart = (later.abs() > room) | (alive & later.notna() & (how not in UNITS))
        elif whole and column not in taken:
            apart = later.abs() > max(31, room)
        if count := int(apart.sum()):
            yield f"  last_contact_day: {column} says otherwise of {counted(count, 'patient')}"
