"""What the curve pages say of groups: each number beside R's, and what stands in words."""

from __future__ import annotations

import functools
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pytest
from bs4 import BeautifulSoup
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
def page_of(name: str, endpoint: str, in_order: bool = False):
    """A page of the site or, with its texts in the order in which they stand there, run anew."""
    plan = load(ROOT / "data" / name).endpoints[endpoint]
    with TemporaryDirectory() as folder:
        return run(plan.page, ROOT / "data" / name, Path(folder), specs=in_order)


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


def text_of(name: str, endpoint: str) -> str:
    return BeautifulSoup(page_of(name, endpoint, in_order=True).text, "html.parser").get_text()


def test_groups_are_told_at_a_landmark_that_enough_of_each_are_followed_to():
    """In bmt 12 of 38 with ALL are followed to 36 months, and 4 to 48: fewer than ten."""
    rows = page_of("bmt", "os").numbers
    left = {month: pick(rows, "at_risk", "os|disease=ALL", month)["estimate"] for month in (36, 48)}
    assert left == {36: 12, 48: 4}
    shown = text_of("bmt", "os")
    assert "Alive at 36 months, by disease: ALL, 37.8% (95% CI, 22.5–53.0); " in shown
    assert "Alive at 60 months" not in shown and "Alive at 48 months" not in shown
    assert "at least 10 patients, and a tenth, of every group" in shown
    # Of chronic GVHD no landmark has so many: the last is told to which each is followed.
    with TemporaryDirectory() as folder:
        late = run("figure_1d", ROOT / "data" / "bmt", Path(folder)).text
    assert "This is the last landmark to which patients of every group are followed." in late


def test_of_randomised_groups_the_ratio_comes_first_and_of_others_their_shares():
    ratio = "Hazard ratio of death, Arm B against Arm A: 0.71 (95% CI, 0.57–0.88), a lower rate."
    trial, cohort = text_of("myeloid", "os"), text_of("bmt", "os")
    shares = trial.index("Alive at 60 months, by treatment arm: Arm A, ")
    assert trial.index(ratio) < trial.index("The curves differ") < shares
    assert cohort.index("Alive at 36 months") < cohort.index("At least two of the curves differ")
    # Relapse-free survival begins after randomisation, which does not make its groups alike.
    with TemporaryDirectory() as folder:
        later = run("figure_1b", ROOT / "data" / "myeloid", Path(folder)).text
    later = BeautifulSoup(later, "html.parser").get_text()
    assert later.index("Without relapse or death at 60 months") < later.index("The curves differ")


def test_the_front_page_says_the_groups_and_which_column_they_are_of(tmp_path: Path):
    page = run("index", ROOT / "data" / "bmt", tmp_path)
    assert "of ALL" not in page.text
    cards = [shown for shown in page.shown if 'class="cards"' in shown.get("text/html", "")]
    drawn = BeautifulSoup(cards[0]["text/html"], "html.parser").select("li")
    assert len(drawn) == 4 and all("by disease: ALL, " in card.get_text() for card in drawn)
    assert all(len(card.select("path")) == 3 for card in drawn)


def test_a_note_explains_only_what_its_table_has():
    notes = [line[0] for line in page_of("bmt", "os").table("Overall survival by disease.")]
    assert not any("nobody in the group" in note or "0 or 100%" in note for note in notes)
    assert "Mean months without the event, up to 60 months" in notes


def test_a_number_that_is_cut_has_its_unit():
    lines = [line[0] for line in page_of("bmt", "os").table("Overall survival by disease, in sub")]
    assert "up to 178 days" in lines and "over 28 years" in lines


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


def test_tests_that_disagree_are_told_apart(tmp_path):
    made = run("figure_1d", "data/bmt", tmp_path, endpoint="chronic_gvhd")
    key = "chronic_gvhd|disease"
    rates, shares = (pick(made.numbers, f"p_{test}", key) for test in ("logrank", "gray"))
    assert rates["estimate"] < 0.05 <= shares["estimate"]
    assert "**The incidences are not shown to differ**" in made.text
    assert "**The rates among those who have had neither event do**" in made.text
