"""What a check says of an answer, in whatever form it comes, and what is sealed tells of it."""

from __future__ import annotations

import re
import subprocess
import sys
from fractions import Fraction
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis.course import Exercise, check, grade, keys_01, keys_02, keys_04, keys_05, seal
from analysis.course.answers import (
    NO_ANSWER,
    ORDER,
    PERCENT,
    WHOLE,
    Sealed,
    Verdict,
    start_stop,
)
from analysis.course.exercises import biting
from analysis.dataset.model import ROOT, load

NUMBER = Exercise(0.5487, "Because.", [(0.4513, "The other side.")], share=True)
RATIO = Exercise(0.5487, "Because.", [(1.8225, "The sides are turned round.")])
MONTHS = Exercise(14.3, "Because.", [], decimals=1, units={"days": 30.4375, "years": 1 / 12})
COUNTS = Exercise([114, 32], "Because.", [([114, 40], "Too many.")], decimals=0)
MIXED = Exercise([9, 0.549], "Because.", [], share=True)
ROWS = Exercise(
    [[0, 40, 0], [40, 300, 1]], "Because.", [([[0, 300, 1]], "From the first day.")],
    decimals=0, form=start_stop,
)  # fmt: skip
WORD = Exercise("relapse", "Because.", [("death", "The other one.")])
WORDS = Exercise({"a", "d"}, "Because.", [({"b", "c"}, "The other ones.")])
EVERY = [NUMBER, RATIO, MONTHS, COUNTS, ROWS, WORD, WORDS]


@pytest.fixture(params=[False, True], ids=["open", "sealed"])
def said(request):
    """What a check says, of the exercise as it is or sealed and read again."""

    def told(given: object, exercise: Exercise) -> Verdict:
        if not request.param:
            return check(given, exercise)
        return Sealed.read(seal(exercise, "salt").text()).check(given)

    return told


@pytest.mark.parametrize(
    ("given", "exercise", "words"),
    [
        (..., NUMBER, NO_ANSWER),
        (..., WORD, NO_ANSWER),
        ("a half", NUMBER, "Expected one number."),
        ([0.5, 0.5], NUMBER, "Expected one number."),
        (None, NUMBER, "Expected one number."),
        (True, NUMBER, "Expected one number."),
        (0.5487, WORD, "Expected a word in quotes."),
        ("a", WORDS, "Expected a set of words, as in {'a', 'b'}."),
        (3, WORDS, "Expected a set of words, as in {'a', 'b'}."),
        ([1, 2, 3], COUNTS, "Expected 2 numbers, in order."),
        ([1, 2], ROWS, "Expected rows of 3 numbers, as in [[…], […]]."),
        (54.9, NUMBER, PERCENT),
        (54.87, NUMBER, PERCENT),
        (55, NUMBER, PERCENT),
        (54.9, RATIO, "Read the task again, to 3 decimals."),
        (1.823, RATIO, "The sides are turned round."),
        (10**400, NUMBER, "Expected one number."),
        (0.5487 + 1j, NUMBER, "Expected one number."),
        (np.array("b"), WORDS, "Expected a set of words, as in {'a', 'b'}."),
        (0.55, NUMBER, "That is rounded too far: give it to 3 decimals."),
        (0.5, NUMBER, "That is rounded too far: give it to 3 decimals."),
        (14, MONTHS, "That is rounded too far: give it to 1 decimal."),
        (435.256, MONTHS, "That is in days. Read in which unit the task asks."),
        (435, MONTHS, "That is in days. Read in which unit the task asks."),
        (1.19, MONTHS, "That is in years. Read in which unit the task asks."),
        ([32, 114], COUNTS, ORDER),
        (0.4513, NUMBER, "The other side."),
        ([114, 40], COUNTS, "Too many."),
        ([[0, 100, 1], [100, 300, 1]], ROWS, "From the first day."),
        ("Death ", WORD, "The other one."),
        (["c", "b"], WORDS, "The other ones."),
        (0.3, NUMBER, "Read the task again, to 3 decimals."),
        (float("nan"), NUMBER, "Read the task again, to 3 decimals."),
        ([[0, 40, 1]], ROWS, "Read the task again, in whole numbers."),
        ([114, 32.4], COUNTS, WHOLE),
        ([9, 54.9], MIXED, PERCENT),
        (-54.9, Exercise(-0.549, "", [], share=True), PERCENT),
        ([[0, 40, 0], [40, 40, 1], [40, 300, 1]], ROWS, "Read the task again, in whole numbers."),
        ([[-7, 40, 0], [40, 300, 1]], ROWS, "Read the task again, in whole numbers."),
        (-2.0, Exercise(-0.549, "", [], share=True), "Read the task again, to 3 decimals."),
        ("x", WORD, "Read the task again."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_apart(said, given, exercise, words) -> None:
    assert said(given, exercise) == Verdict(False, words)


@pytest.mark.parametrize(
    ("given", "exercise"),
    [
        (0.5487, NUMBER), (0.549, NUMBER), (0.54869999, NUMBER), ([0.549], NUMBER),
        (Fraction(5487, 10000), NUMBER), (np.float64(0.5487), NUMBER), (pd.Series([0.549]), NUMBER),
        ((114, 32), COUNTS), (np.array([114, 32]), COUNTS), (pd.Series([114, 32]), COUNTS),
        ({"a": 114, "b": 32}.values(), COUNTS),
        (pd.DataFrame([[114, 32]]), COUNTS),
        ([[40, 300, 1], [0, 40, 0]], ROWS), ([[-np.inf, 20, 0], [20, 40, 0], [40, 300, 1]], ROWS),
        (pd.DataFrame([[0, 40, False], [40, 300, True]]), ROWS), ({(40, 300, 1), (0, 40, 0)}, ROWS),
        (np.array(ROWS.answer), ROWS),
        (" Relapse", WORD), (["D", "a"], WORDS), (("a", "d", "a"), WORDS),
        (pd.Series(["a", "d"]), WORDS), (["a)", "'D'"], WORDS),
    ],
)  # fmt: skip
def test_any_right_form_is_right(said, given, exercise) -> None:
    assert said(given, exercise).right
    assert said(iter(COUNTS.answer), COUNTS).right


@pytest.mark.parametrize("exercise", EVERY)
def test_no_grade_passes_where_a_check_would_not(exercise) -> None:
    sealed = seal(exercise, "salt")
    grade(exercise.answer, exercise)
    sealed.grade(exercise.answer)
    for given, words in [*exercise.mistakes, (..., NO_ANSWER)]:
        for graded in (lambda given: grade(given, exercise), sealed.grade):
            with pytest.raises(AssertionError, match=words.split(".")[0]):
                graded(given)


def test_a_number_near_the_border_of_its_rounding_is_right_either_way(said) -> None:
    edge = Exercise(0.5485, "", [(0.1125, "Too small.")])
    assert said(0.548, edge).right and said(0.549, edge).right and not said(0.547, edge).right
    assert {said(given, edge).words for given in (0.112, 0.113, 0.1125)} == {"Too small."}


@pytest.mark.parametrize("given", np.linspace(0.5475, 0.5500, 26).round(4))
def test_what_is_sealed_says_what_is_open(given: float) -> None:
    """Of numbers around the right one, by rounding: a student is not told two things."""
    assert seal(NUMBER, "salt").check(given).right == check(given, NUMBER).right
    assert check(given, NUMBER).right == (0.5485 <= given <= 0.5495)


def test_what_is_sealed_holds_no_answer(tmp_path: Path) -> None:
    """It is checked with numpy and one small file, and without the book."""
    sealed = seal(NUMBER, "salt")
    assert "0.54" not in sealed.text() and "Because" not in sealed.text()
    assert seal(NUMBER, "pepper").right != sealed.right
    (tmp_path / "answers.py").write_bytes((ROOT / "analysis/course/answers.py").read_bytes())
    (tmp_path / "one.json").write_text(sealed.text(), "utf-8")
    code = (
        "from answers import Sealed; import sys\n"
        "one = Sealed.read(open('one.json', encoding='utf-8').read())\n"
        "print(one.check(.549).right, one.check(54.9).words, 'analysis' in sys.modules)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={"PATH": ""},
    )  # fmt: skip
    assert run.stdout == f"True {PERCENT} False\n"


def test_an_exercise_is_on_the_first_patients_that_tell_its_mistakes() -> None:
    """Not where a mistake is right, nor where it cannot be told from another."""

    def made(n: int) -> Exercise:
        return Exercise(n, "", [(n // 4, "A quarter."), (n // 3, "A third.")], decimals=0)

    assert not made(0).bites and not made(2).bites and made(4).bites is False
    assert biting(made, iter([0, 2, 4, 12, 24]))[0] == 12
    # The right answer and a mistake that no rounding to three decimals tells apart.
    assert not Exercise(0.66019, "", [(0.65961, "Too early.")]).bites
    assert Exercise(0.66019, "", [(0.65941, "Too early.")]).bites
    with pytest.raises(ValueError, match="no candidate"):
        biting(made, [0])


def test_a_mistake_that_is_right_for_some_dataset_is_passed_over() -> None:
    assert check(0.25, Exercise(0.25, "Because.", [(0.25, "By chance.")])).words == "Because."


def test_no_verdict_gives_the_answer_away() -> None:
    assert "0.54" not in check(0.3, NUMBER).words
    shown = Verdict(False, "<b>")._repr_mimebundle_()["text/html"]
    assert "&lt;b&gt;" in shown


@pytest.mark.parametrize(
    ("exercise", "letters"),
    [
        (keys_01.exercise_3, "abcd"),
        (keys_02.exercise_2, "abcd"),
        (keys_04.exercise_3, "ABCDE"),
        (keys_05.exercise_3, "abcd"),
    ],
)
def test_each_wrong_set_of_letters_is_told_why(exercise, letters: str) -> None:
    asked = exercise(load("data/bmt"))
    sets = (set(some) for n in range(len(letters) + 1) for some in combinations(letters, n))
    for wrong in (some for some in sets if some != asked.answer):
        said = check(wrong, asked)
        assert not said.right and "Read the task" not in said.words
        named = re.findall(r"\b[Nn]ot ([a-eA-E])\b", said.words)
        assert named == sorted(wrong - asked.answer)[:1]  # and no right one
