"""What an import did: what each column is made of, what was left out, what may be wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from ..dataset.columns import EVENT_DAYS, RESERVED
from . import adam
from .dates import UNITS
from .files import Source
from .mapping import MAPPING, columns_of
from .meaning import candidates, counted_as
from .patients import Made, Maker
from .words import STEMS


def times(count: int) -> str:
    """A count in words."""
    return "once" if count == 1 else f"{count} times"


def report(whole: Source, maker: Maker, left_out: list[str], folder: Path) -> list[str]:
    """The lines after an import of the rows of `whole` that `left_out` does not name."""
    made, adtte = maker.made, maker.times
    lines = [f"{whole.file}: {len(whole.text)} rows, {len(whole.text.columns)} columns"]
    lines += [f"  {line}" for line in [*whole.notes, *left_out, *_blanked(maker.source, made)]]
    if adtte:
        codes = ", ".join(adam.described(adtte.source))
        lines.append(f"{adtte.source.file}: {len(adtte.source.text)} rows, parameters {codes}")
    lines += [
        f"  {name}: {column.said}{_count(name, column.values)}"
        for name, column in made.columns.items()
        if name in RESERVED
    ]
    lines += [*made.notes, *_codes_without_labels(made), *_at_the_end(maker)]
    lines += _other_follow_up(maker)
    own = [name for name in made.columns if name not in RESERVED]
    lines.append(f"kept {len(own)} columns: {', '.join(own)}" if own else "kept no other columns")
    lines.append(f"dropped {len(made.dropped)} columns" + (":" if made.dropped else ""))
    lines += [f"  {name}: {why}" for name, why in made.dropped.items()]
    patients = f"{len(maker.ids)} patients in patients.csv"
    lines.append(f"{folder}: {patients}, with datapackage.json and {MAPPING}")
    lines.append(f"go on with: python -m analysis check {folder}")
    return lines


def _count(name: str, values: list[str]) -> str:
    if name == "died":
        return f": {values.count('yes')} died, {values.count('no')} did not"
    if name in ("patient_id", "last_contact_day"):
        return ""
    return f": {sum(value != '' for value in values)} patients"


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


def _other_follow_up(maker: Maker) -> Iterator[str]:
    """Other columns of follow-up that say something else, by more than a month."""
    taken = columns_of(maker.reserved["last_contact_day"])
    days = pd.to_numeric(pd.Series(maker.made.columns["last_contact_day"].values))
    for column in candidates(maker.source, STEMS["last_contact_day"]):
        unit = counted_as(maker.source, column)
        if column in taken or unit not in UNITS:
            continue
        cells = pd.to_numeric(pd.Series(maker.source.text[column].tolist()), errors="coerce")
        apart = (days - cells * maker.lengths[unit]).abs() > max(31, maker.lengths[unit])
        if count := int(apart.sum()):
            yield f"  last_contact_day: {column} says otherwise of {count} patients"
