"""The columns that stay a dataset's own: which are left out and why, and their types."""

from __future__ import annotations

import pandas as pd
from ruamel.yaml.comments import CommentedMap

from ..dataset.columns import EVENT_DAYS, RESERVED
from ..dataset.privacy import EMAIL, is_phone
from .files import Source, Variable, is_date, is_number
from .mapping import put
from .meaning import is_day, paired
from .words import (
    ASKS_DEATH,
    BARE_STATUS,
    BARE_TIMES,
    CODES,
    CODES_TO,
    COUNTS,
    FREE_TEXT,
    ID,
    IDENTIFYING,
    LABELS,
    NAMES,
    OUTCOMES,
    STATA_SURVIVAL,
    STATUS,
    STEMS,
    VITAL,
    about,
    counted,
    normal,
    outlived,
    stem,
)

LEVELS_AT_MOST = 20  # more different texts are free text, which may identify a patient


def guess(source: Source, tree: CommentedMap, used: set[str]) -> None:
    """The blocks `columns` and `dropped` of a mapping, for the columns that no other block uses."""
    pairs, reasons = paired(source), {}
    for column in source.text:
        if column not in used:
            reasons[column] = why = _reason(source, column)
            if not why and column in pairs:
                reasons[column] = f"a time and its status, with {pairs[column]}: an outcome"
    tree["columns"], tree["dropped"] = CommentedMap(), CommentedMap()
    kept = [column for column, why in reasons.items() if not why]
    for column in kept:
        name = column.lower() if column.isupper() else column
        _own_column(source, tree, column, f"{name}_" if name in RESERVED else name)
    for column, why in reasons.items():
        if why:
            put(tree, ["dropped", column], why)


def _own_column(source: Source, tree: CommentedMap, column: str, name: str) -> None:
    variable, cells = source.variables[column], source.filled(column)
    kind, levels, why = _type(variable, cells)
    if name != column:
        put(tree, ["columns", column, "name"], name)
    put(tree, ["columns", column, "title"], variable.label or column)
    put(tree, ["columns", column, "type"], kind, why)
    limits = {} if kind == "string" else {"minimum": variable.minimum, "maximum": variable.maximum}
    details = {"levels": levels, **limits, "description": variable.note}
    for key, value in details.items():
        if value:
            put(tree, ["columns", column, key], value)


# --- what is left out --------------------------------------------------------------------------


def identifies(source: Source, column: str) -> str:
    """Why a column may say who a patient is; blank where nothing says so."""
    variable, name = source.variables[column], normal(column)
    if variable.kind == "identifier":
        return "the dictionary marks it as identifying"
    if IDENTIFYING.search(name) or name in NAMES or LABELS.search(variable.label):
        return "may say who the patient is"
    cells = source.filled(column)
    if cells.str.fullmatch(EMAIL).any():
        return "holds e-mail addresses"
    if len(cells) and cells.map(is_phone).mean() >= 0.5:
        return "holds what may be phone numbers"
    return ""


def _reason(source: Source, column: str) -> str:
    """Why a column is left out; blank where it is kept."""
    variable, cells = source.variables[column], source.filled(column)
    if why := identifies(source, column):
        return why
    if variable.kind == "administrative":
        return variable.note or "of the program, not of the patient"
    if variable.kind == "free text" or FREE_TEXT.search(normal(column)):
        return "free text may identify patients"
    if cells.empty:
        return "blank in every row"
    outcome = _of_outcome(source, column)
    if is_date(source, column) or (variable.kind == "date" and not cells.empty):
        return f"a date; under columns, type date makes it days{outcome and f' ({outcome})'}"
    if outcome:
        return outcome
    if len(cells) > 5 and _counts_rows(cells.tolist()):
        return "counts the rows"
    if cells.is_unique and len(cells) > 5 and ID.search(normal(column)):
        return "another identifier"
    if cells.nunique() == 1 and len(cells) == len(source.text):
        return "the same in every row"
    return _too_many(variable, cells)


def _counts_rows(cells: list[str]) -> bool:
    return any(cells == [str(first + n) for n in range(len(cells))] for first in (0, 1))


def _of_outcome(source: Source, column: str) -> str:
    """What came after day 0 is no characteristic of the patient on day 0."""
    if column in STATA_SURVIVAL:
        return "made by stset of Stata: follow-up or its end, no characteristic"
    if {normal(column), stem(column)} & {*STEMS["patient_id"]}:
        return "another identifier"
    words = about(column)
    for role in ("last_contact_day", "death", *EVENT_DAYS, "last_assessment_day"):
        if words & {*STEMS[role]}:
            return f"about {RESERVED.get(role, 'Death').lower()}: an outcome"
    said = f"{normal(column)}_{normal(source.variables[column].label)}"
    if words & {*ASKS_DEATH, *STATUS} or VITAL.search(said):
        return "about death: an outcome"
    for word in sorted(words & {*OUTCOMES}):
        return f"an outcome, {OUTCOMES[word]}"
    if outlived(column):
        return "an outcome by its name, no characteristic"
    if words & {*BARE_STATUS} or (stem(column) in BARE_TIMES and is_day(source, column)):
        return "a time or a status by its name, no characteristic"
    return ""


def _too_many(variable: Variable, cells: pd.Series) -> str:
    many, labelled = cells.nunique(), _is_labelled(variable, cells)
    if labelled and len(variable.levels) > LEVELS_AT_MOST:
        return f"{len(variable.levels)} levels, more than {LEVELS_AT_MOST}"
    if labelled or _is_numeric(variable, cells):
        return ""
    if many > LEVELS_AT_MOST:
        return f"{many} different texts; free text may identify patients"
    return "a text of its own in every row" if cells.is_unique and many > 5 else ""


def _is_numeric(variable: Variable, cells: pd.Series) -> bool:
    """Numbers, with at most a few slips among many values, which the import then names."""
    if variable.kind == "text" or cells.str.fullmatch(r"0\d+").any():  # 007 is a code
        return False
    slips = variable.kind == "number" or cells.nunique() > LEVELS_AT_MOST
    return is_number(cells, share=0.9 if slips else 1)


def _is_labelled(variable: Variable, cells: pd.Series) -> bool:
    """True where the file's labels cover every value."""
    return bool(variable.levels) and set(cells) <= {*variable.levels, *variable.levels.values()}


def _is_coded(variable: Variable, cells: pd.Series) -> bool:
    """True for numbers that name groups: a mean of them would say nothing.

    One digit each and some of them repeated, or by their name; no counts and no measurements.
    """
    named = {*normal(variable.name).split("_")}
    if variable.kind == "number" or variable.minimum or variable.maximum:
        return False
    if not cells.str.fullmatch(r"-?\d+").all() or cells.nunique() > LEVELS_AT_MOST:
        return False
    small = cells.str.fullmatch(r"\d").all() and pd.to_numeric(cells).max() <= CODES_TO
    counts = (named | {*normal(variable.label).split("_")}) & COUNTS
    return bool(named & CODES) or bool(small and not counts and not cells.is_unique)


def _type(variable: Variable, cells: pd.Series) -> tuple[str, object, str]:
    """The type of an own column, its levels, a list or labels by their codes, and the reason."""
    if _is_labelled(variable, cells):
        same = all(code == label for code, label in variable.levels.items())
        return "string", list(variable.levels) if same else variable.levels, "labels of the file"
    if _is_coded(variable, cells):
        why = 'numbers without labels, taken for codes; levels {"1": male} names them'
        return "string", sorted(set(cells), key=int), why
    if _is_numeric(variable, cells):
        whole = pd.to_numeric(cells, errors="coerce").mod(1).fillna(0).eq(0).all()
        return ("integer", None, "whole numbers") if whole else ("number", None, "numbers")
    values, why = sorted(set(cells)), counted(cells.nunique(), "different text")
    if {value.lower() for value in values} in ({"y", "n"}, {"yes", "no"}):
        words = {value: "yes" if value.lower()[0] == "y" else "no" for value in values[::-1]}
        return "string", list(words) if list(words) == ["yes", "no"] else words, why
    return "string", values, why
