"""The pictures of a report on runs: what is drawn, where, and that no text covers another."""

import itertools
from base64 import b64encode
from io import BytesIO

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from PIL import Image

from gsm_cli.objectives import OBJECTIVES
from gsm_cli.reports.accuracy_chart import Curve, Learning, accuracy_chart, smooth
from gsm_cli.reports.charts import apart, generated_chart, log_ticks
from gsm_cli.reports.forest import Forest, Row, draw
from gsm_cli.style import house_style

SERIES = [*OBJECTIVES, *(f"gumbel, tau {tau}, tau_min 0.1, tau_rate 1e-05" for tau in (0.1, 0.3, 1, 2))]


def row(name: str, mean: float, half: float | None = 1.0, role: str = "secondary") -> Row:
    low, high = (None, None) if half is None else (mean - half, mean + half)
    return Row(name, role, "undecided", mean, low, high, [mean - 0.5, mean, mean + 0.5])


def curve(epochs: int, last: float, pace: float = 0.1) -> Curve:
    mean = last - 0.4 * np.exp(-np.arange(1, epochs + 1) / 3)
    seconds = pace * np.arange(1, epochs + 1)
    return Curve(mean.tolist(), [0.01] * epochs, seconds.tolist(), [epochs // 2 + 1, epochs])


def ticks_of(axes: Axes) -> list[Text]:
    """The labels of the ticks that are in sight."""
    found = []
    for axis, span in ((axes.xaxis, sorted(axes.get_xlim())), (axes.yaxis, sorted(axes.get_ylim()))):
        ticks = [tick for tick in axis.get_major_ticks() if span[0] <= tick.get_loc() <= span[1]]
        found += [tick.label1 for tick in ticks if tick.label1.get_visible()]
    return found


def texts(figure: Figure) -> list[tuple[str, Bbox]]:
    """What is written, and where, once the figure is laid out."""
    with house_style():
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
    found = [text for legend in figure.findobj(Legend) for text in legend.get_texts()]
    for axes in figure.axes:
        found += [axes.title, *axes.texts]
        found += [axes.xaxis.label, axes.yaxis.label, *ticks_of(axes)] if axes.axison else []
    written = [text for text in found if text.get_text().strip()]
    return [(text.get_text(), text.get_window_extent(canvas.get_renderer())) for text in written]


def assert_legible(figure: Figure) -> None:
    """No text covers another, and none leaves the canvas."""
    found = texts(figure)
    assert found
    for text, box in found:
        assert figure.bbox.x0 - 1 <= box.x0, text
        assert box.x1 <= figure.bbox.x1 + 1, text
        assert figure.bbox.y0 - 1 <= box.y0, text
        assert box.y1 <= figure.bbox.y1 + 1, text
    for (one, first), (other, second) in itertools.combinations(found, 2):
        overlap = Bbox.intersection(first, second)
        assert overlap is None or overlap.width < 1 or overlap.height < 1, (one, other)


def made(build, *arguments) -> Figure:
    with house_style():
        return build(*arguments)


class TestForest:
    @pytest.mark.parametrize("names", [["gumbel"], list(OBJECTIVES), SERIES], ids=len)
    def test_is_legible_for_any_number_of_objectives(self, names):
        rows = [row(name, place - 3.0, role="secondary" if place else "primary") for place, name in enumerate(names)]
        assert_legible(made(draw, Forest(rows, 1.0)))

    def test_shows_mean_interval_seeds_and_margin(self):
        figure = made(draw, Forest([row("gumbel", -0.7, 0.74, "primary"), row("reinmax", 1.0)], 0.8))
        left, right = figure.axes
        ends = [tuple(line.get_xdata()) for line in left.lines if len(line.get_xdata()) == 2]
        assert (pytest.approx(-1.44), pytest.approx(0.04)) in ends
        assert any(list(line.get_xdata()) == pytest.approx([-1.2, -0.7, -0.2]) for line in left.lines[:4])
        (band,) = left.patches
        assert (band.get_x(), band.get_width()) == pytest.approx((-0.8, 1.6))
        assert right.texts[0].get_text() == "-0.70 [-1.44, +0.04]  undecided"
        assert [label.get_text() for label in left.get_yticklabels()] == ["gumbel", "reinmax"]
        assert left.yaxis_inverted()
        assert [label.get_weight() for label in left.get_yticklabels()] == ["bold", "normal"]

    def test_an_interval_that_is_too_wide_ends_in_arrows(self):
        figure = made(draw, Forest([row("gumbel", 0.0, 50.0)], 1.0))
        left = figure.axes[0]
        assert max(map(abs, left.get_xlim())) < 10
        assert {"<", ">"} <= {line.get_marker() for line in left.lines}
        narrow = made(draw, Forest([row("gumbel", 0.0, 0.6)], 1.0)).axes[0]
        assert not {"<", ">"} & {line.get_marker() for line in narrow.lines}

    def test_one_seed_has_no_interval(self):
        figure = made(draw, Forest([row("gumbel", -5.0, None)], 1.0))
        assert [text.get_text() for text in figure.axes[1].texts] == ["-5.00  undecided"]


class TestAccuracy:
    @pytest.mark.parametrize("epochs", [1, 2, 20, 200])
    @pytest.mark.parametrize("names", [["gumbel"], list(OBJECTIVES), SERIES], ids=len)
    def test_is_legible_for_any_number_of_objectives_and_epochs(self, names, epochs):
        curves = {name: curve(epochs, 0.95 - 0.002 * place) for place, name in enumerate(names)}
        assert_legible(made(accuracy_chart, Learning(curves, {}, "")))

    def test_is_legible_with_what_others_report(self):
        others = {"marginalize": {10: 0.875, 117: 0.964}, "gumbel": {10: 0.875, 135: 0.956}}
        curves = {name: curve(30, 0.95) for name in OBJECTIVES}
        figure = made(accuracy_chart, Learning(curves, others, "the article, validation"))
        assert_legible(figure)
        markers = {line.get_marker() for line in figure.axes[0].lines} - {"None", "o"}
        assert len(markers) == 2  # the two at epoch 10 lie on each other

    def test_logarithmic_ticks_are_1_3_10_30_100(self):
        others = {"marginalize": {117: 0.964}}
        figure = made(accuracy_chart, Learning({"gumbel": curve(30, 0.95)}, others, "the article, v"))
        with house_style():
            FigureCanvasAgg(figure).draw()
        assert shown_ticks(figure.axes[0]) == ["1", "3", "10", "30", "100"]

    def test_the_median_of_the_chosen_epochs_is_marked(self):
        figure = made(accuracy_chart, Learning({"gumbel": curve(21, 0.95)}, {}, ""))
        (dot,) = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
        assert list(dot.get_xdata()) == [16]
        strokes = [line for line in figure.axes[-1].lines if line.get_marker() == "|"]
        assert [list(line.get_xdata()) for line in strokes] == [[11, 21]]

    def test_one_epoch_is_one_tick(self):
        figure = made(accuracy_chart, Learning({"gumbel": curve(1, 0.95)}, {}, ""))
        texts(figure)
        assert shown_ticks(figure.axes[0]) == ["0", "1", "2"]

    def test_a_running_mean(self):
        assert smooth([1.0, 2.0, 3.0, 7.0], 1) == pytest.approx([1.0, 2.0, 3.0, 7.0])
        assert smooth([1.0, 2.0, 3.0, 7.0], 3) == pytest.approx([1.0, 1.5, 2.0, 4.0])

    def test_without_times_the_right_half_is_empty(self):
        whole = curve(20, 0.95)
        figure = made(accuracy_chart, Learning({"gumbel": Curve(whole.accuracy, whole.deviation, [], [3])}, {}, ""))
        assert list(figure.axes[1].lines) == []
        assert_legible(figure)


def shown_ticks(axes: Axes) -> list[str]:
    low, high = axes.get_xlim()
    labels = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    return [label.get_text() for at, label in labels if low <= at <= high]


@pytest.mark.parametrize("values", [[0.1, 30.0], [12.0, 700.0], [1.0, 200.0]])
def test_every_logarithmic_axis_has_several_ticks(values):
    figure = made(Figure)
    axes = figure.subplots()
    axes.plot(values, values)
    log_ticks(axes, values)
    FigureCanvasAgg(figure).draw()
    assert axes.get_xscale() == "log"
    assert 3 <= len(shown_ticks(axes)) <= 9


@pytest.mark.parametrize("values", [[5.0, 20.0], [], [0.0]])
def test_a_narrow_axis_is_linear(values):
    axes = made(Figure).subplots()
    log_ticks(axes, values)
    assert axes.get_xscale() == "linear"


@pytest.mark.parametrize("heights", [[0.9, 0.9, 0.9], [0.99, 0.2, 0.98], [0.5], [1.0] * 30])
def test_labels_are_apart_in_their_order_and_inside(heights):
    places = apart(heights, [0.1] * len(heights), 0.0, 1.0)
    ordered = sorted(places)
    gap = min(0.1, 1 / len(heights))
    assert all(second - first >= gap - 1e-9 for first, second in itertools.pairwise(ordered))
    assert -1e-9 <= ordered[0] <= ordered[-1] <= 1.0 + 1e-9
    assert np.argsort(places, kind="stable").tolist() == np.argsort(heights, kind="stable").tolist()


def test_generated_images_have_white_between_them():
    """Two rows of three black images of 8 x 8."""
    buffer = BytesIO()
    Image.new("L", (24, 16), 255).save(buffer, "png")
    sheet = b64encode(buffer.getvalue()).decode()
    figure = made(generated_chart, {"gumbel": sheet, "marginalize": sheet}, (8, 8))
    shown = np.asarray(figure.axes[0].images[0].get_array())
    assert shown.shape == (2 * 28, 3 * 28)
    columns = (shown == 0).all(axis=0)
    assert columns.sum() == 3 * 4
    assert columns[26:30].all()
    assert_legible(figure)
    unknown = made(generated_chart, {"gumbel": sheet}, (0, 0))
    assert np.asarray(unknown.axes[0].images[0].get_array()).shape == (16, 24)
