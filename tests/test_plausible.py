"""What a dataset says that is hardly so has its warning, and what is merely rare has none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import ROOT
from test_checks import warned
from test_dataset import field, folder

from analysis.dataset.privacy import is_phone
from analysis.study.advice import check

FILE = "patients.csv, "
DAYS = [str(40 + 31 * n) for n in range(60)]  # to five years
DIED = ["yes" if n % 2 else "no" for n in range(60)]


def dataset(
    path: Path, days: list[str] = DAYS, died: list[str] = DIED, title: str = "", **own: list[str]
) -> Path:
    """A folder of as many patients as there are days, with columns of its own, all numbers."""
    events = {name for name in own if name.endswith("_day")}
    table = {"patient_id": [f"P{n}" for n in range(len(days))], **own}
    table |= {"last_contact_day": days, "died": died[: len(days)]}
    lines = [",".join(table), *(",".join(row) for row in zip(*table.values(), strict=True))]
    fields = [field(name) for name in table]
    for entry in fields:
        if entry["name"] in own and entry["name"] not in events:
            entry |= {"type": "number"} | ({"title": title} if title else {})
    return folder(path, csv="\n".join(lines) + "\n", fields=fields, analysis={"months": [12, 24]})


def cycle(*values: object, count: int = 60) -> list[str]:
    return [str(values[n % len(values)]) for n in range(count)]


# --- codes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "values", "title", "shown"),
    [
        ("x1", (1, 2), "", "2 different whole numbers (1, 2)"),
        ("diabetes", (0, 1), "", "2 different whole numbers (0, 1)"),
        ("site", (701, 702, 718), "", "3 different whole numbers (701, 702, 718)"),
        ("v7", (1, 2, 3, 4, 5), "Race", "5 different whole numbers (1, 2, 3, 4, 5)"),
        ("centre", range(100, 120), "", "20 different whole numbers (100, 101, 102, 103, 104, 105"),
    ],
)
def test_codes_kept_as_numbers_are_a_warning(tmp_path, column, values, title, shown):
    path = dataset(tmp_path, title=title, **{column: cycle(*values)})
    (line,) = warned(path)
    assert line.startswith(f"{FILE}column {column}: {shown}")
    assert "look like codes" in line
    assert "(" not in warned(path, private=True)[0]


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("nodes", (0, 1, 2, 3)),
        ("age", tuple(range(40, 90))),
        ("ratio", (0.5, 1)),
        ("lines", (1, 2)),
        ("ecog", (0, 1, 2, 3)),
        ("wbc", (3.1, 9, 22)),
    ],
)
def test_counts_and_measurements_are_no_codes(tmp_path, column, values):
    assert warned(dataset(tmp_path, **{column: cycle(*values)})) == []


@pytest.mark.parametrize(
    ("own", "line"),
    [
        ({"age": ["999", *cycle(51, 60, 71, count=59)]}, 'row 2, column age: "999" looks like a '
         "code for missing; if it is, leave the cell blank"),
        ({"wbc": ["-9", *cycle(5, 6.5, count=58), "-9"]}, 'row 2, column wbc: "-9" looks like a '
         "code for missing (so do 1 more rows); if it is, leave the cell blank"),
        ({"ecog": [*cycle(0, 1, 2, count=59), "9"]}, 'row 61, column ecog: "9" looks like a code '
         "for missing; if it is, leave the cell blank"),
    ],
)  # fmt: skip
def test_numbers_that_look_like_codes_for_missing_are_a_warning(tmp_path, own, line):
    path = dataset(tmp_path, **own)
    assert warned(path) == [FILE + line]
    assert not any('"' in line for line in warned(path, private=True))


def test_a_day_that_the_follow_up_reaches_is_no_code(tmp_path):
    """Of few transplants the latest came on day 98."""
    hsct = [*map(str, (20, 25, 30, 31, 33, 35, 98)), *[""] * 53]
    assert warned(dataset(tmp_path, hsct_day=hsct)) == []


def test_a_category_of_times_is_a_warning(tmp_path):
    path = dataset(tmp_path, resp_months=cycle("2 mo", "3", "1,5", ""))
    package = path / "datapackage.json"
    told = json.loads(package.read_text("utf-8"))
    (column,) = [one for one in told["resources"][0]["schema"]["fields"]
                 if one["name"] == "resp_months"]  # fmt: skip
    column |= {"type": "string", "constraints": {"enum": ["2 mo", "3", "1,5"]}}
    package.write_text(json.dumps(told), "utf-8")
    cells = path / "patients.csv"
    cells.write_text(cells.read_text("utf-8").replace("1,5", '"1,5"'), "utf-8")
    assert any("look like times that are written in several ways" in line for line in warned(path))


@pytest.mark.parametrize(
    ("column", "title"),
    [
        ("dfs_months", ""),
        ("pfs", ""),
        ("x", "Progression-free survival, months"),
        ("DFS_STATUS", ""),
    ],
)
def test_an_outcome_among_the_baseline_is_a_warning(tmp_path, column, title):
    values = cycle(*(n / 7 for n in range(1, 40)))
    (line,) = warned(dataset(tmp_path, title=title, **{column: values}))
    assert "and stands among the baseline characteristics" in line


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            ["3.5" if died == "yes" else "" for died in DIED],
            "is filled only for patients with a death",
        ),
        ([str(n % 6) if n % 2 else "0" for n in range(60)], "tells patients with a death from all"),
        (["9.5" if n % 4 == 1 else "" for n in range(60)], "is filled only for patients with a de"),
        ([str(n * 31 % 37) for n in range(60)], ""),
        (["" if n < 5 else str(n * 31 % 37) for n in range(60)], ""),
    ],
)
def test_what_follows_from_an_event_is_no_baseline(tmp_path, values, said):
    lines = [line for line in warned(dataset(tmp_path, v7=values)) if "the baseline" in line]
    assert len(lines) == bool(said)
    assert all(said in line and "column v7" in line for line in lines)


def test_a_time_within_follow_up_that_many_have_not_is_no_baseline_nor_what_goes_with_it(tmp_path):
    time = [str(n + 20) if n % 3 == 0 else "" for n in range(60)]
    kind = [str(1.5 * (n % 5)) if n % 3 == 0 else "" for n in range(60)]
    other = [str(n / 4) for n in range(60)]
    lines = warned(dataset(tmp_path, pctime=time, pcdx=kind, ratio=other, wait_time=other))
    found = [line for line in lines if "the baseline" in line]
    assert [line.partition(": ")[2].partition(",")[0] for line in found] == [
        "is a time within follow-up",
        "is filled where pctime is",
    ]


def test_a_number_that_is_taken_for_a_day_is_a_warning(tmp_path):
    path = dataset(tmp_path, score=cycle(1.5, 2.5, 3.5, 4.5))
    package = json.loads((path / "datapackage.json").read_text("utf-8"))
    os = {"name": "scored", "title": "Survival", "events": ["died"], "among": "score"}
    package["analysis"]["endpoints"] = [os]
    (path / "datapackage.json").write_text(json.dumps(package), "utf-8")
    assert (
        "datapackage.json, column score: is a number that `among` takes for a day: nobody is at "
        "risk before it"
    ) in warned(path)


# --- times -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ([f"{n + 0.5}" for n in range(60)], "are these months or years, to be imported `as` such?"),
        ([f"{n / 8 + 0.01}" for n in range(60)], "60 of 60 days have decimals"),
        ([str(n + 1) for n in range(60)], "nobody is followed to 12 months; are these months or"),
        ([str(14_000 + n) for n in range(60)], "every follow-up is longer than 20 years"),
        (
            [*DAYS[:20], *(str(18_300 + n) for n in range(40))],
            "more than 50 years; are these days?",
        ),
        ([*DAYS[:59], "30407"], "83 years, far beyond all other follow-up"),
        ([*DAYS[:59], "22000"], "60 years, far beyond all other follow-up"),
        ([*DAYS[:50], *["999"] * 10], '"999" looks like a code for missing (so do 9 more rows)'),
    ],
)
def test_follow_up_that_is_hardly_so_is_a_warning(tmp_path, days, words):
    path = dataset(tmp_path, days=days)
    assert any(words in line for line in warned(path))
    far = [line for line in warned(path, private=True) if "far beyond" in line]
    assert not any("years" in line for line in far)


def test_a_code_for_missing_among_follow_up_has_one_line(tmp_path):
    (line,) = warned(dataset(tmp_path, days=[*DAYS[:59], "9999"]))
    assert "looks like a code for missing" in line


def test_deaths_that_are_the_wrong_way_round_are_a_warning(tmp_path):
    died = ["no"] * 30 + ["yes"] * 30
    assert any("the wrong way round?" in line for line in warned(dataset(tmp_path, died=died)))
    died[45] = "no"
    assert warned(dataset(tmp_path / "mixed", died=died)) == []


def test_an_event_of_all_on_their_last_contact_is_a_warning(tmp_path):
    ends = [day if died == "yes" else "" for day, died in zip(DAYS, DIED, strict=True)]
    (line,) = warned(dataset(tmp_path, hsct_day=ends))
    assert line.startswith(f"{FILE}column hsct_day: all 30 who have it have it on their last")
    ends[1] = "3"
    assert warned(dataset(tmp_path / "one", hsct_day=ends)) == []


@pytest.mark.parametrize("name", ["blinatumomab", "bmt", "myeloid"])
def test_the_shipped_datasets_are_plausible(name):
    report, _ = check(ROOT / "data" / name)
    words = (
        "look",
        "hardly",
        "far beyond",
        "baseline characteristics",
        "are these",
        "last contact",
    )
    assert [line for line in report if line.startswith("  patients.csv") and any(
        word in line for word in words)] == []  # fmt: skip


# --- people ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *("030 123 45 67", "+49 30 1234567", "06 12 34 56 78", "(555) 123-4567", "555-123-4567"),
        *("0049 89 123456", "+15551234567", "07700 900123"),
    ],
)
def test_phone_numbers_are_found(text):
    assert is_phone(text)


@pytest.mark.parametrize(
    "text",
    [
        *("1995–1998", "1995-1998", "1995 - 98", "2021-0001", "01-701-1015", "2021-03-04"),
        *("04.03.2021", "123.45678", "100000", "12345678", "120/80 110/70", "S1-001-0001"),
    ],
)
def test_years_ids_dates_and_decimals_are_no_phone_numbers(text):
    assert not is_phone(text)
