# Two commands set everything up on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
PORT ?= 5000
VENV := .venv
BIN := $(VENV)/bin
ENGINES := chromium firefox webkit
BROWSERS ?= $(ENGINES)
AS_ROOT := $(shell [ "$$(id -u)" = 0 ] || echo sudo)

.PHONY: demo test servers test-browsers lint format assets check-assets audit docs tables release-check bench screenshot browser clean \
  $(ENGINES:%=browser-%) $(ENGINES:%=test-browser-%)

demo: $(VENV)/base  ## Serve the demo site with the sandbox; PORT=8000 chooses the port
	$(BIN)/segment-intercom demo --port $(PORT)

# Older releases of Segment's library, which send their key otherwise.
SEGMENTS := $(VENV)/segment-2.2 $(VENV)/segment-2.3

test: $(VENV)/test browser servers $(SEGMENTS) node_modules/.package-lock.json  ## Run all tests
	$(BIN)/python -m pytest $(ARGS)

test-browsers: $(BROWSERS:%=test-browser-%)  ## Run the tests of pages in three browsers; BROWSERS=webkit chooses

$(ENGINES:%=test-browser-%): test-browser-%: $(VENV)/test browser-%
	$(BIN)/python -m pytest tests/browser --browser $* $(ARGS)

lint: $(VENV)/lint check-assets  ## Check style, types, and that the built scripts are up to date
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	node_modules/.bin/tsc -p tests/types
	node_modules/.bin/pyright -p tests/types --pythonpath $(BIN)/python

format: $(VENV)/lint  ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

assets: node_modules/.package-lock.json  ## Build the scripts that pages get
	npm run --silent build

check-assets: assets  ## Hold the built scripts against their sources, and the browsers that the README names
	@git diff --exit-code --stat -- '*.min.js' || { echo "built scripts differ from their sources: run 'make assets' and commit"; exit 1; }
	@for level in 2015:loader 2015:loader-remote 2015:stub 2020:analytics; do \
	  node_modules/.bin/acorn --ecma$${level%%:*} --silent static/segment_intercom/$${level##*:}.min.js \
	  || { echo "$${level##*:}.min.js is not as browsers of ES$${level%%:*} read it"; exit 1; }; done

docs: $(VENV)/docs  ## Build the documentation as a site in docs/_build; a warning is an error
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build

PYTHONS ?= python3.11 python3.12 python3.13

release-check: $(VENV)/release $(VENV)/test  ## Build it, look at it, and run the quickstart from the wheel on each Python
	$(BIN)/python -m tests.release $(PYTHONS)

# It asks public databases of known faults, which a machine without the internet cannot reach.
audit: $(VENV)/audit  ## Look for known faults of the dependencies, the extras' included
	$(BIN)/pip-audit --skip-editable

bench: $(VENV)/bench $(VENV)/test browser servers  ## Measure, and print ratios
	$(BIN)/python -m benchmarks

screenshot: $(VENV)/test browser  ## Take the pictures of the documentation
	$(BIN)/python -m tests.browser.screenshot docs

tables: $(VENV)/test  ## Write the tables of the documentation that are made from the code
	$(BIN)/python -m tests.tables

# The browsers are the system's: Playwright's own Chromium is used where there is no package for it.
browser: browser-chromium

# The servers that tests start, each with a folder of its own: PostgreSQL, NATS.
servers:
	@{ ls /usr/lib/postgresql/*/bin/postgres || command -v postgres; } >/dev/null 2>&1 && command -v nats-server >/dev/null \
	  && { command -v pgbouncer || ls /usr/sbin/pgbouncer; } >/dev/null 2>&1 || { \
	  echo "no PostgreSQL, PgBouncer or nats-server found; installing them"; \
	  command -v apt-get >/dev/null && $(AS_ROOT) apt-get update -qq && $(AS_ROOT) apt-get install -y -qq --no-install-recommends \
	  postgresql pgbouncer nats-server >/dev/null; } || { \
	  echo "install the servers of the tests: apt-get install postgresql pgbouncer nats-server"; exit 1; }

$(ENGINES:%=browser-%): browser-%: $(VENV)/test
	@$(BIN)/python -m tests.browser.find_browser $* 2>/dev/null || { \
	  echo "no $* found; installing it"; \
	  { command -v apt-get >/dev/null && $(AS_ROOT) apt-get update -qq && $(AS_ROOT) apt-get install -y -qq --no-install-recommends \
	    $$($(BIN)/python -m tests.browser.find_browser --packages $*) >/dev/null; } \
	  || { [ $* = chromium ] && $(BIN)/playwright install --with-deps chromium; } || true; }
	@$(BIN)/python -m tests.browser.find_browser $*

clean:
	rm -rf $(VENV) node_modules dist docs/_build .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  command -v apt-get >/dev/null && $(AS_ROOT) apt-get update -qq && $(AS_ROOT) apt-get install -y -qq python3-venv >/dev/null \
	  && $(PYTHON) -m venv $(VENV); }

$(VENV)/base: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/%: pyproject.toml | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[$*]'
	@touch $@

$(VENV)/segment-%: | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --target $@ "segment-analytics-python==$*.*"

node_modules/.package-lock.json: package.json package-lock.json
	@command -v npm >/dev/null || { $(AS_ROOT) apt-get update -qq && $(AS_ROOT) apt-get install -y -qq --no-install-recommends npm >/dev/null; } \
	  || { echo "npm is missing: install Node.js, for example with 'apt-get install npm'"; exit 1; }
	npm ci --silent --no-audit --no-fund
	@touch $@
