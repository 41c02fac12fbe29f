"""Time as the study tells it: one dataset in days, weeks, months and years."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from inprocess import run
from test_any_study import COMPETES, FACTORS, FAILS, implants, study

from analysis.dataset.model import Settings, load
from analysis.page.formats import at_time, clock, lasting
from analysis.page.units import tell_time_of, unit_of
from analysis.study.curves import ticks

SETTINGS = Settings("operation")
YEAR = 365.25 / 30.4375


@pytest.fixture
def told_in():
    """Sets the unit in which time is told; months again after the test."""
    yield lambda unit, months=(12, 60): tell_time_of(replace(SETTINGS, unit=unit, months=months))
    tell_time_of(SETTINGS)


@pytest.mark.parametrize(
    ("unit", "landmarks", "said", "found"),
    [
        ("months", (12, 24), "12 and 24 months", "7.5 months"),
        ("months", (1,), "1 month", "7.5 months"),
        ("years", (12, 60), "1 and 5 years", "0.63 years"),
        ("years", (12,), "1 year", "0.63 years"),
        ("years", (3, 360), "0.25 and 30 years", "0.6 years"),
        ("weeks", (12 * 7 / 30.4375, 52 * 7 / 30.4375), "12 and 52 weeks", "32.6 weeks"),
        ("days", (1 / 30.4375, 3 / 30.4375), "1 and 3 days", "228.28 days"),
        ("days", (YEAR, 2 * YEAR), "365 and 730 days", "228 days"),
    ],
)
def test_a_landmark_and_a_duration_are_told_in_the_unit(told_in, unit, landmarks, said, found):
    told_in(unit, landmarks)
    assert at_time(*landmarks) == said
    assert lasting(7.5) == found


def test_one_landmark_is_a_number_alone_under_its_heading(told_in):
    told_in("years")
    assert [clock(month) for month in (6, 12, 35)] == ["0.5", "1", "2.92"]


@pytest.mark.parametrize(
    ("unit", "last", "axis"),
    [
        ("days", 3 / 30.4375, [0, 0.5, 1, 1.5, 2, 2.5, 3]),
        ("days", 28 / 30.4375, [0, 7, 14, 21, 28]),
        ("weeks", 52 * 7 / 30.4375, [0, 13, 26, 39, 52]),
        ("months", 59.5, [0, 12, 24, 36, 48, 60]),
        ("years", 36, [0, 0.5, 1, 1.5, 2, 2.5, 3]),
        ("years", 360, [0, 5, 10, 15, 20, 25, 30]),
    ],
)
def test_an_axis_has_ticks_that_suit_three_days_and_thirty_years(tmp_path, unit, last, axis):
    data = load(str(study(tmp_path / "data", implants(20), unit=unit, endpoints=[FAILS])))
    found = np.array(ticks(data, [last])) / unit_of(data.settings).months
    assert found == pytest.approx(axis)


@pytest.fixture(scope="module")
def of_units(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One study in each unit, with the same landmarks."""
    made = {}
    for unit in ("days", "weeks", "months", "years"):
        place = tmp_path_factory.mktemp(unit) / "data"
        known = {"endpoints": [FAILS, COMPETES], "factors": FACTORS, "unit": unit}
        made[unit] = study(place, implants(60), **known)
    return made


@pytest.mark.parametrize("name", ["failure", "loosening", "states", "table_3", "data"])
def test_a_page_tells_time_in_the_unit_and_keeps_its_results(of_units, tmp_path, name):
    shown = {unit: run(name, made, tmp_path / unit) for unit, made in of_units.items()}
    ticked = ["at_risk", "censored", "survival", "cumulative_incidence", "one_minus_survival",
              "state_occupation"]  # fmt: skip
    results = shown["months"].numbers
    for unit, page in shown.items():
        said = " ".join(output.get("text/plain", "") for output in page.shown)
        for other in {"weeks", "months", "years"} - {unit}:
            assert name == "data" or not re.search(rf"(?<!patient-){other}\b", said, re.I), unit
        numbers = page.numbers
        both = [rows[~rows["quantity"].isin(ticked) | rows["months"].isin([12, 24, 36])]
                for rows in (results, numbers)]  # fmt: skip
        pd.testing.assert_frame_equal(*(rows.reset_index(drop=True) for rows in both))
    assert " at 1 year" in shown["years"].text or name in ("states", "table_3", "data")


def test_a_chart_in_years_has_its_data_in_months_and_its_axis_in_years(of_units, tmp_path):
    html = next(o["text/html"] for o in run("failure", of_units["years"], tmp_path).shown
                if "chart-spec" in o.get("text/html", ""))  # fmt: skip
    spec = json.loads(html.partition('class="chart-spec">')[2].partition("</script>")[0])
    (axis,) = {json.dumps(layer["encoding"]["x"], sort_keys=True) for layer in spec["layer"]
               if layer["encoding"].get("x", {}).get("field") == "month"}  # fmt: skip
    x = json.loads(axis)
    assert x["title"] == "Years since operation"
    assert x["axis"]["labelExpr"] == "'' + round(datum.value / 12 * 100) / 100"
    assert x["axis"]["values"][:3] == [0, 6, 12]


def test_a_printed_time_is_in_the_unit_too(of_units, tmp_path):
    made = tmp_path / "data"
    made.mkdir()
    for file in of_units["years"].iterdir():
        (made / file.name).write_bytes(file.read_bytes())
    median = run("failure", made, tmp_path / "first").numbers.query("quantity == 'median'")
    printed = f"{median['estimate'].iloc[0] / 12:.2f}"
    head = "page,quantity,group,months,part,printed,place,note,kind\n"
    line = f"failure,median,failure,,estimate,{printed},Abstract,,emergent\n"
    (made / "published.csv").write_text(head + line, "utf-8")
    table = run("failure", made, tmp_path / "again").table("Printed")
    assert any("Median, years" in line[0] and printed in line[1] for line in table)
