"""The example of the page on rerunning, as a reader would follow it: each command, each answer."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
from conftest import ROOT, command
from inprocess import results_of

PAGE = (ROOT / "book" / "rerunning.md").read_text("utf-8")


def blocks() -> list[tuple[str, str]]:
    """Language and text of each block of the example, in order."""
    section = PAGE.partition("(example)=")[2].partition("\n## patients.csv")[0]
    return re.findall(r"```(\w+)\n(.*?)```", section, re.DOTALL)


def run(line: str, places: dict[str, Path]):
    """A command of the page, with its folders somewhere else."""
    program, dash, module, *arguments = shlex.split(line)
    assert (program, dash, module) == (".venv/bin/python", "-m", "analysis")
    return command(ROOT, *(places.get(word, word) for word in arguments))


def test_the_example_goes_from_file_to_book(tmp_path: Path) -> None:
    (_, rows), (_, first), (_, asked), (_, answers), (_, commands), (_, report) = blocks()
    places = {name: tmp_path / name for name in ("my-trial", "my-book")}
    source = (ROOT / "data" / "myeloid" / "source.csv").read_text("utf-8")
    assert source.startswith(rows)

    questions = run(first.strip(), places)
    assert questions.returncode == 1
    assert questions.stderr.startswith(asked)
    assert [path.name for path in places["my-trial"].iterdir()] == ["import.yaml"]

    (places["my-trial"] / "import.yaml").write_text(answers, "utf-8")
    done = [run(line, places) for line in commands.strip().splitlines()]
    assert [result.returncode for result in done] == [0, 0, 0], [r.stderr for r in done]
    assert done[1].stdout.endswith(report)
    assert (places["my-book"] / "html" / "index.html").exists()

    # The shipped folder of the same patients was made by another program, and has more factors.
    for page, quantities in (
        ("figure_1b", ("median", "survival", "event_rate")),
        ("table_3", ("hazard_ratio_univariate",)),
    ):
        file = places["my-book"] / "results" / f"{page}.csv"
        made = pd.read_csv(file, float_precision="round_trip")
        shipped = results_of("data/myeloid")[page]
        for quantity in quantities:
            ours, theirs = (
                frame[frame["quantity"] == quantity].set_index(["group", "months"])["estimate"]
                for frame in (made, shipped)
            )
            assert len(ours), quantity
            assert np.array_equal(ours, theirs.reindex(ours.index), equal_nan=True), quantity
