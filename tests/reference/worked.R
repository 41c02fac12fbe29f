# The main number of each lesson's worked piece, as its R script finds it on the shipped datasets.
#
# Run by hand from the root of the project:  Rscript tests/reference/worked.R   (cmprsk too)
# First  python -m tests.reference.worked_names  writes what each dataset calls things. Each script
# of book/worked/ gets these names in its first step, and runs in a folder with the patients' table
# alone. worked.csv beside this file then has a row for each number of `main`: DATASET, lesson, place,
# value, and the digest of the script that gave it.

source(file.path("tests", "reference", "common.R"))

NAMES <- read.csv(file.path(HERE, "data", "worked_names.csv"), colClasses = "character")

# The steps of a script, its first one with these names; as `script` of analysis/course/worked.py.
filled <- function(lines, names) {
  begins <- grep("^# %% ", lines)
  ends <- c(begins[-1] - 1, length(lines))
  cells <- mapply(function(from, to) {
    code <- paste(lines[seq(from + 1, to)], collapse = "\n")
    paste0(trimws(lines[from], "right"), "\n", gsub("^\\s+|\\s+$", "", code))
  }, begins, ends)
  first <- strsplit(cells[1], "\n")[[1]]
  for (i in seq_len(nrow(names))) {
    begin <- paste0(names$name[i], " <- ")
    at <- which(startsWith(first, begin))
    stopifnot(length(at) == 1)
    comment <- regmatches(first[at], regexpr("  #.*$", first[at]))
    first[at] <- paste0(begin, names$value[i], if (length(comment)) comment else "")
  }
  cells[1] <- paste(first, collapse = "\n")
  paste0(paste(cells, collapse = "\n\n"), "\n")
}

digest <- function(path) unname(tools::md5sum(path))

# `main` of a script that knows nothing but the table in its folder.
main_of <- function(text, table) {
  folder <- tempfile("worked")
  dir.create(folder)
  file.copy(table, folder)
  writeLines(text, file.path(folder, "script.R"), sep = "", useBytes = TRUE)
  before <- setwd(folder)
  on.exit(setwd(before))
  pdf(NULL)
  own <- new.env(parent = globalenv())
  invisible(capture.output(source("script.R", local = own, echo = FALSE, encoding = "UTF-8")))
  dev.off()
  list(main = as.numeric(own$main), script = digest("script.R"))
}

rows <- lapply(split(NAMES, list(NAMES$dataset, NAMES$lesson), drop = TRUE), function(names) {
  dataset <- names$dataset[1]
  lesson <- as.integer(names$lesson[1])
  lines <- readLines(sprintf("book/worked/lesson_%02d.R", lesson), encoding = "UTF-8")
  found <- main_of(filled(lines, names), file.path("data", dataset, "patients.csv"))
  data.frame(dataset, lesson, place = seq_along(found$main),
             value = sprintf("%.15g", found$main), script = found$script)
})
made <- do.call(rbind, rows)
made <- made[order(made$dataset, made$lesson, made$place), ]
write_table(made, file.path(HERE, "worked.csv"))
