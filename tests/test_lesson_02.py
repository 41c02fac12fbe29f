"""What Lesson 2 says of medians and of follow-up."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup, Tag
from conftest import ROOT
from inprocess import Page, changed, run, without_kernels

from analysis.course import keys_02
from analysis.course.cuts import cut_at, cuts
from analysis.course.exercises import MADE_UP
from analysis.dataset.endpoints import endpoint
from analysis.dataset.model import NotRecorded, load
from analysis.page.rows import pick
from analysis.site.notebooks import NOT_RECORDED, execute
from analysis.survival import median, survival_curve

LESSON = "lesson_02_follow_up"
DATASETS = ("blinatumomab", "bmt", "myeloid")
NAIVE, REVERSE = "time_followup_everybody", "median_followup"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    results = tmp_path_factory.mktemp("results")
    return {name: run(LESSON, f"data/{name}", results, specs=True) for name in DATASETS}


def value(page: Page, quantity: str, group: str, month: float | None = None) -> float:
    return pick(page.numbers, quantity, group, month)["estimate"]


def part(page: Page, name: str) -> Tag:
    """A figure or table of the page."""
    return BeautifulSoup(page.text, "html.parser").select_one(f"#{LESSON}-{name}")


def steps_of(page: Page, figure: str) -> pd.DataFrame:
    """The data of a figure's curves."""
    chart = json.loads(part(page, figure).select_one(".chart-spec").string)
    parts = (pd.DataFrame(rows) for rows in chart["datasets"].values())
    return next(rows for rows in parts if {"series", "month", "estimate"} <= set(rows))


def test_the_reverse_median_is_rs(made) -> None:
    """survfit(Surv(futime, death == 0) ~ 1, myeloid) has 1745 days (1717 to 1809)."""
    row = pick(made["myeloid"].numbers, REVERSE, "os")
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
    groups = made[name].numbers["group"]
    groups = groups[groups.str.endswith(("=numerator", "=denominator"))].unique()
    naive, reverse = (
        abs(np.log(np.divide(*(value(made[name], quantity, group) for group in groups))))
        for quantity in (NAIVE, REVERSE)
    )
    assert naive > 5 * reverse
    assert "Most of what looks like longer" in made[name].text


@pytest.mark.parametrize("name", DATASETS)
def test_once_half_of_the_times_are_over_the_wrong_count_stands_still(made, name: str) -> None:
    numbers = made[name].numbers
    seen = numbers[numbers["group"].eq("os:cut")].set_index("months")
    naive = seen.loc[seen["quantity"].eq(NAIVE), "estimate"]
    reverse = seen.loc[seen["quantity"].eq(REVERSE), "estimate"]
    last = value(made[name], NAIVE, "os")
    assert naive.tolist() == pytest.approx(np.minimum(naive.index, last))
    assert (reverse[reverse.index <= 36] == reverse.index[reverse.index <= 36]).all()


@pytest.mark.parametrize(("name", "first"), [("blinatumomab", 9), ("bmt", 24), ("myeloid", 48)])
def test_the_median_appears_with_the_cut_behind_it(made, name: str, first: float) -> None:
    numbers = made[name].numbers
    medians = numbers[numbers["group"].eq("os:cut") & numbers["quantity"].eq("median")]
    reached = medians.loc[medians["estimate"].notna(), "months"]
    assert reached.min() == first
    assert medians.loc[medians["months"] < first, "estimate"].isna().all()


def test_a_cut_censors_what_comes_after_it_and_keeps_what_comes_on_it() -> None:
    os = endpoint(load("data/bmt"), "os")
    day = float(np.median(os.time[os.observed > 0]))
    seen = cut_at(os, day)
    assert seen.time.max() == day
    assert (seen.observed > 0).sum() == ((os.observed > 0) & (os.time <= day)).sum()
    assert (seen.observed[seen.time == day] > 0).any()


def test_the_two_curves_meet_at_one_half_and_part(made) -> None:
    rows = steps_of(made["bmt"], "same")
    shares = rows.pivot_table(index="month", columns="series", values="estimate", sort=False)
    assert shares.loc[8].tolist() == [0.5, 0.5]
    assert shares.loc[60, "Levels off"] > 1 / 3 and shares.loc[60, "Falls on"] < 0.01


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("figure", ["median", "cut"])
def test_a_curve_lies_within_its_band(made, figure: str, name: str) -> None:
    steps = steps_of(made[name], figure)
    assert steps["estimate"].between(steps["lower"], steps["upper"]).all()
    assert (steps["upper"] > steps["lower"]).mean() > 0.5


# --- any dataset -------------------------------------------------------------------------------


def test_without_a_death_there_is_no_median_and_all_counts_agree(tmp_path: Path) -> None:
    data = changed("bmt", tmp_path / "none", lambda patients: patients.assign(died="no"))
    page = run(LESSON, data, tmp_path)
    assert value(page, NAIVE, "os") == value(page, REVERSE, "os")
    assert "no median yet" in page.text and "nothing to read" in page.text
    assert "the first is not shorter" in page.text
    assert not page.numbers["group"].str.contains("=").any()  # no factor goes with survival


def test_where_all_die_nothing_is_known_of_the_time_of_watching(tmp_path: Path) -> None:
    data = changed("bmt", tmp_path / "all", lambda patients: patients.assign(died="yes"))
    page = run(LESSON, data, tmp_path)
    assert np.isnan(value(page, REVERSE, "os"))
    assert "The latter is not reached" in page.text and "Nobody is censored" in page.text
    cells = part(page, "ways").select("tbody tr")[0].select("td")
    assert [cell.get_text() for cell in cells[-2:]] == ["–", "not reached"]


def test_a_follow_up_of_a_month_cannot_be_cut() -> None:
    data = load("data/bmt")
    days = data.patients["last_contact_day"].clip(upper=30)
    short = dataclasses.replace(data, patients=data.patients.assign(last_contact_day=days))
    with pytest.raises(NotRecorded, match="1 month"):
        cuts(short, endpoint(short, "os"))


@pytest.mark.filterwarnings("error")
def test_where_all_have_died_the_exercise_is_on_invented_patients() -> None:
    data = load("data/bmt")
    nobody_left = dataclasses.replace(data, patients=data.patients.assign(died="yes"))
    assert keys_02.task_4(nobody_left).whose == MADE_UP
    assert keys_02.exercise_4(nobody_left).bites


@pytest.mark.parametrize("name", DATASETS)
def test_the_last_exercise_begins_later_than_the_page(made, name: str) -> None:
    """So that its follow-up is not the page's, and any library has its median."""
    task = keys_02.task_4(load(f"data/{name}"))
    told = re.search(r"this dataset .* beyond (.*), counted", task.whose)[1]
    (month,) = (month for month, words in keys_02.WAITS.items() if words == told)
    start = round(load(f"data/{name}").days(month))
    assert start > 0
    time = endpoint(load(f"data/{name}"), "os").time
    assert sorted(task.patients["days"]) == sorted(time[time > start] - start)
    reverse = survival_curve(task.patients["days"], ~task.patients["died"])["survival"]
    assert not np.isclose(reverse, 0.5).any()


# --- the exercises with a pencil ---------------------------------------------------------------


def task(number: int) -> str:
    return next(c.source for c in cells() if c.id == f"exercise-{number}")


def cells() -> list[nbformat.NotebookNode]:
    return nbformat.read(ROOT / "book" / f"{LESSON}.ipynb", as_version=4).cells


def test_the_table_of_twenty_has_no_upper_limit() -> None:
    """The answer is read off the printed rows."""
    rows = [[row.heading, *row.cells] for row in keys_02.twenty_table("x").rows]
    month, _, *columns = np.array(rows, dtype=float).T
    below = [month[column <= 0.5] for column in columns]
    read = [found[0] if len(found) else 0 for found in below]
    assert list(keys_02.exercise_1(load("data/bmt")).answer) == read and read[2] == 0


def test_the_three_counts_are_of_the_patients_of_the_task() -> None:
    """And so are the likely mistakes."""
    told = re.search(r"at months (.*?)\. What", task(3))[1].replace(" and ", ", ").split(", ")
    days = pd.Series([float(month.rstrip("+")) for month in told])
    died = ~pd.Series([month.endswith("+") for month in told])
    (reverse, *_), (alive, *_) = (median(survival_curve(days, event)) for event in (~died, died))
    exercise = keys_02.exercise_3(load("data/bmt"))
    everybody, censored = days.median(), days[~died].median()
    assert exercise.answer == (everybody, censored, reverse)
    wrong = [given for given, _ in exercise.mistakes]
    assert wrong[0] == (everybody, censored, alive)
    assert wrong[2] == (days[died].median(), censored, reverse)


def test_two_curves_with_these_medians_can_be_as_the_right_choices_say() -> None:
    """And with none of the others: they are shares on the wrong side of a median."""
    of = {found[1]: found[2] for found in re.finditer(r"- `(.)` (.*)", task(2))}
    right = keys_02.exercise_2(load("data/bmt")).answer
    ruled_out = {
        letter
        for letter, words in of.items()
        if (found := re.search(r"At (\d+) months (\d+)%", words))
        and (int(found[1]) < 9) == (int(found[2]) < 50)
    }
    assert set(of) - ruled_out == right


# --- what the dataset lacks --------------------------------------------------------------------


@pytest.mark.parametrize("lacks", ["outcome_of", "cuts"])
def test_whatever_the_dataset_lacks_the_rest_stays(tmp_path: Path, monkeypatch, lacks) -> None:
    """Without a time to cut at only the chart of the cuts is missing, and what follows of it."""

    def none(*_: object) -> None:
        raise NotRecorded("There is none.")

    where = {"outcome_of": "events", "cuts": "cuts"}[lacks]
    monkeypatch.setattr(f"analysis.course.{where}.{lacks}", none)
    if lacks == "outcome_of":
        monkeypatch.setattr("analysis.course.keys_02.outcome_of", none)
    given = {"dataset": "data/bmt", "results_folder": str(tmp_path)}
    with without_kernels():
        made = execute(ROOT / "book" / f"{LESSON}.ipynb", tmp_path / "made.ipynb", given)
    ids = [cell.id for cell in made.cells]
    assert ids.count(NOT_RECORDED) == 1 and ids[-1] == "every-number"
    assert {"two-invented-curves-with-one-median", "take-away", "quiz", "read-on"} <= set(ids)
    assert "the-curves-cut-earlier" not in ids
    assert ("table-of-the-follow-ups" in ids) == (lacks == "cuts")
    shown = str([cell.get("outputs") for cell in made.cells])
    assert shown.count('class="verdict right"') == 4
    assert (MADE_UP in shown) == (lacks == "outcome_of")
    assert (tmp_path / f"{LESSON}.csv").exists()


def test_the_time_to_another_event_is_not_called_survival(tmp_path: Path) -> None:
    page = run(LESSON, "data/cgd", tmp_path, until="move-it-yourself")
    words = re.sub(r"<[^>]+>", "", page.text)
    assert "Median time free of the event is 12.3 months" in words
    assert "longer time free of the event" in words and "urvival" not in words
