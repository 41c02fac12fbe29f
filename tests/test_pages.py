"""From results to what a reader sees: numbers as text, tables, charts, prose, the print."""

from __future__ import annotations

import csv
import dataclasses
import json
import re
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from conftest import often
from inprocess import results_of, run, showing
from test_dataset import HEAD, field, folder

from analysis.dataset.columns import PUBLISHED, RESERVED
from analysis.dataset.endpoints import endpoint
from analysis.dataset.model import ROOT, NotRecorded, load
from analysis.page.contents import Place
from analysis.page.formats import interval, listed, p_value, rounded, shown
from analysis.page.prose import Prose
from analysis.page.published import against_print, compare
from analysis.page.rows import COLUMNS, pick, write
from analysis.page.tables import Row, Table
from analysis.site.pages import without_links
from analysis.study.characteristics import (
    baseline_results,
    outcome_results,
    relapse_free_columns,
    survival_columns,
    text_results,
)
from analysis.study.curves import axis_months, plateau_month, survival_results
from analysis.study.figures import survival_figure
from analysis.study.landmarks import landmark_table, plateau_table
from analysis.study.models import SELECTION_LEVEL, factor_endpoints, forward_results
from analysis.study.sentences import beyond, within_a_year
from analysis.study.tables import characteristics_table, factors_named, models_table
from analysis.survival.curves import survival_curve

NASTY = '<script>alert(1)</script> *b* [x](y) {cite}`z` $m$ "q"'


@pytest.fixture(scope="module")
def bmt():
    return load("data/bmt")


# --- numbers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (2.5, 0, "3"),
        (0.25, 1, "0.3"),
        (100 * 0.285, 0, "29"),
        (56.25, 1, "56.3"),
        (1.005, 2, "1.01"),
        (-0.04, 1, "0.0"),
        (-1.25, 1, "−1.3"),
        (np.nan, 1, "–"),
        (12.0, 0, "12"),
    ],
)
def test_rounding_is_half_away_from_zero(value, decimals, text):
    assert rounded(value, decimals) == text


def test_rounding_agrees_with_decimal_arithmetic():
    for count in range(260):
        exact = (Decimal(100) * count / 259).quantize(Decimal("0.1"), ROUND_HALF_UP)
        assert rounded(100 * count / 259, 1) == str(exact)


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.0004, "<.001"), (0.0124, ".012"), (0.049, ".049"), (0.5, ".50"), (0.9999, ">.99")],
)
def test_p_values_read_as_printed(p, text):
    assert p_value(p) == text


def test_what_was_not_reached_says_so():
    row = pd.Series({"quantity": "median", "estimate": 9.0, "lower": 5.04, "upper": np.nan})
    assert interval(row) == "5.0–not reached"
    assert shown(np.nan, "median") == "not reached"
    assert shown(0.234, "survival") == "23.4"


def test_lists_read_as_sentences():
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"


# --- text is never markup --------------------------------------------------------------------


def test_a_label_in_prose_is_text():
    markdown = Prose("Label: {label}.", label=NASTY)._repr_markdown_()
    assert "<script>" not in markdown
    for mark in "*[{`$":
        assert not re.search(rf"(?<!\\){re.escape(mark)}", markdown), mark
    assert repr(Prose("Label: {label}.", label=NASTY)) == f"Label: {NASTY}."


def test_a_label_in_a_table_is_text():
    table = Table(NASTY, NASTY, ["", NASTY], [Row(NASTY, [NASTY]), Row(NASTY)], [NASTY])
    html = table._repr_mimebundle_()["text/html"]
    assert "<script>" not in html
    assert 'id="&lt;script&gt;' in html


def test_a_table_can_be_had_as_csv_that_no_spreadsheet_runs():
    rows = [Row("=1+1", ("a, b", '"q"')), Row("Group"), Row("@x", ("−1", "2"), 1)]
    html = Table("t", "T", ("A", "B", "C"), rows)._repr_mimebundle_()["text/html"]
    address = re.search(r'href="data:text/csv;charset=utf-8,([^"]*)"', html).group(1)
    mark, *text = unquote(address)
    assert mark == "\ufeff"  # or Excel would misread its signs
    lines = list(csv.reader("".join(text).splitlines()))
    rows = [["'=1+1", "a, b", '"q"'], ["Group"], ["'@x", "−1", "2"]]
    assert lines == [["A", "B", "C"], *rows, ["# T", "", ""]]  # the caption goes with it


def nasty(tmp_path):
    """A private dataset with markup in every label and value."""
    fields = [
        field("patient_id"),
        {**field("stage", enum=["I", NASTY]), "title": NASTY},
        field("age", "integer"),
        {**field("response_day", "integer"), "title": NASTY},
        {**field("relapse_day", "integer"), "title": NASTY},
        field("last_contact_day", "integer"),
        field("died"),
    ]
    quoted = '"' + NASTY.replace('"', '""') + '"'
    rows = [
        f"p{i},{'I' if i % 3 else quoted},{40 + i},{30 if i % 2 else ''},"
        f"{60 if i % 4 == 1 else ''},{100 + 37 * i},{'yes' if i % 5 else 'no'}\n"
        for i in range(40)
    ]
    factor = {"column": "stage", "label": NASTY, "kind": "baseline"}
    sides = {"numerator": ["I"], "denominator": [NASTY]}
    analysis_ = {"time_origin": NASTY, "population": NASTY, "factors": [{**factor, **sides}]}
    path = folder(
        tmp_path / "nasty", csv=HEAD + "".join(rows), fields=fields, analysis=analysis_, title=NASTY
    )
    return load(path)


def test_labels_of_a_dataset_stay_text_in_every_table_and_chart(tmp_path):
    data = nasty(tmp_path)
    question = endpoint(data, "rfs")
    page = showing(data, survival_results(data, question, curve_of(question)))
    shown_things = [
        survival_figure(page, question, curve_of(question), NASTY),
        landmark_table(page, question, "survival", {"rfs": NASTY}, NASTY),
        characteristics_table(
            showing(data, baseline_results(data)), ["baseline"], {"": NASTY}, NASTY
        ),
    ]
    shown_things = [thing._repr_mimebundle_()["text/html"] for thing in shown_things]
    for name in ("index", "data", "table_3"):
        shown = run(name, tmp_path / "nasty", tmp_path / "results").shown
        shown_things += [output["text/html"] for output in shown if "<table" in str(output)]
    assert len(shown_things) >= 10
    for html in shown_things:
        assert "<script>alert" not in html
    assert all("&lt;script&gt;alert" in html for html in shown_things[:3])


@pytest.mark.parametrize("name", ["blinatumomab", "bmt", "myeloid"])
def test_no_code_names_a_column_that_a_dataset_owns(name):
    """What a dataset calls its own columns is for its datapackage.json alone to say."""
    owned = {field["name"] for field in load(f"data/{name}").fields} - set(RESERVED)
    # words.py is a list of what the columns of files are called everywhere.
    modules = set((ROOT / "analysis").glob("*.py")) - {ROOT / "analysis" / "words.py"}
    code = {path: path.read_text("utf-8") for path in modules}
    for path in (ROOT / "book").glob("*.ipynb"):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        code[path] = "".join(line for cell in cells for line in cell["source"])
    assert len(owned) >= 3
    found = {
        (path.name, column)
        for path, text in code.items()
        for column in owned
        if re.search(rf"""["'.]{re.escape(column)}["'\]]""", text)
    }
    assert found == set()


# --- charts ----------------------------------------------------------------------------------


def curve_of(question):
    return survival_curve(question.time, question.observed)


def chart_of(data, name="os"):
    question = endpoint(data, name)
    page = showing(data, survival_results(data, question, curve_of(question)), name="figure")
    results, figure = page.numbers, survival_figure(page, question, curve_of(question), "Figure")
    html = figure._repr_mimebundle_()["text/html"]
    spec = re.search(r'class="chart-spec">(.*?)</script>', html, re.S).group(1)
    return question, results, figure, html, json.loads(spec)


def rows_in(spec: dict) -> list[list[dict]]:
    """The data of a compiled chart."""
    return [data["values"] for data in spec["data"] if data.get("values")]


def test_a_chart_carries_drawing_specification_and_words(bmt):
    _, _, figure, html, spec = chart_of(bmt)
    assert "<svg" in html
    width = next(signal for signal in spec["signals"] if signal["name"] == "width")
    assert "containerSize" in width["init"]
    assert html.count(f'aria-label="{figure.alt}"') == 1
    assert "21.1 months" in figure.alt
    assert "currentColor" in html


def test_the_same_data_draw_the_same_bytes(bmt):
    assert chart_of(bmt)[3] == chart_of(bmt)[3]


def test_numbers_under_the_axis_stand_on_its_ticks(bmt):
    question, results, *_, spec = chart_of(bmt)
    ticks = axis_months(bmt, question)
    counts = [
        [row["count"] for row in rows]
        for rows in rows_in(spec)
        if {"month", "count"} <= set(rows[0]) and [r["month"] for r in rows] == ticks
    ]
    at_risk = results[results["quantity"] == "at_risk"].set_index("months")["estimate"]
    assert [f"{number:.0f}" for number in at_risk.loc[ticks]] in counts
    assert at_risk.loc[0] == len(question.data)
    censored = results[results["quantity"] == "censored"].set_index("months")["estimate"]
    past = "–"  # beyond the last patient nobody knows who would have left
    left = [past if np.isnan(number) else f"{number:.0f}" for number in censored.loc[ticks]]
    assert left in counts and left[-1] == past


def test_everybody_is_at_risk_or_left(bmt):
    """No event of bmt falls on a tick, so the three rows add up to all patients."""
    _, results, *_ = chart_of(bmt)
    rows = results[results["months"].notna()].pivot_table(
        index="months", columns="quantity", values="estimate"
    )
    events = results[results["quantity"] == "survival"].set_index("months")["events"]
    assert (rows["at_risk"] + rows["censored"] + events == len(bmt.patients)).all()


def test_a_private_chart_holds_whole_months_only(bmt):
    private = dataclasses.replace(bmt, public=False)
    for data, whole in ((bmt, False), (private, True)):
        *_, spec = chart_of(data)
        months = {row["month"] for rows in rows_in(spec) for row in rows if "at_risk" in row}
        assert all(float(month).is_integer() for month in months) is whole
        assert len(months) > 50


def test_a_private_chart_keeps_the_number_of_censored(bmt):
    *_, spec = chart_of(dataclasses.replace(bmt, public=False))
    steps = next(rows for rows in rows_in(spec) if "at_risk" in rows[0])
    assert sum(row["censored"] for row in steps) == bmt.patients["died"].eq("no").sum()


# --- tables and results ----------------------------------------------------------------------


def test_counts_and_percentages_of_table_1(bmt):
    found = baseline_results(bmt).set_index(["quantity", "group"])["estimate"]
    assert found["count", "disease=ALL"] == 38
    assert found["percent", "disease=ALL"] == pytest.approx(100 * 38 / 137)


def test_the_columns_of_table_2_add_up(bmt):
    found = outcome_results(bmt)
    counts = found[found["quantity"] == "count"].set_index("group")["estimate"]
    assert counts["long_term"] == counts["patients|long_term"]
    for name in {group.split("|")[0] for group in counts.index if "|" in group}:
        parts = counts[f"{name}|long_term"] + counts[f"{name}|shorter"]
        assert parts == counts[f"{name}|total"]


@pytest.mark.parametrize("columns", [relapse_free_columns, survival_columns])
def test_the_columns_of_the_supporting_tables_add_up(columns):
    data = load("data/blinatumomab")
    masks = columns(data)
    total = masks.pop("total")
    assert len(masks) == 4
    assert (sum(mask.astype(int) for mask in masks.values()) == total.astype(int)).all()


def test_a_missing_category_has_a_line_of_its_own(tmp_path):
    data = load(folder(tmp_path, csv=HEAD + "a,I,40,,,400,no\nb,,50,,,90,yes\n"))
    page = showing(data, baseline_results(data))
    table = characteristics_table(page, ["baseline"], {"": "All"}, "T")
    assert Row("Not recorded", ["1 (50.0)"], 1) in list(table.rows)


def test_a_dataset_without_factors_or_characteristics_says_so(tmp_path):
    data = load(folder(tmp_path, analysis={"characteristics": []}))
    with pytest.raises(NotRecorded, match="no characteristics"):
        baseline_results(data)
    with pytest.raises(NotRecorded, match="names none"):
        factor_endpoints(data)


THIN = {
    "one patient": ["a,I,40,10,,130,yes"],
    "no death": [f"p{i},{'I' if i % 2 else 'II'},{40 + i},20,,{100 + i},no" for i in range(9)],
    "all die on day 0": [f"p{i},I,40,0,,0,yes" for i in range(5)],
    "relapse on the day of response": ["a,I,40,10,10,90,no", "b,II,50,10,,90,yes"],
}


@pytest.mark.parametrize("kind", often(THIN, "one patient", "no death"))
def test_thin_data_give_results_and_figures_or_say_why_not(tmp_path, kind):
    factor = {"column": "stage", "label": "Stage", "kind": "baseline"}
    sides = {"numerator": ["I"], "denominator": ["II"]}
    csv = HEAD + "\n".join(THIN[kind]) + "\n"
    path = folder(tmp_path, csv=csv, analysis={"factors": [{**factor, **sides}]})
    data, made = load(path), results_of(path)
    assert {"figure_1a", "figure_1b", "figure_1d", "table_1", "table_3"} <= set(made)
    shares = made["figure_1a"].query("quantity == 'survival'")
    end = made["figure_1a"].query("quantity == 'followup_end'")["estimate"].item()
    told = shares["estimate"].notna()
    assert told[shares["months"] <= end].all()
    assert shares.loc[told, "estimate"].between(0, 1).all()
    assert (shares["lower"].isna() | (shares["lower"] <= shares["estimate"])).all()
    assert "<svg" in chart_of(data)[3]


def test_results_have_the_columns_of_the_contract(bmt, tmp_path):
    rows = results_of("data/bmt")["figure_1a"]
    write(rows, tmp_path, "figure_1a")
    written = pd.read_csv(tmp_path / "figure_1a.csv")
    assert list(written.columns) == COLUMNS
    again = pick(written, "survival", "os", 24)
    assert again["estimate"] == pick(rows, "survival", "os", 24)["estimate"]


def test_no_factor_prints_an_infinite_ratio(tmp_path):
    rows = "".join(f"p{i},{'I' if i < 9 else 'II'},4{i % 9},,,{i + 5},{'yes' if i < 9 else 'no'}\n"
                   for i in range(18))  # fmt: skip
    factor = {"column": "stage", "label": "Stage", "kind": "baseline"}
    sides = {"numerator": ["I"], "denominator": ["II"]}
    path = folder(tmp_path, csv=HEAD + rows, analysis={"factors": [{**factor, **sides}]})
    page = run("table_3", path, tmp_path / "results")
    results = page.numbers
    assert page.table("Table 3.")[2][:2] == ["Stage", "not estimable"]
    assert not np.isinf(results[["estimate", "lower", "upper"]].to_numpy(dtype=float)).any()


def test_factors_say_what_is_associated_and_what_is_kept():
    found = results_of("data/blinatumomab")["table_3"]
    value = found.set_index(["quantity", "group"])["estimate"]
    for quantity, truth in (
        ("associated", value["p_univariate"] < SELECTION_LEVEL),
        ("kept", value["p_univariate"].index.isin(value["hazard_ratio_multivariate"].index)),
    ):
        assert value[quantity].index.equals(value["p_univariate"].index)
        assert (value[quantity] == truth).all()
    assert 0 < value["kept"].sum() < value["associated"].sum() < len(value["associated"])


def test_a_factor_without_an_estimate_is_neither_associated_nor_not(tmp_path):
    factor = {"column": "stage", "label": "Stage", "kind": "baseline"}
    sides = {"numerator": ["I"], "denominator": ["II"]}
    csv = HEAD + "\n".join(THIN["no death"]) + "\n"
    path = folder(tmp_path, csv=csv, analysis={"factors": [{**factor, **sides}]})
    found = results_of(path)["table_3"].query("quantity in ('associated', 'kept')")
    assert len(found) == 4
    assert found["estimate"].isna().all()


def test_the_sentences_count_patients(tmp_path):
    """Five long-term survivors by hand: relapse-free, transplanted, both or neither."""
    fields = [
        field("patient_id"),
        *(field(name, "integer") for name in ("response_day", "hsct_day", "relapse_day")),
        field("last_contact_day", "integer"),
        field("died"),
    ]
    rows = [
        "a,30,90,,1400,no",  # relapse-free after transplant
        "b,30,,,1400,no",  # relapse-free without
        "c,30,,200,1400,no",  # relapsed, without transplant
        "d,,100,,1400,no",  # no response, transplanted
        "e,,,,1400,yes",  # no response, no transplant
        "f,30,,,200,no",  # relapse-free, not followed long enough
        "g,30,60,90,300,yes",
    ]
    head = "patient_id,response_day,hsct_day,relapse_day,last_contact_day,died\n"
    page = run(
        "in_the_text",
        folder(tmp_path, csv=head + "\n".join(rows) + "\n", fields=fields),
        tmp_path / "results",
    )
    found = page.numbers
    of = {row["group"]: (row["estimate"], row["n"]) for _, row in found.iterrows()
          if row["quantity"] == "count"}  # fmt: skip
    assert of["response_day"] == (5, 7)
    assert of["relapse_free|long_term"] == (2, 5)
    assert of["without_hsct|long_term"] == (3, 5)
    assert of["relapse_free_without_hsct|long_term"] == (1, 5)
    assert of["relapse_free_after_hsct|relapse_free"] == (1, 2)
    assert of["relapse_free_without_hsct|relapse_free"] == (1, 2)
    assert of["long_term_relapse_free|response_day"] == (2, 5)
    assert of["relapse_free_after_hsct|long_term_without_hsct"] == (0, 3)
    assert ["Relapse-free", "2 (40.0)"] in page.table("Response, relapse and transplant")


def test_sentences_need_response_relapse_and_transplant(tmp_path):
    with pytest.raises(NotRecorded, match="has no column hsct_day"):
        text_results(load(folder(tmp_path)))


# --- the print -------------------------------------------------------------------------------


def test_the_print_is_compared_at_its_own_precision(bmt):
    lines = [
        ["figure_1a", "survival", "os", 24.0, "estimate", "46.4", "here", ""],
        ["figure_1a", "survival", "os", 24.0, "estimate", "46", "here", ""],
        ["figure_1a", "survival", "os", 24.0, "lower", "37.9", "here", "a slip"],
        ["figure_1a", "median", "os", np.nan, "upper", "42.0", "here", ""],
        ["figure_1a", "median", "nobody", np.nan, "estimate", "1.0", "here", ""],
    ]
    published = pd.DataFrame(lines, columns=list(PUBLISHED)).assign(kind="")
    data = dataclasses.replace(bmt, published=published)
    rows = results_of("data/bmt")["figure_1a"]
    found = compare(data, "figure_1a", rows)
    assert found["recomputed"].tolist() == ["46.4", "46", "37.8", "42.0", ""]
    assert found["match"].tolist() == [True, True, False, True, False]
    every = against_print(data, "figure_1a", rows).every
    assert "3 of 5" in every.caption
    assert any("a slip" in note for note in every.notes)


def test_a_long_comparison_keeps_what_differs_in_sight():
    data = load("data/blinatumomab")
    shown_ = against_print(data, "table_1", results_of("data/blinatumomab")["table_1"])
    assert [row.cells for row in shown_.differing.rows] == [
        ("146 (56.2)", "146 (56.4)", "differs", "calibrated, contradiction", "Table 1")
    ]
    html = shown_._repr_mimebundle_()["text/html"]
    assert html.index("56.2") < html.index("<details")
    assert "Age, y: Median (range)" in html


def test_without_a_print_the_page_says_so(bmt):
    rows = results_of("data/bmt")["table_1"]
    assert "nothing to compare" in repr(against_print(bmt, "table_1", rows))


# --- what could mislead ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def paper():
    return load("data/blinatumomab")


def shown_as(data, name):
    """A page of the paper's with its numbers."""
    return showing(data, results_of("data/blinatumomab")[name], name=name)


def test_a_plateau_says_what_it_rests_on(paper):
    page = shown_as(paper, "figure_1a")
    month = plateau_month(paper)
    assert month == 36  # the first landmark of the long-term survivors
    question = endpoint(paper, "os")
    days = month * paper.settings.days_per_month
    later = question.data[question.data["time"] > days]
    sentence = str(beyond(page, "os", month))
    assert sentence.startswith(f"{len(later)} patients were followed beyond 36 months, for ")
    assert f"{((later['time'] - days).sum() / 365.25):.1f} patient-years" in sentence
    assert f"Events in that time: {int(later['event'].sum())}, or " in sentence
    table = plateau_table(page, {"os": "OS"}, "P")
    assert [row.heading for row in table.rows] == ["24", "36", "48", "60"]
    assert table.rows[1].cells[0] == str(len(later))


def test_a_plateau_without_events_has_an_upper_limit_and_no_false_interval(paper):
    """No event beyond 48 months: the curve stays at 1, and there it has no limits."""
    page = shown_as(paper, "figure_1a")
    rate = page["event_rate", "os", 48].row
    assert (rate["estimate"], rate["lower"]) == (0, 0)
    assert rate["upper"] > 0
    table = plateau_table(page, {"os": "OS"}, "P")
    assert table.rows[2].cells[-1] == "100.0% (–)"


def test_beyond_the_end_nobody_is_followed(paper):
    page = shown_as(paper, "figure_1b")
    sentence = str(beyond(page, "rfs", 60))
    assert sentence == "Nobody was followed beyond 60 months"
    assert np.isnan(page["event_rate", "rfs", 60].value)


def test_a_moment_of_follow_up_gives_no_rate(paper):
    """Of the paper's cohort one patient is followed beyond month 60, for .1 of a year."""
    page = shown_as(paper, "figure_1a")
    table = plateau_table(page, {"os": "OS"}, "Beyond")
    rows = {row.heading: [str(cell) for cell in row.cells] for row in table.rows}
    assert rows["48"][1:4] == ["6.3", "0", "0.0 (0.0–58.4)"]
    assert rows["60"][1:4] == ["0.1", "0", "–"]


def test_one_patient_was_followed(paper):
    found = beyond(shown_as(paper, "figure_1a"), "os", 60)
    assert str(found).startswith("1 patient was followed beyond 60 months")


@pytest.mark.parametrize(
    ("rate", "text"), [(np.log(2), "50%"), (0.002, "fewer than 1%"), (0, "0%"), (np.nan, "–")]
)
def test_a_rate_as_a_chance_within_a_year(rate, text):
    assert within_a_year(rate) == text


def test_what_comes_later_is_counted_from_its_day_and_as_if_known(paper):
    """As if known from the start, transplant seems to save; counted from its day it may not."""
    question = endpoint(paper, "os")
    forward = forward_results(paper)
    fixed = pick(forward, "hazard_ratio_fixed", "os:hsct_day")
    right = pick(forward, "hazard_ratio_univariate", "os:hsct_day")
    assert fixed["upper"] < 1 < right["upper"]
    assert fixed["n"] == right["n"] == paper.patients["response_day"].notna().sum()
    plan = paper.endpoints["os_after_hsct"]
    only = forward_results(paper, plan)
    assert set(only["group"]) == {"os:hsct_day"} and len(forward) > len(only) == 4
    # Of patients who need not be in remission the factor is another than the figure's.
    assert forward_results(paper, dataclasses.replace(plan, not_before=())).empty
    columns = {"Known": "hazard_ratio_fixed", "Counted": "hazard_ratio_univariate"}
    table = models_table(showing(paper, forward), "f", [question], columns, "F")
    assert table.rows[-1].cells[0] != table.rows[-1].cells[1]


def test_without_factors_there_is_nothing_to_count_forward(tmp_path):
    data = load(folder(tmp_path))
    question = endpoint(data, "os")
    page = showing(data, forward_results(data))
    assert models_table(page, "f", [question], {"HR": "hazard_ratio_fixed"}, "F") is None


def test_the_candidates_stand_unselected_beside_the_stepwise_model(tmp_path):
    page = run("table_3", "data/blinatumomab", tmp_path)
    results = page.numbers
    table = page.table("All candidates in one model, beside")
    lines = {line[0]: line[1:] for line in table}
    assert lines["ECOG (0/1+)"][2] == ""
    assert lines["CR/CRh (yes/no)"][2].startswith("0.43")
    both = results[
        results["quantity"].isin(["hazard_ratio_unselected", "hazard_ratio_multivariate"])
    ]
    for name in ("os", "rfs"):
        assert both[both["group"].str.startswith(f"{name}:")]["n"].nunique() == 1


def test_each_ratio_is_tested_and_shown_early_and_late(paper, tmp_path):
    page = run("table_3", "data/blinatumomab", tmp_path)
    table = page.table("Does the ratio of each factor, alone, stay the same?")
    assert sum(len(line) == 5 for line in table[1:]) == 12 + 11
    shown = showing(paper, page.numbers)
    tests = page.numbers[page.numbers["quantity"].eq("p_proportional_univariate")]
    question = endpoint(paper, "os")
    assert factors_named(shown, question, tests[tests["estimate"].lt(0)]) == "none"
    assert factors_named(shown, question, tests).count("(") >= 12


def test_table_1_counts_who_is_known_in_every_factor(paper):
    found = baseline_results(paper)
    known = pick(found, "count", "known_in_every_factor")["estimate"]
    complete = paper.patients[["age", "bone_marrow_blasts"]].notna().all(axis=1)
    for column in ("race", "t_4_11", "ecog"):
        complete &= paper.patients[column].ne("Unknown") & paper.patients[column].notna()
    assert known == complete.sum()


def test_table_2_says_who_was_lost(paper):
    found = outcome_results(paper)
    early = pick(found, "count", "lost|shorter")["estimate"]
    patients = paper.patients
    days = paper.settings.long_term_months * paper.settings.days_per_month
    assert early == (patients["died"].eq("no") & (patients["last_contact_day"] <= days)).sum()
    assert pick(found, "count", "lost|long_term")["estimate"] == 0
    curve = pick(found, "survival", "os", paper.settings.long_term_months)
    alive = pick(found, "count", "patients|long_term")["n"]
    assert curve["estimate"] > alive / len(patients)


def test_the_methods_page_explains_every_number():
    """The names in its table are those of the results of every page and dataset."""
    notebook = json.loads((ROOT / "book" / "methods.ipynb").read_text("utf-8"))
    text = "\n".join(
        "".join(c["source"]) for c in notebook["cells"] if c["cell_type"] == "markdown"
    )
    table = text[text.index("## Each number") : text.index("## Time")]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    explained = {name for row in rows for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    used = set()
    for name in ("blinatumomab", "bmt", "myeloid"):
        for page, rows in results_of(f"data/{name}").items():
            if page != "consistency":  # its numbers are of the print, and it explains them itself
                used |= set(rows["quantity"])
    again = results_of("data/cgd", 0, frozenset({"infections"}))  # events that come again
    used |= set(again["infections"]["quantity"])
    assert used == explained


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("- [Table 2](table_2.ipynb): what?\n- [Table 3](table_3.ipynb): and?\n",
         "- [Table 3](table_3.ipynb): and?\n"),
        ("| [5. Time](lesson_5.ipynb) | an error | 60 |\n| [9. Ratio](table_3.ipynb) | no | 45 |\n",
         "| [9. Ratio](table_3.ipynb) | no | 45 |\n"),
        ("Such are groups ([Lesson 5](lesson_5.ipynb)).", "Such are groups."),
        ("A landmark (Lessons [5](lesson_5.ipynb) and [2](table_2.ipynb)).", "A landmark."),
        ("A landmark (Lessons [5](lesson_5.ipynb) and [3](table_3.ipynb)).",
         "A landmark (Lessons 5 and [3](table_3.ipynb))."),
        ("It falls. [Table 2](table_2.ipynb) says {cite:t}`b.c` why. So [it](table_3.ipynb) is.",
         "It falls. So [it](table_3.ipynb) is."),
        ("No proof: [Lesson 5](lesson_5.ipynb) says why.\n\nNext.", "No proof.\n\nNext."),
        ("[A](table_3.ipynb) has it, and [B](table_2.ipynb) has [C](table_3.ipynb), too. End.",
         "[A](table_3.ipynb) has it. End."),
        ("See [Lesson 5](lesson_5.ipynb).", "See Lesson 5."),
        ('A <a class="number" href="table_2.html#row-1">7.5</a> here', "A 7.5 here"),
        ("[Figure 1A](figure_1a.ipynb) has it.", r"[*Time* to event](ttr.ipynb) has it."),
    ],
)  # fmt: skip
def test_what_leads_to_a_page_that_the_book_lacks_is_taken_out(text: str, left: str):
    missing = {"table_2", "lesson_5", "figure_1a"}
    instead = {"figure_1a": Place("ttr", Path("figure_1a.ipynb"), "*Time* to event", "ttr")}
    left = left.replace("*Time*", r"\*Time\*")
    assert without_links(text, missing, instead) == left
