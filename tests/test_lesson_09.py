"""Lesson 9: what stepwise selection keeps, how often it would, and what noise does."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup, Tag
from conftest import EACH
from inprocess import Made, Page, run, without_kernels
from lifelines import CoxPHFitter
from scipy.stats import norm

import analysis
from analysis import survival as est
from analysis.course import keys_09 as keys
from analysis.course.exercises import MADE_UP
from analysis.dataset.model import ROOT, Dataset, NotRecorded
from analysis.page.plain import OTHERWISE
from analysis.page.rows import pick
from analysis.site.notebooks import NOT_RECORDED, execute

LESSON = "lesson_09_selection"
SHIPPED = ("blinatumomab", "bmt", "myeloid")
SEED, RESAMPLES = 1, 50
FROZEN = {
    "age": 39,
    "sex": 6,
    "race": 18,
    "prior_hsct": 32,
    "primary_refractory": 20,
    "salvage_line": 20,
    "bone_marrow_blasts": 9,
    "t_4_11": 36,
    "ecog": 24,
    "response_day": 50,
}


@pytest.fixture(scope="module")
def datasets() -> dict[str, Dataset]:
    return {name: analysis.load(f"data/{name}") for name in SHIPPED}


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> dict[str, Page]:
    results, given = tmp_path_factory.mktemp("results"), {"seed": SEED, "resamples": RESAMPLES}
    return Made(lambda name: run(LESSON, f"data/{name}", results, **given))


def values(page: Page, quantity: str) -> pd.Series:
    """The estimates of a quantity by column."""
    rows = page.numbers[page.numbers["quantity"] == quantity]
    return rows.set_index(rows["group"].str.removeprefix("os:"))["estimate"]


def figure(page: Page) -> Tag:
    return BeautifulSoup(page.text, "html.parser").select_one(f"#{LESSON}-resamples")


# --- frequencies ------------------------------------------------------------------------------


def test_the_seed_gives_these_frequencies(made) -> None:
    """Frozen: of 50 resamples with seed 1, how many keep each factor of the synthetic cohort."""
    kept = values(made["blinatumomab"], "share_kept") * RESAMPLES
    assert kept.round(9).to_dict() == FROZEN


# --- among which ------------------------------------------------------------------------------


def test_only_factors_of_all_patients_that_vary_compete(datasets) -> None:
    data = datasets["blinatumomab"]
    columns = keys.question(data).columns
    assert "response_day" in columns
    assert not {"hsct_day", "mrd_response_day"} & {*columns}  # of responders, of the evaluable
    same = dataclasses.replace(data, patients=data.patients.assign(sex="Male"))
    assert set(columns) - set(keys.question(same).columns) == {"sex"}


def test_a_dataset_of_one_factor_or_few_deaths_says_so(datasets) -> None:
    data = datasets["bmt"]
    with pytest.raises(NotRecorded, match="fewer than two factors"):
        keys.question(dataclasses.replace(data, factors=data.factors[:1]))
    few = data.patients["died"].where(data.patients["died"].eq("yes").cumsum() <= 9, "no")
    with pytest.raises(NotRecorded, match="fewer than 10 patients of this dataset"):
        keys.question(dataclasses.replace(data, patients=data.patients.assign(died=few)))


# --- models -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EACH)
def test_both_models_are_cox_models_of_the_same_patients(datasets, made, name) -> None:
    asked = keys.question(datasets[name])
    kept = est.stepwise(asked.rows, asked.columns)
    for kind, columns in (("stepwise", kept), ("all", asked.columns)):
        summary = est.cox(asked.rows, columns).summary()
        numbers = made[name].numbers
        rows = numbers[numbers["quantity"] == f"hazard_ratio_{kind}"]
        rows = rows.set_index(rows["group"].str.removeprefix("os:"))
        assert set(rows.index) == set(columns)
        for ours, theirs in (("estimate", "hazard_ratio"), ("lower", "lower"), ("upper", "upper")):
            assert rows[ours].to_dict() == pytest.approx(summary[theirs].to_dict(), rel=1e-6)


def test_the_chart_shows_what_the_resamples_keep(datasets, made) -> None:
    """Counted over the stations, each factor is kept about as often as over all."""
    spec = json.loads(figure(made["bmt"]).select_one(".chart-spec").string)
    data = [pd.DataFrame(rows) for rows in spec["datasets"].values()]
    points = next(rows for rows in data if {"line", "ratio", "choice"} == set(rows))
    lines = next(rows for rows in data if {"line", "label", "share"} <= set(rows))
    labels = dict(zip(lines["line"], lines["label"], strict=True))
    kept = points.groupby("choice")["line"].agg(lambda line: {labels[place] for place in line})
    answers = [item.text for item in figure(made["bmt"]).select(".chart-answers li")]
    assert len(answers) == 25
    assert len({frozenset(model) for model in kept}) > 10
    for factor in keys.question(datasets["bmt"]).factors:
        share = pick(made["bmt"].numbers, "share_kept", f"os:{factor.column}")["estimate"]
        shown = sum(factor.label in model for model in kept) / len(answers)
        assert shown == pytest.approx(share, abs=0.25)
    for place, model in kept.items():
        assert {label for label in labels.values() if f"{label} at" in answers[place]} == model


def test_the_papers_cohort_ends_in_many_models_and_its_own_is_rare(made) -> None:
    numbers = made["blinatumomab"].numbers
    assert pick(numbers, "number_of_models", "os")["estimate"] > RESAMPLES / 2
    assert pick(numbers, "share_model", "patients")["estimate"] < 0.15


@pytest.mark.parametrize("name", EACH)
def test_what_is_kept_looks_stronger_than_in_the_model_of_all(made, name) -> None:
    kept, everything = (
        np.log(values(made[name], f"hazard_ratio_{kind}")).abs() for kind in ("when_kept", "all")
    )
    both = kept.notna()
    assert (kept[both] > everything[both]).mean() > 0.9


@pytest.mark.parametrize("name", EACH)
def test_chance_alone_parts_the_resamples_that_keep_a_factor(datasets, made, name) -> None:
    """Both means are of one model, and together they are that of all resamples."""
    share = values(made[name], "share_kept")
    kept, dropped = (
        np.log(values(made[name], f"hazard_ratio_all_{way}")).fillna(0)
        for way in ("kept", "dropped")
    )
    every = keys.all_in_each(keys.question(datasets[name]), RESAMPLES, SEED).mean()
    together = (share * kept + (1 - share) * dropped)[every.index]
    assert together.to_dict() == pytest.approx(every.to_dict())
    told = share.between(keys.RARE, 1 - keys.RARE).sum()
    said = BeautifulSoup(made[name].text, "html.parser").get_text()
    assert f"{told} factors are kept in some resamples and left out in others" in said
    assert "chance has helped it" in made[name].text


@pytest.mark.parametrize("name", EACH)
def test_a_part_of_the_ratios_is_lost_outside(made, name) -> None:
    assert 0.5 < pick(made[name].numbers, "calibration_slope", "os")["estimate"] < 1
    assert "The rest was chance" in made[name].text


@pytest.mark.parametrize("name", EACH)
def test_ridge_draws_towards_no_effect(made, name) -> None:
    shrunk, whole = (
        np.log(values(made[name], f"hazard_ratio_{kind}")).abs().mean() for kind in ("ridge", "all")
    )
    assert shrunk < whole
    freedom = pick(made[name].numbers, "degrees_of_freedom", "os")["estimate"]
    assert 1 < freedom < len(values(made[name], "share_kept"))


def test_what_other_numbers_would_say(tmp_path) -> None:
    """No loss outside, ratios that are nearer to 1 when kept, and a rule that keeps nothing."""

    def other(numbers: pd.DataFrame) -> pd.DataFrame:
        numbers.loc[numbers["quantity"].eq("calibration_slope"), "estimate"] = 1.1
        numbers.loc[numbers["quantity"].eq("hazard_ratio_all_kept"), "estimate"] = 1.0
        numbers.loc[numbers["quantity"].eq("number_of_models"), "estimate"] = 1
        return numbers[~numbers["quantity"].eq("hazard_ratio_stepwise")]

    said = run(LESSON, "data/bmt", tmp_path, change=other, resamples=5).text
    assert "nothing is lost" in said and "The rest was chance" not in said
    assert "the mean ratio is stronger" in said and "chance has helped it" not in said
    assert "it ends in the same model each time." in said
    assert "The rule keeps: none." in said
    assert "is kept least often" not in said and "is kept most often" in said


def test_without_estimates_nothing_is_compared(tmp_path) -> None:
    def none(numbers: pd.DataFrame) -> pd.DataFrame:
        parts = ["calibration_slope", "hazard_ratio_when_kept", "hazard_ratio_all"]
        numbers.loc[numbers["quantity"].isin(parts), ["estimate", "lower", "upper"]] = np.nan
        return numbers

    said = run(LESSON, "data/bmt", tmp_path, change=none, resamples=5).text
    assert "No factor is kept in some resamples and left out in others" in said
    assert "No resample keeps a factor, so no model can be judged." in said
    assert "never kept" in said and "not estimable" in said


# --- noise ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EACH)
def test_noise_is_kept_about_as_often_as_the_formula_says(made, name) -> None:
    numbers = made[name].numbers
    number = pick(numbers, "number_of_factors", "shuffled")["estimate"]
    chance = pick(numbers, "share_at_least_one", "formula")["estimate"]
    assert chance == pytest.approx(1 - 0.95**number)
    # Twice the standard error of 50 shufflings.
    assert pick(numbers, "share_at_least_one", "shuffled")["estimate"] == pytest.approx(
        chance, abs=0.14
    )


def test_a_dataset_without_baseline_factors_has_none_to_shuffle(tmp_path) -> None:
    later = Path(shutil.copytree(ROOT / "data" / "bmt", tmp_path / "later"))
    package = json.loads((later / "datapackage.json").read_text("utf-8"))
    factors = package["analysis"]["factors"]
    package["analysis"]["factors"] = [f for f in factors if f["kind"] == "postbaseline"]
    (later / "datapackage.json").write_text(json.dumps(package), "utf-8")
    page = run(LESSON, later, tmp_path / "results", resamples=5)
    assert "fewer than two baseline factors" in page.text
    assert not page.numbers["group"].eq("shuffled").any()
    assert OTHERWISE in page.text


# --- the worked piece ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", EACH)
def test_the_worked_rule_keeps_what_the_model_of_all_finds(datasets, made, name) -> None:
    """In the very resamples of the script, which R draws alike."""
    asked, named = keys.simple(datasets[name])
    kept = keys.kept_table(asked, keys.RESAMPLES)
    assert asked.columns == [*named["numbers"], *named["sides"]]
    assert len(named["firsts"]) == len(named["sides"])
    row = pick(made[name].numbers, "number_of_models", "worked")
    assert (row["estimate"], row["n"]) == (len(set(map(tuple, kept.to_numpy()))), len(asked.rows))
    (drawn,) = keys._drawn(len(asked.rows), 1, 1)
    assert drawn[0] == 16807 * len(asked.rows) // (2**31 - 1)
    its = asked.rows.iloc[drawn]
    fit = CoxPHFitter().fit(its[["stop", "event", *asked.columns]], "stop", "event")
    assert (fit.summary["p"] < 0.05).tolist() == kept.iloc[0].tolist()


def test_the_worked_piece_takes_no_small_side_and_no_unknown_level(datasets) -> None:
    data = datasets["blinatumomab"]
    columns = keys.simple(data)[0].columns
    assert "sex" in columns and not {"ecog", "race", "primary_refractory"} & {*columns}
    none = dataclasses.replace(data, factors=tuple(f for f in data.factors if f.column == "age"))
    assert keys.names(none) is None


# --- exercises --------------------------------------------------------------------------------


def test_the_resamples_of_the_exercise_are_of_the_dataset_and_leave_no_doubt(datasets) -> None:
    for name in SHIPPED:
        task = keys.task_1(datasets[name])
        models, share = keys.exercise_1(datasets[name]).answer
        assert task.whose == "of this dataset" and len(task.kept) == keys.ODD
        assert models == len(set(map(tuple, task.kept.to_numpy())))
        near = (task.kept.mean() - 0.5).abs()
        assert (near <= abs(share - 0.5) + 1e-9).sum() == 1
    none = dataclasses.replace(datasets["bmt"], factors=())
    assert keys.task_1(none).whose == MADE_UP and keys.exercise_1(none).bites


def test_the_key_of_the_pencil_is_of_the_studies_of_the_task(datasets) -> None:
    cells = nbformat.read(ROOT / "book" / f"{LESSON}.ipynb", as_version=4).cells
    text = next(cell.source for cell in cells if cell.id == "exercise-2")
    told = re.findall(r"^\| \d \| ([\d.]+) \| ([\d.]+)–([\d.]+) \|$", text, re.MULTILINE)
    assert [tuple(map(float, study)) for study in told] == list(keys.STUDIES)
    for ratio, lower, upper in keys.STUDIES:  # a standard error of 0.2 each
        limits = ratio * np.exp(np.array([-1, 1]) * 1.96 * 0.2)
        assert (lower, upper) == pytest.approx(limits, abs=0.03)
    kept = [study for study in keys.STUDIES if study[1] > 1]
    mean, when_kept, hold = keys.exercise_2(datasets["bmt"]).answer
    assert mean == pytest.approx(np.mean([study[0] for study in keys.STUDIES]))
    assert when_kept == pytest.approx(np.mean([study[0] for study in kept]))
    assert hold == sum(low <= keys.REALLY <= high for _, low, high in kept)


def test_without_factors_all_that_is_invented_stays(tmp_path: Path) -> None:
    bare = Path(shutil.copytree(ROOT / "data" / "bmt", tmp_path / "bare"))
    package = json.loads((bare / "datapackage.json").read_text("utf-8"))
    package["analysis"]["factors"] = package["analysis"]["factors"][:1]
    (bare / "datapackage.json").write_text(json.dumps(package), "utf-8")
    given = {"dataset": str(bare), "results_folder": str(tmp_path)}
    with without_kernels():
        found = execute(ROOT / "book" / f"{LESSON}.ipynb", tmp_path / "made.ipynb", given)
    ids = [cell.id for cell in found.cells]
    assert ids.count(NOT_RECORDED) == 1 and ids[-1] == "every-number"
    assert {"one-of-many-tests", "what-to-do-instead", "quiz", "read-on"} <= set(ids)
    assert not {"what-each-resample-keeps", "the-selection-in-resamples"} & set(ids)
    shown = str([cell.get("outputs") for cell in found.cells])
    assert shown.count('class="verdict right"') == 4 and MADE_UP in shown
    assert pd.read_csv(tmp_path / f"{LESSON}.csv")["group"].str.startswith("formula|").all()


def test_noise_has_p_below_05_in_one_resample_of_six() -> None:
    """The sample's z and the resample's, one on top of the other."""
    random = np.random.default_rng(SEED)
    z = random.normal(size=200_000) + random.normal(size=200_000)
    assert (np.abs(z) > norm.isf(0.025)).mean() == pytest.approx(1 / 6, abs=0.005)


def test_without_deaths_the_factors_are_those_of_the_first_endpoint(tmp_path) -> None:
    """They are known in as many patients, and the page calls the event by its name."""
    data = analysis.load("data/cgd")
    asked = keys.question(data)
    came = data.patients["first_infection_day"].notna().sum()
    assert asked.size == {"n": data.size, "events": came} and len(asked.factors) == 4
    assert keys.names(data) is None and keys.task_1(data).whose == "of this dataset"
    page = run(LESSON, "data/cgd", tmp_path, until="why-they-look-strong", resamples=5, draws=20)
    assert "of them had the event" in page.text and "ratio of serious infection" in page.text
    assert "was randomised" in page.text and not re.search(r"\b(died|deaths?)\b", page.text)
