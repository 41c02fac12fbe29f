"""Lesson 7: columns that the future defines, and what they do with whoever had no time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd

from .. import survival as est
from ..dataset.endpoints import endpoint, in_sentence, long_term
from ..dataset.model import Dataset, Factor, NotRecorded
from ..page.charts import CHOICE, COLOURS, LABEL_SIZE, Choice, Figure
from ..page.formats import counted, equal_to, in_months, interval, rounded, shown, written
from ..page.prose import Prose, declared, estimate, ruled, sourced, with_interval
from ..page.rows import frame, pick
from ..page.tables import Row, Table
from ..study import conclusions
from ..study.curves import axis_months, survival_rows, told_months
from .charts import curves_chart, finished, monthly
from .events import event_day, later_event, later_events
from .exercises import Exercise

SPLITS = tuple(range(6, 49, 3))  # months that the reader may move to
LANDMARKS = (3, 6, 9, 12, 24)  # months, of which the first that has patients on both sides
COLUMNS = {"lived": "known alive later", "others": "all others"}
WAYS = {"recorded": "", "drawn": ", drawn by lot"}
LIVED, OTHERS = COLUMNS
WITH, WITHOUT = "with", "without"
RANGE = (2.5, 97.5)  # per cent of the draws
BOTH = (WITH, WITHOUT)


@dataclass(frozen=True)
class Story:
    """Of each patient: days to the end, whether they died, and the day of each event (or never)."""

    end: np.ndarray
    died: np.ndarray
    days: dict[str, np.ndarray]

    def known_alive(self, day: float) -> np.ndarray:
        """Who was seen alive after a day."""
        return est.beyond(self.end, day)


# --- what is computed --------------------------------------------------------------------------


def events(dataset: Dataset) -> list[Factor]:
    """The event of the lesson, and of all others the one that comes latest if it comes later.

    The first is `later_event`. How late an event comes is its median day in those who have it.
    """
    first = later_event(dataset)
    latest = max(later_events(dataset), key=lambda event: event_day(dataset, event).median())
    later = event_day(dataset, latest).median() > event_day(dataset, first).median()
    return [first, latest] if later else [first]


def story(dataset: Dataset) -> Story:
    """What the lesson reads of the patients. A day that never comes is infinite."""
    os = endpoint(dataset, "os")
    days = {e.column: event_day(dataset, e).fillna(np.inf).to_numpy() for e in events(dataset)}
    return Story(os.time.astype(float), os.observed > 0, days)


def splits(dataset: Dataset) -> list[float]:
    """The months of SPLITS after which some patients are known alive, and not all.

    Raises NotRecorded where there is none.
    """
    told, few = story(dataset), max(dataset.mask_below, 1)
    alive = {m: told.known_alive(_days(dataset, m)).sum() for m in SPLITS}
    found = [m for m, number in alive.items() if few <= number <= len(told.end) - few]
    if not found:
        raise NotRecorded(
            "Survivors cannot be set apart: no month of this lesson has patients of this dataset "
            "known alive after it and others who are not."
        )
    return found


def late_month(dataset: Dataset) -> float:
    """The month of the long-term survivors; where there is none, the last of `splits`."""
    return dataset.settings.long_term_months if long_term(dataset).any() else max(splits(dataset))


def _late_named(dataset: Dataset, late: float) -> Prose:
    if late == dataset.settings.long_term_months:
        return declared(in_months(late), "long_term_months")
    return ruled(in_months(late), "the last month of the lesson beyond which anybody was followed")


def landmark(dataset: Dataset) -> float:
    """The first of LANDMARKS at which patients with the event and without it are followed.

    Raises NotRecorded where there is none.
    """
    told, few = story(dataset), max(dataset.mask_below, 1)
    first = events(dataset)[0]
    for m in LANDMARKS:
        with_it, without = _by_landmark(dataset, told, first, m)
        if min(with_it.sum(), without.sum()) >= few:
            return m
    raise NotRecorded(
        f"A landmark cannot be set: at no month of this lesson are patients of this dataset both "
        f"with and without “{first.label}” followed."
    )


def results(dataset: Dataset, seed: int, draws: int) -> pd.DataFrame:
    """The columns of a split by the future, the same by lot, and what looks forward.

    Of each event, by split month and column (`lived`, `others`): `share_recorded`, and
    `share_drawn`, its mean over the draws with the range of their middle 95% (`events` is the mean
    number, rounded); `share_gap_…` is the first column less the second, with the `n` of the
    smaller. Counts of `others` are of those alive when last seen. Of the first event: `share_lived`
    turns the percentage round; `survival_from_start` and `survival_from_event` are Kaplan-Meier on
    two clocks, `survival_landmark` is that of those followed at the landmark. `survival_difference`
    is its value with the event less that without, `p_difference` the P of their being alike.
    """
    told, first = story(dataset), events(dataset)[0]
    at = sorted({*splits(dataset), late_month(dataset)})
    rows = [row for m in at for row in _lost(dataset, told, m)]
    for event in events(dataset):
        drawn = draw(told, event.column, seed, draws)
        rows += [row for m in at for row in _shares(dataset, told, event, drawn, m)]
        rows += _early(dataset, told, event)
    rows += _turned(dataset, told, first)
    rows += _forward(dataset, told, first)
    return frame(rows)


def draw(told: Story, column: str, seed: int, draws: int) -> np.ndarray:
    """Who has the event when its day is drawn by lot: (draws, patients) of true and false.

    Days come from the event's own distribution, the Kaplan-Meier curve of its day with the end of
    a patient's time as censoring. They know nothing of survival; only who lives to that day has the
    event. So as many have it as are recorded, and it does nothing.
    """
    day = told.days[column]
    curve = est.survival_curve(np.minimum(day, told.end), day <= told.end)
    still, times = curve["survival"].to_numpy(), curve.index.to_numpy()
    chance = np.random.default_rng(seed).random((draws, len(day)))
    # The first time at which the share still without it is no more than what was drawn.
    place = np.searchsorted(-still, -chance, side="left")
    drawn = np.append(times, np.inf)[place]
    return drawn <= told.end


def _days(dataset: Dataset, months: float) -> float:
    return dataset.days(months)


def _lost(dataset: Dataset, told: Story, months: float) -> Iterator[dict]:
    others = ~told.known_alive(_days(dataset, months))
    lost = int((others & ~told.died).sum())
    common = {"group": OTHERS, "months": months, "n": int(others.sum())}
    yield {"quantity": "count", "estimate": lost, **common}


def _shares(
    dataset: Dataset, told: Story, event: Factor, drawn: np.ndarray, months: float
) -> Iterator[dict]:
    lived = told.known_alive(_days(dataset, months))
    had = told.days[event.column] <= told.end
    few, sizes = _has_few(dataset, lived, had), (int(lived.sum()), int((~lived).sum()))
    recorded, by_lot, lots = [], [], []
    for name, column, n in zip(COLUMNS, (lived, ~lived), sizes, strict=True):
        common = {"group": f"{event.column}:{name}", "months": months, "n": n}
        recorded.append(had[column].mean() if n else np.nan)
        yield _unless(
            few,
            quantity="share_recorded",
            estimate=recorded[-1],
            events=had[column].sum(),
            **common,
        )
        by_lot.append(drawn[:, column].mean(axis=1) if n else np.full(len(drawn), np.nan))
        lots.append(int(round(np.nan_to_num(by_lot[-1].mean()) * n)))
        yield {"quantity": "share_drawn", **_middle(by_lot[-1]), "events": lots[-1], **common}
    gap = recorded[0] - recorded[1]
    common = {"group": event.column, "months": months, "n": min(sizes)}
    yield _unless(
        few, quantity="share_gap_recorded", estimate=gap, events=had[lived].sum(), **common
    )
    middle = _middle(by_lot[0] - by_lot[1])
    yield {"quantity": "share_gap_drawn", **middle, "events": min(lots), **common}


def _has_few(dataset: Dataset, lived: np.ndarray, had: np.ndarray) -> bool:
    """Whether one of the four fields of the table is too small to be shown.

    The rows and columns of the four add up to numbers that are shown, so that each gives it back.
    """
    fields = [(a & b).sum() for a in (lived, ~lived) for b in (had, ~had)]
    return any(0 < number < dataset.mask_below for number in fields)


def _unless(few: bool, **row: object) -> dict:
    """A row, or where the table has a field that is too small, its key and `n` alone."""
    return {**row, "estimate": np.nan, "events": None} if few else row


def _middle(values: np.ndarray) -> dict:
    lower, upper = np.percentile(values, RANGE)
    return {"estimate": float(values.mean()), "lower": float(lower), "upper": float(upper)}


def _early(dataset: Dataset, told: Story, event: Factor) -> Iterator[dict]:
    """When half of those with the event had it, and who was dead by then."""
    had = told.days[event.column] <= told.end
    half = float(np.median(told.days[event.column][had]))
    common = {"group": event.column, "n": int(had.sum()), "events": int(had.sum())}
    yield {"quantity": "time_event", "estimate": dataset.months(half), **common}
    dead = int((told.died & (told.end <= half)).sum())
    common = {"group": f"{event.column}:dead_by_then", "n": len(had)}
    yield {"quantity": "count", "estimate": dead, **common}


def _turned(dataset: Dataset, told: Story, event: Factor) -> Iterator[dict]:
    months = late_month(dataset)
    lived = told.known_alive(_days(dataset, months))
    had = told.days[event.column] <= told.end
    few = _has_few(dataset, lived, had)
    for name, side in zip(BOTH, (had, ~had), strict=True):
        n, count = int(side.sum()), int(lived[side].sum())
        common = {"group": f"{event.column}:{name}", "months": months, "n": n, "events": count}
        share = count / n if n else np.nan
        yield _unless(few, quantity="share_lived", estimate=share, **common)


def _by_landmark(
    dataset: Dataset, told: Story, event: Factor, months: float
) -> tuple[np.ndarray, np.ndarray]:
    """Who is followed beyond the landmark, with the event by then and without it."""
    day = _days(dataset, months)
    by_then, followed = ~est.beyond(told.days[event.column], day), told.known_alive(day)
    return followed & by_then, followed & ~by_then


def _sides(dataset: Dataset, told: Story, event: Factor) -> dict[str, tuple[np.ndarray, ...]]:
    """Masks of those with the event and without it: looking back, and at the landmark."""
    had = told.days[event.column] <= told.end
    ahead = _by_landmark(dataset, told, event, landmark(dataset))
    return {"survival_from_start": (had, ~had), "survival_landmark": ahead}


def _forward(dataset: Dataset, told: Story, event: Factor) -> Iterator[dict]:
    first = landmark(dataset)
    at = sorted({*told_months(dataset, endpoint(dataset, "os")), late_month(dataset)})
    for quantity, sides in _sides(dataset, told, event).items():
        for name, side in zip(BOTH, sides, strict=True):
            months = [first, *(m for m in at if m > first)] if "landmark" in quantity else at
            group = f"{event.column}:{name}"
            yield from _curve_rows(
                dataset, quantity, group, told.end[side], told.died[side], months
            )
    yield from _contrast(dataset, told, event, max(late_month(dataset), first))
    had = told.days[event.column] <= told.end
    since = (told.end - told.days[event.column])[had]
    group = f"{event.column}:{WITH}"
    yield from _curve_rows(dataset, "survival_from_event", group, since, told.died[had], at)


def _contrast(dataset: Dataset, told: Story, event: Factor, late: float) -> Iterator[dict]:
    """Survival of those with the event by the landmark less that of those without, and its P."""
    sides = _by_landmark(dataset, told, event, landmark(dataset))
    ends = [
        est.survival_at(est.survival_curve(told.end[s], told.died[s]), _days(dataset, late))
        for s in sides
    ]
    day = _days(dataset, late)
    deaths = [int((told.died & ~est.beyond(told.end, day) & side).sum()) for side in sides]
    at_risk = [int(((told.end >= day) & side).sum()) for side in sides]
    if any(0 < number < dataset.mask_below for number in (*deaths, *at_risk)):
        ends = [(np.nan, np.nan)] * 2  # the difference would give the masked side back
    found, n = est.difference(*ends), int(np.sum(sides))
    common = {"group": event.column, "months": late, "n": n, "events": sum(deaths)}
    limits = {part: getattr(found, part) for part in ("estimate", "lower", "upper")}
    yield {"quantity": "survival_difference", **limits, **common}
    yield {"quantity": "p_difference", "estimate": found.p, **common}


def _curve_rows(
    dataset: Dataset, quantity: str, group: str, time, died, months: Sequence[float]
) -> Iterator[dict]:
    if not len(time):
        for m in months:
            yield {"quantity": quantity, "group": group, "months": m, "n": 0, "events": 0}
        return
    yield from survival_rows(dataset, est.survival_curve(time, died), quantity, group, months)


# --- what is shown: the split --------------------------------------------------------------------


def split_figure(dataset: Dataset, results: pd.DataFrame, name: str) -> Figure:
    """The share with each event in both columns, as recorded and by lot, at a split to be moved."""
    stations, found = splits(dataset), events(dataset)
    points = pd.DataFrame(_points(results, stations, found))
    start = min(range(len(stations)), key=lambda n: abs(stations[n] - 24))
    chart = _dumbbells(points, [_line(e, way) for e in found for way in WAYS], start)
    answers = [_answer(results, found, months) for months in stations]
    choice = Choice("Split after", [in_months(m) for m in stations], answers, start)
    caption = (
        "The share of each column with the event, at a split that you move. Full marks are the "
        "patients as recorded. Open ones are the same patients with the day of the event drawn by "
        "lot: it does nothing, and the distance is made by time alone."
    )
    alt_text = (
        "Pairs of dots on a line from none to all, a circle for the patients known alive after the "
        "split and a square for all others. " + str(answers[start])
    )
    return Figure(name, chart, alt_text, caption, choice=choice)


def _line(event: Factor, way: str) -> str:
    return f"{event.label}{WAYS[way]}"


def _points(
    results: pd.DataFrame, stations: Sequence[float], found: Sequence[Factor]
) -> Iterator[dict]:
    for choice, months in enumerate(stations):
        for place, event in enumerate(found):
            for number, way in enumerate(WAYS):
                rows = [
                    pick(results, f"share_{way}", f"{event.column}:{column}", months)
                    for column in COLUMNS
                ]
                shares = [row["estimate"] for row in rows]
                for column, share in zip(COLUMNS.values(), shares, strict=True):
                    yield {
                        "line": 2 * place + number,
                        "column": column,
                        "way": way,
                        "share": None if pd.isna(share) else round(share, 4),
                        "text": shown(share, "share") + "%",
                        "side": "right" if share >= max(shares) else "left",
                        "choice": choice,
                    }


def _dumbbells(points: pd.DataFrame, lines: Sequence[str], start: int) -> alt.LayerChart:
    x = alt.X(
        "share:Q",
        title="Share with the event",
        scale=alt.Scale(domain=[0, 1.08], nice=False),  # room for the number beside the last
        axis=alt.Axis(format="%", values=[0, 0.25, 0.5, 0.75, 1], grid=True),
    )
    domain = [-0.9, len(lines) - 0.5]
    y = alt.Y("line:Q", axis=None, scale=alt.Scale(domain=domain, reverse=True, nice=False))
    names = list(COLUMNS.values())
    colour = alt.Color("column:N", legend=None, scale=alt.Scale(domain=names, range=list(COLOURS)))
    shape = alt.Shape(
        "column:N", legend=None, scale=alt.Scale(domain=names, range=["circle", "square"])
    )
    known = "isValid(datum.share)"
    base = alt.Chart(points).encode(x=x, y=y).transform_filter(known)
    marked = base.encode(color=colour, shape=shape)
    between = (
        alt.Chart(points)
        .transform_filter(known)
        .mark_line(strokeWidth=2, opacity=0.5, color="currentColor")
        .encode(x=x, y=y, detail="line:Q")
    )
    layers = [
        between,
        marked.transform_filter("datum.way == 'recorded'").mark_point(
            filled=True, size=110, opacity=1
        ),
        marked.transform_filter("datum.way == 'drawn'").mark_point(
            filled=False, size=100, strokeWidth=2, opacity=1
        ),
        *(
            base.transform_filter(f"datum.side == '{side}'")
            .mark_text(align=align, dx=dx, fontSize=LABEL_SIZE)
            .encode(text="text:N", color=colour)
            for side, align, dx in (("right", "left", 10), ("left", "right", -10))
        ),
    ]
    layers = [layer.transform_filter(f"datum.choice == {CHOICE}") for layer in layers]
    titles = pd.DataFrame({"line": range(len(lines)), "text": lines})
    layers.append(
        alt.Chart(titles)
        .mark_text(align="left", dy=-20, fontSize=LABEL_SIZE, fontWeight="bold")
        .encode(x=alt.value(0), y=y, text="text:N")
    )
    return finished([*layers, *_key(names, colour, shape)], start)


def _key(names: Sequence[str], colour: alt.Color, shape: alt.Shape) -> list[alt.Chart]:
    """The names of the columns at the upper right, each with its mark."""
    rows = pd.DataFrame({"column": names, "top": [6 + 18 * n for n in range(len(names))]})
    base = alt.Chart(rows).encode(y=alt.Y("top:Q", scale=None, axis=None), color=colour)
    return [
        base.mark_point(filled=True, size=80, opacity=1).encode(
            x=alt.value(alt.ExprRef("width - 8")), shape=shape
        ),
        base.mark_text(align="right", fontSize=LABEL_SIZE, fontWeight="bold").encode(
            x=alt.value(alt.ExprRef("width - 20")), text="column:N"
        ),
    ]


def _answer(results: pd.DataFrame, found: Sequence[Factor], months: float) -> Prose:
    lost = pick(results, "count", OTHERS, months)
    alive = pick(results, "share_recorded", f"{found[0].column}:{LIVED}", months)
    parts = [_gaps(results, event, months) for event in found]
    named = {f"part_{n}": part for n, part in enumerate(parts)}
    return Prose(
        "Split after {months}: {alive} are known alive later, and {others} are not, of whom "
        "{lost} were alive when last seen. " + " ".join(f"{{{key}}}" for key in named),
        months=ruled(in_months(months), "the months to which the split can be moved"),
        alive=sourced(counted(alive["n"]), alive),
        others=sourced(counted(lost["n"]), lost),
        lost=sourced(counted(lost["estimate"]), lost),
        **named,
    )


def _gaps(results: pd.DataFrame, event: Factor, months: float) -> Prose:
    gaps = {way: pick(results, f"share_gap_{way}", event.column, months) for way in WAYS}
    return Prose(
        "The columns differ in {event} by {recorded}, and by {drawn} where lots are drawn.",
        event=in_sentence(event.label),
        **{way: _points_of(row) for way, row in gaps.items()},
    )


def _points_of(row: pd.Series) -> Prose:
    """A difference of two percentages."""
    value = row["estimate"]
    text = rounded(100 * value, 1)
    return sourced("a number that is masked" if pd.isna(value) else f"{text} points", row)


# --- what is shown: wrong and right --------------------------------------------------------------


def directions_table(dataset: Dataset, results: pd.DataFrame, name: str) -> Table:
    """By the future, the percentage turned round, and forward from a landmark."""
    event, late = events(dataset)[0], late_month(dataset)
    label, first = in_sentence(event.label), landmark(dataset)
    after = in_months(late)
    lines = [
        Row(f"Wrong: columns made by the future. Of these, with {label}"),
        _share_line(results, "share_recorded", f"{event.column}:{LIVED}", late,
                    f"Known alive after {after}"),
        _share_line(results, "share_recorded", f"{event.column}:{OTHERS}", late, "All others"),
        Row(f"Turned round: of these, known alive after {after}"),
        _share_line(results, "share_lived", f"{event.column}:{WITH}", late, f"Ever with {label}"),
        _share_line(results, "share_lived", f"{event.column}:{WITHOUT}", late,
                    f"Never with {label}"),
        Row(f"Right: alive at {after}, of those followed beyond {in_months(first)}"),
        _landmark_line(results, f"{event.column}:{WITH}", first, late, f"With {label} by then"),
        _landmark_line(results, f"{event.column}:{WITHOUT}", first, late,
                       f"Without {label} by then"),
    ]  # fmt: skip
    notes = [
        "The first four are plain shares. They count whoever left alive before the split as if "
        "they had died. The last two are Kaplan–Meier estimates, with the patients followed beyond "
        "the landmark.",
    ]
    return Table(
        name,
        "Three questions to the same patients.",
        ["Patients", "No.", "Share, %", "95% CI"],
        lines,
        notes,
        abbreviations=dataset.settings.abbreviations,
    )


def _share_line(
    results: pd.DataFrame, quantity: str, group: str, months: float, heading: str
) -> Row:
    row = pick(results, quantity, group, months)
    return Row(heading, [counted(row["n"]), written(row), ""], level=1)


def _landmark_line(
    results: pd.DataFrame, group: str, first: float, months: float, heading: str
) -> Row:
    start = pick(results, "survival_landmark", group, first)
    row = pick(results, "survival_landmark", group, max(months, first))
    limits = "–".join(shown(row[part], "survival") for part in ("lower", "upper"))
    return Row(heading, [counted(start["n"]), shown(row["estimate"], "survival"), limits], level=1)


def curves_figure(dataset: Dataset, results: pd.DataFrame, name: str) -> Figure:
    """Survival by what happened ever, from the start, and by what had happened at the landmark."""
    event, first = events(dataset)[0], landmark(dataset)
    told, label = story(dataset), event.label
    named = {
        "survival_landmark": [f"{word} {label} by {in_months(first)}" for word in
                              ("With", "Without")],
        "survival_from_start": [f"{word} with {label}" for word in ("Ever", "Never")],
    }  # fmt: skip
    drawn, names = [], []
    sides = _sides(dataset, told, event)
    for quantity, words in named.items():
        for word, side in zip(words, sides[quantity], strict=True):
            curve = est.survival_curve(told.end[side], told.died[side])
            begin = first if quantity == "survival_landmark" else 0
            drawn.append(monthly(dataset, curve, begin=begin).assign(series=word))
            names.append(word)
    ticks = axis_months(dataset, endpoint(dataset, "os"))
    steps = pd.concat(drawn)
    chart = curves_chart(
        steps[steps["month"] <= ticks[-1]],
        names,
        ticks,
        f"Months since {dataset.settings.time_origin}",
        dict.fromkeys(named["survival_from_start"], 1),
    )
    caption = (
        "Survival by the event. In dashes the wrong curves: they begin on the first day, and sort "
        "the patients by what came later. Drawn through: only who is followed beyond the landmark, "
        "sorted by what had happened by then."
    )
    late = late_month(dataset)
    ends = "; ".join(
        f"{word} {estimate(results, quantity, f'{event.column}:{side}', late)}"
        for quantity, words in named.items()
        for word, side in zip(words, BOTH, strict=True)
    )
    alt_text = f"Four falling step curves. At {in_months(late)}: {ends}."
    return Figure(name, chart, alt_text, caption)


# --- what is said --------------------------------------------------------------------------------


def told_columns(dataset: Dataset, results: pd.DataFrame) -> Prose:
    """What a column of the future says, and what it is read as."""
    event, late = events(dataset)[0], late_month(dataset)
    lived = pick(results, "share_recorded", f"{event.column}:{LIVED}", late)
    return Prose(
        "**Two questions.** Of the {n} patients known alive after {late}, {column} had had "
        "{event}. This is what a column of such a table says. It is not what a patient asks. Of "
        "the {ever} who ever had {event}, {turned} are known to have lived that long.",
        n=sourced(counted(lived["n"]), lived),
        late=_late_named(dataset, late),
        column=_of(results, "share_recorded", f"{event.column}:{LIVED}", late),
        event=in_sentence(event.label),
        ever=_number(results, "share_lived", f"{event.column}:{WITH}", late),
        turned=_of(results, "share_lived", f"{event.column}:{WITH}", late),
    )


def told_lost(dataset: Dataset, results: pd.DataFrame) -> Prose:
    """Who is in the wrong column, or in none."""
    late = late_month(dataset)
    lost = pick(results, "count", OTHERS, late)
    none = not pd.isna(lost["estimate"]) and lost["estimate"] == 0
    return Prose(
        "**Who left early.** Of the {others} others, {lost} were alive when last seen. "
        + (
            "So here nobody is in the wrong column. With shorter follow-up some would be."
            if none
            else "They stand beside the dead. To leave them out would be no better: then the "
            "columns would hold only those whose end is known."
        ),
        others=sourced(counted(lost["n"]), lost),
        lost=sourced(counted(lost["estimate"]), lost),
    )


def told_early(dataset: Dataset, results: pd.DataFrame) -> Prose:
    """Who had died before most of the events came."""
    said = []
    for event in events(dataset):
        time = pick(results, "time_event", event.column)
        dead = pick(results, "count", f"{event.column}:dead_by_then")
        said.append(
            Prose(
                "Half of those who had {event} had it by {time}. By then {dead} of all {n} "
                "patients had died.",
                event=in_sentence(event.label),
                time=sourced(f"{shown(time['estimate'], 'time_event')} months", time),
                dead=sourced(counted(dead["estimate"]), dead),
                n=sourced(counted(dead["n"]), dead),
            )
        )
    parts = {f"part_{n}": part for n, part in enumerate(said)}
    return Prose(
        "**Who had no time.** "
        + " ".join(f"{{{key}}}" for key in parts)
        + " Whoever died early is among the others, and had little time for the event.",
        **parts,
    )


def told_lot(dataset: Dataset, results: pd.DataFrame, seed: int, draws: int) -> Prose:
    """How much of the difference between the columns arises from nothing."""
    late = late_month(dataset)
    said = [
        Prose(
            "**From nothing.** Let lots decide: each patient's day is drawn from the days that "
            "the event has, whatever their survival, and they have the event if they live to that "
            "day. It does nothing. Over {draws} such draws (seed {seed}), after {late}:",
            draws=ruled(draws, "draws, a parameter of the notebook"),
            seed=ruled(seed, "seed, a parameter of the notebook"),
            late=_late_named(dataset, late),
        )
    ]
    said += [_lot_line(results, event, late) for event in events(dataset)]
    return Prose.joined(said, "\n\n")


def _lot_line(results: pd.DataFrame, event: Factor, late: float) -> Prose:
    lot = pick(results, "share_gap_drawn", event.column, late)
    real = pick(results, "share_gap_recorded", event.column, late)
    if pd.isna(lot["estimate"]) or pd.isna(real["estimate"]):
        return Prose("- **{event}.** There are too few patients to compare.", event=event.label)
    return Prose(
        "- **{event}.** By lot, {lived} of those known alive later have it, and {others} of the "
        "others. The columns differ by {gap} on average (95% interval of the draws, {limits}). As "
        "recorded they differ by {real}. " + _beside_lots(lot, real["estimate"]),
        event=event.label,
        lived=estimate(results, "share_drawn", f"{event.column}:{LIVED}", late),
        others=estimate(results, "share_drawn", f"{event.column}:{OTHERS}", late),
        gap=_points_of(lot),
        limits=sourced(" to ".join(rounded(100 * lot[end], 1) for end in ("lower", "upper")), lot),
        real=_points_of(real),
    )


def _beside_lots(lot: pd.Series, real: float) -> str:
    less = "That is less than lots give."
    return {
        "unknown": "Nothing is there to set beside it.",
        "above": "That is more than lots give. What the rest is worth, only a comparison forward "
        "in time can say.",
        "within": "That is within what lots give: time alone could have made it.",
        "below": less
        if real <= 0
        else less + " The survivors had it more often, and still less often than if it had no "
        "bearing on survival: such columns praise even what goes with earlier death.",
    }[conclusions.beside(real, lot["lower"], lot["upper"])]


def told_right(dataset: Dataset, results: pd.DataFrame) -> Prose:
    """The landmark comparison, and on how many it rests."""
    event, first = events(dataset)[0], landmark(dataset)
    late = max(late_month(dataset), first)
    starts = {
        side: pick(results, "survival_landmark", f"{event.column}:{side}", first) for side in BOTH
    }
    smaller = min(starts.values(), key=lambda row: -1 if pd.isna(row["n"]) else row["n"])
    gap, p = (
        pick(results, quantity, event.column, late)
        for quantity in ("survival_difference", "p_difference")
    )
    return Prose(
        "Forward from {first}: of those with {event} by then, {with_it} are alive at {late}; of "
        "those without, {without}. "
        + CONTRAST[conclusions.differ(p["estimate"])]
        + "The smaller side begins with {n} patients.",
        difference=sourced(f"{written(gap)} ({interval(gap)})", gap),
        p=sourced(equal_to(p["estimate"]), p),
        first=ruled(in_months(first), "the landmark, the first month with patients on both sides"),
        event=in_sentence(event.label),
        late=_late_named(dataset, late),
        with_it=with_interval(results, "survival_landmark", f"{event.column}:{WITH}", late),
        without=with_interval(results, "survival_landmark", f"{event.column}:{WITHOUT}", late),
        n=sourced(counted(smaller["n"]), smaller),
    )


CONTRAST = {
    "unknown": "Their difference cannot be judged here. ",
    "differ": "The difference, {difference} points, has P {p}. ",
    "not_told_apart": "The difference, {difference} points, has P {p}: these patients do not tell "
    "the two apart. ",
}


def told_clocks(dataset: Dataset, results: pd.DataFrame) -> Prose:
    """Survival of those with the event, from the start and from the event."""
    event, at = events(dataset)[0], told_months(dataset, endpoint(dataset, "os"))[0]
    group = f"{event.column}:{WITH}"
    rows = [pick(results, q, group, at) for q in ("survival_from_start", "survival_from_event")]
    start, since = (row["estimate"] for row in rows)
    if pd.isna(since):
        return Prose(
            "Of those who ever had {event}, {start} are alive {months} after the start. Nobody was "
            "followed for so long after the event, so the two cannot be set side by side here.",
            event=in_sentence(event.label),
            start=estimate(results, "survival_from_start", group, at),
            months=declared(in_months(at), "months"),
        )
    higher = "higher" if start > since else "lower" if start < since else "the same"
    return Prose(
        "Of those who ever had {event}, {start} are alive {months} after the start, and "
        "{since} are alive {months} after the event. From the start the share is {higher}"
        + (
            ": the wait for the event is counted as survival, and nobody can die in it."
            if start > since
            else "."
        ),
        event=in_sentence(event.label),
        start=estimate(results, "survival_from_start", group, at),
        since=estimate(results, "survival_from_event", group, at),
        months=declared(in_months(at), "months"),
        higher=higher,
    )


def _number(results: pd.DataFrame, quantity: str, group: str, months: float) -> Prose:
    row = pick(results, quantity, group, months)
    return sourced(counted(row["n"]), row)


def _of(results: pd.DataFrame, quantity: str, group: str, months: float) -> Prose:
    """A count and its share: `36 (83.7%)`."""
    row = pick(results, quantity, group, months)
    percent = "" if pd.isna(row["estimate"]) else f" ({written(row)}%)"
    return sourced(counted(row["events"]) + percent, row)


# --- exercises ---------------------------------------------------------------------------------


def table(dataset: Dataset) -> pd.DataFrame:
    """For the exercises: `days` to the end, `died`, and `event_day`, blank for whoever had none."""
    told, first = story(dataset), events(dataset)[0]
    day = np.where(told.days[first.column] <= told.end, told.days[first.column], np.nan)
    return pd.DataFrame({"days": told.end, "died": told.died, "event_day": day})


def exercise_1(dataset: Dataset) -> Exercise:
    """The percentage of the column turned round."""
    patients = table(dataset)
    had = patients["event_day"].notna()
    lived = patients["days"] > _days(dataset, late_month(dataset))
    both = (had & lived).sum()
    return Exercise(
        _share(both, had.sum()),
        "The whole is now everybody with the event, in either column.",
        [
            (_share(both, lived.sum()), "That is the column itself: of those who lived."),
            (_share(both, len(patients)), "You divided by all patients."),
            (
                _share((lived & ~had).sum(), (~had).sum()),
                "Those are the patients without the event.",
            ),
            (_share((had & ~lived).sum(), had.sum()), "Those with the event who are not known to "
             "have lived that long: the rest of what is asked."),
        ],
    )  # fmt: skip


def exercise_2(dataset: Dataset) -> Exercise:
    """How many left alive before the split."""
    patients = table(dataset)
    split = _days(dataset, late_month(dataset))
    others = patients["days"] <= split
    return Exercise(
        int((others & ~patients["died"]).sum()),
        "They did not live beyond the split as far as is known, and did not die either.",
        [
            (
                int(others.sum()),
                "That is the whole column of the others. Most of them may be dead.",
            ),
            (int((~patients["died"]).sum()), "Some of those were seen alive after the split."),
            (int((others & patients["died"]).sum()), "Those died. They are not lost."),
            (int((~others & ~patients["died"]).sum()), "Those were seen alive after the split."),
        ],
        decimals=0,
    )


def exercise_3(dataset: Dataset) -> Exercise:
    """Landmark survival of those with the event, by Kaplan and Meier."""
    patients, begin = table(dataset), _days(dataset, landmark(dataset))
    late = _days(dataset, late_month(dataset))
    by_then, followed = patients["event_day"] <= begin, patients["days"] > begin
    ever = patients["event_day"].notna()
    kept = patients[by_then & followed]
    return Exercise(
        _alive(kept, late),
        "Sorted by what had happened by the landmark, followed from there.",
        [
            (_alive(patients[ever], late), "Some of those were gone before the landmark, or had "
             "the event after it."),
            (_alive(patients[followed & ~by_then], late), "Those are without the event by then."),
            (_alive(patients[ever & followed], late), "Some of those had the event only after the "
             "landmark."),
            (float((kept["days"] > late).mean()), "That counts whoever left alive as dead. Use "
             "Kaplan–Meier."),
        ],
    )  # fmt: skip


def _share(part: int, whole: int) -> float:
    return float(part / whole) if whole else np.nan


def _alive(patients: pd.DataFrame, day: float) -> float:
    if patients.empty:
        return np.nan
    curve = est.survival_curve(patients["days"], patients["died"])
    return float(est.at(curve, [day])["survival"].iloc[0])


def split_day(dataset: Dataset) -> float:
    """The day of the dataset's long-term month, for the exercises."""
    return _days(dataset, late_month(dataset))


def landmark_day(dataset: Dataset) -> float:
    """The day of the landmark, for the exercises."""
    return _days(dataset, landmark(dataset))


def event_name(dataset: Dataset) -> str:
    """What the exercises call the event."""
    return events(dataset)[0].label
