# %% Read the patients
import altair as alt
import pandas as pd
from lifelines import CoxPHFitter
from lifelines.statistics import proportional_hazard_test

table = "patients.csv"
days = "last_contact_day"  # the day of death or of the last visit
died = "died"
factor = "sex"  # the column that makes the sides
first = ["Male"]  # its values on the first side
second = ["Female"]  # and on the other

patients = pd.read_csv(table, keep_default_na=False, na_values="")
patients = patients[patients[factor].isin(first + second)]
one, dead = patients[factor].isin(first), patients[died] == "yes"
rows = pd.DataFrame({"day": patients[days], "dead": dead, "first": one}) * 1

# %% [markdown]
# Before you go on: what would you see in two survival curves if the ratio fell
# with time?

# %% One ratio, and its test
exact = {"precision": 1e-14}  # to end where R ends


def fitted(its):
    return CoxPHFitter().fit(its, "day", "dead", fit_options=exact)


whole = fitted(rows)
test = proportional_hazard_test(whole, rows, time_transform="km")
print(f"Ratio {whole.hazard_ratios_.item():.2f}, test P {test.p_value[0]:.3f}")

# %% [markdown]
# What does a large P say here, and what does it not say?

# %% Two ratios
split = rows.loc[dead, "day"].quantile(0.5, interpolation="lower")
until = rows.assign(dead=rows["dead"] * (rows["day"] <= split))
main = fitted(rows[rows["day"] > split]).hazard_ratios_.item()
print(f"Early {fitted(until).hazard_ratios_.item():.2f}, late {main:.2f}")

# %% [markdown]
# Who is still there to be in the late ratio? Is that the same on both sides?

# %% Draw what each death says
says = whole.compute_residuals(rows, "scaled_schoenfeld").assign(day=rows.day)
height = alt.Y("first", title="Log ratio, less the one of all times")
dots = alt.Chart(says).encode(alt.X("day").axis(tickCount=4), height)
dots.mark_point() + dots.transform_loess("day", "first").mark_line()
