"""Lesson 8: factors chosen by their P, and what another sample would have chosen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd
from scipy import stats

from .. import survival as est
from ..dataset.covariates import covariate_rows
from ..dataset.endpoints import endpoint
from ..dataset.model import Dataset, Factor, NotRecorded
from ..page.charts import CHOICE, COLOURS, LABEL_SIZE, Choice, Figure
from ..page.formats import counted, interval, listed, rounded, shown, written
from ..page.prose import Prose, estimate, ruled, sourced
from ..page.rows import frame, pick
from ..page.tables import Row, Table
from ..study.models import SELECTION_LEVEL, factors_of
from ..survival import resampling as sel
from .charts import finished
from .exercises import Exercise

OS = "os"
STATIONS = 25  # resamples that the reader may look at
LEAST_EVENTS = 10  # below, a resample has hardly a death for each factor
ROW_HEIGHT = 34  # pixels of a factor's line
WIDEST = 10.0  # hazard ratios further out are drawn at the edge
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10)
EXERCISE = {"resamples": 20, "seed": 1}
P_OF_EXERCISE = 0.01
KEPT, TOGETHER = "kept by this resample", "all factors in one model"


@dataclass(frozen=True)
class Question:
    """The factors among which is selected, and the start-stop rows of who is known in all."""

    factors: tuple[Factor, ...]
    rows: pd.DataFrame

    @property
    def columns(self) -> list[str]:
        """The columns of the factors, in the dataset's order."""
        return [factor.column for factor in self.factors]

    @property
    def size(self) -> dict[str, int]:
        """The numbers of patients and deaths, as a row of results has them."""
        return {"n": self.rows["patient"].nunique(), "events": int(self.rows["event"].sum())}


# --- what is computed --------------------------------------------------------------------------


def question(dataset: Dataset) -> Question:
    """Death by the dataset's factors of all patients, in those known in every one.

    Factors that only some patients can have (`among`) would leave too few. Those that do not vary
    are left out. Raises NotRecorded where fewer than two are left, or fewer than ten deaths.
    """
    made = _known(dataset, [f for f in factors_of(dataset, endpoint(dataset, OS)) if not f.among])
    least = max(LEAST_EVENTS, dataset.mask_below)
    if len(made.factors) < 2:
        raise NotRecorded(
            "A choice among factors cannot be shown: this dataset has fewer than two factors of "
            "overall survival that all its patients can have."
        )
    if made.size["events"] < least:
        raise NotRecorded(
            f"A choice among factors cannot be judged: fewer than {least} patients of this dataset "
            "who are known in every factor died."
        )
    return made


def _known(dataset: Dataset, factors: Sequence[Factor]) -> Question:
    rows = covariate_rows(dataset, endpoint(dataset, OS), factors)
    varying = tuple(f for f in factors if rows[f.column].nunique() > 1)
    return Question(varying, rows)


def results(dataset: Dataset, seed: int, resamples: int) -> pd.DataFrame:
    """What the stepwise rule keeps, how often it would, and what says all factors' worth.

    Of each factor `share_kept` of the resamples, `hazard_ratio_stepwise` where the patients
    themselves keep it, `hazard_ratio_when_kept` (geometric mean over the resamples that keep it),
    `hazard_ratio_all` of the model of all, `hazard_ratio_ridge`. Of the first resamples
    `hazard_ratio_resample`, groups ending in `|number`, and `share_model`, how many of all end in
    the same model. `share_at_least_one`: how often shuffled factors, which mean nothing, have one
    kept (`shuffled`), and would if they were independent (`formula`).
    """
    asked = question(dataset)
    boot = _bootstrap(asked, resamples, seed)
    fits = est.CoxModels(asked.rows, asked.columns)
    rows = [
        *_share_rows(asked, boot),
        *_model_rows(asked, "stepwise", boot.whole, fits),
        *_model_rows(asked, "all", tuple(asked.columns), fits),
        *_ridge_rows(asked, seed),
        *_stability_rows(asked, boot),
        *_resample_rows(asked, boot),
        *_noise_rows(dataset, resamples, seed),
    ]
    return frame(rows)


def _bootstrap(asked: Question, resamples: int, seed: int) -> sel.Bootstrap:
    return sel.bootstrap(asked.rows, asked.columns, resamples, seed, SELECTION_LEVEL)


def _key(column: str) -> str:
    return f"{OS}:{column}"


def _share_rows(asked: Question, boot: sel.Bootstrap) -> Iterator[dict]:
    for column, line in boot.inclusion().iterrows():
        common = {"group": _key(column), **asked.size}
        yield {"quantity": "share_kept", "estimate": line["share"], **common}
        ratio = np.exp(line["beta_kept"])
        yield {"quantity": "hazard_ratio_when_kept", "estimate": ratio, **common}


def _model_rows(
    asked: Question, kind: str, columns: tuple[str, ...], fits: est.CoxModels
) -> Iterator[dict]:
    fit = fits.fit(columns) if columns else None
    for place, column in enumerate(columns):
        beta, se = (fit.beta[place], fit.se[place]) if fit else (np.nan, np.nan)
        limits = {"lower": np.exp(beta - est.Z * se), "upper": np.exp(beta + est.Z * se)}
        common = {"group": _key(column), **asked.size}
        yield {"quantity": f"hazard_ratio_{kind}", "estimate": np.exp(beta), **limits, **common}


def _ridge_rows(asked: Question, seed: int) -> Iterator[dict]:
    folds = min(sel.FOLDS, asked.size["n"])
    fit = sel.ridge_chosen(asked.rows, asked.columns, folds, seed)
    for column, beta in fit.estimates["beta"].items():
        row = {"quantity": "hazard_ratio_ridge", "group": _key(column), "estimate": np.exp(beta)}
        yield {**row, **asked.size}
    freedom = {"quantity": "degrees_of_freedom", "group": OS, "estimate": fit.degrees_of_freedom}
    yield {**freedom, **asked.size}


def _stability_rows(asked: Question, boot: sel.Bootstrap) -> Iterator[dict]:
    models, optimism = boot.models(), boot.optimism()
    common = {"group": OS, **asked.size}
    yield {"quantity": "number_of_models", "estimate": len(models), **common}
    limits = {"lower": optimism.lower, "upper": optimism.upper}
    yield {"quantity": "calibration_slope", "estimate": optimism.slope, **limits, **common}
    own = models.loc[models["whole"], "share"].sum()
    for name, share in (("most_frequent", models["share"].iloc[0]), ("patients", own)):
        yield {**common, "quantity": "share_model", "group": name, "estimate": share}


def _resample_rows(asked: Question, boot: sel.Bootstrap) -> Iterator[dict]:
    share = {frozenset(row.model): row.share for row in boot.models().itertuples()}
    for number, resample in enumerate(boot.resamples[:STATIONS], start=1):
        same = {"group": f"resample|{number}", "estimate": share[frozenset(resample.kept)]}
        yield {"quantity": "share_model", **same, **asked.size}
        for column, beta in zip(resample.kept, resample.beta, strict=True):
            group = f"{_key(column)}|{number}"
            yield {"quantity": "hazard_ratio_resample", "group": group, "estimate": np.exp(beta)}


def _noise_rows(dataset: Dataset, runs: int, seed: int) -> Iterator[dict]:
    """How often the rule keeps a factor when none means anything; nothing below two factors."""
    known = [f for f in factors_of(dataset, endpoint(dataset, OS)) if f.kind == "baseline"]
    asked = _known(dataset, [f for f in known if not f.among])
    if len(asked.factors) < 2 or asked.size["events"] < max(LEAST_EVENTS, dataset.mask_below):
        return
    number = len(asked.factors)
    common = {"quantity": "share_at_least_one", **asked.size}
    share = np.mean([bool(kept) for kept in shuffled(asked, runs, seed)])
    yield {**common, "group": "shuffled", "estimate": share}
    chance = 1 - (1 - SELECTION_LEVEL) ** number
    yield {**common, "group": "formula", "estimate": chance}
    yield {**common, "quantity": "number_of_factors", "group": "shuffled", "estimate": number}


def shuffled(asked: Question, runs: int, seed: int) -> Iterator[list[str]]:
    """What the rule keeps when each patient gets all factors of another, drawn by lot.

    The factors stay as they are among themselves, and have nothing to do with survival. `asked`
    has baseline factors only, a row for each patient.
    """
    values = asked.rows[asked.columns].to_numpy(dtype=float)
    random = np.random.default_rng(seed)
    for _ in range(runs):
        moved = pd.DataFrame(
            random.permutation(values), columns=asked.columns, index=asked.rows.index
        )
        rows = asked.rows.assign(**moved)
        yield est.CoxModels(rows, asked.columns).stepwise(SELECTION_LEVEL)


# --- what is shown: resamples --------------------------------------------------------------------


def resamples_figure(dataset: Dataset, results: pd.DataFrame, name: str) -> Figure:
    """The model of each of the first resamples, beside how often all keep each factor."""
    factors = _by_share(dataset, results)
    stations = _stations(results)
    points = pd.DataFrame(_points(results, factors, stations), columns=["line", "ratio", "choice"])
    fixed = pd.DataFrame(_lines(results, factors))
    answers = [_answer(results, factors, number) for number in stations]
    choice = Choice("Resample", [f"number {number}" for number in stations], answers)
    caption = (
        "The stepwise model of one resample of the same patients at a time. A full circle is a "
        "factor that it keeps. Diamonds are the model of all factors in the patients themselves. "
        f"Bars mark the ratio in each of the first {len(stations)} resamples that keeps the "
        "factor. A number, such as age, counts by its unit: its ratio lies near 1 however much it "
        "matters."
    )
    shares = "; ".join(f"{line.label} {line.share}" for line in fixed.itertuples())
    alt_text = (
        "Dots on a log axis of hazard ratios, a line for each factor. " + str(answers[0]) + " "
        f"How often all resamples keep each factor: {shares}."
    )
    return Figure(name, _dots(points, fixed), alt_text, caption, choice=choice)


def _by_share(dataset: Dataset, results: pd.DataFrame) -> list[Factor]:
    """The factors, those that are kept most often first."""
    shares = {f: pick(results, "share_kept", _key(f.column))["estimate"]
              for f in question(dataset).factors}  # fmt: skip
    return sorted(shares, key=lambda factor: -shares[factor])


def _stations(results: pd.DataFrame) -> list[int]:
    groups = results.loc[results["group"].str.startswith("resample|"), "group"]
    return [int(group.partition("|")[2]) for group in groups]


def _kept(results: pd.DataFrame, factors: Sequence[Factor], number: int) -> dict[Factor, pd.Series]:
    """What a resample keeps of the factors, with the row of each."""
    groups = {f"{_key(factor.column)}|{number}": factor for factor in factors}
    rows = results[results["quantity"].eq("hazard_ratio_resample") & results["group"].isin(groups)]
    found = {groups[row["group"]]: row for _, row in rows.iterrows()}
    return {factor: found[factor] for factor in factors if factor in found}


def _drawn(ratio: float) -> float:
    """A hazard ratio as far out as the axis goes."""
    return round(float(np.clip(ratio, 1 / WIDEST, WIDEST)), 3)


def _points(
    results: pd.DataFrame, factors: Sequence[Factor], stations: Sequence[int]
) -> Iterator[tuple]:
    places = {factor: place for place, factor in enumerate(factors)}
    for choice, number in enumerate(stations):
        for factor, row in _kept(results, factors, number).items():
            yield places[factor], _drawn(row["estimate"]), choice


def _lines(results: pd.DataFrame, factors: Sequence[Factor]) -> Iterator[dict]:
    for place, factor in enumerate(factors):
        share = pick(results, "share_kept", _key(factor.column))["estimate"]
        ratio = pick(results, "hazard_ratio_all", _key(factor.column))["estimate"]
        yield {
            "line": place,
            "label": factor.label,
            "share": f"kept in {rounded(100 * share, 0)}%",
            "ratio": None if pd.isna(ratio) else _drawn(ratio),
        }


def _dots(points: pd.DataFrame, fixed: pd.DataFrame) -> alt.LayerChart:
    ratios = [*points["ratio"], *fixed["ratio"].dropna(), 0.5, 2]
    furthest = max(max(ratios), 1 / min(ratios)) * 1.1
    domain = [1 / furthest, furthest]
    x = alt.X(
        "ratio:Q",
        title="Hazard ratio of death",
        scale=alt.Scale(type="log", domain=domain, nice=False),
        axis=alt.Axis(
            values=[tick for tick in TICKS if domain[0] <= tick <= domain[1]], format="~g"
        ),
    )
    last = len(fixed) - 0.5
    y = alt.Y("line:Q", axis=None, scale=alt.Scale(domain=[-1.9, last], reverse=True, nice=False))
    kept, all_factors = (alt.value(colour) for colour in COLOURS)
    lines = alt.Chart(fixed).encode(y=y)
    one = alt.Chart(pd.DataFrame({"ratio": [1]})).mark_rule(opacity=0.5).encode(x=x)
    words = {"fontSize": LABEL_SIZE, "dy": -13}
    layers = [
        one,
        lines.mark_text(align="left", fontWeight="bold", **words).encode(
            x=alt.value(0), text="label:N"
        ),
        lines.mark_text(align="right", **words).encode(
            x=alt.value(alt.ExprRef("width")), text="share:N"
        ),
        alt.Chart(points)
        .mark_tick(orient="vertical", size=10, thickness=1.5, opacity=0.35, color="currentColor")
        .encode(x=x, y=y),
        lines.transform_filter("isValid(datum.ratio)")
        .mark_point(shape="diamond", filled=False, size=80, strokeWidth=2, opacity=1)
        .encode(x=x, color=all_factors),
        alt.Chart(points)
        .transform_filter(f"datum.choice == {CHOICE}")
        .mark_point(filled=True, size=90, opacity=1)
        .encode(x=x, y=y, color=kept),
        *_legend(),
    ]
    return finished(layers, 0).properties(height=ROW_HEIGHT * (len(fixed) + 1.4))


def _legend() -> list[alt.Chart]:
    """What a circle and a diamond are, at the upper right."""
    made = []
    for place, (word, colour, shape) in enumerate(
        zip((KEPT, TOGETHER), COLOURS, ("circle", "diamond"), strict=True)
    ):
        base = alt.Chart(pd.DataFrame({"top": [6 + 18 * place], "word": [word]})).encode(
            y=alt.Y("top:Q", scale=None, axis=None), color=alt.value(colour)
        )
        mark = base.mark_point(shape=shape, filled=shape == "circle", size=80, opacity=1)
        text = base.mark_text(align="right", fontSize=LABEL_SIZE, fontWeight="bold")
        made += [
            mark.encode(x=alt.value(alt.ExprRef("width - 8"))),
            text.encode(x=alt.value(alt.ExprRef("width - 20")), text="word:N"),
        ]
    return made


def _answer(results: pd.DataFrame, factors: Sequence[Factor], number: int) -> Prose:
    kept = _kept(results, factors, number)
    same = pick(results, "share_model", f"resample|{number}")
    named, parts = {}, []
    for place, (factor, row) in enumerate(kept.items()):
        named |= {
            f"label_{place}": factor.label,
            f"ratio_{place}": sourced(shown(row["estimate"], "hazard_ratio"), row),
        }
        parts.append(f"{{label_{place}}} at {{ratio_{place}}}")
    model = listed(parts) or "no factor"
    return Prose(
        f"Resample {{number}} keeps {model}. Of all resamples, {{same}} end in just these factors.",
        number=sourced(number, same),
        same=estimate(results, "share_model", f"resample|{number}"),
        **named,
    )


# --- what is shown: wrong and right --------------------------------------------------------------


def models_table(dataset: Dataset, results: pd.DataFrame, name: str) -> Table:
    """The stepwise model as it is printed, beside how often it would come, and other models."""
    factors = _by_share(dataset, results)
    inside = [f for f in factors if _has(results, "hazard_ratio_stepwise", f)]
    lines = []
    for heading, part in (
        ("The stepwise model keeps", inside),
        ("It leaves out", [f for f in factors if f not in inside]),
    ):
        lines += [Row(heading), *(_line(results, factor) for factor in part)] if part else []
    columns = (
        "Factor",
        "Stepwise, HR (95% CI)",
        "Kept in, %",
        "Mean HR when kept",
        "All factors, HR (95% CI)",
        "Ridge, HR",
    )
    notes = [
        "HR, hazard ratio of death: below 1, the first-named side does better. The interval of the "
        "stepwise model is the one that is usually printed, as if nobody had selected.",
        "Kept in: the share of the resamples whose stepwise model has the factor. Mean HR: the "
        "geometric mean over these.",
    ]
    return Table(
        name,
        "Wrong, the stepwise model alone; right, what stands beside it.",
        columns,
        lines,
        notes,
        abbreviations=dataset.settings.abbreviations,
    )


def _has(results: pd.DataFrame, quantity: str, factor: Factor) -> bool:
    found = results["quantity"].eq(quantity) & results["group"].eq(_key(factor.column))
    return bool(found.any())


def _line(results: pd.DataFrame, factor: Factor) -> Row:
    cells = [
        _ratio(results, "hazard_ratio_stepwise", factor),
        rounded(100 * pick(results, "share_kept", _key(factor.column))["estimate"], 0),
        _ratio(results, "hazard_ratio_when_kept", factor),
        _ratio(results, "hazard_ratio_all", factor),
        _ratio(results, "hazard_ratio_ridge", factor),
    ]
    return Row(factor.label, cells, level=1)


def _ratio(results: pd.DataFrame, quantity: str, factor: Factor) -> str:
    if not _has(results, quantity, factor):
        return ""
    row = pick(results, quantity, _key(factor.column))
    if pd.isna(row["estimate"]):
        return "never kept" if quantity.endswith("when_kept") else "not estimable"
    limits = "" if pd.isna(row["lower"]) else f" ({interval(row)})"
    return written(row) + limits


# --- what is said --------------------------------------------------------------------------------


def told_models(dataset: Dataset, results: pd.DataFrame, seed: int, resamples: int) -> Prose:
    """What the rule keeps, and how many other models it would have ended in."""
    factors = _by_share(dataset, results)
    inside = [f.label for f in factors if _has(results, "hazard_ratio_stepwise", f)]
    shares = results[results["quantity"].eq("share_kept")]
    models = pick(results, "number_of_models", OS)
    one = models["estimate"] == 1
    return Prose(
        "**One rule, many models.** {n} patients are known in all {k} factors, and {events} of "
        "them died. The rule keeps: {kept}.",
        "In {resamples} resamples (seed {seed}) it ends in "
        + ("the same model each time." if one else "{different} different models.")
        + " The most frequent comes in {most} of them, and the model of the patients themselves "
        "in {own}.",
        n=sourced(counted(models["n"]), models),
        k=sourced(len(shares), shares),
        events=sourced(counted(models["events"]), models),
        kept=listed(inside) or "none",
        resamples=ruled(resamples, "resamples, a parameter of the notebook"),
        seed=ruled(seed, "seed, a parameter of the notebook"),
        different=sourced(counted(models["estimate"]), models),
        most=estimate(results, "share_model", "most_frequent"),
        own=estimate(results, "share_model", "patients"),
    )


def told_stability(dataset: Dataset, results: pd.DataFrame) -> Prose:
    """The weakest of what is kept, and the strongest of what is left out."""
    factors = _by_share(dataset, results)
    inside = [f for f in factors if _has(results, "hazard_ratio_stepwise", f)]
    outside = [f for f in factors if f not in inside]
    said = []
    if inside:
        said.append("Of what the model keeps, {weak} is kept least often, in {low} of resamples.")
    if outside:
        said.append("Of what it leaves out, {strong} is kept most often, in {high}.")
    ends = {"weak": inside[-1:], "strong": outside[:1]}
    labels = {key: part[0].label for key, part in ends.items() if part}
    shares = {
        key: estimate(results, "share_kept", _key(part[0].column))
        for key, part in zip(("low", "high"), ends.values(), strict=True)
        if part
    }
    return Prose(" ".join(said), **labels, **shares)


def told_larger(dataset: Dataset, results: pd.DataFrame) -> Prose:
    """How many factors look stronger in the resamples that keep them than in the model of all."""
    pairs = []
    for factor in question(dataset).factors:
        kept, everything = (
            pick(results, quantity, _key(factor.column))
            for quantity in ("hazard_ratio_when_kept", "hazard_ratio_all")
        )
        if pd.notna(kept["estimate"]) and pd.notna(everything["estimate"]):
            pairs.append((kept, everything))
    if not pairs:
        return Prose("**Stronger when kept.** There is no model of all factors to compare with.")
    larger = sum(abs(np.log(a["estimate"])) > abs(np.log(b["estimate"])) for a, b in pairs)
    sources = pd.DataFrame([row for pair in pairs for row in pair])
    return Prose(
        "**Stronger when kept.** Of {k} factors, {larger} have a stronger ratio, on average, in "
        "the resamples that keep them than in the model of all factors."
        + (" A factor is kept where chance has helped it." if 2 * larger > len(pairs) else ""),
        k=sourced(len(pairs), sources),
        larger=sourced(larger, sources),
    )


def told_optimism(results: pd.DataFrame) -> Prose:
    """What is left of a selected model's ratios in patients that it was not made from."""
    row = pick(results, "calibration_slope", OS)
    if pd.isna(row["estimate"]):
        return Prose("**Optimism.** No resample keeps a factor, so no model can be judged.")
    less = row["estimate"] < 1
    return Prose(
        "**Optimism.** Take the model of each resample back to all patients. Its log hazard "
        "ratios are worth, on average, {slope} of what they say (95% interval over the resamples, "
        "{limits}). "
        + ("What is missing was chance." if less else "So on average nothing is lost."),
        slope=sourced(rounded(row["estimate"], 2), row),
        limits=sourced("–".join(rounded(row[end], 2) for end in ("lower", "upper")), row),
    )


def told_noise(results: pd.DataFrame, runs: int) -> Prose:
    """How often factors that mean nothing have one of them kept."""
    if not results["quantity"].eq("share_at_least_one").any():
        return Prose("This dataset has fewer than two baseline factors to be shuffled.")
    number = pick(results, "number_of_factors", "shuffled")
    return Prose(
        "**From nothing.** Give each patient the baseline factors of another, drawn by lot. Now "
        "not one of the {k} means anything. In {share} of {runs} such shufflings the rule still "
        "keeps at least one, with P below {level}. Were the factors independent, the chance would "
        "be {chance}.",
        level=ruled(f"{SELECTION_LEVEL:g}".lstrip("0"), "the level of selection"),
        k=sourced(counted(number["estimate"]), number),
        share=estimate(results, "share_at_least_one", "shuffled"),
        runs=ruled(runs, "resamples, a parameter of the notebook"),
        chance=estimate(results, "share_at_least_one", "formula"),
    )


def told_ridge(results: pd.DataFrame) -> Prose:
    """How much of the freedom of all factors the ridge model uses."""
    freedom = pick(results, "degrees_of_freedom", OS)
    shares = results[results["quantity"].eq("share_kept")]
    return Prose(
        "**Ridge.** It keeps all {k} factors and draws their ratios towards no effect, as far as "
        "prediction in left-out patients gains by it. What is left amounts to {freedom} free "
        "factors.",
        k=sourced(len(shares), shares),
        freedom=sourced(rounded(freedom["estimate"], 1), freedom),
    )


# --- exercises ---------------------------------------------------------------------------------


def kept_table(dataset: Dataset) -> pd.DataFrame:
    """For the exercises: a row for each resample, a column for each factor, true where kept."""
    asked = question(dataset)
    boot = _bootstrap(asked, **EXERCISE)
    labels = {factor.label: factor.column for factor in asked.factors}
    return pd.DataFrame(
        {name: [column in r.kept for r in boot.resamples] for name, column in labels.items()},
        index=pd.RangeIndex(1, len(boot.resamples) + 1, name="resample"),
    )


def exercise_1(dataset: Dataset) -> Exercise:
    """The chance that at least one of k factors without meaning has P below .05."""
    k, level = len(question(dataset).factors), SELECTION_LEVEL
    return Exercise(
        1 - (1 - level) ** k,
        "All of them miss it with a chance of .95 to the power of k. This is what is left of 1.",
        [
            (k * level, "That is how many are expected to have it. It can exceed 1: no chance."),
            ((1 - level) ** k, "That is the chance that none of them has it."),
            (level**k, "That is the chance that all of them have it."),
            (level, "That is the chance of each, alone."),
        ],
    )


def exercise_2(dataset: Dataset) -> Exercise:
    """The inclusion frequency of the factor nearest to a coin's toss."""
    table = kept_table(dataset)
    mine = table[coin(table)]
    some = table.any(axis=1)
    return Exercise(
        float(mine.mean()),
        "It is the mean of its column: the resamples that keep it, of all.",
        [
            (float(1 - mine.mean()), "That is the share that leaves it out."),
            (float(mine.sum()), "That is a number of resamples. A share is asked for."),
            (_part(mine.sum(), table.to_numpy().sum()), "You divided by everything that is kept."),
            (_part(mine.sum(), some.sum()), "A resample that keeps nothing counts, too."),
        ],
    )


def exercise_3(dataset: Dataset) -> Exercise:
    """The factor of which the resamples are least sure."""
    table = kept_table(dataset)
    shares = table.mean()
    whole = [f for f in shares.index if shares[f] > 0.5]
    mistakes = [
        (shares.idxmin(), "The resamples agree about it: they leave it out."),
        (shares.idxmax(), "The resamples agree about it: they keep it."),
    ]
    if whole:
        weakest = shares[whole].idxmin()
        mistakes.append((weakest, "Another is nearer to one half, from the other side."))
    return Exercise(
        coin(table),
        "Whether it is in the model is nearly a coin's toss. Yet it is printed or left out as a "
        "finding.",
        mistakes,
    )


def exercise_4(dataset: Dataset) -> Exercise:
    """How often resamples keep a factor whose P is .01."""
    cut = float(stats.norm.isf(SELECTION_LEVEL / 2))
    z = float(stats.norm.isf(P_OF_EXERCISE / 2))
    right = stats.norm.sf(cut - z) + stats.norm.cdf(-cut - z)
    return Exercise(
        float(right),
        "So P of .01 and “kept in about three of four resamples” say the same thing.",
        [
            (1 - P_OF_EXERCISE, "P is no chance that the factor is kept, nor 1 less it."),
            (1 - SELECTION_LEVEL, "That would be so if z of the resamples did not vary."),
            (0.5, "That is so where P is exactly .05: half of the resamples fall below."),
            (float(stats.norm.sf(cut - z, scale=2**0.5)), "The standard deviation is 1."),
            (float(stats.norm.cdf(cut - z)), "That is the share of the resamples below 1.96."),
        ],
    )


def coin(table: pd.DataFrame) -> str:
    """The factor whose share of resamples is nearest to one half; of equals the first."""
    return (table.mean() - 0.5).abs().round(9).idxmin()


def _part(part: float, whole: float) -> float:
    return float(part / whole) if whole else np.nan
