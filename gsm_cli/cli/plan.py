"""From the words of `gsm train-ssl` to its runs: options, --set, the environment, a file."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from gsm_cli.cli.options import as_typed, read_report
from gsm_cli.cli.sweep import Sweep, combinations, read_sweeps, split, without
from gsm_cli.data import LAPTOP
from gsm_cli.errors import UsageError
from gsm_cli.objectives import GUMBEL, MARGINALIZE, OBJECTIVES

if TYPE_CHECKING:
    from gsm_cli.config import RunConfig
    from gsm_cli.records.layout import Kind
    from gsm_cli.runs.environment import Device
    from gsm_cli.settings import Source

AUTO = "auto"  # jobs: one for each core that the runs can fill
ALL = "all"  # every objective of the table
MOST_RUNS, MOST_JOBS = 100_000, 1_000  # of one command
FEW_RUNS = 1_000  # that are built in a moment


@dataclass(frozen=True)
class Plan:
    """The runs that are asked for, seed by seed, so that objectives can be compared early; and where they run."""

    runs: "Callable[[], Iterator[RunConfig]]"  # one after the other, as they are built
    asked: tuple[str, str]  # where a device is named, and its name: auto, cpu or cuda
    jobs: int | None = None  # None: as many as there are cores
    scheduler: str | None = None  # of Dask, instead of jobs
    report: str | None = None  # the folder of the report, if its name was chosen
    swept: tuple[str, ...] = ()  # settings that have several values
    named: frozenset[str] = frozenset()  # what was asked for by name, in whatever place
    is_large: bool = False  # too many runs to build them all before something is said

    @cached_property
    def configs(self) -> "list[RunConfig]":
        """All of them. Raises UsageError for one that cannot be."""
        return [*self.runs()]

    @cached_property
    def device(self) -> "Device":
        """The device of that name, which is looked for when there is something to train; on a cluster by its workers.

        Raises UsageError if there is none.
        """
        from gsm_cli.runs.environment import find_device

        place, name = self.asked
        if self.scheduler:
            return "cuda" if name == "cuda" else "cpu"
        return find_device(name, place)

    def folder(self, config: "RunConfig") -> str:
        """The name of the folder that a run belongs to."""
        return self.report or config.folder

    @property
    def kind(self) -> "Kind":
        """What the report asks, if these are its first runs."""
        return "comparison" if all(self.folder(each) == each.folder for each in self.configs) else "settings"

    def label(self, config: "RunConfig") -> str:
        """A run in a few words: what sets it apart from the others."""
        from gsm_cli import commands

        own = [f"{name} {commands.write(config.identity[name])}" for name in self.swept if name in config.identity]
        return " ".join([config.objective_name, *own, f"seed {config.seed}"])


def read_plan(options: Mapping[str, object], pairs: Sequence[str], file: Path | None, looks: bool = False) -> Plan:
    """The runs of all sources, of the options those that are settings; code of somebody's own where it may run.

    Raises UsageError with the place and the rule of what is wrong, wherever it stands.
    """
    from gsm_cli.cli.sources import OF_THE_BATCH, known, sources
    from gsm_cli.settings import Source, read_seeds

    chosen: dict[str, tuple[str, object]] = {
        "objective": ("--objective", [MARGINALIZE, GUMBEL]),
        "seeds": ("--seeds", "0"),
        "preset": ("--preset", LAPTOP),
        "device": ("--device", "auto"),
    }
    given = {name: options[name] for name in known() if options.get(name) not in (None, [])}
    settings: list[Source] = []
    sweeps: list[Sweep] = []
    every = sources(given, pairs, file)
    for source in every:
        if "seed" in source.values:
            raise UsageError(f"{source.named('seed')} must be named by --seeds, as --seeds 0-4: take it out")
        chosen = _without_weaker_workers(chosen, source.values)
        chosen |= {name: (source.named(name), source.values[name]) for name in OF_THE_BATCH if name in source.values}
        rest = {name: value for name, value in source.values.items() if name not in OF_THE_BATCH}
        single, several = split(Source(rest, source.named))
        if "sweep" in source.values:
            several += read_sweeps(source.named("sweep"), source.values["sweep"])
        settings.append(single)
        sweeps = [*without(sweeps, [*rest, *(sweep.name for sweep in several)]), *several]
    objectives = _objectives(*chosen["objective"], looks)
    seeds = read_seeds(*chosen["seeds"])
    _refuse_twice(settings, sweeps)
    swept = tuple(sweep.name for sweep in sweeps if len(sweep.values) > 1)
    count = len(seeds) * len(objectives) * prod(len(sweep.values) for sweep in sweeps)
    _refuse_too_many(count)
    runs = partial(_runs, seeds, objectives, settings, sweeps, chosen["preset"])
    named = {name for source in every for name in source.values} | {sweep.name for sweep in sweeps}
    plan = Plan(runs, *_where(chosen), _report(chosen, runs), swept, frozenset(named), count > FEW_RUNS)
    return plan if plan.is_large else replace(plan, runs=plan.configs.__iter__)


def _objectives(place: str, value: object, looks: bool) -> list[str]:
    """The names of objectives that there are. Raises UsageError with the place of one that is none, or must not run."""
    from gsm_cli.extensions import find_objective
    from gsm_cli.settings import read_names

    names = [name for each in read_names(place, value) for name in (OBJECTIVES if each == ALL else [each])]
    for name in names:
        if looks and ":" in name:
            rule = f"{place} must be no file where --dry-run or --print stands, which run no code of others"
            raise UsageError(f"{rule}, and {as_typed(name)} is one: leave that out")
        find_objective(name, place)
    return names


def _without_weaker_workers(
    chosen: Mapping[str, tuple[str, object]], values: Mapping[str, object]
) -> dict[str, tuple[str, object]]:
    """What is chosen without the jobs or scheduler of a place that is weaker than these, which name the other.

    Two of the command line are equally strong: both stay.
    """
    others = {"jobs": "scheduler", "scheduler": "jobs"}
    weaker = {other for name, other in others.items() if name in values}
    return {name: found for name, found in chosen.items() if name not in weaker or found[0].startswith("--")}


def _refuse_twice(settings: "list[Source]", sweeps: Sequence[Sweep]) -> None:
    """Raise UsageError for a setting that the command line sweeps and also gives one value."""
    for sweep in sweeps:
        for source in settings:
            place = source.named(sweep.name)
            if sweep.name in source.values and place.startswith("--"):
                rule = f"{place} must stand without {sweep.place}, which gives it several values"
                raise UsageError(f"{rule}: leave one out")


def _refuse_too_many(runs: int) -> None:
    """Raise UsageError for a batch that nobody means."""
    if runs > MOST_RUNS:
        raise UsageError(f"a batch must be at most {MOST_RUNS:,} runs, not {runs:,}: name fewer seeds or values")


def _runs(
    seeds: list[int], objectives: list[str], settings: "list[Source]", sweeps: list[Sweep], preset: tuple[str, object]
) -> "Iterator[RunConfig]":
    """A run for every seed, every objective and every combination of what is swept and it reads."""
    from msgspec.structs import replace

    from gsm_cli.settings import plan

    first, *others = seeds
    configs: dict[str, RunConfig] = {}
    for each in combinations(sweeps):
        for config in plan(objectives, [*settings, each], str(preset[1]), preset[0]):
            if configs.setdefault(config.digest, config) is config:
                yield replace(config, seed=first)
    for seed in others:
        yield from (replace(config, seed=seed) for config in configs.values())


def _where(chosen: Mapping[str, tuple[str, object]]) -> tuple[tuple[str, str], int | None, str | None]:
    """The device that is asked for, the jobs and the scheduler."""
    from gsm_cli.runs.environment import check_device

    place, name = chosen["device"]
    asked = (place, check_device(str(name), place))
    if "scheduler" not in chosen:
        return asked, _read_jobs(*chosen["jobs"]) if "jobs" in chosen else None, None
    if "jobs" in chosen:
        rule = f"{chosen['scheduler'][0]} must stand without {chosen['jobs'][0]}"
        raise UsageError(f"{rule}, since a cluster has the workers that were started for it: leave one of them out")
    return asked, None, str(chosen["scheduler"][1])


def _read_jobs(place: str, value: object) -> int | None:
    text = str(value)
    if text == AUTO:
        return None
    if not re.fullmatch("[0-9]{1,18}", text) or not 1 <= int(text) <= MOST_JOBS:
        rule = f"{place} must be {AUTO} or a whole number from 1 to {MOST_JOBS:,}"
        raise UsageError(f"{rule}, not {as_typed(text)}: write for example --jobs 2")
    return int(text)


def _report(chosen: Mapping[str, tuple[str, object]], runs: "Callable[[], Iterator[RunConfig]]") -> str | None:
    """The name that was chosen for the folder of the report."""
    if "report" not in chosen:
        return None
    place, value = chosen["report"]
    return read_report(place, str(value), (config.folder for config in runs()))
