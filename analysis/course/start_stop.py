"""Lesson 6: factors that change on the way, as rows with a start and a stop for a Cox model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import altair as alt
import numpy as np
import pandas as pd

from .. import survival as est
from ..dataset.endpoints import Endpoint, covariate_rows, endpoint, entry_days, rows_as_if_known
from ..dataset.model import Dataset, Factor, NotRecorded
from ..page.charts import CHOICE, COLOURS, INK, LABEL_SIZE, UPRIGHT, Choice, Figure, with_source
from ..page.formats import counted, in_months, interval, month, written
from ..page.prose import Prose, sourced
from ..page.rows import frame, pick
from ..page.tables import Row, Table
from ..study import conclusions
from ..study.curves import told_months
from ..study.models import factors_of
from .charts import finished
from .exercises import Exercise

# Invented: a response, a transplant, a death, in days.
INVENTED = {"Response": 40, "Transplant": 130}
INVENTED_END = 300
STATIONS = 30  # of the slider, at most
PARTS = {  # who is at risk in a month, and how dark the areas are
    "already": ("Switched already", 0.75),
    "later": ("Will switch later", 0.75),
    "never": ("Never switch", 0.15),
}
WAYS = {
    "hazard_ratio_right": "Right rows, each from its switch on",
    "hazard_ratio_cut": "Right rows, cut once more at {month}",
    "hazard_ratio_day_early": "The switch a day too early",
    "hazard_ratio_interval_early": "The value of the next row, an interval too early",
    "hazard_ratio_overlapping": "Every row from the first day: rows overlap",
    "hazard_ratio_fixed": "One row a patient, as if known from the start",
}


# --- what is computed --------------------------------------------------------------------------


def results(dataset: Dataset) -> pd.DataFrame:
    """Ratios of death with each coding, and who is at risk in each month.

    Groups are `os` and a factor's column. `hazard_ratio_fixed` is as if known from the start,
    `hazard_ratio_right` of start-stop rows, `_together` of one model of `all_of_them`. The other
    codings are of `main_factor` only, and so are the counts, whose group ends in a level of PARTS.
    """
    question, factor = endpoint(dataset, "os"), main_factor(dataset)
    rows = [
        *(row for f in later_factors(dataset) for row in _alone(dataset, question, f)),
        *_together(dataset, question),
        *_codings(dataset, question, factor),
        *_counts(dataset, question, factor),
    ]
    return frame(rows)


def later_factors(dataset: Dataset) -> list[Factor]:
    """The factors that change on the way. Raises NotRecorded where the dataset names none."""
    question = endpoint(dataset, "os")
    found = [f for f in factors_of(dataset, question) if f.kind == "postbaseline"]
    if not found:
        raise NotRecorded(
            "Rows with a start and a stop cannot be shown: this dataset names no factor of overall "
            "survival that changes on the way."
        )
    return found


def all_of_them(dataset: Dataset) -> list[Factor]:
    """Of these, the ones whose model has every patient from the start: they fit into one model."""
    question = endpoint(dataset, "os")
    return [
        f for f in later_factors(dataset) if (entry_days(dataset, question, [f]) == -np.inf).all()
    ]


def main_factor(dataset: Dataset) -> Factor:
    """The factor whose right ratio and whose ratio as if known lie farthest apart.

    Of those of all patients, where there is one; the first where no ratio can be estimated.
    """
    question = endpoint(dataset, "os")
    factors = all_of_them(dataset) or later_factors(dataset)

    def apart(factor: Factor) -> float:
        right, fixed = (row["estimate"] for row in _alone(dataset, question, factor))
        return -1.0 if np.isnan(right * fixed) else abs(np.log(right / fixed))

    return max(factors, key=apart)


def _alone(dataset: Dataset, question: Endpoint, factor: Factor) -> list[dict]:
    right = covariate_rows(dataset, question, [factor])
    fixed = rows_as_if_known(dataset, question, factor)
    return [
        *_ratios("hazard_ratio_right", right, [factor]),
        *_ratios("hazard_ratio_fixed", fixed, [factor]),
    ]


def _together(dataset: Dataset, question: Endpoint) -> list[dict]:
    factors = all_of_them(dataset)
    if len(factors) < 2:
        return []
    fixed = rows_as_if_known(dataset, question, factors[0])
    for factor in factors[1:]:
        column = factor.column
        fixed[column] = rows_as_if_known(dataset, question, factor)[column]
    right = covariate_rows(dataset, question, factors)
    return [
        *_ratios("hazard_ratio_right_together", right, factors),
        *_ratios("hazard_ratio_fixed_together", fixed, factors),
    ]


def _ratios(quantity: str, rows: pd.DataFrame, factors: Sequence[Factor]) -> list[dict]:
    fit = est.cox(rows, [factor.column for factor in factors])
    return [
        {
            "quantity": quantity,
            "group": f"os:{factor.column}",
            "estimate": line["hazard_ratio"],
            "lower": line["lower"],
            "upper": line["upper"],
            "n": fit.n,
            "events": fit.events,
        }
        for factor, (_, line) in zip(factors, fit.summary().iterrows(), strict=True)
    ]


def _codings(dataset: Dataset, question: Endpoint, factor: Factor) -> Iterator[dict]:
    """The ratio of one factor with rows that are cut again, and with rows that are wrong."""
    right = covariate_rows(dataset, question, [factor])
    landmark = dataset.days(told_months(dataset, question)[0])  # to which somebody is followed
    made = {
        "hazard_ratio_cut": est.cut(right, landmark),
        "hazard_ratio_day_early": a_day_early(right),
        "hazard_ratio_interval_early": an_interval_early(right, factor.column),
        "hazard_ratio_overlapping": overlapping(right),
    }
    for quantity, rows in made.items():
        yield from _ratios(quantity, rows, [factor])


def a_day_early(rows: pd.DataFrame) -> pd.DataFrame:
    """Start-stop rows whose every switch comes a day too early: wrong on purpose."""
    follows = rows["patient"].eq(rows["patient"].shift(-1))
    comes = rows["patient"].eq(rows["patient"].shift())
    return rows.assign(start=rows["start"] - comes, stop=rows["stop"] - follows)


def an_interval_early(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Start-stop rows with the value that holds after them: wrong on purpose."""
    following = rows.groupby("patient")[column].shift(-1)
    return rows.assign(**{column: following.fillna(rows[column])})


def overlapping(rows: pd.DataFrame) -> pd.DataFrame:
    """Start-stop rows that all begin on the first day: wrong on purpose."""
    return rows.assign(start=-np.inf)


def stations(dataset: Dataset, question: Endpoint, factor: Factor) -> list[float]:
    """The months of the slider: even steps from 0 over the time in which patients switch.

    It ends half as late again as nineteen in twenty of the switches have come, not before a year,
    and not after the follow-up.
    """
    rows = covariate_rows(dataset, question, [factor])
    switched = rows.loc[(rows[factor.column] > 0) & np.isfinite(rows["start"]), "start"]
    late = dataset.months(1.5 * switched.quantile(0.95)) if len(switched) else 0
    last = max(1, int(min(max(late, 12), dataset.months(question.time.max()))))
    step = next((s for s in (1, 2, 3, 6, 12, 24) if last / s <= STATIONS), 60)
    return [float(at) for at in range(0, max(last, step) + 1, step)]


def at_risk(rows: pd.DataFrame, column: str, ever: pd.Series, day: float) -> dict[str, int]:
    """How many of the patients at risk on a day are in each of PARTS.

    `rows` are start-stop; `ever` says of each of their patients whether they switch at any time.
    """
    day = float(est.met(day, rows[["start", "stop"]]))
    there = rows[(rows["start"] < day) & (day <= rows["stop"])]
    switched = there[column] > 0
    later = there["patient"].map(ever) & ~switched
    return {
        "already": int(switched.sum()),
        "later": int(later.sum()),
        "never": int((~switched & ~later).sum()),
    }


def _counts(dataset: Dataset, question: Endpoint, factor: Factor) -> Iterator[dict]:
    rows = covariate_rows(dataset, question, [factor])
    for at in stations(dataset, question, factor):
        day = dataset.days(at)
        counts = at_risk(rows, factor.column, _ever(dataset, question, factor), day)
        for part, number in counts.items():
            common = {"group": _part(factor, at, part), "months": at, "n": sum(counts.values())}
            yield {"quantity": "count", "estimate": number, **common}


def _ever(dataset: Dataset, question: Endpoint, factor: Factor) -> pd.Series:
    known = rows_as_if_known(dataset, question, factor).set_index("patient")
    return known[factor.column] > 0


def _part(factor: Factor, at: float, part: str) -> str:
    """A level of the patients at risk in a month: those of a month add up."""
    return f"os:{factor.column}, {in_months(at)}={part}"


# --- one patient -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Life:
    """One patient: the days of the switches by their labels, the last day, and if it was death."""

    switches: Mapping[str, float]
    end: float
    died: bool
    invented: bool

    @property
    def cuts(self) -> list[float]:
        """The days that end a row."""
        within = {day for day in self.switches.values() if 0 <= day < self.end}
        return sorted({*within, self.end})


def life(dataset: Dataset) -> Life:
    """The patient of a public dataset with the most switches, or an invented one."""
    question = endpoint(dataset, "os")
    factors = [from_the_start(dataset, factor) for factor in later_factors(dataset)]
    rows = covariate_rows(dataset, question, factors)
    if dataset.public and len(rows):
        counts = rows.groupby("patient").agg(rows=("start", "size"), died=("event", "max"))
        who = counts.sort_values(["rows", "died"], ascending=False, kind="stable").index[0]
        mine = rows[rows["patient"] == who]
        days = {f.label: mine.loc[mine[f.column] > 0, "start"].min() for f in factors}
        came = {label: day for label, day in days.items() if pd.notna(day)}
        if len(mine) > 1:
            last = mine.iloc[-1]
            return Life(came, float(last["stop"]), bool(last["event"]), invented=False)
    return Life(INVENTED, INVENTED_END, died=True, invented=True)


def life_figure(dataset: Dataset, name: str) -> Figure:
    """One patient's days: each factor as a line, thin before its switch and thick after it."""
    one, question = life(dataset), endpoint(dataset, "os")
    drawn = {label: max(day, 0.0) for label, day in one.switches.items()}
    pieces = pd.DataFrame(
        [
            piece
            for label, day in drawn.items()
            for piece in (
                {"label": label, "begin": 0, "end": day, "on": 0},
                {"label": label, "begin": day, "end": one.end, "on": 1},
            )
        ]
    )
    begins = [0.0, *one.cuts[:-1]]
    numbered = pd.DataFrame(
        {
            "middle": [(a + b) / 2 for a, b in zip(begins, one.cuts, strict=True)],
            "text": [str(number) for number in range(1, len(one.cuts) + 1)],
        }
    )
    x = alt.X(
        "begin:Q",
        title=f"Days since {question.origin}",
        scale=alt.Scale(domain=[0, one.end * 1.15], nice=False),
        axis=alt.Axis(grid=False, tickCount=6),
    )
    y = alt.Y("label:N", axis=None, sort=list(one.switches))
    lines = alt.Chart(pieces).encode(x=x, x2="end:Q", y=y)
    ends = pd.DataFrame({"begin": [one.end], "text": ["died" if one.died else "last seen"]})
    end = alt.Chart(ends).encode(x=x)
    layers = [
        alt.Chart(pd.DataFrame({"begin": one.cuts[:-1]}))
        .mark_rule(strokeDash=[2, 3], color=INK, opacity=0.7)
        .encode(x=x),
        lines.transform_filter("datum.on == 0").mark_rule(strokeWidth=2, color=INK, opacity=0.5),
        lines.transform_filter("datum.on == 1").mark_bar(height=14, color=COLOURS[0]),
        end.mark_rule(strokeWidth=2, color=COLOURS[1]),
        end.mark_text(align="left", dx=5, fontSize=LABEL_SIZE).encode(
            y=alt.value(-8), text="text:N"
        ),
        alt.Chart(numbered)
        .mark_text(fontSize=LABEL_SIZE, fontWeight="bold")
        .encode(x="middle:Q", y=alt.value(-8), text="text:N"),
        # Above its line: beside it, a phone has no room for it.
        lines.transform_filter("datum.on == 1")
        .mark_text(align="right", baseline="bottom", dx=-6, dy=-9, fontSize=LABEL_SIZE)
        .encode(x="end:Q", x2=alt.Undefined, text="label:N"),
    ]
    told = "; ".join(f"{label} from day {day:g} on" for label, day in drawn.items())
    alt_text = f"A line for each factor: {told}. The follow-up ends on day {one.end:g}."
    if one.invented:
        caption = "An invented patient. "
    else:
        caption = "One patient of this dataset, the one with the most rows. "
    caption += (
        "Thin: not yet. Thick: from the switch on. Dotted lines cut the life into numbered rows."
    )
    caption = caption if one.invented else with_source(dataset, caption)
    chart = finished(layers).properties(height=60 * len(drawn))
    return Figure(name, chart, alt_text, caption)


def life_table(dataset: Dataset, name: str) -> Table:
    """The rows of that patient."""
    one = life(dataset)
    begins = [0.0, *one.cuts[:-1]]
    made = []
    for number, (start, stop) in enumerate(zip(begins, one.cuts, strict=True), start=1):
        values = [int(day < stop) for day in one.switches.values()]
        event = int(one.died and stop == one.end)
        cells = [month(start), month(stop), *map(str, values), str(event)]
        made.append(Row(str(number), cells))
    return Table(
        name,
        "The rows of this patient" + (", who is invented." if one.invented else "."),
        ("Row", "Start", "Stop", *one.switches, "Died"),
        made,
        ["A row covers the days after its start, up to and with its stop. The first one covers its "
         "first day, too."],
        abbreviations=dataset.settings.abbreviations,
    )  # fmt: skip


# --- the dataset -------------------------------------------------------------------------------


def risk_figure(dataset: Dataset, results: pd.DataFrame, name: str) -> Figure:
    """Who is at risk as the months pass: switched already, later, never; the reader moves a rule.

    `results` may be masked: a number that must not be shown is drawn as none.
    """
    question, factor = endpoint(dataset, "os"), main_factor(dataset)
    months = stations(dataset, question, factor)
    areas = []
    for at in months:
        lower = 0.0
        for part, (label, _) in PARTS.items():
            number = pick(results, "count", _part(factor, at, part), at)["estimate"]
            upper = lower + (0 if pd.isna(number) else number)
            areas.append({"month": at, "part": label, "lower": lower, "upper": upper})
            lower = upper
    areas = pd.DataFrame(areas)
    first = len(months) // 4
    every = next((step for step in (1, 3, 6, 12, 24, 60) if months[-1] / step <= 8), 120)
    ticks = [float(at) for at in np.arange(0, months[-1] + 1, every)]
    x = alt.X(
        "month:Q",
        title=f"Months since {question.origin}",
        scale=alt.Scale(domain=[0, months[-1]], nice=False),
        axis=alt.Axis(values=ticks, grid=False, format="d", labelFlush=False),
    )
    y = alt.Y("lower:Q", title="Patients at risk", axis=alt.Axis(tickCount=5, **UPRIGHT))
    names = {label: dark for label, dark in PARTS.values()}
    colour = alt.Color(
        "part:N", legend=None, scale=alt.Scale(domain=list(names), range=[*COLOURS, INK])
    )
    base = alt.Chart(areas).encode(x=x, color=colour)
    marks = pd.DataFrame({"month": months, "choice": range(len(months))})
    layers = [
        *(
            base.transform_filter(alt.datum.part == label)
            .mark_area(opacity=dark, interpolate="linear")
            .encode(y=y, y2="upper:Q")
            for label, dark in names.items()
        ),
        alt.Chart(marks)
        .mark_rule(strokeWidth=2, color=INK)
        .encode(x=x)
        .transform_filter(f"datum.choice == {CHOICE}"),
        *_legend(names, colour),
    ]
    choice = Choice(
        "Go to", [in_months(at) for at in months], _answers(results, factor, months), first
    )
    alt_text = (
        "Three areas that shrink as patients die or leave: who has switched already, who will "
        "later, and who never does."
    )
    caption = (
        f"Patients at risk, by {factor.label}. The lowest area counts as switched in start–stop "
        "rows; as if known from the start, the two lowest do. Move the month."
    )
    return Figure(
        name, finished(layers, first), alt_text, with_source(dataset, caption), choice=choice
    )


def _legend(names: Mapping[str, float], colour: alt.Color) -> list[alt.Chart]:
    """The names at the upper right, the highest area first."""
    made = []
    for place, (part, opacity) in enumerate(reversed(names.items())):
        base = alt.Chart(pd.DataFrame({"part": [part]})).encode(y=alt.value(8 + 17 * place))
        made += [
            base.mark_point(shape="square", filled=True, size=90, opacity=opacity).encode(
                x=alt.value(alt.ExprRef("width - 6")), color=colour
            ),
            base.mark_text(align="right", fontSize=LABEL_SIZE, fontWeight="bold").encode(
                x=alt.value(alt.ExprRef("width - 16")), text="part:N"
            ),
        ]
    return made


def _answers(results: pd.DataFrame, factor: Factor, months: Sequence[float]) -> list[Prose]:
    said = []
    for at in months:
        rows = {part: pick(results, "count", _part(factor, at, part), at) for part in PARTS}
        already, later = rows["already"], rows["later"]
        known = already["estimate"] + later["estimate"]
        said.append(
            Prose(
                "At risk after {month}: {n}. Start–stop rows count as switched: {already}. As if "
                "known from the start it would be {known}; of these still to switch: {later}.",
                month=sourced(in_months(at), already),
                n=sourced(counted(already["n"]), already),
                already=sourced(counted(already["estimate"]), already),
                later=sourced(counted(later["estimate"]), later),
                known=sourced(counted(known), already, later),
            )
        )
    return said


def ratio_table(dataset: Dataset, results: pd.DataFrame, name: str) -> Table:
    """Each factor as if known from the start and from its switch on, alone and together."""
    made = [Row("Each factor alone")]
    made += [_ratio_row(results, f, "") for f in later_factors(dataset)]
    together = all_of_them(dataset)
    if len(together) > 1:
        made += [Row("In one model"), *(_ratio_row(results, f, "_together") for f in together)]
    return Table(
        name,
        "Hazard ratios of death (95% CI). The second column is wrong.",
        ("Factor", "As if known from the start", "From the switch on", "Patients / deaths"),
        made,
        [NOT_ESTIMABLE],
        abbreviations=dataset.settings.abbreviations,
    )


NOT_ESTIMABLE = "“Not estimable”: all events fall on one side of the factor, or it does not vary."


def _ratio_row(results: pd.DataFrame, factor: Factor, kind: str) -> Row:
    rows = [
        pick(results, f"hazard_ratio_{way}{kind}", f"os:{factor.column}")
        for way in ("fixed", "right")
    ]
    numbers = f"{counted(rows[1]['n'])} / {counted(rows[1]['events'])}"
    return Row(factor.label, [*map(_with_limits, rows), numbers], level=1)


def _with_limits(row: pd.Series) -> str:
    if pd.isna(row["estimate"]):
        return "not estimable"
    return f"{written(row)} ({interval(row)})"


BETTER = (
    "The time before the switch, in which nobody who switches can die, is given to those who do. "
    "That makes them look better"
)
MOVED = {
    "unknown": "No factor of this dataset has both ratios.",
    "same": "To two decimals they are the same.",
    "turned": BETTER + ": the right ratio says the opposite.",
    "higher": BETTER + ".",
    "not_higher": "Here the wrong ratio is not the lower one, which that time alone does not "
    "explain.",
}


def told(dataset: Dataset, results: pd.DataFrame) -> Prose:
    """What the wrong way does to the ratio of the main factor, and of the factors of some only."""
    factor = main_factor(dataset)
    fixed, right = (
        pick(results, f"hazard_ratio_{way}", f"os:{factor.column}") for way in ("fixed", "right")
    )
    moved = conclusions.moved(fixed["estimate"], right["estimate"])
    if moved == "unknown":
        return Prose(MOVED[moved])
    said = (
        "The two lie farthest apart for {label}. As if known from the start the ratio is {fixed}; "
        "from the switch on it is {right}. " + MOVED[moved]
    )
    ahead = [
        Prose(
            "Only patients with {among} are in the model of {label}, and they are at risk only "
            "from that day on: before it nobody knew who they would be.",
            among=f"“{dataset.label(f.among)}”",
            label=f.label,
        )
        for f in later_factors(dataset)
        if _enters(dataset, f)
    ]
    invented = [Prose("Of invented records: no ratio here is evidence about any treatment.")]
    main = Prose(
        said,
        label=factor.label,
        fixed=sourced(_with_limits(fixed), fixed),
        right=sourced(_with_limits(right), right),
    )
    return Prose.joined([main, *ahead, *(invented * dataset.settings.synthetic)], "\n\n")


def _enters(dataset: Dataset, factor: Factor) -> bool:
    """Whether the patients of a factor's model come to be at risk on a day of their own."""
    return factor.among is not None and dataset.is_day(factor.among)


def codings_table(dataset: Dataset, results: pd.DataFrame, name: str) -> Table:
    """The ratio of the main factor from right rows and from rows that are wrong."""
    factor = main_factor(dataset)
    group = f"os:{factor.column}"
    cut = in_months(told_months(dataset, endpoint(dataset, "os"))[0])
    made = [
        Row(label.format(month=cut), [_with_limits(pick(results, quantity, group))])
        for quantity, label in WAYS.items()
    ]
    return Table(
        name,
        f"{factor.label}: one ratio, six ways to make the rows. All but the first two are wrong.",
        ("Rows", "Hazard ratio of death (95% CI)"),
        made,
        [NOT_ESTIMABLE],
        abbreviations=dataset.settings.abbreviations,
    )


# --- exercises ---------------------------------------------------------------------------------


def exercise_1(dataset: Dataset) -> Exercise:
    """The rows of an invented patient with two switches."""
    return Exercise(
        [[0, 40, 0, 0], [40, 130, 1, 0], [130, 300, 1, 1]],
        "Each row stops where the next one starts, and has the values of the days within it.",
        [
            (
                [[0, 40, 1, 0], [40, 130, 1, 1], [130, 300, 1, 1]],
                "You gave each row the values that hold after it: an interval too early.",
            ),
            (
                [[0, 40, 0, 0], [0, 130, 1, 0], [0, 300, 1, 1]],
                "Your rows overlap: on day 20 the patient would count three times.",
            ),
            (
                [[0, 40, 0, 0], [41, 130, 1, 0], [131, 300, 1, 1]],
                "A row begins after its start. Yours leave out days 41 and 131.",
            ),
            (
                [[0, 39, 0, 0], [39, 129, 1, 0], [129, 300, 1, 1]],
                "An event on the very day of the switch belongs to before it: stop at that day.",
            ),
            (
                [[0, 40, 0, 0], [40, 130, 1, 0], [130, 300, 0, 1]],
                "The response has come, and stays on after the transplant.",
            ),
        ],
        decimals=0,
    )


def exercise_2(dataset: Dataset) -> Exercise:
    """How many at risk on a day have switched."""
    question, factor = endpoint(dataset, "os"), practised(dataset)
    rows = rows_of(dataset)
    day = day_of(dataset)
    there = at_risk(
        rows.rename(columns={"switched": factor.column}),
        factor.column,
        _ever(dataset, question, factor),
        day,
    )
    by_then = rows[(rows["switched"] > 0) & ~est.beyond(rows["start"], day)]
    return Exercise(
        there["already"],
        "A row is at risk from just after its start up to and with its stop.",
        [
            (sum(there.values()), "That is how many are at risk, switched or not."),
            (
                there["already"] + there["later"],
                "You counted those who switch only later, as if it were known.",
            ),
            (len(by_then), "Some of them had died or left before that day."),
            (there["later"] + there["never"], "Those are the ones who have not switched yet."),
        ],
        decimals=0,
    )


def exercise_3(dataset: Dataset) -> Exercise:
    """The ratio from rows that the learner makes."""
    question, factor = endpoint(dataset, "os"), practised(dataset)
    right = covariate_rows(dataset, question, [factor])
    wrong = {
        "You counted the switch as known, also on the days before it.": rows_as_if_known(
            dataset, question, factor
        ),
        "Your rows overlap: the second one begins at the switch.": overlapping(right),
        "You left out the days before the switch: those who switch were at risk then, too.": (
            right.drop(right.index[right["patient"].eq(right["patient"].shift(-1))])
        ),
    }
    return Exercise(
        _ratio_of(right, factor),
        "It is the ratio of the table above: each row counts on the side on which it is.",
        [
            *((_ratio_of(rows, factor), meaning) for meaning, rows in wrong.items()),
            (1 / _ratio_of(right, factor), "You turned the sides round."),
        ],
        decimals=2,
    )


def _ratio_of(rows: pd.DataFrame, factor: Factor) -> float:
    return est.cox(rows, [factor.column]).summary()["hazard_ratio"].iloc[0]


def day_of(dataset: Dataset) -> float:
    """The day of a quarter of a year, on which many a dataset is in the midst of its switches."""
    return dataset.days(3)


def practised(dataset: Dataset) -> Factor:
    """The main factor, as the exercises take it: of patients who are at risk from the start."""
    return from_the_start(dataset, main_factor(dataset))


def from_the_start(dataset: Dataset, factor: Factor) -> Factor:
    """A factor in all patients, where its own enter on a day: each one's rows begin on day 0."""
    return replace(factor, among=None) if _enters(dataset, factor) else factor


def rows_of(dataset: Dataset) -> pd.DataFrame:
    """Start-stop rows of the main factor, which is called `switched`, for the exercises."""
    factor = practised(dataset)
    rows = covariate_rows(dataset, endpoint(dataset, "os"), [factor])
    return rows.rename(columns={factor.column: "switched"})


def patients_of(dataset: Dataset) -> pd.DataFrame:
    """A row for each patient of the main factor, for the exercises.

    `patient`, `days` followed, whether they `died`, and the day of the `switch`, blank without one.
    """
    rows = rows_of(dataset)
    ends = rows.groupby("patient").agg(days=("stop", "max"), died=("event", "max"))
    switch = rows[rows["switched"] > 0].groupby("patient")["start"].min()
    return ends.assign(died=ends["died"] > 0, switch=switch).reset_index()
