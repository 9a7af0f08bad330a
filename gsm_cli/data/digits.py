"""The UCI digits that scikit-learn carries: 1,797 images of 8 x 8, offline."""

from pathlib import Path

from gsm_cli.data.dataset import LAPTOP, Dataset, Fetch
from gsm_cli.data.images import Images, Pool


def read(folder: Path | None, fetch: Fetch | None) -> Pool:
    """All images, their 17 grey levels spread over the bytes; there is no test part."""
    import numpy as np
    from sklearn.datasets import load_digits

    pixels, classes = load_digits(return_X_y=True)
    return Pool(Images(np.round(pixels * (255 / 16)).astype(np.uint8), classes.astype(np.int64)), None, DIGITS.shape)


DIGITS = Dataset(
    name="digits",
    title="Digits",
    shape=(8, 8),
    read=read,
    validation=300,
    test=400,
    presets={
        LAPTOP: {
            "hidden": (128, 128),
            "latent": 4,
            "auxiliary": 4,
            "epochs": 200,
            "batch_size": 50,
            "learning_rate": 2e-3,
            "classification_weight": 2.0,
            "kl_start": 0.2,
            "kl_warmup": 0.8,
        },
    },
)
