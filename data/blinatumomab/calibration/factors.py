"""The searches over baseline characteristics: who has which, the events being settled.

A characteristic passes between patients, so its printed counts stay. A yes/no factor is 1 for its
numerator, 0 for its denominator and UNKNOWN for a value on neither side.
"""

from collections.abc import Callable, Iterable
from math import log

import numpy as np
from cohort import Columns, chosen, possible, responders
from likelihood import NEVER, number, one_factor, two_factors
from moves import Moves, event_fits, one_of, relapse_free_time
from pairs import Pairs
from printed import Printed, as_printed
from search import Aim, Change, Fit, Search, distance

UNKNOWN = -1
NOT_ASSOCIATED = 1.95  # z for P above .05, with a margin
NOT_KEPT = 1.0  # z beside CR/CRh alone, low enough to stay out beside MRD response too
OLDEST_HSCT = 65

# Not printed. The intervals of Table 3 need responders whose t(4;11) is unknown, and almost all the
# others in the stepwise model: so the search begins with race known in every responder, and with
# t(4;11) unknown first in those who are not evaluable for MRD. About so many are in first salvage.
T_4_11_UNKNOWN = {"responders": 48, "others": 0}
FIRST_SALVAGE = 74
UNKNOWN_CHANGES = 0.002  # share of changes in who is unknown

# Bone marrow blasts in per cent: the bounds of Table 1's groups.
BLASTS = {"≤5%": (1, 5), ">5 to <10%": (6, 9), "10 to <50%": (10, 49), "≥50%": (50, 100)}


def always(values: np.ndarray) -> np.ndarray:
    """A baseline factor as the day of a switch: yes from the start, or never."""
    return np.where(values == 1, -1, NEVER)


class Factor:
    """One yes/no factor and its two univariate lines of Table 3."""

    def __init__(self, printed: Printed, name: str) -> None:
        self.name = name
        self.aims = [
            Aim.at(printed, "hazard_ratio_univariate", f"{endpoint}:{name}")
            for endpoint in ("os", "rfs")
        ]

    def fits(self, columns: Columns) -> list[Fit]:
        """Overall and relapse-free survival."""
        known = columns[self.name] != UNKNOWN
        switch = always(columns[self.name])
        time, event = relapse_free_time(columns)
        models = (
            (known, columns["last"], columns["died"]),
            (known & responders(columns), time, event),
        )
        return [
            Fit(aim, *one_factor(days[who], observed[who], switch[who], aim.guess))
            for aim, (who, days, observed) in zip(self.aims, models, strict=True)
        ]

    def penalty(self, columns: Columns) -> float:
        """The distance of both from the print, in per cent."""
        return distance(self.fits(columns))


def sides(yes: int, no: int, unknown: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """A factor dealt at random to n patients, of whom some are unknown."""
    values = np.zeros(n, dtype=int)
    values[unknown] = UNKNOWN
    known = np.flatnonzero(values == 0)
    if len(known) != yes + no:
        raise ValueError(f"{yes} + {no} sides for {len(known)} patients")
    values[rng.permutation(known)[:yes]] = 1
    return values


def exchange(name: str, columns: Columns, rng: np.random.Generator) -> Change | None:
    """Two patients change a characteristic."""
    values = columns[name]
    i, j = rng.integers(len(values), size=2)
    if values[i] == values[j]:
        return None
    return [(name, int(i), values[j]), (name, int(j), values[i])]


def anyone(columns: Columns, patients: Iterable[int]) -> bool:
    """Every record stays possible."""
    return True


# --- race and t(4;11), which share the stepwise model of relapse-free survival ----------------


def begin_race_and_t_4_11(columns: Columns, printed: Printed, rng: np.random.Generator) -> None:
    """Deal both at random, but for who is unknown."""
    n, race, responded = len(columns["last"]), printed.levels("race"), responders(columns)
    unknown = chosen(~responded, race["Unknown"], rng)
    others = n - race["White"] - race["Unknown"]
    columns["race"] = sides(race["White"], others, unknown, n, rng)
    not_evaluable = np.flatnonzero(responded & ~columns["evaluable"])
    number = T_4_11_UNKNOWN["responders"] - len(not_evaluable)
    unknown = np.concatenate(
        [
            not_evaluable,
            chosen(responded & columns["evaluable"], number, rng),
            chosen(~responded, T_4_11_UNKNOWN["others"], rng),
        ]
    )
    columns["t_4_11"] = np.zeros(n, dtype=int)
    columns["t_4_11"][unknown] = UNKNOWN
    may_have_it = columns["died"] & (columns["t_4_11"] != UNKNOWN)
    columns["t_4_11"][chosen(may_have_it, printed.count("t_4_11=yes"), rng)] = 1


def race_and_t_4_11(printed: Printed) -> Callable[[Columns], list[Fit]]:
    """Both alone, and together in the patients complete in all three candidates, of which MRD
    response is the third."""
    alone = [Factor(printed, name) for name in ("race", "t_4_11")]
    adjusted = [
        Aim.at(printed, "hazard_ratio_multivariate", f"rfs:{name}") for name in ("race", "t_4_11")
    ]

    def fits(columns: Columns) -> list[Fit]:
        race, t_4_11 = columns["race"], columns["t_4_11"]
        who = responders(columns) & columns["evaluable"] & (race != UNKNOWN) & (t_4_11 != UNKNOWN)
        time, event = relapse_free_time(columns)
        beta_race, beta_t_4_11, se_race, se_t_4_11 = two_factors(
            time[who],
            event[who],
            always(race[who]),
            always(t_4_11[who]),
            *(aim.guess for aim in adjusted),
        )
        return [
            *(fit for factor in alone for fit in factor.fits(columns)),
            Fit(adjusted[0], beta_race, se_race),
            Fit(adjusted[1], beta_t_4_11, se_t_4_11),
        ]

    return fits


def search_race_and_t_4_11(printed: Printed, columns: Columns) -> Search:
    """Race and t(4;11) on the events as they are, nearly; the next search ends it."""
    fits = race_and_t_4_11(printed)
    return Search(
        lambda now: distance(fits(now)),
        RareExchange(columns).propose,
        died_with_t_4_11,
        steps=4_000_000,
        enough=0.4,
        first=250_000,
    )


def search_together(printed: Printed, columns: Columns) -> Search:
    """What the search before left a little off: events, race and t(4;11) at once, from a low heat.

    Small changes of the events turn the last screws of the models of race and t(4;11). Each round
    ends with pairs of changes. Every other round begins warm enough to leave a dead end.
    """
    events, sides = event_fits(printed), race_and_t_4_11(printed)
    moves, exchange = Moves(columns), RareExchange(columns)

    def fits(now: Columns) -> list[Fit]:
        return events(now) + sides(now)

    def propose(now: Columns, rng: np.random.Generator) -> Change | None:
        return (moves if rng.random() < 0.6 else exchange).propose(now, rng)

    def allowed(now: Columns, patients: Iterable[int]) -> bool:
        return died_with_t_4_11(now, patients) and all(possible(now, i) for i in patients)

    return Search(
        lambda now: distance(fits(now)),
        propose,
        allowed,
        steps=1_800_000,
        hot=0.02,
        cold=0.0005,
        first=60_000,
        warm=(0.3, 0.02),
        round=60_000,
        finish=Pairs(fits, propose, allowed).improve,
    )


def died_with_t_4_11(columns: Columns, patients: Iterable[int]) -> bool:
    """Its interval in Table 3 is too narrow for fewer deaths than all 16 with the translocation."""
    return all(columns["t_4_11"][i] != 1 or columns["died"][i] for i in patients)


class RareExchange:
    """Exchanges that start from the rarer values, mostly with a patient of a similar course.

    Similar is a similar time to death, or of responders a similar time to relapse or death. An
    unknown t(4;11) stays on its side, with or without CR/CRh.
    """

    def __init__(self, columns: Columns) -> None:
        self.responded = responders(columns)
        everybody, who = np.arange(len(self.responded)), np.flatnonzero(self.responded)
        self.near_in_os = _nearest(columns["last"], everybody)
        self.near_in_rfs = _nearest(relapse_free_time(columns)[0], who)

    def propose(self, columns: Columns, rng: np.random.Generator) -> Change | None:
        """Race or t(4;11) of two patients; or t(4;11) of one responder becomes known or unknown."""
        if rng.random() < UNKNOWN_CHANGES:
            i = one_of(np.flatnonzero(self.responded & (columns["t_4_11"] != 1)), rng)
            return [("t_4_11", i, UNKNOWN - columns["t_4_11"][i])]
        name, common = ("race", 1) if rng.random() < 0.5 else ("t_4_11", 0)
        values = columns[name]
        i = one_of(np.flatnonzero(values != common), rng)
        draw = rng.random()
        near = self.near_in_rfs if draw < 0.4 else self.near_in_os if draw < 0.7 else None
        if near is None or i not in near:
            j = int(rng.integers(len(values)))
        else:
            j = one_of(near[i], rng)
        one_sided = name == "t_4_11" and UNKNOWN in (values[i], values[j])
        if values[i] == values[j] or one_sided and self.responded[i] != self.responded[j]:
            return None
        return [(name, i, values[j]), (name, j, values[i])]


def _nearest(time: np.ndarray, who: np.ndarray, most: int = 10) -> dict[int, np.ndarray]:
    """For each of some patients, those of them whose time is nearest."""
    order = who[np.argsort(time[who], kind="stable")]
    return {
        int(i): np.delete(order, place)[max(0, place - most // 2) : place + most // 2]
        for place, i in enumerate(order)
    }


# --- the other yes/no factors ----------------------------------------------------------------


def begin_ecog(columns: Columns, printed: Printed, rng: np.random.Generator) -> None:
    """0 against 1 and 2; the unknown are those of the search over events."""
    levels = printed.levels("ecog")
    unknown = np.flatnonzero(columns["ecog_unknown"])
    n = len(columns["last"])
    columns["ecog"] = sides(levels["0"], levels["1"] + levels["2"], unknown, n, rng)


def search_ecog(printed: Printed, columns: Columns) -> Search:
    """Associated with survival alone, but not beside CR/CRh in the stepwise patients."""
    alone = Factor(printed, "ecog")
    cr = log(float(printed.text("hazard_ratio_multivariate", "os:response_day")))

    def penalty(now: Columns) -> float:
        who = now["evaluable"] & (now["ecog"] != UNKNOWN)
        beta, _, se, _ = two_factors(
            now["last"][who],
            now["died"][who],
            always(now["ecog"][who]),
            now["response"][who],
            0.0,
            cr,
        )
        return alone.penalty(now) + max(0.0, abs(beta) / se - NOT_KEPT)

    def unknown_stay(now: Columns, patients: Iterable[int]) -> bool:
        # The search over events chose them: they are not in the stepwise model.
        return all((now["ecog"][i] == UNKNOWN) == now["ecog_unknown"][i] for i in patients)

    return Search(penalty, lambda now, rng: exchange("ecog", now, rng), unknown_stay, steps=300_000)


def begin_sex(columns: Columns, printed: Printed, rng: np.random.Generator) -> None:
    levels = printed.levels("sex")
    n, nobody = len(columns["last"]), np.array([], dtype=int)
    columns["sex"] = sides(levels["Male"], levels["Female"], nobody, n, rng)


def begin_primary_refractory(columns: Columns, printed: Printed, rng: np.random.Generator) -> None:
    n, yes = len(columns["last"]), printed.count("primary_refractory=yes")
    columns["primary_refractory"] = sides(yes, n - yes, np.array([], dtype=int), n, rng)


def begin_prior_hsct(columns: Columns, printed: Printed, rng: np.random.Generator) -> None:
    """Only after a relapse: not in primary refractory disease."""
    columns["prior_hsct"] = np.zeros(len(columns["last"]), dtype=int)
    relapsed = columns["primary_refractory"] == 0
    columns["prior_hsct"][chosen(relapsed, printed.count("prior_hsct=yes"), rng)] = 1


def begin_salvage_line(columns: Columns, printed: Printed, rng: np.random.Generator) -> None:
    n = len(columns["last"])
    nobody = np.array([], dtype=int)
    columns["salvage_line"] = sides(FIRST_SALVAGE, n - FIRST_SALVAGE, nobody, n, rng)


def no_transplant_before_relapse(columns: Columns, patients: Iterable[int]) -> bool:
    """Primary refractory disease has not relapsed, so nobody was transplanted for a relapse."""
    return not any(columns["prior_hsct"][i] and columns["primary_refractory"][i] for i in patients)


def search_factor(
    name: str, allowed: Callable[[Columns, Iterable[int]], bool] = anyone
) -> Callable[[Printed, Columns], Search]:
    """The search for one yes/no factor by itself."""

    def search(printed: Printed, columns: Columns) -> Search:
        return Search(
            penalty=Factor(printed, name).penalty,
            propose=lambda now, rng: exchange(name, now, rng),
            allowed=allowed,
            steps=300_000,
        )

    return search


# --- the two numbers -------------------------------------------------------------------------


def begin_blasts(columns: Columns, printed: Printed, rng: np.random.Generator) -> None:
    """Drawn within the printed groups until mean and standard deviation are as printed."""
    counts = printed.levels("bone_marrow_blasts_group")
    aim = printed.text("mean", "bone_marrow_blasts"), printed.text("sd", "bone_marrow_blasts")
    while True:
        drawn = [
            rng.integers(low, high + 1, counts[level]) for level, (low, high) in BLASTS.items()
        ]
        drawn[-1] = 50 + (51 * (1 - rng.random(counts["≥50%"]) ** 2)).astype(int)
        values = np.concatenate(drawn)
        if (as_printed(values.mean(), 1), as_printed(values.std(ddof=1), 1)) == aim:
            break
    unknown = np.full(counts["Unknown"], UNKNOWN)
    columns["bone_marrow_blasts"] = rng.permutation(np.concatenate([values, unknown]))


def begin_age(columns: Columns, printed: Printed, rng: np.random.Generator) -> None:
    """As many below the median patient as above; the transplanted are not too old for it."""
    least, median, greatest = (
        int(printed.text(quantity, "age")) for quantity in ("min", "median_value", "max")
    )
    half = len(columns["last"]) // 2 - 1
    low, high = rng.random(half), rng.random(half)
    below = least + ((median - least + 1) * low).astype(int)
    above = median + ((greatest - median) * high * (1 + high) / 2).astype(int)
    ages = rng.permutation(np.concatenate([[least, median, greatest], below, above]))
    transplanted, others = columns["hsct"] < NEVER, ages > OLDEST_HSCT
    columns["age"] = np.empty(len(ages), dtype=int)
    columns["age"][transplanted] = ages[~others][: transplanted.sum()]
    columns["age"][~transplanted] = rng.permutation(
        np.concatenate([ages[others], ages[~others][transplanted.sum() :]])
    )


def young_enough(columns: Columns, patients: Iterable[int]) -> bool:
    """Nobody is transplanted beyond the age at which that is done."""
    return not any(columns["age"][i] > OLDEST_HSCT and columns["hsct"][i] < NEVER for i in patients)


def search_number(
    name: str, allowed: Callable[[Columns, Iterable[int]], bool] = anyone
) -> Callable[[Printed, Columns], Search]:
    """The search for a factor that is a number; not associated with survival."""

    def search(printed: Printed, columns: Columns) -> Search:
        time, event = relapse_free_time(columns)
        everybody = np.arange(len(columns["last"]))
        lines = []
        for endpoint, who, days, observed in (
            ("os", everybody, columns["last"], columns["died"]),
            ("rfs", np.flatnonzero(responders(columns)), time, event),
        ):
            who = who[np.argsort(days[who], kind="stable")]
            aim = Aim.at(printed, "hazard_ratio_univariate", f"{endpoint}:{name}")
            lines.append((aim, who, days[who], observed[who]))

        def penalty(now: Columns) -> float:
            total = 0.0
            for aim, who, days, observed in lines:
                values = now[name][who].astype(float)
                known = values != UNKNOWN
                beta, se = number(days[known], observed[known], values[known], aim.guess)
                # The second decimal leaves open whether 1.01 (1.00-1.01) is associated.
                total += distance([Fit(aim, beta, se)])
                total += max(0.0, abs(beta) / se - NOT_ASSOCIATED)
            return total

        return Search(
            penalty, lambda now, rng: exchange(name, now, rng), allowed, steps=300_000, hot=0.3,
            cold=0.001,
        )  # fmt: skip

    return search
