"""What the cheap objectives lose to the sum, and save, where both were swept together."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gsm_cli.analysis.contrasts import EPOCHS, FITTED, SWEPT, Contrast, Swept, contrasts, named, task_of
from gsm_cli.analysis.identity import Identity, apart, written
from gsm_cli.objectives import MARGINALIZE


@dataclass(frozen=True)
class Losses:
    """One objective against the sum, at every value that both have."""

    identity: Identity
    points: Mapping[float, Contrast]


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


def _losses(swept: Swept, the_sum: Swept) -> dict[float, Contrast]:
    """At every value that both have, with seeds in common."""
    partners = {}
    for key in swept.series.keys() & the_sum.series.keys():
        own, dear = swept.series[key], the_sum.series[key]
        if task_of(own.config, ()) == task_of(dear.config, ()):
            partners[own] = dear
    found = {each.series: each for each in contrasts(partners)}
    ordered = ((float(str(value)), swept.series[(value,)]) for value in swept.values(0))
    return {value: found[series] for value, series in ordered if series in found}
