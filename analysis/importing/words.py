"""What names, labels and values of a statistician's file say, and the one form of a name.

The words stand in words.toml, and what an import tells in sentences.toml. A stem is a name without
its words for date, day, time or status: `relapse` of `relapse_months`.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from pathlib import Path

_TOLD = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))
_SENTENCES = tomllib.loads(Path(__file__).with_name("sentences.toml").read_text("utf-8"))


def _parted(words: str) -> tuple[str, ...]:
    return tuple(" ".join(words.split()).split(", "))


def _meanings(name: str) -> dict[str, str]:
    """The meaning of each word of a table, whose keys are the meanings."""
    return {word: meaning for meaning, words in _TOLD[name].items() for word in _parted(words)}


REDCAP, PARAMETERS, BLOCKS = _TOLD["redcap"], _TOLD["parameters"], _SENTENCES["blocks"]
WORDS = {name: _parted(words) for name, words in _TOLD.items() if isinstance(words, str)}
PATTERNS = {name: re.compile(text.replace("\n", "")) for name, text in _TOLD["patterns"].items()}
STEMS = {meaning: _parted(words) for meaning, words in _TOLD["stems"].items()}
EVENTS = _TOLD["events"]
ENGLISH, OUTCOMES, ORIGINS = map(_meanings, ("english", "outcomes", "origins"))
PAST, UNIT_WORDS = map(_meanings, ("past", "units"))
NO_RESPONSE, COUNTS, CODES = ({*WORDS[name]} for name in ("no_response", "counts", "codes"))


def sentence(name: str, /, **words: object) -> str:
    """A sentence of sentences.toml with its words filled in."""
    return _SENTENCES[name].strip().format(**words)


def counted(count: int, noun: str) -> str:
    """A count with its noun: 1 patient, 2 patients."""
    return f"{count} {noun if count == 1 else noun + 's'}"


def normal(name: str) -> str:
    """A name or label in one form: small letters, English words, parts joined by `_`."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", _without_accents(name))
    return "_".join(ENGLISH.get(part, part) for part in re.findall(r"[a-z0-9]+", parted.lower()))


def _without_accents(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def stem(name: str) -> str:
    """What a name is about, without its words for date, day or time."""
    return PATTERNS["after"].sub("", PATTERNS["before"].sub("", normal(name)))


def about(name: str) -> set[str]:
    """All that a name may be about, also without its words for a status: `futime` and `fu`."""
    words = {normal(name), stem(name)}
    words |= {PATTERNS["status_after"].sub("", word) for word in words}
    words |= {PATTERNS["joined"].sub("", word) for word in words}
    words |= {PAST[word] for word in words if word in PAST}
    return words - {""}


def units_in(text: str) -> set[str]:
    """The units of time that a text names."""
    words = (ENGLISH.get(word, word) for word in re.findall(r"[a-z]+", text.lower()))
    return {UNIT_WORDS[word] for word in words if word in UNIT_WORDS}


def asks_event(name: str) -> bool:
    """True where a name asks for an event itself, as `relapse` does, so that 1 means yes.

    Of a `relapse_status` or a `relapse_censor` nobody knows.
    """
    names = {normal(name), stem(name), PATTERNS["asking"].sub("", normal(name))}
    names |= {PAST[name] for name in names if name in PAST}
    events = any(names & {*stems} for stems in STEMS.values())
    return events and not PATTERNS["censored"].search(normal(name))


def outlived(name: str) -> bool:
    """True where a name says death, or a time and an event: `dead_of_disease`, `os_from_hsct_days`.

    What was before day 0 may be a characteristic: `months_since_last_relapse`.
    """
    words = {*normal(name).split("_")}
    earlier, deaths, times, later = (
        words & {*WORDS[kind]} for kind in ("earlier", "deaths", "times", "later")
    )
    return not earlier and bool(deaths or (times and later))


def plain_words(text: str) -> str:
    """The words of a value, without the code that stands before them: `1:DECEASED`."""
    words = re.sub(r"^\d+\s*[:=.-]\s*(?=\D)", "", text).strip().lower()
    return ENGLISH.get(_without_accents(words), words)
