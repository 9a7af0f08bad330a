"""Three classes on their triangle: the density where it belongs, the samples, the means, and every refusal."""

import json
from io import BytesIO
from itertools import combinations

import numpy as np
import pytest
from matplotlib.colors import to_hex
from numpy.testing import assert_allclose
from PIL import Image

from gsm_cli import style
from gsm_cli.errors import UsageError
from gsm_cli.law import gumbel, moments
from gsm_cli.law import simplex as module
from gsm_cli.law.request import ARTICLE_TRIANGLE, read_law, read_temperatures
from gsm_cli.law.simplex import CORNERS, on_plane, simplex
from gsm_cli.style import Look

LAW = read_law("0.5,0.3,0.2", None, None, 0, "cat,dog,bird")
FOUR = read_temperatures(["0.1,1,5,100"])


def drawn(picture):
    with style.house_style():
        return picture.draw()


def lines_of(axes):
    return {line.get_label(): line for line in axes.lines}


def test_corners_are_the_classes():
    assert_allclose(on_plane(np.eye(3)), CORNERS)
    assert_allclose(on_plane([1 / 3, 1 / 3, 1 / 3]), CORNERS.mean(axis=0))


@pytest.mark.parametrize("temperature", ["2", "20"])
def test_the_density_is_drawn_where_its_mass_and_its_mean_are(temperature):
    """Its sums over the mesh: an area of the plane is sqrt(3)/2 of what it is in two coordinates of z."""
    (tau,) = read_temperatures([temperature])
    picture = simplex(LAW, [tau], 10, Look())
    (triangle,) = picture.draw.args[0]
    x, y = triangle.mesh
    plane = np.stack(np.meshgrid(x, y), axis=-1)
    height = plane[..., 1] / CORNERS[2, 1]
    inside = (plane[..., 0] >= height / 2) & (plane[..., 0] <= 1 - height / 2)
    areas = np.outer(np.gradient(y), np.gradient(x)) / (np.sqrt(3) / 2)
    mass = triangle.density * areas * inside
    assert_allclose(mass.sum(), 1.0, atol=0.02)
    mean = np.einsum("yx,yxd->d", mass, plane) / mass.sum()
    assert_allclose(mean, on_plane(moments.exact_expectation(LAW.logits, tau.value)), atol=0.005)


def test_draws_and_means_lie_on_their_triangles():
    picture = simplex(LAW, FOUR, 40, Look())
    figure = drawn(picture)
    colours = ["#009c41", "#0067b0", "#6e248d", "#ca2c68"]
    for axes, column, tau, colour in zip(figure.axes, picture.facts.columns, FOUR, colours, strict=False):
        assert axes.get_title() == f"τ = {tau.text}"
        lines = lines_of(axes)
        z = gumbel.relax(LAW.logits, LAW.noise(40), tau.value)
        assert_allclose(lines["samples"].get_xydata(), on_plane(z), atol=1e-5)
        assert to_hex(lines["samples"].get_color()) == colour
        assert_allclose(lines["mean of the draws"].get_xydata(), [on_plane(z.mean(axis=0))], atol=1e-5)
        exact = moments.exact_expectation(LAW.logits, tau.value)
        assert_allclose(lines["exact expectation"].get_xydata(), [on_plane(exact)], atol=1e-5)
        assert_allclose(lines["π"].get_xydata(), [on_plane([0.5, 0.3, 0.2])], atol=1e-6)
        assert [text.get_text() for text in axes.texts] == ["cat", "dog", "bird"]
        assert_allclose(column.mean, z.mean(axis=0), rtol=1e-5)
    (legend,) = figure.legends
    labels = [text.get_text() for text in legend.get_texts()]
    assert labels == ["samples", "π", "exact expectation", "mean of the draws"]
    assert figure.axes[-1].get_xlabel() == "exact density, log scale"


@pytest.mark.parametrize(("count", "size"), [(1, (6.4, 4.5)), (3, (9.6, 4.5)), (5, (12.8, 7.7))])
def test_triangles_lie_in_rows_of_four(count, size):
    temperatures = read_temperatures(["0.1", "0.5", "1", "5", "100"])[:count]
    figure = drawn(simplex(LAW, temperatures, 10, Look()))
    assert tuple(figure.get_size_inches()) == pytest.approx(size)
    assert [axes.get_title() for axes in figure.axes if axes.get_title()] == [f"τ = {tau.text}" for tau in temperatures]
    assert not any(axes.axison for axes in figure.axes[:-1])


def test_what_a_high_temperature_gathers_is_magnified():
    insets = [len(axes.child_axes) for axes in drawn(simplex(LAW, FOUR, 10, Look())).axes[:4]]
    assert insets == [0, 0, 0, 1]


@pytest.mark.parametrize(
    "names", ["negative sentiment,positive sentiment,neutral sentiment", ",".join(20 * w for w in "wmo")]
)
@pytest.mark.parametrize("count", [1, 2, 4])
def test_long_names_touch_neither_each_other_nor_what_is_magnified(names, count):
    law = read_law("0.5,0.3,0.2", None, None, 0, names=names)
    with style.drawn(simplex(law, FOUR[-count:], 10, Look()).draw) as figure:
        figure.draw_without_rendering()
        for axes in figure.axes[:count]:
            boxes = [artist.get_window_extent() for artist in [*axes.texts, *axes.child_axes]]
            assert not any(box.overlaps(its) for box, its in combinations(boxes, 2))


@pytest.mark.parametrize("temperature", ["0.0001", "1e9", "1e30"])
def test_extreme_temperatures_are_drawn_without_a_warning(temperature):
    assert simplex(LAW, read_temperatures([temperature]), 10, Look()).encode("png").startswith(b"\x89PNG")


def test_the_default_law_is_the_article_s_first_three_classes():
    law = read_law(None, None, None, 0, default=ARTICLE_TRIANGLE)
    assert_allclose(law.probabilities, np.array([0.107, 0.765, 0.022]) / 0.894)
    assert law.options == ()


@pytest.mark.parametrize(
    ("probs", "value"),
    [("0.5,0.5", "three classes, not 2"), ("0.25,0.25,0.25,0.25", "not 4"), ("0.5,0.5,0", "and one is 0")],
)
def test_a_law_without_a_triangle_is_refused(probs, value):
    with pytest.raises(UsageError, match=rf"{value}: write for example --probs"):
        simplex(read_law(probs, None, None, 0), FOUR, 10, Look())


def test_same_bytes_twice_with_the_facts_inside():
    picture, again = (simplex(LAW, FOUR[1:2], 25, Look()) for _ in range(2))
    data = picture.encode("png")
    assert data == again.encode("png")
    facts = json.loads(Image.open(BytesIO(data)).text["Comment"])
    assert facts == picture.carried
    assert facts["command"] == (
        "gsm simplex --tau 1 --probs 0.5,0.3,0.2 --class-names cat,dog,bird --seed 0 --samples 25"
    )
    assert [set(column) for column in facts["columns"]] == [
        {"temperature", "mean", "standard_error", "exact", "z_score"}
    ]


def test_shades_grow_darker_with_the_density():
    assert list(map(float, module.GREYS)) == sorted(map(float, module.GREYS), reverse=True)
    assert len(module.GREYS) == len(module.LEVELS) + 1
