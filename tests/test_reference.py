"""Every estimate of the shipped datasets against R's, frozen by tests/reference/reference.R."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from inprocess import results_of
from lifelines.datasets import load_stanford_heart_transplants
from lifelines.statistics import multivariate_logrank_test

from analysis import survival as est
from analysis.dataset.covariates import at_landmark, covariate_rows
from analysis.dataset.endpoints import endpoint
from analysis.dataset.model import Factor, load
from analysis.methods.agreement import big, small_cases
from analysis.survival import fine_gray

REFERENCE = Path(__file__).parent / "reference"
KEYS = ["quantity", "group", "months"]
TOLERANCE = 1e-8  # relative; the methods are the same, the sums run in another order
DATASETS = ("blinatumomab", "bmt", "myeloid")


@pytest.fixture(scope="module", params=DATASETS)
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def dataset(name):
    return load(f"data/{name}")


@pytest.fixture(scope="module")
def reference(name) -> pd.DataFrame:
    return pd.read_csv(REFERENCE / f"{name}.csv")


@pytest.mark.parametrize("page", ["figure_1a", "figure_1b", "figure_1c", "figure_1d", "table_3"])
def test_page_equals_r(name, reference, page):
    expected = reference[reference["page"] == page]
    assert len(expected) > 0
    ours = results_of(f"data/{name}")[page]
    found = expected.merge(ours, on=KEYS, how="left", suffixes=("_r", ""), validate="one_to_one")
    for part in ("estimate", "lower", "upper", "n", "events"):
        np.testing.assert_allclose(
            found[part].astype(float),
            found[f"{part}_r"].astype(float),
            rtol=TOLERANCE,
            atol=1e-12,
            err_msg=f"{page} {part}\n{found[KEYS].to_string()}",
        )


def test_every_factor_and_model_has_its_reference(name, reference):
    """R chose the same multivariate models, and no factor of ours is unchecked."""
    ours = results_of(f"data/{name}")["table_3"]
    # Yes and no follow from the P values; the postbaseline models are checked by name below.
    checked = ours[~ours["quantity"].isin(["associated", "kept"])]
    checked = checked[~checked["quantity"].str.endswith("_postbaseline")]
    expected = reference[reference["page"] == "table_3"]
    assert set(zip(checked["quantity"], checked["group"], strict=True)) == set(
        zip(expected["quantity"], expected["group"], strict=True)
    )


# --- the published values that a statistician knows by heart -----------------------------------


@pytest.fixture(scope="module")
def known() -> pd.Series:
    table = pd.read_csv(REFERENCE / "known.csv")
    return table.set_index(["dataset", "name"])["value"]


@pytest.fixture(scope="module")
def myeloid():
    return load("data/myeloid")


def test_myeloid_response_and_transplant_together(myeloid):
    """Time-dependent, transplant goes with a higher hazard: the immortal-time lesson."""
    question = endpoint(myeloid, "os")
    both = [f for f in myeloid.factors if f.kind == "postbaseline"]
    fit = est.cox(covariate_rows(myeloid, question, both), [f.column for f in both])
    assert fit.estimates.loc["response_day", "beta"] == pytest.approx(-0.587946, abs=5e-7)
    assert fit.estimates.loc["hsct_day", "beta"] == pytest.approx(0.447637, abs=5e-7)
    shown = results_of("data/myeloid")["table_3"].set_index(["quantity", "group"])["estimate"]
    assert round(shown["hazard_ratio_postbaseline", "os:hsct_day"], 2) == 1.56
    assert round(shown["hazard_ratio_postbaseline", "os:response_day"], 2) == 0.56


def test_myeloid_transplant_as_if_known_from_the_start(myeloid):
    """The naive fixed covariates, wrong on purpose: 0.61 and 0.34."""
    patients = myeloid.patients
    rows = pd.DataFrame(
        {
            "patient": patients.index,
            "start": -np.inf,
            "stop": patients["last_contact_day"],
            "event": patients["died"].eq("yes").astype(int),
            "hsct": patients["hsct_day"].notna() * 1.0,
            "cr": patients["response_day"].notna() * 1.0,
        }
    )
    ratios = est.cox(rows, ["hsct", "cr"]).summary()["hazard_ratio"].round(2)
    assert list(ratios) == [0.61, 0.34]


def test_myeloid_survival(myeloid):
    os, rfs = endpoint(myeloid, "os"), endpoint(myeloid, "rfs")
    curve = est.survival_curve(os.time, os.observed)
    assert est.median(curve)[:2] == (1220, 823)
    assert np.isnan(est.median(curve)[2])
    assert est.follow_up(os.time, os.observed) == (1745, 1717, 1809)
    assert est.median(est.survival_curve(rfs.time, rfs.observed)) == (603, 474, 954)


def test_myeloid_relapse_is_overstated_by_one_minus_survival(myeloid):
    question = endpoint(myeloid, "relapse")
    years = [365, 730, 1095]
    incidence = est.at(est.cumulative_incidence(question.time, question.observed, 1), years)
    naive = est.at(est.survival_curve(question.time, question.observed == 1), years)
    assert list((100 * incidence["incidence"]).round(1)) == [30.6, 43.5, 45.3]
    assert list((100 - 100 * naive["survival"]).round(1)) == [31.8, 46.1, 48.2]


def test_myeloid_response_by_a_landmark(myeloid):
    """Fixed at day 90 among those still followed then, response has its own ratio."""
    patients = myeloid.patients[myeloid.patients["last_contact_day"] >= 90]
    rows = pd.DataFrame(
        {
            "patient": patients.index,
            "start": -np.inf,
            "stop": patients["last_contact_day"],
            "event": patients["died"].eq("yes").astype(int),
            "cr": (patients["response_day"] <= 90) * 1.0,
        }
    )
    fit = est.cox(rows, ["cr"])
    assert fit.n == 582
    assert round(fit.summary().loc["cr", "hazard_ratio"], 2) == 0.61


def test_stanford_heart_transplants():
    """Crowley & Hu's data: transplant in time, and as if known from the start."""
    heart = load_stanford_heart_transplants().rename(columns={"id": "patient"})
    fit = est.cox(heart, ["transplant"]).estimates.loc["transplant"]
    assert [round(fit["beta"], 4), round(fit["se"], 4)] == [0.1271, 0.3011]
    by_patient = heart.groupby("patient")
    naive = by_patient.agg(stop=("stop", "max"), event=("event", "max"), x=("transplant", "max"))
    naive = naive.reset_index().assign(start=-np.inf)
    assert round(est.cox(naive, ["x"]).summary().loc["x", "hazard_ratio"], 2) == 0.27


def test_bmt_relapse_free_survival_by_disease():
    bmt = load("data/bmt")
    rfs = endpoint(bmt, "rfs").data
    test = multivariate_logrank_test(rfs["time"], bmt.patients["disease"], rfs["event"])
    assert round(test.test_statistic, 2) == 13.80
    medians = {
        disease: est.median(est.survival_curve(group["time"], group["event"]))[0]
        for disease, group in rfs.groupby(bmt.patients["disease"])
    }
    assert medians == {"ALL": 418, "AML low risk": 2204, "AML high risk": 183}


@pytest.mark.parametrize("endpoint_name", ["os", "rfs"])
def test_among_and_before_equal_r(known, myeloid, endpoint_name):
    """Neither dataset's own factors use `among` with `before`, so a made-up factor does."""
    factor = Factor("hsct_day", "HSCT", "postbaseline", among="response_day", before="relapse_day")
    question = endpoint(myeloid, endpoint_name)
    fit = est.cox(covariate_rows(myeloid, question, [factor]), ["hsct_day"])
    ours = {**fit.summary().loc["hsct_day"], "n": fit.n, "events": fit.events}
    ours["hr"], ours["hr_lower"], ours["hr_upper"] = (
        ours.pop(part) for part in ("hazard_ratio", "lower", "upper")
    )
    for part, value in ours.items():
        expected = known["myeloid", f"{endpoint_name}_hsct_among_response_before_relapse_{part}"]
        assert value == pytest.approx(expected, rel=TOLERANCE), part


def test_a_mean_without_an_event_has_no_interval_where_r_gives_an_error_of_0(known):
    question = endpoint(load("data/bmt"), "os")
    later = (question.observed == 0) | (question.time > 1461)
    curve = est.survival_curve(question.time[later], question.observed[later])
    mean, error = est.restricted_mean(curve, 1461)
    assert mean == pytest.approx(known["bmt", "mean_without_event"], rel=TOLERANCE)
    assert known["bmt", "mean_without_event_se"] == 0
    assert np.isnan(error)


@pytest.mark.parametrize("endpoint_name", ["os", "rfs"])
def test_stepwise_from_all_factors_equals_r(known, endpoint_name):
    """With every factor a candidate, most must stay out."""
    bmt = load("data/bmt")
    question = endpoint(bmt, endpoint_name)
    columns = [f.column for f in bmt.factors]
    rows = covariate_rows(bmt, question, bmt.factors)
    kept = est.stepwise(rows, columns)
    start = f"{endpoint_name}_stepwise_of_all_hr_"
    expected = {k.removeprefix(start): v for k, v in known["bmt"].items() if k.startswith(start)}
    assert 0 < len(expected) < len(columns)
    ours = est.cox(rows, kept).summary()["hazard_ratio"]
    assert ours.to_dict() == pytest.approx(expected, rel=TOLERANCE)


# --- the estimators that only the lessons need, frozen by tests/reference/lessons.R --------------


def _first_of_two(patients: pd.DataFrame, first: tuple[str, str], last: tuple[str, str]):
    came = patients[first[1]] == 1
    time = patients[last[0]].mask(came, patients[first[0]])
    return time.to_numpy(), np.where(came, 1, 2 * patients[last[1]])


def _competing_case(name: str, case: str) -> tuple[np.ndarray, np.ndarray, pd.DataFrame]:
    """Times, causes and factors of a case of `fine_gray`."""
    if name in DATASETS:
        rows = _rows_of_case(name, case)
        return rows["stop"], rows["event"], rows[_factors_of(case)]
    if name == "mgus2":
        patients = pd.read_csv(REFERENCE / "data" / "mgus2.csv")
        time, event = _first_of_two(patients, ("ptime", "pstat"), ("futime", "death"))
        x = pd.DataFrame({"age": patients["age"], "sex": patients["sex"].eq("M") * 1.0})
        return (time // 12 if "by year" in case else time), event, x
    if name == "big":
        patients = big().head(2000)
        i = np.arange(2000)
        time = (7919 * i % 99991) % 1500 * (2 + patients["x"]) // 300
        return time, patients["event"], patients[["x", "z"]]
    last = small_cases(REFERENCE)[name].drop_duplicates("patient", keep="last")
    return last["stop"], last["event"], last[["x"]]


def _factors_of(case: str) -> list[str]:
    return case.split(": ")[1].split(" from ")[0].split(" + ")


def _rows_of_case(name: str, case: str) -> pd.DataFrame:
    """Start-stop rows of a case."""
    if name in DATASETS:
        made = load(f"data/{name}")
        factors = [f for f in made.factors if f.column in _factors_of(case)]
        return covariate_rows(made, endpoint(made, case.split(": ")[0]), factors)
    if name == "heart":
        return pd.read_csv(REFERENCE / "data" / "heart.csv").rename(columns={"id": "patient"})
    if name == "gbsg":
        patients = pd.read_csv(REFERENCE / "data" / "gbsg.csv")
        columns = {"pid": "patient", "rfstime": "stop", "status": "event"}
        return patients.rename(columns=columns).assign(start=-np.inf)
    rows = small_cases(REFERENCE)[name]
    return rows.assign(event=(rows["event"] > 0) * 1)


def _fine_gray(name: str, case: str, at: pd.Series) -> dict:
    time, event, x = _competing_case(name, case)
    found = {}
    for cause in at.unique():
        fit = fine_gray(time, event, int(cause), x)
        for column, row in fit.estimates.iterrows():
            found[f"beta:{column}", cause] = row["beta"]
            found[f"se:{column}", cause] = row["se"]
        found["loglik", cause] = fit.log_likelihood
    return found


def _switching_curves(name: str, case: str, at: pd.Series) -> dict:
    _, _, landmark = case.partition(" from ")
    rows, (column,) = _rows_of_case(name, case), _factors_of(case)
    curves = est.switching_curves(rows, column, float(landmark or -np.inf))
    parts = ["survival", "lower", "upper", "at_risk", "events"]
    return {
        (f"{part}_{state}", time): value
        for state, curve in curves.items()
        for part in parts
        for time, value in curve[part].items()
    }


def _restricted_mean_difference(name: str, case: str, at: pd.Series) -> dict:
    rows, (column,) = _rows_of_case(name, case), _factors_of(case)
    found = {}
    for horizon in at.unique():
        difference = est.restricted_mean_difference(
            rows["stop"], rows["event"], rows[column], horizon
        )
        found |= {(part, horizon): value for part, value in vars(difference).items()}
    return found


def _survival_difference(name: str, case: str, at: pd.Series) -> dict:
    rows, (column,) = _rows_of_case(name, case), _factors_of(case)
    curves = [
        est.survival_curve(side["stop"], side["event"])
        for side in (rows[rows[column] == 1], rows[rows[column] == 0])
    ]
    found = {}
    for horizon in at.unique():
        difference = est.difference(*(est.survival_at(curve, horizon) for curve in curves))
        found |= {(part, horizon): value for part, value in vars(difference).items()}
    return found


def _landmark(name: str, case: str, at: pd.Series) -> dict:
    rows, (column,) = _rows_of_case(name, case), _factors_of(case)
    found = {}
    for day in at.unique():
        still = at_landmark(rows, column, day)
        fit = est.cox(still, [column])
        values = {**fit.estimates.loc[column], "p": fit.summary().loc[column, "p"]}
        values |= {"n": fit.n, "events": fit.events, "switched": still[column].sum()}
        found |= {(quantity, day): value for quantity, value in values.items()}
    return found


OF_LESSONS = {
    "fine_gray": _fine_gray,
    "switching_curves": _switching_curves,
    "restricted_mean_difference": _restricted_mean_difference,
    "survival_difference": _survival_difference,
    "landmark": _landmark,
}


@pytest.fixture(scope="module")
def lessons() -> pd.DataFrame:
    return pd.read_csv(REFERENCE / "lessons.csv", float_precision="round_trip")


def _against_r(ours: np.ndarray, theirs: pd.DataFrame) -> None:
    np.testing.assert_allclose(
        np.asarray(ours, dtype=float),
        theirs["value"],
        rtol=TOLERANCE,
        atol=1e-10,
        err_msg=theirs.to_string(),
    )


@pytest.mark.parametrize("estimator", OF_LESSONS)
def test_a_lesson_equals_r(lessons, estimator):
    expected = lessons[lessons["estimator"] == estimator]
    assert expected["value"].notna().sum() > 50
    for (name, case), theirs in expected.groupby(["dataset", "case"]):
        ours = OF_LESSONS[estimator](name, case, theirs["at"])
        _against_r(
            [ours[key] for key in zip(theirs["quantity"], theirs["at"], strict=True)], theirs
        )


def test_residuals_equal_r_event_by_event(lessons):
    """Also the order of events that share a time, and the times."""
    expected = lessons[lessons["estimator"] == "schoenfeld_residuals"]
    assert expected["dataset"].nunique() > 10
    for (name, case, column), theirs in expected.groupby(["dataset", "case", "quantity"]):
        ours = est.schoenfeld(_rows_of_case(name, case), _factors_of(case))[column]
        assert list(ours.index) == list(theirs["at"])
        _against_r(ours, theirs)
