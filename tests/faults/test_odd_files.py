"""Files that never end, unpack to gigabytes, hide, lead nowhere or are somebody else's; and clocks that jump."""

import gzip
import os
import pickle
import time
from itertools import count
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
from batches import kept, tasks
from records_of import record
from trials import TRAIN, Trial, powerless, run
from typer.testing import CliRunner

from gsm_cli.cli.app import app
from gsm_cli.data.mnist import FILES
from gsm_cli.files import temporary_of
from gsm_cli.records.run import read_run
from gsm_cli.runs import checkpoint
from gsm_cli.runs.batch import run_all
from gsm_cli.runs.places import Here, WorkerLostError
from gsm_cli.runs.processes import Worker

pytestmark = pytest.mark.faults
NOBODY = 65534
QUICK = ("train-ssl", "--objective", "supervised", "--epochs", 1, "--set", "hidden=8", "--batch-size", 400)


def gsm(*words: object) -> tuple[int, str]:
    """The code and the last line of a command."""
    result = CliRunner().invoke(app, [str(word) for word in words], prog_name="gsm")
    assert "defect" not in result.stderr
    return result.exit_code, (result.stderr.splitlines() or [""])[-1]


@pytest.mark.parametrize("odd", ["pipe", "zeros", "gz of zeros"])
def test_a_file_of_mnist_that_never_ends(folder, odd):
    """No reader waits for a pipe, and none reads more than the largest file has."""
    for name in FILES:
        path = folder / f"{name}.gz"
        if odd == "pipe":
            os.mkfifo(path)
        elif odd == "zeros":
            path.symlink_to("/dev/zero")
        else:
            path.write_bytes(gzip.compress(bytes(2**20)) * 100)
    start = time.process_time()
    code, words = gsm("train-ssl", "--dataset", "mnist", "--data-dir", folder, "--epochs", 1)
    assert (code, "is damaged or another file" in words) == (3, True)
    assert time.process_time() - start < 20


@pytest.mark.parametrize("part", ["images", "more"])
def test_images_that_unpack_to_gigabytes(folder, part):
    """What an archive says of its sizes is asked before any of it is unpacked."""
    with ZipFile(folder / "bomb.npz", "w", ZIP_DEFLATED) as archive, archive.open(f"{part}.npy", "w") as file:
        for _ in range(1025):
            file.write(bytes(2**20))
    start = time.process_time()
    code, words = gsm("train-ssl", "--dataset", "bomb.npz", "--dry-run")
    assert (code, "unpacks to more than 1,073,741,824 bytes" in words) == (3, True)
    assert time.process_time() - start < 5


def test_a_checkpoint_that_unpacks_to_gigabytes(tmp_path):
    with ZipFile(tmp_path / "a.pt", "w", ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", bytes(2**28))
    start = time.process_time()
    assert checkpoint.epochs_of(tmp_path / "a.pt") == 0
    assert time.process_time() - start < 0.2


@pytest.mark.parametrize(
    ("line", "rule"), [("seeds = []", "must name at least one seed"), ("objective = []", "a name")]
)
def test_a_list_of_nothing(folder, line, rule):
    Path("a.toml").write_text(line)
    code, words = gsm("train-ssl", "--config", "a.toml")
    assert (code, rule in words) == (2, True)


@pytest.mark.parametrize("name", [".hidden.npz", ".npz", "a/.b.npz"])
def test_images_in_a_hidden_file(folder, name):
    """Their report would be hidden as well, and gsm report would not see it."""
    Path("a").mkdir()
    np.savez(folder / name.removesuffix(".npz"), images=np.zeros((9, 2, 2)), classes=np.arange(9) % 3)
    code, words = gsm("train-ssl", "--dataset", name)
    assert (code, "must be no hidden file" in words) == (2, True)


@pytest.mark.parametrize("words", [("sample", "--tau", 1), QUICK, ("cost", "--classes", 2, "--rounds", 1)])
def test_a_link_to_nowhere_as_the_folder(folder, words):
    Path("link").symlink_to("/nowhere/at/all")
    code, said = gsm(*words, "--out", "link")
    assert (code, "link is a link to nowhere" in said) == (1, True)
    assert [path.name for path in folder.iterdir()] == ["link"]


def test_a_temperature_that_falls_below_every_number(folder):
    code, words = gsm(*QUICK[:1], "--objective", "gumbel", *QUICK[3:], "--tau", 1, "--tau-rate", 746)
    assert code == 0 or (code == 1 and "must stay finite" in words)
    (path,) = folder.rglob("records/*.json")
    assert all(tau > 0 for tau in read_run(path).columns["tau"] or [1.0])


def test_a_key_that_stands_twice_is_its_last(tmp_path):
    """As in every reader of JSON that has no rule for it; and a report is of what was read."""
    path, whole = tmp_path / "a.json", record("gumbel", 0)
    whole.save(path)
    path.write_text(path.read_text().replace('"version"', '"version": "twice",\n "version"', 1))
    assert read_run(path) == whole


class HalfSaid(Worker):
    """A worker that is killed while it says what its run gave."""

    def __init__(self) -> None:
        super().__init__(1)
        message = pickle.dumps(("result", "a record" * 100))
        read, write = os.pipe()
        os.write(write, message[: len(message) // 2])
        os.close(write)
        self.answers.close()
        self.answers = os.fdopen(read, "rb")


def test_a_worker_that_is_lost_at_the_moment_of_its_answer():
    with pytest.raises(WorkerLostError):
        HalfSaid().ask(pickle.dumps(pickle.dumps((abs, (1,), {}))), print)


def test_a_clock_that_jumps(tmp_path, monkeypatch, one_thread):
    """Seconds come from a clock that never does; and what another machine is writing now is not swept away."""

    class Nobody:
        start = epoch = end = note = lambda self, *given: None

    run_all(tasks(tmp_path / "still", "gumbel"), Here(), Nobody())
    there = temporary_of(tmp_path / "jumping" / "records" / "a.json")
    there = there.with_name(there.name.replace(f"-{os.getpid()}-", "-elsewhere-1-"))
    there.parent.mkdir(parents=True)
    there.write_text("{")
    jumps = count()
    monkeypatch.setattr(time, "time", lambda: 1.7e9 + (-1) ** next(jumps) * 1e6)
    run_all(tasks(tmp_path / "jumping", "gumbel"), Here(), Nobody())
    assert there.exists()
    there.unlink()
    assert kept(tmp_path / "jumping") == kept(tmp_path / "still")
    (path,) = (tmp_path / "jumping").rglob("*.json")
    assert all(0 < seconds < 60 for seconds in read_run(path).epochs.seconds)


def give_away(folder: Path, mode: int) -> None:
    """All below a folder becomes somebody else's, its folders with that mode."""
    for path in (folder, *folder.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
        path.chmod(mode if path.is_dir() else 0o644)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files away")
class TestSomebodyElse:
    def test_where_nothing_may_be_written(self, tmp_path):
        """One sentence, and what is there stays as it is."""
        folder = tmp_path / "a"
        assert run(TRAIN, folder).code == 0
        give_away(folder, 0o755)
        before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        for words in ((*TRAIN, "--force"), ("report",)):
            ended = run(words, folder, powerless)
            assert (ended.code, ended.one_line) == (1, True), ended.err
        assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before

    def test_in_a_folder_of_all(self, tmp_path):
        """Records of others count."""
        folder = tmp_path / "a"
        assert run(TRAIN, folder).code == 0
        give_away(folder, 0o777)
        ended = run((*TRAIN[:2], "gumbel,supervised,reinforce", *TRAIN[3:]), folder, powerless)
        assert ended.code == 0, ended.err
        assert len(kept(folder)) == 3

    def test_what_nobody_else_may_read(self, tmp_path):
        folder = tmp_path / "a"
        assert run(TRAIN, folder).code == 0
        for path in folder.rglob("*.json"):
            os.chown(path, NOBODY, NOBODY)
            path.chmod(0o600)
        for words in (TRAIN, ("report",)):
            ended = run(words, folder, powerless)
            assert ended.code in (1, 3), ended.err
            assert "Permission denied" in ended.err
            assert "defect" not in ended.err


def test_a_report_beside_a_batch(tmp_path):
    """Both end well; a report that began before the end of the batch, and ended after it, is told by --check."""
    folder = tmp_path / "a"
    trial = Trial((*TRAIN, "--seeds", "0-3"), folder)
    codes = []
    while trial.process.is_alive():
        codes.append(run(("report",), folder, None).code) if list(folder.rglob("*.json")) else time.sleep(0.1)
    assert trial.end().code == 0
    assert codes
    assert set(codes) <= {0, 3}
    if run(("report", "--check"), folder).code:
        assert run(("report",), folder).code == 0
    ended = run(("report", "--check"), folder)
    assert ended.code == 0, ended.out
