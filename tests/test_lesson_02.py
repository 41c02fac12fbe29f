"""What Lesson 2 says of medians and of follow-up."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from analysis import NotRecorded, load
from analysis.course import follow_up
from analysis.course.cuts import cut_at, cuts
from analysis.dataset.endpoints import endpoint
from analysis.dataset.model import Dataset
from analysis.page.rows import pick

DATASETS = ("blinatumomab", "bmt", "myeloid")
NAIVE, REVERSE = follow_up.WRONG_AND_RIGHT


@pytest.fixture(scope="module")
def made() -> dict[str, pd.DataFrame]:
    return {name: follow_up.results(load(f"data/{name}")) for name in DATASETS}


def value(results: pd.DataFrame, quantity: str, group: str, month: float | None = None) -> float:
    return pick(results, quantity, group, month)["estimate"]


def all_with(data: Dataset, died: str) -> Dataset:
    return dataclasses.replace(data, patients=data.patients.assign(died=died))


def test_the_reverse_median_is_rs(made) -> None:
    """survfit(Surv(futime, death == 0) ~ 1, myeloid) has 1745 days (1717 to 1809)."""
    row = pick(made["myeloid"], REVERSE, "os")
    days = row[["estimate", "lower", "upper"]].astype(float) * 30.4375
    assert days.tolist() == pytest.approx([1745, 1717, 1809])


@pytest.mark.parametrize("name", DATASETS)
def test_deaths_in_half_the_time_move_the_wrong_count_alone(made, name: str) -> None:
    naive, reverse = (
        value(made[name], quantity, "os:sooner") / value(made[name], quantity, "os")
        for quantity in (NAIVE, REVERSE)
    )
    assert naive < 0.55 and 0.99 < reverse < 1.01
    censored = (value(made[name], "followup_median", group) for group in ("os", "os:sooner"))
    assert len(set(censored)) == 1


@pytest.mark.parametrize("name", DATASETS)
def test_groups_that_die_at_different_rates_seem_to_be_followed_differently(made, name) -> None:
    data = load(f"data/{name}")
    factor = follow_up.splitting(data, endpoint(data, "os"))
    groups = [f"os:{factor.column}={side}" for side in ("numerator", "denominator")]
    naive, reverse = (
        abs(np.log(np.divide(*(value(made[name], quantity, group) for group in groups))))
        for quantity in (NAIVE, REVERSE)
    )
    assert naive > 5 * reverse
    assert "Most of what looks like longer" in str(follow_up.told(data, made[name]))


@pytest.mark.parametrize("name", DATASETS)
def test_once_half_of_the_times_are_over_the_wrong_count_stands_still(made, name: str) -> None:
    seen = made[name][made[name]["group"].eq("os:cut")].set_index("months")
    naive = seen.loc[seen["quantity"].eq(NAIVE), "estimate"]
    reverse = seen.loc[seen["quantity"].eq(REVERSE), "estimate"]
    last = value(made[name], NAIVE, "os")
    assert naive.tolist() == pytest.approx(np.minimum(naive.index, last))
    assert (reverse[reverse.index <= 36] == reverse.index[reverse.index <= 36]).all()


@pytest.mark.parametrize(("name", "first"), [("blinatumomab", 9), ("bmt", 24), ("myeloid", 48)])
def test_the_median_appears_with_the_cut_behind_it(made, name: str, first: float) -> None:
    medians = made[name][made[name]["group"].eq("os:cut") & made[name]["quantity"].eq("median")]
    reached = medians.loc[medians["estimate"].notna(), "months"]
    assert reached.min() == first == follow_up.exercise_3(load(f"data/{name}")).answer
    assert medians.loc[medians["months"] < first, "estimate"].isna().all()


def test_a_cut_censors_what_comes_after_it_and_keeps_what_comes_on_it() -> None:
    os = endpoint(load("data/bmt"), "os")
    day = float(np.median(os.time[os.observed > 0]))
    seen = cut_at(os, day)
    assert seen.time.max() == day
    assert (seen.observed > 0).sum() == ((os.observed > 0) & (os.time <= day)).sum()
    assert (seen.observed[seen.time == day] > 0).any()


def test_the_two_curves_meet_at_one_half_and_part() -> None:
    data = follow_up.same_median_figure("x").chart.to_dict()["datasets"]
    rows = pd.DataFrame(next(rows for rows in data.values() if "series" in rows[0]))
    shares = rows.pivot_table(index="month", columns="series", values="estimate", sort=False)
    assert shares.loc[8].tolist() == [0.5, 0.5]
    assert shares.loc[60, "Levels off"] > 1 / 3 and shares.loc[60, "Falls on"] < 0.01


# --- any dataset -------------------------------------------------------------------------------


def test_without_a_death_there_is_no_median_and_all_counts_agree() -> None:
    data = all_with(load("data/bmt"), "no")
    made = follow_up.results(data)
    assert value(made, NAIVE, "os") == value(made, REVERSE, "os")
    said = str(follow_up.median_told(made))
    assert "no median yet" in said and "nothing to read" in said
    assert "the first is not shorter" in str(follow_up.told(data, made))
    assert follow_up.splitting(data, endpoint(data, "os")) is None


def test_where_all_die_nothing_is_known_of_the_time_of_watching() -> None:
    data = all_with(load("data/bmt"), "yes")
    made = follow_up.results(data)
    assert np.isnan(value(made, REVERSE, "os"))
    assert "The latter is not reached" in str(follow_up.told(data, made))
    rows = follow_up.ways_table(data, made, "x").rows
    assert rows[0].cells[2:] == ["–", "not reached"]


def test_a_follow_up_of_a_month_cannot_be_cut() -> None:
    data = load("data/bmt")
    days = data.patients["last_contact_day"].clip(upper=30)
    short = dataclasses.replace(data, patients=data.patients.assign(last_contact_day=days))
    with pytest.raises(NotRecorded, match="a month"):
        cuts(short, endpoint(short, "os"))


@pytest.mark.filterwarnings("error")
def test_where_all_have_died_the_exercise_asks_for_no_median_of_nobody() -> None:
    data = all_with(load("data/bmt"), "yes")
    assert np.isnan(follow_up.exercise_2(data).answer)
