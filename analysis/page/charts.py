"""Charts as data: one house style, drawn by Altair and put on the page with words for all.

A chart reaches the page as static SVG, its Vega specification and its text alternative. The site's
script draws it alive where scripts run. Text, axes and rules take the colour of the text
around them, so that one drawing serves light and dark.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import altair as alt
from altair.utils.schemapi import disable_debug_mode

from ..dataset.model import Dataset
from .drawing import draw
from .prose import Prose
from .units import told

# The tests validate the charts of a book. Nothing is validated on the way to it: that
# would take as long as all else that a chart does.
disable_debug_mode()
# Twelve pairs of curves over forty years are more rows than Altair draws unless told to.
alt.data_transformers.disable_max_rows()

HEIGHT = 340
ROW = 17  # pixels between the rows of numbers under the axis
SHORTEST = 220  # pixels that a title or a label may take: those of the axis on a small phone
HEADING = 20  # letters of a row of numbers' heading in a line
WIDTHS = range(160, 1000, 20)  # pixels of an axis at which its labels are tried
# Okabe & Ito 2008: told apart with any colour vision. The site gives each theme its own shade.
HUES = ("#0072b2", "#d55e00", "#00735a", "#a0478a", "#7d6200", "#5b5b5b", "#b3261e", "#2b6f8f")
# Of more groups than these the first colours come again.
GROUP_COLOURS = [f"var(--series-{place}, {hue})" for place, hue in enumerate(HUES, start=1)]
COLOURS = tuple(GROUP_COLOURS[:2])
INK = "currentColor"
SMALLEST, LARGEST = 10, 12  # pixels of a label on a phone and at a desk
LABEL_SIZE = alt.ExprRef(f"clamp(width / 35, {SMALLEST}, {LARGEST})")
TITLE_SIZE = alt.ExprRef("width < 270 ? 10 : 12")  # of an axis that names where time starts
UNDER = "under"  # the layer of the numbers under the axis
FOCUS, FADED = "focus", 0.15  # the curve whose name is pressed, and what is left of the others
# What a drawing is saved for, and its size, by the name that the site's script has for it.
SIZES = {
    "column": ("For a manuscript, one column", "89 mm"),
    "page": ("For a manuscript, two columns", "183 mm"),
    "slide": ("For a slide", "16:9"),
}
CHOICE = "choice"  # the number of what the reader has chosen, from 0
# An axis of heights: its title stands over it, where it can be read.
UPRIGHT = {
    "domain": False,
    "ticks": False,
    "titleAlign": "left",
    "titleAngle": 0,
    "titleBaseline": "bottom",
    "titleLimit": alt.ExprRef(f"max({SHORTEST}, width)"),
    "titleX": -34,
    "titleY": -14,
}
STYLE = {
    "font": "Inter, system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif",
    "background": "transparent",
    "aria": False,  # the chart has one text alternative; the page hides its marks
    "view": {"stroke": None},
    "text": {"color": INK, "fontSize": 12},
    "axis": {
        "labelColor": INK,
        "titleColor": INK,
        "domainColor": INK,
        "tickColor": INK,
        "gridColor": INK,
        "gridOpacity": 0.12,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    },
}


@dataclass(frozen=True)
class Choice:
    """What a reader may move under a chart, and the answer to each choice, computed beforehand.

    `label` names it, `values` are its stations as a reader sees them, `answers` a sentence for
    each, `start` the number of the one that is shown first. The chart has a parameter CHOICE with
    that number, and filters its data by it.
    """

    label: str
    values: Sequence[str]
    answers: Sequence[Prose | str]
    start: int = 0

    def html(self, name: str) -> str:
        """A slider, the answer to what is chosen, and all answers for who has no script."""
        place, label = html.escape(f"{name}-choice"), html.escape(self.label)
        answers = [
            answer.html if isinstance(answer, Prose) else html.escape(answer)
            for answer in self.answers
        ]
        every = "".join(
            f'<li data-value="{html.escape(value)}">{answer}</li>'
            for value, answer in zip(self.values, answers, strict=True)
        )
        return (
            f'<div class="chart-choice" hidden><label for="{place}">{label}</label>'
            f'<input type="range" id="{place}" min="0" max="{len(answers) - 1}" step="1" '
            f'value="{self.start}" aria-valuetext="{html.escape(self.values[self.start])}">'
            f'<output for="{place}">{html.escape(self.values[self.start])}</output></div>'
            f'<p class="chart-answer" aria-live="polite">{answers[self.start]}</p>'
            f'<details class="every-number"><summary>{_all_of(len(answers))}</summary>'
            f'<ol class="chart-answers">{every}</ol></details>'
        )


@dataclass(frozen=True)
class Views:
    """A control between views of one thing: the name of each, by the tag of the cells that it has.

    The site's script shows the cells of one view. Without it all are there, and the control is not.
    """

    names: Mapping[str, str]

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        buttons = "".join(
            f'<button type="button" data-view="{html.escape(tag)}">{html.escape(name)}</button>'
            for tag, name in self.names.items()
        )
        control = (
            f'<div class="chart-views" role="group" aria-label="Curves" hidden>{buttons}</div>'
        )
        return {"text/html": control, "text/plain": " | ".join(self.names.values())}


def _saved(title: str) -> str:
    """The menu of a drawing's files, in the sizes that book/_extra/saving.js knows."""
    sizes = "".join(
        f"<dt>{use} ({size})</dt><dd>"
        + "".join(
            f'<button type="button" data-save="{kind.lower()}" data-format="{name}" '
            f'aria-label="{kind}, {size}: {title}">{kind}</button>'
            for kind in ("PNG", "PDF", "SVG")
        )
        + "</dd>"
        for name, (use, size) in SIZES.items()
    )
    return (
        f'<details hidden><summary aria-label="Download: {title}">Download</summary>'
        f"<dl>{sizes}</dl></details>"
    )


def _all_of(answers: int) -> str:
    return f"All {answers} answers" if answers > 1 else "The one answer"


@dataclass(frozen=True)
class Figure:
    """A chart for the page. `alt` says in words what it shows, `caption` how to read its marks.

    `name` begins with the page's, as in `page` or `page-part`. The caption's first sentence names
    the figure. `curves` are the names of several curves, each of which can stand out; `choice` is
    what the reader may move. `said` is what a drawing that leaves the page says over its marks: of
    whom it is, and its numbers. The site's script puts it there, with the caption and the source.
    """

    name: str
    chart: alt.LayerChart
    alt: str
    caption: str
    curves: Sequence[str] = ()
    choice: Choice | None = None
    said: str = ""

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/html": self._html(), "text/plain": self.alt}

    def _html(self) -> str:
        return (
            f'<figure class="chart-figure" id="{html.escape(self.name)}" '
            f'data-said="{html.escape(self.said)}">'
            f"{drawing(self.chart, self.name, self.alt)}"
            f"{self.choice.html(self.name) if self.choice else ''}"
            f"{self._controls()}<figcaption>{html.escape(self.caption)}</figcaption></figure>"
        )

    def _controls(self) -> str:
        """The names of its curves to press, its drawing to save, its numbers and notebook.

        The links need no script. The names and the drawing's menu do, and stay hidden without it.
        """
        page, title = self.name.split("-")[0], html.escape(self.caption.split(".")[0])
        names = "".join(
            f'<button type="button" aria-pressed="false" data-curve="{html.escape(name)}" '
            f'class="series-{place % len(HUES) + 1}">{html.escape(name)}</button>'
            for place, name in enumerate(self.curves)
        )
        links = "".join(
            f'<a href="{quote(path)}" download aria-label="{words}: {title}">{words}</a>'
            for words, path in (
                ("Numbers (CSV)", f"results/{page}.csv"),
                ("Notebook", f"_sources/{page}.ipynb"),
            )
        )
        curves = f'<div class="chart-curves" role="group" aria-label="Curves of {title}" hidden>'
        files = f'<div class="chart-files" role="group" aria-label="Files of {title}">'
        return (f"{curves}{names}</div>" if names else "") + (
            f"{files}{_saved(title)}{links}</div>"
        )


def drawing(chart: alt.TopLevelMixin, name: str, words: str) -> str:
    """A chart alone, as HTML: its drawing, its specification, and what it shows in `words`."""
    spec, svg = _drawn(chart, name)
    # No "<" in the data, so that no label can end or open a script element.
    data = json.dumps(spec, separators=(",", ":"), sort_keys=True).replace("<", "\\u003c")
    return (
        f'<div class="chart" role="img" aria-label="{html.escape(words)}">'
        f'<div class="chart-static" aria-hidden="true">{svg}</div>'
        f'<script type="application/json" class="chart-spec">{data}</script></div>'
    )


def share_axis(column: str = "estimate", title: str = "Share of patients", top: float = 1) -> alt.Y:
    """The shares of a chart, from none to all or as far as `top`."""
    return alt.Y(
        f"{column}:Q",
        title=title,
        scale=alt.Scale(domain=[0, top]),
        axis=alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1], **UPRIGHT),
    )


def count_axis(column: str = "estimate", title: str = "Events for each patient") -> alt.Y:
    """The mean numbers of events of a chart, from none."""
    axis = alt.Axis(tickCount=5, **UPRIGHT)
    return alt.Y(f"{column}:Q", title=title, scale=alt.Scale(domainMin=0), axis=axis)


def time_axis(
    ticks: Sequence[float], origin: str = "", column: str = "month", end: float | None = None
) -> alt.X:
    """The time of a chart, in months and told in the unit of the dataset, from 0 to its end.

    Without an `origin` it is the months of invented patients. The axis ends at its last tick, where
    no `end` is given.
    """
    unit = told()
    of_months = not origin or unit.months == 1
    labels = {"format": "d"} if of_months else {"labelExpr": f"'' + {in_unit('datum.value')}"}
    return alt.X(
        f"{column}:Q",
        title=f"{unit.name.capitalize()} since {origin}" if origin else "Months",
        scale=alt.Scale(domain=[0, ticks[-1] if end is None else end], nice=False),
        axis=alt.Axis(
            values=list(ticks), grid=False, labelFlush=False, titleFontSize=TITLE_SIZE, **labels
        ),
    )


def in_unit(months: str) -> str:
    """An expression of a chart for months in the unit of the dataset, to two decimals."""
    return f"round({months} / {told().months!r} * 100) / 100"


def with_source(dataset: Dataset, caption: str) -> str:
    """The caption, which says so where the patients are invented."""
    return f"{caption} Synthetic cohort." if dataset.settings.synthetic else caption


def _in_tenths(found: re.Match) -> str:
    return re.sub(r"(\.\d)\d+", r"\1", found.group())


def _drawn(chart: alt.LayerChart, name: str) -> tuple[dict, str]:
    """The chart as Vega and as a drawing, which is the same bytes for the same data."""
    spec, svg = draw(chart.to_dict(validate=False))  # the tests validate charts
    # A tenth of a pixel is as fine as a screen shows; more digits are a tenth of the page.
    svg = re.sub(r' d="[^"]*"|translate\([^)]*\)', _in_tenths, svg)
    # Vega counts its clip paths through a whole process; a page needs ids of its own.
    numbers = {old: new for new, old in enumerate(dict.fromkeys(re.findall(r"clip\d+", svg)))}
    return spec, re.sub(r"clip\d+", lambda found: f"{name}-clip{numbers[found.group()]}", svg)
