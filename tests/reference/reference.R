# Reference values for the tests, computed in R from the two public datasets and the synthetic cohort.
#
# Run by hand from the root of the project:  Rscript tests/reference/reference.R
# (estimators.R and lessons.R, run likewise, freeze the estimators on other data and those that only
# the lessons need; common.R is what they share.)
# It reads data/NAME/patients.csv and writes, beside itself,
#   NAME.csv      the results of each page, with the keys that the book's own results have,
#   known.csv     values that readers of the public datasets know, and variations that no page shows,
#   defaults.csv  what R does unless told otherwise, where the book does something else,
#   versions.txt  the versions that computed them.
#
# n is the number at risk for `survival`, else the patients in the calculation (for the three
# `followup_` rows: the censored). events are those up to `months`, or all where it is blank; for
# `median_followup`, whose curve runs to the end of follow-up, they are the censored. In the rows
# that start after a month (`event_rate`, `person_years`, `conditional_survival`) n are the patients
# whose time is longer, and events are those after it (in the last of these, up to the last month).

source(file.path("tests", "reference", "common.R"))


# ---- The endpoints -------------------------------------------------------------------------------
# Each gives the patients with the day their clock starts (origin), the days on the clock (time) and
# whether the event came (event). Overall and relapse-free survival are in common.R.

survival_after_hsct <- function(patients) {
  in_remission <- with(patients, !is.na(hsct_day) & !is.na(response_day) &
                         response_day <= hsct_day & (is.na(relapse_day) | hsct_day < relapse_day))
  transform(patients[in_remission, ],
            origin = hsct_day, time = last_contact_day - hsct_day, event = died)
}


# ---- Rows of results -----------------------------------------------------------------------------

result <- function(page, quantity, group, estimate, lower = NA, upper = NA, n, events,
                   months = NA) {
  data.frame(page, quantity, group, months, estimate, lower, upper, n, events, row.names = NULL)
}


# ---- Figures 1A, 1B and 1C: one survival curve each ----------------------------------------------

median_row <- function(page, quantity, group, fit, n, events) {
  days <- quantile(fit, 0.5)
  result(page, quantity, group, days$quantile / DAYS_PER_MONTH, days$lower / DAYS_PER_MONTH,
         days$upper / DAYS_PER_MONTH, n, events)
}

survival_rows <- function(page, group, cohort, fit, months) {
  days <- months * DAYS_PER_MONTH
  at <- curve_at(fit, days)
  at_risk <- sapply(days, function(day) sum(cohort$time >= day))
  stopifnot(at_risk == at$at_risk)
  known <- known_at(fit, days)
  result(page, "survival", group, known * at$survival, known * at$lower, known * at$upper, at_risk,
         known * events_until(cohort$time, cohort$event, days), months)
}

# 1 where a curve has a value, NA past the end of follow-up, where summary() has no row unless told
# to `extend`. Where nobody is left, and up to CARRY months past the end, the last value is carried.
CARRY <- 0
known_at <- function(fit, days) {
  followed <- days %in% summary(fit, times = c(0, days))$time # 0: R wants one that is followed
  stopifnot(followed == (days <= max(fit$time)))
  left <- if (is.null(fit$pstate)) tail(fit$surv, 1) else tail(fit$pstate[, 1], 1)
  carried <- left == 0 | days <= max(fit$time) + CARRY * DAYS_PER_MONTH
  ifelse(followed | carried, 1, NA)
}

events_until <- function(time, event, days) sapply(days, function(day) sum(event & time <= day))

followup_rows <- function(page, group, cohort) {
  censored <- cohort$time[!cohort$event] / DAYS_PER_MONTH
  reverse <- kaplan_meier(cohort$time, !cohort$event)
  rbind(
    median_row(page, "median_followup", group, reverse, nrow(cohort), sum(!cohort$event)),
    result(page, "followup_median", group, median(censored), n = length(censored), events = 0),
    result(page, "followup_min", group, min(censored), n = length(censored), events = 0),
    result(page, "followup_max", group, max(censored), n = length(censored), events = 0)
  )
}

# The mean time lived up to each month. Its limits are plain: estimate -+ 1.96 standard errors.
restricted_mean_rows <- function(page, group, cohort, fit, months) {
  one <- function(month) {
    table <- summary(fit, rmean = month * DAYS_PER_MONTH)$table / DAYS_PER_MONTH
    mean <- table[["rmean"]]
    margin <- Z * table[["se(rmean)"]]
    known <- if (month * DAYS_PER_MONTH <= max(cohort$time)) 1 else NA
    result(page, "rmst", group, known * mean, known * (mean - margin), known * (mean + margin),
           nrow(cohort), known * events_until(cohort$time, cohort$event, month * DAYS_PER_MONTH),
           month)
  }
  do.call(rbind, lapply(months, one))
}

# Events per patient-year after each month of those still followed then, and the patient-years.
rate_rows <- function(page, group, time, event, months) {
  at <- lapply(months * DAYS_PER_MONTH, function(day) event_rate(time, event, day))
  get <- function(name) sapply(at, `[[`, name)
  years <- function(name) get(name) * 365.25
  known <- ifelse(get("n") > 0, 1, NA)
  rbind(
    result(page, "event_rate", group, years("rate"), years("lower"), years("upper"),
           get("n"), known * get("events"), months),
    result(page, "person_years", group, known * get("lived") / 365.25, n = get("n"),
           events = known * get("events"), months = months)
  )
}

# Survival to the last month of those still followed beyond each other month.
conditional_rows <- function(page, group, cohort, months) {
  last <- max(months)
  one <- function(month) {
    still <- cohort[cohort$time > month * DAYS_PER_MONTH, ]
    time <- still$time - month * DAYS_PER_MONTH
    ahead <- (last - month) * DAYS_PER_MONTH
    at <- data.frame(survival = NA, lower = NA, upper = NA)
    known <- NA
    if (nrow(still)) {
      fit <- kaplan_meier(time, still$event)
      at <- curve_at(fit, ahead)
      known <- known_at(fit, ahead)
    }
    result(page, "conditional_survival", group, known * at$survival, known * at$lower,
           known * at$upper, nrow(still), known * events_until(time, still$event, ahead), month)
  }
  do.call(rbind, lapply(setdiff(months, last), one))
}

curve_rows <- function(page, group, cohort, months) {
  fit <- kaplan_meier(cohort$time, cohort$event)
  rbind(
    median_row(page, "median", group, fit, nrow(cohort), sum(cohort$event)),
    survival_rows(page, group, cohort, fit, months),
    followup_rows(page, group, cohort),
    restricted_mean_rows(page, group, cohort, fit, months),
    rate_rows(page, group, cohort$time, cohort$event, months),
    conditional_rows(page, group, cohort, months)
  )
}


# ---- An event and what competes with it: in Figure 1D relapse and death -------------------------------------

# The variance is survfit's: the infinitesimal jackknife (the sum over patients of the squared
# influence on the estimate). Without weights it equals Greenwood's form for the Aalen-Johansen
# estimate, in which the relapses and deaths of a day are multinomial among those at risk. cmprsk
# uses another formula (Aalen's), larger or smaller by a few parts in a thousand, so its variances
# are not compared. The limits of a proportion p are p^exp(-+ 1.96 SE / (p log p)).
# `cause` is a factor: censored, the event and what competes, as the results call them.
incidence_rows <- function(page, responders, cause, months) {
  fit <- competing(responders$time, cause)
  at <- summary(fit, times = months * DAYS_PER_MONTH, extend = TRUE)
  agrees_with_cmprsk(responders$time, cause, at)
  one <- function(state) {
    column <- match(state, fit$states)
    known <- known_at(fit, at$time)
    result(page, "cumulative_incidence", state, known * at$pstate[, column],
           known * at$lower[, column], known * at$upper[, column], nrow(responders),
           known * events_until(responders$time, cause == state, at$time), months)
  }
  rates <- function(state) {
    rate_rows(page, state, responders$time, cause == state, months)
  }
  states <- levels(cause)[-1]
  do.call(rbind, c(lapply(states, one), lapply(states, rates)))
}


# ---- Table 3: Cox models -------------------------------------------------------------------------

# Missing where the model has no estimate.
hazard_ratio_rows <- function(endpoint, kind, rows, columns) {
  fit <- estimable_fit(rows, columns)
  n <- length(unique(rows$patient_id))
  group <- paste0(endpoint, ":", columns)
  p <- if (is.null(fit)) NA else wald_p(fit)
  rbind(
    ratio_rows(paste0("hazard_ratio_", kind), group, fit, n, sum(rows$event)),
    result("table_3", paste0("p_", kind), group, p, n = n, events = sum(rows$event))
  )
}

ratio_rows <- function(quantity, group, fit, n, events) {
  if (is.null(fit)) return(result("table_3", quantity, group, NA, n = n, events = events))
  error <- sqrt(diag(vcov(fit)))
  result("table_3", quantity, group, exp(coef(fit)), exp(coef(fit) - Z * error),
         exp(coef(fit) + Z * error), n, events)
}

# The paper's stepwise rule: enter the factor with the smallest score P, then remove, one at a time,
# the one with the largest Wald P that is not below the level. It ends where nothing may enter, or
# where the factor that has just entered is the one removed (it would go round for ever).
stepwise <- function(rows, candidates, level = 0.05) {
  model <- character(0)
  repeat {
    outside <- setdiff(candidates, model)
    if (!length(outside)) return(model)
    p <- sapply(outside, function(column) entry_p(rows, model, column))
    if (min(p) >= level) return(model)
    entered <- outside[which.min(p)]
    model <- c(model, entered)
    repeat {
      p <- wald_p(cox_fit(rows, model))
      if (max(p) < level) break
      removed <- model[which.max(p)]
      model <- setdiff(model, removed)
      if (removed == entered) return(model)
      if (!length(model)) break
    }
  }
}

# The models of an endpoint: each factor alone on its own rows, the candidates of the stepwise model
# with the rows of the patients complete in them, and those that it has chosen. Where the arms were
# drawn by lot nothing that came later is a candidate.
table_3_models <- function(endpoint, cohort, factors, randomised = FALSE) {
  applies <- sapply(factors, function(f) is.null(f$endpoints) || endpoint %in% f$endpoints)
  factors <- factors[applies]
  names(factors) <- sapply(factors, `[[`, "column")
  alone <- lapply(factors, function(factor) start_stop_rows(cohort, list(factor)))
  p <- sapply(names(factors), function(column) {
    fit <- estimable_fit(alone[[column]], column)
    if (is.null(fit)) NA else wald_p(fit)
  })
  later <- sapply(factors, `[[`, "kind") == "postbaseline"
  candidates <- names(factors)[which(p < 0.05 & !(randomised & later))]
  together <- if (length(candidates)) start_stop_rows(cohort, factors[candidates])
  chosen <- if (length(candidates)) stepwise(together, candidates)
  # In the order of the dataset's factors, whichever entered first.
  list(endpoint = endpoint, cohort = cohort, factors = factors, alone = alone,
       candidates = candidates, together = together, chosen = intersect(names(factors), chosen))
}

table_3_rows <- function(models) {
  univariate <- lapply(names(models$factors), function(column) {
    hazard_ratio_rows(models$endpoint, "univariate", models$alone[[column]], column)
  })
  multivariate <- if (length(models$chosen)) {
    hazard_ratio_rows(models$endpoint, "multivariate", models$together, models$chosen)
  }
  rbind(do.call(rbind, univariate), multivariate)
}


# ---- Table 3: what the models assume, and what other models give ---------------------------------

table_3_checks <- function(models) {
  endpoint <- models$endpoint
  of_each <- lapply(names(models$factors), function(column) {
    rows <- models$alone[[column]]
    rbind(proportional_rows(endpoint, "univariate", rows, column),
          split_rows(endpoint, rows, column))
  })
  of_chosen <- if (length(models$chosen)) {
    proportional_rows(endpoint, "multivariate", models$together, models$chosen)
  }
  of_candidates <- if (length(models$candidates)) {
    hazard_ratio_rows(endpoint, "unselected", models$together, models$candidates)
  }
  switching <- Filter(function(factor) factor$kind == "postbaseline", models$factors)
  of_switching <- lapply(switching, function(factor) {
    rbind(fixed_rows(models, factor), never_at_risk_row(models, factor))
  })
  rbind(do.call(rbind, of_each), of_chosen, of_candidates, do.call(rbind, of_switching))
}

# P of the test of proportional hazards for each factor and, in the stepwise model, for all of them:
# its group is the endpoint alone.
proportional_rows <- function(endpoint, kind, rows, columns) {
  fit <- estimable_fit(rows, columns)
  p <- setNames(rep(NA, length(columns) + 1), c(columns, "GLOBAL"))
  if (!is.null(fit)) p <- proportionality(fit)[, "p"]
  group <- c(paste0(endpoint, ":", columns), endpoint)
  shown <- if (kind == "multivariate") c(columns, "GLOBAL") else columns
  result("table_3", paste0("p_proportional_", kind), group[match(shown, names(p))], p[shown],
         n = length(unique(rows$patient_id)), events = sum(rows$event))
}

# The factor's ratio before and after half of the events: an event on the day itself is early. Each
# stretch is fitted by itself, in the patients at risk in it.
split_rows <- function(endpoint, rows, column) {
  events <- sort(rows$stop[rows$event])
  stopifnot(length(events) > 0)
  day <- events[ceiling(length(events) / 2)]
  group <- paste0(endpoint, ":", column)
  cut <- survSplit(Surv(start, stop, event) ~ ., rows, cut = day, episode = "period")
  stopifnot(sum(cut$event) == sum(rows$event), all(cut$stop[cut$period == 1] <= day))
  stretches <- split(cut, factor(cut$period, 1:2, c("early", "late")))
  ratios <- lapply(names(stretches), function(name) {
    stretch <- stretches[[name]]
    ratio_rows(paste0("hazard_ratio_", name), group, estimable_fit(stretch, column),
               length(unique(stretch$patient_id)), sum(stretch$event))
  })
  rbind(
    result("table_3", "split", group, day / DAYS_PER_MONTH,
           n = length(unique(rows$patient_id)), events = length(events)),
    do.call(rbind, ratios)
  )
}

# The naive analysis, wrong on purpose: a postbaseline factor as if known from the start, 1 on
# whatever day it came, in the patients of its univariate model.
fixed_rows <- function(models, factor) {
  cohort <- models$cohort
  switch <- switch_day(cohort, factor)
  rows <- data.frame(patient_id = cohort$patient_id, start = entry_day(cohort, list(factor)),
                     stop = cohort$time, event = cohort$event)
  rows[[factor$column]] <- as.numeric(is.finite(switch))
  rows <- rows[!is.na(switch) & rows$start < rows$stop, ]
  stopifnot(setequal(rows$patient_id, models$alone[[factor$column]]$patient_id))
  hazard_ratio_rows(models$endpoint, "fixed", rows, factor$column)
}

# Of an `among` that is a day: who has the event or leaves on or before it.
never_at_risk_row <- function(models, factor) {
  cohort <- models$cohort
  if (is.null(factor$among) || is.character(cohort[[factor$among]])) return(NULL)
  asked <- cohort[belongs(cohort[[factor$among]]), ]
  never <- entry_day(asked, list(factor)) >= asked$time
  result("table_3", "never_at_risk", paste0(models$endpoint, ":", factor$column), sum(never),
         n = nrow(asked), events = NA)
}


# ---- A dataset -----------------------------------------------------------------------------------

# Survival after transplant and relapse, or where all are transplanted on day 0 relapse and chronic
# GVHD, with which relapse and death compete.
figures_1c_and_1d <- function(patients, rfs, months) {
  relapse <- function(page) incidence_rows(page, rfs, first_event(rfs), months)
  if (!is.null(patients$hsct_day)) {
    survival <- curve_rows("figure_1c", "os_after_hsct", survival_after_hsct(patients), months)
    return(rbind(survival, relapse("figure_1d")))
  }
  other <- pmin(patients$relapse_day, ifelse(patients$died, patients$last_contact_day, NA),
                na.rm = TRUE)
  day <- patients$chronic_gvhd_day
  first <- !is.na(day) & (is.na(other) | day <= other)
  cause <- ifelse(first, "chronic_gvhd", ifelse(is.na(other), "censored", "chronic_gvhd:competing"))
  time <- ifelse(first, day, ifelse(is.na(other), patients$last_contact_day, other))
  cause <- factor(cause, c("censored", "chronic_gvhd", "chronic_gvhd:competing"))
  rbind(relapse("figure_1c"),
        incidence_rows("figure_1d", transform(patients, time = time), cause, months))
}

reference_rows <- function(patients, dataset) {
  os <- overall_survival(patients)
  rfs <- relapse_free_survival(patients)
  drawn <- isTRUE(dataset$randomised)
  models <- list(table_3_models("os", os, dataset$factors, drawn),
                 table_3_models("rfs", rfs, dataset$factors, drawn))
  rbind(
    curve_rows("figure_1a", "os", os, dataset$months),
    curve_rows("figure_1b", "rfs", rfs, dataset$months),
    figures_1c_and_1d(patients, rfs, dataset$months),
    do.call(rbind, lapply(models, table_3_rows)),
    do.call(rbind, lapply(models, table_3_checks))
  )
}


# ---- Known values --------------------------------------------------------------------------------
# Times are in days here, as the sources of these values give them.

known <- function(dataset, source, ...) {
  values <- c(...)
  data.frame(name = names(values), dataset, value = unname(values), source, row.names = NULL)
}

median_days <- function(prefix, fit) {
  days <- quantile(fit, 0.5)
  setNames(c(days$quantile, days$lower, days$upper), paste0(prefix, c("", "_lower", "_upper")))
}

known_bmt <- function(patients) {
  rfs <- relapse_free_survival(patients)
  by_disease <- survfit(Surv(time, event) ~ disease, rfs, conf.type = "log-log")
  medians <- quantile(by_disease, 0.5)$quantile
  groups <- gsub(" ", "_", tolower(sub("disease=", "", rownames(medians))))
  log_rank <- survdiff(Surv(time, event) ~ disease, rfs)
  rbind(
    known("bmt", "survfit by disease", setNames(medians[, 1], paste0("rfs_median_days_", groups))),
    known("bmt", "survdiff by disease", rfs_log_rank_chisq = log_rank$chisq),
    stepwise_of_all("bmt", "os", overall_survival(patients)),
    stepwise_of_all("bmt", "rfs", rfs),
    mean_without_event("bmt", overall_survival(patients))
  )
}

# Without those who died by the horizon: survfit gives a standard error of 0.
mean_without_event <- function(dataset, cohort, horizon = 1461) {
  later <- subset(cohort, !event | time > horizon)
  table <- summary(survfit(Surv(time, event) ~ 1, later), rmean = horizon)$table
  known(dataset, "survfit without those who died by day 1461",
        mean_without_event = table[["rmean"]], mean_without_event_se = table[["se(rmean)"]])
}

# In table_3 of both public datasets every candidate ends in the model. With all factors as candidates,
# whatever their univariate P, most are turned away.
stepwise_of_all <- function(dataset, endpoint, cohort) {
  factors <- DATASETS[[dataset]]$factors
  rows <- start_stop_rows(cohort, factors)
  chosen <- stepwise(rows, sapply(factors, `[[`, "column"))
  hazard_ratios <- exp(coef(cox_fit(rows, chosen)))
  known(dataset, "stepwise selection with all factors as candidates",
        setNames(hazard_ratios, paste0(endpoint, "_stepwise_of_all_hr_", chosen)))
}

known_myeloid <- function(patients) {
  rbind(
    myeloid_counts(patients),
    myeloid_curves(patients),
    myeloid_incidence(relapse_free_survival(patients)),
    myeloid_transplant(overall_survival(patients)),
    myeloid_landmark(patients, 90),
    among_and_before(patients)
  )
}

myeloid_counts <- function(patients) {
  known("myeloid", "counts of patients.csv",
        responses = sum(!is.na(patients$response_day)),
        transplants = sum(!is.na(patients$hsct_day)),
        relapses = sum(!is.na(patients$relapse_day)),
        deaths = sum(patients$died))
}

myeloid_curves <- function(patients) {
  os <- overall_survival(patients)
  rfs <- relapse_free_survival(patients)
  known("myeloid", "survfit with conf.type log-log",
        median_days("os_median_days", kaplan_meier(os$time, os$event)),
        median_days("os_median_followup_days", kaplan_meier(os$time, !os$event)),
        median_days("rfs_median_days", kaplan_meier(rfs$time, rfs$event)))
}

# Relapse with death competing, and what one minus Kaplan-Meier makes of it.
myeloid_incidence <- function(responders) {
  years <- 1:3
  days <- 365.25 * years
  cause <- first_event(responders)
  incidence <- summary(survfit(Surv(responders$time, cause) ~ 1), times = days)
  relapse <- incidence$pstate[, match("relapse", incidence$states)]
  naive <- 1 - summary(kaplan_meier(responders$time, cause == "relapse"), times = days)$surv
  rbind(
    known("myeloid", "survfit of relapse and death competing",
          setNames(relapse, paste0("relapse_incidence_year_", years))),
    known("myeloid", "one minus survfit of relapse with deaths censored",
          setNames(naive, paste0("relapse_one_minus_km_year_", years)))
  )
}

# Response and transplant as if known on day 0 (transplant alone, then both), and as they happen.
myeloid_transplant <- function(os) {
  response <- !is.na(os$response_day)
  hsct <- !is.na(os$hsct_day)
  survival <- Surv(os$time, os$event)
  alone <- exp(coef(coxph(survival ~ hsct, control = CONTROL)))
  fixed <- exp(coef(coxph(survival ~ response + hsct, control = CONTROL)))

  columns <- c("response_day", "hsct_day")
  rows <- start_stop_rows(os, lapply(columns, postbaseline))
  beta <- coef(cox_fit(rows, columns))
  rbind(
    known("myeloid", "coxph with transplant ever as a fixed covariate",
          os_hr_hsct_fixed_alone = alone[[1]]),
    known("myeloid", "coxph with response ever and transplant ever as fixed covariates together",
          os_hr_response_fixed = fixed[[1]],
          os_hr_hsct_fixed = fixed[[2]]),
    known("myeloid", "coxph with response and transplant as time-dependent covariates together",
          os_beta_response_time_dependent = beta[["response_day"]],
          os_beta_hsct_time_dependent = beta[["hsct_day"]],
          os_hr_response_time_dependent = exp(beta[["response_day"]]),
          os_hr_hsct_time_dependent = exp(beta[["hsct_day"]]))
  )
}

# Patients still followed after the landmark, by their response up to it.
myeloid_landmark <- function(patients, day) {
  still <- subset(overall_survival(patients), time > day)
  response <- !is.na(still$response_day) & still$response_day <= day
  fit <- coxph(Surv(still$time - day, still$event) ~ response, control = CONTROL)
  values <- c(nrow(still), exp(coef(fit))[[1]])
  known("myeloid", "coxph of those followed beyond the landmark",
        setNames(values, paste0(c("landmark_n_", "landmark_os_hr_response_"), day, "_days")))
}

# No factor of the two public datasets uses `among` and `before`. These models do: transplant in
# continuous remission, among responders.
among_and_before <- function(patients) {
  factor <- postbaseline("hsct_day", among = "response_day", before = "relapse_day")
  one <- function(endpoint, cohort) {
    rows <- hazard_ratio_rows(endpoint, "univariate", start_stop_rows(cohort, list(factor)),
                              "hsct_day")
    values <- with(rows, c(estimate[1], lower[1], upper[1], estimate[2], n[1], events[1]))
    names <- c("hr", "hr_lower", "hr_upper", "p", "n", "events")
    setNames(values, paste0(endpoint, "_hsct_among_response_before_relapse_", names))
  }
  known("myeloid", "coxph with transplant among response_day and before relapse_day",
        one("os", overall_survival(patients)), one("rfs", relapse_free_survival(patients)))
}


# ---- Defaults ------------------------------------------------------------------------------------
# What R does unless told otherwise, where the book does something else: the methods page shows both.

PLATEAU <- 36 # the landmark from which the pages ask whether a curve is flat

default_rows <- function(name, patients, dataset) {
  os <- overall_survival(patients)
  rfs <- relapse_free_survival(patients)
  value <- function(step, number, values) {
    data.frame(dataset = name, step, number, value = unname(values), row.names = NULL)
  }
  median <- quantile(survfit(Surv(time, event) ~ 1, os), 0.5)
  incidence <- summary(survfit(Surv(rfs$time, first_event(rfs)) ~ 1),
                       times = PLATEAU * DAYS_PER_MONTH, extend = TRUE)
  relapse <- match("relapse", incidence$states)
  rbind(
    value("log S", c("estimate", "lower", "upper"),
          c(median$quantile, median$lower, median$upper) / DAYS_PER_MONTH),
    value("log F", c("estimate", "lower", "upper"),
          c(incidence$pstate[relapse], incidence$lower[relapse], incidence$upper[relapse])),
    aic_rows(value, "os", os, dataset$factors, isTRUE(dataset$randomised)),
    aic_rows(value, "rfs", rfs, dataset$factors, isTRUE(dataset$randomised))
  )
}

# What step() leaves of all candidates, and the final model of the paper's rule in everybody who is
# complete in its own factors.
aic_rows <- function(value, endpoint, cohort, factors, randomised) {
  models <- table_3_models(endpoint, cohort, factors, randomised)
  if (!length(models$candidates)) return(NULL)
  # step() looks its data up by name, from where the formula was made.
  rows <- models$together
  formula <- reformulate(models$candidates, "Surv(start, stop, event)")
  fit <- do.call(coxph, list(formula, rows, ties = "efron", control = CONTROL))
  kept <- names(coef(step(fit, trace = 0)))
  keys <- paste0(endpoint, ":", models$candidates)
  found <- value("AIC", keys, as.numeric(models$candidates %in% kept))
  if (!length(models$chosen)) return(found)
  own <- start_stop_rows(cohort, models$factors[models$chosen])
  ratios <- exp(coef(cox_fit(own, models$chosen)))
  rbind(found, value("own complete patients", paste0(endpoint, ":", models$chosen), ratios))
}


# ---- Write ---------------------------------------------------------------------------------------

for (name in names(DATASETS)) {
  CARRY <- if (name == "blinatumomab") 1 else 0 # as its datapackage.json says
  write_table(reference_rows(read_patients(name), DATASETS[[name]]),
              file.path(HERE, paste0(name, ".csv")))
}
write_table(rbind(known_bmt(read_patients("bmt")), known_myeloid(read_patients("myeloid"))),
            file.path(HERE, "known.csv"))
defaults <- lapply(names(DATASETS), function(name) {
  default_rows(name, read_patients(name), DATASETS[[name]])
})
write_table(do.call(rbind, defaults), file.path(HERE, "defaults.csv"))
version <- function(package) paste(package, packageDescription(package)$Version)
writeLines(c(R.version.string, version("survival"), version("cmprsk")),
           file.path(HERE, "versions.txt"))
