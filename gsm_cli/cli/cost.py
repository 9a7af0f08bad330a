"""The command that measures what a step costs: `gsm cost`."""

import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsm_cli.cli import completion, options
from gsm_cli.cli.options import option, whole_number
from gsm_cli.cli.plan import ALL
from gsm_cli.cli.settings import MEANINGS
from gsm_cli.errors import AGAIN, DataError, GsmError, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from gsm_cli.records.cost import CostPlan, CostRecord
    from gsm_cli.records.steps import StepRecord

MOST_IMAGES, MOST_ROUNDS, MOST_CLASSES = 100_000, 1_000, 100_000

Several = list[str] | None  # repeated or with commas
Classes = Annotated[
    Several,
    option("--classes", "Numbers of classes, with commas or repeated.", "2,5,10,20,50,100,200,500,1000", "INTEGERS"),
]
Objectives = Annotated[
    Several,
    option(
        "--objective",
        "Estimators by the names of train-ssl, with commas or repeated.",
        "all that need no trained model",
        "NAMES",
        completion.objectives,
    ),
]
ModelName = Annotated[str, option("--model", MEANINGS["model"], "adgm", "NAME", completion.model)]
BatchSize = Annotated[
    int, whole_number("--batch-size", "Unlabelled images in a step, and as many labelled ones.", 1, MOST_IMAGES)
]
Precision = Annotated[str, option("--precision", MEANINGS["precision"], "float32", "NAME", completion.precision)]
Device = Annotated[
    str,
    option("--device", "Where to measure: auto, cpu or cuda.", "auto", "NAME", completion.device),
]
Rounds = Annotated[
    int, whole_number("--rounds", "Processes for each number, or turns with --for; more claim more.", 1, MOST_ROUNDS)
]


Report = Annotated[
    Path | None,
    typer.Option(
        "--for",
        metavar="FOLDER",
        help="Instead time the steps of the runs of this report, each at its own sizes, all in turns.",
        show_default=False,
    ),
]
OF_CLASSES = ("classes", "objective", "model", "batch_size", "precision", "out")  # what --for takes from the runs


def cost(
    context: typer.Context,
    classes: Classes = None,
    objective: Objectives = None,
    model: ModelName = "adgm",
    batch_size: BatchSize = 100,
    precision: Precision = "float32",
    device: Device = "auto",
    rounds: Rounds = 5,
    report: Report = None,
    seed: Annotated[int, whole_number("--seed", "Fixes the order of the measurements.", 0)] = 0,
    out: options.Reports = Path("reports"),
    force: Annotated[bool, typer.Option("--force", help="Measure again, and replace the record.")] = False,
    as_json: options.Json = False,
) -> None:
    """Measure time and memory of a step against the classes.

    Each number comes from fresh processes, all in random order, so let the machine be idle. Other settings get a file
    of their own; an interrupted measurement goes on when the same command is given again. With --for the seconds of a
    report are measured, beside its records.
    """
    if report is not None:
        from gsm_cli.cli.cost_for import measure_for

        _refuse_sizes(context)
        measure_for(report, device, rounds, seed, force, as_json)
        return
    from gsm_cli.records.layout import COST, ReportFolder
    from gsm_cli.reports.costs import answer
    from gsm_cli.reports.folder import read, write
    from gsm_cli.words import few

    plan = read_plan(
        classes or [], objective or [ALL], model, precision, device, batch_size=batch_size, rounds=rounds, seed=seed
    )
    folder = ReportFolder(out / COST)
    path = folder.record(plan.name)
    record = _measure(plan, path, force)
    found = read(folder)
    written = write(found)
    print(answer(record), file=sys.stderr)
    if as_json:
        from gsm_cli.cli.answers import CostResults, told
        from gsm_cli.cli.output import show

        show("cost", [path, written], CostResults(record=record, report=told(found)))
    else:
        print(path, written, sep="\n")
    if found.problems:
        raise DataError(few(found.problems))


def _refuse_sizes(context: typer.Context) -> None:
    """Raise UsageError for an option that contradicts --for."""
    for name in OF_CLASSES:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"--for takes the sizes of its runs, and {option} names another: leave one of them out")


def read_plan(
    classes: Sequence[str], objectives: Sequence[str], model: str, precision: str, device: str, **numbers: int
) -> "CostPlan":
    """What is to be measured; without classes at the usual ones. Raises UsageError with the rule of what is wrong."""
    from gsm_cli.extensions import find_objective
    from gsm_cli.records.cost import CLASSES, MEASURED, CostPlan
    from gsm_cli.runs.environment import find_device
    from gsm_cli.settings import build, read_names

    names = read_names("--objective", objectives)
    rows = [find_objective(name, "--objective") for each in names for name in (MEASURED if each == ALL else [each])]
    checked = build({"model": model, "precision": precision})
    try:
        return CostPlan(
            objectives=tuple(dict.fromkeys(row.name for row in rows)),
            sha256={row.name: row.sha256 for row in rows if row.sha256},
            classes=tuple(sorted({count for text in classes for count in read_classes(text)})) or CLASSES,
            model=checked.model,
            precision=checked.precision,
            device=find_device(device),
            **numbers,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None


def read_classes(text: str) -> list[int]:
    """The numbers that `2,5,10` names."""
    parts = [part.strip() for part in text.split(",")]
    for part in parts:
        if not re.fullmatch("[0-9]{1,18}", part) or not 2 <= int(part) <= MOST_CLASSES:
            rule = f"--classes must be whole numbers from 2 to {MOST_CLASSES:,}"
            raise UsageError(f"{rule}, not {options.as_typed(part)}: write for example --classes 2,5,10")
    return [int(part) for part in parts]


def _measure(plan: "CostPlan", path: Path, force: bool) -> "CostRecord":
    """The record at `path`, measured now if it is not there; what goes on is said on stderr."""

    from rich.console import Console

    from gsm_cli import __version__
    from gsm_cli.files import is_there, prepare
    from gsm_cli.fingerprint import MEASURES, fingerprint
    from gsm_cli.measures.cost_rounds import PART, begun, is_beginning
    from gsm_cli.records.cost import CostRecord, read_cost
    from gsm_cli.runs.build import try_own
    from gsm_cli.runs.environment import environment

    console = Console(stderr=True, highlight=False, soft_wrap=True, markup=False)
    code, machine = fingerprint(MEASURES), environment(plan.device)
    empty = CostRecord(version=__version__, code=code, environment=machine, plan=plan, rows=[])
    if is_there(path) and not force:
        found = read_cost(path)
        where = "here" if found.environment == empty.environment else f"on another machine, {found.environment.words}"
        begun_anew = is_there(path.with_suffix(PART))
        remedy = "--force goes on with the measurement that was begun anew" if begun_anew else "--force measures again"
        console.print(f"measured before, {where}; {remedy}")
        return found
    try_own(plan.sha256)
    prepare(path)
    with options.resumable(f"{AGAIN} to go on after the measurements that are done"), alone(path.parent):
        done = len(begun(empty, path, is_beginning).rows)
        if is_there(path):
            console.print(f"at its end this replaces {describe(path, CostRecord)}")
        if done:
            console.print(f"goes on where it was interrupted, after {done} of {plan.measurements} measurements")
        if plan.precision == "bf16":
            options.warn_of_slow_bf16(plan.device)
        return _measure_all(empty, path, console)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """While this lasts nobody else measures for that folder: two would slow each other. Raises GsmError if one does."""
    from gsm_cli.runs.locks import RunLock

    lock = RunLock(folder / "cost")
    if not lock.acquire():
        raise GsmError(f"a measurement must be alone, and {lock.holder()}, measures for {folder} now: wait for its end")
    try:
        yield
    finally:
        lock.release()


def describe(path: Path, kind: "type[CostRecord] | type[StepRecord]") -> str:
    """What a record at `path` is, for somebody who is about to lose it."""
    from gsm_cli.records.store import read

    try:
        found = read(path, kind)
    except DataError:
        return f"{path}, which is no whole record"
    return f"{path}, measured with {found.made_by}"


def _measure_all(record: "CostRecord", path: Path, console: "Console") -> "CostRecord":
    """Measure what is not yet measured, with a line for each."""
    from statistics import median

    from rich.progress import Progress

    from gsm_cli.measures.cost_rounds import measure_all
    from gsm_cli.records.cost import CostRow

    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task("measuring", total=record.plan.measurements)

        def show(row: CostRow, done: int) -> None:
            progress.update(task, completed=done)
            console.print(f"{row.objective} with {row.classes} classes: {1000 * median(row.seconds):.3g} ms")

        return measure_all(record, path, show)
