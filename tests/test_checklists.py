"""The checklists and the report: no item is claimed without its fact, no number without its row."""

from __future__ import annotations

import dataclasses
import hashlib
import html
import inspect
import json
import platform
import re
import shutil
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from bs4 import BeautifulSoup
from conftest import often
from inprocess import opened, run
from jinja2 import meta
from test_build import deaths_only
from test_dataset import HEAD, folder
from test_pages import NASTY, THIN, nasty

from analysis import survival as est
from analysis.dataset.model import ROOT, load
from analysis.page.contents import places
from analysis.page.formats import interval, with_unit
from analysis.page.prose import Prose, sourced
from analysis.page.rows import COLUMNS, pick
from analysis.sharing import checklists, facts, manuscript, texts
from analysis.sharing.checklists import (
    ANSWERED,
    IN_PART,
    OPEN,
    STATES,
    TO_JUDGE,
    checklist,
    fact,
)
from analysis.sharing.facts import NUMBERS, OF_ENDPOINTS, words
from analysis.sharing.study import Study
from analysis.study.models import SELECTION_LEVEL

NAMES = ("blinatumomab", "bmt", "myeloid")
LISTS = {name: checklists.items(name) for name in ("strobe", "remark")}
STROBE = LISTS["strobe"]
TEXTS = texts.read("facts")
# The sub-items that a cohort study has; an item without letters is whole.
STROBE_NUMBERS = (
    "1a 1b 2 3 4 5 6a 6b 7 8 9 10 11 12a 12b 12c 12d 12e 13a 13b 13c 14a 14b 14c 15 16a 16b 16c "
    "17 18 19 20 21 22"
)
# What no dataset records and no run can know.
ALWAYS_OPEN = {"strobe": "1a 2 3 6b 9 10 13b 20 21", "remark": "4 5 9 14 20"}


@pytest.fixture(scope="module")
def made() -> dict[tuple[str, str], checklists.Checklist]:
    """Both lists for each shipped dataset."""
    return {(name, key): checklist(opened(f"data/{name}"), key) for name in NAMES for key in LISTS}


@pytest.fixture(scope="module")
def studies() -> dict[str, Study]:
    """Each shipped dataset with its results; a test takes a copy of its own with `fresh`."""
    return {name: Study.of(opened(f"data/{name}")) for name in NAMES}


def with_interval(
    results: pd.DataFrame, quantity: str, group: str, months: float | None = None
) -> Prose:
    """A number as it should be told: `7.5 months (95% CI, 5.5–8.5)`."""
    row = pick(results, quantity, group, months)
    limits = "" if row[["lower", "upper"]].isna().all() else f" (95% CI, {interval(row)})"
    return sourced(with_unit(row) + limits, row)


def fresh(study: Study) -> Study:
    return Study(study.dataset, study.pages)


def states(found: checklists.Checklist) -> dict[str, str]:
    return {line.item.number: line.state for line in found.answers}


def without(tmp_path: Path, name: str, *columns: str, **analysis_: object):
    """A shipped dataset without some columns, in its table and wherever they are named."""
    place = Path(shutil.copytree(ROOT / "data" / name, tmp_path / "less"))
    (place / "published.csv").unlink(missing_ok=True)
    package = json.loads((place / "datapackage.json").read_text("utf-8"))
    schema = package["resources"][0]["schema"]
    schema["fields"] = [entry for entry in schema["fields"] if entry["name"] not in columns]
    for part in ("factors", "characteristics"):
        package["analysis"][part] = [
            entry
            for entry in package["analysis"][part]
            if not {entry["column"], entry.get("among"), entry.get("before")} & set(columns)
        ]
    changed = package["analysis"] | analysis_
    package["analysis"] = {key: value for key, value in changed.items() if value is not None}
    (place / "datapackage.json").write_text(json.dumps(package), "utf-8")
    table = pd.read_csv(place / "patients.csv", dtype=str, keep_default_na=False)
    table.drop(columns=list(columns)).to_csv(place / "patients.csv", index=False)
    return opened(str(place))


# --- the lists ---------------------------------------------------------------------------------


def test_every_item_is_there_once_and_in_order():
    assert [item.number for item in STROBE] == STROBE_NUMBERS.split()
    assert [item.number for item in LISTS["remark"]] == [str(number) for number in range(1, 21)]


@pytest.mark.parametrize("items", LISTS.values(), ids=LISTS)
def test_an_item_rests_on_facts_that_exist_and_says_what_to_write(items):
    for item in items:
        assert item.write, item.number
        assert set(item.facts) <= set(TEXTS), item.number
        assert not item.whole or item.facts, f"{item.number} could be answered by nothing"
    used = {fact for items in LISTS.values() for item in items for fact in item.facts}
    assert used == set(TEXTS)


def test_a_sentence_of_a_fact_has_the_values_that_it_names(studies):
    """And a fact whose values are computed has a sentence that names some, or rests on them."""
    computed = {*NUMBERS, *OF_ENDPOINTS, *words(studies["bmt"])}
    assert computed <= set(TEXTS)
    for name, text in TEXTS.items():
        asked = meta.find_undeclared_variables(texts.TEXTS.parse(text["says"])) - {"link", "joint"}
        assert not asked or name in computed, name
        assert not ("needs" in text and name in computed), name


@pytest.mark.parametrize("key", LISTS)
@pytest.mark.parametrize("name", NAMES)
def test_every_item_has_an_answer_and_the_counts_add_up(made, name, key):
    found = made[name, key]
    assert [line.item for line in found.answers] == list(LISTS[key])
    assert all(str(line.text).endswith(".") and line.state in STATES for line in found.answers)
    counts = found.results[found.results["quantity"].eq("items")].set_index("group")
    assert counts["estimate"].sum() == len(LISTS[key])
    assert set(counts["n"]) == {len(LISTS[key])}
    for state in STATES:
        assert counts["estimate"][state] == list(states(found).values()).count(state)
    said = list(map(int, re.findall(r"\d+", str(found.summary()))))
    assert said[0] == len(LISTS[key]) == sum(said[1:])


@pytest.mark.parametrize("key", LISTS)
@pytest.mark.parametrize("name", NAMES)
def test_what_only_authors_know_is_never_claimed(made, name, key):
    found = states(made[name, key])
    # That the patients were randomised, and what the study asked.
    known = {"myeloid": {"1a"}, "blinatumomab": {"3"}}.get(name, set())
    assert {found[number] for number in {*ALWAYS_OPEN[key].split()} - known} == {OPEN}
    if key == "strobe":
        assert (found["3"] == IN_PART) == ("3" in known)
    for line in made[name, key].answers:
        if line.state == OPEN:
            assert "the authors’ to write" in str(line.text)


@pytest.mark.parametrize("name", NAMES)
def test_only_a_whole_item_with_all_of_its_facts_is_answered(made, studies, name):
    for key in LISTS:
        study = fresh(studies[name])
        for line in made[name, key].answers:
            said = [bool(prose) for prose in checklists.facts_of(study, line.item).values()]
            whole = line.item.whole and all(said)
            assert (line.state == ANSWERED) == whole
            assert (line.state == IN_PART) == (any(said) and not whole)


def test_tests_of_interaction_are_told_where_there_are_any(made):
    """In bmt the groups are compared within nine factors for each of two endpoints."""
    told = {
        name: next(x for x in made[name, "strobe"].answers if x.item.number == "12b").text.plain
        for name in ("bmt", "blinatumomab")
    }
    counted = (
        "Tests of interaction: 9 on Figure 1A and 9 on Figure 1B. No factor is studied in some"
    )
    assert counted in " ".join(told["bmt"].split())
    assert "No interaction is tested" in told["blinatumomab"]
    assert "studied in some of the patients only: MRD" in told["blinatumomab"]


def said_of(found, number):
    return next(str(line.text) for line in found.answers if line.item.number == number)


def test_the_risk_itself_is_told_of_the_groups_that_are_compared(made, studies):
    """At the landmark of the page: in bmt one patient of a group is left at the last one."""
    for name, month in (("bmt", 36), ("myeloid", 60)):
        study = studies[name]
        compare, rows = study.dataset.compare, study.pages["figure_1a"]
        for key, number in (("strobe", "16c"), ("remark", "15")):
            told = said_of(made[name, key], number)
            assert f"at {month} months: {compare.reference}, " in told
            for level in study.dataset.levels(compare.column):
                key_of = f"os|{compare.column}={level}"
                assert f"{level}, {with_interval(rows, 'survival', key_of, month)}" in told
        assert states(made[name, "strobe"])["16c"] == ANSWERED
    assert states(made["blinatumomab", "strobe"])["16c"] == IN_PART  # no groups


def test_groups_that_were_randomised_are_told_as_such(made):
    for key, number in (("strobe", "1a"), ("remark", "3")):
        assert states(made["myeloid", key])[number] == IN_PART
        assert "groups by treatment arm were randomised" in said_of(made["myeloid", key], number)
        assert "randomised" not in said_of(made["bmt", key], number)


@pytest.mark.parametrize(("page", "words"), [
    ("strobe", "the list for the report of a trial is CONSORT"),
    ("table_3", "The groups were randomised, the other factors were not"),
])  # fmt: skip
def test_a_page_says_what_randomisation_asks_for(page, words, tmp_path):
    for name, there in (("myeloid", True), ("bmt", False)):
        text = run(page, ROOT / "data" / name, tmp_path / name).text
        assert (words in text) == there, name


def test_invented_patients_have_no_places_and_dates(made):
    invented, real = (states(made[name, "strobe"]) for name in ("blinatumomab", "bmt"))
    for number in ("4", "5", "8"):
        assert (invented[number], real[number]) == (OPEN, TO_JUDGE)


# --- links and numbers -------------------------------------------------------------------------


@pytest.mark.parametrize("key", LISTS)
@pytest.mark.parametrize("name", NAMES)
def test_a_link_leads_to_a_page_or_to_the_row_that_it_shows(made, name, key):
    found = made[name, key]
    pages = {page.name for page in places(load(ROOT / "data" / name))}
    table = found.table(opened(f"data/{name}"), "T")._repr_mimebundle_()["text/html"]
    links = BeautifulSoup(table, "html.parser").select("tbody a")
    assert len(links) > 20
    for link in links:
        page, _, place = link["href"].partition("#")
        assert not page or page.removesuffix(".html") in pages
        if place.startswith("row-"):
            row = found.results.iloc[int(place.removeprefix("row-")) - 1]
            assert row["quantity"] in link["title"] or link["title"].startswith("From rows")
            if said := re.match(r"Row \d+: (.*)\. estimate (\S+?),? ", link["title"] + " "):
                assert said[1].startswith(f"{row['quantity']}, {row['group']}")
                assert float(said[2]) == pytest.approx(row["estimate"], rel=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_what_a_page_keeps_is_what_the_other_pages_computed(made, name):
    computed = pd.concat(opened(f"data/{name}").others().values())
    for key in LISTS:
        found = made[name, key].results
        assert list(found.columns) == COLUMNS
        shown = found[~found["quantity"].isin(["items", "declared"])]
        both = shown.merge(computed.drop_duplicates(), how="left", on=COLUMNS, indicator=True)
        assert len(shown) > 5 and set(both["_merge"]) == {"both"}
        assert not found.duplicated(["quantity", "group", "months"]).any()


def test_a_number_of_an_item_is_that_of_the_results(made):
    found = made["bmt", "strobe"]
    text = {line.item.number: str(line.text) for line in found.answers}
    row = pick(opened("data/bmt").others()["figure_1a"], "median", "os")
    assert f"death in {row['events']} of {row['n']} patients" in text["15"]
    assert "49.2 months (95% CI, 44.8–55.0)" in text["14c"]


def test_the_pages_that_texts_name_are_in_the_contents_and_called_as_they_are():
    pages = {page.name: page for page in places(load(ROOT / "data" / "blinatumomab"))}
    written = "".join(text["says"] for text in TEXTS.values())
    written += (ROOT / "book" / "report.jinja").read_text("utf-8")
    named = set(re.findall(r"link\('(\w+)'\)", written))
    assert len(named) > 5 and named <= set(pages)
    for page in named:
        assert pages[page].title.startswith(str(texts.link(page))), page
    assert str(texts.link("figure_1a")) == "Figure 1A"


# --- another dataset, other answers ------------------------------------------------------------


def test_without_response_its_items_are_not_recorded(tmp_path, made):
    data = without(tmp_path, "myeloid", "response_day")
    less, more = states(checklist(data, "strobe")), states(made["myeloid", "strobe"])
    assert (more["13c"], less["13c"]) == (IN_PART, OPEN)
    assert (more["15"], less["15"]) == (ANSWERED, IN_PART)
    line = next(line for line in checklist(data, "strobe").answers if line.item.number == "15")
    missing = "relapse-free survival, overall survival after transplant in remission and relapse"
    assert f"Not recorded in this dataset: {missing}" in str(line.text)


def test_without_relapse_or_factors_their_items_are_not_recorded(tmp_path, made):
    data = without(tmp_path, "myeloid", "relapse_day", factors=[], compare=None)
    less = states(checklist(data, "strobe"))
    assert (made["myeloid", "strobe"].answers[24].item.number, less["15"]) == ("15", IN_PART)
    for key, numbers in (("strobe", "11 16a 16b"), ("remark", "1 8 11 16 17")):
        less, more = states(checklist(data, key)), states(made["myeloid", key])
        for number in numbers.split():
            assert less[number] == OPEN != more[number], (key, number)
    assert states(checklist(data, "remark"))["10"] == IN_PART


def test_a_factor_without_a_row_in_table_1_is_missed(made):
    """In the paper's Table 1 one factor has no row; in bmt all have one."""
    for name, state in (("blinatumomab", IN_PART), ("bmt", ANSWERED)):
        assert states(made[name, "strobe"])["14a"] == state
        assert states(made[name, "remark"])["13"] == state


def test_a_model_of_one_factor_adjusts_for_nothing(studies):
    study = fresh(studies["bmt"])
    assert fact(study, "adjusted")
    table = study.pages["table_3"]
    kinds = table["quantity"].isin(["hazard_ratio_multivariate", "hazard_ratio_unselected"])
    one = table[~kinds | table["group"].eq(f"os:{first_kept(table)}")]
    assert fact(Study(study.dataset, {**study.pages, "table_3": one}), "adjusted") is None


def first_kept(table: pd.DataFrame) -> str:
    """The column of the first factor that the model of overall survival keeps."""
    kept = table[table["quantity"].eq("hazard_ratio_multivariate")]["group"]
    return kept[kept.str.startswith("os:")].iloc[0].removeprefix("os:")


@pytest.mark.parametrize("person", [{"role": "funder"}, {"roles": ["author", "Funder"]}])
def test_funding_is_said_only_where_a_contributor_paid(studies, person):
    data = studies["bmt"].dataset
    item = next(item for item in STROBE if item.number == "22")
    for who, state in (({"role": "author"}, OPEN), (person, IN_PART)):
        package = {**data.package, "contributors": [{"title": NASTY, **who}]}
        study = Study(dataclasses.replace(data, package=package), studies["bmt"].pages)
        found = checklists.answer(study, item)
        assert found.state == state
        assert (NASTY in str(found.text)) == (state == IN_PART)


def test_without_words_there_is_nothing_to_judge(studies):
    data = studies["bmt"].dataset
    bare = dataclasses.replace(data, description="", package={**data.package, "sources": []})
    study = Study(bare, studies["bmt"].pages)
    assert {checklists.answer(study, item).state for item in STROBE if item.words} == {OPEN}


def test_deaths_alone_are_enough_for_all_three_pages(tmp_path):
    page = opened(str(deaths_only(tmp_path / "deaths")))
    for key in LISTS:
        found = checklist(page, key)
        assert ANSWERED in states(found).values() and OPEN in states(found).values()
    study = Study.of(page)
    said = str(manuscript.methods(study, tmp_path / "deaths")) + str(manuscript.findings(study))
    assert "No factors were compared." in said
    for word in ("Relapse-free", "Aalen", "Cox", "invented"):
        assert word not in said


@pytest.mark.parametrize("kind", often(THIN, "all die on day 0"))
def test_thin_data_have_lists_and_a_report(tmp_path, kind):
    factor = {"column": "stage", "label": "Stage", "kind": "baseline"}
    sides = {"numerator": ["I"], "denominator": ["II"]}
    csv = HEAD + "\n".join(THIN[kind]) + "\n"
    made = folder(tmp_path, csv=csv, analysis={"factors": [{**factor, **sides}]})
    page = opened(str(made))
    for key in LISTS:
        checklist(page, key)
    study = Study.of(page)
    said = str(manuscript.methods(study, tmp_path)) + str(manuscript.findings(study))
    assert "nan" not in said and "inf" not in said.replace("infinitesimal", "")


def test_labels_of_a_dataset_stay_text(tmp_path):
    nasty(tmp_path)
    page = opened(str(tmp_path / "nasty"))
    tables = [checklist(page, key).table(page, "T") for key in LISTS]
    study = Study.of(page)
    prose = manuscript.methods(study, tmp_path / "nasty")
    for thing in (*tables, manuscript.ToPaste(NASTY, prose)):
        shown = thing._repr_mimebundle_()["text/html"]
        assert html.escape(NASTY, quote=False) in BeautifulSoup(shown, "html.parser").decode()
        assert "<script>" not in shown
        assert BeautifulSoup(shown, "html.parser").script is None
    assert "<script>" not in prose.markdown
    assert NASTY in str(prose)


# --- the report --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reports(studies) -> dict[str, tuple[str, str, pd.DataFrame]]:
    """Methods, findings and results of each shipped dataset."""
    found = {}
    for name in NAMES:
        study = fresh(studies[name])
        methods = manuscript.methods(study, ROOT / "data" / name)
        found[name] = (methods, manuscript.findings(study), study.results())
    return found


@pytest.mark.parametrize("name", NAMES)
def test_invented_patients_are_said_first(reports, name):
    for prose in reports[name][:2]:
        assert str(prose).startswith("These patients are invented") == (name == "blinatumomab")


def test_the_methods_name_what_was_run(reports):
    methods = str(reports["bmt"][0])
    data = load("data/bmt")
    for name, number in {
        "Plateau": yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["version"],
        "Python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "pandas", "scipy")},
    }.items():
        assert f"{name} {number}" in methods
    digest = hashlib.sha256((ROOT / "data" / "bmt" / "patients.csv").read_bytes()).hexdigest()
    assert f"dataset bmt {data.package['version']}, SHA-256 {digest[:12]}" in methods
    assert "at 12, 24, 36, 48 and 60 months" in methods
    assert f"a month is {data.settings.days_per_month:g} days" in methods
    assert f"P below .{SELECTION_LEVEL * 100:02.0f} alone" in methods


def test_the_methods_name_ties_and_intervals_as_they_are(reports, monkeypatch):
    methods = str(reports["bmt"][0])
    assert "ties after Efron" in methods
    assert f"pointwise {100 * est.CONFIDENCE:.0f}% confidence intervals on the log(−log)" in methods
    # Ten patients, two deaths on one day: the two methods differ, and the default is Efron's.
    rows = pd.DataFrame(
        {"patient": range(10), "start": -np.inf, "stop": [1, 1, 2, 2, 3, 4, 5, 6, 7, 8],
         "event": [1, 1, 1, 0, 1, 1, 0, 1, 1, 0], "x": [1.0, 1, 0, 1, 0, 1, 0, 0, 1, 0]}
    )  # fmt: skip
    ratio = {
        ties: est.cox(rows, ["x"], **kind).summary()["hazard_ratio"].iloc[0]
        for ties, kind in (
            ("default", {}),
            ("Efron", {"ties": "efron"}),
            ("Breslow", {"ties": "breslow"}),
        )
    }
    assert ratio["default"] == ratio["Efron"] != ratio["Breslow"]
    # On that scale the limits lie symmetric about the estimate.
    row = pick(opened("data/bmt").others()["figure_1a"], "survival", "os", 24)
    middle, low, high = (np.log(-np.log(row[part])) for part in ("estimate", "lower", "upper"))
    assert low - middle == pytest.approx(middle - high)
    signature = inspect.signature(est.cox)
    breslow = [p.replace(default="breslow") if p.name == "ties" else p
               for p in signature.parameters.values()]  # fmt: skip
    monkeypatch.setattr(est.cox, "__signature__", signature.replace(parameters=breslow),
                        raising=False)  # fmt: skip
    assert manuscript.ties() == "Breslow"


@pytest.mark.parametrize("name", NAMES)
def test_the_numbers_of_the_findings_are_those_of_the_results(reports, studies, name):
    findings, results = reports[name][1:]
    pages = studies[name].pages
    row = pick(pages["figure_1a"], "median", "os")
    assert f"{row['events']} of {row['n']} patients died" in str(findings)
    median = str(with_interval(pages["figure_1a"], "median", "os"))
    assert (median in str(findings)) != (name == "myeloid")  # arms together are nobody's group
    kept = pages["table_3"].query("quantity == 'hazard_ratio_multivariate'")
    for key in kept["group"]:
        ratio = with_interval(pages["table_3"], "hazard_ratio_multivariate", key)
        assert f"hazard ratio {ratio}" in str(findings)
    plans = studies[name].dataset.endpoints.values()
    of_groups = [pages[plan.page].query("quantity == 'hazard_ratio_group'") for plan in plans]
    named = pages["table_3"].query("quantity == 'hazard_ratio_model'")
    compared = len(re.findall("the (?:cause-specific )?hazard ratio of ", str(findings)))
    assert sum(map(len, [kept, named])) == str(findings).count("hazard ratio ") - compared
    for plan, rows in zip(plans, of_groups, strict=True):
        for group in rows.dropna(subset="estimate")["group"]:
            ratio = with_interval(pages[plan.page], "hazard_ratio_group", group)
            assert f"{ratio} for {group.partition('=')[2]}" in str(findings)
    for link in BeautifulSoup(findings.markdown, "html.parser").select("a[href^='#row-']"):
        row = results.iloc[int(link["href"].removeprefix("#row-")) - 1]
        if said := re.match(r"Row \d+: (.*)\. estimate (\S+?),? ", link["title"] + " "):
            assert said[1].startswith(f"{row['quantity']}, {row['group']}")
            assert float(said[2]) == pytest.approx(row["estimate"], rel=1e-5)


def test_no_estimate_is_given_past_the_end_of_follow_up(reports, studies):
    """In the paper's cohort nobody is followed for 60 months from response."""
    at_risk = pick(studies["blinatumomab"].pages["figure_1b"], "at_risk", "rfs", 60)["estimate"]
    assert at_risk == 0
    paragraphs = str(reports["blinatumomab"][1]).split("\n\n")
    found = next(text for text in paragraphs if "of relapse-free survival, " in text)
    # Past the last landmark that ten, and a tenth, are followed to it says how many are left.
    assert "at 24 months, " in found and "at 36 months (9 at risk) and " in found
    assert found.endswith("at 48 months (6 at risk).") and "60 months" not in found


def test_a_report_begins_with_a_randomised_comparison_and_says_who_were_randomised(reports):
    methods, findings = map(str, reports["myeloid"][:2])
    assert "Patients were randomised (treatment arm: Arm A, n = 317; Arm B, n = 329)." in methods
    first, second, *_ = findings.split("\n\n")
    assert first.startswith("By treatment arm, survival at 60 months was ")
    # One that begins after randomisation comes second, and says why.
    assert second.startswith("In the analysis of relapse-free survival, ")
    assert second.endswith("so randomisation does not protect this comparison.")
    methods, findings = map(str, reports["bmt"][:2])
    assert "randomis" not in methods + findings
    assert findings.startswith("In the analysis of overall survival, ")
    assert "  " not in findings


def test_the_text_to_copy_is_the_prose(reports):
    block = manuscript.ToPaste("T", reports["bmt"][0])._repr_mimebundle_()
    tree = BeautifulSoup(block["text/html"], "html.parser")
    assert tree.select_one("div.highlight pre").get_text().strip() == str(reports["bmt"][0])
    assert tree.a is None
    assert block["text/plain"] == str(reports["bmt"][0])


def test_the_citation_is_that_of_the_project():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    text = str(manuscript.citation())
    for part in (cited["title"], cited["version"], str(cited["date-released"])):
        assert part in text


def test_the_key_has_the_signs_that_occur_and_no_other(made):
    for (name, key), found in made.items():
        used = {answer.state for answer in found.answers}
        told = {state for state, sign in checklists.STATES.items() if sign in found.key().plain}
        assert told == used, (name, key)


def test_a_book_by_another_column_tells_of_no_groups_of_the_dataset(studies):
    study = Study(studies["bmt"].dataset, {**studies["bmt"].pages})
    assert facts.absolute_groups(study, "os") and facts.groups(study, "os")
    for name, rows in studies["bmt"].pages.items():
        study.pages[name] = rows[~rows["group"].str.contains("|disease", regex=False)]
    assert facts.absolute_groups(study, "os") is None is facts.groups(study, "os")
