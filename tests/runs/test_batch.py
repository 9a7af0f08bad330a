"""Many runs through one executor: what fails fails alone, what is lost is tried again, and nothing is trained twice."""

import os
import pickle
import platform
import subprocess
import sys
from concurrent.futures import Future

import pytest
import torch
from batches import Diary, interrupted, kept, tasks

from gsm_cli import files
from gsm_cli.errors import GsmError, UsageError
from gsm_cli.records.run import read_run
from gsm_cli.runs import training
from gsm_cli.runs.batch import run_all
from gsm_cli.runs.locks import RunLock
from gsm_cli.runs.places import ExecutorLostError, Here, WorkerLostError, Workers
from gsm_cli.runs.processes import Processes, Worker
from gsm_cli.runs.task import check

HOLD = "import sys; from pathlib import Path; from gsm_cli.runs.locks import RunLock; lock = RunLock(Path(sys.argv[1]))"


pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """What two objectives with two seeds give one after the other in this process."""
    folder = tmp_path_factory.mktemp("serial")
    torch.set_num_threads(1)
    run_all(tasks(folder, "gumbel", "supervised", seeds=2), Here(), Diary())
    return kept(folder)


class Losing(Workers):
    """Workers that are lost at a run of a certain objective so many times, after some of its epochs."""

    places = 1

    def __init__(self, objective: str, times: int, error: Exception) -> None:
        self.objective, self.times, self.error = objective, times, error
        self.here = Here()

    def submit(self, fn, /, *args):
        self.here.hear = self.hear
        if args[0].config.objective != self.objective or not self.times:
            return self.here.submit(fn, *args)
        self.times -= 1
        future = Future()
        future.set_exception(self.error)
        return future

    def problem_of(self, done):
        if isinstance(done.exception(), ExecutorLostError):
            raise done.exception()
        return super().problem_of(done)


def saved_after(monkeypatch, epochs: int) -> None:
    """Let every run save its state, and end by an exception after so many epochs."""
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    original = training.Run.epoch

    def epoch(run):
        if len(run.epochs) == epochs and run.config.objective == "gumbel":
            raise GsmError("No space left on device")
        return original(run)

    monkeypatch.setattr(training.Run, "epoch", epoch)


class TestFailures:
    def test_a_lost_worker_is_told_and_the_run_tried_again(self, tmp_path, serial):
        diary = Diary()
        lost = Losing("gumbel", 1, WorkerLostError("was killed by signal 9"))
        outcomes = run_all(tasks(tmp_path, "gumbel", "supervised", seeds=2), lost, diary)
        assert all(outcome.finished for outcome in outcomes)
        assert diary.notes == ["is tried again: its worker was killed by signal 9"]
        assert kept(tmp_path) == serial

    def test_a_run_that_is_lost_twice_costs_itself_alone(self, tmp_path):
        diary = Diary()
        lost = Losing("gumbel", 2, WorkerLostError("was killed by signal 9"))
        gumbel, supervised = run_all(tasks(tmp_path, "gumbel", "supervised"), lost, diary)
        assert supervised.finished
        assert (gumbel.finished, gumbel.reason) == (False, "its worker was killed by signal 9")
        record = read_run(gumbel.path)
        assert (record.failure.reason, record.failure.step) == ("its worker was killed by signal 9", 0)
        assert diary.ends == [gumbel.task.name, supervised.task.name]

    def test_what_goes_wrong_in_one_run_is_kept_with_its_epochs_and_the_run_resumes(
        self, tmp_path, monkeypatch, serial
    ):
        saved_after(monkeypatch, 2)
        gumbel, supervised = run_all(tasks(tmp_path, "gumbel", "supervised"), Here(), Diary())
        assert (gumbel.reason, gumbel.finished, supervised.finished) == ("No space left on device", False, True)
        record = read_run(gumbel.path)
        assert (len(record.epochs), record.failure.step) == (2, 8)
        monkeypatch.undo()
        diary = Diary()
        torch.set_num_threads(1)
        (again,) = run_all([gumbel.task], Here(), diary)
        assert diary.epochs[gumbel.task.name] == [3, 4]
        assert kept(tmp_path)[gumbel.task.name] == serial[gumbel.task.name]
        assert again.finished

    def test_a_failure_of_what_cannot_even_begin_has_no_record(self, tmp_path):
        (task,) = tasks(tmp_path, "gumbel", batch_size=5000)
        (outcome,) = run_all([task], Here(), Diary())
        assert outcome.record is None
        assert "batch-size must be at most the 997" in outcome.reason
        assert kept(tmp_path) == {}

    def test_the_end_of_the_executor_is_the_end_of_the_batch(self, tmp_path):
        lost = Losing("gumbel", 1, ExecutorLostError("the scheduler is gone"))
        with pytest.raises(ExecutorLostError):
            run_all(tasks(tmp_path, "gumbel", "supervised"), lost, Diary())
        assert RunLock(tasks(tmp_path, "gumbel")[0].record).acquire()

    def test_a_disk_that_is_full_at_the_end_keeps_the_checkpoint(self, tmp_path, monkeypatch):
        (task,) = tasks(tmp_path, "gumbel")

        def full(record, path):
            raise GsmError("No space left on device")

        monkeypatch.setattr("gsm_cli.records.store.Record.save", full)
        (outcome,) = run_all([task], Here(), Diary())
        assert (outcome.record, outcome.reason) == (None, "No space left on device")
        assert task.checkpoint.exists()

    def test_what_no_run_could_begin_with_is_found_before_the_first(self, tmp_path):
        for settings, rule in (({"labels": 95}, "multiple of the 10"), ({"batch_size": 998}, "at most the 997")):
            with pytest.raises(UsageError, match=rule):
                check([*tasks(tmp_path, "gumbel"), *tasks(tmp_path, "gumbel", **settings)], None)


class TestLocks:
    def test_a_run_that_somebody_trains_is_left_to_them_and_used_when_it_is_finished(self, tmp_path, serial):
        elsewhere, here = tmp_path / "elsewhere", tmp_path / "here"
        run_all(tasks(elsewhere, "gumbel"), Here(), Diary())
        (there,), (gumbel, supervised) = tasks(elsewhere, "gumbel"), tasks(here, "gumbel", "supervised")
        lock = RunLock(gumbel.record)
        assert lock.acquire()
        diary = Diary()

        def end(outcome):
            diary.ends.append(outcome.task.name)
            if outcome.task == supervised:  # meanwhile the others finish
                there.record.replace(gumbel.record)
                lock.release()

        diary.end = end
        outcomes = run_all([gumbel, supervised], Here(), diary)
        assert diary.ends == [supervised.name, gumbel.name]
        assert [outcome.reused for outcome in outcomes] == [True, False]
        assert diary.notes == [f"is left to {platform.node()}, process {os.getpid()}, which trains it now"]
        assert list(diary.epochs) == [supervised.name]
        assert kept(here) == {name: serial[name] for name in (gumbel.name, supervised.name)}

    def test_a_run_that_others_finish_at_the_last_moment_is_used(self, tmp_path, monkeypatch):
        run_all(tasks(tmp_path / "elsewhere", "supervised"), Here(), Diary())
        (there,), (task,) = tasks(tmp_path / "elsewhere", "supervised"), tasks(tmp_path, "supervised")
        acquire = RunLock.acquire

        def late(lock):
            got = acquire(lock)
            there.record.replace(task.record)
            return got

        monkeypatch.setattr(RunLock, "acquire", late)
        diary = Diary()
        (outcome,) = run_all([task], Here(), diary)
        assert (outcome.record, outcome.reused, diary.epochs) == (read_run(task.record), True, {})
        monkeypatch.undo()
        assert RunLock(task.record).acquire()

    def test_what_others_gave_up_is_trained_here(self, tmp_path):
        gumbel, supervised = tasks(tmp_path, "gumbel", "supervised")
        lock = RunLock(gumbel.record)
        lock.acquire()
        diary = Diary()
        diary.end = lambda outcome: lock.release()
        outcomes = run_all([gumbel, supervised], Here(), diary)
        assert [outcome.reused for outcome in outcomes] == [False, False]
        assert diary.epochs[gumbel.name] == [1, 2, 3, 4]
        assert diary.images == 800

    def test_a_lock_ends_with_its_process_and_what_that_left_is_swept_up(self, tmp_path):
        (task,) = tasks(tmp_path, "gumbel")
        code = f"{HOLD}; print(lock.acquire(), flush=True); sys.stdin.read()"
        words = [sys.executable, "-c", code, str(task.record)]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
            assert holder.stdout.readline() == "True\n"
            owner = f"{files._host()}-{holder.pid}-01234567-01234567"
            strays = [task.record.with_name(f".{task.name}.{end}.{owner}.tmp") for end in ("json", "pt")]
            others = task.record.with_name(f".{task.name}.pt.elsewhere-1-1-01234567.tmp")
            for path in (*strays, others):
                path.write_bytes(b"half")
            lock = RunLock(task.record)
            assert not lock.acquire()
            assert lock.holder().endswith(f", process {holder.pid}")
            holder.kill()
        assert lock.acquire()
        assert not any(path.exists() for path in strays)
        assert others.exists()
        lock.release()
        assert not lock.path.exists()


class TestTheSameRecords:
    @pytest.mark.faults
    def test_of_two_processes_one_of_them_killed_and_a_run_resumed(self, tmp_path, monkeypatch, serial):
        """The first run was interrupted after two of its epochs, and then its worker is killed, so it resumes twice."""
        monkeypatch.setenv("OMP_NUM_THREADS", "1")
        folder, asked, ask = tmp_path / "again", {}, Worker.ask

        def remember(worker, request, hear):
            _, (task,), _ = pickle.loads(pickle.loads(request))
            asked[task.name] = worker.process
            return ask(worker, request, hear)

        monkeypatch.setattr(Worker, "ask", remember)
        batch = tasks(folder, "gumbel", "supervised", seeds=2)
        interrupted(batch[0], 2, monkeypatch)
        assert batch[0].checkpoint.exists()
        diary = Diary()
        seen = diary.epoch

        def epoch(name, number, epoch):
            if name == batch[0].name and not diary.epochs[name]:
                asked[name].kill()
            seen(name, number, epoch)

        diary.epoch = epoch
        with Processes(2, 1) as workers:
            outcomes = run_all(batch, workers, diary)
        assert all(outcome.finished for outcome in outcomes)
        assert diary.notes == ["is tried again: its worker was killed by signal 9"]
        first = diary.epochs.pop(batch[0].name)
        assert first[0] == 3
        assert first[-2:] == [3, 4]
        assert list(diary.epochs.values()) == [[1, 2, 3, 4]] * 3
        assert kept(folder) == serial
