"""The facts of a synthetic cohort: counted on records made by hand, judged by the print."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from inprocess import Page, of
from test_dataset import field, folder

from analysis.dataset.columns import PUBLISHED
from analysis.dataset.endpoints import endpoint
from analysis.dataset.model import ROOT, Dataset, load
from analysis.page.rows import COLUMNS
from analysis.site.notebooks import execute

FIELDS = [
    field("patient_id"),
    field("gene", enum=["yes", "no", "Unknown"]),
    field("line", enum=["1st", "2nd+"]),
    field("rounds", "integer"),
    field("judged", enum=["yes", "no"]),
    *(field(f"{name}_day", "integer") for name in ("response", "mrd_response", "hsct", "relapse")),
    field("last_contact_day", "integer"),
    field("died"),
]
ROWS = [
    "a,yes,1st,1,yes,30,35,90,,1400,no",  # relapse-free, long-term
    "b,no,2nd+,2,yes,30,,,200,1400,no",  # relapsed, long-term
    "c,Unknown,1st,3,yes,40,,100,150,280,yes",  # relapsed after transplant, died 130 days later
    "d,Unknown,1st,2,no,40,,,90,160,yes",  # relapsed, died 70 days later
    "e,no,2nd+,2,no,30,,,,200,no",  # relapse-free, lost early
    "f,no,1st,1,yes,,,,,60,yes",  # no response, judged
    "g,Unknown,2nd+,1,no,,,,,50,no",  # no response, lost early
    "h,no,2nd+,4,no,50,,90,,300,yes",  # died in remission
]
SIDES = {"kind": "baseline", "label": "Factor"}
ANALYSIS = {
    "synthetic": True,
    "characteristics": [{"column": "rounds", "kind": "treatment"}],
    "factors": [
        {"column": "gene", "numerator": ["yes"], "denominator": ["no"], **SIDES},
        {"column": "line", "numerator": ["1st"], "denominator": ["2nd+"], **SIDES},
        {"column": "mrd_response_day", "kind": "postbaseline", "label": "MRD", "among": "judged"},
    ],
}


def printed(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """Printed numbers by quantity, group and text, all of them marked `calibrated`."""
    lines = [["table_2", q, group, np.nan, "estimate", text, "here", ""] for q, group, text in rows]
    return pd.DataFrame(lines, columns=list(PUBLISHED)).assign(kind="calibrated")


PRINT = printed(
    ("count", "patients", "8"),
    ("count", "response_day", "6"),
    ("count", "relapse_free|total", "2"),
    ("count", "gene=yes", "1"),
)


def small(tmp_path, **changes) -> Dataset:
    head = ",".join(entry["name"] for entry in FIELDS)
    csv = "\n".join([head, *ROWS]) + "\n"
    data = load(folder(tmp_path, csv=csv, fields=FIELDS, analysis=ANALYSIS, public=True))
    return dataclasses.replace(data, **{"published": PRINT, **changes})


def facts_of(dataset: Dataset) -> dict:
    """The facts on the page of a cohort, by the group of their first row."""
    page, names = of("cohort", dataset, until="dealt-again")
    assert page.missing == ""
    return {fact.rows[0]["group"]: fact for fact in names["facts"]}


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory) -> tuple[Page, dict, list]:
    """The page of the small cohort, the lines of its tables by kind, and its facts."""
    page, names = of("cohort", small(tmp_path_factory.mktemp("small")))
    tables = {kind: names["facts_table"](kind, "T").rows for kind in names["KINDS"]}
    return page, tables, names["facts"]


@pytest.fixture(scope="module")
def facts(by_hand) -> dict:
    return {fact.rows[0]["group"]: fact for fact in by_hand[2]}


@pytest.fixture(scope="module")
def paper() -> Dataset:
    return load("data/blinatumomab")


@pytest.fixture(scope="module")
def shown(paper) -> tuple[Page, dict]:
    """The page of the shipped cohort, and its facts."""
    page, names = of("cohort", paper)
    return page, {fact.rows[0]["group"]: fact for fact in names["facts"]}


# --- by hand -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("group", "shown"),
    [
        ("patients", "8"),
        ("response_day", "6"),
        ("patients|long_term", "2"),
        ("hsct_in_remission|total", "3"),
        ("relapse_free|total", "2"),
        ("rfs:events", "4"),
        ("died", "4"),
        ("censored", "4"),
        ("lost", "2"),
        ("lost|response_day", "1"),
        ("relapse:relapse", "3"),
        ("relapse:death", "1"),
        ("gene=Unknown", "3"),
        ("gene=Unknown|response_day", "2"),
        ("line=1st", "4"),
        ("judged|without_event|response", "2"),
        ("judged|without_event|none", "1"),
        ("days:response_day:hsct_day", "60 (40–60)"),
        ("days:relapse_day:died", "100 (70–130)"),
        ("rounds", "2 (1–4)"),
        ("last_event", None),
    ],
)
def test_facts_are_counted(facts, group, shown):
    if shown is None:
        assert group not in facts
    else:
        assert facts[group].shown == shown


def test_the_last_relapse_has_its_day_and_number_at_risk(facts):
    late = facts["relapse"]
    assert late.rows[1]["estimate"] == 170  # record b: day 200, from day 30
    assert late.shown == "5.6 (170)"
    assert facts["at_risk:last_relapse"].shown == "4"  # a, b, e (170 days to its loss) and h


def test_the_print_fixes_bounds_or_says_nothing(facts):
    """Six responders less two relapse-free give four events; eight patients less one give seven."""
    assert (facts["response_day"].kind, facts["response_day"].printed) == ("fixed", "6")
    assert (facts["rfs:events"].kind, facts["rfs:events"].printed) == ("fixed", "4")
    assert (facts["gene=Unknown"].kind, facts["gene=Unknown"].printed) == ("bounded", "0–7")
    assert (facts["line=1st"].kind, facts["line=1st"].printed) == ("free", "nothing")
    assert facts["died"].kind == "free"


def test_a_level_that_subtraction_gives_is_not_free(tmp_path):
    data = small(tmp_path)
    more = printed(("count", "gene=no", "4"), ("count", "line=1st", "4"))
    data = dataclasses.replace(data, published=pd.concat([PRINT, more], ignore_index=True))
    page, names = of("cohort", data)
    assert not {"gene=Unknown", "line=1st"} & {fact.rows[0]["group"] for fact in names["facts"]}
    assert "bounds 0 and" in page.text


def test_a_fact_that_the_print_excludes_is_marked(tmp_path):
    data = small(tmp_path, published=PRINT.copy())
    data.published.loc[data.published["group"] == "response_day", "printed"] = "7"
    found = facts_of(data)["response_day"]
    assert not found.inside
    assert found.printed == "7 (differs)"


def test_tables_and_reasons_go_by_kind(by_hand, facts):
    page, tables, _ = by_hand
    assert sum(map(len, tables.values())) == len(facts)
    assert "gene: Unknown" in [row.heading for row in tables["bounded"]]
    said = [output["text/plain"] for output in page.shown if "text/markdown" in output]
    (reasons,) = (text for text in said if text.startswith("- ") and "Table 1 does not" in text)
    assert reasons.startswith("- **Unknown:** Table 1 does not count them.")
    assert len(reasons.splitlines()) == 1  # no reason of a fact that is not there


# --- what has no such page -----------------------------------------------------------------------


def test_only_a_public_synthetic_dataset_that_was_calibrated_has_facts(tmp_path):
    data = small(tmp_path)
    real = dataclasses.replace(data.settings, synthetic=False)
    none = PRINT.assign(kind="emergent")
    for change, words in (
        ({"settings": real}, "not synthetic"),
        ({"public": False}, "not public"),
        ({"published": none}, "no printed number"),
    ):
        page, _ = of("cohort", dataclasses.replace(data, **change))
        assert words in page.missing
        assert not page.shown


def test_the_page_of_real_patients_is_one_sentence(tmp_path):
    given = {"dataset": "data/bmt", "results_folder": str(tmp_path)}
    page = execute(ROOT / "book" / "cohort.ipynb", tmp_path / "raw.ipynb", given)
    text = "\n".join(cell.source for cell in page.cells if cell.cell_type == "markdown")
    assert "not synthetic" in text
    assert "## " not in text
    assert not any(cell.get("outputs") for cell in page.cells)


# --- the shipped cohort --------------------------------------------------------------------------


def test_the_shipped_cohort_is_one_that_the_print_allows(shown):
    page, found = shown
    assert [group for group, fact in found.items() if not fact.inside] == []
    assert "Outside what it allows: none." in page.text
    assert found["died"].printed == "201–217"
    assert found["relapse:relapse"].printed == "73–77"
    assert found["relapse:death"].printed == "17–21"
    assert found["at_risk:last_relapse"].printed == "6"
    assert {fact.kind for fact in found.values()} == {"fixed", "bounded", "free"}


def test_deaths_beyond_the_bounds_lie_outside(paper):
    patients = paper.patients.copy()
    patients.loc[patients["died"].eq("no").to_numpy().nonzero()[0][:20], "died"] = "yes"
    found = facts_of(dataclasses.replace(paper, patients=patients))
    assert not found["died"].inside


# --- dealt again ---------------------------------------------------------------------------------


def test_a_new_deal_keeps_the_curves_and_the_order_of_events(paper):
    _, names = of("cohort", paper, until="what-moves")
    before = paper.patients
    after = names["dealt_again"](before, np.random.default_rng(5))
    other = dataclasses.replace(paper, patients=after)
    relapsed = before["relapse_day"].notna()
    assert (before["relapse_day"] != after["relapse_day"])[relapsed].mean() > 0.5
    for name in ("rfs", "relapse", "os", "os_after_hsct"):
        old, new = (
            sorted(zip(question.time, question.observed, strict=True))
            for question in (endpoint(paper, name), endpoint(other, name))
        )
        assert old == new
    days = after[relapsed]
    assert (days["relapse_day"] > days["response_day"]).all()
    assert (days["relapse_day"] < days["last_contact_day"]).all()
    transplanted = relapsed & before["hsct_day"].notna()
    earlier, later = (
        table["relapse_day"][transplanted] <= table["hsct_day"][transplanted]
        for table in (before, after)
    )
    assert (earlier == later).all()


def dealt(page: Page) -> pd.DataFrame:
    rows = page.numbers[page.numbers["group"].str.startswith("dealt_again:")]
    return rows.set_index(rows["group"].str.removeprefix("dealt_again:"))


def test_what_is_printed_of_the_curves_stays_and_the_rest_moves(site, shown):
    found = dealt(shown[0])
    same = found["lower"].eq(found["upper"]) & found["lower"].eq(found["estimate"])
    assert same[["rfs", "relapse"]].all()
    assert not same.drop(["rfs", "relapse"]).any()
    again = pd.read_csv(site.parent / "results" / "cohort.csv")  # of another process
    again = dealt(dataclasses.replace(shown[0], numbers=again))
    assert found["quantity"].tolist() == again["quantity"].tolist()
    numbers = ["estimate", "lower", "upper"]
    pd.testing.assert_frame_equal(found[numbers], again[numbers], check_dtype=False)


def test_the_table_of_deals_says_what_is_printed(shown):
    (table,) = (
        output["text/plain"]
        for output in shown[0].shown
        if "In other deals" in output.get("text/plain", "")
    )
    cells = [line.split(" | ") for line in table.splitlines()]
    known = {row[0].strip(): row[1] for row in cells if len(row) == 4}
    assert known["Median relapse-free survival, months"] == "yes"
    assert known["Median days from relapse to death"] == "no"


def test_results_have_the_columns_of_the_contract(shown):
    results = shown[0].numbers
    assert list(results.columns) == COLUMNS
    assert not results.duplicated(["quantity", "group", "months"]).any()
    row = results.set_index("group").loc["died"]
    assert (row["lower"], row["upper"]) == (201, 217)
