"""What is swept: settings that take several values, each combination of them a run."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, get_args, get_origin

from gsm_cli.errors import UsageError

if TYPE_CHECKING:
    from gsm_cli.settings import Source

ELSEWHERE = {  # what is no setting of a run, and what names it
    "seed": "--seeds",
    "seeds": "--seeds",
    "objective": "--objective",
    "preset": "--preset",
    "device": "--device",
}
LAYERS = "x"  # stands between the numbers of a setting that is a list: hidden=64x64,128x128


@dataclass(frozen=True)
class Sweep:
    """A setting, the values that it takes, and where they stand."""

    name: str
    values: tuple[object, ...]
    place: str


def read_sweeps(place: str, texts: object) -> list[Sweep]:
    """The sweeps of --sweep, or of a list in a file. Raises UsageError for one that is none."""
    given = texts if isinstance(texts, list) else [texts]
    return [_read(place, str(text)) for text in given]


def split_options(values: Mapping[str, object]) -> tuple[dict[str, object], list[Sweep]]:
    """Options that have one value, and those that have several: `--tau 0.3,1` is a sweep."""
    from gsm_cli.settings import TYPES

    single, sweeps = dict(values), []
    for name, value in values.items():
        text = ",".join(str(part) for part in value) if isinstance(value, list) else str(value)
        if "," in text and not _is_list(TYPES.get(name)):
            place = f"--{name.replace('_', '-')}"
            sweeps.append(Sweep(name, _parts(place, text), place))
            del single[name]
        elif isinstance(value, list):
            single[name] = text
    return single, sweeps


def combinations(sweeps: Iterable[Sweep]) -> "Iterator[Source]":
    """Settings for every combination of the values; one without settings if nothing is swept."""
    from gsm_cli.settings import Source

    found = list(sweeps)
    names = [sweep.name for sweep in found]
    if twice := {name for name in names if names.count(name) > 1}:
        places = " and ".join(sweep.place for sweep in found if sweep.name in twice)
        raise UsageError(f"a setting must be swept once, and {', '.join(twice)} is by {places}: join their values")
    named = {sweep.name: sweep.place for sweep in found}
    for values in product(*(sweep.values for sweep in found)):
        yield Source(dict(zip(names, values, strict=True)), lambda name: named[name])


def _read(place: str, text: str) -> Sweep:
    name, equals, values = text.partition("=")
    name = name.strip().replace("-", "_")
    if not equals or not name:
        raise UsageError(f"{place} must be NAME=VALUE,VALUE, not {text!r}: write for example --sweep tau=0.1,0.5")
    if name in ELSEWHERE:
        raise UsageError(f"{place} must name a setting of a run, and {name} is given by {ELSEWHERE[name]}: use that")
    from gsm_cli.settings import TYPES

    parts = _parts(f"{place} {name}", values)
    if _is_list(TYPES.get(name)):
        return Sweep(name, tuple(part.split(LAYERS) for part in parts), f"{place} {name}")
    return Sweep(name, parts, f"{place} {name}")


def _parts(place: str, text: str) -> tuple[str, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(parts):
        raise UsageError(f"{place} must be values with commas, not {text!r}: write for example --sweep tau=0.1,0.5")
    return tuple(dict.fromkeys(parts))


def _is_list(kind: object) -> bool:
    """Whether a setting is a list of numbers."""
    return any(get_origin(each) is tuple for each in (kind, *get_args(kind)))
