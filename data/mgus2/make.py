"""Write patients.csv of the mgus2 dataset from source.csv, the table as published.

Run by hand after a change: `python data/mgus2/make.py`.
"""

import csv
import io
from pathlib import Path

SOURCE = Path(__file__).with_name("source.csv")
TARGET = Path(__file__).with_name("patients.csv")

SEX = {"F": "female", "M": "male"}
YES_NO = {"1": "yes", "0": "no"}
# The source counts whole months. A sixteenth of a day is exact in a computer's numbers, so that
# each of these days is again the very month when the book divides by the length of a month.
DAYS_PER_MONTH = 30.4375


def days(months: str) -> str:
    """Whole months as days, without a needless decimal.

    Raises ValueError for a part of a month, which the source does not hold.
    """
    return f"{int(months) * DAYS_PER_MONTH:.10g}"


def patient(source: dict[str, str]) -> dict[str, str]:
    """One row of patients.csv from one row of the source."""
    progressed = source["pstat"] == "1"
    # Without a progression the source repeats the follow-up time.
    if not progressed and source["ptime"] != source["futime"]:
        raise ValueError(f"source.csv: patient {source['id']} is followed to two days")
    return {
        "patient_id": f"G{int(source['id']):04d}",
        "age": source["age"],
        "sex": SEX[source["sex"]],
        "year": source["dxyr"],
        "m_spike": source["mspike"],
        "haemoglobin": source["hgb"],
        "creatinine": source["creat"],
        "progression_day": days(source["ptime"]) if progressed else "",
        "last_contact_day": days(source["futime"]),
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
