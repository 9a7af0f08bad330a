"""Executors on this machine, taken apart: this process, and a worker's pipes and signals as this file makes them."""

import contextvars
import io
import os
import pickle
import signal
import subprocess
import sys
import time
from importlib import import_module
from threading import Thread
from types import SimpleNamespace

import pytest

from gsm_cli.interrupts import after_imports, insist
from gsm_cli.runs import processes, worker
from gsm_cli.runs.places import PLACE, Here, Place, StoppedError, WorkerLostError
from gsm_cli.runs.processes import Processes, Worker


class TestPlace:
    def test_a_task_knows_where_it_is_and_its_end_is_heard(self):
        here, heard = Here(), []
        here.hear = heard.append
        before = PLACE.get()

        def work(word: str, *, more: str) -> str:
            PLACE.get().say(word + more)
            PLACE.get().check()
            return word

        assert here.submit(work, "a", more="b").result(0) == "a"
        assert heard == ["ab"]
        assert PLACE.get() is before
        assert (before.threads, before.say("unheard")) == (None, None)
        assert isinstance(here.submit(int, "x").exception(0), ValueError)
        assert (here.places, here.tries) == (1, 1)

    def test_what_is_wanted_no_longer_stops(self):
        with pytest.raises(StoppedError):
            Place(wanted=lambda: False).check()
        Place().check()

    def test_a_place_is_left_after_an_interruption(self):
        def interrupt() -> None:
            raise KeyboardInterrupt

        before = PLACE.get()
        with pytest.raises(KeyboardInterrupt):
            Here().submit(interrupt)
        assert PLACE.get() is before


class TestProcesses:
    def test_the_threads_that_the_environment_names(self, monkeypatch):
        monkeypatch.setattr(processes, "cores", lambda: 7)
        found = []
        for text in ("3", "0", "", "-1", "all"):
            monkeypatch.setenv("OMP_NUM_THREADS", text)
            found.append(processes.share(1, 1, "cpu"))
        monkeypatch.delenv("OMP_NUM_THREADS")
        assert [*found, processes.share(1, 1, "cpu")] == [(1, 3), *[(1, 7)] * 5]

    def test_the_cores_are_those_that_it_may_use(self, monkeypatch):
        monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0: {1, 5, 7}}[process], raising=False)
        monkeypatch.setattr(os, "cpu_count", lambda: 9)
        assert processes.cores() == 3
        monkeypatch.delattr(os, "sched_getaffinity")
        assert processes.cores() == 9
        monkeypatch.setattr(os, "cpu_count", lambda: None)
        assert processes.cores() == 1

    @pytest.mark.parametrize(
        ("files", "cores"),
        [
            ({"cpu.max": "150000 100000"}, 2),
            ({"cpu.max": "50000 100000"}, 1),
            ({"cpu.max": "6400000 100000"}, 8),
            ({"cpu.max": "max 100000"}, 8),
            ({"cpu.max": ""}, 8),
            ({"cpu.max": "1 2 3"}, 8),
            ({"cpu.max": "\x00"}, 8),
            ({}, 8),
        ],
        ids=str,
    )
    def test_a_container_has_the_time_of_so_many(self, monkeypatch, tmp_path, files, cores):
        for name, text in files.items():
            (tmp_path / name).write_text(text)
        monkeypatch.setattr(processes, "GROUPS", tmp_path)
        monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        assert processes.cores() == cores
        assert processes.share(None, 100, "cpu") == (cores, 1)
        alone = processes.on_this_machine(1, 1, 1, "cpu")
        assert alone.submit(lambda: PLACE.get().threads).result() == (cores if processes.quota() else None)

    @pytest.mark.parametrize(
        ("jobs", "runs", "threads", "device", "expected"),
        [
            (None, 8, None, "cpu", (4, 1)),
            (None, 3, None, "cpu", (3, 1)),
            (None, 1, None, "cpu", (1, 4)),
            (None, 0, None, "cpu", (1, 4)),
            (None, 8, "2", "cpu", (2, 2)),
            (None, 8, "8", "cpu", (1, 8)),
            (2, 8, None, "cpu", (2, 2)),
            (8, 8, None, "cpu", (8, 1)),
            (8, 2, "3", "cpu", (2, 3)),
            (10**30, 2, None, "cpu", (2, 2)),
            (None, 8, None, "cuda", (1, 4)),
            (2, 8, "none", "cuda", (2, 2)),
        ],
    )
    def test_the_share_of_a_job(self, monkeypatch, jobs, runs, threads, device, expected):
        monkeypatch.setattr(processes, "cores", lambda: 4)
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        if threads:
            monkeypatch.setenv("OMP_NUM_THREADS", threads)
        assert processes.share(jobs, runs, device) == expected

    def test_one_at_a_time_is_done_here(self, monkeypatch):
        monkeypatch.setattr(processes, "Processes", lambda *given: given)
        monkeypatch.setenv("OMP_NUM_THREADS", "3")
        assert isinstance(processes.on_this_machine(1, 8, 8, "cpu"), Here)
        assert isinstance(processes.on_this_machine(2, 8, 0, "cpu"), Here)
        assert processes.on_this_machine(2, 8, 8, "cpu") == (2, 3)

    def test_what_is_left_of_a_batch_has_the_threads_of_the_whole(self, monkeypatch):
        monkeypatch.setattr(processes, "Processes", lambda *given: given)
        monkeypatch.setattr(processes, "cores", lambda: 4)
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        assert processes.on_this_machine(None, 4, 4, "cpu") == (4, 1)
        assert processes.on_this_machine(None, 4, 1, "cpu") == (1, 1)
        assert processes.on_this_machine(None, 2, 1, "cpu") == (1, 2)

    def test_a_worker_imports_from_where_this_process_does(self, monkeypatch):
        monkeypatch.setattr(sys, "path", ["", "relative", "/there", processes.PACKAGE, "/then"])
        interpreter, *options, code = processes.python("json")
        assert (interpreter, options) == (sys.executable, ["-I", "-X", "utf8", "-c"])
        assert code == (
            f"import sys; sys.path[:] = ['{processes.PACKAGE}', '/there', '/then']; from json import main; main()"
        )

    def test_what_a_worker_is_started_with(self, monkeypatch):
        """Its first message says where it is; the environment may name other threads."""
        started = []

        def start(command, **given):
            started.append((command, given))
            return SimpleNamespace(stdin=io.BytesIO(), stdout=io.BytesIO())

        monkeypatch.setattr(subprocess, "Popen", start)
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        monkeypatch.setenv("PYTHONSAFEPATH", "")
        found = Worker(2)
        monkeypatch.setenv("OMP_NUM_THREADS", "7")
        Worker(2)
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        assert started == [
            (processes.python("gsm_cli.runs.worker"), {**pipes, "env": {**os.environ, "PYTHONSAFEPATH": "1"} | threads})
            for threads in ({"OMP_NUM_THREADS": "2"}, {"OMP_NUM_THREADS": "7"})
        ]
        assert pickle.loads(pickle.loads(found.requests.getvalue())) == 2

    @pytest.mark.parametrize(
        ("code", "words"), [(-9, "was killed by signal 9"), (0, "ended with the code 0"), (3, "ended with the code 3")]
    )
    def test_how_a_process_ended_in_words(self, monkeypatch, code, words):
        ended = SimpleNamespace(stdin=io.BytesIO(), stdout=io.BytesIO(), returncode=code)
        monkeypatch.setattr(subprocess, "Popen", lambda *given, **named: ended)
        found = Worker(2)
        monkeypatch.setattr(found, "stop", lambda: None)
        with pytest.raises(WorkerLostError, match=f"^{words}$"):
            found.ask(b"", pytest.fail)

    def test_one_that_was_shut_down_starts_no_worker(self):
        workers = Processes(1, 1)
        workers.shutdown()
        with pytest.raises(WorkerLostError, match=r"^was stopped$"):
            workers._serve(b"")


class Stubborn:
    """A process that ends only when it is killed."""

    def __init__(self) -> None:
        self.did: list[object] = []

    def terminate(self) -> None:
        self.did.append("terminate")

    def kill(self) -> None:
        self.did.append("kill")

    def wait(self, seconds: float | None = None) -> None:
        self.did.append(seconds)
        if seconds is not None:
            raise subprocess.TimeoutExpired("worker", seconds)


class Broken(io.BytesIO):
    """A pipe that cannot be closed well."""

    error: Exception | None = None

    def close(self) -> None:
        super().close()
        if self.error:
            raise self.error


@pytest.mark.parametrize("error", [None, BrokenPipeError(), ValueError()])
def test_a_worker_that_does_not_end_is_killed_and_its_pipes_are_closed(error):
    found = Worker.__new__(Worker)
    found.process, found.requests, found.answers = Stubborn(), Broken(), io.BytesIO()
    found.requests.error = error
    found.stop()
    found.requests.error = None
    assert found.process.did == ["terminate", processes.PATIENCE, "kill", None]
    assert found.requests.closed
    assert found.answers.closed


def test_what_a_worker_says_is_heard_before_it_answers():
    found, heard = Worker.__new__(Worker), []
    said = [("news", "one"), ("news", "two"), ("result", 3), ("error", KeyError("four"))]
    found.requests, found.answers = io.BytesIO(), io.BytesIO(b"".join(pickle.dumps(each) for each in said))
    assert found.ask(b"first", heard.append) == 3
    with pytest.raises(KeyError, match="four"):
        found.ask(b"second", heard.append)
    assert (heard, found.requests.getvalue()) == (["one", "two"], b"firstsecond")


class Ended(BaseException):
    """In the place of the end of this process."""


def read(answers: io.BytesIO) -> list[tuple[str, object]]:
    """The messages in a stream."""
    answers.seek(0)
    found = []
    while answers.tell() < len(answers.getvalue()):
        found.append(pickle.load(answers))
    return found


class TestWorker:
    def test_it_serves_one_call_after_the_other_until_the_end(self, monkeypatch):
        calls = [(pow, (2, 3), {"mod": 5}), (speak, ("words",), {}), (stop, (), {})]
        requests = b"".join(pickle.dumps(pickle.dumps(each)) for each in [2, *calls])
        answers, did = io.BytesIO(), []

        def end(code: int) -> None:
            did.append(("exit", code))
            raise Ended

        monkeypatch.setattr(worker, "os", fake := SimpleNamespace(dup=lambda number: 10 + number, _exit=end))
        fake.getpid, fake.kill = os.getpid, lambda process, number: None
        fake.dup2 = lambda *given: did.append(("dup2", *given))
        fake.fdopen = lambda *given: did.append(("fdopen", *given)) or answers
        monkeypatch.setattr(signal, "signal", lambda *given: did.append(("signal", *given)))
        monkeypatch.setattr(
            worker, "Thread", lambda **given: did.append(("daemon", given["daemon"])) or Thread(**given)
        )
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(requests)))
        monkeypatch.setattr(worker, "insist", lambda *given: given)
        monkeypatch.setattr(sys, "unraisablehook", None)
        with pytest.raises(Ended):
            contextvars.copy_context().run(worker.main)
        assert sys.unraisablehook == (StoppedError, worker._renew)
        assert did == [
            ("fdopen", 11, "wb"),
            ("dup2", 2, 1),
            ("signal", signal.SIGTERM, worker._stop),
            ("daemon", True),  # it must not outlive the other
            ("exit", 0),
        ]
        assert read(answers) == [("result", 3), ("news", "words"), ("result", 2)]

    @pytest.mark.parametrize("rest", [b"", b"no pickle"])
    def test_it_stops_with_its_standard_input(self, monkeypatch, rest):
        killed, calls = [], worker.SimpleQueue()
        monkeypatch.setattr(os, "kill", lambda *given: killed.append(given))
        worker._read(io.BytesIO(pickle.dumps(b"a") + pickle.dumps(b"b") + rest), calls)
        assert [calls.get_nowait(), calls.get_nowait(), calls.empty()] == [b"a", b"b", True]
        assert killed == [(os.getpid(), signal.SIGTERM)]

    def test_an_error_brings_its_traceback(self):
        kind, error = worker._call(pickle.dumps((int, ("x",), {})))
        assert (kind, type(error)) == ("error", ValueError)
        assert "Traceback" in error.__notes__[0]
        with pytest.raises(StoppedError):
            worker._call(pickle.dumps((stop, (), {})))

    def test_what_cannot_travel_is_named(self):
        answers = io.BytesIO()
        worker._send(answers, "result", value := memoryview(b"a"))
        ((kind, error),) = read(answers)
        assert (kind, type(error)) == ("error", RuntimeError)
        assert str(error).startswith(f"memoryview ({value}), cannot pickle")

    def test_an_error_that_comes_to_pieces_on_the_way_is_named(self):
        """Whoever fails to read it would read it again for every call that follows."""
        answers = io.BytesIO()
        worker._send(answers, "error", Fragile())
        worker._send(answers, "result", 3)
        (kind, error), following = read(answers)
        assert (kind, type(error), following) == ("error", RuntimeError, ("result", 3))
        assert str(error).startswith("Fragile (<"), error

    def test_it_is_stopped_once(self, monkeypatch):
        did = []
        monkeypatch.setattr(signal, "signal", lambda *given: did.append(given))
        with pytest.raises(StoppedError):
            worker._stop(15, None)
        assert did == [(signal.SIGTERM, signal.SIG_IGN)]

    def test_it_is_stopped_again_where_python_took_no_notice(self, monkeypatch):
        did = []
        monkeypatch.setattr(signal, "signal", lambda *given: did.append(given))
        monkeypatch.setattr("threading.Timer", lambda _, *given: SimpleNamespace(start=lambda: did.append(given)))
        monkeypatch.setattr(sys, "__unraisablehook__", did.append)
        hook = insist(SystemExit, worker._renew)
        hook(SimpleNamespace(exc_value=SystemExit()))
        assert did == [(signal.SIGTERM, worker._stop), (os.kill, [os.getpid(), signal.SIGTERM])]
        hook(other := SimpleNamespace(exc_value=ValueError()))
        assert did[2:] == [other]


class TestAfterImports:
    """An exception in the start of an extension can abort the process: PyTorch's does."""

    @pytest.fixture
    def heard(self):
        """What was imported to its end, at each moment at which a signal was handled."""
        heard: list[bool] = []
        handler = after_imports(lambda number, frame: heard.append(hasattr(sys.modules.get("slow"), "ready")))
        before = signal.signal(signal.SIGUSR1, handler)
        yield heard
        signal.signal(signal.SIGUSR1, before)
        sys.modules.pop("slow", None)

    def test_a_signal_waits_for_the_end_of_an_import(self, heard, tmp_path, monkeypatch):
        body = "import os, signal, time\nos.kill(os.getpid(), signal.SIGUSR1)\ntime.sleep(0.05)\nready = True\n"
        (tmp_path / "slow.py").write_text(body)
        monkeypatch.syspath_prepend(str(tmp_path))
        import_module("slow")
        for _ in range(200):
            if heard:
                break
            time.sleep(0.01)
        assert heard == [True]

    def test_elsewhere_it_is_handled_at_once(self, heard):
        os.kill(os.getpid(), signal.SIGUSR1)
        assert heard == [False]


class Fragile:
    """It can be pickled, and not read again."""

    def __reduce__(self) -> tuple[type, tuple[str]]:
        return int, ("no number",)


def speak(words: str) -> object:
    """A call that says something, and where it is."""
    PLACE.get().say(words)
    return PLACE.get().threads


def stop() -> None:
    raise StoppedError
