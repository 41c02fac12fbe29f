"""What a run found, on all pages of a dataset's book, and which rows of it a page shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from ..dataset.endpoints import Endpoint, answerable, endpoint
from ..dataset.model import Dataset, Factor
from ..page.page import Number, Page
from ..page.prose import Prose, share, sourced
from ..page.rows import COLUMNS, frame, pick
from ..study.models import factors_of, ratio_labels

CURVES = {"os": "figure_1a", "rfs": "figure_1b", "os_after_hsct": "figure_1c"}


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
        endpoint(page.data, "os")
        return cls(page.data, page.others(), first)

    # --- what there is -------------------------------------------------------------------------

    @cached_property
    def endpoints(self) -> dict[str, Endpoint]:
        """The endpoints that the dataset records, by name."""
        found = answerable(self.dataset, "os", "rfs", "relapse", "os_after_hsct")
        return {question.name: question for question in found}

    @cached_property
    def factors(self) -> list[Factor]:
        """The factors of any endpoint that the dataset records, each once."""
        found = [f for q in self.endpoints.values() for f in factors_of(self.dataset, q)]
        return list(dict.fromkeys(found))

    def label(self, key: str) -> str:
        """What a ratio is of, by its group in the results."""
        return ratio_labels(self.dataset, self.endpoints[key.partition(":")[0]])[key]

    def estimates(self, page: str, quantity: str) -> pd.DataFrame:
        """The rows of a quantity that hold an estimate; none of a page that is not there."""
        rows = self.pages.get(page, frame([]))
        return rows[rows["quantity"].eq(quantity) & rows["estimate"].notna()]

    def last_followed(self, page: str, name: str) -> tuple[float | None, bool]:
        """The last landmark to which anybody was followed, and True: past it a curve is carried.

        Where nobody was followed to one, the last month of the curve, and False.
        """
        rows = self.pages.get(page, frame([]))
        there = rows["quantity"].eq("at_risk") & rows["group"].eq(name) & rows["estimate"].ne(0)
        months = [month for month in rows.loc[there, "months"] if month > 0]
        landmarks = [month for month in months if month in self.dataset.settings.months]
        return max(landmarks or months, default=None), bool(landmarks)

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
