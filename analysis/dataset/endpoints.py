"""From patients to endpoints: who is followed, from which day, to what.

An endpoint's days count from its own origin. Events are numbered: 0 censored, 1 the event of
interest, 2 the competing event (only in `relapse`).
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..survival.times import beyond, one_time
from .model import Dataset, NotRecorded


@dataclass(frozen=True)
class Endpoint:
    """One time-to-event question.

    `data` has a row for each patient who can answer it, indexed as `dataset.patients`, with the
    columns `origin` (day of the dataset's clock), `time` (days from that origin, 0 or more) and
    `event` (0, 1, 2). `title`, `origin` and `event` are words for captions.
    """

    name: str
    title: str
    origin: str
    event: str
    data: pd.DataFrame

    @property
    def time(self) -> np.ndarray:
        """Days from the endpoint's origin to its event or censoring."""
        return self.data["time"].to_numpy()

    @property
    def observed(self) -> np.ndarray:
        """0 censored, 1 event, 2 competing event."""
        return self.data["event"].to_numpy()


def endpoint(dataset: Dataset, name: str) -> Endpoint:
    """One of `os`, `rfs`, `relapse` and `os_after_hsct`.

    Raises NotRecorded where the dataset lacks a column that the endpoint needs, or nobody
    qualifies for it, or so few that they are masked.
    """
    make = {"os": _os, "rfs": _rfs, "relapse": _relapse, "os_after_hsct": _os_after_hsct}[name]
    made = make(dataset)
    if made.data.empty:
        raise NotRecorded(
            f"{made.title} cannot be shown: no patient of this dataset reaches its starting "
            f"point ({made.origin})."
        )
    if len(made.data) < dataset.mask_below:
        raise NotRecorded(
            f"{made.title} is not shown: fewer than {dataset.mask_below} patients of this dataset "
            f"reach its starting point ({made.origin}), and counts below that are masked."
        )
    return made


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
    return responders(patients) & ~relapsed & patients["died"].eq("no")


def _os(dataset: Dataset) -> Endpoint:
    patients = dataset.patients
    return Endpoint(
        "os",
        "Overall survival",
        dataset.settings.time_origin,
        "death",
        _data(0.0, patients["last_contact_day"], patients["died"].eq("yes").astype(int)),
    )


def _rfs(dataset: Dataset) -> Endpoint:
    relapse = _relapse(dataset, purpose="Relapse-free survival")
    return Endpoint(
        "rfs",
        "Relapse-free survival",
        relapse.origin,
        "relapse or death",
        relapse.data.assign(event=relapse.data["event"].clip(upper=1)),
    )


def _relapse(dataset: Dataset, purpose: str = "The incidence of relapse") -> Endpoint:
    dataset.require(purpose, "response_day", "relapse_day")
    patients = dataset.patients[responders(dataset.patients)]
    relapsed, died = patients["relapse_day"].notna(), patients["died"].eq("yes")
    end = _day(patients, "last_assessment_day").fillna(patients["last_contact_day"])
    end = end.mask(died, patients["last_contact_day"]).mask(relapsed, patients["relapse_day"])
    event = np.select([relapsed, died], [1, 2], 0)
    data = _data(patients["response_day"], end, event)
    return Endpoint(
        "relapse", "Relapse", in_sentence(dataset.label("response_day")), "relapse", data
    )


def _os_after_hsct(dataset: Dataset) -> Endpoint:
    purpose = "Survival after transplant in remission"
    dataset.require(purpose, "response_day", "hsct_day")
    patients = dataset.patients[in_remission_at_hsct(dataset.patients)]
    event = patients["died"].eq("yes").astype(int)
    return Endpoint(
        "os_after_hsct",
        "Overall survival after transplant in remission",
        in_sentence(dataset.label("hsct_day")),
        "death",
        _data(patients["hsct_day"], patients["last_contact_day"], event),
    )


def _data(origin: pd.Series | float, end: pd.Series, event) -> pd.DataFrame:
    (time,) = one_time(end - origin)
    return pd.DataFrame({"origin": origin, "time": time, "event": event}, index=end.index)


def in_sentence(label: str) -> str:
    """A label within a sentence: Remission becomes remission, CR/CRh stays."""
    return label[0].lower() + label[1:] if label[1:2].islower() else label


def _day(patients: pd.DataFrame, column: str) -> pd.Series:
    """A column of days, blank throughout where the dataset has none."""
    if column in patients:
        return patients[column]
    return pd.Series(np.nan, index=patients.index, name=column)


def answerable(dataset: Dataset, *names: str) -> list[Endpoint]:
    """Those of the endpoints that the dataset records."""
    found = []
    for name in names:
        with contextlib.suppress(NotRecorded):
            found.append(endpoint(dataset, name))
    return found
