"""Reading a file: where its table begins, what is missing, which rows are imported."""

from __future__ import annotations

import re
import warnings

import openpyxl
import pandas as pd
import pytest
from test_import import answer, imported, patients_of, problems, written

from analysis.dataset.problems import DataError
from analysis.importing import missing
from analysis.importing.dates import as_date, needs_century
from analysis.importing.files import read
from analysis.importing.folder import import_folder

GOOD = "id,age,os_months,died\na,50,12,0\nb,61,30,1\nc,44,22.5,0\n"


def mapped(folder, text):
    """Add lines to the mapping of a folder."""
    path = folder / "import.yaml"
    path.write_text(path.read_text("utf-8") + text, "utf-8")


def sheet(path, rows, change=None):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    if change:
        change(book.active)
    book.save(path)
    return path


# --- where the table begins ------------------------------------------------------------------

COMMENTED = "#Patient\tAge\n#STRING\tNUMBER\n#1\t1\nid\tage\na\t50\nb\t61\n"


@pytest.mark.parametrize(
    ("text", "names", "rows"),
    [
        (COMMENTED, ["id", "age"], [5, 6]),
        ("# made on Monday, by X\n" + GOOD, GOOD.split("\n")[0].split(","), [3, 4, 5]),
        (GOOD + "# the end\n", GOOD.split("\n")[0].split(","), [2, 3, 4]),
        ("id,age\na,50\n#b,61\nc,44\n", ["id", "age"], [2, 4]),
        ("#id,age\na,50\nb,61\n", ["#id", "age"], [2, 3]),
        ("#,age\n1,50\n2,61\n", ["#", "age"], [2, 3]),
        ("id,age\n#1,50\n#2,61\n", ["id", "age"], [2, 3]),
        ("My trial\n\nid,age,sex\na,50,m\n", ["id", "age", "sex"], [4]),
        ("Base,,Death\nid,age,died\na,50,0\nb,61,1\n", ["id", "age", "died"], [3, 4]),
        ("sep=;\nid;age\na;50\n", ["id", "age"], [2]),
        ('"","time","x"\n"1",5,2\n"2",6,3\n', ["row_names", "time", "x"], [2, 3]),
        ('"time","x"\n"r1",5,2\n"r2",6,3\n', ["row_names", "time", "x"], [2, 3]),
        ('"time" "x"\n"r1" 5 2\n"r2" 6 3\n', ["row_names", "time", "x"], [2, 3]),
        ("id  age   x\na   50    1\nbcd 61    2\n", ["id", "age", "x"], [2, 3]),
        ("id,,age\na,x,50\nb,y,61\n", ["id", "column_2", "age"], [2, 3]),
        ("id,age,,\na,50,,\nb,61,,\n", ["id", "age"], [2, 3]),
        ("id,age\na,50,\nb,61,\n", ["id", "age"], [2, 3]),
        ("id,age,\na,50\nb,61\n", ["id", "age"], [2, 3]),
        ("id\tnote\na\tx, y\nb\tz, w\n", ["id", "note"], [2, 3]),
        ("bmi;age\n2,5;3,5\n2,6;3,6\n", ["bmi", "age"], [2, 3]),
        ("id|x\ra|1\rb|2\r", ["id", "x"], [2, 3]),
    ],
)
def test_the_table_begins_where_its_names_are(tmp_path, text, names, rows):
    source = read(written(tmp_path / "t.txt", text))
    assert list(source.text) == names
    assert source.text.index.tolist() == rows


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_encodings_are_known_by_their_bytes(tmp_path, encoding):
    source = read(written(tmp_path / "t.csv", GOOD.replace("age", "Größe"), encoding))
    assert list(source.text) == ["id", "Größe", "os_months", "died"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("#id,stage\na,I\nb,II\n", "t.csv, row 1: begins with #; which row has the names"),
        ("1,50,0\n2,61,1\n", "t.csv, row 1: found numbers only, expected names; which row has"),
        ("Trial\n1,2,3\n4,5,6\n", "t.csv, row 1: found one filled cell, as a title has; which"),
        (GOOD + 'd,5,6,"1\ne,5,6,1\n', 't.csv, row 5: a quote (") is not closed; close it or'),
        (GOOD.replace("b,", "b\0,"), "t.csv, row 3: a NUL byte, which no text has; remove it"),
        ("id,age,age\na,1,2\n", "t.csv, row 1, column age: found twice, expected a name that"),
    ],
)
def test_what_is_not_known_of_a_table_is_asked(tmp_path, text, line):
    (found,) = problems(written(tmp_path / "t.csv", text), tmp_path / "made")
    assert found.startswith(line)


def test_the_mapping_says_which_row_is_the_header_and_whether_there_are_comments(tmp_path):
    file = written(tmp_path / "t.csv", "#id,stage\na,I\n#b,II\nc,I\nd,I\ne,I\n")
    told = {"header_row": "1", "comment": ""}
    assert list(read(file, told).text) == ["#id", "stage"]
    assert len(read(file, told).text) == 5
    assert len(read(file, {"header_row": "1"}).text) == 4
    with pytest.raises(DataError, match="row 9: found nothing"):
        read(file, {"header_row": "9"})


@pytest.mark.parametrize("words", ["Patient,Age,Survival (months),Died", ",years,months,0/1"])
def test_a_row_of_labels_or_units_is_no_patient(tmp_path, words):
    text = GOOD.replace("\n", f"\n{words}\n", 1)
    file, made = written(tmp_path / "t.csv", text), tmp_path / "made"
    (line,) = problems(file, made)
    assert line.startswith("t.csv, row 2: has words where all below have numbers; which row has")
    assert line.endswith("source: {header_row: 1}, which leaves row 2 out")
    written(made / "import.yaml", "source: {header_row: 1}\n")
    lines = imported(file, made)
    assert "  left out, as it has words where all below have numbers: row 2" in lines
    assert patients_of(made)["age"].tolist() == ["50", "61", "44"]
    assert list(read(file, {"header_row": "2"}).text.index) == [3, 4, 5]


@pytest.mark.parametrize(
    "first", ["a,NA,unknown,n.d.", "a,old,12,0", "a,old,2020-01-01,no", "a,fit,,"]
)
def test_a_patient_without_numbers_stays_one(tmp_path, first):
    file = written(tmp_path / "t.csv", GOOD.replace("\n", f"\n{first}\n", 1))
    assert list(read(file).text.index) == [2, 3, 4, 5]


def test_what_was_left_out_is_reported_and_the_mapping_keeps_it(tmp_path):
    file = written(tmp_path / "t.csv", "Trial of 2020\n" + GOOD + "# checked\n")
    lines = imported(file, tmp_path / "made")
    assert "  left out as comments, which begin with #: row 6" in lines
    assert "  left out above the names of the columns: row 1" in lines
    text = (tmp_path / "made" / "import.yaml").read_text("utf-8")
    assert 'header_row: "2"' in text and 'comment: "#"' in text
    assert import_folder(file, tmp_path / "made") == lines


def test_row_names_are_offered_where_there_is_no_other_id(tmp_path):
    rows = "".join(f'"{n}",{n + 9},{n % 2}\n' for n in range(1, 9))
    lines = imported(written(tmp_path / "t.csv", '"","os_months","died"\n' + rows), tmp_path / "a")
    assert "  patient_id: from row_names, as it is" in lines
    rows = re.sub(r'"(\d)"', r'"\1",x\1', rows)
    file = written(tmp_path / "u.csv", '"","id","os_months","died"\n' + rows)
    assert "  patient_id: from id, as it is" in imported(file, tmp_path / "b")
    path = tmp_path / "b" / "import.yaml"  # a mapping from before they had a name
    path.write_text(re.sub(r"\n  row_names: .*", "", path.read_text("utf-8")), "utf-8")
    import_folder(file, tmp_path / "b")


# --- what is missing -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cells", "codes"),
    [
        ("60 999 55 71 66", ["999"]),
        ("5.1 7.2 -1 -9 8.8", ["-1", "-9"]),
        ("1 0 9 2 1", ["9"]),
        ("0 1 2 8 9 9", ["9", "8"]),
        ("55 60 99 70", []),  # somebody may be so old
        ("55 60 71 48 66 70 62 59 44 51 99", ["99"]),
        ("31 40 99", ["99"]),  # a code of nines stands apart in any number of rows
        ("12 9999", ["9999"]),
        ("12 999 30 999", ["999"]),
        ("999 999", ["999"]),
        ("99 99", []),
        ("400 999 700", []),
        ("0 1 9", []),
        ("61 -9", []),
        ("85 60 99 70 99", ["99"]),
        ("12 30 77 22", []),
        ("12 30 77 22 14 8 31 28 19 25 11 17", ["77"]),
        ("-1.5 0.2 -1 2.2", []),
        ("85 60 99 70", []),
        ("7 8 9 4 5 6", []),
        ("400 999 1500 2200", []),
        ("400 999 999 999 1500 2200 700", ["999"]),
        ("12 unk 30 41", ["unk"]),
        ("12 - 30 n.d.", ["-", "n.d."]),
        ("1.5 #DIV/0! 2", ["#DIV/0!"]),
        ("low high Unknown", []),
        ("low #REF! high", ["#REF!"]),
        ("2020-01-01 9999-12-31 2020-03-01", ["9999-12-31"]),
        ("2020-01-01 1900-01-01 unknown", ["unknown", "1900-01-01"]),
        ("01.02.2020 01.01.1900 03.04.2021", ["01.01.1900"]),
        ("9 9 9", []),
        ("0.4 7.1 99.9 3.3", ["99.9"]),
        ("71.5 99.9 80.3", []),
    ],
)
def test_values_that_look_like_codes_for_missing(cells, codes):
    assert sorted(missing.suspects(pd.Series(cells.split()))) == sorted(codes)


def test_a_time_within_the_follow_up_is_no_code(tmp_path):
    times = [(80, 77), *[(72, day) for day in range(14, -1, -1)]]
    rows = [f"{n},{last},0,{day},{day}\n" for n, (last, day) in enumerate(times)]
    file = written(tmp_path / "t.csv", "id,os_months,died,relapse_months,wbc\n" + "".join(rows))
    asked = [line for line in problems(file, tmp_path / "made") if "which values of" in line]
    assert len(asked) == 1
    assert "which values of wbc mean" in asked[0]


def test_codes_are_asked_column_by_column_and_counted(tmp_path):
    text = (
        "id,age,ecog,bmi at start,os_months,died\n"
        "a,60,1,20.1,12,1\nb,999,0,unk,30,0\nc,55,9,31.0,22,1\nd,71,2,NA,41,0\n"
    )
    file, made = written(tmp_path / "t.csv", text), tmp_path / "made"
    lines = [line.partition(", ")[2] for line in problems(file, made)]
    assert len(lines) == 5
    for column, found in (
        ("age", 'such as ["999"], or [] for none? found 999 (once)'),
        ("ecog", 'such as ["9"], or [] for none? found 9 (once)'),
        ("bmi at start", "such as [NA, unk], or [] for none? found NA (once), unk (once)"),
    ):
        assert any(f", {column}: which values" in x and x.endswith(found) for x in lines), column
    answer(made, age='["999"]', ecog="[]", time_origin="diagnosis")
    assert len(problems(file, made)) == 1  # of bmi, still
    path = made / "import.yaml"
    path.write_text(path.read_text("utf-8").replace(': "?"', ": [unk, NA]"), "utf-8")
    report = import_folder(file, made)
    assert "  age: left blank, as codes for missing: 999 (once)" in report
    assert "  bmi at start: left blank, as codes for missing: unk (once), NA (once)" in report
    assert patients_of(made)["age"].tolist() == ["60", "", "55", "71"]
    assert patients_of(made)["ecog"].tolist() == ["1", "0", "9", "2"]
    assert patients_of(made)["bmi at start"].tolist() == ["20.1", "", "31", ""]


@pytest.mark.parametrize(("told", "kept"), [("[]", ["EU", "NA", "AS"]), ("[NA]", ["EU", "", "AS"])])
def test_a_level_that_reads_like_a_code_is_asked(tmp_path, told, kept):
    text = "id,region,os_months,died\na,EU,12,1\nb,NA,30,0\nc,AS,22,1\n"
    file, made = written(tmp_path / "t.csv", text), tmp_path / "made"
    assert any("found NA (once)" in line for line in problems(file, made))
    answer(made, region=told, time_origin="diagnosis")
    report = import_folder(file, made)
    assert patients_of(made)["region"].tolist() == kept
    said = any("region: left blank, as codes for missing: NA (once)" in line for line in report)
    assert said == (told == "[NA]")


def test_na_in_many_columns_is_the_files_own_word(tmp_path):
    text = "id,region,x,os_months,died\na,EU,1,12,1\nb,NA,NA,30,0\nc,AS,NA,22,1\n"
    report = imported(written(tmp_path / "t.csv", text), tmp_path / "made")
    assert "  x: left blank, as codes for missing: NA (2 times)" in report
    assert "  region: left blank, as codes for missing: NA (once)" in report


def test_spss_labels_and_declared_codes_are_read(tmp_path):
    import pyreadstat

    frame = pd.DataFrame(
        {
            "id": ["a", "b", "c"],
            "sex": [1.0, 2.0, 1.0],
            "age": [50.0, 99.0, 98.0],
            "os_months": [1.0, 2, 3],
            "died": [0.0, 1, 0],
        }
    )
    pyreadstat.write_sav(
        frame,
        tmp_path / "t.sav",
        column_labels=["Patient", "Sex", "Age, years", "Survival", "Died"],
        variable_value_labels={"sex": {1.0: "Male", 2.0: "Female"}},
        missing_ranges={"age": [{"lo": 98, "hi": 99}]},
    )
    report = imported(tmp_path / "t.sav", tmp_path / "made")
    assert "  age: left blank, as codes for missing: 99 (once), 98 (once)" in report
    assert patients_of(tmp_path / "made")["age"].tolist() == ["50", "", ""]
    assert patients_of(tmp_path / "made")["sex"].tolist() == ["Male", "Female", "Male"]


# --- which rows ------------------------------------------------------------------------------

ROWS = "id,stage,os_months,start,last,died\n" + "".join(
    f"{row}\n"
    for row in (
        "a,I,12,2020-01-01,2021-01-01,0",
        "b,II,,2019-01-01,,1",
        "c,,-3,2020-05-01,2020-01-01,0",
        "d,I,40,2018-03-01,2022-01-01,1",
    )
)


@pytest.mark.parametrize(
    ("rows", "kept", "said"),
    [
        ("{column: stage, values: [I]}", "ad", "left out 2 rows, in which stage is none of I"),
        ("{column: stage, not: [II, '']}", "ad", "left out 2 rows, in which stage is II or blank"),
        ("{column: stage, blank: yes}", "c", "left out 3 rows, in which stage is not blank"),
        ("{column: os_months, blank: no}", "acd", "left out 1 row, in which os_months is blank"),
        ("{column: os_months, at_least: 0}", "ad", "left out 2 rows, in which os_months is below 0"
         ", or blank"),
        ("{column: os_months, at_least: 0, at_most: 20}", "a", "left out 3 rows, in which "
         "os_months is above 20, or blank or os_months is below 0, or blank"),
        ("{column: start, at_least: 2019-06-01}", "ac", "left out 2 rows, in which start is before "
         "2019-06-01"),
        ("{column: last, at_least: start}", "ad", "left out 2 rows, in which last is before start, "
         "or blank"),
        ("{column: [os_months, last], blank: no}", "acd", "left out 1 row, in which os_months, "
         "last is blank"),
        ("[{column: stage, not: ['']}, {column: os_months, blank: no}]", "ad", "left out 1 row, "
         "in which os_months is blank"),
    ],
)  # fmt: skip
def test_rows_are_left_out_by_condition_and_counted(tmp_path, rows, kept, said):
    file, made = written(tmp_path / "t.csv", ROWS), tmp_path / "made"
    mapping = (
        "reserved:\n  patient_id: {column: id}\n  last_contact_day: {column: age, as: days}\n"
        "  died: {column: died, dead: ['1'], alive: ['0']}\nanalysis: {time_origin: x}\n"
        "columns: {}\ndropped: {stage: '', os_months: '', start: '', last: ''}\n"
    )
    file.write_text(ROWS.replace("died\n", "died,age\n").replace("0\n", "0,9\n").replace(
        "1\n", "1,9\n"), "utf-8")  # fmt: skip
    written(made / "import.yaml", f"{mapping}rows: {rows}\n")
    report = import_folder(file, made)
    assert patients_of(made)["patient_id"].tolist() == list(kept)
    assert f"  {said}" in report


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ("{column: stge, blank: no}", 'import.yaml, rows: found "stge", expected a column of'),
        ("{column: stage}", "import.yaml, rows[0]: "),
        ("{column: stage, equals: I}", "import.yaml, rows[0]: "),
        ("{column: stage, at_least: 3}", 't.csv, row 2, column stage: found "I", expected a num'),
        ("{column: stage, values: [V]}", "import.yaml, rows: no row of t.csv meets the conditions"),
    ],
)
def test_a_slip_in_a_condition_is_named(tmp_path, rows, line):
    file, made = written(tmp_path / "t.csv", ROWS), tmp_path / "made"
    problems(file, made)
    path = made / "import.yaml"
    path.write_text(path.read_text("utf-8").replace('"?"', "x"), "utf-8")
    mapped(made, f"rows: {rows}\n")
    assert problems(file, made)[0].startswith(line)


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        (["12", "", "30"], "blank in 1 row; mend these rows, or leave them out: rows: {column: "
         "os_months, blank: no} in import.yaml"),
        (["12", "-5", ""], "blank in 1 row and negative in 1 row; mend these rows, or leave them "
         "out: rows: {column: os_months, at_least: 0} in import.yaml"),
        (["-2", "-5", "3"], "negative in 2 rows; mend these rows, or leave them out: rows: "
         "{column: os_months, at_least: 0} in import.yaml"),
    ],
)  # fmt: skip
def test_follow_up_that_is_blank_or_negative_is_said_at_once_with_the_way_out(
    tmp_path, cells, found
):
    rows = "".join(f"p{n},{cell},{n % 2}\n" for n, cell in enumerate(cells))
    file, made = written(tmp_path / "t.csv", "id,os_months,died\n" + rows), tmp_path / "made"
    line = f"t.csv, column os_months: {found}"
    lines = problems(file, made)
    assert line in lines
    answer(made, time_origin="x", **({"os_months": "[]"} if len(lines) > 3 else {}))
    assert line in problems(file, made)
    mapped(made, re.search(r"rows: \{.*?\}", found)[0] + "\n")
    import_folder(file, made)


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        ("12 mo,30 months,1 mo.", ["365.25", "913.125", "30.4375"]),
        ("12d,30 days,1 d", ["12", "30", "1"]),
        ("1 y,2 yrs,0.5 years", ["365.25", "730.5", "182.625"]),
    ],
)
def test_a_unit_in_every_cell_is_read(tmp_path, cells, days):
    rows = "".join(f"p{n},{cell},{n % 2}\n" for n, cell in enumerate(cells.split(",")))
    imported(written(tmp_path / "t.csv", "id,follow_up,died\n" + rows), tmp_path / "made")
    assert patients_of(tmp_path / "made")["last_contact_day"].tolist() == days


def test_units_that_differ_are_asked_and_then_named(tmp_path):
    file = written(tmp_path / "t.csv", "id,follow_up,died\na,12 mo,0\nb,3 y,1\nc,40 mo,0\n")
    asked = [line for line in problems(file, tmp_path / "made") if ", as: " in line]
    assert asked[0].endswith("its text says months and years")
    answer(tmp_path / "made", time_origin="x", **{"as": "months"})
    assert problems(file, tmp_path / "made") == [
        't.csv, row 3, column follow_up: found "3 y", expected a number of months, with a point '
        "for decimals"
    ]


# --- dates -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "first", "found"),
    [
        ("16.04.17", 1950, "2017-04-16"),
        ("16.04.50", 1950, "1950-04-16"),
        ("3/4/99", 1930, "1999-04-03"),
        ("16-APR-17", 1930, "2017-04-16"),
        ("16.04.17", None, "None"),
        ("16.04.2017", 1950, "2017-04-16"),
    ],
)
def test_years_of_two_digits_are_read_where_the_century_is_told(text, first, found):
    assert str(as_date(text, "day-first", first)) == found


@pytest.mark.parametrize(
    ("text", "asks"),
    [("16.04.17", True), ("3/4/21", True), ("1-Jan-20", True), ("2021-03", False), ("12", False)],
)
def test_only_a_year_of_two_digits_asks_for_its_century(text, asks):
    assert needs_century(text) == asks


def test_the_century_is_asked_and_without_an_answer_each_row_is_named(tmp_path):
    rows = "".join(f"p{n},16.04.17,07.04.{18 + n % 3},{n % 2}\n" for n in range(30))
    file = written(tmp_path / "t.csv", "id,diagnosis_date,last_contact_date,died\n" + rows)
    lines = problems(file, tmp_path / "made")
    assert any("the years of two digits, as in 07.04.18: " in line for line in lines)
    path = tmp_path / "made" / "import.yaml"
    text = path.read_text("utf-8")
    path.write_text(re.sub(r"\n.*\n *first_year: .*", "", text), "utf-8")
    lines = problems(file, tmp_path / "made")
    said = "expected a year of four digits, or dates.first_year in import.yaml"
    assert lines[0] == f't.csv, row 2, column diagnosis_date: found "16.04.17", {said}'
    assert f"t.csv, column diagnosis_date: 10 more rows, {said}" in lines
    path.write_text(text, "utf-8")
    answer(tmp_path / "made", first_year="1950")
    import_folder(file, tmp_path / "made")
    assert patients_of(tmp_path / "made")["last_contact_day"].tolist()[:3] == ["356", "721", "1087"]


def test_a_line_on_more_rows_does_not_break_off(tmp_path):
    rows = "".join(f"p{n},2020-01-01,99/99/2020,0\n" for n in range(30))
    good = "".join(f"q{n},2020-01-01,2020-02-03,0\n" for n in range(40))
    text = "id,diagnosis_date,last_contact_date,died\n" + good + rows
    lines = problems(written(tmp_path / "t.csv", text), tmp_path / "made")
    assert any(line.endswith("10 more rows, expected a date such as 2021-03-04") for line in lines)


# --- workbooks -------------------------------------------------------------------------------

HEAD = ["id", "age", "os_days", "died"]
BODY = [["a", 50, 12, "no"], ["b", 61, 30, "yes"], ["c", 44, 22, "no"]]


@pytest.mark.parametrize(
    ("cell", "value"), [("C2", "=B2*2"), ("D4", '="no"'), ("A3", "=CONCATENATE(B3,C3)")]
)
def test_a_formula_without_a_stored_result_is_named(tmp_path, cell, value):
    file = sheet(tmp_path / "t.xlsx", [HEAD, *BODY], lambda s: s.__setitem__(cell, value))
    (line,) = problems(file, tmp_path / "made")
    assert line == (
        f"t.xlsx, {cell}: formulas whose results are not stored; open the file in its program, "
        "save it, and import it again"
    )


def test_what_is_hidden_in_a_sheet_is_reported(tmp_path):
    def hide(page):
        page.row_dimensions[3].hidden = page.row_dimensions[4].hidden = True
        page.column_dimensions["B"].hidden = True

    report = imported(sheet(tmp_path / "t.xlsx", [HEAD, *BODY], hide), tmp_path / "made")
    assert any(
        line.startswith("  hidden in the sheet, and imported like the others: rows 3, 4")
        for line in report
    )
    assert "  hidden in the sheet, and read like the others: columns age" in report


@pytest.mark.parametrize("cells", ["D2:D3", "B4:C4", "A2:A4"])
def test_merged_cells_are_named_but_not_those_of_a_title(tmp_path, cells):
    file = sheet(tmp_path / "t.xlsx", [HEAD, *BODY], lambda s: s.merge_cells(cells))
    (line,) = problems(file, tmp_path / "made")
    assert line == f"t.xlsx, {cells}: merged, so only its first cell has a value; unmerge it"
    titled = [["Trial", None, None, None], HEAD, *BODY]
    file = sheet(tmp_path / "u.xlsx", titled, lambda s: s.merge_cells("A1:D1"))
    report = imported(file, tmp_path / "u")
    assert "  left out above the names of the columns: row 1" in report


def test_text_cells_of_a_workbook_may_hold_numbers_with_a_comma(tmp_path):
    rows = [["a", "50", "12,5", "no"], ["b", 61.5, "30,25", "yes"], ["c", "44", 22, "no"]]
    imported(sheet(tmp_path / "t.xlsx", [HEAD, *rows]), tmp_path / "made")
    made = patients_of(tmp_path / "made")
    assert made["last_contact_day"].tolist() == ["12.5", "30.25", "22"]
    assert made["age"].tolist() == ["50", "61.5", "44"]


def test_a_serial_date_among_days_is_named(tmp_path):
    rows = [*BODY, ["d", 51, 44259, "no"]]
    file = sheet(tmp_path / "t.xlsx", [HEAD, *rows])
    problems(file, tmp_path / "made")
    answer(tmp_path / "made", time_origin="x")
    (line,) = problems(file, tmp_path / "made")
    assert line.startswith('t.xlsx, row 5, column os_days: found "44259", expected 36525 or less')
    assert line.endswith("; 44259 is 2021-03-04 in a spreadsheet")


def test_no_warning_of_the_reader_leaks(tmp_path):
    from openpyxl.worksheet.datavalidation import DataValidation

    def validated(page):
        page.add_data_validation(DataValidation(type="list", formula1='"no,yes"', sqref="D2:D9"))

    file = sheet(tmp_path / "t.xlsx", [HEAD, *BODY], validated)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read(file)


def test_numbers_that_begin_with_a_zero_are_codes(tmp_path):
    text = "id,ward,os_days,died\n1,007,1,0\n2,012,2,1\n3,007,3,0\n"
    imported(written(tmp_path / "t.csv", text), tmp_path / "made")
    assert patients_of(tmp_path / "made")["ward"].tolist() == ["007", "012", "007"]


# --- precision -------------------------------------------------------------------------------


def test_ids_and_long_numbers_keep_their_digits(tmp_path):
    text = "id,sample,os_days,died\n00123,12345678901234567890,1,0\n1e5,9,2,1\n007,3,3,0\n"
    source = read(written(tmp_path / "t.csv", text))
    assert source.text["id"].tolist() == ["00123", "1e5", "007"]
    assert source.text["sample"].tolist()[0] == "12345678901234567890"
    frame = pd.DataFrame({"id": pd.array([2**60 + 1, None], dtype="Int64"), "x": [1.5, 2.0]})
    frame.to_parquet(tmp_path / "t.parquet")
    found = read(tmp_path / "t.parquet").text
    assert found["id"].tolist() == [str(2**60 + 1), ""]
    assert found["x"].tolist() == ["1.5", "2"]
