"""Keys to the exercises of Lesson 7: what is right on a dataset, and what mistakes would give."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from .. import survival
from ..dataset.covariates import covariate_rows, rows_as_if_known
from ..dataset.endpoints import in_sentence
from ..dataset.model import Dataset, Factor, NotRecorded
from .answers import start_stop
from .events import (
    DEATH_COLUMNS,
    RESERVED,
    factors_of_all,
    later_events,
    later_factors,
    outcome_of,
)
from .exercises import MADE_UP, Exercise, Task, of_letters, posed
from .worked import Value

SEEDS, INVENTED = (5, 6), 60
LARGEST = 10  # ratio of an exercise: far above it, lifelines needs options to find the estimate


def main_factor(dataset: Dataset) -> Factor:
    """The factor whose ratio from its switch on and as if known from the start lie farthest apart.

    Of those of all patients, where there is one; the first where no ratio can be estimated.
    """
    os = outcome_of(dataset, deaths=True)

    def apart(factor: Factor) -> float:
        right, fixed = covariate_rows(dataset, os, [factor]), rows_as_if_known(dataset, os, factor)
        moved = _ratio(right, factor.column) / _ratio(fixed, factor.column)
        return -1.0 if np.isnan(moved) else abs(np.log(moved))

    return max(factors_of_all(dataset) or later_factors(dataset), key=apart)


def names(dataset: Dataset) -> dict[str, Value] | None:
    """What the worked piece calls things: none where its few lines do not make the lesson's rows.

    So where the factor is of some patients alone, counts only before another, or comes before the
    first day.
    """
    with suppress(NotRecorded):
        main = main_factor(dataset)
        early = (dataset.patients[main.column] < 0).any()
        if not (main.among or main.before or early or dataset.number is not None):
            return DEATH_COLUMNS | {"switch_day": main.column}
    return None


def event_name(dataset: Dataset) -> str:
    """What the quiz calls the event, whether the dataset has one or not."""
    with suppress(NotRecorded):
        return in_sentence(dataset.label(main_factor(dataset).column))
    return "a transplant"


def enters(dataset: Dataset, factor: Factor) -> bool:
    """Whether the patients of a factor's model come to be at risk on a day of their own."""
    return factor.among is not None and dataset.is_day(factor.among)


def from_the_start(dataset: Dataset, factor: Factor) -> Factor:
    """A factor in all patients, where its own enter on a day: each one's rows begin on day 0."""
    return replace(factor, among=None) if enters(dataset, factor) else factor


def patients(dataset: Dataset, factor: Factor) -> pd.DataFrame:
    """A row for each `patient`: the `days` followed, whether they `died`, the day of the `switch`.

    It is blank for those without one.
    """
    every = from_the_start(dataset, factor)
    made = covariate_rows(dataset, outcome_of(dataset, deaths=True), [every])
    ends = made.groupby("patient").agg(days=("stop", "max"), died=("event", "max"))
    switch = made[made[factor.column] > 0].groupby("patient")["start"].min().clip(lower=-1)
    return ends.assign(died=ends["died"] > 0, switch=switch).reset_index()


def rows_of(patients: pd.DataFrame) -> pd.DataFrame:
    """Start-stop rows of such patients, from day -1: `start`, `stop`, `event` and `switched`."""
    both = patients["switch"] < patients["days"]
    base = patients[["patient"]].assign(start=-1.0, stop=patients["days"])
    before = base.assign(stop=base["stop"].where(~both, patients["switch"]), switched=0)
    after = base[both].assign(start=patients["switch"], switched=1)
    made = pd.concat([before.assign(event=patients["died"] & ~both),
                      after.assign(event=patients["died"])])  # fmt: skip
    return made[made["start"] < made["stop"]].sort_values(["patient", "start"], ignore_index=True)


def _invented(seed: int) -> pd.DataFrame:
    """Patients whose days are tens, so that many things come on one day."""
    random = np.random.default_rng(seed)
    switch, left = random.uniform(10, 600, INVENTED), random.uniform(100, 1000, INVENTED)
    death = random.exponential(500, INVENTED)
    days = pd.Series(np.minimum(death, left).round(-1) + 10)
    switch = pd.Series(switch.round(-1)).where(lambda day: day <= days)
    made = {"patient": range(1, INVENTED + 1), "days": days, "died": death <= left}
    return pd.DataFrame({**made, "switch": switch})


@dataclass(frozen=True)
class AfterOther(Task):
    """A task after one of other rows, whose ratio was `given`."""

    given: float = np.nan


def exercise_1(dataset: Dataset) -> Exercise:
    """The rows of an invented patient with two switches."""
    return Exercise(
        [[0, 60, 0, 0], [60, 95, 1, 0], [95, 240, 1, 1]],
        "Each row stops where the next one starts, and has the values of the days within it.",
        [
            ([[0, 60, 1, 0], [60, 95, 1, 1], [95, 240, 1, 1]],
             "You gave each row the values that hold after it: an interval too early."),
            ([[0, 60, 0, 0], [0, 95, 1, 0], [0, 240, 1, 1]],
             "Your rows overlap: on day 20 the patient would count three times."),
            ([[0, 60, 0, 0], [61, 95, 1, 0], [96, 240, 1, 1]],
             "A row begins after its start. Yours leave out days 61 and 96."),
            ([[0, 59, 0, 0], [59, 94, 1, 0], [94, 240, 1, 1]],
             "An event on the very day of the switch counts before it: stop at that day."),
            ([[0, 60, 0, 0], [60, 95, 1, 0], [95, 240, 0, 1]],
             "The first event has come, and stays on after the second."),
            ([[0, 240, 1, 1]], "You counted both events as known from the start."),
        ],
        decimals=0,
        form=start_stop,
    )  # fmt: skip


def _days(dataset: Dataset) -> Iterator[Task]:
    """Patients of the dataset, then invented ones, at each death from the median switch on."""
    of: list[tuple[pd.DataFrame, str]] = []
    with suppress(NotRecorded):
        of.append((patients(dataset, main_factor(dataset)), "of this dataset"))
    for who, whose in [*of, (_invented(SEEDS[0]), MADE_UP)]:
        deaths = np.unique(who["days"][who["died"]])
        for day in deaths[deaths >= who["switch"].median()]:
            yield Task(who, whose, (float(day),))


def _risk_set(task: Task) -> Exercise:
    """How many at risk on a day have switched, and how many have not."""
    ours, day = task.patients, task.day
    rows = rows_of(ours)

    def counts(there: pd.Series, switched: pd.Series) -> tuple[int, int]:
        return int((there & switched).sum()), int((there & ~switched).sum())

    there, switched = (rows["start"] < day) & (day <= rows["stop"]), rows["switched"] > 0
    ever = rows["patient"].isin(ours["patient"][ours["switch"] < ours["days"]])
    right = counts(there, switched)
    return Exercise(
        right,
        "A row is at risk from just after its start up to and with its stop. Patients who switch "
        "later are among those who have not.",
        [
            (counts(there, ever), "You counted those who switch only later, as if it were known."),
            (counts(ours["days"] > -1, ours["switch"] < day),
             "Some of them had died or left before that day."),
            (counts((rows["start"] <= day) & (day < rows["stop"]), switched),
             "A row covers its stop and not its start: whoever dies on the day is at risk on it, "
             "and whoever switches on it has not switched yet."),
            ((right[0], sum(right)), "The second number is of all at risk, switched or not."),
        ],
        decimals=0,
    )  # fmt: skip


FAULTS = {  # of the patients of exercise 3
    "A": "its second row begins a day late, and leaves out day 31",
    "C": "its rows overlap: until day 60 the patient is on both sides",
    "E": "the switch counts from the start, as if it had been known",
    "F": "one death is counted twice, also where the switch only cuts",
}
SOUND = {
    "B": "a cut more than needed does no harm",
    "D": "on the day of a switch the patient still counts before it",
}


def exercise_3(dataset: Dataset) -> Exercise:
    """Whose rows are wrong, of six invented patients."""
    sound = {letter: f"{letter} is right: {words}." for letter, words in SOUND.items()}
    more = dict.fromkeys(FAULTS, "There are more. Hold the three rules against each patient.")
    said = "; ".join(f"{letter}: {words}" for letter, words in FAULTS.items())
    return Exercise(set(FAULTS), f"{said}.", of_letters(set(FAULTS), sound | more))


def _events(dataset: Dataset) -> Iterator[AfterOther]:
    """Half of the dataset's patients, by an event that the page has no ratio of; then invented.

    Half, since another lesson may print the ratio of all.
    """
    given = _ratio(rows_of(task_2(dataset).patients))
    with suppress(NotRecorded):
        shown = {factor.column for factor in [main_factor(dataset), *factors_of_all(dataset)]}
        for event in later_events(dataset, (*RESERVED, "relapse_day")):
            ours = patients(dataset, event)[1::2].reset_index(drop=True)
            if event.column not in shown and 1 / LARGEST < _ratio(rows_of(ours)) < LARGEST:
                name = in_sentence(event.label)
                whose = f"every second one of this dataset, and the event is {name}"
                yield AfterOther(ours, whose, given=given)
    yield AfterOther(_invented(SEEDS[1]), MADE_UP, given=given)


def _hazard_ratio(task: AfterOther) -> Exercise:
    """The ratio from rows that the learner makes."""
    ours, right = task.patients, rows_of(task.patients)
    last = ~right["patient"].duplicated(keep="last")
    died = right["patient"].map(ours.set_index("patient")["died"])
    switched = right["patient"].isin(right["patient"][~last]).astype(int)
    ratio = _ratio(right)
    return Exercise(
        ratio,
        "Each row counts on the side on which it is: before the switch, or after it.",
        [
            (_ratio(right.assign(switched=switched)),
             "You counted the switch as known, also on the days before it."),
            (_ratio(right.assign(start=-1)),
             "Your rows overlap: the second one begins at the switch."),
            (_ratio(right[last]),
             "You left out the days before the switch: those who switch were at risk then, too."),
            (_ratio(right.assign(event=died)),
             "You gave the death of a patient to both rows. It belongs to the last."),
            (_ratio(rows_of(ours.assign(switch=ours["switch"] - 1))),
             "Your switch comes a day too early: a death on its day counts before it."),
            (task.given, "Those are the rows of exercise 2. They are of another event."),
            (1 / ratio, "You turned the sides round."),
            (np.log(ratio), "That is the coefficient. The ratio is e to its power."),
        ],
    )  # fmt: skip


def _ratio(rows: pd.DataFrame, column: str = "switched") -> float:
    return survival.cox(rows, [column]).summary()["hazard_ratio"].iloc[0]


task_2, exercise_2 = posed(_risk_set, _days)
task_4, exercise_4 = posed(_hazard_ratio, _events)
