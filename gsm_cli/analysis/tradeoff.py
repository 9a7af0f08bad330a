"""What the cheap objectives lose to the sum, and save, where both were swept together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gsm_cli.analysis.contrasts import EPOCHS, FITTED, SWEPT, Swept, named, task_of
from gsm_cli.analysis.identity import Identity, apart, written
from gsm_cli.analysis.statistics import Side, Summary, compare, holm, side
from gsm_cli.objectives import MARGINALIZE


@dataclass(frozen=True)
class Loss:
    """An objective at one value of what was swept: its accuracy minus the sum's, and the sum's seconds over its own."""

    value: float
    seeds: Sequence[int]
    difference: Summary
    factor: Summary | None  # None unless both steps were timed
    p_value: float  # corrected by Holm's method for the values of the objective

    @property
    def side(self) -> Side:
        """Worse or better than the sum, if interval and test say so."""
        return side(self.difference, self.p_value)


@dataclass(frozen=True)
class Losses:
    """Those of one objective, at every value that it shares with the sum."""

    identity: Identity
    points: Sequence[Loss]


@dataclass(frozen=True)
class Trade:
    """The losses of each objective against a setting.

    `apart` sets them apart from others against it, and `fitted` names what differs with each value.
    """

    setting: str
    losses: Sequence[Losses]
    apart: Sequence[str] = ()
    fitted: Sequence[str] = ()


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
        losses = [Losses(name, _losses(each, the_sum)) for name, each in named(others)]
        if losses := [each for each in losses if each.points]:
            differing = [f"{name} {value}" for name, value in apart(written(the_sum.rest), like)]
            yield Trade(names[0], losses, differing, the_sum.varying)


def _unfitted(swept: Swept) -> dict[str, object]:
    """The task but for what may be fitted to each value: `_losses` asks for the same at every one of them."""
    return {name: value for name, value in swept.task.items() if name not in (EPOCHS, *FITTED)}


def _losses(swept: Swept, the_sum: Swept) -> list[Loss]:
    """At every value that both have, with seeds in common."""
    found = []
    for value in swept.values(0):
        own, dear = swept.series[(value,)], the_sum.series.get((value,))
        same = dear is not None and task_of(own.config, ()) == task_of(dear.config, ())
        comparison = compare(own.scores, dear.scores) if dear and same else None
        if dear and comparison:
            found.append((float(str(value)), comparison, own.times_as_fast(dear)))
    p_values = holm([comparison.p_value for _, comparison, _ in found])
    return [
        Loss(value, comparison.seeds, comparison.summary, faster, p_value)
        for (value, comparison, faster), p_value in zip(found, p_values, strict=True)
    ]
