"""All that R computed, beside what the book's estimators give, as on the methods page."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
import types
from itertools import chain

import nbformat
import numpy as np
import pandas as pd
import pytest
from conftest import often

from analysis import survival as estimators
from analysis.dataset import covariates
from analysis.dataset.model import ROOT
from analysis.methods import agreement as ag

FOLDER = ROOT / "tests" / "reference"
SHIPPED = [f"data/{name}" for name in ("blinatumomab", "bmt", "myeloid")]
# The methods are the same and sums run in another order. R's own Newton steps end up to 3e-9 early.
TOLERANCE = 1e-8


def of_the_page(*cells: str) -> dict:
    """What cells of the methods page hold that only says something."""
    names: dict = {}
    for cell in nbformat.read(ROOT / "book" / "methods.ipynb", as_version=4).cells:
        if cell.id in cells:
            exec(cell.source, names)
    return names


@pytest.fixture(scope="module")
def compared() -> pd.DataFrame:
    return ag.agreement("tests/reference", SHIPPED)


ESTIMATORS = sorted({*ag.OURS, *ag.OF_QUANTITY.values(), "followup"})


@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_every_value_equals_r(compared, estimator):
    rows = compared[compared["estimator"] == estimator]
    assert len(rows) > 0
    far = rows[rows["difference"] > TOLERANCE]
    assert far.empty, far.to_string()


def test_the_page_names_each_estimator(compared):
    assert set(of_the_page("what-is-compared")["ESTIMATORS"]) == set(ESTIMATORS)
    assert set(compared["estimator"]) == set(ESTIMATORS)


def test_all_of_rs_values_are_compared(compared):
    values = pd.concat([pd.read_csv(FOLDER / f"{n}.csv") for n in ("estimators", "ties")])
    pages = [pd.read_csv(FOLDER / f"{path.split('/')[1]}.csv") for path in SHIPPED]
    numbers = sum(page[["estimate", "lower", "upper"]].notna().sum().sum() for page in pages)
    of_pages = compared["theirs"].notna() & compared["case"].str.contains("figure|table")
    assert of_pages.sum() == numbers
    others = compared[~compared["case"].str.contains("figure|table")]
    assert len(others) == len(values) - len(ag.EXCEPTIONS)


@pytest.mark.parametrize("name", ["mgus2", "heart", "rotterdam", "gbsg", "big", "bmt", "myeloid"])
def test_each_dataset_is_there(compared, name):
    assert (compared["dataset"] == name).any()


def test_the_exception_is_rs_other_answer():
    """R's print() gives 3, the beginning of the stretch, where its quantile() gives 5."""
    values = pd.read_csv(FOLDER / "ties.csv")
    case = values[(values["dataset"] == "half_to_the_end") & (values["estimator"] == "median")]
    assert case.loc[case["quantity"] == "estimate", "value"].item() == 5
    rows = ag.small_cases(FOLDER)["half_to_the_end"]
    curve = estimators.survival_curve(rows["stop"], rows["event"])
    assert estimators.median(curve)[0] == 3


def test_each_small_case_has_a_rule_and_each_rule_a_case():
    rules = of_the_page("the-rules", "the-rules-of-edges")["RULES"]
    named = [case for _, cases in rules.values() for case in cases.split()]
    assert len(named) == len(set(named))
    assert set(named) == {*ag.small_cases(FOLDER), "big"}


def test_one_missing_value_is_a_difference():
    ours, theirs = pd.Series([np.nan, np.nan, 1.0]), pd.Series([np.nan, 1.0, np.nan])
    assert ag._difference(ours, theirs).tolist() == [0, np.inf, np.inf]


def test_the_difference_is_relative_and_absolute_near_zero():
    ours, theirs = pd.Series([101.0, 2e-5]), pd.Series([100.0, 1e-5])
    assert ag._difference(ours, theirs).tolist() == pytest.approx([0.01, 0.1])


# --- a broken estimator does not pass ------------------------------------------------------------

BROKEN = {
    "Breslow for Efron": (
        estimators,
        'ties: str = "efron") -> CoxFit',
        'ties: str = "breslow") -> CoxFit',
    ),
    "at risk from the day of entry on": (
        estimators,
        "self.come, self.gone = until[start], ",
        "self.come, self.gone = until[np.where(start > 0, start - 1, -1)], ",
    ),
    "not at risk on the day of exit": (
        estimators,
        "for p in (self.gone, self.come)",
        "for p in ((self.gone - 1).clip(min=0), self.come)",
    ),
    "a change counts on its day": (covariates, '<= rows["start"]) * 1.0', '<= rows["stop"]) * 1.0'),
    "plain limits for log-log": (
        estimators,
        "np.exp(-np.exp(centre + sign * width)) for",
        "survival + sign * Z * survival * error for",
    ),
    "limits before the first event": (
        estimators,
        "np.where(inside, limit, np.nan)",
        "np.where(survival < 1, limit, 1.0)",
    ),
    "the median at the beginning of a stretch": (
        estimators,
        "return float((reached.index[0] + below.index[0]) / 2)",
        "return float(reached.index[0])",
    ),
    "follow-up of those with the event": (
        estimators,
        "median(survival_curve(time, np.asarray(observed) == 0, entry, number))",
        "median(survival_curve(time, np.asarray(observed) > 0, entry, number))",
    ),
    "the mean's variance without squares": (estimators, "remaining**2 *", "remaining *"),
    "a rate's upper limit without its event": (estimators, "2 * events + 2", "2 * events"),
    "incidence on the survivors of the day": (
        estimators,
        "before = np.append(1.0, after[:-1])",
        "before = after",
    ),
    "incidence without its cross term": (estimators, " - 2 * incidence * product(0, 1)", ""),
    "incidence with limits of log F": (
        estimators,
        "half_width = Z * error / np.abs(inside * np.log(inside))",
        "half_width = Z * error / inside",
    ),
    "a score test that forgets who is kept": (
        estimators,
        "beta[inside] = fit.beta * self._scale[inside]",
        "pass",
    ),
    "proportionality against survival after": (
        estimators,
        "1 - np.append(1.0, survival[:-1])",
        "1 - survival",
    ),
    "proportionality as if the factors were free": (
        estimators,
        "squared - cross @ np.linalg.solve(likelihood.at(beta)[2], cross)",
        "squared",
    ),
    "times as the computer has them": (
        estimators,
        "new = gaps > _tolerance(ranked[gaps > 0])",
        "new = gaps > 0",
    ),
    "the tolerance of a day": (
        estimators,
        "new = gaps > _tolerance(ranked[gaps > 0])",
        "new = gaps > 1",
    ),
    "among a day from the start on": (
        covariates,
        "complete = entry < time",
        "complete, entry = ~np.isnan(entry), np.full_like(entry, -np.inf)",
    ),
    "the event at half time is late": (
        estimators,
        'late = beyond(pieces["stop"], time)',
        'late = pieces["stop"] >= time',
    ),
    "any end of the search is an estimate": (
        estimators,
        "return 4 * reach**2 * decrement <= least",
        "return True",
    ),
}


OF_PAGES = (["data/bmt"], ["data/blinatumomab"])  # the second has a factor among a day
# One of each kind of estimator: curves, incidences, rates, models, tests.
DAILY = (
    *("Breslow for Efron", "plain limits for log-log", "incidence without its cross term"),
    *("a rate's upper limit without its event", "proportionality against survival after"),
)


def test_each_mutation_names_one_place():
    for room, right, _ in BROKEN.values():
        assert inspect.getsource(holding(room, right)).count(right) == 1, right


@pytest.mark.parametrize("name", often(BROKEN, *DAILY))
def test_a_broken_estimator_differs_from_r(name, monkeypatch):
    break_it(*BROKEN[name], monkeypatch)
    without_the_big_case(monkeypatch)
    with np.errstate(all="ignore"):
        # The small samples first: most of what is broken differs there.
        parts = (ag.agreement_parts("tests/reference", data) for data in ([], *OF_PAGES))
        assert any(part["difference"].max() > 1e-6 for part in chain.from_iterable(parts))


def break_it(room: types.ModuleType, right: str, wrong: str, monkeypatch) -> None:
    """The one module of a room that has `right` in its source, with `wrong` in its place."""
    module = holding(room, right)
    source = inspect.getsource(module)
    assert source.count(right) == 1, "the mutation must name one place"
    broken = types.ModuleType(module.__name__)
    broken.__package__ = module.__package__
    exec(compile(source.replace(right, wrong), module.__file__, "exec"), vars(broken))
    put_in_place(module, broken, monkeypatch)


def holding(room: types.ModuleType, text: str) -> types.ModuleType:
    """The one module of a room that has a text in its source; a module is its own room."""
    for module in pkgutil.iter_modules(getattr(room, "__path__", [])):  # some wait to be asked for
        importlib.import_module(f"{room.__name__}.{module.name}")
    names = [name for name in sys.modules if f"{name}.".startswith(f"{room.__name__}.")]
    (found,) = [sys.modules[n] for n in names if text in inspect.getsource(sys.modules[n])]
    return found


def without_the_big_case(monkeypatch) -> None:
    """It takes as long as all others, and a broken estimator differs in those."""
    every = ag._small_samples

    def small(folder):
        return {key: sample for key, sample in every(folder).items() if key[0] != "big"}

    monkeypatch.setattr(ag, "_small_samples", small)


def put_in_place(module, broken, monkeypatch) -> None:
    """All functions and classes of `module` by broken ones, wherever the package imports them."""
    whole = [m for n, m in sys.modules.items() if n.split(".")[0] == "analysis"]
    for name, own in vars(module).items():
        defined = inspect.isfunction(own) or inspect.isclass(own)
        if defined and own.__module__ == module.__name__:
            for user in whole:
                if vars(user).get(name) is own:
                    monkeypatch.setattr(user, name, vars(broken)[name])
