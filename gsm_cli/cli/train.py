"""The command that trains: `gsm train-ssl`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gsm_cli.cli import options
from gsm_cli.cli.plan import read_plan
from gsm_cli.data import DATASETS
from gsm_cli.errors import GsmError
from gsm_cli.objectives import OBJECTIVES

if TYPE_CHECKING:
    from gsm_cli.cli.plan import Plan
    from gsm_cli.runs.batch import Outcome


def setting(name: str, help: str, default: str) -> Any:
    """An option for a setting; it is read and checked where all settings are."""
    return typer.Option(name, help=help, metavar="VALUE", show_default=default)


Names = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAMES",
        help=f"What stands for the sum over classes: {', '.join(OBJECTIVES)} (no unlabelled images), or all; with "
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
Tau = Annotated[Text, setting("--tau", "Temperature at the first step.", "of the preset")]
TauMin = Annotated[Text, setting("--tau-min", "Least temperature.", "0")]
TauRate = Annotated[Text, setting("--tau-rate", "tau(step) = tau exp(-rate step).", "0")]
McSamples = Annotated[Text, setting("--mc-samples", "Draws of a and z per image.", "1")]
Weight = Annotated[Text, setting("--classification-weight", "Weight of log q(y|a,x).", "of the preset")]
BatchSize = Annotated[Text, setting("--batch-size", "Unlabelled images in a step.", "of the preset")]
Rate = Annotated[Text, setting("--learning-rate", "Of Adam.", "of the preset")]
Precision = Annotated[Text, setting("--precision", "Of matrix products: float32 or bf16.", "float32")]
Device = Annotated[Text, setting("--device", "auto, cpu or cuda.", "auto")]


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
    data_dir: options.DataDir = None,
    out: options.Reports = Path("reports"),
    force: Annotated[bool, typer.Option("--force", help="Start finished and interrupted runs again.")] = False,
    as_json: options.Json = False,
) -> None:
    """Train a semi-supervised deep generative model with each objective and every seed."""
    given = {
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
    }
    outcomes = _run(read_plan(given, other or [], config), out, data_dir, force)
    _show(outcomes, _write_reports(outcomes), as_json)


def _run(plan: "Plan", out: Path, data_dir: Path | None, force: bool) -> "list[Outcome]":
    """Run them and show how it goes; an interruption keeps what is done."""
    from gsm_cli.cli.display import Display, fetch
    from gsm_cli.runs.batch import run_all

    if plan.configs[0].precision == "bf16":
        options.warn_of_slow_bf16(plan.device)
    with options.resumable(), Display(len(plan.configs)) as display:
        return run_all(plan.configs, out, display, plan.device, data_dir, fetch, force)


def _write_reports(outcomes: "list[Outcome]") -> list[Path]:
    """The reports on these runs and on those that were there before; their answers also go to stderr."""
    from gsm_cli.records.layout import ReportFolder
    from gsm_cli.reports.folder import read, write

    reports = [read(ReportFolder(path)) for path in dict.fromkeys(outcome.path.parent.parent for outcome in outcomes)]
    for report in reports:
        print(report.answer, file=sys.stderr)
    return [write(report) for report in reports]


def _show(outcomes: "list[Outcome]", reports: list[Path], as_json: bool) -> None:
    """Print the paths of the records and reports, or the results as JSON. Raises GsmError if a run failed."""
    import msgspec

    if as_json:
        results = [
            {
                "path": str(outcome.path),
                "config": msgspec.to_builtins(outcome.record.config),
                "reused": outcome.reused,
                "test": msgspec.to_builtins(outcome.record.test),
                "failure": msgspec.to_builtins(outcome.record.failure),
            }
            for outcome in outcomes
        ]
        print(json.dumps({"runs": results, "reports": [str(path) for path in reports]}, indent=2))
    else:
        print(*(outcome.path for outcome in outcomes), *reports, sep="\n")
    for outcome in outcomes:
        if outcome.record.failure and not outcome.record.finished:
            raise GsmError(_failed(outcome))


def _failed(outcome: "Outcome") -> str:
    """The sentence on a run that diverged: its circumstances, and what may help."""
    config, failure = outcome.record.config, outcome.record.failure
    assert failure is not None
    tau = config.own.get("tau")
    circumstances = f"{config.objective_name} with seed {config.seed}" + ("" if tau is None else f" and tau {tau:g}")
    remedy = "lower --learning-rate" + ("" if tau is None else " or raise --tau")
    return f"the objective must stay finite, and {circumstances} did not at step {failure.step}: {remedy}"
