"""What Lesson 1 says of ways to count the censored."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from conftest import EACH, ROOT
from inprocess import Made, Page, changed, run, without_kernels

from analysis import survival
from analysis.course.exercises import MADE_UP
from analysis.course.keys_01 import exercise_1, exercise_4, task_4
from analysis.dataset.model import NotRecorded, load
from analysis.page.rows import pick
from analysis.site.notebooks import NOT_RECORDED, execute

LESSON = "lesson_01_censoring"
DATASETS = ("blinatumomab", "bmt", "myeloid")
WAYS = ("survival_dropped", "survival_counted_alive", "survival")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    results = tmp_path_factory.mktemp("results")
    return Made(lambda name: run(LESSON, f"data/{name}", results))


def shares(page: Page, group: str, month: float) -> list[float]:
    return [pick(page.numbers, way, group, month)["estimate"] for way in WAYS]


def test_the_ten_are_worked_out_as_the_page_says(made) -> None:
    numbers = made["bmt"].numbers
    steps = numbers[numbers["group"].eq("ten") & numbers["quantity"].eq("survival")]
    steps = steps.set_index("months")
    by_hand = {1: 9 / 10, 2: 8 / 10, 3: 8 / 10, 5: 8 / 10 * 6 / 7, 8: 8 / 10 * 6 / 7 * 4 / 5}
    assert steps.loc[list(by_hand), "estimate"].tolist() == pytest.approx(list(by_hand.values()))
    assert steps.loc[15, "estimate"] == pytest.approx(by_hand[8] / 2)
    assert steps.loc[18, "estimate"] == steps.loc[15, "estimate"]


def test_the_key_with_a_pencil_is_of_the_patients_of_the_task() -> None:
    """The right share, and what the two wrong ways of the page would give."""
    text = next(cell.source for cell in cells() if cell.id == "exercise-1")
    told = re.search(r"at months (.*?)\. What", text)[1].replace(" and ", ", ").split(", ")
    days = pd.Series([float(month.rstrip("+")) for month in told])
    died = ~pd.Series([month.endswith("+") for month in told])
    curve = survival.survival_curve(days, died)
    right = survival.at(curve, [12])["survival"].iloc[0]
    dead, known = (died & (days <= 12)).sum(), (died | (days >= 12)).sum()
    exercise = exercise_1(load("data/bmt"))
    wrong = [mistake for mistake, _ in exercise.mistakes[1:3]]
    assert exercise.answer == pytest.approx(right)
    assert wrong == pytest.approx([1 - dead / known, 1 - dead / len(days)])


def test_the_last_exercise_is_on_the_patients_of_the_dataset_where_these_tell() -> None:
    for name in DATASETS:
        data = load(f"data/{name}")
        task = task_4(data)
        assert task.whose == "of this dataset" and len(task.patients) == len(data.patients)
        assert exercise_4(data).bites
    nobody_left = replace(data, patients=data.patients.assign(died="yes"))
    assert task_4(nobody_left).whose == MADE_UP
    assert exercise_4(nobody_left).bites


def cells() -> list[nbformat.NotebookNode]:
    return nbformat.read(ROOT / "book" / f"{LESSON}.ipynb", as_version=4).cells


def test_without_an_outcome_all_that_is_invented_stays(tmp_path: Path, monkeypatch) -> None:
    """The exercises, the quiz and the ten, with the sentence that says what is missing."""

    def none(*_: object) -> None:
        raise NotRecorded("There is no such endpoint.")

    monkeypatch.setattr("analysis.course.events.outcome_of", none)
    monkeypatch.setattr("analysis.course.keys_01.outcome_of", none)
    given = {"dataset": "data/bmt", "results_folder": str(tmp_path)}
    with without_kernels():
        made = execute(ROOT / "book" / f"{LESSON}.ipynb", tmp_path / "made.ipynb", given)
    ids = [cell.id for cell in made.cells]
    assert ids.count(NOT_RECORDED) == 1 and ids[-1] == "every-number"
    assert {"the-curve-month-by-month", "take-away", "quiz", "read-on"} <= set(ids)
    assert not {"table-of-the-three-ways", "from-the-table-to-the-curve"} & set(ids)
    shown = str([cell.get("outputs") for cell in made.cells])
    assert shown.count('class="verdict right"') == 4 and MADE_UP in shown
    assert (tmp_path / f"{LESSON}.csv").exists()


@pytest.mark.parametrize("name", EACH)
def test_kaplan_meier_lies_between_the_two_wrong_ways(made, name: str) -> None:
    """Between leaving out those who left and counting them as alive, and strictly at the end."""
    for group, months in (("ten", [12]), ("os", load(f"data/{name}").settings.months)):
        for month in months:
            dropped, alive, right = shares(made[name], group, month)
            assert dropped <= right <= alive
        assert dropped < right < alive


def test_without_censoring_all_ways_agree(tmp_path: Path) -> None:
    data = changed("bmt", tmp_path / "all_died", lambda patients: patients.assign(died="yes"))
    page = run(LESSON, data, tmp_path)
    for month in load(data).settings.months:
        dropped, alive, right = shares(page, "os", month)
        assert [dropped, alive] == pytest.approx([right, right])
    assert "the same, because here leaving made no difference" in page.text
    assert "are left out." not in page.text and "after leaving" not in page.text


def test_when_all_have_left_nothing_is_known_of_the_rest(tmp_path: Path) -> None:
    """At five years, to which the values of a month before are carried forward."""
    patients = {"last_contact_day": "1800", "died": "no", "relapse_day": "", "hsct_day": ""}
    data = changed("blinatumomab", tmp_path / "left", lambda table: table.assign(**patients))
    dropped, alive, right = shares(run(LESSON, data, tmp_path), "os", 60)
    assert dropped != dropped and alive == right == 1


def test_a_share_that_would_give_a_small_count_back_is_blank(tmp_path: Path) -> None:
    """1 less the share counted as alive is the deaths of all, and these may be too few."""
    numbers = run(LESSON, "data/bmt", tmp_path, mask_below=60).numbers
    shares = numbers[numbers["quantity"].isin(WAYS[:2])]
    few = shares["events"].isna()
    assert few.any() and not few.all()
    assert shares.loc[few, "estimate"].isna().all()
    assert shares.loc[~few & shares["n"].notna(), "estimate"].notna().all()
