"""What `check` says of a folder: what is wrong, or what the book will show and what weakens it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from math import floor, log10
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from .. import survival as est
from ..dataset.checks import Contents, read_folder
from ..dataset.columns import EVENT_DAYS, RESERVED, is_number
from ..dataset.covariates import covariate_rows
from ..dataset.definitions import in_sentence
from ..dataset.endpoints import Endpoint, answerable, dead, endpoint
from ..dataset.model import Dataset, Factor, NoColumn, NotRecorded, dataset_of, one_by_one
from ..dataset.privacy import EMAIL, is_phone
from ..dataset.problems import Problem, one_line, quoted, squashed
from ..importing.words import NO_RESPONSE, about, plain_words
from ..page.formats import listed, rounded
from ..page.quantities import NOT_REACHED
from ..page.units import unit_of
from ..survival.curves import follow_up
from .characteristics import baseline_results, outcome_results, relapse_free_columns, text_results
from .curves import ends_early, values_at
from .groups import groups
from .models import factor_endpoints, factors_of
from .plausible import implausible

FEW_PATIENTS, FEW_EVENTS, FEW_AT_RISK = 20, 10, 10
MARKUP = re.compile(r"<\s*[a-z/!?]|javascript:|&[a-z]+;|&#", re.IGNORECASE)
FORMULA = re.compile(r"[=+@-].*[A-Za-z(|!].*", re.DOTALL)
FULL_DATE = re.compile(
    r"\d{4}([-/.])?\d\d?\1\d\d?|\d\d?([-/.])\d\d?\2(\d{4}|\d\d)|(19|20)\d\d[01]\d[0-3]\d", re.ASCII
)
NAME = re.compile(r"[^\W\d_][^\W\d_'’-]+,? +[^\W\d_][^\W\d_'’-]*\.?( +[^\W\d_][^\W\d_'’-]+)*")


Step = Callable[[Dataset], object]  # which says in a sentence what cannot be done without it


def check(
    folder: Path, private: bool = False, lessons: Mapping[str, Step] = MappingProxyType({})
) -> tuple[list[str], list[str]]:
    """The lines of the report and those of the errors; with `private` without a patient's value.

    `lessons` are the first steps of some by their names. Without errors the report ends with
    `no problem found`, else with their number.
    """
    contents = read_folder(folder)
    errors = [problem.line(private) for problem in contents.problems]
    if errors:
        return [f"{len(errors)} {'problem' if len(errors) == 1 else 'problems'}"], errors
    dataset = dataset_of(contents)
    report, pages, drawn = [*_summary(folder, dataset)], [*_lacking(dataset)], 0
    if dataset.number is not None:
        contents, drawn = _one_by_one(contents, dataset)
        dataset = dataset_of(contents)
    lost = [f"  {name}: {sentence}" for name, sentence in _lost(dataset, lessons)]
    if lost:
        report += ["These lessons keep what is invented, and have none of its patients:", *lost]
    report += pages
    warnings = [problem.line(private) for problem in warnings_of(contents, dataset)]
    if warnings:
        some = f" (of {dataset.size:,} of the patients, drawn by lot)" if drawn else ""
        report.append(f"Warnings{some}:")
        report += [f"  {line}" for line in warnings]
    return [*report, "no problem found"], []


def _one_by_one(contents: Contents, dataset: Dataset) -> tuple[Contents, int]:
    """The same with a row a patient; of very many some, and then how many there are."""
    rows, drawn_from = one_by_one(dataset.number)
    analysis = {**contents.package["analysis"]}
    number = analysis.pop("number")
    text = contents.text.iloc[rows].drop(columns=number)
    return replace(
        contents,
        package={**contents.package, "analysis": analysis},
        fields=tuple(field for field in contents.fields if field["name"] != number),
        text=text.set_axis(range(1, len(text) + 1)),
    ), drawn_from


# --- what there is ---------------------------------------------------------------------------


def _summary(folder: Path, dataset: Dataset) -> Iterator[str]:
    days = [name for name in dataset.patients if name.endswith("_day")]
    yield f"{folder}: {one_line(dataset.title, 200)}"
    yield (f"{dataset.size} patients, {len(dataset.fields)} columns, {len(days)} of them days")
    questions = answerable(dataset)
    for question in questions:
        events = question.many(question.observed == 1)
        yield f"{question.title}: {question.size} patients, {events} with {question.event}"
        if question.never:
            yield f"  {question.never} more are never at risk: gone by the time they would enter"
    for question in questions[:1]:
        median = follow_up(question.time, question.observed, number=question.number)[0]
        months = dataset.months(median)
        unit = unit_of(dataset.settings)
        known = f"{rounded(months / unit.months, unit.decimals)} {unit.name}"
        known = known if np.isfinite(months) else NOT_REACHED
        yield f"Median follow-up by reverse Kaplan–Meier: {known}"
    optional = [*EVENT_DAYS, "last_assessment_day"]
    for word, there in (("Recorded", True), ("Not recorded", False)):
        named = [name for name in optional if (name in dataset.patients) == there]
        if named:
            yield f"{word}: {', '.join(f'{_label(dataset, name)} ({name})' for name in named)}"


def _label(dataset: Dataset, name: str) -> str:
    return one_line(dataset.label(name)) if name in dataset.patients else RESERVED[name]


# The first step of each page.
PAGES: dict[str, Step] = {
    "Table 1": lambda dataset: baseline_results(dataset, dataset.compared()),
    "Table 2": outcome_results,
    "Table 3": factor_endpoints,
    "In the text": text_results,
    "Supporting Table 1": relapse_free_columns,
}


def _lacking(dataset: Dataset) -> Iterator[str]:
    """Pages that it cannot fill, but for those of columns that it never had."""
    curves = {
        plan.figure or plan.name: partial(endpoint, name=plan.name)
        for plan in dataset.endpoints.values()
    }
    lost = _lost(dataset, curves | PAGES)
    lines = [f"  {page}: {why}" for page, why in lost if not isinstance(why, NoColumn)]
    if lines:
        yield "These pages need what it has not, and are not in its book:"
        yield from lines


def _lost(dataset: Dataset, steps: Mapping[str, Step]) -> Iterator[tuple[str, NotRecorded]]:
    """The names of what the dataset cannot fill, each with what says why in a sentence."""
    for name, first_step in steps.items():
        try:
            first_step(dataset)
        except NotRecorded as sentence:
            yield name, sentence


# --- what weakens it -------------------------------------------------------------------------


def warnings_of(contents: Contents, dataset: Dataset) -> list[Problem]:
    """What keeps no book from being made, but its reader or its patients should be told of."""
    table = contents.package["resources"][0]["path"]
    return [
        *_privacy(contents, table),
        *_looks(contents, table),
        *_levels(dataset, table),
        *_numbers(dataset, table),
        *_contradictions(contents, dataset, table),
        *implausible(contents.text, dataset, table),
        *_factors(dataset),
        *_events_a_factor(dataset),
        *_the_dead(dataset),
        *_landmarks(dataset),
        *_early_ends(dataset),
    ]


def _privacy(contents: Contents, file: str) -> Iterator[Problem]:
    """What may say who a patient is. Neither rows nor values are shown."""
    what: dict[str, Callable[[str], object]] = {
        "addresses of e-mail": EMAIL.fullmatch,
        "dates": FULL_DATE.fullmatch,
        "names of people": NAME.fullmatch,
        "phone numbers": is_phone,
    }
    for entry in contents.fields:
        column = entry["name"]
        if is_number(entry):
            continue
        values = contents.text[column]
        for kind, says in what.items():
            count = sum(map(bool, map(says, values)))
            # Two words are a name in the column of patients only: elsewhere they are levels.
            if count and (kind != "names of people" or column == "patient_id"):
                expected = f"{count} of {len(values)} look like {kind}; a book needs none, so "
                expected += "use codes" if column == "patient_id" else "leave the column out"
                yield Problem(file, column=column, expected=expected)


def _looks(contents: Contents, file: str) -> Iterator[Problem]:
    """Text that is not what it seems. Pages show all text as text."""
    kinds: dict[str, Callable[[str], object]] = {
        "looks like markup; the pages show it as text": MARKUP.search,
        "looks like a formula of a spreadsheet; the pages show it as text": FORMULA.fullmatch,
        "holds invisible characters, so it may differ from what looks the same": _invisible,
    }
    for column in contents.text:
        values = contents.text[column]
        for said, test in kinds.items():
            rows = [row for row, cell in values.items() if test(cell)]
            if rows:
                more = f" (so do {len(rows) - 1} more rows)" if len(rows) > 1 else ""
                shown = f"{quoted(values[rows[0]])} {said}{more}"
                hidden = f"the cell {said}{more}"
                yield Problem(file, rows[0], column, expected=shown, hidden=hidden)


def _invisible(cell: str) -> bool:
    return not cell.isprintable()


def _levels(dataset: Dataset, file: str) -> Iterator[Problem]:
    for entry in dataset.fields:
        name = entry["name"]
        if is_number(entry) or name == "patient_id":
            continue
        seen = set(dataset.patients[name].dropna())
        listed = [str(level) for level in entry.get("constraints", {}).get("enum", [])]
        unseen = [one_line(level) for level in listed if level not in seen]
        if unseen:
            expected = f"no patient has {', '.join(unseen)}; the tables show 0"
            yield Problem(file, column=name, expected=expected)
        yield from _alike(name, seen, file)


def _alike(column: str, seen: set[str], file: str) -> Iterator[Problem]:
    """Levels that the eye takes for one and the book for two."""
    groups: dict[str, list[str]] = {}
    for level in sorted(seen):
        groups.setdefault(squashed(level), []).append(level)
    for group in groups.values():
        if len(group) > 1:
            named = " and ".join(map(quoted, group))
            said = "differ only in case, spaces or invisible signs; make them one"
            expected = f"the levels {named} {said}"
            yield Problem(
                file, column=column, expected=expected, hidden=f"{len(group)} levels {said}"
            )


def _numbers(dataset: Dataset, file: str) -> Iterator[Problem]:
    patients = dataset.patients
    if len(patients) < FEW_PATIENTS:
        expected = f"fewer than {FEW_PATIENTS} patients; every interval will be wide"
        yield Problem(file, expected=expected)
    died = patients.get("died", pd.Series(dtype=str)).eq("yes")
    if len(died) and not died.any():
        yield Problem(file, column="died", expected="nobody died; survival stays at 100%")
    if died.all() and len(died) > 1:
        expected = "everybody died; there is no follow-up without death to describe"
        yield Problem(file, column="died", expected=expected)
    for column in EVENT_DAYS:
        if column in patients and not patients[column].notna().any():
            expected = "blank in every row; if it was not recorded, leave the column out"
            yield Problem(file, column=column, expected=expected)


def _contradictions(contents: Contents, dataset: Dataset, file: str) -> Iterator[Problem]:
    """Values that the book reads over, each by a rule of its own."""
    patients = dataset.patients
    if {"relapse_day", "response_day"} <= set(patients):
        count = int((patients["relapse_day"].notna() & patients["response_day"].isna()).sum())
        if count:
            expected = f"{_rows(count)} a relapse and no response_day; no page counts that relapse"
            yield Problem(file, column="relapse_day", expected=expected)
    for column in patients.columns.difference([*RESERVED]) if "response_day" in patients else ():
        if "response" in about(column) | about(dataset.label(column)):
            none = patients[column].astype(str).map(plain_words).isin(NO_RESPONSE)
            if count := int((none & patients["response_day"].notna()).sum()):
                expected = f"{_rows(count)} a response_day although it says that there was none"
                yield Problem(file, column=column, expected=expected)
    living = ~dead(patients)
    for column in (name for name in EVENT_DAYS if name in patients):
        count = int((living & patients[column].eq(patients["last_contact_day"])).sum())
        if count > max(1, living.sum() / 4):
            expected = (
                f"{_rows(count)} it on the last contact of the living; if it is the end of "
                "follow-up without the event, leave it blank"
            )
            yield Problem(file, column=column, expected=expected)
    for plan in dataset.endpoints.values():
        if plan.among in patients and not dataset.happened(plan.among).any():
            expected = "it says yes or gives a day for nobody, so nobody is asked in "
            yield Problem(file, column=plan.among, expected=expected + one_line(plan.title))
    for entry in (*dataset.factors, *dataset.characteristics):
        among, column = entry.among, entry.column
        if not among or pd.api.types.is_numeric_dtype(patients[among]):
            continue
        met = dataset.happened(among)
        if not met.any():
            expected = f"it says yes for nobody, so {one_line(column)} has nobody to count among"
            yield Problem(file, column=among, expected=expected)
        elif count := int((patients[column].notna() & ~met).sum()):
            expected = f"{_rows(count)} a value where {one_line(among)} is not yes; it is left out"
            yield Problem(file, column=column, expected=expected)


def _rows(count: int) -> str:
    return "1 row has" if count == 1 else f"{count} rows have"


def _factors(dataset: Dataset) -> Iterator[Problem]:
    for number, factor in enumerate(dataset.factors, start=1):
        place = f"analysis.factors {number}"
        found = None
        for name in factor.endpoints:
            for question in answerable(dataset, name):
                found = _constant(dataset, question, factor)
                if found:
                    expected = (
                        f"{in_sentence(question.title)}: {found}; it has no hazard ratio there"
                    )
                    yield Problem(
                        "datapackage.json", column=factor.column, expected=expected, place=place
                    )
        yield from _unseen_sides(dataset, factor, place)
        yield from _scale(dataset, factor, place)


def _constant(dataset: Dataset, question: Endpoint, factor: Factor) -> str:
    """What is wrong with a factor that does not vary among those who are asked."""
    rows = covariate_rows(dataset, question, [factor])
    if rows.empty:
        return "no patient has a known value"
    if any(rows[column].nunique() > 1 for column in factor.columns):
        return ""
    if factor.kind == "postbaseline":
        return (
            "it comes to everybody on the first day"
            if rows[factor.column].iloc[0]
            else "it comes to nobody"
        )
    return "every patient has the same value, or is on the same side"


def _scale(dataset: Dataset, factor: Factor, place: str) -> Iterator[Problem]:
    """A number whose unit is far too small or too large for a ratio of one unit to say much."""
    if factor.kind != "baseline" or factor.numerator or factor.reference is not None:
        return
    spread = float(dataset.patients[factor.column].std())
    if not spread > 0 or 0.01 <= spread <= 1000:
        return
    power = floor(log10(spread))
    by = f"divide by 10^{power}" if power > 0 else f"multiply by 10^{-power}"
    expected = (
        f"patients differ by {spread:.2g} (standard deviation), so that a ratio for one unit says "
        f"little; {by} to read it better"
    )
    yield Problem("datapackage.json", column=factor.column, expected=expected, place=place)


def _unseen_sides(dataset: Dataset, factor: Factor, place: str) -> Iterator[Problem]:
    column = dataset.patients[factor.column]
    if not factor.numerator or pd.api.types.is_numeric_dtype(column):
        return
    for side in ("numerator", "denominator"):
        unseen = [one_line(level) for level in getattr(factor, side) if not column.eq(level).any()]
        if unseen:
            expected = f"no patient has {', '.join(unseen)}"
            yield Problem("datapackage.json", expected=expected, place=f"{place}, {side}")


def _events_a_factor(dataset: Dataset) -> Iterator[Problem]:
    for question in answerable(dataset):
        factors, events = factors_of(dataset, question), int((question.observed == 1).sum())
        ratios = sum(len(factor.columns) for factor in factors)
        if ratios and events < FEW_EVENTS * ratios:
            what = "factor" if ratios == len(factors) else "ratio"
            expected = (
                f"{in_sentence(question.title)}: {events} events for {ratios} {what}s, fewer than "
                f"{FEW_EVENTS} a {what}; a model of all of them fits chance too"
            )
            yield Problem("datapackage.json", expected=expected, place="analysis.factors")


def _the_dead(dataset: Dataset) -> Iterator[Problem]:
    """Who died before an event that is not death counts as if only gone: it may be meant so."""
    for question in answerable(dataset):
        if died := int(question.data["died"].sum()):
            expected = (
                f"{in_sentence(question.title)}: {died} died without {question.event}, and count "
                "as if they had left; where death competes, its endpoint names it: "
                '"competing": ["died"]'
            )
            yield Problem("datapackage.json", expected=expected, place="analysis.endpoints")


def _early_ends(dataset: Dataset) -> Iterator[Problem]:
    """Late entry: a curve that comes to 0 where few are in view, before the others enter."""
    compare = dataset.compared()
    for question in answerable(dataset):
        found = {"": question}
        if compare:
            parts = groups(dataset, question, compare)
            found |= {f", {level}": parts.of(level) for level in parts.levels}
        for name, one in found.items():
            if early := ends_early(one):
                expected = (
                    f"{question.title}{name}: the curve comes to 0 with {early[0]} at risk, before "
                    f"{early[1]} more enter, and stays there; begin at a later day"
                )
                yield Problem("datapackage.json", expected=expected, place="analysis.endpoints")


def _landmarks(dataset: Dataset) -> Iterator[Problem]:
    beyond: dict[str, list[str]] = {}  # the endpoints of which the same is to be said
    few = []
    for question in (question for question in answerable(dataset) if not question.competing):
        curve = est.survival_curve(question.time, question.observed)
        values = values_at(dataset, curve, dataset.settings.months)
        unknown, at_risk = values["survival"].isna(), values["at_risk"]
        carried = ~unknown & (at_risk == 0) & (not est.nobody_is_left(curve))
        for which, said in (
            (unknown, "there is no estimate"),
            (carried, "the last value is carried forward"),
        ):
            if which.any():
                when = listed(map("{:g}".format, values.index[which]))
                line = f"nobody is followed to {when} months; {said}"
                beyond.setdefault(line, []).append(in_sentence(question.title))
        low = at_risk[at_risk.between(1, FEW_AT_RISK - 1)]
        if len(low):
            at = ", ".join(f"{count} at {month:g}" for month, count in low.items())
            line = f"fewer than {FEW_AT_RISK} at risk ({at} months)"
            few.append(f"{in_sentence(question.title)}: {line}; the estimate rests on few patients")
    for line in [*(f"{', '.join(titles)}: {line}" for line, titles in beyond.items()), *few]:
        yield Problem("datapackage.json", expected=line, place="analysis.months")
