"""Each conclusion depends on the run: every outcome of every rule occurs, and its opposite too."""

from __future__ import annotations

import inspect
import re
import typing

import numpy as np
import pandas as pd
import pytest
from inprocess import changed, run, showing

from analysis.dataset.model import load
from analysis.study import conclusions
from analysis.study.sentences import end_called, median_told, plateau_bounds

NONE = np.nan


def row(estimate: float, lower: float = NONE, upper: float = NONE) -> dict[str, float]:
    return {"estimate": estimate, "lower": lower, "upper": upper}


# The outcome that each rule must have for some numbers.
CASES = [
    ("plateau", (12, 0, 0.0, 0.31), "eventless"),
    ("plateau", (400, 9, 0.010, 0.049), "flat"),
    ("plateau", (400, 0, 0.0, 0.009), "flat"),
    ("plateau", (179, 47, 0.070, 0.126), "falling"),
    ("plateau", (45, 1, 0.0003, 0.072), "open"),
    ("coming", (0.02, 0.011), "coming"),
    ("coming", (0.02, 0.010), "fewer"),
    ("coming", (0.0, 0.0), "fewer"),
    ("coming", (NONE, 0.010), "unknown"),
    ("plateau", (0, 0, NONE, NONE), "nobody"),
    ("plateau", (NONE, NONE, NONE, NONE), "unknown"),
    ("plateau", (12, NONE, NONE, NONE), "unknown"),
    ("differ", (0.049,), "differ"),
    ("differ", (0.05,), "not_told_apart"),
    ("differ", (NONE,), "unknown"),
    ("against", (row(2, 1.1, 4), 1), "above"),
    ("against", (row(0.5, 0.3, 0.9), 1), "below"),
    ("against", (row(1.3, 0.9, 1.9), 1), "open"),
    ("against", (row(0.0), 0), "unknown"),
    ("two_ratios", (row(2, 1.5, 3), row(0.5, 0.3, 0.9), 0.001), "opposite"),
    ("two_ratios", (row(0.5, 0.3, 0.9), row(2, 1.5, 3), 0.001), "opposite"),
    # 2.38 against 0.66: the intervals overlap, the contrast is clear, and the late side is open.
    ("two_ratios", (row(2.38, 1.30, 4.37), row(0.66, 0.27, 1.57), 0.018), "changed"),
    ("two_ratios", (row(1.5, 1.2, 1.8), row(3, 2.5, 3.6), 0.001), "changed"),
    ("two_ratios", (row(1.04, 0.5, 2), row(0.5, 0.2, 1.2), 0.18), "not_told_apart"),
    ("two_ratios", (row(NONE), row(1.3, 0.9, 1.9), NONE), "unknown"),
    ("moved", (row(0.6, 0.4, 0.9), row(1.6, 1.2, 2.1)), "turned"),
    ("moved", (row(0.97, 0.48, 1.98), row(1.87, 0.84, 4.19)), "crossed"),
    ("moved", (row(0.99), row(1.01)), "crossed"),
    ("moved", (row(0.6, 0.4, 0.9), row(1.6, 0.9, 2.1)), "crossed"),
    ("moved", (row(0.6, 0.4, 1.1), row(1.6, 1.2, 2.1)), "crossed"),
    ("moved", (row(0.4), row(0.6)), "higher"),
    ("moved", (row(1.2), row(1.6)), "higher"),
    ("moved", (row(0.6), row(0.598)), "same"),
    ("moved", (row(0.6), row(0.59)), "not_higher"),
    ("moved", (row(1.6), row(0.6)), "not_higher"),
    ("moved", (row(NONE), row(0.6)), "unknown"),
    ("kept_for_chance", (6, 10), "most"),
    ("kept_for_chance", (5, 10), "not_most"),
    ("kept_for_chance", (0, 0), "unknown"),
    ("calibration", (0.81,), "lost"),
    ("calibration", (0.996,), "nothing_lost"),
    ("calibration", (1.1,), "nothing_lost"),
    ("calibration", (NONE,), "unknown"),
    ("follow_up", (3,), "long_enough"),
    ("follow_up", (2,), "not_shown"),
    ("follow_up", (0,), "not_shown"),
    ("follow_up", (NONE,), "unknown"),
    ("end_of_curve", (8, 20, 0.4), "followed"),
    ("end_of_curve", (0, 20, 0.0), "nobody_left"),
    ("end_of_curve", (0, 15, 0.5), "left_on_its_day"),
    ("end_of_curve", (30, 0, 1.0), "eventless"),
    ("end_of_curve", (NONE, NONE, 0.4), "unknown"),
    ("beside_the_dead", (18, 5), "beside"),
    ("beside_the_dead", (18, 18), "alone"),
    ("beside_the_dead", (18, 0), "nobody"),
    ("beside_the_dead", (0, 0), "nobody"),
    ("beside_the_dead", (18, NONE), "unknown"),
    ("waiting", (0.02,), "few"),
    ("waiting", (0.4,), "some"),
    ("waiting", (NONE,), "unknown"),
    ("cured_share", (row(0.3, 0.2, 0.4), 0.35), "estimate"),
    ("cured_share", (row(0.3, 0.27, 0.4), 0.25), "above_curve"),
    ("cured_share", (row(0.484, 0.44, 0.528), 0.483), "at_curve"),
    ("cured_share", (row(0.137, 0.007, 0.777), 0.35), "open"),
    ("cured_share", (row(0.4), 0.35), "open"),
    ("cured_share", (row(0.0), 0.35), "nobody"),
    ("cured_share", (row(NONE), 0.35), "unknown"),
    ("beside", (0.3, 0.1, 0.2), "above"),
    ("beside", (0.2, 0.1, 0.2), "within"),
    ("beside", (0.0, 0.1, 0.2), "below"),
    ("beside", (NONE, 0.1, 0.2), "unknown"),
    ("beside_median", (6, 11.0, 18.9), "before"),
    ("beside_median", (6, NONE, NONE), "before"),
    ("beside_median", (11.0, 11.0, 18.9), "within"),
    ("beside_median", (99, 11.0, NONE), "within"),
    ("beside_median", (18.9, 11.0, 18.9), "after"),
    ("beside_median", (NONE, 11.0, 18.9), "unknown"),
    ("follow_ups", (7.5, 30.0), "shorter"),
    ("follow_ups", (30.0, 30.0), "alike"),
    ("follow_ups", (30.0, 29.0), "alike"),
    ("follow_ups", (7.5, NONE), "unknown"),
    ("explained", (10, -2), "mostly"),
    ("explained", (10, 6), "partly"),
    ("explained", (2, 10), "not_explained"),
    ("explained", (2, NONE), "unknown"),
    ("by_the_deaths", (1.0, row(0.5, 0.3, 0.8), 1.2), "fewer"),
    ("by_the_deaths", (1.0, row(2.0, 1.3, 3.1), 0.8), "more"),
    ("by_the_deaths", (1.0, row(2.0, 1.3, 3.1), 1.2), "not_by_them"),
    ("by_the_deaths", (0.81, row(0.83, 0.49, 1.40), 1.02), "open"),
    ("by_the_deaths", (1.0, row(NONE), 1.2), "unknown"),
    ("enough", (44, 6), "few"),
    ("enough", (60, 6), "enough"),
    ("enough", (NONE, 6), "unknown"),
]
RULES = {
    name: rule
    for name, rule in inspect.getmembers(conclusions, inspect.isfunction)
    if rule.__module__ == conclusions.__name__
}


def outcomes(name: str) -> set[str]:
    """What the rule says that it may return."""
    return set(typing.get_args(typing.get_type_hints(RULES[name])["return"]))


@pytest.mark.parametrize(("name", "numbers", "outcome"), CASES)
def test_a_rule_goes_by_the_numbers(name, numbers, outcome):
    assert RULES[name](*numbers) == outcome


@pytest.mark.parametrize("name", RULES)
def test_every_outcome_of_a_rule_occurs_and_one_is_for_what_is_missing(name):
    assert outcomes(name) == {outcome for rule, _, outcome in CASES if rule == name}
    assert "unknown" in outcomes(name)


# --- in sentences ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n", "events", "limits", "begin"),
    [
        (12, 0, (0.0, 0.31), "**Level"),
        (400, 9, (0.01, 0.04), "**Flat"),
        (45, 1, (0.0003, 0.072), "**Not shown to be flat"),
        (
            179,
            47,
            (0.07, 0.126),
            "**Still falling.** Both limits of that rate are above 5",
        ),
        (0, 0, (NONE, NONE), "**So nothing is known of that time"),
        (NONE, NONE, (NONE, NONE), "**No limits are shown"),
    ],
)
def test_a_curve_is_called_flat_only_where_its_rate_is(n, events, limits, begin):
    rate = {"quantity": "event_rate", "group": "os", "months": 36.0, "estimate": 0.095}
    rate |= {"lower": limits[0], "upper": limits[1], "n": n, "events": events}
    said = str(plateau_bounds(showing(None, [rate]), "os", 36))
    assert said.startswith(begin)


@pytest.mark.parametrize(
    ("n", "events", "limits", "word"),
    [
        (12, 0, (0.0, 0.31), "plateau"),
        (400, 9, (0.01, 0.04), "plateau"),
        (45, 1, (0.0003, 0.072), "plateau"),
        (179, 47, (0.07, 0.126), "curve"),
        (0, 0, (NONE, NONE), "curve"),
    ],
)
def test_a_plateau_is_spoken_of_only_where_there_may_be_one(n, events, limits, word):
    rate = {"quantity": "event_rate", "group": "os", "months": 36.0, "estimate": 0.095}
    rate |= {"lower": limits[0], "upper": limits[1], "n": n, "events": events}
    assert end_called(showing(None, [rate]), "os", 36) == word


def since(early: int, late: int, years: float, group: str = "os") -> list[dict]:
    """Rows of 400 patients: events up to month 36, in 1000 patient-years, and after it."""
    low, high = (100, 400), (float(years), 1000.0 + years)
    return [
        {"quantity": kind, "group": group, "months": at, "n": n, "events": events,
         "estimate": rate if kind == "event_rate" else lived, "lower": 0.001, "upper": 0.04}
        for n, lived, at, events in zip(low, high, (36.0, 0.0), (late, early + late), strict=True)
        for rate in [events / lived]
        for kind in ("event_rate", "person_years")
    ]  # fmt: skip


@pytest.mark.parametrize(("late", "word"), [(11, "curve"), (10, "plateau"), (20, "curve")])
def test_a_rate_that_has_not_halved_makes_no_plateau(late, word):
    """20 events come in 1000 patient-years, then `late` in as many, all of it below the rule."""
    page = showing(load("data/mgus"), since(20, late, 1000))
    assert end_called(page, "os", 36) == word
    said = str(plateau_bounds(page, "os", 36))
    assert said.startswith("**Events are still coming.**" if word == "curve" else "**Flat within")
    assert ("at 2.0 per 100 patient-years, after it at" in said) == (word == "curve")


@pytest.mark.parametrize("name", ["figure_1a", "figure_1d"])
def test_nothing_is_called_flat_beyond_the_last_patient(name, tmp_path):
    """Everybody is followed for less than two years."""

    def short(patients):
        last = patients["last_contact_day"].astype(int).clip(upper=600)
        made = patients.assign(last_contact_day=last.astype(str))
        for column in ("hsct_day", "relapse_day", "response_day"):
            late = pd.to_numeric(made[column]) > last
            made[column] = made[column].mask(late, "")
        return made

    said = run(name, changed("myeloid", tmp_path / "short", short), tmp_path / "results").text
    assert "obody was followed beyond 36 months" in said
    assert not re.search("plateau (is|rests|of)|Flat is not", said)


def test_a_curve_without_an_event_is_level(tmp_path):
    def alive(patients):
        return patients.assign(died="no", relapse_day="")

    folder = changed("myeloid", tmp_path / "alive", alive)
    assert "patients, a level curve. " in run("figure_1a", folder, tmp_path / "results").text
    assert "patients, 2 level curves. " in run("figure_1d", folder, tmp_path / "results").text


def test_a_median_that_is_not_reached_is_not_explained_as_a_time():
    row = {"quantity": "median", "group": "os", "months": NONE, "lower": 3.0, "upper": NONE}
    for value, words in ((7.5, "the middle of that time"), (NONE, "has not come down")):
        page = showing(None, [row | {"estimate": value, "n": 9, "events": 4}])
        assert words in str(median_told(page, "os", "overall survival"))


@pytest.mark.parametrize(("dataset", "words"), [("blinatumomab", "title to its end"), ("bmt", "")])
def test_how_the_print_was_read_is_said_by_the_dataset_alone(dataset, words, tmp_path):
    shown = run("scorecard", f"data/{dataset}", tmp_path).text
    assert ("title to its end" in shown) == bool(words)


def test_patients_without_an_event_are_called_by_its_name(tmp_path):
    """And not by the key of its endpoint; a median in a sentence is as in the table."""
    said = run("progression", "data/mgus", tmp_path, until="figure-1d-early").text
    assert "**Without malignancy is not free of events.**" in said
    baseline = run("table_1", "data/mgus", tmp_path, until="table-1-shown-title").text
    assert "1968 (1956–1973)" in baseline
    words = re.sub(r"<[^>]+>", "", baseline)
    assert "Year of diagnosis: median 1968, mean 1967.4" in words
