# %% Read the patients
library(survival)

table <- "patients.csv"
days <- "last_contact_day"  # the day of death or of the last visit
died <- "died"
day <- 1826.25  # the day that is asked for

patients <- read.csv(table)
dead <- patients[[died]] == "yes"
head(patients[c(days, died)], 5)

# %% Estimate the curve
curve <- survfit(Surv(patients[[days]], dead) ~ 1)
main <- summary(curve, times = day, extend = TRUE)$surv
main

# %% By hand
when <- sort(unique(patients[[days]][dead & patients[[days]] <= day]))
deaths <- sapply(when, function(t) sum(dead & patients[[days]] == t))
at_risk <- sapply(when, function(t) sum(patients[[days]] >= t))
prod(1 - deaths / at_risk)

# %% Draw the curve
plot(curve, conf.int = FALSE, xlab = "Days", ylab = "Alive", ylim = c(0, 1))
