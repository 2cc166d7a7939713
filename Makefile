# `make demo` and `make test` set up everything that they need, on a fresh machine too.

PYTHON ?= python3
BIN := .venv/bin
# Half as many again as there are cores: many tests wait for a process, a server or a browser.
TESTERS := $(shell echo $$(( ($$(nproc 2>/dev/null || echo 2) * 3 + 1) / 2 )))

.PHONY: help setup demo test check format bench constraints clean

help:  ## what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

setup: .venv/.dev  ## a virtual environment with the program and all that its tests need

demo: .venv/.dev  ## the main job: build, check, import, test, broadcast the February issue, into files
	@PATH="$(CURDIR)/$(BIN):$$PATH" scripts/demo

test: check  ## the gate: all checks and all tests
	scripts/install-debian-packages chromium postgresql spamassassin
	$(BIN)/pytest -n $(TESTERS) --dist worksteal

check: .venv/.dev  ## formatting, lint, types, layers, and whether the packages fit each other
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pip check

format: .venv/.dev  ## put the code into its form
	$(BIN)/ruff check --fix --select I
	$(BIN)/ruff format

bench: .venv/.dev  ## the measured promises, as ratios against named peers
	scripts/install-debian-packages postgresql
	scripts/unpack-postfix-tools
	PATH="$(CURDIR)/build/postfix/bin:$$PATH" $(BIN)/python -m benchmarks

constraints: .venv/.dev  ## pin what pyproject.toml asks for, with the hash of every file
	scripts/freeze-constraints

clean:  ## remove what was made, but neither the database nor the outbox
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# Two steps, since a folder has no hash: what constraints.txt pins, and then this folder, built with what is there by now.
.venv/.dev: pyproject.toml constraints.txt scripts/make-venv
	PYTHON="$(PYTHON)" scripts/make-venv
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@
