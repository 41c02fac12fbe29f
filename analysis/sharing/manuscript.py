"""Paragraphs on a run, ready to paste: what was done with which data, and what came out."""

from __future__ import annotations

import html
import inspect
import platform
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pandas as pd
import yaml

from .. import survival as est
from ..dataset.endpoints import Endpoint, answerable, in_sentence
from ..dataset.model import ROOT, Dataset
from ..page.formats import counted, in_months, listed, month, p_value
from ..page.page import Page
from ..page.prose import Prose, addressed, declared, installed, ruled, sourced
from ..page.provenance import digest, named, own_version
from ..page.rows import is_carried, pick
from ..page.tables import Row, Table
from ..study.curves import plateau_month
from ..study.models import factors_of
from ..study.sentences import beyond
from .checklists import CURVES, Study, compared, counts_known, label_of, level, ratio, shared

TIES = {"efron": "Efron", "breslow": "Breslow"}
# The packages that compute, and what for. Charts are drawn by others.
PROGRAMS = {
    "numpy": "curves, incidence, Cox models",
    "pandas": "tables",
    "scipy": "P values and limits",
}


# --- what was done -----------------------------------------------------------------------------


def methods(study: Study, folder: Path) -> Prose:
    """The methods of the run, in short paragraphs."""
    paragraphs = (
        [*_invented(study), *_data(study, folder)],
        _endpoints(study),
        _curves(study),
        _models(study),
        [_programs()],
    )
    return _paragraphs(paragraphs)


def _paragraphs(parts: Iterable[Iterable[Prose]]) -> Prose:
    whole = [Prose.joined(sentences, " ") for part in parts if (sentences := list(part))]
    return Prose.joined(whole, "\n\n")


def _invented(study: Study) -> Iterator[Prose]:
    """First of all, where it is so."""
    if study.dataset.settings.synthetic:
        row = study.row("patients", "count", "patients")
        yield Prose(
            "These patients are invented: {n} synthetic records. They are no evidence about any "
            "treatment.",
            n=sourced(counted(row["n"]), row),
        )


def _data(study: Study, folder: Path) -> Iterator[Prose]:
    dataset, settings = study.dataset, study.dataset.settings
    row = study.row("patients", "count", "patients")
    yield Prose(
        "The analysis covers {population}, {n} in all ({title}; dataset {version}, {digest}).",
        n=sourced(counted(row["n"]), row),
        population=settings.population,
        title=dataset.title,
        version=installed(named(dataset), "the name and version in datapackage.json"),
        digest=installed(f"SHA-256 {digest(dataset, folder)[:12]}", "the digest of the patients"),
    )
    yield Prose(
        "Days count from {origin}, and a month is {days} days. Estimates are given at {months} "
        "months.",
        origin=settings.time_origin,
        days=declared(f"{settings.days_per_month:g}", "days_per_month"),
        months=declared(listed(map(month, settings.months)), "months"),
    )


ENDPOINTS = {
    "os": "Overall survival runs from {origin} to death of any cause; who was alive is censored "
    "at the last contact.",
    "rfs": "Relapse-free survival runs, in the patients with {response}, from its day to relapse "
    "or death; who had neither is censored at the last {seen}.",
    "relapse": "In the incidence of relapse, death without relapse competes.",
    "os_after_hsct": "Survival after transplant in remission runs from the day of transplant to "
    "death of any cause, in the patients transplanted on or after the day of {response}{relapse}.",
}


def _endpoints(study: Study) -> Iterator[Prose]:
    dataset = study.dataset
    assessed = "last_assessment_day" in dataset.patients
    for name, question in study.endpoints.items():
        yield Prose(
            ENDPOINTS[name],
            origin=question.origin,
            response=in_sentence(dataset.label("response_day")),
            seen="disease assessment" if assessed else "contact",
            relapse=" and before any relapse"
            if "relapse_day" in dataset.patients
            else "; relapse is not recorded",
        )


def confidence() -> Prose:
    """The level of every interval."""
    return ruled(f"{est.CONFIDENCE:.0%}", "the level of every interval")


def _curves(study: Study) -> Iterator[Prose]:
    yield Prose(
        "Survival was estimated by Kaplan–Meier, with pointwise {confidence} confidence intervals "
        "on the log(−log) scale; the limits of a median are the times at which those of the curve "
        "reach one half.",
        confidence=confidence(),
    )
    if "relapse" in study.endpoints:
        yield Prose("Cumulative incidence was estimated by Aalen–Johansen, with intervals on the "
                    "same scale and the variance of the infinitesimal jackknife.")  # fmt: skip
    yield Prose("Median follow-up is by reverse Kaplan–Meier. Rates after a landmark month are "
                "events for the years followed, with exact Poisson limits.")  # fmt: skip


def ties() -> str:
    """The method for events of one day, as the code has it."""
    return TIES[inspect.signature(est.cox).parameters["ties"].default]


def _models(study: Study) -> Iterator[Prose]:
    factors = compared(study)
    if not factors:
        yield Prose("No factors were compared.")
        return
    yield Prose(
        "Hazard ratios are from Cox models, with ties after {ties} and Wald intervals and P "
        "values. Whether a ratio stays the same was tested by a score test of its factor’s "
        "product with time.",
        ties=ties(),
    )
    if any(factor.kind == "postbaseline" for factor in factors):
        yield Prose("What came after baseline entered as a time-dependent covariate, which counts "
                    "only after its day.")  # fmt: skip
    yield Prose(
        "Candidates for a model of several factors were those with P below {level} alone. Stepwise "
        "selection entered them by the score test and removed them by the Wald test, both at "
        "{level}, in the patients known in every candidate. The intervals take no account of the "
        "selection.",
        level=level(),
    )
    yield Prose("Patients unknown in a factor were left out of its models. Nothing was imputed, "
                "and P values are not corrected for many tests.")  # fmt: skip
    if counts_known(study):
        yield Prose("Known in every baseline factor were {known}.",
                    known=shared(study, "table_1", "known_in_every_factor"))  # fmt: skip


def programs() -> dict[str, str]:
    """Name and version of everything that computes, as it is installed here."""
    packages = {name: version(name) for name in PROGRAMS}
    return {"Plateau": own_version(), "Python": platform.python_version(), **packages}


def _programs() -> Prose:
    """In the order of `programs`, the versions leading to their table."""
    parts = [installed(f"{name} {number}", name) for name, number in programs().items()]
    written = {f"program_{place}": part for place, part in enumerate(parts)}
    return Prose("Computed with " + listed(f"{{{name}}}" for name in written) + ".", **written)


# --- what came out -----------------------------------------------------------------------------


def findings(study: Study) -> Prose:
    """The main results with their intervals, in short paragraphs."""
    return _paragraphs(
        (
            _invented(study),
            *_survival(study),
            [*_relapse(study), *_follow_up(study)],
            _ratios(study),
        )
    )


HAD = {"os": "died", "rfs": "relapsed or died", "os_after_hsct": "died"}


def _survival(study: Study) -> Iterator[list[Prose]]:
    for name, page in CURVES.items():
        if name not in study.endpoints:
            continue
        row = study.row(page, "median", name)
        told = Prose(
            f"{{title}}: {{events}} of {{n}} patients {HAD[name]}. The median was {{median}}. "
            "{landmarks}.",
            title=study.endpoints[name].title,
            n=sourced(counted(row["n"]), row),
            events=sourced(counted(row["events"]), row),
            median=study.interval(page, "median", name),
            landmarks=_at_landmarks(study, page, "survival", name),
        )
        yield [told, *(_plateau(study) if name == "os" else ())]


def _at_landmarks(study: Study, page: str, quantity: str, group: str) -> Prose:
    """A clause of each landmark's estimate with its interval, as far as it is known."""
    parts, rows = {}, study.pages[page]
    for number, months in enumerate(study.dataset.settings.months):
        row = pick(rows, quantity, group, months)
        if pd.notna(row["estimate"]) and not is_carried(rows, row):
            value = study.interval(page, quantity, group, months)
            at = declared(in_months(months), "months")
            parts[f"at_{number}"] = Prose("{value} at {at}", value=value, at=at)
    if not parts:
        first = declared(in_months(study.dataset.settings.months[0]), "months")
        return Prose("Nobody was followed to {first}, the first landmark", first=first)
    return Prose("Survival was " + listed(f"{{{name}}}" for name in parts), **parts)


def _follow_up(study: Study) -> Iterator[Prose]:
    if study.followed_without_event():
        yield Prose("Median follow-up was {months}.",
                    months=study.interval("figure_1a", "median_followup", "os"))  # fmt: skip


def _relapse(study: Study) -> Iterator[Prose]:
    last = study.last_followed("figure_1d", "relapse") if "figure_1d" in study.pages else None
    if last is not None:
        yield Prose(
            "The cumulative incidence of relapse at {last} was {incidence}.",
            last=declared(in_months(last), "months"),
            incidence=study.interval("figure_1d", "cumulative_incidence", "relapse", last),
        )


def _plateau(study: Study) -> Iterator[Prose]:
    start = plateau_month(study.dataset)
    keys = [(quantity, "os", start) for quantity in ("event_rate", "person_years")]
    rows = study.rows("figure_1a", *keys)
    kept = Page("report", study.dataset, "")
    kept.numbers = rows
    yield Prose("{beyond}.", beyond=beyond(kept, "os", start))


def _ratios(study: Study) -> Iterator[Prose]:
    if "table_3" not in study.pages:
        return
    rows = study.estimates("table_3", "hazard_ratio_multivariate")
    for question in answerable(study.dataset, "os", "rfs"):
        if factors_of(study.dataset, question):
            yield _kept(study, question, rows[rows["group"].str.startswith(f"{question.name}:")])


def _kept(study: Study, question: Endpoint, rows: pd.DataFrame) -> Prose:
    """The factors of the stepwise model of an endpoint, or that there are none."""
    title = question.title.lower()
    if rows.empty:
        return Prose("The stepwise model of {title} kept no factor.", title=title)
    parts = [
        Prose(
            "{label}, hazard ratio {ratio}, {p}",
            label=label_of(study, found["group"]),
            ratio=ratio(study, found),
            p=_p(study, found["group"]),
        )
        for _, found in rows.iterrows()
    ]
    first = study.row("table_3", "hazard_ratio_multivariate", rows.iloc[0]["group"])
    return Prose(
        "The stepwise model of {title}, in {n} patients with {events} events, kept: {kept}.",
        title=title,
        n=sourced(counted(first["n"]), first),
        events=sourced(counted(first["events"]), first),
        kept=Prose.joined(parts, "; "),
    )


def _p(study: Study, key: str) -> Prose:
    row = study.row("table_3", "p_multivariate", key)
    text = p_value(row["estimate"])
    return sourced(f"P {text}" if text.startswith(("<", ">")) else f"P = {text}", row)


# --- as it stands on the page --------------------------------------------------------------------


def citation() -> Prose:
    """How to cite the software, from CITATION.cff and where _config.yml says that it lives."""
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    released = cited["date-released"]
    return Prose(
        "{authors}. {title}. {version}. {address}",
        authors=", ".join(author["name"] for author in cited["authors"]),
        title=cited["title"],
        version=installed(f"Version {cited['version']}, {released}", "CITATION.cff"),
        address=addressed(config["repository"]["url"]),
    )


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


def programs_table(dataset: Dataset, folder: Path, name: str, caption: str) -> Table:
    """What computed the numbers, from what."""
    uses = {"Plateau": "this analysis", "Python": "the language", **PROGRAMS}
    rows = [Row(program, (number, uses[program])) for program, number in programs().items()]
    rows.append(Row("Dataset", (named(dataset), "its name and version")))
    rows.append(Row("Patients, SHA-256", (digest(dataset, folder), "the digest of the table")))
    return Table(name, caption, ("What", "Which", "For"), rows, words=True)
