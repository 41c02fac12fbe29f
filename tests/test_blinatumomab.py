"""The synthetic cohort gives every printed number that a cohort can give; no record is absurd.

What is counted is counted by the book's own scorecard. R counts again, from its frozen values.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest
from conftest import often
from inprocess import of

from analysis.dataset.endpoints import responders
from analysis.dataset.model import load
from analysis.page.published import KEYS, are_statements, compare
from analysis.printed.scorecard import counted

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "data" / "blinatumomab"
CURVES_AND_MODELS = ["figure_1a", "figure_1b", "figure_1c", "figure_1d", "table_3"]


@pytest.fixture(scope="module")
def cohort():
    return load("data/blinatumomab")


@pytest.fixture(scope="module")
def patients(cohort) -> pd.DataFrame:
    return cohort.patients


@pytest.fixture(scope="module")
def card(cohort) -> pd.DataFrame:
    return card_of(cohort)


def card_of(cohort) -> pd.DataFrame:
    """The scorecard's rows that a run could give, on a dataset that no folder may hold."""
    _, names = of("scorecard", cohort)
    return counted(names["card"])


def differing(card) -> set[tuple[str, str, str]]:
    """What does not come out as printed: quantity, group, part."""
    off = card[~card["match"]]
    return set(zip(off["quantity"], off["group"], off["part"], strict=True))


# 146 of 259 is 56.4 %, printed as 56.2: the print contradicts itself.
SLIP = {("percent", "prior_relapses=1", "estimate")}


def test_every_other_printed_number_and_statement_comes_out(card):
    assert len(card) > 300
    assert differing(card) == SLIP


def test_the_slip_is_shown_with_its_reason(card):
    slip = card[card["kind"] == "contradiction"]
    assert list(slip["printed"]) == ["56.2"]
    assert list(slip["recomputed"]) == ["56.4"]
    assert slip["note"].str.len().gt(0).all()


def test_all_numbers_of_tables_and_figures_are_listed(cohort):
    """Nothing printed on these pages is left out: the counts were taken from the paper."""
    expected = {
        "figure_1a": 3 + 4 + 3,  # median and limits, four rates, follow-up and range
        "figure_1b": 3 + 3 + 3,
        "figure_1c": 3 + 1,
        "figure_1d": 4,
        "table_3": 3 * (12 + 11) + 3 * 4,  # univariate OS and RFS, multivariate
    }
    printed = cohort.published[~are_statements(cohort.published)]
    once = printed.drop_duplicates(["page", *KEYS, "part"])
    assert once["page"].value_counts().loc[list(expected)].to_dict() == expected


def test_the_ledger_is_that_of_these_patients(card):
    """Any other byte in patients.csv or published.csv would be another cohort or another aim."""
    ledger = json.loads((FOLDER / "ledger.json").read_text(encoding="utf-8"))
    for name in ("patients", "published"):
        digest = hashlib.sha256((FOLDER / f"{name}.csv").read_bytes()).hexdigest()
        assert ledger[f"{name}_sha256"] == digest, name
    score = {
        kind: {"printed": len(rows), "matched": int(rows.sum())}
        for kind, rows in card.groupby("kind")["match"]
    }
    assert ledger["score"] == score


# --- the models ------------------------------------------------------------------------------


def statements(card: pd.DataFrame, quantity: str) -> set[str]:
    chosen = card[(card["quantity"] == quantity) & (card["recomputed"] == "yes")]
    return set(chosen["group"])


def test_selection_ends_in_the_papers_two_models(card):
    assert statements(card, "associated") == {
        "os:ecog",
        "os:response_day",
        "os:mrd_response_day",
        "rfs:race",
        "rfs:t_4_11",
        "rfs:mrd_response_day",
    }
    assert statements(card, "kept") == {
        "os:response_day",
        "os:mrd_response_day",
        "rfs:race",
        "rfs:t_4_11",
    }


@pytest.mark.parametrize("page", CURVES_AND_MODELS)
def test_r_gives_the_print(cohort, page):
    """R's values, frozen by tests/reference/reference.R, round to what the paper prints."""
    reference = pd.read_csv(ROOT / "tests" / "reference" / "blinatumomab.csv")
    printed = cohort.published[~are_statements(cohort.published)]
    rows = dataclasses.replace(cohort, published=printed)
    # What is censored is counted, not estimated, and R's file has it too.
    found = compare(rows, page, reference[reference["page"] == page].drop(columns="page"))
    assert len(found) > 0
    assert found["match"].all(), found[~found["match"]].to_string()


def test_r_keeps_the_same_factors(card):
    reference = pd.read_csv(ROOT / "tests" / "reference" / "blinatumomab.csv")
    by_r = reference.loc[reference["quantity"] == "hazard_ratio_multivariate", "group"]
    assert set(by_r) == statements(card, "kept")


# --- the scorecard can turn red --------------------------------------------------------------


def changed(cohort, column: str, values: dict[int, object]):
    """The cohort with other values of a column for some patients."""
    patients = cohort.patients.copy()
    for place, value in values.items():
        patients.loc[place, column] = value
    return dataclasses.replace(cohort, patients=patients)


@pytest.mark.parametrize("part", often((0, 0.5, 1), 0.5))
def test_moving_one_death_by_sixty_days_turns_the_scorecard_red(cohort, patients, part):
    """Of deaths spread over the whole follow-up, each."""
    died = patients[patients["died"].eq("yes")].sort_values("last_contact_day")
    place = died.index[round(part * (len(died) - 1))]
    later = patients.loc[place, "last_contact_day"] + 60
    moved = changed(cohort, "last_contact_day", {place: later})
    assert differing(card_of(moved)) > SLIP, f"{patients.loc[place, 'patient_id']} on day {later}"


@pytest.mark.wide
def test_swapping_two_races_turns_the_scorecard_red(cohort, patients):
    """White against other, a pair whose survival differs: the first and the last patient."""
    responded = patients[responders(patients)].sort_values("last_contact_day")
    white = responded[responded["race"].eq("White")]
    others = responded[responded["race"].isin(["Asian", "Other", "Black (or African American)"])]
    one, other = white.index[0], others.index[-1]
    races = {one: patients.loc[other, "race"], other: patients.loc[one, "race"]}
    assert differing(card_of(changed(cohort, "race", races))) > SLIP


# --- the records -----------------------------------------------------------------------------


def test_it_calls_itself_synthetic(cohort):
    assert cohort.settings.synthetic
    assert "synthetic" in cohort.title.lower()
    assert len(cohort.patients) == 259


def test_every_record_is_coherent(patients):
    day = patients.filter(like="_day")
    response, relapse, hsct = day["response_day"], day["relapse_day"], day["hsct_day"]
    mrd, last = day["mrd_response_day"], day["last_contact_day"]
    responded = patients["best_response"].isin(["CR", "CRh"])
    assert (responded == responders(patients)).all(), "responders are those with CR or CRh"
    assert response.dropna().between(15, 98).all(), "response within two cycles' assessments"
    assert mrd.dropna().ge(15).all(), "MRD response not before it can be seen"
    assert (relapse.isna() | (relapse > response)).all(), "relapse after response"
    assert hsct.dropna().ge(28).all(), "transplant after a cycle of treatment"
    for column in day:
        assert (day[column].isna() | (day[column] <= last)).all(), f"{column} after last contact"
    cycles = patients["cycles"]
    assert (42 * (cycles - 1) <= last).all(), "cycles fit the days lived"
    assert (hsct.isna() | (42 * (cycles - 1) < hsct)).all(), "no cycle after transplant"
    counted = patients["mrd_response_cycle"].map({"1": 1, "2": 2, "3 and beyond": 3})
    assert (counted.isna() == mrd.isna()).all()
    assert (counted.isna() | (counted <= cycles)).all(), "MRD response in a cycle that was begun"
    assert (relapse.isna() | responded).all(), "relapse only after a response"


def test_no_event_on_a_day_that_ties_rules_would_decide(patients):
    """Switches and events never share a day within a patient, and month 48 is free of events."""
    died = patients["died"].eq("yes")
    events = [patients["last_contact_day"].where(died), patients["relapse_day"]]
    for event in events:
        for column in ("response_day", "mrd_response_day", "hsct_day"):
            assert not (event == patients[column]).any(), column
        assert not (event == 1461).any()
