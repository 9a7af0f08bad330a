"""From settings to the command line that names them again, exactly."""

import shlex
from collections.abc import Collection, Iterable, Iterator
from functools import cache

import msgspec

from gsm_cli.config import DATASET, GENERAL_DEFAULTS, SETTINGS, RunConfig
from gsm_cli.data import LAPTOP, Dataset, describe_dataset
from gsm_cli.objectives import own_defaults
from gsm_cli.records.cost import CostPlan, StepPlan
from gsm_cli.records.gradients import GradientPlan
from gsm_cli.records.layout import ReportFolder
from gsm_cli.settings import hyphened, option_name, read_preset

OPTIONS = {"objectives": "objective", "temperatures": "tau"}  # for fields of a measurement that have another name


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
    return shlex.join(["gsm", "gradients", *words, *_chosen(plan), *extra])


def cost(plan: CostPlan, extra: Iterable[str] = ()) -> str:
    """The command that measures these costs; it always names the device, and ends with `extra`."""
    return shlex.join(["gsm", "cost", *_chosen(plan), *extra])


def steps(folder: ReportFolder, plan: StepPlan | None = None) -> str:
    """The command that times the steps of a report, or has timed them."""
    return shlex.join(["gsm", "cost", "--for", folder.named, *(_chosen(plan) if plan else ())])


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


def _chosen(plan: CostPlan | StepPlan | GradientPlan) -> Iterator[str]:
    """What a measurement is asked for besides its defaults, as words of the command line."""
    always = None if isinstance(plan, StepPlan) else "device"  # of the runs, where they are timed
    for field in msgspec.structs.fields(plan):
        value = getattr(plan, field.name)
        if field.name in ("config", "sha256", "steps") or (value == field.default and field.name != always):
            continue  # they stand in the settings, or are found from files
        if value is False:
            yield f"--no-{hyphened(field.name)}"
        else:
            yield option_name(OPTIONS.get(field.name, field.name))
            yield write_seeds(value) if field.name == "seeds" else write(value)


def _departures(config: RunConfig, dataset: Dataset, preset: str, named: Collection[str] = frozenset()) -> list[str]:
    """A preset, and every setting that is named or not the preset's, as words of the command line."""
    usual = _usual(config.objective, dataset.name, preset)
    general = {name: value for name, value in config.general.items() if name != "dataset"}
    words = [] if preset == LAPTOP and "preset" not in named else ["--preset", preset]
    for name, value in (general | config.own).items():
        if name in named or name not in usual or value != usual[name]:
            is_option = name in SETTINGS and SETTINGS[name].option
            words += [option_name(name), write(value)] if is_option else ["--set", f"{name}={write(value)}"]
    return words


@cache
def _usual(objective: str, dataset: str, preset: str) -> dict[str, object]:
    """The settings that a preset gives to a run of that objective; of an estimator of somebody's own no default."""
    return {**GENERAL_DEFAULTS, **own_defaults(objective), **read_preset(describe_dataset(dataset), preset)}
