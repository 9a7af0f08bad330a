# Every target makes the environment it needs: on a fresh machine with Python 3.11 and make, one command is enough.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

.PHONY: help figures test check faults-sample faults mutants reports reports-mnist clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

figures: $(READY)  ## draw every figure of the article into figures/
	$(BIN)/gsm sample --repeat 10
	$(BIN)/gsm expectation
	$(BIN)/gsm grid
	$(BIN)/gsm simplex
	$(BIN)/gsm animate
	$(BIN)/gsm animate --simplex
	$(BIN)/gsm explore

test: check  ## lint, type-check and run the tests, but for what faults-sample runs
	$(BIN)/pytest -n 2 --dist worksteal -m "not faults"

check: $(READY)  ## lint, check who imports whom, type-check
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports --no-cache
	$(BIN)/mypy

faults-sample: $(READY)  ## a few trials of each kind of fault, a minute or two
	$(BIN)/pytest -n 2 -m faults

# So many trials of each kind at most: thirty take a quarter of an hour on two idle cores.
FAULTS ?= 30

faults: $(READY)  ## kill, interrupt, starve and damage it, and count what kept its promise
	FAULTS=$(FAULTS) $(BIN)/pytest -n 2 -m faults

mutants: $(READY)  ## put small faults into the code, and count those that the tests find
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[mutants]'
	$(BIN)/python tests/mutants.py

# Of the MNIST runs. Where the processor has no bfloat16 products, give PRECISION=float32 to start runs of your own.
PRECISION ?= bf16
MNIST := $(BIN)/gsm train-ssl --dataset mnist --precision $(PRECISION)
TEN := $(MNIST) --epochs 10 --set kl_warmup=0.3
RECIPE := $(TEN) --report mnist-recipe
STRAIGHT := $(TEN) --report mnist-straight-through --seeds 1000-1002 --objective straight-through-gumbel
SEARCHED := marginalize,sum-and-sample,gumbel
PAIRS := $(BIN)/gsm train-ssl --dataset mnist-pairs --precision $(PRECISION)
DIGIT_PAIRS := $(BIN)/gsm train-ssl --dataset digits-pairs
CHEAP := gumbel,sum-and-sample,sparse-marginalize
CLASSES := $(PAIRS) --report mnist-pairs-classes --objective marginalize,$(CHEAP)
TEMPERATURE := $(BIN)/gsm train-ssl --seeds 0-9 --report digits-temperature
DECIDING := marginalize,gumbel,sum-and-sample,supervised
RELAXED := gumbel,straight-through-gumbel,gumbel-rao
LIU := $(BIN)/gsm train-ssl --dataset mnist --preset liu2019 --report mnist-liu2019 --precision float32
WIDE := marginalize,gumbel,straight-through-gumbel,sum-and-sample,sparse-marginalize,reinforce,supervised

reports: $(READY)  ## run the digits experiments, ten seeds each, and write their reports
	$(BIN)/gsm train-ssl --seeds 0-9 --objective all
	OMP_NUM_THREADS=1 $(BIN)/gsm gradients
	$(TEMPERATURE) --objective marginalize
	$(TEMPERATURE) --objective $(RELAXED),straight-through,gst,rebar --tau 0.1,0.2,0.5,1,2
	$(TEMPERATURE) --objective reinmax,reinmax-rao --tau 1,2
	$(TEMPERATURE) --objective $(RELAXED) --tau 1 --tau-min 0.5 --tau-rate 5.266e-5
	$(TEMPERATURE) --objective gumbel --tau 1 --tau-min 0.1 --tau-rate 6.06e-4
	OMP_NUM_THREADS=1 $(BIN)/gsm gradients --no-own-models --objective $(RELAXED),reinmax --tau 0.1,0.2,0.5,1,2 --report digits-temperature
	$(BIN)/gsm train-ssl --seeds 0-9 --report digits-labels --objective $(DECIDING) --labels 20,50,100,200,500
	$(DIGIT_PAIRS) --seeds 0-9 --objective $(WIDE),straight-through,gst,reinmax-rao,unordered-set,rebar
	$(DIGIT_PAIRS) --seeds 0-5 --objective marginalize --epochs 10
	$(DIGIT_PAIRS) --seeds 0-5 --objective $(CHEAP) --epochs 120

reports-mnist: $(READY)  ## run the article's experiment on MNIST, and a hundred classes on pairs of its digits, and write their reports
	$(MNIST) --seeds 0-9 --objective marginalize,$(CHEAP)
	$(MNIST) --seeds 0-5 --objective supervised
	$(MNIST) --seeds 0-7 --objective straight-through-gumbel,gumbel-rao
	$(MNIST) --report mnist-held-back --seeds 100-109 --objective $(DECIDING)
	$(MNIST) --seeds 0-2 --objective gumbel --tau 1 --tau-min 0.1 --tau-rate 1.538e-4
	$(MNIST) --seeds 0-2 --objective marginalize,$(CHEAP) --epochs 3,5,10 --set kl_warmup=0.3
	$(MNIST) --seeds 0-2 --objective $(CHEAP) --epochs 12 --set kl_warmup=0.25
	$(MNIST) --seeds 0-2 --objective marginalize,$(CHEAP) --epochs 20 --set kl_warmup=0.15
	$(MNIST) --seeds 0-2 --objective marginalize,$(CHEAP) --preset long
	$(MNIST) --report mnist-article --seeds 0-2 --objective gumbel,marginalize --preset article
	$(MNIST) --model m2 --report mnist-m2 --seeds 0-6 --objective marginalize,gumbel,straight-through-gumbel,straight-through
	$(LIU) --seeds 0-4 --objective marginalize,gumbel,sum-and-sample,reinforce
	$(LIU) --seeds 0-4 --objective rebar --tau 0.1 --tau-min 0 --tau-rate 0
	$(LIU) --seeds 0-2 --objective sparse-marginalize
	$(LIU) --seeds 0-2 --objective straight-through --tau 1 --tau-rate 0
	$(MNIST) --report mnist-vat --seeds 0-5 --objective $(DECIDING) --set vat_weight=5
	$(MNIST) --seeds 0-2 --objective supervised --preset long --labels 40000 --batch-size 20 --set labelled_batch=100
	$(TEN) --report mnist-norm --seeds 1000-1005 --objective $(SEARCHED) --set norm=layer,batch --set weight_std=none,0.001,4.5e-5
	$(MNIST) --report mnist-norm --seeds 1000-1002 --objective gumbel
	$(MNIST) --report mnist-norm --seeds 1000-1002 --objective gumbel --set norm=batch --set weight_std=4.5e-5
	$(RECIPE) --seeds 1000-1005 --objective $(SEARCHED)
	$(RECIPE) --seeds 1000-1005 --objective gumbel --set entropy_weight=0
	$(RECIPE) --seeds 1000-1005 --objective $(SEARCHED) --set weight_decay=0.1
	$(RECIPE) --seeds 1000-1002 --objective $(SEARCHED) --mc-samples 2
	$(RECIPE) --seeds 1000-1002 --objective $(SEARCHED) --set kl_start=3
	$(RECIPE) --seeds 1000-1002 --objective $(SEARCHED) --set latent=32 --set auxiliary=32
	$(RECIPE) --seeds 1000-1002 --objective $(SEARCHED) --learning-rate 2e-3
	$(RECIPE) --seeds 1000-1002 --objective $(SEARCHED) --learning-rate 5e-4 --batch-size 50
	$(RECIPE) --seeds 1000-1005 --objective gumbel --tau 0.7 --set draws=2
	$(RECIPE) --seeds 1000-1002 --objective gumbel --tau 0.7
	$(RECIPE) --seeds 1000-1002 --objective gumbel --set draws=2
	$(STRAIGHT) --tau 0.2,0.5,1
	$(STRAIGHT) --set entropy_weight=0
	$(STRAIGHT) --learning-rate 5e-4
	$(STRAIGHT) --set classification_weight=500
	$(RECIPE) --seeds 1000-1002 --objective sum-and-sample --set vat_weight=5
	$(RECIPE) --seeds 1000-1002 --objective sum-and-sample --set vat_weight=20 --set vat_radius=0.6,1.25,2.5
	$(PAIRS) --seeds 0-7 --objective $(WIDE),straight-through
	$(PAIRS) --seeds 0-2 --objective marginalize --epochs 2 --set kl_warmup=0.5
	$(PAIRS) --seeds 0-2 --objective $(CHEAP) --epochs 3 --set kl_warmup=0.5
	$(PAIRS) --seeds 0-2 --objective $(CHEAP) --epochs 30 --learning-rate 2e-3 --set kl_warmup=0.1
	$(CLASSES) --seeds 0-3 --set classes=10 --epochs 100
	$(CLASSES) --seeds 0-3 --set classes=20 --epochs 50
	$(CLASSES) --seeds 0-3 --set classes=50 --epochs 20
	$(CLASSES) --seeds 0-7

clean:  ## remove the environment and every cache
	rm -rf $(VENV) $(VENV)-* build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
