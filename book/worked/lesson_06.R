# %% Read the patients
library(survival)

table <- "patients.csv"
switch <- "hsct_day"  # the day of the event on the way, or blank

patients <- read.csv(table)
end <- patients$last_contact_day
died <- patients$died == "yes"
ever <- !is.na(patients[[switch]])
table(ever, died)

# %% Count it as if known from the start
naive <- coxph(Surv(end, died) ~ ever)
exp(coef(naive))

# %% Count it from its own day
came <- patients[[switch]]
came[which(came >= end)] <- NA
# From day -1, so that whoever dies on day 0 is at risk on it
before <- data.frame(start = -1, stop = ifelse(is.na(came), end, came),
                     died = died & is.na(came), had = 0)
after <- data.frame(start = came, stop = end, died = died, had = 1)
rows <- rbind(before, after[!is.na(came), ])
fit <- coxph(Surv(start, stop, died) ~ had, rows)
main <- unname(exp(coef(fit)))
main

# %% Draw what has moved
some <- 1:12
plot(NULL, xlim = c(0, max(end[some])), ylim = c(1, 12), xlab = "Days",
     ylab = "Patients")
segments(0, some, end[some], col = "grey")
segments(came[some], some, end[some], lwd = 3)
