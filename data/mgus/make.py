"""Write patients.csv of the mgus dataset from source.csv, the table as published.

Run by hand after a change: `python data/mgus/make.py`.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from made import YES_NO, Row, published, text, write

HERE = Path(__file__).resolve().parent

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


def patient(source: Row) -> Row:
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
    return text(map(patient, published(HERE)))


if __name__ == "__main__":
    write(HERE, patients=make())
