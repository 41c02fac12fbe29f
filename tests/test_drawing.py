"""One process draws the charts of a build, the same as each page would by itself."""

from __future__ import annotations

import multiprocessing
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.page import drawing

CHART = {
    "data": {"values": [{"months": 0, "share": 1}, {"months": 6, "share": 0.5}]},
    "mark": {"type": "line", "clip": True},
    "encoding": {
        "x": {"field": "months", "type": "quantitative"},
        "y": {"field": "share", "type": "quantitative"},
    },
}


@pytest.fixture
def drawer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[multiprocessing.Process]:
    """A process that draws, and the environment that says where."""
    place = tmp_path / "socket"
    process = multiprocessing.get_context("spawn").Process(target=drawing.serve, args=(str(place),))
    process.start()
    while not place.exists():
        time.sleep(0.01)
    monkeypatch.setenv(drawing.PLACE, str(place))
    yield process
    process.kill()
    process.join()


def test_a_chart_is_the_same_whoever_draws_it(drawer, monkeypatch) -> None:
    spec, svg = drawing._drawn(CHART)
    monkeypatch.setattr(drawing, "_drawn", lambda chart: pytest.fail("drawn here"))
    asked = drawing.draw(CHART)
    assert asked[0] == spec
    # The engine counts the clip paths of its process; a page gives them names of its own.
    assert re.sub(r"clip\d+", "clip", asked[1]) == re.sub(r"clip\d+", "clip", svg)
    assert "clip" in svg


def test_what_is_no_chart_is_an_error_and_the_next_is_drawn(drawer) -> None:
    with pytest.raises(ValueError, match="conversion failed"):
        drawing.draw({"mark": 5})
    assert drawing.draw(CHART)[1].startswith("<svg")


def test_who_drew_has_ended_and_each_draws_itself(drawer) -> None:
    drawer.kill()
    drawer.join()
    assert drawing.draw(CHART)[1].startswith("<svg")
