"""Facts that a run has to say: their values, or None where a dataset does not have them.

Their sentences, in book/facts.yaml and book/report.jinja, name the values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pandas as pd

from ..dataset.columns import RESERVED
from ..dataset.endpoints import answerable
from ..page.formats import counted, equal_to, in_months, listed, p_value
from ..page.page import Page
from ..page.prose import Prose, declared, ruled
from ..page.quantities import MASKED
from ..page.rows import anybody, is_carried, pick
from ..study.curves import plateau_month
from ..study.models import SELECTION_LEVEL, factors_of
from ..study.sentences import beyond
from .study import CURVES, Study

Values = dict[str, Any] | None


def values(study: Study, name: str) -> Values:
    """The values of a fact of book/facts.yaml; empty where it needs none, None where it is not."""
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
    in_table = {factor.column for factor in first} <= {entry.column for entry in rows}
    titles = [question.title.lower() for question in study.endpoints.values()]
    paid = funders(study)
    models = study.pages.get("table_3")
    candidates = models is not None and models["quantity"].eq("hazard_ratio_unselected").any()

    def when(there: object, **values: object) -> Values:
        return values if there else None

    return {
        "baseline": when(rows and "table_1" in study.pages, labels=_list(e.label for e in rows)),
        "described": when(own and all(entry.get("description") for entry in own)),
        "funder": when(any(paid), names=listed(filter(None, paid))),
        "handling": when(first, straight=_list(straight) or "none"),
        "outcomes": {"titles": listed(titles)},
        "population": when(population, named=population),
        "selection": when(models is not None, level=level(), candidates=candidates),
        "spread": when(first and in_table),
        "subsets": {"labels": _list(within) or "none"},
        "treatment": when(treatment, named=treatment),
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
    months, group = study.dataset.settings.long_term_months, "seen_early|alive_at_end"
    return {
        "anybody": anybody(study.number("patients", "count", group).row),
        "early": study.share("patients", group),
        "months": declared(in_months(months), "long_term_months"),
    }


# --- what happened -----------------------------------------------------------------------------


def followup(study: Study) -> Values:
    """The median follow-up, or where everybody died the median time of all."""
    events = pick(study.pages["figure_1a"], "median_followup", "os")["events"]
    alive = bool(pd.isna(events) or events > 0)  # of a masked number somebody was
    kind = "median_followup" if alive else "median"
    return {"anybody": alive, "median": study.number("figure_1a", kind, "os").ci}


def events(study: Study, name: str) -> Values:
    """How many had the event of an endpoint that has a curve, and its median."""
    if CURVES[name] not in study.pages:
        return None
    median = study.number(CURVES[name], "median", name)
    return {"events": median.events, "n": median.n, "median": median.ci}


def landmarks(study: Study, name: str) -> Iterator[dict[str, Prose]]:
    """Survival at each landmark to which anybody was followed, with its interval."""
    rows = study.pages[CURVES[name]]
    for months in study.dataset.settings.months:
        row = pick(rows, "survival", name, months)
        if pd.notna(row["estimate"]) and not is_carried(rows, row):
            value = study.number(CURVES[name], "survival", name, months).ci
            yield {"value": value, "at": declared(in_months(months), "months")}


def last_known(study: Study, page: str, name: str, quantity: str) -> Values:
    """A share at the last landmark to which anybody was followed, or else at the curve's end."""
    last, landmark = study.last_followed(page, name)
    if last is None:
        return None
    number = study.number(page, quantity, name, last)
    return {
        "value": number.ci,
        "events": number.events,
        "last": number.saying(in_months(last)),
        "landmark": declared(in_months(last), "months") if landmark else None,
    }


def plateau(study: Study) -> Values:
    """The rate of death beyond the landmark; None where nobody was followed so long."""
    start = plateau_month(study.dataset)
    if not anybody(pick(study.pages["figure_1a"], "event_rate", "os", start)):
        return None
    rate = study.number("figure_1a", "event_rate", "os", start)
    return {"start": declared(in_months(start), "months"), "rate": rate.ci}


def later(study: Study) -> Prose:
    """The same in a sentence, with how long who was followed."""
    start = plateau_month(study.dataset)
    keys = [(quantity, "os", start) for quantity in ("event_rate", "person_years")]
    kept = Page("report", study.dataset, "")
    kept.numbers = study.rows("figure_1a", *keys)
    return beyond(kept, "os", start)


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
    for kind in ("hazard_ratio_multivariate", "hazard_ratio_unselected"):
        rows = study.estimates("table_3", kind)
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
    for question in answerable(study.dataset, "os", "rfs"):
        if "table_3" not in study.pages or not factors_of(study.dataset, question):
            continue
        kept = []
        for _, row in rows[rows["group"].str.startswith(f"{question.name}:")].iterrows():
            ratio = _ratio(study, row)
            p = study.number("table_3", "p_multivariate", row["group"])
            kept.append({**ratio, "p": p.saying(f"P {equal_to(p.value)}")})
        yield {"title": question.title.lower(), "kept": kept}


def _list(labels: Iterator[str] | list[str]) -> str:
    return "; ".join(labels)


competing = partial(last_known, page="figure_1d", name="relapse", quantity="cumulative_incidence")
NUMBERS: dict[str, Callable[[Study], Values]] = {
    "absolute": partial(last_known, page="figure_1a", name="os", quantity="survival"),
    "competing": competing,
    "deaths": partial(events, name="os"),
    "relapse_free": partial(events, name="rfs"),
    "transplanted": partial(events, name="os_after_hsct"),
    "how_many_factors": factors,
    **{
        fact.__name__: fact
        for fact in (adjusted, count, factors, filled, flow, followup, known, lost)
        + (plateau, unadjusted)
    },
}
