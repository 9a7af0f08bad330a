"""Where a run takes place: the device that is asked for, what a record says of it, and how fast its products are."""

import os
import platform
import subprocess
import sys

import numpy as np
import pytest
import torch
from tree import ROOT

from gsm_cli.errors import UsageError
from gsm_cli.records.store import Environment
from gsm_cli.runs import environment
from gsm_cli.runs.environment import bf16_slowdown, find_device, timed


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("cuda", "--device cuda must name a GPU that PyTorch sees, and it sees none: use --device cpu"),
        ("cudda", "--device must be auto, cpu or cuda, not 'cudda': did you mean cuda?"),
        ("gpu", "--device must be auto, cpu or cuda, not 'gpu': did you mean cuda?"),
    ],
)
def test_a_device_that_is_not_there_is_refused(monkeypatch, name, sentence):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for words, place in ((sentence, "--device"), (sentence.replace("--device ", "GSM_DEVICE ", 1), "GSM_DEVICE")):
        with pytest.raises(UsageError) as caught:
            find_device(name, place)
        assert str(caught.value) == words
    with pytest.raises(UsageError, match=r"^--device "):
        find_device(name)


def test_a_gpu_that_is_there_is_taken_unless_the_processor_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert [find_device(name) for name in ("auto", "cuda", "cpu")] == ["cuda", "cuda", "cpu"]
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert [find_device(name) for name in ("auto", "cpu")] == ["cpu", "cpu"]


@pytest.mark.parametrize(("device", "kernels"), [("cpu", "BEADS"), ("cuda", "a GPU")])
def test_a_record_says_what_numbers_and_times_depend_on(monkeypatch, device, kernels):
    monkeypatch.setattr(
        torch.cpu, "get_capabilities", lambda: {"sve": True, "avx2": True, "bf16": False, "beads": True}
    )
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "BEADS")
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a GPU")
    monkeypatch.setattr(torch, "get_num_threads", lambda: 7)
    monkeypatch.setattr(platform, "machine", lambda: "abacus")
    assert environment.environment(device) == Environment(
        python=".".join(str(part) for part in sys.version_info[:3]),
        torch=str(torch.__version__),
        numpy=np.__version__,
        system=f"{platform.system()} abacus",
        device=device,
        kernels=kernels,
        features=["avx2", "sve"],
        threads=7,
    )


def test_the_slowdown_is_the_ratio_of_the_best_times(monkeypatch):
    """Of five products each, of the same square matrices, in bfloat16 and in float32."""
    seconds, seen = iter([9.0, 8.0, 6.0, 7.0, 9.0, 4.0, 2.0, 3.0, 5.0, 4.0]), []

    def timed(work, device):
        seen.append((work().dtype, tuple(work().shape), device))
        return next(seconds)

    monkeypatch.setattr(environment, "timed", timed)
    assert bf16_slowdown("cpu") == 3.0
    assert seen == [(kind, (256, 256), "cpu") for kind in (torch.bfloat16, torch.float32) for _ in range(5)]


@pytest.mark.parametrize(("device", "expected"), [("cpu", 1.0), ("cuda", 101.0)])
def test_a_gpu_is_waited_for_before_and_after(monkeypatch, device, expected):
    """A clock that work moves by a second, and waiting for a GPU by a hundred."""
    clock = [0.0]

    def move(seconds: float) -> None:
        clock[0] += seconds

    monkeypatch.setattr(torch.cuda, "synchronize", lambda: move(100.0))
    monkeypatch.setattr(environment.time, "perf_counter", lambda: clock[0])
    assert timed(lambda: move(1.0), device) == expected
    assert clock == [1.0 if device == "cpu" else 201.0]


CHURN = """
import resource, torch
from gsm_cli.runs.environment import keep_memory

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

keep_memory()
torch.ones(2**20)
before = faults()
for _ in range(100):
    torch.ones(2**20)
print(faults() - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no such thresholds")
def test_the_memory_of_an_array_is_kept_for_the_next_one():
    """Also under the variable of Dask's nannies, where a hundred arrays of 4 MiB are else 102,400 pages mapped anew."""
    variables = os.environ | {"MALLOC_TRIM_THRESHOLD_": "65536", "PYTHONPATH": str(ROOT)}
    finished = subprocess.run([sys.executable, "-c", CHURN], env=variables, capture_output=True, text=True, check=True)
    assert int(finished.stdout) < 20_480  # a few, until the heap has grown


def test_memory_is_left_alone_by_other_libraries(monkeypatch):
    """Of C: one without `mallopt`, and a system on which none can be named."""
    for library in (lambda name: object(), refuse):
        monkeypatch.setattr(environment.ctypes, "CDLL", library)
        environment.keep_memory()


def refuse(name: object) -> None:
    raise OSError("no such library")
