# %% Read the patients
library(survival)

table <- "patients.csv"
days <- "last_contact_day"  # the day of death or of the last visit
died <- "died"
factor <- "ecog"  # the column that makes the groups
first <- c("0")  # its values in the first group
second <- c("1", "2")  # and in the other

patients <- read.csv(table, na.strings = "")
patients <- patients[patients[[factor]] %in% c(first, second), ]
in_first <- patients[[factor]] %in% first
time <- patients[[days]]
dead <- patients[[died]] == "yes"
table(in_first, dead)

# %% Draw both curves
curves <- survfit(Surv(time, dead) ~ in_first)
plot(curves, xlab = "Days", ylab = "Alive", ylim = c(0, 1), lty = 2:1)

# %% Test the difference
survdiff(Surv(time, dead) ~ in_first)

# %% Estimate the hazard ratio
model <- coxph(Surv(time, dead) ~ in_first)
summary(model)$conf.int
main <- unname(exp(coef(model)))
main
