# %% Read the patients
import altair as alt
import pandas as pd
from lifelines import KaplanMeierFitter

table = "patients.csv"
days = "last_contact_day"  # of death, or when last seen
died = "died"
event_day = "response_day"  # blank for those who never had the event
landmark = 91.3125  # the day from which we look forward
late = 1065.3125  # the day up to which we look

patients = pd.read_csv(table)
end, dead, day = patients[days], patients[died] == "yes", patients[event_day]
patients[[event_day, days, died]].head()

# %% [markdown]
# Before you go on: which of these five would a report put into the column “known alive after the
# day `late`”? Who of the others would it count with the dead?

# %% Look back
lived, had = end > late, day <= end
print(had[lived].mean().round(3), lived[had].mean().round(3))
pd.crosstab(had.rename("had it"), lived.rename("lived on"))

# %% [markdown]
# Of whom is each of the two numbers a share? Which row of the table holds the patients who died too
# early for the event?

# %% Look forward
followed, by_then = end > landmark, day <= landmark
sides = {"with": followed & by_then, "without": followed & ~by_then}
fits = {side: KaplanMeierFitter() for side in sides}
for side, who in sides.items():
    fits[side].fit(end[who], dead[who], label="alive")
main = fits["with"].predict(late)
print(f"{main:.3f} alive, of those with the event by the landmark")

# %% [markdown]
# Some patients have the event after the landmark. On which side are they, and why?

# %% Draw the curves
steps = pd.concat(f.survival_function_.assign(side=s) for s, f in fits.items())
curves = alt.Chart(steps.reset_index(names="day")).encode(x="day", y="alive")
curves.mark_line(interpolate="step-after").encode(color="side")
