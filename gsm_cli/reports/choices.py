"""Which settings are best: a search is held against its base, a sweep against its best value."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import isfinite

from gsm_cli.analysis.choices import Choice, Trial
from gsm_cli.analysis.identity import Identity, by_size, written
from gsm_cli.reports.dots import forest_picture
from gsm_cli.reports.markdown import MOST_VALUES, NOTHING, columns, held, interval, too_few, values_table
from gsm_cli.reports.page import Block, Page
from gsm_cli.reports.panels import Panel, Point, Points, panel_table
from gsm_cli.words import counted, listed, percent, points

HEADING = "What each change brings"
RULE = (
    "*Base*: the runs whose settings are most common, of equals those nearest to a preset. *points*: validation "
    "accuracy after the last epoch minus the base's at the same seeds, with Student's 95 % interval. *told apart*: it "
    "is without zero, whatever the number of changes. *least told apart*: the points that a change with the most seeds "
    "must have, half of the median interval."
)
BY_CHANCE = "The best of several changes is the best by chance too, which no interval covers: try it with other seeds."
FEW = 5  # objectives whose best values a sentence can name
UNSEEN = "The test set has no part in the choice."
BEST_RULE = (
    "*best*: the value with the greatest validation accuracy after the last epoch, and its test accuracy in %. The "
    "other cells are points of test accuracy against it at the same seeds, with Student's 95 % interval; *worse* and "
    "*better* are what the interval and the exact test say, corrected for the values of a row."
)


def best_page(title: str, found: Sequence[Choice], where: str, block: Block) -> Page:
    """The best value of every objective, with the picture of the sweep."""
    names = list(dict.fromkeys(name for each in found for name in each.settings))
    return Page(
        f"{title}: which {listed(names)} {'is' if len(names) == 1 else 'are'} best?",
        f"Best {names[0] if len(names) == 1 else 'values'} by validation{where}: {listed(_best_values(found, names))}.",
        [block, *(_values_table(found, name) for name in names), BEST_RULE],
        too_few([[trial.test for trial in each.trials] for each in found]),
        caveats=["The value was chosen among these, and no interval covers the choice."],
    )


def _best_values(found: Sequence[Choice], names: Sequence[str]) -> list[str]:
    """Those of every objective; of many objectives those of the first, and the ends of the others."""
    rivals: dict[Identity, list[Choice]] = defaultdict(list)  # one for each value of another setting that was swept
    for each in found:
        others = [pair for pair in each.identity.settings if pair[0] not in names]
        rivals[Identity(each.identity.objective, tuple(others))].append(each)
    best = [_best_value(identity.in_brackets(), own, names) for identity, own in rivals.items()]
    if len(best) <= FEW:
        return best
    if len(names) > 1:
        return [best[0], f"for the {len(best) - 1} others those of the tables"]
    low, *_, high = sorted(found[1:], key=lambda each: by_size(each.settings[names[0]]))
    ends = {" ".join(written(each.settings).values()): f" ({each.identity.label})" for each in (low, high)}
    values = f"from {' to '.join(map(''.join, ends.items()))}" if len(ends) > 1 else next(iter(ends))
    return [best[0], f"for the {len(best) - 1} others {values}"]


def _best_value(label: str, rivals: Sequence[Choice], names: Sequence[str]) -> str:
    """The best value of the best of these, those that tie with it, and that nothing was learned."""
    found = max(rivals, key=lambda each: each.base.merit)
    tied = [_changed(each) for each in found.tied]
    tie = f" (a tie with {listed(tied)})" if tied else ""
    floor = f" (not above {found.base.floor})" if found.base.floor else ""
    told = dict(found.identity.settings) | written(found.settings)
    values = [f"{name} {told[name]}" if len(names) > 1 else told[name] for name in names if name in told]
    return f"{' with '.join(values)} for {label}{tie}{floor}"


def _values_table(found: Sequence[Choice], name: str) -> str:
    """A row for each objective, a column for each value."""
    rows: dict[str, dict[str, str]] = {}
    for choice in (each for each in found if name in each.settings):
        own = rows.setdefault(choice.identity.label, {})
        own[written(choice.settings)[name]] = f"best, {percent(choice.base.accuracy.mean)}"
        own |= {_changed(trial): held(trial.test.summary, trial.side) for trial in choice.trials}
    values = sorted({value for row in rows.values() for value in row}, key=by_size)[:MOST_VALUES]
    return values_table(name, values, rows)


def _changed(trial: Trial) -> str:
    return " ".join(written(trial.changed).values())


def search_page(title: str, searches: Sequence[Choice]) -> Page:
    """How many changes are told apart from the base, and the best of every objective."""
    return Page(
        f"{title}: which settings are best?",
        _answer([trial for search in searches for trial in search.trials]),
        [forest_picture("changes", _panels(searches)[1]), columns(list(map(_search_row, searches))), RULE],
        caveats=[BY_CHANCE, UNSEEN],
    )


def _answer(trials: Sequence[Trial]) -> str:
    """How many intervals are without 0, and the greatest gain of them."""
    several = [trial for trial in trials if trial.difference.low is not None]
    if not several:
        return "Undecided: one seed of a change gives no interval."
    sure = [trial for trial in several if trial.is_told_apart]
    gains = [trial for trial in sure if trial.gain > 0 and not trial.series.floor]
    some = f"{len(sure) or 'None'} of {counted(len(several), 'change')} of settings"
    told = f"{some} {'is' if len(sure) < 2 else 'are'} told apart from the base on validation"
    if not gains:
        return f"{told}{', none as better' * bool(sure)}."
    best = max(gains, key=lambda trial: trial.gain)
    return f"{told}; the greatest gain is {points(best.difference.mean)} points, {best.identity.in_brackets()}."


def _search_row(search: Choice) -> dict[str, str]:
    best = search.best
    tied = [each.identity.label for each in search.tied]
    return {
        "objective": search.identity.label,
        "runs": str(sum(len(each.finished) for each in search.series)),
        "told apart": f"{sum(trial.is_told_apart for trial in search.trials)} of {len(search.trials)}",
        "least told apart": percent(search.least) if isfinite(search.least) else NOTHING,
        "base: validation %": interval(search.base.validation),
        "best change": _described(best.changed) if best else f"a tie with {listed(tied)}" if tied else "none",
        "seeds": str(len(best.differences)) if best else NOTHING,
        "points [95 %]": interval(best.difference if best else None, points),
    }


def _described(settings: Mapping[str, object]) -> str:
    return listed([f"{name} {value}" for name, value in written(settings).items()])


def search_section(searches: Sequence[Choice]) -> list[Block]:
    """A table of all changes; empty if nothing was searched."""
    bases = [f"The base of {each.identity.label}: {_described(each.settings)}." for each in searches]
    return [f"## {HEADING}", "\n\n".join(bases), panel_table(_panels(searches))] if searches else []


def _panels(searches: Sequence[Choice]) -> list[Panel]:
    """What each base and each change reaches, what a change brings, and how many times as fast an epoch is."""
    reached, gains, speeds = list[Points](), list[Points](), list[Points]()
    for search in searches:
        own = [(search.identity, search.base), *((each.identity, each.series) for each in search.trials)]
        reached += [Points(look, [Point.of(None, each.validation, len(each.finished))]) for look, each in own]
        gains += [Points(each.identity, [Point.of(None, each.difference)]) for each in search.trials]
        timed = [(each.identity, each.faster) for each in search.trials if each.faster]
        speeds += [Points(look, [Point.of(None, faster, scale=1.0)]) for look, faster in timed]
    return [
        Panel("validation accuracy, %", "change", reached),
        Panel("points of validation accuracy, minus the base's", "change", gains, "+z.2f", 0.0),
        Panel("times as fast", "change", speeds),
    ]
