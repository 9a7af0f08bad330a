"""What a run in progress keeps on disk: all that its rest depends on, whole or refused."""

import errno
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import msgspec
import torch
from torch import Tensor

from gsm_cli.config import RunConfig, differences
from gsm_cli.errors import DataError, GsmError, is_of_memory, printable
from gsm_cli.files import check_ordinary, write_atomic
from gsm_cli.records.curves import Epoch
from gsm_cli.records.store import Code
from gsm_cli.runs.environment import Device


class DamagedError(DataError):
    """A checkpoint from which nobody can go on: without it nothing is lost."""


@dataclass(frozen=True)
class Checkpoint:
    """The state after an epoch; settings and epochs are checked when read, as those of a record are.

    The file is PyTorch's, a ZIP archive with a checksum for each of its parts.
    """

    code: str
    config: RunConfig
    device: Device  # a GPU draws other noise than a processor
    split: str
    epochs: list[Epoch]
    model: dict[str, Tensor]
    optimizer: dict[str, Tensor]
    best: dict[str, Tensor]

    def save(self, path: Path) -> None:
        """Write it atomically."""
        data = msgspec.json.encode({"config": self.config, "epochs": self.epochs})
        state = {**vars(self), "config": None, "epochs": data}
        buffer = BytesIO()
        torch.save(state, buffer)
        write_atomic(path, buffer.getbuffer())  # no second copy of all weights

    @classmethod
    def read(cls, path: Path, expected: "Checkpoint") -> "Checkpoint":
        """The checkpoint at `path`, to go on from `expected`, which has no epochs.

        Raises DamagedError for what is no whole checkpoint, DataError for that of another run, GsmError for what cannot
        be read.
        """
        state = _load(path)
        try:
            code = msgspec.convert(state.get("code"), Code | None)
            if code != expected.code:  # what else it holds that code knows
                raise _of_another_run(path, {"code": code}, {"code": expected.code})
            data = msgspec.json.decode(state["epochs"], type=_Data)
            found = cls(**state | {"config": data.config, "epochs": data.epochs})
            if found.identity != expected.identity:
                raise _of_another_run(path, found.identity, expected.identity)
            weights, moments = _kinds(expected.model), _kinds(expected.optimizer)
            whole = _kinds(found.model) == _kinds(found.best) == weights and _kinds(found.optimizer) == moments
            if not (whole and 1 <= len(found.epochs) <= found.config.epochs):
                raise _damaged(path)
        except GsmError:
            raise
        except Exception as error:
            raise _damaged(path) from error
        return found

    @property
    def identity(self) -> dict[str, object]:
        """Code, device, split and all settings."""
        return {"code": self.code, "device": self.device, "split": self.split, **self.config.identity}


class _Data(msgspec.Struct):
    config: RunConfig
    epochs: list[Epoch]


def epochs_of(path: Path) -> int:
    """How many epochs a checkpoint has: none if it is damaged. Raises GsmError if it cannot be read."""
    try:
        return len(msgspec.json.decode(_load(path)["epochs"], type=_Data).epochs)
    except Exception as error:
        if isinstance(error, GsmError) and not isinstance(error, DamagedError):
            raise
        return 0


def _load(path: Path) -> dict[str, Any]:
    """What lies at `path`, its checksums compared, which PyTorch does not. Raises DamagedError, or GsmError.

    In the processor's memory, wherever it came from: the model and its optimizer take it to where they are.
    """
    try:
        check_ordinary(path)
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with ZipFile(file) as archive:
                packed = [each.filename for each in archive.infolist() if each.compress_type]  # PyTorch packs nothing
                flawed = packed or archive.testzip()
            state = torch.load(path, map_location="cpu", weights_only=True) if not flawed else None
    except Exception as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise GsmError(f"{path} must be a checkpoint, and cannot be read ({error.strerror}): remove it") from error
        if is_of_memory(error):
            raise GsmError(f"{path} must fit into memory to go on from, and does not: make room") from error
        raise _damaged(path) from error
    if not isinstance(state, dict) or not all(isinstance(name, str) for name in state):
        raise _damaged(path)
    return state


def _damaged(path: Path) -> DamagedError:
    return DamagedError(f"{path} must be a whole checkpoint, and is damaged: remove it to start the run again")


def _of_another_run(path: Path, found: Mapping[str, object], asked: Mapping[str, object]) -> DataError:
    return DataError(
        f"{path} must be a checkpoint of this run, and has {printable(differences(found, asked))}: "
        "finish it with the code and settings that wrote it, or remove it to start the run again"
    )


def _kinds(weights: dict[str, Tensor]) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (value.shape, value.dtype) for name, value in weights.items()}
