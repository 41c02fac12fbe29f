"""Cox models that the search can afford to fit a million times.

All factors but two are yes or no, now or from some day on. Then the partial likelihood needs no
patients, only counts: how many are at risk, and how many die, on each day with each combination
of yes and no. Ties are Efron's (Efron 1977) and an event on the day of a switch belongs to the time
before it, as in the book's own Cox model, against which the tests check these.

Days are whole and not negative; NEVER is the day of what does not happen. Numba compiles the loops.
Without it they give the same numbers a hundred times slower, which is enough for the tests.
"""

from math import exp, sqrt

import numpy as np

try:
    from numba import njit
except ImportError:

    def njit(function):  # noqa: D103
        return function


NEVER = 10**6
MOST_STEPS = 25
SETTLED = 1e-7


@njit
def _at_risk_and_dying(time, event, first, second):
    """Counts by day and combination (0 neither, 1 first, 2 second, 3 both): at risk, dying."""
    days = time.max() + 2
    at_risk = np.zeros((days, 4))
    dying = np.zeros((days, 4))
    for i in range(len(time)):
        place, since = 0, 0
        for _ in range(3):
            # The next switch that comes before the end of this patient's time.
            day = time[i]
            if not place & 1 and first[i] < day:
                day = first[i]
            if not place & 2 and second[i] < day:
                day = second[i]
            if day == time[i]:
                break
            upto = max(day + 1, 0)
            at_risk[since, place] += 1
            at_risk[upto, place] -= 1
            since = upto
            place |= (first[i] == day) + 2 * (second[i] == day)
        at_risk[since, place] += 1
        at_risk[time[i] + 1, place] -= 1
        if event[i]:
            dying[time[i], place] += 1
    for day in range(1, days):
        for place in range(4):
            at_risk[day, place] += at_risk[day - 1, place]
    return at_risk, dying


@njit
def one_factor(time, event, switch, guess):
    """Log hazard ratio and its standard error of one yes/no factor.

    `time` (n,) days, `event` (n,) bool, `switch` (n,) the day after which the factor is yes
    (-1: always, NEVER: never). `guess` starts Newton's method. Where the estimate runs away, the
    last step comes back.
    """
    at_risk, dying = _at_risk_and_dying(time, event, switch, np.full(len(time), NEVER))
    beta, information = guess, 1.0
    for _ in range(MOST_STEPS):
        ratio = exp(beta)
        score, information = 0.0, 1e-9
        for day in range(len(dying)):
            deaths = dying[day, 0] + dying[day, 1]
            if deaths == 0:
                continue
            score += dying[day, 1]
            for k in range(int(deaths)):
                share = k / deaths
                no = at_risk[day, 0] - share * dying[day, 0]
                yes = ratio * (at_risk[day, 1] - share * dying[day, 1])
                mean = yes / (no + yes)
                score -= mean
                information += mean * (1 - mean)
        step = min(max(score / information, -1.0), 1.0)
        beta = min(max(beta + step, -6.0), 6.0)
        if abs(step) < SETTLED:
            break
    return beta, 1 / sqrt(information)


@njit
def two_factors(time, event, first, second, guess_1, guess_2):
    """The same for two factors in one model: both log hazard ratios, then both standard errors."""
    at_risk, dying = _at_risk_and_dying(time, event, first, second)
    beta_1, beta_2 = guess_1, guess_2
    var_1 = var_2 = 1.0
    for _ in range(MOST_STEPS):
        ratio_1, ratio_2 = exp(beta_1), exp(beta_2)
        score_1 = score_2 = cross = 0.0
        info_1 = info_2 = 1e-9
        for day in range(len(dying)):
            none, only_1, only_2, both = dying[day]
            deaths = none + only_1 + only_2 + both
            if deaths == 0:
                continue
            score_1 += only_1 + both
            score_2 += only_2 + both
            for k in range(int(deaths)):
                share = k / deaths
                weight_1 = ratio_1 * (at_risk[day, 1] - share * only_1)
                weight_2 = ratio_2 * (at_risk[day, 2] - share * only_2)
                weight_both = ratio_1 * ratio_2 * (at_risk[day, 3] - share * both)
                total = at_risk[day, 0] - share * none + weight_1 + weight_2 + weight_both
                mean_1 = (weight_1 + weight_both) / total
                mean_2 = (weight_2 + weight_both) / total
                score_1 -= mean_1
                score_2 -= mean_2
                info_1 += mean_1 * (1 - mean_1)
                info_2 += mean_2 * (1 - mean_2)
                cross += weight_both / total - mean_1 * mean_2
        determinant = max(info_1 * info_2 - cross * cross, 1e-9)
        var_1, var_2 = info_2 / determinant, info_1 / determinant
        step_1 = min(max(var_1 * score_1 - cross / determinant * score_2, -1.0), 1.0)
        step_2 = min(max(var_2 * score_2 - cross / determinant * score_1, -1.0), 1.0)
        beta_1 = min(max(beta_1 + step_1, -6.0), 6.0)
        beta_2 = min(max(beta_2 + step_2, -6.0), 6.0)
        if abs(step_1) + abs(step_2) < SETTLED:
            break
    return beta_1, beta_2, sqrt(var_1), sqrt(var_2)


@njit
def number(time, event, value, guess):
    """Log hazard ratio for one more unit, and its standard error, of a factor that is a number.

    The patients must come in the order of `time`.
    """
    beta, information = guess, 1.0
    n = len(time)
    for _ in range(MOST_STEPS):
        score, information = 0.0, 1e-9
        total = sum_1 = sum_2 = 0.0
        i = n - 1
        while i >= 0:
            day = time[i]
            deaths, tied, tied_1, tied_2 = 0, 0.0, 0.0, 0.0
            while i >= 0 and time[i] == day:
                x = value[i]
                weight = exp(beta * x)
                total += weight
                sum_1 += weight * x
                sum_2 += weight * x * x
                if event[i]:
                    deaths += 1
                    score += x
                    tied += weight
                    tied_1 += weight * x
                    tied_2 += weight * x * x
                i -= 1
            for k in range(deaths):
                share = k / deaths
                all_weight = total - share * tied
                mean = (sum_1 - share * tied_1) / all_weight
                score -= mean
                information += (sum_2 - share * tied_2) / all_weight - mean * mean
        step = score / information
        beta += step
        if abs(step) * 1000 < SETTLED:
            break
    return beta, 1 / sqrt(information)
