"""What the epochs of a run gave: one as training sees it, and all of them as a record keeps them."""

from collections.abc import Iterable, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta, Struct, field

from gsm_cli.records.store import NotBelowZero, Number, Seconds, rounded
from gsm_cli.rules import Count, Natural, NotNegative, Share

Images = Annotated[int, Meta(ge=1, le=2**31)]


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
    """What was measured in all epochs, in columns from the first epoch on; as `Epoch` has it, in the fewest letters.

    Numbers have seven significant digits, and no more than six behind the point. What was measured after some of the
    epochs is kept by their numbers.
    """

    images: Images  # of validation
    unlabelled_bound: list[Number]
    labelled_bound: list[Number]
    classification: list[Number]
    right: list[Natural]  # validation images that were classified rightly
    validation_entropy: list[Number]
    modal: list[Natural]  # validation images of the class that was predicted most often
    evaluations: list[NotBelowZero]
    relaxed_bounds: dict[Count, Number] = field(default_factory=dict)
    one_hot_bounds: dict[Count, Number] = field(default_factory=dict)
    dropped_masses: dict[Count, Share] = field(default_factory=dict)
    milliseconds: list[Count]
    processor_milliseconds: list[Natural]
    evaluation_milliseconds: list[Natural]

    def __post_init__(self) -> None:
        columns = [column for column in msgspec.structs.astuple(self) if isinstance(column, list)]
        if len(lengths := {len(column) for column in columns}) > 1:
            raise ValueError(f"every column must have an entry for each epoch, and they have {sorted(lengths)}")
        if (last := max([*self.relaxed_bounds, *self.one_hot_bounds, *self.dropped_masses], default=0)) > len(self):
            raise ValueError(f"what was measured must be of one of the {len(self)} epochs, and not of {last}")
        if (most := max([*self.right, *self.modal], default=0)) > self.images:
            raise ValueError(f"images must be at most the {self.images} of validation, and not {most}")

    def __len__(self) -> int:
        return len(self.right)

    @classmethod
    def of(cls, epochs: Sequence[Epoch], images: int) -> "Curves":
        """The columns of these epochs, with so many images of validation."""
        return cls(
            images=images,
            unlabelled_bound=[rounded(epoch.unlabelled_bound) for epoch in epochs],
            labelled_bound=[rounded(epoch.labelled_bound) for epoch in epochs],
            classification=[rounded(epoch.classification) for epoch in epochs],
            right=[round(epoch.validation_accuracy * images) for epoch in epochs],
            validation_entropy=[rounded(epoch.validation_entropy) for epoch in epochs],
            modal=[round(epoch.modal_share * images) for epoch in epochs],
            evaluations=[rounded(epoch.evaluations) for epoch in epochs],
            relaxed_bounds=_present(epoch.relaxed_bound for epoch in epochs),
            one_hot_bounds=_present(epoch.one_hot_bound for epoch in epochs),
            dropped_masses=_present(epoch.dropped_mass for epoch in epochs),
            milliseconds=[max(1, round(1000 * epoch.seconds)) for epoch in epochs],
            processor_milliseconds=[round(1000 * epoch.processor_seconds) for epoch in epochs],
            evaluation_milliseconds=[round(1000 * epoch.evaluation_seconds) for epoch in epochs],
        )

    @property
    def best(self) -> int:
        """The epoch, from 1 on, that validation chose."""
        return chosen_epoch(self.right)

    @property
    def validation_accuracy(self) -> list[float]:
        return [count / self.images for count in self.right]

    @property
    def modal_share(self) -> list[float]:
        return [count / self.images for count in self.modal]

    @property
    def relaxed_bound(self) -> list[float | None] | None:
        return self._spread(self.relaxed_bounds)

    @property
    def one_hot_bound(self) -> list[float | None] | None:
        return self._spread(self.one_hot_bounds)

    @property
    def dropped_mass(self) -> list[float | None] | None:
        return self._spread(self.dropped_masses)

    @property
    def seconds(self) -> list[float]:
        return [count / 1000 for count in self.milliseconds]

    @property
    def processor_seconds(self) -> list[float]:
        return [count / 1000 for count in self.processor_milliseconds]

    @property
    def evaluation_seconds(self) -> list[float]:
        return [count / 1000 for count in self.evaluation_milliseconds]

    def _spread(self, found: dict[int, float]) -> list[float | None] | None:
        """An entry for every epoch, None where nothing was measured; None if it was after no epoch."""
        return [found.get(number) for number in range(1, len(self) + 1)] if found else None


def _present(values: Iterable[float | None]) -> dict[int, float]:
    """The numbers by their epochs, from 1 on."""
    return {number: rounded(value) for number, value in enumerate(values, start=1) if value is not None}


def chosen_epoch(accuracies: Sequence[float]) -> int:
    """The epoch, from 1 on, that validation chooses: the earliest of the most accurate."""
    return accuracies.index(max(accuracies)) + 1
