# %% Read the patients
import altair as alt
import pandas as pd
from lifelines import KaplanMeierFitter

table = "patients.csv"
days = "last_contact_day"  # the day of death or of the last visit
died = "died"
day = 730.5  # the day that a paper speaks of

patients = pd.read_csv(table)
time, dead = patients[days], patients[died] == "yes"
print(f"{len(patients)} patients, {dead.sum()} of whom died")

# %% Count where each of them is
beyond, left = time > day, (time <= day) & ~dead
counts = {"followed": beyond, "dead": (time <= day) & dead, "left": left}
pd.DataFrame(counts).sum()

# %% [markdown]
# Do the three counts add up? Between which two shares must the curve lie?

# %% Estimate, and hold it against the two shares
least, most = beyond.mean(), (beyond | left).mean()
curve = KaplanMeierFitter().fit(time, dead)
main = curve.predict(day)
print(f"At least {least:.1%}, estimate {main:.1%}, at most {most:.1%}")

# %% [markdown]
# A paper prints a share outside of the two. What could be wrong in it?

# %% Draw the curve and the two shares
steps = curve.survival_function_.reset_index(names="day")
x, y = alt.X("day", title="Days"), alt.Y("KM_estimate", title="Alive")
shares = pd.DataFrame({"day": [day], "least": [least], "most": [most]})
bar = alt.Chart(shares).mark_rule(size=3).encode(x="day", y="least", y2="most")
alt.Chart(steps).mark_line(interpolate="step-after").encode(x=x, y=y) + bar
