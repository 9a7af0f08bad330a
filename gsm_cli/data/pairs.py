"""Two digits side by side, a hundred classes: the question of the article on images, from digits and from MNIST.

The single digits are split first, so that no digit of one part is in another; then each part is paired within itself.
The class is 10 times that of the left digit plus that of the right one.
"""

from dataclasses import replace

from gsm_cli.data.dataset import LAPTOP
from gsm_cli.data.digits import DIGITS
from gsm_cli.data.mnist import MNIST

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
