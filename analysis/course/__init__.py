"""The lessons: what each computes and draws, a module each, and what all of them have."""

from .exercises import Exercise, check, invitation, quiz, right, times, wrong

__all__ = ["Exercise", "check", "invitation", "quiz", "right", "times", "wrong"]
