"""What Lesson 3 says of plateaus and of cure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from inprocess import Page, changed, run
from scipy import stats

from analysis.course.keys_03 import poisson_upper
from analysis.dataset.model import load
from analysis.page.rows import pick

LESSON = "lesson_03_plateau"
DATASETS = ("blinatumomab", "bmt", "myeloid")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    results = tmp_path_factory.mktemp("results")
    return {name: run(LESSON, f"data/{name}", results) for name in DATASETS}


def of(page: Page, quantity: str, group: str = "os", month: float | None = None) -> pd.Series:
    return pick(page.numbers, quantity, group, month)


def text(page: Page, selector: str = "") -> str:
    """What a reader sees, or of it what a selector finds."""
    tree = BeautifulSoup(page.text, "html.parser")
    found = tree.select(selector) if selector else [tree]
    return "\n".join(element.get_text() for element in found)


def test_the_limits_of_an_early_cut_leave_out_what_came_of_it(made) -> None:
    """Narrow, and wrong: they hold only if the model does."""
    early = of(made["blinatumomab"], "share_cured", "os:cut", 12)
    last = of(made["blinatumomab"], "share_cured")
    assert early["upper"] - early["lower"] < 0.16
    assert early["lower"] > last["upper"]
    assert "excludes the 16.1%" in text(made["blinatumomab"])


def test_a_year_of_myeloid_shows_no_plateau_where_almost_half_would_live_on(made) -> None:
    assert of(made["myeloid"], "share_cured", "os:cut", 12)["estimate"] == 0
    assert of(made["myeloid"], "share_cured")["lower"] > 0.4


def test_one_late_death_turns_the_rule_of_follow_up_round(made) -> None:
    before = of(made["bmt"], "share_late", "os:cut", 72)
    after = of(made["bmt"], "share_late")
    assert (before["events"], after["events"]) == (26, 1)
    disagree = [name for name in DATASETS if "Model and rule disagree" in made[name].text]
    assert disagree == ["bmt", "myeloid"]


@pytest.mark.parametrize("name", DATASETS)
def test_the_last_value_of_the_curve_depends_on_where_it_ends(made, name: str) -> None:
    numbers = made[name].numbers
    ends = numbers[numbers["group"].eq("os:cut") & numbers["quantity"].eq("survival_end")]
    ends = ends.sort_values("months")["estimate"]
    assert ends.is_monotonic_decreasing and ends.iloc[0] > 1.5 * ends.iloc[-1]


@pytest.mark.parametrize("name", DATASETS)
def test_conditional_survival_is_the_quotient_of_two_points(made, name: str) -> None:
    *starts, last = load(f"data/{name}").settings.months
    for month in starts:
        alive = [of(made[name], "survival", "os", m)["estimate"] for m in (month, last)]
        found = of(made[name], "conditional_survival", "os", month)["estimate"]
        assert found == pytest.approx(alive[1] / alive[0], rel=1e-9)


def test_the_upper_limit_is_where_so_few_are_rare() -> None:
    for events in (0, 1, 7):
        assert stats.poisson.cdf(events, poisson_upper(events)) == pytest.approx(0.025)
    assert round(poisson_upper(0) / 30, 2) == 0.12  # the page says so


def test_the_sentences_tell_no_plateau_from_no_estimate(made) -> None:
    def said(month: int) -> str:
        return text(made["bmt"], f'li[data-value="{month} months"]')

    assert "nobody is cured" in said(6)
    assert "that is not an estimate" in said(9)
    assert "53.8% (95% CI, 31.2–75.0) cured" in said(12)
    assert "not shown to be long enough: the count is 1" in said(12)
    assert "is long enough: there are 6" in said(60)
    assert "The 35.8% at which the curve ends lies within these limits." in text(made["bmt"])


# --- any dataset -------------------------------------------------------------------------------


def test_without_a_death_there_is_no_model_and_no_rule(tmp_path: Path) -> None:
    data = changed("bmt", tmp_path / "none", lambda patients: patients.assign(died="no"))
    page = run(LESSON, data, tmp_path)
    said = text(page)
    assert "No model of cure can be fitted. So it is not known" in said
    assert "there are no late deaths to count" in said and "the curve never fell" in said
    assert "at none of the cuts" in said
    assert of(page, "survival_end")["n"] == len(load(data).patients)
    assert np.isnan(of(page, "share_cured")["estimate"])


def test_where_all_die_nobody_stands_under_the_end(tmp_path: Path) -> None:
    data = changed("bmt", tmp_path / "all", lambda patients: patients.assign(died="yes"))
    said = text(run(LESSON, data, tmp_path))
    assert "0.0% would be cured. Nobody is left there" in said
    assert "nobody is cured" in said
    assert "alive at the end" not in said and "By this model, all of those" not in said


def test_a_landmark_that_nobody_reaches_is_said_to_be_one(tmp_path: Path) -> None:
    """And without a response there is overall survival alone."""

    def shortened(patients: pd.DataFrame) -> pd.DataFrame:
        days = patients.filter(regex="_day$").apply(pd.to_numeric)
        kept = patients.filter(regex="_day$").where(days <= 1000, "")
        last = days["last_contact_day"]
        kept = kept.assign(last_contact_day=last.clip(upper=1000).astype(str), response_day="")
        died = patients["died"].where(last < 1000, "no")
        return patients.assign(**kept, died=died)

    page = run(LESSON, changed("myeloid", tmp_path / "short", shortened), tmp_path)
    assert "Nobody was followed from 12 months to 60" in text(page)
    assert "Nobody was followed to 36 months" in text(page)
    columns = BeautifulSoup(page.text, "html.parser").select(f"#{LESSON}-ways thead th")
    assert [column.get_text() for column in columns] == ["What is said", "Overall survival"]


def test_the_late_events_are_masked(tmp_path: Path) -> None:
    page = run(LESSON, "data/bmt", tmp_path, mask_below=5)
    row = of(page, "share_late")
    assert np.isnan(row["estimate"]) and pd.isna(row["events"])
    assert "cannot be judged" in text(page)
    assert of(page, "share_late", "os:cut", 60)["events"] == 6


def test_a_share_that_may_be_any_is_no_answer(tmp_path: Path) -> None:
    """After 18 months of bmt the limits go from 0.1 to 97.5%."""

    def as_after_18_months(numbers: pd.DataFrame) -> pd.DataFrame:
        numbers = numbers.copy()
        cut = pick(numbers, "share_cured", "os:cut", 18)
        here = numbers["quantity"].eq("share_cured") & numbers["group"].eq("os")
        for part in ("estimate", "lower", "upper"):
            numbers.loc[here, part] = cut[part]
        return numbers

    page = run(LESSON, "data/bmt", tmp_path, change=as_after_18_months)
    assert "no answer (0.1–97.5)" in text(page, f"#{LESSON}-ways")
    assert "that is not an estimate" in text(page, 'li[data-value="no cut"]')


@pytest.mark.parametrize(("late", "words"), [(3, "may hold"), (2, "does not show")])
def test_the_end_of_a_curve_is_a_share_only_where_follow_up_is_long_enough(tmp_path, late, words):
    def change(numbers: pd.DataFrame) -> pd.DataFrame:
        numbers = numbers.copy()
        here = numbers["quantity"].eq("share_late") & numbers["group"].eq("os")
        numbers.loc[here, "events"] = late
        return numbers

    assert words in text(run(LESSON, "data/bmt", tmp_path, change=change))
