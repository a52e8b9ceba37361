# Needs make, a POSIX shell and one Python from 3.11 to 3.13; everything else goes into .venv.
# On Windows, run the plain lines of README.md instead.

.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
DEMO := demo-output
# All cores; PYTEST_ARGS= runs the tests one after the other.
PYTEST_ARGS ?= -n auto
CANDIDATES := python3.13 python3.12 python3.11 python3 python

# The package is installed as users get it, not in editable mode, so it is installed again
# when a source changes. The checksum of the list notices files that came or went.
SOURCES := $(shell find hrm -type f -not -name '*.py[co]' | LC_ALL=C sort)
LIST := $(shell printf '%s\n' '$(SOURCES)' | cksum | cut -d' ' -f1)
LOCKED := $(VENV)/.locked
INSTALLED := $(VENV)/.installed-$(LIST)
COVERAGE := $(VENV)/.coverage

.PHONY: help setup browser demo published test test-kernels bench gate test-faults test-browser test-page lint docs package lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 16

setup: $(INSTALLED) ## make .venv and install hrm with its locked dependencies

# -I keeps the user's own packages and PYTHONPATH out of the search for an interpreter.
$(LOCKED): requirements.lock
	@rm -f '$(LOCKED)' '$(VENV)'/.installed-*
	@for candidate in $(or $(PYTHON),$(CANDIDATES)); do \
	  if "$$candidate" -I -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
	    >/dev/null 2>&1; then found=$$candidate; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo 'hrm needs Python 3.11 to 3.13 with the venv module; tried: $(or $(PYTHON),$(CANDIDATES)).' >&2; \
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

demo: $(INSTALLED) ## analyze synthetic studies and a synthetic trial, to its report, in demo-output/
	@mkdir -p '$(DEMO)'
	$(BIN)/hrm analyze examples/mms_22ch_type_2.csv --catheter CE4-0062 --system mms_wp \
	  --irp-limit irp4s.mms_wp.supine.v4.bra --swallows examples/mms_22ch_type_2.swallows.csv \
	  --json $(DEMO)/mms_22ch_type_2.json --figure $(DEMO)/mms_22ch_type_2.png \
	  --report $(DEMO)/mms_22ch_type_2.pdf --force
	$(BIN)/hrm analyze examples/manoview_36ch_normal.txt --system manoscan \
	  --swallows examples/manoview_36ch_normal.swallows.csv \
	  --json $(DEMO)/manoview_36ch_normal.json --figure $(DEMO)/manoview_36ch_normal.png \
	  --report $(DEMO)/manoview_36ch_normal.pdf --force
	$(BIN)/hrm trial demo $(DEMO)/trial --force
	$(BIN)/hrm batch --manifest $(DEMO)/trial/recordings.csv --out $(DEMO)/trial/results
	$(BIN)/hrm trial demo $(DEMO)/trial --review 8
	$(BIN)/hrm batch --manifest $(DEMO)/trial/recordings.csv --out $(DEMO)/trial/results
	$(BIN)/hrm trial report $(DEMO)/trial --allocation $(DEMO)/trial/allocation.csv --force
	@echo 'written to $(DEMO)/:' && ls -l '$(DEMO)'
	@echo 'the report of the synthetic trial: $(DEMO)/trial/report/report.html'

published: $(INSTALLED) ## recompute the trial's published counts into docs/trial/published.md
	$(BIN)/python docs/trial/make_published.py

test: $(INSTALLED) ## run all tests
	$(BIN)/python -m pytest $(PYTEST_ARGS)

test-kernels: $(INSTALLED) ## run the kernel tests as plain Python (95 % of lines), then with bounds checked
	NUMBA_DISABLE_JIT=1 COVERAGE_FILE='$(COVERAGE)' $(BIN)/python -m coverage run \
	  --source=hrm/kernels -m pytest tests/kernels
	COVERAGE_FILE='$(COVERAGE)' $(BIN)/python -m coverage report --show-missing --fail-under=95
	NUMBA_BOUNDSCHECK=1 HRM_NUMBA_CACHE=off $(BIN)/python -m pytest tests/kernels $(PYTEST_ARGS)

bench: $(INSTALLED) ## print how fast it is, as ratios to references; JSON in .benchmarks/
	@mkdir -p .benchmarks
	$(BIN)/python benchmarks/reach.py --json .benchmarks/reach.json
	$(BIN)/python -m pytest benchmarks/bench_kernels.py benchmarks/bench_import.py \
	  --benchmark-enable --benchmark-json=.benchmarks/kernels.json -s

gate: $(INSTALLED) ## fail if a kernel became 1.5 times slower than in the commit of benchmarks/BASE
	$(BIN)/python benchmarks/gate.py

# One after the other: they end processes and measure time.
test-faults: $(INSTALLED) ## kill, fill, hang and cut off a batch and a viewer, and see that nothing is lost
	$(BIN)/python -m pytest tests/batch/faults.py tests/worklist/faults.py

# Not in the lock: Playwright drives a browser, npm brings the type checker and axe-core.
browser: $(INSTALLED) ## have Debian's Chromium, Node and Playwright (as root they are installed)
	@for tool in chromium npm; do command -v $$tool >/dev/null || missing="$$missing $$tool"; done; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ]; then \
	  apt-get update --quiet --quiet && apt-get install --yes --quiet --quiet $$missing; \
	elif [ -n "$$missing" ]; then \
	  echo "this needs$$missing (on Debian: apt-get install$$missing)" >&2; exit 1; \
	fi
	@$(BIN)/python -c 'import playwright' 2>/dev/null || \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check 'playwright>=1.49'
	@$(MAKE) --no-print-directory node_modules/.done

test-browser: browser ## drive the viewer, a worklist and a report in Debian's Chromium
	$(BIN)/python -m pytest $(BROWSER_ARGS) tests/browser/page.py tests/browser/swallow_page.py tests/browser/report_page.py tests/browser/worklist_page.py

test-page: node_modules/.done ## check the types of the viewer's page
	node_modules/.bin/tsc -p jsconfig.json

node_modules/.done: package.json package-lock.json
	@command -v npm >/dev/null || { echo 'this needs Node 20 or later with npm' >&2; exit 1; }
	npm ci --silent --no-audit --no-fund --ignore-scripts
	@touch '$@'

lint: $(INSTALLED) ## ruff (with numpydoc docstrings), mypy, typos
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/typos

# Not --quiet: --strict counts only the warnings that are printed.
docs: $(INSTALLED) ## build the documentation into site/, warnings as errors, without network
	$(BIN)/python -m mkdocs build --strict
	@echo 'the documentation: site/index.html (its search needs a server: python -m http.server -d site)'

# Needs uv, and the network or a cache: every environment is made anew.
package: $(INSTALLED) ## build wheel and sdist, look inside, install them on each Python with each extra
	$(BIN)/python -m pytest tests/package/installs.py -s

# One version of each package for every Python (--fork-strategy fewest): the same numbers everywhere.
lock: ## resolve requirements.lock again (needs uv)
	@command -v uv >/dev/null || { echo 'make lock needs uv (pip install uv)' >&2; exit 1; }
	uv --no-config pip compile pyproject.toml --universal --all-extras --group build \
	  --generate-hashes --fork-strategy fewest --no-emit-index-url --no-emit-find-links \
	  --custom-compile-command 'make lock' $(LOCK_ARGS) --quiet --output-file requirements.lock

clean: ## remove .venv, demo-output, site and caches
	rm -rf '$(VENV)' '$(DEMO)' build dist site .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find hrm tests -type d -name __pycache__ -prune -exec rm -rf {} +
