# %% Read the patients
library(survival)

table <- "patients.csv"
days <- "last_contact_day"  # of death, or when last seen
died <- "died"
event_day <- "response_day"  # blank for those who never had the event
landmark <- 91.3125  # the day from which we look forward
late <- 1065.3125  # the day up to which we look

patients <- read.csv(table)
end <- patients[[days]]
dead <- patients[[died]] == "yes"
day <- ifelse(is.na(patients[[event_day]]), Inf, patients[[event_day]])
head(patients[c(event_day, days, died)], 5)

# %% Look back
lived <- end > late
had <- day <= end
mean(had[lived])
mean(lived[had])
table(had, lived)

# %% Look forward
by_then <- day <= landmark
curves <- survfit(Surv(end, dead) ~ by_then, subset = end > landmark)
main <- summary(curves[2], times = late, extend = TRUE)$surv
main

# %% Draw the curves
plot(curves, xlab = "Days", ylab = "Alive", ylim = c(0, 1), lty = 2:1)
