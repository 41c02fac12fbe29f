"""From patients to the rows of a Cox model: who is at risk from when to when, with which values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ..survival.times import NUMBER, met, one_time
from .endpoints import Endpoint
from .model import Dataset, Factor


def covariate_rows(dataset: Dataset, question: Endpoint, factors: Sequence[Factor]) -> pd.DataFrame:
    """Start-stop rows for a Cox model of `factors` (Therneau & Grambsch 2000, chapter 3).

    Only the patients complete in all factors: a baseline value on one of its sides or of its
    levels, and the `among` column met. A postbaseline factor is 0 up to and on its day, 1 after it,
    so that an event on the very day of the switch belongs to 0. Where `among` gives a day, a
    patient is at risk only after it: before, nobody knew that they would get there. See
    `entry_days`.

    Returns columns `patient`, `start`, `stop` (days; a row covers start < t <= stop, and the
    first start is -inf, so that an event on day 0 counts, or the day of entry), `event` (0 or 1)
    and the columns of floats of each factor, as `Factor.columns` names them: of a factor of levels
    one for each but the reference, which is 1 where the patient has that level. Of a folded
    dataset also NUMBER, of how many patients each is.
    """
    data, patients = question.data, dataset.patients.loc[question.data.index]
    baseline = {f: _baseline(dataset, patients, f) for f in factors if f.kind == "baseline"}
    later = [f for f in factors if f.kind == "postbaseline"]
    days = [_switch(patients, f) - data["origin"] for f in later]
    time, entry, *days = one_time(data["time"], entry_days(dataset, question, factors), *days)
    complete = entry < time
    for values in baseline.values():
        complete &= values.notna().all(axis=1)
    kept = data.assign(time=time, entry=entry)[complete]
    switch = {
        f.column: pd.Series(d, data.index)[complete] for f, d in zip(later, days, strict=True)
    }
    rows = counting(dataset, _split(kept, list(switch.values())))
    for factor in factors:
        if factor.kind == "baseline":
            rows[list(factor.columns)] = baseline[factor].loc[rows["patient"]].to_numpy()
        else:
            days = switch[factor.column].loc[rows["patient"]].to_numpy()
            # A switch before the origin is on from the start, which is -inf.
            rows[factor.column] = (np.where(days < 0, -np.inf, days) <= rows["start"]) * 1.0
    return rows


def counting(dataset: Dataset, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of a model, with the NUMBER of patients of each where the dataset is folded."""
    if dataset.number is None:
        return rows
    return rows.assign(**{NUMBER: dataset.number[rows["patient"]].to_numpy()})


def entry_days(dataset: Dataset, question: Endpoint, factors: Sequence[Factor]) -> pd.Series:
    """The day on an endpoint's clock after which each patient is at risk in a model of `factors`.

    That of the latest `among` that is a day, or of the endpoint's own entry where that is later;
    -inf where none comes after the clock's start, and missing for who is not among those asked.
    The delayed entry of left truncation (Andersen et al.
    1993, III.3): whoever is chosen by what happened on a day cannot have died before it.
    """
    origin = question.data["origin"]
    entry = pd.Series(-np.inf, index=origin.index)
    for column in {factor.among for factor in factors if factor.among}:
        happened = dataset.happened(column)[origin.index]
        day = dataset.patients.loc[origin.index, column] - origin if dataset.is_day(column) else 0.0
        entry = entry.where(~(day > entry), day).where(happened)
    entry = entry.where(entry.isna() | (entry > 0), -np.inf)
    return entry.clip(lower=question.data["entry"])


def never_at_risk(dataset: Dataset, question: Endpoint, factor: Factor) -> int:
    """How many of those asked have their event, or leave, on or before their day of entry."""
    time, entry = one_time(question.time, entry_days(dataset, question, [factor]))
    return question.many(time <= entry)


def rows_as_if_known(dataset: Dataset, question: Endpoint, factor: Factor) -> pd.DataFrame:
    """`covariate_rows` of one postbaseline factor as if its end were known from the start.

    One row a patient, at risk as long as there, and 1 for whoever ever has the event. It is wrong
    on purpose: it credits the event with the time needed to reach it (Anderson, Cain & Gelber
    1983). Pages set it beside the right rows.
    """
    whole = covariate_rows(dataset, question, [factor]).groupby("patient", as_index=False)
    rows = whole.agg(start=("start", "min"), stop=("stop", "max"), event=("event", "max"))
    came = _switch(dataset.patients, factor).notna()
    rows[factor.column] = came.loc[rows["patient"]].to_numpy() * 1.0
    return counting(dataset, rows)


def at_landmark(rows: pd.DataFrame, column: str, landmark: float) -> pd.DataFrame:
    """One row a patient still followed after `landmark`, by the state then (Anderson et al. 1983).

    `rows` are the `covariate_rows` of one postbaseline factor, `column` its name. The clock starts
    anew at the landmark: `stop` counts from it, `start` is -inf, and `column` keeps the value that
    it has right after the landmark. So who has the event or leaves on the day of the landmark
    itself is not there, and who switches on that day counts as switched: they may have their next
    event only after it. Later switches are not looked at, which is what makes the comparison fair.
    """
    ends = rows.groupby("patient").agg(stop=("stop", "max"), event=("event", "max"))
    landmark = float(met(landmark, rows[["start", "stop"]]))
    there = rows[(rows["start"] <= landmark) & (landmark < rows["stop"])]
    ends = ends.loc[there["patient"]].reset_index()
    ends.insert(1, "start", -np.inf)
    return ends.assign(stop=ends["stop"] - landmark, **{column: there[column].to_numpy()})


def _baseline(dataset: Dataset, patients: pd.DataFrame, factor: Factor) -> pd.DataFrame:
    """1 on the numerator's side, 0 on the denominator's, missing elsewhere; or the number.

    Of levels, for each but the reference 1 in those who have it, and missing where none is known.
    """
    values = patients[factor.column]
    if factor.reference is not None:
        level = dataset.groups(factor.column)[patients.index]
        known = level.isin(factor.levels)
        return pd.DataFrame(
            {
                column: level.eq(other).astype(float).where(known)
                for column, other in zip(factor.columns, factor.others, strict=True)
            },
            index=patients.index,
        )
    if not factor.numerator:
        return pd.to_numeric(values).to_frame()
    convert = float if pd.api.types.is_numeric_dtype(values) else str
    sides = [[convert(v) for v in side] for side in (factor.numerator, factor.denominator)]
    chosen = np.select([values.isin(side) for side in sides], [1.0, 0.0], np.nan)
    return pd.DataFrame({factor.column: chosen}, index=values.index)


def _switch(patients: pd.DataFrame, factor: Factor) -> pd.Series:
    """The day on which a postbaseline factor turns from 0 to 1; blank where it never does."""
    days = patients[factor.column]
    if factor.before:
        days = days.mask(patients[factor.before] <= days)
    return days


def _split(data: pd.DataFrame, switches: Sequence[pd.Series]) -> pd.DataFrame:
    """One row a patient from `entry` on, cut at each switch that falls within the follow-up."""
    pieces = [data["entry"]]
    pieces += [
        days[(days >= 0) & (days > data["entry"]) & (days < data["time"])] for days in switches
    ]
    starts = pd.concat(pieces).rename("start").rename_axis("patient").reset_index()
    rows = starts.drop_duplicates().sort_values(["patient", "start"], ignore_index=True)
    last = ~rows["patient"].duplicated(keep="last")
    ends = data.loc[rows["patient"]]
    rows["stop"] = rows["start"].shift(-1).where(~last, ends["time"].to_numpy())
    rows["event"] = np.where(last, ends["event"], 0)
    return rows
