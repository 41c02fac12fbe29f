"""Lesson 3: a flat curve, what it rests on, and when one may speak of cure."""

from __future__ import annotations

from collections.abc import Iterator

import altair as alt
import numpy as np
import pandas as pd
from scipy import stats

from .. import survival as est
from ..dataset.endpoints import Endpoint, answerable, endpoint
from ..dataset.model import Dataset
from ..page.charts import COLOURS, INK, Choice, Figure, share_axis, with_source
from ..page.formats import DAGGER, counted, in_months, interval, rounded, written
from ..page.prose import Prose, declared, estimate, ruled, sourced, with_interval
from ..page.quantities import MISSING
from ..page.rows import anybody, frame, is_carried, pick
from ..page.tables import Row, Table
from ..study import conclusions
from ..study.curves import (
    DAYS_PER_YEAR,
    axis_months,
    plateau_month,
    survival_results,
    told_months,
    values_at,
)
from ..study.tables import CARRIED
from ..survival.cure import CureFit, mixture_cure, sufficient_follow_up
from .charts import curves_chart, month_axis, monthly
from .cuts import cut_at, cuts, named, place_of
from .exercises import Exercise

# Of the page on each endpoint: what this lesson shows again.
KEPT = ("survival", "at_risk", "followup_end", "event_rate", "person_years", "conditional_survival")
LATER = "‡"  # in a table where the dagger says something else
OBSERVED, MODEL = "Kaplan–Meier", "With a cured share"
YEAR = 12


# --- what is computed --------------------------------------------------------------------------


def results(dataset: Dataset) -> pd.DataFrame:
    """What the end of each curve rests on, the cured share, and the tests of follow-up.

    Groups are `os` and, where it is recorded, `rfs`; `os:cut` has the month of a cut. Quantities
    are those of `survival_results` that are KEPT, and: `survival_end`, the curve's last value, its
    `n` those followed beyond the last event; `share_cured`, without limits where the data do not
    tell; `share_uncured_at_end`; `share_late`, whose `events` are the late ones.
    """
    os, *others = answerable(dataset, "os", "rfs") or [endpoint(dataset, "os")]
    rows = pd.concat([_of_curve(dataset, question) for question in (os, *others)])
    made = [row for question in (os, *others) for row in _of_end(dataset, question, question.name)]
    for month in cuts(dataset, os):
        seen = cut_at(os, dataset.days(month))
        made += _of_end(dataset, seen, "os:cut", month)
    return pd.concat([rows, frame(made)], ignore_index=True)


def _of_curve(dataset: Dataset, question: Endpoint) -> pd.DataFrame:
    curve = est.survival_curve(question.time, question.observed)
    rows = survival_results(dataset, question, curve)
    landmark = rows["months"].isin(dataset.settings.months) | rows["months"].isna()
    return rows[rows["quantity"].isin(KEPT) & landmark]


def _of_end(
    dataset: Dataset, question: Endpoint, group: str, month: float | None = None
) -> Iterator[dict]:
    time, event = question.time, question.observed > 0
    whole = {"group": group, "months": month, "n": len(time), "events": int(event.sum())}
    end = est.survival_curve(time, event).iloc[-1]
    beyond = int((time > time[event].max()).sum()) if event.any() else len(time)
    yield {
        "quantity": "survival_end",
        "estimate": end["survival"],
        "lower": end["lower"],
        "upper": end["upper"],
        **whole,
        "n": beyond,
    }
    fit = mixture_cure(time, event)
    limits = {"estimate": fit.cured, "lower": fit.lower, "upper": fit.upper}
    yield {"quantity": "share_cured", **limits, **whole}
    test = sufficient_follow_up(time, event, fit)
    yield {"quantity": "share_uncured_at_end", "estimate": test.uncured_ratio, **whole}
    late = {**whole, "events": None if np.isnan(test.events_late) else int(test.events_late)}
    yield {"quantity": "share_late", "estimate": test.share, **late}


# --- what the plateau rests on -----------------------------------------------------------------


def beyond_told(dataset: Dataset, results: pd.DataFrame) -> Prose:
    """How an early landmark's survivors fare until the last, against all patients."""
    *starts, last = dataset.settings.months
    if not starts:
        return Prose("This dataset has one landmark month, so nobody is followed from one on.")
    first = starts[0]
    later = pick(results, "conditional_survival", "os", first)
    if pick(results, "survival", "os", first)["estimate"] == 0:
        first = sourced(in_months(first), pick(results, "survival", "os", first))
        return Prose("Nobody lived to {first}.", first=first)
    if pd.isna(later["estimate"]):
        return Prose(
            "Nobody was followed from {first} to {last}, so nothing is known here of how many of "
            "those who live to the one live to the other.",
            first=declared(in_months(first), "months"),
            last=declared(in_months(last), "months"),
        )
    end = pick(results, "survival", "os", last)
    carried = ""
    if is_carried(results, end):
        carried = " Nobody was followed to {last}: the last value is carried forward."
    return Prose(
        "Of all patients {all} live to {last}. Of those followed beyond {first}, {later} do. Both "
        "are right: they speak of other patients." + carried,
        all=with_interval(results, "survival", "os", last),
        last=declared(in_months(last), "months"),
        first=declared(in_months(first), "months"),
        later=with_interval(results, "conditional_survival", "os", first),
    )


# --- the cured share ---------------------------------------------------------------------------


def cut_figure(dataset: Dataset, results: pd.DataFrame, name: str) -> Figure:
    """The curve and the model at the cut that the reader chooses, over what came later."""
    os = endpoint(dataset, "os")
    months = [*cuts(dataset, os), None]
    ticks, title = axis_months(dataset, os), f"Months since {os.origin}"
    whole = _observed(dataset, os)
    drawn, later, limits, marks = [], [], [], []
    for choice, month in enumerate(months):
        seen = cut_at(os, dataset.days(month)) if month else os
        known = whole[whole["month"] <= month] if month else whole
        model = _modelled(dataset, mixture_cure(seen.time, seen.observed), ticks[-1])
        drawn.append(pd.concat([known, model]).assign(choice=choice))
        later.append(whole.assign(choice=choice))
        limits.append({"choice": choice, **_limits(results, *place_of(month))})
        if month:
            marks.append({"month": month, "text": "cut", "choice": choice})
    start = min(range(len(months) - 1), key=lambda choice: abs(months[choice] - YEAR))
    more = [
        _came_later(pd.concat(later), ticks, title),
        *_span(pd.DataFrame(limits).assign(month=ticks[-1]), ticks, title),
    ]
    chart = curves_chart(
        pd.concat(drawn),
        [OBSERVED, MODEL],
        ticks,
        title,
        {MODEL: 1},
        start,
        pd.DataFrame(marks),
        more,
        [MODEL],
    )
    values = [in_months(month) if month else "no cut" for month in months]
    answers = [_answer(results, month) for month in months]
    alt_text = (
        "The Kaplan–Meier curve up to the cut, the model fitted to it drawn on to the end, and the "
        "whole curve behind them. At the right edge stands the cured share with its limits."
    )
    caption = (
        "A model of cure, drawn on beyond what it has seen. The pale line is the curve as it came "
        "later. At the right edge is the cured share with its 95% CI, where there is one."
    )
    choice = Choice("Cut at", values, answers, start)
    return Figure(name, chart, alt_text, with_source(dataset, caption), choice=choice)


def _observed(dataset: Dataset, question: Endpoint) -> pd.DataFrame:
    curve = est.survival_curve(question.time, question.observed)
    return monthly(dataset, curve).assign(series=OBSERVED)


def _modelled(dataset: Dataset, fit: CureFit, last: float) -> pd.DataFrame:
    """The fitted survival at whole months; no rows where there is no model."""
    months = np.arange(0, last + 1)
    shares = fit.survival(dataset.days(months)).round(4)
    rows = pd.DataFrame({"month": months, "estimate": shares, "series": MODEL})
    return rows.dropna()


def _limits(results: pd.DataFrame, group: str, month: float | None) -> dict:
    """The cured share where it has limits, which the chart shows together."""
    row = pick(results, "share_cured", group, month)
    parts = row[["estimate", "lower", "upper"]].astype(float).round(4)
    return dict(parts if parts.notna().all() else parts * np.nan)


def _came_later(rows: pd.DataFrame, ticks: list[float], title: str) -> alt.Chart:
    line = alt.Chart(rows[["month", "estimate", "choice"]])
    line = line.mark_line(interpolate="step-after", strokeWidth=5, opacity=0.3, color=COLOURS[0])
    return line.encode(x=month_axis(ticks, title), y=share_axis())


def _span(rows: pd.DataFrame, ticks: list[float], title: str) -> list[alt.Chart]:
    base = alt.Chart(rows).transform_filter("isValid(datum.lower)")
    x = month_axis(ticks, title)
    return [
        base.mark_rule(strokeWidth=3, color=COLOURS[1]).encode(
            x=x, y=share_axis("lower"), y2="upper:Q"
        ),
        base.mark_point(filled=True, size=60, opacity=1, color=INK).encode(x=x, y=share_axis()),
    ]


def _answer(results: pd.DataFrame, month: float | None) -> Prose:
    place = place_of(month)
    row = pick(results, "share_cured", *place)
    return Prose(
        "{at}, the curve ends at {end}. {cured} {test}",
        at=named(row, month),
        end=estimate(results, "survival_end", *place),
        cured=_cured(results, *place),
        test=_rule(results, *place),
    )


def _worth(results: pd.DataFrame, group: str, month: float | None = None) -> str:
    """The outcome of `conclusions.cured_share`."""
    end = pick(results, "survival_end", group, month)["estimate"]
    return conclusions.cured_share(pick(results, "share_cured", group, month), end)


CURED = {
    "unknown": "No model of cure can be fitted.",
    "nobody": "The model fits best when {none} is cured: it sees no plateau.",
    "open": "The model fits best when {value} are cured, but hardly better with few or with many: "
    "that is no estimate.",
    "above_curve": "The model has {value} cured. That is more than the {end} at which the curve "
    "ends, and no more can be cured than are left: its smooth law does not follow the last steps, "
    "each of which rests on few.",
    "estimate": "The model has {value} cured.",
}


def _cured(results: pd.DataFrame, group: str, month: float | None = None) -> Prose:
    """A sentence on the cured share, also where there is none."""
    return Prose(
        CURED[_worth(results, group, month)],
        none=sourced("nobody", pick(results, "share_cured", group, month)),
        value=with_interval(results, "share_cured", group, month),
        end=estimate(results, "survival_end", group, month),
    )


LATE = {
    "unknown": "Whether follow-up is long enough cannot be judged: there are no late deaths to "
    "count.",
    "long_enough": "By the rule of {rule} late deaths follow-up is long enough: there are {late}.",
    "not_shown": "By the rule of {rule} late deaths follow-up is not shown to be long enough: the "
    "count is {late}.",
}


def _rule(results: pd.DataFrame, group: str, month: float | None = None) -> Prose:
    """A sentence on the late deaths, also where there is none to count."""
    row = pick(results, "share_late", group, month)
    return Prose(
        LATE[conclusions.follow_up(row["events"])],
        rule=ruled(conclusions.LATE_EVENTS, "the late events that Maller & Zhou’s rule asks for"),
        late=sourced(counted(row["events"]), row),
    )


def ways_table(dataset: Dataset, results: pd.DataFrame, name: str) -> Table:
    """A cured share read off the end of the curve, and what can be said instead."""
    questions = answerable(dataset, "os", "rfs")
    month = plateau_month(dataset)

    def cells(quantity: str, at: float | None = None) -> list[str]:
        rows = [pick(results, quantity, question.name, at) for question in questions]
        if quantity == "survival":
            return [_cell(row) + LATER * is_carried(results, row) for row in rows]
        return [_cell(row) for row in rows]

    alive = (pick(results, "survival", question.name, month) for question in questions)
    under = (pick(results, "survival_end", question.name) for question in questions)
    late = [_late_events(dataset, pick(results, "share_late", q.name)) for q in questions]
    shares = [_share_cell(results, q.name) for q in questions]
    rows = [
        Row("Wrong, without a word on follow-up"),
        Row("“Cured”: the last value of the curve", [_bare(c) for c in cells("survival_end")], 1),
        Row("Right"),
        Row("Followed beyond the last event", [counted(row["n"]) for row in under], 1),
        Row(f"Without event at {in_months(month)} (95% CI)", cells("survival", month), 1),
        Row("At risk then", [counted(row["n"]) for row in alive], 1),
        Row("Events after it per 100 patient-years (95% CI)", cells("event_rate", month), 1),
        Row("Cured share of the model (95% CI)", shares, 1),
        Row("Of those without event at the end, not cured", cells("share_uncured_at_end"), 1),
        Row("Late events: 3 or more, and follow-up is long enough", late, 1),
    ]
    carried = any(cell.endswith(LATER) for row in rows for cell in row.cells)
    return Table(
        name,
        "What is said of cure, and what it rests on",
        ["What is said", *(question.title for question in questions)],
        rows,
        [
            f"{MISSING}, no estimate. No answer: the limits are as far apart as half of all "
            "patients, or further. † Above the end of the curve, whose last steps the model’s law "
            "does not follow.",
            "Late events: in a stretch before the last event as long as the plateau after it. Only "
            "where follow-up is long enough does the last value of the curve estimate a cured "
            "share (Maller & Zhou 1992).",
            *([f"{CARRIED.replace(DAGGER, LATER)}."] if carried else []),
        ],
        abbreviations=dataset.settings.abbreviations,
    )


def _cell(row: pd.Series) -> str:
    """An estimate with its unit and limits, or a dash."""
    if pd.isna(row["estimate"]):
        return MISSING
    unit = "%" if row["quantity"].startswith(("survival", "share")) else ""
    limits = "" if row[["lower", "upper"]].isna().any() else f" ({interval(row)})"
    return f"{written(row)}{unit}{limits}"


def _share_cell(results: pd.DataFrame, group: str) -> str:
    cell, worth = _cell(pick(results, "share_cured", group)), _worth(results, group)
    if worth == "open":
        return f"no answer{cell[cell.index(' ') :] if ' ' in cell else ''}"
    return cell + "†" * (worth == "above_curve")


def _late_events(dataset: Dataset, row: pd.Series) -> str:
    """How many came late; without an answer a dash, which is not the same as masked."""
    unknown = pd.isna(row["events"]) and not dataset.mask_below
    return MISSING if unknown else counted(row["events"])


def _bare(cell: str) -> str:
    return cell.split(" ")[0]


READING = {
    "unknown": "",
    "long_enough": " As follow-up is long enough by the rule below, this reading may stand, if "
    "some are cured and if leaving tells nothing.",
    "not_shown": " This reading needs a follow-up that is long enough, which the rule below does "
    "not show.",
}


def told(dataset: Dataset, results: pd.DataFrame) -> Prose:
    """The same in sentences, for overall survival."""
    end = pick(results, "survival_end", "os")
    under = "{n} patients were followed beyond the last death."
    if not anybody(end):
        under = "Under it is nobody: the last to be followed died."
    elif pd.notna(end["events"]) and end["events"] == 0:
        under = "Nobody has died, and it never fell."
    month = plateau_month(dataset)
    alive = pick(results, "survival", "os", month)
    seen = "What was seen is survival at {month}: {alive}, with {n} at risk."
    if not anybody(alive) and alive["estimate"] != 0:
        seen = "Nobody was followed to {month}, so nothing was seen there."
    said = [
        Prose(
            "Read off the end of the curve, {end} would be cured. "
            + under
            + READING[conclusions.follow_up(pick(results, "share_late", "os")["events"])],
            end=estimate(results, "survival_end", "os"),
            n=sourced(counted(end["n"]), end),
        ),
        Prose(
            seen,
            month=declared(in_months(month), "months"),
            alive=with_interval(results, "survival", "os", month),
            n=sourced(counted(alive["n"]), alive),
        ),
        Prose.joined(filter(None, (_cured(results, "os"), _waiting(results), _late(results))), " "),
    ]
    return Prose.joined(said, "\n\n")


def _waiting(results: pd.DataFrame) -> Prose | None:
    """A sentence on those who are alive at the end, by the model."""
    row = pick(results, "share_uncured_at_end", "os")
    if pd.notna(row["estimate"]):
        return Prose(
            "In this model {share} of those alive at the end are not cured.",
            share=estimate(results, "share_uncured_at_end", "os"),
        )
    if pick(results, "share_cured", "os")["estimate"] == 0:
        if pick(results, "survival_end", "os")["estimate"] == 0:
            return None  # nobody is alive at the end
        return Prose("By it, all of those alive at the end still wait for the event.")
    return Prose("So nothing can be said of how many of those alive at the end still wait for it.")


def _late(results: pd.DataFrame) -> Prose:
    """The rule, what it rests on, and whether the model sees it otherwise."""
    row = pick(results, "share_late", "os")
    long_enough = conclusions.follow_up(row["events"])
    if long_enough == "unknown":
        return _rule(results, "os")
    waits = conclusions.waiting(pick(results, "share_uncured_at_end", "os")["estimate"])
    if _worth(results, "os") == "nobody":
        waits = "some"  # all of them
    apart = (waits, long_enough) in (("few", "not_shown"), ("some", "long_enough"))
    return Prose(
        "{rule} It counts those, of {n} patients, who died in a stretch before the last death that "
        "is as long as the plateau after it."
        + " Model and rule disagree: the one trusts its law, the other counts the last deaths."
        * apart,
        rule=_rule(results, "os"),
        n=sourced(counted(row["n"]), row),
    )


def moved_told(dataset: Dataset, results: pd.DataFrame) -> Prose:
    """Between which values the cured share moved with the cut."""
    seen = results[results["quantity"].eq("share_cured") & results["group"].eq("os:cut")]
    known = seen[
        [_worth(results, "os:cut", m) in ("estimate", "above_curve") for m in seen["months"]]
    ]
    if known.empty:
        return Prose("At none of the cuts does the model have an estimate of the cured share.")
    least, most = known.loc[known["estimate"].idxmin()], known.loc[known["estimate"].idxmax()]
    last = pick(results, "share_cured", "os")
    outside = known[(known["lower"] > last["estimate"]) | (known["upper"] < last["estimate"])]
    missed = "At none of these cuts do its limits leave out the share that all follow-up gives."
    if _worth(results, "os") not in ("estimate", "above_curve"):
        missed = "All follow-up together gives no estimate."
    elif len(outside):
        missed = (
            "At {missed} of them its 95% CI leaves out the {last} that all follow-up gives: the "
            "limits hold only if the model does."
        )
    moves = (
        "Of the {all} cuts, {known} give an estimate. The cured share goes from {least} (cut at "
        "{least_at}) to {most} (cut at {most_at}). "
    )
    if len(known) == 1:
        moves = "Of the {all} cuts, one gives an estimate: {least} (cut at {least_at}). "
    return Prose(
        moves + missed,
        all=sourced(len(seen), seen),
        known=sourced(len(known), known),
        least=sourced(_percent(least), least),
        least_at=sourced(in_months(least["months"]), least),
        most=sourced(_percent(most), most),
        most_at=sourced(in_months(most["months"]), most),
        missed=sourced(len(outside), known),
        last=sourced(_percent(last), last),
    )


def _percent(row: pd.Series) -> str:
    return f"{rounded(100 * row['estimate'], 1)}%"


# --- exercises ---------------------------------------------------------------------------------


def landmarks(dataset: Dataset) -> pd.DataFrame:
    """The first and the last landmark `month` that can be told, and the share `alive` then."""
    os = endpoint(dataset, "os")
    known = told_months(dataset, os)
    months = known[0], known[-1]
    alive = values_at(dataset, est.survival_curve(os.time, os.observed), months)["survival"]
    return pd.DataFrame({"month": months, "alive": alive.round(4).to_numpy()})


def poisson_upper(events: int) -> float:
    """The largest mean number of events that still gives so few, exact, 95% (Garwood 1936)."""
    return float(stats.chi2.isf((1 - est.CONFIDENCE) / 2, 2 * events + 2) / 2)


def followed_month(dataset: Dataset) -> float:
    """The last landmark up to `plateau_month` beyond which somebody is followed, or 0."""
    time, plateau = endpoint(dataset, "os").time, plateau_month(dataset)
    months = [m for m in dataset.settings.months if m <= plateau]
    months = [m for m in months if est.beyond(time, dataset.days(m)).any()]
    return max(months, default=0.0)


def year_cut(dataset: Dataset) -> float:
    """The cut that is nearest to a year."""
    return min(cuts(dataset, endpoint(dataset, "os")), key=lambda month: abs(month - YEAR))


def exercise_1(dataset: Dataset) -> Exercise:
    """Survival to the last landmark of those alive at the first."""
    first, last = landmarks(dataset)["alive"]
    return Exercise(
        last / first if first else np.nan,
        "Who lives to the last landmark has lived to the first: alive at both, of those alive at "
        "the first.",
        [
            (last, "That is the share of all patients. The question is about those still alive."),
            (first - last, "That is the share of all patients who die in between."),
            (1 - last / first if first else np.nan, "That is the share of them who die."),
        ],
    )


def exercise_2(dataset: Dataset) -> Exercise:
    """The upper limit of the yearly rate beyond a landmark."""
    os = endpoint(dataset, "os")
    start = dataset.days(followed_month(dataset)) / DAYS_PER_YEAR
    years, died = os.time / DAYS_PER_YEAR, os.observed > 0
    rate, whole = est.event_rate(years, died, start), est.event_rate(years, died)
    from_start = poisson_upper(rate.events) / years[est.beyond(years, start)].sum()
    return Exercise(
        rate.upper,
        "The events may be few by luck. The upper limit is the rate at which so few would still "
        "come with a chance of 2.5%.",
        [
            (rate.estimate, "That is the rate itself, not its upper limit."),
            (rate.lower, "That is the lower limit."),
            (whole.upper, "That counts all events and all years, also those before the landmark."),
            (from_start, "The years before the landmark do not count: who is followed beyond it "
             "could not die in them."),
        ],
        decimals=4,
    )  # fmt: skip


def exercise_3(dataset: Dataset) -> Exercise:
    """The cured share and the curve's end at a cut, and the curve's end with all follow-up."""
    os = endpoint(dataset, "os")
    day = dataset.days(year_cut(dataset))
    seen = cut_at(os, day)

    def end(question: Endpoint) -> float:
        return est.survival_curve(question.time, question.observed)["survival"].iloc[-1]

    fit = mixture_cure(seen.time, seen.observed)
    unseen = mixture_cure(seen.time, os.observed > 0).cured
    all_of_it = mixture_cure(os.time, os.observed).cured
    right = (fit.cured, end(seen), end(os))
    return Exercise(
        right,
        "The last value of a curve depends on where it ends, and the model on what shape it "
        "believes in. Neither is the share of the cured while patients still die.",
        [
            ((all_of_it, right[1], right[2]), "The model has seen what came after the cut."),
            (
                (unseen, right[1], right[2]),
                "Deaths after the cut still count as deaths in the model: on its day they are "
                "censored.",
            ),
            ((right[1], right[0], right[2]), "The model’s share comes first."),
            ((right[0], right[2], right[1]), "The curve at the cut comes before the whole one."),
        ],
    )
