# %% Read the patients
import altair as alt
import pandas as pd
from lifelines import KaplanMeierFitter

table = "patients.csv"
days = "last_contact_day"  # the day of death or of the last visit
died = "died"
day = 1826.25  # the day that is asked for

patients = pd.read_csv(table)
dead = patients[died] == "yes"
patients[[days, died]].head()

# %% [markdown]
# Before you go on: which of these five are censored, and on which day? For how many of the five do
# you know whether they were alive on `day`?

# %% Estimate the curve
curve = KaplanMeierFitter().fit(patients[days], dead)
main = curve.predict(day)
print(f"{main:.3f} alive on day {day:.0f}, by Kaplan and Meier")

# %% [markdown]
# The library has hidden the product. Which two counts does it need for each day of a death?

# %% By hand
deaths = patients.loc[dead & (patients[days] <= day), days].value_counts()
at_risk = pd.Series({d: (patients[days] >= d).sum() for d in deaths.index})
print(f"{(1 - deaths / at_risk).prod():.3f} by hand, over {len(deaths)} days")

# %% [markdown]
# What would change if a patient who left on the day of a death were no longer at risk on it? Put
# `>` in the place of `>=`, and see.

# %% Draw the curve
steps = curve.survival_function_.reset_index(names="day")
alt.Chart(steps).mark_line(interpolate="step-after").encode(
    x=alt.X("day", title="Days"),
    y=alt.Y("KM_estimate", title="Alive").scale(domain=[0, 1]),
)
