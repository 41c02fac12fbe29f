"""The book of a study of something else: other events, no deaths, few patients, an empty arm."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from unittest import mock

import altair as alt
import nbformat
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from conftest import often
from inprocess import QUICK, Page, as_data, pages, run

from analysis.dataset.model import load
from analysis.page import charts
from analysis.page.contents import Place, places
from analysis.page.contents import pages as listed
from analysis.page.plain import OTHERWISE
from analysis.page.rows import pick
from analysis.site.pages import spoken, without_links

TEXT = {"patient_id", "model", "side", "died"}


def study(place: Path, patients: pd.DataFrame, **analysis: object) -> Path:
    """A dataset folder of implants of two models, followed from the day of the operation."""
    fields = [
        {"name": name, "type": "string" if name in TEXT else "number", "title": title(name)}
        for name in patients
    ]
    fields[1]["constraints"] = {"enum": ["A", "B"]}
    package = {
        "name": "implants",
        "title": "Implants of two models",
        "resources": [{"name": "patients", "path": "patients.csv", "schema": {"fields": fields}}],
        "analysis": {
            "time_origin": "operation",
            "population": "patients with an implant",
            "months": [12, 24, 36],
            "long_term_months": 24,
            "compare": {"column": "model", "reference": "A"},
            **analysis,
        },
    }
    place.mkdir()
    (place / "datapackage.json").write_text(json.dumps(package), "utf-8")
    patients.to_csv(place / "patients.csv", index=False)
    return place


def title(name: str) -> str:
    return name.removesuffix("_day").capitalize().replace("_", " ")


def implants(n: int, models: str = "AB") -> pd.DataFrame:
    """`n` patients with an implant that may fail, be revised on the way, or be taken out."""
    rng = np.random.default_rng(3)
    last = rng.integers(200, 1400, n)
    failure = (rng.random(n) * 1.6 * last).round() + 1
    removal = (rng.random(n) * 2.5 * last).round() + 1
    revision = (0.4 * np.minimum(failure, last)).round() + 1
    return pd.DataFrame(
        {
            "patient_id": [f"P{number}" for number in range(n)],
            "model": [models[number % len(models)] for number in range(n)],
            "age": rng.integers(40, 85, n),
            "failure_day": pd.Series(failure).where(failure <= last),
            "removal_day": pd.Series(removal).where(removal <= last),
            "revision_day": pd.Series(revision).where(rng.random(n) < 0.4),
            "last_contact_day": last,
        }
    )


FAILURE = {"name": "failure", "title": "Implant survival", "event": "failure"}
FAILS = {**FAILURE, "events": ["failure_day"]}
COMPETES = {
    "name": "loosening",
    "title": "Loosening",
    "event": "loosening",
    "events": ["failure_day"],
    "competing": ["removal_day"],
    "competing_event": "removal without it",
}
DIES = {"name": "os", "title": "Overall survival", "event": "death", "events": ["died"]}
FACTORS = [
    {"column": "age", "kind": "baseline", "label": "Age"},
    {
        "column": "model",
        "kind": "baseline",
        "label": "Model (B/A)",
        "numerator": ["B"],
        "denominator": ["A"],
    },
    {"column": "revision_day", "kind": "postbaseline", "label": "Revision (yes/no)"},
]

# What the paper's disease has: in the book of another study only where its datapackage.json has it.
OF_A_DISEASE = re.compile(
    r"leuka?emi\w*|blinatumomab|remission\w*|relaps\w*|transplant\w*|\bHSCT\b|\bCRh?\b|\bTopp\b"
    r"|\bMRD\b|\brespon[ds](?!ib)\w*|salvage|marrow|chromosom\w*",
    re.IGNORECASE,
)
EVERYWHERE = {"patients", "table_1", "data", "index", "report", "strobe", "remark"}
LESSONS = {
    "lesson_01_censoring",
    "lesson_02_follow_up",
    "lesson_03_plateau",
    "lesson_04_two_curves",
    "lesson_10_proportional_hazards",
    "lesson_11_reading",
}
ON_THE_WAY = {
    "lesson_05_competing_risks",
    "lesson_06_immortal_time",
    "lesson_07_start_stop",
    "lesson_08_conditioning",
    "lesson_09_selection",
}
OF_THE_PAPER = {
    *("in_the_text", "table_2", "table_s1"),
    *("cohort", "consistency", "scorecard", "study"),
}


def undrawn(folder: Path, results: Path, left_out: Collection[str] = ()) -> dict[str, Page]:
    """Its pages, their charts as data."""
    with mock.patch.object(charts, "_drawn", as_data):
        return pages(folder, results, left_out, **QUICK)


@pytest.fixture(scope="module")
def fails_data(tmp_path_factory) -> Path:
    """One endpoint, without deaths."""
    place = tmp_path_factory.mktemp("fails") / "data"
    return study(place, implants(40), endpoints=[FAILS], factors=FACTORS)


@pytest.fixture(scope="module")
def competes_data(tmp_path_factory) -> Path:
    """One endpoint in which another event competes."""
    place = tmp_path_factory.mktemp("competes") / "data"
    return study(place, implants(40), endpoints=[COMPETES], factors=FACTORS[:2])


@pytest.fixture(scope="module")
def dies_data(tmp_path_factory) -> Path:
    """Deaths, and a revision before some of them: all that a lesson asks for."""
    patients = implants(60)
    patients["died"] = np.where(patients.index % 3, "yes", "no")
    rival = {"competing": ["died"], "competing_event": "death without loosening"}
    place = tmp_path_factory.mktemp("dies") / "data"
    return study(place, patients, endpoints=[DIES, {**COMPETES, **rival}], factors=FACTORS)


@pytest.fixture(scope="module")
def fails(fails_data: Path) -> dict[str, Page]:
    return undrawn(fails_data, fails_data.parent)


@pytest.fixture(scope="module")
def competes(competes_data: Path) -> dict[str, Page]:
    return undrawn(competes_data, competes_data.parent)


@pytest.fixture(scope="module")
def dies(dies_data: Path) -> dict[str, Page]:
    return undrawn(dies_data, dies_data.parent)


@pytest.mark.parametrize("book", often(("fails", "competes", "dies"), "competes"))
def test_every_chart_is_valid(request, book):
    """A page is made without asking, which takes a fifth of its time."""
    text = "\n".join(page.text for page in request.getfixturevalue(book).values())
    specs = re.findall(r'class="chart-spec">(.*?)</script>', text)
    assert len(specs) > 10
    for spec in specs:
        alt.LayerChart.from_dict(json.loads(spec))


def there(book: dict[str, Page]) -> set[str]:
    return {name for name, page in book.items() if not page.missing}


def groups(page: Page, quantity: str) -> set[str]:
    numbers = page.numbers
    return set(numbers.loc[numbers["quantity"].eq(quantity), "group"])


def test_a_book_has_the_pages_that_its_study_can_fill(fails, competes, dies):
    assert {*EVERYWHERE, *LESSONS, "failure", "table_3"} <= there(fails)
    assert {*EVERYWHERE, "loosening", "lesson_05_competing_risks"} <= there(competes)
    assert not OF_THE_PAPER & (there(fails) | there(competes))
    assert {*EVERYWHERE, *LESSONS, *ON_THE_WAY, "loosening", "table_s2"} <= there(dies)
    assert "table_s2" not in there(fails)  # nobody is known to die
    assert "lesson_05_competing_risks" not in there(fails)
    assert not LESSONS & there(competes)


def outputs(page: Page) -> str:
    """What a page shows, without the exercises and quizzes, which have examples of their own."""
    texts = (output.get("text/plain", "") for output in page.shown)
    return "\n".join(text for text in texts if "\n- " not in text)


def typed(place: Place) -> str:
    """The text that a page has in every book, but code, tables of code, and a heading to come."""
    if place.path.suffix == ".md":
        text = re.sub(
            r"^```(?!{glossary}).*?^```", "", place.path.read_text("utf-8"), flags=re.M | re.S
        )
        return re.sub(r"`[^`\n]*`", "", re.sub(r"^\|.*", "", text, flags=re.M))
    cells = nbformat.read(place.path, as_version=4).cells[bool(place.endpoint) :]
    return "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def foreign(text: str, package: str) -> set[str]:
    """The words of a disease in a text that a dataset has not, but where it cites who had it."""
    sentences = re.split(r"(?<=[.?!:;]) |\n", text)
    said = " ".join(sentence for sentence in sentences if "{cite" not in sentence)
    return {word for word in OF_A_DISEASE.findall(said) if word.lower() not in package.lower()}


@pytest.mark.parametrize("book", often(["fails", "competes", "dies"], "fails", "dies"))
def test_words_of_a_disease_stand_only_where_the_dataset_has_them(book, request, tmp_path):
    pages, folder = request.getfixturevalue(book), request.getfixturevalue(f"{book}_data")
    package = (folder / "datapackage.json").read_text("utf-8")
    dataset = load(str(folder))
    pages["methods"] = run("methods", folder, tmp_path, until="values-of-r")
    kept = [
        place
        for place in places(dataset)
        if place.path.suffix == ".md" or place.name in there(pages)
    ]
    missing = {path.stem for path in listed()} - {place.name for place in kept}
    texts = {place.name: without_links(typed(place), missing) for place in kept}
    # But code that is shown as that of other columns.
    own = {name: [o for o in pages[name].shown if OTHERWISE not in str(o)] for name in there(pages)}
    shown = {name: replace(pages[name], shown=of).text for name, of in own.items()}
    made = [f"{texts[name]}\n{text}" for name, text in shown.items()]
    texts["glossary"] = spoken(texts["glossary"], "\n".join(made))
    found = {
        name: foreign(texts[name] + "\n" + shown.get(name, ""), package) for name in sorted(texts)
    }
    assert {name: words for name, words in found.items() if words} == {}


def test_a_word_of_the_dataset_itself_may_stand():
    assert foreign("Of the responders 3 had a relapse.", "") == {"responders", "relapse"}
    assert foreign("Relapse came.", '"title": "Relapse"') == set()


def words(page: Page) -> str:
    """All that a page shows, also what waits behind a choice, without its links."""
    return BeautifulSoup(page.text, "html.parser").get_text()


def before_the_code(said: str) -> str:
    """Without the code to take away, and the exercises after it."""
    return said.partition("import pandas")[0]


def test_a_lesson_speaks_of_the_event_of_the_study(fails, competes):
    first = outputs(fails["lesson_01_censoring"])
    assert "Without the event by each way of counting" in first
    assert "have had the event. Median time free of the event is" in words(
        fails["lesson_02_follow_up"]
    )
    third = outputs(fails["lesson_03_plateau"])
    assert "Implant survival at the landmarks" in third
    assert not re.search(r"\b(died|deaths?|dead)\b", before_the_code(third))
    assert "Difference in months free of the event" in outputs(
        fails["lesson_10_proportional_hazards"]
    )
    fourth = outputs(competes["lesson_05_competing_risks"])
    assert "Loosening by each landmark" in fourth and "Had the competing event" in fourth


def test_each_page_has_the_rows_of_its_endpoint(fails, competes):
    assert {"failure", "failure|model=A", "failure|model=B"} <= groups(fails["failure"], "median")
    assert groups(fails["failure"], "p_logrank") == {"failure|model"}
    assert groups(fails["failure"], "hazard_ratio_group") == {"failure|model=B"}
    assert "failure" in groups(fails["lesson_02_follow_up"], "median_followup")
    assert {"loosening", "loosening:competing"} <= groups(
        competes["loosening"], "cumulative_incidence"
    )
    assert groups(competes["loosening"], "p_gray") >= {"loosening|model"}
    assert {"loosening", "loosening:competing"} <= groups(
        competes["lesson_05_competing_risks"], "cumulative_incidence"
    )


def test_the_boxes_share_out_everybody(fails, competes):
    for book, parts in (
        (fails, ("failure", "without_event", "never_at_risk")),
        (competes, ("loosening", "loosening:competing", "without_event", "never_at_risk")),
    ):
        numbers = book["patients"].numbers.query("quantity == 'count'").set_index("group")
        shares = [numbers.loc[f"{part}|patients", "estimate"] for part in parts]
        assert sum(shares) == 40 == numbers.loc["patients", "estimate"]


def test_the_report_tells_endpoint_and_groups(fails, competes):
    said = outputs(fails["report"])
    assert "Implant survival runs from operation to failure" in said
    assert "By model, the share without failure at " in said
    assert "the hazard ratio of failure was" in said and "(log-rank P" in said
    said = outputs(competes["report"])
    assert "In the incidence of loosening, counted from operation, removal without it" in said
    assert "By model, the incidence of loosening by " in said and "(Gray’s test P" in said
    found = re.search(r"The cumulative incidence of loosening at (\d+) months was", said)
    followed = pick(competes["loosening"].numbers, "at_risk", "loosening", float(found[1]))
    assert followed["estimate"] >= 10  # at 36 months there are fewer


def test_groups_without_spread_have_no_distance_and_the_table_says_why(tmp_path):
    patients = implants(2).assign(side=["left", "right"])
    made = study(tmp_path / "data", patients, endpoints=[FAILS])
    page = run("table_1", made, tmp_path)
    apart = page.numbers[page.numbers["quantity"].eq("standardised_difference")]
    assert {"age|model=B", "side|model=B"} <= set(apart["group"])
    assert apart["estimate"].isna().all()
    assert "does not vary in either group" in page.text
    assert "inf" not in (tmp_path / "table_1.csv").read_text("utf-8")


def test_without_events_no_page_speaks_of_ratios_and_100_percent_says_why_it_is_bare(tmp_path):
    patients = implants(40).assign(failure_day=None)
    named = [{"endpoint": "failure", "title": "Named", "factors": ["age", "model"]}]
    made = study(tmp_path / "data", patients, endpoints=[FAILS], models=named)
    curve, models = (run(name, made, tmp_path) for name in ("failure", "table_3"))
    assert "With 0 events no ratio can be estimated" in outputs(models)
    assert not re.search("does not affect P|ratios may lie", models.text)
    assert curve.text.count("A share of 0 or 100% has no interval") > 1  # of all, and by group


def test_a_count_is_one_on_the_page_of_a_curve_and_in_the_lessons(tmp_path):
    patients = implants(40).astype({"last_contact_day": float})
    leaving = patients.index[:6]  # on the very day of a landmark
    patients.loc[leaving, ["failure_day", "revision_day", "removal_day"]] = None
    patients.loc[leaving, "last_contact_day"] = 365.25
    made = study(tmp_path / "data", patients, endpoints=[FAILS])
    names = ("failure", "lesson_02_follow_up", "lesson_11_reading")
    own, follow_up, reading = (
        run(name, made, tmp_path).numbers.set_index(["quantity", "group"]) for name in names
    )
    key = ("median_followup", "failure")
    assert follow_up.loc[key, "events"].iloc[0] == own.loc[key, "events"].iloc[0]
    beside = own.loc[[("survival", "failure")]].merge(
        reading.loc[[("survival", "failure")]], on="months"
    )
    assert len(beside) == 3
    assert beside["n_x"].eq(beside["n_y"]).all()
    assert beside["events_x"].eq(beside["events_y"]).all()


def test_a_draw_does_not_hold_among_those_who_were_chosen_after_it(tmp_path):
    drawn = {"compare": {"column": "model", "reference": "A", "randomised": True}}
    later = {**FAILS, "name": "after", "from": "revision_day"}
    made = study(tmp_path / "data", implants(40), endpoints=[FAILS, later], **drawn)
    assert "were randomised." in run("failure", made, tmp_path).text
    assert "Randomisation does not protect this comparison." in run("after", made, tmp_path).text


def test_a_group_without_an_event_has_a_difference_and_the_table_says_what_it_lacks(tmp_path):
    patients = implants(40)
    patients.loc[patients["model"].eq("A"), "failure_day"] = None
    page = run("failure", study(tmp_path / "data", patients, endpoints=[FAILS]), tmp_path)
    numbers = page.numbers[page.numbers["months"].eq(12)].set_index("quantity")
    assert numbers.loc["survival_difference", ["lower", "upper"]].notna().all()
    assert numbers.loc["p_survival_difference", "estimate"] < 1
    assert np.isnan(numbers.loc["rmst_difference", "lower"])  # a mean without events has no error
    assert "A difference without an interval has no P (–): in one of the two groups" in page.text


FEW = {
    "three patients": (3, "AB", [FAILS]),
    "three with a competing event": (3, "AB", [COMPETES]),
    "an arm without patients": (30, "A", [FAILS, COMPETES]),
}


@pytest.mark.parametrize("kind", often(FEW, "an arm without patients"))
def test_few_patients_and_an_empty_arm_make_no_error(tmp_path, kind):
    n, models, endpoints = FEW[kind]
    made = study(tmp_path / "data", implants(n, models), endpoints=endpoints, factors=FACTORS[:1])
    slow = {name for name in LESSONS if name != "lesson_01_censoring"}
    book = undrawn(made, tmp_path, slow)
    names = {entry["name"] for entry in endpoints}
    assert {*EVERYWHERE, *names} <= there(book)


def test_the_dead_who_are_only_censored_are_told(tmp_path):
    patients = implants(40)
    patients["died"] = np.where(patients.index % 3, "yes", "no")
    known = {"compare": None, "endpoints": [FAILS, {**FAILS, "name": "either", "title": "Either",
             "events": ["failure_day", "died"]}]}  # fmt: skip
    made = study(tmp_path / "data", patients, **{k: v for k, v in known.items() if v})
    page, either = (run(name, made, tmp_path / name) for name in ("failure", "either"))
    died = (patients["died"].eq("yes") & patients["failure_day"].isna()).sum()
    assert f"{died} of 40 patients died without failure" in page.text
    assert "The share without failure was" in page.text and "Survival was" not in page.text
    assert "died without" not in either.text and "The share without failure was" in either.text


def test_a_curve_at_0_before_others_enter_is_told(tmp_path):
    patients = implants(40)
    patients["seen_day"] = 300.0
    first = patients.index[:1]
    patients.loc[first, ["seen_day", "failure_day", "last_contact_day"]] = [1, 50, 200]
    late = {**FAILS, "entry": "seen_day"}
    page = run("failure", study(tmp_path / "data", patients, endpoints=[late]), tmp_path)
    later = (patients[["failure_day", "last_contact_day"]].min(axis=1) > 300).sum()
    assert f"all patients: 1 at risk, {later} came later" in page.text
    patients["seen_day"] = 1.0
    page = run("failure", study(tmp_path / "other", patients, endpoints=[late]), tmp_path)
    assert "too soon" not in page.text


def test_each_test_of_rivals_says_what_it_compares(tmp_path):
    text = run("loosening", study(tmp_path / "data", implants(80), endpoints=[COMPETES]),
               tmp_path).text  # fmt: skip
    assert "Gray’s test compares how many have loosening" in text
    assert "Of removal without it, Gray’s test gives P" in text
