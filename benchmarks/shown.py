"""What a benchmark has found: printed line by line, and kept as a table for the page on speed."""

from __future__ import annotations

import csv
import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

KEPT = Path(__file__).resolve().parents[1] / "book" / "speed"


def shown(name: str, lines: Iterable[dict]) -> None:
    """Print each line as it comes; when all are there, they are kept as the table of that name."""
    kept = []
    for line in lines:
        kept.append(line)
        print("  ".join(f"{head}: {cell}" for head, cell in line.items()), flush=True)
    KEPT.mkdir(parents=True, exist_ok=True)
    with (KEPT / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, [*kept[0]])
        table.writeheader()
        table.writerows(kept)


def machine(packages: Iterable[str]) -> Iterable[dict]:
    """On what and when it was measured."""
    lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    names = (line.partition(": ")[2] for line in lines if line.startswith("model name"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = {
        "Date": f"{datetime.now(UTC):%Y-%m-%d}",
        "Processor": f"{next(names, platform.machine())}, {os.cpu_count()} cores",
        "Memory": f"{memory:.0f} GB",
        "Python": platform.python_version(),
        **{package: version(package) for package in packages},
    }
    return ({"": name, "Measured": value} for name, value in found.items())
