"""Less data, the same book: every page is there, or says in a sentence what it lacks and why."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import short_follow_up
from conftest import often
from inprocess import QUICK, Page, as_data, pages
from short_follow_up import patients

ROOT = Path(__file__).resolve().parents[1]
PAPER = ROOT / "data" / "blinatumomab"
# What no private dataset without printed numbers has.
ALWAYS = {"study", "scorecard", "consistency", "cohort"}
CHECKLISTS = ("strobe", "remark")  # tests/test_checklists.py takes columns away from them
RESPONSE_ONLY = {
    *("figure_1b", "figure_1c", "figure_1d", "in_the_text", "table_s1"),
    "lesson_05_competing_risks",
}
LATER_FACTOR = {"lesson_07_start_stop"}
# What these have invented is shown, and recorded, all the same.
FACTORS_ONLY = {
    "lesson_04_two_curves",
    "lesson_09_selection",
    "lesson_10_proportional_hazards",
}
RELAPSE_ONLY = RESPONSE_ONLY - {"figure_1c"}


def dataset(
    folder: Path,
    without: tuple[str, ...] = (),
    change: Callable[[pd.DataFrame], pd.DataFrame] = lambda patients: patients,
    factors: slice = slice(None),
) -> Path:
    """The paper's cohort as somebody's own, with less in it: fewer columns, rows or factors."""
    package = json.loads((PAPER / "datapackage.json").read_text("utf-8"))
    resource, settings = package["resources"][0], package["analysis"]
    schema = resource["schema"]
    schema["fields"] = [field for field in schema["fields"] if field["name"] not in without]
    settings["synthetic"], package["public"] = False, False
    for part in ("factors", "characteristics"):
        settings[part] = [
            entry
            for entry in settings.get(part, [])
            if not {entry["column"], entry.get("among"), entry.get("before")} & {*without}
        ]
    settings["factors"] = settings["factors"][factors]
    patients = pd.read_csv(PAPER / "patients.csv", dtype=str, keep_default_na=False).iloc[::3]
    folder.mkdir()
    (folder / "datapackage.json").write_text(json.dumps(package), "utf-8")
    change(patients.drop(columns=list(without))).to_csv(folder / "patients.csv", index=False)
    return folder


def nobody_dies(patients: pd.DataFrame) -> pd.DataFrame:
    return patients.assign(died="no")


def never(*columns: str) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """The columns are there, but it happened to nobody."""
    return lambda patients: patients.assign(**dict.fromkeys(columns, ""))


EVENTS = ("response_day", "mrd_response_day", "relapse_day", "hsct_day", "last_assessment_day")
MRD = ("mrd_response_day", "mrd_evaluable", "mrd_response_cycle")
# Two in one where no page needs the one and the other: all pages of a dataset take their time.
LESS = {
    "no response": ({"without": ("response_day",)}, RESPONSE_ONLY),
    "no relapse, one factor": (
        {"without": ("relapse_day",), "factors": slice(1)},
        RELAPSE_ONLY | FACTORS_ONLY | LATER_FACTOR,
    ),
    "no transplant, no factor": (
        {"without": ("hsct_day",), "factors": slice(0)},
        {"figure_1c", "in_the_text", "table_3"} | FACTORS_ONLY | LATER_FACTOR,
    ),
    "no death": ({"change": nobody_dies}, FACTORS_ONLY),
    "deaths only": (
        {"without": EVENTS, "factors": slice(2)},
        RESPONSE_ONLY
        | LATER_FACTOR
        | {"states", "lesson_06_immortal_time", "lesson_08_conditioning"},
    ),
    "nobody responds": (
        {"change": never("response_day")},
        RESPONSE_ONLY - {"in_the_text", "table_s1"},  # these count, and the counts are 0
    ),
    "no MRD, nobody relapses or is transplanted": (
        {"without": MRD, "change": never("relapse_day", "hsct_day")},
        {"figure_1c"},
    ),
}


@pytest.fixture(params=often(LESS, "no transplant, no factor"))
def made(request, tmp_path: Path, monkeypatch) -> tuple[dict[str, Page], set[str]]:
    """Every page of one dataset with less in it, and the pages that must say so."""
    # Charts are specified, which may fail, and not drawn, which takes half of the time.
    monkeypatch.setattr("analysis.page.charts._drawn", as_data)
    less, says = LESS[request.param]
    folder = dataset(tmp_path / "less", **less)
    return pages(folder, tmp_path / "results", left_out=CHECKLISTS, **QUICK), says


def test_each_page_is_there_or_says_why_not(made, tmp_path: Path) -> None:
    shown, says = made
    missing = {name: page.missing for name, page in shown.items() if page.missing}
    assert set(missing) == ALWAYS | says
    for name, sentence in missing.items():
        assert sentence.endswith("."), name
        assert "dataset" in sentence or "patient" in sentence, name
        assert (tmp_path / "results" / f"{name}.csv").exists() == (name in FACTORS_ONLY)
    for name in set(shown) - set(missing):
        assert shown[name].shown, name
        assert not re.search(r"\b(nan|NaN|None|inf)\b|–––", shown[name].text), name


def one_day(died: str) -> pd.DataFrame:
    """All are followed to one day, and on it all die or none does."""
    return patients(300, 0.5, n=20).assign(last_contact_day=300, died=died)


def constant() -> pd.DataFrame:
    return patients(900, 0.5, n=20).assign(age=50, arm="A", response_day=10, hsct_day=20)


def day_0() -> pd.DataFrame:
    """Two die on the first day, two leave on it, and responses and transplants come on it."""
    made = patients(900, 0.5, n=20).assign(response_day=0, hsct_day=0)
    made.loc[:3, ["last_contact_day", "relapse_day"]] = [0, pd.NA]
    made.loc[:3, "died"] = ["yes", "yes", "no", "no"]
    return made


EXTREMES = {
    "one patient": lambda: patients(900, 1.0, n=1),
    "one event": lambda: patients(900, 0.5, n=20).assign(died=["yes"] + 19 * ["no"]),
    "all alive on one day": lambda: one_day("no"),
    "all dead on one day": lambda: one_day("yes"),
    "events on day 0": day_0,
    "no factor varies": constant,
}


# One told as several, a ratio that there is not, and a move from a number to itself.
CLUMSY = re.compile(
    r"(?<!of )(?<![\d.–−] )(?<![\w.–−,])1 "
    r"(?:patients|events|deaths|factors|survivors|lines|are|were|have|go)\b"
    r"|ratio of death is then –|: Nobody was|from (not reached|[\d.]+[^;,]*?) to \1[;.,]"
)


@pytest.mark.parametrize("kind", often(EXTREMES, "one event"))
def test_a_dataset_at_an_extreme_has_a_book(kind, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("analysis.page.charts._drawn", as_data)
    folder = short_follow_up.dataset(tmp_path / "made", EXTREMES[kind]())
    shown = pages(folder, tmp_path / "results", left_out=CHECKLISTS, **QUICK)
    for name, page in shown.items():
        assert page.missing.endswith(".") if page.missing else page.shown, name
        words = re.sub(r"</?a\b[^>]*>", "", page.text)
        assert not (found := CLUMSY.search(words)), (name, found[0])
        assert not re.search(r"\b(nan|NaN|None|inf)\b|–––", page.text), name
