"""A search by small changes: simulated annealing (Kirkpatrick, Gelatt and Vecchi 1983).

A change is a list of (column, patient, new value). One that improves the fit stays. One that makes
it worse stays with a probability that falls as the search cools. The search ends where nothing is
left to improve: every aim prints as it should.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import exp, log
from typing import NamedTuple

import numpy as np
from cohort import Columns
from printed import Printed

Z = 1.959963984540054
HALF_UNIT = 0.00495  # of the second decimal; 0.005 would be the edge of the rounding
Change = list[tuple[str, int, int]]


@dataclass(frozen=True)
class Aim:
    """A printed hazard ratio with its limits: three intervals for the logarithm."""

    guess: float
    intervals: tuple[tuple[float, float], ...]

    @classmethod
    def at(cls, printed: Printed, quantity: str, group: str) -> "Aim":
        ratio, lower, upper = map(float, printed.interval(quantity, group))
        intervals = ((log(v - HALF_UNIT), log(v + HALF_UNIT)) for v in (ratio, lower, upper))
        return cls(log(ratio), tuple(intervals))


class Fit(NamedTuple):
    """An aim, and what the cohort gives for it: log hazard ratio and standard error."""

    aim: Aim
    beta: float
    se: float

    @property
    def logs(self) -> tuple[float, float, float]:
        """The logarithms of ratio, lower and upper limit."""
        return self.beta, self.beta - Z * self.se, self.beta + Z * self.se


def distance(fits: Iterable[Fit]) -> float:
    """How far ratios and limits are from printing as they should, in per cent, summed.

    Distances are logarithms, not units of print: so a limit of 7.28 does not weigh twenty times as
    much as one of 0.38. They are rounded to nine decimals, so that the last bits of a logarithm,
    which machines may compute differently, decide nothing.
    """
    total = 0.0
    for fit in fits:
        for value, (low, high) in zip(fit.logs, fit.aim.intervals, strict=True):
            total += max(0.0, low - value, value - high)
    return round(100 * total, 9)


@dataclass(frozen=True)
class Search:
    """What is aimed at, what may be tried, and for how long.

    The search ends where the `penalty` is `enough` or the `steps` are used up. It cools from `hot`
    to `cold`: all the way, or in `first` steps, after which short rounds begin `warm` again, at one
    temperature after the other, and loosen what has frozen a little short of the aim. A round can
    end with something else that improves the fit: `finish` changes the columns and says which
    penalty is left.
    """

    penalty: Callable[[Columns], float]
    propose: Callable[[Columns, np.random.Generator], Change | None]
    allowed: Callable[[Columns, Iterable[int]], bool]
    steps: int
    hot: float = 3.0
    cold: float = 0.01
    enough: float = 0.0
    first: int | None = None
    warm: tuple[float, ...] = (0.5,)
    round: int = 50_000
    finish: Callable[[Columns, np.random.Generator, float], float] | None = None

    def heat(self, step: int) -> float:
        """The temperature at a step."""
        first = self.first or self.steps
        if step <= first:
            return self.hot * (self.cold / self.hot) ** (step / first)
        rounds, within = divmod(step - first, self.round)
        warm = self.warm[rounds % len(self.warm)]
        return warm * (self.cold / warm) ** (within / self.round)

    def round_ends(self, step: int) -> bool:
        """Whether the temperature is raised after this step."""
        first = self.first or self.steps
        return step >= first and (step - first) % self.round == 0


@dataclass
class Progress:
    """How far a search is: what an interrupted one needs to go on as if nothing had happened."""

    step: int
    penalty: float


def anneal(
    search: Search,
    columns: Columns,
    rng: np.random.Generator,
    progress: Progress,
    report: Callable[[Progress], None],
) -> float:
    """Change `columns` in place until the search ends; the penalty that is left.

    `report` is called before each step.
    """
    while progress.step < search.steps and progress.penalty > search.enough:
        report(progress)
        progress.step += 1
        _step(search, columns, rng, progress)
        if search.finish and search.round_ends(progress.step):
            progress.penalty = search.finish(columns, rng, progress.penalty)
    return progress.penalty


def _step(search: Search, columns: Columns, rng: np.random.Generator, progress: Progress) -> None:
    """Try one change."""
    change = search.propose(columns, rng)
    if not change:
        return
    back = put(columns, change)
    if search.allowed(columns, whose(change)):
        penalty = round(search.penalty(columns), 9)
        worse = penalty - progress.penalty
        if worse <= 0 or rng.random() < exp(-worse / search.heat(progress.step)):
            progress.penalty = penalty
            return
    put(columns, back)


def put(columns: Columns, change: Change) -> Change:
    """Write the values of a change, of the same place the last; the change that takes them back."""
    back = [(name, i, columns[name][i]) for name, i, _ in change]
    for name, i, value in change:
        columns[name][i] = value
    return back


def whose(change: Change) -> set[int]:
    """The patients of a change."""
    return {i for _, i, _ in change}
