"""Which test images runs got wrong: what that says of the test set."""

from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from gsm_cli.records.run import Reading, RunRecord

Flags = NDArray[np.bool_]


def wrong_images(record: RunRecord) -> Flags | None:
    """For every test image whether it is classified wrongly at the chosen epoch; None where a record does not say."""
    return None if record.test is None else _flags(record.test.chosen, record.test.images)


def wrong_in_every_run(records: Iterable[RunRecord]) -> float | None:
    """The share of the test images that all of these runs get wrong; None unless all say which."""
    flags = [wrong_images(record) for record in records]
    known = [each for each in flags if each is not None]
    return float(np.logical_and.reduce(known).mean()) if known and len(known) == len(flags) else None


def disagreement_error(first: Sequence[RunRecord], second: Sequence[RunRecord]) -> float | None:
    """The standard error that the choice of the test images gives a mean difference of accuracy over common seeds.

    The deviation over images of the mean over seeds of (second is wrong - first is wrong); None unless all say which.
    """
    ours, theirs = _by_seed(first), _by_seed(second)
    pairs = [(ours[seed], theirs[seed]) for seed in sorted(ours.keys() & theirs.keys())]
    differences = [other.astype(float) - own for own, other in pairs if own is not None and other is not None]
    if not differences or len(differences) < len(pairs):
        return None
    means = np.mean(differences, axis=0)
    return float(means.std(ddof=1) / np.sqrt(len(means)))


def _by_seed(records: Sequence[RunRecord]) -> Mapping[int, Flags | None]:
    return {record.config.seed: wrong_images(record) for record in records}


def _flags(reading: Reading, images: int) -> Flags | None:
    if reading.wrong is None:
        return None
    bits = np.unpackbits(np.frombuffer(b64decode(reading.wrong), np.uint8))
    return bits[:images].astype(bool)
