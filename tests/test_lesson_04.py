"""Lesson 4: the log-rank test by hand is the test, its ratio is R’s, a rule picks the groups."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup, Tag
from conftest import EACH
from inprocess import Page, run
from scipy import stats

from analysis import survival as est
from analysis.course import check
from analysis.course import keys_04 as keys
from analysis.course.exercises import MADE_UP
from analysis.dataset.definitions import Compare
from analysis.dataset.model import Dataset, NotRecorded, load
from analysis.page.rows import pick
from analysis.site.notebooks import execute

LESSON = "lesson_04_two_curves"
REFERENCE = Path(__file__).parent / "reference"
MONTHS = np.array([6, 8, 12, 15, 18, 2, 4, 5, 7, 10])
DIED = np.array([1, 0, 1, 0, 0, 1, 1, 0, 1, 1]) > 0
NEW = np.arange(10) < 5
QUICK = {"draws": 20}


@pytest.fixture(scope="module", params=EACH)
def dataset(request) -> Dataset:
    return load(f"data/{request.param}")


@pytest.fixture(scope="module")
def asked(dataset: Dataset) -> keys.Question:
    return keys.question(dataset)


@pytest.fixture(scope="module")
def page(dataset: Dataset, tmp_path_factory) -> Page:
    return run(LESSON, f"data/{dataset.name}", tmp_path_factory.mktemp("results"), **QUICK)


def key(asked: keys.Question) -> str:
    return f"os:{asked.factor.column}"


def estimate(page: Page, quantity: str, group: str, *month: float) -> float:
    return pick(page.numbers, quantity, group, *month)["estimate"]


def figure(page: Page, part: str) -> Tag:
    return BeautifulSoup(page.text, "html.parser").select_one(f"#{LESSON}-{part}")


# --- the ten -----------------------------------------------------------------------------------


def test_the_table_by_hand_is_the_log_rank_test(page):
    test = est.logrank(MONTHS, DIED, NEW)
    assert estimate(page, "logrank", "ten") == pytest.approx(test.chi2, rel=1e-12)
    assert estimate(page, "p_logrank", "ten") == pytest.approx(test.p, rel=1e-12)
    expected = 5 / 10 + 5 / 9 + 5 / 7 + 4 / 6 + 3 / 4 + 3 / 3
    variance = 25 / 100 + 20 / 81 + 10 / 49 + 8 / 36 + 3 / 16
    assert estimate(page, "expected_first", "ten") == pytest.approx(expected)
    assert estimate(page, "variance_first", "ten") == pytest.approx(variance)
    assert test.chi2 == pytest.approx((2 - expected) ** 2 / variance)


def test_each_line_of_the_table_by_hand_adds_up(page):
    lines = page.table("Ten invented patients: the log-rank test by hand.")
    (_, *deaths, last) = lines
    expected, variance = ([float(line[c].split(" = ")[1]) for line in deaths] for c in (4, 5))
    assert [float(last[column]) for column in (4, 5)] == pytest.approx(
        [sum(expected), sum(variance)], abs=0.006
    )
    for month, _, new, usual, *_ in deaths:
        at_risk = int(month) <= MONTHS
        assert [int(new), int(usual)] == [(at_risk & NEW).sum(), (at_risk & ~NEW).sum()]


def test_all_deals_of_the_ten_are_counted(page):
    own = est.logrank(MONTHS, DIED, NEW).chi2
    dealt = [np.isin(np.arange(10), five) for five in combinations(range(10), 5)]
    as_large = sum(est.logrank(MONTHS, DIED, deal).chi2 > own - 1e-6 for deal in dealt)
    assert estimate(page, "number_of_deals", "ten") == len(dealt) == math.comb(10, 5)
    assert estimate(page, "p_deals", "ten") == as_large / len(dealt)


def test_the_crude_ratios_of_the_ten_are_those_of_a_pencil(page):
    expected, variance = (
        estimate(page, f"{what}_first", "ten") for what in ("expected", "variance")
    )
    pencil = {
        "rates": (2 / 59) / (4 / 28),
        "expected": (2 / expected) / (4 / (6 - expected)),
        "peto": math.exp((2 - expected) / variance),
    }
    for way, ratio in pencil.items():
        assert estimate(page, f"hazard_ratio_{way}", "ten") == pytest.approx(ratio)


# --- the groups of the dataset -------------------------------------------------------------------


def test_the_sums_the_test_and_the_ratio_are_those_of_r(dataset, asked, page):
    known = pd.read_csv(REFERENCE / "lessons.csv", float_precision="round_trip")
    known = known[known["dataset"].eq(dataset.name) & known["estimator"].eq("two_curves")]
    known = known[known["case"].eq(f"os: {asked.factor.column}")].set_index("quantity")["value"]
    ours = {
        "observed": "observed_first",
        "expected": "expected_first",
        "variance": "variance_first",
        "chi2": "logrank",
        "p": "p_logrank",
    }
    for quantity, name in ours.items():
        assert estimate(page, name, key(asked)) == pytest.approx(known[quantity], rel=1e-8)
    ratio = pick(page.numbers, "hazard_ratio_cox", key(asked))
    for part in ("estimate", "lower", "upper"):
        assert ratio[part] == pytest.approx(known[part], rel=1e-8)


def test_which_groups_the_shipped_datasets_compare() -> None:
    """The declared arm and disease; in the paper's cohort the factor with the least P."""
    found = {
        name: keys.question(load(f"data/{name}")) for name in ("bmt", "blinatumomab", "myeloid")
    }
    assert {name: one.factor.column for name, one in found.items()} == {
        "bmt": "disease",
        "blinatumomab": "ecog",
        "myeloid": "arm",
    }
    assert [len(one.tested) for one in found.values()] == [1, 4, 1]


def test_the_rule_asks_for_enough_events_on_both_sides(monkeypatch):
    data = load("data/blinatumomab")
    events = {}
    for name, (_, rows) in keys.two_sided(data, keys.outcome_of(data)).items():
        events[name] = rows.groupby(name)["event"].sum().min()
    tested = keys.question(data).tested
    assert set(tested.index) == {name for name, fewest in events.items() if fewest >= keys.EVENTS}
    assert len(tested) < len(events)
    monkeypatch.setattr(keys, "EVENTS", 10_000)
    asked = keys.question(data)
    assert asked.factor.column == max(events, key=events.get) and asked.tested.empty


def test_a_factor_can_be_named_and_others_are_declared(tmp_path):
    data = load("data/bmt")
    assert keys.question(data, "mtx").factor.column == "mtx"
    declared = replace(data, compare=Compare("donor_sex", "male", True, ()))
    assert keys.question(declared).factor.column == "donor_sex"
    page = run(LESSON, "data/bmt", tmp_path, factor="mtx", **QUICK)
    assert "It was named for this page." in page.text
    assert page.numbers["group"].eq("os:mtx").any()
    assert not page.numbers["group"].eq("os:disease").any()


def test_of_three_randomised_arms_the_last_is_compared_with_the_reference(tmp_path):
    """And not the sides of the factor with the least P."""
    data = load("data/colon")
    asked = keys.question(data)
    assert asked.factor.label == "Arm (Levamisole + 5-FU/Observation)"
    counts = data.patients["arm"].value_counts()
    assert asked.patients["first"].sum() == counts["Levamisole + 5-FU"]
    assert len(asked.rows) == counts.sum() - counts["Levamisole"]
    page = run(LESSON, "data/colon", tmp_path, until="both-curves", **QUICK)
    assert "To it the patients were randomised" in page.text
    assert "The other arms of the trial are left out: Levamisole." in page.text


def test_why_these_groups_are_compared_is_said(dataset, page):
    said = {
        "bmt": "It is what this dataset compares. Nobody was randomised to it.",
        "blinatumomab": "So its P is no test any more",
        "myeloid": "To it the patients were randomised",
    }
    found = [name for name, words in said.items() if words in page.text]
    assert found == [dataset.name]


def test_a_side_that_is_masked_is_not_compared(dataset, asked):
    deaths = asked.patients.groupby("first")["died"].sum().min()
    column = asked.factor.column
    assert keys.question(replace(dataset, mask_below=deaths), column).factor == asked.factor
    with pytest.raises(NotRecorded, match="is no factor with events on two sides"):
        keys.question(replace(dataset, mask_below=deaths + 1), column)


def test_the_hazards_share_out_the_deaths_and_the_years(dataset, asked, page):
    rates = page.numbers[page.numbers["quantity"].eq("event_rate")].set_index("group")
    years = page.numbers[page.numbers["quantity"].eq("person_years")].set_index("group")["estimate"]
    for side, first in (("first", True), ("second", False)):
        of = asked.patients[asked.patients["first"] == first]
        assert rates.loc[side, "events"] == of["died"].sum()
        assert years[side] == pytest.approx(dataset.months(of["days"].sum()) / 12)
        parts = [group for group in rates.index if group.startswith(f"{side}:")]
        end = dataset.days(keys.landmarks(dataset, asked)[-1])
        assert rates.loc[parts, "events"].sum() == (of["died"] & (of["days"] <= end)).sum()
        lived = dataset.months(of["days"].clip(upper=end).sum()) / 12
        assert years[parts].sum() == pytest.approx(lived)


# --- what a P says, and the shortcuts ------------------------------------------------------------


def test_the_deals_by_lot_are_of_the_same_patients(asked, page):
    assert estimate(page, "number_of_deals", key(asked)) == QUICK["draws"]
    as_large = estimate(page, "number_of_deals_as_large", key(asked))
    found = estimate(page, "p_deals", key(asked))
    assert found == (as_large + 1) / (QUICK["draws"] + 1)


def test_many_deals_give_the_p_of_the_test(tmp_path):
    """Of groups that lots might have made: P of 1,000 deals and of the table differ by chance."""
    page = run(LESSON, "data/bmt", tmp_path, factor="mtx", draws=1000)
    p, by_lot = (estimate(page, what, "os:mtx") for what in ("p_logrank", "p_deals"))
    assert 0.1 < p < 0.2
    assert abs(p - by_lot) < 4 * math.sqrt(p * (1 - p) / 1000)


def test_the_same_patients_twice_have_a_ratio_of_one(asked, page):
    """Followed for a shorter time, fewer of them have died, and their hazard is the same."""
    assert estimate(page, "hazard_ratio_cox", "twice") == pytest.approx(1, abs=1e-9)
    assert estimate(page, "p_logrank", "twice") > 0.99
    shorter, whole = (estimate(page, f"share_dead_{side}", "twice") for side in ("first", "second"))
    assert shorter < whole == pytest.approx(asked.patients["died"].mean())


def test_the_difference_at_each_month_and_its_p(dataset, asked, page):
    for month in keys.horizons(dataset, asked):
        shares = []
        for first in (True, False):
            of = asked.patients[asked.patients["first"] == first]
            curve = est.survival_curve(of["days"], of["died"])
            shares.append(est.survival_at(curve, dataset.days(month)))
        (one, error), (other, its) = shares
        row = pick(page.numbers, "survival_difference", key(asked), month)
        assert row["estimate"] == pytest.approx(one - other)
        p = 2 * stats.norm.sf(abs(one - other) / math.hypot(error, its))
        assert estimate(page, "p_survival_difference", key(asked), month) == pytest.approx(p)


def test_the_thick_line_joins_both_curves_at_the_month(dataset, asked, page):
    spec = json.loads(figure(page, "month").select_one(".chart-spec").string)
    rows = next(
        rows
        for rows in spec["datasets"].values()
        if {"month", "choice", "first", "second"} <= set(rows[0])
    )
    assert [row["month"] for row in rows] == keys.horizons(dataset, asked)
    for row in rows:
        apart = estimate(page, "survival_difference", key(asked), row["month"])
        assert row["first"] - row["second"] == pytest.approx(apart, abs=2e-4)
    answers = [item.text for item in figure(page, "month").select(".chart-answers li")]
    assert len(answers) == len(set(answers)) == len(rows)


# --- exercises -----------------------------------------------------------------------------------


def test_the_pencil_exercise_is_the_log_rank_test():
    months, died, side = (keys.EIGHT[column].to_numpy() for column in keys.EIGHT)
    *_, chi2 = keys.exercise_1(load("data/bmt")).answer
    assert chi2 == pytest.approx(est.logrank(months, died, side).chi2)


def test_exercises_tell_each_mistake(dataset):
    for number in (1, 2, 3, 4):
        assert getattr(keys, f"exercise_{number}")(dataset).bites, number
    assert keys.task_4(dataset).whose.startswith("of this dataset; first: ")


def test_after_the_day_the_deaths_of_the_one_group_add_nothing(dataset):
    """So the test is the same where both are followed to the day only."""
    task = keys.task_4(dataset)
    both = keys.ended(keys.ended(task.patients, task.day, True), task.day, False)
    chi2 = est.logrank(both["days"], both["died"], both["first"]).chi2
    assert check(chi2, keys.exercise_4(dataset)).right


# --- without two groups --------------------------------------------------------------------------


def test_without_a_factor_of_two_sides_the_lesson_goes_on(dataset, tmp_path):
    number = replace(dataset, factors=tuple(f for f in dataset.factors if not f.numerator))
    with pytest.raises(NotRecorded, match="no baseline factor with events on two sides"):
        keys.question(number)
    assert keys.names(number) is None
    assert keys.task_4(number).whose == MADE_UP and keys.exercise_4(number).bites


def test_what_stands_for_any_data_is_there_without_groups(tmp_path):
    """The ten, the pencil's exercises, the quiz; not the two groups, of which there are none."""
    notebook = Path("book") / f"{LESSON}.ipynb"
    given = {"dataset": "data/bmt", "results_folder": str(tmp_path), "factor": "no_such_column"}
    executed = execute(notebook.resolve(), tmp_path / "run.ipynb", given)
    ids = [cell.id for cell in executed.cells]
    assert "every-number" in ids and "both-curves" not in ids
    shown = "\n".join(
        str(out.get("data", "")) for cell in executed.cells for out in cell.get("outputs", [])
    )
    (note,) = (cell.source for cell in executed.cells if cell.id == "not-recorded")
    assert "is no factor with events on two sides" in note
    assert shown.count('class="verdict right"') == 4
    assert "log-rank test by hand" in shown and "quiz-question" in shown
