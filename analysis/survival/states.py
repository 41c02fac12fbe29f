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
    rows = rows.sort_values(["patient", "start"], kind="stable")
    start, stop = one_time(rows["start"], rows["stop"])
    codes, states = pd.factorize(pd.concat([rows["from"], rows["to"]]))
    here, there = codes[: len(rows)], codes[len(rows) :]
    patient = pd.factorize(rows["patient"])[0]
    goes_on = _goes_on(patient, start, stop, here, there)
    moves = (there >= 0) & (there != here)
    sets = RiskSets(start, stop)
    shares, variances = _occupation(sets.times, patient, start, stop, here, there, moves)
    left = np.isin(np.arange(len(states)), here[moves])
    found = {}
    for code, state in enumerate(states):
        inside, share, se = here == code, shares[:, code], np.sqrt(variances[:, code])
        lower, upper = log_log_limits(share, se)
        columns = {
            "at_risk": sets.among(start[inside], stop[inside]),
            "events": sets.count(stop[moves & (there == code)]),
            "other_events": sets.count(stop[moves & inside]),
            "censored": sets.count(stop[inside & ~moves & ~goes_on]),
            "share": share,
            "unsettled": shares[:, left].sum(axis=1),
        }
        columns |= {"se": se, "lower": lower, "upper": upper}
        found[state] = pd.DataFrame(columns, index=sets.index)
    return found


def _goes_on(
    patient: np.ndarray, start: np.ndarray, stop: np.ndarray, here: np.ndarray, there: np.ndarray
) -> np.ndarray:
    """Which rows, sorted by patient and start, are followed by one that begins where they end."""
    if not (start < stop).all():
        raise ValueError("a row that does not stop after its start")
    same = patient[1:] == patient[:-1]
    state = np.where(there < 0, here, there)
    if (same & ((start[1:] < stop[:-1]) | (here[1:] != state[:-1]))).any():
        raise ValueError("a row that does not go on from where the patient's last one ended")
    return np.append(same & (start[1:] == stop[:-1]), False)


def _occupation(
    times: np.ndarray,
    patient: np.ndarray,
    start: np.ndarray,
    stop: np.ndarray,
    here: np.ndarray,
    there: np.ndarray,
    moves: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Shares and their variances after each time (times, states).

    A patient's influence on the shares goes on with those who move, and grows by what the patient
    does beyond what is expected in the state they are in; its squares add up over patients.
    """
    number = int(max(here.max(), there.max())) + 1
    changes = np.unique(stop[moves])
    first = changes[0] if len(changes) else stop.max()
    begins = (start < first) & (first <= stop)
    share = np.bincount(here[begins], minlength=number) / begins.sum()
    influence = np.zeros((patient.max() + 1, number))
    influence[patient[begins]] = (np.eye(number)[here[begins]] - share) / begins.sum()
    shares = np.tile(share, (len(times), 1))
    variances = np.tile((influence**2).sum(axis=0), (len(times), 1))
    for time in changes:
        at_risk = (start < time) & (time <= stop)
        gone = moves & (stop == time)
        in_state = np.maximum(np.bincount(here[at_risk], minlength=number), 1)
        change = np.zeros((number, number))
        np.add.at(change, (here[gone], there[gone]), 1 / in_state[here[gone]])
        change -= np.diag(change.sum(axis=1))
        weight = share / in_state
        influence += influence @ change
        influence[patient[at_risk]] -= (weight[:, None] * change)[here[at_risk]]
        influence[patient[gone], there[gone]] += weight[here[gone]]
        influence[patient[gone], here[gone]] -= weight[here[gone]]
        share = share + share @ change
        later = np.searchsorted(times, time)
        shares[later:], variances[later:] = share, (influence**2).sum(axis=0)
    return shares, variances
