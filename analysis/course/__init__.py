"""What lessons share: exercises and their keys, quizzes, charts, the learner's notebooks."""

from .answers import check, grade
from .exercises import MOST, Exercise, seal, times
from .launch import invitation
from .quizzes import quiz
from .worked import worked

__all__ = ["MOST", "Exercise", "check", "grade", "invitation", "quiz", "seal", "times", "worked"]
