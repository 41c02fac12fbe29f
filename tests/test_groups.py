"""Left truncation and comparisons of groups against R's, frozen by tests/reference/groups.R."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pytest
from test_agreement import break_it

from analysis import survival as est
from analysis.dataset.model import ROOT

REFERENCE = ROOT / "tests" / "reference"
TOLERANCE = 1e-8  # relative, and absolute below 1e-4


# --- the samples, as groups.R makes them ---------------------------------------------------------


def source(name: str) -> pd.DataFrame:
    return pd.read_csv(ROOT / "data" / name / "source.csv")


def large_samples() -> dict[str, pd.DataFrame]:
    """A row a patient: entry, time, event (0, 1, 2), group, stratum and x."""
    channing = pd.read_csv(REFERENCE / "data" / "channing.csv")
    channing = channing[channing["ageentry"] < channing["age"]]
    colon = pd.read_csv(REFERENCE / "data" / "colon.csv")
    bmt, myeloid = source("bmt"), source("myeloid")
    arms = dict(
        entry=-np.inf,
        group=myeloid["trt"],
        stratum=myeloid["flt3"],
        x=myeloid["sex"].eq("f") * 1,
    )
    came = myeloid["crtime"].notna()
    return {
        "channing": pd.DataFrame(
            dict(
                entry=channing["ageentry"],
                time=channing["age"],
                event=channing["death"] * (1 + channing["obs"] % 2),
                group=channing["gender"],
                stratum=channing["ageentry"].ge(900) * 1,
                x=(channing["ageentry"] - 900) / 100,
            )
        ),
        "colon": pd.DataFrame(
            dict(
                entry=-np.inf,
                time=colon["time"],
                event=colon["status"],
                group=colon["rx"],
                stratum=colon["extent"],
                x=colon["age"],
                nodes=colon["node4"],
            )
        ),
        "bmt": pd.DataFrame(
            dict(
                entry=-np.inf,
                time=bmt["t2"],
                event=(2 * bmt["d1"]).mask(bmt["d2"] == 1, 1),
                group=bmt["group"],
                stratum=bmt["z10"],
                x=bmt["z1"],
            )
        ),
        "myeloid": pd.DataFrame(dict(time=myeloid["futime"], event=myeloid["death"], **arms)),
        "remission": pd.DataFrame(
            dict(
                time=myeloid["futime"].astype(float).mask(came, myeloid["crtime"]),
                event=(2 * myeloid["death"]).mask(came, 1),
                **arms,
            )
        ),
    }


def small_samples() -> dict[str, pd.DataFrame]:
    rows = pd.read_csv(REFERENCE / "data" / "groups.csv", float_precision="round_trip")
    rows = rows.fillna({"entry": -np.inf})
    return {str(name): group.reset_index(drop=True) for name, group in rows.groupby("case")}


SAMPLES = {**large_samples(), **small_samples()}
VALUES = pd.read_csv(REFERENCE / "groups.csv", float_precision="round_trip")
NO_TIME = -1.0  # for a blank `at`, which would not equal itself
Values = Iterator[tuple[tuple[str, float], float]]  # by quantity and time


def sample(name: str, estimator: str) -> pd.DataFrame:
    """A sample by its name, or one of its groups by the name and the group's; or its states."""
    if estimator == "states":
        return STAYS[name]
    name, _, group = name.partition(" ")
    rows = SAMPLES[name]
    return rows[rows["group"].astype(str) == group] if group else rows


# --- left truncation -----------------------------------------------------------------------------


def _curve(rows: pd.DataFrame) -> pd.DataFrame:
    return est.survival_curve(rows["time"], rows["event"] > 0, rows["entry"])


def _kaplan_meier(rows: pd.DataFrame, times: list[float]) -> Values:
    curve = _curve(rows)
    for time, row in est.at(curve, times).iterrows():
        for column in ("survival", "lower", "upper", "at_risk"):
            yield (column, time), row[column]
        yield ("se", time), est.survival_at(curve, time)[1]


def _three(values: tuple[float, float, float]) -> Values:
    for part, value in zip(("estimate", "lower", "upper"), values, strict=True):
        yield (part, NO_TIME), value


def _follow_up(rows: pd.DataFrame) -> tuple[float, float, float]:
    return est.follow_up(rows["time"], rows["event"] > 0, rows["entry"])


def _restricted_mean(rows: pd.DataFrame, times: list[float]) -> Values:
    for time in times:
        mean, error = est.restricted_mean(_curve(rows), time)
        yield ("estimate", time), mean
        yield ("se", time), error


def _aalen_johansen(rows: pd.DataFrame, times: list[float]) -> Values:
    for cause in (1, 2):
        curve = est.cumulative_incidence(rows["time"], rows["event"], cause, rows["entry"])
        for time, row in est.at(curve, times).iterrows():
            for column in ("incidence", "se", "lower", "upper"):
                yield (f"{column}_{cause}", time), row[column]


def _event_rate(rows: pd.DataFrame, times: list[float]) -> Values:
    for time in times:
        rate = est.event_rate(rows["time"], rows["event"] > 0, time, rows["entry"])
        for part in ("estimate", "lower", "upper"):
            yield (part, time), getattr(rate, part)


# --- tests of groups -----------------------------------------------------------------------------


def _test(case: str, test: est.Comparison) -> Values:
    for part, value in vars(test).items():
        yield (f"{case} {part}", NO_TIME), value


def _logrank(rows: pd.DataFrame, times: list[float]) -> Values:
    told = rows["time"], rows["event"] > 0, rows["group"]
    yield from _test("plain", est.logrank(*told))
    yield from _test("stratified", est.logrank(*told, rows["stratum"]))
    yield from _test("delayed", est.logrank(*told, rows["stratum"], rows["entry"]))


def _gray(rows: pd.DataFrame, times: list[float]) -> Values:
    for cause in (1, 2):
        told = rows["time"], rows["event"], cause, rows["group"]
        yield from _test(f"{cause}", est.gray(*told))
        yield from _test(f"{cause} stratified", est.gray(*told, rows["stratum"]))


def _pairwise(rows: pd.DataFrame, times: list[float]) -> Values:
    found = est.pairwise(rows["time"], rows["event"] > 0, rows["group"], rows["stratum"])
    for (one, other), row in found.iterrows():
        for part, value in row.items():
            yield (f"{one} {other} {part}", NO_TIME), value


# --- Cox models by strata ------------------------------------------------------------------------


def model(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """Start-stop rows with a stratum, and the columns of all groups but the first."""
    labels = sorted(rows["group"].unique())[1:]
    groups = {f"g{i}": rows["group"].eq(label) * 1.0 for i, label in enumerate(labels, start=1)}
    start, stop = est.one_time(rows["entry"], rows["time"])
    found = rows.assign(patient=range(len(rows)), start=start, stop=stop, **groups)
    return found.assign(event=rows["event"].gt(0) * 1, x=rows["x"].astype(float)), list(groups)


def by_strata(values: Callable[[pd.DataFrame, list[str]], Iterator[tuple[str, float]]]) -> Callable:
    def of_both(rows: pd.DataFrame, times: list[float]) -> Values:
        rows, groups = model(rows)
        for case, own in ("plain", rows.drop(columns="stratum")), ("stratified", rows):
            for quantity, value in values(own, groups):
                yield (f"{case} {quantity}", NO_TIME), value

    return of_both


def _cox(ties: str) -> Callable:
    @by_strata
    def values(rows: pd.DataFrame, groups: list[str]) -> Iterator[tuple[str, float]]:
        fit = est.cox(rows, [*groups, "x"], ties)
        for name, row in fit.estimates.assign(p=fit.summary()["p"]).iterrows():
            yield from ((f"{name} {part}", row[part]) for part in ("beta", "se", "p"))
        yield "loglik", fit.log_likelihood
        yield "null", est.null_log_likelihood(rows, ties)

    return values


@by_strata
def _score_test(rows: pd.DataFrame, groups: list[str]) -> Iterator[tuple[str, float]]:
    yield "p", est.score_p(rows, groups, "x")


@by_strata
def _schoenfeld(rows: pd.DataFrame, groups: list[str]) -> Iterator[tuple[str, float]]:
    test = est.proportional_hazards_test(rows, [*groups, "x"], {"group": groups})
    for name, row in test.iterrows():
        yield from ((f"{name} {part}", row[part]) for part in ("chi2", "p"))


@by_strata
def _likelihood_ratio(rows: pd.DataFrame, groups: list[str]) -> Iterator[tuple[str, float]]:
    products = {f"{name}:x": rows[name] * rows["x"] for name in groups}
    interaction = est.likelihood_ratio(rows.assign(**products), [*groups, "x"], list(products))
    alone = est.likelihood_ratio(rows, [], groups)
    for case, test in ("interaction", interaction), ("alone", alone):
        yield from ((f"{case} {part}", value) for part, value in vars(test).items())


# --- Fine and Gray with late entries -------------------------------------------------------------


def _fine_gray(rows: pd.DataFrame, times: list[float]) -> Values:
    """Each censoring half a unit later: R orders those of a day of events otherwise."""
    told, groups = model(rows)
    time = rows["time"] + 0.5 * (rows["event"] == 0)
    for cause in (1, 2):
        x = told[[*groups, "x"]]
        fit = est.fine_gray(time, rows["event"], cause, x, rows["entry"])
        for name, row in fit.estimates.iterrows():
            yield from (((f"{cause} {name} {part}", NO_TIME), row[part]) for part in ("beta", "se"))
        yield (f"{cause} loglik", NO_TIME), fit.log_likelihood


# --- splines -------------------------------------------------------------------------------------


def _spline(rows: pd.DataFrame, times: list[float]) -> Values:
    """Here `at` is a value of x."""
    rows, _ = model(rows)
    for number in (3, 4):
        knots = est.knots(rows["x"], number)
        for i, knot in enumerate(knots, start=1):
            yield (f"{number} knot {i}", NO_TIME), knot
        for x, bends in zip(times, est.spline(times, knots)[:, 1:], strict=True):
            yield from (((f"{number} bend {i}", x), b) for i, b in enumerate(bends, start=1))
        basis = pd.DataFrame(est.spline(rows["x"], knots), index=rows.index).add_prefix("basis")
        whole = rows.drop(columns="stratum").join(basis)
        yield (f"{number} loglik", NO_TIME), est.cox(whole, list(basis)).log_likelihood


# --- states --------------------------------------------------------------------------------------


def stays() -> dict[str, pd.DataFrame]:
    """Rows of states: small cases; the waiting and the transplanted; gammopathy to death."""
    small = pd.read_csv(REFERENCE / "data" / "states.csv", float_precision="round_trip")
    found = {str(name): rows for name, rows in small.fillna({"start": -np.inf}).groupby("case")}
    heart = pd.read_csv(REFERENCE / "data" / "heart.csv", float_precision="round_trip")
    last = ~heart["id"].duplicated(keep="last")
    found["heart"] = pd.DataFrame(
        {
            "patient": heart["id"],
            "start": heart["start"].replace(0, -np.inf),
            "stop": heart["stop"],
            "from": heart["transplant"].map({0: "waiting", 1: "transplanted"}),
            "to": heart["event"].map({0: None, 1: "dead"}).where(last, "transplanted"),
        }
    )
    mgus2 = pd.read_csv(REFERENCE / "data" / "mgus2.csv")
    came = mgus2["pstat"] == 1
    day = mgus2["ptime"].astype(float).where(~came | (mgus2["ptime"] < mgus2["futime"]))
    day = day.fillna(mgus2["ptime"] - 0.1)
    early = pd.DataFrame({"patient": mgus2["id"], "start": -np.inf, "from": "mgus"})
    end = mgus2["death"].map({0: None, 1: "death"})
    early = early.assign(stop=day.where(came, mgus2["futime"]), to=end.mask(came, "pcm"))
    late = pd.DataFrame({"patient": mgus2["id"], "start": day, "stop": mgus2["futime"]})
    late = late.assign(**{"from": "pcm", "to": end})[came]
    found["mgus2"] = pd.concat([early, late], ignore_index=True)
    return found


def _states(rows: pd.DataFrame, times: list[float]) -> Values:
    for state, curve in est.state_shares(rows).items():
        for time, row in est.at(curve, times).iterrows():
            for part in ("at_risk", "share", "se", "lower", "upper"):
                yield (f"{state} {part}", time), row[part]


OURS: dict[str, Callable[[pd.DataFrame, list[float]], Values]] = {
    "kaplan_meier": _kaplan_meier,
    "median": lambda rows, times: _three(est.median(_curve(rows))),
    "reverse_kaplan_meier": lambda rows, times: _three(_follow_up(rows)),
    "restricted_mean": _restricted_mean,
    "aalen_johansen": _aalen_johansen,
    "event_rate": _event_rate,
    "logrank": _logrank,
    "gray": _gray,
    "pairwise": _pairwise,
    "cox": _cox("efron"),
    "cox_breslow": _cox("breslow"),
    "score_test": _score_test,
    "schoenfeld": _schoenfeld,
    "likelihood_ratio": _likelihood_ratio,
    "fine_gray": _fine_gray,
    "spline": _spline,
    "states": _states,
}


STAYS = stays()
for name in est.__all__:
    getattr(est, name)  # or a module that is not asked for yet could not be broken


# --- beside R ------------------------------------------------------------------------------------


def compared(estimator: str) -> pd.DataFrame:
    """R's rows of an estimator with ours and their relative difference beside them."""
    found = []
    for name, rows in VALUES[VALUES["estimator"] == estimator].groupby("sample", sort=False):
        values = dict(
            OURS[estimator](sample(name, estimator), sorted(rows["at"].dropna().unique()))
        )
        keys = zip(rows["quantity"], rows["at"].fillna(NO_TIME), strict=True)
        found.append(rows.assign(ours=[float(values[key]) for key in keys]))
    found = pd.concat(found, ignore_index=True)
    ours, theirs = found["ours"], found["value"]
    apart = (ours - theirs).abs() / theirs.abs().clip(lower=1e-4)
    missing = ours.isna() & theirs.isna()
    return found.assign(difference=apart.mask(missing | (ours == theirs), 0.0).fillna(np.inf))


@pytest.mark.parametrize("estimator", OURS)
def test_every_value_equals_r(estimator):
    rows = compared(estimator)
    far = rows[rows["difference"] > TOLERANCE]
    assert len(rows) and far.empty, far.to_string()


def test_every_estimator_of_r_is_compared():
    assert set(OURS) == set(VALUES["estimator"])


# --- a broken estimator does not pass ------------------------------------------------------------

BROKEN = {
    "at risk on the day of entry": (
        "kaplan_meier",
        "staying -= self.coming(who)",
        "staying -= np.append(self.coming(who)[1:], 0)",
    ),
    "a curve that rises from 0 again": (
        "kaplan_meier",
        "steps = np.where(events > 0, ",
        "steps = np.where((events > 0) & (staying > 0), ",
    ),
    "follow-up without the entries": (
        "reverse_kaplan_meier",
        "median(survival_curve(time, np.asarray(observed) == 0, entry, number))",
        "median(survival_curve(time, np.asarray(observed) == 0))",
    ),
    "exposure before the entry": (
        "event_rate",
        "begin = np.maximum(entry, start)",
        "begin = np.full(len(time), start)",
    ),
    "paid from the start on": (
        "aalen_johansen",
        "paid = toll[:, entered]",
        "paid = 0 * toll[:, entered]",
    ),
    "variance without those still at risk": (
        "aalen_johansen",
        "return gone + still * toll[i] * toll[k] - crossed + present(paid[i] * paid[k])",
        "return gone",
    ),
    "influence on what can no longer come": (
        "aalen_johansen",
        "(survivors > 0) & (after > 0)",
        "survivors > 0",
    ),
    "ties as if each event were alone": (
        "logrank",
        "spread = all_events * (everyone - all_events) / np.maximum(everyone - 1, 1)",
        "spread = all_events",
    ),
    "strata as one": ("logrank", "first = layers * stride", "first = 0 * layers"),
    "log-rank without the entries": (
        "logrank",
        "_tables(time, entry, event * 1, group, strata, number)",
        "_tables(time, None, event * 1, group, strata, number)",
    ),
    "a degree of freedom for each group": (
        "logrank",
        "df = int(varies.sum())",
        "df = len(values) - 1",
    ),
    "the risk set of the cause for the subdistribution": (
        "gray",
        "known = weight * _just_before(1 - share)",
        "known = at_risk",
    ),
    "scores that do not know the common incidence": ("gray", "later = moved", "later = 0 * moved"),
    "Gray's ties as if each event were alone": ("gray", "(number - 1).clip(min=0)", "0"),
    "the other cause's ties likewise": (
        "gray",
        "(others - 1).clip(min=0)",
        "0",
    ),
    "risk sets across strata": ("cox", "[0] * len(times)", "[0] * 0"),
    "strata side by side": ("score_test", "[0] * len(times)", "[0]"),
    "a clock within each stratum": (
        "schoenfeld",
        "PartialLikelihood(rows.drop(columns=STRATUM), likelihood.x)",
        "PartialLikelihood(rows, likelihood.x)",
    ),
    "a term as if its columns were apart": (
        "schoenfeld",
        "np.linalg.solve(added[np.ix_(own, own)], score[own])",
        "(score[own] / np.diag(added)[own])",
    ),
    "half a likelihood ratio": ("likelihood_ratio", "2 * (wide - narrow)", "wide - narrow"),
    "bends over the range of two knots": ("spline", "end - knots[0]", "end - last"),
    "a spline that is not straight at its end": ("spline", "(share - 1)", "share"),
    "shares that nobody leaves": ("states", "change -= np.diag(change.sum(axis=1))", "pass"),
    "errors of those at risk alone": ("states", "step.T @ self.squares @ step", "self.squares"),
    "errors without what is expected": ("states", "= -weight[:, None] * change", "= 0 * change"),
    "first shares as if they were known": (
        "states",
        "first = np.eye(number)[stays.here[begins]] - share",
        "first = np.zeros((begins.sum(), number))",
    ),
    "first shares of those who begin": (
        "states",
        "begins = (self.start < begin) & (begin <= self.stop)",
        "begins = self.start == self.start.min()",
    ),
    "at risk of leaving on the day of coming": (
        "states",
        "np.searchsorted(self.starts, time)",
        'np.searchsorted(self.starts, time, side="right")',
    ),
    "as if all had come": ("fine_gray", "before = before * _come_before", "_ = _come_before"),
    "come by the day itself": (
        "fine_gray",
        "return shares[np.searchsorted(entries, days)]",
        'return shares[np.searchsorted(entries, days, side="right")]',
    ),
    "late entries always there": (
        "fine_gray",
        "times, (start, stop) = places(begin, time)",
        "times, (start, stop) = places(begin - np.inf, time)",
    ),
    "errors of deaths before one came": (
        "fine_gray",
        "until[gone] - until[come]",
        "until[gone]",
    ),
    "the censoring as if nobody were late": (
        "fine_gray",
        "_before(begin, self.days, many) - _before(time",
        "many.sum() - _before(time",
    ),
    "Bonferroni for Holm": ("pairwise", "np.arange(len(order), 0, -1)", "len(order)"),
    "Holm without order": (
        "pairwise",
        "np.maximum.accumulate(p[order] * times)",
        "(p[order] * times)",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_estimator_differs_from_r(name, monkeypatch):
    estimator, right, wrong = BROKEN[name]
    break_it(est, right, wrong, monkeypatch)
    with np.errstate(all="ignore"):
        assert compared(estimator)["difference"].max() > 1e-6


# --- what no sample has --------------------------------------------------------------------------

NONE = (np.nan, 0, np.nan)  # no test


def values(test: est.Comparison) -> pytest.approx:
    return pytest.approx((test.chi2, test.df, test.p), nan_ok=True)


def test_log_rank_by_hand_with_a_tie():
    """Day 1: one of two in a among four, with another of b; day 2: one of a among two."""
    found = est.logrank([1, 2, 1, 2], [1, 1, 1, 0], ["a", "a", "b", "b"])
    variance = 2 * (2 / 4) * (2 / 4) * (4 - 2) / (4 - 1) + (1 / 2) * (1 / 2)
    assert (found.chi2, found.df) == (pytest.approx((2 - 1 - 0.5) ** 2 / variance), 1)


@pytest.mark.parametrize("test", ["logrank", "gray"])
def test_without_two_groups_or_an_event_there_is_no_test(test):
    def compared(time, event, group):
        cause = (1,) if test == "gray" else ()
        return getattr(est, test)(time, event, *cause, group)

    assert values(compared([], [], [])) == NONE
    assert values(compared([1, 2], [1, 1], ["a", "a"])) == NONE
    assert values(compared([1, 2], [0, 0], ["a", "b"])) == NONE
    assert values(compared([1, 2], [1, 1], ["a", None])) == NONE
    assert values(compared([1, 2], [1, 1], [None, None])) == NONE
    assert values(compared([1, 2, 3], [0, 1, 1], ["a", "b", "b"])) == NONE
    assert values(compared([5, 5, 5], [1, 1, 1], ["a", "b", "b"])) == NONE  # all on one day


@pytest.mark.parametrize("test", ["logrank", "gray"])
def test_who_lacks_a_label_is_left_out(test):
    rng = np.random.default_rng(1)
    cause = (1,) if test == "gray" else ()
    time, event = rng.integers(0, 9, 60), rng.integers(0, 2, 60)
    group = np.where(rng.random(60) < 0.2, None, rng.choice(["x", "y", "z"], 60))
    strata = np.where(rng.random(60) < 0.2, np.nan, rng.integers(0, 2, 60))
    known = pd.notna(group) & pd.notna(strata)
    compare = getattr(est, test)
    whole = compare(time, event, *cause, group, strata)
    assert values(compare(time[known], event[known], *cause, group[known], strata[known])) == (
        whole.chi2,
        whole.df,
        whole.p,
    )


def test_groups_that_never_meet_are_not_compared():
    """a with b in one stratum, c with d in the other: two degrees of freedom, not three."""
    rng = np.random.default_rng(2)
    time, event, half = rng.integers(1, 30, 80), rng.integers(0, 3, 80), rng.integers(0, 2, 80)
    strata = np.repeat([0, 1], 40)
    group = 2 * strata + half
    for compare in (
        lambda who: est.logrank(time[who], event[who], group[who], strata[who]),
        lambda who: est.gray(time[who], event[who], 1, group[who], strata[who]),
    ):
        parts = [compare(strata == stratum) for stratum in (0, 1)]
        whole = compare(strata >= 0)
        assert whole.df == 2
        assert whole.chi2 == pytest.approx(sum(part.chi2 for part in parts))


@pytest.mark.parametrize("test", ["logrank", "gray"])
def test_names_order_and_unit_do_not_matter(test):
    rng = np.random.default_rng(3)
    cause = (1,) if test == "gray" else ()
    time, event, group = rng.integers(1, 20, 90), rng.integers(0, 3, 90), rng.integers(0, 4, 90)
    order = rng.permutation(90)
    compare = getattr(est, test)
    one = compare(time, event, *cause, group)
    names = np.array(["d", "a", "c", "b"])[group]
    again = compare(time[order] * 30.4375, event[order], *cause, names[order])
    assert values(again) == (one.chi2, 3, one.p)


def test_gray_without_censoring_or_another_cause_is_nearly_log_rank():
    """Then the subdistribution is the distribution; the variances still differ a little."""
    rng = np.random.default_rng(4)
    time, group = rng.permutation(400) + 1, rng.integers(0, 3, 400)
    one, other = est.gray(time, time > 0, 1, group), est.logrank(time, time > 0, group)
    assert one.chi2 == pytest.approx(other.chi2, rel=0.05)


def test_holm_by_hand():
    """The smallest three times, the next twice, the largest no less; a missing one stays."""
    found = est.holm([0.04, np.nan, 0.01, 0.03])
    assert found.tolist() == pytest.approx([0.06, np.nan, 0.03, 0.06], nan_ok=True)
    assert est.holm([0.6, 0.7]).tolist() == [1, 1]
    assert est.holm([]).tolist() == []


def test_one_group_has_no_pairs():
    assert est.pairwise([1, 2], [1, 1], ["a", "a"]).empty


def test_a_spline_is_straight_beyond_its_knots_and_a_line_where_it_is_x_alone():
    ends = np.array([0, 2, 4, 6, 30, 35, 40, 45])
    basis = est.spline(ends, [10.0, 15, 22, 30])
    assert (basis[:, 0] == ends).all()
    assert (basis[:4, 1:] == 0).all()
    assert np.diff(basis[4:], 2, axis=0) == pytest.approx(0, abs=1e-12)
    # Twice the unit, twice each column.
    np.testing.assert_allclose(est.spline(2.0 * ends, [20.0, 30, 44, 60]), 2 * basis)


def test_knots_that_are_one_value_are_refused():
    with pytest.raises(ValueError, match="4 different knots"):
        est.knots([0] * 50 + [1, 2, 3])


def life(*stays: tuple) -> pd.DataFrame:
    return pd.DataFrame(stays, columns=["patient", "start", "stop", "from", "to"])


WELL = life(
    (1, -np.inf, 2, "well", "ill"), (1, 2, 5, "ill", "well"), (1, 5, 9, "well", None),
    (2, -np.inf, 4, "well", "dead"), (3, -np.inf, 7, "well", "ill"), (3, 7, 8, "ill", "dead"),
)  # fmt: skip


def test_shares_of_states_by_hand():
    found = est.state_shares(WELL)
    assert list(found) == ["well", "ill", "dead"]
    well, ill, dead = (curve["share"].to_dict() for curve in found.values())
    third = pytest.approx(1 / 3)
    assert ill == {0: 0, 2: third, 4: third, 5: 0, 7: third, 8: 0, 9: 0}
    assert dead == {0: 0, 2: 0, 4: third, 5: third, 7: third, 8: pytest.approx(2 / 3), 9: dead[8]}
    assert well[9] == third
    assert found["well"]["at_risk"].tolist() == [3, 3, 2, 1, 2, 1, 1]
    assert found["ill"]["events"].tolist() == [0, 1, 0, 0, 1, 0, 0]
    assert found["ill"]["other_events"].tolist() == [0, 0, 0, 1, 0, 1, 0]
    assert found["well"]["censored"].tolist() == [0, 0, 0, 0, 0, 0, 1]
    assert found["well"].loc[0, ["lower", "upper"]].isna().all()


def test_beyond_the_end_shares_are_known_where_nobody_can_move():
    assert est.at(est.state_shares(WELL)["dead"], [9, 10])["share"].isna().tolist() == [False, True]
    settled = est.state_shares(life((1, 0, 3, "well", "dead"), (2, 0, 4, "well", "dead")))
    assert est.at(settled["dead"], [99])["share"].item() == 1
    assert settled["dead"]["se"].iloc[-1] == pytest.approx(0)


def test_two_ends_of_one_state_are_competing_risks():
    """Share and error are those of the cumulative incidence, late entries or not."""
    rng = np.random.default_rng(5)
    time, event = rng.integers(3, 20, 120), rng.integers(0, 3, 120)
    entry = np.where(rng.random(120) < 0.5, -np.inf, rng.integers(0, 3, 120))
    rows = pd.DataFrame({"patient": range(120), "start": entry, "stop": time, "from": "alive"})
    found = est.state_shares(rows.assign(to=np.array([None, "one", "two"])[event]))
    for cause, state in enumerate(("one", "two"), start=1):
        curve = est.cumulative_incidence(time, event, cause, entry)
        np.testing.assert_allclose(found[state]["share"], curve["incidence"], rtol=1e-12)
        np.testing.assert_allclose(found[state]["se"], curve["se"], rtol=1e-9, atol=1e-12)


def test_shares_add_up_to_one_in_any_order_of_rows_and_with_rows_cut_in_two():
    rows = STAYS["mgus2"]
    whole = est.state_shares(rows)
    assert sum(curve["share"] for curve in whole.values()).to_numpy() == pytest.approx(1)
    long = (rows["start"] < 50) & (rows["stop"] > 50)
    early, late = rows[long].assign(stop=50.0, to=None), rows[long].assign(start=50.0)
    pieces = pd.concat([late, rows[~long], early], ignore_index=True)
    again = est.state_shares(pieces.sample(frac=1, random_state=1))
    for state, curve in whole.items():
        pd.testing.assert_frame_equal(again[state].loc[curve.index], curve)


def test_before_the_first_change_the_error_is_that_of_a_share():
    """R counts there without who leaves before the change, and with it from the change on."""
    rows = life(
        *((i, -np.inf, 2, "a", None) for i in range(3)), *((i, 0, 5, "b", "c") for i in (7, 8))
    )
    rows = pd.concat([rows, life((9, -np.inf, 6, "a", "c"))])
    found = est.state_shares(rows)["b"].loc[2]
    assert found["share"] == pytest.approx(2 / 3)
    assert found["se"] == pytest.approx(np.sqrt(2 / 3 * 1 / 3 / 3))


def test_without_a_change_shares_stay_as_they_are():
    found = est.state_shares(life((1, 0, 3, "a", None), (2, 0, 5, "b", None), (3, 0, 5, "b", None)))
    assert found["a"]["share"].tolist() == [0, 0, 0]  # of those followed to the end
    assert found["b"]["share"].tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    "second",
    [(1, 3, 5, "well", None), (1, 2, 5, "ill", None), (1, 3, 3, "ill", None)],
)
def test_a_row_that_does_not_go_on_is_refused(second):
    with pytest.raises(ValueError, match="a row that does not"):
        est.state_shares(life((1, 0, 3, "well", "ill"), second))


def test_late_entries_without_competing_events_are_a_cox_model_with_breslow_ties():
    rng = np.random.default_rng(6)
    time, event = rng.integers(3, 20, 150), rng.integers(0, 2, 150)
    entry = np.where(rng.random(150) < 0.5, -np.inf, rng.integers(0, 3, 150))
    x = pd.DataFrame({"x": rng.integers(0, 2, 150) * 1.0, "z": rng.normal(size=150)})
    found = est.fine_gray(time, event, 1, x, entry)
    rows = x.assign(patient=range(150), start=entry, stop=time * 1.0, event=event)
    expected = est.cox(rows, ["x", "z"], "breslow")
    assert found.estimates["beta"].tolist() == pytest.approx(expected.estimates["beta"].tolist())
    assert found.log_likelihood == pytest.approx(expected.log_likelihood)


def test_entries_from_the_start_leave_fine_gray_as_it_is():
    rows = SAMPLES["bmt"]
    told = rows["time"], rows["event"], 1, rows[["x"]]
    one, other = est.fine_gray(*told), est.fine_gray(*told, rows["entry"])
    pd.testing.assert_frame_equal(one.estimates, other.estimates)


def test_a_share_of_nothing_does_not_matter_after_the_last_event():
    """All are gone or censored by day 5; who comes later has the other event, and keeps nobody."""
    time, event, entry = [1, 2, 3, 4, 5, 9], [1, 1, 0, 1, 0, 2], [-np.inf] * 5 + [6]
    x = pd.DataFrame({"x": [0.0, 1, 1, 1, 0, 0]})
    found = est.fine_gray(time, event, 1, x, entry)
    assert found.estimable
    short = est.fine_gray(time[:5], event[:5], 1, x[:5], entry[:5])
    assert found.estimates.loc["x", "beta"] == pytest.approx(short.estimates.loc["x", "beta"])


def test_a_share_of_nothing_gives_no_estimate():
    """Who came last came after all before had gone, so that no share of them says what is kept."""
    time, event, entry = [2, 3, 6, 7, 8, 9], [1, 2, 2, 1, 0, 1], [0, 0, 4, 4, 4, 4]
    x = pd.DataFrame({"x": [0.0, 1, 1, 0, 1, 1]})
    with np.errstate(all="raise"):
        assert not est.fine_gray(time, event, 1, x, entry).estimable
