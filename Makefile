# The commands of this project; `make` alone lists them. Each recipe line is one program, so that
# Ctrl-C and TERM reach it.

PYTHON ?= python3
# More arguments for pytest: make test ARGS="-k spend"
ARGS ?=
# For how many seconds `make chaos` attacks, and the seed of its timetable.
DURATION ?= 120
SEED ?= 1

# What production sets, for the checks that look at the settings.
PRODUCTION = DEBUG=0 HTTPS_ONLY=1 ALLOWED_HOSTS=budget.example.com \
	DATABASE_URL=sqlite://:memory: \
	SECRET_KEY=only-for-make-check-0123456789-abcdefghijklmnopqrstuvwxyz

.DEFAULT_GOAL := help
.PHONY: help install run test test-deep mutants chaos bench bench-ticks bench-lists check format \
	lock clean

help: ## List these commands
	@exec awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

install: ## Make .venv from requirements.lock (does nothing when it is up to date)
	@exec $(PYTHON) stack/install.py

run: install ## Run the whole system on this machine, with demo data; Ctrl-C stops it. PORT=8000
	@exec .venv/bin/python -m stack run --with-parent

test: install ## Run the tests on SQLite and on a throw-away PostgreSQL. ARGS="…" goes to pytest
	@exec .venv/bin/python -m stack test $(ARGS)

test-deep: install ## The same with every example: all time zones to 2036, thousands of random cases
	@exec env DEEP=1 .venv/bin/python -m stack test $(ARGS)

mutants: install ## Break the product on purpose, in every way we know, and see that a test notices
	@exec .venv/bin/python -m stack mutants $(ARGS)

bench: install ## Measure what is promised of speed (five minutes). ARGS="--help"
	@exec .venv/bin/python -m stack bench $(ARGS)

bench-ticks: install ## Measure a tick among a million campaigns (five minutes). ARGS="--help"
	@exec .venv/bin/python -m stack bench-ticks $(ARGS)

bench-lists: install ## Measure lists and admission beside a log of 10 million. ARGS="--help"
	@exec .venv/bin/python -m stack bench-lists $(ARGS)

chaos: install ## Attack the whole system (about three minutes). DURATION=120 SEED=1 ARGS="--help"
	@exec .venv/bin/python -m stack chaos --duration $(DURATION) --seed $(SEED) $(ARGS)

check: install ## Format, lint, types, migrations, settings
	@exec .venv/bin/ruff format --check .
	@exec .venv/bin/ruff check .
	@exec .venv/bin/mypy .
	@exec env $(PRODUCTION) .venv/bin/python manage.py makemigrations --check --dry-run
	@exec env $(PRODUCTION) .venv/bin/python manage.py check --deploy --fail-level WARNING

format: install ## Rewrite the code in the common format
	@exec .venv/bin/ruff format .
	@exec .venv/bin/ruff check --fix .

lock: install ## Rewrite requirements.lock from requirements.txt
	@exec .venv/bin/python -m pip install --quiet uv==0.13.8
	@exec .venv/bin/uv pip compile requirements.txt --output-file requirements.lock --quiet \
		--universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url

clean: ## Remove .venv and caches; var/ stays, since it holds your data
	@exec rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
