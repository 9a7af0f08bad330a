"""The pictures of a report on runs: what is drawn, where, and that no text covers another."""

import itertools
from base64 import b64encode
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from identities import identities
from legible import assert_legible
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from gsm_cli.objectives import OBJECTIVES
from gsm_cli.reports.accuracy_chart import Curve, Learning, accuracy_chart, front, smooth
from gsm_cli.reports.charts import apart, ink, log_ticks, wrapped
from gsm_cli.reports.forest import Forest, Row, draw
from gsm_cli.reports.generated_chart import generated_chart
from gsm_cli.style import house_style

SERIES = [*OBJECTIVES, *(f"gumbel, tau {tau}, tau_min 0.1, tau_rate 1e-05" for tau in (0.1, 0.3, 1, 2))]

TAUS = ["marginalize", *(f"gumbel, tau {tau}" for tau in (0.1, 0.2, 0.3, 0.5, 0.7, 1, 2, 5))]


def row(name: str, mean: float, half: float | None = 1.0, role: str = "secondary") -> Row:
    low, high = (None, None) if half is None else (mean - half, mean + half)
    return Row(*identities([name]), role, "undecided", mean, low, high, [mean - 0.5, mean, mean + 0.5])


def curve(epochs: int, last: float, pace: float = 0.1, name: str = "gumbel") -> Curve:
    mean = last - 0.4 * np.exp(-np.arange(1, epochs + 1) / 3)
    seconds = pace * np.arange(1, epochs + 1)
    return Curve(*identities([name]), mean.tolist(), [0.01] * epochs, seconds.tolist(), [epochs // 2 + 1, epochs])


def made(build, *arguments) -> Figure:
    with house_style():
        return build(*arguments)


class TestForest:
    @pytest.mark.parametrize("names", [["gumbel"], [*OBJECTIVES][:2], TAUS, SERIES], ids=len)
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
    @pytest.mark.parametrize("epochs", [1, 2, 200])
    @pytest.mark.parametrize("names", [["gumbel"], [*OBJECTIVES][:5], SERIES], ids=len)
    def test_is_legible_for_any_number_of_objectives_and_epochs(self, names, epochs):
        curves = [curve(epochs, 0.95 - 0.002 * place, name=name) for place, name in enumerate(names)]
        assert_legible(made(accuracy_chart, Learning(curves, {}, "")))

    def test_is_legible_with_what_others_report(self):
        others = {"marginalize": {10: 0.875, 117: 0.964}, "gumbel": {10: 0.875, 135: 0.956}}
        curves = [curve(30, 0.95, name=name) for name in OBJECTIVES]
        figure = made(accuracy_chart, Learning(curves, others, "the article, validation"))
        assert_legible(figure)
        crosses = [line for line in figure.axes[0].lines if line.get_marker() in ("x", "+") and len(line.get_xdata())]
        assert [list(line.get_ydata()) for line in crosses] == [[0.875, 0.964], [0.875, 0.956]]
        first, second = (line.get_xdata()[0] for line in crosses)
        assert first == 10
        assert 10.5 < second < 12  # at the same place: side by side

    @pytest.mark.parametrize(("factor", "scale"), [(4.0, "linear"), (13.0, "log")])
    def test_seconds_are_logarithmic_where_one_objective_takes_many_times_as_long(self, factor, scale):
        """The labels alone are faster still, and do not count."""
        paces = {"marginalize": factor, "gumbel": 1.0, "supervised": 0.02}
        curves = [curve(30, 0.95, pace, name) for name, pace in paces.items()]
        assert made(accuracy_chart, Learning(curves, {}, "")).axes[1].get_xscale() == scale

    def test_logarithmic_ticks_are_1_3_10_30_100(self):
        others = {"marginalize": {117: 0.964}}
        figure = made(accuracy_chart, Learning([curve(30, 0.95)], others, "the article, v"))
        with house_style():
            FigureCanvasAgg(figure).draw()
        assert shown_ticks(figure.axes[0]) == ["1", "3", "10", "30", "100"]

    def test_the_median_of_the_chosen_epochs_is_marked(self):
        figure = made(accuracy_chart, Learning([curve(21, 0.95)], {}, ""))
        (dot,) = [line for line in figure.axes[0].lines if line.get_marker() == identities(["gumbel"])[0].marker]
        assert list(dot.get_xdata()) == [16]
        strokes = [line for line in figure.axes[-1].lines if line.get_marker() == "|"]
        assert [list(line.get_xdata()) for line in strokes] == [[11, 21]]

    def test_one_epoch_is_one_tick(self):
        figure = made(accuracy_chart, Learning([curve(1, 0.95)], {}, ""))
        FigureCanvasAgg(figure).draw()
        assert shown_ticks(figure.axes[0]) == ["0", "1", "2"]
        assert shown_ticks(figure.axes[1])[0] == "0"

    @pytest.mark.parametrize("epochs", [1, 2, 5, 10, 20, 30, 60, 200])
    def test_ticks_are_whole_epochs_that_people_count_in(self, epochs):
        figure = made(accuracy_chart, Learning([curve(epochs, 0.95)], {}, ""))
        FigureCanvasAgg(figure).draw()
        for axes in (figure.axes[0], figure.axes[2]):
            ticks = [int(tick) for tick in shown_ticks(axes)]  # fails for 2.5
            assert ticks[1] - ticks[0] in (1, 2, 5, 10, 20, 25, 50, 100)

    def test_of_nine_curves_five_are_in_front_with_the_unsmoothed_ones_behind(self):
        curves = [curve(80, 0.95 - 0.002 * place, name=name) for place, name in enumerate(OBJECTIVES)]
        assert [line.label for line in front(curves)] == [
            "marginalize",
            "gumbel",
            "supervised",
            "straight-through-gumbel",
            "gumbel-rao",
        ]
        left = made(accuracy_chart, Learning(curves, {}, "")).axes[0]
        assert [line.get_linewidth() for line in left.lines].count(2.0) == 5
        assert [line.get_linewidth() for line in left.lines].count(0.6) == 5
        raw = [line for line in left.lines if line.get_linewidth() == 0.6]
        assert list(raw[0].get_ydata()) == pytest.approx(curves[0].accuracy)

    def test_in_front_is_the_best_of_several_temperatures(self):
        curves = [curve(9, 0.9 + 0.01 * tau, name=f"gumbel, tau {tau}") for tau in range(7)]
        curves.append(curve(9, 0.8, name="supervised"))
        assert [line.label for line in front(curves)][:3] == ["gumbel, tau 6", "supervised", "gumbel, tau 5"]

    def test_every_line_is_named_at_its_end_in_both_panels(self):
        curves = [curve(30, 0.95 - 0.01 * place, name=name) for place, name in enumerate(OBJECTIVES)]
        for axes in made(accuracy_chart, Learning(curves, {}, "")).axes[:2]:
            heights = {text.get_text(): text.get_position()[1] for text in axes.texts}
            assert sorted(heights, key=lambda name: -heights[name]) == list(OBJECTIVES)

    def test_a_running_mean(self):
        assert smooth([1.0, 2.0, 3.0, 7.0], 1) == pytest.approx([1.0, 2.0, 3.0, 7.0])
        assert smooth([1.0, 2.0, 3.0, 7.0], 3) == pytest.approx([1.0, 1.5, 2.0, 4.0])

    def test_without_times_there_is_no_right_half(self):
        whole = curve(20, 0.95)
        figure = made(accuracy_chart, Learning([replace(whole, seconds=[], chosen=[3])], {}, ""))
        assert [axes.get_xlabel() for axes in figure.axes if axes.get_xlabel()] == ["epoch"]
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


def test_labels_are_moved_as_little_as_can_be():
    assert apart([0.5, 0.1, 0.5], [0.1] * 3, 0.0, 1.0) == pytest.approx([0.45, 0.1, 0.55])
    assert apart([1.0, 1.0], [0.1, 0.3], 0.0, 1.0) == pytest.approx([0.65, 0.85])
    assert apart([0.0, 0.0], [0.1] * 2, 0.0, 1.0) == pytest.approx([0.05, 0.15])


def test_shapes_tell_objectives_apart_and_not_their_series():
    assert len({each.marker for each in identities([*OBJECTIVES])}) == len(OBJECTIVES)
    assert len({each.marker for each in identities(SERIES)}) == len(OBJECTIVES)


@pytest.mark.parametrize("colour", [*(row.colour for row in OBJECTIVES.values()), "#ffffff"])
def test_the_colour_of_a_text_has_contrast(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(ink(colour))]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    assert 1.05 / (luminance + 0.05) >= 4.45


def test_a_name_breaks_between_settings_and_is_not_cut_off():
    name = "straight-through-gumbel, tau 0.1, tau_min 0.05, of-somebody-who-likes-long-names 1"
    lines = wrapped(name).split("\n")
    assert lines == ["straight-through-gumbel,", "tau 0.1, tau_min 0.05,", "of-somebody-who-likes-long-names 1"]


@pytest.mark.parametrize(("shape", "columns"), [((8, 8), 10), ((8, 16), 10), ((28, 28), 10), ((28, 56), 10)])
def test_generated_images_are_large_and_apart(shape, columns):
    """Two rows of black images."""
    height, width = shape
    buffer = BytesIO()
    Image.new("L", (columns * width, 2 * height), 255).save(buffer, "png")
    sheet = b64encode(buffer.getvalue()).decode()
    figure = made(
        generated_chart, dict.fromkeys(identities(["gumbel, tau 0.1", "marginalize", "reinmax"]), sheet), shape
    )
    assert_legible(figure)
    shown = np.asarray(figure.axes[0].images[0].get_array()) == 255
    tall, wide = shown.shape[0] // 2, shown.shape[1] // columns
    for row, column in itertools.product(range(2), range(columns)):
        tile = shown[row * tall : (row + 1) * tall, column * wide : (column + 1) * wide]
        assert tile[2:-2, 2:-2].all()
        assert not tile[[0, 1, -2, -1]].any()
        assert not tile[:, [0, 1, -2, -1]].any()
    assert tall >= 28
    assert (wide - 4) / (tall - 4) == width / height


def test_a_sheet_of_unknown_images_is_shown_as_it_is():
    buffer = BytesIO()
    Image.new("L", (24, 16), 255).save(buffer, "png")
    figure = made(generated_chart, {identities(["gumbel"])[0]: b64encode(buffer.getvalue()).decode()}, (0, 0))
    assert np.asarray(figure.axes[0].images[0].get_array()).shape == (16, 24)


def illegible(kind: str) -> Figure:
    figure = Figure()
    axes = figure.subplots()
    axes.plot([0.0, 1.0], [0.0, 1.0])
    axes.text(0.2, 0.8, "text")
    places = {"on a line": 0.5, "on an edge": axes.get_xlim()[0], "on a text": 0.25, "outside": 1.3}
    axes.text(places[kind], 0.5 if kind == "on a line" else 0.8, "text", ha="center")
    return figure


@pytest.mark.parametrize("kind", ["on a line", "on an edge", "outside", "on a text"])
def test_what_cannot_be_read_is_found(kind):
    with pytest.raises(AssertionError):
        assert_legible(illegible(kind))
