"""From settings to the command line that names them again, exactly."""

import shlex
from collections.abc import Collection, Iterable
from functools import cache

import msgspec

from gsm_cli.config import DATASET, GENERAL_DEFAULTS, SETTINGS, RunConfig
from gsm_cli.data import LAPTOP, Dataset, describe_dataset
from gsm_cli.objectives import own_defaults
from gsm_cli.records.cost import CostPlan
from gsm_cli.records.gradients import GradientPlan
from gsm_cli.records.layout import ReportFolder
from gsm_cli.settings import hyphened, read_preset


def train_ssl(
    config: RunConfig, seeds: Iterable[int], extra: Iterable[str] = (), named: Collection[str] = frozenset()
) -> str:
    """The command that makes these runs: of the presets the one with the fewest others, those, and `extra`.

    What is in `named` is said also where it is usual: elsewhere the environment may name another value.
    """
    dataset = describe_dataset(config.dataset)
    words = ["--dataset", config.dataset, "--objective", config.objective, "--seeds", write_seeds(seeds)]
    others = min((_departures(config, dataset, preset, named) for preset in dataset.presets), key=len)
    return shlex.join(["gsm", "train-ssl", *words, *others, *extra])


def gradients(plan: GradientPlan, extra: Iterable[str] = ()) -> str:
    """The command that measures these gradients: what departs from the defaults, and `extra`."""
    config = plan.config
    words = ["--dataset", config.dataset] if config.dataset != DATASET else []
    words += _departures(config, describe_dataset(config.dataset), LAPTOP)
    usual = {field.name: field.default for field in msgspec.structs.fields(plan)}
    options = {"objectives": "objective", "temperatures": "tau"}
    for name in ("seeds", "objectives", "temperatures", "replicates", "images", "classes"):
        value = getattr(plan, name)
        if value != usual[name]:
            words += [f"--{options.get(name, name)}", write_seeds(value) if name == "seeds" else write(value)]
    words += [] if plan.own_models else ["--no-own-models"]
    return shlex.join(["gsm", "gradients", *words, *extra])


def cost(plan: CostPlan, extra: Iterable[str] = ()) -> str:
    """The command that measures these costs; it always names the device, and ends with `extra`."""
    usual, chosen = (msgspec.structs.asdict(each) for each in (CostPlan(), plan))
    words = []
    for name, value in chosen.items():
        if name != "sha256" and (name == "device" or value != usual[name]):  # a digest is found from the file
            words += [f"--{'objective' if name == 'objectives' else hyphened(name)}", write(value)]
    return shlex.join(["gsm", "cost", *words, *extra])


def steps(folder: ReportFolder) -> str:
    """The command that times the steps of a report."""
    return shlex.join(["gsm", "cost", "--for", folder.named])


def write(value: object) -> str:
    """A value as the command line reads it: every number with all its digits, a list with commas, none for None."""
    if isinstance(value, list | tuple):
        return ",".join(write(part) for part in value)
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def write_seeds(seeds: Iterable[int]) -> str:
    """Seeds as `settings.read_seeds` reads them: 0-4,7."""
    parts: list[list[int]] = []
    for seed in sorted(set(seeds)):
        if parts and seed == parts[-1][-1] + 1:
            parts[-1].append(seed)
        else:
            parts.append([seed])
    return ",".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)


def _departures(config: RunConfig, dataset: Dataset, preset: str, named: Collection[str] = frozenset()) -> list[str]:
    """A preset, and every setting that is named or not the preset's, as words of the command line."""
    usual = _usual(config.objective, dataset.name, preset)
    general = {name: value for name, value in config.general.items() if name != "dataset"}
    words = [] if preset == LAPTOP and "preset" not in named else ["--preset", preset]
    for name, value in (general | config.own).items():
        if name in named or name not in usual or value != usual[name]:
            text = write(value)
            words += (
                [f"--{hyphened(name)}", text]
                if name in SETTINGS and SETTINGS[name].option
                else ["--set", f"{name}={text}"]
            )
    return words


@cache
def _usual(objective: str, dataset: str, preset: str) -> dict[str, object]:
    """The settings that a preset gives to a run of that objective; of an estimator of somebody's own no default."""
    return {**GENERAL_DEFAULTS, **own_defaults(objective), **read_preset(describe_dataset(dataset), preset)}
