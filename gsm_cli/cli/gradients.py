"""The command that measures gradients: `gsm gradients`."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsm_cli.cli import options
from gsm_cli.cli.options import whole_number
from gsm_cli.cli.plan import ALL
from gsm_cli.errors import GsmError, UsageError
from gsm_cli.objectives import OBJECTIVES, SUPERVISED

if TYPE_CHECKING:
    from gsm_cli.config import RunConfig
    from gsm_cli.records.gradients import GradientRecord

TEMPERATURES = "0.1,0.3,0.5,1,2"
Taus = Annotated[
    list[str] | None,
    typer.Option("--tau", metavar="NUMBERS", help="Temperatures, with commas or repeated.", show_default=TEMPERATURES),
]
Objectives = Annotated[
    list[str] | None,
    typer.Option(
        "--objective",
        metavar="NAMES",
        help="As of train-ssl, with commas or repeated.",
        show_default="all but supervised",
    ),
]
DatasetName = Annotated[str, typer.Option("--dataset", metavar="NAME", help="As of train-ssl.")]


def gradients(
    tau: Taus = None,
    objective: Objectives = None,
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
    import msgspec

    from gsm_cli.law.request import read_temperatures
    from gsm_cli.records.layout import ReportFolder
    from gsm_cli.reports.folder import read, write
    from gsm_cli.settings import build, read_names

    words = [word for text in tau or [TEMPERATURES] for word in text.split(",")]
    taus = [temperature.value for temperature in read_temperatures(words)]
    objectives = with_estimators(read_names("--objective", objective or [ALL]))
    config = build({"objective": "marginalize", "dataset": dataset, "epochs": epochs, "seed": seed})
    folder = ReportFolder(out / config.folder)
    record = _measure(config, objectives, taus, images, replicates, data_dir)
    record.save(folder.gradients)
    written = write(read(folder))
    if as_json:
        print(json.dumps({"path": str(folder.gradients), **msgspec.to_builtins(record)}, indent=2))
    else:
        print(folder.gradients, written, sep="\n")


def with_estimators(names: list[str]) -> list[str]:
    """The objectives that are named, or with `all` every one with an estimator. Raises UsageError for supervised."""
    if SUPERVISED in names:
        raise UsageError(f"--objective must have an estimator, and {SUPERVISED} has none: leave it out")
    every = [name for name, row in OBJECTIVES.items() if row.estimator]
    return list(dict.fromkeys(name for each in names for name in (every if each == ALL else [each])))


def _measure(
    config: "RunConfig", objectives: list[str], taus: list[float], images: int, replicates: int, data_dir: Path | None
) -> "GradientRecord":
    """Train, then measure on all three subjects, saying on stderr what goes on."""
    from rich.console import Console

    from gsm_cli import __version__
    from gsm_cli.cli.display import fetch
    from gsm_cli.data import find_dataset
    from gsm_cli.data.split import load
    from gsm_cli.extensions import find_objective
    from gsm_cli.measures.gradients import compare_estimators, model_subject, toy_subjects
    from gsm_cli.records.gradients import GradientRecord
    from gsm_cli.runs.environment import environment
    from gsm_cli.runs.training import NotFiniteError

    console = Console(stderr=True, highlight=False)
    rows_of = [find_objective(name) for name in objectives]
    split = load(find_dataset(config.dataset), config.labels, config.seed, data_dir, fetch)
    if images > len(split.unlabelled):
        raise UsageError(
            f"--images must be at most {len(split.unlabelled)}, the unlabelled ones, not {images}: lower it"
        )
    console.print(f"training a model for {config.epochs} epochs")
    try:
        subjects = [*toy_subjects(), model_subject(config, split, images)]
    except NotFiniteError as error:
        raise GsmError(f"the model must train to be measured, and {error}: choose another --seed") from error
    rows = []
    for subject in subjects:
        console.print(f"measuring gradients: {subject.name}")
        rows += compare_estimators(subject, objectives, taus, replicates, config.seed)
    return GradientRecord(
        version=__version__,
        environment=environment("cpu"),
        config=config,
        images=images,
        replicates=replicates,
        rows=rows,
        sha256={row.name: row.sha256 for row in rows_of if row.sha256},
    )
