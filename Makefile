# Every target makes the environment it needs: on a fresh machine with Python 3.11 and make, one command is enough.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: help figures test check reports reports-mnist clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

figures: $(READY)  ## draw every figure of the article into figures/
	$(BIN)/gsm sample --repeat 10
	$(BIN)/gsm expectation
	$(BIN)/gsm grid

test: check  ## lint, type-check and run the tests
	$(BIN)/pytest -n 2

check: $(READY)  ## lint, check who imports whom, type-check
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy

ON_MNIST := marginalize gumbel straight-through sum-and-sample supervised
OBJECTIVES := marginalize gumbel straight-through gumbel-rao reinmax sum-and-sample sparse-marginalize reinforce supervised

# Of the MNIST runs. Where the processor has no bfloat16 products, give PRECISION=float32 to start runs of your own.
PRECISION ?= bf16

reports: $(READY)  ## run the digits experiment, ten seeds of every objective, and write its report
	OMP_NUM_THREADS=1 $(BIN)/gsm train-ssl --seeds 0-9 $(addprefix --objective ,$(OBJECTIVES))
	OMP_NUM_THREADS=1 $(BIN)/gsm train-ssl --seeds 0-4 --objective marginalize --objective gumbel --set kl_start=1
	OMP_NUM_THREADS=1 $(BIN)/gsm train-ssl --seeds 0-7 --objective marginalize --objective gumbel --precision bf16
	OMP_NUM_THREADS=1 $(BIN)/gsm gradients

reports-mnist: $(READY)  ## run the article's experiment on MNIST, three seeds of five objectives, and write its report
	OMP_NUM_THREADS=1 $(BIN)/gsm train-ssl --dataset mnist --precision $(PRECISION) --seeds 0-2 $(addprefix --objective ,$(ON_MNIST))
	OMP_NUM_THREADS=1 $(BIN)/gsm train-ssl --dataset mnist --preset long --objective gumbel --objective sum-and-sample
	OMP_NUM_THREADS=1 $(BIN)/gsm train-ssl --dataset mnist --preset article --epochs 10

clean:  ## remove the environment and every cache
	rm -rf $(VENV) build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
