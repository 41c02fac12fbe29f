"""The notebooks that read what others have found: when they run, and on what."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from inprocess import results_of, run

from analysis.dataset.model import ROOT, load
from analysis.page.contents import Place
from analysis.page.page import Page
from analysis.page.rows import frame, read, write
from analysis.site import build

BOOK = build.Book("", ROOT / "data" / "bmt")


def key(others: tuple[Path, ...]) -> str:
    notebook = ROOT / "book" / "scorecard.ipynb"
    page, cache = Place("scorecard", notebook, "Scorecard"), Path("cache")
    return build._plan(BOOK, page, {notebook: {}}, cache, "code", others).place.name


def test_it_runs_again_when_a_number_that_it_reads_has_changed(tmp_path):
    write(frame([{"quantity": "median", "group": "os", "estimate": 7.5}]), tmp_path, "figure_1a")
    before = key((tmp_path / "figure_1a.csv",))
    assert before == key((tmp_path / "figure_1a.csv",)) != key(())
    write(frame([{"quantity": "median", "group": "os", "estimate": 7.6}]), tmp_path, "figure_1a")
    assert key((tmp_path / "figure_1a.csv",)) != before


def test_whoever_reads_others_says_so_and_nobody_else_does():
    for path in build.notebooks():
        cells = json.loads(path.read_text("utf-8"))["cells"]
        code = "".join(line for cell in cells for line in cell["source"])
        reads = "page.others()" in code or "analysis.sharing" in code
        assert build.reads_others(path) is reads, path.stem


def test_results_come_back_as_they_were_written(tmp_path):
    rows = frame(
        [
            {"quantity": "survival", "group": "NA", "months": 12, "estimate": 1 / 3, "n": 4},
            {"quantity": "median", "group": "os", "estimate": None, "events": 0},
        ]
    )
    write(rows, tmp_path, "a_page")
    (tmp_path / "printed.csv").write_text("number,place\n1,here\n", "utf-8")  # no page's numbers
    found = read(tmp_path)
    assert list(found) == ["a_page"]
    pd.testing.assert_frame_equal(found["a_page"], rows, check_exact=True)


def test_a_page_that_finds_no_results_says_so(tmp_path):
    with pytest.raises(FileNotFoundError, match="does scorecard run last"):
        Page("scorecard", load("data/bmt"), str(tmp_path)).others()


def test_the_front_page_has_the_numbers_of_the_curves(tmp_path):
    front = run("index", "data/bmt", tmp_path).numbers
    curves = results_of("data/bmt")
    for name, page in (("os", "figure_1a"), ("rfs", "figure_1b"), ("relapse", "figure_1c")):
        theirs = curves[page][curves[page]["group"].isin([name, f"{name}:origin"])]
        ours = front[front["group"].isin([name, f"{name}:origin"])]
        pd.testing.assert_frame_equal(
            ours.reset_index(drop=True), theirs.reset_index(drop=True), check_exact=True
        )
