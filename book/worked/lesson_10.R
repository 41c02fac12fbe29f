# %% Read the patients
library(survival)

table <- "patients.csv"
days <- "last_contact_day"  # the day of death or of the last visit
died <- "died"
factor <- "sex"  # the column that makes the sides
first <- c("Male")  # its values on the first side
second <- c("Female")  # and on the other

patients <- read.csv(table, na.strings = "")
patients <- patients[patients[[factor]] %in% c(first, second), ]
rows <- data.frame(day = patients[[days]],
                   dead = patients[[died]] == "yes",
                   first = patients[[factor]] %in% first)
head(rows, 5)

# %% One ratio, and its test
whole <- coxph(Surv(day, dead) ~ first, rows)
exp(coef(whole))
cox.zph(whole)  # of a newer form than in Python

# %% Two ratios
split <- quantile(rows$day[rows$dead], 0.5, type = 1)
until <- transform(rows, dead = dead & day <= split)
early <- coxph(Surv(day, dead) ~ first, until)
late <- coxph(Surv(day, dead) ~ first, rows, subset = day > split)
main <- unname(exp(coef(late)))
main
exp(coef(late) - coef(early))  # how much the ratio changes

# %% Draw what each death says
plot(cox.zph(whole))
