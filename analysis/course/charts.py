"""Charts of the lessons: curves of several groups, wrong beside right, moved by the reader.

What a reader moves holds even steps of time only: few bytes for each choice. So does all of a
dataset that is not public, and no patient's own day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from .. import survival as est
from ..dataset.model import Dataset
from ..page.charts import CHOICE, COLOURS, HEIGHT, INK, LABEL_SIZE, STYLE, share_axis, time_axis
from ..page.page import Page
from ..study.curves import even_months, last_month, thinned
from ..study.marks import number_rows

DASHES = ([1, 0], [5, 4])  # what is right is drawn through, what is wrong in dashes


def monthly(
    dataset: Dataset, curve: pd.DataFrame, share: str = "survival", begin: float = 0.0
) -> pd.DataFrame:
    """A curve in days as `month` and `estimate` at even months from `begin` to its end.

    `share` is the curve's column to take. Rounded to more than a screen shows.
    """
    months = even_months(dataset, last_month(dataset, curve.index), begin)
    values = est.at(curve, [dataset.days(month) for month in months])
    drawn = pd.DataFrame({"month": months, "estimate": values[share].round(4).to_numpy()})
    return drawn.dropna(ignore_index=True)


def stepped(
    dataset: Dataset, curve: pd.DataFrame, share: str = "survival", begin: float = 0.0
) -> pd.DataFrame:
    """The same at the days on which the curve moves, where these may be shown."""
    if not dataset.public:
        return monthly(dataset, curve, share, begin)
    first = est.at(curve, [dataset.days(begin)])[share]
    values = pd.concat([first, curve[share][curve.index > dataset.days(begin)]])
    months = [round(dataset.months(day), 3) for day in values.index]
    drawn = pd.DataFrame({"month": months, "estimate": values.round(4).to_numpy()})
    return drawn.dropna(ignore_index=True)


def curves_chart(
    steps: pd.DataFrame,
    series: Sequence[str],
    ticks: Sequence[float],
    origin: str = "",
    styles: Mapping[str, int] | None = None,
    choice: int | None = None,
    marks: pd.DataFrame | None = None,
    more: Sequence[alt.Chart] = (),
    smooth: Sequence[str] = (),
    under: Sequence[alt.Chart] = (),
) -> alt.LayerChart:
    """Curves of shares over time, in steps unless they are named as `smooth`.

    Without an `origin` the patients are invented and their time is in months. `steps` has `month`,
    `estimate`, `series`; with a `choice`, the number of the one that is shown first, also `choice`.
    `series` gives the order of the curves' names, which stand in the corner; the first two have a
    colour each, and so on in turn; of three the last has that of the text. `styles` gives some a
    dash (1). `marks` has a `month`, a `text` and, with a choice, a `choice`: vertical rules with
    words, which begin below the names. `more` are layers under the curves, on `time_axis` and
    `share_axis`; they follow the choice as well. `under` are the numbers under the axis.
    """
    hues = [*COLOURS, INK] if len(series) == 3 else COLOURS
    colours = [hues[number % len(hues)] for number in range(len(series))]
    dashes = [DASHES[(styles or {}).get(name, 0)] for name in series]
    names = list(series)
    x, y = time_axis(ticks, origin), share_axis()
    colour = alt.Color("series:N", legend=None, scale=alt.Scale(domain=names, range=colours))
    dash = alt.StrokeDash("series:N", legend=None, scale=alt.Scale(domain=names, range=dashes))
    layers = [*more]
    of = ["series"] if choice is None else ["series", "choice"]
    parts = steps.groupby(of, sort=False)
    steps = pd.concat(thinned(curve, len(names), ticks[-1]) for _, curve in parts)
    for shape, drawn in (
        ("step-after", steps[~steps["series"].isin(smooth)]),
        ("linear", steps[steps["series"].isin(smooth)]),
    ):
        if len(drawn):
            lines = alt.Chart(drawn).mark_line(interpolate=shape, strokeWidth=2, clip=True)
            layers.append(lines.encode(x=x, y=y, color=colour, strokeDash=dash))
    if marks is not None:
        layers += _rules(marks, x, len(names))
    if choice is not None:
        layers = [layer.transform_filter(f"datum.choice == {CHOICE}") for layer in layers]
    layers += [*_names(names, colour, dash), *under]
    return finished(layers, choice)


def numbers_at_risk(
    page: Page, groups: Mapping[str, tuple[str, str]], ticks: Sequence[float], origin: str
) -> list[alt.Chart]:
    """Under the axis, how many of each curve are still followed, where all curves have begun.

    A curve is the quantity and the group of its rows, whose `n` are at risk.
    """
    begun = [month for month in ticks if all((*curve, month) in page for curve in groups.values())]
    rows = {f"At risk, {label}": (*curve, "n") for label, curve in groups.items()}
    return number_rows(page.numbers, rows, begun, time_axis(ticks, origin)) if begun else []


def finished(layers: Sequence[alt.Chart], choice: int | None = None) -> alt.LayerChart:
    """Layers as one chart in the style of the book, with its parameter where the reader chooses."""
    chart = alt.layer(*layers).properties(width="container", height=HEIGHT)
    if choice is not None:
        chart = chart.add_params(alt.param(name=CHOICE, value=choice))
    return chart.configure(**STYLE)


def parts_legend(
    parts: Mapping[str, float], colour: alt.Color, at_right: bool = False
) -> list[alt.Chart]:
    """The names of stacked parts at an upper corner, the highest first, and how dark each is."""
    square, word, side = (8, 18, "left")
    if at_right:
        square, word, side = (alt.ExprRef("width - 6"), alt.ExprRef("width - 16"), "right")
    made = []
    for place, (part, opacity) in enumerate(reversed(parts.items())):
        base = alt.Chart(pd.DataFrame({"part": [part]})).encode(y=alt.value(8 + 17 * place))
        made += [
            base.mark_point(shape="square", filled=True, size=90, opacity=opacity).encode(
                x=alt.value(square), color=colour
            ),
            base.mark_text(align=side, fontSize=LABEL_SIZE, fontWeight="bold").encode(
                x=alt.value(word), text="part:N"
            ),
        ]
    return made


def _rules(marks: pd.DataFrame, x: alt.X, names: int) -> list[alt.Chart]:
    """Vertical rules, below so many names, with words beside their lower end."""
    base = alt.Chart(marks).encode(x=x)
    return [
        base.mark_rule(strokeDash=[2, 3], opacity=0.7, color=INK).encode(
            y=alt.value(18 * names), y2=alt.value(HEIGHT)
        ),
        base.mark_text(align="left", dx=5, fontSize=LABEL_SIZE).encode(
            y=alt.value(HEIGHT - 12), text="text:N"
        ),
    ]


def _names(series: Sequence[str], colour: alt.Color, dash: alt.StrokeDash) -> list[alt.Chart]:
    """The curves' names at the upper right, each with a piece of its line."""
    rows = pd.DataFrame({"series": series, "top": [6 + 18 * place for place in range(len(series))]})
    base = alt.Chart(rows).encode(y=alt.Y("top:Q", scale=None, axis=None))
    return [
        base.mark_rule(strokeWidth=2).encode(
            x=alt.value(alt.ExprRef("width - 26")),
            x2=alt.value(alt.ExprRef("width")),
            color=colour,
            strokeDash=dash,
        ),
        base.mark_text(align="right", fontSize=LABEL_SIZE, fontWeight="bold").encode(
            x=alt.value(alt.ExprRef("width - 32")), text="series:N", color=colour
        ),
    ]
