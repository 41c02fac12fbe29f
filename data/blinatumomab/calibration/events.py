"""The events of the cohort: every curve of the paper, built exactly, with no search.

The paper prints counts and a few points of each curve. This file works backwards from them, in
three steps:

1. Counts to order. A Kaplan-Meier curve depends only on the order of deaths and censorings. So
   the order is found first: which death brings the curve to one half, how many die before each
   censoring. Where the print leaves room, orders are drawn until every percentage comes out.
2. Order to days. The deaths that the print dates (a median, a limit) get their day. The others
   are spread between them.
3. Days to patients. A death after transplant lies on three curves at once: from first dose, from
   response, from transplant. Such deaths are placed first. The rest take the days left over.

Sources: Kaplan and Meier, 1958 (the curve); Kalbfleisch and Prentice, 1980 (log-log limits); Aalen
and Johansen, 1978 (relapse incidence).

All decisions are integer or compare numbers far from their threshold, so the days depend on the
seed alone.
"""

from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate
from math import exp, log, sqrt

import numpy as np
from printed import Printed, day_of, days_of, shows

DAYS = ("response_day", "hsct_day", "relapse_day", "last_assessment_day", "last_contact_day")
MONTH_24, MONTH_35 = 730, 1065  # days: floor of 730.5 and 1065.3
CYCLE_DAYS = 42
Z = 1.959964


def printed_curves(printed: Printed) -> dict[str, dict]:
    """What the paper prints about the curves: medians with limits and follow-up in months, and
    per cent by month."""

    def curve(name: str) -> dict:
        return {
            "median": printed.interval("median", name),
            "survival": printed.by_month("survival", name),
        }

    def followed(name: str) -> tuple[str, ...]:
        parts = ("median", "min", "max")
        return tuple(printed.text(f"followup_{part}", name) for part in parts)

    return {
        "os": curve("os") | {"followup": followed("os")},
        "rfs": curve("rfs") | {"followup": followed("rfs")},
        "os_after_hsct": curve("os_after_hsct"),
        "relapse": {"incidence": printed.by_month("cumulative_incidence", "relapse")},
    }


PRINTED = printed_curves(Printed())

# Days that are free within the print and tie the curves together.
EARLIEST_RELAPSE = 9  # days from response: no relapse at the very assessment of the response
LATE_RELAPSE = 1500  # days from response: after 48 months, with six at risk
LATE_HSCT_DEATH_DAY = 1108  # first dose to death of the one who dies 913 days after transplant
LATE_DEATH_DAY = 1190  # the other death after 36 months
LOST_AFTER_HSCT = 575  # days from transplant to the censoring with 25 at risk
LOST_AFTER_HSCT_RESPONSE, LOST_AFTER_HSCT_TRANSPLANT = 35, 65  # the same patient, from first dose
LOST_AFTER_RELAPSE = 7  # patients, see os_curve()
LOST_RESPONSE = 36  # response of the patient lost in remission without transplant

Patient = dict[str, object]


class Infeasible(Exception):
    """A random draw led to a dead end: draw again."""


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
    """Overall survival: 208 deaths and 51 censorings, in order, the fixed days filled in.

    Table 2 fixes 43 patients beyond 35 months. The printed 17.7 % at 36 months lies above
    43/259 = 16.6 %: some patients were lost early, and the earlier, the more of them. Ten are
    assumed: one on day 9, which prints as 0.3 months; the two lost in remission; seven who leave
    soon after an early relapse. With fewer of these, more responders die, and the interval of
    transplant in Table 3 comes out too narrow. From 17.7 % to 15.8 % two deaths suffice, with 20
    and then 17 at risk: 19/20 x 16/17 = 0.894. Drawn is what the print leaves open: how many die
    between 24 and 35 months, and how many before each censoring. The ranges are such that the pace
    of death stays even around the days of the two lost in remission.
    """
    printed = PRINTED["os"]
    while True:
        late_deaths = int(rng.integers(11, 18))  # between 24 and 35 months
        early_deaths = 213 - LOST_AFTER_RELAPSE - late_deaths
        others = items("censored", LOST_AFTER_RELAPSE)
        lost = [
            (2, Item("censored", day_of(printed["followup"][1]))),
            (int(rng.integers(152, 160)), Item("censored", lost_day)),
            (early_deaths - int(rng.integers(5, 10)), Item("censored", lost_after_hsct_day)),
            *((int(rng.integers(20, 90)), item) for item in others),
        ]
        curve = items("death", early_deaths + late_deaths)
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

    With ten lost early, 51 are censored, and the 26th has the printed median follow-up of
    36.0 months: 15 of the 43 lie below it. Seven censorings before the first death leave 20
    at risk, two more leave 17 at the second.
    """
    median, _, longest = PRINTED["os"]["followup"]
    return [
        *items("censored", 15),
        Item("fence", days_of(median)[0]),
        Item("censored", day_of(median)),
        Item("fence", days_of(median)[-1]),
        *items("censored", 7),
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
    """Spread the undated items between their dated neighbours, somewhat denser at the start.

    Each gets a day of its own there, because on one day events would count before censorings,
    against the order found.
    """
    start = 0
    while start < len(curve):
        if curve[start].day is not None:
            start += 1
            continue
        end = next(i for i in range(start, len(curve)) if curve[i].day is not None)
        before = curve[start - 1].day if start else 1
        days = np.arange(before + 1, curve[end].day)
        if len(days) < end - start:
            raise Infeasible("no room between two dated events")
        density = 1 / np.sqrt(1 + 8 * np.arange(len(days)) / len(days))
        drawn = rng.choice(days, end - start, replace=False, p=density / density.sum())
        for item, day in zip(curve[start:end], sorted(drawn), strict=True):
            item.day = int(day)
        start = end
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
    record: Patient = dict.fromkeys(DAYS)
    return record | {"group": group, "last_contact_day": last_contact_day, "died": died, **days}


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
    low, median, middle, high = censored[:15], censored[15], censored[16:33], censored[33:-1]
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
    """Relapses without transplant before: some are lost alive, the others die within months."""
    records = []
    for day in lost:
        response = min(response_days(rng))
        fits = [r for r in slots.relapse if r <= day - response - 12]
        relapse = take(slots.relapse, fits, rng)
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
    day_9, *after_relapse = sorted(lost)
    patients += other_relapses(slots, after_relapse, rng)
    patients += short_non_responders(slots, [day_9], rng)
    return patients


def draw(rng: np.random.Generator) -> list[Patient]:
    """The events of all 259 patients: the first draw that does not end in a dead end."""
    while True:
        try:
            return draw_events(rng)
        except Infeasible:
            continue
