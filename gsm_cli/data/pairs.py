"""Two digits side by side, a hundred classes: the question of the article on images, from digits and from MNIST.

The single digits are split first, so that no digit of one part is in another; then each part is paired within itself.
The class is 10 times that of the left digit plus that of the right one.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from gsm_cli.data.dataset import LAPTOP
from gsm_cli.data.digits import DIGITS
from gsm_cli.data.mnist import MNIST

if TYPE_CHECKING:
    import numpy as np

    from gsm_cli.data.split import Images


def pair(images: "Images", shape: tuple[int, int], times: int, rng: "np.random.Generator") -> "Images":
    """Every image `times` times in a pair; the pairs of classes are as frequent as their shares say, to within one.

    The left halves lie sorted by class, the right ones so that every stretch of them has all classes in proportion.
    """
    import numpy as np

    from gsm_cli.data.split import Images

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


DIGITS_PAIRS = replace(
    DIGITS,
    name="digits-pairs",
    title="Pairs of digits",
    shape=(8, 16),
    classes=100,
    paired=5,
    presets={
        LAPTOP: {
            **DIGITS.presets[LAPTOP],
            "labels": 200,
            "latent": 8,
            "auxiliary": 8,
            "epochs": 40,
            "classification_weight": 10.0,
            "kl_start": 1.0,
        }
    },
)
MNIST_PAIRS = replace(
    MNIST,
    name="mnist-pairs",
    title="Pairs of MNIST digits",
    shape=(28, 56),
    classes=100,
    paired=1,
    presets={
        LAPTOP: {
            **MNIST.presets[LAPTOP],
            "labels": 1000,
            "latent": 20,
            "auxiliary": 20,
            "epochs": 10,
            "learning_rate": 3e-3,
            "labelled_batch": 100,
            "kl_warmup": 0.3,
        }
    },
    curves={},
    curves_source="",
    published=(),
)
