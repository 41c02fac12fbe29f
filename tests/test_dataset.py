"""Reading and checking a dataset folder: one clear line for each thing to mend."""

from __future__ import annotations

import json
import shutil
from contextlib import chdir, redirect_stdout
from io import StringIO
from pathlib import Path

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from inprocess import run

from analysis.dataset import cells, model
from analysis.dataset.checks import read_folder
from analysis.dataset.model import ROOT, NotRecorded, load, require_factor
from analysis.dataset.parquet import read_parquet
from analysis.dataset.problems import DataError


def field(name, kind="string", **constraints):
    return {"name": name, "type": kind, "constraints": constraints}


def folder(tmp_path, csv=None, fields=None, analysis=None, **package):
    """A small valid dataset, with one part replaced."""
    tmp_path.mkdir(exist_ok=True)
    columns = fields or [
        field("patient_id"),
        field("stage", enum=["I", "II"]),
        field("age", "integer", minimum=18),
        field("response_day", "integer"),
        field("relapse_day", "integer"),
        field("last_contact_day", "integer"),
        field("died", enum=["yes", "no"]),
    ]
    content = {
        "name": "small",
        "title": "Small",
        "resources": [{"name": "patients", "path": "patients.csv", "schema": {"fields": columns}}],
        "analysis": {"time_origin": "diagnosis", **(analysis or {})},
        **package,
    }
    (tmp_path / "datapackage.json").write_text(json.dumps(content), "utf-8")
    rows = csv or (
        "patient_id,stage,age,response_day,relapse_day,last_contact_day,died\n"
        "a,I,40,30,,400,no\n"
        "b,II,50,,,90,yes\n"
    )
    (tmp_path / "patients.csv").write_bytes(rows if isinstance(rows, bytes) else rows.encode())
    return tmp_path


def problems(path):
    with pytest.raises(DataError) as caught:
        load(path)
    return caught.value.problems


def test_a_good_folder_loads(tmp_path):
    data = load(folder(tmp_path))
    assert len(data.patients) == 2
    assert data.patients["age"].tolist() == [40, 50]
    assert pd.isna(data.patients.loc[1, "response_day"])
    assert data.settings.time_origin == "diagnosis"
    assert data.settings.days_per_month == 30.4375
    assert data.public is False
    assert data.published.empty


@pytest.mark.parametrize("name", ["blinatumomab", "bmt", "myeloid"])
def test_shipped_datasets_load(name):
    data = load(f"data/{name}")
    assert data.public
    assert data.factors
    assert data.characteristics


def test_the_default_characteristics_are_the_datasets_own_columns(tmp_path):
    data = load(folder(tmp_path))
    assert [entry.column for entry in data.characteristics] == ["stage", "age"]
    assert data.characteristics[0].levels == ("I", "II")


def test_a_blank_cell_is_missing_and_spaces_do_not_count(tmp_path):
    head = "patient_id,stage,age,response_day,relapse_day,last_contact_day,died\n"
    data = load(folder(tmp_path, csv=head + "a, I ,40, ,,400,no\n"))
    assert data.patients.loc[0, "stage"] == "I"
    assert pd.isna(data.patients.loc[0, "response_day"])


def test_a_byte_order_mark_is_no_problem(tmp_path):
    path = folder(tmp_path)
    text = (path / "patients.csv").read_bytes()
    (path / "patients.csv").write_bytes(b"\xef\xbb\xbf" + text)
    assert len(load(path).patients) == 2


HEAD = "patient_id,stage,age,response_day,relapse_day,last_contact_day,died\n"
GOOD = "a,I,40,30,,400,no\n"


@pytest.mark.parametrize(
    ("row", "column", "found", "expected"),
    [
        ("b,III,50,,,90,yes", "stage", '"III"', "one of I, II"),
        ("b,I,forty,,,90,yes", "age", '"forty"', "a number"),
        ("b,I,40.5,,,90,yes", "age", '"40.5"', "a whole number"),
        ("b,I,12,,,90,yes", "age", '"12"', "18 or more"),
        ("b,I,50,,,,yes", "last_contact_day", '""', "a value"),
        ("b,I,50,,,90,perhaps", "died", '"perhaps"', "yes or no"),
        ("b,I,50,-3,,90,yes", "response_day", '"-3"', "0 or more"),
        ("b,I,50,120,,90,yes", "response_day", "120", "not after last_contact_day"),
        ("b,I,50,60,40,90,yes", "relapse_day", "40", "not before response_day"),
        ("a,I,50,,,90,yes", "patient_id", '"a"', "no other row has"),
        ("b,I,50,,,inf,yes", "last_contact_day", '"inf"', "a number"),
        ('b,I,50,,,"9,5",yes', "last_contact_day", '"9,5"', "a point for decimals"),
    ],
)
def test_a_bad_value_is_named_with_row_and_column(tmp_path, row, column, found, expected):
    lines = problems(folder(tmp_path, csv=HEAD + GOOD + row + "\n"))
    line = next(line for line in lines if f"column {column}:" in line and expected in line)
    assert line.startswith("patients.csv, row 3, ")
    assert f"found {found}" in line


def test_all_problems_of_one_kind_come_in_one_pass(tmp_path):
    lines = problems(folder(tmp_path, csv=HEAD + "a,X,40,,,9,no\nb,I,old,,,9,no\n"))
    assert len(lines) == 2


def test_many_bad_rows_are_counted(tmp_path):
    rows = "".join(f"p{i},X,40,,,9,no\n" for i in range(50))
    lines = problems(folder(tmp_path, csv=HEAD + rows))
    assert len(lines) == 21
    assert "30 more rows" in lines[-1]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"csv": b""}, "empty"),
        ({"csv": HEAD}, "no patients"),
        ({"csv": HEAD.encode() + b"a,\xff,40,,,9,no\n"}, "row 2: not UTF-8"),
        ({"csv": HEAD.replace("stage,", "") + "a,40,,,9,no\n"}, "column stage is missing"),
        ({"csv": HEAD.replace("died", "died,x") + "a,I,40,,,9,no,1\n"}, "x is not described"),
        ({"analysis": {"time_origin": "d", "colour": 1}}, "colour"),
        ({"analysis": {"time_origin": ""}}, "time_origin"),
        ({"analysis": {"months": []}}, "months"),
        ({"analysis": {"factors": [{"column": "x", "label": "X", "kind": "baseline"}]}}, '"x"'),
        (
            {
                "analysis": {
                    "factors": [
                        {
                            "column": "stage",
                            "label": "Stage",
                            "kind": "baseline",
                            "numerator": ["IV"],
                            "denominator": ["I"],
                        }
                    ]
                }
            },
            'found "IV", expected one of I, II',
        ),
        (
            {"analysis": {"factors": [{"column": "stage", "label": "S", "kind": "baseline"}]}},
            "found a column of text",
        ),
        (
            {"analysis": {"characteristics": [{"column": "age", "kind": "baseline"}] * 2}},
            "found age twice",
        ),
        ({"fields": [field("patient_id"), field("died")]}, "last_contact_day"),
    ],
)
def test_a_bad_folder_is_refused_with_its_reason(tmp_path, change, words):
    if change.get("csv") == b"":
        path = folder(tmp_path)
        (path / "patients.csv").write_bytes(b"")
    else:
        path = folder(tmp_path, **change)
    assert any(words in line for line in problems(path))


def test_a_missing_folder_and_broken_json_are_said_plainly(tmp_path):
    assert "not found" in problems(tmp_path / "nowhere")[0]
    path = folder(tmp_path)
    (path / "datapackage.json").write_text('{"name": ', "utf-8")
    assert "not valid JSON" in problems(path)[0]


def test_what_is_not_recorded_is_said_in_a_sentence(tmp_path):
    data = load(folder(tmp_path))
    with pytest.raises(NotRecorded, match="has no column hsct_day"):
        data.require("Survival after transplant", "hsct_day")


PUBLISHED = "page,quantity,group,months,part,printed,place,note\n"


@pytest.mark.parametrize(
    ("row", "column", "expected"),
    [
        ("figure_1a,median,os,,estimate,NR,Abstract,", "printed", "a plain number"),
        ("figure_1a,median,os,,middle,7.5,Abstract,", "part", "one of estimate, lower, upper"),
        ("figure_1a,survival,os,two,estimate,7.5,Abstract,", "months", "a number of months"),
        ("figure_1a,survival,os,36,estimate,perhaps,Abstract,", "printed", "or yes or no"),
        (",survival,os,36,estimate,7.5,Abstract,", "page", "a page, such as figure_1a"),
        ("figure_1a,survival,os,24,estimate,23.4,Abstract,", "place", "no other row has"),
        ("figure_1a,given,os,36,estimate,7.5,Abstract,", "kind", "unavailable or given, as the"),
    ],
)
def test_a_bad_printed_number_is_named_with_row_and_column(tmp_path, row, column, expected):
    good = "figure_1a,survival,os,24,estimate,23.4,Abstract,\n"
    path = folder(tmp_path)
    (path / "published.csv").write_text(PUBLISHED + good + row + "\n", "utf-8")
    (line,) = problems(path)
    assert line.startswith(f"published.csv, row 3, column {column}: ")
    assert expected in line


def test_a_kind_that_is_none_is_named(tmp_path):
    path = folder(tmp_path)
    head = PUBLISHED.replace("note", "note,kind")
    good = "figure_1a,survival,os,24,estimate,23.4,Abstract,,emergent\n"
    bad = "figure_1a,survival,os,36,estimate,17.7,Abstract,,lucky\n"
    (path / "published.csv").write_text(head + good + bad, "utf-8")
    (line,) = problems(path)
    assert line == (
        'published.csv, row 3, column kind: found "lucky", expected one of calibrated, emergent, '
        "contradiction, unavailable, given, or blank"
    )


@pytest.mark.parametrize(
    ("row", "column", "expected"),
    [
        (",given,Dose,,estimate,40,Abstract,,Given", "kind", "one of calibrated"),
        (",given,Dose,,estimate,40,Abstract,,emergent", "kind", "unavailable or given, as the"),
        ("figure_1a,median,os,,estimate,7,Abstract,,unavailable", "quantity", "given, as the kind"),
        (",given,,,estimate,3,Abstract,,unavailable", "group", "what the number is"),
    ],
)
def test_what_is_only_listed_is_refused_in_one_line(tmp_path, row, column, expected):
    path = folder(tmp_path)
    (path / "published.csv").write_text(f"{PUBLISHED[:-1]},kind\n{row}\n", "utf-8")
    (line,) = problems(path)
    assert line.startswith(f"published.csv, row 2, column {column}: ") and expected in line


def test_other_columns_of_the_print_are_refused(tmp_path):
    path = folder(tmp_path)
    (path / "published.csv").write_text(PUBLISHED.replace("note", "note,colour"), "utf-8")
    (line,) = problems(path)
    assert line.startswith("published.csv, row 1: found ") and "colour" in line


def test_a_factor_that_no_dataset_has_is_refused_with_those_there_are() -> None:
    datasets = [load("data/bmt"), load("data/myeloid")]
    for column in ("", None, datasets[1].factors[0].column, "relapse_day"):
        require_factor(datasets, column)
    for column in ("nosuch", "patient_id", 3, ["age"]):
        with pytest.raises(DataError) as caught:
            require_factor(datasets, column)
        (line,) = caught.value.problems
        assert line.startswith(f"factor: found {column!r}, expected one of ")
        assert datasets[0].factors[0].column in line


def test_of_very_many_patients_the_same_are_drawn_each_time():
    whole, drawn = load("data/bmt"), load("data/bmt", most=60)
    assert (len(drawn.patients), drawn.drawn_from, whole.drawn_from) == (60, 137, 0)
    pd.testing.assert_frame_equal(drawn.patients, load("data/bmt", most=60).patients)
    places = whole.patients["patient_id"].isin(drawn.patients["patient_id"])
    pd.testing.assert_frame_equal(drawn.patients, whole.patients[places].reset_index(drop=True))
    assert load("data/bmt", most=137).drawn_from == 0


def test_a_dataset_that_is_kept_is_not_read_again_until_it_changes(tmp_path, monkeypatch):
    place = folder(tmp_path)
    monkeypatch.setattr(model, "_KEPT", {})
    model.keep(place)
    asked = []
    monkeypatch.setattr(model, "read_folder", lambda path: asked.append(path) or read_folder(path))
    assert load(place, mask_below=5).mask_below == 5
    assert not asked
    table = place / "patients.csv"
    table.write_text(table.read_text().replace("\n", "\n\n", 1))  # a blank row changes no patient
    pd.testing.assert_frame_equal(load(place).patients, model._KEPT[place][1].patients)
    assert asked


def as_parquet(tmp_path, change=lambda patients: patients):
    """A shipped dataset whose table is Parquet, typed as pandas reads it."""
    place = Path(shutil.copytree(ROOT / "data" / "bmt", tmp_path / "bmt"))
    change(pd.read_csv(place / "patients.csv")).to_parquet(place / "patients.parquet")
    (place / "patients.csv").unlink()
    package = json.loads((place / "datapackage.json").read_text("utf-8"))
    package["resources"][0]["path"] = "patients.parquet"
    (place / "datapackage.json").write_text(json.dumps(package), "utf-8")
    return place


def refused_parquet(tmp_path, change) -> str:
    with pytest.raises(DataError) as error:
        load(as_parquet(tmp_path, change))
    return str(error.value)


def test_a_table_in_parquet_is_the_same_dataset(tmp_path):
    found = load(as_parquet(tmp_path)).patients
    pd.testing.assert_frame_equal(found, load("data/bmt").patients)


def test_a_truth_in_parquet_is_yes_or_no(tmp_path):
    place = as_parquet(tmp_path, lambda patients: patients.assign(died=patients["died"] == "yes"))
    pd.testing.assert_series_equal(load(place).patients["died"], load("data/bmt").patients["died"])


@pytest.mark.parametrize("truth", [False, True])
def test_plain_code_reads_the_table_that_a_dataset_has(tmp_path, truth):
    """And gives the number of the page, also where yes and no are a truth in Parquet."""
    place = as_parquet(tmp_path, lambda patients: (
        patients.assign(died=patients["died"] == "yes") if truth else patients
    ))  # fmt: skip
    shown = run("figure_1a", place, tmp_path / "results").text
    code = BeautifulSoup(shown, "html.parser").select_one("details.plain-code")
    said = code.select_one("pre.plain-output").get_text()
    assert 'pd.read_parquet("patients.parquet")' in code.get_text()
    assert "patients.csv" not in code.get_text() and "21.1" in said
    # What is shown is what a reader can run beside the file itself.
    printed = StringIO()
    with chdir(place), redirect_stdout(printed):
        exec(compile(code.select_one(".highlight pre").get_text(), "<shown>", "exec"), {})
    assert printed.getvalue().strip() == said.strip()


def test_what_is_wrong_in_parquet_is_named_by_row_and_column(tmp_path):
    def wrong(patients):
        dates = pd.Timestamp("2021-03-04") + pd.to_timedelta(patients["relapse_day"], "D")
        return patients.assign(relapse_day=dates.dt.date, died=patients["died"].replace("no", "No"))

    said = refused_parquet(tmp_path, wrong)
    assert 'patients.parquet, row 1, column died: found "No", expected yes or no' in said
    assert "expected a number of days from the one origin, not a date" in said


def test_what_is_no_parquet_is_said_so(tmp_path):
    place = as_parquet(tmp_path)
    (place / "patients.parquet").write_bytes(b"PAR1 and no more")
    with pytest.raises(DataError, match="patients.parquet: cannot be read as Parquet: "):
        load(place)


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1, x \n2,y\n",
        "a,b\r\n1,x\r\n,\r\n2,\r\n",
        "\n\na,b\n1,x\n",
        "a,b\n\n1,x\n",
        "a,a,\n1,2,3\n",
        'a,b\n"1,5",x\n',
        "a,b\n1,x,3\n2,y\n",
        "a,b\n1\n",
        "a,b\n",
        "a,b\n1,x\n \n",
        "a,b\n1,x\n , \n",
        "a,b\nNA,null\n,nan\n",
        "a,b\n1,x\rz\n",
        "a,b\n1,x\x00\n",
        "é,ß\n1,\u2028\n",
        "1\n",
        "",
    ],
)
def test_a_large_text_is_read_as_a_small_one(tmp_path, monkeypatch, text):
    path = tmp_path / "patients.csv"
    path.write_bytes(text.encode())
    read = []
    for many in (0, 10**9):
        monkeypatch.setattr(cells, "MANY", many)
        found = cells.read_table(path)
        if isinstance(found, list):
            read.append((found, None))
        else:
            rows = found.cells.astype(object)
            rows = (rows.index.tolist(), rows.columns.tolist(), rows.to_numpy().tolist())
            read.append((found.problems, (found.header_row, *rows)))
    assert read[0] == read[1]


def test_columns_of_parquet_that_are_no_table_of_cells_are_named(tmp_path):
    def wrong(patients):
        return patients.assign(listed=[[1]] * len(patients), coded=b"ALL")

    said = refused_parquet(tmp_path, wrong)
    assert "column listed: found list<element: int64>, expected text, numbers" in said
    assert "column coded: found binary, expected text, numbers" in said


def test_a_short_float_of_parquet_has_its_own_digits(tmp_path):
    path = tmp_path / "patients.parquet"
    pd.DataFrame({"share": [0.1, None]}, dtype="float32").to_parquet(path)
    assert read_parquet(path).cells["share"].tolist() == ["0.1", ""]
