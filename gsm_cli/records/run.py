"""A run's record: data, never text, and no statistic that a report can compute."""

from base64 import b64decode
from collections.abc import Sequence
from functools import partial
from typing import Annotated

from msgspec import Meta, Struct

from gsm_cli.config import RunConfig
from gsm_cli.records.curves import Curves, Epoch, Images
from gsm_cli.records.store import NotBelowZero, Number, Record, read
from gsm_cli.rules import Count, Digest, Natural
from gsm_cli.schedules import kl_weight, learning_rate

Classes = Annotated[int, Meta(ge=2, le=2**31)]
WIDEST = 20  # classes that fit into one row of generated images; of more, ten are in a row


class Reading(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the test set says of the weights of one epoch, and how well these know the unlabelled training images."""

    epoch: Count
    images: Images  # of the test set
    wrong: str  # those that were classified wrongly: a bit each, the first the highest, in base64
    modal: Natural  # those of the class that was predicted most often
    unlabelled: Images  # of training, evenly spaced, whose classes nothing else reads
    unlabelled_right: Natural  # of them

    def __post_init__(self) -> None:
        flags = b64decode(self.wrong, validate=True)
        if len(flags) != -(-self.images // 8) or flags[-1] & (1 << -self.images % 8) - 1:
            raise ValueError(f"wrong must have a bit for each of the {self.images} images, and zeros to a whole byte")
        if self.modal > self.images or self.unlabelled_right > self.unlabelled:
            raise ValueError(
                f"a part must be at most the {self.images} test images or the {self.unlabelled} unlabelled ones, "
                f"and not {self.modal} and {self.unlabelled_right}"
            )

    @property
    def errors(self) -> int:
        """How many images were classified wrongly."""
        return int.from_bytes(b64decode(self.wrong)).bit_count()

    @property
    def accuracy(self) -> float:
        return 1 - self.errors / self.images

    @property
    def unlabelled_accuracy(self) -> float:
        return self.unlabelled_right / self.unlabelled


class Bound(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The mean lower bound of log p(x) of binary test images, in nats, the class summed exactly."""

    mean: Number
    standard_error: NotBelowZero | None  # over the images; None of a single one
    images: Images  # evenly spaced in the test set
    draws: Count  # of each image, its a and its z


class Test(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The test set, read at the end of a run: with the weights that validation chose, and with the last."""

    chosen: Reading
    last: Reading
    bound: Bound | None  # with the last weights; None of a run without a generative model

    def __post_init__(self) -> None:
        if self.chosen.images != self.last.images:
            raise ValueError(f"images must be as many twice, not {self.chosen.images} and {self.last.images}")

    @property
    def images(self) -> int:
        return self.last.images


class Failure(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a run ended early."""

    step: Natural
    reason: Annotated[str, Meta(max_length=1000)]


class RunRecord(Record, frozen=True, kw_only=True, tag="run"):
    """All that is known of one run."""

    config: RunConfig
    split: Digest  # of the split's indices
    unlabelled: Images  # images in the pool
    classes: Classes
    parameters: Count
    epochs: Curves
    test: Test | None = None
    generated: str | None = None  # mean images, a row for each z and a column for each class: a PNG in base64
    failure: Failure | None = None

    def __post_init__(self) -> None:
        epochs, of = len(self.epochs), self.config.epochs
        if epochs > of or not self.steps:
            raise ValueError(
                f"a run must have at most its {of} epochs of whole batches of {self.config.batch_size} images, "
                f"and it has {epochs} of {self.unlabelled} images"
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
    def steps(self) -> int:
        """Of an epoch: whole batches."""
        return self.unlabelled // self.config.batch_size

    @property
    def columns(self) -> dict[str, Sequence[float | None] | None]:
        """All that is known of every epoch by the names of `Epoch`: what was measured, and what the settings say.

        The settings say it of the last step of each epoch.
        """
        config, steps = self.config, self.steps
        last = [number * steps - 1 for number in range(1, len(self.epochs) + 1)]
        taus = [config.estimator.temperature(step, steps) for step in last]
        scheduled: dict[str, Sequence[float | None] | None] = {
            "tau": taus if any(taus) else None,
            "kl_weight": [kl_weight(config, step, steps) for step in last],
            "learning_rate": [learning_rate(config, step, steps) for step in last],
        }
        names = Epoch.__struct_fields__
        return {name: scheduled[name] if name in scheduled else getattr(self.epochs, name) for name in names}

    @property
    def collapsed(self) -> bool:
        """Whether the classifier predicts one class for everything after the last epoch."""
        return self.test is not None and self.test.last.modal == self.test.images


read_run = partial(read, kind=RunRecord)
