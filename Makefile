# Plateau: `make` lists what there is. Everything is installed into .venv, nothing elsewhere.

PYTHON  ?= python3
OUT     ?= _build
DATASET ?=
DATASETS ?=
LESSONS ?=
SCHEDULER ?=

# Tests run on every core. The cells of a notebook stay together, and so do the tests of a file,
# in the order of tests/conftest.py.
WORKERS := --numprocesses auto --dist

PY    := .venv/bin/python
READY := .venv/.ready

# Notebooks run from book/ under nbval and from the root otherwise; both must find analysis/.
export PYTHONPATH := $(CURDIR)

# Folders reach the commands as they are named, whatever signs a shell would read in them.
export DATASET DATASETS LESSONS OUT SCHEDULER
WHICH := $(if $(DATASET),--dataset="$$DATASET") --out="$$OUT"

.DEFAULT_GOAL := help
.PHONY: help install book books pdf handouts slides assignment new check test test-all notebooks calibrate benchmark lock clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile
	@echo "  DATASET=folder   another dataset (book, pdf, handouts, slides, assignment, new, check);  OUT=folder   where to build"
	@echo "  LESSONS=all      the lessons of every shipped dataset (book);  LESSONS=\"1 4\"  these only (handouts, slides, assignment)"
	@echo "  SCHEDULER=tcp://…  the Dask cluster that builds (books)"
	@echo "  PRIVATE=1        name rows and no patient's values (check)"

install: $(READY) ## the packages, into .venv: about 1.2 GB, some minutes, once
	@echo "All is in .venv. Run it as: $(PY) -m analysis --help"

book: $(READY) ## run the notebooks that changed and build the site
	@exec $(PY) -m analysis book $(WHICH) $(if $(LESSONS),--lessons="$$LESSONS")

# Unlike a single folder, these are a list: a space parts two of them.
books: $(READY) ## the books of many datasets: make books DATASETS="a b" OUT=folder
	@$(if $(DATASETS),exec $(PY) -m analysis books $(if $(SCHEDULER),--scheduler="$$SCHEDULER") --out="$$OUT" -- $$DATASETS,echo "Which ones? make books DATASETS=\"a b\"" >&2; exit 1)

handouts: $(READY) ## print lessons for a class, without solutions
	@exec $(PY) -m analysis handouts $(WHICH) $(if $(LESSONS),--lessons="$$LESSONS")

slides: $(READY) ## print the slides of lessons, 16:9
	@exec $(PY) -m analysis slides $(WHICH) $(if $(LESSONS),--lessons="$$LESSONS")

assignment: $(READY) ## exercises to grade: make assignment LESSONS="1 4" DATASET=folder OUT=folder
	@exec $(PY) -m analysis assignment --lessons="$$LESSONS" $(if $(DATASET),--dataset="$$DATASET") \
	    $(if $(filter-out _build,$(OUT)),--out="$$OUT")

new: $(READY) ## lay out a dataset folder to begin with: make new DATASET=folder
	@$(if $(DATASET),$(PY) -m analysis new -- "$$DATASET",echo "Where? make new DATASET=folder" >&2; exit 1)

pdf: $(READY) ## print the book as one PDF, with Chromium
	@exec $(PY) -m analysis pdf $(WHICH)

check: $(READY) ## say what is wrong with a dataset folder: make check DATASET=folder
	@$(if $(DATASET),$(PY) -m analysis check $(if $(PRIVATE),--private) -- "$$DATASET",echo "Which one? make check DATASET=folder" >&2; exit 1)

test: $(READY) ## everything that CI runs: lint, format, the site, whose notebooks the tests compare
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m analysis book
	BUILT=yes $(PY) -m pytest $(WORKERS) loadscope --no-loadscope-reorder -m "not wide"

test-all: test ## what is slow and seldom fails too: the other books, each notebook under nbval
	BUILT=yes $(PY) -m pytest $(WORKERS) loadscope --no-loadscope-reorder -m wide
	$(PY) -m pytest $(WORKERS) loadfile --nbval --nbval-current-env --nbval-sanitize-with tests/nbval.cfg \
	    -p no:cacheprovider -q book

notebooks: $(READY) ## run the notebooks of book/ in place and store their outputs
	@exec $(PY) -m analysis notebooks

# numba makes a search of hours one of minutes. Nothing else needs it, so it is not in the lock.
calibrate: $(READY) ## make the synthetic cohort anew, from its seed
	@$(PY) -m pip install --quiet --disable-pip-version-check numba
	$(PY) data/blinatumomab/calibration

# R, scikit-survival and statsmodels are compared where they are installed.
benchmark: $(READY) ## what a book and its estimators cost (two hours, on a quiet machine)
	@exec $(PY) -m benchmarks

lock: $(READY) ## compile requirements.txt from requirements.in (all Pythons, all systems)
	@$(PY) -m pip install --quiet --disable-pip-version-check uv
	$(PY) -m uv pip compile --universal --python-version 3.11 --no-header --no-emit-index-url \
	    --quiet $(LOCKFLAGS) requirements.in --output-file requirements.txt

clean: ## remove what was built, and the virtual environment
	rm -rf _build .venv .pytest_cache .ruff_cache

$(READY): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or later is needed: make PYTHON=python3.12 ..." >&2; exit 1; }
	@test -x $(PY) || $(PYTHON) -m venv .venv
	@echo "Installing the packages of requirements.txt into .venv: about 1.2 GB, which takes some minutes"
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@
