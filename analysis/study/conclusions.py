"""What may be concluded from numbers: each rule in one place, with an outcome that has a name.

Pure functions of numbers or of rows of the results (`estimate`, `lower`, `upper`). A missing number
gives "unknown". The words of each outcome stand with the sentence that a reader sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pandas as pd

from ..page.published import LEVEL

FLAT_BELOW = 0.05  # events per patient-year: a curve is called flat only where the limits are below
HALVED = 0.5  # of the rate before: a curve on which events come more often is no plateau
LATE_EVENTS = 3  # Maller & Zhou's (1 − N/n)^n, about exp(−N), is below .05 from the third event on
UNCURED = 0.05  # of those alive at the end: below it few still wait (Selukar & Othus 2023)
WIDEST = 0.5  # an interval wider than half of all patients leaves a share open
ENOUGH = 10  # events for each parameter of a model (Peduzzi et al. 1995)
WITHIN = 0.1  # of a number that a reader sees to one decimal: nearer than that is the same


def plateau(
    n: float, events: float, lower: float, upper: float
) -> Literal["unknown", "nobody", "eventless", "flat", "falling", "open"]:
    """What `events` among `n` followed beyond a month say, with the limits of their yearly rate.

    Flat: both limits below FLAT_BELOW. Falling: both at or above it. Open: one on either side;
    eventless, if no event was seen.
    """
    if pd.isna(n) or (n > 0 and (pd.isna(events) or pd.isna(upper))):
        return "unknown"
    if n == 0:
        return "nobody"
    if upper < FLAT_BELOW:
        return "flat"
    if events == 0:
        return "eventless"
    return "falling" if lower >= FLAT_BELOW else "open"


def coming(before: float, after: float) -> Literal["unknown", "coming", "fewer"]:
    """Whether events go on coming, by their rates before and after a month.

    They do where the later rate is above HALVED of the earlier one, however low both are.
    """
    if pd.isna(before) or pd.isna(after):
        return "unknown"
    return "coming" if after > HALVED * before else "fewer"


def differ(p: float) -> Literal["unknown", "differ", "not_told_apart"]:
    """Whether two estimates differ, by P of their contrast: never by how their intervals lie."""
    if pd.isna(p):
        return "unknown"
    return "differ" if p < LEVEL else "not_told_apart"


def against(row: Mapping[str, float], none: float) -> Literal["unknown", "above", "below", "open"]:
    """On which side of `none` (no effect) an interval lies."""
    if pd.isna(row["estimate"]) or pd.isna(row["lower"]) or pd.isna(row["upper"]):
        return "unknown"
    if row["lower"] > none:
        return "above"
    return "below" if row["upper"] < none else "open"


def two_ratios(
    early: Mapping[str, float], late: Mapping[str, float], p: float
) -> Literal["unknown", "opposite", "changed", "not_told_apart"]:
    """How an early and a late hazard ratio go together, with `p` of their contrast.

    Opposite ways needs each interval on its own side of 1: contrast alone is a change of size.
    """
    sides = {against(early, 1), against(late, 1)}
    contrast = differ(p)
    if contrast == "unknown" or "unknown" in sides:
        return "unknown"
    if contrast == "not_told_apart":
        return "not_told_apart"
    return "opposite" if sides == {"above", "below"} else "changed"


def moved(
    wrong: Mapping[str, float], right: Mapping[str, float]
) -> Literal["unknown", "same", "turned", "crossed", "higher", "not_higher"]:
    """Where the right way of counting has moved a ratio, of the same patients, from the wrong one.

    Both are of one set of patients, so that the move is the error's, whatever their intervals.
    They are compared as a reader sees them, to two decimals. Turned: each interval lies on its own
    side of 1. Crossed: the ratios do, and an interval holds 1.
    """
    before, after = round(wrong["estimate"], 2), round(right["estimate"], 2)
    if pd.isna(before) or pd.isna(after):
        return "unknown"
    if before == after:
        return "same"
    if before < 1 < after:
        turned = against(wrong, 1) == "below" and against(right, 1) == "above"
        return "turned" if turned else "crossed"
    return "higher" if before < after else "not_higher"


def kept_for_chance(stronger: int, of: int) -> Literal["unknown", "most", "not_most"]:
    """How many ratios are farther from 1 where a rule keeps them than where all are kept."""
    if not of:
        return "unknown"
    return "most" if 2 * stronger > of else "not_most"


def calibration(slope: float) -> Literal["unknown", "lost", "nothing_lost"]:
    """What a slope says of a model's log ratios in other patients, as a reader sees it."""
    if pd.isna(slope):
        return "unknown"
    return "lost" if round(slope, 2) < 1 else "nothing_lost"


def follow_up(late: float) -> Literal["unknown", "long_enough", "not_shown"]:
    """Maller & Zhou's rule (1992), by the events in a stretch as long as the plateau before it."""
    if pd.isna(late):
        return "unknown"
    return "long_enough" if late >= LATE_EVENTS else "not_shown"


def end_of_curve(
    n: float, events: float, share: float
) -> Literal["unknown", "eventless", "nobody_left", "left_on_its_day", "followed"]:
    """What is under the end of a curve, of whose patients `n` are followed beyond the last event.

    `events` are all of the curve, `share` its last value. Left on its day: those without the event
    were last seen on the very day of the last one, or before.
    """
    if pd.notna(events) and events == 0:
        return "eventless"
    if pd.isna(n) or pd.isna(share):
        return "unknown"
    if n > 0:
        return "followed"
    return "left_on_its_day" if share > 0 else "nobody_left"


def beside_the_dead(others: float, alive: float) -> Literal["unknown", "nobody", "alone", "beside"]:
    """Who was `alive` when last seen, among the `others` who are not known to have lived so long.

    Alone: none of the others has died.
    """
    if pd.isna(others) or pd.isna(alive):
        return "unknown"
    if alive == 0:
        return "nobody"
    return "alone" if alive == others else "beside"


def waiting(uncured: float) -> Literal["unknown", "few", "some"]:
    """How many of those without event at the end a model of cure has still waiting for it."""
    if pd.isna(uncured):
        return "unknown"
    return "few" if uncured < UNCURED else "some"


def cured_share(
    row: Mapping[str, float], end: float
) -> Literal["unknown", "nobody", "open", "above_curve", "at_curve", "estimate"]:
    """What a model's cured share is worth beside the curve's last value `end`.

    Open: without limits, or with an interval of WIDEST or more. Above the curve: more are called
    cured than the curve has left, at the lower limit too. At it: the interval holds its end.
    """
    if pd.isna(row["estimate"]):
        return "unknown"
    if row["estimate"] == 0:
        return "nobody"
    if pd.isna(row["lower"]) or pd.isna(row["upper"]) or row["upper"] - row["lower"] >= WIDEST:
        return "open"
    if row["estimate"] <= end:
        return "estimate"
    return "above_curve" if row["lower"] > end else "at_curve"


def beside(
    value: float, lower: float, upper: float
) -> Literal["unknown", "above", "within", "below"]:
    """Where a number lies beside the range that chance gives."""
    if pd.isna(value) or pd.isna(lower) or pd.isna(upper):
        return "unknown"
    return "above" if value > upper else "below" if value < lower else "within"


def beside_median(
    month: float, lower: float, upper: float
) -> Literal["unknown", "before", "within", "after"]:
    """Where a month lies beside a median's limits; one that is not reached comes after it."""
    if pd.isna(month):
        return "unknown"
    if pd.isna(lower) or month < lower:
        return "before"
    return "within" if pd.isna(upper) or month < upper else "after"


def follow_ups(everybody: float, reverse: float) -> Literal["unknown", "shorter", "alike"]:
    """The median time of everybody beside that by reverse Kaplan–Meier, as a reader sees them."""
    if pd.isna(everybody) or pd.isna(reverse):
        return "unknown"
    return "shorter" if reverse - everybody >= WITHIN / 2 else "alike"


def explained(
    plain: float, reverse: float
) -> Literal["unknown", "mostly", "partly", "not_explained"]:
    """How much of a distance of two plain follow-ups is gone between the two reverse ones."""
    if pd.isna(plain) or pd.isna(reverse):
        return "unknown"
    if abs(plain) <= abs(reverse):
        return "not_explained"
    return "mostly" if abs(reverse) <= abs(plain) / 2 else "partly"


def by_the_deaths(
    specific: float, competing: Mapping[str, float], sub: float
) -> Literal["unknown", "fewer", "more", "open", "not_by_them"]:
    """Whether a competing event's ratio explains that two ratios of the event part.

    Where fewer have the competing event more are left, and the subdistribution ratio `sub` is above
    the `specific` one; where more have it, below. Open: the interval of the competing event's ratio
    does not say which it is.
    """
    side = against(competing, 1)
    if pd.isna(specific) or pd.isna(sub) or side == "unknown":
        return "unknown"
    if side == "open":
        return "open"
    if (side == "below") == (sub < specific):
        return "not_by_them"
    return "fewer" if side == "below" else "more"


def enough(events: float, parameters: float) -> Literal["unknown", "few", "enough"]:
    """Whether a model has ENOUGH events for each of its parameters."""
    if pd.isna(events) or pd.isna(parameters):
        return "unknown"
    return "few" if events < ENOUGH * parameters else "enough"
