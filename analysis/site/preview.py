"""The picture that stands beside a link to the book elsewhere: its first curve, as a PNG."""

from __future__ import annotations

import io
import json
import re

import altair as alt
import vl_convert
from PIL import Image

from ..dataset.endpoints import endpoint
from ..dataset.model import Dataset
from ..study.curves import survival_results
from ..study.figures import step_chart
from ..survival.curves import survival_curve

WIDTH, HEIGHT = 600, 315  # drawn at twice this: 1200 by 630 pixels is what others expect
INK, QUIET = "#1d2528", "#566268"
SYNTHETIC = "Synthetic cohort: no patient data"


def preview_alt(dataset: Dataset) -> str:
    """What the picture shows, in words."""
    curve = f"Overall survival as a step curve: {dataset.title}."
    return f"{curve} {SYNTHETIC}." if dataset.settings.synthetic else curve


def preview(dataset: Dataset) -> bytes:
    """Figure 1A without the numbers under it, in light colours on white."""
    question = endpoint(dataset, "os")
    curve = survival_curve(question.time, question.observed)
    results = survival_results(dataset, question, curve)
    series = {question.title: (question.name, curve)}
    chart = step_chart(dataset, question, series, results, "survival", {})
    said = [dataset.title, *([SYNTHETIC] if dataset.settings.synthetic else [])]
    title = alt.TitleParams(
        f"Plateau: {question.title.lower()}",
        subtitle=said,
        anchor="start",
        fontSize=22,
        fontWeight=600,
        subtitleFontSize=13,
        subtitlePadding=5,
        offset=12,
        color=INK,
        subtitleColor=QUIET,
        limit=WIDTH - 40,
    )
    chart = chart.properties(
        width=WIDTH,
        height=HEIGHT,
        padding=18,
        background="white",
        title=title,
        autosize=alt.AutoSizeParams(type="fit", contains="padding"),
    )
    drawn = vl_convert.vegalite_to_png(_without_themes(chart.to_dict()), scale=2)
    return _in_few_colours(drawn)


def _in_few_colours(png: bytes) -> bytes:
    """The same picture in a third of the bytes: it has few colours, and some sites refuse more."""
    small = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(64).save(small, "PNG", optimize=True)
    return small.getvalue()


def _without_themes(spec: dict) -> dict:
    """Colours that a page would give, as those that they fall back to."""
    text = re.sub(r"var\(--[\w-]+, (#\w+)\)", r"\1", json.dumps(spec))
    return json.loads(text.replace('"currentColor"', f'"{INK}"'))
