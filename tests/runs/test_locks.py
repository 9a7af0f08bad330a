"""The lock on a run: who holds it, who gives it back, and where there can be none."""

import errno
import os
import platform
import subprocess
import threading

import pytest
from batches import tasks

from gsm_cli.errors import GsmError
from gsm_cli.runs import locks
from gsm_cli.runs.locks import RunLock
from gsm_cli.runs.task import Task


@pytest.fixture
def task(tmp_path) -> Task:
    (task,) = tasks(tmp_path, "gumbel")
    return task


class TestLock:
    def test_its_file_says_who_holds_it(self, task, monkeypatch):
        monkeypatch.setattr(platform, "node", lambda: "zürich")
        monkeypatch.setattr(locks.os, "getpid", lambda: 7)
        lock, other = RunLock(task.record), RunLock(task.record)
        assert lock.acquire()
        assert not other.acquire()
        assert lock.path == task.record.parent / f".{task.name}.lock"
        assert lock.path.read_text("utf-8") == other.holder() == "zürich, process 7"
        lock.release()
        assert not lock.path.exists()
        assert other.acquire()

    @pytest.mark.parametrize("content", [None, b"", b"\xff"])
    def test_a_file_that_does_not_say(self, task, content):
        lock = RunLock(task.record)
        lock.path.parent.mkdir(parents=True)
        if content is not None:
            lock.path.write_bytes(content)
        assert lock.holder() == "another process"

    def test_where_there_are_no_locks_the_file_itself_is_one(self, task, monkeypatch):
        """And it is taken from a process that was killed."""

        def refuse(fd: int, operation: int) -> None:
            raise OSError(errno.ENOSYS, "Function not implemented")

        monkeypatch.setattr("fcntl.flock", refuse)
        lock, other = RunLock(task.record), RunLock(task.record)
        with pytest.warns(UserWarning, match="falling back"):
            assert lock.acquire()
        with pytest.warns(UserWarning, match="falling back"):
            assert not other.acquire()
        assert other.holder() == f"{platform.node()}, process {os.getpid()}"
        held = lock.path.read_text("utf-8")
        lock.release()
        with subprocess.Popen(["true"]) as gone:
            gone.wait()
        lock.path.write_text(held.replace(str(os.getpid()), str(gone.pid), 1), "utf-8")
        with pytest.warns(UserWarning, match="falling back"):
            assert RunLock(task.record).acquire()

    def test_any_thread_may_give_it_back(self, task):
        lock = RunLock(task.record)
        lock.acquire()
        thread = threading.Thread(target=lock.release)
        thread.start()
        thread.join()
        assert RunLock(task.record).acquire()

    def test_whoever_has_not_got_it_gives_nothing_back(self, task):
        lock = RunLock(task.record)
        lock.acquire()
        RunLock(task.record).release()
        assert lock.path.exists()

    def test_a_file_that_cannot_be_locked_is_refused(self, task):
        task.record.parent.parent.mkdir(exist_ok=True)
        task.record.parent.write_text("a file")
        with pytest.raises(GsmError) as caught:
            RunLock(task.record).acquire()
        assert str(caught.value) == (
            f"{RunLock(task.record).path} must be a file that can be locked, and cannot (File exists): "
            "name another folder with --out"
        )

    def test_a_system_without_locks_is_refused(self, task, monkeypatch):
        def refuse(lock: object) -> None:
            raise NotImplementedError("no locks here")

        monkeypatch.setattr(locks.FileLock, "acquire", refuse)
        with pytest.raises(GsmError, match=r"and cannot \(no locks here\): name"):
            RunLock(task.record).acquire()
