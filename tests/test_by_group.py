"""What the curve pages say of groups: each number beside R's, and what stands in words."""

from __future__ import annotations

import functools
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from inprocess import run
from test_declared import made

from analysis.dataset.model import ROOT, NotRecorded, load
from analysis.page.rows import pick
from analysis.study.characteristics import baseline_results

NUMBERS = {name: "" for name in ("months", "estimate", "lower", "upper")}
REFERENCE = pd.read_csv(
    ROOT / "tests" / "reference" / "by_group.csv", keep_default_na=False, na_values=NUMBERS
)
PAGES = sorted(set(zip(REFERENCE["dataset"], REFERENCE["endpoint"], strict=True)))


@functools.cache
def page_of(name: str, endpoint: str):
    plan = load(ROOT / "data" / name).endpoints[endpoint]
    with TemporaryDirectory() as folder:
        return run(plan.page, ROOT / "data" / name, Path(folder))


@pytest.mark.parametrize(("name", "endpoint"), PAGES)
def test_each_number_of_the_groups_is_r_s(name: str, endpoint: str):
    numbers = page_of(name, endpoint).numbers
    theirs = REFERENCE[REFERENCE["dataset"].eq(name) & REFERENCE["endpoint"].eq(endpoint)]
    assert len(theirs) > 10
    for row in theirs.itertuples():
        month = None if pd.isna(row.months) else row.months
        ours = pick(numbers, row.quantity, row.group, month)
        # cmprsk stops its search a little early.
        off = 1e-6 if row.quantity.startswith("subdistribution") else 1e-9
        for part in ("estimate", "lower", "upper"):
            told = getattr(row, part)
            if part == "estimate" or not pd.isna(told):
                assert ours[part] == pytest.approx(told, rel=off, nan_ok=True), (row, part)


def test_a_drawn_comparison_says_so_and_another_says_that_it_is_none():
    assert "groups were randomised" in page_of("myeloid", "os").text
    assert "were not randomised" in page_of("bmt", "os").text


def test_another_grouping_or_none_is_one_parameter_away(tmp_path: Path):
    by_sex = run("figure_1a", ROOT / "data" / "myeloid", tmp_path, by="sex")
    assert ("logrank", "os|sex") in zip(by_sex.numbers["quantity"], by_sex.numbers["group"],
                                        strict=True)  # fmt: skip
    alone = run("figure_1a", ROOT / "data" / "myeloid", tmp_path, by="")
    assert not alone.numbers["group"].str.contains("|", regex=False).any()
    assert "by arm" not in alone.text


def test_what_makes_the_columns_is_no_row_and_has_no_mean(tmp_path: Path):
    by_sex, alone = (
        run("table_1", ROOT / "data" / "myeloid", tmp_path, by=by).text for by in ("sex", "")
    )
    assert "Sex, No. (%)" in alone and "Sex, No. (%)" not in by_sex
    patients = {"age": 50}, {"age": 51}
    data = load(made(tmp_path / "coded", *patients, compare={"column": "age"}))
    rows = baseline_results(data, data.compared(""))
    assert (
        rows.loc[rows["group"].str.startswith("age"), "quantity"].isin(["count", "percent"]).all()
    )
    assert rows["group"].str.startswith("age=50").any()
    only = [{"column": "age", "kind": "baseline"}]
    few = load(made(tmp_path / "few", *patients, compare={"column": "age"}, characteristics=only))
    with pytest.raises(NotRecorded, match="nothing of its patients but their groups"):
        baseline_results(few, few.compared())
