"""Write patients.csv of the bmt dataset from source.csv, the table as published.

Run by hand after a change: `python data/bmt/make.py`.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))
from made import YES_NO, Row, published, text, write

HERE = Path(__file__).resolve().parent

DISEASE = {"1": "ALL", "2": "AML low risk", "3": "AML high risk"}
HOSPITAL = {"1": "Ohio State", "2": "Alfred", "3": "St. Vincent", "4": "Hahnemann"}
SEX = {"1": "male", "0": "female"}

# Two entries of the source contradict themselves. The README says what that means.
# B127 died on day 168, yet chronic GVHD is dated day 200: the day is left blank.
IMPOSSIBLE_CHRONIC_GVHD = {"B127"}
# B038 died without relapse on day 350, yet the disease-free time ends on day 332: the death counts.
DISEASE_FREE_TIME_ENDS_EARLY = {"B038"}


def day_if(happened: str, day: str) -> str:
    """The day of an event, blank where it did not happen (the source repeats the follow-up)."""
    return day if happened == "1" else ""


def check_disease_free_time(patient_id: str, source: Row) -> None:
    """Without a relapse, disease-free time must end with the follow-up; so nothing is lost here.

    Raises ValueError for a patient in whom it does not and who is not listed above.
    """
    agrees = source["t2"] == source["t1"] or source["d2"] == "1"
    if agrees == (patient_id in DISEASE_FREE_TIME_ENDS_EARLY):
        raise ValueError(
            f"source.csv, {patient_id}: disease-free time {source['t2']} against follow-up "
            f"{source['t1']} is not what this script was written for"
        )


def patient(number: int, source: Row) -> Row:
    """One row of patients.csv from the source row of that number (counted from 1)."""
    patient_id = f"B{number:03d}"
    check_disease_free_time(patient_id, source)
    chronic_gvhd_day = day_if(source["dc"], source["tc"])
    if patient_id in IMPOSSIBLE_CHRONIC_GVHD:
        chronic_gvhd_day = ""
    return {
        "patient_id": patient_id,
        "disease": DISEASE[source["group"]],
        "patient_age": source["z1"],
        "donor_age": source["z2"],
        "patient_sex": SEX[source["z3"]],
        "donor_sex": SEX[source["z4"]],
        "patient_cmv": YES_NO[source["z5"]],
        "donor_cmv": YES_NO[source["z6"]],
        "fab": YES_NO[source["z8"]],
        "waiting_days": source["z7"],
        "hospital": HOSPITAL[source["z9"]],
        "mtx": YES_NO[source["z10"]],
        "platelet_recovery_day": day_if(source["dp"], source["tp"]),
        "acute_gvhd_day": day_if(source["da"], source["ta"]),
        "chronic_gvhd_day": chronic_gvhd_day,
        "relapse_day": day_if(source["d2"], source["t2"]),
        "last_contact_day": source["t1"],
        "died": YES_NO[source["d1"]],
    }


def make() -> str:
    """The text of patients.csv, one row a patient in the order of the source."""
    return text(patient(number, row) for number, row in enumerate(published(HERE), 1))


if __name__ == "__main__":
    write(HERE, patients=make())
