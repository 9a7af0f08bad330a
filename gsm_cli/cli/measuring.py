"""What `gsm cost` and `gsm gradients` share: a measurement is found or made, goes on where it was, and is reported."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, TypeVar

from gsm_cli import __version__
from gsm_cli.cli import options
from gsm_cli.cli.options import option
from gsm_cli.cli.output import show, told
from gsm_cli.cli.settings import OFFERED
from gsm_cli.errors import DataError, GsmError
from gsm_cli.files import is_there, prepare
from gsm_cli.fingerprint import MEASURES, fingerprint
from gsm_cli.records.cost import CostRecord, StepRecord
from gsm_cli.records.gradients import GradientRecord
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.store import Environment
from gsm_cli.runs.environment import Device, environment
from gsm_cli.runs.locks import RunLock
from gsm_cli.words import few

Objectives = Annotated[
    list[str] | None,
    option(
        "--objective",
        "Estimators by the names of train-ssl, with commas or repeated.",
        "all that can be measured",
        "NAMES",
        OFFERED["objective"],
    ),
]
AnyMeasured = TypeVar("AnyMeasured", CostRecord, StepRecord, GradientRecord)
Turns = TypeVar("Turns", CostRecord, StepRecord)


def made_by(device: Device) -> dict[str, Any]:
    """What a record says of its making: the version, the code and the machine."""
    return {"version": __version__, "code": fingerprint(MEASURES), "environment": environment(device)}


def find(
    path: Path,
    read: Callable[[Path], AnyMeasured],
    machine: Environment,
    measure: Callable[[], AnyMeasured],
    force: bool,
) -> AnyMeasured:
    """The record at `path`, measured now if it is not there; what goes on is said on stderr."""
    if is_there(path) and not force:
        found = read(path)
        where = "here" if found.environment == machine else f"on another machine, {found.environment.words}"
        options.say(f"measured before, {where}; --force measures again")
        return found
    from gsm_cli.measures.steps import PART

    with options.resumable("to go on after what is measured", [path.with_suffix(PART)]):
        return measure()


def go_on(
    empty: Turns,
    path: Path,
    measure: Callable[[Turns, Path, Callable[[Turns], None]], Turns],
    words: Callable[[Turns], str],
    is_bf16: bool,
) -> Turns:
    """Measure the turns that are lacking, alone, with a line for each."""
    from gsm_cli.measures.steps import begun

    prepare(path)
    turns = len(empty.plan.order)
    with alone(path.parent):
        if is_there(path):
            options.say(f"at its end this replaces {path}")
        if done := len(begun(empty, path).rows):
            options.say(f"goes on where it was interrupted, after {done} of {turns} measurements")
        if is_bf16:
            options.warn_of_slow_bf16(empty.plan.device)
        return measure(empty, path, lambda record: options.say(f"{len(record.rows)} of {turns}: {words(record)}"))


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """While this lasts nobody else measures for that folder: two would slow each other. Raises GsmError if one does."""
    lock = RunLock(folder / "cost")
    if not lock.acquire():
        raise GsmError(f"a measurement must be alone, and {lock.holder()}, measures for {folder} now: wait for its end")
    try:
        yield
    finally:
        lock.release()


def finish(command: str, path: Path, record: AnyMeasured, folder: ReportFolder, as_json: bool) -> None:
    """Write the report with this record, and print both paths. Raises DataError for other files that are damaged."""
    from gsm_cli.reports.folder import read
    from gsm_cli.reports.index import write_one

    report = read(folder)
    show(command, [path, write_one(report)], as_json, record=record, report=told(report))
    if report.problems:
        raise DataError(few(report.problems))
