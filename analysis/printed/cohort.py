"""A synthetic cohort judged by the print: which of its facts are fixed, bounded or free.

What the print allows comes from the findings of `consistency`. The months and rows that stand here
by name are the paper's own.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from .. import survival as est
from ..dataset.columns import RESERVED
from ..dataset.endpoints import (
    Endpoint,
    covariate_rows,
    endpoint,
    in_remission_at_hsct,
    long_term,
    responders,
)
from ..dataset.model import Dataset, Factor, NotRecorded
from ..page.formats import in_months, rounded, shown
from ..page.groups import outcome_labels
from ..page.prose import Prose
from ..page.published import OFF
from ..page.rows import COLUMNS
from ..page.tables import Row, Table
from ..study.characteristics import derived_outcomes
from ..study.curves import told_months, values_at
from ..study.models import factor_endpoints, factor_results
from .bounds import NotPrinted, Print, result
from .consistency import Findings, findings

KINDS = ("fixed", "bounded", "free")
LATE = 48  # month after which the print's last relapse falls
DEALS, EXCHANGES = 40, 2000  # other deals of the relapses, and attempts to exchange for each
SOON = 90  # days after relapse
Bounds = tuple[float, float] | None


@dataclass(frozen=True)
class Fact:
    """A fact of the cohort beside what the print allows.

    `topic` is what the reasons on the page go by. `value` is compared with `bounds`, the least and
    greatest value that the print allows, both included; None where it says nothing. `shown` is the
    value as a reader sees it, `rows` are its results.
    """

    topic: str
    label: str
    value: float
    shown: str
    rows: tuple[dict, ...]
    bounds: Bounds = None
    decimals: int = 0

    @property
    def kind(self) -> str:
        """One of KINDS."""
        if self.bounds is None:
            return "free"
        return "fixed" if self.bounds[0] == self.bounds[1] else "bounded"

    @property
    def inside(self) -> bool:
        """Whether the print allows the value."""
        return self.bounds is None or self.bounds[0] <= self.value <= self.bounds[1]

    @property
    def printed(self) -> str:
        """What the print says, `123` or `201–217`, marked where the value lies outside."""
        if self.bounds is None:
            return "nothing"
        ends = dict.fromkeys(rounded(end, self.decimals) for end in self.bounds)
        return "–".join(ends) + ("" if self.inside else f" ({OFF})")


def cohort_facts(dataset: Dataset) -> list[Fact]:
    """Every fact that the dataset records, those of a topic together.

    Raises NotRecorded for a dataset that is not public, not synthetic, or has no printed number
    that it was made to give: what is said of invented records here must never be said of patients.
    """
    if not dataset.settings.synthetic:
        raise NotRecorded(
            "This dataset is not synthetic: its records were not made for the book, and nothing in "
            "them is free."
        )
    if not dataset.public:
        raise NotRecorded("This dataset is not public, so this page shows no day of its records.")
    if not dataset.published["kind"].eq("calibrated").any():
        raise NotRecorded("This dataset names no printed number that it was made to give.")
    dataset.require("The facts of the cohort", "response_day", "relapse_day", "hsct_day")
    printed, found = Print(dataset), findings(dataset)
    return [
        *_fixed(dataset, printed),
        *_deaths(dataset, printed, found),
        *_relapses(dataset, printed, found),
        *_levels(dataset, printed),
        *_evaluable(dataset),
        *_models(dataset),
        *_spans(dataset),
        *_treatment(dataset),
    ]


def facts_results(facts: Sequence[Fact], dealt: pd.DataFrame) -> pd.DataFrame:
    """All facts, then the numbers of `deals` as groups `dealt_again:...`, in the results' columns.

    `lower` and `upper` are the ends that the print allows, or those of the deals: never confidence
    limits.
    """
    rows = [row for fact in facts for row in fact.rows]
    rows += dealt.assign(group="dealt_again:" + dealt["group"]).to_dict("records")
    frame = pd.DataFrame(rows, columns=COLUMNS)
    numbers = COLUMNS[2:]
    frame[numbers] = frame[numbers].astype(float)
    return frame.astype({"n": "Int64", "events": "Int64"})


def rows_of_kinds(facts: Sequence[Fact], results: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows that the facts of each of KINDS have in `facts_results`, which come first there."""
    owners = pd.Series([fact.kind for fact in facts for _ in fact.rows])
    return {kind: results.iloc[owners.index[owners == kind]] for kind in KINDS}


def facts_table(
    dataset: Dataset, facts: Sequence[Fact], kind: str, name: str, caption: str
) -> Table:
    """The facts of one of KINDS beside what the print allows."""
    rows = [Row(fact.label, (fact.shown, fact.printed)) for fact in facts if fact.kind == kind]
    return Table(
        name,
        caption,
        ("Fact", "In the cohort", "The print says"),
        rows,
        abbreviations=dataset.settings.abbreviations,
    )


def reasons_list(facts: Sequence[Fact], kind: str, reasons: Mapping[str, Prose | str]) -> Prose:
    """How the facts of one of KINDS were chosen: the lines, by topic, of those that there are."""
    topics = dict.fromkeys(fact.topic for fact in facts if fact.kind == kind)
    said = (Prose.of(reasons[topic]) for topic in topics if topic in reasons)
    return Prose.joined(Prose("- {reason}", reason=reason) for reason in said)


# --- counts --------------------------------------------------------------------------------------


def _count(topic: str, group: str, label: str, number: int, n: int, bounds: Bounds = None) -> Fact:
    low, high = bounds or (None, None)
    row = result("count", group, estimate=number, lower=low, upper=high, n=n)
    return Fact(topic, label, number, str(number), (row,), bounds)


def _fixed(dataset: Dataset, printed: Print) -> Iterator[Fact]:
    """Counts that the print gives, and the events of relapse-free survival by subtraction."""
    counts = {
        "patients": ("Patients", pd.Series(True, index=dataset.patients.index)),
        "response_day": (dataset.label("response_day"), responders(dataset.patients)),
        "patients|long_term": (
            f"Known alive after month {dataset.settings.long_term_months:g}",
            long_term(dataset),
        ),
    }
    outcomes, labels = derived_outcomes(dataset), outcome_labels(dataset)
    for name in ("mrd_response_day", "hsct_day", "hsct_in_remission", "relapse_free"):
        if name in outcomes:
            label = labels[name][0].removesuffix(", No. (%)")
            if labels[name][1]:
                label = f"{dataset.label('hsct_day')} {label[0].lower()}{label[1:]}"
            counts[f"{name}|total"] = (label, outcomes[name])
    n = len(dataset.patients)
    for group, (label, which) in counts.items():
        bounds = _printed_count(printed, group)
        yield _count("counted", group, label, int(which.sum()), n, bounds)
    question = endpoint(dataset, "rfs")
    events = _printed_events(printed)
    yield _count(
        "rfs_events", "rfs:events", f"{question.title}: {question.event}",
        int(question.observed.sum()), len(question.data), events and (events, events),
    )  # fmt: skip


def _printed_count(printed: Print, group: str) -> Bounds:
    try:
        number = printed.count(group)
    except NotPrinted:
        return None
    return number, number


def _printed_events(printed: Print) -> int | None:
    """Relapses and deaths in remission: the responders less those alive without relapse."""
    try:
        return printed.count("response_day") - printed.count("relapse_free|total")
    except NotPrinted:
        return None


def _limits(found: Findings, name: str, quantity: str, months: float | None = None) -> Bounds:
    """The ends that a finding gives for one of its results; None without them."""
    rows = found.found[name].rows if name in found.found else []
    for row in rows:
        if row["quantity"] == quantity and (months is None or row["months"] == months):
            return float(row["lower"]), float(row["upper"])
    return None


def _deaths(dataset: Dataset, printed: Print, found: Findings) -> Iterator[Fact]:
    """Deaths and the censored in all, and who was lost alive before the long-term month."""
    patients, n = dataset.patients, len(dataset.patients)
    died = patients["died"].eq("yes")
    deaths, lost = (_limits(found, "known_alive", name) for name in ("deaths", "lost"))
    yield _count("deaths", "died", "Deaths in all", int(died.sum()), n, deaths)
    alive = deaths and (n - deaths[1], n - deaths[0])
    yield _count("deaths", "censored", "Alive at last contact", int((~died).sum()), n, alive)
    early = ~died & ~long_term(dataset)
    month = f"month {dataset.settings.long_term_months:g}"
    yield _count("lost", "lost", f"Lost alive before {month}", int(early.sum()), n, lost)
    known = _printed_count(printed, "relapse_free|shorter")
    yield _count(
        "lost_responders", "lost|response_day",
        f"Lost alive before {month}, {_with_response(dataset)}",
        int((early & responders(patients)).sum()), int(early.sum()),
        known and lost and (known[0], lost[1]),
    )  # fmt: skip


# --- relapse -------------------------------------------------------------------------------------


def _relapses(dataset: Dataset, printed: Print, found: Findings) -> Iterator[Fact]:
    question = endpoint(dataset, "relapse")
    n, bounds = len(question.data), _relapse_bounds(printed, found)
    for number, (group, label) in enumerate(
        (("relapse", "Relapses"), ("death", "Deaths in remission")), start=1
    ):
        count = int((question.observed == number).sum())
        yield _count("relapses", f"relapse:{group}", label, count, n, bounds.get(group))
    yield from _late_relapse(dataset, question, printed, found)


def _relapse_bounds(printed: Print, found: Findings) -> dict[str, Bounds]:
    """Least and most relapses and deaths in remission.

    A curve never lies under the share still at risk, so each event adds at least one Nth to its
    incidence: at most N times the incidence can have been. The rest is the other cause's. Deaths
    in remission after the last month of relapse-free survival are taken to be none.
    """
    events, dead = _printed_events(printed), found.facts("remission_deaths")
    months = [m for q, g, m, _ in printed.texts if (q, g) == ("cumulative_incidence", "relapse")]
    if events is None or not dead or not months:
        return {}
    n = printed.count("response_day")
    shares = {
        "relapse": float(printed.share("cumulative_incidence", "relapse", max(months)).high),
        "death": max(
            row["upper"]
            for row in found.found["remission_deaths"].rows
            if row["quantity"] == "cumulative_incidence"
        ),
    }
    most = {cause: min(events, math.ceil(n * share) - 1) for cause, share in shares.items()}
    return {
        "relapse": (events - most["death"], most["relapse"]),
        "death": (events - most["relapse"], most["death"]),
    }


def _late_relapse(
    dataset: Dataset, question: Endpoint, printed: Print, found: Findings
) -> Iterator[Fact]:
    """When the last relapse came, in months from response, and how many were at risk."""
    times = question.time[question.observed == 1]
    if not len(times):
        return
    last = times.max()
    late = _late_bounds(printed) if "late_relapse" in found.found else None
    months, (low, high) = dataset.months(last), late or (None, None)
    rows = (
        result("last_event", "relapse", estimate=months, lower=low, upper=high, n=1, events=1),
        result("last_event_day", "relapse", estimate=last, n=1, events=1),
    )
    label = f"Last relapse, months from {question.origin} (day)"
    text = f"{rounded(months, 1)} ({last:.0f})"
    yield Fact("late_relapse", label, months, text, rows, late, decimals=1)
    at_risk = int((question.time >= last).sum())
    allowed = _limits(found, "late_relapse", "at_risk")  # its first row: the fewest relapses
    yield _count(
        "late_at_risk", "at_risk:last_relapse",
        f"At risk at the last relapse, if no other came after month {LATE}", at_risk,
        len(question.data), allowed,
    )  # fmt: skip


def _late_bounds(printed: Print) -> Bounds:
    try:
        return LATE, float(printed("followup_max", "rfs").text)
    except NotPrinted:
        return None


# --- characteristics -----------------------------------------------------------------------------


def _levels(dataset: Dataset, printed: Print) -> Iterator[Fact]:
    """Levels of a factor that the print does not count, where subtraction does not give them."""
    n, responded = len(dataset.patients), responders(dataset.patients)
    enums = {f["name"]: f.get("constraints", {}).get("enum", []) for f in dataset.fields}
    for factor in dataset.factors:
        open_ = _open_levels(printed, factor.column, enums[factor.column])
        if not factor.numerator or len(open_) < 2:
            continue
        unknown = [x for x in open_ if x not in (*factor.numerator, *factor.denominator)]
        counted = sum(
            printed.count(f"{factor.column}={x}") for x in enums[factor.column] if x not in open_
        )
        topic = "unknown" if unknown else "uncounted"
        bounds = (0, n - counted) if len(open_) < len(enums[factor.column]) else None
        for level in unknown or open_[:1]:
            which, group = dataset.patients[factor.column].eq(level), f"{factor.column}={level}"
            label = f"{dataset.label(factor.column)}: {level}"
            yield _count(topic, group, label, int(which.sum()), n, bounds)
            if unknown:
                label += f", {_with_response(dataset)}"
                number, of = int((which & responded).sum()), int(which.sum())
                yield _count(topic, f"{group}|response_day", label, number, of)


def _with_response(dataset: Dataset) -> str:
    return f"with {dataset.label('response_day')}"


def _open_levels(printed: Print, column: str, levels: Sequence[str]) -> list[str]:
    return [level for level in levels if not printed.has("count", f"{column}={level}")]


def _evaluable(dataset: Dataset) -> Iterator[Fact]:
    """Of whom a factor could be judged, and in whom it did not happen, by response."""
    responded, label = responders(dataset.patients), dataset.label("response_day")
    for factor in dataset.factors:
        if factor.among is None or factor.among in RESERVED:
            continue
        judged = dataset.happened(factor.among)
        without = judged & ~dataset.happened(factor.column)
        what = f"{dataset.label(factor.among)}, no {dataset.label(factor.column)}"
        for side, group, who in (("with", "response", responded), ("without", "none", ~responded)):
            key = f"{factor.among}|without_event|{group}"
            number, n = int((without & who).sum()), int(judged.sum())
            yield _count("evaluable", key, f"{what}, {side} {label}", number, n)


def _treatment(dataset: Dataset) -> Iterator[Fact]:
    """The numbers among the characteristics of treatment, which only a supporting table has."""
    for entry in dataset.characteristics:
        if entry.kind == "treatment" and entry.statistics:
            values = dataset.patients[entry.column].dropna()
            yield _spread("treatment", entry.column, f"{entry.label}, median (range)", values)


# --- models and days -----------------------------------------------------------------------------


def _models(dataset: Dataset) -> Iterator[Fact]:
    """Patients and events of the stepwise models."""
    for question in factor_endpoints(dataset):
        found = factor_results(dataset, question)
        kept = found[found["quantity"] == "hazard_ratio_multivariate"]
        if len(kept):
            n, events = int(kept["n"].iloc[0]), int(kept["events"].iloc[0])
            row = result("stepwise_model", question.name, estimate=n, n=n, events=events)
            label = f"{question.title}, stepwise model: patients / events"
            yield Fact("models", label, n, f"{n} / {events}", (row,))


def relapse_to_death(dataset: Dataset) -> pd.Series:
    """Days from relapse to death of those who had both."""
    died = dataset.patients["died"].eq("yes")
    days = dataset.patients["last_contact_day"] - dataset.patients["relapse_day"]
    return days[died].dropna()


def _spans(dataset: Dataset) -> Iterator[Fact]:
    """Days between two events of a record, which no printed number gives."""
    patients = dataset.patients
    response, hsct = dataset.label("response_day"), dataset.label("hsct_day")
    waited = (patients["hsct_day"] - patients["response_day"])[in_remission_at_hsct(patients)]
    label = f"Days from {response} to {hsct} in remission, median (range)"
    yield _spread("to_hsct", "days:response_day:hsct_day", label, waited)
    label = "Days from relapse to death, median (range)"
    yield _spread("to_death", "days:relapse_day:died", label, relapse_to_death(dataset))


def _spread(topic: str, group: str, label: str, values: pd.Series) -> Fact:
    n = len(values)
    numbers = {"median_value": values.median(), "min": values.min(), "max": values.max()}
    rows = tuple(result(name, group, estimate=value, n=n) for name, value in numbers.items())
    middle, low, high = map(_days, numbers.values())
    return Fact(topic, label, numbers["median_value"], f"{middle} ({low}–{high})", rows)


def _days(value: float) -> str:
    """A number without a needless decimal: a median may lie between two whole ones."""
    return rounded(value, 0 if value % 1 == 0 else 1)


# --- the same curves, dealt again ----------------------------------------------------------------


def dealt_again(dataset: Dataset, rng: np.random.Generator, exchanges: int = EXCHANGES) -> Dataset:
    """The dataset after pairs of patients exchanged their times from response to relapse.

    So relapse-free survival and the incidence of relapse keep every time that they had, and overall
    survival is not touched. An exchange is made where both records keep the order of their events.
    """
    patients = dataset.patients.copy()
    relapsed = patients.index[patients["relapse_day"].notna() & responders(patients)]
    names = ["response_day", "relapse_day", "last_contact_day", "hsct_day"]
    response, relapse, last, hsct = patients.loc[relapsed, names].to_numpy(dtype=float).T
    for i, j in rng.integers(0, len(relapsed), (exchanges if len(relapsed) else 0, 2)):
        times = relapse[[i, j]] - response[[i, j]]
        new = response[[i, j]] + times[::-1]
        same_side = (new <= hsct[[i, j]]) == (relapse[[i, j]] <= hsct[[i, j]])
        if (new < last[[i, j]]).all() and same_side.all():
            relapse[[i, j]] = new
    patients.loc[relapsed, "relapse_day"] = relapse
    return dataclasses.replace(dataset, patients=patients)


def deals(dataset: Dataset, seed: int = 1, number: int = DEALS) -> pd.DataFrame:
    """What stays and what moves when the relapses are dealt again, `number` times.

    Results rows with a `label` more: the estimate is that of the dataset, `lower` and `upper` are
    the least and greatest of the deals.
    """
    rng, other, made = np.random.default_rng(seed), dataset, []
    for _ in range(number):
        other = dealt_again(other, rng)
        made.append([measure["estimate"] for measure in _measures(other)])
    rows = _measures(dataset)
    for row, values in zip(rows, zip(*made, strict=True), strict=True):
        row |= {"lower": min(values), "upper": max(values)}
    return pd.DataFrame(rows, columns=["label", *COLUMNS])


def _measures(dataset: Dataset) -> list[dict]:
    """Numbers of the curves, of Table 3, and of what lies between two events."""
    question, relapse = endpoint(dataset, "rfs"), endpoint(dataset, "relapse")
    middle = est.median(est.survival_curve(question.time, question.observed))[0]
    curve = est.cumulative_incidence(relapse.time, relapse.observed, 1)
    last = told_months(dataset, relapse)[-1]
    value = values_at(dataset, curve, [last]).iloc[0]
    by = f"Relapsed by {in_months(last)}" + ("" if value["at_risk"] else ", carried forward")
    days = relapse_to_death(dataset)
    rows = [
        ("Median relapse-free survival, months", "median", "rfs", None, dataset.months(middle)),
        (f"{by}, %", "cumulative_incidence", "relapse", last, value["incidence"]),
        *(_ratio(dataset, question, f) for f in _on_the_way(dataset)),
        ("Median days from relapse to death", "median_value", "relapse_to_death", None,
         days.median()),
        (f"Dead within {SOON} days of relapse, % of those who died", "percent",
         f"relapse_to_death<={SOON}", None, 100 * (days <= SOON).mean()),
    ]  # fmt: skip
    return [
        {"label": label} | result(quantity, group, months, estimate=float(value))
        for label, quantity, group, months, value in rows
    ]


def _on_the_way(dataset: Dataset) -> list[Factor]:
    """The postbaseline factors of relapse-free survival."""
    return [f for f in dataset.factors if f.kind == "postbaseline" and "rfs" in f.endpoints]


def _ratio(dataset: Dataset, question: Endpoint, factor: Factor) -> tuple:
    fit = est.cox(covariate_rows(dataset, question, [factor]), [factor.column])
    ratio = fit.summary().loc[factor.column, "hazard_ratio"]
    label = f"Hazard ratio of {factor.label}, {question.title.lower()}"
    return label, "hazard_ratio_univariate", f"rfs:{factor.column}", None, ratio


def deals_table(dataset: Dataset, found: pd.DataFrame, name: str, caption: str) -> Table:
    """Each number of `deals`: whether it is printed, in the cohort, and over the other deals."""
    printed = Print(dataset)
    rows = []
    for row in found.itertuples():
        months = None if pd.isna(row.months) else row.months
        known = "yes" if printed.has(row.quantity, row.group, months) else "no"
        own, *ends = (
            _days(value) if row.quantity == "median_value" else shown(value, row.quantity)
            for value in (row.estimate, row.lower, row.upper)
        )
        rows.append(Row(row.label, (known, own, "–".join(dict.fromkeys(ends)))))
    return Table(
        name,
        caption,
        ("Number", "Printed", "In the cohort", "In other deals"),
        rows,
        abbreviations=dataset.settings.abbreviations,
    )
