"""The columns that stay a dataset's own: which are left out and why, and their types."""

from __future__ import annotations

from ruamel.yaml.comments import CommentedMap

from ..dataset.columns import EVENT_DAYS, RESERVED
from ..dataset.privacy import EMAIL, is_phone
from .mapping import OPEN, put
from .meaning import Column, is_number
from .source import Source
from .words import OUTCOMES, PATTERNS, STEMS, WORDS, counted, normal, outlived, sentence

LEVELS_AT_MOST = 20  # more different texts are free text, which may identify a patient


def guess(source: Source, tree: CommentedMap, used: set[str]) -> None:
    """The blocks `columns` and `dropped` of a mapping, for the columns that no other block uses."""
    tree["columns"], tree["dropped"] = CommentedMap(), CommentedMap()
    for column in (column for column in source if column.name not in used):
        if why := _reason(column):
            put(tree, ["dropped", column.name], why)
        else:
            _keep(column, tree)


def _keep(column: Column, tree: CommentedMap) -> None:
    variable, (kind, levels, why) = column.variable, _type(column)
    name = column.name.lower() if column.name.isupper() else column.name
    name = f"{name}_" if name in RESERVED else name
    number = kind not in ("string", OPEN)
    limits = {"minimum": variable.minimum, "maximum": variable.maximum} if number else {}
    details = {
        **({"name": name} if name != column.name else {}),
        "title": column.label or column.name,
        "type": kind,
        "levels": levels,
        **limits,
        "description": variable.note,
    }
    for key, value in details.items():
        if value:
            put(tree, ["columns", column.name, key], value, why if key == "type" else "")


def _first(reasons: list[tuple[str, object]]) -> str:
    """The first reason that holds; blank where none does."""
    return next((why for why, holds in reasons if holds), "")


def identifies(column: Column) -> str:
    """Why a column may say who a patient is; blank where nothing says so."""
    cells, named = column.filled, PATTERNS["identifying"].search(column.normal)
    named = named or column.normal in WORDS["names"] or PATTERNS["labels"].search(column.label)
    return _first(
        [
            ("the dictionary marks it as identifying", column.variable.kind == "identifier"),
            ("may say who the patient is", named),
            ("holds e-mail addresses", cells.str.fullmatch(EMAIL).any()),
            (
                "holds what may be phone numbers",
                cells.map(is_phone).sum() >= max(1, len(cells) / 2),
            ),
        ]
    )


def _reason(column: Column) -> str:
    """Why a column is left out; blank where it is kept."""
    kind, outcome = column.variable.kind, _of_outcome(column)
    no_value = column.variable.note or "of the program, not of the patient"
    free_text = kind == "free text" or PATTERNS["free_text"].search(column.normal)
    as_days = f"a date; under columns, type date makes it days{outcome and f' ({outcome})'}"
    return identifies(column) or _first(
        [
            (no_value, kind == "administrative"),
            ("free text may identify patients", free_text),
            ("blank in every row", column.filled.empty),
            (as_days, column.is_date),
            (outcome, outcome),
            (_of_cells(column), True),
        ]
    )


def _of_outcome(column: Column) -> str:
    """What came after day 0 is no characteristic of the patient on day 0."""
    words, told = column.about, f"{column.normal}_{normal(column.label)}"
    days = ("last_contact_day", "death", *EVENT_DAYS, "last_assessment_day")
    days = [day for day in days if words & {*STEMS[day]}]
    others = [OUTCOMES[word] for word in sorted(words & {*OUTCOMES})]
    asks = words & {*WORDS["asks_death"], *WORDS["status"]} or PATTERNS["vital"].search(told)
    time = column.names & {*WORDS["bare_times"]} and column.is_day
    return _first(
        [
            (sentence("stset"), column.name in WORDS["stata_survival"]),
            ("another identifier", column.names & {*STEMS["patient_id"]}),
            *((f"about {RESERVED.get(day, 'Death').lower()}: an outcome", True) for day in days),
            ("about death: an outcome", asks),
            *((f"an outcome, {other}", True) for other in others),
            ("an outcome by its name, no characteristic", outlived(column.name)),
            (sentence("bare"), time or words & {*WORDS["bare_status"]}),
        ]
    )


def _of_cells(column: Column) -> str:
    """Why the cells of a column tell nothing of patients, or too much of each."""
    cells, many, levels = column.filled, column.filled.nunique(), len(column.levels)
    labelled, own = _is_labelled(column), len(cells) > 5 and cells.is_unique
    counts = cells.tolist() in [[str(n + first) for n in range(len(cells))] for first in (0, 1)]
    return _first(
        [
            ("counts the rows", own and counts),
            ("another identifier", own and PATTERNS["id"].search(column.normal)),
            ("the same in every row", many == 1 and len(cells) == len(column.text)),
            (f"{levels} levels, more than {LEVELS_AT_MOST}", labelled and levels > LEVELS_AT_MOST),
            ("", labelled or _is_numeric(column) or column.is_time_in_words),
            (sentence("many_texts", count=many), many > LEVELS_AT_MOST),
            ("a text of its own in every row", own),
        ]
    )


def _is_numeric(column: Column) -> bool:
    """Numbers, with at most a few slips among many values, which the import then names."""
    kind, cells = column.variable.kind, column.filled
    if kind == "text" or cells.str.fullmatch(r"0\d+").any():  # 007 is a code
        return False
    slips = kind == "number" or cells.nunique() > LEVELS_AT_MOST
    return is_number(cells, share=0.9 if slips else 1)


def _is_labelled(column: Column) -> bool:
    """True where the file's labels cover every value."""
    return bool(column.levels) and {*column.filled} <= {*column.levels, *column.levels.values()}


def _is_coded(column: Column) -> bool:
    """True for numbers that name groups: a mean of them would say nothing.

    One digit each and some of them repeated, or by their name; no counts and no measurements.
    """
    variable, cells = column.variable, column.filled
    if variable.kind == "number" or variable.minimum or variable.maximum:
        return False
    if not cells.str.fullmatch(r"-?\d+").all() or cells.nunique() > LEVELS_AT_MOST:
        return False
    named, label = ({*normal(text).split("_")} for text in (column.name, column.label))
    repeated = cells.str.fullmatch(r"\d").all() and not cells.is_unique
    return bool(named & {*WORDS["codes"]}) or bool(
        repeated and not (named | label) & {*WORDS["counts"]}
    )


def _type(column: Column) -> tuple[str, object, str]:
    """The type of an own column, its levels, a list or labels by their codes, and the reason."""
    cells, labels = column.filled, column.levels
    if _is_labelled(column):
        same = all(code == label for code, label in labels.items())
        return "string", list(labels) if same else labels, "labels of the file"
    if _is_coded(column):
        return "string", sorted(set(cells), key=int), sentence("codes")
    if _is_numeric(column):
        whole = column.numbers.mod(1).eq(0).all()
        return ("integer", None, "whole numbers") if whole else ("number", None, "numbers")
    if column.is_time_in_words:
        return OPEN, None, sentence("time_in_words", column=column.name)
    values, why = sorted(set(cells)), counted(cells.nunique(), "different text")
    if {value.lower() for value in values} in ({"y", "n"}, {"yes", "no"}):
        levels = {value: "yes" if value.lower()[0] == "y" else "no" for value in values[::-1]}
        return "string", list(levels) if list(levels) == ["yes", "no"] else levels, why
    return "string", values, why
