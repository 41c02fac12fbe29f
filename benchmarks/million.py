"""The book of many patients: its time, its memory, its pages' bytes, and its numbers beside R's.

    python benchmarks/million.py [PATIENTS ...]

The patients are those of large.py (default: 259, 10,000, 100,000 and 1,000,000 of them). Each book
is made from nothing with what this machine has of cores. Memory is the most that all processes of
the build have at one time, shared pages counted once. R is asked for Kaplan-Meier's estimates at
the landmarks with their limits, and for the Cox model of each baseline factor with two sides or a
number; the largest difference is relative. R is left out where it is not installed.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.large import of_patients  # noqa: E402 (the path comes first)
from benchmarks.shown import shown  # noqa: E402

SIZES = (259, 10_000, 100_000, 1_000_000)
EVERY = 0.5  # seconds between two looks at the memory


def held(process: psutil.Process) -> float:
    """Bytes of a process and all that it has started, what they share counted once."""
    total = 0
    for one in (process, *process.children(recursive=True)):
        try:
            total += one.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total


def built(dataset: Path, out: Path) -> tuple[float, float]:
    """Seconds of a build from nothing, and the most bytes that it held."""
    command = [sys.executable, "-m", "analysis", "book", f"--dataset={dataset}", f"--out={out}"]
    began, most = time.perf_counter(), 0.0
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as build:
        ended = threading.Event()
        while build.poll() is None:
            most = max(most, held(psutil.Process(build.pid)))
            ended.wait(EVERY)
    if build.returncode:
        raise RuntimeError(f"the book of {dataset} failed")
    return time.perf_counter() - began, most


def size(site: Path) -> int:
    return sum(path.stat().st_size for path in site.rglob("*.html"))


def apart_from_r(dataset: Path, results: Path) -> str:
    """The largest relative difference between the book's numbers and R's."""
    if not shutil.which("Rscript"):
        return "R is not installed"
    with tempfile.TemporaryDirectory() as folder:
        asked = Path(folder) / "factors.csv"
        factors(dataset).to_csv(asked, index=False)
        found = Path(folder) / "found.csv"
        script = Path(__file__).with_suffix(".R")
        command = ["Rscript", "--vanilla", str(script), dataset / "patients.csv", asked, found]
        subprocess.run(command, check=True, capture_output=True)
        theirs = pd.read_csv(found)
    ours = pd.concat(pd.read_csv(results / f"{name}.csv") for name in ("figure_1a", "table_3"))
    keys = ["quantity", "group", "months"]
    both = theirs.merge(ours, on=keys, how="left", suffixes=("_r", ""))
    gaps = [(both[n] / both[f"{n}_r"] - 1).abs() for n in ("estimate", "lower", "upper")]
    if any(gap.isna().any() for gap in gaps):
        raise RuntimeError("the book lacks a number that R was asked for")
    return f"{pd.concat(gaps).max():.0e}"


def factors(dataset: Path) -> pd.DataFrame:
    """The baseline factors with a numerator, or a number, as R is told of them."""
    package = json.loads((dataset / "datapackage.json").read_text("utf-8"))
    known = [f for f in package["analysis"]["factors"] if f["kind"] == "baseline"]
    return pd.DataFrame(
        {"column": f["column"], "numerator": "|".join(f.get("numerator", []))} for f in known
    )


def lines(sizes: list[int]) -> Iterator[dict]:
    """A line for each number of patients."""
    small = None
    for patients in sizes:
        with tempfile.TemporaryDirectory() as folder:
            dataset, out = of_patients(Path(folder), patients), Path(folder) / "out"
            seconds, most = built(dataset, out)
            pages = size(out / "html")
            small = small or pages
            yield {
                "Patients": f"{patients:,}",
                "Seconds": f"{seconds:.0f}",
                "Memory, GB": f"{most / 2**30:.1f}",
                "Pages, MB": f"{pages / 2**20:.1f}",
                "Of the first": f"{pages / small:.2f}",
                "Apart from R": apart_from_r(dataset, out / "results"),
            }


def main() -> None:
    sizes = [int(word.replace(",", "")) for word in sys.argv[1:]] or [*SIZES]
    shown("patients", lines(sizes))


if __name__ == "__main__":
    main()
