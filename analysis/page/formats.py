"""Numbers as a reader sees them: rounded, with their unit, their limits, their decimals."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd

from .quantities import MASKED, MISSING, nature
from .units import told

DAGGER = "†"  # marks a value that is carried forward
NUMBER = re.compile(r"−?\d+(\.\d+)?")  # as `rounded` writes it
CARRIED = f"{DAGGER} Nobody was followed so long: the last value is carried forward"


def rounded(value: float, decimals: int) -> str:
    """Round half away from zero, as publications do; a missing value is a dash.

    Twelve significant digits come first, so that 0.285 * 100 counts as 28.5. A number that has no
    more digits than those is written short: `8e222`.
    """
    if pd.isna(value):
        return MISSING
    if abs(value) >= 1e12:
        return short(value)
    step = Decimal(1).scaleb(-decimals)
    shown = format(Decimal(f"{value:.12g}").quantize(step, ROUND_HALF_UP), "f")
    return shown.removeprefix("-") if float(shown) == 0 else shown.replace("-", "−")


def of_unrounded(apart: str, one: str, other: str) -> str:
    """What a sentence has to add where a difference is not that of the numbers beside it."""
    told = [
        Decimal(text.replace("−", "-")) for text in (apart, one, other) if NUMBER.fullmatch(text)
    ]
    if len(told) < 3 or told[0] == told[1] - told[2]:
        return ""
    return " The difference is taken from the unrounded numbers."


def short(value: float) -> str:
    """A very large or small number by its first digit and power of ten: `8e222`, `6e-63`."""
    if not np.isfinite(value):
        return ("" if value > 0 else "−") + "∞"
    digit, power = f"{value:.0e}".split("e")
    return f"{digit.replace('-', '−')}e{int(power)}"


def scaled(value: float, quantity: str) -> float:
    """A result in the unit that a reader sees: per cent, or per 100 patient-years."""
    return nature(quantity).scale * value


def written(row: pd.Series, part: str = "estimate") -> str:
    """An estimate or limit of a result as text without its unit, as `shown`.

    A ratio for a unit that is small beside the patients' differences is near 1. Where its limits
    would look the same, all three have the decimals that tell the limits apart.
    """
    value, quantity = row[part], row["quantity"]
    if nature(quantity).kind == "hazard ratio":
        limits = [ratio(row[end]) for end in ("lower", "upper")]
        width = row["upper"] - row["lower"]
        if limits[0] == limits[1] and width > 1e-10:
            return ratio(value, 1 - int(np.floor(np.log10(width))))
        if part == "upper" and pd.isna(value) and pd.notna(row["lower"]):
            return short(np.inf)  # a limit that is too large for a number
    return shown(value, quantity)


def ratio(value: float, decimals: int = 2) -> str:
    """A ratio to its decimals, or short where those would hold too little of it, or too much."""
    if value == 0:
        return "0"
    plain = 1e-4 <= value < 1e4 or pd.isna(value)
    return rounded(value, decimals) if plain else short(value)


def shown(value: float, quantity: str) -> str:
    """One result as text without its unit; a missing median was not reached."""
    what = nature(quantity)
    if what.kind == "hazard ratio":
        return ratio(value)
    if what.kind == "p":
        return p_value(value)
    return what.blank if pd.isna(value) else rounded(what.scale * value, what.decimals)


def counted(number: float) -> str:
    """A number of patients or events."""
    return MASKED if pd.isna(number) else f"{number:.0f}"


def p_value(p: float) -> str:
    """P as publications print it: no leading zero, never 0."""
    if pd.isna(p):
        return MISSING
    if p < 0.001:
        return "<.001"
    text = rounded(p, 3 if p < 0.1 else 2)
    return text.removeprefix("0") if p < 0.995 else ">.99"


def equal_to(p: float) -> str:
    """P after its letter in a sentence: `= .02`, `<.001`."""
    text = p_value(p)
    return text if text.startswith(("<", ">")) else f"= {text}"


def interval(row: pd.Series) -> str:
    """The limits of a result, `5.5–8.5`, or a dash.

    `−3.4 to −0.4` where one is negative, and `0 to 8e222` where one has a power of ten.
    """
    if row[["lower", "upper"]].isna().all():
        return MISSING
    limits = [written(row, part) for part in ("lower", "upper")]
    apart = re.search(r"[−∞]|\de", " ".join(limits))
    return (" to " if apart else "–").join(limits)


def with_unit(row: pd.Series) -> str:
    """An estimate as a sentence has it: `7.5 months`."""
    return written(row) + ("" if pd.isna(row["estimate"]) else nature(row["quantity"]).unit)


def clock(months: float) -> str:
    """A time that somebody has set, as a number in the unit of the dataset: `24`, or `2` years."""
    number = months / told().months
    if told().months == 1:
        return f"{number:g}"
    # A landmark is declared in months: the 365.25 days of a year are called 365.
    near = abs(number - round(number)) < 0.005 * number
    return f"{number:.0f}" if near else f"{number:.3g}"


def at_time(*months: float, last: str = "and") -> str:
    """One or several of them with their unit: `1 month`, `2 years`, `12 and 24 months`."""
    texts = [clock(month) for month in months]
    return f"{listed(texts, last)} {told().one if texts == ['1'] else told().name}"


def lasting(months: float) -> str:
    """A time that was found, with the decimals and the unit of the dataset: `7.5 months`."""
    return f"{shown(months, 'median')} {told().name}"


def in_months(value: float) -> str:
    """A time of invented patients, who count in months: `1 month`, `24 months`."""
    return f"{value:g} month{'' if value == 1 else 's'}"


def in_patients(number: object) -> str:
    """`1 patient`, `24 patients`."""
    return f"{number} patient{'' if str(number) == '1' else 's'}"


def listed(words: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    words = list(words)
    return f" {last} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def begun(words: str) -> str:
    """Words as they begin a sentence."""
    return words[:1].upper() + words[1:]


def row_number(row: pd.Series) -> int:
    """The number of a row of the results, as in their file: the first is 1."""
    return int(row.name) + 1


def row_id(row: pd.Series) -> str:
    """The place of a row of the results on its page."""
    return f"row-{row_number(row)}"


def row_key(row: pd.Series) -> str:
    """What a row of the results is about: `survival, os, 24 months`."""
    months = "" if pd.isna(row["months"]) else in_months(row["months"])
    return ", ".join(filter(None, (row["quantity"], row["group"], months)))


def full(value: float) -> str:
    """A number of the results to six digits; its file has all of them."""
    return MISSING if pd.isna(value) else f"{value:.6g}"
