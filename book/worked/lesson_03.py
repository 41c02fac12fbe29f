# %% Read those who have lived to a day
import altair as alt
import pandas as pd
from lifelines import KaplanMeierFitter
from scipy import stats

table = "patients.csv"
days = "last_contact_day"  # the day of death or of the last visit
died = "died"
first = 730.5  # the day to which a patient has lived
flat = 1095.75  # the day from which the curve looks flat
last = 1826.25  # the day that is asked for

patients = pd.read_csv(table)
beyond = patients[patients[days] > first]
print(f"{len(beyond)} of {len(patients)} were followed beyond day {first:.0f}")

# %% [markdown]
# All of them were alive on that day. From which day should their clock count, and what would go
# wrong if it counted from the first day of all?

# %% Estimate their outlook
curve = KaplanMeierFitter().fit(beyond[days] - first, beyond[died] == "yes")
main = curve.predict(last - first)
print(f"{main:.3f} of them live to day {last:.0f}")

# %% [markdown]
# Fit a curve to all `patients`, and divide its value on `last` by that on `first`. Do the two
# numbers agree?

# %% Count what the flat part rests on
left = patients[patients[days] > flat]
years = (left[days] - flat).sum() / 365.25
events = (left[died] == "yes").sum()
upper = stats.chi2.isf(0.025, 2 * events + 2) / 2
print(f"{len(left)} patients, {years:.1f} patient-years, deaths: {events}")
print(f"at most {100 * upper / years:.1f} deaths per 100 patient-years")

# %% [markdown]
# Let twice as many years be seen, and the same deaths. Which rate would then be ruled out?

# %% Draw their curve
steps = curve.survival_function_.reset_index(names="day")
steps["day"] = (steps["day"] + first).round(2)
alt.Chart(steps).mark_line(interpolate="step-after").encode(
    x=alt.X("day", title="Days").scale(zero=False),
    y=alt.Y("KM_estimate", title="Alive, of them").scale(domain=[0, 1]),
)
