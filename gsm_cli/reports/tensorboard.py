"""The epochs of runs as scalars for TensorBoard: a folder for each run, the same bytes from the same records."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from gsm_cli.errors import UsageError
from gsm_cli.files import write_atomic
from gsm_cli.records.run import RunRecord
from gsm_cli.reports.page import Report

NAME = "events.out.tfevents.gsm"  # TensorBoard asks for the middle of it
INSTALL = "in a clone of gsm, pip install --constraint constraints.txt '.[tensorboard]'"


def check_installed() -> None:
    """Raise UsageError unless there is a library that writes for TensorBoard."""
    try:
        import tensorboardX  # noqa: F401
    except ImportError:
        raise UsageError(f"--tensorboard must have tensorboardX, and it is not installed: {INSTALL}") from None


def write_scalars(report: Report, place: Path) -> list[Path]:
    """Write every run of a report into a folder of its own below `place`; the folder that holds them."""
    folder = place / report.folder.name
    for record in report.runs:
        write_atomic(folder / record.config.name / NAME, encode(record))
    return [folder] if report.runs else []


def encode(record: RunRecord) -> bytes:
    """The events of a run, as TensorBoard keeps them."""
    from tensorboardX.record_writer import RecordWriter

    with TemporaryDirectory(prefix="gsm-") as folder:
        path = Path(folder) / NAME
        writer = RecordWriter(str(path))
        for event in _events(record):
            writer.write(event.SerializeToString(deterministic=True))
        writer.close()
        return path.read_bytes()


def _events(record: RunRecord) -> Iterator[Any]:
    """An event for each epoch, at the seconds that training took until then; the test accuracy with the last."""
    from tensorboardX.proto.event_pb2 import Event
    from tensorboardX.proto.summary_pb2 import Summary

    yield Event(file_version="brain.Event:2")
    seconds, columns = 0.0, record.columns
    for index in range(len(record.epochs)):
        seconds += record.epochs.seconds[index]
        values = {name: column[index] for name, column in columns.items() if column}
        if record.test and index + 1 == len(record.epochs):
            values["test_accuracy"] = record.test.last.accuracy
        scalars = [Summary.Value(tag=name, simple_value=value) for name, value in values.items() if value is not None]
        yield Event(wall_time=seconds, step=index + 1, summary=Summary(value=scalars))
