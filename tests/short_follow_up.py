"""Small datasets made for the tests, whose follow-up ends before the landmarks do."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

COLUMNS = {"patient_id": "string", "age": "number", "arm": "string"}
DAYS = ("response_day", "hsct_day", "relapse_day", "last_contact_day")
FACTORS = [
    {"column": "age", "label": "Age (per year)", "kind": "baseline"},
    {
        "column": "arm",
        "label": "Arm (A/B)",
        "kind": "baseline",
        "numerator": ["A"],
        "denominator": ["B"],
    },
    {
        "column": "response_day",
        "label": "CR (yes/no)",
        "kind": "postbaseline",
        "endpoints": ["os"],
    },
    {"column": "hsct_day", "label": "HSCT (yes/no)", "kind": "postbaseline"},
]


def patients(longest: float, dead: float, n: int = 60) -> pd.DataFrame:
    """`n` invented patients, followed for up to `longest` days; a share of them `dead` by then."""
    rng = np.random.default_rng(5)
    last = np.sort(rng.integers(int(0.3 * longest), int(longest) + 1, n))
    last[-1] = int(longest)
    response = np.where(rng.random(n) < 0.75, (0.15 * last).astype(int), -1)
    hsct = np.where((response >= 0) & (rng.random(n) < 0.5), (0.3 * last).astype(int), -1)
    relapse = np.where((response >= 0) & (rng.random(n) < 0.4), (0.7 * last).astype(int), -1)
    died = rng.permutation(n) < dead * n
    # The last to be followed answers every endpoint, so that each ends where all do.
    response[-1], hsct[-1], relapse[-1], died[-1] = 1, 2, -1, dead == 1
    return pd.DataFrame(
        {
            "patient_id": [f"P{number}" for number in range(n)],
            "age": rng.integers(20, 80, n),
            "arm": rng.choice(["A", "B"], n),
            "response_day": pd.Series(response).mask(response < 0).astype("Int64"),
            "hsct_day": pd.Series(hsct).mask(hsct < 0).astype("Int64"),
            "relapse_day": pd.Series(relapse).mask(relapse < 0).astype("Int64"),
            "last_contact_day": last,
            "died": np.where(died, "yes", "no"),
        }
    )


def dataset(folder: Path, patients: pd.DataFrame, **settings: object) -> Path:
    """A dataset folder of such patients."""
    fields = [{"name": name, "type": kind} for name, kind in COLUMNS.items()]
    fields += [{"name": name, "type": "number"} for name in DAYS]
    fields += [{"name": "died", "type": "string"}]
    analysis = {"time_origin": "diagnosis", "factors": FACTORS, **settings}
    resource = {"name": "patients", "path": "patients.csv", "schema": {"fields": fields}}
    package = {"name": "made", "title": "Made for a test", "resources": [resource]}
    folder.mkdir()
    text = json.dumps({**package, "public": False, "analysis": analysis})
    (folder / "datapackage.json").write_text(text, "utf-8")
    patients.to_csv(folder / "patients.csv", index=False)
    return folder
