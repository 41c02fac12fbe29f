# Reference values for the estimators that only the lessons need, computed in R.
#
# Run by hand from the root of the project:  Rscript tests/reference/lessons.R
# It writes lessons.csv beside itself, from the shipped datasets, the files of data/ (which
# estimators.R writes) and `big` (made by whole-number arithmetic, as there). A case names the
# endpoint and the factors; `at` is a time, a horizon or a landmark in the dataset's own unit.

source(file.path("tests", "reference", "common.R"))

value <- function(dataset, estimator, case, quantity, value, at = NA) {
  data.frame(dataset, estimator, case, quantity, at, value = unname(value), row.names = NULL)
}

case_name <- function(endpoint, columns) paste0(endpoint, ": ", paste(columns, collapse = " + "))

data_of <- function(name) read.csv(file.path(HERE, "data", paste0(name, ".csv")))

baseline <- function(factors) Filter(function(f) f$kind != "postbaseline", factors)
postbaseline_of <- function(factors) Filter(function(f) f$kind == "postbaseline", factors)
columns_of <- function(factors) sapply(factors, `[[`, "column")

endpoints <- function(name) {
  patients <- read_patients(name)
  list(os = overall_survival(patients), rfs = relapse_free_survival(patients))
}


# ---- Fine and Gray -------------------------------------------------------------------------------
# `cause` is 0 for censored, 1 or 2. crr takes the censoring just before day 0 as that of day 0
# itself, which a clock that starts at 1 avoids.

# crr's search ends early, and with a tighter tolerance its halving of steps stops on rounding. Three
# whole steps of Newton's from where it ends go all the way.
crr_fit <- function(time, cause, x, number) {
  fit <- crr(time, cause, x, failcode = number)
  for (step in 1:3) {
    stopifnot(fit$converged)
    better <- fit$coef + solve(fit$inf, fit$score)
    fit <- crr(time, cause, x, failcode = number, gtol = 1, init = better)
  }
  stopifnot(abs(fit$score^2 / diag(fit$inf)) < 1e-18)
  fit
}

fine_gray_rows <- function(dataset, endpoint, time, cause, x, number = 1) {
  quantities <- c(outer(c("beta", "se"), names(x), paste, sep = ":"), "loglik")
  case <- case_name(endpoint, names(x))
  values <- rep(NA_real_, length(quantities))
  if (length(x) > 1 || !stays_ahead(time, cause, x[[1]], number)) {
    fit <- crr_fit(time + 1, cause, as.matrix(x), number)
    se <- sqrt(diag(fit$var))
    # All of one day and nobody left: the robust variance is 0 or what rounding leaves of it.
    if (all(se > 1e-8)) values <- c(rbind(fit$coef, se), fit$loglik)
  }
  value(dataset, "fine_gray", case, quantities, values, number)
}

# As `separates` of common.R: each event comes to the highest value at risk, or each to the lowest.
# Who had the other event stays at risk.
stays_ahead <- function(time, cause, x, number) {
  event <- cause == number
  other <- cause != 0 & !event
  spread <- sapply(time[event], function(day) range(x[time >= day | other]))
  !any(event) || all(x[event] == spread[1, ]) || all(x[event] == spread[2, ])
}

shipped_fine_gray <- function(name) {
  responders <- endpoints(name)$rfs
  cause <- as.integer(first_event(responders)) - 1
  one <- function(factor) {
    x <- factor_table(responders, list(factor))
    known <- complete.cases(x)
    fine_gray_rows(name, "relapse", responders$time[known], cause[known], x[known, , drop = FALSE])
  }
  do.call(rbind, lapply(baseline(DATASETS[[name]]$factors), one))
}

# Each patient's last row of the small cases, with the value that x has there.
small_fine_gray <- function(name, cases) {
  rows <- cases[cases$case == name, ]
  last <- rows[!duplicated(rows$patient, fromLast = TRUE), ]
  if (length(unique(last$x)) < 2) return(NULL)
  fine_gray_rows(name, "event1", last$stop, last$event, last["x"])
}

all_fine_gray <- function() {
  mgus2 <- data_of("mgus2")
  time <- with(mgus2, ifelse(pstat == 1, ptime, futime))
  cause <- with(mgus2, ifelse(pstat == 1, 1, 2 * death))
  x <- data.frame(age = mgus2$age, sex = as.numeric(mgus2$sex == "M"))
  i <- 0:1999
  big <- data.frame(x = ((31337 * i) %% 1009) %% 2, z = ((15485863 * i) %% 4001) %% 7 - 3)
  big_time <- (((7919 * i) %% 99991) %% 1500 * (2 + big$x)) %/% 300
  cases <- small_cases()
  rbind(
    fine_gray_rows("mgus2", "pcm", time, cause, x),
    fine_gray_rows("mgus2", "pcm", time, cause, x, number = 2),
    fine_gray_rows("mgus2", "pcm by year", time %/% 12, cause, x),
    fine_gray_rows("big", "event1", big_time, ((104729 * i) %% 65537) %% 3, big),
    do.call(rbind, lapply(names(DATASETS), shipped_fine_gray)),
    do.call(rbind, lapply(unique(cases$case), small_fine_gray, cases))
  )
}


# ---- Curves by a state that changes --------------------------------------------------------------

# At no more than `most` of each curve's times of events, its first and last among them.
switching_rows <- function(dataset, endpoint, rows, column, landmark = NA, most = 5) {
  if (!is.na(landmark)) {
    rows <- transform(rows[rows$stop > landmark, ], start = pmax(start, landmark))
  }
  fit <- survfit(reformulate(column, "Surv(start, stop, event)"), rows, conf.type = "log-log")
  state <- rep(sub(".*=", "", names(fit$strata)), fit$strata)
  one <- function(which) {
    chosen <- which(state == which & fit$n.event > 0)
    chosen <- chosen[unique(round(seq(1, length(chosen), length.out = min(most, length(chosen)))))]
    parts <- list(survival = fit$surv, lower = fit$lower, upper = fit$upper,
                  at_risk = fit$n.risk, events = fit$n.event)
    do.call(rbind, lapply(names(parts), function(part) {
      value(dataset, "switching_curves", case, paste0(part, "_", which), parts[[part]][chosen],
            fit$time[chosen])
    }))
  }
  case <- paste0(case_name(endpoint, column),
                 if (!is.na(landmark)) paste0(" from ", landmark) else "")
  do.call(rbind, lapply(unique(state), one))
}

shipped_switching <- function(name, endpoint) {
  cohort <- endpoints(name)[[endpoint]]
  factors <- Filter(function(f) endpoint %in% f$endpoints, DATASETS[[name]]$factors)
  one <- function(factor) {
    rows <- start_stop_rows(cohort, list(factor))
    do.call(rbind, lapply(c(NA, 60, 180), function(landmark) {
      switching_rows(name, endpoint, rows, factor$column, landmark)
    }))
  }
  do.call(rbind, lapply(postbaseline_of(factors), one))
}

small_switching <- function(name, cases) {
  rows <- cases[cases$case == name, ]
  if (!any(rows$event > 0) || !all(rows$x %in% 0:1)) return(NULL)
  rows <- transform(rows, start = ifelse(is.na(start), -1, start), event = event > 0)
  if (!all(tapply(rows$event, rows$x, any))) return(NULL)
  switching_rows(name, "any", rows, "x", most = 99)
}

all_switching <- function() {
  cases <- small_cases()
  heart <- data_of("heart")
  rbind(
    switching_rows("heart", "death", heart, "transplant", most = 99),
    switching_rows("heart", "death", heart, "transplant", 30, most = 99),
    do.call(rbind, lapply(names(DATASETS), shipped_switching, "os")),
    do.call(rbind, lapply(names(DATASETS), shipped_switching, "rfs")),
    do.call(rbind, lapply(unique(cases$case), small_switching, cases))
  )
}


# ---- Schoenfeld residuals ------------------------------------------------------------------------

# cox.zph gives the events in the order of their time; those of one time in the order of the rows, or
# in the reverse one where rows have a start. Here the order is that of the rows.
residual_rows <- function(dataset, endpoint, rows, columns) {
  zph <- cox.zph(cox_fit(rows, columns), transform = "identity", terms = FALSE)
  place <- rev(order(-rows$stop))
  place <- place[rows$event[place] > 0]
  stopifnot(zph$time == rows$stop[place])
  sorted <- order(rows$stop[place], place)
  one <- function(column) {
    value(dataset, "schoenfeld_residuals", case_name(endpoint, columns), column,
          zph$y[sorted, column], zph$time[sorted])
  }
  do.call(rbind, lapply(columns, one))
}

shipped_residuals <- function(name, columns) {
  factors <- Filter(function(f) f$column %in% columns, DATASETS[[name]]$factors)
  residual_rows(name, "os", start_stop_rows(endpoints(name)$os, factors), columns_of(factors))
}

# cox.zph stops where all events fall on one time.
small_residuals <- function(name, cases) {
  rows <- cases[cases$case == name, ]
  rows <- transform(rows, start = ifelse(is.na(start), -1, start), event = event > 0)
  if (is.null(estimable_fit(rows, "x")) || length(unique(rows$stop[rows$event])) < 2) return(NULL)
  residual_rows(name, "any", rows, "x")
}

all_residuals <- function() {
  cases <- small_cases()
  gbsg <- with(data_of("gbsg"), data.frame(start = -1, stop = rfstime, event = status, hormon, nodes))
  rbind(
    residual_rows("heart", "death", data_of("heart"), c("transplant", "age", "surgery")),
    residual_rows("gbsg", "rfs", gbsg, c("hormon", "nodes")),
    shipped_residuals("myeloid", c("response_day", "hsct_day")),
    shipped_residuals("blinatumomab", "age"),
    shipped_residuals("bmt", c("patient_age", "disease")),
    do.call(rbind, lapply(unique(cases$case), small_residuals, cases))
  )
}


# ---- Differences of restricted means -------------------------------------------------------------

difference_rows <- function(dataset, case, time, event, group, horizons) {
  one <- function(horizon) {
    table <- summary(survfit(Surv(time, event) ~ group), rmean = horizon)$table
    stopifnot(rownames(table) == c("group=0", "group=1"))
    difference <- diff(table[, "rmean"])
    se <- sqrt(sum(table[, "se(rmean)"]^2))
    values <- c(estimate = difference[[1]], se = se, lower = difference[[1]] - Z * se,
                upper = difference[[1]] + Z * se, p = 2 * pnorm(-abs(difference[[1]] / se)))
    value(dataset, "restricted_mean_difference", case, names(values), values, horizon)
  }
  at <- function(horizon) {
    last <- tapply(time, group, max)
    if (any(last < horizon)) return(NULL)
    found <- summary(survfit(Surv(time, event) ~ group), times = horizon)
    if (any(found$std.err == 0)) return(NULL)
    difference <- diff(found$surv)
    se <- sqrt(sum(found$std.err^2))
    values <- c(estimate = difference, se = se, lower = difference - Z * se,
                upper = difference + Z * se, p = 2 * pnorm(-abs(difference / se)))
    value(dataset, "survival_difference", case, names(values), values, horizon)
  }
  rbind(do.call(rbind, lapply(horizons, one)), do.call(rbind, lapply(horizons, at)))
}

shipped_differences <- function(name) {
  os <- endpoints(name)$os
  one <- function(factor) {
    if (factor$kind == "continuous") return(NULL)
    group <- baseline_value(os, factor)
    known <- !is.na(group)
    difference_rows(name, case_name("os", factor$column), os$time[known], os$event[known],
                    group[known], c(365, 1000))
  }
  do.call(rbind, lapply(baseline(DATASETS[[name]]$factors), one))
}

all_differences <- function() {
  gbsg <- data_of("gbsg")
  rbind(
    with(gbsg, difference_rows("gbsg", "rfs: hormon", rfstime, status, hormon, c(1000, 2000))),
    do.call(rbind, lapply(names(DATASETS), shipped_differences))
  )
}


# ---- Landmarks -----------------------------------------------------------------------------------

# From the patients, not from start-stop rows: those followed beyond the day, by their state on it.
landmark_rows <- function(dataset, endpoint, cohort, factor, day) {
  switched <- switch_day(cohort, factor) <= day
  still <- !is.na(switched) & cohort$time > day & entry_day(cohort, list(factor)) <= day
  rows <- data.frame(start = -1, stop = cohort$time[still] - day, event = cohort$event[still],
                     switched = as.numeric(switched[still]))
  fit <- estimable_fit(rows, "switched")
  of_fit <- if (is.null(fit)) rep(NA, 3) else c(coef(fit), sqrt(vcov(fit)), wald_p(fit))
  values <- c(n = nrow(rows), events = sum(rows$event), switched = sum(rows$switched),
              setNames(of_fit, c("beta", "se", "p")))
  value(dataset, "landmark", case_name(endpoint, factor$column), names(values), values, day)
}

shipped_landmarks <- function(name, days) {
  os <- endpoints(name)$os
  factors <- Filter(function(f) "os" %in% f$endpoints, DATASETS[[name]]$factors)
  one <- function(factor) {
    do.call(rbind, lapply(days, function(day) landmark_rows(name, "os", os, factor, day)))
  }
  do.call(rbind, lapply(postbaseline_of(factors), one))
}

all_landmarks <- function() {
  rbind(
    shipped_landmarks("myeloid", c(60, 90, 180)),
    shipped_landmarks("blinatumomab", c(60, 120)),
    shipped_landmarks("bmt", c(60, 120))
  )
}


# ---- Two curves ----------------------------------------------------------------------------------

# Of each factor of two sides the sums of the log-rank test for the first-named one, and the Cox model.
two_curves_rows <- function(name, os, factor) {
  first <- baseline_value(os, factor)
  rows <- data.frame(start = -1, stop = os$time, event = os$event, first)[!is.na(first), ]
  test <- survdiff(Surv(stop, event) ~ first, rows)
  fit <- cox_fit(rows, "first")
  limits <- exp(coef(fit) + c(-1, 1) * Z * sqrt(c(vcov(fit))))
  values <- c(observed = test$obs[2], expected = test$exp[2], variance = test$var[2, 2],
              chi2 = test$chisq, p = pchisq(test$chisq, 1, lower.tail = FALSE),
              estimate = exp(coef(fit))[[1]], lower = limits[1], upper = limits[2])
  value(name, "two_curves", case_name("os", factor$column), names(values), values)
}

all_two_curves <- function() {
  one <- function(name) {
    sided <- Filter(function(f) f$kind != "continuous", baseline(DATASETS[[name]]$factors))
    os <- endpoints(name)$os
    do.call(rbind, lapply(sided, function(factor) two_curves_rows(name, os, factor)))
  }
  do.call(rbind, lapply(names(DATASETS), one))
}


# ---- Write ---------------------------------------------------------------------------------------

write_table(rbind(all_fine_gray(), all_switching(), all_residuals(), all_differences(),
                  all_landmarks(), all_two_curves()),
            file.path(HERE, "lessons.csv"))
