"""What the tests share: reproducible hypothesis, an empty working folder, and the command line as a function."""

import os
import random
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import hypothesis
import pytest
from typer.testing import CliRunner, Result

from gsm_cli.cli.app import app

T = TypeVar("T")

hypothesis.settings.register_profile("house", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.load_profile("house")


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many trials of each campaign kept what is promised."""
    ended = [each for reports in terminalreporter.stats.values() for each in reports if hasattr(each, "when")]
    for report in ended:
        if report.when == "teardown":  # the fixture has counted
            for name, value in report.user_properties:
                if name == "trials":
                    terminalreporter.write_line(value)


@dataclass
class Campaign:
    """Trials of one promise, in a random order that is always the same; what went wrong in which."""

    name: str
    rng: random.Random = field(default_factory=lambda: random.Random(1))
    done: int = 0
    broken: list[str] = field(default_factory=list)

    def sample(self, cases: Iterable[T], least: int = 1, cheap: int = 1) -> list[T]:
        """As many of the cases as FAULTS says, or that many times where they are cheap; without it the least number."""
        every = list(cases)
        wanted = cheap * int(os.environ["FAULTS"]) if "FAULTS" in os.environ else least
        return self.rng.sample(every, min(len(every), wanted))

    def count(self, case: object, problems: Iterable[str] = ()) -> None:
        self.done += 1
        self.broken += [f"{case}: {problem}" for problem in problems]

    def close(self) -> None:
        """Fail if a trial broke the promise."""
        assert self.done
        assert not self.broken, "\n".join(self.broken)


@pytest.fixture
def campaign(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Iterator[Campaign]:
    """Counts trials, prints how many kept the promise, and fails if one did not."""
    found = Campaign(request.node.name.removeprefix("test_").replace("_", " "))
    yield found
    broken = len({problem.partition(": ")[0] for problem in found.broken})
    record_property("trials", f"{found.name}: {found.done - broken} of {found.done} trials")


def pytest_configure() -> None:
    """Ctrl-C is heard, also under a runner in the background; workers of a parallel run take one thread each.

    Processes that tests start keep what they compile, or each of them would compile the package again.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if "PYTEST_XDIST_WORKER" in os.environ:
        import torch

        torch.set_num_threads(1)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, and the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def gsm(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `gsm` with these words in an empty folder, as on a machine with one core, where no workers are started."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0}, raising=False)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words], prog_name="gsm")


@pytest.fixture
def one_thread() -> Iterator[None]:
    """PyTorch with one thread, as runs have that are to be equal bit for bit."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
