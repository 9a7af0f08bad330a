"""Where a run takes place: the device, and what else its numbers and times depend on."""

import platform
from typing import Any

import numpy as np
import torch

from gsm_cli.errors import UsageError


def find_device(name: str) -> str:
    """`cpu` or `cuda`, from `auto`, `cpu` or `cuda`."""
    present = torch.cuda.is_available()
    if name not in ("auto", "cpu", "cuda"):
        raise UsageError(f"--device must be auto, cpu or cuda, not {name!r}: choose one of them")
    if name == "cuda" and not present:
        raise UsageError("--device cuda must name a GPU that PyTorch sees, and it sees none: use --device cpu")
    return ("cuda" if present else "cpu") if name == "auto" else name


def environment(device: str) -> dict[str, Any]:
    """What a run's numbers and times depend on besides its settings."""
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "device": torch.cuda.get_device_name() if device == "cuda" else torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
    }
