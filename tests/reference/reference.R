# Reference values for the tests, computed in R from the two public datasets and the synthetic cohort.
#
# Run by hand from the root of the project:  Rscript tests/reference/reference.R
# It reads data/NAME/patients.csv and writes, beside itself,
#   NAME.csv      the results of each page, with the keys that the book's own results have,
#   known.csv     values that readers of the public datasets know, and variations that no page shows,
#   versions.txt  the versions that computed them.
# The factors and months of the datasets are written down again here, on purpose: the tests then
# also notice a change of datapackage.json that moves a number.
#
# n is the number at risk for `survival`, else the patients in the calculation (for the three
# `followup_` rows: the censored). events are those up to `months`, or all where it is blank; for
# `median_followup`, whose curve runs to the end of follow-up, they are the censored.

suppressPackageStartupMessages({
  library(survival)
  library(cmprsk)
})

DAYS_PER_MONTH <- 30.4375
Z <- qnorm(0.975)
# Tighter than R's default (1e-9), so that the reference is exact to more digits than a test asks.
CONTROL <- coxph.control(eps = 1e-11, iter.max = 50)


# ---- The datasets --------------------------------------------------------------------------------

continuous <- function(column) list(column = column, kind = "continuous")

sides <- function(column, numerator, denominator) {
  list(column = column, kind = "sides", numerator = numerator, denominator = denominator)
}

postbaseline <- function(column, endpoints = c("os", "rfs"), among = NULL, before = NULL) {
  list(column = column, kind = "postbaseline", endpoints = endpoints,
       among = among, before = before)
}

DATASETS <- list(
  blinatumomab = list(
    months = c(24, 36, 48, 60),
    factors = list(
      continuous("age"),
      sides("sex", "Male", "Female"),
      sides("race", "White",
            c("Asian", "Black (or African American)", "American Indian or Alaska Native",
              "Native Hawaiian or other Pacific Islander", "Other")),
      sides("prior_hsct", "yes", "no"),
      sides("primary_refractory", "yes", "no"),
      sides("salvage_line", "1st", "2nd+"),
      continuous("bone_marrow_blasts"),
      sides("t_4_11", "yes", "no"),
      sides("ecog", "0", c("1", "2")),
      postbaseline("response_day", endpoints = "os"),
      postbaseline("mrd_response_day", among = "mrd_evaluable"),
      postbaseline("hsct_day", among = "response_day", before = "relapse_day")
    )
  ),
  bmt = list(
    months = c(12, 24, 36, 48, 60),
    factors = list(
      continuous("patient_age"),
      continuous("donor_age"),
      sides("patient_sex", "male", "female"),
      sides("donor_sex", "male", "female"),
      sides("patient_cmv", "yes", "no"),
      sides("donor_cmv", "yes", "no"),
      sides("disease", "AML low risk", c("ALL", "AML high risk")),
      sides("fab", "yes", "no"),
      continuous("waiting_days"),
      sides("mtx", "yes", "no"),
      postbaseline("platelet_recovery_day"),
      postbaseline("acute_gvhd_day"),
      postbaseline("chronic_gvhd_day")
    )
  ),
  myeloid = list(
    months = c(12, 24, 36, 48, 60),
    factors = list(
      sides("arm", "B", "A"),
      sides("sex", "male", "female"),
      sides("flt3", "C", c("A", "B")),
      postbaseline("response_day", endpoints = "os"),
      postbaseline("hsct_day")
    )
  )
)

read_patients <- function(name) {
  path <- file.path("data", name, "patients.csv")
  patients <- read.csv(path, na.strings = "", stringsAsFactors = FALSE)
  patients$died <- patients$died == "yes"
  patients
}


# ---- The endpoints -------------------------------------------------------------------------------
# Each gives the patients with the day their clock starts (origin), the days on the clock (time) and
# whether the event came (event). Relapse-free survival is censored at the last disease assessment,
# where a dataset has one, else at the last contact.

overall_survival <- function(patients) {
  transform(patients, origin = 0, time = last_contact_day, event = died)
}

relapse_free_survival <- function(patients) {
  responders <- subset(patients, !is.na(response_day))
  relapsed <- !is.na(responders$relapse_day)
  end <- ifelse(relapsed, responders$relapse_day, responders$last_contact_day)
  assessed <- responders$last_assessment_day
  if (!is.null(assessed)) {
    early <- !relapsed & !responders$died & !is.na(assessed)
    end[early] <- assessed[early]
  }
  transform(responders, origin = response_day, time = end - response_day, event = relapsed | died)
}

survival_after_hsct <- function(patients) {
  in_remission <- with(patients, !is.na(hsct_day) & !is.na(response_day) &
                         response_day <= hsct_day & (is.na(relapse_day) | hsct_day < relapse_day))
  transform(patients[in_remission, ],
            origin = hsct_day, time = last_contact_day - hsct_day, event = died)
}

# The first event after the response: relapse, death without relapse, or none ("censored").
first_event <- function(responders) {
  cause <- ifelse(!is.na(responders$relapse_day), "relapse",
                  ifelse(responders$died, "death", "censored"))
  factor(cause, levels = c("censored", "relapse", "death"))
}


# ---- Rows of results -----------------------------------------------------------------------------

result <- function(page, quantity, group, estimate, lower = NA, upper = NA, n, events,
                   months = NA) {
  data.frame(page, quantity, group, months, estimate, lower, upper, n, events, row.names = NULL)
}

# 17 significant digits carry a double without loss. Blank is "none" (a limit not reached, say).
digits17 <- function(values) ifelse(is.na(values), "", sprintf("%.17g", values))

write_table <- function(table, path) {
  numbers <- sapply(table, is.numeric)
  table[numbers] <- lapply(table[numbers], digits17)
  write.csv(table, path, row.names = FALSE, quote = FALSE, eol = "\n", fileEncoding = "UTF-8")
}


# ---- Figures 1A, 1B and 1C: one survival curve each ----------------------------------------------

kaplan_meier <- function(time, event) survfit(Surv(time, event) ~ 1, conf.type = "log-log")

median_row <- function(page, quantity, group, fit, n, events) {
  days <- quantile(fit, 0.5)
  result(page, quantity, group, days$quantile / DAYS_PER_MONTH, days$lower / DAYS_PER_MONTH,
         days$upper / DAYS_PER_MONTH, n, events)
}

survival_rows <- function(page, group, cohort, fit, months) {
  at <- summary(fit, times = months * DAYS_PER_MONTH, extend = TRUE)
  at_risk <- sapply(at$time, function(day) sum(cohort$time >= day))
  stopifnot(at_risk == at$n.risk)
  result(page, "survival", group, at$surv, at$lower, at$upper, at_risk,
         events_until(cohort$time, cohort$event, at$time), months)
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
    result(page, "rmst", group, mean, mean - margin, mean + margin, nrow(cohort),
           events_until(cohort$time, cohort$event, month * DAYS_PER_MONTH), month)
  }
  do.call(rbind, lapply(months, one))
}

curve_rows <- function(page, group, cohort, months) {
  fit <- kaplan_meier(cohort$time, cohort$event)
  rbind(
    median_row(page, "median", group, fit, nrow(cohort), sum(cohort$event)),
    survival_rows(page, group, cohort, fit, months),
    followup_rows(page, group, cohort),
    restricted_mean_rows(page, group, cohort, fit, months)
  )
}


# ---- Figure 1D: relapse and death without relapse, competing -------------------------------------

# The variance is survfit's: the infinitesimal jackknife (the sum over patients of the squared
# influence on the estimate). Without weights it equals Greenwood's form for the Aalen-Johansen
# estimate, in which the relapses and deaths of a day are multinomial among those at risk. cmprsk
# uses another formula (Aalen's), larger or smaller by a few parts in a thousand, so its variances
# are not compared. The limits of a proportion p are p^exp(-+ 1.96 SE / (p log p)).
incidence_rows <- function(responders, months) {
  cause <- first_event(responders)
  fit <- survfit(Surv(responders$time, cause) ~ 1, conf.type = "log-log")
  at <- summary(fit, times = months * DAYS_PER_MONTH, extend = TRUE)
  agrees_with_cmprsk(responders$time, cause, at)
  one <- function(state) {
    column <- match(state, fit$states)
    result("figure_1d", "cumulative_incidence", state, at$pstate[, column], at$lower[, column],
           at$upper[, column], nrow(responders),
           events_until(responders$time, cause == state, at$time), months)
  }
  rbind(one("relapse"), one("death"))
}

# cmprsk is a second opinion on the estimates. It gives NA beyond the follow-up; survfit carries the
# last value forward.
agrees_with_cmprsk <- function(time, cause, at) {
  second <- timepoints(cuminc(time, as.character(cause), cencode = "censored"), at$time)$est
  for (state in c("relapse", "death")) {
    theirs <- second[paste("1", state), ]
    ours <- at$pstate[, match(state, at$states)]
    compared <- !is.na(theirs)
    stopifnot(any(compared), abs(theirs - ours)[compared] < 1e-12)
  }
}


# ---- Table 3: Cox models -------------------------------------------------------------------------

# A baseline factor as a number for each patient; NA leaves the patient out of its models.
baseline_value <- function(cohort, factor) {
  value <- cohort[[factor$column]]
  if (factor$kind == "continuous") return(value)
  ifelse(value %in% factor$numerator, 1, ifelse(value %in% factor$denominator, 0, NA))
}

# The day on the endpoint's clock from which a postbaseline factor is 1; Inf where it never is, NA
# where the patient is not among those the factor is studied in.
switch_day <- function(cohort, factor) {
  day <- cohort[[factor$column]]
  if (!is.null(factor$before)) {
    other <- cohort[[factor$before]]
    day[!is.na(other) & !is.na(day) & day >= other] <- NA
  }
  switch <- ifelse(is.na(day), Inf, day - cohort$origin)
  if (!is.null(factor$among)) switch[!belongs(cohort[[factor$among]])] <- NA
  switch
}

# A yes/no column says yes; a day column is not blank.
belongs <- function(column) if (is.character(column)) column %in% "yes" else !is.na(column)

# One column for each factor: the value of a baseline factor, the day of a postbaseline one.
factor_table <- function(cohort, factors) {
  columns <- lapply(factors, function(factor) {
    value_of <- if (factor$kind == "postbaseline") switch_day else baseline_value
    value_of(cohort, factor)
  })
  setNames(as.data.frame(columns), sapply(factors, `[[`, "column"))
}

# Start-stop rows of the patients complete in all the factors. Intervals are (start, stop], so an
# event on the very day of a switch still meets the old value. The first row starts at -1, because R
# would drop a row from 0 to 0 and with it an event on day 0. A switch on day 0 or before is there
# from the first row on.
start_stop_rows <- function(cohort, factors) {
  values <- factor_table(cohort, factors)
  complete <- complete.cases(values)
  cohort <- cohort[complete, ]
  values <- values[complete, , drop = FALSE]
  switching <- sapply(factors, `[[`, "kind") == "postbaseline"

  rows_of <- function(i) {
    days <- unlist(values[i, switching])
    start <- c(-1, sort(unique(days[days > 0 & days < cohort$time[i]])))
    stop <- c(start[-1], cohort$time[i])
    rows <- data.frame(patient_id = cohort$patient_id[i], start, stop,
                       event = cohort$event[i] & stop == cohort$time[i])
    for (column in names(values)) rows[[column]] <- values[i, column]
    for (column in names(values)[switching]) {
      rows[[column]] <- as.numeric(values[i, column] <= pmax(start, 0))
    }
    rows
  }
  do.call(rbind, lapply(seq_len(nrow(cohort)), rows_of))
}

cox <- function(rows, columns, ...) {
  coxph(reformulate(columns, "Surv(start, stop, event)"), rows, ties = "efron", ...)
}

cox_fit <- function(rows, columns) cox(rows, columns, control = CONTROL)

wald_p <- function(fit) {
  z <- coef(fit) / sqrt(diag(vcov(fit)))
  2 * pnorm(-abs(z))
}

hazard_ratio_rows <- function(endpoint, kind, rows, columns) {
  fit <- cox_fit(rows, columns)
  error <- sqrt(diag(vcov(fit)))
  group <- paste0(endpoint, ":", columns)
  n <- length(unique(rows$patient_id))
  rbind(
    result("table_3", paste0("hazard_ratio_", kind), group, exp(coef(fit)),
           exp(coef(fit) - Z * error), exp(coef(fit) + Z * error), n, sum(rows$event)),
    result("table_3", paste0("p_", kind), group, wald_p(fit), n = n, events = sum(rows$event))
  )
}

# P of the score test for one more factor, the others held at their estimates. With the new
# coefficient at 0 and no iteration, R's score statistic is just that: the old ones add nothing.
entry_p <- function(rows, model, column) {
  start <- if (length(model)) coef(cox_fit(rows, model)) else numeric(0)
  at_start <- cox(rows, c(model, column), init = c(start, 0),
                  control = coxph.control(iter.max = 0))
  pchisq(at_start$score, df = 1, lower.tail = FALSE)
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

table_3_rows <- function(endpoint, cohort, factors) {
  applies <- sapply(factors, function(f) is.null(f$endpoints) || endpoint %in% f$endpoints)
  factors <- factors[applies]
  names(factors) <- sapply(factors, `[[`, "column")
  univariate <- do.call(rbind, lapply(factors, function(factor) {
    hazard_ratio_rows(endpoint, "univariate", start_stop_rows(cohort, list(factor)), factor$column)
  }))

  p <- univariate[univariate$quantity == "p_univariate", ]
  candidates <- sub("^[^:]*:", "", p$group[p$estimate < 0.05])
  if (!length(candidates)) return(univariate)
  rows <- start_stop_rows(cohort, factors[candidates])
  chosen <- stepwise(rows, candidates)
  if (!length(chosen)) return(univariate)
  # In the order of the dataset's factors, whichever entered first.
  chosen <- intersect(names(factors), chosen)
  rbind(univariate, hazard_ratio_rows(endpoint, "multivariate", rows, chosen))
}


# ---- A dataset -----------------------------------------------------------------------------------

reference_rows <- function(patients, dataset) {
  os <- overall_survival(patients)
  rfs <- relapse_free_survival(patients)
  rbind(
    curve_rows("figure_1a", "os", os, dataset$months),
    curve_rows("figure_1b", "rfs", rfs, dataset$months),
    curve_rows("figure_1c", "os_after_hsct", survival_after_hsct(patients), dataset$months),
    incidence_rows(rfs, dataset$months),
    table_3_rows("os", os, dataset$factors),
    table_3_rows("rfs", rfs, dataset$factors)
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
    stepwise_of_all("bmt", "rfs", rfs)
  )
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


# ---- Write ---------------------------------------------------------------------------------------

here <- file.path("tests", "reference")
for (name in names(DATASETS)) {
  write_table(reference_rows(read_patients(name), DATASETS[[name]]),
              file.path(here, paste0(name, ".csv")))
}
write_table(rbind(known_bmt(read_patients("bmt")), known_myeloid(read_patients("myeloid"))),
            file.path(here, "known.csv"))
version <- function(package) paste(package, packageDescription(package)$Version)
writeLines(c(R.version.string, version("survival"), version("cmprsk")),
           file.path(here, "versions.txt"))
