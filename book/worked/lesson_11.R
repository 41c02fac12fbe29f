# %% Read the patients
library(survival)

table <- "patients.csv"
days <- "last_contact_day"  # the day of death or of the last visit
died <- "died"
day <- 730.5  # the day that a paper speaks of

patients <- read.csv(table)
time <- patients[[days]]
dead <- patients[[died]] == "yes"
summary(dead)

# %% Count where each of them is
beyond <- time > day
left <- time <= day & !dead
c(followed = sum(beyond), dead = sum(time <= day & dead), left = sum(left))

# %% Estimate, and hold it against the two shares
curve <- survfit(Surv(time, dead) ~ 1)
main <- summary(curve, times = day)$surv
main
c(least = mean(beyond), most = mean(beyond | left))

# %% Draw the curve and the two shares
plot(curve, conf.int = FALSE, xlab = "Days", ylab = "Alive", ylim = c(0, 1))
segments(day, mean(beyond), day, mean(beyond | left), lwd = 3)
