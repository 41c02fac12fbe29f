"""Several rows a patient made one: a row a kind of event side by side, intervals end to end.

`fold: {by: etype, "1": relapse, "2": death}` makes `relapse_time` and `death_time` of `time`.
`fold: {start: tstart, stop: tstop, event: status}` takes the first row of each patient, with the
stop and the event of the last one, or with `take: first` of the first with an event.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd
from ruamel.yaml.comments import CommentedMap

from ..dataset.cells import numbers
from ..dataset.problems import DataError, Problem, raise_any
from .mapping import OPEN, absent, at, put
from .source import Source
from .words import WORDS, counted, normal, sentence

FOLD, BY, START, STOP, EVENT, TAKE = "fold", "by", "start", "stop", "event", "take"
NO_EVENT = ("0", "", "no", "No", "FALSE", "False", "false", "censor", "censored")


def proposed(source: Source, ids: str) -> CommentedMap | None:
    """The block `fold` for a file of which names say how its rows belong together, or None."""
    tree, names = CommentedMap(), {column.normal: column.name for column in source}
    kind = next((names[word] for word in WORDS["kinds"] if word in names), None)
    if kind and kind != ids:
        put(tree, [FOLD, BY], kind, several(source, {BY: kind}, ids))
        for code in sorted({*source[kind].filled}):
            label = normal(source[kind].levels.get(code, ""))
            ask = "" if label else sentence("which_kind", column=kind, code=code)
            put(tree, [FOLD, code], label or OPEN, ask)
        return tree[FOLD]
    ends = [next((names[w] for w in WORDS[key] if w in names), None) for key in ("starts", "stops")]
    if None in ends:
        return None
    put(tree, [FOLD, START], ends[0], several(source, {}, ids))
    put(tree, [FOLD, STOP], ends[1])
    flags = [c.name for c in source if c.is_bare and c.may_be_status]
    event = flags[0] if len(flags) == 1 else OPEN
    ask = "" if flags[1:] == [] and flags else sentence("which_event", columns=", ".join(flags))
    put(tree, [FOLD, EVENT], event, ask)
    rows = _ordered(source.text, ids, ends[0])
    early = rows[event].iloc[:-1][rows.index[1:] == rows.index[:-1]] if event != OPEN else rows
    if event == OPEN or (count := int((~early.isin(NO_EVENT)).sum())):
        count = "" if event == OPEN else counted(count, "row")
        put(tree, [FOLD, TAKE], OPEN, sentence("which_take", found=count or "rows"))
    return tree[FOLD]


def folded(source: Source, fold: dict[str, str], ids: str) -> tuple[Source, list[str]]:
    """One row a patient, and lines on what was not folded.

    Raises DataError where the block names what the file has not, or where two rows are of one kind.
    """
    named = [fold[key] for key in (BY, START, STOP, EVENT) if key in fold]
    raise_any(absent(source, [*named, ids], FOLD))
    if BY in fold:
        return _side_by_side(source, fold, ids)
    if START not in fold:
        raise DataError([at(FOLD, "by, or start", "neither")])
    return _end_to_end(source, fold, ids)


def _side_by_side(source: Source, fold: dict[str, str], ids: str) -> tuple[Source, list[str]]:
    text, kind = source.text, fold[BY]
    words = {code: normal(word) for code, word in fold.items() if code != BY and word}
    kept = text[text[kind].isin(words)]
    twice = kept.duplicated([ids, kind])
    raise_any(
        Problem(source.file, row, kind, f"{code} again", "one row of each kind a patient")
        for row, code in kept.loc[twice, kind].items()
    )
    per = kept.groupby(ids, sort=False)
    differ = [c for c in text if c not in (ids, kind) and per[c].nunique().gt(1).any()]
    times = {c for c in text if source[c].is_bare}  # which say something else in each row
    varies = [c for c in text if c in differ or c in times]
    first = kept.drop_duplicates(ids)
    whole = {c: first[c] for c in text if c not in (*varies, kind)}
    variables = {c: source.variables[c] for c in whole}
    for code, word in words.items():
        rows = kept[kept[kind] == code].set_index(ids)
        for column in varies:
            name = f"{word}_{column}"
            cells = rows[column].reindex(first[ids], fill_value="")
            whole[name] = pd.Series(cells.to_numpy(), index=first.index)
            variables[name] = dataclasses.replace(source.variables[column], name=name)
    left = text.loc[~text[kind].isin(words), kind].value_counts()
    notes = [f"not folded: {counted(n, 'row')} in which {kind} is {c}" for c, n in left.items()]
    made = f"folded by {kind}: {counted(len(kept), 'row')} of {counted(len(first), 'patient')}"
    new = dataclasses.replace(source, text=pd.DataFrame(whole), variables=variables)
    return new, [made, *notes]


def _ordered(text: pd.DataFrame, ids: str, start: str) -> pd.DataFrame:
    """The rows of each patient together, in the order of their starts; patients as in the file."""
    order = pd.DataFrame({"patient": pd.factorize(text[ids])[0], "start": numbers(text[start])})
    rows = text.iloc[order.reset_index(drop=True).sort_values(["patient", "start"]).index]
    return rows.set_index(pd.Index(rows[ids], name=None))


def _end_to_end(source: Source, fold: dict[str, str], ids: str) -> tuple[Source, list[str]]:
    text, ends = source.text, [fold[key] for key in (STOP, EVENT) if key in fold]
    wrong = numbers(text[fold[START]]).isna()
    raise_any(
        Problem(source.file, row, fold[START], f'"{cell}"', "a number")
        for row, cell in text.loc[wrong, fold[START]].items()
    )
    place = pd.Series(text.index, index=text.index)
    rows = _ordered(text.assign(**{_PLACE: place}), ids, fold[START])
    patient = rows.index.to_series().reset_index(drop=True)
    rows = rows.reset_index(drop=True)
    first = rows[~patient.duplicated().to_numpy()]
    last = rows[~patient.duplicated(keep="last").to_numpy()]
    notes = [f"folded: {counted(len(rows), 'row')} of {counted(len(first), 'patient')}"]
    if EVENT in fold:
        happened = ~rows[fold[EVENT]].isin(NO_EVENT)
        if fold.get(TAKE) == "first":
            events = rows[happened & ~patient[happened].reindex(patient.index).duplicated()]
            last = pd.concat([events, last]).drop_duplicates(ids).set_index(ids, drop=False)
            last = last.loc[first[ids]]
        left = int(happened.sum()) - int((~last[fold[EVENT]].isin(NO_EVENT)).sum())
        if left:
            notes.append(sentence("not_folded", count=counted(left, "event"), take=fold.get(TAKE)))
    kept = [c for c in text if c not in (*ends, ids, fold[START])]
    changed = {c: int(rows.groupby(ids)[c].nunique().gt(1).sum()) for c in kept}
    for column, count in changed.items():
        if count:
            told = {"column": column, "count": counted(count, "patient")}
            notes.append(sentence("changes", **told))
    whole = first.assign(**{end: last[end].to_numpy() for end in ends})
    whole = whole.set_index(pd.Index(whole[_PLACE])).drop(columns=_PLACE)
    if STOP in fold and (numbers(whole[fold[START]]) == 0).all():  # nobody entered late
        whole = whole.drop(columns=fold[START])
    return dataclasses.replace(source, text=whole), notes


_PLACE = " row"  # no column of a file is called so


def several(source: Source, fold: dict[str, str], ids: str) -> str:
    """What is to be said before a block `fold` is answered."""
    cells, picker = source[ids].filled, fold.get(BY, "COLUMN")
    value = f'"{sorted(set(source[picker].filled))[-1]}"' if BY in fold else "VALUE"
    counts = {"patients": cells.nunique(), "rows": len(cells), "picker": picker, "value": value}
    return sentence("fold", column=ids, file=source.file, **counts)


def patients(source: Source, told: dict[str, Any]) -> str:
    """The column of the patients' ids, of the mapping or by its name; blank where there is none."""
    reserved = told.get("reserved")
    entry = reserved.get("patient_id") if isinstance(reserved, dict) else None
    column = entry.get("column") if isinstance(entry, dict) else None
    return column or next(iter(source.ids()), "")
