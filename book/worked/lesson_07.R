# %% Read the patients
library(survival)

table <- "patients.csv"
days <- "last_contact_day"  # of death, or when last seen
died <- "died"
switch_day <- "response_day"  # blank for those to whom it never comes

patients <- read.csv(table)
base <- data.frame(id = seq_len(nrow(patients)), end = patients[[days]])
base$dead <- patients[[died]] == "yes"
base$came <- patients[[switch_day]]
head(base, 5)

# %% Cut each patient's time in two
rows <- tmerge(base, base, id, tstart = -1, tstop = end,
               died = event(end, dead))
rows <- tmerge(rows, base, id, switched = tdc(came))
head(rows[c("id", "tstart", "tstop", "died", "switched")], 5)

# %% Draw the rows
some <- rows[rows$id <= 12, ]
plot(range(0, some$tstop), c(1, 12), type = "n",
     xlab = "Days", ylab = "Patient")
segments(some$tstart, some$id, some$tstop, lwd = 1 + 5 * some$switched)

# %% Fit the Cox model
model <- coxph(Surv(tstart, tstop, died) ~ switched, rows)
summary(model)$conf.int
main <- unname(exp(coef(model)))
main
