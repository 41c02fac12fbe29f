"""Where patients are from day to day: the stays of a multi-state model."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..dataset.columns import EVENT_DAYS
from ..dataset.covariates import counting
from ..dataset.definitions import in_sentence
from ..dataset.endpoints import dead
from ..dataset.model import Dataset

PAPERS = tuple(column for column in EVENT_DAYS if column != "mrd_response_day")


def events_in_order(dataset: Dataset) -> dict[str, str]:
    """The events that move patients on, by their columns, in words: those of the endpoints.

    A dataset that declares no endpoints has the paper's: response, transplant and relapse. Death is
    the last, where it is recorded.
    """
    declared = dataset.package["analysis"].get("endpoints")
    named = {
        column
        for plan in dataset.endpoints.values()
        for column in (*plan.events, *plan.competing, *((plan.start,) if plan.start else ()))
    }
    own = [field["name"] for field in dataset.fields if field["name"] in named - {"died"}]
    columns = own if declared else [column for column in PAPERS if column in dataset.patients]
    found = {column: in_sentence(dataset.label(column)) for column in columns}
    return found | ({"died": "dead"} if "died" in dataset.patients else {})


def stays(dataset: Dataset, events: dict[str, str]) -> pd.DataFrame:
    """A row for each stay of a patient in a state, as `survival.state_shares` takes them.

    The state is the last event that has come, `none` before any; of events of one day it is the
    later one of `events`. What has come by day 0 is where a patient begins. Columns `patient`,
    `start` (days; -inf from the beginning), `stop`, `from` and `to` (missing at the end of
    follow-up without an event), and the NUMBER of patients where the dataset is folded.
    """
    patients, last = dataset.patients, dataset.patients["last_contact_day"]
    days = patients[[column for column in events if column != "died"]].copy()
    if "died" in events:
        days["died"] = last.where(dead(patients))
    moves = days.rename_axis("patient").stack().rename("day").rename_axis(["patient", "state"])
    moves = moves.reset_index()
    moves["place"] = moves["state"].map(list(events).index)
    moves["day"] = moves["day"].clip(lower=0)
    moves = moves.sort_values(["patient", "day", "place"]).drop_duplicates(
        ["patient", "day"], keep="last"
    )
    everybody = pd.DataFrame({"patient": patients.index, "day": 0.0, "state": "none"})
    first = pd.concat([everybody, moves[["patient", "day", "state"]]]).sort_values(
        ["patient", "day"], kind="stable"
    )
    first = first.drop_duplicates(["patient", "day"], keep="last")
    following = first.groupby("patient")
    ends = last[first["patient"]].to_numpy()
    later, to = following["day"].shift(-1), following["state"].shift(-1)
    rows = pd.DataFrame(
        {
            "patient": first["patient"],
            "start": first["day"].where(first["day"] > 0, -np.inf),
            "stop": later.fillna(pd.Series(ends, first.index)),
            "from": first["state"],
            "to": to,
        }
    )
    # Who has reached the last day in a state has no stay in it; nobody returns to `none`.
    rows = rows[rows["start"] < rows["stop"]].reset_index(drop=True)
    return counting(dataset, rows)
