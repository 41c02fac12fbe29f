"""What Table 3 records: hazard ratios of each factor, alone and together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

import numpy as np
import pandas as pd

from .. import survival as est
from ..dataset.covariates import covariate_rows, entry_days, never_at_risk, rows_as_if_known
from ..dataset.definitions import Definition
from ..dataset.endpoints import Endpoint, answerable, main_endpoint
from ..dataset.model import Dataset, Factor, NotRecorded
from ..page.rows import frame

SELECTION_LEVEL = 0.05  # the paper's level for candidates, entry and removal


def factor_results(dataset: Dataset, question: Endpoint) -> pd.DataFrame:
    """Hazard ratios of one endpoint: each factor alone, the candidates, stepwise, and over time.

    `univariate` fits each factor by itself. `unselected` holds all candidates, the factors whose
    univariate Wald P is below .05 and which `may_be_chosen`, in the patients complete in all of
    those, and `multivariate` what stepwise selection keeps of them; fewer than two leave nothing
    to choose. `postbaseline` fits the postbaseline factors that can come to every patient of the
    endpoint together: transplant, say, follows response. `fixed` counts a postbaseline factor as if
    known from the start, which is wrong. `never_at_risk` counts those of a factor's `among`, where
    it is a day, whose time ends on or before it.
    `p_proportional_*` tests that a model's ratios stay the same over time; under the endpoint's
    name, all at once. `early` and `late` are a factor's ratios before and after `split` months.
    An estimate is missing where a factor separates the events or does not vary. A factor of levels
    has a ratio for each, and is a candidate, enters and goes as a whole, by joint tests. Where
    something competes, all of it is of the event's own hazard.
    Two statements for every factor say 1 for yes and 0 for no: `associated`, its univariate P is
    below .05, and `kept`, the stepwise model holds it. Both are missing without an estimate.
    """
    factors = factors_of(dataset, question)
    rows = []
    for factor in factors:
        alone = event_rows(dataset, question, [factor])
        fit = est.cox(alone, [*chain(*terms_of([factor], alone).values())])
        rows += model_rows(question, "univariate", [factor], alone, fit)
        rows += _proportional(question, "univariate", [factor], alone, fit)[:1]
        rows += _early_and_late(dataset, question, factor, alone)
        rows += _entering(dataset, question, factor)
    later = _postbaseline(dataset, question)
    rows += [row for factor in later for row in _fixed(dataset, question, factor)]
    tested = {row["group"]: row["estimate"] for row in rows if row["quantity"] == "p_univariate"}
    p = {key: tested[key] for key in factor_labels(dataset, question)}
    small = [f for f in factors if p[_key(question, f)] < SELECTION_LEVEL]
    candidates = [f for f in small if may_be_chosen(dataset, f)]
    chosen: list[Factor] = []
    if len(candidates) > 1:
        complete = event_rows(dataset, question, candidates)
        models = est.CoxModels(complete, terms_of(candidates, complete))
        together = models.model([factor.column for factor in candidates])
        rows += model_rows(question, "unselected", candidates, complete, together)
        kept = models.stepwise(SELECTION_LEVEL)
        chosen = [f for f in candidates if f.column in kept]
        if chosen:
            fit = models.model([factor.column for factor in chosen])
            rows += model_rows(question, "multivariate", chosen, complete, fit)
            rows += _proportional(question, "multivariate", chosen, complete, fit)
    everybody = [factor for factor in later if _of_all(dataset, question, factor)]
    if len(everybody) > 1:
        together = event_rows(dataset, question, everybody)
        rows += model_rows(question, "postbaseline", everybody, together)
    rows += _statements({key: p[key] < SELECTION_LEVEL for key in p}, "associated", p)
    rows += _statements({_key(question, f): f in chosen for f in factors}, "kept", p)
    return frame(rows)


def may_be_chosen(dataset: Dataset, factor: Factor) -> bool:
    """Whether a factor may be a candidate: in a trial none that came after randomisation.

    The treatment may have brought it about. Beside it, the ratio of the arms is no longer that of
    the groups that were randomised (Rosenbaum 1984).
    """
    drawn = dataset.compare is not None and dataset.compare.randomised
    return not (drawn and factor.kind == "postbaseline")


def forward_results(dataset: Dataset, plan: Definition | None = None) -> pd.DataFrame:
    """Death after what comes after baseline: from its day (`univariate`), as if known (`fixed`).

    Of all such factors, or of the one with which the clock of a `plan` starts, if the two ask the
    same of those who have it; no rows where the dataset names none.
    """
    questions = answerable(dataset, "os")
    if not questions:
        return frame([])
    question, rows = questions[0], []
    for factor in _postbaseline(dataset, question):
        if plan is None or _starts(plan, factor):
            alone = event_rows(dataset, question, [factor])
            rows += model_rows(question, "univariate", [factor], alone)
            rows += _fixed(dataset, question, factor)
    return frame(rows)


def _starts(plan: Definition, factor: Factor) -> bool:
    asked = {factor.among} - {None}, {factor.before} - {None}
    return factor.column == plan.start and asked == ({*plan.after}, {*plan.not_before})


def _postbaseline(dataset: Dataset, question: Endpoint) -> list[Factor]:
    return [f for f in factors_of(dataset, question) if f.kind == "postbaseline"]


def _fixed(dataset: Dataset, question: Endpoint, factor: Factor) -> list[dict]:
    as_known = of_the_event(rows_as_if_known(dataset, question, factor))
    return model_rows(question, "fixed", [factor], as_known)


def event_rows(dataset: Dataset, question: Endpoint, factors: Sequence[Factor]) -> pd.DataFrame:
    """The `covariate_rows` of a model of the event itself."""
    return of_the_event(covariate_rows(dataset, question, factors))


def of_the_event(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows in which what competes with the event ends the time at risk, as leaving does."""
    return rows.assign(event=rows["event"].eq(1).astype(int))


def terms_of(factors: Sequence[Factor], rows: pd.DataFrame) -> dict[str, list[str]]:
    """The columns of each factor, without those of levels that nobody has."""
    terms = {}
    for factor in factors:
        seen = [column for column in factor.columns if rows[column].any()]
        terms[factor.column] = seen if len(factor.columns) > 1 and seen else list(factor.columns)
    return terms


def _proportional(
    question: Endpoint, kind: str, factors: Sequence[Factor], rows: pd.DataFrame, fit: est.CoxFit
) -> list[dict]:
    return proportional_rows(question.name, kind, terms_of(factors, rows), rows, fit)


def proportional_rows(
    name: str, kind: str, terms: Mapping[str, list[str]], rows: pd.DataFrame, fit: est.CoxFit
) -> list[dict]:
    """P of each term of a model `fit`, then of all together, under `name` in the results."""
    tested = est.proportional_hazards_test(rows, [*chain(*terms.values())], terms, fit)["p"]
    keys = [*(f"{name}:{column}" for column in terms), name]
    common = dict(zip(("n", "events"), est.counted(rows), strict=True))
    return [
        {"quantity": f"p_proportional_{kind}", "group": key, "estimate": value, **common}
        for key, value in zip(keys, tested[[*terms, "global"]], strict=True)
    ]


def _early_and_late(
    dataset: Dataset, question: Endpoint, factor: Factor, rows: pd.DataFrame
) -> list[dict]:
    columns = terms_of([factor], rows)[factor.column]
    split, fits = est.early_and_late(rows, *columns)
    group = {"group": _key(question, factor)}
    seen = dict(zip(("n", "events"), est.counted(rows), strict=True))
    made = [{"quantity": "split", "estimate": dataset.months(split), **group, **seen}]
    for side, fit in fits.items():
        seen = {"n": fit.n, "events": fit.events}
        lines = fit.summary().reindex(factor.columns)
        for column, line in lines.iterrows():
            group = {"group": f"{question.name}:{column}"}
            made.append({"quantity": f"hazard_ratio_{side}", **ratio_of(line), **group, **seen})
    return made


def split_rows(
    dataset: Dataset, question: Endpoint, factor: Factor, rows: pd.DataFrame
) -> list[dict]:
    """One ratio of a factor for all times, and two, with P of each and of how they differ.

    `early` and `late` are before and after `split` months, `change` is the late one divided by the
    early one. The likelihood is a product of both stretches', so the two are independent.
    """
    found, column = model_rows(question, "univariate", [factor], rows), factor.column
    split, fits = est.early_and_late(rows, column)
    seen = dict(zip(("n", "events"), est.counted(rows), strict=True))
    whole = {"group": _key(question, factor), **seen}
    found.append({"quantity": "split", "estimate": dataset.months(split), **whole})
    for half, stretch in zip(fits, est.stretches(rows, split), strict=True):
        found += model_rows(question, half, [factor], stretch)
    early, late = (tuple(fit.estimates.loc[column, ["beta", "se"]]) for fit in fits.values())
    change = est.difference(late, early)
    times = np.exp(pd.Series(vars(change))[["estimate", "lower", "upper"]])
    found.append({"quantity": "hazard_ratio_change", **times, **whole})
    return [*found, {"quantity": "p_change", "estimate": change.p, **whole}]


def _entering(dataset: Dataset, question: Endpoint, factor: Factor) -> Iterator[dict]:
    """Who never comes to be at risk, where a factor's patients enter on a day."""
    if factor.among and dataset.is_day(factor.among):
        never = never_at_risk(dataset, question, factor)
        asked = question.many(entry_days(dataset, question, [factor]).notna())
        group = {"group": _key(question, factor)}
        yield {"quantity": "never_at_risk", "estimate": never, "n": asked, **group}


def _statements(true: Mapping[str, bool], quantity: str, p: Mapping[str, float]) -> Iterator[dict]:
    for key, value in true.items():
        estimate = np.nan if pd.isna(p[key]) else float(value)
        yield {"quantity": quantity, "group": key, "estimate": estimate}


def _of_all(dataset: Dataset, question: Endpoint, factor: Factor) -> bool:
    """Whether every patient of the endpoint is in the factor's model from the start."""
    return bool((entry_days(dataset, question, [factor]) == -np.inf).all())


def factors_of(dataset: Dataset, question: Endpoint) -> list[Factor]:
    """The dataset's factors for an endpoint, in its order."""
    return [factor for factor in dataset.factors if question.name in factor.endpoints]


def factor_labels(dataset: Dataset, question: Endpoint) -> dict[str, str]:
    """The labels of an endpoint's factors by their group in the results, in the dataset's order."""
    return {_key(question, factor): factor.label for factor in factors_of(dataset, question)}


def ratio_lines(name: str, factor: Factor) -> Iterator[tuple[str, str, int]]:
    """A factor's lines in a table of ratios: group of the results, label, how deep indented.

    A factor of levels has a line of its own, and under it one for each but the reference. `name`
    is that of the endpoint, or of a model.
    """
    yield f"{name}:{factor.column}", factor.label, 1
    if factor.reference is not None:
        for column, level in zip(factor.columns, factor.others, strict=True):
            yield f"{name}:{column}", f"{level} against {factor.reference}", 2


def ratio_labels(dataset: Dataset, question: Endpoint) -> dict[str, str]:
    """What each ratio is of, by its group in the results: `Stage (II/I)` where it has levels."""
    return {
        f"{question.name}:{column}": label
        for factor in factors_of(dataset, question)
        for column, label in zip(factor.columns, _sides(factor), strict=True)
    }


def _sides(factor: Factor) -> list[str]:
    if factor.reference is None:
        return [factor.label]
    return [f"{factor.label} ({level}/{factor.reference})" for level in factor.others]


def factor_endpoints(dataset: Dataset) -> list[Endpoint]:
    """The endpoints of Table 3: those that the dataset records and names factors for.

    Raises NotRecorded where there is none, nor a model that is listed.
    """
    found = [q for q in answerable(dataset) if factors_of(dataset, q)]
    named = any(answerable(dataset, model.endpoint) for model in dataset.models)
    if not found and not named:
        main_endpoint(dataset)  # where its patients are masked, that is the reason
        raise NotRecorded("No factors can be compared: this dataset names none.")
    return found


def model_rows(
    question: Endpoint,
    kind: str,
    factors: Sequence[Factor],
    rows: pd.DataFrame,
    fit: est.CoxFit | None = None,
) -> list[dict]:
    """`hazard_ratio_KIND` and `p_KIND` of each factor in one Cox model of the rows, or its `fit`.

    A factor of levels has both for each level, then P of all its levels together.
    """
    terms = terms_of(factors, rows)
    fit = est.cox(rows, [*chain(*terms.values())]) if fit is None else fit
    made = (fit_rows(question.name, kind, f, fit, terms[f.column]) for f in factors)
    return [*chain(*made)]


def fit_rows(
    name: str, kind: str, factor: Factor, fit: est.CoxFit, term: Sequence[str]
) -> Iterator[dict]:
    """What a model says of one of its factors, under `name` in the groups of the results."""
    seen = {"n": fit.n, "events": fit.events}
    for column, line in fit.summary().reindex(factor.columns).iterrows():
        common = {"group": f"{name}:{column}", **seen}
        yield {"quantity": f"hazard_ratio_{kind}", **ratio_of(line), **common}
        yield {"quantity": f"p_{kind}", "estimate": line["p"], **common}
    if factor.reference is not None:
        together = {"group": f"{name}:{factor.column}", **seen}
        yield {"quantity": f"p_{kind}", "estimate": fit.joint(term).p, **together}


def ratio_of(line: pd.Series) -> dict:
    return {"estimate": line["hazard_ratio"], "lower": line["lower"], "upper": line["upper"]}


def _key(question: Endpoint, factor: Factor) -> str:
    return f"{question.name}:{factor.column}"
