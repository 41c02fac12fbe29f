"""The program that made the synthetic cohort: its likelihood, what it may see, how it goes on."""

from __future__ import annotations

import dataclasses
import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from analysis.dataset.covariates import covariate_rows
from analysis.dataset.endpoints import endpoint
from analysis.dataset.model import load
from analysis.survival import cox

PROGRAM = Path(__file__).resolve().parents[1] / "data" / "blinatumomab" / "calibration"


@pytest.fixture(scope="module")
def program():
    """Its modules by name; they import each other from their own folder."""
    sys.path.insert(0, str(PROGRAM))
    names = ("printed", "likelihood", "search", "pairs", "cohort", "factors", "moves", "events")
    spec = importlib.util.spec_from_file_location("calibration", PROGRAM / "__main__.py")
    main = importlib.util.module_from_spec(spec)
    sys.modules["calibration"] = main
    spec.loader.exec_module(main)
    yield {name: importlib.import_module(name) for name in names} | {"main": main}
    sys.path.remove(str(PROGRAM))


@pytest.fixture(scope="module")
def dataset():
    return load("data/blinatumomab")


@pytest.fixture(scope="module")
def columns(dataset, program):
    """The committed cohort as the search holds it."""
    never = program["likelihood"].NEVER
    patients = dataset.patients
    names = {**program["cohort"].DAYS, "mrd": "mrd_response_day"}
    made = {name: patients[day].fillna(never).astype(int).to_numpy() for name, day in names.items()}
    made["died"] = patients["died"].eq("yes").to_numpy()
    made["evaluable"] = patients["mrd_evaluable"].eq("yes").to_numpy()
    return made


def model(dataset, name: str, *factors: str):
    """The book's own fit: log hazard ratios and standard errors."""
    chosen = [f for column in factors for f in dataset.factors if f.column == column]
    rows = covariate_rows(dataset, endpoint(dataset, name), chosen)
    return cox(rows, list(factors)).estimates


def test_one_factor_is_the_books_cox_model(program, dataset, columns):
    beta, se = program["likelihood"].one_factor(
        columns["last"], columns["died"], columns["response"], -1.0
    )
    expected = model(dataset, "os", "response_day").loc["response_day"]
    assert (beta, se) == pytest.approx((expected["beta"], expected["se"]), rel=1e-6)


def test_a_switch_before_the_clock_counts_from_its_start(program, dataset, columns):
    """From response: an MRD response that came first is there from the start."""
    time, event = program["moves"].relapse_free_time(columns)
    who = program["cohort"].responders(columns) & columns["evaluable"]
    switch = np.maximum(columns["mrd"] - columns["response"], -1)
    beta, se = program["likelihood"].one_factor(time[who], event[who], switch[who], -0.5)
    expected = model(dataset, "rfs", "mrd_response_day").loc["mrd_response_day"]
    assert (beta, se) == pytest.approx((expected["beta"], expected["se"]), rel=1e-6)


def test_two_factors_are_the_books_cox_model(program, dataset, columns):
    who = columns["evaluable"]
    fit = program["likelihood"].two_factors(
        *(columns[name][who] for name in ("last", "died", "response", "mrd")), -0.8, -0.6
    )
    expected = model(dataset, "os", "response_day", "mrd_response_day")
    assert fit == pytest.approx([*expected["beta"], *expected["se"]], rel=1e-6)


def test_a_number_is_the_books_cox_model(program, dataset, columns):
    blasts = dataset.patients["bone_marrow_blasts"]
    order = np.argsort(columns["last"], kind="stable")
    order = order[blasts.notna().to_numpy()[order]]
    beta, se = program["likelihood"].number(
        columns["last"][order], columns["died"][order], blasts.to_numpy()[order], 0.0
    )
    expected = model(dataset, "os", "bone_marrow_blasts").loc["bone_marrow_blasts"]
    assert (beta, se) == pytest.approx((expected["beta"], expected["se"]), rel=1e-6)


def test_it_sees_only_what_is_marked_calibrated(program, dataset):
    printed = program["printed"].Printed()
    seen = dataset.published[dataset.published["kind"] == "calibrated"]
    assert set(printed.texts.values()) == set(seen["printed"])
    assert printed.count("sex=Male") == 160
    with pytest.raises(KeyError):
        printed.text("percent", "sex=Male")


def test_an_aim_is_met_where_all_three_print_as_they_should(program):
    search = program["search"]
    aim = search.Aim.at(program["printed"].Printed(), "hazard_ratio_univariate", "os:ecog")
    se = np.log(0.79 / 0.44) / 2 / search.Z
    assert search.distance([search.Fit(aim, np.log(0.59), se)]) == 0
    assert search.distance([search.Fit(aim, np.log(0.61), se)]) > 0
    assert search.distance([search.Fit(aim, np.log(0.59), 1.1 * se)]) > 0


class Weights:
    """A model without patients: seven weights that are on or off, and two sums to aim at.

    Only the last two together come to the aim. Each of them alone leads away from it.
    """

    logs = np.array([-1, -2, -3, -4, -2, 4, -3]) / 1000
    errors = np.array([-2, -3, -1, -3, -4, -3, 4]) / 1000

    def __init__(self, search) -> None:
        self.search = search
        ends = (
            (v - 1e-6, v + 1e-6)
            for v in (0.001, 0.001 - search.Z * 0.101, 0.001 + search.Z * 0.101)
        )
        self.aim = search.Aim(0.0, tuple(ends))
        self.columns = {"on": np.zeros(7, dtype=int)}

    def fits(self, columns):
        on = columns["on"]
        return [self.search.Fit(self.aim, on @ self.logs, 0.1 + on @ self.errors)]

    def propose(self, columns, rng):
        i = int(rng.integers(7))
        return [("on", i, 1 - columns["on"][i])]


def test_a_pair_of_changes_comes_where_no_single_one_does(program, monkeypatch):
    search, pairs = program["search"], program["pairs"]
    monkeypatch.setattr(pairs, "DRAWS", 200)
    weights = Weights(search)
    columns, start = weights.columns, search.distance(weights.fits(weights.columns))

    def alone(i):
        back = search.put(columns, [("on", i, 1)])
        penalty = search.distance(weights.fits(columns))
        search.put(columns, back)
        return penalty

    assert all(alone(i) > start for i in range(7))
    found = pairs.Pairs(weights.fits, weights.propose, lambda now, who: True)
    assert found.improve(columns, np.random.default_rng(1), start) == 0
    assert columns["on"].tolist() == [0, 0, 0, 0, 0, 1, 1]


def test_a_pair_that_is_not_allowed_is_not_put(program, monkeypatch):
    """Each of the two is allowed, both are not: the record would not be possible."""
    search, pairs = program["search"], program["pairs"]
    monkeypatch.setattr(pairs, "DRAWS", 200)
    weights = Weights(search)
    columns, start = weights.columns, search.distance(weights.fits(weights.columns))
    found = pairs.Pairs(weights.fits, weights.propose, lambda now, who: len(who) == 1)
    assert found.improve(columns, np.random.default_rng(1), start) == start
    assert not columns["on"].any()


def test_a_search_raises_the_temperature_in_rounds_and_finishes_each(program):
    search = program["search"]
    finished = []

    def finish(columns, rng, penalty):
        finished.append(int(columns["on"][0]))
        return penalty - 1

    rounds = search.Search(
        penalty=lambda now: 9.0 - len(finished),
        propose=lambda now, rng: [("on", 0, now["on"][0] + 1)],
        allowed=lambda now, who: True,
        steps=100,
        hot=8.0,
        cold=1.0,
        first=30,
        warm=(4.0, 2.0),
        round=10,
        finish=finish,
    )
    assert [round(rounds.heat(step), 9) for step in (0, 30, 40, 41, 50, 60)] == pytest.approx(
        [8, 1, 2, 2 * 0.5**0.1, 4, 2]
    )
    columns, progress = {"on": np.zeros(1, dtype=int)}, search.Progress(0, 9.0)
    left = search.anneal(rounds, columns, np.random.default_rng(1), progress, lambda now: None)
    assert finished == [30, 40, 50, 60, 70, 80, 90, 100]
    assert left == progress.penalty == 1


def test_impossible_records_are_refused(program, columns):
    cohort, never = program["cohort"], program["likelihood"].NEVER
    n = len(columns["last"])
    hsct = columns["hsct"]
    kind = np.where(hsct < never, cohort.WITHOUT_RESPONSE, cohort.NO_HSCT)
    responded = cohort.responders(columns)
    before = responded & (hsct < never) & (hsct < columns["relapse"])
    kind[before] = cohort.IN_REMISSION
    kind[responded & (hsct < never) & ~before] = cohort.AFTER_RELAPSE
    now = columns | {
        "hsct_kind": kind,
        "best_response": np.zeros(n, dtype=int),
        "mrd_cycle": np.array(
            [cohort.cycle_of(day) if day < never else 0 for day in columns["mrd"]]
        ),
    }
    assert all(cohort.possible(now, i) for i in range(n))
    relapsed = int(np.flatnonzero(now["relapse"] < never)[0])
    died = int(np.flatnonzero(now["died"] & (kind == cohort.IN_REMISSION))[0])
    for name, i, value in (
        ("relapse", relapsed, now["response"][relapsed]),
        ("relapse", relapsed, now["last"][relapsed] + 1),
        ("response", relapsed, 10),
        ("hsct", died, now["last"][died]),
        ("hsct", died, now["response"][died]),
    ):
        changed = now | {name: now[name].copy()}
        changed[name][i] = value
        assert not cohort.possible(changed, i), (name, value)


class Interrupted(Exception):
    pass


def test_an_interrupted_run_goes_on_to_the_same_end(program, columns, tmp_path, monkeypatch):
    main = program["main"]
    monkeypatch.setattr(main, "CHECKPOINT_EVERY", 50)
    stage = next(stage for stage in main.STAGES if stage.name == "sex")
    few = dataclasses.replace(
        stage, search=lambda *known: dataclasses.replace(stage.search(*known), steps=400)
    )

    def run(folder: Path):
        places = main.Checkpoints(folder, "run")
        return main.run_attempt(3, few, columns, 7, 0, places.load(3), places)

    def checkpoint(folder: Path):
        return main.Checkpoints(folder, "run").load(3)

    run(tmp_path / "whole")
    anneal = main.anneal

    def stopped(search, now, rng, progress, report):
        def until(at):
            report(at)
            if at.step == 230:
                raise Interrupted

        return anneal(search, now, rng, progress, until)

    monkeypatch.setattr(main, "anneal", stopped)
    with pytest.raises(Interrupted):
        run(tmp_path / "parts")
    assert checkpoint(tmp_path / "parts")[1]["step"] == 200
    monkeypatch.setattr(main, "anneal", anneal)
    run(tmp_path / "parts")
    whole, parts = checkpoint(tmp_path / "whole"), checkpoint(tmp_path / "parts")
    assert parts[1] == whole[1]
    np.testing.assert_array_equal(parts[0]["sex"], whole[0]["sex"])
    other = main.run_name(1)
    assert other != main.run_name(2)
