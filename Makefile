# Needs make, a POSIX shell and one Python from 3.11 to 3.14; everything else goes into .venv.
# On Windows, run the plain lines of README.md instead.

.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo-output
# All cores; PYTEST_ARGS= runs the tests one after the other.
PYTEST_ARGS ?= -n auto
CANDIDATES := python3.14 python3.13 python3.12 python3.11 python3 python

# The package is installed as users get it, not in editable mode, so it is installed again
# when a source changes. The checksum of the list notices files that came or went.
SOURCES := $(shell find hrm -type f -not -name '*.py[co]' | LC_ALL=C sort)
LIST := $(shell printf '%s\n' '$(SOURCES)' | cksum | cut -d' ' -f1)
LOCKED := $(VENV)/.locked
INSTALLED := $(VENV)/.installed-$(LIST)

.PHONY: help setup demo test test-kernels test-faults lint lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(INSTALLED) ## make .venv and install hrm with its locked dependencies

# -I keeps the user's own packages and PYTHONPATH out of the search for an interpreter.
$(LOCKED): requirements.lock
	@rm -f '$(LOCKED)' '$(VENV)'/.installed-*
	@for candidate in $(or $(PYTHON),$(CANDIDATES)); do \
	  if "$$candidate" -I -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' \
	    >/dev/null 2>&1; then found=$$candidate; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo 'hrm needs Python 3.11 to 3.14 with the venv module; tried: $(or $(PYTHON),$(CANDIDATES)).' >&2; \
	  echo 'Install one (on Debian or Ubuntu also python3-venv), or name it: make PYTHON=/path/to/python3' >&2; \
	  exit 1; \
	fi; \
	echo "making $(VENV) with $$("$$found" -V) ($$found)"; \
	"$$found" -m venv --clear '$(VENV)'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps \
	  --only-binary :all: --require-hashes -r requirements.lock
	@touch '$@'

# The build backend comes from the lock, with its hash: no isolated build that would fetch it.
$(INSTALLED): $(LOCKED) pyproject.toml README.md LICENSE $(SOURCES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --no-deps \
	  --no-build-isolation --force-reinstall .
	@$(BIN)/python -m pip check --disable-pip-version-check
	@rm -f '$(VENV)'/.installed-*
	@touch '$@'

demo: $(INSTALLED) ## analyze the bundled synthetic studies into demo-output/
	@mkdir -p '$(DEMO)'
	$(BIN)/hrm analyze examples/mms_22ch_type_2.csv --catheter CE4-0062 --system mms_wp \
	  --irp-limit irp4s.mms_wp.supine.v4.bra --swallows examples/mms_22ch_type_2.swallows.csv \
	  --json $(DEMO)/mms_22ch_type_2.json --figure $(DEMO)/mms_22ch_type_2.png \
	  --report $(DEMO)/mms_22ch_type_2.pdf --force
	$(BIN)/hrm analyze examples/manoview_36ch_normal.txt --system manoscan \
	  --swallows examples/manoview_36ch_normal.swallows.csv \
	  --json $(DEMO)/manoview_36ch_normal.json --figure $(DEMO)/manoview_36ch_normal.png \
	  --report $(DEMO)/manoview_36ch_normal.pdf --force
	@echo 'written to $(DEMO)/:' && ls -l '$(DEMO)'

published: $(INSTALLED) ## recompute the trial's published counts into docs/trial/published.md
	$(BIN)/python docs/trial/make_published.py

test: $(INSTALLED) ## run all tests
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-kernels: $(INSTALLED) ## run the kernel tests as plain Python, then with bounds checked
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest tests/kernels $(PYTEST_ARGS)
	NUMBA_BOUNDSCHECK=1 HRM_NUMBA_CACHE=off $(BIN)/python -m pytest tests/kernels $(PYTEST_ARGS)

# One after the other: they end processes and measure time.
test-faults: $(INSTALLED) ## kill, fill, hang and cut off a batch, and see that nothing is lost
	$(BIN)/python -m pytest tests/batch/faults.py

lint: $(INSTALLED) ## ruff (with numpydoc docstrings), mypy, typos
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/typos

# One version of each package for every Python (--fork-strategy fewest): the same numbers everywhere.
lock: ## resolve requirements.lock again (needs uv)
	@command -v uv >/dev/null || { echo 'make lock needs uv (pip install uv)' >&2; exit 1; }
	uv --no-config pip compile pyproject.toml --universal --all-extras --group build \
	  --generate-hashes --fork-strategy fewest --no-emit-index-url --no-emit-find-links \
	  --custom-compile-command 'make lock' $(LOCK_ARGS) --quiet --output-file requirements.lock

clean: ## remove .venv, demo-output and caches
	rm -rf '$(VENV)' '$(DEMO)' build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find hrm tests -type d -name __pycache__ -prune -exec rm -rf {} +
