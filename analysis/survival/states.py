"""Multi-state data: who is in which state over time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from .curves import RiskSets, log_log_limits
from .times import one_time


def state_shares(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Aalen-Johansen shares of the patients in each state (Andersen et al. 1993, section IV.4).

    `rows` are start-stop, a row for each stay: `patient`, `start` (-inf: from the beginning),
    `stop`, `from`, and `to`, the state they come to on `stop`, missing where they are only seen
    until then. At risk of leaving a state at t are those in it with start < t <= stop. The shares
    begin as those of who is at risk at the first change. Patients may return, and come late.

    Returns a frame for each state, in the order in which rows name them, indexed by 0 and the
    distinct times of start and stop: `at_risk` (in it just before the time), `events` (who come to
    it), `other_events` (who leave it), `censored`, `share`, `unsettled` (the shares of all states
    that somebody leaves), `se`, `lower`, `upper`. The standard errors are those of the
    infinitesimal jackknife over patients, as in R's `survfit`; the limits are log-log. Raises
    ValueError where a patient's row does not go on from where the one before it ended.
    """
    stays = _Stays(rows)
    here, moves, sets = stays.here, stays.moves, RiskSets(stays.stop, stays.start)
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
        self.moves = (self.there >= 0) & (self.there != self.here)
        same = self.patient[1:] == self.patient[:-1]
        state = np.where(self.moves, self.there, self.here)
        overlaps, jumps = self.start[1:] < self.stop[:-1], self.here[1:] != state[:-1]
        if (same & (overlaps | jumps)).any() or not (self.start < self.stop).all():
            raise ValueError("a row that does not go on from where the patient's last one ended")
        self.goes_on = np.append(same & (self.start[1:] == self.stop[:-1]), False)

    def occupation(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Shares and their variances after each time (times, states).

        A patient's influence on the shares goes on with those who move, and grows by what the
        patient does beyond what is expected in the state they are in; its squares add up.
        """
        number, here, there, patient = len(self.states), self.here, self.there, self.patient
        changes = np.unique(self.stop[self.moves])
        begins = self._at_risk(changes[0] if len(changes) else self.stop.max())
        share = np.bincount(here[begins], minlength=number) / begins.sum()
        influence = np.zeros((patient.max() + 1, number))
        influence[patient[begins]] = (np.eye(number)[here[begins]] - share) / begins.sum()
        shares = np.tile(share, (len(times), 1))
        variances = np.tile((influence**2).sum(axis=0), (len(times), 1))
        for time in changes:
            at_risk, gone = self._at_risk(time), self.moves & (self.stop == time)
            weight = 1 / np.maximum(np.bincount(here[at_risk], minlength=number), 1)
            change = np.zeros((number, number))
            np.add.at(change, (here[gone], there[gone]), weight[here[gone]])
            change -= np.diag(change.sum(axis=1))
            weight *= share
            influence += influence @ change
            influence[patient[at_risk]] -= (weight[:, None] * change)[here[at_risk]]
            influence[patient[gone], there[gone]] += weight[here[gone]]
            influence[patient[gone], here[gone]] -= weight[here[gone]]
            share = share + share @ change
            later = np.searchsorted(times, time)
            shares[later:], variances[later:] = share, (influence**2).sum(axis=0)
        return shares, variances

    def _at_risk(self, time: float) -> np.ndarray:
        return (self.start < time) & (time <= self.stop)
