"""Survival curves from the print alone: who was followed, and what the late stretches rest on.

The months and rows are the paper's own.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from scipy import optimize, stats

from ..page.formats import in_months, listed, month, rounded
from ..page.quantities import MISSING
from ..page.tables import Row, Table
from ..survival.curves import CONFIDENCE, Z
from .bounds import (
    ONE,
    Finding,
    NotPrinted,
    Print,
    Range,
    between,
    in_percent,
    limits,
    result,
    spread,
)

ONE_OR_LESS, NONE = (Range(Fraction(0), Fraction(end)) for end in (1, 0))


# --- who was followed ----------------------------------------------------------------------------


def follow_up(printed: Print) -> Finding:
    """A least follow-up above the median time to event cannot be that of all patients."""
    least, middle = (printed(quantity, "rfs").range for quantity in ("followup_min", "median"))
    facts = {
        "least": printed("followup_min", "rfs").text,
        "median": printed("median", "rfs").text,
        "verdict": "cannot be" if least.low > middle.high else "can be",
    }
    return Finding(facts, [result("followup_min", "rfs", n=None) | limits(least)])


def _lost(printed: Print) -> range:
    """How many left follow-up alive before the long-term month, from Kaplan-Meier and counts.

    With c of N lost and L known alive after that month, survival lies between L / (N - c), all of
    them lost at once, and (L + c) / N, all lost at the end. It assumes that nobody died between
    the long-term month and the landmark of which survival is printed.
    """
    alive, n = printed.count("patients|long_term"), printed.count("patients")
    survival = printed.share("survival", "os", 36)
    fits = [
        c
        for c in range(n - alive + 1)
        if Fraction(alive, n - c) < survival.high and Fraction(alive + c, n) >= survival.low
    ]
    if not fits:
        raise NotPrinted("No number of patients lost fits the printed survival.")
    return range(fits[0], fits[-1] + 1)


def _long_term(printed: Print) -> float:
    return printed.dataset.settings.long_term_months


def _falls(before: Range, after: Range, most: int) -> dict[int, list[int]]:
    """Events, and the numbers at risk with which they make a curve fall so, none lost between."""
    share = Range(1 - after.high / before.low, 1 - after.low / before.high)
    found = {}
    for events in range(1, most + 1):
        if share.low <= 0:
            break
        numbers = [n for n in between(events / share.high, events / share.low) if n <= most]
        if numbers:
            found[events] = numbers
    return found


def _late_falls(printed: Print) -> dict[int, list[int]]:
    """The deaths between 36 and 48 months that the printed survival allows."""
    before, after = (printed.share("survival", "os", months) for months in (36, 48))
    return _falls(before, after, printed.count("patients|long_term"))


def deaths_in_all(printed: Print) -> Range:
    """Deaths in all: those of shorter survivors who were not lost, and those after 36 months."""
    lost, later = _lost(printed), _late_falls(printed) or {0: []}
    shorter = printed.count("patients|shorter")
    return Range(
        Fraction(shorter - lost[-1] + min(later)), Fraction(shorter - lost[0] + max(later))
    )


def known_alive(printed: Print) -> Finding:
    """The share known to be alive is less than the survival estimate, by those lost before."""
    alive, n = printed.count("patients|long_term"), printed.count("patients")
    lost, deaths = _lost(printed), deaths_in_all(printed)
    facts = {
        "alive": alive,
        "n": n,
        "month": f"month {month(_long_term(printed))}",
        "share": rounded(100 * alive / n, 1) + "%",
        "survival": printed("survival", "os", 36).text + "%",
        "lost": spread(lost),
        "shorter": printed.count("patients|shorter"),
        "deaths": deaths.shown(0),
    }
    rows = [
        result("lost", "os", _long_term(printed), lower=lost[0], upper=lost[-1], n=n),
        result("deaths", "os", n=n) | limits(deaths),
    ]
    return Finding(facts, rows)


# --- the plateau and what is called cure ---------------------------------------------------------


def plateau(printed: Print) -> Finding:
    """What the level stretches of the curves rest on: numbers at risk, and events that fit."""
    stretches = [
        _stretch(printed, "OS", "survival", "os", 36, 48),
        _stretch(printed, "OS", "survival", "os", 48, 60),
        _stretch(printed, "RFS", "survival", "rfs", 36, 48),
    ]
    level = [one for one in stretches if not one["events"]]
    falls = _late_falls(printed)
    table = Table(
        "plateau",
        "The late stretches of the curves.",
        ("Curve, months", "Printed, %", "Followed beyond, at most", "Events", "Risk, upper bound"),
        [one["line"] for one in stretches],
        [
            "Followed beyond the first month: no curve can lie under their share. Who has the "
            "event on the very day of the month is none of them.",
            f"Risk, upper bound: exact one-sided {CONFIDENCE:.0%}, if all of them had been "
            "followed to the end without event.",
        ],
    )
    facts = {
        "os_36": printed("survival", "os", 36).text + "%",
        "os_48": printed("survival", "os", 48).text + "%",
        "deaths": spread(falls),
        "falls": _falls_in_words(falls),
        "fewest": min(min(numbers) for numbers in falls.values()) if falls else MISSING,
        "most": max(max(numbers) for numbers in falls.values()) if falls else MISSING,
        "relapse_48": printed("cumulative_incidence", "relapse", 48).text + "%",
        "relapse_60": printed("cumulative_incidence", "relapse", 60).text + "%",
        "level": len(level),
        "bounds": " or ".join(one["bound"] for one in level) or MISSING,
        "rfs_60": "printed" if printed.has("survival", "rfs", 60) else "not printed",
        "longest": printed("followup_max", "rfs").text,
    }  # fmt: skip
    return Finding(facts, [one["row"] for one in stretches], table)


def _falls_in_words(falls: dict[int, list[int]]) -> str:
    """`1 of 9, 2 of 18–19 or 3 of 27–29`."""
    said = [f"{k} of {'–'.join(map(str, sorted({n[0], n[-1]})))}" for k, n in falls.items()]
    return " or ".join(filter(None, [", ".join(said[:-1]), *said[-1:]])) or "none"


def _stretch(
    printed: Print, name: str, quantity: str, group: str, start: float, end: float
) -> dict:
    """One stretch of a curve: how many can be at risk at its start, and with which events."""
    before, after = (printed.share(quantity, group, month) for month in (start, end))
    everybody = printed.count("patients") if group == "os" else printed.count("response_day")
    most = min(math.ceil(before.high * everybody) - 1, everybody)
    if group == "os":
        most = min(most, printed.count("patients|long_term"))
    fits = _falls(before, after, most)
    bound = float(stats.beta.ppf(CONFIDENCE, 1, most)) if not fits else np.nan
    texts = [printed(quantity, group, month).text for month in (start, end)]
    upper = MISSING if fits else f"{rounded(100 * bound, 1)}%"
    cells = (" → ".join(texts), str(most), spread(fits) if fits else "0", upper)
    row = result("risk_upper_bound", f"{group}:{start:g}-{end:g}", end, upper=bound, n=most)
    line = Row(f"{name}, {start:g} to {end:g}", cells)
    return {"events": bool(fits), "line": line, "row": row, "bound": upper}


def remission_deaths(printed: Print) -> Finding:
    """Death without relapse: what relapse-free survival and relapse leave of one whole."""
    shares = _remission_deaths(printed)
    lines = [
        Row(
            in_months(month),
            (
                printed("survival", "rfs", month).text + "%",
                printed("cumulative_incidence", "relapse", month).text + "%",
                f"{rounded(float(50 * (share.low + share.high)), 1)}% ({in_percent(share)})",
            ),
        )
        for month, share in shares.items()
    ]
    table = Table(
        "remission-deaths",
        "Death without relapse, by subtraction.",
        ("Time", "Relapse-free", "Relapsed", "Dead without relapse (rounding)"),
        lines,
    )
    last = max(shares)
    middle = rounded(float(50 * (shares[last].low + shares[last].high)), 1) + "%"
    facts = {
        "dead": middle,
        "last": in_months(last),
        "bounds": in_percent(shares[last]),
    }
    rows = [
        result("cumulative_incidence", "death", month) | limits(share)
        for month, share in shares.items()
    ]
    rows.append(result("survival", "rfs", 60) | limits(_late_relapse_free(printed)))
    return Finding(facts, rows, table)


def _remission_deaths(printed: Print) -> dict[float, Range]:
    """By month, the range of 1 - RFS - relapse; it never falls, which tightens the ends."""
    months = [m for _, g, m, _ in printed.texts if g == "relapse" and m is not None]
    months = [m for m in sorted(set(months)) if printed.has("survival", "rfs", m)]
    if not months:
        raise NotPrinted("Relapse and relapse-free survival have no month in common.")
    found = {
        m: ONE - printed.share("survival", "rfs", m)
        - printed.share("cumulative_incidence", "relapse", m)
        for m in months
    }  # fmt: skip
    lows = itertools.accumulate((found[m].low for m in months), max)
    highs = list(itertools.accumulate((found[m].high for m in reversed(months)), min))[::-1]
    return {m: Range(*ends) for m, *ends in zip(months, lows, highs, strict=True)}


def _late_relapse_free(printed: Print) -> Range:
    """Relapse-free survival at 60 months, if nobody died without relapse after 48."""
    relapsed = printed.share("cumulative_incidence", "relapse", 60)
    by_sum = ONE - relapsed - _remission_deaths(printed)[48]
    number = min(_late_relapses(printed), default=0)
    if not number:
        return by_sum
    before, at_risk = printed.share("survival", "rfs", 48), _late_relapses(printed)[number]
    factors = [1 - Fraction(number, n) for n in at_risk]
    return by_sum & Range(before.low * min(factors), before.high * max(factors))


def _late_relapses(printed: Print) -> dict[int, list[int]]:
    """Numbers of relapses after 48 months, and at risk before them, that give the printed rise."""
    before = printed.share("survival", "rfs", 48)
    at_48, at_60 = (printed.share("cumulative_incidence", "relapse", m) for m in (48, 60))
    rise = at_60 - at_48
    most = math.ceil(before.high * printed.count("response_day")) - 1
    found = {}
    for number in range(1, most + 1):
        if rise.low <= 0:
            break
        ends = (number * before.low / rise.high, number * before.high / rise.low)
        at_risk = [n for n in between(*ends) if n <= most]
        if at_risk:
            found[number] = at_risk
    return found


def late_relapse(printed: Print) -> Finding:
    """How many were still at risk when the incidence of relapse rose after 48 months."""
    fits = _late_relapses(printed)
    if not fits:
        raise NotPrinted("The incidence of relapse does not rise after 48 months.")
    fewest = min(min(numbers) for numbers in fits.values())
    tests = [stats.binomtest(k, n) for k, numbers in fits.items() for n in numbers]
    first = tests[0].proportion_ci(CONFIDENCE)
    rfs_60 = _late_relapse_free(printed)
    facts = {
        "before": printed("cumulative_incidence", "relapse", 48).text + "%",
        "after": printed("cumulative_incidence", "relapse", 60).text + "%",
        "free": printed("survival", "rfs", 48).text + "%",
        "relapses": "1 relapse" if min(fits) == 1 else f"{min(fits)} relapses",
        "at_risk": spread(fits[min(fits)]),
        "others": listed(f"{spread(n)} with {k}" for k, n in list(fits.items())[1:]),
        "fewest": fewest,
        "risk": f"{rounded(100 * first.low, 1)} to {rounded(100 * first.high, 1)}%",
        "rfs_60": in_percent(rfs_60),
        "longest": printed("followup_max", "rfs").text,
    }
    rows = [
        result("at_risk", "rfs", lower=min(numbers), upper=max(numbers), events=number)
        for number, numbers in fits.items()
    ]
    return Finding(facts, rows)


def cured(printed: Print) -> Finding:
    """What one minus the incidence of relapse counts as cured, and the deep responders' third."""
    relapsed = printed.share("cumulative_incidence", "relapse", 60)
    not_relapsed, free = ONE - relapsed, _late_relapse_free(printed)
    dead = _remission_deaths(printed)[48]
    deep = [printed.count(f"mrd_response_day|{column}") for column in ("long_term", "total")]
    of_cured = Range(dead.low / not_relapsed.high, dead.high / not_relapsed.low)
    middle = 1 - Fraction(printed("cumulative_incidence", "relapse", 60).text) / 100
    facts = {
        "cured": rounded(float(100 * middle), 1) + "%",
        "free_48": printed("survival", "rfs", 48).text + "%",
        "free_60": in_percent(free),
        "dead": in_percent(dead),
        "of_cured": in_percent(of_cured, 0),
        "deep_alive": deep[0],
        "deep": deep[1],
        "deep_share": rounded(100 * deep[0] / deep[1], 1) + "%",
    }
    rows = [
        result("one_minus_incidence", "relapse", 60, estimate=float(middle)) | limits(not_relapsed),
        result("percent", "mrd_response_day|long_term of total", estimate=100 * deep[0] / deep[1],
             n=deep[1]),
    ]  # fmt: skip
    return Finding(facts, rows)


# --- relapse-free at three years -----------------------------------------------------------------


@dataclass(frozen=True)
class Pattern:
    """A course of relapse-free survival from 24 to 36 months that gives the printed numbers."""

    at_risk: int
    lost_before: int
    relapses: int
    deaths: int

    @property
    def free(self) -> int:
        """Without event as far as followed, at most to 36 months."""
        return self.at_risk - self.relapses - self.deaths + self.lost_before


def _patterns(printed: Print) -> list[Pattern]:
    """Every pattern with nobody lost between 24 and 36 months.

    Kaplan-Meier telescopes: with n of N at risk and patients lost when r1, r2, ... were at risk,
    S = n/N * r1/(r1 - 1) * r2/(r2 - 1) * ... The least follow-up lies above the median, so
    nobody was lost while more than half of the patients were at risk.
    """
    everybody = printed.count("response_day")
    survival = [printed.share("survival", "rfs", m) for m in (24, 36)]
    relapse = [printed.share("cumulative_incidence", "relapse", m) for m in (24, 36)]
    rise = relapse[1] - relapse[0]
    most = math.ceil(survival[0].high * everybody) - 1  # survival is never below n/N
    found = []
    for n, events in itertools.product(range(1, most + 1), range(1, most)):
        if events >= n:
            continue
        falls = survival[0] & _scaled(survival[1], 1 - Fraction(events, n))
        for relapses in range(events + 1) if falls.low < falls.high else ():
            allowed = falls & _rises(rise, Fraction(relapses, n))
            if allowed.low < allowed.high:
                lost = _lost_before(everybody, n, allowed)
                found += [Pattern(n, c, relapses, events - relapses) for c in lost]
    return found


def _rises(rise: Range, share: Fraction) -> Range:
    """Survival from which a share of those at risk gives the rise of an incidence."""
    if share:
        return _scaled(rise, share)
    return ONE_OR_LESS if rise.low < 0 < rise.high else NONE


def _scaled(range_: Range, factor: Fraction) -> Range:
    """What must be multiplied by `factor` to lie in the range."""
    return Range(range_.low / factor, range_.high / factor)


def _lost_before(everybody: int, n: int, allowed: Range) -> Iterator[int]:
    """How many can have been lost before n are at risk, for survival to lie in `allowed`."""
    half = everybody // 2
    target = _scaled(allowed, Fraction(n, everybody))
    for lost in range(half - n + 1):
        # Lost last, each weighs most; lost first, least.
        if Fraction(n + lost, n) < target.low:
            continue
        if Fraction(half, half - lost) >= target.high:
            return
        if _reachable(half, n, lost, target):
            yield lost


def _reachable(most: int, n: int, lost: int, target: Range) -> bool:
    """Whether some choice of `lost` different numbers at risk gives a product in the target.

    The numbers lie between n + 1 and `most`. A first choice is dropped where the others cannot
    lead into the target, whichever they are.
    """
    if lost == 0:
        return Fraction(1) in target
    for first in range(most, n + lost - 1, -1):
        rest = _scaled(target, Fraction(first, first - 1))
        least, greatest = Fraction(first - 1, first - lost), Fraction(n + lost - 1, n)
        inside = least < rest.high and greatest >= rest.low
        if inside and _reachable(first - 1, n, lost - 1, rest):
            return True
    return False


def free_of_relapse(printed: Print) -> Finding:
    """Whether the relapse-free survivors of Table 2 can be those free of relapse at 36 months.

    Who has had no event as far as followed, and does not relapse late, is Table 2's total.
    """
    _require_late_first_loss(printed)
    every, late = _patterns(printed), _late_relapses(printed) or {0: []}
    shorter, total = (printed.count(f"relapse_free|{c}") for c in ("shorter", "total"))
    fits = [pattern for pattern in every if pattern.free - total in late]
    if not fits:
        raise NotPrinted("No pattern of relapses fits the printed numbers.")
    table = Table(
        "patterns",
        "Relapse-free survival from 24 to 36 months, if nobody was lost in between.",
        ("Beyond 24", "Lost by then", "Relapses", "Deaths", "Free at 36", "Must relapse later"),
        [_pattern_row(pattern, total) for pattern in every],
        [
            "Free at 36: without relapse or death, as far as followed.",
            f"Must relapse later: until the {total} relapse-free of Table 2 are left.",
        ],
    )
    at_36 = sorted({pattern.free - shorter for pattern in fits})
    facts = {
        "events": listed(sorted({str(p.relapses + p.deaths) for p in fits})),
        "relapses": listed(sorted({str(p.relapses) for p in fits})),
        "at_36": spread(at_36),
        "at_end": total - shorter,
        "printed": printed.count("relapse_free|long_term"),
        "later": spread({p.free - total for p in fits}),
        "lost": shorter,
        "total": total,
    }
    rows = [
        result("at_risk", "rfs", 24, estimate=p.at_risk, n=p.at_risk + p.lost_before,
             events=p.relapses + p.deaths)
        for p in fits
    ]  # fmt: skip
    rows += [result("relapse_free", "long_term", 36, estimate=number) for number in at_36]
    return Finding(facts, rows, table)


def _pattern_row(pattern: Pattern, total: int) -> Row:
    numbers = (pattern.lost_before, pattern.relapses, pattern.deaths, pattern.free)
    return Row(str(pattern.at_risk), (*map(str, numbers), str(pattern.free - total)))


def _require_late_first_loss(printed: Print) -> None:
    least, middle = (printed(q, "rfs").range for q in ("followup_min", "median"))
    if least.low <= middle.high:
        raise NotPrinted("Patients may have been lost before the median.")


# --- the clock of survival after transplant ------------------------------------------------------


LIMITS: dict[str, Callable[[float, float], float]] = {
    "log-log": lambda s, error: s ** math.exp(-Z * error / abs(math.log(s))),
    "log": lambda s, error: s * math.exp(Z * error),
    "plain": lambda s, error: s + Z * s * error,
}


def _highest(kind: str, n: int) -> float:
    """The highest survival whose upper limit can be one half or less.

    `n` patients. Greenwood's sum of d / (r (r - d)) is at least (1 - S) / (n S), which it is when
    nobody has been lost.
    """

    def excess(s: float) -> float:
        return LIMITS[kind](s, math.sqrt((1 - s) / (n * s))) - 0.5

    if excess(0.05) > 0:
        raise NotPrinted("Too few patients for an upper limit of the median.")
    return float(optimize.brentq(excess, 0.05, 0.5))


def transplant_clock(printed: Print) -> Finding:
    """Whether survival after transplant can count from the first dose, or from transplant."""
    alive, n = (printed.count(f"hsct_in_remission|{c}") for c in ("long_term", "total"))
    survival = printed.share("survival", "os_after_hsct", 36)
    upper = printed("median", "os_after_hsct", None, "upper")
    floor = Fraction(alive, n)
    # Below the floor somebody of the last `alive` must have died, which takes a step this large.
    needed = survival.low * Fraction(alive, alive - 1) if survival.high <= floor else survival.low
    needed = max(needed, floor)
    highest = {kind: _highest(kind, n) for kind in LIMITS}
    witness = _witness(n, survival)
    from_dose = upper.range.high > _long_term(printed) or needed <= highest["log-log"]
    lines = [
        Row(kind, (f"{rounded(100 * s, 1)}%", _can(s >= needed), _can(s >= survival.low)))
        for kind, s in highest.items()
    ]
    table = Table(
        "transplant-clock",
        f"Survival at {upper.text} months, if that is the upper limit of the median.",
        ("Type of interval", "At most", "Possible from first dose", "Possible from transplant"),
        lines,
        [f"From first dose survival is then at least {rounded(100 * float(needed), 1)}%, from "
         f"transplant at least {rounded(100 * float(survival.low), 1)}%."],
    )  # fmt: skip
    facts = {
        "alive": alive,
        "n": n,
        "month": f"month {month(_long_term(printed))}",
        "floor": rounded(float(100 * floor), 1) + "%",
        "printed": printed("survival", "os_after_hsct", 36).text + "%",
        "upper": upper.text,
        "needed": rounded(float(100 * needed), 1) + "%",
        "highest": rounded(100 * highest["log-log"], 1) + "%",
        "verdict": "is possible" if from_dose else "is impossible",
        "witness": _witness_words(n, witness),
        "excluded": listed(kind for kind, s in highest.items() if s < survival.low) or "none",
    }
    rows = [
        result(
            "survival",
            "os_after_hsct:from_first_dose",
            _long_term(printed),
            lower=float(needed),
            n=n,
        ),
        *(result("highest_survival", kind, upper=s, n=n) for kind, s in highest.items()),
    ]
    return Finding(facts, rows, table)


def _can(possible: bool) -> str:
    return "yes" if possible else "no"


def _witness(n: int, survival: Range) -> tuple[int, int] | None:
    """One patient lost when r are at risk, then deaths down to m, that give both printed numbers.

    Returns (r, m) with survival m/n * r/(r - 1) in its range and an upper log-log limit of at most
    one half; None where there is none.
    """
    for at_risk, left in itertools.product(range(n, 1, -1), range(n, 0, -1)):
        share = Fraction(left, n) * Fraction(at_risk, at_risk - 1)
        if left >= at_risk or share >= 1:
            continue
        variance = 1 / at_risk - 1 / n + 1 / left - 1 / (at_risk - 1)
        if share in survival and LIMITS["log-log"](float(share), math.sqrt(variance)) <= 0.5:
            return at_risk, left
    return None


def _witness_words(n: int, witness: tuple[int, int] | None) -> str:
    if witness is None:
        return "no course with one patient lost gives both numbers"
    at_risk, left = witness
    deaths = n - 1 - left
    return (
        f"one patient lost when {at_risk} of {n} are at risk, and {deaths} deaths that leave {left}"
    )
