"""Tables of what a curve says at the landmark months, and beyond them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import pandas as pd

from ..dataset.definitions import in_sentence
from ..dataset.endpoints import Endpoint
from ..page.formats import CARRIED, DAGGER, at_time, clock, counted
from ..page.page import Number, Page
from ..page.quantities import MISSING
from ..page.rows import at_risk, nobody_left
from ..page.tables import Row, Table
from .sentences import follow_up_end


def landmark_table(
    page: Page, question: Endpoint, quantity: str, groups: Mapping[str, str], caption: str
) -> Table:
    """Estimates at the landmark months of one or more groups, which map to their labels."""

    def followed(number: Number) -> float:
        return at_risk(page.numbers, question.name, number.row["months"])

    rows = []
    for group, label in groups.items():
        rows += [Row(label)] if len(groups) > 1 else []
        for at in page.data.settings.months:
            number = page[quantity, group, at]
            share = f"{number.bare}% {page.mark(number)}".strip() if number.known else MISSING
            limits = f"{number.limits}%" if number.limits else MISSING
            left = followed(number)
            cells = (share, limits, counted(left), _events(number, left))
            rows.append(Row(at_time(at), cells, int(len(groups) > 1)))
    shares = page.numbers[page.numbers["quantity"].eq(quantity)]
    notes = [
        "CI, confidence interval (log-log). At risk: followed until just before the landmark. "
        "Events: up to and on the landmark, so one on that very day is in both.",
        *past_follow_up(rows, page.numbers, [question.name]),
        *without_limits(shares[shares["months"].isin(page.data.settings.months)]),
    ]
    columns = ("Time", "Estimate", "95% CI", "At risk", "Events")
    return page.rows_table("landmarks", caption, columns, rows, notes)


def past_follow_up(
    rows: Iterable[Row],
    results: pd.DataFrame,
    groups: Sequence[str],
    place: int = 0,
    titles: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """The notes on marks and dashes in the column of estimates at landmarks, or on its end."""
    cells = [row.cells[place] for row in rows if row.cells]
    each = {group: str(follow_up_end(results, group)) for group in groups}
    several = len(titles) > 1 and len(set(each.values())) > 1
    ends = "; ".join(
        dict.fromkeys(
            in_sentence(titles[g]) + ": " + end if several else end for g, end in each.items()
        )
    )
    notes = {
        CARRIED: any(cell.endswith(DAGGER) for cell in cells),
        f"{MISSING}, nobody was followed so long": MISSING in cells,
    }
    told = [f"{note} ({ends})." for note, needed in notes.items() if needed]
    over = not told and any(nobody_left(results, group) for group in groups)
    return [f"{ends[0].upper()}{ends[1:]}."] if over else told


def without_limits(shares: pd.DataFrame) -> list[str]:
    """The note on shares that are known and have no interval, where there are any."""
    there = shares["estimate"].notna() & shares[["lower", "upper"]].isna().all(axis=1)
    said = "A share of 0 or 100% has no interval: the log-log scale has no value there."
    return [said] if there.any() else []


def _events(number: Number, followed: float) -> str:
    """How many had the event; past follow-up that is not known, which is not the same as masked."""
    nobody = pd.notna(followed) and followed == 0
    return MISSING if nobody and not number.known else str(number.events)


def plateau_table(page: Page, groups: Mapping[str, str], caption: str) -> Table:
    """What comes after each landmark: who is followed, for how long, and the rate of events."""
    months, last = page.data.settings.months, page.data.settings.months[-1]
    conditional = page.numbers["quantity"].eq("conditional_survival")
    survival = page.numbers.loc[conditional, "estimate"].notna().any()
    rows, seen_little = [], False
    for group, label in groups.items():
        rows += [Row(label)] if len(groups) > 1 else []
        for at in months:
            rate = page["event_rate", group, at]
            years = page["person_years", group, at]
            little = years.known and years.value < 1
            seen_little |= little
            told = MISSING if little else with_limits(rate)
            cells = [str(rate.n), years.bare, _events(rate, rate.row["n"]), told]
            if survival:
                late = page["conditional_survival", group, at] if at < last else None
                cells.append(f"{with_limits(late, '%')} {page.mark(late)}" if late else MISSING)
            rows.append(Row(clock(at), [cell.strip() for cell in cells], int(len(groups) > 1)))
    columns = [f"Beyond {page.unit.one}", "Followed", "Patient-years", "Events",
               "Per 100 patient-years (95% CI)"]  # fmt: skip
    note = "CI, confidence interval (rates: exact Poisson"
    if survival:
        columns.append(f"Without event to {at_time(last)} (95% CI)")
        note += "; shares: log-log"
    blank = any(cell == MISSING or f"({MISSING})" in cell for row in rows for cell in row.cells)
    note += ")." + f" {MISSING}, no estimate, or an estimate without an interval." * blank
    note += " Less than one patient-year gives no rate." * seen_little
    marked = any(row.cells[-1].endswith(DAGGER) for row in rows if row.cells)
    notes = [note, *[f"{CARRIED.replace('so long', f'to {at_time(last)}')}."] * marked]
    return page.rows_table("plateau", caption, columns, rows, notes)


def with_limits(number: Number, unit: str = "") -> str:
    """`7.7 (0.9–27.9)`, or a dash where there is no estimate."""
    if not number.known:
        return MISSING
    limits = f"{number.limits}{unit}" if number.limits else MISSING
    return f"{number.bare}{unit} ({limits})"
