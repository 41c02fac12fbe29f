"""The example of the page on rerunning, as a reader would follow it: each command, each answer."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, command
from inprocess import run

PAGE = (ROOT / "book" / "rerunning.md").read_text("utf-8")


def blocks() -> list[tuple[str, str]]:
    """Language and text of each block of the example, in order."""
    section = PAGE.partition("(example)=")[2].partition("\n## patients.csv")[0]
    return re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL)


def obeyed(line: str, places: dict[str, Path]):
    """A command of the page, with its folders somewhere else."""
    program, dash, module, *arguments = shlex.split(line)
    assert (program, dash, module) == (".venv/bin/python", "-m", "analysis")
    return command(ROOT, *(places.get(word, word) for word in arguments))


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where the folders of the page are here."""
    base = tmp_path_factory.mktemp("example")
    return {name: base / name for name in ("my-trial", "my-book")}


@pytest.fixture(scope="module")
def commands(places: dict[str, Path]) -> list[str]:
    """The commands of the page's last block, whose answers are given."""
    (_, rows), (_, first), (_, asked), (_, answers), (_, commands), (_, report) = blocks()
    source = (ROOT / "data" / "myeloid" / "source.csv").read_text("utf-8")
    assert source.startswith(rows)

    questions = obeyed(first.strip(), places)
    assert questions.returncode == 1
    assert questions.stderr.startswith(asked)
    assert [path.name for path in places["my-trial"].iterdir()] == ["import.yaml"]

    (places["my-trial"] / "import.yaml").write_text(answers, "utf-8")
    lines = commands.strip().splitlines()
    done = [obeyed(line, places) for line in lines[:-1]]
    assert [result.returncode for result in done] == [0, 0], [r.stderr for r in done]
    assert done[1].stdout.endswith(report)
    return lines


def test_the_example_goes_from_file_to_numbers(
    places: dict[str, Path], commands: list[str], tmp_path: Path
) -> None:
    """Its pages show the numbers of the shipped folder.

    That folder, of the same patients, was made by another program, and has more factors.
    """
    assert commands[-1].endswith("-m analysis book --dataset my-trial --out my-book")
    for page, quantities in (
        ("figure_1b", ("median", "survival", "event_rate")),
        ("table_3", ("hazard_ratio_univariate",)),
    ):
        made = run(page, places["my-trial"], tmp_path).numbers
        shipped = run(page, ROOT / "data" / "myeloid", tmp_path / "shipped").numbers
        for quantity in quantities:
            ours, theirs = (
                frame[frame["quantity"] == quantity].set_index(["group", "months"])["estimate"]
                for frame in (made, shipped)
            )
            assert len(ours), quantity
            assert np.array_equal(ours, theirs.reindex(ours.index), equal_nan=True), quantity


# In `make test` tests/test_build.py builds a small book of somebody's folder with this command,
# and tests/test_privacy.py a whole one in its own process.
@pytest.mark.wide
def test_the_example_goes_from_file_to_book(places: dict[str, Path], commands: list[str]) -> None:
    built = obeyed(commands[-1], places)
    assert built.returncode == 0, built.stderr
    assert (places["my-book"] / "html" / "index.html").exists()
