"""Lesson 2: what a median says, and three ways to say how long patients were followed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

import altair as alt
import numpy as np
import pandas as pd

from .. import survival as est
from ..dataset.endpoints import Endpoint, covariate_rows, endpoint
from ..dataset.model import Dataset, Factor
from ..page.charts import HEIGHT, INK, LABEL_SIZE, ROW, Choice, Figure, share_axis, with_source
from ..page.formats import counted, in_months, interval, listed, rounded, shown, written
from ..page.prose import Prose, estimate, sourced, with_interval
from ..page.rows import anybody, frame, pick
from ..page.tables import Row, Table
from ..study import conclusions
from ..study.curves import axis_months
from .charts import curves_chart, month_axis, monthly
from .cuts import cut_at, cuts, named, place_of
from .exercises import Exercise

ALIVE, FOLLOWED = "Alive", "Still followed"
# Under the axis of a chart, and over the columns of the table.
WAYS = {
    "time_followup_everybody": "Everybody",
    "followup_median": "Censored",
    "median_followup": "Reverse",
}
WRONG_AND_RIGHT = ("time_followup_everybody", "median_followup")
SOONER = "os:sooner"
LEAST = 10  # patients on each side of a factor that is to show something

# Two curves that cross one half at the same month. Invented.
SAME_MEDIAN, PLATEAU, LAST = 8, 0.35, 60
FALLING, LEVELLING = "Falls on", "Levels off"

# Invented, for reading a median off a table: whole months, a death (1) or the end of follow-up.
TWENTY = pd.DataFrame(
    {
        "months": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 21, 24, 27, 30, 33, 36],
        "died": [1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 0],
    }
)


# --- what is computed --------------------------------------------------------------------------


def results(dataset: Dataset) -> pd.DataFrame:
    """Median survival and the three follow-ups, of all patients and of others beside them.

    Groups are `os`; `os:cut`, with the month of the cut; `os:sooner`, where each death comes in
    half its time; and the two sides of the factor that `splitting` finds. Times are in months.
    """
    os = endpoint(dataset, "os")
    rows = [*_rows(dataset, os, "os"), *_rows(dataset, sooner(os), SOONER)]
    for group, part in _sides(dataset, os):
        rows += _rows(dataset, part, group)
    for month in cuts(dataset, os):
        cut = cut_at(os, dataset.days(month))
        rows += _rows(dataset, cut, "os:cut", month)
    return frame(rows)


def _rows(
    dataset: Dataset, question: Endpoint, group: str, month: float | None = None
) -> Iterator[dict]:
    time, died = question.time, question.observed > 0
    censored = int((~died).sum())
    whole = {"group": group, "months": month, "n": len(time), "events": int(died.sum())}
    found = {
        "median": est.median(est.survival_curve(time, died)),
        "time_followup_everybody": (np.median(time), np.nan, np.nan),
        "followup_median": (np.median(time[~died]) if censored else np.nan, np.nan, np.nan),
        "median_followup": est.follow_up(time, died),
    }
    for quantity, days in found.items():
        limits = zip(("estimate", "lower", "upper"), map(dataset.months, days), strict=True)
        of = {"n": censored, "events": 0} if quantity == "followup_median" else {}
        yield {"quantity": quantity, **dict(limits), **whole, **of}


def sooner(question: Endpoint) -> Endpoint:
    """The same patients, had each event come in half its time: nobody is followed any less."""
    data = question.data
    time = data["time"].where(data["event"] == 0, data["time"] / 2)
    return dataclasses.replace(question, data=data.assign(time=time))


def splitting(dataset: Dataset, question: Endpoint) -> Factor | None:
    """The baseline factor with two sides that goes most clearly with survival (Cox, Wald).

    Both sides have LEAST patients or more, one with the event and one without. None, if there is
    no such factor.
    """
    sided = [f for f in dataset.factors if f.kind == "baseline" and f.numerator]
    found = {factor: _clearness(dataset, question, factor) for factor in sided}
    known = {factor: p for factor, p in found.items() if not np.isnan(p)}
    return min(known, key=known.get, default=None)


def _clearness(dataset: Dataset, question: Endpoint, factor: Factor) -> float:
    """The P value of a factor; missing where one of its sides is too small to be shown."""
    for part in _parts(dataset, question, factor):
        size, events = len(part.data), int((part.observed > 0).sum())
        if size < max(LEAST, dataset.mask_below) or events in (0, size):
            return np.nan
    rows = covariate_rows(dataset, question, [factor])
    return est.cox(rows, [factor.column]).summary()["p"].iloc[0]


def _parts(dataset: Dataset, question: Endpoint, factor: Factor) -> list[Endpoint]:
    """The patients on the numerator's side of a factor, and on the denominator's."""
    side = covariate_rows(dataset, question, [factor]).set_index("patient")[factor.column]
    return [
        dataclasses.replace(question, data=question.data.loc[side.index[side == value]])
        for value in (1, 0)
    ]


def _sides(dataset: Dataset, question: Endpoint) -> Iterator[tuple[str, Endpoint]]:
    factor = splitting(dataset, question)
    if factor:
        yield from zip(_side_groups(factor), _parts(dataset, question, factor), strict=True)


def _side_groups(factor: Factor) -> list[str]:
    return [f"os:{factor.column}={side}" for side in ("numerator", "denominator")]


# --- the median --------------------------------------------------------------------------------


def median_figure(dataset: Dataset, results: pd.DataFrame, name: str) -> Figure:
    """Where the curve and its band cross one half."""
    os = endpoint(dataset, "os")
    drawn, strip = _curve(dataset, os), _strip(results, "os", None)
    strip = strip[strip["label"] == "Median"]
    ticks = axis_months(dataset, os)
    title = f"Months since {os.origin}"
    down = strip.melt(value_vars=["estimate", "lower", "upper"], value_name="at").dropna()
    drops = alt.Chart(down[["at"]].assign(top=0.5, bottom=0))
    drops = drops.mark_rule(strokeDash=[2, 3], color=INK).encode(
        x=month_axis(ticks, title, "at"), y=share_axis("top"), y2="bottom:Q"
    )
    more = [_band(drawn, ticks, title), _half(), drops, *_strip_layers(strip, ticks, title)]
    chart = curves_chart(drawn, [ALIVE], ticks, title, more=more)
    alt_text = (
        "The curve of survival with its band, and a level line at one half. Read down from where "
        f"they meet: median {with_interval(results, 'median', 'os')}."
    )
    caption = (
        "A median is read across and down. The dotted lines go down from where one half meets the "
        "band, the curve and the band again; under the axis are the median and its interval."
    )
    return Figure(name, chart, alt_text, with_source(dataset, caption))


def median_told(results: pd.DataFrame) -> Prose:
    """The median of all patients, and what its limits are."""
    return Prose(
        "{median} " + _of_upper(pick(results, "median", "os")), median=_median(results, "os")
    )


def _median(results: pd.DataFrame, group: str, month: float | None = None) -> Prose:
    """A sentence on the median, also where there is none."""
    row = pick(results, "median", group, month)
    if pd.notna(row["estimate"]):
        return Prose(
            "Median survival is {value}.", value=with_interval(results, "median", group, month)
        )
    if pd.isna(row["lower"]):
        return Prose("The curve has not come down to one half, nor has its band: no median yet.")
    lower = sourced(f"{shown(row['lower'], 'median')} months", row)
    return Prose(
        "The curve has not come down to one half: no median yet. The lower edge of its band has, "
        "so that the interval begins at {lower}.",
        lower=lower,
    )


def _of_upper(row: pd.Series) -> str:
    if pd.notna(row["upper"]):
        return (
            "The interval holds every time at which the band holds one half: it begins where the "
            "lower edge crosses, and ends where the upper edge does."
        )
    if pd.notna(row["lower"]):
        return (
            "The upper edge of the band stays above one half to the end, so the interval has no "
            "upper limit."
        )
    if pd.notna(row["estimate"]):
        return "No edge of the band crosses one half, so there is no interval."
    return "Where nothing crosses one half, there is nothing to read."


def same_median_figure(name: str) -> Figure:
    """Two invented curves with one median, of which one has a plateau."""
    months = np.arange(0, LAST + 1)
    halves = months / SAME_MEDIAN
    # What is left of the others at the median makes one half together with the plateau.
    left = (0.5 - PLATEAU) / (1 - PLATEAU)
    curves = {FALLING: 0.5**halves, LEVELLING: PLATEAU + (1 - PLATEAU) * left**halves}
    drawn = pd.concat(
        pd.DataFrame({"month": months, "estimate": shares.round(4), "series": series})
        for series, shares in curves.items()
    )
    marks = pd.DataFrame({"month": [SAME_MEDIAN], "text": [f"median: month {SAME_MEDIAN}"]})
    chart = curves_chart(
        drawn,
        list(curves),
        range(0, LAST + 1, 12),
        "Months",
        {LEVELLING: 1},
        None,
        marks,
        [_half()],
    )
    ends = (f"{rounded(100 * shares[-1], 1)}%" for shares in curves.values())
    alt_text = (
        f"Two curves cross one half at month {SAME_MEDIAN}. One falls on, the other levels off. At "
        f"month {LAST} they stand at {listed(ends)}."
    )
    return Figure(name, chart, alt_text, "One median, two fates. Both curves are invented.")


# --- the three follow-ups ----------------------------------------------------------------------


def cut_figure(dataset: Dataset, results: pd.DataFrame, name: str) -> Figure:
    """The curve, the reverse curve and the three follow-ups at the cut that the reader chooses."""
    os = endpoint(dataset, "os")
    months = [*cuts(dataset, os), None]
    ticks, title = axis_months(dataset, os), f"Months since {os.origin}"
    drawn, strips, marks = [], [], []
    for choice, month in enumerate(months):
        seen = cut_at(os, dataset.days(month)) if month else os
        both = [_curve(dataset, seen, month), _curve(dataset, _reversed(seen), month)]
        drawn.append(pd.concat(both).assign(choice=choice))
        strips.append(_strip(results, *place_of(month)).assign(choice=choice))
        if month:
            marks.append({"month": month, "text": "cut", "choice": choice})
    drawn, strip = pd.concat(drawn), pd.concat(strips)
    start = len(months) - 1
    more = [
        _band(drawn[drawn["series"] == ALIVE], ticks, title),
        _half(len(months)),
        *_strip_layers(strip, ticks, title),
    ]
    styles = {FOLLOWED: 1}
    chart = curves_chart(
        drawn, [ALIVE, FOLLOWED], ticks, title, styles, start, pd.DataFrame(marks), more
    )
    values = [in_months(month) if month else "no cut" for month in months]
    choice = Choice("Cut at", values, [_answer(results, month) for month in months], start)
    alt_text = (
        "Two falling step curves: the share alive, and the share still followed if nobody died. "
        "Under the axis stand the median and three follow-ups. All end at the cut."
    )
    caption = (
        "The same patients, followed for less. Each is cut at the same month; whoever was alive "
        "then is censored there, so that the dashed curve falls to nothing. Under the axis: median "
        "survival and the three follow-ups."
    )
    return Figure(name, chart, alt_text, with_source(dataset, caption), choice=choice)


def _answer(results: pd.DataFrame, month: float | None) -> Prose:
    place = place_of(month)
    row = pick(results, "median", *place)
    counts = "Follow-up is {everybody} counted over everybody, {censored} among the censored, "
    if not anybody(pick(results, "followup_median", *place)):
        counts = "Nobody is censored. Follow-up is {everybody} counted over everybody, "
    return Prose(
        "{at}, {died} of {n} have died. {median} " + counts + "{reverse} by reverse Kaplan–Meier.",
        at=named(row, month),
        died=sourced(counted(row["events"]), row),
        n=sourced(counted(row["n"]), row),
        median=_median(results, *place),
        everybody=estimate(results, "time_followup_everybody", *place),
        censored=estimate(results, "followup_median", *place),
        reverse=estimate(results, "median_followup", *place),
    )


def ways_table(dataset: Dataset, results: pd.DataFrame, name: str) -> Table:
    """The three follow-ups of all patients, had they died sooner, and of two groups of them."""
    os = endpoint(dataset, "os")
    rows = [
        _way_row(results, "All patients", "os", 0),
        _way_row(results, "Each death in half the time", SOONER, 0),
    ]
    if factor := splitting(dataset, os):
        sides = map(listed, (factor.numerator, factor.denominator))
        rows.append(Row(factor.label))
        for label, group in zip(sides, _side_groups(factor), strict=True):
            rows.append(_way_row(results, label, group, 1))
    columns = ["Patients", "Median survival (95% CI)"]
    return Table(
        name,
        "Median survival and three medians of follow-up, months. Of the three, the first is wrong.",
        [*columns, *list(WAYS.values())[:-1], "Reverse (95% CI)"],
        rows,
        abbreviations=dataset.settings.abbreviations,
    )


def _way_row(results: pd.DataFrame, label: str, group: str, level: int) -> Row:
    middle, *ways = (pick(results, quantity, group) for quantity in ("median", *WAYS))
    return Row(label, list(map(_limited, (middle, *ways))), level)


def _limited(row: pd.Series) -> str:
    """`7.5 (5.5–8.5)`, without limits where there are none."""
    value = written(row)
    return value if row[["lower", "upper"]].isna().all() else f"{value} ({interval(row)})"


def told(dataset: Dataset, results: pd.DataFrame) -> Prose:
    """What the deaths do to each count of follow-up."""
    said = [_against(results), _if_sooner(results)]
    if factor := splitting(dataset, endpoint(dataset, "os")):
        said.append(_between_sides(results, factor))
    return Prose.joined(said, "\n\n")


def _against(results: pd.DataFrame) -> Prose:
    naive, reverse = (_value(results, quantity, "os") for quantity in WRONG_AND_RIGHT)
    why = {
        "unknown": "The latter is not reached: the curve of those still followed never comes down "
        "to one half, for deaths ended the times first.",
        "shorter": "The first is shorter, because each death ends a time as if the patient had "
        "been lost on that day.",
        "alike": "Here the first is not shorter: deaths were few, or came late.",
    }[conclusions.follow_ups(naive, reverse)]
    return Prose(
        "Counted over everybody, the median follow-up is {naive}; by reverse Kaplan–Meier it is "
        "{reverse}. " + why,
        naive=estimate(results, "time_followup_everybody", "os"),
        reverse=with_interval(results, "median_followup", "os"),
    )


def _if_sooner(results: pd.DataFrame) -> Prose:
    """The same follow-up of a deadlier disease."""
    moved = {
        f"{name}_{number}": estimate(results, quantity, group)
        for name, quantity in zip(("naive", "reverse"), WRONG_AND_RIGHT, strict=True)
        for number, group in enumerate(("os", SOONER))
    }
    ways = {"naive": "over everybody", "reverse": "by reverse Kaplan–Meier"}
    ends = [
        f"The count {way} would "
        + (
            f"be {{{name}_0}} either way."
            if str(moved[f"{name}_0"]) == str(moved[f"{name}_1"])
            else f"go from {{{name}_0}} to {{{name}_1}}."
        )
        for name, way in ways.items()
    ]
    return Prose(
        "Had each death come in half the time, nobody would have been followed any less. "
        + " ".join(ends),
        **moved,
    )


def _between_sides(results: pd.DataFrame, factor: Factor) -> Prose:
    groups = _side_groups(factor)
    apart = [
        np.subtract(*(_value(results, quantity, group) for group in groups))
        for quantity in WRONG_AND_RIGHT
    ]
    further = "The first pair is further apart than the second. {} of what looks like longer "
    further += "follow-up is longer life."
    verdict = {
        "unknown": "Where one is not reached, only the first pair can be compared, and it "
        "misleads.",
        "mostly": further.format("Most"),
        "partly": further.format("Part"),
        "not_explained": "Here the second pair is at least as far apart, so that the deaths do not "
        "make the distance.",
    }[conclusions.explained(*apart)]
    names = ("naive", "reverse")
    values = {
        f"{name}_{number}": estimate(results, quantity, group)
        for name, quantity in zip(names, WRONG_AND_RIGHT, strict=True)
        for number, group in enumerate(groups)
    }
    return Prose(
        "Of this dataset’s factors, {label} has the least P for survival. Counted over "
        "everybody, the follow-up of its two sides is {naive_0} and {naive_1}; by reverse "
        "Kaplan–Meier, {reverse_0} and {reverse_1}. " + verdict,
        label=factor.label,
        **values,
    )


def _value(results: pd.DataFrame, quantity: str, group: str) -> float:
    """An estimate as a reader sees it, so that a sentence does not see more than they do."""
    return round(float(pick(results, quantity, group)["estimate"]), 1)


# --- drawing -----------------------------------------------------------------------------------


def _reversed(question: Endpoint) -> Endpoint:
    """Deaths and censorings exchanged."""
    event = (question.data["event"] == 0).astype(int)
    return dataclasses.replace(question, name="reverse", data=question.data.assign(event=event))


def _curve(dataset: Dataset, question: Endpoint, last: float | None = None) -> pd.DataFrame:
    """A curve and its band at whole months up to `last`, as `curves_chart` takes it."""
    curve = est.survival_curve(question.time, question.observed)
    drawn = monthly(dataset, curve)
    for part in ("lower", "upper"):
        limit = monthly(dataset, curve, part)["estimate"]
        # The limits are missing at 1 and at 0: there the band has no width.
        drawn[part] = limit.fillna(drawn["estimate"])
    series = FOLLOWED if question.name == "reverse" else ALIVE
    drawn = drawn[drawn["month"] <= last] if last else drawn
    return drawn.assign(series=series)


def _band(drawn: pd.DataFrame, ticks: Sequence[float], title: str) -> alt.Chart:
    rows = drawn[["month", "lower", "upper", *drawn.columns.intersection(["choice"])]]
    area = alt.Chart(rows).mark_area(interpolate="step-after", opacity=0.16, clip=True)
    return area.encode(x=month_axis(ticks, title), y=share_axis("lower"), y2="upper:Q")


def _half(choices: int = 1) -> alt.Chart:
    """A level line at one half, at each of the choices."""
    rows = pd.DataFrame({"half": 0.5, "choice": range(choices)})
    rule = alt.Chart(rows).mark_rule(strokeDash=[2, 3], opacity=0.7, color=INK)
    return rule.encode(y=share_axis("half"))


def _strip(results: pd.DataFrame, group: str, month: float | None) -> pd.DataFrame:
    """The median and the follow-ups as a dot, its interval and its words, a row each."""
    labels = {"median": "Median", **WAYS}
    rows = []
    for place, (quantity, label) in enumerate(labels.items()):
        row = pick(results, quantity, group, month)
        limits = row[["estimate", "lower", "upper"]].astype(float).round(2)
        rows.append({"label": label, "place": place, **limits, "text": _limited(row)})
    return pd.DataFrame(rows)


def _strip_layers(strip: pd.DataFrame, ticks: Sequence[float], title: str) -> list[alt.Chart]:
    """Under the axis, a line for each way: dot, interval, words. An open interval has one end."""
    ends = strip[["estimate", "lower", "upper"]]
    right = ends.max(axis=1).fillna(0)
    far = right > ticks[-1] / 2  # there is more room on the left
    strip = strip.assign(far=far, end=right.where(~far, ends.min(axis=1)))
    layers = []
    for place, rows in strip.groupby("place"):
        height = alt.value(HEIGHT + 58 + ROW * place)
        base = alt.Chart(rows).encode(y=height)
        layers += [
            base.transform_filter("isValid(datum.lower) && isValid(datum.upper)")
            .mark_rule(strokeWidth=1.5, color=INK)
            .encode(x=month_axis(ticks, title, "lower"), x2="upper:Q"),
            base.transform_filter("isValid(datum.estimate)")
            .mark_point(filled=True, size=40, opacity=1, color=INK)
            .encode(x=month_axis(ticks, title, "estimate")),
            *(
                base.transform_filter(side)
                .mark_text(align=align, dx=dx, fontSize=LABEL_SIZE)
                .encode(x=month_axis(ticks, title, "end"), text="text:N")
                for side, align, dx in (("!datum.far", "left", 8), ("datum.far", "right", -8))
            ),
            base.mark_text(align="right", dx=-22, fontSize=11).encode(
                x=alt.value(0), text="label:N"
            ),
        ]
    return layers


# --- exercises ---------------------------------------------------------------------------------


def twenty_table(name: str) -> Table:
    """The curve of twenty invented patients at each month of a death."""
    curve = est.survival_curve(TWENTY["months"], TWENTY["died"])
    steps = curve[curve["events"] > 0]
    parts = ("survival", "lower", "upper")
    rows = [
        Row(f"{month:.0f}", [counted(step["at_risk"]), *(rounded(step[part], 3) for part in parts)])
        for month, step in steps.iterrows()
    ]
    columns = ["Month", "At risk", "Alive", "Lower limit", "Upper limit"]
    return Table(name, "Twenty invented patients, Kaplan–Meier at each death", columns, rows)


def exercise_1(dataset: Dataset) -> Exercise:
    """Median and limits off a table."""
    middle, lower, upper = est.median(est.survival_curve(TWENTY["months"], TWENTY["died"]))
    return Exercise(
        (middle, lower, upper),
        "Each is the first month at which its column is at or below one half: the curve for the "
        "median, the lower edge for the lower limit, the upper edge for the upper one.",
        [
            ((middle, upper, lower), "The lower edge comes down first: it gives the lower limit."),
            (
                (10, 4, 21),
                "You took the last month above one half. The curve comes down at the next one.",
            ),
            (
                (np.median(TWENTY["months"]), lower, upper),
                "That is the median of all the times, with those of the living among them.",
            ),
        ],
        decimals=0,
    )


def exercise_2(dataset: Dataset) -> Exercise:
    """Reverse Kaplan-Meier median follow-up, in months."""
    os = endpoint(dataset, "os")
    died = os.observed > 0
    right = dataset.months(est.follow_up(os.time, died)[0])
    middle = dataset.months(est.median(est.survival_curve(os.time, died))[0])
    of_the_censored = pd.Series(os.time[~died]).median()  # of nobody: none
    return Exercise(
        right,
        "With the censored as events and the dead as censored, the median is the time at which "
        "half would still be followed if nobody had died.",
        [
            (dataset.months(np.median(os.time)), "That is the median time of everybody."),
            (dataset.months(of_the_censored), "That is the median among the censored."),
            (middle, "That is median survival: the deaths are still the events."),
            (dataset.days(right), "That is in days."),
        ],
        decimals=1,
    )


def exercise_3(dataset: Dataset) -> Exercise:
    """The first of the cuts at which there is a median."""
    os = endpoint(dataset, "os")
    seen = {month: cut_at(os, dataset.days(month)) for month in cuts(dataset, os)}
    medians = {
        month: est.median(est.survival_curve(cut.time, cut.observed)) for month, cut in seen.items()
    }
    right = _first(month for month, found in medians.items() if found[0] == found[0])
    likely = {
        "There half of all patients have died. Who is censored before counts for less.": _first(
            month for month, cut in seen.items() if (cut.observed > 0).mean() >= 0.5
        ),
        "There the lower edge of the band comes down to one half, and not yet the curve.": _first(
            month for month, found in medians.items() if found[1] == found[1]
        ),
        "There the upper limit is reached. The median was there before.": _first(
            month for month, found in medians.items() if found[2] == found[2]
        ),
    }
    return Exercise(
        0 if np.isnan(right) else right,
        "It is the first cut after the curve has come down to one half. Before it, all that is "
        "known of the median is that it comes later.",
        # What is never reached is nobody's mistake.
        [(month, meaning) for meaning, month in likely.items() if month == month],
        decimals=0,
    )


def _first(months: Iterator[float]) -> float:
    return next(months, np.nan)
