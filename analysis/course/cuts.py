"""A cut of follow-up: what was known of the same patients when they had been followed for less."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from .. import survival as est
from ..dataset.endpoints import Endpoint
from ..dataset.model import Dataset, NotRecorded
from ..page.formats import at_time
from ..page.prose import Prose, sourced
from ..page.units import unit_of

STEPS = (1, 2, 3, 6, 9, 12, 18, 24, 36, 48, 60, 72, 96, 120, 180, 240, 360, 480)
MOST = 9


def cut_at(question: Endpoint, day: float) -> Endpoint:
    """The endpoint as it was when each patient had been followed for `day` days from its origin.

    Who was still without the event then is censored on that day; an event on it counts.
    """
    data, day = question.data, float(est.met(day, question.time))
    event = data["event"].where(data["time"] <= day, 0)
    return dataclasses.replace(
        question, data=data.assign(time=np.minimum(data["time"], day), event=event)
    )


def cuts(dataset: Dataset, question: Endpoint) -> list[float]:
    """The months at which the lessons cut, at most MOST, in order; all are before the last day.

    Raises NotRecorded where nobody was followed for longer than the first.
    """
    last, grid = [question.time.max()], unit_of(dataset.settings).grid
    months = [float(step * grid) for step in STEPS]
    found = [month for month in months if est.beyond(last, dataset.days(month)).all()]
    if not found:
        raise NotRecorded(
            "Follow-up cannot be cut short here: nobody was followed for longer than "
            f"{at_time(grid)}."
        )
    return found[-MOST:]


def place_of(question: Endpoint, month: float | None) -> tuple[str, float | None]:
    """The group and the months of the results of a cut of an endpoint, or of no cut."""
    return (f"{question.name}:cut", month) if month else (question.name, None)


def named(row: pd.Series, month: float | None) -> Prose | str:
    """A cut at the beginning of a sentence, its month linked to a row of its results."""
    return Prose("Cut at {month}", month=sourced(at_time(month), row)) if month else "Without a cut"
