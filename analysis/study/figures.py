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
    HEADING,
    HEIGHT,
    HOVER,
    LABEL_SIZE,
    ROW,
    STYLE,
    UNDER,
    WIDTHS,
    Figure,
    in_unit,
    share_axis,
    time_axis,
)
from ..page.formats import counted, in_patients, shown
from ..page.page import Page
from ..page.quantities import MASKED, MISSING
from ..page.rows import at_risk, pick
from ..page.units import told, unit_of
from .curves import axis_months, even_months
from .groups import Groups
from .sentences import at_landmarks, survival_at_landmarks


def survival_figure(page: Page, question: Endpoint, curve: pd.DataFrame, name: str) -> Figure:
    """Kaplan-Meier curve of one endpoint, with what `step_chart` adds to it.

    `curve` is in days; `name` is the figure's in a paper, as `Figure 1A`, where it has one.
    """
    title, patients = question.title, in_patients(len(question.data))
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
        + _marks(page, question, curve)
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
    chart = step_chart(page, question, series, quantity, rows)
    by = in_sentence(page.data.label(parts.compare.column))
    whom = f"{name} from {question.origin} by {by}"
    told = [
        f"{level}, {in_patients(len(parts.of(level).data))}: "
        f"{at_landmarks(page, quantity, parts.key_of(level, cause))}."
        for level in curves
    ]
    numbers = " ".join(told)
    read = "Shaded: 95% confidence bands. Under the axis: patients at risk."
    caption = f"{name} by {by}. From {question.origin}. {read}" + _marks(
        page, question, pd.concat(curves.values()), len(series)
    )
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
    patients = in_patients(len(question.data))
    whom = f"Cumulative incidence from {question.origin} in {patients}"
    told = {cause: str(at_landmarks(page, "cumulative_incidence", cause)) for cause in curves}
    numbers = " ".join(f"{labels[c]}: {said[0].lower()}{said[1:]}." for c, said in told.items())
    caption = (
        f"{named(name)}Cumulative incidence from {question.origin}, {patients}. "
        "Shaded: 95% confidence bands." + _marks(page, question, next(iter(curves.values())))
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


def _marks(page: Page, question: Endpoint, curve: pd.DataFrame, curves: int = 1) -> str:
    """What the marks on some curves are, of those that are there."""
    months = page.data.settings.months
    said = {
        " Ticks: patients whose follow-up ends there.": curve["censored"].any(),
        " Dots and bars: landmark estimates with 95% intervals.": curves <= MARKED
        and any(at_risk(page.numbers, question.name, month) != 0 for month in months),
    }
    return "".join(words for words, there in said.items() if there)


def step_chart(
    page: Page,
    question: Endpoint,
    series: Mapping[str, tuple[str, pd.DataFrame]],
    quantity: str,
    rows: Mapping[str, tuple[str, str, str]],
) -> alt.LayerChart:
    """Step curves with bands, censor marks, landmark estimates, hover and numbers under the axis.

    `series` maps a label to its group and its curve in days. `rows` maps the label of each line of
    numbers under the axis to its `(quantity, group, column)` in the page's numbers.
    """
    dataset, results = page.data, page.numbers
    ticks = axis_months(dataset, question)
    share = "survival" if quantity == "survival" else "incidence"
    width = POINTS // len(series)  # of each curve in points
    steps = pd.concat(
        _thinned(_steps(dataset, curve, share), width, ticks[-1]).assign(series=label)
        for label, (_, curve) in series.items()
    )
    marked = series if len(series) <= MARKED else {}
    landmarks = _landmarks(dataset, results, quantity, marked)
    x = time_axis(ticks, question.origin)
    y = share_axis(title=curve_title(dataset, question, quantity))
    colours = [GROUP_COLOURS[place % len(GROUP_COLOURS)] for place in range(len(series))]
    colour = alt.Color("series:N", legend=None, scale=alt.Scale(domain=list(series), range=colours))
    curves = alt.Chart(steps).encode(x=x, y=y, color=colour)
    layers = [
        curves.mark_area(interpolate="step-after", opacity=0.16 if len(series) <= MANY else 0.08)
        .encode(y=alt.Y("lower:Q"), y2="upper:Q")
        .transform_filter("isValid(datum.lower)"),
        _lines(curves, list(series)),
        curves.transform_filter("datum.censored > 0").mark_tick(
            orient="vertical", size=9, thickness=1, opacity=0.8
        ),
        *_landmark_layers(landmarks, _by_height(series, share), ticks[-1], x, colour),
        *_series_labels(_by_height(series, share), colour, falling=quantity == "survival"),
    ]
    if len(series) > 1:
        layers = [_fading(layer) for layer in layers]
    layers += [*_hover_layers(curves), *_number_rows(results, rows, ticks, x)]
    chart = alt.layer(*layers).properties(width="container", height=HEIGHT)
    if len(series) > 1:
        chart = chart.add_params(alt.param(name=FOCUS, value=""))
    return chart.configure(**STYLE)


def _lines(curves: alt.Chart, series: Sequence[str]) -> alt.Chart:
    """The steps of the curves; of more curves than colours the later ones are dashed."""
    lines = curves.mark_line(interpolate="step-after", strokeWidth=2, clip=True)
    if len(series) <= len(GROUP_COLOURS):
        return lines
    dashes = [[1, 0] if place < len(GROUP_COLOURS) else [6, 3] for place in range(len(series))]
    scale = alt.Scale(domain=series, range=dashes)
    return lines.encode(strokeDash=alt.StrokeDash("series:N", legend=None, scale=scale))


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


def _thinned(steps: pd.DataFrame, width: int, end: float) -> pd.DataFrame:
    """The steps of a curve of thousands of days: the last of each point that a screen can show.

    Nothing of a curve is lost that is wider than a point. Who leaves is marked at each sixteenth,
    or marks alone would be seen.
    """
    if len(steps) <= width:
        return steps
    point = (steps["month"] / end * width).round()
    marked = ~(point // 16).duplicated(keep="last")
    left = steps["censored"].groupby(point // 16).transform("sum")
    return steps.assign(censored=left.where(marked, 0))[~point.duplicated(keep="last")]


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


def _percent(share: float) -> str:
    return f"{shown(share, 'survival')}%"


def _landmarks(
    dataset: Dataset,
    results: pd.DataFrame,
    quantity: str,
    series: Mapping[str, tuple[str, pd.DataFrame]],
) -> pd.DataFrame:
    """The landmark estimates at which somebody is still followed."""
    rows = []
    for label, (group, _) in series.items():
        for number in dataset.settings.months:
            row = pick(results, quantity, group, number)
            if at_risk(results, group, number) != 0:
                text = _percent(row["estimate"])
                limits = {part: round(row[part], 5) for part in ("estimate", "lower", "upper")}
                rows.append({"month": number, "series": label, "text": text, **limits})
    columns = ["month", "series", "text", "estimate", "lower", "upper"]
    return pd.DataFrame(rows, columns=columns)


def _landmark_layers(
    landmarks: pd.DataFrame, names: Sequence[str], end: float, x: alt.X, colour: alt.Color
) -> list[alt.Chart]:
    """Points, bars and figures; of two curves the second stands a little to the right.

    `names` are those of the curves from the highest on: the figures of the lower stand below it.

    A figure for which the chart is too narrow is not drawn: the last landmark's comes first, then
    the others from left to right. The table under the chart has them all.
    """
    layers = []
    places = {name: place for place, name in enumerate(names)}
    heights = [_label_height(row, places[row["series"]]) for _, row in landmarks.iterrows()]
    landmarks = landmarks.assign(label_at=heights)
    last_first = sorted(
        landmarks.index, key=lambda row: landmarks["month"][row] < landmarks["month"].max()
    )
    landmarks = landmarks.loc[last_first]
    tops = HEIGHT * (1 - landmarks["label_at"])
    landmarks["from_width"] = least_widths(landmarks["month"] / end, tops, landmarks["text"])
    for place, (_, rows) in enumerate(landmarks.sort_index().groupby("series", sort=False)):
        base = alt.Chart(rows).encode(x=x, xOffset=alt.value(4 * place), color=colour)
        layers += [
            base.transform_filter("isValid(datum.lower)")
            .mark_rule(strokeWidth=1.5)
            .encode(y="lower:Q", y2="upper:Q"),
            base.mark_point(filled=True, size=45, opacity=1).encode(y="estimate:Q"),
            alt.Chart(rows)
            .mark_text(dx=4 * place, fontSize=LABEL_SIZE, fontWeight="bold")
            .encode(x=x, y="label_at:Q", text="text:N", fillOpacity=WHERE_ROOM),
        ]
    return layers


POINTS = 1000  # of all curves of a chart: as many as it is wide, and few bytes
MANY = 3  # curves whose bands may be as dark as that of one
NAME = alt.ExprRef("min(width - 16, 400)")  # pixels that the name of a curve may take
MARKED = 2  # the landmarks of more curves would hide one another
# A label says from which width of the chart on there is room for it.
WHERE_ROOM = alt.condition("datum.from_width <= width", alt.value(1), alt.value(0))


def least_widths(
    at: Sequence[float], tops: Sequence[float], texts: Sequence[str], size: float | None = None
) -> list[int]:
    """From which width of the axis on each label touches none of those before it.

    `at` is the share of the axis at which a label is centred, `tops` its height in pixels, `size`
    that of its letters, by default LABEL_SIZE's. A label that never has room gets a million.
    """
    needed = [0] * len(texts)
    for width in WIDTHS:
        high = size or min(max(width / 35, 8), 12)
        kept: list[tuple[float, float, float]] = []
        for place, (share, top, text) in enumerate(zip(at, tops, texts, strict=True)):
            half = 0.34 * high * len(text) + 1
            free = all(
                abs(share * width - x) >= half + other or abs(top - y) >= 1.2 * high
                for x, y, other in kept
            )
            if free:
                kept.append((share * width, top, half))
            else:
                needed[place] = width + WIDTHS.step
    return [10**6 if width > WIDTHS[-1] else width for width in needed]


def _label_height(row: pd.Series, place: int) -> float:
    """Above the interval; for a second curve below it, where the axis leaves room."""
    gap = 0.03
    ends = row[["lower", "estimate", "upper"]].dropna()
    below = ends.min() - 1.5 * gap
    return round(below if place and below > gap else ends.max() + gap, 5)


def _by_height(series: Mapping[str, tuple[str, pd.DataFrame]], share: str) -> list[str]:
    """The names of curves from the one that ends highest to the lowest, as they stand."""
    return sorted(series, key=lambda name: -series[name][1][share].iloc[-1])


def _series_labels(series: Sequence[str], colour: alt.Color, falling: bool) -> list[alt.Chart]:
    """Names of several curves in their colours, in the corner that they leave free."""
    if len(series) < 2:
        return []
    names = alt.Chart(pd.DataFrame({"series": series, "name": [f"━ {name}" for name in series]}))
    at = alt.value("width") if falling else alt.value(12)
    align = "right" if falling else "left"
    return [
        names.transform_filter(alt.datum.series == name)
        .mark_text(align=align, fontSize=13, fontWeight="bold", limit=NAME)
        .encode(x=at, y=alt.value(12 + 18 * place), text="name:N", color=colour)
        for place, name in enumerate(series)
    ]


def _hover_layers(curves: alt.Chart) -> list[alt.Chart]:
    nearest = alt.selection_point(
        name="nearest", nearest=True, on="pointermove", clear="pointerout",
        fields=["month", "series"], empty=False,
    )  # fmt: skip
    tooltip = [
        alt.Tooltip("series:N", title="Curve"),
        alt.Tooltip("told:Q", title=told().one.capitalize(), format=f".{told().decimals}f"),
        alt.Tooltip("estimate:Q", title="Estimate", format=".1%"),
        alt.Tooltip("interval:N", title="95% CI"),
        alt.Tooltip("at_risk:N", title="At risk"),
    ]
    # Put together where it is read: as text it would be a tenth of the page.
    ends = "format(datum.lower, '.1%') + '–' + format(datum.upper, '.1%')"
    hovered = curves.transform_calculate(
        told=in_unit("datum.month"), interval=f"isValid(datum.lower) ? {ends} : '{MISSING}'"
    )
    points = hovered.mark_point(size=120, filled=True).encode(
        opacity=alt.condition(nearest, alt.value(1), alt.value(0)), tooltip=tooltip
    )
    return [points.add_params(nearest).properties(name=HOVER)]


def _number_rows(
    results: pd.DataFrame,
    rows: Mapping[str, tuple[str, str, str]],
    ticks: Sequence[float],
    x: alt.X,
) -> list[alt.Chart]:
    """Numbers under the axis, each centred on the axis's own tick, where there is room."""
    lines = {
        label: [_count(results, *source, number) for number in ticks]
        for label, source in rows.items()
    }
    if not lines:
        return []
    longest = [max(texts, key=len) for texts in zip(*lines.values(), strict=True)]
    shares = [number / ticks[-1] for number in ticks]
    widths = least_widths(shares, [0] * len(ticks), longest, size=11)
    layers = []
    for place, (label, counts) in enumerate(lines.items()):
        height = alt.value(HEIGHT + 58 + ROW * place)
        numbers = pd.DataFrame({"month": ticks, "count": counts, "from_width": widths})
        drawn = (
            alt.Chart(numbers)
            .mark_text(fontSize=11)
            .encode(x=x, y=height, text="count:N", fillOpacity=WHERE_ROOM)
        )
        heading = alt.Chart(pd.DataFrame({"label": [label]})).mark_text(
            align="right", dx=-22, fontSize=11, limit=HEADING
        )
        heading = heading.encode(x=alt.value(0), y=height, text="label:N", tooltip="label:N")
        named = f"{UNDER}_{place}"
        layers += [heading.properties(name=named), drawn.properties(name=f"{named}_counts")]
    return layers


def _count(results: pd.DataFrame, quantity: str, group: str, column: str, month: float) -> str:
    """A number under the axis; past the end of follow-up, where it is not known, a dash."""
    number = pick(results, quantity, group, month)[column]
    past = pd.isna(number) and at_risk(results, group, month) == 0
    return MISSING if past else counted(number)
