"""`gsm report --tensorboard`: the scalars of every epoch, as TensorBoard reads them."""

import importlib.util
import struct
from pathlib import Path

import pytest
from records_of import SIX, batch, cost_record, failed
from tensorboardX.proto.event_pb2 import Event

from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.frames import epoch_rows


@pytest.fixture
def digits(folder) -> ReportFolder:
    found = ReportFolder(folder / "reports" / "digits-100")
    for each in (*batch(SIX), failed("gumbel", 77)):
        each.save(found.record(each.config.name))
    return found


def events(path: Path) -> list[Event]:
    """The events in a file of TFRecords: of each its length, a checksum, the bytes, and a checksum."""
    data, found = path.read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        found.append(Event.FromString(data[12 : 12 + length]))
        data = data[16 + length :]
    return found


def test_every_number_of_every_epoch_is_there(gsm, folder, digits):
    result = gsm("report", "--tensorboard", "board")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == ["reports/digits-100/report.md", "board/digits-100"]
    runs = [*batch(SIX), failed("gumbel", 77)]
    assert {path.name for path in (folder / "board/digits-100").iterdir()} == {run.config.name for run in runs}
    for run in runs:
        first, *rest = events(folder / f"board/digits-100/{run.config.name}/events.out.tfevents.gsm")
        assert first.file_version == "brain.Event:2"
        assert [event.step for event in rest] == list(range(1, len(run.epochs) + 1))
        for event, row in zip(rest, epoch_rows(run), strict=True):
            found = {value.tag: value.simple_value for value in event.summary.value}
            known = {name: row[name] for name in run.columns if row[name] is not None}
            test = {"test_accuracy": run.test.last.accuracy} if run.test and event is rest[-1] else {}
            assert found == pytest.approx(known | test, rel=1e-6)
        if rest:
            assert rest[-1].wall_time == pytest.approx(sum(run.epochs.seconds))


def test_twice_is_the_same_and_leaves_the_check_alone(gsm, folder, digits):
    files = []
    for _ in range(2):
        assert gsm("report", "--tensorboard", "board").exit_code == 0
        files.append({path: path.read_bytes() for path in (folder / "board").rglob("*") if path.is_file()})
    assert files[0] == files[1]
    assert gsm("report", "--check").exit_code == 0


def test_a_report_without_runs_gives_nothing(gsm, folder):
    costs = cost_record(marginalize={2: [1, 2], 10: [2, 3]}, gumbel={2: [1, 1], 10: [1, 1]})
    costs.save(ReportFolder(folder / "reports/cost").record(costs.plan.name))
    assert gsm("report", "--tensorboard", "board").stdout == "reports/cost/report.md\n"
    assert not (folder / "board").exists()


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["--check"], 2, "--tensorboard goes with reports that are written, and --check writes none"),
        (["nowhere"], 3, "a report needs records, and nowhere has none"),
    ],
)
def test_bad_input_is_one_sentence(gsm, folder, digits, words, code, sentence):
    result = gsm("report", "--tensorboard", "board", *words)
    assert (result.exit_code, result.stderr.count("gsm: ")) == (code, 1)
    assert sentence in result.stderr
    assert not (folder / "board").exists()


def test_a_folder_that_is_a_file(gsm, folder, digits):
    (folder / "board").write_text("mine")
    result = gsm("report", "--tensorboard", "board")
    assert (result.exit_code, result.stderr.count("gsm: ")) == (1, 1)
    assert "cannot be written (a file stands where its folder should be)" in result.stderr
    assert (folder / "board").read_text() == "mine"


def test_without_the_extra_it_says_how_to_get_it(gsm, digits, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr("gsm_cli.cli.report.find_spec", lambda name: None if name == "tensorboardX" else find(name))
    result = gsm("report", "--tensorboard", "board")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "gsm: --tensorboard must have tensorboardX, and it is not installed: in a clone of gsm, "
        "pip install --constraint constraints.txt '.[tensorboard]'\n"
    )
