"""What a run in progress keeps on disk: all that its rest depends on."""

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import torch
from torch import Tensor

from gsm_cli.config import RunConfig, differences
from gsm_cli.errors import GsmError
from gsm_cli.files import write_atomic
from gsm_cli.records.run import Epoch
from gsm_cli.runs.environment import Device


@dataclass(frozen=True)
class Checkpoint:
    """The state after an epoch; settings and epochs are checked when read, as those of a record are."""

    version: str
    config: RunConfig
    device: Device  # a GPU draws other noise than a processor
    split: str
    epochs: list[Epoch]
    model: dict[str, Tensor]
    optimizer: dict[str, Any]  # as PyTorch has it
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
        """The checkpoint at `path`. Raises GsmError if it is damaged, or of another run than `expected`."""
        try:
            state = torch.load(path, map_location=expected.device, weights_only=True)
            data = msgspec.json.decode(state["epochs"], type=_Data)
            found = cls(**state | {"config": data.config, "epochs": data.epochs})
        except Exception as error:
            raise GsmError(f"{path} must be a checkpoint and is damaged: start the run again with --force") from error
        if departures := differences(found.identity, expected.identity):
            raise GsmError(
                f"{path} must be a checkpoint of this run, and has {departures}: "
                "finish it with the version and settings that wrote it, or start the run again with --force"
            )
        return found

    @property
    def identity(self) -> dict[str, object]:
        """Version, device, split and all settings."""
        return {"version": self.version, "device": self.device, "split": self.split, **self.config.identity}


class _Data(msgspec.Struct):
    config: RunConfig
    epochs: list[Epoch]


def epochs_of(path: Path) -> int:
    """How many epochs a checkpoint has. Raises GsmError if it is damaged."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        return len(msgspec.json.decode(state["epochs"], type=_Data).epochs)
    except Exception as error:
        raise GsmError(f"{path} must be a checkpoint and is damaged: start the run again with --force") from error
