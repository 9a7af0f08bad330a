"""The picture of a sweep over two settings: a map for each objective."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gsm_cli.reports.charts import wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANELS = 4  # maps in a row


@dataclass(frozen=True)
class Grid:
    """Accuracy over two settings, a map for each objective: a row for each value of the first."""

    settings: tuple[str, str]
    rows: Sequence[str]
    columns: Sequence[str]
    maps: Mapping[str, Sequence[Sequence[float]]]


def grid_chart(grid: Grid) -> "Figure":
    """A map for each objective, with one scale of colours and the accuracy in every cell."""
    import seaborn as sns
    from matplotlib.figure import Figure

    columns = min(PANELS, len(grid.maps))
    rows = -(-len(grid.maps) // columns)
    width, height = 1.2 + 0.75 * len(grid.columns), 1.1 + 0.5 * len(grid.rows)
    figure = Figure(figsize=(max(4.0, columns * width), max(2.6, rows * height)))
    cells = figure.subplots(rows, columns, squeeze=False).ravel()
    every = 100 * np.array(list(grid.maps.values()))
    for axes in cells[len(grid.maps) :]:
        axes.set_axis_off()
    for axes, (name, values) in zip(cells, grid.maps.items(), strict=False):
        sns.heatmap(
            100 * np.array(values),
            ax=axes,
            vmin=every.min(),
            vmax=every.max(),
            cmap="viridis",
            annot=True,
            fmt=".1f",
            annot_kws={"fontsize": 9},
            cbar=False,
            xticklabels=list(grid.columns),
            yticklabels=list(grid.rows),
        )
        axes.set_title(wrapped(name, 20), fontsize=11)
        axes.set(ylabel=grid.settings[0], xlabel=grid.settings[1])
        axes.tick_params(labelsize=9, rotation=0)
    return figure
