"""The findings from the print alone: against values worked out by hand, and a changed print."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import re
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from inprocess import Page, of

from analysis.dataset.model import ROOT, Dataset, load
from analysis.page.rows import COLUMNS
from analysis.printed import ratios as models
from analysis.printed.bounds import Print, Printed, Range, between, outwards
from analysis.printed.consistency import ABSENT, Finding, Findings
from analysis.survival import survival_curve


@pytest.fixture(scope="module")
def paper() -> Dataset:
    return load("data/blinatumomab")


def where(dataset: Dataset, quantity: str, group: str, months=None, part="estimate") -> pd.Series:
    """The rows of one printed number."""
    found = dataset.published
    same = (found["quantity"] == quantity) & (found["group"] == group) & (found["part"] == part)
    return same & (found["months"].isna() if months is None else found["months"] == months)


def changed(dataset: Dataset, text: str, *key, **part) -> Dataset:
    """The dataset with another text for one printed number, wherever it is printed."""
    rows = where(dataset, *key, **part)
    assert rows.any(), key
    published = dataset.published.copy()
    published.loc[rows, "printed"] = text
    return dataclasses.replace(dataset, published=published)


# Of each print, by its identity: its dataset, its page and the findings there.
RUN: dict[int, tuple[Dataset, Page, Findings | None]] = {}


def ran(dataset: Dataset) -> tuple[Dataset, Page, Findings | None]:
    """The consistency page of a print is run once for all that is asked of it."""
    if id(dataset) not in RUN:
        page, names = of("consistency", dataset)
        RUN[id(dataset)] = dataset, page, names.get("findings")
    return RUN[id(dataset)]


def page_of(dataset: Dataset) -> Page:
    return ran(dataset)[1]


def steps(dataset: Dataset) -> dict:
    """What the page makes of a print, by its names, until another page is run."""
    return of("consistency", dataset)[1]


def finding(dataset: Dataset, name: str) -> Finding:
    """Raises KeyError where the page leaves it out."""
    return ran(dataset)[2].found[name]


def facts(dataset: Dataset, name: str) -> dict:
    return finding(dataset, name).facts


def text(dataset: Dataset) -> str:
    return "\n".join(output.get("text/plain", "") for output in page_of(dataset).shown)


# --- intervals of rounding -----------------------------------------------------------------------


def test_a_printed_number_is_what_rounds_to_it():
    found = Printed("23.4").range
    assert Fraction("23.35") in found
    assert Fraction("23.45") not in found
    assert Fraction("23.3499") not in found
    assert Printed(".05").range == Range(Fraction("0.045"), Fraction("0.055"))
    assert Printed("1.00").decimals == 2


def test_ends_are_rounded_outwards_and_one_number_stays_one():
    assert outwards(0.16319, 0.16451, 3) == "0.163–0.165"
    assert Range(Fraction("16.3"), Fraction("16.5")).shown(1) == "16.3–16.5"
    assert Range(Fraction("19.458"), Fraction("19.542")).shown(1) == "19.5"
    assert list(between(Fraction(5), Fraction("7.2"))) == [6, 7]
    assert list(between(Fraction("5.84"), Fraction("6.17"))) == [6]


def test_the_text_with_most_decimals_counts(paper):
    rows = where(paper, "survival", "os", 36).to_numpy().nonzero()[0]
    published = paper.published.copy()
    published.iloc[rows[0], published.columns.get_loc("printed")] = "18"
    data = dataclasses.replace(paper, published=published)
    assert Print(data)("survival", "os", 36).text == "17.7"


# --- the mechanism -------------------------------------------------------------------------------


def test_every_finding_has_its_numbers_in_the_paper(paper):
    assert ABSENT not in text(paper)


def test_no_patient_is_read(paper):
    blind = dataclasses.replace(paper, patients=None)
    pd.testing.assert_frame_equal(page_of(blind).numbers, page_of(paper).numbers)


def test_no_printed_number_is_masked(paper):
    few = dataclasses.replace(paper, mask_below=10)
    pd.testing.assert_frame_equal(page_of(few).numbers, page_of(paper).numbers)


def test_without_a_print_one_sentence():
    found = page_of(load("data/bmt"))
    assert found.missing.startswith("No published numbers")
    assert not found.shown


def test_a_print_that_allows_no_finding_has_no_such_page(paper):
    own = paper.published[paper.published["quantity"].eq("median")]
    found = page_of(dataclasses.replace(paper, published=own.drop_duplicates("group")))
    assert found.missing.startswith("The numbers that are printed")
    assert not found.shown and found.numbers.empty


def test_what_one_text_says_stands_only_beside_its_own_print(paper):
    """The words of this paper are none of another one's that prints the same numbers."""
    said = ["calls the curves level", "discussion counts", "lay summary", "The text has as many"]
    said += ["caption of Figure 1 says"]
    other = paper.published[paper.published["quantity"].ne("given")]
    other = text(dataclasses.replace(paper, published=other))
    assert [words for words in said if words not in text(paper)] == []
    assert [words for words in said if words in other] == []
    path = ROOT / "book" / "consistency.ipynb"
    titles = [cell["source"] for cell in json.loads(path.read_text("utf-8"))["cells"]
              if cell["cell_type"] == "markdown"]  # fmt: skip
    assert not [words for words in said if words in "".join(map("".join, titles))]


def test_a_finding_without_its_numbers_is_left_out_and_no_other(paper):
    gone = where(paper, "followup_min", "rfs")
    data = dataclasses.replace(paper, published=paper.published[~gone])
    assert set(ran(paper)[2].found) - set(ran(data)[2].found) == {"follow_up", "free_of_relapse"}
    assert text(data).count(ABSENT) == 2
    assert "Is the printed follow-up that of all patients?" not in text(data)
    assert "Is the printed follow-up that of all patients?" in text(paper)
    assert "9.5 months" in text(paper)


def test_what_is_told_has_the_facts_and_the_table(paper):
    assert "68 of 69 percentages do." in text(paper)
    assert "146/259" in page_of(paper).text


def test_what_is_told_leads_to_the_rows_of_its_finding(paper):
    page = page_of(paper)
    (first,) = np.flatnonzero(page.numbers["quantity"].eq("lost"))
    assert f'href="#row-{first + 1}"' in page.text


def test_results_have_the_columns_of_the_contract(paper):
    found = page_of(paper).numbers
    assert list(found.columns) == COLUMNS
    ends = found[["lower", "upper"]].dropna()
    assert len(ends) > 100
    assert (ends["lower"] <= ends["upper"]).all()


# --- arithmetic ----------------------------------------------------------------------------------


def wrong(found: dict) -> int:
    return found["checked"] - found["agree"]


def closed(found: dict) -> bool:
    return found["close"] == found["checked"] > 0


def test_one_percentage_does_not_follow_from_its_count(paper):
    found = finding(paper, "percentages")
    assert wrong(found.facts) == 1
    assert found.facts["agree"] == found.facts["checked"] - 1
    # 56.2% of 259 is between 145.43 and 145.69: no whole number.
    assert found.facts["unreachable"] == 1
    assert found.table.rows[0].cells == ("146/259", "56.2", "56.4")
    data = changed(paper, "56.4", "percent", "prior_relapses=1")
    assert finding(data, "percentages").table is None
    assert wrong(facts(changed(paper, "61.7", "percent", "sex=Male"), "percentages")) == 2


def test_a_percentage_among_others_has_its_own_denominator(paper):
    found = finding(paper, "percentages")
    among = {row["group"]: row["n"] for row in found.rows}
    assert among["mrd_response_cycle=1|long_term"] == 35
    assert among["relapse_free_after_hsct|relapse_free"] == 27
    assert among["best_response=CR|shorter"] == 216


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("161", "sex=Male"),
        ("61", "best_response=CR|shorter"),
        ("22", "hsct_in_remission|long_term"),
        ("24", "primary_refractory=yes"),
        ("34", "mrd_response_cycle=1|long_term"),
        ("124", "response_day"),
        ("20", "without_hsct|long_term"),
    ],
)
def test_sums_close_until_a_count_is_changed(paper, text, group):
    assert closed(facts(paper, "sums"))
    found = finding(changed(paper, text, "count", group), "sums")
    assert not closed(found.facts)
    assert any(group in note for note in found.table.notes)


def test_what_is_not_printed_in_full_is_not_summed(paper):
    assert "t(4;11)" in facts(paper, "sums")["open"]
    assert "Sex" not in facts(paper, "sums")["open"]
    groups = [row["group"] for row in finding(paper, "sums").rows]
    assert not any("t_4_11" in group for group in groups)
    assert any("ecog=Unknown" in group for group in groups)


def test_a_number_that_differs_between_its_places_is_found(paper):
    assert facts(paper, "repetitions")["differ"] == "none"
    rows = where(paper, "survival", "os", 36).to_numpy().nonzero()[0]
    published = paper.published.copy()
    published.iloc[rows[-1], published.columns.get_loc("printed")] = "17.8"
    data = dataclasses.replace(paper, published=published)
    assert facts(data, "repetitions")["differ"] == 1


def test_patients_of_the_trials(paper):
    assert facts(paper, "trials")["rest"] == 259 + 2 - 36 - 189
    data = changed(paper, "73", "given", "Exploratory trial, primary analysis: patients")
    assert facts(data, "trials")["rest"] == -1


# --- hazard ratios -------------------------------------------------------------------------------


def ratio(dataset: Dataset, group: str, model: str = "univariate") -> models.Ratio:
    found = steps(dataset)["printed_ratios"](Print(dataset))
    return next(r for r in found if (r.group, r.model) == (group, model))


def test_error_and_p_of_a_printed_ratio(paper):
    sex = ratio(paper, "rfs:t_4_11")  # 2.56 (1.14-5.74)
    error = math.log(5.74 / 1.14) / (2 * 1.959964)
    assert sex.error[0] < error < sex.error[1]
    assert sex.error[1] - sex.error[0] < 0.01
    p = math.erfc(math.log(2.56) / error / math.sqrt(2))
    assert sex.p[0] < p < sex.p[1]


def test_the_corners_hold_all_that_the_digits_allow():
    lower, upper, middle = (0.995, 1.005), (1.005, 1.015), (1.005, 1.015)
    logs = [tuple(map(math.log, ends)) for ends in (middle, lower, upper)]
    found = models.Ratio("x", "univariate", ("", "", ""), models._corners(*logs))
    x, y = np.meshgrid(np.linspace(*logs[1], 401), np.linspace(*logs[2], 401))
    inside = ((x + y) / 2 >= logs[0][0]) & ((x + y) / 2 <= logs[0][1])
    errors = (y - x)[inside] / (2 * 1.959964)
    assert found.error == pytest.approx((errors.min(), errors.max()), abs=1e-4)
    scores = 1.959964 * (x + y)[inside][errors > 0] / (y - x)[inside][errors > 0]
    assert found.p[1] == pytest.approx(math.erfc(abs(scores).min() / math.sqrt(2)), abs=0.01)
    assert found.p[0] < 1e-6


def test_a_ratio_that_can_be_1_can_have_a_p_of_1(paper):
    assert ratio(paper, "rfs:age").p[1] == 1  # 1.00 (0.99-1.01)


def test_an_estimate_off_the_middle_is_found(paper):
    assert facts(paper, "hazard_ratios")["symmetric"] == facts(paper, "hazard_ratios")["ratios"]
    data = changed(paper, "1.05", "hazard_ratio_univariate", "os:sex")
    found = facts(data, "hazard_ratios")
    assert found["symmetric"] == found["ratios"] - 1


def test_words_are_held_against_the_intervals(paper):
    assert facts(paper, "hazard_ratios")["against"] == "none"
    assert "bone marrow" in facts(paper, "hazard_ratios")["open"]
    # 0.55 (0.31-0.99) cannot be called not associated, nor 1.00 (0.76-1.33) associated.
    data = changed(paper, "no", "associated", "rfs:mrd_response_day")
    assert facts(data, "hazard_ratios")["against"] == 1
    data = changed(data, "yes", "associated", "os:sex")
    assert facts(data, "hazard_ratios")["against"] == 2
    # What the digits leave open goes with either word.
    data = changed(paper, "yes", "associated", "os:bone_marrow_blasts")
    assert facts(data, "hazard_ratios")["against"] == "none"


def test_a_limit_printed_as_0_is_left_out(paper):
    data = changed(paper, "0.00", "hazard_ratio_univariate", "os:sex", part="lower")
    assert facts(data, "hazard_ratios")["ratios"] == facts(paper, "hazard_ratios")["ratios"] - 1


def test_deaths_that_a_width_implies(paper):
    error, p = math.log(1.33 / 0.76) / (2 * 1.959964), 160 / 259
    low, high = steps(paper)["schoenfeld"](ratio(paper, "os:sex"), 160, 99)
    assert low < 1 / (error**2 * p * (1 - p)) < high
    assert (low, high) == pytest.approx((200, 213), abs=1)


def test_a_split_gives_back_the_width(paper):
    race, deaths = ratio(paper, "os:race"), Range(Fraction(187), Fraction(187))
    (low, high), (other_low, other_high) = steps(paper)["split"](race, 205, 29, deaths)
    for first, second in ((low, other_high), (high, other_low)):
        variance = 1 / (205 * first) + 1 / (29 * second)
        assert race.error[0] <= math.sqrt(variance) + 1e-9
        assert math.sqrt(variance) <= race.error[1] + 1e-9
    assert 0.79 <= other_low < other_high <= 0.9  # 23 to 26 of 29


def test_race_leaves_out_the_unknown_and_salvage_is_not_prior_relapses(paper):
    found = facts(paper, "model_populations")
    assert "the 25 unknown among the others" in found["misfits"]
    assert "without 25 unknown" not in found["misfits"]
    assert found["misfits"].count("prior relapse") == 2
    assert "Sex" not in found["misfits"]
    # 1/44 + 1/165 deaths: a width that the 54 others could give.
    data = changed(paper, "0.49", "hazard_ratio_univariate", "os:race", part="lower")
    data = changed(data, "0.97", "hazard_ratio_univariate", "os:race", part="upper")
    misfits = facts(data, "model_populations")["misfits"]
    assert "the 25 unknown among the others" not in misfits


def test_the_uncounted_side_of_salvage_line(paper):
    low, high = map(int, facts(paper, "model_populations")["smaller"].split("–"))
    error = math.log(1.06 / 0.57) / (2 * 1.959964)
    product = 1 / (209 * error**2)
    assert low < 259 * (1 - math.sqrt(1 - 4 * product)) / 2 < high
    assert high < 88  # nor can it be those with two or more relapses


# --- curves --------------------------------------------------------------------------------------


def test_death_without_relapse_by_subtraction(paper):
    found = steps(paper)["dead_without_relapse"](Print(paper))
    assert set(found) == {24, 36, 48}
    # 100 - 26.9 - 56.7 = 16.4, each number 0.05 off at most.
    assert found[24] == Range(Fraction("0.163"), Fraction("0.165"))
    assert found[48] == Range(Fraction("0.172"), Fraction("0.174"))
    data = changed(paper, "23.3", "survival", "rfs", 48)
    moved = steps(data)["dead_without_relapse"](Print(data))
    assert moved[48] == Range(Fraction("0.173"), Fraction("0.175"))
    # The share cannot fall: less at 48 months takes the upper end at 36 down with it.
    data = changed(paper, "23.5", "survival", "rfs", 48)
    moved = steps(data)["dead_without_relapse"](Print(data))
    assert moved[36].high == moved[48].high == Fraction("0.173")


def test_one_late_relapse_needs_six_at_risk(paper):
    found = steps(paper)["relapses_after_48"](Print(paper))
    assert found[1] == [6]  # 23.4 / 6 = 3.9 = 63.2 - 59.3
    assert found[2] == [12]
    assert facts(paper, "late_relapse")["rfs_60"] == "19.5%"  # 23.4 * 5/6
    moved = changed(paper, "62.2", "cumulative_incidence", "relapse", 60)
    assert steps(moved)["relapses_after_48"](Print(moved))[1] == [8]  # 23.4 / 2.9
    with pytest.raises(KeyError):
        facts(changed(paper, "59.3", "cumulative_incidence", "relapse", 60), "late_relapse")


def test_cured_counts_death_without_relapse(paper):
    found = facts(paper, "cured")
    assert found["cured"] == "36.8%"
    assert found["of_cured"] == "47%"  # 17.3 of 36.8
    assert found["deep_share"] == "32.7%"  # 35 of 107
    moved = facts(changed(paper, "64.2", "cumulative_incidence", "relapse", 60), "cured")
    assert moved["cured"] == "35.8%"


def test_the_courses_between_two_and_three_years(paper):
    """At risk, lost before, relapses, deaths, free of both, and who must relapse later."""
    rows = finding(paper, "free_of_relapse").table.rows
    assert [(row.heading, *row.cells) for row in rows] == [
        ("30", "4", "3", "1", "30", "1"),
        ("30", "5", "3", "1", "31", "2"),
        ("31", "3", "3", "1", "30", "1"),
    ]


@pytest.mark.parametrize("low", ["1.05", "1.08", "1.1", "1.2"])
def test_losses_that_lead_into_a_target_are_those_of_all_choices(paper, low):
    reachable = steps(paper)["reachable"]
    target = Range(Fraction(low), Fraction(low) + Fraction(1, 500))
    for lost in range(5):
        weights = [Fraction(r, r - 1) for r in range(21, 31)]
        choices = itertools.combinations(weights, lost)
        every = any(math.prod(choice, start=Fraction(1)) in target for choice in choices)
        assert reachable(30, 20, lost, target) is every


def test_a_course_that_is_said_to_fit_gives_the_printed_numbers():
    """Lost at 47, 46 and 45 at risk, then 31 at risk at 24 months, 4 events."""
    at_risk, lost = np.arange(123, 27, -1), {47, 46, 45}
    event = np.array([n not in lost for n in at_risk])
    time = np.arange(len(at_risk)) + 1.0
    rest = np.full(27, 1000.0)
    curve = survival_curve(np.append(time, rest), np.append(event, np.zeros(27, dtype=bool)))
    at_24 = curve["survival"].iloc[len(at_risk) - 4]
    assert round(100 * at_24, 1) == 26.9
    assert round(100 * curve["survival"].iloc[len(at_risk)], 1) == 23.4
    assert round(100 * at_24 * 3 / 31, 1) == 2.6  # 59.3 - 56.7


def test_more_were_free_of_relapse_at_three_years_than_at_the_end(paper):
    found = facts(paper, "free_of_relapse")
    assert (found["at_36"], found["printed"], found["later"]) == ("28 or 29", 27, "1 or 2")
    moved = changed(paper, "30", "count", "relapse_free|total")
    assert facts(moved, "free_of_relapse")["later"] == "1"
    # The curve cannot fall by less than relapse alone rises.
    with pytest.raises(KeyError):
        facts(changed(paper, "25.0", "survival", "rfs", 36), "free_of_relapse")


def test_follow_up_is_that_of_the_censored(paper):
    assert facts(paper, "follow_up")["verdict"] == "cannot be"
    moved = changed(paper, "7.6", "followup_min", "rfs")
    assert facts(moved, "follow_up")["verdict"] == "can be"
    assert "free_of_relapse" not in ran(moved)[2].found


def test_how_many_were_lost_alive(paper):
    # 43 + 3 = 46 of 259 is 17.76% >= 17.65%; 43 of 259 - 16 is 17.70% < 17.75%.
    assert steps(paper)["lost"](Print(paper)) == list(range(3, 17))
    moved = changed(paper, "17.2", "survival", "os", 36)
    assert steps(moved)["lost"](Print(moved)) == list(range(2, 10))
    # 216 - 16 + 1 to 216 - 3 + 4
    assert facts(paper, "known_alive")["deaths"] == "201–217"


def test_deaths_of_the_fourth_year(paper):
    found = steps(paper)["fourth_year"](Print(paper))
    assert found == {1: [9], 2: [18, 19], 3: [27, 28, 29], 4: [36, 37, 38, 39]}
    assert all(0.1019 < k / n < 0.1127 for k, numbers in found.items() for n in numbers)
    level = changed(paper, "17.7", "survival", "os", 48)
    assert steps(level)["fourth_year"](Print(level)) == {}


def test_a_level_stretch_bounds_the_risk(paper):
    rows = {row["group"]: row for row in finding(paper, "plateau").rows}
    assert rows["rfs:36-48"]["n"] == 28  # 23.45% of 123 is 28.8
    assert rows["rfs:36-48"]["upper"] == pytest.approx(1 - 0.05 ** (1 / 28))
    assert math.isnan(rows["os:36-48"]["upper"])
    moved = finding(changed(paper, "19.9", "survival", "rfs", 48), "plateau").rows
    assert math.isnan(moved[-1]["upper"])


# --- the clock after transplant ------------------------------------------------------------------


@pytest.mark.parametrize(("deaths", "below"), [(35, True), (34, False)])
def test_the_highest_survival_is_that_of_a_curve_without_losses(paper, deaths, below):
    time = np.append(np.arange(deaths) + 1.0, np.full(56 - deaths, 100.0))
    curve = survival_curve(time, time < 100)
    assert (curve["upper"].loc[deaths] <= 0.5) is np.bool_(below)
    assert (curve["survival"].loc[deaths] <= steps(paper)["highest"]("log-log", 56)) is np.bool_(
        below
    )


def test_survival_after_transplant_cannot_count_from_the_first_dose(paper):
    found = facts(paper, "transplant_clock")
    assert found["verdict"] == "is impossible"
    assert found["floor"] == "37.5%"  # 21 of 56
    assert found["needed"] == "39.0%"  # 37.15 * 21/20
    assert found["excluded"] == "log"
    assert steps(paper)["highest"]("log-log", 56) == pytest.approx(0.3758, abs=5e-5)
    assert steps(paper)["highest"]("log", 56) == pytest.approx(0.3499, abs=1e-4)
    moved = changed(paper, "20", "count", "hsct_in_remission|long_term")
    assert facts(moved, "transplant_clock")["verdict"] == "is possible"
    moved = changed(paper, "36.0", "median", "os_after_hsct", part="upper")
    assert facts(moved, "transplant_clock")["verdict"] == "is possible"


def test_from_transplant_a_course_gives_both_numbers(paper):
    words = facts(paper, "transplant_clock")["witness"]
    at_risk, n, deaths, left = map(int, re.findall(r"\d+", words))
    assert (n, deaths) == (56, 56 - 1 - left)
    event = np.array([n != at_risk for n in range(56, left, -1)])
    time = np.arange(len(event)) + 1.0
    data = np.append(time, np.full(left, 100.0)), np.append(event, np.zeros(left, dtype=bool))
    last = survival_curve(*data).loc[len(event)]
    assert round(100 * last["survival"], 1) == 37.2
    assert last["upper"] <= 0.5
