"""What Lesson 5 says of competing risks, on the shipped datasets."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from conftest import EACH
from inprocess import run, without_kernels

from analysis import survival as est
from analysis.course import keys_05 as keys
from analysis.course.exercises import MADE_UP
from analysis.dataset.endpoints import Endpoint, endpoint
from analysis.dataset.model import ROOT, load
from analysis.page.rows import pick
from analysis.site.notebooks import NOT_RECORDED, execute

LESSON = "lesson_05_competing_risks"
SHIPPED = ("blinatumomab", "bmt", "myeloid")
REFERENCE = Path(__file__).parent / "reference"


@pytest.fixture(scope="module", params=EACH)
def shipped(request, tmp_path_factory):
    """A dataset, its responders' endpoint, and the lesson's page."""
    data = load(f"data/{request.param}")
    page = run(LESSON, f"data/{request.param}", tmp_path_factory.mktemp("results"))
    return data, endpoint(data, "relapse"), page


def both(question: Endpoint) -> tuple[pd.Series, pd.Series]:
    time, event = question.time, question.observed
    right = est.cumulative_incidence(time, event, 1)["incidence"]
    return right, 1 - est.survival_curve(time, event == 1)["survival"].reindex(right.index)


def test_one_minus_survival_is_above_as_soon_as_a_relapse_follows_a_competing_event(shipped):
    _, question, _ = shipped
    right, wrong = both(question)
    first_death = question.time[question.observed == 2].min()
    relapses = question.time[question.observed == 1]
    first_after = relapses[relapses > first_death].min()
    before = right.index < first_after
    assert wrong[before].to_numpy() == pytest.approx(right[before].to_numpy(), abs=1e-12)
    assert (wrong[~before] > right[~before] + 1e-6).all()


def test_it_opens_on_both_answers_of_the_dataset(shipped):
    """At the last landmark that anybody reaches; the numbers lead to their rows."""
    data, question, page = shipped
    end, names = keys.last_reached(data), ["cumulative_incidence", "one_minus_survival"]
    first = page.numbers.iloc[:2]
    assert first["quantity"].tolist() == names and set(first["months"]) == {end}
    at_end = [curve[curve.index <= data.days(end)].iloc[-1] for curve in both(question)]
    assert first["estimate"].to_numpy() == pytest.approx(at_end)
    words = [shown.get("text/markdown", "") for shown in page.shown]
    opening = next(text for text in words if "Censor those" in text)
    assert re.findall(r"#row-(\d+)", opening) == ["1", "2"]


def test_the_invented_patients_have_the_events_of_the_dataset(shipped):
    data, _, page = shipped
    free = "in remission" if "response_day" in data.patients else "without relapse"
    for said in ("Four relapsed. Three died without relapse.", f"Only those who are alive {free}."):
        assert said in page.text


def test_the_ten_are_worked_out_as_the_page_says(shipped):
    """Relapses at 3, 5, 9 and 12 months, at risk 9, 8, 5 and 3."""
    _, _, page = shipped
    right, wrong = (
        pick(page.numbers, quantity, "ten", 12)["estimate"]
        for quantity in ("cumulative_incidence", "one_minus_survival")
    )
    assert right == pytest.approx(0.9 / 9 + 0.8 / 8 + 0.6 / 5 + 0.36 / 3)
    assert wrong == pytest.approx(1 - 8 / 9 * 7 / 8 * 4 / 5 * 2 / 3)
    assert "At month 12 it is" in page.text and ">0.585</a>" in page.text


def test_the_eight_of_the_keys_are_those_of_the_task():
    cells = nbformat.read(ROOT / "book" / f"{LESSON}.ipynb", as_version=4).cells
    text = next(cell.source for cell in cells if cell.id == "exercise-1")
    told = [re.findall(r"\d+", part) for part in re.findall(r"at months ([\d, and]+)", text)]
    ours = [keys.EIGHT.loc[keys.EIGHT["event"] == cause, "days"] for cause in (1, 2, 0)]
    assert [[int(month) for month in of] for of in told] == [list(of) for of in ours]


def test_the_last_exercise_is_on_the_patients_of_the_dataset_where_these_tell():
    for name in SHIPPED:
        task = keys.task_4(load(f"data/{name}"))
        assert task.whose.startswith("of this dataset: the event is ")
    alone = replace(load("data/bmt"), endpoints={})
    assert keys.task_4(alone).whose == MADE_UP and keys.exercise_4(alone).bites
    assert keys.names(alone) is None


def test_without_a_competing_event_all_that_is_invented_stays(tmp_path, monkeypatch):
    """The ten, both kinds of ratio in words, the exercises and the quiz."""
    alone = replace(load("data/bmt"), endpoints={})
    monkeypatch.setattr("analysis.page.page.load", lambda *_: alone)
    monkeypatch.setattr("analysis.dataset.model.load", lambda *_: alone)
    given = {"dataset": "data/bmt", "results_folder": str(tmp_path)}
    with without_kernels():
        made = execute(ROOT / "book" / f"{LESSON}.ipynb", tmp_path / "made.ipynb", given)
    ids = [cell.id for cell in made.cells]
    assert ids.count(NOT_RECORDED) == 1 and ids[-1] == "every-number"
    assert {"table-of-the-ten", "two-kinds-of-hazard-ratio", "take-away", "quiz"} <= set(ids)
    assert not {"table-of-the-landmarks", "from-the-table-to-both-curves"} & set(ids)
    shown = str([cell.get("outputs") for cell in made.cells])
    assert shown.count('class="verdict right"') == 4 and MADE_UP in shown


def test_it_is_so_at_every_landmark(shipped):
    data, _, page = shipped
    for month in data.settings.months:
        right, wrong = (
            pick(page.numbers, quantity, "relapse", month)["estimate"]
            for quantity in ("cumulative_incidence", "one_minus_survival")
        )
        assert wrong > right


def test_the_parts_are_a_whole_and_by_one_minus_survival_more(shipped):
    data, _, page = shipped
    for month in data.settings.months:
        free = pick(page.numbers, "survival", "relapse", month)["estimate"]
        right, wrong = (
            free
            + sum(pick(page.numbers, q, cause, month)["estimate"] for cause in ("relapse", "death"))
            for q in ("cumulative_incidence", "one_minus_survival")
        )
        assert right == pytest.approx(1)
        assert wrong > 1.01
    assert "its parts add up to more than 100%" in page.text
    assert "the error does not show here" not in page.text


def test_more_censored_deaths_lead_from_the_incidence_to_one_minus_survival(shipped):
    data, question, page = shipped
    rows = page.numbers[page.numbers["quantity"] == "cumulative_incidence_censored"]
    (month,) = rows["months"].unique()
    assert rows["estimate"].is_monotonic_increasing
    ends = [
        pick(page.numbers, quantity, "relapse", month)["estimate"]
        for quantity in ("cumulative_incidence", "one_minus_survival")
    ]
    assert list(rows["estimate"].iloc[[0, -1]]) == pytest.approx(ends)
    assert (data.months(question.time) >= month).any()


def test_the_ratios_of_the_incidence_are_those_of_r(shipped):
    data, _, page = shipped
    known = pd.read_csv(REFERENCE / "lessons.csv")
    known = known[known["dataset"].eq(data.name) & known["estimator"].eq("fine_gray")]
    ours = page.numbers[page.numbers["quantity"] == "hazard_ratio_subdistribution"]
    ours = ours.set_index("group")["estimate"]
    theirs = {
        f"relapse:{row.quantity.removeprefix('beta:')}": np.exp(row.value)
        for row in known.itertuples()
        if row.quantity.startswith("beta:")
    }
    assert len(theirs) > 2
    assert ours.to_dict() == pytest.approx(theirs, rel=1e-6)


def test_a_factor_that_only_kills_lowers_the_incidence_of_relapse():
    """Invented: the rate of death is four times as high, that of relapse the same."""
    draw = np.random.default_rng(1)
    x = np.repeat([0.0, 1.0], 2000)
    relapse, death = draw.exponential(1, 4000), draw.exponential(np.where(x == 1, 0.25, 1))
    time, event = np.minimum(relapse, death), np.where(relapse < death, 1, 2)
    rows = pd.DataFrame({"patient": range(4000), "start": -np.inf, "stop": time, "x": x})
    specific = est.cox(rows.assign(event=(event == 1) * 1), ["x"]).summary()
    sub = est.fine_gray(time, event, 1, rows[["x"]]).summary()
    assert specific.loc["x", "lower"] < 1 < specific.loc["x", "upper"]
    assert sub.loc["x", "upper"] < 0.7


def test_where_no_relapse_follows_a_death_the_page_says_so(tmp_path):
    folder = Path(shutil.copytree(ROOT / "data" / "myeloid", tmp_path / "late"))
    question = endpoint(load(folder), "relapse")
    patients = pd.read_csv(folder / "patients.csv", dtype=str, keep_default_na=False)
    end = patients["last_contact_day"].astype(float).max() + 1
    late = question.data.index[question.observed == 2]
    patients.loc[late, "last_contact_day"] = f"{end:.0f}"  # after every relapse
    patients.to_csv(folder / "patients.csv", index=False)
    assert "the error does not show here" in run(LESSON, folder, tmp_path / "results").text
