"""The command that measures what a step costs: `gsm cost`, against the classes or with --for of a report's runs."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from msgspec.structs import replace

from gsm_cli.cli import measuring, options
from gsm_cli.cli.options import Several, flag, option, whole_number
from gsm_cli.cli.settings import OFFERED, setting_option
from gsm_cli.errors import DataError, GsmError, UsageError
from gsm_cli.extensions import find_objective
from gsm_cli.objectives import GUMBEL
from gsm_cli.records.cost import CLASSES, MEASURED, CostPlan, CostRecord, StepRecord, read_cost, read_steps, step_key
from gsm_cli.records.layout import COST, ReportFolder, find_records
from gsm_cli.records.run import RunRecord
from gsm_cli.runs.environment import find_device, load
from gsm_cli.settings import ALL, Source, option_name, plan, read_names
from gsm_cli.words import counted, few

MOST_IMAGES, MOST_ROUNDS, MOST_CLASSES = 100_000, 1_000, 100_000

Classes = Annotated[
    Several,
    option("--classes", "Numbers of classes, with commas or repeated.", "2,5,10,20,50,100,200,500,1000", "INTEGERS"),
]
BatchSize = Annotated[
    int, whole_number("--batch-size", "Unlabelled images in a step, and as many labelled ones.", 1, MOST_IMAGES)
]
Device = Annotated[str, option("--device", "Where to measure: auto, cpu or cuda.", "auto", "NAME", OFFERED["device"])]
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
    model: Annotated[str, setting_option("model")] = "adgm",
    batch_size: BatchSize = 100,
    precision: Annotated[str, setting_option("precision")] = "float32",
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
        _refuse_sizes(context)
        measure_for(report, device, rounds, seed, force, as_json)
        return
    asked = read_plan(classes, objective, model, precision, device, batch_size=batch_size, rounds=rounds, seed=seed)
    folder = ReportFolder(out / COST)
    path = folder.record(asked.name)
    sizes = counted(len(asked.classes), "number")
    options.say(f"steps of {counted(len(asked.objectives), 'objective')} at {sizes} of classes, into {path}")
    empty = CostRecord(**measuring.made_by(asked.device), plan=asked, rows=[])
    record = measuring.find(path, read_cost, empty.environment, partial(_measure_costs, empty, path), force)
    from gsm_cli.reports.costs import answer

    options.say(answer(record))
    measuring.finish("cost", path, record, folder, as_json)


def _refuse_sizes(context: typer.Context) -> None:
    """Raise UsageError for an option that contradicts --for."""
    for name in OF_CLASSES:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            rule = f"--for takes the sizes of its runs, and {option_name(name)} names another"
            raise UsageError(f"{rule}: leave one of them out")


def read_plan(
    classes: Several, objectives: Several, model: str, precision: str, device: str, **numbers: int
) -> CostPlan:
    """What is to be measured; without classes at the usual ones. Raises UsageError with the rule of what is wrong."""
    names = read_names("--objective", objectives or [ALL], MEASURED)
    rows = [find_objective(name, "--objective") for name in names]
    checked, *_ = plan([GUMBEL], [Source({"model": model, "precision": precision}, option_name)])
    parts = [part for text in classes or [] for part in text.split(",")]
    counts = {options.read_whole("--classes", part, 2, MOST_CLASSES) for part in parts}
    if device == "auto":
        options.say("loading PyTorch to see which devices are there …")
    try:
        return CostPlan(
            objectives=tuple(names),
            sha256={row.name: row.sha256 for row in rows if row.sha256},
            classes=tuple(sorted(counts)) or CLASSES,
            model=checked.model,
            precision=checked.precision,
            device=find_device(device),
            **numbers,
        )
    except ValueError as error:
        raise UsageError(str(error)) from None


def _measure_costs(empty: CostRecord, path: Path) -> CostRecord:
    """Measure every turn that is lacking."""
    from gsm_cli.measures.steps import measure_costs
    from gsm_cli.runs.build import try_own

    def told(record: CostRecord) -> str:
        row = record.rows[-1]
        return f"{row.objective} with {row.classes} classes: {1000 * median(row.seconds):.3g} ms"

    try_own(empty.plan.sha256)
    return measuring.go_on(empty, path, measure_costs, told, empty.plan.precision == "bf16")


def measure_for(path: Path, device: str, rounds: int, seed: int, force: bool, as_json: bool) -> None:
    """Time the steps of the report at `path`, in turns, and rebuild it."""
    folder = ReportFolder(path := find_records(path))
    if not folder.records or folder.of_costs:
        rule = f"--for must name the folder of a report on runs, and {path} has none"
        raise DataError(f"{rule}: write for example --for reports/digits-100")
    options.say(f"steps of the runs in {path}, into {folder.steps}: loading PyTorch …")
    from gsm_cli.reports.folder import read

    runs = [record for record in read(folder).runs if record.finished]
    if not runs:
        raise DataError(f"--for must name a report with finished runs, and {path} has none: make some first")
    empty = _empty(runs, device, rounds, seed)
    measure = partial(_measure_steps, empty, folder.steps)
    record = measuring.find(folder.steps, read_steps, empty.environment, measure, force)
    if record.plan.rounds != rounds:
        options.say(f"they have {counted(record.plan.rounds, 'round')}, and not {rounds}")
    known = {step_key(step.config) for step in record.plan.steps}
    lacking = [step.config.name for step in empty.plan.steps if step_key(step.config) not in known]
    if lacking:
        rule = f"{folder.steps} must have the step of every run of the report, and lacks that of {few(lacking)}"
        raise GsmError(f"{rule}: --force times all steps anew, and replaces it")
    measuring.finish("cost", folder.steps, record, folder, as_json)


def _empty(runs: Sequence[RunRecord], asked: str, rounds: int, seed: int) -> StepRecord:
    """What is to be measured: with `auto` on the device of most runs, and with the threads of most runs on it."""
    from gsm_cli.measures.steps import plan_of

    machines = Counter((run.environment.device, run.environment.threads) for run in runs)
    usual = machines.most_common(1)[0][0][0] if asked == "auto" else asked
    device = find_device(usual)
    threads = max(sorted(machines), key=lambda machine: (machine[0] == device, machines[machine]))[1]
    made = measuring.made_by(device)
    made["environment"] = replace(made["environment"], threads=threads)
    return StepRecord(**made, plan=plan_of(runs, rounds, device, seed), load=load(), rows=[])


def _measure_steps(empty: StepRecord, path: Path) -> StepRecord:
    """Time every turn that is lacking; an idle machine is asked for before and after."""
    from gsm_cli.measures.steps import measure_steps

    def told(record: StepRecord) -> str:
        row = record.rows[-1]
        return f"{record.plan.steps[row.step].config.objective_name}: {1000 * record.seconds(row):.3g} ms"

    _warn(empty.disturbances)
    is_bf16 = any(step.config.precision == "bf16" for step in empty.plan.steps)
    record = measuring.go_on(empty, path, measure_steps, told, is_bf16)
    _warn([each for each in record.disturbances if each not in empty.disturbances])
    return record


def _warn(disturbances: Sequence[str]) -> None:
    rule = "gsm: the machine must be idle while steps are timed, and"
    if disturbances:
        options.say(f"{rule} {' and '.join(disturbances)}: let other work end, and measure again with --force")
