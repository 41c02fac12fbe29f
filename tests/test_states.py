"""Where patients are: the stays from which the shares in each state are estimated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from inprocess import run
from test_declared import made

from analysis.dataset.model import ROOT, load
from analysis.study.states import events_in_order, stays

OWN = {"name": "own", "title": "Own", "events": ["recurrence_day"], "competing": ["died"]}


def test_a_patient_moves_on_with_each_event_and_a_day_of_two_has_the_later_one(tmp_path):
    data = load(
        made(
            tmp_path,
            {"recurrence_day": 40, "died": "yes"},
            {"recurrence_day": 100, "died": "yes"},  # dies on the day
            {"recurrence_day": 0},  # begins there
            {},
            endpoints=(OWN,),
        )
    )
    events = events_in_order(data)
    assert events == {"recurrence_day": "recurrence_day", "died": "dead"}
    rows = stays(data, events)
    told = rows.astype(object).where(rows.notna(), None).to_numpy().tolist()
    assert told == [
        [0, -np.inf, 40.0, "none", "recurrence_day"],
        [0, 40.0, 100.0, "recurrence_day", "died"],
        [1, -np.inf, 100.0, "none", "died"],
        [2, -np.inf, 100.0, "recurrence_day", None],
        [3, -np.inf, 100.0, "none", None],
    ]


@pytest.mark.parametrize("name", ["blinatumomab", "bmt", "myeloid"])
def test_the_shares_of_all_states_make_one(name: str, tmp_path: Path):
    numbers = run("states", ROOT / "data" / name, tmp_path).numbers
    assert set(numbers["quantity"]) == {"state_occupation"}
    sums = numbers.groupby("months")["estimate"].sum(min_count=1).dropna()
    assert len(sums) > 4
    assert sums.to_numpy() == pytest.approx(1)


def test_one_kind_of_event_needs_no_picture_of_states(tmp_path):
    one = {name: value for name, value in OWN.items() if name != "competing"}
    folder = made(tmp_path / "one", endpoints=(one,), without=("died",))
    assert "so its curve says where patients are" in run("states", folder, tmp_path).missing
