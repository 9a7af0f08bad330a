"""The executor on a cluster, taken apart: with a Dask client as this file makes it, and no Dask."""

import re
import sys
from collections.abc import Callable
from concurrent.futures import Future
from types import ModuleType, SimpleNamespace

import cloudpickle
import msgspec
import pytest

from gsm_cli.errors import UsageError
from gsm_cli.fingerprint import fingerprint
from gsm_cli.runs import cluster
from gsm_cli.runs.cluster import Cluster
from gsm_cli.runs.places import PLACE, ExecutorLostError, News, WorkerLostError

OURS = {"python": "3.11.7.final.0", "torch": "2.13.0+cpu"}
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
        assert packages == ["torch"]  # asked for python, Dask would look for a package of that name
        return {"client": {"packages": OURS}, "workers": {address: {"packages": OURS} for address in self.workers}}

    def run(self, function: Callable[[], str]) -> dict[str, str]:
        travelled = cloudpickle.loads(cloudpickle.dumps(function))
        return dict.fromkeys(self.workers, travelled())

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

    def test_one_that_comes_later_is_refused_too(self, monkeypatch, clock):
        found, client, _ = joined(monkeypatch, "tcp://a:1")
        client.workers["tcp://b:1"] = {"nthreads": 4}
        assert found.places == 1  # it was not looked for again
        clock[0] += 2.5
        with pytest.raises(UsageError, match="one at tcp://b:1 does 4"):
            _ = found.places

    def test_it_looks_at_once_also_where_the_clock_has_just_begun(self, monkeypatch, clock):
        clock[0] = 0.1
        assert joined(monkeypatch, *TWO_HOSTS)[0].places == 3

    def test_a_call_goes_there_with_what_a_place_knows(self, monkeypatch, dask):
        found, client, _ = joined(monkeypatch, *TWO_HOSTS)
        here = found.submit(pow, 2, 3, mod=5)
        ((function, code, topic, call),) = client.submitted
        assert (function, code) == (cluster._there, fingerprint())
        assert (topic, call()) == (client.topic, 3)
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
        assert repr(found.problem_of(here)) == repr(expected)

    @pytest.mark.parametrize("before", [True, False])
    def test_a_scheduler_that_is_gone_is_the_end(self, monkeypatch, dask, before):
        found, client, _ = joined(monkeypatch, *TWO_HOSTS)
        if before:
            client.status = "closed"
            with pytest.raises(ExecutorLostError):
                found.submit(print)
            with pytest.raises(ExecutorLostError) as caught:
                _ = found.places  # or a batch would wait for ever for what was submitted while it was looked for
            error = caught.value
        else:
            here = found.submit(print)
            client.there.cancel()
            with pytest.raises(ExecutorLostError) as caught:
                found.problem_of(here)
            error = caught.value
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
        dask.Client = type("Client", (), {"__init__": lambda client, **given: asked.append(given)})
        (folder / "s.json").touch()
        assert {type(cluster.connect(name)) for name in ("tcp://s:1", "s.json")} == {dask.Client}
        usual = {"timeout": cluster.PATIENCE, "set_as_default": False}
        assert asked == [{"address": "tcp://s:1"} | usual, {"scheduler_file": "s.json"} | usual]

    @pytest.mark.parametrize("error", [OSError, ValueError, TypeError])
    def test_one_that_does_not_answer(self, dask, error):
        def refuse(client: object, **given: object) -> None:
            raise error

        closed: list[float] = []
        dask.Client = type("Client", (), {"__init__": refuse, "close": lambda _, timeout: closed.append(timeout)})
        with pytest.raises(UsageError) as caught:
            cluster.connect("tcp://s:1")
        assert str(caught.value) == (
            "--scheduler must name a scheduler that answers, and within 10 seconds none did at tcp://s:1: "
            "start one with dask scheduler, or give the address that it prints"
        )
        assert closed == [cluster.PATIENCE]

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
            "--scheduler must have Dask, and it is not installed: "
            "in a clone of gsm, pip install --constraint constraints.txt '.[cluster]'"
        )

    @pytest.mark.parametrize(
        ("name", "theirs", "words"),
        [
            (
                "python",
                "3.9.1.final.0",
                "python 3.11.7.final.0 as this machine has, and the one at tcp://a:1 has 3.9.1",
            ),
            ("torch", None, "torch 2.13.0+cpu as this machine has, and the one at tcp://a:1 has none"),
        ],
    )
    def test_other_versions_are_refused(self, name, theirs, words):
        same = {"tcp://b:1": OURS | {"dask": "2025.1"}}  # Dask tells more than it is asked for
        cluster.refuse_others(same, OURS)
        with pytest.raises(UsageError, match=f"^every worker must have {re.escape(words)}.*: install the same there$"):
            cluster.refuse_others(same | {"tcp://a:1": OURS | {name: theirs}}, OURS)

    @pytest.mark.parametrize("theirs", [16 * "f", None])
    def test_another_code_is_refused(self, monkeypatch, theirs):
        codes = {"tcp://a:1": theirs, "tcp://b:1": fingerprint()}
        monkeypatch.setattr(Client, "run", lambda client, function: {name: codes[name] for name in client.workers})
        joined(monkeypatch, "tcp://b:1")
        with pytest.raises(UsageError) as caught:
            joined(monkeypatch, "tcp://b:1", "tcp://a:1")
        assert str(caught.value) == (
            f"every worker must have gsm of the code {fingerprint()} as this machine has, and the one at tcp://a:1 "
            f"has {theirs or 'none'}: install the same there"
        )

    def test_a_worker_without_gsm_has_no_code(self, monkeypatch):
        """What asks for it travels whole, and not as the name of a function of gsm."""
        asked = cloudpickle.dumps(cluster._code_there())
        monkeypatch.setitem(sys.modules, "gsm_cli.runs.cluster", None)
        monkeypatch.setitem(sys.modules, "gsm_cli.fingerprint", None)
        assert cloudpickle.loads(asked)() is None

    def test_other_threads_are_refused(self):
        with pytest.raises(UsageError, match="the one at tcp://a:1 does 4: start it with --nthreads 1"):
            cluster.refuse_threads({"tcp://b:1": {"nthreads": 1}, "tcp://a:1": {"nthreads": 4}})


class TestThere:
    def test_a_call_knows_where_it_is_and_is_heard(self, monkeypatch, dask):
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
            assert place.threads is None
            place.say(news)
            wanted = [place.wanted()]
            for state in ("long-running", "cancelled"):
                there.state.tasks["key"].state = state
                wanted.append(place.wanted())
            there.state.tasks.clear()
            return [*wanted, place.wanted()]

        code = fingerprint()
        assert cluster._there(code, "topic", call) == [True, True, False, False]
        assert said == [("topic", msgspec.json.encode(news))]
        assert PLACE.get() is before
        with pytest.raises(ZeroDivisionError):
            cluster._there(code, "topic", lambda: 1 / 0)
        assert PLACE.get() is before
        with pytest.raises(UsageError, match=rf"the code {'0' * 16} .* the one at tcp://a:1 has {code}"):
            cluster._there("0" * 16, "topic", pytest.fail)  # one that has come since workers were looked at
