"""Executors and what they talk to, taken apart: a Dask client, a worker's pipes and signals as this file makes them."""

import contextvars
import io
import os
import pickle
import signal
import subprocess
import sys
from concurrent.futures import Future
from threading import Thread
from types import ModuleType, SimpleNamespace

import msgspec
import pytest

from gsm_cli.errors import UsageError
from gsm_cli.runs import cluster, processes, worker
from gsm_cli.runs.cluster import Cluster
from gsm_cli.runs.places import PLACE, ExecutorLostError, Here, StoppedError, WorkerLostError
from gsm_cli.runs.processes import Processes, Worker
from gsm_cli.runs.task import News

OURS = {"python": "3.11.7.final.0", "torch": "2.13.0+cpu", "gsm-cli": "7"}
TWO_HOSTS = ("tcp://a:1", "tcp://a:2", "tcp://b:1")


class Killed(Exception):  # noqa: N818  it is Dask's
    """A worker that Dask gave up."""


class Client:
    """A client of a scheduler with these workers, and what it was asked for."""

    status = "running"

    def __init__(self, *workers: str, threads: int = 1) -> None:
        self.workers = {address: {"nthreads": threads} for address in workers}
        self.asked: list[tuple[object, ...]] = []
        self.submitted: list[tuple[object, ...]] = []
        self.there: Future[object] = Future()

    def scheduler_info(self, n_workers: int) -> dict[str, object]:
        assert n_workers == -1  # all of them
        self.asked.append(("workers",))
        if isinstance(self.workers, Exception):
            raise self.workers
        return {"workers": self.workers}

    def wait_for_workers(self, count: int) -> None:
        self.asked.append(("wait", count))
        self.workers = {"tcp://late:1": {"nthreads": 1}}

    def get_versions(self, packages: list[str]) -> dict[str, object]:
        assert set(packages) == set(OURS)
        return {"client": {"packages": OURS}, "workers": {address: {"packages": OURS} for address in self.workers}}

    def subscribe_topic(self, topic: str, handler: object) -> None:
        self.topic, self.handler = topic, handler

    def get_executor(self, pure: bool) -> "Client":
        assert pure is False  # two calls that are equal are two calls
        return self

    def submit(self, *given: object) -> "Future[object]":
        self.submitted.append(given)
        return self.there

    def shutdown(self, wait: bool) -> None:
        self.asked.append(("leave", wait))
        raise OSError

    def close(self, timeout: float | None = None) -> None:
        self.asked.append(("close", timeout))


@pytest.fixture
def clock(monkeypatch) -> list[float]:
    """What the clock says, for whoever moves it."""
    now = [1000.0]
    monkeypatch.setattr(cluster.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def dask(monkeypatch) -> ModuleType:
    """In the place of Dask's package."""
    package = ModuleType("distributed")
    package.KilledWorker = Killed
    monkeypatch.setitem(sys.modules, "distributed", package)
    return package


def joined(monkeypatch, *workers: str, threads: int = 1) -> tuple[Cluster, Client, list[str]]:
    """A cluster of these workers, its client and what was noted."""
    client, notes = Client(*workers, threads=threads), []
    monkeypatch.setattr(cluster, "connect", lambda scheduler: client)
    return Cluster("tcp://s:1", notes.append), client, notes


class TestCluster:
    def test_without_a_worker_it_waits_for_one(self, monkeypatch):
        found, client, notes = joined(monkeypatch)
        assert notes == ["the scheduler at tcp://s:1 has no worker yet: the batch waits for one"]
        assert ("wait", 1) in client.asked
        assert found.places == 1
        assert found.tries == 1  # Dask tries again by itself

    def test_with_workers_it_begins(self, monkeypatch):
        found, client, notes = joined(monkeypatch, *TWO_HOSTS)
        assert (found.places, notes) == (3, [])
        assert {what for what, *_ in client.asked} == {"workers"}
        assert client.topic.startswith("gsm-")
        assert client.topic != joined(monkeypatch, *TWO_HOSTS)[1].topic

    def test_one_that_is_refused_is_left(self, monkeypatch):
        client = Client("tcp://a:1", threads=4)
        monkeypatch.setattr(cluster, "connect", lambda scheduler: client)
        with pytest.raises(UsageError) as caught:
            Cluster("tcp://s:1")
        assert client.asked[-1] == ("close", None)
        assert str(caught.value) == (
            "every worker must do one task at a time, and the one at tcp://a:1 does 4: "
            "start it with --nthreads 1, and as many with --nworkers as the machine has cores"
        )

    def test_its_workers_are_counted_every_two_seconds(self, monkeypatch, clock):
        found, client, _ = joined(monkeypatch, *TWO_HOSTS)
        assert found.places == 3
        client.workers = {"tcp://a:1": {}}
        clock[0] += 2.0
        assert found.places == 3
        clock[0] += 0.1
        assert found.places == 1
        for lost in (OSError(), KeyError()):
            client.workers = lost
            clock[0] += 2.1
            asked = len(client.asked)
            assert [found.places, found.places] == [1, 1]
            assert len(client.asked) == asked + 1

    def test_it_looks_at_once_also_where_the_clock_has_just_begun(self, monkeypatch, clock):
        clock[0] = 0.1
        assert joined(monkeypatch, *TWO_HOSTS)[0].places == 3

    def test_a_call_goes_there_with_what_a_place_knows(self, monkeypatch, dask):
        found, client, _ = joined(monkeypatch, *TWO_HOSTS)
        here = found.submit(divmod, 7, 2)
        ((function, topic, hosts, call),) = client.submitted
        assert (function, topic, hosts, call()) == (cluster._there, client.topic, {"a": 2, "b": 1}, (3, 1))
        assert not here.done()
        client.there.set_result("found")
        assert here.result(0) == "found"

    @pytest.mark.parametrize(
        ("error", "expected"),
        [
            (ValueError("no"), ValueError("no")),
            (Killed(), WorkerLostError("was lost, and so was every other that had the run")),
            (SystemExit(3), WorkerLostError("ended with SystemExit(3)")),
        ],
    )
    def test_how_a_call_ends_comes_back(self, monkeypatch, dask, error, expected):
        found, client, _ = joined(monkeypatch, *TWO_HOSTS)
        here = found.submit(print)
        client.there.set_exception(error)
        assert repr(here.exception(0)) == repr(expected)

    @pytest.mark.parametrize("before", [True, False])
    def test_a_scheduler_that_is_gone_is_the_end(self, monkeypatch, dask, before):
        found, client, _ = joined(monkeypatch, *TWO_HOSTS)
        if before:
            client.status = "closed"
            with pytest.raises(ExecutorLostError) as caught:
                found.submit(print)
            error = caught.value
        else:
            here = found.submit(print)
            client.there.cancel()
            client.there.set_running_or_notify_cancel()
            error = here.exception(0)
        assert type(error) is ExecutorLostError
        assert str(error) == (
            "the scheduler at tcp://s:1 must answer until the batch ends, and does not any more: start it again with "
            "its workers, and give the same command again to go on from the last checkpoints"
        )

    def test_it_is_left_without_waiting_whatever_that_says(self, monkeypatch):
        found, client, _ = joined(monkeypatch, *TWO_HOSTS)
        found.shutdown()
        assert client.asked[-2:] == [("leave", False), ("close", cluster.PATIENCE)]

    def test_news_are_heard(self, monkeypatch):
        found, client, _ = joined(monkeypatch, *TWO_HOSTS)
        heard, news = [], News("a", images=3)
        found.hear = heard.append
        client.handler((1.0, msgspec.json.encode(news)))
        assert heard == [news]


class TestConnect:
    def test_a_scheduler_is_named_by_its_address_or_its_file(self, folder, dask):
        asked = []
        dask.Client = lambda **given: asked.append(given) or "client"
        (folder / "s.json").touch()
        assert [cluster.connect(name) for name in ("tcp://s:1", "s.json")] == ["client", "client"]
        usual = {"timeout": cluster.PATIENCE, "set_as_default": False}
        assert asked == [{"address": "tcp://s:1"} | usual, {"scheduler_file": "s.json"} | usual]

    @pytest.mark.parametrize("error", [OSError, ValueError, TypeError])
    def test_one_that_does_not_answer(self, dask, error):
        def refuse(**given: object) -> None:
            raise error

        dask.Client = refuse
        with pytest.raises(UsageError) as caught:
            cluster.connect("tcp://s:1")
        assert str(caught.value) == (
            "--scheduler must name a scheduler that answers, and within 10 seconds none did at tcp://s:1: "
            "start one with dask scheduler, or give the address that it prints"
        )

    def test_a_file_that_is_not_there(self, folder, dask):
        dask.Client = None
        with pytest.raises(UsageError) as caught:
            cluster.connect("s.json")
        assert str(caught.value) == (
            "--scheduler must name a file that a scheduler wrote, and there is no s.json: start one"
        )

    def test_without_dask(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "distributed", None)
        with pytest.raises(UsageError) as caught:
            cluster.connect("tcp://s:1")
        assert str(caught.value) == (
            "--scheduler must have Dask, and it is not installed: pip install 'gsm-cli[cluster]'"
        )

    @pytest.mark.parametrize(
        ("package", "theirs", "words"),
        [
            ("python", "3.9.1.final.0", "Python 3.11.7 as this machine has, and the one at tcp://a:1 has 3.9.1"),
            ("python", "3.12.0.b.1", "Python 3.11.7 as this machine has, and the one at tcp://a:1 has 3.12.0.b.1"),
            ("torch", "1.0", "torch 2.13.0+cpu as this machine has, and the one at tcp://a:1 has 1.0"),
            ("gsm-cli", None, "gsm 7 as this machine has, and the one at tcp://a:1 has none"),
        ],
    )
    def test_other_versions_are_refused(self, package, theirs, words):
        workers = {"tcp://b:1": {"packages": OURS}, "tcp://a:1": {"packages": OURS | {package: theirs}}}
        with pytest.raises(UsageError) as caught:
            cluster.refuse_others({"client": {"packages": OURS}, "workers": workers})
        assert str(caught.value) == f"every worker must have {words}: install the same there"
        del workers["tcp://a:1"]
        cluster.refuse_others({"client": {"packages": OURS}, "workers": workers})

    def test_other_threads_are_refused(self):
        with pytest.raises(UsageError, match="the one at tcp://a:1 does 4: start it with --nthreads 1"):
            cluster.refuse_threads({"tcp://b:1": {"nthreads": 1}, "tcp://a:1": {"nthreads": 4}})

    def test_a_host_is_the_part_of_an_address_between(self):
        assert [cluster._host(address) for address in ("tcp://a:1", "inproc://", "odd")] == ["a", "inproc://", "odd"]


class TestThere:
    @pytest.mark.parametrize(("hosts", "beside"), [({"a": 3}, 2), ({}, 0)])
    def test_a_call_knows_where_it_is_and_is_heard(self, monkeypatch, dask, hosts, beside):
        said = []
        there = SimpleNamespace(
            address="tcp://a:1",
            state=SimpleNamespace(tasks={"key": SimpleNamespace(state="executing")}),
            log_event=lambda *given: said.append(given),
        )
        dask.get_worker = lambda: there
        module = ModuleType("distributed.worker")
        module.thread_state = SimpleNamespace(key="key")
        monkeypatch.setitem(sys.modules, "distributed.worker", module)
        before, news = PLACE.get(), News("a", number=3)

        def call() -> list[bool]:
            place = PLACE.get()
            assert (place.beside, place.threads) == (beside, None)
            place.say(news)
            wanted = [place.wanted()]
            for state in ("long-running", "cancelled"):
                there.state.tasks["key"].state = state
                wanted.append(place.wanted())
            there.state.tasks.clear()
            return [*wanted, place.wanted()]

        assert cluster._there("topic", hosts, call) == [True, True, False, False]
        assert said == [("topic", msgspec.json.encode(news))]
        assert PLACE.get() is before
        with pytest.raises(ZeroDivisionError):
            cluster._there("topic", hosts, lambda: 1 / 0)
        assert PLACE.get() is before

    def test_news_are_spared_for_half_a_second(self, clock):
        said = []
        say = cluster._sparing(said.append)
        for moment in (0.75, 1.25, 1.5, 2.0, 2.25):
            clock[0] = moment
            say(moment)
        assert said == [0.75, 1.5, 2.25]


class TestProcesses:
    def test_the_threads_that_the_environment_names(self, monkeypatch):
        found = []
        for text in ("3", "0", "", "-1", "all"):
            monkeypatch.setenv("OMP_NUM_THREADS", text)
            found.append(processes.named_threads())
        monkeypatch.delenv("OMP_NUM_THREADS")
        assert [*found, processes.named_threads()] == [3, None, None, None, None, None]

    def test_the_cores_are_those_that_it_may_use(self, monkeypatch):
        monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0: {1, 5, 7}}[process], raising=False)
        monkeypatch.setattr(os, "cpu_count", lambda: 9)
        assert processes.cores() == 3
        monkeypatch.delattr(os, "sched_getaffinity")
        assert processes.cores() == 9
        monkeypatch.setattr(os, "cpu_count", lambda: None)
        assert processes.cores() == 1

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
        assert isinstance(processes.on_this_machine(1, 8, "cpu"), Here)
        assert processes.on_this_machine(2, 8, "cpu") == (2, 3)

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
        found = Worker(3, 2)
        monkeypatch.setenv("OMP_NUM_THREADS", "7")
        Worker(3, 2)
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        assert started == [
            (processes.python("gsm_cli.runs.worker"), {**pipes, "env": {**os.environ, "PYTHONSAFEPATH": "1"} | threads})
            for threads in ({"OMP_NUM_THREADS": "2"}, {"OMP_NUM_THREADS": "7"})
        ]
        assert pickle.loads(pickle.loads(found.requests.getvalue())) == (3, 2)

    def test_how_a_process_ended_in_words(self):
        found = [processes._ending(code) for code in (-9, 0, 3)]
        assert found == ["was killed by signal 9", "ended with the code 0", "ended with the code 3"]

    def test_one_that_was_shut_down_starts_no_worker(self):
        workers = Processes(1, 1)
        workers.shutdown()
        with pytest.raises(WorkerLostError, match=r"^was stopped$"):
            workers._start(0)

    def test_every_worker_is_warmed_up(self):
        with Processes(3, 1) as workers:
            assert workers.places == 3
            calls = []
            workers.submit = calls.append
            workers.warm_up(print)
        assert calls == [print] * 3


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


def test_a_worker_that_does_not_end_is_killed_and_its_pipes_are_closed():
    found = Worker.__new__(Worker)
    found.process, found.requests, found.answers = Stubborn(), io.BytesIO(), io.BytesIO()
    found.stop()
    assert found.process.did == ["terminate", processes.PATIENCE, "kill", None]
    assert found.requests.closed
    assert found.answers.closed


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
        calls = [(pow, (2, 3), {"mod": 5}), (speak, ("words",), {}), (sys.exit, (), {})]
        requests = b"".join(pickle.dumps(pickle.dumps(each)) for each in [(3, 2), *calls])
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
        with pytest.raises(Ended):
            contextvars.copy_context().run(worker.main)
        assert did == [
            ("fdopen", 11, "wb"),
            ("dup2", 2, 1),
            ("signal", signal.SIGTERM, worker._stop),
            ("daemon", True),  # it must not outlive the other
            ("exit", 0),
        ]
        assert read(answers) == [("result", 3), ("news", "words"), ("result", (3, 2))]

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

    def test_it_is_stopped_once(self, monkeypatch):
        did = []
        monkeypatch.setattr(signal, "signal", lambda *given: did.append(given))
        with pytest.raises(SystemExit) as caught:
            worker._stop(15, None)
        assert (caught.value.code, did) == (None, [(signal.SIGTERM, signal.SIG_IGN)])


def speak(words: str) -> tuple[object, ...]:
    """A call that says something, and where it is."""
    PLACE.get().say(words)
    return PLACE.get().beside, PLACE.get().threads


def stop() -> None:
    raise StoppedError
