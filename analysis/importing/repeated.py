"""Files in which patients have several rows, of which one is to be picked."""

from __future__ import annotations

from . import own
from .source import Source
from .words import sentence

REDCAP_ROWS = ("redcap_event_name", "redcap_repeat_instrument")


def several_rows(source: Source, ids: str) -> str:
    """What to do where a file has several rows a patient."""
    cells, pickers = source[ids].filled, row_pickers(source, ids).items()
    rows = {"column": ids, "file": source.file, "patients": cells.nunique(), "rows": len(cells)}
    picks = "; ".join(f"{column}: {', '.join(values)}" for column, values in pickers)
    return sentence("several_rows" if picks else "no_pickers", picks=picks, **rows)


def often_repeated(source: Source, ids: str) -> bool:
    """True where half of the patients and more have several rows."""
    cells = source[ids].filled
    return cells[cells.duplicated()].nunique() >= max(2, 0.5 * cells.nunique())


def row_pickers(source: Source, ids: str) -> dict[str, list[str]]:
    """Columns whose values pick one row a patient, as `etype: 1, 2`; none where few ids repeat.

    REDCap says itself which row is what; a box of one of its questions never does.
    """
    half, found = 0.5 * source[ids].filled.nunique(), {}
    for column in source.text if often_repeated(source, ids) else ():
        if column == ids or "___" in column or source.text[column].nunique() > own.LEVELS_AT_MOST:
            continue
        pairs = source.text.groupby([column, ids]).size().groupby(level=0)
        once = pairs.max().eq(1) & pairs.size().gt(half)
        if values := [value for value in once.index[once] if value]:
            found[column] = values
    return {column: found[column] for column in REDCAP_ROWS if column in found} or found
