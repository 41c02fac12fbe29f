"""What R, SAS and lifelines do unless told otherwise, on this dataset: only the methods page asks.

Each `Difference` holds one number of the book as it is made here and as it would be made there. R
and SAS themselves are not run: their rule is applied to the same patients. lifelines is run.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
import pandas as pd
from lifelines import AalenJohansenFitter, CoxPHFitter, CoxTimeVaryingFitter, KaplanMeierFitter
from lifelines.exceptions import ConvergenceError
from lifelines.statistics import proportional_hazard_test

from .. import survival as est
from ..dataset.columns import EVENT_DAYS
from ..dataset.endpoints import Endpoint, answerable, covariate_rows, endpoint
from ..dataset.model import Dataset, Factor, NotRecorded
from ..page.formats import DAGGER, in_months, listed, month, p_value, rounded, scaled
from ..page.quantities import MEDIAN, NOT_REACHED, nature
from ..page.rows import COLUMNS
from ..page.tables import Row, Table
from ..study.curves import plateau_month, told_months, values_at
from ..study.landmarks import CARRIED
from ..study.models import SELECTION_LEVEL, factor_results, factors_of

Numbers = Sequence[float]  # an estimate, or an estimate with its limits


@dataclass(frozen=True)
class Difference:
    """One step that another program takes differently; `here` and `there` as a reader sees them."""

    step: str
    program: str
    number: str
    here: str
    there: str
    values: tuple[Numbers, Numbers] = ((), ())


def differences(dataset: Dataset, pages: Mapping[str, pd.DataFrame]) -> list[Difference]:
    """Every difference that the dataset can show, in the order of the methods page.

    `pages` are the results of the other pages, which only the rounding asks for.
    """
    found = []
    for step in STEPS:
        try:
            found += step(dataset)
        except NotRecorded:
            continue
    return [*found, *rounding(pages)]


def difference_results(found: Sequence[Difference]) -> pd.DataFrame:
    """The numbers of the differences: `here` and `there`, the group naming the step."""
    rows = []
    for difference in found:
        for quantity, numbers in zip(("here", "there"), difference.values, strict=True):
            parts = dict(zip(("estimate", "lower", "upper"), numbers, strict=False))
            if parts:
                group = f"{difference.step} ({difference.program}): {difference.number}"
                rows.append({"quantity": quantity, "group": group, **parts})
    return pd.DataFrame(rows, columns=COLUMNS)


def differences_table(
    dataset: Dataset, found: Sequence[Difference], name: str, caption: str
) -> Table:
    """A line for each difference."""
    rows = [Row(d.step, (d.program, d.number, d.here, d.there)) for d in found]
    columns = ("Step", "Program", "For example", "Here", "There")
    notes = ["Limits are of 95% confidence intervals. HR, hazard ratio; P as printed."]
    if any(d.here.endswith(DAGGER) for d in found):
        notes.append(f"{CARRIED}.")
    return Table(
        name,
        caption,
        columns,
        rows,
        notes,
        words=True,
        abbreviations=dataset.settings.abbreviations,
    )


def _shown(numbers: Numbers, quantity: str, decimals: int) -> str:
    """`7.49 (5.49–8.51)`."""
    first, *limits = (
        NOT_REACHED
        if pd.isna(value) and nature(quantity) is MEDIAN
        else rounded(scaled(value, quantity), decimals)
        for value in numbers
    )
    return f"{first} ({'–'.join(limits)})" if limits else first


def _difference(
    step: str, program: str, number: str, quantity: str, here: Numbers, there: Numbers
) -> Difference:
    """Both with one decimal more than the book shows, and more where they would look alike."""
    least = nature(quantity).decimals + 1
    for decimals in (least, least + 1, least + 2):
        texts = [_shown(numbers, quantity, decimals) for numbers in (here, there)]
        if texts[0] != texts[1]:
            break
    else:
        texts = [_shown(numbers, quantity, least) for numbers in (here, there)]
    return Difference(step, program, number, *texts, (tuple(here), tuple(there)))


# --- survival ------------------------------------------------------------------------------------


def _os(dataset: Dataset) -> tuple[Endpoint, pd.DataFrame]:
    question = endpoint(dataset, "os")
    return question, est.survival_curve(question.time, question.observed)


def _in_months(dataset: Dataset, days: Numbers) -> list[float]:
    return [dataset.months(day) for day in days]


def survival_limits(dataset: Dataset) -> Iterator[Difference]:
    """R's survfit takes limits on the scale of log S; lifelines and SAS take ours."""
    _, curve = _os(dataset)
    survivors = (curve["at_risk"] - curve["events"]).where(curve["survival"] > 0)
    error = np.sqrt((curve["events"] / (curve["at_risk"] * survivors)).cumsum())
    other = curve.assign(
        lower=curve["survival"] * np.exp(-est.Z * error),
        upper=(curve["survival"] * np.exp(est.Z * error)).clip(upper=1),
    )
    here, there = (_in_months(dataset, est.median(c)) for c in (curve, other))
    yield _difference(
        "Limits on the scale of log S",
        "R",
        "Median overall survival, months",
        "median",
        here,
        there,
    )


def median_at_one_half(dataset: Dataset) -> Iterator[Difference]:
    """lifelines takes the first time at or below one half, whatever follows."""
    question, curve = _os(dataset)
    fit = KaplanMeierFitter().fit(question.time, question.observed > 0)
    here, there = est.median(curve)[:1], [fit.median_survival_time_]
    there = [value if np.isfinite(value) else np.nan for value in there]
    yield _difference(
        "Median where the curve is exactly one half",
        "lifelines",
        "Median overall survival, months",
        "median",
        _in_months(dataset, here),
        _in_months(dataset, there),
    )


def restricted_mean_horizon(dataset: Dataset) -> Iterator[Difference]:
    """SAS's LIFETEST goes to the last event, a horizon that the data choose."""
    question, curve = _os(dataset)
    if not (question.observed > 0).any():
        return
    last = told_months(dataset, question)[-1]
    if last > dataset.months(question.time.max()):
        return
    horizons = (dataset.days(last), question.time[question.observed > 0].max())
    here, there = ([dataset.months(est.restricted_mean(curve, day)[0])] for day in horizons)
    yield _difference(
        "Restricted mean up to the last event",
        "SAS",
        f"Mean overall survival, months (here of the first {month(last)})",
        "rmst",
        here,
        there,
    )


def follow_up_of_the_censored(dataset: Dataset) -> Iterator[Difference]:
    """Many papers give the median among those without the event."""
    question, _ = _os(dataset)
    censored = question.time[question.observed == 0]
    if not len(censored):
        return
    yield _difference(
        "Follow-up among the censored",
        "many papers",
        "Median follow-up, months",
        "median_followup",
        _in_months(dataset, est.follow_up(question.time, question.observed)[:1]),
        _in_months(dataset, [float(np.median(censored))]),
    )


def past_the_end(dataset: Dataset) -> Iterator[Difference]:
    """Past the last patient R’s survfit without `extend` and cmprsk’s timepoints have none."""
    for question in answerable(dataset, "os", "rfs", "os_after_hsct"):
        curve = est.survival_curve(question.time, question.observed)
        for number in dataset.settings.months:
            row = values_at(dataset, curve, [number]).iloc[0]
            if not row["at_risk"] and pd.notna(row["survival"]):
                here, mark = [row["survival"]], f" {DAGGER}" * bool(row["survival"])
                yield Difference(
                    "A month past the end of follow-up",
                    "R, cmprsk",
                    f"{question.title} at {in_months(number)}, %",
                    _shown(here, "survival", 1) + mark,
                    "missing",
                    (here, ()),
                )
                return


# --- competing risks -----------------------------------------------------------------------------


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


def _relapse(dataset: Dataset) -> tuple[Endpoint, pd.DataFrame, float, str]:
    """The endpoint, the incidence of relapse, the day and the words of where it is compared.

    Raises NotRecorded where nobody has relapsed by then.
    """
    question, at = endpoint(dataset, "relapse"), plateau_month(dataset)
    curve = est.cumulative_incidence(question.time, question.observed, 1)
    day, words = dataset.days(at), f"Incidence of relapse at {in_months(at)}, %"
    if not est.at(curve, [day])["events"].iloc[0] > 0:
        raise NotRecorded(f"{words}: nobody has relapsed by then.")
    return question, curve, day, words


def incidence_limits(dataset: Dataset) -> Iterator[Difference]:
    """R's survfit takes limits on the scale of log F."""
    _, curve, day, words = _relapse(dataset)
    row = est.at(curve, [day]).iloc[0]
    share, factor = row["incidence"], np.exp(est.Z * row["se"] / row["incidence"])
    there = [share, share / factor, min(share * factor, 1.0)]
    here = row[["incidence", "lower", "upper"]].to_list()
    yield _difference(
        "Limits on the scale of log F", "R", words, "cumulative_incidence", here, there
    )


def incidence_error(dataset: Dataset) -> Iterator[Difference]:
    """cmprsk takes Aalen's variance, as SAS does by default; R and we the delta method's."""
    _, curve, day, words = _relapse(dataset)
    row = est.at(curve, [day]).iloc[0]
    error = np.sqrt(aalen_variance(curve).asof(day))
    there = [row["incidence"], *est.log_log_limits(row["incidence"], error)]
    here = row[["incidence", "lower", "upper"]].to_list()
    yield _difference(
        "Aalen’s standard error", "cmprsk, SAS", words, "cumulative_incidence", here, there
    )


def incidence_ties(dataset: Dataset) -> Iterator[Difference]:
    """lifelines moves tied times by chance, so that its answer depends on a seed."""
    question, curve, day, words = _relapse(dataset)
    state, shares = np.random.get_state(), []
    try:
        for seed in range(1, 6):
            fit = AalenJohansenFitter(calculate_variance=False, seed=seed)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                fit.fit(question.time, question.observed, event_of_interest=1)
            shares.append(float(fit.cumulative_density_.iloc[:, 0].asof(day)))
    finally:
        np.random.set_state(state)  # lifelines seeds the generator that everybody shares
    here = [est.at(curve, [day])["incidence"].iloc[0]]
    low, high = (rounded(100 * value, 3) for value in (min(shares), max(shares)))
    there = low if low == high else f"{low} to {high} in five seeds"
    values = (here, [float(np.median(shares)), min(shares), max(shares)])
    yield Difference(
        "Ties broken at random", "lifelines", words, rounded(100 * here[0], 3), there, values
    )


# --- Cox -----------------------------------------------------------------------------------------


def _models(dataset: Dataset) -> Iterator[tuple[Endpoint, Factor, pd.DataFrame, est.CoxFit]]:
    """Each factor alone, where it has an estimate."""
    for question in answerable(dataset, "os", "rfs"):
        for factor in factors_of(dataset, question):
            rows = covariate_rows(dataset, question, [factor])
            fit = est.cox(rows, [factor.column])
            if fit.estimable:
                yield question, factor, rows, fit


def _ratio(fit: est.CoxFit) -> list[float]:
    return fit.summary()[["hazard_ratio", "lower", "upper"]].iloc[0].to_list()


def _farthest(step: str, program: str, pairs: list[tuple[str, list, list]]) -> Iterator[Difference]:
    """The hazard ratio that moves most, of all that could."""
    if pairs:
        words, here, there = max(pairs, key=lambda pair: abs(np.log(pair[2][0] / pair[1][0])))
        number = f"HR that moves most of {len(pairs)}: {words}"
        yield _difference(step, program, number, "hazard_ratio", here, there)


def _named(question: Endpoint, factor: Factor) -> str:
    return f"{factor.label}, {question.title.lower()}"


def breslow_ties(dataset: Dataset) -> Iterator[Difference]:
    """SAS's PHREG handles ties by Breslow's method unless told otherwise."""
    pairs = [
        (_named(question, factor), _ratio(fit), _ratio(est.cox(rows, [factor.column], "breslow")))
        for question, factor, rows, fit in _models(dataset)
    ]
    yield from _farthest("Breslow’s ties", "SAS", pairs)


def switch_day(dataset: Dataset) -> Iterator[Difference]:
    """A SAS program step usually counts an event on the day of a change after the change."""
    days = [column for column in dataset.patients if column in EVENT_DAYS]
    days += [f.column for f in dataset.factors if f.kind == "postbaseline"]
    days = sorted(set(days))
    earlier = dataset.patients.assign(**{day: dataset.patients[day] - 1e-3 for day in days})
    moved = replace(dataset, patients=earlier)
    pairs = []
    for question, factor, _, fit in _models(dataset):
        if factor.kind == "postbaseline":
            other = est.cox(covariate_rows(moved, question, [factor]), [factor.column])
            if other.estimable:
                pairs.append((_named(question, factor), _ratio(fit), _ratio(other)))
    yield from _farthest("An event on the day of a change counts after it", "SAS", pairs)


def day_0(dataset: Dataset) -> Iterator[Difference]:
    """R and SAS leave out a start-stop row from 0 to 0, and with it the event."""
    for question in answerable(dataset, "os", "rfs"):
        events = int((question.observed > 0).sum())
        first = int(((question.observed > 0) & (question.time == 0)).sum())
        yield Difference(
            "Start–stop rows from 0 to 0 are left out",
            "R, SAS",
            f"Events in the models of {question.title.lower()}",
            str(events),
            str(events - first),
            ([events], [events - first]),
        )


def lifelines_cox(dataset: Dataset) -> Iterator[Difference]:
    """lifelines' time-varying Cox model uses Efron's ties too."""
    pairs = []
    for question, factor, rows, fit in _models(dataset):
        if factor.kind == "postbaseline":
            finite = rows.assign(start=rows["start"].clip(lower=-1.0))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    other = CoxTimeVaryingFitter().fit(
                        finite, id_col="patient", event_col="event", show_progress=False
                    )
                except ConvergenceError:  # near separation it gives up earlier
                    continue
            line = other.summary.iloc[0]
            there = line[["exp(coef)", "exp(coef) lower 95%", "exp(coef) upper 95%"]].to_list()
            pairs.append((_named(question, factor), _ratio(fit), there))
    yield from _farthest("Time-dependent Cox model", "lifelines", pairs)


def approximate_proportional(dataset: Dataset) -> Iterator[Difference]:
    """lifelines, and R before survival 3.0, take one average variance for all times."""
    found = []
    for question, factor, rows, _ in _models(dataset):
        if factor.kind == "baseline":
            data = rows[["stop", "event", factor.column]].astype(float)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                try:
                    fit = CoxPHFitter().fit(data, "stop", "event")
                except ConvergenceError:  # near separation it gives up earlier
                    continue
                test = proportional_hazard_test(fit, data, time_transform="km")
            there = float(test.summary["p"].iloc[0])
            here = float(est.proportional_hazards_test(rows, [factor.column])["p"].iloc[0])
            if np.isfinite(here):
                found.append((_named(question, factor), here, there))
    if found:
        words, here, there = max(found, key=lambda item: abs(item[2] - item[1]))
        yield Difference(
            "Test of proportional hazards, approximate",
            "lifelines",
            f"P that moves most of {len(found)}: {words}",
            p_value(here),
            p_value(there),
            ([here], [there]),
        )


def not_estimable(dataset: Dataset) -> Iterator[Difference]:
    """R and SAS print a huge or tiny ratio, with a warning at most."""
    for question in answerable(dataset, "os", "rfs"):
        factors = factors_of(dataset, question)
        fits = [est.cox(covariate_rows(dataset, question, [f]), [f.column]) for f in factors]
        missing = sum(not fit.estimable for fit in fits)
        if fits:
            yield Difference(
                "A factor that separates the events gets a number",
                "R, SAS",
                f"Single factors without an estimate, {question.title.lower()}, of {len(fits)}",
                str(missing),
                "0",
                ([missing], [0]),
            )


# --- selection -----------------------------------------------------------------------------------


def _candidates(
    dataset: Dataset,
) -> Iterator[tuple[Endpoint, list[Factor], list[str], pd.DataFrame]]:
    """Endpoint, candidates, what stepwise selection keeps, and the rows of both."""
    for question in answerable(dataset, "os", "rfs"):
        results = factor_results(dataset, question)
        true = results[(results["quantity"] == "associated") & (results["estimate"] == 1)]
        names = set(true["group"].str.removeprefix(f"{question.name}:"))
        factors = [f for f in factors_of(dataset, question) if f.column in names]
        if factors:
            rows = covariate_rows(dataset, question, factors)
            kept = est.stepwise(rows, [f.column for f in factors], SELECTION_LEVEL)
            yield question, factors, kept, rows


def selection_by_aic(dataset: Dataset) -> Iterator[Difference]:
    """R's step() starts with all candidates and goes by Akaike's criterion."""
    for question, factors, kept, rows in _candidates(dataset):
        columns = [factor.column for factor in factors]
        other = lowest_aic(rows, columns)
        labels = {f.column: f.label for f in factors}

        def names(chosen: Sequence[str], labels: dict[str, str] = labels) -> str:
            return listed(labels[c] for c in labels if c in chosen) or "none"

        yield Difference(
            "Selection by AIC, from all candidates",
            "R",
            f"Factors kept, {question.title.lower()}",
            names(kept),
            names(other),
            ([len(kept)], [len(other)]),
        )


def lowest_aic(rows: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Drop or take back one factor at a time, as long as Akaike's criterion falls."""

    def aic(chosen: frozenset[str]) -> float:
        if not chosen:
            # At 0 any one factor gives the likelihood of no factor.
            return -2 * est.null_log_likelihood(rows)
        fit = est.cox(rows, sorted(chosen))
        return 2 * len(chosen) - 2 * fit.log_likelihood if fit.estimable else np.inf

    chosen = frozenset(columns)
    while True:
        steps = {chosen ^ {column} for column in columns}
        best = min(steps, key=lambda step: (aic(step), sorted(step)))
        if not aic(best) < aic(chosen):
            return sorted(chosen)
        chosen = best


def selection_rows(dataset: Dataset) -> Iterator[Difference]:
    """A model refitted in R uses everybody complete in its own factors."""
    pairs = []
    for question, factors, kept, rows in _candidates(dataset):
        chosen = [factor for factor in factors if factor.column in kept]
        if not chosen:
            continue
        columns = [factor.column for factor in chosen]
        fits = [est.cox(r, columns) for r in (rows, covariate_rows(dataset, question, chosen))]
        if all(fit.estimable for fit in fits):
            tables = [f.summary()[["hazard_ratio", "lower", "upper"]] for f in fits]
            for factor in chosen:
                here, there = (table.loc[factor.column].to_list() for table in tables)
                words = f"{_named(question, factor)} ({fits[0].n} and {fits[1].n} patients)"
                pairs.append((words, here, there))
    yield from _farthest("Final model in its own complete patients", "R", pairs)


# --- rounding ------------------------------------------------------------------------------------


def rounding(pages: Mapping[str, pd.DataFrame]) -> Iterator[Difference]:
    """R's round sends an exact half to the even digit."""
    total = moved = 0
    for results in pages.values():
        for quantity, value in zip(results["quantity"], results["estimate"], strict=True):
            if pd.isna(value) or quantity.startswith("p_"):
                continue
            decimals, value = nature(quantity).decimals, scaled(value, quantity)
            step = Decimal(1).scaleb(-decimals)
            even = str(Decimal(f"{value:.12g}").quantize(step, ROUND_HALF_EVEN))
            total += 1
            moved += rounded(value, decimals).replace("−", "-") != even
    yield Difference(
        "An exact half goes to the even digit",
        "R",
        f"Estimates that print otherwise, of {total:,}",
        "0",
        str(moved),
        ([0], [moved]),
    )


STEPS = (
    survival_limits,
    median_at_one_half,
    restricted_mean_horizon,
    follow_up_of_the_censored,
    past_the_end,
    incidence_limits,
    incidence_error,
    incidence_ties,
    breslow_ties,
    switch_day,
    day_0,
    lifelines_cox,
    approximate_proportional,
    not_estimable,
    selection_by_aic,
    selection_rows,
)
