"""What Lesson 6 says of start-stop rows, on the shipped datasets."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis import NotRecorded, load, masked
from analysis import survival as est
from analysis.course import start_stop as lesson
from analysis.dataset.endpoints import covariate_rows, endpoint, rows_as_if_known
from analysis.page.rows import pick

SHIPPED = ("blinatumomab", "bmt", "myeloid")
REFERENCE = Path(__file__).parent / "reference"


@pytest.fixture(scope="module", params=SHIPPED)
def shipped(request):
    """A dataset and the lesson's results."""
    data = load(f"data/{request.param}")
    return data, lesson.results(data)


def ratio(data, results, way: str, factor=None) -> float:
    column = (factor or lesson.main_factor(data)).column
    return pick(results, f"hazard_ratio_{way}", f"os:{column}")["estimate"]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("hazard_ratio_right", "hazard_ratio_univariate"),
        ("hazard_ratio_fixed", "hazard_ratio_fixed"),
    ],
)
def test_the_ratios_are_those_of_r(shipped, ours, theirs):
    data, results = shipped
    known = pd.read_csv(REFERENCE / f"{data.name}.csv")
    known = known[known["page"].eq("table_3") & known["quantity"].eq(theirs)]
    known = known.set_index("group")["estimate"]
    found = results[results["quantity"] == ours].set_index("group")["estimate"]
    assert len(found) == len(lesson.later_factors(data))
    for group, value in found.items():
        assert value == pytest.approx(known[group], rel=1e-6)


def test_the_model_of_all_is_that_of_r():
    known = pd.read_csv(REFERENCE / "known.csv").set_index(["name", "dataset"])["value"]
    data = load("data/myeloid")
    results = lesson.results(data)
    for column, name in (("response_day", "response"), ("hsct_day", "hsct")):
        ours = pick(results, "hazard_ratio_right_together", f"os:{column}")["estimate"]
        beta = known[f"os_beta_{name}_time_dependent", "myeloid"]
        assert ours == pytest.approx(np.exp(beta), rel=1e-6)


def test_to_count_from_the_switch_on_takes_an_advantage_away(shipped):
    """The time before it was given to those who switch."""
    data, results = shipped
    for factor in lesson.later_factors(data):
        fixed, right = (ratio(data, results, way, factor) for way in ("fixed", "right"))
        assert fixed < right


def test_transplant_turns_round_in_myeloid():
    data = load("data/myeloid")
    results = lesson.results(data)
    for kind in ("", "_together"):
        fixed, right = (
            pick(results, f"hazard_ratio_{way}{kind}", "os:hsct_day") for way in ("fixed", "right")
        )
        assert fixed["upper"] < 1 < right["lower"]
    assert "the right ratio says the opposite" in str(lesson.told(data, results))


def test_a_cut_changes_nothing_and_an_interval_too_early_is_the_worst_slip(shipped):
    data, results = shipped
    right = ratio(data, results, "right")
    assert ratio(data, results, "cut") == pytest.approx(right, rel=1e-9)
    slips = ("day_early", "overlapping", "interval_early")
    off = [abs(np.log(ratio(data, results, way) / right)) for way in slips]
    assert 0 < off[0] < off[1] < off[2]


def test_a_day_too_early_moves_a_death_on_the_day_of_the_switch():
    rows = pd.DataFrame(
        [(1, -np.inf, 5, 0, 0.0), (1, 5, 9, 1, 1.0), (2, -np.inf, 5, 1, 0.0)],
        columns=["patient", "start", "stop", "event", "x"],
    )
    early = lesson.a_day_early(rows)
    for made, switched in ((rows, [0.0, 0.0]), (early, [1.0, 0.0])):
        there = made[(made["start"] < 5) & (made["stop"] >= 5)]
        assert list(there.sort_values("patient")["x"]) == switched


def test_the_parts_at_risk_are_those_of_both_tables_of_rows(shipped):
    data, results = shipped
    question, factor = endpoint(data, "os"), lesson.main_factor(data)
    rows = covariate_rows(data, question, [factor])
    known = rows_as_if_known(data, question, factor)
    whole = est.survival_curve(known["stop"], known["event"])
    for month in lesson.stations(data, question, factor):
        day = month * data.settings.days_per_month
        already, later, never = (
            pick(results, "count", lesson._part(factor, month, part), month)
            for part in ("already", "later", "never")
        )
        there = rows[(rows["start"] < day) & (day <= rows["stop"])]
        switched = known[(known["stop"] >= day) & (known[factor.column] > 0)]
        assert already["estimate"] == there[factor.column].sum()
        assert already["estimate"] + later["estimate"] == len(switched)
        assert already["n"] == est.at(whole, [day])["at_risk"].iloc[0]
        assert already["n"] == sum(part["estimate"] for part in (already, later, never))


def test_as_many_months_are_shown_as_patients_take_to_switch(shipped):
    data, results = shipped
    months = lesson.stations(data, endpoint(data, "os"), lesson.main_factor(data))
    later = [
        pick(results, "count", lesson._part(lesson.main_factor(data), month, "later"), month)
        for month in months
    ]
    assert 8 <= len(months) <= lesson.STATIONS + 1
    assert later[-1]["estimate"] < 0.1 * later[0]["estimate"]


def test_a_patient_of_a_private_dataset_is_never_shown(shipped):
    data, _ = shipped
    private = dataclasses.replace(data, public=False)
    assert not lesson.life(data).invented
    assert lesson.life(private).invented
    assert lesson.life(private).switches == lesson.INVENTED
    assert "invented" in lesson.life_figure(private, "a-b").caption
    assert "invented" in lesson.life_table(private, "a-c").caption


def test_the_shown_patient_has_the_rows_that_the_model_takes(shipped):
    data, _ = shipped
    one = lesson.life(data)
    factors = [lesson.from_the_start(data, factor) for factor in lesson.later_factors(data)]
    rows = covariate_rows(data, endpoint(data, "os"), factors)
    most = rows["patient"].value_counts().max()
    shown = [row.cells for row in lesson.life_table(data, "a-b").rows]
    assert len(shown) == most == len(one.cuts)
    columns = [f.column for f in lesson.later_factors(data) if f.label in one.switches]
    made = [[f"{row.stop:g}", *(f"{row[c]:.0f}" for c in columns)] for _, row in rows.iterrows()]
    assert all([cells[1], *cells[2:-1]] in made for cells in shown)


def test_small_counts_are_masked_in_the_answers():
    data = load("data/bmt", 12)
    results = masked(data, lesson.results(data))
    factor = lesson.main_factor(data)
    counts = results[results["quantity"] == "count"]
    assert not counts["estimate"].isin(range(1, 12)).any()
    months = lesson.stations(data, endpoint(data, "os"), factor)
    said = [str(answer) for answer in lesson._answers(results, factor, months)]
    assert any("count as switched: masked." in answer for answer in said)


def test_without_a_factor_that_changes_the_page_says_so(shipped):
    data, _ = shipped
    fixed = tuple(f for f in data.factors if f.kind == "baseline")
    with pytest.raises(NotRecorded, match="names no factor .* that changes on the way"):
        lesson.results(dataclasses.replace(data, factors=fixed))
