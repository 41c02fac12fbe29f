"""The lessons: what each computes and draws, a module each, and what all of them have."""

from .course import Exercise, check, quiz, right, wrong
from .learner import invitation

__all__ = ["Exercise", "check", "invitation", "quiz", "right", "wrong"]
