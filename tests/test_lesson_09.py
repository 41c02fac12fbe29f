"""Lesson 9: one ratio for all times is computed, tested, split and told in months as it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import analysis
from analysis import survival as est
from analysis.course import check
from analysis.course import proportional_hazards as lesson
from analysis.dataset.model import NotRecorded

SHIPPED = ("blinatumomab", "bmt", "myeloid")


@pytest.fixture(scope="module", params=SHIPPED)
def dataset(request) -> analysis.dataset.model.Dataset:
    return analysis.load(f"data/{request.param}")


@pytest.fixture(scope="module")
def asked(dataset) -> lesson.Question:
    return lesson.question(dataset)


@pytest.fixture(scope="module")
def results(dataset, asked) -> pd.DataFrame:
    return lesson.results(dataset, asked)


# --- which factor ------------------------------------------------------------------------------


def test_the_factor_has_the_least_p_of_those_with_two_sides(dataset, asked):
    table = analysis.factor_results(dataset, analysis.endpoint(dataset, "os"))
    table = table[table["quantity"] == "p_proportional_univariate"].set_index("group")["estimate"]
    sided = [f"os:{f.column}" for f in dataset.factors if f.kind == "baseline" and f.numerator]
    assert asked.key == table[sided].idxmin()
    assert asked.tested.min() == pytest.approx(table[asked.key])
    assert len(asked.tested) == len(sided)


def test_a_factor_can_be_named_and_is_then_not_said_to_be_picked(dataset, asked):
    other = next(f.column for f in lesson.candidates(dataset) if f.column != asked.factor.column)
    named = lesson.question(dataset, other)
    assert named.factor.column == other
    said = str(lesson.told_factor(dataset, named, lesson.results(dataset, named)))
    assert "picked" not in said
    assert "picked" in str(lesson.told_factor(dataset, asked, lesson.results(dataset, asked)))


def test_without_a_factor_of_two_sides_the_page_says_so(dataset):
    number = replace(dataset, factors=tuple(f for f in dataset.factors if not f.numerator))
    for data, column in ((number, ""), (dataset, "no_such_column")):
        with pytest.raises(NotRecorded, match="whose two sides can be compared"):
            lesson.question(data, column)


def test_a_side_that_is_masked_is_not_compared(dataset, asked):
    small = min(asked.first.sum(), (~asked.first).sum())
    columns = {f.column for f in lesson.candidates(replace(dataset, mask_below=int(small) + 1))}
    assert asked.factor.column not in columns


# --- what each death says ----------------------------------------------------------------------


def test_a_smooth_is_the_weighted_line_of_the_nearest():
    draw = np.random.default_rng(9)
    time, value = np.sort(draw.uniform(0, 50, 80)), draw.normal(size=80)
    at = np.array([0.0, 12.5, 50.0])
    fit, norm = lesson.smooth(time, value, at, span=0.5)
    for place, found, size in zip(at, fit, norm, strict=True):
        distance = np.abs(time - place)
        weight = np.clip(1 - (distance / np.sort(distance)[39]) ** 3, 0, None) ** 3
        # polyfit weighs residuals, not their squares
        line = [np.polyval(np.polyfit(time, v, 1, w=np.sqrt(weight)), place) for v in np.eye(80)]
        assert found == pytest.approx(np.dot(line, value), abs=1e-6)
        assert size == pytest.approx(np.linalg.norm(line), abs=1e-6)


def test_a_smooth_of_one_ratio_is_that_ratio():
    time = np.array([1.0, 1.0, 1.0, 2.0, 5.0])
    fit, norm = lesson.smooth(time, np.full(5, 0.3), np.array([1.0, 3.0, 5.0]))
    assert fit == pytest.approx(0.3) and (norm > 0).all()


def test_the_course_goes_as_the_two_halves_do(dataset, asked, results):
    _, line = lesson.course(dataset, asked)
    early, late = (analysis.pick(results, f"hazard_ratio_{half}", asked.key)["estimate"]
                   for half in ("early", "late"))  # fmt: skip
    split = analysis.pick(results, "split", asked.key)["estimate"]
    log = np.log(line["ratio"])
    before, after = log[line["month"] <= split].mean(), log[line["month"] > split].mean()
    assert np.sign(before - after) == np.sign(np.log(early / late))
    assert (line["lower"] < line["ratio"]).all() and (line["ratio"] < line["upper"]).all()


def test_a_private_or_masked_course_has_no_point_for_a_patient(dataset, asked, results):
    def points(data):
        chart = lesson.residuals_figure(data, asked, results, "lesson_09-x").chart.to_dict()
        return [row for rows in chart["datasets"].values() for row in rows
                if set(row) == {"month", "ratio"}]  # fmt: skip

    assert len(points(dataset)) == asked.died.sum()
    assert points(replace(dataset, public=False)) == []
    assert points(replace(dataset, mask_below=5)) == []


# --- months ------------------------------------------------------------------------------------


def area(time: np.ndarray, died: np.ndarray, end: float) -> float:
    """The area under Kaplan-Meier, day by day and from scratch."""
    survival, total, before = 1.0, 0.0, 0.0
    for day in sorted(set(time[died & (time < end)])):
        total += survival * (day - before)
        survival *= 1 - (died & (time == day)).sum() / (time >= day).sum()
        before = day
    return total + survival * (end - before)


def test_the_difference_is_the_area_between_the_curves(dataset, asked, results):
    for month in lesson.stations(dataset, asked):
        day = month * dataset.settings.days_per_month
        sides = [area(asked.time[side], asked.died[side], day)
                 for side in (asked.first, ~asked.first)]  # fmt: skip
        row = analysis.pick(results, "rmst_difference", asked.key, month)
        assert row["estimate"] == pytest.approx(dataset.months(sides[0] - sides[1]), abs=1e-9)


def test_the_ratios_before_and_after_share_out_the_deaths(dataset, asked, results):
    one = analysis.pick(results, "hazard_ratio_univariate", asked.key)
    for month in lesson.stations(dataset, asked):
        until = analysis.pick(results, "hazard_ratio_until", asked.key, month)
        after = results[(results["quantity"] == "hazard_ratio_after")
                        & (results["months"] == month)]  # fmt: skip
        assert until["events"] + after["events"].sum() == one["events"]
        if not after["events"].sum():
            assert until["estimate"] == pytest.approx(one["estimate"])


def test_horizons_lie_within_the_follow_up_of_both_sides(dataset, asked):
    months = lesson.stations(dataset, asked)
    ends = [asked.time[side].max() for side in (asked.first, ~asked.first)]
    assert months == sorted(set(months)) and 2 <= len(months) <= lesson.MOST
    assert max(months) <= dataset.months(min(ends)) < max(months) + months[1] - months[0]
    assert set(lesson.landmarks(dataset, asked)) <= set(dataset.settings.months)


def test_the_shaded_area_ends_at_the_chosen_month(dataset, asked, results):
    figure = lesson.horizon_figure(dataset, asked, results, "lesson_09-x")
    spec = figure.chart.to_dict()
    shade = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "area")
    limit = shade["transform"][0]["filter"].removeprefix("datum.month <= ")
    months = lesson.stations(dataset, asked)
    assert [eval(limit, {"choice": choice}) for choice in range(len(months))] == months
    assert len(figure.choice.answers) == len(set(map(str, figure.choice.answers))) == len(months)
    for rows in spec["datasets"].values():
        assert all(row["month"] % 1 == 0 for row in rows if "month" in row)


# --- what is said ------------------------------------------------------------------------------


def test_what_one_ratio_hides_in_the_shipped_datasets():
    """bmt: no effect at all, printed; a doubled hazard early, and less than one late."""
    data = analysis.load("data/bmt")
    found = lesson.results(data)
    key = lesson.question(data).key
    one, early, late = (analysis.pick(found, f"hazard_ratio_{kind}", key)
                        for kind in ("univariate", "early", "late"))  # fmt: skip
    assert one["lower"] < 1 < one["upper"]
    assert early["lower"] > 1 > late["estimate"]
    said = str(lesson.told(data, lesson.question(data), found))
    # 0.66 (0.27–1.57) leaves 1 open, so that nothing is said to point the opposite way.
    assert "stands for two that differ" in said and "P = .018" in said and "opposite" not in said


def test_the_change_of_a_ratio_is_that_of_an_interaction(dataset, asked, results):
    """One model of the factor and its product with lateness, on the rows cut at the split."""
    column, split = asked.factor.column, lesson.split_day(asked)
    pieces = est.cut(asked.rows, split)
    product = pieces[column].where(pieces["stop"] > split, 0.0)
    line = est.cox(pieces.assign(product=product), [column, "product"]).summary().loc["product"]
    change = analysis.pick(results, "hazard_ratio_change", asked.key)
    assert change[["estimate", "lower", "upper"]].tolist() == pytest.approx(
        line[["hazard_ratio", "lower", "upper"]].tolist(), rel=1e-5
    )
    p = analysis.pick(results, "p_change", asked.key)["estimate"]
    assert p == pytest.approx(line["p"], rel=1e-4)


def test_a_negative_limit_is_not_joined_by_a_dash(results, asked):
    row = pd.Series({"quantity": "rmst_difference", "lower": -3.4, "upper": -0.4})
    assert analysis.page.formats.interval(row) == "−3.4 to −0.4"
    assert analysis.page.formats.interval(row.replace({-3.4: 0.2, -0.4: 3.4})) == "0.2–3.4"


# --- exercises ---------------------------------------------------------------------------------


def test_the_invented_curve_and_groups(dataset):
    assert lesson.exercise_1(dataset).answer == pytest.approx(8.9)
    assert lesson.exercise_2(dataset).answer == pytest.approx((2.0, 0.5, 1.35))
    assert "mean of two ratios" in check([2, 0.5, 1.25], lesson.exercise_2(dataset)).words


def test_likely_mistakes_differ_from_the_difference_in_months(dataset, asked):
    right = lesson.exercise_3(dataset, asked)
    row = est.restricted_mean_difference(
        asked.time, asked.died, asked.first,
        dataset.settings.months[0] * dataset.settings.days_per_month,
    )  # fmt: skip
    assert right.answer == pytest.approx(dataset.months(row.estimate))
    assert len(right.told_apart()) >= 2


def test_rates_early_and_late_go_as_the_ratios_of_the_model(dataset, asked, results):
    early, late = (analysis.pick(results, f"hazard_ratio_{half}", asked.key)["estimate"]
                   for half in ("early", "late"))  # fmt: skip
    word = lesson.exercise_4(dataset, asked).answer
    assert word == ("early" if early > late else "late")
