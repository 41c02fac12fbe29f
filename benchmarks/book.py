"""What a book costs: ours beside a plain `jupyter-book build` that runs the same notebooks.

    python benchmarks/book.py [RUNS]

In a copy of the project, on the paper's dataset, with what this machine has of cores. Each of the
RUNS (default: 3) makes the book from nothing, once more with nothing changed, with one notebook
changed and with one patient changed; then the plain build makes the same pages from the same
notebooks, their outputs taken out. A line gives the median seconds, the median of the ratios of
paired runs. Then come the pages: what each one's notebook takes in a process that has loaded its
packages, and in which of its cells.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import yaml

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from inprocess import asking, in_rounds, ran  # noqa: E402

from analysis.dataset.model import load  # noqa: E402 (the path comes first)
from analysis.page import contents  # noqa: E402
from analysis.site.build import configured, opened  # noqa: E402
from benchmarks.shown import shown  # noqa: E402

DATASET = "data/blinatumomab"
LEFT_OUT = shutil.ignore_patterns(".venv", ".git", "_build", "__pycache__", ".*_cache")
TARGETS = {"from nothing": 0.35, "one notebook changed": 0.12, "nothing changed": 0.03}
PLAIN = "jupyter-book build"


def seconds(copy: Path, command: list[str]) -> float:
    """How long a command takes in the copy."""
    environment = os.environ | {"PYTHONPATH": str(copy)}
    began = time.perf_counter()
    ran = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True)
    took = time.perf_counter() - began
    if ran.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{ran.stderr[-2000:]}")
    return took


def ours(copy: Path) -> float:
    return seconds(copy, [sys.executable, "-m", "analysis", "book", f"--dataset={DATASET}"])


def from_nothing(copy: Path, _: int) -> None:
    shutil.rmtree(copy / "_build", ignore_errors=True)


def nothing(copy: Path, _: int) -> None:
    """Change nothing."""


def one_notebook(copy: Path, run: int) -> None:
    path = copy / "book" / "figure_1a.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    code = next(cell for cell in reversed(notebook["cells"]) if cell["cell_type"] == "code")
    code["source"] = [*code["source"], f"\n# changed: {run}"]
    path.write_text(json.dumps(notebook, ensure_ascii=False), "utf-8")


def one_patient(copy: Path, _: int) -> None:
    path = copy / DATASET / "patients.csv"
    patients = pd.read_csv(path, dtype=str, keep_default_na=False)
    patients.loc[0, "last_contact_day"] = str(int(patients.loc[0, "last_contact_day"]) + 1)
    patients.to_csv(path, index=False)


CHANGES: dict[str, Callable[[Path, int], None]] = {
    "from nothing": from_nothing,
    "nothing changed": nothing,
    "one notebook changed": one_notebook,
    "one patient changed": one_patient,
}


def staged(copy: Path, stage: Path) -> None:
    """The same book as a plain build has it: the notebooks that ran, without their outputs."""
    shutil.copytree(copy / "book", stage, ignore=shutil.ignore_patterns("*.ipynb"))
    for path in (copy / "_build" / "cache").glob("*/*.ipynb"):
        notebook = json.loads(path.read_text("utf-8"))
        for cell in notebook["cells"]:
            cell |= {"outputs": [], "execution_count": None} if cell["cell_type"] == "code" else {}
        (stage / path.name).write_text(json.dumps(notebook, ensure_ascii=False), "utf-8")
    book = opened("", ROOT / DATASET, {})
    table, shelf = contents.table_of(book.places), {"": (book.title, [p.name for p in book.places])}
    config = yaml.safe_load(configured(book, shelf, {}))
    config["execute"] |= {"execute_notebooks": "force", "timeout": -1}
    (stage / "_config.yml").write_text(yaml.safe_dump(config, allow_unicode=True), "utf-8")
    (stage / contents.TOC).write_text(table, "utf-8")


def plain(copy: Path) -> float:
    with tempfile.TemporaryDirectory(dir=copy) as folder:
        stage = Path(folder) / "book"
        staged(copy, stage)
        program = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()"]
        return seconds(copy, [*program, "build", str(stage), "--path-output", folder])


def times(runs: int) -> pd.DataFrame:
    """Seconds (runs, builds) of each build; the plain one comes last."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(ROOT, Path(folder) / "plateau", ignore=LEFT_OUT))
        made = []
        for run in range(runs):
            line = {}
            for name, change in CHANGES.items():
                change(copy, run)
                line[name] = ours(copy)
            made.append({**line, PLAIN: plain(copy)})
    return pd.DataFrame(made)


def beside_plain(runs: int) -> Iterator[dict]:
    """A line for each build, with the median of its ratios to the plain one of the same run."""
    found = times(runs)
    for name in found:
        ratio = (found[name] / found[PLAIN]).median()
        target = f"at most {TARGETS[name]}" if name in TARGETS else ""
        yield {
            "Build": name,
            "Seconds": f"{found[name].median():.1f}",
            f"Of {PLAIN}": f"{ratio:.2f}",
            "Wanted": target,
        }


def by_page() -> Iterator[dict]:
    """What each page's notebook takes in this process, and in which cells."""
    with tempfile.TemporaryDirectory() as results:
        for place in in_rounds(load(ROOT / DATASET)):
            given = {"dataset": DATASET, "results_folder": results, **asking(place)}
            cells, began = [], time.perf_counter()
            for cell, *_ in ran(place.path, given):
                now = time.perf_counter()
                name = cell.source.partition("\n")[0].removeprefix("# ")
                cells.append((now - began, name))
                began = now
            slowest = [f"{name} ({took:.2f})" for took, name in sorted(cells, reverse=True)[:3]]
            total = sum(took for took, _ in cells)
            yield {
                "Page": place.name,
                "Seconds": f"{total:.2f}",
                "Slowest cells": "; ".join(slowest),
            }


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    shown("book", beside_plain(runs))
    shown("pages", by_page())


if __name__ == "__main__":
    main()
