"""Many runs through one executor: each one reused if it is finished, resumed if it was interrupted, else started."""

import threading
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Protocol

from gsm_cli.errors import GsmError
from gsm_cli.files import is_there, remove
from gsm_cli.records.curves import Epoch
from gsm_cli.records.run import RunRecord
from gsm_cli.runs.locks import RunLock
from gsm_cli.runs.places import News, WorkerLostError, Workers
from gsm_cli.runs.task import Outcome, Task, execute, keep, reuse, unfinished

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
        for lock in batch.locks.values():  # after an interruption there are some
            lock.release()
    return [batch.outcomes[task.name] for task in tasks]


class Batch:
    """Runs on their way: those with the executor, those that others train, and what became of the rest."""

    def __init__(self, executor: Workers, watcher: Watcher, force: bool) -> None:
        self.executor = executor
        self.watcher = watcher
        self.force = force
        self.thread = threading.get_ident()
        self.mail: SimpleQueue[News | Future[RunRecord]] = SimpleQueue()
        self.running: dict[Future[RunRecord], Task] = {}
        self.tries: Counter[str] = Counter()  # of each run by its name, as the next
        self.locks: dict[str, RunLock] = {}  # until there is an outcome
        self.elsewhere: set[str] = set()  # names of those that others train
        self.outcomes: dict[str, Outcome] = {}
        executor.hear = self.hear

    def work(self, tasks: Iterable[Task]) -> None:
        """Until there is an outcome of every task."""
        waiting = deque(tasks)
        while waiting or self.running:
            places = max(1, self.executor.places)  # asked for also where nothing is to begin: who has joined is checked
            for _ in range(len(waiting)):
                if len(self.running) >= places:
                    break
                if not self.begin(task := waiting.popleft()):
                    waiting.append(task)
            if waiting or self.running:
                self.receive()

    def begin(self, task: Task) -> bool:
        """Reuse or start a run, unless somebody else trains it, which is said once."""
        lock = self.locks.setdefault(task.name, RunLock(task.record))
        try:
            if record := self.finished(task):
                self.tidy(task, lock)
            elif not lock.acquire():
                if task.name not in self.elsewhere:
                    self.watcher.note(task.name, f"is left to {lock.holder()}, which trains it now")
                self.elsewhere.add(task.name)
                return False
            elif not (record := self.finished(task)):  # in between
                task = self.variant(task)
        except GsmError as error:
            self.end(Outcome(task, None, problem=error))
            return True
        if record:
            self.end(Outcome(task, record, reused=True))
        else:
            self.submit(task)
        return True

    def finished(self, task: Task) -> RunRecord | None:
        """The record of a run that need not be trained."""
        return None if self.force else reuse(task.record, task.config)

    def variant(self, task: Task) -> Task:
        """The run as it is to be begun: with --force anew, but from where an earlier --force came to."""
        anew = replace(task, anew=True)
        if self.force:
            remove(task.checkpoint)
        return anew if self.force or (is_there(anew.checkpoint) and not is_there(task.checkpoint)) else task

    def tidy(self, task: Task, lock: RunLock) -> None:
        """Remove what was left beside a finished run, if nobody is at it; but not what was begun anew."""
        if (is_there(task.checkpoint) or is_there(lock.path)) and lock.acquire():
            remove(task.checkpoint)
        if is_there(replace(task, anew=True).checkpoint):
            self.watcher.note(task.name, "was finished before; --force goes on with what was begun anew")

    def submit(self, task: Task) -> None:
        self.tries[task.name] += 1
        future = self.executor.submit(execute, task.absolute())
        self.running[future] = task
        future.add_done_callback(self.mail.put)

    def hear(self, news: News) -> None:
        """News of a run: from this thread they are told at once, from others when it is their turn."""
        if threading.get_ident() == self.thread:
            self.tell(news)
        else:
            self.mail.put(news)

    def tell(self, news: News) -> None:
        if news.name in self.outcomes:  # they come too late
            return
        if news.words:
            self.watcher.note(news.name, news.words)
        elif news.epoch is None:
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
        task, problem = self.running.pop(mail), self.executor.problem_of(mail)
        if isinstance(problem, WorkerLostError) and self.tries[task.name] < self.executor.tries:
            self.watcher.note(task.name, f"is tried again: its worker {problem}")
            self.submit(task)
        else:
            record = unfinished(task, problem) if problem else mail.result()
            self.close(task, record, problem)

    def close(self, task: Task, record: RunRecord | None, problem: Exception | None) -> None:
        """Keep what a run gave, or why it could not be completed; its checkpoint goes only when that is safe."""
        try:
            if record:
                keep(task.record, record)
            if problem is None:
                remove(task.checkpoint)
        except GsmError as error:
            record, problem = None, problem or error
        self.end(Outcome(task, record, problem=problem))

    def end(self, outcome: Outcome) -> None:
        self.locks.pop(outcome.task.name).release()
        self.outcomes[outcome.task.name] = outcome
        self.watcher.end(outcome)
