"""The patients of a lesson: of very many, as many as every step of it can do in a moment."""

from __future__ import annotations

from ..page.page import Page
from ..page.prose import Prose, ruled

MOST = 2_000


def drawn(page: Page) -> Prose | None:
    """That a lesson computes with some of the patients, where it does."""
    if not page.data.drawn_from:
        return None
    return page.say(
        "**This lesson is about {most} of the {all} patients**, drawn at random and always the "
        "same. So its numbers differ a little from those of the other pages.",
        most=ruled(f"{len(page.data.patients):,}", "the patients of a lesson, of very many"),
        all=f"{page.data.drawn_from:,}",
    )
