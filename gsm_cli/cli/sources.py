"""Where the settings of `gsm train-ssl` stand: a file, the environment, options and --set."""

import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from gsm_cli.cli.options import say
from gsm_cli.data.mnist import DATA_DIR
from gsm_cli.errors import UsageError, closest
from gsm_cli.files import read_bounded
from gsm_cli.objectives import OBJECTIVES
from gsm_cli.settings import TYPES, Source

OF_THE_BATCH = ("objective", "seeds", "preset", "device", "jobs", "scheduler", "report", "sweep")  # asked for once
LARGEST_FILE = 2**20  # bytes of --config
PREFIX = "GSM_"  # of environment variables
log = logging.getLogger(__name__)


def sources(options: Mapping[str, object], pairs: Sequence[str], file: Path | None) -> list[Source]:
    """All places where settings stand, the weakest first."""
    environment = {name: os.environ[_variable(name)] for name in known() if _variable(name) in os.environ}
    warn_of_variables()
    found = [
        Source(_read_file(file), lambda name: f"{name} in {file}"),
        Source(environment, lambda name: f"${_variable(name)}"),
        Source(options, lambda name: f"--{name.replace('_', '-')}"),
        Source(_read_pairs(pairs), lambda name: f"--set {name}"),
    ]
    for source in found:
        for name, value in source.values.items():
            log.info("%s: %s", source.named(name), value)
    return found


def warn_of_variables() -> None:
    """Tell which variables of the environment begin as those of settings do, and name none."""
    names = {_variable(name): None for name in known()} | {DATA_DIR: None}
    for variable in sorted(set(os.environ) - set(names)):
        if variable.startswith(PREFIX):
            meant = closest(variable.removeprefix(PREFIX), [name.removeprefix(PREFIX) for name in names])
            remedy = f"did you mean {PREFIX}{meant}?" if meant else "gsm settings lists those that do"
            say(f"gsm: {variable} in the environment names no setting, and is ignored: {remedy}")


def known() -> list[str]:
    """The names of all settings, of runs and of the batch."""
    own = (name for row in OBJECTIVES.values() for name in row.settings)
    return list(dict.fromkeys([*TYPES, *own, *OF_THE_BATCH]))


def _variable(name: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def _read_pairs(pairs: Sequence[str]) -> dict[str, object]:
    """The settings of --set; one that is repeated has several values, as an option has."""
    found: dict[str, list[object]] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"--set must be NAME=VALUE, not {name!r}: write for example --set kl_start=4")
        found.setdefault(name.strip().replace("-", "_"), []).append(value.strip())
    return {name: values if len(values) > 1 else values[0] for name, values in found.items()}


def _read_file(path: Path | None) -> dict[str, object]:
    """The settings of --config."""
    import tomllib

    if path is None:
        return {}
    try:
        settings = tomllib.loads(read_bounded(path, LARGEST_FILE).decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"--config must be a readable TOML file, and {path} is not ({error}): correct it") from error
    return {name.replace("-", "_"): value for name, value in settings.items()}
