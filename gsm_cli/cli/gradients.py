"""The command that measures gradients: `gsm gradients`."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsm_cli.cli import options
from gsm_cli.cli.options import whole_number
from gsm_cli.errors import UsageError

if TYPE_CHECKING:
    from gsm_cli.config import RunConfig
    from gsm_cli.records.run import GradientRecord

Taus = Annotated[
    list[str] | None,
    typer.Option("--tau", metavar="NUMBER", help="Temperature; may be repeated.", show_default="0.1, 0.3, 0.5, 1, 2"),
]
DatasetName = Annotated[str, typer.Option("--dataset", metavar="NAME", help="digits or mnist.")]


def gradients(
    tau: Taus = None,
    dataset: DatasetName = "digits",
    epochs: Annotated[int, whole_number("--epochs", "Of the model's training.", 1)] = 20,
    images: Annotated[int, whole_number("--images", "Whose bound is differentiated.", 1)] = 20,
    replicates: Annotated[int, whole_number("--replicates", "Estimates of every estimator.", 2)] = 5000,
    seed: Annotated[int, whole_number("--seed", "Fixes model and noise.", 0)] = 0,
    data_dir: options.DataDir = None,
    out: options.Reports = Path("reports"),
    as_json: options.Json = False,
) -> None:
    """Measure bias and variance of every estimator's gradient against the exact one."""
    from gsm_cli.config import build
    from gsm_cli.law.request import read_temperatures
    from gsm_cli.reports.folder import GRADIENTS, read_folder, write_report

    taus = [temperature.value for temperature in read_temperatures(tau or ["0.1", "0.3", "0.5", "1", "2"])]
    config = build({"objective": "marginalize", "dataset": dataset, "epochs": epochs, "seed": seed})
    folder = out / f"{config.dataset}-{config.labels}"
    record = _measure(config, taus, images, replicates, data_dir)
    record.save(folder / GRADIENTS)
    written = write_report(read_folder(folder))
    if as_json:
        print(json.dumps({"path": str(folder / GRADIENTS), **asdict(record)}, indent=2))
    else:
        print(folder / GRADIENTS, written, sep="\n")


def _measure(
    config: "RunConfig", taus: list[float], images: int, replicates: int, data_dir: Path | None
) -> "GradientRecord":
    """Train, then measure on all three subjects, saying on stderr what goes on."""
    from rich.console import Console

    from gsm_cli import __version__
    from gsm_cli.data.download import fetch_mnist
    from gsm_cli.data.split import load
    from gsm_cli.measures.gradients import compare_estimators, model_subject, toy_subjects
    from gsm_cli.records.run import GradientRecord
    from gsm_cli.runs.environment import environment

    console = Console(stderr=True, highlight=False)
    split = load(config.dataset, config.labels, config.seed, data_dir, fetch_mnist)
    if images > len(split.unlabelled):
        raise UsageError(
            f"--images must be at most {len(split.unlabelled)}, the unlabelled ones, not {images}: lower it"
        )
    console.print(f"training a model for {config.epochs} epochs")
    subjects = [*toy_subjects(), model_subject(config, split, images)]
    rows = []
    for subject in subjects:
        console.print(f"measuring gradients: {subject.name}")
        rows += compare_estimators(subject, taus, replicates, config.seed)
    return GradientRecord(config, __version__, environment(config.device), images, replicates, rows)
