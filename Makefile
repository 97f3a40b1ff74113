# make demo | make console | make test | make help. Each target creates .venv first if it is missing.
# PYTHON=... is the interpreter, WORKERS=... the number of test processes.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
WORKERS ?= 3
PYTHON ?=
TESTS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo console test lint format check setup docs sample constraints clean

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /  make \1\t/' | expand -t 24

setup: $(STAMP) ## create .venv with the pinned packages

$(STAMP): pyproject.toml clients/python/pyproject.toml constraints.txt
	@sh .ci/setup $(VENV) "$(PYTHON)"

demo: $(STAMP) ## the whole pipeline on the included data set, up to calls over gRPC
	@$(BIN)/recsys run configs/demo.toml
	@echo "Look at it in a browser: make console"

console: $(STAMP) runs/demo/bundles/CURRENT ## serve the demo's bundle, and look at it in a browser
	@sh .ci/console $(BIN)

runs/demo/bundles/CURRENT:
	@$(MAKE) --no-print-directory demo

# All tests of a file run on the same worker. One worker more than two cores, since the tests of
# services and browsers wait as long as they compute; one thread of TensorFlow and BLAS for each.
test: $(STAMP) ## run the tests (TESTS=tests/index for a part)
	@TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 OMP_NUM_THREADS=1 \
		$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(TESTS)

lint: $(STAMP) ## ruff, mypy and the language rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m tests.language

format: $(STAMP) ## format the source with ruff
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

check: lint test ## lint, then test

docs: $(STAMP) ## write the references of the commands and of the configuration
	@$(BIN)/python docs/make_cli.py
	@$(BIN)/python docs/make_configuration.py
	@$(BIN)/python docs/make_settings.py

sample: $(STAMP) ## generate the included data set again
	@$(BIN)/python data/make_sample.py

constraints: $(STAMP) ## pin the newest versions that pyproject.toml allows (needs uv in .venv)
	@$(BIN)/uv pip compile --no-python-downloads --universal --python-version 3.10 --extra dev \
		--quiet --upgrade --no-emit-index-url --no-header --no-annotate \
		--no-emit-package recsys-client \
		pyproject.toml -o $(VENV)/constraints.txt
	@sed -E "s/ and sys_platform == 'linux'//; s/ ; python_full_version < '3.14'$$//; \
		s/ and python_full_version < '3.14'//" $(VENV)/constraints.txt >constraints.txt

clean: ## remove runs and caches, but neither data nor .venv
	@rm -rf runs .pytest_cache .mypy_cache .ruff_cache .hypothesis build
