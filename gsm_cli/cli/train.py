"""The command that trains: `gsm train-ssl`."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gsm_cli.cli import options, preview, results
from gsm_cli.cli.options import Several, flag, option, several, single, taking
from gsm_cli.cli.plan import AUTO, Plan, read_plan
from gsm_cli.cli.settings import MEANINGS, OFFERED, offer, setting_option
from gsm_cli.config import SETTINGS
from gsm_cli.data import LAPTOP
from gsm_cli.errors import UsageError
from gsm_cli.objectives import OBJECTIVES
from gsm_cli.records.layout import ReportFolder
from gsm_cli.runs.environment import Device
from gsm_cli.runs.places import Here, Workers
from gsm_cli.settings import ALL
from gsm_cli.words import counted, few, listed

if TYPE_CHECKING:
    from gsm_cli.runs.task import Outcome, Task

SETTING = offer(MEANINGS, "=")
GIVEN = {  # options whose text is read together with the other places of a setting, by `read_plan`
    "objective": several(
        "--objective",
        f"What stands for the sum over classes: {', '.join(OBJECTIVES)} (no unlabelled images), or {ALL}. A class of "
        "your own is mine.py:Mine.",
        "marginalize,gumbel",
        "NAMES",
        OFFERED["objective"],
    ),
    "seeds": several("--seeds", "Seeds, as 0, 0-4 or 0,3,7: each a run of every objective.", "0", "SEEDS"),
    "preset": single(
        "--preset", "Settings of the data set; mnist has long, article and liu2019.", LAPTOP, "NAME", OFFERED["preset"]
    ),
    **{  # one for each setting that has an option; its default is that of the presets
        name: Annotated[Several, setting_option(name, "VALUES")] for name, setting in SETTINGS.items() if setting.option
    },
    "sweep": several(
        "--sweep",
        "A setting that takes several values, as kl_start=1,4. It may be repeated: every combination is run.",
        metavar="NAME=VALUES",
        complete=SETTING,
    ),
    "device": single("--device", "Where to train: auto, cpu or cuda.", "auto", "NAME", OFFERED["device"]),
    "jobs": single("--jobs", "Runs at a time on this machine: a number, or auto for its cores.", AUTO, "NUMBER"),
    "scheduler": single(
        "--scheduler", "A Dask scheduler whose workers train, or the file that it wrote.", metavar="ADDRESS"
    ),
    "report": options.ReportName,
}
Other = Annotated[
    Several,
    option(
        "--set",
        "Any other setting, as --set kl_start=4. It may be repeated; gsm settings lists all.",
        metavar="NAME=VALUE",
        complete=SETTING,
    ),
]


@taking(GIVEN)
def train_ssl(
    config: Annotated[Path | None, typer.Option("--config", metavar="FILE", help="A TOML file with settings.")] = None,
    other: Other = None,
    dry_run: Annotated[bool, flag("--dry-run", "Only say which runs are finished, and which resume.")] = False,
    as_commands: Annotated[bool, flag("--print", "Only print a command for each run.")] = False,
    data_dir: options.DataDir = None,
    out: options.Reports = Path("reports"),
    force: Annotated[bool, flag("--force", "Start finished and interrupted runs again.")] = False,
    as_json: options.Json = False,
    **given: object,
) -> None:
    """Train a semi-supervised model with each objective and seed.

    The model is a deep generative one. Whatever takes VALUES, NAMES or SEEDS is repeated or has commas; several values
    of a setting are a sweep. A setting is also read from the environment, as GSM_EPOCHS=50, and from a file, --config;
    the command line is the strongest. gsm settings lists all of them.
    """
    if dry_run and as_commands:
        raise UsageError("--dry-run must stand without --print, since each says what to do instead: give one of them")
    plan = read_plan(given, other or [], config, looks=dry_run or as_commands)
    if as_commands:
        preview.show_commands(plan, _extra(plan, out, data_dir, force), as_json)
        return
    if not (dry_run and plan.is_large):
        options.say(_announced(plan, out))
    if dry_run:
        preview.show_prospects(plan, _tasks(plan, out, data_dir), force, as_json)
    else:
        outcomes = _run(plan, [*_tasks(plan, out, data_dir)], force)
        results.print_results(plan, outcomes, *results.write_reports(plan, outcomes), as_json)


def _tasks(plan: Plan, out: Path, data_dir: Path | None) -> "Iterator[Task]":
    from gsm_cli.runs.task import Task

    for config in plan.runs():
        yield Task(config, ReportFolder(out / plan.folder(config)).record(config.name), data_dir=data_dir)


def _announced(plan: Plan, out: Path) -> str:
    """How many runs are asked for, of what, and where their records go."""
    names = [dict.fromkeys(getattr(config, name) for config in plan.configs) for name in ("objective_name", "dataset")]
    objectives, datasets = (listed([*each]) for each in names)
    folders = dict.fromkeys(str(out / plan.folder(config)) for config in plan.configs)
    return f"{counted(len(plan.configs), 'run')} of {objectives} on {datasets}, into {few([*folders])}"


def _extra(plan: Plan, out: Path, data_dir: Path | None, force: bool) -> list[str]:
    """What the command of a run says besides its settings."""
    words = ["--report", plan.report] if plan.report else []
    words += ["--device", plan.asked[1]] if "device" in plan.named else []
    words += ["--data-dir", str(data_dir)] if data_dir else []
    words += ["--out", str(out)] if out != Path("reports") else []
    return [*words, *(["--force"] if force else [])]


def _run(plan: Plan, tasks: "list[Task]", force: bool) -> "list[Outcome]":
    """Run them and show how it goes; an interruption keeps what is done."""
    from gsm_cli.cli.display import Display
    from gsm_cli.runs.batch import run_all
    from gsm_cli.runs.task import POOLS, check, is_to_do, ready

    way = "to go on from the last checkpoint" + ("; runs that --force has finished begin again" if force else "")
    kept = [each for task in tasks for each in (task.checkpoint, replace(task, anew=True).checkpoint)]
    with options.resumable(way, kept if force else [*kept, *(task.record for task in tasks)]):
        to_do = [task for task in tasks if force or is_to_do(task)]
        if finished := len(tasks) - len(to_do):
            anew = "--out anew trains in a folder of its own, --force in place of what is here"
            options.say(f"{finished} finished before: {anew}")
        if to_do:  # before PyTorch, which takes seconds
            options.say(f"{len(to_do)} to train: loading PyTorch …")
        device = plan.device if to_do else "cpu"  # PyTorch is imported only where something is left to train
        tasks, to_do = ([replace(task, device=device) for task in each] for each in (tasks, to_do))
        if "bf16" in {task.config.precision for task in to_do} and plan.scheduler is None:
            options.warn_of_slow_bf16(device)
        with _workers(plan, device, len(tasks), len(to_do)) as workers:
            if to_do and plan.scheduler:
                found = f"{counted(workers.places, 'worker')} of the scheduler at {plan.scheduler}"
                options.say(f"sends {counted(len(to_do), 'run')} to {found}")
            if to_do:
                for _ in range(workers.places):
                    workers.submit(ready)
                check(to_do, options.fetch)
            for folder in {ReportFolder.of_record(task.record) for task in tasks}:
                folder.ask(plan.kind, tasks[0].data_dir)
            if not isinstance(workers, Here):
                POOLS.clear()
            display = Display(tasks, {task.name: plan.label(task.config) for task in tasks})
            with display.progress:
                return run_all(tasks, workers, display, force)


def _workers(plan: Plan, device: Device, runs: int, to_do: int) -> Workers:
    """Who runs those of so many runs that are to do."""
    from gsm_cli.runs.processes import on_this_machine

    if plan.scheduler is None:
        return on_this_machine(plan.jobs, runs, to_do, device)
    from gsm_cli.runs.cluster import Cluster

    return Cluster(plan.scheduler, options.say)
