"""What must hold of the estimators on any data: small cohorts with ties of every kind, drawn."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from analysis import survival as est
from analysis.dataset.covariates import at_landmark
from analysis.survival import subdistribution

# The same cohorts in every run, so that a failure is a failure for everybody.
drawn = settings(
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
TIMES = st.one_of(st.integers(0, 12).map(float), st.sampled_from([0.25, 0.5, 7.5, 11.75]))


@st.composite
def competing(draw, most: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Times, whole and decimal, many of them tied, day 0 too; and 0, 1 or 2 at each."""
    n = draw(st.integers(1, most))
    time = draw(st.lists(TIMES, min_size=n, max_size=n))
    event = draw(st.lists(st.integers(0, 2), min_size=n, max_size=n))
    return np.array(time), np.array(event)


@st.composite
def start_stop(draw) -> pd.DataFrame:
    """Rows of a Cox model: a baseline factor, a number, and a factor that switches on."""
    time, event = draw(competing())
    n = len(time)
    side = draw(st.lists(st.integers(0, 1), min_size=n, max_size=n))
    number = draw(st.lists(st.integers(-3, 3), min_size=n, max_size=n))
    switch = draw(st.lists(st.integers(0, 15), min_size=n, max_size=n))
    rows = []
    for i in range(n):
        whole = {"patient": i, "side": side[i], "number": number[i]}
        ends = [-np.inf, *([switch[i]] if switch[i] < time[i] else []), time[i]]
        for k, (start, stop) in enumerate(zip(ends, ends[1:], strict=False)):
            last = k == len(ends) - 2
            rows.append(
                {**whole, "start": start, "stop": stop, "switched": k, "event": last * event[i] > 0}
            )
    floats = dict.fromkeys(("start", "stop", "side", "number", "switched"), float)
    return pd.DataFrame(rows).astype({**floats, "event": int})


FACTORS = ["side", "number", "switched"]


def fitted(rows: pd.DataFrame, columns=FACTORS) -> est.CoxFit:
    """The fit, of data that have one."""
    fit = est.cox(rows, columns)
    assume(fit.estimable)
    return fit


def same_fit(one: est.CoxFit, other: est.CoxFit) -> None:
    assert other.estimable
    assert (one.n, one.events) == (other.n, other.events)
    np.testing.assert_allclose(other.estimates, one.estimates, rtol=1e-6, atol=1e-8)
    assert other.log_likelihood == pytest.approx(one.log_likelihood, rel=1e-9)


# --- curves ----------------------------------------------------------------------------------


@drawn
@given(competing())
def test_survival_falls_from_1_within_0_and_1(cohort):
    time, event = cohort
    curve = est.survival_curve(time, event)
    assert curve["survival"].between(0, 1).all()
    assert (curve["survival"].diff().dropna() <= 1e-12).all()
    if not (time[event > 0] == 0).any():
        assert curve["survival"].iloc[0] == 1
    limits = curve[["lower", "upper"]].dropna()
    assert limits.stack().between(0, 1).all()
    assert (limits["lower"] <= curve.loc[limits.index, "survival"] + 1e-12).all()
    assert (limits["upper"] >= curve.loc[limits.index, "survival"] - 1e-12).all()


@drawn
@given(competing())
def test_incidences_rise_and_fill_what_event_free_survival_leaves(cohort):
    time, event = cohort
    curves = [est.cumulative_incidence(time, event, cause)["incidence"] for cause in (1, 2)]
    for curve in curves:
        assert curve.between(0, 1 + 1e-12).all()
        assert (curve.diff().dropna() >= 0).all()
    free = est.survival_curve(time, event)["survival"]
    np.testing.assert_allclose(sum(curves) + free, 1, atol=1e-12)


@drawn
@given(competing(), st.randoms(use_true_random=False))
def test_the_order_of_patients_does_not_matter(cohort, random):
    time, event = cohort
    order = random.sample(range(len(time)), len(time))
    pd.testing.assert_frame_equal(
        est.survival_curve(time[order], event[order]), est.survival_curve(time, event)
    )
    pd.testing.assert_frame_equal(
        est.cumulative_incidence(time[order], event[order], 1),
        est.cumulative_incidence(time, event, 1),
    )


@drawn
@given(competing(), st.sampled_from([2.0, 30.4375, 1 / 12]))
def test_the_unit_of_time_does_not_matter(cohort, unit):
    time, event = cohort
    for one, other in (
        (est.survival_curve(time, event), est.survival_curve(time * unit, event)),
        (
            est.cumulative_incidence(time, event, 1),
            est.cumulative_incidence(time * unit, event, 1),
        ),
    ):
        np.testing.assert_allclose(other.index, one.index * unit)
        np.testing.assert_allclose(other.to_numpy(float), one.to_numpy(float), atol=1e-12)
    one, other = est.survival_curve(time, event), est.survival_curve(time * unit, event)
    np.testing.assert_allclose(est.median(other), np.array(est.median(one)) * unit)
    mean = np.array(est.restricted_mean(one, 10.0))
    np.testing.assert_allclose(est.restricted_mean(other, 10 * unit), mean * unit, atol=1e-12)


@drawn
@given(competing())
def test_every_patient_twice_keeps_the_curves(cohort):
    time, event = cohort
    twice, both = np.tile(time, 2), np.tile(event, 2)
    one, two = est.survival_curve(time, event), est.survival_curve(twice, both)
    np.testing.assert_allclose(two["survival"], one["survival"], atol=1e-12)
    assert (two["at_risk"] == 2 * one["at_risk"]).all()
    np.testing.assert_allclose(
        est.cumulative_incidence(twice, both, 1)["incidence"],
        est.cumulative_incidence(time, event, 1)["incidence"],
        atol=1e-12,
    )


@drawn
@given(competing())
def test_every_patient_twice_halves_the_variance_of_the_mean(cohort):
    """Not of one patient or of the last at risk: Greenwood's sum is in Y (Y - d)."""
    time, event = cohort
    horizon = 0.9 * time.max()
    one = est.restricted_mean(est.survival_curve(time, event), horizon)
    two = est.restricted_mean(est.survival_curve(np.tile(time, 2), np.tile(event, 2)), horizon)
    assert two[0] == pytest.approx(one[0])
    assert two[1] == pytest.approx(one[1] / np.sqrt(2), nan_ok=True)  # without events, none


@drawn
@given(competing(), st.floats(0.01, 1), st.floats(0.01, 1))
def test_the_restricted_mean_rises_with_the_horizon_and_stays_below_it(cohort, one, other):
    curve = est.survival_curve(*cohort)
    early, late = sorted((one * curve.index[-1], other * curve.index[-1]))
    assert est.restricted_mean(curve, early)[0] <= est.restricted_mean(curve, late)[0] + 1e-12
    assert est.restricted_mean(curve, late)[0] <= late + 1e-12


@drawn
@given(competing(), st.floats(0, 12), st.sampled_from([2.0, 30.4375, 1 / 12]))
def test_a_rate_is_per_unit_of_time_and_within_its_limits(cohort, start, unit):
    time, event = cohort
    rate = est.event_rate(time, event, start)
    assume(rate.n > 0 and rate.exposure > 1e-6)
    assert 0 <= rate.lower <= rate.estimate <= rate.upper
    other = est.event_rate(time * unit, event, start * unit)
    assert (other.n, other.events) == (rate.n, rate.events)
    assert other.estimate * unit == pytest.approx(rate.estimate)
    assert other.upper * unit == pytest.approx(rate.upper)


@drawn
@given(competing(), st.integers(0, 11))
def test_survival_beyond_a_time_multiplies_to_the_whole(cohort, start):
    """S(t) is S(s) times the curve of those followed beyond s, at any t after s."""
    time, event = cohort
    later = time > start
    assume(later.any())
    whole = est.survival_curve(time, event)
    rest = est.survival_curve(time[later] - start, event[later])
    end = time.max()
    product = est.at(whole, [start])["survival"].iloc[0] * est.at(rest, [end - start])["survival"]
    assert product.iloc[0] == pytest.approx(est.at(whole, [end])["survival"].iloc[0], abs=1e-12)


# --- Cox -------------------------------------------------------------------------------------


def separated(rows: pd.DataFrame, columns: list[str]) -> bool:
    """Whether some mix of the factors is at its highest in every event, by linear programming.

    Then, and only then, the likelihood has no maximum: it climbs along that mix, or is flat.
    """
    x, start, stop = (rows[c].to_numpy(float) for c in (columns, "start", "stop"))
    stratum = rows["stratum"].to_numpy() if "stratum" in rows else np.zeros(len(rows))
    events = np.flatnonzero(rows["event"] > 0)
    at_risk = [(start < stop[i]) & (stop[i] <= stop) & (stratum == stratum[i]) for i in events]
    return _ahead(x, events, at_risk)


def _ahead(x: np.ndarray, events: np.ndarray, at_risk: list[np.ndarray]) -> bool:
    ahead = [x[i] - x[who] for i, who in zip(events, at_risk, strict=True)]
    ahead = np.unique(np.vstack([np.zeros((1, x.shape[1])), *ahead]), axis=0)
    if np.linalg.matrix_rank(ahead) < x.shape[1]:
        return True
    found = linprog(
        -ahead.sum(axis=0), A_ub=-ahead, b_ub=np.zeros(len(ahead)), bounds=[(-1, 1)] * x.shape[1]
    )
    return -found.fun > 1e-9


@settings(drawn, max_examples=400)
@given(start_stop(), st.sampled_from([FACTORS, ["side"], ["number"], ["side", "switched"]]))
def test_there_is_an_estimate_exactly_where_nothing_separates_the_events(rows, columns):
    assert est.cox(rows, columns).estimable != separated(rows, columns)


@settings(drawn, max_examples=300)
@given(start_stop(), st.sampled_from([FACTORS, ["side"], ["number"]]), st.integers(2, 9))
def test_so_it_is_within_strata(rows, columns, number):
    rows = rows.assign(stratum=rows["patient"] % number)
    assert est.cox(rows, columns).estimable != separated(rows, columns)


@drawn
@given(start_stop(), st.integers(2, 9))
def test_the_likelihood_of_strata_is_that_of_each_multiplied(rows, number):
    rows = rows.assign(stratum=rows["patient"] % number)
    fit = fitted(rows)
    beta, parts = fit.estimates["beta"].to_numpy(), [own for _, own in rows.groupby("stratum")]
    values = [
        est.PartialLikelihood(part.drop(columns="stratum"), part[FACTORS].to_numpy()).value(beta)
        for part in parts
    ]
    assert fit.log_likelihood == pytest.approx(sum(values), abs=1e-9)
    same_fit(fit, est.cox(pd.concat(parts[::-1], ignore_index=True), FACTORS))
    same_fit(fit, est.cox(est.cut(rows, 5.0), FACTORS))


@drawn
@given(start_stop(), st.randoms(use_true_random=False))
def test_the_order_of_rows_and_the_names_of_patients_do_not_matter(rows, random):
    fit = fitted(rows)
    order = random.sample(range(len(rows)), len(rows))
    named = rows.assign(patient="P" + (rows["patient"] + 1000).astype(str))
    same_fit(fit, est.cox(named.iloc[order].reset_index(drop=True), FACTORS))


@drawn
@given(start_stop(), st.sampled_from([2.0, 30.4375, 1 / 12]))
def test_a_cox_model_has_no_unit_of_time(rows, unit):
    same_fit(
        fitted(rows),
        est.cox(rows.assign(start=rows["start"] * unit, stop=rows["stop"] * unit), FACTORS),
    )


@drawn
@given(start_stop(), st.integers(0, 12))
def test_cutting_rows_in_two_keeps_the_fit(rows, day):
    fit, pieces = fitted(rows), est.cut(rows, float(day))
    assert not ((pieces["start"] < day) & (day < pieces["stop"])).any()
    same_fit(fit, est.cox(pieces, FACTORS))


@settings(drawn, max_examples=20)
@given(start_stop(), st.integers(-8, 8))
def test_a_factor_in_other_units_has_the_power_of_its_ratio(rows, power):
    """Times 10^k: beta and its error by as much less; P, tests and stretches stay."""
    unit = 10.0**power
    other = rows.assign(number=rows["number"] * unit)
    scale = pd.Series({"side": 1.0, "number": unit, "switched": 1.0})
    fit, turned = fitted(rows), est.cox(other, FACTORS)
    assert turned.estimable
    same = {"rtol": 1e-6, "atol": 1e-9}
    np.testing.assert_allclose(turned.estimates.mul(scale, axis=0), fit.estimates, **same)
    np.testing.assert_allclose(turned.summary()["p"], fit.summary()["p"], **same)
    tests = [est.proportional_hazards_test(r, FACTORS) for r in (rows, other)]
    np.testing.assert_allclose(*tests, **same)
    assert est.score_p(other, ["side"], "number") == pytest.approx(
        est.score_p(rows, ["side"], "number"), rel=1e-6, nan_ok=True
    )
    assert est.stepwise(other, FACTORS) == est.stepwise(rows, FACTORS)
    halves = [est.early_and_late(r, "number")[1] for r in (rows, other)]
    for name in ("early", "late"):
        one, two = (half[name].estimates for half in halves)
        np.testing.assert_allclose(two * unit, one, rtol=1e-5, atol=1e-8)


@drawn
@given(start_stop())
def test_reversing_a_factor_inverts_its_ratio_and_no_other(rows):
    fit = fitted(rows).summary()
    turned = est.cox(rows.assign(side=1 - rows["side"]), FACTORS).summary()
    ratios = ["hazard_ratio", "lower", "upper"]
    np.testing.assert_allclose(
        turned.loc["side", ["hazard_ratio", "upper", "lower"]].to_numpy(float),
        1 / fit.loc["side", ratios].to_numpy(float),
        rtol=1e-5,
    )
    others = ["number", "switched"]
    np.testing.assert_allclose(turned.loc[others, ratios], fit.loc[others, ratios], rtol=1e-5)
    np.testing.assert_allclose(turned["p"], fit["p"], rtol=1e-5, atol=1e-9)


@drawn
@given(start_stop())
def test_the_score_test_does_not_depend_on_side_or_unit(rows):
    p = est.score_p(rows, ["number"], "side")
    assume(np.isfinite(p))
    assert 0 <= p <= 1
    assert est.score_p(rows.assign(side=5 - 3 * rows["side"]), ["number"], "side") == pytest.approx(
        p, rel=1e-6, abs=1e-12
    )


@drawn
@given(start_stop())
def test_stepwise_keeps_what_it_keeps_in_any_order_of_rows(rows):
    kept = est.stepwise(rows, FACTORS)
    assert est.stepwise(rows.iloc[::-1].reset_index(drop=True), FACTORS) == kept
    if kept:
        assert (est.cox(rows, kept).summary()["p"] < 0.05).all()


@drawn
@given(start_stop(), st.sampled_from([2.0, 30.4375, 1 / 12]), st.integers(0, 12))
def test_proportionality_does_not_depend_on_unit_side_or_cuts(rows, unit, day):
    test = est.proportional_hazards_test(rows, FACTORS)
    assume(test.notna().all(axis=None))
    assert test["p"].between(0, 1).all()
    turned = rows.assign(side=5 - 3 * rows["side"])
    longer = rows.assign(start=rows["start"] * unit, stop=rows["stop"] * unit)
    for other in (turned, longer, est.cut(rows, float(day)), rows.iloc[::-1]):
        again = est.proportional_hazards_test(other.reset_index(drop=True), FACTORS)
        np.testing.assert_allclose(again, test, rtol=1e-5, atol=1e-7)


@drawn
@given(start_stop())
def test_the_two_stretches_share_the_events(rows):
    """Reversing the factor inverts both ratios; half of the events are early, or one more."""
    split, fits = est.early_and_late(rows, "side")
    times = rows.loc[rows["event"] > 0, "stop"]
    assume(len(times))
    assert (times < split).sum() < len(times) / 2 <= (times <= split).sum()
    assert sum(fit.events for fit in fits.values()) == len(times)
    assert fits["late"].n == rows.loc[rows["stop"] > split, "patient"].nunique()
    again, turned = est.early_and_late(rows.assign(side=1 - rows["side"]), "side")
    assert again == split
    for name, fit in fits.items():
        np.testing.assert_allclose(
            turned[name].estimates["beta"], -fit.estimates["beta"], atol=1e-5
        )


@drawn
@given(start_stop())
def test_two_stretches_are_one_model_whose_ratio_changes(rows):
    """Where the model of both has an estimate: its likelihood is the product of theirs."""
    split, fits = est.early_and_late(rows, "side")
    pieces = est.cut(rows, split)
    early = pieces["stop"] <= split
    sides = {"early": pieces["side"].where(early, 0.0), "late": pieces["side"].mask(early, 0.0)}
    both = fitted(pieces.assign(**sides), ["early", "late"])
    ours = [fits[name].estimates.loc["side"].to_numpy() for name in sides]
    np.testing.assert_allclose(ours, both.estimates, rtol=1e-6, atol=1e-6)


# --- Fine and Gray ---------------------------------------------------------------------------


@settings(drawn, max_examples=400)
@given(competing(), st.randoms(use_true_random=False), st.sampled_from([1, 2]))
def test_fine_gray_has_an_estimate_exactly_where_nothing_separates_the_events(
    cohort, random, factors
):
    """Leaving aside a robust error of nothing, which has a test of its own."""
    time, event = cohort
    x = np.array([[random.randint(0, 1), random.randint(-3, 3)][:factors] for _ in time], float)
    events = np.flatnonzero(event == 1)
    at_risk = [(time >= time[i]) | (event == 2) for i in events]
    with patch.object(subdistribution, "_vanishes", return_value=False):
        fit = subdistribution.fine_gray(time, event, 1, pd.DataFrame(x))
    assert fit.estimable != _ahead(x, events, at_risk)


# --- a state that changes --------------------------------------------------------------------


@drawn
@given(start_stop(), st.integers(-1, 13))
def test_a_landmark_in_the_rows_and_in_the_curves_is_the_same(rows, day):
    """At the landmark the curves have the patients of the landmark's rows, each in their state."""
    still = at_landmark(rows, "switched", day)
    assert (still["stop"] > 0).all()
    assert not still["patient"].duplicated().any()
    curves = est.switching_curves(rows, "switched", day) if day >= 0 else {}
    for state, curve in curves.items():
        assert curve["at_risk"].iloc[0] == (still["switched"] == state).sum()


@drawn
@given(start_stop(), st.randoms(use_true_random=False))
def test_switching_curves_fall_and_share_the_events(rows, random):
    curves = est.switching_curves(rows, "switched")
    assert sum(curve["events"].sum() for curve in curves.values()) == rows["event"].sum()
    order = random.sample(range(len(rows)), len(rows))
    again = est.switching_curves(rows.iloc[order], "switched")
    for state, curve in curves.items():
        pd.testing.assert_frame_equal(again[state], curve)
        assert (np.diff(curve["survival"]) <= 0).all()
        assert curve["survival"].between(0, 1).all()
        inside = curve.dropna()
        assert (inside["lower"] <= inside["survival"]).all()
        assert (inside["survival"] <= inside["upper"]).all()
