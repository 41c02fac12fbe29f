"""What a run found, on all pages of a dataset's book, and which rows of it a page shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from ..dataset.definitions import Definition
from ..dataset.endpoints import Endpoint, answerable, first_endpoint
from ..dataset.model import Dataset, Factor
from ..page.page import Number, Page
from ..page.prose import Prose, paged, share, sourced
from ..page.rows import COLUMNS, frame, pick
from ..study.curves import fewest
from ..study.models import factors_of, ratio_labels


@dataclass
class Study:
    """The results of every page of a dataset's book, and those of them that a page shows.

    A page that shows a number keeps its row, so that the number leads to a row of that page's
    own results. `first` is the place of the first kept row: the counts of answers come before it.
    """

    dataset: Dataset
    pages: dict[str, pd.DataFrame]
    first: int = 0
    kept: list[pd.DataFrame] = field(default_factory=list)

    @classmethod
    def of(cls, page: Page, first: int = 0) -> Study:
        """The study of a page that runs after those whose results it tells.

        Raises NotRecorded where its patients are so few that they are masked.
        """
        first_endpoint(page.data)
        return cls(page.data, page.others(), first)

    # --- what there is -------------------------------------------------------------------------

    @cached_property
    def endpoints(self) -> dict[str, Endpoint]:
        """The endpoints that the dataset records, by name."""
        return {question.name: question for question in answerable(self.dataset)}

    @property
    def curves(self) -> list[Endpoint]:
        """Those of them in which nothing competes and which have a page."""
        found = [question for question in self.endpoints.values() if not question.competing]
        return [question for question in found if self.page_of(question.name) in self.pages]

    @property
    def main(self) -> Endpoint:
        """The first endpoint in which nothing competes, or else the first."""
        return next(iter([*self.curves, *self.endpoints.values()]))

    @property
    def asked(self) -> list[Definition]:
        """The endpoints that the dataset records, or of which it has a column at least."""
        there = set(self.dataset.patients) - {"died"}
        return [
            plan
            for plan in self.dataset.endpoints.values()
            if plan.name in self.endpoints or there & set(plan.needed)
        ]

    def page_of(self, name: str) -> str:
        """The page of an endpoint."""
        return self.dataset.endpoints[name].page

    def link(self, name: str) -> Prose:
        """The short name of an endpoint's page, `Figure 1A` or its title, leading to it."""
        plan = self.dataset.endpoints[name]
        return paged(plan.figure or plan.title, plan.page)

    @cached_property
    def factors(self) -> list[Factor]:
        """The factors of any endpoint that the dataset records, each once."""
        found = [f for q in self.endpoints.values() for f in factors_of(self.dataset, q)]
        return list(dict.fromkeys(found))

    def label(self, key: str) -> str:
        """What a ratio is of, by its group in the results."""
        name, _, of = key.partition(":")
        if "|" not in name:
            return ratio_labels(self.dataset, self.endpoints[name])[key]
        column, _, level = of.partition("=")  # of a model that is named
        label = next((f.label for f in self.dataset.factors if f.column == column), None)
        label = label or self.dataset.label(column)
        return f"{label}: {level}" if level else label

    def estimates(self, page: str, quantity: str) -> pd.DataFrame:
        """The rows of a quantity that hold an estimate; none of a page that is not there."""
        rows = self.pages.get(page, frame([]))
        return rows[rows["quantity"].eq(quantity) & rows["estimate"].notna()]

    def followed(self, page: str, name: str) -> pd.Series:
        """How many are at risk on a curve, by month."""
        rows = self.pages.get(page, frame([]))
        counts = rows[rows["quantity"].eq("at_risk") & rows["group"].eq(name)]
        return counts.set_index("months")["estimate"]

    def last_followed(self, page: str, name: str) -> tuple[float | None, bool]:
        """The last landmark to which ten, and a tenth, were followed, and True.

        Where there is none the last to which anybody was: past it a curve is carried. Where nobody
        was followed to one, the last month of the curve, and False.
        """
        counts = self.followed(page, name)
        months = [month for month, n in counts.items() if n != 0 and month > 0]
        landmarks = [month for month in months if month in self.dataset.settings.months]
        firm = [m for m in landmarks if counts[m] >= fewest(self.dataset, counts.max())]
        return max(firm or landmarks or months, default=None), bool(landmarks)

    # --- what a page shows of it ---------------------------------------------------------------

    def number(self, page: str, *key: object) -> Number:
        """The number of a quantity, a group and, where it has one, a month; its row kept."""
        return Number(self.rows(page, key).iloc[0])

    def share(self, page: str, group: str) -> Prose:
        """A count within its whole, of a page."""
        return share(self.rows(page, ("count", group), ("percent", group)), group)

    def rows(self, page: str, *keys: tuple) -> pd.DataFrame:
        """The rows of these keys on a page, kept, numbered as in the results of this one."""
        return pd.concat([self._keep(pick(self.pages[page], *key)) for key in keys])

    def declared(self, group: str, count: int) -> Prose:
        """A count of this page's own: of what the dataset names, not of its patients."""
        row = {"quantity": "declared", "group": group, "estimate": count}
        return sourced(count, self._keep(frame([row]).iloc[0]).iloc[0])

    def results(self, counts: Sequence[dict] = ()) -> pd.DataFrame:
        """The page's own results: the counts, then what was kept, row by row."""
        parts = [part for part in (frame(counts), *self.kept) if len(part)]
        return pd.concat(parts, ignore_index=True) if parts else frame([])

    def _keep(self, row: pd.Series) -> pd.DataFrame:
        """One line of a page's results; a line that was kept before has its place already."""
        line = frame([row[COLUMNS].to_dict()])
        for known in self.kept:
            if known.reset_index(drop=True).equals(line):
                return known
        line.index = [self.first + len(self.kept)]
        self.kept.append(line)
        return line
