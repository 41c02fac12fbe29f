"""The groups of the results: who a row is about, as text that is written and read here.

`os`, `os:age` (a factor of an endpoint), `stage=II` (a level), each with `|total` where it is of
one column of a table; `os|arm=B` (a group of an endpoint), `ttr:competing` (what competes in it).
"""

from __future__ import annotations

from ..dataset.endpoints import Endpoint
from ..dataset.model import Dataset
from .rows import COMPETING


def of_level(name: str, column: str, level: str) -> str:
    """The patients of an endpoint, or of a cause, with one level of a column: `os|arm=B`."""
    return f"{name}|{column}={level}"


def competing(question: Endpoint) -> str:
    """What competes in an endpoint: `ttr:competing`, and in the paper's `death`."""
    return "death" if question.name == "relapse" else question.name + COMPETING


def in_column(name: str, column: str) -> str:
    """The group `name` within a `column` of a table; a table of one column, "", adds nothing."""
    return f"{name}|{column}" if column else name


def outcome_labels(dataset: Dataset) -> dict[str, tuple[str, int]]:
    """Heading and indent of the rows that the reserved columns give."""
    after = f" after {dataset.settings.treatment}" if dataset.settings.treatment else ""
    response, hsct = dataset.label("response_day"), dataset.label("hsct_day")
    return {
        "mrd_response_day": (f"{dataset.label('mrd_response_day')}, No. (%)", 0),
        "hsct_day": (f"{hsct}{after}, No. (%)", 0),
        "hsct_in_remission": (f"In remission after {response}", 1),
        "hsct_after_relapse": (f"After {response} and relapse", 1),
        "hsct_without_response": (f"Without {response} before it", 1),
        "relapse_free": (f"Relapse-free survivors{after}, No. (%)", 0),
        "relapse_free_without_hsct": (f"Without {hsct}", 1),
        "relapse_free_after_hsct": (f"With {hsct}", 1),
    }
