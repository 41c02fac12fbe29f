"""Keys to the exercises of Lesson 11: what is right on a dataset, and what mistakes would give."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from .. import survival
from ..dataset.model import Dataset
from ..page.formats import rounded
from . import papers
from .exercises import Exercise

RATIO = (0.72, 0.55, 0.94)  # invented: an estimate, its lower and its upper limit
FEWEST = 20  # patients of the line, and patients not of it


def printed_percentage(dataset: Dataset) -> tuple[float, int]:
    """A percentage as printed, to one decimal, and its number of patients: one count gives it."""
    line = task(dataset)
    return float(line["percent"]), int(line["n"])


def task(dataset: Dataset) -> pd.Series:
    """The first line that only one count gives, and whose likely mistakes are told apart."""
    lines = papers.lines(dataset)
    count, rest = lines["count"], lines["n"] - lines["count"]
    plain = lines["percent"].str.fullmatch(r"\d+\.\d")
    large = (count >= FEWEST) & (rest >= FEWEST) & (count != rest)
    apart = lines["percent"].astype(float).round() != count
    for _, line in lines[lines["told"] & plain & large & apart].iterrows():
        if fitting(line["percent"], line["n"]) == [line["count"]]:
            return line
    return pd.Series(papers.made_up()[0], index=lines.columns[:5])


def fitting(percent: str, n: int) -> list[int]:
    """The counts of `n` patients that are printed as this percentage, to one decimal."""
    return [count for count in range(n + 1) if rounded(100 * count / n, 1) == percent]


def exercise_1(dataset: Dataset) -> Exercise:
    """The count behind a percentage."""
    line = task(dataset)
    count, n, percent = line["count"], line["n"], float(line["percent"])
    return Exercise(
        count,
        "Only this whole number gives a share that is printed in this way.",
        [
            (n - count, "That is how many are not of this line."),
            (
                int(percent * n / 100),
                "Do not cut the decimals off: which count rounds to the printed percentage?",
            ),
            (round(percent), "That is the percentage. How many patients are that?"),
        ],
        decimals=0,
    )


def exercise_2(dataset: Dataset) -> Exercise:
    """P from a ratio and its interval."""
    middle, lower, upper = np.log(RATIO)
    z = abs(middle) / ((upper - lower) / (2 * survival.Z))
    plain = abs(RATIO[0] - 1) / ((RATIO[2] - RATIO[1]) / (2 * survival.Z))
    one_side, unlogged, half, double = stats.norm.sf([z, plain, z / 2, 2 * z])
    return Exercise(
        2 * one_side,
        "On the log scale the interval reaches 1.96 standard errors to both sides of the estimate.",
        [
            (
                2 * unlogged,
                "You stayed on the scale of the ratio. Its interval is symmetric only after taking "
                "logarithms.",
            ),
            (one_side, "That is one side. P counts both."),
            (2 * half, "The whole width of the interval is two times 1.96 standard errors."),
            (2 * double, "Half of the width is 1.96 standard errors, not one half of that."),
            (z, "That is z. How often is a normal number further from 0?"),
        ],
        decimals=3,
    )


def exercise_3(dataset: Dataset) -> Exercise:
    """Which of four invented lines contradicts itself."""
    return Exercise(
        "C",
        "The median’s interval ends before 24 months, so by then the curve is below one half.",
        [
            ("A", "63/180 is 35.0%: the line holds."),
            ("B", "The middle of the limits is √(0.58 × 0.97) = 0.75, and z is 2.2: it holds."),
            ("D", "41 + 17 + 62 are 120: all patients are there."),
        ],
    )
