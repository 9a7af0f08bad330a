"""The section of a report on what the cheap objectives lose to the sum, and save, where both were swept together."""

from collections import Counter
from collections.abc import Sequence

from gsm_cli import commands
from gsm_cli.analysis.tradeoff import Losses, Trade
from gsm_cli.objectives import GUMBEL, SUPERVISED
from gsm_cli.reports.markdown import interval, numbered
from gsm_cli.reports.page import Answer, Block, Section
from gsm_cli.reports.panels import Panel, Point, Points, panel_picture, panel_table
from gsm_cli.settings import hyphened
from gsm_cli.words import listed, points, ratio

SIDES = {"worse": "worse", "better": "better", "open": "not told apart"}
MEASURED = (
    "Test accuracy at the same seeds, mean and 95 % interval, at the ends and where the difference is lowest and "
    "highest. Worse or better is what the interval and the exact test say, corrected for the values of an objective."
)


def trade_section(trades: Sequence[Trade]) -> Section:
    """A picture and a table for each setting over which the sum was swept too; empty if there is none."""
    blocks: list[Block] = []
    numbers: Counter[str] = Counter()
    for trade in trades:
        numbers[trade.setting] += 1
        panels = trade_panels(trade)
        fitted = f" Fitted to each value: {listed(trade.fitted)}." if trade.fitted else ""
        blocks += [
            f"### Against {', '.join([trade.setting, *trade.apart])}",
            f"**{_answer(trade)}** {MEASURED}{fitted}",
            panel_picture(numbered(f"losses-{hyphened(trade.setting)}", numbers[trade.setting]), panels),
            panel_table(panels),
        ]
    saves = ", and what it saves" if any(trade.timed for trade in trades) else ""
    return Section([f"## What one sample loses{saves}", *blocks] if blocks else [])


def trade_panels(trade: Trade) -> list[Panel]:
    """Points of accuracy against the sum, and times as fast, where steps were timed."""
    lost = [
        Points(each.identity, [Point.of(loss.value, loss.difference, len(loss.seeds)) for loss in each.points])
        for each in trade.losses
    ]
    saved = [
        Points(each.identity, timed)
        for each in trade.losses
        if (timed := [Point(loss.value, f.mean, f.low, f.high) for loss in each.points if (f := loss.factor)])
    ]
    factors = Panel("times as fast as the sum", trade.setting, saved, reference=1.0, logarithmic=True)
    differences = Panel("test accuracy minus the sum's, points", trade.setting, lost, "+.2f", 0.0)
    return [differences, factors] if trade.timed else [differences]


def trade_answer(trades: Sequence[Trade]) -> Answer | None:
    """What the sweeps say in plain text; None if there are none."""
    return Answer(" ".join(map(_answer, trades)), [MEASURED]) if trades else None


def _answer(trade: Trade) -> str:
    """Gumbel, or else the first objective, and the labels alone, at both ends and where they lose and gain most."""
    first = _find(trade, GUMBEL) or trade.losses[:1]
    floor = [each for each in _find(trade, SUPERVISED) if each not in first]
    return " ".join(_ends(trade, each) for each in [*first, *floor])


def _find(trade: Trade, objective: str) -> Sequence[Losses]:
    return [each for each in trade.losses if each.identity.objective == objective][:1]


def _ends(trade: Trade, found: Losses) -> str:
    losses = found.points
    ordered = sorted(losses, key=lambda loss: loss.difference.mean)
    parts = [
        f"at {trade.setting} {commands.write(loss.value)} "
        f"it differs from the sum by {interval(loss.difference, points)} points ({SIDES[loss.side]})"
        + (f" and is {interval(loss.factor, ratio)} times as fast" if loss.factor else "")
        for loss in losses
        if loss in (losses[0], losses[-1], ordered[0], ordered[-1])
    ]
    return f"{found.identity.label}: {'; '.join(dict.fromkeys(parts))}."
