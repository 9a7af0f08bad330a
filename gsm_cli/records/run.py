"""A run's record: data, never text, and no statistic that a report can compute."""

import sys
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
    one_hot_bound: Number | None  # ... and with its one-hot argmax, from the same noise
    dropped_mass: Share | None  # of q(y|a,x), mean over the validation images, where classes are left out
    tau: NotNegative | None  # at the last step, as the two below
    kl_weight: NotNegative
    learning_rate: NotNegative
    seconds: NotNegative  # of training, without the evaluation


class Curves(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All epochs in columns, from the first on: a column for every field of `Epoch`, None where it says nothing."""

    unlabelled_bound: list[Number]
    labelled_bound: list[Number]
    classification: list[Number]
    validation_accuracy: list[Share]
    validation_entropy: list[Number]
    modal_share: list[Share]
    evaluations: list[NotNegative]
    relaxed_bound: list[Number] | None
    one_hot_bound: list[Number] | None
    dropped_mass: list[Share] | None
    tau: list[NotNegative] | None
    kl_weight: list[NotNegative]
    learning_rate: list[NotNegative]
    seconds: list[NotNegative]

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
        return msgspec.convert({name: None if None in column else column for name, column in columns.items()}, cls)

    @property
    def best(self) -> int:
        """The epoch, from 1 on, that validation chose: the earliest of the most accurate."""
        return self.validation_accuracy.index(max(self.validation_accuracy)) + 1


class Test(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The test set's one reading, with the weights of the epoch that validation chose."""

    epoch: Count
    accuracy: Share
    bound: Number  # of log p(x), the class summed exactly, in nats per image
    modal_share: Share


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
        if self.test is not None and not self.test.epoch <= len(self.epochs) == self.config.epochs:
            raise ValueError(
                f"a finished run must have its {self.config.epochs} epochs and the one that was tested, "
                f"and it has {len(self.epochs)} and tested {self.test.epoch}"
            )

    @property
    def finished(self) -> bool:
        return self.test is not None

    @property
    def collapsed(self) -> bool:
        """Whether the classifier predicts one class for everything."""
        return self.test is not None and self.test.modal_share == 1.0


def read_run(path: Path) -> RunRecord:
    """Read one record; raises DataError, with the file and the remedy, if it is not a whole record of a run."""
    return read(path, RunRecord)
