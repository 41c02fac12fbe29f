"""Figures of curves: steps, bands, landmarks and numbers under the axis."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd

from .. import survival as est
from ..dataset.definitions import in_sentence
from ..dataset.endpoints import Endpoint
from ..dataset.model import Dataset
from ..page.charts import (
    FADED,
    FOCUS,
    GROUP_COLOURS,
    HEIGHT,
    STYLE,
    Figure,
    count_axis,
    share_axis,
    time_axis,
)
from ..page.formats import counted, in_patients
from ..page.page import Page
from ..page.quantities import MASKED
from ..page.rows import at_risk, pick
from ..page.units import unit_of
from .curves import HEIGHTS, at_least, axis_months, even_months, fewest, thinned
from .groups import Groups
from .marks import (
    MARKED,
    hover_layers,
    landmark_layers,
    landmarks,
    median_layers,
    number_rows,
    series_labels,
)
from .sentences import at_landmarks, survival_at_landmarks


def survival_figure(page: Page, question: Endpoint, curve: pd.DataFrame, name: str) -> Figure:
    """Kaplan-Meier curve of one endpoint, with what `step_chart` adds to it.

    `curve` is in days; `name` is the figure's in a paper, as `Figure 1A`, where it has one.
    """
    title, patients = question.title, in_patients(question.size)
    rows = {
        "At risk": ("at_risk", question.name, "estimate"),
        "Censored": ("censored", question.name, "estimate"),
        "Events": ("survival", question.name, "events"),
    }
    chart = step_chart(page, question, {title: (question.name, curve)}, "survival", rows)
    whom = f"{title} from {question.origin} in {patients}"
    numbers = (
        f"Median: {page['median', question.name].ci}. {survival_at_landmarks(page, question)}."
    )
    caption = (
        f"{named(name)}{title} from {question.origin}, {patients}. Shaded: 95% confidence band."
        + _marks(page, question, {question.name: curve})
        + _few_at_median(page, {"": (question.name, curve)})
    )
    words = f"{whom}, {_shape([curve], 'falling step')}. {numbers}"
    return page.figure("", chart, words, caption, said=f"{whom}. {numbers}")


def group_figure(
    page: Page, parts: Groups, curves: Mapping[str, pd.DataFrame], name: str, cause: str = ""
) -> Figure:
    """The curves of the groups of an endpoint in one chart, a line of numbers at risk for each.

    `curves` are by level, in days: of survival, or of the incidence of `cause`.
    """
    question = parts.question
    quantity = "cumulative_incidence" if cause else "survival"
    series = {level: (parts.key_of(level, cause), curve) for level, curve in curves.items()}
    rows = {level: ("at_risk", parts.key_of(level), "estimate") for level in curves}
    height = f"Incidence of {in_sentence(name)}" if cause else ""
    chart = step_chart(page, question, series, quantity, rows, height)
    by = in_sentence(page.data.label(parts.compare.column))
    whom = f"{name} from {question.origin} by {by}"
    told = [
        f"{level}, {in_patients(parts.of(level).size)}: "
        f"{at_landmarks(page, quantity, parts.key_of(level, cause))}."
        for level in curves
    ]
    numbers = " ".join(told)
    read = "Shaded: 95% confidence bands. Under the axis: patients at risk."
    marks = _marks(page, question, dict(series.values()))
    marks += "" if cause else _few_at_median(page, series)
    caption = f"{name} by {by}. From {question.origin}. {read}{marks}"
    words = f"{whom}, {_shape(curves.values(), 'step')}. {numbers}"
    part = f"by-{parts.causes.index(cause or question.name)}"
    return page.figure(part, chart, words, caption, tuple(series), said=f"{whom}. {numbers}")


def incidence_figure(
    page: Page,
    question: Endpoint,
    curves: Mapping[str, pd.DataFrame],
    labels: Mapping[str, str],
    name: str,
) -> Figure:
    """Cumulative incidence of competing causes; `curves`, in days, and `labels` are by cause."""
    rows = {
        "At risk": ("at_risk", question.name, "estimate"),
        "Censored": ("censored", question.name, "estimate"),
    }
    for cause, label in labels.items():
        rows[label] = ("cumulative_incidence", cause, "events")
    series = {labels[cause]: (cause, curve) for cause, curve in curves.items()}
    chart = step_chart(page, question, series, "cumulative_incidence", rows)
    patients = in_patients(question.size)
    whom = f"Cumulative incidence from {question.origin} in {patients}"
    told = {cause: str(at_landmarks(page, "cumulative_incidence", cause)) for cause in curves}
    numbers = " ".join(f"{labels[c]}: {said[0].lower()}{said[1:]}." for c, said in told.items())
    caption = (
        f"{named(name)}Cumulative incidence from {question.origin}, {patients}. "
        "Shaded: 95% confidence bands." + _marks(page, question, curves)
    )
    words = f"{whom}, {_shape(curves.values(), 'rising step')}. {numbers}"
    return page.figure("", chart, words, caption, tuple(series), said=f"{whom}. {numbers}")


def named(figure: str) -> str:
    """How a caption begins: with the name of the figure, where it has one."""
    return f"{figure}. " if figure else ""


def _shape(curves: Collection[pd.DataFrame], way: str) -> str:
    """`a falling step curve`; where nobody had the event it has no step."""
    level, all_of = sum(not curve["events"].any() for curve in curves), len(curves)
    if level in (0, all_of):
        way = way if level == 0 else "level"
        return f"a {way} curve" if all_of == 1 else f"{all_of} {way} curves"
    return f"{all_of} step curves, {level} of them level"


def _marks(page: Page, question: Endpoint, curves: Mapping[str, pd.DataFrame]) -> str:
    """What the marks on some curves are, of those that are there; `curves` are by their groups."""
    data, numbers = page.data, page.numbers
    medians = [pick(numbers, "median", group)["estimate"] for group in curves
               if ("median", group) in page]  # fmt: skip
    said = {
        " Dashed: the median.": pd.notna(medians).any(),
        f" Faint: where fewer than {at_least(data)}, or than a tenth, are followed.": any(
            np.isfinite(few_from(data, curve)) for curve in curves.values()
        ),
        " Ticks: patients whose follow-up ends there.": any(
            curve["censored"].any() for curve in curves.values()
        ),
        " Dots and bars: landmark estimates with 95% intervals.": len(curves) <= MARKED
        and any(at_risk(numbers, question.name, month) != 0 for month in data.settings.months),
    }
    return "".join(words for words, there in said.items() if there)


def _few_at_median(page: Page, series: Mapping[str, tuple[str, pd.DataFrame]]) -> str:
    """That a median rests on those few who are left on a curve when it comes down to one half."""
    said = ""
    for label, (group, curve) in series.items():
        median = pick(page.numbers, "median", group)["estimate"]
        if median >= few_from(page.data, curve) * (1 - 1e-9):
            day = page.data.days(median) * (1 - 1e-9)
            few = _unless_few(page.data, curve["at_risk"][curve.index >= day].iloc[0])
            last = "patient" if str(few) == "1" else f"{few} patients"
            said += f" The median{label and f' of {label}'} rests on the last {last}."
    return said


def step_chart(
    page: Page,
    question: Endpoint,
    series: Mapping[str, tuple[str, pd.DataFrame]],
    quantity: str,
    rows: Mapping[str, tuple[str, str, str]],
    height: str = "",
) -> alt.LayerChart:
    """Step curves with bands, censor marks, landmark estimates, hover and numbers under the axis.

    `series` maps a label to its group and its curve in days. `rows` maps the label of each line of
    numbers under the axis to its `(quantity, group, column)` in the page's numbers. `height` is
    what the axis of heights is called, where not as usual.
    """
    dataset, results = page.data, page.numbers
    ticks = axis_months(dataset, question)
    share = HEIGHTS[quantity]
    steps = pd.concat(
        _parted(
            thinned(_steps(dataset, curve, share), len(series), ticks[-1]), few_from(dataset, curve)
        ).assign(series=label)
        for label, (_, curve) in series.items()
    )
    counts = quantity == "mean_count"  # its height has no end, and a landmark no room for a label
    marked = {} if counts or len(series) > MARKED else series
    estimates = landmarks(dataset, results, quantity, marked)
    medians = [pick(results, "median", group)["estimate"] for group, _ in series.values()
               if quantity == "survival"]  # fmt: skip
    x = time_axis(ticks, question.origin)
    title = height or curve_title(dataset, question, quantity)
    y = count_axis(title=title) if counts else share_axis(title=title)
    colours = [GROUP_COLOURS[place % len(GROUP_COLOURS)] for place in range(len(series))]
    colour = alt.Color("series:N", legend=None, scale=alt.Scale(domain=list(series), range=colours))
    curves = alt.Chart(steps).encode(x=x, y=y, color=colour)
    layers = [
        *median_layers(results, series, quantity, ticks, question.origin, colour),
        _bands(curves, 0.16 if len(series) <= MANY else 0.08),
        _lines(curves, list(series)),
        curves.transform_filter("datum.censored > 0").mark_tick(
            orient="vertical", size=9, thickness=1, opacity=0.8
        ),
        *landmark_layers(estimates, ticks[-1], x, colour, steps, medians),
        *series_labels(_by_height(series, share), colour, falling=quantity == "survival"),
    ]
    if len(series) > 1:
        layers = [_fading(layer) for layer in layers]
    told = hover_layers(curves, ".2f" if counts else ".1%")
    layers += [*told, *number_rows(results, rows, ticks, x)]
    chart = alt.layer(*layers).properties(width="container", height=HEIGHT)
    if len(series) > 1:
        chart = chart.add_params(alt.param(name=FOCUS, value=""))
    return chart.configure(**STYLE)


def _bands(curves: alt.Chart, opacity: float) -> alt.Chart:
    """The intervals of the curves, fainter where few are followed, as the curves are."""
    paler = alt.condition("datum.few", alt.value(opacity * FAINT), alt.value(opacity))
    drawn = curves.transform_filter("isValid(datum.lower)").mark_area(interpolate="step-after")
    return drawn.encode(alt.Y("lower:Q"), y2="upper:Q", detail="few:N", fillOpacity=paler)


def _lines(curves: alt.Chart, series: Sequence[str]) -> alt.Chart:
    """The steps of the curves; of more curves than colours the later ones are dashed."""
    lines = curves.mark_line(interpolate="step-after", strokeWidth=2, clip=True).encode(
        detail="few:N",
        strokeOpacity=alt.condition("datum.few", alt.value(FAINT), alt.value(1)),
    )
    if len(series) <= len(GROUP_COLOURS):
        return lines
    dashes = [[1, 0] if place < len(GROUP_COLOURS) else [6, 3] for place in range(len(series))]
    scale = alt.Scale(domain=series, range=dashes)
    return lines.encode(strokeDash=alt.StrokeDash("series:N", legend=None, scale=scale))


def few_from(dataset: Dataset, curve: pd.DataFrame) -> float:
    """The month from which fewer than ten, or than a tenth, are followed; infinite where none.

    Where counts are masked it tells no more than they do. Who enters late does not count as few.
    """
    at_risk = curve["at_risk"]
    enough = at_risk.to_numpy() >= fewest(dataset, at_risk.max())
    last = np.flatnonzero(enough)[-1] if enough.any() else -1
    return dataset.months(curve.index[last + 1]) if last + 1 < len(curve) else np.inf


def _parted(steps: pd.DataFrame, few: float) -> pd.DataFrame:
    """The steps, with those from the month `few` on marked; the tail begins where the rest ends."""
    tail = steps["month"].ge(round(few, 3))
    ends = steps[~tail].tail(1).assign(censored=0) if tail.any() else steps[:0]
    parts = [steps[~tail].assign(few=0), pd.concat([ends, steps[tail]]).assign(few=1)]
    return pd.concat(parts, ignore_index=True)


def curve_title(dataset: Dataset, question: Endpoint, quantity: str) -> str:
    """What the height of a curve is: of one that the dead only leave, who is without the event."""
    if quantity == "cumulative_incidence":
        return "Cumulative incidence"
    plan = dataset.endpoints[question.name]
    return question.title if plan.dies else f"Without {question.event}"


def _fading(layer: alt.Chart) -> alt.Chart:
    """The layer, which steps back while the name of another curve is pressed."""
    opacity = layer.mark.opacity
    whole = 1 if opacity is alt.Undefined else opacity
    here = f"!{FOCUS} || {FOCUS} == datum.series"
    return layer.encode(opacity=alt.condition(here, alt.value(whole), alt.value(whole * FADED)))


def _steps(dataset: Dataset, curve: pd.DataFrame, share: str) -> pd.DataFrame:
    """The curve in months, rounded to more than a screen shows.

    Of a dataset that is not public the chart holds whole months only, and no patient's own day;
    and where counts are masked, no month in which only a few left.
    """
    if not dataset.public:
        curve = _by_month(dataset, curve)
    columns = {"estimate": curve[share], "lower": curve["lower"], "upper": curve["upper"]}
    steps = pd.DataFrame(columns).round(5)
    fine = 3 if unit_of(dataset.settings).grid == 1 else 5
    steps.insert(0, "month", [round(dataset.months(day), fine) for day in curve.index])
    return steps.assign(
        at_risk=[_unless_few(dataset, number) for number in curve["at_risk"]],
        censored=curve["censored"].mask(curve["censored"].lt(dataset.mask_below), 0),
    ).reset_index(drop=True)


def _by_month(dataset: Dataset, curve: pd.DataFrame) -> pd.DataFrame:
    """The curve at whole months, as far as anyone is followed; who leaves, in the month begun.

    A landmark within a month is a step as well: its estimate is printed, and its mark would lie off
    the curve. Nobody is shown to leave there.
    """
    last, grid = dataset.months(curve.index.max()), unit_of(dataset.settings).grid
    even = even_months(dataset, np.nextafter(last, np.inf))
    days = [dataset.days(month) for month in even]
    within = [month for month in dataset.settings.months if month % grid and month < even[-1]]
    monthly = est.at(curve, sorted({*days, *map(dataset.days, within)}))
    left = pd.Series(curve["censored"].to_numpy(), curve.index).cumsum()
    seen = [left[left.index < day + dataset.days(grid)].iloc[-1] for day in days]
    leaving = pd.Series(seen, days).diff().fillna(seen[0])
    monthly["censored"] = leaving.reindex(monthly.index, fill_value=0)
    return monthly[monthly.drop(columns=["lower", "upper"]).notna().all(axis=1)]


def _unless_few(dataset: Dataset, number: float) -> str:
    return MASKED if 0 < number < dataset.mask_below else counted(number)


FAINT = 0.4  # of a curve that few are followed on
MANY = 3  # curves whose bands may be as dark as that of one


def _by_height(series: Mapping[str, tuple[str, pd.DataFrame]], share: str) -> list[str]:
    """The names of curves from the one that ends highest to the lowest, as they stand."""
    return sorted(series, key=lambda name: -series[name][1][share].iloc[-1])
