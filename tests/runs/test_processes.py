"""Worker processes: what they answer, how they end, and what they never import."""

import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gsm_cli.runs.places import PLACE, WorkerLostError
from gsm_cli.runs.processes import PATIENCE, Processes

PARENT = """
import os, sys, time
from gsm_cli.runs.processes import Processes
if __name__ == "__main__":
    workers = Processes(1, 1)
    print(workers.submit(os.getpid).result(), flush=True)
    workers.submit(time.sleep, 60)
    time.sleep(60)
"""


def gone(pid: int, seconds: float) -> bool:
    """Whether a process ends within so many seconds."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def place() -> tuple[object, ...]:
    """Where this is, as a worker sees it."""
    found = PLACE.get()
    return os.getpid(), found.threads, os.environ["OMP_NUM_THREADS"], os.environ["PYTHONSAFEPATH"]


@pytest.fixture(scope="module")
def workers():
    with Processes(2, 3) as found:
        yield found


class TestAnswers:
    def test_results_and_exceptions_come_back(self, workers):
        assert [workers.submit(math.sqrt, x).result() for x in (0, 1, 4)] == [0, 1, 2]
        with pytest.raises(ValueError, match="math domain error") as raised:
            workers.submit(math.sqrt, -1).result()
        assert "Traceback" in raised.value.__notes__[0]

    def test_a_call_that_is_cancelled_is_passed_over(self):
        with Processes(1, 1) as workers:
            first, cancelled = workers.submit(time.sleep, 0.1), workers.submit(time.sleep, 60)
            assert cancelled.cancel()
            assert workers.submit(math.sqrt, 4).result(5) == 2
            assert first.done()

    def test_ctrl_c_is_for_the_parent_alone(self):
        with Processes(1, 1) as workers:
            assert signal.SIGINT in workers.submit(signal.pthread_sigmask, signal.SIG_BLOCK, ()).result(5)

    def test_what_cannot_travel_is_an_error_and_costs_no_worker(self, workers):
        pids = {workers.submit(os.getpid).result() for _ in range(20)}
        with pytest.raises(RuntimeError, match="memoryview"):
            workers.submit(memoryview, b"a").result()
        assert {workers.submit(os.getpid).result() for _ in range(20)} <= pids

    def test_what_a_call_prints_is_no_answer(self, capfd):
        with Processes(1, 1) as workers:
            assert workers.submit(os.system, "echo shell").result() == 0
            assert workers.submit(print, "words", flush=True).result() is None
        assert set(capfd.readouterr().err.split()) == {"shell", "words"}

    def test_a_place_knows_its_threads(self, monkeypatch):
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        monkeypatch.syspath_prepend(Path(__file__).parent)  # a worker looks where this process does
        with Processes(2, 3) as workers:
            pid, *rest = workers.submit(eval, f"__import__({Path(__file__).stem!r}).place()").result()
        assert pid != os.getpid()
        assert rest == [3, "3", "1"]


class TestEnds:
    def test_a_worker_that_is_killed_costs_its_call_alone(self):
        with Processes(2, 1) as workers:
            first = workers.submit(os.getpid).result()
            lost = [workers.submit(time.sleep, 60) for _ in range(1)]
            while not any(future.running() for future in lost):
                time.sleep(0.01)
            other = workers.submit(os.getpid).result()
            slow = workers.submit(time.sleep, 0.3)
            victim = next(w.process for w in workers._workers.values() if w.process.pid != other)
            victim.kill()
            with pytest.raises(WorkerLostError, match="was killed by signal 9"):
                lost[0].result(5)
            assert slow.result(5) is None
            assert len({workers.submit(os.getpid).result() for _ in range(50)} | {first, other}) >= 2

    def test_shutting_down_stops_what_runs_and_leaves_nothing(self):
        workers = Processes(2, 1)
        pids = {workers.submit(os.getpid).result() for _ in range(50)}
        futures = [workers.submit(time.sleep, 60) for _ in range(3)]
        start = time.monotonic()
        workers.shutdown()
        assert time.monotonic() - start < PATIENCE
        assert all(gone(pid, 0.1) for pid in pids)
        assert all(isinstance(future.exception(0), WorkerLostError) for future in futures)

    def test_one_that_does_not_listen_is_stopped_by_force(self):
        workers = Processes(1, 1)
        pid = workers.submit(os.getpid).result()
        workers.submit(signal.signal, signal.SIGTERM, signal.SIG_IGN).exception()
        workers.submit(time.sleep, 60)
        start = time.monotonic()
        workers.shutdown()
        assert time.monotonic() - start < 2.0
        assert gone(pid, 0.1)

    def test_workers_end_with_a_parent_that_is_killed(self, tmp_path):
        (tmp_path / "parent.py").write_text(PARENT)
        with subprocess.Popen([sys.executable, tmp_path / "parent.py"], stdout=subprocess.PIPE, text=True) as parent:
            pid = int(parent.stdout.readline())
            parent.kill()
        assert gone(pid, 2.0)

    def test_a_worker_that_cannot_start_is_lost(self, monkeypatch):
        def refuse(*_: object, **__: object) -> None:
            raise OSError(12, "Cannot allocate memory")

        monkeypatch.setattr(subprocess, "Popen", refuse)
        with Processes(1, 1) as workers, pytest.raises(WorkerLostError, match="could not be started"):
            workers.submit(os.getpid).result(5)


@pytest.mark.parametrize("variable", ["", ":", "."])
def test_nothing_of_the_working_folder_is_imported(folder, monkeypatch, variable):
    monkeypatch.setenv("PYTHONPATH", variable)
    for name in ("json", "random", "pickle", "traceback", "msgspec", "gsm_cli"):
        (folder / f"{name}.py").write_text("raise SystemExit('a file of the working folder was imported')")
    with Processes(1, 1) as workers:
        assert workers.submit(math.sqrt, 4).result(20) == 2
        from gsm_cli.files import is_there

        assert workers.submit(is_there, folder / "json.py").result(20)
