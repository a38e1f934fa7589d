# `make demo` parses the example documents with everything running on this machine; `make test` runs the tests.
# Needs Python 3.11 and a package index; everything is installed into .venv.
PYTHON ?= python3.11
BIN := .venv/bin
# ONNX Runtime would collect usage in the home folder, to be sent home.
export ORT_DISABLE_TELEMETRY := 1
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps

.DEFAULT_GOAL := help
.PHONY: help demo serve test test-fast test-fuzz test-clients test-vllm test-docker check format api-docs bench bench-soak bench-page bench-cpu bench-layout bench-layout-model lock clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "%-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/local  ## Parse every file in examples/ and write demo-output/
	@$(BIN)/python -m deploy.local.demo

serve: .venv/local  ## Run the three tiers in the foreground, gateway on http://localhost:8080
	@$(BIN)/python -m deploy.local.serve

test: .venv/dev  ## Run the tests, those on the real tiers included
	$(BIN)/python -m pytest

test-fast: .venv/dev  ## Run the tests that need no running tiers
	$(BIN)/python -m pytest -m "not stack and not fuzz"

test-fuzz: .venv/dev  ## Ask the gateway thousands of made requests, good and bad
	$(BIN)/python -m pytest -m fuzz

test-clients: .venv/dev  ## Run third-party clients against the real tiers (installs them once, about 1 GB)
	$(BIN)/python -m pytest tests/clients -m clients

test-vllm: .venv/dev  ## Run the tiers with a real vLLM on the CPU (installs it once, 2.5 GB)
	$(BIN)/python -m pytest tests/vllm -m vllm

test-docker: .venv/dev  ## Build the images and run them with compose.yaml (needs a Docker daemon)
	$(BIN)/python -m pytest tests/docker -m docker -s

check: .venv/dev  ## Lint, format check, types, import rules, shell scripts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=.:triton_models $(BIN)/lint-imports
	$(BIN)/shellcheck -x prepare.sh requirements/lock.sh .ci/run deploy/containers/*.sh

format: .venv/dev  ## Format and fix what can be fixed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

api-docs: .venv/dev  ## Write docs/API.md and docs/SETTINGS.md anew from the code
	PYTHONPATH=.:triton_models $(BIN)/python -m docs

bench: .venv/bench  ## Measure flow and speed against a reference-style service (make bench ARGS="--only mixed")
	$(BIN)/python -m benchmarks $(ARGS)

bench-soak: .venv/bench  ## 20,000 small requests: does the memory of any process grow
	$(BIN)/python -m benchmarks --only soak --soak-requests 20000 $(ARGS)

bench-page: .venv-plots/done  ## Put a run into docs/PERFORMANCE.md (make bench-page RESULT=benchmarks/results/DATE.json)
	.venv-plots/bin/python -m benchmarks.publish $(RESULT)

bench-cpu: .venv/dev  ## Compare the CPU stack with its engines called directly; measure its memory
	$(BIN)/python -m benchmarks.cpu

bench-layout: .venv/dev  ## Pages a second of PP-DocLayoutV2 at real size, on CPU and GPU (MODEL=folder of the real one)
	PYTHONPATH=.:triton_models PADDLE_PDX_DISABLE_MODEL_SOURCE_CHECK=True $(BIN)/python -m benchmarks.layout $(if $(MODEL),--model-dir $(MODEL)) $(ARGS)

bench-layout-model: .venv-bench/made  ## Build PP-DocLayoutV2 at real size with random weights for bench-layout (torch: over 1 GB)
	.venv-bench/bin/python benchmarks/layout/build.py .bench/PP-DocLayoutV2

lock: .venv/dev  ## Write requirements/*.txt anew from pyproject.toml (make lock ARGS=--upgrade)
	$(PIP) uv
	PATH="$(CURDIR)/$(BIN):$$PATH" requirements/lock.sh $(ARGS)

clean:  ## Remove what make has made
	rm -rf .venv .venv-clients .venv-vllm .venv-bench .venv-plots .bench .stack demo-output .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

.venv/bin/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: install it, or say where it is with PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo "$(PYTHON) is not Python 3.11, the version that Triton's Python backend is built for" >&2; exit 1; }
	@echo "making .venv"
	@$(PYTHON) -m venv .venv

# The lock files name every package with its hash, so pip resolves nothing.
.venv/local: requirements/local.txt requirements/tritonserver.txt | .venv/bin/python
	@echo "installing the three tiers into .venv (a few minutes and 1.2 GB, once)"
	@$(PIP) --require-hashes -r requirements/local.txt -r requirements/tritonserver.txt
	@touch $@

.venv/dev: requirements/dev.txt .venv/local
	@echo "installing the development tools into .venv"
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

# Only for a network that serves nobody, so without hashes. Any torch will do; that of PyPI brings CUDA with it.
.venv-bench/made: | .venv/bin/python
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check torch==2.13.0 transformers==5.19.0 onnx==1.23.2 pyyaml
	@touch $@

.venv-plots/done: requirements/plots.txt .venv/bin/python
	@$(PYTHON) -m venv .venv-plots
	@.venv-plots/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/plots.txt
	@touch $@

.venv/bench: requirements/bench.txt .venv/dev
	@echo "installing what the benchmark needs into .venv"
	@$(PIP) --require-hashes -r requirements/bench.txt
	@touch $@
