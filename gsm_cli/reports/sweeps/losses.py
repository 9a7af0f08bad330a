"""The section of a report on what the cheap objectives lose to the sum, and save, where both were swept together."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

from gsm_cli import commands
from gsm_cli.objectives import GUMBEL, MARGINALIZE, SUPERVISED
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.markdown import NOTHING, interval, numbered, table, without_constants
from gsm_cli.reports.names import apart, objective_of
from gsm_cli.reports.report import Section, Verdict, show
from gsm_cli.reports.statistics import compare
from gsm_cli.reports.sweeps.losses_chart import Loss, Trade, trade_chart
from gsm_cli.reports.sweeps.swept import EPOCHS, FITTED, SWEPT, Swept, named, task_of, written
from gsm_cli.settings import hyphened
from gsm_cli.style import Picture
from gsm_cli.words import listed, points, ratio

MEASURED = (
    "Test accuracy at the same seeds, mean and 95 % interval, at the ends and where the difference is lowest and "
    "highest: of several values these are the most extreme by chance too."
)


def losses_section(folder: ReportFolder, title: str, trades: Sequence[Trade]) -> Section:
    """A picture and a table for each setting over which the sum was swept too; empty if there is none."""
    blocks: list[str] = []
    pictures: list[Picture[Trade]] = []
    numbers: Counter[str] = Counter()
    for trade in trades:
        numbers[trade.setting] += 1
        name = numbered(f"losses-{hyphened(trade.setting)}", numbers[trade.setting])
        picture = Picture(name, title, _description(trade), trade, partial(trade_chart, trade))
        fitted = f" Fitted to each value: {listed(trade.fitted)}." if trade.fitted else ""
        blocks += [
            f"### Against {', '.join(filter(None, [trade.setting, trade.apart]))}",
            f"**{_answer(trade)}** {MEASURED}{fitted}",
            show(folder, picture),
            _table(trade),
        ]
        pictures.append(picture)
    saves = ", and what it saves" if any(trade.timed for trade in trades) else ""
    return Section([f"## What one sample loses{saves}", *blocks] if blocks else [], pictures)


def find_trades(lines: Sequence[Swept]) -> Iterator[Trade]:
    """Every setting, the length of training apart, over which the sum and others were swept with all else equal."""
    sums = [each for each in lines if each.objective == MARGINALIZE and len(each.series) >= SWEPT]
    for the_sum in sums:
        names, like = the_sum.names, [written(each.rest) for each in sums if each.names == the_sum.names]
        others = [
            each
            for each in lines
            if each.objective != MARGINALIZE and each.names == names and _unfitted(each) == _unfitted(the_sum)
        ]
        losses = {name: own for name, each in named(others).items() if (own := _losses(each, the_sum))}
        if losses:
            yield Trade(names[0], losses, ", ".join(apart(written(the_sum.rest), like)), the_sum.varying)


def _unfitted(swept: Swept) -> dict[str, object]:
    """The task but for what may be fitted to each value: `_losses` asks for the same at every one of them."""
    return {name: value for name, value in swept.task.items() if name not in (EPOCHS, *FITTED)}


def _losses(swept: Swept, the_sum: Swept) -> list[Loss]:
    """At every value that both have, with seeds in common."""
    losses = []
    for value in swept.values(0):
        own, dear = swept.series[(value,)], the_sum.series.get((value,))
        same = dear is not None and task_of(own.config, ()) == task_of(dear.config, ())
        comparison = compare(own.scores, dear.scores) if dear and same else None
        if dear and comparison:
            faster = own.times_as_fast(dear)
            losses.append(Loss(float(str(value)), comparison.seeds, comparison.summary, faster))
    return losses


def _description(trade: Trade) -> str:
    return (
        f"Against {trade.setting}: test accuracy minus that of marginalize in points, with 95 % intervals over seeds"
        f"{', and how many times as fast an epoch is' if trade.timed else ''}."
    )


def trade_answer(trades: Sequence[Trade]) -> Verdict | None:
    """What the sweeps say in plain text; None if there are none."""
    return Verdict(" ".join(map(_answer, trades)), [MEASURED]) if trades else None


def _answer(trade: Trade) -> str:
    """Gumbel, or else the first objective, and the labels alone, at both ends and where they lose and gain most."""
    first = _find(trade, GUMBEL) or [next(iter(trade.losses))]
    return " ".join(_ends(trade, name) for name in dict.fromkeys([*first, *_find(trade, SUPERVISED)]))


def _find(trade: Trade, objective: str) -> list[str]:
    return [name for name in trade.losses if objective_of(name) == objective][:1]


def _ends(trade: Trade, name: str) -> str:
    losses = trade.losses[name]
    ordered = sorted(losses, key=lambda loss: loss.difference.mean)
    parts = [
        f"at {trade.setting} {commands.write(loss.value)} "
        f"it differs from the sum by {interval(loss.difference, points)} points"
        + (f" and is {interval(loss.factor, ratio)} times as fast" if loss.factor else "")
        for loss in losses
        if loss in (losses[0], losses[-1], ordered[0], ordered[-1])
    ]
    return f"{name}: {'; '.join(dict.fromkeys(parts))}."


def _table(trade: Trade) -> str:
    rows = [
        [
            f"{name}, {trade.setting} {commands.write(loss.value)}",
            str(len(loss.seeds)),
            interval(loss.difference, points),
            interval(loss.factor, ratio) if loss.factor else NOTHING,
        ]
        for name, losses in trade.losses.items()
        for loss in losses
    ]
    headings = ["runs", "seeds", "points against the sum [95 %]", "times as fast [95 %]"]
    return table(*without_constants(headings, rows))
