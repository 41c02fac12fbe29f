"""The estimators beside R's frozen values: what the tests assert and the methods page lists.

R's values and the data that only they need lie in one folder, with the scripts that made them.
Nothing here is a source of numbers for any other page.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from .. import survival as est
from ..dataset.endpoints import endpoint
from ..dataset.model import ROOT, Dataset, load
from ..page.groups import competing
from ..study.curves import incidence_results, survival_results
from ..study.models import factor_endpoints, factor_results

PLACE = "PLATEAU_AGREEMENT"  # in the environment: the folder in which a build keeps what it made
# Where R gives two answers, and the frozen one is not the one that the book follows.
EXCEPTIONS = {("half_to_the_end", "median", "estimate")}
KEYS, PARTS = ["quantity", "group", "months"], ("estimate", "lower", "upper")
COLUMNS = ["estimator", "dataset", "case", "quantity", "at", "theirs", "ours", "difference"]


def agreement(reference: str | Path, datasets: Iterable[str | Path]) -> pd.DataFrame:
    """One row for each value of R in the folder `reference`, beside ours.

    `datasets` are the folders whose pages R recomputed. `difference` is relative, and absolute
    below 1e-4; it is 0 where both are missing and infinite where only one is. Values of shipped
    datasets that are not among `datasets`, and those that EXCEPTIONS names, are left out.
    The notebooks of a build, to which it is the same, find what the first of them has made.
    """
    place, datasets = os.environ.get(PLACE), list(datasets)
    kept = Path(place, "-".join(Path(dataset).name for dataset in datasets)) if place else None
    if kept and kept.exists():
        return pd.read_pickle(kept)
    found = pd.concat(agreement_parts(reference, datasets), ignore_index=True)
    if kept:
        found.to_pickle(new := kept.with_name(f"{os.getpid()}.new"))
        new.replace(kept)
    return found


def agreement_parts(
    reference: str | Path, datasets: Iterable[str | Path]
) -> Iterator[pd.DataFrame]:
    """The rows of `agreement` piece by piece, for who looks for the first that is wrong."""
    folder = ROOT / reference
    shipped = {Path(path).name: load(path) for path in datasets}
    samples = {**_raw_samples(folder), **_small_samples(folder)}
    for name, dataset in shipped.items():
        question = endpoint(dataset, "relapse")
        months = dataset.months(question.time)
        samples[name, "relapse"] = Sample(months, question.observed)
    values = pd.concat([pd.read_csv(folder / name) for name in ("estimators.csv", "ties.csv")])
    for name, dataset in shipped.items():
        yield _compared(_page_rows(name, dataset, folder))
    for (name, case, estimator), rows in values.groupby(["dataset", "case", "estimator"]):
        if (name, case) in samples:
            yield _compared(_estimated(samples[name, case], estimator, rows))


def _compared(found: pd.DataFrame) -> pd.DataFrame:
    """Rows with their difference, without those that EXCEPTIONS names."""
    keys = zip(found["dataset"], found["estimator"], found["quantity"], strict=True)
    found = found[[key not in EXCEPTIONS for key in keys]]
    return found.assign(difference=_difference(found["ours"], found["theirs"]))[COLUMNS]


def _difference(ours: pd.Series, theirs: pd.Series) -> pd.Series:
    apart = (ours - theirs).abs() / theirs.abs().clip(lower=1e-4)
    return apart.mask(ours.isna() & theirs.isna(), 0.0).fillna(np.inf)


# --- the pages of the shipped datasets -----------------------------------------------------------

OF_QUANTITY = {
    "median": "median",
    "survival": "kaplan_meier",
    "conditional_survival": "kaplan_meier",
    "rmst": "restricted_mean",
    "median_followup": "reverse_kaplan_meier",
    "cumulative_incidence": "aalen_johansen",
    "event_rate": "event_rate",
    "person_years": "event_rate",
    "hazard_ratio_multivariate": "stepwise",
    "p_multivariate": "stepwise",
    "split": "cox",
}


def _estimator_of(quantity: str) -> str:
    if quantity in OF_QUANTITY:
        return OF_QUANTITY[quantity]
    if quantity.startswith("p_proportional"):
        return "schoenfeld"
    return "followup" if quantity.startswith("followup") else "cox"


def _page(name: str, dataset: Dataset) -> pd.DataFrame:
    """What a page records of its estimators, computed as its notebook does."""
    if name == "table_3":
        return pd.concat([factor_results(dataset, q) for q in factor_endpoints(dataset)])
    of = next(plan.name for plan in dataset.endpoints.values() if plan.page == name)
    question = endpoint(dataset, of)
    data = (question.time, question.observed)
    if not question.competing:
        return survival_results(dataset, question, est.survival_curve(*data))
    causes = enumerate((of, competing(question)), start=1)
    curves = {cause: est.cumulative_incidence(*data, number) for number, cause in causes}
    return incidence_results(dataset, question, curves)


def _page_rows(name: str, dataset: Dataset, folder: Path) -> pd.DataFrame:
    """Estimates and limits of every page that R has, with ours beside them."""
    theirs = pd.read_csv(folder / f"{name}.csv")
    made = []
    for page, rows in theirs.groupby("page"):
        both = rows.merge(_page(page, dataset), on=KEYS, how="left", suffixes=("_r", ""))
        both = both.assign(
            estimator=both["quantity"].map(_estimator_of),
            dataset=name,
            case=page + " " + both["group"],
            at=both["months"],
        )
        for part in PARTS:
            numbers = {"theirs": both[f"{part}_r"].astype(float), "ours": both[part].astype(float)}
            made.append(both.assign(quantity=both["quantity"] + " " + part, **numbers))
    found = pd.concat(made, ignore_index=True)
    return found[found[["theirs", "ours"]].notna().any(axis=1)]


# --- data that only R's values need --------------------------------------------------------------


@dataclass(frozen=True)
class Sample:
    """Times with their events (0, 1, 2), or start-stop rows of the model that a case names."""

    time: np.ndarray | None = None
    event: np.ndarray | None = None
    rows: pd.DataFrame | None = None
    factors: tuple[str, ...] = ()


def big() -> pd.DataFrame:
    """100,000 patients from whole-number arithmetic, the same in every language."""
    i = np.arange(100_000)
    x = (31337 * i % 1009) % 2
    z = (15485863 * i % 4001) % 7 - 3
    time = ((7919 * i % 99991) % 1500 * (2 + x)) // 3 + (z + 3) * 10
    return pd.DataFrame({"time": time, "event": (104729 * i % 65537) % 3, "x": x, "z": z})


def _raw_samples(folder: Path) -> dict[tuple[str, str], Sample]:
    """The samples that data/cases.json describes, by dataset and case.

    A case names the columns of `time` and `event`. `first` is an event that may come before and
    is then number 1, the other number 2; `where` keeps some patients; `ones` turns a column into
    yes or no. A case with a colon and a space is a model of the factors after it: `start` and
    `patient` where rows are start-stop already, `switch` a factor that is 1 after an event's time.
    """
    samples = {}
    tables = {"big": big()}
    for case in json.loads((folder / "data" / "cases.json").read_text("utf-8")):
        name = case["dataset"]
        if name not in tables:
            tables[name] = pd.read_csv(folder / "data" / f"{name}.csv")
        patients = tables[name]
        for column, value in case.get("where", {}).items():
            patients = patients[patients[column] == value]
        for column, value in case.get("ones", {}).items():
            patients = patients.assign(**{column: patients[column].eq(value) * 1})
        model = ": " in case["case"]
        samples[name, case["case"]] = (_model if model else _times)(patients, case)
    return samples


def _times(patients: pd.DataFrame, case: dict) -> Sample:
    time, event = patients[case["time"]], patients[case["event"]]
    if "first" in case:
        came = patients[case["first"]["event"]] == 1
        time = time.mask(came, patients[case["first"]["time"]])
        event = (2 * event).mask(came, 1)
    return Sample(time.to_numpy(float), event.to_numpy(int))


def _model(patients: pd.DataFrame, case: dict) -> Sample:
    factors = tuple(case["case"].split(": ")[1].split(" + "))
    there = [factor for factor in factors if factor in patients]
    rows = patients[there].assign(
        patient=patients[case["patient"]] if "patient" in case else range(len(patients)),
        start=patients[case["start"]].astype(float) if "start" in case else -np.inf,
        stop=patients[case["time"]].astype(float),
        event=patients[case["event"]],
    )
    if switch := case.get("switch"):
        came = patients[switch["event"]] == 1
        day = patients[switch["time"]].astype(float).where(came, np.inf)
        rows = _switched(rows, day, switch["factor"])
    return Sample(rows=rows, factors=factors)


def _switched(rows: pd.DataFrame, day: pd.Series, factor: str) -> pd.DataFrame:
    """Rows of a factor that is 0 up to and on its day, and 1 after it."""
    came = day < rows["stop"]
    stop, event = rows["stop"].mask(came, day), rows["event"].mask(came, 0)
    before = rows.assign(stop=stop, event=event, **{factor: 0.0})
    after = rows[came].assign(start=day[came], **{factor: 1.0})
    return pd.concat([before, after], ignore_index=True)


def _small_samples(folder: Path) -> dict[tuple[str, str], Sample]:
    """The hand-made cases of ties; a curve takes each patient's last row."""
    samples = {}
    for name, rows in small_cases(folder).items():
        last = rows.sort_values("stop").drop_duplicates("patient", keep="last")
        time, event = last["stop"].to_numpy(float), last["event"].to_numpy(int)
        samples[name, "any"] = samples[name, "event1"] = Sample(time, event)
        observed = rows.assign(event=(rows["event"] > 0) * 1)
        samples[name, "any: x"] = Sample(rows=observed, factors=("x",))
    return samples


def small_cases(folder: Path) -> dict[str, pd.DataFrame]:
    """Start-stop rows of each case of data/ties.csv, in its order; times as in covariate_rows."""
    rows = pd.read_csv(folder / "data" / "ties.csv", float_precision="round_trip")
    rows = rows.fillna({"start": -np.inf})
    found = {}
    for name, group in rows.groupby("case"):
        start, stop = est.one_time(group["start"], group["stop"])
        found[str(name)] = group.assign(start=start, stop=stop).reset_index(drop=True)
    return found


# --- ours ----------------------------------------------------------------------------------------

NO_TIME = -1.0  # for a blank `at`, which would not equal itself
Values = Iterator[tuple[str, float, float]]  # quantity, time and value


def _estimated(sample: Sample, estimator: str, rows: pd.DataFrame) -> pd.DataFrame:
    """R's rows of one estimator and case, with ours beside them."""
    times = sorted(rows["at"].dropna().unique())
    found = {(quantity, at): value for quantity, at, value in OURS[estimator](sample, times)}
    keys = zip(rows["quantity"], rows["at"].fillna(NO_TIME), strict=True)
    ours = [float(found[key]) for key in keys]
    return rows.rename(columns={"value": "theirs"}).assign(ours=ours)


def _at(curve: pd.DataFrame, times: list[float], names: Iterable[str], end: str = "") -> Values:
    for time, row in est.at(curve, times, carry=np.inf).iterrows():  # R's `extend`
        for name in names:
            yield name + end, float(time), row[name]


def _kaplan_meier(sample: Sample, times: list[float]) -> Values:
    curve = est.survival_curve(sample.time, sample.event)
    return _at(curve, times, ("survival", "lower", "upper", "at_risk"))


def _median(sample: Sample, _: list[float]) -> Values:
    found = est.median(est.survival_curve(sample.time, sample.event))
    return zip(PARTS, [NO_TIME] * 3, found, strict=True)


def _reverse_kaplan_meier(sample: Sample, _: list[float]) -> Values:
    return zip(PARTS, [NO_TIME] * 3, est.follow_up(sample.time, sample.event), strict=True)


def _restricted_mean(sample: Sample, times: list[float]) -> Values:
    curve = est.survival_curve(sample.time, sample.event)
    for time in times:
        yield from zip(
            ("estimate", "se"), [time] * 2, est.restricted_mean(curve, time), strict=True
        )


def _aalen_johansen(sample: Sample, times: list[float]) -> Values:
    for cause in (1, 2):
        curve = est.cumulative_incidence(sample.time, sample.event, cause)
        yield from _at(curve, times, ("incidence", "se", "lower", "upper"), f"_{cause}")


def aalen_variance(curve: pd.DataFrame) -> pd.Series:
    """Variance of a `cumulative_incidence` after Aalen (1978), as cmprsk computes it (Gray 1988).

    Each cause's events vary for themselves, by the hypergeometric rule where several are tied.
    """
    at_risk = curve["at_risk"].to_numpy(float)
    causes = [curve[name].to_numpy(float) for name in ("events", "other_events")]
    share = curve["incidence"].to_numpy()
    after = np.cumprod(1 - sum(causes) / at_risk)
    before = np.append(1.0, after[:-1])
    scale = np.divide(1.0, after, out=np.zeros(len(after)), where=after > 1e-12)
    own, other = (
        before**2 * d / at_risk**2 * (1 - (d - 1).clip(min=0) / np.maximum(at_risk - 1, 1))
        for d in causes
    )
    own_weight, other_weight = 1 + share * scale, share * scale
    return pd.Series(
        np.cumsum(own * own_weight**2 + other * other_weight**2)
        - 2 * share * np.cumsum(scale * (own * own_weight + other * other_weight))
        + share**2 * np.cumsum(scale**2 * (own + other)),
        index=curve.index,
    )


def _aalen_variance(sample: Sample, times: list[float]) -> Values:
    """R gives none beyond the last time of follow-up."""
    for cause in (1, 2):
        variance = aalen_variance(est.cumulative_incidence(sample.time, sample.event, cause))
        for time in times:
            beyond = time > sample.time.max()
            yield f"variance_{cause}", time, np.nan if beyond else variance.asof(time)


def _event_rate(sample: Sample, times: list[float]) -> Values:
    for time in times:
        rate = est.event_rate(sample.time, sample.event, time)
        for part in PARTS:
            yield part, time, getattr(rate, part)


def _cox(sample: Sample, _: list[float], ties: str = "efron") -> Values:
    fit = est.cox(sample.rows, sample.factors, ties)
    found = fit.estimates.assign(p=fit.summary()["p"])
    for name in sample.factors:
        for part in ("beta", "se", "p"):
            yield f"{part}:{name}", NO_TIME, found.loc[name, part]
    yield "loglik", NO_TIME, fit.log_likelihood


def _score_test(sample: Sample, _: list[float]) -> Values:
    *kept, last = sample.factors
    yield f"p:{last}", NO_TIME, est.score_p(sample.rows, kept, last)


def _schoenfeld(sample: Sample, _: list[float]) -> Values:
    for name, row in est.proportional_hazards_test(sample.rows, sample.factors).iterrows():
        yield f"p:{name}", NO_TIME, row["p"]
        yield f"chisq:{name}", NO_TIME, row["chi2"]


OURS: dict[str, Callable[[Sample, list[float]], Values]] = {
    "kaplan_meier": _kaplan_meier,
    "median": _median,
    "reverse_kaplan_meier": _reverse_kaplan_meier,
    "restricted_mean": _restricted_mean,
    "aalen_johansen": _aalen_johansen,
    "aalen_variance": _aalen_variance,
    "event_rate": _event_rate,
    "cox": _cox,
    "cox_breslow": partial(_cox, ties="breslow"),
    "score_test": _score_test,
    "schoenfeld": _schoenfeld,
}
