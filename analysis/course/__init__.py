"""What lessons share: exercises and their keys, quizzes, charts, the learner's notebooks."""

from .exercises import MOST, Exercise, check, invitation, quiz, times

__all__ = ["MOST", "Exercise", "check", "invitation", "quiz", "times"]
