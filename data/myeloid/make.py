"""Write patients.csv of the myeloid dataset from source.csv, the table as published.

Run by hand after a change: `python data/myeloid/make.py`.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from made import YES_NO, Row, published, text, write

HERE = Path(__file__).resolve().parent

SEX = {"m": "male", "f": "female"}
# The source calls the levels of both by a letter alone, and an A might be either.
ARM, FLT3 = ({letter: f"{what} {letter}" for letter in "ABC"} for what in ("Arm", "FLT3"))


def whole_day(told: str) -> str:
    """A day as a whole number ("44.0" gives "44"), blank where the event did not happen.

    Raises ValueError for a fraction of a day, which the source does not hold.
    """
    if told == "":
        return ""
    day = float(told)
    if not day.is_integer():
        raise ValueError(f"source.csv: {told} is not a whole day")
    return str(int(day))


def patient(source: Row) -> Row:
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
    return text(map(patient, published(HERE)))


if __name__ == "__main__":
    write(HERE, patients=make())
