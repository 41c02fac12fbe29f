# The published studies whose patients are public (mgus, mgus2, colon, cgd), computed in R.
#
# Run by hand from the root of the project:  Rscript tests/reference/studies.R   (cmprsk too)
# It reads their source.csv, not the tables that their make.py writes, and writes beside itself
#   studies.csv  the main estimates, as dataset, page, quantity, group, months, estimate and limits,
#                with the keys that the book's own results and published.csv have,
#   reasons.csv  what was tried where the print and the data differ.

source(file.path("tests", "reference", "common.R"))

rows <- list()
add <- function(dataset, page, quantity, group, estimate, lower = NA, upper = NA, months = NA) {
  rows[[length(rows) + 1]] <<- data.frame(dataset, page, quantity, group, months, estimate, lower,
                                          upper, row.names = NULL)
}
tried <- list()
try_this <- function(dataset, printed, what, value) {
  tried[[length(tried) + 1]] <<- data.frame(dataset, printed, tried = what, value, row.names = NULL)
}
source_of <- function(name) read.csv(file.path("data", name, "source.csv"), na.strings = "")
YEAR <- 365.25


# ---- What a page of an endpoint has --------------------------------------------------------------
# `d` has a row a patient with `time` in days, `event` (0, 1, and 2 for what competes) and `group`.

days_row <- function(dataset, page, quantity, group, fit) {
  at <- quantile(fit, .5)
  add(dataset, page, quantity, group, at$quantile / DAYS_PER_MONTH, at$lower / DAYS_PER_MONTH,
      at$upper / DAYS_PER_MONTH)
}

curve <- function(dataset, name, group, d, months) {
  fit <- kaplan_meier(d$time, d$event)
  days_row(dataset, name, "median", group, fit)
  days_row(dataset, name, "median_followup", group, kaplan_meier(d$time, 1 - d$event))
  left <- d$time[d$event == 0] / DAYS_PER_MONTH
  add(dataset, name, "followup_median", group, median(left))
  add(dataset, name, "followup_min", group, min(left))
  add(dataset, name, "followup_max", group, max(left))
  at <- curve_at(fit, months * DAYS_PER_MONTH)
  stopifnot(months * DAYS_PER_MONTH <= max(d$time))
  for (i in seq_along(months)) {
    add(dataset, name, "survival", group, at$survival[i], at$lower[i], at$upper[i], months[i])
  }
}

incidence <- function(dataset, name, suffix, d, months) {
  days <- months * DAYS_PER_MONTH
  stopifnot(days <= max(d$time))
  cause <- factor(d$event, 0:2)
  at <- summary(competing(d$time, cause), times = days)
  agrees_with_cmprsk(d$time, cause, at)
  naive <- curve_at(kaplan_meier(d$time, d$event == 1), days)$survival
  for (i in seq_along(months)) {
    for (k in 1:2) {
      group <- paste0(name, c("", ":competing")[k], suffix)
      add(dataset, name, "cumulative_incidence", group, at$pstate[i, k + 1], at$lower[i, k + 1],
          at$upper[i, k + 1], months[i])
    }
    add(dataset, name, "one_minus_survival", paste0(name, suffix), 1 - naive[i],
        months = months[i])
  }
}

ratios <- function(dataset, page, kind, fit, groups) {
  table <- summary(fit)
  for (i in seq_along(groups)) {
    limits <- table$conf.int[i, c("exp(coef)", "lower .95", "upper .95")]
    add(dataset, page, paste0("hazard_ratio_", kind), groups[i], limits[1], limits[2], limits[3])
    add(dataset, page, paste0("p_", kind), groups[i], table$coefficients[i, "Pr(>|z|)"])
  }
}

# The event's own hazard: what competes is censored.
compared <- function(dataset, name, column, d) {
  key <- paste0(name, "|", column)
  levels <- levels(d$group)
  against <- paste0(key, "=", levels[-1])
  surv <- with(d, Surv(time, event == 1))
  tests <- list(logrank = survdiff(surv ~ group, d),
                logrank_stratified = survdiff(surv ~ group + strata(stratum), d))
  for (test in names(tests)) {
    chisq <- tests[[test]]$chisq
    add(dataset, name, test, key, chisq)
    add(dataset, name, paste0("p_", test), key,
        pchisq(chisq, length(levels) - 1, lower.tail = FALSE))
  }
  plain <- coxph(surv ~ group, d, control = CONTROL)
  ratios(dataset, name, "group", plain, against)
  ratios(dataset, name, "group_stratified",
         coxph(surv ~ group + strata(stratum), d, control = CONTROL), against)
  # The print says by how many per cent a rate is reduced.
  for (i in seq_along(against)) {
    add(dataset, name, "hazard_reduction_group", against[i], 100 * (1 - exp(coef(plain)[i])))
  }
  if (length(levels) > 2) apply(combn(levels, 2), 2, function(pair) {
    two <- droplevels(d[d$group %in% pair, ])
    add(dataset, name, "p_logrank_pair", paste0(key, "=", pair[2], ":", pair[1]),
        logrank_p(two))
  })
  if (!any(d$event == 2)) return(invisible())
  gray <- cuminc(d$time, d$event, d$group)$Tests
  add(dataset, name, "gray", key, gray[1, "stat"])
  add(dataset, name, "p_gray", key, gray[1, "pv"])
  x <- sapply(levels[-1], function(level) (d$group == level) * 1)
  fit <- crr(d$time, d$event, x, gtol = 1e-12)
  error <- sqrt(diag(fit$var))
  for (i in seq_along(against)) {
    add(dataset, name, "subdistribution_ratio_group", against[i], exp(fit$coef[i]),
        exp(fit$coef[i] - Z * error[i]), exp(fit$coef[i] + Z * error[i]))
  }
}

logrank_p <- function(d, ...) {
  pchisq(survdiff(Surv(time, event == 1) ~ group, d, ...)$chisq, 1, lower.tail = FALSE)
}

alone <- function(dataset, name, d, x) {
  for (column in names(x)) {
    fit <- coxph(with(d, Surv(time, event == 1)) ~ x[[column]], control = CONTROL)
    ratios(dataset, "table_3", "univariate", fit, paste0(name, ":", column))
    p <- summary(fit)$coefficients[1, "Pr(>|z|)"]
    add(dataset, "table_3", "associated", paste0(name, ":", column), (p < .05) * 1)
  }
}

# The patients page: how many had the event, what competes, and neither.
first_events <- function(dataset, name, event) {
  groups <- c(paste0(name, c("|patients", ":competing|patients")), "without_event|patients")
  for (i in 1:3) {
    count <- sum(event == c(1, 2, 0)[i])
    add(dataset, "patients", "count", groups[i], count)
    add(dataset, "patients", "percent", groups[i], 100 * count / length(event))
  }
}

spread <- function(dataset, page, group, values) {
  values <- values[!is.na(values)]
  add(dataset, page, "median_value", group, median(values))
  add(dataset, page, "min", group, min(values))
  add(dataset, page, "max", group, max(values))
}


# ---- mgus ----------------------------------------------------------------------------------------

MONTHS <- c(60, 120, 180, 240, 300, 360)
m <- source_of("mgus")
progressed <- !is.na(m$pctime)
first <- data.frame(time = ifelse(progressed, m$pctime, m$futime),
                    event = ifelse(progressed, 1, 2 * m$death))
add("mgus", "table_1", "count", "patients", nrow(m))
spread("mgus", "table_1", "year", 1900 + m$dxyr)
spread("mgus", "table_2", "followup_years|total", m$futime / YEAR)
spread("mgus", "table_2", "progression_years|total", m$pctime / YEAR)
add("mgus", "os", "person_years", "os", sum(m$futime) / YEAR, months = 0)
first_events("mgus", "progression", first$event)
curve("mgus", "os", "os", data.frame(time = m$futime, event = m$death), MONTHS)
incidence("mgus", "progression", "", first, MONTHS)
factors <- function(d) {
  with(d, data.frame(age, sex = (sex %in% c("male", "M")) * 1, m_spike = mspike, haemoglobin = hgb,
                     creatinine = creat))
}
alone("mgus", "progression", first, cbind(factors(m), albumin = m$alb))

interval <- m$pctime / YEAR
try_this("mgus", "interval 10.4", "median of all", median(interval, na.rm = TRUE))
for (i in 0:1) {
  try_this("mgus", "interval 10.4", paste(c("the lower", "the upper")[i + 1], "of the two middle ones"),
           sort(interval)[sum(progressed) / 2 + i])
}
try_this("mgus", "interval 10.4", "without a malignancy on the day of death",
         median(interval[progressed & m$pctime < m$futime]))
try_this("mgus", "interval 10.4", "multiple myeloma only", median(interval[m$pcdx %in% "MM"]))
try_this("mgus", "138 died without", "in the data", sum(!progressed & m$death == 1))
try_this("mgus", "138 died without", "in no group of the print", 241 - 14 - 138 - 64)
try_this("mgus", "1956 to 1970", "diagnosed after 1970", sum(m$dxyr > 70))
try_this("mgus", "1956 to 1970", "person-years without these", sum(m$futime[m$dxyr <= 70]) / YEAR)


# ---- mgus2 ---------------------------------------------------------------------------------------

g <- source_of("mgus2")
first <- with(g, data.frame(time = ptime * DAYS_PER_MONTH, event = ifelse(pstat == 1, 1, 2 * death)))
to_malignancy <- sum(g$ptime) / 12
add("mgus2", "table_1", "count", "patients", nrow(g))
spread("mgus2", "table_1", "year", g$dxyr)
add("mgus2", "os", "person_years", "os", sum(g$futime) / 12, months = 0)
add("mgus2", "progression", "event_rate", "progression", sum(g$pstat) / to_malignancy, months = 0)
first_events("mgus2", "progression", first$event)
curve("mgus2", "os", "os", with(g, data.frame(time = futime * DAYS_PER_MONTH, event = death)),
      MONTHS[1:5])
incidence("mgus2", "progression", "", first, MONTHS[1:5])
alone("mgus2", "progression", first, factors(g))

try_this("mgus2", "11,009 person-years", "to the malignancy", to_malignancy)
try_this("mgus2", "11,009 person-years", "to the last contact", sum(g$futime) / 12)
try_this("mgus2", "11,009 person-years", "to the malignancy, each half a month more",
         sum(g$ptime + .5) / 12)
try_this("mgus2", "11,009 person-years", "to the last contact, each half a month less",
         sum(g$futime - .5) / 12)
try_this("mgus2", "11,009 person-years", "standard deviation of the sum, rounded to months",
         sqrt(nrow(g) / 12) / 12)
# The print counts 32 more with smouldering myeloma. Who they were is not in the data: draw them, each
# at a moment of the time followed, with an equal chance for each patient or for each year.
set.seed(1)
at_risk <- which(g$pstat == 0)
with_32 <- function(chance) replicate(200, {
  more <- sample(at_risk, 32, prob = chance)
  time <- g$ptime
  event <- g$pstat
  event[more] <- 1
  time[more] <- time[more] * runif(32)
  100 * (1 - curve_at(kaplan_meier(time, event), c(120, 240, 300))$survival)
})
drawn <- list("a year" = with_32(g$ptime[at_risk]), "a patient" = with_32(NULL))
for (i in 1:3) {
  printed <- c("12% at 10 years", "25% at 20 years", "30% at 25 years")[i]
  month <- c(120, 240, 300)[i]
  found <- function(quantity) {
    Filter(function(row) row$dataset == "mgus2" && row$quantity == quantity &&
             row$group == "progression" && identical(row$months, month), rows)[[1]]$estimate
  }
  try_this("mgus2", printed, "one minus Kaplan-Meier", 100 * found("one_minus_survival"))
  try_this("mgus2", printed, "incidence, death competing", 100 * found("cumulative_incidence"))
  for (each in names(drawn)) for (p in c(.025, .5, .975)) {
    what <- paste("one minus Kaplan-Meier with 32 more by chance of", each)
    try_this("mgus2", printed, paste(what, "quantile", p, sep = ", "), quantile(drawn[[each]][i, ], p))
  }
}


# ---- colon ---------------------------------------------------------------------------------------

MONTHS <- 12 * 1:6
ARMS <- c(Obs = "Observation", Lev = "Levamisole", "Lev+5FU" = "Levamisole + 5-FU")
colon <- source_of("colon")
colon$group <- factor(ARMS[colon$rx], unname(ARMS))
colon$stratum <- colon$node4
recurrence <- subset(colon, etype == 1)
death <- subset(colon, etype == 2)
stopifnot(recurrence$id == death$id)
recurrence$event <- ifelse(recurrence$status == 1, 1, 2 * death$status)
death$event <- death$status
free <- transform(recurrence, event = (event > 0) * 1)
add("colon", "table_1", "count", "patients", nrow(death))
for (name in c("os", "dfs")) {
  d <- list(os = death, dfs = free)[[name]]
  curve("colon", name, name, d, MONTHS)
  for (arm in ARMS) {
    curve("colon", name, paste0(name, "|arm=", arm), d[d$group == arm, ], MONTHS)
  }
  compared("colon", name, "arm", d)
}
incidence("colon", "recurrence", "", recurrence, MONTHS)
for (arm in ARMS) {
  incidence("colon", "recurrence", paste0("|arm=", arm), recurrence[recurrence$group == arm, ], MONTHS)
}
compared("colon", "recurrence", "arm", recurrence)
counts <- table(death$group, death$event)
add("colon", "patients", "p_count", "os|arm", chisq.test(counts, correct = FALSE)$p.value)
add("colon", "patients", "p_count_stratified", "os|arm",
    mantelhaen.test(with(death, table(group, event, stratum)), correct = FALSE)$p.value)
for (name in c("os", "recurrence")) {
  alone("colon", name, list(os = death, recurrence = recurrence)[[name]],
        with(death, data.frame(age, sex, obstruction = obstruct, perforation = perfor,
                               adherence = adhere, nodes, differentiation = (differ == 3) * 1,
                               since_surgery = surg)))
}

living <- death$time[death$status == 0] / YEAR
try_this("colon", "all followed for 5 years", "living and followed for less", sum(living < 5))
try_this("colon", "all followed for 5 years", "shortest follow-up of the living", min(living))
try_this("colon", "median follow-up 6.5", "reverse Kaplan-Meier",
         quantile(kaplan_meier(death$time, 1 - death$status), .5)$quantile / YEAR)
try_this("colon", "median follow-up 6.5", "median of the living", median(living))
try_this("colon", "median follow-up 6.5", "mean of the living", mean(living))

recurred <- recurrence$status == 1
cut_at <- function(d, day) {
  transform(d, event = ifelse(time > day, 0, event), time = pmin(time, day))
}
three <- coxph(Surv(time, event == 1) ~ group, recurrence, control = CONTROL)
try_this("colon", "levamisole, recurrence -2%", "in a model of all arms: reduction, %",
         100 * (1 - exp(coef(three)[["groupLevamisole"]])))
of_deaths <- list(
  "alone" = list(death, ~ group),
  "by more than four nodes" = list(death, ~ group + strata(node4)),
  "by extent, interval and more than four nodes" = list(death, ~ group + strata(extent, surg, node4)),
  "adjusted for the nodes" = list(death, ~ group + nodes),
  "adjusted for their logarithm" = list(death, ~ group + log(pmax(nodes, 1))),
  "adjusted for all" = list(death, ~ group + nodes + extent + differ + obstruct + adhere + perfor +
                              surg + age + sex),
  "deaths after recurrence only" = list(transform(death, event = event * recurred), ~ group),
  "without the living of short follow-up" =
    list(subset(death, status == 1 | time >= 5 * YEAR), ~ group),
  "to 5 years" = list(cut_at(death, 5 * YEAR), ~ group)
)
for (arm in c("Lev+5FU", "Lev")) {
  printed <- c("Lev+5FU" = "death -33%, P .0007", Lev = "levamisole, death -6%")[[arm]]
  for (what in names(of_deaths)) {
    d <- of_deaths[[what]][[1]]
    two <- droplevels(d[d$rx %in% c("Obs", arm), ])
    fit <- coxph(update(of_deaths[[what]][[2]], Surv(time, event) ~ .), two, control = CONTROL)
    try_this("colon", printed, paste0(what, ": reduction, %"), 100 * (1 - exp(coef(fit)[1])))
    try_this("colon", printed, paste0(what, ": P"), summary(fit)$coefficients[1, "Pr(>|z|)"])
  }
  two <- droplevels(death[death$rx %in% c("Obs", arm), ])
  every <- coxph(Surv(time, event) ~ group, death, control = CONTROL)
  named <- paste0("group", unique(death$group[death$rx == arm]))
  try_this("colon", printed, "in a model of all arms: reduction, %",
           100 * (1 - exp(coef(every)[[named]])))
  try_this("colon", printed, "log-rank: P", logrank_p(two))
  try_this("colon", printed, "log-rank, one-sided: P", logrank_p(two) / 2)
}


# ---- cgd -----------------------------------------------------------------------------------------

MONTHS <- c(3, 6, 9)
ARMS <- c(placebo = "Placebo", "rIFN-g" = "Interferon gamma")
cgd <- source_of("cgd")
cgd$group <- factor(ARMS[cgd$treat], unname(ARMS))
cgd$stratum <- cgd$hos.cat
one <- cgd[!duplicated(cgd$id), ]
one$event <- one$status
one$time <- one$tstop
last <- cgd[!duplicated(cgd$id, fromLast = TRUE), ]
stopifnot(one$id == last$id, last$tstop[one$event == 0] == one$time[one$event == 0])
add("cgd", "table_1", "count", "patients", nrow(one))
spread("cgd", "table_1", "age", one$age)
name <- "first_infection"
curve("cgd", name, name, one, MONTHS)
for (arm in ARMS) {
  key <- paste0("arm=", arm)
  d <- one[one$group == arm, ]
  curve("cgd", name, paste0(name, "|", key), d, MONTHS)
  add("cgd", "table_1", "count", paste0("patients|", key), nrow(d))
  add("cgd", "patients", "count", paste0(name, "|", key), sum(d$event))
}
compared("cgd", name, "arm", one)
alone("cgd", name, one, with(one, data.frame(arm = (treat == "rIFN-g") * 1, age,
                                             inheritance = (inherit == "X-linked") * 1,
                                             prophylaxis = propylac)))
for (factor in c("age", "inherit", "propylac")) {
  both <- lapply(c("+", "*"), function(sign) {
    coxph(as.formula(paste("Surv(time, event) ~ group", sign, factor)), one, control = CONTROL)
  })
  column <- c(age = "age", inherit = "inheritance", propylac = "prophylaxis")[[factor]]
  chisq <- 2 * (both[[2]]$loglik[2] - both[[1]]$loglik[2])
  add("cgd", name, "interaction_p", paste0(name, "|arm:", column),
      pchisq(chisq, 1, lower.tail = FALSE))
}
counts <- with(one, table(group, event))
plain <- chisq.test(counts, correct = FALSE)$p.value
add("cgd", "patients", "p_count", "first_infection|arm", plain)
add("cgd", "patients", "p_count_stratified", "first_infection|arm",
    mantelhaen.test(with(one, table(group, event, stratum)), correct = FALSE)$p.value)

# All infections. The mean number of them is survival's Nelson-Aalen estimate by patient, its error
# the robust one; its limits are symmetric for the logarithm. The rates are of a Poisson model, of
# which the sandwich is put together here.
recurring <- function(group, d) {
  fit <- survfit(Surv(tstart, tstop, status) ~ 1, d, id = id, robust = TRUE)
  at <- summary(fit, times = MONTHS * DAYS_PER_MONTH)
  for (i in seq_along(MONTHS)) {
    off <- exp(Z * at$std.chaz[i] / at$cumhaz[i])
    add("cgd", "infections", "mean_count", group, at$cumhaz[i], at$cumhaz[i] / off,
        at$cumhaz[i] * off, MONTHS[i])
  }
  years <- tapply(d$tstop, d$id, max) / YEAR
  number <- tapply(d$status, d$id, sum)
  fit <- glm(number ~ 1 + offset(log(years)), poisson, epsilon = 1e-14)
  error <- sqrt(sandwich_of(fit)[1, 1])
  rate <- exp(coef(fit)[[1]])
  add("cgd", "infections", "count", group, sum(number))
  add("cgd", "infections", "person_years", group, sum(years), months = 0)
  add("cgd", "infections", "event_rate", group, rate, rate * exp(-Z * error),
      rate * exp(Z * error), months = 0)
}
# At the estimate itself: vcov has the weights of the step before the last.
bread_of <- function(fit) with(list(x = model.matrix(fit)), solve(crossprod(x * fitted(fit), x)))
sandwich_of <- function(fit) {
  x <- model.matrix(fit)
  bread <- bread_of(fit)
  bread %*% crossprod(x * (fit$y - fitted(fit))) %*% bread
}
recurring("infections", cgd)
for (arm in ARMS) recurring(paste0("infections|arm=", arm), cgd[cgd$group == arm, ])
key <- paste0("infections|arm=", ARMS[2])
years <- tapply(cgd$tstop, cgd$id, max) / YEAR
number <- tapply(cgd$status, cgd$id, sum)
treated <- one$group[match(names(number), one$id)] == ARMS[2]
fit <- glm(number ~ treated + offset(log(years)), poisson, epsilon = 1e-14)
error <- sqrt(sandwich_of(fit)[2, 2])
log_ratio <- coef(fit)[[2]]
add("cgd", "infections", "rate_ratio", key, exp(log_ratio), exp(log_ratio - Z * error),
    exp(log_ratio + Z * error))
add("cgd", "infections", "p_rate_ratio", key, 2 * pnorm(-abs(log_ratio) / error))
try_this("cgd", "20 against 56, P < .0001", "ratio of rates, robust",
         2 * pnorm(-abs(log_ratio) / error))
add("cgd", "infections", "p_rate_ratio_poisson", key,
    2 * pnorm(-abs(log_ratio) / sqrt(bread_of(fit)[2, 2])))
robust <- coxph(Surv(tstart, tstop, status) ~ group + cluster(id), cgd, control = CONTROL)
limits <- summary(robust)$conf.int[1, c("exp(coef)", "lower .95", "upper .95")]
add("cgd", "infections", "hazard_ratio_recurrent", key, limits[1], limits[2], limits[3])
add("cgd", "infections", "p_recurrent", key, summary(robust)$coefficients[1, "Pr(>|z|)"])

try_this("cgd", "14 against 30, P .002", "chi-squared", plain)
try_this("cgd", "14 against 30, P .002", "chi-squared, half of it", plain / 2)
try_this("cgd", "14 against 30, P .002", "Fisher", fisher.test(counts)$p.value)
for (column in c("center", "hos.cat", "inherit", "propylac", "steroids")) {
  for (correct in c(FALSE, TRUE)) {
    test <- mantelhaen.test(with(one, table(group, event, one[[column]])), correct = correct)
    what <- paste0("Mantel-Haenszel by ", column, if (correct) ", corrected for continuity")
    try_this("cgd", "14 against 30, P .002", what, test$p.value)
  }
}
try_this("cgd", "median age 15", "median", median(one$age))
try_this("cgd", "median age 15", "median with placebo", median(one$age[one$treat == "placebo"]))
try_this("cgd", "median age 15", "mean", mean(one$age))
number <- tapply(cgd$status, cgd$id, sum)[as.character(one$id)]
poisson <- glm(number ~ one$group, poisson, offset = log(last$tstop))
try_this("cgd", "20 against 56, P < .0001", "Poisson", summary(poisson)$coefficients[2, 4])
robust <- coxph(Surv(tstart, tstop, status) ~ group + cluster(id), cgd)
try_this("cgd", "20 against 56, P < .0001", "Andersen-Gill, robust",
         summary(robust)$coefficients[1, "Pr(>|z|)"])

write_table(do.call(rbind, rows), file.path(HERE, "studies.csv"))
quoted <- do.call(rbind, tried)
quoted$printed <- gsub(",", "", quoted$printed)
quoted$tried <- gsub(",", ";", quoted$tried)
write_table(quoted, file.path(HERE, "reasons.csv"))
