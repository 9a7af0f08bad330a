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

from gsm_cli.objectives import OBJECTIVES, SUPERVISED
from gsm_cli.records.run import Bound, Curves, Reading, RunRecord, Test
from gsm_cli.records.store import Environment
from gsm_cli.settings import build

EPOCHS, IMAGES = 200, 400
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
    accuracy = np.clip(np.round(300 * (0.6 + 0.34 * rise + rng.normal(0, 0.01, EPOCHS))) / 300, 0, 1)
    bound = -35 + 15 * rise + rng.normal(0, 0.1, EPOCHS)
    relaxed = "tau" in config.own
    epochs = Curves(
        unlabelled_bound=bound.tolist(),
        labelled_bound=(bound + 1).tolist(),
        classification=(-2 * (1 - rise)).tolist(),
        validation_accuracy=accuracy.tolist(),
        validation_entropy=(2.1 - 2 * rise).tolist(),
        modal_share=rng.uniform(0.1, 0.14, EPOCHS).tolist(),
        evaluations=[0.0 if objective == SUPERVISED else 10.0 if objective == "marginalize" else 1.0] * EPOCHS,
        relaxed_bound=(bound + 0.1).tolist() if relaxed else None,
        one_hot_bound=bound.tolist() if relaxed else None,
        dropped_mass=None,
        tau=[float(tau or config.own["tau"])] * EPOCHS if relaxed else None,
        kl_weight=rng.uniform(0, 1, EPOCHS).tolist(),
        learning_rate=rng.uniform(0, 1e-3, EPOCHS).tolist(),
        seconds=(seconds := rng.normal(0.1, 0.005, EPOCHS).tolist()),
        processor_seconds=seconds,
        evaluation_seconds=rng.normal(0.01, 0.0005, EPOCHS).tolist(),
    )
    chosen, last = (_reading(epoch, rng) for epoch in (epochs.best, EPOCHS))
    log_p = Bound(mean=rng.normal(-22, 0.05), standard_error=0.3, images=IMAGES, draws=1)
    return RunRecord(
        version="0",
        environment=MACHINE,
        config=config,
        split=f"{seed:064x}",
        unlabelled=997,
        images_per_epoch=950,
        classes=10,
        parameters=136418,
        epochs=epochs,
        test=Test(images=IMAGES, chosen=chosen, last=last, bound=log_p),
    )


def _reading(epoch: int, rng: np.random.Generator) -> Reading:
    wrong = rng.random(IMAGES) < 0.06
    bits = b64encode(np.packbits(wrong).tobytes()).decode()
    accuracy = 1 - int(wrong.sum()) / IMAGES
    return Reading(epoch=epoch, accuracy=accuracy, modal_share=0.12, unlabelled_accuracy=0.95, wrong=bits)


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
