"""The search over events: when patients respond, are transplanted, relapse and die.

Every change keeps what is printed of Figures 1A to 1D as it was built. Either two patients change
days, so that a curve keeps its set of days. Or one event moves to another day without passing a
day that the print fixes, or one on which somebody is censored: so the curve keeps its order there.
What changes is who has which days, and with that the hazard ratios of CR/CRh, MRD response and
transplant.
"""

from collections.abc import Callable

import numpy as np
from cohort import (
    AFTER_RELAPSE,
    FIRST_ASSESSMENT,
    IN_REMISSION,
    NO_HSCT,
    SECOND_ASSESSMENT,
    Columns,
    cycle_of,
    long_term,
    mrd_day,
    possible,
    responders,
)
from events import EARLIEST_RELAPSE, LATE_RELAPSE, MONTH_24, MONTH_35, PRINTED
from likelihood import NEVER, one_factor, two_factors
from printed import Printed, day_of
from search import Aim, Change, Fit, Search, distance

LAST_HSCT_DEATH = 913  # days from transplant: survivors must be followed longer
STEPS = 4_000_000
EARLY_RESPONSES = 0.8  # share of responses at the first assessment
AIMS = {
    "cr": ("hazard_ratio_univariate", "os:response_day"),
    "mrd": ("hazard_ratio_univariate", "os:mrd_response_day"),
    "hsct": ("hazard_ratio_univariate", "os:hsct_day"),
    "rfs_mrd": ("hazard_ratio_univariate", "rfs:mrd_response_day"),
    "rfs_hsct": ("hazard_ratio_univariate", "rfs:hsct_day"),
    "cr_adjusted": ("hazard_ratio_multivariate", "os:response_day"),
    "mrd_adjusted": ("hazard_ratio_multivariate", "os:mrd_response_day"),
}


def search_events(printed: Printed, columns: Columns) -> Search:
    """The search; adds the column `ecog_unknown`, which the model of several factors needs."""
    unknown = np.flatnonzero(columns["evaluable"])[: printed.count("ecog=Unknown")]
    columns["ecog_unknown"] = np.isin(np.arange(len(columns["last"])), unknown)
    fits = event_fits(printed)
    return Search(
        penalty=lambda now: distance(fits(now)),
        propose=Moves(columns).propose,
        allowed=lambda now, patients: all(possible(now, i) for i in patients),
        steps=STEPS,
        hot=6.0,
        cold=0.03,
    )


def relapse_free_time(columns: Columns) -> tuple[np.ndarray, np.ndarray]:
    """Days from response to relapse, death or last assessment, and whether it is an event; of all
    patients, to be read at the responders."""
    relapsed, died = columns["relapse"] < NEVER, columns["died"]
    end = np.where(died, columns["last"], np.minimum(columns["assessed"], columns["last"]))
    end = np.where(relapsed, columns["relapse"], end)
    return end - columns["response"], relapsed | died


def in_remission(columns: Columns) -> np.ndarray:
    """The day of a transplant before relapse, which is what Table 3 counts."""
    return np.where(columns["hsct_kind"] == IN_REMISSION, columns["hsct"], NEVER)


def event_fits(printed: Printed) -> Callable[[Columns], list[Fit]]:
    """All models of what happens on the way."""
    aims = {name: Aim.at(printed, *key) for name, key in AIMS.items()}
    return lambda columns: _fits(columns, aims)


def _fits(columns: Columns, aims: dict[str, Aim]) -> list[Fit]:
    last, died, response, mrd = (columns[name] for name in ("last", "died", "response", "mrd"))
    hsct, evaluable, responded = in_remission(columns), columns["evaluable"], responders(columns)
    time, event = relapse_free_time(columns)

    def one(name: str, who: np.ndarray, *model: np.ndarray) -> Fit:
        aim = aims[name]
        return Fit(aim, *one_factor(*(values[who] for values in model), aim.guess))

    both = responded & evaluable
    complete = evaluable & ~columns["ecog_unknown"]
    beta_cr, beta_mrd, se_cr, se_mrd = two_factors(
        *(values[complete] for values in (last, died, response, mrd)),
        aims["cr_adjusted"].guess,
        aims["mrd_adjusted"].guess,
    )
    return [
        one("cr", responded | True, last, died, response),
        one("mrd", evaluable, last, died, mrd),
        one("hsct", responded, last, died, hsct),
        one("rfs_mrd", both, time, event, np.maximum(mrd - response, -1)),
        one("rfs_hsct", responded, time, event, hsct - response),
        Fit(aims["cr_adjusted"], beta_cr, se_cr),
        Fit(aims["mrd_adjusted"], beta_mrd, se_mrd),
    ]


class Stretches:
    """The days of one curve between those that the print fixes and those of a censoring.

    Within a stretch nobody is censored, so all events there weigh the same: their days, and the
    order of relapses and deaths among them, change nothing that is printed.
    """

    def __init__(self, curve: str, censored: np.ndarray, first: int) -> None:
        fixed = {day_of(months) for months in PRINTED[curve]["median"]}
        walls = {first - 1, MONTH_24, MONTH_35, *fixed, *map(int, censored)}
        self.walls = np.array(sorted(walls))

    def draw(self, day: int, rng: np.random.Generator) -> int | None:
        """Another day of the same stretch, near or anywhere; None for a day that is fixed."""
        place = np.searchsorted(self.walls, day)
        if not 0 < place < len(self.walls) or self.walls[place] == day:
            return None
        low, high = int(self.walls[place - 1]) + 1, int(self.walls[place])
        if rng.random() < 0.5:
            low, high = max(low, day - 10), min(high, day + 11)
        return int(rng.integers(low, high))


class Moves:
    """The changes that may be tried. Groups of patients that no change alters are found once."""

    def __init__(self, columns: Columns) -> None:
        responded, alive = responders(columns), long_term(columns)
        late = columns["relapse"] - columns["response"] == LATE_RELAPSE
        self.responders = np.flatnonzero(responded)
        self.dead = np.flatnonzero(columns["died"] & ~alive)
        self.dead_responders = np.flatnonzero(responded & columns["died"] & ~alive)
        self.relapsed = np.flatnonzero((columns["relapse"] < NEVER) & ~late)
        self.relapse_free = np.flatnonzero(responded & alive & (columns["relapse"] == NEVER))
        self.long_term = alive
        time, event = relapse_free_time(columns)
        hsct = in_remission(columns)
        lost = (hsct < NEVER) & ~columns["died"]
        self.os = Stretches("os", columns["last"][~columns["died"]], 2)
        self.rfs = Stretches("rfs", time[responded & ~event], EARLIEST_RELAPSE)
        self.survival_after_hsct = Stretches("os_after_hsct", (columns["last"] - hsct)[lost], 10)
        self.kinds = (
            (0.32, self.exchange_deaths),
            (0.12, self.redraw_death),
            (0.08, self.exchange_relapses),
            (0.06, self.redraw_relapse),
            (0.06, self.redraw_time_after_hsct),
            (0.06, self.redraw_response),
            (0.10, self.redraw_transplant),
            (0.12, self.exchange_transplants),
            (0.02, self.pass_late_transplant),
            (0.08, self.exchange_mrd),
            (0.03, self.redraw_mrd),
            (0.03, self.exchange_evaluable),
            (0.01, self.change_evaluable),
            (0.01, self.pass_unknown_ecog),
        )
        self.until = np.cumsum([share for share, _ in self.kinds])

    def propose(self, columns: Columns, rng: np.random.Generator) -> Change | None:
        """One change of some kind, or None where the draw fits nobody."""
        kind = np.searchsorted(self.until, rng.random() * self.until[-1], side="right")
        return self.kinds[kind][1](columns, rng)

    def exchange_deaths(self, columns: Columns, rng: np.random.Generator) -> Change | None:
        """Two patients change days of death, mostly days near each other."""
        i = one_of(self.dead_responders, rng)
        j = one_of(self.dead, rng)
        if rng.random() < 0.7:
            apart = np.abs(columns["last"][self.dead] - columns["last"][i])
            j = int(self.dead[np.argpartition(apart, 14)[:15][rng.integers(15)]])
        if i == j:
            return None
        day_i, day_j = columns["last"][i], columns["last"][j]
        return _die(columns, i, day_j) + _die(columns, j, day_i)

    def exchange_relapses(self, columns: Columns, rng: np.random.Generator) -> Change | None:
        """Two patients change their times from response to relapse."""
        i, j = one_of(self.relapsed, rng), one_of(self.relapsed, rng)
        if i == j:
            return None
        time = columns["relapse"] - columns["response"]
        return [
            ("relapse", i, columns["response"][i] + time[j]),
            ("relapse", j, columns["response"][j] + time[i]),
        ]

    def redraw_death(self, columns: Columns, rng: np.random.Generator) -> Change | None:
        """Another day of death between the same fixed days."""
        i = one_of(self.dead, rng)
        day = self.os.draw(columns["last"][i], rng)
        return day and _die(columns, i, day)

    def redraw_relapse(self, columns: Columns, rng: np.random.Generator) -> Change | None:
        """Another time from response to relapse between the same fixed days."""
        i = one_of(self.relapsed, rng)
        time = self.rfs.draw(columns["relapse"][i] - columns["response"][i], rng)
        return time and [("relapse", i, columns["response"][i] + time)]

    def redraw_time_after_hsct(self, columns: Columns, rng: np.random.Generator) -> Change | None:
        """Another time from transplant to death between the same fixed days."""
        i = one_of(self.dead_responders, rng)
        if columns["hsct_kind"][i] != IN_REMISSION:
            return None
        time = self.survival_after_hsct.draw(columns["last"][i] - columns["hsct"][i], rng)
        return time and [("hsct", i, columns["last"][i] - time)]

    def redraw_response(self, columns: Columns, rng: np.random.Generator) -> Change | None:
        """Another day of response; the relapse keeps its distance from it."""
        i = one_of(self.relapsed, rng)
        days = FIRST_ASSESSMENT if rng.random() < EARLY_RESPONSES else SECOND_ASSESSMENT
        later = int(rng.integers(days[0], days[-1] + 1)) - columns["response"][i]
        moved = ["response", "relapse"]
        if cycle_of(columns["response"][i]) == cycle_of(columns["response"][i] + later):
            moved.append("mrd")
        return _later(columns, i, later, moved)

    def redraw_transplant(self, columns: Columns, rng: np.random.Generator) -> Change | None:
        """Another day for a survivor's transplant, or another survivor for it."""
        i, j = one_of(self.relapse_free, rng), one_of(self.relapse_free, rng)
        if columns["hsct_kind"][i] != IN_REMISSION:
            return None
        if rng.random() < 0.5:
            j = i
        elif columns["hsct_kind"][j] != NO_HSCT:
            return None
        day = columns["response"][j] + int(rng.integers(28, 300))
        if columns["last"][j] - day <= LAST_HSCT_DEATH:
            return None
        return [*_no_transplant(i), ("hsct", j, day), ("hsct_kind", j, IN_REMISSION)]

    def exchange_transplants(self, columns: Columns, rng: np.random.Generator) -> Change | None:
        """Two of the dead change their times from transplant to death; one may have none."""
        i, j = one_of(self.dead_responders, rng), one_of(self.dead_responders, rng)
        kinds = {columns["hsct_kind"][i], columns["hsct_kind"][j]}
        if i == j or AFTER_RELAPSE in kinds or IN_REMISSION not in kinds:
            return None
        return _transplant_as(columns, i, j) + _transplant_as(columns, j, i)

    def pass_late_transplant(self, columns: Columns, rng: np.random.Generator) -> Change | None:
        """A transplant after relapse comes to another who lives long enough after relapse."""
        i, j = one_of(self.dead_responders, rng), one_of(self.dead_responders, rng)
        if columns["hsct_kind"][i] != AFTER_RELAPSE or columns["hsct_kind"][j] != NO_HSCT:
            return None
        first, end = columns["relapse"][j] + 30, columns["last"][j] - 10
        if first >= end:
            return None
        day = int(rng.integers(first, end))
        return [*_no_transplant(i), ("hsct", j, day), ("hsct_kind", j, AFTER_RELAPSE)]

    def exchange_mrd(self, columns: Columns, rng: np.random.Generator) -> Change | None:
        """An MRD response passes to another responder of the same column of Table 2."""
        i, j = one_of(self.responders, rng), one_of(self.responders, rng)
        cycle = columns["mrd_cycle"][i]
        if self.long_term[i] != self.long_term[j] or cycle not in (1, 2) or columns["mrd_cycle"][j]:
            return None
        return [
            ("mrd", i, NEVER),
            ("mrd_cycle", i, 0),
            ("evaluable", i, columns["evaluable"][j]),
            ("mrd", j, mrd_day(columns, j, cycle, rng)),
            ("mrd_cycle", j, cycle),
            ("evaluable", j, True),
        ]

    def redraw_mrd(self, columns: Columns, rng: np.random.Generator) -> Change | None:
        """Another day for an MRD response, in the same cycle."""
        i = one_of(self.responders, rng)
        cycle = columns["mrd_cycle"][i]
        return [("mrd", i, mrd_day(columns, i, cycle, rng))] if cycle else None

    def exchange_evaluable(self, columns: Columns, rng: np.random.Generator) -> Change | None:
        """Of two without MRD response, alike in CR/CRh, the other is evaluable."""
        without = np.flatnonzero(columns["mrd"] == NEVER)
        i, j = one_of(without, rng), one_of(without, rng)
        evaluable, response = columns["evaluable"], columns["response"]
        if evaluable[i] == evaluable[j] or (response[i] == NEVER) != (response[j] == NEVER):
            return None
        return [("evaluable", i, evaluable[j]), ("evaluable", j, evaluable[i])]

    def change_evaluable(self, columns: Columns, rng: np.random.Generator) -> Change | None:
        """One more or one less is evaluable, which the print leaves open."""
        i = one_of(np.flatnonzero(columns["mrd"] == NEVER), rng)
        return [("evaluable", i, not columns["evaluable"][i])]

    def pass_unknown_ecog(self, columns: Columns, rng: np.random.Generator) -> Change | None:
        """An unknown performance status belongs to another patient."""
        i = one_of(np.flatnonzero(columns["ecog_unknown"]), rng)
        j = int(rng.integers(len(columns["last"])))
        if columns["ecog_unknown"][j]:
            return None
        return [("ecog_unknown", i, False), ("ecog_unknown", j, True)]


def one_of(patients: np.ndarray, rng: np.random.Generator) -> int:
    return int(patients[rng.integers(len(patients))])


def _die(columns: Columns, i: int, day: int) -> Change:
    """Death on another day. A time that a figure shows goes along: from response to death in
    remission, from transplant in remission to death."""
    later = day - columns["last"][i]
    if columns["died_in_remission"][i]:
        return _later(columns, i, later, ["last", "response", "mrd", "hsct"])
    if columns["hsct_kind"][i] == IN_REMISSION:
        return _later(columns, i, later, ["last", "hsct"])
    return [("last", i, day)]


def _later(columns: Columns, i: int, days: int, names: list[str]) -> Change:
    moved = [name for name in names if columns[name][i] < NEVER]
    return [(name, i, columns[name][i] + days) for name in moved]


def _no_transplant(i: int) -> Change:
    return [("hsct", i, NEVER), ("hsct_kind", i, NO_HSCT)]


def _transplant_as(columns: Columns, i: int, model: int) -> Change:
    """Patient i dies as long after transplant as the model, or has none if that has none."""
    if columns["hsct_kind"][model] == NO_HSCT:
        return _no_transplant(i)
    day = columns["last"][i] - (columns["last"][model] - columns["hsct"][model])
    return [("hsct", i, day), ("hsct_kind", i, IN_REMISSION)]
