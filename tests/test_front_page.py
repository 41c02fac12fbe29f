"""The first page of a book: its study's own question, by arm, resting on enough patients."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace
from unittest import mock

import pandas as pd
import pytest
from conftest import ROOT
from docutils import nodes
from inprocess import Made, Page, as_data, page

from analysis.page import charts

CURVES = {
    "mgus2": [("figure_1d", "progression"), ("figure_1a", "os")],
    "cgd": [("figure_1a", "first_infection"), ("recurrent", "infections")],
}


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The first page of a dataset's book, with what it says to the shelf, after its curves."""

    def made(name: str) -> tuple[Page, dict]:
        folder = tmp_path_factory.mktemp(name)
        given = {"dataset": f"data/{name}", "results_folder": str(folder)}
        with mock.patch.object(charts, "_drawn", as_data):
            for notebook, endpoint in [*CURVES[name], ("index", "")]:
                done = page(ROOT / "book" / f"{notebook}.ipynb", {**given, "endpoint": endpoint})
        return done, json.loads((folder / "book.json").read_text("utf-8"))

    return Made(made)


def told(shown: Page) -> str:
    return "\n".join(output["text/plain"] for output in shown.shown)


def test_the_front_shows_the_first_endpoint_though_something_competes_in_it(front: Made) -> None:
    shown, card = front["mgus2"]
    assert [curve["name"] for curve in card["curves"]] == ["Malignancy", "Death without malignancy"]
    assert card["drawing"]["title"] == "Cumulative incidence"
    rises = [curve["shares"][-1] > curve["shares"][0] for curve in card["curves"]]
    assert rises == [True, True]
    assert "[See the curves](progression.ipynb)" in told(shown)


def test_what_the_front_says_rests_on_enough_and_has_its_numbers(front: Made) -> None:
    shown, card = front["mgus2"]
    rows = shown.numbers
    risk = rows[rows["quantity"].eq("at_risk") & rows["group"].eq("progression")]
    risk = risk.set_index("months")["estimate"]
    assert risk[300] == 16 < risk[240] < risk[0] / 10 <= risk[180]
    share = rows[rows["quantity"].eq("cumulative_incidence") & rows["months"].eq(180)]
    share = share.set_index("group")["estimate"]
    rare, common = (
        f"{100 * share[group]:.1f}%" for group in ("progression", "progression:competing")
    )
    assert card["found"] == (
        f"By 15 years malignancy had come first in {rare}, "
        f"death without malignancy in about two in three ({common})."
    )
    (line,) = [row for row in shown.table("The main estimates") if row[0].startswith("Overall")]
    assert line[3] == "15 years"


def test_the_front_of_a_trial_has_a_line_for_each_arm(front: Made) -> None:
    shown, card = front["cgd"]
    arms = pd.read_csv(ROOT / "data" / "cgd" / "patients.csv")["arm"].value_counts()
    assert {curve["name"] for curve in card["curves"]} == {*arms.index}
    table = shown.table("The main estimates")
    counted = {row[0]: row[1] for row in table if row[0] in arms.index}
    assert counted == {arm: str(n) for arm, n in arms.items()}
    assert str(arms.sum()) not in [row[1] for row in table if len(row) > 1]


def test_events_that_come_again_have_a_card_with_their_numbers(front: Made) -> None:
    shown, _ = front["cgd"]
    rows = shown.numbers[shown.numbers["quantity"].eq("rate_ratio")]
    (line,) = [
        one for one in told(shown).splitlines() if one.startswith("Serious infections, each")
    ]
    assert f"against Placebo: {rows['estimate'].item():.2f} (95% CI, " in line
    assert "Mean number of serious infections of a patient by 9 months, by arm: Placebo, " in line


def test_the_front_names_the_paper_and_whose_patients_they_are(front: Made) -> None:
    for name, paper in {
        "mgus2": "Kyle et al., New England Journal of Medicine 2002",
        "cgd": "International Chronic Granulomatous Disease Cooperative Study Group, "
        "New England Journal of Medicine 1991",
    }.items():
        shown, card = front[name]
        assert f"**Real patients.** Recomputed: {paper}." in told(shown)
        assert (card["real"], card["article"]) == (True, paper)
        package = json.loads((ROOT / "data" / name / "datapackage.json").read_text("utf-8"))
        assert f'href="{package["sources"][0]["path"]}"' in shown.text


def test_what_others_show_beside_a_link_is_plain_text() -> None:
    with mock.patch.object(sys, "path", [str(ROOT / "book" / "_ext"), *sys.path]):
        from finish import description

    begin, end = (nodes.raw("", tag, format="html") for tag in ('<a href="#n1">', "</a>"))
    said = [nodes.Text("Of "), begin, nodes.Text("128 & more"), end, nodes.Text(" lived. So.")]
    document = SimpleNamespace(findall=lambda kind: iter([nodes.paragraph("", "", *said)]))
    assert description(document) == "Of 128 & more lived."
    asked = nodes.paragraph("", "", nodes.strong("", "What was asked."), nodes.Text(" Who? Cox."))
    assert description(SimpleNamespace(findall=lambda kind: iter([asked]))) == "Who?"
