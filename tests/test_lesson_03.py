"""What Lesson 3 says of plateaus and of cure."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from conftest import ROOT
from inprocess import Page, changed, run, without_kernels
from scipy import stats

from analysis.course import keys_03
from analysis.course.cuts import cuts
from analysis.course.events import outcome_of
from analysis.course.exercises import MADE_UP
from analysis.dataset.model import NotRecorded, load
from analysis.page.rows import pick
from analysis.site.notebooks import NOT_RECORDED, execute
from analysis.study import conclusions
from analysis.survival import event_rate
from analysis.survival.cure import sufficient_follow_up

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
    """Of the mean number of events, as the page and its first exercise print it."""
    for events, printed in ((0, 3.69), (1, 5.57), (2, 7.22)):
        upper = event_rate(np.ones(1000), np.arange(1000) < events).upper * 1000
        assert stats.poisson.cdf(events, upper) == pytest.approx(0.025)
        assert round(upper, 2) == printed and f"{printed}" in task(1)
    assert round(3.69 / 30, 2) == 0.12  # the page says so


def test_the_sentences_tell_no_plateau_from_no_estimate(made) -> None:
    def said(month: int) -> str:
        return text(made["bmt"], f'li[data-value="{month} months"]')

    assert "nobody is cured" in said(6)
    assert "that is not an estimate" in said(9)
    assert "53.8% (95% CI, 31.2–75.0) cured" in said(12)
    assert "not shown to be long enough: the count is 1" in said(12)
    assert "is long enough: there are 6" in said(60)
    assert "The 35.8% at which the curve ends lies within these limits." in text(made["bmt"])


# --- the exercises -----------------------------------------------------------------------------


def task(number: int) -> str:
    cells = nbformat.read(ROOT / "book" / f"{LESSON}.ipynb", as_version=4).cells
    return next(cell.source for cell in cells if cell.id == f"exercise-{number}")


def numbers_of(words: str) -> np.ndarray:
    return np.array([float(found) for found in re.findall(r"\d+(?:\.\d+)?", words)])


def test_the_plateau_with_a_pencil_is_of_the_patients_of_the_task() -> None:
    years = numbers_of(re.search(r"until (.*?) years\. One", task(1))[1])
    rate = event_rate(years, years == 6, 3)
    exercise = keys_03.exercise_1(load("data/bmt"))
    assert (rate.exposure, round(100 * rate.upper, 1)) == exercise.answer
    wrong = [given for given, _ in exercise.mistakes]
    assert wrong[0] == (years.sum(), pytest.approx(100 * 5.57 / years.sum(), abs=0.05))
    assert wrong[1] == (rate.exposure, 100 * rate.estimate)


def test_the_late_deaths_with_a_pencil_are_those_of_the_rule() -> None:
    found = re.search(r"at months (.*?), or are last seen alive at months (.*?)\.", task(3))
    dead, alive = map(numbers_of, found.groups())
    time, died = np.append(dead, alive), np.arange(16) < len(dead)
    late = [
        sufficient_follow_up(np.minimum(time, end), died & (time <= end)).events_late
        for end in (24, 12)
    ]
    assert tuple(late) == keys_03.exercise_3(load("data/bmt")).answer
    assert late[0] >= conclusions.LATE_EVENTS > late[1]


@pytest.mark.parametrize("name", DATASETS)
def test_the_exercises_are_on_days_that_the_page_does_not_have(name: str) -> None:
    data = load(f"data/{name}")
    told = [data.days(m) for m in [*data.settings.months, *cuts(data, outcome_of(data))]]
    for made in (keys_03.task_2(data), keys_03.task_4(data)):
        assert made.whose == "of this dataset" and len(made.patients) == len(data.patients)
        assert min(abs(day - known) for day in made.days for known in told) > 30


def test_where_the_patients_tell_no_mistake_the_exercises_are_on_invented_ones() -> None:
    data = load("data/bmt")
    nobody_left = replace(data, patients=data.patients.assign(died="no"))
    for number in (2, 4):
        assert getattr(keys_03, f"task_{number}")(nobody_left).whose == MADE_UP
        assert getattr(keys_03, f"exercise_{number}")(nobody_left).bites


@pytest.mark.parametrize("lacks", ["outcome_of", "cuts"])
def test_whatever_the_dataset_lacks_the_rest_stays(tmp_path: Path, monkeypatch, lacks) -> None:
    """Without a time to cut at only the chart of the cuts is missing, and what follows of it."""

    def none(*_: object) -> None:
        raise NotRecorded("There is none.")

    monkeypatch.setattr(f"analysis.course.keys_03.{lacks}", none)
    where = {"outcome_of": "events", "cuts": "cuts"}[lacks]
    monkeypatch.setattr(f"analysis.course.{where}.{lacks}", none)
    given = {"dataset": "data/bmt", "results_folder": str(tmp_path)}
    with without_kernels():
        made = execute(ROOT / "book" / f"{LESSON}.ipynb", tmp_path / "made.ipynb", given)
    ids = [cell.id for cell in made.cells]
    assert ids.count(NOT_RECORDED) == 1 and ids[-1] == "every-number"
    assert {"what-a-cured-share-needs", "take-away", "quiz", "read-on"} <= set(ids)
    assert "the-chart-of-the-cuts" not in ids
    assert ("table-of-what-is-said-of-cure" in ids) == (lacks == "cuts")
    shown = str([cell.get("outputs") for cell in made.cells])
    assert shown.count('class="verdict right"') == 4 and MADE_UP in shown
    assert (tmp_path / f"{LESSON}.csv").exists()


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


def test_a_share_that_may_be_any_is_no_answer(made, tmp_path: Path) -> None:
    """After 18 months of bmt the limits go from 0.1 to 97.5%."""

    cut = of(made["bmt"], "share_cured", "os:cut", 18)

    def as_after_18_months(numbers: pd.DataFrame) -> pd.DataFrame:
        numbers = numbers.copy()
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


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_verdict_that_goes_back_and_forth_is_told(made, dataset: str) -> None:
    rows = made[dataset].numbers.query("quantity == 'share_late' and group in ('os:cut', 'os')")
    by_cut = rows.sort_values("months")["events"].dropna()  # all follow-up comes last
    enough = (by_cut >= conclusions.LATE_EVENTS).to_numpy()
    turns = int((enough[1:] != enough[:-1]).sum())
    found = re.search(r"its verdict changes (\d+) times", text(made[dataset]))
    assert (int(found[1]) if found else 0) == (turns if turns > 1 else 0)
    assert dataset != "blinatumomab" or turns > 1
