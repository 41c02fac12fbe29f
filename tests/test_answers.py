"""What a page of a curve says first, and the marks by which its curve says the same."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest
from inprocess import results_of, showing
from short_follow_up import dataset, patients

from analysis import survival
from analysis.dataset.endpoints import endpoint
from analysis.dataset.model import load
from analysis.page.groups import competing
from analysis.study.curves import last_firm, survival_results
from analysis.study.figures import few_from, survival_figure
from analysis.study.sentences import answer


@pytest.fixture(scope="module")
def paper():
    return load("data/blinatumomab")


def told(data, name: str, rows: pd.DataFrame) -> str:
    return answer(showing(data, rows), endpoint(data, name)).plain.strip("*.")


def curve_of(question) -> pd.DataFrame:
    return survival.survival_curve(question.time, question.observed, question.entry)


def rows_of(data, name: str = "os") -> pd.DataFrame:
    question = endpoint(data, name)
    return survival_results(data, question, curve_of(question))


def test_the_answer_is_the_median_and_the_last_share_that_enough_are_under(paper):
    rows = results_of("data/blinatumomab")
    assert told(paper, "os", rows["figure_1a"]) == (
        "Half had died by 7.5 months (95% CI, 5.5–8.5); "
        "at 36 months 17.7% (95% CI, 13.2–22.7) were alive"  # 28 of 259 are followed, then 10
    )
    half, late = told(paper, "rfs", rows["figure_1b"]).split("; ")
    assert half.startswith("In half of the patients relapse or death had come by 7.7 months")
    # Nine of 123 are followed to 36 months, and a tenth would be thirteen.
    assert late.startswith("at 24 months") and late.endswith("were without relapse or death")
    one = told(paper, "relapse", rows["figure_1d"])
    assert one.startswith("By 24 months relapse had come first in 56.7%")
    assert ", death without relapse in 16.4%" in one


@pytest.mark.parametrize("dead", [0.2, 0.9], ids=["few", "most"])
def test_what_is_not_reached_is_not_told(tmp_path, dead: float):
    data = load(str(dataset(tmp_path / "made", patients(600, dead), months=[12, 24])))
    said = told(data, "os", rows_of(data))
    assert said.startswith("At 12 months") and "24 months" not in said
    # A median after that landmark is said after it.
    assert ("; half had died by 12.4 months" in said) == (dead > 0.5)


def test_nothing_is_told_of_nothing(paper):
    rows = rows_of(paper)
    rows[["estimate", "lower", "upper"]] = np.nan
    page = showing(paper, rows)
    assert answer(page, endpoint(paper, "os")) is None
    assert last_firm(page, "survival", "os") == (None, False)


def test_a_competing_event_has_the_name_of_its_group(paper):
    assert competing(endpoint(paper, "relapse")) == "death"


@pytest.mark.parametrize("mask_below", [0, 40])
def test_a_curve_is_faint_from_where_few_are_followed(paper, mask_below: int):
    data = dataclasses.replace(paper, mask_below=mask_below)
    curve = curve_of(endpoint(data, "os"))
    least = max(10, 259 / 10, mask_below)
    month = few_from(data, curve)
    there = curve["at_risk"][[data.months(day) >= month for day in curve.index]]
    before = curve["at_risk"][[data.months(day) < month for day in curve.index]]
    assert there.max() < least <= before.min()


def test_who_enters_late_does_not_make_a_curve_faint(paper):
    at_risk = [2, 30, 60, 40, 8]
    curve = pd.DataFrame({"at_risk": at_risk}, index=[0, 100, 200, 300, 400])
    assert few_from(paper, curve) == paper.months(400)
    assert few_from(paper, curve[:4]) == np.inf


def data_of(chart) -> Iterator[dict]:
    for rows in chart.to_dict(validate=False)["datasets"].values():
        yield from rows


def test_the_tail_and_the_median_are_drawn_as_they_are_told(paper):
    question = endpoint(paper, "os")
    curve = curve_of(question)
    figure = survival_figure(showing(paper, rows_of(paper)), question, curve, "")
    rows = list(data_of(figure.chart))
    steps = [row for row in rows if "few" in row]
    faint = [row["month"] for row in steps if row["few"]]
    firm = [row["month"] for row in steps if not row["few"]]
    assert faint[0] == firm[-1]  # the tail begins where the rest ends
    assert faint[1] == pytest.approx(few_from(paper, curve), abs=1e-3)
    assert sum(row["censored"] for row in steps) == curve["censored"].sum()  # none is drawn twice
    assert {row["median"] for row in rows if "half" in row and row["median"]} == {7.5}
    assert [row["text"] for row in rows if "foot" in row] == ["7.5"]
    assert "Dashed: the median. Faint: where fewer than 10, or than a tenth, are followed." in (
        figure.caption
    )
