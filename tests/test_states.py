"""Where patients are: the stays from which the shares in each state are estimated."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from inprocess import run
from test_declared import made

from analysis.dataset.model import ROOT, load
from analysis.page.charts import HEIGHT
from analysis.study.states import events_in_order, stays
from analysis.survival.states import state_shares

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
    shares = numbers[numbers["quantity"].eq("state_occupation")]
    sums = shares.groupby("months")["estimate"].sum(min_count=1).dropna()
    assert len(sums) > 4
    assert sums.to_numpy() == pytest.approx(1)


def test_one_kind_of_event_needs_no_picture_of_states(tmp_path):
    one = {name: value for name, value in OWN.items() if name != "competing"}
    folder = made(tmp_path / "one", endpoints=(one,), without=("died",))
    assert "so its curve says where patients are" in run("states", folder, tmp_path).missing


def one_by_one(rows: pd.DataFrame, states: list[str]) -> pd.DataFrame:
    """Standard errors of the shares by time, from the influence of each patient at every change."""
    number = len(states)
    here, there = (rows[name].map(states.index, na_action="ignore") for name in ("from", "to"))
    moves = there.notna() & there.ne(here)
    changes = np.unique(rows["stop"][moves])
    begins = rows[(rows["start"] < changes[0]) & (changes[0] <= rows["stop"])].index
    share = np.bincount(here[begins], minlength=number) / len(begins)
    influence = np.zeros((rows["patient"].max() + 1, number))
    influence[rows["patient"][begins]] = (np.eye(number)[here[begins]] - share) / len(begins)
    found = []
    for time in changes:
        at_risk = rows[(rows["start"] < time) & (time <= rows["stop"])].index
        weight = 1 / np.maximum(np.bincount(here[at_risk], minlength=number), 1)
        change, own = np.zeros((number, number)), np.zeros_like(influence)
        for row in at_risk[moves[at_risk] & rows["stop"][at_risk].eq(time)]:
            a, b, patient = here[row], int(there[row]), rows["patient"][row]
            change[a, b] += weight[a]
            own[patient] += weight[a] * share[a] * (np.eye(number)[b] - np.eye(number)[a])
        change -= np.diag(change.sum(axis=1))
        own[rows["patient"][at_risk]] -= ((weight * share)[:, None] * change)[here[at_risk]]
        influence += influence @ change + own
        share = share + share @ change
        found.append(np.sqrt((influence**2).sum(axis=0)))
    return pd.DataFrame(found, changes, states)


@pytest.mark.parametrize("seed", range(20))
def test_influences_moved_together_are_those_of_each_patient(seed: int):
    """With returns, late comers, gaps, moves on one day, and states that all leave at once."""
    random, made = np.random.default_rng(seed), []
    for patient in range(int(random.integers(5, 50))):
        at, state = (-np.inf if random.random() < 0.7 else random.integers(0, 5)), "s0"
        while len(made) < 400:
            stop = max(at, 0) + random.integers(1, 10)
            to = f"s{random.integers(0, 4)}"
            made.append((patient, at, stop, state, to if to != state else None))
            if to == state and random.random() < 0.5:
                break
            at, state = (stop, to) if to != state else (stop + random.integers(0, 2), state)
    columns = ["patient", "start", "stop", "from", "to"]
    rows = pd.DataFrame(made, columns=columns).astype({"start": float, "stop": float})
    shares = state_shares(rows)
    wanted = one_by_one(rows, [*shares])
    for state, frame in shares.items():
        assert frame["se"][wanted.index].to_numpy() == pytest.approx(wanted[state], abs=1e-9)


def test_a_state_that_all_have_left_has_no_limits():
    """Sixths that add up to almost 1 leave a share that is rounding."""
    stay = {"start": -np.inf, "stop": 5.0, "from": "a", "to": "b"}
    left = state_shares(pd.DataFrame({"patient": range(6), **stay}))["a"].iloc[-1]
    assert left["share"] == pytest.approx(0, abs=1e-12)
    assert left[["lower", "upper"]].isna().all()


@pytest.mark.parametrize("name", ["blinatumomab", "bmt", "myeloid"])
def test_every_state_is_named_once_in_its_area_or_above_the_chart(name: str, tmp_path: Path):
    shown = run("states", ROOT / "data" / name, tmp_path, specs=True).shown
    (figure,) = (out["text/html"] for out in shown if "chart-spec" in out.get("text/html", ""))
    spec = json.loads(re.search(r'class="chart-spec">(.*?)</script>', figure, re.DOTALL)[1])
    areas, faint, words = spec["layer"]
    firm, few = (layer["transform"][-1]["filter"] for layer in (areas, faint))
    assert firm.replace("<=", ">=") == few  # each share is drawn once
    named = {row["state"]: row for row in spec["datasets"][words["data"]["name"]]}
    colour = areas["encoding"]["color"]
    above = (colour["legend"] or {"values": []})["values"]
    assert sorted([*named, *above]) == sorted(colour["scale"]["domain"])
    assert above  # each of the shipped datasets has a state that few are in
    assert all(row["top"] - row["bottom"] > 18 / HEIGHT for row in named.values())
