"""What lessons share: exercises and their keys, quizzes, charts, the learner's notebooks."""

from .exercises import Exercise, check, invitation, quiz, right, times, wrong

__all__ = ["Exercise", "check", "invitation", "quiz", "right", "times", "wrong"]
