"""What every lesson has: exercises that check an answer, and a quiz that explains each choice.

An exercise is written once, in its lesson's notebook: the task, the solution, the check. The check
computes what is right from the dataset, and what the likely mistakes would give, so that it holds
for any dataset and can say what went wrong. `learner.py` takes the solutions out. (It reads
notebooks, which is slow to import: pages do without it.)
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np
import pandas as pd
import yaml

from ..dataset.endpoints import Endpoint
from ..dataset.model import ROOT

PREFIX = "lesson_"  # of the names of all lessons
MOST = 2_000  # patients of a lesson: each of its steps takes a moment
FOLDER = "exercises"  # the learner's notebooks, in the repository and in each book's site


@dataclass(frozen=True)
class Exercise:
    """What is right, why, and what those answer who make a likely mistake.

    `answer` is a number, a word, a set of words, or several numbers in order. Numbers count as
    equal when they are to `decimals`. `mistakes` has for each wrong answer what it shows of the
    thinking behind it; one that happens to be right for a dataset is passed over.
    """

    answer: object
    because: str
    mistakes: Sequence[tuple[object, str]]
    decimals: int = 3

    def told_apart(self) -> list[tuple[object, str]]:
        """The mistakes that are wrong for this dataset, too."""
        wrong = (pair for pair in self.mistakes if not same(pair[0], self.answer, self.decimals))
        return list(wrong)


@dataclass(frozen=True)
class Verdict:
    """What a check says of an answer."""

    right: bool
    words: str

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        kind, head = ("right", "Right.") if self.right else ("wrong", "Not yet.")
        text = html.escape(self.words)
        shown = f'<p class="verdict {kind}"><strong>{head}</strong> {text}</p>'
        return {"text/html": shown, "text/plain": f"{head} {self.words}"}


def times(question: Endpoint) -> pd.DataFrame:
    """An endpoint's `days` and whether the patient `died`, to be computed with in exercises."""
    died = question.observed > 0
    return pd.DataFrame({"days": question.time, "died": died}, index=question.data.index)


def check(given: object, exercise: Exercise) -> Verdict:
    """Whether an answer is right, and if not, what may have gone wrong; never the right answer."""
    if given is ...:
        return Verdict(False, "There is no answer yet: put yours in the place of the three dots.")
    if problem := _unlike(given, exercise.answer):
        return Verdict(False, problem)
    if same(given, exercise.answer, exercise.decimals):
        return Verdict(True, exercise.because)
    for mistake, meaning in exercise.told_apart():
        if same(given, mistake, exercise.decimals):
            return Verdict(False, meaning)
    asked = f", to {exercise.decimals} decimals" if _numeric(exercise.answer) else ""
    return Verdict(False, f"Read the task again{asked}.")


def same(given: object, right: object, decimals: int) -> bool:
    """Whether two answers are: numbers to the decimals, words in any case, sets in any order."""
    if isinstance(right, str):
        return str(given).strip().casefold() == right.casefold()
    if isinstance(right, set | frozenset):
        return {str(word).casefold() for word in given} == {str(w).casefold() for w in right}
    given, right = np.atleast_1d(given).astype(float), np.atleast_1d(right).astype(float)
    close = 0.5 * 10.0**-decimals * (1 + 1e-9)
    return given.shape == right.shape and np.allclose(
        given, right, rtol=0, atol=close, equal_nan=True
    )


def _unlike(given: object, right: object) -> str:
    """What kind of answer was expected, where this one is of another."""
    if isinstance(right, str):
        return "" if isinstance(given, str) else "Expected a word in quotes."
    if isinstance(right, set | frozenset):
        words = isinstance(given, Collection) and not isinstance(given, str | Mapping)
        return "" if words else "Expected a set of words, as in {'a', 'b'}."
    numbers = _numbers(given)
    if isinstance(right, Real):
        return "" if numbers == 1 else "Expected one number."
    length = np.size(right)
    return "" if numbers == length else f"Expected {length} numbers, in order."


def _numbers(given: object) -> int:
    """How many numbers an answer has; 0 where it is something else."""
    if given is None:  # numpy would take it for a missing number
        return 0
    try:
        return int(np.atleast_1d(np.asarray(given, dtype=float)).size)
    except (TypeError, ValueError):
        return 0


def _numeric(answer: object) -> bool:
    return not isinstance(answer, str | set | frozenset)


# --- quiz --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Option:
    """One of the choices under a question, and what is said of it once it is taken."""

    text: str
    because: str
    right: bool


@dataclass(frozen=True)
class Quiz:
    """Questions with their choices. Each opens what is said of it, without any script."""

    questions: Sequence[tuple[str, Sequence[Option]]]

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        shown = "".join(
            f'<li><p class="quiz-question">{html.escape(question)}</p>'
            f'<ul class="quiz-options">{"".join(map(_option, options))}</ul></li>'
            for question, options in self.questions
        )
        plain = "\n".join(
            "\n".join([question, *(f"- {option.text}" for option in options)])
            for question, options in self.questions
        )
        return {"text/html": f'<ol class="quiz">{shown}</ol>', "text/plain": plain}


def _option(option: Option) -> str:
    kind, head = ("right", "Right.") if option.right else ("wrong", "No.")
    return (
        f'<li><details class="option"><summary>{html.escape(option.text)}</summary>'
        f'<p class="why {kind}"><strong>{head}</strong> {html.escape(option.because)}</p>'
        "</details></li>"
    )


def quiz(text: str, **words: str) -> Quiz:
    """A self-check: questions with a blank line between, and under each a line for every choice.

    It is `+ the right one | why`, or `- a wrong one | why`; a line may go on in the next. Where
    braces name one of the `words`, it takes their place. Raises ValueError unless each question has
    three choices or more, of which one is right.
    """
    made = [_question(block, words) for block in re.split(r"\n\s*\n", text.strip())]
    for question, options in made:
        if sum(option.right for option in options) != 1 or len(options) < 3:
            raise ValueError(f"“{question}” needs three choices or more, and one that is right")
    return Quiz(made)


def _question(block: str, words: Mapping[str, str]) -> tuple[str, list[Option]]:
    asked, *choices = re.split(r"\n(?=[+-] )", block)
    parts = [" ".join(choice[2:].split()).split(" | ") for choice in choices]
    options = [
        Option(*(told.format_map(words) for told in part), choice.startswith("+"))
        for part, choice in zip(parts, choices, strict=True)
    ]
    return " ".join(asked.split()).format_map(words), options


# --- where to do the exercises -------------------------------------------------------------------


class Invitation:
    """Where a lesson's exercises can be done: the notebook to save, or to open on Binder."""

    def __init__(self, page: str) -> None:
        self.page = page

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        path = f"{FOLDER}/{html.escape(self.page)}.ipynb"
        links = (
            f'<a href="{path}" download>Notebook without solutions</a>'
            f'<a href="{html.escape(_on_binder(path))}">Open it on Binder</a>'
        )
        words = "Try each exercise before you open its solution."
        shown = f'<p class="invitation">{words} <span class="chart-files">{links}</span></p>'
        return {"text/html": shown, "text/plain": f"{words} {path}"}


def invitation(page: str) -> Invitation:
    """Links to the learner's notebook of a page."""
    return Invitation(page)


def _on_binder(path: str) -> str:
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    hub, repository = config["launch_buttons"]["binderhub_url"], config["repository"]
    place = repository["url"].removeprefix("https://github.com/")
    return f"{hub}/v2/gh/{place}/{repository['branch']}?urlpath=lab/tree/{path}"
