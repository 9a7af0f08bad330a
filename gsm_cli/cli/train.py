"""The command that trains: `gsm train-ssl`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gsm_cli.cli import options, preview, results
from gsm_cli.cli.plan import ALL, AUTO, read_plan
from gsm_cli.data import DATASETS
from gsm_cli.errors import UsageError
from gsm_cli.objectives import OBJECTIVES

if TYPE_CHECKING:
    from gsm_cli.cli.plan import Plan
    from gsm_cli.runs.outcomes import Outcome
    from gsm_cli.runs.places import Workers
    from gsm_cli.runs.task import Task


def setting(name: str, help: str, default: str) -> Any:
    """An option for a setting; it is read and checked where all settings are."""
    return typer.Option(name, help=help, metavar="VALUE", show_default=default)


Names = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAMES",
        help=f"What stands for the sum over classes: {', '.join(OBJECTIVES)} (no unlabelled images), or {ALL}; with "
        "commas or repeated. A class of your own is mine.py:Mine.",
        show_default="marginalize,gumbel",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any other setting, as --set kl_start=4; may be repeated."),
]
ConfigFile = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Settings in a TOML file.")]
Text = str | None
Data = Annotated[Text, setting("--dataset", f"{', '.join(DATASETS)} or a file of images, mine.npz.", "digits")]
ModelName = Annotated[Text, setting("--model", "adgm or m2.", "adgm")]
PresetName = Annotated[Text, setting("--preset", "laptop; for mnist also long and article.", "laptop")]
Labels = Annotated[Text, setting("--labels", "Labelled images.", "100")]
Seeds = Annotated[Text, setting("--seeds", "Seeds, as 0, 0-4 or 0,3,7.", "0")]
Epochs = Annotated[Text, setting("--epochs", "Passes over the unlabelled images.", "of the preset")]
Tau = Annotated[
    list[str] | None,
    typer.Option("--tau", metavar="NUMBERS", help="Temperature at the first step.", show_default="of the preset"),
]
TauMin = Annotated[Text, setting("--tau-min", "Least temperature.", "0")]
TauRate = Annotated[Text, setting("--tau-rate", "tau(step) = tau exp(-rate step).", "0")]
McSamples = Annotated[Text, setting("--mc-samples", "Draws of a and z per image.", "1")]
Weight = Annotated[Text, setting("--classification-weight", "Weight of log q(y|a,x).", "of the preset")]
BatchSize = Annotated[Text, setting("--batch-size", "Unlabelled images in a step.", "of the preset")]
Rate = Annotated[Text, setting("--learning-rate", "Of Adam.", "of the preset")]
Precision = Annotated[Text, setting("--precision", "Of matrix products: float32 or bf16.", "float32")]
Device = Annotated[Text, setting("--device", "auto, cpu or cuda.", "auto")]
Jobs = Annotated[Text, setting("--jobs", "Runs at a time on this machine: a number, or auto for its cores.", AUTO)]
Scheduler = Annotated[
    Text, typer.Option(metavar="ADDRESS", help="A Dask scheduler whose workers train, or the file that it wrote.")
]
Sweeps = Annotated[
    list[str] | None,
    typer.Option(
        "--sweep",
        metavar="NAME=VALUES",
        help="A setting that takes several values, as --sweep tau=0.1,0.5; may be repeated. So does --tau 0.1,0.5.",
    ),
]
ReportName = Annotated[
    Text, typer.Option("--report", metavar="NAME", help="The report's folder.", show_default="DATASET-LABELS")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only say which runs are finished and how long the rest takes.")
]
Print = Annotated[bool, typer.Option("--print", help="Only print a command for each run.")]


def train_ssl(
    objective: Names = None,
    dataset: Data = None,
    model: ModelName = None,
    preset: PresetName = None,
    labels: Labels = None,
    seeds: Seeds = None,
    epochs: Epochs = None,
    tau: Tau = None,
    tau_min: TauMin = None,
    tau_rate: TauRate = None,
    mc_samples: McSamples = None,
    classification_weight: Weight = None,
    batch_size: BatchSize = None,
    learning_rate: Rate = None,
    precision: Precision = None,
    device: Device = None,
    config: ConfigFile = None,
    other: Settings = None,
    sweep: Sweeps = None,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    report: ReportName = None,
    dry_run: DryRun = False,
    as_commands: Print = False,
    data_dir: options.DataDir = None,
    out: options.Reports = Path("reports"),
    force: Annotated[bool, typer.Option("--force", help="Start finished and interrupted runs again.")] = False,
    as_json: options.Json = False,
) -> None:
    """Train a semi-supervised deep generative model with each objective and every seed."""
    given: dict[str, object] = {
        "objective": objective,
        "dataset": dataset,
        "model": model,
        "preset": preset,
        "labels": labels,
        "seeds": seeds,
        "epochs": epochs,
        "tau": tau,
        "tau_min": tau_min,
        "tau_rate": tau_rate,
        "mc_samples": mc_samples,
        "classification_weight": classification_weight,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "precision": precision,
        "device": device,
        "sweep": sweep,
        "jobs": jobs,
        "scheduler": scheduler,
        "report": report,
    }
    if dry_run and as_commands:
        raise UsageError("--dry-run must stand without --print, since each says what to do instead: give one of them")
    plan = read_plan(given, other or [], config)
    tasks = _tasks(plan, out, data_dir)
    if as_commands:
        preview.show_commands(plan, tasks, _extra(plan, out, data_dir, force))
    elif dry_run:
        preview.show_prospects(plan, tasks, out, force, as_json)
    else:
        outcomes = _run(plan, tasks, force)
        results.show(plan, outcomes, *results.write_reports(outcomes), as_json)


def _tasks(plan: "Plan", out: Path, data_dir: Path | None) -> "list[Task]":
    from gsm_cli.records.layout import ReportFolder
    from gsm_cli.runs.task import Task

    return [
        Task(config, ReportFolder(out / plan.folder(config)).record(config.name), plan.device, data_dir)
        for config in plan.configs
    ]


def _extra(plan: "Plan", out: Path, data_dir: Path | None, force: bool) -> list[str]:
    """What the command of a run says besides its settings."""
    words = ["--report", plan.report] if plan.report else []
    words += ["--device", plan.device] if plan.device != "cpu" else []
    words += ["--data-dir", str(data_dir)] if data_dir else []
    words += ["--out", str(out)] if out != Path("reports") else []
    return [*words, *(["--force"] if force else [])]


def _run(plan: "Plan", tasks: "list[Task]", force: bool) -> "list[Outcome]":
    """Run them and show how it goes; an interruption keeps what is done."""
    from gsm_cli.cli.display import Display, fetch
    from gsm_cli.runs.batch import run_all
    from gsm_cli.runs.outcomes import check, is_to_do
    from gsm_cli.runs.places import Here
    from gsm_cli.runs.task import POOLS, versions

    if "bf16" in {config.precision for config in plan.configs}:
        options.warn_of_slow_bf16(plan.device)
    with options.resumable(options.FORCED if force else options.RESUMED):
        to_do = [task for task in tasks if force or is_to_do(task)]
        with _workers(plan, len(to_do)) as workers:
            workers.warm_up(versions)
            check(to_do, fetch)
            if not isinstance(workers, Here):
                POOLS.clear()
            with Display(tasks, {task.name: plan.label(task.config) for task in tasks}) as display:
                return run_all(tasks, workers, display, force)


def _workers(plan: "Plan", runs: int) -> "Workers":
    """Who runs so many runs."""
    from gsm_cli.runs.processes import on_this_machine

    if plan.scheduler is None:
        return on_this_machine(plan.jobs, runs, plan.device)
    from gsm_cli.runs.cluster import Cluster

    return Cluster(plan.scheduler, lambda words: print(words, file=sys.stderr))
