"""Charts drawn: from Vega-Lite to Vega, for which a page needs half the scripts, and to SVG.

The engine that draws takes a second to start, longer than most notebooks. A build has one process
that draws for all of them and says in the environment where it is; without it, each draws itself.
"""

from __future__ import annotations

import os
from contextlib import suppress
from multiprocessing.connection import Client, Listener

import vl_convert

PLACE = "PLATEAU_DRAWING"  # of the environment: the socket at which charts are drawn
VEGA_LITE = "6.1"  # 6.4 looks for the words of a tooltip where a nearest point has none
STATIC_WIDTH = 680
HOVER = "hover"  # the layer that only a live chart needs


def draw(chart: dict) -> tuple[dict, str]:
    """A chart's Vega specification and its drawing as SVG, without hover marks.

    Raises ValueError where it is no chart of Vega-Lite.
    """
    if place := os.environ.get(PLACE):
        with suppress(OSError, EOFError), Client(place, "AF_UNIX") as drawing:
            drawing.send(chart)
            if isinstance(answer := drawing.recv(), tuple):
                return answer
    return _drawn(chart)  # where it failed, the error comes here once more


def still(spec: dict, width: int, hidden: tuple[str, ...] = (HOVER,)) -> dict:
    """A compiled chart of a fixed width, without the layers that are `hidden`."""
    marks = [mark for mark in spec["marks"] if not mark["name"].startswith(hidden)]
    signals = [signal for signal in spec.get("signals", []) if signal["name"] != "width"]
    fixed = {"marks": marks, "signals": signals, "width": width, "autosize": "pad"}
    return {**spec, **fixed}


def serve(place: str) -> None:
    """Draw for whoever asks at a socket, one chart after the other, until the process ends."""
    with Listener(place, "AF_UNIX", backlog=64) as asked:
        _drawn(NOTHING)  # the engine is there before the first asks
        while True:
            with suppress(OSError, EOFError), asked.accept() as notebook:
                chart = notebook.recv()
                try:
                    notebook.send(_drawn(chart))
                except Exception as error:  # whoever asked meets it by drawing
                    notebook.send(str(error))


NOTHING = {"data": {"values": [{}]}, "mark": "point"}


def _drawn(chart: dict) -> tuple[dict, str]:
    spec = vl_convert.vegalite_to_vega(chart, vl_version=VEGA_LITE)
    return spec, vl_convert.vega_to_svg(still(spec, STATIC_WIDTH))
