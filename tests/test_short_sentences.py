"""Sentences where follow-up ends early, or nobody is left: they say what is so, and no more."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import often
from inprocess import Page, opened, run, showing
from short_follow_up import dataset, patients

from analysis.course import keys_05
from analysis.course.keys_07 import main_factor
from analysis.course.worked import literals_of, steps
from analysis.course.worked import run as of_steps
from analysis.dataset.definitions import without_unit
from analysis.dataset.model import ROOT, load
from analysis.page.prose import Prose
from analysis.page.rows import pick
from analysis.page.tables import Row
from analysis.sharing import checklists
from analysis.study.landmarks import past_follow_up
from analysis.study.models import forward_results
from analysis.study.sentences import forward_told


def made(folder: Path, longest: float, dead: float):
    return load(str(placed(folder, longest, dead)))


def placed(folder: Path, longest: float, dead: float) -> Path:
    return dataset(folder / "made", patients(longest, dead), months=[12, 24])


def lesson(name: str, folder: Path, longest: float, dead: float, **given) -> Page:
    """A lesson on made patients, who are followed for so many days at most."""
    folder.mkdir(exist_ok=True)
    return run(name, placed(folder, longest, dead), folder / "results", **given)


def answers(dataset: Path) -> dict[str, str]:
    told = checklists.checklist(opened(str(dataset)), "strobe").answers
    return {answer.item.number: answer.text.plain for answer in told}


@pytest.mark.parametrize("dead", often([0.4, 1.0], 1.0))
def test_what_is_recorded_is_not_called_unrecorded(tmp_path, dead):
    told = answers(placed(tmp_path, 150, dead))
    assert "Relapse, where death without relapse competes: " in told["15"]
    assert "Overall survival itself, in all patients: " in told["16c"]
    no_groups = "Not recorded in this dataset: groups to compare."
    assert no_groups in told["16c"]
    told["16c"] = told["16c"].replace(no_groups, "")
    assert not {"15", "16c"} & {n for n, text in told.items() if "Not recorded" in text}
    assert ("Nobody was alive then" in told["12d"]) is (dead == 1)
    assert "0 of 0" not in told["12d"]
    assert ("Everybody was followed until death" in told["14c"]) is (dead == 1)
    assert "Not recorded" not in told["14c"]


def test_who_is_at_risk_from_the_response_on_is_not_said_to_be_from_the_start(tmp_path):
    for name, among in (("blinatumomab", True), ("myeloid", False)):
        told = run("figure_1c", ROOT / "data" / name, tmp_path).text
        assert ("each at risk from the day of CR" in told) is among


def test_shares_that_are_not_known_are_not_the_same(tmp_path):
    def unknown(numbers: pd.DataFrame) -> pd.DataFrame:
        rows = numbers.copy()
        late = rows["quantity"].eq("survival_from_event")
        rows.loc[late, ["estimate", "lower", "upper"]] = None
        return rows

    name = "lesson_08_conditioning"
    known = lesson(name, tmp_path / "a", 608, 0.6, draws=20)
    assert "From the start the share is" in known.text
    page = lesson(name, tmp_path / "b", 608, 0.6, draws=20, change=unknown)
    said = [shown["text/plain"] for shown in page.shown]
    (told,) = (words for words in said if words.startswith("Of those who ever had"))
    assert "Nobody was followed for so long after the event" in told
    assert "–" not in told and "the same" not in told


def all_cured(numbers: pd.DataFrame) -> pd.DataFrame:
    """A model in which everybody is cured, so that it says nothing of those who wait."""
    changed = numbers.copy()
    changed.loc[changed["quantity"].eq("share_uncured_at_end"), "estimate"] = None
    changed.loc[changed["quantity"].eq("share_cured"), "estimate"] = 0.0
    return changed


def test_where_all_have_died_nobody_waits_and_nobody_is_censored(tmp_path):
    for dead, everybody in ((0.4, False), (1.0, True)):
        plateau = lesson("lesson_03_plateau", tmp_path / f"a{dead}", 290, dead, change=all_cured)
        assert ("at the end will still have the event" in plateau.text) is not everybody
        follow_up = lesson("lesson_02_follow_up", tmp_path / f"b{dead}", 290, dead)
        assert ("Nobody is censored." in follow_up.text) is everybody
        assert "– among" not in follow_up.text


def one_cut(numbers: pd.DataFrame) -> pd.DataFrame:
    """The numbers of Lesson 3 with an estimate at the first cut alone."""
    rows = numbers.copy()
    cuts = rows["quantity"].eq("share_cured") & rows["group"].eq("os:cut")
    if not cuts.any():
        return rows  # the page has not come to them
    first = rows.index[cuts][0]
    rows.loc[cuts, ["estimate", "lower", "upper"]] = None
    rows.loc[first, ["estimate", "lower", "upper"]] = [0.3, 0.2, 0.4]
    at_cut = rows["months"].eq(rows.loc[first, "months"]) & rows["group"].eq("os:cut")
    rows.loc[at_cut & rows["quantity"].eq("survival_end"), "estimate"] = 0.5
    return rows


def test_one_cut_is_told_as_one(tmp_path):
    told = lesson("lesson_03_plateau", tmp_path, 608, 0.6, change=one_cut).text
    assert "cuts, one gives an estimate: 30.0% (cut at " in told
    assert "goes from" not in told


def test_where_all_are_dead_the_curve_is_known(tmp_path):
    told = lesson("lesson_03_plateau", tmp_path, 290, 1.0).text
    assert (
        "Survival at 24 months is 0.0%: the last one followed had an event at 9.5 months." in told
    )
    assert "nothing was seen" not in told and "What was seen" not in told
    assert "Nobody was alive at 12 months." in told
    assert "‡" not in told  # nothing is carried


@pytest.mark.parametrize(
    ("sentence", "values", "said"),
    [
        ("{n} patients were seen.", {"n": 1}, "1 patient was seen."),
        ("{n} patients were seen.", {"n": 21}, "21 patients were seen."),
        ("{n} patients were seen.", {"n": 1.1}, "1.1 patients were seen."),
        ("{n} of {all} have died.", {"n": 1, "all": 20}, "1 of 20 has died."),
        ("{n} of {all} have died.", {"n": 0, "all": 1}, "0 of 1 have died."),
        ("{n} of {all} patients died.", {"n": 1, "all": 20}, "1 of 20 patients died."),
        ("{n} of the others were alive.", {"n": 1}, "1 of the others was alive."),
        ("{s} were free.", {"s": "1 of 5 (20.0%)"}, "1 of 5 (20.0%) was free."),
        ("{s} patients enter.", {"s": "1 of 1 (100.0%)"}, "1 of 1 (100.0%) patient enters."),
        ("{s} patients enter.", {"s": "1 of 5 (20.0%)"}, "1 of 5 (20.0%) patients enters."),
        ("{n} synthetic records.", {"n": 1}, "1 synthetic record."),
        ("{n} results are printed.", {"n": 1}, "1 result is printed."),
        ("{s} were free.", {"s": "10 of 50 (20.0%)"}, "10 of 50 (20.0%) were free."),
        ("{n} long-term survivors enter it.", {"n": 1}, "1 long-term survivor enters it."),
        ("{label} patients were seen.", {"label": "Line 1"}, "Line 1 patients were seen."),
        ("{n} are {{at}} risk.", {"n": Prose("{one}", one=1)}, "1 is {at} risk."),
    ],
)
def test_a_sentence_for_several_is_told_of_one(sentence, values, said):
    assert Prose(sentence, **values).plain == said


def test_the_naive_ways_are_called_wrong_only_where_they_are(tmp_path):
    for dead, same in ((0.4, False), (1.0, True)):
        told = lesson("lesson_01_censoring", tmp_path / str(dead), 290, dead).text
        assert ("the same, because here leaving made no difference" in told) is same
        for wrong in ("the living are left out.", "as if nobody could die after leaving."):
            assert (wrong in told) is not same


def test_what_stays_goes_from_nowhere_to_nowhere(tmp_path):
    told = lesson("lesson_02_follow_up", tmp_path, 290, 1.0).text
    assert "The count by reverse Kaplan–Meier would be not reached either way." in told
    assert not re.search(r"from (.+) to \1\b", told)


@pytest.mark.parametrize(("longest", "month"), [(608, "12 months"), (290, "9 months")])
def test_rows_are_cut_where_somebody_is_followed(tmp_path, longest, month):
    told = lesson("lesson_07_start_stop", tmp_path, longest, 0.6).text
    assert f"cut once more at {month} |" in told


@pytest.mark.parametrize(
    ("right", "words"),
    [(0.801, "To two decimals they are the same."), (1.2, "lies on the other side of one")],
)
def test_a_ratio_that_does_not_move_is_not_called_higher(tmp_path, right, words):
    group = f"os:{main_factor(load(str(placed(tmp_path, 608, 0.6)))).column}"

    def change(numbers: pd.DataFrame) -> pd.DataFrame:
        rows, here = numbers.copy(), numbers["group"].eq(group)
        for way, value in (("fixed", 0.799), ("right", right)):
            rows.loc[here & rows["quantity"].eq(f"hazard_ratio_{way}"), "estimate"] = value
        return rows

    page = lesson("lesson_07_start_stop", tmp_path / "page", 608, 0.6, change=change)
    assert words in page.text


def test_a_ratio_that_there_is_not_is_said_to_be_none(tmp_path):
    data = made(tmp_path, 608, 0.6)
    page = showing(data, forward_results(data))
    told = forward_told(page, "hsct_day").plain
    assert "would be" in told and "from its day. The hazard ratio of death is then" in told
    page.numbers[["estimate", "lower", "upper"]] = np.nan
    told = forward_told(page, "hsct_day").plain
    assert "No hazard ratio of death can then be estimated." in told and "–" not in told


def test_a_note_on_several_curves_says_which_ends_when():
    ends = [("os", 9.4), ("rfs", 8.9)]
    rows = pd.DataFrame(
        [{"quantity": "followup_end", "group": g, "months": None, "estimate": e} for g, e in ends]
    ).assign(lower=None, upper=None, n=9, events=None)
    titles = {"os": "Overall survival", "rfs": "Relapse-free survival"}
    lines = [Row("12", ["–"])]
    (note,) = past_follow_up(lines, rows, ["os", "rfs"], 0, titles)
    assert "(overall survival: follow-up ended at 9.4 months; relapse-free survival: " in note
    (note,) = past_follow_up(lines, rows, ["os"])
    assert note.endswith("(follow-up ended at 9.4 months).")


def test_a_factor_picked_by_p_is_said_to_be_so_beside_its_change(tmp_path):
    for named in ("", "mtx"):
        told = run("lesson_10_proportional_hazards", "data/bmt", tmp_path, factor=named).text
        assert "hides two that differ" in told
        assert ("chosen for such a change" in told) is (not named)


def invented(folder: Path, change: dict[str, object], **settings: object) -> Path:
    """Twenty patients who are followed for 30 to 600 days, with some of it changed."""
    return dataset(folder, patients(600, 0.5, n=20).assign(**change), **settings)


def test_where_the_living_left_on_the_day_of_the_last_death_they_are_not_nobody(tmp_path):
    folder = invented(tmp_path / "made", {"last_contact_day": 600, "relapse_day": pd.NA})
    told = run("lesson_03_plateau", folder, tmp_path).text
    assert "those still alive were last seen on its day." in told
    assert "the last to be followed died" not in told


def test_where_nobody_died_nobody_stands_beside_the_dead(tmp_path):
    for died, beside in (("no", False), (["yes", "no"] * 10, True)):
        folder = invented(tmp_path / f"made {beside}", {"died": died})
        told = run("lesson_08_conditioning", folder, tmp_path, draws=20).text
        assert ("They are counted with the dead" in told) is beside
        assert ("Patients who died early are among the others" in told) is beside
        assert ("Not one of the others has died" in told) is not beside


def test_where_there_is_no_ratio_none_is_compared(tmp_path):
    folder = invented(tmp_path / "made", {"died": "no"})
    told = run("lesson_06_immortal_time", folder, tmp_path).text
    assert "No ratio can be estimated either way." in told
    assert "the ratio is –" not in told


@pytest.mark.parametrize("candidates", [0, 1])
def test_without_two_candidates_no_model_is_said_to_adjust(tmp_path, candidates):
    frame = patients(600, 0.5).assign(**({} if candidates else {"died": "no"}))
    frame["age"] = 90 - frame["last_contact_day"] / 10 if candidates else frame["age"]
    told = answers(dataset(tmp_path / "made", frame))
    for number in ("12a", "16a"):
        assert "Adjustment is by Cox models" not in told[number]
        assert "So nothing is adjusted for" in told[number]


AGE = {"column": "age", "label": "Age", "kind": "baseline", "statistics": ["median"]}
ARM = {"column": "arm", "label": "Arm", "kind": "baseline"}


def test_an_invented_ratio_is_called_so_beside_percentages_that_are_not(tmp_path):
    apart = "The ratios below are invented, because none is printed and none can be estimated."
    for died, ratios in (("no", False), (["yes", "no"] * 10, True)):
        folder = invented(tmp_path / f"{ratios}", {"died": died}, characteristics=[ARM, AGE])
        told = run("lesson_11_reading", folder, tmp_path).text
        assert "below are of the dataset itself" in told
        assert (apart in told) is not ratios
        assert ("The ratios below are of the dataset itself" in told) is ratios
    folder = invented(tmp_path / "none", {"died": ["yes", "no"] * 10}, characteristics=[])
    told = run("lesson_11_reading", folder, tmp_path).text
    assert "The percentages below are invented" in told
    assert "The ratios below are of the dataset itself" in told


def test_one_patient_is_not_told_as_several(tmp_path):
    folder = dataset(tmp_path / "made", patients(900, 1.0, n=1))
    texts = {name: run(name, folder, tmp_path).text for name in ("lesson_11_reading", "figure_1b")}
    assert "The three counts add up to the one patient." in texts["lesson_11_reading"]
    assert "(100.0%)</a> patient enters this curve" in texts["figure_1b"].replace("\\", "")
    assert "The analysis covers patients (n = 1; " in run("report", folder, tmp_path / "all").text


def test_a_mean_without_an_event_is_told_without_an_interval(tmp_path):
    folder = invented(tmp_path / "made", {"died": "no"}, months=[6, 12])
    page = run("figure_1a", folder, tmp_path)
    row = pick(page.numbers, "rmst", "os", 12)
    assert row["estimate"] == pytest.approx(12) and row[["lower", "upper"]].isna().all()
    assert not re.search(r"12\.0 months</a>? \(95% CI", page.text)


def test_no_share_without_an_event_breaks_an_exercise_or_the_plain_code(tmp_path):
    """The last of all dies on the very day of the first landmark; nobody relapses by it."""
    frame = patients(360, 1.0).assign(relapse_day=pd.NA).astype({"last_contact_day": float})
    frame.loc[59, "last_contact_day"] = 365.25
    folder = dataset(tmp_path / "dead", frame)
    told = run("lesson_03_plateau", folder, tmp_path).text
    assert told.count('class="verdict right"') == 4
    frame = patients(900, 0.0).assign(last_contact_day=800, died="no")
    frame["relapse_day"] = pd.Series([790] + 59 * [pd.NA])
    folder = dataset(tmp_path / "late", frame, months=[12, 24])
    for name in ("lesson_05_competing_risks", "figure_1d"):
        told = run(name, folder, tmp_path).text
        assert "Not here: " not in told, name
    assert "By then: 0.0%" in told
    data = load(folder)
    assert of_steps(steps(5, literals_of(data, keys_05.names(data))), data)[1] == [0.0]


def test_what_is_not_there_is_not_explained(tmp_path):
    """Ticks of the censored, dots at landmarks, a plateau, and a column of a table."""
    for dead, longest in ((0.4, 608), (1.0, 290)):
        folder = dataset(tmp_path / f"made {dead}", patients(longest, dead), months=[12, 24])
        told = run("figure_1a", folder, tmp_path).text
        for words in ("Ticks: patients", "Dots and bars"):
            assert (words in told) is (dead < 1), words
        # Nobody is followed to the month from which a curve is asked to be flat.
        assert "Flat is not cured" not in told
    for n, states in ((60, True), (20, False)):  # of 20 too few have the event
        folder = dataset(tmp_path / f"of {n}", patients(600, 0.5, n))
        page = run("lesson_06_immortal_time", folder, tmp_path)
        assert ("Had it so far: Simon and Makuch." in page.text) is states
        assert page.numbers["quantity"].eq("survival_by_state").any() == states


def test_a_label_in_a_list_of_labels_has_no_comma_of_its_own():
    listed_in = {"Age, y": "Age", "Haemoglobin, g/dL": "Haemoglobin", "Sex": "Sex"}
    assert {label: without_unit(label) for label in listed_in} == listed_in
    assert without_unit("HSCT, in remission") == "HSCT, in remission"
    assert "without_unit(data.label(" in (ROOT / "book" / "remark.ipynb").read_text("utf-8")
