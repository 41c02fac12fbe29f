"""A table in parts: made by lot, then folded by two workers of 4 GB each; time and memory of both.

    python benchmarks/parts.py [ROWS] [PARTS] [--ids] [--relapse] [--keep FOLDER]

ROWS patients (default: 1,000,000) in PARTS files of Parquet (default: 10): a day of last contact
within five years, died, arm, stage and decade of age; with --relapse also a day of relapse, so that
few are alike; with --ids an identifier each, which has to be compared with all others. --keep
leaves the dataset in a new FOLDER, from which `make books` makes its book.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
from distributed import Client, LocalCluster

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT)]

from analysis.dataset.checks import read_folder  # noqa: E402 (the path comes first)
from analysis.dataset.parts import NUMBER  # noqa: E402
from analysis.site.folds import spread  # noqa: E402

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
    """The most memory that each of some processes has held, and what each began and ended with."""

    def __init__(self, processes: dict[str, int]) -> None:
        super().__init__(daemon=True)
        self.processes = {name: psutil.Process(pid) for name, pid in processes.items()}
        self.first = self.last = self.most = self.now()
        self.over = threading.Event()

    def now(self) -> dict[str, float]:
        return {name: one.memory_info().rss / 1e6 for name, one in self.processes.items()}

    def run(self) -> None:
        while not self.over.wait(0.1):
            self.last = self.now()
            self.most = {name: max(self.most[name], value) for name, value in self.last.items()}


def measure(folder: Path) -> None:
    """Fold the dataset on two workers, and print what it took."""
    quiet = {"silence_logs": "ERROR", "dashboard_address": None, "memory_limit": "4GB"}
    with LocalCluster(2, threads_per_worker=1, **quiet) as cluster, Client(cluster) as client:
        workers = {f"worker {name}": one.pid for name, one in cluster.workers.items()}
        watch = Watch({**workers, "here": psutil.Process().pid})
        watch.start()
        begin = time.perf_counter()
        contents = read_folder(folder, spread(client.get_executor(pure=False)))
        took = time.perf_counter() - begin
        watch.over.set()
        watch.join()
    for problem in contents.problems:
        print(problem)
    if contents.text is not None:
        patients = contents.text[NUMBER].astype(str).astype(int).sum()
        print(f"{patients:,} patients in {len(contents.text):,} rows, {took:.1f} s")
    for name, most in watch.most.items():
        print(f"{name}: {watch.first[name]:,.0f} MB, at most {most:,.0f}, {watch.last[name]:,.0f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("rows", type=int, nargs="?", default=1_000_000)
    parser.add_argument("parts", type=int, nargs="?", default=10)
    parser.add_argument("--ids", action="store_true")
    parser.add_argument("--relapse", action="store_true")
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = (given.keep or Path(place) / "parts").resolve()
        begin = time.perf_counter()
        write(folder, given.rows, given.parts, given.ids, given.relapse)
        size = sum(file.stat().st_size for file in folder.rglob("*.parquet")) / 1e6
        print(f"{given.rows:,} rows, {size:,.0f} MB, made in {time.perf_counter() - begin:.1f} s")
        measure(folder)


if __name__ == "__main__":
    main()
