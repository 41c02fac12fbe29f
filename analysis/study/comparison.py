"""How a curve page shows groups side by side: its tables and sentences."""

from __future__ import annotations

from collections.abc import Callable

from ..dataset.definitions import in_sentence
from ..page.formats import at_time, equal_to, listed
from ..page.page import Page
from ..page.prose import Prose
from ..page.quantities import MISSING
from ..page.tables import Row, Table
from . import conclusions
from .groups import Groups
from .landmarks import without_limits

ALONE = "A hazard ratio above 1 means that the event comes sooner than in the reference."


def groups_table(page: Page, parts: Groups) -> Table:
    """Of each group the median, and at each landmark survival and the restricted mean.

    Beside the estimates at a landmark stands what parts them from the reference. Where events
    compete it has the incidence of the event instead, of which no difference is given.
    """
    months = page.data.settings.months
    rows = []
    if parts.question.competing:
        for month in months:
            rows += _section(page, parts, "cumulative_incidence", "Incidence", month)
    else:
        rows += _section(page, parts, "median", "Median")
        for month in months:
            rows += _section(page, parts, "survival", "Without the event", month)
        for month in months:
            rows += _section(page, parts, "rmst", "Mean time without it, up to", month)
    by = in_sentence(page.data.label(parts.compare.column))
    followed = "" if parts.question.competing else "; for a share, those at risk just before it"
    notes = [
        f"Patients: all of a group{followed}. {MISSING}, nobody in the group (for a difference, in "
        "it "
        "or in the reference) was followed so long. CI, confidence interval.",
        f"Difference from the reference ({by}: {parts.compare.reference}); its interval is normal.",
    ]
    shares = page.numbers[page.numbers["quantity"].isin(["survival", "cumulative_incidence"])]
    notes[:1] += without_limits(shares[shares["group"].isin(map(parts.key_of, parts.levels))])
    differences = page.numbers[page.numbers["quantity"].isin(DIFFERENCES.values())]
    if differences.query("estimate.notna() and lower.isna()", engine="python").size:
        notes.append(WITHOUT_ERROR)
    columns = ["Group", "Patients", "Estimate (95% CI)", "Difference (95% CI)", "P"]
    compared = not parts.question.competing and bool(parts.others)
    if not compared:
        rows = [Row(row.heading, row.cells[:2], row.level) for row in rows]
    return page.rows_table(
        "groups",
        f"{parts.question.title} by {by}.",
        columns if compared else columns[:3],
        rows,
        notes if compared else notes[:1],
    )


WITHOUT_ERROR = (
    f"A difference without an interval has no P ({MISSING}): in one of the two groups nobody has "
    "had the event by then, or all have, so its standard error cannot be estimated."
)
DIFFERENCES = {"survival": "survival_difference", "rmst": "rmst_difference"}


def _section(
    page: Page, parts: Groups, quantity: str, title: str, month: float | None = None
) -> list[Row]:
    """A heading with a line for each group, in which something is known of any."""
    at = () if month is None else (month,)
    known = [(page[quantity, parts.key_of(level), *at], level) for level in parts.levels]
    if month is not None and not any(number.known for number, _ in known):
        return []
    unit = page.unit.name
    heading = {"median": f"Median, {unit}", "rmst": f"{title} {at_time(month or 0)}, {unit}"}
    rows = [Row(heading.get(quantity, f"{title} at {at_time(month or 0)}, %"))]
    for number, level in known:
        cells = [str(number.n), number.cell]
        difference = (DIFFERENCES.get(quantity, ""), parts.key_of(level), *at)
        if difference in page:
            found = page[difference]
            p = page[f"p_{difference[0]}", *difference[1:]]
            cells += [found.cell, str(p)]
        else:
            cells += ["reference" if quantity in DIFFERENCES else "", ""]
        rows.append(Row(level, cells, 1))
    return rows


def ratios_table(page: Page, parts: Groups) -> Table | None:
    """The ratio of hazards of each group, and what else sets it apart from the reference."""
    strata = listed(in_sentence(page.data.label(name)) for name in parts.compare.strata)
    columns = {
        "Hazard ratio (95% CI)": "hazard_ratio_group",
        "P": "p_group",
        f"Within {strata} (95% CI)": "hazard_ratio_group_stratified",
        "P, within": "p_group_stratified",
        "Subdistribution ratio (95% CI)": "subdistribution_ratio_group",
        "P, subdistribution": "p_subdistribution_group",
    }
    there = {head: quantity for head, quantity in columns.items() if quantity in page}
    if not there:
        return None

    def cell(quantity: str) -> Callable[[str], str]:
        return lambda level: page[quantity, parts.key_of(level)].cell

    by = in_sentence(page.data.label(parts.compare.column))
    notes = [f"{ALONE} Wald intervals.", *_pairs(page, parts)]
    if parts.question.competing:
        notes.insert(
            1,
            "The hazard ratio censors the competing event; the subdistribution ratio keeps those "
            "who had it at risk, and shows how the incidence differs.",
        )
    return page.table(
        "ratios",
        f"Ratios against the reference ({by}: {parts.compare.reference}).",
        {"Group": None, **{head: cell(quantity) for head, quantity in there.items()}},
        [(level, level) for level in parts.others],
        notes,
    )


def _pairs(page: Page, parts: Groups) -> list[str]:
    """P of each two groups, with the adjustment named."""
    rows = page.numbers[page.numbers["quantity"].eq("p_logrank_holm")]
    named = []
    for _, row in rows.iterrows():
        pair = row["group"].removeprefix(f"{parts.key}=")
        one, other = next(
            (one, other)
            for one in parts.levels
            for other in parts.levels
            if pair == f"{one}:{other}"
        )
        named.append(f"{one} and {other}, P {equal_to(row['estimate'])}")
    adjusted = "Pairs of groups by the log-rank test, adjusted after Holm: "
    return [adjusted + "; ".join(named) + "."] if named else []


TOLD = {
    "unknown": "**No difference can be tested.** There are too few events, or only one group.",
    "differ": "**The curves differ by more than chance would make likely**: {tests}.",
    "not_told_apart": "**No difference between the curves is shown**: {tests}. That does not prove "
    "that they are alike.",
}
LARGE = ": the interval of a difference says how large it may be."
NAMES = {
    "gray": "Gray’s test of the incidence, P {p}",
    "logrank": "log-rank P {p}",
    "logrank_stratified": "stratified by {strata}, P {p}",
}
RIVALS = (
    "Gray’s test compares how many have {event}; the log-rank test compares its rate among those "
    "who have had neither event."
)
OF_OTHER = " Of {competing}, Gray’s test gives P {other}."


def groups_told(page: Page, parts: Groups) -> Prose:
    """Whether the groups differ, by the tests of them all together."""
    strata = listed(in_sentence(page.data.label(name)) for name in parts.compare.strata)
    said, values = [], {}
    for test, words in NAMES.items():
        if (f"p_{test}", parts.key) in page:
            number = page[f"p_{test}", parts.key]
            said.append(words.replace("{p}", f"{{{test}}}"))
            values[test] = number.saying(equal_to(number.value))
    first = next(iter(values))
    outcome = conclusions.differ(page[f"p_{first}", parts.key].value)
    left_out = page["count", f"{parts.key}="]
    unknown = "" if left_out.value == 0 else " {out} are left out because their group is not known."
    sentence = TOLD[outcome].replace("{tests}", "; ".join(said))
    if outcome == "not_told_apart" and page.numbers["quantity"].isin(DIFFERENCES.values()).any():
        sentence = sentence.removesuffix(".") + LARGE
    return page.say(sentence + unknown, strata=strata, out=page.share(f"{parts.key}="), **values)


def rivals_told(page: Page, parts: Groups) -> Prose:
    """What each test compares where events compete, and how the groups differ in the other one."""
    sentence = RIVALS
    if ("p_gray", parts.key) not in page:
        sentence = "These tests compare hazards, not the curves drawn."
    values = {"event": parts.question.event, "competing": parts.question.competing}
    if ("p_gray", other := f"{parts.causes[1]}|{parts.compare.column}") in page:
        sentence += OF_OTHER
        number = page["p_gray", other]
        values["other"] = number.saying(equal_to(number.value))
    return page.say(sentence, **values)


CHANCE = {
    "drawn": "**The groups were randomised.** So a difference between the curves is due to the "
    "treatment, within its interval. No test of the groups at baseline is shown: after "
    "randomisation, any difference there is chance {{cite}}`senn1994`.",
    "drawn_before": "**Randomisation does not protect this comparison.** The groups were "
    "randomised on the first day. This curve begins later, with those who got so far, and the "
    "group may have decided who did. A difference between its curves does not prove its cause.",
    "not_drawn": "**The groups were not randomised.** Their patients may differ in other ways, "
    "too, and a difference between the curves does not prove its cause.",
}
HAZARDS = (
    "**One ratio may not be enough.** P of proportional hazards is {p}: the ratio changes with "
    "time. Then it is a mean over the events, and a difference of restricted means says more: "
    "[Lesson 9](lesson_09_proportional_hazards.ipynb) {{cite}}`grambsch1994`."
)


def groups_mislead(page: Page, parts: Groups) -> Prose:
    """What these groups can and cannot say of a cause, and whether one ratio will do."""
    drawn = "drawn_before" if parts.question.begins_later else "drawn"
    said = [CHANCE[drawn if parts.compare.randomised else "not_drawn"]]
    values: dict[str, object] = {}
    key = ("p_proportional_group", parts.key)
    if key in page and conclusions.differ(page[key].value) == "differ":
        said.append(HAZARDS)
        values["p"] = page[key]
    return page.say(*said, **values)
