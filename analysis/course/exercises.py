"""What every lesson has: exercises that check an answer, on patients that tell right from wrong.

An exercise is written once, in its lesson's notebook: the task, the solution, the check. The check
computes what is right from the dataset, and what the likely mistakes would give, so that it holds
for any dataset and can say what went wrong. `learner.py` takes the solutions out. (It reads
notebooks, which is slow to import: pages do without it.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import combinations, product
from numbers import Real
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from .. import survival
from ..dataset.endpoints import Endpoint
from .answers import SURE, Sealed, UnlikeError, alike, check, closed, hashed, keys, normal

PREFIX = "lesson_"  # of the names of all lessons
MADE_UP = "invented for this exercise"  # whose the patients of a task may be
NONE_TAKEN = "That takes none of them. At least one is right."
MOST = 2_000  # patients of a lesson: each of its steps takes a moment


@dataclass(frozen=True)
class Exercise:
    """What is right, why, and what those answer who make a likely mistake.

    `answer` is a number, a word, a set of words, several numbers in order, or rows of numbers.
    Numbers count as equal when they round to the same `decimals`. `mistakes` has for each wrong
    answer what it shows of the thinking behind it. `units` names other units in which the numbers
    may be given, each with how many of them make one of the unit asked for: `{"days": 30.4375}`
    where months are. `share`: of the numbers one at least is a share from 0 to 1, which some give
    as a percentage. `form` brings an answer to the form in which right ones are alike, see
    `answers.FORMS`.
    """

    answer: object
    because: str
    mistakes: Sequence[tuple[object, str]]
    decimals: int = 3
    units: Mapping[str, float] = field(default_factory=dict)
    share: bool = False
    form: Callable[[object], object] | None = None

    @property
    def kind(self) -> str:
        if isinstance(self.answer, str):
            return "word"
        if isinstance(self.answer, set | frozenset):
            return "words"
        if isinstance(self.answer, Real):
            return "number"
        return "rows" if np.ndim(self.answer) == 2 else "numbers"

    @property
    def length(self) -> int:
        """How many numbers the answer has, or of rows how many columns."""
        return int(np.shape(self.answer)[1] if self.kind == "rows" else np.size(self.answer))

    @property
    def bites(self) -> bool:
        """Whether each of the mistakes is wrong and told from the others.

        An answer counts by what it rounds to, so that a mistake need not be tried rounded.
        """
        said = [(check(mistake, self), words) for mistake, words in self.mistakes]
        return all(not verdict.right and verdict.words == words for verdict, words in said)

    def formed(self, given: object) -> object:
        return self.form(given) if self.form else given

    def is_right(self, found: Any, decimals: int | None = None) -> bool:
        digits = self.decimals if decimals is None else decimals
        return alike(found, normal(self.answer, self), digits)

    def is_shuffled(self, found: np.ndarray) -> bool:
        return alike(np.sort(found), np.sort(normal(self.answer, self)), self.decimals)

    def meaning(self, found: Any) -> str:
        """What a mistake shows. One that is right for some dataset is passed over."""
        said = (words for known, words in self.known() if alike(found, known, self.decimals))
        return next(said, "")

    def known(self) -> Iterator[tuple[Any, str]]:
        """The mistakes as `normal` has them, but for those that are no such answer."""
        for given, words in self.mistakes:
            with suppress(UnlikeError):
                yield normal(given, self), words


@dataclass(frozen=True)
class Task:
    """The patients of an exercise, `whose` they are, and the whole `days` that it names.

    `month` is how many days one has, where the answer is in months.
    """

    patients: pd.DataFrame
    whose: str
    days: tuple[float, ...] = ()
    month: float = np.nan

    @property
    def day(self) -> float:
        """The day that is asked for, or the first of several."""
        return self.days[0]


T = TypeVar("T")  # a task: a `Task`, but for an exercise that is of no patients


def times(question: Endpoint) -> pd.DataFrame:
    """An endpoint's `days` and whether the patient `died`, to be computed with in exercises."""
    died = question.observed > 0
    return pd.DataFrame({"days": question.time, "died": died}, index=question.data.index)


def invented(death: np.ndarray, left: np.ndarray) -> pd.DataFrame:
    """Invented patients who die on one day or leave on another, whichever comes first."""
    days = np.ceil(np.minimum(death, left)).astype(int)
    return pd.DataFrame({"days": days, "died": death <= left})


def alive(patients: pd.DataFrame, *days: float) -> np.ndarray:
    """The Kaplan-Meier estimates of patients such as those of `times` on some days."""
    curve = survival.survival_curve(patients["days"], patients["died"])
    return survival.at(curve, days)["survival"].to_numpy()


def of_letters(right: set[str], reasons: Mapping[str, str]) -> list[tuple[set[str], str]]:
    """Every wrong set of the letters, with the reason of the first that is too many, or missing.

    Of none there is no reason: it would tell a letter.
    """
    sets = (set(some) for n in range(1, len(reasons) + 1) for some in combinations(reasons, n))
    return [(set(), NONE_TAKEN)] + [
        (some, reasons[min(some - right or right - some)]) for some in sets if some != right
    ]


def biting(made: Callable[[T], Exercise], candidates: Iterable[T]) -> tuple[T, Exercise]:
    """The first of some tasks on which each mistake of its exercise is told, and this.

    The dataset's own come first, then invented ones. Raises ValueError where none of them tells.
    """
    for task in candidates:
        exercise = made(task)
        if exercise.bites:
            return task, exercise
    raise ValueError("no candidate tells all mistakes of the exercise from its right answer")


def posed(
    made: Callable[[T], Exercise], candidates: Callable[..., Iterable[T]]
) -> tuple[Callable[..., T], Callable[..., Exercise]]:
    """The functions `task_k` and `exercise_k` of a key, of the first of the candidates that bites.

    Both take what `candidates` takes: a dataset, and in some lessons the column that is asked for.
    """

    def task(*asked: object) -> T:
        return biting(made, candidates(*asked))[0]

    def exercise(*asked: object) -> Exercise:
        return biting(made, candidates(*asked))[1]

    return task, exercise


def seal(exercise: Exercise, salt: str) -> Sealed:
    """The exercise without its answer, to be handed out; `salt` is any text of its own."""

    def sealed(found: Any, decimals: int = exercise.decimals) -> list[list[str]]:
        return [[hashed(key, salt) for key in either] for either in keys(found, decimals, SURE)]

    def told(found: Any, words: str) -> Iterator[tuple[list[list[str]], str]]:
        for parts in product(*keys(found, exercise.decimals, SURE)):  # most have one rounding
            yield [[hashed(part, salt)] for part in parts], closed(words, parts, salt)

    right = normal(exercise.answer, exercise)
    numeric = exercise.kind in ("number", "numbers")
    form = exercise.form.__name__ if exercise.form else ""
    return Sealed(
        exercise.kind,
        exercise.length,
        exercise.decimals,
        salt,
        sealed(right),
        {str(n): sealed(right, n) for n in range(exercise.decimals)} if numeric else {},
        sealed(np.sort(right)) if numeric else (),
        [one for known, words in exercise.known() for one in told(known, words)],
        dict(exercise.units),
        form,
        exercise.share,
    )
