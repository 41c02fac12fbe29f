"""Time of one Cox fit with a time-dependent factor: ours against lifelines, in one run.

    python benchmarks/cox.py

Both fit the same start-stop rows, whole days, with Efron's ties. The ratio is what to compare
between machines and versions; the best of three runs is taken.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from lifelines import CoxTimeVaryingFitter

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from analysis.survival import cox  # noqa: E402 (the path comes first)


def cohort(patients: int) -> pd.DataFrame:
    """Start-stop rows of patients of whom some switch before the end of their follow-up."""
    rng = np.random.default_rng(1)
    stop = 1 + rng.exponential(400, patients).astype(int)
    switch = 1 + rng.exponential(300, patients).astype(int)
    event = rng.integers(0, 2, patients)
    age = rng.normal(size=patients)
    switched = switch < stop
    base = {"patient": np.arange(patients), "age": age}
    first = pd.DataFrame({**base, "start": 0, "stop": np.minimum(stop, switch), "later": 0.0})
    first["event"] = np.where(switched, 0, event)
    second = pd.DataFrame({**base, "start": switch, "stop": stop, "later": 1.0, "event": event})
    return pd.concat([first, second[switched]], ignore_index=True)


def best(run: Callable[[], object]) -> float:
    """Seconds of the fastest of three runs."""
    times = []
    for _ in range(3):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return min(times)


def main() -> None:
    """Print a line for each size."""
    warnings.simplefilter("ignore")
    print("patients      ours  lifelines   ratio  largest difference of a coefficient")
    for patients in (259, 1_000, 10_000):
        rows = cohort(patients)
        ours = best(lambda rows=rows: cox(rows, ["age", "later"]))
        reference = CoxTimeVaryingFitter()
        theirs = best(
            lambda rows=rows, reference=reference: reference.fit(
                rows, id_col="patient", event_col="event", start_col="start", stop_col="stop"
            )
        )
        beta = cox(rows, ["age", "later"]).estimates["beta"]
        apart = (reference.params_[["age", "later"]] - beta).abs().max()
        print(f"{patients:8d}  {ours:7.4f}s  {theirs:8.4f}s  {theirs / ours:5.0f}x  {apart:.1e}")


if __name__ == "__main__":
    main()
