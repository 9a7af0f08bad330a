"""What a report costs: `gsm report` and `gsm report --check` on folders of made-up records, in seconds and MB at peak.

    python benchmarks/report.py [RECORDS ...]      by default 130, 1,300 and 6,500 records of 200 epochs

The records are those of 13 series: nine objectives, and gumbel at five temperatures. Every command runs in a process
of its own, in a temporary folder.
"""

import os
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gsm_cli.objectives import OBJECTIVES, SUPERVISED
from gsm_cli.records.curves import Curves
from gsm_cli.records.run import Bound, Reading, RunRecord, Test
from gsm_cli.records.store import Environment, rounded
from gsm_cli.schedules import PROBES
from gsm_cli.settings import build

EPOCHS, VALIDATION, IMAGES = 200, 300, 400
SERIES: list[tuple[str, float | None]] = [(name, None) for name in OBJECTIVES] + [
    ("gumbel", tau) for tau in (0.1, 0.3, 1.0, 2.0)
]
MACHINE = Environment(
    python="3", torch="2", numpy="2", system="Linux", device="cpu", kernels="MADE UP", threads=1, beside=0
)


def made_up(objective: str, tau: float | None, seed: int) -> RunRecord:
    """A record whose curves rise as those of a real run do."""
    settings = {"objective": objective, "seed": seed, "epochs": EPOCHS} | ({} if tau is None else {"tau": tau})
    config = build(settings)
    rng = np.random.default_rng([SERIES.index((objective, tau)), seed])
    rise = 1 - np.exp(-np.arange(1, EPOCHS + 1) / 20)
    right = np.clip(np.round(VALIDATION * (0.6 + 0.34 * rise + rng.normal(0, 0.01, EPOCHS))), 0, VALIDATION)
    bound = -35 + 15 * rise + rng.normal(0, 0.1, EPOCHS)
    probed = range(EPOCHS // PROBES, EPOCHS + 1, EPOCHS // PROBES) if "tau" in config.own else []
    epochs = Curves(
        images=VALIDATION,
        unlabelled_bound=_rounded(bound),
        labelled_bound=_rounded(bound + 1),
        classification=_rounded(-2 * (1 - rise)),
        right=right.astype(int).tolist(),
        validation_entropy=_rounded(2.1 - 2 * rise),
        modal=rng.integers(30, 42, EPOCHS).tolist(),
        evaluations=[0.0 if objective == SUPERVISED else 10.0 if objective == "marginalize" else 1.0] * EPOCHS,
        relaxed_bounds={number: rounded(bound[number - 1] + 0.1) for number in probed},
        one_hot_bounds={number: rounded(bound[number - 1]) for number in probed},
        milliseconds=(milliseconds := rng.integers(85, 116, EPOCHS).tolist()),
        processor_milliseconds=milliseconds,
        evaluation_milliseconds=rng.integers(8, 13, EPOCHS).tolist(),
    )
    chosen, last = (_reading(epoch, rng) for epoch in (epochs.best, EPOCHS))
    log_p = Bound(mean=rng.normal(-22, 0.05), standard_error=0.3, images=IMAGES, draws=1)
    return RunRecord(
        version="0",
        code="0" * 16,
        environment=MACHINE,
        config=config,
        split=f"{seed:064x}",
        unlabelled=997,
        classes=10,
        parameters=136418,
        epochs=epochs,
        test=Test(chosen=chosen, last=last, bound=log_p),
    )


def _reading(epoch: int, rng: np.random.Generator) -> Reading:
    wrong = rng.random(IMAGES) < 0.06
    bits = b64encode(np.packbits(wrong).tobytes()).decode()
    counts = {"images": IMAGES, "modal": 48, "unlabelled": 997, "unlabelled_right": 947}
    return Reading(epoch=epoch, wrong=bits, **counts)


def _rounded(numbers: NDArray[np.float64]) -> list[float]:
    return [rounded(number) for number in numbers.tolist()]


def measure(words: list[str]) -> tuple[float, float]:
    """Seconds and greatest memory in MB of a command in a process of its own."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
    start = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "gsm_cli", *words], env=environment, stdout=subprocess.DEVNULL
    ) as child:
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if status:
        raise SystemExit(f"gsm {' '.join(words)} failed")
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def main(sizes: list[int]) -> None:
    print("| records | gsm report, s | MB | gsm report --check, s | MB |\n| ---: | ---: | ---: | ---: | ---: |")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            records = Path(folder) / "digits-100" / "records"
            for seed in range(size // len(SERIES)):
                for objective, tau in SERIES:
                    record = made_up(objective, tau, seed)
                    record.save(records / f"{record.config.name}.json")
            cells = [f"{number:.3g}" for words in ([], ["--check"]) for number in measure(["report", folder, *words])]
        print("| " + " | ".join([f"{size:,}", *cells]) + " |", flush=True)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [130, 1_300, 6_500])
