"""Workers on this machine: processes that stay warm, each with a pipe of its own; one that dies takes no other along.

`concurrent.futures.ProcessPoolExecutor` has one queue for all and gives up all of them when one is killed.
"""

import math
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Lock, get_ident
from typing import IO, Any, ParamSpec, TypeVar, cast

from gsm_cli.runs.environment import Device
from gsm_cli.runs.places import Here, News, WorkerLostError, Workers
from gsm_cli.runs.worker import ERROR, NEWS

P = ParamSpec("P")
T = TypeVar("T")
GROUPS = Path("/sys/fs/cgroup")
PATIENCE = 1.5  # seconds that a worker has to end by itself
PACKAGE = str(Path(__file__).parents[2])


def python(module: str) -> list[str]:
    """The command of a process that calls `main` of a module of this package.

    It imports from where this process does, and neither its working folder nor PYTHON* variables decide otherwise.
    """
    path = [PACKAGE, *(entry for entry in sys.path if Path(entry).is_absolute() and entry != PACKAGE)]
    start = f"import sys; sys.path[:] = {path!r}; from {module} import main; main()"
    return [sys.executable, "-I", "-X", "utf8", "-c", start]


def cores() -> int:
    """How many this process may use: those that it is bound to, and no more than its container has time for."""
    bound = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(bound, math.ceil(quota() or bound)))


def quota() -> float | None:
    """How many cores' time a container has, in the second version of Linux's control groups."""
    with suppress(OSError, ValueError):  # there is none, or without a limit: "max"
        time, period = map(float, (GROUPS / "cpu.max").read_text().split())
        return time / period
    return None


def share(jobs: int | None, runs: int, device: Device) -> tuple[int, int]:
    """How many of so many runs are done at once, and the threads of each.

    None is one for each core that the runs can fill, on a GPU one. A job has its share of the cores, unless the
    environment names its threads.
    """
    text = os.environ.get("OMP_NUM_THREADS", "")
    threads = int(text) if text.isdecimal() else 0  # 0: none are named
    most = jobs or (1 if device == "cuda" else max(1, cores() // (threads or 1)))
    filled = max(1, min(most, runs))
    return filled, threads or max(1, cores() // filled)


def on_this_machine(jobs: int | None, runs: int, to_do: int, device: Device) -> Workers:
    """Workers for a batch of so many runs: this process for one at a time, else processes, no more than are to do.

    What is left of a batch has the threads that the whole had, for another number of threads gives other bits.
    """
    filled, threads = share(jobs, runs, device)
    here = Here(threads if quota() else None)  # PyTorch by itself knows no quota
    return Processes(min(filled, to_do), threads) if filled > 1 and to_do else here


class Processes(Workers):
    """So many workers, each asked by a thread and with so many threads for PyTorch; one that dies is replaced."""

    def __init__(self, jobs: int, threads: int) -> None:
        self.jobs = jobs
        self.threads = threads
        self._servers = ThreadPoolExecutor(jobs, initializer=_leave_ctrl_c)
        self._workers: dict[int, Worker] = {}  # by the thread that asks it
        self._open = True
        self._lock = Lock()

    @property
    def places(self) -> int:
        return self.jobs

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return self._servers.submit(self._serve, pickle.dumps(pickle.dumps((fn, args, kwargs))))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop every worker, whatever it does, and wait until none is left."""
        with self._lock:
            self._open = False
            workers = list(self._workers.values())
        for worker in workers:
            worker.process.terminate()
        for worker in workers:
            worker.stop()
        self._servers.shutdown()

    def _serve(self, request: bytes) -> Any:
        """What the worker of this thread answers. Raises WorkerLostError if it ends, or there can be none."""
        with self._lock:
            if not self._open:
                raise WorkerLostError("was stopped")
            worker = self._workers.get(get_ident())
            if worker is None or worker.process.returncode is not None:
                try:
                    worker = self._workers[get_ident()] = Worker(self.threads)
                except OSError as error:
                    raise WorkerLostError(f"could not be started ({error.strerror})") from error
        return worker.ask(request, self.hear)


def _leave_ctrl_c() -> None:
    """To the parent alone: a worker inherits what its thread does not hear."""
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})


class Worker:
    """A process that does what it is asked, and what it says on the way."""

    def __init__(self, threads: int) -> None:
        self.process = subprocess.Popen(
            python("gsm_cli.runs.worker"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"OMP_NUM_THREADS": str(threads)} | os.environ | {"PYTHONSAFEPATH": "1"},
        )
        self.requests, self.answers = cast(IO[bytes], self.process.stdin), cast(IO[bytes], self.process.stdout)
        self.requests.write(pickle.dumps(pickle.dumps(threads)))

    def ask(self, request: bytes, hear: Callable[[News], None]) -> Any:
        """What a call returns, or the exception that it raises. Raises WorkerLostError if the process ends before."""
        try:
            self.requests.write(request)
            self.requests.flush()
            kind, value = pickle.load(self.answers)
            while kind == NEWS:
                hear(value)
                kind, value = pickle.load(self.answers)
        except (EOFError, OSError, ValueError, pickle.UnpicklingError) as error:
            self.stop()
            code = self.process.returncode
            ending = f"was killed by signal {-code}" if code < 0 else f"ended with the code {code}"
            raise WorkerLostError(ending) from error
        if kind == ERROR:
            raise value
        return value

    def stop(self) -> None:
        """End it: at once if it is idle, soon if it cleans up, by force if it does neither."""
        self.process.terminate()
        try:
            self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        for pipe in (self.requests, self.answers):
            with suppress(OSError, ValueError):  # what could not be sent any more
                pipe.close()
