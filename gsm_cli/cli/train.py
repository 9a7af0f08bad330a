"""The command that trains: `gsm train-ssl`."""

import json
import sys
import tomllib
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gsm_cli.cli import options
from gsm_cli.errors import GsmError, UsageError

if TYPE_CHECKING:
    from gsm_cli.config import RunConfig
    from gsm_cli.runs.batch import Outcome


def setting(help: str, *names: str, default: str) -> Any:
    """An option for a setting of `config.RunConfig`: also read from the environment, checked where all settings are."""
    variable = "GSM_" + names[0].strip("-").upper().replace("-", "_")
    return typer.Option(*names, help=help, metavar="VALUE", envvar=variable, show_envvar=False, show_default=default)


Names = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="What stands for the sum over classes: marginalize, gumbel, straight-through, gumbel-rao, reinmax, "
        "sum-and-sample, sparse-marginalize, reinforce, or supervised (no unlabelled images); may be repeated.",
        show_default="marginalize and gumbel",
    ),
]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="NAME=VALUE", help="Any other setting, as --set kl_start=4; may be repeated."),
]
ConfigFile = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Settings in a TOML file.")]
Text = str | None
TYPED = (
    *("dataset", "model", "labels", "seeds", "epochs", "tau", "tau_min", "tau_rate", "mc_samples", "device"),
    *("preset", "precision"),
    *("classification_weight", "batch_size", "learning_rate"),
)


def train_ssl(
    objective: Names = None,
    dataset: Annotated[Text, setting("digits or mnist.", "--dataset", default="digits")] = None,
    model: Annotated[Text, setting("adgm or m2.", "--model", default="adgm")] = None,
    preset: Annotated[Text, setting("laptop; for mnist also long and article.", "--preset", default="laptop")] = None,
    labels: Annotated[Text, setting("Labelled images.", "--labels", default="100")] = None,
    seeds: Annotated[Text, setting("Seeds, as 0, 0-4 or 0,3,7.", "--seeds", default="0")] = None,
    epochs: Annotated[Text, setting("Passes over the unlabelled images.", "--epochs", default="preset")] = None,
    tau: Annotated[Text, setting("Temperature at the first step.", "--tau", default="preset")] = None,
    tau_min: Annotated[Text, setting("Least temperature.", "--tau-min", default="0")] = None,
    tau_rate: Annotated[Text, setting("tau(step) = tau exp(-rate step).", "--tau-rate", default="0")] = None,
    mc_samples: Annotated[Text, setting("Draws of a and z per image.", "--mc-samples", default="1")] = None,
    classification_weight: Annotated[
        Text, setting("Weight of log q(y|a,x).", "--classification-weight", default="preset")
    ] = None,
    batch_size: Annotated[Text, setting("Unlabelled images in a step.", "--batch-size", default="preset")] = None,
    learning_rate: Annotated[Text, setting("Of Adam.", "--learning-rate", default="preset")] = None,
    precision: Annotated[
        Text, setting("Of matrix products: float32 or bf16.", "--precision", default="float32")
    ] = None,
    device: Annotated[Text, setting("auto, cpu or cuda.", "--device", default="auto")] = None,
    config: ConfigFile = None,
    other: Settings = None,
    data_dir: options.DataDir = None,
    out: options.Reports = Path("reports"),
    force: Annotated[bool, typer.Option("--force", help="Start finished and interrupted runs again.")] = False,
    as_json: options.Json = False,
) -> None:
    """Train a semi-supervised deep generative model with each objective and every seed."""
    typed = {name: text for name, text in locals().items() if name in TYPED and text is not None}
    settings = read_file(config) | {name: plain(text) for name, text in typed.items()} | read_pairs(other or [])
    outcomes = run(plan(objective, settings), out, data_dir, force)
    reports = write_reports(outcomes)
    show(outcomes, reports, as_json)


def plan(objectives: list[str] | None, settings: dict[str, Any]) -> "list[RunConfig]":
    """The runs that are asked for, seed by seed, so that objectives can be compared early."""
    from gsm_cli.config import LAPTOP, build, read_seeds
    from gsm_cli.runs.environment import find_device

    if "seed" in settings:
        raise UsageError(f"seeds must be named by --seeds, and a setting says seed {settings['seed']}: take it out")
    named = objectives or settings.pop("objective", None) or ["marginalize", "gumbel"]
    seeds = settings.pop("seeds", 0)
    text = ",".join(str(seed) for seed in seeds) if isinstance(seeds, list) else str(seeds)
    preset = settings.pop("preset", LAPTOP)
    settings = {**settings, "device": find_device(settings.get("device", "auto"))}
    chosen = list(dict.fromkeys([named] if isinstance(named, str) else named))
    configs = [build({**settings, "objective": name}, preset) for name in chosen]
    return [replace(config, seed=seed) for seed in read_seeds(text) for config in configs]


def run(configs: "list[RunConfig]", out: Path, data_dir: Path | None, force: bool) -> "list[Outcome]":
    """Run them under the eyes of the user; an interruption keeps what is done."""
    from gsm_cli.cli.display import Display
    from gsm_cli.config import Precision
    from gsm_cli.data.download import fetch_mnist
    from gsm_cli.runs.batch import run_all

    if configs[0].precision is Precision.BF16:
        options.warn_of_slow_bf16(configs[0].device)
    with options.resumable(), Display(len(configs)) as display:
        return run_all(configs, out, display, data_dir, fetch_mnist, force)


def write_reports(outcomes: "list[Outcome]") -> list[Path]:
    """The reports on these runs and on those that were there before; their first sentence also goes to stderr."""
    from gsm_cli.reports.folder import read_folder, write_report

    folders = dict.fromkeys(outcome.path.parent.parent for outcome in outcomes)
    reports = [write_report(read_folder(folder)) for folder in folders]
    for path in reports:
        _, answer, *_ = path.read_text().split("\n\n")
        print(answer.replace("**", "").replace("`", ""), file=sys.stderr)
    return reports


def show(outcomes: "list[Outcome]", reports: list[Path], as_json: bool) -> None:
    """Print the paths of the records and reports, or the results as JSON. Raises GsmError if a run failed."""
    if as_json:
        results = [
            {"path": str(outcome.path), "config": asdict(record.config), "reused": outcome.reused}
            | {"test": record.test and asdict(record.test), "failure": record.failure and asdict(record.failure)}
            for outcome in outcomes
            for record in [outcome.record]
        ]
        print(json.dumps({"runs": results, "reports": [str(path) for path in reports]}, indent=2))
    else:
        print(*(outcome.path for outcome in outcomes), *reports, sep="\n")
    for outcome in outcomes:
        if outcome.record.failure and not outcome.record.finished:
            config, step = outcome.record.config, outcome.record.failure.step
            raise GsmError(
                f"the objective must stay finite, and {config.objective} with seed {config.seed} and tau {config.tau} "
                f"did not at step {step}: lower --learning-rate or raise --tau"
            )


def plain(text: str) -> Any:
    """A number if the text is one, None if it is `none`, a list if it has commas, else the text."""
    if text.lower() == "none":
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return [plain(part) for part in text.split(",")] if "," in text else text


def read_pairs(pairs: list[str]) -> dict[str, Any]:
    """The settings of --set."""
    parts = [pair.partition("=") for pair in pairs]
    for name, equals, _ in parts:
        if not equals:
            raise UsageError(f"--set must be NAME=VALUE, not {name!r}: write for example --set kl_start=4")
    return {name.strip().replace("-", "_"): plain(value.strip()) for name, _, value in parts}


def read_file(path: Path | None) -> dict[str, Any]:
    """The settings of --config."""
    if path is None:
        return {}
    try:
        settings = tomllib.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise UsageError(f"--config must be a readable TOML file, and {path} is not ({error}): mend it") from error
    return {name.replace("-", "_"): value for name, value in settings.items()}
