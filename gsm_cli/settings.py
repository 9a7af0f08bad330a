"""From what somebody wrote to settings: on the command line, in the environment, in a file or in a preset.

One grammar of values for all of them: numbers, words, lists with commas, and `none` where a setting has it.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec

from gsm_cli.config import DATASET, GENERAL, RunConfig, Seed
from gsm_cli.data import DATASETS, LAPTOP, Dataset, find_dataset
from gsm_cli.errors import UsageError, is_seen, meant, shown
from gsm_cli.extensions import find_objective
from gsm_cli.objectives import GUMBEL, OBJECTIVES, Objective
from gsm_cli.rules import rule_of, without_none

# Of the settings that every objective has, by name
TYPES: dict[str, Any] = {name: setting.type for name, setting in GENERAL.items()} | {"seed": Seed}
ALL = "all"  # every objective that can be named
OF_ADGM = ("auxiliary", "fresh_a")  # settings of no other model
MOST_SEEDS = 10_000  # of one command
SEEDS = "write for example 0-4,7, with 18 digits at most"


def hyphened(name: str) -> str:
    """A setting as sentences name it."""
    return name.replace("_", "-")


def option_name(name: str) -> str:
    """A setting as the command line names it."""
    return f"--{hyphened(name)}"


@dataclass(frozen=True)
class Source:
    """Settings as they stand in one place, and how a sentence names one of them there."""

    values: Mapping[str, object]
    named: Callable[[str], str] = hyphened


def build(settings: Mapping[str, object], preset: str | None = LAPTOP) -> RunConfig:
    """One run from plain values; what they do not name comes from the data set's preset, or with None from the class.

    Raises UsageError for an unknown name, for a value that breaks its rule and for a setting that is not read.
    """
    others = dict(settings)
    (config,) = plan(read_names("objective", others.pop("objective", GUMBEL)), [Source(others)], preset)
    return config


def plan(
    objectives: Sequence[str], sources: Iterable[Source], preset: str | None = LAPTOP, place: str = "--preset"
) -> list[RunConfig]:
    """A run of each objective, with the settings of all sources, the last the strongest; every one of them is checked.

    A setting may belong to some of the objectives alone; one that none of them reads is refused. `place` is where the
    preset was named.
    """
    rows = [find_objective(name) for name in dict.fromkeys(objectives)]
    values: dict[str, object] = {}
    places: dict[str, str] = {}
    for source in sources:
        for name, value in source.values.items():
            places[name] = source.named(name)
            values[name] = _check(name, value, places[name], rows)
    dataset = find_dataset(str(values.get("dataset", DATASET)), places.get("dataset", "dataset"))
    usual = read_preset(dataset, preset, place) if preset is not None else {}
    configs = [_build(row, dataset, {**_for(row, usual), **values}) for row in rows]
    if configs[0].model == "m2" and (idle := [place for name, place in places.items() if name in OF_ADGM]):
        raise UsageError(f"{idle[0]} is of the auxiliary variable, which m2 does not have: leave it out")
    return configs


def read_preset(dataset: Dataset, preset: str, place: str = "--preset") -> dict[str, object]:
    """The settings that a data set's preset names, checked. Raises UsageError with the place of an unknown one."""
    presets = dataset.presets
    if preset not in presets:
        other = next((each.name for each in DATASETS.values() if preset in each.presets), None)
        among = f"choose one of them, or name --dataset {other}, which has it"
        remedy = among if other else meant(preset, presets)
        raise UsageError(f"{place} must be one of {', '.join(presets)} for {dataset.name}, not {preset!r}: {remedy}")
    of_it, rows = f"of the preset {preset} of {dataset.name}", list(OBJECTIVES.values())
    return {name: _check(name, value, f"{hyphened(name)} {of_it}", rows) for name, value in presets[preset].items()}


def read_names(place: str, value: object, every: Iterable[str] = ()) -> list[str]:
    """The names in a text with commas, or in a list of texts; each once, and every one of these for `all`."""
    parts = value if isinstance(value, list | tuple) else [value]
    names = [name.strip() for part in parts for name in (part.split(",") if isinstance(part, str) else [""])]
    if not all(names) or not names:
        raise UsageError(f"{place} must be a name or several with commas, not {shown(value)}: write for example gumbel")
    return list(dict.fromkeys(each for name in names for each in (every if every and name == ALL else [name])))


def read_seeds(place: str, value: object) -> list[int]:
    """The seeds that `0`, `0-4` or `0,3,7` name, or a list of such; each once."""
    parts = [part for each in (value if isinstance(value, list) else [value]) for part in str(each).split(",")]
    seeds: dict[int, None] = {}
    for part in parts:
        found = re.fullmatch(r"\s*([0-9]{1,18})(?:-([0-9]{1,18}))?\s*", part)
        if not found or int(found[2] or found[1]) < int(found[1]):
            raise UsageError(f"{place} must be whole numbers and ranges, not {shown(part)}: {SEEDS}")
        first, last = int(found[1]), int(found[2] or found[1])
        if len(seeds) + last - first >= MOST_SEEDS:
            raise UsageError(f"{place} must be at most {MOST_SEEDS:,} seeds, not {shown(part)}: name fewer")
        seeds |= dict.fromkeys(range(first, last + 1))
    if not seeds:
        raise UsageError(f"{place} must name at least one seed, and names none: write for example 0-4,7")
    return list(seeds)


def _build(row: Objective, dataset: Dataset, values: Mapping[str, object]) -> RunConfig:
    given: dict[str, Any] = {name: value for name, value in values.items() if name in TYPES}
    try:
        return RunConfig(**given, estimator=row.choose(values), dataset_sha256=dataset.sha256)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _for(row: Objective, preset: dict[str, object]) -> dict[str, object]:
    """A preset's settings for an objective: its temperature falls no lower than the objective's own rule allows."""
    lowest = row.settings["tau"].least if row.relaxed else None
    falls = isinstance(least := preset.get("tau_min"), float) and lowest is not None and least < lowest
    return preset | {"tau_min": lowest} if falls else preset


def _check(name: str, value: object, place: str, rows: Sequence[Objective]) -> object:
    """`value` as the type of the setting. Raises UsageError for one that is not there, not read or not by its rule."""
    if name in TYPES:
        return _convert(value, TYPES[name], place)
    readers = [row for row in rows if name in row.settings]
    if not readers:
        raise UsageError(_unread(name, place, rows))
    first, *_ = [_convert(value, row.settings[name].type, f"{place} of {row.name}") for row in readers]
    return first


def _unread(name: str, place: str, rows: Sequence[Objective]) -> str:
    others = [row.name for row in OBJECTIVES.values() if name in row.settings]
    if others:
        chosen = ", ".join(row.name for row in rows)
        return f"{place} is a setting of {', '.join(others)}, and none of {chosen} reads it: leave it out"
    known = dict.fromkeys([*GENERAL, *(setting for row in rows for setting in row.settings)])
    every = f"choose from {', '.join(known)}"
    return f"{place} is no setting: {meant(name, known, every)}"


def _convert(value: object, kind: Any, place: str) -> object:
    """`value`, which may be a text, as a `kind`. Raises UsageError with the rule of that kind."""
    base, optional = without_none(kind)
    if optional and (value is None or str(value).lower() == "none"):
        return None
    plain = get_args(base)[0] if get_origin(base) is Annotated else base
    listed: object = value
    if get_origin(plain) is tuple:
        listed = value.split(",") if isinstance(value, str) else value if isinstance(value, list | tuple) else [value]
    try:
        converted: object = msgspec.convert(listed, base, strict=False)
        if not isinstance(converted, str) or is_seen(converted):
            return converted
        raise UsageError(f"{place} must have no character that is not seen, not {shown(value)}: write it anew")
    except (msgspec.ValidationError, UnicodeEncodeError):  # the latter for bytes that are no text
        remedy = meant(str(value), get_args(plain) if get_origin(plain) is Literal else (), "choose another value")
        raise UsageError(f"{place} must be {rule_of(base)}, not {shown(value)}: {remedy}") from None
