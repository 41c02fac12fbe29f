"""What Lesson 1 says of ways to count the censored."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import EACH
from inprocess import Made, Page, changed, run

from analysis.course.keys_01 import exercise_1
from analysis.dataset.model import load
from analysis.page.rows import pick

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


def test_the_key_with_a_pencil_is_of_the_same_ten(made) -> None:
    """The right share, and what the two wrong ways of the page would give."""
    exercise = exercise_1(load("data/bmt"))
    dropped, alive = (mistake for mistake, _ in exercise.mistakes[:2])
    assert shares(made["bmt"], "ten", 12) == pytest.approx([dropped, alive, exercise.answer])


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
