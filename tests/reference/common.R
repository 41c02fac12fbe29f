# What the scripts beside it share. Each sources it, from the project's root.

suppressPackageStartupMessages({
  library(survival)
  library(cmprsk)
})

HERE <- file.path("tests", "reference")
DAYS_PER_MONTH <- 30.4375
Z <- qnorm(0.975)
# Tighter than R's default (1e-9), so that the reference is exact to more digits than a test asks.
CONTROL <- coxph.control(eps = 1e-11, iter.max = 50)
# The months of the shipped datasets at which their pages give survival and incidence.
LANDMARKS <- list(
  blinatumomab = c(24, 36, 48, 60),
  bmt = c(12, 24, 36, 48, 60),
  myeloid = c(12, 24, 36, 48, 60)
)


# ---- Tables --------------------------------------------------------------------------------------

# 17 significant digits carry a double without loss. Blank is "none" (a limit not reached, say).
digits17 <- function(values) ifelse(is.na(values), "", sprintf("%.17g", values))

write_table <- function(table, path) {
  numbers <- sapply(table, is.numeric)
  table[numbers] <- lapply(table[numbers], digits17)
  write.csv(table, path, row.names = FALSE, quote = FALSE, eol = "\n", fileEncoding = "UTF-8")
}


# ---- Small cases -----------------------------------------------------------------------------------

# The start-stop rows of data/ties.csv, those of a case with times that rounding parts as one. survfit
# and coxph do so themselves; cmprsk does not, and a row must not end a rounding before it starts.
small_cases <- function() {
  cases <- read.csv(file.path(HERE, "data", "ties.csv"))
  of_case <- function(rows) {
    start <- ifelse(is.na(rows$start), -1, rows$start)
    same <- survival:::aeqSurv(Surv(start, rows$stop, rows$event > 0))
    transform(rows, start = ifelse(is.na(rows$start), NA, same[, 1]), stop = same[, 2])
  }
  do.call(rbind, lapply(split(cases, factor(cases$case, unique(cases$case))), of_case))
}


# ---- The shipped datasets ------------------------------------------------------------------------

read_patients <- function(name) {
  path <- file.path("data", name, "patients.csv")
  patients <- read.csv(path, na.strings = "", stringsAsFactors = FALSE)
  patients$died <- patients$died == "yes"
  patients
}

overall_survival <- function(patients) {
  transform(patients, origin = 0, time = last_contact_day, event = died)
}

# Relapse-free survival counts from the response, where a dataset has one, else from day 0. It is
# censored at the last disease assessment, where a dataset has one, else at the last contact.
relapse_free_survival <- function(patients) {
  if (is.null(patients$response_day)) patients$response_day <- 0
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

# The first event after the response: relapse, death without relapse, or none ("censored").
first_event <- function(responders) {
  cause <- ifelse(!is.na(responders$relapse_day), "relapse",
                  ifelse(responders$died, "death", "censored"))
  factor(cause, levels = c("censored", "relapse", "death"))
}


# ---- Their factors -------------------------------------------------------------------------------
# The factors and months are written down again here, on purpose: the tests then also notice a change
# of datapackage.json that moves a number.

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
    months = LANDMARKS$blinatumomab,
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
    months = LANDMARKS$bmt,
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
    months = LANDMARKS$myeloid,
    randomised = TRUE,
    factors = list(
      sides("arm", "Arm B", "Arm A"),
      sides("sex", "male", "female"),
      sides("flt3", "FLT3 C", c("FLT3 A", "FLT3 B")),
      postbaseline("response_day", endpoints = "os"),
      postbaseline("hsct_day")
    )
  )
)

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

# The day on the endpoint's clock after which a patient is at risk in a model of the factors: the
# latest `among` that is a day. -1, from the start, where none comes after the clock's start.
entry_day <- function(cohort, factors) {
  entry <- rep(-1, nrow(cohort))
  for (column in unique(unlist(lapply(factors, `[[`, "among")))) {
    if (is.character(cohort[[column]])) next
    day <- cohort[[column]] - cohort$origin
    entry <- pmax(entry, ifelse(is.na(day) | day <= 0, -1, day))
  }
  entry
}

# Start-stop rows of the patients complete in all the factors. Intervals are (start, stop], so an
# event on the very day of a switch still meets the old value. The first row starts at -1 (see
# "Cox models" below), or at the day of entry. A switch on day 0 or before, or before the entry, is
# there from the first row on.
start_stop_rows <- function(cohort, factors) {
  values <- factor_table(cohort, factors)
  entry <- entry_day(cohort, factors)
  complete <- complete.cases(values) & entry < cohort$time
  cohort <- cohort[complete, ]
  values <- values[complete, , drop = FALSE]
  entry <- entry[complete]
  switching <- sapply(factors, `[[`, "kind") == "postbaseline"

  rows_of <- function(i) {
    days <- unlist(values[i, switching])
    start <- c(entry[i], sort(unique(days[days > pmax(entry[i], 0) & days < cohort$time[i]])))
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


# ---- Curves --------------------------------------------------------------------------------------

kaplan_meier <- function(time, event) survfit(Surv(time, event) ~ 1, conf.type = "log-log")

# Survival, its limits and the number at risk, carried forward past the follow-up. There are no
# limits where the curve is 0 or 1; summary() fills in 1 before the first time of all, where survfit
# has no row.
curve_at <- function(fit, days) {
  at <- summary(fit, times = days, extend = TRUE)
  inside <- function(limit) ifelse(at$surv == 1, NA, limit)
  data.frame(survival = at$surv, lower = inside(at$lower), upper = inside(at$upper),
             at_risk = at$n.risk)
}

competing <- function(time, cause) survfit(Surv(time, cause) ~ 1, conf.type = "log-log")

# cmprsk is a second opinion on the incidence of each cause. It gives NA beyond the follow-up;
# survfit carries the last value forward.
agrees_with_cmprsk <- function(time, cause, at) {
  second <- timepoints(cuminc(time, as.character(cause), cencode = levels(cause)[1]), at$time)$est
  for (state in intersect(levels(cause)[-1], cause)) {
    theirs <- second[paste("1", state), ]
    ours <- at$pstate[, match(state, at$states)]
    compared <- !is.na(theirs)
    stopifnot(any(compared), abs(theirs - ours)[compared] < 1e-12)
  }
}

# Aalen's variance of the incidence of each cause, a row a cause: cmprsk's. It is NA beyond the
# follow-up.
aalen_variance <- function(time, cause, times) {
  fit <- cuminc(time, as.character(cause), cencode = levels(cause)[1])
  timepoints(fit, times)$var[paste("1", levels(cause)[-1]), , drop = FALSE]
}

# Events per time lived after `after`, with exact Poisson limits; none where nobody lives on.
event_rate <- function(time, event, after) {
  events <- sum(event & time > after)
  lived <- sum(pmax(time - after, 0))
  limits <- if (lived > 0) poisson.test(events, lived)$conf.int else c(NA, NA)
  list(events = events, lived = lived, n = sum(time > after),
       rate = if (lived > 0) events / lived else NA, lower = limits[1], upper = limits[2])
}


# ---- Cox models ----------------------------------------------------------------------------------
# `rows` are start-stop rows. Their intervals are (start, stop]; the first starts at -1, because R
# would drop a row from 0 to 0 and with it an event on day 0.

cox <- function(rows, columns, ..., ties = "efron") {
  coxph(reformulate(columns, "Surv(start, stop, event)"), rows, ties = ties, ...)
}

cox_fit <- function(rows, columns, ties = "efron") {
  cox(rows, columns, control = CONTROL, ties = ties)
}

# The fit, or NULL where the likelihood has no peak: R warns of a coefficient that may be infinite
# or that it has not found, or leaves it out as NA. (A column that does not vary does not get so
# far: on a single row R stops with an error.) What R says of one factor is checked by counting.
estimable_fit <- function(rows, columns, ties = "efron") {
  fit <- NULL
  if (all(sapply(rows[columns], function(x) length(unique(x)) > 1))) {
    doubts <- character(0)
    fit <- withCallingHandlers(cox_fit(rows, columns, ties), warning = function(doubt) {
      doubts <<- c(doubts, conditionMessage(doubt))
      invokeRestart("muffleWarning")
    })
    stopifnot(grepl("may be infinite|did not converge", doubts))
    if (length(doubts) || anyNA(coef(fit))) fit <- NULL
  }
  if (length(columns) == 1) stopifnot(is.null(fit) == separates(rows, columns))
  fit
}

# Whether each event comes to the highest value at risk, or each to the lowest: then the likelihood
# climbs for ever. So it does, flat, where no risk set with an event holds two values.
separates <- function(rows, column) {
  x <- rows[[column]]
  event <- rows$event > 0
  spread <- sapply(rows$stop[event], function(day) range(x[rows$start < day & rows$stop >= day]))
  !any(event) || all(x[event] == spread[1, ]) || all(x[event] == spread[2, ])
}

wald_p <- function(fit) {
  z <- coef(fit) / sqrt(diag(vcov(fit)))
  2 * pnorm(-abs(z))
}

# P of the score test for one more factor, the others held at their estimates. With the new
# coefficient at 0 and no iteration, R's score statistic is just that: the old ones add nothing.
entry_p <- function(rows, model, column) {
  start <- if (length(model)) coef(cox_fit(rows, model)) else numeric(0)
  at_start <- cox(rows, c(model, column), init = c(start, 0),
                  control = coxph.control(iter.max = 0))
  pchisq(at_start$score, df = 1, lower.tail = FALSE)
}

# Grambsch and Therneau's test of proportional hazards: a row for each factor and one for all
# (GLOBAL). The scale of time is one minus Kaplan-Meier just before each event.
proportionality <- function(fit) cox.zph(fit, transform = "km", terms = FALSE)$table
