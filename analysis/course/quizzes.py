"""The quiz of a lesson: questions whose choices say why they are right or wrong."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import yaml

from ..page.contents import BOOK

QUIZZES = BOOK / "quiz.yaml"


@dataclass(frozen=True)
class Option:
    """One of the choices under a question, and what is said of it once it is taken."""

    text: str
    because: str
    right: bool


@dataclass(frozen=True)
class Quiz:
    """Questions with their choices. Each opens what is said of it, without any script.

    The site's script counts those that were right at the first try.
    """

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
        score = '<p class="quiz-score" aria-live="polite" hidden></p>'
        return {"text/html": f'<ol class="quiz">{shown}</ol>{score}', "text/plain": plain}


def _option(option: Option) -> str:
    kind, head = ("right", "Right.") if option.right else ("wrong", "No.")
    return (
        f'<li><details class="option"><summary>{html.escape(option.text)}</summary>'
        f'<p class="why {kind}"><strong>{head}</strong> {html.escape(option.because)}</p>'
        "</details></li>"
    )


def quiz(lesson: int, **words: str) -> Quiz:
    """The self-check of a lesson, as book/quiz.yaml has it under its number.

    Where braces of a text name one of the `words`, it takes their place.
    """
    return quiz_of(yaml.safe_load(QUIZZES.read_text("utf-8"))[lesson], words)


def quiz_of(questions: Sequence[Mapping], words: Mapping[str, str]) -> Quiz:
    """The quiz of some questions: each has what is `asked`, and `options` with their `because`.

    An option's text stands under `right` or `wrong`. Raises ValueError unless each question has
    three options or four, of which one is right.
    """
    made = []
    for question in questions:
        options = [
            Option(
                option["right" if "right" in option else "wrong"].format_map(words),
                option["because"].format_map(words),
                "right" in option,
            )
            for option in question["options"]
        ]
        asked = question["asked"].format_map(words)
        if sum(option.right for option in options) != 1 or len(options) not in (3, 4):
            raise ValueError(f"“{asked}” needs three options or four, and one that is right")
        made.append((asked, options))
    return Quiz(made)
