"""A number whose log ratio may bend: what Table 3 records and draws of its spline."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import altair as alt
import numpy as np
import pandas as pd

from .. import survival as est
from ..dataset.endpoints import Endpoint
from ..dataset.model import Dataset, Factor
from ..page.charts import COLOURS, HEIGHT, INK, STYLE, UPRIGHT, Figure
from ..page.formats import equal_to, in_patients
from ..page.page import Page
from ..survival.sums import quantiles
from ..survival.times import NUMBER
from .forest import MOST_SPAN, span_of, ticks_of
from .models import event_rows, factors_of, ratio_of

FEW = 100  # patients: below, one bend less
SHOWN = (0.05, 0.10, 0.25, 0.50, 0.75, 0.90, 0.95)  # quantiles; no value of a single patient
DECILES = tuple(np.arange(1, 10) / 10)


@dataclass(frozen=True)
class Bend:
    """The spline of a factor among those in a model's `rows`, which have a column for each bend."""

    column: str
    rows: pd.DataFrame
    knots: np.ndarray

    @property
    def bends(self) -> list[str]:
        """The columns beside the number itself; no column of a dataset has the sign :."""
        return [f"{self.column}:{number}" for number in range(1, len(self.knots) - 1)]

    @property
    def columns(self) -> list[str]:
        return [self.column, *self.bends]

    @property
    def median(self) -> float:
        return float(self.quantiles([0.5])[0])

    def quantiles(self, shares: object) -> np.ndarray:
        """Values below which these shares of the patients lie, each value once."""
        values, many = _values(self.rows, self.column)
        return np.unique(quantiles(values, shares, many))

    def ratios(self, fit: est.CoxFit, at: np.ndarray) -> pd.DataFrame:
        """Hazard ratios of some values against the median."""
        return est.spline_ratios(fit, self.columns, self.knots, at, self.median)


def bend(rows: pd.DataFrame, column: str) -> Bend | None:
    """The rows with the bends of a column: 4 knots, or 3; None where too few values differ."""
    values, many = _values(rows, column)
    n = len(values) if many is None else many.sum()
    for number in (4, 3) if n >= FEW else (3,):
        try:
            knots = est.knots(values, number, many)
        except ValueError:
            continue
        made = Bend(column, rows, knots)
        basis = est.spline(rows[column].to_numpy(), knots)[:, 1:]
        columns = pd.DataFrame(basis, columns=made.bends, index=rows.index)
        return replace(made, rows=rows.join(columns))
    return None


def _values(rows: pd.DataFrame, column: str) -> tuple[pd.Series, np.ndarray | None]:
    """A patient's value, and of how many patients alike it is where of more than one."""
    once = rows.drop_duplicates("patient")
    return once[column], once[NUMBER].to_numpy() if NUMBER in once else None


def bent(dataset: Dataset, question: Endpoint) -> Iterator[tuple[Factor, Bend]]:
    """The factors of an endpoint that are declared to bend, and can."""
    for factor in factors_of(dataset, question):
        if factor.form == "spline":
            made = bend(event_rows(dataset, question, [factor]), factor.column)
            if made:
                yield factor, made


def spline_results(dataset: Dataset, question: Endpoint) -> list[dict]:
    """Ratios against the median along each factor that is declared a spline, alone.

    `hazard_ratio_spline` at some quantiles, `p_spline` of the factor in all and
    `p_spline_nonlinear` of its bends, by likelihood ratio tests (Harrell 2015, section 2.4).
    """
    rows = []
    for factor, curve in bent(dataset, question):
        fit = est.cox(curve.rows, curve.columns)
        key, seen = f"{question.name}:{factor.column}", {"n": fit.n, "events": fit.events}
        rows += ratio_rows("spline", key, curve, fit, SHOWN)
        tests = {"spline": ([], curve.columns), "spline_nonlinear": ([curve.column], curve.bends)}
        for name, (kept, added) in tests.items():
            p = est.likelihood_ratio(curve.rows, kept, added).p
            rows.append({"quantity": f"p_{name}", "group": key, "estimate": p, **seen})
    return rows


def ratio_rows(
    kind: str, key: str, curve: Bend, fit: est.CoxFit, shares: tuple[float, ...]
) -> Iterator[dict]:
    """The ratio at each of some quantiles but the median: group `os:age@67`."""
    at = curve.quantiles(shares)
    seen = {"n": fit.n, "events": fit.events}
    for value, line in curve.ratios(fit, at[at != curve.median]).iterrows():
        row = {"quantity": f"hazard_ratio_{kind}", "group": f"{key}@{value:g}"}
        yield {**row, **ratio_of(line), **seen}


def spline_figures(page: Page, question: Endpoint) -> Iterator[Figure]:
    """Each declared spline of an endpoint, with its band, from the 5th to the 95th percentile."""
    for factor, curve in bent(page.data, question):
        fit = est.cox(curve.rows, curve.columns)
        key = f"{question.name}:{factor.column}"
        if not fit.estimable:
            continue
        low, *_, high = curve.quantiles(SHOWN)
        at = np.unique([*np.linspace(low, high, 120), curve.median])
        line = curve.ratios(fit, at).fillna(1.0).reset_index()
        p, bends = page["p_spline", key], page["p_spline_nonlinear", key]
        numbers = f"P of the factor {equal_to(p.value)}; of its bends {equal_to(bends.value)}."
        against = f"hazard ratio against the median of {curve.median:g}"
        caption = (
            f"{question.title}: {factor.label}, {against}, alone in a model. Restricted cubic "
            f"spline with {len(curve.knots)} knots; shaded: 95% confidence band. From the 5th to "
            f"the 95th percentile; ticks at the deciles. {numbers}"
        )
        rows = page.numbers[page.numbers["quantity"].eq("hazard_ratio_spline")]
        told = [
            f"at {row['group'].removeprefix(key + '@')} "
            f"{page['hazard_ratio_spline', row['group']].cell}"
            for _, row in rows[rows["group"].str.startswith(f"{key}@")].iterrows()
        ]
        words = f"Curve. {question.title}, {factor.label}: {against}: {'; '.join(told)}. {numbers}"
        said = f"{question.title}, {factor.label}, in {in_patients(fit.n)}. {numbers}"
        chart = _chart(line, factor.label, curve.quantiles(DECILES))
        yield page.figure(
            f"spline-{question.name}-{factor.column}", chart, words, caption, said=said
        )


def _chart(line: pd.DataFrame, label: str, deciles: np.ndarray) -> alt.LayerChart:
    line = line.astype(float)
    span = span_of(line.rename(columns={"hazard_ratio": "estimate"}), MOST_SPAN)
    shown = line.assign(**line[["lower", "upper"]].clip(1 / span, span))
    ends = [float(shown["lower"].min()) / 1.1, float(shown["upper"].max()) * 1.1]
    x = alt.X(
        "value:Q",
        title=label,
        scale=alt.Scale(domain=[line["value"].min(), line["value"].max()], nice=False),
        axis=alt.Axis(grid=False, format="~g", tickCount=8),
    )
    y = alt.Y(
        "hazard_ratio:Q",
        title="Hazard ratio (log scale)",
        scale=alt.Scale(type="log", domain=ends, nice=False),
        axis=alt.Axis(
            values=[tick for tick in ticks_of(span) if ends[0] <= tick <= ends[1]],
            format="~g",
            **UPRIGHT,
        ),
    )
    base = alt.Chart(shown).encode(x=x)
    tooltip = [
        alt.Tooltip("value:Q", title=label, format=".4~g"),
        alt.Tooltip("hazard_ratio:Q", title="Hazard ratio", format=".2f"),
    ]
    inside = deciles[(deciles >= shown["value"].min()) & (deciles <= shown["value"].max())]
    one = alt.Chart(pd.DataFrame({"hazard_ratio": [1.0]}))
    ticks = alt.Chart(pd.DataFrame({"value": inside}))
    return (
        alt.layer(
            base.mark_area(opacity=0.2, color=COLOURS[0]).encode(y=alt.Y("lower:Q"), y2="upper:Q"),
            one.mark_rule(strokeDash=[3, 3], color=INK, opacity=0.6).encode(y=y),
            base.mark_line(strokeWidth=2, color=COLOURS[0]).encode(y=y, tooltip=tooltip),
            ticks.mark_tick(orient="vertical", size=8, thickness=1.5, color=INK).encode(
                x=x, y=alt.value(HEIGHT - 4)
            ),
        )
        .properties(width="container", height=HEIGHT)
        .configure(**STYLE)
    )
