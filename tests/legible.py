"""Whether a picture can be read: no text leaves it, or lies on another text, a mark or an edge."""

from collections.abc import Sequence
from itertools import pairwise
from unittest import mock

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.transforms import Bbox

from gsm_cli.style import house_style

TOUCH = 1.0  # pixels that may be shared: boxes are a little larger than what is written
STEP = 2.0  # pixels between the points that stand for a stroke


def texts(figure: Figure) -> list[tuple[str, Bbox]]:
    """What the renderer writes, and where."""
    with house_style(), mock.patch.object(Text, "draw", autospec=True, side_effect=Text.draw) as draw:
        FigureCanvasAgg(figure).draw()
        written = dict.fromkeys(call.args[0] for call in draw.call_args_list)  # an annotation is drawn twice
        shown = [text for text in written if text.get_visible() and text.get_text().strip()]
        return [(text.get_text(), Text.get_window_extent(text)) for text in shown]


def overlaps(these: np.ndarray, those: np.ndarray) -> np.ndarray:
    """Which boxes (N, 4) and (M, 4), each x0, y0, x1, y1, share more than an edge, (N, M)."""
    low = np.maximum(these[:, None, :2], those[None, :, :2])
    high = np.minimum(these[:, None, 2:], those[None, :, 2:])
    return (low < high).all(axis=-1)


def extents(boxes: Sequence[Bbox]) -> np.ndarray:
    """Boxes as an array, (N, 4)."""
    return np.array([box.extents for box in boxes]).reshape(-1, 4)


def assert_apart(words: Sequence[str], boxes: np.ndarray) -> None:
    """Fails with two texts whose boxes overlap."""
    pairs = np.argwhere(np.triu(overlaps(boxes, boxes), 1))
    assert not len(pairs), [(words[one], words[other]) for one, other in pairs]


def assert_inside(figure: Figure, words: Sequence[str], boxes: np.ndarray, slack: float = 0.0) -> None:
    """Fails with the texts that leave the figure by more than `slack` pixels."""
    low, high = figure.bbox.min - slack, figure.bbox.max + slack
    outside = (boxes[:, :2] < low).any(axis=1) | (boxes[:, 2:] > high).any(axis=1)
    assert not outside.any(), [words[number] for number in np.flatnonzero(outside)]


def assert_legible(figure: Figure) -> None:
    """Fails with the text that cannot be read."""
    found = texts(figure)
    assert found
    words, boxes = [text for text, _ in found], extents([box for _, box in found])
    assert_inside(figure, words, boxes, TOUCH)
    inner = boxes + TOUCH * np.array([1, 1, -1, -1])
    assert_apart(words, inner)
    for artist, points in (stroke for axes in figure.axes for stroke in strokes(axes)):
        hit = ((points > inner[:, None, :2]) & (points < inner[:, None, 2:])).all(axis=-1).any(axis=-1)  # (N,)
        assert not hit.any(), (artist, [words[number] for number in np.flatnonzero(hit)])


def strokes(axes: Axes) -> list[tuple[Artist, np.ndarray]]:
    """Every line, marker and edge of axes as points that lie close on it, in pixels: (N, 2)."""
    found: list[tuple[Artist, np.ndarray]] = []
    for line in axes.lines:
        points = line.get_transform().transform(line.get_xydata())
        if line.get_linestyle() not in ("None", "", " "):
            found.append((line, _within(axes, line, _dense(points))))
        if line.get_marker() not in ("None", "", " ", None):
            found.append((line, _within(axes, line, _around(line, points))))
    for collection in axes.collections:
        if isinstance(collection, LineCollection):
            paths = [collection.get_transform().transform(path.vertices) for path in collection.get_paths()]
            found += [(collection, _within(axes, collection, _dense(path))) for path in paths]
    edges = [spine for spine in axes.spines.values() if axes.axison and spine.get_visible()]
    return found + [(spine, _dense(spine.get_transform().transform(spine.get_path().vertices))) for spine in edges]


def _dense(points: np.ndarray) -> np.ndarray:
    """Points along the segments between these; none where one of the two ends is missing."""
    parts = [points[:0]]
    for start, end in pairwise(points):
        if np.isfinite([start, end]).all():
            count = 2 + int(min(np.hypot(*(end - start)), 1e5) / STEP)
            parts.append(np.linspace(start, end, count))
    return np.concatenate(parts)


def _around(line: Line2D, points: np.ndarray) -> np.ndarray:
    """The points and what their markers reach."""
    radius = line.get_markersize() / 2 * line.figure.dpi / 72
    shifts = radius * np.array([(0, 0), (0.7, 0.7), (0.7, -0.7), (-0.7, 0.7), (-0.7, -0.7)])
    found = np.concatenate([points + shift for shift in shifts])
    return found[np.isfinite(found).all(axis=1)]


def _within(axes: Axes, artist: Artist, points: np.ndarray) -> np.ndarray:
    """Those that are not cut off."""
    if not artist.get_clip_on():
        return points
    return points[((points >= axes.bbox.min - TOUCH) & (points <= axes.bbox.max + TOUCH)).all(axis=1)]
