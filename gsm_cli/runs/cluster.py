"""Workers on other machines: a Dask scheduler that somebody started, behind the interface of the executors.

Dask gives a task whose worker is lost to another by itself, as often as its scheduler's `allowed-failures` says.
"""

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar
from uuid import uuid4

import msgspec

from gsm_cli.errors import UsageError
from gsm_cli.fingerprint import fingerprint
from gsm_cli.runs.places import PLACE, ExecutorLostError, News, Place, WorkerLostError, Workers

P = ParamSpec("P")
T = TypeVar("T")
PATIENCE = 10  # seconds in which a scheduler must answer, and a client must end
GLANCE = 2.0  # seconds between looks at which workers there are
COMMON = ("python", "torch")  # whose versions must agree
CODE = "gsm of the code"
INSTALL = "in a clone of gsm, pip install --constraint constraints.txt '.[cluster]'"


class Cluster(Workers):
    """The workers of the scheduler at an address, or of the one that wrote a scheduler file.

    Raises UsageError if Dask is not installed, if nobody answers, or if a worker has another code, other versions or
    several threads; also later, for one that comes while the batch runs.
    """

    tries = 1

    def __init__(self, scheduler: str, note: Callable[[str], None] = lambda words: None) -> None:
        self.scheduler = scheduler
        self.client = connect(scheduler)
        logging.disable()  # of what ends the batch there is one sentence, and no traceback of Dask's
        self._known: frozenset[str] = frozenset()  # addresses of workers that were not refused
        self._seen = -GLANCE
        self._topic = f"gsm-{uuid4().hex}"
        try:
            if not self._workers():
                note(f"the scheduler at {scheduler} has no worker yet: the batch waits for one")
                self.client.wait_for_workers(1)
            self._look()
            self.client.subscribe_topic(self._topic, self._hear)
        except BaseException:
            self.client.close()
            raise
        self.executor = self.client.get_executor(pure=False)

    @property
    def places(self) -> int:
        return len(self._look())

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        self._look()
        call = partial(fn, *args, **kwargs)
        future: Future[T] = self.executor.submit(_there, fingerprint(), self._topic, call)
        return future

    def problem_of(self, done: Future[Any]) -> Exception | None:
        from distributed import KilledWorker

        if done.cancelled():
            raise self._lost()
        error = done.exception()
        if isinstance(error, KilledWorker):
            return WorkerLostError("was lost, and so was every other that had the run")
        return error if error is None or isinstance(error, Exception) else WorkerLostError(f"ended with {error!r}")

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Leave the cluster; what still runs there for this batch stops at its next step."""
        with suppress(Exception):  # the scheduler may be gone
            self.executor.shutdown(wait=False)
        self.client.close(timeout=PATIENCE)
        logging.disable(logging.NOTSET)

    def _hear(self, event: tuple[float, bytes]) -> None:
        self.hear(msgspec.json.decode(event[1], type=News))

    def _lost(self) -> ExecutorLostError:
        return ExecutorLostError(
            f"the scheduler at {self.scheduler} must answer until the batch ends, and does not any more: "
            "start it again with its workers, and give the same command again to go on from the last checkpoints"
        )

    def _workers(self) -> Mapping[str, Mapping[str, Any]]:
        found: Mapping[str, Mapping[str, Any]] = self.client.scheduler_info(n_workers=-1)["workers"]
        return found

    def _look(self) -> frozenset[str]:
        """The workers' addresses, as seen not long ago. Raises ExecutorLostError where nobody is asked."""
        if self.client.status == "closed":  # what was submitted while it was looked for never ends
            raise self._lost()
        if time.monotonic() - self._seen > GLANCE:
            with suppress(OSError, KeyError):  # the scheduler is looked for again
                workers = self._workers()
                if workers.keys() - self._known:
                    versions = self.client.get_versions(packages=["torch"])  # Python it tells unasked
                    ours = {name: versions["client"]["packages"][name] for name in COMMON}
                    refuse_others({address: each["packages"] for address, each in versions["workers"].items()}, ours)
                    codes = self.client.run(_code_there()).items()
                    refuse_others({address: {CODE: code} for address, code in codes}, {CODE: fingerprint()})
                    refuse_threads(workers)
                self._known = frozenset(workers)
            self._seen = time.monotonic()
        return self._known


def connect(scheduler: str) -> Any:
    """A client of the scheduler. Raises UsageError if there is none."""
    try:
        from distributed import Client
    except ImportError:
        raise UsageError(f"--scheduler must have Dask, and it is not installed: {INSTALL}") from None
    is_file = Path(scheduler).is_file()
    if not is_file and scheduler.endswith(".json"):
        raise UsageError(f"--scheduler must name a file that a scheduler wrote, and there is no {scheduler}: start one")
    client = Client.__new__(Client)  # by hand, to close one that fails: collected later it may block the next for ever
    place = {"scheduler_file" if is_file else "address": scheduler}
    try:
        client.__init__(**place, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        with suppress(Exception):  # it may not have come far
            client.close(timeout=PATIENCE)
        raise UsageError(
            f"--scheduler must name a scheduler that answers, and within {PATIENCE} seconds none did at {scheduler}: "
            "start one with dask scheduler, or give the address that it prints"
        ) from error
    return client


def refuse_others(found: Mapping[str, Mapping[str, str | None]], ours: Mapping[str, str]) -> None:
    """Raise UsageError for a worker, by its address, that has another version of something than this machine."""
    for address, theirs in found.items():
        for name, version in ours.items():
            if theirs.get(name) != version:
                raise UsageError(
                    f"every worker must have {name} {version} as this machine has, and the one at {address} has "
                    f"{theirs.get(name) or 'none'}: install the same there"
                )


def _code_there() -> Callable[[], str | None]:
    """What tells the code of a worker: a function that travels whole, because gsm may be missing there."""

    def code() -> str | None:
        try:
            from gsm_cli.fingerprint import fingerprint
        except ImportError:
            return None
        return fingerprint()

    return code


def refuse_threads(workers: Mapping[str, Mapping[str, Any]]) -> None:
    """Raise UsageError for a worker that would train several runs in one process."""
    for address, worker in workers.items():
        if worker["nthreads"] != 1:
            raise UsageError(
                f"every worker must do one task at a time, and the one at {address} does {worker['nthreads']}: "
                "start it with --nthreads 1, and as many with --nworkers as the machine has cores"
            )


def _there(code: str, topic: str, call: Callable[[], T]) -> T:
    """On a worker: make the call, as one that knows where it is, and stop it when it is wanted no longer.

    Raises UsageError if it is of another code, as one may be that has just come.
    """
    from distributed import get_worker
    from distributed.worker import thread_state

    worker, key = get_worker(), thread_state.key
    refuse_others({worker.address: {CODE: fingerprint()}}, {CODE: code})

    def wanted() -> bool:
        state = worker.state.tasks.get(key)
        return state is not None and state.state in ("executing", "long-running")

    token = PLACE.set(Place(lambda news: worker.log_event(topic, msgspec.json.encode(news)), wanted=wanted))
    try:
        return call()
    finally:
        PLACE.reset(token)
