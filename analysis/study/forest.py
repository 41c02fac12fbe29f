"""Forest plots of hazard ratios.

A plot is laid out in pixels, row by row, so that a phone and a desk read the same drawing. Where
the chart is narrow a factor's label stands over its marks instead of beside them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from math import exp, floor, isnan, log

import altair as alt
import pandas as pd

from ..dataset.endpoints import Endpoint
from ..page.charts import GROUP_COLOURS, INK, STYLE, Figure
from ..page.formats import in_patients
from ..page.page import Number, Page
from .models import factor_labels, ratio_labels

MODELS = {"univariate": "Alone", "multivariate": "Stepwise model"}
SIDES = ("first-named does better", "does worse")
SHAPES = ("circle", "square", "diamond")  # told apart without colour too
Looks = Mapping[str, tuple[str, str]]  # a colour and a shape for each model

NARROW = "width < 540"
LINE = 46  # pixels of a factor's row
MORE = 14  # for each mark beside its first
HEAD = 48  # pixels over the first row: the key and what the sides mean
APART = 7  # pixels from a row's middle to each of its two marks, half of those between them
LABELS, TEXTS, LETTER = 255, 145, 6.6  # pixels beside the axis of a wide chart, and of a letter
LEAST_SPAN, MOST_SPAN = 2.0, 100.0  # the axis goes from 1/span to span
FAR = 16.0  # a ratio beyond it is an arrow at the end of the axis, or all others would be one heap


def forest_figure(page: Page, question: Endpoint, caption: str) -> Figure:
    """Each factor's hazard ratio alone, and in the stepwise model where that keeps it."""
    rows = _ratios(page, question)
    count = len(factor_labels(page.data, question))
    words = (
        f"Forest plot. {question.title}: hazard ratios of {count} factor{'s'[: count != 1]} on a "
        f"log axis; below 1, the first-named side does better. "
    )
    for model, lines in rows.groupby("model", sort=False):
        named = [f"{row.label} {row.words}" for row in lines.itertuples()]
        words += f"{model}: {'; '.join(named)}. "
    caption += " An arrow: the interval runs past the axis." * bool(_past(rows).any(axis=None))
    caption += " Squares: the stepwise model." * (MODELS["multivariate"] in {*rows["model"]})
    said = f"{question.title} in {in_patients(question.size)}."
    part = f"forest-{question.name}"
    return page.figure(part, forest_chart(rows), words.strip(), caption, said=said)


def _ratios(page: Page, question: Endpoint) -> pd.DataFrame:
    """A row for each mark of the plot: its factor, its model, its ratio, its place in pixels."""
    made = []
    for place, (key, name) in enumerate(ratio_labels(page.data, question).items()):
        models = [model for model in MODELS if (f"hazard_ratio_{model}", key) in page]
        for number, model in enumerate(models):
            ratio = page[f"hazard_ratio_{model}", key]
            made.append(mark(ratio, name, MODELS[model], place, number, len(models)))
    return pd.DataFrame(made)


def mark(ratio: Number, label: str, model: str, place: int, number: int, marks: int) -> dict:
    """One mark of a plot: a ratio in the row at a place, the `number`-th of its `marks`."""
    return {
        "place": place,
        "label": label,
        "model": model,
        "number": number,
        "apart": APART * (2 * number - (marks - 1)),
        "text": ratio.cell,
        "words": str(ratio.ci) if ratio.known else ratio.cell,
        **{part: _figures(ratio.row[part]) for part in ("estimate", "lower", "upper")},
    }


def _figures(value: float) -> float | None:
    """Five significant figures, more than a screen shows."""
    return None if isnan(value) else float(f"{min(value, 1e300):.5g}")


def span_of(rows: pd.DataFrame, far: float = FAR) -> float:
    """The axis goes from 1/span to span, so that as much better is as far off as as much worse.

    It holds every estimate that is not `far` off; where all are, those up to a hundredfold. Limits
    may widen it to four times what the estimates need; a limit beyond that is cut, for it would
    press all else together.
    """
    near = rows["estimate"].astype(float).between(1 / far, far)
    rows = rows[near] if near.any() else rows

    def reach(*parts: str) -> float:
        sizes = rows[list(parts)].astype(float).stack()
        return exp(sizes[sizes > 0].map(log).abs().max()) if (sizes > 0).any() else 1.0

    estimates = min(max(reach("estimate"), LEAST_SPAN), MOST_SPAN)
    return float(f"{max(LEAST_SPAN, min(reach('lower', 'upper'), 4 * estimates)) * 1.1:.4g}")


def _past(rows: pd.DataFrame, span: float | None = None) -> pd.DataFrame:
    """Which limits of the ratios run past the axis."""
    span = span or span_of(rows)
    limits = rows.loc[rows["estimate"].notna(), ["lower", "upper"]].astype(float)
    return pd.DataFrame({"lower": limits["lower"] < 1 / span, "upper": limits["upper"] > span})


def ticks_of(span: float) -> list[float]:
    """Powers of 2 within the axis, or of 4 or 10 where a phone has no room for those."""
    base = 2 if span < 16 else 4 if span < 64 else 10
    most = floor(log(span) / log(base) + 1e-9)
    return [float(base**power) for power in range(-most, most + 1)]


def forest_chart(
    rows: pd.DataFrame,
    models: Sequence[str] = (*MODELS.values(),),
    sides: Sequence[str] = SIDES,
    first: int = 0,
) -> alt.LayerChart:
    """Rows of `mark` on a log axis, with labels, figures and the meaning of the sides of 1.

    Each of the `models` has a colour and a shape; the colours begin with the `first`, so that a
    group has that of its curve. `sides` says what is below 1, and what above.
    """
    looks = dict(zip(models, zip(cycle(GROUP_COLOURS[first:]), cycle(SHAPES)), strict=False))
    span, more = span_of(rows), rows["number"].max()
    line = LINE + MORE * more
    rows = rows.assign(middle=HEAD + line * (rows["place"] + 0.5))
    height = HEAD + line * (rows["place"].max() + 1)
    texts = max(TEXTS, LETTER * rows["text"].str.len().max())
    x = alt.X(
        "at:Q",
        title="Hazard ratio (log scale)",
        scale=alt.Scale(
            type="log",
            domain=[1 / span, span],
            nice=False,
            range=[
                alt.ExprRef(f"{NARROW} ? 10 : {LABELS}"),
                alt.ExprRef(f"{NARROW} ? width - 10 : width - {texts:.0f}"),
            ],
        ),
        axis=alt.Axis(values=ticks_of(span), grid=False, format="~g", labelFlush=False),
    )
    y = alt.Y("y:Q", axis=None, scale=None)
    layers = [
        *_row_rules(rows, line, x, y),
        *_mark_layers(rows.dropna(subset=["estimate"]), looks, span, x, y),
        *_row_texts(rows, looks, line, y),
        *_heading(rows, looks, sides, x),
    ]
    chart = alt.layer(*layers).properties(width="container", height=int(height))
    return chart.configure(**STYLE)


def _row_rules(rows: pd.DataFrame, line: float, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    """The line of no difference, cut where a narrow chart has a label, and a hair between rows."""
    middles = rows["middle"].drop_duplicates()
    pieces = pd.DataFrame({"y": middles - line / 2, "end": middles + line / 2, "at": 1.0})
    hairs = alt.Chart(pieces[["y"]]).mark_rule(color=INK, opacity=0.12)
    one = alt.Chart(pieces).mark_rule(
        color=INK,
        opacity=0.6,
        strokeDash=[3, 3],
        yOffset=alt.ExprRef(f"{NARROW} ? 20 + {line - LINE} : 0"),
    )
    return [
        hairs.encode(x=alt.value(0), x2=alt.value("width"), y=y),
        one.encode(x=x, y=y, y2="end:Q"),
    ]


def _mark_layers(
    rows: pd.DataFrame, looks: Looks, span: float, x: alt.X, y: alt.Y
) -> list[alt.Chart]:
    """Lines from limit to limit, marks at the ratios, arrows where a limit runs past the axis."""
    if rows.empty:
        return []
    inside = rows[["estimate", "lower", "upper"]].astype(float).clip(1 / span, span)
    inside.columns = ["at", "low", "high"]
    marks = rows.join(inside).assign(y=rows["middle"] + rows["apart"])
    models, (colours, shapes) = [*looks], zip(*looks.values(), strict=True)
    colour = alt.Color("model:N", legend=None, scale=alt.Scale(domain=models, range=colours))
    shape = alt.Shape("model:N", legend=None, scale=alt.Scale(domain=models, range=shapes))
    tooltip = [
        alt.Tooltip("label:N", title="Factor"),
        alt.Tooltip("model:N", title="Model"),
        alt.Tooltip("text:N", title="HR (95% CI)"),
    ]
    down = alt.ExprRef(f"{NARROW} ? {9 + MORE / 2 * rows['number'].max()} : 0")
    base = alt.Chart(marks).encode(y=y, color=colour)
    layers = [
        base.mark_rule(strokeWidth=2, yOffset=down, y2Offset=down).encode(x="low:Q", x2="high:Q"),
        base.mark_point(filled=True, size=70, opacity=1, yOffset=down)
        .transform_filter(f"{1 / span} <= datum.estimate && datum.estimate <= {span}")
        .encode(x=x, shape=shape, tooltip=tooltip),
    ]
    past = _past(marks, span)
    for beyond, end, arrow in (
        (past["lower"], 1 / span, "triangle-left"),
        (past["upper"], span, "triangle-right"),
    ):
        if beyond.any():
            arrows = base.properties(data=marks[beyond].assign(at=end)[["at", "y", "model"]])
            mark = arrows.mark_point(filled=True, size=90, opacity=1, shape=arrow, yOffset=down)
            layers.append(mark.encode(x=x))
    return layers


def _row_texts(rows: pd.DataFrame, looks: Looks, line: float, y: alt.Y) -> list[alt.Chart]:
    """A factor's label to the left, its figures to the right; narrow, both over its marks."""
    size = alt.ExprRef("clamp(width / 31, 9, 12)")
    up = 11 - line / 2  # from the middle of a row to its first line of text, where narrow
    first = rows.drop_duplicates("place").assign(y=lambda frame: frame["middle"])
    label = alt.Chart(first[["y", "label"]]).mark_text(
        align="left",
        fontSize=size,
        dy=alt.ExprRef(f"{NARROW} ? {up} : 0"),
        limit=alt.ExprRef(f"{NARROW} ? width - 100 : {LABELS - 15}"),
    )
    layers = [label.encode(x=alt.value(0), y=y, text="label:N", tooltip="label:N")]
    for (model, number, apart), group in rows.groupby(["model", "number", "apart"], sort=False):
        text = alt.Chart(group.assign(y=group["middle"])[["y", "text"]]).mark_text(
            align="right",
            fontSize=size,
            dy=alt.ExprRef(f"{NARROW} ? {up + MORE * number} : {apart}"),
            color=looks[model][0] if len(looks) > 1 else INK,
        )
        layers.append(text.encode(x=alt.value("width"), y=y, text="text:N"))
    return layers


def _heading(rows: pd.DataFrame, looks: Looks, sides: Sequence[str], x: alt.X) -> list[alt.Chart]:
    """The key of the marks, the heading of the figures, and which side of 1 means what."""
    size = alt.ExprRef("clamp(width / 31, 9, 12)")
    words = alt.Chart(pd.DataFrame({"at": [1.0]}))
    layers = [
        words.mark_text(align="right", fontSize=size, fontWeight="bold", text="HR (95% CI)").encode(
            x=alt.value("width"), y=alt.value(8)
        ),
        words.mark_text(align="right", dx=-8, fontSize=size, text=f"← {sides[0]}")
        .encode(x=x, y=alt.value(HEAD - 14)),
        words.mark_text(align="left", dx=8, fontSize=size, text=f"{sides[1]} →")
        .encode(x=x, y=alt.value(HEAD - 14)),
    ]  # fmt: skip
    left = 6
    for model, (colour, shape) in looks.items():
        if model in set(rows["model"]):
            layers += [
                words.mark_point(filled=True, size=70, opacity=1, color=colour, shape=shape)
                .encode(x=alt.value(left), y=alt.value(8)),
                words.mark_text(align="left", fontSize=size, fontWeight="bold", text=model)
                .encode(x=alt.value(left + 10), y=alt.value(8)),
            ]  # fmt: skip
            left += max(64, 24 + LETTER * len(model))
    return layers
