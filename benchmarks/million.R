# R's side of million.py: survival at the landmarks, and a Cox model of each factor.
suppressMessages(library(survival))
given <- commandArgs(trailingOnly = TRUE)
patients <- read.csv(given[1], colClasses = "character")
factors <- read.csv(given[2], colClasses = "character", na.strings = character(0))

time <- as.numeric(patients$last_contact_day)
died <- patients$died == "yes"
months <- c(12, 24, 36, 48, 60)
curve <- summary(
  survfit(Surv(time, died) ~ 1, conf.type = "log-log"),
  times = months * 30.4375, extend = TRUE
)
found <- data.frame(
  quantity = "survival", group = "os", months = months,
  estimate = curve$surv, lower = curve$lower, upper = curve$upper
)
for (row in seq_len(nrow(factors))) {
  value <- patients[[factors$column[row]]]
  sides <- strsplit(factors$numerator[row], "|", fixed = TRUE)[[1]]
  x <- if (length(sides)) as.numeric(value %in% sides) else as.numeric(value)
  fit <- coxph(Surv(time, died) ~ x)
  limits <- exp(confint(fit))
  found <- rbind(found, data.frame(
    quantity = "hazard_ratio_univariate", group = paste0("os:", factors$column[row]),
    months = NA, estimate = exp(coef(fit)), lower = limits[1], upper = limits[2]
  ))
}
write.csv(found, given[3], row.names = FALSE)
