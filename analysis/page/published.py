"""Against the print: each printed number beside the one that the run computed."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

import pandas as pd

from ..dataset.columns import KINDS, LISTED
from ..dataset.model import Dataset
from .formats import CARRIED, DAGGER, at_time, equal_to, listed, rounded, scaled
from .groups import outcome_labels
from .prose import Prose
from .quantities import MISSING, name_of, nature
from .rows import COMPETING, is_carried
from .tables import Row, Table
from .units import unit_of

KEYS = ["quantity", "group", "months"]
MATCH, OFF = "✓", "differs"
YES_NO = ("yes", "no")
LEVEL = 0.05  # a P below it speaks for a difference, and for yes where yes or no is printed
LISTED_AT_MOST = 12  # a longer list waits behind a click

# Quantities that a paper prints as one expression, such as 27 (62.8), under their common name.
FAMILIES = {
    "percent": "count",
    "min": "median_value",
    "max": "median_value",
    "sd": "mean",
    "followup_min": "followup_median",
    "followup_max": "followup_median",
    "kept": "associated",
}
FAMILY_WORDS = {
    "count": "No. (%)",
    "median_value": "Median (range)",
    "mean": "Mean (SD)",
    "followup_median": "Follow-up, {unit}: median (range)",
    "associated": "Associated (in the stepwise model)",
}
RANGES = {
    frozenset({"min", "max"}): "Range",
    frozenset({"followup_min", "followup_max"}): "Follow-up, {unit}: range",
}
PART_WORDS = {"lower": "lower limit", "upper": "upper limit"}
BOXES = {
    "without_event": "Without an event",
    "never_at_risk": "Not at risk",
    "died": "Died",
    "alive": "Alive",
    "no_response": "Without a response",
}
COLUMN_WORDS = {
    "long_term": "long-term survivors",
    "shorter": "others",
    "total": "all",
    "relapse_free": "relapse-free long-term survivors",
}


def compare(dataset: Dataset, page: str, results: pd.DataFrame) -> pd.DataFrame:
    """The page's printed numbers with `recomputed`, `match`, `p` and `carried`, in its order.

    A number is reproduced when the recomputed one, rounded half away from zero to the printed
    decimals, is the same text; a printed bound, `<0.0001`, when the number lies within it.
    `recomputed` is blank where the run has no such number; `p` is what a yes or no rests on;
    `carried` is true where nobody was followed to its month; `row` is the number of its row of the
    results. Rows that are only LISTED are left out: nothing recomputes them. The index is that of
    `published`.
    """
    published = dataset.published
    printed = published[(published["page"] == page) & ~published["kind"].isin(LISTED)]
    rows = results.assign(row=results.index + 1)
    found = printed.merge(rows, on=KEYS, how="left").set_axis(printed.index)
    found["recomputed"] = [_as_printed(row) for _, row in found.iterrows()]
    found["match"] = found["recomputed"] == found["printed"]
    found["p"] = found["estimate"].where(are_statements(found) & found["quantity"].map(_is_p))
    points = found["quantity"].map(lambda quantity: nature(quantity).point)
    asked = points & found["months"].notna() & found["part"].eq("estimate")
    found["carried"] = [
        bool(at) and is_carried(results, row)
        for at, (_, row) in zip(asked, found.iterrows(), strict=True)
    ]
    return found[[*printed.columns, "recomputed", "match", "p", "carried", "row"]]


def _as_printed(row: pd.Series) -> str:
    value, printed = row[row["part"]], row["printed"]
    if pd.isna(value):
        return ""
    if printed in YES_NO:
        value = float(value < LEVEL) if _is_p(row["quantity"]) else value
        return {1.0: "yes", 0.0: "no"}.get(value, str(value))
    sign, number = re.fullmatch(r"([<>]?)(.*)", printed).groups()
    decimals, value = max(0, -Decimal(number).as_tuple().exponent), scaled(value, row["quantity"])
    if sign and (value < float(number) if sign == "<" else value > float(number)):
        return printed
    # What is not within a printed bound is told with a decimal more, so that it is no bound.
    text = rounded(value, decimals + bool(sign))
    return text.removeprefix("0") if number.startswith(".") else text


def _is_p(quantity: str) -> bool:
    return nature(quantity).kind == "p"


def are_statements(found: pd.DataFrame) -> pd.Series:
    """True for the rows that say yes or no, as of a P below LEVEL; the others are numbers."""
    return found["printed"].isin(YES_NO)


def tally(found: pd.DataFrame) -> str:
    """`250 of 260 numbers and 40 of 46 statements`: how many the run gives as printed."""
    says = are_statements(found)
    counts = {"numbers": found.loc[~says, "match"], "statements": found.loc[says, "match"]}
    return listed(
        f"{match.sum()} of {len(match)} {what[: -1 if len(match) == 1 else None]}"
        for what, match in counts.items()
        if len(match)
    )


@dataclass(frozen=True)
class Comparison:
    """What differs from the print, always in sight, then every number, then the way to more."""

    differing: Table | None
    every: Table

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/html": self._html(), "text/plain": self.every._plain()}

    def _html(self) -> str:
        whole = self.every._html()
        if len(self.every.rows) > LISTED_AT_MOST:
            summary = f"<summary>{html.escape(self.every.caption)}</summary>"
            shown = self.differing._html() if self.differing else ""
            whole = f'{shown}<details class="every-number">{summary}{whole}</details>'
        return (
            f'{whole}<p class="table-more"><a href="scorecard.html">The scorecard</a> counts the '
            "numbers of all pages and explains their kinds.</p>"
        )


def against_print(dataset: Dataset, page: str, results: pd.DataFrame) -> Comparison | Prose:
    """The comparison for the page, or a sentence where nothing was printed."""
    found = compare(dataset, page, results)
    if found.empty:
        return Prose("No published numbers come with this page, so there is nothing to compare.")
    parts = expressions(_in_order(found))
    columns = ["Number", "Printed", "Recomputed", "Same", "Kind", "Place in the paper"]
    every = Table(
        f"{page}-print",
        f"Printed and recomputed: {tally(found)} agree{'s' if len(found) == 1 else ''}.",
        *_lines(dataset, columns, parts),
        [*notes(dataset, parts), *_kinds_told(parts)],
        abbreviations=dataset.settings.abbreviations,
    )
    off = [part for part in parts if not part["match"].all()]
    if not off:
        return Comparison(None, every)
    differing = Table(
        f"{page}-differs",
        f"Where print and run differ. The rest agree: {tally(found)}.",
        *_lines(dataset, columns, off),
        [*notes(dataset, off), *_kinds_told(off)],
        abbreviations=dataset.settings.abbreviations,
    )
    return Comparison(differing, every)


def _in_order(found: pd.DataFrame) -> pd.DataFrame:
    """As the print has them first, but each curve by months, and statements after the numbers."""
    family = found["quantity"].replace(FAMILIES)
    first = found.groupby([family, "group"], sort=False).ngroup()
    keys = found.assign(first=first, says=are_statements(found))
    return found.loc[keys.sort_values(["says", "first", "months"]).index]


def expressions(found: pd.DataFrame) -> list[pd.DataFrame]:
    """The numbers grouped as a paper prints them, such as 27 (62.8) or 7.5 (5.5–8.5).

    A number that is printed in several places stands once in its group, with all of them and
    with what is noted of any.
    """
    moment = found["months"].fillna(-1)  # blanks in months must not drop a line
    same = ["page", "quantity", "group", moment, "part", "printed"]
    groups = found.groupby(same, sort=False)
    where = groups["place"].transform(_joined)
    noted = groups["note"].transform(lambda notes: " ".join(filter(None, notes.unique())))
    once = found.assign(place=where, note=noted)[
        ~found.duplicated(["page", *KEYS, "part", "printed"])
    ]
    family = once["quantity"].replace(FAMILIES)
    groups = once.groupby(["page", family, "group", moment[once.index]], sort=False)
    return [part for _, part in groups]


def _of_which(headings: Sequence[str]) -> str:
    """Which numbers a note is about: their headings, or of many the first and how many more."""
    first, *more = dict.fromkeys(headings)
    return f"{first} and {len(more)} more" if len(more) > 1 else "; ".join((first, *more))


def _joined(words: Iterable[str]) -> str:
    """The different words, in their order: `Abstract; Results, paragraph 1`."""
    return "; ".join(dict.fromkeys(words))


def places(part: pd.DataFrame) -> str:
    """Every place of some numbers, each once."""
    return _joined(place for several in part["place"] for place in several.split("; "))


def kinds(part: pd.DataFrame) -> str:
    """The kinds of some numbers, in the order of KINDS."""
    return ", ".join(kind for kind in KINDS if kind in set(part["kind"]))


def _lines(
    dataset: Dataset, columns: list[str], parts: list[pd.DataFrame]
) -> tuple[list[str], list[Row]]:
    """Headings and rows; without kinds in the dataset there is no column for them."""
    classified = any(kinds(part) for part in parts)
    rows = []
    for part in parts:
        same = MATCH if part["match"].all() else OFF
        kind = [kinds(part)] if classified else []
        of = [int(row) for row in part["row"].dropna().unique()]
        cells = (*both(part), same, *kind, places(part))
        rows.append(Row(heading(dataset, part), cells, rows=of))
    return [name for name in columns if classified or name != "Kind"], rows


MEANT = {
    "calibrated": "the cohort was made to give the number",
    "emergent": "nothing was fitted to give it",
    "contradiction": "the print contradicts itself",
}


def _kinds_told(parts: list[pd.DataFrame]) -> list[str]:
    """The note that says what the kinds of some numbers mean."""
    there = {kind for part in parts for kind in part["kind"]}
    told = [f"{kind}, {meant}" for kind, meant in MEANT.items() if kind in there]
    return [f"Kind: {'; '.join(told)}."] if told else []


def notes(dataset: Dataset, parts: list[pd.DataFrame], whole_book: bool = False) -> list[str]:
    """The notes of the print, of which one that many numbers share is said once, and of the run."""
    subjects: dict[str, list[str]] = {}
    for part in parts:
        for note in part["note"][part["note"] != ""].unique():
            subjects.setdefault(note, []).append(heading(dataset, part, whole_book))
    said = [f"{_of_which(who)}: {note}" for note, who in subjects.items()]
    return said + [f"{CARRIED}."] * any(part["carried"].any() for part in parts)


def both(part: pd.DataFrame) -> tuple[str, str]:
    """An expression as printed and as recomputed, with the mark of what is carried forward."""
    if _is_range(part):  # its ends, and no median before them
        part = part.sort_values("quantity", ascending=False).assign(part=["lower", "upper"])
    marked = part["recomputed"] + [DAGGER * carried for carried in part["carried"]]
    marked += [f" (P {equal_to(p)})" if pd.notna(p) else "" for p in part["p"]]
    return _expression(part["part"], part["printed"]), _expression(part["part"], marked)


def _is_range(part: pd.DataFrame) -> bool:
    """Whether an expression is the least and the greatest of some numbers, and nothing more."""
    return len(part) == 2 and frozenset(part["quantity"]) in RANGES


def _expression(parts: pd.Series, pieces: pd.Series) -> str:
    """`a`, `a (b)` or `a (b–c)`, as a paper prints them; a number that is not there is a dash.

    A limit that stands beside an estimate without the other one says which it is.
    """
    if not pieces.any():
        return MISSING
    texts = [piece or MISSING for piece in pieces]
    limits = parts.map(PART_WORDS).fillna("")
    if limits.all():
        return "–".join(texts)
    if limits.ne("").sum() == 1:
        texts = [f"{which} {text}".lstrip() for which, text in zip(limits, texts, strict=True)]
    first, *others = texts
    return f"{first} ({'–'.join(others)})" if others else first


def heading(dataset: Dataset, part: pd.DataFrame, whole_book: bool = False) -> str:
    """An expression, or one number, in a reader's words.

    On its own page an endpoint need not be named; `whole_book` names it.
    """
    line = part.iloc[0]
    quantity, group = line["quantity"], line["group"]
    if quantity == "given":
        return group
    words = name_of(quantity)
    if part["quantity"].nunique() > 1:
        words = FAMILY_WORDS.get(FAMILIES.get(quantity, quantity), words)
        words = RANGES[frozenset(part["quantity"])] if _is_range(part) else words
    if line["printed"] in YES_NO and _is_p(quantity):
        words += f" below {LEVEL:g}".replace("0.", ".")
    words = words.replace("{unit}", unit_of(dataset.settings).name)
    which = [*part["part"].map(PART_WORDS).dropna()]
    if len(which) == len(part):  # without an estimate
        words += ", limits" if len(which) > 1 else f", {which[0]}"
    when = _when(quantity, line["months"])
    about = _subject(dataset, line, whole_book)
    return f"{about}: {words}{when}" if about else f"{words}{when}"


def _when(quantity: str, month: float) -> str:
    """`at 2 years`; of what is counted beyond a month, `beyond 2 years` or `in all`."""
    if pd.isna(month):
        return ""
    if quantity not in BEYOND:
        return f" at {at_time(month)}"
    return f" beyond {at_time(month)}" if month else " in all"


BEYOND = ("event_rate", "person_years", "conditional_survival")
# What tells a group from the reference, which its name then has too.
AGAINST = ("_difference", "_group", "_group_stratified")


def _subject(dataset: Dataset, line: pd.Series, whole_book: bool) -> str:
    """What a result's group speaks of, in the dataset's own words."""
    group = line["group"]
    name, rest = re.fullmatch(r"([^|:]*)(.*)", group).groups()
    if group == "death":  # the paper's name for what competes with relapse
        return "Death"
    if name in dataset.recurrent:
        column = rest.removeprefix("|")
        return ", ".join([dataset.recurrent[name].title, *filter(None, [_group(dataset, column)])])
    if name not in dataset.endpoints:
        return _row(dataset, group)
    plan = dataset.endpoints[name]
    own = [plan.title]
    if line["page"] == "patients":  # it counts who had the event, not when
        rest = rest.removesuffix("|patients")
        own = [plan.event[:1].upper() + plan.event[1:]]
    if plan.competing:
        event = plan.competing_event if rest.startswith(COMPETING) else plan.event
        own, rest = [event[:1].upper() + event[1:]], rest.removeprefix(COMPETING)
    elif line["page"] == plan.page and not whole_book:
        own = []  # the page's own endpoint
    of = [_group(dataset, part, line["quantity"]) for part in re.split(r"[|:]", rest) if part]
    return ", ".join(own + of)


def _group(dataset: Dataset, text: str, quantity: str = "") -> str:
    """A factor, `arm=B` as `Arm B`, or the title of a model; with a value or the reference."""
    column, equals, level = text.partition("=")
    column, at, value = column.partition("@")
    factor = next((f for f in dataset.factors if f.column == column), None)
    label = dataset.label(column)
    if not equals:
        return (factor.label if factor else label) + (at and f" {value}")
    compare = dataset.compared()
    against = compare and column == compare.column and quantity.endswith(AGAINST)
    return f"{label} {level}" + (f" against {compare.reference}" if against else "")


def _row(dataset: Dataset, group: str) -> str:
    """A row of a table, and its column."""
    name, _, column = group.partition("|")
    characteristic, equals, level = name.partition("=")
    derived = _derived_words(dataset, column)
    words = derived.get(name, dataset.label(characteristic)).removesuffix(", No. (%)")
    if column == "patients":  # a box of all patients
        return BOXES.get(name, words)
    words = "Patients" if name == "patients" else words + (f", {level}" if equals else "")
    return f"{words}, {COLUMN_WORDS.get(column) or _group(dataset, column)}" if column else words


def _derived_words(dataset: Dataset, column: str) -> dict[str, str]:
    """The rows that the reserved columns give; one under another row names that row too."""
    hsct = dataset.label("hsct_day")
    above = {"hsct_": hsct, "relapse_free_": "Relapse-free"}
    above.pop(f"{column}_", None)  # the column says it already
    words = {"without_hsct": f"Without {hsct}", "without_event": "Without an event"}
    for key, (label, level) in outcome_labels(dataset).items():
        parent = next((word for start, word in above.items() if key.startswith(start)), "")
        words[key] = f"{parent}, {label[0].lower()}{label[1:]}" if level and parent else label
    return words
