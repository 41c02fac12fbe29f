"""Who enters an endpoint, from which day, to what; and the start-stop rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from test_dataset import field, folder

from analysis.dataset.covariates import covariate_rows, never_at_risk, rows_as_if_known
from analysis.dataset.endpoints import endpoint, long_term, relapse_free
from analysis.dataset.model import Factor, NotRecorded, load
from analysis.survival import cox

COLUMNS = [
    "patient_id", "group", "evaluable", "response_day", "hsct_day", "relapse_day",
    "last_assessment_day", "last_contact_day", "died",
]  # fmt: skip
FIELDS = [field(name, "number" if name.endswith("_day") else "string") for name in COLUMNS]


@pytest.fixture
def make(tmp_path):
    """A dataset of rows given as dicts; what is not given is blank."""

    def build(*rows, without=(), **analysis):
        columns = [name for name in COLUMNS if name not in without]
        lines = [",".join(columns)]
        for number, row in enumerate(rows):
            row = {"patient_id": f"p{number}", "died": "no", **row}
            lines.append(",".join(str(row.get(name, "")) for name in columns))
        fields = [entry for entry in FIELDS if entry["name"] in columns]
        analysis = {"time_origin": "start", **analysis}
        csv = "\n".join(lines) + "\n"
        return load(folder(tmp_path / "data", csv=csv, fields=fields, analysis=analysis))

    return build


def test_os_counts_everybody_from_the_origin(make):
    data = make({"last_contact_day": 10, "died": "yes"}, {"last_contact_day": 0})
    os = endpoint(data, "os")
    assert os.time.tolist() == [10, 0]
    assert os.observed.tolist() == [1, 0]


def test_rfs_runs_from_response_to_the_first_of_relapse_and_death(make):
    data = make(
        {"response_day": 30, "relapse_day": 100, "last_contact_day": 200, "died": "yes"},
        {"response_day": 30, "last_contact_day": 200, "died": "yes"},
        {"response_day": 30, "last_assessment_day": 150, "last_contact_day": 200},
        {"response_day": 30, "last_contact_day": 200},
        {"last_contact_day": 200, "died": "yes"},
        {"response_day": 30, "last_assessment_day": 90, "last_contact_day": 95, "died": "yes"},
    )
    assert endpoint(data, "rfs").time.tolist() == [70, 170, 120, 170, 65]
    assert endpoint(data, "rfs").observed.tolist() == [1, 1, 0, 0, 1]
    assert endpoint(data, "relapse").observed.tolist() == [1, 2, 0, 0, 2]


def test_relapse_and_death_on_one_day_is_a_relapse(make):
    data = make({"response_day": 1, "relapse_day": 50, "last_contact_day": 50, "died": "yes"})
    assert endpoint(data, "relapse").observed.tolist() == [1]


def test_relapse_on_the_day_of_response_is_an_event_on_day_0(make):
    data = make(
        {"response_day": 30, "relapse_day": 30, "last_contact_day": 90},
        {"response_day": 30, "last_contact_day": 90},
    )
    for name in ("rfs", "relapse"):
        question = endpoint(data, name)
        assert question.time.tolist() == [0, 60]
        assert question.observed.tolist() == [1, 0]


def test_a_factor_that_nobody_has_on_one_side_does_not_vary(make):
    """Nobody in a level: both models have one side only, so no ratio."""
    factor = Factor("group", "Group", "baseline", numerator=("C",), denominator=("A", "B"))
    data = make(
        {"group": "A", "last_contact_day": 90, "died": "yes"},
        {"group": "B", "last_contact_day": 50},
    )
    rows = covariate_rows(data, endpoint(data, "os"), [factor])
    assert rows["group"].tolist() == [0, 0]
    assert not cox(rows, ["group"]).estimable


def test_as_if_known_takes_one_row_a_patient_and_keeps_who_is_studied(make):
    """Also a transplant on the last day counts, which no start-stop row could hold."""
    factor = Factor("hsct_day", "HSCT", "postbaseline", among="response_day", before="relapse_day")
    data = make(
        {"response_day": 5, "hsct_day": 40, "last_contact_day": 90, "died": "yes"},
        {"response_day": 5, "hsct_day": 90, "last_contact_day": 90},
        {"response_day": 5, "hsct_day": 40, "relapse_day": 30, "last_contact_day": 70},
        {"hsct_day": 40, "last_contact_day": 60, "died": "yes"},
    )
    rows = rows_as_if_known(data, endpoint(data, "os"), factor)
    assert rows["hsct_day"].tolist() == [1, 1, 0]
    assert rows["stop"].tolist() == [90, 90, 70]
    assert rows["event"].tolist() == [1, 0, 0]
    assert (rows["start"] == 5).all()


def test_transplant_in_remission_needs_response_before_and_relapse_after(make):
    data = make(
        {"response_day": 30, "hsct_day": 60, "last_contact_day": 100, "died": "yes"},
        {"response_day": 30, "hsct_day": 60, "relapse_day": 50, "last_contact_day": 100},
        {"response_day": 30, "hsct_day": 60, "relapse_day": 60, "last_contact_day": 100},
        {"response_day": 70, "hsct_day": 60, "last_contact_day": 100},
        {"hsct_day": 60, "last_contact_day": 100},
        {"response_day": 60, "hsct_day": 60, "relapse_day": 61, "last_contact_day": 100},
    )
    question = endpoint(data, "os_after_hsct")
    assert question.data.index.tolist() == [0, 5]
    assert question.time.tolist() == [40, 40]


def test_long_term_means_known_alive_after_the_month(make):
    day = 35 * 30.4375
    data = make({"last_contact_day": day}, {"last_contact_day": day + 1, "died": "yes"})
    assert long_term(data).tolist() == [False, True]


def test_relapse_free_means_responded_alive_and_without_relapse(make):
    data = make(
        {"response_day": 9, "last_contact_day": 50},
        {"response_day": 9, "last_contact_day": 50, "died": "yes"},
        {"response_day": 9, "relapse_day": 20, "last_contact_day": 50},
        {"last_contact_day": 50},
    )
    assert relapse_free(data).tolist() == [True, False, False, False]


@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("rfs", ["response_day"]),
        ("rfs", ["relapse_day"]),
        ("relapse", ["relapse_day"]),
        ("os_after_hsct", ["hsct_day"]),
        ("os_after_hsct", ["response_day"]),
    ],
)
def test_a_missing_column_is_not_recorded(make, name, without):
    data = make({"last_contact_day": 10}, without=without)
    with pytest.raises(NotRecorded, match=without[0]):
        endpoint(data, name)


def test_an_endpoint_that_nobody_reaches_says_so(make):
    with pytest.raises(NotRecorded, match="no patient"):
        endpoint(make({"last_contact_day": 10}), "rfs")


def test_a_dataset_without_relapses_still_has_relapse_free_survival(make):
    data = make({"response_day": 5, "last_contact_day": 10, "died": "yes"})
    assert endpoint(data, "rfs").observed.tolist() == [1]


# --- start-stop rows -------------------------------------------------------------------------

HSCT = Factor("hsct_day", "HSCT", "postbaseline")


def rows_of(data, *factors, name="os"):
    rows = covariate_rows(data, endpoint(data, name), factors)
    return rows[["start", "stop", "event", *(f.column for f in factors)]].to_numpy().tolist()


def test_a_switch_splits_the_follow_up(make):
    data = make({"hsct_day": 40, "last_contact_day": 100, "died": "yes"})
    assert rows_of(data, HSCT) == [[-np.inf, 40, 0, 0], [40, 100, 1, 1]]


def test_an_event_on_the_day_of_the_switch_belongs_to_before(make):
    data = make({"hsct_day": 100, "last_contact_day": 100, "died": "yes"})
    assert rows_of(data, HSCT) == [[-np.inf, 100, 1, 0]]


def test_a_switch_at_the_origin_is_on_after_it(make):
    data = make({"hsct_day": 0, "last_contact_day": 100, "died": "yes"})
    assert rows_of(data, HSCT) == [[-np.inf, 0, 0, 0], [0, 100, 1, 1]]


def test_a_switch_before_the_origin_is_on_from_the_start(make):
    data = make({"hsct_day": 20, "response_day": 30, "last_contact_day": 30, "died": "yes"})
    assert rows_of(data, HSCT, name="rfs") == [[-np.inf, 0, 1, 1]]


def test_before_counts_only_the_switches_that_came_before(make):
    factor = Factor("hsct_day", "HSCT", "postbaseline", before="relapse_day")
    row = {"response_day": 5, "hsct_day": 50, "last_contact_day": 90}
    data = make({**row, "relapse_day": 50}, {**row, "relapse_day": 51})
    assert rows_of(data, factor) == [
        [-np.inf, 90, 0, 0],
        [-np.inf, 50, 0, 0],
        [50, 90, 0, 1],
    ]


def test_two_switches_on_one_day_split_once(make):
    response = Factor("response_day", "CR", "postbaseline")
    data = make({"hsct_day": 40, "response_day": 40, "last_contact_day": 100})
    assert rows_of(data, HSCT, response) == [[-np.inf, 40, 0, 0, 0], [40, 100, 0, 1, 1]]


def test_sides_leave_out_the_unknown_and_among_leaves_out_the_others(make):
    factor = Factor("group", "G", "baseline", ("a",), ("b",), among="evaluable")
    day = {"last_contact_day": 10, "evaluable": "yes"}
    data = make(
        {**day, "group": "a"}, {**day, "group": "b"}, {**day, "group": "c"}, day,
        {"last_contact_day": 10, "evaluable": "no", "group": "a"},
        {"last_contact_day": 10, "group": "a"},
    )  # fmt: skip
    rows = covariate_rows(data, endpoint(data, "os"), [factor])
    assert rows["patient"].tolist() == [0, 1]
    assert rows["group"].tolist() == [1, 0]


AMONG = Factor("hsct_day", "HSCT", "postbaseline", among="response_day", before="relapse_day")


def test_among_a_day_enters_after_it(make):
    """From day 0 on a responder of day 30 could not have died before."""
    data = make(
        {"response_day": 30, "hsct_day": 60, "last_contact_day": 100, "died": "yes"},
        {"response_day": 30, "hsct_day": 20, "last_contact_day": 100},
        {"response_day": 30, "hsct_day": 30, "last_contact_day": 100},
        {"response_day": 0, "last_contact_day": 0, "died": "yes"},
        {"response_day": 0, "hsct_day": 0, "last_contact_day": 9},
        {"response_day": 30, "last_contact_day": 30, "died": "yes"},
        {"last_contact_day": 50, "died": "yes"},
    )
    assert rows_of(data, AMONG) == [
        [30, 60, 0, 0], [60, 100, 1, 1],
        [30, 100, 0, 1],
        [30, 100, 0, 1],
        [-np.inf, 0, 1, 0],
        [-np.inf, 0, 0, 0], [0, 9, 0, 1],
    ]  # fmt: skip
    assert never_at_risk(data, endpoint(data, "os"), AMONG) == 1


def test_several_factors_enter_with_the_latest(make):
    other = Factor("relapse_day", "R", "postbaseline", among="last_assessment_day")
    day = {"last_contact_day": 100, "relapse_day": 40}
    data = make(
        {**day, "response_day": 30, "last_assessment_day": 35},
        {**day, "response_day": 30, "last_assessment_day": 40},
        {**day, "response_day": 30},
    )
    assert rows_of(data, AMONG, other) == [
        [35, 40, 0, 0, 0], [40, 100, 0, 0, 1],
        [40, 100, 0, 0, 1],
    ]  # fmt: skip


def test_among_the_origin_of_the_clock_delays_nothing(make):
    data = make(
        {"response_day": 30, "hsct_day": 60, "last_contact_day": 100, "died": "yes"},
        {"response_day": 30, "last_contact_day": 30, "died": "yes"},
    )
    rows = covariate_rows(data, endpoint(data, "rfs"), [AMONG])
    assert rows["start"].tolist() == [-np.inf, 30, -np.inf]
    assert never_at_risk(data, endpoint(data, "rfs"), AMONG) == 0


def test_without_an_effect_the_ratio_among_a_day_is_1(make):
    """Slow responses, and a transplant after them that does nothing: counted from day 0, 1.5."""
    rng = np.random.default_rng(11)
    data, found = make({"last_contact_day": 1}), []
    for _ in range(60):
        death, response, wait = rng.exponential([[300.0], [150.0], [60.0]], (3, 250))
        day = pd.DataFrame({"response_day": response, "hsct_day": response + wait})
        patients = day.where(day.lt(death, axis=0)).assign(
            relapse_day=np.nan, last_contact_day=death, died="yes"
        )
        made = replace(data, patients=patients)
        rows = covariate_rows(made, endpoint(made, "os"), [AMONG])
        ahead = rows.assign(start=rows["start"].where(rows["patient"].duplicated(), -np.inf))
        found.append([cox(r, ["hsct_day"]).estimates["beta"].item() for r in (rows, ahead)])
    right, wrong = np.exp(np.mean(found, axis=0))
    assert right == pytest.approx(1, abs=0.05)
    assert wrong > 1.3


def test_a_model_of_several_factors_takes_the_complete_patients(make):
    group = Factor("group", "G", "baseline", ("a",), ("b",))
    data = make({"last_contact_day": 10, "group": "a", "hsct_day": 4}, {"last_contact_day": 10})
    rows = covariate_rows(data, endpoint(data, "os"), [group, HSCT])
    assert rows["patient"].unique().tolist() == [0]


def test_rows_cover_each_patients_time_once():
    """On real data: rows of a patient join end to end and end at the follow-up, event once."""
    data = load("data/bmt")
    question = endpoint(data, "os")
    rows = covariate_rows(data, question, [f for f in data.factors if f.kind == "postbaseline"])
    by_patient = rows.groupby("patient")
    assert (by_patient["start"].first() == -np.inf).all()
    pd.testing.assert_series_equal(
        by_patient["stop"].last(), question.data["time"].rename_axis("patient"), check_names=False
    )
    assert (rows["start"].shift(-1) == rows["stop"])[rows["patient"].duplicated(keep="last")].all()
    assert rows["event"].sum() == question.observed.sum()
