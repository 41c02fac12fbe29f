"""What Lesson 6 says of immortal time."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from inprocess import Page, run, without_kernels

from analysis import survival
from analysis.course import keys_06 as keys
from analysis.course.events import later_events, moved_event, stride
from analysis.course.exercises import MADE_UP
from analysis.course.keys_06 import followed
from analysis.dataset.covariates import covariate_rows
from analysis.dataset.endpoints import endpoint
from analysis.dataset.model import ROOT, Factor, load
from analysis.page.rows import pick
from analysis.site.notebooks import NOT_RECORDED, execute

LESSON = "lesson_06_immortal_time"
EVENTS = {"blinatumomab": "hsct_day", "bmt": "chronic_gvhd_day", "myeloid": "hsct_day"}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    results = tmp_path_factory.mktemp("results")
    return {name: run(LESSON, f"data/{name}", results, specs=True) for name in EVENTS}


def ratio(page: Page, kind: str, column: str, month: float | None = None) -> float:
    return pick(page.numbers, f"hazard_ratio_{kind}", f"os:{column}", month)["estimate"]


def test_under_the_curves_stand_those_still_followed(made) -> None:
    page = made["myeloid"]
    rows = page.numbers[page.numbers["quantity"].eq("survival_by_state")]
    specs = [json.loads(x) for x in re.findall(r'class="chart-spec">(.*?)</script>', page.text)]
    drawn = [pd.DataFrame(data) for spec in specs for data in spec["datasets"].values()]
    counts = [data for data in drawn if {"month", "count"} <= set(data)]
    assert len(counts) == 2  # had it so far, and not yet
    for data, side in zip(counts, ("yes", "no"), strict=True):
        own = rows[rows["group"].str.endswith(f"|{side}")].set_index("months")["n"]
        assert len(data) > 3
        assert data["count"].tolist() == [str(own[month]) for month in data["month"]]


def test_in_myeloid_the_ratio_of_the_transplant_turns_round(made) -> None:
    """Alone, and beside response; R's values for the latter are 0.447637 and -0.587946 in logs."""
    alone = [ratio(made["myeloid"], kind, "hsct_day") for kind in ("fixed", "univariate")]
    assert alone[0] < 1 < alone[1]
    both = {
        (kind, column): round(ratio(made["myeloid"], kind, column), 2)
        for kind in ("fixed_together", "together")
        for column in ("hsct_day", "response_day")
    }
    assert both == {
        ("fixed_together", "hsct_day"): 0.61,
        ("together", "hsct_day"): 1.56,
        ("fixed_together", "response_day"): 0.34,
        ("together", "response_day"): 0.56,
    }


@pytest.mark.parametrize("name", ["blinatumomab", "bmt"])
def test_as_if_known_always_looks_better_than_from_its_day(made, name: str) -> None:
    fixed, right = (ratio(made[name], kind, EVENTS[name]) for kind in ("fixed", "univariate"))
    assert fixed < right


def test_the_event_is_the_one_whose_ratio_moves_most(made, tmp_path: Path) -> None:
    """Among those with ten deaths after them, and ten without."""
    for name, chosen in EVENTS.items():
        moved = {}
        for event in later_events(load(f"data/{name}")):
            page = run(LESSON, f"data/{name}", tmp_path, factor=event.column)
            fixed, right = (ratio(page, kind, event.column) for kind in ("fixed", "univariate"))
            moved[event.column] = abs(np.log(right / fixed))
        assert max(moved, key=moved.get) == chosen == moved_event(load(f"data/{name}")).column
    few = load("data/bmt")
    late = few.patients["chronic_gvhd_day"].where(few.patients.index < few.patients.index[20])
    few = replace(few, patients=few.patients.assign(chronic_gvhd_day=late))
    assert (few.patients["died"].eq("yes") & late.notna()).sum() < 10
    assert moved_event(few).column == "platelet_recovery_day"


def test_the_six_are_worked_out_as_the_page_says(made) -> None:
    rates = made["bmt"].numbers.query("quantity == 'event_rate'").set_index("group")["estimate"]
    lived = {"ever": 56, "never": 24, "after": 38, "without": 42}  # months, with two deaths each
    assert rates.to_dict() == pytest.approx({f"six|{way}": 24 / n for way, n in lived.items()})


def test_the_six_of_the_keys_are_those_of_the_task() -> None:
    cells = nbformat.read(ROOT / "book" / f"{LESSON}.ipynb", as_version=4).cells
    text = next(cell.source for cell in cells if cell.id == "exercise-1")
    treated = {p: (int(m), int(e)) for p, m, e in re.findall(
        r"([A-F]) is treated at (?:month )?(\d+) and (?:dies|alive) at (\d+)", text)}  # fmt: skip
    six = keys.SIX.set_index(pd.Index(list("ABCDEF")))
    assert treated == {p: (six.came[p], six.months[p]) for p in "ABF"}
    assert {p: int(m) for p, m in re.findall(r"([CDE]) (?:dies|is alive)? ?at (\d+)", text)} == {
        p: six.months[p] for p in "CDE"
    }
    assert list(six.index[six["died"]]) == list("ACDF")


def test_the_last_exercise_is_of_the_event_of_the_page() -> None:
    data = load("data/bmt")
    assert "“Acute GVHD”" in keys.task_4(data, "acute_gvhd_day").whose
    assert "“Chronic GVHD”" in keys.task_4(data).whose
    assert keys.task_4(data, "hsct_day").whose == MADE_UP
    assert keys.exercise_4(data, "hsct_day").bites and keys.names(data, "hsct_day") is None


def test_without_an_event_on_the_way_all_that_is_invented_stays(tmp_path: Path) -> None:
    given = {"dataset": "data/bmt", "results_folder": str(tmp_path), "factor": "hsct_day"}
    with without_kernels():
        made = execute(ROOT / "book" / f"{LESSON}.ipynb", tmp_path / "made.ipynb", given)
    ids = [cell.id for cell in made.cells]
    assert ids.count(NOT_RECORDED) == 1 and ids[-1] == "every-number"
    assert {"what-the-six-show", "three-ways-that-are-right", "take-away", "quiz"} <= set(ids)
    assert not {"table-of-the-ratios", "from-the-table-to-both-ratios"} & set(ids)
    shown = str([cell.get("outputs") for cell in made.cells])
    assert shown.count('class="verdict right"') == 4 and MADE_UP in shown


def test_nobody_dies_before_what_he_ever_has() -> None:
    patients = followed(load("data/myeloid")).dropna()
    assert (patients["came"] <= patients["days"]).all()
    assert len(patients) == 364


def test_a_landmark_asks_only_those_who_reach_it(made) -> None:
    data = load("data/myeloid")
    patients = followed(data)
    row = pick(made["myeloid"].numbers, "count", "hsct_day by month 6", 6)
    day = data.days(6)
    assert row["n"] == (patients["days"] > day).sum()
    assert row["estimate"] == ((patients["days"] > day) & (patients["came"] < day)).sum()


def test_the_curves_of_states_are_those_of_the_estimator(made) -> None:
    """They begin at the first month at which ten of those followed have had it."""
    data = load("data/myeloid")
    begin = int(re.search(r"Those followed beyond (\d+) months?", made["myeloid"].text)[1])
    event = Factor("hsct_day", "", "postbaseline")
    rows = covariate_rows(data, endpoint(data, "os"), [event])
    curve = survival.switching_curves(rows, "hsct_day", data.days(begin))[1]
    value = survival.at(curve, [data.days(24)]).iloc[0]
    row = pick(made["myeloid"].numbers, "survival_by_state", "os:hsct_day|yes", 24)
    assert row["estimate"] == pytest.approx(value["survival"], rel=1e-12)
    assert (row["n"], row["events"]) == (value["at_risk"], value["events"])
    earlier = survival.switching_curves(rows, "hsct_day", data.days(begin - 1))[1]
    assert curve["at_risk"].iloc[0] >= 10 > earlier["at_risk"].iloc[0]


@pytest.mark.parametrize("name", EVENTS)
def test_the_wrong_curves_are_of_the_same_patients_as_the_right_ones(made, name: str) -> None:
    numbers = made[name].numbers.set_index("quantity")
    followed_to = [
        numbers.loc[kind].groupby("months")["n"].sum()
        for kind in ("survival_ever", "survival_by_state")
    ]
    pd.testing.assert_series_equal(*followed_to)
    assert followed_to[0].iloc[0] > 0


def test_a_named_event_is_taken_or_refused(tmp_path: Path) -> None:
    taken = run(LESSON, "data/bmt", tmp_path, factor="acute_gvhd_day")
    assert np.isfinite(ratio(taken, "univariate", "acute_gvhd_day"))
    assert "hsct_day" in run(LESSON, "data/bmt", tmp_path, factor="hsct_day").missing


def test_the_landmark_of_the_tables_does_not_know_the_data(made, tmp_path: Path) -> None:
    late = Path(shutil.copytree(ROOT / "data" / "myeloid", tmp_path / "late"))
    patients = pd.read_csv(late / "patients.csv", dtype=str, keep_default_na=False)
    day = pd.to_numeric(patients["hsct_day"]) + 200
    there = day <= patients["last_contact_day"].astype(float)
    patients["hsct_day"] = day.map("{:.0f}".format).where(there, "")
    patients.to_csv(late / "patients.csv", index=False)
    for page in (made["myeloid"], run(LESSON, late, tmp_path / "results")):
        assert "At a landmark, 6 months" in page.text


def ratios(fixed: float, right: float) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """The numbers of the page with these two ratios in them."""

    def change(numbers: pd.DataFrame) -> pd.DataFrame:
        changed = numbers.copy()
        for kind, value in (("fixed", fixed), ("univariate", right)):
            here = changed["quantity"].eq(f"hazard_ratio_{kind}")
            changed.loc[here & changed["group"].eq("os:hsct_day"), "estimate"] = value
        return changed

    return change


@pytest.mark.parametrize(
    ("fixed", "right", "words"),
    [
        (0.7, 1.8, "other side of one"),
        (0.3, 0.9, "is higher"),
        (1.2, 0.9, "is not higher"),
    ],
)
def test_what_the_clock_did_is_told_by_the_ratios(tmp_path, fixed, right, words) -> None:
    page = run(LESSON, "data/myeloid", tmp_path, change=ratios(fixed, right))
    assert words in page.text


def test_what_is_told_over_decades_has_landmarks_of_years() -> None:
    """So those who have had the event by then are of the dataset, and the exercise on them."""
    data, short = load("data/mgus"), load("data/colon")
    assert (stride(data), stride(short)) == (12, 1)
    task = keys.task_4(data)
    assert "of this dataset" in task.whose and task.day > data.days(24)
    assert keys.exercise_4(data).answer[1] > 0
