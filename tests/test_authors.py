"""The authors' page as an author follows it: each file, each command, to the badge of a study.

The study is invented, so that what its badge has to say is known before anything is computed.
"""

from __future__ import annotations

import csv
import io
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from string import Template
from unittest import mock
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, command
from inprocess import as_data, page, without_kernels
from test_published import NASTY

from analysis.__main__ import main
from analysis.dataset.declared import study_problems
from analysis.dataset.model import load
from analysis.page import charts, contents
from analysis.page.rows import frame
from analysis.printed.badge import badge
from analysis.site import build, pages

PAGE = (ROOT / "book" / "authors.md").read_text("utf-8")
SVG = "{http://www.w3.org/2000/svg}"
# What an author may need of the book to come to the badge, and what the test builds of it.
NEEDED = ("study", "patients", "table_1", "figure_1a", "scorecard")


def blocks(language: str) -> list[str]:
    """The blocks of the page in a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


ROWS, PRINT, SAID = blocks("text")
(PACKAGE,) = blocks("json")
COMMANDS = [line for block in blocks("bash") for line in block.splitlines()]
# By the key of a printed number what is right, because the patients are made so.
RIGHT = {
    ("table_1", "count", "patients", ""): "40",
    ("patients", "count", "died|patients", ""): "30",
    ("os", "median", "os", ""): "12.0",
    ("os", "survival", "os", "24"): "35.0",
    ("table_1", "min", "age", ""): "21",
}


def patients() -> pd.DataFrame:
    """Forty patients, all followed for three years; those of the page come first.

    The 20th and the 21st die after a year, the 26th within two, the 30th is the last. All else is
    drawn.
    """
    random = np.random.default_rng(1958)
    first = pd.read_csv(io.StringIO(ROWS), dtype={"patient_id": str})
    deaths = [*random.integers(30, 360, 19), 365, *random.integers(380, 720, 5)]
    days = [*deaths, *random.integers(740, 1100, 4), *[1500] * 9]  # and the two of the page
    others = pd.DataFrame(
        {
            "patient_id": [f"P{number:02}" for number in range(3, 41)],
            "arm": random.permutation(["standard", "new"] * 19),
            "age": random.integers(30, 80, 38),
            "last_contact_day": days,
            "died": ["yes"] * 29 + ["no"] * 9,
        }
    )
    return pd.concat([first, others.sample(frac=1, random_state=1958)], ignore_index=True)


def arguments(line: str, base: Path) -> list[str]:
    """What a command of the page gives to the program by the Makefile, its folders in `base`."""
    make, target, *settings = shlex.split(line)
    assert make == "make"
    given = {name: str(base / of) for name, _, of in (text.partition("=") for text in settings)}
    asked = [make, "--dry-run", "--silent", "--old-file=.venv/.ready", target]
    asked += [f"{name}={value}" for name, value in given.items()]
    told = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    _, found, rest = told.partition(" -m analysis ")
    assert found, told
    return [Template(word).substitute(given) for word in shlex.split(rest)]


@pytest.fixture
def written(tmp_path: Path, capsys: pytest.CaptureFixture) -> Path:
    """The folder of the study, made and checked as the page says."""
    new, check, _ = COMMANDS
    assert main(arguments(new, tmp_path)) == 0
    folder = tmp_path / "our-paper"
    patients().to_csv(folder / "patients.csv", index=False)
    (folder / "datapackage.json").write_text(PACKAGE, "utf-8")
    (folder / "published.csv").write_text(PRINT, "utf-8")
    capsys.readouterr()
    assert main(arguments(check, tmp_path)) == 0
    said = capsys.readouterr().out
    assert "`no problem found`" in PAGE and said.endswith("no problem found\n")
    return folder


def counts() -> tuple[int, int]:
    """How many of the page's printed numbers are right, and of how many that a run can give."""
    rows = [row for row in csv.DictReader(io.StringIO(PRINT)) if row["kind"] != "given"]
    keys = [(row["page"], row["quantity"], row["group"], row["months"]) for row in rows]
    assert {*keys} == {*RIGHT}
    return sum(RIGHT[k] == row["printed"] for k, row in zip(keys, rows, strict=True)), len(rows)


def told(picture: str) -> list[str]:
    """The texts of a badge, its title first; it has to be well-formed."""
    tree = ElementTree.fromstring(picture)
    title = tree.find(f"{SVG}title")
    assert tree.get("role") == "img" and tree.get("aria-labelledby") == title.get("id")
    return [title.text, *(text.text for text in tree.iter(f"{SVG}text"))]


def test_the_page_prints_some_numbers_right_one_wrong_and_one_given():
    right, of = counts()
    assert SAID.strip() == f"{right} of {of} printed numbers reproduced"
    assert right == of - 1 and PRINT.count(",given\n") == 1


def laid_out(stage: Path, cache: Path, _: str, html: Path) -> Path:
    """What takes the place of Sphinx: a page for each source."""
    html.mkdir()
    for source in (path for path in stage.iterdir() if path.suffix in (".md", ".ipynb")):
        (html / source.name).with_suffix(".html").write_text(f"<pre>{source.stem}", "utf-8")
    shutil.copytree(stage, cache / "shop")
    return cache / "shop"


def test_who_follows_the_page_comes_to_its_badge(written: Path, tmp_path: Path):
    """In this process, without Sphinx, and with the pages only that the badge needs."""
    some = [path for path in contents.pages() if path.stem in NEEDED]
    with (
        without_kernels(),
        mock.patch.object(contents, "pages", lambda: some),
        mock.patch.object(charts, "_drawn", as_data),
        mock.patch.object(build, "preview", lambda *_: b""),
        mock.patch.object(pages, "render", laid_out),
    ):
        assert main(arguments(COMMANDS[-1], tmp_path)) == 0
    html = tmp_path / "our-book" / "html"
    assert_the_badge_is_right(html)
    assert (html / "study.html").exists()


def assert_the_badge_is_right(html: Path) -> None:
    """Where the page says, with what it says, and what is right."""
    assert f"`our-book/html/{build.BADGE}`" in PAGE
    title, name, said = told((html / build.BADGE).read_text("utf-8"))
    assert (name, said) == ("Plateau", "{} of {} printed numbers reproduced".format(*counts()))
    assert title == f"A new drug against the standard, 40 patients: {said}"
    (line,) = blocks("markdown")
    linked = re.findall(r"\(https://example\.org/our-book/([^)]*)\)", line)
    assert linked == [build.BADGE, "scorecard.html"] and (html / linked[1]).exists()


# The same with the command itself, a kernel for each notebook, and Sphinx: all pages.
@pytest.mark.wide
def test_the_whole_book_has_the_badge(written: Path, tmp_path: Path):
    made = command(ROOT, *arguments(COMMANDS[-1], tmp_path))
    assert made.returncode == 0, made.stderr
    html = tmp_path / "our-book" / "html"
    assert_the_badge_is_right(html)
    study = (html / "study.html").read_text("utf-8")
    assert "Do patients with the new drug live longer" in study and "The trial was too" in study


# --- the badge ---------------------------------------------------------------------------------


def totals(**counted: tuple[int, int]) -> pd.DataFrame:
    """What the scorecard counts: by kind how many are printed, and how many match."""
    return frame(
        {"quantity": f"{what}_numbers", "group": kind, "estimate": number}
        for kind, both in counted.items()
        for what, number in zip(("printed", "matched"), both, strict=True)
    )


def test_a_fitted_cohort_claims_no_evidence():
    real, made = load("data/mgus"), load("data/blinatumomab")
    emergent, calibrated = totals(all=(5, 4)), totals(calibrated=(4, 4), all=(5, 4))
    assert told(badge(real, emergent))[-1] == "4 of 5 printed numbers reproduced"
    assert told(badge(made, emergent))[-1] == "synthetic: 4 of 5 printed numbers reproduced"
    for dataset in (real, made):
        assert told(badge(dataset, calibrated))[-1] == "fitted: 4 of 5 printed numbers"


def test_a_badge_holds_labels_as_text_and_without_numbers_there_is_none(written: Path):
    text = PACKAGE.replace("A new drug against the standard, 40", NASTY.replace('"', '\\"'))
    (written / "datapackage.json").write_text(text, "utf-8")
    data = load(written)
    assert told(badge(data, totals(all=(5, 4))))[0].startswith(NASTY)
    assert badge(data, totals()) == ""


# --- the page of the study ---------------------------------------------------------------------


@pytest.fixture
def results(tmp_path: Path):
    """Runs pages of a dataset, whose results come to one folder; the last one is given back."""

    def run(dataset: str | Path, *asked: tuple[str, str]):
        given = {"dataset": str(dataset), "results_folder": str(tmp_path / "results")}
        with mock.patch.object(charts, "_drawn", as_data):
            for name, endpoint in asked:
                made = page(ROOT / "book" / f"{name}.ipynb", {**given, "endpoint": endpoint})
        return made

    return run


def test_the_study_says_what_r_says_of_its_competing_risks(results):
    study = results("data/mgus", ("figure_1d", "progression"), ("study", ""))
    r = pd.read_csv(ROOT / "tests" / "reference" / "studies.csv")
    r = r[r["dataset"].eq("mgus") & r["group"].eq("progression") & r["months"].eq(300)]
    first, naive = (
        100 * r.loc[r["quantity"].eq(quantity), "estimate"].item()
        for quantity in ("cumulative_incidence", "one_minus_survival")
    )
    texts = "\n".join(shown["text/plain"] for shown in study.shown)
    (line,) = re.findall(r"What comes first.*", texts)
    assert f"By 25 years malignancy had come first in {first:.1f}% (95% CI" in line
    assert f"Kaplan–Meier would say {naive:.1f}%" in line


def test_the_study_counts_infections_again_and_draws_its_arms(results):
    study = results("data/cgd", ("recurrent", "infections"), ("study", ""))
    source = pd.read_csv(ROOT / "data" / "cgd" / "source.csv")
    all_of_them = int(source["status"].sum())
    told = "\n".join(shown["text/plain"] for shown in study.shown)
    assert f"In all there were {all_of_them} (Placebo, " in told
    words = next(o["text/plain"] for o in study.shown if "The design" in o["text/plain"])
    arms = source.drop_duplicates("id")["treat"].value_counts()
    assert f"Placebo: {arms['placebo']}; Interferon gamma: {arms['rIFN-g']}. From" in words
    infected = source[source["status"].eq(1)].drop_duplicates("id")["treat"].value_counts()
    by_arm = f"Placebo: {infected['placebo']}; Interferon gamma: {infected['rIFN-g']}."
    assert f"Serious infection: {by_arm}" in words
    asked = load("data/cgd").package["study"]["question"]
    assert asked in study.shown[0]["text/plain"] and "{cite}`cgd1991`" in study.text


def test_without_what_was_asked_there_is_no_page(results, written: Path):
    text = re.sub(r'  "study": \{.*?\n  \},\n', "", PACKAGE, flags=re.DOTALL)
    (written / "datapackage.json").write_text(text, "utf-8")
    assert "to say what was asked" in results(written, ("table_1", ""), ("study", "")).missing
    assert "to say what was asked" in results("data/bmt", ("table_1", ""), ("study", "")).missing


def test_what_the_study_names_is_in_the_book_and_in_the_print():
    published = pd.read_csv(io.StringIO(PRINT), dtype=str, keep_default_na=False)
    main = [dict(zip(("page", "quantity", "group"), ("os", "median", "os"), strict=True))]
    known = {"reference": "cox1972", "main": main}
    assert [*study_problems(known, published)] == []
    wrong = {"reference": "cox1792", "main": [{**main[0], "months": 24}]}
    assert [str(problem) for problem in study_problems(wrong, published)] == [
        'datapackage.json, study, reference: found "cox1792", expected a key of '
        "book/references.bib, or no reference; did you mean cox1972?",
        'datapackage.json, study, main 1: found "os median os 24", expected a number of '
        "published.csv",
    ]
    assert len([*study_problems(wrong, None)]) == 1


@pytest.mark.parametrize("name", ["blinatumomab", "mgus", "mgus2", "colon", "cgd"])
def test_the_words_of_a_study_hold_no_number(name: str):
    """They would be typed: printed numbers stand in published.csv, others come from the run."""
    study = load(f"data/{name}").package["study"]
    assert not re.search(r"\d", study["question"] + study["found"])
