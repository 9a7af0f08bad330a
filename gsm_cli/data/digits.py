"""The UCI digits that scikit-learn carries: 1,797 images of 8 x 8, offline; single and in pairs."""

from dataclasses import replace
from pathlib import Path

from gsm_cli.data.dataset import LAPTOP, Dataset, Fetch, Images, Pool


def read(folder: Path | None, fetch: Fetch | None) -> Pool:
    """All images, their 17 grey levels spread over the bytes; there is no test part."""
    import numpy as np
    from sklearn.datasets import load_digits

    pixels, classes = load_digits(return_X_y=True)
    return Pool(Images(np.round(pixels * (255 / 16)).astype(np.uint8), classes.astype(np.int64)), None, DIGITS.shape)


SINGLE = {"hidden": (128, 128), "latent": 4, "auxiliary": 4, "epochs": 200, "batch_size": 50, "learning_rate": 2e-3}
SINGLE |= {"classification_weight": 2.0, "kl_start": 0.2, "kl_warmup": 0.8}
PAIRED = {"labels": 200, "latent": 8, "auxiliary": 8, "epochs": 40, "classification_weight": 10.0, "kl_start": 1.0}

DIGITS = Dataset(
    name="digits",
    title="Digits",
    shape=(8, 8),
    read=read,
    validation=300,
    test=400,
    presets={LAPTOP: SINGLE},
)

# Two of them side by side, the class 10 times that of the left one plus that of the right: the question of the article.
# The single digits are split first, so that no digit of one part is in another; then each part is paired within itself.
DIGITS_PAIRS = replace(
    DIGITS,
    name="digits-pairs",
    title="Pairs of digits",
    shape=(8, 16),
    classes=100,
    paired=5,
    presets={LAPTOP: SINGLE | PAIRED},
)
