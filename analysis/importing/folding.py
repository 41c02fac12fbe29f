"""Several rows a patient made one: a row a kind of event side by side, intervals end to end.

`fold: {by: etype, "1": relapse, "2": death}` makes `relapse_time` and `death_time` of `time`.
`fold: {start: tstart, stop: tstop, event: status}` takes the first row of each patient, with the
stop and the event of the last one, or with `take: first` of the first with an event. Then those of
the last row, which end the patient's follow-up, are kept as `last_follow_up_time` and `…_status`.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd
from ruamel.yaml.comments import CommentedMap

from ..dataset.cells import numbers
from ..dataset.problems import DataError, Problem, listed, raise_any
from .mapping import KEPT_ENDS, OPEN, absent, at, put
from .source import Source
from .words import WORDS, counted, normal, sentence

FOLD, BY, START, STOP, EVENT, TAKE = "fold", "by", "start", "stop", "event", "take"
NONE = "none"  # the code of `event` that means no event, where it is none of these
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
    if len(flags) != 1:
        told = ", ".join(flags or source.text)
        put(tree, [FOLD, EVENT], OPEN, sentence("which_event", columns=told))
        put(tree, [FOLD, TAKE], OPEN, sentence("which_take", found="rows"))
        return tree[FOLD]
    put(tree, [FOLD, EVENT], flags[0])
    cells = source.text[flags[0]]
    if not cells.isin(NO_EVENT).any():
        told = {"column": flags[0], "values": source[flags[0]].found()}
        put(tree, [FOLD, NONE], OPEN, sentence("which_none", **told))
    rows = _ordered(source.text, ids, ends[0])
    early = rows.loc[rows.duplicated(ids, keep="last"), flags[0]]
    if count := int((~early.isin(NO_EVENT)).sum()):
        put(tree, [FOLD, TAKE], OPEN, sentence("which_take", found=counted(count, "row")))
    return tree[FOLD]


def folded(source: Source, fold: dict[str, str], ids: str) -> tuple[Source, list[str]]:
    """One row a patient, and lines on what was not folded.

    Raises DataError where the block names what the file has not, or where two rows are of one kind.
    """
    named = [fold[key] for key in (BY, START, STOP, EVENT) if key in fold]
    raise_any(absent(source, [*named, ids], FOLD))
    raise_any(listed(source.text[ids], source.text[ids] == "", "a value", source.file))
    if BY in fold:
        return _side_by_side(source, fold, ids)
    if START not in fold:
        raise DataError([at(FOLD, "by, or start", "neither")])
    return _end_to_end(source, fold, ids)


def _side_by_side(source: Source, fold: dict[str, str], ids: str) -> tuple[Source, list[str]]:
    text, kind = source.text, fold[BY]
    words = {code: normal(word) for code, word in fold.items() if code != BY and word}
    if len({*words.values()}) < len(words):
        raise DataError([at(FOLD, "a word of its own for each kind", "one word twice")])
    kept = text[text[kind].isin(words)]
    raise_any(
        Problem(source.file, row, kind, f"{code} again", "one row of each kind a patient")
        for row, code in kept.loc[kept.duplicated([ids, kind]), kind].items()
    )
    per = kept.groupby(ids, sort=False)
    differ = [c for c in text if c not in (ids, kind) and per[c].nunique().gt(1).any()]
    times = {c for c in text if source[c].is_bare}  # which say something else in each row
    varies = [c for c in text if c in differ or c in times]
    first = kept.drop_duplicates(ids)
    whole = {c: first[c] for c in text if c not in (*varies, kind)}
    variables, places = {c: source.variables[c] for c in whole}, {}
    for code, word in words.items():
        rows = kept[kept[kind] == code]
        cells = rows.assign(**{kind: rows.index}).set_index(ids).reindex(first[ids])
        lines = [None if pd.isna(row) else int(row) for row in cells[kind]]
        for column in varies:
            name = f"{word}_{column}"
            whole[name] = pd.Series(cells[column].fillna("").to_numpy(), index=first.index)
            variables[name] = dataclasses.replace(source.variables[column], name=name)
            places[name] = lines
    left = text.loc[~text[kind].isin(words), kind].value_counts()
    notes = [f"not folded: {counted(n, 'row')} in which {kind} is {c}" for c, n in left.items()]
    made = f"folded by {kind}: {counted(len(kept), 'row')} of {counted(len(first), 'patient')}"
    whole = pd.DataFrame(whole)
    new = dataclasses.replace(source, text=whole, variables=variables, places=places)
    return new, [made, *notes]


def _ordered(text: pd.DataFrame, ids: str, start: str) -> pd.DataFrame:
    """The rows of each patient together, in the order of their starts; patients as in the file."""
    order = pd.DataFrame({"patient": pd.factorize(text[ids])[0], "start": [*numbers(text[start])]})
    return text.iloc[order.sort_values(["patient", "start"]).index]


def _end_to_end(source: Source, fold: dict[str, str], ids: str) -> tuple[Source, list[str]]:
    start, ends = fold[START], [fold[key] for key in (STOP, EVENT) if key in fold]
    wrong = numbers(source.text[start]).isna()
    raise_any(listed(source.text[start], wrong, "a number", source.file))
    rows = _ordered(source.text, ids, start)
    first, last = rows.drop_duplicates(ids), rows.drop_duplicates(ids, keep="last")
    notes, kept = [f"folded: {counted(len(rows), 'row')} of {counted(len(first), 'patient')}"], last
    if EVENT in fold:
        event, none = fold[EVENT], [fold[NONE]] if NONE in fold else NO_EVENT
        happened, take = rows[~rows[event].isin(none)], fold.get(TAKE, "last")
        if take == "first":
            last = pd.concat([happened, last]).drop_duplicates(ids)
        left = happened[~happened.index.isin(last.index)]
        if len(left):
            codes = ", ".join(
                f"{code} ({n})" for code, n in left[event].value_counts().sort_index().items()
            )
            told = {"event": event, "codes": codes, "take": take}
            notes.append(sentence("not_folded", count=counted(len(left), "event"), **told))
    for column in (c for c in rows if c not in (*ends, ids, start)):
        if count := int(rows.groupby(ids)[column].nunique().gt(1).sum()):
            notes.append(sentence("changes", column=column, count=counted(count, "patient")))
    lines, last_rows = (
        pd.Series(ended.index, index=ended[ids]).loc[first[ids]].tolist() for ended in (last, kept)
    )
    whole = first.assign(**{end: last.loc[lines, end].to_numpy() for end in ends})
    places, variables = dict.fromkeys(ends, lines), dict(source.variables)
    if STOP in fold and not last.index.isin(kept.index).all():
        kept = kept.set_index(ids).loc[first[ids]]
        for name, end in zip(KEPT_ENDS, ends, strict=False):
            whole[name] = kept[end].to_numpy()
            variables[name] = dataclasses.replace(source.variables[end], name=name)
            places[name] = last_rows
        named = [" and ".join(names) for names in (ends, KEPT_ENDS[: len(ends)])]
        notes.append(sentence("kept_ends", ends=named[0], kept=named[1]))
    if start not in ends and ends and (numbers(first[start]) == 0).all():  # nobody entered late
        whole = whole.drop(columns=start)
    new = dataclasses.replace(source, text=whole, variables=variables, places=places)
    return new, notes


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
