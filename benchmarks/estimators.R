# R's side of estimators.py: one estimator on one table, timed inside R.
#
#     Rscript benchmarks/estimators.R FOLDER ESTIMATOR RUNS SECONDS BATCH COLUMN ...
#
# FOLDER holds `table`, the columns as doubles, one after another. `answer` comes back to it:
# the number of columns of what was found, of the times, the memory added (bytes), the times
# (seconds of the processor), and what was found.

suppressPackageStartupMessages({
  library(survival)
  library(cmprsk)
})

with_limits <- function(fit) cbind(fit$time, fit$surv, fit$lower, fit$upper)
of_states <- function(fit) cbind(fit$time, fit$pstate[, 2:3], fit$std.err[, 2:3])
of_model <- function(fit) c(coef(fit), sqrt(diag(vcov(fit))))
model <- function(names) {
  function(table) {
    coxph(reformulate(names, quote(Surv(start, stop, event))), table, ties = "efron")
  }
}

# Stepwise selection as in SAS's PHREG: a score test enters a factor, Wald's removes one.
selected <- function(y, x, level = 0.05) {
  score <- function(kept, beta, candidate) {
    fit <- coxph(y ~ x[, c(kept, candidate)],
      init = c(beta, 0),
      control = coxph.control(iter.max = 0)
    )
    pchisq(fit$score, 1, lower.tail = FALSE)
  }
  fitted <- function(kept) coxph(y ~ x[, kept])
  kept <- integer(0)
  seen <- list()
  fit <- NULL
  while (!list(sort(kept)) %in% seen) {
    seen <- c(seen, list(sort(kept)))
    varies <- which(apply(x, 2, function(column) any(column != column[1])))
    outside <- setdiff(varies, kept)
    p <- vapply(outside, function(one) score(kept, coef(fit), one), 0)
    if (!any(p < level, na.rm = TRUE)) break
    kept <- c(kept, outside[which.min(p)])
    repeat {
      fit <- fitted(kept)
      p <- pchisq(coef(fit)^2 / diag(vcov(fit)), 1, lower.tail = FALSE)
      if (!max(p) >= level) break
      kept <- kept[-which.max(p)]
      if (!length(kept)) {
        fit <- NULL
        break
      }
    }
  }
  list(kept = kept, beta = coef(fit))
}

# How often each factor is kept in resamples of the patients, and the mean slope of the models.
resampled <- function(table) {
  drawn <- readLines(file.path(folder, "drawn"))
  x <- as.matrix(table[, setdiff(names(table), c("patient", "start", "stop", "event"))])
  y <- with(table, Surv(start, stop, event))
  found <- lapply(strsplit(drawn, " "), function(words) {
    places <- as.integer(words)
    found <- selected(y[places], x[places, ])
    if (!length(found$kept)) return(list(kept = found$kept, slope = NA))
    predictor <- x[, found$kept, drop = FALSE] %*% found$beta
    list(kept = found$kept, slope = unname(coef(coxph(y ~ predictor))))
  })
  counts <- tabulate(unlist(lapply(found, `[[`, "kept")), ncol(x))
  c(counts / length(drawn), mean(vapply(found, `[[`, 0, "slope"), na.rm = TRUE))
}

# Each estimator: how it runs, and what is read from what it returns.
estimators <- list(
  kaplan_meier = list(
    function(table) survfit(Surv(time, event == 1) ~ 1, table, conf.type = "log-log"), with_limits
  ),
  logrank = list(
    function(table) survdiff(Surv(time, event == 1) ~ group, table), function(test) test$chisq
  ),
  incidence = list(
    function(table) survfit(Surv(time, factor(event)) ~ 1, table, conf.type = "log-log"), of_states
  ),
  gray = list(
    function(table) with(table, cuminc(time, event, group)), function(found) found$Tests[, "stat"]
  ),
  fine_gray = list(
    function(table) with(table, crr(time, event, cbind(x1, x2, x3))),
    function(fit) c(fit$coef, sqrt(diag(fit$var)))
  ),
  cox_one = list(model("later"), of_model),
  cox_ten = list(model(c("later", paste0("x", 1:9))), of_model),
  selection = list(resampled, identity)
)

# Seconds of the processor, of the user and the system. A clock of milliseconds needs a batch.
processor <- function(run, number) {
  began <- sum(proc.time()[1:2])
  for (turn in seq_len(number)) found <- run()
  (sum(proc.time()[1:2]) - began) / number
}
memory <- function(field) {
  lines <- readLines("/proc/self/status")
  1024 * as.numeric(gsub("[^0-9]", "", grep(field, lines, value = TRUE)))
}

arguments <- commandArgs(TRUE)
folder <- arguments[1]
runs <- as.integer(arguments[3])
seconds <- as.numeric(arguments[4])
batch <- as.numeric(arguments[5])
names <- arguments[-(1:5)]
size <- file.size(file.path(folder, "table"))
table <- matrix(readBin(file.path(folder, "table"), "double", size / 8), ncol = length(names))
table <- setNames(as.data.frame(table), names)
estimator <- estimators[[arguments[2]]]
run <- function() estimator[[1]](table)

invisible(gc())
cat("5", file = "/proc/self/clear_refs")
before <- memory("VmRSS")
times <- processor(function() result <<- run(), 1)
added <- memory("VmHWM") - before
number <- max(1, ceiling(batch / max(times, 0.001)))
if (number > 1) times <- processor(run, number)
while (length(times) < runs && sum(times) < seconds) times <- c(times, processor(run, number))
found <- as.matrix(estimator[[2]](result))
to <- file(file.path(folder, "answer"), "wb")
writeBin(c(ncol(found), length(times), added, times, found), to)
close(to)
