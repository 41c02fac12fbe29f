"""Events that come again: each patient's events counted, by group, and how a page shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
import pandas as pd

from .. import survival as est
from ..dataset.definitions import Recurrent, in_sentence
from ..dataset.endpoints import Endpoint, dead
from ..dataset.model import Dataset, NotRecorded
from ..page.charts import Figure
from ..page.formats import at_time, begun, equal_to, in_patients, short
from ..page.formats import counted as counted_number
from ..page.masking import Whole
from ..page.page import Number, Page
from ..page.prose import Prose
from ..page.quantities import MISSING
from ..page.rows import at_risk, count_rows, frame
from ..page.tables import Row, Table
from . import conclusions
from .curves import DAYS_PER_YEAR, at_least, axis_months, count_results, last_firm
from .figures import step_chart
from .groups import Groups, groups
from .landmarks import past_follow_up, with_limits

MOST_COUNTED = 3  # so many events a patient or more are one row of a table
MANY = "or more"


@dataclass(frozen=True)
class Counted:
    """The events of a table, and the patients whom they may come to.

    `question` has a row a patient, followed to its `time`; `event` is 1 for who has had any.
    `events` (m,) has of each the `patient`, as the index of those rows, and the `day`.
    """

    plan: Recurrent
    question: Endpoint
    events: pd.DataFrame

    def number(self, who: Endpoint) -> np.ndarray:
        """How many events each patient of a question has had (n,)."""
        had = self.events["patient"].value_counts()
        return had.reindex(who.data.index, fill_value=0).to_numpy()

    def curve(self, who: Endpoint) -> pd.DataFrame:
        """The mean number of events of the patients of a question, in days."""
        own = self.events[self.events["patient"].isin(who.data.index)]
        place = who.data.index.get_indexer(own["patient"])
        return est.mean_count(who.time, place, own["day"].to_numpy())

    def rate(self, who: Endpoint) -> est.EventRate:
        """Events for each patient-year of the patients of a question."""
        return est.recurrent_rate(who.time / DAYS_PER_YEAR, self.number(who))


def counted_events(dataset: Dataset, name: str) -> Counted:
    """A table of events that come again, with the patients. Raises NotRecorded without one."""
    if name not in dataset.recurrent:
        raise NotRecorded("This dataset declares no table of events that come again.")
    plan, patients = dataset.recurrent[name], dataset.patients
    if len(patients) < dataset.mask_below:
        raise NotRecorded(f"{plan.title} are not shown: so few patients are masked.")
    row = pd.Series(patients.index, patients["patient_id"])
    events = dataset.events[name]
    events = events[events["patient_id"].isin(row.index)]  # of patients who are drawn, if some are
    made = pd.DataFrame({"patient": row[events["patient_id"]].to_numpy(), "day": events["day"]})
    data = pd.DataFrame({"origin": 0.0, "time": patients["last_contact_day"]})
    data["event"] = data.index.isin(made["patient"]).astype(int)
    data = data.assign(entry=-np.inf, died=dead(patients))
    origin = dataset.settings.time_origin
    return Counted(plan, Endpoint(name, plan.title, origin, plan.event, data), made)


def counted_groups(dataset: Dataset, counted: Counted, by: str | None) -> Groups | None:
    """The patients by what the dataset compares; None where it compares nothing."""
    compare = dataset.compared(by)
    return groups(dataset, counted.question, compare) if compare else None


def counted_results(dataset: Dataset, counted: Counted, parts: Groups | None) -> pd.DataFrame:
    """Of all, and of each group: the events, their rate and their mean number.

    With groups also `rate_ratio` and Andersen and Gill's `hazard_ratio_recurrent` of each against
    the reference. Rates are for each patient-year. `n` are patients, `events` all their events.
    """
    question = counted.question
    ticks = axis_months(dataset, question)
    whole = [question, *(parts.of(level) for level in parts.levels)] if parts else [question]
    found = []
    for who in whole:
        found.append(frame(_rate_rows(counted, who)))
        found.append(count_results(dataset, who, counted.curve(who), ticks))
    found.append(frame(_several(dataset, counted, whole)))
    if parts:
        everybody = pd.Series(True, index=parts.level.index)
        blank = count_rows(f"{parts.key}=", parts.level.isna(), everybody, "", dataset.number)
        found.append(frame([*blank, *_ratios(counted, parts)]))
    return pd.concat(found, ignore_index=True)


def counted_wholes(parts: Groups | None) -> list[Whole]:
    """That the groups share out all patients and their events, but those whose group is blank."""
    if not parts:
        return []
    name, own = parts.question.name, tuple(parts.key_of(level) for level in parts.levels)
    return [Whole(name, own, of, rest=True) for of in ("estimate", "n", "events")]


def _rate_rows(counted: Counted, who: Endpoint) -> Iterator[dict]:
    rate = counted.rate(who)
    lower, upper = rate.limits
    key = {"group": who.name, "n": who.size, "events": rate.events}
    yield {"quantity": "count", "group": who.name, "estimate": rate.events, "n": who.size}
    yield {"quantity": "event_rate", "months": 0, "estimate": rate.estimate, "lower": lower,
           "upper": upper, **key}  # fmt: skip
    yield {"quantity": "person_years", "months": 0, "estimate": rate.exposure, **key}


def _several(dataset: Dataset, counted: Counted, whole: Sequence[Endpoint]) -> Iterator[dict]:
    """How many patients have had no event, one, and so on: a level of the table each.

    Patients and events give a masked count back, so where a count is masked there is no such row.
    """
    found = []
    for who in whole:
        number, column = counted.number(who), who.name.removeprefix(counted.plan.name)
        for many in range(MOST_COUNTED + 1):
            which = pd.Series(number >= many if many == MOST_COUNTED else number == many)
            level = f"{many} {MANY}" if many == MOST_COUNTED else str(many)
            everybody = pd.Series(True, index=which.index)
            name = f"{counted.plan.name}={level}"
            found += count_rows(name, which, everybody, column)
    few = range(1, dataset.mask_below)
    if not any(row["quantity"] == "count" and row["estimate"] in few for row in found):
        yield from found


def _ratios(counted: Counted, parts: Groups) -> Iterator[dict]:
    """Each group against the reference: the ratio of rates, and Andersen and Gill's."""
    if not parts.others:
        return
    reference = parts.compare.reference
    rates = {level: counted.rate(parts.of(level)) for level in (reference, *parts.others)}
    columns = {f"group_{place}": level for place, level in enumerate(parts.others, start=1)}
    rows = recurrent_rows(counted, parts, columns)
    fitted = _fitted(rows, list(columns))
    all_of = {"n": parts.known.size, "events": int(rows["event"].sum())}
    for column, level in columns.items():
        ratio = est.rate_ratio(rates[level], rates[reference])
        both = parts.level.isin([level, reference])
        events = rates[level].events + rates[reference].events
        key = {"group": parts.key_of(level), "n": int(both.sum()), "events": events}
        limits = {"lower": ratio.lower, "upper": ratio.upper}
        yield {"quantity": "rate_ratio", "estimate": ratio.estimate, **limits, **key}
        yield {"quantity": "p_rate_ratio", "estimate": ratio.p, **key}
        yield {"quantity": "p_rate_ratio_poisson", "estimate": ratio.p_poisson, **key}
        line, key = fitted.loc[column], {"group": parts.key_of(level), **all_of}
        ratio = {"estimate": line["hazard_ratio"], **line[["lower", "upper"]]}
        yield {"quantity": "hazard_ratio_recurrent", **ratio, **key}
        yield {"quantity": "p_recurrent", "estimate": line["p"], **key}


def recurrent_rows(counted: Counted, parts: Groups, columns: Mapping[str, str]) -> pd.DataFrame:
    """Start-stop rows of the patients whose group is known: to each event, and to the end.

    `columns` are 1 for the patients of a level.
    """
    level = parts.level.dropna()
    ends = counted.question.data["time"][level.index]
    last = pd.DataFrame({"patient": level.index, "stop": ends, "event": 0})
    events = counted.events[counted.events["patient"].isin(level.index)]
    events = events.rename(columns={"day": "stop"}).assign(event=1)
    # An end on the day of an event adds nothing.
    rows = pd.concat([events, last]).sort_values(["patient", "stop", "event"], ascending=[1, 1, 0])
    (rows["stop"],) = est.one_time(rows["stop"])
    rows["start"] = rows.groupby("patient")["stop"].shift().fillna(0.0)
    rows = rows[rows["stop"] > rows["start"]].reset_index(drop=True)
    own = rows["patient"].map(level)
    return rows.assign(**{name: (own == one).astype(float) for name, one in columns.items()})


def _fitted(rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Andersen and Gill's ratios, missing for a group without an event, as in `group_fit`."""
    having = [column for column in columns if rows.loc[rows[column] > 0, "event"].any()]
    others = [column for column in columns if column not in having]
    kept = rows[~(rows[others] > 0).any(axis=1)]
    fit = est.andersen_gill(kept, having) if having else est.cox(rows, columns)
    return fit.summary().reindex(columns)


# --- what a page shows -----------------------------------------------------------------------


def names_of(counted: Counted, parts: Groups | None) -> dict[str, str]:
    """The groups of the results whose curves are drawn, and what each is called."""
    if not parts:
        return {counted.question.name: counted.plan.title}
    return {parts.key_of(level): level for level in parts.levels}


def count_figure(page: Page, counted: Counted, parts: Groups | None) -> Figure:
    """The mean numbers of events, by group where there are groups, over the numbers at risk."""
    question, names = counted.question, names_of(counted, parts)
    whom = [parts.of(level) for level in parts.levels] if parts else [question]
    series = {names[who.name]: (who.name, counted.curve(who)) for who in whom}
    under = {label if parts else "At risk": ("at_risk", group, "estimate")
             for label, (group, _) in series.items()}  # fmt: skip
    height = f"{counted.plan.title} for each patient"
    chart = step_chart(page, question, series, "mean_count", under, height)
    by = f" by {in_sentence(page.data.label(parts.compare.column))}" if parts else ""
    title = f"Mean number of {in_sentence(counted.plan.title)} from {question.origin}{by}"
    told = " ".join(
        f"{names[who.name]}, {in_patients(who.size)}: {_by_landmarks(page, who.name)}."
        for who in whom
    )
    marks = (
        " Shaded: 95% confidence bands. Ticks: patients whose follow-up ends there. Faint: where "
        f"fewer than {at_least(page.data)}, or than a tenth, are followed. Under the axis: "
        "patients at risk."
    )
    words = f"{title}. {'Rising step curves' if len(series) > 1 else 'A rising step curve'}. {told}"
    return page.figure("", chart, words, f"{title}.{marks}", tuple(series) if parts else (),
                       said=f"{title}. {told}")  # fmt: skip


def _by_landmarks(page: Page, group: str) -> str:
    """`0.2 at 3 months, 0.4 at 6 months`, as far as anybody is followed."""
    found = {month: page["mean_count", group, month] for month in page.data.settings.months}
    said = [f"{one.bare} at {at_time(month)}" for month, one in found.items() if one.known]
    return ", ".join(said) or "nobody is followed to a landmark"


def counts_found(page: Page, counted: Counted, parts: Groups | None) -> Prose | None:
    """How many events a patient had had, in the mean, by a landmark; None where there is none."""
    names = names_of(counted, parts)
    month, _ = last_firm(page, "mean_count", *names)
    if month is None:
        return None
    means = [page["mean_count", group, month] for group in names]
    each = [page.say("{name}, {mean}", name=name, mean=mean.ci)
            for name, mean in zip(names.values(), means, strict=True)]  # fmt: skip
    by = in_sentence(page.data.label(parts.compare.column)) if parts else ""
    return page.say(
        "**Mean number of {events} of a patient by {month}"
        + (", by {by}: {each}.**" if parts else ": {mean}.**"),
        events=in_sentence(counted.plan.title),
        month=page.setting(at_time(month), "months"),
        by=by,
        each=Prose.joined(each, "; "),
        mean=means[0].ci,
    )


TOLD = {
    "unknown": "No difference can be tested",
    "differ": "The rates differ by more than chance would make likely",
    "not_told_apart": "No difference is shown, which does not prove that the rates are alike",
}


def rates_compared(page: Page, counted: Counted, parts: Groups) -> Prose | None:
    """The ratio of the rates of each group to the reference, with its P; None without one."""
    said = []
    for level in parts.others:
        ratio, p = (page[name, parts.key_of(level)] for name in ("rate_ratio", "p_rate_ratio"))
        if ratio.known:
            said.append(
                page.say(
                    "**Ratio of the rates of {event}, {level} against {reference}: {ratio}.** "
                    + TOLD[conclusions.differ(p.value)]
                    + ": P {p}.",
                    event=counted.plan.event,
                    level=level,
                    reference=parts.compare.reference,
                    ratio=ratio.ci,
                    p=p.saying(equal_to(p.value)),
                )
            )
    return Prose.joined(said, "\n\n") if said else None


def rates_table(page: Page, counted: Counted, parts: Groups | None) -> Table:
    """Events, the time in which they came and their rate, of each group beside the reference."""
    rows, names = [], names_of(counted, parts)
    compared = bool(parts and parts.others)
    for group, name in names.items():
        rate = page["event_rate", group, 0]
        years = page["person_years", group, 0]
        cells = [str(rate.n), page["count", group].bare, years.bare, with_limits(rate)]
        if compared:
            keys = [(quantity, group) for quantity in OF_RATES.values()]
            there = keys[0] in page
            cells += [page[key].cell if there else "" for key in keys]
            cells[4] = cells[4] if there else "reference"
        rows.append(Row(name, cells))
    columns = ["Group", "Patients", "Events", "Patient-years", "Per 100 patient-years (95% CI)"]
    notes = [
        "CI, confidence interval, with the events of a patient taken together.",
        f"Hazard ratio: of each next {counted.plan.event}, by Andersen and Gill’s model.",
    ]
    by = f" by {in_sentence(page.data.label(parts.compare.column))}" if parts else ""
    return page.rows_table("rates", f"{counted.plan.title}, their rate{by}.",
                           [*columns, *OF_RATES] if compared else columns, rows,
                           notes if compared else notes[:1])  # fmt: skip


OF_RATES = {
    "Ratio of rates (95% CI)": "rate_ratio",
    "P": "p_rate_ratio",
    "Hazard ratio (95% CI)": "hazard_ratio_recurrent",
    "P of the hazard ratio": "p_recurrent",
}


def means_table(page: Page, counted: Counted, parts: Groups | None) -> Table:
    """The mean number of events at each landmark, by group, and who is followed so far."""
    rows, names = [], names_of(counted, parts)
    for group, name in names.items():
        rows += [Row(name)] if len(names) > 1 else []
        for month in page.data.settings.months:
            mean = page["mean_count", group, month]
            shown = f"{mean.bare} {page.mark(mean)}".strip()
            limits = mean.limits or MISSING
            followed = at_risk(page.numbers, group, month)
            events = MISSING if not mean.known and followed == 0 else str(mean.events)
            cells = [shown, limits, counted_number(followed), events]
            rows.append(Row(at_time(month), cells, int(len(names) > 1)))
    notes = [
        "CI, confidence interval. At risk: followed until just before the landmark. Events: all "
        "up to and on it, of the patients who left before it, too.",
        *past_follow_up(rows, page.numbers, list(names), titles=names),
    ]
    columns = ("Time", "Mean number", "95% CI", "At risk", "Events")
    title = f"Mean number of {in_sentence(counted.plan.title)} of a patient at the landmarks."
    return page.rows_table("means", title, columns, rows, notes)


def several_table(page: Page, counted: Counted, parts: Groups | None) -> Table | None:
    """How many patients have had none, one, and so on; None where counts are masked."""
    name, names = counted.plan.name, names_of(counted, parts)
    levels = {f"{name}={many}": str(many) for many in range(MOST_COUNTED)}
    levels[f"{name}={MOST_COUNTED} {MANY}"] = f"{MOST_COUNTED} {MANY}"
    if ("count", f"{name}=0") not in page:
        return None
    heads = {label: group.removeprefix(name) for group, label in names.items()}
    rows = [
        Row(words, [_share(page, level + column) for column in heads.values()])
        for level, words in levels.items()
    ]
    return page.rows_table(
        "several",
        f"How many {in_sentence(counted.plan.title)} the patients had while they were followed.",
        [begun(in_sentence(counted.plan.title)), *(f"{head}, No. (%)" for head in heads)],
        rows,
        ["Patients were not all followed for the same time, which these counts leave out."],
    )


def _share(page: Page, group: str) -> str:
    return f"{page['count', group].bare} ({page['percent', group].bare})"


def dependent_told(page: Page, counted: Counted, parts: Groups | None) -> Prose:
    """What could mislead: that the events of one patient go together."""
    number = counted.number(counted.question)
    said = [
        "**Events of one patient are not independent.** A patient who has had one may be of those "
        "who get many. So every interval here counts patients, not events, as independent.",
    ]
    values: dict[str, object] = {}
    if parts and len(parts.others) == 1 and number.max(initial=0) > 1:
        key = parts.key_of(parts.others[0])
        robust, poisson = (page[name, key] for name in ("p_rate_ratio", "p_rate_ratio_poisson"))
        if robust.known:
            said[0] += (
                " If each event were of another patient, P of the ratio of rates would be {naive}; "
                "with the events of a patient taken together it is {robust}."
            )
            values = {"naive": exactly(poisson), "robust": exactly(robust)}
    if counted.question.data["died"].any():
        said.append(
            "**Death ends the events.** Patients who died are counted as if they had only left. So "
            "the mean is of patients for as long as they live; a treatment after which fewer live "
            "may show fewer events for that reason alone {{cite}}`cook2007`."
        )
    return page.say(*said, **values)


def exactly(number: Number) -> Number:
    """A P in a sentence that sets two of them side by side: by its first digit, `.00005`."""
    plain = number.value >= 1e-12
    text = format(Decimal(f"{number.value:.1g}"), "f") if plain else short(number.value)
    return number.saying(text.removeprefix("0") if number.known else MISSING)
