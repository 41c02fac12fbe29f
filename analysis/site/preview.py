"""The picture that stands beside a link to the book elsewhere: its first curve, as a PNG."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import vl_convert
from PIL import Image

from ..dataset.endpoints import answerable
from ..dataset.model import Dataset
from ..page.charts import UNDER
from ..page.drawing import HOVER, still

WIDTH, HEIGHT = 600, 315  # drawn at twice this: 1200 by 630 pixels is what others expect
INK, QUIET = "#1d2528", "#566268"
TITLE = {
    "anchor": "start", "color": INK, "subtitleColor": QUIET,
    "fontSize": 22, "fontWeight": 600, "subtitleFontSize": 13, "subtitlePadding": 5,
    "offset": 12, "limit": WIDTH - 40,
}  # fmt: skip
FRAME = {
    "height": HEIGHT, "padding": 18, "background": "white",
    "autosize": {"type": "fit", "contains": "padding"},
}  # fmt: skip
SYNTHETIC = "Synthetic cohort: no patient data"


def preview_alt(dataset: Dataset) -> str:
    """What the picture shows, in words."""
    curve = f"{_first_title(dataset)} as a step curve: {dataset.title}."
    return f"{curve} {SYNTHETIC}." if dataset.settings.synthetic else curve


def preview(dataset: Dataset, notebooks: Iterable[Path]) -> bytes:
    """The book's first curve, without the numbers under it, in light colours on white.

    `notebooks` are executed, in the order of the book; without a curve there is its title alone.
    """
    drawn = next(_curves(notebooks), {"marks": [], "signals": []})
    said = [dataset.title, *([SYNTHETIC] if dataset.settings.synthetic else [])]
    title = TITLE | {"text": f"Plateau: {_first_title(dataset)}", "subtitle": said}
    made = still(drawn, WIDTH, (HOVER, UNDER)) | FRAME | {"title": title}
    return _in_few_colours(vl_convert.vega_to_png(_without_themes(made), scale=2))


def _first_title(dataset: Dataset) -> str:
    """The title of the endpoint whose curve comes first in the book."""
    found = (question.title for question in answerable(dataset))
    return next(found, next(iter(dataset.endpoints.values())).title)


def _curves(notebooks: Iterable[Path]) -> Iterator[dict]:
    """The specifications of the curves that notebooks show: the charts with a layer to hover on."""
    for notebook in notebooks:
        for cell in json.loads(notebook.read_text("utf-8"))["cells"]:
            for output in cell.get("outputs", []):
                html = "".join(output.get("data", {}).get("text/html", ""))
                for found in re.findall(r'class="chart-spec">(.*?)</script>', html, re.DOTALL):
                    spec = json.loads(found)
                    if any(mark["name"].startswith(HOVER) for mark in spec["marks"]):
                        yield spec


def _in_few_colours(png: bytes) -> bytes:
    """The same picture in a third of the bytes: it has few colours, and some sites refuse more."""
    small = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(64).save(small, "PNG", optimize=True)
    return small.getvalue()


def _without_themes(spec: dict) -> dict:
    """Colours that a page would give, as those that they fall back to."""
    text = re.sub(r"var\(--[\w-]+, (#\w+)\)", r"\1", json.dumps(spec))
    return json.loads(text.replace('"currentColor"', f'"{INK}"'))
