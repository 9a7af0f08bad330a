"""`gsm cost --for`: the steps of a report's runs, timed in turns."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from gsm_cli.cli import options
from gsm_cli.cli.cost import alone, describe
from gsm_cli.cli.results import show_measured
from gsm_cli.errors import DataError, GsmError

if TYPE_CHECKING:
    from gsm_cli.records.run import RunRecord
    from gsm_cli.records.steps import StepRecord

IDLE = "the machine must be idle while steps are timed, and"


def measure_for(path: Path, device: str, rounds: int, seed: int, force: bool, as_json: bool) -> None:
    """Time the steps of the report at `path`, and rebuild it."""
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
    record = _timed(_empty(runs, device, rounds, seed), folder.steps, force)
    show_measured("cost", record, folder.steps, folder, as_json)


def _empty(runs: "Sequence[RunRecord]", asked: str, rounds: int, seed: int) -> "StepRecord":
    """What is to be measured: with `auto` on the device of most runs, and with the threads of most runs on it."""
    from msgspec.structs import replace

    from gsm_cli import __version__
    from gsm_cli.fingerprint import MEASURES, fingerprint
    from gsm_cli.measures.step_turns import plan_of
    from gsm_cli.records.steps import StepRecord
    from gsm_cli.runs.environment import environment, find_device, load

    machines = Counter((run.environment.device, run.environment.threads) for run in runs)
    usual = machines.most_common(1)[0][0][0] if asked == "auto" else asked
    device = find_device(usual)
    threads = max(sorted(machines), key=lambda machine: (machine[0] == device, machines[machine]))[1]
    return StepRecord(
        version=__version__,
        code=fingerprint(MEASURES),
        environment=replace(environment(device), threads=threads),
        plan=plan_of(runs, rounds, device, seed),
        load=load(),
        rows=[],
    )


def _timed(empty: "StepRecord", path: Path, force: bool) -> "StepRecord":
    """The record at `path`, measured now if it is not there; what goes on is said on stderr."""
    from gsm_cli.files import is_there, prepare
    from gsm_cli.measures.cost_rounds import PART

    if is_there(path) and not force:
        return _measured_before(empty, path)
    prepare(path)
    with options.resumable("to go on after the rounds that are done", [path.with_suffix(PART)]), alone(path.parent):
        if is_there(path):
            options.say(f"at its end this replaces {describe(path, type(empty))}")
        if any(step.config.precision == "bf16" for step in empty.plan.steps):
            options.warn_of_slow_bf16(empty.plan.device)
        return _measure(empty, path)


def _measured_before(empty: "StepRecord", path: Path) -> "StepRecord":
    """The record that is there. Raises GsmError if the report has steps that it has not."""
    from gsm_cli.records.steps import read_steps, step_key

    found = read_steps(path)
    known = {step_key(step.config) for step in found.plan.steps}
    lacking = [step.config.name for step in empty.plan.steps if step_key(step.config) not in known]
    if lacking:
        rule = f"{path} must have the step of every run of the report, and lacks that of {lacking[0]}"
        more = f" and {len(lacking) - 1} others" if len(lacking) > 1 else ""
        raise GsmError(f"{rule}{more}: --force times all steps anew, and replaces it")
    where = "here" if found.environment == empty.environment else f"elsewhere, with {found.environment.words}"
    options.say(f"measured before, {where}; --force measures again")
    return found


def _measure(empty: "StepRecord", path: Path) -> "StepRecord":
    """Time every round that is lacking, with a line for each."""
    from gsm_cli.measures.cost_rounds import begun
    from gsm_cli.measures.step_turns import is_beginning, measure_steps

    plan = empty.plan
    if done := len(begun(empty, path, is_beginning).rows) // len(plan.turns):
        options.say(f"goes on where it was interrupted, after {done} of {plan.rounds} rounds")
    if empty.disturbances:
        _warn(empty)
    options.say(f"{len(plan.steps)} steps in {plan.rounds} rounds of {len(plan.turns)} turns")
    record = measure_steps(empty, path, lambda done: options.say(f"round {done} of {plan.rounds}"))
    if record.disturbances != empty.disturbances:
        _warn(record)
    return record


def _warn(record: "StepRecord") -> None:
    words = " and ".join(record.disturbances)
    options.say(f"gsm: {IDLE} {words}: let other work end, and measure again with --force")
