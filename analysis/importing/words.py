"""What names, labels and values of a statistician's file say, and the one form of a name.

The lists of words stand in words.toml. A stem is a name without its words for date, day, time or
status: `relapse` of `relapse_months`.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from pathlib import Path

_LISTS = tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))


def _list(name: str, words: str = "") -> tuple[str, ...]:
    return tuple(" ".join((words or _LISTS[name]).split()).split(", "))


def _meanings(name: str) -> dict[str, str]:
    """The meaning of each word of a table, whose keys are the meanings."""
    table = _LISTS[name].items()
    return {word: meaning for meaning, words in table for word in _list(meaning, words)}


ENGLISH = _meanings("english")
STEMS = {meaning: _list(meaning, words) for meaning, words in _LISTS["stems"].items()}
OUTCOMES, ORIGINS, PAST = map(_meanings, ("outcomes", "origins", "past"))
ALL_SURVIVAL, STATA_SURVIVAL = _list("all_survival"), _list("stata_survival")
BARE_TIMES, BARE_STATUS = _list("bare_times"), _list("bare_status")
ASKS_DEATH, STATUS, NAMES = _list("asks_death"), _list("status"), _list("names")
_DEATHS, _TIMES = {*_list("deaths")}, {*_list("times")}
_LATER, _EARLIER = {*_list("later")}, {*_list("earlier")}
DEAD, ALIVE, YES, NO = ({*_list(name)} for name in ("dead", "alive", "yes", "no"))
HAPPENED, NOT_HAPPENED = {*_list("happened")}, {*_list("not_happened")}
NO_RESPONSE, COUNTS, CODES = ({*_list(name)} for name in ("no_response", "counts", "codes"))
CODES_TO = 9  # codes of questionnaires have one digit

_BEFORE = re.compile(
    r"^((date|data)(_(of_the|of|de_la|de|du|del|di))?|dat|dt|day_of|(days|time|weeks|months|years)(_to)?)_"
)
_AFTER = re.compile(
    r"_(days_to|date|dates|dat|datum|day|days|dt|dtc|time|weeks?|months?|mos?|years?|yrs?)$"
)
_STATUS_AFTER = re.compile(
    r"_(status|stat|state|event|ev|cens|censor|censored|censoring|flag|fl|ind|indicator|code|yn|yes_no)$"
)
ASKING = re.compile(r"_(yn|yes_no|flag|fl)$")  # of which 1 can only mean yes
_JOINED = re.compile(r"(?<=[a-z]{2})(time|days?|months?|dt|date|status|stat|flag|cens|event|fl)$")

CENSORED = re.compile(r"(^|_)(cens|censor|censored|censoring|cnsr)(_|$)")
VITAL = re.compile(r"(^|_)(vital|survival|death)_status(_|$)")
IDENTIFYING = re.compile(
    r"(^|_)((first|last|sur|fore|given|family|middle|maiden|full|patient|pat|subject)_?names?"
    r"|surname|initials?|nachname|vorname|prenom|e_?mail|email_address|phone|phone_?(no|number)"
    r"|telephone|tele?fon|mobile|fax|address|street|post_?code|postal_code|zip|zip_?code|ssn"
    r"|passport|mrn|medical_record(_number)?|hospital_(number|no|id)|insurance_(number|no|id)"
    r"|dob|birth_?(date|day|dt|dtc)|date_of_birth|geburts(datum|tag)|brthdtc?)(_\d+)?$"
)
LABELS = re.compile(
    r"\b((first|last|family|given|full|maiden) name|patient'?s?'? name|surname|initials"
    r"|e-?mail|(tele|mobile )?phone|date of birth|birth ?date|home address|post ?code)\b",
    re.IGNORECASE,
)
FREE_TEXT = re.compile(r"(^|_)(comments?|remarks?|notes?|free_?text|specify)$")
# What stands in place of a patient in a row of sums.
SUMS = re.compile(
    r"(grand )?totals?|sums?|means?|average|median|count|(gesamt)?summe|gesamt|mittelwert|moyenne"
    r"|total général|somme",
    re.IGNORECASE,
)
ID = re.compile(r"(^|_)(id|no|nr|number|key|uid|guid)$|subjid$")


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
    return _AFTER.sub("", _BEFORE.sub("", normal(name)))


def about(name: str) -> set[str]:
    """All that a name may be about, also without its words for a status: `futime` and `fu`."""
    words = {normal(name), stem(name)}
    words |= {_STATUS_AFTER.sub("", word) for word in words}
    words |= {_JOINED.sub("", word) for word in words}
    words |= {PAST[word] for word in words if word in PAST}
    return words - {""}


def outlived(name: str) -> bool:
    """True where a name says death, or a time and an event: `dead_of_disease`, `os_from_hsct_days`.

    What was before day 0 may be a characteristic: `months_since_last_relapse`.
    """
    words = {*normal(name).split("_")}
    if words & _EARLIER:
        return False
    return bool(words & _DEATHS or (words & _TIMES and words & _LATER))


def plain_words(text: str) -> str:
    """The words of a value, without the code that stands before them: `1:DECEASED`."""
    words = re.sub(r"^\d+\s*[:=.-]\s*(?=\D)", "", text).strip().lower()
    return ENGLISH.get(_without_accents(words), words)
