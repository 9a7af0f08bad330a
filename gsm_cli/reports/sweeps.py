"""Accuracy against a setting that takes several values, and what the cheap objectives lose to the sum at each."""

from collections.abc import Mapping, Sequence

from gsm_cli import commands
from gsm_cli.analysis.choices import Losses, Trade
from gsm_cli.analysis.contrasts import TAU, Swept, named, task_of
from gsm_cli.analysis.identity import Identity, apart, with_looks, written
from gsm_cli.analysis.series import Series
from gsm_cli.objectives import GUMBEL
from gsm_cli.reports.markdown import MOST_VALUES, held, numbered, too_few, values_table
from gsm_cli.reports.page import Block, Page
from gsm_cli.reports.panels import Panel, Point, Points, panel_picture, panel_table
from gsm_cli.settings import hyphened
from gsm_cli.words import listed, sentence

COUNTED = {"labels": "number of labels", "classes": "number of classes"}
SAID = {"worse": "worse than the sum at", "better": "better than the sum at", "open": "not told apart from it at"}
LEGEND = (
    "*The sum* (`marginalize`) evaluates the decoder for every class; the other objectives replace it. Cells are "
    "points of test accuracy after the last epoch minus the sum's at the same seeds, with Student's 95 % interval. "
    "*worse* and *better* are what the interval and the exact test say, corrected for the values of a row."
)
ONE_HOT, PROMISED = "bound with one-hot y, nats", "relaxed bound − that, nats"
ACCURACY = "Test accuracy: the mean over seeds with its 95 % interval; all else is equal in a line."
LEVELS = "Dashed: objectives that read no temperature."
BOUNDS = (
    "Bounds: of the validation images after the last epoch, in nats per image; what a relaxed y promises above a "
    "one-hot one, from the same noise, is no likelihood."
)


def trade_page(title: str, trade: Trade, where: str) -> Page:
    """What the cheap objectives lose to the sum at each value of a setting."""
    setting = COUNTED.get(trade.setting, trade.setting)
    notice = too_few([[loss.test for loss in each.points.values()] for each in trade.losses])
    fitted = [f"Fitted to each value: {listed(trade.fitted)}."] * bool(trade.fitted)
    first = next((each for each in trade.losses if each.identity.objective == GUMBEL), trade.losses[0])
    decided = not notice or {loss.side for loss in first.points.values()} != {"open"}
    return Page(
        f"{title}: what does one sample lose to the sum, by the {setting}?",
        (_answer if decided else _untested)(first, trade.setting, where),
        [trade_picture(trade), _losses_table(trade), LEGEND],
        notice,
        caveats=[*fitted, "Every interval stands by itself."],
    )


def _answer(found: Losses, setting: str, where: str) -> str:
    """At which values an objective is worse than the sum, better, or neither."""
    values = {
        side: [commands.write(value) for value, loss in found.points.items() if loss.side == side] for side in SAID
    }
    name = found.identity.label
    if len(values["open"]) == len(found.points):
        return f"At no {COUNTED.get(setting, setting)} is {name} told apart from the sum{where}."
    parts = [f"{SAID[side]} {listed(own)}" for side, own in values.items() if own]
    parts[0] += f" {setting}"
    return f"{sentence(name)} is {' and '.join(parts)}{where}."


def _untested(found: Losses, setting: str, where: str) -> str:
    """What an objective has at the largest value, where no test can decide."""
    value, last = [*found.points.items()][-1]
    points = f"{held(last.test.summary, last.side)} points at {commands.write(value)} {setting}"
    return f"Too few seeds to test {len(found.points)} values together: {found.identity.label} has {points}{where}."


def _losses_table(trade: Trade) -> str:
    values = sorted({value for each in trade.losses for value in each.points})[-MOST_VALUES:]
    rows = {
        each.identity.label: {
            commands.write(value): held(loss.test.summary, loss.side) for value, loss in each.points.items()
        }
        for each in trade.losses
    }
    return values_table(trade.setting, list(map(commands.write, values)), rows)


def trade_picture(trade: Trade, number: int = 1) -> Block:
    return panel_picture(numbered(f"losses-{hyphened(trade.setting)}", number), trade_panels(trade)[:1])


def trade_panels(trade: Trade) -> list[Panel]:
    """Points of accuracy against the sum, their corrected p-values, and how many times as fast an epoch is."""
    lost, p_values, speeds = list[Points](), list[Points](), list[Points]()
    for each in trade.losses:
        own = each.points.items()
        lost.append(Points(each.identity, [Point.of(at, loss.test.summary, len(loss.test.seeds)) for at, loss in own]))
        p_values.append(Points(each.identity, [Point(at, loss.p_value) for at, loss in own]))
        speeds.append(Points(each.identity, [Point.of(at, loss.faster, scale=1.0) for at, loss in own if loss.faster]))
    return [
        Panel("test accuracy minus the sum's, points", trade.setting, lost, "+z.2f", 0.0),
        Panel("p, corrected", trade.setting, p_values, ".3g"),
        Panel("times as fast", trade.setting, speeds),
    ]


def trade_section(trades: Sequence[Trade]) -> list[Block]:
    """The numbers at each value, and further pairs of sweeps; empty without any."""
    blocks: list[Block] = []
    for number, trade in enumerate(trades, start=1):
        setting = ", ".join([trade.setting, *trade.apart])
        blocks += [f"### Against {setting}", *([trade_picture(trade, number)] if number > 1 else [])]
        blocks.append(panel_table(trade_panels(trade)))
    return ["## What one sample loses, and what it saves", *blocks] if blocks else []


def sweep_picture(found: Sequence[Swept], series: Sequence[Series]) -> Block:
    """Accuracy against the setting of these sweeps."""
    panel = accuracy_panel(found, series)
    return panel_picture(f"accuracy-{hyphened(panel.axis)}", [panel])


def accuracy_panel(found: Sequence[Swept], series: Sequence[Series]) -> Panel:
    """Accuracy against the setting of these sweeps, and the level of every objective that does not read it."""
    (name,) = found[0].names
    sets, tasks = named(found), [swept.task for swept in found]
    words = [*map(written, tasks)]
    levels = [
        (each, (*each.identity.settings, *apart(written(task), words)))
        for each in series
        if name not in each.config.identity and (task := task_of(each.config, (name,))) in tasks
    ]
    told = [(line.objective, line.settings) for line, _ in sets] + [(each.objective, own) for each, own in levels]
    lines: list[dict[float | None, Series]] = []
    lines += [{float(str(value)): swept.series[(value,)] for value in swept.values(0)} for _, swept in sets]
    lines += [{None: each} for each, _ in levels]
    points = [[Point.of(at, each.accuracy, len(each.scores)) for at, each in line.items()] for line in lines]
    return Panel("test accuracy, %", name, [Points(*pair) for pair in zip(with_looks(told), points, strict=True)])


def temperature_section(lines: Sequence[Swept], series: Sequence[Series]) -> list[Block]:
    """Accuracy and bounds on the axis of tau; empty unless tau was swept."""
    found = [swept for swept in lines if swept.names == (TAU,)]
    if not found:
        return []
    accuracy = accuracy_panel(found, series)
    bounds = _bounds(dict(zip((line.identity for line in accuracy.lines), found, strict=False)))
    text = " ".join([ACCURACY, *[LEVELS] * any(line.is_level for line in accuracy.lines), *[BOUNDS] * bool(bounds)])
    picture = panel_picture("temperature", [accuracy, *bounds])
    return ["## Against the temperature", picture, text, panel_table([accuracy])]


def _bounds(lines: Mapping[Identity, Swept]) -> list[Panel]:
    """The one-hot bound, and how much more the relaxed one promises; nothing where they were not read."""
    one_hot, promised = [], []
    for line, swept in lines.items():
        read = [
            (float(str(value)), hard[-1], soft[-1] - hard[-1])
            for value in swept.values(0)
            if (hard := swept.series[(value,)].curve(lambda epochs: epochs.one_hot_bound))
            and (soft := swept.series[(value,)].curve(lambda epochs: epochs.relaxed_bound))
        ]
        if read:
            one_hot.append(Points(line, [Point(tau, hard) for tau, hard, _ in read]))
            promised.append(Points(line, [Point(tau, more) for tau, _, more in read]))
    return [Panel(ONE_HOT, TAU, one_hot, ".3f"), Panel(PROMISED, TAU, promised, ".3f", 0.0)] if one_hot else []
