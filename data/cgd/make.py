"""Write patients.csv and infections.csv of the cgd dataset from source.csv, as published.

Run by hand after a change: `python data/cgd/make.py`.
"""

import csv
import io
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

SOURCE = Path(__file__).with_name("source.csv")
TARGET = Path(__file__).with_name("patients.csv")
INFECTIONS = Path(__file__).with_name("infections.csv")

YES_NO = {"1": "yes", "0": "no"}
ARM = {"placebo": "Placebo", "rIFN-g": "Interferon gamma"}
HOSPITALS = {
    "US:NIH": "NIH",
    "US:other": "Other in the USA",
    "Europe:Amsterdam": "Amsterdam",
    "Europe:other": "Other in Europe",
}
# The columns of the source that change from row to row of a patient.
OF_THE_ROW = ("tstart", "tstop", "enum", "status")


def name(source: dict[str, str]) -> str:
    """The id of a patient in both tables."""
    return f"I{int(source['id']):03d}"


def infections(rows: list[dict[str, str]]) -> list[str]:
    """The days of a patient's infections, from the intervals that end with one."""
    return [row["tstop"] for row in rows if row["status"] == "1"]


def patient(rows: list[dict[str, str]]) -> dict[str, str]:
    """One row of patients.csv from the intervals of a patient, in their order.

    Raises ValueError where an interval does not begin where the last one ended, or a patient's
    other columns change.
    """
    first, *later = rows
    ends = ["0", *(row["tstop"] for row in rows)]
    changed = any(row[key] != first[key] for row in later for key in row if key not in OF_THE_ROW)
    if changed or any(row["tstart"] != end for row, end in zip(rows, ends, strict=False)):
        raise ValueError(f"source.csv: the rows of patient {first['id']} do not fit together")
    days = infections(rows)
    return {
        "patient_id": name(first),
        "arm": ARM[first["treat"]],
        "age": first["age"],
        "sex": first["sex"],
        "height": first["height"],
        "weight": first["weight"],
        "inheritance": first["inherit"],
        "steroids": YES_NO[first["steroids"]],
        "prophylaxis": YES_NO[first["propylac"]],
        "centre": first["center"],
        "hospitals": HOSPITALS[first["hos.cat"]],
        "first_infection_day": days[0] if days else "",
        "infections": str(len(days)),
        "last_contact_day": rows[-1]["tstop"],
    }


def _by_patient() -> list[list[dict[str, str]]]:
    with SOURCE.open(encoding="utf-8", newline="") as lines:
        return [list(rows) for _, rows in groupby(csv.DictReader(lines), lambda row: row["id"])]


def _text(table: Iterable[dict[str, str]]) -> str:
    first, *rest = table
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(first), lineterminator="\n")
    writer.writeheader()
    writer.writerows([first, *rest])
    return text.getvalue()


def make() -> str:
    """The text of patients.csv, one row a patient in the order of the source."""
    return _text(map(patient, _by_patient()))


def make_infections() -> str:
    """The text of infections.csv, one row a serious infection."""
    return _text(
        {"patient_id": name(rows[0]), "infection": str(number), "day": day}
        for rows in _by_patient()
        for number, day in enumerate(infections(rows), start=1)
    )


if __name__ == "__main__":
    TARGET.write_text(make(), encoding="utf-8", newline="\n")
    INFECTIONS.write_text(make_infections(), encoding="utf-8", newline="\n")
