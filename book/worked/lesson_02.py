# %% Read the patients
import altair as alt
import pandas as pd
from lifelines import KaplanMeierFitter
from lifelines.utils import median_survival_times

table = "patients.csv"
days = "last_contact_day"  # the day of death or of the last visit
died = "died"
days_per_month = 30.4375

patients = pd.read_csv(table)
months, dead = patients[days] / days_per_month, patients[died] == "yes"
patients[[days, died]].head()

# %% [markdown]
# Before you go on: for which of these five do you know how long they lived? For which, how long
# they could be followed?

# %% Find median survival
alive = KaplanMeierFitter(label="Alive").fit(months, dead)
limits = median_survival_times(alive.confidence_interval_)
limits.assign(median=alive.median_survival_time_).round(1)

# %% [markdown]
# The same function gives the follow-up. Which patients have to be its events, so that a death ends
# the time for which a patient was watched?

# %% Count follow-up in three ways
watched = KaplanMeierFitter(label="Still followed").fit(months, ~dead)
curve = watched.survival_function_["Still followed"].round(9)
# Where it stays at one half, the median is the middle of that stretch.
ends = [curve.index[low].min() for low in (curve <= 0.5, curve < 0.5)]
main = pd.Series(ends).mean()
print(f"{months.median():.1f} all, {months[~dead].median():.1f} censored")
print(f"{main:.1f} months by reverse Kaplan–Meier")

# %% [markdown]
# Let each death come in half its time: `months.where(~dead, months / 2)`. Which of the three
# numbers will stay? Put it in the place of `months`, and see.

# %% Draw both curves
both = alive.survival_function_.join(watched.survival_function_, how="outer")
steps = both.ffill().rename_axis("month").reset_index()
alt.Chart(steps.melt("month")).mark_line(interpolate="step-after").encode(
    x=alt.X("month", title="Months"),
    y=alt.Y("value", title="Share").scale(domain=[0, 1]),
    color=alt.Color("variable", title="").legend(orient="top"),
)
