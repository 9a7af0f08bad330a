"""Where tasks run: an executor of `concurrent.futures` whose tasks may speak on the way; the plainest is this process.

A task asks `PLACE` where it is. It is the same task in this process, in one beside it, and on another machine.
"""

from abc import abstractmethod
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar, cast

from msgspec import Struct

from gsm_cli.errors import GsmError
from gsm_cli.records.curves import Epoch

P = ParamSpec("P")
T = TypeVar("T")


class News(Struct, frozen=True):
    """What a run says on the way: that it begins, with the images of an epoch, that it ended one, or words."""

    name: str
    images: int = 0
    number: int = 0
    epoch: Epoch | None = None
    words: str = ""


class StoppedError(BaseException):
    """Whoever asked for a task wants it no longer."""


class WorkerLostError(BrokenExecutor):
    """A worker ended in the middle of a task, which says nothing about the task; the words say how."""


class ExecutorLostError(GsmError):
    """There is nobody left who could run anything."""


@dataclass(frozen=True)
class Place:
    """What a task may know of where it runs, and whom it speaks to."""

    say: Callable[[News], None] = lambda news: None
    threads: int | None = None  # of PyTorch; None: as many as it takes by itself
    wanted: Callable[[], bool] = lambda: True

    def check(self) -> None:
        """Raise StoppedError if the task is wanted no longer."""
        if not self.wanted():
            raise StoppedError


PLACE: ContextVar[Place] = ContextVar("place", default=Place())  # noqa: B039  it is frozen


class Workers(Executor):
    """An executor that knows how much it can do at once and hands on what its tasks say, in whatever thread that is."""

    hear: Callable[[News], None] = staticmethod(lambda news: None)
    tries = 2  # at a task whose worker is lost

    @property
    @abstractmethod
    def places(self) -> int:
        """How many tasks can run at the same time, now."""

    def problem_of(self, done: Future[Any]) -> Exception | None:
        """Why a task could not be done. Raises ExecutorLostError if no other can be done either."""
        return cast("Exception | None", done.exception())


class Here(Workers):
    """One task after the other in this process and thread: `submit` returns when the task is done."""

    tries = 1
    places = 1

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        future: Future[T] = Future()
        token = PLACE.set(Place(self.hear, self.threads))
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        finally:
            PLACE.reset(token)
        return future
