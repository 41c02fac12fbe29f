# Reference values for left truncation and for comparisons of any number of groups, computed in R.
#
# Run by hand from the root of the project:  Rscript tests/reference/groups.R   (also with KMsurv)
# It writes, beside itself,
#   models.csv          what a page says of models, of colon and of the source of myeloid,
#   data/channing.csv   of KMsurv, data/colon.csv of survival (deaths), the columns used,
#   groups.csv          the estimators on them, on the sources of bmt and myeloid, and on the small
#                       cases of data/groups.csv, which is made by hand.
# A sample has a row a patient: entry (-1 for "from the start"), time, event (0, 1, 2), group,
# stratum, x. tests/test_groups.py makes the same ones. Whole time in each sample's own unit.

source(file.path("tests", "reference", "common.R"))
library(KMsurv, warn.conflicts = FALSE)
data(channing)


# ---- The samples ---------------------------------------------------------------------------------

CHANNING <- channing[c("obs", "death", "ageentry", "age", "gender")]
COLON <- subset(colon, etype == 2, c(id, rx, sex, age, nodes, extent, node4, time, status))
COLON$rx <- as.character(COLON$rx)

source_of <- function(name) read.csv(file.path("data", name, "source.csv"), na.strings = "")

# Who enters on their last day is not seen at risk. Deaths of even numbers are the second cause.
channing_sample <- function() {
  with(subset(CHANNING, ageentry < age),
       data.frame(entry = ageentry, time = age, event = death * (1 + obs %% 2), group = gender,
                  stratum = (ageentry >= 900) * 1, x = (ageentry - 900) / 100))
}

colon_sample <- function() {
  with(COLON, data.frame(entry = -1, time, event = status, group = rx, stratum = extent, x = age,
                         nodes = node4))
}

# The first of relapse (1) and death without it (2).
bmt_sample <- function() {
  with(source_of("bmt"), data.frame(entry = -1, time = t2, event = ifelse(d2 == 1, 1, 2 * d1),
                                    group, stratum = z10, x = z1))
}

myeloid_sample <- function() {
  with(source_of("myeloid"), data.frame(entry = -1, time = futime, event = death, group = trt,
                                        stratum = flt3, x = (sex == "f") * 1))
}

# The first of remission (1) and death without it (2).
remission_sample <- function() {
  with(source_of("myeloid"), {
    came <- !is.na(crtime)
    data.frame(entry = -1, time = ifelse(came, crtime, futime), event = ifelse(came, 1, 2 * death),
               group = trt, stratum = flt3, x = (sex == "f") * 1)
  })
}

SAMPLES <- c(
  list(channing = channing_sample(), colon = colon_sample(), bmt = bmt_sample(),
       myeloid = myeloid_sample(), remission = remission_sample()),
  local({
    small <- read.csv(file.path(HERE, "data", "groups.csv"))
    small$entry[is.na(small$entry)] <- -1
    small <- split(small[-1], factor(small$case, unique(small$case)))
    # survfit and coxph take times that rounding parts as one; the other functions do not.
    lapply(small, function(rows) {
      same <- survival:::aeqSurv(Surv(rows$entry, rows$time, rows$event > 0))
      transform(rows, entry = same[, 1], time = same[, 2])
    })
  })
)


# ---- Rows of results -----------------------------------------------------------------------------

value <- function(sample, estimator, quantity, value, at = NA) {
  data.frame(sample, estimator, quantity, at, value, row.names = NULL)
}

values_of <- function(sample, estimator, values, at = NA) {
  value(sample, estimator, names(values), unname(values), at)
}

values_at <- function(sample, estimator, table, times) {
  rows <- lapply(names(table), function(quantity) {
    value(sample, estimator, quantity, table[[quantity]], times)
  })
  do.call(rbind, rows)
}


# ---- Left truncation -----------------------------------------------------------------------------

delayed <- function(rows, observed) {
  survfit(Surv(entry, time, observed) ~ 1, rows, conf.type = "log-log")
}

# Limits that fall and rise again: quantile() takes the last time below one half, print() the first.
delayed_half <- function(name, estimator, rows, observed) {
  table <- summary(delayed(rows, observed))$table
  values <- unname(table[c("median", "0.95LCL", "0.95UCL")])
  values_of(name, estimator, setNames(values, c("estimate", "lower", "upper")))
}

# An error of 0, without an event that varies, is none.
delayed_mean <- function(name, rows, horizon) {
  table <- summary(delayed(rows, rows$event > 0), rmean = horizon)$table
  se <- table[["se(rmean)"]]
  values_of(name, "restricted_mean",
            c(estimate = table[["rmean"]], se = ifelse(se > 0, se, NA)), horizon)
}

delayed_incidence <- function(name, rows, times) {
  rows$cause <- factor(rows$event, 0:2)
  fit <- survfit(Surv(entry, time, cause) ~ 1, transform(rows, id = seq_along(time)), id = id,
                 conf.type = "log-log")
  at <- summary(fit, times = times, extend = TRUE)
  tables <- lapply(1:2, function(number) {
    column <- match(number, at$states)
    inside <- function(limit) ifelse(at$pstate[, column] %in% c(0, 1), NA, limit[, column])
    table <- data.frame(incidence = at$pstate[, column], se = at$std.err[, column],
                        lower = inside(at$lower), upper = inside(at$upper))
    setNames(table, paste0(names(table), "_", number))
  })
  values_at(name, "aalen_johansen", do.call(cbind, tables), times)
}

# What event_rate() of common.R does, from the later of `after` and the entry on.
delayed_rate <- function(name, rows, after) {
  events <- sum(rows$event > 0 & rows$time > after)
  lived <- sum(pmax(rows$time - pmax(rows$entry, after), 0))
  limits <- poisson.test(events, lived)$conf.int
  values_of(name, "event_rate",
            c(estimate = events / lived, lower = limits[1], upper = limits[2]), after)
}

delayed_rows <- function(name, rows, times, horizons, after) {
  fit <- delayed(rows, rows$event > 0)
  curve <- curve_at(fit, times)
  # Greenwood's error; survival_at() gives none at 0.
  curve$se <- with(summary(fit, times = times, extend = TRUE), ifelse(surv == 0, NA, std.err))
  rbind(
    values_at(name, "kaplan_meier", curve, times),
    delayed_half(name, "median", rows, rows$event > 0),
    delayed_half(name, "reverse_kaplan_meier", rows, rows$event == 0),
    do.call(rbind, lapply(horizons, function(horizon) delayed_mean(name, rows, horizon))),
    delayed_incidence(name, rows, times),
    delayed_rate(name, rows, after)
  )
}

all_delayed <- function() {
  of_gender <- function(gender) {
    rows <- subset(SAMPLES$channing, group == gender)
    times <- sort(unique(rows$time))
    times <- times[unique(c(1:6, seq(10, length(times), 12), length(times)))]
    delayed_rows(paste0("channing ", gender), rows, times, c(800, 1000), 960)
  }
  small <- function(name, horizons, after) {
    rows <- SAMPLES[[name]]
    delayed_rows(name, rows, sort(unique(rows$time)), horizons, after)
  }
  rbind(of_gender(1), of_gender(2), small("truncated", c(11, 17), 4),
        small("down_to_nobody", c(6, 9), 1),
        small("nobody_between", c(5, 9), 1), small("parted_by_rounding", 7, 3))
}


# ---- Tests of groups -----------------------------------------------------------------------------
# Without two groups at risk of an event there is no test: blank, with 0 degrees of freedom.

test_values <- function(chi2, df) {
  if (df < 1) return(c(chi2 = NA, df = 0, p = NA))
  c(chi2 = chi2, df = df, p = pchisq(chi2, df, lower.tail = FALSE))
}

# survdiff counts no group of which no event is expected.
log_rank <- function(rows, formula) {
  fit <- survdiff(formula, rows)
  test_values(fit$chisq, sum(rowSums(as.matrix(fit$exp)) > 0) - 1)
}

# With entries the log-rank test is the score test of a discrete Cox model.
delayed_log_rank <- function(rows) {
  fit <- coxph(Surv(entry, time, event > 0) ~ factor(group) + strata(stratum), rows,
               ties = "exact", iter.max = 0)
  test_values(fit$score, length(unique(rows$group)) - 1)
}

# cmprsk gives no test where a group is gone before all events; without that group it does.
gray_test <- function(rows, cause, stratified = FALSE) {
  there <- rows$group %in% rows$group[rows$time >= min(rows$time[rows$event > 0], Inf)]
  rows <- rows[there, ]
  strata <- if (stratified) rows$stratum else rep(1, nrow(rows))
  groups <- length(unique(rows$group))
  if (!any(rows$event == cause) || groups < 2) return(test_values(NA, 0))
  test <- cuminc(rows$time, rows$event, rows$group, strata)$Tests[as.character(cause), ]
  if (test[["stat"]] == -1) return(test_values(NA, 0))
  test_values(test[["stat"]], test[["df"]])
}

pairwise_rows <- function(name, rows) {
  pairs <- combn(unique(rows$group), 2, simplify = FALSE)
  one <- function(pair) {
    log_rank(rows[rows$group %in% pair, ], Surv(time, event > 0) ~ group + strata(stratum))
  }
  tests <- lapply(pairs, one)
  adjusted <- p.adjust(sapply(tests, `[[`, "p"), "holm")
  named <- function(pair, test, adjusted) {
    values <- c(test, adjusted = adjusted)
    values_of(name, "pairwise", setNames(values, paste(pair[1], pair[2], names(values))))
  }
  do.call(rbind, Map(named, pairs, tests, adjusted))
}

group_rows <- function(name) {
  rows <- SAMPLES[[name]]
  named <- function(estimator, case, values) {
    values_of(name, estimator, setNames(values, paste(case, names(values))))
  }
  rbind(
    named("logrank", "plain", log_rank(rows, Surv(time, event > 0) ~ group)),
    named("logrank", "stratified",
          log_rank(rows, Surv(time, event > 0) ~ group + strata(stratum))),
    if (any(rows$entry >= 0)) named("logrank", "delayed", delayed_log_rank(rows)),
    named("gray", "1", gray_test(rows, 1)),
    named("gray", "2", gray_test(rows, 2)),
    named("gray", "1 stratified", gray_test(rows, 1, TRUE)),
    named("gray", "2 stratified", gray_test(rows, 2, TRUE)),
    pairwise_rows(name, rows)
  )
}


# ---- Cox models by strata ------------------------------------------------------------------------
# Of x, and of all groups but the first (by their labels) as columns g1, g2, ...

STRATA <- "strata(stratum)"

indicators <- function(rows) {
  labels <- sort(unique(rows$group))[-1]
  for (i in seq_along(labels)) rows[[paste0("g", i)]] <- (rows$group == labels[i]) * 1
  rows
}

model_of <- function(rows, terms, ties = "efron", ...) {
  coxph(reformulate(terms, "Surv(entry, time, event > 0)"), rows, ties = ties, control = CONTROL,
        ...)
}

fit_values <- function(fit) {
  values <- rbind(beta = coef(fit), se = sqrt(diag(vcov(fit))), p = wald_p(fit))
  of_each <- setNames(c(values), paste(rep(colnames(values), each = 3), rownames(values)))
  c(of_each, loglik = fit$loglik[2], null = fit$loglik[1])
}

# The score test of x, added to the groups at their estimates, as entry_p() in common.R.
score_value <- function(rows, columns, strata) {
  start <- coef(model_of(rows, c(columns, strata)))
  fit <- coxph(reformulate(c(columns, "x", strata), "Surv(entry, time, event > 0)"), rows,
               init = c(start, 0), control = coxph.control(iter.max = 0))
  c(p = pchisq(fit$score, 1, lower.tail = FALSE))
}

zph_values <- function(rows, columns, strata) {
  each <- cox.zph(model_of(rows, c(columns, "x", strata)), terms = FALSE)$table
  whole <- cox.zph(model_of(rows, c("factor(group)", "x", strata)))$table
  table <- rbind(each, group = whole[1, ])
  rownames(table)[rownames(table) == "GLOBAL"] <- "global"
  c(setNames(table[, "chisq"], paste(rownames(table), "chi2")),
    setNames(table[, "p"], paste(rownames(table), "p")))
}

# Of the products of x with the groups, and of the groups beside nothing.
ratio_values <- function(rows, columns, strata) {
  wide <- model_of(rows, c("factor(group) * x", strata))
  table <- anova(model_of(rows, c("factor(group) + x", strata)), wide)
  alone <- model_of(rows, c("factor(group)", strata))
  null <- 2 * diff(alone$loglik)
  c("interaction chi2" = table[2, "Chisq"], "interaction df" = table[2, "Df"],
    "interaction p" = table[2, 4], "alone chi2" = null, "alone df" = length(columns),
    "alone p" = pchisq(null, length(columns), lower.tail = FALSE))
}

model_rows <- function(name) {
  rows <- indicators(SAMPLES[[name]])
  columns <- grep("^g[0-9]$", names(rows), value = TRUE)
  one <- function(case, strata) {
    named <- function(estimator, values) {
      values_of(name, estimator, setNames(values, paste(case, names(values))))
    }
    rbind(
      named("cox", fit_values(model_of(rows, c(columns, "x", strata)))),
      named("cox_breslow", fit_values(model_of(rows, c(columns, "x", strata), "breslow"))),
      named("score_test", score_value(rows, columns, strata)),
      named("schoenfeld", zph_values(rows, columns, strata)),
      named("likelihood_ratio", ratio_values(rows, columns, strata))
    )
  }
  rbind(one("plain", NULL), one("stratified", STRATA))
}


# ---- Splines -------------------------------------------------------------------------------------
# Harrell's restricted cubic spline, written out: rms is not needed. splines::ns() spans the same
# functions, so that a Cox model of either has the same likelihood.

spline_column <- function(x, t, j) {
  cube <- function(u) pmax(u, 0)^3
  k <- length(t)
  (cube(x - t[j]) - cube(x - t[k - 1]) * (t[k] - t[j]) / (t[k] - t[k - 1]) +
     cube(x - t[k]) * (t[k - 1] - t[j]) / (t[k] - t[k - 1])) / (t[k] - t[1])^2
}

spline_rows <- function(name, number) {
  rows <- SAMPLES[[name]]
  shares <- list("3" = c(.1, .5, .9), "4" = c(.05, .35, .65, .95))[[as.character(number)]]
  t <- unname(quantile(rows$x, shares))
  at <- sort(unique(c(min(rows$x) - 1, t, rows$x[1:5], max(rows$x) + 1)))
  basis <- sapply(seq_len(number - 2), function(j) spline_column(at, t, j))
  colnames(basis) <- paste(number, "bend", seq_len(number - 2))
  fit <- function(columns) {
    coxph(Surv(entry, time, event > 0) ~ columns, rows, control = CONTROL)$loglik[2]
  }
  own <- cbind(rows$x, sapply(seq_len(number - 2), function(j) spline_column(rows$x, t, j)))
  second <- splines::ns(rows$x, knots = t[-c(1, number)], Boundary.knots = t[c(1, number)])
  stopifnot(abs(fit(own) - fit(second)) < 1e-8)
  rbind(values_at(name, "spline", as.data.frame(basis), at),
        values_of(name, "spline", setNames(t, paste(number, "knot", seq_along(t)))),
        value(name, "spline", paste(number, "loglik"), fit(own)))
}


# ---- States --------------------------------------------------------------------------------------

# Small cases; the waiting and the transplanted of `heart`; gammopathy, malignancy and death.
STATES <- c(
  local({
    small <- read.csv(file.path(HERE, "data", "states.csv"), na.strings = "")
    small$start[is.na(small$start)] <- -1
    split(small[-1], factor(small$case, unique(small$case)))
  }),
  list(
    heart = local({
      last <- !duplicated(heart$id, fromLast = TRUE)
      with(heart, data.frame(patient = id, start = ifelse(start == 0, -1, start), stop,
                             from = ifelse(transplant == 1, "transplanted", "waiting"),
                             to = ifelse(!last, "transplanted", ifelse(event == 1, "dead", NA))))
    }),
    # A malignancy found at death came just before it.
    mgus2 = local({
      came <- mgus2$pstat == 1
      day <- with(mgus2, ifelse(came & ptime == futime, ptime - 0.1, ptime))
      end <- with(mgus2, ifelse(death == 1, "death", NA))
      early <- with(mgus2, data.frame(patient = id, start = -1, stop = ifelse(came, day, futime),
                                      from = "mgus", to = ifelse(came, "pcm", end)))
      late <- data.frame(patient = mgus2$id, start = day, stop = mgus2$futime, from = "pcm", to = end)
      rbind(early, late[came, ])
    })
  )
)

# influence = TRUE, so that the errors know that the first shares are estimated too.
state_rows <- function(name) {
  rows <- STATES[[name]]
  rows <- rows[order(rows$patient, rows$start), ]
  states <- unique(na.omit(c(rows$from, rows$to)))
  rows$to <- factor(ifelse(is.na(rows$to), "none", rows$to), c("none", states))
  fit <- survfit(Surv(start, stop, to) ~ 1, rows, id = patient, istate = from,
                 conf.type = "log-log", influence = TRUE)
  times <- fit$time[fit$time >= 0]
  if (length(times) > 40) times <- times[unique(c(1:10, seq(10, length(times), 25), length(times)))]
  at <- summary(fit, times = times)
  tables <- lapply(seq_along(at$states), function(i) {
    inside <- at$std.err[, i] > 1e-12 & at$pstate[, i] > 0 & at$pstate[, i] < 1 - 1e-12
    table <- data.frame(at_risk = at$n.risk[, i], share = at$pstate[, i], se = at$std.err[, i],
                        lower = ifelse(inside, at$lower[, i], NA),
                        upper = ifelse(inside, at$upper[, i], NA))
    setNames(table, paste(at$states[i], names(table)))
  })
  values_at(name, "states", do.call(cbind, tables), times)
}


# ---- Fine and Gray with late entries -------------------------------------------------------------
# finegray() lets the events of a day leave before its censorings, cmprsk (and we) do not: here each
# censoring comes half a unit later, so that they never meet.

fine_gray_rows <- function(name) {
  rows <- indicators(SAMPLES[[name]])
  rows$id <- seq_len(nrow(rows))
  rows$cause <- factor(rows$event, 0:2)
  rows$time <- rows$time + 0.5 * (rows$event == 0)
  columns <- c(grep("^g[0-9]$", names(rows), value = TRUE), "x")
  one <- function(number) {
    long <- finegray(Surv(entry, time, cause) ~ ., rows, id = id, etype = as.character(number))
    fit <- coxph(reformulate(columns, "Surv(fgstart, fgstop, fgstatus)"), long, weights = fgwt,
                 cluster = id, ties = "breslow", control = CONTROL)
    values <- rbind(beta = coef(fit), se = sqrt(diag(vcov(fit))))
    loglik <- fit$loglik[2]
    if (any(abs(coef(fit)) > 15)) values[] <- loglik <- NA  # R warns: it may be infinite
    named <- paste(number, rep(columns, each = 2), c("beta", "se"))
    rbind(values_of(name, "fine_gray", setNames(c(values), named)),
          value(name, "fine_gray", paste(number, "loglik"), loglik))
  }
  rbind(one(1), one(2))
}


# ---- What a page says of models ------------------------------------------------------------------
# Rows as a page has them. Colon: deaths, of whom every third is seen from a later day on.

COLON_ROWS <- with(COLON, data.frame(
  entry = ifelse(id %% 3 == 0, id %% 100, 0), time, event = status,
  arm = factor(rx, c("Obs", "Lev", "Lev+5FU")), extent = factor(extent),
  male = sex, age, nodes
))
COLON_ROWS <- subset(COLON_ROWS, entry < time)
MYELOID_ROWS <- with(source_of("myeloid"), data.frame(
  entry = -1, time = futime, event = death, arm = factor(trt), flt3 = factor(flt3),
  male = (sex == "m") * 1
))

page_row <- function(quantity, group, estimate, lower = NA, upper = NA) {
  data.frame(quantity, group, estimate, lower, upper, row.names = NULL)
}

ratio_row <- function(quantity, group, log_ratio, se) {
  page_row(quantity, group, exp(log_ratio), exp(log_ratio - qnorm(.975) * se),
           exp(log_ratio + qnorm(.975) * se))
}

complete <- function(rows, terms) rows[complete.cases(rows[terms]), ]

fitted_model <- function(rows, terms, strata = NULL, ...) {
  coxph(reformulate(c(terms, strata), "Surv(entry, time, event)"), rows, control = CONTROL, ...)
}

# The coefficients of one term of a model.
places_of <- function(fit, term) {
  which(attr(model.matrix(fit), "assign") == match(term, attr(terms(fit), "term.labels")))
}

joint_p <- function(fit, term) {
  own <- places_of(fit, term)
  chi2 <- coef(fit)[own] %*% solve(vcov(fit)[own, own], coef(fit)[own])
  pchisq(c(chi2), length(own), lower.tail = FALSE)
}

# Each term of a model: ratios and P of its levels, then P of all of them.
term_rows <- function(fit, rows, terms, kind, name) {
  one <- function(term) {
    key <- paste0(name, ":", term)
    own <- places_of(fit, term)
    if (is.factor(rows[[term]])) key <- paste0(key, "=", levels(rows[[term]])[-1])
    beta <- coef(fit)[own]
    se <- sqrt(diag(vcov(fit)))[own]
    rbind(ratio_row(paste0("hazard_ratio_", kind), key, beta, se),
          page_row(paste0("p_", kind), key, pchisq((beta / se)^2, 1, lower.tail = FALSE)),
          if (is.factor(rows[[term]]))
            page_row(paste0("p_", kind), paste0(name, ":", term), joint_p(fit, term)))
  }
  do.call(rbind, lapply(terms, one))
}

# cox.zph ends where a stratum has one event only; none has here.
stays_rows <- function(fit, terms, kind, name, whole = TRUE) {
  table <- cox.zph(fit)$table
  keys <- c(paste0(name, ":", terms), name)[seq_len(length(terms) + whole)]
  page_row(paste0("p_proportional_", kind), keys, table[seq_along(keys), "p"])
}

term_entry <- function(rows, kept, term) {
  start <- if (length(kept)) coef(fitted_model(rows, kept)) else NULL
  wide <- fitted_model(rows, c(kept, term))
  init <- c(start, rep(0, length(coef(wide)) - length(start)))
  fit <- coxph(formula(wide), rows, init = init, control = coxph.control(iter.max = 0))
  pchisq(fit$score, length(init) - length(start), lower.tail = FALSE)
}

# Terms come and go as wholes: by the score test and the joint Wald test, both at .05.
term_stepwise <- function(rows, terms) {
  kept <- character()
  repeat {
    outside <- setdiff(terms, kept)
    p <- vapply(outside, function(term) term_entry(rows, kept, term), 1)
    if (!length(p) || min(p) >= .05) return(kept)
    entered <- names(which.min(p))
    kept <- c(kept, entered)
    repeat {
      fit <- fitted_model(rows, kept)
      p <- vapply(kept, function(term) joint_p(fit, term), 1)
      if (!length(p) || max(p) < .05) break
      kept <- setdiff(kept, names(which.max(p)))
    }
    if (!entered %in% kept) return(kept)
  }
}

# coefficients come in the order of the terms in `terms`, whatever the order of entry.
selection_rows <- function(name, all_rows, terms) {
  alone <- do.call(rbind, lapply(terms, function(term) {
    rows <- complete(all_rows, term)
    fit <- fitted_model(rows, term)
    rbind(term_rows(fit, rows, term, "univariate", name),
          stays_rows(fit, term, "univariate", name, FALSE))
  }))
  p <- vapply(terms, function(term) joint_p(fitted_model(complete(all_rows, term), term), term), 1)
  candidates <- terms[p < .05]
  rows <- complete(all_rows, candidates)
  kept <- intersect(terms, term_stepwise(rows, candidates))
  fit <- fitted_model(rows, kept)
  rbind(alone, term_rows(fitted_model(rows, candidates), rows, candidates, "unselected", name),
        term_rows(fit, rows, kept, "multivariate", name),
        stays_rows(fit, kept, "multivariate", name))
}

bends_of <- function(x, number) {
  shares <- list("3" = c(.1, .5, .9), "4" = c(.05, .35, .65, .95))[[as.character(number)]]
  t <- unname(quantile(x, shares))
  function(x) {
    cbind(x, do.call(cbind, lapply(seq_len(number - 2), function(j) spline_column(x, t, j))))
  }
}

along_rows <- function(fit, own, basis, kind, key, x, shares) {
  at <- setdiff(unique(unname(quantile(x, shares))), median(x))
  moved <- basis(at) - basis(median(x))[rep(1, length(at)), , drop = FALSE]
  se <- sqrt(rowSums(moved %*% vcov(fit)[own, own] * moved))
  ratio_row(paste0("hazard_ratio_", kind), paste0(key, "@", format(at, trim = TRUE)),
            c(moved %*% coef(fit)[own]), se)
}

likelihood_p <- function(wide, narrow, df) {
  pchisq(2 * (wide$loglik[2] - narrow), df, lower.tail = FALSE)
}

curve_rows <- function(name, column, all_rows, number) {
  rows <- complete(all_rows, column)
  x <- rows[[column]]
  basis <- bends_of(x, number)
  rows$bent <- basis(x)
  fit <- fitted_model(rows, "bent")
  key <- paste0(name, ":", column)
  rbind(along_rows(fit, seq_len(number - 1), basis, "spline", key, x,
                   c(.05, .1, .25, .5, .75, .9, .95)),
        page_row("p_spline", key, likelihood_p(fit, fit$loglik[1], number - 1)),
        page_row("p_spline_nonlinear", key,
                 likelihood_p(fit, fitted_model(rows, column)$loglik[2], number - 2)))
}

# Arm, age and a spline of the nodes, by sex.
adjusted_rows <- function() {
  rows <- complete(COLON_ROWS, c("arm", "age", "nodes", "male"))
  basis <- bends_of(rows$nodes, 4)
  rows$bent <- basis(rows$nodes)
  fit <- fitted_model(rows, c("arm", "age", "bent"), "strata(male)")
  name <- "surv|Adjusted"
  stays <- cox.zph(fit)$table
  rbind(term_rows(fit, rows, c("arm", "age"), "model", name),
        along_rows(fit, 4:6, basis, "model", paste0(name, ":nodes"), rows$nodes, c(.25, .5, .75)),
        page_row("p_model", paste0(name, ":nodes"), joint_p(fit, "bent")),
        page_row("p_proportional_model",
                 paste0(name, c(":arm", ":age", ":nodes", "")), stays[, "p"]))
}

# The arms in each part by a factor, and whether they differ among the parts.
parts_rows <- function(name, all_rows, factors, parts) {
  others <- levels(all_rows$arm)[-1]
  start <- if (length(others) > 1) paste0(name, "|arm=", others) else paste0(name, "|arm")
  one <- function(factor) {
    rows <- complete(all_rows, c("arm", factor))
    part <- parts[[factor]](rows[[factor]])
    ratios <- lapply(unique(part), function(level) {
      fit <- fitted_model(rows[part == level, ], "arm")
      ratio_row("hazard_ratio_subgroup", paste0(start, ":", factor, "=", level), coef(fit),
                sqrt(diag(vcov(fit))))
    })
    wide <- fitted_model(rows, paste0("arm * ", factor))
    narrow <- fitted_model(rows, c("arm", factor))
    p <- likelihood_p(wide, narrow$loglik[2], length(coef(wide)) - length(coef(narrow)))
    rbind(do.call(rbind, ratios), page_row("interaction_p", paste0(name, "|arm:", factor), p))
  }
  do.call(rbind, lapply(factors, one))
}

# The score test of a term, added to a model of others.
entry_row <- function(rows, kept, term) {
  page_row("p_entry", paste(c(kept, term), collapse = " "), term_entry(rows, kept, term))
}

at_median <- function(x) ifelse(x <= median(x), paste("up to", median(x)), paste("over", median(x)))
sexes <- function(x) ifelse(x == 1, "male", "female")
page_rows <- rbind(
  data.frame(case = "colon", rbind(
    selection_rows("surv", COLON_ROWS, c("age", "nodes", "male", "extent", "arm")),
    curve_rows("surv", "nodes", COLON_ROWS, 4), adjusted_rows(),
    entry_row(COLON_ROWS, character(), "extent"), entry_row(COLON_ROWS, "extent", "arm"),
    entry_row(COLON_ROWS, c("arm", "male"), "extent"), entry_row(COLON_ROWS, "extent", "age"),
    parts_rows("surv", COLON_ROWS, c("age", "nodes", "male", "extent"),
               list(age = at_median, nodes = at_median, male = sexes, extent = as.character))
  )),
  data.frame(case = "myeloid", rbind(
    selection_rows("os", MYELOID_ROWS, c("arm", "male", "flt3")),
    parts_rows("os", MYELOID_ROWS, c("male", "flt3"), list(male = sexes, flt3 = as.character))
  ))
)


# ---- Write ---------------------------------------------------------------------------------------

write_table(CHANNING, file.path(HERE, "data", "channing.csv"))
write_table(COLON, file.path(HERE, "data", "colon.csv"))
write_table(page_rows, file.path(HERE, "models.csv"))
all_groups <- do.call(rbind, lapply(names(SAMPLES), group_rows))
modelled <- c("channing", "colon", "bmt", "myeloid", "tied", "truncated", "a_stratum_of_one_group")
all_models <- do.call(rbind, lapply(modelled, model_rows))
all_splines <- rbind(spline_rows("colon", 3), spline_rows("colon", 4), spline_rows("channing", 3),
                     spline_rows("channing", 4))
all_fine_gray <- rbind(fine_gray_rows("channing"), fine_gray_rows("truncated"))
all_states <- do.call(rbind, lapply(names(STATES), state_rows))
write_table(rbind(all_delayed(), all_groups, all_models, all_splines, all_states,
                  all_fine_gray), file.path(HERE, "groups.csv"))
