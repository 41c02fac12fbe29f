"""How a curve page shows groups side by side: its tables and sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import permutations

from ..dataset.definitions import in_sentence
from ..page.formats import at_time, begun, equal_to
from ..page.page import Number, Page
from ..page.prose import Prose, ruled
from ..page.quantities import MISSING
from ..page.tables import Row, Table
from . import conclusions
from .asked import without
from .curves import at_least, last_firm
from .groups import Groups, strata_named
from .landmarks import without_limits

RATE = "A ratio above one is a higher rate than in the reference, of those without either event."
ALONE = "A hazard ratio above one means that the event comes sooner than in the reference."


def groups_table(page: Page, parts: Groups) -> Table:
    """Of each group the median, and at each landmark survival and the restricted mean.

    Beside the estimates at a landmark stands what parts them from the reference. Where events
    compete it has the incidence of each event instead, of which no difference is given.
    """
    months = page.data.settings.months
    rows = []
    if parts.question.competing:
        events = (parts.question.event, parts.question.competing)
        for cause, event in zip(parts.causes, events, strict=True):
            for month in months:
                rows += _section(page, parts, "cumulative_incidence", f"With {event}", month, cause)
    else:
        rows += _section(page, parts, "median", "Median")
        for month in months:
            rows += _section(page, parts, "survival", "Without the event", month)
        for month in months:
            rows += _section(page, parts, "rmst", "without the event, up to", month)
    by = in_sentence(page.data.label(parts.compare.column))
    followed = "" if parts.question.competing else "; for a share, those at risk just before it"
    blank = any(cell == MISSING for row in rows for cell in row.cells[:3])
    whose = "" if parts.question.competing else " (for a difference, in it or in the reference)"
    nobody = f" {MISSING}, nobody in the group{whose} was followed so long."
    notes = [
        f"Patients: all of a group{followed}.{nobody * blank} CI, confidence interval.",
        f"Difference from the reference ({by}: {parts.compare.reference}); its interval is normal. "
        "P: at the landmark of the answer alone; a test at each would ask one question often.",
    ]
    shares = page.numbers[page.numbers["quantity"].isin(["survival", "cumulative_incidence"])]
    own = [parts.key_of(level, cause) for level in parts.levels for cause in parts.causes]
    shares = shares[shares["group"].isin(own)]
    notes[:1] += without_limits(shares[shares["months"].isin(months)])  # not at the start
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
    page: Page, parts: Groups, quantity: str, title: str, month: float | None = None, of: str = ""
) -> list[Row]:
    """A heading with a line for each group, in which something is known of any."""
    at = () if month is None else (month,)
    known = [(page[quantity, parts.key_of(level, of), *at], level) for level in parts.levels]
    if month is not None and not any(number.known for number, _ in known):
        return []
    unit = page.unit.name
    heading = {"median": f"Median, {unit}", "rmst": f"Mean {unit} {title} {at_time(month or 0)}"}
    when = f"{'by' if of else 'at'} {at_time(month or 0)}, %"
    rows = [Row(heading.get(quantity, f"{title} {when}"))]
    answer = month == landmark_of(page, parts)[0]
    for number, level in known:
        cells = [str(number.n), number.cell]
        difference = (DIFFERENCES.get(quantity, ""), parts.key_of(level), *at)
        if difference in page:
            p = page[f"p_{difference[0]}", *difference[1:]]
            cells += [page[difference].cell, str(p) * answer]
        else:
            cells += ["reference" if quantity in DIFFERENCES else "", ""]
        rows.append(Row(level, cells, 1))
    return rows


def ratios_table(page: Page, parts: Groups) -> Table | None:
    """The ratio of hazards of each group, and what else sets it apart from the reference."""
    strata = strata_named(page.data, parts.compare.strata)
    columns = {
        "Hazard ratio (95% CI)": "hazard_ratio_group",
        "P": "p_group",
        f"Within strata by {strata} (95% CI)": "hazard_ratio_group_stratified",
        "P, within": "p_group_stratified",
        "Subdistribution ratio (95% CI)": "subdistribution_ratio_group",
        "P, subdistribution": "p_subdistribution_group",
        "Reduction, % (95% CI)": "hazard_reduction_group",  # the ratio in other words
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
    pairs = {f"{parts.key}={a}:{b}": f"{a} and {b}" for a, b in permutations(parts.levels, 2)}
    p = rows.set_index("group")["estimate"]
    named = [f"{pairs[group]}, P {equal_to(value)}" for group, value in p.items()]
    adjusted = "Pairs of groups by the log-rank test, adjusted after Holm: "
    return [adjusted + "; ".join(named) + "."] if named else []


def counts_table(page: Page, several: Sequence[Groups]) -> Table:
    """How many of each group had the event of each of some endpoints, with tests of the counts."""
    first = several[0]
    by = in_sentence(page.data.label(first.compare.column))
    levels = list(dict.fromkeys(level for parts in several for level in parts.levels))
    tests = {"P": "p_count"}
    if first.compare.strata:
        within = strata_named(page.data, first.compare.strata)
        tests[f"P, within strata by {within}"] = "p_count_stratified"
    rows = []
    for parts in several:
        cells = [_had(page, parts.key_of(level)) if level in parts.levels else MISSING
                 for level in levels]  # fmt: skip
        cells += [str(page[quantity, parts.key]) for quantity in tests.values()]
        rows.append(Row(begun(parts.question.event), cells))
    notes = [
        "Counts of those who had the event while they were followed, of all in the group. They "
        "leave out how long that was: the pages of the curves compare with it.",
        "P: χ² test of the counts"
        + (", within strata Mantel–Haenszel." if len(tests) > 1 else "."),
    ]
    return page.rows_table("by-group", f"Who had the event, by {by}.",
                           ["Event", *levels, *tests], rows, notes)  # fmt: skip


def _had(page: Page, group: str) -> str:
    """How many of a group had the event, of how many; a masked count stands alone."""
    count = page["count", group]
    share = f"{count.bare} of {count.n} ({page['percent', group].bare}%)"
    return share if count.known else count.bare


def answer_by_group(page: Page, parts: Groups) -> Prose:
    """What the page of a curve finds of its groups: their shares, and whether they differ.

    Of groups that were randomised the ratio and its test come first: they are the answer. But
    where events compete, a ratio does not say how many have one, so their shares do.
    """
    compared = groups_compared(page, parts) if drawn(parts) else None
    told, shares = groups_told(page, parts), groups_found(page, parts)
    ratio_leads = drawn(parts) and not parts.question.competing
    found = [compared, told, shares] if ratio_leads else [shares, compared, told]
    if parts.compare.randomised and not drawn(parts):
        found.append(page.say(f"{UNPROTECTED} The curve begins later, with those who got so far."))
    return Prose.joined(filter(None, found), "\n\n")


UNPROTECTED = "**Randomisation does not protect this comparison.**"


def groups_in_short(page: Page, parts: Groups, limits: bool = True) -> Prose | None:
    """The same in a line or two, without the test; None where nothing of it may be shown."""
    found = [groups_found(page, parts, limits)]
    if drawn(parts):
        found.insert(bool(parts.question.competing), groups_compared(page, parts))
    elif parts.compare.randomised and found[0]:
        found.append(page.say("Not protected by randomisation."))
    return Prose.joined(there, " ") if (there := [*filter(None, found)]) else None


def groups_read(page: Page, parts: Groups) -> Prose:
    """How to read the groups: their medians, their shares at a landmark, and their ratios."""
    said, by = [], in_sentence(page.data.label(parts.compare.column))
    if not parts.question.competing:
        median = _each(page, parts, {level: page["median", parts.key_of(level)].ci
                                     for level in parts.levels})  # fmt: skip
        title = in_sentence(parts.question.title)
        words = "Median {title}, by {by}: {each}. A median is the first time at which the curve of "
        words += "a group is at one half or below."
        said.append(page.say(words, title=title, by=by, each=median))
    if found := groups_found(page, parts):
        firm = landmark_of(page, parts)[1]
        enough = "at least {least} patients, and a tenth, of" if firm else "patients of"
        why = f"This is the last landmark to which {enough} every group are followed"
        why += ": there no curve is faint." if firm else "."
        least = ruled(at_least(page.data), "the fewest patients on whom a curve stands firmly")
        said.append(page.say("{found} " + why, found=found, least=least))
    if compared := groups_compared(page, parts):
        meaning = ALONE if not parts.question.competing else RATE
        said.append(page.say("{compared} " + meaning, compared=compared))
    return Prose.joined(said, "\n\n")


def drawn(parts: Groups) -> bool:
    """Whether chance alone made the groups of a curve: it begins on the day of randomisation."""
    return parts.compare.randomised and not parts.question.begins_later


def groups_found(page: Page, parts: Groups, limits: bool = True) -> Prose | None:
    """Of each group who had the event, or is without it, at a landmark that enough are followed to.

    `Alive at 36 months, by disease: ALL, 37.8% (95% CI, 22.5–53.0); …`. None where there is none.
    """
    month, _ = landmark_of(page, parts)
    if month is None:
        return None
    shares = {level: page[share_of(parts), parts.key_of(level), month] for level in parts.levels}
    event, competing = parts.question.event, parts.question.competing
    return page.say(
        "**{what} {when} {month}, by {by}: {each}.**",
        what=begun(event if competing else without(event)),
        when="by" if competing else "at",
        month=page.setting(at_time(month), "months"),
        by=in_sentence(page.data.label(parts.compare.column)),
        each=_each(page, parts, {name: one.ci if limits else one for name, one in shares.items()}),
    )


def groups_compared(page: Page, parts: Groups) -> Prose | None:
    """The ratio of each group to the reference; None where none is known.

    Where events compete it is of the event's own hazard (Latouche et al. 2013).
    """
    keys = {level: ("hazard_ratio_group", parts.key_of(level)) for level in parts.others}
    ratios = {level: page[key] for level, key in keys.items() if key in page and page[key].known}
    if not ratios:
        return None
    one = len(ratios) == 1
    return page.say(
        "**{ratio} of {event}" + (", {level} against {reference}: {value}.**" if one else
                                  ", against {reference}: {each}.**"),
        ratio="Cause-specific hazard ratio" if parts.question.competing else "Hazard ratio",
        event=parts.question.event,
        reference=parts.compare.reference,
        level=next(iter(ratios)),
        value=_told(page, next(iter(ratios.values()))),
        each=_each(page, parts, {level: _told(page, ratio) for level, ratio in ratios.items()}),
    )  # fmt: skip


SIDES = {"below": ", a lower rate", "above": ", a higher rate", "open": ", which includes 1"}


def _told(page: Page, ratio: Number) -> Prose:
    """A ratio with its interval, and on which side of 1 that lies."""
    side = SIDES.get(conclusions.against(ratio.row, 1), "")
    return page.say("{ratio}" + side, ratio=ratio.ci)


def _each(page: Page, parts: Groups, values: Mapping[str, object]) -> Prose:
    """`ALL, 37.8%; AML low risk, 60.3%`: each group with its number."""
    said = [page.say("{level}, {value}", level=level, value=v) for level, v in values.items()]
    return Prose.joined(said, "; ")


def share_of(parts: Groups) -> str:
    """The quantity of the groups at a month."""
    return "cumulative_incidence" if parts.question.competing else "survival"


def landmark_of(page: Page, parts: Groups) -> tuple[float | None, bool]:
    """The last landmark at which no curve of a group is faint, as `last_firm`."""
    return last_firm(page, share_of(parts), *map(parts.key_of, parts.levels))


TOLD = {
    "unknown": "**No difference can be tested.** There are too few events, or only one group.",
    "differ": "**{all} differ by more than chance would make likely**: {tests}.",
    "not_told_apart": "**No difference between the curves is shown**: {tests}. That does not prove "
    "that they are alike.",
    "by_rate": "**The incidences are not shown to differ**: {incidence}. **The rates among those "
    "who have had neither event do**: {rates}.",
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
    strata = strata_named(page.data, parts.compare.strata)
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
    rates = parts.question.competing and ("p_logrank", parts.key) in page
    if rates and outcome == "not_told_apart":
        p = page["p_logrank", parts.key].value
        outcome = "by_rate" if conclusions.differ(p) == "differ" else outcome
    each = {"{tests}": said, "{incidence}": said[:1], "{rates}": said[1:]}
    sentence = TOLD[outcome]
    for place, tests in each.items():
        sentence = sentence.replace(place, "; ".join(tests))
    if outcome == "not_told_apart" and page.numbers["quantity"].isin(DIFFERENCES.values()).any():
        sentence = sentence.removesuffix(".") + LARGE
    values["all"] = "The curves" if len(parts.levels) == 2 else "At least two of the curves"
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
    "assigned group and what followed from it, or to chance; its interval says how much chance may "
    "do. No test of the groups at baseline is shown: after randomisation, any difference there is "
    "chance {{cite}}`senn1994`.",
    "drawn_before": f"{UNPROTECTED} The groups were randomised on the first day. This curve begins "
    "later, with those who got so far, and the group may have decided who did. A difference "
    "between its curves does not prove its cause.",
    "not_drawn": "**The groups were not randomised.** Their patients may differ in other ways, "
    "too, and a difference between the curves does not prove its cause.",
}
HAZARDS = (
    "**One ratio may not be enough.** P of proportional hazards is {p}: the ratio changes with "
    "time. Then it is a mean over the events, and a difference of restricted means says more: "
    "[Lesson 10](lesson_10_proportional_hazards.ipynb) {{cite}}`grambsch1994`."
)


def groups_mislead(page: Page, parts: Groups) -> Prose:
    """What these groups can and cannot say of a cause, and whether one ratio will do."""
    before = "drawn_before" if parts.compare.randomised else "not_drawn"
    said = [CHANCE["drawn" if drawn(parts) else before]]
    values: dict[str, object] = {}
    key = ("p_proportional_group", parts.key)
    if key in page and conclusions.differ(page[key].value) == "differ":
        said.append(HAZARDS)
        values["p"] = page[key]
    return page.say(*said, **values)
