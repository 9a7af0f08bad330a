"""Where the settings of `gsm train-ssl` stand, and their values: a file, the environment, options and --set."""

import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import get_args, get_origin

from gsm_cli.cli.options import say
from gsm_cli.data.mnist import DATA_DIR
from gsm_cli.errors import UsageError, closest
from gsm_cli.files import read_bounded
from gsm_cli.objectives import OBJECTIVES
from gsm_cli.settings import TYPES, Source, option_name

OF_THE_BATCH = ("objective", "seeds", "preset", "device", "jobs", "scheduler", "report", "sweep")  # asked for once
LARGEST_FILE = 2**20  # bytes of --config
PREFIX = "GSM_"  # of environment variables
LAYERS = "x"  # stands between the numbers of a setting that is a list: hidden=64x64,128x128
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Given:
    """A setting, the values that it is given, where, and how strong that place is: the command line is the strongest.

    What is of the batch has one value, as it was written.
    """

    name: str
    values: tuple[object, ...]
    place: str
    strength: int = 0

    @property
    def text(self) -> str:
        """The first value as a text."""
        return str(self.values[0])


def all_given(options: Mapping[str, object], pairs: Sequence[str], file: Path | None) -> list[Given]:
    """What all places give, the weakest first. Raises UsageError for what is swept and also given in one place."""
    environment = {name: os.environ[_variable(name)] for name in known() if _variable(name) in os.environ}
    warn_of_variables()
    places = [
        (1, Source(_read_file(file), lambda name: f"{name} in {file}")),
        (2, Source(environment, lambda name: f"${_variable(name)}")),
        (3, Source(options, option_name)),
        (3, Source(_read_pairs("--set", pairs), lambda name: f"--set {name}")),
    ]
    found = [each for strength, source in places for each in _given(source, strength)]
    for number, each in enumerate(found):
        for other in found[:number]:
            is_twice = (each.name, each.strength) == (other.name, other.strength)
            if is_twice and max(len(each.values), len(other.values)) > 1:
                rule = f"{each.place} must stand without {other.place}, since one of them has several values"
                raise UsageError(f"{rule}: leave one out")
    return found


def combinations(settings: Sequence[Given]) -> Iterator[Source]:
    """Settings for every combination of their values."""
    places = {each.name: each.place for each in settings}
    for values in product(*(each.values for each in settings)):
        yield Source(dict(zip(places, values, strict=True)), places.__getitem__)


def warn_of_variables() -> None:
    """Tell which variables of the environment begin as those of settings do, and name none."""
    names = [*map(_variable, known()), DATA_DIR]
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


def _given(source: Source, strength: int) -> Iterator[Given]:
    """What one place gives, what it sweeps included."""
    for name, value in source.values.items():
        place = source.named(name)
        log.info("%s: %s", place, value)
        if name == "seed":
            raise UsageError(f"{place} must be named by --seeds, as --seeds 0-4: take it out")
        if name == "sweep":
            texts = value if isinstance(value, list) else [value]
            for swept, text in _read_pairs(place, map(str, texts)).items():
                yield Given(swept, _swept(swept, text, place), f"{place} {swept}", strength)
        else:
            yield Given(name, (value,) if name in OF_THE_BATCH else _values(name, value, place), place, strength)


def _swept(name: str, text: str, place: str) -> tuple[object, ...]:
    """The values of a setting in --sweep."""
    if name in (*OF_THE_BATCH, "seed"):
        option = "--seeds" if name == "seed" else f"--{name}"
        raise UsageError(f"{place} must name a setting of a run, and {name} is given by {option}: use that")
    parts = _parts(text, f"{place} {name}")
    return tuple(part.split(LAYERS) for part in parts) if _is_list(name) else parts


def _values(name: str, value: object, place: str) -> tuple[object, ...]:
    """The values of a setting elsewhere: several where they are a list, or a text with commas, and it is none."""
    if not isinstance(value, str | list):
        return (value,)
    text = ",".join(map(str, value)) if isinstance(value, list) else value
    return (text,) if _is_list(name) or "," not in text else _parts(text, place)


def _parts(text: str, place: str) -> tuple[str, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise UsageError(f"{place} must be values with commas, not {text!r}: write for example --sweep tau=0.1,0.5")
    return tuple(dict.fromkeys(parts))


def _is_list(name: str) -> bool:
    """Whether a setting is a list of numbers."""
    kind = TYPES.get(name)
    return any(get_origin(each) is tuple for each in (kind, *get_args(kind)))


def _read_pairs(place: str, pairs: Iterable[str]) -> dict[str, str]:
    """The settings of --set or --sweep with their values; one that is repeated has all of them."""
    found: dict[str, list[str]] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise UsageError(f"{place} must be NAME=VALUE, not {pair!r}: write for example kl_start=4")
        found.setdefault(name.strip().replace("-", "_"), []).append(value.strip())
    return {name: ",".join(values) for name, values in found.items()}


def _read_file(path: Path | None) -> dict[str, object]:
    """The settings of --config."""
    import tomllib

    if path is None:
        return {}
    try:
        settings = tomllib.loads(read_bounded(path, LARGEST_FILE).decode("utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        remedy = "name another" if isinstance(error, OSError) else "correct it"
        raise UsageError(f"--config must be a readable TOML file, and {path} is not ({error}): {remedy}") from error
    return {name.replace("-", "_"): value for name, value in settings.items()}
