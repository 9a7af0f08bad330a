"""The pictures of a report on runs: what is drawn, where, and that no text covers another."""

import itertools
from base64 import b64encode
from collections.abc import Sequence
from io import BytesIO

import numpy as np
import pytest
from identities import identities
from legible import assert_legible
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image
from records_of import record, steps_of

from gsm_cli.analysis.groups import Group, sort_records
from gsm_cli.objectives import OBJECTIVES
from gsm_cli.reports.charts import apart, log_ticks, wrapped
from gsm_cli.reports.curves import accuracy_panels, generated_chart
from gsm_cli.reports.dots import draw_rows
from gsm_cli.reports.panels import Panel, Point, Points, panel_chart
from gsm_cli.style import house_style

SERIES = [*OBJECTIVES, *(f"gumbel, tau {tau}, tau_min 0.1, tau_rate 1e-05" for tau in (0.1, 0.3, 1, 2))]

TAUS = ["marginalize", *(f"gumbel, tau {tau}" for tau in (0.1, 0.2, 0.3, 0.5, 0.7, 1, 2, 5))]


def row(name: str, mean: float, half: float | None = 1.0) -> Points:
    low, high = (None, None) if half is None else (mean - half, mean + half)
    return Points(*identities([name]), [Point(None, mean, low, high)])


def made(build, *arguments) -> Figure:
    with house_style():
        return build(*arguments)


def differences(*rows: Points) -> Panel:
    return Panel("points", "change", rows, "+.2f", 0.0)


class TestForest:
    def test_numbers_of_others_are_hollow_and_have_no_zero(self):
        rows = [row("gumbel", 95.0, 0.3), row("gumbel", 95.4, 0.2)]
        with house_style():
            figure = draw_rows(Panel("test accuracy, %", "objective", rows), rows[1:])
        assert_legible(figure)
        left, right = figure.axes
        marks = [line for line in left.lines if line.get_marker() != "None"]
        assert [to_rgb(mark.get_markerfacecolor()) == (1.0, 1.0, 1.0) for mark in marks] == [False, True]
        assert {mark.get_marker() for mark in marks} == {rows[0].identity.marker}
        low, high = left.get_xlim()
        assert 94.0 < low < 94.7
        assert 95.6 < high < 96.0
        assert right.texts[1].get_text() == "95.40 [95.20, 95.60]"

    @pytest.mark.parametrize("names", [["gumbel"], [*OBJECTIVES][:2], TAUS, SERIES], ids=len)
    def test_is_legible_for_any_number_of_objectives(self, names):
        rows = [row(name, place - 3.0) for place, name in enumerate(names)]
        assert_legible(made(draw_rows, differences(*rows)))

    def test_shows_means_and_intervals(self):
        figure = made(draw_rows, differences(row("gumbel", -0.7, 0.74), row("reinmax", 1.0)))
        left, right = figure.axes
        spans = [tuple(line.get_xdata()) for line in left.lines]
        assert (pytest.approx(-1.44), pytest.approx(0.04)) in spans
        assert (-0.7,) in spans
        assert right.texts[0].get_text() == "-0.70 [-1.44, +0.04]"
        assert [label.get_text() for label in left.get_yticklabels()] == ["gumbel", "reinmax"]
        assert left.yaxis_inverted()

    def test_an_interval_that_is_too_wide_leaves_the_picture(self):
        for mean, reach in ((0.0, 1.0), (-3.0, 6.0)):
            figure = made(draw_rows, differences(row("gumbel", mean, 50.0)))
            assert figure.axes[0].get_xlim() == (-reach, reach)
            arrows = [(line.get_xdata()[0], line.get_marker()) for line in figure.axes[0].lines]
            assert {(-reach, "<"), (reach, ">")} <= set(arrows)
            within = made(draw_rows, differences(row("gumbel", mean, 0.4)))
            assert not {line.get_marker() for line in within.axes[0].lines} & {"<", ">"}

    def test_one_seed_has_no_interval(self):
        figure = made(draw_rows, differences(row("gumbel", -5.0, None)))
        assert [text.get_text() for text in figure.axes[1].texts] == ["-5.00"]


def dot(name: str, faster: float, mean: float, half: float | None = 0.5) -> Points:
    low, high = (None, None) if half is None else (mean - half, mean + half)
    return Points(*identities([name]), [Point(faster, mean, low, high)])


def trade(*dots: Points) -> Figure:
    title, axis = "points of test accuracy minus the sum's", "times as fast as the sum"
    return made(panel_chart, [Panel(title, axis, dots, "+.2f", continuous=True, margin=0.7)])


class TestTrade:
    @pytest.mark.parametrize("names", [["gumbel"], [*OBJECTIVES][1:3], [*OBJECTIVES][1:8]], ids=len)
    @pytest.mark.parametrize("spread", [0.0, 0.02, 3.0])
    def test_is_legible_for_any_number_of_objectives(self, names, spread):
        """Also where all are as fast and as accurate as the others."""
        dots = [dot(name, 2.0 + spread * place, 0.3 - spread * place) for place, name in enumerate(names)]
        assert_legible(trade(*dots))

    @pytest.mark.parametrize("half", [None, 0.5, 1000.0])
    @pytest.mark.parametrize("mean", [0.3, -80.0, 40.0])
    @pytest.mark.parametrize("faster", [1.0, 1000.0])
    def test_the_sum_and_the_margin_are_in_it_wherever_the_dot_is(self, faster, mean, half):
        figure = trade(dot("gumbel", faster, mean, half))
        low, high = figure.axes[0].get_ylim()
        assert low < min(-0.7, mean)
        assert max(0.7, mean) < high
        assert_legible(figure)

    def test_shows_means_intervals_and_the_margin(self):
        (axes,) = trade(dot("gumbel", 2.8, -1.2), dot("reinmax", 2.0, 0.1, None)).axes
        marks = {(*line.get_xdata(), *line.get_ydata()) for line in axes.lines if line.get_marker() not in ("None", "")}
        assert marks == {(2.8, -1.2), (2.0, 0.1)}
        spans, *_ = [each for each in axes.collections if isinstance(each, LineCollection)]
        assert spans.get_segments()[0][:, 1] == pytest.approx([-1.7, -0.7])
        (band,) = axes.patches
        assert band.get_y() == pytest.approx(-0.7)

    def test_what_lies_far_below_is_in_the_picture_and_leaves_room_for_the_others(self):
        (axes,) = trade(dot("gumbel", 2.8, -1.2), dot("reinmax", 2.0, -15.3)).axes
        assert axes.get_ylim()[0] < -15.8
        places = axes.transData.transform([(1.0, mean) for mean in (0.0, -1.2, -15.3)])[:, 1]
        assert places[0] - places[1] > (places[0] - places[2]) / 4

    def test_an_objective_has_the_colour_and_shape_of_other_pictures(self):
        (first, second) = identities(["gumbel, tau 0.5", "gumbel, tau 1"])
        (alone,) = identities(["gumbel"])
        assert (
            (first.colour, first.marker) == (alone.colour, alone.marker) == (OBJECTIVES["gumbel"].colour, second.marker)
        )


def group_of(epochs: int, names: Sequence[str], dataset: str = "digits") -> Group:
    """A run of each objective whose accuracy rises to 0.95 and less."""
    rise = 0.4 * np.exp(-np.arange(1, epochs + 1) / 3) + 1e-5 * np.arange(epochs)[::-1]
    runs = [record(name, 0, (0.95 - 0.002 * n - rise).tolist(), dataset=dataset) for n, name in enumerate(names)]
    (group,) = sort_records(runs, steps_of(runs))
    return group


class TestAccuracy:
    @pytest.mark.parametrize("epochs", [1, 2, 200])
    @pytest.mark.parametrize("names", [["gumbel"], [*OBJECTIVES]], ids=len)
    @pytest.mark.parametrize("dataset", ["digits", "mnist"])
    def test_is_legible_for_any_number_of_objectives_and_epochs(self, names, epochs, dataset):
        assert_legible(made(panel_chart, accuracy_panels(group_of(epochs, names, dataset))))

    def test_a_point_is_the_mean_over_the_epochs_since_the_one_before(self):
        group = group_of(100, ["gumbel"])
        (series,) = group.trained
        curve = series.curve(lambda epochs: epochs.validation_accuracy)
        by_epoch, by_second = (panel.lines[0].points for panel in accuracy_panels(group))
        assert [point.value for point in by_epoch] == list(range(2, 101, 2))
        assert by_epoch[-1].mean == pytest.approx(50 * (curve[98] + curve[99]))
        assert by_second[-1].value == pytest.approx(sum(series.finished[0].epochs.processor_seconds))
        assert [point.mean for point in by_second] == [point.mean for point in by_epoch]

    def test_what_others_report_stands_beside_it(self):
        epochs, seconds = accuracy_panels(group_of(3, ["gumbel"], "mnist"))
        others = {line.identity.objective: line for line in epochs.lines[1:]}
        read = [(point.value, point.mean) for point in others["gumbel"].points]
        assert (len(read), read[0], read[-1]) == (8, (2, 75.0), (135, 95.6))
        assert {line.identity.marker for line in others.values()} == {"x"}
        assert [line.identity.label for line in seconds.lines] == ["gumbel"]

    def test_without_times_it_is_against_epochs_alone(self):
        (group,) = sort_records(group_of(20, ["gumbel", "marginalize"]).records)
        assert [panel.axis for panel in accuracy_panels(group)] == ["epoch"]
        assert_legible(made(panel_chart, accuracy_panels(group)))


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


@pytest.mark.parametrize(("values", "are_whole"), [([1.0, 2.0, 3.0], True), ([1.0, 2.3, 2.8], False)])
def test_whole_numbers_alone_have_whole_ticks(values, are_whole):
    axes = made(Figure).subplots()
    axes.plot(values, values)
    log_ticks(axes, values)
    assert all(tick == round(tick) for tick in axes.get_xticks()) is are_whole


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


def test_a_name_breaks_between_settings_and_is_not_cut_off():
    name = "straight-through-gumbel, tau 0.1, tau_min 0.05, of-somebody-who-likes-long-names 1"
    lines = wrapped(name).split("\n")
    assert lines == ["straight-through-gumbel,", "tau 0.1, tau_min 0.05,", "of-somebody-who-likes-long-names 1"]


@pytest.mark.parametrize(("shape", "columns"), [((8, 8), 10), ((8, 16), 10), ((28, 28), 10), ((28, 56), 10)])
def test_white_lines_keep_generated_images_apart(shape, columns):
    """Two rows of black images."""
    height, width = shape
    buffer = BytesIO()
    Image.new("L", (columns * width, 2 * height), 255).save(buffer, "png")
    sheet = b64encode(buffer.getvalue()).decode()
    figure = made(
        generated_chart, dict.fromkeys(identities(["gumbel, tau 0.1", "marginalize", "reinmax"]), sheet), shape
    )
    assert_legible(figure)
    rows, lines = figure.axes[0].collections
    assert [segment[0][1] for segment in rows.get_segments()] == [-0.5, height - 0.5]
    assert [segment[0][0] for segment in lines.get_segments()] == [n * width - 0.5 for n in range(columns)]


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
