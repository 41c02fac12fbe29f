"""Cured shares and follow-up: against R's frozen values, by hand, and on made-up patients."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.dataset.endpoints import endpoint
from analysis.dataset.model import load
from analysis.study import conclusions
from analysis.survival import cure

REFERENCE = Path(__file__).parent / "reference"
TOLERANCE = 1e-9  # relative
VALUES = pd.read_csv(REFERENCE / "cure_and_selection.csv")
CASES = VALUES[VALUES["estimator"] == "mixture_cure"][["dataset", "case"]].drop_duplicates()
MADE = {
    "gone": ([1, 2, 3, 4, 6, 9], [1] * 6),
    "zero": ([0, 0, 3, 4, 6, 9, 30, 30, 30, 30], [1] * 6 + [0] * 4),
}
ROTTERDAM = {"death": ("dtime", "death"), "recurrence": ("rtime", "recur")}


def sample(dataset: str, case: str) -> tuple[np.ndarray, np.ndarray]:
    """Times and events of one of R's cases."""
    if dataset in MADE:
        return tuple(np.array(column, dtype=float) for column in MADE[dataset])
    if dataset == "rotterdam":
        patients = pd.read_csv(REFERENCE / "data" / "rotterdam.csv")
        return tuple(patients[column].to_numpy(float) for column in ROTTERDAM[case])
    question = endpoint(load(f"data/{dataset}"), case)
    return question.time, question.observed


def cured_sample(seed: int, n: int, cured: float, end: float):
    """Weibull times of shape 1.3 and scale 1, a cured share, and entry over a third of the end."""
    rng = np.random.default_rng(seed)
    waits = np.where(rng.random(n) < cured, np.inf, rng.weibull(1.3, n))
    leaves = rng.uniform(2 / 3 * end, end, n)
    return np.minimum(waits, leaves), waits <= leaves


# --- R -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dataset", "case"), CASES.to_numpy().tolist())
def test_the_model_and_the_follow_up_equal_r(dataset, case):
    time, observed = sample(dataset, case)
    fit = cure.mixture_cure(time, observed)
    found = {
        "mixture_cure": {**vars(fit), "halfway": fit.survival([time.max() / 2])[0]},
        "follow_up": vars(cure.sufficient_follow_up(time, observed)),
    }
    rows = VALUES[(VALUES["dataset"] == dataset) & (VALUES["case"] == case)]
    assert len(rows) == 7 + 5
    ours = [found[row.estimator][row.quantity] for row in rows.itertuples()]
    np.testing.assert_allclose(ours, rows["value"], rtol=TOLERANCE, err_msg=rows.to_string())
    assert fit.estimable == (dataset != "gone")


# --- the model -----------------------------------------------------------------------------------


def test_survival_falls_from_one_to_the_cured_share():
    fit = cure.CureFit(0.3, 0.2, 0.4, 2.0, 5.0, -1.0, 10, 7, True)
    assert fit.survival([0, 5, 1e6]).tolist() == pytest.approx([1, 0.3 + 0.7 * np.exp(-1), 0.3])
    assert fit.uncured_survival([10])[0] == pytest.approx(np.exp(-4))


def test_the_share_is_recovered_and_lies_within_its_limits():
    fit = cure.mixture_cure(*cured_sample(1, 20_000, cured=0.3, end=9))
    assert [fit.cured, fit.shape, fit.scale] == pytest.approx([0.3, 1.3, 1], rel=0.03)
    assert fit.lower < 0.3 < fit.upper
    assert fit.upper - fit.lower == pytest.approx(2 * 1.96 * np.sqrt(0.3 * 0.7 / 20_000), rel=0.02)


def test_limits_hold_the_true_share_as_often_as_they_say():
    fits = [cure.mixture_cure(*cured_sample(seed, 120, 0.4, 5)) for seed in range(40)]
    covered = sum(fit.lower < 0.4 < fit.upper for fit in fits)
    assert 34 <= covered < 40


def test_patients_of_one_day_count_as_often_as_they_are():
    """Each three times: the same model, with limits that are closer by the root of three."""
    os = endpoint(load("data/bmt"), "os")
    once, thrice = (cure.mixture_cure(np.tile(os.time, n), np.tile(os.observed, n)) for n in (1, 3))
    assert (thrice.cured, thrice.shape) == pytest.approx((once.cured, once.shape), rel=1e-6)
    assert thrice.log_likelihood == pytest.approx(3 * once.log_likelihood)
    assert thrice.upper - thrice.lower < once.upper - once.lower


def test_the_unit_of_time_does_not_matter():
    time, observed = cured_sample(2, 200, cured=0.4, end=5)
    years, days = cure.mixture_cure(time, observed), cure.mixture_cure(365.25 * time, observed)
    assert days.cured == pytest.approx(years.cured, rel=1e-8)
    assert days.scale == pytest.approx(365.25 * years.scale, rel=1e-8)
    events = years.events * np.log(365.25)
    assert days.log_likelihood == pytest.approx(years.log_likelihood - events, rel=1e-10)


def test_derivatives_are_those_of_the_value():
    rng = np.random.default_rng(3)
    likelihood = cure._Likelihood(rng.exponential(size=50), rng.random(50) < 0.6)
    for at, place in (
        (likelihood.at, np.array([-0.4, 0.3, 0.2])),
        (likelihood.of_weibull, np.array([0.3, 0.2])),
    ):
        step = 1e-5 * np.eye(len(place))
        sides = [(at(place + s), at(place - s)) for s in step]
        slope = [(up[0] - down[0]) / 2e-5 for up, down in sides]
        bend = [(up[1] - down[1]) / 2e-5 for up, down in sides]
        np.testing.assert_allclose(at(place)[1], slope, rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(at(place)[2], bend, rtol=1e-6, atol=1e-6)


def no_plateau(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Of a Weibull law with scale 2, the follow-up ends at 2 for everybody."""
    rng = np.random.default_rng(seed)
    waits, leaves = 2 * rng.weibull(1.3, 300), rng.uniform(0, 2, 300)
    return np.minimum(waits, leaves), waits <= leaves


def test_a_flat_likelihood_has_no_limits():
    """Its maximum is a share of 7%, and the observed information would allow 0 to 1."""
    fit = cure.mixture_cure(*no_plateau(6))
    assert 0 < fit.cured < 1
    assert not fit.estimable
    assert np.isnan([fit.lower, fit.upper]).all()


def test_without_a_plateau_nobody_is_called_cured():
    time, observed = no_plateau(7)
    fit = cure.mixture_cure(time, observed)
    assert not fit.estimable
    assert fit.cured == 0
    assert np.isnan([fit.lower, fit.upper]).all()
    assert [fit.shape, fit.scale] == pytest.approx([1.3, 2], rel=0.2)
    assert np.isnan(cure.sufficient_follow_up(time, observed).uncured_ratio)


@pytest.mark.parametrize(
    ("time", "observed"),
    [([], []), ([3, 5], [0, 0]), ([5, 5, 9], [1, 1, 0]), ([0, 5, 7], [1, 0, 0]), ([0, 0], [1, 1])],
)
def test_no_event_or_events_on_one_day_alone_have_no_model(time, observed):
    fit = cure.mixture_cure(time, observed)
    assert not fit.estimable
    assert np.isnan([fit.cured, fit.lower, fit.shape, fit.scale, fit.log_likelihood]).all()
    assert (fit.n, fit.events) == (len(time), sum(observed))
    assert np.isnan(fit.survival([1])).all()


def test_an_event_on_day_0_counts_as_on_half_of_the_first_day():
    time = np.array([0, 2, 3, 5, 7, 30, 30, 30.0])
    observed = np.arange(8) < 5
    moved = np.where(time == 0, 1.0, time)
    assert cure.mixture_cure(time, observed) == cure.mixture_cure(moved, observed)


def test_who_leaves_on_day_0_says_nothing():
    time, observed = cured_sample(4, 80, cured=0.4, end=5)
    fit = cure.mixture_cure(time, observed)
    more = cure.mixture_cure(np.append(time, [0, 0]), np.append(observed, [False, False]))
    assert more.cured == pytest.approx(fit.cured, rel=1e-12)
    assert more.n == fit.n + 2


@pytest.mark.parametrize("time", [[-1.0, 2.0], [np.nan, 2.0], [np.inf, 2.0]])
def test_a_time_below_0_or_without_a_number_is_refused(time):
    for function in (cure.mixture_cure, cure.sufficient_follow_up):
        with pytest.raises(ValueError, match="0 or more"):
            function(time, [1, 1])


# --- follow-up -----------------------------------------------------------------------------------


def test_follow_up_by_hand():
    """The plateau from 7 to 10 is 3 long; 5 and 7 lie within 3 before 7, 4 itself does not."""
    found = cure.sufficient_follow_up([1, 4, 5, 7, 6, 10], [1, 1, 1, 1, 0, 0])
    assert (found.n, found.events, found.last, found.last_event) == (6, 4, 10, 7)
    assert found.events_late == 2
    assert found.share == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("time", "observed"), [([2, 3], [0, 0]), ([2, 3], [0, 1]), ([2, 3, 3], [1, 1, 0]), ([], [])]
)
def test_without_an_event_or_a_plateau_there_is_no_count(time, observed):
    found = cure.sufficient_follow_up(time, observed)
    assert np.isnan([found.events_late, found.share]).all()


def test_the_ratio_falls_as_follow_up_grows():
    short, long = (
        cure.sufficient_follow_up(*cured_sample(5, 4000, cured=0.4, end=end)) for end in (3, 6)
    )
    last = cure.CureFit(0.4, 0, 1, 1.3, 1.0, 0.0, 1, 1, True)
    for found in (short, long):
        expected = last.uncured_survival([found.last]) / last.survival([found.last])
        assert found.uncured_ratio == pytest.approx(expected[0], rel=0.5)
    assert long.uncured_ratio < short.uncured_ratio / 10


def test_a_fit_at_hand_is_used():
    time, observed = cured_sample(7, 50, cured=0.4, end=5)
    mine = cure.CureFit(0.5, 0.4, 0.6, 1.0, time.max(), 0.0, 50, 30, True)
    found = cure.sufficient_follow_up(time, observed, mine)
    assert found.uncured_ratio == pytest.approx(np.exp(-1) / (0.5 + 0.5 * np.exp(-1)))


@pytest.mark.parametrize("n", [10, 100, 10_000])
def test_maller_and_zhou_s_rule_is_a_count(n):
    """(1 - N/n)^n is below .05 from N = 3 on, whatever the number of patients."""
    below = [late for late in range(n) if (1 - late / n) ** n < 0.05]
    assert below[0] == conclusions.LATE_EVENTS
    assert conclusions.follow_up(below[0]) == "long_enough"
    assert conclusions.follow_up(below[0] - 1) == "not_shown"
