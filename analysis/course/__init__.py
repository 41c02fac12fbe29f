"""What lessons share: exercises and their keys, quizzes, charts, the learner's notebooks."""

from .exercises import Exercise, check, invitation, quiz, times
from .sample import MOST, drawn

__all__ = ["MOST", "Exercise", "check", "drawn", "invitation", "quiz", "times"]
