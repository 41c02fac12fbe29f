"""The flow of the patients: who responded, was transplanted, relapsed and died."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from .. import survival as est
from ..dataset.endpoints import in_remission_at_hsct, long_term, responders
from ..dataset.model import Dataset
from ..page.rows import count_rows, frame
from .characteristics import _has_hsct, _suffix


@dataclass(frozen=True)
class Branch:
    """Patients of the flow diagram: those of the group `parent` whom the mask `which` holds.

    The branches of one parent share out its patients: each patient is in just one of them.
    """

    name: str
    parent: str
    which: pd.Series

    @property
    def group(self) -> str:
        """Its key in the results."""
        return self.name + _suffix(self.parent)


def flow(dataset: Dataset) -> list[Branch]:
    """What became of the patients, as far as the reserved columns say; a parent before its parts.

    All patients; then by response; the responders by transplant in remission; each of these by
    what came first of relapse and death; who did not respond, by death alone.
    """
    patients = dataset.patients
    everybody = pd.Series(True, index=patients.index)
    made = [Branch("patients", "", everybody)]
    if "response_day" not in patients:
        return made + _ends(dataset, made[0], relapse=False)
    responded = responders(patients)
    response = Branch("response_day", "patients", responded)
    neither = Branch("no_response", "patients", ~responded)
    relapse = "relapse_day" in patients
    made.append(response)
    if _has_hsct(dataset):
        treated = in_remission_at_hsct(patients)
        for name, which in (("hsct_in_remission", treated), ("no_hsct_in_remission", ~treated)):
            part = Branch(name, response.name, responded & which)
            made += [part, *_ends(dataset, part, relapse)]
    else:
        made += _ends(dataset, response, relapse)
    return [*made, neither, *_ends(dataset, neither, relapse=False)]


def _ends(dataset: Dataset, parent: Branch, relapse: bool) -> list[Branch]:
    """How the patients of a branch ended, with relapse before death where it is asked."""
    died = dataset.patients["died"].eq("yes")
    parts = {"died": died, "alive": ~died}
    if relapse:
        relapsed = dataset.happened("relapse_day")
        parts = {
            "relapsed": relapsed,
            "died_without_relapse": died & ~relapsed,
            "alive_without_relapse": ~died & ~relapsed,
        }
    return [Branch(name, parent.name, parent.which & which) for name, which in parts.items()]


def flow_results(dataset: Dataset) -> pd.DataFrame:
    """Counts of the flow diagram, each within its parent, and what its page warns of.

    `seen_early|alive_at_end`: of all alive at their last contact, who had it by the long-term
    month. `other_hsct|hsct_day`: of all transplanted, who is in no box of the diagram.
    `gone_by_then|no_hsct_in_remission`: of the responders not transplanted in remission, who had
    relapsed, died or left follow-up by the median time from response to transplant in the others.
    That median is `median_value` of `wait`, in months.
    """
    branches = flow(dataset)
    # Ends of the same name overwrite each other here, but only parents are looked up.
    masks = {"": branches[0].which, **{branch.name: branch.which for branch in branches}}
    rows = [
        row
        for branch in branches
        for row in count_rows(
            branch.name, branch.which, masks[branch.parent], _suffix(branch.parent)
        )
    ]
    alive = dataset.patients["died"].eq("no")
    rows += count_rows("seen_early", ~long_term(dataset), alive, "|alive_at_end")
    if "hsct_in_remission" in masks:
        rows += _wait_rows(dataset, masks["hsct_in_remission"], masks["no_hsct_in_remission"])
    return frame(rows)


def _wait_rows(dataset: Dataset, treated: pd.Series, others: pd.Series) -> Iterator[dict]:
    patients = dataset.patients
    transplanted = dataset.happened("hsct_day")
    yield from count_rows("other_hsct", ~treated, transplanted, "|hsct_day")
    wait = (patients["hsct_day"] - patients["response_day"])[treated].median()
    common = {"group": "wait", "n": int(treated.sum())}
    yield {"quantity": "median_value", "estimate": dataset.months(wait), **common}
    end = patients["last_contact_day"]
    if "relapse_day" in patients:
        end = patients["relapse_day"].fillna(end)
    gone = pd.Series(~est.beyond(end - patients["response_day"], wait), index=patients.index)
    yield from count_rows("gone_by_then", gone, others, "|no_hsct_in_remission")
