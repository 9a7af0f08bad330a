"""The command that trains: `gsm train-ssl`."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gsm_cli.cli import completion, options, preview, results
from gsm_cli.cli.options import option
from gsm_cli.cli.plan import ALL, AUTO, read_plan
from gsm_cli.cli.settings import MEANINGS, default_words
from gsm_cli.data import LAPTOP
from gsm_cli.errors import UsageError
from gsm_cli.objectives import OBJECTIVES

if TYPE_CHECKING:
    from gsm_cli.cli.plan import Plan
    from gsm_cli.runs.outcomes import Outcome
    from gsm_cli.runs.places import Workers
    from gsm_cli.runs.task import Task


def setting(name: str, default: object = None, complete: Any = None) -> Any:
    """An option for a setting, whose default is that of the presets or else `default`; it is read where all are."""
    key = name.removeprefix("--").replace("-", "_")
    return option(name, MEANINGS[key], default_words(key, default), "VALUES", complete)


Several = list[str] | None  # repeated or with commas
Text = str | None
Names = Annotated[
    Several,
    option(
        "--objective",
        f"What stands for the sum over classes: {', '.join(OBJECTIVES)} (no unlabelled images), or {ALL}. A class of "
        "your own is mine.py:Mine.",
        "marginalize,gumbel",
        "NAMES",
        completion.objectives,
    ),
]
Data = Annotated[Several, setting("--dataset", "digits", completion.datasets)]
ModelName = Annotated[Several, setting("--model", "adgm", completion.names(completion.MODELS))]
PresetName = Annotated[
    Text,
    option(
        "--preset",
        "A data set's settings: laptop; for mnist also long and article.",
        LAPTOP,
        "NAME",
        completion.preset,
    ),
]
Labels = Annotated[Several, setting("--labels", 100)]
Seeds = Annotated[Several, option("--seeds", "Seeds, as 0, 0-4 or 0,3,7: each a run of every objective.", "0", "SEEDS")]
Epochs = Annotated[Several, setting("--epochs", 100)]
Tau = Annotated[Several, setting("--tau")]
TauMin = Annotated[Several, setting("--tau-min")]
TauRate = Annotated[Several, setting("--tau-rate")]
McSamples = Annotated[Several, setting("--mc-samples", 1)]
Weight = Annotated[Several, setting("--classification-weight", 50.0)]
BatchSize = Annotated[Several, setting("--batch-size", 100)]
Rate = Annotated[Several, setting("--learning-rate", 1e-3)]
Precision = Annotated[Several, setting("--precision", "float32", completion.names(completion.PRECISIONS))]
Device = Annotated[Text, option("--device", "Where to train: auto, cpu or cuda.", "auto", "NAME", completion.device)]
ConfigFile = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="A TOML file with settings.")]
Settings = Annotated[
    Several,
    option(
        "--set",
        "Any other setting, as --set kl_start=4. It may be repeated; gsm settings lists all.",
        metavar="NAME=VALUE",
        complete=completion.names(MEANINGS, "="),
    ),
]
Sweeps = Annotated[
    Several,
    option(
        "--sweep",
        "A setting that takes several values, as --sweep kl_start=1,4. It may be repeated: every combination is run. "
        "So is every value of an option that has several, as --tau 0.1,0.5.",
        metavar="NAME=VALUES",
        complete=completion.names(MEANINGS, "="),
    ),
]
Jobs = Annotated[
    Text, option("--jobs", "Runs at a time on this machine: a number, or auto for its cores.", AUTO, "NUMBER")
]
Scheduler = Annotated[
    Text,
    option("--scheduler", "A Dask scheduler whose workers train, or the file that it wrote.", metavar="ADDRESS"),
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
    report: options.ReportName = None,
    dry_run: DryRun = False,
    as_commands: Print = False,
    data_dir: options.DataDir = None,
    out: options.Reports = Path("reports"),
    force: Annotated[bool, typer.Option("--force", help="Start finished and interrupted runs again.")] = False,
    as_json: options.Json = False,
) -> None:
    """Train a semi-supervised model with each objective and seed.

    The model is a deep generative one. Whatever takes VALUES, NAMES or SEEDS is repeated or has commas; several values
    of a setting are a sweep. A setting is also read from the environment, as GSM_EPOCHS=50, and from a file, --config;
    the command line is the strongest. gsm settings lists all of them.
    """
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
        preview.show_commands(plan, tasks, _extra(plan, out, data_dir, force), as_json)
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
    words += ["--device", plan.device] if "device" in plan.named or plan.device != "cpu" else []
    words += ["--data-dir", str(data_dir)] if data_dir else []
    words += ["--out", str(out)] if out != Path("reports") else []
    return [*words, *(["--force"] if force else [])]


def _run(plan: "Plan", tasks: "list[Task]", force: bool) -> "list[Outcome]":
    """Run them and show how it goes; an interruption keeps what is done."""
    from gsm_cli.cli.display import Display, fetch
    from gsm_cli.records.layout import ReportFolder
    from gsm_cli.runs.batch import run_all
    from gsm_cli.runs.outcomes import check, is_to_do
    from gsm_cli.runs.places import Here
    from gsm_cli.runs.task import POOLS, ready

    if "bf16" in {config.precision for config in plan.configs} and plan.scheduler is None:
        options.warn_of_slow_bf16(plan.device)
    with options.resumable(options.FORCED if force else options.RESUMED):
        to_do = [task for task in tasks if force or is_to_do(task)]
        with _workers(plan, len(tasks), len(to_do)) as workers:
            workers.warm_up(ready)
            check(to_do, fetch)
            for folder in {ReportFolder.of_record(task.record) for task in tasks}:
                folder.ask(plan.kind)
            if not isinstance(workers, Here):
                POOLS.clear()
            with Display(tasks, {task.name: plan.label(task.config) for task in tasks}) as display:
                return run_all(tasks, workers, display, force)


def _workers(plan: "Plan", runs: int, to_do: int) -> "Workers":
    """Who runs those of so many runs that are to do."""
    from gsm_cli.runs.processes import on_this_machine

    if plan.scheduler is None:
        return on_this_machine(plan.jobs, runs, to_do, plan.device)
    from gsm_cli.runs.cluster import Cluster

    return Cluster(plan.scheduler, lambda words: print(words, file=sys.stderr))
