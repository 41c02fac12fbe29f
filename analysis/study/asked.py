"""What an endpoint asks, in words: of whom, from when, to which event, seen since when."""

from __future__ import annotations

from ..dataset.definitions import Definition, in_sentence
from ..dataset.endpoints import Endpoint
from ..dataset.model import Dataset
from ..page.formats import listed
from ..page.page import Page
from ..page.prose import Prose

ALL = "all patients"


def question_told(page: Page, question: Endpoint) -> Prose:
    """The question of a curve page."""
    return page.say("**The question.** {asked}", asked=question_of(page.data, question))


def question_of(data: Dataset, question: Endpoint) -> str:
    """What the page of an endpoint asks, as a sentence."""
    who = whom(data, data.endpoints[question.name])
    if question.competing:
        rival = question.competing
        return f"Of {who}, how many have {question.event}, when {rival} may come first?"
    return f"Of {who}, how many are still {without(question.event)} as time passes?"


def had(event: str) -> str:
    """What came to those who had an event: `died`, `had recurrence or death`."""
    return "died" if event == "death" else f"had {event}"


def without(event: str) -> str:
    """What they are to whom an event has not come: `alive`, `without recurrence or death`."""
    return "alive" if event == "death" else f"without {event}"


def came_first(event: str) -> str:
    """What those had to whom a competing event came: `died without relapse`, `died first`."""
    if event.startswith("death without "):
        return event.replace("death", "died", 1)
    return f"{had(event)} first"


def share_named(plan: Definition) -> str:
    """What a share of its curve is, as a clause begins: survival only where death is the event."""
    return "Survival was" if plan.event == "death" else f"The share without {plan.event} was"


def starts(question: Endpoint, plan: Definition) -> str:
    """Where the clock of an endpoint starts, in words."""
    return f"the day of {question.origin}" if plan.start else question.origin


def ends(data: Dataset, plan: Definition) -> str:
    """Where follow-up without an event ends, in words."""
    return in_sentence(data.label(plan.until)) if plan.until in data.patients else "last contact"


def asked(page: Page, question: Endpoint) -> Prose:
    """The list that a curve page begins with: patients, clock, events, and who enters late."""
    data, plan = page.data, page.data.endpoints[question.name]
    lines = [
        page.say("- **Patients:** {who}", who=who_and_how_many(page, question)),
        page.say("- **Clock starts:** {start}", start=starts(question, plan)),
        page.say(
            "- **Event:** {event}. Patients without it are followed until the {until}",
            event=question.event,
            until=ends(data, plan),
        ),
    ]
    if question.competing:
        lines.append(
            page.say(
                "- **Competing event:** {event}; after it the event can no longer come first",
                event=question.competing,
            )
        )
    if (whole := ("event_rate", question.name, 0)) in page and page[whole].known:
        lines.append(
            page.say(
                "- **In all:** {events} events in {years} patient-years, {rate}",
                events=page[whole].events,
                years=page["person_years", question.name, 0],
                rate=page[whole].ci,
            )
        )
    if ("never_at_risk", question.name) in page:
        lines.append(_late(page, question, plan))
    return Prose.joined(lines)


def who_and_how_many(page: Page, question: Endpoint) -> Prose:
    """`all 259 patients`, `those with remission: 123 of 259 (47.5%)`, as far as it may be shown."""
    who, name = whom(page.data, page.data.endpoints[question.name]), question.name
    never = ("never_at_risk", name)
    if never not in page and who != ALL and ("count", name) in page:
        return page.say("{who}: {share}", who=who, share=page.share(name))
    # Those who are never at risk belong to them, and have a line of their own.
    n = page[never].n if never in page else page.first(name).n
    return page.say("all {n} patients" if who == ALL else "{who}: {n} patients", who=who, n=n)


def _late(page: Page, question: Endpoint, plan: Definition) -> Prose:
    never = page["never_at_risk", question.name]
    since = [in_sentence(page.data.label(name)) for name in (plan.entry, plan.among) if name]
    late = (
        "- **Under observation:** only after {since}. Nobody is at risk before it, because an "
        "event before it would not have been seen {{cite}}`andersen1993`"
    )
    gone = "{never} of {all} had the event or left before they could be at risk, and are left out"
    sentences = [late] if question.entry is not None else []
    if never.value != 0:
        sentences.append(gone if sentences else f"- **Not at risk:** {gone}")
    return page.say(". ".join(sentences), since=listed(since), never=never, all=never.n)


def whom(data: Dataset, plan: Definition) -> str:
    """Who is asked, in words: `all patients`, or those who had come so far."""

    def named(*columns: str) -> str:
        return listed(in_sentence(data.label(column)) for column in columns)

    parts = []
    if plan.among:
        parts.append(f"those with {named(plan.among)}")
    if plan.start:
        parts.append(f"those with {named(plan.start)}" if not parts else f"and {named(plan.start)}")
    if plan.after:
        parts.append(f"after {named(*plan.after)}")
    before = [column for column in plan.not_before if column in data.patients]
    if before:
        parts.append(f"before any {named(*before)}")
    return " ".join(parts) or ALL
