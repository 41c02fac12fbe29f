"""Endpoints, groups and models that a dataset declares: what they mean, and what is wrong."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from test_checks import errors
from test_dataset import field, folder

from analysis.dataset.covariates import covariate_rows
from analysis.dataset.endpoints import answerable, endpoint
from analysis.dataset.model import NotRecorded, load
from analysis.study.plain_curve import _happened

DAYS = ["recurrence_day", "second_day", "referral_day", "start_day", "seen_day", "last_contact_day"]
FIELDS = [
    field("patient_id", "string"),
    field("arm", enum=["Observation", "B"]),
    field("site", "string"),
    field("age", "integer"),
    *(field(name, "number") for name in DAYS),
    field("died", "string"),
]
TTR = {
    "name": "ttr",
    "title": "Time to recurrence",
    "event": "recurrence",
    "events": ["recurrence_day"],
    "competing": ["died"],
    "competing_event": "death without recurrence",
}
DFS = {"name": "dfs", "title": "Disease-free survival", "events": ["recurrence_day", "died"]}
COMPARE = {"column": "arm", "reference": "Observation"}
MODEL = {"endpoint": "dfs", "title": "Adjusted", "factors": ["arm", "age"]}


def made(tmp_path, *rows, endpoints=(TTR, DFS), without=(), **analysis):
    """A folder of rows given as dicts; what is not given is blank."""
    fields = [entry for entry in FIELDS if entry["name"] not in without]
    names = [entry["name"] for entry in fields]
    given = {"arm": "B", "site": "x", "age": 50, "last_contact_day": 100, "died": "no"}
    lines = [",".join(names)]
    for number, row in enumerate(rows or ({},)):
        row = {"patient_id": f"p{number}", **given, **row}
        lines.append(",".join(str(row.get(name, "")) for name in names))
    analysis = {"time_origin": "surgery", "endpoints": list(endpoints), **analysis}
    return folder(tmp_path, csv="\n".join(lines) + "\n", fields=fields, analysis=analysis)


def told(question):
    """Time, event and entry of each patient who is at risk."""
    return question.data[["time", "event", "entry"]].to_numpy().tolist()


def test_the_first_event_counts_and_the_event_itself_on_a_day_of_both(tmp_path):
    data = load(
        made(
            tmp_path,
            {"recurrence_day": 40},
            {"recurrence_day": 100, "died": "yes"},
            {"died": "yes"},
            {},
        )
    )
    events = {name: endpoint(data, name).observed.tolist() for name in ("ttr", "dfs")}
    assert events == {"ttr": [1, 1, 2, 0], "dfs": [1, 1, 1, 0]}
    assert endpoint(data, "ttr").time.tolist() == [40, 100, 100, 100]
    assert [question.name for question in answerable(data)] == ["ttr", "dfs"]


def test_events_are_named_by_their_columns_where_the_dataset_does_not(tmp_path):
    own = {"name": "own", "title": "Own", "events": ["second_day"], "competing": ["died"]}
    data = load(made(tmp_path, endpoints=(DFS, own)))
    assert endpoint(data, "dfs").event == "recurrence_day or death"
    assert endpoint(data, "own").competing == "death"


def test_a_clock_that_starts_later_has_only_those_who_reach_it(tmp_path):
    own = {
        "name": "own",
        "title": "Own",
        "from": "start_day",
        "after": ["second_day"],
        "not_before": ["recurrence_day"],
        "until": "seen_day",
        "events": ["died"],
    }
    data = load(
        made(
            tmp_path,
            {"start_day": 10, "second_day": 10, "seen_day": 60},
            {"start_day": 10, "second_day": 5, "died": "yes", "seen_day": 60},
            {"start_day": 10, "second_day": 11},  # not yet
            {"start_day": 10, "second_day": 5, "recurrence_day": 10},  # on the day, it has come
            {"second_day": 5},
            {"start_day": 10, "second_day": 5},  # seen on no day of its own
            endpoints=(own,),
        )
    )
    question = endpoint(data, "own")
    assert told(question) == [[50, 0, -np.inf], [90, 1, -np.inf], [90, 0, -np.inf]]
    assert (question.origin, question.never) == ("start_day", 0)


def test_an_event_before_the_clock_starts_leaves_nothing_to_ask(tmp_path):
    own = {"name": "own", "title": "Own", "from": "start_day", "events": ["second_day"]}
    rows = {"start_day": 20, "second_day": 10}, {"start_day": 20, "second_day": 20}
    question = endpoint(load(made(tmp_path, *rows, endpoints=(own,))), "own")
    assert (told(question), question.never) == ([[0, 1, -np.inf]], 1)


def test_who_enters_late_is_at_risk_only_after_it(tmp_path):
    data = load(
        made(
            tmp_path,
            {"referral_day": 30},
            {"referral_day": 100},  # leaves on the day of entry
            {"referral_day": 50, "recurrence_day": 40},  # gone before it
            {"referral_day": 0, "recurrence_day": 70},
            {},  # of whom nobody knows since when
            endpoints=({**DFS, "entry": "referral_day"},),
            factors=[{"column": "age", "kind": "baseline"}],
        )
    )
    question = endpoint(data, "dfs")
    assert (told(question), question.never) == ([[100, 0, 30], [70, 1, 0]], 2)
    rows = covariate_rows(data, question, data.factors)
    assert rows[["start", "stop"]].to_numpy().tolist() == [[30, 100], [0, 70]]
    assert data.factors[0].label == "age"


def test_those_chosen_by_a_day_enter_on_it(tmp_path):
    among = {**DFS, "among": "second_day"}
    rows = {"second_day": 30}, {"second_day": 0, "recurrence_day": 0}, {}
    question = endpoint(load(made(tmp_path, *rows, endpoints=(among,))), "dfs")
    assert told(question) == [[100, 0, 30], [0, 1, -np.inf]]


def test_a_dataset_without_deaths_has_its_endpoints(tmp_path):
    own = {"name": "own", "title": "Own", "events": ["recurrence_day"]}
    data = load(made(tmp_path, {"recurrence_day": 5}, endpoints=(own,), without=("died",)))
    assert endpoint(data, "own").observed.tolist() == [1]
    with pytest.raises(NotRecorded, match="no endpoint that is called os"):
        endpoint(data, "os")


def test_nobody_at_risk_is_no_page(tmp_path):
    late = {**DFS, "entry": "referral_day"}
    data = load(made(tmp_path, {"referral_day": 100}, endpoints=(late,)))
    with pytest.raises(NotRecorded, match="no patient of this dataset is ever at risk"):
        endpoint(data, "dfs")


def test_days_that_count_from_birth_are_no_dates(tmp_path):
    rows = [{"referral_day": 22_000 + n, "last_contact_day": 37_000 + n} for n in range(3)]
    own = {**DFS, "entry": "referral_day"}
    assert errors(made(tmp_path / "late", *rows, endpoints=(own,))) == []
    assert any("spreadsheet" in line for line in errors(made(tmp_path / "not", *rows)))


def test_groups_and_models_are_read(tmp_path):
    data = load(
        made(
            tmp_path,
            {},
            {"arm": "Observation"},
            compare={**COMPARE, "randomised": True, "strata": ["site"]},
            models=[MODEL],
            unit="years",
            factors=[{"column": "arm", "kind": "baseline", "reference": "Observation"}],
        )
    )
    assert (data.compare.column, data.compare.randomised, data.compare.strata) == (
        "arm",
        True,
        ("site",),
    )
    assert data.models[0].factors == ("arm", "age")
    assert data.settings.unit == "years"
    assert data.factors[0].levels == ("Observation", "B")
    assert data.factors[0].endpoints == ("dfs",)  # something competes in the other


@pytest.mark.parametrize(
    ("analysis", "line"),
    [
        (
            {"endpoints": [{**DFS, "events": ["recurence_day"]}]},
            'analysis.endpoints 1, events: found "recurence_day", expected a column that fields '
            "describes; did you mean recurrence_day?",
        ),
        (
            {"endpoints": [DFS, {**TTR, "name": "dfs"}]},
            'analysis.endpoints 1, name: found "dfs", expected a name that no other endpoint has',
        ),
        (
            {"endpoints": [{**DFS, "name": "methods"}]},
            'analysis.endpoints 1: found "methods", expected another name: the book has a page of '
            "this name",
        ),
        *(
            (
                {"endpoints": [{**DFS, "name": name}]},
                f'analysis.endpoints 1: found "{name}", expected another name: the book has a page '
                "of this name",
            )
            for name in ("search", "genindex", "404", "agreement", "printed", "cohort", "_static")
        ),
        (
            {"characteristics": [{"column": "died", "kind": "baseline"}]},
            "analysis.characteristics 1, column: found died, expected a column that describes "
            "patients",
        ),
        (
            {"endpoints": [{**DFS, "from": "site"}]},
            'analysis.endpoints 1, from: found "site", expected a column of days, of type integer '
            "or number",
        ),
        (
            {"endpoints": [{**DFS, "entry": "died"}]},
            'analysis.endpoints 1, entry: found "died", expected a column of days',
        ),
        (
            {"endpoints": [{**TTR, "competing": []}]},
            "analysis.endpoints 1, competing: found an empty list, expected a list of 1 or more",
        ),
        (
            {"endpoints": [{**DFS, "from": "recurrence_day"}]},
            'analysis.endpoints 1, from: found "recurrence_day" in events too, expected another '
            "day: nobody is at risk after it",
        ),
        (
            {"endpoints": [{**TTR, "competing": ["second_day"], "among": "second_day"}]},
            'analysis.endpoints 1, among: found "second_day" in competing too, expected another '
            "day: nobody is at risk after it",
        ),
        (
            {"endpoints": [{**DFS, "among": "arm"}]},
            'analysis.endpoints 1, among: found "arm", expected a column of yes and no, or of days',
        ),
        (
            {"characteristics": [{"column": "age", "kind": "baseline", "among": "site"}]},
            'analysis.characteristics 1, among: found "site", expected a column of yes and no, or '
            "of days",
        ),
        (
            {
                "endpoints": [{**DFS, "among": "age"}],
                "factors": [{"column": "age", "kind": "baseline"}],
            },
            'analysis.endpoints 1, among: found "age", expected a column of yes and no, or of days',
        ),
        (
            {"endpoints": [{**TTR, "competing": ["recurrence_day"]}]},
            'analysis.endpoints 1: found "recurrence_day" in both, expected it in events or in '
            "competing",
        ),
        (
            {"compare": {"column": "arms"}},
            'analysis.compare, column: found "arms", expected a column that fields describes; did '
            "you mean arm?",
        ),
        (
            {"compare": {**COMPARE, "reference": "A"}},
            'analysis.compare, reference: found "A", expected one of Observation, B',
        ),
        (
            {"compare": {**COMPARE, "strata": ["died"]}},
            'analysis.compare, strata: found "died", expected a column of levels that are known on '
            "day 0",
        ),
        (
            {"models": [{**MODEL, "endpoint": "os"}]},
            'analysis.models 1, endpoint: found "os", expected one of the endpoints: ttr, dfs',
        ),
        (
            {"models": [{**MODEL, "title": "a:b"}]},
            'analysis.models 1, title: found "a:b", expected a title without | = :',
        ),
        (
            {"models": [{**MODEL, "factors": ["weight"]}]},
            'analysis.models 1, factors: found "weight", expected a column that fields describes',
        ),
        (
            {"factors": [{"column": "recurrence_day", "kind": "baseline"}]},
            "analysis.factors 1, column recurrence_day: expected another column: this one holds "
            "the outcome, or who it is",
        ),
        *(
            (
                {"models": [{**MODEL, "factors": ["arm", column]}]},
                f'analysis.models 1, factors: found "{column}", expected a column that is known '
                "on day 0, or a factor of kind postbaseline",
            )
            for column in ("patient_id", "died", "last_contact_day", "recurrence_day", "seen_day")
        ),
        (
            {"factors": [{"column": "age", "kind": "baseline", "endpoints": ["os"]}]},
            'analysis.factors 1, endpoints: found "os", expected one of the endpoints: ttr, dfs',
        ),
        (
            {
                "factors": [
                    {"column": "arm", "kind": "baseline", "form": "spline", "reference": "B"}
                ]
            },
            "analysis.factors 1, column arm: found form spline, expected it only where the factor "
            "is a number",
        ),
    ],
)
def test_a_wrong_declaration_has_its_line(tmp_path, analysis, line):
    assert f"datapackage.json, {line}" in errors(made(tmp_path, **analysis))


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"title": 5}, "analysis.endpoints 1, title: found 5, expected a text"),
        (
            {"name": "DFS Disease"},
            'analysis.endpoints 1, name: found "DFS Disease", expected small letters, digits and '
            "underscores, at most 40",
        ),
        ({"until": 5}, "analysis.endpoints 1, until: found 5, expected a text"),
        (
            {"name": "ttr"},
            'analysis.endpoints {}, name: found "ttr", expected a name that no other endpoint has',
        ),
    ],
)
def test_one_fault_of_an_endpoint_is_no_fault_of_what_refers_to_it(tmp_path, wrong, line):
    factor = {"column": "age", "kind": "baseline", "endpoints": ["dfs"]}
    asked = wrong.get("name", "dfs") if " " in wrong.get("name", "") else "dfs"
    broken = [{**DFS, **wrong}, TTR]
    models = [{**MODEL, "endpoint": asked}]
    found = errors(
        made(
            tmp_path,
            {"referral_day": 40_000, "last_contact_day": 100},
            endpoints=[*broken, {**TTR, "name": "late", "entry": "referral_day"}],
            models=models,
            factors=[{**factor, "endpoints": [asked]}],
        )
    )
    lines = [line.format(number) for number in (1, 2)] if "{}" in line else [line]
    assert found == [f"datapackage.json, {line}" for line in lines]


def test_what_the_entry_of_a_broken_endpoint_says_of_days_still_holds(tmp_path):
    late = {**TTR, "entry": "referral_day", "title": ""}
    old = {"referral_day": 37_000, "last_contact_day": 38_000}
    assert errors(made(tmp_path, old, endpoints=[DFS, late])) == [
        'datapackage.json, analysis.endpoints 2, title: found "", expected a text that is not blank'
    ]


@pytest.mark.parametrize(
    ("analysis", "place"),
    [
        ({"compare": {"column": "age"}}, "analysis.compare, column"),
        (
            {"factors": [{"column": "age", "kind": "baseline", "reference": "40"}]},
            "analysis.factors 1, reference",
        ),
        ({"compare": {**COMPARE, "strata": ["age"]}}, "analysis.compare, strata"),
        (
            {"models": [{**MODEL, "factors": ["arm"], "strata": ["age"]}]},
            "analysis.models 1, strata",
        ),
    ],
)
def test_a_number_of_many_values_makes_no_groups(tmp_path, analysis, place):
    arms = ("Observation", "B")
    patients = [{"age": 40 + number, "arm": arms[number % 2]} for number in range(13)]
    (line,) = errors(made(tmp_path, *patients, **analysis))
    assert line == (
        f'datapackage.json, {place}: found 13 different values of "age", expected a column of at '
        "most 12 levels"
    )


@pytest.mark.parametrize(
    ("analysis", "found"),
    [
        ({"compare": {"column": "site", "reference": "placebo"}}, "placebo"),
        ({"compare": {"column": "age", "reference": 9}}, "9"),
        ({"compare": COMPARE}, "Observation"),  # declared, and of nobody
        (
            {"factors": [{"column": "site", "kind": "baseline", "reference": "welll"}]},
            "welll",
        ),
    ],
)
def test_a_level_that_nobody_has_is_told_with_those_found(tmp_path, analysis, found):
    rows = {"age": 50, "site": "x"}, {"age": "51", "site": "y"}
    (line,) = errors(made(tmp_path, *rows, **analysis))
    known = {"age": "50, 51", "site": "x, y", "arm": "B"}
    column = next(name for name in known if f'"{name}"' in str(analysis).replace("'", '"'))
    assert f'found "{found}", expected a level that a patient has: {known[column]}' in line


def test_without_a_reference_the_first_level_that_somebody_has_is_it(tmp_path):
    data = load(made(tmp_path, {}, compare={"column": "arm"}))
    assert (data.compared().reference, data.levels("arm")[0]) == ("B", "Observation")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("boolean", ("true", "false")),
        ("boolean", ("1", "0")),
        ("string", ("Yes", "NO")),
        ("string", ("YES", "no")),
    ],
)
def test_those_asked_are_those_of_whom_a_column_says_yes(tmp_path, kind, words):
    fields = [{**entry, "type": kind} if entry["name"] == "site" else entry for entry in FIELDS]
    place = made(
        tmp_path, *({"site": word} for word in words), endpoints=[{**DFS, "among": "site"}]
    )
    package = json.loads((place / "datapackage.json").read_text("utf-8"))
    package["resources"][0]["schema"]["fields"] = fields
    (place / "datapackage.json").write_text(json.dumps(package), "utf-8")
    data = load(place)
    assert endpoint(data, "dfs").data.index.tolist() == [0]
    patients = pd.read_csv(place / "patients.csv")
    kept = patients[eval("patients['site']" + _happened(data, "site"))]
    assert kept["patient_id"].tolist() == ["p0"]


def test_where_yes_is_said_of_nobody_the_reason_says_so(tmp_path):
    data = load(made(tmp_path, {"site": "no"}, endpoints=[{**DFS, "among": "site"}]))
    with pytest.raises(
        NotRecorded, match=r"no patient of this dataset is among those asked \(site\)"
    ):
        endpoint(data, "dfs")


def test_a_blank_or_late_event_is_a_problem_of_the_table(tmp_path):
    lines = errors(made(tmp_path, {"recurrence_day": 101}, {"recurrence_day": "-1"}))
    assert lines == [
        'patients.csv, row 3, column recurrence_day: found "-1", expected 0 or more',
        "patients.csv, row 2, column recurrence_day: found 101, expected a day not after "
        "last_contact_day",
    ]
