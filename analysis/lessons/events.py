"""Which event after baseline a lesson speaks of: a rule that holds for any dataset."""

from __future__ import annotations

from collections.abc import Sequence

from ..dataset import Dataset, Factor, NotRecorded

TRANSPLANT, RESPONSE = "hsct_day", "response_day"


def later_event(
    dataset: Dataset, preferred: Sequence[str] = (TRANSPLANT, RESPONSE), column: str = ""
) -> Factor:
    """An event that comes to some patients after baseline, as a factor of all patients.

    The first of the `preferred` columns, then of the dataset's factors after baseline, that some
    patients have after day 0 and before their end, and others never have. A `column` that is named
    is taken. Whatever the dataset's own factor restricts itself to, here are all patients. Raises
    NotRecorded where there is none, or the named one is none of these.
    """
    named = [factor.column for factor in dataset.factors if factor.kind == "postbaseline"]
    there = [name for name in (*preferred, *named) if _comes_to_some(dataset, name)]
    if column and column not in there:
        raise NotRecorded(
            f"“{column}” is no event that comes to some patients of this dataset after baseline."
        )
    if not there:
        raise NotRecorded("This dataset records no event that comes to some patients on the way.")
    chosen = column or there[0]
    return Factor(chosen, dataset.label(chosen), "postbaseline", endpoints=("os",))


def _comes_to_some(dataset: Dataset, column: str) -> bool:
    """Whether it happens on the way in some patients, and in some not at all."""
    if column not in dataset.patients:
        return False
    day = dataset.patients[column]
    within = day.gt(0) & day.lt(dataset.patients["last_contact_day"])
    return bool(within.any() and day.isna().any())
