# Reference values for the estimators on data that no page shows, computed in R.
#
# Run by hand from the root of the project:  Rscript tests/reference/estimators.R
# It writes, beside itself,
#   data/NAME.csv    mgus2, heart, rotterdam and gbsg of R's survival package, the columns used,
#   estimators.csv   the estimators on them, on `big` (made below by whole-number arithmetic), and
#                    cmprsk's variances for the shipped datasets,
#   ties.csv         the estimators on the small cases of data/ties.csv, which is made by hand,
#   times.csv        times that rounding parts, and the one time that aeqSurv makes of them.
# `at` is in the dataset's own unit of time; months for the shipped datasets.

source(file.path("tests", "reference", "common.R"))


# ---- The datasets --------------------------------------------------------------------------------

as_01 <- function(factor, level) as.numeric(factor == level)

DATA <- list(
  mgus2 = transform(mgus2[c("id", "age", "sex", "ptime", "pstat", "futime", "death")],
                    sex = as.character(sex)),
  heart = transform(heart[c("id", "start", "stop", "event", "age", "surgery", "transplant")],
                    transplant = as_01(transplant, "1")),
  rotterdam = rotterdam[c("pid", "age", "nodes", "grade", "rtime", "recur", "dtime", "death")],
  gbsg = gbsg[c("pid", "age", "nodes", "pgr", "hormon", "rfstime", "status")]
)

# 1e5 patients with two causes and many ties. Every product stays below 2^53, so that any language
# makes the same from it.
big_patients <- function() {
  i <- 0:99999
  time <- ((7919 * i) %% 99991) %% 1500
  event <- ((104729 * i) %% 65537) %% 3
  x <- ((31337 * i) %% 1009) %% 2
  z <- ((15485863 * i) %% 4001) %% 7 - 3
  data.frame(time = (time * (2 + x)) %/% 3 + (z + 3) * 10, event, x, z)
}

BIG <- big_patients()

# The first of two events: 1, 2, or 0 for none.
numbered <- function(event) factor(event, levels = 0:2)

progression <- with(DATA$mgus2, list(time = ifelse(pstat == 1, ptime, futime),
                                     cause = numbered(ifelse(pstat == 1, 1, 2 * death))))
recurrence <- with(DATA$rotterdam, list(time = ifelse(recur == 1, rtime, dtime),
                                        cause = numbered(ifelse(recur == 1, 1, 2 * death))))


# ---- Rows of results -----------------------------------------------------------------------------

value <- function(dataset, estimator, case, quantity, value, at = NA) {
  data.frame(dataset, estimator, case, quantity, at, value, row.names = NULL)
}

# One row for each column and time of a table of values at `times`.
values_at <- function(dataset, estimator, case, table, times) {
  rows <- lapply(names(table), function(quantity) {
    value(dataset, estimator, case, quantity, table[[quantity]], times)
  })
  do.call(rbind, rows)
}

# One row for each name of a vector of values.
values_of <- function(dataset, estimator, case, values, at = NA) {
  value(dataset, estimator, case, names(values), unname(values), at)
}


# ---- Curves --------------------------------------------------------------------------------------

kaplan_meier_rows <- function(dataset, case, time, event, times) {
  values_at(dataset, "kaplan_meier", case, curve_at(kaplan_meier(time, event), times), times)
}

# Also of the reverse curve: the median follow-up.
median_rows <- function(dataset, estimator, case, time, event) {
  half <- quantile(kaplan_meier(time, event), 0.5)
  values <- c(estimate = half$quantile[[1]], lower = half$lower[[1]], upper = half$upper[[1]])
  values_of(dataset, estimator, case, values)
}

restricted_mean_rows <- function(dataset, case, time, event, horizon) {
  table <- summary(kaplan_meier(time, event), rmean = horizon)$table
  values <- c(estimate = table[["rmean"]], se = table[["se(rmean)"]])
  values_of(dataset, "restricted_mean", case, values, horizon)
}

curve_rows <- function(dataset, case, time, event, times, horizons) {
  means <- lapply(horizons, function(horizon) {
    restricted_mean_rows(dataset, case, time, event, horizon)
  })
  rbind(
    kaplan_meier_rows(dataset, case, time, event, times),
    median_rows(dataset, "median", case, time, event),
    median_rows(dataset, "reverse_kaplan_meier", case, time, 1 - event),
    do.call(rbind, means)
  )
}

# Of both causes: the incidence with its log-log limits, and survfit's standard error.
incidence_rows <- function(dataset, case, time, cause, times,
                           parts = c("incidence", "lower", "upper", "se")) {
  at <- summary(competing(time, cause), times = times, extend = TRUE)
  alive <- curve_at(kaplan_meier(time, cause != 0), times)$survival
  stopifnot(abs(rowSums(at$pstate[, -1, drop = FALSE]) + alive - 1) < 1e-12)
  if (any(cause != 0)) agrees_with_cmprsk(time, cause, at)
  tables <- lapply(1:2, function(number) {
    column <- match(number, at$states)
    table <- data.frame(incidence = at$pstate[, column], lower = at$lower[, column],
                        upper = at$upper[, column], se = at$std.err[, column])[parts]
    setNames(table, paste0(parts, "_", number))
  })
  values_at(dataset, "aalen_johansen", case, do.call(cbind, tables), times)
}

variance_rows <- function(dataset, case, time, cause, times, at = times) {
  variance <- as.data.frame(t(aalen_variance(time, cause, times)))
  values_at(dataset, "aalen_variance", case, setNames(variance, c("variance_1", "variance_2")), at)
}

rate_rows <- function(dataset, case, time, event, after) {
  rate <- event_rate(time, event == 1, after)
  values <- c(estimate = rate$rate, lower = rate$lower, upper = rate$upper)
  values_of(dataset, "event_rate", case, values, after)
}

# Each list of times holds at least one that is an event's very time: 60, 1583 and 730.
all_curves <- function() {
  by_hormone <- function(level) {
    with(subset(DATA$gbsg, hormon == level),
         curve_rows("gbsg", paste0("rfs:hormon=", level), rfstime, status,
                    c(365, 730, 1461, 2000), c(1000, 2400)))
  }
  months <- c(12, 60, 120, 240, 360)
  days <- c(365, 1000, 1583, 2000, 4000, 6000)
  rbind(
    with(DATA$mgus2, curve_rows("mgus2", "death", futime, death, months, c(120, 360))),
    with(DATA$rotterdam, curve_rows("rotterdam", "death", dtime, death, days, c(2000, 6000))),
    with(DATA$gbsg, curve_rows("gbsg", "rfs", rfstime, status, c(365, 730, 1461, 2000),
                               c(1000, 2400))),
    by_hormone(0),
    by_hormone(1),
    kaplan_meier_rows("big", "any", BIG$time, BIG$event > 0, c(100, 500, 900)),
    median_rows("big", "median", "any", BIG$time, BIG$event > 0),
    with(progression, incidence_rows("mgus2", "pcm", time, cause, months)),
    with(recurrence, incidence_rows("rotterdam", "recurrence", time, cause, days)),
    incidence_rows("big", "event1", BIG$time, numbered(BIG$event), c(100, 500, 900)),
    with(progression, variance_rows("mgus2", "pcm", time, cause, months)),
    with(recurrence, variance_rows("rotterdam", "recurrence", time, cause, days)),
    do.call(rbind, lapply(names(LANDMARKS), shipped_variance)),
    with(DATA$mgus2, rate_rows("mgus2", "death", futime, death, 120)),
    with(DATA$mgus2, rate_rows("mgus2", "death", futime, death, 240)),
    with(DATA$gbsg, rate_rows("gbsg", "rfs", rfstime, status, 1461))
  )
}

# Relapse is cause 1, death without relapse cause 2.
shipped_variance <- function(name) {
  responders <- relapse_free_survival(read_patients(name))
  months <- LANDMARKS[[name]]
  variance_rows(name, "relapse", responders$time, first_event(responders),
                months * DAYS_PER_MONTH, months)
}


# ---- Cox models ----------------------------------------------------------------------------------

case_name <- function(endpoint, columns) paste0(endpoint, ": ", paste(columns, collapse = " + "))

# Coefficients, standard errors, Wald P and the log likelihood; blank where there is no estimate.
coefficient_rows <- function(dataset, endpoint, rows, columns, ties) {
  fit <- estimable_fit(rows, columns, ties)
  names <- c(outer(c("beta", "se", "p"), columns, paste, sep = ":"), "loglik")
  values <- rep(NA_real_, length(names))
  if (!is.null(fit)) {
    of_each <- rbind(coef(fit), sqrt(diag(vcov(fit))), wald_p(fit))
    values <- c(of_each, fit$loglik[2])
  }
  estimator <- if (ties == "efron") "cox" else "cox_breslow"
  values_of(dataset, estimator, case_name(endpoint, columns), setNames(values, names))
}

# The last factor's entry into the model of the others.
score_row <- function(dataset, endpoint, rows, columns) {
  last <- columns[length(columns)]
  value(dataset, "score_test", case_name(endpoint, columns), paste0("p:", last),
        entry_p(rows, setdiff(columns, last), last))
}

schoenfeld_rows <- function(dataset, endpoint, rows, columns) {
  table <- proportionality(cox_fit(rows, columns))
  factors <- c(columns, "global")
  values <- c(setNames(table[, "p"], paste0("p:", factors)),
              setNames(table[, "chisq"], paste0("chisq:", factors)))
  values_of(dataset, "schoenfeld", case_name(endpoint, columns), values)
}

cox_rows <- function(dataset, endpoint, rows, columns) {
  rbind(
    coefficient_rows(dataset, endpoint, rows, columns, "efron"),
    coefficient_rows(dataset, endpoint, rows, columns, "breslow"),
    score_row(dataset, endpoint, rows, columns),
    schoenfeld_rows(dataset, endpoint, rows, columns)
  )
}

from_the_start <- function(time, event, ...) data.frame(start = -1, stop = time, event, ...)

# 0 up to and on the day of recurrence, 1 after it.
with_recurrence <- function(patients) {
  later <- patients$recur == 1 & patients$rtime < patients$dtime
  before <- with(patients, from_the_start(ifelse(later, rtime, dtime), death * !later, age,
                                          recurrence = 0))
  after <- with(patients[later, ], data.frame(start = rtime, stop = dtime, event = death, age,
                                              recurrence = 1))
  rbind(before, after)
}

all_models <- function() {
  deaths <- with(DATA$mgus2, from_the_start(futime, death, age, sex = as_01(sex, "M")))
  operated <- with(DATA$rotterdam, from_the_start(dtime, death, age, nodes, grade))
  treated <- with(DATA$gbsg, from_the_start(rfstime, status, hormon, age, nodes, pgr))
  big <- with(BIG, from_the_start(time, event == 1, x, z))
  rbind(
    cox_rows("mgus2", "death", deaths, c("age", "sex")),
    cox_rows("heart", "death", DATA$heart, "transplant"),
    cox_rows("heart", "death", DATA$heart, c("transplant", "age", "surgery")),
    cox_rows("rotterdam", "death", operated, c("age", "nodes", "grade")),
    cox_rows("rotterdam", "death", with_recurrence(DATA$rotterdam), c("age", "recurrence")),
    cox_rows("gbsg", "rfs", treated, c("hormon", "age", "nodes", "pgr")),
    cox_rows("big", "event1", big, c("x", "z"))
  )
}


# ---- Ties and edges ------------------------------------------------------------------------------
# Each case is a dataset of a few patients. A blank start is "from the start". Curves take each
# patient's last row; survival, its median and the Cox model count both events.

small_rows <- function(name, cases) {
  rows <- cases[cases$case == name, ]
  last <- rows[!duplicated(rows$patient, fromLast = TRUE), ]
  times <- sort(unique(last$stop))
  rbind(
    kaplan_meier_rows(name, "any", last$stop, last$event > 0, times),
    median_rows(name, "median", "any", last$stop, last$event > 0),
    incidence_rows(name, "event1", last$stop, numbered(last$event), times,
                   c("incidence", "lower", "upper")),
    small_models(name, transform(rows, start = ifelse(is.na(start), -1, start), event = event > 0))
  )
}

# Proportionality needs two times to compare.
small_models <- function(name, rows) {
  models <- rbind(coefficient_rows(name, "any", rows, "x", "efron"),
                  coefficient_rows(name, "any", rows, "x", "breslow"))
  compared <- !is.null(estimable_fit(rows, "x")) && length(unique(rows$stop[rows$event])) > 1
  if (!compared) return(models)
  p <- proportionality(cox_fit(rows, "x"))["x", "p"]
  rbind(models, value(name, "schoenfeld", "any: x", "p:x", p))
}


# ---- Times that rounding parts -------------------------------------------------------------------
# survfit and coxph take times that differ by rounding alone as one (timefix), by aeqSurv.

time_cases <- function() {
  months <- c(0.1, 0.3, 2.3, 2.5, 4.8, 7.1, 9.6, 12, 24)
  cases <- list(
    "differences of decimals" = c(7.1 - 2.3, 4.8, 0.3 - 0.1, 0.2, 0, 12.3 - 7.5),
    "days of months" = c(months * 30.4, seq_along(months) * 30.4, 30.4 + 12 * 30.4 - 30.4, 364.8),
    "within the tolerance of 1" = c(0.5, 0.5 + 1e-8, 0.5 + 2e-8, 0.5 + 4e-8, 0.9),
    "within that of the mean" = c(1000, 1000 + 1e-5, 1000 + 3e-5, 1001),
    "a chain" = 1 + (0:5) * 1.2e-8,
    "large" = c(1e9, 1e9 + 1, 1e9 + 100),
    "one" = 5
  )
  one <- function(name) {
    time <- cases[[name]]
    same <- survival:::aeqSurv(Surv(time, rep(1, length(time))))[, 1]
    data.frame(case = name, time, same = unname(same), row.names = NULL)
  }
  do.call(rbind, lapply(names(cases), one))
}


# ---- Write ---------------------------------------------------------------------------------------

for (name in names(DATA)) {
  path <- file.path(HERE, "data", paste0(name, ".csv"))
  write_table(DATA[[name]], path)
  # The tests read the file; the values below come from the data in memory. They are the same.
  stopifnot(all.equal(read.csv(path), DATA[[name]], tolerance = 0, check.attributes = FALSE))
}
write_table(rbind(all_curves(), all_models()), file.path(HERE, "estimators.csv"))
cases <- small_cases()
write_table(do.call(rbind, lapply(unique(cases$case), small_rows, cases)),
            file.path(HERE, "ties.csv"))
write_table(time_cases(), file.path(HERE, "times.csv"))
