"""Many runs through one executor: each one reused if it is finished, resumed if it was interrupted, else started."""

import threading
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Protocol

from gsm_cli.errors import GsmError
from gsm_cli.records.run import Epoch, RunRecord
from gsm_cli.runs.locks import RunLock
from gsm_cli.runs.outcomes import Outcome, keep, reuse, unfinished
from gsm_cli.runs.places import ExecutorLostError, WorkerLostError, Workers
from gsm_cli.runs.task import News, Task, execute

POLL = 0.5  # seconds between looks at what others train


class Watcher(Protocol):
    """Somebody who looks on: at the start of a run, at every epoch, at its end, and when something else happens."""

    def start(self, name: str, images: int) -> None: ...

    def epoch(self, name: str, number: int, epoch: Epoch) -> None: ...

    def end(self, outcome: Outcome) -> None: ...

    def note(self, name: str, words: str) -> None: ...


def run_all(tasks: Sequence[Task], executor: Workers, watcher: Watcher, force: bool = False) -> list[Outcome]:
    """Run what is not finished, as many at once as the executor can; the outcomes in the order of the tasks.

    A run that fails, or whose worker is lost twice, costs that run alone. One that somebody else trains is left to
    them and looked at again. An interruption stops the executor, and every run can be resumed.
    """
    batch = Batch(executor, watcher, force)
    try:
        batch.work(tasks)
    except BaseException:
        executor.shutdown(cancel_futures=True)  # before the locks are given back
        raise
    finally:
        batch.release()
    return [batch.outcomes[task.name] for task in tasks]


@dataclass
class _Running:
    """A task that an executor has, the lock on its run, and how often it was tried."""

    task: Task
    lock: RunLock
    tries: int = 1


class Batch:
    """Runs on their way: those with the executor, those that others train, and what became of the rest."""

    def __init__(self, executor: Workers, watcher: Watcher, force: bool) -> None:
        self.executor = executor
        self.watcher = watcher
        self.force = force
        self.thread = threading.get_ident()
        self.mail: SimpleQueue[News | Future[RunRecord]] = SimpleQueue()
        self.running: dict[Future[RunRecord], _Running] = {}
        self.elsewhere: deque[Task] = deque()  # others train them
        self.present: set[str] = set()  # names of those with the executor: news of others come too late
        self.outcomes: dict[str, Outcome] = {}
        executor.hear = self.hear

    def work(self, tasks: Iterable[Task]) -> None:
        """Until there is an outcome of every task."""
        for task in tasks:
            while len(self.running) >= max(1, self.executor.places):
                self.receive()
            if not self.begin(task):
                self.elsewhere.append(task)
        while self.running or self.elsewhere:
            for _ in range(len(self.elsewhere)):
                task = self.elsewhere.popleft()
                if len(self.running) >= max(1, self.executor.places) or not self.begin(task, again=True):
                    self.elsewhere.append(task)
            self.receive()

    def begin(self, task: Task, again: bool = False) -> bool:
        """Reuse or start a run, unless somebody else trains it, which is said once."""
        lock = RunLock(task.record)
        try:
            if not self.force and (record := reuse(task.record, task.config)):
                self.end(Outcome(task, record, reused=True))
                return True
            if not lock.acquire():
                if not again:
                    self.watcher.note(task.name, f"is left to {lock.holder()}, which trains it now")
                return False
            if not self.force and (record := reuse(task.record, task.config)):  # it was finished in between
                lock.release()
                self.end(Outcome(task, record, reused=True))
                return True
        except GsmError as error:
            lock.release()
            self.end(Outcome(task, None, problem=error))
            return True
        if self.force:
            task.checkpoint.unlink(missing_ok=True)
        self.submit(_Running(task, lock))
        return True

    def submit(self, running: _Running) -> None:
        self.present.add(running.task.name)
        future = self.executor.submit(execute, running.task.absolute())
        self.running[future] = running
        future.add_done_callback(self.mail.put)

    def hear(self, news: object) -> None:
        """News of a run: from this thread they are told at once, from others when it is their turn."""
        assert isinstance(news, News)
        if threading.get_ident() == self.thread:
            self.tell(news)
        else:
            self.mail.put(news)

    def tell(self, news: News) -> None:
        if news.name not in self.present:
            return
        if news.epoch is None:
            self.watcher.start(news.name, news.images)
        else:
            self.watcher.epoch(news.name, news.number, news.epoch)

    def receive(self) -> None:
        """Wait for one piece of news or one end, or until it is time to look at what others train."""
        try:
            mail = self.mail.get(timeout=POLL)
        except Empty:
            return
        if isinstance(mail, News):
            self.tell(mail)
            return
        running = self.running[mail]
        try:
            record = mail.result()
        except ExecutorLostError:
            raise
        except WorkerLostError as error:
            if running.tries < self.executor.tries:
                self.watcher.note(running.task.name, f"is tried again: its worker {error}")
                self.submit(_Running(running.task, running.lock, running.tries + 1))
                del self.running[mail]
            else:
                self.fail(running, error)
        except Exception as error:
            self.fail(running, error)
        else:
            self.finish(running, record)
        self.running.pop(mail, None)

    def finish(self, running: _Running, record: RunRecord) -> None:
        """Keep what a run gave; its checkpoint goes only when that is safe."""
        task = running.task
        try:
            keep(task.record, record)
            task.checkpoint.unlink(missing_ok=True)
            outcome = Outcome(task, record)
        except GsmError as error:
            outcome = Outcome(task, None, problem=error)
        running.lock.release()
        self.end(outcome)

    def fail(self, running: _Running, error: Exception) -> None:
        """Keep why a run could not be had; its checkpoint stays."""
        task = running.task
        record = unfinished(task, error)
        try:
            if record:
                keep(task.record, record)
        except GsmError:
            record = None
        running.lock.release()
        self.end(Outcome(task, record, problem=error))

    def end(self, outcome: Outcome) -> None:
        self.present.discard(outcome.task.name)
        self.outcomes[outcome.task.name] = outcome
        self.watcher.end(outcome)

    def release(self) -> None:
        """Give back every lock; after an interruption there are some."""
        for running in self.running.values():
            running.lock.release()
