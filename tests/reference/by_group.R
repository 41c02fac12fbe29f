# What the curve pages of myeloid by arm and of bmt by disease say, computed in R.
#
# Run by hand from the root of the project:  Rscript tests/reference/by_group.R   (cmprsk too)
# It reads the sources of the two datasets and writes by_group.csv beside itself: a row for each
# quantity of the results, as DATASET, page's endpoint, quantity, group, months, estimate and limits.

source(file.path("tests", "reference", "common.R"))

MONTH <- DAYS_PER_MONTH
LANDMARKS <- LANDMARKS$bmt  # those of myeloid too
rows <- list()
add <- function(dataset, endpoint, quantity, group, months, estimate, lower = NA, upper = NA) {
  rows[[length(rows) + 1]] <<- data.frame(dataset, endpoint, quantity, group, months, estimate,
                                          lower, upper)
}

rmst <- function(fit, horizon) {
  keep <- fit$time < horizon
  time <- fit$time[keep]; surv <- fit$surv[keep]
  width <- diff(c(0, time, horizon)); area <- c(1, surv) * width
  rest <- rev(cumsum(rev(area)))[-1]
  events <- fit$n.event[keep]; at_risk <- fit$n.risk[keep]
  parts <- ifelse(at_risk > events, events / (at_risk * (at_risk - events)), 0)
  c(sum(area), sqrt(sum(rest^2 * parts)))
}

difference <- function(one, other) {
  se <- sqrt(one[2]^2 + other[2]^2)
  found <- one[1] - other[1]
  c(found, found - qnorm(.975) * se, found + qnorm(.975) * se, 2 * pnorm(-abs(found) / se))
}

ratios <- function(dataset, endpoint, kind, fit, levels, key, lead) {
  table <- summary(fit)
  for (place in seq_along(levels)) {
    group <- paste0(key, "=", levels[place])
    limits <- table$conf.int[place, c("exp(coef)", "lower .95", "upper .95")]
    add(dataset, endpoint, paste0("hazard_ratio_", kind), group, NA, limits[1], limits[2], limits[3])
    add(dataset, endpoint, paste0("p_", kind), group, NA, table$coefficients[place, "Pr(>|z|)"])
  }
  zph <- cox.zph(fit)$table
  add(dataset, endpoint, paste0("p_proportional_", kind), key, NA, zph[nrow(zph), "p"])
}

survival <- function(dataset, endpoint, column, d) {
  key <- paste0(endpoint, "|", column)
  levels <- levels(d$group)
  fits <- lapply(levels, function(level) {
    survfit(Surv(time, event) ~ 1, data = d[d$group == level, ], conf.type = "log-log")
  })
  names(fits) <- levels
  for (level in levels) {
    group <- paste0(key, "=", level)
    at <- quantile(fits[[level]], .5)
    add(dataset, endpoint, "median", group, NA, at$quantile / MONTH, at$lower / MONTH,
        at$upper / MONTH)
    for (month in LANDMARKS) {
      s <- summary(fits[[level]], times = month * MONTH, extend = FALSE)
      if (length(s$surv)) {
        add(dataset, endpoint, "survival", group, month, s$surv, s$lower, s$upper)
        mean <- rmst(fits[[level]], month * MONTH) / MONTH
        add(dataset, endpoint, "rmst", group, month, mean[1], mean[1] - qnorm(.975) * mean[2],
            mean[1] + qnorm(.975) * mean[2])
      }
    }
  }
  for (level in levels[-1]) for (month in LANDMARKS) {
    group <- paste0(key, "=", level)
    pair <- fits[c(level, levels[1])]
    shares <- lapply(pair, function(f) {
      s <- summary(f, times = month * MONTH); c(s$surv, s$std.err)
    })
    found <- difference(shares[[1]], shares[[2]])
    add(dataset, endpoint, "survival_difference", group, month, found[1], found[2], found[3])
    means <- lapply(pair, function(f) rmst(f, month * MONTH) / MONTH)
    found <- difference(means[[1]], means[[2]])
    add(dataset, endpoint, "rmst_difference", group, month, found[1], found[2], found[3])
  }
  test <- survdiff(Surv(time, event) ~ group, data = d)
  add(dataset, endpoint, "logrank", key, NA, test$chisq)
  add(dataset, endpoint, "p_logrank", key, NA, pchisq(test$chisq, length(levels) - 1,
                                                      lower.tail = FALSE))
  ratios(dataset, endpoint, "group", coxph(Surv(time, event) ~ group, data = d), levels[-1], key)
  if ("stratum" %in% names(d)) {
    test <- survdiff(Surv(time, event) ~ group + strata(stratum), data = d)
    add(dataset, endpoint, "logrank_stratified", key, NA, test$chisq)
    add(dataset, endpoint, "p_logrank_stratified", key, NA,
        pchisq(test$chisq, length(levels) - 1, lower.tail = FALSE))
    ratios(dataset, endpoint, "group_stratified",
           coxph(Surv(time, event) ~ group + strata(stratum), data = d), levels[-1], key)
  }
  if (length(levels) > 2) {
    pairs <- combn(levels, 2)
    p <- apply(pairs, 2, function(pair) {
      two <- droplevels(d[d$group %in% pair, ])
      pchisq(survdiff(Surv(time, event) ~ group, data = two)$chisq, 1, lower.tail = FALSE)
    })
    adjusted <- p.adjust(p, "holm")
    for (place in seq_along(p)) {
      group <- paste0(key, "=", pairs[2, place], ":", pairs[1, place])
      add(dataset, endpoint, "p_logrank_pair", group, NA, p[place])
      add(dataset, endpoint, "p_logrank_holm", group, NA, adjusted[place])
    }
  }
}

incidence <- function(dataset, endpoint, column, d, causes) {
  levels <- levels(d$group)
  tests <- cuminc(d$time, d$event, d$group)$Tests
  for (place in seq_along(causes)) {
    key <- paste0(causes[place], "|", column)
    add(dataset, endpoint, "gray", key, NA, tests[place, "stat"])
    add(dataset, endpoint, "p_gray", key, NA, tests[place, "pv"])
    for (level in levels) {
      fit <- survfit(Surv(time, factor(event, 0:2)) ~ 1, data = d[d$group == level, ],
                     conf.type = "log-log")
      s <- summary(fit, times = LANDMARKS * MONTH)
      for (at in seq_along(s$time)) {
        add(dataset, endpoint, "cumulative_incidence", paste0(key, "=", level),
            LANDMARKS[at], s$pstate[at, place + 1])
      }
    }
  }
  x <- sapply(levels[-1], function(level) (d$group == level) * 1)
  fit <- crr(d$time, d$event, x, gtol = 1e-12)
  z <- qnorm(.975) * sqrt(diag(fit$var))
  for (place in seq_along(levels[-1])) {
    group <- paste0(causes[1], "|", column, "=", levels[place + 1])
    add(dataset, endpoint, "subdistribution_ratio_group", group, NA, exp(fit$coef[place]),
        exp(fit$coef[place] - z[place]), exp(fit$coef[place] + z[place]))
  }
}

m <- read.csv("data/myeloid/source.csv", na.strings = "")
survival("myeloid", "os", "arm",
         with(m, data.frame(time = futime, event = death, group = factor(paste("Arm", trt)), stratum = flt3)))
b <- read.csv("data/bmt/source.csv", na.strings = "")
disease <- factor(c("ALL", "AML low risk", "AML high risk")[b$group],
                  levels = c("ALL", "AML low risk", "AML high risk"))
# One death has another day in t2 than in t1: see the card of the data. The dataset has t1.
b$free <- ifelse(b$d2 == 1, b$t2, b$t1)
survival("bmt", "os", "disease", with(b, data.frame(time = t1, event = d1, group = disease)))
survival("bmt", "rfs", "disease", with(b, data.frame(time = free, event = d3, group = disease)))
incidence("bmt", "relapse", "disease",
          with(b, data.frame(time = free, event = ifelse(d2 == 1, 1, 2 * d1), group = disease)),
          c("relapse", "death"))
made <- do.call(rbind, rows)
write_table(made, file.path(HERE, "by_group.csv"))
