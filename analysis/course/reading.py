"""Lesson 10: what a reader can check in print with a pencil, and what no arithmetic answers."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import altair as alt
import numpy as np
import pandas as pd
from scipy import stats

from .. import survival as est
from ..dataset.endpoints import covariate_rows, endpoint
from ..dataset.model import Dataset, NotRecorded
from ..page.charts import CHOICE, COLOURS, INK, LABEL_SIZE, Choice, Figure
from ..page.formats import counted, in_patients, interval, p_value, rounded, shown
from ..page.masking import masked
from ..page.prose import Prose, sourced, with_interval
from ..page.published import MATCH
from ..page.quantities import MASKED
from ..page.rows import frame, pick
from ..page.tables import Row, Table
from ..printed.bounds import NotPrinted, Print, Printed, Range, outwards, spread
from ..printed.consistency import findings, percentage
from ..printed.ratios import Ratio, ratio_of
from ..study.characteristics import characteristics_results
from ..study.curves import told_months, values_at
from ..study.models import factor_labels, factors_of
from .charts import finished
from .exercises import Exercise

DECIMALS = {"percent": 1, "hazard_ratio": 2}  # as most papers print them
AROUND = 50  # the slider goes this many patients up and down
NEARBY = 4  # counts to each side that the chart shows
FEW = 1000  # with more patients nearly every percentage is possible
SHOWN = 7  # lines of a table, unless more contradict themselves
HALF = 0.5
# Where nothing is printed and no characteristic described.
INVENTED = (
    ("Responded", "41", "120", "34.2"),
    ("Women", "58", "120", "48.3"),
    ("Second line or later", "23", "120", "19.2"),
)
INVENTED_RATIO = ("Women against men", "0.75", "0.58", "0.97")


@dataclass(frozen=True)
class Line:
    """A printed line such as `146 of 259 (56.2)`: its percentage as text, its count, its whole."""

    label: str
    group: str
    percent: Printed
    count: int
    n: int

    @property
    def patients(self) -> Range:
        """The patients that the printed digits allow, as if they could be parts of one."""
        return self.percent.range.times(Fraction(self.n, 100))

    @property
    def possible(self) -> range:
        """The counts that would be printed so."""
        return counts(self.percent, self.n)

    @property
    def holds(self) -> bool:
        """Whether the printed count is one of them."""
        return self.count in self.possible


def counts(percent: Printed, n: int) -> range:
    """The whole numbers of `n` patients that round to a printed percentage; halves go up."""
    share = percent.range.times(Fraction(n, 100))
    return range(max(0, math.ceil(share.low)), min(n + 1, math.ceil(share.high)))


# --- what is computed --------------------------------------------------------------------------


def results(dataset: Dataset) -> pd.DataFrame:
    """The lines and ratios that are checked, the sums, the curve, and the slider's counts.

    `count` and `percent` are as printed, or as a paper would print the dataset's own. `lines` are
    how many there are, `lines_exact` how many give whole patients if their digits are exact,
    `lines_hold` how many hold within rounding. `hazard_ratio_printed` is as printed,
    `p_from_interval` the P of its digits, with the least and the largest that rounding allows.
    `counts_possible` says for a number of patients how many counts give the slider's percentage,
    with the least and the largest of them, or where there is none, the two next to it.
    """
    every = _lines(dataset)
    return frame(
        [
            *(row for line in every for row in _line_rows(line)),
            *_tally(every),
            *_sum_rows(_visible(dataset)),
            *(row for ratio in _ratios(dataset) for row in _ratio_rows(ratio)),
            *_curve_rows(dataset),
            *_slider_rows(example(_visible(dataset))),
        ]
    )


def _visible(dataset: Dataset) -> list[Line]:
    """The lines whose counts are not masked."""
    rows = frame(row for line in _lines(dataset) for row in _line_rows(line))
    return lines(dataset, masked(dataset, rows))


def _line_rows(line: Line) -> Iterator[dict]:
    common = {"group": line.group, "n": line.n}
    yield {"quantity": "count", "estimate": line.count, **common}
    yield {"quantity": "percent", "estimate": float(line.percent.text), **common}


def _tally(every: Sequence[Line]) -> Iterator[dict]:
    exact = sum((Fraction(line.percent.text) * line.n) % 100 == 0 for line in every)
    hold = sum(line.holds for line in every)
    numbers = {"lines": len(every), "lines_exact": exact, "lines_hold": hold}
    for quantity, number in numbers.items():
        yield {"quantity": quantity, "group": "percent", "estimate": number}


def _lines(dataset: Dataset) -> list[Line]:
    """The printed percentages with their counts; else the dataset's own; else invented ones."""
    return _printed_lines(dataset) or _own_lines(dataset) or _invented_lines()


def _printed_lines(dataset: Dataset) -> list[Line]:
    printed, made = Print(dataset), []
    for group in printed.groups("percent"):
        with contextlib.suppress(NotPrinted):
            found = percentage(printed, group)
            percent = printed("percent", group)
            made.append(Line(found["label"], group, percent, found["count"], found["n"]))
    return made


def _own_lines(dataset: Dataset) -> list[Line]:
    """The baseline characteristics as a paper would print them."""
    try:
        everybody = pd.Series(True, index=dataset.patients.index)
        table = characteristics_results(dataset, ["baseline"], {"": everybody})
    except NotRecorded:
        return []
    labels = {entry.column: entry.label for entry in dataset.characteristics}
    made = []
    for row in table[table["quantity"] == "percent"].dropna(subset="estimate").itertuples():
        column, _, level = row.group.partition("=")
        label = f"{labels[column]}, {level or 'not recorded'}"
        text = rounded(row.estimate, DECIMALS["percent"])
        count = int(pick(table, "count", row.group)["estimate"])
        made.append(Line(label, row.group, Printed(text), count, int(row.n)))
    return made


def _invented_lines() -> list[Line]:
    return [
        Line(label, f"invented: {label.lower()}", Printed(percent), int(count), int(n))
        for label, count, n, percent in INVENTED
    ]


def lines(dataset: Dataset, results: pd.DataFrame) -> list[Line]:
    """The lines of which the results show the count, in their order."""
    known = results[(results["quantity"] == "count") & results["estimate"].notna()]
    return [line for line in _lines(dataset) if line.group in set(known["group"])]


def example(lines: Sequence[Line]) -> Line:
    """The line of the slider: the first that no count gives, else the first of few patients."""
    wrong = (line for line in lines if not line.possible)
    few = (line for line in lines if line.n <= FEW and 0 < line.count < line.n)
    return next(wrong, None) or next(few, None) or _invented_lines()[0]


def parts(lines: Sequence[Line]) -> list[Line]:
    """The levels of the characteristic that has most of them, if its counts make the whole."""
    by_name: dict[str, list[Line]] = {}
    for line in lines:
        name, equals, _ = line.group.partition("=")
        if equals and "|" not in line.group:
            by_name.setdefault(name, []).append(line)
    whole = [part for part in by_name.values() if sum(x.count for x in part) == part[0].n]
    return max(whole, key=len, default=[])


def _sum_rows(every: Sequence[Line]) -> Iterator[dict]:
    part = parts(every)
    if len(part) < 2:
        return
    total = sum(Fraction(line.percent.text) for line in part)
    slack = sum(line.percent.range.high - Fraction(line.percent.text) for line in part)
    limits = {"lower": float(total - slack), "upper": float(total + slack)}
    name = part[0].group.partition("=")[0]
    yield {"quantity": "percent_sum", "group": name, "estimate": float(total), **limits}


@dataclass(frozen=True)
class _Named:
    """A ratio with its name, and of how many patients and events it is, where that is known."""

    label: str
    ratio: Ratio
    n: float = math.nan
    events: float = math.nan

    @property
    def face(self) -> float:
        """P if every printed digit were exact: z on the log scale."""
        middle, lower, upper = (math.log(float(text)) for text in self.ratio.texts)
        error = (upper - lower) / (2 * est.Z)
        return float(2 * stats.norm.sf(abs(middle) / error)) if error > 0 else math.nan

    @property
    def product(self) -> float:
        """The geometric middle of the limits."""
        return math.sqrt(float(self.ratio.texts[1]) * float(self.ratio.texts[2]))


def _ratios(dataset: Dataset) -> list[_Named]:
    """The hazard ratios for death as printed, else the dataset's own, else an invented one."""
    return (
        _printed_ratios(dataset)
        or _own_ratios(dataset)
        or [_Named(INVENTED_RATIO[0], _ratio("invented", INVENTED_RATIO[1:]))]
    )


def _ratio(group: str, texts: Sequence[str]) -> Ratio:
    return ratio_of(group, "univariate", [Printed(text) for text in texts])


def _printed_ratios(dataset: Dataset) -> list[_Named]:
    printed, made = Print(dataset), []
    labels = factor_labels(dataset, endpoint(dataset, "os"))
    for group, label in labels.items():
        with contextlib.suppress(NotPrinted):
            found = [
                printed("hazard_ratio_univariate", group, None, part)
                for part in ("estimate", "lower", "upper")
            ]
            made.append(_Named(label, ratio_of(group, "univariate", found)))
    return made


def _own_ratios(dataset: Dataset) -> list[_Named]:
    """Each baseline factor alone, rounded as a paper would."""
    question, made = endpoint(dataset, "os"), []
    for factor in factors_of(dataset, question):
        if factor.kind != "baseline":
            continue
        fit = est.cox(covariate_rows(dataset, question, [factor]), [factor.column])
        if fit.estimable:
            line = fit.summary().iloc[0][["hazard_ratio", "lower", "upper"]]
            texts = [rounded(value, DECIMALS["hazard_ratio"]) for value in line]
            with contextlib.suppress(NotPrinted):
                ratio = _ratio(f"os:{factor.column}", texts)
                made.append(_Named(factor.label, ratio, fit.n, fit.events))
    return made


def _ratio_rows(named: _Named) -> Iterator[dict]:
    numbers = dict(zip(("estimate", "lower", "upper"), map(float, named.ratio.texts), strict=True))
    common = {"group": named.ratio.group, "n": named.n, "events": named.events}
    yield {"quantity": "hazard_ratio_printed", **numbers, **common}
    least, most = named.ratio.p if named.ratio.symmetric else (math.nan, math.nan)
    limits = {"estimate": named.face, "lower": least, "upper": most}
    yield {"quantity": "p_from_interval", **limits, **common}


def _curve_rows(dataset: Dataset) -> Iterator[dict]:
    """Overall survival at the landmarks, who is followed, and the median."""
    os = endpoint(dataset, "os")
    curve = est.survival_curve(os.time, os.observed)
    whole = {"group": "os", "n": len(os.time)}
    middle = dict(
        zip(("estimate", "lower", "upper"), map(dataset.months, est.median(curve)), strict=True)
    )
    yield {"quantity": "median", **middle, **whole, "events": int((os.observed > 0).sum())}
    for month, value in values_at(dataset, curve, told_months(dataset, os)).iterrows():
        day = dataset.days(month)
        limits = {"estimate": value["survival"], "lower": value["lower"], "upper": value["upper"]}
        common = {"group": "os", "months": month}
        # Beyond the month: who dies or leaves on its very day is counted there, and once.
        beyond, total = int(est.beyond(os.time, day).sum()), len(os.time)
        yield {"quantity": "survival", **limits, **common, "n": beyond, "events": value["events"]}
        for quantity, number in zip(
            ("at_risk", "censored"), (beyond, total - beyond - value["events"]), strict=True
        ):
            yield {"quantity": quantity, "estimate": number, **common, "n": total}


def _stations(line: Line) -> range:
    """The numbers of patients of the slider."""
    return range(max(1, line.n - AROUND), line.n + AROUND + 1)


def _slider_rows(line: Line) -> Iterator[dict]:
    for n in _stations(line):
        found = counts(line.percent, n)
        ends = (found[0], found[-1]) if found else (found.start - 1, found.start)
        limits = {"lower": ends[0], "upper": ends[1]}
        yield {"quantity": "counts_possible", "group": f"of {n}", "estimate": len(found), **limits}


# --- what is shown -----------------------------------------------------------------------------


def source(dataset: Dataset) -> str:
    """Where the numbers of this page come from, as a sentence's end."""
    if _printed_lines(dataset):
        return "those that the paper of this dataset printed"
    if _own_lines(dataset):
        return "of the dataset itself, rounded as a paper would print them, for it comes with none"
    return "invented, for this dataset comes with no print and describes no characteristic"


def told_source(dataset: Dataset) -> Prose:
    """Which numbers are checked here, and which are not printed ones."""
    synthetic = " Those of curves are of the synthetic cohort." if _synthetic(dataset) else ""
    return Prose("The percentages and ratios below are {source}." + synthetic,
                 source=source(dataset))  # fmt: skip


def _synthetic(dataset: Dataset) -> bool:
    return dataset.settings.synthetic


def counts_figure(dataset: Dataset, results: pd.DataFrame, name: str) -> Figure:
    """All counts near a printed percentage, for each number of patients, and one of them large."""
    line = example(lines(dataset, results))
    dots = _dots(line)
    stations = list(_stations(line))
    start = stations.index(line.n)
    words = f"{line.count} of {line.n} ({line.percent.text}%)"
    caption = (
        "Every dot is a count of patients, at the percentage that it makes. The band holds all "
        f"that would be printed as {line.percent.text}%. Full dots lie in it, rings do not. "
        f"{line.label}: {words}."
    )
    alt_text = (
        f"Dots of counts out of {stations[0]} to {stations[-1]} patients around {words}, in "
        f"slanted lines that cross the narrow band of {line.percent.text}%. "
        f"{_answer(line, results, line.n)}"
    )
    choice = Choice(
        "Number of patients",
        [in_patients(n) for n in stations],
        [_answer(line, results, n) for n in stations],
        start,
    )
    return Figure(name, _fan(line, dots, start), alt_text, caption, choice=choice)


def _dots(line: Line) -> pd.DataFrame:
    """The counts next to the percentage, for each number of patients."""
    middle, made = float(line.percent.text) / 100, []
    for choice, n in enumerate(_stations(line)):
        found = counts(line.percent, n)
        near = range(round(middle * n) - NEARBY, round(middle * n) + NEARBY + 1)
        for k in (k for k in near if 0 <= k <= n):
            place = round(100 * k / n, 3)
            made.append({"percent": place, "n": n, "k": k, "choice": choice, "in": k in found})
    return pd.DataFrame(made)


def _fan(line: Line, dots: pd.DataFrame, start: int) -> alt.LayerChart:
    """The dots of all numbers of patients, with those of the chosen one large and named."""
    low, high = float(line.percent.range.low), float(line.percent.range.high)
    widest = max(100 * (NEARBY - 0.5) / line.n, 2 * (high - low))
    middle = float(line.percent.text)
    ends = [max(0, round(middle - widest, 2)), min(100, round(middle + widest, 2))]
    stations = _stations(line)
    scale = alt.Scale(domain=ends, nice=False, zero=False)
    x = alt.X("percent:Q", title="Per cent", scale=scale, axis=alt.Axis(grid=False, tickCount=6))
    y = alt.Y(
        "n:Q",
        title="Patients",
        axis=alt.Axis(format="d", tickMinStep=1, grid=False, domain=False, ticks=False),
        scale=alt.Scale(domain=[stations[0] - 2, stations[-1] + 2], nice=False, zero=False),
    )
    rows = pd.DataFrame({"n": list(stations), "choice": range(len(stations))})
    pad = 0.03 * (ends[1] - ends[0])  # a count's name must not run into the axis
    inner = dots["percent"].between(ends[0] + pad, ends[1] - pad)
    base = alt.Chart(dots[inner]).encode(x=x, y=y)
    now = f"datum.choice == {CHOICE}"
    chosen = base.transform_filter(now)
    inside, outside = "datum.in", "!datum.in"
    full, ring = {"filled": True, "opacity": 1}, {"filled": False, "opacity": 1, "strokeWidth": 2}
    layers = [
        alt.Chart(pd.DataFrame({"percent": [low], "high": [high]}))
        .mark_rect(opacity=0.25, color=COLOURS[0])
        .encode(x=x, x2="high:Q"),
        base.transform_filter(outside).mark_point(filled=True, size=7, opacity=0.4, color=INK),
        base.transform_filter(inside).mark_point(size=18, color=COLOURS[0], **full),
        alt.Chart(rows)
        .transform_filter(now)
        .mark_rule(opacity=0.6, strokeDash=[2, 3], color=INK)
        .encode(y=y),
        chosen.transform_filter(outside).mark_point(size=80, color=COLOURS[1], **ring),
        chosen.transform_filter(inside).mark_point(size=130, color=COLOURS[0], **full),
        chosen.mark_text(dy=-14, fontSize=LABEL_SIZE, fontWeight="bold").encode(text="k:N"),
    ]
    return finished(layers, start)


def _answer(line: Line, results: pd.DataFrame, n: int) -> Prose:
    """Which counts of so many patients would be printed so."""
    row = pick(results, "counts_possible", f"of {n}")
    first, last, found = int(row["lower"]), int(row["upper"]), int(row["estimate"])
    values = {
        "n": sourced(n, row),
        "first": sourced(first, row),
        "last": sourced(last, row),
        "percent": sourced(f"{line.percent.text}%", row),
        "of_first": sourced(_percent(first, n, line), row),
        "of_last": sourced(_percent(last, n, line), row),
    }
    if not found:
        return Prose(
            "Of {n} patients no count gives {percent}: {first} are {of_first}, and {last} are "
            "{of_last}.",
            **values,
        )
    if found == 1:
        return Prose("Of {n} patients only {first} can be {percent}.", **values)
    joint = "and" if found == 2 else "to"
    return Prose(f"Of {{n}} patients {{first}} {joint} {{last}} can be {{percent}}.", **values)


def _percent(count: int, n: int, line: Line) -> str:
    return rounded(100 * count / n, line.percent.decimals) + "%"


def lines_table(dataset: Dataset, results: pd.DataFrame, name: str) -> Table:
    """Some printed lines: what they say if taken as exact, and what rounding allows."""
    every = lines(dataset, results)
    wrong = [line for line in every if not line.holds]
    others = _spread([line for line in every if line.holds])[: max(2, SHOWN - len(wrong))]
    columns = ("Line", "Printed", "Taken as exact", "Within rounding", "Counts in it", "Holds")
    return Table(
        name,
        f"{len(wrong + others)} of {len(every)} lines: as if exact, and within rounding.",
        columns,
        [_line_row(line) for line in [*wrong, *others]],
        ["Taken as exact, within rounding: number of patients."],
        abbreviations=dataset.settings.abbreviations,
    )


def _spread(lines: Sequence[Line]) -> list[Line]:
    """The first line of each characteristic, then the others."""
    names = [line.group.partition("=")[0] for line in lines]
    first = [line for place, line in enumerate(lines) if names.index(names[place]) == place]
    return first + [line for line in lines if line not in first]


def _line_row(line: Line) -> Row:
    exact = float(Fraction(line.percent.text) * line.n / 100)
    cells = (
        f"{line.count} of {line.n}, {line.percent.text}%",
        rounded(exact, 2),
        outwards(line.patients.low, line.patients.high, 2),
        spread(line.possible),
        MATCH if line.holds else "no",
    )
    return Row(line.label, cells)


def told_lines(results: pd.DataFrame) -> Prose:
    """How many lines would fail as exact numbers, and how many fail within rounding."""
    row = {part: pick(results, part, "percent") for part in ("lines", "lines_exact", "lines_hold")}
    number = {part: int(found["estimate"]) for part, found in row.items()}
    wrong = number["lines"] - number["lines_hold"]
    words = "Taken as exact, {exact} out of {all} percentages would be whole patients. "
    if number["lines_exact"] < number["lines"] / 2:
        words += "By that rule hardly a paper would be right. "
    words += "Within rounding " + ("{hold} hold, and {wrong} cannot." if wrong else "all hold.")
    return Prose(
        words,
        exact=sourced(number["lines_exact"], row["lines_exact"]),
        all=sourced(number["lines"], row["lines"]),
        hold=sourced(number["lines_hold"], row["lines_hold"]),
        wrong=sourced(wrong, row["lines"], row["lines_hold"]),
    )


def told_sum(dataset: Dataset, results: pd.DataFrame) -> Prose:
    """What the percentages of one characteristic add up to, and how far they may be off."""
    part = parts(lines(dataset, results))
    if len(part) < 2:
        return Prose("No characteristic of this dataset is shown with all of its levels.")
    row = pick(results, "percent_sum", part[0].group.partition("=")[0])
    label = part[0].label.rpartition(", ")[0]
    within = row["lower"] <= 100 <= row["upper"]
    return Prose(
        "The {k} levels of “{label}” add up to {n} patients, and their percentages to {sum}%. "
        + (
            "Rounding allows {low} to {high}% here, so that is no slip."
            if within
            else "Rounding allows no more than {low} to {high}%: one of them is wrong."
        ),
        k=sourced(len(part), row),
        label=label,
        n=sourced(part[0].n, pick(results, "count", part[0].group)),
        sum=sourced(_short(row["estimate"]), row),
        low=sourced(_short(row["lower"]), row),
        high=sourced(_short(row["upper"]), row),
    )


def _short(value: float) -> str:
    return f"{value:.6g}"


def told_sums(dataset: Dataset) -> Prose:
    """Of a dataset with a print, whether its counts add up, from the consistency page."""
    facts = {}
    with contextlib.suppress(NotRecorded):
        facts = findings(dataset).facts("sums", "consistency")
    if not facts:
        return Prose("Counts must add up exactly, for they are not rounded.")
    return Prose(
        "Counts must add up exactly, for they are not rounded. Of {checked} such sums in the print "
        "{close} close.",
        **facts,
    )


def ratios_table(dataset: Dataset, results: pd.DataFrame, name: str) -> Table:
    """Ratios with their interval: its middle, and the P of the digits and within rounding."""
    shown_ratios = _shown_ratios(_ratios(dataset))
    rows = []
    for named in shown_ratios:
        row = pick(results, "p_from_interval", named.ratio.group)
        middle, lower, upper = named.ratio.texts
        span = dict.fromkeys(p_value(row[part]) for part in ("lower", "upper"))
        cells = (
            f"{middle} ({lower}–{upper})",
            rounded(named.product, 3),
            p_value(row["estimate"]),
            " to ".join(span),
            MATCH if named.ratio.symmetric else "no",
        )
        rows.append(Row(named.label, cells))
    columns = ("Factor", "HR (95% CI)", "√(lower × upper)", "P, taken as exact",
               "P, within rounding", "Symmetric")  # fmt: skip
    notes = ["HR, hazard ratio for death. Symmetric: some unrounded estimate is the middle of some "
             "unrounded limits, on the log scale."]  # fmt: skip
    return Table(name, "What a ratio and its interval say of P.", columns, rows, notes,
                 abbreviations=dataset.settings.abbreviations)  # fmt: skip


def _width(named: _Named) -> float:
    return named.ratio.p[1] - named.ratio.p[0] if named.ratio.symmetric else math.inf


def _shown_ratios(named: Sequence[_Named]) -> list[_Named]:
    """The two of which rounding leaves P most open, and the first others, in their order."""
    open_ = sorted(named, key=_width, reverse=True)[:2]
    others = [one for one in named if one not in open_][: SHOWN - 2]
    return [one for one in named if one in open_ or one in others]


def told_ratios(dataset: Dataset, results: pd.DataFrame) -> Prose:
    """The ratio whose digits say least of P, and the one whose digits say most."""
    named = [one for one in _ratios(dataset) if one.ratio.symmetric]
    if not named:
        return Prose("No estimate is the middle of its interval, so no P follows.")
    widest, narrowest = max(named, key=_width), min(named, key=_width)
    row = pick(results, "p_from_interval", widest.ratio.group)
    printed = pick(results, "hazard_ratio_printed", widest.ratio.group)
    values = {
        "label": widest.label,
        "ratio": sourced(_text(widest), printed),
        "face": sourced(p_value(row["estimate"]), row),
        "least": sourced(p_value(row["lower"]), row),
        "most": sourced(p_value(row["upper"]), row),
    }
    face = "Taken as exact, P is {face}. " if pd.notna(row["estimate"]) else ""
    first = (
        f"The digits say least of “{{label}}”, printed as {{ratio}}. {face}Within rounding P can "
        "be anything from {least} to {most}."
    )
    if narrowest is widest:
        return Prose(first, **values)
    other = pick(results, "p_from_interval", narrowest.ratio.group)
    ends = dict.fromkeys(p_value(other[part]) for part in ("lower", "upper"))
    second = (
        " They say most of “{other}”, where P is {ends} whatever was rounded."
        if len(ends) == 1
        else " They say most of “{other}”, where P lies between {ends}."
    )
    return Prose(first + second, **values, other=narrowest.label,
                 ends=sourced(" and ".join(ends), other))  # fmt: skip


def _text(named: _Named) -> str:
    middle, lower, upper = named.ratio.texts
    return f"{middle} ({lower}–{upper})"


def curve_table(dataset: Dataset, results: pd.DataFrame, name: str) -> Table:
    """Who is followed beyond each landmark, dead and gone by it, and where the curve must lie."""
    total = pick(results, "median", "os")["n"]
    rows, whole = [], True
    for month in told_months(dataset, endpoint(dataset, "os")):
        value = pick(results, "survival", "os", month)
        risk, left = (
            pick(results, quantity, "os", month)["estimate"] for quantity in ("at_risk", "censored")
        )
        ends = [
            MASKED if pd.isna(share) else shown(share / total, "share")
            for share in (risk, risk + left)
        ]
        whole &= bool(
            pd.isna(risk + value["events"] + left) or risk + value["events"] + left == total
        )
        cells = [counted(risk), counted(value["events"]), counted(left)]
        cells += [ends[0], shown(value["estimate"], "survival"), ends[1]]
        rows.append(Row(f"{month:g}", cells))
    columns = ("Month", "Followed beyond", "Died by then", "Left by then", "Survival at least, %",
               "Estimate, %", "At most, %")  # fmt: skip
    notes = [f"The three counts make all {in_patients(counted(total))}."] if whole else []
    return Table(name, "Numbers under a curve hold it between two shares.", columns, rows, notes,
                 abbreviations=dataset.settings.abbreviations)  # fmt: skip


def median_table(dataset: Dataset, results: pd.DataFrame, name: str) -> Table:
    """Where each landmark lies beside the interval of the median, and what survival must be."""
    middle = pick(results, "median", "os")
    rows = []
    for month in told_months(dataset, endpoint(dataset, "os")):
        value = pick(results, "survival", "os", month)
        place, must, holds = beside(middle, value, month)
        cells = (place, must, f"{shown(value['estimate'], 'survival')} ({interval(value)})",
                 MATCH if holds else "no")  # fmt: skip
        rows.append(Row(f"{month:g}", cells))
    columns = ("Month", "Beside the median’s interval", "Survival’s interval must",
               "Survival, % (95% CI)", "Does it")  # fmt: skip
    return Table(name, "One curve: its median and its landmarks.", columns, rows, words=True,
                 abbreviations=dataset.settings.abbreviations)  # fmt: skip


def beside(median: pd.Series, survival: pd.Series, month: float) -> tuple[str, str, bool]:
    """Where a month lies beside the median's interval, what follows for survival, and if it does.

    Where both intervals are of the same kind, the median's limits are the months at which
    survival's limits fall to one half.
    """
    lower, upper = (survival[part] for part in ("lower", "upper"))
    if pd.notna(median["lower"]) and month >= median["lower"]:
        if pd.notna(median["upper"]) and month >= median["upper"]:
            return "after it", "lie below 50%", bool(not upper > HALF)
        return "within it", "hold 50%", bool(not (lower > HALF or upper < HALF))
    return "before it", "lie above 50%", bool(not lower < HALF)


def told_median(results: pd.DataFrame) -> Prose:
    """The median with its interval, and what it means for the landmarks."""
    limits = pick(results, "median", "os")[["lower", "upper"]].notna().any()
    return Prose(
        "The median of overall survival is {median}."
        + " Before its lower limit the interval of survival must lie above one half, after its "
        "upper limit below." * bool(limits),
        median=with_interval(results, "median", "os"),
    )


# --- exercises ---------------------------------------------------------------------------------


def printed_percentage(dataset: Dataset) -> tuple[float, int]:
    """A percentage as printed, to one decimal, and its number of patients: one count gives it."""
    line = _task(dataset)
    return float(line.percent.text), line.n


def _task(dataset: Dataset) -> Line:
    fits = (
        line
        for line in _visible(dataset)
        if line.holds
        and len(line.possible) == 1
        and line.percent.decimals == 1
        and min(line.count, line.n - line.count) >= 20
        and 2 * line.count != line.n
        and round(float(line.percent.text)) != line.count
    )
    return next(fits, _invented_lines()[0])


def exercise_1(dataset: Dataset) -> Exercise:
    """The count behind a percentage."""
    line = _task(dataset)
    percent = float(line.percent.text)
    return Exercise(
        line.count,
        "Of all whole numbers only this one makes a share that is printed so.",
        [
            (line.n - line.count, "That is how many are not of this line."),
            (int(percent * line.n / 100), "Do not cut the decimals off: which count rounds to the "
             "printed percentage?"),
            (round(percent), "That is the percentage. How many patients are that?"),
        ],
        decimals=0,
    )  # fmt: skip


RATIO = (0.72, 0.55, 0.94)  # invented: an estimate, its lower and its upper limit


def exercise_2(dataset: Dataset) -> Exercise:
    """P from a ratio and its interval."""
    middle, lower, upper = np.log(RATIO)
    z = abs(middle) / ((upper - lower) / (2 * est.Z))
    plain = abs(RATIO[0] - 1) / ((RATIO[2] - RATIO[1]) / (2 * est.Z))
    return Exercise(
        float(2 * stats.norm.sf(z)),
        "On the log scale the interval is the estimate and 1.96 standard errors to both sides.",
        [
            (float(2 * stats.norm.sf(plain)), "You stayed on the scale of the ratio. Its interval "
             "is symmetric only after taking logarithms."),
            (float(stats.norm.sf(z)), "That is one side. P counts both."),
            (float(2 * stats.norm.sf(z / 2)), "The whole width of the interval is two times 1.96 "
             "standard errors."),
            (float(2 * stats.norm.sf(2 * z)), "Half of the width is 1.96 standard errors, not one "
             "half of that."),
            (float(z), "That is z. How often is a normal number further from 0?"),
        ],
        decimals=3,
    )  # fmt: skip


def exercise_3(dataset: Dataset) -> Exercise:
    """Which of four invented lines contradicts itself."""
    return Exercise(
        "C",
        "The median’s interval ends before 24 months, so by then the curve is below one half.",
        [
            ("A", "63/180 is 35.0%: the line holds."),
            ("B", "The middle of the limits is √(0.58 × 0.97) = 0.75, and z is 2.2: it holds."),
            ("D", "41 + 17 + 62 are 120: all patients are there."),
        ],
    )
