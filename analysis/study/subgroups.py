"""Whether groups that are compared differ by as much in each part of the patients."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pandas as pd

from .. import survival as est
from ..dataset.definitions import in_sentence
from ..dataset.model import Dataset, Factor
from ..page.charts import Figure
from ..page.formats import listed, rounded
from ..page.page import Page
from ..page.prose import Prose, ruled, sourced
from ..page.published import LEVEL
from ..page.tables import Row, Table
from ..survival.sums import middle
from ..survival.times import NUMBER
from .forest import forest_chart, mark
from .groups import Groups, group_fit
from .models import event_rows, factors_of, ratio_of, terms_of
from .named import factor_of

UNIT = re.compile(r"\(per (?:[\d.]+ )?(%|[a-z]+?)s?\)$")  # of a label: `Age (per 10 years)`
MOST_MARKS = 3  # in one row of a forest


@dataclass(frozen=True)
class Split:
    """The patients of an endpoint by a factor: `rows` of a model of the groups and it, by part."""

    factor: Factor
    arm: Factor
    rows: pd.DataFrame
    parts: dict[str, pd.Series]

    @property
    def products(self) -> pd.DataFrame:
        """The products of each group's column with each of the factor's, which hold no name."""
        terms = terms_of([self.arm, self.factor], self.rows)
        pairs = [(a, b) for a in terms[self.arm.column] for b in terms[self.factor.column]]
        values = [self.rows[a] * self.rows[b] for a, b in pairs]
        return pd.DataFrame({f":{place}": value for place, value in enumerate(values)})


def splits(dataset: Dataset, parts: Groups) -> Iterator[Split]:
    """One for each factor that is known on day 0 of all patients; of a number, at its median."""
    arm = factor_of(dataset, parts.compare.column)
    reference, levels = parts.compare.reference, (*parts.levels,)
    arm = Factor(arm.column, arm.label, "baseline", reference=reference, levels=levels)
    for factor in factors_of(dataset, parts.question) if parts.others else ():
        if factor.kind == "baseline" and not factor.among and factor.column != arm.column:
            rows = event_rows(dataset, parts.question, [arm, factor])
            if len(rows):
                yield Split(factor, arm, rows, _parts(factor, rows))


def _parts(factor: Factor, rows: pd.DataFrame) -> dict[str, pd.Series]:
    """Whose rows are of which part, by the words for it."""
    if factor.reference is not None:
        level = rows[list(factor.columns)]
        own = dict(zip(factor.others, (level[column] > 0 for column in level), strict=True))
        own[factor.reference] = level.sum(axis=1) == 0
        return {name: own[name] for name in factor.levels if own[name].any()}
    value = rows[factor.column]
    if factor.numerator:
        sides = map(" or ".join, (factor.numerator, factor.denominator))
        return dict(zip(sides, (value > 0, value == 0), strict=True))
    once = rows.drop_duplicates("patient")
    half = middle(once[factor.column], once[NUMBER].to_numpy() if NUMBER in rows else None)
    return {f"up to {half:g}": value <= half, f"over {half:g}": value > half}


def subgroup_results(dataset: Dataset, parts: Groups, found: Sequence[Split]) -> list[dict]:
    """`hazard_ratio_subgroup` of each group against the reference in each part of a factor.

    `interaction_p`: the likelihood ratio test of the products of the groups with the factor, a
    number as it is. With three or more groups the results name the group: `os|arm=B:sex=male`.
    Where masking hides a count of one part it hides those of all, which add up.
    """
    rows = []
    for split in found:
        made = list(_ratios(split, parts))
        counts = pd.Series([row[what] for row in made for what in ("n", "events")])
        if counts.between(1, dataset.mask_below - 1).any():
            made = [row | {"n": None, "events": None} for row in made]
        rows += made
        terms = terms_of([split.arm, split.factor], split.rows)
        alone, products = [column for term in terms.values() for column in term], split.products
        p = est.likelihood_ratio(split.rows.join(products), alone, list(products)).p
        seen = dict(zip(("n", "events"), est.counted(split.rows), strict=True))
        key = {"group": f"{parts.key}:{split.factor.column}"}
        rows.append({"quantity": "interaction_p", "estimate": p, **key, **seen})
    return rows


def _ratios(split: Split, parts: Groups) -> Iterator[dict]:
    for name, inside in split.parts.items():
        rows = split.rows[inside]
        term = terms_of([split.arm], rows)[split.arm.column]
        fit, _ = group_fit(rows, term)
        lines = fit.summary().reindex(split.arm.columns)
        for other, (_, line) in zip(split.arm.others, lines.iterrows(), strict=True):
            row = {"quantity": "hazard_ratio_subgroup", "group": key_of(parts, other, split, name)}
            yield {**row, **ratio_of(line), "n": fit.n, "events": fit.events}


def _told(split: Split, name: str) -> str:
    """The words for a part: of a number that is cut with its unit, as `up to 28 years`."""
    unit = UNIT.search(split.factor.label)
    cut = not (split.factor.numerator or split.factor.levels)
    if not cut or not unit:
        return name
    return f"{name}%" if unit[1] == "%" else f"{name} {unit[1]}s"


def key_of(parts: Groups, other: str, split: Split, name: str) -> str:
    """The results' name of a group's ratio in a part: `os|arm:sex=male`, or `os|arm=B:sex=male`."""
    start = parts.key if len(parts.others) == 1 else parts.key_of(other)
    return f"{start}:{split.factor.column}={name}"


def subgroups_figure(page: Page, parts: Groups, found: Sequence[Split]) -> Figure:
    """The ratios of each part as a forest, of all patients first."""
    others = parts.others
    lines = {"All patients": [page["hazard_ratio_group", parts.key_of(other)] for other in others]}
    for split in found:
        for name in split.parts:
            keys = [key_of(parts, other, split, name) for other in others]
            ratios = [page["hazard_ratio_subgroup", key] for key in keys]
            lines[f"{_short(split.factor)}: {_told(split, name)}"] = ratios
    rows = []
    for place, (label, ratios) in enumerate(lines.items()):
        for number, (ratio, other) in enumerate(zip(ratios, others, strict=True)):
            if len(others) <= MOST_MARKS:
                rows.append(mark(ratio, label, other, place, number, len(others)))
            else:  # a row of its own for each
                at = place * len(others) + number
                rows.append(mark(ratio, f"{label}, {other}", other, at, 0, 1))
    by = in_sentence(page.data.label(parts.compare.column))
    reference = parts.compare.reference
    caption = (
        f"{parts.question.title}: hazard ratios against the reference ({by}: {reference}) "
        "in subgroups, on a log axis. Lines: 95% confidence intervals."
    )
    told = "; ".join(f"{row['label']}, {row['model']}: {row['words']}" for row in rows)
    words = f"Forest plot. {caption} {told}."
    sides = ("later than in the reference", "sooner")
    chart = forest_chart(pd.DataFrame(rows), others, sides, first=1)
    return page.figure("subgroups", chart, words, caption, said=caption)


def _short(factor: Factor) -> str:
    """A factor's label without its sides."""
    return factor.label.partition(" (")[0]


def subgroups_table(page: Page, parts: Groups, found: Sequence[Split]) -> Table:
    """Each part's patients, events and ratios, and P of interaction of each factor."""
    rows = []
    for split in found:
        interaction = page["interaction_p", f"{parts.key}:{split.factor.column}"]
        rows.append(
            Row(_short(split.factor), ["", "", *[""] * len(parts.others), interaction.bare])
        )
        for name in split.parts:
            keys = [key_of(parts, other, split, name) for other in parts.others]
            numbers = [page["hazard_ratio_subgroup", key] for key in keys]
            cells = [str(numbers[0].n), str(numbers[0].events), *(one.cell for one in numbers), ""]
            rows.append(Row(_told(split, name), cells, 1))
    cut = [_short(s.factor) for s in found if not (s.factor.numerator or s.factor.levels)]
    notes = [
        "HR, hazard ratio against the reference; CI, confidence interval. P of interaction: "
        "likelihood ratio test of the products of the groups with the factor, one test a factor.",
    ]
    if cut:
        notes.append(
            f"Cut at the median for this table: {listed(cut)}. The interaction is tested with the "
            "number itself."
        )
    heads = [f"HR (95% CI), {other}" for other in parts.others]
    by = in_sentence(page.data.label(parts.compare.column))
    return page.rows_table(
        "subgroup-ratios",
        f"{parts.question.title} by {by}, in subgroups.",
        ["Subgroup", "Patients", "Events", *heads, "P of interaction"],
        rows,
        notes,
    )


def subgroups_mislead(page: Page, parts: Groups, found: Sequence[Split]) -> Prose:
    """Why little is to be found in parts of the patients."""
    keys = [f"{parts.key}:{split.factor.column}" for split in found]
    tests = pd.DataFrame([page["interaction_p", key].row for key in keys])
    tests = tests[tests["estimate"].notna()]
    small = tests[tests["estimate"] < LEVEL]
    said = (
        " Tests of interaction: {m}. If the ratios were the same in all subgroups, {chance} of "
        "them would have P below {level} by chance; {small} had. No P is corrected for this."
    )
    return page.say(
        "**Subgroups can show little.** Each has fewer events than the whole. So its interval is "
        "wide, and chance alone can move its ratio far from the others."
        + said
        * bool(len(tests))
        + " A small P in one subgroup and not in another does not show that they differ: only the "
        "test of interaction asks this. What was not named in advance is a question for the next "
        "study {{cite}}`wang2007`.",
        **(
            {
                "m": sourced(len(tests), tests),
                "chance": sourced(rounded(LEVEL * len(tests), 1), tests),
                "small": sourced(len(small), tests),
                "level": ruled(f"{LEVEL:g}".removeprefix("0"), "the level of a test"),
            }
            if len(tests)
            else {}
        ),
    )
