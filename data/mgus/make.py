"""Write patients.csv of the mgus dataset from source.csv, the table as published.

Run by hand after a change: `python data/mgus/make.py`.
"""

import csv
import io
from pathlib import Path

SOURCE = Path(__file__).with_name("source.csv")
TARGET = Path(__file__).with_name("patients.csv")

YES_NO = {"1": "yes", "0": "no"}
MALIGNANCY = {
    "": "",
    "MM": "multiple myeloma",
    "AM": "amyloidosis",
    "MA": "macroglobulinaemia",
    "LP": "other lymphoproliferative disorder",
}
DAYS_PER_YEAR = 365.25


def years(days: str) -> str:
    """Days as years, blank where there are none; no print has more than one decimal of them."""
    return f"{int(days) / DAYS_PER_YEAR:.4f}" if days else ""


def patient(source: dict[str, str]) -> dict[str, str]:
    """One row of patients.csv from one row of the source."""
    return {
        "patient_id": f"G{int(source['id']):03d}",
        "age": source["age"],
        "sex": source["sex"],
        "year": f"19{source['dxyr']}",
        "m_spike": source["mspike"],
        "haemoglobin": source["hgb"],
        "creatinine": source["creat"],
        "albumin": source["alb"],
        "malignancy": MALIGNANCY[source["pcdx"]],
        "progression_day": source["pctime"],
        "progression_years": years(source["pctime"]),
        "followup_years": years(source["futime"]),
        "last_contact_day": source["futime"],
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
