"""A masked count does not come back by a sum that a reader can do on its page."""

import re
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from inprocess import changed, of, run

from analysis.dataset.model import load
from analysis.page.masking import Whole, masked
from analysis.page.rows import frame
from analysis.study.characteristics import column_wholes

BELOW = 5
Sum = tuple[tuple[str, str, str], list[tuple[str, str, str]]]  # the whole, and its parts


def given_back(whole: pd.DataFrame, less: pd.DataFrame, sums: Iterable[Sum]) -> list:
    """The masked small counts that some sums give back, by a solver of linear equations.

    A cell is its quantity (with a month after a space), its group and its column.
    """

    def cells(numbers: pd.DataFrame) -> dict:
        at = numbers["months"].map(lambda month: "" if month != month else f" {month:g}")
        keys = zip(numbers["quantity"] + at, numbers["group"], strict=True)
        rows = zip(keys, numbers.to_dict("records"), strict=True)
        return {
            (*key, name): row[name] for key, row in rows for name in ("estimate", "n", "events")
        }

    true, shown = cells(whole), cells(less)
    sums = [(one, parts) for one, parts in sums if {one, *parts} <= set(true)]
    for one, parts in sums:
        assert true[one] == sum(true[part] for part in parts), one  # the test's own sums hold
    used = {cell for one, parts in sums for cell in (one, *parts)}
    hidden = sorted(cell for cell in used if pd.isna(shown[cell]))
    lines = np.zeros((len(sums), len(hidden)))
    for line, (one, parts) in zip(lines, sums, strict=True):
        for cell, sign in [(one, -1), *((part, 1) for part in parts)]:
            if cell in hidden:
                line[hidden.index(cell)] += sign
    found = []
    for place, cell in enumerate(hidden):
        asked = np.eye(len(hidden))[place]
        known = np.linalg.matrix_rank(np.vstack([lines, asked])) == np.linalg.matrix_rank(lines)
        if known and 0 < true[cell] < BELOW:
            found.append(cell)
    return found


def count(group: str, column: str = "estimate") -> tuple[str, str, str]:
    return "count", group, column


def transplants(patients: pd.DataFrame) -> pd.DataFrame:
    """Of 30 patients 9 with a transplant: 8 in remission, one after relapse."""
    made = patients.head(30).copy()
    made[["response_day", "hsct_day", "relapse_day"]] = ""
    made.loc[made.index[:16], "response_day"] = "20"
    made.loc[made.index[:9], "hsct_day"] = "90"
    made.loc[made.index[8], "relapse_day"] = "60"
    made.loc[made.index[9:14], "relapse_day"] = "70"
    made["last_contact_day"] = [str(1200 + day) for day in range(len(made))]
    made["died"] = ["yes"] * 3 + ["no"] * 7 + ["yes"] * 12 + ["no"] * 8
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return changed("myeloid", tmp_path_factory.mktemp("few") / "few", transplants)


def on_page(name: str, folder: Path, tmp_path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A page's numbers as they are, and masked."""
    return tuple(
        run(name, folder, tmp_path / str(below), mask_below=below).numbers for below in (0, BELOW)
    )


def test_derived_outcomes_are_parts_of_a_whole(folder: Path, tmp_path: Path) -> None:
    whole, less = on_page("table_2", folder, tmp_path)
    rows = {
        "hsct_day": ("hsct_in_remission", "hsct_after_relapse", "hsct_without_response"),
        "relapse_free": ("relapse_free_without_hsct", "relapse_free_after_hsct"),
    }
    sums = [
        (count(f"{one}|{column}"), [count(f"{part}|{column}") for part in parts])
        for one, parts in rows.items()
        for column in ("long_term", "shorter", "total")
    ]
    assert less.loc[less["group"].eq("hsct_after_relapse|total"), "estimate"].isna().all()
    assert not given_back(whole, less, sums)
    kept = less[less["group"].eq("hsct_day|total") & less["quantity"].eq("count")]
    assert kept["estimate"].item() == 9  # and no more is hidden than need be


def test_what_is_counted_beside_the_boxes_gives_none_of_them_back(
    folder: Path, tmp_path: Path
) -> None:
    whole, less = on_page("patients", folder, tmp_path)
    boxes: dict[str, list[str]] = {}
    for group in whole[whole["quantity"].eq("count")]["group"]:
        name, _, parent = group.partition("|")
        if name not in ("seen_early", "other_hsct", "gone_by_then"):
            boxes.setdefault(parent, []).append(group)
    sums: list[Sum] = []
    for parent, parts in boxes.items():
        for group in chain.from_iterable(boxes.values()):
            if parent and group.partition("|")[0] == parent:
                sums.append((count(group), [count(part) for part in parts]))
                sums += [(count(part, "n"), [count(group)]) for part in parts]
    both = [count("hsct_in_remission|response_day"), count("other_hsct|hsct_day")]
    sums.append((count("other_hsct|hsct_day", "n"), both))
    sums.append(
        (
            count("gone_by_then|no_hsct_in_remission", "n"),
            [count("no_hsct_in_remission|response_day")],
        )
    )
    assert len(sums) > 10
    assert not given_back(whole, less, sums)


def test_those_alive_give_no_dead_back(folder: Path) -> None:
    """Without relapse the boxes count who is alive; so does the sentence below them."""
    data = load(str(folder))
    patients = data.patients.drop(columns=["hsct_day", "relapse_day"])
    patients["died"] = ["yes"] * 6 + ["no"] * 10 + ["yes"] * 2 + ["no"] * 12
    made = [replace(data, patients=patients, mask_below=below) for below in (0, BELOW)]
    whole, less = (of("patients", one)[0].numbers for one in made)
    alive = [count("alive|response_day"), count("alive|no_response")]
    sums = [
        (count("seen_early|alive_at_end", "n"), alive),
        (count("no_response|patients"), [count("died|no_response"), count("alive|no_response")]),
    ]
    assert whole["group"].eq("died|no_response").any()
    assert not given_back(whole, less, sums)


def heads(sizes: dict[str, int]) -> pd.DataFrame:
    rows = [
        {"quantity": "count", "group": f"patients|{name}", "estimate": n, "n": n}
        for name, n in sizes.items()
    ]
    for name, n in sizes.items():
        rows += [
            {"quantity": "count", "group": f"{sex}|{name}", "estimate": part, "n": n}
            for sex, part in (("sex=male", n // 2), ("sex=female", n - n // 2))
        ]
        rows += [{"quantity": what, "group": f"age|{name}", "estimate": n, "n": n}
                 for what in ("count", "median_value", "mean")]  # fmt: skip
    return frame(rows)


def test_columns_add_up_to_all() -> None:
    """Heads of 8, 25, 2 and 5 of 40: a second one is hidden, and wherever else its number is."""
    sizes = {"a": 8, "b": 25, "c": 2, "d": 5, "total": 40}
    whole = heads(sizes)
    less = masked(load("data/bmt", BELOW), whole, column_wholes(whole, sizes, "total"))
    sums = []
    for group in ("patients", "sex=male", "age"):
        parts = [count(f"{group}|{column}", "n") for column in "abcd"]
        sums.append((count(f"{group}|total", "n"), parts))
        sums += [(count(f"{group}|{column}", "n"), [count(f"patients|{column}", "n")])
                 for column in sizes]  # fmt: skip
    assert not given_back(whole, less, sums)
    shown = less[less["group"].str.startswith("patients|")].set_index("group")["n"]
    assert shown.isna().tolist() == [False, False, True, True, False]


def test_the_number_known_tells_no_few_unknown() -> None:
    """Of 100 patients 97 with a known age: three are unknown, in whatever row that is read."""
    rows = [{"quantity": "count", "group": "patients", "estimate": 100, "n": 100}]
    rows += [{"quantity": what, "group": "age", "estimate": 97, "n": 97}
             for what in ("count", "median_value", "mean", "min")]  # fmt: skip
    whole = frame(rows)
    less = masked(load("data/bmt", BELOW), whole, column_wholes(whole, [""]))
    age = less[less["group"].eq("age")]
    assert (
        age["n"].isna().all() and age.set_index("quantity").loc[["count"], "estimate"].isna().all()
    )
    assert less.iloc[0]["n"] == 100


def groups_of(events: dict[str, int], month: dict[str, tuple[int, int, int]]) -> pd.DataFrame:
    """A curve's rows of all, `os`, and of its groups; by group at risk, censored, events."""
    rows = []
    for group, (left, gone, came) in month.items():
        n = left + gone + came
        rows += [
            {"quantity": "median", "group": group, "estimate": 1, "n": n, "events": events[group]},
            {"quantity": "survival", "group": group, "months": 12, "estimate": 0.5, "n": left,
             "events": came},
            {"quantity": "at_risk", "group": group, "months": 12, "estimate": left, "n": n},
            {"quantity": "censored", "group": group, "months": 12, "estimate": gone, "n": n},
        ]  # fmt: skip
    return frame(rows)


GROUPS = {"os|arm=A": (30, 10, 3), "os|arm=B": (40, 6, 20), "os|arm=C": (25, 9, 12)}


def test_groups_add_up_to_the_whole_at_a_month() -> None:
    alike = {"os": (95, 25, 35), **GROUPS}
    events = {"os": 60, "os|arm=A": 4, "os|arm=B": 30, "os|arm=C": 26}
    whole = groups_of(events, alike)
    pair = {"quantity": "p_logrank_pair", "estimate": 0.5}
    pairs = [
        {**pair, "group": "os|arm=B:A", "n": 109, "events": 34},
        {**pair, "group": "os|arm=C:A", "n": 89, "events": 30},
        {**pair, "group": "os|arm=C:B", "n": 112, "events": 56},
    ]
    whole = pd.concat([whole, frame(pairs)], ignore_index=True)
    wholes = [Whole("os", tuple(GROUPS), what, rest=True) for what in ("estimate", "n", "events")]
    less = masked(load("data/bmt", BELOW), whole, wholes)
    sums: list[Sum] = [
        ((what, "os", column), [(what, group, column) for group in GROUPS])
        for what, column in (("median", "events"), ("median", "n"), ("survival 12", "events"),
                             ("survival 12", "n"), ("at_risk 12", "estimate"),
                             ("censored 12", "estimate"))
    ]  # fmt: skip
    for group in alike:
        parts = [("at_risk 12", group, "estimate"), ("censored 12", group, "estimate"),
                 ("survival 12", group, "events")]  # fmt: skip
        sums.append((("at_risk 12", group, "n"), parts))
        sums.append((("survival 12", group, "n"), parts[:1]))
    for row in pairs:
        two = [("median", f"os|arm={one}", "events") for one in row["group"][-3::2]]
        sums.append((("p_logrank_pair", row["group"], "events"), two))
    assert not given_back(whole, less, sums)
    assert less["n"].iloc[:4].notna().all()


def test_who_is_in_no_group_is_not_what_is_left() -> None:
    """Two patients of 155 whose group is blank: no row of a group or a test tells of them."""
    alike = {"os": (97, 25, 35), **GROUPS}
    events = {"os": 60, "os|arm=A": 8, "os|arm=B": 26, "os|arm=C": 26}
    end = [{"quantity": "followup_end", "group": "os", "n": 157}]
    test = [{"quantity": "logrank", "group": "os|arm", "estimate": 1, "n": 155, "events": 60}]
    whole = pd.concat([groups_of(events, alike), frame([*end, *test])], ignore_index=True)
    wholes = [Whole("os", tuple(GROUPS), what, rest=True) for what in ("estimate", "n", "events")]
    less = masked(load("data/bmt", BELOW), whole, wholes)
    for what, column in (("median", "n"), ("at_risk", "estimate"), ("survival", "n")):
        parts = less[less["quantity"].eq(what) & less["group"].isin(GROUPS)]
        assert parts[column].isna().any(), what
    assert less[less["quantity"].eq("logrank")]["n"].isna().all()


@pytest.mark.parametrize(
    "name",
    ["patients", "in_the_text", "table_s1", "lesson_01_censoring", "lesson_06_immortal_time",
     "lesson_08_conditioning"],
)  # fmt: skip
def test_no_sentence_is_about_nothing_but_what_is_masked(
    folder: Path, tmp_path: Path, name: str
) -> None:
    said = run(name, folder, tmp_path, mask_below=BELOW).text
    assert not re.search(r"masked of masked|makes up –|by then, –|without, –", said)
    assert not re.search(r"\*\*[^*]+\.\*\*\s*(\n|$)", said.replace("\\n", "\n"))


def test_the_invented_patients_of_a_masked_course_are_shown(folder: Path, tmp_path: Path) -> None:
    whole, less = on_page("lesson_01_censoring", folder, tmp_path)
    ten = whole["group"].eq("ten")
    assert ten.sum() > 5
    pd.testing.assert_frame_equal(whole[ten], less[ten])
