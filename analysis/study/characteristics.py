"""Counts and statistics of the patients, in columns: Table 1, Table 2, Table S1 and the text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
import pandas as pd

from .. import survival as est
from ..dataset.covariates import covariate_rows
from ..dataset.definitions import Compare
from ..dataset.endpoints import (
    dead,
    first_endpoint,
    in_remission_at_hsct,
    long_term,
    main_endpoint,
    relapse_free,
    relapsed_before_hsct,
    responders,
)
from ..dataset.model import Characteristic, Dataset, NotRecorded
from ..page.formats import at_time
from ..page.groups import in_column
from ..page.masking import Whole
from ..page.rows import count_rows, frame
from ..survival.sums import middle, spread
from .balance import balance_rows
from .curves import survival_rows

# Levels by which a column says that nothing is known.
UNKNOWN = {"unknown", "not known", "missing", "not recorded", "not available"}


def known(values: pd.Series) -> pd.Series:
    """Where a column says something: not where it is blank, or has a level such as Unknown."""
    return values.notna() & ~values.astype(str).str.strip().str.casefold().isin(UNKNOWN)


def filled_results(dataset: Dataset) -> pd.DataFrame:
    """How many patients there are, and in how many of them each column is known."""
    everybody = pd.Series(True, index=dataset.patients.index)
    rows = [
        {
            "quantity": "count",
            "group": name,
            "estimate": dataset.many(which),
            "n": dataset.many(everybody),
        }
        for name, which in dataset.patients.apply(known).items()
    ]
    return frame([*_headcount(dataset, {"": everybody}), *rows])


def characteristics_results(
    dataset: Dataset, kinds: Iterable[str], columns: Mapping[str, pd.Series]
) -> pd.DataFrame:
    """Counts, percentages and statistics of the dataset's characteristics of some `kinds`.

    `columns` maps each column of the table to a mask over the patients; a column named "" adds
    nothing to the group's key. Raises NotRecorded where the dataset describes none.
    """
    chosen = [entry for entry in dataset.characteristics if entry.kind in tuple(kinds)]
    if not chosen:
        raise NotRecorded("This dataset describes no characteristics of its patients.")
    return frame(
        [
            *_headcount(dataset, columns),
            *(
                row
                for entry in chosen
                for column, mask in columns.items()
                for row in _characteristic_rows(dataset, entry, mask, _suffix(column))
            ),
        ]
    )


def baseline_results(dataset: Dataset, compare: Compare | None = None) -> pd.DataFrame:
    """Table 1: every patient's baseline characteristics, and who is known in every factor.

    With groups to compare also a column for each, and how far it lies from the reference. Raises
    NotRecorded where the dataset describes nothing else than its groups.
    """
    described = {entry.column for entry in dataset.characteristics if entry.kind == "baseline"}
    if compare and described == {compare.column}:
        raise NotRecorded("This dataset describes nothing of its patients but their groups.")
    everybody = pd.Series(True, index=dataset.patients.index)
    columns = {"": everybody}
    if compare:
        level = dataset.groups(compare.column)
        columns |= {
            f"{compare.column}={one}": level == one for one in compare_levels(dataset, compare)
        }
    table = characteristics_results(dataset, ["baseline"], columns)
    if compare:
        table = pd.concat([table, frame(balance_rows(dataset, ("baseline",), compare))])
    baseline = [factor for factor in dataset.factors if factor.kind == "baseline"]
    if not baseline:
        return table
    complete = covariate_rows(dataset, first_endpoint(dataset), baseline)["patient"]
    known = pd.Series(everybody.index.isin(complete), index=everybody.index)
    return pd.concat(
        [
            table,
            frame(count_rows("known_in_every_factor", known, everybody, "", dataset.number)),
        ],
        ignore_index=True,
    )


def column_wholes(
    results: pd.DataFrame, columns: Iterable[str], total: str = "", rest: bool = False
) -> list[Whole]:
    """That the patients of a table's columns, without its `total`, are those of the total.

    And that a row is about the patients of its column, or about those of them who are known. With
    a `rest`, some are in no column but that of all.
    """
    columns = [column for column in columns if column != total]
    names = results[results["quantity"].eq("count")]["group"].str.partition("|")[0].unique()
    numbers = set(results[results["quantity"].eq("median_value")]["group"].str.split("|").str[0])
    made = []
    for name in sorted(names, key=lambda name: name != "patients"):
        for column in [*columns, total]:
            head, group = in_column("patients", column), in_column(name, column)
            made.append(Whole(group, (head,), "n"))
            if name in numbers:
                made.append(Whole(group, (head,), "n", whole_of="estimate"))
                made.append(Whole(head, (group,), whole_of="n", rest=True))
        if columns:
            parts = tuple(in_column(name, column) for column in columns)
            made.append(Whole(in_column(name, total), parts, "n", rest=rest))
    return made


def outcome_wholes(results: pd.DataFrame, columns: Iterable[str]) -> list[Whole]:
    """What adds up in Table 2."""
    made = column_wholes(results, columns, "total")
    for whole, parts in OUTCOME_PARTS.items():
        for column in columns:
            inside = tuple(in_column(part, column) for part in parts)
            made.append(Whole(in_column(whole, column), inside))
    if "long_term" in columns:
        made.append(Whole("patients|long_term", ("long_term",), whole_of="n"))
        made.append(Whole("long_term", ("patients|total",), "n"))
    return made


def compare_levels(dataset: Dataset, compare: Compare) -> list[str]:
    """The levels of what is compared, the reference first."""
    levels = dataset.levels(compare.column)
    return sorted(levels, key=lambda level: level != compare.reference)


def outcome_columns(dataset: Dataset) -> dict[str, pd.Series]:
    """The columns of Table 2: known alive after the long-term month, the others, all.

    All alone where nobody is known to have lived so long.
    """
    alive = long_term(dataset)
    if not alive.any():
        return {"total": ~alive}
    return {"long_term": alive, "shorter": ~alive, "total": alive | True}


def outcome_results(dataset: Dataset) -> pd.DataFrame:
    """Table 2: the dataset's own outcomes, then MRD response, transplant and relapse-free survival.

    Below them the two answers to how many lived that long: who was alive but last seen earlier
    (`lost`), and the Kaplan-Meier estimate. Raises NotRecorded where the dataset has no outcome,
    or no deaths.
    """
    dataset.require("Outcomes by survival", "died")
    columns, derived = outcome_columns(dataset), derived_outcomes(dataset)
    rows = [
        row
        for entry in outcome_order(dataset)
        for column, mask in columns.items()
        for row in (
            _characteristic_rows(dataset, entry, mask, _suffix(column))
            if isinstance(entry, Characteristic)
            else count_rows(entry, derived[entry], mask, _suffix(column), dataset.number)
        )
    ]
    if not rows:
        raise NotRecorded(
            "Outcomes cannot be compared: this dataset records no response, transplant or relapse "
            "and describes no outcome of its own."
        )
    if "long_term" in columns:
        number = dataset.number
        rows += count_rows("long_term", columns["long_term"], columns["total"], "", number)
        lost = ~columns["long_term"] & ~dead(dataset.patients)
        for column, mask in columns.items():
            rows += count_rows("lost", lost, mask, _suffix(column), number)
        if not first_endpoint(dataset).competing:
            rows.append(_survival_at_long_term(dataset))
    return frame([*_headcount(dataset, columns), *rows])


def _survival_at_long_term(dataset: Dataset) -> dict:
    question, month = main_endpoint(dataset), dataset.settings.long_term_months
    curve = est.survival_curve(question.time, question.observed, question.entry, question.number)
    return next(survival_rows(dataset, curve, "survival", question.name, [month]))


# The rows of Table 2 that share out the patients of another one.
OUTCOME_PARTS = {
    "hsct_day": ("hsct_in_remission", "hsct_after_relapse", "hsct_without_response"),
    "relapse_free": ("relapse_free_without_hsct", "relapse_free_after_hsct"),
}


def derived_outcomes(dataset: Dataset) -> dict[str, pd.Series]:
    """The rows of Table 2 that the reserved columns give, as masks over the patients."""
    patients = dataset.patients
    found = {}
    if "mrd_response_day" in patients:
        found["mrd_response_day"] = dataset.happened("mrd_response_day")
    if "hsct_day" in patients:
        found["hsct_day"] = dataset.happened("hsct_day")
    if {"hsct_day", "response_day"} <= set(patients):
        found["hsct_in_remission"] = in_remission_at_hsct(patients)
        found["hsct_after_relapse"] = relapsed_before_hsct(patients)
        known = found["hsct_in_remission"] | found["hsct_after_relapse"]
        found["hsct_without_response"] = found["hsct_day"] & ~known
    if {"relapse_day", "response_day"} <= set(patients):
        found["relapse_free"] = relapse_free(dataset)
        if "hsct_day" in patients:
            transplanted = found["hsct_day"]
            found["relapse_free_without_hsct"] = found["relapse_free"] & ~transplanted
            found["relapse_free_after_hsct"] = found["relapse_free"] & transplanted
    return found


def outcome_order(dataset: Dataset) -> list[Characteristic | str]:
    """The rows of Table 2 in order: a characteristic among the MRD responders follows theirs."""
    own = [entry for entry in dataset.characteristics if entry.kind == "outcome"]
    order: list[Characteristic | str] = [entry for entry in own if entry.among is None]
    for name in derived_outcomes(dataset):
        order += [name, *(entry for entry in own if entry.among == name)]
    return order + [entry for entry in own if entry.among and entry not in order]


def relapse_free_columns(dataset: Dataset) -> dict[str, pd.Series]:
    """The columns of Supporting Table 1: responders, by long-term relapse-free status."""
    dataset.require("Characteristics by relapse-free status", "response_day", "relapse_day")
    everybody = responders(dataset.patients)
    free = relapse_free(dataset) & _long_term(dataset)
    transplanted = in_remission_at_hsct(dataset.patients) if _has_hsct(dataset) else None
    status = {"relapse_free": free, "other": everybody & ~free}
    return {**_by_transplant(status, transplanted), "total": everybody}


def survival_columns(dataset: Dataset) -> dict[str, pd.Series]:
    """The columns of Supporting Table 2: all patients, by long-term survival.

    Raises NotRecorded where the dataset has no deaths.
    """
    dataset.require("Characteristics by survival", "died")
    alive = _long_term(dataset)
    transplanted = dataset.happened("hsct_day") if _has_hsct(dataset) else None
    status = {"long_term": alive, "shorter": ~alive}
    return {**_by_transplant(status, transplanted), "total": alive | True}


def _long_term(dataset: Dataset) -> pd.Series:
    """Who is known to have lived so long. Raises NotRecorded where nobody is."""
    alive = long_term(dataset)
    if not alive.any():
        raise NotRecorded(
            "Long-term survivors cannot be compared: nobody in this dataset was followed "
            f"beyond {at_time(dataset.settings.long_term_months)}."
        )
    return alive


def _has_hsct(dataset: Dataset) -> bool:
    return "hsct_day" in dataset.patients


def _by_transplant(
    status: Mapping[str, pd.Series], transplanted: pd.Series | None
) -> dict[str, pd.Series]:
    if transplanted is None:
        return dict(status)
    return {
        f"{name}_{suffix}": mask & side
        for name, mask in status.items()
        for suffix, side in (("with_hsct", transplanted), ("without_hsct", ~transplanted))
    }


def _suffix(column: str) -> str:
    return f"|{column}" if column else ""


def _headcount(dataset: Dataset, columns: Mapping[str, pd.Series]) -> Iterator[dict]:
    for column, mask in columns.items():
        count = dataset.many(mask)
        group = f"patients{_suffix(column)}"
        yield {"quantity": "count", "group": group, "estimate": count, "n": count}


def _characteristic_rows(
    dataset: Dataset, entry: Characteristic, mask: pd.Series, suffix: str
) -> Iterator[dict]:
    if entry.among:
        mask = mask & dataset.happened(entry.among)
    if entry.statistics:
        values = dataset.patients[entry.column][mask].dropna()
        number = None if dataset.number is None else dataset.number[values.index].to_numpy()
        yield from _number_rows(entry.column + suffix, values, number)
        return
    values = dataset.groups(entry.column)
    for level in shown_levels(dataset, entry):
        which = values.eq(level)
        yield from count_rows(f"{entry.column}={level}", which, mask, suffix, dataset.number)
    if not entry.among and values.isna().any():
        yield from count_rows(f"{entry.column}=", values.isna(), mask, suffix, dataset.number)


def shown_levels(dataset: Dataset, entry: Characteristic) -> list[str]:
    """The levels that the dataset lists, or those that its patients have."""
    return list(entry.levels or dataset.levels(entry.column))


def _number_rows(group: str, values: pd.Series, number: np.ndarray | None) -> Iterator[dict]:
    n, (mean, sd) = len(values) if number is None else int(number.sum()), spread(values, number)
    statistics = {
        "count": n,
        "median_value": middle(values, number),
        "min": values.min(),
        "max": values.max(),
        "mean": mean,
        "sd": sd,
    }
    for quantity, value in statistics.items():
        yield {"quantity": quantity, "group": group, "estimate": value, "n": n}


def text_results(dataset: Dataset) -> pd.DataFrame:
    """Counts of the sentences that no table has: survivors by relapse and transplant.

    Each row counts the patients of its name within its column, which is the denominator:
    `relapse_free_after_hsct|relapse_free` are the transplanted of the relapse-free long-term
    survivors. Raises NotRecorded where response, relapse or transplant is not in the dataset.
    """
    dataset.require("The numbers of the text", "response_day", "relapse_day", "hsct_day")
    responded, alive = responders(dataset.patients), _long_term(dataset)
    free, transplanted = relapse_free(dataset), dataset.happened("hsct_day")
    after, without = free & transplanted, free & ~transplanted
    columns = {
        "": alive | True,
        "response_day": responded,
        "long_term": alive,
        "relapse_free": alive & free,
        "long_term_without_hsct": alive & ~transplanted,
    }
    shares = [
        ("response_day", responded, ""),
        ("relapse_free", free, "long_term"),
        ("without_hsct", ~transplanted, "long_term"),
        ("relapse_free_without_hsct", without, "long_term"),
        ("relapse_free_after_hsct", after, "relapse_free"),
        ("relapse_free_without_hsct", without, "relapse_free"),
        # What the page says against misreading: the other denominator, and who is in both groups.
        ("long_term_relapse_free", alive & free, "response_day"),
        ("relapse_free_after_hsct", after, "long_term_without_hsct"),
    ]
    rows = [
        row
        for name, which, column in shares
        for row in count_rows(name, which, columns[column], _suffix(column), dataset.number)
    ]
    return frame([*_headcount(dataset, columns), *rows])


def text_wholes() -> list[Whole]:
    """What is the same group of patients in the text's counts, or adds up to it."""
    of = {
        "response_day": "",
        "relapse_free|long_term": "long_term",
        "without_hsct|long_term": "long_term",
        "relapse_free_without_hsct|long_term": "long_term",
        "relapse_free_after_hsct|relapse_free": "relapse_free",
        "relapse_free_without_hsct|relapse_free": "relapse_free",
        "long_term_relapse_free|response_day": "response_day",
        "relapse_free_after_hsct|long_term_without_hsct": "long_term_without_hsct",
    }
    same = [
        ("response_day", "response_day"),
        ("relapse_free", "relapse_free|long_term"),
        ("relapse_free", "long_term_relapse_free|response_day"),
        ("long_term_without_hsct", "without_hsct|long_term"),
    ]
    free = tuple(f"relapse_free_{how}_hsct|relapse_free" for how in ("without", "after"))
    return [
        *(Whole(f"patients|{column}", (group,), whole_of="n") for column, group in same),
        *(
            Whole(group, (f"patients|{column}",), "n", whole_of="estimate")
            for column, group in same
        ),
        *(Whole(group, (in_column("patients", column),), "n") for group, column in of.items()),
        Whole("patients|relapse_free", free, whole_of="n"),
    ]
