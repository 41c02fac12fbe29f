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
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from conftest import ROOT
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from analysis.course import answers, assignment, tasks
from analysis.course.answers import Sealed, plain, sealed
from analysis.course.marks import marks
from analysis.dataset.model import load
from analysis.dataset.problems import DataError

NBGRADER = os.environ.get("NBGRADER") or shutil.which("nbgrader")
DATASETS = ("blinatumomab", "bmt")
POINTS = {"right": 4, "wrong": 1, "cheating": 0, "empty": 0}

# The first asks the book's key. The others change Python or the files so that the locked test is
# content with any answer.
CHEATS = {
    1: "answer_1 = lesson.exercise_1(data).answer",
    2: "import answers\nanswers.Sealed.grade = lambda *_: None\ngrade = check = print\n"
    "answer_2 = (0, 0)",
    3: "import hashlib, importlib, json\nimportlib.reload(answers)\n"
    'key = json.load(open("lesson_01.json"))["3"]["right"][0][0]\n'
    "hashlib.pbkdf2_hmac = lambda *_: bytes.fromhex(key)\n"
    'answers.Sealed.read = lambda *_: None\nanswer_3 = {"a"}',
    4: 'for file in ("answers.py", "lesson_01.json"):\n'
    '    open(file, "w").write("def sealed(*_): return sealed\\nsealed.grade = print\\n")\n'
    "import sys; sys.modules.pop('answers')\nanswer_4 = 0.5",
}  # fmt: skip


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assignments of Lesson 1 on each dataset, in one course."""
    made = tmp_path_factory.mktemp("assignments")
    for name in DATASETS:
        assert assignment.assignment([1], ROOT / "data" / name, made) == (f"{name}-1", [])
    return made


def source(out: Path, dataset: str) -> Path:
    return out / "nbgrader" / "source" / f"{dataset}-1"


def cells(folder: Path) -> NotebookNode:
    return nbformat.read(folder / "lesson_01.ipynb", as_version=4)


def named(notebook: NotebookNode, kind: str) -> dict[int, NotebookNode]:
    """The cells of the answers, or of the tests, by exercise."""
    ids = {cell.metadata.get("nbgrader", {}).get("grade_id", ""): cell for cell in notebook.cells}
    return {int(k[-1]): cell for k, cell in ids.items() if re.fullmatch(rf"{kind}-\d", k)}


def solved(notebook: NotebookNode) -> dict[int, str]:
    """What who is right writes."""
    return {k: cell.source.split("### ")[1] for k, cell in named(notebook, "answer").items()}


def return_all(out: Path, dataset: str, handed: Path, folder: Path) -> None:
    """The notebooks of the made-up students, from the one that was handed out."""
    right = {k: f"# {text}" for k, text in solved(cells(source(out, dataset))).items()}
    wrong = dict.fromkeys(right, "") | {
        1: "answer_1 = 5 / 9", 2: "answer_2 = 0.533, 0.65", 3: 'answer_3 = {"b"}',
        4: "answer_4 = 1 / 0",
    }  # fmt: skip
    written: Mapping[str, Mapping[int, str]] = {
        "right": right, "wrong": wrong, "cheating": CHEATS, "empty": {},
    }  # fmt: skip
    for student, given in written.items():
        notebook = cells(handed)
        for k, cell in named(notebook, "answer").items():
            text = cell.source.split("### BEGIN")[0]
            cell.source = f"{text}\n{given[k]}" if k in given else text
        if student == "cheating":
            tests = named(notebook, "exercise")
            tests[1].source = tests[4].source = "pass"
            tests[2].metadata.nbgrader.points = 40
        target = folder / student / f"{dataset}-1"
        shutil.copytree(handed, target)
        nbformat.write(notebook, target / "lesson_01.ipynb")


@pytest.mark.parametrize("dataset", DATASETS)
def test_each_student_gets_what_is_earned(out: Path, dataset: str, tmp_path: Path) -> None:
    for each in DATASETS:  # the notebooks of another assignment may be beside them
        return_all(out, each, source(out, each), tmp_path)
    table = marks(tmp_path, source(out, dataset), 60).set_index("student")
    assert table["points"].to_dict() == POINTS
    assert table.loc["wrong"].filter(like="exercise").tolist() == [0, 1, 0, 0]
    assert table["of"].eq(4).all() and table["notes"].eq("").all()


def test_a_notebook_without_end_has_the_marks_of_what_came_before(out: Path, tmp_path) -> None:
    """Without folders, the student's name is that of the file; what is lacking is noted."""
    folder = source(out, "bmt")
    notebook, given = cells(folder), solved(cells(folder))
    notebook.cells = [new_code_cell(f"# {given[1]}"), new_code_cell("while True: pass")]
    nbformat.write(notebook, tmp_path / "ann_lesson_01.ipynb")
    notebook.cells = [new_code_cell("import os"), new_code_cell("os._exit(1)")]
    nbformat.write(notebook, tmp_path / "lesson_01-bob.ipynb")
    (tmp_path / "eve_lesson_01.ipynb").write_text("{}", "utf-8")
    (tmp_path / "lesson_09_tim.ipynb").write_text("{}", "utf-8")
    table = marks(tmp_path, folder, 4).set_index("student")
    assert table["points"].to_dict() == {"ann": 1, "bob": 0, "eve": 0, "tim": 0}
    late = "lesson_01: it ran for longer than 4 s"
    assert table["notes"].tolist() == [
        late, late, "lesson_01: it is no notebook", "lesson_01: no notebook",
    ]  # fmt: skip
    with pytest.raises(DataError, match="no notebook of lesson_01"):
        marks(folder / "nothing", folder, 4)


@pytest.mark.skipif(not NBGRADER, reason="nbgrader is not installed")
def test_nbgrader_gives_what_is_earned(out: Path, tmp_path: Path) -> None:
    """Its own commands, from the source to the exported marks, on two datasets."""
    course = Path(shutil.copytree(out / "nbgrader", tmp_path / "course"))
    surroundings = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    surroundings["PATH"] = os.pathsep.join([str(Path(NBGRADER).parent), os.environ["PATH"]])

    def command(*words: str) -> None:
        run = subprocess.run(
            [NBGRADER, *words], cwd=course, env=surroundings, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr

    for dataset in DATASETS:
        name = f"{dataset}-1"
        command("generate_assignment", name)
        text = "".join(path.read_text("utf-8") for path in (course / "release" / name).iterdir())
        assert not re.search("HIDDEN|SOLUTION|subprocess, sys", text)
        return_all(out, dataset, course / "release" / name, course / "submitted")
        command("autograde", name)
        graded = cells(course / "autograded" / "cheating" / name)
        said = {k: told.outputs[-1].evalue for k, told in named(graded, "exercise").items()}
        assert said[1].startswith("There is no answer yet")
        assert said[2] == said[3] == "Not right."  # what the locked test says as it is handed out
        assert "cannot import name 'plain'" in said[4]
    command("export", "--to", "marks.csv")
    rows = list(csv.DictReader((course / "marks.csv").open(encoding="utf-8")))
    assert {row["max_score"] for row in rows} == {"4.0"}
    found = {(row["assignment"], row["student_id"]): float(row["score"]) for row in rows}
    assert found == {(f"{d}-1", s): points for d in DATASETS for s, points in POINTS.items()}


def test_the_cells_have_what_nbgrader_asks_for(out: Path) -> None:
    """Its metadata of version 3. What is locked and what has points is known from the kind."""
    for dataset in DATASETS:
        notebook = cells(source(out, dataset))
        nbformat.validate(notebook)
        told = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
        ids = [of.grade_id for of in told]
        assert len(set(ids)) == len(ids) and all(re.fullmatch(r"[\w-]+", name) for name in ids)
        keys = {"schema_version", "grade_id", "grade", "locked", "solution", "task"}
        for of in told:
            assert set(of) == keys | ({"points"} if of.grade else set())
            assert of.schema_version == 3 and not of.task and of.locked != of.solution
        assert len(named(notebook, "answer")) == sum(of.get("points", 0) for of in told) == 4


def test_what_is_handed_out_tells_no_answer_and_needs_no_book(out: Path) -> None:
    folder = source(out, "bmt")
    notebook = cells(folder)
    code = [c.source.split("### ")[0] for c in notebook.cells if c.cell_type == "code"]
    imported = set(re.findall(r"^\s*(?:from|import) (\w+)", "\n".join(code), re.MULTILINE))
    assert imported == {"pandas", "lifelines", "answers"}
    told = (folder / "lesson_01.json").read_text("utf-8") + "\n".join(code)
    made = tasks.lesson(1, ROOT / "data" / "bmt")
    for exercise in made.exercises.values():
        for words in (exercise.because, *(words for _, words in exercise.mistakes)):
            assert words not in told
    shares = (made.exercises[1].answer, *made.exercises[2].answer, made.exercises[4].answer)
    assert not [share for share in shares if f"{share:.3f}"[1:] in told]
    wrong = sealed(str(folder / "lesson_01.json"), 3).check({"a", "c"})
    assert wrong.words.startswith("It is the other way round")  # only who says it hears that


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
        (table, [[0, False], [40, True]]), ({"a"}, ["a"]), ({"n": 3}, {"n": 3}), (..., None),
        ({"n": 3}.values(), [3]), (np.bool_(True), True), ("a", "a"),
    ):  # fmt: skip
        assert json.loads(plain(given)) == same
    with pytest.raises(TypeError):
        plain(object())
    with pytest.raises(AssertionError, match="only once"):
        Sealed("numbers", 1, 0, "", ()).grade(iter([1]))


def test_a_teacher_is_told_of_private_patients(tmp_path: Path, monkeypatch) -> None:
    private = replace(load("data/bmt"), public=False)
    monkeypatch.setattr(assignment, "load", lambda *_: private)
    _, said = assignment.assignment([1], ROOT / "data" / "bmt", tmp_path)
    assert said and "lesson_01_patients.csv" in said[0] and "not declared public" in said[0]


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
    assert "n = 3\npeople = pd.read_csv" in made.parts[0].source
    assert list(made.files) == ["lesson_01_people.csv"]
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
