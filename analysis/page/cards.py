"""Cards: links to pages, each with its name, what it finds, and a small drawing of its curves."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

WIDE, HIGH = 200, 64  # of a drawing, in its own units


@dataclass(frozen=True)
class Card:
    """A link to the page of a name. `text` says what it finds; `curves` are shares by month."""

    page: str
    title: str
    text: str
    curves: Sequence[pd.Series] = ()

    @property
    def html(self) -> str:
        return (
            f'<li><a href="{html.escape(self.page)}.html">{drawing(self.curves)}'
            f"<strong>{html.escape(self.title)}</strong></a>"
            f"<span>{html.escape(self.text)}</span></li>"
        )


@dataclass(frozen=True)
class Cards:
    """Several cards side by side."""

    cards: Sequence[Card]

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        cards = "".join(card.html for card in self.cards)
        words = "\n".join(f"{card.title}. {card.text}" for card in self.cards)
        return {"text/html": f'<ul class="cards">{cards}</ul>', "text/plain": words}


def drawing(curves: Sequence[pd.Series], words: str = "") -> str:
    """Shares by month as a small drawing, in the colours of the page; without curves, nothing.

    `words` say what it shows to those who do not see it, where nothing beside it does.
    """
    lines = "".join(
        f'<path class="series-{place}" d="{_steps(curve, _end(curves))}"/>'
        for place, curve in enumerate(curves, start=1)
    )
    said = f'role="img" aria-label="{html.escape(words)}"' if words else 'aria-hidden="true"'
    return f'<svg viewBox="0 0 {WIDE} {HIGH}" {said}>{lines}</svg>' if lines else ""


def _end(curves: Sequence[pd.Series]) -> float:
    return max((curve.index.max() for curve in curves), default=0) or 1


def _steps(curve: pd.Series, end: float) -> str:
    """The steps of a curve as a path, in whole units of the drawing."""
    places = [
        (round(month / end * WIDE), round(HIGH * (1 - share))) for month, share in curve.items()
    ]
    (x, y), *later = places
    return f"M{x} {y}" + "".join(f"H{across}V{down}" for across, down in later)
