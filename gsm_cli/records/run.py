"""A run's record: data, never text, and no statistic that a report can compute."""

from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from gsm_cli.config import RunConfig
from gsm_cli.records.store import NotBelowZero, Number, Record, Seconds, read
from gsm_cli.rules import Count, Natural, NotNegative, Share

Classes = Annotated[int, Meta(ge=2, le=2**31)]
Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Images = Annotated[int, Meta(ge=1, le=2**31)]
WIDEST = 20  # classes that fit into one row of generated images; of more, ten are in a row


class Epoch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One pass over the unlabelled images.

    Bounds are in nats per image. The first two are what training maximised, the mean over the steps in training mode,
    with the weights of z, a and the entropy that each step had; those of the validation images have no weights.
    """

    unlabelled_bound: Number
    labelled_bound: Number
    classification: Number  # mean log q(y|a,x) of the labelled images
    validation_accuracy: Share
    validation_entropy: Number  # mean entropy of q(y|x), in nats
    modal_share: Share  # of the validation images, those in the class that was predicted most often
    evaluations: NotBelowZero  # of the conditional bound for each unlabelled image, mean over the steps
    relaxed_bound: Number | None  # of the validation images, where y is relaxed, in nats per image ...
    one_hot_bound: Number | None  # ... and with its one-hot argmax, from the same noise; after some of the epochs
    dropped_mass: Share | None  # of q(y|a,x), mean over the validation images, where classes are left out; likewise
    tau: NotNegative | None  # at the last step, as the two below
    kl_weight: NotNegative
    learning_rate: NotNegative
    seconds: Seconds  # of training
    processor_seconds: NotBelowZero  # of all threads in that time: less, where others had the processor
    evaluation_seconds: NotBelowZero  # of the evaluation after it


class Curves(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All epochs in columns, from the first on: a column for every field of `Epoch`, None where it says nothing."""

    unlabelled_bound: list[Number]
    labelled_bound: list[Number]
    classification: list[Number]
    validation_accuracy: list[Share]
    validation_entropy: list[Number]
    modal_share: list[Share]
    evaluations: list[NotBelowZero]
    relaxed_bound: list[Number | None] | None
    one_hot_bound: list[Number | None] | None
    dropped_mass: list[Share | None] | None
    tau: list[NotNegative] | None
    kl_weight: list[NotNegative]
    learning_rate: list[NotNegative]
    seconds: list[Seconds]
    processor_seconds: list[NotBelowZero]
    evaluation_seconds: list[NotBelowZero]

    def __post_init__(self) -> None:
        lengths = {len(column) for column in msgspec.structs.astuple(self) if column is not None}
        if len(lengths) > 1:
            raise ValueError(f"every column must have an entry for each epoch, and they have {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.seconds)

    @classmethod
    def of(cls, epochs: Sequence[Epoch]) -> "Curves":
        """The columns of these epochs."""
        rows = [msgspec.structs.asdict(epoch) for epoch in epochs]
        columns = {name: [row[name] for row in rows] for name in cls.__struct_fields__}
        said = {name: column if set(column) != {None} else None for name, column in columns.items()}
        return msgspec.convert(said, cls)

    @property
    def best(self) -> int:
        """The epoch, from 1 on, that validation chose."""
        return chosen_epoch(self.validation_accuracy)


def chosen_epoch(accuracies: Sequence[float]) -> int:
    """The epoch, from 1 on, that validation chooses: the earliest of the most accurate."""
    return accuracies.index(max(accuracies)) + 1


class Reading(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the test set says of the weights of one epoch, and how well these know the unlabelled training images."""

    epoch: Count
    accuracy: Share
    modal_share: Share
    unlabelled_accuracy: Share  # of training images, evenly spaced, whose classes nothing else reads
    wrong: str  # the images that were classified wrongly: a bit each, the first the highest, in base64

    @property
    def errors(self) -> int:
        """How many images were classified wrongly."""
        return int.from_bytes(b64decode(self.wrong, validate=True)).bit_count()


class Bound(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The mean lower bound of log p(x) of binary test images, in nats, the class summed exactly."""

    mean: Number
    standard_error: NotBelowZero | None  # over the images; None of a single one
    images: Images  # evenly spaced in the test set
    draws: Count  # of each image, its a and its z


class Test(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The test set, read at the end of a run: with the weights that validation chose, and with the last."""

    images: Images
    chosen: Reading
    last: Reading
    bound: Bound | None  # with the last weights; None of a run without a generative model

    def __post_init__(self) -> None:
        for reading in (self.chosen, self.last):
            flags = b64decode(reading.wrong, validate=True)
            if len(flags) != -(-self.images // 8) or flags[-1] & (1 << -self.images % 8) - 1:
                raise ValueError(
                    f"wrong must have a bit for each of the {self.images} images, and zeros to a whole byte"
                )
            accuracy = 1 - reading.errors / self.images
            if abs(accuracy - reading.accuracy) > 1e-9:
                raise ValueError(f"an accuracy of {reading.accuracy} must be that of its {reading.errors} errors")


class Failure(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a run ended early."""

    step: Natural
    reason: Annotated[str, Meta(max_length=1000)]


class RunRecord(Record, frozen=True, kw_only=True, tag="run"):
    """All that is known of one run."""

    config: RunConfig
    split: Digest  # of the split's indices
    unlabelled: Images  # images in the pool
    images_per_epoch: Images  # of them in an epoch: whole batches
    classes: Classes
    parameters: Count
    epochs: Curves
    test: Test | None = None
    generated: str | None = None  # mean images, a row for each z and a column for each class: a PNG in base64
    failure: Failure | None = None

    def __post_init__(self) -> None:
        epochs, of = len(self.epochs), self.config.epochs
        if epochs > of or self.images_per_epoch > self.unlabelled:
            raise ValueError(
                f"a run must have at most its {of} epochs of {self.unlabelled} images, "
                f"and it has {epochs} of {self.images_per_epoch}"
            )
        if (self.test is None) == (self.failure is None):
            raise ValueError("a run must have either read the test set or failed")
        if self.test is None:
            return
        tested = (self.test.chosen.epoch, self.test.last.epoch)
        if epochs != of or tested != (self.epochs.best, of):
            raise ValueError(
                f"a finished run must have its {of} epochs and have tested the most accurate and the last, "
                f"and it has {epochs} and tested {tested[0]} and {tested[1]}"
            )

    @property
    def finished(self) -> bool:
        return self.test is not None

    @property
    def collapsed(self) -> bool:
        """Whether the classifier predicts one class for everything."""
        return self.test is not None and self.test.chosen.modal_share == 1.0


def read_run(path: Path) -> RunRecord:
    """Read one record; raises DataError, with the file and the remedy, if it is not a whole record of a run."""
    return read(path, RunRecord)
