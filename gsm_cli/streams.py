"""The independent random streams of everything: each is a function of a seed, a purpose and a counter.

There is no state to save, and whoever draws more noise for one purpose changes nothing for another.
"""

from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


class Purpose(IntEnum):
    """What random numbers are drawn for, and what the counter counts. A number is never given twice."""

    DRAWS = 0  # of a law, in figures
    LAW = 1  # the random law of --classes
    SPLIT = 2  # of a data set into its parts
    INITIALISATION = 3  # of a model's weights
    ORDER = 4  # of the images, by epoch
    NOISE = 5  # of training, by step
    EVALUATION = 6  # by epoch
    GRADIENTS = 7  # of `gsm gradients`: 0 the replicates, 1 the images
    COST = 8  # random images of `gsm cost`
    PAIRS = 9  # of the images of a test part
    PERTURBATION = 10  # of training images, by step
    WARM = 11  # order and noise of a warm start, by epoch
    AUXILIARY = 12  # of a, drawn anew at every evaluation of the bound, by step
    CLASSIFIER = 13  # of the classifier's own step
    CLASSES = 14  # of a data set, those that a run has


def sequence(seed: int, purpose: Purpose, counter: int = 0) -> "np.random.SeedSequence":
    """The seed sequence of one stream; no two purposes and no two counters share one."""
    import numpy as np

    return np.random.SeedSequence(seed, spawn_key=(purpose, counter))


def generator(seed: int, purpose: Purpose, counter: int = 0) -> "np.random.Generator":
    """The NumPy generator of one stream."""
    import numpy as np

    return np.random.default_rng(sequence(seed, purpose, counter))
