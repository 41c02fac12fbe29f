"""The house: its rooms, in which order they know each other, and how large they may be."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.dataset.model import ROOT
from analysis.site.build import notebooks

ANALYSIS = ROOT / "analysis"
# From below upwards: a room imports from those before it and from no other.
ROOMS = (
    *("survival", "dataset", "importing", "page", "study"),
    *("printed", "methods", "sharing", "course", "site"),
)


def modules(room: str = "*") -> list[Path]:
    return sorted(ANALYSIS.glob(f"{room}/*.py"))


def imported_rooms(module: Path) -> Iterator[str]:
    """The rooms from which a module imports, at its head or within a function."""
    room = module.parent.name
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            ours = [alias.name for alias in node.names if alias.name.startswith("analysis")]
            assert not ours, f"{module}: {ours} is imported by its whole name"
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            yield room
        if isinstance(node, ast.ImportFrom) and node.level == 2:
            yield from [node.module.split(".")[0]] if node.module else [a.name for a in node.names]


def test_every_module_is_in_a_room():
    assert {path.parent.name for path in modules()} == set(ROOMS)
    assert {path.name for path in ANALYSIS.glob("*.py")} == {"__init__.py", "__main__.py"}


@pytest.mark.parametrize("module", modules(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_no_room_knows_one_above_it(module: Path):
    floor = ROOMS.index(module.parent.name)
    assert set(imported_rooms(module)) <= set(ROOMS[: floor + 1])


def test_a_notebook_opens_its_page_once():
    for path in notebooks():
        cells = json.loads(path.read_text("utf-8"))["cells"]
        code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
        assert sum(source.count("open_page(") for source in code) == 1, path.stem


LONGEST_FILE, LONGEST_FUNCTION = 500, 60  # lines


@pytest.mark.parametrize("module", modules(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_file_and_its_functions_can_be_read_at_once(module: Path):
    text = module.read_text("utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < LONGEST_FUNCTION, node.name
