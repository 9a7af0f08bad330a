"""Grey images with their classes, what a data set has of them, and how they are put side by side. Light at import."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Images:
    """Grey images (N, D) of 0 to 255 with their classes (N,)."""

    pixels: "NDArray[np.uint8]"
    classes: "NDArray[np.int64]"


@dataclass(frozen=True)
class Pool:
    """All that a data set has: images, a test part if it has one of its own, and the shape (H, W) of an image."""

    images: Images
    test: Images | None
    shape: tuple[int, int]


def pair(images: Images, shape: tuple[int, int], times: int, rng: "np.random.Generator") -> Images:
    """Every image `times` times in a pair; the pairs of classes are as frequent as their shares say, to within one.

    The left halves lie sorted by class, the right ones so that every stretch of them has all classes in proportion.
    """
    import numpy as np

    kinds = int(images.classes.max()) + 1
    left, right = [], []
    for _ in range(times):
        halves = [np.array_split(rng.permutation(np.flatnonzero(images.classes == k)), 2) for k in range(kinds)]
        halves = [half[::-1] if k % 2 else half for k, half in enumerate(halves)]  # the odd image left or right in turn
        count = min(sum(len(half[side]) for half in halves) for side in (0, 1))
        ranks = np.concatenate([(np.arange(len(half[1])) + 0.5) / len(half[1]) for half in halves])
        left.append(np.concatenate([half[0] for half in halves])[:count])
        right.append(np.concatenate([half[1] for half in halves])[np.argsort(ranks, kind="stable")][:count])
    order = rng.permutation(times * count)
    first, second = np.concatenate(left)[order], np.concatenate(right)[order]
    sides = [images.pixels[rows].reshape(-1, *shape) for rows in (first, second)]
    pixels = np.concatenate(sides, axis=2).reshape(len(order), -1)
    return Images(pixels, kinds * images.classes[first] + images.classes[second])
