"""Forest plots, the flow of the patients, and what stands under every chart."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re

import altair as alt
import numpy as np
import pandas as pd
import pytest
from inprocess import of, showing
from test_dataset import HEAD, field, folder
from test_pages import NASTY, THIN, chart_of, nasty, rows_in

from analysis.dataset.endpoints import endpoint
from analysis.dataset.model import load
from analysis.page.charts import COLOURS, FOCUS, HEIGHT, Choice
from analysis.page.rows import frame, pick
from analysis.study import figures, marks
from analysis.study import forest as diagrams
from analysis.study.curves import incidence_results, survival_results, thinned
from analysis.study.figures import incidence_figure
from analysis.study.forest import forest_figure
from analysis.study.models import factor_endpoints, factor_results
from analysis.survival.competing import cumulative_incidence
from analysis.survival.curves import survival_curve

DATASETS = ("blinatumomab", "bmt", "myeloid")


@pytest.fixture(scope="module", params=DATASETS)
def dataset(request):
    return load(f"data/{request.param}")


@pytest.fixture(scope="module")
def paper():
    return load("data/blinatumomab")


def html_of(figure) -> str:
    return figure._repr_mimebundle_()["text/html"]


def rows_of(spec: dict) -> list[dict]:
    """Every row of data that a chart holds."""
    return [row for rows in spec["datasets"].values() for row in rows]


# --- forest plot -----------------------------------------------------------------------------


def forest_of(data, place=0):
    question = factor_endpoints(data)[place]
    page = showing(data, factor_results(data, question), name="table_3")
    return page.numbers, forest_figure(page, question, "T. Words.")


@pytest.mark.parametrize("place", [0, 1])
def test_a_forest_plot_has_a_row_for_each_factor_and_marks_for_each_ratio(dataset, place):
    results, figure = forest_of(dataset, place)
    spec = figure.chart.to_dict()
    marks = [row for row in rows_of(spec) if "low" in row]
    for model, words in diagrams.MODELS.items():
        ratios = results[results["quantity"] == f"hazard_ratio_{model}"]["estimate"].dropna()
        found = [row["estimate"] for row in marks if row["model"] == words]
        np.testing.assert_allclose(found, ratios, rtol=1e-4)
    labels = {row["label"] for row in rows_of(spec) if "label" in row}
    question = factor_endpoints(dataset)[place]
    assert labels == {f.label for f in dataset.factors if question.name in f.endpoints}


def test_a_forest_plot_says_its_numbers_in_words(paper):
    _, figure = forest_of(paper)
    assert "hazard ratios of 12 factors" in figure.alt
    assert "CR/CRh (yes/no) 0.29 (95% CI, 0.21–0.40)" in figure.alt
    assert "Stepwise model: CR/CRh (yes/no) 0.43 (95% CI, 0.25–0.74)" in figure.alt
    assert figure.caption.endswith("Synthetic cohort.")
    assert "does better" in html_of(figure)


def ratios(*lines: tuple[float, float, float]) -> pd.DataFrame:
    """Rows as a forest plot takes them, one factor each."""
    made = []
    for place, (estimate, lower, upper) in enumerate(lines):
        row = {"place": place, "label": f"F{place}", "model": "Alone", "apart": 0, "text": "t"}
        made.append({**row, "number": 0, "estimate": estimate, "lower": lower, "upper": upper})
    return pd.DataFrame(made)


def test_the_axis_holds_every_estimate_and_is_even_about_one():
    assert diagrams.span_of(ratios((1.0, 0.9, 1.1))) == pytest.approx(2.2)
    assert diagrams.span_of(ratios((0.25, 0.2, 0.4), (1.5, 1.0, 3.0))) == pytest.approx(5.5)
    assert diagrams.span_of(ratios((1.5, 0.001, 900.0))) == pytest.approx(8.8)
    assert diagrams.span_of(ratios((None, None, None))) == pytest.approx(2.2)
    assert diagrams.ticks_of(5.5) == [0.25, 0.5, 1, 2, 4]
    assert diagrams.ticks_of(20) == [0.0625, 0.25, 1, 4, 16]
    assert diagrams.ticks_of(110) == [0.01, 0.1, 1, 10, 100]


def test_a_limit_past_the_axis_ends_in_an_arrow():
    spec = diagrams.forest_chart(ratios((1.5, 0.001, 900.0), (1.0, 0.8, 1.2))).to_dict()
    shapes = [layer["mark"].get("shape") for layer in spec["layer"]]
    assert shapes.count("triangle-left") == shapes.count("triangle-right") == 1
    drawn = [row for row in rows_of(spec) if "low" in row]
    low, high = spec["layer"][1]["encoding"]["x"]["scale"]["domain"]
    assert all(low <= row["low"] <= row["high"] <= high for row in drawn)
    spec = diagrams.forest_chart(ratios((1.0, 0.8, 1.2))).to_dict()
    assert not any("triangle" in str(layer["mark"].get("shape")) for layer in spec["layer"])


def test_a_ratio_far_off_is_an_arrow_and_leaves_the_axis_to_the_others():
    near, far = (0.8, 0.5, 1.3), (52.7, 38.0, 73.2)
    assert diagrams.span_of(ratios(near, far)) == diagrams.span_of(ratios(near)) < 3
    assert diagrams.span_of(ratios(far)) > 52.7
    spec = diagrams.forest_chart(ratios(near, far)).to_dict()
    marks = [layer for layer in spec["layer"] if "shape" in layer.get("encoding", {})]
    (kept,) = {layer["transform"][0]["filter"] for layer in marks}
    low, high = (float(part) for part in (kept.split()[0], kept.split()[-1]))
    assert low < near[0] < high < far[0]
    assert [layer["mark"].get("shape") for layer in spec["layer"]].count("triangle-right") == 1


def test_what_cannot_be_estimated_is_a_row_of_words(tmp_path):
    factor = {"column": "stage", "label": "Stage", "kind": "baseline"}
    sides = {"numerator": ["I"], "denominator": ["II"]}
    csv = HEAD + "\n".join(THIN["no death"]) + "\n"
    data = load(folder(tmp_path, csv=csv, analysis={"factors": [{**factor, **sides}]}))
    _, figure = forest_of(data)
    spec = figure.chart.to_dict()
    assert not [row for row in rows_of(spec) if "low" in row]
    assert {row["text"] for row in rows_of(spec) if "text" in row} == {"not estimable"}
    assert "Alone: Stage not estimable." in figure.alt
    assert "hazard ratios of 1 factor on" in figure.alt
    assert ">not estimable</text>" in html_of(figure)


# --- flow of the patients --------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Flow:
    """What the page of the patients shows of a dataset, and of which patients its boxes are."""

    numbers: pd.DataFrame
    html: str
    alt: str
    branches: list

    @property
    def counts(self) -> dict[str, int]:
        found = self.numbers[self.numbers["quantity"].eq("count")]
        return dict(zip(found["group"], found["estimate"].astype(int), strict=True))

    @property
    def rows(self) -> list[dict]:
        spec = re.search(r'class="chart-spec">(.*?)</script>', self.html, re.DOTALL)
        return rows_of(json.loads(spec[1]))

    @property
    def adds_up(self) -> bool:
        """Whether the parts of every branch are apart and make up the whole."""
        for parent in self.branches:
            parts = [b.which for b in self.branches if b.parent == parent.name]
            if parts and not (sum(part.astype(int) for part in parts) == parent.which).all():
                return False
        return self.branches[0].which.all()


def flow_of(data) -> Flow:
    page, names = of("patients", data)
    (figure,) = (output for output in page.shown if "chart-spec" in output.get("text/html", ""))
    html, words = figure["text/html"], figure["text/plain"]
    return Flow(page.numbers, html, words, names["branches"])


def test_the_flow_of_the_papers_cohort(paper):
    found = flow_of(paper).counts
    assert found["patients"] == 259
    assert found["response_day|patients"] == 123
    assert found["no_response|patients"] == 136
    assert found["hsct_in_remission|response_day"] == 56
    assert found["no_hsct_in_remission|response_day"] == 67


def test_the_numbers_of_the_flow_add_up(dataset):
    assert flow_of(dataset).adds_up


@pytest.mark.parametrize("rows", THIN.values(), ids=THIN)
def test_the_flow_of_thin_data_adds_up_and_is_drawn(tmp_path, rows):
    data = load(folder(tmp_path, csv=HEAD + "\n".join(rows) + "\n"))
    flow = flow_of(data)
    assert flow.adds_up and flow.alt.startswith("Flow of ")


@pytest.mark.parametrize(
    ("columns", "groups"),
    [
        ((), {"died|patients", "alive|patients"}),
        (("relapse_day",), {"died|patients", "alive|patients"}),
        (("hsct_day",), {"died|patients", "alive|patients"}),
        (("response_day",), {"died|response_day", "alive|response_day", "died|no_response"}),
        (("response_day", "relapse_day"), {"relapsed|response_day", "alive|no_response"}),
        (("response_day", "hsct_day"), {"died|hsct_in_remission", "died|no_hsct_in_remission"}),
    ],
)
def test_the_flow_has_the_boxes_that_the_columns_give(tmp_path, columns, groups):
    names = ["patient_id", *columns, "last_contact_day", "died"]
    fields = [field(name, "integer" if name.endswith("_day") else "string") for name in names]
    days = {"response_day": "30", "hsct_day": "60", "relapse_day": "90"}
    full = ",".join(days[name] for name in columns)
    lines = [
        ",".join(filter(None, ("a", full, "400", "yes"))),
        ",".join(["b", *("" for _ in columns), "500", "no"]),
    ]
    csv = ",".join(names) + "\n" + "\n".join(lines) + "\n"
    data = load(folder(tmp_path, csv=csv, fields=fields))
    flow = flow_of(data)
    found = flow.counts
    assert groups <= set(found)
    assert flow.adds_up
    assert ("relapsed|response_day" in found) is ({"response_day", "relapse_day"} == set(columns))
    assert flow.alt.startswith("Flow of 2 patients.")


def test_the_flow_is_drawn_without_empty_boxes_and_says_its_numbers(dataset):
    flow = flow_of(dataset)
    drawn = {row["name"]: row["count"] for row in flow.rows if "name" in row}
    assert drawn["patients"] == str(len(dataset.patients))
    assert "0" not in drawn.values()
    for row in flow.rows:
        if row.get("parent"):
            assert f"{row['label']} {row['count']}" in flow.alt
    assert ("Synthetic cohort." in flow.html) is dataset.settings.synthetic


def test_the_responders_that_could_not_wait_are_counted(tmp_path):
    """Median wait 30 days: b relapsed within it, c died within it, d neither."""
    names = ["patient_id", "response_day", "hsct_day", "relapse_day", "last_contact_day", "died"]
    fields = [field(name, "integer" if name.endswith("_day") else "string") for name in names]
    rows = ["a,10,40,,900,no", "b,10,,20,900,no", "c,10,,,40,yes", "d,10,,300,900,no",
            "e,10,90,80,900,no", "f,,90,,900,no"]  # fmt: skip
    csv = ",".join(names) + "\n" + "\n".join(rows) + "\n"
    data = load(folder(tmp_path, csv=csv, fields=fields))
    results = flow_of(data).numbers
    wait = pick(results, "median_value", "wait")
    assert (wait["estimate"], wait["n"]) == (pytest.approx(30 / 30.4375), 1)
    gone = pick(results, "count", "gone_by_then|no_hsct_in_remission")
    assert (gone["estimate"], gone["n"]) == (2, 4)
    other = pick(results, "count", "other_hsct|hsct_day")
    assert (other["estimate"], other["n"]) == (2, 3)
    early = pick(results, "count", "seen_early|alive_at_end")
    assert (early["estimate"], early["n"]) == (5, 5)


# --- curves ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "months",
    [range(1, 25), [1.5, 2.2, 6, 7.25, 12], [12, 24, 60], [*range(12, 361, 12)]],
    ids=["1 to 24", "fractions", "years", "30 years"],
)
def test_no_figure_of_a_landmark_lies_on_another(paper, months):
    at = np.array([float(month) for month in months])
    tops = np.linspace(20, 250, len(at))
    texts = [f"{value:.1f}%" for value in tops]
    widths = marks.least_widths(at / at[-1], tops, texts)
    assert widths[0] == 0  # what comes first is always drawn
    for width in (160, 250, 333, 600, 900):
        size = min(max(width / 35, 8), 12)
        drawn = [place for place, least in enumerate(widths) if least <= width]
        for one, other in itertools.combinations(drawn, 2):
            apart = abs(at[one] - at[other]) / at[-1] * width
            assert apart > 0.6 * size * 5 or abs(tops[one] - tops[other]) >= size, (one, other)


def with_landmarks(data, *months: float):
    settings = dataclasses.replace(data.settings, months=months, long_term_months=months[-1])
    return dataclasses.replace(data, settings=settings, public=False)


@pytest.mark.parametrize("months", [(1.5, 6.0, 12.0), (2.25, 7.7), (3.0, 30.1)])
def test_the_mark_of_a_landmark_lies_on_the_curve_of_a_private_dataset(paper, months):
    *_, spec = chart_of(with_landmarks(paper, *months))
    rows = [row for part in rows_in(spec) for row in part]
    steps = [row for row in rows if "at_risk" in row]
    marks = [row for row in rows if "label_at" in row]
    assert {row["month"] for row in marks} == set(months)
    for mark in marks:
        before = max((s for s in steps if s["month"] <= mark["month"] + 1e-3), key=month_of)
        assert before["estimate"] == pytest.approx(mark["estimate"], abs=1e-5)
    within = [row for row in steps if row["month"] % 1]
    assert {round(row["month"], 3) for row in within} <= set(months)  # and no patient's own day
    assert not any(row["censored"] for row in within)


def month_of(row: dict) -> float:
    return row["month"]


def test_the_axis_of_heights_has_a_title_in_words(paper):
    *_, html, spec = chart_of(paper)
    assert "Overall survival" in {axis.get("title") for axis in spec["axes"]}
    still = html.partition('class="chart-spec"')[0]
    assert ">Overall survival</text>" in still
    assert ">Cumulative incidence</text>" in html_of(incidence_of(paper))


def test_a_long_label_has_its_room_and_its_full_text(paper):
    """In a drawing it is cut, and the live one tells it whole."""
    long = "x" * 140
    chart = diagrams.forest_chart(ratios((1.0, 0.8, 1.2)).assign(label=long)).to_dict()
    drawn = [layer for layer in chart["layer"] if "label" in str(layer["encoding"].get("text"))]
    assert all("limit" in layer["mark"] for layer in drawn)
    assert all(layer["encoding"]["tooltip"]["field"] == "label" for layer in drawn)
    question = dataclasses.replace(endpoint(paper, "os"), title=long)
    curve = survival_curve(question.time, question.observed)
    page = showing(paper, survival_results(paper, question, curve))
    rows = {long: ("at_risk", "os", "estimate")}
    series = {long: ("os", curve), "y": ("os", curve)}
    made = figures.step_chart(page, question, series, "survival", rows).to_dict()
    texts = [layer for layer in made["layer"] if layer["mark"]["type"] == "text"]
    for layer in texts:
        data = made["datasets"][layer["data"]["name"]]
        if any(long in str(value) for row in data for value in row.values()):
            field = layer["encoding"]["text"]["field"]
            assert field in ("text", "count") or "limit" in layer["mark"], field


def told(*lines: tuple[str, float, float, float]) -> set[str]:
    """The landmark figures that are drawn of two curves, the first of which is the higher."""
    rows = [
        {"month": 12, "series": name, "text": name, "estimate": at, "lower": low, "upper": high}
        for name, low, at, high in lines
    ]
    x, colour = alt.X("month:Q"), alt.Color("series:N")
    layers = marks.landmark_layers(pd.DataFrame(rows), 24, x, colour)
    return {
        row["text"]
        for row in rows_of(alt.layer(*layers).to_dict())
        if "label_at" in row and row["from_width"] < 1000
    }


def test_the_figure_of_the_lower_of_two_curves_is_clear_of_the_higher_or_not_drawn():
    assert told(("high", 0.4, 0.5, 0.6), ("low", 0.2, 0.3, 0.35)) == {"high", "low"}
    assert told(("high", 0.4, 0.5, 0.6), ("low", 0.02, 0.05, 0.08)) == {"high", "low"}
    assert told(("high", 0.09, 0.12, 0.16), ("low", 0.03, 0.05, 0.08)) == set()  # both or none


def test_the_words_of_a_median_are_not_crossed_by_the_line_before_it():
    """Of close medians the later one has its words to the right of its line."""
    x = alt.X("median:Q")
    colour = alt.Color("series:N")
    for later, sides in ((15.3, ["right", "left"]), (60.0, ["right", "right"])):
        medians = {"early": 8.7, "late": later}
        rows = [
            {"quantity": "median", "group": name, "months": None, "estimate": at}
            for name, at in medians.items()
        ]
        series = {name: (name, pd.DataFrame()) for name in medians}
        made = marks.median_layers(frame(rows), series, "survival", [0, 96], "day 0", colour)
        spec = alt.layer(*made).encode(x=x).to_dict()
        words = [layer for layer in spec["layer"] if layer["mark"]["type"] == "text"]
        found = {
            row["series"]: layer["mark"]["align"]
            for layer in words
            for row in spec["datasets"][layer["data"]["name"]]
        }
        assert [found[name] for name in medians] == sides


def test_a_forest_plot_has_every_ratio_on_a_phone(paper):
    """Both ratios of a factor that the stepwise model keeps, each on a line of its own."""
    results, figure = forest_of(paper)
    spec = figure.chart.to_dict()
    lines: dict[tuple[float, str], str] = {}
    for layer in spec["layer"]:
        if layer["encoding"].get("text", {}).get("field") == "text":
            assert "opacity" not in layer["mark"]
            narrow = layer["mark"]["dy"]["expr"].split(" ? ")[1].split(" : ")[0]
            for row in spec["datasets"][layer["data"]["name"]]:
                assert (row["y"], narrow) not in lines
                lines[row["y"], narrow] = row["text"]
    ratios = results["quantity"].isin(["hazard_ratio_univariate", "hazard_ratio_multivariate"])
    assert len(lines) == ratios.sum() > 12


# --- every chart -----------------------------------------------------------------------------


def test_neither_diagram_holds_a_patient(paper):
    """What is drawn are ratios and counts: of a private dataset the same."""
    private = dataclasses.replace(paper, public=False)
    flow_rows = flow_of(private).rows
    forest_rows = rows_of(forest_of(private)[1].chart.to_dict())
    assert len(flow_rows) < 60 and len(forest_rows) < 120
    ids = set(paper.patients["patient_id"])
    for row in (*flow_rows, *forest_rows):
        assert not {"time", "event", *ids} & {*row, *map(str, row.values())}


def test_labels_of_a_dataset_stay_text_in_the_diagrams(tmp_path):
    data = nasty(tmp_path)
    forest = forest_of(data)[1]
    named = dataclasses.replace(forest, curves=(NASTY,))
    for html in (flow_of(data).html, html_of(forest), html_of(named)):
        assert "<script>alert" not in html
        assert "&lt;script&gt;alert" in html


def test_under_a_chart_are_its_files(paper):
    html = html_of(forest_of(paper)[1])
    controls = re.findall(r"<(button|a|summary) ([^>]*)>([^<]*)</\1>", html)
    kinds = ["PNG", "PDF", "SVG"]
    words = ["Download", *kinds * 3, "Numbers (CSV)", "Notebook"]
    assert [words for *_, words in controls] == words
    labels = [re.search('aria-label="([^"]*)"', attributes)[1] for _, attributes, _ in controls]
    assert len({*labels}) == len(words) and all(label.endswith(": T") for label in labels)
    assert "<details hidden>" in html  # its buttons need the script
    assert 'href="results/table_3.csv"' in html
    assert 'href="_sources/table_3.ipynb"' in html


def incidence_of(data):
    question = endpoint(data, "relapse")
    labels = {"relapse": "Relapse", "death": "Death"}
    curves = {
        cause: cumulative_incidence(question.time, question.observed, number)
        for number, cause in enumerate(labels, start=1)
    }
    page = showing(data, incidence_results(data, question, curves), name="figure_1d")
    return incidence_figure(page, question, curves, labels, "Figure 1D")


def test_a_curve_of_several_can_stand_out(paper):
    figure = incidence_of(paper)
    html, spec = html_of(figure), figure.chart.to_dict()
    assert re.findall(r'data-curve="(\w+)" class="(series-\d)"', html) == [
        ("Relapse", "series-1"),
        ("Death", "series-2"),
    ]
    assert {"name": FOCUS, "value": ""} in spec["params"]
    fading = [layer for layer in spec["layer"] if FOCUS in json.dumps(layer["encoding"])]
    assert len(fading) >= 8
    assert all(colour in html for colour in COLOURS)  # the still drawing has both


def test_a_single_curve_has_nothing_to_stand_out_from(paper):
    *_, html, spec = chart_of(paper)
    assert "data-curve" not in html
    assert FOCUS not in json.dumps(spec)


@pytest.mark.parametrize(("count", "words"), [(1, "The one answer"), (3, "All 3 answers")])
def test_the_answers_of_a_choice_are_counted(count, words):
    numbers = [str(number) for number in range(count)]
    assert f"<summary>{words}</summary>" in Choice("Month", numbers, numbers).html("page")


def test_a_curve_of_thousands_of_days_keeps_what_a_screen_can_show():
    rng = np.random.default_rng(1)
    time, event = rng.exponential(900, 50_000), rng.random(50_000) < 0.6
    curve = survival_curve(time, event)
    end = time.max()
    steps = pd.DataFrame({"month": curve.index, "estimate": curve["survival"].to_numpy(),
                          "lower": curve["lower"].to_numpy(), "upper": curve["upper"].to_numpy(),
                          "censored": curve["censored"].to_numpy()})  # fmt: skip
    thin = thinned(steps, 1, end)
    assert 200 < len(thin) < 700 < len(steps)
    assert thin["censored"].sum() == steps["censored"].sum()
    # At each of the old steps the new curve is where the old one is within a point of the axis,
    # but for less than half a pixel.
    after = np.searchsorted(thin["month"], steps["month"] - end / 1000, side="right") - 1
    before = np.searchsorted(thin["month"], steps["month"] + end / 1000, side="right") - 1
    for name in ("estimate", "lower", "upper"):
        heights = np.append(thin[name].fillna(thin["estimate"]), 1.0)  # at first all are alive
        old = steps[name].fillna(steps["estimate"])
        assert (heights[after] >= old - 0.5 / HEIGHT).all()
        assert (heights[before] <= old + 0.5 / HEIGHT).all()
    whole = steps.head(900)
    assert thinned(whole, 1, end) is whole


def test_the_curves_of_forty_years_are_drawn() -> None:
    """Lesson 5 has two curves for each of twelve landmarks, month by month."""
    rows = pd.DataFrame({"month": range(5001), "survival": 1.0})
    chart = alt.layer(alt.Chart(rows).mark_line().encode(x="month:Q", y="survival:Q"))
    assert len(next(iter(chart.to_dict(validate=False)["datasets"].values()))) == 5001
