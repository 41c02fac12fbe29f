"""What Lesson 1 says of ways to count the censored."""

from __future__ import annotations

import numpy as np
import pytest

from analysis import load, masked
from analysis.course import censoring
from analysis.page.rows import pick

DATASETS = ("blinatumomab", "bmt", "myeloid")


def test_the_ten_are_worked_out_as_the_page_says() -> None:
    made = censoring.results(load("data/bmt"))
    steps = made[made["group"].eq("ten") & made["quantity"].eq("survival")].set_index("months")
    by_hand = {1: 9 / 10, 2: 8 / 10, 3: 8 / 10, 5: 8 / 10 * 6 / 7, 8: 8 / 10 * 6 / 7 * 4 / 5}
    assert steps.loc[list(by_hand), "estimate"].tolist() == pytest.approx(list(by_hand.values()))
    assert steps.loc[15, "estimate"] == pytest.approx(by_hand[8] / 2)
    assert steps.loc[18, "estimate"] == steps.loc[15, "estimate"]


@pytest.mark.parametrize("name", DATASETS)
def test_kaplan_meier_lies_between_the_two_wrong_ways(name: str) -> None:
    """Between leaving out those who left and counting them as alive, and strictly at the end."""
    data = load(f"data/{name}")
    made = censoring.results(data)
    for group, months in (("ten", [12]), ("os", data.settings.months)):
        for month in months:
            dropped, alive, right = (
                pick(made, quantity, group, month)["estimate"] for quantity in censoring.WAYS
            )
            assert dropped <= right <= alive
        assert dropped < right < alive


def test_without_censoring_all_ways_agree() -> None:
    time, died = np.array([1, 2, 3, 4]), np.array([True, True, True, True])
    assert censoring.naive_shares(time, died, 2) == (0.5, 0.5)


def test_when_all_have_left_nothing_is_known_of_the_rest() -> None:
    dropped, alive = censoring.naive_shares(np.array([1, 2]), np.array([False, False]), 3)
    assert np.isnan(dropped) and alive == 1


def test_a_share_that_would_give_a_small_count_back_is_blank() -> None:
    """1 less the share counted as alive is the deaths of all, and these may be too few."""
    data = load("data/bmt", 60)
    made = masked(data, censoring.results(data))
    shares = made[made["quantity"].isin(["survival_dropped", "survival_counted_alive"])]
    few = shares["events"].isna()
    assert few.any() and not few.all()
    assert shares.loc[few, "estimate"].isna().all()
    assert shares.loc[~few & shares["n"].notna(), "estimate"].notna().all()
