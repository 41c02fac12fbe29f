"""From patients to endpoints: who is followed, from which day, to what.

An endpoint's days count from its own origin. Events are numbered: 0 censored, 1 the event of
interest, 2 the competing event.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ..survival.curves import patients_of
from ..survival.times import beyond, one_time
from .definitions import Definition, in_sentence
from .model import Dataset, NotRecorded


@dataclass(frozen=True)
class Endpoint:
    """One time-to-event question.

    `data` has a row for each patient who is ever at risk, or for `number` patients alike where the
    dataset is folded, indexed as `dataset.patients`, with the
    columns `origin` (day of the dataset's clock), `time` (days from that origin, 0 or more),
    `event` (0, 1, 2), `entry` (the day after which the patient is under observation; -inf where
    that is the origin) and `died` (known to be dead, and counted here as if only gone). `title`,
    `origin`, `event` and `competing` are words for captions; without `competing` nothing competes.
    `never` counts those whose event or end comes before the origin, or on or before their entry.
    """

    name: str
    title: str
    origin: str
    event: str
    data: pd.DataFrame
    competing: str = ""
    never: int = 0

    @property
    def time(self) -> np.ndarray:
        """Days from the endpoint's origin to its event or censoring."""
        return self.data["time"].to_numpy()

    @property
    def observed(self) -> np.ndarray:
        """0 censored, 1 event, 2 competing event."""
        return self.data["event"].to_numpy()

    @property
    def entry(self) -> np.ndarray | None:
        """Days after which each is at risk; None where all are from the origin."""
        days = self.data["entry"].to_numpy()
        return None if np.isneginf(days).all() else days

    @property
    def number(self) -> np.ndarray | None:
        """Of how many patients each row is; None where of one each."""
        return self.data["number"].to_numpy() if "number" in self.data else None

    @property
    def size(self) -> int:
        """How many patients are ever at risk."""
        return self.many(np.ones(len(self.data), dtype=bool))

    def many(self, which: np.ndarray) -> int:
        """How many of them some are (rows,)."""
        return patients_of(self.number, np.asarray(which))

    @property
    def begins_later(self) -> bool:
        """Whether anybody is asked from a day after the first on, and so had to reach that day."""
        return self.entry is not None or bool((self.data["origin"] > 0).any())


def endpoint(dataset: Dataset, name: str) -> Endpoint:
    """One of the endpoints that the dataset declares, or of the paper's where it declares none.

    Raises NotRecorded where it has no endpoint of this name or lacks a column that the endpoint
    needs, and where nobody is at risk in it, or so few that they are masked.
    """
    if name not in dataset.made:
        dataset.made[name] = _asked_for(dataset, name)
    made = dataset.made[name]
    return replace(made, data=made.data.copy())  # whoever asks may add to it


def _asked_for(dataset: Dataset, name: str) -> Endpoint:
    if name not in dataset.endpoints:
        raise NotRecorded(f"This dataset has no endpoint that is called {name}.")
    defined = dataset.endpoints[name]
    dataset.require(defined.title, *defined.needed)
    made = _endpoint(dataset, defined)
    if made.data.empty:
        why = f"reaches its starting point ({made.origin})"
        if made.never:
            why = "is ever at risk in it"
        elif defined.among and not dataset.happened(defined.among).any():
            why = f"is among those asked ({in_sentence(dataset.label(defined.among))})"
        raise NotRecorded(f"{made.title} cannot be shown: no patient of this dataset {why}.")
    if made.size < dataset.mask_below:
        raise NotRecorded(
            f"{made.title} is not shown: fewer than {dataset.mask_below} patients of this dataset "
            f"reach its starting point ({made.origin}), and counts below that are masked."
        )
    return made


def _endpoint(dataset: Dataset, defined: Definition) -> Endpoint:
    patients = dataset.patients[_asked(dataset, defined)]
    start = _day(patients, defined.start) if defined.start else 0.0
    first, other = (_first(patients, names) for names in (defined.events, defined.competing))
    last = patients["last_contact_day"]
    end = _day(patients, defined.until).fillna(last) if defined.until else last
    event = np.select([first.notna() & ~(other < first), other.notna()], [1, 2], 0)
    end = first.where(event == 1, other.where(event == 2, end))
    time, entry = one_time(end - start, _entry(dataset, defined, patients) - start)
    # Whoever is chosen by a day on or before the origin is followed from the origin itself.
    entry = np.where(entry > 0, entry, -np.inf) if not defined.entry else entry
    origin = dataset.settings.time_origin
    if defined.start:
        origin = in_sentence(dataset.label(defined.start))
    data = pd.DataFrame(
        {"origin": start, "time": time, "event": event, "entry": entry}, index=end.index
    ).assign(died=dead(patients) & (event == 0))
    if dataset.number is not None:
        data["number"] = dataset.number[data.index]
    there = (data["time"] >= 0) & (data["entry"] < data["time"])
    return Endpoint(
        defined.name,
        defined.title,
        origin,
        defined.event,
        data[there],
        defined.competing_event,
        dataset.many(data.index[~there]),
    )


def _asked(dataset: Dataset, defined: Definition) -> pd.Series:
    """True for those whose clock starts, with what must have come by then and what must not."""
    patients = dataset.patients
    asked = pd.Series(True, index=patients.index)
    if defined.among:
        asked &= dataset.happened(defined.among)
    if defined.entry:
        asked &= patients[defined.entry].notna()
    start = pd.Series(0.0, index=patients.index)
    if defined.start:
        start = _day(patients, defined.start)
        asked &= start.notna()
    for column in defined.after:
        asked &= _day(patients, column) <= start
    for column in defined.not_before:
        asked &= ~(_day(patients, column) <= start)
    return asked


def _first(patients: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """The day of the first of some events, `died` among them; missing where none has come."""
    days = [
        patients["last_contact_day"].where(dead(patients))
        if column == "died"
        else _day(patients, column)
        for column in columns
    ]
    blank = pd.Series(np.nan, index=patients.index)
    return pd.concat([blank, *days], axis=1).min(axis=1)


def _entry(dataset: Dataset, defined: Definition, patients: pd.DataFrame) -> pd.Series:
    """The day of the dataset's clock after which each is at risk; -inf for all from the start."""
    days = pd.Series(-np.inf, index=patients.index)
    for column in filter(None, (defined.entry, defined.among)):
        if column == defined.entry or dataset.is_day(column):
            days = days.clip(lower=patients[column])
    return days


def dead(patients: pd.DataFrame) -> pd.Series:
    """True for those who died, and for nobody where that is not recorded."""
    if "died" in patients:
        return patients["died"].eq("yes")
    return pd.Series(False, index=patients.index)


def responders(patients: pd.DataFrame) -> pd.Series:
    """True for the patients with a day of response."""
    return _day(patients, "response_day").notna()


def in_remission_at_hsct(patients: pd.DataFrame) -> pd.Series:
    """True for the transplanted whose response had come and whose relapse had not."""
    hsct, relapse = _day(patients, "hsct_day"), _day(patients, "relapse_day")
    return (_day(patients, "response_day") <= hsct) & ~(relapse <= hsct)


def relapsed_before_hsct(patients: pd.DataFrame) -> pd.Series:
    """True for the transplanted who had responded and relapsed by then."""
    hsct, relapse = _day(patients, "hsct_day"), _day(patients, "relapse_day")
    return (_day(patients, "response_day") <= hsct) & (relapse <= hsct)


def long_term(dataset: Dataset) -> pd.Series:
    """True for the patients known to be alive after `long_term_months`."""
    days, end = (
        dataset.patients["last_contact_day"],
        dataset.days(dataset.settings.long_term_months),
    )
    return pd.Series(beyond(days, end), index=days.index)


def relapse_free(dataset: Dataset) -> pd.Series:
    """True for the responders without a recorded relapse who were alive at their last contact."""
    patients = dataset.patients
    relapsed = _day(patients, "relapse_day").notna()
    return responders(patients) & ~relapsed & ~dead(patients)


def _day(patients: pd.DataFrame, column: str) -> pd.Series:
    """A column of days, blank throughout where the dataset has none."""
    if column in patients:
        return patients[column]
    return pd.Series(np.nan, index=patients.index, name=column)


def main_endpoint(dataset: Dataset) -> Endpoint:
    """The first endpoint in which nothing competes. Raises NotRecorded where there is none."""
    names = [name for name, plan in dataset.endpoints.items() if not plan.competing]
    if not names:
        raise NotRecorded("Something competes in each endpoint of this dataset.")
    found = answerable(dataset, *names)
    return found[0] if found else endpoint(dataset, names[0])


def first_endpoint(dataset: Dataset) -> Endpoint:
    """The main endpoint, or where something competes in each the first that is recorded.

    Raises NotRecorded where there is none.
    """
    found = answerable(dataset)
    plain = [question for question in found if not question.competing]
    return next(iter(plain or found), None) or endpoint(dataset, next(iter(dataset.endpoints)))


def answerable(dataset: Dataset, *names: str) -> list[Endpoint]:
    """Those of some endpoints, or of all, that the dataset records."""
    found = []
    for name in names or dataset.endpoints:
        with contextlib.suppress(NotRecorded):
            found.append(endpoint(dataset, name))
    return found
