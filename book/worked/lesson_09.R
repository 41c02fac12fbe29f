# %% Read the patients
library(survival)

table <- "patients.csv"
days <- "last_contact_day"  # the day of death or of the last visit
died <- "died"
numbers <- c("age", "bone_marrow_blasts")  # factors that are numbers
sides <- c("sex", "prior_hsct", "salvage_line")  # factors with two sides
firsts <- c("Male", "yes", "1st")  # of each the value set against others

patients <- read.csv(table, na.strings = "")
patients <- patients[complete.cases(patients[c(numbers, sides)]), ]
rows <- patients[numbers]
rows[sides] <- Map(`==`, patients[sides], firsts)
rows$days <- patients[[days]]
rows$dead <- patients[[died]] == "yes"
head(rows, 5)

# %% Fit all, keep what has P below .05
fitted <- function(its) {
  summary(coxph(Surv(days, dead) ~ ., its))$coefficients
}
fitted(rows)

# %% Draw the patients again
state <- 1
kept <- replicate(20, {
  drawn <- replicate(nrow(rows), {
    state <<- (state * 16807) %% 2147483647  # as Python does
    (state * nrow(rows)) %/% 2147483647
  })
  fitted(rows[drawn + 1, ])[, "Pr(>|z|)"] < 0.05
})
main <- ncol(unique(kept, MARGIN = 2))
main

# %% Draw how often each is kept
barplot(sort(rowMeans(kept)), horiz = TRUE, xlim = c(0, 1), las = 1)
