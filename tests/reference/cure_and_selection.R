# Reference values for what the lessons estimate, computed in R: cured shares, follow-up, ridge
# regression and calibration slopes.
#
# Run by hand from the root of the project:  Rscript tests/reference/cure_and_selection.R
# It writes cure_and_selection.csv beside itself. It needs nothing but survival: the cure model's likelihood is
# written out below. Times are in the dataset's own unit; days for the shipped datasets.

source(file.path("tests", "reference", "common.R"))

value <- function(dataset, estimator, case, quantity, value) {
  data.frame(dataset, estimator, case, quantity, value, row.names = NULL)
}

values_of <- function(dataset, estimator, case, values) {
  value(dataset, estimator, case, names(values), unname(values))
}


# ---- The data ------------------------------------------------------------------------------------

shipped_endpoints <- function(name) {
  patients <- read_patients(name)
  rfs <- relapse_free_survival(patients)
  found <- list(
    os = with(patients, list(time = last_contact_day, event = died)),
    rfs = with(rfs, list(time = time, event = event))
  )
  if (is.null(patients$hsct_day)) return(found)
  transplanted <- subset(patients, !is.na(hsct_day) & !is.na(response_day) &
                           response_day <= hsct_day &
                           (is.na(relapse_day) | hsct_day < relapse_day))
  survived <- list(time = transplanted$last_contact_day - transplanted$hsct_day,
                   event = transplanted$died)
  c(found, list(os_after_hsct = survived))
}

# `gone` has no plateau: everybody has the event. `zero` has events on day 0.
ENDPOINTS <- c(
  lapply(setNames(nm = names(LANDMARKS)), shipped_endpoints),
  list(
    rotterdam = with(rotterdam, list(death = list(time = dtime, event = death == 1),
                                     recurrence = list(time = rtime, event = recur == 1))),
    gone = list(any = list(time = c(1, 2, 3, 4, 6, 9), event = rep(TRUE, 6))),
    zero = list(any = list(time = c(0, 0, 3, 4, 6, 9, 30, 30, 30, 30),
                           event = c(TRUE, TRUE, TRUE, TRUE, TRUE, TRUE, FALSE, FALSE, FALSE,
                                     FALSE)))
  )
)


# ---- Weibull mixture cure model ------------------------------------------------------------------
# S(t) = p + (1 - p) exp(-(t / scale)^shape), with p = plogis(a), shape = exp(b), scale = exp(c).
# R derives each patient's term by itself, so that gradient and Hessian are exact.

PARAMETERS <- c("a", "b", "c")
OF_EVENT <- deriv3(~ -log(1 + exp(a)) + b + exp(b) * (log(t) - c) - log(t) -
                     exp(exp(b) * (log(t) - c)), PARAMETERS, c("t", PARAMETERS))
OF_CENSORED <- deriv3(~ log((exp(a) + exp(-exp(exp(b) * (log(t) - c)))) / (1 + exp(a))),
                      PARAMETERS, c("t", PARAMETERS))

cure_likelihood <- function(place, time, event) {
  terms <- list(OF_EVENT(time[event], place[1], place[2], place[3]))
  if (any(!event)) {
    terms <- c(terms, list(OF_CENSORED(time[!event], place[1], place[2], place[3])))
  }
  list(
    value = sum(unlist(lapply(terms, as.numeric))),
    gradient = Reduce(`+`, lapply(terms, function(x) colSums(attr(x, "gradient")))),
    hessian = Reduce(`+`, lapply(terms, function(x) apply(attr(x, "hessian"), 2:3, sum)))
  )
}

# optim from a grid of starts, then Newton's method from the best end.
fit_cure <- function(time, event) {
  stopifnot(event[time == 0]) # who leaves on day 0 would have to be left out
  time[time == 0] <- min(time[time > 0]) / 2
  starts <- expand.grid(a = qlogis(c(0.1, 0.3, 0.6)), b = log(c(0.6, 1, 2)),
                        c = log(quantile(time[event], c(0.3, 0.8))))
  ends <- apply(starts, 1, function(start) {
    optim(start, function(x) -cure_likelihood(x, time, event)$value,
          function(x) -cure_likelihood(x, time, event)$gradient,
          method = "BFGS", control = list(reltol = 1e-14, maxit = 1000))
  })
  best <- ends[[which.min(sapply(ends, `[[`, "value"))]]
  place <- best$par
  for (i in 1:5) {
    at <- cure_likelihood(place, time, event)
    place <- place - solve(at$hessian, at$gradient)
  }
  at <- cure_likelihood(place, time, event)
  stopifnot(abs(at$value + best$value) < 1e-6, abs(at$gradient) < 1e-7,
            eigen(at$hessian)$values < 0)
  se <- sqrt(solve(-at$hessian)[1, 1])
  c(cured = plogis(place[[1]]), lower = plogis(place[[1]] - Z * se),
    upper = plogis(place[[1]] + Z * se), shape = exp(place[[2]]), scale = exp(place[[3]]),
    log_likelihood = at$value)
}

# Without cured patients, by survreg.
fit_weibull <- function(time, event) {
  fit <- survreg(Surv(time, event) ~ 1, control = survreg.control(rel.tolerance = 1e-14))
  c(cured = 0, lower = NA, upper = NA, shape = 1 / fit$scale, scale = exp(coef(fit)[[1]]),
    log_likelihood = fit$loglik[[2]])
}

survival_of <- function(fit, times) {
  fit[["cured"]] + (1 - fit[["cured"]]) * pweibull(times, fit[["shape"]], fit[["scale"]],
                                                   lower.tail = FALSE)
}

# The window is as long as the plateau; the ratio is of the uncured at the largest time.
follow_up_values <- function(time, event, fit) {
  last <- max(time)
  last_event <- max(time[event])
  late <- if (last > last_event) sum(event & time > last_event - (last - last_event)) else NA
  uncured <- pweibull(last, fit[["shape"]], fit[["scale"]], lower.tail = FALSE)
  c(last = last, last_event = last_event, events_late = late, share = late / length(time),
    uncured_ratio = if (fit[["cured"]] > 0) uncured / survival_of(fit, last) else NA)
}

cure_rows <- function(dataset, case, time, event) {
  fit <- if (dataset == "gone") fit_weibull(time, event) else fit_cure(time, event)
  halfway <- max(time) / 2
  rbind(
    values_of(dataset, "mixture_cure", case, c(fit, halfway = survival_of(fit, halfway))),
    values_of(dataset, "follow_up", case, follow_up_values(time, event, fit))
  )
}

all_cures <- function() {
  do.call(rbind, unlist(lapply(names(ENDPOINTS), function(dataset) {
    lapply(names(ENDPOINTS[[dataset]]), function(case) {
      with(ENDPOINTS[[dataset]][[case]], cure_rows(dataset, case, time, event))
    })
  }), recursive = FALSE))
}


# ---- Ridge regression and calibration ------------------------------------------------------------
# `id` is a patient, whose rows belong together.

from_the_start <- function(id, time, event, ...) {
  data.frame(id, start = -1, stop = time, event = event, ...)
}

MODELS <- list(
  heart = transform(heart[c("id", "start", "stop", "event", "age", "surgery")],
                    transplant = as.numeric(heart$transplant == "1")),
  gbsg = with(gbsg, from_the_start(pid, rfstime, status, hormon, age, nodes, pgr))
)
COLUMNS <- list(heart = c("transplant", "age", "surgery"),
                gbsg = c("hormon", "age", "nodes", "pgr"))

# scale = TRUE: the penalty is theta / 2 times the sum of var(x) beta^2, over the rows.
ridge_fit <- function(rows, columns, theta) {
  ridged <- sprintf("ridge(%s, theta = %g, scale = TRUE)", paste(columns, collapse = ", "), theta)
  coxph(as.formula(paste("Surv(start, stop, event) ~", ridged)), rows, ties = "efron",
        control = coxph.control(eps = 1e-13, iter.max = 100, toler.chol = 1e-15))
}

# The log partial likelihood of given coefficients, which are not moved.
log_likelihood_at <- function(rows, columns, beta) {
  cox(rows, columns, init = beta, control = coxph.control(iter.max = 0))$loglik[2]
}

# Patients in the order of their first row go to the folds 0, 1, 2, 0, 1, ...
cross_validated <- function(rows, columns, theta, folds = 3) {
  fold <- (match(rows$id, unique(rows$id)) - 1) %% folds
  sum(sapply(seq_len(folds) - 1, function(out) {
    others <- rows[fold != out, ]
    beta <- coef(ridge_fit(others, columns, theta))
    log_likelihood_at(rows, columns, beta) - log_likelihood_at(others, columns, beta)
  }))
}

ridge_rows <- function(dataset, theta) {
  rows <- MODELS[[dataset]]
  columns <- COLUMNS[[dataset]]
  fit <- ridge_fit(rows, columns, theta)
  values <- c(
    setNames(coef(fit), paste0("beta:", columns)),
    setNames(sqrt(diag(vcov(fit))), paste0("se:", columns)),
    log_likelihood = log_likelihood_at(rows, columns, coef(fit)),
    degrees_of_freedom = unname(fit$df),
    cross_validated = cross_validated(rows, columns, theta)
  )
  values_of(dataset, "ridge", format(theta), values)
}

# A model of the patients drawn (the i-th draw takes patient 7 i / 2, counted round), each with all
# of their rows, on the data they were drawn from: the slope of its linear predictor there.
calibration_row <- function(dataset, columns) {
  rows <- MODELS[[dataset]]
  patients <- unique(rows$id)
  drawn <- patients[(7 * seq_along(patients)) %/% 2 %% length(patients) + 1]
  resample <- do.call(rbind, lapply(drawn, function(id) rows[rows$id == id, ]))
  beta <- coef(cox_fit(resample, columns))
  rows$predictor <- as.matrix(rows[columns]) %*% beta
  slope <- coef(cox_fit(rows, "predictor"))
  values_of(dataset, "calibration", paste(columns, collapse = " + "), c(slope = slope[[1]]))
}

all_models <- function() {
  rbind(
    ridge_rows("heart", 0.5), ridge_rows("heart", 20), ridge_rows("heart", 300),
    ridge_rows("gbsg", 1), ridge_rows("gbsg", 100),
    calibration_row("heart", c("transplant", "age")), calibration_row("heart", COLUMNS$heart),
    calibration_row("gbsg", COLUMNS$gbsg)
  )
}


# ---- Write ---------------------------------------------------------------------------------------

write_table(rbind(all_cures(), all_models()), file.path(HERE, "cure_and_selection.csv"))
