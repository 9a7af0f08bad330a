"""What the campaigns of `tests/faults` share: a command in a process that something happens to, and what it leaves.

A process is forked from one that has imported everything, so that a trial takes as long as its command and no more.
"""

import ctypes
import multiprocessing
import os
import signal
import struct
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from errno import ENOSPC
from functools import cache, partial
from pathlib import Path
from typing import Any

from batches import kept

TRAIN = (
    *("train-ssl", "--objective", "gumbel,supervised", "--jobs", "1", "--epochs", "3"),
    *("--set", "hidden=8", "--set", "latent=2", "--set", "auxiliary=2", "--batch-size", "400"),
)
COST = ("cost", "--classes", "2,3", "--objective", "gumbel,reinforce", "--rounds", "1", "--batch-size", "2")
CHANGES = {"os.mkdir", "os.rename", "os.remove", "os.truncate", "os.link", "os.symlink"}  # of what is on disk
ENDS = {signal.SIGINT: 130, signal.SIGTERM: 143}
PRELOADED = [
    "gsm_cli.cli.train",
    "gsm_cli.cli.cost",
    "gsm_cli.cli.display",
    "gsm_cli.runs.batch",
    "gsm_cli.law.pictures",
    "gsm_cli.reports.folder",
]
Fault = Callable[[], None]


@dataclass(frozen=True)
class Ended:
    """How a process ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def one_line(self) -> bool:
        """Whether it said one sentence at its end, and neither a traceback nor that it has a defect."""
        said = [line for line in self.err.splitlines() if line.startswith("gsm: ")]
        return len(said) == 1 and not any(word in self.err for word in ("Traceback", "a defect", "Exception ignored"))


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def full() -> None:
    raise OSError(ENOSPC, "No space left on device")


def stop(number: int) -> None:
    os.kill(os.getpid(), number)


def powerless() -> None:
    """Root without its powers: one that may do with the files of others what everybody may."""
    assert ctypes.CDLL(None).capset(struct.pack("Ii", 0x20080522, 0), bytes(24)) == 0


def at_change(number: int, fault: Fault, folder: Path) -> None:
    """From now on let something happen just before the so-manieth change of what is on the disk under a folder.

    Every change leaves a byte in the file `changes` beside what the command says.
    """
    seen = os.open(said_of(folder) / "changes", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)

    def hook(event: str, given: tuple[Any, ...]) -> None:
        opens = event == "open" and given[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if (opens or event in CHANGES) and _is_below(given[0], folder):
            if event == "os.mkdir" and Path(given[0]).exists():
                return
            os.write(seen, b".")
            if os.fstat(seen).st_size == number:
                fault()

    sys.addaudithook(hook)


def _is_below(path: object, folder: Path) -> bool:
    return isinstance(path, str | Path) and (Path.cwd() / path).is_relative_to(folder)


def said_of(folder: Path) -> Path:
    """Where what a command says in a folder is kept: beside it."""
    return folder.with_name(f"{folder.name} said")


def changes_of(words: Iterable[str], folder: Path) -> int:
    """How often a command that ends well changes what is on the disk."""
    assert run(words, folder, before_change(0, kill, folder)).code == 0
    return (said_of(folder) / "changes").stat().st_size


def limit_files(size: int) -> None:
    """No file may grow beyond so many bytes."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def _command(words: tuple[str, ...], folder: Path, said: Path, prepare: Callable[[], None] | None) -> None:
    """In the forked process: the command from its entry on."""
    for number, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(said / name, os.O_CREAT | os.O_WRONLY | os.O_TRUNC), number)
    sys.stdout, sys.stderr = (open(number, "w", closefd=False) for number in (1, 2))  # noqa: SIM115
    os.environ["OMP_NUM_THREADS"] = "1"
    os.setsid()
    os.chdir(folder)
    import torch

    from gsm_cli.cli.surroundings import run
    from gsm_cli.runs import training

    training.CHECKPOINT_SECONDS = 0.0
    torch.set_num_threads(1)
    sys.argv[:] = ["gsm", *words]
    if prepare:
        prepare()
    run()


@cache
def _forks() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    return context


class Trial:
    """One command in a folder of its own."""

    def __init__(
        self,
        words: Iterable[str],
        folder: Path,
        prepare: Callable[[], None] | None = None,
        said: Path | None = None,
    ) -> None:
        self.said = said or said_of(folder)
        for path in (folder, self.said):
            path.mkdir(parents=True, exist_ok=True)
        for name in ("out", "err"):
            (self.said / name).write_text("")  # also where it is killed before it says anything
        self.process = _forks().Process(target=_command, args=(tuple(words), folder, self.said, prepare))
        self.start = time.monotonic()
        self.process.start()

    def send(self, number: int) -> None:
        with suppress(ProcessLookupError):  # it has ended already
            os.kill(self.process.pid, number)

    def end(self, seconds: float = 120.0) -> Ended:
        """Wait for it. It must end in so many seconds."""
        self.process.join(seconds)
        assert self.process.exitcode is not None, "it does not end"
        self.seconds = time.monotonic() - self.start
        return Ended(self.process.exitcode, *((self.said / name).read_text("utf-8") for name in ("out", "err")))


def run(words: Iterable[str], folder: Path, prepare: Callable[[], None] | None = None) -> Ended:
    """One command to its end."""
    return Trial(words, folder, prepare).end()


def files(folder: Path) -> set[str]:
    """Everything that lies below a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def recovers(folder: Path, unbroken: Path, words: Iterable[str] = TRAIN) -> list[str]:
    """Why the same command does not end in all that it made in a folder where nothing happened; nothing if it does."""
    ended = run(words, folder)
    if ended.code:
        return [f"code {ended.code}: {ended.err[-300:]}"]
    differ = [f"other files: {sorted(files(folder) ^ files(unbroken))}"] if files(folder) != files(unbroken) else []
    return differ or (["other records"] if kept(folder) != kept(unbroken) else [])


def before_change(number: int, fault: Fault, folder: Path) -> Callable[[], None]:
    """What prepares a process for that."""
    return partial(at_change, number, fault, folder)


def members(session: int) -> list[int]:
    """The processes of a session that are not yet gone."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, own = path.read_text().rpartition(")")[2].split()[:4]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(own) == session and state != "Z":
            found.append(int(path.parent.name))
    return found
