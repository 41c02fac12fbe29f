"""Times that rounding alone parts are one, and a month meets the day that it names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_properties import drawn

from analysis import survival as est
from analysis.course.cuts import cut_at
from analysis.dataset.covariates import at_landmark, covariate_rows
from analysis.dataset.endpoints import endpoint, long_term
from analysis.dataset.model import ROOT, load
from analysis.importing.reading import plain
from analysis.page.rows import pick
from analysis.study.curves import survival_results
from analysis.survival.times import places

TIMES = pd.read_csv(ROOT / "tests" / "reference" / "times.csv", float_precision="round_trip")


@pytest.mark.parametrize("case", TIMES["case"].unique())
def test_one_time_is_that_of_r(case):
    rows = TIMES[TIMES["case"] == case]
    (ours,) = est.one_time(rows["time"].to_numpy())
    assert ours.tolist() == rows["same"].tolist()


def test_times_of_one_clock_are_made_one_together():
    stop, start = est.one_time([7.1 - 2.3, np.inf, np.nan], [[4.8], [-np.inf]])
    assert stop[0] == start[0, 0] == 7.1 - 2.3
    assert stop[1] == np.inf
    assert np.isnan(stop[2])
    assert start[1, 0] == -np.inf
    assert [array.size for array in est.one_time([], [])] == [0, 0]


@drawn
@given(st.lists(st.integers(-5, 60), max_size=30))
def test_whole_days_have_the_places_of_times_that_are_sorted(days):
    """Whole numbers are counted; eighths, as exact, are sorted."""
    days = np.array(days, dtype=float)
    (whole, (place,)), (eighths, (other,)) = places(days), places(days / 8)
    np.testing.assert_array_equal(whole, eighths * 8)
    np.testing.assert_array_equal(place, other)
    np.testing.assert_array_equal(whole[place], days)


def test_decimal_months_have_the_ties_of_their_tenths():
    """From response at 2.3 to relapse at 7.1 months is as long as from 0.5 to 5.3."""
    start, length = np.divmod(np.arange(400), 20)
    days = [
        [float(plain(tenths / 10 * 30.4375)) for tenths in part] for part in (start, start + length)
    ]
    begin, end = np.array(days)
    event = np.arange(400) % 3 > 0
    curve = est.survival_curve(end - begin, event)
    whole = est.survival_curve(length.astype(float), event)
    assert len(curve) == len(whole) == 20
    np.testing.assert_array_equal(curve["at_risk"], whole["at_risk"])
    incidence = est.cumulative_incidence(end - begin, event * 1, 1)
    assert len(incidence) == 20


LENGTHS = st.one_of(
    st.sampled_from([30.4, 30.44, 30.4375, 30.436875, 30, 365.25 / 12, 28.1]),
    st.floats(28, 31, allow_nan=False).map(lambda days: round(days, 5)),
)


@st.composite
def months_and_days(draw) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Whole months and events, the days that an import makes of them, and the length of a month."""
    length = draw(LENGTHS)
    months = np.array(draw(st.lists(st.integers(0, 40), min_size=3, max_size=30)))
    event = np.array(draw(st.lists(st.booleans(), min_size=len(months), max_size=len(months))))
    return months, event, np.array([float(plain(m * length)) for m in months]), length


@settings(drawn, max_examples=25)
@given(months_and_days(), st.integers(0, 40))
def test_a_month_counts_as_in_whole_months(cohort, month):
    months, event, days, length = cohort
    day = month * length
    parts = (est.survival_curve(months, event), est.survival_curve(days, event))
    whole, ours = (est.at(c, [t]).iloc[0] for c, t in zip(parts, (month, day), strict=True))
    np.testing.assert_allclose(ours.astype(float), whole.astype(float), rtol=1e-9)
    assert est.beyond(days, day).tolist() == (months > month).tolist()
    rates = (est.event_rate(t, event, s) for t, s in ((months, month), (days / 7, day / 7)))
    assert len({(rate.n, rate.events) for rate in rates}) == 1
    means = (
        est.restricted_mean(c, t)[0] / t for c, t in zip(parts, (month, day), strict=True) if t
    )
    assert len({round(mean, 9) for mean in means if not np.isnan(mean)}) <= 1
    rows, whole_rows = (
        pd.DataFrame({"patient": range(len(t)), "start": -np.inf, "stop": t, "event": event * 1})
        for t in (days, months)
    )
    early, late = est.stretches(rows, day)
    assert (late["patient"].tolist(), early["event"].sum()) == (
        np.flatnonzero(months > month).tolist(), event[months <= month].sum(),
    )  # fmt: skip
    still = at_landmark(rows.assign(x=0.0), "x", day)
    assert still["patient"].tolist() == np.flatnonzero(months > month).tolist()
    assert len(est.cut(rows, day)) == len(est.cut(whole_rows, float(month)))


@pytest.mark.parametrize("length", [30.4, 30.44, 30.4375, 30.436875])
def test_every_page_meets_the_days_of_whole_months(length):
    """myeloid rounded up to whole months: all counts are those of months as the unit."""
    data = load("data/myeloid")
    columns = [c for c in data.patients if c.endswith("_day")]
    months = np.ceil(data.patients[columns] / 30.4375)
    days = months.map(lambda m: float(plain(m * length)) if m == m else m)
    made = replace(
        data,
        patients=data.patients.assign(**days),
        settings=replace(data.settings, days_per_month=length),
    )
    last = months["last_contact_day"]
    assert (long_term(made) == (last > data.settings.long_term_months)).all()
    os = endpoint(made, "os")
    found = survival_results(made, os, est.survival_curve(os.time, os.observed))
    for month in data.settings.months:
        get = {q: pick(found, q, "os", month) for q in ("survival", "event_rate", "censored")}
        died = data.patients["died"].eq("yes")
        assert get["survival"]["n"] == (last >= month).sum()
        assert get["survival"]["events"] == ((last <= month) & died).sum()
        assert get["event_rate"]["n"] == (last > month).sum()
        assert get["censored"]["estimate"] == ((last < month) & ~died).sum()
        assert cut_at(os, made.days(month)).observed.sum() == ((last <= month) & died).sum()
        if month < data.settings.months[-1]:
            after = pick(found, "conditional_survival", "os", month)
            later = (last > month) & (last <= data.settings.months[-1]) & died
            assert after["events"] == later.sum()
    switch = [factor for factor in made.factors if factor.column == "hsct_day"]
    rows, hsct = covariate_rows(made, os, switch), months["hsct_day"]
    assert len(rows) == len(months) + ((hsct > 0) & (hsct < last)).sum()
