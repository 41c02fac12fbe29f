"""Multi-state data: who is in which state over time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .curves import RiskSets, log_log_limits
from .times import NUMBER, one_time


def state_shares(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Aalen-Johansen shares of the patients in each state (Andersen et al. 1993, section IV.4).

    `rows` are start-stop, a row for each stay: `patient`, `start` (-inf: from the beginning),
    `stop`, `from`, and `to`, the state they come to on `stop`, missing where they are only seen
    until then; with a `NUMBER` each is of so many patients alike. At risk of leaving a state at t
    are those in it with start < t <= stop. The shares begin as those of who is at risk at the first
    change. Patients may return, and come late.

    Returns a frame for each state, in the order in which rows name them, indexed by 0 and the
    distinct times of start and stop: `at_risk` (in it just before the time), `events` (who come to
    it), `other_events` (who leave it), `censored`, `share`, `unsettled` (the shares of all states
    that somebody leaves), `se`, `lower`, `upper`. The standard errors are those of the
    infinitesimal jackknife over patients, as in R's `survfit`; the limits are log-log. Raises
    ValueError where a patient's row does not go on from where the one before it ended.
    """
    stays = _Stays(rows)
    here, moves, sets = (
        stays.here,
        stays.moves,
        RiskSets(stays.stop, stays.start, number=stays.number),
    )
    shares, variances = stays.occupation(sets.times)
    left = np.unique(here[moves])
    found = {}
    for code, state in enumerate(stays.states):
        inside, share, se = here == code, shares[:, code], np.sqrt(variances[:, code])
        lower, upper = log_log_limits(share, se)
        columns = {
            "at_risk": sets.among(inside),
            "events": sets.count(moves & (stays.there == code)),
            "other_events": sets.count(moves & inside),
            "censored": sets.count(inside & ~moves & ~stays.goes_on),
            "share": share,
            "unsettled": shares[:, left].sum(axis=1),
        }
        columns |= {"se": se, "lower": lower, "upper": upper}
        found[state] = pd.DataFrame(columns, index=sets.index)
    return found


class _Stays:
    """Rows of `state_shares` as arrays (rows,), sorted by patient and start, states as numbers."""

    def __init__(self, rows: pd.DataFrame) -> None:
        rows = rows.sort_values(["patient", "start"], kind="stable")
        self.start, self.stop = one_time(rows["start"], rows["stop"])
        codes, self.states = pd.factorize(pd.concat([rows["from"], rows["to"]]))
        self.here, self.there = codes[: len(rows)], codes[len(rows) :]
        self.patient = pd.factorize(rows["patient"])[0]
        self.number = rows[NUMBER].to_numpy() if NUMBER in rows else None
        self.many = np.ones(len(rows)) if self.number is None else self.number.astype(float)
        self.moves = (self.there >= 0) & (self.there != self.here)
        same = self.patient[1:] == self.patient[:-1]
        state = np.where(self.moves, self.there, self.here)
        overlaps, jumps = self.start[1:] < self.stop[:-1], self.here[1:] != state[:-1]
        if (same & (overlaps | jumps)).any() or not (self.start < self.stop).all():
            raise ValueError("a row that does not go on from where the patient's last one ended")
        self.goes_on = np.append(same & (self.start[1:] == self.stop[:-1]), False)

    def occupation(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shares and their variances after each time (times, states)."""
        number, moving = len(self.states), np.flatnonzero(self.moves)
        moving = moving[np.argsort(self.stop[moving], kind="stable")]
        changes, first = np.unique(self.stop[moving], return_index=True)
        begin = changes[0] if len(changes) else self.stop.max()
        begins = (self.start < begin) & (begin <= self.stop)
        many = self.many[begins]
        share = np.bincount(self.here[begins], many, number) / many.sum()
        influence = _Influence(self, begins, share)
        shares, variances = [share], [influence.variances]
        for time, gone in zip(changes, np.split(moving, first[1:]), strict=bool(len(changes))):
            at_risk = influence.at_risk(time)
            weight = 1 / np.maximum(at_risk, 1)
            change = np.zeros((number, number))
            leaving = weight[self.here[gone]] * self.many[gone]
            np.add.at(change, (self.here[gone], self.there[gone]), leaving)
            change -= np.diag(change.sum(axis=1))
            influence.move(change, share * weight, gone)
            share = share + share @ change
            shares.append(share)
            variances.append(influence.variances)
        passed = np.searchsorted(changes, times, side="right")
        return np.array(shares)[passed], np.array(variances)[passed]


class _Influence:
    """Each patient's influence on the shares (states,), and the sum of its squares.

    It goes on with those who move, and grows by what the patient does beyond what is expected in
    the state they are in. Of all that stay in a state it grows alike, so that it is kept as
    `own @ path + grown[state]`, of which one time changes `path` and `grown` for all patients, and
    `own` only of those who come or leave. `grown` has a last row, which stays 0, for who is in no
    state. Sums over the patients in each state (`inside`) and over all of them (`squares`) follow.
    """

    WORN = 100  # the condition of a path that begins anew: it could not be undone exactly

    def __init__(self, stays: _Stays, begins: np.ndarray, share: np.ndarray) -> None:
        self.stays, number = stays, len(share)
        self.own = np.zeros((stays.patient.max() + 1, number))
        first = np.eye(number)[stays.here[begins]] - share
        self.own[stays.patient[begins]] = first / stays.many[begins].sum()
        self.state = np.full(len(self.own), number)
        of_begin = self.own[stays.patient[begins]]
        self.squares = of_begin.T @ (of_begin * stays.many[begins, None])
        self.inside, self.counts = np.zeros((number, number)), np.zeros(number)
        self.path, self.grown = np.eye(number), np.zeros((number + 1, number))
        self.coming = np.argsort(stays.start, kind="stable")
        self.leaving = np.argsort(stays.stop, kind="stable")
        self.starts, self.stops = stays.start[self.coming], stays.stop[self.leaving]
        self.come = self.left = 0
        self.largest = 0.0
        self.present = np.zeros(len(stays.here), dtype=bool)

    @property
    def variances(self) -> np.ndarray:
        """Those of the shares (states,); what is rounding beside the largest so far is 0."""
        found = np.diag(self.squares)
        self.largest = max(self.largest, found.max())
        return np.where(found > 1e-11 * self.largest, found, 0.0)

    def of(self, patients: np.ndarray) -> np.ndarray:
        """The influence of some patients (patients, states)."""
        return self.own[patients] @ self.path + self.grown[self.state[patients]]

    def at_risk(self, time: float) -> np.ndarray:
        """Let come and leave who did before a time; how many are then in each state."""
        left, come = np.searchsorted(self.stops, time), np.searchsorted(self.starts, time)
        leaving, coming = self.leaving[self.left : left], self.coming[self.come : come]
        self.left, self.come = left, come
        leaving = leaving[self.present[leaving]]  # not who came meanwhile: nothing happened to them
        coming = coming[self.stays.stop[coming] >= time]
        self._put(leaving, False)
        self._put(coming, True)
        return self.counts

    def _put(self, rows: np.ndarray, present: bool) -> None:
        """Have the patients of some rows come into their states, or leave them."""
        here, patients, number = self.stays.here[rows], self.stays.patient[rows], len(self.counts)
        now, sign = self.of(patients), 1 if present else -1
        many = sign * self.stays.many[rows]
        np.add.at(self.inside, here, many[:, None] * now)
        self.counts += np.bincount(here, many, number)
        self.present[rows] = present
        self.state[patients] = here if present else number
        self.own[patients] = self._undone(now - self.grown[self.state[patients]])

    def _undone(self, influence: np.ndarray) -> np.ndarray:
        """What the path has made an influence (patients, states) of."""
        return np.linalg.solve(self.path.T, influence.T).T

    def move(self, change: np.ndarray, weight: np.ndarray, gone: np.ndarray) -> None:
        """What one time brings: all go as `change` (states, states) has it, and the rows `gone`."""
        step = np.eye(len(change)) + change
        expected = -weight[:, None] * change
        inside, self.inside = self.inside @ step, self.inside @ step
        self.inside += self.counts[:, None] * expected
        self.squares = step.T @ self.squares @ step + inside.T @ expected
        self.squares += expected.T @ self.inside
        self.path = self.path @ step
        self.grown[:-1] = self.grown[:-1] @ step + expected
        if np.linalg.cond(self.path) > self.WORN:
            self.own = self.of(np.arange(len(self.own)))
            self.path, self.grown = np.eye(len(change)), np.zeros_like(self.grown)
        here, there = self.stays.here[gone], self.stays.there[gone]
        patients, states = self.stays.patient[gone], np.eye(len(change))
        moved, many = weight[here, None] * (states[there] - states[here]), self.stays.many[gone]
        all_moved = many[:, None] * moved
        crossed = self.of(patients).T @ all_moved
        self.squares += crossed + crossed.T + moved.T @ all_moved
        np.add.at(self.inside, here, all_moved)
        self.own[patients] += self._undone(moved)
