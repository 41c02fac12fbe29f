"""Tests of any number of groups: log-rank, Gray's, and what many tests ask of their P."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from .curves import RiskSets


@dataclass(frozen=True)
class Comparison:
    """A test of groups: chi-squared, its degrees of freedom and P; 0 degrees where none is left."""

    chi2: float
    df: int
    p: float


def logrank(
    time: np.ndarray,
    observed: np.ndarray,
    group: np.ndarray,
    strata: np.ndarray | None = None,
    entry: np.ndarray | None = None,
    number: np.ndarray | None = None,
) -> Comparison:
    """Log-rank test of any number of groups (Mantel 1966; Peto & Peto 1972).

    All are (n,): `group` and `strata` hold labels, and who lacks one is left out; `entry` and
    `number` are as in `survival_curve`. The variance is hypergeometric where events are tied. With
    `strata` patients are compared with those of their own stratum, and the strata are added up. A
    group that is at no event at risk beside another takes no degree of freedom; chi2 and P are
    missing where fewer than two groups are left. Raises ValueError where a time is not after its
    entry.
    """
    event = np.asarray(observed) > 0
    tables = _tables(time, entry, event * 1, group, strata, number)
    return _comparison([_logrank_part(at_risk, events) for at_risk, events, _ in tables])


def count_test(
    event: np.ndarray,
    group: np.ndarray,
    strata: np.ndarray | None = None,
    number: np.ndarray | None = None,
) -> Comparison:
    """Test that groups have the same share with an event, whenever it came (all (n,)).

    Pearson's chi-squared (1900), without a correction; within `strata` the one of Mantel & Haenszel
    (1959), for any number of groups. It is the log-rank test of events that all come at one time,
    where the variance is hypergeometric, which Pearson's is but for a factor n / (n - 1).
    """
    found = logrank(np.ones(len(event)), event, group, strata, None, number)
    if strata is not None:
        return found
    known = pd.notna(group)
    n = known.sum() if number is None else number[known].sum()
    chi2 = found.chi2 * n / (n - 1) if n > 1 else np.nan
    return Comparison(chi2, found.df, float(stats.chi2.sf(chi2, found.df)))


def gray(
    time: np.ndarray,
    event: np.ndarray,
    cause: int,
    group: np.ndarray,
    strata: np.ndarray | None = None,
    number: np.ndarray | None = None,
) -> Comparison:
    """Test that groups have the same cumulative incidence of `cause` (Gray 1988, with rho = 0).

    `event` (n,) is 0 for censored, else the number of the cause; the others are as in `logrank`.
    It compares hazards of the subdistribution, as `fine_gray` does, and log-rank those of the
    cause. The variance is Gray's, hypergeometric where events are tied, as in R's cmprsk. A group
    that is at no event at risk beside another takes no degree of freedom, where cmprsk gives none.
    """
    event = np.asarray(event)
    kinds = np.where(event == cause, 1, (event > 0) * 2)
    tables = _tables(time, None, kinds, group, strata, number)
    return _comparison([_gray_part(*table) for table in tables])


def pairwise(
    time: np.ndarray,
    observed: np.ndarray,
    group: np.ndarray,
    strata: np.ndarray | None = None,
    entry: np.ndarray | None = None,
    number: np.ndarray | None = None,
) -> pd.DataFrame:
    """The log-rank test of each two groups alone, and their P as `holm` adjusts them.

    A row a pair of labels (`one`, `other`), in the order in which they first come; `chi2`, `df`,
    `p` and `adjusted`.
    """
    group = pd.Series(np.asarray(group))
    pairs = list(combinations(group.dropna().unique(), 2))
    alone = [group.where(group.isin(pair)) for pair in pairs]
    tests = [vars(logrank(time, observed, labels, strata, entry, number)) for labels in alone]
    names = pd.MultiIndex.from_tuples(pairs, names=["one", "other"]) if pairs else None
    found = pd.DataFrame(tests, index=names, columns=["chi2", "df", "p"])
    return found.assign(adjusted=holm(found["p"]))


def holm(p: np.ndarray) -> np.ndarray:
    """P of several tests (k,), adjusted so that all hold together (Holm 1979); missing ones stay.

    The smallest counts as often as there are tests, the next once less, and none less than one
    before it.
    """
    p = np.asarray(p, dtype=float)
    adjusted, known = np.full(len(p), np.nan), np.flatnonzero(~np.isnan(p))
    order = known[np.argsort(p[known], kind="stable")]
    times = np.arange(len(order), 0, -1)
    adjusted[order] = np.maximum.accumulate(p[order] * times).clip(max=1.0)
    return adjusted


# --- the parts of a test -------------------------------------------------------------------------


def _tables(
    time: np.ndarray,
    entry: np.ndarray | None,
    event: np.ndarray,
    group: np.ndarray,
    strata: np.ndarray | None,
    number: np.ndarray | None,
) -> Iterator[list[np.ndarray]]:
    """For each stratum who is at risk (groups, times) at its events 1 and 2, and these likewise.

    One clock serves all strata: the times of each come after those of the one before.
    """
    sets, stride = RiskSets(time, entry, number=number), 0
    codes, labels = pd.factorize(np.asarray(group))
    if strata is not None:
        layers, stride = pd.factorize(np.asarray(strata))[0], len(sets.times) + 1
        first = layers * stride
        codes = np.where(layers < 0, -1, codes)
        entered = -1 if sets.entered is None else sets.entered
        sets = RiskSets(first + sets.left, first + entered, number=number)
    groups = len(labels)
    if not groups:
        return
    kinds = sets.leaving(np.where(codes < 0, -1, event * groups + codes), 3 * groups)
    _, *events = kinds.reshape(3, groups, -1)
    happens = (events[0] + events[1]).any(axis=0)
    parts = [part[:, happens] for part in (sets.staying(codes, groups), *events)]
    ends = np.flatnonzero(np.diff(sets.times[happens] // stride)) + 1 if stride else []
    yield from zip(*(np.split(part, ends, axis=1) for part in parts), strict=True)


def _comparison(parts: list[tuple[np.ndarray, np.ndarray]]) -> Comparison:
    """The test of scores (k,) that vary (k, k) and add up to 0 over groups that can be compared.

    In the directions in which nothing varies there is nothing to test.
    """
    score, variance = (sum(found) for found in zip(*parts, strict=True)) if parts else (0, 0)
    values, directions = np.linalg.eigh(np.atleast_2d(variance))
    varies = values > 1e-10 * max(values[-1], 0.0)
    df = int(varies.sum())
    if df == 0:
        return Comparison(np.nan, 0, np.nan)
    chi2 = float(((score @ directions)[varies] ** 2 / values[varies]).sum())
    return Comparison(chi2, df, float(stats.chi2.sf(chi2, df)))


def _logrank_part(at_risk: np.ndarray, events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Events less those expected (groups,) and their variance, of one stratum."""
    everyone, all_events = at_risk.sum(axis=0), events.sum(axis=0)
    share = at_risk / everyone
    spread = all_events * (everyone - all_events) / np.maximum(everyone - 1, 1)
    score = (events - all_events * share).sum(axis=1)
    return score, np.diag(share @ spread) - (share * spread) @ share.T


def _gray_part(
    at_risk: np.ndarray, events: np.ndarray, others: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Gray's scores (groups,) and their variance, of one stratum; all are (groups, times).

    A group counts with `weight`, those at risk over the share S without any event: how many would
    be there had nobody been censored. With the share 1 - F in it, it is the risk set of the
    subdistribution. What a group's curve says at one time moves the scores at once (`direct`), and
    those of later times too, since the common incidence enters them (`later`).
    """
    present = np.maximum(at_risk, 1)
    after = np.cumprod(1 - (events + others) / present, axis=1)
    before = _just_before(after)
    share = np.cumsum(before * events / present, axis=1)
    weight = np.divide(at_risk, before, out=np.zeros(before.shape), where=at_risk > 0)
    number, total = events.sum(axis=0), weight.sum(axis=0)
    known = weight * _just_before(1 - share)  # those free of the event of the cause
    score = (events - number * known / known.sum(axis=0)).sum(axis=1)

    common = 1 - np.cumsum(number / total)  # without the event, as if the groups were one
    hazard = number / total / _just_before(common)
    stays = np.divide(common, after, out=np.zeros(after.shape), where=after > 0)

    # The variance of each group's events of the cause, under the common hazard, and of the others.
    room = np.maximum(total * before - 1, 1e-12)
    own = before * (number / total) * (1 - (number - 1).clip(min=0) / room)
    own = np.divide(own, at_risk, out=np.zeros(own.shape), where=at_risk > 0)
    other = (before / present) ** 2 * others
    other = other * (1 - (others - 1).clip(min=0) / np.maximum(at_risk - 1, 1)) * (after > 0)
    variance = np.zeros((len(score), len(score)))
    for k, by in enumerate(weight / total):
        direct = -weight * by
        direct[k] += weight[k]
        moved = np.where(direct == 0, 0.0, direct * hazard)
        later = moved.sum(axis=1, keepdims=True) - moved.cumsum(axis=1)
        of_own, of_other = direct + (1 - stays[k]) * later, stays[k] * later
        variance += (of_own * own[k]) @ of_own.T + (of_other * other[k]) @ of_other.T
    return score, variance


def _just_before(after: np.ndarray) -> np.ndarray:
    """Shares before each time, from shares after each (..., times); 1 before the first."""
    return np.concatenate([np.ones((*after.shape[:-1], 1)), after], axis=-1)[..., :-1]
