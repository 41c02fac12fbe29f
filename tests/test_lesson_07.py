"""What Lesson 7 says of start-stop rows, on the shipped datasets."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from conftest import EACH, ROOT
from inprocess import Made, Page, changed, of, run, without_kernels

from analysis import survival as est
from analysis.course import check
from analysis.course import keys_07 as keys
from analysis.course.answers import start_stop
from analysis.course.events import factors_of_all, later_factors
from analysis.course.exercises import MADE_UP
from analysis.course.keys_07 import from_the_start, main_factor
from analysis.dataset.covariates import covariate_rows, rows_as_if_known
from analysis.dataset.endpoints import endpoint
from analysis.dataset.model import Dataset, load
from analysis.page.plain import OTHERWISE
from analysis.page.rows import pick
from analysis.site.notebooks import NOT_RECORDED, execute

LESSON = "lesson_07_start_stop"
SHIPPED = ("blinatumomab", "bmt", "myeloid")
REFERENCE = Path(__file__).parent / "reference"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    results = tmp_path_factory.mktemp("results")
    return Made(lambda name: run(LESSON, f"data/{name}", results))


@pytest.fixture(params=EACH)
def shipped(request, made) -> tuple[Dataset, Page]:
    """A dataset and the lesson's page of it."""
    return load(f"data/{request.param}"), made[request.param]


def ratio(page: Page, way: str, column: str) -> float:
    return pick(page.numbers, f"hazard_ratio_{way}", f"os:{column}")["estimate"]


def counts(page: Page) -> pd.DataFrame:
    """How many are at risk in each month, a column for each part of them, and `n`."""
    rows = page.numbers[page.numbers["quantity"] == "count"]
    part = rows["group"].str.rpartition("=")[2]
    wide = rows.assign(part=part).pivot(index="months", columns="part", values="estimate")
    return wide.assign(n=rows.groupby("months")["n"].first())


def cells_of(page: Page, part: str) -> list[list[str]]:
    """The lines of a table of the page."""
    table = BeautifulSoup(page.text, "html.parser").find("table", id=f"{LESSON}-{part}")
    lines = [line.find_all(["th", "td"]) for line in table.tbody.find_all("tr")]
    return [[cell.get_text() for cell in line] for line in lines]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("hazard_ratio_right", "hazard_ratio_univariate"),
        ("hazard_ratio_fixed", "hazard_ratio_fixed"),
    ],
)
def test_the_ratios_are_those_of_r(shipped, ours, theirs):
    data, page = shipped
    known = pd.read_csv(REFERENCE / f"{data.name}.csv")
    known = known[known["page"].eq("table_3") & known["quantity"].eq(theirs)]
    known = known.set_index("group")["estimate"]
    found = page.numbers[page.numbers["quantity"] == ours].set_index("group")["estimate"]
    assert len(found) == len(later_factors(data))
    for group, value in found.items():
        assert value == pytest.approx(known[group], rel=1e-6)


def test_the_model_of_all_is_that_of_r(made):
    known = pd.read_csv(REFERENCE / "known.csv").set_index(["name", "dataset"])["value"]
    for column, name in (("response_day", "response"), ("hsct_day", "hsct")):
        beta = known[f"os_beta_{name}_time_dependent", "myeloid"]
        ours = ratio(made["myeloid"], "right_together", column)
        assert ours == pytest.approx(np.exp(beta), rel=1e-6)


def test_to_count_from_the_switch_on_takes_an_advantage_away(shipped):
    """The time before it was given to those who switch."""
    data, page = shipped
    for factor in later_factors(data):
        fixed, right = (ratio(page, way, factor.column) for way in ("fixed", "right"))
        assert fixed < right


def test_the_factor_that_is_told_of_moves_most(shipped):
    data, page = shipped
    main = main_factor(data)
    apart = {
        factor.column: np.log(ratio(page, "right", factor.column))
        - np.log(ratio(page, "fixed", factor.column))
        for factor in factors_of_all(data)
    }
    assert max(apart, key=apart.get) == main.column
    told = f"differ most for {main.label}."
    if len(apart) == 1:
        told = f"{main.label} is the only factor of all patients."
    assert told in page.text.replace("\\", "")


def test_transplant_turns_round_in_myeloid(made):
    for kind in ("", "_together"):
        fixed, right = (
            pick(made["myeloid"].numbers, f"hazard_ratio_{way}{kind}", "os:hsct_day")
            for way in ("fixed", "right")
        )
        assert fixed["upper"] < 1 < right["lower"]
    assert "the right ratio says the opposite" in made["myeloid"].text


def test_a_cut_changes_nothing_and_an_interval_too_early_is_the_worst_slip(shipped):
    data, page = shipped
    column = main_factor(data).column
    right = ratio(page, "right", column)
    assert ratio(page, "cut", column) == pytest.approx(right, rel=1e-9)
    slips = ("day_early", "overlapping", "interval_early")
    off = [abs(np.log(ratio(page, way, column) / right)) for way in slips]
    assert 0 < off[0] < off[1] < off[2]


def test_rows_that_are_a_day_early_are_those_of_switches_that_came_a_day_early(made, tmp_path):
    """So a death on the day of the switch falls to those who have switched."""

    def a_day_earlier(patients: pd.DataFrame) -> pd.DataFrame:
        days = pd.to_numeric(patients["hsct_day"]) - 1
        return patients.assign(hsct_day=days.map("{:.0f}".format).where(days.notna(), ""))

    early = changed("myeloid", tmp_path / "early", a_day_earlier)
    page = run(LESSON, early, tmp_path / "results")
    assert main_factor(load(str(early))).column == "hsct_day"
    slip, right = ratio(made["myeloid"], "day_early", "hsct_day"), ratio(page, "right", "hsct_day")
    assert slip == pytest.approx(right, rel=1e-9)
    assert slip != pytest.approx(ratio(made["myeloid"], "right", "hsct_day"), rel=1e-3)


def test_the_parts_at_risk_are_those_of_both_tables_of_rows(shipped):
    data, page = shipped
    question, factor = endpoint(data, "os"), main_factor(data)
    rows = covariate_rows(data, question, [factor])
    known = rows_as_if_known(data, question, factor)
    whole = est.survival_curve(known["stop"], known["event"])
    for month, parts in counts(page).iterrows():
        day = month * data.settings.days_per_month
        there = rows[(rows["start"] < day) & (day <= rows["stop"])]
        switched = known[(known["stop"] >= day) & (known[factor.column] > 0)]
        assert parts["already"] == there[factor.column].sum()
        assert parts["already"] + parts["later"] == len(switched)
        assert parts["n"] == est.at(whole, [day])["at_risk"].iloc[0]
        assert parts["n"] == parts[["already", "later", "never"]].sum()


def test_as_many_months_are_shown_as_patients_take_to_switch(shipped):
    _, page = shipped
    months = counts(page)
    assert 8 <= len(months) <= 31
    assert months.index[0] == 0
    assert months["later"].iloc[-1] < 0.1 * months["later"].iloc[0]


def test_a_patient_of_a_private_dataset_is_never_shown(shipped, tmp_path):
    data, public = shipped
    assert "One patient of this dataset" in public.text
    private = changed(data.name, tmp_path / "private", lambda patients: patients)
    package = json.loads((private / "datapackage.json").read_text("utf-8"))
    text = json.dumps({**package, "public": False})
    (private / "datapackage.json").write_text(text, "utf-8")
    page = run(LESSON, private, tmp_path / "results")
    assert "One patient of this dataset" not in page.text
    assert "An invented patient." in page.text
    assert "The rows of this patient, who is invented." in page.text
    assert [line[1:3] for line in cells_of(page, "life-rows")] == [
        ["0", "40"],
        ["40", "130"],
        ["130", "300"],
    ]


def test_the_shown_patient_has_the_rows_that_the_model_takes(shipped):
    data, page = shipped
    factors = [from_the_start(data, factor) for factor in later_factors(data)]
    rows = covariate_rows(data, endpoint(data, "os"), factors)
    shown = cells_of(page, "life-rows")
    assert len(shown) == rows["patient"].value_counts().max()
    head = re.search(rf'id="{LESSON}-life-rows".*?</thead>', page.text, re.DOTALL)[0]
    columns = [f.column for f in factors if f">{f.label}<" in head]
    assert len(columns) == len(shown[0]) - 4
    made = [[f"{row.stop:g}", *(f"{row[c]:.0f}" for c in columns)] for _, row in rows.iterrows()]
    assert all([stop, *values] in made for _, _, stop, *values, _ in shown)


def test_small_counts_are_masked_in_the_answers(tmp_path):
    page = run(LESSON, "data/bmt", tmp_path, mask_below=12)
    rows = page.numbers[page.numbers["quantity"] == "count"]
    assert not rows["estimate"].isin(range(1, 12)).any()
    answers = BeautifulSoup(page.text, "html.parser").select(".chart-answers li")
    assert any("in start–stop rows: masked." in answer.get_text() for answer in answers)


def test_a_masked_course_shows_an_invented_patient(tmp_path):
    page = run(LESSON, "data/bmt", tmp_path, mask_below=5)
    assert "The rows of this patient, who is invented." in page.text
    assert "One patient of this dataset" not in page.text


def without_factors(folder: Path) -> Path:
    """The paper's cohort without a factor that changes during follow-up."""
    fixed = changed("blinatumomab", folder, lambda patients: patients)
    package = json.loads((fixed / "datapackage.json").read_text("utf-8"))
    factors = package["analysis"]["factors"]
    package["analysis"]["factors"] = [f for f in factors if f.get("kind") == "baseline"]
    (fixed / "datapackage.json").write_text(json.dumps(package), "utf-8")
    return fixed


def test_without_a_factor_that_changes_all_that_is_invented_stays(tmp_path):
    """The life, the exercises and the quiz, with the sentence that says what is missing."""
    fixed = without_factors(tmp_path / "fixed")
    given = {"dataset": str(fixed), "results_folder": str(tmp_path)}
    with without_kernels():
        made = execute(ROOT / "book" / f"{LESSON}.ipynb", tmp_path / "made.ipynb", given)
    ids = [cell.id for cell in made.cells]
    assert ids.count(NOT_RECORDED) == 1
    assert {"the-rows-of-the-patient", "rows-made-by-hand", "quiz", "read-on"} <= set(ids)
    assert not {"table-of-the-ratios", "from-the-table-to-the-ratio"} & set(ids)
    said = next(cell.source for cell in made.cells if cell.id == NOT_RECORDED)
    assert re.search("names no factor .* that changes on the way", said)
    shown = str([cell.get("outputs") for cell in made.cells])
    assert "The rows of this patient, who is invented." in shown
    assert shown.count('class="verdict right"') == 4
    assert "A patient has a transplant on day 100." in shown


def test_where_no_factor_is_simple_the_worked_piece_is_not_run():
    """Each is of some patients alone, so that none of them has rows in a few lines."""
    data = load("data/myeloid")
    factors = [
        replace(factor, among="response_day") if factor.kind == "postbaseline" else factor
        for factor in data.factors
        if factor.column != "response_day"
    ]
    page, _ = of(LESSON, replace(data, factors=factors), until="take-away")
    assert OTHERWISE in page.text and "worked-output" not in page.text


# --- exercises ---------------------------------------------------------------------------------


def task(number: int) -> str:
    cells = nbformat.read(ROOT / "book" / f"{LESSON}.ipynb", as_version=4).cells
    return next(cell.source for cell in cells if cell.id == f"exercise-{number}")


def test_any_right_rows_are_right() -> None:
    exercise = keys.exercise_1(load("data/bmt"))
    assert re.findall(r"day (\d+)", task(1)) == ["60", "95", "240"]
    cut = [[95, 240, 1, 1], [-np.inf, 10, 0, 0], [10, 60, 0, 0], [60, 95, 1, 0]]
    early = [[-1, 60, 0, 0], *exercise.answer[1:]]
    for given in (exercise.answer, early, cut, pd.DataFrame(cut), np.array(cut), map(tuple, cut)):
        assert check(given, exercise).right, given
    assert not check([*cut, [95, 240, 1, 1]], exercise).right


def test_the_faults_of_the_third_exercise_are_those_of_its_table() -> None:
    """Each rule of the lesson, held against what happened and the rows as the task prints them."""
    wrong = set()
    lines = re.findall(r"^\| `(\w)` \| (.*?) \| (.*?) \|$", task(3), re.MULTILINE)
    assert len(lines) == len(keys.FAULTS) + len(keys.SOUND) == 6
    for letter, happened, written in lines:
        switch = float((re.findall(r"switch on day (\d+)", happened) or ["nan"])[0])
        (end,) = map(float, re.findall(r"(?:death|seen) on day (\d+)", happened))
        died = "death" in happened
        patient = {"patient": [1], "days": [end], "died": [died], "switch": [switch]}
        rows = keys.rows_of(pd.DataFrame(patient)).clip(lower=0)
        right = rows[["start", "stop", "switched", "event"]].astype(float)
        found = [[float(x) for x in row.split(",")] for row in re.findall(r"\[(.*?)\]", written)]
        joined = start_stop(found)
        if joined.shape != right.shape or (joined != right.to_numpy()).any():
            wrong.add(letter)
    assert wrong == set(keys.FAULTS)


def test_the_exercises_are_on_patients_of_the_dataset_where_these_tell() -> None:
    for name in SHIPPED:
        data = load(f"data/{name}")
        one, other = keys.task_2(data), keys.task_4(data)
        assert one.whose == "of this dataset"
        # In bmt a relapse multiplies the hazard by more than lifelines finds without options.
        assert other.whose.startswith(
            "invented" if name == "bmt" else "every second one of this dataset"
        )
        deaths = one.patients["days"][one.patients["died"]]
        assert one.day in set(deaths)
    nobody = replace(data, patients=data.patients.assign(died="no"))
    for made in (keys.task_2(nobody), keys.task_4(nobody)):
        assert made.whose == MADE_UP
    assert keys.exercise_2(nobody).bites and keys.exercise_4(nobody).bites


def test_the_rows_of_the_exercises_are_those_of_the_model(shipped) -> None:
    data, page = shipped
    main = main_factor(data)
    rows = keys.rows_of(keys.patients(data, main))
    right = covariate_rows(data, endpoint(data, "os"), [main])
    right = right.assign(start=right["start"].clip(lower=-1), event=right["event"] > 0)
    columns = ["patient", "start", "stop", "event"]
    found = rows.sort_values(["patient", "start"])[columns].to_numpy(dtype=object)
    assert found.tolist() == right[columns].to_numpy(dtype=object).tolist()
    assert rows["switched"].tolist() == right[main.column].tolist()
