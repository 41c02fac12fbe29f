"""Files beside a file that say what its columns mean: a REDCap dictionary, a catalog of SAS."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from ..dataset.problems import DataError, Problem, raise_any
from .files import read, readable, value_labels
from .meaning import Variable
from .source import Source
from .words import REDCAP, sentence

_REQUIRED = list(REDCAP)[:4]
_NUMBERS = ("integer", "number", "number_1dp", "number_2dp", "number_3dp", "number_4dp")
YES_NO = {"1": "yes", "0": "no"}
_IDENTIFYING = ("email", "phone", "ssn", "zipcode", "postalcode", "mrn")


def labelled(source: Source, catalog: Path) -> str:
    """Give a SAS file the labels of its values, which a catalog holds; returns its SHA-256.

    Raises DataError where it is no catalog, or has no labels of this file.
    """
    import pyreadstat

    if not catalog.is_file():
        raise DataError([f"{catalog}: not found"])
    with readable(catalog, "a SAS catalog (.sas7bcat)"):
        _, about = pyreadstat.read_sas7bcat(catalog)
    named = [v for v in source.variables.values() if v.labels in about.value_labels]
    if not named:
        raise DataError([f"{catalog.name}: has no labels of a column of {source.file}"])
    for variable in named:
        variable.levels = value_labels(about.value_labels[variable.labels])
    return hashlib.sha256(catalog.read_bytes()).hexdigest()


def described(source: Source, dictionary: Path) -> str:
    """Give an export what its dictionary says of its columns; returns the dictionary's SHA-256.

    Raises DataError where the file is no dictionary, or describes none of the columns.
    """
    table = read(dictionary, {"missing": [], "decimal": "."})
    text = table.text.rename(columns=REDCAP)
    raise_any(
        Problem(
            table.file, 1, expected=f"found no column {name}; expected a REDCap data dictionary"
        )
        for name in _REQUIRED
        if REDCAP[name] not in text
    )
    text = text.reindex(columns=list(REDCAP.values()), fill_value="")
    fields = {row["field_name"]: row for row in text.to_dict("records")}
    variables = {name: _variable(name, fields) for name in source.text}
    known = {name: variable for name, variable in variables.items() if variable}
    if not known:
        raise DataError([Problem(table.file, expected=f"describes no column of {source.file}")])
    source.variables.update(known)
    return table.sha256


def _variable(name: str, fields: dict[str, dict[str, str]]) -> Variable | None:
    """What the dictionary says of one column of the export; None where it says nothing."""
    base, box, code = name.partition("___")
    row = fields.get(name) or fields.get(base)
    if row is None:  # REDCap itself says whether a form is complete, and which event it was
        own = name.endswith("_complete") or re.fullmatch(r"redcap_\w+", name)
        return Variable(name, kind="administrative") if own else None
    label, kind = row["field_label"], row["field_type"]
    choices, validation = (
        row["select_choices_or_calculations"],
        row["text_validation_type_or_show_slider_number"],
    )
    note = f"Asked only where {row['branching_logic']}" if row["branching_logic"] else ""
    identifies = row["identifier"].lower() == "y" or validation.startswith(_IDENTIFYING)
    if box and kind == "checkbox":  # of which each box is a column of its own
        labels = _labels(choices)  # a minus sign in a code is written _
        label = f"{label}: {labels.get(code) or labels.get(code.replace('_', '-')) or code}"
        kind = "identifier" if identifies else "text"
        return Variable(name, label, dict(YES_NO), kind, note=note)
    if kind in ("file", "descriptive") or validation == "signature":
        return Variable(name, label, kind="administrative", note=sentence(f"of_type_{kind}"))
    levels = _labels(choices) if kind in ("radio", "dropdown") else {}
    levels = dict(YES_NO) if kind in ("yesno", "truefalse") else levels
    limits = [row[f"text_validation_{end}"] for end in ("min", "max")]
    limits = [text if re.fullmatch(r"-?\d+(\.\d+)?", text) else "" for text in limits]
    kind = "identifier" if identifies else _kind(kind, validation, levels)
    return Variable(name, label, levels, kind, *limits, note)


def _labels(choices: str) -> dict[str, str]:
    """`1, Male | 2, Female` as labels by their codes, in order."""
    pairs = (part.partition(",") for part in choices.split("|") if part.strip())
    return {code.strip(): label.strip() or code.strip() for code, _, label in pairs}


def _kind(kind: str, validation: str, levels: dict[str, str]) -> str:
    if kind in ("calc", "slider") or validation.startswith(_NUMBERS):
        return "number"
    if validation.startswith("date"):
        return "date"
    if kind == "notes":
        return "free text"
    return "text" if levels else ""
