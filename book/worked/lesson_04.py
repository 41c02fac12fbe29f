# %% Read the patients
import altair as alt
import pandas as pd
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test

table = "patients.csv"
days = "last_contact_day"  # the day of death, or on which the patient was last seen
died = "died"
factor = "ecog"  # the column that makes the groups
first = ["0"]  # its values in the first group
second = ["1", "2"]  # and in the other

patients = pd.read_csv(table, keep_default_na=False, na_values="")
patients = patients[patients[factor].isin(first + second)]
in_first = patients[factor].isin(first)
time, dead = patients[days], patients[died] == "yes"
pd.crosstab(in_first, dead)

# %% [markdown]
# The table counts the dead of each group. What would you have to know before you compare their
# shares?

# %% Draw both curves
curves = []
for name, who in {"first": in_first, "other": ~in_first}.items():
    fit = KaplanMeierFitter(label="alive").fit(time[who], dead[who])
    curves.append(fit.survival_function_.reset_index(names="day").assign(group=name))
alt.Chart(pd.concat(curves)).mark_line(interpolate="step-after").encode(
    x="day", y="alive", color="group"
)

# %% [markdown]
# Before you test: would you be surprised if lots alone had made two such curves?

# %% Test the difference
test = logrank_test(time[in_first], time[~in_first], dead[in_first], dead[~in_first])
print(f"Log-rank test: chi-squared {test.test_statistic:.2f}, P {test.p_value:.2g}")

# %% [markdown]
# The test gives no size. What would you tell a reader who asks how large the difference is?

# %% Estimate the hazard ratio
rows = pd.DataFrame({"time": time, "dead": dead, "first": in_first}) * 1
fit = CoxPHFitter().fit(rows, "time", "dead", fit_options={"precision": 1e-14})  # as near as in R
main = fit.hazard_ratios_["first"]
fit.summary[["exp(coef)", "exp(coef) lower 95%", "exp(coef) upper 95%"]]
