"""What Lesson 7 says of start-stop rows, on the shipped datasets."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from conftest import EACH
from inprocess import Made, Page, changed, of, run

from analysis import survival as est
from analysis.course.events import factors_of_all, later_factors
from analysis.course.keys_07 import from_the_start, main_factor
from analysis.dataset.covariates import covariate_rows, rows_as_if_known
from analysis.dataset.endpoints import endpoint
from analysis.dataset.model import Dataset, load
from analysis.page.plain import LACKING
from analysis.page.rows import pick

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


def test_without_a_factor_that_changes_the_page_says_so(shipped, tmp_path):
    data, _ = shipped
    fixed = changed(data.name, tmp_path / "fixed", lambda patients: patients)
    package = json.loads((fixed / "datapackage.json").read_text("utf-8"))
    factors = package["analysis"]["factors"]
    package["analysis"]["factors"] = [f for f in factors if f.get("kind") == "baseline"]
    (fixed / "datapackage.json").write_text(json.dumps(package), "utf-8")
    page = run(LESSON, fixed, tmp_path / "results")
    assert re.search("names no factor .* that changes on the way", page.missing)


def test_where_no_factor_is_simple_the_plain_code_says_that_it_has_none():
    """Each is of some patients alone, so that none of them has rows in a few lines."""
    data = load("data/myeloid")
    factors = [
        replace(factor, among="response_day") if factor.kind == "postbaseline" else factor
        for factor in data.factors
        if factor.column != "response_day"
    ]
    page, _ = of(LESSON, replace(data, factors=factors), until="lesson-06-21")
    assert LACKING in page.text and "take more than a few lines" in page.text
    assert "KeyError" not in page.text
