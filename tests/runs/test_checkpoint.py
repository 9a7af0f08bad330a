"""Checkpoints: whole, or set aside with one sentence; of another run, refused; and what --force makes of them."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import torch
from batches import Diary, heard, kept, tasks

from gsm_cli import __version__
from gsm_cli.data import find_dataset
from gsm_cli.data.split import load
from gsm_cli.errors import DataError, GsmError
from gsm_cli.fingerprint import fingerprint
from gsm_cli.records.run import read_run
from gsm_cli.runs import training
from gsm_cli.runs.batch import run_all
from gsm_cli.runs.checkpoint import DamagedError, epochs_of
from gsm_cli.runs.places import Here
from gsm_cli.runs.task import Task
from gsm_cli.runs.training import Run, train
from gsm_cli.settings import build

CONFIG = build({"hidden": [8], "latent": 2, "auxiliary": 2, "epochs": 2, "batch_size": 200})


@pytest.fixture(scope="module")
def split():
    return load(find_dataset("digits"), 100, 0)


@pytest.fixture(scope="module")
def whole(split, tmp_path_factory) -> bytes:
    """The checkpoint of a run of two epochs after the first, as it lies on the disk."""
    path = tmp_path_factory.mktemp("whole") / "a.pt"
    run = Run(CONFIG, split)
    run.epochs.append(run.epoch())
    run.keep_best()
    run.checkpoint().save(path)
    return path.read_bytes()


class Code:
    """What runs code when a pickle is read."""

    def __reduce__(self):
        return os.abort, ()


def changed(path: Path, change: Callable[[dict], object]) -> None:
    """Write a checkpoint with something in it changed, and with the right checksums."""
    state = torch.load(path, weights_only=True)
    change(state)
    torch.save(state, path)


def data(state: dict, change: Callable[[dict], object]) -> None:
    """Change its settings and epochs."""
    found = msgspec.json.decode(state["epochs"])
    change(found)
    state["epochs"] = msgspec.json.encode(found)


def flip(path: Path, place: int) -> None:
    """A bit in the weights; between the parts of the file lie bytes that nobody reads."""
    content = bytearray(path.read_bytes())
    weights = torch.load(path, weights_only=True)["model"]["q_y.head.weight"].numpy().tobytes()
    content[content.index(weights) + place] ^= 1
    path.write_bytes(content)


def without(name: str) -> Callable[[Path], None]:
    return lambda path: changed(path, lambda state: state.pop(name))


def as_it(name: str, value: object) -> Callable[[Path], None]:
    return lambda path: changed(path, lambda state: state.update({name: value}))


def moments(change: Callable[[dict], object]) -> Callable[[Path], None]:
    return lambda path: changed(path, lambda state: change(state["optimizer"]))


def with_data(change: Callable[[dict], object]) -> Callable[[Path], None]:
    return lambda path: changed(path, lambda state: data(state, change))


DAMAGES = {
    "nothing": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("no checkpoint"),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:1000]),
    "without its end": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "a flipped bit in the weights": lambda path: flip(path, 0),
    "another flipped bit": lambda path: flip(path, 99),
    "a pickle with code": lambda path: path.write_bytes(pickle.dumps(Code())),
    "PyTorch's file with code": lambda path: torch.save({"code": Code()}, path),
    "a list": lambda path: torch.save([1, 2], path),
    "a tensor": lambda path: torch.save(torch.zeros(3), path),
    "numbered": lambda path: torch.save({1: 2}, path),
    **{f"without {name}": without(name) for name in ("device", "split", "epochs", "model", "optimizer", "best")},
    **{f"{name} None": as_it(name, None) for name in ("epochs", "model", "optimizer", "best")},
    **{f"{name} a number": as_it(name, 3) for name in ("code", "epochs", "model", "optimizer", "best")},
    "more than it should have": as_it("more", 3),
    "epochs a text": as_it("epochs", "[]"),
    "an optimizer that is a tensor": as_it("optimizer", torch.zeros(3)),
    "no weights": as_it("model", {}),
    "weights of another shape": lambda path: changed(
        path, lambda state: state["model"].update({name: value[:1] for name, value in state["model"].items()})
    ),
    "weights of another type": lambda path: changed(
        path, lambda state: state["best"].update({name: value.double() for name, value in state["best"].items()})
    ),
    "weights as numbers": lambda path: changed(
        path, lambda state: state["best"].update(dict.fromkeys(state["best"], 1))
    ),
    "moments of another shape": moments(lambda state: state.update({"mean.0": torch.zeros(1, 2, 3)})),
    "moments as numbers": moments(lambda state: state.update({"mean.0": 1.0})),
    "moments of no parameter": moments(lambda state: state.update({"mean.1000": state["mean.0"]})),
    "moments by name": moments(lambda state: state.update({0: state["mean.0"]})),
    "no steps": moments(lambda state: state.pop("steps")),
    "no epochs": with_data(lambda found: found.update(epochs=[])),
    "more epochs than asked for": with_data(lambda found: found.update(epochs=3 * found["epochs"])),
    "an accuracy of 2": with_data(lambda found: found["epochs"][0].update(validation_accuracy=2)),
    "an epoch without seconds": with_data(lambda found: found["epochs"][0].pop("seconds")),
    "settings of no objective": with_data(lambda found: found["config"].update(objective="unheard of")),
    "a code in two lines": as_it("code", "1\n2"),
}


class TestDamage:
    @pytest.mark.parametrize("damage", DAMAGES)
    def test_is_seen_without_a_word_of_a_library(self, split, tmp_path, whole, damage):
        path = tmp_path / "a.pt"
        path.write_bytes(whole)
        DAMAGES[damage](path)
        run = Run(CONFIG, split)
        with pytest.raises(DamagedError) as caught:
            run.restore(path)
        assert not run.epochs
        assert str(caught.value) == (
            f"{path} must be a whole checkpoint, and is damaged: remove it to start the run again"
        )

    def test_an_older_one_is_told_and_kept(self, split, tmp_path, whole):
        """Which has a version and no code."""
        path = tmp_path / "a.pt"
        path.write_bytes(whole)
        changed(path, lambda state: state.update(version=state.pop("code")))
        with pytest.raises(GsmError, match=rf"checkpoint of this run, and has code None and not {fingerprint()}: "):
            train(CONFIG, split, path)
        assert path.exists()

    @pytest.mark.parametrize("error", [MemoryError(), RuntimeError("DefaultCPUAllocator: can't allocate memory")])
    def test_too_little_memory_is_none(self, split, tmp_path, whole, monkeypatch, error):
        path = tmp_path / "a.pt"
        path.write_bytes(whole)

        def refuse(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(torch, "load", refuse)
        with pytest.raises(GsmError, match=r"a\.pt must fit into memory to go on from, and does not: make room"):
            train(CONFIG, split, path)
        assert path.read_bytes() == whole

    def test_is_set_aside_and_the_run_starts_again(self, split, tmp_path, whole):
        unbroken = train(CONFIG, split, tmp_path / "unbroken.pt")
        path, seen = tmp_path / "a.pt", []
        path.write_bytes(whole)
        flip(path, 5)
        damaged = path.read_bytes()
        with heard(seen.append):
            again = train(CONFIG, split, path)
        assert (again.test, again.epochs.validation_accuracy) == (unbroken.test, unbroken.epochs.validation_accuracy)
        words = "starts again, because its checkpoint is damaged; that is kept as a.pt.damaged"
        assert [(news.number, news.words) for news in seen] == [(0, words), (1, ""), (2, "")]
        assert (tmp_path / "a.pt.damaged").read_bytes() == damaged

    def test_a_whole_one_is_no_damage(self, split, tmp_path, whole):
        path, seen = tmp_path / "a.pt", []
        path.write_bytes(whole)
        assert epochs_of(path) == 1
        with heard(seen.append):
            train(CONFIG, split, path)
        assert [news.number for news in seen] == [2]

    def test_has_no_epochs(self, tmp_path, whole):
        (tmp_path / "a.pt").write_bytes(whole[:1000])
        assert epochs_of(tmp_path / "a.pt") == 0

    @pytest.mark.parametrize("kind", ["pipe", "folder", "device"])
    def test_what_is_no_file_is_no_checkpoint_and_stays(self, split, tmp_path, kind):
        path = tmp_path / "a.pt"
        {"pipe": lambda: os.mkfifo(path), "folder": path.mkdir, "device": lambda: path.symlink_to("/dev/zero")}[kind]()
        with pytest.raises(GsmError, match=r"a\.pt must be a checkpoint, and cannot be read \("):
            train(CONFIG, split, path)
        with pytest.raises(GsmError, match=r"a\.pt must be a checkpoint, and cannot be read \("):
            epochs_of(path)

    def test_a_disk_that_refuses_is_said(self, split, tmp_path, monkeypatch):
        def refuse(*given: object) -> None:
            raise PermissionError(13, "Permission denied")

        (tmp_path / "a.pt").write_bytes(b"no checkpoint")
        monkeypatch.setattr(Path, "replace", refuse)
        with pytest.raises(GsmError, match=r"\.damaged cannot be written \(Permission denied\): see to its folder"):
            train(CONFIG, split, tmp_path / "a.pt")


class Interrupted(Diary):
    """Ctrl-C after an epoch."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.after = after

    def epoch(self, name, number, epoch):
        super().epoch(name, number, epoch)
        if number == self.after:
            raise KeyboardInterrupt


@pytest.fixture
def task(tmp_path, monkeypatch) -> Task:
    """A small run of four epochs that keeps a checkpoint after each."""
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    (task,) = tasks(tmp_path, "gumbel")
    return task


def run(task: Task, after: int | None = None, force: bool = False) -> Diary:
    """The same command: to its end, or to Ctrl-C after an epoch."""
    diary = Interrupted(after) if after else Diary()
    if after:
        with pytest.raises(KeyboardInterrupt):
            run_all([task], Here(), diary, force)
    else:
        run_all([task], Here(), diary, force)
    return diary


def names(task: Task) -> list[str]:
    return sorted(path.name.removeprefix(task.name) for path in task.record.parent.iterdir())


class TestForce:
    """--force begins anew, and goes on with what an earlier one began."""

    def test_interrupted_it_goes_on_and_the_old_record_stays_until_it_ends(self, task):
        assert run(task).epochs == {task.name: [1, 2, 3, 4]}
        old = task.record.read_bytes().replace(__version__.encode(), b"0.0.1")  # clocks alone may be the same twice
        task.record.write_bytes(old)
        assert run(task, after=2, force=True).epochs == {task.name: [1, 2]}
        assert names(task) == [".anew.pt", ".json"]
        assert run(task, after=3, force=True).epochs == {task.name: [3]}
        assert task.record.read_bytes() == old
        assert run(task, force=True).epochs == {task.name: [4]}
        assert task.record.read_bytes() != old
        assert names(task) == [".json"]

    def test_without_it_the_old_record_is_used_again(self, task):
        run(task)
        old = task.record.read_bytes()
        run(task, after=2, force=True)
        diary = run(task)
        assert (diary.epochs, task.record.read_bytes()) == ({}, old)
        assert diary.notes == ["was finished before; --force goes on with what was begun anew"]
        assert names(task) == [".anew.pt", ".json"]

    def test_it_does_not_go_on_with_what_was_begun_without_it(self, task):
        run(task, after=3)
        assert names(task) == [".pt"]
        assert run(task, after=1, force=True).epochs == {task.name: [1]}
        assert names(task) == [".anew.pt"]

    def test_where_nothing_was_finished_the_command_without_it_goes_on_too(self, task):
        run(task, after=1, force=True)
        assert run(task).epochs == {task.name: [2, 3, 4]}
        assert names(task) == [".json"]

    def test_the_record_is_that_of_an_unbroken_run(self, task, tmp_path):
        run(task, after=2, force=True)
        run(task, force=True)
        (other,) = tasks(tmp_path / "other", "gumbel")
        run(other)
        assert kept(task.record.parent.parent)[task.name] == kept(tmp_path / "other")[task.name]


class TestBeside:
    """What lies beside a finished record: left by a kill between two steps."""

    def test_a_checkpoint_and_a_lock_are_removed(self, task):
        run(task)
        task.checkpoint.write_bytes(b"left")
        (task.record.parent / f".{task.record.stem}.lock").touch()
        run(task)
        assert names(task) == [".json"]

    def test_a_damaged_one_is_said_and_kept(self, task):
        run(task, after=2)
        task.checkpoint.write_bytes(task.checkpoint.read_bytes()[:-100])
        diary = run(task)
        assert diary.epochs == {task.name: [1, 2, 3, 4]}
        (note,) = diary.notes
        assert note.startswith("starts again, because its checkpoint is damaged")
        assert names(task) == [".json", ".pt.damaged"]

    def test_one_of_other_code_is_refused_and_leaves_no_failure(self, task):
        run(task, after=2)
        changed(task.checkpoint, lambda state: state.update(code="0" * 16))
        (outcome,) = run_all([task], Here(), Diary())
        assert outcome.record is None
        assert outcome.reason.startswith(f"{task.checkpoint} must be a checkpoint of this run, and has code 0000")
        assert str(outcome.problem).endswith("remove it to start the run again")
        assert names(task) == [".pt"]

    def test_a_damaged_record_costs_its_run_alone(self, task, tmp_path):
        both = [task, *tasks(tmp_path, "marginalize")]
        task.record.parent.mkdir()
        task.record.write_text("{")
        first, second = run_all(both, Here(), Diary())
        assert isinstance(first.problem, DataError)
        assert second.finished
        assert read_run(second.path) == second.record
