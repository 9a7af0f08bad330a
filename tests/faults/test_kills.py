"""Processes that end at the worst moment: killed, out of disk, or together with another; nothing is lost by it."""

import os
import re
import shutil
import signal
import time
from functools import partial
from itertools import product
from pathlib import Path

import pytest
from trials import (
    ENDS,
    TRAIN,
    Trial,
    before_change,
    changes_of,
    files,
    full,
    kill,
    limit_files,
    members,
    recovers,
    run,
    stop,
)

pytestmark = pytest.mark.faults
AGAIN = (*TRAIN, "--force")


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory) -> tuple[Path, int]:
    """What the command leaves where nothing happens, and how often it changes what is on the disk."""
    folder = tmp_path_factory.mktemp("unbroken") / "unbroken"
    changes = changes_of(TRAIN, folder)
    assert changes > 30
    return folder, changes


def timed(folder: Path) -> float:
    """How long the command takes now."""
    trial = Trial(TRAIN, folder)
    assert trial.end().code == 0
    return trial.seconds


def remains(folder: Path) -> list[str]:
    """Temporary files."""
    return [f"{name} stays" for name in files(folder) if name.endswith(".tmp")]


def test_killed_at_a_drawn_moment(campaign, unbroken, tmp_path):
    whole, _ = unbroken
    seconds = timed(tmp_path / "timed")
    for number in campaign.sample(range(60)):
        folder = tmp_path / str(number)
        trial = Trial(TRAIN, folder)
        time.sleep(campaign.rng.uniform(0.0, seconds))
        trial.send(signal.SIGKILL)
        trial.end()
        campaign.count(number, recovers(folder, whole))
    campaign.close()


def test_killed_when_there_is_a_checkpoint(unbroken, tmp_path):
    whole, changes = unbroken
    folder = tmp_path / "killed"
    assert run(TRAIN, folder, before_change(changes // 3, kill, folder)).code == -signal.SIGKILL
    assert list(folder.rglob("*.pt"))
    assert not list(folder.rglob("*.json"))
    assert not recovers(folder, whole)


def test_killed_at_every_change_of_the_disk(campaign, unbroken, tmp_path):
    whole, changes = unbroken
    for number in campaign.sample(range(1, 1 + changes)):
        folder = tmp_path / str(number)
        ended = run(TRAIN, folder, before_change(number, kill, folder))
        problems = [] if ended.code in (0, -signal.SIGKILL) else [f"code {ended.code}: {ended.err[-300:]}"]
        campaign.count(number, problems + recovers(folder, whole))
    campaign.close()


def test_a_signal_at_every_change_of_the_disk(campaign, unbroken, tmp_path):
    whole, changes = unbroken
    for number, sent in campaign.sample(product(range(1, 1 + changes), ENDS)):
        folder = tmp_path / f"{number}-{sent}"
        ended = run(TRAIN, folder, before_change(number, partial(stop, sent), folder))
        problems = remains(folder)
        if ended.code not in (0, ENDS[sent]) or (ended.code and not ended.one_line):
            problems.append(f"code {ended.code}: {ended.err[-300:]}")
        campaign.count((number, sent), problems + recovers(folder, whole))
    campaign.close()


@pytest.mark.parametrize("begun", ["nothing", "records"])
def test_a_disk_that_is_full_at_every_change(campaign, unbroken, tmp_path, begun):
    """What was there stays, one sentence says why, and with room the same command gives what it should."""
    whole, changes = unbroken
    for number in campaign.sample(range(1, 1 + changes)):
        folder = tmp_path / str(number)
        words = TRAIN
        if begun == "records":
            run(TRAIN, folder)
            words = AGAIN
        before = {path: path.read_bytes() for path in folder.rglob("*.json")}
        ended = run(words, folder, before_change(number, full, folder))
        problems = remains(folder)
        problems += [f"{path} is lost" for path in before if not path.exists()]
        if ended.code not in (0, 1) or "Traceback" in ended.err or "a defect" in ended.err:
            problems.append(f"code {ended.code}: {ended.err[-500:]}")
        campaign.count(number, problems + recovers(folder, whole, words))
    campaign.close()


def test_files_that_cannot_grow(campaign, unbroken, tmp_path):
    whole, _ = unbroken
    for number in campaign.sample(range(20)):
        folder = tmp_path / str(number)
        size = int(10 ** campaign.rng.uniform(0, 5))
        ended = run(TRAIN, folder, partial(limit_files, size))
        problems = remains(folder)
        if ended.code not in (0, 1) or "Traceback" in ended.err or "a defect" in ended.err:
            problems.append(f"{size} bytes, code {ended.code}: {ended.err[-300:]}")
        campaign.count(number, problems + recovers(folder, whole))
    campaign.close()


def test_two_at_once(campaign, unbroken, tmp_path):
    whole, _ = unbroken
    for number in campaign.sample(range(12)):
        folder = tmp_path / str(number)
        trials = []
        for said in "ab":
            trials.append(Trial(TRAIN, folder, said=tmp_path / f"{number} {said}"))
            time.sleep(campaign.rng.uniform(0.0, 0.5))
        ends = [trial.end() for trial in trials]
        problems = [] if (codes := [each.code for each in ends]) == [0, 0] else [f"codes {codes}"]
        trained = [name for each in ends for name in re.findall(r"(\S+ seed 0) finished: test", each.err)]
        if sorted(trained) != ["gumbel seed 0", "supervised seed 0"]:
            problems.append(f"trained {trained}")
        campaign.count(number, problems + recovers(folder, whole))
    campaign.close()


def test_figures_killed_at_every_change_of_the_disk(campaign, tmp_path):
    """A picture is the old one or the new one, and the next command leaves none but pictures."""
    words = ("sample", "--tau", "1")
    unbroken = tmp_path / "unbroken"
    changes = changes_of(words, unbroken)
    for number in campaign.sample(range(1, 1 + changes)):
        folder = tmp_path / str(number)
        run((*words, "--seed", "1"), folder)
        old = {path.name: path.read_bytes() for path in folder.rglob("*.png")}
        run(words, folder, before_change(number, kill, folder))
        new = {path.name: path.read_bytes() for path in unbroken.rglob("*.png")}
        problems = [
            f"{path.name} is neither"
            for path in folder.rglob("*.png")
            if path.read_bytes() not in (old.get(path.name), new[path.name])
        ]
        run(words, folder)
        campaign.count(number, problems + [f"{name} stays" for name in files(folder) ^ files(unbroken)])
    campaign.close()


@pytest.mark.parametrize(
    "words",
    [("explore", "--tau", "1"), ("report", "--html", "--latex", "--csv"), ("report", "--tensorboard", "scalars")],
)
def test_other_forms_killed_at_every_change_of_the_disk(campaign, unbroken, tmp_path, words):
    """A file is whole or not there, and the next command leaves what it should and nothing else."""
    expected = tmp_path / "unbroken"
    shutil.copytree(unbroken[0], expected)
    changes = changes_of(words, expected)
    for number in campaign.sample(range(1, 1 + changes), least=2):
        folder = tmp_path / str(number)
        shutil.copytree(unbroken[0], folder)
        run(words, folder, before_change(number, kill, folder))
        ended = run(words, folder)
        problems = [] if ended.code == 0 else [f"code {ended.code}: {ended.err[-300:]}"]
        problems += [f"{name} stays or is missing" for name in files(folder) ^ files(expected)]
        for name in files(folder) & files(expected):
            if (folder / name).is_file() and (folder / name).read_bytes() != (expected / name).read_bytes():
                problems.append(f"{name} is another")
        campaign.count((words, number), problems)
    campaign.close()


def test_workers_killed_at_a_drawn_moment(campaign, unbroken, tmp_path):
    """Two workers; one of them is killed, and its run is tried again."""
    whole, _ = unbroken
    words = tuple("2" if word == "1" else word for word in TRAIN)
    for number in campaign.sample(range(10)):
        folder = tmp_path / str(number)
        trial = Trial(words, folder)
        time.sleep(campaign.rng.uniform(0.5, 4.0))
        for pid in children(trial.process.pid)[:1]:
            os.kill(pid, signal.SIGKILL)
        ended = trial.end()
        problems = [f"process {pid} stays" for pid in members(trial.process.pid)]
        campaign.count(number, problems + ([] if ended.code == 0 else [ended.err[-300:]]) + recovers(folder, whole))
    campaign.close()


def children(parent: int) -> list[int]:
    """The processes that a process started and that live."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, own = path.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(own) == parent and state != "Z":
            found.append(int(path.parent.name))
    return sorted(found)
