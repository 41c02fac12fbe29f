"""Models of any study: factors of levels, splines, models that are listed, parts of the patients.

The values of R are frozen by tests/reference/groups.R in models.csv, as rows of a page.
"""

from __future__ import annotations

import inspect
import json
import re
import shutil
import types
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from inprocess import run
from scipy import stats
from test_agreement import holding, put_in_place
from test_dataset import field, folder
from test_declared import made

from analysis import survival as est
from analysis.course import keys_09
from analysis.dataset.covariates import covariate_rows
from analysis.dataset.definitions import Compare
from analysis.dataset.endpoints import endpoint
from analysis.dataset.model import ROOT, Factor, load
from analysis.page.rows import frame
from analysis.sharing import facts
from analysis.sharing.study import Study
from analysis.study import advice
from analysis.study.groups import group_fit, groups
from analysis.study.models import factor_endpoints, factor_results, of_the_event, ratio_labels
from analysis.study.named import factor_of, named_results
from analysis.study.splines import bend, spline_results
from analysis.study.subgroups import splits, subgroup_results

REFERENCE = ROOT / "tests" / "reference"
R = pd.read_csv(REFERENCE / "models.csv", float_precision="round_trip", keep_default_na=False,
                na_values={name: "" for name in ("estimate", "lower", "upper")})  # fmt: skip
TOLERANCE = 1e-7  # relative, and absolute below 1e-4
SURV = {"name": "surv", "title": "Survival", "events": ["died"], "entry": "entry_day"}
FACTORS = [
    {"column": "age", "kind": "baseline"},
    {"column": "nodes", "kind": "baseline", "form": "spline"},
    {"column": "male", "kind": "baseline", "numerator": ["male"], "denominator": ["female"]},
    {"column": "extent", "kind": "baseline", "reference": "1"},
    {"column": "arm", "kind": "baseline", "reference": "Obs"},
]
MODEL = {"endpoint": "surv", "title": "Adjusted", "factors": ["arm", "age", "nodes"]}


@pytest.fixture(scope="module")
def colon_folder(tmp_path_factory):
    """The deaths of colon as groups.R has them: every third patient is seen from a later day on."""
    rows = pd.read_csv(REFERENCE / "data" / "colon.csv")
    late = (rows["id"] % 100).where(rows["id"] % 3 == 0, 0)
    table = pd.DataFrame(
        {
            "patient_id": rows["id"],
            "arm": rows["rx"],
            "male": rows["sex"].map({1: "male", 0: "female"}),
            "extent": rows["extent"],
            "age": rows["age"],
            "nodes": rows["nodes"].astype("Int64"),
            "entry_day": late,
            "last_contact_day": rows["time"],
            "died": rows["status"].map({1: "yes", 0: "no"}),
        }
    )
    fields = [
        field("patient_id"),
        field("arm", enum=["Obs", "Lev", "Lev+5FU"]),
        field("male"),
        *(field(name, "integer") for name in ("extent", "age", "nodes")),
        *(field(name, "integer") for name in ("entry_day", "last_contact_day")),
        field("died", enum=["yes", "no"]),
    ]
    analysis = {
        "time_origin": "randomisation",
        "endpoints": [SURV],
        "factors": FACTORS,
        "compare": {"column": "arm", "reference": "Obs", "randomised": True},
        "models": [{**MODEL, "strata": ["male"]}],
    }
    return folder(
        tmp_path_factory.mktemp("made") / "colon", table.to_csv(index=False), fields, analysis
    )


@pytest.fixture(scope="module")
def colon(colon_folder):
    return load(colon_folder)


@pytest.fixture(scope="module")
def myeloid():
    """The shipped dataset, its arms and mutations as levels."""
    data = load("data/myeloid")
    sides = {"numerator": (), "denominator": ()}
    changed = {
        "arm": {"reference": "Arm A", "levels": ("Arm A", "Arm B")},
        "flt3": {"reference": "FLT3 A", "levels": ("FLT3 A", "FLT3 B", "FLT3 C")},
    }
    factors = tuple(
        replace(f, **sides, **changed[f.column]) if f.column in changed else f
        for f in data.factors
        if f.kind == "baseline"
    )
    return replace(data, factors=factors, compare=Compare("arm", "Arm A", True))


def recorded(data, name):
    """What the pages of an endpoint record of its models."""
    question = endpoint(data, name)
    parts = groups(data, question, data.compared())
    return pd.concat(
        [
            factor_results(data, question),
            frame(spline_results(data, question)),
            frame(named_results(data)),
            frame(subgroup_results(data, parts, [*splits(data, parts)])),
        ]
    )


def differences(data, case, name):
    """How far each row of R is from ours; without ours, or with one blank, infinitely far."""
    ours = recorded(data, name)
    if case == "myeloid":  # R's column of the sexes has another name, its levels are the source's
        ours["group"] = ours["group"].str.replace(":sex", ":male")
        ours["group"] = ours["group"].str.replace("=Arm |=FLT3 ", "=", regex=True)
    theirs = R[R["case"].eq(case) & R["quantity"].ne("p_entry")]
    both = theirs.merge(ours, how="left", on=["quantity", "group"], suffixes=("", "_ours"))
    found = {}
    for part in ("estimate", "lower", "upper"):
        expected, own = both[part], both[f"{part}_ours"]
        apart = (own - expected).abs() / expected.abs().clip(lower=1e-4)
        found[part] = apart.mask(own.isna() & expected.isna(), 0).fillna(np.inf)
    return pd.DataFrame(found).set_index([both["quantity"], both["group"]])


@pytest.mark.parametrize(("case", "name"), [("colon", "surv"), ("myeloid", "os")])
def test_every_ratio_and_test_of_r_is_ours(case, name, request):
    found = differences(request.getfixturevalue(case), case, name)
    assert len(found) > 30
    assert (found < TOLERANCE).all(axis=None), found[found.ge(TOLERANCE).any(axis=1)]


@pytest.mark.parametrize(("case", "name"), [("colon", "surv"), ("myeloid", "os")])
def test_selection_keeps_the_terms_that_r_keeps(case, name, request):
    ours = recorded(request.getfixturevalue(case), name)
    kept = ours[ours["quantity"].eq("kept") & ours["estimate"].eq(1)]["group"]
    rows = R[R["case"].eq(case) & R["quantity"].eq("p_multivariate")]["group"]
    assert {group for group in rows if "=" not in group} == set(kept)
    associated = ours[ours["quantity"].eq("associated") & ours["estimate"].eq(1)]["group"]
    rows = R[R["case"].eq(case) & R["quantity"].eq("p_unselected")]["group"]
    assert {group for group in rows if "=" not in group} == set(associated)


@pytest.mark.parametrize("group", R.loc[R["quantity"].eq("p_entry"), "group"])
def test_a_term_enters_by_the_score_test_of_all_its_columns(group, colon):
    by_column = {factor.column: factor for factor in colon.factors}
    *kept, term = group.split()
    chosen = [by_column[column] for column in (*kept, term)]
    rows = covariate_rows(colon, endpoint(colon, "surv"), chosen)
    models = est.CoxModels(rows, {f.column: list(f.columns) for f in chosen})
    expected = R.loc[R["group"].eq(group) & R["quantity"].eq("p_entry"), "estimate"].item()
    assert models.score_p(kept, [term])[0] == pytest.approx(expected, rel=TOLERANCE)


BROKEN = {
    "a joint test as if the columns were apart": (
        "own @ np.linalg.solve(covariance[np.ix_(places, places)], own)",
        "own @ (own / np.diag(covariance)[places])",
    ),
    "a joint test of one degree": ("stats.chi2.sf(chi2, len(places))", "stats.chi2.sf(chi2, 1)"),
    "a band without covariances": (
        '"ij,jk,ik->i", moved, own, moved',
        '"ij,j,ij->i", moved, own.diagonal(), moved',
    ),
    "against another value": ("spline(np.array([against]), knots)", "spline(at[:1], knots)"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_estimator_differs_from_r(name, colon, monkeypatch):
    right, wrong = BROKEN[name]
    module = holding(est, right)
    text = inspect.getsource(module)
    assert text.count(right) == 1, "the mutation must name one place"
    broken = types.ModuleType(module.__name__)
    broken.__package__ = module.__package__
    exec(compile(text.replace(right, wrong), module.__file__, "exec"), vars(broken))
    put_in_place(module, broken, monkeypatch)
    assert differences(colon, "colon", "surv").max().max() > 1e-3


def test_a_term_goes_as_a_whole():
    """A proxy of two columns enters first, and says nothing beside what it stood for."""
    random = np.random.default_rng(5)
    n = 400
    cause = random.normal(size=(n, 2))
    proxy = cause.sum(axis=1, keepdims=True) + random.normal(scale=0.6, size=(n, 2))
    days = random.exponential(np.exp(-cause.sum(axis=1)))
    rows = pd.DataFrame({"patient": range(n), "start": -np.inf, "stop": days, "event": 1})
    rows[["a", "b"]], rows[["p", "q"]] = cause, proxy
    terms = {"proxy": ["p", "q"], "a": ["a"], "b": ["b"]}
    first = est.CoxModels(rows, terms).score_p([], list(terms))
    assert first.argmin() == 0
    assert set(est.stepwise(rows, terms)) == {"a", "b"}


def test_the_score_test_of_one_column_is_the_same_either_way():
    random = np.random.default_rng(1)
    rows = pd.DataFrame({"patient": range(60), "start": -np.inf, "event": 1})
    rows["stop"], rows["x"], rows["y"] = random.exponential(size=60), *random.normal(size=(2, 60))
    models = est.CoxModels(rows, ["x", "y"])
    alone = models.score_p(["x"], ["y"])[0]
    beta = np.array([models.fit(["x"]).beta[0], 0]) * models._scale
    _, gradient, information = models._likelihood.at(beta)
    joint = gradient @ np.linalg.solve(information, gradient)
    assert est.CoxModels(rows, {"x": ["x"], "y": ["y"]}).score_p(["x"], ["y"])[0] == alone
    assert joint == pytest.approx(stats.chi2.isf(alone, 1), rel=1e-9)


# --- columns and levels --------------------------------------------------------------------------


def test_no_level_has_the_name_of_another_column(tmp_path):
    """A level may be called as the rows' own columns are; no column of a dataset has an =."""
    fields = [field("patient_id"), field("level"), field("last_contact_day", "integer"),
              field("died")]  # fmt: skip
    csv = "patient_id,level,last_contact_day,died\na,event,5,yes\nb,stop,6,no\nc,x=y,7,yes\n"
    factors = [{"column": "level", "kind": "baseline", "reference": "stop"}]
    data = load(folder(tmp_path, csv, fields, {"factors": factors}))
    rows = covariate_rows(data, endpoint(data, "os"), data.factors)
    assert rows[["level=event", "level=x=y"]].to_numpy().tolist() == [[1, 0], [0, 0], [0, 1]]
    assert rows["event"].tolist() == [1, 0, 1]


def test_who_has_no_known_level_is_in_no_model(tmp_path):
    data = load(
        made(
            tmp_path,
            {"site": ""},
            {"site": "x"},
            {"site": "y"},
            factors=[{"column": "site", "kind": "baseline", "reference": "x"}],
        )
    )
    rows = covariate_rows(data, endpoint(data, "dfs"), data.factors)
    assert rows["site=y"].tolist() == [0, 1]


def test_a_level_that_nobody_has_leaves_the_others_their_ratios(colon):
    arm = next(f for f in colon.factors if f.column == "arm")
    more = replace(arm, levels=(*arm.levels, "Nobody"))
    one, other = (
        factor_results(replace(colon, factors=(factor,)), endpoint(colon, "surv")).set_index(
            ["quantity", "group"]
        )["estimate"]
        for factor in (arm, more)
    )
    assert np.isnan(other["hazard_ratio_univariate", "surv:arm=Nobody"])
    assert one.equals(other[one.index])


def test_a_factor_of_levels_is_one_test_and_each_level_one_line(colon):
    question = endpoint(colon, "surv")
    found = factor_results(colon, question)
    tested = found[found["quantity"].eq("associated")]["group"].tolist()
    assert tested == [f"surv:{factor.column}" for factor in colon.factors]
    labels = ratio_labels(colon, question)
    assert labels["surv:arm=Lev"] == "arm (Lev/Obs)" and labels["surv:age"] == "age"
    ratios = found[found["quantity"].eq("hazard_ratio_univariate")]["group"].tolist()
    assert ratios == list(labels)


def test_what_competes_ends_the_time_at_risk():
    rows = pd.DataFrame({"event": [0, 1, 2]})
    assert of_the_event(rows)["event"].tolist() == [0, 1, 0]


def test_an_endpoint_in_which_something_competes_is_asked_where_a_factor_names_it(tmp_path):
    rows = [{"age": 40 + n, "recurrence_day": 10 + n if n % 2 else "", "died": "yes",
             "last_contact_day": 60 + n} for n in range(12)]  # fmt: skip
    factor = {"column": "age", "kind": "baseline"}
    asked = load(made(tmp_path / "a", *rows, factors=[factor]))
    assert [question.name for question in factor_endpoints(asked)] == ["dfs"]
    named = load(made(tmp_path / "b", *rows, factors=[{**factor, "endpoints": ["ttr"]}]))
    (question,) = factor_endpoints(named)
    found = factor_results(named, question)
    assert found.loc[found["quantity"].eq("hazard_ratio_univariate"), "events"].item() == 6


# --- splines -------------------------------------------------------------------------------------


def rows_of(values):
    n = len(values)
    days = np.arange(1, n + 1)
    return pd.DataFrame({"patient": days, "start": -np.inf, "stop": days, "event": 1, "x": values})


@pytest.mark.parametrize(
    ("values", "knots"), [(range(100), 4), (range(99), 3), ([1] * 80 + [*range(2, 40)], 0)]
)
def test_few_patients_or_values_have_fewer_bends(values, knots):
    found = bend(rows_of(np.array(values, dtype=float)), "x")
    assert (len(found.knots) if found else 0) == knots


def test_a_spline_says_nothing_of_single_patients(colon):
    """Its values are quantiles between the 5th and the 95th; no end of the range is shown."""
    found = frame(spline_results(colon, endpoint(colon, "surv")))
    at = found["group"].str.extract(r"@(.*)")[0].dropna().astype(float)
    nodes = colon.patients["nodes"]
    assert 4 <= len(at) <= 9 and nodes.min() <= at.min() and at.max() < nodes.max()
    assert nodes.median() not in at.tolist()


# --- models that a dataset lists ------------------------------------------------------------------


def test_a_column_of_a_named_model_is_what_its_values_are(colon):
    none = replace(colon, factors=())
    assert factor_of(none, "arm").others == ("Lev", "Lev+5FU")  # as compared
    assert factor_of(none, "male").reference == "female"  # its first level
    assert factor_of(none, "nodes") == Factor("nodes", "nodes", "baseline")
    assert factor_of(colon, "nodes").form == "spline"  # as declared


def test_a_model_counts_what_it_estimates(colon):
    found = frame(named_results(colon)).set_index(["quantity", "group"])
    row = found.loc[("number_of_ratios", "surv|Adjusted")]
    assert (row["estimate"], row["n"]) == (6, colon.patients["nodes"].notna().sum())


def test_a_group_without_an_event_leaves_the_others_their_ratio():
    """As `coxph` of survival 3.8, whose ratio of b nears 0."""
    group = np.repeat(["a", "b", "c"], 4)
    rows = pd.DataFrame(
        {
            **{"patient": range(12), "start": -np.inf},
            "stop": [2.0, 5, 7, 9, 3, 4, 8, 10, 1, 6, 11, 12],
            "event": [1, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 1],
            **{level: (group == level) * 1.0 for level in "bc"},
        }
    )
    fit, kept = group_fit(rows, ["b", "c"])
    assert fit.estimates.loc["c"].tolist() == pytest.approx([-1.23148744007, 1.17055399229])
    assert (fit.n, fit.events, len(kept)) == (12, 6, 8)
    none, _ = group_fit(rows.assign(event=group == "a"), ["b", "c"])
    assert none.estimates["beta"].isna().all()


# --- parts of the patients -----------------------------------------------------------------------


def parts_of(data, mask_below=0):
    data = replace(data, mask_below=mask_below)
    parts = groups(data, endpoint(data, "surv"), data.compared())
    return data, parts, [*splits(data, parts)]


def test_each_part_has_its_patients_and_together_they_are_all(colon):
    data, parts, found = parts_of(colon)
    rows = frame(subgroup_results(data, parts, found))
    assert [split.factor.column for split in found] == ["age", "nodes", "male", "extent"]
    for split in found:
        ratios = rows[rows["group"].str.startswith(f"surv|arm=Lev:{split.factor.column}=")]
        whole = rows[rows["group"].eq(f"surv|arm:{split.factor.column}")].iloc[0]
        assert ratios[["n", "events"]].sum().tolist() == whole[["n", "events"]].tolist()


def test_a_small_part_hides_the_counts_of_all(colon):
    """21 patients have the first extent: their number is all less those of the others."""
    data, parts, found = parts_of(colon, mask_below=25)
    rows = frame(subgroup_results(data, parts, found))
    ratios = rows[rows["quantity"].eq("hazard_ratio_subgroup")]
    assert ratios[ratios["group"].str.contains("extent")]["n"].isna().all()
    assert ratios[ratios["group"].str.contains("male")]["n"].notna().all()


def test_without_the_reference_group_there_are_no_parts(colon):
    data = replace(colon, compare=Compare("arm", "Nobody"))
    parts = groups(data, endpoint(data, "surv"), data.compare)
    assert [*splits(data, parts)] == []


# --- on the pages --------------------------------------------------------------------------------


def test_the_page_of_models_shows_all_of_them(colon_folder, tmp_path):
    page = run("table_3", colon_folder, tmp_path)
    table = page.table("Table 3. Factors and outcomes")
    headings = [line[0] for line in table]
    assert headings.index("Lev against Obs") == headings.index("arm") + 1
    named = page.table("Survival: Adjusted.")
    assert [line[0] for line in named][1:4] == ["arm", "Lev against Obs", "Lev+5FU against Obs"]
    assert re.search(r"441 events for 6 parameters, 73.5 each: ten or more", page.text)
    assert "nodes, hazard ratio against the median of 2" in page.text


def test_models_that_are_named_need_no_factors(colon_folder, tmp_path):
    made = Path(shutil.copytree(colon_folder, tmp_path / "made"))
    package = json.loads((made / "datapackage.json").read_text("utf-8"))
    del package["analysis"]["factors"]
    (made / "datapackage.json").write_text(json.dumps(package), "utf-8")
    page = run("table_3", made, tmp_path / "results")
    assert [line[0] for line in page.table("Survival: Adjusted.")][-2:-1] == ["All together"]


@pytest.mark.parametrize("declared", [True, False])
def test_only_a_model_that_is_declared_so_was_named_in_advance(colon_folder, tmp_path, declared):
    made = Path(shutil.copytree(colon_folder, tmp_path / "made"))
    package = json.loads((made / "datapackage.json").read_text("utf-8"))
    package["analysis"]["models"][0]["in_advance"] = declared
    (made / "datapackage.json").write_text(json.dumps(package), "utf-8")
    text = run("table_3", made, tmp_path / "results").text
    assert ("named in advance" in text) == ("so selection does not affect P" in text) == declared
    assert ("Survival: Adjusted. A model listed in the dataset." in text) != declared
    named = run("remark", made, tmp_path / "results").text
    assert ("of: arm, age and nodes." in named) == declared


def test_the_page_of_a_curve_shows_parts_of_the_patients(colon_folder, tmp_path):
    page = run("surv", colon_folder, tmp_path)
    table = page.table("Survival by arm, in subgroups.")
    assert [line[0] for line in table[2:4]] == ["up to 61", "over 61"]
    assert "Subgroups can show little" in page.text
    alone = run("surv", colon_folder, tmp_path, by="")
    assert "Subgroups show" not in alone.text


def test_levels_break_no_check_and_no_lesson(myeloid, colon_folder):
    assert advice.check(colon_folder)[0][-1] == "no problem found"
    assert {f.column for f in keys_09.known(myeloid).factors} == {"sex"}
    study = Study(myeloid, {"table_3": factor_results(myeloid, endpoint(myeloid, "os"))})
    assert str(facts.unadjusted(study)["label"]).endswith("(Arm B/Arm A)")
    assert "handling" in facts.words(study)
