"""The badge of a book: how many of the printed numbers it reproduces, as a small picture."""

from __future__ import annotations

import html

import pandas as pd

from ..dataset.model import Dataset
from ..page.rows import pick

FILE = "badge.svg"  # beside the book's first page
FONT = "Inter, Verdana, 'DejaVu Sans', sans-serif"
LETTER, PAD, HIGH = 6.4, 8, 20  # pixels: of a letter on average, beside a text, of the badge
NAME, FITTED, COUNTED = "#3d474b", "#7d5200", "#00604c"  # white on each of them is legible


def badge(dataset: Dataset, totals: pd.DataFrame) -> str:
    """The badge as SVG, from what the scorecard counts (`scorecard.totals`); nothing of no number.

    Of a cohort that was made to give printed numbers it says so, and claims no evidence.
    """
    try:
        printed = int(pick(totals, "printed_numbers", "all")["estimate"])
        matched = int(pick(totals, "matched_numbers", "all")["estimate"])
    except KeyError:  # statements only
        return ""
    fitted = bool(totals["group"].eq("calibrated").any())
    beyond = totals[totals["quantity"].eq("printed_numbers") & totals["group"].eq("unavailable")]
    said = f"{matched} of {printed} printed number{'s' * (printed != 1)}"
    # A cohort that was invented for another purpose is no evidence either.
    said = f"fitted: {said}" if fitted else f"{said} reproduced"
    if dataset.settings.synthetic and not fitted:
        said = f"synthetic: {said}"
    said += "".join(f", {count:.0f} not in the data" for count in beyond["estimate"])
    return _drawn("Plateau", said, f"{dataset.title}: {said}", FITTED if fitted else COUNTED)


def _drawn(name: str, said: str, title: str, colour: str) -> str:
    """Two texts side by side. Each is set to the width that it has here, whatever its font."""
    widths = [round(len(text) * LETTER) for text in (name, said)]
    left, right = (width + 2 * PAD for width in widths)
    words = "\n".join(
        f'<text x="{x}" y="14" textLength="{width}" lengthAdjust="spacingAndGlyphs">'
        f"{html.escape(text)}</text>"
        for text, width, x in zip((name, said), widths, (PAD, left + PAD), strict=True)
    )
    title = html.escape(" ".join(title.split()))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{HIGH}" '
        f'viewBox="0 0 {left + right} {HIGH}" role="img" aria-labelledby="plateau-badge">\n'
        f'<title id="plateau-badge">{title}</title>\n'
        f'<rect width="{left + right}" height="{HIGH}" rx="3" fill="{NAME}"/>\n'
        f'<path d="M{left} 0h{right - 3}a3 3 0 0 1 3 3v{HIGH - 6}a3 3 0 0 1-3 3h-{right - 3}z" '
        f'fill="{colour}"/>\n'
        f'<g fill="#fff" font-family="{FONT}" font-size="11">\n{words}\n</g>\n</svg>\n'
    )
