"""What the worked scripts call things on the shipped datasets, for R.

Run by hand from the root of the project, before worked.R: `python -m tests.reference.worked_names`.
It writes data/worked_names.csv beside itself: for each dataset, lesson and name, what R assigns.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pandas as pd

from analysis.course.worked import SCRIPTS, literals_of
from analysis.dataset.model import load

PLACE = Path(__file__).parent / "data" / "worked_names.csv"
DATASETS = ("blinatumomab", "bmt", "myeloid")
LESSONS = [int(path.stem.removeprefix("lesson_")) for path in sorted(SCRIPTS.glob("*.R"))]


def table() -> pd.DataFrame:
    """The rows of the file."""
    rows = []
    for name in DATASETS:
        data = load(f"data/{name}")
        for lesson in LESSONS:
            names = import_module(f"analysis.course.keys_{lesson:02}").names(data)
            assert names is not None, f"lesson {lesson} has no names on {name}"
            rows += [(name, lesson, *pair) for pair in literals_of(data, names)[1].items()]
    return pd.DataFrame(rows, columns=["dataset", "lesson", "name", "value"])


if __name__ == "__main__":
    table().to_csv(PLACE, index=False)
