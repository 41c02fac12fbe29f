"""What a dataset declares of its analysis: endpoints, groups to compare, named models."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

# Those of the paper, which a dataset that declares none has where it has their columns.
PAPERS: tuple[dict, ...] = (
    {
        "name": "os",
        "figure": "Figure 1A",
        "title": "Overall survival",
        "event": "death",
        "events": ["died"],
    },
    {
        "name": "rfs",
        "figure": "Figure 1B",
        "title": "Relapse-free survival",
        "event": "relapse or death",
        "from": "response_day",
        "events": ["relapse_day", "died"],
        "until": "last_assessment_day",
    },
    {
        "name": "os_after_hsct",
        "figure": "Figure 1C",
        "title": "Overall survival after transplant in remission",
        "event": "death",
        "from": "hsct_day",
        "after": ["response_day"],
        "not_before": ["relapse_day"],
        "events": ["died"],
    },
    {
        "name": "relapse",
        "figure": "Figure 1D",
        "title": "Relapse",
        "event": "relapse",
        "from": "response_day",
        "events": ["relapse_day"],
        "competing": ["died"],
        "competing_event": "death without relapse",
        "until": "last_assessment_day",
    },
)


@dataclass(frozen=True)
class Definition:
    """An endpoint as a dataset declares it, its columns by name.

    `start` is the day on which the clock starts, day 0 where it is blank. `events` are day columns,
    and `died`, which is death on `last_contact_day`; the first of them is the event, and the first
    of `competing` the competing one. The days of `after` must have come by the start, those of
    `not_before` must not. Without an event follow-up ends at `until`. At risk only after `entry`,
    and only those in whom `among` happened.
    """

    name: str
    title: str
    events: tuple[str, ...]
    event: str = ""
    competing: tuple[str, ...] = ()
    competing_event: str = ""
    start: str = ""
    after: tuple[str, ...] = ()
    not_before: tuple[str, ...] = ()
    until: str = "last_contact_day"
    entry: str = ""
    among: str = ""
    figure: str = ""
    rivals: str = ""  # the events that compete, in words

    @property
    def kind(self) -> str:
        """What its page is about: `survival`, or `incidence` where something competes."""
        return "incidence" if self.competing else "survival"

    @property
    def heading(self) -> str:
        """The title of its page: `Figure 1D. Relapse, with death competing`."""
        rivals = f", with {self.rivals} competing" if self.competing else ""
        return (f"{self.figure}. " if self.figure else "") + self.title + rivals

    @property
    def dies(self) -> bool:
        """Whether death is an event of it; else its curve is of no survival."""
        return "died" in self.events

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns without which it cannot be told."""
        named = (self.start, *self.after, *self.events, *self.competing, self.entry, self.among)
        return tuple(dict.fromkeys(filter(None, named)))

    @property
    def days(self) -> tuple[str, ...]:
        """The columns that must be days: all but `died`, and `among`, which may be yes or no."""
        named = {*self.needed, *self.not_before, self.until} - {"died", self.among}
        return tuple(sorted(named))

    @property
    def page(self) -> str:
        """The name of its page: that of its figure in a paper, or its own."""
        return self.figure.lower().replace(" ", "_") or self.name


@dataclass(frozen=True)
class Recurrent:
    """Events that may come to a patient again: each is a row of the table `name`, on its `day`."""

    name: str
    title: str  # of several of them, as a heading
    event: str  # one of them, in words
    day: str = "day"
    kind: str = "recurrent"

    @property
    def heading(self) -> str:
        """The title of its page."""
        return f"{self.title}, each one counted"

    @property
    def page(self) -> str:
        """The name of its page."""
        return self.name


@dataclass(frozen=True)
class Compare:
    """The groups that curves and tables set side by side: the levels of `column`."""

    column: str
    reference: str = ""
    randomised: bool = False
    strata: tuple[str, ...] = ()


@dataclass(frozen=True)
class Model:
    """A Cox model that a dataset lists: all of its `factors` together, by `strata`.

    `in_advance`: it was named before anybody saw the outcomes, in a protocol.
    """

    endpoint: str
    title: str
    factors: tuple[str, ...]
    strata: tuple[str, ...] = ()
    in_advance: bool = False

    @property
    def known_as(self) -> str:
        """Where it comes from, as far as the dataset says."""
        return "named in advance" if self.in_advance else "listed in the dataset"


def definition(entry: dict) -> Definition:
    """An entry of `analysis.endpoints`."""
    given = {("start" if key == "from" else key): value for key, value in entry.items()}
    return Definition(**_plain(given))


def definitions(
    entries: Iterable[dict] | None, label: Callable[[str], str]
) -> tuple[Definition, ...]:
    """The endpoints of a dataset: those of `analysis.endpoints`, or without it the paper's.

    Where one does not name its events, the labels of their columns do.
    """

    def words(columns: Iterable[str]) -> str:
        names = ("death" if column == "died" else in_sentence(label(column)) for column in columns)
        return " or ".join(names)

    made = map(definition, PAPERS if entries is None else entries)
    return tuple(
        replace(
            plan,
            event=plan.event or words(plan.events),
            competing_event=plan.competing_event or words(plan.competing),
            rivals=words(plan.competing),
        )
        for plan in made
    )


def recurrent(entry: dict, fields: Iterable[dict]) -> Recurrent:
    """An entry of `analysis.repeated_events`; `fields` are those of its table."""
    day = entry.get("day", "day")
    label = next((field.get("title") for field in fields if field["name"] == day), None)
    event = entry.get("event") or in_sentence(label or entry["table"])
    return Recurrent(entry["table"], entry["title"], event, day)


def in_sentence(label: str) -> str:
    """A label within a sentence: Remission becomes remission, CR/CRh stays."""
    return label[0].lower() + label[1:] if label[1:2].islower() else label


def without_unit(label: str) -> str:
    """A label in a list of them: `Age, y` is Age there, for its comma would part it in two."""
    return re.sub(r", \S+$", "", label)


def compare(entry: dict | None) -> Compare | None:
    """The object `analysis.compare`, if there is one."""
    reference = {"reference": level_text(entry.get("reference", ""))} if entry else {}
    return entry and Compare(**{**_plain(entry), **reference})


def level_text(level: object) -> str:
    """A level as text: 1.0 is 1, as the cells of a number are."""
    return f"{level:g}" if isinstance(level, float) else str(level)


def model(entry: dict) -> Model:
    """An entry of `analysis.models`."""
    return Model(**_plain(entry))


def _plain(entry: dict) -> dict:
    """An entry without its comment, its lists as tuples."""
    return {
        key: tuple(value) if isinstance(value, list) else value
        for key, value in entry.items()
        if key != "$comment"
    }
