"""Which test images runs got wrong: what that says of the test set."""

from base64 import b64decode
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from gsm_cli.records.run import RunRecord

Flags = NDArray[np.bool_]


def wrong_images(record: RunRecord) -> Flags:
    """For every test image whether a finished run classifies it wrongly at the chosen epoch."""
    assert record.test is not None
    bits = np.unpackbits(np.frombuffer(b64decode(record.test.chosen.wrong), np.uint8))
    return bits[: record.test.images].astype(bool)


def wrong_in_every_run(records: Iterable[RunRecord]) -> float:
    """The share of the test images that all of these finished runs get wrong."""
    return float(np.logical_and.reduce([wrong_images(record) for record in records]).mean())


def disagreement_error(first: Sequence[RunRecord], second: Sequence[RunRecord]) -> float | None:
    """The standard error that the choice of the test images gives a mean difference of accuracy over common seeds.

    The deviation over images of the mean over seeds of (second is wrong - first is wrong); None without a common seed.
    """
    ours, theirs = ({record.config.seed: wrong_images(record) for record in runs} for runs in (first, second))
    differences = [theirs[seed].astype(float) - ours[seed] for seed in sorted(ours.keys() & theirs.keys())]
    if not differences:
        return None
    means = np.mean(differences, axis=0)
    return float(means.std(ddof=1) / np.sqrt(len(means)))
