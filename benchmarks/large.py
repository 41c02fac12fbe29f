"""Seconds of the processor for each page, on many patients and on many factors.

    python benchmarks/large.py [PATIENTS] [FACTORS] [PAGE ...]

The patients are those of data/bmt, drawn with replacement (default: 100,000, each with a day's
shift of their own, so that few share one). The factors are yes or no by lot and added to those of
data/bmt (default: 64). Pages run in this process, without a kernel's start; default: all.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from inprocess import page  # noqa: E402 (the path comes first)

from analysis.site.build import notebooks, reads_others  # noqa: E402

SOURCE = ROOT / "data" / "bmt"


def written(folder: Path, patients: pd.DataFrame, package: dict) -> Path:
    """The dataset as a folder."""
    folder.mkdir()
    patients.to_csv(folder / "patients.csv", index=False)
    (folder / "datapackage.json").write_text(json.dumps(package), "utf-8")
    return folder


def of_patients(place: Path, number: int) -> Path:
    """Patients of data/bmt drawn again and again, later by up to 200 days."""
    random = np.random.default_rng(1)
    patients = pd.read_csv(SOURCE / "patients.csv", dtype=str, keep_default_na=False)
    drawn = patients.iloc[random.integers(0, len(patients), number)].reset_index(drop=True)
    shift = random.integers(0, 200, number)
    for name in [name for name in drawn if name.endswith("_day")]:
        days = pd.to_numeric(drawn[name]) + shift
        drawn[name] = days.astype("Int64").astype(str).replace("<NA>", "")
    drawn["patient_id"] = [f"p{place}" for place in range(number)]
    package = json.loads((SOURCE / "datapackage.json").read_text("utf-8"))
    return written(place / "patients", drawn, package)


def of_factors(place: Path, number: int) -> Path:
    """Factors by lot beside those of data/bmt."""
    random = np.random.default_rng(2)
    patients = pd.read_csv(SOURCE / "patients.csv", dtype=str, keep_default_na=False)
    package = json.loads((SOURCE / "datapackage.json").read_text("utf-8"))
    levels = {"numerator": ["yes"], "denominator": ["no"]}
    for name in (f"factor_{place}" for place in range(number)):
        patients[name] = random.choice(["yes", "no"], len(patients))
        field = {"name": name, "type": "string", "title": name, "description": name}
        field["constraints"] = {"enum": ["yes", "no"]}
        package["resources"][0]["schema"]["fields"].append(field)
        factor = {"column": name, "label": name, "kind": "baseline", **levels}
        package["analysis"]["factors"].append(factor)
    return written(place / "factors", patients, package)


def main() -> None:
    """Print a line for each page."""
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    chosen = [word for word in sys.argv[1:] if not word.isdigit()]
    patients, factors = (*numbers, *(100_000, 64)[len(numbers) :])
    with tempfile.TemporaryDirectory() as place:
        many = of_patients(Path(place), patients)
        wide = of_factors(Path(place), factors)
        print(f"{'page, s':32}{f'{patients:,} patients':>18}{f'{factors} factors':>14}")
        for notebook in notebooks():
            if reads_others(notebook) or (chosen and notebook.stem not in chosen):
                continue
            times = []
            for folder in (many, wide):
                begin = time.process_time()
                page(notebook, {"dataset": str(folder), "results_folder": str(Path(place) / "r")})
                times.append(time.process_time() - begin)
            print(f"{notebook.stem:32}{times[0]:18.1f}{times[1]:14.1f}", flush=True)


if __name__ == "__main__":
    main()
