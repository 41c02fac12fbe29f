# %% Read the patients
import altair as alt
import numpy as np
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
n, most = len(rows), 2147483647
lots = [pow(16807, k, most) * n // most for k in range(1, 20 * n + 1)]  # as R
samples = np.reshape(lots, (20, n))  # each has the places of its n patients
kept = pd.DataFrame(fitted(rows.iloc[drawn])["p"] < 0.05 for drawn in samples)
main = len(kept.drop_duplicates())
print(f"{main} different models in {len(kept)} resamples")

# %% [markdown]
# Each of these models could have been a paper. Which factors would you call
# found?

# %% Draw how often each is kept
shares = kept.mean().rename_axis("factor").reset_index(name="share")
share = alt.X("share", title="Share of resamples with it").scale(domain=[0, 1])
alt.Chart(shares).mark_bar().encode(x=share, y=alt.Y("factor", sort="-x"))
