"""Endpoints of a file's own: times with their status, rows that are folded, arms, late entry."""

from __future__ import annotations

import numpy as np
import pytest
import yaml
from ruamel.yaml import YAML
from test_import import days, patients_of, problems, written

from analysis.dataset.checks import read_folder
from analysis.dataset.endpoints import endpoint
from analysis.dataset.model import load
from analysis.importing.folder import import_folder

HEAD = "id,age,os_days,died,{}\n"
PFS = HEAD.format("pfs_days,pfs_status") + (
    "a,50,900,no,700,0\nb,51,400,yes,200,1\nc,52,300,yes,300,1\nd,53,800,no,800,0\n"
)


def said(folder, **answers):
    """Set values of import.yaml by their places, as `endpoints.pfs.title`."""
    yaml_, path = YAML(), folder / "import.yaml"
    tree = yaml_.load(path.read_text("utf-8"))
    for place, value in answers.items():
        *parents, key = place.split("__")
        block = tree
        for parent in parents:
            block = block.setdefault(parent, {})
        block[key] = value
    yaml_.dump(tree, path)


def made(tmp_path, text, *rounds, name="t.csv", **options):
    """The folder, after as many runs as it takes; every question must be answered in the end."""
    file, folder = written(tmp_path / name, text), tmp_path / "made"
    for answers in rounds:
        problems(file, folder, **options)
        said(folder, **answers)
    import_folder(file, folder, **options)
    assert read_folder(folder).problems == []
    return folder


def followed(folder, name):
    """Time and event of each patient of an endpoint."""
    found = endpoint(load(folder), name)
    return found.time.tolist(), found.observed.tolist()


ORIGIN = {"analysis__time_origin": "diagnosis"}
NO_DEATHS = {
    "reserved__died__column": "",
    "reserved__last_contact_day__column": "",
}


def test_a_time_with_its_status_is_an_endpoint(tmp_path):
    answers = {"endpoints__pfs__happened": ["1"], "endpoints__pfs__not_happened": ["0"]}
    folder = made(tmp_path, PFS, ORIGIN | answers)
    assert followed(folder, "pfs") == ([700, 200, 300, 800], [0, 1, 1, 0])
    assert followed(folder, "os") == ([900, 400, 300, 800], [0, 1, 1, 0])
    plan = load(folder).endpoints["pfs"]
    assert (plan.title, plan.event) == ("Progression-free survival", "progression or death")
    assert plan.until == "pfs_until_day"  # the first patient is followed for survival alone
    assert days(folder, "pfs_day") == ["", "200", "300", ""]
    assert "pfs_status" not in patients_of(folder)


def test_its_codes_are_asked_and_no_more(tmp_path):
    lines = problems(written(tmp_path / "t.csv", PFS), tmp_path / "made")
    assert sum('"?"' in line or ": which codes" in line for line in lines) == 1
    assert any("which codes of pfs_status mean that it happened" in line for line in lines)


def test_follow_up_to_the_last_contact_needs_no_column(tmp_path):
    text = PFS.replace("a,50,900,no,700", "a,50,900,no,900")
    folder = made(tmp_path, text, ORIGIN | {"endpoints__pfs__happened": ["1"]})
    assert load(folder).endpoints["pfs"].until == "last_contact_day"
    assert "pfs_until_day" not in patients_of(folder)


def test_who_has_no_time_is_not_asked_in_it(tmp_path):
    text = PFS.replace("d,53,800,no,800,0", "d,53,800,no,,0")
    folder = made(tmp_path, text, ORIGIN | {"endpoints__pfs__happened": ["1"]})
    assert followed(folder, "pfs") == ([700, 200, 300], [0, 1, 1])
    assert days(folder, "pfs_known") == ["yes", "yes", "yes", "no"]
    shown = {row.column for row in load(folder).characteristics}
    assert shown == {"age"}  # and neither a day nor who is known


def test_a_competing_event_of_the_status_has_its_own_day(tmp_path):
    text = HEAD.format("ttr_days,ttr_status") + (
        "a,50,900,no,700,0\nb,51,400,yes,200,1\nc,52,300,yes,300,2\nd,53,800,no,800,0\n"
    )
    codes = {"happened": ["1"], "competed": ["2"], "not_happened": ["0"]}
    answers = {f"endpoints__ttr__{key}": value for key, value in codes.items()}
    folder = made(tmp_path, text, ORIGIN | answers)
    assert followed(folder, "ttr") == ([700, 200, 300, 800], [0, 1, 2, 0])
    assert load(folder).endpoints["ttr"].competing == ("ttr_competing_day",)


@pytest.mark.parametrize(
    ("head", "name"),
    [("ptime,pstat", "ptime"), ("t2,d2", "t2"), ("rtime,recur", "rtime"), ("agvhd_days,agvhd", "")],
)
def test_pairs_are_known_by_their_names_and_asked_what_they_are(tmp_path, head, name):
    rows = "a,50,900,no,700,0\nb,51,400,yes,200,1\nc,52,300,yes,260,1\nd,53,800,no,810,0\n"
    text = HEAD.format(head) + rows.replace("810", "800")
    lines = problems(written(tmp_path / "t.csv", text), tmp_path / "made")
    assert any(f'"" leaves it out; of {head.replace(",", ", ")}' in line for line in lines)
    name = name or "agvhd"
    answers = {f"endpoints__{name}__title": "Time to relapse", f"endpoints__{name}__as": "days"}
    folder = made(tmp_path, text, ORIGIN | answers | {f"endpoints__{name}__happened": ["1"]})
    assert followed(folder, name) == ([700, 200, 260, 800], [0, 1, 1, 0])
    assert load(folder).endpoints[name].event == "relapse"


def test_a_file_without_deaths_has_its_longest_follow_up(tmp_path):
    text = "pid,age,rfstime,status\n1,50,700,0\n2,51,200,1\n3,52,300,0\n"
    answers = {"endpoints__rfs__as": "days", "endpoints__rfs__happened": ["1"]}
    folder = made(tmp_path, text, ORIGIN | NO_DEATHS | answers)
    assert "died" not in patients_of(folder)
    assert days(folder) == ["700", "200", "300"]
    assert list(load(folder).endpoints) == ["rfs"]
    assert followed(folder, "rfs") == ([700, 200, 300], [0, 1, 0])


def test_a_relapse_without_response_counts_from_day_0(tmp_path):
    text = HEAD.format("relapse_days,relapse") + (
        "a,50,900,no,700,0\nb,51,400,yes,200,1\nc,52,300,yes,300,0\nd,53,800,no,800,0\n"
    )
    folder = made(tmp_path, text, ORIGIN)
    assert list(load(folder).endpoints) == ["os", "relapse", "rfs"]
    assert followed(folder, "relapse") == ([700, 200, 300, 800], [0, 1, 0, 0])
    assert followed(folder, "rfs") == ([700, 200, 300, 800], [0, 1, 1, 0])


def test_a_date_of_progression_makes_two_endpoints(tmp_path):
    text = (
        "pid,diagnosis,progression,last_contact_date,died\n"
        "P1,2005-12-16,2006-02-02,2006-10-19,yes\nP2,2006-01-06,,2006-04-19,yes\n"
        "P3,2006-02-03,2006-08-02,2007-01-19,no\n"
    )
    import_folder(written(tmp_path / "t.csv", text), tmp_path / "made")
    assert followed(tmp_path / "made", "pfs") == ([48, 103, 180], [1, 1, 1])
    assert followed(tmp_path / "made", "progression") == ([48, 103, 180], [1, 0, 1])


# --- several rows a patient ------------------------------------------------------------------

KINDS = (
    "id,rx,etype,time,status\n1,A,1,968,1\n1,A,2,1521,1\n2,B,1,3087,0\n2,B,2,3087,0\n"
    "3,A,1,542,1\n3,A,2,963,1\n4,B,1,100,0\n4,B,2,3000,0\n"
)
FOLDED = {
    "analysis__time_origin": "diagnosis",
    "analysis__compare__reference": "A",
    "analysis__compare__randomised": True,
    "reserved__last_contact_day__as": "days",
    "reserved__relapse_day__as": "days",
    "reserved__relapse_day__happened": ["1"],
    "reserved__relapse_day__not_happened": ["0"],
    "reserved__died__dead": ["1"],
    "reserved__died__alive": ["0"],
}


def test_a_row_for_each_kind_of_event_is_asked_once_and_folded(tmp_path):
    words = {"fold__1": "recurrence", "fold__2": "death"}
    folder = made(tmp_path, KINDS, words, FOLDED)
    assert followed(folder, "os") == ([1521, 3087, 963, 3000], [1, 0, 1, 0])
    assert followed(folder, "relapse") == ([968, 3087, 542, 100], [1, 0, 1, 0])
    data = load(folder)
    assert data.label("relapse_day") == "Recurrence"
    assert [(plan.heading, plan.event) for plan in data.endpoints.values()] == [
        ("Overall survival", "death"),
        ("Time to recurrence", "recurrence"),
        ("Recurrence-free survival", "recurrence or death"),
    ]
    assert data.compare.reference == "A"
    package = yaml.safe_load((folder / "datapackage.json").read_text("utf-8"))
    assert package["analysis"]["compare"] == {"column": "rx", "reference": "A", "randomised": True}


def test_what_is_not_folded_is_counted(tmp_path):
    file, folder = written(tmp_path / "t.csv", KINDS + "4,B,3,5,0\n"), tmp_path / "made"
    words = {"fold__1": "recurrence", "fold__2": "death", "fold__3": ""}
    for answers in (words, FOLDED):
        problems(file, folder)
        said(folder, **answers)
    lines = import_folder(file, folder)
    assert "  folded by etype: 8 rows of 4 patients" in lines
    assert "  not folded: 1 row in which etype is 3" in lines


INTERVALS = (
    "id,start,stop,event,age,treated\n1,0,50,1,60,0\n2,0,36,0,55,0\n2,36,90,1,55,1\n"
    "3,10,40,0,70,0\n3,40,120,0,70,1\n"
)
DEATHS = {
    "analysis__time_origin": "referral",
    "reserved__last_contact_day__column": "stop",
    "reserved__last_contact_day__as": "days",
    "reserved__died": {"column": "event", "dead": ["1"], "alive": ["0"]},
    "reserved__entry_day": {"column": "start", "as": "days"},
}


def test_intervals_are_laid_end_to_end(tmp_path):
    folder = made(tmp_path, INTERVALS, DEATHS)
    assert days(folder) == ["50", "90", "120"]
    assert days(folder, "died") == ["yes", "yes", "no"]
    assert days(folder, "entry_day") == ["0", "0", "10"]
    found = endpoint(load(folder), "os")
    assert np.array_equal(found.entry, [0, 0, 10]) or np.array_equal(found.entry[2:], [10])


def test_an_event_before_the_last_interval_is_asked(tmp_path):
    text = INTERVALS.replace("2,0,36,0", "2,0,36,1").replace("3,10,40", "3,0,40")
    lines = problems(written(tmp_path / "t.csv", text), tmp_path / "made")
    assert "3 patients in 5 rows, and rows are not merged" in lines[0]
    assert any("1 row before the last of a patient have an event" in line for line in lines)
    answers = {key: value for key, value in DEATHS.items() if "entry" not in key}
    answers["endpoints__stop__title"] = ""  # the end of the row is taken for the last contact
    folder = made(tmp_path, text, {"fold__take": "first"}, answers)
    assert days(folder) == ["50", "36", "120"]


RECURRENCES = (
    "id,start,stop,status,age,size\n1,0,0,2,60,1\n2,0,6,1,55,1\n2,6,10,2,55,2\n3,0,23,0,70,1\n"
    "4,0,3,1,70,1\n4,3,16,1,70,3\n4,16,23,0,70,1\n"
)
FIRST = {
    "analysis__time_origin": "referral",
    "reserved__last_contact_day__as": "months",
    "reserved__died__dead": ["2"],
    "reserved__died__alive": ["0", "1"],
    "endpoints__stop__title": "Time to recurrence",
    "endpoints__stop__as": "months",
    "endpoints__stop__happened": ["1"],
    "endpoints__stop__competed": ["2"],
    "endpoints__stop__not_happened": ["0"],
}


def test_the_first_event_is_taken_and_no_death_of_a_later_row_is_lost(tmp_path):
    folder = made(tmp_path, RECURRENCES, {"fold__take": "first"}, FIRST)
    assert days(folder, "died") == ["yes", "yes", "no", "no"]
    month = 30.4375
    assert followed(folder, "os")[0] == pytest.approx([0, 10 * month, 23 * month, 23 * month])
    time, event = followed(folder, "stop")
    assert time == pytest.approx([0, 6 * month, 23 * month, 3 * month])
    assert event == [2, 1, 0, 1]
    lines = import_folder(tmp_path / "t.csv", folder)
    assert (
        "  not folded: 2 events in other rows of a patient than the one that is taken (first), "
        "where status is 1 (1), 2 (1)"
    ) in lines
    assert "  size changes within 2 patients: the first row's value is taken" in lines
    assert any(
        "of each patient's last row are kept as last_follow_up_time" in line for line in lines
    )


def test_an_end_that_may_compete_is_named_where_it_counts_as_alive(tmp_path):
    ends = ["death", "ltx", "censored", "ltx", "withdraw", "alive with disease"]
    rows = [f"{n},{40 + n},{100 * n},{end}" for n, end in enumerate(ends, start=1)]
    answers = {
        "reserved__died": {
            "column": "event",
            "dead": ["death"],
            "alive": list(dict.fromkeys(ends[1:])),
        },
        "reserved__last_contact_day__as": "days",
    }
    text = "id,age,futime,event\n" + "\n".join(rows) + "\n"
    made(tmp_path, text, ORIGIN | answers)
    lines = import_folder(tmp_path / "t.csv", tmp_path / "made")
    assert any(
        "died: where event is ltx (2), withdraw (1), the patient counts as" in s for s in lines
    )


def test_a_time_that_no_column_has_may_have_its_unit(tmp_path):
    text = "pid,age,rfstime,status\n1,50,700,0\n2,51,200,1\n3,52,699,0\n"
    answers = {"endpoints__rfs__as": "days", "endpoints__rfs__happened": ["1"]}
    unit = {"reserved__last_contact_day__as": "days"}
    folder = made(tmp_path, text, ORIGIN | NO_DEATHS | answers | unit)
    assert followed(folder, "rfs") == ([700, 200, 699], [0, 1, 0])


def test_two_rows_of_one_kind_are_a_problem(tmp_path):
    file, folder = written(tmp_path / "t.csv", KINDS + "4,B,2,5,0\n"), tmp_path / "made"
    problems(file, folder)
    said(folder, fold__1="recurrence", fold__2="death")
    (line,) = problems(file, folder)
    assert line == (
        "t.csv, row 10, column etype: found 2 again, expected one row of each kind a patient"
    )


# --- late entry, arms, ADaM and SPSS ---------------------------------------------------------


@pytest.mark.parametrize("answer", ["ageentry", ""])
def test_a_time_of_entry_is_asked(tmp_path, answer):
    text = "pid,ageentry,os_months,died\n1,9,100,yes\n2,8,99,no\n"
    answers = {"reserved__entry_day__column": answer, "reserved__entry_day__as": "months"}
    folder = made(tmp_path, text, ORIGIN | answers)
    if answer:
        assert endpoint(load(folder), "os").entry.tolist() == [9 * 30.4375, 8 * 30.4375]
    else:
        assert endpoint(load(folder), "os").entry is None


@pytest.mark.parametrize(
    ("column", "values", "asked"),
    [
        ("trt", "1212", True),
        ("group", "abab", True),
        ("arm", "abcd", True),
        ("stage", "1212", False),
    ],
)
def test_arms_are_proposed_with_their_reference_asked(tmp_path, column, values, asked):
    rows = "".join(f"{n},{40 + n},no,{value}\n" for n, value in enumerate(values))
    lines = problems(
        written(tmp_path / "t.csv", f"id,os_days,died,{column}\n{rows}"), tmp_path / "m"
    )
    assert (
        any(f"which level of {column} are the others compared with?" in x for x in lines) == asked
    )


ADSL = "USUBJID,ARM,RANDFL\nP1,A,Y\nP2,B,Y\nP3,A,Y\nP4,B,Y\n"
ADTTE = "USUBJID,PARAMCD,PARAM,AVAL,AVALU,CNSR,EVNTDESC\n" + "".join(
    f"P{n},{code},{param},{aval},DAYS,{cnsr},{words}\n"
    for code, param, records in (
        (
            "OS",
            "Overall Survival",
            [(400, 0, "Death"), (900, 1, ""), (300, 0, "Death"), (800, 1, "")],
        ),
        (
            "PFS",
            "Progression-Free Survival (Days)",
            [(200, 0, "Progression"), (700, 1, ""), (300, 0, "Death"), (800, 1, "")],
        ),
        (
            "TTP",
            "Time to Progression (Days)",
            [(200, 0, "Progression"), (700, 1, ""), (300, 2, "Death"), (800, 1, "")],
        ),
    )
    for n, (aval, cnsr, words) in enumerate(records, start=1)
)


def test_the_parameters_of_adtte_are_endpoints(tmp_path):
    adtte = written(tmp_path / "adtte.csv", ADTTE)
    answers = ORIGIN | {"analysis__compare__reference": "A", "endpoints__ttp__competed": ["2"]}
    folder = made(tmp_path, ADSL, answers, name="adsl.csv", adtte=adtte)
    assert followed(folder, "os") == ([400, 900, 300, 800], [1, 0, 1, 0])
    assert followed(folder, "pfs") == ([200, 700, 300, 800], [1, 0, 1, 0])
    assert followed(folder, "ttp") == ([200, 700, 300, 800], [1, 0, 2, 0])
    assert load(folder).endpoints["pfs"].event == "death or progression"
    compared = load(folder).compare
    assert (compared.column, compared.reference, compared.randomised) == ("arm", "A", True)


def test_an_spss_file_has_its_labels_and_missing_codes(tmp_path):
    import pandas as pd
    import pyreadstat

    frame = pd.DataFrame(
        {
            "id": [1.0, 2, 3, 4],
            "arm": [1.0, 2, 1, 2],
            "pfs_days": [700.0, 200, 300, 999],
            "pfs_status": [0.0, 1, 1, 0],
            "os_days": [900.0, 400, 300, 800],
            "died": [0.0, 1, 1, 0],
        }
    )
    file, folder = tmp_path / "t.sav", tmp_path / "made"
    pyreadstat.write_sav(
        frame,
        file,
        variable_value_labels={
            "arm": {1.0: "Placebo", 2.0: "Active"},
            "pfs_status": {0.0: "Censored", 1.0: "Event"},
            "died": {0.0: "alive", 1.0: "dead"},
        },
        missing_ranges={"pfs_days": [{"lo": 999, "hi": 999}]},
    )
    lines = problems(file, folder)
    assert not any("which codes" in line for line in lines)  # the labels say them
    assert any("one of Placebo, Active" in line for line in lines)
    said(folder, **ORIGIN, analysis__compare={"column": "arm", "reference": "Placebo"})
    import_folder(file, folder)
    assert followed(folder, "pfs") == ([700, 200, 300], [0, 1, 1])


def test_a_fold_that_cannot_be_is_refused(tmp_path):
    file, folder = written(tmp_path / "t.csv", KINDS), tmp_path / "made"
    problems(file, folder)
    said(folder, fold__1="death", fold__2="death")
    assert problems(file, folder) == [
        "import.yaml, fold: found one word twice, expected a word of its own for each kind"
    ]
    file = written(tmp_path / "u.csv", INTERVALS.replace("3,10,40", ",10,40"))
    assert 'u.csv, row 5, column id: found "", expected a value' in problems(file, tmp_path / "u")


def test_a_cell_of_a_folded_column_is_named_by_its_own_row(tmp_path):
    file, folder = written(tmp_path / "t.csv", KINDS.replace("963", "x")), tmp_path / "made"
    more = {"reserved__last_contact_day__column": "death_time"}
    for answers in ({"fold__1": "recurrence", "fold__2": "death"}, FOLDED | more):
        problems(file, folder)
        said(folder, **answers)
    assert any(
        line.startswith("t.csv, row 7, column death_time: ") for line in problems(file, folder)
    )


def test_months_beside_days_are_no_contradiction(tmp_path):
    text = (
        "PATIENT_ID,OS_MONTHS,OS_STATUS,DFS_STATUS,DFS_MONTHS,DAYS_LAST_FOLLOWUP\n"
        "X1,12,1:DECEASED,1:Recurred,12,365\nX2,30,0:LIVING,0:DiseaseFree,30,913\n"
        "X3,44,0:LIVING,1:Recurred,20,1339\n"
    )
    folder = made(tmp_path, text, ORIGIN)
    assert followed(folder, "dfs") == ([365, 913, 608.75], [1, 0, 1])
    assert "dfs_until_day" not in patients_of(folder)
