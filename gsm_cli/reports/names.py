"""Names that tell series apart, and groups: what they have in common is not in them."""

from collections.abc import Mapping, Sequence

import msgspec

from gsm_cli import commands
from gsm_cli.config import RunConfig
from gsm_cli.data import Dataset
from gsm_cli.settings import read_preset

DIGEST = "dataset_sha256"  # of images of somebody's own
DIGESTS = (DIGEST, "objective_sha256")
SHOWN = 12  # hex digits of a file's digest
CONSTANT = (("tau_min", "0"), ("tau_rate", "0"))  # of a temperature that does not fall; no name says so
ALWAYS = ("dataset", DIGEST, "epochs", "precision")  # that a group's name has even where its preset implies them


def shared_settings(config: RunConfig) -> dict[str, object]:
    """The settings that every run of a group has in common."""
    return {**config.general, "dataset": config.dataset_name, DIGEST: config.dataset_sha256}


def own_settings(config: RunConfig) -> dict[str, str]:
    """What is the objective's own, as a reader sees it; of somebody's own file the first digits of its digest."""
    file = {"SHA-256": config.objective_sha256[:SHOWN]} if config.objective_sha256 else {}
    return {name: commands.write(value) for name, value in config.own.items()} | file


def name_series(configs: Sequence[RunConfig]) -> list[str]:
    """A name for each: its objective's and, where several have the same, what of their own settings differs."""
    return [
        _name(config, [each for each in configs if each.objective_name == config.objective_name]) for config in configs
    ]


def objective_of(name: str) -> str:
    """The objective in the name of a series."""
    return name.partition(",")[0]


def in_brackets(name: str, more: str = "") -> str:
    """The name of a series in a sentence, where its commas would be in the way: gumbel (tau 0.5; more)."""
    objective, _, settings = name.partition(", ")
    words = "; ".join(filter(None, [settings, more]))
    return f"{objective} ({words})" if words else objective


def _name(config: RunConfig, namesakes: Sequence[RunConfig]) -> str:
    return ", ".join([config.objective_name, *apart(own_settings(config), [own_settings(each) for each in namesakes])])


def apart(settings: Mapping[str, str], others: Sequence[Mapping[str, str]]) -> list[str]:
    """The settings, as a reader sees them, that differ from those of others."""
    return [
        f"{name} {value}"
        for name, value in settings.items()
        if any(other.get(name) != value for other in others) and (name, value) not in CONSTANT
    ]


def name_groups(settings: Sequence[Mapping[str, object]], dataset: Dataset) -> list[str]:
    """A name for each group of runs: its preset, if they differ in that, and all else in which they differ."""
    nearest = [min(dataset.presets, key=lambda preset: len(_departures(each, dataset, preset))) for each in settings]
    differing = [name for name in settings[0] if any(each[name] != settings[0][name] for each in settings)]
    several = len(set(nearest)) > 1
    names = []
    for each, preset in zip(settings, nearest, strict=True):
        departures = _departures(each, dataset, preset)
        told = [name for name in differing if not several or name in departures or name in ALWAYS]
        words = [_word(name, each[name]) for name in sorted(told, key=_place)]
        names.append(", ".join([f"preset {preset}", *words] if several else words))
    return names


def setting(name: str, value: object) -> str:
    """A setting as a reader sees it; of a file's digest the first digits."""
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value)
    shown = "default" if value is None else str(value)
    return shown[:SHOWN] if name in DIGESTS else shown


def _departures(settings: Mapping[str, object], dataset: Dataset, preset: str) -> set[str]:
    """In what a group departs from a preset."""
    usual = {field.name: field.default for field in msgspec.structs.fields(RunConfig)} | read_preset(dataset, preset)
    return {name for name, value in settings.items() if name not in ("dataset", DIGEST) and value != usual[name]}


def _place(name: str) -> int:
    """Epochs first, the precision last."""
    return {"epochs": -1, "precision": 1}.get(name, 0)


def _word(name: str, value: object) -> str:
    if name == "epochs":
        return f"{value} epochs" if value != 1 else "1 epoch"
    if name == "classes" and value is None:
        return "all classes"
    return str(value) if name == "precision" else f"{name} {setting(name, value)}"
