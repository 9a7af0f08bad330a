"""What it brings a run that glibc keeps its memory: an epoch of the MNIST preset, in processes that do and do not.

A process of each kind in turns, as glibc begins, as Dask starts its workers, and with `keep_memory`, which every task
calls; the processor's seconds of an epoch and the pages that it has mapped anew. Takes two minutes, on a free core.

    python benchmarks/memory.py [ROUNDS]
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from statistics import median

from msgspec import structs
from step import Result, report

from gsm_cli.data.dataset import Images
from gsm_cli.measures.steps import peak_memory, random_split
from gsm_cli.objectives import GUMBEL
from gsm_cli.runs.environment import keep_memory
from gsm_cli.runs.training import Run
from gsm_cli.settings import build

IMAGES = 10_000
KEPT = "kept"
DASK = {"MALLOC_TRIM_THRESHOLD_": "65536"}


KINDS: dict[str, tuple[dict[str, str], Callable[[], object]]] = {  # variables, and what the process does first
    "as glibc begins": ({}, lambda: None),
    "as Dask starts a worker": (DASK, lambda: None),
    KEPT: (DASK, keep_memory),
}


def epoch(kind: str) -> dict[str, float]:
    """Seconds of an epoch with its validation, and pages mapped anew in it, in this process; after one to warm up."""
    KINDS[kind][1]()
    config = build({"dataset": "mnist", "objective": GUMBEL, "epochs": 2})
    split = random_split(structs.replace(config, batch_size=IMAGES), 10)
    validation = Images(split.unlabelled.pixels, split.unlabelled.pixels[:, 0].astype("int64") % 10)
    run = Run(config, replace(split, validation=validation))
    run.epochs.append(run.epoch())
    start, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    run.epoch()
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    return {"seconds": time.process_time() - start, "faults": faults, "mebibytes": peak_memory() / 2**20}


def in_a_process(kind: str) -> dict[str, float]:
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | KINDS[kind][0]
    finished = subprocess.run([sys.executable, __file__, kind], env=environment, check=True, capture_output=True)
    answer: dict[str, float] = json.loads(finished.stdout)
    return answer


def kept_memory(rounds: int) -> Iterator[Result]:
    found = [{kind: in_a_process(kind) for kind in KINDS} for _ in range(rounds)]
    for kind in KINDS:
        faults, size = (median(each[kind][name] for each in found) for name in ("faults", "mebibytes"))
        print(f"{kind}: {faults:,.0f} pages mapped anew in an epoch, at most {size:,.0f} MiB")
    for kind in list(KINDS)[:-1]:
        ratio = median(each[kind]["seconds"] / each[KEPT]["seconds"] for each in found)
        yield Result(f"an epoch {kind}, over one with its memory kept", ratio, least=1)


if __name__ == "__main__":
    if sys.argv[1:] and sys.argv[1] in KINDS:
        print(json.dumps(epoch(sys.argv[1])))
    else:
        sys.exit(report([kept_memory(int(sys.argv[1]) if sys.argv[1:] else 5)]))
