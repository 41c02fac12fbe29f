"""Which of a dataset's events comes on the way, to some of its patients: the lessons look at it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pandas as pd

from ..dataset.covariates import covariate_rows, entry_days, rows_as_if_known
from ..dataset.endpoints import Endpoint, answerable, endpoint
from ..dataset.model import Dataset, Factor, NotRecorded
from ..study.models import factors_of
from ..survival import cox

# What the worked pieces call the columns of death, which every dataset with deaths has.
DEATH_COLUMNS = {"days": "last_contact_day", "died": "died"}
RESERVED = ("response_day", "hsct_day")
ENOUGH = 10  # deaths on each side of an event that a lesson chooses
LONG = 120  # months: what is told over more is looked at from year to year


def outcome_of(dataset: Dataset, deaths: bool = False) -> Endpoint:
    """The endpoint that a lesson asks: the first in which nothing competes and nobody enters late.

    With `deaths`, the first of these that counts deaths from the first day. Raises NotRecorded
    where the dataset has none.
    """
    plans = dataset.endpoints.values()
    names = [
        plan.name
        for plan in plans
        if not plan.competing
        and not (deaths and (plan.start or plan.events != ("died",) or plan.entry or plan.among))
    ]
    what = "counts deaths from the first day" if deaths else "has nothing that competes"
    return _from_the_start(dataset, names, f"an endpoint that {what}")


def deaths_of_all(dataset: Dataset) -> Endpoint:
    """The outcome of the lessons, where it is every patient's death from the first day.

    Raises NotRecorded where it is another: then the worked pieces cannot read it off two columns.
    """
    main = outcome_of(dataset)
    plan = dataset.endpoints[main.name]
    if plan.events != ("died",) or plan.start or plan.among:
        raise NotRecorded("This lesson’s outcome is not the death of all patients from day 0.")
    return main


def stride(dataset: Dataset) -> int:
    """How many months make a step of a lesson's landmarks: one, or those of a year.

    A year where the dataset's own landmarks go on for more than ten years.
    """
    return 12 if dataset.settings.months[-1] > LONG else 1


def competing_outcome(dataset: Dataset) -> Endpoint:
    """The first endpoint with a competing event in which nobody enters late.

    Raises NotRecorded where the dataset has none.
    """
    names = [plan.name for plan in dataset.endpoints.values() if plan.competing]
    return _from_the_start(dataset, names, "an endpoint in which another event competes")


def _from_the_start(dataset: Dataset, names: Sequence[str], asked: str) -> Endpoint:
    """The first of some endpoints in which nobody enters late; raises NotRecorded without one."""
    found = answerable(dataset, *names) if names else []
    early = [question for question in found if question.entry is None]
    if early:
        return early[0]
    if names and not found:
        endpoint(dataset, names[0])  # which says why not
    raise NotRecorded(
        f"This lesson cannot be shown: it asks for {asked}, with all patients under observation "
        "from its start, and this dataset has none."
    )


# The words of a lesson's sentences where the event is death, and where it is any other.
WORDS = {
    "had": ("died", "had the event"),
    "have": ("die", "have the event"),
    "free": ("alive", "without the event"),
    "event": ("death", "event"),
    "an_event": ("a death", "an event"),
    "events": ("deaths", "events"),
    "with_it": ("the dead", "those with the event"),
    "without_it": ("the living", "those without it"),
    "live": ("live", "stay free of the event"),
    "lived": ("lived", "free of the event"),
    "stayed": ("lived", "stayed free of the event"),
    "span": ("survival", "time free of the event"),
    "proportion": ("survival", "the share without the event"),
}
# The same where another event competes: death without the event, and any other. `{event}` is it.
RIVALS = {
    "an_other": ("a death without one", "a competing event"),
    "others": ("deaths", "competing events"),
    "had_other": ("died without {event}", "had the competing event"),
    "had_rival": ("died", "had the competing event"),
    "gone": ("the dead", "those with the competing event"),
    "free": ("alive without {event}", "free of both"),
    "seen": ("alive", "free of both"),
}
RELAPSE = {"events": "relapses", "had": "relapsed", "have": "relapse"}


def words_of(event: str) -> dict[str, str]:
    """The words of a lesson's sentences for those to whom an event came, and did not.

    Of death `died` and `alive`; of any other `had the event` and `without the event`.
    """
    words = {name: pair[event != "death"] for name, pair in WORDS.items()}
    return words | _capitalised(words, "free", "had", "lived", "proportion")


def _capitalised(words: Mapping[str, str], *names: str) -> dict[str, str]:
    """Some of the words as a sentence begins with them, under their names with a capital."""
    return {n.capitalize(): words[n][:1].upper() + words[n][1:] for n in names}


def competing_words(dataset: Dataset) -> dict[str, str]:
    """The same for the endpoint with a competing event, in the words of the two events.

    Where the dataset has none, they are those of invented patients: relapse, and death without it.
    """
    event, other, deaths = "relapse", "death without relapse", True
    with suppress(NotRecorded):
        question = competing_outcome(dataset)
        event, other = question.event, question.competing
        deaths = dataset.endpoints[question.name].competing == ("died",)
    words = {name: WORDS[name][1] for name in ("events", "had", "have")}
    words |= {"event": event, "other": other}
    words |= {name: pair[not deaths].format(event=event) for name, pair in RIVALS.items()}
    if event == "relapse":
        words |= RELAPSE
        if "response_day" in dataset.patients:
            words["free"] = "alive in remission"
    return words | _capitalised(words, "event", "other", "others", "had_other", "gone")


def later_events(dataset: Dataset, prefer: Sequence[str] = RESERVED) -> list[Factor]:
    """The events that some but not all patients have after day 0 and before their end.

    First those of the columns of `prefer`, then the dataset's postbaseline factors in its order.
    Each is a factor of all patients, named by the dataset's label of its column, whatever the
    dataset's own factor is restricted to. Where counts are masked, neither those with the event
    nor those without are so few.
    """
    own = [factor.column for factor in dataset.factors if factor.kind == "postbaseline"]
    columns = dict.fromkeys([*prefer, *own])
    found = [column for column in columns if _on_the_way(dataset, column)]
    return [Factor(column, dataset.label(column), "postbaseline") for column in found]


def later_event(dataset: Dataset, prefer: Sequence[str] = RESERVED, column: str = "") -> Factor:
    """The first of `later_events`, or the one of a `column` that is named.

    Raises NotRecorded where there is none, or the named one is none of them.
    """
    found = later_events(dataset, prefer)
    if column:
        found = [event for event in found if event.column == column]
    if column and not found:
        raise NotRecorded(
            f"“{column}” cannot be shown: it is no event of this dataset that some of its patients "
            "have after the first day, and others do not."
        )
    if not found:
        raise NotRecorded(
            "Events on the way cannot be shown: this dataset records none that some of its "
            "patients have after the first day, and others do not."
        )
    return found[0]


def moved_event(dataset: Dataset, column: str = "") -> Factor:
    """The event on the way whose ratio of death moves most when it is counted from its own day.

    On the log scale, from the ratio that counts it as if known from the start. Only of events with
    ENOUGH deaths after them, and as many without; where there is none, a transplant or the first of
    `later_events`. Or the one of a `column` that is named. Raises NotRecorded as `later_event`.
    """
    named = later_event(dataset, RESERVED[::-1], column)
    if column:
        return named
    os = outcome_of(dataset, deaths=True)
    enough, moved = max(ENOUGH, dataset.mask_below), {}
    for event in later_events(dataset, RESERVED[::-1]):
        ever = rows_as_if_known(dataset, os, event)
        died = ever.loc[ever["event"] > 0, event.column]
        if min((died > 0).sum(), (died == 0).sum()) >= enough:
            both = (ever, covariate_rows(dataset, os, [event]))
            ratios = [cox(r, [event.column]).summary()["hazard_ratio"].iloc[0] for r in both]
            moved[event] = abs(np.log(ratios[1] / ratios[0]))
    known = [event for event, by in moved.items() if np.isfinite(by)]
    return max(known, key=moved.get, default=named)


def event_day(dataset: Dataset, event: Factor) -> pd.Series:
    """The day of an event for each patient, blank for those without it."""
    return dataset.patients[event.column]


def early_and_late_event(dataset: Dataset) -> list[Factor]:
    """The first of `later_events`, and of all the one that comes latest, if it comes later.

    How late an event comes is its median day in those who have it.
    """
    first = later_event(dataset)
    latest = max(later_events(dataset), key=lambda event: event_day(dataset, event).median())
    later = event_day(dataset, latest).median() > event_day(dataset, first).median()
    return [first, latest] if later else [first]


def later_factors(dataset: Dataset) -> list[Factor]:
    """The factors of survival that change on the way, as the dataset has them.

    Raises NotRecorded where it names none.
    """
    factors = factors_of(dataset, outcome_of(dataset, deaths=True))
    found = [factor for factor in factors if factor.kind == "postbaseline"]
    if not found:
        raise NotRecorded(
            "Rows with a start and a stop cannot be shown: this dataset names no factor of overall "
            "survival that changes on the way."
        )
    return found


def randomised_factor(dataset: Dataset) -> Factor | None:
    """The two sides to which the patients were randomised, if the dataset names them as a factor.

    Of more than two arms, the last in the dataset's order against the reference.
    """
    by = dataset.compare
    own = [f for f in dataset.factors if by and by.randomised and f.column == by.column]
    if not own or own[0].reference is None:
        return next((factor for factor in own if factor.numerator), None)
    last = [level for level in own[0].levels if level != by.reference][-1]
    sides = {"numerator": (last,), "denominator": (by.reference,), "reference": None, "levels": ()}
    return replace(own[0], label=f"{own[0].label} ({last}/{by.reference})", **sides)


def in_two(dataset: Dataset, factors: Iterable[Factor]) -> list[Factor]:
    """Some factors, and in the place of the randomised one its two sides."""
    arm = randomised_factor(dataset)
    return [arm if arm and factor.column == arm.column else factor for factor in factors]


def factors_of_all(dataset: Dataset) -> list[Factor]:
    """Of these, the ones whose model has every patient from the start: they fit into one model."""
    os = outcome_of(dataset, deaths=True)
    return [f for f in later_factors(dataset) if (entry_days(dataset, os, [f]) == -np.inf).all()]


def _on_the_way(dataset: Dataset, column: str) -> bool:
    if column not in dataset.patients:
        return False
    day, end = dataset.patients[column], dataset.patients["last_contact_day"]
    few, n = max(dataset.mask_below, 1), len(day)
    return few <= ((day > 0) & (day < end)).sum() and day.notna().sum() <= n - few
