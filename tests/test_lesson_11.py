"""Lesson 11: what it says of printed numbers is so, and its checks can fail."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from bs4 import BeautifulSoup
from inprocess import Page, run, without_kernels
from scipy import stats

from analysis.course import check, keys_11, papers
from analysis.dataset.endpoints import endpoint
from analysis.dataset.model import ROOT, NotRecorded, load
from analysis.page.formats import rounded
from analysis.page.rows import pick
from analysis.printed.bounds import Printed
from analysis.printed.ratios import ratio_of
from analysis.site.notebooks import NOT_RECORDED, execute
from analysis.study.models import factor_results

LESSON = "lesson_11_reading"
SHIPPED = ("blinatumomab", "bmt", "myeloid")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    results = tmp_path_factory.mktemp("results")
    return {name: run(LESSON, f"data/{name}", results, specs=True) for name in SHIPPED}


def table(page: Page, part: str) -> pd.DataFrame:
    """A table of the page as text, by its headings."""
    shown = next(one["text/html"] for one in page.shown if f'id="{LESSON}-{part}"' in str(one))
    head, *lines = BeautifulSoup(shown, "html.parser").select("tr")
    cells = [[cell.get_text() for cell in line.select("th, td")] for line in (head, *lines)]
    return pd.DataFrame(cells[1:], columns=cells[0])


def numbers(page: Page, quantity: str) -> pd.DataFrame:
    return page.numbers[page.numbers["quantity"].eq(quantity)]


def printing(folder: Path, lines: dict[str, tuple[str, int, int]]) -> Path:
    """The bmt data with a print: of each level of a characteristic its percentage and counts."""
    place = Path(shutil.copytree(ROOT / "data" / "bmt", folder))
    rows = [("count", "patients", max(n for _, _, n in lines.values()))]
    for group, (percent, count, _) in lines.items():
        rows += [("percent", group, percent), ("count", group, count)]
    print_ = pd.DataFrame(rows, columns=["quantity", "group", "printed"])
    print_ = print_.assign(page="table_1", part="estimate")
    shipped = pd.read_csv(ROOT / "data" / "blinatumomab" / "published.csv", dtype=str)
    print_.reindex(columns=shipped.columns).to_csv(place / "published.csv", index=False)
    return place


# --- counts ------------------------------------------------------------------------------------


def possible(percent: str, n: int) -> list[int]:
    """By rounding itself, of every count."""
    decimals = Printed(percent).decimals
    return [count for count in range(n + 1) if rounded(100 * count / n, decimals) == percent]


@pytest.mark.parametrize("percent", ["", "33", "2.5", "99.9"])
def test_a_count_is_possible_just_where_it_would_be_printed_so(made, tmp_path, percent) -> None:
    """Of every number of patients of the slider, also where a share lies on the band's edge."""
    page = made["blinatumomab"]
    if percent:
        count = next(iter(possible(percent, 200)), 199)
        made_up = printing(tmp_path / "p", {"fab=yes": (percent, count, 200)})
        page = run(LESSON, made_up, tmp_path / "results")
    stations = numbers(page, "counts_possible")
    assert len(stations) == 101
    for row in stations.itertuples():
        fits = possible(percent or "56.2", int(row.group.removeprefix("of ")))
        assert row.estimate == len(fits), row.group
        if fits:
            assert (row.lower, row.upper) == (fits[0], fits[-1])
        else:
            assert row.upper == row.lower + 1


def test_nobody_and_everybody_can_be_printed_too(tmp_path: Path) -> None:
    lines = {"fab=yes": ("0.0", 0, 1200), "patient_sex=male": ("100", 1200, 1200)}
    page = run(LESSON, printing(tmp_path / "p", lines), tmp_path / "results")
    shown = table(page, "lines")
    assert list(shown["Holds"]) == ["✓", "✓"]
    assert list(shown["Counts it allows"]) == ["0", "1194 to 1200"]
    assert "invented" not in papers.lines(load(tmp_path / "p"))["source"].unique()


def test_one_line_of_the_paper_contradicts_itself_and_the_slider_begins_there(made) -> None:
    shown = table(made["blinatumomab"], "lines")
    assert list(shown[shown["Holds"] == "no"]["Printed"]) == ["146 of 259, 56.2%"]
    said = "no count gives 56.2%: 145 are 56.0%, and 146 are 56.4%"
    first = next(one["text/plain"] for one in made["blinatumomab"].shown if "chart" in str(one))
    assert first.endswith(f"Of 259 patients {said}.")


@pytest.mark.parametrize("name", ["bmt", "myeloid"])
def test_what_a_dataset_says_of_itself_holds_within_rounding(made, name: str) -> None:
    every, hold = (numbers(made[name], kind)["estimate"].item() for kind in ("lines", "lines_hold"))
    assert every == hold > 0
    for line in papers.lines(load(f"data/{name}")).itertuples():
        assert line.source == papers.OWN
        assert line.count in possible(line.percent, line.n)


@pytest.mark.parametrize("name", SHIPPED)
def test_each_station_of_the_slider_says_what_its_dots_show(made, name: str) -> None:
    page = made[name]
    spec = next(re.search(r'chart-spec">(.*?)</script>', str(one["text/html"]))[1]
                for one in page.shown if "chart-spec" in str(one))  # fmt: skip
    every = [row for rows in json.loads(spec)["datasets"].values() for row in rows if "k" in row]
    dots, said = pd.DataFrame(every).drop_duplicates(), set()
    for row in numbers(page, "counts_possible").itertuples():
        full = dots[dots["n"].eq(int(row.group.removeprefix("of "))) & dots["in"]]
        assert len(full) == row.estimate
        if len(full):
            assert (full["k"].min(), full["k"].max()) == (row.lower, row.upper)
        said.add(len(full))
    assert 0 in said and len(said) > 1  # the reader sees it hold and fail


@pytest.mark.parametrize("name", SHIPPED)
def test_digits_taken_as_exact_fail_nearly_every_line(made, name: str) -> None:
    every, exact, hold = (
        numbers(made[name], quantity)["estimate"].item()
        for quantity in ("lines", "lines_exact", "lines_hold")
    )
    assert exact < every / 10
    assert hold >= every - 1
    assert ("all hold" in made[name].text) == (hold == every)


def test_percentages_of_a_whole_add_up_within_rounding_and_one_wrong_one_is_seen(
    made, tmp_path: Path
) -> None:
    for name in SHIPPED:
        row = numbers(made[name], "percent_sum").iloc[0]
        assert row["lower"] <= 100 <= row["upper"]
        counts = numbers(made[name], "count")
        whole = counts[counts["group"].str.match(rf"{row['group']}=[^|]*$")]
        assert whole["estimate"].sum() == whole["n"].iloc[0]
        assert "so this is not an error" in made[name].text

    def off(results: pd.DataFrame) -> pd.DataFrame:
        results = results.copy()
        here = results["quantity"] == "percent_sum"
        results.loc[here, ["estimate", "lower", "upper"]] += 1
        return results

    assert "one of them is wrong" in run(LESSON, "data/bmt", tmp_path, change=off).text


# --- ratios ------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["bmt", "myeloid"])
def test_p_of_an_interval_is_that_of_the_model(made, name: str) -> None:
    """Of the run's own ratios P is known: it lies within what the rounded digits allow."""
    data = load(f"data/{name}")
    found = factor_results(data, endpoint(data, "os"))
    rows = numbers(made[name], "p_from_interval")
    assert len(rows) > 2
    for row in rows.itertuples():
        p = pick(found, "p_univariate", row.group)["estimate"]
        assert row.lower <= p <= row.upper, row.group


# --- one curve ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SHIPPED)
def test_no_curve_leaves_its_shares_and_no_median_its_landmarks(made, name: str) -> None:
    page = made[name]
    total = pick(page.numbers, "median", "os")["n"]
    for month in load(f"data/{name}").settings.months:
        value = pick(page.numbers, "survival", "os", month)
        risk, left = (
            pick(page.numbers, kind, "os", month)["estimate"] for kind in ("at_risk", "censored")
        )
        assert risk <= value["estimate"] * total + 1e-9 <= risk + left + 1e-6
        assert risk + left + value["events"] == total
    assert set(table(page, "median")["Does it"]) == {"✓"}
    assert "The three counts add up to all" in page.text


def with_limits(
    month: float, median: tuple[float, float], limits: tuple[float, float]
) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """The numbers of the page with these limits of the median, and of survival at a month."""

    def change(results: pd.DataFrame) -> pd.DataFrame:
        results = results.copy()
        kind, there = results["quantity"], results["months"].eq(month)
        results.loc[kind.eq("median"), ["lower", "upper"]] = median
        results.loc[kind.eq("survival") & there, ["lower", "upper"]] = limits
        return results

    return change


@pytest.mark.parametrize(
    ("median", "limits", "place", "holds"),
    [
        ((30.0, 40.0), (0.55, 0.7), "before it", True),
        ((30.0, 40.0), (0.45, 0.7), "before it", False),
        ((11.0, 30.0), (0.4, 0.6), "within it", True),
        ((11.0, 30.0), (0.55, 0.7), "within it", False),
        ((11.0, np.nan), (0.4, 0.6), "within it", True),
        ((11.0, 18.9), (0.3, 0.45), "after it", True),
        ((11.0, 18.9), (0.5, 0.63), "after it", False),  # sentence a of Exercise 3
    ],
)
def test_a_landmark_that_does_not_go_with_the_median_is_found(
    tmp_path: Path, median, limits, place, holds
) -> None:
    page = run(LESSON, "data/bmt", tmp_path, change=with_limits(24, median, limits))
    line = table(page, "median").set_index("Month").loc["24"]
    assert line["Beside the median’s interval"] == place
    assert (line["Does it"] == "✓") == holds


# --- exercises ---------------------------------------------------------------------------------


def test_one_of_the_four_percentages_has_no_count() -> None:
    """By rounding itself, of the percentages that the task prints."""
    told = re.findall(r"([\d.]+)%", task(1))
    found = [possible(percent, keys_11.PATIENTS) for percent in told]
    assert tuple(told) == keys_11.PERCENTS and f"of {keys_11.PATIENTS} patients" in task(1)
    assert [counts[0] if counts else 0 for counts in found] == list(
        keys_11.exercise_1(load("data/bmt")).answer
    )
    assert sorted(map(len, found)) == [0, 1, 1, 1]


def test_p_of_the_exercise_follows_from_its_tables() -> None:
    """From the logarithms and the z that the task prints, and from the lesson's own rule."""
    logs = dict(re.findall(r"^\| ([\d.]+) \| −([\d.]+) \|$", task(2), re.MULTILINE))
    assert {x: f"{-np.log(float(x)):.4f}" for x in logs} == logs
    table = dict(re.findall(r"\| (\d\.\d\d) \| (\.\d{3}) ", task(2)))
    for z, p in table.items():
        assert float(p) == pytest.approx(2 * stats.norm.sf(float(z)), abs=5.01e-4)
    low, middle, high = (-float(logs[x]) for x in ("0.55", "0.72", "0.94"))
    wide = -float(logs["0.545"]), -float(logs["0.945"])
    z = [-middle / (high - low) * 3.92, -sum(wide) / 2 / (wide[1] - wide[0]) * 3.92]
    right = keys_11.exercise_2(load("data/bmt"))
    assert check([float(table[f"{score:.2f}"]) for score in z], right).right
    ratio = ratio_of("it", "univariate", [Printed(text) for text in ("0.72", "0.55", "0.94")])
    assert max(ratio.p) == pytest.approx(right.answer[1])


def test_two_of_the_four_sentences_cannot_be_of_one_curve() -> None:
    """Their counts by the shares of the lesson. (The medians: see above.)"""
    lines = dict(re.findall(r"^- `(\w)` (.*)$", task(3), re.MULTILINE))
    wrong = set()
    for letter in "bc":
        _, beyond, dead, left, share = map(int, re.findall(r"(\d+)", lines[letter]))
        assert beyond + dead + left == 120
        low, high = 100 * beyond / 120, 100 * (beyond + left) / 120
        wrong |= {letter} if share + 0.5 <= low or share - 0.5 > high else set()
    for letter, above in (("a", False), ("d", True)):
        low, high = map(int, re.search(r"CI, (\d\d)–(\d\d)\)", lines[letter]).groups())
        holds = low > 50 if above else high < 50
        wrong |= set() if holds else {letter}
    assert wrong == keys_11.exercise_3(load("data/bmt")).answer


def task(number: int) -> str:
    cells = nbformat.read(ROOT / "book" / f"{LESSON}.ipynb", as_version=4).cells
    return next(cell.source for cell in cells if cell.id == f"exercise-{number}")


def test_without_an_outcome_the_percentages_and_exercises_stay(tmp_path: Path, monkeypatch) -> None:
    def none(*_: object) -> None:
        raise NotRecorded("There is no such endpoint.")

    monkeypatch.setattr("analysis.course.events.outcome_of", none)
    given = {"dataset": "data/bmt", "results_folder": str(tmp_path)}
    with without_kernels():
        made = execute(ROOT / "book" / f"{LESSON}.ipynb", tmp_path / "made.ipynb", given)
    ids = [cell.id for cell in made.cells]
    assert ids.count(NOT_RECORDED) == 1 and ids[-1] == "every-number"
    kept = {"drawing-of-the-dots", "table-of-the-lines", "the-parts-and-the-whole", "quiz"}
    assert kept <= set(ids)
    assert not {"table-of-the-ratios", "the-curve-between-two-shares"} & set(ids)
    assert str([c.get("outputs") for c in made.cells]).count('class="verdict right"') == 4


# --- other datasets ----------------------------------------------------------------------------


def test_a_masked_line_is_neither_shown_nor_asked_for(tmp_path: Path) -> None:
    data, page = load("data/bmt", 46), run(LESSON, "data/bmt", tmp_path, mask_below=46)
    lines = papers.lines(data)
    told = lines[lines["told"]]
    assert 0 < len(told) < len(lines)
    assert told["count"].between(46, told["n"] - 46).all()
    assert set(table(page, "lines")["Line"]) <= set(told["label"])
    words = next(one["text/plain"] for one in page.shown if "chart-spec" in str(one))
    count = int(re.search(r"around (\d+) of", words)[1])
    assert 46 <= count <= len(data.patients) - 46


def test_where_every_line_is_masked_the_slider_moves_an_invented_one(tmp_path: Path) -> None:
    page = run(LESSON, "data/bmt", tmp_path, mask_below=69)
    assert "0 of 0 lines" in page.text and "Got better: 41 of 120 (34.2%)" in page.text
    assert "No characteristic of this dataset is shown with all of its levels." in page.text


@pytest.mark.parametrize("name", SHIPPED)
def test_without_print_and_characteristics_the_numbers_are_invented(tmp_path, name: str) -> None:
    bare = Path(shutil.copytree(ROOT / "data" / name, tmp_path / "bare"))
    (bare / "published.csv").unlink(missing_ok=True)
    package = json.loads((bare / "datapackage.json").read_text("utf-8"))
    package["analysis"] |= {"characteristics": [], "factors": []}
    (bare / "datapackage.json").write_text(json.dumps(package), "utf-8")
    page = run(LESSON, bare, tmp_path / "results")
    assert "ratios below are invented" in page.text
    assert set(table(page, "lines")["Holds"]) == {"✓"}
    assert len(table(page, "ratios")) == 1
