"""Three classes on their triangle: the exact density of a relaxed sample, samples, and their mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Polygon

from gsm_cli import style
from gsm_cli.errors import UsageError
from gsm_cli.law.colours import grey, ink, paper, shown, temperature_colour
from gsm_cli.law.facts import Column, Numbers, SampleFacts, moments, origin, rounded_rows
from gsm_cli.law.gumbel import Array, log_density, relax
from gsm_cli.law.moments import exact_standard_deviation
from gsm_cli.law.request import Law, Temperature
from gsm_cli.law.room import entries, fitting
from gsm_cli.style import Look, Picture, points, space

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]])  # of the classes 1, 2 and 3
LEVELS = 10.0 ** np.arange(-3.0, 3.5, 0.5)  # of the density; what lies beyond has the colour of the nearest
GREYS = np.linspace(0.97, 0.4, LEVELS.size + 1).round(3).tolist()  # near the paper's where the density is low
INSIDE = 1e-4  # how far from an edge the density is still computed: on it the density may be infinite
FINE, NEAR = 241, 81  # points of the mesh from end to end, and about the mean
BESIDE = 4  # triangles in a row
REACH = 8.0  # deviations about the mean, of the finer mesh
LEAST, SMALL = 1e-4, 0.06  # what reaches as far as that is also shown magnified
SIDE = 3.2  # inches that a triangle takes


@dataclass(frozen=True)
class Triangle:
    """What one triangle shows: its mesh with the density on it, samples (S, 3), and their means."""

    title: str
    colour: str
    mesh: tuple[Array, Array]  # (X,), (Y,)
    density: Array  # (Y, X)
    samples: Sequence[Numbers]
    means: Column
    reach: float  # of the samples about their mean


def simplex(law: Law, temperatures: Sequence[Temperature], size: int, look: Look) -> Picture[SampleFacts]:
    """The density, `size` samples with the same noise, and the means at every temperature.

    Raises UsageError for a law that does not have three classes, each of them possible.
    """
    check_three(law)
    columns = [Column(temperature=temperature.value, **moments(law, temperature, size)) for temperature in temperatures]
    source = origin(law, look, "simplex", temperatures, "--samples", size)
    facts = SampleFacts(**source, samples=size, columns=tuple(columns))
    triangles = [_triangle(law, *each, size) for each in zip(temperatures, columns, strict=True)]
    taus = ", ".join(temperature.text for temperature in temperatures)
    description = (
        f"Triangles, one for each of the temperatures {taus}. Each shade is a level of the exact density of a "
        f"Gumbel-Softmax sample of three classes, on a logarithmic scale; {size} samples lie over it, with their mean, "
        "the exact expectation and the law itself. At low temperatures all mass is in the corners, at high ones it is "
        "in the middle."
    )
    title = look.title or f"Gumbel-Softmax on three classes, {size:,} samples"
    draw = partial(simplex_chart, triangles, facts.probabilities, names_of(law), title)
    return Picture("simplex", title, description, facts, draw, look)


def check_three(law: Law) -> None:
    """Refuse a law that has no triangle, or no density on it. Raises UsageError."""
    if law.logits.size != 3:
        raise UsageError(f"a triangle has three classes, not {law.logits.size}: write for example --probs 0.5,0.3,0.2")
    if not np.isfinite(law.logits).all():
        raise UsageError(
            "a density on the triangle needs three probabilities above 0, and one is 0: "
            "write for example --probs 0.5,0.4,0.1"
        )


def names_of(law: Law) -> tuple[str, ...]:
    """What stands at the corners."""
    return law.names or ("class 1", "class 2", "class 3")


def on_plane(z: Sequence[float] | Sequence[Numbers] | Array) -> Array:
    """Where points of the simplex lie on the triangle, (..., 3) -> (..., 2)."""
    return np.asarray(np.asarray(z) @ CORNERS)


def simplex_chart(
    triangles: Sequence[Triangle], probabilities: Sequence[float], names: Sequence[str], title: str
) -> Figure:
    """The triangles in rows, one scale of density for all."""
    across = min(BESIDE, len(triangles))
    down = -(-len(triangles) // across)
    height = space(SIDE) * (0.86 + 2.0 * _names_room()) / 1.1
    figure = Figure(figsize=(space(SIDE * max(across, 2)), height * down + 1.3))
    figure.suptitle(title, fontsize=fitting(15, title, space(200 * max(across, 2))), parse_math=False)
    for axes, triangle in zip(figure.subplots(down, across, squeeze=False).flat, triangles, strict=False):
        _shade(axes, triangle)
        draw_border(axes, names)
        draw_cloud(axes, triangle.samples, triangle.colour)
        if LEAST < triangle.reach < SMALL:
            _magnify(axes, triangle)
        draw_means(axes, triangle.means.mean, triangle.means.exact, probabilities)
        size = fitting(15, triangle.title, space(190), "bold")
        axes.set_title(triangle.title, color=shown(triangle.colour), weight="bold", fontsize=size)
    for axes in figure.axes[len(triangles) :]:
        axes.set_axis_off()
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=entries(figure, 125))
    shades = ScalarMappable(BoundaryNorm(LEVELS, len(GREYS), extend="both"), ListedColormap(list(map(grey, GREYS))))
    share = min(1.0, 0.6 / space(1.0))  # of the width
    bar = figure.colorbar(shades, ax=figure.axes, location="bottom", aspect=40, shrink=share, ticks=LEVELS[::2])
    bar.set_label("exact density, log scale")
    bar.ax.set_xticklabels([f"{level:g}" for level in LEVELS[::2]])
    return figure


def _shade(axes: Axes, triangle: Triangle) -> None:
    axes.contourf(*triangle.mesh, triangle.density, LEVELS, colors=list(map(grey, GREYS)), extend="both")


def _magnify(axes: Axes, triangle: Triangle) -> None:
    """What lies about the mean, in a corner that the triangle leaves free."""
    inset = axes.inset_axes((0.74, 0.62, 0.29, 0.29), transform=axes.transData, xticks=[], yticks=[])
    _shade(inset, triangle)
    _draw_edges(inset)
    inset.plot(*on_plane(triangle.samples).T, ".", color=shown(triangle.colour), markersize=points(3))
    x, y = on_plane(triangle.means.exact)
    inset.set_xlim(x - 0.7 * triangle.reach, x + 0.7 * triangle.reach)
    inset.set_ylim(y - 0.7 * triangle.reach, y + 0.7 * triangle.reach)
    inset.spines[:].set_visible(True)
    inset.set_xlabel(f"× {float(f'{0.29 / 1.4 / triangle.reach:.2g}'):g}", fontsize=points(11))


def _draw_edges(axes: Axes) -> None:
    """The edges of the triangle; shades beyond them are cut off."""
    border = Polygon(CORNERS, fill=False, edgecolor=ink(), linewidth=points(1.2))
    axes.add_patch(border)
    for filled in axes.collections:
        filled.set_clip_path(border)


def _names_room() -> float:
    """The room above and below a triangle, in lengths of its sides: more where letters are larger beside them."""
    return 0.12 * max(1.0, 1.0 / space(1.0)) ** 2


def draw_border(axes: Axes, names: Sequence[str]) -> None:
    """The triangle, with its corners named, and nothing beyond it."""
    _draw_edges(axes)
    axes.set_axis_off()
    axes.set_aspect("equal")
    axes.set_xlim(-0.04, 1.04)
    axes.set_ylim(-_names_room(), 0.86 + _names_room())
    for (x, y), name, side in zip(CORNERS, names, ("left", "right", "center"), strict=True):
        shift = (0, points(-5 if y == 0 else 5))
        size = fitting(12, name, space(73))  # two at the base, and one beside what is magnified
        place = {"ha": side, "va": "top" if y == 0 else "bottom", "fontsize": size, "parse_math": False}
        axes.annotate(name, (x, y), shift, textcoords="offset points", **place)  # type: ignore[arg-type]


def draw_cloud(axes: Axes, samples: Sequence[Numbers], colour: str) -> None:
    """Samples (S, 3) as dots."""
    edge = {"markeredgecolor": paper(), "markeredgewidth": points(0.4), "markersize": points(4)}
    axes.plot(*on_plane(samples).T, "o", color=shown(colour), label="samples", **edge)  # type: ignore[arg-type]


def draw_means(axes: Axes, mean: Numbers, exact: Numbers, probabilities: Sequence[float]) -> None:
    """The mean of the draws, the exact expectation and the law itself, each (3,)."""
    for z, marker, face, size, label in (
        (probabilities, "o", "none", 11, "π"),
        (exact, "D", paper(), 7, "exact expectation"),
        (mean, "x", ink(), 6, "mean of the draws"),
    ):
        look = {"markerfacecolor": face, "markeredgecolor": ink(), "markersize": points(size), "linestyle": "none"}
        axes.plot(*on_plane(z), marker, markeredgewidth=points(1.3), label=label, **look)  # type: ignore[arg-type]


def _triangle(law: Law, temperature: Temperature, column: Column, size: int) -> Triangle:
    samples = rounded_rows(relax(law.logits, law.noise(size), temperature.value))
    colour = temperature_colour(temperature.value)
    reach = style.six_digits(REACH * float(exact_standard_deviation(law.logits, temperature.value).max()))
    mesh = _mesh(on_plane(column.exact), reach)
    density = _density(law, temperature, np.stack(np.meshgrid(*mesh), axis=-1))
    return Triangle(f"τ = {temperature.text}", colour, mesh, density, samples, column, reach)


def _mesh(centre: Array, reach: float) -> tuple[Array, Array]:
    """Even steps from end to end, and finer ones about the mean: there a high temperature gathers all mass."""
    near = np.linspace(-reach, reach, NEAR)
    x, y = (
        np.unique(np.concatenate([np.linspace(0.0, end, FINE), np.clip(middle + near, 0.0, end)]))
        for middle, end in zip(centre, CORNERS.max(axis=0), strict=True)
    )
    return x, y


def _density(law: Law, temperature: Temperature, plane: Array) -> Array:
    """The exact density at points of the plane, (Y, X, 2) -> (Y, X), beyond an edge that of the nearest inside."""
    height = plane[..., 1] / CORNERS[2, 1]
    right = plane[..., 0] - height / 2
    z = np.maximum(np.stack([1.0 - right - height, right, height], axis=-1), INSIDE)
    logarithms = log_density(z / z.sum(axis=-1, keepdims=True), law.logits, temperature.value)
    least, most = np.log(LEVELS[0]) - 1.0, np.log(LEVELS[-1]) + 1.0
    return np.asarray(np.exp(np.clip(logarithms, least, most).round(9)))
