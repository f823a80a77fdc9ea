# Two commands for a fresh machine with Python 3.11: `make demo` and `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
DEMO_STORE ?= demo-store

.PHONY: demo test promises slow lint bench clean

demo: $(VENV)/.demo
	$(BIN)/cryoatlas demo --store $(DEMO_STORE)

test: $(VENV)/.dev
	$(BIN)/python -m pytest

# what operators rely on, and takes minutes: a worker, processes that are killed, buckets, weights, tiles of another size
promises: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow tests/flows/test_worker.py tests/flows/test_killed.py tests/flows/test_main_road.py \
		tests/flows/test_until.py tests/flows/test_trained_model.py tests/flows/test_trained_detector.py \
		tests/flows/test_object_store_road.py tests/tasks/test_killed_release.py

# all tests that take minutes, an hour or two together
slow: $(VENV)/.dev
	$(BIN)/python -m pytest -m slow

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

$(VENV)/.demo: pyproject.toml constraints.txt
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

$(VENV)/.dev: $(VENV)/.demo
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) $(DEMO_STORE)
