# `make` lists the tasks. Only Python 3.11+ with pip is needed.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
DEPLOY_STAMP := $(VENV)/.installed-deploy

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all check bench events migration isolation image up down clean

help: ## list the tasks
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(STAMP) ## make the virtual environment

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(STAMP)

demo: $(STAMP) ## a working day of a company, live; LEVEE_LOG=path replays a real log instead
	@$(BIN)/levee demo $(if $(LEVEE_LOG),--log '$(LEVEE_LOG)')

test: $(STAMP) ## everything that must be green before a change lands
	@$(BIN)/pytest -q -n 2 --dist loadfile -m 'not slow' $(ARGS)

# What checks chart, compose file and Dockerfile: 250 MB, so only where it is used.
$(DEPLOY_STAMP): $(STAMP)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,deploy]'
	@touch $(DEPLOY_STAMP)

test-all: $(DEPLOY_STAMP) ## and what takes longer: chaos, long replays, releases side by side
	@$(BIN)/pytest -q -n 2 --dist loadfile $(ARGS)

check: $(STAMP) ## format, lint, types, boundaries, contracts, unit tests: within a minute
	@$(BIN)/ruff format --check --quiet . && $(BIN)/ruff check --quiet .
	@$(BIN)/python -m tools.lint
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache 2>&1 | tail -n 12
	@$(BIN)/python -m tools.event_contracts check && $(BIN)/python -m tools.api_documents check && $(BIN)/python -m tools.nats_users check
	@$(BIN)/pytest -q -n 2 tests/unit -m 'not slow' -x

bench: $(STAMP) ## measure, as ratios to a floor of the same run
	@$(BIN)/python -m tests.benchmarks $(ARGS)

events: $(STAMP) ## write event schemas, examples, docs/events.md, api/, metrics.md, templates, NATS users
	@$(BIN)/python -m tools.event_contracts export && $(BIN)/python -m tools.api_documents export && $(BIN)/python -m tools.nats_users export && $(BIN)/python -m tools.metrics_document export && $(BIN)/python -m tools.dialect_document export && $(BIN)/python -m tools.element_templates export

migration: $(STAMP) ## SERVICE=clock NAME=add_paused_at STEP=pre
	@$(BIN)/python -m tools.new_migration '$(SERVICE)' '$(NAME)' '$(STEP)'

isolation: $(STAMP) ## SERVICE=clock: its image's steps in an empty folder, its tests, start and stop
	@$(BIN)/python -m tools.isolation '$(SERVICE)'

VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
image: ## SERVICE=clock: one image per service (needs a Docker engine)
	docker build -f infra/docker/Dockerfile --build-arg SERVICE=$(SERVICE) --build-arg VERSION=$(VERSION) \
	  --build-arg REVISION=$$(git rev-parse --short HEAD) -t levee-$(SERVICE):$(VERSION) -t levee-$(SERVICE):latest .

up: $(STAMP) ## the whole house in one process, data under .levee
	@$(BIN)/levee up

down: $(STAMP) ## stop the house that `make up` or `make demo` started
	@$(BIN)/levee down

clean: ## remove the environment and the data of the house
	rm -rf $(VENV) .levee
