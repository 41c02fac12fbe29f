"""The house: its rooms, in which order they know each other, and how large they may be."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
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


def code_of(notebook: Path) -> str:
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def test_a_notebook_opens_its_page_once():
    for path in notebooks():
        assert code_of(path).count("open_page(") == 1, path.stem


LONGEST_FILE, LONGEST_FUNCTION = 500, 60  # lines


@pytest.mark.parametrize("module", modules(), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_file_and_its_functions_can_be_read_at_once(module: Path):
    text = module.read_text("utf-8")
    assert len(text.splitlines()) <= LONGEST_FILE
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < LONGEST_FUNCTION, node.name


# Lines of each room's modules. A budget falls with its room: what is added has to replace
# something, or to be worth a change here.
BUDGETS = {
    **{"survival": 3050, "dataset": 3350, "importing": 4500, "page": 2900, "study": 5950},
    **{"printed": 800, "methods": 400, "sharing": 1100, "course": 4800, "site": 3250},
}
LINES_OF_NOTEBOOKS = 9300
LINES_BEHIND_FIGURE_1A = 10900
SLACK = 100  # lines that a budget may be above what it is for


def within(lines: int, budget: int, what: str) -> None:
    assert lines <= budget, f"{what}: {lines} lines of at most {budget}"
    assert lines > budget - SLACK, f"{what}: {lines} lines: lower its budget of {budget}"


def lines(paths: list[Path]) -> int:
    return sum(len(path.read_text("utf-8").splitlines()) for path in paths)


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_keeps_its_budget(room: str):
    within(lines(modules(room)), BUDGETS[room], room)


def test_the_notebooks_keep_their_budget():
    code = sum(len(code_of(path).splitlines()) for path in notebooks())
    within(code, LINES_OF_NOTEBOOKS, "notebooks")


def test_a_figure_stands_on_few_modules():
    """What Figure 1A loads of the house, in a process of its own."""
    figure = next(path for path in notebooks() if path.stem == "figure_1a")
    imports = [
        ast.unparse(node)
        for node in ast.walk(ast.parse(code_of(figure)))
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    ours = "(m.__file__ for n, m in sys.modules.items() if n.startswith('analysis.'))"
    loaded = f"print(*{ours}, sep='\\n')"
    script = "\n".join(["import sys", *imports, loaded])
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    behind = lines([Path(name) for name in run.stdout.splitlines()])
    within(behind, LINES_BEHIND_FIGURE_1A, "Figure 1A")
