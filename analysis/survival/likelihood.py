"""The partial likelihood of Cox's model, its maximum, and the proof that there is one."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import pandas as pd

from .sums import bins, crossed, shortest, summed
from .times import NUMBER, places

STRATUM = "stratum"  # the column of rows that have strata
ALIASED = 1e-10  # a smaller part of the information is rounding: the columns depend on each other


class PartialLikelihood:
    """The log partial likelihood at any beta (p,), its gradient and its information (Cox 1972).

    Rows are summed by the number of times of death that they outlive, and by those before they
    came, so that all risk sets are cumulative sums over times: no sort beyond that of the times,
    and no table of rows beside `x` (rows, p), which is standardised. Times that differ by rounding
    alone are one. Of strata each has risk sets of its own. A row may be of a `number` (rows,) of
    patients alike. Their deaths stay one by one, since they share out their ties: `of_death` is the
    row of each.
    """

    def __init__(self, rows: pd.DataFrame, x: np.ndarray, ties: str = "efron") -> None:
        start, stop = rows["start"].to_numpy(), rows["stop"].to_numpy()
        times, (start, stop) = places(start, stop)
        if STRATUM in rows:
            # Each after the last, so that no risk set holds two. Only the order of times counts.
            first = pd.factorize(rows[STRATUM])[0] * len(times)
            times, (start, stop) = places(start + first, stop + first)
        self.x, self.event = np.ascontiguousarray(x, dtype=float), rows["event"].to_numpy() > 0
        self.number = rows[NUMBER].to_numpy() if NUMBER in rows else None
        self._follow(times, start, stop, ties)

    def _follow(self, times: np.ndarray, start: np.ndarray, stop: np.ndarray, ties: str) -> None:
        """Who is at risk when: of start < t <= stop (rows,), as places among `times`."""
        dies = np.bincount(stop[self.event], minlength=len(times)) > 0
        until = np.append(np.cumsum(dies), 0)  # the last is for -1, before all times
        self.come, self.gone = until[start], until[stop]  # so many times of death had passed
        self.delayed = bool(self.come.any())
        self.times, dying = times[dies], np.flatnonzero(self.event)
        self.of_death = dying if self.number is None else np.repeat(dying, self.number[dying])
        self.death = self.gone[self.of_death] - 1
        self.ties = np.bincount(self.death, minlength=len(self.times))
        self.share = {"efron": self._efron_share, "breslow": self._breslow_share}[ties]()
        # The times whose deaths share a risk set, and the place of each of these deaths in them.
        ties = np.bincount(self.death, self.share, len(self.times)) > 0
        self.tied, self.tying = np.flatnonzero(ties), np.flatnonzero(ties[self.death])
        self.tie = np.cumsum(ties) - 1
        self._bin()

    def _bin(self) -> None:
        """Rows by the times that they outlive, and those that die at a tied time by that."""
        self.of_gone, self.of_come = (bins(p, len(self.times) + 1) for p in (self.gone, self.come))
        self.dying = np.flatnonzero(self.event)
        self.dies = self.gone[self.dying] - 1
        tied = np.isin(self.dies, self.tied)
        self.tying_rows = self.dying[tied]
        self.of_tied = bins(self.tie[self.dies[tied]], len(self.tied))

    def folded(self) -> PartialLikelihood:
        """The same likelihood, rows that say the same being one with their `number`.

        Days are whole and sides few, so that a million patients are some ten thousand rows. Itself
        where the rows would not be half as many.
        """
        place, size = self.gone, len(self.times) + 1
        for column in (self.event, self.come, *self.x.T):
            if 2 * size > len(place):
                return self
            code, distinct = pd.factorize(column)
            place, size = place * len(distinct) + code, size * len(distinct)
        if 2 * size > len(place):
            return self
        number = np.bincount(place, self.number, size)
        kept, first = number > 0, np.zeros(size, dtype=int)
        first[place] = np.arange(len(place))
        other, first = copy.copy(self), first[kept]
        other.x, other.number = np.ascontiguousarray(self.x[first]), number[kept]
        other.event, other.come, other.gone = (a[first] for a in (self.event, self.come, self.gone))
        other.of_death = (np.cumsum(kept) - 1)[place[self.of_death]]
        other._bin()
        return other

    def _efron_share(self) -> np.ndarray:
        """The l-th of d tied deaths (l from 0) leaves out l/d of the tied deaths' weight."""
        first = np.cumsum(self.ties) - self.ties
        order = np.argsort(self.death, kind="stable")
        rank = np.empty(len(self.death))
        rank[order] = np.arange(len(self.death)) - first[self.death[order]]
        return rank / self.ties[self.death]

    def _breslow_share(self) -> np.ndarray:
        """Each tied death meets the whole risk set."""
        return np.zeros(len(self.death))

    def of(self, x: np.ndarray) -> PartialLikelihood:
        """The likelihood of other columns (rows, p) on the same rows, which stay sorted."""
        other = copy.copy(self)
        other.x = np.ascontiguousarray(x)
        return other

    def of_columns(self, places: Sequence[int]) -> PartialLikelihood:
        """The likelihood of the columns at some places; of all of them, without a copy."""
        return self if list(places) == [*range(self.x.shape[1])] else self.of(self.x[:, places])

    def at(
        self, beta: np.ndarray, count: np.ndarray | float = 1.0
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """Log likelihood, gradient (p,) and information (p, p); no numbers too far out.

        There the weights of a risk set are lost in rounding. Each death may `count` (deaths,) for
        more or less than one. The l-th of d tied deaths has the weights of those that stay, and the
        part 1 - l/d of those that die. So its mean of x, and the product of that with itself, need
        sums of the two at each time, and no table of deaths.
        """
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            score, top, weight = self._weights(beta)
            denominator = self._sums(weight)
            each = np.broadcast_to(count, len(self.of_death))
            died = np.bincount(self.of_death, each, len(weight))
            part, each, squared = 1 - self.share, count / denominator, count / denominator**2
            staying, dying = self._at_risk(weight, self.x), self._dying(weight, self.x)
            staying[self.tied] -= dying
            gradient = died @ self.x - self._by_time(each) @ staying
            gradient -= self._by_time(part * each)[self.tied] @ dying
            mixed, own = (self._by_time(part**k * squared)[self.tied] for k in (1, 2))
            mixed = crossed(staying[self.tied], mixed, dying)
            information = crossed(self.x, weight * self._part(each), self.x)
            information -= crossed(staying, self._by_time(squared), staying)
            information -= mixed + mixed.T + crossed(dying, own, dying)
            value = died @ score - (count * (np.log(denominator) + top)).sum()
            return value, gradient, information

    def highest(self) -> float:
        """The log likelihood at its maximum, or what it nears where it has none."""
        return float(self.climb()[1][0]) if self.x.shape[1] else self.value(np.zeros(0))

    def independent(self) -> list[int]:
        """The places of the columns that do not follow, among those at risk, from earlier ones."""
        information, found = self.at(np.zeros(self.x.shape[1]))[2], []
        for place in range(len(information)):
            inside = information[np.ix_([*found, place], [*found, place])]
            least = np.linalg.eigvalsh(inside)[0]
            if least > ALIASED * information.trace():
                found.append(place)
        return found

    def value(self, beta: np.ndarray) -> float:
        """Log likelihood alone."""
        score, top, weight = self._weights(beta)
        return float(score[self.of_death].sum() - (np.log(self._sums(weight)) + top).sum())

    def residuals(self, beta: np.ndarray) -> np.ndarray:
        """What each death's x has beyond its mean at risk (deaths, p): Schoenfeld's (1982)."""
        _, _, weight = self._weights(beta)
        return self.x[self.of_death] - self._sums(weight, self.x) / self._sums(weight)[:, None]

    def _weights(self, beta: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
        """Each row's score, the largest, and each row's weight, of which a patient with that has 1.

        So none overflows; it cancels but for the logs.
        """
        score = self.x @ beta
        top = score.max()
        weight = np.exp(score - top)
        return score, top, weight if self.number is None else weight * self.number

    def _part(self, each: np.ndarray) -> np.ndarray:
        """For each row the sum of `each` (deaths,) over the deaths at which it is at risk.

        It counts the products of the columns of a row once, by its part in all risk sets together.
        """
        until_then = np.append(0, np.cumsum(self._by_time(each)))
        part = until_then[self.gone]
        if self.delayed:
            part -= until_then[self.come]
        part[self.dying] -= self._by_time(self.share * each)[self.dies]
        return part

    def _by_time(self, each: np.ndarray) -> np.ndarray:
        """Sums of `each` (deaths,) by time."""
        return np.bincount(self.death, each, len(self.times))

    def _sums(self, weight: np.ndarray, x: np.ndarray | None = None) -> np.ndarray:
        """Sums over each death's risk set, of weights or of x by weight, less its share of ties."""
        sums, place = self._at_risk(weight, x)[self.death], self.tie[self.death[self.tying]]
        sums[self.tying] -= (self.share[self.tying] * self._dying(weight, x)[place].T).T
        return sums

    def _dying(self, weight: np.ndarray, x: np.ndarray | None = None) -> np.ndarray:
        """The same sums over those who die at each time that is tied."""
        rows = self.tying_rows
        return summed(self.of_tied, weight[rows], None if x is None else x.take(rows, axis=0))

    def _at_risk(self, weight: np.ndarray, x: np.ndarray | None = None) -> np.ndarray:
        """The same sums over the risk set of each time: who goes later, less who is yet to come."""
        sums = summed(self.of_gone, weight, x)
        if self.delayed:
            sums -= summed(self.of_come, weight, x)
        np.cumsum(sums[::-1], axis=0, out=sums[::-1])
        return sums[1:]

    def deaths_clock(self) -> np.ndarray:
        """For each death 1 minus the Kaplan-Meier estimate just before it."""
        everybody = self._weights(np.zeros(self.x.shape[1]))[2]
        survival = np.cumprod(1 - self.ties / self._at_risk(everybody))
        return 1 - np.append(1.0, survival)[self.death]

    def climb(
        self, most: int = 60, penalty: float = 0.0, start: np.ndarray | None = None
    ) -> tuple[np.ndarray, tuple[float, np.ndarray, np.ndarray]]:
        """Newton's method, halving a step that does not climb: the last beta and `at` it.

        From 0, or `start` (p,). With a `penalty`, half of it times the sum of beta^2 is taken off.
        """
        beta = np.zeros(self.x.shape[1]) if start is None else start
        here = self._penalised(beta, penalty)
        for _ in range(most):
            # With a penalty the information has an inverse; solving is far faster for many columns.
            curve, slope = here[2], here[1]
            step = np.linalg.solve(curve, slope) if penalty else shortest(curve, slope)
            last = here[1] @ step < 1e-10
            for _ in range(30):
                there = self._penalised(beta + step, penalty)
                rounding = 1e-12 * abs(here[0])
                if np.isfinite(there[2]).all() and there[0] >= here[0] - rounding:
                    break
                step = step / 2
            else:
                break
            beta, here = beta + step, there
            if last:
                break
        return beta, here

    def _penalised(self, beta: np.ndarray, penalty: float) -> tuple[float, np.ndarray, np.ndarray]:
        value, gradient, information = self.at(beta)
        if penalty == 0:
            return value, gradient, information
        own = penalty * np.eye(len(beta))
        return value - penalty / 2 * beta @ beta, gradient - penalty * beta, information + own

    def has_maximum(self, beta: np.ndarray, gradient: np.ndarray, information: np.ndarray) -> bool:
        """Whether a finite maximum is proved by what the likelihood is at `beta`.

        Where factors separate the events, the likelihood climbs for ever and flattens out
        (Heinze & Schemper 2001), so that a small gradient alone proves nothing. But its curvature
        cannot change by more than a factor exp(distance * reach), where `reach` bounds the distance
        between two patients. A Newton step that is short for the curvature then has its maximum
        nearby (Bach 2010, proposition 2). Curvature that rounding could have made proves nothing.
        """
        if not np.isfinite(information).all():
            return False
        reach = 2 * np.sqrt(np.einsum("ij,ij->i", self.x, self.x).max())
        least = np.linalg.eigvalsh(information)[0]
        if least <= 4 * self._rounding(beta) * reach**2 * len(self.death):
            return False
        decrement = gradient @ np.linalg.solve(information, gradient)
        return 4 * reach**2 * decrement <= least

    def _rounding(self, beta: np.ndarray) -> float:
        """Bound on the relative error of a risk set's sums, as differences of larger sums."""
        _, _, weight = self._weights(beta)
        whole = summed(self.of_gone, weight)[::-1].cumsum()[-2::-1]
        ratio = (whole[self.death] / self._sums(weight)).max()
        return np.finfo(float).eps * len(weight) * ratio
