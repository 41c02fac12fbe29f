# %% Read the patients
import altair as alt
import pandas as pd
from lifelines import CoxPHFitter, CoxTimeVaryingFitter

table = "patients.csv"
switch = "hsct_day"  # the day of the event on the way, or blank

patients = pd.read_csv(table)
end, died = patients["last_contact_day"], patients["died"] == "yes"
ever = patients[switch].notna()
pd.crosstab(ever, died)

# %% [markdown]
# Each line of the table is one group, by whether the event ever came. On which day was it known to
# which group a patient belongs?

# %% Count it as if known from the start
known = pd.DataFrame({"end": end, "died": died, "had": ever}) * 1
naive = CoxPHFitter().fit(known, "end", "died")
print(f"Hazard ratio {naive.hazard_ratios_['had']:.2f}, which is wrong")

# %% [markdown]
# Now each patient with the event gets two rows, cut on its day. How many deaths stand in the first
# of their rows?

# %% Count it from its own day
came = patients[switch].where(patients[switch] < end)
# From day -1, so that whoever dies on day 0 is at risk on it
before = pd.DataFrame({"start": -1, "stop": came.fillna(end), "had": 0})
before["died"] = died & came.isna()
after = pd.DataFrame({"start": came, "stop": end, "had": 1, "died": died})
rows = pd.concat([before, after.dropna()]).reset_index(names="patient")
options = {"precision": 1e-14}  # to end where R ends
columns = {"event_col": "died", "id_col": "patient", "fit_options": options}
fit = CoxTimeVaryingFitter().fit(rows, **columns)
main = fit.hazard_ratios_["had"]
print(f"Hazard ratio {main:.2f}, from its day on")

# %% [markdown]
# No death has changed its side: the same patients died after the event. What has moved from one
# side to the other?

# %% Draw what has moved
some = rows[rows["patient"] < 12].assign(had=lambda row: row["had"] == 1)
x = alt.X("start", title="Days").scale(nice=False)
alt.Chart(some).mark_bar().encode(x=x, x2="stop", y="patient:O", color="had")
