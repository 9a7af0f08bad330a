"""`gsm cost --for`: the steps of a report's runs, timed in turns."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gsm_cli.cli import measuring, options
from gsm_cli.errors import DataError, GsmError

if TYPE_CHECKING:
    from gsm_cli.records.cost import StepRecord
    from gsm_cli.records.run import RunRecord


def measure_for(path: Path, device: str, rounds: int, seed: int, force: bool, as_json: bool) -> None:
    """Time the steps of the report at `path`, and rebuild it."""
    from gsm_cli.records.cost import read_steps
    from gsm_cli.records.layout import ReportFolder

    folder = ReportFolder(path)
    if not folder.records or folder.of_costs:
        rule = f"--for must name the folder of a report on runs, and {path} has none"
        raise DataError(f"{rule}: write for example --for reports/digits-100")
    options.say(f"steps of the runs in {path}, into {folder.steps}: loading PyTorch …")
    from gsm_cli.reports.folder import read

    runs = [record for record in read(folder).runs if record.finished]
    if not runs:
        raise DataError(f"--for must name a report with finished runs, and {path} has none: make some first")
    empty = _empty(runs, device, rounds, seed)
    record = measuring.find(folder.steps, read_steps, empty.environment, lambda: _measure(empty, folder.steps), force)
    _refuse_lacking(record, empty, folder.steps)
    measuring.finish("cost", folder.steps, record, folder, as_json)


def _empty(runs: "Sequence[RunRecord]", asked: str, rounds: int, seed: int) -> "StepRecord":
    """What is to be measured: with `auto` on the device of most runs, and with the threads of most runs on it."""
    from msgspec.structs import replace

    from gsm_cli.measures.steps import plan_of
    from gsm_cli.records.cost import StepRecord
    from gsm_cli.runs.environment import find_device, load

    machines = Counter((run.environment.device, run.environment.threads) for run in runs)
    usual = machines.most_common(1)[0][0][0] if asked == "auto" else asked
    device = find_device(usual)
    threads = max(sorted(machines), key=lambda machine: (machine[0] == device, machines[machine]))[1]
    made = measuring.made_by(device)
    made["environment"] = replace(made["environment"], threads=threads)
    return StepRecord(**made, plan=plan_of(runs, rounds, device, seed), load=load(), rows=[])


def _refuse_lacking(found: "StepRecord", empty: "StepRecord", path: Path) -> None:
    """Raise GsmError if the report has steps that the record has not."""
    from gsm_cli.records.cost import step_key
    from gsm_cli.words import few

    known = {step_key(step.config) for step in found.plan.steps}
    lacking = [step.config.name for step in empty.plan.steps if step_key(step.config) not in known]
    if lacking:
        rule = f"{path} must have the step of every run of the report, and lacks that of {few(lacking)}"
        raise GsmError(f"{rule}: --force times all steps anew, and replaces it")


def _measure(empty: "StepRecord", path: Path) -> "StepRecord":
    """Time every turn that is lacking; an idle machine is asked for before and after."""
    from gsm_cli.measures.steps import measure_steps

    _warn(empty.disturbances)
    is_bf16 = any(step.config.precision == "bf16" for step in empty.plan.steps)
    record = measuring.go_on(empty, path, measure_steps, _told, is_bf16)
    _warn([each for each in record.disturbances if each not in empty.disturbances])
    return record


def _told(record: "StepRecord") -> str:
    """The last turn."""
    row = record.rows[-1]
    return f"{record.plan.steps[row.step].config.objective_name}: {1000 * record.seconds(row):.3g} ms"


def _warn(disturbances: Sequence[str]) -> None:
    rule = "gsm: the machine must be idle while steps are timed, and"
    if disturbances:
        options.say(f"{rule} {' and '.join(disturbances)}: let other work end, and measure again with --force")
