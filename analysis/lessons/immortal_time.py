"""Lesson 5: what comes on the way, counted as if it had been known from the start."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from .. import conclusions
from .. import estimators as est
from ..charts import Choice, Figure, with_source
from ..dataset import Dataset, Factor
from ..endpoints import at_landmark, covariate_rows, endpoint, in_sentence, rows_as_if_known
from ..results import (
    anybody,
    axis_months,
    frame,
    model_rows,
    pick,
    survival_rows,
    told_months,
)
from ..tables import (
    CARRIED,
    Row,
    Table,
)
from ..text import (
    DAGGER,
    MISSING,
    Prose,
    counted,
    estimate,
    in_months,
    interval,
    p_value,
    shown,
    sourced,
    with_interval,
    written,
)
from .charts import curves_chart, monthly
from .course import Exercise
from .events import later_event

LANDMARKS = range(1, 13)  # months, the stations of the slider
LANDMARK = 6  # the month of the tables: set for every dataset, before any is looked at
ENOUGH = 10  # so many have to have switched before a curve of theirs begins
HAD, NOT = "yes", "no"
TRANSPLANT, RESPONSE = "hsct_day", "response_day"


def event_of(dataset: Dataset, column: str = "") -> Factor:
    """The event on the way that the lesson speaks of, the transplant first. Raises NotRecorded."""
    return later_event(dataset, (TRANSPLANT, RESPONSE), column)


# --- what is computed --------------------------------------------------------------------------


def results(dataset: Dataset, column: str = "") -> pd.DataFrame:
    """The ratio of a later event for survival: fixed, at each landmark, from its day.

    Groups are `os:COLUMN`, with `|yes` and `|no` for the curves. The variants of `hazard_ratio`
    and `p` are `fixed`, `landmark` (at `months`), `univariate` (time-dependent) and, where the
    dataset has transplant and response, both in one model, `fixed_together` and `together`.
    """
    os, factor = endpoint(dataset, "os"), event_of(dataset, column)
    rows = covariate_rows(dataset, os, [factor])
    wrong = rows_as_if_known(dataset, os, factor)
    made = [
        *model_rows(os, "fixed", [factor], wrong),
        *model_rows(os, "univariate", [factor], rows),
        *_together(dataset, factor),
        *_waiting(dataset, factor),
    ]
    for month in stations(dataset):
        there = at_landmark(rows, factor.column, dataset.days(month))
        made += [row | {"months": month} for row in model_rows(os, "landmark", [factor], there)]
        common = {"group": f"{factor.column} by month {month}", "months": month}
        switched = there[factor.column].sum()
        made.append({"quantity": "count", "estimate": switched, "n": len(there), **common})
    made += _curves(dataset, factor, rows, wrong)
    return frame(made)


def _together(dataset: Dataset, factor: Factor) -> Iterator[dict]:
    """Transplant beside response, as the literature has them: each adjusted for the other."""
    if factor.column != TRANSPLANT:
        return
    other = later_event(dataset, (RESPONSE,))
    if other.column != RESPONSE:
        return
    os, both = endpoint(dataset, "os"), [factor, other]
    wrong = rows_as_if_known(dataset, os, factor)
    second = rows_as_if_known(dataset, os, other)
    wrong = wrong.merge(second[["patient", other.column]], on="patient")
    yield from model_rows(os, "fixed_together", both, wrong)
    yield from model_rows(os, "together", both, covariate_rows(dataset, os, both))


def _waiting(dataset: Dataset, factor: Factor) -> Iterator[dict]:
    """When it comes, and how much of the time of those who have it lies before it."""
    patients = dataset.patients[dataset.patients[factor.column].notna()]
    day, end = patients[factor.column], patients["last_contact_day"]
    common = {
        "group": factor.column,
        "n": len(patients),
        "events": patients["died"].eq("yes").sum(),
    }
    yield {"quantity": "time_waited", "estimate": dataset.months(day.median()), **common}
    yield {"quantity": "share_immortal", "estimate": day.sum() / end.sum(), **common}


def _curves(
    dataset: Dataset, factor: Factor, rows: pd.DataFrame, wrong: pd.DataFrame
) -> Iterator[dict]:
    """Survival at the landmark months by who ever has it, and by the state of each day.

    Both are of those followed beyond `first_month`, so that the one can stand beside the other.
    """
    begin = first_month(dataset, rows, factor)
    kinds = {"survival_ever": ever_curves(dataset, wrong, factor, begin or 0)}
    if begin is not None:
        kinds["survival_by_state"] = state_curves(dataset, rows, factor, begin)
    told = told_months(dataset, endpoint(dataset, "os"))
    months = [month for month in told if month > (begin or 0)]
    for quantity, curves in kinds.items():
        for side, curve in curves.items():
            group = f"os:{factor.column}|{side}"
            yield from survival_rows(dataset, curve, quantity, group, months)


def ever_curves(
    dataset: Dataset, wrong: pd.DataFrame, factor: Factor, begin: float
) -> dict[str, pd.DataFrame]:
    """Kaplan-Meier from a month on of those who ever have it and of those who never do: wrong."""
    there = wrong[est.beyond(wrong["stop"], begin * dataset.settings.days_per_month)]
    sides = {HAD: there[there[factor.column] > 0], NOT: there[there[factor.column] == 0]}
    return {
        side: est.survival_curve(group["stop"], group["event"])
        for side, group in sides.items()
        if len(group)
    }


def state_curves(
    dataset: Dataset, rows: pd.DataFrame, factor: Factor, begin: float
) -> dict[str, pd.DataFrame]:
    """The curves of Simon & Makuch from a month on, by whether it has come by each day."""
    landmark = dataset.days(begin)
    curves = est.switching_curves(rows, factor.column, landmark)
    return {side: curves[state] for side, state in ((HAD, 1), (NOT, 0)) if state in curves}


def first_month(dataset: Dataset, rows: pd.DataFrame, factor: Factor) -> int | None:
    """The first whole month at which ENOUGH patients are followed who have had it."""
    for month in range(1, 61):
        there = at_landmark(rows, factor.column, dataset.days(month))
        if there[factor.column].sum() >= max(ENOUGH, dataset.mask_below):
            return month
    return None


def usual_landmark(dataset: Dataset) -> int:
    """LANDMARK, or the last station where nobody is followed so long."""
    return min(LANDMARK, stations(dataset)[-1])


def stations(dataset: Dataset) -> list[int]:
    """The months of the slider beyond which anybody is followed, or the first of all."""
    longest = dataset.months(endpoint(dataset, "os").time.max())
    return [month for month in LANDMARKS if month < longest] or [LANDMARKS[0]]


# --- what is shown -----------------------------------------------------------------------------


def landmark_figure(dataset: Dataset, results: pd.DataFrame, name: str, column: str = "") -> Figure:
    """Survival from a landmark that the reader moves, by what had come by then."""
    os, factor = endpoint(dataset, "os"), event_of(dataset, column)
    rows = covariate_rows(dataset, os, [factor])
    label = factor.label
    series = {1: f"{label} by then", 0: "Not by then"}
    months = stations(dataset)
    start = months.index(usual_landmark(dataset))
    steps = pd.concat(
        _landmark_steps(dataset, rows, factor, month, side).assign(series=words, choice=number)
        for number, month in enumerate(months)
        for side, words in series.items()
    )
    marks = pd.DataFrame({"month": months, "choice": range(len(months))})
    marks["text"] = "landmark"
    ticks = axis_months(dataset, os)
    title = f"Months since {os.origin}"
    chart = curves_chart(steps, list(series.values()), ticks, title, choice=start, marks=marks)
    answers = [landmark_answer(dataset, results, factor, month) for month in months]
    choice = Choice("Landmark", [in_months(month) for month in months], answers, start)
    alt_text = (
        f"Two survival curves from a landmark on, of those with and without {in_sentence(label)} "
        f"by then. {answers[start]}"
    )
    caption = with_source(
        dataset,
        "Survival from the landmark on, by what had come by then. Who died or left before it is "
        "in neither curve; what comes after it moves nobody.",
    )
    return Figure(name, chart, alt_text, caption, choice=choice)


def _landmark_steps(
    dataset: Dataset, rows: pd.DataFrame, factor: Factor, month: int, side: int
) -> pd.DataFrame:
    """One curve from the landmark, on the clock of the chart; empty where it is of too few."""
    there = at_landmark(rows, factor.column, dataset.days(month))
    group = there[there[factor.column] == side]
    if len(group) <= max(1, dataset.mask_below - 1):
        return pd.DataFrame({"month": [], "estimate": []})
    steps = monthly(dataset, est.survival_curve(group["stop"], group["event"]))
    return steps.assign(month=steps["month"] + month)


def landmark_answer(dataset: Dataset, results: pd.DataFrame, factor: Factor, month: float) -> Prose:
    """Who is compared from a landmark on, and the ratio."""
    count = pick(results, "count", f"{factor.column} by month {month}", month)
    ratio = pick(results, "hazard_ratio_landmark", f"os:{factor.column}", month)
    gone = len(dataset.patients) - count["n"] if pd.notna(count["n"]) else np.nan
    values = {
        "month": sourced(in_months(month), count),
        "n": sourced(counted(count["n"]), count),
        "had": sourced(counted(count["estimate"]), count),
        "gone": sourced(counted(gone), count),
        "label": in_sentence(factor.label),
        "ratio": with_interval(results, "hazard_ratio_landmark", f"os:{factor.column}", month),
    }
    end = (
        "no ratio can be estimated."
        if pd.isna(ratio["estimate"])
        else "the hazard ratio from then on is {ratio}."
    )
    return Prose(
        f"At {{month}}, {{n}} are still followed and {{had}} of them have had {{label}}: {end} "
        "Not asked, for they died or left before: {gone}.",
        **values,
    )


def _landmark_rule(month: float) -> str:
    """How the landmark of the tables was chosen: never by what came of it."""
    if month == LANDMARK:
        return f"The landmark of {in_months(LANDMARK)} is the same for every dataset."
    return (
        f"The landmark is {in_months(LANDMARK)} for every dataset. Here nobody is followed so "
        f"long, and it is {in_months(month)}."
    )


def ratios_table(dataset: Dataset, results: pd.DataFrame, name: str, column: str = "") -> Table:
    """The ratio by each way of counting, on the same patients."""
    factor = event_of(dataset, column)
    key, month = f"os:{factor.column}", usual_landmark(dataset)
    made = [
        Row("Known from the start", _ratio_cells(results, "fixed", key), 1),
        Row(f"At a landmark, {in_months(month)}", _ratio_cells(results, "landmark", key, month), 1),
        Row("From its day on", _ratio_cells(results, "univariate", key), 1),
    ]
    rows = [Row(factor.label), *made]
    if (results["quantity"] == "hazard_ratio_together").any():
        for other in (TRANSPLANT, RESPONSE):
            wrong, right = (
                _ratio_cells(results, kind, f"os:{other}")
                for kind in ("fixed_together", "together")
            )
            rows += [
                Row(f"{dataset.label(other)}, both events in one model"),
                Row("Known from the start", wrong, 1),
                Row("From its day on", right, 1),
            ]
    return Table(
        name,
        f"Death after {in_sentence(factor.label)}: hazard ratio by each way of counting. "
        "The first of each is wrong.",
        ["Counted", "HR", "95% CI", "P", "Patients", "Deaths"],
        rows,
        [f"P, Wald test. {_landmark_rule(month)}"],
        abbreviations=dataset.settings.abbreviations,
    )


def _ratio_cells(
    results: pd.DataFrame, kind: str, key: str, month: float | None = None
) -> list[str]:
    ratio = pick(results, f"hazard_ratio_{kind}", key, month)
    p = pick(results, f"p_{kind}", key, month)["estimate"]
    cells = [written(ratio), interval(ratio), p_value(p)]
    return [*cells, counted(ratio["n"]), counted(ratio["events"])]


def curves_figure(dataset: Dataset, name: str, column: str = "") -> Figure:
    """The wrong curves, dashed, and those by the state of each day."""
    os, factor = endpoint(dataset, "os"), event_of(dataset, column)
    rows = covariate_rows(dataset, os, [factor])
    begin = first_month(dataset, rows, factor)
    ever = ever_curves(dataset, rows_as_if_known(dataset, os, factor), factor, begin or 0)
    label = factor.label
    names = {HAD: (f"{label}, so far", f"{label}, ever"), NOT: ("Not yet", "Never")}
    drawn = [
        monthly(dataset, curve, begin=begin or 0).assign(series=names[side][1])
        for side, curve in ever.items()
    ]
    begun = ""
    if begin is not None:
        states = state_curves(dataset, rows, factor, begin)
        drawn += [
            monthly(dataset, curve, begin=begin).assign(series=names[side][0])
            for side, curve in states.items()
        ]
        begun = (
            f" All are of those followed beyond month {begin}, the first at which {ENOUGH} who are "
            "followed have had it."
        )
    series = [names[side][place] for place in (0, 1) for side in names]
    styles = {names[side][1]: 1 for side in names}
    chart = curves_chart(
        pd.concat(drawn), series, axis_months(dataset, os), f"Months since {os.origin}", styles
    )
    caption = (
        "Dashed, and wrong: those who ever have it and those who never do. Drawn through: by "
        f"whether it has come by each day.{begun}"
    )
    words = (
        f"Four survival curves: by whether {in_sentence(label)} ever comes, and by "
        "whether it has come by each day. Their numbers at the landmarks are in the table below."
    )
    return Figure(name, chart, words, with_source(dataset, caption))


def curves_table(dataset: Dataset, results: pd.DataFrame, name: str, column: str = "") -> Table:
    """Survival of both sides at the landmarks, counted wrong and right."""
    factor = event_of(dataset, column)
    begin = first_month(dataset, covariate_rows(dataset, endpoint(dataset, "os"), [factor]), factor)
    whom = "All patients" if begin is None else f"Those followed beyond month {begin}"
    kinds = {"survival_ever": "ever", "survival_by_state": "so far"}
    there = [kind for kind in kinds if (results["quantity"] == kind).any()]
    heads = [f"{word} {kinds[kind]}" for kind in there for word in ("Had it", "Not")]
    rows = [
        Row(
            in_months(month),
            [
                _share_of(results, kind, f"os:{factor.column}|{side}", month)
                for kind in there
                for side in (HAD, NOT)
            ],
        )
        for month in told_months(dataset, endpoint(dataset, "os"))
    ]
    notes = ["Had it ever: sorted by what was to come, wrong. Had it so far: Simon and Makuch."]
    if any(cell.endswith(DAGGER) for row in rows for cell in row.cells):
        notes.append(f"{CARRIED}.")
    return Table(
        name,
        f"Alive by {in_sentence(factor.label)}, %. {whom}.",
        ["Month", *heads],
        rows,
        notes,
        abbreviations=dataset.settings.abbreviations,
    )


def _share_of(results: pd.DataFrame, quantity: str, group: str, month: float) -> str:
    """A share at a landmark; a dash where nobody is in the group, or before the curve begins."""
    there = results["quantity"].eq(quantity) & results["group"].eq(group)
    if not (there & results["months"].eq(month)).any():
        return MISSING
    row = pick(results, quantity, group, month)
    carried = row["estimate"] > 0 and not anybody(row)  # at 0 all have died: it is known
    return shown(row["estimate"], quantity) + (f" {DAGGER}" if carried else "")


MOVED = {
    "same": "to two decimals it is the same.",
    "unknown": "there is no ratio to be compared.",
    "turned": "the ratio passes to the other side of one.",
    "higher": "the ratio is higher once that time is counted where it belongs.",
    "not_higher": "here the ratio is not higher for it.",
}


def told(dataset: Dataset, results: pd.DataFrame, column: str = "") -> Prose:
    """How far the ratio moves, and how much of the time could not be died in."""
    factor = event_of(dataset, column)
    key = f"os:{factor.column}"
    fixed, right = (
        pick(results, f"hazard_ratio_{kind}", key)["estimate"] for kind in ("fixed", "univariate")
    )
    return Prose(
        "Those who ever have {label} wait a median of {waited} for it. Not one of them dies in "
        "that time: whoever does never has it. It makes up {share} of all their follow-up. Counted "
        "as if known from the start, the ratio is {fixed}; counted from its day, {right}: "
        + MOVED[conclusions.moved(fixed, right)],
        label=in_sentence(factor.label),
        waited=estimate(results, "time_waited", factor.column),
        share=estimate(results, "share_immortal", factor.column),
        fixed=estimate(results, "hazard_ratio_fixed", key),
        right=estimate(results, "hazard_ratio_univariate", key),
    )


# --- exercises ---------------------------------------------------------------------------------


def followed(dataset: Dataset, column: str = "") -> pd.DataFrame:
    """For the exercises: each patient's `came` (day or blank), `days` followed, and `died`."""
    factor, os = event_of(dataset, column), endpoint(dataset, "os")
    came = dataset.patients.loc[os.data.index, factor.column]
    return pd.DataFrame({"came": came, "days": os.time, "died": os.observed > 0})


def exercise_1(dataset: Dataset) -> Exercise:
    """The share of the follow-up of those who ever have it that lies before it."""
    patients = followed(dataset).dropna()
    before, all_days = patients["came"].sum(), patients["days"].sum()
    everybody = followed(dataset)["days"].sum()
    return Exercise(
        before / all_days,
        "So much of their time is immortal: no death could have fallen into it.",
        [
            (
                1 - before / all_days,
                "That is the time after it. The task asks for the time before.",
            ),
            (before / everybody, "Divide by the follow-up of those who had it, not of everybody."),
            (
                (patients["came"] / patients["days"]).mean(),
                "That is the mean of each patient's share. Add up the days first.",
            ),
        ],
    )


def exercise_2(dataset: Dataset) -> Exercise:
    """Who is compared at a landmark of six months: how many, and how many of them had it."""
    patients = followed(dataset)
    day = float(est.met(dataset.days(6), patients[["days", "came"]]))
    there = patients["days"] > day
    had = patients["came"] < day
    ever = patients["came"].notna()
    return Exercise(
        [there.sum(), (there & had).sum()],
        "Each is sorted by what is known on that day, and by nothing later.",
        [
            ([there.sum(), (there & ever).sum()], "You counted those in whom it came later, too."),
            ([len(patients), had.sum()], "Who died or left before the landmark is not compared."),
            ([there.sum(), had.sum()], "Of those who had it, some were gone by the landmark."),
        ],
        decimals=0,
    )


def exercise_3(dataset: Dataset) -> Exercise:
    """Deaths per 100 patient-years after it, with the time before it left to the others."""
    patients = followed(dataset)
    had = patients["came"].notna()
    deaths = (patients["died"] & had).sum()
    after = (patients["days"] - patients["came"])[had].sum()
    all_days = patients.loc[had, "days"].sum()
    years = 100 * 365.25
    return Exercise(
        years * deaths / after,
        "The deaths are the same; the wrong rate divides them by time in which none could come.",
        [
            (years * deaths / all_days, "You counted the time before it, in which nobody dies."),
            (deaths / after * 365.25, "That is for each patient-year, not for 100."),
        ],
        decimals=1,
    )
