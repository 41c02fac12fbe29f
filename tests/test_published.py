"""The ledger of printed numbers, and the scorecard that counts it."""

from __future__ import annotations

import dataclasses
import shutil
from html.parser import HTMLParser

import pandas as pd
import pytest
from inprocess import results_of, run
from test_dataset import folder
from test_declared import DFS, TTR, made

from analysis.dataset.columns import KINDS, PUBLISHED
from analysis.dataset.model import ROOT, NotRecorded, load
from analysis.page.published import (
    KEYS,
    against_print,
    are_statements,
    both,
    compare,
    expressions,
    heading,
)
from analysis.page.quantities import NAMES, name_of
from analysis.page.rows import frame
from analysis.printed import scorecard as sc
from analysis.printed.badge import badge

NASTY = '<script>alert(1)</script> "q" & more'


@pytest.fixture(scope="module")
def paper():
    return load("data/blinatumomab")


@pytest.fixture(scope="module")
def card(paper):
    return sc.scorecard(paper, results_of("data/blinatumomab"))


@pytest.fixture(scope="module")
def bmt():
    return load("data/bmt")


def printing(dataset, *lines):
    """The dataset with a print of these lines: page, quantity, group, months, printed, kind.

    The part is the estimate, and each line has a place of its own unless it names one.
    """
    rows = []
    for number, (page, quantity, group, months, printed, kind, *place) in enumerate(lines):
        where = place[0] if place else f"Line {number}"
        rows.append([page, quantity, group, months, "estimate", printed, where, "", kind])
    published = pd.DataFrame(rows, columns=[*PUBLISHED, "kind"]).astype({"months": float})
    return dataclasses.replace(dataset, published=published)


def scored(dataset):
    """The scorecard of a print of numbers of bmt."""
    return sc.scorecard(dataset, results_of("data/bmt"))


def total(card, quantity, group="all"):
    found = sc.totals(card).set_index(["quantity", "group"])["estimate"]
    return int(found.get((quantity, group), 0))


# --- the ledger of the paper -----------------------------------------------------------------


def test_every_number_of_the_paper_has_its_row(paper):
    """Digits and number words of each section, counted in the paper; statements left out."""
    numbers = paper.published[~are_statements(paper.published)]
    section = numbers["place"].str.partition(",")[0]
    assert section.value_counts(sort=False).to_dict() == {
        "Abstract": 30,
        "Lay summary": 2,
        "Introduction": 15,
        "Methods": 24,
        "Table 1": 66,
        "Results": 54 + 2,  # two in words
        "Figure 1": 3,
        "Table 2": 100 + 1,  # one in words
        "Table 3": 92,
        "Discussion": 10,
    }


def test_statements_are_one_for_each_factor_of_each_model(paper):
    says = paper.published[are_statements(paper.published)]
    assert says["quantity"].value_counts().to_dict() == {"associated": 23, "kept": 23}
    asked = {f"{e}:{f.column}" for f in paper.factors for e in f.endpoints}
    assert set(says["group"]) == asked
    named = says[says["printed"] == "yes"].groupby("quantity")["group"].apply(set).to_dict()
    assert len(named["associated"]) == 6 and len(named["kept"]) == 4
    assert named["kept"] < named["associated"]


def test_a_repeated_number_is_one_number(paper):
    """Wherever it stands, it is printed alike and has one kind."""
    real = paper.published[paper.published["kind"] != "given"]
    for _, rows in real.groupby(["page", *KEYS, "part"], dropna=False):
        assert rows["printed"].nunique() == 1
        assert rows["kind"].nunique() == 1


def test_kinds_are_told_apart(paper):
    rows = paper.published
    assert set(rows["kind"]) == {*KINDS} - {"unavailable"}  # the cohort is made to have all
    assert rows.loc[rows["kind"] == "contradiction", "printed"].tolist() == ["56.2"]
    percent = rows[rows["quantity"] == "percent"]
    assert set(percent["kind"]) == {"emergent", "contradiction"}
    assert (rows["page"] == "").equals(rows["kind"] == "given")


def test_every_key_of_the_print_is_a_result(paper, card):
    """A key that no page computes is a slip of the pen; a stepwise ratio may be left out."""
    nowhere = sc.counted(card)[sc.counted(card)["recomputed"] == ""]
    assert set(nowhere["quantity"]) <= {"hazard_ratio_multivariate"}


# --- counting --------------------------------------------------------------------------------


def test_the_total_is_the_sum_of_the_pages(paper, card):
    made = results_of("data/blinatumomab")
    pages = [compare(paper, page, results) for page, results in made.items()]
    together = pd.concat(pages)
    assert len(together) == len(sc.counted(card))
    assert together["match"].sum() == sc.counted(card)["match"].sum()
    for form in sc.FORMS:
        whole = total(card, f"printed_{form}")
        assert whole == sum(total(card, f"printed_{form}", kind) for kind in KINDS[:3])
        assert whole == sum(total(page, f"printed_{form}") for page in pages)
    assert (
        total(card, "printed_numbers") + total(card, "printed_numbers", "given")
        == (~are_statements(paper.published)).sum()
    )


def test_one_changed_digit_differs(paper, card):
    same = card[card["match"] & ~are_statements(card)]
    row = same.index[same["printed"] == "23.4"][0]
    moved = paper.published.copy()
    moved.loc[row, "printed"] = "23.5"
    again = sc.scorecard(
        dataclasses.replace(paper, published=moved), results_of("data/blinatumomab")
    )
    assert again.index[again["match"] != card["match"]].tolist() == [row]
    assert total(again, "matched_numbers") == total(card, "matched_numbers") - 1


def test_rows_that_are_only_listed_never_count(bmt):
    line = ("figure_1a", "median", "os", None, "1.0", "emergent")
    given = ("", "given", "Dose, mg", None, "40", "given")
    on_a_page = ("figure_1a", "given", "Level, %", None, "95", "given")
    beyond = ("", "given", "Relative risk", None, "7.3", "unavailable")
    card = scored(printing(bmt, line, given, on_a_page, beyond))
    assert len(card) == 4
    assert total(card, "printed_numbers") == 1
    assert total(card, "printed_numbers", "given") == 2
    assert total(card, "printed_numbers", "unavailable") == 1
    only = sc.totals(card).query("group in ('given', 'unavailable')")
    assert "matched_numbers" not in set(only["quantity"])
    assert "1 more result that it prints needs" in sc.sentences(card).plain
    assert "1 not in the data" in badge(bmt, sc.totals(card))
    data = printing(bmt, line, given, on_a_page, beyond)
    shown = against_print(data, "figure_1a", results_of("data/bmt")["figure_1a"])
    assert shown.every.caption.endswith(": 0 of 1 number agrees.")


def test_each_occurrence_counts_and_is_shown_on_one_line(bmt):
    line = ("figure_1a", "survival", "os", 24, "46.4", "emergent")
    data = printing(bmt, (*line, "Abstract"), (*line, "Table 2"), (*line[:4], "46", "", "End"))
    results = results_of("data/bmt")["figure_1a"]
    assert len(expressions(compare(data, "figure_1a", results).iloc[:2])) == 1
    every = against_print(data, "figure_1a", results).every
    assert every.caption.endswith("3 of 3 numbers agree.")
    (row,) = every.rows
    assert row.cells == ("46.4 (46)", "46.4 (46)", "✓", "emergent", "Abstract; Table 2; End")
    assert total(scored(data), "matched_numbers") == 3


def test_a_range_without_a_median_is_called_a_range(bmt):
    ends = [("max", "52"), ("min", "7"), ("median_value", "28")]
    results = frame({"quantity": q, "group": "patient_age", "estimate": float(x)} for q, x in ends)
    told = {2: ("Range", "7–52"), 3: ("Median (range)", "28 (7–52)")}
    for number, (name, cell) in told.items():
        printed = ends[:2] if number == 2 else [ends[2], ends[1], ends[0]]
        lines = [("table_1", q, "patient_age", None, text, "") for q, text in printed]
        (row,) = against_print(printing(bmt, *lines), "table_1", results).every.rows
        assert row.heading.endswith(f": {name}") and row.cells[:2] == (cell, cell)


def test_yes_and_no_are_compared_as_words(bmt):
    found = results_of("data/bmt")["table_3"].set_index(["quantity", "group"])["estimate"]
    keys = [(q, group) for q in ("associated", "kept") for group in found[q].index]
    words = ["yes" if found[key] == 1 else "no" for key in keys]
    assert set(words) == {"yes", "no"}
    lines = [("table_3", *key, None, word, "") for key, word in zip(keys, words, strict=True)]
    card = scored(printing(bmt, *lines))
    assert card["match"].all()
    assert total(card, "printed_statements") == len(lines)
    assert total(card, "printed_numbers") == 0
    turned = {"yes": "no", "no": "yes"}
    other = scored(printing(bmt, *((*x[:4], turned[x[4]], "") for x in lines)))
    assert not other["match"].any()
    assert set(other["recomputed"]) == {"yes", "no"}


def test_a_number_may_be_printed_without_its_zero(bmt):
    p = results_of("data/bmt")["table_3"].query("quantity == 'p_univariate'").iloc[0]
    text = f"{p['estimate']:.3f}"
    assert text.startswith("0.")
    line = ("table_3", "p_univariate", p["group"], None, text.removeprefix("0"), "")
    assert scored(printing(bmt, line))["match"].all()


def test_a_page_that_nobody_computes_does_not_match(bmt, tmp_path):
    line = ("figure_1z", "survival", "os", 24, "46.4", "")
    assert not scored(printing(bmt, line))["match"].any()
    path = folder(tmp_path)
    thin = printing(load(path), ("figure_1c", "median", "os_after_hsct", None, "1", ""))
    assert not sc.scorecard(thin, results_of(path))["match"].any()


def test_a_print_without_kinds_works(tmp_path):
    path = folder(tmp_path)
    line = "figure_1a,survival,os,24,estimate,23.4,Abstract,\n"
    (path / "published.csv").write_text(",".join(PUBLISHED) + "\n" + line, "utf-8")
    data = load(path)
    card = sc.scorecard(data, results_of(path))
    assert data.published["kind"].tolist() == [""]
    assert total(card, "printed_numbers", "unclassified") == 1
    every = against_print(data, "figure_1a", results_of(path)["figure_1a"]).every
    assert "Kind" not in every.columns
    assert [len(row.cells) for row in every.rows] == [len(every.columns) - 1]
    assert "built to give" not in repr(sc.sentences(card))


def test_without_a_print_there_is_nothing_to_count(bmt):
    with pytest.raises(NotRecorded, match="no published numbers"):
        scored(bmt)


# --- what the pages show ---------------------------------------------------------------------


def test_the_sentences_say_the_totals(card):
    words = repr(sc.sentences(card))
    matched, printed = total(card, "matched_numbers"), total(card, "printed_numbers")
    assert f"{matched} of {printed} numbers" in words
    assert "The remaining one cannot come out, because the paper contradicts itself." in words
    assert f"built to give {total(card, 'matched_numbers', 'calibrated')} of" in words


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return run("scorecard", "data/blinatumomab", tmp_path_factory.mktemp("scorecard"))


def test_what_differs_starts_with_the_contradiction(page):
    table = page.table("Not as printed")
    assert table[1][1:] == ["146 (56.2)", "146 (56.4)", "contradiction", "Table 1"]
    assert any("146 of 259" in line[0] for line in table[2:])


def test_where_all_comes_out_the_page_says_so(tmp_path):
    right = ROOT / "data" / "bmt"
    median = results_of("data/bmt")["figure_1a"].iloc[0]["estimate"]
    path = shutil.copytree(right, tmp_path / "bmt")
    line = f"figure_1a,median,os,,estimate,{median:.1f},Abstract,\n"
    (path / "published.csv").write_text(",".join(PUBLISHED) + "\n" + line, "utf-8")
    assert "Every number is reproduced as printed." in run("scorecard", path, tmp_path / "r").text


def test_places_add_up(page):
    counts = [[int(cell) for cell in line[1:]] for line in page.table("Numbers, by where")[1:]]
    assert [sum(column) for column in zip(*counts[:-1], strict=True)] == counts[-1]
    for numbers, given, beyond, computed, _ in counts:
        assert numbers == given + beyond + computed


class Rows(HTMLParser):
    """The body rows of a table: their data attributes and how many cells they have."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[dict] = []
        self.cells = 0
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Note one tag."""
        self.tags.append(tag)
        if tag == "tr" and "data-kind" in dict(attributes):
            self.rows.append(dict(attributes))
        self.cells += tag == "td"


def test_the_whole_list_holds_every_row_as_text(paper, card, bmt):
    shown = Rows(sc.ledger(paper, card, "All")._repr_mimebundle_()["text/html"])
    assert len(shown.rows) == len(paper.published)
    assert shown.cells == 5 * len(shown.rows)
    same = [row["data-same"] for row in shown.rows]
    assert same.count("same") == sc.counted(card)["match"].sum()
    assert same.count("not recomputed") == (card["kind"] == "given").sum()
    nasty = printing(bmt, ("", "given", NASTY, None, "1", "given", NASTY))
    page = sc.ledger(nasty, scored(nasty), NASTY)._repr_mimebundle_()["text/html"]
    assert "script" not in Rows(page).tags
    assert page.count("&lt;script&gt;") == 3


def test_the_list_as_a_file_names_number_and_key(paper, card):
    listing = sc.printed_list(paper, card)
    assert len(listing) == len(paper.published)
    assert listing["number"].str.len().min() > 2
    assert set(listing["result"]) <= {sc.SAME, sc.OFF, sc.NOT_MADE}
    within = listing[listing["kind"] != "given"].drop_duplicates(["page", *KEYS, "part"])
    # One line cannot be taken for another: words and place tell all keys apart.
    assert not within.duplicated(["number", "place"]).any()


def test_no_number_is_named_by_its_second_half():
    """A row under another row names that row, unless the column says it already."""
    data = load("data/blinatumomab")
    names = [heading(data, data.published.loc[[row]]) for row in data.published.index]
    assert all(names)
    assert not [name for name in names if name.startswith(",")]


def test_another_print_is_told_in_the_words_of_its_study(tmp_path):
    endpoints = [{**DFS, "name": "free"}, TTR]
    place = made(
        tmp_path,
        {"arm": "B", "age": 50},
        {"arm": "Observation"},
        endpoints=endpoints,
        compare={"column": "arm", "reference": "Observation", "strata": ["site"]},
        factors=[{"column": "age", "label": "Age, a year", "kind": "baseline"}],
    )
    data = load(place)
    said = {
        ("median", "free"): "Median, months",
        ("hazard_ratio_group", "free|arm=B"): "arm B against Observation: HR",
        ("p_logrank", "free|arm"): "arm: Log-rank P",
        ("p_logrank_stratified", "free|arm"): "arm: Log-rank P, stratified",
        ("survival_difference", "free|arm=B"): "arm B against Observation: Difference of survival, "
        "percentage points",
        ("p_rmst_difference", "free|arm=B"): "arm B against Observation: P of the difference of "
        "restricted means",
        ("hazard_ratio_univariate", "free:age"): "Age, a year: HR alone",
        ("hazard_ratio_model", "free|Adjusted:arm=B"): "Adjusted, arm B: HR",
        ("interaction_p", "free|arm:age"): "arm, Age, a year: P of interaction",
        ("cumulative_incidence", "ttr:competing|arm=B"): "Death without recurrence, arm B: "
        "Incidence, %",
        ("gray", "ttr|arm"): "Recurrence, arm: Gray’s χ²",
        ("mean", "age|arm=B"): "age, arm B: Mean",
    }
    data = printing(data, *(("free", *key, None, "1", "") for key in said))
    lines = [data.published.loc[[row]] for row in data.published.index]
    assert [heading(data, line) for line in lines] == [*said.values()]
    assert heading(data, lines[0], whole_book=True) == "Disease-free survival: Median, months"
    elsewhere = lines[6].assign(page="table_3")
    assert heading(data, elsewhere) == "Disease-free survival, Age, a year: HR alone"
    # What has no name of its own here is still no code.
    assert not [q for q in NAMES if "_" in name_of(q)] and "_" not in name_of("p_spline_nonlinear")


def test_one_limit_alone_says_which_it_is(bmt):
    lines = [("x", "hazard_ratio_group", "os", None, text, "") for text in ("1.32", "9.60")]
    rows = frame([{"quantity": "hazard_ratio_group", "group": "os", "estimate": 1.321,
                   "lower": 0.2, "upper": 9.6}])  # fmt: skip
    data = printing(bmt, *lines)
    for parts, told in (
        (("estimate", "upper"), "1.32 (upper limit 9.60)"),
        (("lower", "upper"), "1.32–9.60"),
    ):
        data.published["part"] = parts
        (part,) = expressions(compare(data, "x", rows))
        assert both(part)[0] == told


def test_a_number_that_is_carried_forward_has_its_mark(bmt):
    """At 12 months one is followed, at 60 nobody: the last value stands there, and says so."""
    common = {"quantity": "survival", "group": "os", "estimate": 0.4, "lower": 0.3, "upper": 0.5}
    rows = frame({**common, "months": month, "n": n} for month, n in ((12, 1), (60, 0)))
    lines = [("x", "survival", "os", month, "40.0", "reported") for month in (12, 60)]
    found = compare(printing(bmt, *lines), "x", rows)
    assert found["match"].all() and found["carried"].tolist() == [False, True]
    shown = against_print(printing(bmt, *lines), "x", rows)._repr_mimebundle_()["text/plain"]
    assert shown.count("40.0†") == 1 and shown.count("last value is carried forward") == 1


def test_a_note_says_which_numbers_it_is_about_and_a_table_what_its_kinds_mean(bmt):
    """One that several numbers share has a subject too, but not a list of them all."""
    results = results_of("data/bmt")["figure_1a"]
    rows = [("figure_1a", "survival", "os", at, "1.0", "emergent") for at in (12, 24, 36, 48)]
    for number, subject in ((4, " and 3 more: Odd."), (2, " % at 24 months: Odd.")):
        data = printing(bmt, *rows[:number])
        data = dataclasses.replace(data, published=data.published.assign(note="Odd."))
        first, *_, last = against_print(data, "figure_1a", results).every.notes
        assert first.count(";") == (number == 2) and first.endswith(subject)
        assert last == "Kind: emergent, nothing was fitted to give it."


def test_a_print_of_which_nothing_can_be_recomputed_is_told(bmt, tmp_path):
    beyond = ("", "given", "Relative risk", None, "7.3", "unavailable")
    card = scored(printing(bmt, beyond, (*beyond[:4], "8.5", "unavailable")))
    assert sc.sentences(card).plain == (
        "**Nothing that is listed of the print can be recomputed from these data.** "
        "2 more results that it prints need data that are not here."
    )
    assert badge(bmt, sc.totals(card)) == ""
