"""An assignment gives what is earned: to who is right, who is wrong, who cheats and who is absent.

nbgrader is no part of the book. Its own commands are run where it is installed, on its own path or
on the one that NBGRADER names.
"""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import unicodedata
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT, often
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell
from pypdf import PdfReader
from students import Returned, literal, named

from analysis.course import answers, assignment, tasks
from analysis.course.answers import Sealed, plain, sealed
from analysis.course.marks import BOOK, DIED, marks
from analysis.course.marks import _ran as answers_after
from analysis.dataset.model import load
from analysis.dataset.problems import DataError
from analysis.site import browser as printing

NBGRADER = os.environ.get("NBGRADER") or shutil.which("nbgrader")
DATASETS = ("blinatumomab", "bmt")
EACH = [f"{dataset}-{number}" for number in range(1, 12) for dataset in DATASETS]
SOME = ("bmt-1", "bmt-11")  # which are made fast


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the assignments are, all in one course."""
    return tmp_path_factory.mktemp("assignments")


def source(out: Path, name: str) -> Path:
    """The source of a lesson's assignment, which is made when it is first asked for."""
    folder = out / "nbgrader" / "source" / name
    if not folder.exists():
        Returned(name).make(out)
    return folder


def cells(folder: Path) -> NotebookNode:
    return nbformat.read(folder / Returned(folder.name).file, as_version=4)


@pytest.mark.parametrize("name", often(EACH, "bmt-1"))
def test_each_student_gets_what_is_earned(out: Path, name: str, tmp_path) -> None:
    folder, returned = source(out, name), Returned(name)
    returned.write(folder, tmp_path)
    # A notebook of another assignment may be beside them.
    shutil.copytree(tmp_path / "right" / folder.name, tmp_path / "empty" / "other")
    (folder.parent / "other").mkdir(exist_ok=True)
    said: list[str] = []
    every = list(marks(tmp_path, folder, 60, said.append))
    table, feedback = every[-1]
    assert [len(table) for table, _ in every] == list(range(1, len(table) + 1))  # kept as they come
    table = table.set_index("student")
    assert table["points"].to_dict() == returned.earned and len(said) == len(table)
    assert table["of"].eq(len(returned.exercises)).all()
    # An exercise without an answer is blank, an error stands in the notes, a check has its words.
    exercises = [name for name in table if "_exercise_" in name]
    assert table.loc["empty", exercises].isna().all() and (table.loc["wrong", exercises] == 0).all()
    crashed = table["notes"].str.contains("exercise 2: ZeroDivisionError: division by zero")
    assert table.index[crashed].tolist() == ["half"]  # the one who deletes it has no such cell
    assert table.loc[["right", "wrong", "empty"], "notes"].eq("").all()
    words = feedback.set_index(["student", "exercise"])["said"]
    assert len(words) == len(table) * len(exercises) and words["right"].eq("Right.").all()
    assert all(words["wrong", k] == returned.mistake(k)[1] for k in returned.exercises)
    assert words["empty"].eq(answers.NO_ANSWER).all()
    assert words["half", 2] == "exercise 2: ZeroDivisionError: division by zero"


@pytest.mark.parametrize("name", often(EACH, *SOME))
def test_who_makes_a_mistake_is_told_which(out: Path, name: str) -> None:
    """By the hashes alone, of an answer as it leaves its notebook."""
    folder, returned = source(out, name), Returned(name)
    for k, exercise in returned.exercises.items():
        asked = sealed(str(folder / f"{returned.lesson.name}.json"), k)
        given, words = returned.mistake(k)
        assert asked.check(answers.given(plain(eval(given)))).words == words
        assert asked.check(answers.given(plain(eval(literal(exercise.answer))))).right
        assert not asked.check(999).right


def test_a_notebook_without_end_has_the_marks_of_what_came_before(out: Path, tmp_path) -> None:
    """Without folders, the student's name is that of the file; what is lacking is noted."""
    folder = source(out, "bmt-1")
    notebook, given = cells(folder), Returned("bmt-1").written()["right"]
    notebook.cells = [new_code_cell(given[1]), new_code_cell("while True: pass")]
    nbformat.write(notebook, tmp_path / "ann_lesson_01.ipynb")
    notebook.cells = [new_code_cell("import os"), new_code_cell("os._exit(1)")]
    nbformat.write(notebook, tmp_path / "lesson_01-bob.ipynb")
    (tmp_path / "eve_lesson_01.ipynb").write_text("{}", "utf-8")
    (tmp_path / "lesson_09_tim.ipynb").write_text("{}", "utf-8")
    (tmp_path / "ben lesson 1.ipynb").write_text("{}", "utf-8")
    (tmp_path / "=liz").mkdir()
    (tmp_path / "=liz" / "homework.ipynb").write_text("{}", "utf-8")
    broken = nbformat.v4.new_notebook(cells=[new_code_cell("answer_1 = 1")])
    del broken.cells[0]["source"]
    (tmp_path / "sue_lesson_01.ipynb").write_text(json.dumps(broken), "utf-8")
    notebook.cells = [new_code_cell(given[1])]  # the newer of two of one student
    for name in ("zo\udceb_lesson_01 (2)", "zo\udceb_lesson_01-1", "007_lesson_01"):  # not UTF-8
        nbformat.write(notebook, tmp_path / f"{name}.ipynb")
        notebook.cells = []
    shutil.copy(next((ROOT / "exercises" / "bmt").glob("lesson_01*.ipynb")), tmp_path)
    told: list[str] = []
    *_, (table, _) = marks(tmp_path, folder, 4, told.append)
    assert "ben lesson 1.ipynb is passed over: expected NAME_lesson_01.ipynb" in "".join(told)
    books = table["student"].eq("censoring")
    assert table.loc[books, "notes"].tolist() == [f"lesson_01: {BOOK}"]
    table = table[~books].set_index("student")
    assert table["points"].to_dict() == {
        **{"'=liz": 0, "007": 0, "ann": 1, "bob": 0, "eve": 0, "sue": 0, "tim": 0},
        "zo\\udceb": 1,
    }
    assert table["notes"].tolist() == [
        "", "lesson_01: no notebook", "lesson_01: it ran for longer than 4 s",
        f"lesson_01: {DIED}", "lesson_01: it is no notebook", "lesson_01: it is no notebook",
        "lesson_01: no notebook",
        "lesson_01: several notebooks, and zo\\udceb_lesson_01 (2).ipynb was marked",
    ]  # fmt: skip
    with pytest.raises(DataError, match="no notebook of lesson_01"):
        list(marks(folder / "nothing", folder, 4))


@pytest.mark.skipif(not NBGRADER, reason="nbgrader is not installed")
@pytest.mark.parametrize("name", EACH)
def test_nbgrader_gives_what_is_earned(out: Path, name: str, tmp_path: Path) -> None:
    """Its own commands, from the source to the exported marks."""
    course, returned = source(out, name).parents[1], Returned(name)
    surroundings = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    surroundings["PATH"] = os.pathsep.join([str(Path(NBGRADER).parent), os.environ["PATH"]])

    def command(*words: str) -> None:
        run = subprocess.run(
            [NBGRADER, *words], cwd=course, env=surroundings, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr

    command("generate_assignment", name)
    text = "".join(path.read_text("utf-8") for path in (course / "release" / name).iterdir())
    assert not re.search("HIDDEN|SOLUTION|subprocess, sys", text)
    returned.write(course / "release" / name, course / "submitted")
    command("autograde", name)
    graded = cells(course / "autograded" / "cheating" / name)
    said = {k: told.outputs[-1].evalue for k, told in named(graded, "exercise").items()}
    assert said[1].startswith("There is no answer yet")
    assert said[2] == said[3] == "Not right."  # what the locked test says as it is handed out
    assert "cannot import name 'plain'" in said.get(4, "cannot import name 'plain'")
    command("export", "--to", str(tmp_path / "marks.csv"))
    rows = csv.DictReader((tmp_path / "marks.csv").open(encoding="utf-8"))
    rows = [row for row in rows if row["assignment"] == name]
    assert {row["student_id"]: float(row["score"]) for row in rows} == returned.earned
    assert {float(row["max_score"]) for row in rows} == {len(returned.exercises)}


def test_the_cells_have_what_nbgrader_asks_for(out: Path) -> None:
    """Its metadata of version 3. What is locked and what has points is known from the kind."""
    notebook = cells(source(out, "bmt-1"))
    nbformat.validate(notebook)
    told = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
    ids = [of.grade_id for of in told]
    assert len(set(ids)) == len(ids) and all(re.fullmatch(r"[\w-]+", name) for name in ids)
    keys = {"schema_version", "grade_id", "grade", "locked", "solution", "task"}
    for of in told:
        assert set(of) == keys | ({"points"} if of.grade else set())
        assert of.schema_version == 3 and not of.task and of.locked != of.solution
    assert len(named(notebook, "answer")) == sum(of.get("points", 0) for of in told) == 4


@pytest.mark.parametrize("name", often(EACH, *SOME))
def test_what_is_handed_out_tells_no_answer(out: Path, name: str) -> None:
    folder, returned = source(out, name), Returned(name)
    notebook = cells(folder)
    told = [re.sub(r"### BEGIN.*?### END", "", c.source, flags=re.S) for c in notebook.cells]
    text = "\n".join([*told, (folder / f"{returned.lesson.name}.json").read_text("utf-8")])
    for k, exercise in returned.exercises.items():
        for words in (exercise.because, *(words for _, words in exercise.mistakes)):
            assert words not in text
        solution = returned.written()["right"][k].splitlines()
        assert not [
            line
            for line in solution
            if line.startswith("answer_") and "= " in line and line in text
        ]
        shown = assignment._shown(exercise.answer, exercise)
        asked = "".join(told).replace("\xa0", " ").replace('"', "")
        known = re.escape(shown.replace("\xa0", " "))
        assert len(shown) < 4 or not re.search(rf"(?<!\d){known}(?!\d)", asked)


def test_a_class_without_nbgrader_gets_the_same_notebook(out: Path) -> None:
    """Without solutions and hidden tests, with the name of the study, and beside the same files."""
    folder = source(out, "bmt-1")
    handed = out / "handout" / "bmt-1"
    assert {path.name for path in handed.iterdir()} == {path.name for path in folder.iterdir()}
    shown = cells(handed)
    text = "\n".join(cell.source for cell in shown.cells)
    assert not re.search("SOLUTION|HIDDEN|subprocess", text)
    assert load("data/bmt").title in text.replace("\\", "")
    assert text.count("= ...  # leave this line") == 4 == text.count(").grade(answer_")
    assert all("nbgrader" not in cell.metadata for cell in shown.cells)


@pytest.mark.parametrize("lacking", ["lifelines", ""])
def test_nbgrader_stops_where_everybody_would_get_nothing(lacking: str) -> None:
    """Its settings name the package that its Python lacks."""
    config = assignment.CONFIG.read_text("utf-8").partition("def at_the_end")[0]
    config = config.replace("from nbgrader.preprocessors import OverwriteCells", "")
    find = config.replace('"lifelines"', '"no_such_package"') if lacking else config
    assert find != config or not lacking
    if lacking:
        with pytest.raises(SystemExit, match="lacks no_such_package: pip install"):
            exec(find, {})
    else:
        exec(find, {})


def test_what_is_handed_out_needs_no_book(out: Path) -> None:
    notebook = cells(source(out, "bmt-1"))
    code = [c.source.split("### ")[0] for c in notebook.cells if c.cell_type == "code"]
    imported = set(re.findall(r"^\s*(?:from|import) (\w+)", "\n".join(code), re.MULTILINE))
    assert imported == {"pandas", "lifelines", "answers"}


@pytest.mark.parametrize("name", often(EACH, "bmt-11"))
def test_the_key_has_each_task_and_answer(
    out: Path, name: str, browser, tmp_path, monkeypatch
) -> None:
    """As it is printed: with what was asked for, what is right, and what each mistake gives."""
    monkeypatch.setattr(printing, "chromium", lambda _: nullcontext(browser))
    key = out / "key" / f"{source(out, name).name}.html"
    printing.print_page("", key, tmp_path / "key.pdf")
    pages = PdfReader(tmp_path / "key.pdf").pages
    printed = squeezed(" ".join(page.extract_text() for page in pages))
    assert "|---" not in printed  # a table is a table
    made = Returned(name).lesson
    for k, exercise in made.exercises.items():
        assert squeezed(f"Exercise {k}.") in printed and squeezed(made.asked(k)) in printed
        for given, words in [(exercise.answer, exercise.because), *exercise.mistakes]:
            assert squeezed(words) in printed
            assert squeezed(assignment._shown(given, exercise)) in printed
    for k, why in made.left_out.items():
        assert squeezed(f"Without exercise {k}: {why}") in printed


def squeezed(text: str) -> str:
    """Text without spaces and with its letters apart, as fonts and lines leave it."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def test_words_are_read_with_their_answer_alone() -> None:
    text = answers.closed("Not A.", ["x"], "salt")
    assert answers.opened(text, ["x"], "salt") == "Not A." and "Not" not in text
    for parts, salt in ((["y"], "salt"), (["x"], "pepper")):
        assert answers._crossed(b"Not A.", parts, salt) != answers._crossed(
            b"Not A.", ["x"], "salt"
        )


def test_an_answer_leaves_its_notebook_as_json() -> None:
    import numpy as np
    import pandas as pd

    table = pd.DataFrame({"start": [0, 40], "died": [False, True]})
    for given, same in (
        (np.float64(0.5), 0.5), ((1, np.int64(2)), [1, 2]), (pd.Series([1.5, 2]), [1.5, 2]),
        (table, [[0, False], [40, True]]), ({"n": 3}, {"n": 3}), (..., None),
        ({"n": 3}.values(), [3]), (np.bool_(True), True), ("a", "a"),
    ):  # fmt: skip
        assert json.loads(plain(given)) == same
    for kept in ({0.5, 2}, {(0, 40), (40, 300)}, [1, [2, {"a"}]], {"n": 3}):
        assert answers.given(plain(kept)) == kept
    with pytest.raises(TypeError):
        plain(object())
    with pytest.raises(ValueError, match="only once"):
        plain(iter([1]))
    with pytest.raises(AssertionError, match="only once"):
        Sealed("numbers", 1, 0, "", ()).grade(iter([1]))


def test_answers_are_read_wherever_the_notebook_has_gone(tmp_path: Path) -> None:
    codes = ["answer_1 = 0.5", "import os; os.chdir('..')"]
    found = answers_after(codes, str(tmp_path), Path(answers.__file__), [1], 60)
    assert found == ({1: 0.5}, [])


def test_an_answer_that_cannot_be_read_loses_no_other(tmp_path: Path, monkeypatch) -> None:
    """Each is noted: of another kind, without end, too long."""
    monkeypatch.setattr("analysis.course.marks.LAST", 2)
    slow = "class Slow:\n    def tolist(self):\n        while True: pass\nanswer_2 = Slow()"
    codes = ["answer_1 = object()", slow, "answer_3 = range(10**9)", "answer_5 = 0.5"]
    found, said = answers_after(codes, str(tmp_path), Path(answers.__file__), [1, 2, 3, 4, 5], 60)
    assert found == {5: 0.5}
    why = ["TypeError", "it takes too long", "ValueError: far more than the answer"]
    for note, (number, words) in zip(said, enumerate(why, 1), strict=True):
        assert note.startswith(f"exercise {number}: its answer could not be read: {words}")


def test_a_teacher_is_told_of_private_patients(tmp_path: Path, monkeypatch) -> None:
    private = replace(load("data/bmt"), public=False)
    monkeypatch.setattr(assignment, "load", lambda *_: private)
    _, said = assignment.assignment([1], ROOT / "data" / "bmt", tmp_path)
    assert said and "lesson_01_patients.csv" in said[0] and "not declared public" in said[0]
    assert "a public dataset such as data/bmt" in said[0]
    _, said = assignment.assignment([7], ROOT / "data" / "bmt", tmp_path)
    assert "lesson_07_rows.csv may" in said[0]  # the other table holds invented patients


def test_an_assignment_that_is_made_again_is_the_same(tmp_path: Path) -> None:
    """Or the tests of one that was handed out would fail. No table comes that nobody reads."""
    for out in ("one", "two"):
        _, said = assignment.assignment([3], ROOT / "data" / "mgus", tmp_path / out)
    one, two = (sorted((tmp_path / out / "handout").rglob("*.*")) for out in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    text = next(path for path in one if path.suffix == ".ipynb").read_text("utf-8")
    tables = [path.name for path in one if path.suffix == ".csv"]
    assert tables and all(name in text for name in tables)
    assert any("exercise 2: on invented patients" in line for line in said)


def test_a_lesson_of_another_form_is_named() -> None:
    with pytest.raises(DataError, match="lesson 12: its exercises are not in the form"):
        tasks.lesson(12, ROOT / "data" / "bmt")


def test_an_exercise_that_needs_the_book_is_left_out(tmp_path: Path, monkeypatch) -> None:
    """And one whose patients are missing; what a cell sets is handed out as values and a table."""
    notebook = cells_of(
        "# Lesson 1. Made up",
        "## Exercises",
        "import pandas as pd\nfrom analysis.course import Exercise, check\n"
        "from analysis.dataset.model import NotRecorded, load\nfrom analysis import survival\n"
        'data = load("data/bmt")\npeople = data.patients.head(3)[["patient_sex"]]\nn = len(people)',
        "### Exercise 1. Yes", "!answer_1 = n", "check(answer_1, Exercise(3, '', []))",
        "### Exercise 2. No", "!answer_2 = len(data.patients)",
        "check(answer_2, Exercise(137, '', []))",
        "### Exercise 3. No", "raise NotRecorded('Nobody.')", "!answer_3 = 1",
        "### Exercise 4. Yes", "# See\nSee [Lesson 2](lesson_02.ipynb).", "twice = 2 * n",
        "!answer_4 = twice", "check(answer_4, Exercise(6, '', []))",
        "## Check yourself",
    )  # fmt: skip
    (tmp_path / "book").mkdir()
    nbformat.write(notebook, tmp_path / "book" / "lesson_01_x.ipynb")
    (tmp_path / "lesson_01.py").touch()
    (tmp_path / "data").symlink_to(ROOT / "data")
    monkeypatch.setattr(tasks, "ROOT", tmp_path)
    monkeypatch.setattr(tasks, "SCRIPTS", tmp_path)
    made = tasks.lesson(1, ROOT / "data" / "bmt")
    assert list(made.exercises) == [1, 4]
    assert made.left_out == {2: "its solution needs data of this project", 3: "Nobody."}
    assert "n = 3\npeople = pd.read_csv" in made.parts[1].source
    assert list(made.files) == ["lesson_01_people.csv"] and made.own == set(made.files)
    assert "# See\nSee Lesson 2." in [part.source for part in made.parts]
    name, said = assignment.assignment([1], ROOT / "data" / "bmt", tmp_path / "out")
    assert len(said) == 2 and "exercise 2" in said[0]


def cells_of(*sources: str) -> NotebookNode:
    """A notebook of text, of code, and of solutions, which begin with an exclamation mark."""
    made = []
    for text in sources:
        if text.startswith("#"):
            made.append(new_markdown_cell(text))
        else:
            tags = ["solution"] if text.startswith("!") else []
            made.append(new_code_cell(text.removeprefix("!"), metadata={"tags": tags}))
    return nbformat.v4.new_notebook(cells=made)
