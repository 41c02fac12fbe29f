"""The scorecard: every printed number beside the one that this run gives, counted once for all."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import pandas as pd

from ..dataset.columns import KINDS, LISTED
from ..dataset.model import Dataset, NotRecorded
from ..page.alignment import aligned
from ..page.formats import listed
from ..page.prose import Prose, sourced
from ..page.published import are_statements, compare, heading, tally
from ..page.quantities import MISSING
from ..page.rows import frame

FORMS = {"numbers": False, "statements": True}
COLUMNS = ("Number", "Printed", "Recomputed", "Print and run", "Kind", "Place in the paper")
SAME, OFF, NOT_MADE = "same", "differs", "not recomputed"
NOTHING = "**Nothing that is listed of the print can be recomputed from these data.**"


def scorecard(dataset: Dataset, made: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every row of `published`, in the order of the print, with `recomputed` and `match` added.

    `made` are the results of the pages, by name, as `Page.others` has them. `match` is False for
    a row that is only LISTED, which nothing recomputes: `counted` leaves those out.
    Raises NotRecorded where the dataset brings no printed numbers.
    """
    published = dataset.published
    if published.empty:
        raise NotRecorded("There is nothing to count: no published numbers come with this dataset.")
    none = frame([])
    parts = [compare(dataset, page, made.get(page, none)) for page in published["page"].unique()]
    rest = published[published["kind"].isin(LISTED)].assign(recomputed="", match=False)
    return pd.concat([part for part in (*parts, rest) if len(part)]).sort_index()


def counted(card: pd.DataFrame) -> pd.DataFrame:
    """The rows that a run could give: all but those that are only LISTED."""
    return card[~card["kind"].isin(LISTED)]


def totals(card: pd.DataFrame) -> pd.DataFrame:
    """How many numbers and statements are printed and matched, in the results format.

    Quantities `printed_numbers`, `matched_numbers`, `printed_statements`, `matched_statements`;
    the group is a kind, `unclassified`, or `all`, which leaves out what is only LISTED.
    """
    names = card["kind"].replace("", "unclassified")
    groups = {name: card[names == name] for name in (*KINDS, "unclassified")}
    groups = {name: rows for name, rows in groups.items() if len(rows)} | {"all": counted(card)}
    made = [
        {"quantity": f"{what}_{form}", "group": name, "estimate": count, "n": len(chosen)}
        for name, rows in groups.items()
        for form, says in FORMS.items()
        if len(chosen := rows[are_statements(rows) == says])
        for what, count in (("printed", len(chosen)), ("matched", int(chosen["match"].sum())))
        if what == "printed" or name not in LISTED
    ]
    return frame(made)


def printed_list(dataset: Dataset, card: pd.DataFrame) -> pd.DataFrame:
    """The whole list as a file: what each number is in words, its key, the print and the run."""
    words = [heading(dataset, card.loc[[row]], whole_book=True) for row in card.index]
    same = card["match"].map({True: SAME, False: OFF}).mask(card["kind"].isin(LISTED), NOT_MADE)
    made = card.assign(number=words, result=same)
    columns = ["number", "place", "printed", "recomputed", "result", "kind", "note"]
    return made[[*columns, "page", "quantity", "group", "months", "part"]]


# --- what two pages show ---------------------------------------------------------------------


def sentences(card: pd.DataFrame, link: str = "") -> Prose:
    """The total in a paragraph; `link` is a closing sentence."""
    rows, run = totals(card), counted(card)
    numbers, says = run[~are_statements(run)], run[are_statements(run)]

    def of(text: object, group: str, form: str = "numbers") -> Prose:
        """A text linked to what the scorecard counts of a group."""
        found = rows["group"].eq(group) & rows["quantity"].str.endswith(form)
        return sourced(text, rows[found], page="scorecard")

    kind, matches = numbers["kind"], numbers["match"]
    impossible = int((kind == "contradiction").sum())
    aimed = int((matches & (kind == "calibrated")).sum())
    off = int((~matches & (kind != "contradiction")).sum())
    beyond = card[(card["kind"] == "unavailable") & ~are_statements(card)]
    one = off + impossible == 1
    others = [f"{'' if one else '{off} '}{'differs' if off == 1 else 'differ'}"] * bool(off)
    never = "cannot come out, because the paper contradicts itself"
    others += [never if one else f"{{impossible}} {never}"] * bool(impossible)
    told = " and ".join(["{numbers}"] * bool(len(numbers)) + ["{says}"] * bool(len(says)))
    whose = (
        "This cohort reproduces" if (card["kind"] == "calibrated").any() else "These patients give"
    )
    said = [f"**{whose} {told} that the paper prints.**" if told else NOTHING]
    begin = "The remaining one" if one else "Of the other numbers,"
    said += [f"{begin} {listed(others)}."] * bool(others)
    more = "result that it prints needs" if len(beyond) == 1 else "results that it prints need"
    said += [f"{{beyond}} more {more} data that are not here."] * bool(len(beyond))
    said += ["The cohort was built to give {aimed} of the matching numbers. That these match is no "
             "evidence."] * bool(aimed)  # fmt: skip
    return Prose(
        " ".join([*said, *filter(None, [link])]),
        numbers=of(tally(numbers), "all") if len(numbers) else "",
        says=of(tally(says), "all", "statements") if len(says) else "",
        off=of(off, "all") if off else "",
        impossible=of(impossible, "contradiction") if impossible else "",
        aimed=of(aimed, "calibrated") if aimed else "",
        beyond=of(len(beyond), "unavailable") if len(beyond) else "",
    )


@dataclass(frozen=True)
class Ledger:
    """The whole list with a search box and two choices; without scripts it is simply whole.

    Everything in it is text; `rows` have a cell for each of COLUMNS.
    """

    caption: str
    rows: list[tuple[str, str, str, str, str, str]]

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/html": self._html(), "text/plain": f"{self.caption} {len(self.rows)} rows."}

    def _html(self) -> str:
        head = "".join(f'<th role="columnheader" scope="col">{name}</th>' for name in COLUMNS)
        columns = list(zip(*self.rows, strict=True))
        shown = [aligned(column) if 1 <= place <= 2 else list(map(html.escape, column))
                 for place, column in enumerate(columns)]  # fmt: skip
        body = "\n".join(map(self._row, zip(*shown, strict=True)))
        kinds = self._select("kind", "Kind", columns[4])
        sameness = self._select("same", "Print and run", columns[3])
        # A row that is laid out as a card would lose its place in the table without its role.
        return (
            '<div class="ledger">\n<form class="ledger-controls" hidden>'
            '<div><label for="ledger-words">Find a number or a word</label>'
            '<input type="search" id="ledger-words" name="words" autocomplete="off"></div>'
            f"{kinds}{sameness}"
            '<p class="ledger-count" role="status" aria-live="polite"></p></form>\n'
            f'<p class="table-caption" id="ledger-caption">{html.escape(self.caption)}</p>\n'
            '<table class="data ledger-rows" role="table" aria-labelledby="ledger-caption">\n'
            f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>\n'
            f'<tbody role="rowgroup">\n{body}\n</tbody>\n</table>\n</div>\n'
        )

    @staticmethod
    def _select(name: str, label: str, values: Iterable[str]) -> str:
        texts = map(html.escape, filter(None, dict.fromkeys(values)))
        options = "".join(f'<option value="{text}">{text}</option>' for text in texts)
        return (
            f'<div><label for="ledger-{name}">{label}</label>'
            f'<select id="ledger-{name}" name="{name}"><option value="">all</option>'
            f"{options}</select></div>"
        )

    @staticmethod
    def _row(row: tuple[str, ...]) -> str:
        """A line of cells that are HTML already."""
        number, *cells = row
        inner = "".join(
            f'<td role="cell" data-label="{name}">{cell or MISSING}</td>'
            for name, cell in zip(COLUMNS[1:], cells, strict=True)
        )
        return (
            f'<tr role="row" data-same="{cells[2]}" data-kind="{cells[3]}">'
            f'<th role="rowheader" scope="row">{number}</th>{inner}</tr>'
        )


def ledger(dataset: Dataset, card: pd.DataFrame, caption: str) -> Ledger:
    """The whole list, one line for each place where a number is printed."""
    listing = printed_list(dataset, card)
    columns = ["number", "printed", "recomputed", "result", "kind", "place"]
    return Ledger(caption, [tuple(row) for row in listing[columns].itertuples(index=False)])
