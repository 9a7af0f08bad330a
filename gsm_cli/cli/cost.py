"""The command that measures what a step costs: `gsm cost`."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated

import typer

from gsm_cli.cli import completion, measuring, options
from gsm_cli.cli.options import Several, flag, option, whole_number
from gsm_cli.cli.plan import ALL
from gsm_cli.cli.settings import MEANINGS
from gsm_cli.errors import UsageError

if TYPE_CHECKING:
    from gsm_cli.records.cost import CostPlan, CostRecord

MOST_IMAGES, MOST_ROUNDS, MOST_CLASSES = 100_000, 1_000, 100_000

Classes = Annotated[
    Several,
    option("--classes", "Numbers of classes, with commas or repeated.", "2,5,10,20,50,100,200,500,1000", "INTEGERS"),
]
ModelName = Annotated[str, option("--model", MEANINGS["model"], "adgm", "NAME", completion.models)]
BatchSize = Annotated[
    int, whole_number("--batch-size", "Unlabelled images in a step, and as many labelled ones.", 1, MOST_IMAGES)
]
Precision = Annotated[str, option("--precision", MEANINGS["precision"], "float32", "NAME", completion.precisions)]
Device = Annotated[str, option("--device", "Where to measure: auto, cpu or cuda.", "auto", "NAME", completion.devices)]
Rounds = Annotated[
    int, whole_number("--rounds", "Processes for each number, or turns with --for; more claim more.", 1, MOST_ROUNDS)
]


Report = Annotated[
    Path | None, option("--for", "Time the steps of this report's runs instead, at their own sizes.", "", "FOLDER")
]
OF_CLASSES = ("classes", "objective", "model", "batch_size", "precision", "out")  # what --for takes from the runs


def cost(
    context: typer.Context,
    classes: Classes = None,
    objective: measuring.Objectives = None,
    model: ModelName = "adgm",
    batch_size: BatchSize = 100,
    precision: Precision = "float32",
    device: Device = "auto",
    rounds: Rounds = 5,
    report: Report = None,
    seed: Annotated[int, whole_number("--seed", "Fixes the order of the measurements.", 0)] = 0,
    out: options.Reports = Path("reports"),
    force: Annotated[bool, flag("--force", "Measure again, and replace the record.")] = False,
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
    from gsm_cli.records.cost import CostRecord, read_cost
    from gsm_cli.records.layout import COST, ReportFolder
    from gsm_cli.words import counted

    plan = read_plan(
        classes or [], objective or [ALL], model, precision, device, batch_size=batch_size, rounds=rounds, seed=seed
    )
    folder = ReportFolder(out / COST)
    path = folder.record(plan.name)
    sizes = counted(len(plan.classes), "number")
    options.say(f"steps of {len(plan.objectives)} objectives at {sizes} of classes, into {path}")
    from gsm_cli.measures.steps import measure_costs
    from gsm_cli.reports.costs import answer
    from gsm_cli.runs.build import try_own

    empty = CostRecord(**measuring.made_by(plan.device), plan=plan, rows=[])

    def measure() -> CostRecord:
        try_own(plan.sha256)
        return measuring.go_on(empty, path, measure_costs, _told, plan.precision == "bf16")

    record = measuring.find(path, read_cost, empty.environment, measure, force)
    options.say(answer(record))
    measuring.finish("cost", path, record, folder, as_json)


def _told(record: "CostRecord") -> str:
    """The last measurement."""
    row = record.rows[-1]
    return f"{row.objective} with {row.classes} classes: {1000 * median(row.seconds):.3g} ms"


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
    counts = tuple(sorted({count for text in classes for count in read_classes(text)})) or CLASSES
    if device == "auto":
        options.say("loading PyTorch to see which devices are there …")
    try:
        return CostPlan(
            objectives=tuple(dict.fromkeys(row.name for row in rows)),
            sha256={row.name: row.sha256 for row in rows if row.sha256},
            classes=counts,
            model=checked.model,
            precision=checked.precision,
            device=find_device(device),
            **numbers,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None


def read_classes(text: str) -> list[int]:
    """The numbers that `2,5,10` names."""
    return [options.read_whole("--classes", part, 2, MOST_CLASSES) for part in text.split(",")]
