"""Whether an answer is right, and if not, what may have gone wrong. It needs numpy alone.

So this one file can go with an assignment: a `Sealed` exercise knows its right answer, and those
of likely mistakes, by salted hashes only. No words of a check tell the right answer.
"""

from __future__ import annotations

import hashlib
import html
import json
from base64 import b85decode, b85encode
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np

Seals = Sequence[Sequence[str]]  # of each part of an answer
NEAR = 0.05  # of the last digit: so far may an answer be from what rounds to the right one
SURE = 1e-6  # of it: so far a right answer may be from a border of rounding, and have both sides
ROUNDS = 500  # of a hash: a check takes a moment, and so does each guess
LARGEST = 100_000  # signs of an answer that is marked
SET_OF = "a set of"  # what JSON has no form for
NO_ANSWER = "There is no answer yet: put yours below the line with the three dots."
PERCENT = "That is a percentage. The task asks for a share from 0 to 1."
ROUNDED = "That is rounded too far: give it {precisely}."
WHOLE = "That has a fraction. The task asks for whole numbers."
ORDER = "These are the right numbers, in another order."
UNIT = "That is in {unit}. Read in which unit the task asks."
ONCE = "That can be read only once. Make a list of it."
WORD, SET = "Expected a word in quotes.", "Expected a set of words, as in {'a', 'b'}."
NUMBER, ROWS = "Expected one number.", "Expected rows of {columns} numbers, as in [[…], […]]."


class UnlikeError(ValueError):
    """The answer is of another kind; the text says what was expected."""


@dataclass(frozen=True)
class Verdict:
    """What a check says of an answer."""

    right: bool
    words: str

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        kind, head = ("right", "Right.") if self.right else ("wrong", "Not yet.")
        text = html.escape(self.words)
        shown = f'<p class="verdict {kind}"><strong>{head}</strong> {text}</p>'
        return {"text/html": shown, "text/plain": f"{head} {self.words}"}


class Asked(Protocol):
    """What `check` asks of an exercise; `found` is an answer as `normal` has it.

    `kind` is "word", "words", "number", "numbers" or "rows", and `length` how many numbers, or of
    rows how many columns. `units` says of other units how many make one of the unit asked for.
    `share`: one of the numbers at least is a share from 0 to 1.
    """

    kind: str
    length: int
    decimals: int
    units: Mapping[str, float]
    share: bool
    because: str

    def formed(self, given: object) -> object: ...
    def is_right(self, found: Any, decimals: int | None = None) -> bool: ...
    def is_shuffled(self, found: np.ndarray) -> bool: ...
    def meaning(self, found: Any) -> str: ...


def check(given: object, asked: Asked) -> Verdict:
    """Whether an answer is right, and if not, what may have gone wrong; never the right answer."""
    if given is ...:
        return Verdict(False, NO_ANSWER)
    try:
        found = normal(given, asked)
    except UnlikeError as error:
        return Verdict(False, str(error))
    if asked.is_right(found):
        counted = asked.decimals == 0  # that is right or wrong, and never rounded
        return Verdict(False, WHOLE) if counted and _broken(found) else Verdict(True, asked.because)
    if words := asked.meaning(found) or _slip(found, asked):
        return Verdict(False, words)
    exact = "" if asked.kind in ("word", "words") else f", {_precisely(asked.decimals)}"
    return Verdict(False, f"Read the task again{exact}.")


def grade(given: object, asked: Asked) -> None:
    """For nbgrader, Otter and the like: raise AssertionError with the words of `check`.

    Unless the answer is right. So no cell passes that `check` would not call right.
    """
    said = check(given, asked)
    if not said.right:
        raise AssertionError(said.words)


# --- any right form of an answer -----------------------------------------------------------------


def normal(given: object, asked: Asked) -> Any:
    """A word or a set of words in small letters, or an array of numbers. Raises UnlikeError."""
    if asked.kind == "word":
        if not isinstance(given, str):
            raise UnlikeError(WORD)
        return given.strip().casefold()
    if isinstance(given, Iterator) or type(given).__name__ in ("dict_values", "dict_keys"):
        given = list(given)
    if asked.kind == "words":
        try:
            if not isinstance(given, str | Mapping):
                return frozenset(str(word).strip(" \"'().").casefold() for word in given)
        except Exception:  # whatever a student gives
            pass
        raise UnlikeError(SET)
    expected = {"number": NUMBER, "rows": ROWS.format(columns=asked.length)}
    words = expected.get(asked.kind, f"Expected {asked.length} numbers, in order.")
    try:
        # Numpy would make numbers of them.
        if given is None or isinstance(given, str | bool | np.bool_) or np.iscomplexobj(given):
            raise UnlikeError(words)
        found = np.atleast_1d(np.asarray(asked.formed(given), dtype=float))
    except Exception:  # whatever a form or numpy meets in what a student gives
        raise UnlikeError(words) from None
    if asked.kind == "rows":
        if found.ndim != 2 or found.shape[1] != asked.length:
            raise UnlikeError(words)
        return found
    if found.size != asked.length:
        raise UnlikeError(words)
    return found.reshape(-1)


def as_table(rows: object) -> np.ndarray:
    """Numbers or rows of them, a set of such among them."""
    return np.asarray(list(rows) if isinstance(rows, set | frozenset) else rows, dtype=float)


def start_stop(rows: object) -> np.ndarray:
    """Rows of start, stop and values, sorted, and joined where a cut parts two that are alike.

    A start of −1 or −∞ is 0: before the first day nothing happens.
    """
    table = as_table(rows)
    table = table[np.argsort(table[:, 0], kind="stable")]
    table[np.isin(table[:, 0], (-1, -np.inf)), 0] = 0
    joined: list[np.ndarray] = []
    for row in table:
        goes_on = joined and joined[-1][0] < joined[-1][1] == row[0] < row[1]
        if goes_on and (joined[-1][2:] == row[2:]).all():
            joined[-1][1] = row[1]
        else:
            joined.append(row.copy())
    return np.array(joined)


def in_any_order(rows: object) -> np.ndarray:
    """Numbers, or rows of them, sorted: for a task that asks for no order."""
    table = as_table(rows)
    return np.sort(table) if table.ndim < 2 else table[np.lexsort(table.T[::-1])]


FORMS: dict[str, Callable[[object], object]] = {
    form.__name__: form for form in (start_stop, in_any_order)
}


# --- slips that any task meets -------------------------------------------------------------------


def _slip(found: Any, asked: Asked) -> str:
    """What is said of the right numbers in another guise, or nothing."""
    if asked.kind not in ("number", "numbers"):
        return ""
    part = np.eye(found.size, dtype=bool)  # one of several may be a share, the others counts
    hundredths = (np.where(one, found / 100, found) for one in (True, *part))
    if asked.share and any(_about(shares, asked) for shares in hundredths):
        return PERCENT
    for unit, factor in asked.units.items():
        if _about(found / factor, asked):
            return UNIT.format(unit=unit)
    if _about(found, asked):
        return ROUNDED.format(precisely=_precisely(asked.decimals))
    return ORDER if asked.is_shuffled(found) else ""


def _broken(found: np.ndarray) -> bool:
    """Whether one of the numbers has a fraction."""
    finite = found[np.isfinite(found)]
    return bool((np.abs(finite - finite.round()) > 1e-6).any())


def _precisely(decimals: int) -> str:
    """How a task asks for a number."""
    return f"to {decimals} decimal{'s' * (decimals > 1)}" if decimals else "in whole numbers"


def _about(found: np.ndarray, asked: Asked) -> bool:
    """Whether numbers are right, or are when rounded by a digit or two more than was asked."""
    least = 0 if asked.decimals == 1 else 1
    return asked.is_right(found) or any(
        np.allclose(found, found.round(digits), rtol=0, atol=1e-9) and asked.is_right(found, digits)
        for digits in range(max(asked.decimals - 2, least), asked.decimals)
    )


# --- what can be handed out ----------------------------------------------------------------------


@dataclass(frozen=True)
class Sealed:
    """An exercise without its answer. `exercises.seal` makes it, `check` and `grade` use it.

    Each part of a right answer is known by its hash, or by two where it is between two roundings.
    `coarse` has those of fewer decimals, `ordered` those of the numbers by size, `mistakes` those
    of wrong answers with what is said of them, which only who has this answer can read: what is
    wrong about others may tell what is right.
    """

    kind: str
    length: int
    decimals: int
    salt: str
    right: Seals
    coarse: Mapping[str, Seals] = field(default_factory=dict)
    ordered: Seals = ()
    mistakes: Sequence[tuple[Seals, str]] = ()
    units: Mapping[str, float] = field(default_factory=dict)
    form: str = ""
    share: bool = False
    because: str = ""  # it would tell the answer

    @classmethod
    def read(cls, text: str) -> Sealed:
        """From the JSON that `text` has written."""
        return cls(**json.loads(text))

    def text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    def check(self, given: object) -> Verdict:
        """As the function of this name."""
        return check(given, self)

    def grade(self, given: object) -> None:
        """As the function of this name: raises AssertionError unless the answer is right."""
        if isinstance(given, Iterator):  # whoever grades it again would find nothing in it
            raise AssertionError(ONCE)
        grade(given, self)

    def formed(self, given: object) -> object:
        return FORMS[self.form](given) if self.form else given

    def is_right(self, found: Any, decimals: int | None = None) -> bool:
        known = self.right if decimals is None else self.coarse.get(str(decimals), ())
        return self._equal(found, known, self.decimals if decimals is None else decimals)

    def is_shuffled(self, found: np.ndarray) -> bool:
        return self._equal(np.sort(found), self.ordered, self.decimals)

    def meaning(self, found: Any) -> str:
        made = keys(found, self.decimals, NEAR)
        for known, words in self.mistakes:
            if self._equal(found, known, self.decimals):
                pairs = zip(made, known, strict=True)
                parts = [
                    next(key for key in either if hashed(key, self.salt) == of)
                    for either, (of,) in pairs
                ]
                return opened(words, parts, self.salt)
        return ""

    def _equal(self, found: Any, known: Seals, decimals: int) -> bool:
        made = keys(found, decimals, NEAR)
        return len(made) == len(known) and all(
            any(hashed(key, self.salt) in seals for key in either)
            for either, seals in zip(made, known, strict=True)
        )


def alike(found: Any, right: Any, decimals: int) -> bool:
    """Whether an answer is this one: of numbers, whether both round to the same.

    As for a `Sealed` exercise, which knows no more than what the right answer rounds to.
    """
    made, known = keys(found, decimals, NEAR), keys(right, decimals, SURE)
    return len(made) == len(known) and all(
        not set(either).isdisjoint(of) for either, of in zip(made, known, strict=True)
    )


def keys(found: Any, decimals: int, near: float) -> list[list[str]]:
    """For each part of an answer its text, rounded, and those of numbers `near` it.

    That is a part of the last digit.
    """
    if isinstance(found, str):
        return [[found]]
    if isinstance(found, frozenset):
        return [["\n".join(sorted(found))]]
    around, shape = near * 10.0**-decimals, "x".join(map(str, found.shape[1:]))
    either = [(value, value + around, value - around) for value in found.reshape(-1).tolist()]
    texts = [[f"{round(value, decimals) + 0.0:.{decimals}f}" for value in of] for of in either]
    return [list(dict.fromkeys(f"{shape}:{text}" for text in of)) for of in texts]


def hashed(key: str, salt: str) -> str:
    """The salted hash of a text."""
    made = hashlib.pbkdf2_hmac("sha256", key.encode(errors="replace"), salt.encode(), ROUNDS, 16)
    return made.hex()


def closed(words: str, parts: Sequence[str], salt: str) -> str:
    """Words that can be read with the texts of an answer's parts, and not without."""
    return b85encode(_crossed(words.encode(), parts, salt)).decode()


def opened(text: str, parts: Sequence[str], salt: str) -> str:
    """What `closed` has closed."""
    return _crossed(b85decode(text), parts, salt).decode()


def _crossed(words: bytes, parts: Sequence[str], salt: str) -> bytes:
    pad = hashlib.shake_256(hashed("\n".join(parts), f"{salt} words").encode()).digest(len(words))
    return bytes(one ^ other for one, other in zip(words, pad, strict=True))


# --- from a notebook to whoever grades it --------------------------------------------------------


def sealed(file: str, number: int) -> Sealed:
    """An exercise of a file that goes with an assignment."""
    return Sealed(**json.loads(Path(file).read_text("utf-8"))[str(number)])


def plain(given: object) -> str:
    """An answer as JSON, to be graded in another process than its own.

    Raises TypeError, ValueError or RecursionError where it is none that JSON can hold, or is longer
    than any answer is.
    """

    def told(part: Any) -> object:
        if part is ...:
            return None
        if isinstance(part, Iterator):  # whoever reads it again would find nothing in it
            raise ValueError(ONCE)
        if isinstance(part, set | frozenset):
            return {SET_OF: list(part)}
        way = next((way for way in ("to_numpy", "tolist") if hasattr(part, way)), "")
        if way:
            return getattr(part, way)()
        return list(islice(part, LARGEST)) if isinstance(part, Iterable) else float(part)

    text = json.dumps(given, default=told)
    if len(text) > LARGEST:
        raise ValueError("far more than the answer of an exercise")
    return text


def given(text: str) -> Any:
    """An answer from the text that `plain` has made; what had no order has none."""

    def made(part: dict) -> object:
        if [*part] != [SET_OF]:
            return part
        return {tuple(one) if isinstance(one, list) else one for one in part[SET_OF]}

    return json.loads(text, object_hook=made)
