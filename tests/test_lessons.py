"""What every lesson promises: it runs, its exercises check, its learner's notebook tells nothing.

What a lesson claims of the data is tested beside it, in test_lesson_NN.py.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from itertools import takewhile
from pathlib import Path
from types import ModuleType

import altair as alt
import inprocess
import nbformat
import numpy as np
import pandas as pd
import pytest
import yaml
from conftest import ROOT, often
from inprocess import Page, page, ran
from test_build import deaths_only

from analysis.course import Exercise, check, seal
from analysis.course.answers import NO_ANSWER
from analysis.course.launch import FOLDER
from analysis.course.learner import SOLUTION, Patients, learner, lessons, patients_of
from analysis.course.needs import LESSONS as LESSONS_NEED
from analysis.course.quizzes import QUIZZES, quiz_of
from analysis.dataset.model import load
from analysis.site.notebooks import ANY_DATA, serialise
from analysis.study import advice

DATASETS = ("blinatumomab", "bmt", "myeloid")
PUBLISHED = ("mgus", "mgus2", "colon", "cgd")  # real patients beside the print of their study
LESSONS = lessons()
NAMES = [path.stem for path in LESSONS]
# Those that have the form of Lesson 1: a worked piece, and exercises that tell right from wrong.
WORKED = {path.stem for path in (ROOT / "book" / "worked").glob("*.py")}
CONVERTED = {path.stem for path in LESSONS if path.stem[: len("lesson_00")] in WORKED}
NEW = [path for path in LESSONS if path.stem in CONVERTED]
NEW_NAMES = [path.stem for path in NEW]
ORDER = [
    "What you will be able to do",
    "Do it yourself",
    "Take away",
    "Exercises",
    "Check yourself",
    "Read on",
    "The numbers of this page",
]
SIDES = {"Wrong and right, side by side", "Move it yourself"}


def module_of(lesson: Path) -> ModuleType:
    """The keys to a lesson: of `lesson_06_immortal_time`, `analysis.course.keys_06`."""
    number, name = lesson.stem.split("_", 2)[1:]
    moved = (ROOT / "analysis" / "course" / f"keys_{number}.py").exists()
    return import_module(f"analysis.course.{f'keys_{number}' if moved else name}")


def exercises(lesson: Path) -> list:
    found = inspect.getmembers(module_of(lesson), inspect.isfunction)
    return [function for name, function in found if re.fullmatch(r"exercise_\d", name)]


def cells(lesson: Path) -> list[nbformat.NotebookNode]:
    return nbformat.read(lesson, as_version=4).cells


@pytest.fixture(scope="module")
def executed(site: Path) -> dict[tuple[str, str], Page]:
    """Each lesson on each dataset, as the build ran it for the site."""
    return {
        (name, dataset): inprocess.executed(site / slug / "_sources" / f"{name}.ipynb")
        for name in NAMES
        for dataset, slug in zip(DATASETS, ("", "bmt", "myeloid"), strict=True)
    }


# --- the notebook ------------------------------------------------------------------------------


def test_the_lessons_are_numbered_in_order() -> None:
    numbers = [int(name.split("_")[1]) for name in NAMES]
    assert numbers == list(range(1, len(NAMES) + 1))


def test_what_a_lesson_needs_comes_before_it_and_its_minutes_are_told_everywhere() -> None:
    lists = [(ROOT / "book" / name).read_text("utf-8") for name in ("lessons.md", "teaching.md")]
    for number, lesson in enumerate(LESSONS, start=1):
        head = re.search(r"\*Before this:\* (.*?)\. \*Time:\* (\d+) m", cells(lesson)[0].source)
        before, minutes = head.groups()
        needed = [int(found) for found in re.findall(r"\(lesson_(\d\d)_", before)]
        assert all(other < number for other in needed) and (needed or before == "nothing")
        for text in lists:
            first = text[text.index(f"[{number}. ") :].splitlines()[0]
            assert lesson.name in first
            assert re.search(rf"(?<!\d){minutes} (?:minutes|\|)", first), first


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_a_lesson_has_all_its_parts(lesson: Path) -> None:
    text = "\n".join(cell.source for cell in cells(lesson) if cell.cell_type == "markdown")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    order = [part for part in ORDER if part != "Do it yourself" or lesson.stem in CONVERTED]
    assert [heading for heading in headings if heading in ORDER] == order
    assert set(headings) >= SIDES
    assert re.match(
        rf"# Lesson {int(lesson.stem.split('_')[1])}\. .+\n\n\*\*The question\.\*\* ", text
    )
    tasks = re.findall(r"^### Exercise (\d)\. ", text, re.MULTILINE)
    assert tasks == [str(number) for number in range(1, len(tasks) + 1)]
    assert 2 <= len(tasks) <= 4
    solved = [cell for cell in cells(lesson) if SOLUTION in cell.metadata.get("tags", [])]
    assert len(solved) == len(tasks) == len(exercises(lesson))
    assert "cite" in text.split("## Read on")[1]


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_each_exercise_has_an_answer_of_its_own(lesson: Path) -> None:
    """So that none is graded by the answer to another."""
    number = 0
    for cell in cells(lesson):
        if found := re.search(r"^### Exercise (\d)", cell.source, re.MULTILINE):
            number = int(found[1])
        if SOLUTION in cell.metadata.get("tags", []):
            assert cell.source.startswith(f"# answer_{number}: ")
            assert re.search(
                rf"^answer_{number} = |, answer_{number} = ", cell.source, re.MULTILINE
            )
            assert not re.search(rf"\banswer(?!_{number}\b)", cell.source)
        if cell.source.startswith("check("):
            assert cell.source.startswith(f"check(answer_{number}, keys.exercise_{number}(data")


@pytest.mark.parametrize("lesson", NEW, ids=NEW_NAMES)
def test_a_lesson_says_what_it_needs_and_each_objective_has_its_exercise(lesson: Path) -> None:
    head, aims = cells(lesson)[0].source, cells(lesson)[1].source
    assert re.search(r"\n\n\*Before this:\* .+\. \*Time:\* \d+ minutes\.$", head)
    needed = [int(number) for number in re.findall(r"\(lesson_(\d+)_\w+\.ipynb\)", head)]
    assert all(number < int(lesson.stem.split("_")[1]) for number in needed)
    assert ("nothing" in head) == (not needed)
    objectives = re.findall(r"^\d\. ", aims, re.MULTILINE)
    assert len(objectives) == len(exercises(lesson))
    assert aims.endswith("Each has its exercise, in this order.")


@pytest.mark.parametrize("lesson", NEW, ids=NEW_NAMES)
def test_what_needs_no_data_stays_whatever_a_dataset_lacks(lesson: Path) -> None:
    kept = "\n".join(
        cell.source for cell in cells(lesson) if ANY_DATA in cell.metadata.get("tags", [])
    )
    for part in ("## Take away", "## Exercises", "### Exercise", "course.quiz(", "## Read on"):
        assert part in kept, part


# What a student has anywhere, and what only this book has.
LIBRARIES = ("pandas", "numpy", "altair", "lifelines", "scipy", "analysis.survival")
BUILDERS = ("analysis.course", "analysis.dataset", "analysis.printed", "analysis.study")
METHODS = {name for kind in (pd.DataFrame, pd.Series, alt.Chart) for name in dir(kind)}
METHODS -= {name for kind in (str, list, dict, set) for name in dir(kind)}
METHODS -= {"title", "value", "name", "data", "T"}  # attributes of ours as well


def statements(body: list[ast.stmt]) -> Iterator[ast.AST]:
    """The innermost statements, and what the outer ones ask."""
    for statement in body:
        inner = [getattr(statement, part, []) for part in ("body", "orelse", "finalbody")]
        if not any(inner):
            yield statement
        elif head := getattr(statement, "iter", None) or getattr(statement, "test", None):
            yield head
        for part in inner:
            yield from statements(part)


def steps(lesson: Path) -> tuple[int, int]:
    """Lines of the lesson's statements that use a library, and of those that call a builder.

    A line is one of the second kind where it is of both. Exercises are left out, and what is of
    neither kind: sentences, and numbers looked up for them.
    """
    code = [cell.source for cell in before_the_exercises(lesson) if cell.cell_type == "code"]
    trees = [ast.parse(re.sub(r"^%%.*", "", source)) for source in code]
    imports = [
        node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
    ]
    modules = {alias.asname or alias.name: f"{node.module}.{alias.name}"
               for node in imports for alias in node.names}  # fmt: skip
    library = {name for name, module in modules.items() if module.startswith(LIBRARIES)}
    builder = {name for name, module in modules.items() if module.startswith(BUILDERS)}
    builder -= {"conclusions"}  # they choose words
    lines = [0, 0]
    for tree in trees:
        for statement in statements(tree.body):
            nodes = list(ast.walk(statement))
            names = {node.id for node in nodes if isinstance(node, ast.Name)}
            called = {node.attr for node in nodes if isinstance(node, ast.Attribute)} & METHODS
            if names & builder or names & (library | {"pd", "np", "alt"}) or called:
                lines[bool(names & builder)] += statement.end_lineno - statement.lineno + 1
    return lines[0], lines[1]


def before_the_exercises(lesson: Path) -> Iterator[nbformat.NotebookNode]:
    return takewhile(lambda cell: not cell.source.startswith("## Exercises"), cells(lesson))


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_a_lesson_shows_its_steps_rather_than_calls_them(lesson: Path) -> None:
    """What a student could do without this book makes up half of its steps or more."""
    plain, hidden = steps(lesson)
    assert plain >= hidden


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_a_lesson_runs_and_its_solutions_are_right(executed, lesson: Path, dataset: str) -> None:
    """Or the page says in a sentence why the dataset cannot."""
    shown = executed[lesson.stem, dataset]
    if shown.missing:
        assert shown.missing.endswith(".")
        return
    verdicts = re.findall(r'class="verdict (\w+)"', shown.text)
    assert verdicts == ["right"] * len(exercises(lesson))
    assert shown.text.count('class="chart-choice"') == 1
    assert 3 <= shown.text.count('class="quiz-question"') <= 5


def test_every_shipped_dataset_has_every_lesson(executed) -> None:
    for dataset in DATASETS:
        missing = [name for name in NAMES if executed[name, dataset].missing]
        assert not missing, f"{dataset}: {missing}"


# --- exercises ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dataset", (*DATASETS, *PUBLISHED))
@pytest.mark.parametrize("lesson", NEW, ids=NEW_NAMES)
def test_each_mistake_is_wrong_on_each_dataset(lesson: Path, dataset: str) -> None:
    """However it is rounded, and is told by its own words: none passes as right, or as another.

    So it is where the answer is sealed, too.
    """
    data = load(f"data/{dataset}")
    for function in exercises(lesson):
        exercise = function(data)
        closed = seal(exercise, "salt")
        assert len(exercise.mistakes) >= 2 and not check(..., exercise).right
        assert check(exercise.answer, exercise).right and closed.check(exercise.answer).right
        for mistake, meaning in exercise.mistakes:
            for given in with_rounded(mistake, exercise):
                for verdict in (check(given, exercise), closed.check(given)):
                    said = (verdict.right, verdict.words)
                    assert said == (False, meaning), (function.__name__, given)


def with_rounded(given: object, asked: Exercise) -> list[object]:
    """An answer as it is and, of numbers, to the decimals asked for and to one more."""
    if asked.kind in ("word", "words"):
        return [given]
    numbers = np.asarray(given, dtype=float)
    return [given, *(numbers.round(asked.decimals + more) for more in (0, 1))]


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("lesson", NEW, ids=NEW_NAMES)
def test_no_answer_stands_above_its_exercise(lesson: Path, dataset: str, tmp_path: Path) -> None:
    """Neither as the page prints it nor among the numbers that the page records."""
    data, above, task, seen = load(f"data/{dataset}"), "", 0, 0
    answers = [function(data) for function in exercises(lesson)]
    for cell, printed, shown in ran(
        lesson, {"dataset": f"data/{dataset}", "results_folder": str(tmp_path)}
    ):
        if cell.cell_type == "markdown":
            for found in re.finditer(r"^### Exercise (\d)", cell.source, re.MULTILINE):
                seen += told(answers[int(found[1]) - 1], above)
                task += 1
            above += cell.source
        if {SOLUTION, "hide-cell"}.isdisjoint(cell.metadata.get("tags", [])):
            texts = [output.get("text/html") or output.get("text/plain", "") for output in shown]
            above += re.sub(r"<script.*?</script>|<svg.*?</svg>|<[^>]+>", " ", "".join(texts),
                            flags=re.DOTALL) + printed  # fmt: skip
    assert task == len(answers) and not seen
    recorded = pd.read_csv(next(tmp_path.glob("lesson_*.csv")))["estimate"]
    for exercise in answers:
        if exercise.kind == "number" and not float(exercise.answer).is_integer():
            assert not (recorded - exercise.answer).abs().lt(1e-9).any()


def told(exercise: Exercise, text: str) -> bool:
    """Whether all numbers of an answer stand in a text, where they have three digits or more."""
    if exercise.kind in ("word", "words"):
        return False
    numbers, places = np.ravel(exercise.answer).astype(float), exercise.decimals
    forms = [
        {f"{x:.{places}f}", *([f"{100 * x:.{places - 2}f}"] if places > 1 and x <= 1 else [])}
        for x in numbers
    ]
    long = [[f for f in of if len(re.sub(r"^0*\.?0*|\.", "", f)) >= 3] for of in forms]
    return any(long) and all(
        any(re.search(rf"(?<![\d.,]){re.escape(f.removeprefix('0'))}(?!\d)", text)
            or re.search(rf"(?<![\d.,]){re.escape(f)}(?!\d|\.\d)", text) for f in of)
        for of in long
    )  # fmt: skip


def test_an_answer_in_a_text_is_found() -> None:
    share = Exercise(0.5487, "", [])
    for text in ("54.9% are alive", "a share of 0.549.", "it is .549", "HR .549 (x)"):
        assert told(share, text), text
    for text in ("154.9", "0.5491", "54.91", "55%", ""):
        assert not told(share, text), text
    assert told(Exercise([0.123, 0.456], "", []), "12.3 and 45.6")
    assert not told(Exercise([0.123, 0.456], "", []), "12.3")
    assert not told(Exercise(32, "", [], 0), "32") and told(Exercise(132, "", [], 0), "132 of")


# --- the learner's notebook --------------------------------------------------------------------


def on(dataset: str) -> Patients:
    """A shipped dataset, as its learner's notebooks name it."""
    return patients_of(ROOT / "data" / dataset, f"data/{dataset}", True)


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_the_learners_notebook_is_the_lessons_own_without_solutions(
    lesson: Path, dataset: str
) -> None:
    """`python -m analysis notebooks` makes it again."""
    text = (ROOT / FOLDER / dataset / lesson.name).read_text("utf-8")
    source = nbformat.read(lesson, as_version=4)
    assert text == serialise(learner(source, on(dataset)))
    assert f'dataset = \\"data/{dataset}\\"' in text
    solved = [cell.source for cell in source.cells if SOLUTION in cell.metadata.get("tags", [])]
    for solution in solved:
        code = [line.strip() for line in solution.splitlines() if not line.startswith("#")]
        assert not any(f"{line}\\n" in text for line in code if "=" in line)
    made = nbformat.reads(text, as_version=4)
    for number in range(1, len(solved) + 1):
        assert text.count(f"answer_{number} = ...") == 1
    assert not any(cell.get("outputs") for cell in made.cells)


@pytest.mark.parametrize("dataset", often(DATASETS, "blinatumomab"))
@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_the_learners_notebook_runs_and_waits_for_answers(
    executed, lesson: Path, dataset: str, tmp_path: Path
) -> None:
    if executed[lesson.stem, dataset].missing:
        pytest.skip(executed[lesson.stem, dataset].missing)
    path = tmp_path / lesson.name
    nbformat.write(learner(nbformat.read(lesson, as_version=4), on(dataset)), path)
    text = page(path, {}).text
    assert re.findall(r'class="verdict (\w+)"', text) == ["wrong"] * len(exercises(lesson))
    assert text.count(f"Not yet. {NO_ANSWER}") == len(exercises(lesson))


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_a_cell_that_failed_leaves_no_answer(lesson: Path) -> None:
    """Not even one of an earlier run."""
    made = learner(nbformat.read(lesson, as_version=4)).cells
    for number, exercise in enumerate(exercises(lesson), start=1):
        (cell,) = (cell for cell in made if f"answer_{number} = ..." in cell.source)
        names = {f"answer_{number}": 1}
        with pytest.raises(ZeroDivisionError):
            exec(f"{cell.source}\n1 / 0\nanswer_{number} = 1", names)
        assert names[f"answer_{number}"] is ..., exercise.__name__


@pytest.mark.parametrize("lesson", NEW, ids=NEW_NAMES)
def test_the_learners_cells_import_what_its_tasks_name(lesson: Path) -> None:
    """Each name in code of a task is one that the learner has."""
    found = cells(ROOT / FOLDER / "bmt" / lesson.name)
    names = set()
    for cell in (cell for cell in found if cell.cell_type == "code"):
        for node in ast.walk(ast.parse(cell.source)):
            names |= {node.id} if isinstance(node, ast.Name) else set()
            if isinstance(node, ast.Import | ast.ImportFrom):
                names |= {alias.asname or alias.name for alias in node.names}
    for cell in found:
        if cell.source.startswith("### Exercise"):
            named = set(re.findall(r"`([A-Za-z_]\w+)", cell.source))
            columns = {"days", "died"}  # of a table that the task describes
            assert named <= names | columns, named - names


def test_every_learners_notebook_belongs_to_a_lesson() -> None:
    every = sorted((*DATASETS, *PUBLISHED))
    assert sorted(path.name for path in (ROOT / FOLDER).iterdir()) == every
    for folder in (ROOT / FOLDER).iterdir():
        assert sorted(path.name for path in folder.iterdir()) == [p.name for p in LESSONS]


# --- the quiz ----------------------------------------------------------------------------------


QUESTIONS = yaml.safe_load(QUIZZES.read_text("utf-8"))


def test_a_quiz_has_one_right_choice_for_each_question() -> None:
    right, wrong = {"right": "{a}", "because": "y z"}, {"wrong": "<i>", "because": "<b>"}
    asked = {"asked": "Which {a}?", "options": [wrong, right, wrong]}
    shown = quiz_of([asked], {"a": "one"})._repr_mimebundle_()["text/html"]
    assert shown.count("<details") == 3 and "&lt;i&gt;" in shown and "y z" in shown
    assert "Which one?" in shown and "<summary>one</summary>" in shown
    for bad in ([wrong, right], [wrong, right, right], [wrong] * 3, [*[wrong] * 4, right]):
        with pytest.raises(ValueError, match="Which one"):
            quiz_of([asked | {"options": bad}], {"a": "one"})


def test_every_quiz_belongs_to_a_lesson_whose_code_tells_no_answer() -> None:
    assert list(QUESTIONS) == [int(name.split("_")[1]) for name in NAMES]
    for lesson, number in zip(LESSONS, QUESTIONS, strict=True):
        (call,) = (cell.source for cell in cells(lesson) if "course.quiz(" in cell.source)
        assert call.startswith(f"course.quiz({number}") and len(call.splitlines()) == 1


@pytest.mark.parametrize("lesson", NEW, ids=NEW_NAMES)
def test_the_length_of_a_choice_does_not_tell_the_right_one(lesson: Path) -> None:
    """It is the longest of its question in a third of them at most, and none is twice another."""
    questions, longest = QUESTIONS[int(lesson.stem.split("_")[1])], 0
    for question in questions:
        lengths = [len(option.get("right") or option["wrong"]) for option in question["options"]]
        (right,) = (len(option["right"]) for option in question["options"] if "right" in option)
        longest += right == max(lengths)
        assert max(lengths) <= max(2 * min(lengths), min(lengths) + 15), question["asked"]
    assert 3 * longest <= len(questions)


@pytest.mark.parametrize("number", QUESTIONS)
def test_nor_is_the_right_choice_the_shortest(number: int) -> None:
    """By itself, in a third of the questions at most."""
    shortest = 0
    for question in QUESTIONS[number]:
        right = [len(option["right"]) for option in question["options"] if "right" in option]
        wrong = [len(option["wrong"]) for option in question["options"] if "wrong" in option]
        shortest += right[0] < min(wrong)
    assert 3 * shortest <= len(QUESTIONS[number])


def test_a_ratio_of_a_quiz_has_its_interval() -> None:
    """A ratio with two decimals or one, in the lessons of the new form."""
    for number in (int(name.split("_")[1]) for name in NEW_NAMES):
        for question in QUESTIONS[number]:
            if re.search(r"ratio (of|is|was) \d\.\d", question["asked"]):
                assert re.search(r"95% (CI|interval)", question["asked"]), question["asked"]


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_the_right_choice_does_not_always_stand_at_one_place(executed, lesson: Path) -> None:
    text = executed[lesson.stem, "blinatumomab"].text
    lists = re.findall(r'<ul class="quiz-options">(.*?)</ul>', text)
    places = {re.findall(r'class="why (\w+)"', shown).index("right") for shown in lists}
    assert len(places) > 1


# --- in a browser ------------------------------------------------------------------------------


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_the_chart_follows_the_reader(site: Path, browser, lesson: Path) -> None:
    """At each end of the slider the drawing and the answer are others."""
    view = browser.new_page(viewport={"width": 390, "height": 800})
    view.goto((site / f"{lesson.stem}.html").as_uri())
    figure = view.locator("figure:has(.chart-choice)")
    slider = figure.locator("input[type=range]")
    slider.wait_for(state="visible")
    answers = figure.locator(".chart-answers li")
    seen = set()
    for key in ("Home", "End"):
        slider.press(key)
        place = int(slider.input_value())
        assert place == (0 if key == "Home" else answers.count() - 1)
        said = figure.locator(".chart-answer").inner_text()
        assert said == answers.nth(place).text_content().strip()
        assert figure.locator("output").inner_text() == slider.get_attribute("aria-valuetext")
        view.wait_for_timeout(50)
        seen.add((said, figure.locator(".chart-live svg").inner_html()))
    assert len({said for said, _ in seen}) == len({drawing for _, drawing in seen}) == 2
    view.close()


def test_a_choice_of_the_quiz_opens_without_scripts(site: Path, browser) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    view = context.new_page()
    view.goto((site / f"{NAMES[0]}.html").as_uri())
    option = view.locator("details.option").first
    why = option.locator(".why")
    assert not why.is_visible()
    option.locator("summary").click()
    assert why.is_visible()
    context.close()


def test_a_quiz_counts_what_was_right_at_the_first_try(site: Path, browser) -> None:
    view = browser.new_page()
    view.goto((site / f"{NAMES[0]}.html").as_uri())
    score, lists = view.locator(".quiz-score"), view.locator(".quiz-options")
    assert not score.is_visible()
    for place in range(lists.count()):
        options = lists.nth(place).locator("details.option")
        kinds = [option.locator(".why").get_attribute("class") for option in options.all()]
        first = [kind == "why right" for kind in kinds].index(place != 0)
        options.nth(first).locator("summary").click()
        options.nth((first + 1) % 3).locator("summary").click()  # a second one does not count
    of = lists.count()
    score.get_by_text(f"Right at the first try: {of - 1} of {of}.").wait_for(state="visible")
    view.close()


def test_the_worked_piece_shows_one_language_without_scripts(site: Path, browser) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    view = context.new_page()
    view.goto((site / f"{NEW_NAMES[0]}.html").as_uri())
    python, r = view.locator(".worked-python").first, view.locator(".worked-r").first
    assert python.is_visible() and not r.is_visible()
    view.locator(".worked-tabs input").first.focus()
    view.keyboard.press("ArrowRight")
    assert r.is_visible() and not python.is_visible()
    context.close()


def test_a_chart_behind_the_other_tab_finds_its_width(site: Path, browser) -> None:
    """Where the window has changed meanwhile."""
    view = browser.new_page(viewport={"width": 1280, "height": 900})
    view.goto((site / f"{NEW_NAMES[0]}.html").as_uri())
    drawn = view.locator(".worked .chart-live:not(.chart-waiting) svg").first
    drawn.wait_for(state="visible")
    tabs = view.locator(".worked-tabs label")
    tabs.nth(1).click()
    view.set_viewport_size({"width": 390, "height": 800})
    tabs.nth(0).click()
    view.wait_for_timeout(200)
    assert 200 < int(drawn.get_attribute("width")) < 390
    view.close()


def test_without_scripts_every_answer_of_the_slider_can_be_read(site: Path, browser) -> None:
    context = browser.new_context(java_script_enabled=False, offline=True)
    view = context.new_page()
    view.goto((site / f"{NAMES[0]}.html").as_uri())
    figure = view.locator("figure:has(.chart-choice)")
    assert not figure.locator("input[type=range]").is_visible()
    figure.locator(".every-number > summary").click()
    assert figure.locator(".chart-answers li").last.is_visible()
    context.close()


@pytest.mark.parametrize("slug", ["", "bmt", "myeloid"])
def test_each_book_has_learners_notebooks_of_its_dataset(site: Path, slug: str) -> None:
    for lesson in LESSONS:
        made = nbformat.read(site / slug / FOLDER / lesson.name, as_version=4)
        parameters = made.cells[1].source
        assert f'dataset = "data/{slug or "blinatumomab"}"' in parameters


def test_a_solution_is_one_click_away(site: Path, browser) -> None:
    view = browser.new_page()
    view.goto((site / f"{NAMES[0]}.html").as_uri())
    solution = view.get_by_text("Solution:").first
    code = view.locator("details.hide:has-text('Solution:') .cell_input").first
    assert not code.is_visible()
    solution.click()
    assert code.is_visible()
    view.close()


def test_a_lesson_on_very_many_patients_draws_some_and_says_so(monkeypatch, tmp_path: Path) -> None:
    """Its text, its exercises and their keys are about the same patients."""
    monkeypatch.setattr("analysis.course.MOST", 60)
    lesson = LESSONS[0]
    shown = page(lesson, {"dataset": "data/bmt", "results_folder": str(tmp_path)}).shown
    words = [data.get("text/markdown", "") for data in shown]
    assert any("about <a" in text and ">60</a> of the 137 patients" in text for text in words)
    assert sum('class="verdict right"' in data.get("text/html", "") for data in shown) == 4
    for lesson in LESSONS:
        code = "\n".join(c.source for c in nbformat.read(lesson, 4).cells if c.cell_type == "code")
        assert code.count("results_folder, mask_below, course.MOST)\n") == 1, lesson
        assert code.count("load(") == code.count("load(dataset, mask_below, MOST)\n") == 1, lesson


@pytest.mark.parametrize("kind", often(("deaths alone", "bmt"), "deaths alone"))
def test_check_names_the_lessons_that_go_without_the_patients(kind: str, tmp_path: Path) -> None:
    """With the sentence that stands on their pages."""
    folder = ROOT / "data" / "bmt" if kind == "bmt" else deaths_only(tmp_path / "deaths")
    report, _ = advice.check(folder, False, LESSONS_NEED)
    told = {name: said for line in report for name, _, said in [line.strip().partition(": ")]}
    for number, lesson in enumerate(LESSONS, start=1):
        given = {"dataset": str(folder), "results_folder": str(tmp_path / "results")}
        assert told.get(f"Lesson {number}", "") == page(lesson, given).missing, lesson.stem
