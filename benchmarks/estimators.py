"""What the estimators cost beside those of R, lifelines, scikit-survival and statsmodels.

    python benchmarks/estimators.py [SIZE ...] [ESTIMATOR ...]

SIZE is a number of patients (default: 259, 10,000, 100,000 and 1,000,000), ESTIMATOR a key of
`ESTIMATORS` (default: all). All see the same rows: whole days, many of them tied, and continuous
times, few of them tied. A line gives the seconds of the processor that ours takes, on one core,
how many times those of the size before that is, and the megabytes it adds; then for R and each
other package our time over theirs (the median of paired runs) and the largest difference from R
(for R: of ours; relative, of numbers above 1). A dash stands for what a package does not have, what
is not installed, and what would take longer than `LIMIT`, as it grows.
"""

from __future__ import annotations

import os

# One core for all, as R's own; before numpy is loaded.
os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1"))

import ctypes
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from analysis import load  # noqa: E402 (the path comes first)
from analysis.course.keys_09 import question  # noqa: E402
from analysis.survival.resampling import draws  # noqa: E402
from benchmarks import rivals  # noqa: E402
from benchmarks.rivals import FACTORS, RESAMPLES, SEED, START_STOP, Run  # noqa: E402
from benchmarks.shown import shown  # noqa: E402

SIZES = (259, 10_000, 100_000, 1_000_000)
RUNS, SECONDS = 5, 10.0  # of an estimator: so many runs, or until so long
BATCH = 0.1  # seconds; what is shorter is run again and again, and divided
LIMIT = 120.0  # seconds of one run
MEMORY = 14 * 2**30  # bytes of one package
ABSENT = "–"
WANTED = {  # of R's time, at 100,000 patients and more
    **{"kaplan_meier": 0.1, "logrank": 0.1, "incidence": 0.05, "gray": 0.05, "cox_ten": 0.25},
}
MODULES = {"lifelines": "lifelines", "scikit-survival": "sksurv", "statsmodels": "statsmodels"}


# --- the rows ------------------------------------------------------------------------------------


def patients(number: int, whole: bool) -> pd.DataFrame:
    """Times to one of two events or to censoring, three groups, nine factors, and a switch."""
    rng = np.random.default_rng(number)
    group, x = rng.integers(0, 3, number), rng.normal(size=(number, 9))
    x[:, 3:] = x[:, 3:] > 0  # three numbers, six of yes and no
    time = rng.exponential(400, number) * np.exp(-0.2 * group - 0.1 * x[:, :4].sum(axis=1))
    switch = rng.exponential(300, number)
    # No two differ by so little that R's survival takes them for one time, and cmprsk does not.
    time, switch = (np.ceil(t) if whole else np.round(t, 5) + 1e-5 for t in (time, switch))
    event = rng.choice(3, number, p=(0.4, 0.4, 0.2))
    data = pd.DataFrame({"time": time, "event": event, "group": group, "switch": switch})
    return data.assign(**dict(zip(FACTORS[1:], x.T, strict=True)))


def start_stop(number: int, whole: bool) -> pd.DataFrame:
    """The same patients by row: whoever switches before the end has two."""
    data = patients(number, whole).assign(patient=np.arange(number), start=0.0, later=0.0)
    data = data.assign(stop=data["time"], event=(data["event"] == 1) * 1)
    switched = data["switch"] < data["time"]
    before = data[switched].assign(stop=data["switch"], event=0)
    after = data[switched].assign(start=data["switch"], later=1.0)
    rows = pd.concat([data[~switched], before, after], ignore_index=True)
    return rows[START_STOP + FACTORS]


def of_table_3(*_: object) -> pd.DataFrame:
    """The patients of Table 3 who are known in all factors, as Lesson 9 resamples them."""
    return question(load(ROOT / "data" / "blinatumomab")).rows.replace({"start": {-np.inf: -1.0}})


@dataclass(frozen=True)
class Estimator:
    """What is estimated, from which rows, and how each package does it."""

    title: str
    rows: Callable[[int, bool], pd.DataFrame]
    runs: Mapping[str, Run]


ESTIMATORS = {
    "kaplan_meier": Estimator("Kaplan-Meier", patients, rivals.KAPLAN_MEIER),
    "logrank": Estimator("Log-rank", patients, rivals.LOGRANK),
    "incidence": Estimator("Aalen-Johansen", patients, rivals.INCIDENCE),
    "gray": Estimator("Gray, with curves", patients, rivals.GRAY),
    "fine_gray": Estimator("Fine-Gray, 3 factors", patients, rivals.FINE_GRAY),
    "cox_one": Estimator("Cox, 1 factor", start_stop, rivals.cox(FACTORS[:1])),
    "cox_ten": Estimator("Cox, 10 factors", start_stop, rivals.cox(FACTORS)),
    "selection": Estimator("1,000 selections", of_table_3, rivals.SELECTION),
}


# --- one package on some rows --------------------------------------------------------------------


@dataclass(frozen=True)
class Measured:
    """Seconds of each run, bytes added at the most, and what was found."""

    seconds: np.ndarray
    memory: float
    found: np.ndarray


def status(field: str) -> float:
    """Bytes of this process."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return 1024 * next(float(line.split()[1]) for line in lines if line.startswith(field))


def measured(run: Run, data: pd.DataFrame) -> Measured:
    """Runs in this process; R's are the same in estimators.R."""
    call, read = run
    ctypes.CDLL(None).malloc_trim(0)  # what is free is given back, or it would hide what is added
    Path("/proc/self/clear_refs").write_text("5", "utf-8")  # forgets the highest memory
    before, found = status("VmRSS"), None

    def seconds(number: int) -> float:
        nonlocal found
        began = time.process_time()
        for _ in range(number):
            found = call(data)
        return (time.process_time() - began) / number

    times = [seconds(1)]
    added = status("VmHWM") - before
    number = max(1, int(np.ceil(BATCH / times[0])))
    times = times if number == 1 else [seconds(number)]
    while len(times) < RUNS and sum(times) < SECONDS:
        times.append(seconds(number))
    return Measured(np.array(times), added, np.asarray(read(found), dtype=float))


def apart(run: Run, data: pd.DataFrame) -> Measured | None:
    """The same in a process of its own; None where it takes too long or asks for too much."""

    def work() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115 (the process ends with it)
        sender.send(measured(run, data))

    receiver, sender = get_context("fork").Pipe(duplex=False)
    process = get_context("fork").Process(target=work)
    process.start()
    sender.close()
    try:
        return receiver.recv() if receiver.poll(LIMIT + SECONDS) else None
    except EOFError:
        return None
    finally:
        process.kill()
        process.join()


def in_r(key: str, data: pd.DataFrame) -> Measured | None:
    """R's `key` of estimators.R, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        data.to_numpy(dtype=float).T.tofile(place / "table")
        if key == "selection":
            numbered = data.assign(row=np.arange(1, len(data) + 1))
            samples = (sample["row"].astype(str) for sample in draws(numbered, RESAMPLES, SEED))
            (place / "drawn").write_text("\n".join(map(" ".join, samples)), "utf-8")
        script = [Path(__file__).with_suffix(".R"), place, key, RUNS, SECONDS, BATCH, *data]
        command = ["Rscript", "--vanilla", *map(str, script)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=5 * LIMIT)
        except subprocess.TimeoutExpired:
            return None
        columns, runs, memory, *rest = np.fromfile(place / "answer")
    runs, values = int(runs), np.array(rest[int(runs) :])
    found = values if columns == 1 else values.reshape(int(columns), -1).T
    return Measured(np.array(rest[:runs]), memory, found)


# --- the table -----------------------------------------------------------------------------------


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """The largest difference between what two have found, where both have a number."""
    if other.ndim == 2:  # curves: each at the times of the other
        places = np.searchsorted(one[:, 0], other[:, 0], side="right") - 1
        number = min(one.shape[1], other.shape[1])
        one, other = one[places.clip(min=0), 1:number], other[:, 1:number]
    gap = np.abs(one - other) / np.maximum(np.abs(other), 1)
    return float(np.nanmax(gap))


class Line:
    """What is measured of one estimator from size to size; `slow` is who is left out from now."""

    def __init__(self, key: str, whole: bool) -> None:
        self.key, self.whole, self.estimator = key, whole, ESTIMATORS[key]
        self.last: dict[str, tuple[int, float, float]] = {}  # size, seconds and power of its growth
        self.slow: set[str] = set()

    def expected(self, package: str, size: int) -> float:
        """Seconds that a package would take, as it has grown."""
        last, seconds, power = self.last.get(package, (size, 0.0, 1.0))
        return seconds * (size / last) ** power

    def at(self, size: int) -> dict[str, Measured | None]:
        """Ours and all others that are there and fast enough."""
        data = self.estimator.rows(size, self.whole)
        found: dict[str, Measured | None] = {}
        for package in ("ours", "R", *MODULES):
            run = self.estimator.runs.get(package)
            known = shutil.which("Rscript") if package == "R" else run and installed(package)
            if not known or package in self.slow or self.expected(package, size) > LIMIT:
                continue
            found[package] = in_r(self.key, data) if package == "R" else apart(run, data)
            self._learn(package, size, found[package])
        return found

    def _learn(self, package: str, size: int, result: Measured | None) -> None:
        if result is None:
            self.slow.add(package)
            return
        seconds, power = float(np.median(result.seconds)), 1.0
        if package in self.last:
            last, before, _ = self.last[package]
            power = max(1.0, np.log(seconds / before) / np.log(size / last))
        self.last[package] = size, seconds, power


def installed(package: str) -> bool:
    return package == "ours" or find_spec(MODULES[package]) is not None


def cells(found: Mapping[str, Measured | None], grown: float) -> dict[str, str]:
    """The cells of a line that are measured."""
    ours, theirs = found["ours"], found.get("R")
    made = {
        "Seconds": f"{np.median(ours.seconds):.4f}",
        "Grown": "" if np.isnan(grown) else f"{grown:.1f}",
        "MB": f"{ours.memory / 2**20:.0f}",
    }
    for package in ("R", *MODULES):
        other = found.get(package)
        if other is None:
            made[f"Of {package}"] = ABSENT
            continue
        runs = min(len(ours.seconds), len(other.seconds))
        ratio = np.median(ours.seconds[:runs] / other.seconds[:runs])
        compared = ours if package == "R" else other
        apart = f" ({difference(compared.found, theirs.found):.0e})" if theirs else ""
        made[f"Of {package}"] = f"{ratio:.3f}{apart}"
    return made


def lines(sizes: Sequence[int], keys: Sequence[str]) -> Iterator[dict[str, str]]:
    """A line for each estimator, kind of times and size."""
    for key in keys:
        once = key == "selection"
        for whole in (True,) if once else (True, False):
            line, before = Line(key, whole), np.nan
            for size in sizes[:1] if once else sizes:
                found = line.at(size)
                now = line.last["ours"][1]
                yield {
                    "Estimator": line.estimator.title,
                    "Times": "days" if whole else "continuous",
                    "Patients": f"{size:,}",
                    **cells(found, now / before),
                    "Wanted of R": f"{WANTED[key]}" if key in WANTED and size > 10_000 else "",
                }
                before = now


def main() -> None:
    """Measure, print and keep a line for each estimator, kind of times and size."""
    sizes = [int(word.replace(",", "")) for word in sys.argv[1:] if word[0].isdigit()] or SIZES
    keys = [word for word in sys.argv[1:] if not word[0].isdigit()] or list(ESTIMATORS)
    missing = [package for package in MODULES if not installed(package)]
    missing += [] if shutil.which("Rscript") else ["R"]
    print("\n".join(f"{package} is not installed." for package in missing))
    shown("estimators", lines(sizes, keys))


if __name__ == "__main__":
    main()
