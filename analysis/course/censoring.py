"""Lesson 1: patients whose end is not known, and what counting does with them."""

from __future__ import annotations

from collections.abc import Iterator

import altair as alt
import numpy as np
import pandas as pd

from .. import survival as est
from ..dataset.endpoints import Endpoint, endpoint
from ..dataset.model import Dataset
from ..page.charts import COLOURS, LABEL_SIZE, Choice, Figure
from ..page.formats import counted, in_months, in_patients, rounded, shown
from ..page.prose import Prose, estimate, sourced, with_interval
from ..page.rows import frame, pick
from ..page.tables import Row, Table
from ..study.curves import told_months
from .charts import curves_chart, finished
from .exercises import Exercise

# Invented, for counting by hand: whole months, a death or the end of follow-up for each.
TEN = pd.DataFrame(
    {
        "patient": list("ABCDEFGHIJ"),
        "months": [1, 2, 3, 5, 6, 8, 10, 12, 15, 18],
        "died": [True, True, False, True, False, True, False, False, True, False],
    }
)
YEAR = 12
WAYS = {
    "survival_dropped": "Leave out whoever left before",
    "survival_counted_alive": "Count whoever left as alive",
    "survival": "Kaplan–Meier",
}


# --- what is computed --------------------------------------------------------------------------


def results(dataset: Dataset) -> pd.DataFrame:
    """The shares alive of the ten at one year and at each step, and of the dataset's patients.

    Groups are `ten` and `os`. Quantities: `survival`, and what the two wrong ways give.
    """
    ten = est.survival_curve(TEN["months"], TEN["died"])
    steps = ten[ten.index > 0]
    rows = [
        *_ways("ten", TEN["months"], TEN["died"], {YEAR: YEAR}),
        *(_of_step(month, step) for month, step in steps.iterrows() if month != YEAR),
    ]
    os = endpoint(dataset, "os")
    days = {month: dataset.days(month) for month in told_months(dataset, os)}
    carry = dataset.days(dataset.settings.carry_forward_months)
    return frame([*rows, *_ways("os", os.time, os.observed > 0, days, carry)])


def _of_step(month: float, step: pd.Series) -> dict:
    limits = {"lower": step["lower"], "upper": step["upper"]}
    common = {"group": "ten", "months": month, "n": step["at_risk"], "events": step["events"]}
    return {"quantity": "survival", "estimate": step["survival"], **limits, **common}


def _ways(group: str, time, died, at: dict[float, float], carry: float = 0.0) -> Iterator[dict]:
    """Each way of counting at the months of `at`, which has their times in the unit of `time`."""
    curve = est.survival_curve(time, died)
    for month, day in at.items():
        dropped, alive = naive_shares(time, died, day)
        value = est.at(curve, [day], carry).iloc[0]
        common = {"group": group, "months": month, "events": value["events"]}
        known = len(time) - int(((time < est.met(day, time)) & ~died).sum())
        yield {"quantity": "survival_dropped", "estimate": dropped, "n": known, **common}
        yield {"quantity": "survival_counted_alive", "estimate": alive, "n": len(time), **common}
        limits = {"lower": value["lower"], "upper": value["upper"], "n": value["at_risk"]}
        yield {"quantity": "survival", "estimate": value["survival"], **limits, **common}


def naive_shares(time, died, at: float) -> tuple[float, float]:
    """The share alive at a time without those who left before it, and with them as alive."""
    at = est.met(at, time)
    dead, left = (time <= at) & died, (time < at) & ~died
    known = len(time) - left.sum()
    return (known - dead.sum()) / known if known else np.nan, 1 - dead.mean()


# --- what is shown -----------------------------------------------------------------------------


def lives_figure(name: str) -> Figure:
    """The ten as lines from their first to their last day."""
    rows = TEN.assign(end=np.where(TEN["died"], "died", "alive when last seen"), begin=0)
    x = alt.X(
        "months:Q",
        title="Months",
        scale=alt.Scale(domain=[0, 24]),  # room for the words of the last
        axis=alt.Axis(values=list(range(0, 25, 6)), grid=True),
    )
    y = alt.Y("patient:N", title=None, axis=alt.Axis(domain=False, ticks=False, grid=False))
    colour = alt.Color("end:N", legend=None, scale=_ends(COLOURS[::-1]))
    base = alt.Chart(rows).encode(x=x, y=y)
    words = base.mark_text(align="left", dx=9, fontSize=LABEL_SIZE).encode(text="end:N")
    layers = [
        base.mark_rule(strokeWidth=2, opacity=0.6).encode(x="begin:Q", x2="months:Q", color=colour),
        base.mark_point(filled=True, size=70, opacity=1)
        .encode(color=colour)
        .transform_filter("datum.died"),
        base.mark_point(filled=False, size=60, opacity=1)
        .encode(color=colour)
        .transform_filter("!datum.died"),
        words,
    ]
    told = "; ".join(f"{r.patient} {r.end} at {in_months(r.months)}" for r in rows.itertuples())
    caption = (
        "Ten invented patients. A full dot is a death. An open one is the day on which a patient "
        "was last seen, alive."
    )
    return Figure(name, finished(layers), f"Ten lines, one for each patient: {told}.", caption)


def _ends(values) -> alt.Scale:
    return alt.Scale(domain=["died", "alive when last seen"], range=list(values))


def steps_figure(results: pd.DataFrame, name: str) -> Figure:
    """The estimate of the ten, made month by month as the reader moves on."""
    curve = est.survival_curve(TEN["months"], TEN["died"])
    months = [0, *TEN["months"]]
    drawn = pd.concat(
        [
            curve.loc[:month, ["survival"]]
            .rename(columns={"survival": "estimate"})
            .reset_index(names="month")
            .assign(choice=number, series="Kaplan–Meier")
            for number, month in enumerate(months)
        ]
    ).round(4)
    marks = pd.DataFrame(
        {"month": months, "text": [f"month {m}" for m in months], "choice": range(len(months))}
    )
    first = 4
    chart = curves_chart(
        drawn, ["Kaplan–Meier"], range(0, 19, 3), "Months", choice=first, marks=marks
    )
    choice = Choice(
        "Go to", [f"month {month}" for month in months], _answers(results, curve), first
    )
    alt_text = "A curve that falls at each death of the ten patients and stays level between."
    caption = "The estimate step by step. Move the month; the line shows what is known by then."
    return Figure(name, chart, alt_text, caption, choice=choice)


def _answers(results: pd.DataFrame, curve: pd.DataFrame) -> list[Prose]:
    """What happens at the start and at each step, in words."""
    said = [Prose("Month 0. All ten are followed and alive: 100%.")]
    before = 1.0
    for month, step in curve[curve.index > 0].iterrows():
        row = pick(results, "survival", "ten", month)
        values = {
            "month": rounded(month, 0),
            "n": counted(step["at_risk"]),
            "left": counted(step["at_risk"] - 1),
            "before": rounded(100 * before, 1),
            "now": sourced(shown(row["estimate"], "survival") + "%", row),
        }
        fell = (
            "One dies, and {left} of {n} go on: {before}% × {left}/{n} = {now}."
            if step["events"]
            else "One leaves, alive. The curve stays at {now}, and rests on {left}."
        )
        said.append(Prose("Month {month}. {n} are at risk. " + fell, **values))
        before = row["estimate"]
    return said


def ways_table(dataset: Dataset, results: pd.DataFrame, name: str) -> Table:
    """The three ways side by side, of the ten and of the dataset's patients."""
    made = [Row("Ten invented patients"), _way_row(results, "ten", YEAR)]
    made.append(Row(f"This dataset, {in_patients(len(dataset.patients))}"))
    months = told_months(dataset, endpoint(dataset, "os"))
    made += [_way_row(results, "os", month) for month in months]
    return Table(
        name,
        "Alive by each way of counting, %. The first two are wrong where patients left before.",
        ["Month", *WAYS.values(), "95% CI", "At risk"],
        made,
        abbreviations=dataset.settings.abbreviations,
    )


def _way_row(results: pd.DataFrame, group: str, month: float) -> Row:
    rows = [pick(results, quantity, group, month) for quantity in WAYS]
    limits = "–".join(shown(rows[-1][part], "survival") for part in ("lower", "upper"))
    cells = [shown(row["estimate"], "survival") for row in rows]
    return Row(in_months(month), [*cells, limits, counted(rows[-1]["n"])], level=1)


def told(dataset: Dataset, results: pd.DataFrame) -> Prose:
    """What the wrong ways do at the last landmark to which anybody is followed."""
    month = told_months(dataset, endpoint(dataset, "os"))[-1]
    right, dropped, alive = (
        shown(pick(results, way, "os", month)["estimate"], way)
        for way in ("survival", "survival_dropped", "survival_counted_alive")
    )
    thrown = " the dead stay in the count, and the living are thrown out."
    unseen = " as if nobody could die once out of sight."
    same = " the same, for here leaving made no difference."
    return Prose(
        "At {month} Kaplan–Meier has {right} alive. Without those who left before, it would be "
        "{dropped}:" + (same if dropped == right else thrown) + " With them as alive, it would be "
        "{alive}:" + (same if alive == right else unseen),
        month=in_months(month),
        right=with_interval(results, "survival", "os", month),
        dropped=estimate(results, "survival_dropped", "os", month),
        alive=estimate(results, "survival_counted_alive", "os", month),
    )


# --- exercises ---------------------------------------------------------------------------------


def exercise_1(dataset: Dataset) -> Exercise:
    """Kaplan-Meier of the ten at one year, by hand."""
    curve = est.survival_curve(TEN["months"], TEN["died"])
    dropped, alive = naive_shares(TEN["months"], TEN["died"], YEAR)
    right = est.at(curve, [YEAR])["survival"].iloc[0]
    return Exercise(
        right,
        "Deaths at months 1, 2, 5 and 8 meet 10, 9, 7 and 5 at risk: 9/10 × 8/9 × 6/7 × 4/5.",
        [
            (dropped, "You left out those who were last seen before the year was over."),
            (alive, "You counted those who left as alive at one year."),
            (1 - right, "That is the share who died. The task asks for those alive."),
        ],
    )


def exercise_2(dataset: Dataset) -> Exercise:
    """How many are at risk at the first landmark."""
    os = endpoint(dataset, "os")
    day = _first_landmark(dataset)
    deaths = int(((os.time <= day) & (os.observed > 0)).sum())
    return Exercise(
        int((os.time >= day).sum()),
        "At risk are all whose time is not over before: neither dead nor out of sight by then.",
        [
            (
                len(os.time) - deaths,
                "Those who left alive before are not at risk any more, either.",
            ),
            (len(os.time), "That is how many there were at the start."),
            (deaths, "That is how many had died by then."),
        ],
        decimals=0,
    )


def exercise_3(dataset: Dataset) -> Exercise:
    """Kaplan-Meier of the dataset at the first landmark, as a product."""
    os = endpoint(dataset, "os")
    day = _first_landmark(dataset)
    dropped, alive = naive_shares(os.time, os.observed > 0, day)
    right = est.at(est.survival_curve(os.time, os.observed), [day])["survival"].iloc[0]
    return Exercise(
        right,
        "The product over the days of death is the estimate of Figure 1A.",
        [
            (dropped, "You left out those who were last seen before."),
            (alive, "You counted those who left as alive."),
            (1 - right, "That is the share who died."),
        ],
    )


def _first_landmark(dataset: Dataset) -> float:
    os = endpoint(dataset, "os")
    return float(est.met(dataset.days(told_months(dataset, os)[0]), os.time))


def times(question: Endpoint) -> pd.DataFrame:
    """An endpoint's `days` and whether the patient `died`, for the exercises."""
    return pd.DataFrame({"days": question.time, "died": question.observed > 0})
