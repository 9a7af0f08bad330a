"""The command that measures gradients: `gsm gradients`."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from gsm_cli.cli import measuring, options
from gsm_cli.cli.options import Several, flag, option, whole_number
from gsm_cli.cli.plan import read_report
from gsm_cli.cli.settings import setting_option
from gsm_cli.cli.sources import warn_of_variables
from gsm_cli.config import DATASET
from gsm_cli.errors import UsageError
from gsm_cli.extensions import find_objective
from gsm_cli.files import prepare
from gsm_cli.objectives import MARGINALIZE, OBJECTIVES, SUPERVISED
from gsm_cli.records.gradients import MEASURED, TEMPERATURES, GradientPlan, GradientRecord, read_gradients
from gsm_cli.records.layout import ReportFolder
from gsm_cli.runs.environment import environment
from gsm_cli.settings import ALL, Source, option_name, read_names, read_seeds
from gsm_cli.settings import plan as configs

if TYPE_CHECKING:
    from gsm_cli.data.split import Split

MOST = 1_000_000

Taus = Annotated[Several, option("--tau", "Temperatures, with commas or repeated.", "0.1,0.3,0.5,1,2", "NUMBERS")]
Images = Annotated[
    int | None,
    whole_number(
        "--images", "Unlabelled images of the bound.  [default: until none holds over a tenth of it]", 1, MOST
    ),
]
Replicates = Annotated[int, whole_number("--replicates", "Estimates of every estimator on a model.", 10, MOST)]
Classes = Annotated[
    int | None,
    whole_number(
        "--classes", "Classes of the functions of y, on a random law.  [default: the article's six]", 2, 10_000
    ),
]
OwnModels = Annotated[bool, flag("--own-models/--no-own-models", "Measure each also on models that it trains itself.")]
Seeds = Annotated[Several, option("--seeds", "Seeds of the models and the noise, as 0-4 or 0,3.", "0,1", "SEEDS")]


def gradients(
    tau: Taus = None,
    objective: measuring.Objectives = None,
    dataset: Annotated[str, setting_option("dataset")] = DATASET,
    labels: Annotated[str | None, setting_option("labels", "INTEGER")] = None,
    epochs: Annotated[str | None, setting_option("epochs", "INTEGER")] = None,
    batch_size: Annotated[str | None, setting_option("batch_size", "INTEGER")] = None,
    images: Images = None,
    replicates: Replicates = 250,
    classes: Classes = None,
    own_models: OwnModels = True,
    seeds: Seeds = None,
    data_dir: options.DataDir = None,
    out: options.Reports = Path("reports"),
    report: options.ReportName = None,
    force: Annotated[bool, flag("--force", "Measure again what was measured before.")] = False,
    as_json: options.Json = False,
) -> None:
    """Measure every estimator's gradient against the exact one.

    The models are measured after the first epoch, half of them and all. The bias, the deviation and the direction of
    the mean gradient go into the report of the data set, or into that of a sweep over temperatures, named by --report.
    Other settings get a file of their own.
    """
    warn_of_variables()
    given = {"dataset": dataset, "labels": labels, "epochs": epochs, "batch_size": batch_size}
    sizes = {"replicates": replicates, "images": images, "classes": classes, "own_models": own_models}
    plan = read_plan(tau, objective, seeds, given, **sizes)
    own = plan.config.folder
    folder = ReportFolder(out / (read_report("--report", report, [own]) if report is not None else own))
    path = folder.measurement(plan.name)
    options.say(f"gradients of {', '.join(plan.objectives)} on {dataset}, into {path}")
    record = measuring.find(path, read_gradients, environment("cpu"), partial(_measure, plan, folder, data_dir), force)
    from gsm_cli.reports.gradients import gradient_page

    options.say(gradient_page(record).answer)
    measuring.finish("gradients", path, record, folder, as_json)


def read_plan(
    tau: Several, objectives: Several, seeds: Several, given: Mapping[str, str | None], **sizes: Any
) -> GradientPlan:
    """What is to be measured, at the usual temperatures and seeds unless some are named.

    `given` are the settings of the models, `sizes` the other parts of the plan. Raises UsageError with the rule of what
    is wrong.
    """
    from gsm_cli.law.request import read_temperatures

    names = read_names("--objective", objectives or [ALL], MEASURED)
    if SUPERVISED in names:
        raise UsageError(f"--objective must have an estimator, and {SUPERVISED} has none: leave it out")
    rows = [find_objective(name, "--objective") for name in dict.fromkeys([*OBJECTIVES, *names]) if name in names]
    chosen = tuple(sorted(read_seeds("--seeds", seeds or ["0,1"])))
    named = {name: value for name, value in given.items() if value is not None}
    source = Source(named | {"seed": chosen[0]}, option_name)
    plan = GradientPlan(
        config=configs([MARGINALIZE], [source])[0],
        seeds=chosen,
        objectives=tuple(row.name for row in rows),  # in the order of the table, and somebody's own behind
        temperatures=tuple(sorted({each.value for each in read_temperatures(tau or [])})) or TEMPERATURES,
        sha256={row.name: row.sha256 for row in rows if row.sha256},
        **sizes,
    )
    if tau and not any(row.relaxed for row in rows):
        none = ", ".join(plan.objectives)
        raise UsageError(f"--tau must have an objective that reads it, and none of {none} does: leave it out")
    return plan


def _measure(plan: GradientPlan, folder: ReportFolder, data_dir: Path | None) -> GradientRecord:
    """Train, measure, and keep the record in that folder."""
    from gsm_cli.measures.gradients import allowed, left_out, measure_plan
    from gsm_cli.runs.build import try_own

    if not any(allowed(name, plan.temperatures) for name in plan.objectives):
        sentences = "; ".join(left_out(plan.objectives, plan.temperatures))
        raise UsageError(f"--tau must have a temperature that some objective allows, and {sentences}: name another")
    try_own(plan.sha256)
    splits, path = _splits(plan, data_dir), folder.measurement(plan.name)
    prepare(path)
    record = measure_plan(plan, splits, options.say)
    folder.ask("comparison" if folder.name == plan.config.folder else "settings", data_dir)
    record.save(path)
    return record


def _splits(plan: GradientPlan, data_dir: Path | None) -> "dict[int, Split]":
    """The data of every seed."""
    from gsm_cli.runs.task import load_split

    splits = {seed: load_split(plan.config, seed, data_dir, options.fetch) for seed in plan.seeds}
    most = min(len(split.unlabelled.classes) for split in splits.values())
    if plan.images is not None and plan.images > most:
        raise UsageError(f"--images must be at most {most}, the unlabelled ones, not {plan.images}: lower it")
    return splits
