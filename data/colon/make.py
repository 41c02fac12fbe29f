"""Write patients.csv of the colon dataset from source.csv, the table as published.

Run by hand after a change: `python data/colon/make.py`.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from made import YES_NO, Row, published, text, write

HERE = Path(__file__).resolve().parent

SEX = {"1": "male", "0": "female"}
ARM = {"Obs": "Observation", "Lev": "Levamisole", "Lev+5FU": "Levamisole + 5-FU"}
DIFFERENTIATION = {"": "Unknown", "1": "well", "2": "moderate", "3": "poor"}
EXTENT = {"1": "submucosa", "2": "muscle", "3": "serosa", "4": "contiguous structures"}
INTERVAL = {"0": "short", "1": "long"}
# The kinds of row, of which each patient has one of each.
RECURRENCE, DEATH = "1", "2"
OF_THE_ROW = ("time", "status", "etype")


def patient(recurrence: Row, death: Row) -> Row:
    """One row of patients.csv from the two rows of a patient.

    Raises ValueError where the two rows are not of one patient, or where someone without a
    recurrence is followed to two days.
    """
    if any(recurrence[key] != death[key] for key in death if key not in OF_THE_ROW):
        raise ValueError(f"source.csv: the rows of patient {death['id']} differ")
    recurred = recurrence["status"] == "1"
    if not recurred and recurrence["time"] != death["time"]:
        raise ValueError(f"source.csv: patient {death['id']} is followed to two days")
    return {
        "patient_id": f"C{int(death['id']):03d}",
        "arm": ARM[death["rx"]],
        "age": death["age"],
        "sex": SEX[death["sex"]],
        "obstruction": YES_NO[death["obstruct"]],
        "perforation": YES_NO[death["perfor"]],
        "adherence": YES_NO[death["adhere"]],
        "nodes": death["nodes"],
        "more_than_4_nodes": YES_NO[death["node4"]],
        "differentiation": DIFFERENTIATION[death["differ"]],
        "extent": EXTENT[death["extent"]],
        "since_surgery": INTERVAL[death["surg"]],
        "recurrence_day": recurrence["time"] if recurred else "",
        "last_contact_day": death["time"],
        "died": YES_NO[death["status"]],
    }


def make() -> str:
    """The text of patients.csv, one row a patient in the order of the source."""
    rows = published(HERE)
    kinds = {
        kind: {row["id"]: row for row in rows if row["etype"] == kind}
        for kind in (RECURRENCE, DEATH)
    }
    return text(patient(kinds[RECURRENCE][number], row) for number, row in kinds[DEATH].items())


if __name__ == "__main__":
    write(HERE, patients=make())
