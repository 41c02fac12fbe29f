"""The cohort while it is searched for: one array of whole numbers for each column, a place for each
patient. What makes a record possible stands here too.
"""

import numpy as np
from events import CYCLE_DAYS, MONTH_35, Patient
from likelihood import NEVER
from printed import Printed

Columns = dict[str, np.ndarray]
DAYS = {
    "response": "response_day",
    "relapse": "relapse_day",
    "hsct": "hsct_day",
    "assessed": "last_assessment_day",
    "last": "last_contact_day",
}
NO_HSCT, IN_REMISSION, AFTER_RELAPSE, WITHOUT_RESPONSE = range(4)
FIRST_ASSESSMENT, SECOND_ASSESSMENT = range(22, 43), range(64, 85)  # days of the marrow
MRD_DAYS = {1: range(20, 43), 2: range(62, 85), 3: range(106, 127)}  # by cycle; 3 and beyond
MONTH_48 = 1461

# Not printed. The widths of the intervals in Table 3 fit about so many evaluable patients without
# MRD response. The search moves these numbers a little.
EVALUABLE_WITHOUT_MRD = {"response": 16, "no response": 25}


def columns_of(patients: list[Patient]) -> Columns:
    """Columns of the events; a day that is not is NEVER."""
    made = {
        name: np.array([NEVER if p[day] is None else p[day] for p in patients])
        for name, day in DAYS.items()
    }
    made["died"] = np.array([bool(p["died"]) for p in patients])
    made["died_in_remission"] = np.array([p["group"] == "died_in_remission" for p in patients])
    response, relapse, hsct = (made[name] for name in ("response", "relapse", "hsct"))
    kind = np.where(response == NEVER, WITHOUT_RESPONSE, IN_REMISSION)
    kind = np.where((response < NEVER) & (relapse <= hsct), AFTER_RELAPSE, kind)
    made["hsct_kind"] = np.where(hsct == NEVER, NO_HSCT, kind)
    return made


def responders(columns: Columns) -> np.ndarray:
    """True for the patients with CR/CRh."""
    return columns["response"] < NEVER


def long_term(columns: Columns) -> np.ndarray:
    """True for the patients known to be alive after 35 months."""
    return columns["last"] > MONTH_35


def chosen(mask: np.ndarray, number: int, rng: np.random.Generator) -> np.ndarray:
    """So many patients of a mask, drawn."""
    return rng.permutation(np.flatnonzero(mask))[:number]


def deal_responses(columns: Columns, printed: Printed, rng: np.random.Generator) -> None:
    """Best response by long-term survival: 0 none, 1 CR, 2 CRh, 3 hypocellular marrow."""
    best = np.zeros(len(columns["last"]), dtype=int)
    for alive, among in ((True, "long_term"), (False, "shorter")):
        counts = printed.levels("best_response", among)
        group = responders(columns) & (long_term(columns) == alive)
        best[group] = 2
        best[chosen(group, counts["CR"], rng)] = 1
        group = ~responders(columns) & (long_term(columns) == alive) & (columns["last"] > 60)
        best[chosen(group, counts["Hypocellular bone marrow"], rng)] = 3
    columns["best_response"] = best


def deal_mrd(columns: Columns, printed: Printed, rng: np.random.Generator) -> None:
    """MRD responses: every hypocellular marrow, a few late ones, then CR/CRh; and who is evaluable.

    Of the others, only who lived to the first assessment can be evaluable.
    """
    n = len(columns["last"])
    columns |= {"mrd": np.full(n, NEVER), "mrd_cycle": np.zeros(n, dtype=int)}
    for alive, among in ((True, "long_term"), (False, "shorter")):
        first, second, later = printed.levels("mrd_response_cycle", among).values()
        group = long_term(columns) == alive
        hypocellular = np.flatnonzero(group & (columns["best_response"] == 3))
        late = chosen(group & _can_respond_late(columns, alive), later, rng)
        group &= responders(columns)
        group[late] = False
        seconds = chosen(group & (columns["response"] > CYCLE_DAYS), second, rng)
        group[seconds] = False
        firsts = chosen(group, first - len(hypocellular), rng)
        for cycle, who in ((1, [*hypocellular, *firsts]), (2, seconds), (3, late)):
            for i in who:
                columns["mrd_cycle"][i] = cycle
                columns["mrd"][i] = mrd_day(columns, i, cycle, rng)
    evaluable = columns["mrd"] < NEVER
    without = ~evaluable & (columns["last"] > CYCLE_DAYS)
    for group, number in EVALUABLE_WITHOUT_MRD.items():
        mask = without & (responders(columns) == (group == "response"))
        evaluable[chosen(mask, number, rng)] = True
    columns["evaluable"] = evaluable


def _can_respond_late(columns: Columns, alive: bool) -> np.ndarray:
    """Who can respond in cycle 3: no transplant, relapse or marrow failure, and treated so long.

    The long-term survivor is a responder, the others had no CR/CRh within two cycles.
    """
    return (
        (columns["hsct"] == NEVER)
        & (columns["relapse"] == NEVER)
        & (columns["last"] > 220)
        & (responders(columns) == alive)
        & (columns["best_response"] != 3)
    )


def mrd_day(columns: Columns, i: int, cycle: int, rng: np.random.Generator) -> int:
    """A day for an MRD response: with the response of its cycle, or at that cycle's assessment."""
    response = columns["response"][i]
    if response < NEVER and cycle_of(response) == cycle:
        return int(response + rng.integers(-3, 6))
    days = MRD_DAYS[cycle]
    return int(rng.integers(days[0], days[-1] + 1))


def cycle_of(day: int) -> int:
    """The treatment cycle, of 42 days, in which a day falls; 3 stands for 3 and beyond."""
    return min((day - 1) // CYCLE_DAYS + 1, 3)


def possible(columns: Columns, i: int) -> bool:
    """Can this record be? The order of events, and the time that each needs."""
    response, relapse, hsct, mrd, last = (
        int(columns[name][i]) for name in ("response", "relapse", "hsct", "mrd", "last")
    )
    if response < NEVER and response not in FIRST_ASSESSMENT and response not in SECOND_ASSESSMENT:
        return False
    if relapse < NEVER and not response + 9 <= relapse <= last - 10:
        return False
    if not _hsct_possible(columns["hsct_kind"][i], response, relapse, hsct, last):
        return False
    if columns["evaluable"][i] and last <= CYCLE_DAYS:
        return False
    if columns["best_response"][i] == 3 and last <= 60:
        return False
    if mrd < NEVER and not _mrd_possible(mrd, columns["mrd_cycle"][i], response):
        return False
    if mrd < NEVER and mrd >= min(hsct, relapse, last):
        return False
    events = {relapse, last if columns["died"][i] else NEVER} - {NEVER}
    # Where a switch or a landmark shares its day with an event, rules differ: keep off.
    return not events & {response, mrd, hsct, MONTH_48, response + MONTH_48}


def _hsct_possible(kind: int, response: int, relapse: int, hsct: int, last: int) -> bool:
    if kind == NO_HSCT:
        return hsct == NEVER
    if not 60 <= hsct <= last - 6:
        return False
    if kind == IN_REMISSION:
        return 28 <= hsct - response <= 300 and hsct <= relapse - 12
    if kind == AFTER_RELAPSE:
        return hsct >= relapse + 30
    return hsct >= 85


def _mrd_possible(mrd: int, cycle: int, response: int) -> bool:
    if mrd not in MRD_DAYS[cycle]:
        return False
    return response == NEVER or cycle_of(response) != cycle or -3 <= mrd - response <= 5
