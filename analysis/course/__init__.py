"""What lessons share: exercises and their keys, quizzes, charts, the learner's notebooks."""

from .exercises import MOST, Exercise, check, grade, invitation, seal, times
from .quizzes import quiz
from .worked import worked

__all__ = ["MOST", "Exercise", "check", "grade", "invitation", "quiz", "seal", "times", "worked"]
