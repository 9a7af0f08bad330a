"""Where a run takes place: the device, and what else its numbers and times depend on."""

import ctypes
import os
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Literal

from gsm_cli.errors import UsageError, meant
from gsm_cli.records.store import Environment

Device = Literal["cpu", "cuda"]
DEVICES = ("auto", "cpu", "cuda")  # that may be asked for
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h
KEPT = 2**25  # bytes of an array; glibc's own bound of what it comes to by itself
HEAP = 2**29  # bytes that may stay unused at the heap's end
STATISTICS = Path("/proc/stat")
FEATURES = ("avx2", "avx512_f", "avx512_bf16", "avx512_fp16", "amx_bf16", "sve", "bf16")  # what kernels are chosen by


def find_device(name: str, place: str = "--device") -> Device:
    """`cpu` or `cuda`, from `auto`, `cpu` or `cuda`; of PyTorch the processor is not asked for."""
    if check_device(name, place) == "cpu":
        return "cpu"
    import torch

    present = torch.cuda.is_available()
    if name == "cuda" and not present:
        raise UsageError(f"{place} cuda must name a GPU that PyTorch sees, and it sees none: use --device cpu")
    return "cuda" if present else "cpu"


def check_device(name: str, place: str = "--device") -> str:
    """The name of a device, whether it is there or not. Raises UsageError for what is none."""
    if name not in DEVICES:
        raise UsageError(f"{place} must be auto, cpu or cuda, not {name!r}: {meant(name, DEVICES)}")
    return name


def bf16_slowdown(device: str) -> float:
    """How many times as long a matrix product takes in bfloat16 as in float32, measured now: the best of five each."""
    import torch

    times = []
    for kind in (torch.bfloat16, torch.float32):
        factor = torch.ones(256, 256, dtype=kind, device=device)
        times.append(min(timed(partial(torch.matmul, factor, factor), device) for _ in range(5)))
    return times[0] / times[1]


def load(seconds: float = 0.5) -> float | None:
    """How many cores are at work now, over some time; None where the system does not say.

    Not the load average, in which a measurement that has just ended would be seen for a minute.
    """
    if not STATISTICS.exists():
        return None
    before = _worked()
    time.sleep(seconds)
    return (_worked() - before) / seconds


def _worked() -> float:
    """The seconds of all cores so far, since the system began."""
    user, nice, system, _idle, _waiting, *interrupts = map(int, STATISTICS.read_text().split("\n")[0].split()[1:9])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def timed(work: Callable[[], object], device: str) -> float:
    """The seconds that it takes, on a GPU until all of it is done."""
    import torch

    settle: Callable[[], None] = torch.cuda.synchronize if device == "cuda" else lambda: None
    settle()
    start = time.perf_counter()
    work()
    settle()
    return time.perf_counter() - start


def keep_memory() -> None:
    """Let glibc keep the memory of arrays up to 32 MiB for the next ones.

    By itself glibc learns to keep it in part, and not at all where `MALLOC_TRIM_THRESHOLD_` is set, as Dask does for
    its workers: half of the time of a step then is the system's. Other C libraries have no such thresholds.
    """
    with suppress(AttributeError, OSError, TypeError):
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, KEPT)
        libc.mallopt(M_TRIM_THRESHOLD, HEAP)


def environment(device: Device) -> Environment:
    """What a run's numbers and times depend on besides its settings."""
    import numpy as np
    import torch

    present = torch.cpu.get_capabilities()
    return Environment(
        python=platform.python_version(),
        torch=str(torch.__version__),
        numpy=np.__version__,
        system=f"{platform.system()} {platform.machine()}",
        device=device,
        kernels=torch.cuda.get_device_name() if device == "cuda" else torch.backends.cpu.get_cpu_capability(),
        features=[name for name in FEATURES if present.get(name)],
        threads=torch.get_num_threads(),
    )
