"""Nothing is said beyond follow-up: rows, and whatever a reader meets on the pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import often
from inprocess import QUICK, Page, as_data, pages, showing
from short_follow_up import dataset, patients

from analysis import survival as est
from analysis.dataset.endpoints import endpoint
from analysis.dataset.model import load
from analysis.page import plain
from analysis.page.rows import frame, is_carried, nobody_left, pick
from analysis.page.tables import Row
from analysis.study import curves
from analysis.study.curves import incidence_results, survival_results, values_at
from analysis.study.landmarks import past_follow_up

MONTH = 30.4375
KINDS = {
    "before the first landmark": (150, 0.4),
    "between two landmarks": (608, 0.6),
    "all dead before the first": (290, 1.0),
}


# --- rows ----------------------------------------------------------------------------------------


def rows_of(folder: Path, frame: pd.DataFrame, name: str = "os", **settings: object):
    """The rows of one endpoint of a small dataset with landmarks at 12 and 24 months."""
    made = load(str(dataset(folder, frame, months=[12, 24], **settings)))
    question = endpoint(made, name)
    if name == "relapse":
        causes = enumerate(("relapse", "death"), start=1)
        curves = {
            cause: est.cumulative_incidence(question.time, question.observed, number)
            for number, cause in causes
        }
        return incidence_results(made, question, curves)
    curve = est.survival_curve(question.time, question.observed)
    return survival_results(made, question, curve)


def at(rows: pd.DataFrame, quantity: str, month: float, group: str = "os") -> pd.Series:
    return pick(rows, quantity, group, month)


def followed(days: int, dead: float = 0.5) -> pd.DataFrame:
    return patients(days, dead, n=30)


def test_past_the_end_nothing_is_known(tmp_path):
    rows = rows_of(tmp_path / "flat", followed(600))
    assert at(rows, "survival", 12).notna().all()
    late = at(rows, "survival", 24)
    assert late[["estimate", "lower", "upper", "events"]].isna().all()
    assert late["n"] == 0
    assert at(rows, "at_risk", 24)["estimate"] == 0
    for quantity in ("censored", "rmst", "event_rate", "person_years"):
        assert at(rows, quantity, 24)[["estimate", "lower", "upper", "events"]].isna().all()
    assert np.isnan(at(rows, "conditional_survival", 12)["estimate"])
    assert pick(rows, "followup_end", "os")["estimate"] == pytest.approx(600 / MONTH)


def test_a_curve_at_zero_stays_there_but_its_mean_goes_no_further(tmp_path):
    rows = rows_of(tmp_path / "dead", followed(300, 1.0))
    assert at(rows, "survival", 24)[["estimate", "n", "events"]].tolist() == [0, 0, 30]
    assert np.isnan(at(rows, "rmst", 24)["estimate"])
    assert nobody_left(rows, "os")
    assert not is_carried(rows, at(rows, "survival", 24))
    (note,) = past_follow_up([Row("24", ["0.0%"])], rows, ["os"])
    assert note == "The last one followed had an event at 9.9 months."


@pytest.mark.parametrize(("days", "known"), [(699, False), (701, True), (730, True), (731, True)])
def test_a_value_is_carried_no_further_than_the_dataset_says(tmp_path, days, known):
    rows = rows_of(tmp_path / "near", followed(days), carry_forward_months=1)
    late = at(rows, "survival", 24)
    assert pd.notna(late["estimate"]) is known
    assert pd.notna(late["events"]) is known
    assert pd.notna(at(rows, "rmst", 24)["estimate"]) is (days > 730)
    assert is_carried(rows, late) is (known and days < 730.5)


def test_of_two_groups_each_has_its_own_end(tmp_path):
    frame = followed(800)
    made = load(str(dataset(tmp_path / "two", frame, months=[12, 24])))
    for arm, longest in (("A", 400), ("B", 800)):
        time = np.minimum(frame["last_contact_day"].to_numpy(), longest)
        curve = est.survival_curve(time, frame["died"].eq("yes") & (time < longest))
        known = values_at(made, curve, [12, 24])["survival"].notna()
        assert known.tolist() == [True, arm == "B"]


@pytest.mark.parametrize("dead", [0.5, 1.0])
def test_an_incidence_ends_where_its_patients_do(tmp_path, dead):
    rows = rows_of(tmp_path / "incidence", followed(600, dead), "relapse")
    for cause in ("relapse", "death"):
        late = at(rows, "cumulative_incidence", 24, cause)
        assert pd.notna(late["estimate"]) is (dead == 1)  # then nobody is left without an event
        assert pd.notna(late["events"]) is (dead == 1)
        assert nobody_left(rows, cause) is (dead == 1)
        assert not is_carried(rows, late)  # nobody knows, or nothing changes any more


# --- pages ---------------------------------------------------------------------------------------

NUMBER = r"\d+(?:\.\d+)?"
# `24, 36 or 48 months`, `60-month`, `month 60`, `5-year`, `5 years`.
MONTHS = re.compile(
    rf"((?:{NUMBER}, )*(?:{NUMBER} (?:and|or|to) )?{NUMBER})(?:[- ]months?\b| mo\b)"
    rf"|[Mm]onths? ({NUMBER})\b|\b({NUMBER})[- ]years?\b"
)
# An estimate has decimals or is in per cent; a dagger says that it is carried.
ESTIMATE = re.compile(r"\d\.\d+(?!\d*%? ?[†‡])|\d%(?! ?[†‡])")
SAID_OF_THE_END = re.compile(rf"follow-up ended at {NUMBER} months|95% CI")
# Where nobody is left without an event, 0 is known for ever, and so are the incidences.
AT_THE_END = re.compile(
    rf"\b0\.0%|(?i:the last one followed had an event at {NUMBER} months)|"
    r"first to come in|number is not cure|Dead: 100\.0%|100\.0%</a> dead|100\.0% dead"
)
# Invented or printed elsewhere, so that their months are not these patients'.
OTHERS = re.compile(
    r"Ten invented patients.*?\n\n|of the ten\b|At month 60 they stand|"
    r"were last seen within|6-MP.*?\n\n",
    re.DOTALL,
)

# A sentence whose number is blank, a share of nobody, one that gives as if they were many.
BROKEN = re.compile(
    r"\b0 of 0\b|(?:,| and| at| of) – [a-z]|\bcuts, 1 give\b|ends? [^.(]*; follow-up"
)

# Their charts draw invented patients, invented curves, and a model that goes on.
OWN_CURVES = {"lesson_01_censoring", "lesson_02_follow_up", "lesson_03_plateau"}


def months_of(text: str) -> Iterator[float]:
    for found in MONTHS.finditer(text):
        if found[3]:
            yield 12 * float(found[3])
        else:
            yield from map(float, re.findall(NUMBER, found[1] or found[2]))


def texts(page: Page) -> Iterator[str]:
    """What a page says: its plain text and Markdown, and in its HTML what is written or heard.

    What a check or a quiz says is of examples of its own.
    """
    for output in page.shown:
        if re.search(r'class="(?:verdict|quiz)\b', output.get("text/html", "")):
            continue
        yield output.get("text/plain", "")
        yield re.sub(r"<[^>]+>|\\", "", output.get("text/markdown", ""))
        written = output.get("text/html", "")
        yield "\n".join(re.findall(r'aria-label="([^"]*)"', written))
        yield "\n".join(re.sub(r"<[^>]+>", "", li) for li in re.findall(r"<li.*?</li>", written))


def told_beyond(text: str, end: float, over: bool) -> Iterator[str]:
    """Each line of a table and each sentence that tells an estimate at a month past the `end`.

    Where all is `over`, nobody left without an event, curves stay where they have come to.
    """
    if "invented" in text.partition("\n")[0] or "6-MP" in text:
        return  # patients of a lesson's own
    text = re.sub(r"Ten invented patients\n.*", "", text)  # a line of theirs among others
    by_month = re.search(r"^(?:Month|Time|Beyond month) \|", text, re.MULTILINE)
    for line in text.split("\n"):
        if " | " in line:
            head, *cells = line.split(" | ")
            number = re.fullmatch(rf"\s*({NUMBER})(?: months?)?", head) if by_month else None
            months = [float(number[1])] if number else [*months_of(head)]
            told = any(month > end for month in months) and not _says_nothing(cells)
            if told and not (over and AT_THE_END.search(text)):
                yield line
            continue
        for sentence in re.split(r"(?<=[.;!?]) ", line):
            rest = SAID_OF_THE_END.sub("", sentence)
            beyond = any(month > end for month in months_of(rest))
            told = beyond and ESTIMATE.search(MONTHS.sub("", rest))
            known = OTHERS.search(rest) or (over and AT_THE_END.search(sentence))
            if told and not known:
                yield sentence


def _says_nothing(cells: list[str]) -> bool:
    """Whether a line has dashes and nobody at risk alone, or is marked as carried forward."""
    return cells[0][-1:] in ("†", "‡") or all(cell.strip("– ") in ("", "0") for cell in cells)


def beyond_in_results(folder: Path, end: float) -> Iterator[str]:
    for file in sorted(folder.glob("*.csv")):
        rows = pd.read_csv(file)
        rows = rows[(rows["months"] > end) & ~rows["group"].eq("ten")]
        rows = rows[~rows["quantity"].eq("at_risk")]
        told = rows[["estimate", "lower", "upper", "events"]].notna().any(axis=1)
        # Where nobody is left without an event, the last values stand for ever.
        ends = ["survival", "cumulative_incidence", "censored", "state_occupation"]
        left = rows["quantity"].isin(ends)
        for row in rows[told].itertuples():
            if not (left[row.Index] and row.n is not None and at_zero(rows, row)):
                yield f"{file.stem}: {row.quantity}, {row.group}, {row.months:g}"


def at_zero(rows: pd.DataFrame, row) -> bool:
    """Whether a curve of the page has come to its end at this month."""
    same = rows[rows["months"].eq(row.months)]
    if row.quantity == "state_occupation":
        return bool(same.loc[same["group"].eq("died"), "estimate"].eq(1).any())
    curve = same[same["quantity"].eq("survival") & same["group"].eq(row.group)]
    if len(curve):
        return bool(curve["estimate"].iloc[0] == 0)
    causes = same[same["quantity"].eq("cumulative_incidence")]
    return bool(np.isclose(causes["estimate"].sum(), 1))


def drawn_beyond(page: Page, end: float) -> Iterator[str]:
    """What the charts draw of a curve past the end of follow-up, unless it is at 0.

    But of groups that a lesson invents, and says so.
    """
    for output in page.shown:
        if "invented groups" in output.get("text/html", ""):
            continue
        for spec in re.findall(r'class="chart-spec">(.*?)</script>', output.get("text/html", "")):
            for mark in re.findall(r'\{[^{}]*"month":[^{}]*\}', spec):
                values = json.loads(mark)
                of_a_curve = "series" in values and values.get("estimate", 0) > 0
                if of_a_curve and values["month"] > end:
                    yield f"a mark at month {values['month']:g}"


def found_beyond(folder: Path, results: Path, **parameters) -> tuple[list[str], dict[str, Page]]:
    patients = load(str(folder)).patients
    last = patients.sort_values("last_contact_day").iloc[-1]
    end = last["last_contact_day"] / MONTH
    # In whole months a curve that comes to 0 does so at the end of the month.
    drawn_to = np.ceil(end) if last["died"] == "yes" else end
    shown = pages(folder, results, **QUICK, **parameters)
    said = [
        f"{name}: {hit}"
        for name, page in shown.items()
        for text in texts(page)
        for hit in told_beyond(text, end, patients["died"].eq("yes").all())
    ]
    drawn = [
        f"{name}: {hit}"
        for name, page in shown.items()
        if name not in OWN_CURVES
        for hit in drawn_beyond(page, drawn_to)
    ]
    return [*said, *drawn, *beyond_in_results(results, end)], shown


@pytest.fixture(autouse=True)
def _undrawn(monkeypatch):
    """Charts are specified and not drawn, which takes half of the time."""
    monkeypatch.setattr("analysis.page.charts._drawn", as_data)


@pytest.mark.parametrize("kind", often(KINDS, "between two landmarks"))
def test_nothing_is_told_beyond_follow_up(kind, tmp_path):
    folder = dataset(tmp_path / "made", patients(*KINDS[kind]))
    hits, shown = found_beyond(folder, tmp_path / "results")
    assert not hits
    for name, page in shown.items():
        assert page.shown or page.missing, name
        assert not re.search(r"\b(?:nan|NaN|None|inf)\b", page.text), name
        text = "\n".join(texts(page)).replace("masked, a small number", "")
        assert not re.search(r"\bmasked\b", text), name
        assert not BROKEN.search(text), (name, BROKEN.search(text)[0])
        if kind == "all dead before the first":  # then it is known at every landmark
            assert not re.search(r"(?<!given: )[Nn]obody was followed to", text), name


def test_without_the_rule_much_would_be_told(tmp_path, monkeypatch):
    """The search finds what it looks for: here a curve goes on for ever, as it once did."""
    whole = est.at
    monkeypatch.setattr(est, "at", lambda curve, times, carry=0.0: whole(curve, times, np.inf))
    for rule in ("followed_landmarks", "told_months"):
        monkeypatch.setattr(curves, rule, lambda dataset, *_, **__: list(dataset.settings.months))
    folder = dataset(tmp_path / "made", patients(*KINDS["between two landmarks"]))
    left_out = [path.stem for path in Path("book").glob("*.ipynb")]
    kept = {f"figure_1{letter}" for letter in "abcd"}
    kept |= {"index", "lesson_01_censoring", "lesson_05_competing_risks"}
    hits, _ = found_beyond(folder, tmp_path / "results", left_out={*left_out} - kept)
    assert {hit.partition(":")[0] for hit in hits} >= kept - {"index"}
    assert any(" | " in hit for hit in hits)
    assert any("% at " in hit for hit in hits)
    assert any("a mark at month" in hit for hit in hits)
    assert any(hit.startswith("index: survival, os") for hit in hits)


# --- carried values ------------------------------------------------------------------------------

# A value with its mark, and the interval that belongs to it.
MARKED = re.compile(r"[\d.]+%?†(?: \(95% CI, [^)]*\))?")


def unmarked(text: str, end: float) -> Iterator[str]:
    """What a page tells past the `end` without a mark, by the line or by the head of a column."""
    sentences = [s for s in re.split(r"(?<=[.;!?])\s", text) if "carried forward: " not in s]
    told = [MARKED.sub("", s) for s in sentences if " | " not in s]
    lines = [line for line in text.split("\n") if " | " in line and "†" not in line]
    if not text.endswith(plain.CARRIED):
        yield from told_beyond("\n".join([*told, *lines]), end, False)
    head, *lines = [line.split(" | ") for line in text.split("\n") if " | " in line] or [[]]
    beyond = [place for place, word in enumerate(head) if any(m > end for m in months_of(word))]
    for place in beyond:
        cells = [line[place] for line in lines if len(line) > place and place]
        yield from (cell for cell in cells if cell[-1:] not in ("†", "‡", "–", ""))


def test_what_is_carried_has_its_mark_on_every_page(tmp_path):
    made = patients(1080, 0.6)
    folder = dataset(tmp_path / "made", made, months=[12, 24, 36], carry_forward_months=1)
    shown = pages(folder, tmp_path / "results", **QUICK)
    end = 1080 / MONTH
    hits = {(name, hit) for name, p in shown.items() for x in texts(p) for hit in unmarked(x, end)}
    assert not hits
    for name in ("figure_1a", "figure_1b", "figure_1d", "lesson_03_plateau"):
        assert "†" in shown[name].text, name
    for name, page in shown.items():  # whoever meets a mark finds what it says
        assert "†" not in page.text or "carried forward" in page.text, name
    for name in ("lesson_01_censoring", "lesson_03_plateau", "figure_1d"):
        assert plain.CARRIED in shown[name].text, name  # beside the code to take away


def test_of_a_curve_of_some_patients_the_last_one_followed_decides_what_is_carried():
    row = {"quantity": "survival_ever", "group": "os:hsct_day|yes", "months": 24.0}
    for n, estimate, carried in ((0, 0.3, True), (0, 0.0, False), (4, 0.3, False)):
        rows = frame([row | {"estimate": estimate, "n": n}])
        assert is_carried(rows, rows.iloc[0]) is carried
        assert str(showing(None, rows)[tuple(row.values())]).endswith("†") is carried


def test_who_leaves_on_the_day_of_a_landmark_is_followed_to_it():
    """Lesson 11 counts those at risk beyond the day, and there is nobody; the value is known."""
    kept = {"group": "os", "months": 12.0, "n": 0}
    rows = [{"quantity": "survival", "estimate": 0.5, **kept}]
    rows += [{"quantity": "at_risk", "estimate": 0, **kept}]
    for end, carried in ((12.0, False), (11.5, True)):
        rows_ = frame([*rows, {"quantity": "followup_end", "group": "os", "estimate": end}])
        assert is_carried(rows_, rows_.iloc[0]) is carried
