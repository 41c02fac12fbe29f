"""Importing a file: the same patients from every format, and one clear line for each doubt."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from datetime import date, timedelta
from hashlib import sha256

import adam_files
import pandas as pd
import pytest
import yaml
from inprocess import results_of

from analysis.__main__ import main
from analysis.dataset.model import ROOT, load
from analysis.dataset.problems import DataError
from analysis.importing import files as sources
from analysis.importing import folder as importing
from analysis.importing.dates import day_counted
from analysis.importing.folder import import_folder

HEAD = "patient_id,stage,response_day,last_contact_day,died\n"
GOOD = HEAD + "a,I,30,400,no\nb,II,,90,yes\nc,I,,70,yes\n"


def patients_of(folder):
    """patients.csv as text, as it stands in the file."""
    return pd.read_csv(folder / "patients.csv", dtype=str, keep_default_na=False)


def shipped(name):
    return patients_of(ROOT / "data" / name)


def written(path, text, encoding="utf-8"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def answer(folder, **answers):
    """Fill in open questions: the key's `?` becomes the value, given as YAML."""
    path = folder / "import.yaml"
    text = path.read_text("utf-8")
    for key, value in answers.items():
        text, count = re.subn(rf'^( *{key}: )\[?"\?"\]?$', rf"\g<1>{value}", text, flags=re.M)
        assert count, f"{key} is no open question of\n{text}"
    path.write_text(text, "utf-8")


def problems(*arguments, **options):
    with pytest.raises(DataError) as caught:
        import_folder(*arguments, **options)
    return caught.value.problems


def imported(file, folder, origin="start of treatment", **options):
    """Import a file whose only questions are what happens on day 0 and what its arms are."""
    lines = problems(file, folder, **options)
    known = (", time_origin: ", ", reference: ", ", randomised: ", "has what was")
    assert [line for line in lines if not any(word in line for word in known)] == []
    answer(folder, time_origin=origin)
    answer_arms(folder)
    return import_folder(file, folder, **options)


def with_arms(file, folder, **options):
    """Import a file that leaves nothing open but its arms."""
    lines = problems(file, folder, **options)
    assert [line for line in lines if ", reference: " in line]
    answer_arms(folder)
    return import_folder(file, folder, **options)


def answer_arms(folder, randomised="true"):
    """Where the arms are asked, the first of them is the reference."""
    path = folder / "import.yaml"
    text = path.read_text("utf-8")
    first = re.search(r"are the others compared with\? one of (.+?)(?:, .*)?$", text, re.M)
    if first:
        text = text.replace('reference: "?"', f"reference: {json.dumps(first[1])}")
        text = text.replace('randomised: "?"', f"randomised: {randomised}")
        path.write_text(text, "utf-8")


# --- the same patients from every format ------------------------------------------------------


def numbers(frame):
    """The columns of whole numbers as numbers, as a program would hold them."""
    frame = frame.mask(frame == "")
    for name in frame:
        filled = frame[name].dropna()
        if filled.str.fullmatch(r"\d+").all():
            frame[name] = pd.to_numeric(frame[name]).astype(float)
    return frame


def write_csv(frame, path):
    frame.to_csv(path, index=False)


def write_semicolons(frame, path):
    """As Excel writes it in Germany."""
    numbers(frame).to_csv(path, index=False, sep=";", decimal=",", encoding="utf-8-sig")


def write_tabs(frame, path):
    frame.to_csv(path, index=False, sep="\t", encoding="utf-16")


def write_with_na(frame, path):
    """As R writes it, with the names of the rows and NA."""
    frame.replace("", "NA").set_axis(range(1, len(frame) + 1)).to_csv(path)


def write_excel(frame, path):
    numbers(frame).to_excel(path, index=False)


def write_parquet(frame, path):
    numbers(frame).to_parquet(path)


def write_transport(frame, path):
    import pyreadstat

    pyreadstat.write_xport(numbers(frame), path, file_format_version=8)


def write_stata(frame, path):
    import pyreadstat

    text = numbers(frame)
    text = text.apply(lambda column: column.fillna("") if column.dtype == object else column)
    pyreadstat.write_dta(text, path)


FORMATS = [
    ("table.csv", write_csv),
    ("semicolons.csv", write_semicolons),
    ("tabs.tsv", write_tabs),
    ("with_na.csv", write_with_na),
    ("book.xlsx", write_excel),
    ("table.parquet", write_parquet),
    ("table.xpt", write_transport),
    ("table.dta", write_stata),
]


@pytest.mark.parametrize("name", ["bmt", "myeloid"])
@pytest.mark.parametrize(("file", "write"), FORMATS, ids=[file for file, _ in FORMATS])
def test_every_format_gives_the_same_patients(tmp_path, name, file, write):
    expected = shipped(name)
    write(expected, tmp_path / file)
    imported(tmp_path / file, tmp_path / "made")
    made = patients_of(tmp_path / "made")
    assert set(made) == set(expected)
    pd.testing.assert_frame_equal(made[expected.columns], expected)
    assert not load(tmp_path / "made").public


def test_a_sas_data_file_goes_to_its_reader(tmp_path, monkeypatch):
    """pyreadstat writes no .sas7bdat, so only the way to its reader is tested."""
    import pyreadstat

    path = tmp_path / "small.xpt"
    pyreadstat.write_xport(pd.read_csv(io.StringIO(GOOD)), path)
    frame, about = pyreadstat.read_xport(path)
    asked = []

    def reader(path, **options):
        asked.append((path, options))
        return frame, about

    monkeypatch.setattr(pyreadstat, "read_sas7bdat", reader)
    file = written(tmp_path / "small.sas7bdat", "x")
    imported(file, tmp_path / "made")
    assert asked[0] == (file, {})
    assert patients_of(tmp_path / "made")["last_contact_day"].tolist() == ["400", "90", "70"]


def test_a_sas_catalog_gives_the_labels_of_values(tmp_path, monkeypatch):
    """pyreadstat writes no catalog either: what its reader returns is set by hand."""
    import pyreadstat

    path = tmp_path / "small.xpt"
    rows = GOOD.replace("stage", "sex").replace(",II,", ",2,").replace(",I,", ",1,")
    pyreadstat.write_xport(pd.read_csv(io.StringIO(rows)), path)
    real = pyreadstat.read_xport
    sets = {"SEXF": {1: "Male", 2: "Female"}}

    def reader(path, **options):
        frame, about = real(path, **options)
        about.variable_to_label = {"sex": "SEXF"}
        return frame, about

    def catalog(path):
        return None, type("About", (), {"value_labels": sets})

    monkeypatch.setattr(pyreadstat, "read_xport", reader)
    monkeypatch.setattr(pyreadstat, "read_sas7bcat", catalog)
    labels = written(tmp_path / "formats.sas7bcat", "x")
    imported(path, tmp_path / "made", catalog=labels)
    assert patients_of(tmp_path / "made")["sex"].tolist() == ["Male", "Female", "Male"]
    mapping = yaml.safe_load((tmp_path / "made" / "import.yaml").read_text("utf-8"))
    assert mapping["source"]["catalog"]["file"] == "formats.sas7bcat"
    sets.clear()
    (line,) = problems(path, tmp_path / "made", catalog=labels)
    assert line == "formats.sas7bcat: has no labels of a column of small.xpt"


def test_decimals_keep_their_value_with_points_and_commas(tmp_path):
    points = "id,bmi,last_contact_day,died\n1,22.5,10,0\n2,31.25,20,1\n3,20,30,1\n"
    commas = points.replace(",", ";").replace(".", ",")
    for place, text in (("points", points), ("commas", commas)):
        imported(written(tmp_path / f"{place}.csv", text), tmp_path / place)
        assert patients_of(tmp_path / place)["bmi"].tolist() == ["22.5", "31.25", "20"]


def test_what_may_be_a_thousand_is_asked(tmp_path):
    file = written(
        tmp_path / "t.csv", 'id,cells,last_contact_day,died\n1,"1,234",10,0\n2,"5,678",9,1\n'
    )
    lines = problems(file, tmp_path / "made")
    assert any("what parts the decimals in 1,234 or 1.234?" in line for line in lines)
    answer(tmp_path / "made", time_origin="diagnosis", decimal='","')
    import_folder(file, tmp_path / "made")
    assert patients_of(tmp_path / "made")["cells"].tolist() == ["1.234", "5.678"]


def test_thousands_are_no_decimals_where_the_mapping_says_so(tmp_path):
    rows = 'id,cells,last_contact_day,died\n1,"1,234",10,0\n2,"1,005,678",9,1\n3,12,9,1\n'
    file = written(tmp_path / "t.csv", rows.replace("1,005,678", "5,678"))
    problems(file, tmp_path / "made")
    answer(tmp_path / "made", time_origin="diagnosis", decimal='"."')
    import_folder(written(tmp_path / "t.csv", rows), tmp_path / "made")
    assert patients_of(tmp_path / "made")["cells"].tolist() == ["1234", "1005678", "12"]


@pytest.mark.parametrize("other", ["3,5 12,25 7,1", "3 12 7"])
@pytest.mark.parametrize(("decimal", "read"), [(",", "1044 912 1500"), (".", "1.044 912 1.5")])
def test_points_may_part_thousands_where_commas_may_part_decimals(tmp_path, other, decimal, read):
    rows = zip("abc", ("1.044", "912", "1.500"), other.split(), strict=True)
    text = "id;cells;crp;last_contact_day;died\n"
    text += "".join(f"{';'.join(row)};9;1\n" for row in rows)
    file = written(tmp_path / "t.csv", text)
    assert any("what parts the decimals" in line for line in problems(file, tmp_path / "made"))
    answer(tmp_path / "made", time_origin="diagnosis", decimal=f'"{decimal}"')
    if decimal == "." and "," in other:  # then 3,5 is no number
        return
    import_folder(file, tmp_path / "made")
    assert patients_of(tmp_path / "made")["cells"].tolist() == read.split()


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize(
    ("cells", "other", "asked"),
    [
        ("12.000 150.000 8.500", "1.210 3.000 2.400", True),  # platelets, days
        ("1.250  3.125", "4 5 6", True),
        ("12.000 150.000 8.500", "12.5 3.25 7", False),  # a point parts decimals there
        ("1.25 3.125 2.5", "4 5 6", False),
        ("0.125 1.250 3.125", "4 5 6", False),
    ],
)
def test_three_digits_after_each_point_are_asked(tmp_path, delimiter, cells, other, asked):
    rows = [["id", "cells", "other", "last_contact_day", "died"]]
    rows += [[*row, "9", "1"] for row in zip("abc", cells.split(" "), other.split(), strict=True)]
    file = written(tmp_path / "t.csv", "".join(delimiter.join(row) + "\n" for row in rows))
    lines = problems(file, tmp_path / "made")
    assert any("what parts the decimals" in line for line in lines) == asked
    answer(tmp_path / "made", time_origin="diagnosis", **({"decimal": '","'} if asked else {}))
    import_folder(file, tmp_path / "made")
    read = [cell.replace(".", "") if asked else cell for cell in cells.split(" ")]
    made = patients_of(tmp_path / "made")["cells"]
    assert pd.to_numeric(made).equals(pd.to_numeric(pd.Series(read)))


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (["1.250,5", "12,25", "980"], ["1250.5", "12.25", "980"]),
        (['"1,155,000"', '"55,000"', "980"], ["1155000", "55000", "980"]),
    ],
)
def test_numbers_that_are_parted_twice_leave_no_doubt(tmp_path, cells, read):
    mark = "," if '"' in cells[0] else ";"
    text = mark.join(["id", "cells", "last_contact_day", "died"]) + "\n"
    text += "".join(
        mark.join([n, cell, "9", "1"]) + "\n" for n, cell in zip("abc", cells, strict=True)
    )
    imported(written(tmp_path / "t.csv", text), tmp_path / "made")
    assert patients_of(tmp_path / "made")["cells"].tolist() == read


@pytest.mark.parametrize("word", ["Total", "Mean", "Mittelwert"])
def test_a_row_of_sums_is_no_patient(tmp_path, word):
    text = f"id,age,last_contact_day,died\n1,60,10,0\n2,61,20,1\n{word},60.5,15,1\n"
    file = written(tmp_path / "t.csv", text)
    problems(file, tmp_path / "made")
    answer(tmp_path / "made", time_origin="diagnosis")
    (line,) = problems(file, tmp_path / "made")
    assert line.startswith(f't.csv, row 4, column id: found "{word}"')
    path = tmp_path / "made" / "import.yaml"
    rows = re.search(r"rows: \{.*\}", line)[0]
    path.write_text(f"{path.read_text('utf-8')}\n{rows}\n", "utf-8")
    import_folder(file, tmp_path / "made")
    assert len(patients_of(tmp_path / "made")) == 2


def test_one_code_needs_no_brackets(tmp_path):
    file = written(tmp_path / "t.csv", "id,os_days,gestorben\n1,10,ja\n2,20,nein\n")
    problems(file, tmp_path / "made")
    path = tmp_path / "made" / "import.yaml"
    text = path.read_text("utf-8").replace('time_origin: "?"', "time_origin: diagnosis")
    text = text.replace('    column: "?"', "    column: gestorben\n    dead: ja\n    alive: nein")
    path.write_text(text, "utf-8")
    import_folder(file, tmp_path / "made")
    assert patients_of(tmp_path / "made")["died"].tolist() == ["yes", "no"]


def test_western_text_is_read_and_the_mapping_says_so(tmp_path):
    text = "id,hospital,last_contact_day,died\n1,Besançon,10,0\n2,Köln,20,1\n3,Köln,30,1\n"
    file = written(tmp_path / "t.csv", text, "cp1252")
    imported(file, tmp_path / "made")
    assert patients_of(tmp_path / "made")["hospital"].tolist() == ["Besançon", "Köln", "Köln"]
    assert "encoding: cp1252" in (tmp_path / "made" / "import.yaml").read_text("utf-8")


def test_labels_of_stata_become_titles_and_levels(tmp_path):
    import pyreadstat

    frame = pd.DataFrame(
        {
            "id": ["a", "b", "c"],
            "sex": [1.0, 2.0, 2.0],
            "status": [2.0, 1.0, 2.0],
            "os_months": [10.0, 20.5, 3.0],
        }
    )
    pyreadstat.write_dta(
        frame,
        tmp_path / "t.dta",
        column_labels=["Patient", "Sex at birth", "Vital status", "Survival, months"],
        variable_value_labels={
            "sex": {2.0: "Female", 1.0: "Male", 3.0: "Other"},
            "status": {1.0: "Alive", 2.0: "Dead"},
        },
    )
    imported(tmp_path / "t.dta", tmp_path / "made")
    made = patients_of(tmp_path / "made")
    assert made["sex"].tolist() == ["Male", "Female", "Female"]
    assert made["died"].tolist() == ["yes", "no", "yes"]
    assert made["last_contact_day"].tolist() == ["304.375", "623.96875", "91.3125"]
    field = next(f for f in load(tmp_path / "made").fields if f["name"] == "sex")
    assert field["title"] == "Sex at birth"
    assert sorted(field["constraints"]["enum"]) == ["Female", "Male", "Other"]


# --- sheets ----------------------------------------------------------------------------------


def workbook(path, **sheets):
    with pd.ExcelWriter(path) as writer:
        for name, frame in sheets.items():
            frame.to_excel(writer, sheet_name=name, index=False)
    return path


def test_a_small_file_that_unpacks_to_a_huge_one_is_refused(tmp_path):
    with (
        zipfile.ZipFile(tmp_path / "bomb.xlsx", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as sheet,
    ):
        for _ in range(600):
            sheet.write(bytes(1_000_000))
    assert (tmp_path / "bomb.xlsx").stat().st_size < 1_000_000
    assert problems(tmp_path / "bomb.xlsx", tmp_path / "made") == [
        "bomb.xlsx: found 600 MB, expected at most 500 MB"
    ]


def test_a_huge_file_is_refused_unread(tmp_path):
    with (tmp_path / "huge.csv").open("wb") as file:
        file.truncate(2_000_000_000)  # a hole: it takes no room on the disk
    lines = problems(tmp_path / "huge.csv", tmp_path / "made")
    assert lines == ["huge.csv: found 2,000 MB, expected at most 500 MB"]


def test_several_sheets_are_listed_and_one_is_chosen(tmp_path):
    good = pd.read_csv(io.StringIO(GOOD))
    file = workbook(tmp_path / "t.xlsx", Notes=pd.DataFrame({"x": [1]}), Patients=good)
    (line,) = problems(file, tmp_path / "made")
    assert line == "t.xlsx: found the sheets Notes, Patients; say which one: --sheet NAME"
    assert not (tmp_path / "made").exists()
    (line,) = problems(file, tmp_path / "made", sheet="Patient")
    assert line.endswith('found no sheet "Patient", expected one of Notes, Patients')
    problems(file, tmp_path / "made", sheet="Patients")
    answer(tmp_path / "made", time_origin="diagnosis")
    import_folder(file, tmp_path / "made")  # the mapping knows the sheet
    assert len(patients_of(tmp_path / "made")) == 3


# --- dates -----------------------------------------------------------------------------------

DATES = (
    "id,randomisation_date,death_date,last_contact_date,cr_date\n"
    "a,2021-03-25,,2021-12-31,2021-04-24\n"
    "b,2021-03-04,2021-03-31,2021-03-30,\n"
)


def in_order(text, pattern):
    """The dates of a text as a country writes them."""
    found = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
    return found.sub(lambda m: pattern.format(y=m[1], m=m[2], d=m[3]), text)


@pytest.mark.parametrize("pattern", ["{y}-{m}-{d}", "{d}/{m}/{y}", "{m}/{d}/{y}", "{d}.{m}.{y}"])
def test_dates_become_days_from_the_origin(tmp_path, pattern):
    file = written(tmp_path / "t.csv", in_order(DATES, pattern))
    import_folder(file, tmp_path / "made")
    made = patients_of(tmp_path / "made")
    assert made["last_contact_day"].tolist() == ["281", "27"]
    assert made["response_day"].tolist() == ["30", ""]
    assert made["died"].tolist() == ["no", "yes"]
    assert list(made) == ["patient_id", "response_day", "last_contact_day", "died"]
    assert load(tmp_path / "made").settings.time_origin == "randomisation"


def test_an_ambiguous_order_is_asked_and_the_answer_is_used(tmp_path):
    text = (
        "id,randomisation_date,last_contact_date,died\n"
        "a,03/04/2021,05/06/2021,no\nb,01/02/2021,03/02/2021,yes\n"
    )
    file = written(tmp_path / "t.csv", text)
    days = {}
    for order in ("day-first", "month-first"):
        lines = problems(file, tmp_path / order)
        assert any(", order: which comes first in row 2 of " in line for line in lines)
        answer(tmp_path / order, order=order)
        import_folder(file, tmp_path / order)
        days[order] = patients_of(tmp_path / order)["last_contact_day"].tolist()
    assert days == {"day-first": ["63", "2"], "month-first": ["63", "59"]}


def test_without_an_order_in_the_mapping_an_ambiguous_date_is_a_problem(tmp_path):
    file = written(tmp_path / "t.csv", in_order(DATES, "{d}/{m}/{y}"))
    import_folder(file, tmp_path / "made")
    path = tmp_path / "made" / "import.yaml"
    path.write_text(re.sub(r"\n *order: .*", "", path.read_text("utf-8")), "utf-8")
    lines = problems(file, tmp_path / "made")
    assert (
        't.csv, row 3, column randomisation_date: found "04/03/2021", expected '
        "dates.order in import.yaml to say which comes first, day or month"
    ) in lines


def test_wrong_dates_are_named_by_row_and_column(tmp_path):
    rows = DATES + "c,2021-03-25,,2021-03-24,\nd,2021-03-25,,31/02/2021,\ne,,,2021-03-24,\n"
    lines = problems(written(tmp_path / "t.csv", rows), tmp_path / "made")
    where = "t.csv, row {}, column {}: found "
    expected = [
        where.format(4, "last_contact_date")
        + '"2021-03-24", expected a date not before randomisation_date, 2021-03-25',
        where.format(5, "last_contact_date") + '"31/02/2021", expected a date such as 2021-03-04',
        where.format(6, "randomisation_date")
        + '"", expected a date, which is day 0 of the patient',
    ]
    for line in expected:
        assert line in lines or any(line in other for other in lines), lines
    assert not (tmp_path / "made" / "patients.csv").exists()


def test_serial_numbers_of_excel_and_dates_of_sas_and_stata_are_read(tmp_path):
    import pyreadstat

    frame = pd.read_csv(io.StringIO(DATES), keep_default_na=False)
    dates = frame.set_index("id").apply(lambda c: pd.to_datetime(c).dt.date).reset_index()
    dates = dates.where(dates.notna(), None)
    excel = dates.copy()
    for name in excel.columns[1:]:
        excel[name] = [day and (day - date(1899, 12, 30)).days for day in dates[name]]
    made = {
        "dates.xlsx": lambda path: dates.to_excel(path, index=False),
        "serials.xlsx": lambda path: excel.to_excel(path, index=False),
        "dates.xpt": lambda path: pyreadstat.write_xport(dates, path),
        "dates.dta": lambda path: pyreadstat.write_dta(dates, path),
        "dates.parquet": lambda path: dates.to_parquet(path),
    }
    for name, write in made.items():
        write(tmp_path / name)
        folder = tmp_path / name.replace(".", "_")
        import_folder(tmp_path / name, folder)
        assert patients_of(folder)["last_contact_day"].tolist() == ["281", "27"], name
        assert patients_of(folder)["response_day"].tolist() == ["30", ""], name


@pytest.mark.parametrize(
    ("kind", "number"), [("excel-date", 44197), ("sas-date", 22281), ("stata-date", 22281)]
)
def test_each_program_counts_from_its_own_day(kind, number):
    assert day_counted(number, kind) == date(2021, 1, 1)


def test_numbers_that_may_count_from_any_day_are_asked(tmp_path):
    text = "id,randomisation_date,last_contact_date,died\na,2021-03-25,22360,no\n"
    file = written(tmp_path / "t.csv", text)
    lines = problems(file, tmp_path / "made")
    assert any("what are the numbers of last_contact_date?" in line for line in lines)


def test_an_event_after_the_last_contact_is_named_in_words_of_the_file(tmp_path):
    rows = DATES + "c,2021-03-25,,2021-04-24,2021-05-24\n"
    lines = problems(written(tmp_path / "t.csv", rows), tmp_path / "made")
    assert lines[0] == (
        't.csv, row 4, column cr_date: found "2021-05-24" (response_day 60), '
        "expected a day not after last_contact_day"
    )


def test_a_date_of_an_own_column_becomes_days_where_the_mapping_says_so(tmp_path):
    rows = DATES.replace("cr_date", "sample_date")
    file = written(tmp_path / "t.csv", rows)
    lines = import_folder(file, tmp_path / "made")
    assert "  sample_date: a date; under columns, type date makes it days" in lines
    path = tmp_path / "made" / "import.yaml"
    text = path.read_text("utf-8").replace("columns: {}", "columns:\n  sample_date: {type: date}")
    path.write_text(re.sub(r"\n  sample_date: a date.*", "", text), "utf-8")
    import_folder(file, tmp_path / "made")
    assert patients_of(tmp_path / "made")["sample_date"].tolist() == ["30", ""]


# --- death, and other doubts -------------------------------------------------------------------


@pytest.mark.parametrize("column", ["status", "died", "vital_status"])
def test_an_unknown_coding_of_death_is_asked_and_the_answer_is_used(tmp_path, column):
    text = f"id,last_contact_day,{column}\na,10,1\nb,20,2\n"
    file = written(tmp_path / "t.csv", text)
    lines = problems(file, tmp_path / "made")
    asked = f"which codes of {column} mean dead, such as [1]? found 1, 2"
    assert any(asked in line for line in lines)
    assert sorted(path.name for path in (tmp_path / "made").iterdir()) == ["import.yaml"]
    assert problems(file, tmp_path / "made") == lines[:-1]  # asked again, and nothing is written
    answer(tmp_path / "made", time_origin="diagnosis", dead="[2]", alive="[1]")
    import_folder(file, tmp_path / "made")
    assert patients_of(tmp_path / "made")["died"].tolist() == ["no", "yes"]
    file.write_text(text + "c,30,9\n", "utf-8")
    assert problems(file, tmp_path / "made") == [
        f't.csv, row 4, column {column}: found "9", expected one of 2, 1'
    ]


@pytest.mark.parametrize(("alive", "dead"), [("No", "Yes"), ("N", "Y"), ("0", "1")])
def test_where_nobody_died_the_contrary_is_known(tmp_path, alive, dead):
    rows = f"id,last_contact_day,died\na,5,{alive}\nb,6,{alive}\n"
    file = written(tmp_path / "t.csv", rows)
    imported(file, tmp_path / "made")
    assert patients_of(tmp_path / "made")["died"].tolist() == ["no", "no"]
    file.write_text(rows + f"c,7,{dead}\n", "utf-8")
    import_folder(file, tmp_path / "made")
    assert patients_of(tmp_path / "made")["died"].tolist() == ["no", "no", "yes"]


def test_a_death_that_is_no_death_is_named(tmp_path):
    rows = (
        "id,diagnosis_date,death_date,last_contact_date,status\n"
        "a,2020-01-01,2020-01-11,2020-01-09,alive\nb,2020-01-01,,2020-01-05,dead\n"
    )
    (line, _) = problems(written(tmp_path / "t.csv", rows), tmp_path / "made")
    assert line == (
        't.csv, row 2, column status: found "alive", expected a death, as death_date has 2020-01-11'
    )


def test_duplicated_patients_are_named(tmp_path):
    (*lines, _) = problems(
        written(
            tmp_path / "t.csv",
            "id,last_contact_day,died,diagnosis_date\na,1,0,2020-01-01\n\na,2,1,2020-01-01\n",
        ),
        tmp_path / "made",
    )
    assert any("time_origin" in line for line in lines)
    answer(tmp_path / "made", time_origin="diagnosis")
    lines = problems(tmp_path / "t.csv", tmp_path / "made")
    assert lines == ['t.csv, row 4, column id: found "a", expected a value that no other row has']
    lines = problems(tmp_path / "t.csv", tmp_path / "made", new_ids=True)
    assert lines == ['t.csv, row 4, column id: found "a", expected a value that no other row has']


def test_new_ids_replace_the_old_ones(tmp_path):
    imported(written(tmp_path / "t.csv", GOOD), tmp_path / "made", new_ids=True)
    assert patients_of(tmp_path / "made")["patient_id"].tolist() == ["P001", "P002", "P003"]
    assert "new_ids: true" in (tmp_path / "made" / "import.yaml").read_text("utf-8")


def test_ids_are_kept_until_new_ones_are_asked_for(tmp_path):
    file = written(tmp_path / "t.csv", GOOD)
    imported(file, tmp_path / "made")
    assert patients_of(tmp_path / "made")["patient_id"].tolist() == ["a", "b", "c"]
    import_folder(file, tmp_path / "made", new_ids=True)
    import_folder(file, tmp_path / "made")  # the mapping remembers it
    assert patients_of(tmp_path / "made")["patient_id"].tolist() == ["P001", "P002", "P003"]


def test_identifying_columns_are_dropped_even_where_the_mapping_keeps_them(tmp_path):
    people = pd.DataFrame(
        {
            "id": [f"x{n}" for n in range(30)],
            "Last name": ["Doe"] * 15 + ["Roe"] * 15,
            "contact": ["a@example.org", "b@example.org"] * 15,
            "call": ["030 123 45 67", "+49 30 1234567"] * 15,
            "dob": ["1950-02-01"] * 30,
            "remarks": ["ok", "fine"] * 15,
            "diary": [f"text {n}" for n in range(30)],
            "drug_name": ["A", "B"] * 15,
            "platelets": [str(100_000 + n) for n in range(30)],
            "last_contact_day": ["9"] * 30,
            "died": ["0", "1"] * 15,
        }
    )
    file = tmp_path / "t.csv"
    people.to_csv(file, index=False)
    lines = imported(file, tmp_path / "made")
    made = patients_of(tmp_path / "made")
    assert list(made) == ["patient_id", "drug_name", "platelets", "last_contact_day", "died"]
    for name in ("Last name", "contact", "call", "dob", "remarks", "diary"):
        assert any(line.startswith(f"  {name}: ") for line in lines), name
    path = tmp_path / "made" / "import.yaml"
    text = path.read_text("utf-8").replace("columns:\n", "columns:\n  contact: {type: string}\n")
    path.write_text(re.sub(r"\n  contact: holds.*", "", text), "utf-8")
    lines = import_folder(file, tmp_path / "made")
    assert "contact" not in patients_of(tmp_path / "made")
    assert "  contact: holds e-mail addresses" in lines


def test_only_the_rows_of_the_mapping_are_imported(tmp_path):
    file = written(tmp_path / "t.csv", GOOD)
    imported(file, tmp_path / "made")
    path = tmp_path / "made" / "import.yaml"
    path.write_text(path.read_text("utf-8") + "rows: {column: stage, values: [I]}\n", "utf-8")
    import_folder(file, tmp_path / "made")
    assert patients_of(tmp_path / "made")["patient_id"].tolist() == ["a", "c"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "t.csv, row 1: found nothing, expected the names of the columns"),
        (HEAD, "t.csv: found no rows, expected a header and a row a patient"),
        (GOOD + "d,I,5\n", "t.csv, row 5: found 3 cells, expected 5 as in the header"),
        (
            GOOD.replace("stage", "died"),
            "t.csv, row 1, column died: found twice, expected a name that no other column has",
        ),
    ],
)
def test_a_file_that_is_no_table_is_said_plainly(tmp_path, text, line):
    assert problems(written(tmp_path / "t.csv", text), tmp_path / "made") == [line]
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("ending", ["xlsx", "parquet", "xpt", "sas7bdat", "dta"])
def test_a_broken_file_is_said_in_one_line_without_its_folder(tmp_path, ending):
    (line,) = problems(written(tmp_path / f"t.{ending}", "no such thing"), tmp_path / "made")
    assert line.startswith(f"t.{ending}: cannot be read as ")
    assert str(tmp_path) not in line and "\n" not in line


def test_other_endings_and_absent_files_are_said_plainly(tmp_path):
    (line,) = problems(written(tmp_path / "t.doc", "x"), tmp_path / "made")
    assert line.startswith("t.doc: found .doc, expected one of .csv, ")
    (line,) = problems(tmp_path / "none.csv", tmp_path / "made")
    assert line.endswith("none.csv: not found")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("columns:", "colums:", "'colums' was unexpected"),
        ("column: died", "column: dead", 'import.yaml, reserved.died: found "dead", expected a'),
        ("  stage:\n", "  stagee:\n", 'import.yaml, columns: found "stagee", expected a column of'),
        ("as: days", "as: fortnights", "import.yaml, reserved.last_contact_day.as: 'fortnights'"),
        ("reserved:", "reserved: [", "not valid YAML"),
        ("dropped: {}", "dropped: stage", "import.yaml, dropped: 'stage'"),
        ("source:\n", "source: x\nwas:\n", "import.yaml, source: 'x' is not of type"),
        ("[I, II]", "[I]", 'row 3, column stage: found "II", expected one of I'),
        ("time_origin: x", "time_origin: x\n  colour: red", "import.yaml, analysis"),
    ],
)
def test_a_slip_in_the_mapping_is_named(tmp_path, old, new, words):
    file = written(tmp_path / "t.csv", GOOD)
    imported(file, tmp_path / "made", origin="x")
    path = tmp_path / "made" / "import.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    assert any(words in line for line in problems(file, tmp_path / "made"))


def test_what_is_no_finite_number_is_named(tmp_path):
    frame = pd.DataFrame({"id": ["a", "b"], "last_contact_day": [5, float("inf")], "died": [0, 1]})
    frame.to_parquet(tmp_path / "t.parquet")
    problems(tmp_path / "t.parquet", tmp_path / "made")
    answer(tmp_path / "made", time_origin="diagnosis")
    (line,) = problems(tmp_path / "t.parquet", tmp_path / "made")
    assert line.startswith('t.parquet, row 3, column last_contact_day: found "inf", expected a num')
    rows = "id,last_contact_months,died\na,1e999,0\nb,5,1\n"
    file = written(tmp_path / "t.csv", rows)
    problems(file, tmp_path / "months")
    answer(tmp_path / "months", time_origin="diagnosis")
    (line,) = problems(file, tmp_path / "months")
    assert 't.csv, row 2, column last_contact_months: found "1e999"' in line


def test_markup_and_formulas_in_labels_stay_text(tmp_path):
    import pyreadstat

    label, level = '=HYPERLINK("x"): # <b>&amp; {y}', "<script>alert(1)</script> | 'a': \"b\" #"
    frame = pd.DataFrame(
        {
            "id": ["a", "b"],
            "arm": [1.0, 2.0],
            "age": [50.0, 60.0],
            "last_contact_day": [1.0, 2.0],
            "died": [0.0, 1.0],
        }
    )
    pyreadstat.write_dta(
        frame,
        tmp_path / "t.dta",
        column_labels=["I", label, "?", "Last\nline: ?", "?"],
        variable_value_labels={"arm": {1.0: level, 2.0: "?"}},
    )
    imported(tmp_path / "t.dta", tmp_path / "made")
    data = load(tmp_path / "made")
    field = next(field for field in data.fields if field["name"] == "arm")
    assert field["title"] == label
    assert field["constraints"]["enum"] == [level, "?"]
    assert data.patients["arm"].tolist() == [level, "?"]


# --- the folder ------------------------------------------------------------------------------


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_the_mapping_names_the_file_and_its_digest_and_no_folder(tmp_path):
    file = written(tmp_path / "t.csv", GOOD)
    imported(file, tmp_path / "made")
    text = (tmp_path / "made" / "import.yaml").read_text("utf-8")
    mapping = yaml.safe_load(text)
    assert mapping["source"]["file"] == "t.csv"
    assert mapping["source"]["sha256"] == sha256(file.read_bytes()).hexdigest()
    assert str(tmp_path) not in text
    comments = [line for line in text.splitlines() if line.strip().startswith("#")]
    assert len(comments) >= 10


def test_a_newer_file_is_imported_by_the_mapping_with_its_comments(tmp_path):
    file = written(tmp_path / "t.csv", GOOD)
    imported(file, tmp_path / "made")
    path = tmp_path / "made" / "import.yaml"
    path.write_text("# mine\n" + path.read_text("utf-8") + "# the end\n", "utf-8")
    before = path.read_text("utf-8")
    newer = written(tmp_path / "newer.csv", GOOD + "d,II,5,6,no\n")
    import_folder(newer, tmp_path / "made")
    after = path.read_text("utf-8")
    assert len(patients_of(tmp_path / "made")) == 4
    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert [line.split(":")[0].strip() for line in changed] == ["file", "sha256", "patients.csv"]
    assert "# mine" in after and "# the end" in after


BY_HAND = """\
# mine

reserved:
    patient_id: {column: patient_id}
    last_contact_day:
        column: last_contact_day    # of the visits
        as: days
    response_day: {column: response_day, as: days}
    died:
        column: died
        dead: ["yes",   # of any cause
               dead]
        alive: [ "no" ]
# of no use
dropped: {stage: later}
columns:
analysis: {time_origin: 2021-03-04, months: [12, 24], abbreviations: {no: on}}
# the end
"""


def test_a_mapping_written_by_hand_keeps_every_line(tmp_path):
    file = written(tmp_path / "t.csv", GOOD)
    path = written(tmp_path / "made" / "import.yaml", BY_HAND)
    import_folder(file, tmp_path / "made")
    after = path.read_text("utf-8")
    head, rest = BY_HAND.split("reserved:")
    assert after.startswith(f"{head}source:\n") and f"\n\nreserved:{rest}\nmade:\n" in after
    assert load(tmp_path / "made").patients["died"].tolist() == ["no", "yes", "yes"]
    package = json.loads((tmp_path / "made" / "datapackage.json").read_text("utf-8"))
    assert package["analysis"] == {
        "time_origin": "2021-03-04",
        "months": [12, 24],
        "abbreviations": {"no": "on"},
    }


def test_a_mapping_may_be_json_and_says_a_thing_once(tmp_path):
    file = written(tmp_path / "t.csv", GOOD)
    imported(file, tmp_path / "made")
    path = tmp_path / "made" / "import.yaml"
    mapping = yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)
    path.write_text(json.dumps({key: mapping[key] for key in mapping if key != "source"}), "utf-8")
    import_folder(file, tmp_path / "made")
    assert yaml.safe_load(path.read_text("utf-8"))["source"]["file"] == "t.csv"
    path.write_text(BY_HAND + "columns: {}\n", "utf-8")
    (line,) = problems(file, tmp_path / "made", force=True)
    assert line == 'import.yaml, row 19, column 1: not valid YAML: found duplicate key "columns"'


def test_the_same_import_gives_the_same_bytes(tmp_path):
    file = written(tmp_path / "t.csv", GOOD)
    imported(file, tmp_path / "made")
    before = content(tmp_path / "made")
    import_folder(file, tmp_path / "made")
    assert content(tmp_path / "made") == before


@pytest.mark.parametrize("name", ["patients.csv", "datapackage.json"])
def test_a_file_that_import_did_not_make_stays_without_force(tmp_path, name):
    file = written(tmp_path / "t.csv", GOOD)
    made = tmp_path / "made"
    written(made / name, "mine")
    (line,) = problems(file, made)
    assert line.endswith(
        f"{name}: is not one that import made it; it stays as it is without --force"
    ) or (f"{name}: " in line and "without --force" in line)
    assert content(made) == {name: b"mine"}
    problems(file, made, force=True)
    answer(made, time_origin="diagnosis")
    assert "--force" in problems(file, made)[0]
    import_folder(file, made, force=True)
    (made / name).write_text("changed", "utf-8")
    before = content(made)
    (line,) = problems(file, made)
    assert "was changed since import made it" in line
    assert content(made) == before


def test_the_source_itself_is_never_overwritten(tmp_path):
    file = written(tmp_path / "made" / "patients.csv", GOOD)
    (line, *_) = problems(file, tmp_path / "made", force=True)
    assert "would be overwritten" in line
    assert content(tmp_path / "made") == {"patients.csv": GOOD.encode()}


@pytest.mark.parametrize("place", [1, 2, 3])
def test_a_failure_while_writing_leaves_the_folder_as_it_was(tmp_path, monkeypatch, place):
    file = written(tmp_path / "t.csv", GOOD)
    made = tmp_path / "made"
    imported(file, made)
    before = content(made)
    newer = written(tmp_path / "t2.csv", GOOD.replace("stage", "phase") + "d,II,5,6,no\n")
    path = made / "import.yaml"
    path.write_text(path.read_text("utf-8").replace("  stage:", "  phase:"), "utf-8")
    before = content(made)
    real, calls = importing.os.replace, []

    def failing(source, target):
        calls.append(target)
        if len(calls) == place:
            raise OSError("disk full")
        real(source, target)

    monkeypatch.setattr(importing.os, "replace", failing)
    with pytest.raises(OSError, match="disk full"):
        import_folder(newer, made)
    assert content(made) == before


def test_a_problem_leaves_the_folder_as_it_was(tmp_path):
    file = written(tmp_path / "t.csv", GOOD)
    imported(file, tmp_path / "made")
    before = content(tmp_path / "made")
    file.write_text(GOOD + "d,I,700,600,no\n", "utf-8")
    assert problems(file, tmp_path / "made") == [
        't.csv, row 5, column response_day: found "700", expected a day not after last_contact_day'
    ]
    assert content(tmp_path / "made") == before


def test_many_bad_rows_are_counted(tmp_path):
    early = "".join(f"p{n},2020-05-01,2020-04-{n % 28 + 1:02d},no\n" for n in range(50))
    file = written(tmp_path / "a.csv", "id,diagnosis_date,last_contact_date,died\n" + early)
    lines = problems(file, tmp_path / "a")
    assert len(lines) == 22  # with the line on import.yaml
    assert lines[20].startswith("a.csv, column last_contact_date: 30 more rows, expected a date")
    rows = "".join(f"p{n},I,700,600,no\n" for n in range(50))
    file = written(tmp_path / "b.csv", GOOD)
    imported(file, tmp_path / "b")
    file.write_text(HEAD + rows, "utf-8")
    lines = problems(file, tmp_path / "b")
    assert len(lines) == 21
    assert lines[20].startswith("b.csv, column response_day: 30 more rows, expected a day not")


def test_the_command_prints_what_it_did_and_how_to_go_on(tmp_path, capsys):
    file = str(written(tmp_path / "t.csv", GOOD))
    made = str(tmp_path / "made")
    assert main(["import", file, made]) == 1
    assert "what happens on day 0" in capsys.readouterr().err
    answer(tmp_path / "made", time_origin="diagnosis")
    assert main(["import", file, made]) == 0
    out = capsys.readouterr().out.splitlines()
    assert out[0] == "t.csv: 3 rows, 5 columns"
    assert "  died: from died (yes is yes; no is no): 2 died, 1 did not" in out
    assert "  response_day: from response_day (days): 1 patient" in out
    assert "kept 1 column: stage" in out
    assert re.fullmatch(rf"go on with: \S*python\S* -m analysis check {re.escape(made)}", out[-1])
    assert main(["check", made]) == 0


def test_the_readers_are_loaded_only_by_the_import():
    code = (
        "import sys, analysis, analysis.__main__; "
        "names = ('openpyxl', 'pyreadstat', 'analysis.sources'); "
        "print([name for name in names if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ran.stdout.strip() == "[]"


# --- REDCap ----------------------------------------------------------------------------------

DICTIONARY = [
    ("record_id", "text", "Record ID", "", "", "", "", "", ""),
    ("surname2", "text", "Called", "", "", "", "", "y", ""),
    ("sex", "radio", "Sex", "1, Male | 2, Female | 3, Other, or none", "", "", "", "", ""),
    ("age", "text", "Age, <i>years</i>", "", "integer", "18", "99", "", ""),
    ("pregnant", "yesno", "Pregnant", "", "", "", "", "", "[sex] = '2'"),
    ("organs", "checkbox", "Organs", "1, Liver | 2, Skin", "", "", "", "", ""),
    ("story", "notes", "Story", "", "", "", "", "", ""),
    ("diagnosis_date", "text", "Date of diagnosis", "", "date_dmy", "", "", "", ""),
    ("last_contact_date", "text", "Last contact", "", "date_dmy", "", "", "", ""),
    ("status", "dropdown", "Vital status", "0, Alive | 1, Dead", "", "", "", "", ""),
]
EXPORT = (
    "record_id,surname2,sex,age,pregnant,organs___1,organs___2,story,diagnosis_date,"
    "last_contact_date,status,form_complete\n"
    "1,Doe,2,44,1,1,0,long,2020-01-01,2020-03-01,0,2\n"
    "2,Roe,1,61,,0,1,longer,2020-01-02,2020-02-02,1,2\n"
)


def dictionary(path, rows=DICTIONARY):
    heads = [
        "Variable / Field Name",
        "Field Type",
        "Field Label",
        "Choices, Calculations, OR Slider Labels",
        "Text Validation Type OR Show Slider Number",
        "Text Validation Min",
        "Text Validation Max",
        "Identifier?",
        "Branching Logic (Show field only if...)",
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([heads, *rows])
    return path


def test_a_redcap_export_with_its_dictionary(tmp_path):
    words = dictionary(tmp_path / "dictionary.csv")
    file = written(tmp_path / "export.csv", EXPORT)
    import_folder(file, tmp_path / "made", dictionary=words)
    data = load(tmp_path / "made")
    fields = {field["name"]: field for field in data.fields}
    assert list(fields) == [
        *("patient_id", "sex", "age", "pregnant", "organs___1", "organs___2"),
        *("last_contact_day", "died"),
    ]
    assert fields["sex"]["constraints"]["enum"] == ["Male", "Female", "Other, or none"]
    assert fields["age"]["title"] == "Age, <i>years</i>"
    assert fields["age"]["constraints"] == {"minimum": 18, "maximum": 99}
    assert fields["age"]["type"] == "integer"
    assert fields["pregnant"]["description"] == "Asked only where [sex] = '2'"
    assert fields["organs___1"]["title"] == "Organs: Liver"
    assert data.patients["organs___1"].tolist() == ["yes", "no"]
    assert data.patients["pregnant"].tolist() == ["yes", None]
    assert data.patients["sex"].tolist() == ["Female", "Male"]
    assert data.patients["last_contact_day"].tolist() == [60, 31]
    assert data.patients["died"].tolist() == ["no", "yes"]
    mapping = yaml.safe_load((tmp_path / "made" / "import.yaml").read_text("utf-8"))
    assert mapping["source"]["dictionary"]["sha256"] == sha256(words.read_bytes()).hexdigest()
    assert set(mapping["dropped"]) == {"surname2", "story", "form_complete"}
    text = (tmp_path / "made" / "import.yaml").read_text("utf-8")
    assert "# labels of the file" in text and "numbers without labels" not in text
    assert "--dictionary dictionary.csv" in problems(file, tmp_path / "made")[0]


def test_a_value_outside_the_range_of_the_dictionary_is_named(tmp_path):
    words = dictionary(tmp_path / "dictionary.csv")
    file = written(tmp_path / "export.csv", EXPORT.replace(",61,", ",17,"))
    (line, _) = problems(file, tmp_path / "made", dictionary=words)
    assert line == 'export.csv, row 3, column age: found "17", expected 18 or more'


def test_a_file_that_is_no_dictionary_is_refused(tmp_path):
    file = written(tmp_path / "export.csv", EXPORT)
    lines = problems(file, tmp_path / "made", dictionary=file)
    assert lines[0] == (
        "export.csv, row 1: found no column Variable / Field Name; "
        "expected a REDCap data dictionary"
    )


# --- ADaM ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def adam(tmp_path_factory):
    """The SAS transport files of data/myeloid as ADaM."""
    place = tmp_path_factory.mktemp("adam")
    patients = shipped("myeloid")
    return tuple(
        adam_files.write_transport(make(patients), place / f"{make.__name__}.xpt", labels)
        for make, labels in (
            (adam_files.adsl, adam_files.ADSL_LABELS),
            (adam_files.adtte, adam_files.ADTTE_LABELS),
        )
    )


def test_adam_gives_the_results_of_the_dataset_it_was_made_from(tmp_path, adam):
    adsl, adtte = adam
    made = tmp_path / "made"
    with_arms(adsl, made, adtte=adtte)
    assert load(made).settings.time_origin == "randomisation"
    original = json.loads((ROOT / "data/myeloid/datapackage.json").read_text("utf-8"))
    text = (made / "import.yaml").read_text("utf-8")
    analysis = json.dumps(original["analysis"])
    text = re.sub(r"^analysis:\n(  .*\n)+", f"analysis: {analysis}\n", text, flags=re.M)
    text = text.replace("levels: [female, male]", "levels: [male, female]")  # the order of tables
    (made / "import.yaml").write_text(text, "utf-8")
    import_folder(adsl, made, adtte=adtte)
    expected, found = load("data/myeloid"), load(made)
    pd.testing.assert_frame_equal(found.patients[expected.patients.columns], expected.patients)
    some = frozenset({"figure_1a", "figure_1d", "table_1", "table_3"})
    ours, theirs = results_of(made, some=some), results_of("data/myeloid")
    for page in some:
        pd.testing.assert_frame_equal(ours[page], theirs[page], check_exact=True, obj=page)


def adam_csv(tmp_path, change=None, drop=(), patients=None):
    """A small pair as CSV; `change` edits the frame of ADTTE."""
    patients = patients if patients is not None else shipped("myeloid").head(12)
    adsl, adtte = adam_files.adsl(patients), adam_files.adtte(patients).drop(columns=list(drop))
    adtte = change(adtte) if change else adtte
    adsl.to_csv(tmp_path / "adsl.csv", index=False)
    adtte.to_csv(tmp_path / "adtte.csv", index=False)
    return tmp_path / "adsl.csv", tmp_path / "adtte.csv"


def days(folder, column="last_contact_day"):
    return patients_of(folder)[column].tolist()


def test_days_come_from_the_dates_where_no_unit_is_said(tmp_path):
    def unsaid(adtte):
        return adtte.assign(PARAM=adtte["PARAM"].str.replace(" (Days)", ""), AVAL=-1)

    adsl, adtte = adam_csv(tmp_path, unsaid, drop=["AVALU"])
    with_arms(adsl, tmp_path / "made", adtte=adtte)
    assert days(tmp_path / "made") == shipped("myeloid")["last_contact_day"].tolist()[:12]


def test_weeks_become_days_and_a_duration_counts_from_its_own_start(tmp_path):
    def changed(adtte):
        adtte = adtte.assign(AVAL=adtte["AVAL"] / 7, AVALU="WEEKS")
        relapse = adtte["PARAMCD"] == "TTREL"  # as a duration: from 14 days after day 0
        later = pd.to_datetime(adtte["STARTDT"]) + timedelta(days=14)
        adtte.loc[relapse, "STARTDT"] = later.dt.date[relapse]
        adtte.loc[relapse, "AVAL"] -= 2
        return adtte

    adsl, adtte = adam_csv(tmp_path, changed)
    with_arms(adsl, tmp_path / "made", adtte=adtte)
    expected = shipped("myeloid").head(12)
    for column in ("last_contact_day", "relapse_day", "response_day"):
        assert days(tmp_path / "made", column) == expected[column].tolist()


def test_without_unit_and_dates_the_unit_is_asked(tmp_path):
    def unsaid(adtte):
        return adtte.assign(PARAM=adtte["PARAM"].str.replace(" (Days)", ""))

    adsl, adtte = adam_csv(tmp_path, unsaid, drop=["AVALU", "ADT", "STARTDT"])
    lines = problems(adsl, tmp_path / "made", adtte=adtte)
    assert any("unit: in which unit is AVAL?" in line for line in lines)
    answer(tmp_path / "made", unit="days", time_origin="randomisation")
    answer_arms(tmp_path / "made")
    import_folder(adsl, tmp_path / "made", adtte=adtte)
    assert days(tmp_path / "made") == shipped("myeloid")["last_contact_day"].tolist()[:12]


def test_the_parameter_of_survival_is_asked_where_none_says_so(tmp_path):
    def renamed(adtte):
        return adtte.replace({"PARAMCD": {"OS": "P1"}, "PARAM": {"Overall Survival (Days)": "X"}})

    adsl, adtte = adam_csv(tmp_path, renamed)
    lines = problems(adsl, tmp_path / "made", adtte=adtte)
    assert any("which PARAMCD is overall survival? P1: X; TTCR: " in line for line in lines)
    answer(
        tmp_path / "made",
        paramcd="P1",
        **({"time_origin": "randomisation"} if any("time_origin" in x for x in lines) else {}),
    )
    answer_arms(tmp_path / "made")
    import_folder(adsl, tmp_path / "made", adtte=adtte)
    assert days(tmp_path / "made", "died") == shipped("myeloid")["died"].tolist()[:12]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            lambda t: pd.concat([t, t.head(1)]),
            'adtte.csv, row 50, column USUBJID: found "M001" again with PARAMCD OS, '
            "expected one record a patient",
        ),
        (
            lambda t: t.drop(index=2),
            'adtte.csv: found no record of "M003" with PARAMCD OS, expected one a patient; '
            "`rows` in import.yaml says which patients to import",
        ),
        (
            lambda t: t.assign(CNSR=["x", *t["CNSR"][1:]]),
            'adtte.csv, row 2, column CNSR: found "x", expected 0 for an event, or 1 or more',
        ),
        (
            lambda t: t.drop(columns="PARAMCD"),
            "adtte.csv, row 1: found no column PARAMCD; ADTTE has one",
        ),
    ],
)
def test_what_is_wrong_in_adtte_is_named(tmp_path, change, line):
    adsl, adtte = adam_csv(tmp_path, change)
    problems(adsl, tmp_path / "made", adtte=adtte)
    if (tmp_path / "made").exists():
        answer_arms(tmp_path / "made")
    assert problems(adsl, tmp_path / "made", adtte=adtte)[0] == line


def test_a_large_cell_and_a_quoted_line_break_keep_their_row(tmp_path):
    text = 'id,note_x,last_contact_day,died\na,"one\ntwo",5,0\nb,x,y,1\nc,x,6,1\n'
    file = written(tmp_path / "t.csv", text)
    assert sources.read(file).text.index.tolist() == [2, 3, 4]
    long = written(tmp_path / "long.csv", text.replace("two", "two" * 50_000))
    assert sources.read(long).text.index.tolist() == [2, 3, 4]


def test_an_encoding_that_cannot_be_guessed_is_said_beforehand(tmp_path):
    text = GOOD.replace("stage", "Größe")
    file = written(tmp_path / "t.csv", text.replace("ö", "\x81"), "latin-1")
    (line,) = problems(file, tmp_path / "made")
    assert line.startswith("t.csv, row 1: not cp1252 text; say which it is in import.yaml")
    written(tmp_path / "made" / "import.yaml", "source: {encoding: cp437}\n")
    file = written(tmp_path / "t.csv", text, "cp437")
    problems(file, tmp_path / "made")
    answer(tmp_path / "made", time_origin="diagnosis")
    import_folder(file, tmp_path / "made")
    assert "Größe" in patients_of(tmp_path / "made")
