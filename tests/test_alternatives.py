"""What other programs do by default: their rule, applied to the patients, gives what they give."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from conftest import often
from inprocess import Page, of
from test_dataset import HEAD, field, folder

from analysis import survival as est
from analysis.dataset.covariates import covariate_rows
from analysis.dataset.endpoints import answerable, endpoint
from analysis.dataset.model import ROOT, Dataset, load
from analysis.page.formats import listed
from analysis.page.rows import COLUMNS
from analysis.study.models import factors_of

R = pd.read_csv(ROOT / "tests" / "reference" / "defaults.csv")
DATASETS = ("blinatumomab", "bmt", "myeloid")


@dataclass(frozen=True)
class Difference:
    """A line of the table, and its numbers: estimate and limits here and there."""

    step: str
    program: str
    number: str
    here: str
    there: str
    values: tuple[list[float], list[float]]


def page_of(dataset: Dataset) -> tuple[Page, dict]:
    """The methods page of a dataset as far as R's values, and its names until the next one."""
    return of("methods", dataset, until="values-of-r")


def differences_of(dataset: Dataset) -> dict[str, Difference]:
    """The last difference of each step."""
    page, names = page_of(dataset)
    return differences(page, names["lines"])


def differences(page: Page, lines: list) -> dict[str, Difference]:
    """The same of a page that has run, and the lines of its table."""
    rows = page.numbers.set_index(["quantity", "group"])[["estimate", "lower", "upper"]]
    found = {}
    for line in lines:
        group = f"{line.heading} ({line.cells[0]}): {line.cells[1]}"
        keys = [(side, group) for side in ("here", "there")]
        values = tuple(rows.loc[key].to_list() if key in rows.index else [] for key in keys)
        found[line.heading] = Difference(line.heading, *line.cells, values)
    return found


@pytest.fixture(scope="module", params=often(DATASETS, "blinatumomab"))
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def dataset(name):
    return load(f"data/{name}")


@pytest.fixture(scope="module")
def shown(dataset) -> tuple[Page, list]:
    """The page, and the lines of its table."""
    page, names = page_of(dataset)
    return page, list(names["lines"])


@pytest.fixture(scope="module")
def found(shown) -> dict[str, Difference]:
    return differences(*shown)


def of_r(name: str, step: str) -> dict[str, float]:
    rows = R[(R["dataset"] == name) & (R["step"] == step)]
    assert len(rows) > 0
    return dict(zip(rows["number"], rows["value"], strict=True))


@pytest.mark.parametrize("scale", ["S", "F"])
def test_limits_on_a_log_scale_are_rs_default(name, found, scale):
    difference = found[f"Limits on the scale of log {scale}"]
    expected = of_r(name, f"log {scale}")
    there = dict(zip(("estimate", "lower", "upper"), difference.values[1], strict=True))
    assert there == pytest.approx(expected, rel=1e-8, nan_ok=True)
    assert difference.here != difference.there


def test_selection_by_aic_ends_where_rs_step_does(name, dataset, shown):
    kept = of_r(name, "AIC")
    lines = [line for line in shown[1] if line.heading.startswith("Selection by AIC")]
    assert len(lines) == len({key.partition(":")[0] for key in kept}) > 0
    for line in lines:
        title = line.cells[1].removeprefix("Factors kept, ")
        (question,) = (q for q in answerable(dataset, "os", "rfs") if q.title.lower() == title)
        factors = factors_of(dataset, question)
        expected = [f.label for f in factors if kept.get(f"{question.name}:{f.column}") == 1]
        assert line.cells[3] == (listed(expected) or "none")


def test_aic_drops_noise_and_takes_nothing_where_nothing_helps(tmp_path):
    _, names = page_of(small(tmp_path, ["a,,100,yes", "b,,200,yes"]))
    lowest_aic = names["lowest_aic"]
    rng = np.random.default_rng(2)
    signal, noise = rng.normal(size=(2, 300))
    rows = pd.DataFrame(
        {
            "patient": range(300),
            "start": -np.inf,
            "stop": rng.exponential(np.exp(-signal)),
            "event": 1,
            "signal": signal,
            "noise": noise,
        }
    )
    # One degree of freedom is worth 2 in twice the log likelihood.
    both, one = est.cox(rows, ["noise", "signal"]), est.cox(rows, ["signal"])
    expected = ["signal"] if 2 * (both.log_likelihood - one.log_likelihood) < 2 else None
    assert expected is not None, "the noise must be noise for this test"
    assert lowest_aic(rows, ["noise", "signal"]) == expected
    alone = est.cox(rows, ["noise"]).log_likelihood - est.null_log_likelihood(rows)
    assert 2 * alone < 2
    assert lowest_aic(rows, ["noise"]) == []


def test_the_final_model_in_its_own_patients_is_rs(name, found):
    here, there = found["Final model in its own complete patients"].values
    assert any(there[0] == pytest.approx(v) for v in of_r(name, "own complete patients").values())


def test_the_ratio_that_moves_most_is_shown(name, found):
    """Of the paper's cohort, CR/CRh moves from 0.43 to 0.55 when everybody known in it counts."""
    if name != "blinatumomab":
        return
    difference = found["Final model in its own complete patients"]
    assert "144 and 146 patients" in difference.number
    assert round(difference.values[1][0], 2) == 0.55


def test_lifelines_time_dependent_model_agrees(found):
    here, there = found["Time-dependent Cox model"].values
    assert there == pytest.approx(here, rel=1e-5)


def test_every_difference_has_numbers_for_the_results_file(shown):
    page, lines = shown
    assert list(page.numbers.columns) == COLUMNS
    assert set(page.numbers["quantity"]) == {"here", "there"}
    said = {f"{line.heading} ({line.cells[0]}): {line.cells[1]}" for line in lines}
    assert set(page.numbers["group"]) == said
    assert len(lines) >= 15


# --- each rule on patients of its own ------------------------------------------------------------

FIELDS = [
    field("patient_id"),
    field("hsct_day", "number"),
    field("last_contact_day", "number"),
    field("died", enum=["yes", "no"]),
]


def small(tmp_path, rows: list[str], factors=()):
    csv = "patient_id,hsct_day,last_contact_day,died\n" + "\n".join(rows) + "\n"
    return load(folder(tmp_path, csv=csv, fields=FIELDS, analysis={"factors": list(factors)}))


def test_a_median_on_a_stretch(tmp_path):
    data = small(tmp_path, ["a,,100,yes", "b,,200,yes", "c,,300,yes", "d,,400,yes"])
    here, there = differences_of(data)["Median where the curve is exactly one half"].values
    assert here[0] * 30.4375 == pytest.approx(250)
    assert there[0] * 30.4375 == pytest.approx(200)


def test_events_on_day_0_are_lost_elsewhere(tmp_path):
    data = small(tmp_path, ["a,,0,yes", "b,,200,yes", "c,,0,no"])
    difference = differences_of(data)["Start–stop rows from 0 to 0 are left out"]
    assert (difference.here, difference.there) == ("2", "1")


def test_a_change_on_the_day_of_death_counts_after_it(tmp_path):
    """All deaths on the day of transplant: before it here, after it there."""
    factor = {"column": "hsct_day", "label": "HSCT", "kind": "postbaseline"}
    rows = [
        f"p{i},{50 + i if i % 2 else ''},{50 + i},{'yes' if i % 3 else 'no'}" for i in range(20)
    ]
    rows += [f"q{i},{20 + i},{60 + i},{'yes' if i % 2 else 'no'}" for i in range(20)]
    data = small(tmp_path, rows, [factor])
    here, there = differences_of(data)["An event on the day of a change counts after it"].values
    assert there[0] > here[0]
    question = endpoint(data, "os")
    own = est.cox(covariate_rows(data, question, data.factors), ["hsct_day"])
    assert own.summary()["hazard_ratio"].item() == pytest.approx(here[0])


def test_separation_is_counted(tmp_path):
    factor = {"column": "hsct_day", "label": "HSCT", "kind": "postbaseline"}
    data = small(tmp_path, ["a,,100,yes", "b,10,200,no", "c,10,300,no"], [factor])
    found = differences_of(data)["A factor that separates the events gets a number"]
    assert found.here == "1"


def test_random_ties_depend_on_the_seed_and_leave_numpys_generator_alone():
    data = load("data/blinatumomab")
    rough = data.patients.assign(response_day=data.patients["response_day"] * 0)
    for column in ("relapse_day", "last_contact_day", "last_assessment_day"):
        rough[column] = np.ceil((data.patients[column] + 1) / 182) * 182
    rough = dataclasses.replace(data, patients=rough)
    before = np.random.get_state()[1].copy()
    difference = differences_of(rough)["Ties broken at random"]
    assert (np.random.get_state()[1] == before).all()
    _, low, high = difference.values[1]
    assert high - low > 0.0005
    assert "five seeds" in difference.there


def test_nobody_relapsed_leaves_the_incidences_out(tmp_path):
    rows = "".join(f"p{i},I,40,10,,{100 + 90 * i},yes\n" for i in range(9))
    steps = set(differences_of(load(folder(tmp_path, csv=HEAD + rows))))
    assert not any("log F" in step or "Aalen" in step or "random" in step for step in steps)
    assert "Limits on the scale of log S" in steps


def test_a_half_is_rounded_to_even(tmp_path):
    """One of 16 is 6.25 %: 6.3 here, 6.2 in R."""
    fields = [field("patient_id"), field("stage", enum=["I", "II"]), *FIELDS[2:]]
    rows = "".join(f"p{i},{'I' if i else 'II'},{i + 9},no\n" for i in range(16))
    table = {"column": "stage", "label": "Stage", "kind": "baseline", "levels": ["I", "II"]}
    data = load(
        folder(
            tmp_path,
            csv="patient_id,stage,last_contact_day,died\n" + rows,
            fields=fields,
            analysis={"characteristics": [table]},
        )
    )
    assert int(differences_of(data)["An exact half goes to the even digit"].there) >= 1
