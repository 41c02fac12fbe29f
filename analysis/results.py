"""Every number of a page as rows of one table: what was estimated, of whom, with which interval.

Columns: `quantity, group, months, estimate, lower, upper, n, events`. Survival and incidence are
proportions (0-1), times months, percentages 0-100. Pages show these rows and nothing else.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from . import estimators as est
from .dataset import ROOT, Characteristic, Dataset, Factor, NotRecorded
from .endpoints import (
    Endpoint,
    covariate_rows,
    endpoint,
    entry_days,
    in_remission_at_hsct,
    long_term,
    never_at_risk,
    relapse_free,
    relapsed_before_hsct,
    responders,
    rows_as_if_known,
)

COLUMNS = ["quantity", "group", "months", "estimate", "lower", "upper", "n", "events"]
# Levels by which a column says that nothing is known.
UNKNOWN = {"unknown", "not known", "missing", "not recorded", "not available"}
SELECTION_LEVEL = 0.05  # the paper's level for candidates, entry and removal
DAYS_PER_YEAR = 365.25


def write(results: pd.DataFrame, folder: str | Path, page: str) -> None:
    """Write `folder/page.csv` at full precision; a relative folder counts from the repository."""
    folder = ROOT / folder
    folder.mkdir(parents=True, exist_ok=True)
    results.to_csv(folder / f"{page}.csv", index=False, lineterminator="\n")


def pick(
    results: pd.DataFrame, quantity: str, group: str, months: float | None = None
) -> pd.Series:
    """The one row of these keys. Raises KeyError where there is none."""
    # Plain arrays: a page asks for hundreds of rows, and comparing columns as pandas does takes
    # a sixth of its time.
    same = (results["quantity"].to_numpy() == quantity) & (results["group"].to_numpy() == group)
    at = results["months"].to_numpy(dtype=float)
    (found,) = np.nonzero(same & (np.isnan(at) if months is None else at == months))
    if len(found) != 1:
        raise KeyError(f"{len(found)} rows of {quantity}, {group}, {months}; expected one")
    return results.iloc[found[0]]


def at_risk(results: pd.DataFrame, group: str, month: float) -> float:
    """How many are followed to a month: of a cause, those of its endpoint. Blank where masked."""
    return own_or_only(results[results["months"].eq(month)], "at_risk", group)["estimate"]


def own_or_only(results: pd.DataFrame, quantity: str, group: str) -> pd.Series:
    """The first row of a quantity of a group; of a cause, that of the endpoint on its page."""
    rows = results[results["quantity"].eq(quantity)]
    own = rows[rows["group"].eq(group)]
    return (own if len(own) else rows).iloc[0]


def is_carried(results: pd.DataFrame, row: pd.Series) -> bool:
    """Whether a value at a month is that of an earlier one, since nobody is followed so long.

    Where nobody is left without an event nothing is carried: the value is known.
    """
    followed = at_risk(results, row["group"], row["months"])
    return bool(
        pd.notna(row["estimate"]) and followed == 0 and not nobody_left(results, row["group"])
    )


def nobody_left(results: pd.DataFrame, group: str) -> bool:
    """Whether a group's curve comes to 0, or its incidences together to all patients."""
    rows = results[results["quantity"].eq("survival") & results["group"].eq(group)]
    if len(rows):
        return bool(rows["estimate"].eq(0).any())
    causes = results[results["quantity"].eq("cumulative_incidence")]
    return bool(np.isclose(causes.groupby("months")["estimate"].sum(), 1).any())


def last_known(
    dataset: Dataset, results: pd.DataFrame, quantity: str, group: str
) -> pd.Series | None:
    """The row of the last landmark at which something is known; None where it is at none."""
    rows = [pick(results, quantity, group, month) for month in dataset.settings.months]
    known = [row for row in rows if pd.notna(row["estimate"])]
    return known[-1] if known else None


def anybody(row: pd.Series) -> bool:
    """Whether a result is about any patient, also where there are too few to be shown."""
    return bool(pd.isna(row["n"]) or row["n"] > 0)


def values_at(dataset: Dataset, curve: pd.DataFrame, months: Sequence[float]) -> pd.DataFrame:
    """A curve's values at some months, indexed by them; the curve is in days.

    Every number at a month comes from here: blank past the end of follow-up, see `estimators.at`,
    and carried forward up to the dataset's `carry_forward_months`.
    """
    days = [dataset.days(month) for month in months]
    values = est.at(curve, days, dataset.days(dataset.settings.carry_forward_months))
    return values.set_axis(pd.Index(months, dtype=float, name="months"))


def followed_landmarks(dataset: Dataset, question: Endpoint) -> list[float]:
    """The landmark months to which anybody is followed, or near enough to carry a value on."""
    end = last_month(dataset, question.time) + dataset.settings.carry_forward_months
    return [month for month in dataset.settings.months if month <= end * (1 + est.ROUNDING)]


def last_month(dataset: Dataset, time: np.ndarray) -> float:
    """The last of some days as months: whole, or a landmark, where only rounding keeps it off."""
    last = dataset.months(time.max())
    return float(est.met(last, [round(last), *dataset.settings.months]))


def told_months(dataset: Dataset, question: Endpoint) -> list[float]:
    """The landmarks that can be told, or else the last whole month to which anybody is followed."""
    longest = last_month(dataset, question.time)
    return followed_landmarks(dataset, question) or [float(int(longest)) or longest]


def axis_months(dataset: Dataset, question: Endpoint) -> list[float]:
    """The ticks of a figure's time axis: even steps from 0 that cover follow-up and landmarks."""
    followed = followed_landmarks(dataset, question)
    longest = max([1.0, last_month(dataset, question.time), *followed])  # all may leave on day 0
    step = next((s for s in (1, 3, 6, 12, 24, 60) if longest / s <= 8), 120)
    return [float(month) for month in np.arange(0, longest + step, step)]


def plateau_month(dataset: Dataset) -> float:
    """The landmark from which a curve is asked to be flat: the first of the long-term survivors."""
    months = dataset.settings.months
    late = [month for month in months if month >= dataset.settings.long_term_months]
    return min(late, default=months[-1])


# --- figures ---------------------------------------------------------------------------------


def survival_results(dataset: Dataset, question: Endpoint, curve: pd.DataFrame) -> pd.DataFrame:
    """Median, survival, numbers at ticks and landmarks, restricted means, follow-up, and more.

    `curve` is the endpoint's `survival_curve`, in days. `n` is the number at risk for `survival`,
    those followed beyond the month for what comes after it, and the number of subjects elsewhere;
    only where they are counted themselves, it is all patients;
    `events` counts up to the month, after it, or all.
    """
    n, events = len(question.data), int((question.observed > 0).sum())
    whole = {"group": question.name, "n": n, "events": events}
    rows = [
        {"quantity": "median", **_months(dataset, est.median(curve)), **whole},
        *_curve_rows(dataset, question, curve, "survival", question.name),
        *_followed_rows(dataset, question, curve),
        *_restricted_means(dataset, curve, whole),
        *_follow_up(dataset, question, whole),
        *_rates_after(dataset, question, 1, question.name),
        *_survival_after(dataset, question),
        *_entry(dataset, question),
    ]
    return frame(rows)


def incidence_results(
    dataset: Dataset, question: Endpoint, curves: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    """Cumulative incidence of each cause at ticks and landmarks, and rates after the landmarks.

    `curves` are in days, in the order of the causes' numbers.
    """
    rows = [
        row
        for cause, curve in curves.items()
        for row in _curve_rows(dataset, question, curve, "cumulative_incidence", cause)
    ]
    any_curve = next(iter(curves.values()))
    rows += _followed_rows(dataset, question, any_curve)
    # What the incidence of the first cause would seem to be if competing events were censored.
    naive = est.survival_curve(question.time, question.observed == 1)
    for month, value in _shown_values(dataset, question, naive):
        common = {"quantity": "one_minus_survival", "group": next(iter(curves)), "months": month}
        rows.append({**common, "estimate": 1 - value["survival"], "n": len(question.data)})
    for number, cause in enumerate(curves, start=1):
        rows += _rates_after(dataset, question, number, cause)
    return frame(rows)


def survival_rows(
    dataset: Dataset, curve: pd.DataFrame, quantity: str, group: str, months: Sequence[float]
) -> Iterator[dict]:
    """A row of `quantity` for each month, of a survival curve in days; `n` is still at risk."""
    for month, value in values_at(dataset, curve, months).iterrows():
        yield {
            "quantity": quantity,
            "group": group,
            "months": month,
            "estimate": value["survival"],
            "lower": value["lower"],
            "upper": value["upper"],
            "n": value["at_risk"],
            "events": value["events"],
        }


def _curve_rows(
    dataset: Dataset, question: Endpoint, curve: pd.DataFrame, quantity: str, group: str
) -> Iterator[dict]:
    share = "survival" if quantity == "survival" else "incidence"
    for month, value in _shown_values(dataset, question, curve):
        yield {
            "quantity": quantity,
            "group": group,
            "months": month,
            "estimate": value[share],
            "lower": value["lower"],
            "upper": value["upper"],
            "n": value["at_risk"] if quantity == "survival" else len(question.data),
            "events": value["events"],
        }


def _followed_rows(dataset: Dataset, question: Endpoint, curve: pd.DataFrame) -> Iterator[dict]:
    """Until when anyone is followed; at each month how many still are, and how many have left."""
    common = {"group": question.name, "n": len(question.data)}
    end = dataset.months(question.time.max())
    yield {"quantity": "followup_end", "estimate": end, **common}
    for quantity in ("at_risk", "censored"):
        for month, value in _shown_values(dataset, question, curve):
            yield {"quantity": quantity, "months": month, "estimate": value[quantity], **common}


def _shown_values(
    dataset: Dataset, question: Endpoint, curve: pd.DataFrame
) -> Iterator[tuple[float, pd.Series]]:
    """The curve at the axis's ticks and the landmarks, by month."""
    months = sorted({*axis_months(dataset, question), *map(float, dataset.settings.months)})
    yield from values_at(dataset, curve, months).iterrows()


def _restricted_means(dataset: Dataset, curve: pd.DataFrame, whole: dict) -> Iterator[dict]:
    for month in dataset.settings.months:
        horizon = dataset.days(month)
        if est.beyond([horizon], curve.index[-1]).any():
            yield {"quantity": "rmst", "months": month, **whole, "events": None}
            continue
        mean, error = est.restricted_mean(curve, horizon)
        limits = _months(dataset, (mean, mean - est.Z * error, mean + est.Z * error))
        events = est.at(curve, [horizon])["events"].iloc[0]
        yield {"quantity": "rmst", "months": month, **limits, **whole, "events": events}


def _follow_up(dataset: Dataset, question: Endpoint, whole: dict) -> Iterator[dict]:
    censored = pd.Series(question.time[question.observed == 0], dtype=float)
    # Reversed, the censored are the events; among the censored there is none.
    reverse = _months(dataset, est.follow_up(question.time, question.observed))
    yield {"quantity": "median_followup", **reverse, **whole, "events": len(censored)}
    among = {**whole, "n": len(censored), "events": 0}
    for name in ("median", "min", "max"):
        value = dataset.months(getattr(censored, name)())
        yield {"quantity": f"followup_{name}", "estimate": value, **among}


def _rates_after(dataset: Dataset, question: Endpoint, cause: int, group: str) -> Iterator[dict]:
    """What the plateau rests on: years lived after each landmark, and the events in them."""
    years, observed = question.time / DAYS_PER_YEAR, question.observed == cause
    for month in dataset.settings.months:
        start = dataset.days(month) / DAYS_PER_YEAR
        rate = est.event_rate(years, observed, start)
        common = {"group": group, "months": month, "n": rate.n}
        if not rate.n:  # nobody is followed so long
            yield {"quantity": "event_rate", **common}
            yield {"quantity": "person_years", **common}
            continue
        limits = {"estimate": rate.estimate, "lower": rate.lower, "upper": rate.upper}
        common["events"] = rate.events
        yield {"quantity": "event_rate", **limits, **common}
        yield {"quantity": "person_years", "estimate": rate.exposure, **common}


def _survival_after(dataset: Dataset, question: Endpoint) -> Iterator[dict]:
    """Survival to the last landmark of those followed beyond each earlier one."""
    *starts, last = dataset.settings.months
    for month in starts:
        row = {"quantity": "conditional_survival", "group": question.name, "months": month}
        start = dataset.days(month)
        later = est.beyond(question.time, start)
        if not later.any():
            yield {**row, "n": 0}
            continue
        curve = est.survival_curve(question.time[later] - start, question.observed[later])
        value = values_at(dataset, curve, [last - month]).iloc[0]
        limits = {"estimate": value["survival"], "lower": value["lower"], "upper": value["upper"]}
        yield {**row, **limits, "n": int(later.sum()), "events": value["events"]}


def _entry(dataset: Dataset, question: Endpoint) -> Iterator[dict]:
    """How many of the patients enter the curve, and how many months they waited in the median."""
    everybody = pd.Series(True, index=dataset.patients.index)
    enters = pd.Series(everybody.index.isin(question.data.index), index=everybody.index)
    yield from _count_rows(question.name, enters, everybody, "")
    wait = dataset.months(question.data["origin"].median())
    common = {"group": f"{question.name}:origin", "n": len(question.data)}
    yield {"quantity": "median_value", "estimate": wait, **common}


def _months(dataset: Dataset, days: Sequence[float]) -> dict:
    return {
        part: dataset.months(value)
        for part, value in zip(("estimate", "lower", "upper"), days, strict=True)
    }


def headline_results(dataset: Dataset) -> pd.DataFrame:
    """The survival results of every endpoint that the dataset can answer.

    Raises NotRecorded where its patients are so few that they are masked.
    """
    endpoint(dataset, "os")
    made = []
    for question in answerable(dataset, "os", "rfs", "os_after_hsct"):
        curve = est.survival_curve(question.time, question.observed)
        made.append(survival_results(dataset, question, curve))
    return pd.concat(made, ignore_index=True)


def answerable(dataset: Dataset, *names: str) -> list[Endpoint]:
    """Those of the endpoints that the dataset records."""
    found = []
    for name in names:
        with contextlib.suppress(NotRecorded):
            found.append(endpoint(dataset, name))
    return found


# --- tables of characteristics ---------------------------------------------------------------


def known(values: pd.Series) -> pd.Series:
    """Where a column says something: not where it is blank, or has a level such as Unknown."""
    return values.notna() & ~values.astype(str).str.strip().str.casefold().isin(UNKNOWN)


def filled_results(dataset: Dataset) -> pd.DataFrame:
    """How many patients there are, and in how many of them each column is known."""
    everybody = pd.Series(True, index=dataset.patients.index)
    rows = [
        {"quantity": "count", "group": name, "estimate": number, "n": len(dataset.patients)}
        for name, number in dataset.patients.apply(known).sum().items()
    ]
    return frame([*_headcount({"": everybody}), *rows])


def characteristics_results(
    dataset: Dataset, kinds: Iterable[str], columns: Mapping[str, pd.Series]
) -> pd.DataFrame:
    """Counts, percentages and statistics of the dataset's characteristics of some `kinds`.

    `columns` maps each column of the table to a mask over the patients; a column named "" adds
    nothing to the group's key. Raises NotRecorded where the dataset describes none.
    """
    chosen = [entry for entry in dataset.characteristics if entry.kind in tuple(kinds)]
    if not chosen:
        raise NotRecorded("This dataset describes no characteristics of its patients.")
    return frame(
        [
            *_headcount(columns),
            *(
                row
                for entry in chosen
                for column, mask in columns.items()
                for row in _characteristic_rows(dataset, entry, mask, _suffix(column))
            ),
        ]
    )


def baseline_results(dataset: Dataset) -> pd.DataFrame:
    """Table 1: every patient's baseline characteristics, and who is known in every factor."""
    everybody = pd.Series(True, index=dataset.patients.index)
    table = characteristics_results(dataset, ["baseline"], {"": everybody})
    baseline = [factor for factor in dataset.factors if factor.kind == "baseline"]
    if not baseline:
        return table
    complete = covariate_rows(dataset, endpoint(dataset, "os"), baseline)["patient"]
    known = pd.Series(everybody.index.isin(complete), index=everybody.index)
    return pd.concat(
        [table, frame(_count_rows("known_in_every_factor", known, everybody, ""))],
        ignore_index=True,
    )


def outcome_columns(dataset: Dataset) -> dict[str, pd.Series]:
    """The columns of Table 2: known alive after the long-term month, the others, all.

    All alone where nobody is known to have lived so long.
    """
    alive = long_term(dataset)
    if not alive.any():
        return {"total": ~alive}
    return {"long_term": alive, "shorter": ~alive, "total": alive | True}


def outcome_results(dataset: Dataset) -> pd.DataFrame:
    """Table 2: the dataset's own outcomes, then MRD response, transplant and relapse-free survival.

    Below them the two answers to how many lived that long: who was alive but last seen earlier
    (`lost`), and the Kaplan-Meier estimate. Raises NotRecorded where the dataset has no outcome.
    """
    columns, derived = outcome_columns(dataset), derived_outcomes(dataset)
    rows = [
        row
        for entry in outcome_order(dataset)
        for column, mask in columns.items()
        for row in (
            _characteristic_rows(dataset, entry, mask, _suffix(column))
            if isinstance(entry, Characteristic)
            else _count_rows(entry, derived[entry], mask, _suffix(column))
        )
    ]
    if not rows:
        raise NotRecorded(
            "Outcomes cannot be compared: this dataset records no response, transplant or relapse "
            "and describes no outcome of its own."
        )
    if "long_term" in columns:
        rows += _count_rows("long_term", columns["long_term"], columns["total"], "")
        lost = ~columns["long_term"] & dataset.patients["died"].eq("no")
        for column, mask in columns.items():
            rows += _count_rows("lost", lost, mask, _suffix(column))
        rows.append(_survival_at_long_term(dataset))
    return frame([*_headcount(columns), *rows])


def _survival_at_long_term(dataset: Dataset) -> dict:
    question, month = endpoint(dataset, "os"), dataset.settings.long_term_months
    curve = est.survival_curve(question.time, question.observed)
    return next(survival_rows(dataset, curve, "survival", question.name, [month]))


def derived_outcomes(dataset: Dataset) -> dict[str, pd.Series]:
    """The rows of Table 2 that the reserved columns give, as masks over the patients."""
    patients = dataset.patients
    found = {}
    if "mrd_response_day" in patients:
        found["mrd_response_day"] = dataset.happened("mrd_response_day")
    if "hsct_day" in patients:
        found["hsct_day"] = dataset.happened("hsct_day")
    if {"hsct_day", "response_day"} <= set(patients):
        found["hsct_in_remission"] = in_remission_at_hsct(patients)
        found["hsct_after_relapse"] = relapsed_before_hsct(patients)
        known = found["hsct_in_remission"] | found["hsct_after_relapse"]
        found["hsct_without_response"] = found["hsct_day"] & ~known
    if {"relapse_day", "response_day"} <= set(patients):
        found["relapse_free"] = relapse_free(dataset)
        if "hsct_day" in patients:
            transplanted = found["hsct_day"]
            found["relapse_free_without_hsct"] = found["relapse_free"] & ~transplanted
            found["relapse_free_after_hsct"] = found["relapse_free"] & transplanted
    return found


def outcome_order(dataset: Dataset) -> list[Characteristic | str]:
    """The rows of Table 2 in order: a characteristic among the MRD responders follows theirs."""
    own = [entry for entry in dataset.characteristics if entry.kind == "outcome"]
    order: list[Characteristic | str] = [entry for entry in own if entry.among is None]
    for name in derived_outcomes(dataset):
        order += [name, *(entry for entry in own if entry.among == name)]
    return order + [entry for entry in own if entry.among and entry not in order]


def relapse_free_columns(dataset: Dataset) -> dict[str, pd.Series]:
    """The columns of Supporting Table 1: responders, by long-term relapse-free status."""
    dataset.require("Characteristics by relapse-free status", "response_day", "relapse_day")
    everybody = responders(dataset.patients)
    free = relapse_free(dataset) & _long_term(dataset)
    transplanted = in_remission_at_hsct(dataset.patients) if _has_hsct(dataset) else None
    status = {"relapse_free": free, "other": everybody & ~free}
    return {**_by_transplant(status, transplanted), "total": everybody}


def survival_columns(dataset: Dataset) -> dict[str, pd.Series]:
    """The columns of Supporting Table 2: all patients, by long-term survival."""
    alive = _long_term(dataset)
    transplanted = dataset.happened("hsct_day") if _has_hsct(dataset) else None
    status = {"long_term": alive, "shorter": ~alive}
    return {**_by_transplant(status, transplanted), "total": alive | True}


def _long_term(dataset: Dataset) -> pd.Series:
    """Who is known to have lived so long. Raises NotRecorded where nobody is."""
    alive = long_term(dataset)
    if not alive.any():
        raise NotRecorded(
            "Long-term survivors cannot be compared: nobody in this dataset was followed "
            f"beyond {dataset.settings.long_term_months:g} months."
        )
    return alive


def _has_hsct(dataset: Dataset) -> bool:
    return "hsct_day" in dataset.patients


def _by_transplant(
    status: Mapping[str, pd.Series], transplanted: pd.Series | None
) -> dict[str, pd.Series]:
    if transplanted is None:
        return dict(status)
    return {
        f"{name}_{suffix}": mask & side
        for name, mask in status.items()
        for suffix, side in (("with_hsct", transplanted), ("without_hsct", ~transplanted))
    }


def _suffix(column: str) -> str:
    return f"|{column}" if column else ""


def _headcount(columns: Mapping[str, pd.Series]) -> Iterator[dict]:
    for column, mask in columns.items():
        count = int(mask.sum())
        group = f"patients{_suffix(column)}"
        yield {"quantity": "count", "group": group, "estimate": count, "n": count}


def _characteristic_rows(
    dataset: Dataset, entry: Characteristic, mask: pd.Series, suffix: str
) -> Iterator[dict]:
    if entry.among:
        mask = mask & dataset.happened(entry.among)
    values = dataset.patients[entry.column]
    if entry.statistics:
        yield from _number_rows(entry.column + suffix, values[mask].dropna())
        return
    for level in shown_levels(dataset, entry):
        yield from _count_rows(f"{entry.column}={level}", values.eq(level), mask, suffix)
    if not entry.among and values.isna().any():
        yield from _count_rows(f"{entry.column}=", values.isna(), mask, suffix)


def shown_levels(dataset: Dataset, entry: Characteristic) -> list[str]:
    """The levels that the dataset lists, or those that its patients have."""
    return list(entry.levels) or sorted(dataset.patients[entry.column].dropna().unique())


def _number_rows(group: str, values: pd.Series) -> Iterator[dict]:
    statistics = {
        "count": len(values),
        "median_value": values.median(),
        "min": values.min(),
        "max": values.max(),
        "mean": values.mean(),
        "sd": values.std(),
    }
    for quantity, value in statistics.items():
        yield {"quantity": quantity, "group": group, "estimate": value, "n": len(values)}


def _count_rows(name: str, which: pd.Series, mask: pd.Series, suffix: str) -> Iterator[dict]:
    count, n = int((which & mask).sum()), int(mask.sum())
    yield {"quantity": "count", "group": name + suffix, "estimate": count, "n": n}
    percent = 100 * count / n if n else np.nan
    yield {"quantity": "percent", "group": name + suffix, "estimate": percent, "n": n}


# --- the flow of the patients ----------------------------------------------------------------


@dataclass(frozen=True)
class Branch:
    """Patients of the flow diagram: those of the group `parent` whom the mask `which` holds.

    The branches of one parent share out its patients: each patient is in just one of them.
    """

    name: str
    parent: str
    which: pd.Series

    @property
    def group(self) -> str:
        """Its key in the results."""
        return self.name + _suffix(self.parent)


def flow(dataset: Dataset) -> list[Branch]:
    """What became of the patients, as far as the reserved columns say; a parent before its parts.

    All patients; then by response; the responders by transplant in remission; each of these by
    what came first of relapse and death; who did not respond, by death alone.
    """
    patients = dataset.patients
    everybody = pd.Series(True, index=patients.index)
    made = [Branch("patients", "", everybody)]
    if "response_day" not in patients:
        return made + _ends(dataset, made[0], relapse=False)
    responded = responders(patients)
    response = Branch("response_day", "patients", responded)
    neither = Branch("no_response", "patients", ~responded)
    relapse = "relapse_day" in patients
    made.append(response)
    if _has_hsct(dataset):
        treated = in_remission_at_hsct(patients)
        for name, which in (("hsct_in_remission", treated), ("no_hsct_in_remission", ~treated)):
            part = Branch(name, response.name, responded & which)
            made += [part, *_ends(dataset, part, relapse)]
    else:
        made += _ends(dataset, response, relapse)
    return [*made, neither, *_ends(dataset, neither, relapse=False)]


def _ends(dataset: Dataset, parent: Branch, relapse: bool) -> list[Branch]:
    """How the patients of a branch ended, with relapse before death where it is asked."""
    died = dataset.patients["died"].eq("yes")
    parts = {"died": died, "alive": ~died}
    if relapse:
        relapsed = dataset.happened("relapse_day")
        parts = {
            "relapsed": relapsed,
            "died_without_relapse": died & ~relapsed,
            "alive_without_relapse": ~died & ~relapsed,
        }
    return [Branch(name, parent.name, parent.which & which) for name, which in parts.items()]


def flow_results(dataset: Dataset) -> pd.DataFrame:
    """Counts of the flow diagram, each within its parent, and what its page warns of.

    `seen_early|alive_at_end`: of all alive at their last contact, who had it by the long-term
    month. `other_hsct|hsct_day`: of all transplanted, who is in no box of the diagram.
    `gone_by_then|no_hsct_in_remission`: of the responders not transplanted in remission, who had
    relapsed, died or left follow-up by the median time from response to transplant in the others.
    That median is `median_value` of `wait`, in months.
    """
    branches = flow(dataset)
    # Ends of the same name overwrite each other here, but only parents are looked up.
    masks = {"": branches[0].which, **{branch.name: branch.which for branch in branches}}
    rows = [
        row
        for branch in branches
        for row in _count_rows(
            branch.name, branch.which, masks[branch.parent], _suffix(branch.parent)
        )
    ]
    alive = dataset.patients["died"].eq("no")
    rows += _count_rows("seen_early", ~long_term(dataset), alive, "|alive_at_end")
    if "hsct_in_remission" in masks:
        rows += _wait_rows(dataset, masks["hsct_in_remission"], masks["no_hsct_in_remission"])
    return frame(rows)


def _wait_rows(dataset: Dataset, treated: pd.Series, others: pd.Series) -> Iterator[dict]:
    patients = dataset.patients
    transplanted = dataset.happened("hsct_day")
    yield from _count_rows("other_hsct", ~treated, transplanted, "|hsct_day")
    wait = (patients["hsct_day"] - patients["response_day"])[treated].median()
    common = {"group": "wait", "n": int(treated.sum())}
    yield {"quantity": "median_value", "estimate": dataset.months(wait), **common}
    end = patients["last_contact_day"]
    if "relapse_day" in patients:
        end = patients["relapse_day"].fillna(end)
    gone = pd.Series(~est.beyond(end - patients["response_day"], wait), index=patients.index)
    yield from _count_rows("gone_by_then", gone, others, "|no_hsct_in_remission")


# --- the numbers of the text -----------------------------------------------------------------


def text_results(dataset: Dataset) -> pd.DataFrame:
    """Counts of the sentences that no table has: survivors by relapse and transplant.

    Each row counts the patients of its name within its column, which is the denominator:
    `relapse_free_after_hsct|relapse_free` are the transplanted of the relapse-free long-term
    survivors. Raises NotRecorded where response, relapse or transplant is not in the dataset.
    """
    dataset.require("The numbers of the text", "response_day", "relapse_day", "hsct_day")
    responded, alive = responders(dataset.patients), _long_term(dataset)
    free, transplanted = relapse_free(dataset), dataset.happened("hsct_day")
    after, without = free & transplanted, free & ~transplanted
    columns = {
        "": alive | True,
        "response_day": responded,
        "long_term": alive,
        "relapse_free": alive & free,
        "long_term_without_hsct": alive & ~transplanted,
    }
    shares = [
        ("response_day", responded, ""),
        ("relapse_free", free, "long_term"),
        ("without_hsct", ~transplanted, "long_term"),
        ("relapse_free_without_hsct", without, "long_term"),
        ("relapse_free_after_hsct", after, "relapse_free"),
        ("relapse_free_without_hsct", without, "relapse_free"),
        # What the page says against misreading: the other denominator, and who is in both groups.
        ("long_term_relapse_free", alive & free, "response_day"),
        ("relapse_free_after_hsct", after, "long_term_without_hsct"),
    ]
    rows = [
        row
        for name, which, column in shares
        for row in _count_rows(name, which, columns[column], _suffix(column))
    ]
    return frame([*_headcount(columns), *rows])


# --- Table 3 ---------------------------------------------------------------------------------


def factor_results(dataset: Dataset, question: Endpoint) -> pd.DataFrame:
    """Hazard ratios of one endpoint: each factor alone, the candidates, stepwise, and over time.

    `univariate` fits each factor by itself. `unselected` holds all candidates, the factors whose
    univariate Wald P is below .05, in the patients complete in all of those, and `multivariate`
    what stepwise selection keeps of them. `postbaseline` fits the postbaseline factors that can
    come to every patient of the endpoint together: transplant, say, follows response. `fixed`
    counts a postbaseline factor as if known from the start, which is wrong. `never_at_risk` counts
    those of a factor's `among`, where it is a day, whose time ends on or before it.
    `p_proportional_*` tests that a model's ratios stay the same over time; under the endpoint's
    name, all at once. `early` and `late` are a factor's ratios before and after `split` months.
    An estimate is missing where a factor separates the events or does not vary.
    Two statements for every factor say 1 for yes and 0 for no: `associated`, its univariate P is
    below .05, and `kept`, the stepwise model holds it. Both are missing without an estimate.
    """
    factors = factors_of(dataset, question)
    rows = []
    for factor in factors:
        alone = covariate_rows(dataset, question, [factor])
        rows += model_rows(question, "univariate", [factor], alone)
        rows += _proportional(question, "univariate", [factor], alone)[:1]
        rows += _early_and_late(dataset, question, factor, alone)
        rows += _entering(dataset, question, factor)
    later = _postbaseline(dataset, question)
    rows += [row for factor in later for row in _fixed(dataset, question, factor)]
    p = {row["group"]: row["estimate"] for row in rows if row["quantity"] == "p_univariate"}
    candidates = [f for f in factors if p[_key(question, f)] < SELECTION_LEVEL]
    chosen: list[Factor] = []
    if candidates:
        complete = covariate_rows(dataset, question, candidates)
        rows += model_rows(question, "unselected", candidates, complete)
        kept = est.stepwise(complete, [f.column for f in candidates], SELECTION_LEVEL)
        chosen = [f for f in candidates if f.column in kept]
        if chosen:
            rows += model_rows(question, "multivariate", chosen, complete)
            rows += _proportional(question, "multivariate", chosen, complete)
    everybody = [factor for factor in later if _of_all(dataset, question, factor)]
    if len(everybody) > 1:
        together = covariate_rows(dataset, question, everybody)
        rows += model_rows(question, "postbaseline", everybody, together)
    rows += _statements({key: p[key] < SELECTION_LEVEL for key in p}, "associated", p)
    rows += _statements({_key(question, f): f in chosen for f in factors}, "kept", p)
    return frame(rows)


def forward_results(dataset: Dataset, column: str | None = None) -> pd.DataFrame:
    """Death after what comes after baseline: from its day (`univariate`), as if known (`fixed`).

    Of the factor of one `column`, or of all; no rows where the dataset names none.
    """
    question = endpoint(dataset, "os")
    rows = []
    for factor in _postbaseline(dataset, question):
        if column in (None, factor.column):
            alone = covariate_rows(dataset, question, [factor])
            rows += model_rows(question, "univariate", [factor], alone)
            rows += _fixed(dataset, question, factor)
    return frame(rows)


def _postbaseline(dataset: Dataset, question: Endpoint) -> list[Factor]:
    return [f for f in factors_of(dataset, question) if f.kind == "postbaseline"]


def _fixed(dataset: Dataset, question: Endpoint, factor: Factor) -> list[dict]:
    return model_rows(question, "fixed", [factor], rows_as_if_known(dataset, question, factor))


def _proportional(
    question: Endpoint, kind: str, factors: Sequence[Factor], rows: pd.DataFrame
) -> list[dict]:
    """P of each factor of a model, then of all together."""
    p = est.proportional_hazards_test(rows, [factor.column for factor in factors])["p"]
    keys = [*(_key(question, factor) for factor in factors), question.name]
    common = {"n": rows["patient"].nunique(), "events": rows["event"].sum()}
    return [
        {"quantity": f"p_proportional_{kind}", "group": key, "estimate": value, **common}
        for key, value in zip(keys, p, strict=True)
    ]


def _early_and_late(
    dataset: Dataset, question: Endpoint, factor: Factor, rows: pd.DataFrame
) -> list[dict]:
    split, fits = est.early_and_late(rows, factor.column)
    group, seen = {"group": _key(question, factor)}, {"n": rows["patient"].nunique()}
    seen["events"] = rows["event"].sum()
    made = [{"quantity": "split", "estimate": dataset.months(split), **group, **seen}]
    for side, fit in fits.items():
        seen = {"n": fit.n, "events": fit.events}
        ratio = _ratio_of(fit.summary().loc[factor.column])
        made.append({"quantity": f"hazard_ratio_{side}", **ratio, **group, **seen})
    return made


def _entering(dataset: Dataset, question: Endpoint, factor: Factor) -> Iterator[dict]:
    """Who never comes to be at risk, where a factor's patients enter on a day."""
    if factor.among and dataset.is_day(factor.among):
        never = never_at_risk(dataset, question, factor)
        asked = entry_days(dataset, question, [factor]).notna().sum()
        group = {"group": _key(question, factor)}
        yield {"quantity": "never_at_risk", "estimate": never, "n": asked, **group}


def _statements(true: Mapping[str, bool], quantity: str, p: Mapping[str, float]) -> Iterator[dict]:
    for key, value in true.items():
        estimate = np.nan if pd.isna(p[key]) else float(value)
        yield {"quantity": quantity, "group": key, "estimate": estimate}


def _of_all(dataset: Dataset, question: Endpoint, factor: Factor) -> bool:
    """Whether every patient of the endpoint is in the factor's model from the start."""
    return bool((entry_days(dataset, question, [factor]) == -np.inf).all())


def factors_of(dataset: Dataset, question: Endpoint) -> list[Factor]:
    """The dataset's factors for an endpoint, in its order."""
    return [factor for factor in dataset.factors if question.name in factor.endpoints]


def factor_labels(dataset: Dataset, question: Endpoint) -> dict[str, str]:
    """The labels of an endpoint's factors by their group in the results, in the dataset's order."""
    return {_key(question, factor): factor.label for factor in factors_of(dataset, question)}


def factor_endpoints(dataset: Dataset) -> list[Endpoint]:
    """The endpoints of Table 3 that the dataset records and names factors for."""
    found = [q for q in answerable(dataset, "os", "rfs") if factors_of(dataset, q)]
    if not found:
        endpoint(dataset, "os")  # where its patients are masked, that is the reason
        raise NotRecorded("No factors can be compared: this dataset names none.")
    return found


def model_rows(
    question: Endpoint, kind: str, factors: Sequence[Factor], rows: pd.DataFrame
) -> list[dict]:
    """`hazard_ratio_KIND` and `p_KIND` of each factor in one Cox model of the rows."""
    fit = est.cox(rows, [factor.column for factor in factors])
    made = []
    for factor, (_, line) in zip(factors, fit.summary().iterrows(), strict=True):
        common = {"group": _key(question, factor), "n": fit.n, "events": fit.events}
        made.append({"quantity": f"hazard_ratio_{kind}", **_ratio_of(line), **common})
        made.append({"quantity": f"p_{kind}", "estimate": line["p"], **common})
    return made


def _ratio_of(line: pd.Series) -> dict:
    return {"estimate": line["hazard_ratio"], "lower": line["lower"], "upper": line["upper"]}


def _key(question: Endpoint, factor: Factor) -> str:
    return f"{question.name}:{factor.column}"


def frame(rows: Iterable[dict]) -> pd.DataFrame:
    """Rows of results as a table with every one of COLUMNS, blank where a row has none."""
    frame = pd.DataFrame(list(rows), columns=COLUMNS)
    numbers = COLUMNS[2:]
    frame[numbers] = frame[numbers].astype(float)
    return frame.astype({"n": "Int64", "events": "Int64"})
