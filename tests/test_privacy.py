"""What of a dataset that is not public must not leave the house, and text that is never markup.

One whole site is built here, of patients with ids that can be searched for and with markup in
every label and value: with kernels where all tests are run, else in this process.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterable
from itertools import islice, permutations
from pathlib import Path

import altair as alt
import nbformat
import pandas as pd
import pytest
from bs4 import BeautifulSoup, Tag
from conftest import ROOT, command, often
from inprocess import QUICK, as_data, pages, results_of, without_kernels
from nbformat import NotebookNode
from taken import differing, on_pages
from test_beyond_follow_up import beyond_in_results, told_beyond
from test_dataset import field, folder

from analysis import __main__ as program
from analysis.course.learner import NOT_PRINTED, lessons
from analysis.dataset.endpoints import endpoint
from analysis.dataset.model import NotRecorded, load
from analysis.dataset.problems import DataError
from analysis.page.masking import masked
from analysis.page.quantities import MASKED, MISSING
from analysis.page.rows import frame
from analysis.site.notebooks import execute
from analysis.study.characteristics import baseline_results

# Named here, not asked of the code: what it hides is what is tested.
COUNTS = ("count", "at_risk", "censored", "never_at_risk")
NASTY = '<script>alert("x")</script>'
PATIENTS = 40
LAST = 100 + 37 * (PATIENTS - 1)  # the last day on which any of them was seen
SHIPPED = ("blinatumomab", "bmt", "myeloid")


def patient_id(number: int) -> str:
    return f"ZQX-{7919 * (number + 13)}-KV"


def hostile(path: Path) -> Path:
    """A private dataset with markup wherever it may put text of its own."""
    level = f"II {NASTY}"
    columns = [
        {**field("patient_id"), "title": NASTY},
        {**field("stage", enum=["I", level]), "title": f"Stage {NASTY}", "description": NASTY},
        {**field("age", "integer"), "title": f"Age {NASTY}"},
        {**field("response_day", "integer"), "title": f"Response {NASTY}"},
        {**field("hsct_day", "integer"), "title": f"Transplant {NASTY}"},
        {**field("relapse_day", "integer"), "title": f"Relapse {NASTY}"},
        {**field("last_contact_day", "integer"), "title": NASTY},
        {**field("died"), "title": NASTY},
    ]
    rows = [
        [
            patient_id(number),
            "I" if number % 3 else level,
            40 + number,
            30 if number % 2 else "",
            60 if number % 8 == 3 else "",
            90 if number % 4 == 1 else "",
            100 + 37 * number,
            "yes" if number % 5 and number < 35 else "no",  # the last live: no curve comes to 0
        ]
        for number in range(PATIENTS)
    ]
    names = [column["name"] for column in columns]
    settings = {
        "time_origin": f"day {NASTY}",
        "population": f"people {NASTY}",
        "treatment": f"drug {NASTY}",
        "abbreviations": {"II": NASTY},
        "factors": [
            {
                "column": "stage",
                "label": f"Stage {NASTY}",
                "kind": "baseline",
                "numerator": ["I"],
                "denominator": [level],
            },
            {"column": "hsct_day", "label": f"HSCT {NASTY}", "kind": "postbaseline"},
        ],
    }
    return folder(
        path,
        csv=pd.DataFrame(rows, columns=names).to_csv(index=False),
        fields=columns,
        analysis=settings,
        title=f"Patients {NASTY}",
        description=NASTY,
        sources=[{"title": NASTY, "path": NASTY}],
    )


@pytest.fixture(scope="module", params=often(("with kernels", "without"), "without"))
def output(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that a build of the hostile dataset leaves, its small counts masked."""
    base = tmp_path_factory.mktemp("private")
    out = base / "out"
    given = {"mask_below": 5, **QUICK}
    asked = ["book", "--dataset", str(hostile(base / "hostile")), "--out", str(out)]
    asked += [word for name in given for word in ("--parameter", f"{name}={given[name]}")]
    if request.param == "without":
        with without_kernels():
            assert program.main(asked) == 0
    else:
        made = command(ROOT, *asked)
        assert made.returncode == 0, made.stderr
    return out


@pytest.fixture(scope="module")
def trees(output: Path) -> dict[str, tuple[BeautifulSoup, list[Tag]]]:
    """Each page of the site by its name, without its scripts, and these."""
    made = {}
    for path in sorted((output / "html").glob("*.html")):
        tree = BeautifulSoup(path.read_bytes(), "lxml")
        made[path.name] = tree, [script.extract() for script in tree.find_all("script")]
    return made


def files(output: Path) -> list[tuple[Path, str]]:
    """Every file of the whole output, the cache too, as text; of Word and Excel each part."""
    found = [path for path in output.rglob("*") if path.is_file()]
    assert len(found) > 100
    read = [(path, part) for path in found for part in parts_of(path)]
    return [(path, part.decode("utf-8", "replace")) for path, part in read]


def parts_of(path: Path) -> list[bytes]:
    if path.suffix not in (".docx", ".xlsx"):
        return [path.read_bytes()]
    with zipfile.ZipFile(path) as parts:
        return [parts.read(name) for name in parts.namelist()]


def test_the_files_of_a_masked_table_say_what_its_page_says(output: Path) -> None:
    """Counts that the page hides are hidden, and labels with markup are text."""
    tables = on_pages(output / "html")
    cells = {cell for _, lines, _ in tables.values() for line in lines for cell in line}
    assert any(MASKED in cell for cell in cells) and any(NASTY in cell for cell in cells)
    assert differing(output / "html") == []


def test_no_file_of_a_private_book_holds_an_id(output: Path) -> None:
    ids = [patient_id(number) for number in range(PATIENTS)]
    leaks = {str(path): one for path, text in files(output) for one in ids if one in text}
    assert leaks == {}


def test_a_label_with_markup_is_text_on_every_page(output: Path, trees, browser) -> None:
    seen = 0
    page = browser.new_page()
    page.on("dialog", lambda dialog: pytest.fail(f"a label ran: {dialog.message}"))
    for name, (tree, scripts) in trees.items():
        for script in scripts:
            assert not re.match(r'\s*alert\("x"\)', script.get_text()), name
        seen += tree.get_text().count(NASTY)
        page.goto((output / "html" / name).as_uri())
    page.close()
    assert seen > 50


def test_no_chart_of_a_private_book_has_a_row_for_each_patient(trees) -> None:
    charts = 0
    for name, (_, scripts) in trees.items():
        for spec in (script for script in scripts if "chart-spec" in script.get("class", [])):
            for rows in (data.get("values", []) for data in json.loads(spec.string)["data"]):
                charts += bool(rows)
                months = [row["month"] for row in rows if "month" in row]
                each = months and months == [months[0] + place for place in range(len(rows))]
                assert len(rows) != PATIENTS or each, name  # a row for each month is none
                assert all(month == round(month) for month in months), name
    assert charts > 20


def test_a_book_of_patients_is_not_called_synthetic(output: Path) -> None:
    assert all("Synthetic cohort" not in text for path, text in files(output / "html"))


def said_on(page: BeautifulSoup) -> list[str]:
    """What a finished page says: each paragraph, each table, each name that is read aloud.

    What a check or a quiz says is of examples of its own.
    """
    tables = [
        "\n".join(
            " | ".join(cell.get_text(" ", strip=True) for cell in row(["th", "td"]))
            for row in table("tr")
        )
        for table in page("table")
    ]
    words = [
        part.get_text(" ", strip=True)
        for part in page(["p", "li", "figcaption", "title"])
        if not part.find_parent(class_="quiz") and "verdict" not in part.get("class", [])
    ]
    heard = [part["aria-label"] for part in page(attrs={"aria-label": True})]
    return [*tables, *words, *heard, *(part["content"] for part in page("meta", content=True))]


def test_a_whole_site_says_nothing_beyond_its_last_patient(output: Path, trees) -> None:
    """They are followed for 50.7 months, and the landmarks go to 60."""
    end = LAST / 30.4375 + 0.05  # as it is told
    assert list(beyond_in_results(output / "results", end)) == []
    asked = 0
    for name, (tree, _) in trees.items():
        if not (output / "results" / name).with_suffix(".csv").exists():
            continue  # a page of words
        for text in said_on(tree):
            assert list(told_beyond(text, end, over=False)) == [], name
            asked += "60 months" in text
    assert asked > 5  # it is spoken of, and nothing is told


def test_a_masked_book_has_no_small_count_in_any_result(output: Path) -> None:
    looked_at = 0
    for path in (output / "results").glob("*.csv"):
        if path.stem not in ("methods", "agreement"):  # of steps and of R's values, not of patients
            rows = pd.read_csv(path)
            own = ~rows["group"].str.split("|").str[0].isin(["ten", "six", "invented"])
            rows = rows[own]  # not of the patients that a lesson has invented
            assert small(rows, 5).empty, path.name
            looked_at += 1
    assert looked_at > 10
    page = (output / "html" / "table_1.html").read_text("utf-8")
    assert "mask_below = 5" in page  # the reader is told


def test_a_masked_book_answers_no_exercise(output: Path) -> None:
    answers = []
    for path in (output / "html" / "_sources").glob("lesson_*.ipynb"):
        lesson = nbformat.read(path, as_version=4)
        answers += [cell.outputs for cell in lesson.cells if is_solution(cell)]
        page = (output / "html" / f"{path.stem}.html").read_text("utf-8")
        assert (NOT_PRINTED in page) == any(map(is_solution, lesson.cells)), path.stem
    assert len(answers) > 10
    assert not any(answers)


def is_solution(cell: NotebookNode) -> bool:
    return "solution" in cell.metadata.get("tags", [])


def small(results: pd.DataFrame, below: int) -> pd.DataFrame:
    few = range(1, below)
    counts = results["quantity"].isin(COUNTS) & results["estimate"].isin(few)
    return results[counts | results["n"].isin(few) | results["events"].isin(few)]


# --- masking ---------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=often(SHIPPED, "bmt"))
def page_pairs(request) -> list[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Each page's results of a dataset as it is, and with counts under 12 masked."""
    less = load(f"data/{request.param}", 12)
    pages = results_of(f"data/{request.param}")
    return [(page, rows, masked(less, rows)) for page, rows in pages.items()]


def test_nothing_small_is_left_and_nothing_else_is_changed(page_pairs) -> None:
    hidden = 0
    for page, whole, less in page_pairs:
        assert small(less, 12).empty, page
        hidden += len(small(whole, 12))
        both = whole.notna() & less.notna()
        assert (whole[both].fillna(-1) == less[both].fillna(-1)).all(axis=None), page
        assert list(whole.index) == list(less.index)
    assert hidden > 10


def test_a_hidden_level_is_not_the_rest_of_its_whole(page_pairs) -> None:
    """In each column of a table no characteristic has exactly one level that is hidden."""
    checked = 0
    for page, whole, less in page_pairs:
        rows = whole["quantity"].eq("count") & whole["group"].str.contains("=")
        name = whole["group"].str.partition("=")[0]
        column = whole["group"].str.partition("|")[2]
        for key, part in whole[rows & whole["estimate"].gt(0)].groupby([name, column]):
            gone = less.loc[part.index, "estimate"].isna().sum()
            assert gone != 1 or len(part) == 1, (page, key)
            checked += gone > 1
    assert checked > 0


def test_what_gives_a_hidden_count_back_is_hidden_too(page_pairs) -> None:
    """Its percentage, and the rate of so few events or patients."""
    checked = 0
    for page, _, less in page_pairs:
        hidden = less["quantity"].eq("count") & less["estimate"].isna()
        percents = less["quantity"].eq("percent") & less["group"].isin(less.loc[hidden, "group"])
        rates = less["quantity"].isin(["event_rate", "person_years"]) & (
            less["n"].isna() | less["events"].isna()
        )
        assert less.loc[percents | rates, ["estimate", "lower", "upper"]].isna().all(axis=None), (
            page
        )
        checked += percents.sum() + rates.sum()
    assert checked > 5


def test_a_hidden_row_is_hidden_in_every_column(page_pairs) -> None:
    for page, _, less in page_pairs:
        rows = less[less["quantity"].eq("count") & less["group"].str.contains("=")]
        gone = rows["estimate"].isna()
        assert (
            gone.groupby(rows["group"].str.replace(r"\|.*", "", regex=True)).nunique().le(1).all()
        ), page


def test_at_a_month_no_number_is_the_rest_of_all(page_pairs) -> None:
    """At risk, censored and the events of each kind make all: of no curve is one hidden alone."""
    checked = 0
    for page, whole, less in page_pairs:
        counts = whole["quantity"].isin(["at_risk", "censored"])
        curves = whole["quantity"].isin(["survival", "cumulative_incidence"])
        if not counts.any():
            continue
        rows = whole[(counts | curves) & whole["months"].notna()]
        # Causes that compete share those at risk: `relapse|arm=A` and `death|arm=A`.
        competing = whole["quantity"].eq("cumulative_incidence").any()
        name = rows["group"].str.partition("|")[2] if competing else rows["group"]
        for key, part in rows.groupby([name, "months"]):
            here = less.loc[part.index]
            values = here["estimate"].where(counts[part.index], here["events"])
            assert values.isna().sum() != 1 or not (values > 0).any(), (page, key)
            checked += values.isna().any()
    assert checked > 0


def test_no_stretch_is_the_rest_of_the_whole() -> None:
    """Of 60 patients and 40 events: 5 events in the late one; 4 patients gone before it."""
    row = {"group": "os:x", "estimate": 1.0}
    kinds = {"univariate": (60, 40), "early": (60, 35), "late": (56, 5)}
    whole = frame(
        {"quantity": f"hazard_ratio_{kind}", **row, "n": n, "events": events}
        for kind, (n, events) in kinds.items()
    )
    less = masked(load("data/bmt", 12), whole).set_index("quantity")
    assert less["events"].isna().tolist() == [False, True, True]
    assert less["n"].isna().tolist() == [False, False, True]


def test_without_a_parameter_nothing_is_masked() -> None:
    data = load("data/bmt")
    results = baseline_results(data)
    assert masked(data, results) is results


@pytest.mark.parametrize("value", [-1, 2.5, "five", True])
def test_a_bad_parameter_is_refused(value) -> None:
    with pytest.raises(DataError, match="mask_below"):
        load("data/bmt", value)


def test_pages_say_masked_and_show_no_small_number(trees) -> None:
    said = {name: tree.get_text() for name, (tree, _) in trees.items()}
    assert all(MASKED in said[f"{name}.html"] for name in ("table_1", "patients", "figure_1a"))
    assert "<NA>" not in "".join(said.values())
    _, scripts = trees["figure_1a.html"]
    spec = next(script for script in scripts if "chart-spec" in script.get("class", []))
    tables = [data.get("values", []) for data in json.loads(spec.string)["data"]]
    assert any("at_risk" in row or "count" in row for rows in tables for row in rows)
    assert_nothing_small(tables, 5)


def assert_nothing_small(tables: Iterable[list[dict]], below: int) -> None:
    """In the rows that a chart shows."""
    for row in (row for rows in tables for row in rows):
        number = str(row.get("at_risk", row.get("count", "0")))
        assert number in (MASKED, MISSING) or int(number) not in range(1, below)
        assert row.get("censored", 0) not in range(1, below)


@pytest.mark.wide  # in `make test` tests/test_any_study.py has charts of each kind
def test_every_chart_of_a_masked_book_is_valid(tmp_path: Path, monkeypatch) -> None:
    """A page is made without asking, which takes a fifth of its time.

    A drawing shows what its specification has.
    """
    monkeypatch.setattr("analysis.page.charts._drawn", as_data)
    shown = pages(ROOT / "data" / "bmt", tmp_path, mask_below=12, **QUICK)
    assert all(MASKED in shown[name].text for name in ("table_1", "table_2", "figure_1a"))
    assert "<NA>" not in "".join(page.text for page in shown.values())
    spec = re.search(r'class="chart-spec">(.*?)</script>', shown["figure_1a"].text)[1]
    assert_nothing_small(json.loads(spec)["datasets"].values(), 12)
    specs = [
        json.loads(found)
        for page in shown.values()
        for found in re.findall(r'class="chart-spec">(.*?)</script>', page.text)
    ]
    assert len(specs) > 20
    for found in specs:
        alt.LayerChart.from_dict(found)


@pytest.mark.parametrize("lesson", lessons(), ids=lambda path: path.stem)
def test_the_exercises_of_a_masked_book_tell_no_small_count(
    output: Path, lesson: Path, tmp_path: Path
) -> None:
    """Of two books that have the lesson; the private one was built anyway."""
    private = output / "html" / "_sources" / lesson.name
    told = [(5, shown_by_exercises(nbformat.read(private, 4)))] if private.exists() else []
    rest = ((12, exercises_of(lesson, name, tmp_path)) for name in ("bmt", "blinatumomab"))
    told += islice(((below, cells) for below, cells in rest if cells), 2 - len(told))
    (below, one), (other_below, other) = told
    assert_own_numbers_are_not_small(other, one, below)
    assert_own_numbers_are_not_small(one, other, other_below)


@pytest.mark.wide
@pytest.mark.parametrize("lesson", lessons(), ids=lambda path: path.stem)
def test_no_exercise_of_a_shipped_dataset_tells_a_small_count(lesson: Path, tmp_path: Path) -> None:
    told = [exercises_of(lesson, name, tmp_path) for name in SHIPPED]
    found = [cells for cells in told if cells]
    assert len(found) > 1
    for one, other in permutations(found, 2):
        assert_own_numbers_are_not_small(one, other, 12)


def assert_own_numbers_are_not_small(
    others: dict[str, set[int]], own: dict[str, set[int]], below: int
) -> None:
    """Numbers that a cell shows of another dataset too are of invented patients."""
    assert own and own.keys() == others.keys()
    for place in own:
        assert (own[place] - others[place]).isdisjoint(range(1, below)), place


def exercises_of(lesson: Path, name: str, folder: Path) -> dict[str, set[int]]:
    """The whole numbers that each cell of a lesson's exercises shows, counts under 12 masked."""
    given = {"dataset": f"data/{name}", "results_folder": str(folder), "mask_below": 12, **QUICK}
    with without_kernels():
        return shown_by_exercises(execute(lesson, folder / "raw.ipynb", given))


def shown_by_exercises(lesson: NotebookNode) -> dict[str, set[int]]:
    """The same of a lesson that has been run; nothing where the dataset has none of it."""
    cells = lesson.cells
    headings = [cell.source.partition("\n")[0] for cell in cells]
    if "## Exercises" not in headings:
        return {}
    cells = cells[headings.index("## Exercises") :]
    assert NOT_PRINTED in [cell.source for cell in cells]
    assert not any(cell.outputs for cell in cells if is_solution(cell))
    plain = {
        cell.id: "\n".join(
            output.get("data", {}).get("text/plain", output.get("text", ""))  # shown, or printed
            for output in cell.outputs
        )
        for cell in cells[: headings.index("## Check yourself") - len(headings)]
        if cell.cell_type == "code"
    }
    whole = r"(?<![\w.,])\d+(?![\w%]|[.,]\d)(?![^()]*/[^()]*\))"  # not of the sides (0/1+)
    return {place: set(map(int, re.findall(whole, text))) for place, text in plain.items()}


def test_a_book_of_too_few_patients_says_so_on_every_page_of_curves(tmp_path: Path) -> None:
    shown = pages(ROOT / "data" / "bmt", tmp_path, mask_below=200, **QUICK)
    silent = {name for name, page in shown.items() if "fewer than 200 patients" in page.missing}
    assert {"index", "figure_1a", "table_3", "report", "strobe", "remark"} <= silent
    assert "137" not in shown["table_1"].text


def test_no_book_is_built_of_too_few_patients(tmp_path: Path) -> None:
    out = tmp_path / "out"
    made = command(
        ROOT, "book", "--dataset", ROOT / "data" / "bmt", "--out", out,
        "--parameter", "mask_below=138",
    )  # fmt: skip
    assert made.returncode == 1
    assert made.stderr == (
        "data/bmt: fewer patients than mask_below = 138; no page could show a number\n"
    )
    assert not out.exists()


def test_an_endpoint_of_few_patients_is_not_shown() -> None:
    data = load("data/bmt", 200)
    with pytest.raises(NotRecorded, match="fewer than 200 patients"):
        endpoint(data, "os")
