"""A search by pairs of changes, for where annealing ends a little short of the aim.

Near the end every change that mends one number spoils another. Two changes together can mend what
neither mends alone, but there are too many pairs to try. A small change moves each logarithm of a
ratio or limit by much the same amount, whatever else changes. So what a pair does is nearly the sum
of what its two changes do. Every pair is predicted by that sum, and only the best are tried.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from cohort import Columns
from search import Change, Fit, distance, put, whose

DRAWS = 40_000  # changes drawn before pairs are made of them
FAR = 3.5  # per cent: where one change leads further off than this, no second one mends it
TRIED = 8_000  # pairs, those predicted best
WORTH = 0.9  # a pair that leaves more than this share of the distance is not worth another


@dataclass(frozen=True)
class Pairs:
    """Pairs of the changes that a search may try.

    `fits` are the models that it aims at, always in the same order. `propose` and `allowed` are
    those of the search.
    """

    fits: Callable[[Columns], list[Fit]]
    propose: Callable[[Columns, np.random.Generator], Change | None]
    allowed: Callable[[Columns, Iterable[int]], bool]

    def improve(self, columns: Columns, rng: np.random.Generator, penalty: float) -> float:
        """Put pairs while that is worth it; the penalty that is left.

        `columns`, whose penalty is given, are changed in place. Where the changes that were drawn
        give no more, others are drawn.
        """
        before = np.inf
        while 0 < penalty <= WORTH * before:
            before = penalty
            changes, effects = self._drawn(columns, rng)
            penalty = self._paired(columns, changes, effects, penalty)
        return penalty

    def _drawn(self, columns: Columns, rng: np.random.Generator) -> tuple[list[Change], np.ndarray]:
        """Changes that may be put, one of each effect, and the effects (changes, logarithms)."""
        fits = self.fits(columns)
        now, changes, effects = logs(fits), [], []
        for _ in range(DRAWS):
            change = self.propose(columns, rng)
            if not change:
                continue
            back = put(columns, change)
            if self.allowed(columns, whose(change)):
                changes.append(change)
                effects.append(logs(self.fits(columns)) - now)
            put(columns, back)
        effects = np.array(effects)
        _, first = np.unique(effects.round(9), axis=0, return_index=True)
        near = np.sort(first[predicted(fits, effects[first]) < FAR])
        return [changes[k] for k in near], effects[near]

    def _paired(
        self, columns: Columns, changes: list[Change], effects: np.ndarray, penalty: float
    ) -> float:
        """Put pairs of these changes while that is worth it; the penalty that is left.

        A change is drawn for patients as they are: once they are changed, it counts no more.
        """
        before = np.inf
        while 0 < penalty <= WORTH * before:
            before = penalty
            penalty, pair = self._best(columns, changes, effects, penalty)
            put(columns, pair)
            still = [k for k, change in enumerate(changes) if not whose(change) & whose(pair)]
            changes, effects = [changes[k] for k in still], effects[still]
        return penalty

    def _best(
        self, columns: Columns, changes: list[Change], effects: np.ndarray, penalty: float
    ) -> tuple[float, Change]:
        """The best pair and its penalty; where none is better than what is, no change at all."""
        best = []
        for i, j in promising(self.fits(columns), effects, penalty):
            pair = changes[i] + changes[j]
            if whose(changes[i]) & whose(changes[j]):
                continue
            back = put(columns, pair)
            if self.allowed(columns, whose(pair)) and distance(self.fits(columns)) < penalty:
                best, penalty = pair, distance(self.fits(columns))
            put(columns, back)
        return penalty, best


def logs(fits: list[Fit]) -> np.ndarray:
    """The logarithms of every ratio and limit, (3 × fits,)."""
    return np.array([log for fit in fits for log in fit.logs])


def predicted(fits: list[Fit], effects: np.ndarray) -> np.ndarray:
    """Penalties, (n,), where effects (n, 3 × fits) are added to the logarithms."""
    low, high = np.array([ends for fit in fits for ends in fit.aim.intervals]).T
    reached = logs(fits) + effects
    return 100 * (np.maximum(0, low - reached) + np.maximum(0, reached - high)).sum(axis=1)


def promising(fits: list[Fit], effects: np.ndarray, penalty: float) -> list[tuple[int, int]]:
    """Pairs of rows of effects that are predicted to be better than `penalty`, the best first.

    Of pairs with the same prediction there is one, and no more than TRIED in all.
    """
    first, second, left = [], [], []
    for i in range(len(effects) - 1):
        after = predicted(fits, effects[i] + effects[i + 1 :])
        better = np.flatnonzero(after < penalty)
        first.append(np.full(len(better), i))
        second.append(i + 1 + better)
        left.append(after[better])
    if not left:
        return []
    _, best = np.unique(np.concatenate(left).round(9), return_index=True)
    best = best[:TRIED]
    return list(zip(np.concatenate(first)[best], np.concatenate(second)[best], strict=True))
