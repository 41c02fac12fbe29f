"""What each lesson asks of a dataset first: so `check` says which go without its patients."""

from __future__ import annotations

from collections.abc import Callable

from ..dataset.model import Dataset
from . import keys_04, keys_08, keys_09, keys_10
from .events import competing_outcome, later_event, later_factors, outcome_of


def _on_the_way(dataset: Dataset) -> object:
    return outcome_of(dataset, deaths=True), later_event(dataset)


def _looking_back(dataset: Dataset) -> object:
    return _on_the_way(dataset), keys_08.splits(dataset)


# Each raises NotRecorded, with the sentence that stands on the lesson's page.
LESSONS: dict[str, Callable[[Dataset], object]] = {
    "Lesson 1": outcome_of,
    "Lesson 2": outcome_of,
    "Lesson 3": outcome_of,
    "Lesson 4": keys_04.question,
    "Lesson 5": competing_outcome,
    "Lesson 6": _on_the_way,
    "Lesson 7": later_factors,
    "Lesson 8": _looking_back,
    "Lesson 9": keys_09.question,
    "Lesson 10": keys_10.question,
    "Lesson 11": outcome_of,
}
