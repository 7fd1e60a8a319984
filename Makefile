# Two commands to know: `make dataset` and `make test`. Both set up their own environment in .venv.
RECIPE ?= recipes/sample.toml
OUT ?= dataset
WORK ?= work
ENGINE ?= duckdb
JOBS ?= 0
RAW ?=
SEED ?=
SPLIT_SEED ?=
SEEDS ?=
FREEZE ?=
FETCH ?=
LOCK ?= sources.lock.toml
REVIEW ?= review
REPO ?=
PORT ?=
TAG ?=
PYTHON ?= python3
VENV ?= .venv

BIN := $(VENV)/bin
PLACES := --review "$(REVIEW)" --out "$(OUT)" --work "$(WORK)" --engine $(ENGINE) --jobs $(JOBS) $(if $(RAW),--raw "$(RAW)")

.PHONY: help dataset fetch splits review browse report publish test test-slow test-spark test-browser lint types docs check clean

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

dataset: $(VENV)/runtime ## Build a dataset (RECIPE, RAW, FETCH=1, LOCK, OUT, WORK, SEED, SPLIT_SEED, FREEZE, ENGINE, JOBS)
	$(BIN)/ecinstruct build "$(RECIPE)" $(PLACES) $(if $(SEED),--seed $(SEED)) $(if $(SPLIT_SEED),--split-seed $(SPLIT_SEED)) $(if $(FREEZE),--freeze "$(FREEZE)") $(if $(FETCH),--fetch --lock "$(LOCK)")

fetch: $(VENV)/runtime ## Fetch the upstream files of a recipe (RECIPE, RAW, LOCK)
	$(BIN)/ecinstruct sources fetch --recipe "$(if $(filter command environment,$(origin RECIPE)),$(RECIPE),$(error Say for which recipe: make fetch RECIPE=recipes/small.toml RAW=raw))" --raw "$(or $(RAW),$(error Say where to: make fetch RECIPE=recipes/small.toml RAW=raw))" --lock "$(LOCK)"

splits: $(VENV)/runtime ## Regenerate the splits with SEED, or SEEDS=1,2,3; only split and render run again
	$(BIN)/ecinstruct splits $(if $(filter command environment,$(origin RECIPE)),"$(RECIPE)") $(PLACES) $(if $(SEEDS),--seeds $(SEEDS),--seed $(or $(SEED),0))

review: $(VENV)/runtime ## Let people judge a sample of the dataset in their browser (OUT, REVIEW, PORT)
	$(BIN)/ecinstruct review serve --dataset "$(OUT)" --review "$(REVIEW)" $(if $(PORT),--port $(PORT))

browse: $(VENV)/runtime ## Page through the dataset in a browser (OUT, WORK, PORT)
	$(BIN)/ecinstruct browse --dataset "$(OUT)" --work "$(WORK)" $(if $(PORT),--port $(PORT))

report: $(VENV)/runtime ## Write report.html on the last build (OUT, WORK, REVIEW)
	$(BIN)/ecinstruct report --dataset "$(OUT)" --work "$(WORK)" --review "$(REVIEW)"

publish: $(VENV)/runtime ## Publish the dataset to the Hugging Face Hub (REPO=org/name, TAG, OUT, WORK, REVIEW)
	$(BIN)/ecinstruct publish --repo "$(or $(REPO),$(error Say where to: make publish REPO=org/name))" $(if $(TAG),--tag "$(TAG)") --dataset "$(OUT)" --work "$(WORK)" --review "$(REVIEW)"

test: $(VENV)/test ## Run the unit tests
	$(BIN)/pytest -n auto --dist worksteal -m "not slow and not spark and not browser"

test-slow: $(VENV)/test ## Run the tests that take longer
	$(BIN)/pytest -n auto --dist worksteal -m "slow and not spark and not browser"

test-spark: $(VENV)/spark ## Run the tests on Spark (needs Java 17)
	$(BIN)/pytest -m spark

test-browser: $(VENV)/browser ## Run the tests in a browser (needs Chromium)
	$(BIN)/pytest -n auto --dist worksteal -m browser

lint: $(VENV)/dev ## Check style
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/dev ## Check types
	$(BIN)/mypy

docs: $(VENV)/runtime ## Write the reference pages in docs/ anew
	$(BIN)/python -m ecinstruct_build.handbook.pages docs

check: lint types test test-slow ## Everything but Spark

clean: ## Remove the environment, the stage store and the datasets of all seeds; reviews stay
	rm -rf "$(VENV)" "$(WORK)" "$(OUT)" "$(OUT)"-seed-* "$(OUT)"-splits.json

# Each environment step leaves a stamp; constraints.txt pins every version.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; say which with PYTHON=..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "Python cannot make virtual environments; on Debian: apt install python3-venv"; exit 1; }

$(VENV)/runtime: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	@touch $@

$(VENV)/test $(VENV)/spark $(VENV)/browser $(VENV)/dev: $(VENV)/%: $(VENV)/runtime
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test,$*]'
	@touch $@
