"""The figures by their artists, by their bytes, and by what they say of themselves."""

import json
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from io import BytesIO
from itertools import combinations, product
from unittest import mock

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox
from numpy.testing import assert_allclose
from PIL import Image

from gsm_cli import __version__, style
from gsm_cli.law import gumbel, pictures
from gsm_cli.law.facts import ExpectationFacts
from gsm_cli.law.request import read_law, read_temperatures

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

    def test_many_bars_carry_no_numbers_and_few_whole_ticks(self):
        axes = only_axes(pictures.samples(WIDE_LAW, FOUR, 0)[0])
        assert len(heights(axes)) == 30
        assert not axes.texts
        shown = [tick for tick in axes.get_xticks() if 1 <= tick <= 30]
        assert 3 <= len(shown) <= 10
        assert all(tick == round(tick) for tick in shown)

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
        assert heights(cells[0, 0]) == facts.probabilities
        assert len(figure.legends) == 1


def text_boxes(picture):
    """The picture's bounding box and those of the texts that are drawn in it, with their words, in pixels."""
    with style.house_style(), mock.patch.object(Text, "draw", autospec=True, side_effect=Text.draw) as draw:
        figure = picture.draw()
        FigureCanvasAgg(figure).draw()
        texts = [call.args[0] for call in draw.call_args_list]
        shown = [text for text in texts if text.get_visible() and text.get_text()]
        return figure.bbox, [(text.get_text(), text.get_window_extent()) for text in shown]


@pytest.mark.parametrize("law", ["1,0", "0.1,0.9,0,0,0,0,0,0,0,0", None], ids=["certain", "ten", "article"])
@pytest.mark.parametrize(
    "taus", [["1"], ["0.1", "1234.5678"], ["0.01", "0.1", f"0.{'7' * 26}", "5", "100", "1e9", "2"]]
)
def test_no_text_leaves_its_picture_or_touches_another(law, taus):
    for picture in all_pictures(read_law(law, None, None, seed=0), read_temperatures(taus)):
        canvas, boxes = text_boxes(picture)
        assert len(boxes) > 5
        for text, box in boxes:
            assert_allclose(Bbox.union([canvas, box]), canvas, err_msg=f"{text} in {picture.name}")
        for (text, box), (other, its) in combinations(boxes, 2):
            assert not box.overlaps(its), (picture.name, text, other)


def test_other_temperatures_are_ordered_by_luminance():
    def luminance(colour):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
        return np.dot([0.2126, 0.7152, 0.0722], linear)

    temperatures = [0.01, 0.02, 0.05, 0.2, 0.5, 2.0, 10.0, 50.0, 200.0, 500.0, 1000.0]
    shades = [luminance(style.temperature_colour(temperature)) for temperature in temperatures]
    assert (np.diff(shades) > 0.005).all()
    assert style.temperature_colour(1e-6) == style.temperature_colour(0.01)
    assert style.temperature_colour(1e6) == style.temperature_colour(1000.0)


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
            assert_allclose(exact, gumbel.exact_expectation(LAW.logits, temperature.value), rtol=1e-5)
            deviation = gumbel.exact_standard_deviation(LAW.logits, temperature.value)
            assert_allclose(error, deviation / np.sqrt(200), rtol=1e-5)
            assert_allclose(facts.z_score, (z.mean(axis=0) - exact) / error, rtol=0.01, atol=1e-3)

    def test_z_scores_over_many_seeds_are_standard_normal(self):
        """200 seeds, one class each: mean within four standard errors of 0, mean square within four of 1."""
        one = FOUR[1:2]
        scores = [
            pictures.expectations(read_law(None, None, None, seed), one, 100, False)[0].facts.z_score[1]
            for seed in range(200)
        ]
        assert abs(np.mean(scores)) < 4 / np.sqrt(200)
        assert abs(np.mean(np.square(scores)) - 1) < 4 * np.sqrt(2 / 200)

    def test_a_class_that_never_varies_has_no_z_score(self):
        (picture,) = pictures.expectations(read_law("0.5,0.5,0", None, None, 0), FOUR[:1], 10, plain=False)
        assert picture.facts.z_score[2] is None
        assert facts_in(picture.encode("png"))["z_score"] == list(picture.facts.z_score)

    @pytest.mark.parametrize(("temperature", "resolved"), [("1e9", True), ("1e13", False)])
    def test_a_z_score_is_said_only_where_float64_resolves_it(self, temperature, resolved):
        (picture,) = pictures.expectations(LAW, read_temperatures([temperature]), 100, plain=False)
        assert all(error > 0 for error in picture.facts.standard_error)
        assert [z is not None and abs(z) < 5 for z in picture.facts.z_score] == [resolved] * 6

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
    @pytest.mark.parametrize(
        ("name", "format"), [*product(["sample_1", "expectation_10"], ["png", "svg", "pdf"]), ("grid", "png")]
    )
    def test_are_the_same_twice(self, name, format):
        again = {picture.name: picture for picture in all_pictures()}[name]
        assert PICTURES[name].encode(format) == again.encode(format)

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
            ["sample", "--repeat", "3", "--tau", "4.1", "--tau", "1"],
            ["sample", "--probs", "0.33333,0.33333,0.33333", "--tau", "0.1234567890123456789012345678"],
            ["sample", "--probs", " 1e-12, 0.999999999999", "--tau", "+1e-3"],
            ["sample", "--logits", "-0.7,-1.2,-1.6", "--tau", "0.25"],
            ["sample", "--logits=-1,2,-1000", "--tau", "1e9"],
            ["expectation", "--classes", "12", "--seed", "3", "--samples", "50", "--tau", "1"],
            ["expectation", "--plain", "--tau", "1.0"],
            ["grid", "--tau", "2", "--tau", "0.1", "--draws", "2", "--samples", "7", "--seed", "5"],
        ],
        ids=" ".join,
    )
    def test_every_command_that_is_told_makes_its_very_bytes(self, gsm, folder, words):
        for figure in json.loads(gsm(*words, "--json").stdout)["results"]["figures"]:
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
