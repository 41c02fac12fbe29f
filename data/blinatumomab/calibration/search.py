"""A search by small changes: simulated annealing (Kirkpatrick, Gelatt and Vecchi 1983).

A change is a list of (column, patient, new value). One that improves the fit stays. One that makes
it worse stays with a probability that falls as the search cools. The search ends where nothing is
left to improve: every aim prints as it should.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import exp, log

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

    def distance(self, beta: float, se: float) -> float:
        """How far ratio and limits are from printing as they should, in per cent, summed.

        Distances are logarithms, not units of print: so a limit of 7.28 does not weigh twenty times
        as much as one of 0.38.
        """
        total = 0.0
        for value, (low, high) in zip(
            (beta, beta - Z * se, beta + Z * se), self.intervals, strict=True
        ):
            total += max(0.0, low - value, value - high)
        return 100 * total


@dataclass(frozen=True)
class Search:
    """What is aimed at, what may be tried, and for how long.

    The search ends where the `penalty` is `enough` or the `steps` are used up. It cools from `hot`
    to `cold`: all the way, or in `first` steps, after which short rounds begin `warm` again and
    loosen what has frozen a little short of the aim.
    """

    penalty: Callable[[Columns], float]
    propose: Callable[[Columns, np.random.Generator], Change | None]
    allowed: Callable[[Columns, Iterable[int]], bool]
    steps: int
    hot: float = 3.0
    cold: float = 0.01
    enough: float = 0.0
    first: int | None = None
    warm: float = 0.5
    round: int = 50_000

    def heat(self, step: int) -> float:
        """The temperature at a step."""
        first = self.first or self.steps
        if step <= first:
            return self.hot * (self.cold / self.hot) ** (step / first)
        return self.warm * (self.cold / self.warm) ** ((step - first) % self.round / self.round)


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

    `report` is called before each step. Penalties are rounded to nine decimals, so that the last
    bits of a logarithm, which machines may compute differently, decide nothing.
    """
    while progress.step < search.steps and progress.penalty > search.enough:
        report(progress)
        progress.step += 1
        change = search.propose(columns, rng)
        if not change:
            continue
        before = [(name, i, columns[name][i]) for name, i, _ in change]
        put(columns, change)
        if search.allowed(columns, {i for _, i, _ in change}):
            penalty = round(search.penalty(columns), 9)
            worse = penalty - progress.penalty
            if worse <= 0 or rng.random() < exp(-worse / search.heat(progress.step)):
                progress.penalty = penalty
                continue
        put(columns, before)
    return progress.penalty


def put(columns: Columns, change: Change) -> None:
    """Write the values of a change; of the same place the last one counts."""
    for name, i, value in change:
        columns[name][i] = value
