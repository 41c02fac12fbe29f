"""The first numbers of a column under each other, decimal point under decimal point.

What a number lacks, such as the digit before the 7 under a 27, is left free by the style sheet:
the text of a cell stays as it is, for those who copy it or hear it. What follows it, such as an
interval, stays together: room within it would be read as a hole.
"""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from statistics import median_low

from .quantities import MISSING

# A number with which a cell begins: its sign, and its digits before the point.
FIRST = re.compile(r"(?P<sign>[<>≤≥≈−+]?)(?P<whole>\d{1,3}(?:,\d{3})+(?!\d)|\d+|(?=\.\d))")
WILD = 3  # digits more than the usual number of its column has: the others get no room for them


def is_numeric(cell: str) -> bool:
    """Whether a cell begins with a number, or says that there is none."""
    return cell in ("", MISSING) or FIRST.match(cell) is not None


def aligned(cells: Sequence[str]) -> list[str]:
    """The cells of a column as HTML, their first numbers under each other; words stay as they are.

    A number with far more digits than the others sticks out, and opens no gap in them.
    """
    found = [FIRST.match(cell) for cell in cells]
    digits = [re.sub(r"\d", "0", number["whole"]) for number in found if number]
    usual = median_low(map(len, digits)) + WILD if digits else 0
    longest = max((text for text in digits if len(text) <= usual), key=len, default="")
    sign = next((number["sign"] for number in found if number and number["sign"]), "")
    return [_filled(cell, longest, sign) for cell in cells]


def _filled(cell: str, longest: str, sign: str) -> str:
    number = FIRST.match(cell)
    if number:
        lack = longest[: max(len(longest) - len(number["whole"]), 0)]
        lack += "" if number["sign"] else sign
    else:
        lack = longest[1:] + sign if cell == MISSING else ""
    shown = number[0] if number else cell
    room = f'<span data-lack="{html.escape(lack)}">{html.escape(shown)}</span>'
    return (room if lack else html.escape(shown)) + html.escape(cell[len(shown) :])
