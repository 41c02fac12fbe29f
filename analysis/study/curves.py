"""What a curve page records: the curve at months, means, follow-up, rates after landmarks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import ge

import numpy as np
import pandas as pd

from .. import survival as est
from ..dataset.endpoints import Endpoint
from ..dataset.model import Dataset
from ..page.charts import HEIGHT
from ..page.page import Page
from ..page.rows import at_risk, count_rows, frame, pick
from ..page.units import unit_of
from ..survival.sums import middle

DAYS_PER_YEAR = 365.25
# Even steps of an axis, in each unit of time: of three days or of thirty years.
STEPS = {
    "days": (0.25, 0.5, 1, 2, 7, 14, 28, 91, 182, 364, 728),
    "weeks": (0.5, 1, 2, 4, 13, 26, 52, 104, 260),
    "months": (1, 3, 6, 12, 24, 60, 120),
    "years": (0.25, 0.5, 1, 2, 5, 10),
}
MOST_STEPS = 8
# The column of a curve that each quantity is, and those whose `n` at a month are the followed.
HEIGHTS = {"survival": "survival", "cumulative_incidence": "incidence", "mean_count": "mean_count"}
OF_THOSE_AT_RISK = ("survival", "mean_count")
POINTS = 1000  # of all curves of a chart along its axis: as many as it is wide, and few bytes
DRAWN = ("estimate", "lower", "upper")
SEEN = 0.5 / HEIGHT  # of all shares, half a pixel: less than that moves no curve


def last_known(
    dataset: Dataset, results: pd.DataFrame, quantity: str, group: str
) -> pd.Series | None:
    """The row of the last landmark at which something is known; None where it is at none."""
    rows = [pick(results, quantity, group, month) for month in dataset.settings.months]
    known = [row for row in rows if pd.notna(row["estimate"])]
    return known[-1] if known else None


def at_least(dataset: Dataset) -> int:
    """Patients on whom a curve stands firmly, if they are also a tenth of all."""
    return max(10, dataset.mask_below)


def fewest(dataset: Dataset, most: float) -> float:
    """Patients on whom a curve of `most` stands firmly: ten, and a tenth."""
    return max(at_least(dataset), most / 10)


def last_firm(page: Page, quantity: str, *groups: str) -> tuple[float | None, bool]:
    """The last landmark at which every group is known and has its `fewest` followed, and True.

    Without such a landmark the last to which anybody of each is followed, or None, and False.
    """
    most = page.numbers.query("quantity == 'at_risk'").groupby("group")["estimate"].max()
    least = [fewest(page.data, most.get(group, 0)) for group in groups]
    followed = {
        month: [at_risk(page.numbers, group, month) for group in groups]
        for month in page.data.settings.months
        if all(page[quantity, group, month].known for group in groups)
    }
    known = [month for month, numbers in followed.items() if 0 not in numbers]
    firm = [month for month in known if all(map(ge, followed[month], least))]
    return max(firm or known, default=None), bool(firm)


def values_at(dataset: Dataset, curve: pd.DataFrame, months: Sequence[float]) -> pd.DataFrame:
    """A curve's values at some months, indexed by them; the curve is in days.

    Every number at a month comes from here: blank past the end of follow-up, see `survival.at`,
    and carried forward up to the dataset's `carry_forward_months`.
    """
    days = [dataset.days(month) for month in months]
    values = est.at(curve, days, dataset.days(dataset.settings.carry_forward_months))
    return values.set_axis(pd.Index(months, dtype=float, name="months"))


def thinned(steps: pd.DataFrame, curves: int, end: float) -> pd.DataFrame:
    """The steps of one of a chart's `curves` that a screen can show, where there are thousands.

    `steps` have a `month`, an `estimate` and, if they like, `lower`, `upper` and `censored`; the
    axis ends at the month `end`. Of each point of the axis the last step is kept, and of these each
    that is SEEN to have moved the curve or a limit since the last one. Who leaves is marked at each
    sixteenth point, or marks alone would be seen.
    """
    width = POINTS // curves
    if len(steps) <= width:
        return steps
    point = (steps["month"] / end * width).round()
    seen, heights = ~point.duplicated(keep="last"), steps[steps.columns.intersection(DRAWN)]
    seen[seen] = _moving(heights[seen])
    if "censored" in steps:
        marked = ~(point // 16).duplicated(keep="last")
        left = steps["censored"].groupby(point // 16).transform("sum")
        steps, seen = steps.assign(censored=left.where(marked, 0)), seen | (marked & left.gt(0))
    return steps[seen]


def _moving(heights: pd.DataFrame) -> list[bool]:
    """Which rows are apart from the last such row by what is SEEN; the first and the last are."""
    last, found = np.inf, []
    for height in heights.fillna(-1).to_numpy():
        found.append(bool(np.abs(height - last).max() >= SEEN))
        last = height if found[-1] else last
    return [*found[:-1], True]


def followed_landmarks(dataset: Dataset, question: Endpoint) -> list[float]:
    """The landmark months to which anybody is followed, or near enough to carry a value on."""
    end = last_month(dataset, question.time) + dataset.settings.carry_forward_months
    return [month for month in dataset.settings.months if month <= end * (1 + est.ROUNDING)]


def last_month(dataset: Dataset, time: np.ndarray) -> float:
    """The last of some days as months: whole, or a landmark, where only rounding keeps it off."""
    last, unit = dataset.months(time.max()), unit_of(dataset.settings).months
    return float(est.met(last, [round(last), round(last / unit) * unit, *dataset.settings.months]))


def told_months(dataset: Dataset, question: Endpoint, carried: bool = False) -> list[float]:
    """The landmarks that can be told, or else the last whole step to which anybody is followed.

    With `carried` also those at which a value is only carried forward.
    """
    longest = last_month(dataset, question.time)
    told = [m for m in followed_landmarks(dataset, question) if carried or m <= longest]
    grid = unit_of(dataset.settings).grid
    return told or [float(int(longest / grid)) * grid or longest]


def axis_months(dataset: Dataset, question: Endpoint) -> list[float]:
    """The ticks of the time axis of an endpoint's figure, see `ticks`."""
    last = last_month(dataset, question.time)
    return ticks(dataset, [last, *followed_landmarks(dataset, question)])


def followed_ticks(dataset: Dataset, question: Endpoint) -> list[float]:
    """Those of them to which anybody is followed."""
    last = last_month(dataset, question.time)
    return [month for month in axis_months(dataset, question) if month <= last]


def ticks(dataset: Dataset, told: Sequence[float]) -> list[float]:
    """The months of even steps of the dataset's unit, from 0 to the last month that is told."""
    unit = unit_of(dataset.settings)
    steps = STEPS[unit.name]
    longest = max(1.0 * (unit.name == "months"), *told) / unit.months or steps[0]
    step = next((s for s in steps if longest / s <= MOST_STEPS), steps[-1])
    return [float(number * unit.months) for number in np.arange(0, longest + step, step)]


def even_months(dataset: Dataset, last: float, begin: float = 0.0) -> np.ndarray:
    """The months of a drawn curve from `begin` to beyond the month `last`, no patient's own."""
    grid = unit_of(dataset.settings).grid
    return begin + grid * np.arange(max(0, np.ceil((last - begin) / grid)) + 1)


def plateau_month(dataset: Dataset) -> float:
    """The landmark from which a curve is asked to be flat: the first of the long-term survivors."""
    months = dataset.settings.months
    late = [month for month in months if month >= dataset.settings.long_term_months]
    return min(late, default=months[-1])


def survival_results(
    dataset: Dataset,
    question: Endpoint,
    curve: pd.DataFrame,
    ticks: Sequence[float] | None = None,
) -> pd.DataFrame:
    """Median, survival, numbers at ticks and landmarks, restricted means, follow-up, and more.

    `curve` is the endpoint's `survival_curve`, in days, `ticks` the months of the figure's axis
    where those are not the endpoint's own. `n` is the number at risk for `survival`,
    those followed beyond the month for what comes after it, and the number of subjects elsewhere;
    only where they are counted themselves, it is all patients;
    `events` counts up to the month, after it, or all.
    """
    n, events = question.size, question.many(question.observed > 0)
    whole = {"group": question.name, "n": n, "events": events}
    rows = [
        {"quantity": "median", **_months(dataset, est.median(curve)), **whole},
        *_curve_rows(dataset, question, curve, "survival", question.name, ticks),
        *_followed_rows(dataset, question, curve, ticks),
        *_restricted_means(dataset, curve, whole),
        *_follow_up(dataset, question, whole),
        *_rates_after(dataset, question, 1, question.name),
        *_survival_after(dataset, question),
        *_entry(dataset, question),
    ]
    return frame(rows)


def incidence_results(
    dataset: Dataset,
    question: Endpoint,
    curves: Mapping[str, pd.DataFrame],
    ticks: Sequence[float] | None = None,
) -> pd.DataFrame:
    """Cumulative incidence of each cause at ticks and landmarks, and rates after the landmarks.

    `curves` are in days, in the order of the causes' numbers; `ticks` as for `survival_results`.
    """
    rows = [
        row
        for cause, curve in curves.items()
        for row in _curve_rows(dataset, question, curve, "cumulative_incidence", cause, ticks)
    ]
    any_curve = next(iter(curves.values()))
    rows += _followed_rows(dataset, question, any_curve, ticks)
    rows += _counted_apart(question)
    # What the incidence of the first cause would seem to be if competing events were censored.
    naive = est.survival_curve(
        question.time, question.observed == 1, question.entry, question.number
    )
    for month, value in _shown_values(dataset, question, naive, ticks):
        common = {"quantity": "one_minus_survival", "group": next(iter(curves)), "months": month}
        rows.append({**common, "estimate": 1 - value["survival"], "n": question.size})
    for number, cause in enumerate(curves, start=1):
        rows += _rates_after(dataset, question, number, cause)
    return frame(rows)


def count_results(
    dataset: Dataset, question: Endpoint, curve: pd.DataFrame, ticks: Sequence[float] | None = None
) -> pd.DataFrame:
    """The mean number of events at ticks and landmarks, and how many are followed.

    `curve` is a `mean_count`, in days; `question` says whom it is about and until when each is
    followed. `n` is the number at risk, `events` counts all events up to the month.
    """
    rows = _curve_rows(dataset, question, curve, "mean_count", question.name, ticks)
    return frame([*rows, *_followed_rows(dataset, question, curve, ticks)])


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
    dataset: Dataset,
    question: Endpoint,
    curve: pd.DataFrame,
    quantity: str,
    group: str,
    ticks: Sequence[float] | None,
) -> Iterator[dict]:
    share = HEIGHTS[quantity]
    for month, value in _shown_values(dataset, question, curve, ticks):
        yield {
            "quantity": quantity,
            "group": group,
            "months": month,
            "estimate": value[share],
            "lower": value["lower"],
            "upper": value["upper"],
            "n": value["at_risk"] if quantity in OF_THOSE_AT_RISK else question.size,
            "events": value["events"],
        }


def _followed_rows(
    dataset: Dataset, question: Endpoint, curve: pd.DataFrame, ticks: Sequence[float] | None
) -> Iterator[dict]:
    """Until when anyone is followed; at each month how many still are, and how many have left."""
    common = {"group": question.name, "n": question.size}
    end = dataset.months(question.time.max())
    yield {"quantity": "followup_end", "estimate": end, **common}
    for quantity in ("at_risk", "censored"):
        for month, value in _shown_values(dataset, question, curve, ticks):
            yield {"quantity": quantity, "months": month, "estimate": value[quantity], **common}


def _shown_values(
    dataset: Dataset, question: Endpoint, curve: pd.DataFrame, ticks: Sequence[float] | None
) -> Iterator[tuple[float, pd.Series]]:
    """The curve at the axis's ticks and the landmarks, by month."""
    ticks = axis_months(dataset, question) if ticks is None else ticks
    months = sorted({*ticks, *map(float, dataset.settings.months)})
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
    left = question.observed == 0
    censored = pd.Series(question.time[left], dtype=float)
    # Reversed, the censored are the events; among the censored there is none.
    median = est.follow_up(question.time, question.observed, question.entry, question.number)
    reverse = _months(dataset, median)
    yield {"quantity": "median_followup", **reverse, **whole, "events": question.many(left)}
    among = {**whole, "n": question.many(left), "events": 0}
    number = None if question.number is None else question.number[left]
    for name, value in {
        "median": middle(censored, number),
        "min": censored.min(),
        "max": censored.max(),
    }.items():
        yield {"quantity": f"followup_{name}", "estimate": dataset.months(value), **among}


def _rates_after(dataset: Dataset, question: Endpoint, cause: int, group: str) -> Iterator[dict]:
    """Years lived in all, from month 0, and after each landmark, and the events in them."""
    years, observed = question.time / DAYS_PER_YEAR, question.observed == cause
    entry = None if question.entry is None else question.entry / DAYS_PER_YEAR
    for month in (0.0, *dataset.settings.months):
        start = dataset.days(month) / DAYS_PER_YEAR
        rate = est.event_rate(years, observed, start, entry, question.number)
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
        entry = None if question.entry is None else question.entry[later] - start
        number = None if question.number is None else question.number[later]
        curve = est.survival_curve(
            question.time[later] - start, question.observed[later], entry, number
        )
        value = values_at(dataset, curve, [last - month]).iloc[0]
        limits = {"estimate": value["survival"], "lower": value["lower"], "upper": value["upper"]}
        yield {**row, **limits, "n": question.many(later), "events": value["events"]}


def _entry(dataset: Dataset, question: Endpoint) -> Iterator[dict]:
    """How many of the patients enter the curve, and how many months they waited in the median."""
    everybody = pd.Series(True, index=dataset.patients.index)
    enters = pd.Series(everybody.index.isin(question.data.index), index=everybody.index)
    yield from count_rows(question.name, enters, everybody, "", dataset.number)
    yield from _counted_apart(question)
    wait = dataset.months(middle(question.data["origin"], question.number))
    common = {"group": f"{question.name}:origin", "n": question.size}
    yield {"quantity": "median_value", "estimate": wait, **common}


def ends_early(question: Endpoint) -> tuple[int, int] | None:
    """Under late entry: how many had all had the event, and how many entered only after that.

    A curve that has come to 0 stays there. None where it does not, or nobody enters later.
    """
    if question.entry is None:
        return None
    curve = est.survival_curve(
        question.time, question.observed > 0, question.entry, question.number
    )
    gone = curve[curve["survival"].eq(0)]
    if gone.empty or not (later := question.many(question.entry >= gone.index[0])):
        return None
    return int(gone["at_risk"].iloc[0]), later


def _counted_apart(question: Endpoint) -> Iterator[dict]:
    """Those who were gone before they came under observation, and the dead who count as left."""
    if early := ends_early(question):
        common = {"group": f"{question.name}:later", "n": early[0]}
        yield {"quantity": "count", "estimate": early[1], **common}
    if died := question.many(question.data["died"]):
        common = {"group": f"{question.name}:died", "n": question.size}
        yield {"quantity": "count", "estimate": died, **common}
    if question.never or question.entry is not None:
        group, n = question.name, question.size + question.never
        yield {"quantity": "never_at_risk", "group": group, "estimate": question.never, "n": n}


def _months(dataset: Dataset, days: Sequence[float]) -> dict:
    return {
        part: dataset.months(value)
        for part, value in zip(("estimate", "lower", "upper"), days, strict=True)
    }
