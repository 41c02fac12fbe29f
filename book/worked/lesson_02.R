# %% Read the patients
library(survival)

table <- "patients.csv"
days <- "last_contact_day"  # the day of death or of the last visit
died <- "died"
days_per_month <- 30.4375

patients <- read.csv(table)
months <- patients[[days]] / days_per_month
dead <- patients[[died]] == "yes"
head(patients[c(days, died)], 5)

# %% Find median survival
alive <- survfit(Surv(months, dead) ~ 1, conf.type = "log-log")
quantile(alive, 0.5)

# %% Count follow-up in three ways
watched <- survfit(Surv(months, !dead) ~ 1)
main <- unname(quantile(watched, 0.5, conf.int = FALSE))
c(median(months), median(months[!dead]))
main

# %% Draw both curves
plot(alive, conf.int = FALSE, xlab = "Months", ylab = "Share", ylim = c(0, 1))
lines(watched, conf.int = FALSE, lty = 2)
legend("topright", c("Alive", "Still followed"), lty = 1:2, bty = "n")
