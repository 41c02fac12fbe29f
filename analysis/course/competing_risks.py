"""Lesson 4: an event that makes another impossible, 1 - Kaplan-Meier, and two kinds of ratio."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import altair as alt
import numpy as np
import pandas as pd

from .. import survival as est
from ..dataset.endpoints import Endpoint, covariate_rows, endpoint
from ..dataset.model import Dataset, Factor
from ..page.charts import COLOURS, INK, LABEL_SIZE, Choice, Figure, share_axis, with_source
from ..page.formats import DAGGER, counted, in_months, interval, month, rounded, written
from ..page.prose import Prose, declared, estimate, ruled, sourced, with_interval
from ..page.rows import frame, is_carried, pick
from ..page.tables import Row, Table
from ..study import conclusions
from ..study.curves import axis_months, told_months, values_at
from ..study.tables import past_follow_up
from ..survival.subdistribution import fine_gray
from .charts import curves_chart, finished, monthly
from .exercises import Exercise

CAUSES = {"relapse": 1, "death": 2}  # the groups of the results, and their numbers as events
LABELS = {"relapse": "Relapse", "death": "Death without relapse"}
NEITHER = "Neither"
ENDS = {0: "neither, when last seen", 1: "relapsed", 2: "died without relapse"}

# Invented, for counting by hand: whole months, and which of ENDS came then.
TEN = pd.DataFrame(
    {
        "patient": list("ABCDEFGHIJ"),
        "months": [2, 3, 5, 6, 8, 9, 10, 12, 15, 18],
        "event": [2, 1, 1, 2, 0, 1, 2, 1, 0, 0],
    }
)
# Eight others for the exercises.
EIGHT = pd.DataFrame({"months": [1, 2, 4, 5, 7, 9, 11, 12], "event": [2, 1, 1, 0, 2, 1, 0, 0]})
YEAR = 12
STATIONS = 10  # of the slider, after the first
SEED = 4  # which deaths are counted as censored first

RIGHT, WRONG, MOVED = "Cumulative incidence", "1 − Kaplan–Meier", "As counted here"


# --- what is computed --------------------------------------------------------------------------


def results(dataset: Dataset) -> pd.DataFrame:
    """Incidences and what 1 - Kaplan-Meier gives at the landmarks; ratios of the baseline factors.

    Groups are `relapse` and `death` (without relapse), with a factor's column behind a colon.
    `survival` of `relapse` is the share with neither. `cumulative_incidence_censored` is relapse
    at one landmark when a per cent of the deaths, the number in its group, count as censored.
    `hazard_ratio_cause_specific` and `hazard_ratio_subdistribution` are of models of one factor.
    """
    question = endpoint(dataset, "relapse")
    rows = [
        *_shares(dataset, question),
        *_censored(dataset, question),
        *(row for factor in factors(dataset) for row in _ratios(dataset, question, factor)),
    ]
    return frame(rows)


def factors(dataset: Dataset) -> list[Factor]:
    """The baseline factors that the dataset names for what comes after a response."""
    return [f for f in dataset.factors if f.kind == "baseline" and "rfs" in f.endpoints]


def one_minus_survival(time, event, cause: int) -> pd.DataFrame:
    """1 - Kaplan-Meier of a cause, every other event censored: `incidence` by time, which is wrong.

    A frame as `estimators.cumulative_incidence` gives it, without limits.
    """
    curve = est.survival_curve(time, np.asarray(event) == cause)
    return curve.assign(incidence=1 - curve["survival"]).drop(columns=["lower", "upper"])


def last_landmark(dataset: Dataset, question: Endpoint) -> float:
    """The last landmark to which anybody is followed, or the one month that is told."""
    followed, months = dataset.months(question.time.max()), told_months(dataset, question)
    return max((month for month in months if month <= followed), default=months[0])


def _shares(dataset: Dataset, question: Endpoint) -> Iterator[dict]:
    time, event, n = question.time, question.observed, len(question.data)
    months = told_months(dataset, question)
    for cause, number in CAUSES.items():
        right = values_at(dataset, est.cumulative_incidence(time, event, number), months)
        wrong = values_at(dataset, one_minus_survival(time, event, number), months)
        for at, value in right.iterrows():
            common = {"group": cause, "months": at, "n": n, "events": value["events"]}
            limits = {"lower": value["lower"], "upper": value["upper"]}
            yield {
                "quantity": "cumulative_incidence",
                "estimate": value["incidence"],
                **limits,
                **common,
            }
            seems = wrong.loc[at, "incidence"]
            yield {"quantity": "one_minus_survival", "estimate": seems, **common}
    end = dataset.months(time.max())
    yield {"quantity": "followup_end", "group": "relapse", "estimate": end, "n": n}
    free = values_at(dataset, est.survival_curve(time, event > 0), months)
    for at, value in free.iterrows():
        common = {"group": "relapse", "months": at, "n": n}
        yield {"quantity": "at_risk", "estimate": value.at_risk, **common}
        limits = {"lower": value.lower, "upper": value.upper, "events": value.events}
        yield {"quantity": "survival", "estimate": value.survival, **limits, **common}


def with_censored_deaths(event, share: float, seed: int = SEED) -> np.ndarray:
    """Events of which a share of the competing ones, rounded to whole patients, became censored.

    Which, is drawn with the seed. Who is drawn for a share is among those of a larger one, too.
    """
    event = np.array(event)
    competing = np.random.default_rng(seed).permutation(np.flatnonzero(event == 2))
    event[competing[: round(share * len(competing))]] = 0
    return event


def _percents() -> list[int]:
    return [round(100 * station / STATIONS) for station in range(STATIONS + 1)]


def _censored(dataset: Dataset, question: Endpoint) -> Iterator[dict]:
    at = last_landmark(dataset, question)
    for percent in _percents():
        event = with_censored_deaths(question.observed, percent / 100)
        curve = est.cumulative_incidence(question.time, event, 1)
        value = values_at(dataset, curve, [at]).iloc[0]
        common = {"group": f"relapse:{percent}", "months": at, "n": len(event)}
        yield {
            "quantity": "cumulative_incidence_censored",
            "estimate": value["incidence"],
            "events": value["events"],
            **common,
        }


def _ratios(dataset: Dataset, question: Endpoint, factor: Factor) -> Iterator[dict]:
    rows = covariate_rows(dataset, question, [factor])
    fits = {
        ("hazard_ratio_cause_specific", cause): est.cox(
            rows.assign(event=(rows["event"] == number) * 1), [factor.column]
        )
        for cause, number in CAUSES.items()
    }
    fits["hazard_ratio_subdistribution", "relapse"] = fine_gray(
        rows["stop"], rows["event"], 1, rows[[factor.column]]
    )
    for (quantity, cause), fit in fits.items():
        line = fit.summary().iloc[0]
        limits = {"lower": line["lower"], "upper": line["upper"], "n": fit.n, "events": fit.events}
        group = f"{cause}:{factor.column}"
        yield {"quantity": quantity, "group": group, "estimate": line["hazard_ratio"], **limits}


# --- the ten -----------------------------------------------------------------------------------


def lives_figure(name: str) -> Figure:
    """The ten as lines from their first to their last day."""
    rows = TEN.assign(end=TEN["event"].map(ENDS), begin=0)
    domain = [ENDS[1], ENDS[2], ENDS[0]]
    scale = alt.Scale(domain=domain, range=[*COLOURS, INK])
    colour = alt.Color("end:N", legend=None, scale=scale)
    x = alt.X(
        "months:Q",
        title="Months since remission",
        scale=alt.Scale(domain=[0, 30]),  # room for the words of the last
        axis=alt.Axis(values=list(range(0, 25, 6)), grid=True),
    )
    y = alt.Y("patient:N", title=None, axis=alt.Axis(domain=False, ticks=False, grid=False))
    base = alt.Chart(rows).encode(x=x, y=y)
    shapes = alt.Scale(domain=domain, range=["circle", "square", "circle"])
    points = base.encode(color=colour, shape=alt.Shape("end:N", legend=None, scale=shapes))
    layers = [
        base.mark_rule(strokeWidth=2, opacity=0.6).encode(x="begin:Q", x2="months:Q", color=colour),
        points.mark_point(filled=True, size=70, opacity=1).transform_filter("datum.event > 0"),
        points.mark_point(filled=False, size=60, opacity=1).transform_filter("datum.event == 0"),
        base.mark_text(align="left", dx=9, fontSize=LABEL_SIZE).encode(text="end:N"),
    ]
    told = "; ".join(f"{r.patient} {r.end}, {in_months(r.months)}" for r in rows.itertuples())
    caption = (
        "Ten invented patients in remission. A dot is a relapse, a square a death without one. An "
        "open circle is the day on which a patient was last seen, alive and in remission."
    )
    return Figure(name, finished(layers), f"Ten lines, one for each patient: {told}.", caption)


def by_hand_table(name: str) -> Table:
    """The incidence of the ten as it grows, beside 1 - Kaplan-Meier."""
    right = est.cumulative_incidence(TEN["months"], TEN["event"], 1)
    death = est.cumulative_incidence(TEN["months"], TEN["event"], 2)
    wrong = one_minus_survival(TEN["months"], TEN["event"], 1)["incidence"]
    made, before = [], 1.0
    for at, step in right[(right["events"] + right["other_events"]) > 0].iterrows():
        relapsed = step["events"] > 0
        adds = f"{rounded(before, 2)} × 1/{counted(step['at_risk'])}" if relapsed else ""
        before = 1 - step["incidence"] - death.loc[at, "incidence"]
        shares = (before, step["incidence"], death.loc[at, "incidence"], wrong[at])
        event = "relapse" if relapsed else "death"
        cells = [event, counted(step["at_risk"]), adds, *(rounded(s, 3) for s in shares)]
        made.append(Row(month(at), cells))
    columns = ("Month", "Event", "At risk", "Adds to relapse", NEITHER, "Relapse", "Death", WRONG)
    caption = "Ten invented patients: the incidences by hand. The last column is wrong."
    return Table(name, caption, columns, made)


# --- the dataset -------------------------------------------------------------------------------


def sum_figure(dataset: Dataset, results: pd.DataFrame, name: str) -> Figure:
    """Relapse, death and neither at the landmarks, stacked: one whole, or more than that."""
    pieces = _pieces(dataset, results)
    top = max(pieces["upper"].max(), 1.0)
    question = endpoint(dataset, "relapse")
    months = [month(at) for at in told_months(dataset, question)]
    title = f"Months since {question.origin}"
    x = alt.X("landmark:N", title=title, sort=months, axis=alt.Axis(labelAngle=0, ticks=False))
    side = alt.XOffset("way:N", sort=[RIGHT, WRONG])
    y = share_axis("lower", top=top * 1.28)
    parts = {LABELS["relapse"]: 0.75, LABELS["death"]: 0.75, NEITHER: 0.15}  # how dark they are
    colour = alt.Color(
        "part:N", legend=None, scale=alt.Scale(domain=list(parts), range=[*COLOURS, INK])
    )
    bars = alt.Chart(pieces).encode(x=x, xOffset=side)
    sums = pieces.groupby(["landmark", "way"], sort=False, as_index=False)["upper"].max()
    sums["text"] = [rounded(100 * total, 0) + "%" for total in sums["upper"]]
    above = alt.Chart(sums).encode(x=x, xOffset=side, y="upper:Q", text="text:N")
    layers = [
        *(
            bars.transform_filter(alt.datum.part == part)
            .mark_bar(stroke=INK, strokeWidth=0.5, opacity=opacity)
            .encode(y=y, y2="upper:Q", color=colour)
            for part, opacity in parts.items()
        ),
        above.mark_text(dy=-8, fontSize=LABEL_SIZE, fontWeight="bold"),
        alt.Chart(pd.DataFrame({"whole": [1.0]}))
        .mark_rule(strokeDash=[5, 4], color=INK)
        .encode(y="whole:Q"),
        *_parts_legend(parts, colour),
    ]
    told = "; ".join(f"month {r.landmark}, {r.way}: {r.text}" for r in sums.itertuples())
    caption = (
        "More than everybody. At each landmark the left bar stacks the two incidences and the "
        "share with neither event; the right bar has 1 − Kaplan–Meier of each event in their "
        "place. The dashed line is all patients."
    )
    return Figure(
        name, finished(layers), f"Pairs of stacked bars: {told}.", with_source(dataset, caption)
    )


def _parts_legend(parts: Mapping[str, float], colour: alt.Color) -> list[alt.Chart]:
    """The names of the parts at the upper left, in the order in which they are stacked."""
    made = []
    for place, (part, opacity) in enumerate(reversed(parts.items())):
        base = alt.Chart(pd.DataFrame({"part": [part]})).encode(y=alt.value(8 + 17 * place))
        made += [
            base.mark_point(shape="square", filled=True, size=90, opacity=opacity).encode(
                x=alt.value(8), color=colour
            ),
            base.mark_text(align="left", fontSize=LABEL_SIZE, fontWeight="bold").encode(
                x=alt.value(18), text="part:N"
            ),
        ]
    return made


def _pieces(dataset: Dataset, results: pd.DataFrame) -> pd.DataFrame:
    """From where to where each part of each bar goes."""
    ways = {RIGHT: "cumulative_incidence", WRONG: "one_minus_survival"}
    made = []
    for at in told_months(dataset, endpoint(dataset, "relapse")):
        for way, quantity in ways.items():
            lower = 0.0
            for part, (key, group) in {
                LABELS["relapse"]: (quantity, "relapse"),
                LABELS["death"]: (quantity, "death"),
                NEITHER: ("survival", "relapse"),
            }.items():
                upper = lower + pick(results, key, group, at)["estimate"]
                made.append((month(at), way, part, round(lower, 4), round(upper, 4)))
                lower = upper
    return pd.DataFrame(made, columns=["landmark", "way", "part", "lower", "upper"])


def moving_figure(dataset: Dataset, results: pd.DataFrame, name: str) -> Figure:
    """Relapse, as ever more of the deaths are counted as if the patients had only left."""
    question = endpoint(dataset, "relapse")
    fixed = {
        RIGHT: est.cumulative_incidence(question.time, question.observed, 1),
        WRONG: one_minus_survival(question.time, question.observed, 1),
    }
    drawn = []
    for number, percent in enumerate(_percents()):
        event = with_censored_deaths(question.observed, percent / 100)
        curves = {**fixed, MOVED: est.cumulative_incidence(question.time, event, 1)}
        drawn += [
            _steps_of(monthly(dataset, curve, "incidence")).assign(series=series, choice=number)
            for series, curve in curves.items()
        ]
    at, first = last_landmark(dataset, question), STATIONS // 2
    marks = pd.DataFrame({"month": at, "text": in_months(at), "choice": range(STATIONS + 1)})
    chart = curves_chart(
        pd.concat(drawn),
        [RIGHT, WRONG, MOVED],
        axis_months(dataset, question),
        f"Months since {question.origin}",
        styles={WRONG: 1, MOVED: 1},
        choice=first,
        marks=marks,
    )
    choice = Choice("Deaths censored", _stations(), _answers(results, at), first)
    alt_text = (
        "Rising curves of relapse: the cumulative incidence below, 1 − Kaplan–Meier above, and "
        "between them the incidence with a part of the deaths counted as censored."
    )
    caption = (
        "What if deaths are not told apart from patients last seen alive? Move how many of those "
        "who died without relapse count as censored on that day, to the nearest whole patient. "
        "Which ones, is drawn once."
    )
    return Figure(name, chart, alt_text, with_source(dataset, caption), choice=choice)


def _steps_of(curve: pd.DataFrame) -> pd.DataFrame:
    """The months in which a monthly curve changes, and its last: it looks the same."""
    changes = curve["estimate"].ne(curve["estimate"].shift())
    changes.iloc[-1] = True
    return curve[changes]


def _stations() -> list[str]:
    inner = [f"{percent}%" for percent in _percents()[1:-1]]
    return ["none of them", *inner, "all of them"]


def _answers(results: pd.DataFrame, at: float) -> list[Prose]:
    """What relapse seems to be for each part of the deaths that is censored."""
    right = pick(results, "cumulative_incidence", "relapse", at)
    said = []
    for percent, station in zip(_percents(), _stations(), strict=True):
        row = pick(results, "cumulative_incidence_censored", f"relapse:{percent}", at)
        values = {
            "station": ruled(station, "the stations of the slider"),
            "month": declared(in_months(at), "months"),
            "now": sourced(f"{written(row)}%", row),
            "more": sourced(_points(row, right), row, right),
        }
        after = {
            0: "This is the cumulative incidence: who died stays in the count, and cannot relapse.",
            100: "This is one minus Kaplan–Meier: as if each of them might still relapse.",
        }.get(percent, "That is {more} points above the cumulative incidence.")
        if percent == 100:
            after = "That is {more} points above the cumulative incidence. " + after
        said.append(
            Prose("Deaths censored: {station}. Relapse by {month}: {now}. " + after, **values)
        )
    return said


def _points(upper: pd.Series, lower: pd.Series) -> str:
    return rounded(100 * (upper["estimate"] - lower["estimate"]), 1)


def landmark_table(dataset: Dataset, results: pd.DataFrame, name: str) -> Table:
    """The incidence of relapse and 1 - Kaplan-Meier at the landmarks, and how far apart."""
    made, notes = [], ["Points more are taken from unrounded numbers."]
    for at in told_months(dataset, endpoint(dataset, "relapse")):
        right, wrong = (
            pick(results, quantity, "relapse", at)
            for quantity in ("cumulative_incidence", "one_minus_survival")
        )
        at_risk = pick(results, "at_risk", "relapse", at)
        mark = DAGGER if is_carried(results, right) else ""
        cells = [
            written(right) + mark,
            interval(right),
            written(wrong) + mark,
            _points(wrong, right) + mark,
            counted(pick(results, "cumulative_incidence", "death", at)["events"]),
            counted(at_risk["estimate"]),
        ]
        made.append(Row(month(at), cells))
    columns = (
        "Month",
        "Cumulative incidence, %",
        "95% CI",
        f"{WRONG}, %",
        "Points more",
        "Died without relapse",
        "At risk",
    )
    return Table(
        name,
        "Relapse by each landmark, and what it seems to be if deaths are censored. The fourth "
        "column is wrong.",
        columns,
        made,
        [*notes, *past_follow_up(made, results, ["relapse"])],
        abbreviations=dataset.settings.abbreviations,
    )


def told(dataset: Dataset, results: pd.DataFrame) -> Prose:
    """The two answers at the last landmark that anybody reaches."""
    at = last_landmark(dataset, endpoint(dataset, "relapse"))
    right = pick(results, "cumulative_incidence", "relapse", at)
    wrong = [pick(results, "one_minus_survival", cause, at) for cause in CAUSES]
    free, deaths = (
        pick(results, "survival", "relapse", at),
        pick(results, "cumulative_incidence", "death", at),
    )
    total = sum(row["estimate"] for row in (*wrong, free))
    values = {
        "month": declared(in_months(at), "months"),
        "right": with_interval(results, "cumulative_incidence", "relapse", at),
        "naive": estimate(results, "one_minus_survival", "relapse", at),
        "more": sourced(_points(wrong[0], right), wrong[0], right),
        "deaths": sourced(counted(deaths["events"]), deaths),
        "total": sourced(rounded(100 * total, 1) + "%", *wrong, free),
        "whole": sourced("100%", right, deaths, free),
    }
    if np.isclose(wrong[0]["estimate"], right["estimate"]):
        return Prose(
            "By {month} relapse had come in {right}, and one minus Kaplan–Meier says {naive}, too: "
            "no relapse came after a death without one, so that the error is not seen here.",
            **values,
        )
    return Prose(
        "By {month} relapse had come in {right}. One minus Kaplan–Meier says {naive}, {more} "
        "points more. Died without relapse by then: {deaths}. One minus Kaplan–Meier counts them "
        "as patients who went out of sight and may relapse at any time.",
        "So its parts are more than the whole. By one minus Kaplan–Meier those who relapsed, those "
        "who died without relapse, and those with neither are {total} of the patients. By the "
        "cumulative incidence they are {whole}.",
        **values,
    )


# --- two kinds of ratios -----------------------------------------------------------------------

RATIOS = {
    "Relapse, cause-specific": ("hazard_ratio_cause_specific", "relapse"),
    "Death without relapse, cause-specific": ("hazard_ratio_cause_specific", "death"),
    "Relapse, subdistribution": ("hazard_ratio_subdistribution", "relapse"),
}


def ratio_table(dataset: Dataset, results: pd.DataFrame, name: str) -> Table | Prose:
    """The three ratios of each baseline factor side by side."""
    made = []
    for factor in factors(dataset):
        rows = [_ratio(results, head, factor) for head in RATIOS]
        cells = [_with_limits(row) for row in rows]
        numbers = f"{counted(rows[0]['n'])} / {counted(rows[0]['events'])}"
        made.append(Row(factor.label, [*cells, f"{numbers} / {counted(rows[1]['events'])}"]))
    if not made:
        return Prose("This dataset names no baseline factor for what comes after a response.")
    notes = [
        "Below 1, the event is rarer on the first-named side. Each line is of "
        "models of that factor alone.",
        "“Not estimable”: all events fall on one side of the factor, or it does not vary.",
    ]
    return Table(
        name,
        "Hazard ratios (95% CI) of each baseline factor: two rates, and the incidence.",
        ("Factor", *RATIOS, "Patients / relapses / deaths"),
        made,
        notes,
        abbreviations=dataset.settings.abbreviations,
    )


def _ratio(results: pd.DataFrame, head: str, factor: Factor) -> pd.Series:
    quantity, cause = RATIOS[head]
    return pick(results, quantity, f"{cause}:{factor.column}")


def _with_limits(row: pd.Series) -> str:
    if pd.isna(row["estimate"]):
        return "not estimable"
    return f"{written(row)} ({interval(row)})"


def ratios_told(dataset: Dataset, results: pd.DataFrame) -> Prose:
    """The factor whose two ratios of relapse lie farthest apart, and what the deaths have to do."""
    ratios = {f: [_ratio(results, head, f) for head in RATIOS] for f in factors(dataset)}
    known = {
        f: rows for f, rows in ratios.items() if not any(np.isnan(r["estimate"]) for r in rows)
    }
    if not known:
        return Prose("No factor of this dataset has all three ratios.")
    apart = {f: abs(np.log(rows[2]["estimate"] / rows[0]["estimate"])) for f, rows in known.items()}
    factor = max(apart, key=apart.get)
    specific, death, sub = known[factor]
    side = "In these patients that is as the deaths would have it: on the first-named side "
    why = {
        "fewer": side + "their rate is lower, so that more are left to relapse.",
        "more": side + "their rate is higher, and the dead do not relapse.",
        "not_by_them": "The rates of death alone do not explain it: the dead stay in one risk set "
        "and leave the other, also where their rates are alike.",
    }[conclusions.by_the_deaths(specific["estimate"], death["estimate"], sub["estimate"])]
    invented = (
        "Of invented records: these ratios are no evidence about any factor."
        if dataset.settings.synthetic
        else ""
    )
    return Prose(
        "The two ratios of relapse lie farthest apart for {label}: {specific} among those still "
        "alive in remission, {sub} for the incidence. The rate of death without relapse has "
        "{death}. " + why,
        *filter(None, [invented]),
        label=factor.label,
        **{
            key: sourced(_with_limits(row), row)
            for key, row in (("specific", specific), ("sub", sub), ("death", death))
        },
    )


# --- exercises ---------------------------------------------------------------------------------


def exercise_1(dataset: Dataset) -> Exercise:
    """The incidence of relapse in the eight at one year, by hand."""
    right, wrong, free = _shares_by(EIGHT["months"], EIGHT["event"], YEAR)
    return Exercise(
        right,
        "Event-free before the relapses are 7/8, 6/8 and 15/32, at risk 7, 6 and 3: "
        "1/8 + 1/8 + 5/32.",
        [
            (wrong, "That is 1 − Kaplan–Meier: the dead cannot relapse any more."),
            (3 / 8, "You counted who left, alive, as never to relapse."),
            (3 / 6, "You left some out: who died and who left are patients of the question, too."),
            (1 - free, "That is the share with either event."),
            (1 - free - right, "That is the incidence of death without relapse."),
        ],
    )


def exercise_2(dataset: Dataset) -> Exercise:
    """1 - Kaplan-Meier of the eight at one year, to see how far off it is."""
    right, wrong, free = _shares_by(EIGHT["months"], EIGHT["event"], YEAR)
    return Exercise(
        wrong,
        "1 − 6/7 × 5/6 × 2/3. It is above the incidence: the two who died are counted as if they "
        "might relapse later.",
        [
            (1 - wrong, "That is the Kaplan–Meier estimate itself. Take it from 1."),
            (right, "That is the incidence. Here deaths are to count as censored."),
            (1 - free, "You let the curve fall at deaths, too."),
        ],
    )


def exercise_3(dataset: Dataset) -> Exercise:
    """Which of the questions a cause-specific hazard ratio answers."""
    return Exercise(
        {"a", "d"},
        "Both ask for a rate among those in whom the event can still come. The others ask how many "
        "have it in the end, which deaths decide, too: the incidence and its ratio.",
        [
            ({"b", "c"}, "It is the other way round: how many have the event is the incidence."),
            ({"a", "b", "d"}, "How likely a relapse is for a patient depends on death as well."),
            ({"a"}, "Death without relapse has a rate, too, and so a cause-specific ratio."),
            ({"a", "b", "c", "d"}, "Two of them ask how many, not how fast."),
        ],
    )


def exercise_4(dataset: Dataset) -> Exercise:
    """The incidence of relapse in the dataset at the first landmark, as a sum of products."""
    question = endpoint(dataset, "relapse")
    day = float(est.met(dataset.days(told_months(dataset, question)[0]), question.time))
    right, wrong, free = _shares_by(question.time, question.observed, day)
    crude = ((question.time <= day) & (question.observed == 1)).mean()
    return Exercise(
        right,
        "The sum over the days of relapse is the estimate of Figure 1D.",
        [
            (wrong, "That is 1 − Kaplan–Meier: let `free` fall at deaths, too."),
            (crude, "You counted who left, alive, as never to relapse."),
            (1 - free, "That is the share with either event."),
            (free, "That is the share with neither event."),
        ],
    )


def _shares_by(time, event, at: float) -> tuple[float, float, float]:
    """Incidence of event 1, 1 - Kaplan-Meier of it, and the share with no event, at a time."""
    curves = (est.cumulative_incidence(time, event, 1), one_minus_survival(time, event, 1))
    right, wrong = (est.at(curve, [at])["incidence"].iloc[0] for curve in curves)
    free = est.at(est.survival_curve(time, np.asarray(event) > 0), [at])["survival"].iloc[0]
    return right, wrong, free


def patients_of(question: Endpoint) -> pd.DataFrame:
    """An endpoint's `days` and `event` (0, 1 relapse, 2 death without it), for the exercises."""
    return pd.DataFrame({"days": question.time, "event": question.observed})
