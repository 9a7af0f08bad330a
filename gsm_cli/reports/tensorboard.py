"""The epochs of runs as scalars for TensorBoard: a folder for each run, the same bytes from the same records."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from tensorboardX.proto.event_pb2 import Event
from tensorboardX.proto.summary_pb2 import Summary
from tensorboardX.record_writer import RecordWriter

from gsm_cli.files import write_atomic
from gsm_cli.records.run import RunRecord
from gsm_cli.reports.page import Report

NAME = "events.out.tfevents.gsm"  # TensorBoard asks for the middle of it


def write_scalars(report: Report, place: Path) -> list[Path]:
    """Write every run of a report into a folder of its own below `place`; the folder that holds them."""
    folder = place / report.folder.name
    with TemporaryDirectory(prefix="gsm-") as aside:
        for record in report.runs:
            writer = RecordWriter(f"{aside}/{NAME}")
            for event in _events(record):
                writer.write(event.SerializeToString(deterministic=True))
            writer.close()
            write_atomic(folder / record.config.name / NAME, (Path(aside) / NAME).read_bytes())
    return [folder] if report.runs else []


def _events(record: RunRecord) -> Iterator[Event]:
    """An event for each epoch, at the seconds that training took until then; the test accuracy with the last."""
    yield Event(file_version="brain.Event:2")
    seconds, columns = 0.0, record.columns
    for index in range(len(record.epochs)):
        seconds += record.epochs.seconds[index]
        values = {name: column[index] for name, column in columns.items() if column}
        if record.test and index + 1 == len(record.epochs):
            values["test_accuracy"] = record.test.last.accuracy
        scalars = [Summary.Value(tag=name, simple_value=value) for name, value in values.items() if value is not None]
        yield Event(wall_time=seconds, step=index + 1, summary=Summary(value=scalars))
