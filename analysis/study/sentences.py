"""Sentences that several pages say of a study, with their numbers from the run."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from ..dataset.endpoints import Endpoint
from ..dataset.model import Dataset
from ..page.formats import DAGGER, counted, in_months, listed, month, rounded, shown, with_unit
from ..page.prose import Prose, declared, estimate, ruled, sourced, with_interval
from ..page.quantities import MISSING
from ..page.rows import anybody, at_risk, is_carried, nobody_left, own_or_only, pick
from . import conclusions
from .curves import last_known
from .models import factor_labels


def median_told(results: pd.DataFrame, group: str, title: str) -> Prose:
    """The median of an endpoint with its interval, and what it is; also where it is not reached."""
    reached = pd.notna(pick(results, "median", group)["estimate"])
    return Prose(
        "Median {title}: **{median}**. "
        + (
            "It is the first time at which the curve is at one half or below; where the curve "
            "stays at one half, the middle of that time is taken."
            if reached
            else "The curve has not come down to one half."
        ),
        title=title,
        median=with_interval(results, "median", group),
    )


def recorded(dataset: Dataset) -> str:
    """`Response, relapse and transplant`: those of the three that the dataset records."""
    words = {"response_day": "response", "relapse_day": "relapse", "hsct_day": "transplant"}
    found = [word for column, word in words.items() if column in dataset.patients]
    return listed(found or ["survival"]).capitalize()


def at_landmarks(
    dataset: Dataset, results: pd.DataFrame, quantity: str, group: str, subject: str = ""
) -> Prose:
    """A clause of the dataset's landmark months that ends where follow-up does.

    `Survival was 44.8% at 12 months; nobody was followed to 24 or 36 months (follow-up ended at
    20.0 months)`. What is carried forward has its mark, and the clause says why; so it does where
    nobody is left without an event.
    """
    rows = [pick(results, quantity, group, number) for number in dataset.settings.months]
    known = [row for row in rows if pd.notna(row["estimate"])]
    last = [row for row in known if at_risk(results, group, row["months"]) == 0]
    numbers = {
        f"at_{place}": sourced(f"{with_unit(row)} at {in_months(row['months'])}", row)
        for place, row in enumerate(known[: len(known) - len(last)])
    }
    carried = DAGGER if last and is_carried(results, last[0]) else ""
    if last:  # one value, that of the end
        at = listed(month(row["months"]) for row in last)
        at = in_months(last[0]["months"]) if len(last) == 1 else f"{at} months"
        numbers["last"] = sourced(f"{with_unit(last[0])}{carried} at {at}", last[0])
    said = " ".join(filter(None, (subject, listed(f"{{{name}}}" for name in numbers))))
    if last:
        said += f" ({carried} carried forward: {{end}})" if carried else " ({end})"
    if unknown := rows[len(known) :]:
        beyond = listed((month(row["months"]) for row in unknown), "or")
        nobody = f"obody was followed to {{beyond}}{'' if last else ' ({end})'}"
        said = f"{said}; n{nobody}" if known else f"N{nobody}"
        numbers["beyond"] = sourced(f"{beyond} month{'' if beyond == '1' else 's'}", unknown[0])
    return Prose(said, end=follow_up_end(results, group), **numbers)


def carried_estimate(results: pd.DataFrame, row: pd.Series, rest: bool = False) -> Prose:
    """An estimate at a month, or the `rest` of a share, with its unit; marked where carried."""
    mark = DAGGER if is_carried(results, row) else ""
    text = shown(1 - row["estimate"], row["quantity"]) + "%" if rest else with_unit(row)
    return sourced(text + mark, row)


def nobody_long_term(dataset: Dataset) -> Prose:
    """Why patients are not compared by whether they lived long."""
    return Prose(
        "Nobody was known to be alive after {month}, so there is nobody to compare.",
        month=declared(in_months(dataset.settings.long_term_months), "long_term_months"),
    )


def follow_up_end(results: pd.DataFrame, group: str) -> Prose:
    """Until when anyone was followed, unless that would be one patient's own time."""
    row = own_or_only(results, "followup_end", group)
    died = nobody_left(results, group)  # others may have left before
    ended = "the last one followed had an event at" if died else "follow-up ended at"
    if pd.isna(row["estimate"]):
        return Prose(ended.rpartition(" ")[0] + " before")
    return Prose(ended + " {end}", end=sourced(with_unit(row), row))


def restricted_mean(dataset: Dataset, results: pd.DataFrame, group: str, event: str) -> Prose:
    """The mean time before an event, up to the last landmark to which anybody is followed."""
    row = last_known(dataset, results, "rmst", group)
    if row is None:
        return Prose(
            "No restricted mean is given: nobody was followed to {first}.",
            first=declared(in_months(dataset.settings.months[0]), "months"),
        )
    return Prose(
        "Of the first {last}, {rmst} on average came before {event}. This restricted mean is "
        "the area under the curve up to there {{cite}}`royston2013`.",
        last=declared(in_months(row["months"]), "months"),
        rmst=with_interval(results, "rmst", group, row["months"]),
        event=event,
    )


def follow_up_told(results: pd.DataFrame, group: str) -> Prose:
    """How long the patients without an event were followed, and all by reverse Kaplan–Meier."""
    if not anybody(pick(results, "followup_median", group)):
        return Prose(
            "Every patient had the event, so there is no follow-up without it to describe."
        )
    least, most = (estimate(results, f"followup_{end}", group) for end in ("min", "max"))
    return Prose(
        "Follow-up: the patients without an event had been followed for a median of {seen}"
        + (" (range, {least} to {most})" if str(least) != str(most) else "")
        + ". By reverse Kaplan–Meier, which counts every patient as followed until an event cut it "
        "short, the median is {reverse} {{cite}}`schemper1996`.",
        seen=estimate(results, "followup_median", group),
        least=least,
        most=most,
        reverse=with_interval(results, "median_followup", group),
    )


def forward_told(dataset: Dataset, results: pd.DataFrame, column: str, event: str) -> Prose | None:
    """Death after an `event` on the way, from its day and as if known; None without the factor."""
    key = f"os:{column}"
    rows = results[results["group"].eq(key) & results["quantity"].eq("hazard_ratio_univariate")]
    if rows.empty:
        return None
    among = next((f.among for f in dataset.factors if f.column == column), None)
    right, wrong = (
        with_interval(results, f"hazard_ratio_{way}", key) for way in ("univariate", "fixed")
    )
    told = (
        "The hazard ratio of death is then {right}, with P {p}. As if known from the start it "
        "would be {wrong}"
        + (", too." if str(right) == str(wrong) else ": that credits the {label} with the time "
           "needed to reach it {{cite}}`suissa2008`.")
        if rows["estimate"].notna().all()
        else "No hazard ratio of death can then be estimated."
    )  # fmt: skip
    return Prose(
        "**What {event} goes with, asked forward in time.** Count {n} patients from {origin}"
        + (", each at risk from the day of {entry} on, " if among else ", ")
        + f"and each {{label}} from its day. {told} [Table 3](table_3.ipynb) has all such factors.",
        event=event,
        n=sourced(counted(rows["n"].iloc[0]), rows),
        origin=dataset.settings.time_origin,
        entry=dataset.label(among) if among else "",
        label=dataset.label(column),
        right=right,
        wrong=wrong,
        p=estimate(results, "p_univariate", key),
    )


def beyond(dataset: Dataset, results: pd.DataFrame, group: str, month: float) -> Prose:
    """How long patients were followed beyond a landmark, and at which rate events came."""
    rate = pick(results, "event_rate", group, month)
    after = declared(in_months(month), "months")
    if pd.isna(rate["n"]):
        few = sourced("few", rate)
        return Prose(
            "Too {few} to be counted here were followed beyond {after}", few=few, after=after
        )
    if not anybody(rate):
        nobody = sourced("Nobody", rate)
        return Prose("{nobody} was followed beyond {after}", nobody=nobody, after=after)
    return Prose(
        "{followed} patients were followed beyond {after}, for {years} patient-years in all. "
        "Events in that time: {events}, or {rate}",
        followed=sourced(rate["n"], rate),
        after=after,
        years=estimate(results, "person_years", group, month),
        events=sourced(counted(rate["events"]), rate),
        rate=with_interval(results, "event_rate", group, month),
    )


BOUNDS = {
    "unknown": "**What these few bound is not shown:** it would give their number away.",
    "nobody": "**So it bounds nothing.** There is no patient under the curve.",
    "eventless": "**Level, within a bound.** At the upper limit of that rate {loss} of them would "
    "have the event within a year. The curve cannot tell that from none "
    "{{cite}}`pocock2002,morris2019`.",
    "flat": "**Flat within these bounds.** Both limits of that rate are below {rule}, the most for "
    "which a curve is called flat here. At the upper limit {loss} of them would have the event "
    "within a year, at the lower limit {least}. The curve cannot tell the one from the other "
    "{{cite}}`pocock2002,morris2019`.",
    "open": "**Not shown to be flat.** The limits of that rate lie on both sides of {rule}, the "
    "most for which a curve is called flat here. At the upper limit {loss} of them would have the "
    "event within a year, at the lower limit {least}. The curve cannot tell the one from the other "
    "{{cite}}`pocock2002,morris2019`.",
    "falling": "**Still falling.** Both limits of that rate are above {rule}, the most for which a "
    "curve is called flat here {{cite}}`pocock2002,morris2019`.",
}


def plateau_bounds(results: pd.DataFrame, group: str, month: float) -> Prose:
    """Whether a curve is flat after a landmark, and within what: the paragraph after `beyond`."""
    rate = pick(results, "event_rate", group, month)
    return Prose(
        BOUNDS[conclusions.plateau(*rate[["n", "events", "lower", "upper"]])],
        loss=within_a_year(rate, "upper"),
        least=within_a_year(rate, "lower"),
        rule=ruled(
            f"{100 * conclusions.FLAT_BELOW:g} per 100 patient-years",
            "the rate below which a curve may be called flat",
        ),
    )


def within_a_year(rate: pd.Series, part: str) -> Prose:
    """The share in per cent with the event within a year, at the `part` of a rate's result."""
    value = rate[part]
    text = MISSING if pd.isna(value) else rounded(-100 * np.expm1(-value), 0) + "%"
    return sourced(text, rate)


def smallest_column(results: pd.DataFrame, columns: Iterable[str]) -> Prose:
    """How much one patient weighs in the smallest column of a table."""
    least = _smallest(results, columns)
    if pd.isna(least["n"]):
        return Prose("The smallest column holds too few patients to be counted here.")
    step = rounded(100 / least["n"], 1) if least["n"] else "any number of"
    return Prose(
        "The smallest column holds {n} patients. There, one patient more or less moves a "
        "percentage by {step} points.",
        n=sourced(least["n"], least),
        step=sourced(step, least),
    )


def chance_in_smallest(results: pd.DataFrame, columns: Iterable[str]) -> Prose:
    """Why columns that the future defines are not to be compared, least of all small ones."""
    least = _smallest(results, columns)
    future = (
        "**The columns are defined by the future,** so a difference between them is no prognosis."
    )
    if not anybody(least):
        return Prose(future, "**Columns without patients** say nothing.")
    if pd.isna(least["n"]):
        return Prose(future, "**Small columns differ by chance alone.**")
    half = int(least["n"]) // 2
    limits = binomtest(half, int(least["n"])).proportion_ci()
    return Prose(
        future,
        "**Small columns differ by chance alone.** Had {half} of the {n} patients of the smallest "
        "column a trait, the exact 95% interval of its share would go from {limits} "
        "{{cite}}`clopper1934`.",
        half=sourced(half, least),
        n=sourced(least["n"], least),
        limits=sourced(" to ".join(f"{rounded(100 * end, 0)}%" for end in limits), least),
    )


def _smallest(results: pd.DataFrame, columns: Iterable[str]) -> pd.Series:
    """The head of the column with the fewest patients; one that is masked is the smallest.

    A column without any patients is not shown, and does not count.
    """
    heads = [pick(results, "count", f"patients|{column}") for column in columns]
    heads = [row for row in heads if anybody(row)] or heads
    return min(heads, key=lambda row: -1 if pd.isna(row["n"]) else row["n"])


def selected(dataset: Dataset, question: Endpoint, results: pd.DataFrame) -> dict[str, str]:
    """The labels of the factors that are candidates `alone`, and of those `kept` stepwise."""
    true = results[results["estimate"] == 1]
    return {
        name: factors_named(dataset, question, true[true["quantity"] == quantity])
        for name, quantity in (("alone", "associated"), ("kept", "kept"))
    }


def below(
    dataset: Dataset, question: Endpoint, results: pd.DataFrame, quantity: str, level: float
) -> str:
    """The labels of an endpoint's factors whose P of this kind is below a level."""
    small = results[(results["quantity"] == quantity) & (results["estimate"] < level)]
    return factors_named(dataset, question, small)


def factors_named(dataset: Dataset, question: Endpoint, rows: pd.DataFrame) -> str:
    """The labels of an endpoint's factors that some results are about, or `none`."""
    found = set(rows["group"])
    labels = factor_labels(dataset, question)
    return listed(label for key, label in labels.items() if key in found) or "none"
