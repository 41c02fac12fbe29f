"""The estimators' rules on small cases worked by hand. Values on real data: test_reference.py."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.statistics import logrank_test

from analysis import survival as est
from analysis.dataset.covariates import at_landmark
from analysis.survival import fine_gray
from analysis.survival.sums import BLOCK


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


def test_a_difference_of_means_by_hand():
    """Group 1 as in the mean above; in group 0 one of two dies on day 1, the other lives on."""
    time, observed, group = [1, 2, 4, 1, 4], [1, 1, 0, 1, 0], [1, 1, 1, 0, 0]
    found = est.restricted_mean_difference(time, observed, group, 3)
    assert found.estimate == pytest.approx(2 - (1 + 2 / 2))
    assert found.se**2 == pytest.approx(1 / 6 + (1 / 3) ** 2 / 2 + 1**2 / (2 * 1))
    assert found.upper == pytest.approx(found.estimate + est.Z * found.se)
    assert found.p == pytest.approx(1)


def test_a_difference_of_means_turns_round_with_its_groups():
    rng = np.random.default_rng(11)
    time, observed, group = (rng.integers(low, high, 90) for low, high in ((1, 30), (0, 2), (0, 2)))
    one = est.restricted_mean_difference(time, observed, group, 20)
    other = est.restricted_mean_difference(time, observed, 1 - group, 20)
    assert one.estimate != 0
    expected = [-one.estimate, one.se, -one.upper, -one.lower, one.p]
    assert list(vars(other).values()) == pytest.approx(expected)


def test_a_difference_of_means_without_a_group_or_an_event():
    nobody = est.restricted_mean_difference([1, 2], [1, 1], [1, 1], 2)
    assert np.isnan(list(vars(nobody).values())).all()
    no_event = est.restricted_mean_difference([5, 5], [0, 0], [0, 1], 4)
    assert no_event.estimate == 0
    assert np.isnan([no_event.se, no_event.lower, no_event.upper, no_event.p]).all()
    # The variance of one side alone would be too little for the difference.
    one_sided = est.restricted_mean_difference([1, 5, 5, 5], [1, 0, 0, 0], [0, 0, 1, 1], 4)
    assert one_sided.estimate == pytest.approx(4 - (1 + 4) / 2)
    assert np.isnan([one_sided.se, one_sided.lower, one_sided.upper, one_sided.p]).all()
    with pytest.raises(ValueError, match="0 and 1"):
        est.restricted_mean_difference([1, 2], [1, 1], [1, 2], 2)


@pytest.mark.parametrize("event", [0, 1])
def test_one_patient(event):
    found = curve([5], [event])
    assert found["survival"].tolist() == [1, 1 - event]


# --- left truncation -------------------------------------------------------------------------


def test_who_enters_on_a_day_is_at_risk_after_it():
    """On day 2 the first dies before the second is at risk; on day 4 both that came are there."""
    time, observed, entry = [2, 5, 4, 7], [1, 1, 1, 0], [-np.inf, 2, 2, 4]
    found = est.survival_curve(time, observed, entry)
    assert found["at_risk"].to_dict() == {0: 1, 2: 1, 4: 2, 5: 2, 7: 1}
    assert found["entered"].to_dict() == {0: 0, 2: 2, 4: 1, 5: 0, 7: 0}
    assert found["survival"].tolist() == [1, 0, 0, 0, 0]  # where it stays
    assert found[["lower", "upper"]].isna().all(axis=None)
    later = est.survival_curve(time[1:], observed[1:], entry[1:])
    assert later["survival"].tolist() == pytest.approx([1, 1, 0.5, 0.25, 0.25])
    assert est.at(later, [3, 4.5, 6, 8])["at_risk"].tolist() == [2, 2, 1, 0]


def test_an_event_on_day_0_counts_where_the_patient_was_there_from_the_start():
    found = est.survival_curve([0, 3, 3], [1, 1, 0], [-np.inf, -np.inf, 0])
    assert found["at_risk"].tolist() == [2, 2]
    assert found["survival"].tolist() == pytest.approx([0.5, 0.25])
    incidence = est.cumulative_incidence([0, 3, 3], [1, 2, 0], 1, [-np.inf, -np.inf, 0])
    assert incidence["incidence"].tolist() == [0.5, 0.5]


def test_entries_from_the_start_change_nothing():
    rng = np.random.default_rng(21)
    time, event, start = rng.integers(0, 20, 80), rng.integers(0, 3, 80), np.full(80, -np.inf)
    found = est.survival_curve(time, event, start)
    assert (found.pop("entered") == 0).all()
    pd.testing.assert_frame_equal(found, est.survival_curve(time, event))
    found = est.cumulative_incidence(time, event, 1, start).drop(columns="entered")
    pd.testing.assert_frame_equal(found, est.cumulative_incidence(time, event, 1))
    assert est.event_rate(time, event, 5, start) == est.event_rate(time, event, 5)
    assert est.follow_up(time, event, start) == est.follow_up(time, event)
    one, other = (
        est.restricted_mean_difference(time, event, event % 2, 9, e) for e in (None, start)
    )
    assert one == other


def test_the_influences_of_all_patients_by_their_definition():
    """Each patient's weight turned up a little: the slopes of F, squared and added up."""
    rng = np.random.default_rng(22)
    time, event = rng.integers(3, 12, 25), rng.integers(0, 3, 25)
    entry = np.where(rng.random(25) < 0.4, -np.inf, rng.integers(0, 3, 25))
    found = est.cumulative_incidence(time, event, 1, entry)

    def incidence(weight):
        share, free, values = 0.0, 1.0, []
        for day in found.index:
            at_risk = weight[(entry < day) & (time >= day)].sum() or 1.0
            now = time == day
            share += free * weight[now & (event == 1)].sum() / at_risk
            free *= 1 - weight[now & (event > 0)].sum() / at_risk
            values.append(share)
        return np.array(values)

    little = 1e-5
    slopes = [
        (incidence(1 + little * who) - incidence(1 - little * who)) / (2 * little)
        for who in np.eye(25)
    ]
    assert found["incidence"].tolist() == pytest.approx(incidence(np.ones(25)).tolist())
    squares = (np.array(slopes) ** 2).sum(axis=0)
    np.testing.assert_allclose(found["se"] ** 2, squares, rtol=1e-6, atol=1e-9)


def test_a_rate_counts_from_the_entry_on():
    """Beyond day 2: days 3 to 5 of the first and 5 to 6 of the second, who came on day 5."""
    rate = est.event_rate([5, 6, 2], [1, 1, 1], 2, [-np.inf, 5, 1])
    assert (rate.n, rate.events, rate.exposure) == (2, 2, 4)


def test_a_difference_of_means_with_entries():
    time, observed, group, entry = (
        [2, 4, 5, 3, 6],
        [1, 1, 0, 1, 0],
        [1, 1, 1, 0, 0],
        [0, 1, 2, 0, 1],
    )
    found = est.restricted_mean_difference(time, observed, group, 4, entry)
    assert found.estimate == pytest.approx((2 + 0.5 * 2) - (3 + 0.5))


def test_a_time_that_is_not_after_its_entry_is_refused():
    for entry in ([0, 5], [0, 6], [0, 5 + 1e-9], [0, np.nan]):
        with pytest.raises(ValueError, match="not after its entry"):
            est.survival_curve([4, 5], [1, 0], entry)
        with pytest.raises(ValueError, match="not after its entry"):
            est.event_rate([4, 5], [1, 0], 0, entry)


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


# --- a state that changes --------------------------------------------------------------------


def switching(*patients) -> pd.DataFrame:
    """Rows of patients (switch or None, end, event): 0 up to and on the day of the switch."""
    made = []
    for i, (switch, end, event) in enumerate(patients):
        if switch is None or switch >= end:
            made.append((i, -np.inf, end, event, 0.0))
        else:
            made += [(i, -np.inf, switch, 0, 0.0), (i, switch, end, event, 1.0)]
    return pd.DataFrame(made, columns=["patient", "start", "stop", "event", "x"])


TIED = switching((4, 9, 1), (None, 4, 1), (4, 4, 1), (2, 4, 1), (2, 6, 0), (None, 9, 0), (5, 9, 1))


def test_switching_curves_by_hand_with_ties():
    """On day 4: who switches that day is still in 0, and so is who has the event that day."""
    curves = est.switching_curves(TIED, "x")
    zero, one = curves[0], curves[1]
    assert zero["at_risk"].to_dict() == {0: 7, 2: 7, 4: 5, 5: 2, 9: 1}
    assert zero["events"].to_dict() == {0: 0, 2: 0, 4: 2, 5: 0, 9: 0}
    assert zero["left"].to_dict() == {0: 0, 2: 2, 4: 1, 5: 1, 9: 0}
    assert zero["censored"].to_dict() == {0: 0, 2: 0, 4: 0, 5: 0, 9: 1}
    assert zero["survival"].tolist() == pytest.approx([1, 1, 0.6, 0.6, 0.6])
    assert one["at_risk"].to_dict() == {0: 0, 2: 0, 4: 2, 5: 2, 6: 3, 9: 2}
    assert one["entered"].to_dict() == {0: 0, 2: 2, 4: 1, 5: 1, 6: 0, 9: 0}
    assert one["survival"].tolist() == pytest.approx([1, 1, 0.5, 0.5, 0.5, 0])
    assert one.loc[9, ["lower", "upper"]].isna().all()
    assert one.loc[2, ["lower", "upper"]].isna().all()


def test_those_at_risk_are_those_before_and_who_comes_less_who_goes():
    rng = np.random.default_rng(12)
    patients = zip(*(rng.integers(0, 20, 200) for _ in "ab"), rng.integers(0, 2, 200), strict=True)
    data = switching(*patients)
    curves = [*est.switching_curves(data, "x").values()]
    curves += est.switching_curves(data, "x", landmark=7).values()
    assert len(curves) == 4
    for curve in curves:
        change = curve["entered"] - curve[["left", "events", "censored"]].sum(axis=1)
        after = curve["at_risk"] + change
        assert after.iloc[-1] == 0
        assert after.iloc[:-1].tolist() == curve["at_risk"].iloc[1:].tolist()
        assert curve[["entered", "left"]].sum().sum() > 0


def test_between_the_times_of_a_switching_curve():
    found = est.at(est.switching_curves(TIED, "x")[1], [1, 3, 4.5, 8])
    assert found["at_risk"].tolist() == [0, 2, 2, 2]
    assert found["events"].tolist() == [0, 0, 1, 1]
    assert not {"entered", "left"} & set(found.columns)


def test_a_switching_curve_stays_at_0_and_a_landmark_avoids_it():
    data = switching((1, 3, 1), (5, 9, 0), (5, 9, 0), (5, 8, 1), (None, 9, 0))
    assert est.switching_curves(data, "x")[1]["survival"].tolist() == [1, 1, 0, 0, 0, 0]
    later = est.switching_curves(data, "x", landmark=5)
    assert later[1]["survival"].to_dict() == {
        5: 1,
        8: pytest.approx(2 / 3),
        9: pytest.approx(2 / 3),
    }
    assert later[1]["at_risk"].to_dict() == {5: 3, 8: 3, 9: 2}
    assert later[0]["at_risk"].to_dict() == {5: 1, 9: 1}


def test_an_event_on_the_landmark_is_before_it_and_a_switch_on_it_too():
    curves = est.switching_curves(TIED, "x", landmark=4)
    assert curves[0].index[0] == 4
    assert curves[0]["at_risk"].to_dict() == {4: 2, 5: 2, 9: 1}
    assert curves[1]["at_risk"].to_dict() == {4: 2, 5: 2, 6: 3, 9: 2}
    assert curves[1].loc[4, ["events", "entered"]].tolist() == [0, 0]


def test_without_a_switch_it_is_the_survival_curve():
    rng = np.random.default_rng(13)
    time, event = rng.integers(0, 30, 120), rng.integers(0, 2, 120)
    found = est.switching_curves(rows(time, event, x=0.0), "x")
    assert list(found) == [0]
    columns = ["at_risk", "events", "censored", "survival", "lower", "upper"]
    pd.testing.assert_frame_equal(found[0][columns], curve(time, event)[columns], check_dtype=False)


def test_cutting_rows_keeps_the_switching_curves():
    whole, parts = (est.switching_curves(data, "x") for data in (TIED, est.cut(TIED, 4)))
    for state in (0, 1):
        assert parts[state].loc[whole[state].index].equals(whole[state])


def test_a_state_other_than_0_and_1_has_no_curve():
    with pytest.raises(ValueError, match="x: "):
        est.switching_curves(TIED.assign(x=2.0), "x")


def test_a_landmark_by_hand():
    """Who ends on the day is gone, who switches on it has switched, later switches do not count."""
    found = at_landmark(TIED, "x", 4)
    assert found["patient"].tolist() == [0, 4, 5, 6]
    assert found["x"].tolist() == [1, 1, 0, 0]
    assert found["stop"].tolist() == [5, 2, 5, 5]
    assert found["event"].tolist() == [1, 0, 0, 1]
    assert (found["start"] == -np.inf).all()
    assert at_landmark(TIED, "x", 3)["x"].tolist() == [0, 0, 0, 1, 1, 0, 0]
    assert at_landmark(TIED, "x", 9).empty


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


# --- strata ----------------------------------------------------------------------------------


def test_a_stratified_likelihood_by_hand():
    """Day 1 in both strata: each death meets the other of its own stratum alone."""
    data = rows([1, 2, 1, 2], [1, 0, 1, 0], x=[1.0, 0, 0, 1], stratum=["a", "a", "b", "b"])
    fit = est.cox(data, ["x"])
    assert fit.estimates.loc["x", "beta"] == pytest.approx(0)
    assert fit.estimates.loc["x", "se"] == pytest.approx(1 / np.sqrt(2 * 1 / 4))
    assert fit.log_likelihood == pytest.approx(2 * np.log(1 / 2))
    assert est.null_log_likelihood(data) == pytest.approx(2 * np.log(1 / 2))
    assert est.null_log_likelihood(data.drop(columns="stratum")) == pytest.approx(
        np.log(1 / 4) + np.log(1 / 3)
    )


def test_a_factor_that_only_parts_the_strata_has_no_estimate():
    rng = np.random.default_rng(31)
    stratum = rng.integers(0, 3, 90)
    data = rows(rng.integers(1, 30, 90), rng.integers(0, 2, 90), x=stratum * 1.0, y=rng.random(90))
    assert est.cox(data, ["x", "y"]).estimable
    within = data.assign(stratum=stratum)
    assert not est.cox(within, ["x", "y"]).estimable
    assert est.cox(within, ["y"]).estimable


def test_selection_within_strata_leaves_out_what_only_parts_them():
    """`site` decides who dies, and is in the model without strata; within them it says nothing."""
    rng = np.random.default_rng(32)
    stratum = rng.integers(0, 4, 400)
    good = rng.integers(0, 2, 400) * 1.0
    time = rng.exponential(np.exp(stratum - good))
    data = rows(time, np.ones(400, dtype=int), good=good, site=stratum * 1.0)
    assert set(est.stepwise(data, ["good", "site"])) == {"good", "site"}
    within = data.assign(stratum=stratum)
    assert est.stepwise(within, ["good", "site"]) == ["good"]
    assert est.score_p(within, [], "site") > 0.99


def test_many_small_strata_of_pairs_are_conditional_logistic_regression():
    """Pairs in which one dies first: the ratio is that of the pairs that differ, with its error."""
    first = np.array([1.0] * 30 + [0.0] * 12 + [1.0, 0.0] * 9)
    second = np.array([0.0] * 30 + [1.0] * 12 + [1.0, 0.0] * 9)
    x = np.concatenate([first, second])
    data = rows([1] * 60 + [2] * 60, [1] * 60 + [0] * 60, x=x, stratum=[*range(60)] * 2)
    found = est.cox(data, ["x"]).estimates.loc["x"]
    assert found["beta"] == pytest.approx(np.log(30 / 12))
    assert found["se"] == pytest.approx(np.sqrt(1 / 30 + 1 / 12))


def test_a_likelihood_ratio_of_columns_that_separate_or_repeat_is_r_s():
    """As `anova` of two `coxph` of survival 3.8: neither ratio is finite, the likelihood is."""
    data = rows([1, 2, 3, 4], [1, 1, 0, 0], x=[1.0, 1, 0, 0], y=[1.0, 0, 1, 0])
    data = data.assign(twice=2 * data["x"])
    for columns, added, chi2, p in (
        ([], ["x"], 3.5835189361474, 0.0583554129746),
        (["y"], ["x"], 4.9117887014929, 0.0266740047899),
        (["x"], ["y"], 1.386294355723, 0.239031892364),
        (["x"], ["twice", "y"], 1.386294355723, 0.239031892364),
    ):
        test = est.likelihood_ratio(data, columns, added)
        assert (test.chi2, test.df, test.p) == (
            pytest.approx(chi2, rel=1e-7), 1, pytest.approx(p, rel=1e-7)
        )  # fmt: skip


def test_a_likelihood_ratio_of_nothing_is_missing():
    data = rows([1, 2, 3, 4], [1, 1, 0, 0], x=[1.0, 1, 0, 0], same=[1.0] * 4)
    for test in (
        est.likelihood_ratio(data, ["x"], ["same"]),
        est.likelihood_ratio(data.assign(event=0), [], ["x"]),
    ):
        assert test.df == 0
        assert np.isnan([test.chi2, test.p]).all()


# --- proportional hazards ------------------------------------------------------------------------


def test_a_ratio_that_turns_round_is_noticed_and_shown_early_and_late():
    """On side 1 everybody dies in the middle, on side 0 first or last."""
    x = np.repeat([1.0, 0.0, 0.0], 40)
    time = np.concatenate([np.arange(100, 140), np.arange(1, 41), np.arange(200, 240)])
    data = rows(time, np.ones(120, dtype=int), x=x)
    assert est.proportional_hazards_test(data, ["x"]).loc["x", "p"] < 1e-6
    split, fits = est.early_and_late(data, "x")
    assert split == sorted(time)[59]
    assert {name: (fit.n, fit.events) for name, fit in fits.items()} == {
        "early": (120, 60), "late": (60, 60),
    }  # fmt: skip


def test_separation_in_one_stretch_leaves_the_other_its_ratio():
    """Early only side 0 dies; late both do."""
    x = [0.0, 0, 0, 1, 0, 1, 0, 1]
    split, fits = est.early_and_late(rows(range(1, 9), [1, 1, 1, 0, 1, 1, 0, 0], x=x), "x")
    assert split == 3
    assert not fits["early"].estimable
    assert (fits["late"].n, fits["late"].events) == (5, 2)
    alone = rows(range(1, 6), [0, 1, 1, 0, 0], x=x[3:])
    pd.testing.assert_frame_equal(fits["late"].estimates, est.cox(alone, ["x"]).estimates)


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
    split, fits = est.early_and_late(rows([1, 2], [0, 0], x=[1.0, 0.0]), "x")
    assert np.isnan(split)
    assert {name: (fit.n, fit.estimable) for name, fit in fits.items()} == {
        "early": (2, False), "late": (0, False),
    }  # fmt: skip


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


def test_a_mean_of_the_scaled_residuals_is_beta_and_tied_ones_keep_the_order_of_rows():
    rng = np.random.default_rng(14)
    data = rows(rng.integers(1, 8, 60), rng.integers(0, 2, 60), x=rng.normal(size=60), y=range(60))
    data["y"] = data["y"] % 7 * 1000.0
    found = est.schoenfeld(data, ["x", "y"])
    beta = est.cox(data, ["x", "y"]).estimates["beta"]
    assert found.mean().tolist() == pytest.approx(beta.tolist(), rel=1e-6)
    died = data[data["event"] > 0].sort_values("stop", kind="stable")
    assert found.index.tolist() == died["stop"].tolist()
    # One factor: tied events differ by their x alone, over the same variance.
    alone = est.schoenfeld(data, ["x"])["x"]
    first = alone.index == alone.index[0]
    assert first.sum() > 2
    slope = np.diff(alone[first]) / np.diff(died["x"][first])
    assert slope == pytest.approx(np.full(first.sum() - 1, slope[0]))
    assert slope[0] > 0


def test_residuals_by_hand():
    """At a ratio of r, x at risk of the first death has the mean 2r / (2r + 2), and so on."""
    data = rows([1, 2, 3, 4], [1, 1, 1, 0], x=[1.0, 0, 1, 0])
    beta = est.cox(data, ["x"]).estimates.loc["x", "beta"]
    r = np.exp(beta)
    mean = np.array([2 * r / (2 * r + 2), r / (r + 2), r / (r + 1)])
    variance = (mean * (1 - mean)).mean()
    expected = (np.array([1, 0, 1]) - mean) / variance + beta
    assert est.schoenfeld(data, ["x"])["x"].to_dict() == pytest.approx(
        dict(zip([1, 2, 3], expected, strict=True)), rel=1e-6
    )


def test_without_an_estimate_residuals_are_missing():
    found = est.schoenfeld(rows([1, 2, 3, 4], [1, 1, 0, 0], x=[1.0, 1, 0, 0]), ["x"])
    assert found.index.tolist() == [1, 2]
    assert found["x"].isna().all()


# --- Fine and Gray -------------------------------------------------------------------------------


def competing(seed: int, n: int = 200, days: int = 25):
    """Times with many ties, causes 0, 1 and 2, and two factors."""
    rng = np.random.default_rng(seed)
    x = pd.DataFrame({"x": rng.integers(0, 2, n) * 1.0, "z": rng.normal(size=n)})
    return rng.integers(0, days, n).astype(float), rng.integers(0, 3, n), x


def test_fine_gray_by_hand_with_ties():
    """On day 2 one of the five still followed is censored, so that on day 3 the two dead count 4/5.

    The death on that day 2 itself does not matter: who dies with a censoring was at risk of it.
    """
    time, event = np.array([1, 2, 2, 2, 3, 4]), np.array([2, 1, 2, 0, 1, 0])
    x = pd.DataFrame({"x": [0.0, 1, 1, 0, 0, 1]})
    kept = 4 / 5
    b = np.linspace(-3, 3, 600_001)
    r = np.exp(b)
    value = b - np.log(3 * r + 3) - np.log(1 + r + kept + kept * r)
    fit = fine_gray(time, event, 1, x)
    assert fit.log_likelihood == pytest.approx(value.max())
    assert fit.estimates.loc["x", "beta"] == pytest.approx(b[np.argmax(value)], abs=1e-5)
    assert (fit.n, fit.events) == (6, 2)


def test_without_competing_events_fine_gray_is_cox_with_breslow_ties():
    time, event, x = competing(15)
    event = np.minimum(event, 1)
    fit = fine_gray(time, event, 1, x)
    expected = est.cox(rows(time, event, **x), ["x", "z"], ties="breslow")
    assert fit.estimates["beta"].tolist() == pytest.approx(expected.estimates["beta"].tolist())
    assert fit.log_likelihood == pytest.approx(expected.log_likelihood)


def test_without_competing_events_its_error_is_lin_and_weis():
    """The robust variance is that of what each row adds: here one loop over patients and times."""
    time, event, x = competing(16, n=60, days=12)
    event, x = np.minimum(event, 1), x[["x"]]
    fit = fine_gray(time, event, 1, x)
    beta, x = fit.estimates.loc["x", "beta"], x["x"].to_numpy()
    r, information, score = np.exp(beta * x), 0.0, np.zeros(60)
    for day in np.unique(time[event == 1]):
        there, died = time >= day, (time == day) & (event == 1)
        mean = (x * r)[there].sum() / r[there].sum()
        hazard = died.sum() / r[there].sum()
        score += (x - mean) * (died - there * r * hazard)
        information += died.sum() * ((x**2 * r)[there].sum() / r[there].sum() - mean**2)
    assert fit.estimates.loc["x", "se"] == pytest.approx(np.sqrt((score**2).sum()) / information)


def test_without_censoring_who_had_the_other_event_stays_for_good():
    """Fine & Gray's complete data: a Cox model in which the dead leave after everybody."""
    time, event, x = competing(17)
    event = np.maximum(event, 1)
    fit = fine_gray(time, event, 1, x)
    later = rows(np.where(event == 2, 99, time), event == 1, **x)
    expected = est.cox(later, ["x", "z"], ties="breslow")
    assert fit.estimates["beta"].tolist() == pytest.approx(expected.estimates["beta"].tolist())


def test_fine_gray_has_no_side_no_unit_and_no_order():
    time, event, x = competing(18)
    one = fine_gray(time, event, 1, x)
    order = np.random.default_rng(1).permutation(len(time))
    other = x.assign(x=1 - x["x"], z=x["z"] * 1000)
    again = fine_gray(7 * time[order], event[order], 1, other.iloc[order])
    assert again.estimates["beta"].tolist() == pytest.approx(
        [-one.estimates.loc["x", "beta"], one.estimates.loc["z", "beta"] / 1000]
    )
    assert again.estimates["se"].tolist() == pytest.approx(
        [one.estimates.loc["x", "se"], one.estimates.loc["z", "se"] / 1000]
    )


@pytest.mark.parametrize(
    ("event", "x"),
    [
        ([0, 2, 0, 2], [1.0, 0, 1, 0]),  # no event of the cause
        ([1, 1, 2, 1], [0.1 + 0.2] * 4),  # one level
        ([1, 1, 2, 2], [1.0, 1, 0, 0]),  # every event on one side
        ([1, 1, 1, 1], [1.0, 1, 0, 0]),  # those of one side first
        ([], []),
    ],
)
def test_fine_gray_without_an_estimate(event, x):
    with np.errstate(invalid="raise", divide="raise"):  # nothing is divided by a spread of 0
        fit = fine_gray(np.arange(len(event)), event, 1, pd.DataFrame({"x": x}, dtype=float))
    assert not fit.estimable
    assert fit.estimates.isna().all(axis=None)


def test_a_competing_event_can_end_a_separation():
    """The relapse comes to the highest x alive, but the dead, who stays at risk, had a higher."""
    time, x = [1, 2, 3], pd.DataFrame({"x": [2.0, 1, 0]})
    assert not fine_gray(time, [0, 1, 0], 1, x).estimable
    assert fine_gray(time, [2, 1, 0], 1, x).estimable


def test_a_robust_error_of_nothing_is_no_estimate():
    """All have the event on one day: the ratio is 1, and each patient's part in it is 0."""
    fit = fine_gray([5, 5, 5, 5], [1, 1, 1, 1], 1, pd.DataFrame({"x": [0.0, 1, 0, 1]}))
    assert not fit.estimable


def test_fine_gray_refuses_what_does_not_fit_together():
    with pytest.raises(ValueError, match="3 times"):
        fine_gray([1, 2, 3], [1, 0], 1, pd.DataFrame({"x": [0.0, 1]}))
    with pytest.raises(ValueError, match="missing"):
        fine_gray([1, 2], [1, 0], 1, pd.DataFrame({"x": [0.0, np.nan]}))


# --- a smooth --------------------------------------------------------------------------------


def test_a_local_line_is_the_weighted_line_of_the_nearest():
    draw = np.random.default_rng(9)
    time, value = np.sort(draw.uniform(0, 50, 80)), draw.normal(size=80)
    at = np.array([0.0, 12.5, 50.0])
    fit, norm = est.local_line(time, value, at, span=0.5)
    for place, found, size in zip(at, fit, norm, strict=True):
        distance = np.abs(time - place)
        weight = np.clip(1 - (distance / np.sort(distance)[39]) ** 3, 0, None) ** 3
        # polyfit weighs residuals, not their squares
        line = [np.polyval(np.polyfit(time, v, 1, w=np.sqrt(weight)), place) for v in np.eye(80)]
        assert found == pytest.approx(np.dot(line, value), abs=1e-6)
        assert size == pytest.approx(np.linalg.norm(line), abs=1e-6)


def test_a_local_line_is_that_of_r():
    """loess(y ~ x, span = 0.5, degree = 1, control = loess.control(surface = "direct"))"""
    x, y = [1, 2, 3, 5, 8, 9, 12, 14, 20, 21, 30, 33], [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8]
    fit, _ = est.local_line(x, y, [0, 4, 10, 33], span=0.5)
    assert fit == pytest.approx([2.78134073475, 2.24535056093, 5.18351014479, 7.00144718255])


def test_a_local_line_of_one_value_is_that_value():
    time = np.array([1.0, 1.0, 1.0, 2.0, 5.0])
    fit, norm = est.local_line(time, np.full(5, 0.3), np.array([1.0, 3.0, 5.0]), span=2 / 3)
    assert fit == pytest.approx(0.3) and (norm > 0).all()


def test_copies_of_a_cohort_each_in_a_stratum_add_up():
    """More rows than are multiplied at once."""
    rng, copies = np.random.default_rng(1), BLOCK // 60 + 2
    one = rows(rng.integers(1, 30, 60), rng.integers(0, 2, 60), x=rng.normal(size=60))
    many = pd.concat(
        [one.assign(stratum=k, patient=one["patient"] + 60 * k) for k in range(copies)]
    )
    single, whole = est.cox(one, ["x"]), est.cox(many, ["x"])
    assert whole.estimates["beta"].item() == pytest.approx(
        single.estimates["beta"].item(), rel=1e-9
    )
    assert whole.covariance * copies == pytest.approx(single.covariance, rel=1e-9)
    test = est.logrank(one["stop"], one["event"], one["x"] > 0)
    summed = est.logrank(many["stop"], many["event"], many["x"] > 0, many["stratum"])
    assert summed.chi2 == pytest.approx(copies * test.chi2)
