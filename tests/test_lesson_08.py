"""Lesson 8: the columns of the survivors, what lots make of them, and the question forward."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from conftest import EACH, ROOT
from inprocess import Made, Page, run, without_kernels
from test_degrading import EVENTS, dataset

from analysis import survival as est
from analysis.course import keys_08 as keys
from analysis.course.events import early_and_late_event, event_day, later_event, later_events
from analysis.course.exercises import MADE_UP
from analysis.course.keys_08 import landmark, splits
from analysis.dataset.endpoints import endpoint
from analysis.dataset.model import Dataset, NotRecorded, load
from analysis.page.rows import pick
from analysis.site.notebooks import NOT_RECORDED, execute
from analysis.study.characteristics import outcome_results

SHIPPED = ("blinatumomab", "bmt", "myeloid")
LESSON = "lesson_08_conditioning"


@pytest.fixture(scope="module")
def datasets() -> dict[str, Dataset]:
    return {name: load(f"data/{name}") for name in SHIPPED}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    results = tmp_path_factory.mktemp("results")
    return Made(lambda name: run(LESSON, f"data/{name}", results))


@pytest.fixture(scope="module")
def results(made) -> dict[str, pd.DataFrame]:
    return Made(lambda name: made[name].numbers)


def with_patients(dataset: Dataset, **columns: object) -> Dataset:
    return dataclasses.replace(dataset, patients=dataset.patients.assign(**columns))


# --- which event ------------------------------------------------------------------------------


def test_the_event_is_the_first_that_comes_on_the_way_to_some(datasets) -> None:
    assert later_event(datasets["blinatumomab"]).column == "response_day"
    assert later_event(datasets["myeloid"], prefer=("hsct_day",)).column == "hsct_day"
    # There all respond and are transplanted on day 0, and all platelets but a few's recover.
    assert later_event(datasets["bmt"]).column == "platelet_recovery_day"


def test_an_event_of_all_or_of_nobody_or_of_the_first_day_is_none(datasets) -> None:
    data = datasets["myeloid"]
    end = data.patients["last_contact_day"]
    some = data.patients.index % 2 == 0
    for days in (np.nan, 5.0, np.where(some, 0.0, np.nan), end.where(some)):
        found = later_events(with_patients(data, response_day=days))
        assert [event.column for event in found] == ["hsct_day"]


def test_an_event_of_few_is_none_where_few_are_masked(datasets) -> None:
    data = datasets["bmt"]
    without = int(data.patients["platelet_recovery_day"].isna().sum())
    for below, there in ((without, True), (without + 1, False)):
        found = later_events(dataclasses.replace(data, mask_below=below))
        assert ("platelet_recovery_day" in {event.column for event in found}) == there


def test_a_dataset_without_such_an_event_says_so(datasets) -> None:
    bare = dataclasses.replace(with_patients(datasets["bmt"]), factors=())
    with pytest.raises(NotRecorded, match="records none"):
        later_event(bare)


# --- looking back -----------------------------------------------------------------------------


def test_the_columns_are_those_of_table_2(datasets, results) -> None:
    table = outcome_results(datasets["blinatumomab"])
    late = datasets["blinatumomab"].settings.long_term_months
    for ours, theirs in (("lived", "long_term"), ("others", "shorter")):
        row = pick(results["blinatumomab"], "share_recorded", f"hsct_day:{ours}", late)
        count = pick(table, "count", f"hsct_day|{theirs}")
        assert (row["events"], row["n"]) == (count["estimate"], count["n"])
    lost = pick(results["blinatumomab"], "count", "others", late)
    assert lost["estimate"] == pick(table, "count", "lost|shorter")["estimate"]


@pytest.mark.parametrize("name", EACH)
def test_the_two_directions_are_far_apart(datasets, results, name) -> None:
    event, late = later_event(datasets[name]), datasets[name].settings.long_term_months
    column = pick(results[name], "share_recorded", f"{event.column}:lived", late)
    turned = pick(results[name], "share_lived", f"{event.column}:with", late)
    assert column["events"] == turned["events"]  # the same patients
    assert column["estimate"] - turned["estimate"] > 0.25


# --- lots -------------------------------------------------------------------------------------


def drawn(numbers: pd.DataFrame) -> pd.DataFrame:
    """The rows that lots have made."""
    return numbers[numbers["quantity"].str.endswith("_drawn")]


@pytest.mark.parametrize("name", EACH)
def test_lots_give_the_event_to_as_many_as_have_it(datasets, results, name) -> None:
    late = datasets[name].settings.long_term_months
    for event in early_and_late_event(datasets[name]):
        had = {}
        for way in ("recorded", "drawn"):
            columns = pd.DataFrame(
                pick(results[name], f"share_{way}", f"{event.column}:{side}", late)
                for side in ("lived", "others")
            )
            had[way] = (columns["estimate"] * columns["n"]).sum() / columns["n"].sum()
        assert had["drawn"] == pytest.approx(had["recorded"], abs=0.05)


def test_lots_know_nothing_of_a_patient_but_how_long_they_were_followed(
    datasets, tmp_path: Path
) -> None:
    """Each patient's chance is that of a day up to their end, by the event's own curve."""
    data, os = datasets["blinatumomab"], endpoint(datasets["blinatumomab"], "os")
    numbers = run(LESSON, "data/blinatumomab", tmp_path, draws=4000).numbers
    for event in early_and_late_event(data):
        day = event_day(data, event).fillna(np.inf).to_numpy()
        curve = est.survival_curve(np.minimum(day, os.time), day <= os.time)
        chance = 1 - est.at(curve, os.time, carry=np.inf)["survival"].to_numpy()
        for month in splits(data):
            lived = est.beyond(os.time, data.days(month))
            for side, who in (("lived", lived), ("others", ~lived)):
                row = pick(numbers, "share_drawn", f"{event.column}:{side}", month)
                assert row["estimate"] == pytest.approx(chance[who].mean(), abs=0.01)


def test_the_seed_decides_the_lots_and_nothing_else(tmp_path: Path) -> None:
    one, again, other = (
        run(LESSON, "data/bmt", tmp_path, seed=seed, draws=3).numbers for seed in (7, 7, 8)
    )
    pd.testing.assert_frame_equal(one, again)
    assert not drawn(one)["estimate"].equals(drawn(other)["estimate"])
    pd.testing.assert_frame_equal(one.drop(drawn(one).index), other.drop(drawn(other).index))


@pytest.mark.parametrize("name", EACH)
def test_a_difference_arises_from_nothing_and_more_where_the_event_is_late(
    datasets, results, name
) -> None:
    late = datasets[name].settings.long_term_months
    first, latest = (
        pick(results[name], "share_gap_drawn", event.column, late)
        for event in early_and_late_event(datasets[name])
    )
    assert 0 < first["estimate"] < latest["estimate"]
    assert latest["lower"] > 0


@pytest.mark.parametrize(
    ("name", "column", "words"),
    [
        ("blinatumomab", "response_day", "more than the draws give"),
        ("blinatumomab", "hsct_day", "within what the draws give"),
        ("bmt", "chronic_gvhd_day", "within what the draws give"),
        # Transplanted patients die earlier there: time-dependent hazard ratio 1.56.
        ("myeloid", "hsct_day", "but less often than"),
    ],
)
def test_what_lots_leave_of_the_difference(datasets, made, name, column, words) -> None:
    lines = sentence(made[name], "**With no effect at all.**").splitlines()
    (line,) = (line for line in lines if f"**{datasets[name].label(column)}.**" in line)
    assert words in line


# --- forward ----------------------------------------------------------------------------------


def test_who_is_gone_before_the_landmark_is_on_neither_side(results) -> None:
    """R's landmark analysis of the same data has 582 patients at day 90."""
    sides = [
        pick(results["myeloid"], "survival_landmark", f"response_day:{side}", 3)
        for side in ("with", "without")
    ]
    assert sum(row["n"] for row in sides) == 582
    assert [row["estimate"] for row in sides] == [1, 1]


@pytest.mark.parametrize("name", EACH)
def test_looking_back_is_unfair_to_those_without(datasets, results, name) -> None:
    """Who died before the landmark falls to their side alone, nearly."""
    event, late = later_event(datasets[name]), datasets[name].settings.long_term_months
    back, forward = (
        pick(results[name], quantity, f"{event.column}:without", late)["estimate"]
        for quantity in ("survival_from_start", "survival_landmark")
    )
    assert back < forward


@pytest.mark.parametrize("name", EACH)
def test_from_the_start_those_with_the_event_seem_to_live_longer(datasets, made, name) -> None:
    event, at = later_event(datasets[name]), datasets[name].settings.months[0]
    start, since = (
        pick(made[name].numbers, quantity, f"{event.column}:with", at)["estimate"]
        for quantity in ("survival_from_start", "survival_from_event")
    )
    assert start > since
    assert "counts as survival" in made[name].text


def test_a_landmark_has_patients_on_both_sides(datasets) -> None:
    data = datasets["myeloid"]
    assert landmark(data) == 3
    day = data.patients["response_day"]
    assert landmark(with_patients(data, response_day=day + 100)) == 6
    with pytest.raises(NotRecorded, match="both with and without"):
        landmark(with_patients(data, response_day=day + 800))


def test_what_is_told_over_decades_is_split_by_years() -> None:
    """And the landmark is one at which enough have had the event."""
    data = load("data/mgus")
    assert {month % 36 for month in splits(data)} == {0} and max(splits(data)) > 120
    ours, month = keys.patients(data), landmark(data)
    followed = ours[ours["days"] > data.days(month)]
    assert month % 12 == 0 and (followed["event_day"] <= data.days(month)).sum() >= 10


def test_the_quiz_asks_of_no_event_that_goes_with_earlier_death(datasets) -> None:
    assert keys.event_name(datasets["bmt"]) == "platelet recovery"
    assert keys.event_name(load("data/colon")) == "a second treatment"


def test_without_a_split_there_is_no_lesson(datasets) -> None:
    data = datasets["myeloid"]
    with pytest.raises(NotRecorded, match="Survivors cannot be set apart"):
        splits(with_patients(data, last_contact_day=100.0))


# --- few --------------------------------------------------------------------------------------


def test_where_a_field_is_masked_nothing_gives_it_back(tmp_path: Path) -> None:
    """Of the survivors of the paper's cohort seven did not respond."""
    page = run(LESSON, "data/blinatumomab", tmp_path, mask_below=8)
    made, late = page.numbers, load("data/blinatumomab").settings.long_term_months
    at = made[(made["months"] == late) & made["group"].str.startswith("response_day")]
    table = at[at["quantity"].isin(["share_recorded", "share_lived", "share_gap_recorded"])]
    assert len(table) == 5
    assert table[["estimate", "events"]].isna().all(axis=None)
    assert re.search(r"\*\*Two questions\.\*\*.*masked.* are known to have lived", page.text)
    other = pick(made, "share_recorded", "hsct_day:lived", late)
    assert other["events"] == 24  # no field is small there


@pytest.mark.parametrize("below", [0, 5])
def test_a_difference_does_not_give_a_masked_side_back(tmp_path: Path, below: int) -> None:
    """In bmt fewer than five of those without recovery by the landmark are at risk at the end."""
    page = run(LESSON, "data/bmt", tmp_path, mask_below=below, draws=5)
    rows = page.numbers[page.numbers["quantity"].isin(["survival_difference", "p_difference"])]
    assert rows["estimate"].isna().all() == bool(below)
    words = "cannot be judged" if below else "has P = .045"
    assert words in sentence(page, "Forward from")


@pytest.mark.parametrize("p, words", [(0.2, "do not show"), (0.01, "has P = .010. The smaller")])
def test_two_sides_are_told_apart_by_their_difference(tmp_path: Path, p: float, words: str) -> None:
    def change(numbers: pd.DataFrame) -> pd.DataFrame:
        estimate = numbers["estimate"].mask(numbers["quantity"].eq("p_difference"), p)
        return numbers.assign(estimate=estimate)

    page = run(LESSON, "data/myeloid", tmp_path, change=change, draws=5)
    assert words in sentence(page, "Forward from")


def sentence(page: Page, beginning: str) -> str:
    """The first paragraph of the page that begins so, as plain text."""
    return next(
        shown["text/plain"] for shown in page.shown if shown["text/plain"].startswith(beginning)
    )


# --- exercises --------------------------------------------------------------------------------


def task(number: int) -> str:
    cells = nbformat.read(ROOT / "book" / f"{LESSON}.ipynb", as_version=4).cells
    return next(cell.source for cell in cells if cell.id == f"exercise-{number}")


def test_the_keys_with_a_pencil_are_of_what_the_tasks_print(datasets) -> None:
    data = datasets["bmt"]
    of_lived, with_it, others, with_it_too = map(
        int,
        re.findall(r"the (\d+) patients known.*?, (\d+) had.*?the (\d+) others, (\d+)", task(1))[0],
    )
    assert keys.exercise_1(data).answer == with_it / (with_it + with_it_too)
    assert keys.exercise_1(data).mistakes[0][0] == with_it / of_lived
    assert keys.exercise_1(data).mistakes[1][0] == with_it / (of_lived + others)

    cells = re.findall(r"\b([A-L]) \| (\d*) ?\| (\d+)(\+?) ", task(2))
    came, end = (pd.to_numeric(pd.Series([cell[k] for cell in cells])) for k in (1, 2))
    died = pd.Series([not cell[3] for cell in cells])
    split, half = (int(day) for day in re.findall(r"(?:after|by) day (\d+)", task(2))[:2])
    assert len(cells) == 12 and came.median() == half
    others, short, never = end <= split, died & (end <= half), came.isna()
    left, early = (others & ~died).sum(), (short & never).sum()
    assert keys.exercise_2(data).answer == (left, early)
    assert [given for given, _ in keys.exercise_2(data).mistakes] == [
        ((~died).sum(), early),
        (others.sum(), early),
        ((others & died).sum(), early),
        (left, short.sum()),
        (left, (died & never).sum()),
    ]

    n, early, left, late, lived = map(int, re.findall(r"(?<!day )\b(\d{2,3})\b", task(3))[:5])
    assert n - early == left == late + lived
    lived_with, died_with = (left / 2 * part / left for part in (lived, late))
    right = (lived_with / lived, died_with / (early + late))
    assert keys.exercise_3(data).answer == pytest.approx(right)


def test_the_last_exercise_is_from_another_landmark_or_of_another_event(datasets) -> None:
    for data in datasets.values():
        made, own = keys.task_4(data), later_event(data)
        assert made.whose.startswith("of this dataset, and the event is ")
        assert made.day != data.days(landmark(data)) or own.label not in made.whose
        followed = made.patients["days"] > made.day
        by_then = made.patients["event_day"][followed] <= made.day
        assert by_then.value_counts().min() >= keys.FEWEST == 15
    nobody = with_patients(datasets["bmt"], died="no")
    assert keys.task_4(nobody).whose == MADE_UP
    assert keys.exercise_4(nobody).bites


def test_without_an_event_on_the_way_all_that_is_invented_stays(tmp_path: Path) -> None:
    """The exercises and the quiz, with the sentence that says what is missing."""
    less = dataset(tmp_path / "less", without=EVENTS, factors=slice(2))
    given = {"dataset": str(less), "results_folder": str(tmp_path)}
    with without_kernels():
        made = execute(ROOT / "book" / f"{LESSON}.ipynb", tmp_path / "made.ipynb", given)
    ids = [cell.id for cell in made.cells]
    assert ids.count(NOT_RECORDED) == 1
    assert {"columns-of-the-future", "nothing-but-time", "quiz", "read-on"} <= set(ids)
    assert not {"three-questions", "from-the-table-to-the-curves"} & set(ids)
    shown = str([cell.get("outputs") for cell in made.cells])
    assert shown.count('class="verdict right"') == 4 and MADE_UP in shown
    assert "a patient has a second treatment in month 5." in shown
