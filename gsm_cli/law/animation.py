"""The law as its temperature falls and rises again, with one and the same noise: a film that loops for ever."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from gsm_cli import style
from gsm_cli.errors import UsageError
from gsm_cli.law.colours import shown, temperature_colour
from gsm_cli.law.facts import Numbers, SampleFacts, origin, rounded, rounded_rows
from gsm_cli.law.figures import Classes, draw_values, outline_law
from gsm_cli.law.films import Pixels
from gsm_cli.law.gumbel import expectation, relax
from gsm_cli.law.moments import exact_expectation
from gsm_cli.law.request import MOST_BARS, Law, Temperature, check_work
from gsm_cli.law.room import entries, fitting, names_room, tall
from gsm_cli.law.simplex import check_three, draw_border, draw_cloud, draw_means, names_of, on_plane
from gsm_cli.style import INK, Look, Picture, points, space
from gsm_cli.words import digits

STEPS = 48  # temperatures from one end to the other
DOTS = 150  # at most, of the cloud: what moves is what makes a film large
MOST_DOTS = 6_000_000  # of a frame: all of them are held, three bytes for a dot
BARS_SIZE, TRIANGLE_SIZE = (7.2, 3.4), (4.8, 5.6)  # inches


@dataclass(frozen=True)
class Frame:
    """What is seen at one temperature: the mean of the draws and E[z], each (K,), and the first draws (S, K)."""

    temperature: float
    mean: Numbers
    exact: Numbers
    cloud: tuple[Numbers, ...]


@dataclass(frozen=True, kw_only=True)
class Animation(Picture[SampleFacts]):
    """A film: a figure that shows one frame or another; `move` changes what is above its scale of temperatures."""

    frames: Sequence[Frame]
    move: Callable[[Figure, Frame, str], None]

    def show(self, figure: Figure, frame: Frame, colour: str) -> None:
        """Have the figure show a frame."""
        self.move(figure, frame, colour)
        figure.axes[-1].lines[0].set(xdata=[frame.temperature], color=colour)
        figure.texts[0].set_text(f"{self.title}, τ = {_digits(frame.temperature)}")

    def pixels(self) -> Iterator[Pixels]:
        """Every frame, (H, W, 3) bytes, in the house style."""
        with style.drawn(self.draw, self.look, MOST_DOTS) as figure:
            canvas = FigureCanvasAgg(figure)
            figure.set_dpi(self.look.dpi or style.DPI)
            self.show(figure, self.frames[0], INK)
            canvas.draw()  # type: ignore[no-untyped-call]
            figure.set_layout_engine("none")  # laid out once, or it would tremble
            for frame in self.frames:
                self.show(figure, frame, shown(temperature_colour(frame.temperature)))
                canvas.draw()  # type: ignore[no-untyped-call]
                yield np.array(np.asarray(canvas.buffer_rgba())[..., :3])  # type: ignore[no-untyped-call]


def animate(law: Law, ends: tuple[Temperature, Temperature], size: int, triangle: bool, look: Look) -> Animation:
    """Draw 0, the mean of `size` draws and the exact expectation; or on the triangle the first of these draws.

    Raises UsageError for more classes than there is room for, a triangle of other than three, or transparent paper.
    """
    classes = law.logits.size
    if look.style == "transparent":
        raise UsageError("--style transparent is for pictures, and a film must have a ground: take light or dark")
    if triangle:
        check_three(law)
    elif classes > MOST_BARS:
        raise UsageError(f"a film must have at most {MOST_BARS} classes, not {classes}: name fewer, or use gsm grid")
    first, last = ends
    if style.six_digits(first.value) == style.six_digits(last.value):  # as those between are rounded
        raise UsageError(f"--from and --to must differ, and are {first.text} and {last.text}: name two temperatures")
    check_work("--samples", size, law, STEPS)
    words = ("--from", first.text, "--to", last.text, "--samples", size, *(("--simplex",) if triangle else ()))
    source = origin(law, look, "animate", (), *words)
    frames = [_frame(law, temperature, size) for temperature in _temperatures(first.value, last.value)]
    source["temperatures"] = tuple(frame.temperature for frame in frames)
    facts = SampleFacts(**source, samples=size)
    span = (first.value, last.value)
    if triangle:
        title = look.title or "Gumbel-Softmax, three classes"
        build = partial(_triangle, names_of(law), facts.probabilities, span, title)
        return Animation("temperature_simplex", title, "", facts, build, look, frames=frames, move=_move_cloud)
    title = look.title or "Gumbel-Softmax (dashed: π)"
    build = partial(_charts, Classes(facts.probabilities, law.names), size, span, title)
    return Animation("temperature", title, "", facts, build, look, frames=frames, move=_move_bars)


def _temperatures(first: float, last: float) -> list[float]:
    """Even steps of the logarithm, the ends as they were asked for."""
    between = np.exp(np.linspace(np.log(first), np.log(last), STEPS))[1:-1]
    return [first, *rounded(between), last]


def _frame(law: Law, temperature: float, size: int) -> Frame:
    cloud = rounded_rows(relax(law.logits, law.noise(min(size, DOTS)), temperature))
    mean = rounded(expectation(law.logits, temperature, size, law.rng()).mean)
    return Frame(temperature, mean, rounded(exact_expectation(law.logits, temperature)), cloud)


def _charts(classes: Classes, size: int, span: tuple[float, float], title: str) -> Figure:
    """Three charts side by side, with the law as an outline, over a scale of temperatures."""
    width, height = map(space, BARS_SIZE)
    figure = Figure(figsize=(width, height + names_room(width / 3, classes.names)))
    cells = figure.subplot_mosaic([["a", "b", "c"], ["t", "t", "t"]], height_ratios=(1, 0.06))
    for name, words in zip("abc", ("one draw", f"mean of {size:,} draws", "exact expectation"), strict=True):
        axes = cells[name]
        axes.tick_params(labelsize=points(11), labelleft=name == "a")  # names of classes have a size of their own
        draw_values(axes, classes.probabilities, classes, INK)
        outline_law(axes, classes)
        axes.set_title(words, fontsize=fitting(12, words, space(180) - 30))
        axes.set_yticks([0.0, 0.5, 1.0])
    _draw_scale(figure, span, title)
    return figure


def _move_bars(figure: Figure, frame: Frame, colour: str) -> None:
    for axes, values in zip(figure.axes[:-1], (frame.cloud[0], frame.mean, frame.exact), strict=True):
        for bar, height in zip(axes.containers[0], values, strict=True):
            bar.set(height=height, color=colour)


def _triangle(names: Sequence[str], probabilities: Numbers, span: tuple[float, float], title: str) -> Figure:
    """A cloud of samples with their mean, the exact expectation and the law, over a scale of temperatures."""
    figure = Figure(figsize=(space(TRIANGLE_SIZE[0]), tall(TRIANGLE_SIZE[1])))
    axes, _ = figure.subplots(2, height_ratios=(1, 0.04))
    draw_border(axes, names)
    even = (1 / 3, 1 / 3, 1 / 3)
    draw_cloud(axes, [even], INK)
    draw_means(axes, even, even, probabilities)
    _draw_scale(figure, span, title)
    figure.legend(loc="outside lower center", ncols=min(2, entries(figure, 110)), handletextpad=0.2)
    return figure


def _move_cloud(figure: Figure, frame: Frame, colour: str) -> None:
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    places = {"samples": frame.cloud, "exact expectation": [frame.exact], "mean of the draws": [frame.mean]}
    for label, z in places.items():
        lines[label].set_data(*on_plane(z).T)
    lines["samples"].set_markerfacecolor(colour)


def _draw_scale(figure: Figure, span: tuple[float, float], title: str) -> None:
    """In the last axes where the temperature is between the ends, and the title with the temperature in it."""
    axes = figure.axes[-1]
    axes.set_xscale("log")
    axes.set_xlim(*span)  # falls from left to right, if it falls
    axes.set_xticks([], minor=True)
    ticks = [*span, *_powers(span)]
    axes.set_xticks(ticks, list(map(_digits, ticks)), fontsize=points(11))
    axes.set_ylim(0.0, 1.0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("temperature τ", fontsize=points(11))
    axes.plot([span[0]], [0.0], "o", markersize=points(9), clip_on=False, zorder=3)
    words = f"{title}, τ = "
    size = fitting(14, words, 72 * (float(figure.get_figwidth()) - 1.2))
    figure.suptitle(words, x=0.03, ha="left", fontsize=size, parse_math=False)
    layout = figure.get_layout_engine()
    assert isinstance(layout, ConstrainedLayoutEngine), "the house style asks for it"
    layout.set(w_pad=0.12, h_pad=0.06)  # inches: room for the dot at either end


def _digits(temperature: float) -> str:
    """As a title and a tick have it: three digits, and below a million all before the point."""
    return digits(temperature) if temperature < 1e6 else f"{temperature:.3g}"


def _powers(span: tuple[float, float]) -> list[float]:
    """Powers of ten between the ends, no more than eight, and none so near an end that their numbers would touch."""
    low, high = sorted(np.log10(span).tolist())
    room = 0.1 * (high - low)
    inside = range(int(np.ceil(low + room)), int(np.floor(high - room)) + 1)
    return [10.0**exponent for exponent in inside[:: 1 + len(inside) // 8]]
