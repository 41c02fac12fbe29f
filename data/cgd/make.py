"""Write patients.csv and infections.csv of the cgd dataset from source.csv, as published.

Run by hand after a change: `python data/cgd/make.py`.
"""

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from made import YES_NO, Row, published, text, write

HERE = Path(__file__).resolve().parent

ARM = {"placebo": "Placebo", "rIFN-g": "Interferon gamma"}
HOSPITALS = {
    "US:NIH": "NIH",
    "US:other": "Other in the USA",
    "Europe:Amsterdam": "Amsterdam",
    "Europe:other": "Other in Europe",
}
# The columns of the source that change from row to row of a patient.
OF_THE_ROW = ("tstart", "tstop", "enum", "status")


def name(source: Row) -> str:
    """The id of a patient in both tables."""
    return f"I{int(source['id']):03d}"


def infections(rows: list[Row]) -> list[str]:
    """The days of a patient's infections, from the intervals that end with one."""
    return [row["tstop"] for row in rows if row["status"] == "1"]


def patient(rows: list[Row]) -> Row:
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


def _by_patient() -> Iterator[list[Row]]:
    """The intervals of each patient, one patient after the other."""
    return (list(rows) for _, rows in groupby(published(HERE), lambda row: row["id"]))


def make() -> str:
    """The text of patients.csv, one row a patient in the order of the source."""
    return text(map(patient, _by_patient()))


def make_infections() -> str:
    """The text of infections.csv, one row a serious infection."""
    return text(
        {"patient_id": name(rows[0]), "infection": str(number), "day": day}
        for rows in _by_patient()
        for number, day in enumerate(infections(rows), start=1)
    )


if __name__ == "__main__":
    write(HERE, patients=make(), infections=make_infections())
