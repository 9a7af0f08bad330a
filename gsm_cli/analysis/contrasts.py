"""What was swept: sets of series of one objective that differ in a setting alone."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from gsm_cli.analysis.groups import Group
from gsm_cli.analysis.identity import DIGESTS, Identity, by_size, identify, written
from gsm_cli.analysis.series import Series
from gsm_cli.analysis.statistics import Comparison, Side, Summary, compare, holm, side
from gsm_cli.config import RunConfig

SWEPT = 3  # values of a setting that make a sweep; two in a report on settings, but in a search
EPOCHS = "epochs"  # a sweep over them is drawn against time, by `frontier`
FITTED = ("kl_start", "kl_warmup", "learning_rate", "decay")  # to the length of training
OF_THE_DATA = ("labels", "classes")  # settings of which no value is better than another: each is another task
TAU = "tau"  # a sweep over it is drawn beside the gradients, by `temperature`


@dataclass(frozen=True)
class Swept:
    """Runs of one objective that differ in their seeds and these settings alone: a series for each of the values.

    What may be fitted to each value differs with it, and is not among the rest.
    """

    names: tuple[str, ...]
    rest: Mapping[str, object]
    objective: str
    series: dict[tuple[object, ...], Series]
    fitted: tuple[str, ...] = ()

    def values(self, number: int) -> list[object]:
        """Those of one of the settings, in their order."""
        return sorted({key[number] for key in self.series}, key=by_size)

    @property
    def task(self) -> dict[str, object]:
        """Of the rest, what every objective has."""
        return task_of(next(iter(self.series.values())).config, (*self.names, *self.fitted))

    @property
    def varying(self) -> list[str]:
        """Of what may be fitted, what differs."""
        settings = [settings_of(each.config) for each in self.series.values()]
        return [name for name in self.fitted if len({each[name] for each in settings}) > 1]


@dataclass(frozen=True)
class Contrast:
    """A series against another at the same seeds on the test set, and how many times as fast it is.

    The p-value is corrected by Holm's method for its family. `faster` is None unless both steps were timed.
    """

    series: Series
    test: Comparison
    p_value: float
    faster: Summary | None

    @property
    def side(self) -> Side:
        """Worse or better than the other, if interval and test say so."""
        return side(self.test.summary, self.p_value)


def contrasts(partners: Mapping[Series, Series]) -> list[Contrast]:
    """Every series against its partner, as one family; those that share no seed with theirs are left out."""
    tests = {each: test for each, other in partners.items() if (test := compare(each.scores, other.scores))}
    p_values = holm([test.p_value for test in tests.values()])
    return [
        Contrast(each, test, p_value, each.times_as_fast(partners[each]))
        for (each, test), p_value in zip(tests.items(), p_values, strict=True)
    ]


def enough(lines: Sequence[Swept], paired: Sequence[Series]) -> list[Swept]:
    """The lines with enough values: two will do where every series is one of the paired."""
    return [line for line in lines if len(line.series) >= SWEPT or are_among(line, paired)]


def trained(groups: Sequence[Group]) -> list[Series]:
    """Those with a finished run."""
    return [each for group in groups for each in group.trained]


def over_one(series: Sequence[Series]) -> list[Swept]:
    """Sweeps over one setting, the length of training apart; over the data it may be fitted to each value."""
    found = [swept for swept in find(series) if swept.names[0] not in (EPOCHS, *OF_THE_DATA)]
    return [*found, *(swept for name in OF_THE_DATA for swept in _over_data(series, name))]


def _over_data(series: Sequence[Series], name: str) -> Iterator[Swept]:
    """Where a value has several lengths of training, a set for each of them."""
    for swept in over(series, (name, EPOCHS, *FITTED)):
        own = _by_value(swept.series.values(), name)
        if len(own) == len(swept.series) > 1:
            yield Swept((name,), swept.rest, swept.objective, own, (EPOCHS, *FITTED))
        elif len(own) > 1:
            for each in over([*swept.series.values()], (name,)):
                if len(each.series) > 1:
                    yield replace(each, series=_by_value(each.series.values(), name))


def _by_value(series: Iterable[Series], name: str) -> dict[tuple[object, ...], Series]:
    """The series by a setting of the data; where it is not set, as with all classes, by what a record says.

    Of two at one value that with more runs.
    """
    values = [(settings_of(each.config)[name], each) for each in sorted(series, key=lambda each: len(each.finished))]
    return {(each.records[0].classes if value is None else value,): each for value, each in values}


def over_lengths(series: Sequence[Series]) -> list[Swept]:
    """Sets that differ in the length of training; what is fitted to it may differ as well."""
    return [swept for swept in over(series, (EPOCHS, *FITTED)) if len(swept.values(0)) > 1]


def find(series: Sequence[Series]) -> Iterator[Swept]:
    """All sets of series of one objective that differ in the numbers of one setting alone."""
    every = {name: None for each in series for name in settings_of(each.config) if name not in DIGESTS}  # are no values
    for name in every:
        ordered = [each for each in series if is_number(settings_of(each.config).get(name))]
        yield from (swept for swept in over(ordered, (name,)) if len(swept.series) > 1)


def over(series: Sequence[Series], names: tuple[str, ...]) -> list[Swept]:
    """Sets of series of one objective that differ in these settings alone; one that has no like is a set as well."""
    found: dict[tuple[str, tuple[tuple[str, object], ...]], dict[tuple[object, ...], Series]] = defaultdict(dict)
    for each in series:
        settings = settings_of(each.config)
        if all(name in settings for name in names):
            rest = tuple((name, value) for name, value in settings.items() if name not in names)
            found[each.config.objective_name, rest][tuple(settings[name] for name in names)] = each
    return [Swept(names, dict(rest), objective, own) for (objective, rest), own in found.items()]


def named(found: Sequence[Swept]) -> list[tuple[Identity, Swept]]:
    """Every set with its objective, and with what else sets it apart from others of that objective and these settings.

    Those over the same settings follow each other.
    """
    pairs: list[tuple[Identity, Swept]] = []
    for names in dict.fromkeys(each.names for each in found):
        own = [each for each in found if each.names == names]
        pairs += zip(identify([(each.objective, written(each.rest)) for each in own]), own, strict=True)
    return pairs


def settings_of(config: RunConfig) -> dict[str, object]:
    """All but the objective and the seed."""
    return {name: value for name, value in config.identity.items() if name not in ("objective", "seed")}


def task_of(config: RunConfig, but_for: Sequence[str]) -> dict[str, object]:
    """Those that every objective has, but for these."""
    own = (*config.own, *but_for, "objective_sha256")
    return {name: value for name, value in settings_of(config).items() if name not in own}


def are_among(swept: Swept, series: Sequence[Series]) -> bool:
    """Whether all that was swept is one of these."""
    return set(swept.series.values()) <= set(series)


def is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
