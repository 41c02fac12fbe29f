# %% Read the patients
import altair as alt
import pandas as pd
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test

table = "patients.csv"
days = "last_contact_day"  # the day of death or of the last visit
died = "died"
factor = "ecog"  # the column that makes the groups
first = ["0"]  # its values in the first group
second = ["1", "2"]  # and in the other

patients = pd.read_csv(table, keep_default_na=False, na_values="")
patients = patients[patients[factor].isin(first + second)]
one = patients[factor].isin(first)
time, dead = patients[days], patients[died] == "yes"
pd.crosstab(one, dead)

# %% [markdown]
# The table counts the dead of each group. What would you have to know before you compare their
# shares?

# %% Draw both curves
curves = {}
for name, who in {"first": one, "other": ~one}.items():
    fit = KaplanMeierFitter(label="alive").fit(time[who], dead[who])
    curves[name] = fit.survival_function_
drawn = pd.concat(curves, names=["group", "day"]).reset_index()
base = alt.Chart(drawn).encode(x="day", y="alive", color="group")
base.mark_line(interpolate="step-after")

# %% [markdown]
# Before you test: would you be surprised if chance alone had made two such
# curves?

# %% Test the difference
logrank_test(time[one], time[~one], dead[one], dead[~one]).summary.round(5)

# %% [markdown]
# The test gives no size. What would you tell a reader who asks how large the difference is?

# %% Estimate the hazard ratio
rows = pd.DataFrame({"day": time, "dead": dead, "first": one}) * 1
options = {"precision": 1e-14}  # to end where R ends
fit = CoxPHFitter().fit(rows, "day", "dead", fit_options=options)
main = fit.hazard_ratios_["first"]
fit.summary.filter(like="exp(coef)")
