"""The worked pieces: alone beside a table they give the lesson's main number, and so does R."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from inprocess import Made, Page, run
from reference import worked_names

from analysis.course.learner import lessons
from analysis.course.worked import (
    CLOSED,
    FROZEN,
    SCRIPTS,
    Step,
    digest,
    literals_of,
    script,
    steps,
)
from analysis.dataset.model import load
from analysis.page.plain import OTHERWISE
from analysis.page.rows import pick

DATASETS = worked_names.DATASETS
LESSONS = worked_names.LESSONS
PAGES = {int(path.stem.split("_")[1]): path.stem for path in lessons()}
TOLERANCE = 1e-8  # relative: the methods are the same, the sums run in another order
NOTHING = ({}, {})
course = import_module("analysis.course.worked")  # whose function has its name


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[int, str], Page]:
    """The page of a lesson on a dataset."""
    results = tmp_path_factory.mktemp("results")
    return Made(lambda key: run(PAGES[key[0]], f"data/{key[1]}", results))


def filled(lesson: int, dataset: str) -> list[Step]:
    data = load(f"data/{dataset}")
    names = import_module(f"analysis.course.keys_{lesson:02}").names(data)
    return steps(lesson, literals_of(data, names))


def in_r(lesson: int, dataset: str) -> list[float]:
    rows = pd.read_csv(FROZEN)
    rows = rows[rows["lesson"].eq(lesson) & rows["dataset"].eq(dataset)]
    assert list(rows["place"]) == list(range(1, len(rows) + 1)) and len(rows)
    return rows["value"].tolist()


# Each script has its folder and its names; they share what takes longest, which is to import.
ALONE = """
import json, os, runpy, sys
import numpy
for folder in sorted(os.listdir()):
    os.chdir(folder)
    main = numpy.atleast_1d(runpy.run_path("alone.py")["main"])
    os.chdir("..")
    print("main", folder, json.dumps(main.astype(float).tolist()))
assert not any(name.split(".")[0] == "analysis" for name in sys.modules)
"""


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[int, list[float]]]:
    """What the scripts of all lessons give for a dataset, without the book on the path.

    Each runs in a folder that holds it and the patients' table, and nothing else afterwards.
    """

    def told(dataset: str) -> dict[int, list[float]]:
        top = tmp_path_factory.mktemp(dataset)
        for lesson in LESSONS:
            folder = top / f"{lesson:02}"
            folder.mkdir()
            shutil.copy(ROOT / "data" / dataset / "patients.csv", folder)
            (folder / "alone.py").write_text(script(filled(lesson, dataset), "python"), "utf-8")
        ran = [sys.executable, "-I", "-c", ALONE]
        said = subprocess.run(ran, cwd=top, capture_output=True, text=True, check=True).stdout
        for folder in top.iterdir():
            assert set(os.listdir(folder)) == {"patients.csv", "alone.py"}
        found = re.findall(r"^main (\d+) (.*)$", said, re.MULTILINE)
        return {int(lesson): json.loads(main) for lesson, main in found}

    return Made(told)


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("lesson", LESSONS)
def test_a_script_alone_gives_the_lessons_number_and_that_of_r(
    made, alone, lesson: int, dataset: str
) -> None:
    main = alone[dataset][lesson]
    np.testing.assert_allclose(main, in_r(lesson, dataset), rtol=TOLERANCE)
    text = made[lesson, dataset].text
    row, shown = re.search(
        r'class="worked" .*?data-row="([^"]*)" data-main="([^"]*)"', text
    ).groups()
    assert json.loads(shown) == main
    quantity, group, *month = row.split()
    recorded = pick(made[lesson, dataset].numbers, quantity, group, *map(float, month))
    parts = ["estimate", "lower", "upper"][: len(main)]
    np.testing.assert_allclose(main, recorded[parts].astype(float), rtol=TOLERANCE)


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("lesson", LESSONS)
def test_r_ran_the_scripts_as_they_are(made, lesson: int, dataset: str) -> None:
    """Else `python -m tests.reference.worked_names`, and `Rscript tests/reference/worked.R`."""
    rows = pd.read_csv(FROZEN)
    rows = rows[rows["lesson"].eq(lesson) & rows["dataset"].eq(dataset)]
    assert set(rows["script"]) == {digest(script(filled(lesson, dataset), "r"))}
    printed = " ".join(f"{value:.7g}" for value in in_r(lesson, dataset))
    assert f'<pre class="worked-output">[1] {printed}</pre>' in made[lesson, dataset].text


def test_r_was_given_the_names_of_the_datasets() -> None:
    frozen = pd.read_csv(worked_names.PLACE, dtype=str)
    pd.testing.assert_frame_equal(frozen, worked_names.table().astype(str))


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_piece_is_short_and_asks_between_its_steps(lesson: int) -> None:
    found = steps(lesson, NOTHING)
    code = "\n".join(step.python for step in found)
    lines = [line for line in code.splitlines() if line.strip()]
    assert 3 <= len(found) <= 4
    assert 10 <= len([line for line in lines if not line.startswith(("import", "from"))]) <= 24
    assert sum("?" in step.question for step in found) >= len(found) - 2
    assert "pd.read_csv(table" in code and "alt." in code
    assert "analysis" not in code
    for language in ("python", "r"):
        # As wide as a page shows.
        assert max(map(len, script(found, language).splitlines())) <= 79
        assert re.search(r"^main (=|<-) ", script(found, language), re.MULTILINE)


@pytest.mark.parametrize("lesson", LESSONS)
def test_the_file_is_of_the_papers_cohort(lesson: int) -> None:
    """So that it can be taken as it is."""
    bare = steps(lesson, NOTHING)
    assert filled(lesson, "blinatumomab") == bare


def test_names_take_the_place_of_what_a_script_assigns(monkeypatch, tmp_path: Path) -> None:
    (tmp_path / "lesson_01.py").write_text(
        '# %% One\ntable = "x.csv"\nday = 3  # why\nsides = ["A", "B"]\nmain = day\n'
        "# %% [markdown]\n# What\n# now?\n# %% Two\nday = 4\n",
        "utf-8",
    )
    (tmp_path / "lesson_01.R").write_text(
        '# %% One\ntable <- "x.csv"\nday <- 3  # why\nsides <- c("A", "B")\n# %% Two\nday <- 4\n',
        "utf-8",
    )
    monkeypatch.setattr(course, "SCRIPTS", tmp_path)
    names = {"day": 4.5, "sides": ['a "b"', "µ"]}
    one, two = steps(1, literals_of(load("data/bmt"), names))
    assert 'table = "patients.csv"\nday = 4.5  # why\nsides = ["a \\"b\\"", "µ"]' in one.python
    assert 'table <- "patients.csv"\nday <- 4.5  # why\nsides <- c("a \\"b\\"", "µ")' in one.r
    assert (one.question, two.python, two.question) == ("What now?", "day = 4", "")
    with pytest.raises(KeyError, match="week"):
        steps(1, ({"week": "1"}, {}))
    (tmp_path / "lesson_01.R").write_text("# %% One\n", "utf-8")
    with pytest.raises(ValueError, match="other ones"):
        steps(1, NOTHING)


def test_a_piece_leads_to_the_table_and_says_what_to_install(made) -> None:
    shown = made[5, "bmt"].text
    assert shown.count('<a href="exercises/patients.csv" download>patients.csv</a>') == 2
    assert "<code>pip install altair &quot;pandas&lt;3&quot; lifelines</code>" in shown
    assert "install.packages(c(&quot;cmprsk&quot;, &quot;survival&quot;))" in shown
    parquet = [Step("One", "x = pd.read_parquet(table)", "x <- arrow::read_parquet(table)")]
    assert course.needed(parquet, "python") == "pip install pyarrow"
    assert course.needed(parquet, "r") == 'install.packages(c("arrow"))'


def test_of_patients_who_are_not_public_nothing_is_shown(tmp_path: Path) -> None:
    closed = run(PAGES[1], "data/bmt", tmp_path, mask_below=5)
    assert CLOSED in closed.text and 'data-main="[]"' in closed.text
    assert "worked-output" not in closed.text and "exercises/patients.csv" not in closed.text
    folder = Path(shutil.copytree(ROOT / "data" / "bmt", tmp_path / "own"))
    package = json.loads((folder / "datapackage.json").read_text("utf-8"))
    (folder / "datapackage.json").write_text(json.dumps(package | {"public": False}), "utf-8")
    private = run(PAGES[1], folder, tmp_path).text
    assert "worked-output" not in private and "exercises/patients.csv" not in private


def test_code_of_other_columns_is_shown_and_not_run() -> None:
    page = type("Page", (), {"data": load("data/bmt"), "id": lambda self, part: part})()
    made = course.worked(page, 1, None)
    assert made.note == OTHERWISE and not made.shown


def test_a_step_that_fails_tells_no_patient() -> None:
    found = steps(1, NOTHING)
    failing = [Step("One", 'print("x")\nraise ValueError("Patient 7")', ""), *found]
    shown, main = course.run(failing, load("data/bmt"))
    assert [part.printed for part in shown] == ["Not here: ValueError."] and main == []


def test_the_words_of_a_drawing_have_the_ink_of_the_page() -> None:
    """Those of a legend too, or a dark page hides them."""
    found = filled(4, "bmt")
    shown, _ = course.run(found, load("data/bmt"))
    drawn = course.Worked("piece", found, "", shown)._repr_mimebundle_()["text/html"]
    assert set(re.findall(r'<text[^>]*fill="([^"]*)"', drawn)) == {"currentColor"}


def test_other_patients_of_the_same_name_have_no_value_of_r(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(ROOT / "data" / "bmt", tmp_path / "bmt"))
    patients = pd.read_csv(folder / "patients.csv", dtype=str, keep_default_na=False)
    text = script(filled(1, "bmt"), "r")
    assert course.in_r(load("data/bmt"), 1, text) == in_r(1, "bmt")
    assert course.in_r(load("data/bmt"), 1, text + " ") == []
    patients.iloc[1:].to_csv(folder / "patients.csv", index=False)
    assert course.in_r(load(folder), 1, text) == []


def test_every_script_belongs_to_a_lesson() -> None:
    for path in SCRIPTS.iterdir():
        assert int(path.stem.removeprefix("lesson_")) in PAGES and path.suffix in (".py", ".R")
        assert path.with_suffix(".R").exists() and path.with_suffix(".py").exists()
