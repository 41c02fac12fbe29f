"""What the columns of a file mean: what it says twice agrees, and what it does not say is asked."""

from __future__ import annotations

import re

import pandas as pd
import pytest
import yaml
from test_import import answer, answer_arms, days, dictionary, patients_of, problems, written

from analysis.dataset.model import load
from analysis.dataset.problems import DataError
from analysis.importing import files as sources
from analysis.importing.folder import import_folder

TIME_AND_STATUS = (
    "id,age,os_months,death,cr_months,relapse_months,relapse\n"
    "1,61,20.0,1,1.0,8.0,1\n2,55,30.0,0,1.5,30.0,0\n3,70,14.0,1,0.8,14.0,0\n"
    "4,48,40.0,0,1.2,12.5,1\n5,66,25.0,1,1.1,25.0,0\n6,39,52.0,0,0.9,52.0,0\n"
)
TRANSPLANTS = (
    "patient_id,age,os_days,dead,hsct,hsct_days\n"
    "P1,40,900,0,1,120\nP2,52,310,1,0,310\nP3,61,1200,0,0,1200\nP4,33,640,1,1,95\n"
)


def asked(lines):
    """The keys that are asked, in order, without the words for day 0."""
    found = [re.match(r"import\.yaml, row \d+, ([\w\"]+): ", line) for line in lines]
    return [match[1] for match in found if match and match[1] != "time_origin"]


def settled(file, folder, **answers):
    """Import a file, answering its questions; returns the report."""
    options = {key: answers.pop(key) for key in ("dictionary", "adtte") if key in answers}
    lines = problems(file, folder, **options)
    known = {"time_origin": "diagnosis"} if any(", time_origin: " in line for line in lines) else {}
    answer(folder, **known, **answers)
    answer_arms(folder)
    return import_folder(file, folder, **options)


def changed(folder, old, new):
    path = folder / "import.yaml"
    text = path.read_text("utf-8")
    assert old in text, text
    path.write_text(text.replace(old, new, 1), "utf-8")


def filled(folder, column):
    """The patients who have a day, by their place from 1."""
    return [place for place, day in enumerate(days(folder, column), start=1) if day]


# --- a time and its status -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "column", "happened"),
    [
        (TIME_AND_STATUS, "relapse_day", [1, 4]),
        (TRANSPLANTS, "hsct_day", [1, 4]),
        (  # the status first, words for codes
            "id,os_days,died,relapsed,relapse_day\na,9,yes,No,9\nb,8,no,Yes,4\nc,7,no,No,7\n".replace(
                "relapsed", "relapse"
            ),
            "relapse_day",
            [2],
        ),
        (  # codes with their words, as cBioPortal has them
            "id,os_months,died,relapse_months,relapse_status\n"
            "a,9,yes,9,0:DiseaseFree\nb,8,no,4,1:Recurred\nc,7,no,7,0:DiseaseFree\n",
            "relapse_day",
            [2],
        ),
        ("id,os_days,died,relapse_days,relapse_yn\na,9,no,9,0\nb,8,no,4,1\n", "relapse_day", [2]),
        (  # dates
            "id,diagnosis_date,last_contact_date,died,transplant_date,transplant\n"
            "a,2020-01-01,2021-01-01,no,2020-05-01,Y\nb,2020-01-01,2021-01-01,no,2021-01-01,N\n",
            "hsct_day",
            [1],
        ),
    ],
)
def test_a_day_counts_only_where_its_status_says_so(tmp_path, text, column, happened):
    file = written(tmp_path / "t.csv", text)
    if "diagnosis_date" in text:
        lines = import_folder(file, tmp_path / "made")
    else:
        lines = settled(file, tmp_path / "made")
    assert filled(tmp_path / "made", column) == happened
    left = len(text.splitlines()) - 1 - len(happened)
    patients = "1 patient" if left == 1 else f"{left} patients"
    assert any(f"{column}: {patients} with a day although" in line for line in lines)


@pytest.mark.parametrize(
    ("head", "flags"),
    [
        ("relapse_months,relapse_status", "121"),  # which is yes?
        ("relapse_months,relapse_censor", "010"),  # 1 may mean censored
        ("relapse_months,event", "010"),  # beside the time, about nothing by its name
        ("response_months,response", ["CR", "PD", "SD"]),
        ("response_months,best_response", ["PD", "CR", "SD"]),
        ("response_months,BOR", ["SD", "CR", "CRi", "PR", "MLFS", "PD", "NE", "NR"]),
        ("response_months,Bestes Ansprechen", ["SD", "CR", ""]),
    ],
)
def test_codes_of_a_status_are_asked_where_they_do_not_say_it(tmp_path, head, flags):
    rows = "".join(f"{n},{n + 9},no,{n + 9},{flag}\n" for n, flag in enumerate(flags))
    file = written(tmp_path / "t.csv", f"id,os_months,died,{head}\n{rows}")
    lines = problems(file, tmp_path / "made")
    assert asked(lines) == ["happened", "not_happened"]
    assert not (tmp_path / "made" / "patients.csv").exists()
    codes = [f'["{code}"]' for code in dict.fromkeys(flags)]
    no = f"[{', '.join(c.strip('[]') for c in [codes[0], *codes[2:]])}]"
    answer(tmp_path / "made", time_origin="x", happened=codes[1], not_happened=no)
    import_folder(file, tmp_path / "made")
    assert filled(tmp_path / "made", f"{head.split('_')[0]}_day") == [2]


def test_several_statuses_are_asked_and_none_is_an_answer(tmp_path):
    rows = TIME_AND_STATUS.splitlines()
    text = "\n".join([f"{rows[0]},relapse_flag", *(f"{row},0" for row in rows[1:])])
    file = written(tmp_path / "t.csv", text)
    lines = problems(file, tmp_path / "made")
    assert asked(lines) == ["status", "happened", "not_happened"]
    assert any("none, or one of relapse, relapse_flag" in line for line in lines)
    answer(tmp_path / "made", time_origin="x", status="none", happened="[]", not_happened="[]")
    lines = import_folder(file, tmp_path / "made")
    assert filled(tmp_path / "made", "relapse_day") == [1, 2, 3, 4, 5, 6]
    assert any(
        "relapse_day: in 2 of the living it is the day of the last" in line for line in lines
    )


def test_a_mapping_that_does_not_name_the_status_is_asked_for_it(tmp_path):
    """Also where the day is the user's own choice, which no guess had."""
    text = "id,os_months,dead,Relapse Free Status (Months),Relapse Free Status\n"
    text += "a,20,0,8,1:Recurred\nb,30,0,30,0:Not Recurred\nc,9,1,9,0:Not Recurred\n"
    file = written(tmp_path / "t.csv", text)
    settled(file, tmp_path / "made")
    entry = '  relapse_day: {column: "Relapse Free Status (Months)", as: months}\n'
    changed(tmp_path / "made", "  died:\n", entry + "  died:\n")
    (line,) = problems(file, tmp_path / "made")
    assert line == (
        "import.yaml, reserved.relapse_day: found no status, expected the column that says whether "
        "it happened, with happened and not_happened, or status: none; Relapse Free Status has "
        "1:Recurred, 0:Not Recurred"
    )
    told = 'months, status: Relapse Free Status, happened: ["1:Recurred"], not_happened: ["*"]'
    changed(tmp_path / "made", "as: months}", "as: " + told + "}")
    import_folder(file, tmp_path / "made")
    assert filled(tmp_path / "made", "relapse_day") == [1]


def test_a_status_that_agrees_with_blank_days_needs_no_answer(tmp_path):
    text = "id,os_months,dead,relapse_months,relapse\na,20,0,8,1\nb,30,0,,0\nc,9,1,,0\n"
    file = written(tmp_path / "t.csv", text)
    settled(file, tmp_path / "made")
    path = tmp_path / "made" / "import.yaml"
    lines = path.read_text("utf-8").splitlines()
    kept = [line for line in lines if not re.match(r" +(status|happened|not_happened):", line)]
    told = "\n".join(kept).replace("dropped: {}", "dropped: {relapse: known by its day}")
    path.write_text(told + "\n", "utf-8")
    import_folder(file, tmp_path / "made")
    assert filled(tmp_path / "made", "relapse_day") == [1]
    file.write_text(text.replace("b,30,0,,0", "b,30,0,30,0"), "utf-8")
    assert "found no status" in problems(file, tmp_path / "made")[0]


def test_an_event_without_a_day_is_counted_and_an_unknown_code_is_named(tmp_path):
    file = written(tmp_path / "t.csv", TRANSPLANTS.replace("1,95", "1,"))
    lines = settled(file, tmp_path / "made")
    line = (
        "  hsct_day: 1 patient without a day although hsct says yes: counted as without the event"
    )
    assert line in lines
    file.write_text(TRANSPLANTS.replace("1,95", "7,95"), "utf-8")
    assert problems(file, tmp_path / "made") == [
        't.csv, row 5, column hsct: found "7", expected one of 1, 0'
    ]


# --- units and clocks ------------------------------------------------------------------------


def labelled_dta(path, frame, labels):
    import pyreadstat

    pyreadstat.write_dta(frame, path, column_labels=labels)
    return path


@pytest.mark.parametrize(
    ("name", "label", "unit"),
    [
        ("os_months", "Months from day of randomisation to death or last contact", "months"),
        ("os", "Survival in days since the month of diagnosis", "days"),
        ("os", "Weeks to day of death", "weeks"),
        ("os", "Time from day of surgery to death (months)", "months"),
        ("os_yrs", "Overall survival", "years"),
        ("os_days", "Overall survival in months", None),
        ("os", "Survival, days or months", None),
        ("os_weeks", "Years from surgery", None),
    ],
)
def test_the_unit_is_what_name_and_label_say_or_asked(tmp_path, name, label, unit):
    frame = pd.DataFrame({"id": ["a", "b"], name: [27.5, 18.25], "died": [1.0, 0.0]})
    file = labelled_dta(tmp_path / "t.dta", frame, ["Patient", label, "Died"])
    lines = problems(file, tmp_path / "made")
    assert asked(lines) == ([] if unit else ["as"])
    if unit:
        mapping = yaml.safe_load((tmp_path / "made" / "import.yaml").read_text("utf-8"))
        assert mapping["reserved"]["last_contact_day"]["as"] == unit
    else:
        assert any("its name says" in line or "its label says" in line for line in lines)


@pytest.mark.parametrize(
    ("unit", "values", "words"),
    [
        ("days", "27.8 18.2 84.1", "3 rows with decimals, and the largest is 84.1; are these mon"),
        ("months", "12 4000 7", "4000 months are 333 years; are these days?"),
        ("years", "2015 2016 2019", "2019 years are 2019 years; are these calendar years?"),
        ("weeks", "52 4000 300", "4000 weeks are 77 years; are these days?"),
        ("months", "12 30 999", "999 months in 1 row may be a code for unknown"),
        ("days", "120 9999 9999", "9999 days in 2 rows may be a code for unknown"),
        ("weeks", "52 104 300", ""),
        ("days", "1 700 3300", ""),
    ],
)
def test_a_unit_that_its_values_speak_against_is_warned_of(tmp_path, unit, values, words):
    rows = "".join(f"{n},{value},0\n" for n, value in enumerate(values.split()))
    file = written(tmp_path / "t.csv", f"id,os_{unit},died\n{rows}")
    no_code = {f"os_{unit}": "[]"} if "99" in values else {}  # asked first
    try:
        lines = settled(file, tmp_path / "made", **no_code)
    except DataError as error:  # beyond what a table may hold
        lines = error.problems
        assert not any("spreadsheet" in line for line in lines)
    found = [line for line in lines if f" os_{unit} as {unit}: " in line]
    assert [words in line for line in found] == ([True] if words else [])


@pytest.mark.parametrize(
    ("numbers", "first", "kind"),
    [
        ((11400, 12600), "2001-03-19 to 2004-07-01 as r-date", "r-date"),
        ((19800, 21500), "2014-03-18 to 2018-11-12 as sas-date", "stata-date"),
        ((42000, 44000), "2014-12-27 to 2020-06-18 as excel-date", "excel-date"),
        ((40540, 42540), "2014-12-29 to 2020-06-20 as excel-1904-date", "excel-1904-date"),
    ],
)
def test_dates_of_another_program_are_no_days(tmp_path, numbers, first, kind):
    low, high = numbers
    text = f"id,entry,futime_days,died\na,{low - 900},{low},0\nb,{low},{high},1\n"
    file = written(tmp_path / "t.csv", text.replace("futime_days", "followup_days"))
    lines = problems(file, tmp_path / "made")
    assert asked(lines) == ["origin", "as", "as"]
    assert any(first in line for line in lines)
    answer(tmp_path / "made", time_origin="entry", origin="entry", **{"as": kind})
    import_folder(file, tmp_path / "made")
    assert days(tmp_path / "made") == ["900", str(high - low)]


@pytest.mark.parametrize(
    ("head", "rows", "answers", "found"),
    [  # dates by their shape, their order, the program that counts them; and no dates after all
        (
            "id,a,b,dead",
            ["1,2020-01-01,2020-03-01,no", "2,2020-01-01,2020-02-01,yes"],
            {"origin": "a", "column": "b"},
            ["60", "31"],
        ),
        (
            "id,start,seen,dead",
            ["1,01/02/2020,03/02/2020,no", "2,02/02/2020,02/03/2020,yes"],
            {"origin": "start", "order": "day-first", "column": "seen"},
            ["2", "29"],
        ),
        (
            "id,start,seen,dead",
            ["1,17532,17600,no", "2,17600,17700,yes"],
            {"origin": "start", "column": "seen", "as": "r-date"},
            ["68", "100"],
        ),
        (
            "id,last_fu,rand,dead",
            ["1,17632,17532,no", "2,17700,17600,yes"],
            {"origin": "rand", "as": "sas-date"},
            ["100", "100"],
        ),
        (
            "id,seen_on,months_seen,dead",
            ["1,2020-03-01,2,no", "2,2020-02-01,1,yes"],
            {"origin": '""', "column": "months_seen"},
            ["60.875", "30.4375"],
        ),
        (
            "id,diagnosis_date,date_of_death,last_visit_date,dead",
            ["1,2020-01-01,,2020-03-01,no", "2,2020-01-01,2020-02-01,2020-01-20,yes"],
            {},
            ["60", "31"],
        ),
    ],
)
def test_where_the_answer_may_be_a_date_all_is_asked_at_once(tmp_path, head, rows, answers, found):
    file = written(tmp_path / "t.csv", "\n".join([head, *rows, ""]))
    if answers:
        settled(file, tmp_path / "made", **answers)
    else:
        import_folder(file, tmp_path / "made")
    assert days(tmp_path / "made") == found
    assert answers.get("origin") not in patients_of(tmp_path / "made")  # day 0 is no characteristic


@pytest.mark.parametrize(
    ("labels", "one"),
    [
        (("Days from the index date to death", "Days from diagnosis to last contact"), False),
        (("Days from randomization to death", "Days since day of randomisation"), True),
        (("Days since surgery", "Days after start of treatment"), False),
        (("Days from diagnosis", "Days from pathological diagnosis"), True),
        (("Days to death", "Days from diagnosis"), True),
    ],
)
def test_two_clocks_are_not_chained_without_a_question(tmp_path, labels, one):
    frame = pd.DataFrame(
        {
            "id": ["a", "b"],
            "days_to_death": [200.0, None],
            "days_to_last_follow_up": [None, 900.0],
            "died": [1.0, 0.0],
        }
    )
    file = labelled_dta(tmp_path / "t.dta", frame, ["Patient", *labels, "Died"])
    lines = problems(file, tmp_path / "made")
    assert asked(lines) == ([] if one else ["column"])
    assert one or any("two clocks: days_to_death from " in line for line in lines)
    if not one:
        answer(
            tmp_path / "made",
            time_origin="x",
            column="[days_to_death, days_to_last_follow_up]",
        )
        lines = import_folder(file, tmp_path / "made")
        assert any("two clocks are taken for one" in line for line in lines)


def test_an_event_on_another_clock_than_the_follow_up_is_asked(tmp_path):
    frame = pd.DataFrame(
        {"id": ["a", "b"], "os_days": [9.0, 8.0], "relapse_days": [3.0, None], "died": [0.0, 1.0]}
    )
    labels = ["Patient", "Days from diagnosis", "Days from transplant to relapse", "Died"]
    lines = problems(labelled_dta(tmp_path / "t.dta", frame, labels), tmp_path / "made")
    assert asked(lines) == ["column"]
    assert any("os_days from diagnosis, relapse_days from transplant" in line for line in lines)


# --- outcomes and codes are no measurements --------------------------------------------------


@pytest.mark.parametrize(
    "column",
    [
        *("DFS_STATUS", "DFS_MONTHS", "DTHADY", "PFI.time", "vital_status"),
        *(
            "_t",
            "_d",
            "_st",
            "_t0",
            "pfs_event",
            "ttp_days",
            "rfs_time",
            "DSS_STATUS",
            "progressed",
        ),
        *("relapse_status", "relapse_date_months", "transplanted", "dead_of_disease", "alive"),
        *("os_from_transplant_months", "relapse_months_after_transplant"),
        *("time_on_study", "follow_up_status", "survival_state"),
        *("Rezidiv_Status", "verstorben", "Überlebensstatus", "Zeit bis Progress", "Todesdatum"),
        *(
            "décès",
            "progresión",
            "durée_survie_mois",
            "fallecido",
            "decesso",
        ),
    ],
)
def test_an_outcome_is_no_characteristic(tmp_path, column):
    text = f"id,age,os_days,died,{column}\na,60,12,1,5\nb,61,30,0,30\nc,64,44,0,7\n"
    lines = settled(written(tmp_path / "t.csv", text), tmp_path / "made")
    assert "kept 1 column: age" in lines
    (line,) = [line for line in lines if line.startswith(f"  {column}: ")]
    assert len(line.split(": ", 1)[1]) > 10  # why it is left out
    assert list(patients_of(tmp_path / "made"))[1:] == ["age", "last_contact_day", "died"]


TIMES = ("2 mo", "3", "1,5", "", "4", "2,5 mo")


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("resp_months", TIMES),
        ("resp (mo)", ("1.5", "3", "2 mo", "1,5", "4", "6")),
        ("cycle", ("2 wk", "3", "4", "3", "5 wk", "")),
        ("dose_weeks", ("2", "3", "4", "2,5", "x", "6 wks")),
    ],
)
def test_a_time_in_words_is_asked_and_no_category(tmp_path, column, values):
    text = f"id;os_days;died;{column}\n"
    text += "".join(f"p{n};{100 + n};{n % 2};{value}\n" for n, value in enumerate(values))
    file, folder = written(tmp_path / "t.csv", text), tmp_path / "made"
    (line,) = [line for line in problems(file, folder) if "is it a time" in line or column in line]
    assert f"is {column} a time, of which some cells are no plain numbers?" in line
    answer(folder, time_origin="diagnosis", type="number")
    assert any("expected a number" in line for line in problems(file, folder))


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("schedule", ("2 weeks", "4 weeks", "2 weeks", "4 weeks", "2 weeks", "4 weeks")),
        ("months_since_relapse", ("3", "4", "12", "7", "", "6")),
        ("arm", ("A", "B", "1", "B", "A", "B")),
        ("age_years", ("<60", "60-70", ">70", "<60", ">70", "<60")),
    ],
)
def test_levels_and_plain_numbers_are_no_time_in_words(tmp_path, column, values):
    text = f"id;os_days;died;{column}\n"
    text += "".join(f"p{n};{100 + n};{n % 2};{value}\n" for n, value in enumerate(values))
    lines = settled(written(tmp_path / "t.csv", text), tmp_path / "made")
    assert f"kept 1 column: {column}" in lines


@pytest.mark.parametrize(
    "column",
    [
        *("months_since_relapse", "prior_relapse_months", "relapses", "family_death", "bone"),
        *("bili_tot", "in_vivo", "Monate seit Rezidiv", "Alter", "non_smoker"),
    ],
)
def test_what_was_before_day_0_is_a_characteristic(tmp_path, column):
    text = f"id,os_days,died,{column}\na,12,1,5\nb,30,0,30\nc,44,0,7\n"
    assert "kept 1 column: " + column in settled(written(tmp_path / "t.csv", text), tmp_path / "m")


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("OS_Monate,Tod,Rezidiv_Monate,Rezidiv", "ja nein"),
        ("nachbeobachtung_tage,verstorben,rezidiv_tage,rezidiv", "1 0"),
        ("Survie (mois),Décès,Rechute (mois),Rechute", "oui non"),
        ("supervivencia_meses,Fallecido,recaída_meses,recaída", "Sí No"),
        ("sopravvivenza_giorni,decesso,recidiva_giorni,recidiva", "si no"),
    ],
)
def test_times_and_outcomes_may_be_named_in_another_language(tmp_path, head, words):
    yes, no = words.split()
    rows = f"a,20,{no},8,{yes}\nb,30,{no},30,{no}\nc,9,{yes},9,{no}\n"
    file = written(tmp_path / "t.csv", f"id,{head}\n{rows}")
    lines = problems(file, tmp_path / "made")
    answer(tmp_path / "made", time_origin="x")
    if asked(lines):  # a word that may be none
        assert asked(lines) == ["happened", "not_happened"] and words in (
            "oui non",
            "Sí No",
            "si no",
        )
        answer(tmp_path / "made", happened=f"[{yes}]", not_happened=f'["{no}"]')
    import_folder(file, tmp_path / "made")
    assert filled(tmp_path / "made", "relapse_day") == [1]
    assert days(tmp_path / "made", "died") == ["no", "no", "yes"]


def test_the_status_of_an_event_may_be_in_another_word_or_unknown(tmp_path):
    head = "id,os_days,died,time_to_transplant_days,transplanted\n"
    rows = "a,900,0,120,Yes\nb,310,1,310,No\nc,1200,0,1200,No\n"
    settled(written(tmp_path / "t.csv", head + rows), tmp_path / "made")
    assert filled(tmp_path / "made", "hsct_day") == [1]
    # Nothing says what this column is, but the mapping says that the other is the transplant's.
    foreign = "id,os_days,died,tage,bmt\n" + rows
    lines = problems(written(tmp_path / "f.csv", foreign), tmp_path / "f")
    path = tmp_path / "f" / "import.yaml"
    text = path.read_text("utf-8").replace('time_origin: "?"', "time_origin: diagnosis")
    text = text.replace("  died:", "  hsct_day: {column: tage, as: days}\n  died:", 1)
    path.write_text(text, "utf-8")
    lines = problems(tmp_path / "f.csv", tmp_path / "f")
    assert "hsct_day: found no status" in lines[0] and "bmt has Yes, No" in lines[0]
    changed(tmp_path / "f", "as: days}", "as: days, status: none}")
    lines = import_folder(tmp_path / "f.csv", tmp_path / "f")
    assert not any("all patients have it" in line for line in lines)
    hidden = foreign.replace("bmt", "x")
    path.write_text(path.read_text("utf-8").replace(", status: none", "").replace("bmt", "x"))
    lines = import_folder(written(tmp_path / "f.csv", hidden), tmp_path / "f", force=True)
    assert any("hsct_day: all patients have it" in line for line in lines)


def test_what_is_dropped_is_not_called_reserved_where_nothing_is(tmp_path):
    text = "id,os_days,died,relapse\na,20,no,1\nb,30,yes,0\n"
    lines = settled(written(tmp_path / "t.csv", text), tmp_path / "made")
    assert "  relapse: about relapse: an outcome" in lines


def test_the_follow_up_in_another_unit_is_said(tmp_path):
    rows = "".join(f"{n},{n * 99},{n * 99 / 30.4:.1f},{n % 3},{n % 2}\n" for n in range(1, 8))
    file = written(tmp_path / "t.csv", f"id,t1,t2,score,died\n{rows}")
    lines = settled(file, tmp_path / "made", column="t2", **{"as": "months"})
    said = "  t1: says the same as last_contact_day; is it a characteristic?"
    assert [line for line in lines if "says the same" in line] == [said]


def test_columns_that_answers_name_are_no_characteristics(tmp_path):
    text = "pid,age,zt,code\nP1,60,200,1\nP2,61,300,0\nP3,62,400,1\nP4,63,500,0\n"
    file = written(tmp_path / "t.csv", text)
    lines = problems(file, tmp_path / "made")
    assert asked(lines) == ["column", "as", "column", "dead", "alive"]
    answer(tmp_path / "made", **{"as": "days", "dead": '["1"]', "alive": '["0"]'})
    path = tmp_path / "made" / "import.yaml"
    told = path.read_text("utf-8").replace('time_origin: "?"', "time_origin: x")
    told = told.replace('column: "?"', "column: zt", 1)
    told = told.replace('column: "?"', "column: code", 1)
    path.write_text(told, "utf-8")
    lines = import_folder(file, tmp_path / "made")
    assert list(patients_of(tmp_path / "made")) == ["patient_id", "age", "last_contact_day", "died"]
    assert {"  zt: it is reserved.last_contact_day", "  code: it is reserved.died"} <= {*lines}
    rows = "\n  characteristics: [{column: code, kind: outcome}]"
    changed(tmp_path / "made", "time_origin: x", "time_origin: x" + rows)
    import_folder(file, tmp_path / "made")
    assert "code" in patients_of(tmp_path / "made")  # the tables are to show it


@pytest.mark.parametrize(
    ("head", "kept"),
    [
        ("agvhd_days,agvhd", ""),
        ("gvhdtime,gvhd", ""),
        ("Infection (Months),Infection Status", ""),
        ("smoking_years,smoking", "smoking_years, smoking"),  # how long before day 0
        ("bmi,agvhd", "bmi, agvhd"),
    ],
)
def test_a_time_with_its_status_is_an_outcome_of_whatever_it_is(tmp_path, head, kept):
    text = f"id,os_days,died,{head}\na,60,no,12,1\nb,61,yes,30,0\nc,64,no,44,0\n"
    answers = {} if kept else {"title": '""'}
    lines = settled(written(tmp_path / "t.csv", text), tmp_path / "made", **answers)
    assert (f"kept 2 columns: {kept}" if kept else "kept no other columns") in lines
    assert sum(line.endswith(": an outcome that was left out") for line in lines) == (
        0 if kept else 2
    )


@pytest.mark.parametrize(
    ("column", "values", "kind"),
    [
        ("sex", "1 2 1 2", "string"),
        ("diabetes", "0 1 0 1", "string"),
        ("site", "701 702 701 718", "string"),
        ("ecog", "0 1 2 1", "string"),
        ("positive_nodes", "0 1 2 1", "integer"),
        ("age", "61 62 61 70", "integer"),
        ("wbc", "1.5 2 1 2", "number"),
        ("platelets", "10 12 10 30", "integer"),
    ],
)
def test_codes_are_categories_and_counts_are_numbers(tmp_path, column, values, kind):
    rows = "".join(f"{n},{value},{n + 5},no\n" for n, value in enumerate(values.split()))
    file = written(tmp_path / "t.csv", f"id,{column},os_days,died\n{rows}")
    lines = settled(file, tmp_path / "made")
    (field,) = [f for f in load(tmp_path / "made").fields if f["name"] == column]
    assert field["type"] == kind
    said = [line for line in lines if line.startswith("codes without labels, as categories: ")]
    assert [f" {column};" in line for line in said] == ([True] if kind == "string" else [])


# --- the patients ----------------------------------------------------------------------------

NO_ID = "time,status,age\n306,2,74\n455,2,68\n1010,1,56\n"


@pytest.mark.parametrize("way", ["blank", "option", "option later", "no entry"])
def test_no_id_is_needed(tmp_path, way):
    file, made = written(tmp_path / "t.csv", NO_ID), tmp_path / "made"
    lines = problems(file, made, new_ids=way == "option")
    assert asked(lines).count("column") == (1 if way == "option" else 2)
    path = made / "import.yaml"
    text = path.read_text("utf-8").replace('time_origin: "?"', "time_origin: x")
    text = text.replace('as: "?"', "as: days")
    text = re.sub(r'(last_contact_day:\n(?: +#.*\n)* +column: )"\?"', r"\1time", text)
    text = text.replace('dead: "?"', 'dead: ["2"]').replace('alive: "?"', 'alive: ["1"]')
    if way == "blank":
        text = text.replace('column: "?"', 'column: ""')
    if way == "no entry":
        text = re.sub(r"patient_id:\n( {4}.*\n)+", "patient_id: {}\n", text)
    path.write_text(text, "utf-8")
    lines = import_folder(file, made, new_ids=way == "option later")
    assert patients_of(made)["patient_id"].tolist() == ["P001", "P002", "P003"]
    assert "  patient_id: of no column, numbered anew" in lines
    assert import_folder(file, made)  # the mapping remembers it


ROWS = "id,rx,{},time,status\n1,A,{},968,1\n1,A,{},1521,1\n2,B,{},3087,0\n2,B,{},3087,0\n"


@pytest.mark.parametrize(
    ("name", "values"),
    [("kind_of_row", "1212"), ("redcap_event_name", ["base", "end"] * 2), ("visit", "0123")],
)
def test_several_rows_a_patient_are_said_before_all_else(tmp_path, name, values):
    file = written(tmp_path / "t.csv", ROWS.format(name, *values))
    first, *others = problems(file, tmp_path / "made")
    assert "id of t.csv has 2 patients in 4 rows, and rows are not merged; " in first
    parted = len(set(values)) == 2
    pick = f"{name}: {', '.join(sorted(set(values)))}" if parted else "no column picks one row of"
    assert pick in first
    assert any("last contact" in line for line in others)
    if parted:
        assert first.startswith("import.yaml, row 19, column: ")
        answer(tmp_path / "made", values=f'["{sorted(set(values))[1]}"]', time_origin="x")
        path = tmp_path / "made" / "import.yaml"
        text = path.read_text("utf-8").replace('column: "?"', f"column: {name}", 1)
        text = text.replace('column: "?"', "column: time").replace('as: "?"', "as: days")
        text = text.replace('dead: "?"', 'dead: ["1"]').replace('alive: "?"', 'alive: ["0"]')
        path.write_text(text, "utf-8")
        answer_arms(tmp_path / "made")
        import_folder(file, tmp_path / "made")
        assert days(tmp_path / "made") == ["1521", "3087"]
        assert name not in patients_of(tmp_path / "made")


# --- REDCap and ADaM -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "picks"),
    [
        ("redcap_event_name", ["redcap_event_name"]),  # REDCap says itself which row is what
        ("visit", ["visit", "sex", "os_days", "died"]),
    ],
)
def test_a_box_of_a_question_picks_no_rows(tmp_path, event, picks):
    text = f"record_id,{event},symptoms___1,symptoms___2,sex,os_days,died\n"
    for n in range(3):
        text += f"{n},base,1,0,m,9,1\n{n},later,0,1,,,\n"
    first, *_ = problems(written(tmp_path / "t.csv", text), tmp_path / "made")
    shown = first.split("its values, as ")[1].split("; ")
    assert [part.split(":")[0] for part in shown] == picks


@pytest.mark.parametrize(
    ("kind", "validation"), [("file", ""), ("descriptive", ""), ("file", "signature")]
)
def test_a_field_of_redcap_without_values_is_dropped(tmp_path, kind, validation):
    fields = [
        ("record_id", "text", "Record", "", "", "", "", "", ""),
        ("scan", kind, "Consent", "", validation, "", "", "", ""),
        ("os_days", "calc", "Days to last contact", "", "", "", "", "", ""),
        ("died", "radio", "Died", "1, Alive | 2, Dead | 3, Lost", "", "", "", "", ""),
    ]
    words = dictionary(tmp_path / "words.csv", fields)
    text = "record_id,scan,os_days,died\n1,a.pdf,9,1\n2,b.pdf,8,2\n3,,7,3\n"
    file = written(tmp_path / "t.csv", text)
    lines = problems(file, tmp_path / "made", dictionary=words)
    assert any("found 1 (Alive), 2 (Dead), 3 (Lost)" in line for line in lines)
    answer(tmp_path / "made", time_origin="x", dead="[2]", alive='["1", "3"]')
    lines = import_folder(file, tmp_path / "made", dictionary=words)
    assert any(line.startswith(f"  scan: a field of type {kind}") for line in lines)


def adam_pair(tmp_path, words="Overall Survival", code="OS", flags="NYN", plus=1, described=None):
    """Three patients: events of the second and third, who die as `flags` say."""
    adsl = "USUBJID,AGE,RANDDT,DTHFL\n"
    adtte = "USUBJID,PARAMCD,PARAM,STARTDT,ADT,AVAL,CNSR,EVNTDESC\n"
    for n, flag in enumerate(flags, start=1):
        event = n == 2 or (n == 3 and code != "OS")
        adsl += f"{n},6{n},2020-01-01,{flag.replace('N', '')}\n"
        told = (described or "") if event else ""
        adtte += f"{n},{code},{words},2020-01-01,2020-01-1{n},{9 + n + plus},{1 - event:d},{told}\n"
    return written(tmp_path / "adsl.csv", adsl), written(tmp_path / "adtte.csv", adtte)


@pytest.mark.parametrize(
    ("aval", "plus", "expected", "words"),
    [
        (None, 1, ["11", "12", "13"], "AVAL is ADT - STARTDT + 1 in all 3 records"),
        ("one_fewer", 1, ["10", "11", "12"], "one day is taken off it"),
        (None, 0, ["10", "11", "12"], "days are ADT - STARTDT; AVAL is not used"),
    ],
)
def test_the_rule_that_makes_days_of_aval_is_said(tmp_path, aval, plus, expected, words):
    adsl, adtte = adam_pair(tmp_path, plus=plus)
    lines = import_folder(adsl, tmp_path / "made", adtte=adtte)
    if aval:
        changed(tmp_path / "made", "aval: as_is", f"aval: {aval}")
        lines = import_folder(adsl, tmp_path / "made", adtte=adtte)
    assert days(tmp_path / "made") == expected
    assert any(words in line for line in lines)


@pytest.mark.parametrize(
    ("response", "transplant"),
    [
        ("Remissionsdatum", "Transplantationsdatum"),
        ("Date RC", "Date de greffe"),
        ("Fecha respuesta completa", "Fecha trasplante"),
        ("Data remissione", "Data trapianto"),
    ],
)
def test_dates_of_response_and_transplant_are_read_in_other_languages(
    tmp_path, response, transplant
):
    text = f"id,Datum Diagnose,Todesdatum,Letzter Kontakt,{response},{transplant}\n"
    text += "a,2020-01-01,2020-09-01,2020-09-01,2020-03-01,2020-05-01\n"
    text += "b,2020-01-01,,2021-09-01,2020-03-05,\n"
    file = written(tmp_path / "t.csv", text)
    import_folder(file, tmp_path / "made")
    made = patients_of(tmp_path / "made")
    assert made["response_day"].tolist() == ["60", "64"]
    assert made["hsct_day"].tolist() == ["121", ""]


def test_a_status_of_response_goes_with_its_date_in_french(tmp_path):
    text = "id,os_days,died,Réponse complète,Date RC,dx_date\n"
    text += "a,300,1,oui,2020-03-01,2020-01-01\nb,400,0,non,,2020-01-01\n"
    import_folder(written(tmp_path / "t.csv", text), tmp_path / "made")
    entry = yaml.safe_load((tmp_path / "made" / "import.yaml").read_text("utf-8"))["reserved"]
    assert entry["response_day"]["status"] == "Réponse complète"
    assert patients_of(tmp_path / "made")["response_day"].tolist() == ["60", ""]


def test_a_unit_that_the_dates_contradict_is_said(tmp_path):
    adsl, adtte = adam_pair(tmp_path, plus=0, words="Overall Survival (months)")
    (line, _) = problems(adsl, tmp_path / "made", adtte=adtte)
    assert "ADT - STARTDT says otherwise than months in 3 of 3 records" in line
    changed(tmp_path / "made", "unit: months", "unit: months\n  aval: as_is")
    lines = import_folder(adsl, tmp_path / "made", adtte=adtte)
    assert any("in 3 of 3 records ADT - STARTDT says otherwise" in line for line in lines)
    changed(tmp_path / "made", "unit: months\n  aval: as_is", "unit: ADT-STARTDT")
    import_folder(adsl, tmp_path / "made", adtte=adtte)
    assert days(tmp_path / "made") == ["10", "11", "12"]


@pytest.mark.parametrize(
    ("statuses", "refused"),
    [
        ("Dead Alive Alive Alive", True),
        ("Dead Dead Alive Alive", True),
        ("Alive Dead Dead Alive", False),
    ],
)
def test_codes_of_death_that_most_patients_contradict_are_refused(tmp_path, statuses, refused):
    rows = zip("pqqp", statuses.split(), strict=True)
    text = "".join(f"{n},{n + 9},{code},{word}\n" for n, (code, word) in enumerate(rows))
    file, made = (
        written(tmp_path / "t.csv", f"id,os_days,os_status,vital_status\n{text}"),
        tmp_path / "made",
    )
    assert "dead" in asked(problems(file, made))
    answer(made, time_origin="x", dead="q", alive="p")
    if refused:
        (line,) = problems(file, made)
        assert re.search(
            r"vital_status says otherwise of [234] of 4 patients; are dead and al", line
        )
        changed(made, "alive: p", "alive: p\n    although: vital_status")
    import_folder(file, made)
    assert patients_of(made)["died"].tolist() == ["no", "yes", "yes", "no"]


def test_codes_of_an_event_that_most_days_contradict_are_refused(tmp_path):
    rows = "1,30,0,5,1\n2,40,1,,2\n3,50,0,7,1\n4,60,0,,2\n"
    file = written(tmp_path / "t.csv", f"id,os_days,died,relapse_days,relapse_status\n{rows}")
    made = tmp_path / "made"
    problems(file, made)
    answer(made, time_origin="x", happened='["2"]', not_happened='["1"]')
    assert any(
        "2 of 2 patients where relapse_status says yes have no day, and 2 where" in line
        for line in problems(file, made)
    )
    changed(made, ' happened: ["2"]', ' happened: ["1"]')
    changed(made, 'not_happened: ["1"]', 'not_happened: ["2"]')
    import_folder(file, made)
    assert patients_of(made)["relapse_day"].tolist() == ["5", "", "7", ""]


@pytest.mark.parametrize(
    ("code", "words", "flags", "described", "deaths"),
    [
        ("TTDE", "Time to First Dermatologic Event", "NYN", "Dermatologic Event Occured", None),
        ("PFS", "Progression-free survival", "NYN", "", None),
        ("X1", "Time to the endpoint", "NYN", "", None),
        ("X1", "Time to the endpoint", "NYY", "", 2),  # the flag agrees in every patient
        ("X1", "Time to the endpoint", "NYN", "Death", "flag"),  # it says death, the flag does not
        ("TTDTH", "Time to death", "NYY", "", 2),
        ("OS", "Overall Survival", "NYN", "Death", 1),
        ("OS", "Overall Survival", "NYY", "", 1),  # died later, beyond the trial's follow-up
        ("OS", "Overall Survival", "NYN", "Disease progression", 1),  # the flag agrees
        ("OS", "Overall Survival", "NNN", "", "flag"),
    ],
)
def test_an_event_that_is_no_death_never_becomes_one(
    tmp_path, code, words, flags, described, deaths
):
    adsl, adtte = adam_pair(tmp_path, words, code, flags, described=described)
    made = tmp_path / "made"
    try:
        import_folder(adsl, made, adtte=adtte)
    except Exception:  # the parameter of survival is asked
        if code != "OS":
            answer(made, paramcd=code)
    if isinstance(deaths, int):
        import_folder(adsl, made, adtte=adtte)
        assert days(made, "died").count("yes") == deaths
        return
    lines = problems(adsl, made, adtte=adtte)
    if deaths == "flag":
        assert any("expected none, as DTHFL of adsl.csv says no death of" in line for line in lines)
    else:
        assert lines[0].startswith(
            f'import.yaml, reserved.died: nothing says that the events of {code} ("{words}") are'
        )
    assert not (made / "patients.csv").exists()
    path = made / "import.yaml"
    told = re.sub(r"  died:\n( {4}.*\n)*", "", path.read_text("utf-8"))
    died = f'reserved:\n  died: {{paramcd: {code}, dead: ["0"], alive: ["*"]}}\n'
    path.write_text(told.replace("reserved:\n", died), "utf-8")
    lines = import_folder(adsl, made, adtte=adtte)  # told against all doubts
    assert any("although DTHFL says no death" in line for line in lines)


@pytest.mark.parametrize(
    ("months", "days_said", "taken"),
    [
        ("12 30 44", "365 913 1339", "days"),
        ("12 30 44", "  1339", "months"),  # the complete one
        ("12 30 44", "365 913 1839", None),
        ("1 2 3", "30 60 600", None),
    ],
)
def test_a_follow_up_that_stands_there_twice_agrees_or_is_asked(tmp_path, months, days_said, taken):
    pairs = zip(months.split(" "), days_said.split(" "), strict=True)
    rows = "".join(f"{n},{month},0,{day}\n" for n, (month, day) in enumerate(pairs))
    file = written(tmp_path / "t.csv", f"id,OS_MONTHS,died,DAYS_LAST_FOLLOWUP\n{rows}")
    lines = problems(file, tmp_path / "made")
    assert asked(lines) == ([] if taken else ["column"])
    mapping = yaml.safe_load((tmp_path / "made" / "import.yaml").read_text("utf-8"))
    assert mapping["reserved"]["last_contact_day"].get("as") == taken


# --- small files that were once misread: what the first run asks ------------------------------

CLOCKS = (
    "record_id,pathdx_date,index_date,vital_status,days_to_death,days_to_last_follow_up,scan\n"
    "1,2015-01-01,2015-06-01,1,200,,doe.pdf\n2,2015-02-01,2015-07-10,0,,900,roe.pdf\n"
    "3,2015-03-01,2015-09-01,0,,700,\n"
)
CLOCKS_WORDS = [
    ("record_id", "text", "Record", "", "", "", "", "", ""),
    ("pathdx_date", "text", "Date of pathological diagnosis", "", "date_ymd", "", "", "", ""),
    ("index_date", "text", "Index date", "", "date_ymd", "", "", "", ""),
    ("vital_status", "radio", "Vital status", "0, Alive | 1, Dead", "", "", "", "", ""),
    ("days_to_death", "calc", "Days from the index date to death", "", "", "", "", "", ""),
    *[("days_to_last_follow_up", "calc", "Days from pathological diagnosis to the last follow-up")],
    ("scan", "file", "Upload the consent form", "", "", "", "", "", ""),
]
ADSL = (
    "STUDYID,USUBJID,AGE,SEX,TRTSDT,RANDDT,DTHFL,SITEID,RACE,RACEN\n"
    "S1,S1-001,60,F,2020-01-01,2020-01-01,,701,WHITE,1\n"
    "S1,S1-002,61,M,2020-02-01,2020-02-01,Y,701,ASIAN,3\n"
)
ADTTE = (
    "STUDYID,USUBJID,PARAMCD,PARAM,STARTDT,ADT,AVAL,CNSR\n"
    "S1,S1-001,OS,Overall Survival,2020-01-01,2020-06-30,182,1\n"
    "S1,S1-002,OS,Overall Survival,2020-02-01,2020-05-01,91,0\n"
)
# The file, what is asked beside day 0, and what the first run says or writes.
CASES = {
    "01": (TIME_AND_STATUS, [], 'status: relapse\n    happened: ["1"]\n    not_happened: ["0"]'),
    "02": (TRANSPLANTS, [], 'status: hsct\n    happened: ["1"]\n    not_happened: ["0"]'),
    "04": (
        "time,status,age,sex\n306,2,74,1\n455,2,68,1\n455,1,56,2\n883,2,61,2\n",
        ["column", "column", "as", "dead", "alive"],
        '"" is none: the rows are numbered',
    ),
    "08": (CLOCKS, ["column"], "days_to_death from index, days_to_last_follow_up from patholog"),
    "09": (
        "pid,age,time,censor_code\nP1,60,200,1\nP2,61,300,0\nP3,62,400,1\nP4,63,500,0\n",
        ["column", "as", "column", "dead", "alive"],
        "a time or a status by its name, no characteristic",
    ),
    "09 by another name": (
        "pid,age,surv_time,os_days,died\nP1,60,9.5,200,1\nP2,61,7,300,0\nP3,62,8.5,400,1\n",
        [],
        'surv_time: "a time or a status by its name, no characteristic"',
    ),
    "11": (ADSL, None, "aval: as_is"),
    "15": (
        "id,rx,etype,time,status\n1,A,1,968,1\n1,A,2,1521,1\n2,B,1,3087,0\n2,B,2,3087,0\n"
        "3,A,1,542,1\n3,A,2,963,1\n",
        ['"1"', '"2"'],
        "3 patients in 6 rows, and rows are not merged; `fold` makes one row of each, or in its "
        'place `rows` picks one, as rows: {column: etype, values: ["2"]}',
    ),
    "16": (
        "pid,stage,onstudy,progression,death\nP1,M,2005-12-16,2006-02-02,2006-10-19\n"
        "P2,M,2006-01-06,2006-02-26,2006-04-19\nP4,M,2006-03-30,,2006-05-11\n",
        ["column"],
        "pfs: {title: Progression-free survival, event: progression or death, events: "
        "[progression_day, died]}",
    ),
    "21": (
        "PATIENT_ID,AGE,OS_MONTHS,OS_STATUS,DFS_STATUS,DFS_MONTHS,DAYS_LAST_FOLLOWUP\n"
        "X1,60,12,1:DECEASED,1:Recurred,5,365\nX2,61,30,0:LIVING,0:DiseaseFree,30,913\n"
        "X3,62,44,0:LIVING,0:DiseaseFree,44,1339\n",
        [],
        'dead: ["1:DECEASED"]',
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_first_run_asks_what_a_file_does_not_say(tmp_path, case):
    text, questions, words = CASES[case]
    options = {}
    if case == "08":
        rows = [(*row, *[""] * (9 - len(row))) for row in CLOCKS_WORDS]
        options["dictionary"] = dictionary(tmp_path / "words.csv", rows)
    if case == "11":
        options["adtte"] = written(tmp_path / "adtte.csv", ADTTE)
    file, made = written(tmp_path / "t.csv", text), tmp_path / "made"
    if questions is None:
        import_folder(file, made, **options)
    else:
        assert asked(problems(file, made, **options)) == questions
        assert sorted(path.name for path in made.iterdir()) == ["import.yaml"]
    mapping = (made / "import.yaml").read_text("utf-8")
    assert words in mapping
    kept = yaml.safe_load(mapping).get("columns") or {}
    outcomes = "time status censor_code DFS_STATUS DFS_MONTHS OS_MONTHS scan progression relapse"
    assert not {*kept} & {*outcomes.split(), "hsct", "DTHFL"}


@pytest.mark.parametrize(
    ("head", "rows", "first"),
    [
        ("died,vital_status", ["yes,Dead", "no,Dead", "no,Alive"], "died disagrees with vital_st"),
        ("OS_STATUS,death", ["1:DECEASED,1", "0:LIVING,1", "0:LIVING,0"], "death disagrees with O"),
        ("status,dead", ["alive,Y", "dead,Y", "alive,N"], "dead disagrees with status (in 1 row)"),
        ("died,vital_status", ["yes,Dead", "no,", "no,Alive"], ""),  # blank contradicts nothing
        ("os_event,vital_status", ["1,NED", "1,DOD", "0,AWD"], "os_event disagrees with vital_s"),
        ("os_event,vital_status", ["1,DOC", "1,Died of disease", "0,AWD"], ""),
    ],
)
def test_two_columns_of_death_agree_or_are_asked(tmp_path, head, rows, first):
    text = "".join(f"{n},{n + 9},{row}\n" for n, row in enumerate(rows))
    file = written(tmp_path / "t.csv", f"id,os_days,{head}\n{text}")
    lines = problems(file, tmp_path / "made")
    assert asked(lines) == (["column"] if first else [])
    assert not first or any(first in line for line in lines)
    one, other = head.split(",")
    answer(tmp_path / "made", time_origin="x", **({"column": one} if first else {}))
    lines = import_folder(file, tmp_path / "made")
    said = f"  died: {other} says otherwise of 1 patient"
    assert (said in lines) == bool(first)
    assert list(patients_of(tmp_path / "made")) == ["patient_id", "last_contact_day", "died"]


@pytest.mark.parametrize(("codes", "found"), [("ABA", ["A"]), ("ABB", [])])
def test_a_column_of_death_that_cannot_be_read_is_held_against_who_died(tmp_path, codes, found):
    rows = f"a,9,1,{codes[0]}\nb,8,0,{codes[1]}\nc,7,0,{codes[2]}\n"
    file = written(tmp_path / "t.csv", f"id,os_days,os_event,status\n{rows}")
    lines = settled(file, tmp_path / "made")
    said = "  died: {} of status stands beside dead and living; does it say otherwise?"
    assert [line for line in lines if "of status stands" in line] == list(map(said.format, found))


DAYS_OF_DEATH = (
    "id,diagnosis_date,date_of_death,last_visit_date,dead\n"
    "a,2020-01-01,2020-03-01,2020-02-01,yes\n"
    "b,2020-01-01,2020-03-01,2020-04-01,yes\n"
    "c,2020-01-01,,2020-05-01,no\n"
    "d,2020-01-01,2020-06-01,2020-06-02,yes\n"
)


@pytest.mark.parametrize(
    ("column", "change", "said"),
    [
        ("[date_of_death, last_visit_date]", ("", ""), "last_visit_date: 1 patient"),
        ("last_visit_date", ("", ""), "date_of_death: 2 patients"),
        ("[last_visit_date, date_of_death]", ("", ""), "date_of_death: 2 patients"),
        ("last_visit_date", ("2020-04-01,yes", "2020-03-01,no"), "date_of_death: 2 patients"),
        ("[date_of_death, last_visit_date]", ("2020-04-01", "2020-02-09"), ""),
    ],
)
def test_days_of_death_that_disagree_are_counted(tmp_path, column, change, said):
    file, made = written(tmp_path / "t.csv", DAYS_OF_DEATH), tmp_path / "made"
    import_folder(file, made)
    changed(made, "column: [date_of_death, last_visit_date]", f"column: {column}")
    if "date_of_death" not in column:
        changed(made, "dropped: {}", "dropped: {date_of_death: ''}")
    written(file, DAYS_OF_DEATH.replace(*change))
    found = [line for line in import_folder(file, made) if "says otherwise" in line]
    line = f"  last_contact_day: {said.replace(':', ' says otherwise of')}"
    assert found == ([line] if said else [])


@pytest.mark.parametrize(("day", "count"), [("2020-01-12", 0), ("2020-01-31", 1)])
def test_days_of_death_of_adsl_and_adtte_agree_or_are_counted(tmp_path, day, count):
    adsl, adtte = adam_pair(tmp_path)
    rows = zip(adsl.read_text("utf-8").split(), ["DTHDT", "", day, ""], strict=True)
    written(adsl, "".join(f"{row},{died}\n" for row, died in rows))
    lines = import_folder(adsl, tmp_path / "made", adtte=adtte)
    said = "  died: 1 patient with another day of death by DTHDT than by ADT of OS, which is taken"
    assert lines.count(said) == count


@pytest.mark.parametrize(
    ("origin", "name", "one"),
    [
        ("diagnosis_date", "days_since_diagnosis_os", True),
        ("randomisation_date", "os_days_from_randomization", True),
        ("randomisation_date", "os_days_from_diagnosis", False),
        ("first_dose_date", "os_days_since_surgery", False),
    ],
)
def test_dates_and_durations_count_from_one_day(tmp_path, origin, name, one):
    frame = pd.DataFrame(
        {
            "id": ["a", "b"],
            origin: ["2020-01-01", "2020-02-01"],
            "relapse_date": ["2020-03-01", ""],
            "os_days": [90.0, 80.0],
            "died": [0.0, 1.0],
        }
    )
    label = name.replace("os_", "").replace("_os", "").replace("_", " ")
    file = labelled_dta(tmp_path / "t.dta", frame, ["Patient", "", "", label, "Died"])
    if one:
        import_folder(file, tmp_path / "made")
        assert days(tmp_path / "made", "relapse_day") == ["60", ""]
        return
    lines = problems(file, tmp_path / "made")
    assert asked(lines) == ["origin"]
    assert any(f"two clocks: os_days from {label.split()[-1]}, the dates" in line for line in lines)


def test_records_that_are_absent_or_twice_are_said_with_the_questions(tmp_path):
    adsl, adtte = adam_pair(tmp_path, flags="NYNN")
    written(adsl, re.sub(",RANDDT|,2020-01-01", "", adsl.read_text("utf-8")))
    rows = adtte.read_text("utf-8").splitlines()
    written(adtte, "\n".join([*rows[:2], rows[1], *rows[3:], ""]))
    lines = problems(adsl, tmp_path / "made", adtte=adtte)
    assert any(", time_origin: " in line for line in lines)
    assert 'adtte.csv, row 3, column USUBJID: found "1" again with PARAMCD OS' in "\n".join(lines)
    assert 'adtte.csv: found no record of "2" with PARAMCD OS' in "\n".join(lines)


def test_where_adtte_has_no_survival_the_columns_of_adsl_say_it(tmp_path):
    adsl, adtte = adam_pair(tmp_path, "Time to First Dermatologic Event", "TTDE")
    told = adsl.read_text("utf-8").replace("DTHFL\n", "DTHFL,LSTDT\n")
    adsl.write_text(re.sub(r"(?<!LSTDT)\n", ",2020-03-01\n", told), "utf-8")
    assert any(
        "column: and as: of ADSL" in x for x in problems(adsl, tmp_path / "made", adtte=adtte)
    )
    path = tmp_path / "made" / "import.yaml"
    died = '\n  died: {column: DTHFL, dead: [Y], alive: [""]}'
    text = path.read_text("utf-8").replace('paramcd: "?"', f"column: LSTDT\n    as: date{died}")
    path.write_text("dates: {origin: RANDDT}\n" + text, "utf-8")
    import_folder(adsl, tmp_path / "made", adtte=adtte)
    assert days(tmp_path / "made") == ["60", "60", "60"]
    assert days(tmp_path / "made", "died") == ["no", "yes", "no"]


@pytest.mark.parametrize(
    ("name", "form", "numbers", "how"),
    [
        ("last_contact", ("dta", "%tm"), (700, 710), None),  # months since 1960
        ("last_contact_days", ("dta", "%tw"), (12, 13), None),  # name and format disagree
        ("last_contact", ("xpt", "MONYY7"), (20000, 21000), "sas-date"),
        ("last_fu_m", ("xpt", "BEST8"), (12, 13), None),
        ("last_fu_days", ("xpt", "MONYY7"), (20000, 21000), None),
    ],
)
def test_a_format_says_what_a_number_is_or_contradicts_it(tmp_path, name, form, numbers, how):
    import pyreadstat

    ending, shown = form
    write = {"dta": pyreadstat.write_dta, "xpt": pyreadstat.write_xport}[ending]
    frame = pd.DataFrame({"id": ["a", "b"], name: [float(number) for number in numbers]})
    write(frame, tmp_path / f"t.{ending}", variable_format={name: shown})
    source = sources.read(tmp_path / f"t.{ending}")
    assert source[name].unit == how
    assert how or shown == "BEST8" or "its format says" in source[name].doubt


@pytest.mark.parametrize(
    ("described", "relapsed"),
    [("Death", []), ("DIED OF DISEASE", []), ("Relapse", [2, 3]), ("Relapse or death", [2, 3])],
)
def test_a_death_among_the_events_of_a_relapse_is_no_relapse(tmp_path, described, relapsed):
    adsl, survival = adam_pair(tmp_path, flags="NYN")
    told = survival.read_text("utf-8")
    _, relapse = adam_pair(tmp_path, "Time to relapse", "TTREL", described=described)
    adtte = written(tmp_path / "adtte.csv", told + relapse.read_text("utf-8").split("\n", 1)[1])
    lines = import_folder(adsl, tmp_path / "made", adtte=adtte)
    assert filled(tmp_path / "made", "relapse_day") == relapsed
    said = "  relapse_day: 2 events of TTREL by EVNTDESC a death: left blank"
    assert (said in lines) == (not relapsed)
    changed(tmp_path / "made", "  died:\n    paramcd: OS", '  died: {paramcd: OS, dead: ["1"]}')
    (line,) = problems(adsl, tmp_path / "made", adtte=adtte)
    assert 'reserved.died.dead: found ["1"], expected ["0"]' in line


def test_where_events_are_dates_the_follow_up_is_taken_from_a_date(tmp_path):
    text = "id,diagnosis_date,relapse_date,last_contact_date,died,os_months,fu_days\n"
    text += "a,2020-01-01,2020-03-01,2020-12-31,no,12,365\nb,2020-01-01,,2020-02-10,yes,40,40\n"
    lines = import_folder(written(tmp_path / "t.csv", text), tmp_path / "made")
    assert days(tmp_path / "made") == ["365", "40"]
    said = [line for line in lines if line.startswith("  last_contact_day: ")]
    assert said[1:] == ["  last_contact_day: os_months says otherwise of 1 patient"]
    assert days(tmp_path / "made", "relapse_day") == ["60", ""]


@pytest.mark.parametrize(
    ("event", "code", "described", "asks"),
    [  # of an event: EVNTDESC, CNSDTDSC; of a censoring: the same
        (1, "OS", [("Death", ""), ("", "Alive at last contact")], True),
        (1, "OS", [("", ""), ("", "Last contact")], True),
        (1, "OS", [("Death", ""), ("", "")], True),
        (1, "OS", [("DEATH", "Date of death"), ("Completed study", "Date of completion")], True),
        (1, "TTREL", [("Relapse", ""), ("", "")], True),
        (1, "TTREL", [("Relapse", ""), ("Censored", "")], True),
        (0, "OS", [("Death", ""), ("Alive", "Last contact")], False),
        (0, "OS", [("Death", "Date of death"), ("Alive", "Last contact")], False),
        (0, "TTREL", [("Relapse", ""), ("Death", "Date of death")], False),
        (0, "TTREL", [("", ""), ("Censored", "")], False),
    ],
)
def test_descriptions_that_speak_against_cnsr_are_asked(tmp_path, event, code, described, asks):
    text = "USUBJID,PARAMCD,PARAM,AVALU,AVAL,CNSR,EVNTDESC,CNSDTDSC\n"
    for n in range(4):
        words = ",".join(described[n % 2])
        text += f"{n},{code},Time to it,DAYS,{n + 9},{event if n % 2 == 0 else 1 - event},{words}\n"
        if code != "OS":
            text += f"{n},OS,Overall survival,DAYS,{n + 99},{event if n == 0 else 1 - event},,\n"
    adtte = written(tmp_path / "adtte.csv", text)
    adsl = written(tmp_path / "adsl.csv", "USUBJID,AGE\n" + "".join(f"{n},60\n" for n in range(4)))
    made = tmp_path / "made"
    lines = problems(adsl, made, adtte=adtte)
    assert asked(lines) == (["event"] if asks else [])
    answer(made, time_origin="x")
    if asks:
        changed(made, '  event: "?"\n', "")
        assert "adtte: found no event" in problems(adsl, made, adtte=adtte)[0]
        changed(made, "  unit: ", '  event: "1"\n  unit: ')
    lines = import_folder(adsl, made, adtte=adtte)
    assert code == "OS" or filled(made, "relapse_day") == [1, 3]
    assert days(made, "died").count("yes") == (1 if code != "OS" else 2)
    assert f"  died: from OS of adtte.csv: yes where CNSR is {event}" in "\n".join(lines)
