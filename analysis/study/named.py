"""The Cox models that a dataset lists: all of their factors together, by strata."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

import pandas as pd

from .. import survival as est
from ..dataset.definitions import Model
from ..dataset.endpoints import Endpoint, answerable
from ..dataset.model import Dataset, Factor
from ..page.page import Page
from ..page.tables import Row, Table
from .groups import strata_named, strata_of
from .models import event_rows, fit_rows, proportional_rows, ratio_lines, terms_of
from .splines import Bend, bend, ratio_rows
from .tables import WALD, model_cell

QUARTILES = (0.25, 0.50, 0.75)


@dataclass(frozen=True)
class Named:
    """A model with its endpoint and the factors that its columns mean."""

    dataset: Dataset
    model: Model
    question: Endpoint
    factors: tuple[Factor, ...]

    @property
    def key(self) -> str:
        """Its group in the results: `os|Adjusted`."""
        return f"{self.question.name}|{self.model.title}"

    @cached_property
    def complete(self) -> pd.DataFrame:
        """The rows of who is known in all factors and strata."""
        rows = event_rows(self.dataset, self.question, self.factors)
        stratum = strata_of(self.dataset, self.model.strata, self.question.data.index)
        if stratum is None:
            return rows
        within = stratum.loc[rows["patient"]].to_numpy()
        return rows.assign(stratum=within).dropna(subset="stratum").reset_index(drop=True)

    @cached_property
    def bends(self) -> dict[str, Bend]:
        """The splines among its factors."""
        splines = [f.column for f in self.factors if f.form == "spline"]
        made = {column: bend(self.complete, column) for column in splines}
        return {column: curve for column, curve in made.items() if curve}

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The complete rows, with the columns of the splines."""
        return self.complete.join([curve.rows[curve.bends] for curve in self.bends.values()])

    @cached_property
    def terms(self) -> dict[str, list[str]]:
        """The columns of each factor in the rows."""
        bent = {column: curve.columns for column, curve in self.bends.items()}
        return terms_of(self.factors, self.rows) | bent


def named_models(dataset: Dataset) -> Iterator[Named]:
    """The models whose endpoint the dataset records, in its order."""
    for model in dataset.models:
        for question in answerable(dataset, model.endpoint):
            factors = tuple(factor_of(dataset, column) for column in model.factors)
            yield Named(dataset, model, question, factors)


def factor_of(dataset: Dataset, column: str) -> Factor:
    """What a column means in a model: its declared factor, or what its values are.

    The column that is compared has its reference, other text its first level; a number is one.
    """
    declared = next((f for f in dataset.factors if f.column == column), None)
    if declared:
        return declared
    compare, label = dataset.compared(), dataset.label(column)
    if compare and compare.column == column:
        reference = compare.reference
    elif pd.api.types.is_numeric_dtype(dataset.patients[column]):
        return Factor(column, label, "baseline")
    else:
        reference = dataset.first_level(column)
    levels = dataset.levels(column)
    return Factor(column, label, "baseline", reference=reference, levels=levels)


def named_results(dataset: Dataset) -> list[dict]:
    """`hazard_ratio_model` and `p_model` of each named model, as Wald; whether its ratios stay.

    A factor of levels has P of them together too, and a spline P of all of it, with its ratios at
    the quartiles against the median. `number_of_ratios` counts what a model estimates.
    """
    rows = []
    for named in named_models(dataset):
        fit = est.cox(named.rows, [*chain(*named.terms.values())])
        seen = {"n": fit.n, "events": fit.events}
        for factor in named.factors:
            term = named.terms[factor.column]
            if factor.column not in named.bends:
                rows += fit_rows(named.key, "model", factor, fit, term)
                continue
            key, curve = f"{named.key}:{factor.column}", named.bends[factor.column]
            rows += ratio_rows("model", key, curve, fit, QUARTILES)
            joint = {"quantity": "p_model", "group": key, "estimate": fit.joint(term).p}
            rows.append({**joint, **seen})
        rows += proportional_rows(named.key, "model", named.terms, named.rows, fit)
        ratios = {
            "quantity": "number_of_ratios",
            "group": named.key,
            "estimate": len(fit.estimates),
        }
        rows.append({**ratios, **seen})
    return rows


def named_table(page: Page, named: Named) -> Table:
    """A named model: its ratios, P, and P that each stays the same over time."""
    rows = []
    for factor in named.factors:
        lines = [*ratio_lines(named.key, factor)]
        if factor.column in named.bends:
            lines += _along(page, named, factor)
        quantities = ("hazard_ratio_model", "p_model", "p_proportional_model")
        for key, label, level in lines:
            cells = [model_cell(page, quantity, key) for quantity in quantities]
            rows.append(Row(label, cells, level - 1))
    whole = page["p_proportional_model", named.key]
    rows.append(Row("All together", ["", "", whole.bare]))
    strata = strata_named(page.data, named.model.strata)
    within = f" A baseline hazard of its own in each stratum by {strata}." if strata else ""
    cause = " What competes ends the time at risk." if named.question.competing else ""
    caption = f"{named.question.title}: {named.model.title}. A model {named.model.known_as}."
    place = page.data.models.index(named.model)
    notes = [
        f"HR, hazard ratio; CI, confidence interval. {WALD}{within}{cause} "
        "P, same ratio throughout: score test of the products with time.",
        *[
            f"{factor.label}: a restricted cubic spline; its ratios are of quartiles against the "
            f"median of {named.bends[factor.column].median:g}."
            for factor in named.factors
            if factor.column in named.bends
        ],
    ]
    columns = ["Factor", "HR (95% CI)", "P", "P, same ratio throughout"]
    return page.rows_table(f"named-{place}", caption, columns, rows, notes)


def _along(page: Page, named: Named, factor: Factor) -> Iterator[tuple[str, str, int]]:
    """The lines of a spline: its ratios at values."""
    groups = page.numbers.loc[page.numbers["quantity"].eq("hazard_ratio_model"), "group"]
    start = f"{named.key}:{factor.column}@"
    against = f"{named.bends[factor.column].median:g}"
    for key in groups[groups.str.startswith(start)]:
        yield key, f"{key.removeprefix(start)} against {against}", 2
