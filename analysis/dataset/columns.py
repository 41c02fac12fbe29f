"""The columns that have a meaning in code. All others are a dataset's own."""

from __future__ import annotations

from collections.abc import Iterable

REQUIRED = ("patient_id", "last_contact_day")  # and `died`, where an endpoint names it
EVENT_DAYS = ("response_day", "mrd_response_day", "hsct_day", "relapse_day")
RESERVED = {
    "patient_id": "Patient",
    "response_day": "Response",
    "mrd_response_day": "MRD response",
    "hsct_day": "Transplant",
    "relapse_day": "Relapse",
    "last_assessment_day": "Last disease assessment",
    "last_contact_day": "Last contact",
    "died": "Died",
}
PUBLISHED = ("page", "quantity", "group", "months", "part", "printed", "place", "note")
# What a match with a printed number is worth. The last two are listed, and no page computes them:
# a result that needs data which are not here, and what is no result.
KINDS = ("calibrated", "emergent", "contradiction", "unavailable", "given")
LISTED = ("unavailable", "given")


def is_day(field: dict) -> bool:
    """Whether a field of the schema is one of the reserved days, or a day of an endpoint."""
    return "day" in field or (field["name"] in RESERVED and field["name"].endswith("_day"))


def is_number(field: dict) -> bool:
    """A day is a number whatever the schema says of it."""
    return is_day(field) or field.get("type") in ("integer", "number")


def said(field: dict, found: Iterable[str], what: str = "yes") -> list[str]:
    """Of the words that a column has, those that mean `yes`, or `no`, whatever their case.

    Of a boolean of the Table Schema standard also its `trueValues`, or its `falseValues`.
    """
    own: Iterable[str] = ()
    if field.get("type") == "boolean":
        key, usual = ("trueValues", "true") if what == "yes" else ("falseValues", "false")
        own = field.get(key, (usual, usual.title(), usual.upper(), "10"[what == "no"]))
    return [word for word in found if word in own or word.casefold() == what]
