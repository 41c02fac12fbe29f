"""What stands on a figure of curves beside them: landmarks, medians, names, numbers, hover."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import isnan
from textwrap import wrap

import altair as alt
import numpy as np
import pandas as pd
import vl_convert

from ..dataset.model import Dataset
from ..page.charts import (
    HEADING,
    HEIGHT,
    INK,
    LABEL_SIZE,
    LARGEST,
    ROW,
    SMALLEST,
    UNDER,
    WIDTHS,
    in_unit,
    time_axis,
)
from ..page.drawing import HOVER, still
from ..page.formats import counted, shown, written
from ..page.quantities import MISSING
from ..page.rows import at_risk, pick
from ..page.units import told

NAME = alt.ExprRef("min(width - 16, 400)")  # pixels that the name of a curve may take
LINE = 13  # pixels between the lines of a heading under the axis
FLAT, WIDE = 210, 600  # pixels of curves that are as wide as a slide or as paper
NEVER = 10**6  # pixels that no chart has
MARKED = 2  # the landmarks of more curves would hide one another
# A label says from which width of the chart on there is room for it.
WHERE_ROOM = alt.condition("datum.from_width <= width", alt.value(1), alt.value(0))


def median_layers(
    results: pd.DataFrame,
    series: Mapping[str, tuple[str, pd.DataFrame]],
    quantity: str,
    ticks: Sequence[float],
    origin: str,
    colour: alt.Color,
) -> list[alt.Chart]:
    """Lines from one half to each curve and down to its median, which is told at the axis.

    A median is a patient's own day: it is drawn no finer than it is told.
    """
    if quantity != "survival":
        return []
    end, x = ticks[-1], time_axis(ticks, origin, "median")
    found = {label: pick(results, "median", group) for label, (group, _) in series.items()}
    known = {
        name: round(row["estimate"], 1) for name, row in found.items() if row["estimate"] <= end
    }
    if not known:
        return []
    drops = pd.DataFrame({"median": known.values(), "series": list(known), "half": 0.5})
    half = pd.DataFrame({"median": [0], "to": [max(known.values())], "half": [0.5]})
    dashed = {"strokeDash": [3, 3], "strokeWidth": 1}
    layers = [
        alt.Chart(half)
        .mark_rule(color=INK, opacity=0.5, **dashed)
        .encode(x=x, x2="to:Q", y="half:Q"),
        alt.Chart(drops).mark_rule(**dashed).encode(x=x, y="half:Q", y2=alt.datum(0), color=colour),
    ]
    # Left of its median a curve is above one half, so the words have room under it.
    word = "median " * all(month > end / 5 for month in known.values())
    texts = [word + written(found[label]) for label in known]
    told = drops.assign(text=texts, foot=[0.03 + 0.06 * place for place in range(len(drops))])
    for right, those in told.groupby(_crossed(told, end)):
        side = {"align": "left", "dx": 4} if right else {"align": "right", "dx": -4}
        words = alt.Chart(those).mark_text(fontSize=LABEL_SIZE, **side)
        layers.append(words.encode(x=x, y="foot:Q", text="text:N", color=colour))
    return layers


def _crossed(told: pd.DataFrame, end: float) -> pd.Series:
    """Which words, left of their line on a small chart, would lie on the line before it."""
    before = told["median"].sort_values().shift()
    room = WIDTHS[0] * (told["median"] - before) / end
    return room < 0.6 * SMALLEST * told["text"].str.len() + 8


def _percent(share: float) -> str:
    return f"{shown(share, 'survival')}%"


def landmarks(
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


def landmark_layers(
    landmarks: pd.DataFrame,
    end: float,
    x: alt.X,
    colour: alt.Color,
    steps: pd.DataFrame | None = None,
    medians: Sequence[float] = (),
) -> list[alt.Chart]:
    """Points, bars and figures; of two curves the second stands a little to the right.

    At each landmark the figure of the higher curve stands above it, that of the lower below. A
    figure for which the chart is too narrow is not drawn: the last landmark's comes first, then
    the others from left to right. So it is where its curve, of `steps`, or a line of the `medians`
    would cross it, and of two curves both have one or none. The table has them all.
    """
    layers = []
    places = landmarks.groupby("month")["estimate"].rank(ascending=False, method="first") - 1
    feet = landmarks.assign(foot=landmarks[["lower", "estimate"]].min(axis=1))
    feet = feet.groupby("month")["foot"].max()  # of the higher of two curves
    heights = [
        _label_height(row, places[number], feet[row["month"]])
        for number, row in landmarks.iterrows()
    ]
    last_first = (
        landmarks["month"].eq(landmarks["month"].max()).sort_values(ascending=False, kind="stable")
    )
    told = landmarks.assign(label_at=heights).loc[last_first.index].dropna(subset=["label_at"])
    tops = HEIGHT * (1 - told["label_at"])
    crossed = _crossing(told, end, steps, medians)
    told["from_width"] = least_widths(told["month"] / end, tops, told["text"], crossed=crossed)
    alone = told["month"].isin(landmarks["month"][[isnan(height) for height in heights]])
    told["from_width"] = told.groupby("month")["from_width"].transform("max").mask(alone, NEVER)
    for place, (name, rows) in enumerate(landmarks.groupby("series", sort=False)):
        base = alt.Chart(rows).encode(x=x, xOffset=alt.value(4 * place), color=colour)
        layers += [
            base.transform_filter("isValid(datum.lower)")
            .mark_rule(strokeWidth=1.5)
            .encode(y="lower:Q", y2="upper:Q"),
            base.mark_point(filled=True, size=45, opacity=1).encode(y="estimate:Q"),
            alt.Chart(told[told["series"].eq(name)].sort_index())
            .mark_text(dx=4 * place, fontSize=LABEL_SIZE, fontWeight="bold")
            .encode(x=x, y="label_at:Q", text="text:N", fillOpacity=WHERE_ROOM, color=colour),
        ]
    return layers


def least_widths(
    at: Sequence[float],
    tops: Sequence[float],
    texts: Sequence[str],
    size: float | None = None,
    crossed: Callable[[int, float, float], bool] = lambda *_: False,
) -> list[int]:
    """From which width of the axis on each label touches none of those before it.

    `at` is the share of the axis at which a label is centred, `tops` its height in pixels, `size`
    that of its letters, by default LABEL_SIZE's. A label that never has room gets NEVER.
    `crossed` says of a label's place, half its share of the axis and its height in pixels whether
    something else lies on it.
    """
    needed = [0] * len(texts)
    for width in WIDTHS:
        high = size or min(max(width / 35, SMALLEST), LARGEST)
        kept: list[tuple[float, float, float]] = []
        for place, (share, top, text) in enumerate(zip(at, tops, texts, strict=True)):
            half = 0.34 * high * len(text) + 1
            free = all(
                abs(share * width - x) >= half + other or abs(top - y) >= 1.2 * high
                for x, y, other in kept
            ) and not crossed(place, half / width, high)
            if free:
                kept.append((share * width, top, half))
            else:
                needed[place] = width + WIDTHS.step
    return [NEVER if width > WIDTHS[-1] else width for width in needed]


def _crossing(
    told: pd.DataFrame, end: float, steps: pd.DataFrame | None, medians: Sequence[float]
) -> Callable[[int, float, float], bool]:
    """Whether a label's own curve, or a dashed line of a median, lies on it."""
    curves = {} if steps is None else dict(iter(steps.groupby("series")))
    known = [month for month in medians if month <= end]

    def crossed(place: int, half: float, high: float) -> bool:
        month, name, middle = told.iloc[place][["month", "series", "label_at"]]
        low, top = middle - 0.6 * high / HEIGHT, middle + 0.6 * high / HEIGHT
        first, last = month - half * end, month + half * end
        drops = any(first < median < last for median in known)
        if low < 0.5 and (drops or top > 0.5 and first < max(known, default=0)):
            return True
        if name not in curves:
            return False
        start, stop = np.searchsorted(curves[name]["month"], [first, last], "right")
        here = curves[name]["estimate"].iloc[max(start - 1, 0) : stop]
        return bool(here.min() < top and here.max() > low)

    return crossed


def _label_height(row: pd.Series, place: int, over: float) -> float:
    """Above the interval; for a second curve below it, where the axis leaves room.

    Where it does not, above it if that is below what is `over` it, and else nowhere.
    """
    gap = 0.03
    ends = row[["lower", "estimate", "upper"]].dropna()
    below, above = ends.min() - 1.5 * gap, ends.max() + gap
    if place and below > gap:
        return round(below, 5)
    return round(above, 5) if not place or above + gap < over else np.nan


def series_labels(series: Sequence[str], colour: alt.Color, falling: bool) -> list[alt.Chart]:
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


def hover_layers(curves: alt.Chart, form: str = ".1%") -> list[alt.Chart]:
    """What is told of the step under the pointer, its estimate in a form of Vega."""
    nearest = alt.selection_point(
        name="nearest", nearest=True, on="pointermove", clear="pointerout",
        fields=["month", "series"], empty=False,
    )  # fmt: skip
    tooltip = [
        alt.Tooltip("series:N", title="Curve"),
        alt.Tooltip("told:Q", title=told().one.capitalize(), format=f".{told().decimals}f"),
        alt.Tooltip("estimate:Q", title="Estimate", format=form),
        alt.Tooltip("interval:N", title="95% CI"),
        alt.Tooltip("at_risk:N", title="At risk"),
    ]
    # Put together where it is read: as text it would be a tenth of the page.
    ends = f"format(datum.lower, '{form}') + '–' + format(datum.upper, '{form}')"
    hovered = curves.transform_calculate(
        told=in_unit("datum.month"), interval=f"isValid(datum.lower) ? {ends} : '{MISSING}'"
    )
    points = hovered.mark_point(size=120, filled=True).encode(
        opacity=alt.condition(nearest, alt.value(1), alt.value(0)), tooltip=tooltip
    )
    return [points.add_params(nearest).properties(name=HOVER)]


def number_rows(
    results: pd.DataFrame,
    rows: Mapping[str, tuple[str, str, str]],
    ticks: Sequence[float],
    x: alt.X,
) -> list[alt.Chart]:
    """Numbers under the axis, each centred on the axis's own tick, where there is room.

    They stand on the last line of their heading, which no label is too long for.
    """
    lines = {
        label: [_count(results, *source, number) for number in ticks]
        for label, source in rows.items()
    }
    if not lines:
        return []
    longest = [max(texts, key=len) for texts in zip(*lines.values(), strict=True)]
    shares = [number / ticks[-1] for number in ticks]
    widths = least_widths(shares, [0] * len(ticks), longest, size=11)
    before = max(22, 9 + 3 * len(longest[0]))  # pixels: half of the first number, and room
    layers, top = [], HEIGHT + 58
    for place, (label, counts) in enumerate(lines.items()):
        words = wrap(label, HEADING)
        height = top + LINE * (len(words) - 1)
        numbers = pd.DataFrame({"month": ticks, "count": counts, "from_width": widths})
        drawn = (
            alt.Chart(numbers)
            .mark_text(fontSize=11)
            .encode(x=x, y=alt.value(height), text="count:N", fillOpacity=WHERE_ROOM)
        )
        heading = alt.Chart(pd.DataFrame({"label": ["\n".join(words)]})).mark_text(
            align="right", dx=-before, fontSize=11, lineBreak="\n", lineHeight=LINE
        )
        heading = heading.encode(x=alt.value(0), y=alt.value(top), text="label:N")
        top = height + ROW
        named = f"{UNDER}_{place}"
        layers += [heading.properties(name=named), drawn.properties(name=f"{named}_counts")]
    return layers


def flat(spec: dict) -> str:
    """A compiled chart as SVG, flatter and with larger letters than on the page.

    A chart whose height tells of its rows keeps it. A place in the lower half of a chart, or under
    its axis, stays as far from the axis.
    """
    if spec["height"] == HEIGHT:
        spec = {**spec, "height": FLAT}
        for mark in spec["marks"]:
            drawn = mark.get("encode", {}).get("update", {})
            for place in (drawn.get("y"), drawn.get("y2")):
                if isinstance(place, dict) and place.get("value", 0) > HEIGHT / 2:
                    place["value"] -= HEIGHT - FLAT
    return vl_convert.vega_to_svg(still(spec, WIDE))


def _count(results: pd.DataFrame, quantity: str, group: str, column: str, month: float) -> str:
    """A number under the axis; past the end of follow-up, where it is not known, a dash."""
    number = pick(results, quantity, group, month)[column]
    past = pd.isna(number) and at_risk(results, group, month) == 0
    return MISSING if past else counted(number)
