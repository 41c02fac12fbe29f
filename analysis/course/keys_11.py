"""Keys to the exercises of Lesson 11: what is right, and what mistakes would give."""

from __future__ import annotations

from contextlib import suppress
from math import log, sqrt

import numpy as np
from scipy import stats

from .. import survival
from ..dataset.model import Dataset, NotRecorded
from ..study.curves import told_months
from .events import DEATH_COLUMNS, deaths_of_all
from .exercises import Exercise, of_letters
from .worked import Value

RATIO = (0.72, 0.55, 0.94)  # invented: an estimate, its lower and its upper limit
WIDEST = (0.545, 0.945)  # what the limits may have been before they were rounded
PATIENTS, PERCENTS = 57, ("24.6", "31.6", "43.9", "52.1")  # invented lines of one table


def names(dataset: Dataset) -> dict[str, Value] | None:
    """What the worked piece calls things: none where the lesson's curve is not of all deaths."""
    with suppress(NotRecorded):
        main = deaths_of_all(dataset)
        day = dataset.days(told_months(dataset, main)[0])
        return DEATH_COLUMNS | {"day": float(survival.met(day, main.time))}
    return None


def exercise_1(dataset: Dataset) -> Exercise:
    """The counts behind four percentages, one of which no count gives."""
    percents = np.array(PERCENTS, dtype=float)
    near = np.round(percents * PATIENTS / 100)
    right = np.where(np.abs(100 * near / PATIENTS - percents) <= 0.05, near, 0)
    return Exercise(
        right,
        "29 of 57 are 50.9% and 30 are 52.6%: no count gives 52.1%.",
        [
            (near, "One count gives another percentage than the printed one. Work out each."),
            (np.floor(percents * PATIENTS / 100), "You cut off the decimals. And does each of "
             "these counts give the printed percentage?"),
            (np.where(right > 0, PATIENTS - near, 0), "Those are the patients who are not of the "
             "lines."),
            (np.round(percents), "Those are the percentages. How many patients are they?"),
        ],
        decimals=0,
    )  # fmt: skip


def exercise_2(dataset: Dataset) -> Exercise:
    """P from a ratio and its limits, as they are printed, and as wide as rounding leaves them."""
    middle, width = log(RATIO[0]), log(RATIO[2]) - log(RATIO[1])
    wide = (log(WIDEST[0]) + log(WIDEST[1])) / 2, log(WIDEST[1]) - log(WIDEST[0])
    z = np.abs([middle / width, wide[0] / wide[1]]) * 2 * survival.Z
    plain = (1 - RATIO[0]) / (RATIO[2] - RATIO[1]), (1 - sqrt(np.prod(WIDEST))) / np.ptp(WIDEST)
    unlogged = np.array(plain) * 2 * survival.Z

    def p(score: np.ndarray) -> np.ndarray:
        return 2 * stats.norm.sf(score)

    return Exercise(
        p(z),
        "z is 2.40 by the printed digits, and 2.36 by the wider limits.",
        [
            (p(unlogged), "You stayed on the scale of the ratio. Its interval is symmetric only "
             "after taking logarithms."),
            (p(z) / 2, "That is one side. P counts both."),
            *((p(half), "The whole width of the interval is 3.92 standard errors, not 1.96.")
              for half in (z / 2, np.round(z / 2, 2))),  # the table has P of the latter
            *((score, "Those are z. Read their P off the table.") for score in (z, np.round(z, 2))),
            (p(z[[0, 0]]), "The second interval is wider, so its z is another one."),
        ],
        decimals=3,
        share=True,
    )  # fmt: skip


def exercise_3(dataset: Dataset) -> Exercise:
    """Which of four invented sentences cannot be of one curve."""
    shares = "Of 120 patients, 20 are followed beyond: the curve is at 16.7% or above."
    median = "The median’s interval ends before 24 months, so by then the curve is below one half."
    fits = "54, 41 and 25 are 120, and 61% lies between 45.0% and 65.8%."
    open_ = "At 12 months, before the lower limit, the interval lies above one half, as it must."
    return Exercise({"a", "c"}, f"{median} {shares}",
        of_letters({"a", "c"},
            {"b": f"Not all of yours: {fits}", "d": f"Not all of yours: {open_}",
             "a": "One more is wrong: look at each median’s interval.",
             "c": "One more is wrong: compute the two shares between which each curve lies."},
        ),
    )  # fmt: skip


def exercise_4(dataset: Dataset) -> Exercise:
    """Which question each of five invented sentences calls for."""
    return Exercise(
        (2, 3, 5, 6, 4),
        "Each of the five may be free of any slip of arithmetic.",
        [
            ((1, 3, 5, 6, 4), "In the first nobody has left. Who can be in the group with the "
             "second treatment?"),
            ((2, 1, 5, 6, 4), "In the second those who died have not left: another event came."),
            ((2, 3, 5, 6, 1), "In the last it matters how many are followed, whoever has left."),
            ((2, 3, 6, 5, 4), "You took the third for the fourth, and the reverse."),
            ((3, 2, 5, 6, 4), "You took the first for the second, and the reverse."),
        ],
        decimals=0,
    )  # fmt: skip
