"""The partial likelihood of Cox's model, its maximum, and the proof that there is one."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from .sums import bins, crossed, shortest, summed
from .times import NUMBER, places

STRATUM = "stratum"  # the column of rows that have strata
PIECE = 1_000_000  # tied deaths that are summed at once
ALIASED = 1e-10  # a smaller part of the information is rounding: the columns depend on each other


class PartialLikelihood:
    """The log partial likelihood at any beta (p,), its gradient and its information (Cox 1972).

    Rows are summed by the number of times of death that they outlive, and by those before they
    came, so that all risk sets are cumulative sums over times: no sort beyond that of the times,
    and no table of rows beside `x` (rows, p), which is standardised. Times that differ by rounding
    alone are one. Of strata each has risk sets of its own. A row may be of a `number` (rows,) of
    patients alike. All that is said of deaths is by their times.
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
        self.times, self.dying = times[dies], np.flatnonzero(self.event)
        self.dies = self.gone[self.dying] - 1
        many = None if self.number is None else self.number[self.dying]
        self.ties = np.bincount(self.dies, many, len(self.times)).astype(int)
        share_out = {"efron": self.ties > 1, "breslow": np.zeros(len(self.times), dtype=bool)}
        self.tied = np.flatnonzero(share_out[ties])  # the times whose deaths share a risk set
        self.deaths = [*self._in_pieces()] if self.ties[self.tied].sum() <= PIECE else None
        self._bin()

    def _in_pieces(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """The tied deaths, some at once: the place of each one's time in `tied`, and its 1 - l/d.

        Between the two the place of the first death of each time.
        """
        number = self.ties[self.tied]
        piece = number.cumsum() // PIECE
        for one in np.unique(piece):
            place = np.flatnonzero(piece == one)
            many = number[place]
            first = many.cumsum() - many
            rank = np.arange(many.sum()) - np.repeat(first, many)
            yield np.repeat(place, many), first, 1 - rank / np.repeat(many, many)

    def _bin(self) -> None:
        """Rows by the times that they outlive, and those that die at a tied time by that."""
        self.of_gone, self.of_come = (bins(p, len(self.times) + 1) for p in (self.gone, self.come))
        place = np.full(len(self.times), -1)
        place[self.tied] = np.arange(len(self.tied))
        tie = place[self.dies]
        self.tying = self.dying[tie >= 0]
        self.of_tied = bins(tie[tie >= 0], len(self.tied))

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
        other.dying = np.flatnonzero(other.event)
        other.dies = other.gone[other.dying] - 1
        other._bin()
        return other

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

        There the weights of a risk set are lost in rounding. Deaths may `count` by their times
        (times,) for more or less than one. The l-th of d tied deaths (l from 0) has the weights of
        those that stay, and the part 1 - l/d of those that die (Efron 1977). So its mean of x, and
        the product of that with itself, need sums of the two at each time, and no table of deaths.
        """
        count = np.broadcast_to(count, len(self.times))
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            score, top, weight = self._weights(beta)
            (each, squared, logs), (part, mixed, own) = self._over_deaths(weight, count)
            staying, dying = self._at_risk(weight, self.x), self._dying(weight, self.x)
            staying[self.tied] -= dying
            died = self._died(count)
            gradient = died @ self.x - each @ staying - part @ dying
            mixed = crossed(staying[self.tied], mixed, dying)
            information = crossed(self.x, weight * self._part(each, part), self.x)
            information -= crossed(staying, squared, staying)
            information -= mixed + mixed.T + crossed(dying, own, dying)
            value = died @ score - (logs + count * self.ties * top).sum()
            return value, gradient, information

    def _over_deaths(self, weight: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Sums over the deaths of each time, of what is known of the weight that is at risk.

        Of its inverse, the square of that, and its log (3, times). Of tied deaths (3, tied) also of
        their part 1 - l/d times the inverse, and times, or squared times, the square.
        """
        risk, tied = self._at_risk(weight), np.empty((6, len(self.tied)))
        each = 1 / risk
        whole = count * self.ties * np.array([each, each * each, np.log(risk)])
        staying, dying = risk[self.tied], self._dying(weight)
        for place, first, part in self._in_pieces() if self.deaths is None else self.deaths:
            left = staying[place] - (1 - part) * dying[place]
            each = 1 / left
            own = part * each
            sums = [each, each * each, np.log(left), own, own * each, own * own]
            tied[:, place[first]] = np.add.reduceat(np.array(sums), first, axis=1)
        tied *= count[self.tied]
        whole[:, self.tied] = tied[:3]
        return whole, tied[3:]

    def _died(self, count: np.ndarray) -> np.ndarray:
        """What the deaths of each row count for (rows,)."""
        died = np.zeros(len(self.x))
        died[self.dying] = count[self.dies]
        return died if self.number is None else died * self.number

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
        once = np.ones(len(self.times))
        logs = self._over_deaths(weight, once)[0][2]
        return float(self._died(once) @ score - (logs + self.ties * top).sum())

    def expected(self, beta: np.ndarray) -> np.ndarray:
        """The mean of x among those at risk at each time (times, p), that of its tied deaths."""
        _, _, weight = self._weights(beta)
        (each, _, _), (part, _, _) = self._over_deaths(weight, np.ones(len(self.times)))
        staying, dying = self._at_risk(weight, self.x), self._dying(weight, self.x)
        staying[self.tied] -= dying
        sums = each[:, None] * staying
        sums[self.tied] += part[:, None] * dying
        return sums / self.ties[:, None]

    def _weights(self, beta: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
        """Each row's score, the largest, and each row's weight, of which a patient with that has 1.

        So none overflows; it cancels but for the logs.
        """
        score = self.x @ beta
        top = score.max()
        weight = np.exp(score - top)
        return score, top, weight if self.number is None else weight * self.number

    def _part(self, each: np.ndarray, part: np.ndarray) -> np.ndarray:
        """For each row the sum of `each` (times,) over the times at which it is at risk.

        It counts the products of the columns of a row once, by its part in all risk sets together:
        at a tied time in which it dies, by `part` (tied,).
        """
        until_then = np.append(0, np.cumsum(each))
        sums = until_then[self.gone]
        if self.delayed:
            sums -= until_then[self.come]
        sums[self.tying] -= (each[self.tied] - part)[self.of_tied.indices]
        return sums

    def _dying(self, weight: np.ndarray, x: np.ndarray | None = None) -> np.ndarray:
        """The same sums over those who die at each time that is tied."""
        rows = self.tying
        return summed(self.of_tied, weight[rows], None if x is None else x.take(rows, axis=0))

    def _at_risk(self, weight: np.ndarray, x: np.ndarray | None = None) -> np.ndarray:
        """The same sums over the risk set of each time: who goes later, less who is yet to come."""
        sums = summed(self.of_gone, weight, x)
        if self.delayed:
            sums -= summed(self.of_come, weight, x)
        np.cumsum(sums[::-1], axis=0, out=sums[::-1])
        return sums[1:]

    def clock(self) -> np.ndarray:
        """For each time of death 1 minus the Kaplan-Meier estimate just before it."""
        everybody = self._weights(np.zeros(self.x.shape[1]))[2]
        survival = np.cumprod(1 - self.ties / self._at_risk(everybody))
        return 1 - np.append(1.0, survival[:-1])

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
        if least <= 4 * self._rounding(beta) * reach**2 * self.ties.sum():
            return False
        decrement = gradient @ np.linalg.solve(information, gradient)
        return 4 * reach**2 * decrement <= least

    def _rounding(self, beta: np.ndarray) -> float:
        """Bound on the relative error of a risk set's sums, as differences of larger sums."""
        _, _, weight = self._weights(beta)
        whole, least = summed(self.of_gone, weight)[::-1].cumsum()[-2::-1], self._at_risk(weight)
        least[self.tied] -= (1 - 1 / self.ties[self.tied]) * self._dying(weight)
        return np.finfo(float).eps * len(weight) * (whole / least).max()
