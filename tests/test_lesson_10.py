"""Lesson 10: what it says of printed numbers is so, and its checks can fail."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import analysis
from analysis.course import check
from analysis.course import reading as lesson
from analysis.printed.bounds import Printed

SHIPPED = ("blinatumomab", "bmt", "myeloid")


@pytest.fixture(scope="module", params=SHIPPED)
def dataset(request) -> analysis.dataset.model.Dataset:
    return analysis.load(f"data/{request.param}")


@pytest.fixture(scope="module")
def results(dataset) -> pd.DataFrame:
    return lesson.results(dataset)


def test_a_count_is_possible_just_where_it_would_be_printed_so():
    """Against rounding itself, of every count, also where a share lies on the edge of the band."""
    for n in (40, 137, 259, 1200):
        for text in ("0.0", "2.5", "33", "56.2", "99.9", "100"):
            percent = Printed(text)
            fits = [k for k in range(n + 1)
                    if analysis.rounded(100 * k / n, percent.decimals) == text]  # fmt: skip
            assert list(lesson.counts(percent, n)) == fits, (n, text)


def test_one_line_of_the_paper_contradicts_itself_and_the_slider_begins_there():
    paper = analysis.load("data/blinatumomab")
    every = lesson.lines(paper, lesson.results(paper))
    wrong = [line for line in every if not line.holds]
    assert [(line.count, line.n, line.percent.text) for line in wrong] == [(146, 259, "56.2")]
    assert lesson.example(every) == wrong[0]
    assert "no count gives 56.2%: 145 are 56.0%, and 146 are 56.4%" in str(
        lesson._answer(wrong[0], lesson.results(paper), 259)
    )


def test_what_a_dataset_says_of_itself_holds_within_rounding(dataset):
    if dataset.published.empty:
        every = lesson._lines(dataset)
        assert every and all(line.holds for line in every)
        assert all(line.possible[0] <= line.count <= line.possible[-1] for line in every)


def test_each_station_of_the_slider_says_what_its_dots_show(dataset, results):
    line = lesson.example(lesson.lines(dataset, results))
    dots = lesson._dots(line)
    said = set()
    for choice, n in enumerate(lesson._stations(line)):
        row = analysis.pick(results, "counts_possible", f"of {n}")
        full = dots[(dots["choice"] == choice) & dots["in"]]
        assert len(full) == row["estimate"]
        if len(full):
            assert (full["k"].min(), full["k"].max()) == (row["lower"], row["upper"])
        else:
            assert row["upper"] == row["lower"] + 1
        said.add(len(full))
    assert 0 in said and len(said) > 1  # the reader sees it hold and fail


def test_digits_taken_as_exact_fail_nearly_every_line(results):
    number = {q: analysis.pick(results, q, "percent")["estimate"]
              for q in ("lines", "lines_exact", "lines_hold")}  # fmt: skip
    assert number["lines_exact"] < number["lines"] / 10
    assert number["lines_hold"] >= number["lines"] - 1


def test_percentages_of_a_whole_add_up_within_rounding_and_one_wrong_one_is_seen(dataset, results):
    part = lesson.parts(lesson.lines(dataset, results))
    assert sum(line.count for line in part) == part[0].n
    assert "so that is no slip" in str(lesson.told_sum(dataset, results))
    row = results["quantity"] == "percent_sum"
    off = results.copy()
    off.loc[row, ["estimate", "lower", "upper"]] += 1
    assert "one of them is wrong" in str(lesson.told_sum(dataset, off))


def test_p_of_an_interval_is_that_of_the_model():
    """Of the run's own ratios P is known: it lies within what the rounded digits allow."""
    for name in ("bmt", "myeloid"):
        data = analysis.load(f"data/{name}")
        found = analysis.factor_results(data, analysis.endpoint(data, "os"))
        for named in lesson._own_ratios(data):
            low, high = named.ratio.p
            p = analysis.pick(found, "p_univariate", named.ratio.group)["estimate"]
            assert low <= p <= high, named.label


def test_no_curve_leaves_its_shares_and_no_median_its_landmarks(dataset, results):
    middle = analysis.pick(results, "median", "os")
    for month in dataset.settings.months:
        value = analysis.pick(results, "survival", "os", month)
        risk, left = (
            analysis.pick(results, q, "os", month)["estimate"] for q in ("at_risk", "censored")
        )
        assert risk <= value["estimate"] * middle["n"] + 1e-9 <= risk + left + 1e-6
        assert risk + left + value["events"] == middle["n"]
        assert lesson.beside(middle, value, month)[2]


@pytest.mark.parametrize(
    ("month", "limits", "place", "holds"),
    [
        (6, (0.55, 0.7), "before it", True),
        (6, (0.45, 0.7), "before it", False),
        (14, (0.4, 0.6), "within it", True),
        (14, (0.55, 0.7), "within it", False),
        (24, (0.3, 0.45), "after it", True),
        (24, (0.5, 0.63), "after it", False),
    ],
)
def test_a_landmark_that_does_not_go_with_the_median_is_found(month, limits, place, holds):
    median = pd.Series({"estimate": 14.2, "lower": 11.0, "upper": 18.9})
    survival = pd.Series({"lower": limits[0], "upper": limits[1]})
    found = lesson.beside(median, survival, month)
    assert (found[0], found[2]) == (place, holds)
    assert lesson.beside(median.where(median != 18.9), survival, 99)[0] == "within it"


def test_of_the_four_lines_only_one_contradicts_itself():
    """The numbers of Exercise 3, checked by the lesson's own rules."""
    assert lesson.counts(Printed("35.0"), 180)[0] == 63
    ratio = lesson._Named("B", lesson._ratio("b", ("0.75", "0.58", "0.97")))
    assert ratio.ratio.symmetric
    assert all(0.025 <= p < 0.035 for p in ratio.ratio.p)
    assert 41 + 17 + 62 == 120
    median = pd.Series({"estimate": 14.2, "lower": 11.0, "upper": 18.9})
    assert not lesson.beside(median, pd.Series({"lower": 0.50, "upper": 0.63}), 24)[2]


def test_p_of_the_exercise_is_on_the_log_scale(dataset):
    right = lesson.exercise_2(dataset)
    z = (np.log(0.72)) / ((np.log(0.94) - np.log(0.55)) / 3.919928)
    assert right.answer == pytest.approx(2 * stats.norm.cdf(z), abs=1e-6)
    assert len(right.told_apart()) == 5


def test_the_task_has_one_count_and_another_number_is_told_what_it_is(dataset):
    percent, n = lesson.printed_percentage(dataset)
    fits = [k for k in range(n + 1) if analysis.rounded(100 * k / n, 1) == f"{percent}"]
    right = lesson.exercise_1(dataset)
    assert fits == [right.answer]
    assert "not of this line" in check(n - fits[0], right).words


def test_a_masked_line_is_neither_shown_nor_asked_for():
    data = analysis.load("data/bmt", mask_below=46)
    shown = lesson.lines(data, analysis.masked(data, lesson.results(data)))
    assert shown and all(line.count >= 46 <= line.n - line.count for line in shown)
    assert lesson._task(data) in [*shown, *lesson._invented_lines()]


def test_without_print_and_characteristics_the_numbers_are_invented(dataset):
    from dataclasses import replace

    bare = replace(dataset, published=dataset.published.head(0), characteristics=(), factors=())
    assert "invented" in str(lesson.told_source(bare))
    assert all(line.holds for line in lesson.lines(bare, lesson.results(bare)))
    lesson.counts_figure(bare, lesson.results(bare), "lesson_10_reading-counts")
    assert lesson.ratios_table(bare, lesson.results(bare), "x").rows
