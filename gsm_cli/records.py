"""A run's record: data in JSON, never text, and no statistic that a report can compute."""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gsm_cli.config import RunConfig, build
from gsm_cli.errors import DataError, GsmError
from gsm_cli.files import write_atomic

SCHEMA = 1


@dataclass(frozen=True)
class Epoch:
    """One pass over the unlabelled images. Bounds are means over the epoch in nats per image, in training mode."""

    epoch: int  # from 1 on
    unlabelled_bound: float
    labelled_bound: float
    classification: float  # mean log q(y|a,x) of the labelled images
    validation_accuracy: float
    validation_entropy: float  # mean entropy of q(y|x), in nats
    modal_share: float  # of the validation images, those in the class that was predicted most often
    evaluations: float  # of the conditional bound for each unlabelled image, mean over the steps
    relaxed_bound: float | None  # of the validation images, where y is relaxed, in nats per image ...
    one_hot_bound: float | None  # ... and with its one-hot argmax, from the same noise
    dropped_mass: float | None  # of q(y|a,x), mean over the validation images, where classes are left out
    tau: float | None  # at the last step, as the two below
    kl_weight: float
    learning_rate: float
    seconds: float  # of training, without the evaluation


@dataclass(frozen=True)
class Test:
    """The test set's one reading, with the weights of the epoch that validation chose."""

    epoch: int
    accuracy: float
    bound: float  # of log p(x), the class summed exactly, in nats per image
    modal_share: float


@dataclass(frozen=True)
class Failure:
    """Why a run ended early."""

    step: int
    reason: str


@dataclass(frozen=True)
class RunRecord:
    """All that is known of one run."""

    config: RunConfig
    version: str
    environment: dict[str, Any]
    split: str  # digest of the split's indices
    unlabelled: int  # images in a pass
    classes: int
    parameters: int
    epochs: list[Epoch] = field(default_factory=list)
    test: Test | None = None
    failure: Failure | None = None

    @property
    def finished(self) -> bool:
        return self.test is not None

    @property
    def collapsed(self) -> bool:
        """Whether the classifier predicts one class for everything."""
        return self.test is not None and self.test.modal_share == 1.0

    def save(self, path: Path) -> None:
        """One line of JSON for every setting and every epoch, so that two records compare line by line."""
        write_atomic(path, (_lines({"schema": SCHEMA, **asdict(self)}) + "\n").encode())


def read_record(path: Path) -> RunRecord:
    """Read one record; raises DataError, with the file and the remedy, if it is not a whole record of this schema."""
    try:
        data = json.loads(path.read_text())
        schema = data.pop("schema")
        if schema != SCHEMA:
            raise DataError(
                f"{path} must be a record of schema {SCHEMA}, not {schema}: read it with the gsm that wrote it"
            )
        config = build(data.pop("config"))
        epochs = [Epoch(**epoch) for epoch in data.pop("epochs")]
        test, failure = data.pop("test"), data.pop("failure")
        return RunRecord(
            config=config,
            epochs=epochs,
            test=Test(**test) if test else None,
            failure=Failure(**failure) if failure else None,
            **data,
        )
    except DataError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, GsmError) as error:
        raise DataError(
            f"{path} must be a record of a run, and is not ({error}): restore it, or remove it and run again"
        ) from error


def _lines(value: Any, indent: str = "") -> str:
    """JSON with a line for every entry of the two outer levels."""
    deeper = indent + " "
    if isinstance(value, dict) and len(indent) < 2:
        entries: Iterator[str] = (f"{json.dumps(key)}: {_lines(entry, deeper)}" for key, entry in value.items())
        return "{\n" + ",\n".join(deeper + entry for entry in entries) + f"\n{indent}}}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(deeper + json.dumps(entry) for entry in value) + f"\n{indent}]"
    return json.dumps(value)
