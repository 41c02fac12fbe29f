"""The published studies whose patients are public: the book and the print beside R.

R's values are frozen by tests/reference/studies.R, from the sources and not from patients.csv.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pandas as pd
import pytest
from inprocess import results_of, run
from test_published import printing

from analysis.dataset.columns import LISTED
from analysis.dataset.model import ROOT, load
from analysis.page.formats import rounded, scaled
from analysis.page.published import both, compare, expressions
from analysis.page.rows import pick
from analysis.printed.scorecard import counted, scorecard
from analysis.study.advice import check

REFERENCE = ROOT / "tests" / "reference"
STUDIES = pd.read_csv(REFERENCE / "studies.csv", float_precision="round_trip")
REASONS = pd.read_csv(REFERENCE / "reasons.csv", float_precision="round_trip")
NAMES = ("mgus", "mgus2", "colon", "cgd")
# How many of the printed numbers and statements R gives from the same patients, and of how many.
REPRODUCED = {"mgus": (13, 17), "mgus2": (7, 11), "colon": (4, 9), "cgd": (9, 11)}


def of(name: str) -> pd.DataFrame:
    """What R has of a dataset."""
    return STUDIES[STUDIES["dataset"] == name]


def made_of(name: str) -> dict[str, pd.DataFrame]:
    """The results of the pages of which R has something: those that are printed are among them."""
    return results_of(f"data/{name}", 0, frozenset(of(name)["page"]))


@pytest.mark.parametrize("name", NAMES)
def test_each_number_of_the_pages_is_r_s(name: str) -> None:
    made = made_of(name)
    assert len(of(name)) > 40
    for row in of(name).itertuples():
        month = None if pd.isna(row.months) else row.months
        ours = pick(made[row.page], row.quantity, row.group, month)
        # cmprsk stops its search a little early, and the years of a table have four decimals.
        off = 1e-6 if row.quantity.startswith("subdistribution") else 1e-8
        near = 6e-5 if "_years|" in row.group else 1e-12
        for part in ("estimate", "lower", "upper"):
            told = getattr(row, part)
            if part == "estimate" or not pd.isna(told):
                expected = pytest.approx(told, rel=off, abs=near, nan_ok=True)
                assert ours[part] == expected, (row, part)


def in_unit(row: pd.Series, value: float, unit: str) -> float:
    """A value as it is printed: times in the unit of the dataset, shares in per cent."""
    times = row["quantity"].startswith(("median_followup", "followup_"))
    if times and unit == "years":
        return value / 12
    return scaled(value, row["quantity"])


@pytest.mark.parametrize("name", NAMES)
def test_r_reproduces_so_many_of_the_printed_numbers(name: str) -> None:
    data = load(f"data/{name}")
    printed = data.published[~data.published["kind"].isin(LISTED)]
    assert (printed["kind"] == "emergent").all()
    keys = ["page", "quantity", "group", "months"]
    found = printed.merge(of(name), on=keys, how="left", validate="many_to_one")
    assert found["estimate"].notna().all(), found.loc[found["estimate"].isna(), keys]
    match = []
    for _, row in found.iterrows():
        if row["printed"] in ("yes", "no"):
            low = row["estimate"] < 0.05 if row["quantity"] == "interaction_p" else row["estimate"]
            match.append(low == (row["printed"] == "yes"))
            continue
        decimals = len(row["printed"].partition(".")[2])
        value = in_unit(row, row["estimate"], data.settings.unit)
        if row["printed"].startswith("<"):
            match.append(value < float(row["printed"][1:]))
            continue
        match.append(rounded(value, decimals) == row["printed"])
    assert (sum(match), len(match)) == REPRODUCED[name]
    # What does not match says what was tried.
    assert (found.loc[[not same for same in match], "note"] != "").all()


@pytest.mark.parametrize("name", NAMES)
def test_the_scorecard_counts_what_r_counts(name: str) -> None:
    run = counted(scorecard(load(f"data/{name}"), made_of(name)))
    assert (int(run["match"].sum()), len(run)) == REPRODUCED[name]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_note_says_was_tried_is_r_s(name: str) -> None:
    """The numbers with decimals in the notes are R's, as shares, per cent, years or P."""
    data = load(f"data/{name}")
    known = REASONS.loc[REASONS["dataset"] == name, "value"]
    printed = set(data.published["printed"])
    said = [number for note in data.published["note"].unique()
            for number in re.findall(r"\d*\.\d+", note)]  # fmt: skip
    assert len(said) >= 2
    for number in said:
        decimals = len(number.partition(".")[2])
        texts = {rounded(value, decimals) for value in known}
        assert number.startswith(".") or number in texts | printed, number
        assert not number.startswith(".") or f"0{number}" in texts | printed, number


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_wrong_with_a_study(name: str) -> None:
    report, lines = check(ROOT / "data" / name)
    assert lines == [] and report[-1] == "no problem found"
    assert not any(line.startswith("Warnings") for line in report)


@pytest.mark.parametrize("name", ["mgus", "mgus2"])
def test_an_incidence_on_which_events_come_as_before_is_no_plateau(
    name: str, tmp_path: Path
) -> None:
    text = run("progression", f"data/{name}", tmp_path).text
    assert "What the curve rests on" in text and "**Events are still coming.**" in text
    assert "plateau rests" not in text


def test_infections_are_what_the_script_makes() -> None:
    folder = ROOT / "data" / "cgd"
    spec = importlib.util.spec_from_file_location("make_cgd", folder / "make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    table = Path(folder / "infections.csv")
    assert module.make_infections() == table.read_text("utf-8")
    rows = pd.read_csv(table)
    patients = load("data/cgd").patients
    number = rows.groupby("patient_id").size().reindex(patients["patient_id"], fill_value=0)
    assert list(number) == list(patients["infections"])
    first = rows[rows["infection"] == 1].set_index("patient_id")["day"]
    days = patients.set_index("patient_id")["first_infection_day"].dropna()
    pd.testing.assert_series_equal(first, days, check_names=False, check_dtype=False)


def test_where_nobody_dies_no_table_is_by_survival(tmp_path: Path) -> None:
    for name in ("table_2", "table_s2"):
        assert "does not record “Died”" in run(name, "data/cgd", tmp_path).missing


def test_of_events_that_came_later_only_those_of_the_study_are_named(tmp_path: Path) -> None:
    """And no ratio that is not there, nor a treatment that is none."""
    later = run("table_2", "data/mgus2", tmp_path).text
    assert "every later event, such as malignancy." in later and "to respond" not in later
    assert "changes: from" in later and "changes most" not in later
    assert "first ratio" not in run("table_3", "data/cgd", tmp_path).text
    with_ratios = run("table_3", "data/mgus2", tmp_path).text
    assert "first ratio makes that error" in with_ratios and "treatment effect" not in with_ratios


def test_the_day_of_an_event_is_told_in_the_unit_of_the_study(tmp_path: Path) -> None:
    table = run("table_2", "data/mgus2", tmp_path).table("Table 2.")
    rows = {row[0]: row[1:] for row in table}
    assert "Time to malignancy, years" in rows
    days = load("data/mgus2").patients["progression_day"].dropna() / 365.25
    least, middle, most = (rounded(days.quantile(part), 1) for part in (0, 0.5, 1))
    assert rows["Median (range)"][-1] == f"{middle} ({least}–{most})"


@pytest.mark.parametrize("name", ["mgus", "mgus2"])
def test_a_page_that_finds_nothing_is_left_out(name: str, tmp_path: Path) -> None:
    """One number is printed twice, and the same: that is no page on consistency."""
    assert run("consistency", f"data/{name}", tmp_path).missing


def test_a_supporting_table_names_the_first_book_s_paper_in_no_other(tmp_path: Path) -> None:
    assert "topp2021" not in run("table_s2", "data/mgus", tmp_path).text
    assert "topp2021" in run("table_s2", "data/blinatumomab", tmp_path).text


@pytest.mark.parametrize("name", NAMES)
def test_each_page_with_printed_numbers_sets_them_beside_its_own(name: str, tmp_path: Path) -> None:
    data = load(f"data/{name}")
    pages = {*data.published.loc[~data.published["kind"].isin(LISTED), "page"]}
    for page in pages & {"patients", "table_1", "table_2"}:
        assert "Printed and recomputed: " in run(page, f"data/{name}", tmp_path).text


@pytest.mark.parametrize("name", NAMES)
def test_the_study_says_why_a_main_number_differs(name: str, tmp_path: Path) -> None:
    """And says of nobody's real patients that they are a cohort that reproduces something."""
    data, page = load(f"data/{name}"), run("study", f"data/{name}", tmp_path)
    card = scorecard(data, made_of(name))
    off = counted(card).query("not match")
    main = [tuple(entry.values()) for entry in data.package["study"]["main"]]
    keys = [tuple(value for value in row if value == value) for row in
            off[["page", "quantity", "group", "months"]].itertuples(index=False)]  # fmt: skip
    notes = off["note"][[key in main for key in keys]]
    assert len(notes)
    assert all(note in page.text for note in notes)
    assert "**These patients give" in page.text and "This cohort" not in page.text


def test_a_printed_statement_on_a_p_is_decided_by_the_test() -> None:
    """And the P stands beside it."""
    key = "first_infection|arm:age"
    line = ("first_infection", "interaction_p", key, None, "no", "emergent")
    data, results = printing(load("data/cgd"), line), results_of("data/cgd")["first_infection"]
    p = pick(results, "interaction_p", key)["estimate"]
    (found,) = expressions(compare(data, "first_infection", results))
    assert found["match"].all()
    assert both(found) == ("no", f"no (P = {rounded(p, 2)[1:]})")
    low = results.copy()
    low.loc[low["quantity"].eq("interaction_p"), "estimate"] = 0.049
    found = compare(data, "first_infection", low)
    assert [*found["recomputed"]] == ["yes"] and not found["match"].any()


def test_an_incidence_that_censors_what_competes_says_so(tmp_path: Path) -> None:
    text = run("study", "data/mgus2", tmp_path).text
    assert "1 − Kaplan–Meier (what competes censored), % at 10 years" in text


def test_the_strata_of_a_test_are_named_as_strata(tmp_path: Path) -> None:
    """A bare label, “within more than four positive nodes”, would read like a subgroup."""
    told = run("os", "data/colon", tmp_path).text
    assert "stratified by “More than four positive nodes”, P" in told
    assert "Within strata by “More than four positive nodes”" in told
    assert "ithin more than" not in told + run("patients", "data/colon", tmp_path).text
    assert "within strata by “Group of hospitals”" in run("report", "data/cgd", tmp_path).text


def test_events_that_come_again_are_in_report_and_lists(tmp_path: Path) -> None:
    number = "76</a> serious infections"
    report, *lists = (
        run(page, "data/cgd", tmp_path).text for page in ("report", "strobe", "remark")
    )
    assert number in report and "ratio of the rates of serious infection was" in report
    assert all("Serious infections, each one counted" in text for text in lists)
    assert "; , 0" not in report


def test_the_report_has_the_models_of_every_endpoint(tmp_path: Path) -> None:
    text = run("report", "data/mgus2", tmp_path).text
    for title in ("plasma-cell malignancy", "overall survival"):
        assert f"The stepwise model of {title}" in text


def test_a_lesson_is_not_said_to_have_what_it_has_of_another_cohort() -> None:
    text = (ROOT / "book" / "table_3.ipynb").read_text("utf-8")
    assert "(lesson_09_selection.ipynb) teaches what" in text


# --- what a randomised study, and its groups, ask for -----------------------------------------


def test_in_a_trial_no_model_holds_what_came_after_randomisation(tmp_path: Path) -> None:
    """It is told alone, with a note, and its page says that later factors are there."""
    page, numbers = run("table_3", "data/colon", tmp_path), results_of("data/colon")["table_3"]
    later = numbers[numbers["group"].eq("os:recurrence_day")].set_index("quantity")["estimate"]
    assert later["p_univariate"] < 0.05 and later["kept"] == 0
    assert not {"hazard_ratio_unselected", "hazard_ratio_multivariate"} & {*later.index}
    assert "no candidate for a stepwise model: Recurrence (yes/no)" in page.text
    assert "and by what happened later?" in page.text and "changes: from" not in page.text
    # Where nothing was randomised such a factor may be chosen.
    others = results_of("data/mgus")["table_3"]
    assert pick(others, "kept", "os:progression_day")["estimate"] == 1


def test_the_report_of_a_trial_tells_of_its_arms_not_of_all_together(tmp_path: Path) -> None:
    text = run("report", "data/colon", tmp_path).text
    assert "cause-specific hazard ratio of recurrence was" in text and "Gray’s test P" in text
    assert "The median was" not in text and "cumulative incidence of recurrence at" not in text
    assert "nothing that came after randomisation" in text
    both = run("report", "data/mgus", tmp_path).text
    assert "The median was" in both and "The cumulative incidence of malignancy at" in both


def test_a_report_chooses_no_model_of_fewer_than_two_candidates(tmp_path: Path) -> None:
    text = run("report", "data/mgus", tmp_path).text
    assert "For plasma-cell malignancy, there was no candidate" in text
    assert "The stepwise model of plasma-cell malignancy" not in text
    text = run("report", "data/cgd", tmp_path).text
    assert "the only candidate was Arm (interferon gamma/placebo)" in text
    assert "Such a model chose" not in text


def test_states_are_told_where_enough_are_followed(tmp_path: Path) -> None:
    page = run("states", "data/mgus2", tmp_path)
    followed = page.numbers.query("quantity == 'at_risk' and group == 'followed'")
    followed = followed.set_index("months")["estimate"]
    last = load("data/mgus2").patients["last_contact_day"]
    assert followed[300] == (last >= 300 * 30.4375).sum() == 16
    assert page.text.startswith("**At 15 years:**") or "**At 15 years:**" in page.text
    assert followed[180] >= 1384 / 10 > followed[240]


def test_nobody_is_not_said_to_count_as_dead(tmp_path: Path) -> None:
    for name in ("mgus", "colon"):
        counts = results_of(f"data/{name}")["table_2"].query("group == 'lost|shorter'")
        told = "count here as if dead" in run("table_2", f"data/{name}", tmp_path).text
        assert told == (counts["estimate"].iloc[0] != 0)
