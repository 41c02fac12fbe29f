# %% Read the patients
import altair as alt
import pandas as pd
from lifelines import CoxPHFitter

table = "patients.csv"
days = "last_contact_day"  # the day of death or of the last visit
died = "died"
numbers = ["age", "bone_marrow_blasts"]  # factors that are numbers
sides = ["sex", "prior_hsct", "salvage_line"]  # factors with two sides
firsts = ["Male", "yes", "1st"]  # of each the value set against others

patients = pd.read_csv(table, keep_default_na=False, na_values="")
patients = patients.dropna(subset=numbers + sides)
rows = patients[numbers].join(patients[sides].eq(firsts) * 1)
factors = rows.columns
rows = rows.assign(days=patients[days], dead=patients[died] == "yes")
rows.head()

# %% [markdown]
# Before you go on: which of these factors would you expect to matter? Write
# them down.


# %% Fit all, keep what has P below .05
def fitted(its):
    return CoxPHFitter().fit(its, "days", "dead").summary


fitted(rows)[["exp(coef)", "p"]]

# %% [markdown]
# Other patients of the same kind would give other P. How many of twenty such
# samples will end in the same model?

# %% Draw the patients again
state, kept = 1, []
for _ in range(20):
    drawn = []
    for _ in range(len(rows)):
        state = state * 16807 % 2147483647  # R draws the same lots
        drawn.append(state * len(rows) // 2147483647)
    kept.append(fitted(rows.iloc[drawn])["p"] < 0.05)
kept = pd.DataFrame(kept)
main = len(kept.drop_duplicates())
print(f"{main} different models in {len(kept)} resamples")

# %% [markdown]
# Each of these models could have been a paper. Which factors would you call
# found?

# %% Draw how often each is kept
shares = kept.mean().rename_axis("factor").reset_index(name="share")
alt.Chart(shares).mark_bar().encode(
    x=alt.X("share", title="Kept in, share of resamples").scale(domain=[0, 1]),
    y=alt.Y("factor", title="", sort="-x"),
)
