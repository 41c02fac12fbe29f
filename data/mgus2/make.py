"""Write patients.csv of the mgus2 dataset from source.csv, the table as published.

Run by hand after a change: `python data/mgus2/make.py`.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from made import YES_NO, Row, published, text, write

HERE = Path(__file__).resolve().parent

SEX = {"F": "female", "M": "male"}
# The source counts whole months. A sixteenth of a day is exact in a computer's numbers, so that
# each of these days is again the very month when the book divides by the length of a month.
DAYS_PER_MONTH = 30.4375


def days(months: str) -> str:
    """Whole months as days, without a needless decimal.

    Raises ValueError for a part of a month, which the source does not hold.
    """
    return f"{int(months) * DAYS_PER_MONTH:.10g}"


def patient(source: Row) -> Row:
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
    return text(map(patient, published(HERE)))


if __name__ == "__main__":
    write(HERE, patients=make())
