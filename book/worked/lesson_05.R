# %% Read the patients
library(survival)
library(cmprsk)

table <- "patients.csv"
event <- "relapse_day"  # the day of the event, blank where it did not come
start <- "response_day"  # the day on which the clock starts; "" is day 0
seen <- "last_assessment_day"  # until when those with neither are followed
day <- 1461  # the day that is asked for

patients <- read.csv(table)
if (start != "") patients <- patients[!is.na(patients[[start]]), ]
came <- patients[[event]]
last <- patients$last_contact_day
dead <- is.na(came) & patients$died == "yes"
end <- ifelse(dead | is.na(patients[[seen]]), last, patients[[seen]])
time <- ifelse(is.na(came), end, came)
if (start != "") time <- time - patients[[start]]
first <- ifelse(dead, 2, 1 * !is.na(came))  # 1 the event, 2 death before it
table(first)

# %% Censor the deaths
naive <- survfit(Surv(time, first == 1) ~ 1)
1 - summary(naive, times = day)$surv

# %% Keep them in the count
curves <- cuminc(time, first)
main <- timepoints(curves["1 1"], day)$est[1]
main

# %% Draw both curves
plot(naive, fun = "event", conf.int = FALSE, lty = 2, xlab = "Days")
lines(curves[["1 1"]]$time, curves[["1 1"]]$est)
