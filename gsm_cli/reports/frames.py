"""Records as tables, in CSV and in pandas: a row for each run, one for each epoch.

Columns are settings and numbers as records name them; a cell without a value is empty. UTF-8, commas, one line of
names, and rows in the order of the report: the same bytes from the same records.
"""

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from gsm_cli.commands import write
from gsm_cli.errors import DataError
from gsm_cli.files import write_atomic
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import Reading, RunRecord, read_run
from gsm_cli.reports.page import Report

if TYPE_CHECKING:
    import pandas as pd

Row = Mapping[str, object]
READINGS = {  # columns, and what they are of a reading
    "epoch": "epoch",
    "test_accuracy": "accuracy",
    "test_errors": "errors",
    "unlabelled_accuracy": "unlabelled_accuracy",
}


def write_csv(report: Report) -> list[Path]:
    """Write the runs of a report, and their epochs, beside its text; nothing for a report without runs."""
    if not report.runs:
        return []
    tables = {
        "runs": [run_row(record) for record in report.runs],
        "epochs": [row for record in report.runs for row in epoch_rows(record)],
    }
    for name, rows in tables.items():
        write_atomic(report.folder.table(name), encode(rows))
    return [report.folder.table(name) for name in tables]


def frame(path: Path | str, epochs: bool = False) -> "pd.DataFrame":
    """The runs in a folder of records as a pandas DataFrame, a row for each run, or for each of its epochs.

    The columns are those of runs.csv and epochs.csv; `test_accuracy` is that of the last epoch. Raises DataError for a
    folder without records, and for one that cannot be read.
    """
    import pandas as pd

    if not (records := [read_run(each) for each in ReportFolder(Path(path)).records]):
        raise DataError(f"a table of runs needs records, and {path} has none: name the folder of a report")
    if epochs:
        return pd.DataFrame([row for record in records for row in epoch_rows(record)])
    return pd.DataFrame(map(run_row, records)).rename(columns={"last_test_accuracy": "test_accuracy"})


def run_row(record: RunRecord) -> dict[str, object]:
    """A run: its settings, results after the last epoch and at that which validation would choose, and its machine."""
    epochs, test, machine = record.epochs, record.test, record.environment
    measured = {
        "classes": record.classes,
        "split": record.split,
        "parameters": record.parameters,
        "unlabelled_images": record.unlabelled,
        "test_images": test.images if test else None,
        "epochs_done": len(epochs),
        "failure": record.failure.reason if record.failure else None,
        "validation_accuracy": epochs.validation_accuracy[-1] if len(epochs) else None,
        **_reading("chosen", test.chosen if test else None),
        **_reading("last", test.last if test else None),
        "last_log_p": test.bound.mean if test and test.bound else None,
        "seconds": sum(epochs.seconds),
        "processor_seconds": sum(epochs.processor_seconds),
        "version": record.version,
        **{name: getattr(machine, name) for name in ("device", "kernels", "threads")},
    }
    settings = {  # one of somebody's own may be called as what was measured
        f"own_{name}" if name in {"run", "test_accuracy", *measured} and name in record.config.own else name: value
        for name, value in record.config.identity.items()
    }
    return {"run": record.config.name, **settings, **measured}


def _reading(when: str, reading: Reading | None) -> dict[str, object]:
    """What the test set says of the weights of one epoch; without it the columns are there and empty."""
    return {f"{when}_{column}": reading and getattr(reading, name) for column, name in READINGS.items()}


def epoch_rows(record: RunRecord) -> Iterable[dict[str, object]]:
    """The epochs of a run, from 1 on, each with the name, the objective and the seed of its run."""
    columns, config = record.columns, record.config
    for index in range(len(record.epochs)):
        known = {"run": config.name, "objective": config.objective_name, "seed": config.seed, "epoch": index + 1}
        yield known | {name: column and column[index] for name, column in columns.items()}


def _cell(value: object) -> str:
    """A value as a spreadsheet shows it: a text that it would take for a formula begins with an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(tuple("=+-@\t\r")) else write(value)


def encode(rows: Iterable[Row]) -> bytes:
    """A table in UTF-8: the columns of all rows, in the order in which they are first met."""
    found = list(rows)
    text = io.StringIO(newline="")
    table = csv.DictWriter(text, list(dict.fromkeys(name for row in found for name in row)), lineterminator="\n")
    table.writeheader()
    for row in found:
        table.writerow({name: "" if value is None else _cell(value) for name, value in row.items()})
    return text.getvalue().encode()
