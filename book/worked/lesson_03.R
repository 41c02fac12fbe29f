# %% Read those who have lived to a day
library(survival)

table <- "patients.csv"
days <- "last_contact_day"  # the day of death or of the last visit
died <- "died"
first <- 730.5  # the day to which a patient has lived
flat <- 1095.75  # the day from which the curve looks flat
last <- 1826.25  # the day that is asked for

patients <- read.csv(table)
beyond <- patients[patients[[days]] > first, ]
c(nrow(beyond), nrow(patients))

# %% Estimate their outlook
curve <- survfit(Surv(beyond[[days]] - first, beyond[[died]] == "yes") ~ 1)
main <- summary(curve, times = last - first, extend = TRUE)$surv
main

# %% Count what the flat part rests on
left <- patients[patients[[days]] > flat, ]
years <- sum(left[[days]] - flat) / 365.25
events <- sum(left[[died]] == "yes")
poisson.test(events, years / 100)$conf.int  # per 100 patient-years

# %% Draw their curve
plot(curve, conf.int = FALSE, xlab = "Days since then", ylab = "Alive",
     ylim = c(0, 1))
