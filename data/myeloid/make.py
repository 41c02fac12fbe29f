"""Write patients.csv of the myeloid dataset from source.csv, the table as published.

Run by hand after a change: `python data/myeloid/make.py`.
"""

import csv
import io
from pathlib import Path

SOURCE = Path(__file__).with_name("source.csv")
TARGET = Path(__file__).with_name("patients.csv")

SEX = {"m": "male", "f": "female"}
YES_NO = {"1": "yes", "0": "no"}
# The source calls the levels of both by a letter alone, and an A might be either.
ARM, FLT3 = ({letter: f"{what} {letter}" for letter in "ABC"} for what in ("Arm", "FLT3"))


def whole_day(text: str) -> str:
    """A day as a whole number ("44.0" gives "44"), blank where the event did not happen.

    Raises ValueError for a fraction of a day, which the source does not hold.
    """
    if text == "":
        return ""
    day = float(text)
    if not day.is_integer():
        raise ValueError(f"source.csv: {text} is not a whole day")
    return str(int(day))


def patient(source: dict[str, str]) -> dict[str, str]:
    """One row of patients.csv from one row of the source."""
    return {
        "patient_id": f"M{int(source['id']):03d}",
        "arm": ARM[source["trt"]],
        "sex": SEX[source["sex"]],
        "flt3": FLT3[source["flt3"]],
        "response_day": whole_day(source["crtime"]),
        "hsct_day": whole_day(source["txtime"]),
        "relapse_day": whole_day(source["rltime"]),
        "last_contact_day": whole_day(source["futime"]),
        "died": YES_NO[source["death"]],
    }


def make() -> str:
    """The text of patients.csv, one row a patient in the order of the source."""
    with SOURCE.open(encoding="utf-8", newline="") as lines:
        patients = [patient(row) for row in csv.DictReader(lines)]
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(patients[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(patients)
    return text.getvalue()


if __name__ == "__main__":
    TARGET.write_text(make(), encoding="utf-8", newline="\n")
