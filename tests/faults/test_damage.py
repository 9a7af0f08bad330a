"""Damage by mutation: bytes that flip, files that are cut, leaves of another type.

Whatever becomes of a file, it is refused with a sentence that names it, or it is a file that there may be: a record
with another plausible number, or the same meaning in other bytes. It is never a defect, and no command waits.

`FAULTS=1000 pytest -m faults -s tests/faults/test_damage.py` tries so many of each kind, and says what became of them.
"""

import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from records_of import cost_record, failed, gradient_record, record
from typer.testing import CliRunner

from gsm_cli.cli.app import app
from gsm_cli.data import find_dataset
from gsm_cli.data.split import load
from gsm_cli.errors import GsmError
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.store import Record
from gsm_cli.reports import folder as folders
from gsm_cli.runs.checkpoint import DamagedError
from gsm_cli.runs.training import Run
from gsm_cli.settings import build
from gsm_cli.style import Picture

pytestmark = pytest.mark.faults
EXAMPLES = int(os.environ.get("FAULTS", "12"))
bounded = settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None)
few = settings(bounded, max_examples=max(3, EXAMPLES // 20))
seeds = st.integers(0, 2**32 - 1)
BECAME: Counter[str] = Counter()

SWAPS = (  # JSON in the place of a leaf
    *("null", "true", "-1", "0", "1", "2", "0.5", "1e-300", "1e99", "1e308", "-1e308", "1e999", "NaN", "9" * 400),
    *('""', '"text"', '"a\\nb"', '"<script>|`"', '"\\u001b[31m"', '"\\ud800"', f'"{"a" * 10_000}"', f'"{"A" * 400}=="'),
    *("[]", "{}", "[1]", "[null]", '{"a": 1}', "[" * 5000 + "]" * 5000, "[" * 100),
)


@pytest.fixture(autouse=True)
def told() -> Iterator[None]:
    """What became of all of them, for whoever asks with -s."""
    BECAME.clear()
    yield
    for name, count in sorted(BECAME.items()):
        print(f"\n{name}: {count:,}", end="")


def places(value: object, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where something can be swapped: every leaf and what holds it; of a list the first and the last."""
    if at:
        yield at
    entries = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    for name, entry in entries if isinstance(value, dict) else [*entries[:1], *entries[1:][-1:]]:
        yield from places(entry, (*at, name))


def swapped(content: bytes, rng: random.Random) -> bytes:
    """JSON with something else in one place."""
    data = json.loads(content)
    *way, last = rng.choice(list(places(data)))
    part = data
    for name in way:
        part = part[name]
    part[last] = "SWAPPED"
    return json.dumps(data).replace('"SWAPPED"', rng.choice(SWAPS)).encode()


def flipped(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 3))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut(content: bytes, rng: random.Random) -> bytes:
    """Without its end, without its beginning or without a part of its middle."""
    first, last = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    return rng.choice((content[:first], content[last:], content[:first] + content[last:]))


def overwritten(content: bytes, rng: random.Random) -> bytes:
    """Zeros or noise, as a disk leaves them."""
    first, last = sorted(rng.randrange(len(content) + 1) for _ in range(2))
    noise = bytes(last - first) if rng.random() < 0.5 else rng.randbytes(last - first)
    return content[:first] + noise + content[last:]


BYTES = (flipped, flipped, cut, overwritten)
OF_JSON = (*BYTES, *4 * (swapped,))


def damaged(content: bytes, seed: int, ways: tuple[Callable[[bytes, random.Random], bytes], ...]) -> bytes:
    rng = random.Random(seed)
    return rng.choice(ways)(content, rng)


def blank(picture: Picture[object], format: str) -> bytes:
    """In the place of what takes long to draw."""
    assert json.dumps(picture.carried)
    buffer = BytesIO()
    Image.new("L", (1, 1)).save(buffer, "png")
    return buffer.getvalue()


def save(folder: ReportFolder, *records: Record) -> list[Path]:
    paths = []
    for each in records:
        measured = hasattr(each, "plan")
        name = each.plan.name if measured else each.config.name
        paths.append(folder.measurement(name) if name.startswith("gradients") else folder.record(name))
        each.save(paths[-1])
    return paths


def make(folder: ReportFolder, kind: str) -> Path:
    """A folder with records, and that which is to be damaged."""
    others = [record(name, seed) for name in ("marginalize", "gumbel") for seed in (0, 1)]
    measured = gradient_record(("gumbel", 0.5), ("reinforce", None), epochs=(1,))
    costs = {"marginalize": {2: (8.0,), 10: (9.0,), 20: (11.0,)}, "gumbel": {2: (7.0,), 10: (7.1,), 20: (7.2,)}}
    if kind == "cost":
        save(folder, cost_record(**costs))
        return save(folder, cost_record(**costs, reinforce=costs["gumbel"]))[0]
    save(folder, *others)
    one = {
        "run": record("gumbel", 2),
        "failed": failed("gumbel", 2),
        "gradients": measured,
        "tau": record("gumbel", 2, tau=0.7),
    }
    return save(folder, one[kind])[0]


def report(path: Path) -> tuple[int, str]:
    """The code and the words of `gsm report`."""
    result = CliRunner().invoke(app, ["report", str(path)], prog_name="gsm")
    return result.exit_code, result.stderr


def try_record(folder: ReportFolder, path: Path, content: bytes) -> None:
    """A damaged record in a folder of whole ones: named with the code 3, or one that there may be."""
    path.write_bytes(content)
    code, words = report(folder.path)
    assert "defect" not in words
    assert code in (0, 3), words
    if code == 3:
        lines = [line for line in words.splitlines() if line.startswith("gsm: ")]
        assert len(lines) == 1
        assert lines[0].count(path.name) == 1
        assert lines[0].isprintable()
        text = folder.text.read_text("utf-8")
        assert text.count("**Warning.**") == 1
        assert "<script>" not in text
    BECAME[f"{path.name}: {'refused' if code else 'a record that there may be'}"] += 1


@pytest.mark.parametrize("kind", ["run", "failed", "tau", "gradients", "cost"])
class TestRecords:
    def test_are_named_or_plausible(self, kind, tmp_path, monkeypatch):
        monkeypatch.setattr(Picture, "encode", blank)
        folder = ReportFolder(tmp_path / "digits-100")
        path = make(folder, kind)
        whole = path.read_bytes()
        assert report(folder.path)[0] == 0

        @bounded
        @given(seeds)
        def campaign(seed: int) -> None:
            try_record(folder, path, damaged(whole, seed, OF_JSON))

        campaign()

    def test_that_are_plausible_can_be_drawn(self, kind, tmp_path):
        folder = ReportFolder(tmp_path / "digits-100")
        path = make(folder, kind)
        whole = path.read_bytes()

        @few
        @given(seeds)
        def campaign(seed: int) -> None:
            path.write_bytes(damaged(whole, seed, (swapped,)))
            found = folders.read(folder)
            for picture in [] if found.problems else found.pictures:
                assert picture.encode("png").startswith(b"\x89PNG")
            BECAME[f"{path.name}: {'refused' if found.problems else 'drawn'}"] += 1

        campaign()


class TestReports:
    @pytest.mark.parametrize("name", ["report.md", "accuracy.png"])
    def test_are_as_they_were_or_named(self, tmp_path, name):
        folder = ReportFolder(tmp_path / "digits-100")
        make(folder, "run")
        whole = folders.read(folder)
        folders.write(whole)
        path = folder.path / name
        content = path.read_bytes()
        shown = folder.picture("accuracy").read_bytes()

        @bounded
        @given(seeds)
        def campaign(seed: int) -> None:
            path.write_bytes(damaged(content, seed, BYTES))
            lines = folders.check(whole)
            assert all(line.isprintable() for line in lines)
            assert not lines or str(path) in lines[0]
            if not lines:
                assert folder.text.read_bytes() == whole.text.encode()
                assert folder.picture("accuracy").read_bytes() == shown
            BECAME[f"{name}: {'refused' if lines else 'the same'}"] += 1

        campaign()


CONFIG = build({"hidden": [8], "latent": 2, "auxiliary": 2, "epochs": 2, "batch_size": 200})


def leaf_swapped(content: bytes, rng: random.Random) -> bytes:
    """A checkpoint with something else in one place, and with the checksums of that."""
    state = torch.load(BytesIO(content), weights_only=True)
    if rng.random() < 0.4:
        state["epochs"] = swapped(state["epochs"], rng)
    else:
        part: object = state
        while isinstance(part, dict | list) and len(part):
            name = rng.choice(list(part)) if isinstance(part, dict) else rng.randrange(len(part))
            inner = part[name]
            if not isinstance(inner, dict | list) or not inner or rng.random() < 0.3:
                part[name] = rng.choice((None, 1, 0.5, "a", b"", [], {}, (1,), True, torch.zeros(3), torch.zeros(())))
                break
            part = inner
    buffer = BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def equal(first: object, second: object) -> bool:
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(equal(value, second[name]) for name, value in first.items())
    if isinstance(first, torch.Tensor):
        return isinstance(second, torch.Tensor) and torch.equal(first, second)
    return type(first) is type(second) and first == second


@pytest.mark.parametrize("ways", [BYTES, (leaf_swapped,)], ids=["bytes", "leaves"])
def test_checkpoints_are_refused_or_the_same(tmp_path, ways):
    """Or with other plausible numbers in the place of the epochs', the moments' or the learning rate's."""
    split = load(find_dataset("digits"), 100, 0)
    run, path = Run(CONFIG, split), tmp_path / "a.pt"
    run.epochs.append(run.epoch())
    run.keep_best()
    run.checkpoint().save(path)
    whole = path.read_bytes()
    state = {"model": run.model.state_dict(), "best": run.best, "optimizer": run.optimizer.state_dict()}

    @bounded
    @given(seeds)
    def campaign(seed: int) -> None:
        path.write_bytes(damaged(whole, seed, ways))
        again, error = Run(CONFIG, split), None
        became = "the same"
        try:
            again.restore(path)
        except GsmError as caught:
            error = caught
        if error:
            assert str(path) in str(error)
            assert str(error).isprintable()
            assert not again.epochs
            became = "refused as damaged" if isinstance(error, DamagedError) else "refused as another run's"
        else:
            found = {"model": again.model.state_dict(), "best": again.best, "optimizer": again.optimizer.state_dict()}
            if ways is BYTES:
                assert equal(found, state)
                assert again.epochs == run.epochs
            elif not equal(found, state) or again.epochs != run.epochs:
                became = "a checkpoint that there may be"
                assert again.epoch()
        BECAME[f"checkpoint: {became}"] += 1

    campaign()


def test_a_folder_of_odd_things_is_reported_on(tmp_path, monkeypatch):
    """A pipe, an endless device, a folder and a file of a terabyte under the names of records and pictures."""
    monkeypatch.setattr(Picture, "encode", blank)
    folder = ReportFolder(tmp_path / "digits-100")
    make(folder, "run")
    odd = [folder.record(f"gumbel-0000000{number}-0") for number in range(4)]
    os.mkfifo(odd[0])
    odd[1].symlink_to("/dev/zero")
    odd[2].mkdir()
    with odd[3].open("wb") as file:
        file.truncate(2**40)
    os.mkfifo(folder.picture("pipe"))
    folder.picture("zero").symlink_to("/dev/zero")
    code, words = report(folder.path)
    assert code == 3
    assert sum(words.count(path.name) for path in odd) == 3  # the sentence names the first three
    text = folder.text.read_text("utf-8")
    assert all(text.count(path.name) == 1 for path in odd)
    assert "defect" not in words
    copies = [folder.record(f"copy-{number}") for number in range(2)]
    for copy in copies:
        shutil.copy(folder.record(record("gumbel", 0).config.name), copy)
    problems = folders.read(folder).problems
    assert sum("is the record of another run than its name says" in problem for problem in problems) == 2
    assert msgspec.json.encode(problems)
