"""What may say who a patient is, in text of any column."""

from __future__ import annotations

import re

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# With a country's or a trunk prefix, an area code in brackets, or as North America writes them.
_PHONE = re.compile(
    r"(\+|00)[1-9]\d?[\d ./()-]{6,}"
    r"|0[1-9]\d{0,4}[ ./-]+\d[\d ./-]{4,}"
    r"|\(\d{2,5}\)[ ./-]*\d[\d ./-]{4,}"
    r"|(1[ .-])?[2-9]\d{2}([ .-])\d{3}\3\d{4}",
    re.ASCII,
)
_FEWEST, _MOST = 7, 15  # digits of a phone number
# Years from and to, dates, numbers and a trial's ids (01-701-1015) have as many digits.
_NO_PHONE = re.compile(
    r"(19|20)\d\d ?[-–/] ?((19|20)\d\d|\d\d)|\d{4}([-./])\d\d?\4\d\d?.*"
    r"|\d\d?([-./])\d\d?\5(\d{4}|\d\d)|[-+]?\d+[.,]\d+|\d\d-\d{3}-\d{4}",
    re.ASCII,
)


def is_phone(text: str) -> bool:
    """True for what is written as phone numbers are, and as no years, dates or numbers are."""
    digits = sum(c.isdigit() for c in text)
    return (
        _FEWEST <= digits <= _MOST
        and bool(_PHONE.fullmatch(text))
        and not _NO_PHONE.fullmatch(text)
    )
