"""Sentences that several pages say of a study, with their numbers from the run."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ..dataset.definitions import in_sentence
from ..dataset.endpoints import Endpoint
from ..page.formats import DAGGER, at_time, lasting, listed, rounded, with_unit
from ..page.groups import competing
from ..page.page import Page
from ..page.prose import Prose, ruled, sourced
from ..page.quantities import MISSING
from ..page.rows import anybody, at_risk, is_carried, nobody_left, own_or_only, pick
from . import conclusions
from .asked import share_named, without
from .curves import last_firm, last_known


def answer(page: Page, question: Endpoint) -> Prose | None:
    """What the page of a curve finds, in one sentence; None where nothing of it may be shown.

    `Half had died by 7.5 months (95% CI, 5.5–8.5); at 60 months 15.8% (95% CI, 11.3–21.1%) were
    alive.` What comes first in time is said first.
    """
    clauses = _incidence_found(page, question) if question.competing else _found(page, question)
    if not clauses:
        return None
    said, values = [], {}
    for place, (words, parts) in enumerate(clauses):
        said.append(words.replace("{", f"{{of_{place}_"))
        values |= {f"of_{place}_{name}": value for name, value in parts.items()}
    first, *others = said
    return page.say(f"**{'; '.join([first[0].upper() + first[1:], *others])}.**", **values)


Clause = tuple[str, dict[str, object]]


def _found(page: Page, question: Endpoint) -> list[Clause]:
    """The median, and who is without the event at the last landmark that is firm.

    Not the later median of a trial's arms together, when few are left.
    """
    name, median, found = question.name, page["median", question.name], {}
    (month, _), compare = last_firm(page, "survival", name), page.data.compare
    late = compare is not None and compare.randomised and median.value > (month or 0)
    if median.known and not late:
        died = question.event == "death"
        words = "half had died" if died else "in half of the patients {event} had come"
        parts = {"median": median.ci, "event": question.event}
        found[median.value] = f"{words} by {{median}}", parts
    if month is not None:
        parts = {"month": page.setting(at_time(month), "months"), "still": without(question.event)}
        share = page["survival", name, month].ci
        found[month] = "at {month} {share} were {still}", {**parts, "share": share}
    return [found[month] for month in sorted(found)]


def _incidence_found(page: Page, question: Endpoint) -> list[Clause]:
    """How many had each event first, by the last landmark to which enough are followed."""
    quantity, causes = "cumulative_incidence", (question.name, competing(question))
    month, _ = last_firm(page, quantity, question.name)
    if month is None:
        return []
    one, other = (page[quantity, cause, month].ci for cause in causes)
    parts = {"month": page.setting(at_time(month), "months"), "one": one, "other": other}
    words = "by {month} {event} had come first in {one}, {competing} in {other}"
    return [(words, {**parts, "event": question.event, "competing": question.competing})]


def curve_told(page: Page, question: Endpoint, whose: str = "") -> Prose:
    """What a survival curve says: median, landmarks, restricted mean, follow-up.

    `whose` it is, where the page has other curves too: ` of all patients`.
    """
    return page.say(
        "{median}",
        "{landmarks}.",
        "{rmst}",
        "{follow_up}",
        median=median_told(page, question.name, in_sentence(question.title) + whose),
        landmarks=survival_at_landmarks(page, question),
        rmst=restricted_mean(page, question.name, question.event),
        follow_up=follow_up_told(page, question.name),
    )


def median_told(page: Page, group: str, title: str) -> Prose:
    """The median of an endpoint with its interval, and what it is; also where it is not reached."""
    median = page["median", group]
    return page.say(
        "Median {title}: **{median}**. "
        + (
            "It is the first time at which the curve is at one half or below; where the curve "
            "stays at one half, the middle of that time is taken."
            if median.known
            else "The curve has not come down to one half."
        ),
        title=title,
        median=median.ci,
    )


def survival_at_landmarks(page: Page, question: Endpoint) -> Prose:
    """What a survival curve says at the landmarks, as `at_landmarks`."""
    subject = share_named(page.data.endpoints[question.name])
    return at_landmarks(page, "survival", question.name, subject)


def at_landmarks(page: Page, quantity: str, group: str, subject: str = "") -> Prose:
    """A clause of the dataset's landmark months that ends where follow-up does.

    `Survival was 44.8% at 12 months; nobody was followed to 24 or 36 months (follow-up ended at
    20.0 months)`. What is carried forward has its mark, and the clause says why; so it does where
    nobody is left without an event.
    """
    results = page.numbers
    rows = [pick(results, quantity, group, number) for number in page.data.settings.months]
    known = [row for row in rows if pd.notna(row["estimate"])]
    last = [row for row in known if at_risk(results, group, row["months"]) == 0]
    numbers = {
        f"at_{place}": sourced(f"{with_unit(row)} at {at_time(row['months'])}", row)
        for place, row in enumerate(known[: len(known) - len(last)])
    }
    carried = DAGGER if last and is_carried(results, last[0]) else ""
    if last:  # one value, that of the end
        at = at_time(*(row["months"] for row in last))
        numbers["last"] = sourced(f"{with_unit(last[0])}{carried} at {at}", last[0])
    said = " ".join(filter(None, (subject, listed(f"{{{name}}}" for name in numbers))))
    if last:
        said += f" ({carried} carried forward: {{end}})" if carried else " ({end})"
    if unknown := rows[len(known) :]:
        beyond = at_time(*(row["months"] for row in unknown), last="or")
        nobody = f"obody was followed to {{beyond}}{'' if last else ' ({end})'}"
        said = f"{said}; n{nobody}" if known else f"N{nobody}"
        numbers["beyond"] = sourced(beyond, unknown[0])
    return Prose(said, end=follow_up_end(results, group), **numbers)


def follow_up_end(results: pd.DataFrame, group: str) -> Prose:
    """Until when anyone was followed, unless that would be one patient's own time."""
    row = own_or_only(results, "followup_end", group)
    died = nobody_left(results, group)  # others may have left before
    ended = "the last one followed had an event at" if died else "follow-up ended at"
    if pd.isna(row["estimate"]):
        return Prose(ended.rpartition(" ")[0] + " before")
    return Prose(ended + " {end}", end=sourced(with_unit(row), row))


def restricted_mean(page: Page, group: str, event: str) -> Prose:
    """The mean time before an event, up to the last landmark to which anybody is followed."""
    row = last_known(page.data, page.numbers, "rmst", group)
    if row is None:
        return page.say(
            "No restricted mean is given: nobody was followed to {first}.",
            first=page.setting(at_time(page.data.settings.months[0]), "months"),
        )
    return page.say(
        "On average, patients were {free} for {rmst} of the first {last}. This restricted mean is "
        "the area under the curve up to there {{cite}}`royston2013`.",
        last=page.setting(at_time(row["months"]), "months"),
        rmst=page["rmst", group, row["months"]].ci,
        free=without(event),
    )


def follow_up_told(page: Page, group: str) -> Prose:
    """How long the patients without an event were followed, and all by reverse Kaplan–Meier."""
    seen, least, most = (page[f"followup_{part}", group] for part in ("median", "min", "max"))
    if not anybody(seen.row):
        return page.say(
            "Every patient had the event, so there is no follow-up without it to describe."
        )
    return page.say(
        "Follow-up: the patients without an event had been followed for a median of {seen}"
        + (" (range, {least} to {most})" if str(least) != str(most) else "")
        + ". By reverse Kaplan–Meier, for which an event ends a follow-up that would have gone on, "
        "the median is {reverse} {{cite}}`schemper1996`.",
        seen=seen,
        least=least,
        most=most,
        reverse=page["median_followup", group].ci,
    )


def chosen(page: Page, question: Endpoint) -> Prose:
    """What a curve cannot say that begins with a day which not everybody reaches."""
    wait = page["median_value", f"{question.name}:origin"]
    waited = (
        ", and each had to live until that day"
        + (", a median of {wait} from {origin}. " if wait.value > 0 else ". ")
        if (question.data["origin"] > 0).any()
        else ", all of them on their first day. "
    )
    return page.say(
        "**Only those with {start}.** {enter} patients enter this curve" + waited + "The curve "
        "describes life after {start}. It does not show what {start} did {{cite}}`anderson1983`. "
        "Comparing these patients with the others from {origin} on would credit {start} with the "
        "time needed to reach it: the immortal-time error {{cite}}`suissa2008`.",
        start=question.origin,
        enter=page.share(question.name),
        wait=wait.saying(lasting(wait.value)),
        origin=page.data.settings.time_origin,
    )


def early_end_told(page: Page, names: Mapping[str, str]) -> Prose | None:
    """Which curves came to 0 under late entry before others entered; None where none did.

    `names` of the groups of the results are what the curves are called.
    """
    found = {name: page["count", f"{group}:later"] for group, name in names.items()
             if ("count", f"{group}:later") in page}  # fmt: skip
    if not found:
        return None
    parts = [f"{{name_{place}}}: {{at_{place}}} at risk, {{later_{place}}} came later"
             for place in range(len(found))]  # fmt: skip
    values = {}
    for place, (name, number) in enumerate(found.items()):
        values |= {f"name_{place}": name, f"at_{place}": number.n, f"later_{place}": number}
    return page.say(
        "**A curve that came to 0 too soon.** All who were at risk had the event before others "
        "came under observation, and a curve that is at 0 stays there, whatever comes after ("
        + "; ".join(parts)
        + "). After that it does not describe those who came later, and neither does a median, a "
        "mean or a difference computed from it. Start the clock where enough patients are under "
        "observation {{cite}}`andersen1993`.",
        **values,
    )


def died_told(page: Page, question: Endpoint) -> Prose | None:
    """How many died without an event that is not death, and what it means; None where nobody."""
    key = ("count", f"{question.name}:died")
    if key not in page:
        return None
    return page.say(
        "**The dead count as if they had left.** {died} of {n} patients died without {event}, and "
        "the curve goes on as if they could still have it. So it describes a world in which "
        "nobody dies. The incidence with death competing describes what happened: "
        "[Lesson 5](lesson_05_competing_risks.ipynb) {{cite}}`putter2007`.",
        died=page[key] if page[key].known else page[key].saying("Some"),
        n=page[key].n,
        event=question.event,
    )


def forward_told(page: Page, column: str) -> Prose | None:
    """Death after an event on the way, from its day and as if known; None without the factor."""
    data, key = page.data, f"os:{column}"
    if ("hazard_ratio_univariate", key) not in page:
        return None
    right, wrong = page["hazard_ratio_univariate", key], page["hazard_ratio_fixed", key]
    among = next((f.among for f in data.factors if f.column == column), None)
    told = (
        "The hazard ratio of death is then {right}, with P {p}. Counted as if known from the start "
        "it would be {wrong}"
        + (", too." if str(right.ci) == str(wrong.ci) else ": that credits {event} with the "
           "time needed to reach it {{cite}}`suissa2008`.")
        if right.known
        else "No hazard ratio of death can then be estimated."
    )  # fmt: skip
    return page.say(
        "**{label}, counted forward in time.** Count {n} patients from {origin}"
        + (", each at risk from the day of {entry} on, " if among else ", ")
        + f"and each {{event}} from its day. {told} [Table 3](table_3.ipynb) has all such factors.",
        event=in_sentence(data.label(column)),
        n=right.n,
        origin=data.settings.time_origin,
        entry=data.label(among) if among else "",
        label=data.label(column),
        right=right.ci,
        wrong=wrong.ci,
        p=page["p_univariate", key],
    )


def beyond(page: Page, group: str, month: float) -> Prose:
    """How long patients were followed beyond a landmark, and at which rate events came."""
    rate = page["event_rate", group, month]
    after = page.setting(at_time(month), "months")
    if pd.isna(rate.row["n"]):
        return page.say(
            "Too {few} to be counted here were followed beyond {after}",
            few=rate.saying("few"),
            after=after,
        )
    if not anybody(rate.row):
        nobody = rate.saying("Nobody")
        return page.say("{nobody} was followed beyond {after}", nobody=nobody, after=after)
    return page.say(
        "{followed} patients were followed beyond {after}, for {years} patient-years in all. "
        "Events in that time: {events}, or {rate}",
        followed=rate.n,
        after=after,
        years=page["person_years", group, month],
        events=rate.events,
        rate=rate.ci,
    )


BOUNDS = {
    "unknown": "**No limits are shown:** they would give the number of these few patients away.",
    "nobody": "**So nothing is known of that time.** No patient was followed there.",
    "eventless": "**Level, but not shown to be flat.** No event was seen, but the upper limit of "
    "that rate is not below {rule}, the rate below which a curve is called flat here. At that "
    "limit {loss} of them would have the event within a year. The data are compatible with that, "
    "and with none {{cite}}`pocock2002,morris2019`.",
    "flat": "**Flat within these bounds.** Both limits of that rate are below {rule}, the rate "
    "below which a curve is called flat here. At the upper limit {loss} of them would have the "
    "event within a year, at the lower limit {least}. The data are compatible with both "
    "{{cite}}`pocock2002,morris2019`.",
    "open": "**Not shown to be flat.** The limits of that rate lie on both sides of {rule}, the "
    "rate below which a curve is called flat here. At the upper limit {loss} of them would have "
    "the event within a year, at the lower limit {least}. The data are compatible with both "
    "{{cite}}`pocock2002,morris2019`.",
    "coming": "**Events are still coming.** Up to {start} they came at {before}, after it at "
    "{after}. A curve is called a plateau here only if they then come at {rule} of the rate "
    "before, or less.",
    "falling": "**Still falling.** Both limits of that rate are above {rule}, the rate below which "
    "a curve is called flat here {{cite}}`pocock2002,morris2019`.",
}


def may_be_level(page: Page, group: str, month: float) -> bool:
    """Whether a plateau can be spoken of: not where events still come, or nobody is under it."""
    return _after(page, group, month) not in ("coming", "falling", "nobody")


def end_called(page: Page, group: str, month: float) -> str:
    """What a curve after a landmark may be called."""
    return "plateau" if may_be_level(page, group, month) else "curve"


def _after(page: Page, group: str, month: float) -> str:
    """What the events after a landmark say, by their rate alone and beside the rate before it."""
    rate = page["event_rate", group, month]
    found = conclusions.plateau(*rate.row[["n", "events", "lower", "upper"]])
    if found not in ("flat", "open"):
        return found
    on = conclusions.coming(_before(page, group, month)[0], rate.value)
    return "coming" if on == "coming" else found


def _before(page: Page, group: str, month: float) -> tuple[float, pd.DataFrame]:
    """The rate of events for each patient-year up to a landmark, and the rows that give it."""
    keys = [(kind, group, at) for kind in ("event_rate", "person_years") for at in (0, month)]
    if not all(key in page for key in keys):
        return np.nan, page.numbers[:0]
    rows = pd.DataFrame([page[key].row for key in keys])
    (all_events, late), (all_years, beyond_it) = rows["events"][:2], rows["estimate"][2:]
    lived = all_years - beyond_it
    return (all_events - late) / lived if lived > 0 else np.nan, rows


def still_coming(page: Page, group: str, month: float) -> Prose | None:
    """That events come as before, with both rates, where no plateau may be spoken of for it."""
    if _after(page, group, month) != "coming":
        return None
    before, rows = _before(page, group, month)
    return page.say(
        BOUNDS["coming"],
        start=page.setting(at_time(month), "months"),
        before=sourced(f"{rounded(100 * before, 1)} per 100 patient-years", rows),
        after=page["event_rate", group, month],
        rule=ruled(f"{conclusions.HALVED:.0%}", "the part at which events no longer go on coming"),
    )


def plateau_bounds(page: Page, group: str, month: float) -> Prose:
    """Whether a curve is flat after a landmark, and within what: the paragraph after `beyond`."""
    rate = page["event_rate", group, month]
    return still_coming(page, group, month) or page.say(
        BOUNDS[_after(page, group, month)],
        loss=rate.saying(within_a_year(rate.row["upper"])),
        least=rate.saying(within_a_year(rate.row["lower"])),
        rule=ruled(
            f"{100 * conclusions.FLAT_BELOW:g} per 100 patient-years",
            "the rate below which a curve may be called flat",
        ),
    )


def within_a_year(rate: float) -> str:
    """The share with the event within a year, in per cent, at a `rate` for each patient-year."""
    percent = -100 * np.expm1(-rate)
    if pd.isna(percent):
        return MISSING
    return "fewer than 1%" if 0 < percent < 0.5 else rounded(percent, 0) + "%"
