"""The cells of plain code: they run without the book, and give the page's number."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from bs4 import BeautifulSoup
from conftest import often

from analysis.dataset.model import ROOT, load
from analysis.page.formats import rounded, scaled
from analysis.page.page import Page
from analysis.page.plain import LACKING, NOT_DOWN, NOTHING, TOO_MANY, Plain, plain
from analysis.page.rows import pick
from analysis.site.build import notebooks

MAGIC = "%%plain "
RUN_EACH = """
import pathlib, runpy
for cell in sorted(pathlib.Path().glob("cell_*.py")):
    print("---", flush=True)
    runpy.run_path(str(cell))
"""
BOOKS = {"": "blinatumomab", "bmt": "bmt", "myeloid": "myeloid"}


def plain_cells(notebook: Path) -> list[str]:
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    return [source for source in sources if source.startswith(MAGIC)]


WITH_PLAIN = [path for path in notebooks() if plain_cells(path)]


@pytest.mark.parametrize("notebook", WITH_PLAIN, ids=lambda path: path.stem)
def test_plain_code_is_short_and_knows_nothing_of_ours(notebook: Path):
    for source in plain_cells(notebook):
        _, *code = source.splitlines()
        assert 6 <= len(code) <= 15
        assert max(map(len, code)) <= 76  # what a page shows without a bar to be moved
        assert not re.search(r"\banalysis\b|\bpage\b|\bdata\b\.", source)


@pytest.mark.parametrize("slug", often(BOOKS, "bmt"))
def test_plain_code_gives_the_number_of_its_page(site: Path, tmp_path: Path, slug: str):
    """As the site shows it, run outside the repository, beside nothing but the patients."""
    load(ROOT / "data" / BOOKS[slug]).patients.to_csv(tmp_path / "patients.csv", index=False)
    shown = list(shown_cells(site / slug))
    for place, (_, code, _, _) in enumerate(shown):
        (tmp_path / f"cell_{place:02}.py").write_text(code, "utf-8")
    command = [sys.executable, "-I", "-W", "ignore", "-c", RUN_EACH]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    printed = ran.stdout.split("---\n")[1:]
    assert len(printed) == len(shown) >= len(WITH_PLAIN) // 2
    for (page, _, said, key), now in zip(shown, printed, strict=True):
        assert now.strip() == said.strip(), page
        results = pd.read_csv(site / slug / "results" / f"{page}.csv")
        quantity, group, *month = key.split()
        row = pick(results, quantity, group, *map(float, month))
        number = re.search(r"\d+(\.\d+)?", said)[0]
        decimals = len(number.partition(".")[2])
        assert number == rounded(scaled(row["estimate"], quantity), decimals), page


def shown_cells(book: Path) -> Iterator[tuple[str, str, str, str]]:
    """The page, the code, what it printed and the row of each plain cell of a book."""
    for notebook in WITH_PLAIN:
        tree = BeautifulSoup((book / f"{notebook.stem}.html").read_bytes(), "html.parser")
        for printed in tree.select("pre.plain-output"):
            code = printed.find_previous(class_="highlight-python").get_text()
            if printed.get_text() not in (NOTHING, NOT_DOWN):
                yield notebook.stem, code, printed.get_text(), printed["data-row"]


# --- the magic itself ----------------------------------------------------------------------------


@pytest.fixture
def magic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Plain]:
    """`%%plain` on a page with two rows, of which one is masked."""
    page = Page("x", load("data/bmt", 5), str(tmp_path))
    rows = [("median", 7.5, 137), ("event_rate", 0.1, 3)]
    page.record({"quantity": q, "group": "os", "estimate": x, "n": n} for q, x, n in rows)
    shell = SimpleNamespace(user_ns={"page": page})
    monkeypatch.setattr("analysis.page.plain.get_ipython", lambda: shell)
    return plain


def test_what_differs_between_studies_stands_first_in_the_code(magic):
    made = magic("median os day=hsct_day days_per_month=30.4", "print(day, days_per_month)")
    assert made.code == "day = 'hsct_day'\ndays_per_month = 30.4\nprint(day, days_per_month)\n"
    assert (made.printed, made.row) == ("hsct_day 30.4", "median os")


def test_code_sees_the_patients_and_no_name_of_the_notebook(magic):
    assert magic("median os", "print(len(open('patients.csv').readlines()))").printed == "138"
    assert magic("median os", "print(page)").printed == "Not here: NameError."


def test_what_the_page_hides_is_not_printed(magic):
    assert magic("event_rate os", "print(0.1)").printed == NOTHING
    with pytest.raises(KeyError, match="rmst"):
        magic("rmst os 12", "print(0.1)")


def test_code_that_lacks_a_column_says_so(magic):
    assert magic("median os day=''", "print(day)").printed == LACKING
    assert magic("event_rate os day=''", "print(day)").printed == NOTHING


@pytest.mark.parametrize("error", ["ValueError('P001 is no number')", "ValueError", "KeyError('')"])
def test_an_error_quotes_no_patient_and_does_not_end_the_page(magic, error):
    name = error.partition("(")[0]
    assert magic("median os", f"print('P001')\nraise {error}").printed == f"Not here: {name}."


def test_a_warning_of_the_libraries_is_not_shown(magic, recwarn):
    assert magic("median os", "import warnings\nwarnings.warn('P001')\nprint(1)").printed == "1"
    assert not recwarn.list


def test_what_takes_minutes_on_very_many_patients_is_not_run(magic, monkeypatch):
    monkeypatch.setattr("analysis.page.plain.MANY", 136)
    assert magic("median os", "print(7.5)").printed == TOO_MANY
