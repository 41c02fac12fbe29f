"""What a curve page records of groups side by side: each group's curve, and their contrasts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from .. import survival as est
from ..dataset.covariates import counting
from ..dataset.definitions import Compare
from ..dataset.endpoints import Endpoint
from ..dataset.model import Dataset
from ..page.formats import listed
from ..page.groups import competing, of_level
from ..page.masking import Whole
from ..page.rows import count_rows, frame
from .characteristics import compare_levels
from .curves import axis_months, incidence_results, survival_results, values_at


@dataclass(frozen=True)
class Groups:
    """The patients of one endpoint by the levels of a column, the reference first.

    `level` has each patient's level, indexed as the endpoint's data; missing where it is blank.
    """

    question: Endpoint
    compare: Compare
    level: pd.Series

    @property
    def levels(self) -> list[str]:
        """Those in which anybody is at risk."""
        return [level for level in self.level.cat.categories if (self.level == level).any()]

    @property
    def others(self) -> list[str]:
        """The levels that are set beside the reference; none where nobody is in that."""
        first, *others = self.levels or [""]
        return others if first == self.compare.reference else []

    @property
    def key(self) -> str:
        """The group of the results that is about all of them together."""
        return f"{self.question.name}|{self.compare.column}"

    @property
    def causes(self) -> list[str]:
        """The groups of the results of the event and, where one competes, of the other."""
        other = [competing(self.question)] if self.question.competing else []
        return [self.question.name, *other]

    def key_of(self, level: str, cause: str = "") -> str:
        """The group of the results that is about one of them."""
        return of_level(cause or self.question.name, self.compare.column, level)

    def of(self, level: str) -> Endpoint:
        """The endpoint of one group alone."""
        data = self.question.data[self.level == level]
        return replace(self.question, name=self.key_of(level), data=data, never=0)

    @property
    def known(self) -> Endpoint:
        """The endpoint of all whose group is known."""
        return replace(self.question, data=self.question.data[self.level.notna()])


def groups(dataset: Dataset, question: Endpoint, compare: Compare) -> Groups:
    """The endpoint's patients by what is to be compared."""
    levels = compare_levels(dataset, compare)
    level = dataset.groups(compare.column)[question.data.index]
    return Groups(question, compare, level.astype(pd.CategoricalDtype(levels)))


def group_results(dataset: Dataset, parts: Groups, curves: Mapping) -> pd.DataFrame:
    """Each group's curve as its page has the whole one, and what sets the groups apart.

    `curves` are in days, by level; with a competing event by cause, and in each cause by level.
    Where nothing competes `logrank`, `hazard_ratio_group`, `survival_difference` and
    `rmst_difference`; with a competing event also Gray's test and the ratio of subdistribution
    hazards, and what is said of hazards is said of the event alone. Differences and ratios are
    against the reference.
    """
    ticks = axis_months(dataset, parts.question)
    everybody = pd.Series(True, index=parts.level.index)
    rows = list(count_rows(f"{parts.key}=", parts.level.isna(), everybody, "", dataset.number))
    found = [_curve_results(dataset, parts, curves, level, ticks) for level in parts.levels]
    rows += _tests(dataset, parts)
    rows += _ratios(dataset, parts)
    if parts.question.competing:
        rows += _subdistribution(parts)
    else:
        rows += _differences(dataset, parts, curves)
    return pd.concat([*found, frame(rows)], ignore_index=True)


def group_wholes(parts: Groups) -> list[Whole]:
    """That the groups share out the patients of the endpoint, but those whose group is blank."""
    return [
        Whole(cause, tuple(parts.key_of(level, cause) for level in parts.levels), of, rest=True)
        for cause in parts.causes
        for of in ("estimate", "n", "events")
    ]


def _curve_results(
    dataset: Dataset, parts: Groups, curves: Mapping, level: str, ticks: Sequence[float]
) -> pd.DataFrame:
    one = parts.of(level)
    if not parts.question.competing:
        return survival_results(dataset, one, curves[level], ticks)
    of_causes = {parts.key_of(level, cause): curves[cause][level] for cause in parts.causes}
    return incidence_results(dataset, one, of_causes, ticks)


def event_counts(dataset: Dataset, parts: Groups) -> list[dict]:
    """How many of each group had the event while they were followed, and tests of these counts.

    `p_count` and, where the comparison has strata, `p_count_stratified`: see `count_test`. Where a
    cell of the table is masked there is none, since with the other cells it would give it back.
    """
    known, level, stratum = parts.known, parts.level.dropna(), strata(dataset, parts)
    event, cells, rows = known.observed == 1, [], []
    for one in parts.levels:
        mine = (level == one).to_numpy()
        had, n = known.many(mine & event), known.many(mine)
        cells += [had, n - had]
        key = {"group": parts.key_of(one), "n": n}
        rows.append({"quantity": "count", "estimate": had, **key})
        rows.append({"quantity": "percent", "estimate": 100 * had / n, **key})
    tests = {"p_count": None} | ({} if stratum is None else {"p_count_stratified": stratum})
    whole = {"group": parts.key, "n": known.size, "events": known.many(event)}
    hidden = any(cell in range(1, dataset.mask_below) for cell in cells)
    for name, within in tests.items():
        within = within if within is None else within[level.index].to_numpy()
        found = est.count_test(event, level.to_numpy(), within, known.number)
        rows.append({"quantity": name, "estimate": np.nan if hidden else found.p, **whole})
    return rows


def strata(dataset: Dataset, parts: Groups) -> pd.Series | None:
    """Each patient's stratum by all columns of the comparison's; missing where one is blank."""
    return strata_of(dataset, parts.compare.strata, parts.level.index)


def strata_of(dataset: Dataset, columns: Sequence[str], patients: pd.Index) -> pd.Series | None:
    """The stratum of some patients by columns; missing where one is blank, None without any."""
    if not columns:
        return None
    every = pd.concat([dataset.groups(name)[patients] for name in columns], axis=1)
    return every.astype(str).agg("|".join, axis=1).where(every.notna().all(axis=1))


def strata_named(dataset: Dataset, columns: Iterable[str]) -> str:
    """The columns of strata by their labels, in quotes: a bare one may read like a subgroup."""
    return listed(f"“{dataset.label(name)}”" for name in columns)


def _tests(dataset: Dataset, parts: Groups) -> Iterator[dict]:
    """Log-rank of all groups, within strata too, and of each pair; Gray's where events compete."""
    known = parts.known
    level, stratum = parts.level.dropna(), strata(dataset, parts)
    event = known.observed == 1
    given = {"logrank": None}
    if stratum is not None:
        given["logrank_stratified"] = stratum[level.index].to_numpy()
    for name, within in given.items():
        found = est.logrank(known.time, event, level.to_numpy(), within, known.entry, known.number)
        yield from _test_rows(name, parts.key, found, known)
    if known.competing and known.entry is None:
        for number, cause in enumerate(parts.causes, start=1):
            key = f"{cause}|{parts.compare.column}"
            found = est.gray(
                known.time, known.observed, number, level.to_numpy(), None, known.number
            )
            yield from _test_rows("gray", key, found, known)
    yield from _pairs(parts)


def _test_rows(name: str, key: str, found: est.Comparison, known: Endpoint) -> Iterator[dict]:
    common = {"group": key, "n": known.size, "events": known.many(known.observed == 1)}
    yield {"quantity": name, "estimate": found.chi2, **common}
    yield {"quantity": f"p_{name}", "estimate": found.p, **common}


def _pairs(parts: Groups) -> Iterator[dict]:
    """P of the log-rank test of each two of three or more groups, as it is and after Holm."""
    if len(parts.levels) < 3:
        return
    known, level = parts.known, parts.level.dropna()
    event = known.observed == 1
    found = est.pairwise(known.time, event, level.to_numpy(), None, known.entry, known.number)
    for (one, other), line in found.iterrows():
        one, other = sorted((one, other), key=parts.levels.index)
        both = level.isin([one, other]).to_numpy()
        common = {"group": f"{parts.key}={other}:{one}", "n": known.many(both)}
        common["events"] = known.many(both & event)
        yield {"quantity": "p_logrank_pair", "estimate": line["p"], **common}
        yield {"quantity": "p_logrank_holm", "estimate": line["adjusted"], **common}


def group_rows(dataset: Dataset, parts: Groups) -> tuple[pd.DataFrame, dict[str, str]]:
    """Rows of a Cox model of the groups, and the level of each column: all but the reference."""
    known = parts.known
    data, level = known.data, parts.level.dropna()
    columns = {f"group_{place}": other for place, other in enumerate(parts.others, start=1)}
    rows = pd.DataFrame(
        {
            "patient": data.index,
            "start": data["entry"],
            "stop": data["time"],
            "event": (data["event"] == 1).astype(int),
            **{column: (level == other).astype(float) for column, other in columns.items()},
        }
    ).reset_index(drop=True)
    rows = counting(dataset, rows)
    stratum = strata(dataset, parts)
    if stratum is not None:
        rows["stratum"] = stratum[data.index].to_numpy()
    return rows, columns


def _ratios(dataset: Dataset, parts: Groups) -> Iterator[dict]:
    """Hazard ratios against the reference, alone and within strata, and whether they stay."""
    rows, columns = group_rows(dataset, parts)
    if not columns:
        return
    kinds = {"group": rows.drop(columns="stratum", errors="ignore")}
    if "stratum" in rows:
        kinds["group_stratified"] = rows.dropna(subset="stratum")
    for kind, given in kinds.items():
        fit, given = group_fit(given, list(columns))
        common = {"n": fit.n, "events": fit.events}
        for column, line in fit.summary().reindex(list(columns)).iterrows():
            key = {"group": parts.key_of(columns[column]), **common}
            ratio = {"estimate": line["hazard_ratio"], **line[["lower", "upper"]]}
            yield {"quantity": f"hazard_ratio_{kind}", **ratio, **key}
            yield {"quantity": f"p_{kind}", "estimate": line["p"], **key}
            if kind == "group":
                yield {"quantity": "hazard_reduction_group", **_reduction(ratio), **key}
        p = est.proportional_hazards_test(given, list(fit.estimates.index))["p"]
        whole = {"group": parts.key, "estimate": p["global"], **common}
        yield {"quantity": f"p_proportional_{kind}", **whole}


def _reduction(ratio: Mapping[str, float]) -> dict[str, float]:
    """By how many per cent a ratio is below 1, as many papers print it; negative where above."""
    of = {"estimate": "estimate", "lower": "upper", "upper": "lower"}
    return {part: 100 * (1 - ratio[other]) for part, other in of.items()}


def group_fit(rows: pd.DataFrame, columns: Sequence[str]) -> tuple[est.CoxFit, pd.DataFrame]:
    """A Cox model of the groups that have an event, and its rows; its `n` counts all patients.

    The ratio of a group without one nears 0, where its patients weigh nothing in any risk set: the
    ratios of the other groups are those without them.
    """
    having = [column for column in columns if rows.loc[rows[column] > 0, "event"].any()]
    if not having:
        return est.cox(rows, columns), rows
    others = [column for column in columns if column not in having]
    kept = rows[~(rows[others] > 0).any(axis=1)]
    return replace(est.cox(kept, having), n=est.counted(rows)[0]), kept


def _subdistribution(parts: Groups) -> Iterator[dict]:
    """Fine and Gray's ratio of each group against the reference, of the event."""
    known = parts.known
    if not parts.others:
        return
    level = parts.level.dropna()
    x = pd.DataFrame({other: (level == other).astype(float) for other in parts.others})
    fit = est.fine_gray(known.time, known.observed, 1, x, known.entry, known.number)
    for other, line in fit.summary().iterrows():
        key = {"group": parts.key_of(other), "n": fit.n, "events": fit.events}
        ratio = {"estimate": line["hazard_ratio"], **line[["lower", "upper"]]}
        yield {"quantity": "subdistribution_ratio_group", **ratio, **key}
        yield {"quantity": "p_subdistribution_group", "estimate": line["p"], **key}


def _differences(dataset: Dataset, parts: Groups, curves: Mapping) -> Iterator[dict]:
    """Survival and restricted means at the landmarks less those of the reference."""
    if not parts.others:
        return
    curves = {level: curves[level] for level in (parts.compare.reference, *parts.others)}
    for month in dataset.settings.months:
        day = dataset.days(month)
        shares = {level: _share(dataset, curve, month) for level, curve in curves.items()}
        means = {level: _mean(curve, day) for level, curve in curves.items()}
        for level in parts.others:
            both = parts.question.many(parts.level.isin([level, parts.compare.reference]))
            key = {"group": parts.key_of(level), "months": month, "n": both}
            share = est.difference(shares[level], shares[parts.compare.reference])
            yield {"quantity": "survival_difference", **_limits(share), **key}
            yield {"quantity": "p_survival_difference", "estimate": share.p, **key}
            mean = est.difference(means[level], means[parts.compare.reference])
            in_months = {part: dataset.months(value) for part, value in _limits(mean).items()}
            yield {"quantity": "rmst_difference", **in_months, **key}
            yield {"quantity": "p_rmst_difference", "estimate": mean.p, **key}


def _share(dataset: Dataset, curve: pd.DataFrame, month: float) -> tuple[float, float]:
    """Survival at a month with its standard error, as far as a page knows it."""
    known = values_at(dataset, curve, [month])["survival"].iloc[0]
    return est.survival_at(curve, dataset.days(month)) if pd.notna(known) else (np.nan, np.nan)


def _mean(curve: pd.DataFrame, day: float) -> tuple[float, float]:
    """A restricted mean, which never goes past the follow-up of its group."""
    past = est.beyond([day], curve.index[-1]).any()
    return (np.nan, np.nan) if past else est.restricted_mean(curve, day)


def _limits(found: est.Difference) -> dict[str, float]:
    return {"estimate": found.estimate, "lower": found.lower, "upper": found.upper}
