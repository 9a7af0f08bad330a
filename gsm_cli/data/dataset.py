"""Grey images with their classes, and what a data set says of itself. Light: the command line reads it without data."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LAPTOP = "laptop"  # the preset that is taken if none is named; every data set has it

Fetch = Callable[[Sequence[str], Path, str], None]  # downloads from one of these mirrors to a path what has a SHA-256
Preset = Mapping[str, object]  # settings by name, as somebody would write them


@dataclass(frozen=True)
class Images:
    """Grey images (N, D) of 0 to 255 with their classes (N,)."""

    pixels: "NDArray[np.uint8]"
    classes: "NDArray[np.int64]"

    def take(self, rows: "NDArray[np.int64]") -> "Images":
        return Images(self.pixels[rows], self.classes[rows])


@dataclass(frozen=True)
class Pool:
    """All that a data set has: images, a test part if it has one of its own, and the shape (H, W) of an image."""

    images: Images
    test: Images | None
    shape: tuple[int, int]


@dataclass(frozen=True)
class Table:
    """Numbers of somebody else's that a report sets beside its own, the means over so many trials.

    The rows have, by objective, test accuracy in %, its standard error in points and seconds an epoch.
    """

    source: str
    model: str
    labels: int
    trials: int
    rows: Mapping[str, tuple[float, float, float]]
    caveats: tuple[str, ...]


@dataclass(frozen=True)
class Dataset:
    """A data set: one file beside this one, one line in `gsm_cli.data`.

    `read` finds, verifies and reads the images; it takes a folder to look in first, and what downloads a file.
    """

    name: str
    title: str
    shape: tuple[int, int]  # of an image, in pixels: height and width
    read: Callable[[Path | None, Fetch | None], Pool]
    validation: int  # images
    classes: int = 10
    test: int = 0  # images, for a data set without a test part of its own
    paired: int = 0  # how often an image stands in a pair of two side by side; 0: images stay single
    presets: Mapping[str, Preset] = field(default_factory=lambda: {LAPTOP: {}})
    # of others: accuracy, by objective and epoch
    curves: Mapping[str, Mapping[int, float]] = field(default_factory=dict)
    curves_source: str = ""
    published: Sequence[tuple[str, str, str]] = ()  # of others: model, accuracy in per cent, and where that stands
    tables: tuple[Table, ...] = ()
    sha256: str | None = None  # of the file, for images of somebody's own
