"""What the print says about itself: its numbers held against each other, and no patient read.

Here is what holds for any print. What one paper's own months and rows say stands on the page.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pandas as pd
from IPython.display import display

from ..dataset.model import Dataset, NotRecorded
from ..page.formats import rounded
from ..page.prose import Prose, sourced
from ..page.rows import frame
from ..page.tables import Table
from .bounds import NotPrinted, Print, result

ABSENT = "The paper does not print the numbers that this needs."

# Sums that the rows of Table 2 and of the text must give: the parts, then the total.
PARTS = {
    "hsct_day": ("hsct_in_remission", "hsct_after_relapse", "hsct_without_response"),
    "relapse_free": ("relapse_free_without_hsct", "relapse_free_after_hsct"),
    "patients": ("hsct_day", "without_hsct"),
}
# And once each; the last two are rows of one paper, which another print has not.
SUMS = (
    ("relapse_free_after_hsct|relapse_free", "relapse_free_without_hsct|relapse_free",
     "patients|relapse_free"),
    ("patients|relapse_free", "relapse_free|long_term"),
    ("patients|total", "patients"),
    ("best_response=CR|total", "best_response=CRh|total", "response_day"),
    ("primary_refractory=yes", "prior_relapses=1", "prior_relapses=≥2", "patients"),
)  # fmt: skip


@dataclass(frozen=True)
class Finding:
    """`facts` for the sentences of the page, `rows` of the results, and a table or none.

    `alone`: it is worth a page of its own.
    """

    facts: dict[str, object]
    rows: list[dict] = field(default_factory=list)
    table: Table | None = None
    alone: bool = True


class Findings:
    """The findings that a dataset's printed numbers allow, each by the name of what finds it.

    Raises NotRecorded where none are printed.
    """

    def __init__(self, dataset: Dataset) -> None:
        if dataset.published.empty:
            raise NotRecorded(
                "No published numbers come with this dataset, so there are none to hold against "
                "each other."
            )
        self.printed, self.found = Print(dataset), dict[str, Finding]()

    def add(self, find: Callable[[Print], Finding]) -> Callable[[Print], Finding]:
        """Keep what a function finds. One whose numbers are not printed is left out."""
        # One that would divide by a printed 0 has nothing to say either.
        with contextlib.suppress(NotPrinted, ZeroDivisionError):
            self.found[find.__name__] = find(self.printed)
        return find

    @property
    def results(self) -> pd.DataFrame:
        """Every number of the findings in the columns of the results.

        `lower` and `upper` are the ends of what the printed digits allow, not confidence limits.
        Raises NotRecorded where the print allows no finding.
        """
        if not any(finding.alone for finding in self.found.values()):
            raise NotRecorded(
                "The numbers that are printed of this dataset are not those that can be held "
                "against each other."
            )
        return frame(row for finding in self.found.values() for row in finding.rows)

    def facts(self, name: str) -> dict[str, object]:
        """What a finding says, by the names that sentences use, linked to all of its rows."""
        owners = [name for name, finding in self.found.items() for _ in finding.rows]
        rows = self.results[[owner == name for owner in owners]]

        def linked(fact: object) -> object:
            return sourced(fact, rows) if len(rows) and re.search(r"\d", str(fact)) else fact

        return {key: linked(fact) for key, fact in self.found[name].facts.items()}

    def says(self, given: str, *sentences: str) -> None:
        """Show what the text of one print says, in the book of the print that has this `given`."""
        if self.printed.has("given", given):
            display(Prose(*sentences))

    def tell(self, name: str, *sentences: str) -> None:
        """Show the sentences with the finding's facts, then its table; or that it is absent."""
        if name not in self.found:
            display(Prose(ABSENT))
            return
        display(Prose(*sentences, **self.facts(name)))
        if self.found[name].table:
            display(self.found[name].table)


# --- percentages and sums ------------------------------------------------------------------------


def percentages(printed: Print) -> Iterator[dict]:
    """Each printed percentage beside its printed count and what that is of, where both are."""
    for group in printed.groups("percent"):
        with contextlib.suppress(NotPrinted):
            yield _percentage(printed, group)


def _percentage(printed: Print, group: str) -> dict:
    name, bar, column = group.partition("|")
    characteristic, _, level = name.partition("=")
    # What it is of: the row that its characteristic is among, or the column.
    whole = _among(printed).get(characteristic) or "patients"
    percent, count, n = (
        printed("percent", group),
        printed.count(group),
        printed.count(whole + bar + column),
    )
    recomputed = rounded(100 * count / n, percent.decimals)
    share = percent.of(n)
    words = (printed.dataset.label(characteristic), level, column.replace("_", "-"))
    return {
        "group": group,
        "label": ", ".join(filter(None, words)),
        "count": count,
        "n": n,
        "printed": percent.text,
        "range": percent.range,
        "recomputed": recomputed,
        "same": recomputed == percent.text,
        "reachable": math.ceil(share.low) < share.high,  # by any whole number of n
    }


def _among(printed: Print) -> dict[str, str | None]:
    return {entry.column: entry.among for entry in printed.dataset.characteristics}


def sums(printed: Print) -> dict[str, list[dict]]:
    """By kind, the sums that must close: rows whose estimate is that of the parts, `n` the whole.

    A sum of which a number is not printed is left out; NotPrinted where there is none.
    """
    kinds = {
        "Columns of Table 2: long-term and others give all": _column_sums,
        "Levels of a characteristic, with the unknown, give the whole column": _level_sums,
        "Rows that are made of other rows": _row_sums,
    }
    found = {kind: [] for kind in kinds}
    for kind, every in kinds.items():
        for *parts, whole in every(printed):
            with contextlib.suppress(NotPrinted):
                number = sum(map(printed.count, parts))
                group = f"{' + '.join(parts)} = {whole}"
                row = result("sum", group, estimate=number, n=printed.count(whole))
                found[kind].append(row)
    if not any(found.values()):
        raise NotPrinted("The paper prints no parts of a whole.")
    return found


def _column_sums(printed: Print) -> Iterator[Sequence[str]]:
    for group in printed.groups("count"):
        name, _, column = group.partition("|")
        if column == "total":
            yield f"{name}|long_term", f"{name}|shorter", group


def unsummed(printed: Print) -> list[str]:
    """The characteristics that cannot be summed: some of their levels are printed, some not."""
    ends = _columns(printed)
    given = {column: [any(printed.has("count", group + end) for end in ends) for group in groups]
             for column, groups in _levels(printed).items()}  # fmt: skip
    return [column for column, has in given.items() if any(has) and not all(has)]


def _columns(printed: Print) -> list[str]:
    """The endings of the groups: nothing, then those of the tables with columns."""
    ends = [group.partition("|") for group in printed.groups("count")]
    return list(dict.fromkeys(bar + column for _, bar, column in ends))


def _levels(printed: Print) -> dict[str, list[str]]:
    """Every level that each characteristic can have, as groups."""
    enums = {f["name"]: f.get("constraints", {}).get("enum") for f in printed.dataset.fields}
    return {name: [f"{name}={level}" for level in enums[name]]
            for name in _among(printed) if enums.get(name)}  # fmt: skip


def _level_sums(printed: Print) -> Iterator[Sequence[str]]:
    for column, groups in _levels(printed).items():
        for end in _columns(printed):
            whole = _among(printed)[column] or "patients"
            yield [group + end for group in (*groups, whole)]


def _row_sums(printed: Print) -> Iterator[Sequence[str]]:
    for whole, parts in PARTS.items():
        for end in _columns(printed):
            yield [group + end for group in (*parts, whole)]
    yield from SUMS
