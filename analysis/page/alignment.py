"""Numbers of a column under each other, decimal point under decimal point.

What a number lacks, such as the digit before the 7 under a 27, is left free by the style sheet:
the text of a cell stays as it is, for those who copy it or hear it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median_low

from .quantities import MISSING

NUMBER = re.compile(r"(?P<whole>\d{1,3}(?:,\d{3})+(?!\d)|\d+|(?=\.\d))(?P<fraction>(?:\.\d+)?)")
# What stands before a number: words, a parenthesis that moves along with the number, its sign.
BEFORE = re.compile(r"(?P<words>.*?)(?P<bracket>[(\[]?)(?P<sign>[<>≤≥≈−+]?)", re.DOTALL)
Place = tuple[object, ...]
WILD = 3  # digits more than the usual number of its place has: it gets no room for them


@dataclass(frozen=True)
class Piece:
    """One number of a cell with what stands before it.

    `place` is the same for numbers that belong under each other: those of one column with the
    same words and points before them. One without a place is left where it comes. `digits` are
    the zeros that take as much room as the digits since the point before.
    """

    words: str
    bracket: str
    sign: str
    whole: str
    fraction: str
    place: Place | None
    digits: str


def _pieces(cell: str) -> Iterator[Piece]:
    """The numbers of a cell from left to right; the first of all cells belong together."""
    place: Place = ()
    end, fraction = 0, ""
    for number in NUMBER.finditer(cell):
        words, bracket, sign = BEFORE.fullmatch(cell[end : number.start()]).groups()
        if end:
            place = (*place, bool(fraction), words, bracket)
        digits = re.sub(r"\d", "0", fraction.removeprefix(".") + number["whole"])
        # The far end of a range stays by its dash, unless it has a point within it.
        free = words == MISSING and not (number["whole"] and number["fraction"])
        where = None if free else place
        yield Piece(words, bracket, sign, number["whole"], number["fraction"], where, digits)
        end, fraction = number.end(), number["fraction"]


def is_numeric(cell: str) -> bool:
    """Whether a cell begins with a number, or says that there is none."""
    first = next(_pieces(cell), None)
    return cell in ("", MISSING) or (first is not None and not first.words + first.bracket)


def aligned(cells: Sequence[str]) -> list[str]:
    """The cells of a column as HTML, their numbers under each other; words stay as they are.

    A number with far more digits than the others of its place sticks out, and opens no gap in them.
    """
    cut = [list(_pieces(cell)) if is_numeric(cell) else [] for cell in cells]
    lengths: dict[Place | None, list[str]] = {}
    signs: dict[Place | None, str] = {}
    for piece in (piece for pieces in cut for piece in pieces if piece.place is not None):
        lengths.setdefault(piece.place, []).append(piece.digits)
        signs[piece.place] = signs.get(piece.place) or piece.sign
    digits = {place: _usual(found) for place, found in lengths.items()}
    return [_filled(cell, pieces, digits, signs) for cell, pieces in zip(cells, cut, strict=True)]


def _usual(digits: Sequence[str]) -> str:
    """The longest, those aside that are longer than is usual by more than WILD digits."""
    most = median_low(map(len, digits)) + WILD
    return max((text for text in digits if len(text) <= most), key=len)


def _filled(
    cell: str,
    pieces: Sequence[Piece],
    digits: dict[Place | None, str],
    signs: dict[Place | None, str],
) -> str:
    if cell == MISSING:
        return _after(digits.get((), "")[1:] + signs.get((), ""), MISSING)
    made, length = [], 0
    for piece in pieces:
        most = digits.get(piece.place, piece.digits)
        lack = most[: max(len(most) - len(piece.digits), 0)]
        lack += "" if piece.sign else signs.get(piece.place, "")
        number = piece.bracket + piece.sign + piece.whole
        made += [html.escape(piece.words), _after(lack, number), piece.fraction]
        length += len(piece.words + number + piece.fraction)
    return "".join(made) + html.escape(cell[length:])


def _after(lack: str, text: str) -> str:
    """A text after as much room as `lack` would take."""
    shown = html.escape(text)
    return f'<span data-lack="{html.escape(lack)}">{shown}</span>' if lack else shown
