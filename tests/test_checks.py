"""Every way in which a dataset folder is wrong has its line, and what weakens it has a warning."""

from __future__ import annotations

import gzip
import io
import json
import os
import re
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT, command
from test_dataset import GOOD, HEAD, field, folder

from analysis.dataset import cells as textfiles
from analysis.dataset.checks import read_folder
from analysis.dataset.model import load
from analysis.dataset.new import new
from analysis.dataset.problems import DataError, Problem
from analysis.study.advice import check

GOOD_TWO = HEAD + GOOD + "b,II,50,,,90,yes\n"


def errors(path: Path, private: bool = False) -> list[str]:
    """The lines of `check`; `load` must say the same."""
    report, lines = check(path, private)
    if lines:
        with pytest.raises(DataError) as caught:
            load(path)
        assert caught.value.lines(private) == lines
        assert report == [f"{len(lines)} problem{'s' if len(lines) > 1 else ''}"]
    return lines


def table(tmp_path: Path, data: bytes | str) -> Path:
    """A valid folder with these bytes as its table."""
    path = folder(tmp_path)
    (path / "patients.csv").write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def zipped() -> bytes:
    with zipfile.ZipFile(file := io.BytesIO(), "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return file.getvalue()


# --- files ---------------------------------------------------------------------------------------

LATIN = (HEAD + GOOD + "Jörg,I,50,,,90,yes\n").encode("latin-1")


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", "patients.csv: empty; expected a header and a row a patient"),
        (b"\n \n\n", "patients.csv: empty; expected a header and a row a patient"),
        (HEAD, "patients.csv: no patients; expected a row each"),
        (
            GOOD_TWO.encode("utf-16"),
            "patients.csv: not UTF-8 text; it seems to be UTF-16; save it as UTF-8 (in Excel: "
            "“CSV UTF-8”)",
        ),
        (
            GOOD_TWO.encode("utf-16-be"),
            "patients.csv: not UTF-8 text; it seems to be UTF-16; save it as UTF-8 (in Excel: "
            "“CSV UTF-8”)",
        ),
        (
            LATIN,
            "patients.csv, row 3: not UTF-8 text; it seems to be Windows-1252 (Latin-1); save it "
            "as UTF-8 (in Excel: “CSV UTF-8”)",
        ),
        (
            GOOD_TWO.replace(",", ";"),
            "patients.csv: separated by semicolons, expected commas",
        ),
        (GOOD_TWO.replace(",", "\t"), "patients.csv: separated by tabs, expected commas"),
        (
            zipped(),
            "patients.csv: an Excel file or another zip archive, not text; open it and save the "
            "table as UTF-8 (in Excel: “CSV UTF-8”)",
        ),
        (
            gzip.compress(GOOD_TWO.encode()),
            "patients.csv: a gzip archive, not text; open it and save the table as UTF-8 (in "
            "Excel: “CSV UTF-8”)",
        ),
        (
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "patients.csv: an old Excel file, not text; open it and save the table as UTF-8 (in "
            "Excel: “CSV UTF-8”)",
        ),
        (
            GOOD_TWO.replace("b,II", "b\0,II"),
            "patients.csv, row 3: a NUL byte, which no text has; remove it",
        ),
        (
            HEAD + GOOD + "b,II,50,,90,yes\n",
            "patients.csv, row 3: found 6 cells, expected 7 as in the header",
        ),
        (
            HEAD + GOOD + "b,II,50,,,9,5,yes\n",
            "patients.csv, row 3: found 8 cells, expected 7 as in the header",
        ),
        (
            HEAD + GOOD + "\n\n,,,,,,\n",
            "patients.csv, row 5: every cell is blank; delete the row",
        ),
        (
            HEAD + GOOD + 'b,"II,50,,,90,yes\nc,I,50,,,90,yes\n',
            'patients.csv, row 3: a quote (") is not closed or stands within a cell; the rows '
            "below are not read",
        ),
        (
            HEAD.replace("stage", "age") + GOOD,
            "patients.csv, row 1: column age stands twice",
        ),
        (
            HEAD.replace("\n", ",\n") + GOOD.replace("\n", ",\n"),
            "patients.csv, row 1: column 8 has no name",
        ),
        (
            HEAD.replace("stage", "Stage") + GOOD,
            "patients.csv, row 1: column stage is missing; datapackage.json describes it; did you "
            "mean Stage?",
        ),
        (
            GOOD * 2,
            "patients.csv, row 1: not a header; none of its cells is a column that "
            "datapackage.json describes",
        ),
    ],
)
def test_a_file_that_is_no_table_is_said_to_be_what_it_is(
    tmp_path: Path, data: bytes | str, line: str
) -> None:
    assert line in errors(table(tmp_path, data))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\n\n").encode(),
        lambda text: text.replace(",died", " , died").replace(",yes", ", yes ").encode(),
        lambda text: text.rstrip("\n").encode(),
    ],
    ids=["byte order mark", "Windows lines", "blank lines", "spaces", "no last line end"],
)
def test_what_is_harmless_is_accepted(tmp_path: Path, change) -> None:
    path = table(tmp_path, change(GOOD_TWO))
    assert errors(path) == []
    assert load(path).patients["died"].tolist() == ["no", "yes"]


def test_blank_lines_count_as_rows_of_the_file(tmp_path: Path) -> None:
    path = table(tmp_path, HEAD + "\n" + GOOD + "\n\nb,II,old,,,90,yes\n")
    (line,) = errors(path)
    assert line.startswith("patients.csv, row 6, column age: ")


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, monkeypatch) -> None:
    path = folder(tmp_path)
    monkeypatch.setattr(Path, "read_bytes", None)  # reading it would fill the memory
    with (path / "patients.csv").open("r+b") as file:
        file.truncate(2_000_000_000)
    for name in ("datapackage.json", "patients.csv"):
        monkeypatch.setattr(textfiles, "MOST_MEGABYTES", 50 if name == "patients.csv" else 0)
        _, (problem,) = textfiles.read_text(path / name)
        assert re.fullmatch(rf"{name}: found [\d,]+ MB, expected at most \d+ MB", str(problem))


@pytest.mark.parametrize(
    "named",
    ["../patients.csv", "/etc/passwd", "https://example.org/p.csv", "a/../../p.csv", "C:\\p.csv"],
)
def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, named: str) -> None:
    path = folder(tmp_path / "inside")
    (tmp_path / "patients.csv").write_text(GOOD_TWO)
    package = json.loads((path / "datapackage.json").read_text())
    package["resources"][0]["path"] = named
    (path / "datapackage.json").write_text(json.dumps(package))
    assert errors(path) == [
        f'datapackage.json, resources 1, path: found "{named}", expected a file within the '
        "folder, such as patients.csv"
    ]


def test_a_link_that_leaves_the_folder_is_refused(tmp_path: Path) -> None:
    path = folder(tmp_path / "inside")
    (path / "patients.csv").rename(tmp_path / "elsewhere.csv")
    try:
        os.symlink(tmp_path / "elsewhere.csv", path / "patients.csv")
    except OSError:
        pytest.skip("this system makes no links")
    assert errors(path) == [
        'datapackage.json, resources 1, path: found "patients.csv", expected a file within the '
        "folder, not a link that leads out of it"
    ]


def test_a_table_of_another_name_is_named_in_its_lines(tmp_path: Path) -> None:
    path = folder(tmp_path)
    (path / "patients.csv").rename(path / "cohort.csv")
    package = json.loads((path / "datapackage.json").read_text())
    package["resources"][0]["path"] = "cohort.csv"
    (path / "datapackage.json").write_text(json.dumps(package))
    assert errors(path) == []
    (path / "cohort.csv").write_text(HEAD)
    assert errors(path) == ["cohort.csv: no patients; expected a row each"]


# --- cells ---------------------------------------------------------------------------------------

DATE = (
    "expected a number of days from the one origin, not a date; `python -m analysis import` turns "
    "dates into days"
)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('b,I,50,,,"9,5",yes', 'column last_contact_day: found "9,5", expected a number, with a '
         "point for decimals; did you mean 9.5?"),
        ("b,I,50,NA,,90,yes", 'column response_day: found "NA", expected a number, with a point '
         "for decimals; leave a missing value blank"),
        ("b,I,50,1_0,,90,yes", 'column response_day: found "1_0", expected a number, with a point '
         "for decimals"),
        ("b,I,50,1e999,,90,yes", 'column response_day: found "1e999", expected a number, with a '
         "point for decimals"),
        ("b,I,50,-1,,90,yes", 'column response_day: found "-1", expected 0 or more'),
        ("b,I,50,,,90001,yes", 'column last_contact_day: found "90001", expected 36525 or less: '
         "36525 days are 100 years"),
        ("b,I,9e15,,,90,yes", 'column age: found "9e15", expected a number below 10^15, in a unit '
         "that makes it smaller"),
        ("b,I,50,,,2021-03-04,yes", f'column last_contact_day: found "2021-03-04", {DATE}'),
        ("b,I,50,04/03/21,,90,yes", f'column response_day: found "04/03/21", {DATE}'),
        ("b,I,50,4.3.2021,,90,yes", f'column response_day: found "4.3.2021", {DATE}'),
        ("b,I,50,4 March 2021,,90,yes", f'column response_day: found "4 March 2021", {DATE}'),
        ("b,I,50,2021-03-04 00:00:00,,90,yes", 'column response_day: found "2021-03-04 00:00:00", '
         + DATE),
        ("b,i,50,,,90,yes", 'column stage: found "i", expected one of I, II; did you mean "I"?'),
        ("b,I\u200b,50,,,90,yes", 'column stage: found "I\\u200b", expected one of I, II; did you '
         'mean "I"?'),
        ("b,I,50,,,90,Yes", 'column died: found "Yes", expected yes or no; did you mean "yes"?'),
        ("b,I,50,,,90,", 'column died: found "", expected a value'),
        ("b\a,I,50,,,90,yes", 'column patient_id: found "b\\x07", expected text without control '
         "characters"),
        ("b,I,50,91,,90,yes", "column response_day: found 91, expected a day not after "
         "last_contact_day"),
        ("b,I,50,60,59,90,yes", "column relapse_day: found 59, expected a day not before "
         "response_day"),
        ("a,I,50,,,90,yes", 'column patient_id: found "a", expected a value that no other row '
         "has"),
    ],
)  # fmt: skip
def test_a_bad_cell_has_its_line_and_keeps_its_value_private(
    tmp_path: Path, row: str, said: str
) -> None:
    path = table(tmp_path, HEAD + GOOD + row + "\n")
    assert errors(path) == [f"patients.csv, row 3, {said}"]
    column, _, rest = said.partition(": found ")
    expected = rest[rest.index("expected ") :].split("; did you")[0].split("; leave")[0]
    assert errors(path, private=True) == [f"patients.csv, row 3, {column}: {expected}"]


@pytest.mark.parametrize("name", ["mrd_response_day", "hsct_day", "last_assessment_day"])
def test_no_event_comes_after_the_last_contact(tmp_path: Path, name: str) -> None:
    fields = [field("patient_id"), field(name), field("last_contact_day"), field("died")]
    csv = f"patient_id,{name},last_contact_day,died\na,91,90,no\nb,90,90,yes\nc,,0,no\n"
    assert errors(folder(tmp_path, csv=csv, fields=fields)) == [
        f"patients.csv, row 2, column {name}: found 91, expected a day not after last_contact_day"
    ]


def test_the_dates_of_a_spreadsheet_are_known_by_their_size(tmp_path: Path) -> None:
    rows = "a,I,40,44259,,44300,no\nb,II,50,,,44280,yes\n"
    said = (
        "are; `python -m analysis import` turns dates into days",
        "expected days from the one origin; all are 20000 or more, as the dates of a spreadsheet ",
    )
    path = table(tmp_path, HEAD + rows)
    assert errors(path) == [
        f"patients.csv, column {name}: {said[1]}{said[0].replace('are;', f'are ({first});')}"
        for name, first in (
            ("response_day", "44259 is 2021-03-04"),
            ("last_contact_day", "44280 is 2021-03-25"),
        )
    ]
    assert not any("2021" in line for line in errors(path, private=True))
    mixed = errors(table(tmp_path, HEAD + rows + "c,I,40,,,300,no\n"))
    assert [line for line in mixed if "last_contact_day" in line] == [
        f'patients.csv, row {row}, column last_contact_day: found "{day}", expected 36525 or '
        f"less: 36525 days are 100 years; {day} is {date} in a spreadsheet"
        for row, day, date in ((2, 44300, "2021-04-14"), (3, 44280, "2021-03-25"))
    ]


def test_a_value_cannot_break_its_line_or_the_terminal(tmp_path: Path) -> None:
    bad = '"II\nforged.csv, row 1: \x1b[31m' + "x" * 500 + '"'
    lines = errors(table(tmp_path, HEAD + GOOD + f"b,{bad},50,,,90,yes\n"))
    assert lines and all(line.isprintable() and len(line) < 200 for line in lines)


def test_a_column_of_a_header_is_private_too(tmp_path: Path) -> None:
    """A table without a header has a patient in its place."""
    path = table(tmp_path, HEAD.replace(",age", ",age,Ann Smith") + GOOD.replace("40,", "40,1,"))
    assert errors(path) == [
        "patients.csv, row 1: column Ann Smith is not described in datapackage.json"
    ]
    assert errors(path, private=True) == [
        "patients.csv, row 1: column 4 is not described in datapackage.json"
    ]


# --- the package ---------------------------------------------------------------------------------

SIDES = {"numerator": ["I"], "denominator": ["II"]}
STAGE = {"column": "stage", "label": "S", "kind": "baseline", **SIDES}


@pytest.mark.parametrize(
    ("analysis", "line"),
    [
        (
            {"mnths": [12]},
            'analysis: found the key "mnths", expected one of time_origin, days_per_month, '
            "months, long_term_months, carry_forward_months, synthetic, population, treatment, "
            "abbreviations, number, unit, endpoints, repeated_events, compare, models, "
            "factors, characteristics; did you mean months?",
        ),
        (
            {"factors": [{**STAGE, "lable": "x"}]},
            'analysis.factors 1: found the key "lable", expected one of column, label, kind, '
            "numerator, denominator, among, before, reference, form, endpoints; did you mean "
            "label?",
        ),
        ({"months": [12, 12]}, "analysis.months: found a list, expected each entry once"),
        ({"months": [10**6]}, "analysis.months 1: found 1000000, expected 1200 or less"),
        (
            {"days_per_month": 1},
            "analysis.days_per_month: found 1, expected 28 or more",
        ),
        (
            {"factors": [{**STAGE, "column": "Stage"}]},
            'analysis.factors 1, column: found "Stage", expected a column that fields describes; '
            "did you mean stage?",
        ),
        (
            {"factors": [{**STAGE, "numerator": ["i"]}]},
            'analysis.factors 1, numerator: found "i", expected one of I, II; did you mean I?',
        ),
        (
            {"factors": [{**STAGE, "numerator": ["I", "II"]}]},
            'analysis.factors 1, column stage: found "II" on both sides, expected it in numerator '
            "or denominator",
        ),
        (
            {"factors": [{**STAGE, "denominator": ["II", "II"]}]},
            'analysis.factors 1, denominator: found "II" twice, expected it once',
        ),
        (
            {"factors": [{**STAGE, "column": "age", "numerator": ["old"], "denominator": [9]}]},
            'analysis.factors 1, numerator: found "old", expected a number, as the column has',
        ),
        (
            {"factors": [{**STAGE, "kind": "postbaseline"}]},
            "analysis.factors 1, column stage: found a column of text, expected a column of days, "
            "or type integer or number",
        ),
        (
            {"factors": [{**STAGE, "column": "died", "numerator": ["yes"], "denominator": ["no"]}]},
            "analysis.factors 1, column died: expected another column: this one holds the outcome, "
            "or who it is",
        ),
        (
            {"factors": [{**STAGE, "before": "relapse_day"}]},
            "analysis.factors 1, before: found it, expected it only where kind is postbaseline",
        ),
        (
            {
                "factors": [
                    {"column": "age", "label": "A", "kind": "postbaseline", "before": "stage"}
                ]
            },
            "analysis.factors 1, before: found a column of text, expected a column of days",
        ),
        (
            {"characteristics": [{"column": "patient_id", "kind": "baseline"}]},
            "analysis.characteristics 1, column: found patient_id, expected a column that "
            "describes patients",
        ),
        (
            {"population": "a\u0007b"},
            'analysis.population: found "a\\x07b", expected text without control characters',
        ),
        (
            {"population": "\ud800"},
            'analysis.population: found "\\ud800", expected text without control characters',
        ),
    ],
)
def test_a_wrong_analysis_has_its_line(tmp_path: Path, analysis: dict, line: str) -> None:
    assert f"datapackage.json, {line}" in errors(folder(tmp_path, analysis=analysis))


FIELDS = [field(name) for name in HEAD.strip().split(",")]


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ([*FIELDS, field("age")], "fields: age is described twice"),
        (
            [*FIELDS[:-1], field("Died")],
            "fields: the required column died is not described; did you mean Died?",
        ),
        ([*FIELDS, field("a|b")], "fields, a|b: found a name with one of | = :, expected none"),
        (
            [*FIELDS, field("patients")],
            "fields, patients: expected another name: the results have a row of this name",
        ),
        (
            [*FIELDS, field("x", enum=["1", 1])],
            'fields, x, enum: found "1" twice, expected it once',
        ),
        (
            [*FIELDS, field("x", enum=["a "])],
            'fields, x, enum: found "a ", expected no space at its ends',
        ),
        (
            [*FIELDS, field("x", "number", minimum=5, maximum=4)],
            "fields, x: found minimum 5, expected at most the maximum 4",
        ),
        (
            [*FIELDS, field("x", "colour")],
            'fields 8, type: found "colour", expected one of string, integer, number, boolean, any',
        ),
    ],
)
def test_a_wrong_field_has_its_line(tmp_path: Path, fields: list[dict], line: str) -> None:
    assert f"datapackage.json, {line}" in errors(folder(tmp_path, fields=fields))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"name": ', "row 1, column 10: not valid JSON: Expecting value"),
        ('{"name": NaN}', "not valid JSON: NaN is no number of JSON"),
        ("[" * 100_000, "not valid JSON: a number or a nesting is too large"),
        ("1" * 5000, "not valid JSON: a number or a nesting is too large"),
        ("[]", "found an empty list, expected an object"),
        ('{"name": "a", "name": "b"}', 'the key "name" stands twice in one object; keep one'),
    ],
    ids=["cut", "NaN", "deep", "long", "list", "twice"],
)
def test_a_package_that_is_none_has_its_line(tmp_path: Path, text: str, line: str) -> None:
    path = folder(tmp_path)
    (path / "datapackage.json").write_text(text)
    separator = ": " if line.startswith(("not", "the key", "found")) else ", "
    assert f"datapackage.json{separator}{line}" in errors(path)


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("sources", [1], "sources 1: found 1, expected an object"),
        ("contributors", "me", 'contributors: found "me", expected a list'),
        ("licenses", [{"title": 2}], "licenses 1, title: found 2, expected a text"),
    ],
)
def test_what_pages_read_of_a_package_has_its_form(tmp_path: Path, key, value, line) -> None:
    path = folder(tmp_path)
    package = json.loads((path / "datapackage.json").read_text())
    (path / "datapackage.json").write_text(json.dumps({**package, key: value}))
    assert errors(path) == [f"datapackage.json, {line}"]


def test_a_comment_may_stand_at_every_level(tmp_path: Path) -> None:
    path = folder(tmp_path, analysis={"factors": [STAGE]})
    package = json.loads((path / "datapackage.json").read_text())

    def commented(part):
        if isinstance(part, dict):
            return {"$comment": ["A\nword", "<b>"], **{k: commented(v) for k, v in part.items()}}
        return [commented(value) for value in part] if isinstance(part, list) else part

    package["analysis"]["characteristics"] = [{"column": "age", "kind": "baseline"}]
    (path / "datapackage.json").write_text(json.dumps(commented(package)))
    assert errors(path) == []
    assert load(path).factors[0].numerator == ("I",)


# --- one pass ------------------------------------------------------------------------------------


def test_package_table_days_and_print_are_checked_in_one_pass(tmp_path: Path) -> None:
    path = folder(
        tmp_path,
        csv=HEAD + GOOD + "b,III,50,95,,90,yes\nc,I,50\n",
        analysis={"colour": 1, "factors": [{**STAGE, "column": "grade"}]},
    )
    (path / "published.csv").write_text("page\nx\n")
    lines = errors(path)
    for start in (
        'datapackage.json, analysis: found the key "colour"',
        'datapackage.json, analysis.factors 1, column: found "grade"',
        'patients.csv, row 3, column stage: found "III"',
        "patients.csv, row 3, column response_day: found 95",
        "patients.csv, row 4: found 3 cells",
        "published.csv, row 1: found page",
    ):
        assert sum(line.startswith(start) for line in lines) == 1, start
    assert len(lines) == 6


def test_a_table_is_checked_without_a_package(tmp_path: Path) -> None:
    path = table(tmp_path, HEAD + GOOD + "b,III,50,95,,90,maybe\n")
    (path / "datapackage.json").write_text("{")
    assert [line.partition(":")[0] for line in errors(path)] == [
        "datapackage.json, row 1, column 2",
        "patients.csv, row 3, column died",
        "patients.csv, row 3, column response_day",
    ]


def test_a_problem_is_one_line_with_and_without_its_value() -> None:
    problem = Problem("patients.csv", 3, "risk", '"hihg"', "one of standard, high, Unknown")
    start = "patients.csv, row 3, column risk: "
    assert str(problem) == start + 'found "hihg", expected one of standard, high, Unknown'
    assert problem.line(private=True) == start + "expected one of standard, high, Unknown"


# --- warnings ------------------------------------------------------------------------------------


def rows(count: int, **cells: str) -> str:
    """A table of patients who differ, with the same cells in some columns."""
    made = []
    for number in range(count):
        row = {
            "patient_id": f"P{number}",
            "stage": "I" if number % 3 else "II",
            "age": str(40 + number % 30),
            "response_day": "30" if number % 2 else "",
            "relapse_day": "600" if number % 10 == 1 else "",
            "last_contact_day": str(1900 + number),
            "died": "yes" if number % 2 else "no",
        }
        made.append(",".join({**row, **cells}.values()))
    return HEAD + "\n".join(made) + "\n"


def warned(path: Path, private: bool = False) -> list[str]:
    report, lines = check(path, private)
    assert lines == [] and report[-1] == "no problem found"
    start = report.index("Warnings:") + 1 if "Warnings:" in report else len(report) - 1
    return [line.strip() for line in report[start:-1]]


def test_a_folder_in_which_nothing_is_weak_has_no_warning(tmp_path: Path) -> None:
    assert warned(folder(tmp_path, csv=rows(60), analysis={"factors": [STAGE]})) == []


PACKAGE = "datapackage.json, analysis"


@pytest.mark.parametrize(
    ("csv", "analysis", "line"),
    [
        (rows(19), {}, "patients.csv: fewer than 20 patients; every interval will be wide"),
        (rows(60, died="no"), {}, "patients.csv, column died: nobody died; survival stays at 100%"),
        (
            rows(60, died="yes"),
            {},
            "patients.csv, column died: everybody died; there is no follow-up without death to "
            "describe",
        ),
        (
            rows(60, response_day=""),
            {},
            "patients.csv, column response_day: blank in every row; if it was not recorded, leave "
            "the column out",
        ),
        (
            rows(60, response_day="", relapse_day="9"),
            {},
            "patients.csv, column relapse_day: 60 rows have a relapse and no response_day; no "
            "page counts that relapse",
        ),
        (
            rows(60, last_contact_day="900", relapse_day="900"),
            {},
            "patients.csv, column relapse_day: 30 rows have it on the last contact of the living; "
            "if it is the end of follow-up without the event, leave it blank",
        ),
        (
            rows(60, stage="I"),
            {},
            "patients.csv, column stage: no patient has II; the tables show 0",
        ),
        (
            rows(60, stage="I"),
            {"factors": [STAGE]},
            f"{PACKAGE}.factors 1, denominator: no patient has II",
        ),
        (
            rows(60, stage="I"),
            {"factors": [STAGE]},
            f"{PACKAGE}.factors 1, column stage: overall survival: every patient has the same "
            "value, or is on the same side; it has no hazard ratio there",
        ),
        (
            rows(60, age="50"),
            {"factors": [{"column": "age", "label": "A", "kind": "baseline"}]},
            f"{PACKAGE}.factors 1, column age: overall survival: every patient has the same "
            "value, or is on the same side; it has no hazard ratio there",
        ),
        (
            rows(60, response_day=""),
            {"factors": [{"column": "response_day", "label": "R", "kind": "postbaseline"}]},
            f"{PACKAGE}.factors 1, column response_day: overall survival: it comes to nobody; it "
            "has no hazard ratio there",
        ),
        (
            rows(30),
            {"factors": [STAGE, {"column": "age", "label": "A", "kind": "baseline"}]},
            f"{PACKAGE}.factors: overall survival: 15 events for 2 factors, fewer than 10 a "
            "factor; a model of all of them fits chance too",
        ),
        (
            rows(60, last_contact_day="700", died="no"),
            {"months": [12, 24]},
            f"{PACKAGE}.months: overall survival, relapse-free survival: nobody is followed to 24 "
            "months; there is no estimate",
        ),
        (
            rows(60, last_contact_day="700"),
            {"months": [12, 24, 36, 60], "carry_forward_months": 2},
            f"{PACKAGE}.months: overall survival: nobody is followed to 36 and 60 months; there is "
            "no estimate",
        ),
        (
            rows(60, last_contact_day="700"),
            {"months": [12, 24, 36, 60], "carry_forward_months": 2},
            f"{PACKAGE}.months: overall survival: nobody is followed to 24 months; the last value "
            "is carried forward",
        ),
        (
            rows(60, last_contact_day="700").replace(",700,", ",900,", 9),
            {"months": [12, 24]},
            f"{PACKAGE}.months: overall survival: fewer than 10 at risk (9 at 24 months); the "
            "estimate rests on few patients",
        ),
        (
            rows(60, died="no"),
            {"factors": [{"column": "age", "label": "A", "kind": "baseline", "among": "died"}]},
            "patients.csv, column died: it says yes for nobody, so age has nobody to count among",
        ),
        (
            rows(60, relapse_day=""),
            {
                "endpoints": [
                    {"name": "os", "title": "OS", "events": ["died"], "among": "relapse_day"},
                    {"name": "all", "title": "Survival", "events": ["died"]},
                ]
            },
            "patients.csv, column relapse_day: it says yes or gives a day for nobody, so nobody is "
            "asked in OS",
        ),
    ],
)
def test_what_weakens_a_book_is_a_warning(
    tmp_path: Path, csv: str, analysis: dict, line: str
) -> None:
    assert line in warned(folder(tmp_path, csv=csv, analysis=analysis))


def test_the_dead_who_are_censored_are_a_warning(tmp_path: Path) -> None:
    relapse = {"name": "free", "title": "Time to relapse", "events": ["relapse_day"]}
    said = "datapackage.json, analysis.endpoints: time to relapse: 24 died without"
    for more, count in ({}, 1), ({"competing": ["died"]}, 0):
        path = folder(tmp_path / str(count), csv=rows(60), analysis={"endpoints": [relapse | more]})
        assert sum(line.startswith(said) for line in warned(path)) == count


def test_a_curve_that_is_over_before_the_others_enter_is_a_warning(tmp_path: Path) -> None:
    entry = {"name": "os", "title": "Survival", "events": ["died"], "entry": "response_day"}
    first = "a,I,40,0,,20,yes\n" + "".join(f"p{n},I,{40 + n},30,,{900 + n},no\n" for n in range(30))
    lines = warned(folder(tmp_path, csv=HEAD + first, analysis={"endpoints": [entry]}))
    assert (
        "datapackage.json, analysis.endpoints: Survival: the curve comes to 0 with 1 at risk, "
        "before 30 more enter, and stays there; begin at a later day"
    ) in lines


@pytest.mark.parametrize(
    ("level", "title", "count"),
    [("PD", "", 20), ("Stable disease", "Best response", 20), ("PR", "", 0)],
)
def test_a_response_that_is_none_has_no_day(
    tmp_path: Path, level: str, title: str, count: int
) -> None:
    """Of 60 patients 40 have the level, and half of these a response_day."""
    name = "x" if title else "best_response"
    csv = rows(60).replace(",II,", ",CR,").replace(",I,", f",{level},").replace("stage", name)
    fields = [field(n) if n != "age" else field(n, "number") for n in csv.split("\n")[0].split(",")]
    fields[1] |= {"title": title or name}
    found = [
        line for line in warned(folder(tmp_path, csv=csv, fields=fields)) if "although" in line
    ]
    said = f"{name}: {count} rows have a response_day although it says that there was none"
    assert found == [f"patients.csv, column {said}"] * (count > 0)


@pytest.mark.parametrize("alive", [0, 1])
def test_past_a_curve_at_0_there_is_an_estimate(tmp_path: Path, alive: int) -> None:
    """All have died by then, or all but one."""
    dead = rows(60, last_contact_day="500", relapse_day="", died="yes")
    path = folder(tmp_path, csv=dead.replace("yes", "no", alive), analysis={"months": [12, 24, 36]})
    said = "datapackage.json, analysis.months: overall survival: nobody is followed to 24 and 36 "
    found = [line for line in warned(path) if "months" in line]
    assert found == [f"{said}months; there is no estimate"] * alive


FREE = [field(name) if name != "age" else field(name, "number") for name in HEAD.strip().split(",")]
ONE = "patients.csv, column patient_id: 1 of 60 look like "


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("P7,", "ann@example.org,", ONE + "addresses of e-mail; a book needs none, so use codes"),
        ("P7,", "Ann Smith,", ONE + "names of people; a book needs none, so use codes"),
        ("P7,", '"Smith, Ann",', ONE + "names of people; a book needs none, so use codes"),
        ("P7,", "1961-02-03,", ONE + "dates; a book needs none, so use codes"),
        ("P7,", "19610203,", ONE + "dates; a book needs none, so use codes"),
        ("P7,I,", "P7,3/2/1961,", "patients.csv, column stage: 1 of 60 look like dates; a book "
         "needs none, so leave the column out"),
        ("P7,I,", "P7,i,", 'patients.csv, column stage: the levels "I" and "i" differ only in '
         "case, spaces or invisible signs; make them one"),
        ("P7,I,", "P7,<script>x,", 'patients.csv, row 9, column stage: "<script>x" looks like '
         "markup; the pages show it as text"),
        ("P7,I,", "P7,=cmd|x,", 'patients.csv, row 9, column stage: "=cmd|x" looks like a formula '
         "of a spreadsheet; the pages show it as text"),
        ("P7,I,", "P7,@SUM(1),", 'patients.csv, row 9, column stage: "@SUM(1)" looks like a '
         "formula of a spreadsheet; the pages show it as text"),
        ("P7,I,", "P7,I\u200bX,", 'patients.csv, row 9, column stage: "I\\u200bX" holds invisible '
         "characters, so it may differ from what looks the same"),
    ],
)  # fmt: skip
def test_text_that_is_not_what_it_seems_is_a_warning(
    tmp_path: Path, old: str, new: str, line: str
) -> None:
    path = folder(tmp_path, csv=rows(60).replace(old, new, 1), fields=FREE)
    assert line in warned(path)
    value = new.removeprefix("P7,").removeprefix("I,").strip(',"')
    quotes = f'"{value}"' if len(value) < 3 else value
    assert not any(quotes in line for line in warned(path, private=True))


@pytest.mark.parametrize("level", ["-", "+", "-1.5", "+3", "≥2", ">5 to <10%", "2nd+", "AML M4"])
def test_common_levels_are_no_warning(tmp_path: Path, level: str) -> None:
    assert warned(folder(tmp_path, csv=rows(60).replace(",II,", f",{level},"), fields=FREE)) == []


# --- the commands --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["blinatumomab", "bmt", "myeloid"])
def test_the_report_of_a_shipped_dataset_says_what_the_book_will_show(name: str) -> None:
    report, lines = check(ROOT / "data" / name)
    data = load(f"data/{name}")
    assert lines == [] and report[-1] == "no problem found"
    assert report[1].startswith(f"{len(data.patients)} patients, {len(data.fields)} columns, ")
    deaths = data.patients["died"].eq("yes").sum()
    assert f"Overall survival: {len(data.patients)} patients, {deaths} with death" in report
    assert any(line.startswith("Median follow-up by reverse Kaplan–Meier: ") for line in report)
    lacking = next((line for line in report if line.startswith("Not recorded: ")), "")
    assert ("mrd_response_day" in lacking) == ("mrd_response_day" not in data.patients)


def test_the_report_names_the_pages_that_lack_something(tmp_path: Path) -> None:
    """After the lessons, and without the pages of columns that it never had."""
    lessons = {"Lesson 6": lambda data: data.require("Transplant", "hsct_day")}
    report, _ = check(folder(tmp_path, csv=rows(60)), lessons=lessons)
    lesson = next(line for line in report if line.startswith("  Lesson 6: Transplant cannot be "))
    page = "  Table 3: No factors can be compared: this dataset names none."
    assert report.index(lesson) < report.index(page)
    assert not any(line.startswith("  Figure") for line in report)


def test_check_writes_errors_and_report_apart(tmp_path: Path) -> None:
    path = table(tmp_path, HEAD + GOOD + "b,III,50,,,90,yes\n")
    done = command(ROOT, "check", path, "--private")
    assert (done.returncode, done.stdout) == (1, "1 problem\n")
    assert done.stderr == "patients.csv, row 3, column stage: expected one of I, II\n"
    good = command(ROOT, "check", table(tmp_path / "good", GOOD_TWO))
    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.endswith("\nno problem found\n") and "Warnings:" in good.stdout


@pytest.mark.parametrize("name", ["cohort", "Station 3 Ä", "漢字"])
def test_a_new_folder_lacks_patients_and_nothing_else(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    said = list(new(path))
    assert said[0] == f"{path} does not exist; it is made"
    assert any(line.startswith("3. make check DATASET=") for line in said)
    assert {file.name for file in path.iterdir()} == {"datapackage.json", "patients.csv"}
    assert errors(path) == ["patients.csv: no patients; expected a row each"]
    package = read_folder(path).package
    for part in (package, package["analysis"], package["analysis"]["factors"][0]):
        assert part["$comment"]
    cells = {"patient_id": "P1", "last_contact_day": "90", "died": "no"}
    header = (path / "patients.csv").read_text("utf-8").strip()
    row = ",".join(cells.get(name, "") for name in header.split(","))
    (path / "patients.csv").write_text(f"{header}\n{row}\n", "utf-8")
    assert errors(path) == []


@pytest.mark.parametrize("name", ["datapackage.json", "patients.csv"])
def test_a_folder_with_either_file_is_left_as_it_is(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    done = command(ROOT, "new", tmp_path)
    assert done.returncode == 1
    assert done.stderr == f"{tmp_path / name}: there already; nothing was written\n"
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"
