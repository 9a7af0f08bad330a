"""What was swept: sets of series of one objective that differ in a setting, or in two, alone."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.groups import Group
from gsm_cli.reports.series import Series

SWEPT = 3  # values of a setting that make a sweep; where somebody chose the name of the folder, two
EPOCHS = "epochs"  # a sweep over them is drawn against time, by `frontier`
TAU = "tau"  # a sweep over it is drawn beside the gradients, by `temperature`
NAMED = ("objective", "seed", "objective_sha256")  # what is no setting that is swept


@dataclass(frozen=True)
class Swept:
    """Runs of one objective that differ in their seeds and these settings alone: a series for each of the values."""

    names: tuple[str, ...]
    rest: tuple[tuple[str, str], ...]
    objective: str
    series: dict[tuple[object, ...], Series]

    def values(self, number: int) -> list[object]:
        """Those of one of the settings, in their order."""
        return sorted({key[number] for key in self.series}, key=_ordered)


@dataclass(frozen=True)
class Sweeps:
    """What was swept in a report: over one setting, with enough values and in no map, or over every pair of two."""

    series: Sequence[Series]
    lines: Sequence[Swept]
    maps: Sequence[Swept]


def find_sweeps(folder: ReportFolder, groups: Sequence[Group]) -> Sweeps:
    """The sweeps that the report of a folder shows."""
    series = trained(groups)
    least = 2 if folder.chosen else SWEPT
    maps = [swept for swept in find(series, 2) if _whole(swept) and min(len(swept.values(n)) for n in (0, 1)) > 1]
    lines = [swept for swept in over_one(series) if len(swept.series) >= least and not _in_a_map(swept, maps)]
    return Sweeps(series, lines, [swept for swept in maps if len(swept.series) > least])


def trained(groups: Sequence[Group]) -> list[Series]:
    """Those with a test accuracy."""
    return [each for group in groups for each in group.trained if each.scores]


def over_one(series: Sequence[Series]) -> list[Swept]:
    """Sweeps over one setting, the length of training apart."""
    return [swept for swept in find(series, 1) if swept.names != (EPOCHS,)]


def find(series: Sequence[Series], number: int) -> Iterator[Swept]:
    """All sets of series of one objective that differ in so many settings alone, each of which can be put in order."""
    every = {name: None for each in series for name in each.config.identity if name not in NAMED}
    for names in combinations(every, number):
        ordered = [each for each in series if number > 1 or _is_number(_settings(each).get(names[0]))]
        for swept in over(ordered, names):
            if all(len(swept.values(n)) > 1 for n in range(number)):
                yield swept


def over(series: Sequence[Series], names: tuple[str, ...]) -> list[Swept]:
    """Sets of series of one objective that differ in these settings alone; one that has no like is a set as well."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], dict[tuple[object, ...], Series]] = defaultdict(dict)
    for each in series:
        settings = _settings(each)
        if all(name in settings for name in names):
            rest = tuple((name, repr(value)) for name, value in settings.items() if name not in names)
            found[each.config.objective_name, rest][tuple(settings[name] for name in names)] = each
    return [Swept(names, rest, objective, own) for (objective, rest), own in found.items()]


def named(found: Sequence[Swept]) -> dict[str, Swept]:
    """Every set by its objective, and by what else sets it apart from others of that objective."""
    labelled = {}
    for swept in found:
        others = [dict(other.rest) for other in found if other.objective == swept.objective]
        differing = [
            f"{name} {value}" for name, value in swept.rest if any(other.get(name) != value for other in others)
        ]
        labelled[", ".join([swept.objective, *differing])] = swept
    return labelled


def _settings(series: Series) -> dict[str, object]:
    return {name: value for name, value in series.config.identity.items() if name not in NAMED}


def shares(series: Series, swept: Swept, but_for: Sequence[str] = ()) -> bool:
    """Whether a series has the settings of a sweep, as far as both have them, and but for these."""
    rest = {name: value for name, value in swept.rest if name not in but_for}
    return all(rest[name] == repr(value) for name, value in _settings(series).items() if name in rest)


def _whole(swept: Swept) -> bool:
    """Whether there is a series for every pair of values."""
    return len(swept.series) == len(swept.values(0)) * len(swept.values(1))


def _in_a_map(line: Swept, maps: Sequence[Swept]) -> bool:
    """Whether a map shows all of a line."""
    own = set(map(id, line.series.values()))
    return any(own <= set(map(id, swept.series.values())) for swept in maps)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _ordered(value: object) -> tuple[bool, float, str]:
    """Numbers by their size, then words, none first of all."""
    return (not _is_number(value) and value is not None, float(str(value)) if _is_number(value) else -1.0, str(value))
