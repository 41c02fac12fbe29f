"""What lessons share: exercises and their keys, quizzes, charts, the learner's notebooks."""

from .exercises import Exercise, check, invitation, quiz, times

__all__ = ["Exercise", "check", "invitation", "quiz", "times"]
