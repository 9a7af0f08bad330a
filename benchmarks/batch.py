"""What it costs to run many things through an executor: ratios of one run, on a machine that does nothing else.

Eight equal runs on digits, one after the other, with two jobs, and through a Dask scheduler with two workers, each in a
process of its own, start-up included; ten thousand empty tasks through each executor; the memory of a worker on MNIST.

    python benchmarks/batch.py              needs the extra: pip install -e .[cluster]
    python benchmarks/batch.py --epochs 20 --tasks 1000        shorter, and less certain
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from gsm_cli.errors import DataError
from gsm_cli.runs.cluster import Cluster
from gsm_cli.runs.locks import RunLock
from gsm_cli.runs.places import Here, Workers
from gsm_cli.runs.processes import Processes
from gsm_cli.runs.task import Task, execute
from gsm_cli.settings import build

BIN = Path(sys.executable).parent
RUNS = 8
JOBS = 2
LIMITS = {"processes": 0.57, "dask": 0.65}  # of the serial time
MILLISECONDS = 5.0  # of the parent, for an empty task
MEBIBYTES = 700  # of a worker on MNIST
ONE_THREAD = os.environ | {"OMP_NUM_THREADS": "1"}


@contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """A scheduler and two workers; the file by which they are found."""
    file = folder / "scheduler.json"
    shared = ["--scheduler-file", str(file), "--no-dashboard"]
    commands = [
        [str(BIN / "dask"), "scheduler", *shared, "--host", "127.0.0.1", "--port", "0"],
        [str(BIN / "dask"), "worker", *shared, "--nworkers", str(JOBS), "--nthreads", "1"],
    ]
    started = [
        subprocess.Popen(command, env=ONE_THREAD, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for command in commands
    ]
    try:
        while not file.exists():
            time.sleep(0.05)
        with Cluster(str(file)) as workers:
            workers.client.wait_for_workers(JOBS)
        yield str(file)
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait()


def start_batch(folder: Path, epochs: int, seeds: str, *how: str) -> subprocess.Popen[bytes]:
    """The command of a batch."""
    words = ["train-ssl", "--objective", "gumbel", "--seeds", seeds, "--epochs", str(epochs), *how]
    return subprocess.Popen(
        [sys.executable, "-m", "gsm_cli", *words, "--out", str(folder)],
        env=ONE_THREAD,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def seconds(folder: Path, epochs: int, *hows: Sequence[str]) -> float:
    """The time of all runs, shared out among so many commands that run at once."""
    each, start = RUNS // len(hows), time.perf_counter()
    commands = [
        start_batch(folder / str(place), epochs, f"{place * each}-{(place + 1) * each - 1}", *how)
        for place, how in enumerate(hows)
    ]
    if any(command.wait() for command in commands):
        raise SystemExit("a batch failed")
    return time.perf_counter() - start


def compare_batches(folder: Path, epochs: int, file: str) -> None:
    """The time of the same runs in three ways."""
    alone = ("--jobs", "1")
    serial = seconds(folder / "alone", epochs, alone)
    print(f"{RUNS} runs of {epochs} epochs, one after the other: {serial:.1f} s")
    machine = seconds(folder / "apart", epochs, *[alone] * JOBS) / serial
    print(f"{JOBS} such commands at once, each with its share of the runs: {machine:.3f} of it; no batch can be faster")
    for name, how in (("processes", ("--jobs", str(JOBS))), ("dask", ("--scheduler", file))):
        ratio = seconds(folder / name, epochs, how) / serial
        print(f"{name}: {ratio:.3f} of it (at most {LIMITS[name]}) {verdict(ratio <= LIMITS[name])}")


def empty_tasks(name: str, workers: Workers, count: int) -> None:
    """Many tasks that do nothing, as many on their way as can run at once."""
    for size in (count // 10, count):
        before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        waiting: deque[Future[int]] = deque()
        for _ in range(size):
            if len(waiting) > workers.places:
                waiting.popleft().result()
            waiting.append(workers.submit(len, ()))
        for future in waiting:
            future.result()
        after, took = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter() - start
        own = 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) / size
        grown = (after.ru_maxrss - before.ru_maxrss) / 1024
        print(
            f"{name}: {size:,} empty tasks, {own:.2f} ms each of the parent's processor (at most {MILLISECONDS:g}) "
            f"{verdict(own <= MILLISECONDS)}, {1000 * took / size:.2f} ms of the clock, {grown:.1f} MiB more memory"
        )


def memory(folder: Path) -> None:
    """The greatest memory of a worker that trains two runs on MNIST for an epoch."""
    configs = [build({"dataset": "mnist", "objective": "marginalize", "epochs": 1, "seed": seed}) for seed in (0, 1)]
    with Processes(1, 1) as workers:
        for config in configs:
            task = Task(config, folder / f"{config.name}.json")
            RunLock(task.record).path.touch()
            try:
                assert workers.submit(execute, task).result().finished
            except DataError as error:
                print(f"a worker on MNIST: not measured ({error})")
                return
        usage = workers.submit(resource.getrusage, resource.RUSAGE_SELF).result()
    peak = usage.ru_maxrss / 1024
    print(f"a worker on MNIST: {peak:.0f} MiB (at most {MEBIBYTES}) {verdict(peak <= MEBIBYTES)}")


def verdict(kept: bool) -> str:
    return "kept" if kept else "MISSED"


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=200)
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--without-mnist", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, cluster(Path(name)) as file:
        folder = Path(name)
        with Here() as here:
            empty_tasks("this process", here, given.tasks)
        with Processes(JOBS, 1) as processes:
            empty_tasks("processes", processes, given.tasks)
        with Cluster(file) as dask:
            empty_tasks("dask", dask, given.tasks)
        compare_batches(folder, given.epochs, file)
        if not given.without_mnist:
            memory(folder)


if __name__ == "__main__":
    main()
