"""From the columns of the search to the text of patients.csv; deals what no aim depends on."""

import csv
import io

import numpy as np
from cohort import DAYS, Columns, chosen, cycle_of
from events import CYCLE_DAYS
from factors import BLASTS, UNKNOWN
from likelihood import NEVER
from printed import Printed

COLUMNS = (
    "patient_id",
    "age",
    "sex",
    "race",
    "primary_refractory",
    "prior_relapses",
    "salvage_line",
    "prior_hsct",
    "bone_marrow_blasts",
    "bone_marrow_blasts_group",
    "t_4_11",
    "ecog",
    "cycles",
    "best_response",
    "response_day",
    "mrd_evaluable",
    "mrd_response_day",
    "mrd_response_cycle",
    "hsct_day",
    "relapse_day",
    "last_assessment_day",
    "last_contact_day",
    "died",
)
BEST_RESPONSE = ("No response", "CR", "CRh", "Hypocellular bone marrow")
MRD_CYCLE = ("", "1", "2", "3 and beyond")
YES_NO = {UNKNOWN: "Unknown", 0: "no", 1: "yes"}


def text(columns: Columns, printed: Printed, rng: np.random.Generator) -> str:
    """The text of patients.csv, its patients in an order that tells nothing."""
    table = _table(columns, printed, rng)
    order = rng.permutation(len(columns["last"]))
    table["patient_id"] = [f"S{number:03d}" for number in np.argsort(order) + 1]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([table[column][i] for column in COLUMNS] for i in order)
    return buffer.getvalue()


def for_models(columns: Columns) -> dict[str, np.ndarray]:
    """What the models of the settled factors need, as a dataset's patients have it."""

    def day(name: str) -> np.ndarray:
        return np.where(columns[name] == NEVER, np.nan, columns[name].astype(float))

    made = {column: day(name) for name, column in DAYS.items()}
    made |= {"mrd_response_day": day("mrd")}
    for name, column in (("died", "died"), ("evaluable", "mrd_evaluable"), ("t_4_11", "t_4_11")):
        made[column] = np.array([YES_NO[int(value)] for value in columns[name]], dtype=object)
    made["race"] = np.select([columns["race"] == 1, columns["race"] == 0], ["White", "Other"], "")
    if "ecog" in columns:
        made["ecog"] = np.select([columns["ecog"] == 1, columns["ecog"] == 0], ["0", "1"], "")
    return made


def _table(columns: Columns, printed: Printed, rng: np.random.Generator) -> dict[str, list]:
    """One list of values for each column of patients.csv but the patient's name."""

    def yes_no(name: str) -> list[str]:
        return [YES_NO[int(value)] for value in columns[name]]

    blasts = columns["bone_marrow_blasts"]
    return {
        "age": columns["age"].tolist(),
        "sex": [("Female", "Male")[value] for value in columns["sex"]],
        "race": _race(columns, printed, rng),
        "primary_refractory": yes_no("primary_refractory"),
        "prior_relapses": _prior_relapses(columns, printed, rng),
        "salvage_line": [("2nd+", "1st")[value] for value in columns["salvage_line"]],
        "prior_hsct": yes_no("prior_hsct"),
        "bone_marrow_blasts": ["" if value == UNKNOWN else int(value) for value in blasts],
        "bone_marrow_blasts_group": [_blasts_group(value) for value in blasts],
        "t_4_11": yes_no("t_4_11"),
        "ecog": _ecog(columns, printed, rng),
        "cycles": _cycles(columns, rng),
        "best_response": [BEST_RESPONSE[value] for value in columns["best_response"]],
        "mrd_evaluable": yes_no("evaluable"),
        "mrd_response_day": _days(columns["mrd"]),
        "mrd_response_cycle": [MRD_CYCLE[value] for value in columns["mrd_cycle"]],
        "died": yes_no("died"),
    } | {day: _days(columns[name]) for name, day in DAYS.items()}


def _days(values: np.ndarray) -> list[int | str]:
    return ["" if day == NEVER else int(day) for day in values]


def _race(columns: Columns, printed: Printed, rng: np.random.Generator) -> list[str]:
    """Those who are neither White nor unknown share the other races."""
    counts = printed.levels("race")
    others = [name for name in counts if name not in ("White", "Unknown")]
    dealt = rng.permutation([name for name in others for _ in range(counts[name])])
    names = np.where(columns["race"] == 1, "White", "Unknown").astype(dealt.dtype)
    names[columns["race"] == 0] = dealt
    return names.tolist()


def _ecog(columns: Columns, printed: Printed, rng: np.random.Generator) -> list[str]:
    """Those who are not 0 are 1 or 2."""
    names = np.select([columns["ecog"] == 1, columns["ecog"] == 0], ["0", "1"], "Unknown")
    names[chosen(columns["ecog"] == 0, printed.count("ecog=2"), rng)] = "2"
    return names.tolist()


def _prior_relapses(columns: Columns, printed: Printed, rng: np.random.Generator) -> list[str]:
    """Primary refractory means none; two or more have had a salvage treatment before."""
    refractory = columns["primary_refractory"] == 1
    names = np.where(refractory, "0", "1").astype("<U2")
    later = ~refractory & (columns["salvage_line"] == 0)
    names[chosen(later, printed.count("prior_relapses=≥2"), rng)] = "≥2"
    return names.tolist()


def _blasts_group(value: int) -> str:
    return next((name for name, (low, high) in BLASTS.items() if low <= value <= high), "Unknown")


def _cycles(columns: Columns, rng: np.random.Generator) -> list[int]:
    """Treatment cycles started, 1 to 5: cycle k begins on day 42 (k - 1), if still treated then."""
    made = []
    stops = np.minimum.reduce([columns[name] for name in ("last", "relapse", "hsct")])
    for response, mrd, stop in zip(columns["response"], columns["mrd"], stops, strict=True):
        possible = min((int(stop) - 1) // CYCLE_DAYS + 1, 5)
        needed = max((cycle_of(int(day)) for day in (response, mrd) if day < NEVER), default=1)
        if response == NEVER:
            possible = max(min(possible, 2), needed)
        made.append(int(rng.integers(needed, possible + 1)))
    return made
