"""The estimators' rules on small cases worked by hand. Values on real data: test_reference.py."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.statistics import logrank_test

from analysis import estimators as est


def curve(time, event):
    return est.survival_curve(np.array(time, dtype=float), np.array(event))


def rows(time, event, **covariates):
    n = len(time)
    base = {"patient": range(n), "start": -np.inf, "stop": np.array(time, dtype=float)}
    return pd.DataFrame({**base, "event": event, **covariates})


# --- Kaplan-Meier ----------------------------------------------------------------------------


def test_survival_by_hand():
    found = curve([1, 2, 2, 3], [1, 1, 0, 1])
    assert found["survival"].round(12).to_dict() == {0: 1, 1: 0.75, 2: 0.5, 3: 0}
    assert found["at_risk"].to_dict() == {0: 4, 1: 4, 2: 3, 3: 1}


def test_an_event_at_day_0_counts():
    found = curve([0, 5, 5], [1, 0, 1])
    assert found.loc[0, "survival"] == pytest.approx(2 / 3)
    assert found.loc[0, "events"] == 1


def test_limits_are_log_log():
    found = curve(range(1, 11), [1] * 10).loc[3]
    error = np.sqrt(1 / (10 * 9) + 1 / (9 * 8) + 1 / (8 * 7))
    half = est.Z * error / -np.log(0.7)
    expected = [0.7 ** np.exp(half), 0.7 ** np.exp(-half)]
    assert found[["lower", "upper"]].tolist() == pytest.approx(expected)


def test_limits_are_missing_where_nobody_survives():
    assert curve([1, 2], [1, 1]).loc[2, ["lower", "upper"]].isna().all()


def test_median_is_the_middle_of_a_stretch_at_one_half():
    assert est.median(curve([1, 2, 3, 4], [1, 1, 1, 1]))[0] == 2.5
    assert est.median(curve([1, 2, 5, 9], [1, 1, 0, 1]))[0] == (2 + 9) / 2


def test_median_at_one_half_to_the_end_is_where_it_begins():
    assert est.median(curve([1, 2, 3, 4], [1, 1, 0, 0]))[0] == 2


def test_median_not_reached_is_missing_and_its_lower_limit_may_be_reached():
    middle, lower, upper = est.median(curve([1, 2, 3], [1, 0, 0]))
    assert np.isnan(middle)
    assert lower == 1
    assert np.isnan(upper)


def test_follow_up_turns_events_and_censorings_round():
    assert est.follow_up(np.array([1.0, 2, 3]), np.array([0, 1, 0]))[0] == 3


def test_values_between_and_beyond_the_steps():
    found = est.at(curve([10, 20, 30], [1, 0, 1]), [0, 10, 15, 20, 99])
    assert found["survival"].round(6).tolist() == [1, 0.666667, 0.666667, 0.666667, 0]
    assert found["at_risk"].tolist() == [3, 3, 2, 2, 0]
    assert found["events"].tolist() == [0, 1, 1, 1, 2]
    assert found["censored"].tolist() == [0, 0, 0, 0, 1]


def test_missing_limits_are_not_filled_from_the_left():
    found = est.at(curve([1, 2], [1, 1]), [1, 2, 9])
    assert found["survival"].tolist() == [0.5, 0, 0]
    assert found["lower"].isna().tolist() == [False, True, True]


def test_restricted_mean_is_the_area():
    mean, error = est.restricted_mean(curve([1, 2, 4], [1, 1, 0]), 3)
    assert mean == pytest.approx(1 + 2 / 3 + 1 / 3)
    # Areas left of each death: 1 after day 1 (2/3 + 1/3), 1/3 after day 2.
    assert error == pytest.approx(np.sqrt(1**2 / (3 * 2) + (1 / 3) ** 2 / (2 * 1)))


@pytest.mark.parametrize("event", [0, 1])
def test_one_patient(event):
    found = curve([5], [event])
    assert found["survival"].tolist() == [1, 1 - event]


# --- rates -----------------------------------------------------------------------------------


def test_a_rate_by_hand():
    """Beyond day 2: days 3 and 6 in all 1 + 4 + 4, one event; who leaves on day 2 is not there."""
    rate = est.event_rate([2, 3, 6, 6, 1], [1, 1, 0, 0, 1], 2)
    assert (rate.n, rate.events, rate.exposure) == (3, 1, 9)
    assert rate.estimate == pytest.approx(1 / 9)
    # The limits of one event are those of chi-squared with 2 and with 4 degrees of freedom.
    assert rate.lower * 9 == pytest.approx(-np.log(0.975))
    assert (1 + rate.upper * 9) * np.exp(-rate.upper * 9) == pytest.approx(0.025)


def test_a_rate_without_events_has_an_upper_limit():
    rate = est.event_rate([5, 5], [0, 0], 1)
    assert (rate.estimate, rate.lower) == (0, 0)
    assert rate.upper * 8 == pytest.approx(-np.log(0.025))


def test_a_rate_of_nobody_is_missing():
    rate = est.event_rate([5, 5], [1, 0], 5)
    assert (rate.n, rate.events, rate.exposure) == (0, 0, 0)
    assert np.isnan([rate.estimate, rate.lower, rate.upper]).all()


# --- Aalen-Johansen --------------------------------------------------------------------------


def test_incidence_by_hand_with_ties_of_both_causes():
    time, event = np.array([1.0, 1, 2, 3]), np.array([1, 2, 0, 1])
    relapse = est.cumulative_incidence(time, event, 1)["incidence"]
    assert relapse.to_dict() == {0: 0, 1: 0.25, 2: 0.25, 3: 0.75}
    assert est.cumulative_incidence(time, event, 2)["incidence"].iloc[-1] == 0.25


def test_incidences_and_event_free_survival_add_up_to_one():
    rng = np.random.default_rng(1)
    time, event = rng.integers(0, 30, 300).astype(float), rng.integers(0, 3, 300)
    first, second = (est.cumulative_incidence(time, event, cause) for cause in (1, 2))
    free = curve(time, event > 0)["survival"]
    np.testing.assert_allclose(first["incidence"] + second["incidence"] + free, 1, atol=1e-12)


def test_with_one_cause_it_is_one_minus_kaplan_meier_and_greenwood():
    rng = np.random.default_rng(2)
    time, event = rng.integers(1, 30, 200).astype(float), rng.integers(0, 2, 200)
    incidence = est.cumulative_incidence(time, event, 1)
    survival = curve(time, event)
    np.testing.assert_allclose(incidence["incidence"], 1 - survival["survival"], atol=1e-12)
    at_risk, events = survival["at_risk"], survival["events"]
    greenwood = (events / (at_risk * (at_risk - events))).cumsum() * survival["survival"] ** 2
    inside = (incidence["incidence"] > 0) & (survival["survival"] > 0)
    share = incidence.loc[inside, "incidence"]
    half = np.log(np.log(incidence["lower"][inside]) / np.log(share))
    error = half * -np.log(share) * share / est.Z
    np.testing.assert_allclose(error**2, greenwood[inside], rtol=1e-8)


def test_incidence_at_day_0_and_without_events():
    assert est.cumulative_incidence([0, 4], [1, 0], 1)["incidence"].tolist() == [0.5, 0.5]
    none = est.cumulative_incidence([3, 4], [0, 0], 1)
    assert none["incidence"].tolist() == [0, 0, 0]
    assert none[["lower", "upper"]].isna().all(axis=None)


# --- Cox -------------------------------------------------------------------------------------


def test_cox_by_hand_with_efron_ties():
    """Two tied deaths, one on each side: the likelihood has a closed form in r = exp(beta)."""
    data = rows([1, 1, 2, 2], [1, 1, 0, 1], x=[1.0, 0, 1, 0])
    fit = est.cox(data, ["x"])

    def log_likelihood(beta):
        r = np.exp(beta)
        everyone, tied = 2 * r + 2, r + 1
        return beta - np.log(everyone) - np.log(everyone - tied / 2) - np.log(r + 1)

    grid = np.linspace(-3, 3, 600_001)
    assert fit.estimates.loc["x", "beta"] == pytest.approx(
        grid[np.argmax(log_likelihood(grid))], abs=1e-5
    )
    assert fit.log_likelihood == pytest.approx(log_likelihood(grid).max())


def test_turning_a_factor_round_inverts_its_ratio():
    rng = np.random.default_rng(3)
    x = rng.integers(0, 2, 80).astype(float)
    data = rows(rng.integers(1, 40, 80), rng.integers(0, 2, 80), x=x, y=1 - x)
    one, other = (est.cox(data, [c]).summary().iloc[0] for c in ("x", "y"))
    assert one["hazard_ratio"] == pytest.approx(1 / other["hazard_ratio"])
    assert one["lower"] == pytest.approx(1 / other["upper"])
    assert one["p"] == pytest.approx(other["p"])


def test_splitting_a_row_in_two_changes_nothing():
    rng = np.random.default_rng(4)
    x = rng.normal(size=60)
    data = rows(rng.integers(5, 40, 60), rng.integers(0, 2, 60), x=x)
    early = data.assign(stop=3.0, event=0)
    late = data.assign(start=3.0)
    split = pd.concat([early, late], ignore_index=True)
    whole, parts = est.cox(data, ["x"]), est.cox(split, ["x"])
    assert parts.estimates.loc["x", "beta"] == pytest.approx(whole.estimates.loc["x", "beta"])
    assert parts.n == whole.n == 60


def test_a_factor_that_separates_the_events_has_no_estimate():
    data = rows([1, 2, 3, 4, 5, 6], [1, 1, 1, 0, 0, 0], x=[1.0, 1, 1, 0, 0, 0])
    fit = est.cox(data, ["x"])
    assert not fit.estimable
    assert fit.summary().isna().all(axis=None)


@pytest.mark.parametrize(
    ("event", "x"), [([0, 0, 0], [1.0, 0, 1]), ([1, 1, 0], [1.0, 1, 1]), ([], [])]
)
def test_no_event_one_level_or_nobody_has_no_estimate(event, x):
    fit = est.cox(rows(range(1, len(event) + 1), event, x=x), ["x"])
    assert not fit.estimable
    assert fit.estimates["beta"].isna().all()


def test_a_strong_factor_is_still_estimated():
    """One event against the rule is enough for a finite ratio."""
    time = np.arange(1, 41)
    x = (time <= 20).astype(float)
    event = np.ones(40, dtype=int)
    x[30] = 1
    assert est.cox(rows(time, event, x=x), ["x"]).estimable


def test_units_do_not_matter():
    rng = np.random.default_rng(5)
    x = rng.normal(50, 10, 100)
    data = rows(rng.integers(1, 60, 100), rng.integers(0, 2, 100), x=x, big=x * 1e6)
    small, big = (est.cox(data, [c]).estimates.iloc[0] for c in ("x", "big"))
    assert big["beta"] * 1e6 == pytest.approx(small["beta"])


def test_score_test_of_one_factor_is_the_log_rank_test_without_ties():
    rng = np.random.default_rng(6)
    x = rng.integers(0, 2, 50).astype(float)
    time, event = rng.permutation(50) + 1, rng.integers(0, 2, 50)
    expected = logrank_test(time[x == 1], time[x == 0], event[x == 1], event[x == 0]).p_value
    assert est.score_p(rows(time, event, x=x), [], "x") == pytest.approx(expected)


def test_a_candidate_that_never_varies_has_no_score_test():
    data = rows([1, 2, 3, 4], [1, 1, 0, 1], x=[1.0, 0, 1, 0], same=1.0)
    assert np.isnan(est.score_p(data, [], "same"))
    assert np.isnan(est.score_p(data, ["x"], "same"))


def test_stepwise_drops_what_a_later_factor_explains():
    """`proxy` enters first, then both of its parts, which leave nothing for it to say."""
    rng = np.random.default_rng(7)
    a, b = rng.normal(size=(2, 600))
    proxy = a + b + rng.normal(scale=0.5, size=600)
    time = rng.exponential(np.exp(-a - b))
    data = rows(time, np.ones(600, dtype=int), proxy=proxy, a=a, b=b)
    first = min(["proxy", "a", "b"], key=lambda column: est.score_p(data, [], column))
    assert first == "proxy"
    assert set(est.stepwise(data, ["proxy", "a", "b"])) == {"a", "b"}


def test_stepwise_keeps_nothing_of_noise():
    rng = np.random.default_rng(8)
    data = rows(rng.permutation(200) + 1, np.ones(200, dtype=int), x=rng.normal(size=200))
    assert est.score_p(data, [], "x") > 0.05
    assert est.stepwise(data, ["x"]) == []


def test_a_factor_that_would_separate_the_events_does_not_enter():
    """Beside nothing it has the smallest P, and no estimate."""
    rng = np.random.default_rng(9)
    good = np.arange(60) >= 30
    mild = rng.integers(0, 2, 60).astype(float)
    data = rows(np.arange(1, 61), (~good).astype(int), good=good * 1.0, mild=mild)
    assert est.score_p(data, [], "good") < 0.05
    assert not est.cox(data, ["good"]).estimable
    assert "good" not in est.stepwise(data, ["good", "mild"])


@pytest.mark.parametrize(("column", "estimable"), [("side", True), ("ever", False)])
def test_separation_is_found_where_the_search_stops_early(column, estimable):
    """The search ends with a small gradient on both; only one has a maximum near."""
    data = rows([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 1, 1, 0, 1, 0, 0],
                side=[1.0, 0, 1, 1, 0, 0, 1, 0], ever=[1.0, 1, 1, 1, 0, 1, 0, 0])  # fmt: skip
    assert est.cox(data, [column]).estimable == estimable


# --- proportional hazards ------------------------------------------------------------------------


def test_a_ratio_that_turns_round_is_noticed_and_shown_early_and_late():
    """On side 1 everybody dies in the middle, on side 0 first or last."""
    x = np.repeat([1.0, 0.0, 0.0], 40)
    time = np.concatenate([np.arange(100, 140), np.arange(1, 41), np.arange(200, 240)])
    data = rows(time, np.ones(120, dtype=int), x=x)
    assert est.proportional_hazards_test(data, ["x"]).loc["x", "p"] < 1e-6
    split, fit = est.early_and_late(data, "x")
    assert split == sorted(time)[59]
    assert fit.n == 120


def test_one_factor_is_all_factors():
    rng = np.random.default_rng(10)
    data = rows(rng.integers(1, 40, 80), rng.integers(0, 2, 80), x=rng.normal(size=80))
    test = est.proportional_hazards_test(data, ["x"])
    assert test.loc["x"].tolist() == pytest.approx(test.loc["global"].tolist())


def test_without_an_estimate_there_is_no_test():
    data = rows([1, 2, 3, 4], [1, 1, 0, 0], x=[1.0, 1, 0, 0])
    assert est.proportional_hazards_test(data, ["x"]).isna().all(axis=None)
    one_day = rows([5, 5, 5, 8], [1, 1, 1, 0], x=[1.0, 0, 1, 0])
    assert est.cox(one_day, ["x"]).estimable
    assert est.proportional_hazards_test(one_day, ["x"]).isna().all(axis=None)


def test_early_and_late_without_events_have_no_estimate():
    split, fit = est.early_and_late(rows([1, 2], [0, 0], x=[1.0, 0.0]), "x")
    assert np.isnan(split)
    assert not fit.estimable


def test_breslow_by_hand():
    """Two tied deaths each meet the whole risk set."""
    fit = est.cox(rows([1, 1, 2, 2], [1, 1, 0, 1], x=[1.0, 0, 1, 0]), ["x"], ties="breslow")
    grid = np.linspace(-3, 3, 600_001)
    r = np.exp(grid)
    log_likelihood = grid - 2 * np.log(2 * r + 2) - np.log(r + 1)
    assert fit.estimates.loc["x", "beta"] == pytest.approx(
        grid[np.argmax(log_likelihood)], abs=1e-5
    )


def test_the_likelihood_of_no_factor_is_that_of_equal_chances():
    data = rows([1, 1, 2, 2], [1, 1, 0, 1], x=[1.0, 0, 1, 0])
    expected = -np.log(4) - np.log(4 - 2 / 2) - np.log(2)
    assert est.null_log_likelihood(data) == pytest.approx(expected)
