"""Lesson 9: whether one hazard ratio is true of all months, and what to say if it is not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd

from .. import survival as est
from ..dataset.endpoints import Endpoint, covariate_rows, endpoint
from ..dataset.model import Dataset, Factor, NotRecorded
from ..page.charts import CHOICE, COLOURS, INK, LABEL_SIZE, Choice, Figure, share_axis, with_source
from ..page.formats import counted, equal_to, in_months, interval, p_value, rounded, written
from ..page.prose import Prose, declared, estimate, ruled, sourced, with_interval
from ..page.rows import frame, pick
from ..page.tables import Row, Table
from ..study import conclusions
from ..study.curves import axis_months, last_month
from ..study.models import SELECTION_LEVEL, factors_of
from .charts import DASHES, finished, monthly
from .exercises import Exercise

FIRST, SECOND = "first", "second"  # the sides of a factor, in the order of its label
SPAN = 2 / 3  # of the events, each as near as any other, speak for a month
FARTHEST = 20  # points with a ratio beyond it, or below its inverse, stand at the edge
MOST = 20  # stations of the slider
NAME = 24  # characters of a curve's name that a phone has room for

# Invented, for counting by hand: survival from each month on, until the last.
STEPS = pd.Series({0: 1.0, 4: 0.8, 7: 0.5})
UNTIL = 12
# Invented: deaths and patient-years of two groups, early and late.
RATES = pd.DataFrame(
    {
        "period": ["first year", "later"],
        "deaths_a": [30, 6],
        "years_a": [60, 60],
        "deaths_b": [20, 20],
        "years_b": [80, 100],
    }
)


@dataclass(frozen=True)
class Question:
    """Overall survival by a factor of two sides: its rows, one a patient, and the sides' names.

    `tested` has P of the test of proportional hazards for each column that was looked at.
    """

    os: Endpoint
    factor: Factor
    rows: pd.DataFrame
    names: tuple[str, str]
    tested: pd.Series

    @property
    def key(self) -> str:
        """Its group in the results."""
        return f"{self.os.name}:{self.factor.column}"

    @property
    def time(self) -> np.ndarray:
        """Days to death or censoring."""
        return self.rows["stop"].to_numpy()

    @property
    def died(self) -> np.ndarray:
        """Whether it was death."""
        return self.rows["event"].to_numpy() > 0

    @property
    def first(self) -> np.ndarray:
        """Who is on the first-named side."""
        return self.rows[self.factor.column].to_numpy() > 0

    def curve(self, side: str) -> pd.DataFrame:
        """Kaplan-Meier of one side, in days."""
        there = self.first == (side == FIRST)
        return est.survival_curve(self.time[there], self.died[there])


# --- which factor ------------------------------------------------------------------------------


def candidates(dataset: Dataset) -> list[Factor]:
    """The baseline factors of overall survival with two sides, neither too small to be shown."""
    os, found = endpoint(dataset, "os"), []
    for factor in factors_of(dataset, os):
        if factor.kind == "baseline" and factor.numerator:
            sides = covariate_rows(dataset, os, [factor])[factor.column].value_counts()
            if len(sides) == 2 and sides.min() >= dataset.mask_below:
                found.append(factor)
    return found


def question(dataset: Dataset, column: str = "") -> Question:
    """The factor of a column, or the one whose hazards look least proportional.

    Raises NotRecorded where there is none, and where none can be tested.
    """
    found = candidates(dataset)
    if column:
        found = [factor for factor in found if factor.column == column]
    tested = _tested(dataset, found).dropna()
    if tested.empty:
        which = f"“{column}” is no factor" if column else "this dataset has no baseline factor"
        raise NotRecorded(
            f"Whether hazards stay proportional cannot be shown: {which} whose two sides can be "
            "compared."
        )
    os = endpoint(dataset, "os")
    factor = next(factor for factor in found if factor.column == tested.idxmin())
    return Question(os, factor, covariate_rows(dataset, os, [factor]), names(factor), tested)


def _tested(dataset: Dataset, factors: Sequence[Factor]) -> pd.Series:
    """P of the test of proportional hazards by column, each factor alone."""
    os = endpoint(dataset, "os")
    p = {
        f.column: est.proportional_hazards_test(covariate_rows(dataset, os, [f]), [f.column])["p"][
            f.column
        ]
        for f in factors
    }
    return pd.Series(p, dtype=float)


def names(factor: Factor) -> tuple[str, str]:
    """The names of the two sides, short enough for a chart."""
    sides = [" or ".join(levels) for levels in (factor.numerator, factor.denominator)]
    title = factor.label.partition(" (")[0]
    whole = [f"{title}: {side}" for side in sides]
    if max(map(len, whole)) <= NAME:
        return whole[0], whole[1]
    short = sides[0] if len(sides[0]) <= NAME else "first side"
    return short, sides[1] if len(sides[1]) <= NAME else "others"


# --- what is computed --------------------------------------------------------------------------


def results(dataset: Dataset, asked: Question | None = None) -> pd.DataFrame:
    """One ratio, its test, the ratios early and late, and restricted means at each horizon.

    Raises NotRecorded as `question` does. `p_proportional_univariate` is that of every factor that
    was looked at. `hazard_ratio_until` and `hazard_ratio_after` are the ratios before and after a
    month; `rmst_first`, `rmst_second` and `rmst_difference` the months lived up to it.
    `hazard_ratio_change` is the late ratio divided by the early one, with `p_change`.
    """
    asked = asked or question(dataset)
    return frame(
        [
            *_looked_at(asked),
            *_sides(asked),
            *_one_ratio(asked),
            *_halves(dataset, asked),
            *(row for month in _months(dataset, asked) for row in _horizon(dataset, asked, month)),
        ]
    )


def _looked_at(asked: Question) -> Iterator[dict]:
    for name, p in asked.tested.items():
        yield {"quantity": "p_proportional_univariate", "group": f"os:{name}", "estimate": p}
    yield {"quantity": "factors_tested", "group": "os", "estimate": len(asked.tested)}


def _sides(asked: Question) -> Iterator[dict]:
    for side, there in ((FIRST, asked.first), (SECOND, ~asked.first)):
        common = {"group": side, "n": len(there), "events": int(asked.died[there].sum())}
        yield {"quantity": "count", "estimate": int(there.sum()), **common}


def _fitted(asked: Question, rows: pd.DataFrame, quantity: str, month: float | None) -> dict:
    """The ratio of some rows; missing where they give none."""
    fit = est.cox(rows, [asked.factor.column])
    line = fit.summary().iloc[0]
    found = {"estimate": line["hazard_ratio"], "lower": line["lower"], "upper": line["upper"]}
    common = {"group": asked.key, "months": month, "n": fit.n, "events": fit.events}
    more = {"p": line["p"], **fit.estimates.iloc[0][["beta", "se"]]}
    return {"quantity": f"hazard_ratio_{quantity}", **found, **common, **more}


def _one_ratio(asked: Question) -> Iterator[dict]:
    row = _fitted(asked, asked.rows, "univariate", None)
    yield row
    common = {"group": asked.key, "n": row["n"], "events": row["events"]}
    yield {"quantity": "p_univariate", "estimate": row["p"], **common}


def _halves(dataset: Dataset, asked: Question) -> Iterator[dict]:
    split = split_day(asked)
    whole = {"n": len(asked.time), "events": int(asked.died.sum())}
    yield {"quantity": "split", "group": asked.key, "estimate": dataset.months(split), **whole}
    logs = []
    for side, rows in zip(("early", "late"), est.stretches(asked.rows, split), strict=True):
        row = _fitted(asked, rows, side, None)
        yield row
        common = {"group": asked.key, "n": row["n"], "events": row["events"]}
        yield {"quantity": f"p_{side}", "estimate": row["p"], **common}
        logs.append((row["beta"], row["se"]))
    # The likelihood is a product of both stretches', so that the two estimates are independent.
    change = est.difference(logs[1], logs[0])
    limits = np.exp([change.estimate, change.lower, change.upper])
    found = dict(zip(("estimate", "lower", "upper"), limits, strict=True))
    yield {"quantity": "hazard_ratio_change", "group": asked.key, **found, **whole}
    yield {"quantity": "p_change", "group": asked.key, "estimate": change.p, **whole}


def followed(dataset: Dataset, asked: Question) -> float:
    """The month to which both sides are followed."""
    return min(last_month(dataset, asked.time[there]) for there in (asked.first, ~asked.first))


def stations(dataset: Dataset, asked: Question) -> list[int]:
    """The horizons of the slider: even steps of whole months, within the follow-up of both."""
    longest = max(1, math.floor(followed(dataset, asked)))
    even = (1, 2, 3, 4, 6, 12, 24)
    step = next((s for s in even if longest / s <= MOST), math.ceil(longest / MOST))
    return list(range(step, longest + 1, step)) or [longest]


def _months(dataset: Dataset, asked: Question) -> list[float]:
    return sorted({*map(float, stations(dataset, asked)), *map(float, landmarks(dataset, asked))})


def landmarks(dataset: Dataset, asked: Question) -> list[float]:
    """The landmarks to which both sides are followed, or else the last whole month of both."""
    months = dataset.settings.months
    within = [month for month in months if month <= followed(dataset, asked)]
    return within or [float(stations(dataset, asked)[-1])]


def _horizon(dataset: Dataset, asked: Question, month: float) -> Iterator[dict]:
    """Restricted means up to a month, and the ratios before and after it."""
    day = dataset.days(month)
    by_then = asked.died & ~est.beyond(asked.time, day)
    for side, there in ((FIRST, asked.first), (SECOND, ~asked.first)):
        mean, error = est.restricted_mean(asked.curve(side), day)
        limits = _in_months(dataset, mean, mean - est.Z * error, mean + est.Z * error)
        seen = {"n": int(there.sum()), "events": int(by_then[there].sum())}
        yield {"quantity": f"rmst_{side}", "group": asked.key, "months": month, **limits, **seen}
    found = est.restricted_mean_difference(asked.time, asked.died, asked.first, day)
    common = {"group": asked.key, "months": month, "n": len(by_then), "events": by_then.sum()}
    limits = _in_months(dataset, found.estimate, found.lower, found.upper)
    yield {"quantity": "rmst_difference", **limits, **common}
    yield {"quantity": "p_rmst", "estimate": found.p, **common}
    early, late = est.stretches(asked.rows, day)
    yield _fitted(asked, early, "until", month)
    if len(late):
        yield _fitted(asked, late, "after", month)


def _in_months(dataset: Dataset, *days: float) -> dict:
    return dict(zip(("estimate", "lower", "upper"), map(dataset.months, days), strict=True))


def smooth(
    time: np.ndarray, value: np.ndarray, at: np.ndarray, span: float = SPAN
) -> tuple[np.ndarray, np.ndarray]:
    """A local line through points, with tricube weights of the nearest (Cleveland 1979).

    Returns the fit at each of `at`, and the root of the sum of its squared weights: a fit's
    standard error is that times the standard deviation of a point.
    """
    fits, norms = [], []
    nearest = min(len(time), max(2, math.ceil(span * len(time))))
    for place in at:
        distance = np.abs(time - place)
        reach = np.sort(distance)[nearest - 1] or 1.0
        weight = np.clip(1 - np.minimum(distance / (reach * (1 + 1e-9)), 1) ** 3, 0, None) ** 3
        centre = (weight * time).sum() / weight.sum()
        spread = (weight * (time - centre) ** 2).sum()
        slope = (place - centre) * (time - centre) / spread if spread > 0 else 0.0
        row = weight * (1 / weight.sum() + slope)
        fits.append(row @ value)
        norms.append(np.sqrt(row @ row))
    return np.array(fits), np.array(norms)


def course(dataset: Dataset, asked: Question) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What the deaths say of the ratio: `month` and `ratio` of each, and the smooth by month.

    The smooth has its 95% limits, for a ratio that is the same throughout: each residual then has
    the variance of the model's log ratio times the number of deaths (Grambsch & Therneau 1994).
    """
    residuals = est.schoenfeld(asked.rows, [asked.factor.column])[asked.factor.column]
    month = np.array([dataset.months(day) for day in residuals.index])
    error = est.cox(asked.rows, [asked.factor.column]).estimates["se"].iloc[0]
    whole = np.arange(math.ceil(month.min()), math.floor(month.max()) + 1)
    if not len(whole):  # all deaths within one month
        whole = np.array([math.floor(month.min()), math.ceil(month.max())])
    # Deaths are early, so months would leave the end to a few: the smooth goes by their order.
    order = np.arange(1, len(month) + 1)
    place = np.interp(whole, month, order)
    fit, norm = smooth(order, residuals.to_numpy(), place)
    wide = est.Z * norm * error * math.sqrt(len(month))
    line = pd.DataFrame({"month": whole, "ratio": np.exp(fit), "lower": np.exp(fit - wide),
                         "upper": np.exp(fit + wide)})  # fmt: skip
    return pd.DataFrame({"month": month, "ratio": np.exp(residuals.to_numpy())}), line


# --- what is shown -----------------------------------------------------------------------------


def told_factor(dataset: Dataset, asked: Question, results: pd.DataFrame) -> Prose:
    """Which factor it is, of how many, and why its P is no test any more."""
    tested = pick(results, "factors_tested", "os")
    p = pick(results, "p_proportional_univariate", asked.key)
    first, second = (pick(results, "count", side) for side in (FIRST, SECOND))
    values = {
        "label": asked.factor.label,
        "first": sourced(counted(first["estimate"]), first),
        "second": sourced(counted(second["estimate"]), second),
        "p": sourced(equal_to(p["estimate"]), p),
        "k": sourced(int(tested["estimate"]), tested),
    }
    whole = "The factor is “{label}”, with {first} patients on its first-named side and {second} "
    whole += (
        "on the other. The test of Grambsch and Therneau for one ratio throughout gives P {p}. "
    )
    if len(asked.tested) < 2:
        return Prose(whole + "No other factor was looked at.", **values)
    chance = 1 - (1 - SELECTION_LEVEL) ** len(asked.tested)
    return Prose(
        whole + "It was picked for teaching, as the least P of {k} factors. So it is no test any "
        "more: were all {k} proportional, and independent, the least P would still be below "
        "{level} in {chance}% of such datasets." + _invented(dataset),
        **values,
        level=ruled(f"{SELECTION_LEVEL:g}".removeprefix("0"), "the level of P"),
        chance=sourced(rounded(100 * chance, 0), tested),
    )


def _invented(dataset: Dataset) -> str:
    return " And these records are invented." if dataset.settings.synthetic else ""


def residuals_figure(dataset: Dataset, asked: Question, results: pd.DataFrame, name: str) -> Figure:
    """The ratio over time, as the deaths tell it, beside the one ratio of the model."""
    points, line = course(dataset, asked)
    one = pick(results, "hazard_ratio_univariate", asked.key)
    by_patient = dataset.public and not dataset.mask_below
    ends = [line["ratio"].iloc[0], line["ratio"].iloc[-1]]
    caption = (
        f"Hazard ratio of “{asked.factor.label}” over time. The line is a smooth of what each "
        "death says, with a 95% band. In dashes, the one ratio of the Cox model. "
        + ("Each dot is a death; those beyond the scale stand at its edge." if by_patient else "")
    ).strip()
    alt_text = (
        f"Hazard ratio by month. The smooth goes from {rounded(ends[0], 2)} to "
        f"{rounded(ends[1], 2)}; the one ratio is {written(one)}."
    )
    chart = _course_chart(
        dataset, asked, points if by_patient else points.head(0), line, one["estimate"]
    )
    return Figure(name, chart, alt_text, with_source(dataset, caption))


def _course_chart(
    dataset: Dataset, asked: Question, points: pd.DataFrame, line: pd.DataFrame, one: float
) -> alt.LayerChart:
    ticks = axis_months(dataset, asked.os)
    scale = alt.Scale(type="log", domain=[1 / FARTHEST, FARTHEST], nice=False)
    x = alt.X("month:Q", title=f"Months since {asked.os.origin}",
              scale=alt.Scale(domain=[0, ticks[-1]], nice=False),
              axis=alt.Axis(values=ticks, grid=False, format="d"))  # fmt: skip
    y = alt.Y("ratio:Q", title="Hazard ratio", scale=scale,
              axis=alt.Axis(values=[0.05, 0.1, 0.25, 0.5, 1, 2, 4, 10, 20], format="~g",
                            domain=False, ticks=False))  # fmt: skip
    inside = points.assign(ratio=points["ratio"].clip(1 / FARTHEST, FARTHEST)).round(2)
    line = line.assign(**{c: line[c].clip(1 / FARTHEST, FARTHEST) for c in ("lower", "upper")})
    curve = alt.Chart(line.round(3)).encode(x=x)
    level = alt.Chart(pd.DataFrame({"ratio": [one]}).round(3)).encode(y=y)
    layers = [
        alt.Chart(inside).mark_point(size=22, opacity=0.45, color=INK).encode(x=x, y=y),
        curve.mark_area(opacity=0.2, color=COLOURS[0], clip=True).encode(y=alt.Y("lower:Q"),
                                                                         y2="upper:Q"),
        curve.mark_line(strokeWidth=2.5, color=COLOURS[0], clip=True).encode(y=y),
        level.mark_rule(strokeWidth=2, strokeDash=DASHES[1], color=COLOURS[1]),
        level.mark_text(align="right", dy=-9, color=COLOURS[1], fontSize=LABEL_SIZE,
                        fontWeight="bold").encode(x=alt.value(alt.ExprRef("width - 4")),
                                                  text=alt.value("one ratio")),
    ]  # fmt: skip
    return finished(layers)


def horizon_figure(dataset: Dataset, asked: Question, results: pd.DataFrame, name: str) -> Figure:
    """Both curves, and the area between them up to the month that the reader chooses."""
    months = stations(dataset, asked)
    start = min(range(len(months)), key=lambda i: abs(months[i] - landmarks(dataset, asked)[0]))
    curves = [monthly(dataset, asked.curve(side)).set_index("month")["estimate"]
              for side in (FIRST, SECOND)]  # fmt: skip
    both = pd.concat(curves, axis=1, keys=[FIRST, SECOND]).ffill().reset_index()
    answers = [_answer(asked, results, month) for month in months]
    first, second = asked.names
    caption = (
        f"Overall survival: {first} and {second}. The shaded area up to the chosen month is the "
        "difference of the mean months lived until then. Where the curves have crossed, the areas "
        "on both sides count against each other."
    )
    alt_text = f"Two survival curves, {first} and {second}. {answers[start]}"
    choice = Choice("Up to", [in_months(month) for month in months], answers, start)
    chart = _area_chart(dataset, asked, curves, both, months, start)
    return Figure(name, chart, alt_text, with_source(dataset, caption), choice=choice)


def _area_chart(
    dataset: Dataset,
    asked: Question,
    curves: Sequence[pd.Series],
    both: pd.DataFrame,
    months: Sequence[int],
    start: int,
) -> alt.LayerChart:
    ticks = axis_months(dataset, asked.os)
    series = list(asked.names)
    steps = pd.concat([c.reset_index().assign(series=n) for c, n in zip(curves, series,
                                                                        strict=True)])  # fmt: skip
    marks = pd.DataFrame({"month": months, "choice": range(len(months))})
    x = alt.X("month:Q", title=f"Months since {asked.os.origin}",
              scale=alt.Scale(domain=[0, ticks[-1]], nice=False),
              axis=alt.Axis(values=ticks, grid=False, format="d", labelFlush=False))  # fmt: skip
    y = share_axis()
    colour = alt.Color("series:N", legend=None,
                       scale=alt.Scale(domain=series, range=list(COLOURS)))  # fmt: skip
    dash = alt.StrokeDash("series:N", legend=None,
                          scale=alt.Scale(domain=series, range=list(DASHES)))  # fmt: skip
    labels = pd.DataFrame({"series": series, "top": [6, 24]})
    step = months[0] if len(months) == 1 else months[1] - months[0]
    layers = [
        alt.Chart(both)
        .transform_filter(f"datum.month <= ({CHOICE} + 1) * {step}")
        .mark_area(interpolate="step-after", opacity=0.25, color=INK)
        .encode(x=x, y=alt.Y(f"{FIRST}:Q"), y2=f"{SECOND}:Q"),
        alt.Chart(steps)
        .mark_line(interpolate="step-after", strokeWidth=2, clip=True)
        .encode(x=x, y=y, color=colour, strokeDash=dash),
        alt.Chart(marks)
        .transform_filter(f"datum.choice == {CHOICE}")
        .mark_rule(strokeDash=[2, 3], opacity=0.8, color=INK)
        .encode(x=x),
        alt.Chart(labels)
        .mark_text(align="right", fontSize=LABEL_SIZE, fontWeight="bold")
        .encode(
            x=alt.value(alt.ExprRef("width - 34")),
            y=alt.Y("top:Q", scale=None, axis=None),
            text="series:N",
            color=colour,
        ),
        alt.Chart(labels)
        .mark_rule(strokeWidth=2)
        .encode(
            x=alt.value(alt.ExprRef("width - 28")),
            x2=alt.value(alt.ExprRef("width")),
            y=alt.Y("top:Q", scale=None, axis=None),
            color=colour,
            strokeDash=dash,
        ),
    ]
    return finished(layers, start)


def _answer(asked: Question, results: pd.DataFrame, month: float) -> Prose:
    """The months lived on both sides up to a month, and the ratios before and after it."""
    key = asked.key
    until = pick(results, "hazard_ratio_until", key, month)
    values = {
        "month": sourced(in_months(month), until),
        "first": estimate(results, "rmst_first", key, month),
        "second": estimate(results, "rmst_second", key, month),
        "name_1": asked.names[0],
        "name_2": asked.names[1],
        "difference": with_interval(results, "rmst_difference", key, month),
        "until": _ratio(until),
    }
    words = (
        "Lived on average up to {month}: {first} ({name_1}) and {second} ({name_2}). Difference: "
        "{difference}. Hazard ratio up to there: {until}"
    )
    after = results[(results["quantity"] == "hazard_ratio_after") & (results["months"] == month)]
    if len(after):
        return Prose(words + "; after it: {after}.", **values, after=_ratio(after.iloc[0]))
    return Prose(words + ".", **values)


def _ratio(row: pd.Series) -> Prose:
    if pd.isna(row["estimate"]):
        return sourced("none can be estimated", row)
    return sourced(f"{written(row)} ({interval(row)})", row)


def ways_table(dataset: Dataset, asked: Question, results: pd.DataFrame, name: str) -> Table:
    """One ratio beside two, and beside differences in months, on the same patients."""
    key = asked.key

    def line(words: str, quantity: str, p: str, month: float | None = None) -> Row:
        row, chance = pick(results, quantity, key, month), pick(results, p, key, month)
        value = "not estimable"
        if pd.notna(row["estimate"]):
            value = f"{written(row)} ({interval(row)})"
        return Row(words, [value, p_value(chance["estimate"])], level=1)

    split = pick(results, "split", key)["estimate"]
    when = "" if pd.isna(split) else f", month {rounded(split, 1)}"
    rows = [
        Row("One hazard ratio for all months"),
        line("Whole follow-up", "hazard_ratio_univariate", "p_univariate"),
        Row("Two hazard ratios"),
        line(f"First half of the deaths{when}", "hazard_ratio_early", "p_early"),
        line("Second half", "hazard_ratio_late", "p_late"),
        line("Second half divided by first", "hazard_ratio_change", "p_change"),
        Row("Difference in months lived"),
        *(
            line(f"Up to {in_months(month)}", "rmst_difference", "p_rmst", month)
            for month in landmarks(dataset, asked)
        ),
    ]
    return Table(
        name,
        f"{asked.factor.label}: the same deaths, told in three ways.",
        ["Way", "Estimate (95% CI)", "P"],
        rows,
        ["P for a ratio of 1, or for no difference. A difference above 0: the first-named side "
         "lived longer."],
        abbreviations=dataset.settings.abbreviations,
    )  # fmt: skip


def told(dataset: Dataset, asked: Question, results: pd.DataFrame) -> Prose:
    """What the one ratio hides, or does not, in this dataset."""
    key, month = asked.key, landmarks(dataset, asked)[-1]
    one, early, late = (
        pick(results, f"hazard_ratio_{kind}", key) for kind in ("univariate", "early", "late")
    )
    difference = pick(results, "rmst_difference", key, month)
    change, p = (pick(results, quantity, key) for quantity in ("hazard_ratio_change", "p_change"))
    values = {
        "change": _ratio(change),
        "p": sourced(equal_to(p["estimate"]), p),
        "one": _ratio(one),
        "early": _ratio(early),
        "late": _ratio(late),
        "month": declared(in_months(month), "months"),
        "difference": with_interval(results, "rmst_difference", key, month),
    }
    end = " The difference in time lived up to {month} is {difference}"
    open_ = conclusions.against(difference, 0) in ("open", "unknown")
    end += ", which leaves open which side lived longer." if open_ else "."
    verdict = conclusions.two_ratios(early, late, p["estimate"])
    picked = verdict in ("changed", "opposite") and len(asked.tested) > 1
    chosen = " The factor was picked for such a change, so this P is too small." if picked else ""
    return Prose(_two_ratios(verdict) + chosen + end, **values)


def _two_ratios(verdict: str) -> str:
    """How an early and a late ratio go together."""
    halves = "{early} in the first half of the deaths, {late} in the second. "
    change = "The late ratio is {change} times the early one, P {p}"
    return {
        "unknown": "One ratio is {one}. Early and late ones cannot be compared here.",
        "opposite": "One ratio, {one}, stands for two that point opposite ways: " + halves + change
        + ", and each interval lies on its own side of 1.",
        "changed": "One ratio, {one}, stands for two that differ: " + halves + change + ".",
        "not_told_apart": "One ratio is {one}; apart they are " + halves + change + ". So these "
        "deaths do not tell the two apart, which does not show that they are the same.",
    }[verdict]  # fmt: skip


# --- exercises ---------------------------------------------------------------------------------


def exercise_1(dataset: Dataset) -> Exercise:
    """The restricted mean of an invented curve, as rectangles."""
    ends = [*STEPS.index[1:], UNTIL]
    widths = np.array(ends) - STEPS.index.to_numpy()
    area = float(STEPS.to_numpy() @ widths)
    after = np.append(STEPS.to_numpy()[1:], STEPS.iloc[-1])
    return Exercise(
        area,
        "The area is 4 × 1 + 3 × 0.8 + 5 × 0.5.",
        [
            (UNTIL - area, "That is the area above the curve: the months lost."),
            (float(after @ widths), "Each level holds from its own step up to the next one, and "
             "the first is 1."),
            (7, "That is the median. The mean is the area under the curve."),
            (float(STEPS.to_numpy()[:-1] @ widths[:-1]), "You stopped at the last step. The curve "
             "goes on at its level to month 12."),
        ],
        decimals=1,
    )  # fmt: skip


def exercise_2(dataset: Dataset) -> Exercise:
    """Rate ratios of two periods, and over both."""
    early, late = (_rate_ratio(RATES.iloc[[place]]) for place in (0, 1))
    both = _rate_ratio(RATES)
    return Exercise(
        (early, late, both),
        "A dies twice as fast in the first year and half as fast later. Over both it is neither.",
        [
            ((early, late, (early + late) / 2), "Over both periods, add up deaths and years first. "
             "The mean of two ratios is not the ratio of all."),
            ((1 / early, 1 / late, 1 / both), "You divided B by A."),
            ((30 / 20, 6 / 20, 36 / 40), "Those are ratios of deaths. Divide each by the years in "
             "which they happened."),
        ],
        decimals=2,
    )  # fmt: skip


def _rate_ratio(rows: pd.DataFrame) -> float:
    total = rows.drop(columns="period").sum()
    return float((total["deaths_a"] / total["years_a"]) / (total["deaths_b"] / total["years_b"]))


def exercise_3(dataset: Dataset, asked: Question | None = None) -> Exercise:
    """The difference of the restricted means at the first landmark, in months."""
    asked = asked or question(dataset)
    day = dataset.days(landmarks(dataset, asked)[0])
    found = est.restricted_mean_difference(asked.time, asked.died, asked.first, day).estimate
    short = np.minimum(asked.time, day)
    plain = short[asked.first].mean() - short[~asked.first].mean()
    right = dataset.months(found)
    return Exercise(
        right,
        "The areas under the two curves up to the day, first-named side less the other.",
        [
            (-right, "You took the first-named side from the other."),
            (found, "Those are days. Divide by the days of a month."),
            (dataset.months(plain), "You counted who left before the day as if they had died then. "
             "The area under the curve does not."),
        ],
        decimals=2,
    )  # fmt: skip


def exercise_4(dataset: Dataset, asked: Question | None = None) -> Exercise:
    """In which half the ratio of the rates is the larger."""
    asked = asked or question(dataset)
    word = rate_ratios(patients(asked), split_day(asked)).idxmax()
    other = "late" if word == "early" else "early"
    return Exercise(
        word,
        "Deaths by days lived, of the first-named side over the other, are more there.",
        [(other, "Count for each half only the deaths in it, and only the days lived in it.")],
    )


def patients(asked: Question) -> pd.DataFrame:
    """`days`, whether the patient `died`, and whether they are on the `first` side."""
    return pd.DataFrame({"days": asked.time, "died": asked.died, "first": asked.first})


def split_day(asked: Question) -> float:
    """The day by which half of the deaths had happened."""
    return est.early_and_late(asked.rows, asked.factor.column)[0]


def rate_ratios(patients: pd.DataFrame, split: float) -> pd.Series:
    """Deaths by days lived, first side over second: `early`, up to the split, and `late`."""
    rates = {}
    for half, begin, end in (("early", 0.0, split), ("late", split, np.inf)):
        lived = (patients["days"].clip(upper=end) - begin).clip(lower=0)
        inside = (patients["days"] <= split) == (half == "early")
        deaths = (patients["died"] & inside).groupby(patients["first"]).sum()
        rates[half] = deaths / lived.groupby(patients["first"]).sum()
    found = pd.DataFrame(rates)
    return found.loc[True] / found.loc[False]
