"""The curve of an endpoint in plain pandas and lifelines, for a reader to take away."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..dataset.definitions import Definition
from ..dataset.model import Dataset

MEDIAN = """\
# At exactly one half a median is the middle of that time, not its start.
half, under = free.index[free <= 0.5], free.index[free < 0.5]
print(f"Median {(half[0] + [*under, half[0]][0]) / 2:.1f} months")"""
FITTED = """\
fit = KaplanMeierFitter(label="free").fit(months, event.notna())
free = fit.survival_function_["free"].round(9)"""
CHART = """\
curve = fit.survival_function_.reset_index()
chart = alt.Chart(curve).mark_line(interpolate="step-after")
chart.encode(x="timeline", y="free").save("survival.html")"""
LONGEST = 15  # lines that a reader takes in at once
# lifelines counts those at risk who enter on the very day of an event.
LATE = """\
# Not lifelines: it counts who enters on the very day of an event.
came = came[kept]
days = sorted(months[came].unique())
at_risk = [((entry < t) & (months >= t)).sum() for t in days]
free = 1 - months[came].value_counts().reindex(days) / at_risk
free = free.cumprod().round(9)"""
INCIDENCE = """\
came = pd.DataFrame({{"all": 1, "event": {came}, "any": {any}}})
# Not lifelines: its fitter moves events of one day apart, by chance.
days = came.groupby(time).sum()
at_risk = days["all"][::-1].cumsum()[::-1]
neither = (1 - days["any"] / at_risk).cumprod().shift(fill_value=1)
first = neither * days["event"] / at_risk
print(f"By then: {{100 * first[:day].sum():.1f}}%")"""
LATE_INCIDENCE = """\
days = time[any_of_both].sort_values().unique()
at_risk = pd.Series([((entry < t) & (time >= t)).sum() for t in days], days)
gone = time[any_of_both].value_counts().sort_index() / at_risk
neither = (1 - gone).cumprod().shift(fill_value=1)
first = neither * time[{came}].value_counts().reindex(days, fill_value=0) / at_risk
print(f"By then: {{100 * first[:day].sum():.1f}}%")"""


def curve_code(dataset: Dataset, name: str) -> str:
    """Code that gives the median of an endpoint beside its `patients.csv`."""
    plan = dataset.endpoints[name]
    lines = [*_patients(dataset, plan), *_event(plan, plan.events, "event")]
    lines.append(f"months = ({_end(dataset, plan)}{_less(plan)}) / days_per_month")
    if plan.entry or _enters(dataset, plan):
        lines.append(f"entry = {_entry(dataset, plan)} / days_per_month")
        lines += ["came = event.notna()", *_at_risk("months"), LATE, MEDIAN]
        return "\n".join(["import pandas as pd", "", *lines])
    lines += [FITTED, MEDIAN]
    head = ["import pandas as pd", "from lifelines import KaplanMeierFitter", ""]
    if sum(line.count("\n") + 1 for line in [*head[:2], *lines, CHART]) < LONGEST:
        head, lines = ["import altair as alt", *head], [*lines[:-1], CHART, MEDIAN]
    return "\n".join([*head, *lines])


def incidence_code(dataset: Dataset, name: str) -> str:
    """Code that gives the incidence of an endpoint's event by a `day`."""
    plan = dataset.endpoints[name]
    lines = [*_patients(dataset, plan), *_event(plan, plan.events, "event")]
    lines += _event(plan, plan.competing, "other")
    lines.append(f"time = {_end(dataset, plan, 'other')}{_less(plan)}")
    came, both = "event.notna() & ~(other < event)", "event.notna() | other.notna()"
    if plan.entry or _enters(dataset, plan):
        lines += [f"entry = {_entry(dataset, plan)}", f"any_of_both = {both}"]
        lines += [*_at_risk("time"), LATE_INCIDENCE.format(came=came)]
    else:
        lines.append(INCIDENCE.format(came=came, any=both))
    return "\n".join(["import pandas as pd", "", *lines])


def _patients(dataset: Dataset, plan: Definition) -> Iterator[str]:
    """Who is asked."""
    yield 'patients = pd.read_csv("patients.csv")'
    if plan.start or plan.entry:
        needed = [column for column in (plan.start, plan.entry) if column]
        yield f"patients = patients.dropna(subset={_text(needed)})"
    if plan.among:
        there = ".notna()" if dataset.is_day(plan.among) else ' == "yes"'
        yield f"patients = patients[patients[{_text(plan.among)}]{there}]"
    start = f"patients[{_text(plan.start)}]" if plan.start else "0"
    for column in plan.after:
        yield f"patients = patients[patients[{_text(column)}] <= {start}]"
    for column in plan.not_before:
        if column in dataset.patients:
            yield f"patients = patients[~(patients[{_text(column)}] <= {start})]"
    yield 'last = patients["last_contact_day"]'


def _event(plan: Definition, columns: tuple[str, ...], name: str) -> Iterator[str]:
    """The day of the first of some events."""
    days = [column for column in columns if column != "died"]
    if "died" not in columns:
        one = f"patients[{_text(days[0])}]" if len(days) == 1 else ""
        yield f"{name} = {one or f'patients[{_text(days)}].min(axis=1)'}"
        return
    yield 'died = last.where(patients["died"] == "yes")'
    yield (
        f"{name} = patients[{_text(days)}].assign(died=died).min(axis=1)"
        if days
        else f"{name} = died"
    )


def _end(dataset: Dataset, plan: Definition, other: str = "") -> str:
    """The day of the first event, or of the end of follow-up."""
    seen = f"patients[{_text(plan.until)}].fillna(last)"
    until = seen if plan.until != "last_contact_day" and plan.until in dataset.patients else "last"
    if not other:
        return f"event.fillna({until})"
    return f"event.fillna(other).clip(upper=other).fillna({until})"


def _less(plan: Definition) -> str:
    return f" - patients[{_text(plan.start)}]" if plan.start else ""


def _enters(dataset: Dataset, plan: Definition) -> bool:
    return bool(plan.among) and dataset.is_day(plan.among)


def _entry(dataset: Dataset, plan: Definition) -> str:
    """The day after which each is at risk, on the endpoint's clock."""
    days = [column for column in (plan.entry, plan.among) if column]
    days = [column for column in days if column == plan.entry or dataset.is_day(column)]
    given = f"patients[{_text(days)}].max(axis=1)" if len(days) > 1 else ""
    found = given or f"patients[{_text(days[0])}]"
    late = f"({found}{_less(plan)})" if plan.start else found
    # Whoever is chosen by a day on or before the start is there from the start.
    return late if plan.entry else f"{late}.where(lambda day: day > 0, -1)"


def _at_risk(time: str) -> Iterator[str]:
    """Those who are ever at risk."""
    yield f"kept = ({time} >= 0) & (entry < {time})"
    yield f"{time}, entry = {time}[kept], entry[kept]"


def _text(value: str | list[str]) -> str:
    return json.dumps(value, ensure_ascii=False)
