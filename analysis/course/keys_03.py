"""Keys to the exercises of Lesson 3: what is right on a dataset, and what mistakes would give."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from .. import survival
from ..dataset.endpoints import Endpoint
from ..dataset.model import Dataset
from ..study.curves import DAYS_PER_YEAR, plateau_month, told_months, values_at
from ..survival.cure import mixture_cure
from .cuts import cut_at, cuts
from .events import outcome_of
from .exercises import Exercise

YEAR = 12


def landmarks(dataset: Dataset) -> pd.DataFrame:
    """The first and the last landmark `month` that can be told, and the share `alive` then."""
    main = outcome_of(dataset)
    known = told_months(dataset, main)
    months = known[0], known[-1]
    alive = values_at(dataset, survival.survival_curve(main.time, main.observed), months)[
        "survival"
    ]
    return pd.DataFrame({"month": months, "alive": alive.round(4).to_numpy()})


def poisson_upper(events: int) -> float:
    """The largest mean number of events that still gives so few, exact, 95% (Garwood 1936)."""
    return float(stats.chi2.isf((1 - survival.CONFIDENCE) / 2, 2 * events + 2) / 2)


def followed_month(dataset: Dataset) -> float:
    """The last landmark up to `plateau_month` beyond which somebody is followed, or 0."""
    time, plateau = outcome_of(dataset).time, plateau_month(dataset)
    months = [m for m in dataset.settings.months if m <= plateau]
    months = [m for m in months if survival.beyond(time, dataset.days(m)).any()]
    return max(months, default=0.0)


def year_cut(dataset: Dataset) -> float:
    """The cut that is nearest to a year."""
    return min(cuts(dataset, outcome_of(dataset)), key=lambda month: abs(month - YEAR))


def exercise_1(dataset: Dataset) -> Exercise:
    """Survival to the last landmark of those alive at the first."""
    first, last = landmarks(dataset)["alive"]
    because = (
        "All who live to the last landmark have lived to the first. So divide the share alive at "
        "the last by the share alive at the first."
    )
    return Exercise(
        last / first if first else np.nan,
        because if first else "Nobody lived to the first landmark, so there is no answer here.",
        [
            (last, "That is the share of all patients. The question is about those still alive."),
            (first - last, "That is the share of all patients who die in between."),
            (1 - last / first if first else np.nan, "That is the share of them who die."),
        ],
    )


def exercise_2(dataset: Dataset) -> Exercise:
    """The upper limit of the yearly rate beyond a landmark."""
    main = outcome_of(dataset)
    start = dataset.days(followed_month(dataset)) / DAYS_PER_YEAR
    years, died = main.time / DAYS_PER_YEAR, main.observed > 0
    rate, whole = survival.event_rate(years, died, start), survival.event_rate(years, died)
    from_start = poisson_upper(rate.events) / years[survival.beyond(years, start)].sum()
    return Exercise(
        rate.upper,
        "The events may be few by chance. The upper limit is the rate at which so few would still "
        "come with a chance of 2.5%.",
        [
            (rate.estimate, "That is the rate itself, not its upper limit."),
            (rate.lower, "That is the lower limit."),
            (whole.upper, "That counts all events and all years, also those before the landmark."),
            (from_start, "The years before the landmark do not count: patients followed beyond it "
             "could not die in them."),
        ],
        decimals=4,
    )  # fmt: skip


def exercise_3(dataset: Dataset) -> Exercise:
    """The cured share and the curve's end at a cut, and the curve's end with all follow-up."""
    main = outcome_of(dataset)
    day = dataset.days(year_cut(dataset))
    seen = cut_at(main, day)

    def end(question: Endpoint) -> float:
        return survival.survival_curve(question.time, question.observed)["survival"].iloc[-1]

    fit = mixture_cure(seen.time, seen.observed)
    unseen = mixture_cure(seen.time, main.observed > 0).cured
    all_of_it = mixture_cure(main.time, main.observed).cured
    right = (fit.cured, end(seen), end(main))
    return Exercise(
        right,
        "The last value of a curve depends on where it ends, and the model on the shape that "
        "it assumes. Neither is the share of the cured while patients still die.",
        [
            ((all_of_it, right[1], right[2]), "The model has seen what came after the cut."),
            (
                (unseen, right[1], right[2]),
                "Deaths after the cut still count as deaths in the model: on its day they are "
                "censored.",
            ),
            ((right[1], right[0], right[2]), "The model’s share comes first."),
            ((right[0], right[2], right[1]), "The curve at the cut comes before the whole one."),
        ],
    )
