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
import nbformat
import pandas as pd
import pytest
from conftest import ROOT, often
from inprocess import Page, page

from analysis.course import Exercise, check, quiz
from analysis.course import exercises as course
from analysis.course.exercises import FOLDER
from analysis.course.learner import SOLUTION, learner, lessons
from analysis.dataset.model import load
from analysis.site.notebooks import serialise

DATASETS = ("blinatumomab", "bmt", "myeloid")
LESSONS = lessons()
NAMES = [path.stem for path in LESSONS]
ORDER = [
    "What you will be able to do",
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
        (name, dataset): outcome(site / slug / "_sources" / f"{name}.ipynb")
        for name in NAMES
        for dataset, slug in zip(DATASETS, ("", "bmt", "myeloid"), strict=True)
    }


def outcome(notebook: Path) -> Page:
    """What an executed notebook shows, and the sentence with which it ended early, or none."""
    found = cells(notebook)
    shown = [out.data for cell in found for out in cell.get("outputs", []) if "data" in out]
    ended = [cell.source for cell in found if cell.id == "not-recorded"]
    return Page(shown, "".join(ended).removeprefix(":::{note}\n").removesuffix("\n:::"))


# --- the notebook ------------------------------------------------------------------------------


def test_the_lessons_are_numbered_in_order() -> None:
    numbers = [int(name.split("_")[1]) for name in NAMES]
    assert numbers == list(range(1, len(NAMES) + 1))


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_a_lesson_has_all_its_parts(lesson: Path) -> None:
    text = "\n".join(cell.source for cell in cells(lesson) if cell.cell_type == "markdown")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert [heading for heading in headings if heading in ORDER] == ORDER
    assert set(headings) >= SIDES
    assert re.match(
        rf"# Lesson {int(lesson.stem.split('_')[1])}\. .+\n\n\*\*The question\.\*\* ", text
    )
    tasks = re.findall(r"^### Exercise (\d)\. ", text, re.MULTILINE)
    assert tasks == [str(number) for number in range(1, len(tasks) + 1)]
    assert 2 <= len(tasks) <= 4
    solved = [cell for cell in cells(lesson) if SOLUTION in cell.metadata.get("tags", [])]
    checks = [cell for cell in cells(lesson) if cell.source.startswith("check(")]
    assert len(solved) == len(checks) == len(tasks) == len(exercises(lesson))
    assert "cite" in text.split("## Read on")[1]


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


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_a_likely_mistake_is_told_what_it_is(executed, lesson: Path, dataset: str) -> None:
    if executed[lesson.stem, dataset].missing:
        pytest.skip(executed[lesson.stem, dataset].missing)
    data = load(f"data/{dataset}")
    for function in exercises(lesson):
        exercise = function(data)
        assert check(exercise.answer, exercise).right
        mistakes = exercise.told_apart()
        assert mistakes, f"{lesson.stem}, {function.__name__}: no mistake differs"
        for given, meaning in mistakes:
            said = check(given, exercise)
            assert not said.right and said.words == meaning
        assert not check(..., exercise).right


NUMBER = Exercise(0.25, "Because.", [(0.75, "The other side."), (0.25, "Right by chance.")])


def test_a_number_may_be_rounded_to_what_was_asked() -> None:
    assert check(0.2504, NUMBER).right
    assert not check(0.2506, NUMBER).right


def test_a_mistake_that_is_right_for_a_dataset_is_passed_over() -> None:
    assert check(0.25, NUMBER).words == "Because."
    assert [given for given, _ in NUMBER.told_apart()] == [0.75]


@pytest.mark.parametrize(
    ("given", "exercise", "words"),
    [
        ("a quarter", NUMBER, "one number"),
        ([0.25, 0.25], NUMBER, "one number"),
        (None, NUMBER, "one number"),
        (float("nan"), NUMBER, "Read the task again"),
        (0.25, Exercise("relapse", "", []), "a word"),
        ("relapse", Exercise({"relapse"}, "", []), "a set"),
        ([1, 2], Exercise([1, 2, 3], "", []), "3 numbers"),
        (..., NUMBER, "no answer yet"),
    ],
)  # fmt: skip
def test_an_answer_of_another_kind_is_told_what_is_expected(given, exercise, words) -> None:
    said = check(given, exercise)
    assert not said.right and words in said.words


def test_words_and_sets_are_read_kindly() -> None:
    assert check(" Relapse", Exercise("relapse", "", [])).right
    assert check(["B", "a"], Exercise({"a", "b"}, "", [])).right
    assert check([[1, 2], [3, 4]], Exercise([[1, 2], [3, 4.0001]], "", [])).right


def test_no_verdict_gives_the_answer_away() -> None:
    assert "0.25" not in check(0.3, NUMBER).words
    shown = course.Verdict(False, "<b>")._repr_mimebundle_()["text/html"]
    assert "&lt;b&gt;" in shown


# --- the learner's notebook --------------------------------------------------------------------


@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_the_learners_notebook_is_the_lessons_own_without_solutions(lesson: Path) -> None:
    """`python -m analysis notebooks` makes it again."""
    text = (ROOT / FOLDER / lesson.name).read_text("utf-8")
    source = nbformat.read(lesson, as_version=4)
    assert text == serialise(learner(source))
    solved = [cell.source for cell in source.cells if SOLUTION in cell.metadata.get("tags", [])]
    for solution in solved:
        code = [line.strip() for line in solution.splitlines() if not line.startswith("#")]
        assert not any(f"{line}\\n" in text for line in code if "=" in line)
    made = nbformat.reads(text, as_version=4)
    assert text.count("answer = ...") == len(solved)
    assert not any(cell.get("outputs") for cell in made.cells)


@pytest.mark.parametrize("dataset", often(DATASETS, "blinatumomab"))
@pytest.mark.parametrize("lesson", LESSONS, ids=NAMES)
def test_the_learners_notebook_runs_and_waits_for_answers(
    executed, lesson: Path, dataset: str, tmp_path: Path
) -> None:
    if executed[lesson.stem, dataset].missing:
        pytest.skip(executed[lesson.stem, dataset].missing)
    path = tmp_path / lesson.name
    nbformat.write(learner(nbformat.read(lesson, as_version=4), f"data/{dataset}"), path)
    text = page(path, {}).text
    assert re.findall(r'class="verdict (\w+)"', text) == ["wrong"] * len(exercises(lesson))
    assert "There is no answer yet" in text


def test_every_learners_notebook_belongs_to_a_lesson() -> None:
    assert sorted(path.name for path in (ROOT / FOLDER).iterdir()) == [p.name for p in LESSONS]


# --- the quiz ----------------------------------------------------------------------------------


def test_a_quiz_has_one_right_choice_for_each_question() -> None:
    options = ["- a | x", "+ b | y\n  z", "- <i> | <b>"]
    shown = quiz("\n".join(["Which?", *options]))._repr_mimebundle_()["text/html"]
    assert shown.count("<details") == 3 and "&lt;i&gt;" in shown and "y z" in shown
    for bad in (options[:2], [*options, "+ d | z"], [options[0]] * 3):
        with pytest.raises(ValueError, match="Which"):
            quiz("\n".join(["Which?", *bad]))


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
    assert sum('class="verdict right"' in data.get("text/html", "") for data in shown) == 3
    for lesson in LESSONS:
        code = "\n".join(c.source for c in nbformat.read(lesson, 4).cells if c.cell_type == "code")
        assert code.count("results_folder, mask_below, course.MOST)\n") == 1, lesson
        assert code.count("load(") == code.count("load(dataset, mask_below, MOST)\n") == 1, lesson
