"""A run's record: data in JSON, never text, and no statistic that a report can compute."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from gsm_cli.config import RunConfig, build
from gsm_cli.errors import DataError, GsmError
from gsm_cli.files import write_atomic

SCHEMA = 1
Record = TypeVar("Record")


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
    generated: str | None = None  # mean images, a row for each z and a column for each class: a PNG in base64
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
        save_json(path, asdict(self))


@dataclass(frozen=True)
class GradientRow:
    """One estimator's gradient against the exact one, in units of its norm; each number with its Monte Carlo error."""

    subject: str  # linear, quadratic or model
    estimator: str
    temperature: float | None
    bias: float  # of the mean estimate
    bias_error: float  # a bias below it cannot be seen
    exact_bias: float | None  # the same without Monte Carlo, where that is possible
    deviation: float
    deviation_error: float
    rmse: float
    rmse_error: float
    cosine: float  # between an estimate and the exact gradient, mean
    cosine_error: float


@dataclass(frozen=True)
class GradientRecord:
    """All that is known of one measurement of gradients."""

    config: RunConfig  # of the model that was trained
    version: str
    environment: dict[str, Any]
    images: int  # of the model's bound
    replicates: int
    rows: list[GradientRow]

    def save(self, path: Path) -> None:
        """One line of JSON for every estimator."""
        save_json(path, asdict(self))


def read_gradients(path: Path) -> GradientRecord:
    """Read a measurement of gradients. Raises DataError as `read_record` does."""

    def make(data: dict[str, Any]) -> GradientRecord:
        rows = [GradientRow(**row) for row in data["rows"]]
        return GradientRecord(**data | {"config": build(data["config"], preset=None), "rows": rows})

    return read_json(path, make)


def read_record(path: Path) -> RunRecord:
    """Read one record; raises DataError, with the file and the remedy, if it is not a whole record of this schema."""

    def make(data: dict[str, Any]) -> RunRecord:
        test, failure = data["test"], data["failure"]
        parts = {
            "config": build(data["config"], preset=None),
            "epochs": [Epoch(**epoch) for epoch in data["epochs"]],
            "test": Test(**test) if test else None,
            "failure": Failure(**failure) if failure else None,
        }
        return RunRecord(**data | parts)

    return read_json(path, make)


def save_json(path: Path, data: dict[str, Any]) -> None:
    """Write a record of the present schema, atomically."""
    write_atomic(path, (_lines({"schema": SCHEMA, **data}) + "\n").encode())


def read_json(path: Path, make: Callable[[dict[str, Any]], Record]) -> Record:
    """What `make` gives of the record at `path`. Raises DataError if that is not a whole record of this schema."""
    try:
        data = json.loads(path.read_text())
        schema = data.pop("schema")
        if schema != SCHEMA:
            remedy = "read it with the gsm that wrote it, or remove it and run again"
            raise DataError(f"{path} must be a record of schema {SCHEMA}, not {schema}: {remedy}")
        return make(data)
    except DataError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, GsmError) as error:
        remedy = "restore it, or remove it and run again"
        raise DataError(f"{path} must be a whole record, and is not ({error!r}): {remedy}") from error


def _lines(value: Any, indent: str = "") -> str:
    """JSON with a line for every entry of the two outer levels."""
    deeper = indent + " "
    if isinstance(value, dict) and len(indent) < 2:
        entries: Iterator[str] = (f"{json.dumps(key)}: {_lines(entry, deeper)}" for key, entry in value.items())
        return "{\n" + ",\n".join(deeper + entry for entry in entries) + f"\n{indent}}}"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(deeper + json.dumps(entry) for entry in value) + f"\n{indent}]"
    return json.dumps(value)
