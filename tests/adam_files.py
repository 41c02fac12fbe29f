"""An ADaM pair made from a shipped dataset, as a trial's statistician would hand it over."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

STUDY_ID = "STUDY-"
PARAMETERS = {
    "OS": ("Overall Survival", "last_contact_day"),
    "TTCR": ("Time to Complete Remission", "response_day"),
    "TTHSCT": ("Time to Transplant", "hsct_day"),
    "TTREL": ("Time to Relapse", "relapse_day"),
}
RANDOMISED = pd.Timestamp("2015-03-02")
ADSL_LABELS = {
    "STUDYID": "Study Identifier",
    "USUBJID": "Unique Subject Identifier",
    "SUBJID": "Subject Identifier for the Study",
    "BRTHDT": "Date of Birth",
    "ARM": "Description of Planned Arm",
    "SEX": "Sex",
    "FLT3": "FLT3 mutation",
    "RANDDT": "Date of Randomization",
    "DTHFL": "Subject Death Flag",
}
ADTTE_LABELS = {
    "USUBJID": "Unique Subject Identifier",
    "PARAM": "Parameter",
    "PARAMCD": "Parameter Code",
    "STARTDT": "Time to Event Origin Date for Subject",
    "ADT": "Analysis Date",
    "AVAL": "Analysis Value",
    "AVALU": "Analysis Value Unit",
    "CNSR": "Censor",
}


def adsl(patients: pd.DataFrame) -> pd.DataFrame:
    """One row a patient, from the text of a patients.csv like that of data/myeloid."""
    number = pd.Series(range(1, len(patients) + 1), index=patients.index)
    return pd.DataFrame(
        {
            "STUDYID": "STUDY",
            "USUBJID": patients["patient_id"],
            "SUBJID": number.map("{:04d}".format),
            "BRTHDT": (RANDOMISED - pd.to_timedelta(15000 + number, unit="D")).dt.date,
            "ARM": patients["arm"],
            "SEX": patients["sex"],
            "FLT3": patients["flt3"],
            "RANDDT": _randomised(patients).dt.date,
            "DTHFL": patients["died"].map({"yes": "Y", "no": ""}),
        }
    )


def adtte(patients: pd.DataFrame) -> pd.DataFrame:
    """A row for each patient and parameter; without the event, censored at the last contact."""
    return pd.concat([_records(patients, code) for code in PARAMETERS], ignore_index=True)


def _records(patients: pd.DataFrame, code: str) -> pd.DataFrame:
    words, column = PARAMETERS[code]
    last = patients["last_contact_day"].astype(int)
    event = patients["died"].eq("yes") if code == "OS" else patients[column].ne("")
    days = last if code == "OS" else patients[column].where(event, last).astype(int)
    start = _randomised(patients)
    return pd.DataFrame(
        {
            "USUBJID": patients["patient_id"],
            "PARAM": f"{words} (Days)",
            "PARAMCD": code,
            "STARTDT": start.dt.date,
            "ADT": (start + pd.to_timedelta(days, unit="D")).dt.date,
            "AVAL": days.astype(float),
            "AVALU": "DAYS",
            "CNSR": (~event).astype(float),
        }
    )


def _randomised(patients: pd.DataFrame) -> pd.Series:
    days = pd.Series(range(len(patients)), index=patients.index) % 700
    return RANDOMISED + pd.to_timedelta(days, unit="D")


def write_transport(frame: pd.DataFrame, path: Path, labels: dict[str, str]) -> Path:
    """A SAS transport file with its labels, in the version that regulators ask for."""
    import pyreadstat

    name = path.stem.upper()
    pyreadstat.write_xport(
        frame, path, column_labels=labels, table_name=name, file_format_version=5
    )
    return path
