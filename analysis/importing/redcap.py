"""The data dictionary of a REDCap project: what the columns of its raw export mean."""

from __future__ import annotations

import re
from pathlib import Path

from ..dataset.problems import DataError, Problem, raise_any
from .files import Source, Variable, read

# The dictionary as the web page writes it, and as the API does.
_HEADINGS = {
    "name": ("Variable / Field Name", "field_name"),
    "type": ("Field Type", "field_type"),
    "label": ("Field Label", "field_label"),
    "choices": ("Choices, Calculations, OR Slider Labels", "select_choices_or_calculations"),
    "validation": (
        "Text Validation Type OR Show Slider Number",
        "text_validation_type_or_show_slider_number",
    ),
    "minimum": ("Text Validation Min", "text_validation_min"),
    "maximum": ("Text Validation Max", "text_validation_max"),
    "identifier": ("Identifier?", "identifier"),
    "branching": ("Branching Logic (Show field only if...)", "branching_logic"),
}
_REQUIRED = ("name", "type", "label", "choices")
_NUMBERS = ("integer", "number", "number_1dp", "number_2dp", "number_3dp", "number_4dp")
YES_NO = {"1": "yes", "0": "no"}
_NO_VALUES = {
    "file": "a field of type file: the name of what was uploaded",
    "descriptive": "a field of type descriptive: a text for the person who fills in the form",
}
_IDENTIFYING = ("email", "phone", "ssn", "zipcode", "postalcode", "mrn")


def described(source: Source, dictionary: Path) -> str:
    """Give an export what its dictionary says of its columns; returns the dictionary's SHA-256.

    Raises DataError where the file is no dictionary, or describes none of the columns.
    """
    table = read(dictionary, {"missing": [], "decimal": "."})
    fields = _fields(table)
    variables = {name: _variable(name, fields) for name in source.text}
    known = {name: variable for name, variable in variables.items() if variable}
    if not known:
        raise DataError([Problem(table.file, expected=f"describes no column of {source.file}")])
    source.variables.update(known)
    return table.sha256


def choices(text: str) -> dict[str, str]:
    """`1, Male | 2, Female` as labels by their codes, in order."""
    pairs = (part.partition(",") for part in text.split("|") if part.strip())
    return {code.strip(): label.strip() or code.strip() for code, _, label in pairs}


def _fields(table: Source) -> dict[str, dict[str, str]]:
    """The rows of the dictionary by the name of their field."""
    columns = {
        key: next((name for name in names if name in table.text), None)
        for key, names in _HEADINGS.items()
    }
    absent = [_HEADINGS[key][0] for key in _REQUIRED if columns[key] is None]
    expected = "found no column {}; expected a REDCap data dictionary"
    raise_any(Problem(table.file, 1, expected=expected.format(name)) for name in absent)
    rows = (
        {key: row[name] if name else "" for key, name in columns.items()}
        for row in table.text.to_dict("records")
    )
    return {row["name"]: row for row in rows}


def _variable(name: str, fields: dict[str, dict[str, str]]) -> Variable | None:
    """What the dictionary says of one column of the export; None where it says nothing."""
    base, box, code = name.partition("___")
    row = fields.get(name) or fields.get(base)
    if row is None:  # REDCap itself says whether a form is complete, and which event it was
        own = name.endswith("_complete") or re.fullmatch(r"redcap_\w+", name)
        return Variable(name, kind="administrative") if own else None
    note = f"Asked only where {row['branching']}" if row["branching"] else ""
    identifies = row["identifier"].lower() == "y" or row["validation"].startswith(_IDENTIFYING)
    if box and row["type"] == "checkbox":  # of which each box is a column of its own
        labels = choices(row["choices"])  # a minus sign in a code is written _
        label = f"{row['label']}: {labels.get(code) or labels.get(code.replace('_', '-')) or code}"
        return Variable(
            name, label, dict(YES_NO), "identifier" if identifies else "text", note=note
        )
    if row["type"] in _NO_VALUES or row["validation"] == "signature":
        return Variable(name, row["label"], kind="administrative", note=_NO_VALUES[row["type"]])
    levels = _levels(row)
    return Variable(
        name,
        label=row["label"],
        levels=levels,
        kind="identifier" if identifies else _kind(row, levels),
        minimum=_number(row["minimum"]),
        maximum=_number(row["maximum"]),
        note=note,
    )


def _levels(row: dict[str, str]) -> dict[str, str]:
    if row["type"] in ("radio", "dropdown"):
        return choices(row["choices"])
    return dict(YES_NO) if row["type"] in ("yesno", "truefalse") else {}


def _kind(row: dict[str, str], levels: dict[str, str]) -> str:
    if row["type"] in ("calc", "slider") or row["validation"].startswith(_NUMBERS):
        return "number"
    if row["validation"].startswith("date"):
        return "date"
    if row["type"] == "notes":
        return "free text"
    return "text" if levels else ""


def _number(text: str) -> str:
    return text if re.fullmatch(r"-?\d+(\.\d+)?", text) else ""
