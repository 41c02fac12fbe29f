"""What the print says about itself: its numbers held against each other, and no patient read.

Each finding takes the printed numbers and returns what follows from them. A finding whose numbers
are not printed is left out. The first ones hold for any print. The others are about the paper's
own numbers, and its own rows stand here by name for that reason alone.
"""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

import pandas as pd

from ..dataset.model import Dataset, NotRecorded
from ..page.formats import listed, rounded
from ..page.prose import Prose, sourced
from ..page.rows import COLUMNS
from ..page.tables import Row, Table
from .bounds import Finding, Folded, NotPrinted, Print, limits, result
from .curves import (
    cured,
    follow_up,
    free_of_relapse,
    known_alive,
    late_relapse,
    plateau,
    remission_deaths,
    transplant_clock,
)
from .ratios import hazard_ratios, model_populations, wider_intervals

ABSENT = "The print has not the numbers that this would need."

# Sums that the rows of Table 2 and of the text must give: the parts, then the total.
PARTS = {
    "hsct_day": ("hsct_in_remission", "hsct_after_relapse", "hsct_without_response"),
    "relapse_free": ("relapse_free_without_hsct", "relapse_free_after_hsct"),
    "patients": ("hsct_day", "without_hsct"),
}
# The paper's own rows: what is said here of them is said of this print only.
OWN_SUMS = {
    "response_day": ("best_response=CR|total", "best_response=CRh|total"),
    "patients": ("primary_refractory=yes", "prior_relapses=1", "prior_relapses=≥2"),
}
TRIALS = (
    "Exploratory trial, primary analysis: patients",
    "Confirmatory trial, primary analysis: patients",
)
EXCLUDED = "Patients left out for Philadelphia chromosome-positive disease"


class Findings:
    """The findings that a dataset's printed numbers allow, by name."""

    def __init__(self, dataset: Dataset) -> None:
        if dataset.published.empty:
            raise NotRecorded(
                "No published numbers come with this dataset, so there are none to hold against "
                "each other."
            )
        self.found: dict[str, Finding] = {}
        for name, find in FINDINGS.items():
            # A finding that would divide by a printed 0 has nothing to say either.
            with contextlib.suppress(NotPrinted, ZeroDivisionError):
                self.found[name] = find(Print(dataset))

    def tell(self, name: str, *sentences: str) -> list[Prose | Table | Folded]:
        """The sentences with the finding's facts put in, then its table; or that it is absent."""
        if name not in self.found:
            return [Prose(ABSENT)]
        shown, table = Prose(*sentences, **self.facts(name)), self.found[name].table
        return [shown] if table is None else [shown, table]

    def facts(self, name: str, page: str = "") -> dict[str, object]:
        """What a finding says, by the names that sentences use; nothing where it is absent.

        What has a number in it is linked to the finding's rows of the results, which are those of
        this page or of the one named.
        """
        if name not in self.found:
            return {}
        results = self.results()
        rows = results[[owner == name for owner in self._owners()]]

        def linked(fact: object) -> object:
            number = len(rows) and re.search(r"\d", str(fact))
            return sourced(fact, rows, page=page) if number else fact

        return {key: linked(fact) for key, fact in self.found[name].facts.items()}

    def overview(self, answers: dict[str, tuple[str, str]]) -> Prose:
        """A list with a line a finding: its question, and its answer with the facts put in."""
        return Prose.joined(
            Prose(f"- **{question}** {answer}", **self.facts(key))
            for key, (question, answer) in answers.items()
            if key in self.found
        )

    def results(self) -> pd.DataFrame:
        """Every number of the findings in the columns of the results.

        `lower` and `upper` are the ends of what the printed digits allow, not confidence limits.
        """
        rows = [row for finding in self.found.values() for row in finding.rows]
        frame = pd.DataFrame(rows, columns=COLUMNS)
        numbers = COLUMNS[2:]
        frame[numbers] = frame[numbers].astype(float)
        return frame.astype({"n": "Int64", "events": "Int64"})

    def _owners(self) -> list[str]:
        """The finding that each row of the results is of."""
        return [name for name, finding in self.found.items() for _ in finding.rows]


def findings(dataset: Dataset) -> Findings:
    """Hold the dataset's printed numbers against each other.

    Raises NotRecorded where it has none.
    """
    return Findings(dataset)


# --- arithmetic -----------------------------------------------------------------------------------


def percentages(printed: Print) -> Finding:
    """Each printed percentage, recomputed from its printed count."""
    checked = []
    for group in printed.groups("percent"):
        with contextlib.suppress(NotPrinted):
            checked.append(percentage(printed, group))
    if not checked:
        raise NotPrinted("The print has no percentage with its counts.")
    wrong = [row for row in checked if not row["same"]]
    lines = [
        Row(row["label"], (f"{row['count']}/{row['n']}", row["printed"], row["recomputed"]))
        for row in wrong
    ]
    table = Table(
        "percentages",
        f"Percentages that their counts do not give: {len(wrong)} of {len(checked)}.",
        ("Row", "Count", "Printed, %", "Recomputed, %"),
        lines,
        abbreviations=printed.dataset.settings.abbreviations,
    )
    facts = {
        "checked": len(checked),
        "agree": len(checked) - len(wrong),
        "wrong": len(wrong),
        "unreachable": sum(not row["reachable"] for row in wrong),
    }
    rows = [
        result("percent", row["group"], estimate=100 * row["count"] / row["n"], n=row["n"])
        | limits(row["range"])
        for row in checked
    ]
    return Finding(facts, rows, table if wrong else None)


def percentage(printed: Print, group: str) -> dict:
    """A printed percentage beside its printed count and what that is of.

    Raises NotPrinted where one of them is missing.
    """
    percent, count, n = printed("percent", group), printed.count(group), _of(printed, group)
    recomputed = rounded(100 * count / n, percent.decimals)
    share = percent.range.times(Fraction(n, 100))
    return {
        "group": group,
        "label": _label(printed, group),
        "count": count,
        "n": n,
        "printed": percent.text,
        "range": percent.range,
        "recomputed": recomputed,
        "same": recomputed == percent.text,
        "reachable": math.ceil(share.low) < share.high,  # by any whole number of n
    }


def _of(printed: Print, group: str) -> int:
    """What a percentage is of: the row that its characteristic is among, or the column."""
    name, bar, column = group.partition("|")
    among = {entry.column: entry.among for entry in printed.dataset.characteristics}
    whole = among.get(name.partition("=")[0]) or "patients"
    return printed.count(whole + bar + column)


def _label(printed: Print, group: str) -> str:
    name, _, column = group.partition("|")
    characteristic, _, level = name.partition("=")
    parts = (printed.dataset.label(characteristic), level, column.replace("_", "-"))
    return ", ".join(part for part in parts if part)


def sums(printed: Print) -> Finding:
    """Sums that must close: columns, levels of a characteristic, and rows made of other rows."""
    kinds = {
        "Columns of Table 2: long-term and others give all": _column_sums(printed),
        "Levels of a characteristic, with the unknown, give the whole column": _level_sums(printed),
        "Rows that are made of other rows": _row_sums(printed),
    }
    checked = {kind: [s for s in found if s] for kind, found in kinds.items()}
    every = [one for found in checked.values() for one in found]
    if not every:
        raise NotPrinted("The print has no parts of a whole.")
    off = [one for one in every if one["estimate"] != one["n"]]
    lines = [
        Row(kind, (str(len(found)), str(sum(one["estimate"] == one["n"] for one in found))))
        for kind, found in checked.items()
    ]
    notes = [f"{one['group']}: the parts give {one['estimate']}, not {one['n']}." for one in off]
    table = Table("sums", "Sums of printed counts.", ("Sum", "Checked", "Close"), lines, notes)
    facts = {
        "checked": len(every),
        "close": len(every) - len(off),
        "wrong": len(off),
        "open": listed(_open_characteristics(printed)) or "none",
    }
    return Finding(facts, every, table)


def _sum(printed: Print, parts: Sequence[str], total: str) -> dict | None:
    """The sum of some counts beside their printed total; None where one of them is missing."""
    with contextlib.suppress(NotPrinted):
        found = sum(printed.count(part) for part in parts)
        group = f"{' + '.join(parts)} = {total}"
        return result("sum", group, estimate=found, n=printed.count(total))
    return None


def _column_sums(printed: Print) -> Iterator[dict | None]:
    for group in printed.groups("count"):
        name, _, column = group.partition("|")
        if column == "total":
            yield _sum(printed, (f"{name}|long_term", f"{name}|shorter"), group)


def _columns(printed: Print) -> list[str]:
    """The endings of the groups: nothing, then those of the tables with columns."""
    ends = [group.partition("|") for group in printed.groups("count")]
    return list(dict.fromkeys(bar + column for _, bar, column in ends))


def _levels(printed: Print) -> dict[str, list[str]]:
    """Every level that each characteristic can have."""
    enums = {f["name"]: f.get("constraints", {}).get("enum") for f in printed.dataset.fields}
    columns = [e.column for e in printed.dataset.characteristics if enums.get(e.column)]
    return {column: [f"{column}={level}" for level in enums[column]] for column in columns}


def _level_sums(printed: Print) -> Iterator[dict | None]:
    among = {entry.column: entry.among for entry in printed.dataset.characteristics}
    for column, levels in _levels(printed).items():
        for end in _columns(printed):
            whole = (among[column] or "patients") + end
            yield _sum(printed, [level + end for level in levels], whole)


def _open_characteristics(printed: Print) -> list[str]:
    """Those with some levels printed and some not, so that nothing can be summed."""
    found = []
    for column, levels in _levels(printed).items():
        given = [any(printed.has("count", x + e) for e in _columns(printed)) for x in levels]
        if any(given) and not all(given):
            found.append(printed.dataset.label(column))
    return found


def _row_sums(printed: Print) -> Iterator[dict | None]:
    for whole, parts in PARTS.items():
        for end in _columns(printed):
            yield _sum(printed, [part + end for part in parts], whole + end)
    ends = ("relapse_free_after_hsct|relapse_free", "relapse_free_without_hsct|relapse_free")
    yield _sum(printed, ends, "patients|relapse_free")
    yield _sum(printed, ("patients|relapse_free",), "relapse_free|long_term")
    yield _sum(printed, ("patients|total",), "patients")
    for whole, parts in OWN_SUMS.items():
        yield _sum(printed, parts, whole)


def repetitions(printed: Print) -> Finding:
    """Numbers that are printed in several places must be the same in each."""
    found = list(printed.repeated())
    if not found:
        raise NotPrinted("The print gives no number twice.")
    differ = [key for key, texts in found if len(set(texts)) > 1]
    places = sum(len(texts) for _, texts in found)
    facts = {"numbers": len(found), "places": places, "differ": len(differ) or "none"}
    rows = [result("printed_times", "|".join(map(str, key[:2])), key[2], n=len(texts))
            for key, texts in found]  # fmt: skip
    return Finding(facts, rows)


def trials(printed: Print) -> Finding:
    """The trials' own numbers of patients against the number analysed and left out."""
    parts = [printed.whole("given", name) for name in TRIALS]
    analysed, out = printed.count("patients"), printed.whole("given", EXCLUDED)
    facts = {
        "parts": " + ".join(map(str, parts)),
        "sum": sum(parts),
        "analysed": analysed,
        "excluded": out,
        "treated": analysed + out,
        "rest": analysed + out - sum(parts),
    }
    rest = result("count", "unexplained", estimate=facts["rest"], n=analysed + out)
    return Finding(facts, [rest])


FINDINGS: dict[str, Callable[[Print], Finding]] = {
    "plateau": plateau,
    "cured": cured,
    "remission_deaths": remission_deaths,
    "late_relapse": late_relapse,
    "free_of_relapse": free_of_relapse,
    "transplant_clock": transplant_clock,
    "known_alive": known_alive,
    "follow_up": follow_up,
    "percentages": percentages,
    "sums": sums,
    "repetitions": repetitions,
    "trials": trials,
    "hazard_ratios": hazard_ratios,
    "model_populations": model_populations,
    "wider_intervals": wider_intervals,
}
