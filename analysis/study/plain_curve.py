"""The curve of an endpoint in plain pandas and lifelines, for a reader to take away."""

from __future__ import annotations

import json
from collections.abc import Iterator

from ..dataset.definitions import Definition
from ..dataset.model import Dataset

MEDIAN = """\
# At exactly one half a median is the middle of that time, not its start.
half, under = free.index[free <= 0.5], free.index[free < 0.5]
print(f"Median {(half[0] + [*under, half[0]][0]) / 2:.1f} {unit}")"""
FITTED = """\
fit = KaplanMeierFitter(label="free").fit(time, event.notna())
free = fit.survival_function_["free"].round(9)"""
CHART = """\
curve = fit.survival_function_.reset_index()
chart = alt.Chart(curve).mark_line(interpolate="step-after")
chart.encode(x="timeline", y="free").save("survival.html")"""
MODEL = """\
value = patients[column]
if first:  # one side against the other; who is on neither is left out
    sides = value.isin(first.split("|")), value.isin(other.split("|"))
    value = sides[0].astype(float).where(sides[0] | sides[1])
rows = pd.DataFrame({"x": value, "days": days, "came": event.notna()})
fit = CoxPHFitter().fit(rows.dropna(), "days", "came")
print(f"Hazard ratio {fit.hazard_ratios_['x']:.2f}")"""
LONGEST = 15  # lines that a reader takes in at once
# lifelines counts those at risk who enter on the very day of an event.
LATE = """\
# Not lifelines: it counts who enters on the very day of an event.
came = came[kept]
days = sorted(time[came].unique())
at_risk = [((entry < t) & (time >= t)).sum() for t in days]
free = 1 - time[came].value_counts().reindex(days) / at_risk
free = free.cumprod().round(9)"""
INCIDENCE = """\
came = pd.DataFrame({"all": 1, "event": event == first, "any": first.notna()})
# Not lifelines: its fitter moves events of one day apart, by chance.
days = came.groupby(time).sum()
at_risk = days["all"][::-1].cumsum()[::-1]
neither = (1 - days["any"] / at_risk).cumprod().shift(fill_value=1)
grows = neither * days["event"] / at_risk
print(f"By then: {100 * grows[:day].sum():.1f}%")"""
LATE_INCIDENCE = """\
came, event_first = first.notna()[kept], (event == first)[kept]
days = sorted(time[came].unique())
at_risk = pd.Series([((entry < t) & (time >= t)).sum() for t in days], days)
neither = (1 - time[came].value_counts() / at_risk).cumprod().shift(fill_value=1)
grows = neither * time[event_first].value_counts() / at_risk
print(f"By then: {100 * grows[:day].sum():.1f}%")"""


def curve_code(dataset: Dataset, name: str) -> str:
    """Code that gives the median of an endpoint beside its `patients.csv`."""
    plan = dataset.endpoints[name]
    lines = [*_patients(dataset, plan), *_event(plan, plan.events, "event")]
    lines += _seen(dataset, plan)
    lines.append(f"time = {_since(plan, f'event.fillna({_until(dataset, plan)})')} / days_per_unit")
    if plan.entry or _enters(dataset, plan):
        lines.append(f"entry = {_entry(dataset, plan)} / days_per_unit")
        lines += ["came = event.notna()", *_at_risk("time"), LATE, MEDIAN]
        return "\n".join(["import pandas as pd", "", *lines])
    lines += [FITTED, MEDIAN]
    head = ["import pandas as pd", "from lifelines import KaplanMeierFitter", ""]
    if sum(line.count("\n") + 1 for line in [*head[:2], *lines, CHART]) < LONGEST:
        head, lines = ["import altair as alt", *head], [*lines[:-1], CHART, MEDIAN]
    return "\n".join([*head, *lines])


def model_code(dataset: Dataset, name: str) -> str:
    """Code that gives the hazard ratio of a `column`, its `first` side against the `other`.

    Nothing where something competes or patients enter late: that takes more than a few lines.
    """
    plan = dataset.endpoints[name]
    if plan.competing or plan.entry or _enters(dataset, plan):
        return ""
    lines = [*_patients(dataset, plan), *_event(plan, plan.events, "event")]
    lines += _seen(dataset, plan)
    lines.append(f"days = {_since(plan, f'event.fillna({_until(dataset, plan)})')}")
    if plan.start:
        lines.append("days = days.where(days >= 0)  # whose clock never starts is left out")
    head = ["import pandas as pd", "from lifelines import CoxPHFitter", ""]
    return "\n".join([*head, *lines, MODEL])


def incidence_code(dataset: Dataset, name: str) -> str:
    """Code that gives the incidence of an endpoint's event by a `day`."""
    plan = dataset.endpoints[name]
    lines = [*_patients(dataset, plan), *_event(plan, plan.events, "event")]
    lines += _event(plan, plan.competing, "other")
    lines += ["first = event.fillna(other).clip(upper=other)", *_seen(dataset, plan)]
    lines.append(f"time = {_since(plan, f'first.fillna({_until(dataset, plan)})')}")
    if plan.entry or _enters(dataset, plan):
        lines += [f"entry = {_entry(dataset, plan)}", *_at_risk("time"), LATE_INCIDENCE]
    else:
        lines.append(INCIDENCE)
    return "\n".join(["import pandas as pd", "", *lines])


def _patients(dataset: Dataset, plan: Definition) -> Iterator[str]:
    """Who is asked."""
    yield 'patients = pd.read_csv("patients.csv")'
    if plan.start or plan.entry:
        needed = [column for column in (plan.start, plan.entry) if column]
        yield f"patients = patients.dropna(subset={_text(needed)})"
    if plan.among:
        yield f"patients = patients[patients[{_text(plan.among)}]{_happened(dataset, plan.among)}]"
    start = f"patients[{_text(plan.start)}]" if plan.start else "0"
    for column in plan.after:
        yield f"patients = patients[patients[{_text(column)}] <= {start}]"
    for column in plan.not_before:
        if column in dataset.patients:
            yield f"patients = patients[~(patients[{_text(column)}] <= {start})]"
    yield 'last = patients["last_contact_day"]'


def _happened(dataset: Dataset, column: str) -> str:
    """That a day is there, or that a column says yes, which pandas may read as a truth value."""
    if dataset.is_day(column):
        return ".notna()"
    words = sorted({word.lower() for word in dataset.yes(column)})
    return (
        ' == "yes"'
        if dataset.yes(column) == ["yes"]
        else f".astype(str).str.lower().isin({_text(words)})"
    )


def _event(plan: Definition, columns: tuple[str, ...], name: str) -> Iterator[str]:
    """The day of the first of some events."""
    days = [column for column in columns if column != "died"]
    own = f"patients[{_text(days[0])}]" if len(days) == 1 else f"patients[{_text(days)}]"
    if "died" not in columns:
        yield f"{name} = {own}" if len(days) == 1 else f"{name} = {own}.min(axis=1)"
        return
    yield f"""{name if not days else "died"} = last.where(patients["died"] == "yes")"""
    if days:
        yield f"{name} = patients[{_text(days)}].assign(died=died).min(axis=1)"


def _until(dataset: Dataset, plan: Definition) -> str:
    own = plan.until != "last_contact_day" and plan.until in dataset.patients
    return "seen" if own else "last"


def _seen(dataset: Dataset, plan: Definition) -> Iterator[str]:
    """Until when those without an event are followed, where it is not the last contact."""
    if _until(dataset, plan) == "seen":
        yield f"seen = patients[{_text(plan.until)}].fillna(last)"


def _since(plan: Definition, day: str) -> str:
    """A day as days from the endpoint's start."""
    return f"({day} - patients[{_text(plan.start)}])" if plan.start else day


def _enters(dataset: Dataset, plan: Definition) -> bool:
    return bool(plan.among) and dataset.is_day(plan.among)


def _entry(dataset: Dataset, plan: Definition) -> str:
    """The day after which each is at risk, on the endpoint's clock."""
    days = [column for column in (plan.entry, plan.among) if column]
    days = [column for column in days if column == plan.entry or dataset.is_day(column)]
    given = f"patients[{_text(days)}].max(axis=1)" if len(days) > 1 else ""
    found = given or f"patients[{_text(days[0])}]"
    late = _since(plan, found)
    # Whoever is chosen by a day on or before the start is there from the start.
    return late if plan.entry else f"{late}.where(lambda day: day > 0, -1)"


def _at_risk(time: str) -> Iterator[str]:
    """Those who are ever at risk."""
    yield f"kept = ({time} >= 0) & (entry < {time})"
    yield f"{time}, entry = {time}[kept], entry[kept]"


def _text(value: str | list[str]) -> str:
    return json.dumps(value, ensure_ascii=False)
