"""From the words of `gsm train-ssl` to its runs: options, --set, the environment, a file."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gsm_cli.data import LAPTOP
from gsm_cli.errors import UsageError
from gsm_cli.objectives import GUMBEL, MARGINALIZE, OBJECTIVES

if TYPE_CHECKING:
    from gsm_cli.config import RunConfig
    from gsm_cli.runs.environment import Device
    from gsm_cli.settings import Source

ALL = "all"  # every objective of the table
OF_THE_BATCH = ("objective", "seeds", "preset", "device")  # what is asked for once, and not of each run


@dataclass(frozen=True)
class Plan:
    """The runs that are asked for, seed by seed, so that objectives can be compared early; and where they run."""

    configs: "list[RunConfig]"
    device: "Device"


def read_plan(options: Mapping[str, object], pairs: Sequence[str], file: Path | None) -> Plan:
    """The runs of all sources. Raises UsageError with the place and the rule of what is wrong, wherever it stands."""
    from msgspec.structs import replace

    from gsm_cli.runs.environment import find_device
    from gsm_cli.settings import Source, plan, read_names, read_seeds

    chosen: dict[str, tuple[str, object]] = {
        "objective": ("--objective", [MARGINALIZE, GUMBEL]),
        "seeds": ("--seeds", "0"),
        "preset": ("--preset", LAPTOP),
        "device": ("--device", "auto"),
    }
    settings = []
    for source in _sources(options, pairs, file):
        if "seed" in source.values:
            raise UsageError(f"{source.named('seed')} must be named by --seeds, as --seeds 0-4: take it out")
        chosen |= {name: (source.named(name), source.values[name]) for name in OF_THE_BATCH if name in source.values}
        rest = {name: value for name, value in source.values.items() if name not in OF_THE_BATCH}
        settings.append(Source(rest, source.named))
    names = read_names(*chosen["objective"])
    objectives = [name for each in names for name in (OBJECTIVES if each == ALL else [each])]
    seeds = read_seeds(*chosen["seeds"])
    place, device = chosen["device"]
    configs = plan(objectives, settings, str(chosen["preset"][1]))
    return Plan([replace(config, seed=seed) for seed in seeds for config in configs], find_device(str(device), place))


def _sources(options: Mapping[str, object], pairs: Sequence[str], file: Path | None) -> "list[Source]":
    """All places where settings stand, the weakest first."""
    from gsm_cli.settings import TYPES, Source

    own = (name for row in OBJECTIVES.values() for name in row.settings)
    known = dict.fromkeys([*TYPES, *own, *OF_THE_BATCH])
    environment = {name: os.environ[_variable(name)] for name in known if _variable(name) in os.environ}
    given = {name: value for name, value in options.items() if value not in (None, [])}
    return [
        Source(_read_file(file), lambda name: f"{name} in {file}"),
        Source(environment, lambda name: f"${_variable(name)}"),
        Source(given, lambda name: f"--{name.replace('_', '-')}"),
        Source(_read_pairs(pairs), lambda name: f"--set {name}"),
    ]


def _variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"GSM_{name.upper()}"


def _read_pairs(pairs: Sequence[str]) -> dict[str, object]:
    """The settings of --set."""
    parts = [pair.partition("=") for pair in pairs]
    for name, equals, _ in parts:
        if not equals:
            raise UsageError(f"--set must be NAME=VALUE, not {name!r}: write for example --set kl_start=4")
    return {name.strip().replace("-", "_"): value.strip() for name, _, value in parts}


def _read_file(path: Path | None) -> dict[str, object]:
    """The settings of --config."""
    import tomllib

    if path is None:
        return {}
    try:
        settings = tomllib.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"--config must be a readable TOML file, and {path} is not ({error}): correct it") from error
    return {name.replace("-", "_"): value for name, value in settings.items()}
