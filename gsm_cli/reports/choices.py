"""What a report says of the best settings: the changes of a search, and the values of a sweep."""

from collections.abc import Mapping, Sequence
from functools import partial

from gsm_cli.analysis.choices import Choice, Trial
from gsm_cli.analysis.identity import written
from gsm_cli.reports.forest import Forest, draw, forest_row
from gsm_cli.reports.markdown import NOTHING, interval, table, without_constants
from gsm_cli.reports.page import Answer, Section
from gsm_cli.style import Picture
from gsm_cli.words import counted, listed, points, ratio

HEADING = "What each change brings"
QUANTITY = "points of validation accuracy, minus the base's"
RULE = (
    "The base is the runs from which the others depart in the fewest settings. Validation accuracy is that "
    "after the last epoch, and the difference from the base is taken at the same seeds, with Student's 95 % "
    "interval; the best is chosen among the changes with the most seeds. The test set has no part in it. The best of "
    "several is the best by chance too, which no interval covers: hold it against the base with other seeds."
)
BEST = "Best by validation, with its accuracy on the test set: {}."
BEST_RULE = (
    "The best value is that of the greatest validation accuracy after the last epoch, over the seeds that "
    "all values have, a choice that no interval covers. The others are held against it on the test set at the same "
    "seeds; worse or better is what both the 95 % interval of the difference and the exact sign-flip test say, "
    "corrected for the number of values in a "
    "line."
)
SIDES = {"worse": "worse is", "better": "better is", "open": "not told apart is"}


def best_answer(found: Sequence[Choice]) -> Answer | None:
    """What a sweep found, in one sentence, and a line for each objective; None if nothing was swept."""
    if not found:
        return None
    told = "\n".join(f"* {_told_apart(each)}" for each in found)
    return Answer(BEST.format(listed([*map(_best_value, found)])), [told, BEST_RULE])


def _best_value(found: Choice) -> str:
    """The value, and what it has on the test set."""
    reached = f"{interval(found.base.accuracy)} %, {counted(len(found.base.scores), 'seed')}"
    tied = f", which ties with {listed([_changed(each) for each in found.tied])}" if found.tied else ""
    floor = f", not above {found.floor}" if found.floor else ""
    return f"{found.identity.label} at {_values(found.settings)} ({reached}){tied}{floor}"


def _told_apart(found: Choice) -> str:
    """Which other values are worse, better or neither."""
    parts = [
        f"{words} {listed([_rival(trial) for trial in rivals])}"
        for side, words in SIDES.items()
        if (rivals := [trial for trial in found.trials if trial.side == side])
    ]
    return f"{found.identity.label} against its {_values(found.settings)}, in points: {'; '.join(parts)}."


def _values(settings: Mapping[str, object]) -> str:
    return listed([f"{name} {value}" for name, value in written(settings).items()])


def _rival(trial: Trial) -> str:
    assert trial.test is not None
    return f"{_changed(trial)} ({interval(trial.test.summary, points)})"


def _changed(trial: Trial) -> str:
    return " ".join(written(trial.changed).values())


def search_answer(searches: Sequence[Choice]) -> Answer | None:
    """What is best for every objective and how much was told apart, in plain text; None if nothing was searched."""
    if not searches:
        return None
    best = f"Best on validation: {'; '.join(map(_best, searches))}."
    return Answer(f"{best} {_number_told_apart([trial for search in searches for trial in search.trials])}", [RULE])


def _number_told_apart(trials: Sequence[Trial]) -> str:
    """How many intervals are without 0, beside how many would be by chance."""
    several = [trial for trial in trials if trial.difference.low is not None]
    if not several:
        return "One seed of a change gives no interval."
    number = sum(trial.is_told_apart for trial in several)
    some = f"{number} of the" if number else "None of the"
    verb = "has" if number < 2 else "have"
    return f"{some} {counted(len(several), 'change')} {verb} an interval without 0; by chance 1 in 20 would."


def _best(search: Choice) -> str:
    best, among = search.best, f"of {counted(1 + len(search.trials), 'setting')}"
    if best is None:
        tied = f", in a tie with {listed([each.identity.label for each in search.tied])}" if search.tied else ""
        base = f"the settings of the base, {interval(search.base.validation)} %"
        return f"{search.identity.label} with {base}{tied}, {among}"
    seeds = counted(len(best.differences), "seed")
    return f"{best.identity.label}, {interval(best.difference, points)} points from the base ({seeds}), {among}"


def search_section(searches: Sequence[Choice]) -> Section:
    """A picture and a table of all changes; empty if nothing was searched."""
    if not searches:
        return Section([])
    trials = [trial for search in searches for trial in search.trials]
    facts = Forest([forest_row(each.identity, [*each.differences.values()], each.difference) for each in trials], 0.0)
    words = "; ".join(f"{trial.identity.label} {interval(trial.difference, points)}" for trial in trials)
    description = f"Validation accuracy minus that of the base in points, mean and 95 % interval: {words}."
    picture = Picture[object]("changes", "", description, facts, partial(draw, facts, QUANTITY))
    return Section([f"## {HEADING}", picture, *map(_settings, searches), _table(searches)])


def _settings(search: Choice) -> str:
    return f"The base of {search.identity.label}: {_values(search.settings)}."


def _table(searches: Sequence[Choice]) -> str:
    rows = []
    for search in searches:
        base = search.base
        rows.append([search.identity.label, str(len(base.finished)), interval(base.validation), NOTHING, NOTHING])
        rows += [
            [
                trial.identity.label,
                str(len(trial.series.finished)),
                interval(trial.series.validation),
                interval(trial.difference, points),
                interval(trial.factor, ratio) if trial.factor else NOTHING,
            ]
            for trial in search.trials
        ]
    headings = [
        "runs",
        "seeds",
        "validation % [95 %]",
        "points against the base [95 %]",
        "time of an epoch, the base's 1 [95 %]",
    ]
    return table(*without_constants(headings, rows))
