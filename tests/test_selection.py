"""Bootstrap of the stepwise rule and ridge: against R's frozen values, by hand, on made-up rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import survival as est
from analysis.survival import resampling as sel

REFERENCE = Path(__file__).parent / "reference"
TOLERANCE = 1e-9  # relative
VALUES = pd.read_csv(REFERENCE / "cure_and_selection.csv")
COLUMNS = {"heart": ["transplant", "age", "surgery"], "gbsg": ["hormon", "age", "nodes", "pgr"]}


def reference_rows(name: str) -> pd.DataFrame:
    """Start-stop rows of R's data."""
    table = pd.read_csv(REFERENCE / "data" / f"{name}.csv")
    if name == "heart":
        return table.rename(columns={"id": "patient"})
    renamed = table.rename(columns={"pid": "patient", "rfstime": "stop", "status": "event"})
    return renamed.assign(start=-np.inf)


def made_rows(seed: int, n: int = 120, noise: int = 6) -> pd.DataFrame:
    """One strong factor, one that switches on half of the way, and noise."""
    rng = np.random.default_rng(seed)
    strong = rng.integers(0, 2, n).astype(float)
    stop = np.ceil(60 * rng.exponential(np.exp(-1.2 * strong)))
    fixed = {f"noise{i}": rng.normal(size=n) for i in range(noise)}
    event = (rng.random(n) < 0.8).astype(int)
    rows = pd.DataFrame({"patient": np.arange(n) + 1000, "start": -np.inf, "stop": stop,
                         "event": event, "strong": strong, **fixed})  # fmt: skip
    switch = rng.random(n) < 0.5
    late = rows[switch].assign(start=stop[switch] / 2, later=1.0)
    early = rows.assign(later=0.0)
    early.loc[switch, "stop"] = stop[switch] / 2
    early.loc[switch, "event"] = 0
    return pd.concat([early, late]).sort_values(["patient", "start"], ignore_index=True)


def factors_in(rows: pd.DataFrame) -> list[str]:
    return [c for c in rows if c not in ("patient", "start", "stop", "event")]


# --- R -----------------------------------------------------------------------------------------


RIDGES = VALUES[VALUES["estimator"] == "ridge"]


@pytest.mark.parametrize(
    ("name", "penalty"), RIDGES[["dataset", "case"]].drop_duplicates().to_numpy().tolist()
)
def test_ridge_and_its_cross_validation_equal_r(name, penalty):
    rows, columns = reference_rows(name), COLUMNS[name]
    fit = sel.ridge(rows, columns, float(penalty))
    fold = pd.factorize(rows["patient"])[0] % 3
    found = {
        **{f"{part}:{c}": fit.estimates.loc[c, part] for part in ("beta", "se") for c in columns},
        "log_likelihood": fit.log_likelihood,
        "degrees_of_freedom": fit.degrees_of_freedom,
        "cross_validated": sel.cross_validated(rows, columns, float(penalty), fold),
    }
    theirs = RIDGES[(RIDGES["dataset"] == name) & (RIDGES["case"] == penalty)]
    expected = theirs.set_index("quantity")["value"].to_dict()
    assert found == pytest.approx(expected, rel=TOLERANCE)


SLOPES = VALUES[VALUES["estimator"] == "calibration"]


@pytest.mark.parametrize(("name", "case"), SLOPES[["dataset", "case"]].to_numpy().tolist())
def test_the_slope_in_the_original_rows_equals_r(name, case):
    rows, columns = reference_rows(name), case.split(" + ")
    number, patients = pd.factorize(rows["patient"])
    drawn = 7 * np.arange(1, len(patients) + 1) // 2 % len(patients)
    sample = pd.concat([rows[number == who].assign(patient=draw) for draw, who in enumerate(drawn)])
    beta = est.cox(sample, columns).estimates["beta"].to_numpy()
    slope = sel._Calibration(rows, COLUMNS[name]).slope(columns, beta)
    expected = SLOPES[(SLOPES["dataset"] == name) & (SLOPES["case"] == case)]["value"].item()
    assert slope == pytest.approx(expected, rel=TOLERANCE)


# --- resamples -----------------------------------------------------------------------------------


def test_a_drawn_patient_comes_with_all_rows_as_a_new_one():
    rows = made_rows(1)
    rows = rows.sample(frac=1, random_state=1).reset_index(drop=True)  # in no order
    own = rows.groupby("patient").size()
    repeated = 0
    for sample in sel.draws(rows, 5, seed=3):
        assert sample["patient"].nunique() == len(own)
        drawn = sample.merge(rows, on=["start", "stop", "strong", "noise0"], how="left")
        by_draw = drawn.groupby("patient_x")["patient_y"]
        assert (by_draw.nunique() == 1).all()  # one patient behind each draw
        assert (by_draw.size() == own.loc[by_draw.first()].to_numpy()).all()  # all of their rows
        repeated += by_draw.first().duplicated().sum()
    assert repeated > 0


def test_the_same_seed_gives_the_same_and_more_resamples_begin_alike():
    rows = made_rows(2)
    columns = factors_in(rows)
    np.random.seed(1)
    few = sel.bootstrap(rows, columns, 5, seed=7)
    np.random.seed(2)
    many = sel.bootstrap(rows, columns, 12, seed=7)
    for one, other in zip(few.resamples, many.resamples, strict=False):
        assert one.kept == other.kept
        assert one.beta.tolist() == other.beta.tolist()
        assert one.slope == other.slope
    assert len({r.slope for r in many.resamples}) == 12
    other_seed = sel.bootstrap(rows, columns, 5, seed=8)
    assert other_seed.resamples[0].slope != few.resamples[0].slope


def test_resamples_are_what_stepwise_and_cox_give():
    rows = made_rows(3)
    columns = factors_in(rows)
    found = sel.bootstrap(rows, columns, 6, seed=5)
    assert found.whole == tuple(est.stepwise(rows, columns))
    for sample, resample in zip(sel.draws(rows, 6, seed=5), found.resamples, strict=True):
        assert resample.kept == tuple(est.stepwise(sample, columns))
        fit = est.cox(sample, resample.kept)
        np.testing.assert_allclose(resample.beta, fit.estimates["beta"], rtol=1e-10)
        predicted = rows.assign(lp=rows[list(resample.kept)].to_numpy() @ resample.beta)
        slope = est.cox(predicted, ["lp"]).estimates.loc["lp", "beta"]
        assert resample.slope == pytest.approx(slope, rel=1e-8)


def test_noise_is_kept_about_as_often_as_a_resample_doubles_chance():
    """A resample counts some patients twice, so noise passes a level of 5% more often than that."""
    rows = made_rows(4, n=150, noise=8)
    found = sel.bootstrap(rows, factors_in(rows), 60, seed=1)
    table = found.inclusion()
    assert table.loc["strong", "share"] == 1
    assert table.loc["strong", "beta_kept"] == pytest.approx(1.2, abs=0.4)
    noise = table[table.index.str.startswith("noise")]
    assert 0.08 < noise["share"].mean() < 0.4
    kept = noise[noise["share"].between(0.02, 0.5)]
    assert (kept["beta_kept"].abs() > kept["beta_all"].abs()).mean() > 0.7
    assert found.optimism().slope < 1


# --- tables --------------------------------------------------------------------------------------


def by_hand() -> sel.Bootstrap:
    resample = sel.Resample
    return sel.Bootstrap(
        ("a", "b", "c"),
        ("b", "a"),
        pd.Series({"a": 0.5, "b": -0.2, "c": 0.1}),
        (
            resample(("b", "a"), np.array([-0.4, 0.6]), 0.7),
            resample(("a", "b"), np.array([1.0, -0.2]), 0.9),
            resample(("a",), np.array([0.8]), 0.8),
            resample((), np.empty(0), np.nan),
        ),
    )


def test_shuffling_parts_the_columns_from_survival_and_not_from_each_other(monkeypatch):
    seen: list[pd.DataFrame] = []

    class Spy:
        def __init__(self, rows: pd.DataFrame, columns: list[str]) -> None:
            seen.append(rows)

        def stepwise(self, level: float) -> list[str]:
            return []

    rows = reference_rows("gbsg")
    monkeypatch.setattr(sel, "CoxModels", Spy)
    assert list(sel.shuffled(rows, COLUMNS["gbsg"], 2, seed=1)) == [[], []]
    fixed = ["patient", "start", "stop", "event"]
    for after in seen:
        assert after[fixed].equals(rows[fixed])
        assert not after["age"].equals(rows["age"])
        assert after["age"].corr(after["pgr"]) == pytest.approx(rows["age"].corr(rows["pgr"]))
    assert not seen[0].equals(seen[1])


def test_columns_that_change_over_time_are_not_shuffled():
    with pytest.raises(ValueError, match="change over time"):
        next(sel.shuffled(reference_rows("heart"), COLUMNS["heart"], 1, seed=1))


def test_inclusion_by_hand():
    table = by_hand().inclusion()
    assert table["share"].to_dict() == {"a": 0.75, "b": 0.5, "c": 0}
    assert table["beta_kept"].round(12).to_dict() == pytest.approx(
        {"a": 0.8, "b": -0.3, "c": np.nan}, nan_ok=True
    )
    assert table["beta_all"].to_dict() == {"a": 0.5, "b": -0.2, "c": 0.1}
    assert table["whole"].to_dict() == {"a": True, "b": True, "c": False}


def test_models_by_hand():
    table = by_hand().models()
    assert table["model"].tolist() == [("a", "b"), ("a",), ()]
    assert table["share"].tolist() == [0.5, 0.25, 0.25]
    assert table["whole"].tolist() == [True, False, False]


def test_optimism_by_hand():
    found = by_hand().optimism()
    assert found.slope == pytest.approx(0.8)
    assert [found.lower, found.upper] == pytest.approx([0.705, 0.895])
    assert (found.resamples, found.used, found.empty) == (4, 3, 1)


# --- what must not break -------------------------------------------------------------------------


def test_candidates_that_never_vary_or_separate_break_no_resample():
    rows = made_rows(5, n=60, noise=1)
    rows["same"] = 1.0
    rows["rare"] = (rows["patient"] == 1000) * 1.0  # missing from a third of the resamples
    rows["never"] = rows["event"].where(rows["event"] == 0, 0) + (rows["patient"] % 9 == 0) * 1.0
    rows.loc[rows["never"] == 1, "event"] = 0
    found = sel.bootstrap(rows, factors_in(rows), 15, seed=1)
    table = found.inclusion()
    assert table.loc["same", "share"] == 0
    assert table.loc["never", "share"] == 0
    assert np.isnan(table["beta_all"]).all()  # `never` separates
    fit = est.cox(rows, ["strong", "noise0", "rare"]).estimates["beta"]
    varying = sel.bootstrap(rows, ["same", "strong", "noise0", "rare"], 2, seed=1).inclusion()
    assert np.isnan(varying.loc["same", "beta_all"])
    assert varying.loc[fit.index, "beta_all"].to_dict() == pytest.approx(fit.to_dict())
    assert found.optimism().used + found.optimism().empty == 15


def test_a_predictor_that_separates_has_no_slope():
    data = pd.DataFrame({"patient": range(6), "start": -np.inf, "stop": [1.0, 2, 3, 4, 5, 6],
                         "event": [1, 1, 1, 0, 0, 0], "x": [1.0, 1, 1, 0, 0, 0]})  # fmt: skip
    assert np.isnan(sel._Calibration(data, ["x"]).slope(["x"], np.array([0.7])))


def test_without_events_every_model_is_empty():
    rows = made_rows(6, n=30).assign(event=0)
    found = sel.bootstrap(rows, factors_in(rows), 4, seed=1)
    assert (found.inclusion()["share"] == 0).all()
    assert found.optimism().empty == 4
    assert np.isnan(found.optimism().slope)


def test_a_resample_without_the_only_event_is_empty():
    rows = made_rows(7, n=12, noise=1)
    rows["event"] = ((rows["patient"] == 1003) & ~rows["patient"].duplicated(keep="last")) * 1
    assert rows["event"].sum() == 1
    drawn = list(sel.draws(rows, 12, seed=1))
    assert any(sample["event"].sum() == 0 for sample in drawn)
    assert len(sel.bootstrap(rows, ["strong", "noise0"], 12, seed=1).resamples) == 12


@pytest.mark.parametrize(("columns", "resamples"), [(["strong"], 0), ([], 3)])
def test_no_resample_or_no_candidate_is_refused(columns, resamples):
    with pytest.raises(ValueError, match="at least one"):
        sel.bootstrap(made_rows(8), columns, resamples, seed=1)


# --- ridge ---------------------------------------------------------------------------------------


def test_next_to_no_penalty_is_the_cox_model_and_a_huge_one_nothing():
    rows, columns = reference_rows("heart"), COLUMNS["heart"]
    free, none = sel.ridge(rows, columns, 1e-9), sel.ridge(rows, columns, 1e9)
    fit = est.cox(rows, columns)
    np.testing.assert_allclose(free.estimates, fit.estimates, rtol=1e-6)
    assert free.degrees_of_freedom == pytest.approx(3)
    assert free.log_likelihood == pytest.approx(fit.log_likelihood)
    assert none.estimates["beta"].abs().max() < 1e-6
    assert none.degrees_of_freedom == pytest.approx(0, abs=1e-6)
    assert none.log_likelihood == pytest.approx(est.null_log_likelihood(rows))


def test_the_unit_of_a_column_does_not_matter_to_a_ridge():
    rows, columns = reference_rows("heart"), COLUMNS["heart"]
    years = sel.ridge(rows, columns, 20).estimates
    days = sel.ridge(rows.assign(age=365.25 * rows["age"]), columns, 20).estimates
    assert days.loc["age", "beta"] * 365.25 == pytest.approx(years.loc["age", "beta"])
    assert days.loc["surgery", "beta"] == pytest.approx(years.loc["surgery", "beta"])


def test_a_factor_that_separates_has_a_ridge_estimate_and_one_that_never_varies_has_none():
    data = pd.DataFrame({"patient": range(6), "start": -np.inf, "stop": [1.0, 2, 3, 4, 5, 6],
                         "event": [1, 1, 1, 0, 0, 0], "x": [1.0, 1, 1, 0, 0, 0],
                         "same": 1.0})  # fmt: skip
    fit = sel.ridge(data, ["same", "x"], 1.0)
    assert fit.estimates.loc["x", "beta"] > 0
    assert fit.estimates.loc["same"].isna().all()
    assert (fit.n, fit.events) == (6, 3)
    nobody = sel.ridge(data.assign(event=0), ["x"], 1.0)
    assert nobody.estimates.isna().all(axis=None)
    assert sel.ridge_chosen(data.assign(event=0), ["x"], folds=2).estimates.isna().all(axis=None)


def test_the_chosen_penalty_is_a_top_of_the_cross_validated_likelihood():
    rows, columns = reference_rows("heart"), COLUMNS["heart"]
    fit = sel.ridge_chosen(rows, columns, folds=5, seed=3)
    number, patients = pd.factorize(rows["patient"])
    fold = np.random.default_rng(3).permutation(np.arange(len(patients)) % 5)[number]
    values = [
        sel.cross_validated(rows, columns, fit.penalty * factor, fold) for factor in (0.8, 1, 1.25)
    ]
    assert max(values) == values[1]
    assert not fit.at_the_edge
    assert sel.ridge_chosen(rows, columns, folds=5, seed=3).penalty == fit.penalty
    assert sel.ridge_chosen(rows, columns, folds=5, seed=4).penalty != fit.penalty


def test_noise_alone_is_shrunk_to_the_edge_and_a_strong_factor_is_not():
    rows = made_rows(9, n=150)
    noise = [c for c in rows if c.startswith("noise")]
    shrunk, strong = (sel.ridge_chosen(rows, c, folds=5) for c in (noise, ["strong", "later"]))
    assert shrunk.penalty > 20 * strong.penalty
    assert shrunk.at_the_edge
    assert shrunk.penalty == pytest.approx(100 * shrunk.events)
    assert not strong.at_the_edge


def test_a_penalty_of_0_and_too_many_folds_are_refused():
    rows = made_rows(10, n=20)
    for penalty in (0, -1, np.nan):
        with pytest.raises(ValueError, match="above 0"):
            sel.ridge(rows, ["strong"], penalty)
    for folds in (1, 21):
        with pytest.raises(ValueError, match="folds"):
            sel.ridge_chosen(rows, ["strong"], folds=folds)
