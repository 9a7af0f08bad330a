"""A real scheduler with two real workers on this machine, started by the commands of docs/cluster.md."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from batches import Diary, interrupted, kept, tasks
from tree import PACKAGE, ROOT

from gsm_cli.fingerprint import fingerprint
from gsm_cli.records.run import read_run
from gsm_cli.runs import cluster
from gsm_cli.runs.batch import run_all
from gsm_cli.runs.places import Here, Workers
from gsm_cli.runs.task import Task

DOCUMENT = (ROOT / "docs/cluster.md").read_text("utf-8")
SCHEDULER, WORKER, TRAIN, PRINT, REPORT = re.findall(r"^\$ (.*)$", DOCUMENT, re.MULTILINE)
SMALL = "--set hidden=8 --batch-size 200 --epochs 3"


def environment(**more: str) -> dict[str, str]:
    """What commands are started with: this package, one thread, and no settings from outside."""
    found = {name: value for name, value in os.environ.items() if not name.startswith("GSM_")}
    paths = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    return found | paths | {"OMP_NUM_THREADS": "1"} | more


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command of the document, in a folder."""
    return subprocess.run(
        command, shell=True, cwd=folder, env=environment(), capture_output=True, text=True, timeout=120
    )


class Started:
    """A command that goes on; what it says goes to a file."""

    def __init__(self, command: str, folder: Path, name: str, **more: str) -> None:
        self.log = folder / f"{name}.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                f"exec env {command}", shell=True, cwd=folder, env=environment(**more), stdout=log, stderr=log
            )

    def says(self, words: str, times: int = 1) -> None:
        deadline = time.monotonic() + 60
        while self.log.read_text().count(words) < times:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.05)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def shared(tmp_path_factory) -> Iterator[Path]:
    """The folder that everything shares, with a scheduler and two workers."""
    folder = tmp_path_factory.mktemp("shared")
    scheduler = Started(SCHEDULER + " --host 127.0.0.1 --port 0", folder, "scheduler")
    workers = Started(WORKER, folder, "workers")
    try:
        workers.says("Registered to", 2)
        yield folder
    finally:
        workers.stop()
        scheduler.stop()


def children(pid: int) -> list[int]:
    """The processes that a process has started, and those that they did."""
    own = [int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]
    return own + [grandchild for child in own for grandchild in children(child)]


def used(pid: int) -> int:
    """The time that a process has had of the processors, in ticks."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11])


def busiest() -> int:
    """Of the workers below this process, the one that works."""
    names = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children(os.getpid())}
    workers = [pid for pid, name in names.items() if b"spawn_main" in name]
    before = {pid: used(pid) for pid in workers}
    time.sleep(0.3)
    return max(workers, key=lambda pid: used(pid) - before[pid])


def cluster_of(shared: Path) -> cluster.Cluster:
    return cluster.Cluster(str(shared / "scheduler.json"))


def test_the_commands_of_the_document_give_the_records_of_this_machine(shared, tmp_path, one_thread):
    finished = run(f"{TRAIN} {SMALL} --out clustered", shared)
    assert finished.returncode == 0, finished.stderr
    assert finished.stderr.count("finished: test accuracy") == 4
    assert "sends 4 runs to 2 workers of the scheduler at scheduler.json\n" in finished.stderr
    configs = [read_run(path).config for path in shared.glob("clustered/*/records/*.json")]
    alone = [Task(config, tmp_path / "records" / f"{config.name}.json") for config in configs]
    run_all(alone, Here(), Diary())
    assert len(alone) == 4
    assert kept(shared / "clustered") == kept(tmp_path)


def test_a_worker_that_is_killed_costs_time_and_nothing_else(shared, tmp_path, one_thread, monkeypatch):
    """By -9 while it goes on from a checkpoint; the record is that of an unbroken run."""
    (task,) = tasks(shared / "lost", "gumbel", batch_size=10, epochs=14)
    interrupted(task, 2, monkeypatch)
    diary, seen = Diary(), []

    def epoch(name, number, epoch):
        if not seen:
            os.kill(busiest(), signal.SIGKILL)
        seen.append(number)

    diary.epoch = epoch
    with cluster_of(shared) as workers:
        (outcome,) = run_all([task], workers, diary)
    assert outcome.finished
    assert any(after <= before for before, after in pairwise(seen))  # another worker had it too
    assert min(seen) > 2  # and did not begin anew
    run_all(tasks(tmp_path, "gumbel", batch_size=10, epochs=14), Here(), Diary())
    assert kept(shared / "lost") == kept(tmp_path)


def test_an_interruption_stops_the_runs_and_leaves_the_workers(shared):
    batch = tasks(shared / "stopped", "gumbel", seeds=2, batch_size=10, epochs=5000)
    diary = Diary()

    def epoch(name, number, epoch):
        raise KeyboardInterrupt

    diary.epoch = epoch
    with cluster_of(shared) as workers, pytest.raises(KeyboardInterrupt):
        run_all(batch, workers, diary)
    assert not list(shared.glob("stopped/records/.*"))
    time.sleep(0.5)
    before = {path: path.stat().st_mtime_ns for path in shared.glob("stopped/records/*")}
    time.sleep(2.2)  # longer than it takes to a checkpoint
    assert {path: path.stat().st_mtime_ns for path in shared.glob("stopped/records/*")} == before
    with cluster_of(shared) as workers:
        assert workers.places == 2


def test_one_command_for_each_run_and_a_report_at_the_end(tmp_path):
    assert run(PRINT, tmp_path).returncode == 0
    lines = (tmp_path / "runs.txt").read_text().splitlines()
    assert len(lines) == 4
    assert all(shlex.split(line)[:2] == ["gsm", "train-ssl"] for line in lines)
    assert [f"{line} ".count("--seeds 0 ") for line in lines] == [1, 1, 0, 0]
    assert run(f"{lines[1]} --set hidden=8 --epochs 1", tmp_path).returncode == 0
    before = (tmp_path / "reports/digits-100/report.md").read_bytes()
    (tmp_path / "reports/digits-100/report.md").unlink()
    assert run(REPORT, tmp_path).returncode == 0
    assert (tmp_path / "reports/digits-100/report.md").read_bytes() == before


class TestRefusals:
    def test_a_worker_of_another_code(self, shared):
        """A real one, whose gsm has the same version and one constant that is another."""
        other = shared / "other" / "gsm_cli"
        shutil.copytree(PACKAGE, other, ignore=shutil.ignore_patterns("__pycache__"))
        evaluation = other / "runs" / "evaluation.py"
        evaluation.write_text(evaluation.read_text("utf-8").replace("\nBATCH = 250", "\nBATCH = 251"), "utf-8")
        theirs = fingerprint(package=other)
        assert theirs != fingerprint()
        command = "dask worker --scheduler-file scheduler.json --nthreads 1 --no-nanny --no-dashboard"
        worker = Started(command, shared, "other", PYTHONPATH=f"{other.parent}{os.pathsep}{ROOT}")
        try:
            worker.says("Registered to")
            finished = run(f"{TRAIN} {SMALL} --out refused", shared)
        finally:
            worker.stop()
        assert finished.returncode == 2
        (line,) = (each for each in finished.stderr.splitlines() if each.startswith("gsm: "))
        words = f"must have gsm of the code {fingerprint()} as this machine has, and the one at tcp://.* has {theirs}:"
        assert re.search(words, line)
        assert not list(shared.glob("refused/**/*.json"))

    def test_nobody_answers(self, gsm, monkeypatch):
        monkeypatch.setattr(cluster, "PATIENCE", 0.2)
        result = gsm("train-ssl", "--scheduler", "tcp://127.0.0.1:9")
        assert result.exit_code == 2
        assert "within 0.2 seconds none did at tcp://127.0.0.1:9: start one with dask scheduler" in result.stderr

    @pytest.mark.parametrize("address", ["nowhere://x", "tcp://127.0.0.1:port", "", "http://127.0.0.1:9"])
    def test_what_is_no_address(self, gsm, monkeypatch, address):
        monkeypatch.setattr(cluster, "PATIENCE", 0.2)
        result = gsm("train-ssl", "--scheduler", address)
        assert result.exit_code == 2
        assert result.stderr.count("gsm: ") == 1
        assert "--scheduler must name a scheduler that answers" in result.stderr

    def test_no_such_file(self, gsm):
        result = gsm("train-ssl", "--scheduler", "here.json")
        assert result.exit_code == 2
        assert "there is no here.json" in result.stderr

    def test_without_the_extra(self, gsm, monkeypatch):
        monkeypatch.setitem(sys.modules, "distributed", None)
        result = gsm("train-ssl", "--scheduler", "tcp://127.0.0.1:9")
        assert result.exit_code == 2
        assert "pip install --constraint constraints.txt '.[cluster]'" in result.stderr


def test_a_cluster_is_one_of_the_executors():
    assert issubclass(cluster.Cluster, Workers)
