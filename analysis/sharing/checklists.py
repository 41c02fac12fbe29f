"""Two reporting checklists, answered from a run: where a book answers an item, and where it cannot.

The items stand in book/strobe.yaml and book/remark.yaml, numbered as in their guideline and named
in our own words. What the run has to say is a fact, which is there or not, depending on the
dataset. What no run can know is left to the authors.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ..dataset.definitions import in_sentence
from ..dataset.model import Dataset
from ..page.formats import listed
from ..page.page import Page
from ..page.prose import Prose, sourced
from ..page.rows import pick
from ..page.tables import Row, Table
from .facts import values
from .study import Study
from .texts import read, said

ANSWERED, IN_PART, TO_JUDGE, OPEN = "answered", "in_part", "to_judge", "not_answered"
# A sign for each answer, so that colour says nothing alone.
STATES = {
    ANSWERED: "● Answered",
    IN_PART: "◐ In part",
    TO_JUDGE: "◇ Yours to judge",
    OPEN: "○ Not answered",
}
MEANINGS = {
    ANSWERED: "This book says it, on the page linked in the line.",
    IN_PART: "It says some of it. The line says what is missing.",
    TO_JUDGE: "The dataset has its own text on it, which only the authors can judge.",
    OPEN: "It is not recorded in this dataset. The line says what to write.",
}


@dataclass(frozen=True)
class Item:
    """One line of a checklist; book/strobe.yaml says what its parts are."""

    section: str
    number: str
    about: str
    write: str
    facts: tuple[str, ...] = ()
    whole: bool = False
    words: str = ""
    why: str = "Not recorded in this dataset"


def items(name: str) -> list[Item]:
    """The items of `strobe` or `remark`, in their order."""
    return [Item(section, **line) for section, lines in read(name).items() for line in lines]


@dataclass(frozen=True)
class Answer:
    """What a run has to say to an item."""

    item: Item
    state: str
    text: Prose


def fact(study: Study, name: str) -> Prose | None:
    """The sentence of a fact of book/facts.yaml, or None where the run does not have it."""
    text = read("facts")[name.partition(" ")[0]]
    if "needs" in text and study.estimates(*text["needs"]).empty:
        return None
    found = values(study, name)
    return None if found is None else said(text["says"], found)


def facts_of(study: Study, item: Item) -> dict[str, Prose | None]:
    """The sentences of an item's facts by what each is called, None of one that is missing.

    A fact of `each` endpoint is one for each that is asked; one that is `optional` is not missed.
    """
    told: dict[str, Prose | None] = {}
    for name in item.facts:
        text = read("facts")[name]
        asked = {text["name"]: name}
        if text.get("each"):
            asked = {in_sentence(plan.title): f"{name} {plan.name}" for plan in study.asked}
        made = {key: fact(study, asks) for key, asks in asked.items()}
        told |= {key: prose for key, prose in made.items() if prose or not text.get("optional")}
    return told


def answer(study: Study, item: Item) -> Answer:
    """The facts of an item, what of them is not recorded, and what is the authors' to write."""
    told = facts_of(study, item)
    there = [prose for prose in told.values() if prose]
    missing = [name for name, prose in told.items() if not prose]
    if there:
        state = ANSWERED if item.whole and not missing else IN_PART
        if missing:
            there.append(Prose("Not recorded in this dataset: {missing}.", missing=listed(missing)))
        if state == IN_PART:
            there.append(Prose("The authors’ to write: {write}.", write=item.write))
        return Answer(item, state, Prose.joined(there, " "))
    if words := own_words(study.dataset, item.words):
        text = (
            "The dataset says “{{ words }}”, which no run can judge ({{ link('data') }}). See that "
            "it says {{ write }}."
        )
        return Answer(item, TO_JUDGE, said(text, {"words": words, "write": item.write}))
    text = "{why}: the authors’ to write. Say {write}."
    return Answer(item, OPEN, Prose(text, why=item.why, write=item.write))


def own_words(dataset: Dataset, key: str) -> str:
    """What datapackage.json says in words. Of invented patients it can say nothing that counts."""
    if dataset.settings.synthetic or not key:
        return ""
    if key == "description":
        return dataset.description
    titles = [entry.get("title") or entry.get("path", "") for entry in dataset.package.get(key, [])]
    return "; ".join(filter(None, titles))


@dataclass(frozen=True)
class Checklist:
    """The answers to a list, and the results of its page."""

    answers: tuple[Answer, ...]
    results: pd.DataFrame

    def summary(self) -> Prose:
        """How many items have which answer; each count leads to its row."""
        found = {state: pick(self.results, "items", state) for state in STATES}
        counts = {state: sourced(f"{row['estimate']:.0f}", row) for state, row in found.items()}
        judge = "For {to_judge} it has the dataset’s own words, which you must judge. "
        return Prose(
            "**Of {n} items, this book answers {answered}, and {in_part} in part.** "
            + judge * bool(found[TO_JUDGE]["estimate"])
            + "{not_answered} are the authors’ alone to write.",
            n=sourced(found[ANSWERED]["n"], found[ANSWERED]),
            **counts,
        )

    def key(self) -> Prose:
        """What the signs of its answers mean."""
        used = {found.state for found in self.answers}
        return Prose(*(f"{STATES[s]}\n: {MEANINGS[s]}" for s in STATES if s in used))

    def table(self, page: Page, caption: str) -> Table:
        """The list, by section, each item with its answer."""
        rows: list[Row] = []
        for found in self.answers:
            item = found.item
            if item.section not in {row.heading for row in rows if not row.cells}:
                rows.append(Row(item.section))
            rows.append(Row(item.number, (item.about, STATES[found.state], found.text)))
        columns = ("Item", "About", "Answer", "Where, or what to write")
        return page.rows_table("list", caption, columns, rows, words=True, cards=True)


def checklist(page: Page, name: str) -> Checklist:
    """Every item of `strobe` or `remark` with its answer from the other pages' results."""
    return answered(Study.of(page, first=len(STATES)), name)


def answered(study: Study, name: str) -> Checklist:
    """The same from a study, whose rows come after the counts."""
    answers = tuple(answer(study, item) for item in items(name))
    states = [found.state for found in answers]
    counts = [
        {"quantity": "items", "group": state, "estimate": states.count(state), "n": len(states)}
        for state in STATES
    ]
    return Checklist(answers, study.results(counts))
