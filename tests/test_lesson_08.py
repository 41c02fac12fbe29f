"""Lesson 8: what stepwise selection keeps, how often it would, and what noise does."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import analysis
from analysis import survival as est
from analysis.course import selection as lesson
from analysis.dataset.model import Dataset, NotRecorded
from analysis.page.rows import pick

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
def results(datasets) -> dict[str, pd.DataFrame]:
    return {name: lesson.results(data, SEED, RESAMPLES) for name, data in datasets.items()}


def values(results: pd.DataFrame, quantity: str) -> pd.Series:
    """The estimates of a quantity by column."""
    rows = results[results["quantity"] == quantity]
    return rows.set_index(rows["group"].str.removeprefix("os:"))["estimate"]


# --- frequencies ------------------------------------------------------------------------------


def test_the_seed_gives_these_frequencies(results) -> None:
    """Frozen: of 50 resamples with seed 1, how many keep each factor of the synthetic cohort."""
    kept = values(results["blinatumomab"], "share_kept") * RESAMPLES
    assert kept.round(9).to_dict() == FROZEN


# --- among which ------------------------------------------------------------------------------


def test_only_factors_of_all_patients_that_vary_compete(datasets) -> None:
    data = datasets["blinatumomab"]
    columns = lesson.question(data).columns
    assert "response_day" in columns
    assert not {"hsct_day", "mrd_response_day"} & {*columns}  # of responders, of the evaluable
    same = dataclasses.replace(data, patients=data.patients.assign(sex="Male"))
    assert set(columns) - set(lesson.question(same).columns) == {"sex"}


def test_a_dataset_of_one_factor_or_few_deaths_says_so(datasets) -> None:
    data = datasets["bmt"]
    with pytest.raises(NotRecorded, match="fewer than two factors"):
        lesson.question(dataclasses.replace(data, factors=data.factors[:1]))
    few = data.patients["died"].where(data.patients["died"].eq("yes").cumsum() <= 9, "no")
    with pytest.raises(NotRecorded, match="fewer than 10 patients of this dataset"):
        lesson.question(dataclasses.replace(data, patients=data.patients.assign(died=few)))


# --- models -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_both_models_are_cox_models_of_the_same_patients(datasets, results, name) -> None:
    asked = lesson.question(datasets[name])
    kept = est.stepwise(asked.rows, asked.columns)
    for kind, columns in (("stepwise", kept), ("all", asked.columns)):
        summary = est.cox(asked.rows, columns).summary()
        rows = results[name].query("quantity == @quantity", local_dict={
            "quantity": f"hazard_ratio_{kind}"
        })  # fmt: skip
        made = rows.set_index(rows["group"].str.removeprefix("os:"))
        assert set(made.index) == set(columns)
        for ours, theirs in (("estimate", "hazard_ratio"), ("lower", "lower"), ("upper", "upper")):
            assert made[ours].to_dict() == pytest.approx(summary[theirs].to_dict(), rel=1e-6)


def test_the_chart_shows_what_the_resamples_keep(datasets, results) -> None:
    """Counted over the stations, each factor is kept about as often as over all."""
    made = results["bmt"]
    factors = lesson._by_share(datasets["bmt"], made)
    stations = lesson._stations(made)
    assert len(stations) == lesson.STATIONS
    kept = [lesson._kept(made, factors, number) for number in stations]
    assert len({tuple(model) for model in kept}) > 10
    for factor in factors:
        share = pick(made, "share_kept", f"os:{factor.column}")["estimate"]
        assert np.mean([factor in model for model in kept]) == pytest.approx(share, abs=0.25)
    answer = str(lesson._answer(made, factors, 1))
    assert {f.label for f in factors if f.label in answer} == {f.label for f in kept[0]}


def test_the_papers_cohort_ends_in_many_models_and_its_own_is_rare(results) -> None:
    made = results["blinatumomab"]
    assert pick(made, "number_of_models", "os")["estimate"] > RESAMPLES / 2
    assert pick(made, "share_model", "patients")["estimate"] < 0.15


@pytest.mark.parametrize("name", SHIPPED)
def test_what_is_kept_looks_stronger_than_in_the_model_of_all(datasets, results, name) -> None:
    kept, everything = (
        np.log(values(results[name], f"hazard_ratio_{kind}")).abs() for kind in ("when_kept", "all")
    )
    both = kept.notna()
    assert (kept[both] > everything[both]).mean() > 0.9
    assert "chance has helped it" in str(lesson.told_larger(datasets[name], results[name]))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_part_of_the_ratios_is_lost_outside(results, name) -> None:
    assert 0.5 < pick(results[name], "calibration_slope", "os")["estimate"] < 1
    assert "What is missing was chance" in str(lesson.told_optimism(results[name]))
    better = results[name].assign(estimate=1.1)
    assert "nothing is lost" in str(lesson.told_optimism(better))


@pytest.mark.parametrize("name", SHIPPED)
def test_ridge_draws_towards_no_effect(results, name) -> None:
    shrunk, whole = (
        np.log(values(results[name], f"hazard_ratio_{kind}")).abs().mean()
        for kind in ("ridge", "all")
    )
    assert shrunk < whole
    freedom = pick(results[name], "degrees_of_freedom", "os")["estimate"]
    assert 1 < freedom < len(values(results[name], "share_kept"))


# --- noise ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_noise_is_kept_about_as_often_as_the_formula_says(results, name) -> None:
    made = results[name]
    number = pick(made, "number_of_factors", "shuffled")["estimate"]
    chance = pick(made, "share_at_least_one", "formula")["estimate"]
    assert chance == pytest.approx(1 - 0.95**number)
    # Twice the standard error of 50 shufflings.
    assert pick(made, "share_at_least_one", "shuffled")["estimate"] == pytest.approx(
        chance, abs=0.14
    )


def test_shuffling_parts_the_factors_from_survival_and_not_from_each_other(
    datasets, monkeypatch
) -> None:
    data = datasets["bmt"]
    asked = lesson._known(data, [f for f in data.factors if f.kind == "baseline"])
    seen: list[pd.DataFrame] = []

    class Spy:
        def __init__(self, rows: pd.DataFrame, columns: list[str]) -> None:
            seen.append(rows)

        def stepwise(self, level: float) -> list[str]:
            return []

    monkeypatch.setattr(lesson.est, "CoxModels", Spy)
    list(lesson.shuffled(asked, 2, SEED))
    before = asked.rows
    for after in seen:
        fixed = ["patient", "start", "stop", "event"]
        assert after[fixed].equals(before[fixed])
        assert not after["donor_age"].equals(before["donor_age"])
        assert after["donor_age"].corr(after["patient_age"]) == pytest.approx(
            before["donor_age"].corr(before["patient_age"])
        )
    assert not seen[0].equals(seen[1])


def test_a_dataset_without_baseline_factors_has_none_to_shuffle(datasets) -> None:
    data = datasets["bmt"]
    later = tuple(f for f in data.factors if f.kind == "postbaseline")
    rows = list(lesson._noise_rows(dataclasses.replace(data, factors=later), 5, SEED))
    assert rows == []
    nothing = analysis.page.rows.frame(rows)
    assert "fewer than two baseline factors" in str(lesson.told_noise(nothing, 5))


# --- exercises --------------------------------------------------------------------------------


def test_the_coin_is_nearest_to_one_half_and_of_equals_the_first() -> None:
    table = pd.DataFrame({"a": [1, 1, 1, 1], "b": [1, 0, 0, 0], "c": [1, 1, 1, 0]}) > 0
    assert lesson.coin(table) == "b"


def test_each_dataset_has_its_own_table(datasets) -> None:
    shapes = [lesson.kept_table(datasets[name]).shape[1] for name in SHIPPED]
    assert shapes == [len(lesson.question(datasets[name]).factors) for name in SHIPPED]


def test_p_of_01_is_kept_in_three_of_four_resamples(datasets) -> None:
    z = np.random.default_rng(SEED).normal(norm.isf(0.005), 1, 200_000)
    drawn = (np.abs(z) > norm.isf(0.025)).mean()
    assert lesson.exercise_4(datasets["bmt"]).answer == pytest.approx(drawn, abs=0.004)


def test_noise_has_p_below_05_in_one_resample_of_six() -> None:
    """The sample's z and the resample's, one on top of the other."""
    random = np.random.default_rng(SEED)
    z = random.normal(size=200_000) + random.normal(size=200_000)
    assert (np.abs(z) > norm.isf(0.025)).mean() == pytest.approx(1 / 6, abs=0.005)
