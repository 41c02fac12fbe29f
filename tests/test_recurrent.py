"""Events that come again: their table, their estimators, their page; and counts and bounds.

The page of the shipped study is held to R in test_studies.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from inprocess import run
from scipy import stats

from analysis import survival as est
from analysis.dataset.model import ROOT, DataError, NotRecorded, load
from analysis.page.contents import places
from analysis.page.published import _as_printed
from analysis.study.recurrent import counted_events

STUDY = ROOT / "data" / "cgd"


def by_definition(time: np.ndarray, patient: np.ndarray, day: np.ndarray) -> pd.DataFrame:
    """The mean and its robust error, each patient's part added up at each time by itself."""
    times = np.unique([0, *time, *day])
    at_risk = (time >= times[:, None]).sum(axis=1)
    growth = np.array([(day == t).sum() for t in times]) / at_risk
    own = np.array([[((day == t) & (patient == i)).sum() for t in times] for i in range(len(time))])
    parts = (own - (time[:, None] >= times) * growth) / at_risk
    error = np.sqrt((parts.cumsum(axis=1) ** 2).sum(axis=0))
    return pd.DataFrame({"mean_count": growth.cumsum(), "se": error}, pd.Index(times, name="time"))


def test_the_mean_number_of_events_is_its_definition():
    rng = np.random.default_rng(5)
    time = rng.integers(5, 30, 40).astype(float)
    patient = rng.integers(0, 40, 90)
    day = np.ceil(rng.random(90) * time[patient])
    found = est.mean_count(time, patient, day)
    expected = by_definition(time, patient, day)
    pd.testing.assert_frame_equal(found[["mean_count", "se"]], expected, check_dtype=False)
    assert found["events"].sum() == 90 and found["censored"].sum() == 40
    assert found.loc[0, ["lower", "upper"]].isna().all()
    after = est.at(found, [found.index[-1] + 1])
    assert after["mean_count"].isna().all()  # nobody knows what comes after the end


def test_a_rate_without_events_has_no_ratio():
    none, some = est.recurrent_rate([2, 3], [0, 0]), est.recurrent_rate([2, 3], [1, 0])
    assert (none.estimate, none.events, some.estimate) == (0, 0, 0.2)
    assert np.isnan(none.limits).all() and np.isnan(est.rate_ratio(none, some).estimate)


def test_counts_are_tested_as_tables():
    rng = np.random.default_rng(2)
    group, event = rng.choice(["a", "b", "c"], 80), rng.random(80) < 0.4
    table = pd.crosstab(group, event)
    expected = stats.chi2_contingency(table, correction=False)
    found = est.count_test(event, group)
    assert (found.chi2, found.df) == (pytest.approx(expected.statistic), 2)
    # In strata that each hold one patient nobody is compared.
    assert np.isnan(est.count_test(event, group, np.arange(80)).p)


def changed(folder: Path, rows: list[str], **declared: object) -> list[str]:
    """What is wrong with the shipped study, with further rows of events, or declared otherwise."""
    made = Path(shutil.copytree(STUDY, folder / "study"))
    with (made / "infections.csv").open("a", encoding="utf-8") as table:
        table.writelines(f"{row}\n" for row in rows)
    package = json.loads((made / "datapackage.json").read_text("utf-8"))
    package["analysis"]["repeated_events"][0] |= declared
    (made / "datapackage.json").write_text(json.dumps(package), "utf-8")
    with pytest.raises(DataError) as error:
        load(made)
    return error.value.problems


def test_each_wrong_event_is_told_with_its_place(tmp_path):
    rows = ["I999,1,5", "I001,3,219", "I002,2,0", "I003,1,9999", "I004,1,", "I005,1,2021-03-04"]
    lines = changed(tmp_path, rows)
    assert [line.removeprefix("infections.csv, row ") for line in lines] == [
        '82, column day: found "", expected a value',
        '83, column day: found "2021-03-04", expected a number of days from the one origin, not a '
        "date; `python -m analysis import` turns dates into days",
        '80, column day: found "0", expected a day after day 0, on which nobody is at risk yet',
        '79, column day: found "219", expected one row for all that comes to a patient on a day',
        '78, column patient_id: found "I999", expected a patient of the first table; '
        "did you mean I099?",
        '81, column day: found "9999", expected a day not after last_contact_day of the patient',
    ]


@pytest.mark.parametrize(
    ("declared", "line"),
    [
        (
            {"table": "infection"},
            'table: found "infection", expected the name of a resource after the first, as of a '
            "table of events; did you mean infections?",
        ),
        (
            {"table": "first_infection"},
            'table: found "first_infection", expected another name: the book has a page of this '
            "name",
        ),
        (
            {"name": "infections"},
            'found the key "name", expected one of table, title, event, day',
        ),
    ],
)
def test_a_wrong_declaration_is_told(tmp_path, declared, line):
    place = "datapackage.json, analysis.repeated_events 1"
    first, *_ = changed(tmp_path, [], **declared)
    assert first in (f"{place}, {line}", f"{place}: {line}")


def test_a_day_that_is_not_described_is_told(tmp_path):
    (line,) = changed(tmp_path, [], day="date")
    assert line == (
        "datapackage.json, resources 2, fields: the column date is not described; each event has it"
    )


def test_only_a_dataset_with_such_a_table_has_the_page():
    assert "infections" in [place.name for place in places(load("data/cgd"))]
    paper = load("data/blinatumomab")
    assert not {"recurrent", "infections"} & {place.name for place in places(paper)}
    with pytest.raises(NotRecorded, match="no table of events that come again"):
        counted_events(paper, "infections")


def test_the_page_without_groups_speaks_of_all(tmp_path):
    page = run("infections", "data/cgd", tmp_path, by="")
    assert "of a patient by 9 months: " in page.text
    assert not page.numbers["group"].str.contains("|", regex=False).any()


def test_few_events_are_masked_and_not_given_back(tmp_path):
    numbers = run("infections", "data/cgd", tmp_path, mask_below=8).numbers
    assert not numbers["events"].isin(range(1, 8)).any()
    # Patients with one event, two and so on would give back each other.
    assert not numbers["group"].str.startswith("infections=").any()
    few = numbers[numbers["quantity"].eq("mean_count") & numbers["months"].eq(3)]
    assert few.set_index("group")["events"].isna().sum() == 2  # or the other is all less it


@pytest.mark.parametrize(
    ("printed", "value", "recomputed"),
    [
        ("<0.0001", 0.00005, "<0.0001"),
        ("<0.0001", 0.0001, "0.00010"),
        ("<.001", 0.0123, ".0123"),
        (">0.99", 0.995, ">0.99"),
        (">0.99", 0.5, "0.500"),
    ],
)
def test_a_printed_bound_comes_out_where_the_number_lies_within(printed, value, recomputed):
    row = {"quantity": "p_logrank", "part": "estimate", "estimate": value, "printed": printed}
    assert _as_printed(pd.Series(row)) == recomputed
