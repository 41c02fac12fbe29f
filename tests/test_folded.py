"""Rows that stand for several patients alike: all numbers are those of the patients one by one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from analysis import survival
from analysis.survival import likelihood
from analysis.survival.times import NUMBER

RANDOM = np.random.default_rng(20)
N = 300


def few_days(late: bool = False) -> pd.DataFrame:
    """Patients on few days, so that many are alike, each with a number of times."""
    made = pd.DataFrame(
        {
            "entry": RANDOM.choice([-np.inf, 0.0, 1.0, 3.0], N) if late else -np.inf,
            "time": RANDOM.integers(4, 12, N).astype(float),
            "event": RANDOM.integers(0, 3, N),
            "group": RANDOM.choice(["a", "b", "c"], N),
            "layer": RANDOM.choice(["x", "y"], N),
            "x": RANDOM.integers(0, 3, N).astype(float),
        }
    )
    return made.assign(number=RANDOM.integers(1, 6, N))


def one_by_one(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.loc[rows.index.repeat(rows["number"])].reset_index(drop=True)


def numbers(found: object) -> np.ndarray:
    """Every number of what an estimator returns."""
    if isinstance(found, dict):
        return np.concatenate([numbers(part) for part in found.values()])
    if isinstance(found, survival.CoxFit):
        return np.append(numbers(found.estimates), [found.log_likelihood, found.n, found.events])
    if isinstance(found, survival.Comparison | survival.Rate):
        found = list(vars(found).values())
    return np.asarray(found, dtype=float).ravel()


def model_rows(rows: pd.DataFrame, number: bool, column: str = "x") -> pd.DataFrame:
    made = rows.assign(start=rows["entry"], stop=rows["time"], patient=range(len(rows)))
    made = made.assign(event=(made["event"] == 1).astype(int), x_squared=made["x"] ** 2)
    return made.rename(columns={"number": NUMBER}) if number else made


def stays(rows: pd.DataFrame) -> pd.DataFrame:
    """Two stays of those who have the first event: until then, and one day longer."""
    first = rows.assign(patient=rows.index, start=rows["entry"], stop=rows["time"])
    first = first.assign(**{"from": "free", "to": rows["event"].map({1: "ill", 2: "dead"})})
    ill = first[first["event"] == 1]
    later = ill.assign(start=ill["time"], stop=ill["time"] + 1 + ill["x"], **{"from": "ill"})
    return pd.concat([first, later.assign(to=later["layer"].map({"x": "dead"}))])


def of(rows: pd.DataFrame, number: bool) -> tuple:
    given = (rows[name].to_numpy() for name in ("time", "event", "entry"))
    return *given, rows["number"].to_numpy() if number else None


def curve(rows: pd.DataFrame, number: bool) -> pd.DataFrame:
    time, event, entry, many = of(rows, number)
    return survival.survival_curve(time, event == 1, entry, many)


def incidence(rows: pd.DataFrame, number: bool) -> pd.DataFrame:
    time, event, entry, many = of(rows, number)
    return survival.cumulative_incidence(time, event, 1, entry, many)


def follow_up(rows: pd.DataFrame, number: bool) -> tuple:
    time, event, entry, many = of(rows, number)
    return survival.follow_up(time, event, entry, many)


def rate(rows: pd.DataFrame, number: bool) -> survival.Rate:
    time, event, entry, many = of(rows, number)
    return survival.event_rate(time, event, 5.0, entry, many)


def logrank(rows: pd.DataFrame, number: bool) -> survival.Comparison:
    time, event, entry, many = of(rows, number)
    layer = rows["layer"].to_numpy()
    return survival.logrank(time, event == 1, rows["group"].to_numpy(), layer, entry, many)


def gray(rows: pd.DataFrame, number: bool) -> survival.Comparison:
    time, event, _, many = of(rows, number)
    return survival.gray(time, event, 1, rows["group"].to_numpy(), None, many)


def pairs(rows: pd.DataFrame, number: bool) -> pd.DataFrame:
    time, event, entry, many = of(rows, number)
    rows = rows.sort_values("group", kind="stable")
    time, event, entry, many = of(rows, number)
    return survival.pairwise(time, event == 1, rows["group"].to_numpy(), None, entry, many)


def fine_gray(rows: pd.DataFrame, number: bool) -> survival.CoxFit:
    time, event, entry, many = of(rows, number)
    entry = None if np.isneginf(entry).all() else entry
    return survival.fine_gray(time, event, 1, rows[["x"]], entry, many)


def states(rows: pd.DataFrame, number: bool) -> dict:
    made = stays(rows)
    return survival.state_shares(made.rename(columns={"number": NUMBER}) if number else made)


def cox(rows: pd.DataFrame, number: bool) -> survival.CoxFit:
    return survival.cox(model_rows(rows, number), ["x", "x_squared"])


def breslow_in_strata(rows: pd.DataFrame, number: bool) -> survival.CoxFit:
    rows = model_rows(rows, number).rename(columns={"layer": "stratum"})
    return survival.cox(rows, ["x"], "breslow")


def nested(rows: pd.DataFrame, number: bool) -> survival.Comparison:
    return survival.likelihood_ratio(model_rows(rows, number), ["x"], ["x_squared"])


def proportional(rows: pd.DataFrame, number: bool) -> pd.DataFrame:
    return survival.proportional_hazards_test(model_rows(rows, number), ["x", "x_squared"])


def score(rows: pd.DataFrame, number: bool) -> float:
    return survival.score_p(model_rows(rows, number), ["x"], "x_squared")


ESTIMATORS: tuple[Callable, ...] = (
    *(curve, incidence, follow_up, rate, logrank, gray, pairs, fine_gray, states),
    *(cox, breslow_in_strata, nested, proportional, score),
)


@pytest.mark.parametrize("late", [False, True], ids=["from the start", "late"])
@pytest.mark.parametrize("estimate", ESTIMATORS, ids=lambda estimate: estimate.__name__)
def test_a_number_of_patients_is_as_so_many_rows(estimate, late):
    rows = few_days(late)
    found = numbers(estimate(rows, True))
    expected = numbers(estimate(one_by_one(rows), False))
    assert np.isfinite(expected).any()
    np.testing.assert_allclose(found, expected, rtol=1e-8, atol=1e-12)
    assert not np.allclose(found, numbers(estimate(rows, False)), equal_nan=True)


@pytest.mark.parametrize("late", [False, True], ids=["from the start", "late"])
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_rows_that_say_the_same_are_one_and_the_likelihood_stays(ties, late):
    rows = model_rows(pd.concat([few_days(late) for _ in range(9)]), number=True)
    whole = survival.PartialLikelihood(rows, rows[["x", "x_squared"]].to_numpy(), ties)
    folded, beta = whole.folded(), np.array([0.3, -0.1])
    assert 2 * len(folded.x) < len(whole.x)
    assert folded.number.sum() == rows[NUMBER].sum()
    clock = whole.clock()
    for count in (1.0, clock):
        for found, expected in zip(folded.at(beta, count), whole.at(beta, count), strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-10)
    np.testing.assert_allclose(folded.clock(), clock, rtol=1e-12)
    np.testing.assert_allclose(folded.value(beta), whole.value(beta), rtol=1e-12)


def test_tied_deaths_in_pieces_are_those_at_once(monkeypatch):
    rows = model_rows(few_days(late=True), number=True)
    x, beta = rows[["x", "x_squared"]].to_numpy(), np.array([0.3, -0.1])
    whole = survival.PartialLikelihood(rows, x)
    monkeypatch.setattr(likelihood, "PIECE", 100)
    parted = survival.PartialLikelihood(rows, x)
    assert parted.deaths is None and len([*parted._in_pieces()]) > 1
    for found, expected in zip(parted.at(beta), whole.at(beta), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_rows_that_differ_are_not_folded():
    rows = model_rows(one_by_one(few_days()), number=False)
    rows = rows.assign(x=RANDOM.normal(size=len(rows)))
    whole = survival.PartialLikelihood(rows, rows[["x"]].to_numpy())
    assert whole.folded() is whole
