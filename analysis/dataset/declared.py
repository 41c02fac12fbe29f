"""What is wrong with the endpoints, groups, factors and models that a package declares."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from .cells import NUMBER, numbers
from .columns import RESERVED, is_day, is_number, said
from .definitions import PAPERS, definition, level_text
from .problems import Problem, nearest, one_line, quoted

PACKAGE = "datapackage.json"
RESULT_SIGNS = "|=:"  # signs that the names of groups in the results use
# A page is named after its endpoint, and no two pages have one name.
BOOK = Path(__file__).resolve().parents[2] / "book"
PAGES = {path.stem for path in BOOK.glob("*")}
PAGES |= {"search", "genindex", "404", "agreement", "printed"}  # of the site; files of results
MOST_GROUPS = 12  # more curves are not told apart
# What each of these says is the outcome itself, or whose it is.
NO_GROUP = ("patient_id", "last_contact_day", "last_assessment_day", "died")

COLUMN_KEYS = ("events", "competing", "after", "not_before", "from", "until", "entry", "among")

Entries = Sequence[tuple[int, dict]]  # with their numbers in the list, from 1


def in_package(place: str, expected: str, found: str = "", hint: str = "") -> Problem:
    """A problem at a place in datapackage.json."""
    return Problem(PACKAGE, place=place, found=found, expected=expected, hint=hint)


def with_days(fields: tuple[dict, ...], endpoints: Iterable[dict]) -> tuple[dict, ...]:
    """The fields, those marked that the endpoints take for days, and for events among them.

    The mark of a dataset whose patients enter late is `age`: its days may count from birth.
    """
    plans = list(map(definition, endpoints))
    days = {column for plan in plans for column in (*plan.days, plan.among)}
    events = {column for plan in plans for column in (*plan.events, *plan.competing)}
    clock = "age" if any(plan.entry for plan in plans) else "study"
    marked = []
    for field in fields:
        marks = {"day": clock} if field["name"] in days and is_number(field) else {}
        marks |= {"event": True} if marks and field["name"] in events else {}
        marked.append({**field, **marks})
    return tuple(marked)


def needs_died(endpoints: Entries, given: bool) -> bool:
    """Whether an endpoint asks who died."""
    return not given or any("died" in definition(entry).needed for _, entry in endpoints)


def endpoint_problems(endpoints: Entries, by_name: Mapping[str, dict]) -> Iterator[Problem]:
    """What is wrong with `analysis.endpoints`; `by_name` has the fields, or nothing if unknown."""
    names = [entry["name"] for _, entry in endpoints]
    own = [definition(entry).page for _, entry in endpoints]
    for number, entry in endpoints:
        place, plan = f"analysis.endpoints {number}", definition(entry)
        if names.count(plan.name) > 1:
            yield in_package(
                f"{place}, name", "a name that no other endpoint has", quoted(plan.name)
            )
        elif own.count(plan.page) > 1:
            yield in_package(f"{place}, figure", "a figure that no other has", quoted(plan.figure))
        if plan.name in PAGES or (plan.page in PAGES and not plan.page.startswith("figure")):
            found = quoted(plan.figure or plan.name)
            yield in_package(place, "another name: the book has a page of this name", found)
        for key in COLUMN_KEYS:
            given = entry.get(key, [])
            for column in [given] if isinstance(given, str) else given:
                yield from _column(f"{place}, {key}", key, column, by_name)
        for column in sorted(set(plan.events) & set(plan.competing)):
            yield in_package(place, "it in events or in competing", f"{quoted(column)} in both")
        yield from _nobody_at_risk(place, entry)


def _nobody_at_risk(place: str, entry: dict) -> Iterator[Problem]:
    """A day on which the clock or the follow-up starts, and with which it is over."""
    ends = [(key, entry.get(key, ())) for key in ("events", "competing")]
    for start in ("from", "entry", "among"):
        over = [*ends, ("not_before", entry.get("not_before", ()))] if start == "from" else ends
        for key, columns in over:
            if entry.get(start) in columns:
                found = f"{quoted(entry[start])} in {key} too"
                yield in_package(
                    f"{place}, {start}", "another day: nobody is at risk after it", found
                )


def _column(place: str, key: str, column: str, by_name: Mapping[str, dict]) -> Iterator[Problem]:
    """A column that an endpoint names is there, and holds days."""
    if by_name and column not in by_name:
        expected = "a column that fields describes"
        yield in_package(place, expected, quoted(column), nearest(column, by_name))
    elif column == "died" and key not in ("events", "competing"):
        yield in_package(place, "a column of days", '"died"')
    elif column in by_name and column not in ("died", "patient_id"):
        days = is_number(by_name[column]) or column in RESERVED
        if not days and key != "among":
            yield in_package(place, "a column of days, of type integer or number", quoted(column))
    elif column == "patient_id":
        yield in_package(place, "a column of days", '"patient_id"')


def group_problems(place: str, entry: Mapping, by_name: Mapping[str, dict]) -> Iterator[Problem]:
    """What is wrong with `analysis.compare`, or with the reference of a factor."""
    column = entry["column"]
    for key, name in (("column", column), *(("strata", name) for name in entry.get("strata", ()))):
        yield from _group(f"{place}, {key}", name, by_name)
        if key == "strata" and name == column:
            yield in_package(f"{place}, strata", "another column than the groups'", quoted(name))
    known = [*map(level_text, by_name.get(column, {}).get("constraints", {}).get("enum", ()))]
    reference = level_text(entry.get("reference", ""))
    if "reference" in entry and known and reference not in known:
        expected, hint = f"one of {', '.join(map(one_line, known))}", nearest(reference, known)
        yield in_package(f"{place}, reference", expected, quoted(reference), hint)


def reference_problems(
    place: str, entry: Mapping, field: Mapping, found: Collection[str]
) -> Iterator[Problem]:
    """A reference that no patient has: nothing can be set against it, declared or not.

    `found` are the levels that the patients have.
    """
    level = level_text(entry.get("reference", ""))
    if is_number(field) and NUMBER.fullmatch(level):
        level = f"{float(level):g}"
    declared = [*map(level_text, field.get("constraints", {}).get("enum", ()))]
    # What is not declared although others are is told of already.
    if found and level and level not in found and (level in declared or not declared):
        first = [*map(one_line, sorted(found)[:MOST_GROUPS]), *["…"] * (len(found) > MOST_GROUPS)]
        yield Problem(
            PACKAGE,
            place=f"{place}, reference",
            found=quoted(level),
            expected=f"a level that a patient has: {', '.join(first)}",
            hint=nearest(level, found),
            hidden=f"no patient has the level {quoted(level)}",
        )


def is_outcome(column: str, by_name: Mapping[str, dict]) -> bool:
    """Whether a column says who a patient is, or what came of it: an id, an end, or a day."""
    field = by_name.get(column, {"name": column})
    return column in NO_GROUP or column.endswith("_day") or is_day(field)


def _group(place: str, column: str, by_name: Mapping[str, dict]) -> Iterator[Problem]:
    if by_name and column not in by_name:
        expected = "a column that fields describes"
        yield in_package(place, expected, quoted(column), nearest(column, by_name))
    elif is_outcome(column, by_name):
        yield in_package(place, "a column of levels that are known on day 0", quoted(column))


def model_problems(
    models: Entries,
    known: Sequence[str] | None,
    by_name: Mapping[str, dict],
    declared: Collection[str],
) -> Iterator[Problem]:
    """What is wrong with `analysis.models`.

    `known` are the endpoints' names, None if unknown; `declared` the columns of `analysis.factors`.
    """
    titles = [(e["endpoint"], e["title"]) for _, e in models]
    for number, entry in models:
        place, name = f"analysis.models {number}", entry["endpoint"]
        if known is not None and name not in known:
            expected = f"one of the endpoints: {', '.join(known)}"
            yield in_package(f"{place}, endpoint", expected, quoted(name), nearest(name, known))
        if titles.count((name, entry["title"])) > 1:
            expected = "a title that no other model of the endpoint has"
            yield in_package(f"{place}, title", expected, quoted(entry["title"]))
        if any(sign in entry["title"] for sign in RESULT_SIGNS):
            expected = f"a title without {' '.join(RESULT_SIGNS)}"
            yield in_package(f"{place}, title", expected, quoted(entry["title"]))
        for column in entry["factors"]:
            if by_name and column not in by_name:
                expected, hint = "a column that fields describes", nearest(column, by_name)
                yield in_package(f"{place}, factors", expected, quoted(column), hint)
            elif column not in declared and is_outcome(column, by_name):
                expected = "a column that is known on day 0, or a factor of kind postbaseline"
                yield in_package(f"{place}, factors", expected, quoted(column))
        for column in entry.get("strata", ()):
            yield from _group(f"{place}, strata", column, by_name)
            if column in entry["factors"]:
                yield in_package(f"{place}, strata", "a column that is no factor", quoted(column))


def among_problems(
    place: str, column: str, field: Mapping, levels: Collection[str], measured: Collection[str]
) -> Iterator[Problem]:
    """`among` names a column that says yes or no, or gives a day.

    `levels` are what it may say and says, `measured` the columns that describe patients on day 0.
    """
    no_day = column in measured and column not in RESERVED
    told = said(field, levels) or said(field, levels, "no")
    if no_day if is_number(field) else levels and not told:
        yield in_package(f"{place}, among", "a column of yes and no, or of days", quoted(column))


def many_problems(place: str, column: str, levels: Collection[str]) -> Iterator[Problem]:
    """A column that is to make groups and has more values than there can be groups."""
    if len(levels) > MOST_GROUPS:
        found = f"{len(levels)} different values of {quoted(column)}"
        yield in_package(place, f"a column of at most {MOST_GROUPS} levels", found)


def endpoint_names(given: object) -> list[str] | None:
    """The names of a package's endpoints, as they are declared: its own, or the paper's.

    None where they are not known, since one has no name, or two have the same: what refers to them
    is then not to be judged.
    """
    entries = PAPERS if given is None else given if isinstance(given, list) else [None]
    names = [entry.get("name") if isinstance(entry, dict) else None for entry in entries]
    known = all(isinstance(name, str) for name in names) and len({*names}) == len(names)
    return names if known else None


def study_problems(study: Mapping, published: pd.DataFrame | None) -> Iterator[Problem]:
    """A work that the book does not know, and main numbers that no row of the print has.

    Without a print, None, nothing is asked of the main numbers.
    """
    works = re.findall(r"^@\w+\{([^,\s]+),", (BOOK / "references.bib").read_text("utf-8"), re.M)
    if (key := study.get("reference")) and key not in works:
        expected = "a key of book/references.bib, or no reference"
        yield in_package("study, reference", expected, quoted(key), nearest(key, works))
    if published is None:
        return
    of, months = ("page", "quantity", "group"), numbers(published["months"]).fillna(-1)
    printed = {*zip(*(published[name] for name in of), months, strict=True)}
    for number, entry in enumerate(study.get("main", ()), start=1):
        if (*(entry[name] for name in of), entry.get("months", -1)) not in printed:
            found = quoted(" ".join(map(str, entry.values())))
            yield in_package(f"study, main {number}", "a number of published.csv", found)
