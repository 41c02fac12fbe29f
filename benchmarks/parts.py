"""A table in parts: made by lot, folded by two workers of 4 GB each, and its book made by them.

    python benchmarks/parts.py [PATIENTS ...] [--relapse] [--ids]

PATIENTS are numbers of patients (default: 1, 10, 30 and 100 million), a million in each file of
Parquet: a day of last contact within five years, died, arm, stage and decade of age; with --relapse
also a day of relapse, so that few are alike; with --ids an identifier each, which has to be
compared with all others. The book is made from the folded table, with all its pages. Memory is the
most that a worker and its notebooks have at one time, shared pages counted once.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from distributed import Client, LocalCluster

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from analysis.site.build import code_digest  # noqa: E402 (the path comes first)
from analysis.site.folds import TABLE, folded  # noqa: E402
from benchmarks.million import EVERY, held  # noqa: E402
from benchmarks.shown import shown  # noqa: E402

SIZES = [1_000_000, 10_000_000, 30_000_000, 100_000_000]
DAYS = 1826
LEVELS = {
    "arm": ["control", "new"],
    "stage": ["I", "II", "III"],
    "age": ["40–49", "50–59", "60–69", "70–79", "80–89"],
}


def package(ids: bool, relapse: bool) -> dict:
    """What the columns mean."""
    fields = [{"name": "patient_id", "type": "string"}] if ids else []
    fields += [
        {"name": name, "type": "string", "title": name.title(), "constraints": {"enum": levels}}
        for name, levels in LEVELS.items()
    ]
    fields += [{"name": "relapse_day", "type": "integer"}] if relapse else []
    fields += [
        {"name": "last_contact_day", "type": "integer"},
        {"name": "died", "type": "string", "constraints": {"enum": ["yes", "no"]}},
    ]
    endpoints = [{"name": "os", "title": "Overall survival", "event": "death", "events": ["died"]}]
    if relapse:
        events = ["relapse_day", "died"]
        endpoints.append({"name": "rfs", "title": "Relapse-free survival", "events": events})
    stage = {"column": "stage", "kind": "baseline", "reference": "I"}
    return {
        "name": "parts",
        "title": "Patients by lot",
        "resources": [
            {"name": "patients", "path": "patients.parquet", "schema": {"fields": fields}}
        ],
        "analysis": {
            "time_origin": "randomisation",
            "long_term_months": 36,
            "endpoints": endpoints,
            "compare": {"column": "arm", "reference": "control", "randomised": True},
            "factors": [stage],
        },
    }


def part(number: int, rows: int, ids: bool, relapse: bool) -> pd.DataFrame:
    """Patients of one file: the new arm and the early stages live longer."""
    random = np.random.default_rng(number)
    made = {
        name: pd.Categorical.from_codes(random.integers(0, len(levels), rows), levels)
        for name, levels in LEVELS.items()
    }
    hazard = np.exp(0.4 * made["stage"].codes - 0.3 * made["arm"].codes) / 1500
    death, end = random.exponential(1 / hazard), random.integers(365, DAYS, rows)
    last = np.ceil(np.minimum(death, end)).astype("int16")
    if relapse:
        came = np.ceil(random.exponential(0.8 / hazard))
        made["relapse_day"] = pd.array(
            np.where(came <= last, came, np.nan), dtype="Float64"
        ).astype("Int16")
    made |= {"last_contact_day": last, "died": np.where(death <= end, "yes", "no")}
    first = {"patient_id": [f"p{number}-{row}" for row in range(rows)]} if ids else {}
    return pd.DataFrame(first | made)


def write(folder: Path, rows: int, parts: int, ids: bool, relapse: bool) -> Path:
    """The dataset in a new folder."""
    (folder / "patients.parquet").mkdir(parents=True)
    (folder / "datapackage.json").write_text(json.dumps(package(ids, relapse)), "utf-8")
    for number in range(parts):
        size = rows // parts + (number < rows % parts)
        file = folder / "patients.parquet" / f"part-{number:05}.parquet"
        part(number, size, ids, relapse).to_parquet(file, index=False)
    return folder


class Watch(threading.Thread):
    """The most bytes that any of some processes has held, with all that it has started."""

    def __init__(self, processes: Iterable[int]) -> None:
        super().__init__(daemon=True)
        self.processes = [psutil.Process(pid) for pid in processes]
        self.most, self.over = 0.0, threading.Event()

    def run(self) -> None:
        while not self.over.wait(EVERY):
            self.most = max(self.most, *map(held, self.processes))


def booked(folder: Path, out: Path, scheduler: str) -> float:
    """Seconds of the book of a table that is folded in the cache."""
    given = [f"--scheduler={scheduler}", f"--out={out}", "--", str(folder)]
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "analysis", "books", *given], cwd=ROOT, check=True,
                   stdout=subprocess.DEVNULL)  # fmt: skip
    return time.perf_counter() - began


def measured(folder: Path, out: Path) -> dict[str, str]:
    """What it takes two workers to fold a table and to make its book."""
    quiet = {"silence_logs": "ERROR", "dashboard_address": None, "memory_limit": "4GB"}
    with LocalCluster(2, threads_per_worker=1, **quiet) as cluster, Client(cluster) as client:
        watch = Watch(worker.pid for worker in cluster.workers.values())
        watch.start()
        began = time.perf_counter()
        place = folded(folder, out / "cache", code_digest(), client.get_executor(pure=False))
        took = time.perf_counter() - began
        book = booked(folder, out, cluster.scheduler_address)
        watch.over.set()
        watch.join()
    return {
        "Folded, s": f"{took:.0f}",
        "Rows then": f"{len(pd.read_parquet(place / TABLE)):,}",
        "Book of these, s": f"{book:.0f}",
        "Memory of a worker, GB": f"{watch.most / 2**30:.1f}",
    }


def lines(sizes: list[int], ids: bool, relapse: bool) -> Iterator[dict]:
    """A line for each number of patients."""
    for patients in sizes:
        with tempfile.TemporaryDirectory() as place:
            files = max(1, patients // 1_000_000)
            folder = write(Path(place) / "parts", patients, files, ids, relapse)
            (out := Path(place) / "out" / "cache").mkdir(parents=True)
            size = sum(file.stat().st_size for file in folder.rglob("*.parquet"))
            told = {"Patients": f"{patients:,}", "Files": str(files), "MB": f"{size / 2**20:.0f}"}
            yield told | measured(folder, out.parent)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("patients", type=int, nargs="*", default=SIZES)
    parser.add_argument("--ids", action="store_true")
    parser.add_argument("--relapse", action="store_true")
    given = parser.parse_args()
    shown("parts", lines(given.patients, given.ids, given.relapse))


if __name__ == "__main__":
    main()
