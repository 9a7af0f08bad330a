"""The picture of what the models generate: a sheet of images for each objective."""

from base64 import b64decode
from collections.abc import Mapping
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from gsm_cli.analysis.identity import Identity
from gsm_cli.reports.charts import LETTERS, ink, wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHEET = 5.5  # inches of the width of a sheet
GAP = 2  # white pixels around an image
TALL = 28  # pixels of the height of an image, which is enlarged by a whole number


def generated_chart(images: Mapping[Identity, str], shape: tuple[int, int]) -> "Figure":
    """What each objective's model generates: a row for each z, a column for each class, images of that shape."""
    from matplotlib.figure import Figure
    from PIL import Image

    sheets = {line: _padded(np.asarray(Image.open(BytesIO(b64decode(text)))), *shape) for line, text in images.items()}
    columns, rows = min(2, len(sheets)), -(-len(sheets) // 2)
    titles = {line: wrapped(line.label, 2 * LETTERS) for line in sheets}
    lines = 1 + max(title.count("\n") for title in titles.values())
    tallest = max(sheet.shape[0] / sheet.shape[1] for sheet in sheets.values())
    figure = Figure(figsize=(SHEET * columns, rows * (0.15 + 0.2 * lines + SHEET * tallest)))
    cells = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in cells:
        axes.set_axis_off()
    for axes, (line, sheet) in zip(cells, sheets.items(), strict=False):
        axes.imshow(sheet, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
        axes.set_title(titles[line], color=ink(line.colour), weight="bold", fontsize=11)
    return figure


def _padded(sheet: np.ndarray, height: int, width: int) -> np.ndarray:
    """A sheet whose images have white between them; as it is if it is none of such images."""
    if not height or not width or sheet.ndim != 2 or sheet.shape[0] % height or sheet.shape[1] % width:
        return sheet
    factor = max(1, TALL // height)
    tiles = sheet.reshape(sheet.shape[0] // height, height, -1, width).transpose(0, 2, 1, 3)
    large = tiles.repeat(factor, axis=2).repeat(factor, axis=3)
    padded = np.pad(large, ((0, 0), (0, 0), (GAP, GAP), (GAP, GAP)))
    rows, columns, tall, wide = padded.shape
    return padded.transpose(0, 2, 1, 3).reshape(rows * tall, columns * wide)
