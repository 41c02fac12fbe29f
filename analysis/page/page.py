"""A page of the book: its data, the numbers that it found, and how each of them is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import altair as alt
import pandas as pd
from IPython import get_ipython
from IPython.display import display

from ..dataset.model import Dataset, load
from .charts import Choice, Figure, with_source
from .formats import DAGGER, counted, interval, with_unit, written
from .masking import Whole, masked
from .plain import plain
from .prose import Prose, declared, ruled, sourced
from .published import Comparison, against_print
from .quantities import NOT_ESTIMABLE, nature
from .rows import frame, is_carried, pick, read, write
from .tables import Numbers, Row, Table
from .units import Unit, tell_time_of, unit_of


class Number(Prose):
    """One number of a page, with its unit: `7.5 months`. In a sentence it leads to its row.

    `row` is its row of the results; `text` what is shown of it, where that is not the estimate.
    An estimate that is carried forward has its `mark` in a sentence.
    """

    def __init__(self, row: pd.Series, text: str | None = None, mark: str = "") -> None:
        self.row, self._mark = row, mark
        made = sourced(with_unit(row) + mark if text is None else text, row)
        self.markdown, self.plain = made.markdown, made.plain

    @property
    def value(self) -> float:
        """The estimate itself, in the unit of the results; NaN where there is none."""
        return float(self.row["estimate"])

    @property
    def known(self) -> bool:
        return bool(pd.notna(self.row["estimate"]))

    @property
    def bare(self) -> str:
        """The estimate without its unit."""
        return written(self.row)

    @property
    def limits(self) -> str:
        """The 95 % interval, `5.5–8.5`, or nothing."""
        return interval(self.row) if self._limited else ""

    @property
    def cell(self) -> str:
        """For a table: `0.45 (0.31–0.64)`, or that no ratio can be estimated."""
        if not self.known and self.row["quantity"].startswith("hazard_ratio"):
            return NOT_ESTIMABLE
        return f"{self.bare} ({self.limits})" if self._limited else self.bare

    @property
    def ci(self) -> Number:
        """With its interval, for a sentence: `7.5 months (95% CI, 5.5–8.5)`."""
        limits = f" (95% CI, {self.limits})" if self._limited else ""
        return self.saying(with_unit(self.row) + self._mark + limits)

    @property
    def n(self) -> Number:
        """Of how many patients it is."""
        return self.saying(counted(self.row["n"]))

    @property
    def events(self) -> Number:
        return self.saying(counted(self.row["events"]))

    def saying(self, text: object) -> Number:
        """Other words that lead to the same row, such as the month or what follows from it."""
        return Number(self.row, str(text))

    @property
    def _limited(self) -> bool:
        return bool(self.row[["lower", "upper"]].notna().any())


class Page:
    """One notebook's page. Nothing is shown that `record` has not kept, masked, in its file."""

    def __init__(self, name: str, data: Dataset, folder: str) -> None:
        self.name, self.data, self.folder = name, data, folder
        self.numbers = frame([])
        self._known = self.numbers  # with the ends of follow-up, also where masking hides them

    def record(
        self,
        *parts: Iterable[dict] | pd.DataFrame,
        wholes: Iterable[Whole] = (),
        invented: str = "",
    ) -> None:
        """Keep the page's numbers and write them to their file; rows as `rows.COLUMNS` has them.

        `wholes` are the groups that others add up to, for what must not be told by a difference.
        Nothing is hidden of the patients that the page has `invented`: of the group of this name,
        and of those whose name begins with it and a bar.
        """
        found = self._in_place(pd.concat(map(frame, parts), ignore_index=True))
        ends = found.loc[found["quantity"].eq("followup_end"), "estimate"]
        own = found["group"].str.split("|").str[0].ne(invented)
        found.loc[own, :] = masked(self.data, found[own], wholes)
        self.numbers = found
        self._known = found.assign(estimate=found["estimate"].fillna(ends))
        write(self.numbers, self.folder, self.name)

    def _in_place(self, found: pd.DataFrame) -> pd.DataFrame:
        """The same rows, first those that the page has had, in their order: links lead there."""
        had, keys = (
            list(zip(rows["quantity"], rows["group"], rows["months"].fillna(-1), strict=True))
            for rows in (self.numbers, found)
        )
        places = {key: place for place, key in enumerate(had)}
        order = sorted(range(len(keys)), key=lambda row: places.get(keys[row], len(had)))
        return found.iloc[order].reset_index(drop=True)

    def __getitem__(self, key: tuple[str, str] | tuple[str, str, float]) -> Number:
        """The number of a quantity, a group and, where it has one, a month. Raises KeyError."""
        row = pick(self.numbers, *key)
        return Number(row, mark=self._mark(row))

    def first(self, group: str) -> Number:
        """The first number of a group, such as for how many patients it is of. Raises KeyError."""
        rows = self.numbers[self.numbers["group"].eq(group)]
        if rows.empty:
            raise KeyError(group)
        return Number(rows.iloc[0])

    def __contains__(self, key: str | tuple[str, str] | tuple[str, str, float]) -> bool:
        """Whether there is a row of a quantity, or the row of a whole key."""
        if isinstance(key, str):
            return bool(self.numbers["quantity"].eq(key).any())
        try:
            pick(self.numbers, *key)
        except KeyError:
            return False
        return True

    def mark(self, number: Number) -> str:
        """The mark of a value at a month that is carried forward, or nothing."""
        return self._mark(number.row)

    def _mark(self, row: pd.Series) -> str:
        if not nature(row["quantity"]).point or pd.isna(row["months"] + row["estimate"]):
            return ""
        if row["quantity"] == "conditional_survival":  # it reaches to the last landmark
            row = pick(self.numbers, "survival", row["group"], self.data.settings.months[-1])
        # A mark tells no day: it may rest on the end of follow-up that masking hides.
        return DAGGER if is_carried(self._known, row) else ""

    def share(self, group: str) -> Prose:
        """A count within its whole: `56 of 123 (45.5%)`; of nobody, no percentage."""
        count, percent = self["count", group], self["percent", group]
        part = f" ({with_unit(percent.row)})" if percent.known else ""
        return sourced(f"{counted(count.value)} of {count.n}{part}", count.row, percent.row)

    def others(self) -> dict[str, pd.DataFrame]:
        """The numbers of the pages that have run, by name, as `record` has written them.

        Only a notebook whose metadata says `reads_results` runs after the others and finds them.
        Raises FileNotFoundError where there are none.
        """
        found = {name: rows for name, rows in read(self.folder).items() if name != self.name}
        if not found:
            raise FileNotFoundError(f"No results in {self.folder}: does {self.name} run last?")
        return found

    def say(self, *sentences: str, **values: object) -> Prose:
        """Paragraphs with values put into their braces, as `Prose` has them."""
        return Prose(*sentences, **values)

    def setting(self, text: object, name: str) -> Prose:
        """What the dataset declares and no run computes."""
        return declared(text, name)

    def table(
        self,
        part: str,
        caption: str,
        columns: Mapping[str, Callable[[object], object] | None],
        lines: Iterable[tuple[str, object]],
        notes: Sequence[str] = (),
        **options: bool,
    ) -> Table:
        """A table whose cells the columns make of what each line is about.

        `lines` are headings with their keys; a key of None makes a subheading. `columns` maps the
        first heading to None, and each other one to what makes the cell of a key. `options` are
        those of `Table`.
        """
        lines = list(lines)
        under = int(any(key is None for _, key in lines))
        makers = [make for make in columns.values() if make]
        rows = [
            Row(heading)
            if key is None
            else Row(heading, [str(make(key)) for make in makers], under)
            for heading, key in lines
        ]
        return self.rows_table(part, caption, list(columns), rows, notes, **options)

    def rows_table(
        self,
        part: str,
        caption: str,
        columns: Sequence[str],
        rows: Sequence[Row],
        notes: Sequence[str] = (),
        **options: bool,
    ) -> Table:
        """A table of rows that are made already."""
        short = self.data.settings.abbreviations
        return Table(self.id(part), caption, columns, rows, notes, abbreviations=short, **options)

    def figure(
        self,
        part: str,
        chart: alt.LayerChart,
        words: str,
        caption: str,
        curves: Sequence[str] = (),
        choice: Choice | None = None,
        said: str = "",
    ) -> Figure:
        """A chart with what it shows in words, and its caption with the source of the data."""
        caption = with_source(self.data, caption)
        return Figure(self.id(part), chart, words, caption, curves, choice, said)

    def against_print(self) -> Comparison | Prose:
        """Each printed number of the page beside the one of this run."""
        return against_print(self.data, self.name, self.numbers)

    def all_numbers(self) -> Numbers:
        """Every row of the page behind a click; the links of its numbers lead there."""
        return Numbers(self.name, self.numbers)

    @property
    def unit(self) -> Unit:
        """The unit in which the dataset tells time."""
        return unit_of(self.data.settings)

    def id(self, part: str) -> str:
        """The name of a part of the page, by which a link finds it."""
        return f"{self.name}-{part}" if part else self.name


def open_page(
    name: str,
    dataset: str,
    folder: str,
    mask_below: int = 0,
    most: int | None = None,
    folded: bool = False,
) -> Page:
    """The page `name` of a dataset folder, with its results to be written to `folder`.

    The page of an endpoint may be opened by the endpoint's name. Counts from 1 to `mask_below` less
    one are hidden. Of more than `most` patients so many are drawn, and the page says so. A page
    that asks for a `folded` table counts each row of it as its number of patients; others get
    patients one by one, of very many those that are drawn. Raises DataError as `load` does.
    """
    if shell := get_ipython():
        shell.register_magic_function(plain, "cell")
    data = load(dataset, mask_below, most, folded)
    tell_time_of(data.settings)
    if data.drawn_from:
        display(_drawn(data))
    return Page(data.endpoints[name].page if name in data.endpoints else name, data, folder)


def _drawn(data: Dataset) -> Prose:
    """That a page computes with some of the patients."""
    return Prose(
        "**This page is about {some} of the {all} patients**, drawn at random and always the same. "
        "So its numbers differ a little from those of other pages, and its code on the whole file "
        "gives a little more or less.",
        some=ruled(f"{len(data.patients):,}", "of very many patients, those that are drawn"),
        all=f"{data.drawn_from:,}",
    )
