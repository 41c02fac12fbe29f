"""Make the synthetic cohort: 259 invented records that reproduce the paper's printed numbers.

    python data/blinatumomab/make.py      writes patients.csv beside this file

No record describes a real person. The paper prints counts, percentages and a few points of each
curve. This file works backwards from them, in four steps:

1. Counts to order. A Kaplan-Meier curve depends only on the order of deaths and censorings. So
   the order is found first: which death brings the curve to one half, how many die before each
   censoring. Where the print leaves room, orders are drawn until every percentage comes out.
2. Order to days. The deaths that the print dates (a median, a limit) get their day. The others
   are spread between them.
3. Days to patients. A death after transplant lies on three curves at once: from first dose, from
   response, from transplant. Such deaths are placed first. The rest take the days left over.
4. Patients to characteristics. The counts of the tables are dealt out, with some advantage for
   those who do well.

The last step reads the finished text again and checks it against the print with other code.

Sources: Topp et al., Cancer 2021;127:554-559 (the numbers); Kaplan and Meier, 1958 (the curve);
Kalbfleisch and Prentice, 1980 (log-log limits); Aalen and Johansen, 1978 (relapse incidence).

All decisions are integer or compare numbers far from their threshold, so the bytes depend on the
seed alone.
"""

import csv
import io
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import accumulate, pairwise
from math import exp, log, sqrt
from pathlib import Path

import numpy as np

SEED = 2021
DAYS_PER_MONTH = Decimal("30.4375")
MONTH_24, MONTH_35, MONTH_48 = 730, 1065, 1461  # days: floor of 730.5 and 1065.3; exactly 1461
CYCLE_DAYS = 42
Z = 1.959964

COLUMNS = (
    "patient_id",
    "age",
    "sex",
    "race",
    "primary_refractory",
    "prior_relapses",
    "salvage_line",
    "prior_hsct",
    "bone_marrow_blasts",
    "bone_marrow_blasts_group",
    "t_4_11",
    "ecog",
    "cycles",
    "best_response",
    "response_day",
    "mrd_evaluable",
    "mrd_response_day",
    "mrd_response_cycle",
    "hsct_day",
    "relapse_day",
    "last_assessment_day",
    "last_contact_day",
    "died",
)

# What the paper prints about the curves: median with limits in months, percent at months, and
# median, least and greatest follow-up in months among the censored.
PRINTED = {
    "os": {
        "median": ("7.5", "5.5", "8.5"),
        "survival": {24: "23.4", 36: "17.7", 48: "15.8", 60: "15.8"},
        "followup": ("36.0", "0.3", "60.8"),
    },
    "rfs": {
        "median": ("7.7", "6.2", "10.0"),
        "survival": {24: "26.9", 36: "23.4", 48: "23.4"},
        "followup": ("35.0", "9.5", "59.5"),
    },
    "os_after_hsct": {"median": ("18.1", "10.3", "30.0"), "survival": {36: "37.2"}},
    "relapse": {"incidence": {24: "56.7", 36: "59.3", 48: "59.3", 60: "63.2"}},
}

# Days that are free within the print and tie the curves together.
EARLIEST_RELAPSE = 9  # days from response: no relapse at the very assessment of the response
LATE_RELAPSE = 1500  # days from response: after 48 months, with six at risk
LATE_HSCT_DEATH_DAY = 1108  # first dose to death of the one who dies 913 days after transplant
LATE_DEATH_DAY = 1190  # the other death after 36 months
LOST_AFTER_HSCT = 575  # days from transplant to the censoring with 25 at risk
LOST_AFTER_HSCT_RESPONSE, LOST_AFTER_HSCT_TRANSPLANT = 35, 65  # the same patient, from first dose
LOST_RESPONSE = 36  # response of the patient lost in remission without transplant

# How weakly a characteristic follows the outcome: 0 would follow it exactly, see favoured(). Set so
# that the hazard ratios point the way of the paper's; their sizes are not fitted. Age and sex do
# not follow it (1000).
NOISE = {
    "best_response": 2.0,
    "mrd": 2.5,
    "ecog": 2.0,
    "race": 6.0,
    "t_4_11": 6.0,
    "prior_relapses": 10.0,
    "salvage_line": 4.0,
    "bone_marrow_blasts": 4.0,
    "prior_hsct": 12.0,
    "age": 1000.0,
    "sex": 1000.0,
}

Patient = dict[str, object]


class Infeasible(Exception):
    """A random draw led to a dead end: draw again."""


# --------------------------------------------------------------------------------------------
# Rounding as in print
# --------------------------------------------------------------------------------------------


def as_printed(value: Decimal | Fraction | float | int, decimals: int) -> str:
    """The text of a number rounded half away from zero to so many decimals."""
    if isinstance(value, Fraction):
        value = Decimal(value.numerator) / Decimal(value.denominator)
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    return str(exact.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP))


def days_of(months: str) -> list[int]:
    """The whole days that print as this number of months, for example 227 to 229 for 7.5."""
    nearest = int(Decimal(months) * DAYS_PER_MONTH)
    around = range(max(nearest - 31, 0), nearest + 32)
    decimals = len(months.partition(".")[2])
    return [day for day in around if as_printed(day / DAYS_PER_MONTH, decimals) == months]


def day_of(months: str) -> int:
    """The middle one of the whole days that print as this number of months."""
    candidates = days_of(months)
    return candidates[len(candidates) // 2]


def shows(proportion: float, percent: str) -> bool:
    """Does a proportion print as this percentage (of one decimal)?"""
    return as_printed(100 * proportion, 1) == percent


# --------------------------------------------------------------------------------------------
# Step 1: counts to order
# --------------------------------------------------------------------------------------------


@dataclass
class Item:
    """One step of a curve. A fence is no event: it only keeps events on their side of a day."""

    kind: str  # "death", "relapse", "censored" or "fence"
    day: int | None = None

    @property
    def is_event(self) -> bool:
        return self.kind in ("death", "relapse")


def items(kind: str, number: int) -> list[Item]:
    return [Item(kind) for _ in range(number)]


def kaplan_meier(curve: list[Item]) -> list[tuple[float, float, float]]:
    """Survival with log-log 95 % limits after each item, from the order of the items alone."""
    at_risk = sum(item.kind != "fence" for item in curve)
    survival, greenwood, path = 1.0, 0.0, []
    for item in curve:
        if item.is_event:
            survival *= (at_risk - 1) / at_risk
            greenwood += 1 / (at_risk * (at_risk - 1))
        at_risk -= item.kind != "fence"
        path.append((survival, *log_log_limits(survival, greenwood)))
    return path


def log_log_limits(survival: float, greenwood: float) -> tuple[float, float]:
    """Limits of a survival probability on the log(-log) scale; greenwood is the sum d/(n(n-d))."""
    if not 0 < survival < 1:
        return survival, survival
    width = Z * sqrt(greenwood) / log(survival)
    return survival ** exp(-width), survival ** exp(width)


def date_median(curve: list[Item], printed: tuple[str, str, str]) -> None:
    """Date the events at which the curve and its two limits first come down to one half."""
    path = kaplan_meier(curve)
    for months, column in zip(printed, (0, 1, 2), strict=True):
        crossing = next(i for i, values in enumerate(path) if values[column] <= 0.5)
        curve[crossing].day = day_of(months)


def os_curve(rng: np.random.Generator, lost_day: int, lost_after_hsct_day: int) -> list[Item]:
    """Overall survival: 210 deaths and 49 censorings, in order, the fixed days filled in.

    Table 2 fixes 43 patients beyond 35 months. The printed 17.7 % at 36 months lies above
    43/259 = 16.6 %: some patients were lost early. Eight are assumed (one on day 9, which prints as
    0.3 months; the two lost in remission; five others). From 17.7 % to 15.8 % two deaths suffice,
    with 20 and then 17 at risk: 19/20 x 16/17 = 0.894. Drawn is what the print leaves open: how
    many die between 24 and 35 months, and how many before each censoring. The ranges are such
    that the pace of death stays even around the days of the two lost in remission.
    """
    printed = PRINTED["os"]
    while True:
        late_deaths = int(rng.integers(11, 18))  # between 24 and 35 months
        early_deaths = 208 - late_deaths
        others = [Item("censored") for _ in range(5)]
        lost = [
            (2, Item("censored", day_of(printed["followup"][1]))),
            (int(rng.integers(152, 160)), Item("censored", lost_day)),
            (early_deaths - int(rng.integers(5, 10)), Item("censored", lost_after_hsct_day)),
            *((int(rng.integers(25, 185)), item) for item in others),
        ]
        curve = items("death", 208)
        for place, item in sorted(lost, key=lambda pair: -pair[0]):
            curve.insert(place, item)
        month_24 = early_deaths + len(lost)
        curve.insert(month_24, Item("fence", MONTH_24))
        curve.append(Item("fence", MONTH_35))
        month_36 = len(curve)
        curve += os_after_35_months()
        survival = [values[0] for values in kaplan_meier(curve)]
        found = {24: survival[month_24], 36: survival[month_36], 48: survival[-1]}
        if all(shows(found[month], printed["survival"][month]) for month in found):
            date_median(curve, printed["median"])
            return curve


def os_after_35_months() -> list[Item]:
    """The 43 long-term survivors: 41 censored, two deaths.

    With eight lost early, 49 are censored, and the 25th has the printed median follow-up of
    36.0 months: 16 of the 43 lie below it. Seven censorings before the first death leave 20
    at risk, two more leave 17 at the second.
    """
    median, _, longest = PRINTED["os"]["followup"]
    return [
        *items("censored", 16),
        Item("fence", days_of(median)[0]),
        Item("censored", day_of(median)),
        Item("fence", days_of(median)[-1]),
        *items("censored", 6),
        Item("death", LATE_HSCT_DEATH_DAY),
        *items("censored", 2),
        Item("death", LATE_DEATH_DAY),
        *items("censored", 8),
        Item("fence", LATE_RELAPSE + 60),
        *items("censored", 7),
        Item("censored", day_of(longest)),
    ]


def rfs_curve(rng: np.random.Generator, lost_after_hsct: int) -> list[Item]:
    """Relapse-free survival: 73 relapses, 21 deaths, 29 censorings, in order from response.

    From 26.9 % to 23.4 % at 24 and 36 months the curve takes four events out of 31 at risk
    (27/31 of 26.9 is 23.4), three of them relapses: the relapse incidence rises by 3/31 of 26.9,
    from 56.7 to 59.3 %. Three are censored before. One late relapse with six at risk adds
    23.4/6 = 3.9: the printed 63.2 %. So 89 events fall before 24 months, 69 of them relapses.
    Their order is drawn until the printed percentages come out. Between the 62nd event, the
    median, and the 72nd, its upper limit, the first patient is censored (9.5 months).
    """
    printed, incidence = PRINTED["rfs"], PRINTED["relapse"]["incidence"]
    while True:
        kinds = ["relapse"] * 69 + ["death"] * 20
        curve = [Item(kinds[i]) for i in rng.permutation(len(kinds))]
        first, last = int(rng.integers(65, 72)), int(rng.integers(79, 85))
        middle = int(rng.integers(first + 2, last - 1))
        curve.insert(last, Item("censored", lost_after_hsct))
        curve.insert(middle, Item("censored"))
        curve.insert(first, Item("censored", day_of(printed["followup"][1])))
        curve.insert(0, Item("fence", EARLIEST_RELAPSE))
        curve.append(Item("fence", MONTH_24))
        month_24 = len(curve) - 1
        curve += [Item(kind) for kind in ("relapse", "death", "relapse", "relapse")]
        month_36 = len(curve) - 1
        # No survivor beyond 35 months is followed for less than that minus 90 days from response.
        curve += [Item("fence", MONTH_35 - 90), *items("censored", 21)]
        curve += [Item("relapse", LATE_RELAPSE), *items("censored", 5)]
        survival = [values[0] for values in kaplan_meier(curve)]
        relapsed = incidence_by_order(curve, survival)
        if (
            shows(survival[month_24], printed["survival"][24])
            and shows(survival[month_36], printed["survival"][36])
            and shows(relapsed[month_24], incidence[24])
            and shows(relapsed[month_36], incidence[36])
            and shows(relapsed[-1], incidence[60])
        ):
            date_median(curve, printed["median"])
            return curve[: month_36 + 2]  # later times are those of the long-term survivors


def incidence_by_order(curve: list[Item], survival: list[float]) -> list[float]:
    """Cumulative incidence of relapse after each item: the falls of the curve at relapses."""
    before = [1.0, *survival[:-1]]
    steps = zip(curve, before, survival, strict=True)
    return list(accumulate(b - s if item.kind == "relapse" else 0.0 for item, b, s in steps))


def hsct_curve() -> list[Item]:
    """Overall survival from transplant: 56 patients, 35 deaths, up to the last of them.

    37.2 % at 36 months is 20/24 of 25/56: 31 deaths, one censoring with 25 at risk, four deaths.
    The 28th death would leave exactly one half, so it shares its day with the 29th. The last
    death brings the upper limit to one half. After it only the 20 long-term survivors remain.
    """
    curve = [
        Item("fence", 9),
        *items("death", 31),
        Item("censored", LOST_AFTER_HSCT),
        *items("death", 4),
        *items("censored", 20),
    ]
    median, _, upper = PRINTED["os_after_hsct"]["median"]
    date_median(curve, PRINTED["os_after_hsct"]["median"])
    deaths = [item for item in curve if item.kind == "death"]
    deaths[28].day = day_of(median)
    if deaths[27].day != day_of(median) or deaths[34].day != day_of(upper):
        raise RuntimeError("the printed median after transplant needs the 28th and 35th death")
    return curve[:-20]


# --------------------------------------------------------------------------------------------
# Step 2: order to days
# --------------------------------------------------------------------------------------------


def fill_days(curve: list[Item], rng: np.random.Generator) -> list[Item]:
    """Spread the undated items between their dated neighbours, somewhat denser at the start."""
    start = 0
    while start < len(curve):
        if curve[start].day is not None:
            start += 1
            continue
        end = next(i for i in range(start, len(curve)) if curve[i].day is not None)
        before = curve[start - 1].day if start else 1
        room = curve[end].day - before - 1
        if room < 1:
            raise Infeasible("no room between two dated events")
        for item, u in zip(curve[start:end], np.sort(rng.random(end - start)), strict=True):
            item.day = before + 1 + int(room * (u * (1 + u) / 2))
        start = end
    for item, following in pairwise(curve):
        if item.kind == "censored" and following.is_event and item.day == following.day:
            raise Infeasible("on one day events count before censorings, against the order found")
    return curve


class DeathDays:
    """The days of death of the overall survival curve that no patient has taken yet.

    The printed values hold as long as each stretch between two fixed days keeps its number of
    deaths. So a patient whose death is fixed by another curve may claim any day of a stretch: it
    replaces one of the days spread there.
    """

    def __init__(self, curve: list[Item]) -> None:
        limits = {day_of(months) for months in PRINTED["os"]["median"]}
        self.walls = sorted(
            {i.day for i in curve if i.kind != "death"} | limits | {day - 1 for day in limits}
        )
        self.free: list[list[int]] = [[] for _ in range(len(self.walls) + 1)]
        for item in curve:
            if item.kind == "death" and item.day <= MONTH_35:
                self.free[bisect_left(self.walls, item.day)].append(item.day)

    def claim(self, day: int) -> bool:
        """Take a death of this day's stretch and date it on this day; False if none is left."""
        stretch = self.free[bisect_left(self.walls, day)]
        if not stretch or day in self.walls:
            return False
        stretch.remove(min(stretch, key=lambda other: abs(other - day)))
        return True

    def take_near(self, day: int, earliest: int) -> int:
        """Take the free day nearest to `day` that is not before `earliest`."""
        days = [d for stretch in self.free for d in stretch if d >= earliest]
        if not days:
            raise Infeasible("no death left late enough")
        best = min(days, key=lambda d: abs(d - day))
        self.free[bisect_left(self.walls, best)].remove(best)
        return best

    def rest(self) -> list[int]:
        return sorted(day for stretch in self.free for day in stretch)


# --------------------------------------------------------------------------------------------
# Step 3: days to patients
# --------------------------------------------------------------------------------------------


def response_days(rng: np.random.Generator) -> list[int]:
    """Days of a response assessment in random order: the end of cycle 1 mostly, or of cycle 2."""
    first = [25 + int(a + b) for a, b in rng.integers(0, 8, (24, 2))]
    second = [66 + int(a + b) for a, b in rng.integers(0, 10, (6, 2))]
    days = first + second
    return [days[i] for i in rng.permutation(len(days))]


def gap_days(rng: np.random.Generator) -> list[int]:
    """Days from response to transplant in random order: one to four months."""
    return [int(day) for day in rng.permutation(np.arange(30, 125))]


def patient(group: str, last_contact_day: int, died: bool, **days: int | None) -> Patient:
    """A record with its events; `group` is the part of Table 2 that it fills."""
    record: Patient = dict.fromkeys(COLUMNS)
    record |= {"group": group, "last_contact_day": last_contact_day, "died": died, **days}
    return record


@dataclass
class Slots:
    """The days not yet given to a patient, on the three clocks."""

    death: DeathDays  # from first dose
    remission_death: list[int]  # from response
    relapse: list[int]  # from response
    after_hsct: list[int]  # from transplant to death


def long_term_survivors(
    os: list[Item], slots: Slots, early_assessment: int, rng: np.random.Generator
) -> list[Patient]:
    """The 43: 27 relapse-free (19 transplanted), nine relapsed, seven without CR/CRh."""
    censored = [i.day for i in os if i.kind == "censored" and i.day > MONTH_35]
    low, median, middle, high = censored[:16], censored[16], censored[17:33], censored[33:-1]
    low, middle, high = shuffled(low, rng), shuffled(middle, rng), shuffled(high, rng)
    pivots = (median, censored[-1], high[6])
    free = relapse_free_survivors(low[:11], middle[:9], high[:4], pivots, early_assessment, rng)
    others = shuffled([*low[11:], *middle[9:], high[5]], rng)
    relapsed = long_term_relapsed(others[:7], high[4], slots, rng)
    without = [patient("no_response", day, False) for day in others[7:]]
    for record in without[:2]:
        record["hsct_day"] = int(rng.integers(95, 240))
    return [*free, *relapsed, *without, patient("no_response", LATE_DEATH_DAY, True)]


def relapse_free_survivors(
    low: list[int],
    middle: list[int],
    high: list[int],
    pivots: tuple[int, int, int],
    early_assessment: int,
    rng: np.random.Generator,
) -> list[Patient]:
    """The 27 long-term survivors without relapse, by their day of last contact.

    From response, 29 are censored, three of them before 24 months. The 15th has the printed
    median of 35.0 months: 11 lie below it here, one on it, 14 above, of whom five pass the late
    relapse. The 27th was last assessed early, which makes the printed curve and Table 2 agree.
    """
    median, _, longest = (day_of(months) for months in PRINTED["rfs"]["followup"])
    at_median, at_end, assessed_early = pivots
    plan = [(day, range(MONTH_24, median)) for day in low]
    plan += [(day, range(median + 1, LATE_RELAPSE)) for day in middle]
    plan += [(day, range(LATE_RELAPSE + 1, longest)) for day in high]
    plan += [(at_median, range(median, median + 1)), (at_end, range(longest, longest + 1))]
    plan += [(assessed_early, range(longest))]
    records = []
    for day, allowed in plan:
        candidates = [r for r in response_days(rng) if day - r in allowed]
        if len(allowed) == 1:
            candidates = [day - allowed[0]]
        if not candidates:
            raise Infeasible("no response day gives the follow-up wanted")
        records.append(patient("relapse_free", day, False, response_day=candidates[0]))
    records[-1]["last_assessment_day"] = records[-1]["response_day"] + early_assessment
    for record in shuffled(records, rng)[:19]:
        transplant(record, rng, latest=150)
    return records


def transplant(record: Patient, rng: np.random.Generator, latest: int) -> None:
    """Give a patient in remission a transplant by a day that leaves the follow-up needed after it.

    Up to day 150, survivors beyond 35 months are followed beyond the last death after transplant.
    """
    days = (record["response_day"] + gap for gap in gap_days(rng))
    record["hsct_day"] = next(day for day in days if day <= latest)


def long_term_relapsed(
    days: list[int], late_day: int, slots: Slots, rng: np.random.Generator
) -> list[Patient]:
    """Nine long-term survivors with a relapse: three of them after 24 months, one after 48."""
    late_hsct = LATE_HSCT_DEATH_DAY - day_of(PRINTED["os_after_hsct"]["median"][2])
    response = next(r for r in response_days(rng) if r < CYCLE_DAYS)
    late = patient(
        "relapsed", late_day, False, response_day=response, relapse_day=response + LATE_RELAPSE
    )
    transplant(late, rng, latest=150)
    response = next(r for r in response_days(rng) if r < CYCLE_DAYS)
    after_hsct = patient(
        "relapsed", LATE_HSCT_DEATH_DAY, True, response_day=response, hsct_day=late_hsct
    )
    possible = [r for r in slots.relapse if late_hsct + 100 < r + response < MONTH_24]
    after_hsct["relapse_day"] = response + take(slots.relapse, possible, rng)
    relapsed = [late, after_hsct]
    for rank, day in enumerate(days):
        response = response_days(rng)[0]
        # The three relapses after 24 months come first, then any of the later ones.
        possible = [r for r in slots.relapse if r > (MONTH_24 if rank < 3 else 120)]
        relapse = response + take(slots.relapse, possible, rng)
        relapsed.append(patient("relapsed", day, False, response_day=response, relapse_day=relapse))
    early = min(relapsed[2:], key=lambda record: record["relapse_day"])
    early["hsct_day"] = early["relapse_day"] + int(rng.integers(45, 120))
    return relapsed


def shuffled(values: list, rng: np.random.Generator) -> list:
    return [values[i] for i in rng.permutation(len(values))]


def take(pool: list[int], possible: list[int], rng: np.random.Generator) -> int:
    """Take one of the possible days out of the pool, at random."""
    if not possible:
        raise Infeasible("no day of the pool fits")
    value = possible[int(rng.integers(len(possible)))]
    pool.remove(value)
    return value


def deaths_in_remission(slots: Slots, rng: np.random.Generator) -> list[Patient]:
    """21 deaths without relapse, 14 of them after a transplant, where death comes early mostly.

    Of a transplanted patient, response + time from response = transplant + time from transplant.
    """
    records = []
    for after in sorted(slots.after_hsct, key=lambda day: day + int(rng.integers(0, 300))):
        fits = [r for r in slots.remission_death if 30 <= r - after < 125]
        if len(records) == 14 or not fits:
            continue
        remission = take(slots.remission_death, fits, rng)
        slots.after_hsct.remove(after)
        record = claim_response(slots.death, remission, rng)
        record["hsct_day"] = record["last_contact_day"] - after
        records.append(record)
    if len(records) < 14:
        raise Infeasible("too few deaths in remission fit a transplant")
    for remission in slots.remission_death:
        records.append(claim_response(slots.death, remission, rng))
    return records


def claim_response(death: DeathDays, remission: int, rng: np.random.Generator) -> Patient:
    """A death in remission: find a response day whose day of death is still free."""
    for response in response_days(rng):
        if death.claim(response + remission):
            return patient("died_in_remission", response + remission, True, response_day=response)
    raise Infeasible("no death left for a death in remission")


def relapses_after_transplant(slots: Slots, rng: np.random.Generator) -> list[Patient]:
    """The other transplanted patients: they relapse after the transplant and die of it."""
    records = []
    for after in sorted(slots.after_hsct):
        for response, gap in zip(response_days(rng), gap_days(rng), strict=False):
            fits = [r for r in slots.relapse if gap + 20 <= r <= after + gap - 10]
            if fits and slots.death.claim(response + gap + after):
                break
        else:
            raise Infeasible("no relapse fits between transplant and death")
        relapse = response + take(slots.relapse, fits, rng)
        records.append(
            patient(
                "relapsed",
                response + gap + after,
                True,
                response_day=response,
                hsct_day=response + gap,
                relapse_day=relapse,
            )
        )
    return records


def other_relapses(slots: Slots, lost: list[int], rng: np.random.Generator) -> list[Patient]:
    """Relapses without transplant before: two lost alive, the others die within months."""
    records = []
    for day in sorted(lost)[-2:]:
        fits = [r for r in slots.relapse if r < day - 100]
        relapse = take(slots.relapse, fits, rng)
        response = min(response_days(rng))
        records.append(
            patient("relapsed", day, False, response_day=response, relapse_day=response + relapse)
        )
    for relapse in sorted(slots.relapse, reverse=True):
        response = response_days(rng)[0]
        relapse_day = response + relapse
        # From relapse to death: a long tail, of 150 days on average.
        aim = relapse_day + 10 + int(560 * rng.random() * rng.random())
        day = slots.death.take_near(aim, earliest=relapse_day + 10)
        records.append(
            patient("relapsed", day, True, response_day=response, relapse_day=relapse_day)
        )
    late_enough = [
        p for p in records if p["died"] and p["last_contact_day"] - p["relapse_day"] > 75
    ]
    if len(late_enough) < 7:
        raise Infeasible("too few live long enough after relapse for a transplant")
    for record in shuffled(late_enough, rng)[:7]:
        span = record["last_contact_day"] - record["relapse_day"] - 20
        record["hsct_day"] = record["relapse_day"] + 40 + int(rng.integers(0, span - 45))
    return records


def short_non_responders(slots: Slots, lost: list[int], rng: np.random.Generator) -> list[Patient]:
    """129 without CR/CRh who are not long-term survivors, 14 of them transplanted later."""
    records = [patient("no_response", day, True) for day in slots.death.rest()]
    records += [patient("no_response", day, False) for day in lost]
    candidates = [r for r in records if r["died"] and r["last_contact_day"] > 170]
    if len(candidates) < 14:
        raise Infeasible("too few live long enough for a transplant without response")
    for record in shuffled(candidates, rng)[:14]:
        latest = min(record["last_contact_day"] - 20, 300)
        record["hsct_day"] = int(rng.integers(85, latest))
    return records


def draw_events(rng: np.random.Generator) -> list[Patient]:
    """All 259 patients with their days, so that the three curves come out as printed."""
    lost_day = LOST_RESPONSE + day_of(PRINTED["rfs"]["followup"][1])
    lost_after_hsct_day = LOST_AFTER_HSCT_TRANSPLANT + LOST_AFTER_HSCT
    lost_after_hsct_rfs = lost_after_hsct_day - LOST_AFTER_HSCT_RESPONSE
    os = fill_days(os_curve(rng, lost_day, lost_after_hsct_day), rng)
    rfs = fill_days(rfs_curve(rng, lost_after_hsct_rfs), rng)
    early_assessment = [i.day for i in rfs if i.kind == "censored"][1]
    hsct_deaths = [i.day for i in fill_days(hsct_curve(), rng) if i.kind == "death"]
    slots = Slots(
        death=DeathDays(os),
        remission_death=[i.day for i in rfs if i.kind == "death"],
        relapse=[i.day for i in rfs if i.kind == "relapse"],
        after_hsct=hsct_deaths[:-1],  # the last is a long-term survivor's
    )
    patients = long_term_survivors(os, slots, early_assessment, rng)
    patients.append(patient("relapse_free", lost_day, False, response_day=LOST_RESPONSE))
    patients.append(
        patient(
            "relapse_free",
            lost_after_hsct_day,
            False,
            response_day=LOST_AFTER_HSCT_RESPONSE,
            hsct_day=LOST_AFTER_HSCT_TRANSPLANT,
        )
    )
    known = {lost_day, lost_after_hsct_day}
    lost = [i.day for i in os if i.kind == "censored" and i.day <= MONTH_35]
    lost = [day for day in lost if day not in known]
    patients += deaths_in_remission(slots, rng)
    patients += relapses_after_transplant(slots, rng)
    patients += other_relapses(slots, lost, rng)
    patients += short_non_responders(slots, sorted(lost)[:-2], rng)
    return patients


# --------------------------------------------------------------------------------------------
# Step 4: patients to characteristics
# --------------------------------------------------------------------------------------------

# The counts of Table 1 that are dealt out, the most favourable level first.
RACE = {
    "White": 205,
    "Asian": 8,
    "Black (or African American)": 7,
    "American Indian or Alaska Native": 1,
    "Native Hawaiian or other Pacific Islander": 1,
    "Other": 12,
}
ECOG = {"0": 90, "1": 129, "2": 38}
BLASTS = {"≤5%": (6, 1, 5), ">5 to <10%": (10, 6, 9), "10 to <50%": (61, 10, 49)}
BLASTS_HIGH = ("≥50%", 178)
UNKNOWN_RACE, UNKNOWN_ECOG, UNKNOWN_BLASTS = 25, 2, 4

# Table 2 by survival beyond 35 months: best response, and the cycle of the MRD response.
BEST_RESPONSE = {True: {"CR": 27, "CRh": 9}, False: {"CR": 60, "CRh": 27}}
HYPOCELLULAR = {True: 1, False: 2}
MRD_CYCLES = {
    True: {"1": 32, "2": 2, "3 and beyond": 1},
    False: {"1": 65, "2": 5, "3 and beyond": 2},
}

# Not printed. The widths of the intervals in Table 3 fit about 38 evaluable patients without MRD
# response, 16 of them with CR/CRh, and about 74 patients in first salvage (by prior relapses).
EVALUABLE_WITHOUT_MRD = {"response": 16, "no response": 22}
FIRST_SALVAGE = {"0": 15, "1": 59}


def responders(patients: list[Patient]) -> list[Patient]:
    return [p for p in patients if p["response_day"] is not None]


def non_responders(patients: list[Patient]) -> list[Patient]:
    return [p for p in patients if p["response_day"] is None]


def is_long_term(record: Patient) -> bool:
    return record["last_contact_day"] > MONTH_35


def favoured(patients: list[Patient], name: str, rng: np.random.Generator) -> list[Patient]:
    """The patients in the order in which they get favourable characteristics.

    Those who do well tend to come first. The more noise (NOISE[name], in units of the whole range
    of ranks), the weaker the tendency. Patients with and without CR/CRh are ranked apart, and the
    noise is stratified: ten neighbours in rank get one value from each tenth. So a tendency holds
    in both parts alike, and chance alone makes none.
    """
    scored = []
    for group in (responders(patients), non_responders(patients)):
        order = sorted(shuffled(group, rng), key=time_well)
        for start in range(0, len(order), 10):
            tenths = rng.permutation(10)
            for offset, record in enumerate(order[start : start + 10]):
                noise = (int(tenths[offset]) + float(rng.random())) / 10
                scored.append(((start + offset) / len(order) + NOISE[name] * noise, record))
    scored.sort(key=lambda pair: -pair[0])
    return [record for _, record in scored]


def time_well(record: Patient) -> int:
    """Days alive plus days until relapse, if any: what the characteristics follow."""
    last = record["last_contact_day"]
    return last + (last if record["relapse_day"] is None else record["relapse_day"])


def deal(patients: list[Patient], column: str, counts: dict[str, int]) -> None:
    """Give the levels of a column to the patients in their order, so many of each."""
    levels = [level for level, count in counts.items() for _ in range(count)]
    for record, level in zip(patients, levels, strict=True):
        record[column] = level


def deal_responses(patients: list[Patient], rng: np.random.Generator) -> None:
    """Best response within two cycles; the hypocellular marrows are shown MRD negative too."""
    for record in non_responders(patients):
        record["best_response"] = "No response"
    for long_term, counts in BEST_RESPONSE.items():
        group = [p for p in responders(patients) if is_long_term(p) == long_term]
        deal(favoured(group, "best_response", rng), "best_response", counts)
        group = [
            p
            for p in non_responders(patients)
            if is_long_term(p) == long_term and p["last_contact_day"] > 60
        ]
        for record in shuffled(group, rng)[: HYPOCELLULAR[long_term]]:
            record["best_response"] = "Hypocellular bone marrow"


def deal_mrd(patients: list[Patient], rng: np.random.Generator) -> None:
    """MRD responses: of CR/CRh first, of every hypocellular marrow, and late in two others.

    The two others had no CR/CRh within two cycles and respond in the third.
    """
    for record in patients:
        record["mrd_evaluable"] = False
    for long_term, counts in MRD_CYCLES.items():
        group = [p for p in patients if is_long_term(p) == long_term]
        hypocellular = [p for p in group if p["best_response"] == "Hypocellular bone marrow"]
        for record in hypocellular:
            give_mrd(record, "1", rng)
        late = late_mrd_candidates(group, long_term)
        for record in shuffled(late, rng)[: counts["3 and beyond"]]:
            give_mrd(record, "3 and beyond", rng)
        without = [p for p in responders(group) if p["mrd_response_day"] is None]
        second = [p for p in without if p["response_day"] > CYCLE_DAYS]
        if len(late) < counts["3 and beyond"] or len(second) < counts["2"]:
            raise Infeasible("too few patients for a late MRD response")
        for record in shuffled(second, rng)[: counts["2"]]:
            give_mrd(record, "2", rng)
        without = [p for p in without if p["mrd_response_day"] is None]
        for record in favoured(without, "mrd", rng)[: counts["1"] - len(hypocellular)]:
            give_mrd(record, "1", rng)
    deal_evaluable(patients, rng)


def late_mrd_candidates(group: list[Patient], long_term: bool) -> list[Patient]:
    """Who can respond in cycle 3: still treated, without transplant, relapse or marrow failure."""
    return [
        p
        for p in group
        if p["hsct_day"] is None
        and p["relapse_day"] is None
        and p["last_contact_day"] > 220
        and (p["response_day"] is not None) == long_term
        and p["best_response"] != "Hypocellular bone marrow"
    ]


def give_mrd(record: Patient, cycle: str, rng: np.random.Generator) -> None:
    """Date an MRD response: with the response of its cycle, or at that cycle's assessment."""
    first, last = {"1": (27, 38), "2": (69, 80), "3 and beyond": (110, 122)}[cycle]
    response = record["response_day"]
    day = int(rng.integers(first, last + 1))
    if response is not None and (response <= CYCLE_DAYS) == (cycle == "1") and cycle < "3":
        day = min(max(response + int(rng.integers(-3, 5)), 20), 42 if cycle == "1" else 84)
    record |= {"mrd_response_day": day, "mrd_response_cycle": cycle, "mrd_evaluable": True}


def deal_evaluable(patients: list[Patient], rng: np.random.Generator) -> None:
    """Evaluable for MRD without a response: only who lived to the first assessment."""
    without = [
        p for p in patients if p["mrd_response_day"] is None and p["last_contact_day"] > CYCLE_DAYS
    ]
    for record in shuffled(responders(without), rng)[: EVALUABLE_WITHOUT_MRD["response"]]:
        record["mrd_evaluable"] = True
    for record in shuffled(non_responders(without), rng)[: EVALUABLE_WITHOUT_MRD["no response"]]:
        record["mrd_evaluable"] = True


def deal_cycles(patients: list[Patient], rng: np.random.Generator) -> None:
    """Treatment cycles started, 1 to 5: cycle k begins on day 42 (k - 1), if still treated then."""
    for record in patients:
        stops = [record[c] for c in ("last_contact_day", "relapse_day", "hsct_day")]
        possible = min((min(s for s in stops if s is not None) - 1) // CYCLE_DAYS + 1, 5)
        seen = [record[c] for c in ("response_day", "mrd_response_day")]
        needed = max([(day - 1) // CYCLE_DAYS + 1 for day in seen if day is not None], default=1)
        if record["response_day"] is None:
            possible = max(min(possible, 2), needed)
        record["cycles"] = int(rng.integers(needed, possible + 1))


def deal_baseline(patients: list[Patient], rng: np.random.Generator) -> None:
    """Table 1. Better performance status, White race and so on go mostly to those who do well."""
    deal(favoured(patients, "sex", rng), "sex", {"Male": 160, "Female": 99})
    deal_with_unknown(patients, "race", RACE, UNKNOWN_RACE, rng)
    deal_with_unknown(patients, "ecog", ECOG, UNKNOWN_ECOG, rng)
    deal_t_4_11(patients, rng)
    deal_prior_treatment(patients, rng)
    deal_blasts(patients, rng)
    deal_ages(patients, rng)


def deal_with_unknown(
    patients: list[Patient],
    column: str,
    counts: dict[str, int],
    unknown: int,
    rng: np.random.Generator,
) -> None:
    everyone = shuffled(patients, rng)
    deal(everyone[:unknown], column, {"Unknown": unknown})
    deal(favoured(everyone[unknown:], column, rng), column, counts)


def deal_t_4_11(patients: list[Patient], rng: np.random.Generator) -> None:
    """t(4;11): 16 yes as printed. 54 are taken as unknown: the paper's intervals call for some."""
    parts = ((responders(patients), 26, 6), (non_responders(patients), 28, 10))
    for group, unknown, yes in parts:
        counts = {"no": len(group) - unknown - yes, "yes": yes}
        deal_with_unknown(group, "t_4_11", counts, unknown, rng)


def deal_prior_treatment(patients: list[Patient], rng: np.random.Generator) -> None:
    """Primary refractory means no relapse yet, so no transplant yet; two relapses, later lines."""
    deal(favoured(patients, "prior_relapses", rng), "prior_relapses", {"0": 25, "1": 146, "≥2": 88})
    for record in patients:
        record["primary_refractory"] = record["prior_relapses"] == "0"
        record["salvage_line"] = "2nd+"
        record["prior_hsct"] = False
    for relapses, number in FIRST_SALVAGE.items():
        group = [p for p in patients if p["prior_relapses"] == relapses]
        for record in favoured(group, "salvage_line", rng)[:number]:
            record["salvage_line"] = "1st"
    for relapses, number in {"1": 44, "≥2": 44}.items():
        group = [p for p in patients if p["prior_relapses"] == relapses]
        for record in favoured(group, "prior_hsct", rng)[:number]:
            record["prior_hsct"] = True


def deal_blasts(patients: list[Patient], rng: np.random.Generator) -> None:
    """Bone marrow blasts: drawn within the printed groups until mean and SD are as printed."""
    everyone = shuffled(patients, rng)
    for record in everyone[:UNKNOWN_BLASTS]:
        record["bone_marrow_blasts_group"] = "Unknown"
    level, number = BLASTS_HIGH
    while True:
        drawn = [
            (name, int(value))
            for name, (count, low, high) in BLASTS.items()
            for value in rng.integers(low, high + 1, count)
        ]
        drawn += [(level, 50 + int(51 * (1 - u * u))) for u in rng.random(number)]
        mean, sd = mean_and_sd([value for _, value in drawn])
        if (as_printed(mean, 1), as_printed(sd, 1)) == ("66.7", "31.1"):
            break
    drawn.sort(key=lambda pair: pair[1])
    order = favoured(everyone[UNKNOWN_BLASTS:], "bone_marrow_blasts", rng)
    for record, (name, value) in zip(order, drawn, strict=True):
        record |= {"bone_marrow_blasts": value, "bone_marrow_blasts_group": name}


def mean_and_sd(values: list[int]) -> tuple[Fraction, float]:
    mean = Fraction(sum(values), len(values))
    return mean, sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))


def deal_ages(patients: list[Patient], rng: np.random.Generator) -> None:
    """Median 38, range 18 to 79: as many below the median patient as above; transplants to 65."""
    below = [18, *(18 + int(21 * u) for u in rng.random(128))]
    above = [79, *(38 + int(41 * (u * (1 + u) / 2)) for u in rng.random(128))]
    ages = sorted([*below, 38, *above])
    for record, age in zip(favoured(patients, "age", rng), ages, strict=True):
        record["age"] = age
    too_old = [p for p in patients if p["age"] > 65 and p["hsct_day"] is not None]
    others = [p for p in patients if p["age"] <= 65 and p["hsct_day"] is None]
    for old, young in zip(too_old, shuffled(others, rng), strict=False):
        old["age"], young["age"] = young["age"], old["age"]


# --------------------------------------------------------------------------------------------
# The text
# --------------------------------------------------------------------------------------------


def draw_cohort() -> list[Patient]:
    """The first draw without a dead end, in an order that tells nothing."""
    rng = np.random.Generator(np.random.PCG64(SEED))
    while True:
        try:
            patients = draw_events(rng)
            deal_responses(patients, rng)
            deal_mrd(patients, rng)
        except Infeasible:
            continue
        deal_cycles(patients, rng)
        deal_baseline(patients, rng)
        patients = shuffled(patients, rng)
        for number, record in enumerate(patients, start=1):
            record["patient_id"] = f"S{number:03d}"
        return patients


def as_text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def make() -> str:
    """The text of patients.csv, checked against the print."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(COLUMNS)
    for record in draw_cohort():
        writer.writerow([as_text(record[column]) for column in COLUMNS])
    text = buffer.getvalue()
    verify(list(csv.DictReader(io.StringIO(text))))
    return text


# --------------------------------------------------------------------------------------------
# The check: from the finished text, with other code than above
# --------------------------------------------------------------------------------------------


def require(holds: bool, message: str) -> None:
    if not holds:
        raise ValueError(f"the synthetic cohort is not as intended: {message}")


def number_or_none(text: str) -> int | None:
    return int(text) if text else None


def verify(rows: list[dict[str, str]]) -> None:
    for row in rows:
        verify_record(row)
    verify_tables(rows)
    verify_curves(rows)


def verify_record(row: dict[str, str]) -> None:
    """Every record must be possible: the order of events, the cycles, the blanks."""
    name = row["patient_id"]
    days = ("response_day", "mrd_response_day", "hsct_day", "relapse_day", "last_contact_day")
    response, mrd, hsct, relapse, last = (number_or_none(row[column]) for column in days)
    assessed = number_or_none(row["last_assessment_day"])
    complete = row["best_response"] in ("CR", "CRh")
    require(complete == (response is not None), f"{name}: response day without CR/CRh, or none")
    require(relapse is None or complete, f"{name}: relapse without CR/CRh")
    require(response is None or 22 <= response <= 90, f"{name}: response on day {response}")
    require(relapse is None or response < relapse < last, f"{name}: relapse on day {relapse}")
    require(hsct is None or 45 <= hsct < last, f"{name}: transplant on day {hsct}")
    events = {relapse} | ({last} if row["died"] == "yes" else set())
    require(not {response, mrd, hsct} & (events - {None}), f"{name}: an event on a switch day")
    require(MONTH_48 not in events, f"{name}: an event exactly at 48 months")
    require(
        response is None or MONTH_48 not in {e - response for e in events - {None}},
        f"{name}: an event exactly 48 months from response",
    )
    require(assessed is None or response < assessed < last, f"{name}: last assessment")
    require((mrd is None) == (row["mrd_response_cycle"] == ""), f"{name}: MRD cycle")
    require(mrd is None or row["mrd_evaluable"] == "yes", f"{name}: MRD response not evaluable")
    end = min(day for day in (hsct, relapse, last) if day is not None)
    cycles = int(row["cycles"])
    require(1 <= cycles <= 5 and CYCLE_DAYS * (cycles - 1) < end, f"{name}: {cycles} cycles")
    if mrd is not None:
        cycle = min((mrd - 1) // CYCLE_DAYS + 1, 3)
        require(row["mrd_response_cycle"][0] == str(cycle), f"{name}: MRD day and cycle")
        require(15 <= mrd < end and cycle <= cycles, f"{name}: MRD response on day {mrd}")
    verify_baseline(row)


def verify_baseline(row: dict[str, str]) -> None:
    name, refractory = row["patient_id"], row["primary_refractory"] == "yes"
    require(refractory == (row["prior_relapses"] == "0"), f"{name}: primary refractory")
    require(not (refractory and row["prior_hsct"] == "yes"), f"{name}: prior transplant")
    require(row["salvage_line"] == "2nd+" or row["prior_relapses"] != "≥2", f"{name}: salvage line")
    blasts = number_or_none(row["bone_marrow_blasts"])
    levels = ["≤5%", ">5 to <10%", "10 to <50%", "≥50%"]
    level = "Unknown" if blasts is None else levels[(blasts > 5) + (blasts >= 10) + (blasts >= 50)]
    require(row["bone_marrow_blasts_group"] == level, f"{name}: blasts and their group")


def verify_tables(rows: list[dict[str, str]]) -> None:
    """The counts of Tables 1 and 2, age and blasts."""
    total = {
        "sex": {"Male": 160, "Female": 99},
        "race": RACE | {"Unknown": UNKNOWN_RACE},
        "primary_refractory": {"yes": 25, "no": 234},
        "prior_relapses": {"0": 25, "1": 146, "≥2": 88},
        "prior_hsct": {"yes": 88, "no": 171},
        "bone_marrow_blasts_group": {level: count for level, (count, _, _) in BLASTS.items()}
        | {BLASTS_HIGH[0]: BLASTS_HIGH[1], "Unknown": UNKNOWN_BLASTS},
        "ecog": ECOG | {"Unknown": UNKNOWN_ECOG},
        "mrd_evaluable": {"yes": 107 + 38, "no": 114},
    }
    for column, counts in total.items():
        require(Counter(row[column] for row in rows) == counts, f"counts of {column}")
    require(sum(row["t_4_11"] == "yes" for row in rows) == 16, "count of t(4;11)")
    ages = sorted(int(row["age"]) for row in rows)
    require((ages[0], ages[129], ages[-1], len(ages)) == (18, 38, 79, 259), "ages")
    blasts = [int(row["bone_marrow_blasts"]) for row in rows if row["bone_marrow_blasts"]]
    mean, sd = mean_and_sd(blasts)
    require(as_printed(mean, 1) == "66.7" and as_printed(sd, 1) == "31.1", "blasts")
    long_term = [row for row in rows if int(row["last_contact_day"]) / float(DAYS_PER_MONTH) > 35]
    shorter = [row for row in rows if row not in long_term]
    require(table_2(long_term) == TABLE_2["long_term"], f"Table 2: {table_2(long_term)}")
    require(table_2(shorter) == TABLE_2["shorter"], f"Table 2: {table_2(shorter)}")


# Table 2 as printed: patients; CR, CRh, hypocellular; MRD responders, in cycle 1, 2, later;
# transplants, in remission, after relapse, without response; relapse-free, of these transplanted.
TABLE_2 = {
    "long_term": (43, 27, 9, 1, 35, 32, 2, 1, 24, 21, 1, 2, 27, 19),
    "shorter": (216, 60, 27, 2, 72, 65, 5, 2, 56, 35, 7, 14, 2, 1),
}


def table_2(rows: list[dict[str, str]]) -> tuple[int, ...]:
    best = Counter(row["best_response"] for row in rows)
    mrd = Counter(row["mrd_response_cycle"] for row in rows)
    hsct = [row for row in rows if row["hsct_day"]]
    in_remission = [row for row in hsct if transplanted_in_remission(row)]
    relapsed = [row for row in hsct if row["response_day"] and row not in in_remission]
    free = [
        row
        for row in rows
        if row["response_day"] and not row["relapse_day"] and row["died"] == "no"
    ]
    return (
        len(rows),
        *(best[level] for level in ("CR", "CRh", "Hypocellular bone marrow")),
        len(rows) - mrd[""],
        *(mrd[cycle] for cycle in ("1", "2", "3 and beyond")),
        len(hsct),
        len(in_remission),
        len(relapsed),
        len(hsct) - len(in_remission) - len(relapsed),
        len(free),
        sum(row in in_remission for row in free),
    )


def transplanted_in_remission(row: dict[str, str]) -> bool:
    response, hsct, relapse = (
        number_or_none(row[c]) for c in ("response_day", "hsct_day", "relapse_day")
    )
    if response is None or hsct is None:
        return False
    return response <= hsct and (relapse is None or hsct < relapse)


def verify_curves(rows: list[dict[str, str]]) -> None:
    """The points of Figures 1A to 1D, with their medians, limits and follow-up."""
    curves = {
        "os": [(int(r["last_contact_day"]), int(r["died"] == "yes")) for r in rows],
        "rfs": [],
        "os_after_hsct": [],
    }
    for row in rows:
        last, died = int(row["last_contact_day"]), int(row["died"] == "yes")
        if transplanted_in_remission(row):
            curves["os_after_hsct"].append((last - int(row["hsct_day"]), died))
        if row["response_day"]:
            assessed = int(row["last_assessment_day"] or last)
            end = int(row["relapse_day"] or (last if died else assessed))
            kind = 1 if row["relapse_day"] else 2 * died
            curves["rfs"].append((end - int(row["response_day"]), kind))
    for name, times in curves.items():
        verify_curve(name, times)
    require(Counter(kind for _, kind in curves["rfs"]) == {0: 29, 1: 73, 2: 21}, "RFS events")
    for month, percent in PRINTED["relapse"]["incidence"].items():
        found = by_day(curves["rfs"], month * float(DAYS_PER_MONTH))[1]
        require(shows(found, percent), f"relapse at {month} months: {found}")


def by_day(times: list[tuple[int, int]], until: float) -> tuple[float, float, float]:
    """Survival, incidence of kind 1 and Greenwood's sum at a time; kind 0 is censored."""
    survival, incidence, greenwood = Fraction(1), Fraction(0), Fraction(0)
    for day in sorted({t for t, kind in times if kind and t <= until}):
        at_risk = sum(t >= day for t, _ in times)
        kinds = Counter(kind for t, kind in times if t == day)
        events = kinds[1] + kinds[2]
        incidence += survival * Fraction(kinds[1], at_risk)
        survival *= 1 - Fraction(events, at_risk)
        if events < at_risk:
            greenwood += Fraction(events, at_risk * (at_risk - events))
    return float(survival), float(incidence), float(greenwood)


def verify_curve(name: str, times: list[tuple[int, int]]) -> None:
    printed = PRINTED[name]
    for month, percent in printed["survival"].items():
        found = by_day(times, month * float(DAYS_PER_MONTH))[0]
        require(shows(found, percent), f"{name} at {month} months: {found}")
    first_at_half: list[int | None] = [None, None, None]
    for day in sorted({t for t, kind in times if kind}):
        survival, _, greenwood = by_day(times, day)
        require(abs(survival - 0.5) > 1e-9, f"{name} is exactly one half on day {day}")
        for i, value in enumerate((survival, *log_log_limits(survival, greenwood))):
            if first_at_half[i] is None and value <= 0.5:
                first_at_half[i] = day
    found = tuple(as_printed(day / DAYS_PER_MONTH, 1) for day in first_at_half)
    require(found == printed["median"], f"{name}: median and limits {found}")
    if "followup" in printed:
        censored = sorted(t for t, kind in times if not kind)
        require(len(censored) % 2 == 1, f"{name}: the median follow-up is no patient's")
        days = (censored[len(censored) // 2], censored[0], censored[-1])
        found = tuple(as_printed(day / DAYS_PER_MONTH, 1) for day in days)
        require(found == printed["followup"], f"{name}: follow-up {found}")


if __name__ == "__main__":
    Path(__file__).with_name("patients.csv").write_bytes(make().encode("utf-8"))
