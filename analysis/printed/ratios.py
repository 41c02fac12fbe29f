"""Hazard ratios from the print alone: what their digits allow, and whom their widths imply."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from ..dataset.model import Factor
from ..page.formats import listed, p_value, rounded
from ..page.published import MATCH, OFF
from ..page.quantities import MISSING
from ..page.tables import Row, Table
from ..study.models import SELECTION_LEVEL
from ..survival.curves import Z
from .bounds import Finding, Folded, NotPrinted, Print, Printed, Range, outwards, result
from .curves import deaths_in_all

ENDPOINTS = {"os": "OS", "rfs": "RFS"}
LEVEL = f"{SELECTION_LEVEL:g}".removeprefix("0")
MODELS = {"univariate": "alone", "multivariate": "stepwise model"}
# The paper's own rows: a factor that no table counts, read as if its first side were these.
FIRST_SALVAGE = {
    "one prior relapse": ("prior_relapses=1",),
    "at most one prior relapse": ("prior_relapses=1", "primary_refractory=yes"),
}


@dataclass(frozen=True)
class Ratio:
    """A printed hazard ratio with limits, and what its digits allow (on the log scale).

    `corners` are those of all pairs (log lower limit, log upper limit) whose middle is a possible
    estimate; none where the estimate cannot be the geometric middle of the limits.
    """

    group: str
    model: str
    texts: tuple[str, str, str]
    corners: tuple[tuple[float, float], ...]

    @property
    def symmetric(self) -> bool:
        """Whether the estimate can be the geometric middle of its limits."""
        return bool(self.corners)

    @property
    def error(self) -> tuple[float, float]:
        """Least and largest standard error of the log hazard ratio."""
        widths = [(upper - lower) / (2 * Z) for lower, upper in self.corners]
        return min(widths), max(widths)

    @property
    def beta(self) -> tuple[float, float]:
        """Least and largest log hazard ratio."""
        middles = [(lower + upper) / 2 for lower, upper in self.corners]
        return min(middles), max(middles)

    @property
    def p(self) -> tuple[float, float]:
        """Least and largest two-sided Wald P. Its extremes lie at corners, or at a ratio of 1."""
        scores = [
            (lower + upper) / (upper - lower) if upper > lower else math.copysign(np.inf, lower)
            for lower, upper in self.corners
        ]
        sizes = [Z * abs(score) for score in scores]
        least = 0.0 if min(scores) <= 0 <= max(scores) else min(sizes)
        return float(2 * stats.norm.sf(max(sizes))), float(2 * stats.norm.sf(least))


def _ratios(printed: Print) -> list[Ratio]:
    """Every hazard ratio that is printed with limits, in the order of the print."""
    made = []
    for model in MODELS:
        for group in printed.groups(f"hazard_ratio_{model}"):
            with contextlib.suppress(NotPrinted):
                made.append(_ratio(printed, group, model))
    if not made:
        raise NotPrinted("The print has no hazard ratio.")
    return made


def _ratio(printed: Print, group: str, model: str) -> Ratio:
    quantity = f"hazard_ratio_{model}"
    parts = [printed(quantity, group, None, part) for part in ("estimate", "lower", "upper")]
    return ratio_of(group, model, parts)


def ratio_of(group: str, model: str, parts: Sequence[Printed]) -> Ratio:
    """A ratio from its printed estimate, lower and upper limit.

    Raises NotPrinted where one of them may be 0, which has no logarithm.
    """
    if min(part.range.low for part in parts) <= 0:
        raise NotPrinted("A limit that is printed as 0 has no logarithm.")
    logs = [(math.log(part.range.low), math.log(part.range.high)) for part in parts]
    return Ratio(group, model, tuple(part.text for part in parts), _corners(*logs))


def _corners(
    middle: tuple[float, float], lower: tuple[float, float], upper: tuple[float, float]
) -> tuple[tuple[float, float], ...]:
    """Corners of the rectangle lower x upper, cut to the strip where the mean is in `middle`."""
    found = list(itertools.product(lower, upper))
    for total in (2 * middle[0], 2 * middle[1]):
        found += [(x, total - x) for x in lower] + [(total - y, y) for y in upper]
    slack = 1e-12  # a corner that lies on an edge must not be lost to rounding

    def inside(x: float, y: float) -> bool:
        limits = ((x, lower), (y, upper), ((x + y) / 2, middle))
        return all(low - slack <= value <= high + slack for value, (low, high) in limits)

    return tuple((x, y) for x, y in found if inside(x, y) and y >= x - slack)


def hazard_ratios(printed: Print) -> Finding:
    """Symmetry of each interval, its standard error and P, and what the print calls associated."""
    ratios = _ratios(printed)
    fitting = [ratio for ratio in ratios if ratio.symmetric]
    open_ = [ratio for ratio in fitting if ratio.p[0] < SELECTION_LEVEL <= ratio.p[1]]
    stated = {id(ratio): _stated(printed, ratio) for ratio in fitting}
    against = [r for r in fitting if not _agrees(stated[id(r)], r.p)]
    lines = [_ratio_row(printed, ratio, stated[id(ratio)]) for ratio in fitting]
    columns = ("Factor", "HR (95% CI)", "Standard error", "P", "Called associated or kept")
    every = Table(
        "hazard-ratios-all",
        f"What the intervals of {len(fitting)} hazard ratios allow.",
        columns,
        lines,
        ["Standard error of the log hazard ratio and Wald P: all values that the digits allow."],
        abbreviations=printed.dataset.settings.abbreviations,
    )
    borderline = Table(
        "hazard-ratios-open",
        f"Whose P may lie on either side of {LEVEL}.",
        columns,
        [_ratio_row(printed, ratio, stated[id(ratio)]) for ratio in open_],
        ["P, Wald test."],
        abbreviations=printed.dataset.settings.abbreviations,
    )
    facts = {
        "ratios": len(ratios),
        "symmetric": len(fitting),
        "stated": sum(statement is not None for statement in stated.values()),
        "against": len(against) or "none",
        "settled": len(fitting) - len(open_),
        "open": listed(_factor_label(printed, ratio.group) for ratio in open_) or "none",
        "open_p": listed(_p_span(ratio.p, " to ") for ratio in open_),
        "level": LEVEL,
    }
    rows = [row for ratio in fitting for row in _ratio_results(ratio)]
    return Finding(facts, rows, Folded(borderline if open_ else None, every))


def _ratio_results(ratio: Ratio) -> Iterator[dict]:
    for quantity, (low, high) in (("implied_se", ratio.error), ("implied_p", ratio.p)):
        yield result(f"{quantity}_{ratio.model}", ratio.group, lower=low, upper=high)


def _stated(printed: Print, ratio: Ratio) -> str | None:
    """Whether the print calls it associated; what stands in the stepwise model was kept."""
    quantity = "associated" if ratio.model == "univariate" else "kept"
    return printed.statement(quantity, ratio.group)


def _agrees(statement: str | None, p: tuple[float, float]) -> bool:
    """Whether some P that the digits allow goes with the statement."""
    possible = {"yes": p[0] < SELECTION_LEVEL, "no": p[1] >= SELECTION_LEVEL}
    return statement is None or possible[statement]


def _p_span(p: tuple[float, float], joint: str = "–") -> str:
    return joint.join(dict.fromkeys(p_value(value) for value in p))


def _ratio_row(printed: Print, ratio: Ratio, statement: str | None) -> Row:
    estimate, lower, upper = ratio.texts
    cells = (
        f"{estimate} ({lower}–{upper})",
        outwards(*ratio.error, 3),
        _p_span(ratio.p),
        (statement or MISSING) + ("" if _agrees(statement, ratio.p) else f" {OFF}"),
    )
    suffix = "" if ratio.model == "univariate" else f", {MODELS[ratio.model]}"
    return Row(_factor_label(printed, ratio.group) + suffix, cells)


def _factor_label(printed: Print, group: str) -> str:
    endpoint, _, column = group.partition(":")
    labels = {factor.column: factor.label for factor in printed.dataset.factors}
    return f"{ENDPOINTS.get(endpoint, endpoint)}, {labels.get(column, column)}"


# --- who is in the models ------------------------------------------------------------------------


@dataclass(frozen=True)
class Reading:
    """One way to read a factor's two sides from printed counts."""

    label: str
    ratio: Ratio
    numerator: int
    denominator: int

    @property
    def schoenfeld(self) -> tuple[float, float]:
        """Deaths that give the interval's width if they split as the patients do.

        Var(log HR) is about 1 / (D p (1 - p)) near a ratio of 1 (Schoenfeld 1983).
        """
        n = self.numerator + self.denominator
        spread = self.numerator * self.denominator / n**2
        least, most = self.ratio.error
        return 1 / (most**2 * spread), 1 / (least**2 * spread)

    def split(self, deaths: Range) -> tuple[float, float, float, float] | None:
        """Least and largest share dead, of the numerator and of the denominator; None if neither.

        Var(log HR) is about 1/d1 + 1/d0 with the deaths of the two sides. A split is possible
        where nobody dies twice and the side with the higher hazard has not lost the smaller share.
        A ratio within one standard error of 1 does not tell which side that is.
        """
        least, most = self.ratio.error
        found = []
        totals = np.arange(math.ceil(deaths.low), math.floor(deaths.high) + 1)
        for total, error in itertools.product(totals, np.linspace(least, most, 21)):
            inner = 1 - 4 / (total * error**2)
            if inner < 0:
                continue
            for sign in (-1, 1):
                dead = total * (1 + sign * math.sqrt(inner)) / 2
                shares = (dead / self.numerator, (total - dead) / self.denominator)
                if max(shares) <= 1 and self._goes_with(shares):
                    found.append(shares)
        if not found:
            return None
        first, second = zip(*found, strict=True)
        return min(first), max(first), min(second), max(second)

    def _goes_with(self, shares: tuple[float, float]) -> bool:
        low, high = self.ratio.beta
        error = self.ratio.error[0]
        if high < -error:
            return shares[0] <= shares[1]
        return low <= error or shares[0] >= shares[1]


def model_populations(printed: Print) -> Finding:
    """Deaths and patients that the widths of the intervals imply, for factors of overall survival.

    An approximation: without censoring, and with one hazard ratio throughout.
    """
    deaths = deaths_in_all(printed)
    ratios = {r.group: r for r in _ratios(printed) if r.model == "univariate" and r.symmetric}
    readings = list(_readings(printed, ratios))
    if not readings:
        raise NotPrinted("The print has no factor with counts on both sides.")
    lines, rows, verdicts = [], [], {}
    for reading, left_out in readings:
        range_ = Range(deaths.low - left_out, deaths.high)
        split = reading.split(range_)
        verdicts[reading.label] = split is not None
        lines.append(_reading_row(reading, split))
        low, high = reading.schoenfeld
        n = reading.numerator + reading.denominator
        rows.append(result("implied_events", reading.label, lower=low, upper=high, n=n))
    share = _implied_share(printed, ratios, deaths)
    rows += share["rows"]
    table = Table(
        "populations",
        "Overall survival: which patients can a factor's interval come from?",
        ("Factor and its sides", "Patients", "Deaths, if split alike", "Dead on each side", "Fits"),
        lines,
        [
            "Deaths, if split alike: from Var(log HR) ≈ 1/(D p (1 − p)).",
            "Dead on each side: from Var(log HR) ≈ 1/d₁ + 1/d₀ with "
            f"{deaths.shown(0)} deaths in all, fewer where patients are left out.",
            "A ratio within one standard error of 1 fits whichever side loses more.",
        ],
        abbreviations=printed.dataset.settings.abbreviations,
    )  # fmt: skip
    facts = {
        "deaths": deaths.shown(0),
        "fit": sum(verdicts.values()),
        "readings": len(verdicts),
        "misfits": "; ".join(label for label, fits in verdicts.items() if not fits) or "none",
        **share["facts"],
    }
    return Finding(facts, rows, table)


def _reading_row(reading: Reading, split: tuple[float, float, float, float] | None) -> Row:
    sides = f"{reading.numerator} / {reading.denominator}"
    shares = MISSING
    if split:
        ends = [f"{rounded(100 * split[i], 0)}–{rounded(100 * split[i + 1], 0)}%" for i in (0, 2)]
        shares = " / ".join(ends)
    cells = (sides, outwards(*reading.schoenfeld, 0), shares, MATCH if split else "no")
    return Row(reading.label, cells)


def _readings(printed: Print, ratios: dict[str, Ratio]) -> Iterator[tuple[Reading, int]]:
    """Each binary baseline factor of overall survival, and how many patients it leaves out."""
    n = printed.count("patients")
    for factor in printed.dataset.factors:
        ratio = ratios.get(f"os:{factor.column}")
        if ratio is None or not factor.numerator:
            continue
        sides = _sides(printed, factor)
        if sides is None:
            continue
        out = n - sum(sides)
        label = factor.label + (f", without {out} unknown" if out else "")
        if not _all_printed(printed, factor):
            label += ", one side by subtraction"
        yield Reading(label, ratio, *sides), out
        if out:
            others = f"{factor.label}, the {out} unknown among the others"
            yield Reading(others, ratio, sides[0], sides[1] + out), 0
    yield from _salvage_readings(printed, ratios, n)


def _salvage_readings(
    printed: Print, ratios: dict[str, Ratio], n: int
) -> Iterator[tuple[Reading, int]]:
    """Factors without a printed count, as if their first side were some printed rows."""
    for factor in _uncounted(printed, ratios):
        for name, groups in FIRST_SALVAGE.items():
            with contextlib.suppress(NotPrinted):
                first = sum(printed.count(group) for group in groups)
                label = f"{factor.label}, 1st as {name}"
                yield Reading(label, ratios[f"os:{factor.column}"], first, n - first), 0


def _uncounted(printed: Print, ratios: dict[str, Ratio]) -> list[Factor]:
    """Binary factors with a ratio for overall survival of which no level is printed."""
    return [
        factor
        for factor in printed.dataset.factors
        if f"os:{factor.column}" in ratios
        and factor.numerator
        and not any(printed.has("count", f"{factor.column}={x}") for x in _both(factor))
    ]


def _both(factor: Factor) -> tuple[str, ...]:
    return (*factor.numerator, *factor.denominator)


def _all_printed(printed: Print, factor: Factor) -> bool:
    return all(printed.has("count", f"{factor.column}={level}") for level in _both(factor))


def _sides(printed: Print, factor: Factor) -> tuple[int, int] | None:
    """Patients on each side: printed, or what one printed side leaves of all patients."""
    counts = []
    for levels in (factor.numerator, factor.denominator):
        groups = [f"{factor.column}={level}" for level in levels]
        given = [printed.has("count", group) for group in groups]
        counts.append(sum(map(printed.count, groups)) if all(given) else None)
    if counts == [None, None]:
        return None
    n = printed.count("patients")
    first, second = counts
    return (n - second if first is None else first, n - first if second is None else second)


def _implied_share(printed: Print, ratios: dict[str, Ratio], deaths: Range) -> dict:
    """How many patients the smaller side of an uncounted factor has, after Schoenfeld."""
    found = {"facts": {"uncounted": "none", "smaller": MISSING, "n": MISSING}, "rows": []}
    n = printed.count("patients")
    for factor in _uncounted(printed, ratios):
        least, most = ratios[f"os:{factor.column}"].error
        products = (1 / (deaths.high * most**2), 1 / (deaths.low * least**2))
        low, high = (n * (1 - math.sqrt(max(0, 1 - 4 * x))) / 2 for x in map(float, products))
        found["facts"] = {"uncounted": factor.label, "smaller": outwards(low, high, 0), "n": n}
        row = result("implied_smaller_side", f"os:{factor.column}", lower=low, upper=high, n=n)
        found["rows"].append(row)
    return found


def wider_intervals(printed: Print) -> Finding:
    """By how much the variance of a log hazard ratio grows from alone to the stepwise model."""
    by_key = {(ratio.group, ratio.model): ratio for ratio in _ratios(printed) if ratio.symmetric}
    lines, rows, least = [], [], []
    for (group, model), joint in by_key.items():
        alone = by_key.get((group, "univariate"))
        if model != "multivariate" or alone is None:
            continue
        low = (joint.error[0] / alone.error[1]) ** 2
        high = (joint.error[1] / alone.error[0]) ** 2
        least.append(low)
        lines.append(Row(_factor_label(printed, group), (outwards(low, high, 2),)))
        rows.append(result("variance_ratio", group, lower=low, upper=high))
    if not rows:
        raise NotPrinted("The print has no factor both alone and in a stepwise model.")
    columns = ("Factor", "Variance, times")
    table = Table(
        "wider",
        "Variance in the stepwise model against alone.",
        columns,
        lines,
        abbreviations=printed.dataset.settings.abbreviations,
    )
    facts = {"wider": sum(bool(value > 1) for value in least), "factors": len(least)}
    return Finding(facts, rows, table)
