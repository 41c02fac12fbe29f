# %% Read the patients
import altair as alt
import pandas as pd
from lifelines import KaplanMeierFitter

table = "patients.csv"
event = "relapse_day"  # the day of the event, blank where it did not come
start = "response_day"  # the day on which the clock starts; "" is day 0
seen = "last_assessment_day"  # until when those with neither are followed
day = 1461  # the day that is asked for

patients = pd.read_csv(table).dropna(subset=[start] if start else [])
came, last = patients[event], patients["last_contact_day"]
dead = came.isna() & (patients["died"] == "yes")
end = came.fillna(last.where(dead, patients[seen])).fillna(last)
time = end - patients[start] if start else end
first = came.notna() * 1 + dead * 2  # 1 the event, 2 death before it
first.value_counts()

# %% [markdown]
# Here 0 are the patients who had neither when last seen. In which of the three groups may the
# event still come after that?

# %% Censor the deaths
naive = KaplanMeierFitter().fit(time, first == 1)
wrong = 1 - naive.survival_function_["KM_estimate"]
print(f"{100 * wrong.loc[:day].iloc[-1]:.1f}%, which is wrong")

# %% [markdown]
# This curve takes the dead for patients who have left, in whom the event may still come. Will the
# incidence be higher, or lower?

# %% Keep them in the count
counts = naive.event_table
free = KaplanMeierFitter().fit(time, first > 0).predict(counts.index)
grows = free.shift(fill_value=1) * counts["observed"] / counts["at_risk"]
main = grows.loc[:day].sum()
print(f"{100 * main:.1f}% by day {day:.0f}, by Aalen and Johansen")

# %% [markdown]
# What does the sum become if `free` falls at the event alone? Put `first == 1` in the place of
# `first > 0`, and compare it with the step above.

# %% Draw both curves
curves = pd.DataFrame({"incidence": grows.cumsum(), "1 - KM": wrong})
drawn = curves.rename_axis("day").reset_index().melt("day", value_name="share")
chart = alt.Chart(drawn).mark_line(interpolate="step-after")
chart.encode(x="day", y="share", color="variable")
