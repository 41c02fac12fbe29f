"""Facts that a run has to say: their values, or None where a dataset does not have them.

Their sentences, in book/facts.yaml and book/report.jinja, name the values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pandas as pd

from ..dataset.columns import RESERVED
from ..dataset.definitions import Recurrent, in_sentence
from ..dataset.endpoints import Endpoint
from ..dataset.model import Factor
from ..page.formats import at_time, counted, equal_to, listed, p_value
from ..page.page import Number, Page
from ..page.prose import Prose, declared, paged, ruled
from ..page.published import LEVEL
from ..page.quantities import MASKED
from ..page.rows import anybody, is_carried, pick
from ..study.comparison import drawn, landmark_of, share_of
from ..study.curves import fewest, plateau_month
from ..study.groups import Groups, strata_named
from ..study.groups import groups as parted
from ..study.models import SELECTION_LEVEL, factors_of, may_be_chosen
from ..study.sentences import beyond
from .study import Study

Values = dict[str, Any] | None


def values(study: Study, name: str) -> Values:
    """The values of a fact of book/facts.yaml; empty where it needs none, None where it is not.

    `events os` is a fact of one endpoint, of the main one where none is named.
    """
    name, _, of = name.partition(" ")
    if name in OF_ENDPOINTS:
        return OF_ENDPOINTS[name](study, of or study.main.name)
    return NUMBERS[name](study) if name in NUMBERS else words(study).get(name, {})


# --- what the dataset says in words --------------------------------------------------------------


def words(study: Study) -> dict[str, Values]:
    """The facts that rest on no number of the run, by name."""
    dataset, treatment = study.dataset, study.dataset.settings.treatment
    population = dataset.package["analysis"].get("population")
    own = [entry for entry in dataset.fields if entry["name"] not in RESERVED]
    rows = [entry for entry in dataset.characteristics if entry.kind == "baseline"]
    first = [factor for factor in study.factors if factor.kind == "baseline"]
    straight = [factor.label for factor in first if len(factor.numerator + factor.levels) == 0]
    within = [factor.label for factor in study.factors if factor.among]
    compare = dataset.compare
    by = compare if compare and compare.randomised else None
    arms = dataset.levels(by.column) if by else []
    columns = in_sentence(dataset.label(compare.column)) if compare else ""
    rows = [entry for entry in rows if not compare or entry.column != compare.column]
    other = {factor.column for factor in first} - {compare and compare.column}
    in_table = other <= {entry.column for entry in rows}
    asked = (*study.endpoints.values(), *dataset.recurrent.values())
    paid = funders(study)
    chosen = any(len(_candidates(study, question)) > 1 for question in study.endpoints.values())
    models = listed(dict.fromkeys(f"“{model['named']}”" for model in named_models(study)))

    def when(there: object, **values: object) -> Values:
        return values if there else None

    asks = dataset.package.get("study", {}).get("question")
    return {
        "asked": when(asks, question=asks),
        "baseline": when(
            rows and "table_1" in study.pages,
            labels=_list(entry.label for entry in rows),
            columns=columns,
        ),
        "described": when(own and all(entry.get("description") for entry in own)),
        "listed_models": when(models, models=models),
        "funder": when(any(paid), names=listed(filter(None, paid))),
        "handling": when(first, straight=_list(straight)),
        "mislead": {"page": study.link(study.main.name)},
        "outcomes": {"titles": listed(in_sentence(question.title) for question in asked)},
        "population": when(population, named=population),
        "randomised": when(by, by=by and in_sentence(dataset.label(by.column))),
        "selection": when("table_3" in study.pages, level=level(), chosen=chosen, models=models),
        "spread": when(first and in_table, columns=columns),
        "subsets": {"labels": _list(within), "tests": _interactions(study)},
        "treatment": when(treatment or by, named=treatment, arms=_list(arms)),
    }


def funders(study: Study) -> list[str]:
    """Contributors whose role says that they paid, in either form of the Data Package standard."""
    return [
        str(person.get("title", ""))
        for person in study.dataset.package.get("contributors", [])
        if "funder" in {str(person.get("role")).lower(), *map(str.lower, person.get("roles", []))}
    ]


def level() -> Prose:
    """The level of selection, as a reader sees it."""
    return ruled(p_value(SELECTION_LEVEL).removesuffix("0"), "the level of candidates, entry, exit")


# --- who there is ------------------------------------------------------------------------------


def count(study: Study) -> Values:
    return {"n": study.number("patients", "count", "patients").n}


def flow(study: Study) -> Values:
    if "response_day" not in study.dataset.patients:
        return None
    treated = "hsct_in_remission|response_day"
    transplants = treated in set(study.pages["patients"]["group"])
    return {
        "response": study.dataset.label("response_day"),
        "responded": study.share("patients", "response_day|patients"),
        "treated": study.share("patients", treated) if transplants else None,
    }


def known(study: Study) -> Values:
    """Who is known in every baseline factor, where Table 1 counts them."""
    page, group = study.pages.get("table_1"), "known_in_every_factor"
    there = page is not None and group in set(page["group"])
    return {"known": study.share("table_1", group)} if there else None


def filled(study: Study) -> Values:
    """How many patients are blank or unknown in each characteristic and factor of baseline."""
    dataset, each = study.dataset, []
    entries = [e for e in (*dataset.characteristics, *study.factors) if e.kind == "baseline"]
    for column in dict.fromkeys(entry.column for entry in entries):
        row = pick(study.pages["data"], "count", column)
        missing = row["n"] - row["estimate"]
        if missing == 0:
            continue
        few = pd.isna(missing) or missing < dataset.mask_below
        number = study.number("data", "count", column).saying(MASKED if few else counted(missing))
        each.append({"label": dataset.label(column), "n": number})
    return {"each": each} if entries else None


def lost(study: Study) -> Values:
    """Who was last seen early, of those alive when last seen."""
    months, died = study.dataset.settings.long_term_months, "died" in study.dataset.patients
    group = "seen_early|alive_at_end" if died else "seen_early|without_event"
    if group not in set(study.pages["patients"]["group"]):
        return None
    return {
        "anybody": anybody(study.number("patients", "count", group).row),
        "alive": "alive" if died else "without the event",
        "early": study.share("patients", group),
        "months": declared(at_time(months), "long_term_months"),
    }


# --- what happened -----------------------------------------------------------------------------


def followup(study: Study) -> Values:
    """The median follow-up, or where everybody had the event the median time of all."""
    if not study.curves:
        return None
    name = study.main.name
    page = study.page_of(name)
    events = pick(study.pages[page], "median_followup", name)["events"]
    left = bool(pd.isna(events) or events > 0)  # of a masked number somebody was
    median = study.number(page, "median_followup" if left else "median", name).ci
    title = in_sentence(study.main.title)
    found = {"anybody": left, "median": median, "event": study.main.event, "title": title}
    return {**found, "page": study.link(name)}


def events(study: Study, name: str) -> Values:
    """How many had the event of an endpoint, and its incidence where another competes."""
    question, page = study.endpoints.get(name), study.page_of(name)
    if question is None or page not in study.pages:
        return None
    found = {
        "title": question.title,
        "event": question.event,
        "competing": question.competing,
        "page": study.link(name),
    }
    if not question.competing:
        median = study.number(page, "median", name)
        return {**found, "events": median.events, "n": median.n, "median": median.ci}
    last = last_known(study, name)
    return last and {**found, **last}


def again(study: Study) -> Values:
    """The events that come again: how many there were, and the ratios of their rates."""
    each = [_again(study, plan) for plan in study.dataset.recurrent.values()
            if not study.estimates(plan.page, "count").empty]  # fmt: skip
    return {"each": each} if each else None


def _again(study: Study, plan: Recurrent) -> dict[str, Any]:
    compare, page = study.dataset.compared(), plan.page
    key = f"{plan.name}|{compare.column}=" if compare else ""
    counts, rates = study.estimates(page, "count"), study.estimates(page, "rate_ratio")
    levels = [group for group in counts["group"] if key and group.startswith(key) and group != key]
    each = [{"level": g.removeprefix(key), "n": study.number(page, "count", g)} for g in levels]
    ratios = [{"level": g.removeprefix(key), "value": study.number(page, "rate_ratio", g).ci,
               "p": _p(study, page, "p_rate_ratio", g)} for g in rates["group"]]  # fmt: skip
    return {
        "event": plan.event,
        "title": in_sentence(plan.title),
        "page": paged(plan.title, page),
        "total": study.number(page, "count", plan.name),
        "counts": each,
        "reference": compare.reference if compare else "",
        "ratios": ratios,
    }


def died(study: Study, name: str) -> Values:
    """How many died without an event that is not death; None where nobody did."""
    if f"{name}:died" not in {*study.estimates(study.page_of(name), "count")["group"]}:
        return None
    return {"n": study.number(study.page_of(name), "count", f"{name}:died")}


def landmarks(study: Study, name: str) -> Iterator[dict[str, Prose]]:
    """Survival at each landmark to which anybody was followed, with how many are `left` if few."""
    page = study.page_of(name)
    rows, counts = study.pages[page], study.followed(page, name)
    for months in study.dataset.settings.months:
        row = pick(rows, "survival", name, months)
        if pd.notna(row["estimate"]) and not is_carried(rows, row):
            value = study.number(page, "survival", name, months).ci
            few = counts[months] < fewest(study.dataset, counts.max())
            left = study.number(page, "at_risk", name, months) if few else ""
            yield {"value": value, "at": declared(at_time(months), "months"), "left": left}


def last_known(study: Study, name: str) -> Values:
    """A share at the last landmark that rests on enough, or else as far as anybody is followed."""
    question, page = study.endpoints[name], study.page_of(name)
    last, landmark = study.last_followed(page, name)
    if last is None:
        return None
    quantity = "cumulative_incidence" if question.competing else "survival"
    number = study.number(page, quantity, name, last)
    return {
        "title": question.title,
        "event": question.event,
        "competing": question.competing,
        "page": study.link(name),
        "value": number.ci,
        "events": number.events,
        "last": number.saying(at_time(last)),
        "landmark": declared(at_time(last), "months") if landmark else None,
    }


def plateau(study: Study) -> Values:
    """The rate of the main event beyond the landmark; None where nobody was followed so long."""
    start, name = plateau_month(study.dataset), study.main.name
    page = study.page_of(name)
    if page not in study.pages or not anybody(pick(study.pages[page], "event_rate", name, start)):
        return None
    rate = study.number(page, "event_rate", name, start)
    event = study.main.event
    what = "Deaths" if event == "death" else event[:1].upper() + event[1:]
    at = declared(at_time(start), "months")
    return {"what": what, "start": at, "rate": rate.ci, "page": study.link(name)}


def later(study: Study) -> Prose:
    """The same in a sentence, with how long who was followed."""
    start, name = plateau_month(study.dataset), study.main.name
    keys = [(quantity, name, start) for quantity in ("event_rate", "person_years")]
    kept = Page("report", study.dataset, "")
    kept.numbers = study.rows(study.page_of(name), *keys)
    return beyond(kept, name, start)


# --- groups --------------------------------------------------------------------------------------


def groups(study: Study, name: str) -> Values:
    """How the groups of an endpoint differ, by the test of all and against the reference."""
    compare, question = study.dataset.compared(), study.endpoints.get(name)
    if not compare or question is None:
        return None
    page, key = study.page_of(name), f"{name}|{compare.column}"
    ratios = study.estimates(page, "hazard_ratio_group")
    own = ratios[ratios["group"].str.startswith(f"{key}=")]["group"]
    if not own.size:
        return None
    parts, month = _parts(study, question)
    each = [_contrast(study, page, key, group, month) for group in own]
    return {
        "title": question.title,
        "by": in_sentence(study.dataset.label(compare.column)),
        "reference": compare.reference,
        **{test: _p(study, page, f"p_{test}", key) for test in ("logrank", "gray")},
        "ratio": "cause-specific hazard ratio" if question.competing else "hazard ratio",
        "page": study.link(name),
        "drawn": drawn(parts),
        "each": each,
        "differences": [one for one in each if one["difference"]],
    }


def absolute_groups(study: Study, name: str) -> Values:
    """The share of each group at the last landmark to which enough of all groups are followed."""
    compare, question = study.dataset.compared(), study.endpoints.get(name)
    if not compare or question is None or study.page_of(name) not in study.pages:
        return None
    shown = study.pages[study.page_of(name)]["group"]
    if not shown.str.startswith(f"{name}|{compare.column}=").any():  # but by another column
        return None
    parts, month = _parts(study, question)
    if month is None:
        return None
    page, of = study.page_of(name), share_of(parts)
    return {
        "title": question.title,
        "event": question.event,
        "competing": question.competing,
        "by": in_sentence(study.dataset.label(compare.column)),
        "at": declared(at_time(month), "months"),
        "page": study.link(name),
        "each": [
            {"level": level, "value": study.number(page, of, parts.key_of(level), month).ci}
            for level in parts.levels
        ],
    }


def _parts(study: Study, question: Endpoint) -> tuple[Groups, float | None]:
    """The groups of an endpoint, and the landmark at which its page tells of them."""
    parts = parted(study.dataset, question, study.dataset.compared())
    page = Page("report", study.dataset, "")
    page.numbers = study.pages[study.page_of(question.name)]
    return parts, landmark_of(page, parts)[0]


def _contrast(study: Study, page: str, key: str, group: str, month: float | None) -> dict[str, Any]:
    """A group against the reference: its ratio, and the difference in survival at a landmark."""
    rows = study.estimates(page, "survival_difference")
    there = month in [*rows[rows["group"].eq(group)]["months"]]
    level, number = group.removeprefix(f"{key}="), study.number(page, "hazard_ratio_group", group)
    found = study.number(page, "survival_difference", group, month).ci if there else None
    return {"level": level, "ratio": number.ci, "difference": found}


def _p(study: Study, page: str, quantity: str, group: str) -> Number | None:
    if group not in {*study.estimates(page, quantity)["group"]}:
        return None
    number = study.number(page, quantity, group)
    return number.saying(f"P {equal_to(number.value)}")


# --- factors -----------------------------------------------------------------------------------


def factors(study: Study) -> Values:
    if not study.factors:
        return None
    labels = _list(factor.label for factor in study.factors)
    return {"n": study.declared("factors", len(study.factors)), "labels": labels}


def unadjusted(study: Study) -> Values:
    """The first factor with an estimate stands for all."""
    rows = study.estimates("table_3", "hazard_ratio_univariate")
    return _ratio(study, rows.iloc[0]) if len(rows) else None


def adjusted(study: Study) -> Values:
    """A model of one factor adjusts for nothing, so one of several is looked for."""
    for kind in ("model", "multivariate", "unselected"):
        rows = study.estimates("table_3", f"hazard_ratio_{kind}")
        for _, model in rows.groupby(rows["group"].str.split(":").str[0], sort=False):
            if len(model) > 1:
                return _ratio(study, model.iloc[0])
    return None


def _ratio(study: Study, row: pd.Series) -> dict[str, Any]:
    number = study.number("table_3", row["quantity"], row["group"])
    return {"label": study.label(row["group"]), "ratio": number.ci, "number": number}


def models(study: Study) -> Iterator[dict[str, Any]]:
    """The stepwise model of each endpoint that has factors, and what it kept."""
    rows = study.estimates("table_3", "hazard_ratio_multivariate")
    for question in study.endpoints.values():
        if "table_3" not in study.pages or not factors_of(study.dataset, question):
            continue
        own = rows[rows["group"].str.startswith(f"{question.name}:")]
        kept = [_with_p(study, row, "p_multivariate") for _, row in own.iterrows()]
        among = {"kept": kept, "candidates": [f.label for f in _candidates(study, question)]}
        yield {"title": in_sentence(question.title), **among}


def _candidates(study: Study, question: Endpoint) -> list[Factor]:
    """The factors between which selection chose, by what Table 3 recorded."""
    small = {*study.estimates("table_3", "associated").query("estimate == 1")["group"]}
    asked = [f for f in factors_of(study.dataset, question) if may_be_chosen(study.dataset, f)]
    return [factor for factor in asked if f"{question.name}:{factor.column}" in small]


def named_models(study: Study) -> Iterator[dict[str, Any]]:
    """Each model that the dataset lists, with all of its factors."""
    rows = study.estimates("table_3", "hazard_ratio_model")
    rows = rows[~rows["group"].str.contains("@")]  # of a factor that bends, a curve says more
    bent = {factor.column: factor.label for factor in study.factors if factor.form == "spline"}
    for model in study.dataset.models:
        own = rows[rows["group"].str.startswith(f"{model.endpoint}|{model.title}:")]
        if len(own):
            yield {
                "named": model.title,
                "known_as": model.known_as,
                "title": in_sentence(study.endpoints[model.endpoint].title),
                "strata": strata_named(study.dataset, model.strata),
                "kept": [_with_p(study, row, "p_model") for _, row in own.iterrows()],
                "bent": listed(label for name, label in bent.items() if name in model.factors),
            }


def _with_p(study: Study, row: pd.Series, quantity: str) -> dict[str, Any]:
    return {**_ratio(study, row), "p": _p(study, "table_3", quantity, row["group"])}


def _interactions(study: Study) -> Prose | None:
    """How many tests of interaction the page of each curve has; None where none has any."""
    told = []
    for name, question in study.endpoints.items():
        tests = len(study.estimates(study.page_of(question.name), "interaction_p"))
        if tests:
            values = {"page": study.link(name), "tests": study.declared(f"tests|{name}", tests)}
            told.append(Prose("{tests} on {page}", **values))
    return Prose.joined(told, " and ") if told else None


def subgroups(study: Study, name: str) -> Values:
    """How many tests of interaction an endpoint's page has, and how many of them were small."""
    found = study.estimates(study.page_of(name), "interaction_p")
    if found.empty:
        return None
    small = study.declared(f"small|{name}", int((found["estimate"] < LEVEL).sum()))
    tests = study.declared(f"tests|{name}", len(found))
    return {"tests": tests, "small": small, "level": ruled(f"{LEVEL:g}"[1:], "the level of a test")}


def _list(labels: Iterator[str] | list[str]) -> str:
    return "; ".join(labels)


NUMBERS: dict[str, Callable[[Study], Values]] = {
    "how_many_factors": factors,
    **{
        fact.__name__: fact
        for fact in (adjusted, again, count, factors, filled, flow, followup, known, lost)
        + (plateau, unadjusted)
    },
}
OF_ENDPOINTS: dict[str, Callable[[Study, str], Values]] = {
    "absolute": last_known,
    "absolute_groups": absolute_groups,
    "events": events,
    "groups": groups,
}
