"""Lesson 10: one ratio for all times is computed, tested, split and told in months as it says."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup, Tag
from conftest import EACH
from inprocess import Page, run, without_kernels

from analysis import survival as est
from analysis.course import keys_10 as keys
from analysis.course import sides as sides_module
from analysis.course.exercises import MADE_UP
from analysis.dataset.endpoints import endpoint
from analysis.dataset.model import ROOT, Dataset, NotRecorded, load
from analysis.page.formats import interval
from analysis.page.rows import pick
from analysis.site.notebooks import NOT_RECORDED, execute
from analysis.study.models import factor_results

LESSON = "lesson_10_proportional_hazards"
SHIPPED = ("blinatumomab", "bmt", "myeloid")


@pytest.fixture(scope="module", params=EACH)
def dataset(request) -> Dataset:
    return load(f"data/{request.param}")


@pytest.fixture(scope="module")
def asked(dataset: Dataset) -> keys.Question:
    return keys.question(dataset)


@pytest.fixture(scope="module")
def page(dataset: Dataset, tmp_path_factory) -> Page:
    return run(LESSON, f"data/{dataset.name}", tmp_path_factory.mktemp("results"), specs=True)


def key(asked: keys.Question) -> str:
    return f"os:{asked.factor.column}"


def figure(page: Page, part: str) -> Tag:
    return BeautifulSoup(page.text, "html.parser").select_one(f"#{LESSON}-{part}")


def chart(page: Page, part: str) -> dict:
    return json.loads(figure(page, part).select_one(".chart-spec").string)


def sides(asked: keys.Question) -> list[pd.DataFrame]:
    """The patients of the first-named side, and the others."""
    return [asked.patients[asked.patients["first"] == side] for side in (True, False)]


# --- which factor ------------------------------------------------------------------------------


def test_the_factor_has_the_least_p_of_those_with_enough_deaths_a_side(dataset, asked):
    table = factor_results(dataset, endpoint(dataset, "os"))
    table = table[table["quantity"] == "p_proportional_univariate"].set_index("group")["estimate"]
    enough = []
    for factor in dataset.factors:
        if factor.kind == "baseline" and factor.numerator:
            dead = dataset.patients.loc[dataset.patients["died"] == "yes", factor.column]
            sides = (factor.numerator, factor.denominator)
            if min(dead.isin(side).sum() for side in sides) >= keys.EVENTS:
                enough.append(f"os:{factor.column}")
    assert len(enough) >= 2 and key(asked) == table[enough].idxmin()
    assert asked.tested.min() == pytest.approx(table[key(asked)])
    assert [f"os:{column}" for column in asked.tested.index] == enough


def test_without_enough_deaths_it_is_the_factor_with_most_on_its_smaller_side(dataset, monkeypatch):
    monkeypatch.setattr(keys, "EVENTS", 10_000)
    asked = keys.question(dataset)
    assert asked.tested.index.tolist() == [asked.factor.column]
    deaths = [side["died"].sum() for side in sides(asked)]
    every = sides_module.two_sided(dataset, endpoint(dataset, "os"))
    fewest = [rows.groupby(name)["event"].sum().min() for name, (_, rows) in every.items()]
    assert min(deaths) == max(fewest)


def test_a_factor_can_be_named_and_is_then_not_said_to_be_picked(dataset, asked, page, tmp_path):
    other = next(column for column in asked.tested.index if column != asked.factor.column)
    named = run(LESSON, f"data/{dataset.name}", tmp_path, factor=other)
    assert named.numbers["group"].eq(f"os:{other}").any()
    assert not named.numbers["group"].eq(key(asked)).any()
    assert "chosen for" in page.text and "chosen for" not in named.text


def test_without_a_factor_of_two_sides_the_page_says_so(dataset, tmp_path):
    number = replace(dataset, factors=tuple(f for f in dataset.factors if not f.numerator))
    with pytest.raises(NotRecorded, match="no baseline factor whose two sides can be compared"):
        keys.question(number)
    page = run(LESSON, f"data/{dataset.name}", tmp_path, factor="no_such_column")
    assert "“no_such_column” is no factor whose two sides can be compared" in page.missing


def test_a_side_that_is_masked_is_not_compared(dataset, asked):
    small = min(map(len, sides(asked)))
    column = asked.factor.column
    assert keys.question(replace(dataset, mask_below=small), column).factor == asked.factor
    with pytest.raises(NotRecorded, match="is no factor whose two sides"):
        keys.question(replace(dataset, mask_below=small + 1), column)


def test_a_factor_of_some_patients_is_not_asked_about(dataset, asked):
    """Those in whom something has come first are at risk only from then on."""
    some = replace(asked.factor, among="response_day")
    factors = tuple(some if f == asked.factor else f for f in dataset.factors)
    assert asked.factor.column not in keys.question(replace(dataset, factors=factors)).tested


# --- what each death says ----------------------------------------------------------------------


def test_the_course_goes_as_the_two_halves_do(asked, page):
    data = [pd.DataFrame(rows) for rows in chart(page, "residuals")["datasets"].values()]
    line = next(rows for rows in data if {"month", "lower", "ratio", "upper"} <= set(rows))
    early, late = (
        pick(page.numbers, f"hazard_ratio_{half}", key(asked))["estimate"]
        for half in ("early", "late")
    )
    split = pick(page.numbers, "split", key(asked))["estimate"]
    log = np.log(line["ratio"])
    before, after = log[line["month"] <= split].mean(), log[line["month"] > split].mean()
    assert np.sign(before - after) == np.sign(np.log(early / late))
    assert (line["lower"] < line["ratio"]).all() and (line["ratio"] < line["upper"]).all()


def test_a_private_or_masked_course_has_no_point_for_a_patient(dataset, asked, page, tmp_path):
    def points(page: Page) -> list[dict]:
        data = chart(page, "residuals")["datasets"].values()
        return [row for rows in data for row in rows if set(row) == {"month", "ratio"}]

    own = Path(shutil.copytree(ROOT / "data" / dataset.name, tmp_path / "own"))
    package = json.loads((own / "datapackage.json").read_text("utf-8"))
    (own / "datapackage.json").write_text(json.dumps(package | {"public": False}), "utf-8")
    assert len(points(page)) == asked.patients["died"].sum()
    assert points(run(LESSON, own, tmp_path / "results")) == []
    assert points(run(LESSON, f"data/{dataset.name}", tmp_path / "results", mask_below=5)) == []


# --- months ------------------------------------------------------------------------------------


def area(time: np.ndarray, died: np.ndarray, end: float) -> float:
    """The area under Kaplan-Meier, day by day and from scratch."""
    survival, total, before = 1.0, 0.0, 0.0
    for day in sorted(set(time[died & (time < end)])):
        total += survival * (day - before)
        survival *= 1 - (died & (time == day)).sum() / (time >= day).sum()
        before = day
    return total + survival * (end - before)


def test_the_difference_is_the_area_between_the_curves(dataset, asked, page):
    for month in keys.horizons(dataset, asked):
        day = month * dataset.settings.days_per_month
        areas = [
            area(side["days"].to_numpy(), side["died"].to_numpy(), day) for side in sides(asked)
        ]
        row = pick(page.numbers, "rmst_difference", key(asked), month)
        assert row["estimate"] == pytest.approx(dataset.months(areas[0] - areas[1]), abs=1e-9)


def test_the_ratios_before_and_after_share_out_the_deaths(dataset, asked, page):
    one = pick(page.numbers, "hazard_ratio_univariate", key(asked))
    for month in keys.horizons(dataset, asked):
        until = pick(page.numbers, "hazard_ratio_until", key(asked), month)
        after = page.numbers.query("quantity == 'hazard_ratio_after' and months == @month")
        assert until["events"] + after["events"].sum() == one["events"]
        if not after["events"].sum():
            assert until["estimate"] == pytest.approx(one["estimate"])


def test_horizons_lie_within_the_follow_up_of_both_sides(dataset, asked):
    months = keys.horizons(dataset, asked)
    ends = [side["days"].max() for side in sides(asked)]
    assert months == sorted(set(months)) and 2 <= len(months) <= keys.MOST
    assert max(months) <= dataset.months(min(ends)) < max(months) + months[1] - months[0]
    assert set(keys.landmarks(dataset, asked)) <= set(dataset.settings.months)


def test_the_shaded_area_ends_at_the_chosen_month(dataset, asked, page):
    spec = chart(page, "horizon")
    shade = next(layer for layer in spec["layer"] if layer["mark"]["type"] == "area")
    limit = shade["transform"][0]["filter"].removeprefix("datum.month <= ")
    months = keys.horizons(dataset, asked)
    assert [eval(limit, {"choice": choice}) for choice in range(len(months))] == months
    answers = [item.text for item in figure(page, "horizon").select(".chart-answers li")]
    assert len(answers) == len(set(answers)) == len(months)
    for rows in spec["datasets"].values():
        assert all(row["month"] % 1 == 0 for row in rows if "month" in row)


# --- what is said ------------------------------------------------------------------------------


def test_what_one_ratio_hides_in_the_shipped_datasets(tmp_path):
    """bmt: no effect at all, printed; a doubled hazard early, and less than one late."""
    page = run(LESSON, "data/bmt", tmp_path, factor="mtx")
    one, early, late = (
        pick(page.numbers, f"hazard_ratio_{kind}", "os:mtx")
        for kind in ("univariate", "early", "late")
    )
    assert one["lower"] < 1 < one["upper"]
    assert early["lower"] > 1 > late["estimate"]
    # 0.66 (0.27–1.57) leaves 1 open, so that nothing is said to point the opposite way.
    assert "hides two that differ" in page.text and "P = .018" in page.text
    assert "opposite" not in page.text


def test_ratios_on_both_sides_of_1_are_said_to_point_opposite_ways(tmp_path):
    def apart(numbers: pd.DataFrame) -> pd.DataFrame:
        late = numbers["quantity"].eq("hazard_ratio_late")
        numbers.loc[late, ["estimate", "lower", "upper"]] = [0.5, 0.3, 0.9]
        return numbers

    page = run(LESSON, "data/bmt", tmp_path, change=apart)
    assert "hides two that point in opposite directions" in page.text
    assert "each interval lies on its own side of 1" in page.text


def test_without_a_late_ratio_nothing_is_compared(tmp_path):
    def none_late(numbers: pd.DataFrame) -> pd.DataFrame:
        late = numbers["quantity"].isin(["hazard_ratio_late", "hazard_ratio_change", "p_change"])
        numbers.loc[late, ["estimate", "lower", "upper"]] = np.nan
        return numbers

    page = run(LESSON, "data/bmt", tmp_path, change=none_late)
    assert "Early and late ratios cannot be compared here." in page.text
    assert "not estimable" in page.text and "chosen for such a change" not in page.text


def test_the_change_of_a_ratio_is_that_of_an_interaction(asked, page):
    """One model of the factor and its product with lateness, on the rows cut at the split."""
    column, split = asked.factor.column, asked.split
    pieces = est.cut(asked.rows, split)
    product = pieces[column].where(pieces["stop"] > split, 0.0)
    line = est.cox(pieces.assign(product=product), [column, "product"]).summary().loc["product"]
    change = pick(page.numbers, "hazard_ratio_change", key(asked))
    assert change[["estimate", "lower", "upper"]].tolist() == pytest.approx(
        line[["hazard_ratio", "lower", "upper"]].tolist(), rel=1e-5
    )
    p = pick(page.numbers, "p_change", key(asked))["estimate"]
    assert p == pytest.approx(line["p"], rel=1e-4)


def test_a_negative_limit_is_not_joined_by_a_dash():
    row = pd.Series({"quantity": "rmst_difference", "lower": -3.4, "upper": -0.4})
    assert interval(row) == "−3.4 to −0.4"
    assert interval(row.replace({-3.4: 0.2, -0.4: 3.4})) == "0.2–3.4"


# --- the worked piece ---------------------------------------------------------------------------


@pytest.mark.parametrize("levels", [{"Male": "None", "Female": "St. Jude's"}, {"Male": "1"}])
def test_the_worked_piece_finds_the_sides_whatever_they_are_called(tmp_path, levels):
    own = Path(shutil.copytree(ROOT / "data" / "blinatumomab", tmp_path / "own"))
    for name in ("datapackage.json", "patients.csv"):
        text = (own / name).read_text("utf-8")
        for level, called in levels.items():
            quoted = name.endswith("json")
            before, after = (
                (f'"{level}"', f'"{called}"') if quoted else (f",{level},", f",{called},")
            )
            text = text.replace(before, after)
        (own / name).write_text(text, "utf-8")
    page = run(LESSON, own, tmp_path / "results", factor="sex")
    main = json.loads(BeautifulSoup(page.text, "html.parser").select_one(".worked")["data-main"])
    assert main == [pytest.approx(pick(page.numbers, "hazard_ratio_late", "os:sex")["estimate"])]


# --- exercises ---------------------------------------------------------------------------------


def test_the_deaths_of_the_pencil_are_of_the_ratio_of_the_task(dataset):
    """Two is where they agree with the model, which the task prints as a table."""
    cells = nbformat.read(ROOT / "book" / f"{LESSON}.ipynb", as_version=4).cells
    text = next(cell.source for cell in cells if cell.id == "exercise-1")
    told = re.findall(r"^\| \d \| (\d+) \| (\d+) \| ([AB]) \|$", text, re.MULTILINE)
    assert [(int(a), int(b), side == "A") for a, b, side in told] == list(keys.DEATHS)
    residuals = [died - 2 * a / (2 * a + b) for a, b, died in keys.DEATHS]
    early, late = keys.exercise_1(dataset).answer
    assert (early, late) == pytest.approx((sum(residuals[:3]), sum(residuals[3:])))
    assert early + late == pytest.approx(0)  # as at the maximum of the likelihood
    for before, after in itertools.pairwise(keys.DEATHS):
        assert after[0] <= before[0] - before[2] and after[1] <= before[1] - (not before[2])


def test_nobody_is_harmed_where_the_late_ratio_rises(dataset):
    """One by one, frail and robust, in both years of the invented trial."""
    early, late = keys.exercise_2(dataset).answer
    alive, shares = {}, {}
    for side, part in (("treated", 0.5), ("untreated", 1)):
        alive[side] = {risk: 50 * (1 - part * risk) for risk in (0.8, 0.2)}
        dead = sum(risk * left for risk, left in alive[side].items())
        shares[side] = dead / sum(alive[side].values())
    assert early == 0.5 and late == pytest.approx(shares["treated"] / shares["untreated"])
    assert late > 1


def test_the_last_exercise_is_at_a_day_that_the_page_does_not_have(dataset, asked, page):
    task = keys.task_4(dataset)
    month = task.day / task.month
    areas = [
        area(side["days"].to_numpy(), side["died"].to_numpy(), task.day)
        for side in (task.patients[task.patients["first"]], task.patients[~task.patients["first"]])
    ]
    right = keys.exercise_4(dataset)
    assert right.answer == pytest.approx((areas[0] - areas[1]) / task.month)
    assert right.bites and abs(right.answer) >= keys.LEAST
    assert month not in page.numbers["months"].to_numpy()
    bare = replace(dataset, factors=())
    assert keys.task_4(bare).whose == MADE_UP and keys.exercise_4(bare).bites


def test_without_a_factor_all_that_is_invented_stays(tmp_path):
    own = Path(shutil.copytree(ROOT / "data" / "bmt", tmp_path / "own"))
    package = json.loads((own / "datapackage.json").read_text("utf-8"))
    package["analysis"]["factors"] = []
    (own / "datapackage.json").write_text(json.dumps(package), "utf-8")
    given = {"dataset": str(own), "results_folder": str(tmp_path)}
    with without_kernels():
        made = execute(ROOT / "book" / f"{LESSON}.ipynb", tmp_path / "made.ipynb", given)
    ids = [cell.id for cell in made.cells]
    assert ids.count(NOT_RECORDED) == 1 and ids[-1] == "every-number"
    assert {"two-invented-groups", "months-instead", "quiz", "read-on"} <= set(ids)
    assert "one-ratio-and-two-in-few-lines" not in ids
    shown = str([cell.get("outputs") for cell in made.cells])
    assert shown.count('class="verdict right"') == 4 and MADE_UP in shown
    assert set(pd.read_csv(tmp_path / f"{LESSON}.csv")["group"]) == {"invented"}
