"""A run's record: data, never text, and no statistic that a report can compute."""

import sys
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from gsm_cli.config import Count, Natural, NotNegative, RunConfig, Share
from gsm_cli.records.store import Record, read

Number = Annotated[float, Meta(ge=-sys.float_info.max, le=sys.float_info.max)]


class Epoch(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One pass over the unlabelled images. Bounds are means over the epoch in nats per image, in training mode."""

    unlabelled_bound: Number
    labelled_bound: Number
    classification: Number  # mean log q(y|a,x) of the labelled images
    validation_accuracy: Share
    validation_entropy: Number  # mean entropy of q(y|x), in nats
    modal_share: Share  # of the validation images, those in the class that was predicted most often
    evaluations: NotNegative  # of the conditional bound for each unlabelled image, mean over the steps
    relaxed_bound: Number | None  # of the validation images, where y is relaxed, in nats per image ...
    one_hot_bound: Number | None  # ... and with its one-hot argmax, from the same noise; after some of the epochs
    dropped_mass: Share | None  # of q(y|a,x), mean over the validation images, where classes are left out; likewise
    tau: NotNegative | None  # at the last step, as the two below
    kl_weight: NotNegative
    learning_rate: NotNegative
    seconds: NotNegative  # of training
    processor_seconds: NotNegative  # of all threads in that time: less, where others had the processor
    evaluation_seconds: NotNegative  # of the evaluation after it


class Curves(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All epochs in columns, from the first on: a column for every field of `Epoch`, None where it says nothing."""

    unlabelled_bound: list[Number]
    labelled_bound: list[Number]
    classification: list[Number]
    validation_accuracy: list[Share]
    validation_entropy: list[Number]
    modal_share: list[Share]
    evaluations: list[NotNegative]
    relaxed_bound: list[Number | None] | None
    one_hot_bound: list[Number | None] | None
    dropped_mass: list[Share | None] | None
    tau: list[NotNegative] | None
    kl_weight: list[NotNegative]
    learning_rate: list[NotNegative]
    seconds: list[NotNegative]
    processor_seconds: list[NotNegative]
    evaluation_seconds: list[NotNegative]

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
    unlabelled_accuracy: Share  # of the training images whose classes nothing else reads
    wrong: str  # the images that were classified wrongly: a bit each, the first the highest, in base64
    bounds: list[Number]  # of log p(x) of binary images, the class summed exactly: a mean in nats for each draw

    @property
    def errors(self) -> int:
        """How many images were classified wrongly."""
        return int.from_bytes(b64decode(self.wrong)).bit_count()


class Test(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The test set, read at the end of a run: with the weights that validation chose, and with the last."""

    images: Count
    chosen: Reading
    last: Reading

    def __post_init__(self) -> None:
        for reading in (self.chosen, self.last):
            accuracy = 1 - reading.errors / self.images
            if abs(accuracy - reading.accuracy) > 1e-9:
                raise ValueError(f"an accuracy of {reading.accuracy} must be that of its {reading.errors} errors")


class Failure(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a run ended early."""

    step: Natural
    reason: str


class RunRecord(Record, frozen=True, kw_only=True, tag="run"):
    """All that is known of one run."""

    config: RunConfig
    split: str  # digest of the split's indices
    unlabelled: Count  # images in the pool
    images_per_epoch: Count  # of them in an epoch: whole batches
    classes: Count
    parameters: Count
    epochs: Curves
    test: Test | None = None
    generated: str | None = None  # mean images, a row for each z and a column for each class: a PNG in base64
    failure: Failure | None = None

    def __post_init__(self) -> None:
        if self.test is not None and not self.test.chosen.epoch <= len(self.epochs) == self.config.epochs:
            raise ValueError(
                f"a finished run must have its {self.config.epochs} epochs and the one that was tested, "
                f"and it has {len(self.epochs)} and tested {self.test.chosen.epoch}"
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
