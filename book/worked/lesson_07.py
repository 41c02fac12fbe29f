# %% Read the patients
import altair as alt
import pandas as pd
from lifelines import CoxTimeVaryingFitter

table = "patients.csv"
days = "last_contact_day"  # of death, or when last seen
died = "died"
switch_day = "response_day"  # blank for those to whom it never comes

patients = pd.read_csv(table)
end, dead, came = patients[days], patients[died] == "yes", patients[switch_day]
patients[[switch_day, days, died]].head()

# %% [markdown]
# Before you go on: which of these five need two rows? Where does each row start and stop?

# %% Cut each patient's time in two
two = came < end  # rows: what comes on the last day had no time to act
base = pd.DataFrame({"patient": patients.index + 1, "start": -1, "stop": end})
before = base.assign(stop=came.where(two, end), event=dead & ~two, switched=0)
after = base[two].assign(start=came, event=dead, switched=1)
rows = pd.concat([before, after]).sort_values(["patient", "start"])
rows.head()

# %% [markdown]
# The first rows start at −1. Whose death would be lost if they started at 0?

# %% Draw the rows
alt.Chart(rows[rows["patient"] <= 12]).mark_bar().encode(
    x=alt.X("start", title="Days").scale(nice=False),
    x2="stop",
    y="patient:O",
    color="switched:N",
)

# %% [markdown]
# Draw a line upwards at some day. Which of the twelve would be compared if one of them died on it,
# and on which side would each be?

# %% Fit the Cox model
near = {"precision": 1e-14}  # so that it ends where R ends
fit = CoxTimeVaryingFitter()
fit.fit(rows, "event", id_col="patient", fit_options=near)
main = fit.hazard_ratios_["switched"]
fit.summary.filter(like="exp(coef)")
