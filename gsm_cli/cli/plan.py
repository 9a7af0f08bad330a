"""From the words of `gsm train-ssl` to its runs: options, --set, the environment, a file."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from math import prod
from pathlib import Path

import msgspec

from gsm_cli import commands
from gsm_cli.cli.options import read_whole
from gsm_cli.cli.sources import OF_THE_BATCH, Given, all_given, combinations, known
from gsm_cli.config import RunConfig
from gsm_cli.data import LAPTOP
from gsm_cli.errors import UsageError, shown
from gsm_cli.extensions import find_objective
from gsm_cli.objectives import GUMBEL, MARGINALIZE, OBJECTIVES
from gsm_cli.records.layout import COST, Kind
from gsm_cli.runs.environment import Device, check_device, find_device
from gsm_cli.settings import option_name, plan, read_names, read_seeds

REPORT = re.compile(r"[A-Za-z0-9][\w.+-]{0,99}")  # a name that somebody may choose ...
OF_A_DATASET = re.compile(r".+-\d+")  # ... but for those that a data set and its labels have by themselves
AUTO = "auto"  # jobs: one for each core that the runs can fill
MOST_RUNS, MOST_JOBS = 100_000, 1_000  # of one command
FEW_RUNS = 1_000  # that are built in a moment
BY_DEFAULT = {"objective": [MARGINALIZE, GUMBEL], "seeds": "0", "preset": LAPTOP, "device": "auto"}  # of the batch
USUAL = {name: Given(name, (value,), option_name(name)) for name, value in BY_DEFAULT.items()}


@dataclass(frozen=True)
class Plan:
    """The runs that are asked for, seed by seed, so that objectives can be compared early; and where they run."""

    runs: Callable[[], Iterator[RunConfig]]  # one after the other, as they are built
    asked: tuple[str, str]  # where a device is named, and its name: auto, cpu or cuda
    jobs: int | None = None  # None: as many as there are cores
    scheduler: str | None = None  # of Dask, instead of jobs
    report: str | None = None  # the folder of the report, if its name was chosen
    swept: tuple[str, ...] = ()  # settings that have several values
    named: frozenset[str] = frozenset()  # what was asked for by name, in whatever place
    is_large: bool = False  # too many runs to build them all before something is said

    @cached_property
    def configs(self) -> list[RunConfig]:
        """All of them. Raises UsageError for one that cannot be."""
        return [*self.runs()]

    @cached_property
    def device(self) -> Device:
        """The device of that name, which is looked for when there is something to train; on a cluster by its workers.

        Raises UsageError if there is none.
        """
        place, name = self.asked
        if self.scheduler:
            return "cuda" if name == "cuda" else "cpu"
        return find_device(name, place)

    def folder(self, config: RunConfig) -> str:
        """The name of the folder that a run belongs to."""
        return self.report or config.folder

    @property
    def kind(self) -> Kind:
        """What the report asks, if these are its first runs."""
        return "comparison" if all(self.folder(each) == each.folder for each in self.configs) else "settings"

    def label(self, config: RunConfig) -> str:
        """A run in a few words: what sets it apart from the others."""
        return f"{self.series(config)} seed {config.seed}"

    def series(self, config: RunConfig) -> str:
        """What sets a run apart but for its seed."""
        own = [f"{name} {commands.write(config.identity[name])}" for name in self.swept if name in config.identity]
        return " ".join([config.objective_name, *own])


def read_plan(options: Mapping[str, object], pairs: Sequence[str], file: Path | None, looks: bool = False) -> Plan:
    """The runs of all places, of the options those that are settings; code of somebody's own where it may run.

    Raises UsageError with the place and the rule of what is wrong, wherever it stands.
    """
    every = all_given({name: options[name] for name in known() if options.get(name) not in (None, [])}, pairs, file)
    chosen = USUAL | {each.name: each for each in every}
    settings = [each for name, each in chosen.items() if name not in OF_THE_BATCH]
    objectives = _objectives(chosen["objective"], looks)
    seeds = read_seeds(chosen["seeds"].place, chosen["seeds"].values[0])
    count = len(seeds) * len(objectives) * prod(len(each.values) for each in settings)
    if count > MOST_RUNS:
        raise UsageError(f"a batch must be at most {MOST_RUNS:,} runs, not {count:,}: name fewer seeds or values")
    preset = (chosen["preset"].text, chosen["preset"].place)
    given = (each for each in every if each.name not in OF_THE_BATCH)
    plan(objectives, (source for each in given for source in combinations([each])), *preset)  # checks every value
    runs = partial(_runs, seeds, objectives, settings, preset)
    swept = tuple(each.name for each in settings if len(each.values) > 1)
    named = frozenset(each.name for each in every)
    folder = chosen.get("report")
    report = read_report(folder.place, folder.text, (config.folder for config in runs())) if folder else None
    found = Plan(runs, *_where(chosen), report, swept, named, count > FEW_RUNS)
    return found if found.is_large else replace(found, runs=found.configs.__iter__)


def _objectives(given: Given, looks: bool) -> list[str]:
    """The names of objectives that there are. Raises UsageError with the place of one that is none, or must not run."""
    names = read_names(given.place, given.values[0], OBJECTIVES)
    for name in names:
        if looks and ":" in name:
            rule = f"{given.place} must be no file where --dry-run or --print stands, which run no code of others"
            raise UsageError(f"{rule}, and {shown(name)} is one: leave that out")
        find_objective(name, given.place)
    return names


def _runs(
    seeds: list[int], objectives: list[str], settings: list[Given], preset: tuple[str, str]
) -> Iterator[RunConfig]:
    """A run for every seed, every objective and every combination of what is swept and it reads."""
    first, *others = seeds
    configs: dict[str, RunConfig] = {}
    for each in combinations(settings):
        for config in plan(objectives, [each], *preset):
            if configs.setdefault(config.digest, config) is config:
                yield msgspec.structs.replace(config, seed=first)
    for seed in others:
        yield from (msgspec.structs.replace(config, seed=seed) for config in configs.values())


def _where(chosen: Mapping[str, Given]) -> tuple[tuple[str, str], int | None, str | None]:
    """The device that is asked for, and the jobs or the scheduler, whichever stands in the stronger place."""
    place, name = chosen["device"].place, chosen["device"].text
    asked = (place, check_device(name, place))
    jobs, scheduler = chosen.get("jobs"), chosen.get("scheduler")
    if jobs and scheduler and jobs.strength == scheduler.strength:
        rule = f"{scheduler.place} must stand without {jobs.place}"
        raise UsageError(f"{rule}, since a cluster has the workers that were started for it: leave one of them out")
    if scheduler and not (jobs and jobs.strength > scheduler.strength):
        return asked, None, scheduler.text
    if jobs is None or jobs.text == AUTO:
        return asked, None, None
    return asked, read_whole(jobs.place, jobs.text, 1, MOST_JOBS, f"{AUTO} or "), None


def read_report(place: str, name: str, own: Iterable[str]) -> str:
    """The name that somebody chose for the folder of a report; `own` are those that its runs have by themselves.

    Raises UsageError for one that other runs have by themselves, or that is no name.
    """
    if (not REPORT.fullmatch(name) or OF_A_DATASET.fullmatch(name) or name == COST) and set(own) != {name}:
        raise UsageError(
            f"{place} must be a name of letters and digits that does not end in a hyphen and a number, as the folder "
            f"of a data set does, and is not {COST}; not {name!r}: write for example --report temperatures"
        )
    return name
