"""What Lesson 3 says of plateaus and of cure."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from analysis import load, masked
from analysis.course import plateau
from analysis.dataset.model import Dataset
from analysis.page.rows import pick

DATASETS = ("blinatumomab", "bmt", "myeloid")


@pytest.fixture(scope="module")
def made() -> dict[str, pd.DataFrame]:
    return {name: plateau.results(load(f"data/{name}")) for name in DATASETS}


def all_with(data: Dataset, died: str) -> Dataset:
    return dataclasses.replace(data, patients=data.patients.assign(died=died))


def test_the_limits_of_an_early_cut_leave_out_what_came_of_it(made) -> None:
    """Narrow, and wrong: they hold only if the model does."""
    early = pick(made["blinatumomab"], "share_cured", "os:cut", 12)
    last = pick(made["blinatumomab"], "share_cured", "os")
    assert early["upper"] - early["lower"] < 0.16
    assert early["lower"] > last["upper"]
    said = str(plateau.moved_told(load("data/blinatumomab"), made["blinatumomab"]))
    assert "leaves out the 16.1%" in said


def test_a_year_of_myeloid_shows_no_plateau_where_almost_half_would_live_on(made) -> None:
    assert pick(made["myeloid"], "share_cured", "os:cut", 12)["estimate"] == 0
    assert pick(made["myeloid"], "share_cured", "os")["lower"] > 0.4


def test_one_late_death_turns_the_rule_of_follow_up_round(made) -> None:
    before = pick(made["bmt"], "share_late", "os:cut", 72)
    after = pick(made["bmt"], "share_late", "os")
    assert (before["events"], after["events"]) == (26, 1)
    told = {name: str(plateau.told(load(f"data/{name}"), made[name])) for name in DATASETS}
    disagree = [name for name in DATASETS if "Model and rule disagree" in told[name]]
    assert disagree == ["bmt", "myeloid"]


@pytest.mark.parametrize("name", DATASETS)
def test_the_last_value_of_the_curve_depends_on_where_it_ends(made, name: str) -> None:
    ends = made[name][
        made[name]["group"].eq("os:cut") & made[name]["quantity"].eq("survival_end")
    ].sort_values("months")["estimate"]
    assert ends.is_monotonic_decreasing and ends.iloc[0] > 1.5 * ends.iloc[-1]


@pytest.mark.parametrize("name", DATASETS)
def test_conditional_survival_is_the_quotient_of_two_points(made, name: str) -> None:
    *starts, last = load(f"data/{name}").settings.months
    for month in starts:
        alive = [pick(made[name], "survival", "os", m)["estimate"] for m in (month, last)]
        found = pick(made[name], "conditional_survival", "os", month)["estimate"]
        assert found == pytest.approx(alive[1] / alive[0], rel=1e-9)


def test_the_upper_limit_is_where_so_few_are_rare() -> None:
    for events in (0, 1, 7):
        assert stats.poisson.cdf(events, plateau.poisson_upper(events)) == pytest.approx(0.025)
    assert round(plateau.poisson_upper(0) / 30, 2) == 0.12  # the page says so


def test_the_sentences_tell_no_plateau_from_no_estimate(made) -> None:
    def said(name: str, month: float) -> str:
        return str(plateau._answer(made[name], month))

    assert "nobody is cured" in said("bmt", 6)
    assert "that is no estimate" in said("bmt", 9)
    assert "53.8% (95% CI, 31.2–75.0) cured" in said("bmt", 12)
    assert "not shown to be long enough: the count is 1" in said("bmt", 12)
    assert "is long enough: there are 6" in said("bmt", 60)
    assert "more than the 35.8% at which the curve ends" in str(plateau._cured(made["bmt"], "os"))


# --- any dataset -------------------------------------------------------------------------------


def test_without_a_death_there_is_no_model_and_no_rule() -> None:
    data = all_with(load("data/bmt"), "no")
    made = plateau.results(data)
    text = str(plateau.told(data, made))
    assert "No model of cure can be fitted. So nothing can be said" in text
    assert "there are no late deaths to count" in text and "it never fell" in text
    assert pick(made, "survival_end", "os")["n"] == len(data.patients)
    assert "At none of the cuts" in str(plateau.moved_told(data, made))
    assert np.isnan(pick(made, "share_cured", "os")["estimate"])


def test_where_all_die_nobody_stands_under_the_end() -> None:
    data = all_with(load("data/bmt"), "yes")
    text = str(plateau.told(data, plateau.results(data)))
    assert "0.0% would be cured. Under it is nobody" in text
    assert "nobody is cured" in text and "alive at the end" not in text


def test_a_landmark_that_nobody_reaches_is_said_to_be_one() -> None:
    data = load("data/bmt")
    days = data.patients["last_contact_day"]
    died = data.patients["died"].where(days < 1000, "no")
    short = data.patients.assign(last_contact_day=days.clip(upper=1000), died=died)
    early = dataclasses.replace(data, patients=short.drop(columns="response_day"))
    made = plateau.results(early)
    assert "Nobody was followed from 12 months to 60" in str(plateau.beyond_told(early, made))
    assert "Nobody was followed to 36 months" in str(plateau.told(early, made))


def test_without_a_response_there_is_overall_survival_alone() -> None:
    data = load("data/bmt")
    bare = dataclasses.replace(data, patients=data.patients.drop(columns="response_day"))
    table = plateau.ways_table(bare, plateau.results(bare), "x")
    assert list(table.columns) == ["What is said", "Overall survival"]


def test_the_late_events_are_masked() -> None:
    data = load("data/bmt", mask_below=5)
    made = masked(data, plateau.results(data))
    row = pick(made, "share_late", "os")
    assert np.isnan(row["estimate"]) and pd.isna(row["events"])
    assert "cannot be judged" in str(plateau.told(data, made))
    assert pick(made, "share_late", "os:cut", 60)["events"] == 6


def test_a_share_that_may_be_any_is_no_answer(made) -> None:
    """After 18 months of bmt the limits go from 0.1 to 97.5%."""
    rows = made["bmt"]
    cut = rows[rows["group"].eq("os:cut") & rows["months"].eq(18)].assign(group="os", months=np.nan)
    assert plateau._share_cell(cut, "os") == "no answer (0.1–97.5)"
    assert "no estimate" in str(plateau._cured(cut, "os"))


@pytest.mark.parametrize(("late", "words"), [(3, "may stand"), (2, "does not show")])
def test_the_end_of_a_curve_is_a_share_only_where_follow_up_is_long_enough(made, late, words):
    rows = made["bmt"].copy()
    rows.loc[rows["quantity"].eq("share_late") & rows["group"].eq("os"), "events"] = late
    assert words in str(plateau.told(load("data/bmt"), rows))
