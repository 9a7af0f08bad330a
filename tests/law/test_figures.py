"""The figures by their artists, by their bytes, and by what they say of themselves."""

import json
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from io import BytesIO
from itertools import product
from unittest import mock

import matplotlib as mpl
import numpy as np
import pytest
from legible import assert_apart, assert_inside, extents, overlaps
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import rgb_to_hsv, to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle
from matplotlib.text import Text
from matplotlib.textpath import TextPath
from numpy.testing import assert_allclose
from PIL import Image

from gsm_cli import __version__, style
from gsm_cli.errors import UsageError
from gsm_cli.law import animation, gumbel, moments, pictures
from gsm_cli.law.colours import temperature_colour
from gsm_cli.law.facts import ExpectationFacts
from gsm_cli.law.request import read_law, read_temperatures
from gsm_cli.law.simplex import simplex
from gsm_cli.style import Look

LAW = read_law(None, None, None, seed=0)
WIDE_LAW = read_law(None, None, 30, seed=3)
FOUR = read_temperatures(["0.1", "1", "5", "100"])


def drawn(picture):
    with style.house_style():
        return picture.draw()


def only_axes(picture):
    (axes,) = drawn(picture).axes
    return axes


def heights(axes, container=0):
    return tuple(bar.get_height() for bar in axes.containers[container])


def bars_of(facts):
    return facts.mean if isinstance(facts, ExpectationFacts) else facts.values


def colours(axes):
    return {to_hex(bar.get_facecolor()) for bar in axes.containers[0]}


def text_chunks(data):
    return Image.open(BytesIO(data)).text


def facts_in(data):
    """The facts in a PNG, as strict JSON."""

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    return json.loads(text_chunks(data)["Comment"], parse_constant=refuse)


def all_pictures(law=LAW, temperatures=FOUR):
    return [
        *pictures.samples(law, temperatures, repeat=3),
        *pictures.expectations(law, temperatures, size=100, plain=False),
        pictures.grid(law, temperatures, size=100, draws=4),
    ]


NAMES = [
    *("original", "sample_1", "sample_10", "sample_50", "sample_1000", "z_0", "z_1", "z_2"),
    *("expectation_1", "expectation_10", "expectation_50", "expectation_1000", "grid"),
]
SINGLE = [name for name in NAMES if name != "grid"]
PICTURES = dict(zip(NAMES, all_pictures(), strict=True))


def test_pictures_have_the_names_of_the_article():
    assert [picture.name for picture in PICTURES.values()] == NAMES


class TestArtists:
    @pytest.mark.parametrize("name", SINGLE)
    def test_bars_stand_on_the_classes_from_zero_to_one(self, name):
        picture = PICTURES[name]
        axes = only_axes(picture)
        assert heights(axes) == bars_of(picture.facts)
        assert [bar.get_x() + bar.get_width() / 2 for bar in axes.containers[0]] == pytest.approx([1, 2, 3, 4, 5, 6])
        assert axes.get_ylim() == (0.0, 1.0)
        assert list(axes.get_xticks()) == [1, 2, 3, 4, 5, 6]
        assert (axes.get_xlabel(), axes.get_ylabel()) == ("class", "probability mass")
        assert axes.get_title() == picture.title

    @pytest.mark.parametrize(
        ("name", "colour"),
        [
            ("original", "#d73c2c"),
            ("sample_1", "#009c41"),
            ("sample_10", "#0067b0"),
            ("sample_50", "#6e248d"),
            ("sample_1000", "#ca2c68"),
            ("z_0", "#9e6c4b"),
            ("z_2", "#9e6c4b"),
            ("expectation_1", "#009c41"),
            ("expectation_1000", "#ca2c68"),
        ],
    )
    def test_colours_are_those_of_the_article(self, name, colour):
        assert colours(only_axes(PICTURES[name])) == {colour}

    @pytest.mark.parametrize(
        ("name", "end"), [("sample_10", "τ = 1"), ("expectation_1000", "τ = 100"), ("z_0", "τ = 0.1")]
    )
    def test_title_names_the_temperature(self, name, end):
        assert PICTURES[name].title.endswith(end)

    def test_bars_carry_their_heights(self):
        labels = [text.get_text() for text in only_axes(PICTURES["original"]).texts]
        assert labels == ["0.11", "0.77", "0.02", "0.01", "0.06", "0.04"]

    def test_a_line_stands_for_the_bars_of_many_classes(self):
        law = read_law(None, None, 100, seed=3)
        picture = pictures.expectations(law, FOUR[:1], 100, plain=False)[0]
        axes = only_axes(picture)
        assert not axes.containers
        assert (axes.get_yscale(), axes.get_ylim()) == ("log", (1e-6, 1.0))
        assert (axes.get_xlabel(), axes.get_ylabel()) == (
            "class, the most probable first",
            "probability mass, log scale",
        )
        lines = {line.get_label(): line.get_ydata() for line in axes.lines}
        assert_allclose(lines["π"], sorted(picture.facts.probabilities, reverse=True))
        assert_allclose(lines["exact expectation"], sorted(picture.facts.exact, reverse=True))
        order = np.argsort(picture.facts.probabilities)[::-1]
        assert axes.patches[0].get_edgecolor() == axes.patches[0].get_facecolor()
        assert_allclose(axes.patches[0].get_data().values, np.maximum(np.array(picture.facts.mean)[order], 1e-6))

    def test_many_classes_have_their_error_as_a_band_and_a_dashed_law(self):
        law = read_law(None, None, 100, seed=3)
        picture = pictures.expectations(law, FOUR[:1], 100, plain=False)[0]
        figure = drawn(picture)
        (axes,) = figure.axes
        shown = [(line.get_color(), line.get_linewidth(), line.get_label()) for line in axes.lines]
        assert [shown[0][:2], *shown[1:]] == [
            ("#ffffff", 3.5),
            (style.INK, 1.5, "exact expectation"),
            (style.INK, 1.2, "π"),
        ]
        assert [line.is_dashed() for line in axes.lines] == [False, False, True]
        for line in axes.lines:
            assert line.get_drawstyle() == "steps-mid"
            assert_allclose(line.get_xdata(), range(1, 101))
        assert_allclose(*(line.get_ydata() for line in axes.lines[:2]))
        (band,) = axes.collections
        assert (to_hex(band.get_facecolor()), band.get_linewidth(), band.get_zorder()) == ("#bdbdbd", 0, 0)
        box = band.get_paths()[0].get_extents()
        highest = np.add(picture.facts.exact, picture.facts.standard_error).max()
        assert_allclose(box.extents, [1, 1e-6, 100, highest], rtol=1e-6)
        (legend,) = figure.legends
        labels = [text.get_text() for text in legend.get_texts()]
        assert labels == ["mean of the draws", "± standard error", "exact expectation", "π"]

    def test_whiskers_and_marks_are_as_small_as_their_bars(self):
        """They are a quarter and half of the points from one of 40 classes to the next, in 80 % of 2.6 inches."""
        pitch = 0.8 * 72 * 2.6 / 40
        axes = drawn(pictures.grid(read_law(None, None, 40, seed=3), FOUR[:1], 10, 1)).axes[1]
        sizes = {line.get_marker(): line.get_markersize() for line in axes.lines}
        assert sizes == {"_": pytest.approx(2 * pitch / 4), "D": pytest.approx(pitch / 2)}
        assert [tick for tick in axes.get_xticks() if 1 <= tick <= 40] == [10, 20, 30, 40]

    def test_many_bars_carry_no_numbers_and_few_whole_ticks(self):
        axes = only_axes(pictures.samples(WIDE_LAW, FOUR, 0)[0])
        assert len(heights(axes)) == 30
        assert not axes.texts
        shown = [tick for tick in axes.get_xticks() if 1 <= tick <= 30]
        assert shown == [5, 10, 15, 20, 25, 30]

    @pytest.mark.parametrize("name", ["expectation_1", "expectation_1000"])
    def test_expectation_shows_exact_values_errors_and_pi(self, name):
        picture = PICTURES[name]
        figure, facts = drawn(picture), picture.facts
        (axes,) = figure.axes
        (markers,) = (line for line in axes.lines if line.get_marker() == "D")
        assert_allclose(markers.get_xydata(), list(enumerate(facts.exact, start=1)))
        (whiskers,) = axes.collections
        lows, highs = np.array(whiskers.get_segments())[:, :, 1].T
        assert_allclose((lows + highs) / 2, facts.mean)
        assert_allclose((highs - lows) / 2, facts.standard_error, rtol=1e-9)
        assert heights(axes, container=1) == facts.probabilities
        assert not any(outline.get_fill() for outline in axes.containers[1])
        (legend,) = figure.legends
        labels = {text.get_text() for text in legend.get_texts()}
        assert labels == {"mean of the draws", "± standard error", "exact expectation", "π"}

    def test_plain_expectation_is_bars_alone(self):
        (picture,) = pictures.expectations(LAW, FOUR[:1], size=100, plain=True)
        figure = drawn(picture)
        (axes,) = figure.axes
        assert heights(axes) == PICTURES["expectation_1"].facts.mean
        assert len(axes.containers) == 1
        assert not [*axes.lines, *axes.collections, *figure.legends]

    def test_grid_has_a_column_per_temperature_and_the_law_first(self):
        facts = PICTURES["grid"].facts
        figure = drawn(PICTURES["grid"])
        cells = np.reshape(figure.axes, (5, 5))
        titles = [axes.get_title() for axes in cells[0]]
        assert titles == ["categorical π", "τ = 0.1", "τ = 1", "τ = 5", "τ = 100"]
        assert [axes.get_ylabel() for axes in cells[:, 0]] == ["expectation", "draw 0", "draw 1", "draw 2", "draw 3"]
        for column, shown in zip(cells.T, facts.columns, strict=True):
            assert [heights(axes) for axes in column] == [shown.mean, *shown.draws]
            assert len({frozenset(colours(axes)) for axes in column}) == 1
        assert {axes.get_ylim() for axes in cells.flat} == {(0.0, 1.0)}
        assert {tuple(axes.get_yticks()) for axes in cells.flat} == {(0.0, 0.5, 1.0)}
        assert {axes.get_xlabel() for axes in cells[-1]} == {"class"}
        assert heights(cells[0, 0]) == facts.probabilities
        assert len(figure.legends) == 1

    def test_grid_of_many_classes_has_lines_by_rank(self):
        figure = drawn(pictures.grid(read_law(None, None, 100, seed=3), FOUR[:1], 10, 1))
        cells = np.reshape(figure.axes, (2, 2))
        assert {axes.get_yscale() for axes in cells.flat} == {"log"}
        assert 0.5 not in cells[0, 0].get_yticks()
        assert {axes.get_xlabel() for axes in cells[-1]} == {"class by rank"}
        assert [tick for tick in cells[-1, 0].get_xticks() if 1 <= tick <= 100] == [50, 100]
        (legend,) = figure.legends
        assert legend.get_title().get_text() == "probability mass, log scale; class, the most probable first"

    @pytest.mark.parametrize(("count", "grid", "triangles"), [(1, 2, 2), (2, 2, 2), (3, 4, 4)])
    def test_legends_are_as_wide_as_there_is_room(self, count, grid, triangles):
        law = read_law("0.5,0.3,0.2", None, None, 0)
        figures = drawn(pictures.grid(law, FOUR[:count], 10, 1)), drawn(simplex(law, FOUR[:count], 10, Look()))
        assert [figure.legends[0]._ncols for figure in figures] == [grid, triangles]

    def test_long_words_are_written_as_small_as_their_room(self):
        """In points, of a figure's and of a column's width."""
        law, temperatures = read_law("0.5,0.3,0.2", None, None, 0), read_temperatures([f"0.{'7' * 26}"])
        look = Look(title=80 * "m")
        chart = drawn(pictures.samples(law, FOUR[:1], 0, look)[0])
        grid = drawn(pictures.grid(law, temperatures, 10, 1, look))
        triangle = drawn(simplex(law, temperatures, 10, look))
        columns = [(grid.axes[1].title, 170), (triangle.axes[0].title, 190)]
        assert [title.get_fontweight() for title, _ in columns] == ["bold", "bold"]
        for text, room in (*columns, (chart.axes[0].title, 370), (grid._suptitle, 330), (triangle._suptitle, 400)):
            outline = TextPath((0, 0), text.get_text(), text.get_fontsize(), prop=text.get_fontproperties())
            assert outline.get_extents().width == pytest.approx(room, rel=0.01)


def text_boxes(picture):
    """The figure as drawn, and the texts that are drawn in it with their bounding boxes, in pixels."""
    with (
        style.drawn(picture.draw, picture.look) as figure,
        mock.patch.object(Text, "draw", autospec=True, side_effect=Text.draw) as draw,
    ):
        FigureCanvasAgg(figure).draw()
        texts = dict.fromkeys(call.args[0] for call in draw.call_args_list)
        return figure, [(text, text.get_window_extent()) for text in texts if text.get_visible() and text.get_text()]


def check_texts(picture):
    figure, written = text_boxes(picture)
    assert len(written) > 5
    shown, boxes = [text for text, _ in written], extents([box for _, box in written])
    assert_inside(figure, shown, boxes, 1e-4)
    assert_apart(shown, boxes)
    for axes in figure.axes:  # neither axes that a text is not written in, nor edges, bars and triangles lie under it
        own = np.isin(np.arange(len(shown)), [number for number, text in enumerate(shown) if text in axes.texts])
        bars = [patch for patch in axes.patches if isinstance(patch, Rectangle) and patch.get_height()]
        edges = [spine for spine in axes.spines.values() if spine.get_visible()]
        frame = [axes] if axes.axison else []
        for texts, artists in ((own, [*bars, *edges]), (~own, [*bars, *frame])):
            obstacles = extents([artist.get_window_extent().padded(-1) for artist in artists])
            hits = np.argwhere(overlaps(boxes, obstacles) & texts[:, None])
            assert not len(hits), (picture.name, [(shown[text], artists[other]) for text, other in hits])
        for triangle in (patch for patch in axes.patches if isinstance(patch, Polygon)):
            path = triangle.get_transform().transform_path(triangle.get_path())
            assert not [text for text, box in written if path.intersects_bbox(box)], picture.name


@pytest.mark.parametrize(
    ("law", "taus"),
    [("1,0", ["1"]), ("0.1,0.9,0,0,0,0,0,0,0,0", ["0.01", f"0.{'7' * 26}", "1e9"]), (None, ["0.1", "1234.5678"])],
    ids=["certain", "ten", "article"],
)
def test_no_text_leaves_its_picture_or_touches_another(law, taus):
    for picture in all_pictures(read_law(law, None, None, seed=0), read_temperatures(taus)):
        check_texts(picture)


EIGHT = ["0.05", "0.1", "0.5", "1", "3", "5", "30", "100"]


@pytest.mark.parametrize(
    ("classes", "count"),
    [(2, 1), (3, 8), (10, 1), (11, 1), (40, 2), (41, 3), (1000, 4)],
)
def test_no_text_lies_over_another_a_bar_or_an_edge(classes, count):
    law, temperatures = read_law(None, None, classes, seed=1), read_temperatures(EIGHT[-count:])
    chosen = [
        *pictures.samples(law, temperatures[-1:], repeat=0),
        *pictures.expectations(law, temperatures[:1], size=100, plain=False),
        pictures.grid(law, temperatures, size=100, draws=1),
        *([simplex(law, temperatures, 50, Look())] if classes == 3 else []),
    ]
    for picture in chosen:
        check_texts(picture)


LONG_NAMES = "a long name of a cat,dog,$1 and $2"
LONG, SMALL = Look(title="A title of my own, as long as it may be: " + 39 * "m"), Look(size=(2.6, 3.0))


@pytest.mark.parametrize(
    ("look", "names"),
    [
        *product([LONG, SMALL, Look(size=(12.0, 3.0))], [LONG_NAMES]),
        (SMALL, "a,b,c"),
        (LONG, None),
    ],
    ids=["long, title", "long, small", "long, wide", "short, small", "numbers, title"],
)
def test_no_text_lies_over_another_however_it_looks(look, names):
    law = read_law("0.5,0.3,0.2", None, None, 0, names)
    for picture in [
        pictures.samples(law, FOUR[:1], 0, look)[1],
        *pictures.expectations(law, FOUR[:1], 100, False, look),
        pictures.grid(law, FOUR[:2], 100, 2, look),
        simplex(law, FOUR[2:], 20, look),
    ]:
        check_texts(picture)


@pytest.mark.parametrize("size", [6, 20])
def test_no_text_lies_over_another_at_any_font_size(size):
    look = Look(font_size=size)
    named, ten = read_law("0.5,0.3,0.2", None, None, 0, "cat,black dog,bird"), read_law(None, None, 10, 1)
    for picture in [
        pictures.samples(ten, FOUR[:1], 0, look)[0],
        *pictures.expectations(LAW, FOUR[1:2], 100, False, look),
        pictures.grid(ten, FOUR[:2], 100, 2, look),
        pictures.grid(named, FOUR, 100, 1, look),
        simplex(named, FOUR[2:], 20, look),
    ]:
        check_texts(picture)


def luminance(colour):
    """As the guidelines on the accessibility of the web define it (WCAG 2.2)."""
    channels = np.array(to_rgb(colour))
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one, other):
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


class TestPaper:
    def test_words_and_bars_stand_out_on_dark_paper(self):
        """By 4.5 and 3, which is what readers with weak eyes need."""
        look = Look(style="dark")
        law = read_law("0.5,0.3,0.2", None, None, 0)
        for picture in [pictures.grid(law, FOUR, 9, 1, look), simplex(law, FOUR, 9, look)]:
            figure, written = text_boxes(picture)
            assert min(contrast(text.get_color(), figure.get_facecolor()) for text, _ in written) > 4
            words = [text for text, _ in written if text.get_color() == "#e8e8e8"]
            assert len(words) > 10
            assert min(contrast(text.get_color(), figure.get_facecolor()) for text in words) > 10
            bars = [bar for axes in figure.axes for container in axes.containers[:1] for bar in container]
            assert all(contrast(bar.get_facecolor(), figure.get_facecolor()) > 3 for bar in bars)

    @pytest.mark.parametrize(
        ("paper", "corner"),
        [("light", (255, 255, 255, 255)), ("dark", (0x15, 0x17, 0x1B, 255)), ("transparent", (255, 255, 255, 0))],
    )
    @pytest.mark.parametrize("name", ["original", "expectation_1"])  # with and without a layout
    def test_is_what_pixels_without_ink_show(self, name, paper, corner):
        picture = {each.name: each for each in all_looks(Look(style=paper))}[name]
        image = Image.open(BytesIO(picture.encode("png"))).convert("RGBA")
        assert image.getpixel((0, 0)) == image.getpixel((image.width - 2, image.height // 3)) == corner
        assert b"15171b" in picture.encode("svg") or paper != "dark"

    def test_shades_begin_at_the_paper(self):
        law = read_law("0.5,0.3,0.2", None, None, 0)
        lightest = {}
        for paper in ("light", "dark"):
            with style.drawn(simplex(law, FOUR[:1], 9, Look()).draw, Look(style=paper)) as figure:
                fills = [fill.get_facecolor() for fill in figure.axes[0].collections]
                shades = np.concatenate(fills)[:, 0]
                lightest[paper] = (shades[0], shades[-1])
        assert_allclose(lightest["light"], (0.97, 0.4))
        assert 0.08 < lightest["dark"][0] < 0.13
        assert lightest["dark"][1] > 0.5

    def test_a_film_is_dark_too(self):
        film = animation.animate(LAW, (FOUR[2], FOUR[0]), 9, False, Look(style="dark", dpi=40))
        frame = next(film.pixels())
        assert tuple(frame[0, 0]) == (0x15, 0x17, 0x1B)
        with pytest.raises(UsageError, match="--style transparent is for pictures, and a film must have a ground"):
            animation.animate(LAW, (FOUR[2], FOUR[0]), 9, False, Look(style="transparent"))


def all_looks(look):
    return [pictures.samples(LAW, FOUR[:1], 0, look)[0], *pictures.expectations(LAW, FOUR[:1], 9, False, look)]


class TestLook:
    law = read_law("0.5,0.3,0.2", None, None, 0, "cat, dog,$x$")

    @pytest.mark.parametrize("title", ["rate $$ each", "$$", r"\$x$ and $y", "$\\frac{$"])
    def test_dollars_are_neither_drawn_nor_measured_as_mathematics(self, title):
        look = Look(title=title)
        for picture in (pictures.grid(self.law, FOUR[:1], 9, 1, look), simplex(self.law, FOUR[:1], 9, look)):
            _, written = text_boxes(picture)
            assert title in {text.get_text() for text, _ in written}
        film = animation.animate(self.law, (FOUR[2], FOUR[0]), 9, True, Look(title=title, dpi=40))
        with style.drawn(film.draw) as figure:
            film.show(figure, film.frames[0], "black")
            figure.draw_without_rendering()
            assert figure.get_suptitle() == f"{title}, τ = 5"

    def test_letters_have_the_size_that_is_asked_for(self):
        def letters(look):
            with style.drawn(pictures.grid(self.law, FOUR[:1], 9, 1).draw, look) as figure:
                label = figure.axes[-1].xaxis.label
                return label.get_fontsize(), tuple(figure.get_size_inches())

        (own, (width, height)), (large, grown), (small, shrunk) = (
            letters(look) for look in (Look(), Look(font_size=20), Look(font_size=10))
        )
        assert (own, large, small) == pytest.approx((13, 20, 10))
        assert (grown[0], *shrunk) == pytest.approx((width, width, height))
        assert grown[1] == pytest.approx(height * 20 / 13)
        assert letters(Look(font_size=15, size=(9.0, 8.0))) == (pytest.approx(15), (9, 8))

    def test_names_stand_for_numbers(self):
        picture = pictures.samples(self.law, FOUR[:1], 0)[0]
        _, boxes = text_boxes(picture)
        assert {"cat", "dog", "$x$"} <= {text.get_text() for text, _ in boxes}
        assert "highest of 3 bars is cat" in picture.description

    @pytest.mark.parametrize(("letters", "rotation", "room"), [(6, 0, 0), (7, 90, 7 * 0.62 * 13 / 72)])
    def test_names_stand_upright_where_a_cell_is_too_narrow(self, letters, rotation, room):
        """Three classes have 50 points each in 80 % of 2.6 inches, and a letter of 13 points has a width of 0.62."""
        named = read_law("0.5,0.3,0.2", None, None, 0, ",".join(["a", "b", letters * "c"]))
        figure = drawn(pictures.grid(named, FOUR[:1], 9, 1))
        assert [label.get_rotation() for label in figure.axes[-1].get_xticklabels()] == 3 * [rotation]
        assert figure.get_figheight() == pytest.approx(1.4 * 2 + 1 + room)

    def test_forty_names_are_as_small_as_their_bars(self):
        named = read_law(None, None, 40, 0, ",".join(40 * ["abc"]))
        for figure in (
            drawn(pictures.samples(named, FOUR[:1], 0)[0]),
            drawn(pictures.expectations(named, FOUR[:1], 9, True)[0]),
        ):
            assert figure.get_figheight() == pytest.approx(4.2 + 3 * 0.62 * 13 / 72)
            sizes = [label.get_fontsize() for label in figure.axes[0].get_xticklabels()]
            assert sizes == pytest.approx(40 * [0.8 * 72 * 6 / 40 / 1.3])

    def test_a_dollar_is_a_dollar(self):
        """In names of classes, beside one another and upright, and in titles, which are as large as they may be."""
        look = Look(title="$")
        chart, grid = (
            drawn(pictures.samples(self.law, FOUR[:1], 0, look)[0]),
            drawn(pictures.grid(self.law, FOUR, 9, 1, look)),
        )
        triangle = drawn(simplex(self.law, FOUR[:1], 9, look))
        upright = drawn(pictures.samples(read_law(None, None, 40, 0, ",".join(40 * ["$$$"])), FOUR[:1], 0)[0])
        (axes,), (many,) = chart.axes, upright.axes
        texts = [axes.title, *axes.get_xticklabels(), *many.get_xticklabels(), *triangle.axes[0].texts]
        assert len(texts) == 1 + 3 + 40 + 3
        assert not any(text.get_parse_math() for text in [*texts, grid._suptitle, triangle._suptitle])
        assert [text.get_rotation() for text in (texts[1], texts[4])] == [0, 90]
        assert [text.get_fontsize() for text in (*texts[:2], grid._suptitle, triangle._suptitle)] == [13, 13, 17, 15]

    def test_a_title_keeps_what_tells_figures_apart(self):
        look = Look(title="Mine")
        titles = [picture.title for picture in pictures.samples(self.law, FOUR[:2], 1, look)]
        assert titles == ["Mine, 3 classes", "Mine, τ = 0.1", "Mine, τ = 1", "Mine, τ = 0.1"]
        (axes,) = drawn(pictures.expectations(self.law, FOUR[:1], 9, False, look)[0]).axes
        assert axes.get_title() == "Mine, τ = 0.1"
        plain, grid = (drawn(pictures.grid(self.law, FOUR[:1], 9, 1, each)) for each in (Look(), look))
        assert grid.get_suptitle() == "Mine"
        assert grid.get_figheight() == pytest.approx(plain.get_figheight() + 0.4)

    @pytest.mark.parametrize(
        ("look", "size"), [(Look(size=(3.0, 2.0), dpi=50), (150, 100)), (Look(dpi=240), (1440, 1008))]
    )
    def test_size_and_dots(self, look, size):
        data = pictures.samples(LAW, FOUR[:1], 0, look)[0].encode("png")
        assert Image.open(BytesIO(data)).size == size

    def test_a_small_figure_has_small_letters_and_a_large_one_has_its_own(self):
        def size_of_title(size):
            with style.drawn(PICTURES["original"].draw, Look(size=size)) as figure:
                return figure.axes[0].title.get_fontsize()

        assert size_of_title((3.0, 2.1)) == pytest.approx(6.5)
        assert size_of_title((12.0, 8.4)) == pytest.approx(13)

    def test_too_many_dots_are_refused_before_they_are_drawn(self):
        with pytest.raises(
            UsageError, match=r"at most 60,000,000 dots.*1,440,000,000: choose a smaller --dpi or --size"
        ):
            pictures.samples(LAW, FOUR[:1], 0, Look(size=(40.0, 25.0), dpi=1200))[0].encode("png")

    def test_letters_too_small_to_be_read_are_refused(self):
        with pytest.raises(UsageError, match=r"from 1.9 by 1.4 inches on.*not 1.5 by 3: choose a larger --size"):
            pictures.samples(LAW, FOUR[:1], 0, Look(size=(1.5, 3.0)))[0].encode("png")

    @pytest.mark.parametrize("size", [None, (3.0, 2.0), (4.0, 2.5)])
    @pytest.mark.parametrize("font_size", [None, 40])
    def test_a_size_that_is_named_as_the_least_is_large_enough(self, size, font_size):
        def draw(size):
            return pictures.grid(LAW, FOUR, 2, 4, Look(size=size, font_size=font_size)).encode("png")

        try:
            draw(size)
        except UsageError as error:
            least = re.search(r"from ([\d.]+) by ([\d.]+) inches on", str(error))
            assert draw(tuple(map(float, least.groups())))

    def test_text_of_an_svg_stays_text(self):
        root = ET.fromstring(PICTURES["sample_1"].encode("svg"))
        texts = {"".join(element.itertext()).strip() for element in root.iter("{http://www.w3.org/2000/svg}text")}
        assert {"One Gumbel-Softmax draw, τ = 0.1", "class", "probability mass", "1.00"} <= texts


def test_colours_keep_their_order_whatever_temperatures_are_mixed():
    """The hue goes on from green by blue and purple to crimson, and neighbours can be told apart."""
    temperatures = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 100.0, 300.0, 1000.0]
    colours = [to_rgb(temperature_colour(temperature)) for temperature in temperatures]
    hues = np.array([rgb_to_hsv(colour)[0] for colour in colours])
    assert (np.diff(hues) > 0.005).all()
    assert np.abs(np.diff(colours, axis=0)).max(axis=1).min() > 0.05
    assert temperature_colour(1e-6) == temperature_colour(0.01)
    assert temperature_colour(1e6) == temperature_colour(1000.0)


class TestNumbers:
    @pytest.mark.parametrize("law", [LAW, WIDE_LAW], ids=["article", "random"])
    def test_commands_agree_with_one_another(self, law):
        samples = {picture.name: picture.facts for picture in pictures.samples(law, FOUR, 3)}
        expectations = [picture.facts for picture in pictures.expectations(law, FOUR, 100, plain=False)]
        first, *columns = pictures.grid(law, FOUR, 100, 3).facts.columns
        assert samples["original"].values == first.mean
        for temperature, expectation, column in zip(FOUR, expectations, columns, strict=True):
            assert samples[f"sample_{temperature.file_label}"].values == column.draws[0]
            for name in ("mean", "standard_error", "exact", "z_score"):
                assert getattr(expectation, name) == getattr(column, name)
        assert tuple(samples[f"z_{r}"].values for r in range(3)) == columns[0].draws

    def test_rows_of_the_grid_share_their_noise(self):
        columns = pictures.grid(WIDE_LAW, FOUR, 10, 20).facts.columns
        winners = np.array([column.draws for column in columns]).argmax(axis=-1)
        assert (winners == winners[0]).all()
        assert len(set(winners[0])) > 1

    def test_expectation_is_the_mean_of_the_draws_with_exact_errors(self):
        for temperature in FOUR:
            facts = pictures.expectations(LAW, [temperature], 200, plain=False)[0].facts
            draws = [pictures.samples(LAW, [temperature], 200)[2 + r].facts.values for r in (0, 17, 199)]
            z = gumbel.relax(LAW.logits, LAW.noise(200), temperature.value)
            assert_allclose(draws, z[[0, 17, 199]], rtol=1e-5)
            assert_allclose(facts.mean, z.mean(axis=0), rtol=1e-5)
            exact, error = np.array(facts.exact), np.array(facts.standard_error)
            assert_allclose(exact, moments.exact_expectation(LAW.logits, temperature.value), rtol=1e-5)
            deviation = moments.exact_standard_deviation(LAW.logits, temperature.value)
            assert_allclose(error, deviation / np.sqrt(200), rtol=1e-5)
            assert_allclose(facts.z_score, (z.mean(axis=0) - exact) / error, rtol=0.01, atol=1e-3)

    def test_a_class_that_never_varies_has_no_z_score(self):
        (picture,) = pictures.expectations(read_law("0.5,0.5,0", None, None, 0), FOUR[:1], 10, plain=False)
        assert picture.facts.z_score[2] is None
        assert facts_in(picture.encode("png"))["z_score"] == list(picture.facts.z_score)

    def test_another_temperature_changes_no_other_figure(self):
        def encoded(temperatures):
            chosen = [
                *pictures.samples(LAW, temperatures, 2),
                *pictures.expectations(LAW, temperatures, 50, plain=False),
            ]
            return {picture.name: picture.encode("png") for picture in chosen}

        alone, together = encoded(FOUR[:1]), encoded(FOUR[:2])
        assert len(alone) == 5
        assert {name: together[name] for name in alone} == alone


class TestBytes:
    @pytest.mark.parametrize("format", ["svg", "pdf"])
    def test_are_the_same_twice(self, format):
        again, *_ = pictures.expectations(LAW, FOUR, size=100, plain=False)
        assert PICTURES["expectation_1"].encode(format) == again.encode(format)

    def test_ignore_the_user_s_settings_and_leave_them(self):
        expected = PICTURES["expectation_1"].encode("png")
        own = {"font.size": 30, "savefig.dpi": 31, "axes.facecolor": "black", "lines.linewidth": 9, "axes.grid": True}
        with mpl.rc_context(own):
            before = dict(mpl.rcParams)
            assert PICTURES["expectation_1"].encode("png") == expected
            assert dict(mpl.rcParams) == before

    @pytest.mark.parametrize(("format", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
    def test_start_as_their_format_does(self, format, start):
        assert PICTURES["z_0"].encode(format).startswith(start)


class TestProvenance:
    @pytest.mark.parametrize("name", NAMES)
    def test_png_says_how_it_was_made_and_what_it_shows(self, name):
        picture = PICTURES[name]
        data = picture.encode("png")
        chunks, facts = text_chunks(data), facts_in(data)
        assert facts == picture.carried
        assert facts["command"].startswith("gsm ")
        assert (facts["version"], facts["seed"]) == (__version__, 0)
        assert facts["probabilities"] == [0.107, 0.765, 0.022, 0.006, 0.055, 0.045]
        kind, _, label = name.partition("_")
        expected = {"original": [], "grid": [0.1, 1, 5, 100], "z": [0.1]}
        assert facts["temperatures"] == (expected[kind] if kind in expected else [int(label) / 10])
        assert chunks["Title"] == picture.title
        assert "bar chart" in chunks["Description"].lower()
        assert not {"Creation Time", "Date"} & set(chunks)

    def test_alternative_text_names_the_highest_bar(self):
        assert "class 2 with 0.77" in PICTURES["original"].description

    def test_svg_carries_the_facts(self):
        root = ET.fromstring(PICTURES["sample_1"].encode("svg"))
        dublin_core = "{http://purl.org/dc/elements/1.1/}"
        (source,) = root.iter(f"{dublin_core}source")
        (description,) = root.iter(f"{dublin_core}description")
        assert json.loads(source.text) == PICTURES["sample_1"].carried
        assert description.text == PICTURES["sample_1"].description

    def test_pdf_carries_the_facts(self):
        data = PICTURES["sample_1"].encode("pdf")
        keywords = data.partition(b"/Keywords (")[2].partition(b")\n")[0]
        assert json.loads(keywords) == PICTURES["sample_1"].carried

    @pytest.mark.parametrize(
        "words",
        [
            ["sample", "--repeat", "2", "--tau", "4.1"],
            ["sample", "--probs", "0.33333,0.33333,0.33333", "--tau", "0.1234567890123456789012345678"],
            ["sample", "--probs", " 1e-12, 0.999999999999", "--tau", "+1e-3"],
            ["sample", "--logits", "-0.7,-1.2,-1.6", "--tau", "0.25"],
            ["sample", "--logits=-1,2,-1000", "--tau", "1e9"],
            ["expectation", "--classes", "12", "--seed", "3", "--samples", "50", "--tau", "1"],
            ["expectation", "--plain", "--tau", "1.0"],
            ["grid", "--tau", "2", "--tau", "0.1", "--draws", "2", "--samples", "7", "--seed", "5"],
            ["grid", "--tau", "2,0.1", "--draws", "1", "--class-names", "a,b,c,d,e,it's f", "--title", "My $ own"],
            ["sample", "--size", "3.3x2", "--dpi", "77", "--tau", "1"],
            ["expectation", "--tau", "1", "--style", "dark", "--font-size", "16", "--font", "STIXGeneral"],
            ["simplex", "--tau", "1", "--style", "transparent", "--size", "7x6", "--font-size", "12"],
            ["sample", "--probs", "[2 1; 1]", "--normalize", "--tau", "1"],
            ["sample", "--logits", "-1 -inf\n-2", "--tau", "1"],
            ["simplex", "--tau", "1,3", "--samples", "20", "--seed", "2"],
            ["animate", "--from", "5", "--to", "0.5", "--samples", "3", "--size", "3x2", "--dpi", "40"],
            ["animate", "--simplex", "--probs", "0.5,0.3,0.2", "--samples", "3", "--dpi", "40"],
        ],
        ids=" ".join,
    )
    def test_every_command_that_is_told_makes_its_very_bytes(self, gsm, folder, monkeypatch, words):
        monkeypatch.setattr(animation, "STEPS", 4)
        figures = json.loads(gsm(*words, "--json").stdout)["results"]["figures"]
        for figure in figures if "--repeat" in words else figures[-1:]:
            path = folder / figure["path"]
            data = path.read_bytes()
            path.unlink()
            program, *again = shlex.split(figure["command"])
            assert program == "gsm"
            assert gsm(*again).exit_code == 0
            assert path.read_bytes() == data

    def test_command_makes_its_very_bytes_in_another_process(self, gsm, folder):
        """A matplotlibrc lies in wait there."""
        gsm("expectation", "--tau", 1)
        data = (folder / "figures/expectation_10.png").read_bytes()
        elsewhere = folder / "elsewhere"
        elsewhere.mkdir()
        (elsewhere / "matplotlibrc").write_text("font.size: 30\nsavefig.dpi: 30\n")
        _, *again = shlex.split(facts_in(data)["command"])
        subprocess.run([sys.executable, "-m", "gsm_cli", *again], cwd=elsewhere, check=True, capture_output=True)
        assert (elsewhere / "figures/expectation_10.png").read_bytes() == data


@dataclass(frozen=True)
class Plotted:
    counts: dict[int, tuple[float, ...]]
    label: str


class TestPicture:
    def test_carries_any_data_as_rounded_json(self):
        facts = [Plotted({3: (1 / 3, 2e-20 / 3, 0.0)}, "a"), {"true": True, "none": None, "whole": 123456789}]
        picture = style.Picture("name", "Title", "Words.", facts, Figure)
        assert picture.carried == [
            {"counts": {"3": [0.333333, 6.66667e-21, 0.0]}, "label": "a"},
            {"true": True, "none": None, "whole": 123456789},
        ]
        data = picture.encode("png")
        assert facts_in(data) == picture.carried
        assert (text_chunks(data)["Title"], text_chunks(data)["Description"]) == ("Title", "Words.")


def test_the_legend_of_a_grid_takes_no_temperatures_colour():
    (legend,) = drawn(pictures.grid(LAW, FOUR[:2], size=10, draws=1)).legends
    (bar,) = (
        handle
        for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True)
        if text.get_text() == "mean of the draws"
    )
    red, green, blue, _ = bar.get_facecolor()
    assert red == green == blue
