"""Paragraphs on a run, ready to paste: what was done with which data, and what came out.

Their words are in book/report.jinja.
"""

from __future__ import annotations

import html
import inspect
import platform
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

from .. import survival as est
from ..dataset.definitions import in_sentence
from ..dataset.endpoints import Endpoint
from ..dataset.model import ROOT
from ..page.formats import at_time, listed
from ..page.page import Page
from ..page.prose import Prose, addressed, declared, installed, ruled
from ..page.provenance import digest, named, own_version
from ..page.tables import Row, Table
from ..study.asked import ALL, ends, had, share_named, starts, whom, without
from ..study.curves import at_least
from ..study.groups import strata_named
from . import facts
from .study import Study
from .texts import said, template

TIES = {"efron": "Efron", "breslow": "Breslow"}
# The packages that compute, and what for. Charts are drawn by others.
PROGRAMS = {
    "numpy": "curves, incidence, Cox models",
    "pandas": "tables",
    "scipy": "P values and limits",
}


def methods(study: Study, folder: Path) -> Prose:
    """The methods of the run, in short paragraphs; `folder` is the dataset's."""
    dataset, settings = study.dataset, study.dataset.settings
    values = {
        **_patients(study),
        "population": settings.population,
        "title": dataset.title,
        "counted": str(dataset.size) in re.findall(r"\d+", dataset.title),
        "version": installed(named(dataset), "the name and version in datapackage.json"),
        "digest": installed(
            f"SHA-256 {digest(dataset, folder)[:12]}", "the digest of the patients"
        ),
        "origin": settings.time_origin,
        "days": declared(f"{settings.days_per_month:g}", "days_per_month"),
        "months": declared(at_time(*settings.months), "months"),
        "least": ruled(at_least(dataset), "the fewest patients on whom a curve stands firmly"),
        "endpoints": [_endpoint(study, name) for name in study.endpoints],
        "groups": list(_groups(study)),
        "again": facts.again(study),
        "arms": _arms(study),
        "strata": strata_named(dataset, dataset.compare.strata) if dataset.compare else "",
        "confidence": ruled(f"{est.CONFIDENCE:.0%}", "the level of every interval"),
        "kinds": {factor.kind for factor in study.factors},
        "ties": ties(),
        "level": facts.level(),
        "chosen": any(model["kept"] for model in facts.models(study)),
        "known": facts.known(study) if study.factors else None,
        "programs": [installed(f"{name} {number}", name) for name, number in programs().items()],
    }
    return said(template("report"), values, "methods")


def findings(study: Study) -> Prose:
    """The main results with their intervals, in short paragraphs."""
    values = {
        **_patients(study),
        "first": declared(at_time(study.dataset.settings.months[0]), "months"),
        "endpoints": [*_curves(study), *_incidences(study)],
        "followup": facts.followup(study),
        "again": facts.again(study),
        "models": list(facts.models(study)),
        "level": facts.level(),
        "named_models": list(facts.named_models(study)),
        "arm": (_arms(study) or {}).get("by"),
    }
    return said(template("report"), values, "results")


def _patients(study: Study) -> dict[str, Any]:
    return {**facts.count(study), "synthetic": study.dataset.settings.synthetic}


def _curves(study: Study) -> Iterator[dict[str, Any]]:
    for question in study.curves:
        values = {**facts.events(study, question.name), "had": had(question.event)}
        values["name"] = in_sentence(question.title)
        values["share"] = share_named(study.dataset.endpoints[question.name])
        values["died"] = facts.died(study, question.name)
        values["landmarks"] = list(facts.landmarks(study, question.name))
        main = question.name == study.main.name
        yield {**values, **_by_group(study, question), "later": facts.later(study) if main else ""}


def _incidences(study: Study) -> Iterator[dict[str, Any]]:
    """The incidence of each event with which another competes, where a landmark was reached."""
    for question in study.endpoints.values():
        if question.competing and study.page_of(question.name) in study.pages:
            found = facts.last_known(study, question.name)
            if found and found["landmark"]:
                yield {**found, **_by_group(study, question)}


def _by_group(study: Study, question: Endpoint) -> dict[str, Any]:
    """What is said of an endpoint's groups, and in which place: first where they were drawn."""
    found, shares = (told(study, question.name) for told in (facts.groups, facts.absolute_groups))
    first = bool(found and found["drawn"])
    chosen = bool(found and not first and study.dataset.compare.randomised)
    share = f"the incidence of {question.event}" if question.competing else "survival"
    if not question.competing and question.event != "death":
        share = f"the share {without(question.event)}"
    order = ("groups", "all") if first else ("all", "groups")
    made = {"groups": found, "shares": shares, "order": order, "chosen": chosen, "height": share}
    made["drawn"] = first  # arms together are no group that anybody treats
    return {**made, "subgroups": facts.subgroups(study, question.name)}


def _arms(study: Study) -> dict[str, Any] | None:
    """How many patients were randomised to which group; None where they were not."""
    compare, page = study.dataset.compare, study.pages.get("table_1")
    if not compare or not compare.randomised or page is None:
        return None
    column = compare.column
    groups = [(level, f"patients|{column}={level}") for level in study.dataset.levels(column)]
    there = {*page.loc[page["quantity"].eq("count"), "group"]}
    each = [
        {"level": level, "n": study.number("table_1", "count", group)}
        for level, group in groups
        if group in there
    ]
    return {"by": in_sentence(study.dataset.label(column)), "each": each}


def _groups(study: Study) -> Iterator[dict[str, Any]]:
    return filter(None, (facts.groups(study, name) for name in study.endpoints))


def _endpoint(study: Study, name: str) -> dict[str, Any]:
    """Of whom, from when and to which event an endpoint is, in words."""
    data, question, plan = study.dataset, study.endpoints[name], study.dataset.endpoints[name]
    blank = [column for column in plan.not_before if column not in data.patients]
    only = question.event == "death" and plan.events == ("died",)
    return {
        "title": question.title,
        "whom": whom(data, plan).removeprefix(ALL),
        "start": starts(question, plan),
        "event": "death of any cause" if only else question.event,
        "without": without(question.event),
        "competing": question.competing,
        "until": ends(data, plan),
        "entry": listed(in_sentence(data.label(one)) for one in (plan.entry, plan.among) if one)
        if question.entry is not None
        else "",
        "unknown": listed(in_sentence(data.label(column)) for column in blank),
    }


def ties() -> str:
    """The method for events of one day, as the code has it."""
    return TIES[inspect.signature(est.cox).parameters["ties"].default]


def programs() -> dict[str, str]:
    """Name and version of everything that computes, as it is installed here."""
    packages = {name: version(name) for name in PROGRAMS}
    return {"Plateau": own_version(), "Python": platform.python_version(), **packages}


def programs_table(page: Page, folder: Path, caption: str) -> Table:
    """What computed the numbers, from what; `folder` is the dataset's."""
    uses = {"Plateau": "this analysis", "Python": "the language", **PROGRAMS}
    rows = [Row(program, (number, uses[program])) for program, number in programs().items()]
    rows.append(Row("Dataset", (named(page.data), "its name and version")))
    rows.append(Row("Patients, SHA-256", (digest(page.data, folder), "the digest of the table")))
    return Table("made-with-table", caption, ("What", "Which", "For"), rows, words=True)


def citation() -> Prose:
    """How to cite the software, from CITATION.cff and where _config.yml says that it lives."""
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    released = cited["date-released"]
    values = {
        "authors": ", ".join(author["name"] for author in cited["authors"]),
        "title": cited["title"],
        "version": installed(f"Version {cited['version']}, {released}", "CITATION.cff"),
        "address": addressed(config["repository"]["url"]),
    }
    return said(template("report"), values, "citation")


@dataclass(frozen=True)
class ToPaste:
    """Prose as plain text in a block; the theme puts a button to copy it on every block of code."""

    label: str
    prose: Prose

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        text = str(self.prose)
        block = (
            f'<div class="to-paste" role="group" aria-label="{html.escape(self.label)}">'
            f'<div class="highlight-text notranslate"><div class="highlight"><pre tabindex="0">'
            f"{html.escape(text)}\n</pre></div></div></div>\n"
        )
        return {"text/html": block, "text/plain": text}
