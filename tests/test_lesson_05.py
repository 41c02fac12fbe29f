"""What Lesson 5 says of immortal time."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from analysis import NotRecorded, estimators, load
from analysis.endpoints import covariate_rows, endpoint, rows_as_if_known
from analysis.lessons import immortal_time
from analysis.results import pick


@pytest.fixture(scope="module")
def made() -> dict[str, pd.DataFrame]:
    names = ("blinatumomab", "bmt", "myeloid")
    return {name: immortal_time.results(load(f"data/{name}")) for name in names}


def ratio(results: pd.DataFrame, kind: str, column: str, month: float | None = None) -> float:
    return pick(results, f"hazard_ratio_{kind}", f"os:{column}", month)["estimate"]


def test_in_myeloid_the_ratio_of_the_transplant_turns_round(made) -> None:
    """Alone, and beside response; R's values for the latter are 0.447637 and -0.587946 in logs."""
    alone = [ratio(made["myeloid"], kind, "hsct_day") for kind in ("fixed", "univariate")]
    assert alone[0] < 1 < alone[1]
    both = {
        (kind, column): round(ratio(made["myeloid"], kind, column), 2)
        for kind in ("fixed_together", "together")
        for column in ("hsct_day", "response_day")
    }
    assert both == {
        ("fixed_together", "hsct_day"): 0.61,
        ("together", "hsct_day"): 1.56,
        ("fixed_together", "response_day"): 0.34,
        ("together", "response_day"): 0.56,
    }


def test_as_if_known_always_looks_better_than_from_its_day(made) -> None:
    for name, column in (("blinatumomab", "hsct_day"), ("bmt", "platelet_recovery_day")):
        assert ratio(made[name], "fixed", column) < ratio(made[name], "univariate", column)


def test_nobody_dies_before_what_he_ever_has() -> None:
    data = load("data/myeloid")
    patients = immortal_time.followed(data).dropna()
    assert (patients["came"] <= patients["days"]).all()
    assert len(patients) == 364


def test_a_landmark_asks_only_those_who_reach_it(made) -> None:
    data = load("data/myeloid")
    patients = immortal_time.followed(data)
    row = pick(made["myeloid"], "count", "hsct_day by month 6", 6)
    day = 6 * data.settings.days_per_month
    assert row["n"] == (patients["days"] > day).sum()
    assert row["estimate"] == ((patients["days"] > day) & (patients["came"] < day)).sum()


def test_the_curves_of_states_are_those_of_the_estimator(made) -> None:
    data = load("data/myeloid")
    factor = immortal_time.event_of(data)
    rows = covariate_rows(data, endpoint(data, "os"), [factor])
    begin = immortal_time.first_month(data, rows, factor)
    day = begin * data.settings.days_per_month
    curve = estimators.switching_curves(rows, factor.column, day)[1]
    value = estimators.at(curve, [24 * data.settings.days_per_month]).iloc[0]
    row = pick(made["myeloid"], "survival_by_state", "os:hsct_day|yes", 24)
    assert row["estimate"] == pytest.approx(value["survival"], rel=1e-12)
    assert (row["n"], row["events"]) == (value["at_risk"], value["events"])
    assert curve["at_risk"].iloc[0] >= immortal_time.ENOUGH


def test_a_named_event_is_taken_or_refused() -> None:
    data = load("data/bmt")
    assert immortal_time.event_of(data).column == "platelet_recovery_day"
    assert immortal_time.event_of(data, "acute_gvhd_day").column == "acute_gvhd_day"
    with pytest.raises(NotRecorded, match="hsct_day"):
        immortal_time.event_of(data, "hsct_day")


def test_the_wrong_curves_stand_beside_the_right_ones_of_the_same_patients() -> None:
    """At the month at which they begin, all are of those followed beyond it."""
    data = load("data/myeloid")
    factor = immortal_time.event_of(data)
    rows = covariate_rows(data, endpoint(data, "os"), [factor])
    begin = immortal_time.first_month(data, rows, factor)
    wrong = rows_as_if_known(data, endpoint(data, "os"), factor)
    kinds = (
        immortal_time.ever_curves(data, wrong, factor, begin),
        immortal_time.state_curves(data, rows, factor, begin),
    )
    followed = (wrong["stop"] > begin * data.settings.days_per_month).sum()
    for curves in kinds:
        first = [curve[curve["at_risk"] > 0]["at_risk"].iloc[0] for curve in curves.values()]
        assert sum(first) == followed


def test_the_landmark_of_the_tables_does_not_know_the_data() -> None:
    data = load("data/myeloid")
    late = replace(data, patients=data.patients.assign(hsct_day=data.patients["hsct_day"] + 200))
    for dataset in (data, late):
        table = immortal_time.ratios_table(dataset, immortal_time.results(dataset), "x")
        assert "At a landmark, 6 months" in [row.heading for row in table.rows]


@pytest.mark.parametrize(
    ("fixed", "right", "words"),
    [(0.7, 1.8, "other side of one"), (0.3, 0.9, "is higher"), (1.2, 0.9, "is not higher")],
)
def test_what_the_clock_did_to_the_ratio_is_told_by_the_ratios(made, fixed, right, words) -> None:
    rows = made["myeloid"].copy()
    for kind, value in (("fixed", fixed), ("univariate", right)):
        here = rows["quantity"].eq(f"hazard_ratio_{kind}") & rows["group"].eq("os:hsct_day")
        rows.loc[here, "estimate"] = value
    assert words in str(immortal_time.told(load("data/myeloid"), rows))
